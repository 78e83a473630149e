"""The tables and the main figures of `scripts/bench drift`."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, Final

from scripts.shared.tables import table

_KINDS: Final = {
    "data_drift": "sudden data drift",
    "slow_drift and label_shift": "weekly tests",
    "concept_drift": "concept drift",
    "model_drift": "model drift",
    "new_tag": "new tags",
}


def headline(figures: Mapping[str, Any]) -> dict[str, float | None]:
    """Give the main figures: of all pools, the worst.

    The delay of a sudden change is that of a service for one site, when it gets the questions of
    another one: of the other sites, the one that takes longest.
    """
    pools = figures["pools"]
    false_alarms = [pool["false_alarms"] for pool in pools.values()]
    home = pools[figures["sites"][0]]
    return {
        "weekly_false_alarm_rate": max(each["rate"] for each in false_alarms),
        "weekly_false_alarm_upper95": max(each["upper95"] for each in false_alarms),
        "yearly_false_alarm_rate": max(pool["year"]["rate"] for pool in pools.values()),
        "delay_sudden_predictions": _longest(home["sudden"].values()),
        "delay_concept_feedbacks": _longest(pool["permuted"] for pool in pools.values()),
        "delay_new_tag_feedbacks": _longest(pool["new_tag"] for pool in pools.values()),
        "power_label_shift": min(pool["label_shift"]["power"] for pool in pools.values()),
        "power_time_shift": figures["time"].get("power"),
    }


def _longest(found: Any) -> float | None:
    """Give the longest 90th percentile; None if one in ten changes is not found."""
    p90s = [each["p90"] for each in found]
    return None if None in p90s else max(p90s)


def report(figures: Mapping[str, Any]) -> str:
    """Write all tables."""
    pools = figures["pools"]
    parts = [
        f"{figures['questions']} questions of live traffic.",
        "Quiet weeks with an alarm",
        _false_alarms(pools),
        "Observations from a change to the alarm",
        _delays(pools),
        "Whole weeks",
        _powers(figures),
        "Simpler detectors of our own, and others with their defaults",
        _peers(figures),
    ]
    return "\n\n".join(parts)


def _false_alarms(pools: Mapping[str, Any]) -> str:
    rows = []
    for name, pool in pools.items():
        for what, of_time in (("redrawn", pool["false_alarms"]), ("a year", pool["year"])):
            rows.append(
                [
                    f"{name}, {what}",
                    str(of_time["services"]),
                    str(of_time["weeks"]),
                    *(str(of_time.get(kind, "-")) for kind in _KINDS),
                    f"{of_time['weeks_with_alarm']} ({of_time['rate']:.2%})",
                    f"{of_time['upper95']:.2%}",
                    str(of_time["services_with_alarm"]),
                ]
            )
    header = ["Questions", "Services", "Weeks", *_KINDS.values()]
    return table([*header, "Any alarm", "Upper 95 %", "Services with one"], rows)


def _delays(pools: Mapping[str, Any]) -> str:
    rows = []
    for name, pool in pools.items():
        for site, found in pool["sudden"].items():
            rows.append([f"{name} -> {site}", "predictions", *_cells(found)])
        permuted = pool["permuted"]
        touched = f"{name}, 20 tags permuted ({permuted['touched']:.0%} of the questions)"
        rows.append([touched, "feedbacks", *_cells(permuted)])
        rows.append([f"{name}, a new tag in 5 %", "feedbacks", *_cells(pool["new_tag"])])
    return table(["Change", "Counted in", "Median", "p90", "p99", "Found"], rows)


def _cells(found: Mapping[str, Any]) -> list[str]:
    delays = ["never" if found[name] is None else f"{found[name]:.0f}" for name in _PERCENTILES]
    return [*delays, f"{found['found']:.1%}"]


_PERCENTILES: Final = ("median", "p90", "p99")


def _powers(figures: Mapping[str, Any]) -> str:
    rows = []
    for name, pool in figures["pools"].items():
        shift = pool["label_shift"]
        what = f"{name}, 20 tags three times as likely ({shift['touched']:.0%} of the questions)"
        rows.append([what, f"{shift['power']:.1%}"])
        rows += [
            [
                f"{name} -> {site}: alarm of concept drift in 600 feedbacks "
                f"(mean Jaccard {found['mean_jaccard']:.2f})",
                f"{found['concept_alarms']:.1%}",
            ]
            for site, found in pool["sudden"].items()
        ]
    time = figures["time"]
    if time:
        (_, *old), (_, *new) = time["oldest"], time["newest"]
        what = f"{time['site']}, {old[0]} to {old[1]} -> {new[0]} to {new[1]}"
        rows.append([what, f"{time['power']:.1%}"])
        ordered = time["ordered"]
        what = f"{time['site']} in real order, from {ordered['newer_from']}: evidence / limit of "
        rows += [
            [what + kind.removesuffix("_evidence"), f"{ordered[kind]:.2g}"]
            for kind in ordered
            if kind.endswith("_evidence")
        ]
    return table(["Change", "Found"], rows)


def _peers(figures: Mapping[str, Any]) -> str:
    home, first, *_ = figures["sites"]
    rows = []
    for name, pool in figures["pools"].items():
        weeks = pool["false_alarms"]["weeks"]
        rows += [
            [detector, name, f"{n_alarms} of {weeks}", "-"]
            for detector, n_alarms in pool["simpler"].items()
        ]
    for peer in figures["peers"]:
        if "delays" in peer:
            found = [f"{change} {_median(delays)}" for change, delays in peer["delays"].items()]
        else:
            found = [f"{first} in {peer['found_weeks']} of {peer['changed_weeks']} weeks"]
        watched = f"{home}, {peer['figure']}"
        false_weeks = f"{peer['false_weeks']} of {peer['weeks']}"
        rows.append([peer["name"], watched, false_weeks, ", ".join(found)])
    return table(["Detector", "Watches", "False weeks", "Median delay after the change to"], rows)


def _median(delays: Sequence[int | None]) -> str:
    reached = sorted(inf if delay is None else delay for delay in delays)
    median = reached[len(reached) // 2]
    return "never" if median == inf else f"{median:.0f}"
