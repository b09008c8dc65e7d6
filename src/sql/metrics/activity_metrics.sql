-- Metrics of who did how much in a window.
--
-- Each reads one metric from a ledger, for any as_of: it sees days before as_of only. NULL means unknown; unknown_metrics() says why.
-- catalog: {"event": {"role": "create" | [...], "value": 10, "feature": "..."}, ...}; without one every event qualifies. events: only
-- these events, listed or not. Several metrics of one ledger are read faster by metrics().

CREATE FUNCTION health.total_users(usage health.usage, as_of date)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_total_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.total_users(health.usage, date) IS
    'entitled users at as_of: the user roster''s, else all users seen before as_of';

CREATE FUNCTION health.active_users(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_active_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.active_users(health.usage, date, jsonb, integer, text[]) IS
    'users with a qualifying event in the window';

CREATE FUNCTION health.events(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_events'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.events(health.usage, date, jsonb, integer, text[]) IS
    'qualifying events in the window';

CREATE FUNCTION health.activation_rate(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_activation_rate'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.activation_rate(health.usage, date, jsonb, integer, text[]) IS
    'active users / total users; NULL without users';

CREATE FUNCTION health.activation_rate_low(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_activation_rate_low'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.activation_rate_low(health.usage, date, jsonb, integer, text[]) IS
    'lower end of the activation rate''s 95 % Wilson interval; NULL without users or when more users are active than entitled';

CREATE FUNCTION health.activation_rate_high(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_activation_rate_high'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.activation_rate_high(health.usage, date, jsonb, integer, text[]) IS
    'upper end of the activation rate''s 95 % Wilson interval; NULL without users or when more users are active than entitled';

CREATE FUNCTION health.coverage(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_coverage'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.coverage(health.usage, date, jsonb, integer, text[]) IS
    'users with a create or consume event in the window / total users; NULL without users or when the catalog has neither role';

CREATE FUNCTION health.adoption_rate(usage health.usage, as_of date, seats float8 DEFAULT NULL, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_adoption_rate'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.adoption_rate(health.usage, date, float8, jsonb, integer, text[]) IS
    'active users / licensed seats; NULL when the seats are NULL or 0';

CREATE FUNCTION health.events_per_user_week(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_events_per_user_week'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.events_per_user_week(health.usage, date, jsonb, integer, text[]) IS
    'events per active user and week; NULL without active users';

CREATE FUNCTION health.stickiness(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_stickiness'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.stickiness(health.usage, date, jsonb, integer, text[]) IS
    'mean daily active users over the window / active users; NULL without active users';

CREATE FUNCTION health.interaction(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_interaction'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.interaction(health.usage, date, jsonb, integer, text[]) IS
    'interact events per active user and week; NULL without active users or when the catalog lacks the role';

CREATE FUNCTION health.reply_ratio(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_reply_ratio'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.reply_ratio(health.usage, date, jsonb, integer, text[]) IS
    'interact events / create events in the window; NULL without create events';

CREATE FUNCTION health.spread(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_spread'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.spread(health.usage, date, jsonb, integer, text[]) IS
    'creators / active users, a creator having at least one create event; NULL without active users or when the catalog lacks the role';

CREATE FUNCTION health.creators(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_creators'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.creators(health.usage, date, jsonb, integer, text[]) IS
    'users with a create event in the window; NULL when the catalog lacks the role';

CREATE FUNCTION health.breadth(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    features text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_breadth'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.breadth(health.usage, date, jsonb, integer, text[]) IS
    'distinct features used in the window / features that the plan entitles (the features argument, else the catalog''s); NULL when none are';

CREATE FUNCTION health.depth(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL, daily_cap float8 DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_depth'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.depth(health.usage, date, jsonb, integer, text[], float8) IS
    'value points per active user in the window; daily_cap limits the points of a user and day; NULL without active users';

CREATE FUNCTION health.value_points(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL, daily_cap float8 DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_value_points'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.value_points(health.usage, date, jsonb, integer, text[], float8) IS
    'value points in the window: sum of events x their value in the catalog; daily_cap limits the points of a user and day';

CREATE FUNCTION health.sessions_per_user_week(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_sessions_per_user_week'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.sessions_per_user_week(health.usage, date, jsonb, integer, text[]) IS
    'session events per active user and week; NULL without such events';

CREATE FUNCTION health.amount_sum(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_amount_sum'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.amount_sum(health.usage, date, jsonb, integer, text[]) IS
    'sum of the amounts that events carry in the window; NULL when none does';

CREATE FUNCTION health.amount_mean(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_amount_mean'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.amount_mean(health.usage, date, jsonb, integer, text[]) IS
    'mean of the amounts that events carry in the window; NULL when none does';

CREATE FUNCTION health.dormant_users(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_dormant_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.dormant_users(health.usage, date, jsonb, integer, text[]) IS
    'entitled users without a qualifying event in the window';

CREATE FUNCTION health.first_event(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, events text[] DEFAULT NULL)
    RETURNS date
    AS 'MODULE_PATHNAME', 'health_first_event'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.first_event(health.usage, date, jsonb, text[]) IS
    'first day before as_of with a qualifying event; NULL when there is none';

CREATE FUNCTION health.last_event(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, events text[] DEFAULT NULL)
    RETURNS date
    AS 'MODULE_PATHNAME', 'health_last_event'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.last_event(health.usage, date, jsonb, text[]) IS
    'last day before as_of with a qualifying event; NULL when there is none';
