from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_build.corpus.titles import decode_title
from model_build.values import (
    BadQuestionError,
    parse_date,
    parse_tags,
    parse_text,
    parse_whole_number,
    parse_year_end,
)

MOMENT = datetime(2016, 3, 1, 13, 57, 7)
TAG = st.from_regex(r"\.?[a-z0-9][a-z0-9+#.-]{0,20}", fullmatch=True)


@pytest.mark.parametrize(
    "value",
    [
        ["python", "list"],
        ("python", "list"),
        ["Python", " list ", "python"],
        "<python><list>",
        "<python>, <list>",
        "&lt;python&gt;&lt;list&gt;",
        "&amp;lt;python&amp;gt;&amp;lt;list&amp;gt;",
        "|python|list|",
        "python list",
        "python,list",
        "python, list,",
        "python;list",
        "python; list",
        "['python', 'list']",
        '["python", "list"]',
        "['python' 'list']",  # as NumPy prints an array
        "['python'\n 'list']",
        "('python', 'list')",
        "[python, list]",
        "[python list]",
        "{python,list}",
        '{"python",list}',
        "{'python', 'list'}",
        '"python,list"',
        b"<python><list>",
    ],
)
def test_tags_are_read_from_every_notation(value: object) -> None:
    assert parse_tags(value) == ("python", "list")


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("<c&#43;&#43;><.net>", ("c++", ".net")),
        ("c&#43;&#43;", ("c++",)),
        (["c&#43;&#43;"], ("c++",)),
        ("c# f#", ("c#", "f#")),
        ("('python',)", ("python",)),
        ("<null>", ("null",)),
        ('["null", "nan"]', ("null", "nan")),
        ("{'null','java'}", ("null", "java")),
        ("|данные|", ("данные",)),
    ],
)
def test_unusual_tags_are_kept(value: object, tags: tuple[str, ...]) -> None:
    assert parse_tags(value) == tags


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "  ", [], "<>", "[]", "{}", "||", "nan", "NULL", "<NA>", r"\N", float("nan")),
        *(3, 3.5, True, {"python": 1}, MOMENT, [3], [["a"]], [{"name": "a"}], [True]),
        *(["a", None], ["a", ""], ["a", float("nan")], "['a', None]", '["a", null]', "{a,NULL}"),
        *("['a', nan]", "['a'", "{a,b", "[a, 'b]", '[["a"]]', '{"a": 1}', "[1, 2]"),
        *("<a><b", "<a>b<c>", "a><b", "machine learning, python", "a,b;c", "a/b", "a=b", "a(b)"),
        *(["<a>"], ["x" * 65], ["two words"], ["'a'"], ["\ud800"], ["#a"], ["-"], ["..."]),
        *("http://example.org/a", "x = {1, 2}", "[" * 5_000),
    ],
)
def test_impossible_tags_are_refused(value: object) -> None:
    with pytest.raises(BadQuestionError):
        parse_tags(value)


@given(st.lists(TAG, min_size=1, max_size=6, unique=True))
def test_all_notations_of_the_same_tags_agree(tags: list[str]) -> None:
    expected = tuple(tags)
    assert parse_tags(tags) == expected
    assert parse_tags("".join(f"<{tag}>" for tag in tags)) == expected
    assert parse_tags("".join(f"&lt;{tag}&gt;" for tag in tags)) == expected
    assert parse_tags("|" + "|".join(tags) + "|") == expected
    assert parse_tags(str(tags)) == expected
    assert parse_tags(str(tags).replace("'", '"')) == expected
    assert parse_tags(str(tags).replace(",", "")) == expected
    assert parse_tags("{" + ",".join(f'"{tag}"' for tag in tags) + "}") == expected


@given(st.one_of(st.text(), st.lists(st.one_of(st.text(), st.none(), st.integers()))))
def test_what_is_taken_for_tags_are_tags(value: object) -> None:
    try:
        tags = parse_tags(value)
    except BadQuestionError:
        return
    assert tags
    for tag in tags:
        assert tag == tag.lower()
        assert not set(tag) & set(" \t\n<>[]{}()|,;'\"&=/\\")
        assert any(map(str.isalnum, tag))


