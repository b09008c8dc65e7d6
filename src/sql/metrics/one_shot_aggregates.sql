-- One-shot aggregates: one number of a query's rows, without a ledger to keep.
--
-- Their states are real types with combine functions, so they run with FILTER, as window aggregates, in parallel workers and on the
-- workers of a distributed PostgreSQL. Sums are exact (weights are kept to 10^-6), so that no result depends on the order of rows.

CREATE FUNCTION health_internal.activation_rate_final(state health_internal.usage_state)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_activation_rate_final'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION health_internal.activation_rate_final(health_internal.usage_state) IS 'final function of activation_rate';
--@for users

CREATE FUNCTION health_internal.activation_rate_@name@_transition(state health_internal.usage_state, user_id @name@, active boolean)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_activation_rate_@name@_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.activation_rate_@name@_transition(health_internal.usage_state, @name@, boolean) IS
    'transition function of activation_rate';

CREATE AGGREGATE health.activation_rate(user_id @name@, active boolean) (
    SFUNC = health_internal.activation_rate_@name@_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.activation_rate_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.activation_rate(@name@, boolean) IS
    'distinct users with an active row / distinct users; rows with a NULL user are skipped, a NULL active is not active; NULL of no rows';
--@end
--@for users

CREATE FUNCTION health_internal.user_@name@_transition(state health_internal.usage_state, user_id @name@)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_@name@_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_@name@_transition(health_internal.usage_state, @name@) IS
    'transition function of power_user_dependency and concentration';

CREATE FUNCTION health_internal.user_weight_@name@_transition(state health_internal.usage_state, user_id @name@, weight float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_weight_@name@_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_weight_@name@_transition(health_internal.usage_state, @name@, float8) IS
    'transition function of weighted power_user_dependency and concentration';
--@end

CREATE FUNCTION health_internal.power_user_dependency_final(state health_internal.usage_state)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_power_user_dependency_final'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION health_internal.power_user_dependency_final(health_internal.usage_state) IS 'final function of power_user_dependency';

CREATE FUNCTION health_internal.power_user_dependency_weight_final(state health_internal.usage_state)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_power_user_dependency_weight_final'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION health_internal.power_user_dependency_weight_final(health_internal.usage_state) IS
    'final function of weighted power_user_dependency';
--@for users

CREATE AGGREGATE health.power_user_dependency(user_id @name@) (
    SFUNC = health_internal.user_@name@_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.power_user_dependency_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.power_user_dependency(@name@) IS
    'share of the rows that belong to the user with the most; rows with a NULL user are skipped; NULL of no rows';

CREATE AGGREGATE health.power_user_dependency(user_id @name@, weight float8) (
    SFUNC = health_internal.user_weight_@name@_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.power_user_dependency_weight_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.power_user_dependency(@name@, float8) IS
    'share of the total weight that belongs to the user with the most; rows with a NULL user or weight are skipped, '
    'a negative or infinite weight is an error; NULL of no rows';
--@end

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
--@for users

CREATE AGGREGATE health.concentration(user_id @name@) (
    SFUNC = health_internal.user_@name@_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.concentration_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.concentration(@name@) IS
    'how much of the rows hangs on few users: top shares, HHI, effective users, Gini, absence factor; '
    'rows with a NULL user are skipped; NULL of no rows';

CREATE AGGREGATE health.concentration(user_id @name@, weight float8) (
    SFUNC = health_internal.user_weight_@name@_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 512,
    FINALFUNC = health_internal.concentration_weight_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.concentration(@name@, float8) IS
    'how much of the total weight hangs on few users: top shares, HHI, effective users, Gini, absence factor; '
    'rows with a NULL user or weight are skipped, '
    'a negative or infinite weight is an error; NULL of no rows';
--@end

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
--@for events where amount is not yes

CREATE FUNCTION health_internal.trend_4w_@function@(state bigint[], occurred_at @time@, as_of date@zone?, time_zone text@)
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_trend_4w_@function@'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.trend_4w_@function@(bigint[], @time@, date@zone?, text@) IS
    'transition function of trend_4w';

CREATE AGGREGATE health.trend_4w(occurred_at @time@, as_of date@zone?, time_zone text@) (
    SFUNC = health_internal.trend_4w_@function@,
    STYPE = bigint[],
    SSPACE = 56,
    FINALFUNC = health_internal.trend_4w_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.trend_4w_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.trend_4w(@time@, date@zone?, text@) IS
    'events in the four weeks before as_of / events in the four weeks before those - 1@days?, in {days}@; the first event of the group '
    'stands for the account''s start: NULL when that is less than 8 weeks before as_of, of no rows, and when something follows nothing';
--@end
