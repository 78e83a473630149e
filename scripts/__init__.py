"""The commands of this project, and the Python packages behind them."""
