"""What `scripts/bench serving` measures ours beside: two functions of the usual parts."""
