import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.tagger.markup import detect_format, split_body


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
        ("See:\n\n```python\na = 1\n\nb = 2\n```\nDone", "See: Done python", "a = 1 b = 2"),
        ("```text\na\n```\n~~~ go title=x\nb\n~~~\n```go\nc\n```", "go", "a b c"),
        ("``` {.r}\na\n```", "", "a"),
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


@pytest.mark.parametrize(
    ("attributes", "language"),
    [
        ("class='lang-rust s-code-block'", "rust"),
        ("class='hljs language-c++'", "c++"),
        ("class='lang-none'", ""),
        ("class='slang-x'", ""),
        ("class", ""),
    ],
)
def test_the_language_of_code_in_html_is_prose(attributes: str, language: str) -> None:
    body = split_body(f"<p>See:</p><pre {attributes}><code>a = 1</code></pre>")
    assert (squeezed(body.prose), squeezed(body.code)) == (f"See: {language}".strip(), "a = 1")


@pytest.mark.parametrize(
    ("body", "body_format"),
    [
        ("<p>Use `sed` here</p>", "html"),
        ("\n <div>\n\n    <p>a</p>\n</div>", "html"),
        ("<pre><code>```\na\n```</code></pre>", "html"),
        ("<!-- language: c -->\n<pre><code>a</code></pre>", "html"),
        ("Hello,\n<p>Use <code>x</code> and `y`</p>", "html"),
        ("Use <code>x</code> here", "html"),
        ('See <a href="x">the docs</a>', "html"),
        ("<HR>\ntext", "html"),
        ("", "markdown"),
        ("plain text, a < b and b > c", "markdown"),
        ("List<i> of vector<b>", "markdown"),
        ("Why?\n\n```html\n<p>a</p>\n```", "markdown"),
        ("Why?\n\n~~~\n<li>a</li>\n~~~\n", "markdown"),
        ("Why?\r\n\r\n```\r\n<ul>\r\n</ul>\r\n```", "markdown"),
        ("```\n<p>without end", "markdown"),
        ("Why?\n\n    <ul>\n      <li>a</li>\n    </ul>", "markdown"),
        ("    <div>\n    </div>\n\nWhy?", "markdown"),
        ("Use `<p>a</p>` here", "markdown"),
        ("a <b>bold</b> word<br>and `code`", "markdown"),
        ("one<br>two", "markdown"),
        ("```\n&lt;p&gt;a&lt;/p&gt;\n```", "markdown"),
        ("see <a name>", "markdown"),
    ],
)
def test_the_structure_decides_the_format(body: str, body_format: str) -> None:
    assert detect_format(body) == body_format


def test_escaped_code_of_markdown_is_unescaped() -> None:
    body = split_body("a &lt; b\n\n```\nx =&gt; &quot;y&#39; &amp;&amp; &nbsp;\n```\n`a &amp; b`")
    assert squeezed(body.prose) == "a < b"
    assert squeezed(body.code) == "x => \"y' && &nbsp; a & b"


def test_the_format_can_be_named() -> None:
    assert split_body("a `b` <p>c</p>", "html").code == ""
    assert split_body("a `b` <p>c</p>", "markdown").code == "b"


@given(st.text(alphabet="<>/precodiv `~\n&;a\0\ud800", max_size=300))
def test_any_text_is_taken(text: str) -> None:
    for body_format in ("html", "markdown"):
        body = split_body(text, body_format)
        assert isinstance(body.prose + body.code, str)


@pytest.mark.parametrize("start", ["<div>", "<ul><li>", '<ul x="</ul>">', "<div><!--</div>-->"])
def test_deep_nesting_changes_no_word(start: str) -> None:
    body = split_body(f"{start * 2000}<p>sort</p><pre><code>a.sort()</code></pre>", "html")
    assert squeezed(f"{body.prose} {body.code}") == "sort a.sort()"


@pytest.mark.parametrize(
    ("before", "code"),
    [
        ("<p>a</p>" * 499, "last"),
        ("<p>a</p>" * 499 + "<br>", "last"),
        ("<p>a</p>" * 500, ""),
        ('<i title="</i>">' * 499, "last"),
        ('<i title="</i>">' * 500, ""),
    ],
)
def test_the_tags_behind_very_many_others_are_removed_without_their_text(
    before: str, code: str
) -> None:
    """Of HTML, 1,000 tags are read."""
    body = split_body(f"{before}<code>last</code>", "html")
    assert body.code.strip() == code
    assert code or body.prose.strip().endswith("last")


def test_no_more_html_is_read_than_the_limit() -> None:
    text = "a " * 19_995 + "<p>bcdefghijk"
    assert squeezed(split_body(text, "html").prose) == squeezed("a " * 19_995 + "bcdefgh")


def test_the_beginning_decides_the_format() -> None:
    assert detect_format("Why is it empty?\n<p>" + "a" * 9_990 + "\n```\nb\n```") == "html"
    assert detect_format("Why is it empty?\n<p>" + "a" * 9_000 + "\n```\nb\n```") == "markdown"


def test_no_more_markdown_is_read_than_stack_exchange_accepts() -> None:
    assert split_body("a" * 29_992 + " `b` cdefg") == ("a" * 29_992 + "   cde", "b")


def test_of_many_pieces_of_code_the_first_are_code() -> None:
    assert split_body("`a` " * 1_000 + "`b` `c`").code == "\n".join("a" * 1_000)
    assert split_body("`a` " * 999 + "`b`").code.endswith("a\nb")


@pytest.mark.parametrize(
    "hostile",
    ["`" * 65_000, "<code>" * 9_000, "<pre><code>" * 5_000, "```\n" * 16_000, "&" * 65_000],
)
def test_hostile_bodies_of_full_size_are_taken(hostile: str) -> None:
    assert isinstance(split_body(hostile).prose, str)
    assert isinstance(split_body(hostile, "html").prose, str)
