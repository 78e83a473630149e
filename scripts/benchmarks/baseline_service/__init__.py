"""The baseline of `scripts/bench serving`: a scikit-learn model in a typical Lambda function."""
