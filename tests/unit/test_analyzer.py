import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_src.tagger.analyzer import (
    cut,
    fields_of,
    normalize,
    pairs,
    stem,
    tokenize,
    words,
    words_in,
)


@pytest.mark.parametrize(
    "word",
    [
        "c++",
        "c#",
        ".net",
        "node.js",
        "asp.net-mvc",
        "objective-c",
        "f#",
        "vue.js",
        "utf-8",
        "asp.net",
        "d3.js",
        "x86-64",
    ],
)
def test_technical_words_stay_whole(word: str) -> None:
    for sentence in (word, f"why does {word}, like others, fail?", f"({word.upper()})."):
        assert word in words(tokenize(sentence).title)


def test_parts_of_compound_words_are_words_too() -> None:
    assert normalize("asp.net-mvc") == ("asp.net-mvc", ("asp", "net", "mvc"))
    assert words(["asp.net-mvc", "routes"]) == ["asp.net-mvc", "rout", "asp", "net", "mvc"]


def test_only_the_beginning_of_a_long_field_is_read() -> None:
    text = " ".join(f"word{number}" for number in range(1000))
    assert tokenize(text, text).prose == tokenize(text, text, unlimited=True).prose[:400]
    assert len(cut(fields_of(text, text)).title) == 400
    assert tokenize(text, unlimited=True).title == text.split()


def test_fields_are_kept_apart() -> None:
    tokens = tokenize("A title", "<p>Some prose</p><pre><code>some_code()</code></pre>")
    assert tokens == (["a", "title"], ["some", "prose"], ["some_code"])


def test_html_and_markdown_give_the_same_words() -> None:
    html = "<p>Use <code>map</code> here</p>\n\n<pre><code>map(f, xs)\n</code></pre>\n"
    markdown = "Use `map` here\n\n    map(f, xs)\n"
    assert tokenize("", html).prose == tokenize("", markdown).prose
    assert sorted(tokenize("", html).code) == sorted(tokenize("", markdown).code)


@pytest.mark.parametrize(
    "group",
    [
        ("merge", "merging", "merged", "merges"),
        ("query", "queries"),
        ("class", "classes"),
        ("stop", "stopped", "stopping"),
        ("dictionary", "dictionaries"),
    ],
)
def test_stems_join_the_forms_of_a_word(group: tuple[str, ...]) -> None:
    assert len({stem(word) for word in group}) == 1


@pytest.mark.parametrize("name", ["css", "ios", "redis", "xs", "utf-8", "c++", "bus", "aws"])
def test_stems_leave_names_alone(name: str) -> None:
    assert stem(name) == name


def test_addresses_are_no_words() -> None:
    found = tokenize("mail jane.roe@mail.example or see https://example.com/secret?token=1").title
    assert found == ["mail", "or", "see"]


@pytest.mark.parametrize(
    "secret",
    [
        "AKIA1234EXAMPLE5678X",
        "ghp_a1b2c3d4e5f6a7b8c9d0",
        "4111111111111111",
        "9f86d081884c7d659a2feaa0",
    ],
)
def test_what_looks_like_a_secret_is_no_word(secret: str) -> None:
    assert not [word for word in words(tokenize(f"my key {secret}").title) if len(word) > 14]


def test_annotations_are_words() -> None:
    assert tokenize("@Autowired fails").title == ["autowired", "fails"]


def test_neighbouring_whole_words_make_pairs() -> None:
    assert pairs(["left", "join", "in", "t-sql"]) == ["left join", "join in", "in t-sql"]
    assert pairs(["left", "x" * 41, "join"]) == []
    assert pairs(["alone"]) == pairs([]) == []


@pytest.mark.parametrize(
    "hostile",
    ["a." * 30_000, "." * 65_000, "@" * 65_000, "a" * 65_000, "a@" * 30_000, "-a" * 30_000],
)
def test_hostile_texts_give_no_long_words(hostile: str) -> None:
    assert all(len(word) <= 40 for word in words(tokenize(hostile).title))


@given(st.text() | st.text(alphabet="aB1 .-_'\u2019+#@:/\n(é)"))
@example("foo.bar, (C++/c#) -x- .NET ..net www.a.b a@b.c --a__b__ it's #a a+b c++11")
def test_the_words_of_pieces_are_those_of_the_text(text: str) -> None:
    pieces, tokens = cut(fields_of(text)).title, tokenize(text).title
    assert [word for piece in pieces for word in words_in(piece)] == tokens
    assert all(words_in(token) == [token] for token in tokens)
