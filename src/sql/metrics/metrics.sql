-- All metrics of a ledger from one decode: metrics(), metrics_series(), unknown_metrics().
--
-- Definitions: docs/reference/metrics.md. Every metric sees local days before as_of only. NULL is unknown, never a zero.

CREATE TYPE health.metrics_record AS (
    total_users bigint,
    active_users bigint,
    events bigint,
    activation_rate float8,
    activation_rate_low float8,
    activation_rate_high float8,
    coverage float8,
    adoption_rate float8,
    onboarding_activation float8,
    invite_conversion float8,
    trend_4w float8,
    trend_4w_users float8,
    trend_4w_value float8,
    dropoff float8,
    slope_4w float8,
    dip_streak integer,
    cadence float8,
    events_per_user_week float8,
    stickiness float8,
    interaction float8,
    reply_ratio float8,
    spread float8,
    creators bigint,
    breadth float8,
    depth float8,
    value_points float8,
    sessions_per_user_week float8,
    amount_sum float8,
    amount_mean float8,
    recency_days integer,
    growth float8,
    time_to_value integer,
    trial_use boolean,
    dormant_users bigint,
    power_user_dependency float8,
    top_user text,
    top2_share float8,
    top3_share float8,
    hhi float8,
    effective_users float8,
    hhi_normalized float8,
    gini float8,
    absence_factor bigint,
    first_event date,
    last_event date,
    weekly bigint[]
);
COMMENT ON TYPE health.metrics_record IS 'the usage metrics of one account at one date';
COMMENT ON COLUMN health.metrics_record.total_users IS 'entitled users at as_of: the user roster''s, else all users seen before as_of';
COMMENT ON COLUMN health.metrics_record.active_users IS 'users with a qualifying event in the window';
COMMENT ON COLUMN health.metrics_record.events IS 'qualifying events in the window';
COMMENT ON COLUMN health.metrics_record.activation_rate IS 'active users / total users; NULL without users';
COMMENT ON COLUMN health.metrics_record.activation_rate_low IS 'lower end of the activation rate''s 95 % Wilson interval; NULL without users or when more users are active than entitled';
COMMENT ON COLUMN health.metrics_record.activation_rate_high IS 'upper end of the activation rate''s 95 % Wilson interval; NULL without users or when more users are active than entitled';
COMMENT ON COLUMN health.metrics_record.coverage IS 'users with a create or consume event in the window / total users; NULL without users or when the catalog has neither role';
COMMENT ON COLUMN health.metrics_record.adoption_rate IS 'active users / licensed seats; NULL when the seats are NULL or 0';
COMMENT ON COLUMN health.metrics_record.onboarding_activation IS 'of the users who joined in [as_of-X-W, as_of-X) the share with at least k different activation events within X days of joining (X onboarding_days, W onboarding_window, k onboarding_events); NULL when nobody is eligible';
COMMENT ON COLUMN health.metrics_record.invite_conversion IS 'share of the users invited more than onboarding_days before as_of who have a create or consume event; NULL when there are none';
COMMENT ON COLUMN health.metrics_record.trend_4w IS 'events of weeks 1-4 / events of weeks 5-8 - 1; NULL for an account younger than 8 weeks and when something follows nothing';
COMMENT ON COLUMN health.metrics_record.trend_4w_users IS 'active users of weeks 1-4 / active users of weeks 5-8 - 1; NULL for an account younger than 8 weeks and when something follows nothing';
COMMENT ON COLUMN health.metrics_record.trend_4w_value IS 'value points of weeks 1-4 / value points of weeks 5-8 - 1; NULL for an account younger than 8 weeks and when something follows nothing';
COMMENT ON COLUMN health.metrics_record.dropoff IS 'events of the last week / mean of the four weeks before - 1; NULL for an account younger than 5 weeks';
COMMENT ON COLUMN health.metrics_record.slope_4w IS 'least-squares slope per week of the last four weeks'' events / their mean; NULL without events';
COMMENT ON COLUMN health.metrics_record.dip_streak IS 'number of consecutive week-on-week decreases of events that end at the last week';
COMMENT ON COLUMN health.metrics_record.cadence IS 'weeks with activity among the last 8 complete weeks / weeks available (at most 8); NULL for an account younger than 1 week';
COMMENT ON COLUMN health.metrics_record.events_per_user_week IS 'events per active user and week; NULL without active users';
COMMENT ON COLUMN health.metrics_record.stickiness IS 'mean daily active users over the window / active users; NULL without active users';
COMMENT ON COLUMN health.metrics_record.interaction IS 'interact events per active user and week; NULL without active users or when the catalog lacks the role';
COMMENT ON COLUMN health.metrics_record.reply_ratio IS 'interact events / create events in the window; NULL without create events';
COMMENT ON COLUMN health.metrics_record.spread IS 'creators / active users, a creator having at least one create event; NULL without active users or when the catalog lacks the role';
COMMENT ON COLUMN health.metrics_record.creators IS 'users with a create event in the window; NULL when the catalog lacks the role';
COMMENT ON COLUMN health.metrics_record.breadth IS 'distinct features used in the window / features that the plan entitles (features, else the catalog''s); NULL when none are';
COMMENT ON COLUMN health.metrics_record.depth IS 'value points per active user in the window; daily_cap limits the points of a user and day; NULL without active users';
COMMENT ON COLUMN health.metrics_record.value_points IS 'value points in the window: sum of events x their value in the catalog; daily_cap limits the points of a user and day';
COMMENT ON COLUMN health.metrics_record.sessions_per_user_week IS 'session events per active user and week; NULL without such events';
COMMENT ON COLUMN health.metrics_record.amount_sum IS 'sum of the amounts that events carry in the window; NULL when none does';
COMMENT ON COLUMN health.metrics_record.amount_mean IS 'mean of the amounts that events carry in the window; NULL when none does';
COMMENT ON COLUMN health.metrics_record.recency_days IS 'days from the last qualifying event to as_of, of the account or of one user (user_id as text); NULL when there is none';
COMMENT ON COLUMN health.metrics_record.growth IS 'users who came in the window and have a qualifying event in it / users at the window''s start; NULL when there were none';
COMMENT ON COLUMN health.metrics_record.time_to_value IS 'days from the account''s start (account_start, else its first activity or joining) to its first activation event, at least 0; NULL when not reached';
COMMENT ON COLUMN health.metrics_record.trial_use IS 'whether the first activation event came before the account''s start; NULL when not reached';
COMMENT ON COLUMN health.metrics_record.dormant_users IS 'entitled users without a qualifying event in the window';
COMMENT ON COLUMN health.metrics_record.power_user_dependency IS 'share of the events in the window that the top_k most active users made (default: the one); by_value: of the value points; NULL without events';
COMMENT ON COLUMN health.metrics_record.top_user IS 'user with the largest contribution (ties: the smallest id)';
COMMENT ON COLUMN health.metrics_record.top2_share IS 'share of the two largest contributions of active users in the window; NULL without events';
COMMENT ON COLUMN health.metrics_record.top3_share IS 'share of the three largest contributions of active users in the window; NULL without events';
COMMENT ON COLUMN health.metrics_record.hhi IS 'sum of the squared shares of active users (Herfindahl-Hirschman index): 1/n when even, 1 when one user does all; NULL without events';
COMMENT ON COLUMN health.metrics_record.effective_users IS '1 / hhi: the number of equally active users with the same concentration; NULL without events';
COMMENT ON COLUMN health.metrics_record.hhi_normalized IS '(hhi - 1/n) / (1 - 1/n): 0 when even, 1 when one user does all; NULL without events and for one user';
COMMENT ON COLUMN health.metrics_record.gini IS 'Gini coefficient of the contributions of active users; 0 for one user, so never show it alone; NULL without events';
COMMENT ON COLUMN health.metrics_record.absence_factor IS 'fewest users who make half of the contributions in the window; NULL without events';
COMMENT ON COLUMN health.metrics_record.first_event IS 'first day with a qualifying event';
COMMENT ON COLUMN health.metrics_record.last_event IS 'last day with a qualifying event before as_of';
COMMENT ON COLUMN health.metrics_record.weekly IS 'qualifying events of the last 12 weeks, oldest first';

