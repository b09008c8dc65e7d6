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
COMMENT ON FUNCTION health_internal.usage_state_out(health_internal.usage_state) IS 'output of type health_internal.usage_state: the text form of health.usage';

CREATE FUNCTION health_internal.usage_state_recv(internal) RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_state_recv'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health_internal.usage_state_recv(internal) IS 'binary input of type health_internal.usage_state: the bytes of health.usage';

CREATE FUNCTION health_internal.usage_state_send(health_internal.usage_state) RETURNS bytea
    AS 'MODULE_PATHNAME', 'health_usage_state_send'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health_internal.usage_state_send(health_internal.usage_state) IS 'binary output of type health_internal.usage_state: the bytes of health.usage';

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

CREATE FUNCTION health_internal.usage_state_combine(a health_internal.usage_state, b health_internal.usage_state) RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_state_combine'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health_internal.usage_state_combine(health_internal.usage_state, health_internal.usage_state) IS 'adds two transition states';

CREATE FUNCTION health_internal.usage_state_final(state health_internal.usage_state) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_usage_state_final'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION health_internal.usage_state_final(health_internal.usage_state) IS 'the ledger of a transition state; of no rows the empty ledger {}';

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

CREATE FUNCTION health_internal.usage_agg_bigint_transition(state health_internal.usage_state, user_id bigint, event text, occurred_at timestamptz)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_bigint_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_bigint_transition(health_internal.usage_state, bigint, text, timestamptz) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id bigint, event text, occurred_at timestamptz) (
    SFUNC = health_internal.usage_agg_bigint_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 1024,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(bigint, text, timestamptz) IS
    'ledger of the events: local days of UTC; rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_bigint_zone_transition(state health_internal.usage_state, user_id bigint, event text, occurred_at timestamptz, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_bigint_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_bigint_zone_transition(health_internal.usage_state, bigint, text, timestamptz, text) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id bigint, event text, occurred_at timestamptz, time_zone text) (
    SFUNC = health_internal.usage_agg_bigint_zone_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 1024,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(bigint, text, timestamptz, text) IS
    'ledger of the events: local days of the time zone; rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_bigint_amount_transition(state health_internal.usage_state, user_id bigint, event text, occurred_at timestamptz, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_bigint_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_bigint_amount_transition(health_internal.usage_state, bigint, text, timestamptz, float8) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id bigint, event text, occurred_at timestamptz, amount float8) (
    SFUNC = health_internal.usage_agg_bigint_amount_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 1024,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(bigint, text, timestamptz, float8) IS
    'ledger of the events: local days of UTC, with the sum of the amounts (kept to 10^-6); rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_bigint_amount_zone_transition(state health_internal.usage_state, user_id bigint, event text, occurred_at timestamptz, amount float8, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_bigint_amount_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_bigint_amount_zone_transition(health_internal.usage_state, bigint, text, timestamptz, float8, text) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id bigint, event text, occurred_at timestamptz, amount float8, time_zone text) (
    SFUNC = health_internal.usage_agg_bigint_amount_zone_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 1024,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(bigint, text, timestamptz, float8, text) IS
    'ledger of the events: local days of the time zone, with the sum of the amounts (kept to 10^-6); rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_bigint_date_transition(state health_internal.usage_state, user_id bigint, event text, occurred_at date)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_bigint_date_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_bigint_date_transition(health_internal.usage_state, bigint, text, date) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id bigint, event text, occurred_at date) (
    SFUNC = health_internal.usage_agg_bigint_date_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 1024,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(bigint, text, date) IS
    'ledger of the events: days as they are; rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_bigint_date_amount_transition(state health_internal.usage_state, user_id bigint, event text, occurred_at date, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_bigint_date_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_bigint_date_amount_transition(health_internal.usage_state, bigint, text, date, float8) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id bigint, event text, occurred_at date, amount float8) (
    SFUNC = health_internal.usage_agg_bigint_date_amount_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 1024,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(bigint, text, date, float8) IS
    'ledger of the events: days as they are, with the sum of the amounts (kept to 10^-6); rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_uuid_transition(state health_internal.usage_state, user_id uuid, event text, occurred_at timestamptz)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_uuid_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_uuid_transition(health_internal.usage_state, uuid, text, timestamptz) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id uuid, event text, occurred_at timestamptz) (
    SFUNC = health_internal.usage_agg_uuid_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(uuid, text, timestamptz) IS
    'ledger of the events: local days of UTC; rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_uuid_zone_transition(state health_internal.usage_state, user_id uuid, event text, occurred_at timestamptz, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_uuid_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_uuid_zone_transition(health_internal.usage_state, uuid, text, timestamptz, text) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id uuid, event text, occurred_at timestamptz, time_zone text) (
    SFUNC = health_internal.usage_agg_uuid_zone_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(uuid, text, timestamptz, text) IS
    'ledger of the events: local days of the time zone; rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_uuid_amount_transition(state health_internal.usage_state, user_id uuid, event text, occurred_at timestamptz, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_uuid_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_uuid_amount_transition(health_internal.usage_state, uuid, text, timestamptz, float8) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id uuid, event text, occurred_at timestamptz, amount float8) (
    SFUNC = health_internal.usage_agg_uuid_amount_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(uuid, text, timestamptz, float8) IS
    'ledger of the events: local days of UTC, with the sum of the amounts (kept to 10^-6); rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_uuid_amount_zone_transition(state health_internal.usage_state, user_id uuid, event text, occurred_at timestamptz, amount float8, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_uuid_amount_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_uuid_amount_zone_transition(health_internal.usage_state, uuid, text, timestamptz, float8, text) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id uuid, event text, occurred_at timestamptz, amount float8, time_zone text) (
    SFUNC = health_internal.usage_agg_uuid_amount_zone_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(uuid, text, timestamptz, float8, text) IS
    'ledger of the events: local days of the time zone, with the sum of the amounts (kept to 10^-6); rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_uuid_date_transition(state health_internal.usage_state, user_id uuid, event text, occurred_at date)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_uuid_date_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_uuid_date_transition(health_internal.usage_state, uuid, text, date) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id uuid, event text, occurred_at date) (
    SFUNC = health_internal.usage_agg_uuid_date_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(uuid, text, date) IS
    'ledger of the events: days as they are; rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_uuid_date_amount_transition(state health_internal.usage_state, user_id uuid, event text, occurred_at date, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_uuid_date_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_uuid_date_amount_transition(health_internal.usage_state, uuid, text, date, float8) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id uuid, event text, occurred_at date, amount float8) (
    SFUNC = health_internal.usage_agg_uuid_date_amount_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(uuid, text, date, float8) IS
    'ledger of the events: days as they are, with the sum of the amounts (kept to 10^-6); rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_text_transition(state health_internal.usage_state, user_id text, event text, occurred_at timestamptz)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_text_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_text_transition(health_internal.usage_state, text, text, timestamptz) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id text, event text, occurred_at timestamptz) (
    SFUNC = health_internal.usage_agg_text_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(text, text, timestamptz) IS
    'ledger of the events: local days of UTC; rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_text_zone_transition(state health_internal.usage_state, user_id text, event text, occurred_at timestamptz, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_text_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_text_zone_transition(health_internal.usage_state, text, text, timestamptz, text) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id text, event text, occurred_at timestamptz, time_zone text) (
    SFUNC = health_internal.usage_agg_text_zone_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(text, text, timestamptz, text) IS
    'ledger of the events: local days of the time zone; rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_text_amount_transition(state health_internal.usage_state, user_id text, event text, occurred_at timestamptz, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_text_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_text_amount_transition(health_internal.usage_state, text, text, timestamptz, float8) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id text, event text, occurred_at timestamptz, amount float8) (
    SFUNC = health_internal.usage_agg_text_amount_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(text, text, timestamptz, float8) IS
    'ledger of the events: local days of UTC, with the sum of the amounts (kept to 10^-6); rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_text_amount_zone_transition(state health_internal.usage_state, user_id text, event text, occurred_at timestamptz, amount float8, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_text_amount_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_text_amount_zone_transition(health_internal.usage_state, text, text, timestamptz, float8, text) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id text, event text, occurred_at timestamptz, amount float8, time_zone text) (
    SFUNC = health_internal.usage_agg_text_amount_zone_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(text, text, timestamptz, float8, text) IS
    'ledger of the events: local days of the time zone, with the sum of the amounts (kept to 10^-6); rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_text_date_transition(state health_internal.usage_state, user_id text, event text, occurred_at date)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_text_date_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_text_date_transition(health_internal.usage_state, text, text, date) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id text, event text, occurred_at date) (
    SFUNC = health_internal.usage_agg_text_date_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(text, text, date) IS
    'ledger of the events: days as they are; rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.usage_agg_text_date_amount_transition(state health_internal.usage_state, user_id text, event text, occurred_at date, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_text_date_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_text_date_amount_transition(health_internal.usage_state, text, text, date, float8) IS
    'transition function of usage_agg';

CREATE AGGREGATE health.usage_agg(user_id text, event text, occurred_at date, amount float8) (
    SFUNC = health_internal.usage_agg_text_date_amount_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.usage_agg(text, text, date, float8) IS
    'ledger of the events: days as they are, with the sum of the amounts (kept to 10^-6); rows with a NULL user, event or time are skipped';
