"""What the OpenAPI document shows of each request and answer."""

from typing import Any, Final

_PREDICTION_ID: Final = "3f0c2f5e-0f0e-4f53-9f6a-0d8f6d1c2b3a"
_MODEL_VERSION: Final = "2026.11.22-35984239"

Example = dict[str, Any]

QUESTION: Final[Example] = {"text": "How do I merge two dictionaries in Python?"}
LONG_QUESTION: Final[Example] = {
    "title": "Left join returns too many rows",
    "body": "<p>My query</p><pre><code>SELECT * FROM a LEFT JOIN b</code></pre>",
    "max_tags": 3,
}
PREDICTION: Final[Example] = {
    "predicted_tags": ["python", "dictionary"],
    "suggestions": [
        {"tag": "python", "confidence": 0.95},
        {"tag": "dictionary", "confidence": 0.93},
    ],
    "prediction_id": _PREDICTION_ID,
    "model_version": _MODEL_VERSION,
}
PROBLEM: Final[Example] = {
    "type": "about:blank",
    "title": "Unprocessable Content",
    "status": 422,
    "detail": "max_tags: Input should be less than or equal to 5",
    "correlation_id": "JKJaXmPLvHcESHA=",
    "errors": [{"field": "max_tags", "message": "Input should be less than or equal to 5"}],
}
QUESTIONS: Final[Example] = {"questions": [QUESTION, {**QUESTION, "max_tags": 9}]}
PREDICTIONS: Final[Example] = {
    "results": [{"index": 0, "prediction": PREDICTION}, {"index": 1, "problem": PROBLEM}]
}
FEEDBACK: Final[Example] = {
    "prediction_id": _PREDICTION_ID,
    "final_tags": ["python", "dictionary"],
}
RECEIPT: Final[Example] = {"prediction_id": _PREDICTION_ID, "unknown_tags": []}
TAGS: Final[Example] = {
    "tags": [{"tag": "python", "count": 4234}, {"tag": "python-3.x", "count": 310}]
}
DESCRIPTION: Final[Example] = {
    "name": "etiquette",
    "description": "Suggests tags for a question as it is being written.",
    "model_version": _MODEL_VERSION,
    "links": [{"href": "/predict", "title": "POST a question, get its tags"}],
}
HEALTH: Final[Example] = {
    "status": "ok",
    "model_version": _MODEL_VERSION,
    "model_sha256": "6b0b41e9284a74f48137ec8541fdd6e0aceb064368fbd2864a86ca7238698171",
}
MODEL_CARD: Final[Example] = {
    "version": _MODEL_VERSION,
    "sha256": HEALTH["model_sha256"],
    "created": "2026-11-22",
    "n_tags": 1115,
    "n_terms": 25316,
    "floor": 0.1164,
    "corpus": {"questions": 59843},
    "quality": {
        "how": "out of fold",
        "questions": [{"kind": "titles alone", "precision_at_1": [0.675, 0.67, 0.68]}],
        "tags": [{"kind": "rare", "least_uses": 0, "precision": 0.43, "recall": 0.28}],
    },
    "training": {"min_tag_count": 12},
    "libraries": {"scikit-learn": "1.9.1"},
}
