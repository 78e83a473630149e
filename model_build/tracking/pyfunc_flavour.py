"""An Etiquette bundle as an MLflow model, defined by this file and not by a pickle.

MLflow copies this file into the model ("models from code") and runs it to load the model. It needs
MLflow; see `mlflow_process`.
"""

from typing import Any

import mlflow
import pandas as pd

from lambda_src.tagger import TagModel
from lambda_src.tagger.markup import split_text


class BundledTagger(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Suggests tags with the bundle among the model's artifacts."""

    def load_context(self, context: Any) -> None:
        """Read the bundle, after its digest was compared with that of the registration."""
        self._model = TagModel.load(context.artifacts["bundle"], context.model_config["sha256"])

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Answer each row as the service answers it.

        Parameters
        ----------
        context : object
            Not used.
        model_input : DataFrame
            One question per row: ``text``, or ``title`` and ``body``, with ``body_format``.
        params : dict, optional
            ``max_tags`` and ``min_confidence``.

        Returns
        -------
        list of dict
            ``predicted_tags`` (list of str, best first) and ``confidences`` (list of float).
        """
        rows = model_input.astype(object).where(model_input.notna(), None).to_dict("records")
        return [self._answer(row, params or {}) for row in rows]

    def _answer(self, row: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
        if row.get("text"):
            title, body = split_text(row["text"])
        else:
            title, body = row.get("title") or "", row.get("body") or ""
        suggestions = self._model.suggest(
            title, body, body_format=row.get("body_format") or "auto", **params
        ).suggestions
        return {
            "predicted_tags": [each.tag for each in suggestions],
            "confidences": [each.confidence for each in suggestions],
        }


mlflow.models.set_model(BundledTagger())
