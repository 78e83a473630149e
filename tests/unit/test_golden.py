"""The ranking rules against the golden files, in both implementations."""

from typing import Any

import pytest

from lambda_src.tagger import TagModel
from lambda_src.tagger.model import RankerChoice
from lambda_src.tagger.rules import ANALYZER_VERSION
from tests.golden import __main__ as command
from tests.golden import results
from tests.golden.texts import ANALYZER, MARKUP, RANKING, Text

ADVICE = (
    "The ranking rules changed, so existing bundles mean something else. Raise ANALYZER_VERSION in "
    "lambda_src/tagger/rules.py, run 'python -m tests.golden' and train new bundles."
)
GOLDEN = results.read()


@pytest.fixture(scope="module")
def model(ranker: RankerChoice) -> TagModel:
    """The synthetic model with each implementation."""
    return TagModel(GOLDEN.bundle(), ranker=ranker)


def test_the_files_are_of_this_analyzer_version() -> None:
    advice = "Run 'python -m tests.golden' and train new bundles."
    assert GOLDEN.analyzer_version == ANALYZER_VERSION, advice


def test_the_files_have_every_text() -> None:
    for file, texts in (("analyzer", ANALYZER), ("markup", MARKUP), ("ranking", RANKING)):
        assert list(GOLDEN.cases[file]) == list(texts), "Run 'python -m tests.golden'."


def test_no_rule_changed() -> None:
    assert not results.differences(GOLDEN), ADVICE


def text_of(case: dict[str, Any]) -> Text:
    return Text(case["title"], case["body"], case["body_format"])


@pytest.mark.parametrize("name", GOLDEN.cases["analyzer"])
def test_the_terms_of_a_text(model: TagModel, name: str) -> None:
    case = GOLDEN.cases["analyzer"][name]
    found = results.answer(text_of(case), model)
    assert found["terms"] == case["terms"], ADVICE


@pytest.mark.parametrize("name", GOLDEN.cases["ranking"])
def test_the_answer_to_a_question(model: TagModel, name: str) -> None:
    case = GOLDEN.cases["ranking"][name]
    found = results.answer(text_of(case), model)
    assert results.is_close(found, {part: case[part] for part in found}), ADVICE


def test_the_command_refuses_to_hide_a_change_of_the_rules(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[bool] = []
    monkeypatch.setattr(results, "write", lambda: written.append(True))
    assert command.main() == 0
    assert written == [True]
    monkeypatch.setattr(results, "differences", lambda _: ["analyzer: capitals"])
    assert command.main() == 1
    assert written == [True]
    assert "Raise ANALYZER_VERSION in lambda_src/tagger/rules.py" in capsys.readouterr().err
    monkeypatch.setattr(command, "ANALYZER_VERSION", ANALYZER_VERSION + 1)
    assert command.main() == 0
    assert written == [True, True]
