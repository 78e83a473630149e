"""Measurements beside other systems, one module each; `scripts/bench` starts them."""
