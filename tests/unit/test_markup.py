import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.tagger.markup import split_body


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_code_leaves_the_prose_of_html() -> None:
    body = split_body(
        "<p>Sort <em>this</em> &amp; that with <code>key</code>:</p>"
        "<pre><code>a.sort()\nb &lt; 1</code></pre><p>Why?</p>"
    )
    assert squeezed(body.prose) == "Sort this & that with : Why?"
    assert squeezed(body.code) == "key a.sort() b < 1"


def test_scripts_and_styles_are_neither() -> None:
    assert split_body("<p>a</p><script>evil()</script><style>p{}</style>") == ("a", "")


@pytest.mark.parametrize(
    ("markdown", "prose", "code"),
    [
        ("Why is `x` one?", "Why is one?", "x"),
        ("See:\n\n```python\na = 1\n\nb = 2\n```\nDone", "See: Done", "a = 1 b = 2"),
        ("See:\n\n~~~\na\n~~~", "See:", "a"),
        ("See:\n\n    a = 1\n\n    b = 2\n\nDone", "See: Done", "a = 1 b = 2"),
        ("A ``tick ` inside``", "A", "tick ` inside"),
        ("[the docs](https://example.com/x) say", "[the docs] say", ""),
        ("List<i> of vector<b>", "List<i> of vector<b>", ""),
        ("unclosed\n```\ncode", "unclosed", "code"),
    ],
)
def test_markdown(markdown: str, prose: str, code: str) -> None:
    body = split_body(markdown)
    assert (squeezed(body.prose), squeezed(body.code)) == (prose, code)


def test_the_format_can_be_named() -> None:
    assert split_body("a `b` <p>c</p>", "html").code == ""
    assert split_body("a `b` <p>c</p>", "markdown").code == "b"


@given(st.text(alphabet="<>/precodiv `~\n&;a\0\ud800", max_size=300))
def test_any_text_is_taken(text: str) -> None:
    for body_format in ("html", "markdown"):
        body = split_body(text, body_format)
        assert isinstance(body.prose + body.code, str)


@pytest.mark.parametrize(
    "hostile",
    ["`" * 65_000, "<code>" * 9_000, "<pre><code>" * 5_000, "```\n" * 16_000, "&" * 65_000],
)
def test_hostile_bodies_of_full_size_are_taken(hostile: str) -> None:
    assert isinstance(split_body(hostile).prose, str)
    assert isinstance(split_body(hostile, "html").prose, str)
