"""How a model answers the sample questions: ``python -m tests.model.sample_measures [MODEL]``.

Prints a table. Each file of samples has a part to choose by (tune) and a part that only measures
(test).
"""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

from lambda_src.tagger import TagModel
from scripts.shared.tables import table
from tests.support.paths import SAMPLES, STARTER

Sample = dict[str, Any]
Rule = Callable[[Sample, list[str]], bool]
PARTS: Final = ("tune", "test")


def _expected(sample: Sample) -> set[str]:
    return set(sample.get("any_of") or sample["tags"])


def _first_is_right(sample: Sample, tags: list[str]) -> bool:
    return bool(tags) and tags[0] in _expected(sample)


def _has_its_tag(sample: Sample, tags: list[str]) -> bool:
    return sample["tag"] in tags


def _one_is_right(sample: Sample, tags: list[str]) -> bool:
    return bool(_expected(sample) & set(tags))


def _is_answered(_: Sample, tags: list[str]) -> bool:
    return bool(tags)


def _of_kind(kind: str) -> Callable[[Sample], bool]:
    return lambda sample: sample["kind"] == kind


def _is_everyday(sample: Sample) -> bool:
    return sample["why"] in ("everyday question", "recipe", "poem or saying", "vague")


def _is_empty(sample: Sample) -> bool:
    return not _is_everyday(sample)


MEASURES: Final[dict[str, tuple[str, Callable[[Sample], bool] | None, Rule]]] = {
    "ambiguous word, its tag is suggested": ("ambiguous", _of_kind("positive"), _has_its_tag),
    "ambiguous word, the wrong tag is suggested": (
        "ambiguous",
        _of_kind("negative"),
        _has_its_tag,
    ),
    "technologies since 2020, the first tag is right": ("recent", None, _first_is_right),
    "code alone, the first tag is right": ("code", _of_kind("code"), _first_is_right),
    "code alone, one tag is right": ("code", _of_kind("code"), _one_is_right),
    "error logs, one tag is right": ("code", _of_kind("log"), _one_is_right),
    "other languages and spellings, one tag is right": ("languages", None, _one_is_right),
    "gibberish and pleasantries, tags are suggested": ("quiet", _is_empty, _is_answered),
    "everyday and vague texts, tags are suggested": ("quiet", _is_everyday, _is_answered),
}
"""By its name: the file, which of its samples, and what is counted."""


def read(file: str, part: str) -> list[Sample]:
    """Read the samples of one part of a file."""
    lines = SAMPLES.with_name(f"{file}.jsonl").read_text(encoding="utf-8").splitlines()
    return [sample for sample in map(json.loads, lines) if sample["part"] == part]


def suggested(model: TagModel, sample: Sample) -> list[str]:
    """Ask the model for the tags of a sample."""
    body_format = sample.get("body_format", "auto")
    prediction = model.suggest(sample["title"], sample.get("body", ""), body_format=body_format)
    return [suggestion.tag for suggestion in prediction.suggestions]


def share(model: TagModel, name: str, part: str) -> float:
    """Compute the share of samples for which a measure holds.

    Samples of an ambiguous tag that the model does not know are left out.
    """
    file, selects, holds = MEASURES[name]
    samples: Iterable[Sample] = read(file, part)
    if selects is not None:
        samples = filter(selects, samples)
    known = [each for each in samples if each.get("tag", model.tags[0]) in set(model.tags)]
    return sum(holds(each, suggested(model, each)) for each in known) / len(known)


def main(path: str = str(STARTER)) -> int:
    """Print the table."""
    model = TagModel.load(path)
    rows = [[name, *(f"{share(model, name, part):.2f}" for part in PARTS)] for name in MEASURES]
    sys.stdout.write(table(["Measure", *PARTS], rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
