"""The tables of `scripts/bench serving`."""

from typing import Any

from scripts.benchmarks.costs import costs_table
from scripts.benchmarks.served_models import SMALL_TAGS
from scripts.shared.tables import table


def serving_tables(found: dict[str, Any]) -> str:
    """Format all tables."""
    parts = [
        f"Bundle: {found['tags']} tags, {found['terms_before_pruning'] or 'unknown'} terms before "
        "pruning",
        _speed(found),
        _other(found),
        _cold_starts(found),
        costs_table(found["dollars_per_million"]),
    ]
    return "\n\n".join(parts)


def _speed(found: dict[str, Any]) -> str:
    names = {
        "TagModel.suggest": "suggest",
        "Tuned baseline (one float32 matrix)": "tuned",
        "Baseline (one estimator per tag)": "usual",
        "The whole Lambda handler": "handler",
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
    header = ["One question (ms)", "p50", "p99", "CPU p50", "CPU p99", "x suggest", "Memory (MB)"]
    return table(header, rows)


def _other(found: dict[str, Any]) -> str:
    layers = found["image_layers_mb"]
    lengths = [f"{kib} KiB {ms:.2f}" for kib, ms in found["length_p50_ms"].items()]
    rows = [
        ["Bundle size (MB)", f"{found['bundle_mb']:.1f}"],
        ["Loading a bundle (ms)", f"{found['bundle_load_ms']:.1f}"],
        [f"Peak memory after {found['requests']} requests (MB)", f"{found['peak_rss_mb']:.1f}"],
        ["Memory growth in their second half (MB)", f"{found['rss_growth_last_half_mb']:.2f}"],
        ["Latency with 10,000 tags / with 1,000", f"{found['tags_growth']:.2f}"],
        ["Latency by length of a real text (ms)", "; ".join(lengths)],
        [f"Slowest hostile 64 KiB: {found['hostile_kind']} (ms)", f"{found['hostile_ms']:.1f}"],
        [
            "Image layers above the base image (MB)",
            layers if isinstance(layers, str) else f"{layers:.1f}",
        ],
    ]
    return table(["Figure", "Value"], rows)


def _cold_starts(found: dict[str, Any]) -> str:
    rows = [
        [size, f"{ms['ours']:.0f}", f"{ms['usual']:.0f}", f"{ms['ours'] / ms['usual']:.2f}"]
        for size, ms in found["cold_start_ms"].items()
    ]
    header = ["Memory size (MB)", "Etiquette (ms)", "Baseline (ms)", "Ratio"]
    warning = (
        ""
        if found["cold_starts_limited"]
        else " WARNING: without Lambda's limit on the processor share, which needs root on Linux."
    )
    return (
        f"Cold starts\n\n{table(header, rows)}\n\nMedian initialization times, including the "
        f"download of the model from S3. The baseline's model has only {SMALL_TAGS} tags, which is "
        f"an advantage for the baseline.{warning}"
    )
