"""Experiment tracking and the model registry, with MLflow in a process of its own.

`mlflow_process` and `pyfunc_flavour` run in the environment that `scripts/setup tracking` makes.
Everything else runs without MLflow; see docs/decisions/0028-mlflow-in-its-own-process.md.
"""
