-- All metrics of a ledger from one decode: metrics(), metrics_series(), unknown_metrics().
--
-- Definitions: docs/reference/metrics.md. Every metric sees local days before as_of only. NULL is unknown, never a zero.

CREATE TYPE health.metrics_record AS (
    --@for metrics
    @name@ @type@@comma@
    --@end
);
COMMENT ON TYPE health.metrics_record IS 'the usage metrics of one account at one date';
--@for metrics
COMMENT ON COLUMN health.metrics_record.@name@ IS
    '@is@@unknown?; NULL when {unknown}@';
--@end

--@for readers where name is metrics
CREATE FUNCTION health.metrics(usage health.usage, as_of date@options:,\n    {name} {type} DEFAULT {default}@)
    RETURNS health.metrics_record
    AS 'MODULE_PATHNAME', 'health_metrics'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1500;
COMMENT ON FUNCTION health.metrics(health.usage, date@options:, {type}@) IS
    'all usage metrics of a ledger as of a date (exclusive), from one decode. catalog: the event catalog as jsonb; window_days: 28, '
    'so that every weekday is in it equally often; account_start: else the first activity or joining; seats: licensed; '
    'features: entitled by the plan; daily_cap: most value points of a user and day';

CREATE FUNCTION health.metrics_series(usage health.usage, from_date date, to_date date,
    step integer DEFAULT 1@options:,\n    {name} {type} DEFAULT {default}@,
    OUT as_of date,
    --@for metrics
    OUT @name@ @type@@comma@
    --@end
    )
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_metrics_series'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 5000 ROWS 60;
COMMENT ON FUNCTION health.metrics_series(health.usage, date, date, integer@options:, {type}@) IS
    'all usage metrics for every step-th as_of from from_date to to_date (both included), from one decode';

CREATE FUNCTION health.unknown_metrics(usage health.usage, as_of date@options:,\n    {name} {type} DEFAULT {default}@,
    OUT metric text, OUT reason text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_unknown_metrics'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1500 ROWS 10;
COMMENT ON FUNCTION health.unknown_metrics(health.usage, date@options:, {type}@) IS
    'the metrics that metrics() leaves NULL, each with its reason: no_data, zero_denominator, insufficient_history, not_applicable or '
    'bad_value';
--@end
