"""AWS on one machine, for `scripts/local_aws` and the system tests."""
