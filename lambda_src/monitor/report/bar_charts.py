"""Shares as bars: two distributions side by side, and how near an alarm is."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from lambda_src.monitor.report.drawing import WIDTH, Chart, percent, svg, tick

_BAR_HEIGHT: Final = 120
_MAX_COLUMN_NAME: Final = 6
"""Bins with longer names are rows instead of columns."""
_ROW_HEIGHT: Final = 22
_NAME_WIDTH: Final = 170
_MAX_ROW_NAME: Final = 24


def before_and_after(
    title: str, text: str, names: Sequence[str], before: Sequence[float], after: Sequence[float]
) -> Chart:
    """Draw two distributions over the same bins, side by side.

    Parameters
    ----------
    title, text : str
        As in `Chart`.
    names : sequence of str
        Of the bins.
    before, after : sequence of float
        The share of each bin.
    """
    draw = _columns if max(map(len, names)) <= _MAX_COLUMN_NAME else _rows_of_bars
    height, parts = draw(names, before, after, max(*before, *after, 0.01))
    return Chart(
        title,
        text,
        svg(height, title, text, parts),
        [("before", "Before"), ("after", "Now")],
        ["Bin", "Before", "Now"],
        [
            [name, percent(one), percent(other)]
            for name, one, other in zip(names, before, after, strict=True)
        ],
    )


def _columns(
    names: Sequence[str], before: Sequence[float], after: Sequence[float], most: float
) -> tuple[int, list[Markup]]:
    bottom = _BAR_HEIGHT - 20
    slot = (WIDTH - 8) / len(names)
    width = slot * 0.38
    parts = []
    for place, (name, *shares) in enumerate(zip(names, before, after, strict=True)):
        left = 4 + place * slot
        for number, share in enumerate(shares):
            height = (bottom - 6) * share / most
            x = left + slot * 0.1 + number * width
            parts.append(_bar(number, (x, bottom - height, width, height), name, share))
        parts.append(tick(left + slot * 0.48, _BAR_HEIGHT - 5, name))
    axis = Markup('<line class="axis" x1="4" x2="{}" y1="{}" y2="{}"/>')
    return _BAR_HEIGHT, [*parts, axis.format(WIDTH - 4, bottom, bottom)]


def _rows_of_bars(
    names: Sequence[str], before: Sequence[float], after: Sequence[float], most: float
) -> tuple[int, list[Markup]]:
    parts = []
    for place, (name, *shares) in enumerate(zip(names, before, after, strict=True)):
        top = place * _ROW_HEIGHT
        is_long = len(name) > _MAX_ROW_NAME
        shown = f"{name[: _MAX_ROW_NAME - 3]}..." if is_long else name
        parts.append(
            Markup('<text class="tick" text-anchor="end" x="{}" y="{}">{}</text>').format(
                _NAME_WIDTH - 8, top + _ROW_HEIGHT / 2 + 4, shown
            )
        )
        for number, share in enumerate(shares):
            width = (WIDTH - _NAME_WIDTH - 4) * share / most
            box = (_NAME_WIDTH, top + 3 + number * 8, width, 8)
            parts.append(_bar(number, box, name, share))
    return len(names) * _ROW_HEIGHT, parts


def _bar(number: int, box: tuple[float, float, float, float], name: str, share: float) -> Markup:
    """Draw the first (before) or the second (now) bar of a bin; the box is x, y and the sizes."""
    return Markup(
        '<rect class="bar {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
        "<title>{}, {}: {}</title></rect>"
    ).format(
        ("before", "after")[number],
        *box,
        name,
        ("before", "now")[number],
        percent(share),
    )


def meter(share: float) -> Markup:
    """Draw a bar from 0 to 1, which is full where an alarm is raised."""
    width = 100 * min(1.0, max(0.0, share))
    return Markup(
        '<svg class="meter" viewBox="0 0 100 8" aria-hidden="true">'
        '<rect class="track" width="100" height="8" rx="4"/>'
        '<rect class="{}" width="{:.1f}" height="8" rx="4"/></svg>'
    ).format("full" if share >= 1 else "part", width)
