"""Imports FastAPI without building the models of an OpenAPI document.

FastAPI defines them when it is imported, and pydantic builds a validator for each. That takes about
a tenth of the time of a start, and only the first request for /openapi.json needs them.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from lambda_src.api import startup_tuning  # noqa: F401 (before pydantic)

# Leave this line here, so that the import above stays the first.
from pydantic import BaseModel, ConfigDict  # isort: skip


@contextlib.contextmanager
def _models_built_when_used() -> Iterator[None]:
    """Let pydantic build the models that are defined meanwhile when they are first used."""
    config, rebuild = BaseModel.model_config, BaseModel.__dict__["model_rebuild"]

    def rebuild_when_used(model: type[BaseModel], /, **options: Any) -> bool | None:
        # A module calls it without options when all names that its models mention are defined.
        return rebuild.__func__(model, **options) if options else None

    BaseModel.model_config = ConfigDict(defer_build=True)
    # mypy rightly forbids what this module is for: to replace a method of a library for a moment.
    BaseModel.model_rebuild = classmethod(rebuild_when_used)  # type: ignore[assignment]
    try:
        yield
    finally:
        BaseModel.model_config = config
        BaseModel.model_rebuild = rebuild  # type: ignore[method-assign]


with _models_built_when_used():
    import fastapi.openapi.models  # noqa: F401 (everything else finds it imported)
