"""Strategies for texts that are difficult for parsers, patterns, terminals and logs."""

from typing import Final

from hypothesis import strategies as st

MARKUP: Final = (
    *("<", ">", "</", "/>", "<!--", "-->", "<!", "<?", "]]>", "<![CDATA[", "&", "&amp;", "&#0;"),
    *("&#x110000;", "&lt;p&gt;", "&nbsp", "<p>", "</p>", "<pre>", "</pre>", "<code>", "</code>"),
    *("<pre><code>", "<div>", "</div>", "<ul><li>", "</li></ul>", "<table><tr><td>", "<b", "<a "),
    *('<a href="', "<p x='", "=", "<svg>", "<math>", "<template>", "<select>", "<option>", "<br>"),
    *("<script>", "</script>", "<style>", "<textarea>", "<title>", "<plaintext>", "<noscript>"),
    *("<frameset>", "<body>", "<html>", "<head>", "<form>", "<button>", "<h1>", "</h6>", "<font>"),
    *("`", "``", "```", "```\n", "~~~", "~~~~\n", "    ", "\t", "> ", "- ", "* ", "# ", "](", "["),
    *("![", "](http://", "[1]: ", "\n", "\n\n", "\r\n", "\r", "\\", "\\`", "|", "---\n", "$$"),
)
"""Pieces of HTML and Markdown, whole and broken."""
WORDS: Final = (
    *("python", "how", "to", "node.js", "asp.net-mvc", "c++", "c#", ".net", "don't", "queries"),
    *("a", "r", "a)", "b,", "c or d", "R&D", "-r", "\\n", "C:\\", "x.y.z", "a--b", "..", "'s", "_"),
    *("http://a.b/c", "www.", "://", "@", "a@b.c", "user@", "1234567890abcdef1234", "x" * 41),
    *("=>", "::", "->", "{", "}", ";", "//", "#", "$", "'''", "W1", "P2", "W", "P99999999999"),
)
"""Words, names and signs that the analyzer has rules for."""
CHARACTERS: Final = (
    *("\0", "\x01", "\x1b", "\x1b[2J", "\x7f", "\x85", "\xa0", "\u2028", "\u2029", "\ufeff"),
    *("\u200b", "\u200d", "\u202e", "\u2066", "\ufdfa", "\ufb03", "\u0301", "\u0345", "\u0958"),
    *("\u0130", "\u0131", "\u00df", "\u017f", "\u212a", "\u212b", "\u03a3", "\u03c2", "\u00b2"),
    *("\u00bd", "\u2460", "\u2167", "\u0663", "\u65e5\u672c", "\ud55c", "\U0001f469\u200d"),
    *("\ud800", "\udfff", "\U000e0001", "\U0010ffff", "\ufffe", "\u266f", "\u2122", "\u2026"),
    *("\u2019", "\u00e9", "e\u0301"),
)
"""Characters that change their length, direction or meaning, and such as are none."""
_PIECES: Final = st.sampled_from([*MARKUP, *WORDS, *CHARACTERS])
LONGEST: Final = 2_000
"""Pieces that a text repeats at most."""


def short_texts() -> st.SearchStrategy[str]:
    """Any short text: of any characters, and of pieces."""
    return st.text(max_size=60) | st.lists(_PIECES, max_size=20).map("".join)


def texts() -> st.SearchStrategy[str]:
    """Any text of a question: short, of many pieces, or some pieces many times."""
    many = st.lists(_PIECES, max_size=120)
    joined = st.builds(str.join, st.sampled_from(["", " ", "\n"]), many)
    repeated = st.builds(
        lambda before, pieces, count, after: before + "".join(pieces) * count + after,
        short_texts(),
        st.lists(_PIECES, min_size=1, max_size=4),
        st.integers(1, LONGEST),
        short_texts(),
    )
    return short_texts() | joined | repeated


def encodable(text: str) -> str:
    """Replace halves of surrogate pairs, which no request and no file can contain."""
    return text.encode(errors="replace").decode()


JSON_VALUES: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31, 2**63, -(2**63), 10**400, 1e308, -0.0, 5e-324])
    | st.floats()
    | short_texts(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(short_texts(), inner, max_size=4),
    max_leaves=8,
)
"""Any value that Python reads from JSON, infinities included."""
