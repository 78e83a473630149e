"""The checks of a release: before the canary, during it and after it."""
