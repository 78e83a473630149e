"""What all charts of the report share: their sizes, axes and numbers.

Each chart has a text alternative and a table of its numbers. `Markup.format` escapes every value
that is not markup itself. The charts have no ``style`` attributes, because the page's
Content-Security-Policy allows none: classes give the colours.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

WIDTH: Final = 480
"""Of a chart in its own units, which are about pixels on a desktop."""
HEIGHT: Final = 230
LEFT: Final = 44
RIGHT: Final = 14
BOTTOM: Final = 26
TOP: Final = 12


class Chart(NamedTuple):
    """A picture with everything that people need who cannot see it."""

    title: str
    text: str
    """What the picture shows, in a sentence."""
    svg: Markup
    legend: Sequence[tuple[str, str]]
    """The CSS class and the name of each line or bar."""
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def percent(value: float) -> str:
    """Write a share for people."""
    return f"{value * 100:.0f} %"


def index(value: float) -> str:
    """Write an index from 0 to 1 for people."""
    return f"{value:.2f}"


def svg(height: int, title: str, text: str, parts: Sequence[Markup]) -> Markup:
    """Draw a picture of a height, with its text alternative."""
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}. {}">{}</svg>').format(
        WIDTH, height, title, text, Markup("").join(parts)
    )


def y_of(value: float, low: float, high: float) -> float:
    """Return the vertical place of a value on an axis from `low` to `high`."""
    share = (min(max(value, low), high) - low) / (high - low)
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


def grid(low: float, high: float, step: float, write: Callable[[float], str]) -> Markup:
    """Draw horizontal lines, and write their values beside them."""
    parts = []
    for number in range(round((high - low) / step) + 1):
        value = low + number * step
        y = y_of(value, low, high)
        parts.append(
            Markup(
                '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
                '<text class="tick" text-anchor="end" x="{}" y="{:.1f}">{}</text>'
            ).format(LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, write(value))
        )
    return Markup("").join(parts)


def tick(x: float, y: float, text: str) -> Markup:
    """Write a short text, centred at a place."""
    return Markup('<text class="tick" text-anchor="middle" x="{:.1f}" y="{}">{}</text>').format(
        x, y, text
    )


def not_enough_data() -> Markup:
    """Say in the middle of a chart that it has no data."""
    return Markup(
        '<text class="nothing" text-anchor="middle" x="{}" y="{}">Not enough data</text>'
    ).format(WIDTH / 2 + 15, HEIGHT / 2)
