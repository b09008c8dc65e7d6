-- Metrics of users and accounts getting going.
--
-- Each reads one metric from a ledger, for any as_of: it sees days before as_of only. NULL means unknown; unknown_metrics() says why.
-- catalog: {"event": {"role": "create" | [...], "value": 10, "feature": "..."}, ...}; without one every event qualifies. events: only
-- these events, listed or not. Several metrics of one ledger are read faster by metrics().

CREATE FUNCTION health.onboarding_activation(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    onboarding_days integer DEFAULT 7, onboarding_events integer DEFAULT 1, onboarding_window integer DEFAULT 28,
    events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_onboarding_activation'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.onboarding_activation(health.usage, date, jsonb, integer, integer, integer, text[]) IS
    'of the users who joined in [as_of-X-W, as_of-X) the share with at least k different activation events within X days of joining (X onboarding_days, W onboarding_window, k onboarding_events); NULL when nobody is eligible';

CREATE FUNCTION health.invite_conversion(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    onboarding_days integer DEFAULT 7, events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_invite_conversion'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.invite_conversion(health.usage, date, jsonb, integer, text[]) IS
    'share of the users invited more than onboarding_days before as_of who have a create or consume event; NULL when there are none';

CREATE FUNCTION health.recency_days(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, events text[] DEFAULT NULL,
    user_id text DEFAULT NULL)
    RETURNS integer
    AS 'MODULE_PATHNAME', 'health_recency_days'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.recency_days(health.usage, date, jsonb, text[], text) IS
    'days from the last qualifying event to as_of, of the account or of one user (user_id as text); NULL when there is none';

CREATE FUNCTION health.growth(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_growth'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.growth(health.usage, date, jsonb, integer, text[]) IS
    'users who came in the window and have a qualifying event in it / users at the window''s start; NULL when there were none';

CREATE FUNCTION health.time_to_value(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL, events text[] DEFAULT NULL)
    RETURNS integer
    AS 'MODULE_PATHNAME', 'health_time_to_value'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.time_to_value(health.usage, date, jsonb, date, text[]) IS
    'days from the account''s start (account_start, else its first activity or joining) to its first activation event, at least 0; NULL when not reached';

CREATE FUNCTION health.trial_use(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, account_start date DEFAULT NULL,
    events text[] DEFAULT NULL)
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_trial_use'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.trial_use(health.usage, date, jsonb, date, text[]) IS
    'whether the first activation event came before the account''s start; NULL when not reached';
