-- The table of events in the event store. Replace BUCKET by the stack's output EventStoreBucket.
-- Athena reads only the days that a query asks for: the partitions are computed from the dates.
CREATE EXTERNAL TABLE etiquette_events (
    event_version int,
    event_type string,
    `timestamp` string,
    prediction_id string,
    correlation_id string,
    model_version string,
    tags array<string>,
    confidences array<double>,
    top_confidence double,
    expected_jaccard double,
    known_share double,
    quiet_reason string,
    words int,
    code_share double,
    max_tags int,
    min_confidence double,
    excluded int,
    source string,
    latency_ms double,
    accepted array<string>,
    final_tags array<string>,
    unknown_tags array<string>,
    authenticated boolean,
    principal string
)
PARTITIONED BY (`date` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
LOCATION 's3://BUCKET/events/'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.date.type' = 'date',
    'projection.date.format' = 'yyyy-MM-dd',
    'projection.date.range' = '2026-01-01,NOW',
    'storage.location.template' = 's3://BUCKET/events/date=${date}/'
)
