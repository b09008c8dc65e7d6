-- Metrics of the course of the weeks. Week 1 is the seven days before as_of, week 2 the seven before that.
--
-- Each reads one metric from a ledger, for any as_of: it sees days before as_of only. NULL means unknown; unknown_metrics() says why.
-- catalog: {"event": {"role": "create" | [...], "value": 10, "feature": "..."}, ...}; without one every event qualifies. events: only
-- these events, listed or not. Several metrics of one ledger are read faster by metrics().

CREATE FUNCTION health.trend_4w(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, account_start date DEFAULT NULL,
    events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_trend_4w'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.trend_4w(health.usage, date, jsonb, date, text[]) IS
    'events of weeks 1-4 / events of weeks 5-8 - 1; NULL for an account younger than 8 weeks and when something follows nothing';

CREATE FUNCTION health.trend_4w_users(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL, events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_trend_4w_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.trend_4w_users(health.usage, date, jsonb, date, text[]) IS
    'active users of weeks 1-4 / active users of weeks 5-8 - 1; NULL for an account younger than 8 weeks and when something follows nothing';

CREATE FUNCTION health.trend_4w_value(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL, events text[] DEFAULT NULL, daily_cap float8 DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_trend_4w_value'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.trend_4w_value(health.usage, date, jsonb, date, text[], float8) IS
    'value points of weeks 1-4 / value points of weeks 5-8 - 1; NULL for an account younger than 8 weeks and when something follows nothing';

CREATE FUNCTION health.dropoff(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, account_start date DEFAULT NULL,
    events text[] DEFAULT NULL, by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_dropoff'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.dropoff(health.usage, date, jsonb, date, text[], boolean, float8) IS
    'events of the last week / mean of the four weeks before - 1; NULL for an account younger than 5 weeks';

CREATE FUNCTION health.slope_4w(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, events text[] DEFAULT NULL,
    by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_slope_4w'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.slope_4w(health.usage, date, jsonb, text[], boolean, float8) IS
    'least-squares slope per week of the last four weeks'' events / their mean; NULL without events';

CREATE FUNCTION health.dip_streak(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, events text[] DEFAULT NULL,
    by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL)
    RETURNS integer
    AS 'MODULE_PATHNAME', 'health_dip_streak'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.dip_streak(health.usage, date, jsonb, text[], boolean, float8) IS
    'number of consecutive week-on-week decreases of events that end at the last week';

CREATE FUNCTION health.cadence(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, account_start date DEFAULT NULL,
    events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_cadence'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.cadence(health.usage, date, jsonb, date, text[]) IS
    'weeks with activity among the last 8 complete weeks / weeks available (at most 8); NULL for an account younger than 1 week';

CREATE FUNCTION health.weekly(usage health.usage, as_of date, weeks integer DEFAULT 12, catalog jsonb DEFAULT NULL,
    events text[] DEFAULT NULL)
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_weekly'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.weekly(health.usage, date, integer, jsonb, text[]) IS
    'qualifying events of the last weeks, oldest first; the last one is [as_of - 7, as_of)';
