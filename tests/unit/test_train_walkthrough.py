"""The commands of docs/train.md, run as they stand there, on sample questions and local servers."""

import json
import re
import shlex
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import pytest

from lambda_src.tagger import TagModel
from model_build.__main__ import main
from model_build.questions import Question
from tests.support.collected import all_ids
from tests.support.dump import post, write_dump
from tests.support.live_service import LiveService, serve_model
from tests.support.paths import ROOT
from tests.support.stack_exchange import StackExchangeServer, question, serve_stack_exchange

DAY = 86_400
PAGE = (ROOT / "docs" / "train.md").read_text(encoding="utf-8")
PREFIX = "$python -m model_build "


def commands(heading: str, level: str = "##") -> list[list[str]]:
    """The arguments of each command of `model_build` in a section of the page."""
    text = PAGE.partition(f"\n{level} {heading}\n")[2]
    text = re.split(rf"^#{{2,{len(level)}}} ", text, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines() if line[:4] == " " * 4]
    return [shlex.split(line.removeprefix(PREFIX)) for line in lines if line.startswith(PREFIX)]


@pytest.fixture
def site(samples: Sequence[Question]) -> Iterator[StackExchangeServer]:
    """A site whose questions are the samples; the last ones were asked three days ago."""
    today = int(time.time()) // DAY * DAY
    dates = chain(
        range(today - 3_000 * DAY, today - 40 * DAY, 10 * DAY),
        range(today - 3 * DAY, today - 2 * DAY, 600),
    )
    questions = [
        question(
            number, created, title=each.title, tags=list(each.tags), body=f"<p>{each.title}</p>"
        )
        for number, (each, created) in enumerate(zip(samples, dates, strict=False), 1)
    ]
    with serve_stack_exchange(StackExchangeServer(questions)) as running:
        running.synonyms = [("js", "javascript")]
        yield running


def test_from_nothing_to_a_live_model(
    site: StackExchangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    *before, audit = commands("From nothing to a live model")
    assert [each[0] for each in before] == [
        *("collect", "collect", "inspect", "split", "train", "evaluate"),
    ]
    more = {
        "collect": ["--base-url", site.url],
        # The samples are few.
        "train": ["--min-tag-count", "5", "--jobs", "1"],
    }
    for arguments in before:
        assert main([*arguments, *more.get(arguments[0], [])]) == 0, arguments
    assert all_ids(tmp_path / "cooking") == list(range(1, len(site.questions) + 1))
    model = TagModel.load(tmp_path / "model.safetensors")
    with serve_model(LiveService(model)) as service:
        assert main([*audit, "--base-url", site.url, "--url", service.url]) == 0
    found = json.loads((tmp_path / "audit.json").read_text())
    assert found["model_version"] == model.version
    assert found["questions"] > 0


def test_exports_of_the_data_explorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, ids in (("page1.csv", (1, 2)), ("page2.csv", (2, 3))):
        rows = [f"{number},Title {number},<bread>,2026-01-02\n" for number in ids]
        (tmp_path / name).write_text("Id,Title,Tags,CreationDate\n" + "".join(rows))
    for arguments in commands("From the Data Explorer", "###"):
        assert main(arguments) == 0, arguments
    assert all_ids(tmp_path / "cooking") == [1, 2, 3]


def test_a_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dump = write_dump(tmp_path / "Posts.xml", [post(1), post(2)])
    (arguments,) = commands("From a dump", "###")
    place = arguments.index("--input") + 1
    assert arguments[place].endswith(".7z")
    assert main([*arguments[:place], str(dump), *arguments[place + 1 :]]) == 0
    assert all_ids(tmp_path / "cooking") == [1, 2]
