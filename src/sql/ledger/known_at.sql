-- What of a ledger was known on a day: rows that became known later than their day have that in their names, "$/3/message_sent".

CREATE FUNCTION health_internal.known_before(usage health.usage, day date) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_known_before'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.known_before(health.usage, date) IS
    'the ledger of the rows that were known before a day, every event by its own name: what it would be if nobody had said when rows '
    'became known';
