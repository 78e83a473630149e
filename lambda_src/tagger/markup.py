"""Split a question's body, in HTML or Markdown, into its prose and its code."""

import re
from collections import Counter
from html import unescape
from typing import Final, Literal, NamedTuple

from selectolax.lexbor import LexborHTMLParser

StoredFormat = Literal["html", "markdown", "text"]
BodyFormat = Literal["auto", "html", "markdown", "text"]

# Every body that Stack Exchange stores begins with one of these tags.
_BLOCK_TAG = (
    r"</?(?:p|pre|ul|ol|li|hr|blockquote|div|h[1-6]|table|t[hrd]|thead|tbody|dl|section|article)"
    r"(?:\s[^<>]*)?/?>"
)
_HTML_START = re.compile(rf"\s*+(?:<!--(?:(?!-->).)*-->\s*+)*{_BLOCK_TAG}", re.I | re.S)
_HTML_LINE = re.compile(rf"^ {{0,3}}{_BLOCK_TAG}", re.I | re.M)
# b and i are not among them, because List<i> in plain text is not HTML.
_END_TAG = re.compile(r"</(?:p|pre|code|ul|ol|li|em|strong|blockquote|div|h[1-6]|a)\s*>", re.I)
_FENCE = re.compile(
    r"^ {0,3}(`{3,}+|~{3,}+)[ \t]*+([^\s`{]*+)[^\n]*\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)",
    re.M | re.S,
)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?:(?: {4}|\t)[^\n]*(?:\n|\Z)|[ \t]*\n(?= {4}|\t))+")
_INLINE_CODE = re.compile(r"(?<!`)(`{1,3})(?!`)([^\n]*?[^`\n])\1(?!`)")
# As in class="lang-rust s-code-block" and class="language-rust".
_LANGUAGE_CLASS = re.compile(r"(?<!\S)lang(?:uage)?-(\S+)")
_NO_LANGUAGE = frozenset(("none", "default", "text", "txt", "plain", "plaintext", "code"))
_LINK_TARGET = re.compile(
    r"\]\([^()\s]*(?:\s\"[^\"\n]*\")?\)|^ {0,3}\[[^\]\n]{1,200}\]:\s*\S+", re.M
)

# Exports escape Markdown, too, as if it were HTML.
_ESCAPED = re.compile(r"&(?:lt|gt|amp|quot|#39|#x27);")

# A comment, or a tag of an element that can have content (br, hr, img, ... cannot).
_COMMENT_OR_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)|<(/?)(?!(?:br|hr|img|input|link|meta|wbr|col)\b)([a-z][a-z0-9]*)"
    r"""(?:[^=>]|=(?:\s*(?:"[^"]*"|'[^']*'))?+)*+>?""",
    re.I | re.S | re.A,
)
_MAX_OPEN_ELEMENTS = 250
"""The parser's time for a start tag grows with the number of elements that are open."""
_CODE = ("code", "pre")
_NO_PROSE = (*_CODE, "script", "style")


MAX_TITLE_CHARACTERS: Final = 150
"""The longest title that Stack Exchange accepts."""


class QuestionText(NamedTuple):
    """The title and body of a question; either may be empty."""

    title: str
    body: str


class Body(NamedTuple):
    """The two kinds of text in a body."""

    prose: str
    code: str


def split_text(text: str) -> QuestionText:
    """Split a question in one text: its first line is the title, if it is short enough."""
    first_line, _, rest = text.strip().partition("\n")
    if len(first_line) > MAX_TITLE_CHARACTERS or first_line.startswith("<"):
        return QuestionText("", text)
    return QuestionText(first_line, rest)


def split_body(body: str, body_format: BodyFormat = "auto") -> Body:
    r"""Separate a body's code from its prose.

    Parameters
    ----------
    body : str
        HTML as Stack Exchange stores it, the Markdown that a person drafts in, or plain text.
    body_format : {"auto", "html", "markdown", "text"}
        ``auto`` decides as `detect_format` does. ``text`` is read as Markdown: plain text has
        indented code and backticks, too.

    Examples
    --------
    >>> split_body("<p>How to <b>sort</b>?</p><pre><code>a.sort()</code></pre>")
    Body(prose='How to  sort ?', code='\na.sort()')
    >>> split_body("Why is `x` 1?")
    Body(prose='Why is   1?', code='x')

    The language that an asker gives to a piece of code is part of the prose:

    >>> split_body("```rust\nlet x = 1;\n```")
    Body(prose='\n\nrust', code='let x = 1;\n')
    """
    if body_format == "auto":
        body_format = detect_format(body)
    return _split_html(body) if body_format == "html" else _split_markdown(body)


