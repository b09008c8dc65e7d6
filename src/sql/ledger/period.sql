-- Periods: what a chunk of a ledger holds the days of.

CREATE FUNCTION health_internal.period_start(day date) RETURNS date
    AS 'MODULE_PATHNAME', 'health_period_start'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.period_start(date) IS
    'the first day of the period that a day is in, a calendar quarter; infinities stay as they are';
