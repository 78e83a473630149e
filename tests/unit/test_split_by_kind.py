import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from model_build.__main__ import main
from model_build.corpus import Rejects, read_corpus, read_tag_sets, write_questions
from model_build.kinds import Kind, KindsError, kind_of, read_kinds
from model_build.questions import Question
from model_build.splitting import SharesError, split_by_kind
from tests.support.paths import ROOT, STARTER

TITLE = Question("Sort a list", "", ("python",), creation_date=datetime(2020, 5, 1))
BODY = replace(TITLE, body="<p>How?</p>", source="export:python", creation_date=None)


@pytest.mark.parametrize(
    ("kind", "title_fits", "body_fits"),
    [
        (Kind("k", files=("old_*", "new.csv")), True, True),
        (Kind("k", files=("old_*",)), False, False),
        (Kind("k", sources=("export:*",)), False, True),
        (Kind("k", years=(2019, 2020)), True, False),
        (Kind("k", years=(2021, 2022)), False, False),
        (Kind("k", has_body=True), False, True),
        (Kind("k", has_body=False, years=(2020, 2020)), True, False),
    ],
)
def test_a_kind_includes_questions_that_meet_all_conditions(
    kind: Kind, title_fits: bool, body_fits: bool
) -> None:
    assert kind.includes(TITLE, "new.csv") is title_fits
    assert kind.includes(BODY, "new.csv") is body_fits


