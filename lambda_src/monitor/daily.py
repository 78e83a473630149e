"""The figures of one day: what the day's predictions were worth, for each model version.

A figure belongs to the day of the prediction, also if its feedback came later. Sums are exact
decimals, so that they do not depend on the order in which DuckDB's threads add: the same events
give the same bytes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import duckdb

from lambda_src.monitor.events import CompactDay
from lambda_src.monitor.shares import MAX_SHARE, most_counted
from lambda_src.tagger.rules import MAX_TAGS

VERSION: Final = 1
"""Of day files."""
LATE_DAYS: Final = 30
"""How many days after its prediction feedback still counts."""
N_BINS: Final = 10
"""Bins of equal width for confidences and shares. Unlike bins of equal mass, they can be added up
over days."""
_KEPT_TAGS: Final = 100
WORD_EDGES: Final = (10, 20, 40, 80, 160, 320, 640, 1280)
"""Upper edges of the bins for the number of words; the last bin has no upper edge."""

_CUT_SHORT: Final = f"""
    coalesce(max_tags < {MAX_TAGS}, false)
    OR coalesce(min_confidence > 0, false)
    OR coalesce(excluded > 0, false)
"""
"""Whether the caller's options may have made the answer shorter than the model's own."""
WHOLE: Final = f"NOT ({_CUT_SHORT})"
"""Whether an answer is the model's own, as SQL."""
_RIGHT: Final = "len(list_intersect(tags, final_tags))"
_EITHER: Final = f"(len(tags) + len(final_tags) - {_RIGHT})"
_JUDGED: Final = "final_tags IS NOT NULL"

# The sums of a rate are decimals with six digits after the point. A rate of which there is no case
# has the denominator 0.
_JACCARD: Final = f"round({_RIGHT} / {_EITHER}, 6)::DECIMAL(18, 6)"
_F1: Final = f"round(2 * {_RIGHT} / (len(tags) + len(final_tags)), 6)::DECIMAL(18, 6)"
# An answer without tags is right about no tag, whatever was withheld.
_EXPECTED: Final = (
    "CASE WHEN len(tags) = 0 THEN 0 ELSE round(expected_jaccard, 6) END::DECIMAL(18, 6)"
)
_QUALITY: Final[Mapping[str, tuple[str, str]]] = {
    "sample_jaccard": (f"sum({_JACCARD})", "count(*)"),
    "sample_f1": (f"sum({_F1})", "count(*)"),
    "micro_jaccard": (f"sum({_RIGHT})", f"sum({_EITHER})"),
    "micro_f1": (f"sum(2 * {_RIGHT})", "sum(len(tags) + len(final_tags))"),
    "precision_at_1": (
        "count(*) FILTER (list_contains(final_tags, tags[1]))",
        "count(*) FILTER (len(tags) > 0)",
    ),
    "expected_jaccard_of_judged": (f"sum({_EXPECTED})", "count(*)"),
    "hits_of_expected": (
        f"sum({_RIGHT})",
        "sum(round(list_sum(confidences), 6)::DECIMAL(18, 6))",
    ),
}
"""The numerators and denominators of what needs final tags. `hits_of_expected` is the number of
suggested tags that were chosen, divided by the sum of their confidences."""
_USAGE: Final[Mapping[str, tuple[str, str]]] = {
    "prediction_rate": ("count(*) FILTER (len(tags) > 0)", "count(*)"),
    "expected_jaccard": (f"sum({_EXPECTED})", "count(*)"),
    "feedback_rate": ("count(*) FILTER (has_feedback)", "count(*)"),
    "acceptance_rate": (
        "sum(len(list_intersect(tags, accepted))) FILTER (accepted IS NOT NULL)",
        "sum(len(tags)) FILTER (accepted IS NOT NULL)",
    ),
    "unknown_tag_share": (
        f"sum(len(list_intersect(final_tags, unknown_tags))) FILTER ({_JUDGED})",
        f"sum(len(final_tags)) FILTER ({_JUDGED})",
    ),
}
"""The numerators and denominators of what needs no final tags, or only those of some."""
RATES: Final = (*_USAGE, *_QUALITY)
"""The names of all rates of a model version in a day file."""
_COUNTS: Final[Mapping[str, str]] = {
    "predictions": "count(*)",
    "from_batches": "count(*) FILTER (source = 'batch')",
    "feedbacks": "count(*) FILTER (has_feedback)",
    "judged": f"count(*) FILTER ({_JUDGED})",
    "authenticated_feedbacks": "count(*) FILTER (authenticated)",
    "over_share": "count(*) FILTER (over_share)",
}
"""The counts of a model version in a day file. A judged prediction has feedback with final tags
that counts; `over_share` counts the feedbacks that do not (`limit_shares`)."""


