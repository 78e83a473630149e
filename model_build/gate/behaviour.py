"""Questions whose answers people agree on: what the champion answers right must stay right."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lambda_src.tagger import TagModel
from model_build.gate.errors import GateError

SHIPPED: Final = Path(__file__).with_name("behaviour.jsonl")


@dataclass(frozen=True)
class BehaviourTest:
    """A question and what must be suggested."""

    title: str
    body: str
    expected: frozenset[str]
    """All of these tags must be suggested; if there are none, nothing may be suggested."""

    def passes(self, model: TagModel) -> bool:
        """Whether a model answers as expected."""
        suggested = {tag for tag, _ in model.suggest(self.title, self.body).suggestions}
        return self.expected <= suggested if self.expected else not suggested


def read_tests(path: Path) -> list[BehaviourTest]:
    """Read a file with one test per line: ``{"title", "body" (optional), "expect": [tag, ...]}``.

    Raises
    ------
    GateError
        The file cannot be read, or a line is no test.
    """
    tests = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise GateError(f"{path}: the behavioural tests cannot be read: {error}.") from error
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            tests.append(
                BehaviourTest(str(row["title"]), str(row.get("body", "")), frozenset(row["expect"]))
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GateError(
                f"{path}, line {number}: not a test. Write {{"
                '"title": "...", "body": "...", "expect": ["tag"]}.'
            ) from error
    return tests


def compare_behaviour(
    tests: Sequence[BehaviourTest], champion: TagModel, challenger: TagModel
) -> dict[str, Any]:
    """Run the tests with both models.

    A test that the champion does not pass does not count: the questions may be about another site.

    Returns
    -------
    dict
        Can be written as JSON. ``broken`` lists the titles of the tests that only the champion
        passes.
    """
    passed = [each for each in tests if each.passes(champion)]
    return {
        "tests": len(tests),
        "champion_passes": len(passed),
        "challenger_passes": sum(each.passes(challenger) for each in tests),
        "broken": [each.title for each in passed if not each.passes(challenger)],
    }