@pytest.mark.parametrize(
    "value",
    [
        "2016-03-01 13:57:07",
        " 2016-03-01T13:57:07 ",
        "2016-03-01T13:57:07Z",
        "2016-03-01 13:57:07 UTC",
        "2016-03-01 13:57:07 GMT",
        "2016-03-01 13:57:07 +0000",
        "2016-03-01T14:57:07+01:00",
        "2016-03-01 14:57:07 +01:00",
        "20160301T135707",
        1456840627,
        1456840627.0,
        1456840627000,
        1456840627000000,
        1456840627000000000,
        "1456840627",
        "1456840627.0",
        "1456840627000",
        "1.456840627e9",
        Decimal(1456840627),
        MOMENT.replace(tzinfo=UTC),
        datetime(2016, 3, 1, 14, 57, 7, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_dates_are_read_from_every_notation(value: object) -> None:
    assert parse_date(value, "creation_date") == MOMENT


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2016-03-01 13:57:07.580 UTC", MOMENT.replace(microsecond=580_000)),
        ("2016-03-01T13:57:07.5800000", MOMENT.replace(microsecond=580_000)),
        ("2016-03-01T13:57:07.123456789Z", MOMENT.replace(microsecond=123_456)),
        (1456840627580, MOMENT.replace(microsecond=580_000)),
        (1456840627123456789, MOMENT.replace(microsecond=123_457)),
        ("2016-03-01", datetime(2016, 3, 1)),
        (date(2016, 3, 1), datetime(2016, 3, 1)),
        ("20160301", datetime(2016, 3, 1)),
        (20160301, datetime(2016, 3, 1)),
        *((missing, None) for missing in (None, "", " ", "NaT", "null", r"\N", float("nan"))),
    ],
)
def test_dates_of_other_precision(value: object, moment: datetime | None) -> None:
    assert parse_date(value, "creation_date") == moment


@pytest.mark.parametrize(
    "value",
    [
        *("01/03/2016", "1.3.2016", "3/1/16 1:57 PM", "2016/03/01", "March 1, 2016", "yesterday"),
        *("Tue, 01 Mar 2016 13:57:07 GMT", "2016", 2016, "2016-02-30", "01032016", "10121312"),
        *("9" * 30, 10**30, -1, 0, float("inf"), True, [2016], "0001-01-01T00:00:00+05:00"),
        *("1e99", "٢٠١٦٠٣٠١", "2016-03-01 UTC UTC"),
    ],
)
def test_a_date_with_another_reading_is_refused(value: object) -> None:
    with pytest.raises(BadQuestionError, match="creation_date is not an ISO 8601 date such as"):
        parse_date(value, "creation_date")


@given(st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1)))
def test_all_notations_of_the_same_moment_agree(moment: datetime) -> None:
    assert parse_date(moment, "d") == moment
    for text in (moment.isoformat(), str(moment), f"{moment} UTC", f"{moment.isoformat()}Z"):
        assert parse_date(text, "d") == moment
    microseconds = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    for number in (microseconds, microseconds * 1000):
        assert parse_date(number, "d") == moment
        assert parse_date(str(number), "d") == moment


@given(st.one_of(st.text(), st.integers(), st.floats(), st.decimals(), st.datetimes(), st.dates()))
def test_any_value_is_a_date_or_refused(value: object) -> None:
    try:
        moment = parse_date(value, "d")
    except BadQuestionError:
        return
    assert moment is None or moment.tzinfo is None


def test_a_year_stands_for_its_last_day() -> None:
    assert parse_year_end("2016", "y") == parse_year_end(2016.0, "y") == datetime(2016, 12, 31)
    assert parse_year_end("", "y") is None
    for value in ("16", "20166", "0000", "last"):
        with pytest.raises(BadQuestionError, match="y is not a year"):
            parse_year_end(value, "y")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((7, 7), ("7", 7), (" 7 ", 7), ("7.0", 7), (7.0, 7), (Decimal("7.0"), 7), ("-3", -3)),
        *((2**63 - 1, 2**63 - 1), (str(2**53 + 1), 2**53 + 1), (-(2**63), -(2**63))),
        *((None, None), ("", None), ("NULL", None), ("nan", None), (float("nan"), None)),
    ],
)
def test_whole_numbers_are_exact(value: object, number: int | None) -> None:
    assert parse_whole_number(value, "id") == number


@pytest.mark.parametrize(
    "value",
    [
        *("many", "1,200", "1_200", "7.5", 7.5, True, [1], float("inf"), Decimal("Infinity")),
        *(2**63, str(2**63), "9" * 5_000, 1e300, Decimal("NaN"), "٣", "0x10"),
    ],
)
def test_other_numbers_are_refused(value: object) -> None:
    with pytest.raises(BadQuestionError, match=r"^id "):
        parse_whole_number(value, "id")


def test_a_text_is_valid_unicode() -> None:
    assert parse_text(None, "title") == parse_text(float("nan"), "title") == ""
    assert parse_text("é".encode(), "title") == "é"
    for value in ("\ud800", b"\xff", 7, ["a"]):
        with pytest.raises(BadQuestionError, match=r"^title is not"):
            parse_text(value, "title")


@pytest.mark.parametrize(
    ("title", "decoded"),
    [
        ("What does &quot;yield&quot; do?", 'What does "yield" do?'),
        ("Why doesn&#39;t this work?", "Why doesn't this work?"),
        ("Sort a List&lt;String&gt; &amp; print it", "Sort a List<String> & print it"),
        ("Center a &lt;div&gt; in a page", "Center a <div> in a page"),
        ("&#39;NoneType&#39; object is not callable", "'NoneType' object is not callable"),
        ("Is R&amp;D worth it?", "Is R&D worth it?"),
        ("Caf&#233; isn&#39;t sorted", "Café isn't sorted"),
    ],
)
def test_an_escaped_title_is_decoded(title: str, decoded: str) -> None:
    assert decode_title(title) == decoded


@pytest.mark.parametrize(
    "title",
    [
        "What does &nbsp; mean?",
        "How do I escape &lt;b&gt; in XML?",
        "json_encode gives &quot;name&quot; in the page",
        "Replace &amp; with & in a string",
        'Why is " shown as &quot;x&quot;?',
        "Difference between &lt; and &gt;",
        "Turn &#234; into a letter",
        "AT&T and R&D",
        "a && b",
        "Which HTML entities stand for &quot;quotes&quot;?",
    ],
)
def test_a_title_about_references_stays_as_it_is(title: str) -> None:
    assert decode_title(title) == title