class Rate(NamedTuple):
    """A figure as a fraction, so that days can be added up."""

    numerator: float
    denominator: float

    @property
    def value(self) -> float | None:
        """The fraction, or None if there was no case."""
        return round(self.numerator / self.denominator, 6) if self.denominator else None

    def to_json(self) -> dict[str, float | None]:
        """Return the rate as a day file has it."""
        return {"value": self.value, **self._asdict()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Rate":
        """Read what `to_json` wrote."""
        return cls(value["numerator"], value["denominator"])


def load_feedback(connection: duckdb.DuckDBPyConnection, days: Sequence[CompactDay]) -> None:
    """Make the table `feedback` of all feedback of some days.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    days : sequence of CompactDay
    """
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE feedback (
            prediction_id VARCHAR, received_at TIMESTAMP, line_digest VARCHAR, accepted VARCHAR[],
            final_tags VARCHAR[], unknown_tags VARCHAR[], authenticated BOOLEAN
        )
        """
    )
    if days:
        connection.execute(
            """
            INSERT INTO feedback SELECT prediction_id, received_at, line_digest,
                list_distinct(accepted),
                -- An empty list says nothing about the tags.
                CASE WHEN len(final_tags) > 0 THEN list_distinct(final_tags) END,
                list_distinct(coalesce(unknown_tags, [])), coalesce(authenticated, false)
            FROM read_parquet(?) WHERE event_type = 'feedback'
            """,
            [[str(each.path) for each in days]],
        )


def join(connection: duckdb.DuckDBPyConnection, day: CompactDay) -> None:
    """Make the table `joined`: the day's predictions, each with its newest feedback.

    It needs the table that `load_feedback` makes, with the feedback of the day before (clocks
    differ) to `LATE_DAYS` days later.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE joined AS
        WITH prediction AS (
            SELECT * EXCLUDE (accepted, final_tags, unknown_tags, authenticated),
                {_CUT_SHORT} AS cut_short
            FROM read_parquet(?) WHERE event_type = 'prediction'
        ), newest AS (
            SELECT * FROM feedback
            WHERE received_at::DATE BETWEEN ?::DATE - 1 AND ?::DATE + {LATE_DAYS}
                AND prediction_id IN (SELECT prediction_id FROM prediction)
            QUALIFY row_number() OVER (
                PARTITION BY prediction_id ORDER BY received_at DESC, line_digest
            ) = 1
        )
        SELECT prediction.*, newest.accepted, newest.final_tags, newest.unknown_tags,
            newest.authenticated, newest.prediction_id IS NOT NULL AS has_feedback,
            false AS over_share
        FROM prediction LEFT JOIN newest USING (prediction_id)
        """,  # noqa: S608 (constants of this module)
        [str(day.path), day.day, day.day],
    )


def limit_shares(connection: duckdb.DuckDBPyConnection, share: float = MAX_SHARE) -> None:
    """Leave out what a principal's feedback has above its share of the table `joined`.

    Each model version has its own limit, and so have the answers that were cut short. The principal
    is that of the prediction: its pseudonym is of the day that the figures are about, whenever the
    feedback came. Which feedback counts is decided by the identifiers of the predictions, which the
    service draws at random.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    share : float
        See `most_counted`.
    """
    groups: dict[tuple[str, bool], dict[str | None, int]] = {}
    for version, cut_short, principal, count in connection.execute(
        """
        SELECT model_version, cut_short, principal, count(*) FROM joined WHERE has_feedback
        GROUP BY ALL
        """
    ).fetchall():
        groups.setdefault((version, cut_short), {})[principal] = count
    for (version, cut_short), counts in groups.items():
        unnamed = counts.pop(None, 0)
        most = most_counted(list(counts.values()), unnamed, share)
        if most >= max(counts.values(), default=0):
            continue
        connection.execute(
            """
            UPDATE joined
            SET accepted = NULL, final_tags = NULL, unknown_tags = NULL, over_share = true
            WHERE prediction_id IN (
                SELECT prediction_id FROM joined
                WHERE has_feedback AND model_version = ? AND cut_short = ?
                    AND principal IS NOT NULL
                QUALIFY row_number() OVER (PARTITION BY principal ORDER BY prediction_id) > ?
            )
            """,
            [version, cut_short, most],
        )


def model_figures(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """Return the figures of the table `joined` by model version, as a day file has them."""
    columns = [f"{sql} AS {name}" for name, sql in _COUNTS.items()] + _select(_USAGE)
    columns += _select(
        {name: tuple(_where_judged(each) for each in pair) for name, pair in _QUALITY.items()}
    )
    rows = _rows(
        connection,
        f"""
        SELECT model_version, cut_short, {", ".join(columns)}
        FROM joined GROUP BY ALL ORDER BY ALL
        """,  # noqa: S608 (constants of this module)
    )
    figures: dict[str, dict[str, Any]] = {}
    for row in rows:
        version, cut_short = row.pop("model_version"), row.pop("cut_short")
        of_version = figures.setdefault(version, {})
        if cut_short:
            of_version["cut_short"] = _figures(row)
        else:
            of_version |= _figures(row)
    # A version may have had nothing but answers that were cut short.
    empty: dict[str, Any] = {name: Rate(0, 0).to_json() for name in RATES}
    empty |= dict.fromkeys(_COUNTS, 0)
    return {
        version: empty | found | _details(connection, version) for version, found in figures.items()
    }


def _select(rates: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [
        f"coalesce({sql}, 0) AS {name}_{part}"
        for name, pair in rates.items()
        for part, sql in zip(("numerator", "denominator"), pair, strict=True)
    ]


def _where_judged(aggregate: str) -> str:
    """Restrict an aggregate to predictions with final tags."""
    if "FILTER (" in aggregate:
        return aggregate.replace("FILTER (", f"FILTER ({_JUDGED} AND ")
    return f"{aggregate} FILTER ({_JUDGED})"


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a row with the columns of `_select` into figures."""
    figures: dict[str, Any] = {}
    for name, value in row.items():
        if name.endswith("_numerator"):
            rate = name.removesuffix("_numerator")
            figures[rate] = Rate(_number(value), _number(row[f"{rate}_denominator"])).to_json()
        elif not name.endswith("_denominator"):
            figures[name] = _number(value)
    return figures


def _number(value: Any) -> float:
    """Return a count as an integer and an exact decimal as a float."""
    return int(value) if value == int(value) else float(value)


def _details(connection: duckdb.DuckDBPyConnection, version: str) -> dict[str, Any]:
    """Return what has more than one value: calibration, tags, reasons and distributions."""
    own = "FROM joined WHERE model_version = ? AND NOT cut_short"
    bins = {
        int(number): (int(suggested), int(chosen), float(confidence))
        for number, suggested, chosen, confidence in connection.execute(
            f"""
            SELECT least(floor(confidence * {N_BINS}), {N_BINS - 1}) AS bin, count(*),
                count(*) FILTER (chosen), sum(round(confidence, 6)::DECIMAL(18, 6))
            FROM (
                SELECT unnest(confidences) AS confidence,
                    unnest(list_transform(tags, lambda tag: list_contains(final_tags, tag)))
                        AS chosen
                {own} AND {_JUDGED}
            ) GROUP BY bin ORDER BY bin
            """,  # noqa: S608
            [version],
        ).fetchall()
    }
    tags = _rows(
        connection,
        f"""
        SELECT tag, count(*) FILTER (list_contains(tags, tag)) AS suggested,
            count(*) FILTER (list_contains(final_tags, tag)) AS chosen,
            count(*) FILTER (list_contains(tags, tag) AND list_contains(final_tags, tag)) AS both
        FROM (
            SELECT tags, final_tags, unnest(list_distinct(list_concat(tags, final_tags))) AS tag
            {own} AND {_JUDGED}
        ) GROUP BY tag ORDER BY suggested + chosen DESC, tag LIMIT {_KEPT_TAGS}
        """,  # noqa: S608
        [version],
    )
    unknown = connection.execute(
        f"""
        SELECT tag, count(*) FROM (
            SELECT unnest(list_intersect(final_tags, unknown_tags)) AS tag {own} AND {_JUDGED}
        ) GROUP BY tag ORDER BY count(*) DESC, tag LIMIT {_KEPT_TAGS}
        """,  # noqa: S608
        [version],
    ).fetchall()
    suggested = connection.execute(
        f"""
        SELECT tag, count(*) FROM (SELECT unnest(tags) AS tag {own})
        GROUP BY tag ORDER BY count(*) DESC, tag LIMIT {_KEPT_TAGS}
        """,  # noqa: S608
        [version],
    ).fetchall()
    quiet = connection.execute(
        f"SELECT coalesce(quiet_reason, 'unknown'), count(*) {own} AND len(tags) = 0 "
        "GROUP BY ALL ORDER BY ALL",
        [version],
    ).fetchall()
    return {
        "calibration": [
            {"suggested": n, "chosen": chosen, "confidence": confidence}
            for n, chosen, confidence in (bins.get(each, (0, 0, 0.0)) for each in range(N_BINS))
        ],
        "tags": {each.pop("tag"): each for each in tags},
        "suggested_tags": dict(suggested),
        "unknown_tags": dict(unknown),
        "quiet_reasons": dict(quiet),
        "distributions": _distributions(connection, own, version),
    }


def _distributions(
    connection: duckdb.DuckDBPyConnection, own: str, version: str
) -> dict[str, list[int]]:
    """Count the values of each figure of a prediction in bins."""
    equal = f"least(floor({{}} * {N_BINS}), {N_BINS - 1})::INTEGER"
    words = " + ".join(f"(words > {edge})::INTEGER" for edge in WORD_EDGES)
    sizes = {
        **{
            name: (equal.format(name), N_BINS)
            for name in ("top_confidence", "known_share", "code_share", "expected_jaccard")
        },
        "words": (words, len(WORD_EDGES) + 1),
        "tags": ("len(tags)", MAX_TAGS + 1),
    }
    found = {}
    for name, (number, size) in sizes.items():
        counted = connection.execute(
            f"SELECT {number} AS bin, count(*) {own} GROUP BY bin",
            [version],
        ).fetchall()
        counts = dict(counted)
        found[name] = [counts.get(each, 0) for each in range(size)]
    return found


def audit_figures(
    connection: duckdb.DuckDBPyConnection, day: CompactDay
) -> dict[str, dict[str, Any]]:
    """Return the figures of a day's audit by model version.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    day : CompactDay
        Of the folder `audits`.
    """
    rates = _select(
        {
            **_QUALITY,
            "prediction_rate": _USAGE["prediction_rate"],
            "expected_jaccard": _USAGE["expected_jaccard"],
        }
    )
    rows = _rows(
        connection,
        f"""
        SELECT model_version, count(*) AS questions, {", ".join(rates)}
        FROM (SELECT * REPLACE (list_distinct(final_tags) AS final_tags) FROM read_parquet(?))
        GROUP BY ALL ORDER BY model_version
        """,  # noqa: S608
        [str(day.path)],
    )
    return {row.pop("model_version"): _figures(row) for row in rows}


def feedback_received(
    connection: duckdb.DuckDBPyConnection, day: CompactDay, before: Sequence[CompactDay]
) -> dict[str, int]:
    """Count a day's feedback by whether there is a prediction with its id.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    day : CompactDay
        The day on which the feedback came.
    before : sequence of CompactDay
        The days that its predictions may be of: `LATE_DAYS` days before to the day after.
    """
    ((received, without),) = connection.execute(
        """
        WITH received AS (
            SELECT DISTINCT prediction_id FROM read_parquet(?) WHERE event_type = 'feedback'
        )
        SELECT count(*), count(*) FILTER (prediction_id NOT IN (
            SELECT prediction_id FROM read_parquet(?) WHERE event_type = 'prediction'
        )) FROM received
        """,
        [str(day.path), [str(each.path) for each in before]],
    ).fetchall()
    return {"received": received, "without_prediction": without}


def prediction_days(day: date) -> Iterator[date]:
    """Yield the days that the predictions of a day's feedback may be of."""
    return (day + timedelta(days=each) for each in range(-LATE_DAYS, 2))


def day_file(value: Mapping[str, Any]) -> bytes:
    """Return a day file or another JSON file with the same bytes for the same value."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()
) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, parameters)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
