"""The fire drill of scripts/verify, which checks a deployment and its alarms."""
