"""What has more than one value in a day file: calibration, tags, reasons and distributions."""

from typing import Any, Final

import duckdb

from lambda_src.tagger.rules import MAX_TAGS

N_BINS: Final = 10
"""Bins of equal width for confidences and shares. Unlike bins of equal mass, they can be added up
over days."""
_KEPT_TAGS: Final = 100
WORD_EDGES: Final = (10, 20, 40, 80, 160, 320, 640, 1280)
"""Upper edges of the bins for the number of words; the last bin has no upper edge."""


def details(connection: duckdb.DuckDBPyConnection, version: str) -> dict[str, Any]:
    """Return the figures of a version in the table `joined` that have more than one value.

    They are about the answers that are the model's own.
    """
    connection.execute("SET VARIABLE version = ?", [version])
    connection.execute(
        """
        CREATE OR REPLACE TEMP VIEW own AS
        SELECT * FROM joined WHERE model_version = getvariable('version') AND NOT cut_short
        """
    )
    bins = {
        int(number): (int(suggested), int(chosen), float(confidence))
        for number, suggested, chosen, confidence in connection.execute(
            """
            SELECT least(floor(confidence * $bins), $bins - 1) AS bin, count(*),
                count(*) FILTER (chosen), sum(round(confidence, 6)::DECIMAL(18, 6))
            FROM (
                SELECT unnest(confidences) AS confidence,
                    unnest(list_transform(tags, lambda tag: list_contains(final_tags, tag)))
                        AS chosen
                FROM own WHERE final_tags IS NOT NULL
            ) GROUP BY bin ORDER BY bin
            """,
            {"bins": N_BINS},
        ).fetchall()
    }
    tags = connection.execute(
        """
        SELECT tag, count(*) FILTER (list_contains(tags, tag)) AS suggested,
            count(*) FILTER (list_contains(final_tags, tag)) AS chosen,
            count(*) FILTER (list_contains(tags, tag) AND list_contains(final_tags, tag)) AS both
        FROM (
            SELECT tags, final_tags, unnest(list_distinct(list_concat(tags, final_tags))) AS tag
            FROM own WHERE final_tags IS NOT NULL
        ) GROUP BY tag ORDER BY suggested + chosen DESC, tag LIMIT ?
        """,
        [_KEPT_TAGS],
    ).fetchall()
    unknown = connection.execute(
        """
        SELECT tag, count(*) FROM (
            SELECT unnest(list_intersect(final_tags, unknown_tags)) AS tag
            FROM own WHERE final_tags IS NOT NULL
        ) GROUP BY tag ORDER BY count(*) DESC, tag LIMIT ?
        """,
        [_KEPT_TAGS],
    ).fetchall()
    suggested = connection.execute(
        """
        SELECT tag, count(*) FROM (SELECT unnest(tags) AS tag FROM own)
        GROUP BY tag ORDER BY count(*) DESC, tag LIMIT ?
        """,
        [_KEPT_TAGS],
    ).fetchall()
    quiet = connection.execute(
        """
        SELECT coalesce(quiet_reason, 'unknown'), count(*) FROM own WHERE len(tags) = 0
        GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    return {
        "calibration": [
            {"suggested": n, "chosen": chosen, "confidence": confidence}
            for n, chosen, confidence in (bins.get(each, (0, 0, 0.0)) for each in range(N_BINS))
        ],
        "tags": {
            tag: {"suggested": n, "chosen": chosen, "both": both} for tag, n, chosen, both in tags
        },
        "suggested_tags": dict(suggested),
        "unknown_tags": dict(unknown),
        "quiet_reasons": dict(quiet),
        "distributions": _distributions(connection),
    }


def _distributions(connection: duckdb.DuckDBPyConnection) -> dict[str, list[int]]:
    """Count the values of each figure of a prediction in bins, in the view `own`."""
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
            f"SELECT {number} AS bin, count(*) FROM own GROUP BY bin"  # noqa: S608 (a constant)
        )
        counts = dict(counted.fetchall())
        found[name] = [counts.get(each, 0) for each in range(size)]
    return found
