-- One-shot aggregates: one number of a query's rows, without a ledger to keep.
--
-- Their states are real types with combine functions, so they run with FILTER, as window aggregates, in parallel workers and on the
-- workers of a distributed PostgreSQL. Sums are exact (weights are kept to 10^-6), so that no result depends on the order of rows.

CREATE FUNCTION health_internal.activation_rate_final(state health_internal.usage_state)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_activation_rate_final'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION health_internal.activation_rate_final(health_internal.usage_state) IS 'final function of activation_rate';

CREATE FUNCTION health_internal.activation_rate_bigint_transition(state health_internal.usage_state, user_id bigint, active boolean)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_activation_rate_bigint_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.activation_rate_bigint_transition(health_internal.usage_state, bigint, boolean) IS 'transition function of activation_rate';

CREATE AGGREGATE health.activation_rate(user_id bigint, active boolean) (
    SFUNC = health_internal.activation_rate_bigint_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.activation_rate_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.activation_rate(bigint, boolean) IS
    'distinct users with an active row / distinct users; rows with a NULL user are skipped, a NULL active is not active; NULL of no rows';

CREATE FUNCTION health_internal.activation_rate_uuid_transition(state health_internal.usage_state, user_id uuid, active boolean)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_activation_rate_uuid_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.activation_rate_uuid_transition(health_internal.usage_state, uuid, boolean) IS 'transition function of activation_rate';

CREATE AGGREGATE health.activation_rate(user_id uuid, active boolean) (
    SFUNC = health_internal.activation_rate_uuid_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.activation_rate_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.activation_rate(uuid, boolean) IS
    'distinct users with an active row / distinct users; rows with a NULL user are skipped, a NULL active is not active; NULL of no rows';

CREATE FUNCTION health_internal.activation_rate_text_transition(state health_internal.usage_state, user_id text, active boolean)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_activation_rate_text_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.activation_rate_text_transition(health_internal.usage_state, text, boolean) IS 'transition function of activation_rate';

CREATE AGGREGATE health.activation_rate(user_id text, active boolean) (
    SFUNC = health_internal.activation_rate_text_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.activation_rate_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.activation_rate(text, boolean) IS
    'distinct users with an active row / distinct users; rows with a NULL user are skipped, a NULL active is not active; NULL of no rows';

CREATE FUNCTION health_internal.user_bigint_transition(state health_internal.usage_state, user_id bigint)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_bigint_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_bigint_transition(health_internal.usage_state, bigint) IS 'transition function of power_user_dependency and concentration';

CREATE FUNCTION health_internal.user_weight_bigint_transition(state health_internal.usage_state, user_id bigint, weight float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_weight_bigint_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_weight_bigint_transition(health_internal.usage_state, bigint, float8) IS 'transition function of weighted power_user_dependency and concentration';

CREATE FUNCTION health_internal.user_uuid_transition(state health_internal.usage_state, user_id uuid)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_uuid_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_uuid_transition(health_internal.usage_state, uuid) IS 'transition function of power_user_dependency and concentration';

CREATE FUNCTION health_internal.user_weight_uuid_transition(state health_internal.usage_state, user_id uuid, weight float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_weight_uuid_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_weight_uuid_transition(health_internal.usage_state, uuid, float8) IS 'transition function of weighted power_user_dependency and concentration';

CREATE FUNCTION health_internal.user_text_transition(state health_internal.usage_state, user_id text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_text_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_text_transition(health_internal.usage_state, text) IS 'transition function of power_user_dependency and concentration';

CREATE FUNCTION health_internal.user_weight_text_transition(state health_internal.usage_state, user_id text, weight float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_weight_text_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_weight_text_transition(health_internal.usage_state, text, float8) IS 'transition function of weighted power_user_dependency and concentration';

CREATE FUNCTION health_internal.power_user_dependency_final(state health_internal.usage_state)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_power_user_dependency_final'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION health_internal.power_user_dependency_final(health_internal.usage_state) IS 'final function of power_user_dependency';

CREATE FUNCTION health_internal.power_user_dependency_weight_final(state health_internal.usage_state)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_power_user_dependency_weight_final'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION health_internal.power_user_dependency_weight_final(health_internal.usage_state) IS 'final function of weighted power_user_dependency';

CREATE AGGREGATE health.power_user_dependency(user_id bigint) (
    SFUNC = health_internal.user_bigint_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.power_user_dependency_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.power_user_dependency(bigint) IS
    'share of the rows that belong to the user with the most; rows with a NULL user are skipped; NULL of no rows';

CREATE AGGREGATE health.power_user_dependency(user_id bigint, weight float8) (
    SFUNC = health_internal.user_weight_bigint_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.power_user_dependency_weight_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.power_user_dependency(bigint, float8) IS
    'share of the total weight that belongs to the user with the most; rows with a NULL user or weight are skipped, a negative or infinite weight is an error; NULL of no rows';

CREATE AGGREGATE health.power_user_dependency(user_id uuid) (
    SFUNC = health_internal.user_uuid_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.power_user_dependency_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.power_user_dependency(uuid) IS
    'share of the rows that belong to the user with the most; rows with a NULL user are skipped; NULL of no rows';

CREATE AGGREGATE health.power_user_dependency(user_id uuid, weight float8) (
    SFUNC = health_internal.user_weight_uuid_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.power_user_dependency_weight_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.power_user_dependency(uuid, float8) IS
    'share of the total weight that belongs to the user with the most; rows with a NULL user or weight are skipped, a negative or infinite weight is an error; NULL of no rows';

CREATE AGGREGATE health.power_user_dependency(user_id text) (
    SFUNC = health_internal.user_text_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.power_user_dependency_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.power_user_dependency(text) IS
    'share of the rows that belong to the user with the most; rows with a NULL user are skipped; NULL of no rows';

CREATE AGGREGATE health.power_user_dependency(user_id text, weight float8) (
    SFUNC = health_internal.user_weight_text_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.power_user_dependency_weight_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.power_user_dependency(text, float8) IS
    'share of the total weight that belongs to the user with the most; rows with a NULL user or weight are skipped, a negative or infinite weight is an error; NULL of no rows';

CREATE FUNCTION health_internal.concentration_final(state health_internal.usage_state)
    RETURNS health.concentration_record
    AS 'MODULE_PATHNAME', 'health_concentration_final'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION health_internal.concentration_final(health_internal.usage_state) IS 'final function of concentration';

CREATE FUNCTION health_internal.concentration_weight_final(state health_internal.usage_state)
    RETURNS health.concentration_record
    AS 'MODULE_PATHNAME', 'health_concentration_weight_final'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION health_internal.concentration_weight_final(health_internal.usage_state) IS 'final function of weighted concentration';

CREATE AGGREGATE health.concentration(user_id bigint) (
    SFUNC = health_internal.user_bigint_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.concentration_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.concentration(bigint) IS
    'how much of the rows hangs on few users: top shares, HHI, effective users, Gini, absence factor; rows with a NULL user are skipped; NULL of no rows';

CREATE AGGREGATE health.concentration(user_id bigint, weight float8) (
    SFUNC = health_internal.user_weight_bigint_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.concentration_weight_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.concentration(bigint, float8) IS
    'how much of the total weight hangs on few users: top shares, HHI, effective users, Gini, absence factor; rows with a NULL user or weight are skipped, a negative or infinite weight is an error; NULL of no rows';

CREATE AGGREGATE health.concentration(user_id uuid) (
    SFUNC = health_internal.user_uuid_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.concentration_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.concentration(uuid) IS
    'how much of the rows hangs on few users: top shares, HHI, effective users, Gini, absence factor; rows with a NULL user are skipped; NULL of no rows';

CREATE AGGREGATE health.concentration(user_id uuid, weight float8) (
    SFUNC = health_internal.user_weight_uuid_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.concentration_weight_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.concentration(uuid, float8) IS
    'how much of the total weight hangs on few users: top shares, HHI, effective users, Gini, absence factor; rows with a NULL user or weight are skipped, a negative or infinite weight is an error; NULL of no rows';

CREATE AGGREGATE health.concentration(user_id text) (
    SFUNC = health_internal.user_text_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.concentration_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.concentration(text) IS
    'how much of the rows hangs on few users: top shares, HHI, effective users, Gini, absence factor; rows with a NULL user are skipped; NULL of no rows';

CREATE AGGREGATE health.concentration(user_id text, weight float8) (
    SFUNC = health_internal.user_weight_text_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.concentration_weight_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.concentration(text, float8) IS
    'how much of the total weight hangs on few users: top shares, HHI, effective users, Gini, absence factor; rows with a NULL user or weight are skipped, a negative or infinite weight is an error; NULL of no rows';

CREATE FUNCTION health_internal.trend_4w_combine(a bigint[], b bigint[])
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_trend_4w_combine'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.trend_4w_combine(bigint[], bigint[]) IS 'adds two transition states of trend_4w';

CREATE FUNCTION health_internal.trend_4w_final(state bigint[])
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_trend_4w_final'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.trend_4w_final(bigint[]) IS 'final function of trend_4w';

CREATE FUNCTION health_internal.trend_4w_transition(state bigint[], occurred_at timestamptz, as_of date)
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_trend_4w_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.trend_4w_transition(bigint[], timestamptz, date) IS 'transition function of trend_4w';

CREATE AGGREGATE health.trend_4w(occurred_at timestamptz, as_of date) (
    SFUNC = health_internal.trend_4w_transition,
    STYPE = bigint[],
    SSPACE = 56,
    FINALFUNC = health_internal.trend_4w_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.trend_4w_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.trend_4w(timestamptz, date) IS
    'events in the four weeks before as_of / events in the four weeks before those - 1, in days of UTC; the first event of the group stands for the account''s start: NULL when that is less than 8 weeks before as_of, of no rows, and when something follows nothing';

CREATE FUNCTION health_internal.trend_4w_zone_transition(state bigint[], occurred_at timestamptz, as_of date, time_zone text)
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_trend_4w_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.trend_4w_zone_transition(bigint[], timestamptz, date, text) IS 'transition function of trend_4w';

CREATE AGGREGATE health.trend_4w(occurred_at timestamptz, as_of date, time_zone text) (
    SFUNC = health_internal.trend_4w_zone_transition,
    STYPE = bigint[],
    SSPACE = 56,
    FINALFUNC = health_internal.trend_4w_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.trend_4w_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.trend_4w(timestamptz, date, text) IS
    'events in the four weeks before as_of / events in the four weeks before those - 1, in days of the time zone; the first event of the group stands for the account''s start: NULL when that is less than 8 weeks before as_of, of no rows, and when something follows nothing';

CREATE FUNCTION health_internal.trend_4w_date_transition(state bigint[], occurred_at date, as_of date)
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_trend_4w_date_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.trend_4w_date_transition(bigint[], date, date) IS 'transition function of trend_4w';

CREATE AGGREGATE health.trend_4w(occurred_at date, as_of date) (
    SFUNC = health_internal.trend_4w_date_transition,
    STYPE = bigint[],
    SSPACE = 56,
    FINALFUNC = health_internal.trend_4w_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.trend_4w_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.trend_4w(date, date) IS
    'events in the four weeks before as_of / events in the four weeks before those - 1; the first event of the group stands for the account''s start: NULL when that is less than 8 weeks before as_of, of no rows, and when something follows nothing';
