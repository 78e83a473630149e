import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from model_build.__main__ import main
from model_build.collect.months import MonthFiles
from model_build.collect.records import CollectedQuestion
from model_build.hygiene.inspection import inspect
from model_build.hygiene.languages import language_of
from model_build.hygiene.licences import attribution_of, licence_by_date, licence_of
from model_build.hygiene.report import as_markdown
from model_build.questions import Question
from tests.support.paths import DATA

BODY = (
    "<p>I have a list of numbers in my kitchen program and want to sort it by weight, from the "
    "lightest to the heaviest, without the ones that are negative.</p><pre>a = []</pre>"
)


def made(
    number: int, title: str, *tags: str, year: int = 2024, body: str = BODY, **more: Any
) -> CollectedQuestion:
    question = Question(
        title, body, tags or ("python",), id=number, site="cooking",
        creation_date=datetime(year, 5, 1),
    )  # fmt: skip
    return CollectedQuestion(question, **more)


def test_near_duplicates_and_repeated_ids_are_counted() -> None:
    corpus = [
        made(1, "How do I sort my list of weights?"),
        made(2, "Sorting weights of the kitchen, please"),
        made(3, "An oven that is too cold", body="<p>It says 100 degrees but bakes nothing.</p>"),
        made(3, "Which flour for bread", body=""),
    ]
    found = inspect(corpus, {})
    assert found["near_duplicates"]["questions"] == 2
    assert found["near_duplicates"]["surplus"] == 1
    assert found["same_id"] == 1
    assert any("that repeat another one: 1" in remark for remark in found["remarks"])
    assert found["bodies"]["with_body"] == 3
    assert found["bodies"]["with_code"] == 2


def test_synonyms_and_tags_out_of_use_show_renames() -> None:
    corpus = [
        *(made(n, f"Old question {n}", "js", year=2012, body="") for n in range(30)),
        *(made(100 + n, f"New question {n}", "javascript", body="") for n in range(20)),
    ]
    found = inspect(corpus, {"js": "javascript", "py": "python"})
    (used,) = found["synonyms"]["used"]
    assert used["synonym"] == {"tag": "js", "uses": 30, "first": "2012-05-01", "last": "2012-05-01"}
    assert used["stands_for"]["first"] == "2024-05-01"
    assert found["tags"]["out_of_use"] == [{"tag": "js", "uses": 30, "last_use": "2012-05-01"}]
    assert found["tags"]["n_out_of_use"] == 1
    assert "| js | 30 | 2012-05-01 to 2012-05-01 | javascript | 20 |" in as_markdown(
        {"files": ["a|b.parquet"], "rejected_rows": 0, **found}
    )


def test_a_sample_with_five_tags_each_is_called_biased() -> None:
    corpus = [made(n, f"Question {n}", *"abcde") for n in range(5)]
    assert any("biased sample" in remark for remark in inspect(corpus, {})["remarks"])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I knead the dough?", "English"),
        ("¿Cómo amaso la masa para el pan?", "Spanish"),
        ("Como faço para assar o pão no forno?", "Portuguese"),
        ("Comment cuire le pain dans un four?", "French"),
        ("Wie backe ich das Brot mit der Hefe?", "German"),
        ("Как испечь хлеб в Python?", "Cyrillic"),
        ("パンの焼き方は何ですか", "Japanese"),
        ("如何烤面包", "Chinese or Japanese"),
        ("빵을 굽는 방법", "Korean"),
        ("Bread recipe", "unclear"),
        ("", "unclear"),
        ("12 + 3 = ?", "unclear"),
        ("naïve café über menu", "unclear"),
    ],
)
def test_languages_are_guessed(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("moment", "version"),
    [
        (datetime(2011, 4, 7, 23, 59, 59), "2.5"),
        (datetime(2011, 4, 8), "3.0"),
        (datetime(2018, 5, 1, 23, 59, 59), "3.0"),
        (datetime(2018, 5, 2), "4.0"),
    ],
)
def test_the_licence_follows_from_the_date(moment: datetime, version: str) -> None:
    assert licence_by_date(moment) == f"CC BY-SA {version}"


