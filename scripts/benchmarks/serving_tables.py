"""The figures of `scripts/bench serving` as people read them."""

from typing import Any

from scripts.benchmarks.costs import costs_table
from scripts.benchmarks.served_models import SMALL_TAGS
from scripts.benchmarks.table import table


def serving_tables(found: dict[str, Any]) -> str:
    """Write all of them."""
    parts = [
        f"A bundle of {found['tags']} tags; {found['terms_before_pruning'] or 'unknown'} terms "
        "before pruning",
        _speed(found),
        _other(found),
        _cold_starts(found),
        costs_table(found["dollars_per_million"]),
    ]
    return "\n\n".join(parts)


def _speed(found: dict[str, Any]) -> str:
    names = {
        "TagModel.suggest": "suggest",
        "Tuned: one float32 matrix": "tuned",
        "Usual: an estimator per tag": "usual",
        "Our whole handler": "handler",
    }
    figures = ("p50", "p99", "processor_p50", "processor_p99")
    rows = [
        [
            title,
            *(f"{found[f'{name}_{figure}_ms']:.3f}" for figure in figures),
            f"{found[f'{name}_p50_ms'] / found['suggest_p50_ms']:.1f}",
            f"{found[f'{name}_rss_mb']:.0f}",
        ]
        for title, name in names.items()
    ]
    header = ["One question, ms", "p50", "p99", "Processor p50", "p99", "x suggest", "Memory MB"]
    return table(header, rows)


def _other(found: dict[str, Any]) -> str:
    layers = found["image_layers_mb"]
    lengths = [f"{kib} KiB {ms:.2f}" for kib, ms in found["length_p50_ms"].items()]
    rows = [
        ["Bundle, MB", f"{found['bundle_mb']:.1f}"],
        ["Bundle load, ms", f"{found['bundle_load_ms']:.1f}"],
        [f"Peak memory after {found['requests']} requests, MB", f"{found['peak_rss_mb']:.1f}"],
        ["Its growth in the last half, MB", f"{found['rss_growth_last_half_mb']:.2f}"],
        ["10,000 tags against 1,000, times", f"{found['tags_growth']:.2f}"],
        ["Real text of a length, ms", "; ".join(lengths)],
        [f"Hostile 64 KiB ({found['hostile_kind']}), ms", f"{found['hostile_ms']:.1f}"],
        ["Image layers above the base, MB", layers if isinstance(layers, str) else f"{layers:.1f}"],
    ]
    return table(["Other figures", ""], rows)


def _cold_starts(found: dict[str, Any]) -> str:
    rows = [
        [size, f"{ms['ours']:.0f}", f"{ms['usual']:.0f}", f"{ms['ours'] / ms['usual']:.2f}"]
        for size, ms in found["cold_start_ms"].items()
    ]
    header = ["Cold start at MB", "Ours, ms", "Usual, ms", "Ratio"]
    limited = "" if found["cold_starts_limited"] else "; NOT limited to Lambda's processor share"
    return (
        f"{table(header, rows)}\n\nMedians of INIT REPORT, the model read from S3; the usual "
        f"stack's is one of {SMALL_TAGS} tags, which favours it{limited}"
    )
