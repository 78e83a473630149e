"""The commands of ``python -m model_build``: each module declares and runs one, or one family."""
