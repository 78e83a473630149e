"""Write the figures of docs/starter.md from the manifest of the starter bundle.

``python -m model_build.starter_page`` replaces what is between the two markers of the page.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lambda_src.tagger import read_bundle
from model_build.errors import UserError

ROOT: Final = Path(__file__).resolve().parents[1]
STARTER: Final = ROOT / "model_build" / "starter" / "starter.safetensors"
PAGE: Final = ROOT / "docs" / "starter.md"
START: Final = "<!-- figures: python -m model_build.starter_page -->"
END: Final = "<!-- end of the figures -->"

_OF_KINDS: Final = {
    "sample_jaccard": "sample Jaccard",
    "precision_at_1": "precision at 1",
    "recall_at_5": "recall at 5",
    "selective_precision_at_1": "precision at 1 of the surest 65 %",
    "prediction_rate": "prediction rate",
    "ece": "expected calibration error",
}
_OF_YEARS: Final = {
    "sample_jaccard": "Sample Jaccard",
    "precision_at_1": "P@1",
    "recall_at_5": "R@5",
    "ece": "ECE",
}
_NEXT_KIND: Final = {"rare": 50, "middle": 200}
"""The uses from which on a tag is of the next kind."""


class StarterPageError(UserError):
    """The page has no place for the figures; the message names the markers."""


def figures(manifest: Mapping[str, Any]) -> str:
    """Format the figures of a manifest as Markdown tables.

    Parameters
    ----------
    manifest : mapping
        The manifest of a bundle; ``quality`` is described in `model_build.model_card`.
    """
    quality = manifest["quality"]
    kinds, years = quality["questions"], quality["years"]
    header = [f"{each['questions']:,} questions: {each['kind']}" for each in kinds]
    of_kinds = [
        [title, *("{:.3f} ({:.3f} to {:.3f})".format(*each[name]) for each in kinds)]
        for name, title in _OF_KINDS.items()
    ]
    of_tags = [
        [
            _uses(each["kind"], each["least_uses"]),
            f"{each['tags']:,}",
            f"{each['precision']:.3f}",
            f"{each['recall']:.3f}",
        ]
        for each in quality["tags"]
    ]
    of_years = [
        [
            str(each["year"]),
            f"{each['questions']:,}",
            *(f"{each[name][0]:.3f}" for name in _OF_YEARS),
        ]
        for each in years
    ]
    return "\n".join(
        [
            *_table(["", *header], of_kinds),
            "",
            *_table(["Tags", "How many", "Precision", "Recall"], of_tags),
            "",
            "Titles and whole questions by year:",
            "",
            *_table(["Year", "Questions", *_OF_YEARS.values()], of_years),
        ]
    )


def with_figures(page: str, manifest: Mapping[str, Any]) -> str:
    """Replace the figures of a page.

    Raises
    ------
    StarterPageError
        The page does not have both markers, in their order.
    """
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise StarterPageError(
            f"{PAGE}: write the lines '{START}' and '{END}' where the figures belong."
        )
    return f"{before}{START}\n\n{figures(manifest)}\n\n{END}{after}"


def _uses(kind: str, least: int) -> str:
    following = _NEXT_KIND.get(kind)
    if not least:
        return f"{kind}: fewer than {following} uses"
    return f"{kind}: {least} to {following - 1}" if following else f"{kind}: {least} or more"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Format a table as the pages of docs/ have them: without padding."""
    lines = [f"| {' | '.join(cells)} |" for cells in (header, *rows)]
    lines[0] = lines[0].replace("|  |", "| |", 1)
    return [lines[0], "|---" * len(header) + "|", *lines[1:]]


def main() -> None:
    """Write the page anew."""
    manifest = read_bundle(STARTER).manifest
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_figures(page, manifest), encoding="utf-8")


if __name__ == "__main__":
    main()
