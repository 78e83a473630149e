"""How figures change over time."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final, NamedTuple

from markupsafe import Markup

from lambda_src.monitor.report.drawing import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Chart,
    grid,
    index,
    not_enough_data,
    svg,
    y_of,
)
from lambda_src.monitor.report.estimates import Estimate

_N_GRID: Final = 4
_STEPS: Final = (0.05, 0.1, 0.2, 0.25)
"""Distances of grid lines."""
_MIN_LABEL_DISTANCE: Final = 44


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
    parts = [grid(low, high, step, write), _months(days, x)]
    parts += [
        Markup(
            '<g class="mark"><line x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>'
            "<title>{3}</title></g>"
        ).format(x[mark.place], TOP, HEIGHT - BOTTOM, mark.name)
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
                y_of(point.value, low, high),
                line.name,
                days[place],
                write(point.value),
                point.cases,
            )
            for place, point in enumerate(points)
            if point
        ]
    if not any(point for points in drawn for point in points):
        parts.append(not_enough_data())
    return Chart(
        title,
        text,
        svg(HEIGHT, title, text, parts),
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


def _positions(n: int) -> list[float]:
    room = WIDTH - LEFT - RIGHT - 8
    return [LEFT + 4 + room * place / max(1, n - 1) for place in range(n)]


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
                ).format(x[place], HEIGHT - 8, name)
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
                ).format(x[place] - 3.5, HEIGHT - BOTTOM - 5, point.cases, lines[0].needed)
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
            f"{x[place]:.1f},{y_of(point.value, low, high):.1f}"
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
        upper = [f"{at:.1f},{y_of(each.high, low, high):.1f}" for at, each in found if each]
        lower = [f"{at:.1f},{y_of(each.low, low, high):.1f}" for at, each in found if each]
        parts.append(
            Markup('<polygon class="band s{}" points="{}"/>').format(
                number, " ".join([*upper, *reversed(lower)])
            )
        )
    return Markup("").join(parts)


def _cell(line: Line, place: int, write: Callable[[float], str]) -> str:
    point = line.points[place]
    if point is None:
        return "no data"
    value = write(point.value) if point.cases >= line.needed else "not enough data"
    return f"{value} ({point.cases})"
