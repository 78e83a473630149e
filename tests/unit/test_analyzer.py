import pytest

from lambda_src.tagger.analyzer import analyze, stem, terms


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
        assert word in analyze(sentence).title.sequence


def test_parts_of_compound_words_are_terms_too() -> None:
    words = analyze("asp.net-mvc routes").title
    assert words.sequence == ["asp.net-mvc", "rout"]
    assert set(words.parts) == {"asp", "net", "mvc"}


def test_fields_are_kept_apart() -> None:
    words = analyze("A title", "<p>Some prose</p><pre><code>some_code()</code></pre>")
    assert words.title.sequence == ["a", "titl"]
    assert words.prose.sequence == ["som", "pros"]
    assert words.code.sequence == ["some_code"]


def test_html_and_markdown_give_the_same_words() -> None:
    html = "<p>Use <code>map</code> here</p>\n\n<pre><code>map(f, xs)\n</code></pre>\n"
    markdown = "Use `map` here\n\n    map(f, xs)\n"
    assert analyze("", html).prose == analyze("", markdown).prose
    assert sorted(analyze("", html).code.sequence) == sorted(analyze("", markdown).code.sequence)


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
    found = analyze("mail jane.roe@mail.example or see https://example.com/secret?token=1").title
    assert found.sequence == ["mail", "or", "see"]


def test_annotations_are_words() -> None:
    assert "autowir" in analyze("@Autowired fails").title.sequence


def test_terms_are_words_parts_and_pairs() -> None:
    assert terms(analyze("left join in t-sql").title) == [
        *("left", "join", "in", "t-sql"),
        *("t", "sql"),
        *("left join", "join in", "in t-sql"),
    ]


@pytest.mark.parametrize(
    "hostile",
    ["a." * 30_000, "." * 65_000, "@" * 65_000, "a" * 65_000, "a@" * 30_000, "-a" * 30_000],
)
def test_hostile_texts_give_no_long_words(hostile: str) -> None:
    words = analyze(hostile).title
    assert all(len(word) <= 40 for word in words.sequence + words.parts)
