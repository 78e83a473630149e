from collections.abc import Callable, Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_src.tagger.analyzer import (
    fields_of,
    normalize,
    pairs,
    signals_in,
    tokenize,
    tokens_of,
    without_stray_letters,
    words,
    words_in,
)
from lambda_src.tagger.model import RankerChoice
from lambda_src.tagger.rules import (
    MAIL_ADDRESS,
    MAIL_SIGN,
    MAX_TOKENS_PER_FIELD,
    SIGNAL_NAMES,
)
from lambda_src.tagger.stemmer import stem
from tests.golden.results import found_terms
from tests.golden.synthetic import make_bundle
from tests.golden.texts import Text

Find = Callable[..., set[str]]


@pytest.fixture
def find(ranker: RankerChoice) -> Find:
    """Find which of some words are in a text, with each implementation of the ranker."""

    def found(known: Iterable[str], title: str, body: str = "") -> set[str]:
        terms = found_terms(Text(title, body), make_bundle([*known]), ranker)
        names = (term.split(": ", 1)[1] for term in terms)
        return {name for name in names if " " not in name} & {*known}

    return found


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
def test_technical_words_stay_whole(find: Find, word: str) -> None:
    for sentence in (word, f"why does {word}, like others, fail?", f"({word.upper()})."):
        assert word in words(tokenize(sentence).title)
        assert find({word}, sentence) == {word}


def test_parts_of_compound_words_are_words_too(find: Find) -> None:
    assert normalize("asp.net-mvc") == ("asp.net-mvc", ("asp", "net", "mvc"))
    expected = ["asp.net-mvc", "rout", "asp", "net", "mvc"]
    assert words(["asp.net-mvc", "routes"]) == expected
    assert find(expected, "asp.net-mvc routes") == set(expected)


def test_only_the_beginning_of_a_long_field_is_read(find: Find) -> None:
    text = " ".join(f"word{number}" for number in range(1000))
    assert tokenize(text, text).prose == tokenize(text, text, unlimited=True).prose[:400]
    assert len(tokenize(text, text).title) == 400
    assert tokenize(text, unlimited=True).title == text.split()
    assert find({"word399", "word400"}, text) == find({"word399", "word400"}, "", text)
    assert find({"word399", "word400"}, text) == {"word399"}


def test_fields_are_kept_apart() -> None:
    tokens = tokenize("A title", "<p>Some prose</p><pre><code>some_code()</code></pre>")
    assert tokens[:3] == (["a", "title"], ["some", "prose"], ["some_code"])


def test_html_and_markdown_give_the_same_words() -> None:
    html = "<p>Use <code>map</code> here</p>\n\n<pre><code>map(f, xs)\n</code></pre>\n"
    markdown = "Use `map` here\n\n    map(f, xs)\n"
    assert tokenize("", html).prose == tokenize("", markdown).prose
    assert sorted(tokenize("", html).code) == sorted(tokenize("", markdown).code)


@pytest.mark.parametrize(
    ("stemmed", "forms"),
    [
        ("merg", "merge merging merged merges"),
        ("query", "query queries"),
        ("class", "class classes"),
        ("stop", "stop stopped stopping"),
        ("dictionary", "dictionary dictionaries"),
        ("call", "call called calling calls"),
        ("buzz", "buzz buzzed buzzing buzzes"),
    ],
)
def test_stems_join_the_forms_of_a_word(find: Find, stemmed: str, forms: str) -> None:
    for word in forms.split():
        assert stem(word) == stemmed
        assert find({stemmed}, word) == {stemmed}


@pytest.mark.parametrize("name", ["css", "ios", "redis", "xs", "utf-8", "c++", "bus", "aws"])
def test_stems_leave_names_alone(find: Find, name: str) -> None:
    assert stem(name) == name
    assert find({name}, name) == {name}


def test_addresses_are_not_words(find: Find) -> None:
    text = "mail jane.roe@mail.example or see https://example.com/secret?token=1"
    assert tokenize(text).title == ["mail", "or", "see"]
    assert find({"mail", "or", "see", "secret", "jan", "token"}, text) == {"mail", "or", "see"}


@pytest.mark.parametrize(
    "secret",
    [
        "AKIA1234EXAMPLE5678X",
        "ghp_a1b2c3d4e5f6a7b8c9d0",
        "4111111111111111",
        "9f86d081884c7d659a2feaa0",
    ],
)
def test_what_looks_like_a_secret_is_not_a_word(find: Find, secret: str) -> None:
    assert not [word for word in words(tokenize(f"my key {secret}").title) if len(word) > 14]
    assert find({secret.lower(), "key"}, f"my key {secret}") == {"key"}


