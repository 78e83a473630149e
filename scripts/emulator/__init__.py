"""AWS on one machine: what `scripts/local_aws` runs and what the system tests stand on."""
