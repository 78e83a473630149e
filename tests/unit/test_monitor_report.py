"""The monitor's report: what it says, and that it is a safe, complete and accessible page."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lambda_src.monitor.drift.findings import Finding, Share
from lambda_src.monitor.report import render, summarize, write_reports
from lambda_src.monitor.report.distributions import distributions
from lambda_src.monitor.report.estimates import Estimate, mean
from lambda_src.monitor.report.line_chart import Line, line_chart
from lambda_src.monitor.report.tags import new_tags, worst_tags
from lambda_src.monitor.store import open_store
from tests.support.monitored_days import VERSION, day_file, day_files

TODAY = date(2026, 11, 26)
HOSTILE = "<script>alert('x')</script>"
DRIFT = Finding(
    "concept_drift",
    "hits",
    "live",
    "drift",
    "Suggested tags are chosen less often than their confidences say.",
    before=0.6,
    after=0.3,
    evidence=1.5,
    since=str(TODAY),
    shares=(Share("0.5+", 0.4, 0.2), Share(HOSTILE, 0.6, 0.8)),
)
UNKNOWN = Finding("model_drift", "sample_jaccard", "release", "not enough data", "Wait.")


class Page(HTMLParser):
    """The elements of a page, and whether each of them is closed."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def year() -> list[dict[str, Any]]:
    """A year with two models, a gap, hostile tags and an audit."""
    days = day_files(
        TODAY,
        365,
        audited=20,
        tags={"python": (20, 20, 18), HOSTILE: (9, 9, 1)},
        unknown_tags={HOSTILE: 2},
    )
    for day in days[:100]:
        day["models"] = {"2025.01.01-older": day["models"].pop(VERSION)}
        day["audits"] = {}
    del days[200:205]
    return days


@pytest.fixture(scope="module")
def page(year: list[dict[str, Any]]) -> Page:
    return Page(render(year, [DRIFT, UNKNOWN], TODAY))


def test_no_text_from_outside_is_markup(year: list[dict[str, Any]], page: Page) -> None:
    text = render(
        year, [DRIFT, replace(DRIFT, kind="new_tag", figure=HOSTILE, explanation=HOSTILE)], TODAY
    )
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert page.of("script") == []
    assert HOSTILE in page.text


def test_no_text_from_outside_is_obeyed_by_a_terminal() -> None:
    tag = "python\x1b[2J\x9b31m\u202e"
    days = day_files(TODAY, 30, tags={tag: (20, 20, 1)}, unknown_tags={tag: 2})
    drift = replace(DRIFT, kind="new_tag", figure=tag, explanation=tag)
    text = render(days, [drift], TODAY)
    assert not set(text) & {"\x1b", "\x9b", "\u202e"}
    assert "python\N{REPLACEMENT CHARACTER}[2J" in text


def test_the_page_loads_nothing_and_obeys_its_own_policy(page: Page) -> None:
    attributes = [each for _, found in page.elements for each in found]
    assert not {"src", "srcset", "style", "onload", "onclick"} & set(attributes)
    links = [each["href"] or "" for each in page.of("a")]
    assert links
    assert all(link.startswith("#") for link in links)
    [policy] = [
        each["content"] or ""
        for each in page.of("meta")
        if each.get("http-equiv") == "Content-Security-Policy"
    ]
    assert "default-src 'none'" in policy
    assert "url(" not in Path(render.__code__.co_filename).with_name("page.css").read_text()


def test_the_policy_allows_exactly_the_style_of_the_page(year: list[dict[str, Any]]) -> None:
    text = render(year, [], TODAY)
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src &#39;sha256-{digest}&#39;" in text or f"'sha256-{digest}'" in text


def test_every_picture_has_a_text_and_a_table(page: Page) -> None:
    pictures = [each for each in page.of("svg") if "aria-hidden" not in each]
    assert len(pictures) >= 10
    assert all(each["role"] == "img" and len(each["aria-label"] or "") > 20 for each in pictures)
    assert len(page.of("figure")) == len(pictures)
    assert len(page.of("details")) >= len(pictures)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_links_within_the_page_lead_somewhere(page: Page) -> None:
    names = {found["id"] for _, found in page.elements if found.get("id")}
    assert {(each["href"] or "")[1:] for each in page.of("a")} <= names


@pytest.mark.parametrize("days", [[], day_files(TODAY, 1, predictions=3, judged=0)])
def test_too_little_data_is_said_and_is_not_ok(days: list[dict[str, Any]]) -> None:
    text = Page(render(days, [], TODAY)).text
    assert text.count("Not enough data") >= 8
    summary = summarize(days, [], TODAY)
    assert summary["state"] == "not enough data"
    assert "nothing changed" not in summary["change"]


def test_a_year_of_data_is_ok_without_drift(year: list[dict[str, Any]]) -> None:
    summary = summarize(year, [UNKNOWN], TODAY)
    assert summary["state"] == "ok"
    assert summary["health"] == (
        "26 November 2026: 90 % of 100 predictions got a tag. "
        "The expected Jaccard index of the last seven days is 0.50."
    )
    assert summary["change"] == "Since yesterday, nothing changed by more than chance explains."
    assert summary["figures"]["sample_jaccard"]["state"] == "measured"


