"""Charts as SVG. Each has a text alternative and a table of its numbers.

`Markup.format` escapes every value that is not markup itself. The charts have no ``style``
attributes, because the page's Content-Security-Policy allows none: classes give the colours.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final, NamedTuple

from markupsafe import Markup

from lambda_src.monitor.report.estimates import Estimate

WIDTH: Final = 480
"""Of a chart in its own units, which are about pixels on a desktop."""
_HEIGHT: Final = 230
_LEFT: Final = 44
_RIGHT: Final = 14
_TOP: Final = 12
_BOTTOM: Final = 26
_N_GRID: Final = 4
_STEPS: Final = (0.05, 0.1, 0.2, 0.25)
"""Distances of grid lines."""
_MIN_LABEL_DISTANCE: Final = 44
_BAR_HEIGHT: Final = 120
_MAX_COLUMN_NAME: Final = 6
"""Bins with longer names are rows instead of columns."""
_ROW_HEIGHT: Final = 22
_NAME_WIDTH: Final = 170
_MAX_ROW_NAME: Final = 24


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


class Line(NamedTuple):
    """The values of one figure over time."""

    name: str
    points: Sequence[Estimate | None]
    """None where there is no case at all."""
    needed: int
    """With fewer cases, a value is not drawn: there is not enough data."""

    def drawn(self) -> list[Estimate | None]:
        """Return the values with enough data."""
        return [each if each and each.cases >= self.needed else None for each in self.points]


class Mark(NamedTuple):
    """A vertical line at something that happened."""

    place: int
    name: str


def percent(value: float) -> str:
    """Write a share for people."""
    return f"{value * 100:.0f} %"


def index(value: float) -> str:
    """Write an index from 0 to 1 for people."""
    return f"{value:.2f}"


def line_chart(
    title: str,
    text: str,
    days: Sequence[date],
    lines: Sequence[Line],
    *,
    marks: Sequence[Mark] = (),
    write: Callable[[float], str] = index,
) -> Chart:
    """Draw figures over time.

    Parameters
    ----------
    title, text : str
        As in `Chart`.
    days : sequence of date
        The last day of each period, the same number as the points of each line.
    lines : sequence of Line
        At most three, drawn in colours and dashes of their own.
    marks : sequence of Mark
        What happened; `place` is an index of `days`.
    write : callable
        Writes a value.
    """
    drawn = [line.drawn() for line in lines]
    low, high, step = _scale(
        [
            bound
            for points in drawn
            for point in points
            if point
            for bound in (point.low, point.high)
        ]
    )
    x = _positions(len(days))
    parts = [_grid(low, high, step, write), _months(days, x)]
    parts += [
        Markup(
            '<g class="mark"><line x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>'
            "<title>{3}</title></g>"
        ).format(x[mark.place], _TOP, _HEIGHT - _BOTTOM, mark.name)
        for mark in marks
    ]
    parts.append(_sparse_weeks(lines, drawn, x))
    for number, points in enumerate(drawn):
        parts.append(_band(points, x, low, high, number))
    for number, (line, points) in enumerate(zip(lines, drawn, strict=True)):
        parts.append(_polyline(points, x, low, high, number))
        parts += [
            Markup(
                '<circle class="point s{}" cx="{:.1f}" cy="{:.1f}" r="2.4">'
                "<title>{}, week to {:%d %b %Y}: {} ({} cases)</title></circle>"
            ).format(
                number,
                x[place],
                _y(point.value, low, high),
                line.name,
                days[place],
                write(point.value),
                point.cases,
            )
            for place, point in enumerate(points)
            if point
        ]
    if not any(point for points in drawn for point in points):
        parts.append(_nothing())
    return Chart(
        title,
        text,
        _svg(_HEIGHT, title, text, parts),
        [(f"s{number}", line.name) for number, line in enumerate(lines)],
        ["Week to", *(f"{line.name} (cases)" for line in lines), "Event"],
        [
            [
                f"{day:%Y-%m-%d}",
                *(_cell(line, place, write) for line in lines),
                ", ".join(mark.name for mark in marks if mark.place == place),
            ]
            for place, day in enumerate(days)
        ],
    )


def calibration_chart(title: str, text: str, bins: Sequence[tuple[float, Estimate]]) -> Chart:
    """Draw how often tags were right that had a confidence.

    Parameters
    ----------
    title, text : str
        As in `Chart`.
    bins : sequence of (float, Estimate)
        The mean confidence of each bin, and the share of its tags that were chosen.
    """
    low, high, step = 0.0, 1.0, 0.25
    most = max((each.cases for _, each in bins), default=1)

    def place(share: float) -> float:
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    parts = [
        _grid(low, high, step, percent),
        *(_tick(place(share), _HEIGHT - 8, percent(share)) for share in (0.25, 0.5, 0.75, 1.0)),
        Markup('<line class="ideal" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
            place(0), _y(0, low, high), place(1), _y(1, low, high)
        ),
    ]
    for confidence, chosen in bins:
        parts.append(
            Markup(
                '<line class="whisker" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>'
                '<circle class="point s0" cx="{0:.1f}" cy="{3:.1f}" r="{4:.1f}">'
                "<title>Confidence {5}: {6} of {7} tags were chosen</title></circle>"
            ).format(
                place(confidence),
                _y(chosen.low, low, high),
                _y(chosen.high, low, high),
                _y(chosen.value, low, high),
                3 + 4 * (chosen.cases / most) ** 0.5,
                percent(confidence),
                percent(chosen.value),
                chosen.cases,
            )
        )
    if not bins:
        parts.append(_nothing())
    return Chart(
        title,
        text,
        _svg(_HEIGHT, title, text, parts),
        [("s0", "Chosen, by confidence"), ("ideal", "Perfectly calibrated")],
        ["Mean confidence", "Chosen", "95 % interval", "Suggested tags"],
        [
            [
                percent(confidence),
                percent(chosen.value),
                f"{percent(chosen.low)} to {percent(chosen.high)}",
                str(chosen.cases),
            ]
            for confidence, chosen in bins
        ],
    )


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
        _svg(height, title, text, parts),
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
        parts.append(_tick(left + slot * 0.48, _BAR_HEIGHT - 5, name))
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


def _svg(height: int, title: str, text: str, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}. {}">{}</svg>').format(
        WIDTH, height, title, text, Markup("").join(parts)
    )


def _scale(values: Sequence[float]) -> tuple[float, float, float]:
    """Choose the ends of the vertical axis and the distance of its grid lines."""
    if not values:
        return 0.0, 1.0, 0.25
    low, high = min(values), max(values)
    for step in _STEPS:
        bottom = max(0.0, int(low / step) * step)
        top = min(1.0, -int(-high / step - 1e-9) * step + step * (high % step > 0))
        if (top - bottom) / step <= _N_GRID + 1e-9 and top > bottom:
            return bottom, top, step
    return 0.0, 1.0, 0.25


def _y(value: float, low: float, high: float) -> float:
    share = (min(max(value, low), high) - low) / (high - low)
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)


def _positions(n: int) -> list[float]:
    room = WIDTH - _LEFT - _RIGHT - 8
    return [_LEFT + 4 + room * place / max(1, n - 1) for place in range(n)]


def _grid(low: float, high: float, step: float, write: Callable[[float], str]) -> Markup:
    parts = []
    for number in range(round((high - low) / step) + 1):
        value = low + number * step
        y = _y(value, low, high)
        parts.append(
            Markup(
                '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
                '<text class="tick" text-anchor="end" x="{}" y="{:.1f}">{}</text>'
            ).format(_LEFT, WIDTH - _RIGHT, y, y, _LEFT - 6, y + 4, write(value))
        )
    return Markup("").join(parts)


def _tick(x: float, y: float, text: str) -> Markup:
    return Markup('<text class="tick" text-anchor="middle" x="{:.1f}" y="{}">{}</text>').format(
        x, y, text
    )


def _months(days: Sequence[date], x: Sequence[float]) -> Markup:
    parts = []
    last = -float(_MIN_LABEL_DISTANCE)
    for place in range(1, len(days)):
        day = days[place]
        is_new = (day.year, day.month) != (days[place - 1].year, days[place - 1].month)
        fits = x[place] - last >= _MIN_LABEL_DISTANCE and x[place] < WIDTH - 30
        if is_new and fits:
            last = x[place]
            name = f"{day:%b}" if day.month > 1 else f"{day:%b %Y}"
            parts.append(
                Markup(
                    '<text class="tick" text-anchor="middle" x="{:.1f}" y="{}">{}</text>'
                ).format(x[place], _HEIGHT - 8, name)
            )
    return Markup("").join(parts)


def _sparse_weeks(
    lines: Sequence[Line], drawn: Sequence[Sequence[Estimate | None]], x: Sequence[float]
) -> Markup:
    """Mark the weeks of which there is some data for the first line, but not enough."""
    parts = []
    for place, (point, enough) in enumerate(zip(lines[0].points, drawn[0], strict=True)):
        if point and not enough:
            parts.append(
                Markup(
                    '<rect class="sparse" x="{:.1f}" y="{}" width="7" height="5">'
                    "<title>Not enough data: {} of {} cases</title></rect>"
                ).format(x[place] - 3.5, _HEIGHT - _BOTTOM - 5, point.cases, lines[0].needed)
            )
    return Markup("").join(parts)


def _runs(points: Sequence[Estimate | None]) -> list[list[int]]:
    """Return the indices of neighbouring points: a line does not cross a gap."""
    runs: list[list[int]] = [[]]
    for place, point in enumerate(points):
        if point:
            runs[-1].append(place)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _polyline(
    points: Sequence[Estimate | None], x: Sequence[float], low: float, high: float, number: int
) -> Markup:
    parts = []
    for run in _runs(points):
        path = " ".join(
            f"{x[place]:.1f},{_y(point.value, low, high):.1f}"
            for place in run
            if (point := points[place])
        )
        parts.append(Markup('<polyline class="line s{}" points="{}"/>').format(number, path))
    return Markup("").join(parts)


def _band(
    points: Sequence[Estimate | None], x: Sequence[float], low: float, high: float, number: int
) -> Markup:
    parts = []
    for run in _runs(points):
        found = [(x[place], points[place]) for place in run]
        upper = [f"{at:.1f},{_y(each.high, low, high):.1f}" for at, each in found if each]
        lower = [f"{at:.1f},{_y(each.low, low, high):.1f}" for at, each in found if each]
        parts.append(
            Markup('<polygon class="band s{}" points="{}"/>').format(
                number, " ".join([*upper, *reversed(lower)])
            )
        )
    return Markup("").join(parts)


def _nothing() -> Markup:
    return Markup(
        '<text class="nothing" text-anchor="middle" x="{}" y="{}">Not enough data</text>'
    ).format(WIDTH / 2 + 15, _HEIGHT / 2)


def _cell(line: Line, place: int, write: Callable[[float], str]) -> str:
    point = line.points[place]
    if point is None:
        return "no data"
    value = write(point.value) if point.cases >= line.needed else "not enough data"
    return f"{value} ({point.cases})"
