"""Day files of the monitor, for tests of what reads them."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from lambda_src.monitor.details import N_BINS, WORD_EDGES
from lambda_src.monitor.rates import RATES, Rate
from lambda_src.tagger.rules import MAX_TAGS

VERSION = "2026.01.01-tests"


def day_file(
    day: date,
    *,
    version: str = VERSION,
    predictions: int = 100,
    judged: int = 40,
    rates: Mapping[str, float] | None = None,
    unknown_tags: Mapping[str, int] | None = None,
    tags: Mapping[str, tuple[int, int, int]] | None = None,
    confident_bin: int = 7,
    audited: int = 0,
) -> dict[str, Any]:
    """Make a day file.

    Parameters
    ----------
    day
        The day.
    version
        The model version of all predictions.
    predictions, judged
        How many predictions there were, and how many with final tags.
    rates
        The values of rates; of the others it is 0.5, and of the prediction rate 0.9.
    unknown_tags
        The uses of tags that the model does not know.
    tags
        Of each tag, how often it was suggested, chosen, and both.
    confident_bin
        The bin that most top confidences are in.
    audited
        The number of questions of the audit.
    """
    values = {"prediction_rate": 0.9, **(rates or {})}
    of_predictions = {"prediction_rate", "expected_jaccard", "feedback_rate"}

    def rate(name: str, cases: int) -> dict[str, Any]:
        return dict(Rate(values.get(name, 0.5) * cases, cases).to_json())

    distributions = {
        name: _peak(N_BINS, predictions, confident_bin if name == "top_confidence" else 4)
        for name in ("top_confidence", "known_share", "code_share", "expected_jaccard")
    }
    distributions["words"] = _peak(len(WORD_EDGES) + 1, predictions, 3)
    distributions["tags"] = _peak(MAX_TAGS + 1, predictions, 3)
    figures = {
        "predictions": predictions,
        "from_batches": 0,
        "feedbacks": judged,
        "judged": judged,
        "authenticated_feedbacks": 0,
        "over_share": 0,
        **{name: rate(name, predictions if name in of_predictions else judged) for name in RATES},
        "calibration": [
            {"suggested": judged, "chosen": judged * number / 10, "confidence": judged * 0.5}
            for number in range(N_BINS)
        ],
        "tags": {
            tag: {"suggested": suggested, "chosen": chosen, "both": both}
            for tag, (suggested, chosen, both) in (tags or {}).items()
        },
        "suggested_tags": {"python": predictions},
        "unknown_tags": dict(unknown_tags or {}),
        "quiet_reasons": {"not_sure": predictions // 10},
        "distributions": distributions,
    }
    audits = {}
    if audited:
        audits[version] = {"questions": audited} | {name: rate(name, audited) for name in RATES}
    return {
        "version": 1,
        "day": str(day),
        "models": {version: figures} if predictions else {},
        "audits": audits,
        "set_aside": 0,
        "set_aside_reasons": {},
        "doubles": 0,
        "feedback": {"received": judged, "without_prediction": 0},
    }


def day_files(last: date, n_days: int, **options: Any) -> list[dict[str, Any]]:
    """Make the files of some consecutive days, all alike."""
    return [
        day_file(last - timedelta(days=number), **options) for number in reversed(range(n_days))
    ]


def _peak(n_bins: int, total: int, peak: int) -> list[int]:
    """Put nine tenths into one bin and the rest into its neighbour."""
    counts = [0] * n_bins
    counts[peak] = total * 9 // 10
    counts[peak - 1] = total - counts[peak]
    return counts