def test_an_edit_brings_the_licence_of_its_date_and_the_source_decides() -> None:
    edited = made(1, "Bread", year=2010, last_edit_date=datetime(2020, 1, 1))
    assert licence_of(edited) == "CC BY-SA 4.0"
    named = made(1, "Bread", year=2010, content_license="CC BY-SA 3.0")
    assert licence_of(named) == "CC BY-SA 3.0"
    assert licence_of(CollectedQuestion(Question("Bread", "", ("a",)))) is None
    assert inspect([named], {})["licences"]["unlike_the_date"] == 1


@pytest.mark.parametrize(
    ("site", "host"),
    [
        ("cooking", "cooking.stackexchange.com"),
        ("stackoverflow", "stackoverflow.com"),
        ("es.stackoverflow", "es.stackoverflow.com"),
        ("meta.cooking", "meta.cooking.stackexchange.com"),
        ("mathoverflow.net", "mathoverflow.net"),
    ],
)
def test_attribution_links_question_author_and_licence(site: str, host: str) -> None:
    question = Question("Bread", "", ("a",), id=7, site=site, creation_date=datetime(2020, 1, 1))
    found = attribution_of(CollectedQuestion(question, owner_name="Ann", owner_id=9))
    assert found.link == f"https://{host}/q/7"
    assert found.author_link == f"https://{host}/users/9"
    assert found.license_link == "https://creativecommons.org/licenses/by-sa/4.0/"


def test_the_command_writes_all_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with MonthFiles(tmp_path / "corpus", "cooking") as months:
        months.add(made(1, "How do I sort my list?", "py", owner_name="=cmd()", owner_id=9))
        months.add(made(2, "Which flour is best for the bread?", year=2009))
        months.commit()
    report, page, names = (tmp_path / name for name in ("i.json", "i.md", "names.csv"))
    synonyms = tmp_path / "synonyms.csv"
    synonyms.write_text("synonym,tag\npy,python\n")
    arguments = ["inspect", "--questions", str(tmp_path / "corpus"), "--json", str(report)]
    arguments += ["--synonyms", str(synonyms), "--markdown", str(page), "--attribution", str(names)]
    assert main(arguments) == 0
    figures = json.loads(report.read_text())
    assert figures["questions"] == 2
    assert figures["licences"]["counts"] == {"CC BY-SA 2.5": 1, "CC BY-SA 4.0": 1}
    assert figures["attribution"] == {"with_link": 2, "with_author": 1}
    assert figures["synonyms"]["questions"] == 1
    assert page.read_text().startswith("# Inspection of a corpus")
    rows = list(csv.DictReader(names.read_text().splitlines()))
    assert rows[0]["license"] == "CC BY-SA 2.5"
    assert rows[1]["author"] == "'=cmd()"
    assert "Questions with a tag that is a synonym: 1" in capsys.readouterr().out


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("title,tags\n")
    assert main(["inspect", "--questions", str(empty), "--json", str(tmp_path / "i.json")]) == 2
    assert "there is no usable question" in capsys.readouterr().err
    full = tmp_path / "full.csv"
    full.write_text("title,tags\nBread,<flour>\n")
    assert main(["inspect", "--questions", str(full), "--json", str(tmp_path)]) == 2
    assert "cannot write this file" in capsys.readouterr().err


@pytest.mark.data
def test_real_questions_are_inspected(tmp_path: Path) -> None:
    report = tmp_path / "i.json"
    assert (
        main(["inspect", "--questions", str(DATA / "so_html.parquet"), "--json", str(report)]) == 0
    )
    figures = json.loads(report.read_text())
    assert figures["questions"] == 989
    assert figures["languages"]["English"] > 900
