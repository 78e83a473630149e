"""The table of scripts/releases."""

from scripts.releasing.function import Function
from scripts.shared.tables import table

_HEADER = ("Version", "Model", "Bundle", "Image", "Published", "State", "Figures")
_SHOWN_DIGITS = 12


def listing(function: Function) -> str:
    """Format the published versions as Lambda describes them, newest first."""
    live = function.live()
    rows = []
    for version in function.versions():
        mark = {live.shifting_to: " (canary)", live.version: " (live)"}.get(version.number, "")
        figures = {name: value for name, value in version.facts.items() if name != "model"}
        rows.append(
            [
                f"{version.number}{mark}",
                version.facts.get("model", "?"),
                version.model_sha256[:_SHOWN_DIGITS],
                function.image(version.number).digest[:_SHOWN_DIGITS],
                version.published[:16].replace("T", " "),
                function.state(version.number),
                " ".join(f"{name}={value}" for name, value in figures.items()),
            ]
        )
    written = table(_HEADER, rows)
    return f"{written}\n\nlive is {live.pin}" if live.pin else written
