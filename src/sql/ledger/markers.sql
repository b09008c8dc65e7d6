-- Markers: names of a ledger that tell of a user's membership, not of activity.

CREATE FUNCTION health_internal.is_marker(event text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_is_marker'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION health_internal.plain_event(event text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN pg_catalog.starts_with(event, '$')
        THEN pg_catalog.regexp_replace(event, '^([$]/[0-9]+/)?([$][^/]*/)?', '') ELSE event END;
END;
COMMENT ON FUNCTION health_internal.plain_event(text) IS 'The name of an event in a ledger without who acts and how late it became known';

COMMENT ON FUNCTION health_internal.is_marker(text) IS 'whether this name of a ledger is a marker, which starts with $, and so no activity';
