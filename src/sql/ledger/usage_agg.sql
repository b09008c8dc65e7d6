-- Aggregates that build and combine ledgers: usage_agg and rollup.
--
-- The transition state is a real type without polymorphic arguments, so that the same aggregates run serially, in parallel workers and
-- on the workers of a distributed PostgreSQL. Rows whose user, event or time is NULL are no events and are skipped.

CREATE TYPE health_internal.usage_state;

CREATE FUNCTION health_internal.usage_state_in(cstring) RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_state_in'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.usage_state_in(cstring) IS 'input of type health_internal.usage_state: the text form of health.usage';

CREATE FUNCTION health_internal.usage_state_out(health_internal.usage_state) RETURNS cstring
    AS 'MODULE_PATHNAME', 'health_usage_state_out'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.usage_state_out(health_internal.usage_state) IS
    'output of type health_internal.usage_state: the text form of health.usage';

CREATE FUNCTION health_internal.usage_state_recv(internal) RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_state_recv'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health_internal.usage_state_recv(internal) IS
    'binary input of type health_internal.usage_state: the bytes of health.usage';

CREATE FUNCTION health_internal.usage_state_send(health_internal.usage_state) RETURNS bytea
    AS 'MODULE_PATHNAME', 'health_usage_state_send'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health_internal.usage_state_send(health_internal.usage_state) IS
    'binary output of type health_internal.usage_state: the bytes of health.usage';

-- STORAGE plain: never compressed or shortened, so a state can be changed in place wherever the executor hands it over.
CREATE TYPE health_internal.usage_state (
    INPUT = health_internal.usage_state_in,
    OUTPUT = health_internal.usage_state_out,
    RECEIVE = health_internal.usage_state_recv,
    SEND = health_internal.usage_state_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = double,
    STORAGE = plain
);
COMMENT ON TYPE health_internal.usage_state IS 'transition state of usage_agg and rollup; store health.usage instead';

CREATE FUNCTION health_internal.usage_state_combine(a health_internal.usage_state, b health_internal.usage_state)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_state_combine'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health_internal.usage_state_combine(health_internal.usage_state, health_internal.usage_state) IS
    'adds two transition states';

CREATE FUNCTION health_internal.usage_state_final(state health_internal.usage_state) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_usage_state_final'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION health_internal.usage_state_final(health_internal.usage_state) IS
    'the ledger of a transition state; of no rows the empty ledger {}';

CREATE FUNCTION health_internal.rollup_transition(state health_internal.usage_state, usage health.usage) RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_rollup_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION health_internal.rollup_transition(health_internal.usage_state, health.usage) IS 'transition function of rollup';

CREATE AGGREGATE health.rollup(usage health.usage) (
    SFUNC = health_internal.rollup_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 2048,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.rollup(health.usage) IS 'the sum of ledgers; NULLs are skipped, of no rows the empty ledger {}';

-- usage_agg() for every type of user id and every shape of an event. What is compiled from a model uses the lenient one, so
-- that one bad row is one bad row.
--@for users
--@for events

CREATE FUNCTION health_internal.usage_agg_@users.name@_@function@(state health_internal.usage_state,
    user_id @users.name@, event text, occurred_at @time@@amount?, amount float8@@zone?, time_zone text@)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_@users.name@_@function@'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_@users.name@_@function@(health_internal.usage_state, @users.name@, text,
    @time@@amount?, float8@@zone?, text@) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id @users.name@, event text, occurred_at @time@@amount?, amount float8@@zone?, time_zone text@) (
    SFUNC = health_internal.usage_agg_@users.name@_@function@,
    STYPE = health_internal.usage_state,
    SSPACE = @space@,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(@users.name@, text, @time@@amount?, float8@@zone?, text@) IS
    'ledger of the events: @days?local {days}|days as they are@@amount?, with the sum of the amounts (kept to 10^-6)@; '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_@users.name@_@function@(state health_internal.usage_state,
    user_id @users.name@, event text, occurred_at @time@@amount?, amount float8@@zone?, time_zone text@)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_@users.name@_@function@'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_@users.name@_@function@(health_internal.usage_state, @users.name@, text,
    @time@@amount?, float8@@zone?, text@) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id @users.name@, event text, occurred_at @time@@amount?, amount float8@@zone?, time_zone text@) (
    SFUNC = health_internal.lenient_usage_agg_@users.name@_@function@,
    STYPE = health_internal.usage_state,
    SSPACE = @space@,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(@users.name@, text, @time@@amount?, float8@@zone?, text@) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';
--@end
--@end
