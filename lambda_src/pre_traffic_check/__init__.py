"""The pre-traffic check: CodeDeploy calls it before a new version gets its first request."""
