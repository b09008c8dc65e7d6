-- Metrics of how much of an account hangs on few users. Contributions are events, or value points with by_value.
--
-- Each reads one metric from a ledger, for any as_of: it sees days before as_of only. NULL means unknown; unknown_metrics() says why.
-- catalog: {"event": {"role": "create" | [...], "value": 10, "feature": "..."}, ...}; without one every event qualifies. events: only
-- these events, listed or not. Several metrics of one ledger are read faster by metrics().

CREATE FUNCTION health.power_user_dependency(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL, by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL,
    top_k integer DEFAULT 1)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_power_user_dependency'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.power_user_dependency(health.usage, date, jsonb, integer, text[], boolean, float8, integer) IS
    'share of the events in the window that the top_k most active users made (default: the one); by_value: of the value points; NULL without events';

CREATE FUNCTION health.top2_share(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL, by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_top2_share'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.top2_share(health.usage, date, jsonb, integer, text[], boolean, float8) IS
    'share of the two largest contributions of active users in the window; NULL without events';

CREATE FUNCTION health.top3_share(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL, by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_top3_share'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.top3_share(health.usage, date, jsonb, integer, text[], boolean, float8) IS
    'share of the three largest contributions of active users in the window; NULL without events';

CREATE FUNCTION health.hhi(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL, by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_hhi'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.hhi(health.usage, date, jsonb, integer, text[], boolean, float8) IS
    'sum of the squared shares of active users (Herfindahl-Hirschman index): 1/n when even, 1 when one user does all; NULL without events';

CREATE FUNCTION health.effective_users(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL, by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_effective_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.effective_users(health.usage, date, jsonb, integer, text[], boolean, float8) IS
    '1 / hhi: the number of equally active users with the same concentration; NULL without events';

CREATE FUNCTION health.hhi_normalized(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL, by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_hhi_normalized'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.hhi_normalized(health.usage, date, jsonb, integer, text[], boolean, float8) IS
    '(hhi - 1/n) / (1 - 1/n): 0 when even, 1 when one user does all; NULL without events and for one user';

CREATE FUNCTION health.gini(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL, by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_gini'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.gini(health.usage, date, jsonb, integer, text[], boolean, float8) IS
    'Gini coefficient of the contributions of active users; 0 for one user, so never show it alone; NULL without events';

CREATE FUNCTION health.absence_factor(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL, by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_absence_factor'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.absence_factor(health.usage, date, jsonb, integer, text[], boolean, float8) IS
    'fewest users who make half of the contributions in the window; NULL without events';

CREATE FUNCTION health.top_user(usage health.usage, as_of date, catalog jsonb DEFAULT NULL, window_days integer DEFAULT 28,
    events text[] DEFAULT NULL, by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL)
    RETURNS text
    AS 'MODULE_PATHNAME', 'health_top_user'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.top_user(health.usage, date, jsonb, integer, text[], boolean, float8) IS
    'id of the user with the largest contribution in the window (ties: the smallest id); NULL without events';

CREATE FUNCTION health.top_users(usage health.usage, as_of date, top_k integer DEFAULT 5, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL, by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL,
    OUT user_id text, OUT contribution float8, OUT share float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_top_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500 ROWS 5;
COMMENT ON FUNCTION health.top_users(health.usage, date, integer, jsonb, integer, text[], boolean, float8) IS
    'the users with the largest contributions in the window and their shares, largest first, ties by id';

CREATE TYPE health.concentration_record AS (
    users bigint,
    total float8,
    top1 float8,
    top2 float8,
    top3 float8,
    hhi float8,
    effective_users float8,
    hhi_normalized float8,
    gini float8,
    absence_factor bigint
);
COMMENT ON TYPE health.concentration_record IS 'how much of a total hangs on few users';
COMMENT ON COLUMN health.concentration_record.users IS 'users with a contribution';
COMMENT ON COLUMN health.concentration_record.total IS 'sum of the contributions';
COMMENT ON COLUMN health.concentration_record.top1 IS 'share of the largest contribution: power-user dependency';
COMMENT ON COLUMN health.concentration_record.top2 IS 'share of the two largest';
COMMENT ON COLUMN health.concentration_record.top3 IS 'share of the three largest';
COMMENT ON COLUMN health.concentration_record.hhi IS 'sum of the squared shares (Herfindahl-Hirschman index)';
COMMENT ON COLUMN health.concentration_record.effective_users IS '1 / hhi: equally active users with the same concentration';
COMMENT ON COLUMN health.concentration_record.hhi_normalized IS '(hhi - 1/n) / (1 - 1/n): 0 even, 1 one user does all; NULL for one user';
COMMENT ON COLUMN health.concentration_record.gini IS 'Gini coefficient; 0 for one user, so never show it alone';
COMMENT ON COLUMN health.concentration_record.absence_factor IS 'fewest users who reach half of the total';

CREATE FUNCTION health.concentration(usage health.usage, as_of date, catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28, events text[] DEFAULT NULL, by_value boolean DEFAULT false, daily_cap float8 DEFAULT NULL)
    RETURNS health.concentration_record
    AS 'MODULE_PATHNAME', 'health_concentration_reader'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.concentration(health.usage, date, jsonb, integer, text[], boolean, float8) IS
    'concentration of the contributions of the users active in the window';
