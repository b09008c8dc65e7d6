-- Type health.usage: the exact, mergeable ledger of usage.

CREATE TYPE health.usage;

CREATE FUNCTION health_internal.usage_in(cstring) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_usage_in'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.usage_in(cstring) IS 'input of type health.usage';

CREATE FUNCTION health_internal.usage_out(health.usage) RETURNS cstring
    AS 'MODULE_PATHNAME', 'health_usage_out'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.usage_out(health.usage) IS 'output of type health.usage';

CREATE FUNCTION health_internal.usage_recv(internal) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_usage_recv'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health_internal.usage_recv(internal) IS 'binary input of type health.usage: a canonical ledger, validated';

CREATE FUNCTION health_internal.usage_send(health.usage) RETURNS bytea
    AS 'MODULE_PATHNAME', 'health_usage_send'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health_internal.usage_send(health.usage) IS 'binary output of type health.usage: its canonical bytes';

CREATE TYPE health.usage (
    INPUT = health_internal.usage_in,
    OUTPUT = health_internal.usage_out,
    RECEIVE = health_internal.usage_recv,
    SEND = health_internal.usage_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = extended
);
COMMENT ON TYPE health.usage IS
    'usage ledger: for each user, local day and event name the number of events and the sum of their amounts; equal content is '
    'byte-identical';

CREATE FUNCTION health.validate(usage health.usage) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_validate'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health.validate(health.usage) IS
    'true when the bytes are one canonical ledger; otherwise error 22P03. Every reader checks the same on the way';

CREATE FUNCTION health.cells(usage health.usage,
    OUT user_id text, OUT day date, OUT event text, OUT count bigint, OUT amount numeric, OUT amount_count bigint)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_cells'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100 ROWS 200;
COMMENT ON FUNCTION health.cells(health.usage) IS
    'the ledger as rows, by user, day and event: events, sum of amounts (NULL: none carried one), number of events with an amount';