def test_the_longest_word_has_forty_characters(find: Find) -> None:
    for length, is_word in ((40, True), (41, False)):
        for word in ("q" * length, "q1" * (length // 2) + "q" * (length % 2), "é" * length):
            # So many digits look like a secret.
            expected = is_word and not any(character.isdigit() for character in word)
            assert find({word}, word) == ({word} if expected else set())


@pytest.mark.parametrize(
    "text",
    [
        r"remove \r\n and \d+",
        "grep -r, ls -R",
        "R&D, r & d",
        "C & A",
        "a, b, and c or d",
        "c or d",
        "options b) c) d)",
        "(c) or (d)",
        r"on C:\Temp or d:/x",
        "r.id of x.c, and t_d",
        "objective-c",
    ],
)
def test_stray_letters_are_no_words(find: Find, text: str) -> None:
    assert not {*words(tokenize(text).title)} & {*"bcdr"}
    assert find("bcdr", text) == set()
    assert find("bcdr", "", text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "C vs R",
        "C and C++",
        "R or Python",
        "in C, how do I sort",
        "C/C++",
        "using R, plot",
        "in R, I see a list",
        "c or a list",
        "is C: good",
        "pointer in c.",
    ],
)
def test_single_letters_name_languages(find: Find, text: str) -> None:
    expected = {*text.lower().replace(":", " ").replace(".", "").replace("/", " ").split()}
    expected = {word.strip(",") for word in expected} & {"c", "r"}
    assert find("cr", text) == expected != set()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Pythonでリストの", ["python", "でリストの"]),
        ("使用c++编程", ["使用", "c++", "编程"]),
        ("파이썬C#코드", ["파이썬", "c#", "코드"]),
        ("\uff23\uff03 C\u266f", ["c#", "c#"]),
        ("py\u200bthon wait\u2026now java\u2122", ["python", "wait", "now", "java"]),
        ("re\u0301sume\u0301", ["résumé"]),
    ],
)
def test_other_forms_of_characters_are_the_same_words(text: str, tokens: list[str]) -> None:
    assert tokenize(text).title == tokens


def test_western_texts_are_normalized_as_other_texts_are() -> None:
    """The encoding has a faster way; a character of another alphabet at the end prevents it."""
    western = [bytes([code]).decode("cp1252", "ignore") for code in range(256)]
    texts = [f"{one}{other}a{other}" for one in western for other in western[128:]]
    assert [fields_of(each).title for each in texts] == [
        fields_of(f"{each} \u0436").title.removesuffix(" \u0436") for each in texts
    ]


@given(st.text(alphabet="ab@. \n\u2028(é_-+)"))
def test_every_mail_address_has_its_sign(text: str) -> None:
    assert MAIL_SIGN.search(text) or not MAIL_ADDRESS.search(text)


def test_one_chunk_has_no_more_tokens_than_a_field() -> None:
    for chunk in ("a+" * 5_000, "é·" * 5_000):
        assert len(tokenize(chunk).title) == MAX_TOKENS_PER_FIELD
        assert len(tokenize(chunk, unlimited=True).title) == 5_000


@pytest.mark.parametrize("character", ["\ufdfa", "\u0316\u0301", "\u3392"])
def test_normalization_keeps_long_texts_bounded(character: str) -> None:
    assert len(fields_of(character * 30_000).title) <= 6 * 30_000


@pytest.mark.parametrize(
    ("code", "signals"),
    [
        ("x <- f %>% g", {"<-", "%>%"}),
        ("$a->b = 1;", {"$", "->", "=", ";", "^$", ";$"}),
        ("#include", {"#", "^#"}),
        ("  }  \n", {"^}", "}$"}),
        (">>> f()", {">>>", "()", "^>>>_", ")$"}),
        ("=>" * 3_000, {"=>", ">$"}),
        ("x" * 4_000 + ";", set()),
    ],
)
def test_operators_and_sigils_of_code_are_signals(find: Find, code: str, signals: set[str]) -> None:
    assert set(signals_in(code)) == signals
    escaped = code.replace("<", "&lt;").replace(">", "&gt;")
    assert find(SIGNAL_NAMES, "", f"<pre>{escaped}</pre>") == signals


