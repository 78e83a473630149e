"""The systems that are measured together, by the names that `--systems` takes."""

from collections.abc import Callable
from typing import Final

from scripts.benchmarks.rivals.etiquette import Etiquette
from scripts.benchmarks.rivals.fasttext import FastText
from scripts.benchmarks.rivals.linear_svc import linear_svc
from scripts.benchmarks.rivals.minilm import minilm
from scripts.benchmarks.rivals.omikuji import Omikuji
from scripts.benchmarks.rivals.replaced import replaced
from scripts.benchmarks.rivals.rival import Rival
from scripts.benchmarks.rivals.usual import usual

RIVALS: Final[dict[str, Callable[[], Rival]]] = {
    "etiquette": Etiquette,
    "fasttext": FastText,
    "omikuji": Omikuji,
    "linear-svc": linear_svc,
    "usual": usual,
    "replaced": replaced,
    "minilm": minilm,
}
