"""Write dumps as Stack Exchange does."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr


def post(number: int, **changes: str) -> dict[str, str]:
    """The attributes of a question in ``Posts.xml``."""
    return {
        "Id": str(number),
        "PostTypeId": "1",
        "CreationDate": f"2026-0{1 + number % 3}-15T13:57:07.580",
        "Score": "3",
        "ViewCount": "120",
        "Body": f"<p>My list {number} isn't sorted: <code>a &lt; b</code></p>\n",
        "OwnerUserId": "7",
        "Title": f'How do I "sort" list {number}?',
        "Tags": "|python|sorting|",
        "AnswerCount": "1",
        "ContentLicense": "CC BY-SA 4.0",
    } | changes


def write_dump(path: Path, posts: Iterable[Mapping[str, str]]) -> Path:
    """Write ``Posts.xml``: one row per line, with everything in attributes."""
    with path.open("w", encoding="utf-8") as file:
        file.write('\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n')
        for each in posts:
            attributes = " ".join(
                f"{name}={quoteattr(text, {chr(10): '&#xA;', chr(13): '&#xD;'})}"
                for name, text in each.items()
            )
            file.write(f"  <row {attributes} />\n")
        file.write("</posts>\n")
    return path
