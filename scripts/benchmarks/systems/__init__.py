"""The systems that `scripts/bench quality` compares, by their names in `--systems`."""

from collections.abc import Callable
from typing import Final

from scripts.benchmarks.systems.etiquette import Etiquette
from scripts.benchmarks.systems.fasttext import FastText
from scripts.benchmarks.systems.linear_svc import linear_svc
from scripts.benchmarks.systems.minilm import minilm
from scripts.benchmarks.systems.omikuji import Omikuji
from scripts.benchmarks.systems.scikit_learn_defaults import scikit_learn_defaults
from scripts.benchmarks.systems.student_system import student_system
from scripts.benchmarks.systems.system import System

SYSTEMS: Final[dict[str, Callable[[], System]]] = {
    "etiquette": Etiquette,
    "fasttext": FastText,
    "omikuji": Omikuji,
    "linear-svc": linear_svc,
    "scikit-learn-defaults": scikit_learn_defaults,
    "student-system": student_system,
    "minilm": minilm,
}
