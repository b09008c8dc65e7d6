-- Exact comparisons of counts, and the interval of a share.

CREATE FUNCTION health.down_at_least(current bigint, previous bigint, percent integer)
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_down_at_least'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health.down_at_least(bigint, bigint, integer) IS
    'whether current is at least percent % below previous, compared exactly in integers: 100 * current <= (100 - percent) * previous; '
    'false when previous is 0';

CREATE FUNCTION health.up_at_least(current bigint, previous bigint, percent integer)
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_up_at_least'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health.up_at_least(bigint, bigint, integer) IS
    'whether current is at least percent % above previous, compared exactly in integers: 100 * current >= (100 + percent) * previous; '
    'false when previous is 0';

CREATE FUNCTION health.wilson_interval(part bigint, whole bigint, OUT low float8, OUT high float8)
    RETURNS record
    AS 'MODULE_PATHNAME', 'health_wilson_interval'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION health.wilson_interval(bigint, bigint) IS
    '95 % Wilson interval of the share part / whole; NULLs when whole is 0 or part is not between 0 and whole';
