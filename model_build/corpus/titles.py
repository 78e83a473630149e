"""Decide whether a source has HTML-escaped a title.

The Stack Exchange API escapes titles: its reader undoes that. Other files do not say whether they
do. A title of theirs is decoded only where all of this holds:

- It has no ``"``, ``'``, ``<``, ``>`` or bare ``&``: a source that escapes leaves none.
- A reference stands where the character itself would: ``&quot;word&quot;``, ``don&#39;t``,
  ``List&lt;String&gt;``, ``R&amp;D``.
- It does not speak of escaping: ``How do I escape &lt;b&gt;?`` stays as it is.

So ``What does &nbsp; mean?`` and ``Replace &amp; with &`` stay as they are, too.
"""

import html
import re

_REFERENCE = r"&(?:quot|amp|lt|gt|apos|nbsp|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});"
_UNESCAPED = re.compile(rf"[\"'<>]|&(?!{_REFERENCE[1:]})")
_QUOTE = "&(?:quot|#34|#x22);"
_APOSTROPHE = "&(?:apos|#0?39|#x27);"
_IN_PLACE = re.compile(
    rf"(?<!\w){_QUOTE}(?=[^\s&])(?:(?!{_QUOTE}).)+?(?<=\S){_QUOTE}(?!\w)"
    rf"|\w{_APOSTROPHE}\w"
    rf"|(?<!\w){_APOSTROPHE}(?=[^\s&])(?:(?!{_APOSTROPHE}).)+?(?<=\S){_APOSTROPHE}(?!\w)"
    r"|&lt;/?\w[^&]*&gt;"
    r"|\b[A-Z]&amp;[A-Z]\b"
)
_ABOUT_ESCAPING = re.compile(r"escap|entit|encod|decod|htmlspecialchars", re.IGNORECASE)


def decode_title(title: str) -> str:
    """Undo a title's HTML escaping where it is sure; see the module."""
    if "&" not in title or _UNESCAPED.search(title) or _ABOUT_ESCAPING.search(title):
        return title
    return html.unescape(title) if _IN_PLACE.search(title) else title
