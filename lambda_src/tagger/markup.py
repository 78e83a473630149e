"""Split a question's body, in HTML or Markdown, into its prose and its code."""

import re
from typing import Final, Literal, NamedTuple

from selectolax.lexbor import LexborHTMLParser

StoredFormat = Literal["html", "markdown", "text"]
BodyFormat = Literal["auto", "html", "markdown", "text"]

# Every body that Stack Exchange stores begins with one of these tags.
_BLOCK_TAG = (
    r"</?(?:p|pre|ul|ol|li|hr|blockquote|div|h[1-6]|table|t[hrd]|thead|tbody|dl|section|article)"
    r"(?:\s[^<>]*)?/?>"
)
_HTML_START = re.compile(rf"\s*+{_BLOCK_TAG}", re.I)
_COMMENT_START = re.compile(r"\s*+<!--")
_HTML_LINE = re.compile(rf"^ {{0,3}}{_BLOCK_TAG}", re.I | re.M)
# b and i are not among them, because List<i> in plain text is not HTML.
_END_TAG = re.compile(r"</(?:p|pre|code|ul|ol|li|em|strong|blockquote|div|h[1-6]|a)\s*>", re.I)
_FENCE = re.compile(
    r"^ {0,3}(`{3,}+|~{3,}+)[ \t]*+([^\s`{]*+)[^\n]*\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)",
    re.M | re.S,
)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?:(?: {4}|\t)[^\n]*(?:\n|\Z)|[ \t]*\n(?= {4}|\t))+")
# It begins with the sign itself, because a character is found faster than a lookbehind.
_INLINE_CODE = re.compile(r"(`(?<!``)`{0,2})(?!`)([^\n]*?[^`\n])\1(?!`)")
# As in class="lang-rust s-code-block" and class="language-rust".
_LANGUAGE_CLASS = re.compile(r"(?<!\S)lang(?:uage)?-(\S+)")
_NO_LANGUAGE = frozenset(("none", "default", "text", "txt", "plain", "plaintext", "code"))
_LINK_TARGET = re.compile(r"\]\([^()\s]*(?:\s\"[^\"\n]*\")?\)")
_LINK_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]{1,200}\]:\s*\S+", re.M)

# Exports escape Markdown, too, as if it were HTML. The ampersand is last, so that nothing is
# unescaped twice.
_ESCAPED = (
    *(("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&#x27;", "'")),
    ("&amp;", "&"),
)

_COMMENT_OR_TAG = re.compile(
    r"""<(?:!--.*?(?:-->|\Z)|/?[a-z](?:[^"'>]++|"[^"]*"|'[^']*')*+>?)""", re.I | re.S | re.A
)
_MAX_TAGS = 1_000
"""Real bodies have fewer tags. The parser's time for a tag grows with the depth of its nesting."""
_CODE = ("code", "pre")
_NO_PROSE = tuple((tag, f"<{tag}") for tag in (*_CODE, "script", "style"))


MAX_TITLE_CHARACTERS: Final = 150
"""The longest title that Stack Exchange accepts."""
MAX_MARKDOWN_CHARACTERS: Final = 30_000
"""The longest body that Stack Exchange accepts, in Markdown. No more of a body is read."""
_DECISIVE_CHARACTERS = 10_000
"""The beginning shows the format. To look for tags and code in more text takes time."""
_MAX_HTML_CHARACTERS = 40_000
"""No more of a body in HTML is read. It is more than of Markdown, because HTML has tags."""
_MAX_CODE_PIECES = 1_000
"""Of each kind of code in Markdown; real bodies have fewer."""


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
    body = body[:_DECISIVE_CHARACTERS].replace("\r\n", "\n")
    is_indented = body.startswith(("    ", "\t"))
    if not is_indented and _HTML_START.match(body, _end_of_first_comments(body)):
        return "html"
    if _may_have_fences(body) and _FENCE.search(body):
        return "markdown"
    text = _INDENTED.sub("\n", body) if _may_have_indented_lines(body) else body
    if _HTML_LINE.search(text):
        return "html"
    has_code = text != body or _INLINE_CODE.search(text)
    return "html" if not has_code and _END_TAG.search(text) else "markdown"


def _end_of_first_comments(html: str) -> int:
    place = 0
    while comment := _COMMENT_START.match(html, place):
        end = html.find("-->", comment.end())
        if end < 0:
            break
        place = end + len("-->")
    return place


def _split_html(body: str) -> Body:
    body = body[:_MAX_HTML_CHARACTERS]
    tree = LexborHTMLParser(_with_few_tags(body))
    code: list[str] = []
    languages: list[str] = []
    lower_case = body.lower()
    names_languages = "lang" in lower_case
    for tag, beginning in _NO_PROSE:
        # Most questions have none of them, and the parser would search its whole tree.
        if beginning not in lower_case:
            continue
        # Backwards, because removing an element frees the elements inside it: the inner ones must
        # be removed first.
        for node in reversed(tree.tags(tag)):
            if tag in _CODE:
                code.append(node.text(separator=" "))
                if names_languages:
                    languages += _LANGUAGE_CLASS.findall(node.attributes.get("class") or "")
            node.decompose()
    root = tree.body
    prose = "" if root is None else root.text(separator=" ")
    return _body(prose, code[::-1], languages)


def _with_few_tags(html: str) -> str:
    """Remove the tags behind the first `_MAX_TAGS`, but no text."""
    if html.count("<") <= _MAX_TAGS:
        return html
    *beginning, rest = html.split("<", _MAX_TAGS + 1)
    return "<".join(beginning) + _COMMENT_OR_TAG.sub(" ", f"<{rest}")


def _split_markdown(body: str) -> Body:
    code: list[str] = []
    languages: list[str] = []

    def move_to_code(match: re.Match[str]) -> str:
        code.append(_unescaped(match[match.lastindex or 0]))
        if match.re is _FENCE:
            languages.append(match[2])
        return "\n" if "\n" in match[0] else " "

    prose = body[:MAX_MARKDOWN_CHARACTERS].replace("\r\n", "\n")
    if _may_have_fences(prose):
        prose = _FENCE.sub(move_to_code, prose, count=_MAX_CODE_PIECES)
    if _may_have_indented_lines(prose):
        prose = _INDENTED.sub(move_to_code, prose, count=_MAX_CODE_PIECES)
    prose = _INLINE_CODE.sub(move_to_code, prose, count=_MAX_CODE_PIECES)
    return _body(_unescaped(_without_link_targets(prose)), code, languages)


# Some patterns are slow in many short lines. Most texts can be recognized without them.


def _may_have_fences(text: str) -> bool:
    return "```" in text or "~~~" in text


def _may_have_indented_lines(text: str) -> bool:
    return "    " in text or "\t" in text


def _without_link_targets(text: str) -> str:
    text = _LINK_TARGET.sub("] ", text)
    return _LINK_DEFINITION.sub("] ", text) if "]:" in text else text


def _body(prose: str, code: list[str], languages: list[str]) -> Body:
    """Put the names of languages, which the asker gave to pieces of code, behind the prose."""
    named = [each for each in dict.fromkeys(languages) if each and each not in _NO_LANGUAGE]
    return Body("\n".join([prose, *named]), "\n".join(code))


def _unescaped(text: str) -> str:
    if "&" in text:
        for entity, character in _ESCAPED:
            text = text.replace(entity, character)
    return text