CREATE FUNCTION health.metrics(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    account_start date DEFAULT NULL, seats float8 DEFAULT NULL, onboarding_days integer DEFAULT 7,
    onboarding_events integer DEFAULT 1, onboarding_window integer DEFAULT 28, features text[] DEFAULT NULL,
    daily_cap float8 DEFAULT NULL)
    RETURNS health.metrics_record
    AS 'MODULE_PATHNAME', 'health_metrics'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1500;
COMMENT ON FUNCTION health.metrics(health.usage, date, jsonb, integer, date, float8, integer, integer, integer, text[], float8) IS
    'all usage metrics of a ledger as of a date (exclusive), from one decode. catalog: the event catalog as jsonb; window_days: 28, so that every weekday is in it equally often; account_start: else the first activity or joining; seats: licensed; features: entitled by the plan; daily_cap: most value points of a user and day';

CREATE FUNCTION health.metrics_series(usage health.usage, from_date date, to_date date, step integer DEFAULT 1,
    catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28, account_start date DEFAULT NULL, seats float8 DEFAULT NULL,
    onboarding_days integer DEFAULT 7, onboarding_events integer DEFAULT 1, onboarding_window integer DEFAULT 28,
    features text[] DEFAULT NULL, daily_cap float8 DEFAULT NULL, OUT as_of date, OUT total_users bigint,
    OUT active_users bigint, OUT events bigint, OUT activation_rate float8, OUT activation_rate_low float8,
    OUT activation_rate_high float8, OUT coverage float8, OUT adoption_rate float8, OUT onboarding_activation float8,
    OUT invite_conversion float8, OUT trend_4w float8, OUT trend_4w_users float8, OUT trend_4w_value float8,
    OUT dropoff float8, OUT slope_4w float8, OUT dip_streak integer, OUT cadence float8, OUT events_per_user_week float8,
    OUT stickiness float8, OUT interaction float8, OUT reply_ratio float8, OUT spread float8, OUT creators bigint,
    OUT breadth float8, OUT depth float8, OUT value_points float8, OUT sessions_per_user_week float8, OUT amount_sum float8,
    OUT amount_mean float8, OUT recency_days integer, OUT growth float8, OUT time_to_value integer, OUT trial_use boolean,
    OUT dormant_users bigint, OUT power_user_dependency float8, OUT top_user text, OUT top2_share float8,
    OUT top3_share float8, OUT hhi float8, OUT effective_users float8, OUT hhi_normalized float8, OUT gini float8,
    OUT absence_factor bigint, OUT first_event date, OUT last_event date, OUT weekly bigint[])
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_metrics_series'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 5000 ROWS 60;
COMMENT ON FUNCTION health.metrics_series(health.usage, date, date, integer, jsonb, integer, date, float8, integer, integer, integer, text[], float8) IS
    'all usage metrics for every step-th as_of from from_date to to_date (both included), from one decode';

CREATE FUNCTION health.unknown_metrics(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, account_start date DEFAULT NULL, seats float8 DEFAULT NULL,
    onboarding_days integer DEFAULT 7, onboarding_events integer DEFAULT 1, onboarding_window integer DEFAULT 28,
    features text[] DEFAULT NULL, daily_cap float8 DEFAULT NULL, OUT metric text, OUT reason text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_unknown_metrics'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1500 ROWS 10;
COMMENT ON FUNCTION health.unknown_metrics(health.usage, date, jsonb, integer, date, float8, integer, integer, integer, text[], float8) IS
    'the metrics that metrics() leaves NULL, each with its reason: no_data, zero_denominator, insufficient_history or not_applicable';
