"""Train and evaluate models, from raw questions to a bundle."""
