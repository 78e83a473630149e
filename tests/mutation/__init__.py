"""Change each ranking rule in one place, and see whether a test notices: scripts/mutation_check."""
