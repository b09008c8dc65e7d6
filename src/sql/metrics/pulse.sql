-- Five figures of the last 56 days, for scoring very many accounts at once.

CREATE TYPE health.pulse_record AS (
    active_users bigint,
    events bigint,
    trend_4w float8,
    dip_streak integer,
    power_user_dependency float8
);
COMMENT ON TYPE health.pulse_record IS 'What pulse() reads from the last 56 days of a ledger; NULL means unknown';
COMMENT ON COLUMN health.pulse_record.active_users IS 'users with an event in the last 28 days';
COMMENT ON COLUMN health.pulse_record.events IS 'events of the last 28 days, without markers';
COMMENT ON COLUMN health.pulse_record.trend_4w IS
    'events of weeks 1-4 / events of weeks 5-8 - 1; NULL for an account younger than 8 weeks and when something follows nothing';
COMMENT ON COLUMN health.pulse_record.dip_streak IS
    'consecutive week-on-week decreases of events that end at the last week, within the last 8 weeks: at most 7';
COMMENT ON COLUMN health.pulse_record.power_user_dependency IS
    'share of the events of the last 28 days that the most active user made; NULL without events';

CREATE FUNCTION health.pulse(usage health.usage, as_of date, account_start date DEFAULT NULL) RETURNS health.pulse_record
    AS 'MODULE_PATHNAME', 'health_pulse'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health.pulse(health.usage, date, date) IS
    'active users and events of the 28 days before as_of, their trend, decreases within the last 8 weeks, share of the most active '
    'user: as metrics() without a catalog, many times as fast';

CREATE FUNCTION health.pulse(usages health.usage[], as_of date, account_start date DEFAULT NULL) RETURNS health.pulse_record
    AS 'MODULE_PATHNAME', 'health_pulse_of_parts'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health.pulse(health.usage[], date, date) IS
    'the pulse of the sum of these ledgers, for example of the parts of one account, without building the sum';

CREATE FUNCTION health_internal.pulse_agg_transition(state bytea, usage health.usage, as_of date) RETURNS bytea
    AS 'MODULE_PATHNAME', 'health_pulse_agg_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health_internal.pulse_agg_transition(bytea, health.usage, date) IS 'transition function of pulse_agg';

CREATE FUNCTION health_internal.pulse_agg_transition(state bytea, usage health.usage, as_of date, account_start date) RETURNS bytea
    AS 'MODULE_PATHNAME', 'health_pulse_agg_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health_internal.pulse_agg_transition(bytea, health.usage, date, date) IS
    'transition function of pulse_agg with the start of the account';

CREATE FUNCTION health_internal.pulse_agg_combine(a bytea, b bytea) RETURNS bytea
    AS 'MODULE_PATHNAME', 'health_pulse_agg_combine'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION health_internal.pulse_agg_combine(bytea, bytea) IS 'adds two states of pulse_agg';

CREATE FUNCTION health_internal.pulse_agg_final(state bytea) RETURNS health.pulse_record
    AS 'MODULE_PATHNAME', 'health_pulse_agg_final'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION health_internal.pulse_agg_final(bytea) IS 'final function of pulse_agg';

CREATE AGGREGATE health.pulse_agg(usage health.usage, as_of date) (
    SFUNC = health_internal.pulse_agg_transition,
    STYPE = bytea,
    SSPACE = 256,
    FINALFUNC = health_internal.pulse_agg_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.pulse_agg_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.pulse_agg(health.usage, date) IS
    'the pulse of the sum of the ledgers of a group: pulse(array_agg(usage), as_of) without the array; NULL of no rows';

CREATE AGGREGATE health.pulse_agg(usage health.usage, as_of date, account_start date) (
    SFUNC = health_internal.pulse_agg_transition,
    STYPE = bytea,
    SSPACE = 256,
    FINALFUNC = health_internal.pulse_agg_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.pulse_agg_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.pulse_agg(health.usage, date, date) IS
    'the pulse of the sum of the ledgers of a group, whose account began on account_start; NULL of no rows';

CREATE FUNCTION health.pulse_chunks(chunk_table regclass, as_of date, account_start date DEFAULT NULL)
    RETURNS TABLE (account_id text, active_users bigint, events bigint, trend_4w float8, dip_streak integer, power_user_dependency float8)
    AS 'MODULE_PATHNAME', 'health_pulse_chunks'
    LANGUAGE C CALLED ON NULL INPUT STABLE PARALLEL SAFE COST 10000 ROWS 10000;
COMMENT ON FUNCTION health.pulse_chunks(regclass, date, date) IS
    'the pulse of every account of a table of chunks (account_id, period date, part integer, usage health.usage; a chunk holds days of '
    'the quarter that begins on period): pulse_agg() by account, read in one scan';
