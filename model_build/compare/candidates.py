"""The candidates of a comparison: variants of Etiquette's own training, and one other system."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from model_build.features import FeatureOptions
from model_build.tracking.environment import ROOT
from model_build.training import PRUNE, TrainingOptions

_DEFAULT: Final = TrainingOptions(prune=PRUNE)
_NEVER: Final = 10**9

VARIANTS: Final[Mapping[str, TrainingOptions]] = {
    "default": _DEFAULT,
    "no-code-copies": replace(_DEFAULT, code_copies=False),
    "no-pairs": replace(_DEFAULT, features=FeatureOptions(min_pair_count=_NEVER)),
    "rare-terms": replace(_DEFAULT, features=FeatureOptions(min_word_count=2, min_pair_count=3)),
    "common-terms": replace(_DEFAULT, features=FeatureOptions(min_word_count=8, min_pair_count=15)),
    "light-pruning": replace(_DEFAULT, prune=PRUNE / 3),
    "strong-pruning": replace(_DEFAULT, prune=PRUNE * 3),
}
"""By name. `model_build.training.TrainingOptions` explains the options."""

EMBEDDINGS: Final = "minilm"
"""Sentence embeddings and a logistic regression per tag, in the place of the Universal Sentence
Encoder of the replaced system. It needs the environment of ``scripts/bench quality``."""
BENCH_PYTHON: Final = ROOT / ".cache" / "bench" / "venv" / "bin" / "python"


def names() -> list[str]:
    """Return the names of all candidates that can run on this machine."""
    return [*VARIANTS, *([EMBEDDINGS] if Path(BENCH_PYTHON).exists() else [])]