def detect_format(body: str) -> StoredFormat:
    r"""Decide by a body's structure whether it is HTML or Markdown.

    HTML has a block-level tag at its beginning. If it begins with text, it has no fence, and either
    a block-level tag at the beginning of a line, or an end tag and none of Markdown's code. Tags in
    Markdown's code do not count.

    Examples
    --------
    >>> detect_format("<p>Use `sed`</p>")
    'html'
    >>> detect_format("Why is this list empty?\n\n```\n<ul>\n</ul>\n```")
    'markdown'
    """
    if "<" not in body:
        return "markdown"
    if body.startswith("<p>"):  # as almost all bodies of Stack Exchange do
        return "html"
    body = body.replace("\r\n", "\n")
    if not body.startswith(("    ", "\t")) and _HTML_START.match(body):
        return "html"
    if _FENCE.search(body):
        return "markdown"
    text = _INDENTED.sub("\n", body)
    if _HTML_LINE.search(text):
        return "html"
    has_code = text != body or _INLINE_CODE.search(text)
    return "html" if not has_code and _END_TAG.search(text) else "markdown"


def _split_html(body: str) -> Body:
    tree = LexborHTMLParser(_without_deep_nesting(body))
    code: list[str] = []
    languages: list[str] = []
    lower_case = body.lower()
    for tag in _NO_PROSE:
        # Most questions have none of them, and the parser would search its whole tree.
        if f"<{tag}" not in lower_case:
            continue
        # Backwards, because removing an element frees the elements inside it: the inner ones must
        # be removed first.
        for node in reversed(tree.tags(tag)):
            if tag in _CODE:
                code.append(node.text(separator=" "))
                languages += _LANGUAGE_CLASS.findall(node.attributes.get("class") or "")
            node.decompose()
    root = tree.body
    prose = "" if root is None else root.text(separator=" ")
    return _body(prose, code[::-1], languages)


def _without_deep_nesting(html: str) -> str:
    """Remove start tags while `_MAX_OPEN_ELEMENTS` are open, which no person writes."""
    # No more elements are open than there are start tags.
    if html.count("<") <= _MAX_OPEN_ELEMENTS or not _is_nested_deeply(html):
        return html
    n_open: Counter[str] = Counter()
    total = 0

    def unless_too_deep(tag: re.Match[str]) -> str:
        nonlocal total
        if tag[2] is None:
            return tag[0]
        name = tag[2].lower()
        if tag[1]:
            closes = n_open[name] > 0
            n_open[name] -= closes
            total -= closes
        elif total == _MAX_OPEN_ELEMENTS:
            return " "
        else:
            n_open[name] += 1
            total += 1
        return tag[0]

    return _COMMENT_OR_TAG.sub(unless_too_deep, html)


def _is_nested_deeply(html: str) -> bool:
    """Whether more than `_MAX_OPEN_ELEMENTS` are open somewhere."""
    if html.count("<") - html.count("</") <= _MAX_OPEN_ELEMENTS:
        return False
    n_open: Counter[str] = Counter()
    total = 0
    for slash, tag_name in _COMMENT_OR_TAG.findall(html):
        name = tag_name.lower()
        if slash:
            closes = n_open[name] > 0
            n_open[name] -= closes
            total -= closes
        elif name:
            n_open[name] += 1
            total += 1
            if total > _MAX_OPEN_ELEMENTS:
                return True
    return False


def _split_markdown(body: str) -> Body:
    code: list[str] = []
    languages: list[str] = []

    def move_to_code(match: re.Match[str]) -> str:
        code.append(_unescaped(match[match.lastindex or 0]))
        if match.re is _FENCE:
            languages.append(match[2])
        return "\n" if "\n" in match[0] else " "

    prose = body.replace("\r\n", "\n")
    for pattern in (_FENCE, _INDENTED, _INLINE_CODE):
        prose = pattern.sub(move_to_code, prose)
    return _body(_unescaped(_LINK_TARGET.sub("] ", prose)), code, languages)


def _body(prose: str, code: list[str], languages: list[str]) -> Body:
    """Put the names of languages, which the asker gave to pieces of code, behind the prose."""
    named = [each for each in dict.fromkeys(languages) if each and each not in _NO_LANGUAGE]
    return Body("\n".join([prose, *named]), "\n".join(code))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda entity: unescape(entity[0]), text) if "&" in text else text
