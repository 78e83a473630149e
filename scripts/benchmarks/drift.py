"""False alarms and delays of the drift detectors, on the answers to real questions.

A model is trained on a random half of the questions; its answers to the other half are the
traffic. Services draw a live baseline and quiet weeks from it, and at the end of every quiet time
there is a change: a detector that is always silent does not look perfect.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np

from lambda_src.monitor.drift.baseline import Baseline
from model_build.features import NotEnoughQuestionsError
from scripts.benchmarks.drift_peers import measure_peers
from scripts.benchmarks.drift_plots import draw_plots
from scripts.benchmarks.drift_pool import Pool, time_ordered
from scripts.benchmarks.drift_report import headline, report
from scripts.benchmarks.drift_traffic import Traffic, load
from scripts.benchmarks.options import add_corpus_options

ALL_SITES: Final = "all sites"
MIN_SITE_QUESTIONS: Final = 1_000
"""A site with fewer questions in the traffic is too small to draw weeks from."""
_YEAR_SERVICES: Final = 40
_OLDEST_UNTIL: Final = 1 / 3
_NEWEST_FROM: Final = 4 / 5
"""The time shift is from the oldest third of the dated questions to the newest fifth."""


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scripts/bench drift`."""
    add_corpus_options(command)
    command.add_argument(
        "--baselines",
        type=int,
        default=200,
        help="number of redrawn baselines for each pool of questions (default: %(default)s)",
    )
    command.add_argument(
        "--weeks", type=int, default=10, help="quiet weeks of each baseline (default: %(default)s)"
    )
    command.add_argument(
        "--jobs",
        type=int,
        default=-1,
        help="number of processes of the training; -1 for one per processor (default: %(default)s)",
    )
    command.add_argument(
        "--plots", type=Path, metavar="FOLDER", help="also draw the delays, as SVG files"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Simulate, print tables, and return the figures."""
    release, traffic = load(options.questions, options.min_tag_count, options.seed, options.jobs)
    figures = measure(release, traffic, options.baselines, options.weeks, options.seed)
    home, *others = figures["sites"]
    figures["peers"] = measure_peers(
        traffic.of_site(home),
        {site: traffic.of_site(site) for site in others},
        options.weeks,
        options.seed,
    )
    print(report(figures))
    if options.plots:
        draw_plots(figures, options.plots)
    return {**headline(figures), **figures}


def measure(
    release: Baseline, traffic: Traffic, n_services: int, n_weeks: int, seed: int
) -> dict[str, Any]:
    """Measure the monitor's detectors.

    Parameters
    ----------
    release : Baseline
    traffic : Traffic
    n_services, n_weeks : int
        See `Pool`.
    seed : int

    Raises
    ------
    NotEnoughQuestionsError
        There are not two sites with enough questions.
    """
    sites = [
        site
        for site, n_questions in Counter(traffic.sites.tolist()).most_common()
        if n_questions >= MIN_SITE_QUESTIONS
    ]
    if len(sites) < 2:
        raise NotEnoughQuestionsError(
            f"Drift needs two sites with {2 * MIN_SITE_QUESTIONS} questions each. Add more files."
        )
    of_site = {site: traffic.of_site(site) for site in sites}
    home = sites[0]
    pools = {}
    for number, name in enumerate((home, ALL_SITES)):
        print(f"drift: {n_services} services with questions of {name}", file=sys.stderr)
        questions = of_site.get(name, traffic)
        others = {site: other for site, other in of_site.items() if site != name}
        random = np.random.default_rng([seed, number])
        pools[name] = Pool(name, release, questions, n_services, n_weeks, random).measure(others)
        print(f"drift: a year with questions of {name}", file=sys.stderr)
        yearly = Pool(name, release, questions, min(n_services, _YEAR_SERVICES), n_weeks, random)
        pools[name]["year"] = yearly.year()
    return {
        "questions": len(traffic),
        "sites": sites,
        "pools": pools,
        "time": _time(release, traffic, n_services, seed),
    }


def _time(release: Baseline, traffic: Traffic, n_services: int, seed: int) -> dict[str, Any]:
    """Compare the newest dated questions with the oldest ones, of the site with most dates."""
    dated = Counter(traffic.sites[~np.isnat(traffic.days)].tolist())
    if not dated:
        return {}
    (site, _), *_ = dated.most_common(1)
    rows = np.flatnonzero((traffic.sites == site) & ~np.isnat(traffic.days))
    ordered = traffic.part(rows[np.argsort(traffic.days[rows], kind="stable")])
    oldest, newest = (round(share * len(ordered)) for share in (_OLDEST_UNTIL, _NEWEST_FROM))
    old = ordered.part(np.arange(oldest))
    new = ordered.part(np.arange(newest, len(ordered)))
    random = np.random.default_rng([seed, 2])
    return {
        "site": site,
        "oldest": [len(old), str(old.days[0]), str(old.days[-1])],
        "newest": [len(new), str(new.days[0]), str(new.days[-1])],
        "power": Pool(site, release, old, n_services, 1, random).shift(new),
        "ordered": time_ordered(release, ordered),
    }
