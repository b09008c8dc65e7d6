-- Five figures of the last 56 days, for scoring very many accounts at once.

CREATE FUNCTION health.pulse(usage health.usage, as_of date, account_start date DEFAULT NULL, OUT active_users bigint,
    OUT events bigint, OUT trend_4w float8, OUT dip_streak integer, OUT power_user_dependency float8)
    AS 'MODULE_PATHNAME', 'health_pulse'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health.pulse(health.usage, date, date) IS
    'active users and events of the 28 days before as_of, their trend, decreases within the last 8 weeks, share of the most active user: as metrics() without a catalog, many times as fast';

CREATE FUNCTION health.pulse(usages health.usage[], as_of date, account_start date DEFAULT NULL, OUT active_users bigint,
    OUT events bigint, OUT trend_4w float8, OUT dip_streak integer, OUT power_user_dependency float8)
    AS 'MODULE_PATHNAME', 'health_pulse_of_parts'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health.pulse(health.usage[], date, date) IS
    'the pulse of the sum of these ledgers, for example of the parts of one account, without building the sum';
