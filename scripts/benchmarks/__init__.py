"""Benchmarks against other systems, one module for each; `scripts/bench` starts them."""