def test_only_what_pages_makes_the_state_drift(year: list[dict[str, Any]]) -> None:
    assert summarize(year, [DRIFT], TODAY)["state"] == "drift"
    # The questions of a service always differ from the corpus: this pages nobody.
    differs = replace(DRIFT, kind="data_drift", compared_with="release", figure="words")
    assert summarize(year, [differs], TODAY)["state"] == "ok"


def test_a_silent_service_is_missed(year: list[dict[str, Any]]) -> None:
    later = TODAY + timedelta(days=5)
    summary = summarize(year, [], later)
    assert summary["health"] == "No predictions on 01 December 2026 or the day before."
    assert summary["change"] == "Since yesterday, there were no predictions."


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({"rates": {"prediction_rate": 0.5}}, "the prediction rate fell from 90 % in the week"),
        ({"rates": {"sample_jaccard": 0.05}}, "the Jaccard index of the feedback fell from 0.50"),
        ({"unknown_tags": {"bun": 3}}, "people chose tags that nobody had chosen before (bun)"),
        ({"version": "2026.11.26-new"}, "the model 2026.11.26-new began to answer"),
    ],
)
def test_the_sentence_names_what_changed(last: dict[str, Any], expected: str) -> None:
    days = [*day_files(TODAY - timedelta(days=1), 30), day_file(TODAY, **last)]
    assert expected in summarize(days, [], TODAY)["change"]


def test_the_sentence_does_not_name_what_may_be_chance() -> None:
    last = day_file(TODAY, rates={"prediction_rate": 0.85}, unknown_tags={"bun": 1})
    days = [*day_files(TODAY - timedelta(days=1), 30), last]
    assert "nothing changed" in summarize(days, [], TODAY)["change"]


def test_the_sentence_names_new_drift_and_not_old_drift() -> None:
    days = day_files(TODAY, 30)
    assert "the tests found drift" in summarize(days, [DRIFT], TODAY)["change"]
    old = replace(DRIFT, since="2026-11-01")
    assert "nothing changed" in summarize(days, [old], TODAY)["change"]


def test_a_line_has_no_points_without_enough_data_and_no_bridge_over_gaps() -> None:
    week = timedelta(days=7)
    enough, few = mean(60, 120), mean(3, 6)
    points: list[Estimate | None] = [enough, enough, None, enough, enough, few]
    days = [TODAY - week * number for number in reversed(range(len(points)))]
    chart = line_chart("Title", "Text", days, [Line("Feedback", points, 100)])
    assert chart.svg.count("<polyline") == 2
    assert chart.svg.count('class="point') == 4
    assert chart.svg.count('class="sparse"') == 1
    assert [row[1] for row in chart.rows][2:] == [
        "no data",
        "0.50 (120)",
        "0.50 (120)",
        "not enough data (6)",
    ]


def test_the_interval_of_a_mean_contains_it() -> None:
    for total, cases in ((0, 10), (10, 10), (3.5, 10), (500, 1000)):
        estimate = mean(total, cases)
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    # Wilson's interval of 8 of 10, as in Agresti and Coull 1998.
    assert mean(8, 10)[2:] == pytest.approx((0.490, 0.943), abs=5e-4)


def test_the_outlier_score_shows_questions_of_a_new_kind() -> None:
    before = day_files(TODAY - timedelta(days=7), 90)
    same = distributions([*before, *day_files(TODAY, 7)], VERSION, TODAY)
    assert [each.outlier_score for each in same] == [0] * 6
    changed = distributions([*before, *day_files(TODAY, 7, confident_bin=2)], VERSION, TODAY)
    assert {each.title: each.outlier_score for each in changed if each.outlier_score} == {
        "Confidence of the best tag": 1.0
    }
    assert all(each.outlier_score is None for each in distributions(before, VERSION, TODAY))


def test_the_worst_tags_are_those_with_most_wrong_answers() -> None:
    tags = {"good": (50, 50, 50), "bad": (10, 10, 2), "worse": (30, 5, 1), "seldom": (1, 1, 0)}
    found = worst_tags(day_files(TODAY, 1, tags=tags), TODAY)
    assert [(each.tag, each.wrong) for each in found] == [("worse", 33), ("bad", 16), ("good", 0)]
    assert found[1].f1 == pytest.approx(0.2)


def test_a_new_tag_has_its_first_day_and_its_growth() -> None:
    days = [
        *day_files(TODAY - timedelta(days=30), 10, unknown_tags={"old": 1}),
        *day_files(TODAY, 10, unknown_tags={"old": 1, "new": 2}),
    ]
    found = {each.tag: each for each in new_tags(days, TODAY)}
    assert (found["new"].recent, found["new"].before) == (20, 0)
    assert found["new"].first_day == "2026-11-17"
    assert (found["old"].recent, found["old"].before) == (10, 10)


def test_the_same_days_give_the_same_files(tmp_path: Path, year: list[dict[str, Any]]) -> None:
    store = open_store(str(tmp_path))
    write_reports(store, year, [DRIFT], TODAY)
    first = {key: store.read(key) for key in store.list("reports/")}
    write_reports(store, list(reversed(year)), [DRIFT], TODAY)
    assert {key: store.read(key) for key in store.list("reports/")} == first
    assert set(first) == {
        "reports/2026-11-26.html",
        "reports/latest.html",
        "reports/latest.json",
    }
    short = json.loads(first["reports/latest.json"] or b"")
    assert (short["day"], short["state"]) == ("2026-11-26", "drift")
    assert short["findings"][0]["kind"] == "concept_drift"