def test_annotations_are_words(find: Find) -> None:
    assert tokenize("@Autowired fails").title == ["autowired", "fails"]
    assert find({"autowir"}, "@Autowired fails") == {"autowir"}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("AutoResetEvents", ["~auto", "~reset", "~event"]),
        ("NSString", ["~ns", "~string"]),
        ("iPhone", ["~i", "~phon"]),
        ("getURL", ["~get", "~url"]),
        ("System.IO.FileInfo_x", ["~fil", "~info"]),
        ("Utf8Reader", []),
        ("getURLs", ["~get", "~url"]),
        ("PDFs", []),
        ("HTML", []),
        ("Java", []),
        ("parse", []),
        ("JavaScript's", ["~java", "~script"]),
    ],
)
def test_names_in_camel_case_have_parts(find: Find, name: str, parts: list[str]) -> None:
    assert tokenize(f"why {name} fails").camel_parts == parts
    assert tokenize("", f"why {name} fails").camel_parts == []
    assert find({"~auto", *parts}, f"why {name} fails") == {*parts}


def test_parts_in_camel_case_are_no_other_words(find: Find) -> None:
    known = {"java", "~java", "script", "~script"}
    assert find(known, "JavaScript loop") == {"~java", "~script"}
    assert find(known, "java-script loop") == {"java", "script"}


def test_neighbouring_whole_words_make_pairs() -> None:
    assert pairs(["left", "join", "in", "t-sql"]) == ["left join", "join in", "in t-sql"]
    assert pairs(["left", "x" * 41, "join"]) == []
    assert pairs(["alone"]) == pairs([]) == []


@pytest.mark.parametrize(
    "hostile",
    ["a." * 30_000, "." * 65_000, "@" * 65_000, "a" * 65_000, "a@" * 30_000, "-a" * 30_000],
)
def test_hostile_texts_give_no_long_words(find: Find, hostile: str) -> None:
    assert all(len(word) <= 40 for word in words(tokenize(hostile).title))
    assert find({"a"}, hostile) <= {"a"}


def test_long_tokens_do_not_fill_the_memory() -> None:
    token = "ab" * 30_000
    assert normalize(token) == ("", ())
    # A cache would give the same object again.
    assert normalize(token) is not normalize(token)


@given(st.text() | st.text(alphabet="aB1 .-_'\u2019+#@:/\n(é)"))
@example("foo.bar, (C++/c#) -x- .NET ..net www.a.b a@b.c --a__b__ it's #a a+b c++11")
def test_no_token_crosses_a_separator(text: str) -> None:
    question = fields_of(text)
    tokens = tokens_of(question, unlimited=True).title
    assert tokens == words_in(without_stray_letters(question.title))
    assert all(words_in(token) == [token] for token in tokens)


LONG = "x" * 15


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG} " * 397 + "a, b and c, d " + f"{LONG} " * 500,
        f"{LONG} " * 399 + "e\u0301 R&D " + f"{LONG} " * 500,
        "www.abc " * 300 + "python " * 1_000,
        f"{LONG}," * 1_000,
        " " * 3_000 + "python " * 1_000,
        "\u4e2d\u6587python " * 2_000,
    ],
)
def test_of_a_long_text_only_the_beginning_is_prepared_with_the_same_tokens(text: str) -> None:
    beginning, whole = fields_of(text), fields_of(text, unlimited=True)
    assert whole.title.startswith(beginning.title)
    assert tokens_of(beginning) == tokens_of(whole)


@pytest.mark.parametrize("space", [" ", "\n", "\r\n"])
def test_no_word_is_cut_in_two(space: str) -> None:
    for indent in range(11, 19):
        line = f"{' ' * indent}javascript{space}"
        code = tokenize("", f"```\n{line * 600}```", "markdown").code
        assert set(code) == {"javascript"}


@pytest.mark.parametrize("long", ["\u03c2_" * 30_000, "a" * 60_000, "a." * 30_000])
def test_of_a_text_without_spaces_no_more_is_prepared_than_a_field_may_have(long: str) -> None:
    assert fields_of(long).title == fields_of(long, unlimited=True).title[:8_000]


def test_the_time_for_a_long_text_does_not_depend_on_what_is_not_read() -> None:
    text = f"{LONG} " * 1_000
    assert fields_of(text * 50).title == fields_of(text).title
    assert signals_in(fields_of("", f"<pre>{'=> ' * 30_000}</pre>", "html").code)
