-- One function for each metric, from its row of src/tables/metrics.table.
--
-- Each reads one metric from a ledger, for any as_of: it sees days before as_of only. NULL means unknown; unknown_metrics() says why.
-- catalog: {"event": {"role": "create" | [...], "value": 10, "feature": "..."}, ...}; without one every event qualifies. events: only
-- these events, listed or not. Several metrics of one ledger are read faster by metrics().
--@for metrics

CREATE FUNCTION health.@name@(usage health.usage, as_of date@options:,\n    {name} {type} DEFAULT {default}@)
    RETURNS @type@
    AS 'MODULE_PATHNAME', 'health_@name@'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.@name@(health.usage, date@options:, {type}@) IS
    '@is@@unknown?; NULL when {unknown}@';
--@end
