"""Train candidates on the same questions, and select one on others."""
