-- The people of an account: what each did, and how each stands.

CREATE FUNCTION health_internal.account_users(model jsonb, account health.account_state, OUT user_id text, OUT standing text,
    OUT entitled boolean, OUT events bigint, OUT value_points float8, OUT share float8, OUT active_days integer, OUT recency_days integer,
    OUT baseline float8, OUT first_day date, OUT last_day date)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_account_users'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2000 ROWS 20;
COMMENT ON FUNCTION health_internal.account_users(jsonb, health.account_state) IS
    'Whoever belonged to an account, was invited to it or seen in it before the day, by id, with the settings of the model';
