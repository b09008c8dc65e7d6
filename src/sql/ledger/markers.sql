-- Markers: names of a ledger that tell of a user's membership, not of activity.

CREATE FUNCTION health_internal.is_marker(event text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_is_marker'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.is_marker(text) IS 'whether this name of a ledger is a marker, which starts with $, and so no activity';