def test_the_first_kind_counts_and_a_partial_question_has_none() -> None:
    kinds = [Kind("bodies", has_body=True), Kind("rest", files=("*",))]
    assert kind_of(BODY, "new.csv", kinds) == kinds[0]
    assert kind_of(TITLE, "new.csv", kinds) == kinds[1]
    assert kind_of(TITLE, "new.csv", kinds[:1]) is None
    assert kind_of(replace(TITLE, judged_tags=frozenset({"python"})), "new.csv", kinds) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no kind"),
        ("[a", "this is not TOML"),
        ("a = 1", "a: this is no table"),
        ("['a/b']\nhas_body = true", "the name is also a file's name"),
        ("[a]\nyear = 2020", "unknown key year. Use files, sources, years, has_body or shares"),
        ("[a]\nshares = [0.8, 0.1, 0.1]", "there is no condition"),
        ("[a]\nfiles = 'x'", "files must be a list"),
        ("[a]\nyears = [2020]", "years must be the first and the last year"),
        ("[a]\nhas_body = 'yes'", "has_body must be true or false"),
        ("[a]\nhas_body = true\nshares = [0.5, 0.5]", "shares must be three numbers"),
    ],
)
def test_a_wrong_file_of_kinds_is_refused_with_the_reason(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "kinds.toml"
    with pytest.raises(KindsError, match="cannot read this file"):
        read_kinds(path)
    path.write_text(text)
    with pytest.raises(KindsError) as caught:
        read_kinds(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def corpus_of_two_kinds(samples: Sequence[Question]) -> tuple[list[Question], list[Kind | None]]:
    """Each sample as itself, and its near-duplicates of another kind and of no kind."""
    first = Kind("first", files=("a",), shares=(0.5, 0.25, 0.25))
    second = Kind("second", files=("b",))
    again = [replace(each, title=f"{each.title}!") for each in samples]
    partial = [replace(each, judged_tags=frozenset(each.tags)) for each in samples]
    kinds = [first] * len(samples) + [second] * len(again) + [None] * len(partial)
    return [*samples, *again, *partial], kinds


def test_near_duplicates_of_all_kinds_are_in_one_part(samples: list[Question]) -> None:
    questions, kinds = corpus_of_two_kinds(samples)
    found = split_by_kind(questions, kinds, (0.8, 0.1, 0.1), seed=1)
    assert found == split_by_kind(questions, kinds, (0.8, 0.1, 0.1), seed=1)
    assert found != split_by_kind(questions, kinds, (0.8, 0.1, 0.1), seed=2)

    validation, test = (
        [question for members in part.values() for question in members]
        for part in (found.validation, found.test)
    )
    parts = [found.train, validation, test]
    assert sum(map(len, parts)) + len(found.left_out) == len(questions)
    titles = [{question.title.rstrip("!?.") for question in part} for part in parts]
    assert not titles[0] & titles[1]
    assert not titles[0] & titles[2]
    assert not titles[1] & titles[2]
    assert {question.title.rstrip("!?.") for question in found.left_out} == titles[1] | titles[2]
    assert all(question.judged_tags is None for question in (*validation, *test))
    assert all(question.judged_tags is not None for question in found.left_out)
    # The near-duplicates follow the first kind, which has its own shares.
    for part in (found.validation, found.test):
        for members in part.values():
            assert len(members) == pytest.approx(len(samples) / 4, abs=3)


def test_wrong_shares_of_a_kind_are_refused(samples: list[Question]) -> None:
    kind = Kind("k", has_body=True, shares=(0.5, 0.1, 0.1))
    with pytest.raises(SharesError, match="sum to 1"):
        split_by_kind(samples[:3], [kind] * 3, (0.8, 0.1, 0.1), seed=0)


def test_split_writes_a_file_per_kind_and_evaluate_shows_them_in_one_table(
    tmp_path: Path, samples: list[Question], capsys: pytest.CaptureFixture[str]
) -> None:
    numbered = [
        replace(question, id=number, body=question.body if number % 2 else "")
        for number, question in enumerate(samples)
    ]
    write_questions(numbered, tmp_path / "corpus.parquet")
    twins = [replace(question, id=None, body="") for question in samples]
    write_questions(twins, tmp_path / "common.parquet")
    (tmp_path / "sets.csv").write_text(
        "id,tags\n" + "".join(f"{number},<python>\n" for number in range(len(samples) + 5))
    )
    kinds = tmp_path / "kinds.toml"
    kinds.write_text(
        "[with-a-body]\nhas_body = true\nshares = [0.6, 0.2, 0.2]\n[titles]\nhas_body = false\n"
    )
    out = tmp_path / "parts"
    files = ["--questions", str(tmp_path / "corpus.parquet"), "--out", str(out)]
    more = [
        *("--partial-questions", str(tmp_path / "common.parquet")),
        *("--tag-sets", str(tmp_path / "sets.csv")),
    ]
    assert main(["split", *files, *more]) == 2
    assert "work only with --kinds" in capsys.readouterr().err
    assert main(["split", *files, *more, "--kinds", str(kinds)]) == 0

    names = sorted(str(path.relative_to(out)) for path in out.rglob("*.parquet"))
    held_out = [
        f"{part}/{kind}" for part in ("test", "validation") for kind in ("titles", "with-a-body")
    ]
    assert names == sorted(
        f"{name}.parquet" for name in ("train", "partial/common", "tag_sets", *held_out)
    )
    with Rejects(tmp_path / "rejects") as rejects:
        read = {name: read_corpus([out / name], rejects) for name in names if "sets" not in name}
        ids = {each.id for each in read_tag_sets([out / "tag_sets.parquet"], rejects)}
    whole = {name: members for name, members in read.items() if "partial" not in name}
    assert sum(map(len, whole.values())) == len(samples)
    tested = {each.id for name, members in whole.items() if "/" in name for each in members}
    assert ids == set(range(len(samples) + 5)) - tested
    assert {each.title for each in read["partial/common.parquet"]} <= {
        each.title for each in read["train.parquet"]
    }

    older = out / "test" / "older.parquet"
    write_questions(samples[:1], older)
    assert main(["split", *files, *more, "--kinds", str(kinds)]) == 2
    assert f"{older}: this file is of an earlier split" in capsys.readouterr().err
    older.unlink()
    report = tmp_path / "report.json"
    tests = [str(out / "test" / f"{kind}.parquet") for kind in ("with-a-body", "titles")]
    arguments = ["--model", str(STARTER), "--json", str(report)]
    assert main(["evaluate", *arguments, "--questions", *tests]) == 0
    printed, found = capsys.readouterr().out, json.loads(report.read_text())
    assert found["split"] == "by kind"
    assert [each["file"] for each in found["by_file"]] == ["with-a-body", "titles"]
    for each in found["by_file"]:
        members = read[f"test/{each['file']}.parquet"]
        assert each["questions"] == len(members)
        assert f"| {each['file']} | {len(members)} | {each['sample_jaccard']:.3f}" in printed


def test_a_kind_without_questions_is_an_error(
    tmp_path: Path, samples: list[Question], capsys: pytest.CaptureFixture[str]
) -> None:
    write_questions(samples[:20], tmp_path / "corpus.parquet")
    (tmp_path / "kinds.toml").write_text("[old]\nyears = [1990, 1999]\n")
    files = ["--questions", str(tmp_path / "corpus.parquet"), "--out", str(tmp_path / "parts")]
    assert main(["split", *files, "--kinds", str(tmp_path / "kinds.toml")]) == 2
    assert "old: no question is of this kind" in capsys.readouterr().err


def test_the_kinds_of_the_starter_can_be_read() -> None:
    kinds = read_kinds(ROOT / "model_build" / "starter" / "kinds.toml")
    assert len(kinds) == 4
