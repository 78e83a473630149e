"""Whether the confidences are true: how often tags were right that had a confidence."""

from collections.abc import Sequence

from markupsafe import Markup

from lambda_src.monitor.report.drawing import (
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    Chart,
    grid,
    not_enough_data,
    percent,
    svg,
    tick,
    y_of,
)
from lambda_src.monitor.report.estimates import Estimate


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
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    parts = [
        grid(low, high, step, percent),
        *(tick(place(share), HEIGHT - 8, percent(share)) for share in (0.25, 0.5, 0.75, 1.0)),
        Markup('<line class="ideal" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
            place(0), y_of(0, low, high), place(1), y_of(1, low, high)
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
                y_of(chosen.low, low, high),
                y_of(chosen.high, low, high),
                y_of(chosen.value, low, high),
                3 + 4 * (chosen.cases / most) ** 0.5,
                percent(confidence),
                percent(chosen.value),
                chosen.cases,
            )
        )
    if not bins:
        parts.append(not_enough_data())
    return Chart(
        title,
        text,
        svg(HEIGHT, title, text, parts),
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
