-- Events: which rows can be counted.

CREATE FUNCTION health_internal.is_event(occurred_at timestamptz, event_name text, amount float8) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_is_event_timestamptz'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.is_event(timestamptz, text, float8) IS
    'whether a row is an event: it has a finite time, a name that is not empty, and an amount that a ledger can keep, or none (NULL)';

CREATE FUNCTION health_internal.is_event(occurred_at date, event_name text, amount float8) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_is_event_date'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.is_event(date, text, float8) IS
    'whether a row is an event: it has a finite day, a name that is not empty, and an amount that a ledger can keep, or none (NULL)';
