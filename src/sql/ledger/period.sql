-- Periods: what a chunk of a ledger holds the days of.

CREATE FUNCTION health_internal.period_start(day date) RETURNS date
    AS 'MODULE_PATHNAME', 'health_period_start'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.period_start(date) IS
    'the first day of the period that a day is in, a calendar quarter; infinities stay as they are';

CREATE FUNCTION health_internal.is_fact_path(path text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT path ~ '^facts\.';
END;
COMMENT ON FUNCTION health_internal.is_fact_path(text) IS 'Whether a source, or a stream of one, is of facts, by its path';

CREATE FUNCTION health_internal.all_days_start() RETURNS date
    AS 'MODULE_PATHNAME', 'health_all_days_start'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.all_days_start() IS 'The first day of the one period of what is not cut into quarters';

-- Facts are few and all of them are asked for again: the quarters of an account would be as many rows as it has facts.
CREATE FUNCTION health_internal.chunk_period(path text, day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN health_internal.is_fact_path(path) AND isfinite(day) THEN health_internal.all_days_start()
        ELSE health_internal.period_start(day) END;
END;
COMMENT ON FUNCTION health_internal.chunk_period(text, date) IS
    'The first day of the period of a chunk of a source that a day is in: of facts there is but one; infinities stay as they are';
