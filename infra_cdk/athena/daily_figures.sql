-- The figures of each day and model version, as the monitor computes them.
--
-- Replace FIRST_DAY and LAST_DAY by days such as 2026-11-02. A figure belongs to the day of the
-- prediction; feedback counts until 30 days later, and the newest one wins. Answers that the
-- caller's options may have cut short are rows of their own. Every function has the same meaning in
-- Athena (Trino) and in DuckDB.
WITH event AS (
    SELECT * FROM etiquette_events
    WHERE event_version = 1
        AND "date" BETWEEN CAST(CAST(DATE 'FIRST_DAY' - INTERVAL '1' DAY AS DATE) AS VARCHAR)
            AND CAST(CAST(DATE 'LAST_DAY' + INTERVAL '30' DAY AS DATE) AS VARCHAR)
), numbered_prediction AS (
    SELECT "date" AS day, prediction_id, model_version, tags, expected_jaccard,
        COALESCE(max_tags < 5, FALSE) OR COALESCE(min_confidence > 0, FALSE)
            OR COALESCE(excluded > 0, FALSE) AS cut_short,
        ROW_NUMBER() OVER (PARTITION BY "date", prediction_id ORDER BY "timestamp") AS number
    FROM event
    WHERE event_type = 'prediction' AND "date" BETWEEN 'FIRST_DAY' AND 'LAST_DAY'
), prediction AS (
    SELECT * FROM numbered_prediction WHERE number = 1
), numbered_feedback AS (
    SELECT prediction.day, prediction.prediction_id, event.accepted, event.final_tags,
        ROW_NUMBER() OVER (
            PARTITION BY prediction.day, prediction.prediction_id
            ORDER BY event."timestamp" DESC, event.correlation_id
        ) AS number
    FROM prediction
    INNER JOIN event ON event.prediction_id = prediction.prediction_id
    WHERE event.event_type = 'feedback'
        AND DATE_DIFF('day', CAST(prediction.day AS DATE), CAST(event."date" AS DATE))
            BETWEEN -1 AND 30
), joined AS (
    SELECT prediction.day, prediction.model_version, prediction.cut_short, prediction.tags,
        prediction.expected_jaccard, numbered_feedback.number IS NOT NULL AS has_feedback,
        CARDINALITY(prediction.tags) AS n_tags,
        CASE WHEN CARDINALITY(numbered_feedback.final_tags) > 0
            THEN ARRAY_DISTINCT(numbered_feedback.final_tags) END AS final_tags,
        ARRAY_DISTINCT(numbered_feedback.accepted) AS accepted
    FROM prediction
    LEFT JOIN numbered_feedback
        ON numbered_feedback.prediction_id = prediction.prediction_id
        AND numbered_feedback.day = prediction.day AND numbered_feedback.number = 1
), judged AS (
    SELECT *,
        CAST(CARDINALITY(ARRAY_INTERSECT(tags, final_tags)) AS DOUBLE) AS n_right,
        CAST(n_tags + CARDINALITY(final_tags) AS DOUBLE) AS n_both,
        CAST(CARDINALITY(ARRAY_INTERSECT(tags, accepted)) AS DOUBLE) AS n_accepted
    FROM joined
)
SELECT
    day,
    model_version,
    cut_short,
    COUNT(*) AS predictions,
    ROUND(CAST(COUNT(*) FILTER (WHERE n_tags > 0) AS DOUBLE) / COUNT(*), 6) AS prediction_rate,
    COUNT(*) FILTER (WHERE has_feedback) AS feedbacks,
    COUNT(*) FILTER (WHERE final_tags IS NOT NULL) AS judged,
    ROUND(SUM(n_right) / NULLIF(SUM(n_both - n_right), 0), 6) AS micro_jaccard,
    ROUND(AVG(n_right / (n_both - n_right)), 6) AS sample_jaccard,
    ROUND(2 * SUM(n_right) / NULLIF(SUM(n_both), 0), 6) AS micro_f1,
    ROUND(AVG(2 * n_right / n_both), 6) AS sample_f1,
    ROUND(
        CAST(COUNT(*) FILTER (WHERE n_tags > 0 AND final_tags IS NOT NULL
            AND CASE WHEN n_tags > 0 THEN CONTAINS(final_tags, tags[1]) END) AS DOUBLE)
        / NULLIF(COUNT(*) FILTER (WHERE n_tags > 0 AND final_tags IS NOT NULL), 0), 6
    ) AS precision_at_1,
    ROUND(
        SUM(n_accepted)
        / NULLIF(CAST(SUM(n_tags) FILTER (WHERE accepted IS NOT NULL) AS DOUBLE), 0), 6
    ) AS acceptance_rate,
    ROUND(AVG(CASE WHEN n_tags = 0 THEN 0 ELSE expected_jaccard END), 6) AS expected_jaccard
FROM judged
GROUP BY day, model_version, cut_short
ORDER BY day, model_version, cut_short
