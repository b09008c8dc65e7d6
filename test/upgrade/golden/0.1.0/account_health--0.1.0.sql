\echo Use "CREATE EXTENSION account_health" to load this file. \quit
-- The schemas: health (made by CREATE EXTENSION) has what is documented, the others what it rests on. They belong to whom the objects of
-- the extension belong to: the superuser who installs it, else the bootstrap superuser. Nobody else creates anything in them, so that
-- whatever has a name there is what this script has made.

-- Names of objects are compared as texts below, and as they come.
SET LOCAL quote_all_identifiers = off;

-- CREATE EXTENSION takes a schema that is there already as it is: with its owner, his grants and what he has put into it, which names in
-- this script would find before those of pg_catalog.
DO $$
DECLARE
    installer CONSTANT name := CASE pg_catalog.current_setting('role') WHEN 'none' THEN session_user
                                    ELSE pg_catalog.current_setting('role') END;
    present record;
    object record;
BEGIN
    SELECT n.oid, o.rolname AS owner, o.rolsuper AS is_superuser INTO STRICT present
    FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS o ON o.oid OPERATOR(pg_catalog.=) n.nspowner
    WHERE n.nspname OPERATOR(pg_catalog.=) 'health';
    IF NOT present.is_superuser AND present.owner OPERATOR(pg_catalog.<>) installer THEN
        RAISE EXCEPTION 'schema "health" belongs to %', present.owner
            USING ERRCODE = 'insufficient_privilege', DETAIL = 'Whoever makes it could put things in the way of those of the extension.',
                  HINT = 'Drop or rename it: CREATE EXTENSION makes its own.';
    END IF;
    SELECT i.type, i.identity INTO object
    FROM pg_catalog.pg_depend AS d, pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) AS i
    WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
      AND d.refobjid OPERATOR(pg_catalog.=) present.oid
      AND NOT (i.type OPERATOR(pg_catalog.=) 'extension' AND i.identity OPERATOR(pg_catalog.=) 'account_health')
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'schema "health" is not empty: it has % %', object.type, object.identity
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Drop or rename it: CREATE EXTENSION makes its own.';
    END IF;
    EXECUTE pg_catalog.format('ALTER SCHEMA health OWNER TO %I', current_user);
    EXECUTE 'REVOKE ALL ON SCHEMA health FROM PUBLIC';
    FOR object IN SELECT DISTINCT a.grantee::pg_catalog.regrole AS role
                  FROM pg_catalog.pg_namespace AS n, pg_catalog.aclexplode(n.nspacl) AS a
                  WHERE n.oid OPERATOR(pg_catalog.=) present.oid AND a.grantee OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
                    AND a.grantee OPERATOR(pg_catalog.<>) n.nspowner LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON SCHEMA health FROM %s CASCADE', object.role);
    END LOOP;
END;
$$;

CREATE SCHEMA health_internal;
COMMENT ON SCHEMA health_internal IS
    'What the functions of schema health are made of. Nothing here is documented, and all of it may change with any version';

CREATE SCHEMA health_data;
COMMENT ON SCHEMA health_data IS
    'Ledgers, captured changes, scores and history of tracked models; each table belongs to the owner of its model';
-- Who may act as a role, and the one primitive that runs stored SQL: as the owner of its model, in a security-restricted operation.

CREATE FUNCTION health_internal.may_act_as(role oid) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_may_act_as'
    LANGUAGE C STRICT STABLE LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.may_act_as(oid) IS
    'Whether the current user could do everything as that role anyway: superusers, and whoever inherits its rights or may SET ROLE to it '
    '(on PostgreSQL 15: its members)';

CREATE FUNCTION health_internal.run_as_owner(owner regrole, search_path text, statement text, VARIADIC arguments text[] DEFAULT '{}')
RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_run_as_owner'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION health_internal.run_as_owner(regrole, text, text, text[]) IS
    'Runs a statement as a role that the caller may act as, in a security-restricted operation as REFRESH MATERIALIZED VIEW does, '
    'under a search_path (NULL: the present one), with texts as $1, $2, ...; settings that it changes go back. Returns the number of rows';

CREATE FUNCTION health_internal.rows_as_owner(owner regrole, search_path text, statement text, VARIADIC arguments text[] DEFAULT '{}')
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_rows_as_owner'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION health_internal.rows_as_owner(regrole, text, text, text[]) IS 'run_as_owner() that returns the rows of the statement';

CREATE FUNCTION health_internal.refresh_matview(relation regclass, concurrently boolean) RETURNS void
    AS 'MODULE_PATHNAME', 'health_refresh_matview'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION health_internal.refresh_matview(regclass, boolean) IS
    'Refreshes a materialized view of a role that the caller may act as; PostgreSQL runs its query as that role, in a security-restricted '
    'operation';

-- Of those who may act as the owner of the model. What it runs is in a list of the C code.
CREATE FUNCTION health_internal.act_on_model(model text, action text, VARIADIC arguments text[]) RETURNS text
    AS 'MODULE_PATHNAME', 'health_act_on_model'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION health_internal.act_on_model(text, text, text[]) IS
    'Does what only the owner of the catalog may, for those who may act as the owner of a model, and to that model alone: makes its tables '
    '(make_data_table, make_data_partition) or removes rows of its catalog (remove_rows)';

-- Arguments of what is run as the owner are texts; there dates are read as ISO has them.
CREATE FUNCTION health_internal.iso_text(day date) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD'
AS $$
    SELECT day::text;
$$;
COMMENT ON FUNCTION health_internal.iso_text(date) IS 'A date as text, whatever DateStyle is';

CREATE FUNCTION health_internal.iso_text(days date[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD'
AS $$
    SELECT days::text;
$$;
COMMENT ON FUNCTION health_internal.iso_text(date[]) IS 'An array of dates as text, whatever DateStyle is';

-- Names of a document (tables, functions) mean what they meant to its author, whoever runs it later and with whatever search_path.
CREATE FUNCTION health_internal.visible_schemas() RETURNS text
LANGUAGE sql STABLE
SET quote_all_identifiers = off
BEGIN ATOMIC
    SELECT coalesce(pg_catalog.string_agg(pg_catalog.quote_ident(s.name), ', ' ORDER BY s.position), '')
    FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS s (name, position);
END;
COMMENT ON FUNCTION health_internal.visible_schemas() IS 'The schemas of the present search_path that exist, as a search_path setting';

-- Names in a document (tables, functions, operators) are looked up in the schemas of its author, those in the extension's own functions in
-- pg_catalog alone: each of them has a search_path of its own, and what is looked up for a document goes through these. Temporary tables
-- come last: they are those of the session, not of the author.
CREATE FUNCTION health_internal.set_names_path(path text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT pg_catalog.set_config('account_health.names_path',
                                 CASE WHEN path ~ '(^|[ ,])pg_temp$' THEN path
                                      ELSE pg_catalog.concat_ws(', ', nullif(path, ''), 'pg_temp') END, true);
END;
COMMENT ON FUNCTION health_internal.set_names_path(text) IS 'Sets the schemas in which names of a document are looked up from now on';

CREATE FUNCTION health_internal.names_path() RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.current_setting('account_health.names_path');
END;
COMMENT ON FUNCTION health_internal.names_path() IS
    'The schemas in which names of the document at hand are looked up, as a search_path setting';

-- Without a SET of its own: in force until the calling function returns.
CREATE FUNCTION health_internal.look_names_up_in(path text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health_internal.set_names_path(path);
    SELECT pg_catalog.set_config('search_path', health_internal.names_path(), true);
END;
COMMENT ON FUNCTION health_internal.look_names_up_in(text) IS
    'set_names_path(), and has the calling function look up the names of what it executes there';

CREATE FUNCTION health_internal.schemas_in(path text) RETURNS name[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_catalog.set_config('search_path', path, true);
    RETURN pg_catalog.current_schemas(false);
END;
$$;
COMMENT ON FUNCTION health_internal.schemas_in(text) IS 'The schemas of a search_path setting that exist';

CREATE FUNCTION health_internal.relation_in(path text, name text) RETURNS regclass
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_catalog.set_config('search_path', path, true);
    RETURN pg_catalog.to_regclass(name);
END;
$$;
COMMENT ON FUNCTION health_internal.relation_in(text, text) IS
    'The relation of that name as a search_path setting finds it; NULL when there is none';
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
-- Operators on health.usage: an abelian group, equality and hashing.

CREATE FUNCTION health_internal.usage_eq(a health.usage, b health.usage) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_usage_eq'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION health_internal.usage_eq(health.usage, health.usage) IS 'implementation of = operator';

CREATE FUNCTION health_internal.usage_ne(a health.usage, b health.usage) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_usage_ne'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION health_internal.usage_ne(health.usage, health.usage) IS 'implementation of <> operator';

CREATE FUNCTION health_internal.usage_hash(usage health.usage) RETURNS integer
    AS 'MODULE_PATHNAME', 'health_usage_hash'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF COST 5;
COMMENT ON FUNCTION health_internal.usage_hash(health.usage) IS 'hash';

CREATE FUNCTION health_internal.usage_hash_extended(usage health.usage, seed bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_usage_hash_extended'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF COST 5;
COMMENT ON FUNCTION health_internal.usage_hash_extended(health.usage, bigint) IS 'hash with a seed';

CREATE FUNCTION health_internal.usage_add(a health.usage, b health.usage) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_usage_add'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.usage_add(health.usage, health.usage) IS 'implementation of + operator';

CREATE FUNCTION health_internal.add_to_chunk(chunk health.usage, more health.usage, account text, period date) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_add_to_chunk'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.add_to_chunk(health.usage, health.usage, text, date) IS
    'The same sum as +, of ledgers of an account and quarter that an error names';

CREATE FUNCTION health_internal.usage_subtract(a health.usage, b health.usage) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_usage_subtract'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.usage_subtract(health.usage, health.usage) IS 'implementation of - operator';

CREATE OPERATOR health.= (
    LEFTARG = health.usage, RIGHTARG = health.usage, FUNCTION = health_internal.usage_eq,
    COMMUTATOR = OPERATOR(health.=), NEGATOR = OPERATOR(health.<>), RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES
);
COMMENT ON OPERATOR health.= (health.usage, health.usage) IS 'same ledger';

CREATE OPERATOR health.<> (
    LEFTARG = health.usage, RIGHTARG = health.usage, FUNCTION = health_internal.usage_ne,
    COMMUTATOR = OPERATOR(health.<>), NEGATOR = OPERATOR(health.=), RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR health.<> (health.usage, health.usage) IS 'different ledgers';

CREATE OPERATOR health.+ (
    LEFTARG = health.usage, RIGHTARG = health.usage, FUNCTION = health_internal.usage_add, COMMUTATOR = OPERATOR(health.+)
);
COMMENT ON OPERATOR health.+ (health.usage, health.usage) IS 'add two ledgers, cell by cell';

CREATE OPERATOR health.- (
    LEFTARG = health.usage, RIGHTARG = health.usage, FUNCTION = health_internal.usage_subtract
);
COMMENT ON OPERATOR health.- (health.usage, health.usage) IS 'subtract a ledger, cell by cell: (a - b) + b is byte for byte a';

CREATE OPERATOR CLASS health.usage_hash_ops DEFAULT FOR TYPE health.usage USING hash AS
    OPERATOR 1 health.=,
    FUNCTION 1 health_internal.usage_hash(health.usage),
    FUNCTION 2 health_internal.usage_hash_extended(health.usage, bigint);
COMMENT ON OPERATOR CLASS health.usage_hash_ops USING hash IS 'GROUP BY, DISTINCT and hash joins on health.usage';

CREATE FUNCTION health.without_user(usage health.usage, user_id text) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_without_user_text'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health.without_user(health.usage, text) IS
    'the ledger without one user, given in the text form of the ledger''s id type; unchanged when the user is not in it';

CREATE FUNCTION health.without_user(usage health.usage, user_id bigint) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_without_user_bigint'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health.without_user(health.usage, bigint) IS 'the ledger without one user; unchanged when the user is not in it';

CREATE FUNCTION health.without_user(usage health.usage, user_id uuid) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_without_user_uuid'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health.without_user(health.usage, uuid) IS 'the ledger without one user; unchanged when the user is not in it';
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

CREATE FUNCTION health_internal.usage_agg_bigint_transition(state health_internal.usage_state,
    user_id bigint, event text, occurred_at timestamptz)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_bigint_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_bigint_transition(health_internal.usage_state, bigint, text,
    timestamptz) IS
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
    'ledger of the events: local days of UTC; '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_bigint_transition(state health_internal.usage_state,
    user_id bigint, event text, occurred_at timestamptz)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_bigint_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_bigint_transition(health_internal.usage_state, bigint, text,
    timestamptz) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id bigint, event text, occurred_at timestamptz) (
    SFUNC = health_internal.lenient_usage_agg_bigint_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 1024,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(bigint, text, timestamptz) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_bigint_zone_transition(state health_internal.usage_state,
    user_id bigint, event text, occurred_at timestamptz, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_bigint_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_bigint_zone_transition(health_internal.usage_state, bigint, text,
    timestamptz, text) IS
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
    'ledger of the events: local days of the time zone; '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_bigint_zone_transition(state health_internal.usage_state,
    user_id bigint, event text, occurred_at timestamptz, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_bigint_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_bigint_zone_transition(health_internal.usage_state, bigint, text,
    timestamptz, text) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id bigint, event text, occurred_at timestamptz, time_zone text) (
    SFUNC = health_internal.lenient_usage_agg_bigint_zone_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 1024,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(bigint, text, timestamptz, text) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_bigint_amount_transition(state health_internal.usage_state,
    user_id bigint, event text, occurred_at timestamptz, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_bigint_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_bigint_amount_transition(health_internal.usage_state, bigint, text,
    timestamptz, float8) IS
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
    'ledger of the events: local days of UTC, with the sum of the amounts (kept to 10^-6); '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_bigint_amount_transition(state health_internal.usage_state,
    user_id bigint, event text, occurred_at timestamptz, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_bigint_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_bigint_amount_transition(health_internal.usage_state, bigint, text,
    timestamptz, float8) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id bigint, event text, occurred_at timestamptz, amount float8) (
    SFUNC = health_internal.lenient_usage_agg_bigint_amount_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 1024,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(bigint, text, timestamptz, float8) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_bigint_amount_zone_transition(state health_internal.usage_state,
    user_id bigint, event text, occurred_at timestamptz, amount float8, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_bigint_amount_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_bigint_amount_zone_transition(health_internal.usage_state, bigint, text,
    timestamptz, float8, text) IS
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
    'ledger of the events: local days of the time zone, with the sum of the amounts (kept to 10^-6); '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_bigint_amount_zone_transition(state health_internal.usage_state,
    user_id bigint, event text, occurred_at timestamptz, amount float8, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_bigint_amount_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_bigint_amount_zone_transition(health_internal.usage_state, bigint, text,
    timestamptz, float8, text) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id bigint, event text, occurred_at timestamptz, amount float8, time_zone text) (
    SFUNC = health_internal.lenient_usage_agg_bigint_amount_zone_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 1024,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(bigint, text, timestamptz, float8, text) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_bigint_date_transition(state health_internal.usage_state,
    user_id bigint, event text, occurred_at date)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_bigint_date_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_bigint_date_transition(health_internal.usage_state, bigint, text,
    date) IS
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
    'ledger of the events: days as they are; '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_bigint_date_transition(state health_internal.usage_state,
    user_id bigint, event text, occurred_at date)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_bigint_date_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_bigint_date_transition(health_internal.usage_state, bigint, text,
    date) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id bigint, event text, occurred_at date) (
    SFUNC = health_internal.lenient_usage_agg_bigint_date_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 1024,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(bigint, text, date) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_bigint_date_amount_transition(state health_internal.usage_state,
    user_id bigint, event text, occurred_at date, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_bigint_date_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_bigint_date_amount_transition(health_internal.usage_state, bigint, text,
    date, float8) IS
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
    'ledger of the events: days as they are, with the sum of the amounts (kept to 10^-6); '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_bigint_date_amount_transition(state health_internal.usage_state,
    user_id bigint, event text, occurred_at date, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_bigint_date_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_bigint_date_amount_transition(health_internal.usage_state, bigint, text,
    date, float8) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id bigint, event text, occurred_at date, amount float8) (
    SFUNC = health_internal.lenient_usage_agg_bigint_date_amount_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 1024,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(bigint, text, date, float8) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_uuid_transition(state health_internal.usage_state,
    user_id uuid, event text, occurred_at timestamptz)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_uuid_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_uuid_transition(health_internal.usage_state, uuid, text,
    timestamptz) IS
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
    'ledger of the events: local days of UTC; '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_uuid_transition(state health_internal.usage_state,
    user_id uuid, event text, occurred_at timestamptz)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_uuid_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_uuid_transition(health_internal.usage_state, uuid, text,
    timestamptz) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id uuid, event text, occurred_at timestamptz) (
    SFUNC = health_internal.lenient_usage_agg_uuid_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(uuid, text, timestamptz) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_uuid_zone_transition(state health_internal.usage_state,
    user_id uuid, event text, occurred_at timestamptz, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_uuid_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_uuid_zone_transition(health_internal.usage_state, uuid, text,
    timestamptz, text) IS
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
    'ledger of the events: local days of the time zone; '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_uuid_zone_transition(state health_internal.usage_state,
    user_id uuid, event text, occurred_at timestamptz, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_uuid_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_uuid_zone_transition(health_internal.usage_state, uuid, text,
    timestamptz, text) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id uuid, event text, occurred_at timestamptz, time_zone text) (
    SFUNC = health_internal.lenient_usage_agg_uuid_zone_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(uuid, text, timestamptz, text) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_uuid_amount_transition(state health_internal.usage_state,
    user_id uuid, event text, occurred_at timestamptz, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_uuid_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_uuid_amount_transition(health_internal.usage_state, uuid, text,
    timestamptz, float8) IS
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
    'ledger of the events: local days of UTC, with the sum of the amounts (kept to 10^-6); '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_uuid_amount_transition(state health_internal.usage_state,
    user_id uuid, event text, occurred_at timestamptz, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_uuid_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_uuid_amount_transition(health_internal.usage_state, uuid, text,
    timestamptz, float8) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id uuid, event text, occurred_at timestamptz, amount float8) (
    SFUNC = health_internal.lenient_usage_agg_uuid_amount_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(uuid, text, timestamptz, float8) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_uuid_amount_zone_transition(state health_internal.usage_state,
    user_id uuid, event text, occurred_at timestamptz, amount float8, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_uuid_amount_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_uuid_amount_zone_transition(health_internal.usage_state, uuid, text,
    timestamptz, float8, text) IS
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
    'ledger of the events: local days of the time zone, with the sum of the amounts (kept to 10^-6); '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_uuid_amount_zone_transition(state health_internal.usage_state,
    user_id uuid, event text, occurred_at timestamptz, amount float8, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_uuid_amount_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_uuid_amount_zone_transition(health_internal.usage_state, uuid, text,
    timestamptz, float8, text) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id uuid, event text, occurred_at timestamptz, amount float8, time_zone text) (
    SFUNC = health_internal.lenient_usage_agg_uuid_amount_zone_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(uuid, text, timestamptz, float8, text) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_uuid_date_transition(state health_internal.usage_state,
    user_id uuid, event text, occurred_at date)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_uuid_date_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_uuid_date_transition(health_internal.usage_state, uuid, text,
    date) IS
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
    'ledger of the events: days as they are; '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_uuid_date_transition(state health_internal.usage_state,
    user_id uuid, event text, occurred_at date)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_uuid_date_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_uuid_date_transition(health_internal.usage_state, uuid, text,
    date) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id uuid, event text, occurred_at date) (
    SFUNC = health_internal.lenient_usage_agg_uuid_date_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(uuid, text, date) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_uuid_date_amount_transition(state health_internal.usage_state,
    user_id uuid, event text, occurred_at date, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_uuid_date_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_uuid_date_amount_transition(health_internal.usage_state, uuid, text,
    date, float8) IS
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
    'ledger of the events: days as they are, with the sum of the amounts (kept to 10^-6); '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_uuid_date_amount_transition(state health_internal.usage_state,
    user_id uuid, event text, occurred_at date, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_uuid_date_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_uuid_date_amount_transition(health_internal.usage_state, uuid, text,
    date, float8) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id uuid, event text, occurred_at date, amount float8) (
    SFUNC = health_internal.lenient_usage_agg_uuid_date_amount_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(uuid, text, date, float8) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_text_transition(state health_internal.usage_state,
    user_id text, event text, occurred_at timestamptz)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_text_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_text_transition(health_internal.usage_state, text, text,
    timestamptz) IS
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
    'ledger of the events: local days of UTC; '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_text_transition(state health_internal.usage_state,
    user_id text, event text, occurred_at timestamptz)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_text_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_text_transition(health_internal.usage_state, text, text,
    timestamptz) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id text, event text, occurred_at timestamptz) (
    SFUNC = health_internal.lenient_usage_agg_text_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(text, text, timestamptz) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_text_zone_transition(state health_internal.usage_state,
    user_id text, event text, occurred_at timestamptz, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_text_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_text_zone_transition(health_internal.usage_state, text, text,
    timestamptz, text) IS
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
    'ledger of the events: local days of the time zone; '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_text_zone_transition(state health_internal.usage_state,
    user_id text, event text, occurred_at timestamptz, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_text_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_text_zone_transition(health_internal.usage_state, text, text,
    timestamptz, text) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id text, event text, occurred_at timestamptz, time_zone text) (
    SFUNC = health_internal.lenient_usage_agg_text_zone_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(text, text, timestamptz, text) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_text_amount_transition(state health_internal.usage_state,
    user_id text, event text, occurred_at timestamptz, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_text_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_text_amount_transition(health_internal.usage_state, text, text,
    timestamptz, float8) IS
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
    'ledger of the events: local days of UTC, with the sum of the amounts (kept to 10^-6); '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_text_amount_transition(state health_internal.usage_state,
    user_id text, event text, occurred_at timestamptz, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_text_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_text_amount_transition(health_internal.usage_state, text, text,
    timestamptz, float8) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id text, event text, occurred_at timestamptz, amount float8) (
    SFUNC = health_internal.lenient_usage_agg_text_amount_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(text, text, timestamptz, float8) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_text_amount_zone_transition(state health_internal.usage_state,
    user_id text, event text, occurred_at timestamptz, amount float8, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_text_amount_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_text_amount_zone_transition(health_internal.usage_state, text, text,
    timestamptz, float8, text) IS
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
    'ledger of the events: local days of the time zone, with the sum of the amounts (kept to 10^-6); '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_text_amount_zone_transition(state health_internal.usage_state,
    user_id text, event text, occurred_at timestamptz, amount float8, time_zone text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_text_amount_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_text_amount_zone_transition(health_internal.usage_state, text, text,
    timestamptz, float8, text) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id text, event text, occurred_at timestamptz, amount float8, time_zone text) (
    SFUNC = health_internal.lenient_usage_agg_text_amount_zone_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(text, text, timestamptz, float8, text) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_text_date_transition(state health_internal.usage_state,
    user_id text, event text, occurred_at date)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_text_date_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_text_date_transition(health_internal.usage_state, text, text,
    date) IS
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
    'ledger of the events: days as they are; '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_text_date_transition(state health_internal.usage_state,
    user_id text, event text, occurred_at date)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_text_date_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_text_date_transition(health_internal.usage_state, text, text,
    date) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id text, event text, occurred_at date) (
    SFUNC = health_internal.lenient_usage_agg_text_date_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(text, text, date) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';

CREATE FUNCTION health_internal.usage_agg_text_date_amount_transition(state health_internal.usage_state,
    user_id text, event text, occurred_at date, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_usage_agg_text_date_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.usage_agg_text_date_amount_transition(health_internal.usage_state, text, text,
    date, float8) IS
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
    'ledger of the events: days as they are, with the sum of the amounts (kept to 10^-6); '
    'rows with a NULL user, event or time are skipped';

CREATE FUNCTION health_internal.lenient_usage_agg_text_date_amount_transition(state health_internal.usage_state,
    user_id text, event text, occurred_at date, amount float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_lenient_usage_agg_text_date_amount_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.lenient_usage_agg_text_date_amount_transition(health_internal.usage_state, text, text,
    date, float8) IS
    'transition function of lenient_usage_agg';

CREATE AGGREGATE health_internal.lenient_usage_agg(
    user_id text, event text, occurred_at date, amount float8) (
    SFUNC = health_internal.lenient_usage_agg_text_date_amount_transition,
    STYPE = health_internal.usage_state,
    SSPACE = 4096,
    FINALFUNC = health_internal.usage_state_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.usage_state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.lenient_usage_agg(text, text, date, float8) IS
    'usage_agg that skips rows which cannot be events, too: an infinite time, an empty name, an amount that no ledger can keep';
-- Parts of a ledger: a range of days, all but some users.

CREATE FUNCTION health.slice(usage health.usage, from_day date, until_day date) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_slice'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health.slice(health.usage, date, date) IS
    'the cells of the ledger with from_day <= day < until_day; NULL leaves an end open';

CREATE FUNCTION health.without_users(usage health.usage, user_ids text[]) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_without_users'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health.without_users(health.usage, text[]) IS
    'the ledger without these users, given in the text form of their ids; text that is no id of the ledger''s type is in no ledger. '
    'Unchanged when none is in it';
-- Markers: names of a ledger that tell of a user's membership, not of activity.

CREATE FUNCTION health_internal.is_marker(event text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_is_marker'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION health_internal.plain_event(event text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN pg_catalog.starts_with(event, '$')
        THEN pg_catalog.regexp_replace(event, '^([$]/[0-9]+/)?([$][^/]*/)?', '') ELSE event END;
END;
COMMENT ON FUNCTION health_internal.plain_event(text) IS 'The name of an event in a ledger without who acts and how late it became known';

COMMENT ON FUNCTION health_internal.is_marker(text) IS 'whether this name of a ledger is a marker, which starts with $, and so no activity';
-- What of a ledger was known on a day: rows that became known later than their day have that in their names, "$/3/message_sent".

CREATE FUNCTION health_internal.known_before(usage health.usage, day date) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_known_before'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.known_before(health.usage, date) IS
    'the ledger of the rows that were known before a day, every event by its own name: what it would be if nobody had said when rows '
    'became known';
-- Local days: AT TIME ZONE without its error for times whose local time, or whose time in UTC, PostgreSQL has no value for.

CREATE FUNCTION health_internal.to_local_day(moment timestamptz, zone text) RETURNS date
    AS 'MODULE_PATHNAME', 'health_to_local_day'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.to_local_day(timestamptz, text) IS
    'the local day of a time in a time zone: (moment AT TIME ZONE zone)::date, -infinity for a day before the first of all dates';

CREATE FUNCTION health_internal.to_moment(local_time timestamp, zone text) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'health_to_moment'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.to_moment(timestamp, text) IS
    'the time of a local time in a time zone: local_time AT TIME ZONE zone, infinite beyond the first and the last of all times';
-- Periods: what a chunk of a ledger holds the days of.

CREATE FUNCTION health_internal.period_start(day date) RETURNS date
    AS 'MODULE_PATHNAME', 'health_period_start'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.period_start(date) IS
    'the first day of the period that a day is in, a calendar quarter; infinities stay as they are';
-- Events: which rows can be counted.

CREATE FUNCTION health_internal.is_event(occurred_at timestamptz, event_name text, amount float8) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_is_event_timestamptz'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.is_event(timestamptz, text, float8) IS
    'whether a row is an event: it has a finite time, a name that is not empty, and an amount that a ledger can keep, or none (NULL)';

CREATE FUNCTION health_internal.is_event(occurred_at date, event_name text, amount float8) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_is_event_date'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.is_event(date, text, float8) IS
    'whether a row is an event: it has a finite day, a name that is not empty, and an amount that a ledger can keep, or none (NULL)';
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
    baseline float8,
    baseline_users float8,
    baseline_value float8,
    slope_4w float8,
    dip_streak integer,
    cadence float8,
    recency_weeks integer,
    cadence_recency float8,
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
COMMENT ON COLUMN health.metrics_record.total_users IS
    'entitled users, who belong to the account at as_of: by the roster, else those seen in the inactive_after_days (365) before';
COMMENT ON COLUMN health.metrics_record.active_users IS
    'distinct users with a qualifying event in the window';
COMMENT ON COLUMN health.metrics_record.events IS
    'qualifying events in the window';
COMMENT ON COLUMN health.metrics_record.activation_rate IS
    'entitled users who were active in the window / entitled users; NULL when there are no users';
COMMENT ON COLUMN health.metrics_record.activation_rate_low IS
    'lower end of the 95 % Wilson interval of activation_rate; NULL when there are no users';
COMMENT ON COLUMN health.metrics_record.activation_rate_high IS
    'upper end of the 95 % Wilson interval of activation_rate; NULL when there are no users';
COMMENT ON COLUMN health.metrics_record.coverage IS
    'entitled users with a create or consume event in the window / entitled users; NULL when there are no users, or the catalog has neither role (not_applicable)';
COMMENT ON COLUMN health.metrics_record.adoption_rate IS
    'entitled users who were active in the window / licensed seats; NULL when the seats are NULL (no_data), 0, or no number of seats: NaN, below 0 (bad_value)';
COMMENT ON COLUMN health.metrics_record.onboarding_activation IS
    'of the users whose first joining is in [as_of - X - W, as_of - X) the share with at least k different activate events in the X days from the day of joining on (X onboarding_days, W onboarding_window, k onboarding_events), deactivated later or not; NULL when nobody is eligible, or the catalog lacks the role (not_applicable)';
COMMENT ON COLUMN health.metrics_record.invite_conversion IS
    'of the users first invited more than onboarding_days before as_of the share with a create or consume event at any time before as_of; NULL when none was invited, or the catalog has neither role (not_applicable)';
COMMENT ON COLUMN health.metrics_record.trend_4w IS
    'events of weeks 1-4 / events of weeks 5-8 - 1; NULL when the account is younger than 56 days (insufficient_history), something follows nothing, or nothing nothing (nobody_active)';
COMMENT ON COLUMN health.metrics_record.trend_4w_users IS
    'distinct active users of weeks 1-4 / those of weeks 5-8 - 1; NULL when the account is younger than 56 days (insufficient_history), something follows nothing, or nothing nothing (nobody_active)';
COMMENT ON COLUMN health.metrics_record.trend_4w_value IS
    'value points of weeks 1-4 / value points of weeks 5-8 - 1; NULL when the account is younger than 56 days (insufficient_history), something follows nothing, or nothing nothing (nobody_active)';
COMMENT ON COLUMN health.metrics_record.dropoff IS
    'events of week 1 / mean of weeks 2-5 - 1; NULL when the account is younger than 35 days (insufficient_history), something follows nothing, or nothing nothing (nobody_active)';
COMMENT ON COLUMN health.metrics_record.baseline IS
    'mean events of weeks 1-4 / median of weeks 5-30, or as many as the account has, / the same ratio 52 weeks before, where the ledger keeps it and it is above 0, - 1; NULL when the account is younger than 84 days (insufficient_history), the median is 0 (nothing against nothing: nobody_active)';
COMMENT ON COLUMN health.metrics_record.baseline_users IS
    'mean active users of weeks 1-4 / median of weeks 5-30, or as many as the account has, / the same ratio 52 weeks before, where the ledger keeps it and it is above 0, - 1; NULL when the account is younger than 84 days (insufficient_history), the median is 0 (nothing against nothing: nobody_active)';
COMMENT ON COLUMN health.metrics_record.baseline_value IS
    'mean value points of weeks 1-4 / median of weeks 5-30, or as many as the account has, / the same ratio 52 weeks before, where the ledger keeps it and it is above 0, - 1; NULL when the account is younger than 84 days (insufficient_history), the median is 0 (nothing against nothing: nobody_active)';
COMMENT ON COLUMN health.metrics_record.slope_4w IS
    'least-squares slope per week of the events of weeks 4-1 / their mean, however young the account is; NULL when there are no events in these weeks (nobody_active)';
COMMENT ON COLUMN health.metrics_record.dip_streak IS
    'consecutive decreases of events from week to week that end at week 1, however far back; an empty week after an empty one goes on with them; NULL when there never was an event (nobody_active)';
COMMENT ON COLUMN health.metrics_record.cadence IS
    'weeks with activity among the last n / n, n being the complete weeks since the account''s start, at most 8; NULL when the account is younger than 7 days (insufficient_history)';
COMMENT ON COLUMN health.metrics_record.recency_weeks IS
    'weeks without activity since the last active one: 0 when week 1 has a qualifying event, 1 when week 2 is the last that has; NULL when there never was such an event (no_data), or fewer than 2 whole weeks have passed since the first week with one (insufficient_history)';
COMMENT ON COLUMN health.metrics_record.cadence_recency IS
    '100 x probability that a qualifying event comes in the 28 days from as_of on, by the BG/BB model of the weeks since the first active one: how many had activity, and which was the last (parameters alpha, beta, gamma, delta of fit_bgbb); NULL when there are no parameters or there never was such an event (no_data), or fewer than 2 whole weeks have passed since the first week with one (insufficient_history)';
COMMENT ON COLUMN health.metrics_record.events_per_user_week IS
    'events per active user and week of the window (28 days: 4 weeks); NULL when nobody is active';
COMMENT ON COLUMN health.metrics_record.stickiness IS
    'mean daily active users over all days of the window / active users; NULL when nobody is active';
COMMENT ON COLUMN health.metrics_record.interaction IS
    'interact events per active user and week of the window; NULL when nobody is active, or the catalog lacks the role (not_applicable)';
COMMENT ON COLUMN health.metrics_record.reply_ratio IS
    'interact events / create events in the window; NULL when there is no create event, or the catalog lacks one of the roles (not_applicable)';
COMMENT ON COLUMN health.metrics_record.spread IS
    'creators, users with a create event in the window, / active users; NULL when nobody is active, or the catalog lacks the role (not_applicable)';
COMMENT ON COLUMN health.metrics_record.creators IS
    'users with a create event in the window; NULL when the catalog lacks the role (not_applicable)';
COMMENT ON COLUMN health.metrics_record.breadth IS
    'distinct entitled features used in the window / features entitled: the option features, else all of the catalog''s. A feature that the plan lacks counts in neither part; NULL when none is entitled; neither option nor catalog say (not_applicable)';
COMMENT ON COLUMN health.metrics_record.depth IS
    'value points in the window / active users; daily_cap limits the points of a user and day; NULL when nobody is active';
COMMENT ON COLUMN health.metrics_record.value_points IS
    'value points in the window: sum of events x their value in the catalog; daily_cap limits the points of a user and day';
COMMENT ON COLUMN health.metrics_record.sessions_per_user_week IS
    'session events per active user and week of the window; NULL when nobody is active, there is no session in the window (no_data), or the catalog lacks the role (not_applicable)';
COMMENT ON COLUMN health.metrics_record.amount_sum IS
    'sum of the amounts that events carry in the window; NULL when no event in the window carries one (no_data)';
COMMENT ON COLUMN health.metrics_record.amount_mean IS
    'mean of the amounts over the events in the window that carry one; NULL when no event in the window carries one (no_data)';
COMMENT ON COLUMN health.metrics_record.recency_days IS
    'as_of less the day of the last qualifying event, of the account or of one user (user_id as text): at least 1; NULL when there is no such event (no_data)';
COMMENT ON COLUMN health.metrics_record.growth IS
    'active users who came in the window / entitled users at its start. A user comes with the first joining, without a roster with the first activity; NULL when there was nobody at the window''s start';
COMMENT ON COLUMN health.metrics_record.time_to_value IS
    'days from the account''s start to its first activate event, at least 0; NULL when it was not reached, that is, it is censored (no_data), or the catalog lacks the role (not_applicable)';
COMMENT ON COLUMN health.metrics_record.trial_use IS
    'whether the first activate event came before the account''s start; NULL when there is no such event (no_data), or the catalog lacks the role (not_applicable)';
COMMENT ON COLUMN health.metrics_record.dormant_users IS
    'entitled users without a qualifying event in the window; NULL when nobody is active and there is no roster (nobody_active)';
COMMENT ON COLUMN health.metrics_record.power_user_dependency IS
    'largest share of a user in the contributions of the window; with top_k the share of the k largest together; NULL when there are no contributions';
COMMENT ON COLUMN health.metrics_record.top_user IS
    'the user with the largest contribution in the window (ties: the smallest id); NULL when there are no contributions';
COMMENT ON COLUMN health.metrics_record.top2_share IS
    'share of the two largest contributions in the window; NULL when there are no contributions';
COMMENT ON COLUMN health.metrics_record.top3_share IS
    'share of the three largest contributions in the window; NULL when there are no contributions';
COMMENT ON COLUMN health.metrics_record.hhi IS
    'sum of the squared shares of active users (Herfindahl-Hirschman index): 1/n when even, 1 when one user does all; NULL when there are no contributions';
COMMENT ON COLUMN health.metrics_record.effective_users IS
    '1 / hhi: the number of equally active users with the same concentration; NULL when there are no contributions';
COMMENT ON COLUMN health.metrics_record.hhi_normalized IS
    '(hhi - 1/n) / (1 - 1/n): 0 when even, 1 when one user does all; NULL when there are no contributions, or there is one user (not_applicable)';
COMMENT ON COLUMN health.metrics_record.gini IS
    'Gini coefficient of the contributions of active users; 0 for one user, so never to be shown alone; NULL when there are no contributions';
COMMENT ON COLUMN health.metrics_record.absence_factor IS
    'fewest users who make half of the contributions in the window; NULL when there are no contributions';
COMMENT ON COLUMN health.metrics_record.first_event IS
    'first day before as_of with a qualifying event; NULL when there is none';
COMMENT ON COLUMN health.metrics_record.last_event IS
    'last day before as_of with a qualifying event; NULL when there is none';
COMMENT ON COLUMN health.metrics_record.weekly IS
    'qualifying events per week, oldest first: of 12 weeks in a record, of any number from its function';

CREATE FUNCTION health.metrics(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    account_start date DEFAULT NULL,
    seats float8 DEFAULT NULL,
    onboarding_days integer DEFAULT 7,
    onboarding_events integer DEFAULT 1,
    onboarding_window integer DEFAULT 28,
    features text[] DEFAULT NULL,
    daily_cap float8 DEFAULT NULL,
    inactive_after_days integer DEFAULT 365,
    actor text DEFAULT NULL,
    parameters float8[] DEFAULT NULL)
    RETURNS health.metrics_record
    AS 'MODULE_PATHNAME', 'health_metrics'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1500;
COMMENT ON FUNCTION health.metrics(health.usage, date, jsonb, integer, date, float8, integer, integer, integer, text[], float8, integer, text, float8[]) IS
    'all usage metrics of a ledger as of a date (exclusive), from one decode. catalog: the event catalog as jsonb; window_days: 28, '
    'so that every weekday is in it equally often; account_start: else the first activity or joining; seats: licensed; '
    'features: entitled by the plan; daily_cap: most value points of a user and day';

CREATE FUNCTION health.metrics_series(usage health.usage, from_date date, to_date date,
    step integer DEFAULT 1,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    account_start date DEFAULT NULL,
    seats float8 DEFAULT NULL,
    onboarding_days integer DEFAULT 7,
    onboarding_events integer DEFAULT 1,
    onboarding_window integer DEFAULT 28,
    features text[] DEFAULT NULL,
    daily_cap float8 DEFAULT NULL,
    inactive_after_days integer DEFAULT 365,
    actor text DEFAULT NULL,
    parameters float8[] DEFAULT NULL,
    OUT as_of date,
    OUT total_users bigint,
    OUT active_users bigint,
    OUT events bigint,
    OUT activation_rate float8,
    OUT activation_rate_low float8,
    OUT activation_rate_high float8,
    OUT coverage float8,
    OUT adoption_rate float8,
    OUT onboarding_activation float8,
    OUT invite_conversion float8,
    OUT trend_4w float8,
    OUT trend_4w_users float8,
    OUT trend_4w_value float8,
    OUT dropoff float8,
    OUT baseline float8,
    OUT baseline_users float8,
    OUT baseline_value float8,
    OUT slope_4w float8,
    OUT dip_streak integer,
    OUT cadence float8,
    OUT recency_weeks integer,
    OUT cadence_recency float8,
    OUT events_per_user_week float8,
    OUT stickiness float8,
    OUT interaction float8,
    OUT reply_ratio float8,
    OUT spread float8,
    OUT creators bigint,
    OUT breadth float8,
    OUT depth float8,
    OUT value_points float8,
    OUT sessions_per_user_week float8,
    OUT amount_sum float8,
    OUT amount_mean float8,
    OUT recency_days integer,
    OUT growth float8,
    OUT time_to_value integer,
    OUT trial_use boolean,
    OUT dormant_users bigint,
    OUT power_user_dependency float8,
    OUT top_user text,
    OUT top2_share float8,
    OUT top3_share float8,
    OUT hhi float8,
    OUT effective_users float8,
    OUT hhi_normalized float8,
    OUT gini float8,
    OUT absence_factor bigint,
    OUT first_event date,
    OUT last_event date,
    OUT weekly bigint[]
    )
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_metrics_series'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 5000 ROWS 60;
COMMENT ON FUNCTION health.metrics_series(health.usage, date, date, integer, jsonb, integer, date, float8, integer, integer, integer, text[], float8, integer, text, float8[]) IS
    'all usage metrics for every step-th as_of from from_date to to_date (both included), from one decode';

CREATE FUNCTION health.unknown_metrics(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    account_start date DEFAULT NULL,
    seats float8 DEFAULT NULL,
    onboarding_days integer DEFAULT 7,
    onboarding_events integer DEFAULT 1,
    onboarding_window integer DEFAULT 28,
    features text[] DEFAULT NULL,
    daily_cap float8 DEFAULT NULL,
    inactive_after_days integer DEFAULT 365,
    actor text DEFAULT NULL,
    parameters float8[] DEFAULT NULL,
    OUT metric text, OUT reason text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_unknown_metrics'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1500 ROWS 10;
COMMENT ON FUNCTION health.unknown_metrics(health.usage, date, jsonb, integer, date, float8, integer, integer, integer, text[], float8, integer, text, float8[]) IS
    'the metrics that metrics() leaves NULL, each with its reason: no_data, zero_denominator, insufficient_history, not_applicable or '
    'bad_value';
-- One function for each metric, from its row of src/tables/metrics.table.
--
-- Each reads one metric from a ledger, for any as_of: it sees days before as_of only. NULL means unknown; unknown_metrics() says why.
-- catalog: {"event": {"role": "create" | [...], "value": 10, "feature": "..."}, ...}; without one every event qualifies. events: only
-- these events, listed or not. Several metrics of one ledger are read faster by metrics().

CREATE FUNCTION health.total_users(usage health.usage, as_of date)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_total_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.total_users(health.usage, date) IS
    'entitled users, who belong to the account at as_of: by the roster, else those seen in the inactive_after_days (365) before';

CREATE FUNCTION health.active_users(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_active_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.active_users(health.usage, date, jsonb, integer, text[], text) IS
    'distinct users with a qualifying event in the window';

CREATE FUNCTION health.events(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_events'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.events(health.usage, date, jsonb, integer, text[], text) IS
    'qualifying events in the window';

CREATE FUNCTION health.activation_rate(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_activation_rate'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.activation_rate(health.usage, date, jsonb, integer, text[], text) IS
    'entitled users who were active in the window / entitled users; NULL when there are no users';

CREATE FUNCTION health.activation_rate_low(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_activation_rate_low'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.activation_rate_low(health.usage, date, jsonb, integer, text[], text) IS
    'lower end of the 95 % Wilson interval of activation_rate; NULL when there are no users';

CREATE FUNCTION health.activation_rate_high(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_activation_rate_high'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.activation_rate_high(health.usage, date, jsonb, integer, text[], text) IS
    'upper end of the 95 % Wilson interval of activation_rate; NULL when there are no users';

CREATE FUNCTION health.coverage(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_coverage'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.coverage(health.usage, date, jsonb, integer, text[], text) IS
    'entitled users with a create or consume event in the window / entitled users; NULL when there are no users, or the catalog has neither role (not_applicable)';

CREATE FUNCTION health.adoption_rate(usage health.usage, as_of date,
    seats float8 DEFAULT NULL,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_adoption_rate'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.adoption_rate(health.usage, date, float8, jsonb, integer, text[], text) IS
    'entitled users who were active in the window / licensed seats; NULL when the seats are NULL (no_data), 0, or no number of seats: NaN, below 0 (bad_value)';

CREATE FUNCTION health.onboarding_activation(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    onboarding_days integer DEFAULT 7,
    onboarding_events integer DEFAULT 1,
    onboarding_window integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_onboarding_activation'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.onboarding_activation(health.usage, date, jsonb, integer, integer, integer, text[], text) IS
    'of the users whose first joining is in [as_of - X - W, as_of - X) the share with at least k different activate events in the X days from the day of joining on (X onboarding_days, W onboarding_window, k onboarding_events), deactivated later or not; NULL when nobody is eligible, or the catalog lacks the role (not_applicable)';

CREATE FUNCTION health.invite_conversion(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    onboarding_days integer DEFAULT 7,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_invite_conversion'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.invite_conversion(health.usage, date, jsonb, integer, text[], text) IS
    'of the users first invited more than onboarding_days before as_of the share with a create or consume event at any time before as_of; NULL when none was invited, or the catalog has neither role (not_applicable)';

CREATE FUNCTION health.trend_4w(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_trend_4w'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.trend_4w(health.usage, date, jsonb, date, text[], text) IS
    'events of weeks 1-4 / events of weeks 5-8 - 1; NULL when the account is younger than 56 days (insufficient_history), something follows nothing, or nothing nothing (nobody_active)';

CREATE FUNCTION health.trend_4w_users(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_trend_4w_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.trend_4w_users(health.usage, date, jsonb, date, text[], text) IS
    'distinct active users of weeks 1-4 / those of weeks 5-8 - 1; NULL when the account is younger than 56 days (insufficient_history), something follows nothing, or nothing nothing (nobody_active)';

CREATE FUNCTION health.trend_4w_value(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL,
    events text[] DEFAULT NULL,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_trend_4w_value'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.trend_4w_value(health.usage, date, jsonb, date, text[], float8, text) IS
    'value points of weeks 1-4 / value points of weeks 5-8 - 1; NULL when the account is younger than 56 days (insufficient_history), something follows nothing, or nothing nothing (nobody_active)';

CREATE FUNCTION health.dropoff(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_dropoff'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.dropoff(health.usage, date, jsonb, date, text[], boolean, float8, text) IS
    'events of week 1 / mean of weeks 2-5 - 1; NULL when the account is younger than 35 days (insufficient_history), something follows nothing, or nothing nothing (nobody_active)';

CREATE FUNCTION health.baseline(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_baseline'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.baseline(health.usage, date, jsonb, date, text[], text) IS
    'mean events of weeks 1-4 / median of weeks 5-30, or as many as the account has, / the same ratio 52 weeks before, where the ledger keeps it and it is above 0, - 1; NULL when the account is younger than 84 days (insufficient_history), the median is 0 (nothing against nothing: nobody_active)';

CREATE FUNCTION health.baseline_users(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_baseline_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.baseline_users(health.usage, date, jsonb, date, text[], text) IS
    'mean active users of weeks 1-4 / median of weeks 5-30, or as many as the account has, / the same ratio 52 weeks before, where the ledger keeps it and it is above 0, - 1; NULL when the account is younger than 84 days (insufficient_history), the median is 0 (nothing against nothing: nobody_active)';

CREATE FUNCTION health.baseline_value(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL,
    events text[] DEFAULT NULL,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_baseline_value'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.baseline_value(health.usage, date, jsonb, date, text[], float8, text) IS
    'mean value points of weeks 1-4 / median of weeks 5-30, or as many as the account has, / the same ratio 52 weeks before, where the ledger keeps it and it is above 0, - 1; NULL when the account is younger than 84 days (insufficient_history), the median is 0 (nothing against nothing: nobody_active)';

CREATE FUNCTION health.slope_4w(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_slope_4w'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.slope_4w(health.usage, date, jsonb, text[], boolean, float8, text) IS
    'least-squares slope per week of the events of weeks 4-1 / their mean, however young the account is; NULL when there are no events in these weeks (nobody_active)';

CREATE FUNCTION health.dip_streak(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS integer
    AS 'MODULE_PATHNAME', 'health_dip_streak'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.dip_streak(health.usage, date, jsonb, text[], boolean, float8, text) IS
    'consecutive decreases of events from week to week that end at week 1, however far back; an empty week after an empty one goes on with them; NULL when there never was an event (nobody_active)';

CREATE FUNCTION health.cadence(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_cadence'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.cadence(health.usage, date, jsonb, date, text[], text) IS
    'weeks with activity among the last n / n, n being the complete weeks since the account''s start, at most 8; NULL when the account is younger than 7 days (insufficient_history)';

CREATE FUNCTION health.recency_weeks(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS integer
    AS 'MODULE_PATHNAME', 'health_recency_weeks'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.recency_weeks(health.usage, date, jsonb, text[], text) IS
    'weeks without activity since the last active one: 0 when week 1 has a qualifying event, 1 when week 2 is the last that has; NULL when there never was such an event (no_data), or fewer than 2 whole weeks have passed since the first week with one (insufficient_history)';

CREATE FUNCTION health.cadence_recency(usage health.usage, as_of date,
    parameters float8[] DEFAULT NULL,
    catalog jsonb DEFAULT NULL,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_cadence_recency'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.cadence_recency(health.usage, date, float8[], jsonb, text[], text) IS
    '100 x probability that a qualifying event comes in the 28 days from as_of on, by the BG/BB model of the weeks since the first active one: how many had activity, and which was the last (parameters alpha, beta, gamma, delta of fit_bgbb); NULL when there are no parameters or there never was such an event (no_data), or fewer than 2 whole weeks have passed since the first week with one (insufficient_history)';

CREATE FUNCTION health.events_per_user_week(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_events_per_user_week'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.events_per_user_week(health.usage, date, jsonb, integer, text[], text) IS
    'events per active user and week of the window (28 days: 4 weeks); NULL when nobody is active';

CREATE FUNCTION health.stickiness(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_stickiness'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.stickiness(health.usage, date, jsonb, integer, text[], text) IS
    'mean daily active users over all days of the window / active users; NULL when nobody is active';

CREATE FUNCTION health.interaction(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_interaction'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.interaction(health.usage, date, jsonb, integer, text[], text) IS
    'interact events per active user and week of the window; NULL when nobody is active, or the catalog lacks the role (not_applicable)';

CREATE FUNCTION health.reply_ratio(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_reply_ratio'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.reply_ratio(health.usage, date, jsonb, integer, text[], text) IS
    'interact events / create events in the window; NULL when there is no create event, or the catalog lacks one of the roles (not_applicable)';

CREATE FUNCTION health.spread(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_spread'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.spread(health.usage, date, jsonb, integer, text[], text) IS
    'creators, users with a create event in the window, / active users; NULL when nobody is active, or the catalog lacks the role (not_applicable)';

CREATE FUNCTION health.creators(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_creators'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.creators(health.usage, date, jsonb, integer, text[], text) IS
    'users with a create event in the window; NULL when the catalog lacks the role (not_applicable)';

CREATE FUNCTION health.breadth(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    features text[] DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_breadth'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.breadth(health.usage, date, jsonb, integer, text[]) IS
    'distinct entitled features used in the window / features entitled: the option features, else all of the catalog''s. A feature that the plan lacks counts in neither part; NULL when none is entitled; neither option nor catalog say (not_applicable)';

CREATE FUNCTION health.depth(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_depth'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.depth(health.usage, date, jsonb, integer, text[], float8, text) IS
    'value points in the window / active users; daily_cap limits the points of a user and day; NULL when nobody is active';

CREATE FUNCTION health.value_points(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_value_points'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.value_points(health.usage, date, jsonb, integer, text[], float8, text) IS
    'value points in the window: sum of events x their value in the catalog; daily_cap limits the points of a user and day';

CREATE FUNCTION health.sessions_per_user_week(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_sessions_per_user_week'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.sessions_per_user_week(health.usage, date, jsonb, integer, text[], text) IS
    'session events per active user and week of the window; NULL when nobody is active, there is no session in the window (no_data), or the catalog lacks the role (not_applicable)';

CREATE FUNCTION health.amount_sum(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_amount_sum'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.amount_sum(health.usage, date, jsonb, integer, text[], text) IS
    'sum of the amounts that events carry in the window; NULL when no event in the window carries one (no_data)';

CREATE FUNCTION health.amount_mean(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_amount_mean'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.amount_mean(health.usage, date, jsonb, integer, text[], text) IS
    'mean of the amounts over the events in the window that carry one; NULL when no event in the window carries one (no_data)';

CREATE FUNCTION health.recency_days(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    events text[] DEFAULT NULL,
    user_id text DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS integer
    AS 'MODULE_PATHNAME', 'health_recency_days'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.recency_days(health.usage, date, jsonb, text[], text, text) IS
    'as_of less the day of the last qualifying event, of the account or of one user (user_id as text): at least 1; NULL when there is no such event (no_data)';

CREATE FUNCTION health.growth(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_growth'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.growth(health.usage, date, jsonb, integer, text[], text) IS
    'active users who came in the window / entitled users at its start. A user comes with the first joining, without a roster with the first activity; NULL when there was nobody at the window''s start';

CREATE FUNCTION health.time_to_value(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS integer
    AS 'MODULE_PATHNAME', 'health_time_to_value'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.time_to_value(health.usage, date, jsonb, date, text[], text) IS
    'days from the account''s start to its first activate event, at least 0; NULL when it was not reached, that is, it is censored (no_data), or the catalog lacks the role (not_applicable)';

CREATE FUNCTION health.trial_use(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    account_start date DEFAULT NULL,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_trial_use'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.trial_use(health.usage, date, jsonb, date, text[], text) IS
    'whether the first activate event came before the account''s start; NULL when there is no such event (no_data), or the catalog lacks the role (not_applicable)';

CREATE FUNCTION health.dormant_users(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_dormant_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.dormant_users(health.usage, date, jsonb, integer, text[], text) IS
    'entitled users without a qualifying event in the window; NULL when nobody is active and there is no roster (nobody_active)';

CREATE FUNCTION health.power_user_dependency(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    top_k integer DEFAULT 1,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_power_user_dependency'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.power_user_dependency(health.usage, date, jsonb, integer, text[], boolean, float8, integer, text) IS
    'largest share of a user in the contributions of the window; with top_k the share of the k largest together; NULL when there are no contributions';

CREATE FUNCTION health.top_user(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS text
    AS 'MODULE_PATHNAME', 'health_top_user'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.top_user(health.usage, date, jsonb, integer, text[], boolean, float8, text) IS
    'the user with the largest contribution in the window (ties: the smallest id); NULL when there are no contributions';

CREATE FUNCTION health.top2_share(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_top2_share'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.top2_share(health.usage, date, jsonb, integer, text[], boolean, float8, text) IS
    'share of the two largest contributions in the window; NULL when there are no contributions';

CREATE FUNCTION health.top3_share(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_top3_share'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.top3_share(health.usage, date, jsonb, integer, text[], boolean, float8, text) IS
    'share of the three largest contributions in the window; NULL when there are no contributions';

CREATE FUNCTION health.hhi(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_hhi'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.hhi(health.usage, date, jsonb, integer, text[], boolean, float8, text) IS
    'sum of the squared shares of active users (Herfindahl-Hirschman index): 1/n when even, 1 when one user does all; NULL when there are no contributions';

CREATE FUNCTION health.effective_users(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_effective_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.effective_users(health.usage, date, jsonb, integer, text[], boolean, float8, text) IS
    '1 / hhi: the number of equally active users with the same concentration; NULL when there are no contributions';

CREATE FUNCTION health.hhi_normalized(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_hhi_normalized'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.hhi_normalized(health.usage, date, jsonb, integer, text[], boolean, float8, text) IS
    '(hhi - 1/n) / (1 - 1/n): 0 when even, 1 when one user does all; NULL when there are no contributions, or there is one user (not_applicable)';

CREATE FUNCTION health.gini(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS float8
    AS 'MODULE_PATHNAME', 'health_gini'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.gini(health.usage, date, jsonb, integer, text[], boolean, float8, text) IS
    'Gini coefficient of the contributions of active users; 0 for one user, so never to be shown alone; NULL when there are no contributions';

CREATE FUNCTION health.absence_factor(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_absence_factor'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.absence_factor(health.usage, date, jsonb, integer, text[], boolean, float8, text) IS
    'fewest users who make half of the contributions in the window; NULL when there are no contributions';

CREATE FUNCTION health.first_event(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS date
    AS 'MODULE_PATHNAME', 'health_first_event'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.first_event(health.usage, date, jsonb, text[], text) IS
    'first day before as_of with a qualifying event; NULL when there is none';

CREATE FUNCTION health.last_event(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS date
    AS 'MODULE_PATHNAME', 'health_last_event'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.last_event(health.usage, date, jsonb, text[], text) IS
    'last day before as_of with a qualifying event; NULL when there is none';

CREATE FUNCTION health.weekly(usage health.usage, as_of date,
    weeks integer DEFAULT 12,
    catalog jsonb DEFAULT NULL,
    events text[] DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_weekly'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.weekly(health.usage, date, integer, jsonb, text[], text) IS
    'qualifying events per week, oldest first: of 12 weeks in a record, of any number from its function';
-- How much of an account hangs on few users, as a table and as one record. Contributions are events, or value points with by_value.

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

CREATE FUNCTION health.concentration(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL)
    RETURNS health.concentration_record
    AS 'MODULE_PATHNAME', 'health_concentration_reader'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.concentration(health.usage, date, jsonb, integer, text[], boolean, float8, text) IS
    'concentration of the contributions of the users active in the window';

CREATE FUNCTION health.top_users(usage health.usage, as_of date, top_k integer DEFAULT 5,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL,
    OUT user_id text, OUT contribution float8, OUT share float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_top_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500 ROWS 5;
COMMENT ON FUNCTION health.top_users(health.usage, date, integer, jsonb, integer, text[], boolean, float8, text) IS
    'the users with the largest contributions in the window and their shares, largest first, ties by id';
-- The parameters of cadence_recency: the BG/BB model (Fader, Hardie and Shang 2010), fitted to the weeks of accounts.
-- Its state is an integer[] with room to grow: src/pg/bgbb.cpp.

CREATE FUNCTION health_internal.fit_bgbb_transition(state integer[], usage health.usage, as_of date)
    RETURNS integer[]
    AS 'MODULE_PATHNAME', 'health_fit_bgbb_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health_internal.fit_bgbb_transition(integer[], health.usage, date) IS 'transition function of fit_bgbb';

CREATE FUNCTION health_internal.fit_bgbb_options_transition(state integer[], usage health.usage, as_of date, catalog jsonb,
    events text[], actor text)
    RETURNS integer[]
    AS 'MODULE_PATHNAME', 'health_fit_bgbb_options_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health_internal.fit_bgbb_options_transition(integer[], health.usage, date, jsonb, text[], text) IS
    'transition function of fit_bgbb with options';

CREATE FUNCTION health_internal.fit_bgbb_combine(a integer[], b integer[])
    RETURNS integer[]
    AS 'MODULE_PATHNAME', 'health_fit_bgbb_combine'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.fit_bgbb_combine(integer[], integer[]) IS 'joins two transition states of fit_bgbb';

CREATE FUNCTION health_internal.fit_bgbb_final(state integer[])
    RETURNS float8[]
    AS 'MODULE_PATHNAME', 'health_fit_bgbb_final'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION health_internal.fit_bgbb_final(integer[]) IS 'final function of fit_bgbb';

CREATE AGGREGATE health.fit_bgbb(usage health.usage, as_of date) (
    SFUNC = health_internal.fit_bgbb_transition,
    STYPE = integer[],
    SSPACE = 65536,
    FINALFUNC = health_internal.fit_bgbb_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.fit_bgbb_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.fit_bgbb(health.usage, date) IS
    'the parameters alpha, beta, gamma, delta for cadence_recency, of greatest likelihood for the weeks of these accounts before as_of '
    '(BG/BB, Fader, Hardie and Shang 2010); accounts that were never active are skipped; NULL of fewer than 10 accounts with a week after '
    'their first active one, and where nothing tells accounts apart: no third week, nobody ever active again, everybody always';

CREATE AGGREGATE health.fit_bgbb(usage health.usage, as_of date, catalog jsonb, events text[], actor text) (
    SFUNC = health_internal.fit_bgbb_options_transition,
    STYPE = integer[],
    SSPACE = 65536,
    FINALFUNC = health_internal.fit_bgbb_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.fit_bgbb_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.fit_bgbb(health.usage, date, jsonb, text[], text) IS
    'the same for the events that catalog, events and actor choose, as in cadence_recency';

CREATE FUNCTION health_internal.fit_weeks(weeks integer[], OUT parameters float8[], OUT accounts bigint, OUT reason text)
    AS 'MODULE_PATHNAME', 'health_fit_weeks'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION health_internal.fit_weeks(integer[]) IS
    'fit_bgbb of weeks that are counted already: for each account how many were active, which was the last of them, and all; reason: why '
    'there are no parameters';
-- Who fell silent. Contributions are events, or value points with by_value.

CREATE FUNCTION health.quiet_users(usage health.usage, as_of date,
    catalog jsonb DEFAULT NULL,
    window_days integer DEFAULT 28,
    events text[] DEFAULT NULL,
    by_value boolean DEFAULT false,
    daily_cap float8 DEFAULT NULL,
    actor text DEFAULT NULL,
    OUT user_id text, OUT last_day date, OUT before float8, OUT now float8, OUT lost float8, OUT share_of_fall float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_quiet_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500 ROWS 5;
COMMENT ON FUNCTION health.quiet_users(health.usage, date, jsonb, integer, text[], boolean, float8, text) IS
    'the users who did at most half as much in the window as in the one before it: the day on which they were last seen, contributions in '
    'the window before and now, what was lost, and its share of what all users who did less lost together; largest losses first, ties '
    'by id';
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
COMMENT ON FUNCTION health_internal.activation_rate_bigint_transition(health_internal.usage_state, bigint, boolean) IS
    'transition function of activation_rate';

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
COMMENT ON FUNCTION health_internal.activation_rate_uuid_transition(health_internal.usage_state, uuid, boolean) IS
    'transition function of activation_rate';

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
COMMENT ON FUNCTION health_internal.activation_rate_text_transition(health_internal.usage_state, text, boolean) IS
    'transition function of activation_rate';

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
COMMENT ON FUNCTION health_internal.user_bigint_transition(health_internal.usage_state, bigint) IS
    'transition function of power_user_dependency and concentration';

CREATE FUNCTION health_internal.user_weight_bigint_transition(state health_internal.usage_state, user_id bigint, weight float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_weight_bigint_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_weight_bigint_transition(health_internal.usage_state, bigint, float8) IS
    'transition function of weighted power_user_dependency and concentration';

CREATE FUNCTION health_internal.user_uuid_transition(state health_internal.usage_state, user_id uuid)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_uuid_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_uuid_transition(health_internal.usage_state, uuid) IS
    'transition function of power_user_dependency and concentration';

CREATE FUNCTION health_internal.user_weight_uuid_transition(state health_internal.usage_state, user_id uuid, weight float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_weight_uuid_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_weight_uuid_transition(health_internal.usage_state, uuid, float8) IS
    'transition function of weighted power_user_dependency and concentration';

CREATE FUNCTION health_internal.user_text_transition(state health_internal.usage_state, user_id text)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_text_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_text_transition(health_internal.usage_state, text) IS
    'transition function of power_user_dependency and concentration';

CREATE FUNCTION health_internal.user_weight_text_transition(state health_internal.usage_state, user_id text, weight float8)
    RETURNS health_internal.usage_state
    AS 'MODULE_PATHNAME', 'health_user_weight_text_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.user_weight_text_transition(health_internal.usage_state, text, float8) IS
    'transition function of weighted power_user_dependency and concentration';

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
    'share of the total weight that belongs to the user with the most; rows with a NULL user or weight are skipped, '
    'a negative or infinite weight is an error; NULL of no rows';

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
    'share of the total weight that belongs to the user with the most; rows with a NULL user or weight are skipped, '
    'a negative or infinite weight is an error; NULL of no rows';

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
    'share of the total weight that belongs to the user with the most; rows with a NULL user or weight are skipped, '
    'a negative or infinite weight is an error; NULL of no rows';

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
    'how much of the rows hangs on few users: top shares, HHI, effective users, Gini, absence factor; '
    'rows with a NULL user are skipped; NULL of no rows';

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
    'how much of the total weight hangs on few users: top shares, HHI, effective users, Gini, absence factor; '
    'rows with a NULL user or weight are skipped, '
    'a negative or infinite weight is an error; NULL of no rows';

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
    'how much of the rows hangs on few users: top shares, HHI, effective users, Gini, absence factor; '
    'rows with a NULL user are skipped; NULL of no rows';

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
    'how much of the total weight hangs on few users: top shares, HHI, effective users, Gini, absence factor; '
    'rows with a NULL user or weight are skipped, '
    'a negative or infinite weight is an error; NULL of no rows';

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
    'how much of the rows hangs on few users: top shares, HHI, effective users, Gini, absence factor; '
    'rows with a NULL user are skipped; NULL of no rows';

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
    'how much of the total weight hangs on few users: top shares, HHI, effective users, Gini, absence factor; '
    'rows with a NULL user or weight are skipped, '
    'a negative or infinite weight is an error; NULL of no rows';

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
COMMENT ON FUNCTION health_internal.trend_4w_transition(bigint[], timestamptz, date) IS
    'transition function of trend_4w';

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
    'events in the four weeks before as_of / events in the four weeks before those - 1, in days of UTC; the first event of the group '
    'stands for the account''s start: NULL when that is less than 8 weeks before as_of, of no rows, and when something follows nothing';

CREATE FUNCTION health_internal.trend_4w_zone_transition(state bigint[], occurred_at timestamptz, as_of date, time_zone text)
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_trend_4w_zone_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.trend_4w_zone_transition(bigint[], timestamptz, date, text) IS
    'transition function of trend_4w';

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
    'events in the four weeks before as_of / events in the four weeks before those - 1, in days of the time zone; the first event of the group '
    'stands for the account''s start: NULL when that is less than 8 weeks before as_of, of no rows, and when something follows nothing';

CREATE FUNCTION health_internal.trend_4w_date_transition(state bigint[], occurred_at date, as_of date)
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_trend_4w_date_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.trend_4w_date_transition(bigint[], date, date) IS
    'transition function of trend_4w';

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
    'events in the four weeks before as_of / events in the four weeks before those - 1; the first event of the group '
    'stands for the account''s start: NULL when that is less than 8 weeks before as_of, of no rows, and when something follows nothing';
-- Exact comparisons of counts, and the interval of a share.

CREATE FUNCTION health.down_at_least(current bigint, previous bigint, percent integer)
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_down_at_least'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health.down_at_least(bigint, bigint, integer) IS
    'whether current is at least percent % below previous, compared exactly in integers: 100 * current <= (100 - percent) * previous; '
    'false when previous is 0';

CREATE FUNCTION health.up_at_least(current bigint, previous bigint, percent integer)
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_up_at_least'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health.up_at_least(bigint, bigint, integer) IS
    'whether current is at least percent % above previous, compared exactly in integers: 100 * current >= (100 + percent) * previous; '
    'false when previous is 0';

CREATE FUNCTION health.wilson_interval(part bigint, whole bigint, OUT low float8, OUT high float8)
    RETURNS record
    AS 'MODULE_PATHNAME', 'health_wilson_interval'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION health.wilson_interval(bigint, bigint) IS
    '95 % Wilson interval of the share part / whole; NULLs when whole is 0 or part is not between 0 and whole';
-- Display: a row of numbers as a line of blocks.

-- The script is ASCII, and so is what other encodings have in their place.
CREATE FUNCTION health_internal.block(eighths integer) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Not in one expression: the planner would compute the sign of every encoding.
    IF getdatabaseencoding() = 'UTF8' THEN
        RETURN chr(9600 + eighths);
    END IF;
    RETURN substr('_.-:=+*#', eighths, 1);
END;
$$;
COMMENT ON FUNCTION health_internal.block(integer) IS
    'A block of so many eighths of its height, in a database of another encoding than UTF8 a sign in its place';

CREATE FUNCTION health.sparkline("values" numeric[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(CASE
               WHEN p.value IS NULL OR p.value IN ('NaN', 'Infinity', '-Infinity') THEN ' '
               WHEN p.ceiling = p.base THEN health_internal.block(1)
               ELSE health_internal.block(1 + floor((p.value - p.base) / (p.ceiling - p.base) * 7.999)::integer)
           END, '' ORDER BY p.position), '')
    FROM (SELECT v.value, v.position,
                 least(min(v.value) FILTER (WHERE v.value NOT IN ('NaN', 'Infinity', '-Infinity')) OVER (), 0) AS base,
                 greatest(max(v.value) FILTER (WHERE v.value NOT IN ('NaN', 'Infinity', '-Infinity')) OVER (), 0) AS ceiling
          FROM unnest("values") WITH ORDINALITY AS v (value, position)) AS p;
$$;
COMMENT ON FUNCTION health.sparkline(numeric[]) IS
    'The numbers as a line of blocks from 0 (or the lowest negative) to the highest, in databases of other encodings than UTF8 of '
    'the signs _.-:=+*#; a blank for NULL';
-- Whether tracking broke: volumes of sources by day and event, days that are odd, and the day as of which accounts are seen.

CREATE AGGREGATE health_internal.common_divisor(bigint) (
    SFUNC = pg_catalog.gcd, STYPE = bigint, INITCOND = '0', COMBINEFUNC = pg_catalog.gcd, PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.common_divisor(bigint) IS 'The largest number that divides all of them; 0 of none';

CREATE TYPE health_internal.volume AS (
    source text,
    event text,
    day date,
    events bigint,
    divisor bigint,
    cells bigint,
    largest bigint
);
COMMENT ON TYPE health_internal.volume IS 'Internal: what a source has of one event on one day';
COMMENT ON COLUMN health_internal.volume.source IS 'Path of the source in the document';
COMMENT ON COLUMN health_internal.volume.event IS 'Name of the event; NULL: all those that are too rare to be missed';
COMMENT ON COLUMN health_internal.volume.day IS 'Local day';
COMMENT ON COLUMN health_internal.volume.events IS 'How many of them there are';
COMMENT ON COLUMN health_internal.volume.divisor IS
    'The largest number that divides how often each user did it; NULL: not looked at';
COMMENT ON COLUMN health_internal.volume.cells IS 'How many users of accounts did it; NULL: not looked at';
COMMENT ON COLUMN health_internal.volume.largest IS 'How many are of the account that has most; NULL: not looked at';

-- Ids in the names of events make millions of names.
CREATE FUNCTION health_internal.least_volume() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 200;
END;
COMMENT ON FUNCTION health_internal.least_volume() IS
    'An event of which there are fewer is on no day missed: four of eight days must have had 50';

CREATE FUNCTION health_internal.odd_days(first_day date, events bigint[], divisors bigint[], cells bigint[], largest bigint[],
    whole_source boolean, OUT day date, OUT kind text, OUT seen bigint, OUT usual float8, OUT times bigint) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_odd_days'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100 ROWS 2;
COMMENT ON FUNCTION health_internal.odd_days(date, bigint[], bigint[], bigint[], bigint[], boolean) IS
    'The days on which far fewer events came than usual (lost: under a fifth of the median of the weekday in the 8 weeks before, from 50 '
    'on), far more (flood: over five times as much, of a whole source), or all of them several times (doubled); each without the '
    'account that has most, largest. Suspect: what says so, -1, is not known yet. The '
    'arrays are of one day after the other from the first one on; the first 56 are not judged';

CREATE FUNCTION health_internal.join_outages(days date[], judged_until date) RETURNS date[]
    AS 'MODULE_PATHNAME', 'health_join_outages'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.join_outages(date[], date) IS
    'First and last days, by turns, of runs of the given days, which ascend; the last one is infinity when it is the day before '
    'judged_until. NULL without any';

CREATE FUNCTION health_internal.seen_as_of(as_of date, outages date[]) RETURNS date
    AS 'MODULE_PATHNAME', 'health_seen_as_of'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.seen_as_of(date, date[]) IS
    'The day as of which accounts are seen: the first day of the outage that the day before as_of is in, at most 35 days back; else as_of';

-- Arrays are taken for a few rows, so that without a word everything would be compared with everything.
CREATE FUNCTION health_internal.odd_volumes(volumes health_internal.volume[], from_day date, until_day date,
    OUT source text, OUT event text, OUT day date, OUT kind text, OUT seen bigint, OUT usual float8, OUT times bigint)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 10
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
SET enable_mergejoin = off
SET jit = off
AS $$
    WITH of_event AS (
        SELECT v.* FROM unnest(volumes) AS v WHERE v.day >= from_day - 56 AND v.day < until_day AND v.events > 0
    ), counted AS (
        SELECT e.* FROM of_event AS e WHERE e.event IS NOT NULL
        UNION ALL
        SELECT e.source, '', e.day, sum(e.events)::bigint, CASE WHEN bool_and(e.divisor IS NOT NULL)
            THEN health_internal.common_divisor(e.divisor) END, sum(e.cells)::bigint,
               CASE WHEN bool_and(e.largest IS NOT NULL) THEN sum(e.largest) END::bigint
        FROM of_event AS e GROUP BY e.source, e.day
    ), series AS (
        SELECT c.source, c.event FROM counted AS c GROUP BY c.source, c.event HAVING sum(c.events) >= health_internal.least_volume()
    ), dense AS (
        SELECT s.source, s.event, array_agg(coalesce(c.events, 0) ORDER BY d.day) AS events,
               array_agg(CASE WHEN c.events IS NULL THEN 0 ELSE coalesce(c.divisor, -1) END ORDER BY d.day) AS divisors,
               array_agg(coalesce(c.cells, 0) ORDER BY d.day) AS cells,
               array_agg(CASE WHEN c.events IS NULL THEN 0 ELSE coalesce(c.largest, -1) END ORDER BY d.day) AS largest
        FROM series AS s CROSS JOIN (SELECT from_day - 56 + n AS day FROM generate_series(0, until_day - from_day + 55) AS n) AS d
        LEFT JOIN counted AS c ON c.source = s.source AND c.event = s.event AND c.day = d.day
        GROUP BY s.source, s.event
    )
    SELECT d.source, nullif(d.event, ''), o.day, o.kind, o.seen, o.usual, o.times
    FROM dense AS d, LATERAL health_internal.odd_days(from_day - 56, d.events, d.divisors, d.cells, d.largest, d.event = '') AS o;
$$;
COMMENT ON FUNCTION health_internal.odd_volumes(health_internal.volume[], date, date) IS
    'Odd days of sources (event NULL) and of their events from one day to the day before another; volumes begin 56 days earlier';

-- Who said that an outage is how it is said so of all of it: an event that was given up is missed until it is usual that it does not come.
CREATE FUNCTION health_internal.broken_volumes(volumes health_internal.volume[], from_day date, until_day date, accepted datemultirange,
    OUT source text, OUT event text, OUT day date, OUT kind text, OUT seen bigint, OUT usual float8, OUT times bigint)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.source, r.event, r.day, r.kind, r.seen, r.usual, r.times
    FROM (SELECT n.*, bool_or(n.day <@ accepted) OVER (PARTITION BY n.source, n.event, n.run) AS taken
          FROM (SELECT o.*, o.day - (row_number() OVER (PARTITION BY o.source, o.event ORDER BY o.day))::integer AS run
                FROM health_internal.odd_volumes(volumes, from_day, until_day) AS o WHERE o.kind <> 'suspect') AS n) AS r
    WHERE r.taken IS NOT TRUE;
$$;
COMMENT ON FUNCTION health_internal.broken_volumes(health_internal.volume[], date, date, datemultirange) IS
    'Odd days of sources and events, less those in a row with a day that was accepted';

CREATE FUNCTION health_internal.describe_odd_volume(source text, event text, day date, kind text, seen bigint, usual float8, times bigint)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('%s had %s events on %s%s, usually about %s on that weekday', concat_ws(' ', source, '"' || event || '"'), seen,
                  health_internal.iso_text(day),
                  CASE kind WHEN 'doubled' THEN format(', all of them %s times', times) ELSE '' END, round(usual::numeric));
$$;
COMMENT ON FUNCTION health_internal.describe_odd_volume(text, text, date, text, bigint, float8, bigint) IS 'An odd day in words';

CREATE TYPE health_internal.sight AS (
    as_of date,
    outages date[],
    broken text
);
COMMENT ON TYPE health_internal.sight IS 'Internal: how much is to be seen of a book on a day';
COMMENT ON COLUMN health_internal.sight.as_of IS 'The day as of which its accounts are scored';
COMMENT ON COLUMN health_internal.sight.outages IS 'First and last days, by turns, on which tracking was broken, as far back as was asked';
COMMENT ON COLUMN health_internal.sight.broken IS 'Why as_of is earlier than the day; NULL: it is the day';

-- How far before the day that is asked for volumes tell something: an outage holds back 35 days at most, and
-- what is usual takes 8 weeks.
CREATE FUNCTION health_internal.volume_days(past_days integer) RETURNS integer
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT past_days + 41 + 56;
END;
COMMENT ON FUNCTION health_internal.volume_days(integer) IS
    'Days of volumes before the day that is asked for, which it takes to know the outages of so many past days';

CREATE FUNCTION health_internal.find_sight(volumes health_internal.volume[], as_of date, today date, past_days integer,
    accepted datemultirange) RETURNS health_internal.sight
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH odd AS MATERIALIZED (
        SELECT o.* FROM health_internal.broken_volumes(volumes, find_sight.as_of - past_days - 41, least(find_sight.as_of, today),
                                                       accepted) AS o
    ), found AS MATERIALIZED (
        SELECT f.outages, health_internal.seen_as_of(find_sight.as_of, f.outages) AS as_of
        FROM (SELECT health_internal.join_outages(ARRAY(SELECT DISTINCT o.day FROM odd AS o ORDER BY 1),
                                                  least(find_sight.as_of, today)) AS outages) AS f
    )
    SELECT f.as_of, f.outages, CASE WHEN f.as_of < find_sight.as_of THEN (
        SELECT 'tracking_broke: ' || health_internal.describe_odd_volume(o.source, o.event, o.day, o.kind, o.seen, o.usual, o.times)
        FROM odd AS o WHERE o.day >= f.as_of ORDER BY o.day, o.event IS NOT NULL, o.source, o.usual DESC, o.event LIMIT 1) END
    FROM found AS f;
$$;
COMMENT ON FUNCTION health_internal.find_sight(health_internal.volume[], date, date, integer, datemultirange) IS
    'As of which day accounts are seen at as_of, by the volumes of days that are over (before today); outages with an accepted day are '
    'taken as they are';
-- How well a score ranks: the aggregate auc(), and its like over arrays.
--
-- The state is exact (all pairs), so that serial, parallel and distributed plans agree.

CREATE FUNCTION health_internal.auc_add(state float8[], score float8, outcome boolean) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'health_auc_add'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.auc_add(float8[], float8, boolean) IS 'transition function of the aggregate auc';

CREATE FUNCTION health_internal.auc_combine(state float8[], other float8[]) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'health_auc_combine'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.auc_combine(float8[], float8[]) IS 'combine function of the aggregate auc';

CREATE FUNCTION health_internal.auc_result(state float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_auc_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION health_internal.auc_result(float8[]) IS 'final function of the aggregate auc';

CREATE AGGREGATE health.auc(score float8, outcome boolean) (
    SFUNC = health_internal.auc_add, STYPE = float8[], SSPACE = 1024,
    FINALFUNC = health_internal.auc_result, COMBINEFUNC = health_internal.auc_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.auc(float8, boolean) IS
    'Area under the ROC curve: how often a row with the outcome has the higher score than one without, ties counting half, 0 to 1. A high '
    'score means that the outcome is likely: of health give 100 - score. NULL when there are rows of one class only; rows with NULL are '
    'skipped. Error 22023 for NaN. Source: Bamber 1975';

CREATE FUNCTION health_internal.auc_interval(risks float8[], outcomes boolean[], clusters bigint[],
    OUT auc float8, OUT low float8, OUT high float8, OUT standard_error float8, OUT positives bigint, OUT negatives bigint)
    AS 'MODULE_PATHNAME', 'health_auc_interval'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION health_internal.auc_interval(float8[], boolean[], bigint[]) IS
    'AUC with its 95 % interval: DeLong 1988, by clusters Obuchowski 1997';

CREATE FUNCTION health_internal.auc_difference(first float8[], second float8[], outcomes boolean[], clusters bigint[],
    OUT difference float8, OUT low float8, OUT high float8, OUT p_value float8)
    AS 'MODULE_PATHNAME', 'health_auc_difference'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 20000;
COMMENT ON FUNCTION health_internal.auc_difference(float8[], float8[], boolean[], bigint[]) IS
    'How much better the first score ranks than the second, on the same rows, with its 95 % interval (paired, by clusters)';

CREATE FUNCTION health_internal.auc_beside(first float8[], others float8[], outcomes boolean[], clusters bigint[],
    OUT "position" integer, OUT auc float8, OUT low float8, OUT high float8, OUT difference float8, OUT difference_low float8,
    OUT difference_high float8, OUT p_value float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_auc_beside'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 30000 ROWS 3;
COMMENT ON FUNCTION health_internal.auc_beside(float8[], float8[], boolean[], bigint[]) IS
    'AUC of a score (position 1) and of others, one after the other in their array, each with how much better the first ranks, and 95 % '
    'intervals (by clusters, the differences paired)';

-- Fewer than ten with, or without, the outcome: an interval, and no figure.
CREATE FUNCTION health_internal.are_enough(events bigint, observations bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT least(events, observations - events) >= 10;
END;
COMMENT ON FUNCTION health_internal.are_enough(bigint, bigint) IS
    'Whether so many observations with the outcome, of so many in all, are enough to say a figure';
-- How good a list of the worst is, how good probabilities are, and whether bands are in order.

CREATE FUNCTION health_internal.top_k(risks float8[], outcomes boolean[], k bigint,
    OUT k_used bigint, OUT "precision" float8, OUT recall float8, OUT lift float8, OUT average_precision float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_top_k'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 1;
COMMENT ON FUNCTION health_internal.top_k(float8[], boolean[], bigint) IS
    'Of the k highest risks: precision, recall and lift, ties at the border by their expected value; and the average precision of all';

CREATE FUNCTION health_internal.probability_scores(probabilities float8[], outcomes boolean[],
    OUT brier float8, OUT skill float8, OUT log_loss float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_probability_scores'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION health_internal.probability_scores(float8[], boolean[]) IS 'Brier score, its skill against the base rate, and log-loss';

CREATE FUNCTION health_internal.calibration(probabilities float8[], outcomes boolean[], bins integer,
    OUT bin integer, OUT n bigint, OUT events bigint, OUT predicted float8, OUT observed float8, OUT low float8, OUT high float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_calibration'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION health_internal.calibration(float8[], boolean[], integer) IS
    'Predicted against observed rates, by quantiles of the prediction, with Wilson intervals';

CREATE FUNCTION health_internal.rate_inversions(events bigint[], counts bigint[], OUT first integer, OUT second integer, OUT p_value float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_rate_inversions'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION health_internal.rate_inversions(bigint[], bigint[]) IS
    'Of bands from the best to the worst: neighbours of which the better one has the higher rate, significantly (Fisher, Holm)';

CREATE FUNCTION health_internal.rate_interval(part bigint, whole bigint, OUT rate float8, OUT low float8, OUT high float8)
    AS 'MODULE_PATHNAME', 'health_rate_interval'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION health_internal.rate_interval(bigint, bigint) IS 'A share with its 95 % Wilson interval; NULL of nothing';
-- From a score to a probability: the map is made once and kept as numbers.

CREATE FUNCTION health_internal.calibrate_scores(scores float8[], outcomes boolean[], accounts bigint[], rises boolean, method text,
    OUT method_used text, OUT map float8[], OUT out_of_fold float8[])
    AS 'MODULE_PATHNAME', 'health_calibrate_scores'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION health_internal.calibrate_scores(float8[], boolean[], bigint[], boolean, text) IS
    'The map from scores to probabilities, isotonic or platt (any other method: the one with the lower Brier score out of fold), which '
    'rises or falls with the score, and the probability of each row by a map of the other accounts. NULL when a class comes from too '
    'few accounts';

CREATE FUNCTION health_internal.calibrated(map float8[], score float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_calibrated'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.calibrated(float8[], float8) IS
    'The probability that goes with a score. A map of two rows has scores, ascending, and their probabilities: straight lines between, '
    'level outside. One of two numbers is slope and intercept of 1 / (1 + exp(slope x score + intercept))';
-- Normalisers: from a raw value to a score between 0 and 100.

CREATE FUNCTION health.normalize(value float8, spec jsonb) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_normalize'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION health.normalize(float8, jsonb) IS
    'score of a number between 0 and 100 by a normaliser such as {"kind": "linear", "worst": 7, "best": 30}; NULL when unknown';

CREATE FUNCTION health.normalize(value text, spec jsonb) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_normalize_text'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION health.normalize(text, jsonb) IS
    'score of a category (or a number as text) between 0 and 100 by a normaliser such as {"kind": "map", "map": {"pro": 80}}; NULL when '
        'unknown';

CREATE FUNCTION health.nearest_name(name text, candidates text[]) RETURNS text
    AS 'MODULE_PATHNAME', 'health_nearest_name'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health.nearest_name(text, text[]) IS
    'the candidate that a mistyped name most likely meant; NULL when none is near';
-- Overrides as scoring takes them: what a person decided about the score of an account, for a time.

CREATE TYPE health.score_override AS (
    kind text,
    value float8,
    from_day date,
    expires date,
    ended date,
    owner text,
    reason text
);
COMMENT ON TYPE health.score_override IS
    'what a person decided about the score of an account; it holds for dates from from_day on, before expires and before ended';
COMMENT ON COLUMN health.score_override.kind IS
    'score: this is the score, known or not; cap: a known score is not above it; floor: a known score is not below it';
COMMENT ON COLUMN health.score_override.value IS 'the score, cap or floor, 0 to 100';
COMMENT ON COLUMN health.score_override.from_day IS 'the first day of scores that it holds for; NULL: all days';
COMMENT ON COLUMN health.score_override.expires IS 'the first day that it does not hold for any more, by itself; NULL: never';
COMMENT ON COLUMN health.score_override.ended IS
    'the first day that it does not hold for any more, because somebody ended it or put another in its place';
COMMENT ON COLUMN health.score_override.owner IS 'who says so';
COMMENT ON COLUMN health.score_override.reason IS 'why';
-- Scores: weighted means, bands, and the score of an account by a model.

CREATE FUNCTION health.health_score("values" float8[], weights float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_health_score'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION health.health_score(float8[], float8[]) IS
    'weighted mean of the known values; NULL values are left out, see score_coverage';

CREATE FUNCTION health.score_coverage("values" float8[], weights float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_score_coverage'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION health.score_coverage(float8[], float8[]) IS
    'data coverage: weights of the known values / all weights, between 0 and 1';

-- State of the aggregates: exact sums of weight x value, known weights and all weights, as non-overlapping doubles (a third of the
-- array each). Float sums depend on the order of addition; these do not, so serial, parallel and distributed plans agree to the bit.
CREATE FUNCTION health_internal.health_score_add(state float8[], value float8, weight float8) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'health_health_score_add'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.health_score_add(float8[], float8, float8) IS
    'transition function of the aggregates health_score and score_coverage';

CREATE FUNCTION health_internal.health_score_combine(state float8[], other float8[]) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'health_health_score_combine'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.health_score_combine(float8[], float8[]) IS
    'combine function of the aggregates health_score and score_coverage';

CREATE FUNCTION health_internal.health_score_result(state float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_health_score_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.health_score_result(float8[]) IS 'final function of the aggregate health_score';

CREATE FUNCTION health_internal.score_coverage_result(state float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_score_coverage_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.score_coverage_result(float8[]) IS 'final function of the aggregate score_coverage';

CREATE AGGREGATE health.health_score(value float8, weight float8) (
    SFUNC = health_internal.health_score_add, STYPE = float8[], SSPACE = 120,
    FINALFUNC = health_internal.health_score_result, COMBINEFUNC = health_internal.health_score_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.health_score(float8, float8) IS
    'weighted mean of the known values; rows with a NULL value are left out, rows with a NULL weight are skipped';

CREATE AGGREGATE health.score_coverage(value float8, weight float8) (
    SFUNC = health_internal.health_score_add, STYPE = float8[], SSPACE = 120,
    FINALFUNC = health_internal.score_coverage_result, COMBINEFUNC = health_internal.health_score_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.score_coverage(float8, float8) IS
    'data coverage: weights of the known values / all weights, between 0 and 1';

CREATE FUNCTION health.band(score float8) RETURNS text
    AS 'MODULE_PATHNAME', 'health_band'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health.band(float8) IS
    'healthy from 80, stable from 60, at_risk from 40, else critical; on the unrounded score';

CREATE FUNCTION health.band(score float8, bands jsonb) RETURNS text
    AS 'MODULE_PATHNAME', 'health_band_of'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION health.band(float8, jsonb) IS
    'band of a score by a list such as [{"name": "good", "from": 50}, {"name": "bad"}]; on the unrounded score';

CREATE TYPE health.account_score AS (
    score float8,
    band text,
    coverage float8,
    unknown_reason text,
    change_7d float8,
    change_28d float8,
    main_reason text,
    next_step text,
    score_without_top_user float8,
    in_book boolean,
    state text,
    state_reason text,
    override_reason text
);
COMMENT ON TYPE health.account_score IS 'score of one account on one day, with what moved it';
COMMENT ON COLUMN health.account_score.score IS
    '0 (worst) to 100 (best), after an override that has effect; NULL when unknown, see unknown_reason';
COMMENT ON COLUMN health.account_score.band IS 'name of the model''s band that the unrounded score falls into';
COMMENT ON COLUMN health.account_score.coverage IS 'share of the model''s weight that rests on known signals, 0 to 1';
COMMENT ON COLUMN health.account_score.unknown_reason IS 'why the score is NULL';
COMMENT ON COLUMN health.account_score.change_7d IS 'score minus the score 7 days before, in points';
COMMENT ON COLUMN health.account_score.change_28d IS 'score minus the score 28 days before, in points';
COMMENT ON COLUMN health.account_score.main_reason IS
    'an override that has effect, else the signal that moved the score most in 28 days, else the one that costs most points, in words';
COMMENT ON COLUMN health.account_score.next_step IS
    'what the model recommends: for the signal that costs most, or about an account in which nobody is active';
COMMENT ON COLUMN health.account_score.score_without_top_user IS
    'the score with the most active user''s activity removed, concentration as it is; never above the score';
COMMENT ON COLUMN health.account_score.in_book IS 'whether the account is a customer on the day: begun, and not ended';
COMMENT ON COLUMN health.account_score.state IS
    'prospect, ended, tracking_suspect, onboarding, onboarding_stalled, never_started, silent or active; '
    'NULL when the ledger begins too late to tell';
COMMENT ON COLUMN health.account_score.state_reason IS 'the state in words, since when; NULL of active accounts';
COMMENT ON COLUMN health.account_score.override_reason IS
    'the override that has effect on the score, in words: what, by whom, until when and why; NULL when none has';

CREATE TYPE health.signal_score AS (
    "position" int,
    signal text,
    parent text,
    label text,
    level int,
    raw float8,
    raw_text text,
    normalized float8,
    weight float8,
    points float8,
    reason text,
    phrase text,
    next_step text,
    counted float8,
    basis float8,
    book float8
);
COMMENT ON TYPE health.signal_score IS 'one signal of the score of one account on one day; the last row is the score itself';
COMMENT ON COLUMN health.signal_score."position" IS 'order in the model, depth first';
COMMENT ON COLUMN health.signal_score.signal IS
    'name in the model; "score" in the last row, "override" in the row before when an override has effect on the score';
COMMENT ON COLUMN health.signal_score.parent IS 'name of the group that the signal belongs to; NULL at the top';
COMMENT ON COLUMN health.signal_score.label IS 'name for people';
COMMENT ON COLUMN health.signal_score.level IS '1 at the top, 2 in a group, ...; 0 for the score';
COMMENT ON COLUMN health.signal_score.raw IS 'value as measured, before normalising; NULL for groups, categories and unknown values';
COMMENT ON COLUMN health.signal_score.raw_text IS 'value as measured, as text';
COMMENT ON COLUMN health.signal_score.normalized IS 'value as a score of 0 to 100; NULL when unknown';
COMMENT ON COLUMN health.signal_score.weight IS 'share of the whole score after unknown signals are left out, 0 to 1';
COMMENT ON COLUMN health.signal_score.points IS
    'contribution to the score: weight x normalized, of an override the difference that it makes; leaves and override add up to the score';
COMMENT ON COLUMN health.signal_score.reason IS
    'why the value is unknown; nobody_active is known all the same: the signal has the lowest score that there is';
COMMENT ON COLUMN health.signal_score.phrase IS 'the finding in words';
COMMENT ON COLUMN health.signal_score.next_step IS 'what the model recommends for a value like this; NULL when nothing';
COMMENT ON COLUMN health.signal_score.counted IS
    'the value that is scored where it is not raw: shrunk toward the median of the book, because the account is small';
COMMENT ON COLUMN health.signal_score.basis IS 'how many people, or events, the raw value rests on, where it was shrunk';
COMMENT ON COLUMN health.signal_score.book IS
    'what the whole book did on the same day, of a signal that is held against it: the median of raw over accounts that are not silent; '
    'NULL of fewer than 10, and where one account is scored by itself';

CREATE TYPE health.account_state AS (
    parts health.usage[],
    as_of date,
    account_start date,
    seats float8,
    inputs text[],
    observed date[],
    segments text[],
    past_inputs text[],
    past_observed date[],
    repeated boolean,
    account_end date,
    ledger_start date,
    past_step integer,
    in_filter boolean[],
    overrides health.score_override[],
    outages date[]
);
COMMENT ON TYPE health.account_state IS 'what scoring takes of an account';
COMMENT ON COLUMN health.account_state.parts IS 'ledgers that add up to the account''s usage';
COMMENT ON COLUMN health.account_state.as_of IS 'day of the score: it rests on events of days before it';
COMMENT ON COLUMN health.account_state.account_start IS
    'since when the account is a customer; NULL or -infinity: its first activity or joining; '
    'infinity: on no day yet';
COMMENT ON COLUMN health.account_state.seats IS 'licensed seats; NaN or below 0: recorded, but no number of seats';
COMMENT ON COLUMN health.account_state.inputs IS
    'values of the column, expression, query and pulse signals, in the order of model_inputs(model); a pulse as "2 by maria: note"';
COMMENT ON COLUMN health.account_state.observed IS 'days from which the inputs are; an input counts for dates after its day';
COMMENT ON COLUMN health.account_state.segments IS 'peer groups for percentile normalizers, in the order of the inputs';
COMMENT ON COLUMN health.account_state.past_inputs IS
    'inputs of earlier days: row n is of n x past_step days before as_of; without them the inputs stand for the past as well';
COMMENT ON COLUMN health.account_state.past_observed IS 'days from which the past inputs are, a row for each of theirs';
COMMENT ON COLUMN health.account_state.repeated IS
    'true when the account source has the account more than once: nobody can say which row is right, so it is not scored';

COMMENT ON COLUMN health.account_state.account_end IS
    'the first day on which the account is no customer any more; NULL or infinity: open';
COMMENT ON COLUMN health.account_state.ledger_start IS
    'the first day that the ledgers keep; NULL or -infinity: all days. What needs earlier ones is unknown (before_ledger)';

COMMENT ON COLUMN health.account_state.past_step IS 'days between rows of past_inputs, and elements of in_filter; NULL: 1';
COMMENT ON COLUMN health.account_state.in_filter IS
    'whether the accounts of the day had the account: element n + 1 is of n x past_step days before as_of, NULL where they had it more '
    'than once; NULL: on all days';

COMMENT ON COLUMN health.account_state.outages IS
    'first and last days, by turns, on which tracking was broken, infinity where it still is: dates within are scored as of the first day; '
    'NULL: none';
COMMENT ON COLUMN health.account_state.overrides IS
    'what was ever decided about the score, in the order in which it was: of those that hold on a day the last stands; NULL: nothing';

CREATE TYPE health_internal.signal_values AS (
    raw float8[],
    raw_text text[],
    normalized float8[],
    reason "char"[],
    whole float8[],
    observed date[],
    counted float8[],
    basis float8[],
    state "char",
    since date
);
COMMENT ON TYPE health_internal.signal_values IS
    'what the signals of a score are told from, with signal_rows(): an element per signal in the order of the model, groups with none; '
        'arrays of nothing are NULL';
COMMENT ON COLUMN health_internal.signal_values.raw IS 'values as measured';
COMMENT ON COLUMN health_internal.signal_values.raw_text IS 'values from outside as given, where raw does not say the same';
COMMENT ON COLUMN health_internal.signal_values.normalized IS 'values as scores of 0 to 100';
COMMENT ON COLUMN health_internal.signal_values.reason IS
    'why a value is unknown: n no_data, z zero_denominator, y insufficient_history, s source_stale, a not_applicable, '
    'b bad_value, r repeated_account, i nobody_active, l before_ledger';
COMMENT ON COLUMN health_internal.signal_values.whole IS
    'the number that words tell besides the value: users, active users, features or weeks that it is a share of, or licensed seats';
COMMENT ON COLUMN health_internal.signal_values.observed IS 'the day of a value that was carried forward or is not known';
COMMENT ON COLUMN health_internal.signal_values.counted IS 'values that were shrunk toward the median of the book';
COMMENT ON COLUMN health_internal.signal_values.basis IS 'by how many people or events';
COMMENT ON COLUMN health_internal.signal_values.state IS
    'of the customer: p prospect, e ended, t tracking_suspect, o onboarding, f onboarding_stalled, n never_started, s silent, '
    'k silent since before the first kept day, a active, u unsettled';
COMMENT ON COLUMN health_internal.signal_values.since IS 'since when, where the state has a day';

CREATE FUNCTION health.score_account(model jsonb, account health.account_state) RETURNS health.account_score
    AS 'MODULE_PATHNAME', 'health_score_account'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION health.score_account(jsonb, health.account_state) IS 'score of an account at a date by a model document';

CREATE FUNCTION health.score_signals(model jsonb, account health.account_state) RETURNS SETOF health.signal_score
    AS 'MODULE_PATHNAME', 'health_score_signals'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000 ROWS 10;
COMMENT ON FUNCTION health.score_signals(jsonb, health.account_state) IS
    'the signals of an account''s score with raw value, normalised value, weight, points and words, then an override that has effect; '
    'the last row is the score';

CREATE FUNCTION health_internal.signal_rows(model jsonb, as_of date, signals health_internal.signal_values,
    overrides health.score_override[] DEFAULT NULL, book float8[] DEFAULT NULL) RETURNS SETOF health.signal_score
    AS 'MODULE_PATHNAME', 'health_signal_rows'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 200 ROWS 10;
COMMENT ON FUNCTION health_internal.signal_rows(jsonb, date, health_internal.signal_values, health.score_override[], float8[]) IS
    'what score_signals() gives, from the values that score_details() gave and the overrides of the account; beside it what the whole book '
    'did, an element per signal';

CREATE FUNCTION health_internal.score_details(model jsonb, account health.account_state,
    OUT score float8, OUT band text, OUT data_coverage float8, OUT unknown_reason text, OUT change_7d float8,
    OUT change_28d float8, OUT main_reason text, OUT next_step text, OUT score_without_top_user float8,
    OUT in_book boolean, OUT state text, OUT state_reason text, OUT override_reason text,
    OUT total_users bigint,
    OUT active_users bigint,
    OUT events bigint,
    OUT activation_rate float8,
    OUT activation_rate_low float8,
    OUT activation_rate_high float8,
    OUT coverage float8,
    OUT adoption_rate float8,
    OUT onboarding_activation float8,
    OUT invite_conversion float8,
    OUT trend_4w float8,
    OUT trend_4w_users float8,
    OUT trend_4w_value float8,
    OUT dropoff float8,
    OUT baseline float8,
    OUT baseline_users float8,
    OUT baseline_value float8,
    OUT slope_4w float8,
    OUT dip_streak integer,
    OUT cadence float8,
    OUT recency_weeks integer,
    OUT cadence_recency float8,
    OUT events_per_user_week float8,
    OUT stickiness float8,
    OUT interaction float8,
    OUT reply_ratio float8,
    OUT spread float8,
    OUT creators bigint,
    OUT breadth float8,
    OUT depth float8,
    OUT value_points float8,
    OUT sessions_per_user_week float8,
    OUT amount_sum float8,
    OUT amount_mean float8,
    OUT recency_days integer,
    OUT growth float8,
    OUT time_to_value integer,
    OUT trial_use boolean,
    OUT dormant_users bigint,
    OUT power_user_dependency float8,
    OUT top_user text,
    OUT top2_share float8,
    OUT top3_share float8,
    OUT hhi float8,
    OUT effective_users float8,
    OUT hhi_normalized float8,
    OUT gini float8,
    OUT absence_factor bigint,
    OUT first_event date,
    OUT last_event date,
    OUT weekly bigint[],
    OUT signals health_internal.signal_values)
    AS 'MODULE_PATHNAME', 'health_score_details'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 3000;
COMMENT ON FUNCTION health_internal.score_details(jsonb, health.account_state) IS
    'score_account(), metrics() with the settings of the model, and the values that signal_rows() tells the signals from, in one go';

CREATE FUNCTION health_internal.raw_values(model jsonb, account health.account_state, dates date[]) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'health_raw_values'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION health_internal.raw_values(jsonb, health.account_state, date[]) IS
    'the values of the signals as measured on each of several dates: a row per date, a column per signal in the order of the model';

CREATE FUNCTION health.score_series(model jsonb, account health.account_state, from_date date, to_date date, step int DEFAULT 1,
                                    OUT as_of date, OUT score float8, OUT band text, OUT coverage float8, OUT unknown_reason text,
                                    OUT state text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_score_series'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 60;
COMMENT ON FUNCTION health.score_series(jsonb, health.account_state, date, date, int) IS
    'the score of an account at every step-th day from from_date to to_date, both included, from one decode of its ledger';

CREATE FUNCTION health.score_without_user(model jsonb, account health.account_state, user_id text) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_score_without_user'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION health.score_without_user(jsonb, health.account_state, text) IS
    'score of an account with one user''s activity removed: the size of the risk that this person leaves';
-- Why a score moved: the exact decomposition of a change into parts that add up.

CREATE TYPE health.change_row AS (
    "position" int,
    step text,
    signal text,
    label text,
    raw_from text,
    raw_to text,
    normalized_from float8,
    normalized_to float8,
    points float8,
    phrase text,
    because text
);
COMMENT ON TYPE health.change_row IS 'one part of the change of a score between two days; the last row is the total';
COMMENT ON COLUMN health.change_row."position" IS 'order of the row';
COMMENT ON COLUMN health.change_row.step IS 'values, availability, model, override, and total in the last row';
COMMENT ON COLUMN health.change_row.signal IS 'name of the signal in the model; NULL where the row is about no single signal';
COMMENT ON COLUMN health.change_row.label IS 'name for people';
COMMENT ON COLUMN health.change_row.raw_from IS 'value before, as measured';
COMMENT ON COLUMN health.change_row.raw_to IS 'value after, as measured';
COMMENT ON COLUMN health.change_row.normalized_from IS 'value before as a score of 0 to 100; the score itself in the last row';
COMMENT ON COLUMN health.change_row.normalized_to IS 'value after as a score of 0 to 100; the score itself in the last row';
COMMENT ON COLUMN health.change_row.points IS 'part of the change in points; the rows before the last add up to the last';
COMMENT ON COLUMN health.change_row.phrase IS 'the part in words; in the last row the whole sentence';
COMMENT ON COLUMN health.change_row.because IS
    'of a count or a course of activity the events, features and people behind it, up to three each, with the part of the change that is '
    'theirs; NULL of all else';

CREATE FUNCTION health.score_change(model_from jsonb, model_to jsonb, before health.account_state, after health.account_state,
                                    override_from float8 DEFAULT NULL, override_to float8 DEFAULT NULL)
    RETURNS SETOF health.change_row
    AS 'MODULE_PATHNAME', 'health_score_change'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 4000 ROWS 10;
COMMENT ON FUNCTION health.score_change(jsonb, jsonb, health.account_state, health.account_state, float8, float8) IS
    'the change of an account''s score between two dates as parts that add up, with a sentence in the last row; '
    'usage, account start, seats and segments of both ends are those of after';
-- What the whole book did, beside the changes of an account: told in words, and taken out before advice is given. No score moves by it.

CREATE FUNCTION health_internal.relative_signals(model jsonb) RETURNS boolean[]
    AS 'MODULE_PATHNAME', 'health_relative_signals'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health_internal.relative_signals(jsonb) IS
    'Which signals of a model are held against the book, an element per signal in the order of the model';

CREATE FUNCTION health_internal.account_signals(model jsonb, account health.account_state) RETURNS health_internal.signal_values
    AS 'MODULE_PATHNAME', 'health_account_signals'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION health_internal.account_signals(jsonb, health.account_state) IS
    'The values of an account that signal_rows() tells the signals from, as score_details() has them';

CREATE FUNCTION health_internal.next_step_in_book(model jsonb, as_of date, signals health_internal.signal_values,
    overrides health.score_override[], change_28d float8, book float8[]) RETURNS text
    AS 'MODULE_PATHNAME', 'health_next_step_in_book'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.next_step_in_book(jsonb, date, health_internal.signal_values, health.score_override[], float8, float8[])
    IS 'The next step of an account from what score_details() gave, given what the whole book did: an element per signal, NULL where it is '
    'not known';

-- Medians say the same of any number of accounts in any order, so that a refresh of some of them finds what one of all does.
CREATE FUNCTION health_internal.compile_book_changes(document jsonb, accounts text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT ARRAY[%s]::pg_catalog.float8[] AS changes FROM (SELECT CASE WHEN pg_catalog.strpos(''peofnsk'', '
                  '(a."$signals").state::pg_catalog.text) = 0 THEN (a."$signals").raw END AS raw FROM %s AS a) AS x',
                  string_agg(CASE WHEN r.is_relative THEN format('CASE WHEN pg_catalog.count(x.raw[%1$s]) >= 10 THEN '
                      'pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY x.raw[%1$s]) END', r.number) ELSE 'NULL' END, ', '
                      ORDER BY r.number), accounts)
    FROM unnest(health_internal.relative_signals(document)) WITH ORDINALITY AS r (is_relative, number)
    HAVING bool_or(r.is_relative);
$$;
COMMENT ON FUNCTION health_internal.compile_book_changes(jsonb, text) IS
    'SQL of what the book did in each signal that is held against it: the median over accounts in the book that are old enough and not '
    'silent, NULL of fewer than 10; accounts is a relation with a column "$signals". NULL when the model has no such signal';
-- The shape of a model document: what is wrong with it, and which values it needs from outside the ledger.

CREATE FUNCTION health.model_problems(doc jsonb, OUT path text, OUT problem text, OUT hint text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_model_problems'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500 ROWS 5;
COMMENT ON FUNCTION health.model_problems(jsonb) IS
    'everything that is wrong with the shape of a complete model document: path, problem and what would be right; no row when it is fine';

CREATE FUNCTION health.model_inputs(doc jsonb, OUT "position" int, OUT path text, OUT name text, OUT kind text, OUT source text,
                                    OUT optional boolean, OUT segment text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_model_inputs'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500 ROWS 5;
COMMENT ON FUNCTION health.model_inputs(jsonb) IS
    'the values that a model needs from outside the ledger, in the order in which score_account takes them: kind column, expression, '
    'query or pulse';

CREATE FUNCTION health_internal.model_bands(doc jsonb, OUT "position" int, OUT name text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_model_bands'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100 ROWS 4;
COMMENT ON FUNCTION health_internal.model_bands(jsonb) IS 'The bands of a model document, the best first';

CREATE FUNCTION health_internal.source_fields(OUT "position" int, OUT kind text, OUT field text, OUT accepts text, OUT with_account boolean,
                                              OUT dated boolean) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_source_fields'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50 ROWS 20;
COMMENT ON FUNCTION health_internal.source_fields() IS
    'the kinds of sources with their fields: what each accepts (any, id, time, number, condition, zone), whether it needs the account of '
        'its source, '
    'and whether expressions of the source see as_of';

CREATE FUNCTION health_internal.same_scoring(a jsonb, b jsonb) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_same_scoring'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health_internal.same_scoring(jsonb, jsonb) IS
    'Whether two complete model documents score alike, once what both leave to the defaults is filled in';
-- A role as pg_dump carries it from one cluster to another: by oid, written by name. regrole would be, but for roles that are not there: an
-- error for one of them, in a COPY, loses the models of all.

CREATE TYPE health_internal.role;
COMMENT ON TYPE health_internal.role IS
    'A role, by oid. Unlike regrole it takes the name of one that does not exist, as no role: a dump is restored where its roles are not';

CREATE FUNCTION health_internal.role_in(name cstring) RETURNS health_internal.role
    AS 'MODULE_PATHNAME', 'health_role_in'
    LANGUAGE C STRICT STABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.role_in(cstring) IS 'I/O';

CREATE FUNCTION health_internal.role_out(role health_internal.role) RETURNS cstring
    AS 'regroleout'
    LANGUAGE internal STRICT STABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.role_out(health_internal.role) IS 'I/O';

CREATE TYPE health_internal.role (
    INPUT = health_internal.role_in, OUTPUT = health_internal.role_out, LIKE = oid
);

-- What is stored parsed (views, defaults, BEGIN ATOMIC) uses these, not the casts: pg_upgrade makes casts last.
CREATE FUNCTION health_internal.may_act_as(role health_internal.role) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_may_act_as'
    LANGUAGE C STRICT STABLE LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.may_act_as(health_internal.role) IS 'The same as may_act_as(oid)';

CREATE FUNCTION health_internal.regrole(role health_internal.role) RETURNS regrole
    AS 'MODULE_PATHNAME', 'health_regrole'
    LANGUAGE C STRICT IMMUTABLE LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.regrole(health_internal.role) IS 'The same role';

CREATE CAST (health_internal.role AS oid) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (health_internal.role AS oid) IS 'The same role';
CREATE CAST (health_internal.role AS regrole) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (health_internal.role AS regrole) IS 'The same role';
CREATE CAST (regrole AS health_internal.role) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (regrole AS health_internal.role) IS 'The same role';
-- Catalog of models, their immutable versions and the score views made from them.
--
-- Triggers, not foreign keys, hold the tables together: a parallel pg_restore loads the data of an extension's tables in any order.
--
-- The tables belong to the owner of the extension's objects; besides, the owner of the database dumps and restores them. Everybody else
-- sees and changes, through the views, the rows of models whose owner he may act as. What is his alone to do (DELETE, which would let him
-- lock the tables) goes through act_on_model().

CREATE FUNCTION health_internal.release() RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.extversion FROM pg_catalog.pg_extension AS e WHERE e.extname = 'account_health';
END;
COMMENT ON FUNCTION health_internal.release() IS 'Version of the extension in this database';

CREATE TABLE health_internal.model_table (
    name text PRIMARY KEY CHECK (name <> '' AND pg_catalog.length(name) <= 100),
    -- By oid, and dumped by name.
    owner health_internal.role NOT NULL DEFAULT pg_catalog.quote_ident(current_user)::health_internal.role,
    current_version integer NOT NULL CHECK (current_version > 0),
    comment text,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE health_internal.model_table IS 'One row per model.';
COMMENT ON COLUMN health_internal.model_table.name IS 'Name of the model, as given to create_model';
COMMENT ON COLUMN health_internal.model_table.owner IS 'Role that the model belongs to; its expressions run with the rights of that role';
COMMENT ON COLUMN health_internal.model_table.current_version IS 'Version that explain and new score views use';
COMMENT ON COLUMN health_internal.model_table.comment IS 'Free text';
COMMENT ON COLUMN health_internal.model_table.created_at IS 'When the model was created';

CREATE TABLE health_internal.model_version_table (
    model text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    definition jsonb NOT NULL,
    document jsonb NOT NULL,
    search_path text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    created_by name NOT NULL DEFAULT current_user,
    PRIMARY KEY (model, version)
);
COMMENT ON TABLE health_internal.model_version_table IS
    'Every version of every model. Rows are never updated: each change of a model adds one.';
COMMENT ON COLUMN health_internal.model_version_table.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.model_version_table.version IS '1, 2, 3, ... within the model';
COMMENT ON COLUMN health_internal.model_version_table.definition IS 'The document as its author wrote it';
COMMENT ON COLUMN health_internal.model_version_table.document IS
    'The complete document: preset spelled out, table names qualified, percentile references frozen';
COMMENT ON COLUMN health_internal.model_version_table.search_path IS 'Schemas in which unqualified names of the document were looked up';
COMMENT ON COLUMN health_internal.model_version_table.created_at IS 'When this version was made';
COMMENT ON COLUMN health_internal.model_version_table.created_by IS 'Who made this version';

CREATE TABLE health_internal.score_view_table (
    schema_name name NOT NULL,
    view_name name NOT NULL,
    model text NOT NULL,
    model_version integer NOT NULL,
    materialized boolean NOT NULL,
    compiled_by text NOT NULL DEFAULT health_internal.release(),
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (schema_name, view_name)
);
COMMENT ON TABLE health_internal.score_view_table IS
    'The score views that create_score_view made, and the model version that each of them scores.';
COMMENT ON COLUMN health_internal.score_view_table.schema_name IS 'Schema of the four relations';
COMMENT ON COLUMN health_internal.score_view_table.view_name IS 'Name of the account view; the others add _ledger, _signals and _history';
COMMENT ON COLUMN health_internal.score_view_table.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.score_view_table.model_version IS 'Version of the model that the view scores';
COMMENT ON COLUMN health_internal.score_view_table.materialized IS 'True: materialized views; false: plain views, computed on every read';
COMMENT ON COLUMN health_internal.score_view_table.compiled_by IS 'Release of the extension that compiled the SQL of the relations';
COMMENT ON COLUMN health_internal.score_view_table.created_at IS 'When the view was created';

CREATE VIEW health_internal.known_model AS SELECT m.name, health_internal.regrole(m.owner) AS owner FROM health_internal.model_table AS m;
COMMENT ON VIEW health_internal.known_model IS
    'Names and owners of all models, for everybody: a name is taken once, and an error can say whose it is';
COMMENT ON COLUMN health_internal.known_model.name IS 'Name of the model';
COMMENT ON COLUMN health_internal.known_model.owner IS 'Role that the model belongs to';

CREATE VIEW health_internal.known_score_view AS SELECT s.schema_name, s.view_name, s.model FROM health_internal.score_view_table AS s;
COMMENT ON VIEW health_internal.known_score_view IS 'Names of all score views, for everybody: a name is taken once';
COMMENT ON COLUMN health_internal.known_score_view.schema_name IS 'Schema of the score view';
COMMENT ON COLUMN health_internal.known_score_view.view_name IS 'Its name';
COMMENT ON COLUMN health_internal.known_score_view.model IS 'Name of its model';

CREATE VIEW health_internal.model WITH (security_barrier) AS
    SELECT m.name, m.owner, m.current_version, m.comment, m.created_at FROM health_internal.model_table AS m
    WHERE health_internal.may_act_as(m.owner) WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.model IS 'The models whose owner the current user may act as';

CREATE VIEW health_internal.model_version WITH (security_barrier) AS
    SELECT v.model, v.version, v.definition, v.document, v.search_path, v.created_at, v.created_by
    FROM health_internal.model_version_table AS v
    WHERE EXISTS (SELECT 1 FROM health_internal.model_table AS m WHERE m.name = v.model AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.model_version IS 'The versions of the models whose owner the current user may act as';

CREATE VIEW health_internal.score_view WITH (security_barrier) AS
    SELECT s.schema_name, s.view_name, s.model, s.model_version, s.materialized, s.compiled_by, s.created_at
    FROM health_internal.score_view_table AS s
    WHERE EXISTS (SELECT 1 FROM health_internal.model_table AS m WHERE m.name = s.model AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.score_view IS 'The score views of the models whose owner the current user may act as';

-- What is restored where its owner does not exist belongs to whom the tables and views of the same dump belong to: who restores it.
-- The views show whom they may; this is for rows that come by other ways. A restore by the owner of the database may bring rows only of
-- roles that he may act as. INSERT ... ON CONFLICT DO UPDATE looks at the present row, of whomever, before any check of a view.
CREATE FUNCTION health_internal.refuse_foreign_row() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_update CONSTANT boolean := tg_op = 'UPDATE';
    owners oid[];
    foreign_owner regrole;
BEGIN
    IF tg_table_name = 'model_table' THEN
        IF new.owner = 0::oid THEN
            IF is_update THEN
                RAISE EXCEPTION 'model "%": there is no role of that name to own it', new.name USING ERRCODE = 'undefined_object';
            END IF;
            new.owner := quote_ident(current_user)::regrole;
            RAISE WARNING 'model "%": its owner does not exist here, so it belongs to %', new.name, new.owner;
        END IF;
        owners := ARRAY(SELECT k.owner FROM health_internal.known_model AS k
                        WHERE k.name = new.name OR is_update AND k.name = old.name) || new.owner::oid;
    ELSE
        owners := ARRAY(SELECT k.owner FROM health_internal.known_model AS k WHERE k.name = new.model OR is_update AND k.name = old.model);
        IF tg_table_name = 'score_view_table' THEN
            owners := owners || ARRAY(SELECT k.owner::oid
                                      FROM health_internal.known_score_view AS s JOIN health_internal.known_model AS k ON k.name = s.model
                                      WHERE s.schema_name = new.schema_name AND s.view_name = new.view_name);
        END IF;
    END IF;
    SELECT o.owner INTO foreign_owner FROM unnest(owners) AS o (owner) WHERE NOT health_internal.may_act_as(o.owner) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'permission denied for a row of %', tg_table_name
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('It is of a model of %s.', foreign_owner);
    END IF;
    RETURN new;
END;
$$;
COMMENT ON FUNCTION health_internal.refuse_foreign_row() IS
    'Trigger: keeps rows of the catalog to those who may act as the owner of their model';
CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.model_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();
CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.model_version_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();
CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.score_view_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();

CREATE FUNCTION health_internal.keep_versions() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM health_internal.known_model AS m WHERE m.name = old.model) THEN
        IF tg_op = 'DELETE' THEN
            RETURN old;
        END IF;
        -- The model has got another name.
        old.model := new.model;
        IF old *= new THEN
            RETURN new;
        END IF;
    END IF;
    RAISE EXCEPTION 'version % of model "%" cannot be %', old.version, old.model, CASE tg_op WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Scores refer to their version. alter_model(name, definition) makes a new one, drop_model(name) drops all.';
END;
$$;
COMMENT ON FUNCTION health_internal.keep_versions() IS
    'Trigger: keeps model versions as they are while their model exists, for superusers as well';
CREATE TRIGGER versions_are_immutable BEFORE UPDATE OR DELETE ON health_internal.model_version_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.keep_versions();

CREATE FUNCTION health_internal.delete_versions() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM health_internal.score_view_table AS s WHERE s.model = old.name) THEN
        RAISE EXCEPTION 'model "%" has score views', old.name
            USING ERRCODE = 'dependent_objects_still_exist', HINT = 'drop_model(name, cascade => true) drops them as well.';
    END IF;
    DELETE FROM health_internal.model_version_table AS v WHERE v.model = old.name;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.delete_versions() IS 'Trigger: the versions of a model go away with it; a model with score views stays';
CREATE TRIGGER versions_go_with_their_model AFTER DELETE ON health_internal.model_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.delete_versions();

SELECT pg_catalog.pg_extension_config_dump('health_internal.model_table', '');
SELECT pg_catalog.pg_extension_config_dump('health_internal.model_version_table', '');
SELECT pg_catalog.pg_extension_config_dump('health_internal.score_view_table', '');
-- Catalog of overrides: what people decided about scores. Rows stay: one that was ended or replaced tells of its days.

CREATE TABLE health_internal.score_override_table (
    model text NOT NULL,
    account text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    kind text NOT NULL CHECK (kind IN ('score', 'cap', 'floor')),
    value float8 NOT NULL CHECK (value >= 0 AND value <= 100),
    owner text NOT NULL CHECK (owner <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    from_day date NOT NULL CHECK (pg_catalog.isfinite(from_day)),
    expires date CHECK (pg_catalog.isfinite(expires) AND expires > from_day),
    ended date CHECK (pg_catalog.isfinite(ended)),
    ended_by text,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    created_by text NOT NULL DEFAULT current_user,
    PRIMARY KEY (model, account, number)
);
COMMENT ON TABLE health_internal.score_override_table IS 'Every override of the score of an account that there ever was.';
COMMENT ON COLUMN health_internal.score_override_table.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.score_override_table.account IS 'Account id, as text';
COMMENT ON COLUMN health_internal.score_override_table.number IS '1, 2, 3, ... within the account: of two that hold, the later stands';
COMMENT ON COLUMN health_internal.score_override_table.kind IS 'score, cap or floor';
COMMENT ON COLUMN health_internal.score_override_table.value IS 'The score, cap or floor, 0 to 100';
COMMENT ON COLUMN health_internal.score_override_table.owner IS 'Who says so';
COMMENT ON COLUMN health_internal.score_override_table.reason IS 'Why';
COMMENT ON COLUMN health_internal.score_override_table.from_day IS 'First day of scores that it holds for';
COMMENT ON COLUMN health_internal.score_override_table.expires IS 'First day that it does not hold for any more, by itself; NULL: never';
COMMENT ON COLUMN health_internal.score_override_table.ended IS
    'First day that it does not hold for any more because it was ended or replaced; NULL: it was not';
COMMENT ON COLUMN health_internal.score_override_table.ended_by IS 'Role that ended or replaced it';
COMMENT ON COLUMN health_internal.score_override_table.created_at IS 'When it was made';
COMMENT ON COLUMN health_internal.score_override_table.created_by IS 'Role that made it';

CREATE VIEW health_internal.score_override WITH (security_barrier) AS
    SELECT o.model, o.account, o.number, o.kind, o.value, o.owner, o.reason, o.from_day, o.expires, o.ended, o.ended_by, o.created_at,
           o.created_by
    FROM health_internal.score_override_table AS o
    WHERE EXISTS (SELECT 1 FROM health_internal.model_table AS m WHERE m.name = o.model AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.score_override IS 'The overrides of the models whose owner the current user may act as';

CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.score_override_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();

-- Past scores hang on it: what it says stays as it is.
CREATE FUNCTION health_internal.keep_overrides() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF old.ended IS NULL OR new.ended IS NOT DISTINCT FROM old.ended THEN
        old.model := new.model;    -- the model has got another name
        old.ended := new.ended;
        old.ended_by := new.ended_by;
        IF old *= new THEN
            RETURN new;
        END IF;
    END IF;
    RAISE EXCEPTION 'override % of account "%" of model "%" cannot be changed', old.number, old.account, old.model
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Past scores refer to it. override(model, account, ...) puts another in its place, end_override(model, account) '
                     'ends it.';
END;
$$;
COMMENT ON FUNCTION health_internal.keep_overrides() IS
    'Trigger: keeps overrides as they were made, but for their end, for superusers as well';
CREATE TRIGGER overrides_are_kept BEFORE UPDATE ON health_internal.score_override_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.keep_overrides();

CREATE FUNCTION health_internal.delete_overrides() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM health_internal.score_override_table AS o WHERE o.model = old.name;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.delete_overrides() IS 'Trigger: the overrides of a model go away with it';
CREATE TRIGGER overrides_go_with_their_model AFTER DELETE ON health_internal.model_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.delete_overrides();

SELECT pg_catalog.pg_extension_config_dump('health_internal.score_override_table', '');
-- Catalog of pulses: what people who know an account say of it, day by day.

CREATE TABLE health_internal.csm_pulse_table (
    model text NOT NULL,
    account text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    day date NOT NULL CHECK (pg_catalog.isfinite(day)),
    value integer NOT NULL CHECK (value BETWEEN 1 AND 5),
    note text CHECK (note <> ''),
    owner text NOT NULL CHECK (owner <> ''),
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (model, account, number)
);
COMMENT ON TABLE health_internal.csm_pulse_table IS 'Every pulse of an account that was ever given; rows are never updated.';
COMMENT ON COLUMN health_internal.csm_pulse_table.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.csm_pulse_table.account IS 'Account id, as text';
COMMENT ON COLUMN health_internal.csm_pulse_table.number IS '1, 2, 3, ... within the account: of one day the last stands';
COMMENT ON COLUMN health_internal.csm_pulse_table.day IS 'Local day on which it was given: scores of later days see it';
COMMENT ON COLUMN health_internal.csm_pulse_table.value IS '1 (worst) to 5 (best)';
COMMENT ON COLUMN health_internal.csm_pulse_table.note IS 'In words; NULL: none';
COMMENT ON COLUMN health_internal.csm_pulse_table.owner IS 'Role that gave it';
COMMENT ON COLUMN health_internal.csm_pulse_table.created_at IS 'When it was given';

CREATE VIEW health_internal.csm_pulse WITH (security_barrier) AS
    SELECT p.model, p.account, p.number, p.day, p.value, p.note, p.owner, p.created_at
    FROM health_internal.csm_pulse_table AS p
    WHERE EXISTS (SELECT 1 FROM health_internal.model_table AS m WHERE m.name = p.model AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.csm_pulse IS 'The pulses of the models whose owner the current user may act as';

CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.csm_pulse_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();

-- Past scores hang on them.
CREATE FUNCTION health_internal.keep_pulses() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    old.model := new.model;    -- the model has got another name
    IF old *= new THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'pulse % of account "%" of model "%" cannot be changed', old.number, old.account, old.model
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Past scores refer to it. pulse(model, account, value, note) gives another.';
END;
$$;
COMMENT ON FUNCTION health_internal.keep_pulses() IS 'Trigger: keeps pulses as they were given, for superusers as well';
CREATE TRIGGER pulses_are_kept BEFORE UPDATE ON health_internal.csm_pulse_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.keep_pulses();

CREATE FUNCTION health_internal.delete_pulses() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM health_internal.csm_pulse_table AS p WHERE p.model = old.name;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.delete_pulses() IS 'Trigger: the pulses of a model go away with it';
CREATE TRIGGER pulses_go_with_their_model AFTER DELETE ON health_internal.model_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.delete_pulses();

SELECT pg_catalog.pg_extension_config_dump('health_internal.csm_pulse_table', '');
-- Catalog of calibrations: which probability goes with the scores of a version of a model.

CREATE TABLE health_internal.calibration_table (
    model text NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('churn', 'expansion')),
    number integer NOT NULL CHECK (number > 0),
    method text NOT NULL CHECK (method IN ('isotonic', 'platt', 'none')),
    map float8[] CHECK ((map IS NULL) = (method = 'none')),
    outcome text,
    horizon integer,
    gap integer,
    from_date date,
    to_date date,
    n bigint,
    events bigint,
    brier float8,
    skill float8,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    created_by text NOT NULL,
    PRIMARY KEY (model, version, kind, number)
);
COMMENT ON TABLE health_internal.calibration_table IS 'Every calibration of a version that there ever was; the last one of a kind stands.';
COMMENT ON COLUMN health_internal.calibration_table.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.calibration_table.version IS 'Version whose scores it is of';
COMMENT ON COLUMN health_internal.calibration_table.kind IS 'churn or expansion';
COMMENT ON COLUMN health_internal.calibration_table.number IS '1, 2, 3, ... within version and kind';
COMMENT ON COLUMN health_internal.calibration_table.method IS 'isotonic or platt; none: it was taken away';
COMMENT ON COLUMN health_internal.calibration_table.map IS 'From score to probability, as calibrated() takes it; NULL: none';
COMMENT ON COLUMN health_internal.calibration_table.outcome IS 'What it is the probability of: lost, ended, silent, expanded';
COMMENT ON COLUMN health_internal.calibration_table.horizon IS 'Days in which the outcome comes';
COMMENT ON COLUMN health_internal.calibration_table.gap IS 'Days after the date of a score before they begin';
COMMENT ON COLUMN health_internal.calibration_table.from_date IS 'First date of the observations';
COMMENT ON COLUMN health_internal.calibration_table.to_date IS 'Last date';
COMMENT ON COLUMN health_internal.calibration_table.n IS 'Observations: an account on a date is one';
COMMENT ON COLUMN health_internal.calibration_table.events IS 'How many of them had the outcome';
COMMENT ON COLUMN health_internal.calibration_table.brier IS 'Brier score out of fold';
COMMENT ON COLUMN health_internal.calibration_table.skill IS 'Its skill against the base rate for everybody';
COMMENT ON COLUMN health_internal.calibration_table.created_at IS 'When it was made';
COMMENT ON COLUMN health_internal.calibration_table.created_by IS 'Role that made it';

CREATE VIEW health_internal.calibration WITH (security_barrier) AS
    SELECT c.model, c.version, c.kind, c.number, c.method, c.map, c.outcome, c.horizon, c.gap, c.from_date, c.to_date, c.n, c.events,
           c.brier, c.skill, c.created_at, c.created_by
    FROM health_internal.calibration_table AS c
    WHERE EXISTS (SELECT 1 FROM health_internal.model_table AS m WHERE m.name = c.model AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.calibration IS 'The calibrations of the models whose owner the current user may act as';

CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.calibration_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();

CREATE FUNCTION health_internal.keep_calibrations() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    old.model := new.model;    -- the model has got another name
    IF old *= new THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'calibration % of model "%" cannot be changed', old.number, old.model
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'calibrate(model, ...) makes another.';
END;
$$;
COMMENT ON FUNCTION health_internal.keep_calibrations() IS 'Trigger: keeps calibrations as they were made, for superusers as well';
CREATE TRIGGER calibrations_are_kept BEFORE UPDATE ON health_internal.calibration_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.keep_calibrations();

CREATE FUNCTION health_internal.delete_calibrations() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM health_internal.calibration_table AS c WHERE c.model = old.name;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.delete_calibrations() IS 'Trigger: the calibrations of a model go away with it';
CREATE TRIGGER calibrations_go_with_their_model AFTER DELETE ON health_internal.model_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.delete_calibrations();

SELECT pg_catalog.pg_extension_config_dump('health_internal.calibration_table', '');

CREATE FUNCTION health_internal.find_calibration(model_name text, version integer, kind text) RETURNS health_internal.calibration
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.* FROM health_internal.calibration AS c
    WHERE c.model = model_name AND c.version = find_calibration.version AND c.kind = find_calibration.kind
    ORDER BY c.number DESC LIMIT 1;
$$;
COMMENT ON FUNCTION health_internal.find_calibration(text, integer, text) IS
    'The calibration of a version that stands; NULL, or one of method none, when it has none';
-- Table of the presets; each preset is a fragment of its own (42_preset_*.sql).

CREATE TABLE health_internal.preset (
    name text PRIMARY KEY,
    position integer NOT NULL UNIQUE,
    description text NOT NULL,
    definition jsonb NOT NULL
);
COMMENT ON TABLE health_internal.preset IS
    'The models that come with the extension; presets() lists them. Belongs to the extension, not dumped.';
COMMENT ON COLUMN health_internal.preset.name IS 'What a document gives as "preset"';
COMMENT ON COLUMN health_internal.preset.position IS 'Order in presets()';
COMMENT ON COLUMN health_internal.preset.description IS 'What the preset scores and what it needs';
COMMENT ON COLUMN health_internal.preset.definition IS 'Base document: a model adds its tables and overrides what it likes';

-- Registered, so that it counts as looked after, with a condition that dumps none of its rows: CREATE EXTENSION brings them.
SELECT pg_catalog.pg_extension_config_dump('health_internal.preset', 'WHERE false');

CREATE FUNCTION health.presets(OUT name text, OUT description text, OUT definition jsonb) RETURNS SETOF record
LANGUAGE sql STABLE ROWS 4
BEGIN ATOMIC
    SELECT p.name, p.description, p.definition FROM health_internal.preset AS p ORDER BY p.position;
END;
COMMENT ON FUNCTION health.presets() IS
    'The presets. {"preset": name} in a model document takes over this definition; top-level keys of the document override it, '
    'catalog, onboarding and history merge by key';
-- Preset collaboration: a tool in which teams make things for each other to see. Model A of the reference page docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (1, 'collaboration',
'Usage health of a collaboration product, shown on video messages: coverage, interaction, cadence, spread and trend. Needs accounts and '
    'events; '
'a user source makes rates exact and adds new-member activation and invite conversion. Other event names: override the catalog.',
$json${
  "description": "Is the team getting value out of working together? Five roll-ups of usage, no business data needed.",
  "window_days": 28,
  "minimum_age_days": 14,
  "silence": {
    "next_step": "Nobody has been active for weeks: call the sponsor, ask what changed, and agree on one first video."},
  "minimum_coverage": 0.4,
  "onboarding": {"days": 7, "events": 1, "window_days": 28},
  "catalog": {
    "video_created":               {"role": ["create", "activate"],   "value": 10, "feature": "record"},
    "video_reply_recorded":        {"role": ["create", "interact"],   "value": 8,  "feature": "record"},
    "screenshot_taken":            {"role": "create",                 "value": 3,  "feature": "record"},
    "video_edited":                {"role": "create",                 "value": 4,  "feature": "edit"},
    "video_shared":                {"role": ["interact", "activate"], "value": 8,  "feature": "share"},
    "video_shared_internally":     {"role": "interact",               "value": 6,  "feature": "share"},
    "video_shared_externally":     {"role": "interact",               "value": 6,  "feature": "share"},
    "comment_left":                {"role": ["interact", "activate"], "value": 6,  "feature": "comment"},
    "video_first_replied_to":      {"role": ["interact", "activate"], "value": 7,  "feature": "comment"},
    "video_emoji_reaction_added":  {"role": "interact",               "value": 2,  "feature": "react"},
    "video_viewed_by_team_member": {"role": ["consume", "interact", "activate"], "value": 5, "feature": "watch"},
    "video_viewed":                {"role": ["consume", "interact"],  "value": 2,  "feature": "watch"},
    "video_view_completed":        {"role": ["consume", "interact"],  "value": 4,  "feature": "watch"},
    "call_to_action_clicked":      {"role": "consume",                "value": 5,  "feature": "watch"},
    "video_saved_to_folder":       {                                  "value": 3,  "feature": "organize"},
    "integration_connected":       {                                  "value": 8,  "feature": "integrate"},
    "member_invited":              {                                  "value": 7,  "feature": "invite"},
    "session_started":             {"role": "session",                "value": 1,  "feature": "app"}
  },
  "features": ["record", "edit", "share", "comment", "react", "watch", "organize", "integrate", "invite"],
  "signals": [
    {"name": "coverage", "label": "Coverage", "weight": 0.25, "signals": [
      {"name": "team_coverage", "label": "Members who create or watch", "weight": 0.6, "metric": "coverage", "shrink": 3,
       "normalize": {"kind": "piecewise", "points": [[0, 0], [0.2, 30], [0.5, 70], [0.8, 100]]},
       "next_step": {"low": {"text": "Ask the champion: who else should see the value? Offer to invite that team.", "below": 0.5},
                     "high": {"text": "Nearly everybody takes part: ask for a customer story.", "at_least": 0.8}}},
      {"name": "new_member_activation", "label": "New members active in their first week", "weight": 0.25,
       "metric": "onboarding_activation", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0, "best": 0.7},
       "next_step": {"low": "Send new members the five-minute start: watch one, comment on one, record one.",
                     "high": "Onboarding works: ask what they tell new members and reuse it."}},
      {"name": "invite_conversion", "label": "Invited members who take part", "weight": 0.15, "metric": "invite_conversion", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0, "best": 0.6},
       "next_step": {"low": "Have the inviter share one video with each open invitation."}}
    ]},
    {"name": "interaction", "label": "Interaction", "weight": 0.15, "signals": [
      {"name": "interactions", "label": "Views, comments, shares and reactions per active member and week", "weight": 0.6,
       "metric": "interaction", "shrink": 3,
       "normalize": {"kind": "piecewise", "points": [[0, 0], [1, 30], [3, 60], [10, 100]]},
       "next_step": {"low": "Share the async best practice: end each video with a question and tag who should answer."}},
      {"name": "reply_ratio", "label": "Interactions per thing created", "weight": 0.4, "metric": "reply_ratio",
       "normalize": {"kind": "linear", "worst": 0, "best": 5},
       "next_step": {"low": "Videos go unanswered: suggest sharing them in the channel where the team already talks."}}
    ]},
    {"name": "cadence", "label": "Cadence", "weight": 0.25, "signals": [
      {"name": "last_seen", "label": "Days since anybody was active", "weight": 0.4, "metric": "recency_days",
       "normalize": {"kind": "recency", "half_life_days": 14},
       "next_step": {"low": {"text": "Two weeks without anybody: ask the champion what got in the way.", "at_least": 14}}},
      {"name": "active_weeks", "label": "Weeks with activity", "weight": 0.4, "metric": "cadence",
       "normalize": {"kind": "linear", "worst": 0, "best": 1},
       "next_step": {"low": "Offer the stand-up template: one recurring video a week makes the habit."}},
      {"name": "creation_rate", "label": "Things created per active member and week", "weight": 0.2, "metric": "events_per_user_week",
       "role": "create", "shrink": 3,
       "normalize": {"kind": "piecewise", "points": [[0, 0], [0.5, 50], [2, 100]]},
       "next_step": {"low": "Offer the stand-up template and the library of use cases."}}
    ]},
    {"name": "spread", "label": "Spread", "weight": 0.15, "signals": [
      {"name": "creator_share", "label": "Active members who create", "weight": 0.5, "metric": "spread", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0, "best": 0.5},
       "next_step": {"low": "Run the \"record your first\" challenge with the members who only watch."}},
      {"name": "power_user_dependency", "label": "Share of the busiest creator", "weight": 0.5, "metric": "power_user_dependency",
       "role": "create", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0.8, "best": 0.25},
       "next_step": {"low": {"text": "One person makes most of it: find a second champion before this one leaves.", "at_least": 0.6}}}
    ]},
    {"name": "trend", "label": "Trend", "weight": 0.2, "signals": [
      {"name": "trend_4w", "label": "Activity, last 4 weeks against the 4 before", "weight": 0.4, "metric": "trend_4w",
       "shrink": 20,
       "normalize": {"kind": "piecewise", "points": [[-0.5, 0], [-0.15, 40], [0, 70], [0.25, 100]]},
       "next_step": {"low": {"text": "Down 15 % or more: start the save play and call the champion this week.", "at_most": -0.15},
                     "high": {"text": "Engagement is peaking: the moment to talk about more seats.", "at_least": 0.25}}},
      {"name": "dropoff", "label": "Last week against the prior four", "weight": 0.2, "metric": "dropoff", "shrink": 20,
       "normalize": {"kind": "piecewise", "points": [[-0.6, 0], [-0.2, 50], [0, 75], [0.25, 100]]},
       "next_step": {"low": {"text": "Check for a holiday or an incident, then ask the champion what changed.", "at_most": -0.2}}},
      {"name": "dip_streak", "label": "Weeks of decline in a row", "weight": 0.2, "metric": "dip_streak",
       "normalize": {"kind": "steps", "below": 100, "steps": [{"from": 1, "score": 75}, {"from": 2, "score": 35}, {"from": 3,
        "score": 10}]},
       "next_step": {"low": {"text": "Two dips in a row: start the save play.", "at_least": 2}}},
      {"name": "growth", "label": "New members who engage", "weight": 0.2, "metric": "growth", "shrink": 3,
       "normalize": {"kind": "piecewise", "points": [[-1, 0], [0, 50], [0.1, 80], [0.25, 100]]},
       "next_step": {"high": {"text": "The team is growing: propose the plan that fits its new size.", "at_least": 0.1}}}
    ]}
  ]
}$json$);
-- Preset customer_success: usage, adoption, engagement with the vendor, contract. Model C of docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (3, 'customer_success',
'Account health for a customer-success team of any product: usage (frequency, depth, breadth), adoption (active seats of licensed seats), '
    'engagement '
'(support, training, check-ins), contract (renewal, invoices, tier). Every event counts, listed or not. accounts.seats gives adoption; '
    'optional account '
'columns: open_tickets, trainings_90d, last_check_in, renewal_date, outstanding_invoices, plan_tier.',
$json${
  "description": "Usage, adoption, engagement and contract in one score.",
  "window_days": 28,
  "minimum_age_days": 14,
  "minimum_coverage": 0.3,
  "silence": {
    "next_step": "Nobody has been active for weeks: call the sponsor now, ask what changed, and offer to set the product up again."},
  "onboarding": {"days": 14, "events": 2, "window_days": 28},
  "unlisted_events": "count",
  "catalog": {
    "session_started":       {"role": "session",                "value": 1,  "feature": "app"},
    "record_created":        {"role": ["create", "activate"],   "value": 6,  "feature": "records"},
    "record_updated":        {"role": "create",                 "value": 3,  "feature": "records"},
    "record_viewed":         {"role": "consume",                "value": 1,  "feature": "records"},
    "report_viewed":         {"role": "consume",                "value": 3,  "feature": "reports"},
    "report_exported":       {"role": ["consume", "activate"],  "value": 5,  "feature": "reports"},
    "comment_added":         {"role": "interact",               "value": 4,  "feature": "collaboration"},
    "item_shared":           {"role": ["interact", "activate"], "value": 6,  "feature": "collaboration"},
    "automation_created":    {"role": ["create", "activate"],   "value": 9,  "feature": "automation"},
    "integration_connected": {"role": "activate",               "value": 9,  "feature": "integrations"},
    "user_invited":          {"role": "activate",               "value": 7,  "feature": "administration"}
  },
  "features": ["records", "reports", "collaboration", "automation", "integrations", "administration"],
  "signals": [
    {"name": "usage", "label": "Usage", "weight": 0.35, "signals": [
      {"name": "last_seen", "label": "Days since anybody was active", "weight": 0.25, "metric": "recency_days",
       "normalize": {"kind": "recency", "half_life_days": 14},
       "next_step": {"low": {"text": "Two weeks without anybody: ask the administrator what got in the way.", "at_least": 14}}},
      {"name": "frequency", "label": "Weeks with activity", "weight": 0.25, "metric": "cadence",
       "normalize": {"kind": "linear", "worst": 0, "best": 1},
       "next_step": {"low": "Usage comes and goes: find the weekly task that the product should carry."}},
      {"name": "depth", "label": "Value points per active user, among all accounts", "weight": 0.2, "metric": "depth", "shrink": 3,
       "normalize": {"kind": "percentile"},
       "next_step": {"low": "Shallow use: show two advanced workflows of a similar customer."}},
      {"name": "breadth", "label": "Features in use", "weight": 0.15, "metric": "breadth",
       "normalize": {"kind": "linear", "worst": 0, "best": 0.8},
       "next_step": {"low": "Pick the one unused feature that fits their goal and demonstrate it.",
                     "high": "They use nearly everything: a candidate for the beta programme."}},
      {"name": "trend", "label": "Activity, last 4 weeks against the 4 before", "weight": 0.15, "metric": "trend_4w",
       "shrink": 20,
       "normalize": {"kind": "piecewise", "points": [[-0.5, 0], [-0.15, 40], [0, 70], [0.25, 100]]},
       "next_step": {"low": {"text": "Usage falls: call before the next business review.", "at_most": -0.15},
                     "high": {"text": "Usage is rising: prepare the expansion talk.", "at_least": 0.25}}}
    ]},
    {"name": "adoption", "label": "Adoption", "weight": 0.25, "signals": [
      {"name": "seat_adoption", "label": "Active users of licensed seats", "weight": 0.6, "metric": "adoption_rate", "shrink": 3,
       "normalize": {"kind": "piecewise", "points": [[0, 0], [0.3, 25], [0.6, 50], [0.8, 80], [1, 100]]},
       "next_step": {"low": {"text": "Paid seats stand empty: plan a rollout with the administrator before they count seats themselves.",
                             "below": 0.6},
                     "high": {"text": "Usage near capacity: offer more seats.", "at_least": 0.9}}},
      {"name": "user_activation", "label": "Active users of all users", "weight": 0.25, "metric": "activation_rate",
       "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0, "best": 0.8},
       "next_step": {"low": "Ask the administrator which of the dormant users still need access."}},
      {"name": "onboarding", "label": "New users who got going", "weight": 0.15, "metric": "onboarding_activation",
       "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0, "best": 0.7},
       "next_step": {"low": "Offer a training date to the newcomers."}}
    ]},
    {"name": "engagement", "label": "Engagement", "weight": 0.2, "signals": [
      {"name": "support", "label": "Open support tickets", "weight": 0.35, "column": "open_tickets", "optional": true,
       "normalize": {"kind": "linear", "worst": 10, "best": 0},
       "next_step": {"low": "Escalate the open tickets and send one summary with dates."}},
      {"name": "training", "label": "Trainings in 90 days", "weight": 0.25, "column": "trainings_90d", "optional": true,
       "normalize": {"kind": "linear", "worst": 0, "best": 3},
       "next_step": {"low": "Invite them to the next training for their role."}},
      {"name": "check_in", "label": "Days since the last check-in", "weight": 0.4, "expression": "as_of - last_check_in::date",
       "optional": true,
       "normalize": {"kind": "recency", "half_life_days": 60},
       "next_step": {"low": {"text": "It has been two months: book a check-in.", "at_least": 60}}}
    ]},
    {"name": "contract", "label": "Contract", "weight": 0.2, "signals": [
      {"name": "days_to_renewal", "label": "Days to renewal", "weight": 0.5, "expression": "renewal_date::date - as_of", "optional": true,
       "normalize": {"kind": "steps", "below": 10, "steps": [{"from": 0, "score": 25}, {"from": 31, "score": 50}, {"from": 61, "score": 75},
                                                              {"from": 91, "score": 100}]},
       "next_step": {"low": {"text": "Renewal is near: align goals, sponsor and terms.", "at_least": 0, "at_most": 60}}},
      {"name": "invoices", "label": "Outstanding invoices", "weight": 0.3, "column": "outstanding_invoices", "optional": true,
       "normalize": {"kind": "linear", "worst": 3, "best": 0},
       "next_step": {"low": "Ask whether the invoice is late or disputed; a dispute is a product problem first."}},
      {"name": "tier", "label": "Plan tier", "weight": 0.2, "expression": "lower(plan_tier::text)", "optional": true,
       "normalize": {"kind": "map", "map": {"free": 10, "trial": 20, "starter": 40, "basic": 40, "team": 60, "growth": 60,
        "professional": 75,
                                             "pro": 75, "business": 85, "scale": 85, "enterprise": 100}}}
    ]}
  ]
}$json$);
-- Preset feedback_portal: 0.4 engagement + 0.3 revenue + 0.3 lifecycle. Formula and weights: docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (2, 'feedback_portal',
'Account health of a feedback product: 0.4 engagement (activation 40, feedback 30, votes 30) + 0.3 revenue (ARR percentile 50, plan tier '
    '30, revenue trend 20) '
'+ 0.3 lifecycle (days to renewal 40, tenure 30, tickets 30). Optional account columns: arr, arr_previous, plan_tier, renewal_date, '
    'tickets_30d; '
'accounts.start gives the tenure.',
$json${
  "description": "Engagement, revenue and lifecycle of the customers of a feedback portal.",
  "window_days": 30,
  "minimum_age_days": 14,
  "silence": {
    "next_step": "Nobody has come for a month: ask the owner of the portal whether feedback still arrives, and where it goes instead."},
  "onboarding": {"days": 14, "events": 1, "window_days": 30},
  "catalog": {
    "feedback_submitted":     {"role": ["create", "activate"],   "value": 10, "feature": "feedback"},
    "vote_cast":              {"role": ["interact", "activate"], "value": 3,  "feature": "votes"},
    "comment_added":          {"role": "interact",               "value": 5,  "feature": "discussion"},
    "idea_followed":          {"role": "interact",               "value": 3,  "feature": "votes"},
    "survey_answered":        {"role": "create",                 "value": 6,  "feature": "surveys"},
    "idea_viewed":            {"role": "consume",                "value": 1,  "feature": "feedback"},
    "roadmap_viewed":         {"role": "consume",                "value": 2,  "feature": "roadmap"},
    "changelog_read":         {"role": "consume",                "value": 2,  "feature": "changelog"},
    "advanced_feature_asked": {"role": "create",                 "value": 8,  "feature": "feedback"},
    "session_started":        {"role": "session",                "value": 1,  "feature": "portal"}
  },
  "features": ["feedback", "votes", "discussion", "surveys", "roadmap", "changelog"],
  "signals": [
    {"name": "engagement", "label": "Engagement", "weight": 0.4, "signals": [
      {"name": "activation", "label": "Activation", "weight": 0.4, "signals": [
        {"name": "active_share", "label": "Active users", "weight": 0.5, "metric": "activation_rate", "shrink": 3,
         "normalize": {"kind": "piecewise", "points": [[0, 0], [0.3, 40], [0.7, 80], [1, 100]]},
         "next_step": {"low": {"text": "Under 30 % active: offer a session for the users who never came back.", "below": 0.3},
                       "high": {"text": "Over 70 % active: show what the next plan adds.", "above": 0.7}}},
        {"name": "last_seen", "label": "Days since anybody was active", "weight": 0.25, "metric": "recency_days",
         "normalize": {"kind": "recency", "half_life_days": 14},
         "next_step": {"low": {"text": "Two weeks without anybody: send what changed since they last looked.", "at_least": 14}}},
        {"name": "active_weeks", "label": "Weeks with activity", "weight": 0.25, "metric": "cadence",
         "normalize": {"kind": "linear", "worst": 0, "best": 1},
         "next_step": {"low": "They come now and then: suggest a monthly review of new feedback."}}
      ]},
      {"name": "feedback", "label": "Feedback", "weight": 0.3, "signals": [
        {"name": "feedback_givers", "label": "Users who gave feedback in 60 days", "weight": 0.5, "metric": "activation_rate",
         "window_days": 60, "events": ["feedback_submitted", "advanced_feature_asked"], "shrink": 3,
         "normalize": {"kind": "piecewise", "points": [[0, 0], [0.1, 50], [0.3, 100]]},
         "next_step": {"low": {"text": "No feedback in 60 days is an early sign of churn: ask them one question about their goals.",
                               "at_most": 0},
                       "high": {"text": "They shape the product: invite them to the advisory board.", "at_least": 0.3}}},
        {"name": "feedback_volume", "label": "Pieces of feedback in 60 days", "weight": 0.5, "metric": "events", "window_days": 60,
         "events": ["feedback_submitted", "advanced_feature_asked"],
         "normalize": {"kind": "piecewise", "points": [[0, 0], [1, 20], [5, 50], [20, 80], [100, 100]]},
         "next_step": {"low": "Little feedback: show them how others collect it from their support tickets."}}
      ]},
      {"name": "votes", "label": "Votes", "weight": 0.3, "signals": [
        {"name": "voters", "label": "Users who voted", "weight": 0.5, "metric": "activation_rate",
         "events": ["vote_cast", "idea_followed"], "shrink": 3,
         "normalize": {"kind": "piecewise", "points": [[0, 0], [0.2, 50], [0.5, 100]]},
         "next_step": {"low": "Send them the ideas that companies of their industry vote for."}},
        {"name": "vote_volume", "label": "Votes", "weight": 0.5, "metric": "events", "events": ["vote_cast", "idea_followed"],
         "normalize": {"kind": "piecewise", "points": [[0, 0], [1, 20], [5, 50], [20, 80], [100, 100]]},
         "next_step": {"low": "Few votes: put the ideas that wait for votes on their start page."}}
      ]}
    ]},
    {"name": "revenue", "label": "Revenue", "weight": 0.3, "signals": [
      {"name": "arr", "label": "ARR among all accounts", "weight": 0.5, "column": "arr", "optional": true,
       "normalize": {"kind": "percentile"},
       "next_step": {"high": "One of the largest accounts: keep an executive sponsor in touch."}},
      {"name": "plan", "label": "Plan tier", "weight": 0.3, "expression": "lower(plan_tier::text)", "optional": true,
       "normalize": {"kind": "map", "map": {"free": 10, "trial": 20, "starter": 40, "basic": 40, "team": 60, "growth": 60,
        "professional": 75,
                                             "pro": 75, "business": 85, "scale": 85, "enterprise": 100}},
       "next_step": {"low": "On a small plan: check whether usage justifies an upgrade."}},
      {"name": "revenue_trend", "label": "ARR against the previous period", "weight": 0.2,
       "expression": "arr / nullif(arr_previous, 0) - 1", "optional": true,
       "normalize": {"kind": "linear", "worst": -0.2, "best": 0.2},
       "next_step": {"low": {"text": "Revenue contracts: find out which team stopped paying, and why.", "below": 0},
        "high": {"text": "Revenue expands: ask what drives it.", "above": 0}}}
    ]},
    {"name": "lifecycle", "label": "Lifecycle", "weight": 0.3, "signals": [
      {"name": "days_to_renewal", "label": "Days to renewal", "weight": 0.4, "expression": "renewal_date::date - as_of", "optional": true,
       "normalize": {"kind": "steps", "below": 10, "steps": [{"from": 0, "score": 25}, {"from": 31, "score": 50}, {"from": 61, "score": 75},
                                                              {"from": 91, "score": 100}]},
       "next_step": {"low": {"text": "Renewal within 30 days: agree on the terms now.", "at_least": 0, "at_most": 30}}},
      {"name": "tenure", "label": "Days as a customer", "weight": 0.3, "expression": "as_of - account_start", "optional": true,
       "normalize": {"kind": "piecewise", "points": [[0, 20], [90, 40], [365, 80], [730, 100]]},
       "next_step": {"low": {"text": "A young account: check its onboarding plan.", "below": 90}}},
      {"name": "tickets", "label": "Support tickets in 30 days", "weight": 0.3, "column": "tickets_30d", "optional": true,
       "normalize": {"kind": "linear", "worst": 10, "best": 0},
       "next_step": {"low": "Many tickets: go through them with support and send one summary."}}
    ]}
  ]
}$json$);
-- Preset value_weighted: what users do counts by what it is worth, not by how often. Model D of docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (4, 'value_weighted',
'Every action is worth 1 to 10 points; value delivered, people and voice of the customer make the score. Unlisted events count 1 point. '
    'Optional account '
'columns: main_contact_seen (date of the main contact''s last visit), departments, nps, csat, tickets_30d.',
$json${
  "description": "Actions weighted by value, with thresholds of the practice: under 60 % active is a tough renewal, over 80 % is core.",
  "window_days": 28,
  "minimum_age_days": 14,
  "minimum_coverage": 0.3,
  "silence": {
    "next_step": "No value for weeks: start the low-score playbook: call the sponsor and agree on one result to reach this month."},
  "daily_cap": 200,
  "onboarding": {"days": 14, "events": 2, "window_days": 28},
  "unlisted_events": "count",
  "catalog": {
    "session_started":       {"role": "session",                "value": 1,  "feature": "app"},
    "page_viewed":           {"role": "consume",                "value": 1,  "feature": "app"},
    "search_performed":      {"role": "consume",                "value": 2,  "feature": "search"},
    "report_viewed":         {"role": "consume",                "value": 3,  "feature": "reports"},
    "data_exported":         {"role": "consume",                "value": 4,  "feature": "reports"},
    "comment_added":         {"role": "interact",               "value": 4,  "feature": "collaboration"},
    "record_created":        {"role": ["create", "activate"],   "value": 5,  "feature": "records"},
    "item_shared":           {"role": ["interact", "activate"], "value": 6,  "feature": "collaboration"},
    "automation_run":        {"role": "create",                 "value": 6,  "feature": "automation"},
    "teammate_invited":      {"role": ["interact", "activate"], "value": 8,  "feature": "administration"},
    "integration_connected": {"role": "activate",               "value": 9,  "feature": "integrations"},
    "workflow_published":    {"role": ["create", "activate"],   "value": 10, "feature": "automation"},
    "project_completed":     {"role": ["create", "activate"],   "value": 10, "feature": "records"}
  },
  "features": ["search", "reports", "collaboration", "records", "automation", "administration", "integrations"],
  "signals": [
    {"name": "value", "label": "Value delivered", "weight": 0.5, "signals": [
      {"name": "last_seen", "label": "Days since anybody was active", "weight": 0.25, "metric": "recency_days",
       "normalize": {"kind": "recency", "half_life_days": 14},
       "next_step": {"low": {"text": "Two weeks without anybody: ask who needed the last result.", "at_least": 14}}},
      {"name": "active_weeks", "label": "Weeks with activity", "weight": 0.2, "metric": "cadence",
       "normalize": {"kind": "linear", "worst": 0, "best": 1},
       "next_step": {"low": "Value comes and goes: find the weekly task that the product should carry."}},
      {"name": "value_per_user", "label": "Value points per active user, among all accounts", "weight": 0.2, "metric": "depth",
       "shrink": 3,
       "normalize": {"kind": "percentile"},
       "next_step": {"low": "They do much that is worth little: show the actions that pay.",
                     "high": "They get more out of it than most: ask for a reference."}},
      {"name": "value_trend", "label": "Value points, last 4 weeks against the 4 before", "weight": 0.2, "metric": "trend_4w_value",
       "shrink": 20,
       "normalize": {"kind": "piecewise", "points": [[-0.5, 0], [-0.15, 40], [0, 70], [0.25, 100]]},
       "next_step": {"low": {"text": "Value is shrinking: start the low-score playbook.", "at_most": -0.15},
        "high": {"text": "Value is growing: start the expansion playbook.", "at_least": 0.25}}},
      {"name": "breadth", "label": "Features in use", "weight": 0.15, "metric": "breadth",
       "normalize": {"kind": "linear", "worst": 0, "best": 0.8},
       "next_step": {"low": "Use is shrinking to one corner of the product: bring a second department in."}}
    ]},
    {"name": "people", "label": "People", "weight": 0.3, "signals": [
      {"name": "active_share", "label": "Active users", "weight": 0.4, "metric": "activation_rate", "shrink": 3,
       "normalize": {"kind": "piecewise", "points": [[0, 0], [0.6, 50], [0.8, 80], [1, 100]]},
       "next_step": {"low": {"text": "Under 60 % active makes a tough renewal: agree on a plan with the sponsor.", "below": 0.6},
                     "high": {"text": "Over 80 % active: the product is core; ask for a referral.", "above": 0.8}}},
      {"name": "concentration", "label": "Value from the busiest user", "weight": 0.25, "metric": "power_user_dependency", "by_value": true,
       "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0.8, "best": 0.25},
       "next_step": {"low": {"text": "One power user carries the account: know who follows when that person leaves.", "at_least": 0.6}}},
      {"name": "main_contact", "label": "Days since the main contact was seen", "weight": 0.2,
       "expression": "as_of - main_contact_seen::date",
       "optional": true, "normalize": {"kind": "recency", "half_life_days": 7},
       "next_step": {"low": {"text": "The main contact has gone quiet for a week: write today.", "at_least": 7}}},
      {"name": "departments", "label": "Departments that use it", "weight": 0.15, "column": "departments", "optional": true,
       "normalize": {"kind": "linear", "worst": 1, "best": 4},
       "next_step": {"low": {"text": "Only one department uses it: find a use case next door.", "at_most": 1},
        "high": {"text": "Used across departments: propose a company plan.", "at_least": 4}}}
    ]},
    {"name": "voice", "label": "Voice of the customer", "weight": 0.2, "signals": [
      {"name": "nps", "label": "Net promoter score", "weight": 0.4, "column": "nps", "optional": true,
       "normalize": {"kind": "linear", "worst": -100, "best": 100},
       "next_step": {"low": {"text": "Call the detractors within two days.", "below": 0},
        "high": {"text": "Ask the promoters for a review.", "at_least": 50}}},
      {"name": "csat", "label": "Satisfaction, percent of answers 4 or 5", "weight": 0.3, "column": "csat", "optional": true,
       "normalize": {"kind": "linear", "worst": 50, "best": 95},
       "next_step": {"low": "Read the last answers together with support."}},
      {"name": "tickets", "label": "Support tickets in 30 days", "weight": 0.3, "column": "tickets_30d", "optional": true,
       "normalize": {"kind": "linear", "worst": 10, "best": 0},
       "next_step": {"low": "Ticket spike: find the common cause."}}
    ]}
  ]
}$json$);
-- From the document as written to the complete document: presets spelled out, keys that are null removed.

CREATE FUNCTION health_internal.merge_document(base jsonb, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    merged jsonb := base || changes;
    part text;
    entry text;
BEGIN
    FOREACH part IN ARRAY ARRAY['catalog', 'onboarding', 'history'] LOOP
        IF jsonb_typeof(base -> part) = 'object' AND jsonb_typeof(changes -> part) = 'object' THEN
            merged := jsonb_set(merged, ARRAY[part], (base -> part) || (changes -> part));
            FOR entry IN SELECT e.key FROM jsonb_each(merged -> part) AS e WHERE e.value = 'null' LOOP
                merged := merged #- ARRAY[part, entry];
            END LOOP;
        END IF;
    END LOOP;
    FOR entry IN SELECT e.key FROM jsonb_each(merged) AS e WHERE e.value = 'null' LOOP
        merged := merged - entry;
    END LOOP;
    RETURN merged;
END;
$$;
COMMENT ON FUNCTION health_internal.merge_document(jsonb, jsonb) IS
    'Lays a document over a base: top-level keys replace, catalog, onboarding and history merge by key, null removes';

CREATE FUNCTION health_internal.expand_preset(document jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    base jsonb;
    own CONSTANT jsonb := (SELECT jsonb_agg(DISTINCT f.feature ORDER BY f.feature)
                           FROM jsonb_path_query(document, 'lax $.catalog.*.feature ? (@.type() == "string")') AS f (feature));
BEGIN
    IF jsonb_typeof(document) IS DISTINCT FROM 'object' OR NOT document ? 'preset' THEN
        RETURN document;
    END IF;
    SELECT p.definition INTO base FROM health_internal.preset AS p WHERE p.name = document ->> 'preset';
    IF NOT FOUND THEN
        RETURN document;    -- validate_model reports it
    END IF;
    RETURN health_internal.merge_document(base - CASE WHEN own IS NULL THEN '' ELSE 'features' END, document - 'preset')
        || CASE WHEN own IS NULL OR document ? 'features' THEN '{}' ELSE jsonb_build_object('features', own) END;
END;
$$;
COMMENT ON FUNCTION health_internal.expand_preset(jsonb) IS
    'The document with its preset, if it names a known one, spelled out. Where the catalog of the document names features, those are the '
    'features, not the ones of the preset';

-- A source is an object, or one of several in an array.
CREATE FUNCTION health_internal.sources(document jsonb, OUT kind text, OUT path text, OUT place text[], OUT source jsonb)
    RETURNS SETOF record
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT k.kind, k.kind || coalesce('[' || (s."position" - 1) || ']', ''),
        pg_catalog.array_remove(ARRAY[k.kind, (s."position" - 1)::pg_catalog.text], NULL), s.source
    FROM (SELECT f.kind, pg_catalog.min(f."position") AS rank FROM health_internal.source_fields() AS f GROUP BY f.kind) AS k,
         LATERAL (SELECT e.source, e."position" FROM pg_catalog.jsonb_array_elements(
                      CASE pg_catalog.jsonb_typeof(document -> k.kind) WHEN 'array' THEN document -> k.kind
                          ELSE '[]' END) WITH ORDINALITY AS e (source, "position")
                  UNION ALL
                  SELECT document -> k.kind, NULL WHERE pg_catalog.jsonb_typeof(document -> k.kind) = 'object') AS s
    ORDER BY k.rank, s."position";
END;
COMMENT ON FUNCTION health_internal.sources(jsonb) IS 'The sources of a document: kind, path for messages, place in the document';

CREATE FUNCTION health_internal.event_sources(document jsonb, OUT path text, OUT source jsonb) RETURNS SETOF record
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT s.path, s.source FROM health_internal.sources(document) AS s WHERE s.kind = 'events';
END;
COMMENT ON FUNCTION health_internal.event_sources(jsonb) IS 'The event sources of a document with their paths';

-- One way of saying what can be said in several: defaults are written out, one source stands by itself, keys without a value are gone.
CREATE FUNCTION health_internal.canonical_document(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('time_zone', 'UTC', 'minimum_coverage', 0.5,
               'window_days', 28,
               'catalog', '{}'::jsonb,
               'unlisted_events', CASE WHEN coalesce(document -> 'catalog', '{}') = '{}' THEN 'count' ELSE 'ignore' END)
        || document
        || jsonb_build_object(
               'onboarding', '{"days": 7, "events": 1, "window_days": 28}'::jsonb || coalesce(document -> 'onboarding', '{}'),
               'history', '{"days": 56, "retention_months": 24}'::jsonb || coalesce(document -> 'history', '{}'))
        || coalesce((SELECT jsonb_object_agg(s.kind, s.sources)
                     FROM (SELECT s.kind, CASE WHEN count(*) = 1 THEN jsonb_agg(jsonb_strip_nulls(s.source)) -> 0
                                               ELSE jsonb_agg(jsonb_strip_nulls(s.source) ORDER BY s.source) END AS sources
                           FROM health_internal.sources(document) AS s GROUP BY s.kind) AS s), '{}');
$$;
COMMENT ON FUNCTION health_internal.canonical_document(jsonb) IS
    'A complete document with its defaults written out: documents that are the same then differ in nothing that stands outside of the '
    'signals';

CREATE FUNCTION health_internal.words_of(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_array(
        (SELECT jsonb_object_agg(s.signal ->> 'name', s.signal -> 'description')
         FROM jsonb_path_query(document, '$.signals.** ? (@.type() == "object" && exists (@.name) && @.description.type() == "string")')
              AS s (signal)),
        (SELECT jsonb_object_agg(c.key, jsonb_strip_nulls(jsonb_build_object('label', c.value -> 'label',
                                                                             'description', c.value -> 'description')))
         FROM jsonb_each(CASE jsonb_typeof(document -> 'catalog') WHEN 'object' THEN document -> 'catalog' ELSE '{}' END) AS c
         WHERE jsonb_typeof(c.value) = 'object' AND c.value ?| '{label,description}'));
$$;
COMMENT ON FUNCTION health_internal.words_of(jsonb) IS 'What a document says to people, beside names, and of what';

CREATE FUNCTION health_internal.same_meaning(a jsonb, b jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.same_scoring(a, b)
       AND health_internal.canonical_document(a) - '{signals,catalog,bands,relative_to_book}'::text[]
           = health_internal.canonical_document(b) - '{signals,catalog,bands,relative_to_book}'::text[]
       AND health_internal.words_of(a) = health_internal.words_of(b);
$$;
COMMENT ON FUNCTION health_internal.same_meaning(jsonb, jsonb) IS
    'Whether two complete documents say the same, be it in other words: defaults written out, keys in another order, one source as an '
    'array';
-- Catalog of tracked models: their event sources that are kept as ledgers, and what of each table has been read.
--
-- The tables of the ledgers themselves are in schema health_data and belong to the owners of the models (data_tables.sql). Whose a row
-- here is, its model says; see document/catalog.sql for tables and views.

CREATE TABLE health_internal.tracking_table (
    model text PRIMARY KEY,
    id integer NOT NULL UNIQUE GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME health_internal.tracking_id_seq),
    model_version integer,
    ledger_key jsonb NOT NULL,
    account_type text NOT NULL,
    account_kind text NOT NULL CHECK (account_kind IN ('bigint', 'uuid', 'text')),
    accounts_folded boolean NOT NULL DEFAULT false,
    book_query text,
    score_query text,
    compiled_by text NOT NULL DEFAULT health_internal.release(),
    history_from date,
    accepted datemultirange,
    refreshed_at timestamptz,
    refresh_ms float8,
    rescored bigint,
    error text,
    error_at timestamptz,
    tracked_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    refresh_began timestamptz,
    refresh_pid integer
);
COMMENT ON TABLE health_internal.tracking_table IS
    'One row per tracked model: what its ledger, scores and history stand for, and how the last refresh went.';
COMMENT ON COLUMN health_internal.tracking_table.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.tracking_table.id IS
    'Number in the names of its tables: health_data.state_<id>, book_<id>, score_<id>, history_<id>, stale_<id>';
COMMENT ON COLUMN health_internal.tracking_table.model_version IS
    'Version of the model that the scores stand for; NULL before the first refresh';
COMMENT ON COLUMN health_internal.tracking_table.ledger_key IS 'The parts of the document that the ledgers hang on';
COMMENT ON COLUMN health_internal.tracking_table.account_type IS 'Type of account ids in scores and history';
COMMENT ON COLUMN health_internal.tracking_table.account_kind IS 'Type of account ids in the ledgers: bigint, uuid or text';
COMMENT ON COLUMN health_internal.tracking_table.accounts_folded IS 'Whether account ids are in lower case in the ledgers';
COMMENT ON COLUMN health_internal.tracking_table.book_query IS 'Compiled SQL: attributes, inputs and roster of every account';
COMMENT ON COLUMN health_internal.tracking_table.score_query IS 'Compiled SQL: rows of scores from the rows l of the book';
COMMENT ON COLUMN health_internal.tracking_table.compiled_by IS 'Release of the extension that compiled this SQL and that of the sources';
COMMENT ON COLUMN health_internal.tracking_table.history_from IS 'First day of the history';
COMMENT ON COLUMN health_internal.tracking_table.accepted IS 'Outages that are taken as they are (ignore_volume)';
COMMENT ON COLUMN health_internal.tracking_table.refreshed_at IS
    'When the last refresh that worked began: everything committed before is in the scores';
COMMENT ON COLUMN health_internal.tracking_table.refresh_ms IS 'How long it took, in milliseconds';
COMMENT ON COLUMN health_internal.tracking_table.rescored IS 'Accounts that it scored';
COMMENT ON COLUMN health_internal.tracking_table.error IS 'What the last refresh failed with; NULL when it worked';
COMMENT ON COLUMN health_internal.tracking_table.error_at IS 'When it failed';
COMMENT ON COLUMN health_internal.tracking_table.tracked_at IS 'When the model was tracked';
COMMENT ON COLUMN health_internal.tracking_table.refresh_began IS
    'Start of the statement that refreshes it; NULL when the last one has come to an end of its own, good or bad';
COMMENT ON COLUMN health_internal.tracking_table.refresh_pid IS 'Process of the session that runs this statement';

CREATE TABLE health_internal.ledger_source_table (
    id integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME health_internal.ledger_source_id_seq),
    model text NOT NULL,
    path text NOT NULL,
    window_days integer CHECK (window_days > 0),
    relation oid,
    relation_name text,
    chunk_table oid NOT NULL,
    change_table oid,
    account text NOT NULL,
    user_id text NOT NULL,
    event text NOT NULL,
    moment text NOT NULL,
    amount text,
    filter text,
    account_kind text NOT NULL CHECK (account_kind IN ('bigint', 'uuid', 'text')),
    user_kind text NOT NULL CHECK (user_kind IN ('bigint', 'uuid', 'text')),
    time_zone text,
    search_path text NOT NULL,
    event_rows text NOT NULL,
    bad_rows bigint NOT NULL DEFAULT 0,
    told_bad_rows bigint NOT NULL DEFAULT 0,
    read_at timestamptz,
    kept_from date,
    generation integer NOT NULL DEFAULT 1,
    code text,
    change_file oid,
    UNIQUE (model, path)
);
COMMENT ON TABLE health_internal.ledger_source_table IS
    'One row per event source of a tracked model: how its rows are read, and which tables hold its ledger.';
COMMENT ON COLUMN health_internal.ledger_source_table.id IS 'Number in the names of its tables: health_data.chunk_<id>, change_<id>';
COMMENT ON COLUMN health_internal.ledger_source_table.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.ledger_source_table.path IS 'Path of the source in the document';
COMMENT ON COLUMN health_internal.ledger_source_table.window_days IS
    'Window mode: how many days a refresh reads again; NULL: changes are captured by triggers';
COMMENT ON COLUMN health_internal.ledger_source_table.relation IS 'The tracked table (of partitions the root); NULL in window mode';
COMMENT ON COLUMN health_internal.ledger_source_table.relation_name IS 'Its name, by which it is found again after a restore';
COMMENT ON COLUMN health_internal.ledger_source_table.chunk_table IS 'Table of the ledger: a row per account, calendar quarter and part';
COMMENT ON COLUMN health_internal.ledger_source_table.change_table IS
    'Table of captured changes that are not folded in yet; NULL in window mode';
COMMENT ON COLUMN health_internal.ledger_source_table.account IS 'SQL expression of the account id over one row, alias src';
COMMENT ON COLUMN health_internal.ledger_source_table.user_id IS 'SQL expression of the user id';
COMMENT ON COLUMN health_internal.ledger_source_table.event IS 'SQL expression of the event name';
COMMENT ON COLUMN health_internal.ledger_source_table.moment IS 'SQL expression of the time, timestamptz or date';
COMMENT ON COLUMN health_internal.ledger_source_table.amount IS 'SQL expression of the amount; NULL without one';
COMMENT ON COLUMN health_internal.ledger_source_table.filter IS 'SQL condition of the rows that are events; NULL: all';
COMMENT ON COLUMN health_internal.ledger_source_table.account_kind IS 'Type of account ids in the ledger';
COMMENT ON COLUMN health_internal.ledger_source_table.user_kind IS 'Type of user ids in the ledger';
COMMENT ON COLUMN health_internal.ledger_source_table.time_zone IS 'Time zone of the local days; NULL when the time is a date';
COMMENT ON COLUMN health_internal.ledger_source_table.search_path IS 'Schemas in which names of the expressions are looked up';
COMMENT ON COLUMN health_internal.ledger_source_table.event_rows IS
    'SQL of all rows of the source: account_id, user_id, event_name, occurred_at, amount';
COMMENT ON COLUMN health_internal.ledger_source_table.bad_rows IS
    'Rows that are no events: infinite time, impossible amount, empty name, failing expression';
COMMENT ON COLUMN health_internal.ledger_source_table.told_bad_rows IS 'How many of them the last warning told of';
COMMENT ON COLUMN health_internal.ledger_source_table.kept_from IS
    'First day of the oldest quarter that its ledger still has; NULL: before the first reading';
COMMENT ON COLUMN health_internal.ledger_source_table.generation IS
    'Counts up when its rows are read in another way: changes that were captured in an older one are not folded in';
COMMENT ON COLUMN health_internal.ledger_source_table.code IS
    'Digest of the functions and types of the user that its expressions call; NULL: not looked at yet';
COMMENT ON COLUMN health_internal.ledger_source_table.change_file IS
    'File of the change table: another one once somebody has emptied it';
COMMENT ON COLUMN health_internal.ledger_source_table.read_at IS
    'When the source had been read to its end; NULL: not yet, or it must be read again';

CREATE TABLE health_internal.ledger_batch_table (
    source integer NOT NULL,
    leaf oid NOT NULL,
    from_block bigint NOT NULL,
    to_block bigint NOT NULL,
    part integer NOT NULL,
    relfilenode oid NOT NULL,
    trigger_version text,
    snapshot pg_snapshot,
    events bigint,
    started_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (source, leaf, from_block)
);
COMMENT ON TABLE health_internal.ledger_batch_table IS
    'What has been read of a tracked table, and as of which snapshot: a captured change counts unless the snapshot that read its '
    'block has seen it.';
COMMENT ON COLUMN health_internal.ledger_batch_table.source IS 'Id of the source';
COMMENT ON COLUMN health_internal.ledger_batch_table.leaf IS 'The table that holds the rows: the tracked one or a partition of it';
COMMENT ON COLUMN health_internal.ledger_batch_table.from_block IS 'First block';
COMMENT ON COLUMN health_internal.ledger_batch_table.to_block IS 'Block behind the last';
COMMENT ON COLUMN health_internal.ledger_batch_table.part IS 'Part of the chunks that it was folded into';
COMMENT ON COLUMN health_internal.ledger_batch_table.relfilenode IS 'File of the table when the batch was planned';
COMMENT ON COLUMN health_internal.ledger_batch_table.trigger_version IS
    'Its capture trigger then: what changed under another one, or while it was disabled, may not have been captured';
COMMENT ON COLUMN health_internal.ledger_batch_table.snapshot IS 'Snapshot that it was read with; NULL: not read yet';
COMMENT ON COLUMN health_internal.ledger_batch_table.events IS 'Events that it had';
COMMENT ON COLUMN health_internal.ledger_batch_table.started_at IS 'When reading it began';
COMMENT ON COLUMN health_internal.ledger_batch_table.ended_at IS 'When it was read';

CREATE TABLE health_internal.ledger_day_table (
    source integer NOT NULL,
    day date NOT NULL,
    event text NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (source, day, event)
);
COMMENT ON TABLE health_internal.ledger_day_table IS
    'Events of each name per local day of a source, as far back as its ledger: whether tracking broke is read from it.';
COMMENT ON COLUMN health_internal.ledger_day_table.source IS 'Id of the source';
COMMENT ON COLUMN health_internal.ledger_day_table.day IS 'Local day';
COMMENT ON COLUMN health_internal.ledger_day_table.event IS 'Name of the events';
COMMENT ON COLUMN health_internal.ledger_day_table.events IS 'How many of them all accounts had on that day';

-- Written by the trigger, as the owner of the catalog, when changes cannot go where they should. Without an index, which it would have to
-- keep.
CREATE TABLE health_internal.capture_gap_table (
    source integer NOT NULL,
    noted_at timestamptz NOT NULL
);
ALTER TABLE health_internal.capture_gap_table REPLICA IDENTITY FULL;
COMMENT ON TABLE health_internal.capture_gap_table IS
    'Changes of tracked tables that could not be captured, because their change table is gone or is none any more: the source is read '
    'again.';
COMMENT ON COLUMN health_internal.capture_gap_table.source IS 'Id of the source';
COMMENT ON COLUMN health_internal.capture_gap_table.noted_at IS 'When the transaction that made the changes committed';

CREATE VIEW health_internal.known_source AS SELECT s.id, s.model FROM health_internal.ledger_source_table AS s;
COMMENT ON VIEW health_internal.known_source IS
    'Numbers of all ledger sources with their models, for everybody: whose a row is that names one';
COMMENT ON COLUMN health_internal.known_source.id IS 'Id of the source';
COMMENT ON COLUMN health_internal.known_source.model IS 'Name of its model';

CREATE VIEW health_internal.tracking WITH (security_barrier) AS
    SELECT t.model, t.id, (SELECT health_internal.regrole(m.owner) FROM health_internal.model_table AS m WHERE m.name = t.model) AS owner,
           t.model_version,
           t.ledger_key, t.account_type, t.account_kind, t.accounts_folded, t.book_query, t.score_query, t.compiled_by, t.history_from,
           t.accepted, t.refreshed_at, t.refresh_ms, t.rescored, t.error, t.error_at,
           t.tracked_at, t.refresh_began, t.refresh_pid
    FROM health_internal.tracking_table AS t
    WHERE EXISTS (SELECT 1 FROM health_internal.model_table AS m WHERE m.name = t.model AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.tracking IS 'The tracked models whose owner the current user may act as';

CREATE VIEW health_internal.ledger_source WITH (security_barrier) AS
    SELECT s.id, s.model, s.path,
           (SELECT health_internal.regrole(m.owner) FROM health_internal.model_table AS m WHERE m.name = s.model) AS owner,
           s.window_days, s.relation, s.relation_name, s.chunk_table, s.change_table, s.account, s.user_id, s.event, s.moment,
           s.amount, s.filter, s.account_kind, s.user_kind, s.time_zone, s.search_path, s.event_rows, s.bad_rows,
           s.told_bad_rows, s.read_at, s.kept_from, s.generation, s.code, s.change_file
    FROM health_internal.ledger_source_table AS s
    WHERE EXISTS (SELECT 1 FROM health_internal.model_table AS m WHERE m.name = s.model AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.ledger_source IS 'The event sources of the tracked models whose owner the current user may act as';

CREATE VIEW health_internal.ledger_batch WITH (security_barrier) AS
    SELECT b.source, b.leaf, b.from_block, b.to_block, b.part, b.relfilenode, b.trigger_version, b.snapshot, b.events, b.started_at,
           b.ended_at
    FROM health_internal.ledger_batch_table AS b
    WHERE EXISTS (SELECT 1 FROM health_internal.ledger_source_table AS s JOIN health_internal.model_table AS m ON m.name = s.model
                  WHERE s.id = b.source AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.ledger_batch IS 'What has been read of the sources of the models whose owner the current user may act as';

CREATE VIEW health_internal.ledger_day WITH (security_barrier) AS
    SELECT d.source, d.day, d.event, d.events
    FROM health_internal.ledger_day_table AS d
    WHERE EXISTS (SELECT 1 FROM health_internal.ledger_source_table AS s JOIN health_internal.model_table AS m ON m.name = s.model
                  WHERE s.id = d.source AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.ledger_day IS 'Events per day of the sources of the models whose owner the current user may act as';

CREATE VIEW health_internal.capture_gap WITH (security_barrier) AS
    SELECT g.source, g.noted_at
    FROM health_internal.capture_gap_table AS g
    WHERE EXISTS (SELECT 1 FROM health_internal.ledger_source_table AS s JOIN health_internal.model_table AS m ON m.name = s.model
                  WHERE s.id = g.source AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.capture_gap IS
    'Changes that could not be captured, of the sources of the models whose owner the current user may act as';

CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.tracking_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();
CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.ledger_source_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();

CREATE FUNCTION health_internal.refuse_foreign_reading() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    foreign_owner regrole;
BEGIN
    SELECT m.owner INTO foreign_owner FROM health_internal.known_source AS s JOIN health_internal.known_model AS m ON m.name = s.model
    WHERE s.id = new.source AND NOT health_internal.may_act_as(m.owner);
    IF FOUND THEN
        RAISE EXCEPTION 'permission denied for a row of %', tg_table_name
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('It is of a model of %s.', foreign_owner);
    END IF;
    RETURN new;
END;
$$;
COMMENT ON FUNCTION health_internal.refuse_foreign_reading() IS
    'Trigger: keeps rows about a ledger source to those who may act as the owner of its model; see refuse_foreign_row()';
CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.ledger_batch_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_reading();
CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.ledger_day_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_reading();
CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.capture_gap_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_reading();

-- Runs as the owner of the catalog.
CREATE FUNCTION health_internal.remove_rows(model text, arguments text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    sources integer[] := ARRAY(SELECT s.id FROM health_internal.ledger_source_table AS s WHERE s.model = remove_rows.model);
BEGIN
    IF arguments[2] IS NOT NULL AND arguments[1] IN ('batches', 'days', 'gaps', 'source') THEN
        sources := ARRAY(SELECT s FROM unnest(sources) AS s WHERE s = arguments[2]::integer);
    END IF;
    CASE arguments[1]
    WHEN 'model' THEN
        DELETE FROM health_internal.model_table AS m WHERE m.name = remove_rows.model;
    WHEN 'account' THEN
        DELETE FROM health_internal.score_override_table AS o WHERE o.model = remove_rows.model AND o.account = arguments[2];
        DELETE FROM health_internal.csm_pulse_table AS p WHERE p.model = remove_rows.model AND p.account = arguments[2];
    WHEN 'score view' THEN
        DELETE FROM health_internal.score_view_table AS s
        WHERE s.model = remove_rows.model AND s.schema_name = arguments[2] AND s.view_name = arguments[3];
    WHEN 'tracking', 'source' THEN
        DELETE FROM health_internal.ledger_batch_table AS b WHERE b.source = ANY (sources);
        DELETE FROM health_internal.ledger_day_table AS d WHERE d.source = ANY (sources);
        DELETE FROM health_internal.capture_gap_table AS g WHERE g.source = ANY (sources);
        DELETE FROM health_internal.ledger_source_table AS s WHERE s.id = ANY (sources);
        DELETE FROM health_internal.tracking_table AS t WHERE t.model = remove_rows.model AND arguments[1] = 'tracking';
    WHEN 'gaps' THEN
        DELETE FROM health_internal.capture_gap_table AS g WHERE g.source = ANY (sources);
    WHEN 'batches' THEN
        DELETE FROM health_internal.ledger_batch_table AS b WHERE b.source = ANY (sources);
    WHEN 'days' THEN
        DELETE FROM health_internal.ledger_day_table AS d
        WHERE d.source = ANY (sources) AND (arguments[3] IS NULL OR d.day < arguments[3]::date);
    END CASE;
END;
$$;
COMMENT ON FUNCTION health_internal.remove_rows(text, text[]) IS
    'delete_rows() itself, run by act_on_model(): model; account, id; score view, schema, name; tracking; source, source; '
    'batches, source; gaps, source; '
    'days, source, before';

CREATE FUNCTION health_internal.delete_rows(model text, kind text, VARIADIC keys text[] DEFAULT '{}') RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.act_on_model(model, 'remove_rows', VARIADIC ARRAY[kind] || keys);
$$;
COMMENT ON FUNCTION health_internal.delete_rows(text, text, text[]) IS
    'Deletes rows of a model from the catalog: the model; what people said of an account (its id); a score view (schema, '
    'name); its tracking with all that belongs to it; a source '
    'with all that belongs to it; batches or gaps (of a source); days (of a source, before a day)';

-- REASSIGN OWNED gives tables to another role, but knows nothing of the rows of the catalog: of a tracked model its tables say whose it is.
-- They are looked up by names that nobody can choose; who gives them away can act as both roles.
CREATE FUNCTION health_internal.moved_to(model text) RETURNS regrole
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH kept AS (
        SELECT kind || '_' || t.id AS name
        FROM health_internal.tracking_table AS t, unnest('{state,book,score,history,stale}'::text[]) AS kind
        WHERE t.model = moved_to.model
        UNION ALL
        SELECT kind || '_' || s.id
        FROM health_internal.ledger_source_table AS s, unnest('{chunk,change}'::text[]) AS kind
        WHERE s.model = moved_to.model
    )
    SELECT min(o.owner)::oid::regrole
    FROM (SELECT DISTINCT c.relowner::bigint AS owner
          FROM kept AS k JOIN pg_class AS c ON c.relnamespace = 'health_data'::regnamespace AND c.relname = k.name) AS o
    HAVING count(*) = 1 AND min(o.owner) <> (SELECT m.owner::oid::bigint FROM health_internal.model_table AS m
                                             WHERE m.name = moved_to.model);
$$;
COMMENT ON FUNCTION health_internal.moved_to(text) IS
    'The role that all tables of a model have been given to, which is not its owner; NULL when there is none';

-- Runs as the owner of the catalog.
CREATE FUNCTION health_internal.move_owner(model text, arguments text[]) RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE health_internal.model_table AS m SET owner = health_internal.moved_to(m.name)
    WHERE m.name = move_owner.model AND health_internal.moved_to(m.name) IS NOT NULL
    RETURNING m.owner::text;
$$;
COMMENT ON FUNCTION health_internal.move_owner(text, text[]) IS 'follow_owner() itself, run as the owner of the catalog';

CREATE FUNCTION health_internal.follow_owner(model text) RETURNS text
    AS 'MODULE_PATHNAME', 'health_follow_owner'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION health_internal.follow_owner(text) IS
    'Gives a model to the role that its tables have been given to (REASSIGN OWNED), and returns that role; NULL when they are its owner''s';

SELECT pg_catalog.pg_extension_config_dump('health_internal.tracking_table', '');
SELECT pg_catalog.pg_extension_config_dump('health_internal.ledger_source_table', '');
SELECT pg_catalog.pg_extension_config_dump('health_internal.ledger_batch_table', '');
SELECT pg_catalog.pg_extension_config_dump('health_internal.ledger_day_table', '');
SELECT pg_catalog.pg_extension_config_dump('health_internal.capture_gap_table', '');
SELECT pg_catalog.pg_extension_config_dump('health_internal.tracking_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('health_internal.ledger_source_id_seq', '');

CREATE FUNCTION health_internal.check_ledger_source(relation oid, account text, user_id text, event text, moment text, amount text,
                                           filter text,
                                           account_kind text, user_kind text, time_zone text, search_path text) RETURNS void
    AS 'MODULE_PATHNAME', 'health_check_ledger_source'
    LANGUAGE C VOLATILE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.check_ledger_source(oid, text, text, text, text, text, text, text, text, text, text) IS
    'Raises an error unless these expressions read the rows of a table as events, by nothing but the row (42P17 where they look at more)';

CREATE FUNCTION health_internal.made_objects(source integer, relation oid, OUT functions oid[], OUT types oid[], OUT columns smallint[])
    AS 'MODULE_PATHNAME', 'health_made_objects'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION health_internal.made_objects(integer, oid) IS
    'The functions and types that somebody made and the columns that the expressions of a ledger source use, over the rows of its '
    'table. An error '
    'when '
    'they do not fit the table';

CREATE FUNCTION health_internal.announce_change(relation oid) RETURNS void
    AS 'MODULE_PATHNAME', 'health_announce_change'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION health_internal.announce_change(oid) IS
    'Has every session look again, once this transaction has committed, at what it knows about a table: of a change table, how its source '
    'is read';
-- Models as others find them: by name, by version, and only for those who may.

-- Names of relations may come quoted, as SQL has them.
CREATE FUNCTION health_internal.quote_once(name text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN name LIKE '%"%' THEN name ELSE '"' || name || '"' END;
END;
COMMENT ON FUNCTION health_internal.quote_once(text) IS 'The name of a relation for a message: in quotes, unless it has quotes of its own';

CREATE FUNCTION health_internal.find_model(model_name text) RETURNS health_internal.model
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_model health_internal.model;
BEGIN
    IF model_name IS NULL THEN
        RAISE EXCEPTION 'the name of the model must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'models() lists those that exist.';
    END IF;
    SELECT m.* INTO found_model FROM health_internal.model AS m WHERE m.name = model_name;
    IF NOT FOUND AND health_internal.follow_owner(model_name) IS NOT NULL THEN
        SELECT m.* INTO found_model FROM health_internal.model AS m WHERE m.name = model_name;
    END IF;
    IF found_model.name IS NOT NULL THEN
        RETURN found_model;
    END IF;
    IF EXISTS (SELECT 1 FROM health_internal.known_model AS k WHERE k.name = model_name) THEN
        RAISE EXCEPTION 'permission denied for model "%"', model_name
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = (SELECT coalesce(format('It belongs to %s.', r.rolname), 'Its owner does not exist any more; a superuser can '
                                            'give it to somebody.')
                            FROM health_internal.known_model AS k LEFT JOIN pg_roles AS r ON r.oid = k.owner WHERE k.name = model_name),
                  HINT = 'Score views can be read by everybody who has SELECT on them; changing and explaining a model is for its owner.';
    END IF;
    RAISE EXCEPTION 'model "%" does not exist', model_name
        USING ERRCODE = 'undefined_object',
              HINT = coalesce((SELECT format('Did you mean "%s"?', health.nearest_name(model_name, array_agg(m.name)))
                               FROM health_internal.model AS m HAVING health.nearest_name(model_name, array_agg(m.name)) IS NOT NULL),
                              'create_model(name, definition) creates one; models() lists those that exist.');
END;
$$;
COMMENT ON FUNCTION health_internal.find_model(text) IS
    'The catalog row of a model whose owner the current user may act as; an error, with the nearest name, when there is none';

CREATE FUNCTION health_internal.are_tables_moved(model_name text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM health_internal.tracking AS t JOIN pg_class AS c ON c.oid = to_regclass('health_data.stale_' || t.id)
                   WHERE t.model = model_name AND c.relowner <> t.owner::oid);
$$;
COMMENT ON FUNCTION health_internal.are_tables_moved(text) IS 'Whether the tables of a tracked model have been given to another role';

-- What a model does is done as its owner (run_as_owner): it must be there.
CREATE FUNCTION health_internal.open_model(model_name text) RETURNS health_internal.model
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.find_model(model_name);
BEGIN
    IF (NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.oid = opened.owner) OR health_internal.are_tables_moved(model_name))
       AND health_internal.follow_owner(model_name) IS NOT NULL THEN
        opened := health_internal.find_model(model_name);
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_roles AS r WHERE r.oid = opened.owner) THEN
        RAISE EXCEPTION 'the owner of model "%" does not exist any more', model_name
            USING ERRCODE = 'undefined_object',
                  HINT = format('To take the model over: UPDATE health_internal.model SET owner = %L WHERE name = %L;',
                                quote_ident(current_user), model_name);
    END IF;
    RETURN opened;
END;
$$;
COMMENT ON FUNCTION health_internal.open_model(text) IS
    'The catalog row of a model whose owner the current user may act as, and who exists: what is needed to have the model do anything';

CREATE FUNCTION health_internal.find_version(model_name text, wanted integer) RETURNS health_internal.model_version
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stored health_internal.model_version;
BEGIN
    SELECT v.* INTO stored FROM health_internal.model_version AS v WHERE v.model = model_name AND v.version = wanted;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'model "%" has no version %', model_name, wanted
            USING ERRCODE = 'undefined_object',
                  HINT = (SELECT format('Its versions are 1 to %s.', max(v.version))
                          FROM health_internal.model_version AS v WHERE v.model = model_name);
    END IF;
    RETURN stored;
END;
$$;
COMMENT ON FUNCTION health_internal.find_version(text, integer) IS 'The catalog row of a version of a model; an error when there is none';

CREATE FUNCTION health_internal.add_version(model_name text, version integer, definition jsonb, document jsonb, visible text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO health_internal.model_version (model, version, definition, document, search_path)
    VALUES (model_name, version, definition, document, visible);
    UPDATE health_internal.model AS m SET current_version = version WHERE m.name = model_name AND m.current_version <> version;
$$;
COMMENT ON FUNCTION health_internal.add_version(text, integer, jsonb, jsonb, text) IS 'Stores a version and makes it the current one';
-- What values of a type are to a model: their text, the same in every session and for equal values, and what is no id, number or group.

CREATE FUNCTION health_internal.number_text(number float8) RETURNS text
    AS 'MODULE_PATHNAME', 'health_number_text_float8'
    LANGUAGE C STRICT IMMUTABLE LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.number_text(float8) IS
    'A number as text, whatever extra_float_digits is: the shortest that is read as the same number, integers in full';

CREATE FUNCTION health_internal.number_text(number float4) RETURNS text
    AS 'MODULE_PATHNAME', 'health_number_text_float4'
    LANGUAGE C STRICT IMMUTABLE LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.number_text(float4) IS
    'A number as text, whatever extra_float_digits is: the shortest that is read as the same number, integers in full';

CREATE FUNCTION health_internal.type_category(type regtype) RETURNS "char"
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT t.typcategory FROM pg_catalog.pg_type AS t WHERE t.oid = type::pg_catalog.oid;
END;
COMMENT ON FUNCTION health_internal.type_category(regtype) IS 'Category of a type, as pg_type has it';

CREATE FUNCTION health_internal.is_citext(type regtype) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM pg_type AS t JOIN pg_depend AS d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
                   JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
                   WHERE t.oid = type::oid AND t.typname = 'citext' AND e.extname = 'citext');
$$;
COMMENT ON FUNCTION health_internal.is_citext(regtype) IS 'Whether a type is citext, whose values are equal in any case of their letters';

-- Character strings are given the collation of the database: it tells bytes apart, and strings of two collations meet in it.
CREATE FUNCTION health_internal.canonical_text(expression text, type regtype, zone text DEFAULT 'UTC') RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(CASE
        WHEN type IN ('float4'::regtype, 'float8'::regtype) THEN 'health_internal.number_text(%s)'
        WHEN type = 'numeric'::regtype THEN 'pg_catalog.trim_scale(%s)::pg_catalog.text'
        -- As JSON has them: the text of a date hangs on DateStyle.
        WHEN type IN ('date'::regtype, 'timestamp'::regtype) THEN '(pg_catalog.to_jsonb(%s) OPERATOR(pg_catalog.#>>) ''{}'')'
        WHEN type = 'timestamptz'::regtype THEN '(pg_catalog.to_jsonb(%s AT TIME ZONE %L) OPERATOR(pg_catalog.#>>) ''{}'')'
        WHEN health_internal.type_category(type) = 'S' THEN '(%s::pg_catalog.text COLLATE pg_catalog."default")'
        ELSE '%s::pg_catalog.text' END, expression, zone);
$$;
COMMENT ON FUNCTION health_internal.canonical_text(text, regtype, text) IS
    'SQL of a value as text that does not hang on settings of the session; times in the zone';

CREATE FUNCTION health_internal.id_family(type regtype) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 'bigint'
                WHEN type = 'uuid'::regtype THEN 'uuid' ELSE 'text' END;
$$;
COMMENT ON FUNCTION health_internal.id_family(regtype) IS 'How ids of a type are kept in a ledger: bigint, uuid or text';

CREATE TYPE health_internal.id_form AS (
    kind text,
    folded boolean
);
COMMENT ON TYPE health_internal.id_form IS
    'Internal: how the ids of all sources are compared: as bigint, uuid or text, folded to lower case';

-- One kind for all sources. In lower case where one of them takes capitals for small letters.
CREATE FUNCTION health_internal.shared_form(types regtype[]) RETURNS health_internal.id_form
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ROW(CASE WHEN count(DISTINCT health_internal.id_family(t)) = 1 THEN min(health_internal.id_family(t)) ELSE 'text' END,
               coalesce(bool_or(health_internal.is_citext(t)) OR count(DISTINCT health_internal.id_family(t)) > 1
                   AND bool_or(t = 'uuid'::regtype), false))::health_internal.id_form
    FROM unnest(types) AS t;
$$;
COMMENT ON FUNCTION health_internal.shared_form(regtype[]) IS 'The form in which ids of these types are compared';

CREATE FUNCTION health_internal.compile_key(expression text, type regtype, form health_internal.id_form) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN form.kind <> 'text' THEN expression
                WHEN form.folded AND health_internal.type_category(type) NOT IN ('N', 'B')
                    THEN format('pg_catalog.lower(%s::pg_catalog.text COLLATE pg_catalog."default")', expression)
                ELSE health_internal.canonical_text(expression, type) END;
$$;
COMMENT ON FUNCTION health_internal.compile_key(text, regtype, health_internal.id_form) IS
    'SQL of an id in the form in which ids are compared: equal ids of different types have equal keys';

-- What has no text that is the same in every session, or stands for no thing that could be named.
CREATE FUNCTION health_internal.is_nameless(type regtype) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.type_category(type) IN ('A', 'C', 'G', 'P', 'R', 'T')
        OR type IN ('money'::regtype, 'bytea'::regtype, 'json'::regtype, 'jsonb'::regtype, 'xml'::regtype, 'jsonpath'::regtype,
                    'tsvector'::regtype, 'tsquery'::regtype, 'pg_snapshot'::regtype, 'txid_snapshot'::regtype)
        OR type::oid IN (SELECT t.oid FROM pg_type AS t WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typname LIKE 'reg%');
$$;
COMMENT ON FUNCTION health_internal.is_nameless(regtype) IS 'Whether values of a type are no ids, names or groups';

CREATE FUNCTION health_internal.is_number(type regtype) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.type_category(type) = 'N' AND type <> 'money'::regtype
       AND (type = 'float8'::regtype
            OR EXISTS (SELECT FROM pg_cast AS c WHERE c.castsource = type::oid AND c.casttarget = 'float8'::regtype));
$$;
COMMENT ON FUNCTION health_internal.is_number(regtype) IS 'Whether values of a type are numbers that can be calculated with';
-- Reading the sources of a document: does the table exist, which columns has it, of which type is an expression over it.
-- These run with the rights and under the search_path that is set by their caller.

CREATE TYPE health_internal.source_info AS (
    from_item text,
    column_names text[],
    label text,
    field text,
    problem text,
    hint text,
    code text
);
COMMENT ON TYPE health_internal.source_info IS
    'A source: its FROM item (aliased src), its columns, its name for messages, or what is wrong with it';
COMMENT ON COLUMN health_internal.source_info.from_item IS 'FROM item with the alias src';
COMMENT ON COLUMN health_internal.source_info.column_names IS 'Names of its columns';
COMMENT ON COLUMN health_internal.source_info.label IS 'Name for messages';
COMMENT ON COLUMN health_internal.source_info.field IS 'table or query';
COMMENT ON COLUMN health_internal.source_info.problem IS 'What is wrong; NULL when nothing is';
COMMENT ON COLUMN health_internal.source_info.hint IS 'What would be right';
COMMENT ON COLUMN health_internal.source_info.code IS 'SQLSTATE of the problem';

CREATE TYPE health_internal.model_field AS (
    source text,
    field text,
    path text,
    from_item text,
    expression text,
    type regtype,
    problem text,
    hint text,
    code text
);
COMMENT ON TYPE health_internal.model_field IS
    'One field of a source of a document: the SQL expression it compiles to and its type, or what is wrong with it';
COMMENT ON COLUMN health_internal.model_field.source IS 'Path of the source or signal';
COMMENT ON COLUMN health_internal.model_field.field IS 'Name of the field';
COMMENT ON COLUMN health_internal.model_field.path IS 'Path for messages';
COMMENT ON COLUMN health_internal.model_field.from_item IS 'FROM item that the expression stands on';
COMMENT ON COLUMN health_internal.model_field.expression IS 'SQL expression';
COMMENT ON COLUMN health_internal.model_field.type IS 'Type of the expression, of a domain its base type';
COMMENT ON COLUMN health_internal.model_field.problem IS 'What is wrong; NULL when nothing is';
COMMENT ON COLUMN health_internal.model_field.hint IS 'What would be right';
COMMENT ON COLUMN health_internal.model_field.code IS 'SQLSTATE of the problem';

CREATE FUNCTION health_internal.describe_query(query text, names_path text, OUT name text, OUT type regtype, OUT collation_id oid)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_describe_query'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION health_internal.describe_query(text, text) IS
    'The columns of a query under a search_path, by parse analysis alone: nothing of it is planned or run. An error when it is wrong, or '
        'when the current user may not run it';

CREATE FUNCTION health_internal.self_comparisons(query text, names_path text) RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'health_self_comparisons'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION health_internal.self_comparisons(text, text) IS
    'The columns that the subqueries of a query compare with themselves, found by parse analysis alone';

CREATE FUNCTION health_internal.trim_statement(statement text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.regexp_replace(statement, '[\s;]+$', '');
END;
COMMENT ON FUNCTION health_internal.trim_statement(text) IS 'A query without the semicolon at its end';

CREATE FUNCTION health_internal.find_relation(name text) RETURNS regclass
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation regclass;
BEGIN
    BEGIN
        relation := health_internal.relation_in(health_internal.names_path(), name);
    EXCEPTION WHEN invalid_name OR syntax_error OR feature_not_supported THEN
        relation := NULL;
    END;
    -- "Accounts" in JSON may mean the table that was created as "Accounts".
    IF relation IS NULL AND pg_catalog.strpos(name, '"') = 0 THEN
        relation := health_internal.relation_in(health_internal.names_path(), (
            SELECT pg_catalog.string_agg(pg_catalog.quote_ident(part), '.' ORDER BY position)
            FROM pg_catalog.string_to_table(name, '.') WITH ORDINALITY AS p (part, position)));
    END IF;
    RETURN relation;
END;
$$;
COMMENT ON FUNCTION health_internal.find_relation(text) IS
    'The relation of that name as SQL would find it, else with exactly these letters; NULL if there is none';

CREATE FUNCTION health_internal.suggest_relation(name text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted text := pg_catalog.regexp_replace(name, '^.*\.', '');
    near text;
    suggestion text;
BEGIN
    SELECT health.nearest_name(wanted, pg_catalog.array_agg(DISTINCT c.relname::text)) INTO near
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'health', 'health_internal',
        'pg_toast')
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE');
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) INTO suggestion
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relname = near AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'health', 'health_internal', 'pg_toast')
    ORDER BY array_position(health_internal.schemas_in(health_internal.names_path()), n.nspname) NULLS LAST, n.nspname
    LIMIT 1;
    RETURN suggestion;
END;
$$;
COMMENT ON FUNCTION health_internal.suggest_relation(text) IS 'The relation with the nearest name, qualified';

CREATE FUNCTION health_internal.describe_source(source jsonb) RETURNS health_internal.source_info
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info health_internal.source_info;
    relation regclass;
    suggestion text;
BEGIN
    IF source ? 'table' THEN
        info.field := 'table';
        info.label := source ->> 'table';
        relation := health_internal.find_relation(info.label);
        IF relation IS NULL THEN
            suggestion := health_internal.suggest_relation(info.label);
            info.problem := pg_catalog.format('table %s does not exist', health_internal.quote_once(info.label));
            info.hint := coalesce('Did you mean ' || health_internal.quote_once(suggestion) || '?',
                                  CASE WHEN info.label LIKE '%.%' THEN 'Name a table or view that is there, as schema.table.'
                                       ELSE 'Name it with its schema, or add the schema to search_path.' END);
            info.code := '42P01';
            RETURN info;
        END IF;
        SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.format('%I.%I AS src', n.nspname, c.relname),
               CASE WHEN c.relkind NOT IN ('r', 'p', 'v', 'm', 'f') THEN '42809' END
        INTO info.label, info.from_item, info.code
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = relation;
        IF info.code IS NOT NULL THEN
            info.problem := pg_catalog.format('"%s" is not a table or view', info.label);
        ELSIF NOT pg_catalog.has_any_column_privilege(relation, 'SELECT') THEN
            info.problem := pg_catalog.format('permission denied for table %s', info.label);
            info.hint := pg_catalog.format('GRANT SELECT ON %s TO %I;', info.label, current_user);
            info.code := '42501';
        ELSE
            info.column_names := ARRAY(
                SELECT a.attname::text FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum);
        END IF;
    ELSIF source ? 'query' THEN
        info.field := 'query';
        info.label := 'the query';
        info.from_item := pg_catalog.format(E'(%s\n) AS src', health_internal.trim_statement(source ->> 'query'));
        info.column_names := ARRAY(SELECT q.name FROM health_internal.describe_query(format('SELECT * FROM %s', info.from_item),
                                                                                     health_internal.names_path()) AS q);
    ELSE
        info.field := 'table';
        info.problem := 'is missing';
        info.hint := 'Name a table as "table", or give a "query".';
        info.code := '22023';
    END IF;
    RETURN info;
EXCEPTION WHEN OTHERS THEN
    info.problem := sqlerrm;
    info.hint := CASE sqlstate
        WHEN '42P01' THEN coalesce('Did you mean "' || health_internal.suggest_relation(pg_catalog.substring(sqlerrm, '"([^"]+)"')) || '"?',
                                   'Tables that the query names must exist and be found in search_path.')
        WHEN '42601' THEN 'The query is used as (query) AS src: it must be one complete SELECT.'
    END;
    info.code := sqlstate;
    RETURN info;
END;
$$;
COMMENT ON FUNCTION health_internal.describe_source(jsonb) IS
    'Looks up the table or query of a source; problems come back as values, not as errors';

-- Where a condition may stand, only expressions over a single row may: no aggregates, window functions or functions that return sets.
CREATE FUNCTION health_internal.expression_type(expression text, from_item text, scope text DEFAULT NULL) RETURNS regtype
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    result regtype;
    base regtype;
BEGIN
    SELECT q.type INTO STRICT result FROM health_internal.describe_query(pg_catalog.format(
        CASE WHEN scope IS NULL THEN E'SELECT (SELECT (%1$s\n) FROM %2$s WHERE (%1$s\n) IS NULL)'
             ELSE E'SELECT (SELECT (SELECT (%1$s\n) FROM (SELECT %3$s) AS named WHERE (%1$s\n) IS NULL) FROM %2$s)' END,
        expression, from_item, scope), health_internal.names_path()) AS q;
    LOOP
        SELECT t.typbasetype::regtype INTO base FROM pg_catalog.pg_type AS t WHERE t.oid = result::oid AND t.typtype = 'd';
        EXIT WHEN NOT FOUND;
        result := base;
    END LOOP;
    RETURN result;
END;
$$;
COMMENT ON FUNCTION health_internal.expression_type(text, text, text) IS
    'The type of an expression over one row of a FROM item, with the names of a scope if given; domains count as their base type';

CREATE FUNCTION health_internal.lacks_collation(expression text, from_item text, scope text) RETURNS boolean
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT q.collation_id = 0 AND t.typcollation <> 0
    FROM health_internal.describe_query(format(CASE WHEN scope IS NULL THEN E'SELECT (SELECT (%1$s\n) FROM %2$s)'
             ELSE E'SELECT (SELECT (SELECT (%1$s\n) FROM (SELECT %3$s) AS named) FROM %2$s)' END, expression, from_item, scope),
             health_internal.names_path()) AS q JOIN pg_type AS t ON t.oid = q.type::oid;
$$;
COMMENT ON FUNCTION health_internal.lacks_collation(text, text, text) IS
    'Whether an expression over one row of a FROM item, with the names of a scope if given, is a string without a collation';

CREATE FUNCTION health_internal.type_problem(type regtype, accepts text, OUT problem text, OUT hint text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    category "char" := (SELECT t.typcategory FROM pg_type AS t WHERE t.oid = type::oid);
BEGIN
    IF type = 'record'::regtype THEN
        problem := 'is a row of several values; one value is needed';
        hint := 'Write one expression, without a comma outside of parentheses.';
    ELSIF type = 'money'::regtype THEN
        problem := 'is money, whose value and text are others where lc_monetary is another';
        hint := 'Convert it: {"sql": "(column)::numeric"}';
    ELSIF accepts = 'id' AND (health_internal.is_nameless(type) OR category IN ('D', 'B')) THEN
        problem := format('is %s, which is no id or name', type);
        hint := CASE WHEN category = 'D' THEN 'Write it as text: {"sql": "to_char(column, ''YYYY-MM-DD'')"}'
                     WHEN category = 'B' THEN 'Name the two: {"sql": "CASE WHEN column THEN ''one'' ELSE ''other'' END"}'
                     WHEN type = 'bytea'::regtype THEN 'Write it as text: {"sql": "encode(column, ''hex'')"}'
                     WHEN type IN ('json'::regtype, 'jsonb'::regtype) THEN 'Take the id out of it: {"sql": "column ->> ''id''"}'
                     WHEN category = 'A' THEN 'Choose one of its elements: {"sql": "column[1]"}'
                     ELSE 'Ids and names are integers, uuid, text and what has a text of its own.' END;
    ELSIF accepts = 'segment' AND health_internal.is_nameless(type) THEN
        problem := format('is %s, which makes no groups', type);
        hint := CASE category WHEN 'T' THEN 'Group by a number of days: extract(epoch from ...) / 86400, as one of accounts.columns.'
                              ELSE 'Groups are texts, numbers, truth values or dates.' END;
    ELSIF accepts = 'time' AND type NOT IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) THEN
        problem := format('is %s; a date or timestamp is needed', type);
        hint := CASE category WHEN 'N' THEN 'For seconds since 1970: {"sql": "to_timestamp(column)"}'
                              ELSE 'Convert it: {"sql": "(column)::timestamptz"}' END;
    ELSIF accepts = 'number' AND NOT health_internal.is_number(type) THEN
        problem := format('is %s; a number is needed', type);
        hint := 'Convert it: {"sql": "(column)::numeric"}';
    ELSIF accepts = 'condition' AND type <> 'boolean'::regtype THEN
        problem := format('is %s; a condition (true or false) is needed', type);
        hint := 'Compare it with something, such as: plan <> ''test''.';
    ELSIF accepts = 'signal' AND type IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) THEN
        problem := format('is %s; a signal needs a number, a truth value or a category', type);
        hint := 'Count days: {"expression": "as_of - column::date"} since it, "column::date - as_of" until it.';
    ELSIF accepts = 'signal' AND NOT (health_internal.is_number(type) OR category IN ('B', 'S', 'E')) THEN
        problem := format('is %s; a signal needs a number, a truth value or a category', type);
        hint := CASE category WHEN 'T' THEN 'Turn the interval into a number: extract(epoch from ...) / 86400 gives days.' END;
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.type_problem(regtype, text) IS
    'What is wrong when a field of that kind gets that type; NULL when it fits';

CREATE FUNCTION health_internal.name_hint(message text, column_names text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted text := substring(message FROM '"([^"]+)"');
    near text := health.nearest_name(wanted, column_names);
BEGIN
    RETURN CASE WHEN near IS NOT NULL THEN format('Did you mean "%s"?', near)
                WHEN cardinality(column_names) > 0 THEN
                    'The columns are: ' || array_to_string(column_names[1:30], ', ')
                    || CASE WHEN cardinality(column_names) > 30 THEN ', ...' ELSE '.' END
           END;
END;
$$;
COMMENT ON FUNCTION health_internal.name_hint(text, text[]) IS 'Hint for a name that does not exist: the nearest one, else all of them';

-- The source stands under the name src. Its own name is the natural thing to write in a subquery.
CREATE FUNCTION health_internal.source_name_hint(message text, expression text, info health_internal.source_info) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN named.relation = (parse_ident(info.label))[cardinality(parse_ident(info.label))] THEN
        format('The source is called src here: write src.%s.',
               coalesce(quote_ident((SELECT c FROM unnest(info.column_names) AS c
                                     WHERE strpos(expression, named.relation || '.' || c) > 0
                                        OR strpos(expression, format('%I.%I', named.relation, c)) > 0
                                     ORDER BY length(c) DESC LIMIT 1)), 'column')) END
    FROM (SELECT substring(message FROM '"([^"]+)"') AS relation) AS named WHERE message LIKE '%FROM-clause%' AND info.label LIKE '%.%';
$$;
COMMENT ON FUNCTION health_internal.source_name_hint(text, text, health_internal.source_info) IS
    'Hint for an expression that names the table of its source; NULL when it does not';

CREATE FUNCTION health_internal.try_value(fallback anyelement, expression text, names_path text, columns text[], VARIADIC "values" "any")
    RETURNS anyelement
    AS 'MODULE_PATHNAME', 'health_try_value'
    LANGUAGE C CALLED ON NULL INPUT STABLE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION health_internal.try_value(anyelement, text, text, text[], "any") IS
    'The value of an expression over columns (row.name) that have these values, names being looked up in a search_path; '
    'where it fails because of them the fallback';

CREATE FUNCTION health_internal.try_error(expression text, names_path text, columns text[], VARIADIC "values" "any") RETURNS text
    AS 'MODULE_PATHNAME', 'health_try_error'
    LANGUAGE C CALLED ON NULL INPUT STABLE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION health_internal.try_error(text, text, text[], "any") IS
    'What the expression of try_value() fails with, or that its value is no finite number; NULL when there is nothing to say';

CREATE FUNCTION health_internal.to_float8(number numeric) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_to_float8'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.to_float8(numeric) IS 'The number in double precision, infinite where it is beyond it: no value fails';

CREATE FUNCTION health_internal.fallible_columns(expression text, names_path text, columns text[], types oid[], collations oid[])
    RETURNS integer[]
    AS 'MODULE_PATHNAME', 'health_fallible_columns'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION health_internal.fallible_columns(text, text, text[], oid[], oid[]) IS
    'Which of these columns (row.name) an expression reads that may fail for some row and that try_value() can evaluate; '
    'NULL for any other';

-- What has a value for every row stays as it is, and so does what a function cannot do in its place: subqueries.
CREATE FUNCTION health_internal.guard_expression(expression text, type regtype, fallback text, from_item text, scope text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    names_path CONSTANT text := health_internal.names_path();
    columns text[];
    types oid[];
    collations oid[];
    arguments text[];
    used integer[];
BEGIN
    SELECT pg_catalog.array_agg(c.row_name || '.' || c.name ORDER BY c.rank, c.n), pg_catalog.array_agg(c.type ORDER BY c.rank, c.n),
           pg_catalog.array_agg(c.collation_id ORDER BY c.rank, c.n), pg_catalog.array_agg(c.argument ORDER BY c.rank, c.n)
    INTO columns, types, collations, arguments
    FROM (SELECT 1 AS rank, q.n, 'named' AS row_name, q.name, q.type::oid, q.collation_id,
                 pg_catalog.split_part(scope, '.', 1) || '.' || pg_catalog.quote_ident(q.name) AS argument
          FROM health_internal.describe_query('SELECT ' || scope || ' FROM ' || from_item, names_path)
               WITH ORDINALITY AS q (name, type, collation_id, n)
          UNION ALL
          SELECT 2, q.n, 'src', q.name, q.type, q.collation_id, 'src.' || pg_catalog.quote_ident(q.name)
          FROM health_internal.describe_query('SELECT src.* FROM ' || from_item, names_path)
               WITH ORDINALITY AS q (name, type, collation_id, n)) AS c;
    used := health_internal.fallible_columns(expression, names_path, columns, types, collations);
    IF used IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN pg_catalog.format('health_internal.try_value(%s::%s, %L, %L, %L::pg_catalog.text[], %s)', fallback,
        pg_catalog.format_type(type, -1), expression, names_path,
        ARRAY(SELECT columns[u] FROM pg_catalog.unnest(used) WITH ORDINALITY AS p (u, n) ORDER BY p.n),
        (SELECT pg_catalog.string_agg(arguments[u], ', ' ORDER BY p.n) FROM pg_catalog.unnest(used) WITH ORDINALITY AS p (u, n)));
EXCEPTION WHEN insufficient_privilege THEN    -- for some column of the source, which the expression need not name
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.guard_expression(text, regtype, text, text, text) IS
    'SQL that gives the fallback for rows on which an expression fails; NULL when it cannot fail or cannot be guarded';

-- A field is a column name or {"sql": "expression"}; a condition is an SQL expression itself. Expressions see the columns of the source
-- and, before them, the names in scope (the model's as_of, logical columns): the innermost query wins.
CREATE FUNCTION health_internal.inspect_field(info health_internal.source_info, source text, field text, path text, spec jsonb,
    accepts text,
                                     scope text DEFAULT NULL, guarded boolean DEFAULT true)
RETURNS health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    result health_internal.model_field;
    wanted text;
    written text;
    fallible text;
BEGIN
    result.source := source;
    result.field := field;
    result.path := path;
    result.from_item := info.from_item;
    result.code := '22023';
    IF accepts = 'condition' AND pg_catalog.jsonb_typeof(spec) = 'string' THEN
        result.expression := spec #>> '{}';
    ELSIF pg_catalog.jsonb_typeof(spec -> 'sql') = 'string' THEN
        result.path := path || '.sql';
        result.expression := spec ->> 'sql';
    ELSIF pg_catalog.jsonb_typeof(spec) = 'string' THEN
        wanted := spec #>> '{}';
        IF NOT wanted = ANY (info.column_names) THEN
            result.problem := pg_catalog.format('column "%s" does not exist in %s', wanted, info.label);
            result.hint := health_internal.name_hint(pg_catalog.format('"%s"', wanted), info.column_names);
            result.code := '42703';
            RETURN result;
        END IF;
        result.expression := pg_catalog.format('src.%I', wanted);
    ELSE
        result.problem := 'must be a column name or {"sql": "expression"}';
        RETURN result;
    END IF;
    IF pg_catalog.jsonb_typeof(spec) = 'string' AND accepts <> 'condition' THEN
        scope := NULL;    -- a column
    END IF;
    written := result.expression;
    BEGIN
        result.type := health_internal.expression_type(result.expression, info.from_item, scope);
        -- Strings of two collations together have none, and no view takes a column without.
        IF pg_catalog.jsonb_typeof(spec) <> 'string' AND health_internal.lacks_collation(result.expression, info.from_item, scope) THEN
            result.expression := pg_catalog.format(E'(%s\n) COLLATE pg_catalog."default"', result.expression);
        END IF;
        IF pg_catalog.jsonb_typeof(spec) <> 'string' OR accepts = 'condition' THEN
            result.expression := pg_catalog.format(CASE WHEN scope IS NULL THEN E'(%1$s\n)'
                ELSE E'(SELECT (%1$s\n) FROM (SELECT %2$s) AS named)' END,
                                                   result.expression, scope);
        END IF;
    EXCEPTION WHEN OTHERS THEN
        result.problem := CASE sqlstate WHEN '42803' THEN 'aggregate functions are not allowed here'
                                        ELSE pg_catalog.regexp_replace(sqlerrm, ' in WHERE$', ' here') END;
        result.code := sqlstate;
        result.hint := CASE sqlstate
            WHEN '42803' THEN 'The expression sees one row: put the aggregate into a "query" source, or into a subquery of its own.'
            WHEN '42P20' THEN 'The expression sees one row: put the window function into a "query" source.'
            WHEN '0A000' THEN 'The expression gives one value for each row: use a "query" source to make several rows.'
            WHEN '42703' THEN health_internal.name_hint(sqlerrm, info.column_names)
            WHEN '42702' THEN 'Write src.column for the column of the table.'
            WHEN '42P01' THEN health_internal.source_name_hint(sqlerrm, result.expression, info)
            WHEN '42601' THEN 'The expression must be complete by itself: look for parentheses, quotes and commas.'
            WHEN '42883' THEN 'Functions must exist and be found in search_path, or be written with their schema.'
        END;
        RETURN result;
    END;
    SELECT t.problem, t.hint INTO result.problem, result.hint FROM health_internal.type_problem(result.type, accepts) AS t;
    -- Of a name that both have, a subquery takes its own column: a condition that was to tie it to the row is then always true.
    IF result.problem IS NULL AND result.expression ~* '\mselect\M' THEN
        SELECT s.name INTO wanted FROM health_internal.self_comparisons(
            pg_catalog.format('SELECT %s FROM %s', result.expression, info.from_item), health_internal.names_path()) AS s (name)
        WHERE s.name = ANY (info.column_names) LIMIT 1;
        IF FOUND THEN
            result.problem := pg_catalog.format('a subquery compares its own column "%s" with itself', wanted);
            result.hint := pg_catalog.format('Within a subquery the column of the source is written %s.',
                                             pg_catalog.format('src.%I', wanted));
        END IF;
    END IF;
    IF guarded AND result.problem IS NULL THEN
        -- What fails is unknown, but where it can be told from nothing it is: as a time, name or amount that no event has, seats and
        -- values of signals that are no numbers.
        IF source <> 'columns' AND field IN ('amount', 'seats') AND written = result.expression AND result.type = 'numeric'::regtype THEN
            result.expression := pg_catalog.format('health_internal.to_float8(%s)', written);
        ELSIF field IN ('amount', 'seats') AND source <> 'columns' THEN
            result.expression := coalesce(health_internal.guard_expression(pg_catalog.format(E'(%s\n)::pg_catalog.float8', written),
                'pg_catalog.float8'::regtype, '''NaN''', info.from_item, scope), result.expression);
        ELSIF accepts = 'signal' AND written <> result.expression
              AND result.type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN
            -- No integer says that there is no value.
            fallible := health_internal.guard_expression(pg_catalog.format(E'(%s\n)::pg_catalog.numeric', written),
                'pg_catalog.numeric'::regtype, '''NaN''', info.from_item, scope);
            IF fallible IS NOT NULL THEN
                result.expression := fallible;
                result.type := 'pg_catalog.numeric'::regtype;
            END IF;
        ELSIF written <> result.expression THEN
            result.expression := coalesce(health_internal.guard_expression(written, result.type,
                CASE WHEN source ~ '^events' AND field = 'occurred_at' THEN '''infinity'''
                     -- Before all times that there are: compile_known_event() makes a bad row of it, as capture does.
                     WHEN source ~ '^events' AND field = 'known_at' THEN '''4714-11-24 00:00:00+00 BC'''
                     WHEN source ~ '^events' AND field = 'event' AND result.type IN ('text'::regtype, 'varchar'::regtype) THEN ''''''
                     WHEN accepts = 'signal' AND result.type IN ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype) THEN '''NaN'''
                     ELSE 'NULL' END, info.from_item, scope), result.expression);
        END IF;
    END IF;
    RETURN result;
END;
$$;
COMMENT ON FUNCTION health_internal.inspect_field(health_internal.source_info, text, text, text, jsonb, text, text, boolean) IS
    'Turns one field of a source into an expression with a type, which if guarded fails for no row, or says what is wrong with it';
-- Citus, where it is installed: tables whose rows lie on other servers, and how a query has to be written for it.

CREATE FUNCTION health_internal.relations_of_query(query text, names_path text) RETURNS SETOF regclass
    AS 'MODULE_PATHNAME', 'health_relations_of_query'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION health_internal.relations_of_query(text, text) IS
    'The relations that a query reads under a search_path, through views, by parse analysis alone';

-- Citus pushes a query down to the shards as a whole, or computes by itself, on the workers, each subquery that stands for itself. A ledger
-- query as a whole cannot be pushed down: it is correlated (expressions see the columns of their row, and as_of) and it joins by more than
-- the distribution column. Behind OFFSET 0 a subquery stands for itself. PostgreSQL alone would gain nothing from it, and could not look up
-- a single account by an index behind it.
CREATE FUNCTION health_internal.fence() RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_extension AS e WHERE e.extname = 'citus') THEN ' OFFSET 0' ELSE '' END;
END;
COMMENT ON FUNCTION health_internal.fence() IS
    'What a subquery ends in that Citus is to compute by itself, where it is installed; nothing elsewhere';

CREATE FUNCTION health_internal.fence_source(info health_internal.source_info) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE health_internal.fence() WHEN '' THEN info.from_item
        ELSE format('(SELECT %s FROM %s%s) AS src',
            coalesce((SELECT string_agg(format('src.%I', c.name), ', ' ORDER BY c.position)
                      FROM unnest(info.column_names) WITH ORDINALITY AS c (name, position)
                      WHERE info.field = 'table' AND has_column_privilege(info.label, c.name, 'SELECT')), '*'),
            info.from_item, health_internal.fence()) END;
$$;
COMMENT ON FUNCTION health_internal.fence_source(health_internal.source_info) IS
    'The FROM item of a source; where Citus is installed one whose rows are fetched before anything is computed of them';

-- An expression may use as_of, which stands before the fence: only a plain column can be asked for behind it.
CREATE FUNCTION health_internal.restrict_source(from_item text, expression text, restriction text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN health_internal.fence() <> '' AND starts_with(expression, 'src.')
                THEN format('%s WHERE %s%s%s', left(from_item, -length(f.ending)), expression, restriction, f.ending)
                ELSE from_item END
    FROM (SELECT health_internal.fence() || ') AS src') AS f (ending);
$$;
COMMENT ON FUNCTION health_internal.restrict_source(text, text, text) IS
    'The FROM item of fence_source() with only the rows of which the expression is as restricted (such as = 7), where they can be told';

CREATE FUNCTION health_internal.citus_tables(query text, names_path text, OUT relation text, OUT kind text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known CONSTANT regclass := to_regclass('pg_catalog.pg_dist_partition');
BEGIN
    IF known IS NOT NULL THEN
        RETURN QUERY EXECUTE format($query$
            SELECT format('%%I.%%I', n.nspname, c.relname),
                   CASE WHEN p.partmethod = 'n' AND p.repmodel = 't' THEN 'copied to all servers'
                        WHEN p.partmethod = 'n' AND p.colocationid = 0 THEN 'managed' ELSE 'distributed' END
            FROM health_internal.relations_of_query($1, $2) AS r (relation)
            JOIN %s AS p ON p.logicalrelid = r.relation
            JOIN pg_class AS c ON c.oid = r.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
            ORDER BY n.nspname, c.relname $query$, known) USING query, names_path;
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.citus_tables(text, text) IS
    'The tables of Citus among those that a query reads under a search_path, and what it does with each: distributed, copied to '
    'all servers (a reference table), or managed (on this server, known to the others)';
-- Tables of tracked models, in schema health_data: their names, and the one way in which they are made. Nobody else may create anything
-- there, so that what has such a name is what it is taken for.

CREATE FUNCTION health_internal.is_source_kind(kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT kind IN ('chunk', 'change');
END;
COMMENT ON FUNCTION health_internal.is_source_kind(text) IS 'Whether tables of that kind are of a ledger source, not of a tracked model';

CREATE FUNCTION health_internal.data_owner(kind text, id integer, OUT model text, OUT owner regrole)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.model, s.owner FROM health_internal.ledger_source AS s WHERE health_internal.is_source_kind(kind) AND s.id = data_owner.id
    UNION ALL
    SELECT t.model, t.owner FROM health_internal.tracking AS t WHERE NOT health_internal.is_source_kind(kind) AND t.id = data_owner.id;
$$;
COMMENT ON FUNCTION health_internal.data_owner(text, integer) IS
    'Model and owner of the table of that kind and number; NULL when there can be none';

CREATE FUNCTION health_internal.data_table_name(kind text, id integer) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT 'health_data.' || pg_catalog.quote_ident(kind || '_' || id);
END;
COMMENT ON FUNCTION health_internal.data_table_name(text, integer) IS 'Name of a table of a tracked model or of a ledger source';

-- Every use of a table goes through this. Names can be foretold, and the owner of the database may create in the schema, to restore.
CREATE FUNCTION health_internal.data_table(kind text, id integer) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name CONSTANT text := health_internal.data_table_name(kind, id);
BEGIN
    IF EXISTS (SELECT 1 FROM pg_class AS c WHERE c.oid = to_regclass(name)
               AND (c.relkind NOT IN ('r', 'p') OR c.relowner IS DISTINCT FROM (health_internal.data_owner(kind, id)).owner)) THEN
        RAISE EXCEPTION '% is not a table of the owner of its model', name
            USING ERRCODE = 'wrong_object_type',
                  HINT = coalesce((SELECT format('ALTER TABLE %s OWNER TO %s; or have its owner, or that of the database, drop it.', name,
                                                 o.owner)
                                   FROM health_internal.data_owner(kind, id) AS o WHERE o.owner IS NOT NULL),
                                  'Whoever owns it, or the owner of the database, drops it.');
    END IF;
    RETURN name;
END;
$$;
COMMENT ON FUNCTION health_internal.data_table(text, integer) IS
    'Name of a table of a tracked model or of a ledger source; an error when what has that name is something else, or somebody else''s';

-- What a table of a kind is like beyond its columns: storage, and what it is for.
CREATE FUNCTION health_internal.data_kinds(OUT kind text, OUT options text, OUT purpose text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 8
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT k.kind, k.options, k.purpose
    FROM (VALUES
        ('chunk', 'WITH (fillfactor = 90)', 'Ledger of model "%s": the sum of the parts of an account and calendar quarter.'),
        -- Inserted into by every writer of the events and emptied by every refresh: dead rows should go soon. Pieces of changes fit a page.
        ('change', 'WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, '
                   'autovacuum_analyze_threshold = 1000000, toast_tuple_target = 8160)',
         'Captured changes of model "%s" that no refresh has folded in yet.'),
        ('state', '', 'What the scores of model "%s" stand for.'),
        ('book', 'WITH (fillfactor = 90)', 'Accounts of model "%s": attributes, inputs and roster.'),
        -- Half of a page is free: a day turn changes every row, in its place.
        ('score', 'WITH (fillfactor = 50)', 'Scores of model "%s".'),
        ('stale', '', 'Accounts of model "%s" that the next refresh scores again.'),
        ('history', 'WITH (fillfactor = 60)', 'Daily scores of model "%s" with the account data that they stood on.')
    ) AS k (kind, options, purpose);
$$;
COMMENT ON FUNCTION health_internal.data_kinds() IS 'The kinds of tables of tracked models, with storage options and purpose';

CREATE FUNCTION health_internal.compile_columns(columns text[], types oid[], collations oid[], required text[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format('%I %s%s%s', c.name, format_type(c.type, -1), ' COLLATE ' || nullif(c.collation_id, 0)::regcollation,
                             CASE WHEN c.name = ANY (required) THEN ' NOT NULL' END), ', ' ORDER BY c.position)
    FROM ROWS FROM (unnest(columns), unnest(types), unnest(collations)) WITH ORDINALITY AS c (name, type, collation_id, position)
    WHERE c.name IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.compile_columns(text[], oid[], oid[], text[]) IS
    'SQL list of columns with their types and collations (0: none, or that of the type); the required ones are NOT NULL';

-- Runs as the owner of the catalog: takes names and types, and puts no text of others into a statement but as a name or a literal.
CREATE FUNCTION health_internal.make_data_table(model text, arguments text[]) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind CONSTANT text := arguments[1];
    name CONSTANT text := health_internal.data_table(kind, arguments[2]::integer);
    key CONSTANT text[] := arguments[5]::text[];
    about record;
    place record;
BEGIN
    SELECT k.options, k.purpose INTO about FROM health_internal.data_kinds() AS k WHERE k.kind = arguments[1];
    SELECT o.model, o.owner INTO place FROM health_internal.data_owner(kind, arguments[2]::integer) AS o;
    IF about.purpose IS NULL OR place.model IS DISTINCT FROM model THEN
        RAISE EXCEPTION 'model "%" has no table %', model, name USING ERRCODE = 'undefined_object';
    ELSIF EXISTS (SELECT 1 FROM unnest(arguments[4]::oid[]) AS t (type) WHERE NOT has_type_privilege(place.owner, t.type, 'USAGE')) THEN
        RAISE EXCEPTION 'permission denied for a type of table %', name USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('CREATE TABLE %s (%s%s) %s', name, health_internal.compile_columns(
                       arguments[3]::text[], arguments[4]::oid[], arguments[6]::oid[],
                       CASE WHEN health_internal.is_source_kind(kind) THEN array_remove(arguments[3]::text[], 'changes') END),
                   (SELECT format(', PRIMARY KEY (%s)', string_agg(quote_ident(k.name), ', ' ORDER BY k.position))
                    FROM unnest(key) WITH ORDINALITY AS k (name, position) HAVING count(*) > 0),
                   CASE arguments[7] WHEN '' THEN about.options ELSE format('PARTITION BY RANGE (%I)', arguments[7]) END);
    EXECUTE format('COMMENT ON TABLE %s IS %L', name, format(about.purpose, model));
    IF kind = 'change' THEN
        EXECUTE format('ALTER TABLE %s ALTER changes SET STORAGE EXTERNAL', name);
    END IF;
    -- In a publication for all tables rows without a key could be neither changed nor deleted.
    IF cardinality(key) = 0 THEN
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', name);
    END IF;
    EXECUTE format('ALTER TABLE %s OWNER TO %s', name, place.owner);
    RETURN name;
END;
$$;
COMMENT ON FUNCTION health_internal.make_data_table(text, text[]) IS
    'create_data_table() itself, run by act_on_model(): kind, id, columns, types, key, collations, column to partition by (or nothing)';

CREATE FUNCTION health_internal.create_data_table(kind text, id integer, columns text[], types regtype[], key text[] DEFAULT '{}',
                                                  collations oid[] DEFAULT '{}', partition_by text DEFAULT NULL) RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.act_on_model(
        coalesce((health_internal.data_owner(kind, id)).model, kind || '_' || id), 'make_data_table', kind, id::text,
        columns::text, types::oid[]::text, key::text, collations::text, coalesce(partition_by, ''));
$$;
COMMENT ON FUNCTION health_internal.create_data_table(text, integer, text[], regtype[], text[], oid[], text) IS
    'Makes a table of a tracked model or ledger source, which must be in the catalog already, with these columns, primary key and '
    'partition column: a table of the owner of the model. Returns its name';

CREATE FUNCTION health_internal.create_data_table_of(kind text, id integer, query text, key text[] DEFAULT '{}') RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.create_data_table(kind, id, array_agg(q.name ORDER BY q.n), array_agg(q.type ORDER BY q.n), key,
                                             array_agg(q.collation_id ORDER BY q.n))
    FROM health_internal.describe_query(query, health_internal.names_path()) WITH ORDINALITY AS q (name, type, collation_id, n);
$$;
COMMENT ON FUNCTION health_internal.create_data_table_of(text, integer, text, text[]) IS
    'create_data_table() with the columns of a query, which is not run';

-- A partition has the columns of its table, found in the catalog: LIKE would bring along what the owner has hung on it.
CREATE FUNCTION health_internal.make_data_partition(model text, arguments text[]) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind CONSTANT text := arguments[1];
    parent CONSTANT text := health_internal.data_table(kind, arguments[2]::integer);
    name CONSTANT text := parent || to_char(arguments[3]::date, '_YYYY_MM');
    place record;
BEGIN
    SELECT o.model, o.owner INTO place FROM health_internal.data_owner(kind, arguments[2]::integer) AS o;
    IF place.model IS DISTINCT FROM model
       OR NOT EXISTS (SELECT 1 FROM pg_class AS c WHERE c.oid = to_regclass(parent) AND c.relkind = 'p') THEN
        RAISE EXCEPTION 'model "%" has no table %', model, name USING ERRCODE = 'undefined_object';
    END IF;
    EXECUTE format('CREATE TABLE %s (%s, PRIMARY KEY (%s)) %s', name,
        (SELECT health_internal.compile_columns(array_agg(a.attname::text ORDER BY a.attnum), array_agg(a.atttypid ORDER BY a.attnum),
                                                array_agg(a.attcollation ORDER BY a.attnum),
                                                array_agg(a.attname::text) FILTER (WHERE a.attnotnull))
         FROM pg_attribute AS a WHERE a.attrelid = parent::regclass AND a.attnum > 0 AND NOT a.attisdropped),
        (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY array_position(i.indkey::smallint[], a.attnum))
         FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
         WHERE i.indrelid = parent::regclass AND i.indisprimary),
        (SELECT k.options FROM health_internal.data_kinds() AS k WHERE k.kind = arguments[1]));
    EXECUTE format('ALTER TABLE %s OWNER TO %s', name, place.owner);
    RETURN name;
END;
$$;
COMMENT ON FUNCTION health_internal.make_data_partition(text, text[]) IS
    'create_data_partition() itself, run by act_on_model(): kind, id, day';

CREATE FUNCTION health_internal.create_data_partition(kind text, id integer, month date) RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.act_on_model(coalesce((health_internal.data_owner(kind, id)).model, kind || '_' || id), 'make_data_partition',
                                        kind, id::text, to_char(month, 'YYYY-MM-DD'));
$$;
COMMENT ON FUNCTION health_internal.create_data_partition(text, integer, date) IS
    'Makes the table of a month, health_data.<kind>_<id>_YYYY_MM, like the table that it is to be attached to. Returns its name';
-- Tracked models as others find them: whether a model is tracked, and where its usage is to be read.

CREATE FUNCTION health_internal.find_tracking(model_name text) RETURNS health_internal.tracking
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_tracking health_internal.tracking;
BEGIN
    SELECT t.* INTO found_tracking FROM health_internal.tracking AS t WHERE t.model = model_name;
    IF NOT FOUND THEN
        PERFORM health_internal.find_model(model_name);
        RAISE EXCEPTION 'model "%" is not tracked', model_name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT health.track(%L);', model_name);
    END IF;
    RETURN found_tracking;
END;
$$;
COMMENT ON FUNCTION health_internal.find_tracking(text) IS 'The catalog row of a tracked model; an error when it is not tracked';

CREATE FUNCTION health_internal.account_key(tracking health_internal.tracking, expression text) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.compile_key(expression, ((tracking).account_type)::regtype,
        ROW((tracking).account_kind, (tracking).accounts_folded)::health_internal.id_form);
END;
COMMENT ON FUNCTION health_internal.account_key(health_internal.tracking, text) IS
    'SQL of the key that an account id of a book has in the ledgers';

CREATE FUNCTION health_internal.account_text(tracking health_internal.tracking, expression text) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.canonical_text(expression, ((tracking).account_type)::regtype);
END;
COMMENT ON FUNCTION health_internal.account_text(health_internal.tracking, text) IS 'SQL of an account id of a book as text';

CREATE FUNCTION health_internal.type_name(type regtype) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format_type(type, -1);
$$;
COMMENT ON FUNCTION health_internal.type_name(regtype) IS 'SQL name of a type, which means the same under any search_path';

-- What the ledgers of a model hang on: another catalog or other weights leave them as they are.
CREATE FUNCTION health_internal.ledger_key(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.jsonb_build_object('events', c.document -> 'events', 'time_zone', c.document -> 'time_zone',
        'account', pg_catalog.jsonb_build_array(c.document #> '{accounts,table}', c.document #> '{accounts,query}',
            c.document #> '{accounts,id}'),
        'user', pg_catalog.jsonb_build_array(c.document #> '{users,table}', c.document #> '{users,query}', c.document #> '{users,id}',
            c.document #> '{users,account}'))
    FROM health_internal.canonical_document(document) AS c (document);
END;
COMMENT ON FUNCTION health_internal.ledger_key(jsonb) IS 'The parts of a document that its ledgers hang on';

-- Tables in health_data are their owner's: he may have dropped one.
CREATE FUNCTION health_internal.check_data_tables(model_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing CONSTANT text := (
        SELECT d.name
        FROM (SELECT health_internal.data_table('chunk', s.id) FROM health_internal.ledger_source AS s WHERE s.model = model_name
              UNION ALL
              SELECT health_internal.data_table(k.kind, t.id)
              FROM health_internal.tracking AS t, unnest(ARRAY['state', 'book', 'score', 'stale', 'history']) AS k (kind)
              WHERE t.model = model_name AND t.model_version IS NOT NULL) AS d (name)
        WHERE to_regclass(d.name) IS NULL LIMIT 1);
BEGIN
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'model "%": % does not exist any more', model_name, missing
            USING ERRCODE = 'undefined_table', HINT = format('SELECT health.untrack(%1$L), health.track(%1$L); makes its ledger anew.',
                model_name);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_data_tables(text) IS
    'Raises an error with the way out when a table of a tracked model is missing';

CREATE FUNCTION health_internal.find_ready_tracking(model_name text) RETURNS health_internal.tracking
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking := health_internal.find_tracking(model_name);
BEGIN
    IF tracking.model_version IS NULL OR EXISTS (SELECT 1 FROM health_internal.ledger_source AS s WHERE s.model = model_name
        AND s.read_at IS NULL) THEN
        RAISE EXCEPTION 'the events of model "%" have not been read to the end', model_name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('CALL health.backfill(%L);', model_name);
    END IF;
    PERFORM health_internal.check_data_tables(model_name);
    RETURN tracking;
END;
$$;
COMMENT ON FUNCTION health_internal.find_ready_tracking(text) IS
    'The catalog row of a tracked model whose ledger is complete; an error when it is not';

CREATE FUNCTION health_internal.lock_tracking(model_name text, wait boolean) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- What is read must be read after the locks that it takes: a trigger that is made waits for writers, whose rows an older snapshot
    -- lacks.
    -- guard old_snapshot {
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    -- instead: IF false THEN
    -- }
        RAISE EXCEPTION 'model "%": a refresh needs isolation level READ COMMITTED, not %', model_name,
            upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'invalid_transaction_state', HINT = format('CALL health.refresh(%L); outside of a transaction sees to it.',
                model_name);
    END IF;
    IF wait THEN
        PERFORM 1 FROM health_internal.tracking AS t WHERE t.model = model_name
        -- guard one_refresh {
        FOR UPDATE
        -- }
        ;
    ELSE
        PERFORM 1 FROM health_internal.tracking AS t WHERE t.model = model_name
        -- guard one_refresh {
        FOR UPDATE SKIP LOCKED
        -- }
        ;
    END IF;
    RETURN FOUND;
END;
$$;
COMMENT ON FUNCTION health_internal.lock_tracking(text, boolean) IS
    'Keeps other refreshes of the model out until the transaction ends; false when one is at work and wait is false';

CREATE FUNCTION health_internal.is_tracked(model_name text) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM health_internal.tracking AS t WHERE t.model = model_name);
END;
COMMENT ON FUNCTION health_internal.is_tracked(text) IS 'Whether a model is tracked, read to the end or not';
-- Every field of every source of a document with its SQL expression and type: what validation checks and the compiler composes.

CREATE FUNCTION health_internal.model_clock(document jsonb, as_of date) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE
        WHEN as_of IS NOT NULL THEN pg_catalog.format('DATE %L', as_of)
        WHEN document ->> 'as_of' <> 'tomorrow' THEN pg_catalog.format('DATE %L', document ->> 'as_of')
        ELSE pg_catalog.format(CASE document ->> 'as_of' WHEN 'tomorrow' THEN '((pg_catalog.now() AT TIME ZONE %L)::pg_catalog.date + 1)'
                                                         ELSE '(pg_catalog.now() AT TIME ZONE %L)::pg_catalog.date' END,
                               coalesce(document ->> 'time_zone', 'UTC'))
    END;
END;
COMMENT ON FUNCTION health_internal.model_clock(jsonb, date) IS
    'SQL of the date a model is scored as of: the given one, else the fixed date of the document, else today in its time zone, or '
        'tomorrow, so that '
    'today counts';

CREATE FUNCTION health_internal.clock_item(clock text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT '(SELECT ' || clock || ' AS as_of) AS clock';
END;
COMMENT ON FUNCTION health_internal.clock_item(text) IS 'SQL of the row of the clock, by the SQL of its date';

CREATE FUNCTION health_internal.local_day(expression text, type regtype, source_zone text, model_zone text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN type = 'timestamptz'::regtype THEN format('health_internal.to_local_day(%s, %L)', expression, model_zone)
        WHEN type = 'timestamp'::regtype AND source_zone IS NOT NULL THEN
            format('health_internal.to_local_day(health_internal.to_moment(%s, %L), %L)', expression, source_zone, model_zone)
        ELSE format('%s::pg_catalog.date', expression)
    END;
$$;
COMMENT ON FUNCTION health_internal.local_day(text, regtype, text, text) IS
    'SQL of the model''s local day of a date, timestamp or timestamptz expression';

CREATE FUNCTION health_internal.zone_problem(zone text, path text) RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF zone IS NOT NULL THEN
        PERFORM timestamptz '2000-01-01' AT TIME ZONE zone;
    END IF;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN NEXT ROW('model', 'time_zone', path, NULL, NULL, NULL, pg_catalog.format('time zone "%s" is not recognized', zone),
        coalesce('Did you mean "' || health.nearest_name(zone, ARRAY(SELECT z.name FROM pg_catalog.pg_timezone_names AS z)) || '"?',
                 'Names are in the view pg_timezone_names, such as Europe/Berlin.'), '22023')::health_internal.model_field;
END;
$$;
COMMENT ON FUNCTION health_internal.zone_problem(text, text) IS 'A row when there is no such time zone';

-- Only documents that are new are asked: what a stored one says is as good as when it was stored. The view takes a while.
CREATE FUNCTION health_internal.unnamed_zones(document jsonb, OUT path text, OUT problem text, OUT hint text) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT z.path, format('"%s" is no name of a time zone', z.zone),
           CASE WHEN z.zone ~ '[+-]' THEN 'UTC+2 would be two hours west: name a place, such as Europe/Berlin.'
                ELSE 'Name a place, such as Europe/Berlin: names are in the view pg_timezone_names.' END
    FROM (SELECT 'time_zone' AS path, document ->> 'time_zone' AS zone
          UNION ALL SELECT s.path || '.time_zone', s.source ->> 'time_zone' FROM health_internal.sources(document) AS s) AS z
    WHERE upper(z.zone) <> 'UTC' AND EXISTS (SELECT FROM health_internal.zone_problem(z.zone, z.path)) IS FALSE
      AND NOT EXISTS (SELECT FROM pg_timezone_names AS n WHERE lower(n.name) = lower(z.zone));
$$;
COMMENT ON FUNCTION health_internal.unnamed_zones(jsonb) IS
    'Time zones of a document that PostgreSQL takes, as abbreviations or as rules, but that have no name';

CREATE FUNCTION health_internal.capital_names(document jsonb, fields health_internal.model_field[], OUT path text, OUT problem text,
    OUT hint text) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'catalog.' || c.name, 'is never the name of an event: they are citext, and read in lower case',
           format('Write "%s".', lower(c.name))
    FROM jsonb_object_keys(CASE jsonb_typeof(document -> 'catalog') WHEN 'object' THEN document -> 'catalog' ELSE '{}' END) AS c (name)
    WHERE c.name <> lower(c.name)
      AND (SELECT bool_and(health_internal.is_citext(f.type)) FROM unnest(fields) AS f WHERE f.field = 'event' AND f.source ~ '^events');
$$;
COMMENT ON FUNCTION health_internal.capital_names(jsonb, health_internal.model_field[]) IS
    'Names of a catalog that no event has, since those of all sources are in lower case';

CREATE FUNCTION health_internal.reserved_columns() RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY['account_id', 'name', 'as_of', 'model', 'model_version', 'score', 'band', 'data_coverage', 'unknown_reason', 'change_7d',
                 'change_28d', 'main_reason', 'next_step', 'score_without_top_user', 'in_book', 'state', 'state_reason',
                 'override_reason', 'churn_probability', 'expansion_likelihood', 'overrides', 'usage', 'inputs', 'observed', 'segments',
                 'past_inputs', 'past_observed', 'account_start', 'account_end', 'ledger_start', 'in_filter', 'seats', 'repeated',
                 'outages', 'tracking_broke',
                     '$roster', '$parts', '$fresh', '$book', '$signals'] ||
           ARRAY(SELECT a.attname::text FROM pg_attribute AS a
                 WHERE a.attrelid = (SELECT t.typrelid FROM pg_type AS t WHERE t.oid = 'health.metrics_record'::regtype)
                   AND a.attnum > 0 AND NOT a.attisdropped);
$$;
COMMENT ON FUNCTION health_internal.reserved_columns() IS
    'Names of the columns that every score view has, and those that queries over the book of a tracked model need for themselves';

CREATE FUNCTION health_internal.attribute_fields(info health_internal.source_info, path text, source jsonb)
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    item record;
BEGIN
    FOR item IN SELECT c.key, c.value, path || '.' || c.key AS path
                FROM pg_catalog.jsonb_each(CASE pg_catalog.jsonb_typeof(source -> 'columns') WHEN 'object' THEN source -> 'columns'
                    ELSE '{}' END) AS c
    LOOP
        IF item.key = 'account_name' AND source ? 'name' THEN
            RETURN NEXT ROW('columns', item.key, item.path, NULL, NULL, NULL, 'the name "account_name" is that of accounts.name',
                'Leave one of the two out.', '42701')::health_internal.model_field;
            CONTINUE;
        END IF;
        IF item.key = ANY (health_internal.reserved_columns()) THEN
            RETURN NEXT ROW('columns', item.key, item.path, NULL, NULL, NULL,
                pg_catalog.format('the name "%s" is taken by a column of every score view', item.key),
                pg_catalog.format('Call it "account_%s", for example.', item.key), '42701')::health_internal.model_field;
        ELSE
            RETURN NEXT health_internal.inspect_field(info, 'columns', item.key, item.path, item.value, 'any', 'clock.as_of');
        END IF;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.attribute_fields(health_internal.source_info, text, jsonb) IS
    'Fields of the attributes that a source is given names for';

-- The row "from" carries the FROM item, the label as expression and, as hint, the column names.
CREATE FUNCTION health_internal.fields_of_source(document jsonb, kind text, path text, source jsonb, as_of date, guarded boolean)
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info health_internal.source_info := health_internal.describe_source(source);
    item record;
BEGIN
    IF info.problem IS NOT NULL THEN
        RETURN NEXT ROW(path, info.field, path || '.' || info.field, NULL, NULL, NULL, info.problem, info.hint,
            info.code)::health_internal.model_field;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM health_internal.source_fields() AS f WHERE f.kind = fields_of_source.kind AND f.dated) THEN
        info.from_item := health_internal.clock_item(health_internal.model_clock(document, as_of)) || ' CROSS JOIN '
            || health_internal.fence_source(info);
    END IF;
    RETURN NEXT ROW(path, 'from', path, info.from_item, info.label, NULL, NULL,
                    pg_catalog.array_to_json(info.column_names)::text, NULL)::health_internal.model_field;
    FOR item IN SELECT f.*, path || '.' || f.field AS path FROM health_internal.source_fields() AS f
                WHERE f.kind = fields_of_source.kind AND source ? f.field ORDER BY f."position"
    LOOP
        IF item.accepts = 'zone' THEN
            RETURN QUERY SELECT z.* FROM health_internal.zone_problem(source ->> item.field, item.path) AS z;
            CONTINUE;
        END IF;
        RETURN NEXT health_internal.inspect_field(info, path, item.field, item.path, source -> item.field, item.accepts,
                                                  CASE WHEN item.dated THEN 'clock.as_of' END, guarded);
        IF item.with_account AND NOT source ? 'account' THEN
            RETURN NEXT ROW(path, item.field, item.path, NULL, NULL, NULL, 'needs the account of each user',
                            pg_catalog.format('Name the column with the account id as %s.account.', path),
                                '22023')::health_internal.model_field;
        END IF;
    END LOOP;
    RETURN QUERY SELECT a.* FROM health_internal.attribute_fields(info, path || '.columns', source) AS a;
END;
$$;
COMMENT ON FUNCTION health_internal.fields_of_source(jsonb, text, text, jsonb, date, boolean) IS 'Every field of one source of a document';

-- Many write -1 for "unlimited".
CREATE FUNCTION health_internal.usable_seats(seats float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN seats >= 0 AND seats <= 1e15 THEN seats END;
END;
COMMENT ON FUNCTION health_internal.usable_seats(float8) IS 'The number, if it is one that seats can be: 0 to 10^15; else NULL';

-- The names that expressions of signals and segments may use besides the columns of the account table.
CREATE FUNCTION health_internal.account_attributes(document jsonb, fields health_internal.model_field[])
    RETURNS TABLE (name text, expression text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE f.field WHEN 'id' THEN 'account_id' WHEN 'name' THEN 'account_name' WHEN 'start' THEN 'account_start'
                        WHEN 'end' THEN 'account_end' ELSE f.field END,
           CASE f.field
               WHEN 'name' THEN health_internal.canonical_text(f.expression, f.type, coalesce(document ->> 'time_zone', 'UTC'))
               -- -infinity: since ever, as without a date.
               WHEN 'start' THEN format('nullif(%s, DATE ''-infinity'')', health_internal.local_day(f.expression, f.type,
                                        document #>> '{accounts,time_zone}', coalesce(document ->> 'time_zone', 'UTC')))
               WHEN 'end' THEN format('nullif(%s, DATE ''infinity'')', health_internal.local_day(f.expression, f.type,
                                      document #>> '{accounts,time_zone}', coalesce(document ->> 'time_zone', 'UTC')))
               WHEN 'seats' THEN format('health_internal.usable_seats((%s)::pg_catalog.float8)', f.expression)
               ELSE f.expression
           END
    FROM unnest(fields) AS f
    WHERE f.source = 'columns' OR f.source = 'accounts' AND f.field IN ('id', 'name', 'start', 'end', 'seats')
    UNION ALL
    SELECT 'as_of', 'clock.as_of';
$$;
COMMENT ON FUNCTION health_internal.account_attributes(jsonb, health_internal.model_field[]) IS
    'Logical names of an account: account_id, account_name, account_start, account_end, seats, the extra columns and as_of';

CREATE FUNCTION health_internal.signal_fields(document jsonb, fields health_internal.model_field[])
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info health_internal.source_info;
    names text[];
    attributes text;
    scope text;
    input record;
    field health_internal.model_field;
BEGIN
    SELECT f.from_item, f.expression, ARRAY(SELECT pg_catalog.json_array_elements_text(f.hint::json))
    INTO info.from_item, info.label, info.column_names
    FROM pg_catalog.unnest(fields) AS f WHERE f.source = 'accounts' AND f.field = 'from';
    SELECT pg_catalog.array_agg(a.name), pg_catalog.string_agg(pg_catalog.format('%s AS %I', a.expression, a.name), ', '),
           pg_catalog.string_agg(pg_catalog.format('attr.%I', a.name), ', ')
    INTO names, attributes, scope
    FROM health_internal.account_attributes(document, fields) AS a;
    info.from_item := pg_catalog.format('%s CROSS JOIN LATERAL (SELECT %s) AS attr', info.from_item, attributes);
    info.column_names := names || ARRAY(SELECT c FROM pg_catalog.unnest(info.column_names) AS c WHERE c <> ALL (names));

    FOR input IN SELECT i.*, pg_catalog.jsonb_path_query_first(document, ('$.' || i.path)::jsonpath) #>> '{normalize,kind}' AS normalizer
                 FROM health.model_inputs(document) AS i ORDER BY i."position"
    LOOP
        IF input.segment IS NOT NULL THEN
            RETURN NEXT health_internal.segment_field(info, names, input.path, input.segment);
        END IF;
        IF input.kind = 'metric' THEN
            CONTINUE;
        ELSIF input.kind = 'pulse' THEN    -- from the catalog: there is nothing that could be wrong
            field := NULL;
            field.source := input.path;
            field.field := 'value';
            field.path := input.path || '.pulse';
            field.type := 'text';
            RETURN NEXT field;
            CONTINUE;
        END IF;
        IF input.kind = 'query' THEN
            RETURN QUERY SELECT q.* FROM health_internal.query_signal_fields(input.path, input.source, input.optional) AS q;
            CONTINUE;
        END IF;
        IF input.kind = 'column' AND input.source = ANY (names) THEN
            field := ROW(input.path, 'value', input.path || '.column', info.from_item, pg_catalog.format('attr.%I', input.source),
                         NULL, NULL, NULL, NULL);
            field.type := health_internal.expression_type(field.expression, info.from_item);
            SELECT t.problem, t.hint, '22023' INTO field.problem, field.hint, field.code FROM health_internal.type_problem(field.type,
                'signal') AS t;
        ELSIF input.kind = 'column' THEN
            field := health_internal.inspect_field(info, input.path, 'value', input.path || '.column', pg_catalog.to_jsonb(input.source),
                'signal');
        ELSE
            field := health_internal.inspect_field(info, input.path, 'value', input.path || '.expression',
                                          pg_catalog.jsonb_build_object('sql', input.source), 'signal', scope);
            field.path := input.path || '.expression';
        END IF;
        IF field.problem IS NULL AND input.normalizer IS DISTINCT FROM 'map'
           AND (SELECT t.typcategory FROM pg_catalog.pg_type AS t WHERE t.oid = field.type::oid) IN ('S', 'E') THEN
            field.problem := pg_catalog.format('is %s; only a "map" normalizer takes categories', field.type);
            field.hint := 'Use {"kind": "map", "map": {"category": score}}, or turn it into a number.';
        END IF;
        IF input.optional AND field.code IN ('42703', '42P01') AND field.problem IS NOT NULL THEN
            field.expression := 'NULL::pg_catalog.text';
            field.type := NULL;
            field.problem := NULL;
        END IF;
        RETURN NEXT field;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.signal_fields(jsonb, health_internal.model_field[]) IS
    'Fields of the column, expression, query and pulse signals, in the order of model_inputs';

CREATE FUNCTION health_internal.segment_field(info health_internal.source_info, names text[], signal_path text, segment text)
    RETURNS health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    field health_internal.model_field;
BEGIN
    IF segment = ANY (names) THEN
        field := ROW(signal_path, 'segment', signal_path || '.normalize.segment', info.from_item, pg_catalog.format('attr.%I', segment),
                     NULL, NULL, NULL, NULL);
        field.type := health_internal.expression_type(field.expression, info.from_item);
        SELECT t.problem, t.hint, '22023' INTO field.problem, field.hint, field.code
        FROM health_internal.type_problem(field.type, 'segment') AS t;
    ELSE
        field := health_internal.inspect_field(info, signal_path, 'segment', signal_path || '.normalize.segment',
            pg_catalog.to_jsonb(segment), 'segment');
    END IF;
    RETURN field;
END;
$$;
COMMENT ON FUNCTION health_internal.segment_field(health_internal.source_info, text[], text, text) IS
    'The column by which a percentile normalizer groups its peers';

CREATE FUNCTION health_internal.query_signal_fields(signal_path text, query text, optional boolean)
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info health_internal.source_info := health_internal.describe_source(pg_catalog.jsonb_build_object('query', query));
    columns integer := pg_catalog.cardinality(info.column_names);
    field health_internal.model_field;
    part record;
BEGIN
    field.source := signal_path;
    field.path := signal_path || '.query';
    field.code := '22023';
    IF info.problem IS NULL AND columns NOT IN (2, 3) THEN
        info.problem := pg_catalog.format('returns %s columns', columns);
        info.hint := 'Return the account id, the value and, if there is one, the date it was observed.';
        info.code := '22023';
    END IF;
    IF optional AND info.code IN ('42703', '42P01') THEN
        field.field := 'value';
        field.expression := 'NULL::pg_catalog.text';
        RETURN NEXT field;
        RETURN;
    END IF;
    IF info.problem IS NOT NULL THEN
        field.field := 'value';
        field.problem := info.problem;
        field.hint := info.hint;
        field.code := info.code;
        RETURN NEXT field;
        RETURN;
    END IF;
    field.from_item := pg_catalog.format(E'(%s\n) AS src (account_id, value%s)', health_internal.trim_statement(query),
                                         CASE columns WHEN 3 THEN ', observed' ELSE '' END);
    FOR part IN SELECT * FROM (VALUES ('account_id', 'id'), ('value', 'signal'), ('observed', 'time')) AS p (name,
        accepts) LIMIT columns LOOP
        field.field := part.name;
        field.expression := 'src.' || part.name;
        field.type := health_internal.expression_type(field.expression, field.from_item);
        SELECT t.problem, t.hint INTO field.problem, field.hint FROM health_internal.type_problem(field.type, part.accepts) AS t;
        IF field.problem IS NOT NULL THEN
            field.problem := pg_catalog.format('its %s %s', part.name, field.problem);
        END IF;
        RETURN NEXT field;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.query_signal_fields(text, text, boolean) IS
    'Account, value and, if given, observation date of a query signal';

-- accounts.id stands in the views as it is; its key is compiled where it is compared.
CREATE FUNCTION health_internal.account_form(fields health_internal.model_field[]) RETURNS health_internal.id_form
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.shared_form(ARRAY(
        SELECT f.type FROM pg_catalog.unnest(fields) AS f
        WHERE (f.source = 'accounts' AND f.field = 'id' OR f.field IN ('account', 'account_id') AND f.source <> 'columns')
          AND f.type IS NOT NULL));
END;
COMMENT ON FUNCTION health_internal.account_form(health_internal.model_field[]) IS
    'The form in which account ids of all sources are compared';

CREATE FUNCTION health_internal.user_form(fields health_internal.model_field[]) RETURNS health_internal.id_form
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.shared_form(ARRAY(
        SELECT f.type FROM pg_catalog.unnest(fields) AS f
        WHERE (f.field = 'user' AND f.source <> 'columns' OR f.source = 'users' AND f.field = 'id') AND f.type IS NOT NULL));
END;
COMMENT ON FUNCTION health_internal.user_form(health_internal.model_field[]) IS 'The form in which user ids of all sources are compared';

-- src/core/ledger/markers.hpp has the same rule. An event without a name stays one.
CREATE FUNCTION health_internal.compile_actor_event(event text, actor text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN actor IS NULL THEN event ELSE pg_catalog.format(
        'CASE WHEN coalesce(nullif((%2$s)::pg_catalog.text, ''''), ''human'') = ''human'' OR %1$s::pg_catalog.text = '''' THEN '
            '%1$s::pg_catalog.text '
        'ELSE ''$'' || pg_catalog.translate((%2$s)::pg_catalog.text, ''/'', ''_'') || ''/'' || %1$s::pg_catalog.text END', event, actor)
            END;
END;
COMMENT ON FUNCTION health_internal.compile_actor_event(text, text) IS
    'SQL of the name of an event in the ledger: with who acts before it, unless that is a human';

-- Local days for the name of an event, by what PostgreSQL has: capture takes functions of ours for code of a user. None fails; times near
-- the ends of all times are infinite, NULL is -infinity.
CREATE FUNCTION health_internal.compile_plain_day(moment text, type regtype, source_zone text, model_zone text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('CASE WHEN %1$s > %2$s ''294000-01-01 00:00:00+00'' THEN DATE ''infinity'' '
                  'WHEN %1$s > %2$s ''4713-01-01 00:00:00+00 BC'' THEN %3$s ELSE DATE ''-infinity'' END',
        moment, format_type(type, -1),
        CASE WHEN type = 'timestamptz'::regtype THEN format('(%s AT TIME ZONE %L)::pg_catalog.date', moment, model_zone)
             WHEN type = 'timestamp'::regtype AND source_zone IS NOT NULL
                 THEN format('(%s AT TIME ZONE %L AT TIME ZONE %L)::pg_catalog.date', moment, source_zone, model_zone)
             ELSE format('%s::pg_catalog.date', moment) END);
$$;
COMMENT ON FUNCTION health_internal.compile_plain_day(text, regtype, text, text) IS
    'SQL of the model''s local day of a time of an event source, which never fails and uses built-in functions only';

-- src/core/ledger/markers.hpp has the same rule. Infinity: never known. What is guarded costs much, and is asked once.
CREATE FUNCTION health_internal.compile_known_event(event text, occurred health_internal.model_field,
    known health_internal.model_field, source_zone text, model_zone text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN guarded THEN format('(SELECT %s FROM (SELECT %s AS event, %s AS occurred, %s AS known OFFSET 0) AS one)', name.sql,
        event, occurred.expression, known.expression) ELSE name.sql END
    FROM (SELECT concat(event, occurred.expression, known.expression) LIKE '%health\_internal.try\_value(%') AS g (guarded),
         LATERAL (SELECT CASE WHEN guarded THEN 'one.event' ELSE event END,
                         CASE WHEN guarded THEN 'one.occurred' ELSE occurred.expression END,
                         CASE WHEN guarded THEN 'one.known' ELSE known.expression END) AS x (named, happened, learned),
         LATERAL (SELECT format('CASE WHEN %1$s = %2$s ''4714-11-24 00:00:00+00 BC'' THEN '''' '
                  'WHEN (%4$s) > (%3$s) AND pg_catalog.isfinite(%3$s) AND %5$s::pg_catalog.text <> '''' '
                  'THEN ''$/'' || CASE WHEN pg_catalog.isfinite(%4$s) THEN (%4$s) - (%3$s) ELSE 2147483647 END::pg_catalog.text '
                  '|| ''/'' || %5$s::pg_catalog.text ELSE %5$s::pg_catalog.text END',
                  x.learned, format_type(known.type, -1),
                  health_internal.compile_plain_day(x.happened, occurred.type, source_zone, model_zone),
                  health_internal.compile_plain_day(x.learned, known.type, source_zone, model_zone), x.named)) AS name (sql);
$$;
COMMENT ON FUNCTION health_internal.compile_known_event(text, health_internal.model_field, health_internal.model_field, text, text) IS
    'SQL of the name of an event in the ledger: with how many days later than its own it became known before it, if it did';

CREATE FUNCTION health_internal.with_keys(document jsonb, fields health_internal.model_field[])
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts CONSTANT health_internal.id_form := health_internal.account_form(fields);
    users CONSTANT health_internal.id_form := health_internal.user_form(fields);
    field health_internal.model_field;
BEGIN
    FOREACH field IN ARRAY fields LOOP
        IF field.type IS NULL OR field.problem IS NOT NULL OR field.source = 'columns' THEN
            NULL;
        ELSIF field.field = 'user' OR field.source = 'users' AND field.field = 'id' THEN
            field.expression := health_internal.compile_key(field.expression, field.type, users);
        ELSIF field.field IN ('account', 'account_id') THEN
            field.expression := health_internal.compile_key(field.expression, field.type, accounts);
        ELSIF field.field = 'event' THEN
            field.expression := health_internal.compile_actor_event(
                health_internal.compile_key(field.expression, field.type,
                    ROW('text', health_internal.is_citext(field.type))::health_internal.id_form),
                (SELECT f.expression FROM pg_catalog.unnest(fields) AS f
                 WHERE f.source = field.source AND f.field = 'actor' AND f.problem IS NULL));
            field.expression := coalesce((
                SELECT health_internal.compile_known_event(field.expression, o, k, s.source ->> 'time_zone',
                    coalesce(document ->> 'time_zone', 'UTC'))
                FROM pg_catalog.unnest(fields) AS o, pg_catalog.unnest(fields) AS k, health_internal.event_sources(document) AS s
                WHERE o.source = field.source AND o.field = 'occurred_at' AND o.problem IS NULL AND k.source = field.source
                    AND k.field = 'known_at' AND k.problem IS NULL AND s.path = field.source), field.expression);
        END IF;
        RETURN NEXT field;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.with_keys(jsonb, health_internal.model_field[]) IS
    'Fields with ids and names of events as keys: users, accounts of users, events and query signals';

CREATE FUNCTION health_internal.model_fields(document jsonb, as_of date DEFAULT NULL, guarded boolean DEFAULT true,
    keyed boolean DEFAULT true) RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts health_internal.model_field[];
    others health_internal.model_field[];
    signals health_internal.model_field[];
BEGIN
    RETURN QUERY SELECT z.* FROM health_internal.zone_problem(document ->> 'time_zone', 'time_zone') AS z;
    IF FOUND THEN
        RETURN;    -- nothing that depends on the day can be typed
    END IF;
    accounts := ARRAY(SELECT f FROM health_internal.sources(document) AS s,
                          LATERAL health_internal.fields_of_source(document, s.kind, s.path, s.source, as_of, guarded) AS f
                              WHERE s.kind = 'accounts');
    others := ARRAY(SELECT f FROM health_internal.sources(document) AS s,
                        LATERAL health_internal.fields_of_source(document, s.kind, s.path, s.source, as_of, guarded) AS f
                            WHERE s.kind <> 'accounts');
    -- Signals stand on the account source and on a sound shape: while either is wrong, nothing useful can be said about them.
    IF EXISTS (SELECT 1 FROM pg_catalog.unnest(accounts) AS f WHERE f.field = 'from')
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(accounts) AS f WHERE f.problem IS NOT NULL)
       AND NOT EXISTS (SELECT 1 FROM health.model_problems(document) AS p) THEN
        signals := ARRAY(SELECT f FROM health_internal.signal_fields(document, accounts) AS f);
    END IF;
    IF keyed THEN
        RETURN QUERY SELECT f.* FROM health_internal.with_keys(document, accounts || others || signals) AS f;
    ELSE
        RETURN QUERY SELECT f.* FROM pg_catalog.unnest(accounts || others || signals) AS f;
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.model_fields(jsonb, date, boolean, boolean) IS
    'Every field of every source of a complete document: expression and type, or problem and hint. guarded: expressions that fail for '
    'no row; keyed: ids and names of events as keys';
-- Usage in compiled SQL: keys of ids, rows of events, rosters, and the ledger of each account that they come to.

CREATE FUNCTION health_internal.id_cast(kind text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE kind WHEN 'bigint' THEN '::pg_catalog.int8' WHEN 'uuid' THEN '' ELSE '::pg_catalog.text' END;
END;
COMMENT ON FUNCTION health_internal.id_cast(text) IS 'The cast of a key to the one type that ids of its kind have in ledgers';

CREATE FUNCTION health_internal.user_cast(fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.id_cast((health_internal.user_form(fields)).kind);
END;
COMMENT ON FUNCTION health_internal.user_cast(health_internal.model_field[]) IS
    'The cast to the one type of user ids that all sources share: bigint, uuid, else text';

CREATE FUNCTION health_internal.field_of(fields health_internal.model_field[], source text, field text) RETURNS health_internal.model_field
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT f FROM pg_catalog.unnest(fields) AS f WHERE f.source = field_of.source AND f.field = field_of.field LIMIT 1;
END;
COMMENT ON FUNCTION health_internal.field_of(health_internal.model_field[], text, text) IS
    'One field of a source; NULL when the document does not give it';

CREATE FUNCTION health_internal.compile_account_key(fields health_internal.model_field[], expression text) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.compile_key(expression, (health_internal.field_of(fields, 'accounts', 'id')).type,
                                       health_internal.account_form(fields));
END;
COMMENT ON FUNCTION health_internal.compile_account_key(health_internal.model_field[], text) IS
    'SQL of the key of an account id of the type that accounts.id has';

-- Capture can do without to_moment: it counts a row whose time fails as a bad one, and would take a function of ours for code of a user.
CREATE FUNCTION health_internal.compile_moment(occurred health_internal.model_field, source_zone text, captured boolean) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN occurred.type <> 'timestamp'::regtype THEN occurred.expression
                WHEN source_zone IS NULL THEN format('%s::pg_catalog.date', occurred.expression)
                ELSE format(CASE WHEN captured THEN '(%s AT TIME ZONE %L)' ELSE 'health_internal.to_moment(%s, %L)' END,
                            occurred.expression, source_zone) END;
$$;
COMMENT ON FUNCTION health_internal.compile_moment(health_internal.model_field, text, boolean) IS
    'SQL of the time of an event: timestamptz, or date for a date and for a timestamp without a time zone of its source';

-- The clock of the local days of an event source: NULL when its times are dates.
CREATE FUNCTION health_internal.moment_zone(occurred health_internal.model_field, source_zone text, model_zone text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN occurred.type = 'timestamptz'::regtype OR occurred.type = 'timestamp'::regtype AND source_zone IS NOT NULL
        THEN model_zone END;
$$;
COMMENT ON FUNCTION health_internal.moment_zone(health_internal.model_field, text, text) IS
    'The time zone of the local days of an event source; NULL when its times are dates';

-- Rows of one event source with the names account_id, user_id, event_name, occurred_at, amount. A source without an account gets it
-- from the user source; the event of a user with several accounts counts in each.
CREATE FUNCTION health_internal.compile_event_rows(fields health_internal.model_field[], path text, source_zone text, account_cast text,
    user_cast text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    occurred health_internal.model_field := health_internal.field_of(fields, path, 'occurred_at');
    condition text := (health_internal.field_of(fields, path, 'filter')).expression;
    event_rows text;
BEGIN
    event_rows := pg_catalog.format(
        'SELECT %s AS account_id, %s%s AS user_id, %s::pg_catalog.text AS event_name, %s AS occurred_at, '
        '%s::pg_catalog.float8 AS amount FROM %s%s',
        coalesce((health_internal.field_of(fields, path, 'account')).expression || account_cast, 'NULL::pg_catalog.text'),
        (health_internal.field_of(fields, path, 'user')).expression, user_cast,
        (health_internal.field_of(fields, path, 'event')).expression, health_internal.compile_moment(occurred, source_zone, false),
        coalesce((health_internal.field_of(fields, path, 'amount')).expression, 'NULL'),
        (health_internal.field_of(fields, path, 'from')).from_item,
        CASE WHEN condition IS NULL THEN '' ELSE ' WHERE ' || condition END);
    IF (health_internal.field_of(fields, path, 'account')).expression IS NULL THEN
        event_rows := pg_catalog.format(
            'SELECT member.account_id, o.user_id, o.event_name, o.occurred_at, o.amount FROM (%s) AS o '
            'LEFT JOIN (SELECT %s%s AS account_id, %s%s AS user_id FROM %s) AS member ON member.user_id = o.user_id',
            event_rows, (health_internal.field_of(fields, 'users', 'account')).expression, account_cast,
            (health_internal.field_of(fields, 'users', 'id')).expression, user_cast,
                (health_internal.field_of(fields, 'users', 'from')).from_item);
    END IF;
    RETURN event_rows;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_event_rows(health_internal.model_field[], text, text, text, text) IS
    'SQL of the rows of one event source, uniformly named';

CREATE FUNCTION health_internal.compile_excluded_users(fields health_internal.model_field[], user_cast text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.format('SELECT %s%s AS user_id FROM %s WHERE %s%s',
        (health_internal.field_of(fields, 'users', 'id')).expression, user_cast,
            (health_internal.field_of(fields, 'users', 'from')).from_item,
        (health_internal.field_of(fields, 'users', 'exclude')).expression, health_internal.fence())
    WHERE (health_internal.field_of(fields, 'users', 'exclude')).expression IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.compile_excluded_users(health_internal.model_field[], text) IS
    'SQL of the ids of the users whose events do not count; NULL without a condition';

-- The user table travels in the ledger as lifecycle markers. A user without a joining date was always there: year 1; or, where invitations
-- are known, is not there yet.
CREATE FUNCTION health_internal.compile_roster(fields health_internal.model_field[], document jsonb, user_cast text, restriction text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    zone text := coalesce(document ->> 'time_zone', 'UTC');
    source_zone text := document #>> '{users,time_zone}';
    account health_internal.model_field := health_internal.field_of(fields, 'users', 'account');
    mark health_internal.model_field;
    days text := '';
    markers text := '';
    conditions text := '';
    marker text;
BEGIN
    IF account.expression IS NULL THEN
        RETURN NULL;
    END IF;
    FOREACH marker IN ARRAY ARRAY['joined', 'deactivated', 'invited'] LOOP
        mark := health_internal.field_of(fields, 'users', marker);
        IF mark.expression IS NOT NULL THEN
            days := days || pg_catalog.format(', %s AS %s',
                health_internal.local_day(mark.expression, mark.type, source_zone, zone), marker);
        ELSIF marker = 'joined' THEN
            days := days || ', NULL::pg_catalog.date AS joined';
        ELSE
            CONTINUE;
        END IF;
        -- Many write infinity for "has not happened", which is no event, and -infinity for "since ever": who has left since ever
        -- never was there. Where there are invitations, who has no day of joining has not joined.
        markers := markers || pg_catalog.format(CASE marker WHEN 'joined'
            THEN '(%1$L, CASE WHEN r.%2$s > DATE ''-infinity''%3$s THEN r.%2$s%4$s ELSE DATE ''0001-01-01'' END)'
            ELSE ', (%1$L, CASE r.%2$s WHEN DATE ''-infinity'' THEN DATE ''0001-01-01'' ELSE r.%2$s END)' END, '$' || marker, marker,
            CASE WHEN (health_internal.field_of(fields, 'users', 'deactivated')).expression IS NOT NULL
                 THEN ' AND r.deactivated IS DISTINCT FROM DATE ''-infinity''' END,
            CASE WHEN (health_internal.field_of(fields, 'users', 'invited')).expression IS NOT NULL
                 AND (health_internal.field_of(fields, 'users', 'joined')).expression IS NOT NULL
                 THEN ' WHEN r.joined IS NULL THEN NULL' END);
    END LOOP;
    conditions := coalesce(' AND ' || (health_internal.field_of(fields, 'users', 'filter')).expression, '')
               || coalesce(' AND ' || (health_internal.field_of(fields, 'users', 'exclude')).expression || ' IS NOT TRUE', '');
    RETURN pg_catalog.format(
        'SELECT r.account_id, health_internal.lenient_usage_agg(r.user_id, m.event_name, m.day) AS usage '
        'FROM (SELECT %s AS account_id, %s%s AS user_id%s FROM %s WHERE true%s) AS r '
        'CROSS JOIN LATERAL (VALUES %s) AS m (event_name, day) WHERE r.account_id IS NOT NULL%s GROUP BY 1',
        account.expression, (health_internal.field_of(fields, 'users', 'id')).expression, user_cast, days,
        (health_internal.field_of(fields, 'users', 'from')).from_item, conditions, markers,
            coalesce(' AND r.account_id' || restriction, ''));
END;
$$;
COMMENT ON FUNCTION health_internal.compile_roster(health_internal.model_field[], jsonb, text, text) IS
    'SQL of the lifecycle markers of the user source; NULL without accounts of users';

-- The aggregate over event rows e, with the clock of their local days.
CREATE FUNCTION health_internal.compile_usage_agg(source jsonb, zone text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('health_internal.lenient_usage_agg(e.user_id, e.event_name, e.occurred_at%s%s)',
                             CASE WHEN source ? 'amount' THEN ', e.amount' ELSE '' END,
                             CASE WHEN zone IS NULL THEN '' ELSE pg_catalog.format(', %L', zone) END);
END;
COMMENT ON FUNCTION health_internal.compile_usage_agg(jsonb, text) IS
    'SQL of the ledger of event rows e of a source, by local days of the zone (NULL: their times are dates)';

-- Where an account's usage comes from: the events themselves, the ledgers of a tracked model (chunks: path -> table), or the user source
-- alone.
CREATE FUNCTION health_internal.compile_usage(fields health_internal.model_field[], document jsonb, restriction text,
    usage_from text, chunks jsonb)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    zone text := coalesce(document ->> 'time_zone', 'UTC');
    user_cast text := health_internal.user_cast(fields);
    excluded text := health_internal.compile_excluded_users(fields, user_cast);
    parts text[] := ARRAY[]::text[];
    roster text := health_internal.compile_roster(fields, document, user_cast, restriction);
    events record;
BEGIN
    IF usage_from = 'roster' THEN
        RETURN roster;
    END IF;
    FOR events IN SELECT e.path, e.source FROM health_internal.event_sources(document) AS e LOOP
        parts := parts || CASE usage_from WHEN 'ledger' THEN
            pg_catalog.format('SELECT c.account_id, c.usage FROM %s AS c%s', chunks ->> events.path,
                coalesce(' WHERE c.account_id' || restriction, ''))
        ELSE
            pg_catalog.format('SELECT e.account_id, %s AS usage FROM (%s) AS e WHERE e.account_id IS NOT NULL%s%s GROUP BY 1',
                health_internal.compile_usage_agg(events.source,
                    health_internal.moment_zone(health_internal.field_of(fields, events.path, 'occurred_at'),
                                                                           events.source ->> 'time_zone', zone)),
                health_internal.compile_event_rows(fields, events.path, events.source ->> 'time_zone', '', user_cast),
                coalesce(' AND e.account_id' || restriction, ''),
                CASE WHEN excluded IS NULL THEN '' ELSE pg_catalog.format(' AND NOT EXISTS (SELECT 1 FROM (%s) AS excluded WHERE '
                    'excluded.user_id = e.user_id)', excluded) END)
        END;
    END LOOP;
    parts := pg_catalog.array_remove(parts || roster, NULL);
    -- Ledgers keep everybody: who is excluded is asked when they are read.
    RETURN CASE
        WHEN pg_catalog.cardinality(parts) = 0 THEN NULL
        WHEN pg_catalog.cardinality(parts) = 1 AND usage_from = 'events' THEN parts[1]
        ELSE pg_catalog.format('SELECT p.account_id, %s AS usage FROM (%s) AS p GROUP BY 1',
            CASE WHEN usage_from = 'ledger' AND excluded IS NOT NULL
                 THEN pg_catalog.format('health.without_users(health.rollup(p.usage), ARRAY(SELECT x.user_id::pg_catalog.text FROM (%s) '
                     'AS x WHERE x.user_id IS NOT NULL))', excluded)
                 ELSE 'health.rollup(p.usage)' END,
            pg_catalog.array_to_string(parts, ' UNION ALL '))
    END;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_usage(health_internal.model_field[], jsonb, text, text, jsonb) IS
    'SQL of account_id and usage: every event source (events: from its rows, ledger: from its chunks) and the user source folded into one '
        'ledger per '
    'account, or the user source alone (roster); NULL without such sources. restriction: '' = literal'' for one account, NULL for all';
-- Overrides and pulses in compiled SQL: read from the catalog by what runs as the owner of the model; a plain view, which runs as its
-- reader, has them as literals.

-- No name here is one that a document could use.
CREATE FUNCTION health_internal.compile_overrides(model_name text, as_literals boolean, account text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    made CONSTANT text := format(
        'SELECT o.account, pg_catalog.array_agg(ROW(o.kind, o.value, o.from_day, o.expires, o.ended, o.owner, o.reason)'
        '::health.score_override ORDER BY o.number) AS overrides FROM health_internal.score_override AS o WHERE o.model = %L GROUP BY 1',
        model_name);
    rows text;
BEGIN
    IF as_literals THEN
        EXECUTE format('SELECT string_agg(format(''(%%L::pg_catalog.text, %%L::health.score_override[])'', m.account, m.overrides), '', '' '
                       'ORDER BY m.account) FROM (%s) AS m', made) INTO rows;
        rows := format('(VALUES %s) AS overridden (account, overrides)',
                       coalesce(rows, '(NULL::pg_catalog.text, NULL::health.score_override[])'));
    ELSE
        rows := format('(%s%s) AS overridden', made, health_internal.fence());
    END IF;
    RETURN format(' LEFT JOIN %s ON overridden.account = %s', rows, account);
END;
$$;
COMMENT ON FUNCTION health_internal.compile_overrides(text, boolean, text) IS
    'SQL that joins, as overridden.overrides, what was ever decided about the score of the account with that text';

-- As compile_query_signal() has answers. Of several on one day the last stands.
CREATE FUNCTION health_internal.compile_pulses(model_name text, as_literals boolean) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    given CONSTANT text := format(
        'SELECT d.account AS "answers of", pg_catalog.array_agg(d.value ORDER BY d.day) AS "values of answers", '
        'pg_catalog.array_agg(d.day ORDER BY d.day) AS "days of answers" FROM (SELECT DISTINCT ON (1, 2) p.account, p.day, '
        'pg_catalog.concat(p.value, '' by '', p.owner, '': '' || p.note) AS value FROM health_internal.csm_pulse AS p WHERE p.model = %L '
        'ORDER BY 1, 2, p.number DESC) AS d GROUP BY 1', model_name);
    rows text;
BEGIN
    IF NOT as_literals THEN
        RETURN given;
    END IF;
    EXECUTE format('SELECT string_agg(format(''(%%L::pg_catalog.text, %%L::pg_catalog.text[], %%L::pg_catalog.date[])'', '
                   'g."answers of", g."values of answers", g."days of answers"), '', '' ORDER BY g."answers of") '
                   'FROM (%s) AS g', given) INTO rows;
    RETURN format('SELECT * FROM (VALUES %s) AS g ("answers of", "values of answers", "days of answers")',
                  coalesce(rows, '(NULL::pg_catalog.text, NULL::pg_catalog.text[], NULL::pg_catalog.date[])'));
END;
$$;
COMMENT ON FUNCTION health_internal.compile_pulses(text, boolean) IS
    'SQL of a pulse signal: one row per account with its pulses and their days, each as "2 by maria: note"';
-- Inputs in compiled SQL: column, expression and query signals, on earlier days too; and which expression it was that failed.

-- All answers of an account in the order of their days, one per day: of several the highest, so that the outcome never depends on row
-- order. One without a date was always there, one of infinity is not there yet. No name here is one that a
-- column of the account table could have: expressions see them.
CREATE FUNCTION health_internal.compile_query_signal(fields health_internal.model_field[], signal_path text, document jsonb)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.format(
        'SELECT answer.account_id AS "answers of", pg_catalog.array_agg(answer.value ORDER BY answer.day) AS "values of answers", '
        'pg_catalog.array_agg(answer.day ORDER BY answer.day) AS "days of answers" '
        'FROM (SELECT DISTINCT ON (1, 2) %1$s AS account_id, coalesce(%2$s, ''-infinity'') AS day, src.value FROM %3$s '
        'WHERE %2$s IS DISTINCT FROM DATE ''infinity'' ORDER BY 1, 2, 3 DESC NULLS LAST) AS answer GROUP BY 1',
        (health_internal.field_of(fields, signal_path, 'account_id')).expression,
        CASE WHEN (health_internal.field_of(fields, signal_path, 'observed')).expression IS NULL THEN 'NULL::pg_catalog.date'
             ELSE health_internal.local_day((health_internal.field_of(fields, signal_path, 'observed')).expression,
                                   (health_internal.field_of(fields, signal_path, 'observed')).type, NULL,
                                       coalesce(document ->> 'time_zone', 'UTC'))
        END,
        (health_internal.field_of(fields, signal_path, 'account_id')).from_item);
$$;
COMMENT ON FUNCTION health_internal.compile_query_signal(health_internal.model_field[], text, jsonb) IS
    'SQL of a query signal: one row per account with its answers and their days';

-- The last answer before the day of the clock that is in scope. If all are later, the first of them, whose date says since when the
-- signal is known.
CREATE FUNCTION health_internal.compile_answer("position" integer, OUT value text, OUT observed text)
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('(q%s."values of answers")[%s]', a."position", a.last),
           pg_catalog.format('nullif((q%s."days of answers")[%s], ''-infinity'')', a."position", a.last)
    FROM (SELECT "position",
                 pg_catalog.format('greatest(pg_catalog.width_bucket(clock.as_of - 1, q%s."days of answers"), 1)',
                     "position")) AS a ("position", last);
END;
COMMENT ON FUNCTION health_internal.compile_answer(integer) IS
    'SQL of value and date of the answer of a query signal that stands on the day of the clock';

-- Inputs change with the date when an expression mentions as_of or when a query signal has dates.
CREATE FUNCTION health_internal.has_dated_inputs(fields health_internal.model_field[], document jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT 1 FROM unnest(fields) AS f WHERE f.field = 'observed' AND f.source LIKE 'signals%')
        OR EXISTS (SELECT 1 FROM jsonb_path_query(document, 'strict $.accounts.**.sql') AS a (expression)
                   WHERE a.expression #>> '{}' ~* '\mas_of\M')
        OR EXISTS (SELECT 1 FROM health.model_inputs(document) AS i
                   WHERE i.kind = 'pulse' OR i.kind = 'expression' AND i.source ~* '\mas_of\M');
$$;
COMMENT ON FUNCTION health_internal.has_dated_inputs(health_internal.model_field[], jsonb) IS
    'Whether the inputs of a model are others on other days';

-- The same expressions once more for each earlier day: their clock is the inner one. It stands before everything but the source and
-- the answers, so that expressions find no other names than where they were checked.
CREATE FUNCTION health_internal.compile_past_inputs(days integer, step integer, attributes text, value_list text, inputs text,
    observed text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        ' CROSS JOIN LATERAL (SELECT pg_catalog.array_agg(ARRAY[%1$s]::pg_catalog.text[]) AS "past inputs", '
        'pg_catalog.array_agg(ARRAY[%2$s]::pg_catalog.date[]) AS "past observed" '
        'FROM (SELECT clock.as_of - earlier.days AS as_of FROM pg_catalog.generate_series(%3$s, %4$s, %3$s) AS earlier (days)) '
        'AS clock CROSS JOIN LATERAL (SELECT %5$s) AS attr CROSS JOIN LATERAL (SELECT %6$s) AS sig) AS past',
        inputs, observed, step, days, attributes, value_list);
END;
COMMENT ON FUNCTION health_internal.compile_past_inputs(integer, integer, text, text, text, text) IS
    'SQL of the inputs of every step-th of so many earlier days as an array with a row per day, the latest first';

CREATE FUNCTION health_internal.raise_field_problem(field health_internal.model_field) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF field.hint IS NULL THEN
        RAISE EXCEPTION '%: %', field.path, field.problem USING ERRCODE = field.code;
    END IF;
    RAISE EXCEPTION '%: %', field.path, field.problem USING ERRCODE = field.code, HINT = field.hint;
END;
$$;
COMMENT ON FUNCTION health_internal.raise_field_problem(health_internal.model_field) IS 'Raises the problem of a field as an error';

-- Whose accounts are others on other days.
CREATE FUNCTION health_internal.has_dated_filter(document jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT coalesce(document #>> '{accounts,filter}' ~* '\mas_of\M', false);
END;
COMMENT ON FUNCTION health_internal.has_dated_filter(jsonb) IS 'Whether accounts.filter mentions as_of';

-- The clock of the expression is the inner one: see compile_past_inputs.
CREATE FUNCTION health_internal.compile_wanted_on(fields health_internal.model_field[], days integer, step integer) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        ' CROSS JOIN LATERAL (SELECT pg_catalog.array_agg((%s) IS TRUE) AS "is wanted on" '
        'FROM (SELECT clock.as_of - earlier.days AS as_of FROM pg_catalog.generate_series(0, %s, %s) AS earlier (days)) AS clock) AS '
            'wanted',
        (health_internal.field_of(fields, 'accounts', 'filter')).expression, days, step);
END;
COMMENT ON FUNCTION health_internal.compile_wanted_on(health_internal.model_field[], integer, integer) IS
    'SQL that joins accounts.filter to the account source for as_of and every step-th earlier day, as the array wanted."is wanted on"';

CREATE FUNCTION health_internal.any_wanted(wanted boolean[]) RETURNS boolean[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.array_agg(d.wanted ORDER BY d.day)
    FROM (SELECT c.day, CASE WHEN pg_catalog.count(*) FILTER (WHERE wanted[r.n][c.day]) < 2 THEN pg_catalog.bool_or(wanted[r.n][c.day]) END
              AS wanted
          FROM pg_catalog.generate_subscripts(wanted, 1) AS r (n), pg_catalog.generate_subscripts(wanted, 2) AS c (day) GROUP BY 1) AS d;
END;
COMMENT ON FUNCTION health_internal.any_wanted(boolean[]) IS
    'Of rows with an element per day: whether any of them is true on each day; NULL where several are';

-- Right behind the source: there it finds the names that it was checked with, and no others.
CREATE FUNCTION health_internal.compile_wanted(fields health_internal.model_field[]) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT coalesce(' CROSS JOIN LATERAL (SELECT ' || (health_internal.field_of(fields, 'accounts', 'filter')).expression
                    || ' AS "is wanted") AS wanted', '');
END;
COMMENT ON FUNCTION health_internal.compile_wanted(health_internal.model_field[]) IS
    'SQL that joins accounts.filter to the account source, as wanted."is wanted"; empty without one';

-- "division by zero" does not say where: try the expressions one by one, under the author's search_path, and name the one that fails.
CREATE FUNCTION health_internal.raise_failing_field(model_name text, version health_internal.model_version, as_of date DEFAULT NULL,
    past_days integer DEFAULT 0)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    clock text := health_internal.model_clock(version.document, as_of);
    fields health_internal.model_field[];
    accounts text;
    wanted text;
    condition text;
    failing health_internal.model_field;
    lacking boolean;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(version.document, as_of) AS f);
    accounts := (health_internal.field_of(fields, 'accounts', 'from')).from_item;
    wanted := health_internal.compile_wanted(fields);
    -- Expressions of accounts first; a plain column of a table cannot fail.
    FOR failing IN SELECT f.* FROM pg_catalog.unnest(fields) AS f
                   WHERE f.field <> 'from' AND f.problem IS NULL AND f.from_item IS NOT NULL AND f.expression IS NOT NULL
                     AND NOT (pg_catalog.starts_with(f.expression, 'src.') AND f.from_item !~ '[)] AS src')
                   ORDER BY f.source ~ '^(users|events)'
    LOOP
        condition := CASE
            WHEN failing.field = 'filter' THEN NULL
            WHEN failing.source ~ '^(users|events)' THEN (health_internal.field_of(fields, failing.source, 'filter')).expression
            WHEN pg_catalog.starts_with(failing.from_item, accounts) AND wanted <> '' THEN 'wanted."is wanted"'
        END;
        IF condition = 'wanted."is wanted"' THEN
            failing.from_item := accounts || wanted || pg_catalog.substr(failing.from_item, pg_catalog.length(accounts) + 1);
        END IF;
        BEGIN
            EXECUTE pg_catalog.format('SELECT pg_catalog.count((%s)::pg_catalog.text) FROM %s WHERE %s', failing.expression,
                pg_catalog.replace(failing.from_item, pg_catalog.format('(SELECT %s AS as_of)', clock),
                    pg_catalog.format('(SELECT %s - earlier.days AS as_of FROM pg_catalog.generate_series(0, %s) AS earlier (days))',
                        clock, past_days)),
                coalesce(condition, 'true'));
        EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
            lacking := sqlstate = '0A000' AND health_internal.fence() <> '';
            failing.path := pg_catalog.concat_ws(': ', 'model "' || model_name || '"', failing.path);
            failing.problem := CASE WHEN lacking THEN 'Citus cannot compute it: ' ELSE '' END || sqlerrm;
            failing.code := sqlstate;
            failing.hint := CASE WHEN sqlstate = '22012' THEN 'With nullif(divisor, 0) the value is unknown instead.'
                                 WHEN lacking THEN 'What a subquery finds in distributed tables for each row is a signal with a "query" '
                                     'instead: it is asked once, for all accounts.'
                                 ELSE 'It fails for some row' || CASE WHEN past_days > 0 THEN ' on a day of the history'
                                     ELSE '' END || ': leave such rows out with a filter, or make the value NULL with CASE.' END;
            PERFORM health_internal.raise_field_problem(failing);
        END;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.raise_failing_field(text, health_internal.model_version, date, integer) IS
    'Raises the error of the first expression of a model that fails for some row, on the day or one of the past days before it, with its '
        'path; '
    'returns when all of them work';

-- What the inputs of a model come to in SQL: answers are joined to the accounts, values are computed once as s1, s2, ... of a row sig.
CREATE TYPE health_internal.compiled_inputs AS (
    answers text,
    "values" text,
    inputs text,
    observed text,
    segments text,
    raw_columns text,
    value_columns text[]
);
COMMENT ON TYPE health_internal.compiled_inputs IS 'Internal: SQL of the column, expression and query signals of a model';
COMMENT ON COLUMN health_internal.compiled_inputs.answers IS 'Joins of the query signals';
COMMENT ON COLUMN health_internal.compiled_inputs."values" IS 'List of the values, named s1, s2, ...';
COMMENT ON COLUMN health_internal.compiled_inputs.inputs IS 'List of the same as text, for scoring';
COMMENT ON COLUMN health_internal.compiled_inputs.observed IS 'List of the days that they were observed on';
COMMENT ON COLUMN health_internal.compiled_inputs.segments IS 'List of the peer groups';
COMMENT ON COLUMN health_internal.compiled_inputs.raw_columns IS
    'List of the values with the names that the view shows, each after a comma';
COMMENT ON COLUMN health_internal.compiled_inputs.value_columns IS 'These names';

-- The name of the signal, where that is taken name_value, name_value_2 and so on, cut so that PostgreSQL need not.
CREATE FUNCTION health_internal.free_column(wanted text, taken text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most CONSTANT integer := 63;
    suffix text := '';
    stem text;
    tried integer := 0;
BEGIN
    LOOP
        stem := wanted;
        WHILE octet_length(stem) + octet_length(suffix) > most LOOP
            stem := left(stem, -1);
        END LOOP;
        EXIT WHEN stem || suffix <> ALL (taken);
        tried := tried + 1;
        suffix := '_value' || CASE WHEN tried > 1 THEN '_' || tried ELSE '' END;
    END LOOP;
    RETURN stem || suffix;
END;
$$;
COMMENT ON FUNCTION health_internal.free_column(text, text[]) IS 'A name for a column with raw values that is not taken';

CREATE FUNCTION health_internal.value_columns(document jsonb) RETURNS TABLE ("position" integer, signal text, column_name text)
LANGUAGE plpgsql STABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    shown CONSTANT text[] := ARRAY(SELECT jsonb_object_keys(document #> '{accounts,columns}'));
    taken text[] := health_internal.reserved_columns() || shown;
    input record;
BEGIN
    -- A column that the view shows anyway is not repeated under the signal's name.
    FOR input IN SELECT i.* FROM health.model_inputs(document) AS i
                 WHERE i.kind <> 'metric' AND NOT (i.name = ANY (shown) AND i.source = i.name) ORDER BY i."position"
    LOOP
        "position" := input."position";
        signal := input.name;
        column_name := health_internal.free_column(input.name, taken);
        taken := taken || column_name;
        RETURN NEXT;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.value_columns(jsonb) IS
    'The columns of a score view with raw values of signals: place among the inputs, signal, name';

CREATE FUNCTION health_internal.compile_inputs(document jsonb, fields health_internal.model_field[], model_name text,
    as_literals boolean)
RETURNS health_internal.compiled_inputs
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_inputs;
    input record;
    value health_internal.model_field;
    grouped health_internal.model_field;
    id CONSTANT health_internal.model_field := health_internal.field_of(fields, 'accounts', 'id');
    seen text;
BEGIN
    SELECT coalesce(pg_catalog.array_agg(v.column_name ORDER BY v."position"), '{}') INTO compiled.value_columns
    FROM health_internal.value_columns(document) AS v;
    FOR input IN SELECT i.*, 'sig.s' || i."position" AS named, v.column_name
                 FROM health.model_inputs(document) AS i LEFT JOIN health_internal.value_columns(document) AS v USING ("position")
                 ORDER BY i."position"
    LOOP
        grouped := health_internal.field_of(fields, input.path, 'segment');
        compiled.segments := pg_catalog.concat_ws(', ', compiled.segments,
            CASE WHEN grouped.expression IS NULL THEN 'NULL'
                 ELSE health_internal.canonical_text(grouped.expression, grouped.type, coalesce(document ->> 'time_zone', 'UTC')) END);
        value := health_internal.field_of(fields, input.path, 'value');
        seen := NULL;
        IF (health_internal.field_of(fields, input.path, 'account_id')).expression IS NOT NULL THEN
            compiled.answers := pg_catalog.concat(compiled.answers, pg_catalog.format(
                ' LEFT JOIN (%s) AS q%s ON q%2$s."answers of" = %s',
                health_internal.compile_query_signal(fields, input.path, document) || health_internal.fence(), input."position",
                health_internal.compile_account_key(fields, (health_internal.field_of(fields, 'accounts', 'id')).expression)));
            SELECT a.value, a.observed INTO value.expression, seen FROM health_internal.compile_answer(input."position") AS a;
        ELSIF input.kind = 'pulse' THEN
            compiled.answers := pg_catalog.concat(compiled.answers, pg_catalog.format(
                ' LEFT JOIN (%s) AS q%s ON q%2$s."answers of" = %s',
                health_internal.compile_pulses(model_name, as_literals) || health_internal.fence(), input."position",
                health_internal.canonical_text(id.expression, id.type)));
            SELECT a.value, a.observed INTO value.expression, seen FROM health_internal.compile_answer(input."position") AS a;
        END IF;
        compiled.observed := pg_catalog.concat_ws(', ', compiled.observed, coalesce(seen, 'NULL'));
        IF input.kind = 'metric' THEN    -- here for its segment only
            compiled.inputs := pg_catalog.concat_ws(', ', compiled.inputs, 'NULL');
            CONTINUE;
        END IF;
        compiled."values" := pg_catalog.concat_ws(', ', compiled."values", pg_catalog.format('%s AS s%s', value.expression,
            input."position"));
        compiled.inputs := pg_catalog.concat_ws(', ', compiled.inputs, CASE value.type
            WHEN 'pg_catalog.bool'::regtype THEN input.named || '::pg_catalog.int4::pg_catalog.text'
            ELSE health_internal.canonical_text(input.named, value.type) END);
        IF input.column_name IS NOT NULL THEN
            compiled.raw_columns := pg_catalog.concat(compiled.raw_columns, pg_catalog.format(
                CASE WHEN input.kind = 'pulse' THEN ', pg_catalog.left(%s, 1)::pg_catalog.int4 AS %I'
                     WHEN value.type IN ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype) THEN ', nullif(%s, ''NaN'') AS %I'
                     ELSE ', %s AS %I' END, input.named, input.column_name));
        END IF;
    END LOOP;
    RETURN compiled;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_inputs(jsonb, health_internal.model_field[], text, boolean) IS
    'SQL of the inputs of a document, in the order of model_inputs; pulses are those of the model of that name';
-- As of which day a book is seen: the day that is asked for, or where tracking broke the first broken day.

CREATE FUNCTION health_internal.accepted_volume(document jsonb) RETURNS datemultirange
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN document ->> 'volume' = 'ignore' THEN '{(,)}'::datemultirange
                ELSE datemultirange(daterange((document #>> '{volume,accepted_from}')::date, (document #>> '{volume,accepted_until}')::date,
                                              '[]')) END
    WHERE document ? 'volume';
$$;
COMMENT ON FUNCTION health_internal.accepted_volume(jsonb) IS
    'The days of which volumes are taken as they are, by a document; NULL: none';

CREATE FUNCTION health_internal.counted_events(document jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT jsonb_object_keys(document -> 'catalog'))
    WHERE jsonb_typeof(document -> 'catalog') = 'object' AND document -> 'catalog' <> '{}'
      AND document ->> 'unlisted_events' IS DISTINCT FROM 'count';
$$;
COMMENT ON FUNCTION health_internal.counted_events(jsonb) IS 'The names of the events that count; NULL: all do';

-- The condition on the time is for an index: it reaches some hours further than the days.
CREATE FUNCTION health_internal.compile_volumes(document jsonb, fields health_internal.model_field[], clock text, past_days integer)
    RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format(
        'SELECT %1$L::pg_catalog.text AS source, d.event, d.day, pg_catalog.sum(d.events)::pg_catalog.int8 AS events, '
        'health_internal.common_divisor(d.divisor) AS divisor, pg_catalog.sum(d.cells)::pg_catalog.int8 AS cells, '
        'pg_catalog.sum(d.largest)::pg_catalog.int8 AS largest FROM ('
        'SELECT CASE WHEN pg_catalog.sum(pg_catalog.sum(a.n)) OVER (PARTITION BY a.event) >= health_internal.least_volume() '
        'THEN a.event END AS event, a.day, pg_catalog.sum(a.n) AS events, health_internal.common_divisor(a.divisor) AS divisor, '
        'pg_catalog.sum(a.cells) AS cells, pg_catalog.max(a.n) AS largest FROM ('
        'SELECT c.event, c.day, pg_catalog.sum(c.n) AS n, health_internal.common_divisor(c.n) AS divisor, pg_catalog.count(*) AS cells '
        'FROM (SELECT e.account_id, %6$s AS event, %2$s AS day, pg_catalog.count(*) AS n FROM (%3$s) AS e '
        'WHERE e.account_id IS NOT NULL AND e.user_id IS NOT NULL AND NOT health_internal.is_marker(e.event_name)%7$s '
        'AND health_internal.is_event(e.occurred_at, e.event_name, e.amount) '
        'AND e.occurred_at >= %4$s AND e.occurred_at < %5$s GROUP BY 1, e.user_id, 2, 3) AS c '
        'GROUP BY c.account_id, c.event, c.day) AS a GROUP BY a.event, a.day) AS d GROUP BY d.event, d.day',
        s.path, health_internal.local_day('e.occurred_at', CASE WHEN m.zone IS NULL THEN 'pg_catalog.date'::regtype
            ELSE 'pg_catalog.timestamptz'::regtype END, NULL, m.zone),
        health_internal.compile_event_rows(fields, s.path, s.source ->> 'time_zone', '', health_internal.user_cast(fields)),
        format(d.day, format('%s - %s', clock, health_internal.volume_days(past_days) + 1)), format(d.day, format('%s + 1', clock)),
        n.event,
        ' AND ' || n.event || ' = ANY (' || quote_literal(health_internal.counted_events(document)::text) || '::pg_catalog.text[])'),
        ' UNION ALL ')
    FROM health_internal.event_sources(document) AS s,
         LATERAL (SELECT health_internal.moment_zone(health_internal.field_of(fields, s.path, 'occurred_at'), s.source ->> 'time_zone',
             coalesce(document ->> 'time_zone', 'UTC'))) AS m (zone),
         LATERAL (SELECT CASE WHEN s.source ? 'known_at' THEN 'health_internal.plain_event(e.event_name)'
                              ELSE 'e.event_name' END) AS n (event),
         LATERAL (SELECT CASE WHEN m.zone IS NULL THEN '(%s)'
                              ELSE format('((%%s)::pg_catalog.timestamp AT TIME ZONE %L)', m.zone) END) AS d (day);
$$;
COMMENT ON FUNCTION health_internal.compile_volumes(jsonb, health_internal.model_field[], text, integer) IS
    'SQL of the volumes of all event sources, as many days before the clock as outages of so many past days take; NULL without sources';

CREATE FUNCTION health_internal.compile_volume_array(document jsonb, fields health_internal.model_field[], clock text, past_days integer)
    RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce('ARRAY(SELECT ROW(v.source, v.event, v.day, v.events, v.divisor, v.cells, v.largest)::health_internal.volume FROM ('
                    || health_internal.compile_volumes(document, fields, clock, past_days) || ') AS v)', 'NULL::health_internal.volume[]');
$$;
COMMENT ON FUNCTION health_internal.compile_volume_array(jsonb, health_internal.model_field[], text, integer) IS
    'SQL of the volumes of all event sources as an array; NULL without sources';

CREATE FUNCTION health_internal.compile_today(document jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('(pg_catalog.now() AT TIME ZONE %L)::pg_catalog.date', coalesce(document ->> 'time_zone', 'UTC'));
END;
COMMENT ON FUNCTION health_internal.compile_today(jsonb) IS 'SQL of the running day of a model, which is not over yet';

CREATE FUNCTION health_internal.compile_sight(document jsonb, fields health_internal.model_field[], as_of date, usage_from text,
    model_name text, past_days integer) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    clock CONSTANT text := health_internal.model_clock(document, as_of);
BEGIN
    IF usage_from = 'roster' THEN
        RETURN format('SELECT t.as_of, t.outages, t.broken FROM %s AS t', health_internal.data_table('state',
            (health_internal.find_tracking(model_name)).id));
    ELSIF usage_from = 'ledger' THEN
        RETURN (SELECT format('SELECT %L::pg_catalog.date AS as_of, %L::pg_catalog.date[] AS outages, %L::pg_catalog.text AS broken',
                              l.as_of, l.outages, l.broken)
                FROM health_internal.ledger_sight(model_name, document, coalesce(compile_sight.as_of,
                    health_internal.model_today(document)), past_days) AS l);
    ELSIF usage_from <> 'events' OR document -> 'events' IS NULL OR document ->> 'volume' = 'ignore' THEN
        RETURN format('SELECT %s AS as_of, NULL::pg_catalog.date[] AS outages, NULL::pg_catalog.text AS broken', clock);
    END IF;
    RETURN format('SELECT found.* FROM health_internal.find_sight(%s, %s, %s, %s, %L::pg_catalog.datemultirange) AS found',
                  health_internal.compile_volume_array(document, fields, clock, past_days), clock, health_internal.compile_today(document),
                  past_days, health_internal.accepted_volume(document));
END;
$$;
COMMENT ON FUNCTION health_internal.compile_sight(jsonb, health_internal.model_field[], date, text, text, integer) IS
    'SQL of the row that says as of which day a book is seen: by the events, the ledgers of a tracked model, or what its last refresh '
    'found';
-- The compiler: from a checked document to the SQL text of one query that reads every event once and returns one row per account.

CREATE TYPE health_internal.compiled_model AS (
    ledger text,
    extra_columns text[],
    value_columns text[],
    account_type regtype,
    account_label text
);
COMMENT ON TYPE health_internal.compiled_model IS
    'A compiled document: the ledger query, its extra columns (accounts.columns), its raw signal columns, type and source of account ids';
COMMENT ON COLUMN health_internal.compiled_model.ledger IS 'SQL text of the ledger query';
COMMENT ON COLUMN health_internal.compiled_model.extra_columns IS 'Its columns from accounts.columns';
COMMENT ON COLUMN health_internal.compiled_model.value_columns IS 'Its columns with raw values of signals';
COMMENT ON COLUMN health_internal.compiled_model.account_type IS 'Type of account ids';
COMMENT ON COLUMN health_internal.compiled_model.account_label IS 'Where accounts come from, for messages';

-- Parts are put in as they are: what they hold is not looked at again.
CREATE FUNCTION health_internal.fill_template(template text, parts jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    piece text[];
    filled text := '';
BEGIN
    FOR piece IN SELECT m FROM regexp_matches(template, '([^{]*)(?:[{](\w+)[}]|$)', 'g') AS m LOOP
        IF piece[2] IS NOT NULL AND NOT parts ? piece[2] THEN
            RAISE EXCEPTION 'the template has no part "%"', piece[2] USING ERRCODE = 'internal_error';
        END IF;
        filled := concat(filled, piece[1], parts ->> piece[2]);
    END LOOP;
    RETURN filled;
END;
$$;
COMMENT ON FUNCTION health_internal.fill_template(text, jsonb) IS
    'A text with {name} replaced by the part of that name, by nothing where it is null';

CREATE FUNCTION health_internal.list_columns(names text[], row_name text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format('%s.%I', row_name, c.name), ', ' ORDER BY c.position) FROM unnest(names) WITH ORDINALITY AS c (name, position);
$$;
COMMENT ON FUNCTION health_internal.list_columns(text[], text) IS 'SQL list of columns of a row; NULL without any';

CREATE FUNCTION health_internal.raise_first_problem(model_name text, fields health_internal.model_field[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong health_internal.model_field;
BEGIN
    SELECT f.* INTO wrong FROM unnest(fields) AS f WHERE f.problem IS NOT NULL LIMIT 1;
    IF FOUND THEN
        wrong.path := concat_ws(': ', 'model "' || model_name || '"', wrong.path);
        PERFORM health_internal.raise_field_problem(wrong);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.raise_first_problem(text, health_internal.model_field[]) IS
    'Raises the first problem of the fields as an error; returns when there is none';

-- Ids of accounts are joined to those in ledgers, which have the collation of the database.
CREATE FUNCTION health_internal.has_own_collation(fields health_internal.model_field[]) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id CONSTANT health_internal.model_field := health_internal.field_of(fields, 'accounts', 'id');
BEGIN
    RETURN id.type IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'name'::regtype)
       AND (SELECT q.collation_id FROM health_internal.describe_query(format('SELECT %s FROM %s', id.expression, id.from_item),
                health_internal.names_path()) AS q) <> '"default"'::regcollation;
END;
$$;
COMMENT ON FUNCTION health_internal.has_own_collation(health_internal.model_field[]) IS
    'Whether account ids are strings of another collation than that of the database';

CREATE FUNCTION health_internal.compile_model(document jsonb, version integer, account text DEFAULT NULL, as_of date DEFAULT NULL,
                                              usage_from text DEFAULT 'events', model_name text DEFAULT NULL, past_days integer DEFAULT 0,
                                              past_step integer DEFAULT 1, as_literals boolean DEFAULT false)
RETURNS health_internal.compiled_model
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields CONSTANT health_internal.model_field[] := ARRAY(SELECT f FROM health_internal.model_fields(document, as_of) AS f);
    book CONSTANT health_internal.model_field := health_internal.field_of(fields, 'accounts', 'from');
    account_key CONSTANT text := health_internal.compile_account_key(fields, 'attr.account_id');
    own_collation CONSTANT text := CASE WHEN health_internal.has_own_collation(fields) THEN ' COLLATE pg_catalog."default"' ELSE '' END;
    compiled health_internal.compiled_model;
    signals health_internal.compiled_inputs;
    attributes text;
    extras text;
    source text := book.from_item;
    restriction text;
    usage text;
    past text;
    dated_filter CONSTANT boolean := past_days > 0 AND health_internal.has_dated_filter(document);
    wanted text;
    restrictions text;
BEGIN
    PERFORM health_internal.raise_first_problem(model_name, fields);
    compiled.account_label := book.expression;
    compiled.account_type := (health_internal.field_of(fields, 'accounts', 'id')).type;
    IF account IS NOT NULL THEN
        -- With a modifier of -1 the name of character is bpchar, which does not cut to one letter.
        restriction := ' = ' || health_internal.compile_account_key(fields, pg_catalog.format('%L::%s', account,
            pg_catalog.format_type(compiled.account_type, -1)));
        source := health_internal.restrict_source(source,
            health_internal.compile_account_key(fields, (health_internal.field_of(fields, 'accounts', 'id')).expression), restriction);
    END IF;
    -- No name here is one that a document could use.
    SELECT pg_catalog.string_agg(pg_catalog.format('%s AS %I', a.expression, a.name), ', ')
           || coalesce(', (' || (health_internal.field_of(fields, 'accounts', 'seats')).expression
                       || ')::pg_catalog.float8 AS "recorded seats"', '') INTO attributes
    FROM health_internal.account_attributes(document, fields) AS a;
    SELECT pg_catalog.string_agg(pg_catalog.format(', attr.%1$I AS %1$I', f.field), '' ORDER BY f.field),
           coalesce(pg_catalog.array_agg(f.field ORDER BY f.field), '{}')
    INTO extras, compiled.extra_columns
    FROM pg_catalog.unnest(fields) AS f WHERE f.source = 'columns';

    signals := health_internal.compile_inputs(document, fields, model_name, as_literals);
    compiled.value_columns := signals.value_columns;
    -- Without inputs there is nothing to know of earlier days, whatever the other columns mention.
    IF past_days > 0 AND signals.inputs IS NOT NULL AND health_internal.has_dated_inputs(fields, document) THEN
        past := health_internal.compile_past_inputs(past_days, past_step, attributes, coalesce(signals."values", 'NULL AS s0'),
                                                    coalesce(signals.inputs, ''), coalesce(signals.observed, ''));
    END IF;
    IF usage_from <> 'nothing' THEN
        usage := health_internal.compile_usage(fields, document, restriction, usage_from,
            CASE usage_from WHEN 'ledger' THEN (SELECT pg_catalog.jsonb_object_agg(s.path, health_internal.data_table('chunk', s.id))
                                                FROM health_internal.ledger_source AS s WHERE s.model = model_name) END);
    END IF;
    wanted := CASE WHEN dated_filter THEN health_internal.compile_wanted_on(fields, past_days, past_step)
                   ELSE health_internal.compile_wanted(fields) END;
    restrictions := 'attr.account_id IS NOT NULL'
        || CASE WHEN dated_filter THEN ' AND true = ANY (wanted."is wanted on")' WHEN wanted <> '' THEN ' AND wanted."is wanted"' ELSE ''
            END
        || coalesce(' AND ' || account_key || restriction, '');
    -- Of an id that occurs twice nobody can say which row is right: it stands in the book once, without any of their values.
    compiled.ledger := health_internal.fill_template(
        'WITH "$sight" AS MATERIALIZED ({sight}) SELECT known.account_id, {name} AS name{extra_columns}, known.as_of, '
        '{version} AS model_version, {usage} AS usage, '
        'account.inputs, account.observed, account.segments, account.past_inputs, account.past_observed, account.account_start, '
        'account.account_end, {ledger_start} AS ledger_start, account.seats{value_columns}, known.repeated, known.in_filter, '
        'overridden.overrides, (SELECT sight.outages FROM "$sight" AS sight) AS outages, '
        '(SELECT sight.broken FROM "$sight" AS sight) AS tracking_broke FROM (SELECT attr.account_id, attr.as_of, {repeated} AS repeated, '
        '{in_filter} AS in_filter FROM {book}{wanted} CROSS JOIN LATERAL (SELECT {id} AS account_id, clock.as_of) AS attr '
        'WHERE {restrictions} GROUP BY 1, 2) AS known LEFT JOIN ('
        'SELECT {one_row}{shown_id} AS account_id, {account_name} AS name{extras}, '
        'ARRAY[{inputs}]::pg_catalog.text[] AS inputs, ARRAY[{observed}]::pg_catalog.date[] AS observed, '
        'ARRAY[{segments}]::pg_catalog.text[] AS segments, {past_inputs} AS past_inputs, {past_observed} AS past_observed, '
        '{start} AS account_start, {end} AS account_end, {seats} AS seats{raw_columns} FROM {book}{wanted}{answers}{past} '
        'CROSS JOIN LATERAL (SELECT {attributes}) AS attr CROSS JOIN LATERAL (SELECT {values}) AS sig '
        'WHERE {restrictions}{row_order}) AS account '
        'ON account.account_id = known.account_id AND NOT known.repeated{usage_join}{overrides}',
        pg_catalog.jsonb_build_object(
            'id', (health_internal.field_of(fields, 'accounts', 'id')).expression || own_collation,
            'shown_id', 'attr.account_id' || own_collation,
            'name', CASE WHEN document #> '{accounts,name}' IS NULL THEN health_internal.canonical_text('known.account_id',
                compiled.account_type) ELSE 'account.name' END,
            'account_name', CASE WHEN document #> '{accounts,name}' IS NULL THEN 'NULL' ELSE 'attr.account_name' END,
            'extra_columns', ', ' || health_internal.list_columns(compiled.extra_columns, 'account'),
            'value_columns', ', ' || health_internal.list_columns(compiled.value_columns, 'account'),
            'extras', extras, 'version', version,
            'usage', CASE WHEN usage IS NULL THEN '''{}''::health.usage' ELSE 'coalesce(u.usage, ''{}''::health.usage)' END,
            'inputs', signals.inputs, 'observed', signals.observed, 'segments', signals.segments,
            'past_inputs', CASE WHEN past IS NULL THEN 'NULL::pg_catalog.text[]' ELSE 'past."past inputs"' END,
            'past_observed', CASE WHEN past IS NULL THEN 'NULL::pg_catalog.date[]' ELSE 'past."past observed"' END,
            'start', CASE WHEN document #> '{accounts,start}' IS NULL THEN 'NULL::pg_catalog.date' ELSE 'attr.account_start' END,
            'end', CASE WHEN document #> '{accounts,end}' IS NULL THEN 'NULL::pg_catalog.date' ELSE 'attr.account_end' END,
            'ledger_start', pg_catalog.format('%L::pg_catalog.date', CASE WHEN usage_from = 'ledger' THEN
                (SELECT pg_catalog.max(s.kept_from) FROM health_internal.ledger_source AS s WHERE s.model = model_name) END),
            'seats', CASE WHEN document #> '{accounts,seats}' IS NULL THEN 'NULL::pg_catalog.float8'
                ELSE 'CASE WHEN attr."recorded seats" IS NOT NULL THEN coalesce(attr.seats, ''NaN'') END' END,
            'raw_columns', signals.raw_columns, 'book', source, 'wanted', wanted, 'restrictions', restrictions,
            -- An account that has several rows, each for a time of its own, has the values of the latest.
            'repeated', CASE WHEN dated_filter THEN 'pg_catalog.count(*) FILTER (WHERE wanted."is wanted on"[1]) > 1'
                ELSE 'pg_catalog.count(*) > 1' END,
            'in_filter', CASE WHEN dated_filter THEN 'health_internal.any_wanted(pg_catalog.array_agg(wanted."is wanted on"))'
                ELSE 'NULL::pg_catalog.bool[]' END,
            'one_row', CASE WHEN dated_filter THEN 'DISTINCT ON (1) ' END,
            'row_order', CASE WHEN dated_filter THEN ' ORDER BY 1, pg_catalog.array_position(wanted."is wanted on", true)' END,
            'answers', signals.answers, 'past', past, 'attributes', attributes,
            'usage_join', ' LEFT JOIN (' || usage || health_internal.fence() || ') AS u ON u.account_id = '
                || health_internal.compile_account_key(fields, 'known.account_id'),
            'overrides', health_internal.compile_overrides(model_name, as_literals,
                health_internal.canonical_text('known.account_id', compiled.account_type)),
            'values', coalesce(signals."values", 'NULL AS s0'),
            'sight', health_internal.compile_sight(document, fields, as_of, usage_from, model_name, past_days)));
    -- Expressions are typed under the clock of the document, and computed as of the day that is to be seen.
    compiled.ledger := pg_catalog.replace(compiled.ledger, health_internal.clock_item(health_internal.model_clock(document, as_of)),
        health_internal.clock_item('(SELECT sight.as_of FROM "$sight" AS sight)'));
    RETURN compiled;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_model(jsonb, integer, text, date, text, text, integer, integer, boolean) IS
    'Compiles a complete document to the ledger query: one row per account with usage, inputs and attributes, from one pass over the '
        'events. '
    'usage_from: events, ledger (of the tracked model of that name), roster (of the user source only) or nothing. '
    'With an account, only that one; with a date, as of that date; with past days, also the inputs of so many days before, if they depend '
        'on '
    'the date; the name of the model is for messages, and for its overrides and pulses: as they are now where as_literals is true';

-- Each source is summed up by itself: where its rows lie on several servers, it is summed up there.
CREATE FUNCTION health_internal.compile_all_events(document jsonb, fields health_internal.model_field[], summary text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(pg_catalog.string_agg(pg_catalog.format(summary, pg_catalog.format(
        'SELECT %1$L::pg_catalog.text AS source, e.account_id::pg_catalog.text AS account_id, e.user_id, %4$s AS event_name, '
        '%2$s AS day, '
        'e.amount, CASE WHEN e.event_name = '''' THEN ''event'' WHEN NOT pg_catalog.isfinite(%2$s) THEN ''occurred_at'' '
        'WHEN e.amount IS NOT NULL AND NOT health_internal.is_event(e.occurred_at, e.event_name, e.amount) THEN ''amount'' END '
        'AS bad_field FROM (%3$s) AS e',
        s.path, health_internal.local_day('e.occurred_at', CASE WHEN m.zone IS NULL THEN 'pg_catalog.date'::regtype
            ELSE 'pg_catalog.timestamptz'::regtype END, NULL, m.zone),
        health_internal.compile_event_rows(fields, s.path, s.source ->> 'time_zone', '', health_internal.user_cast(fields)),
        CASE WHEN s.source ?| '{actor,known_at}' THEN 'health_internal.plain_event(e.event_name)' ELSE 'e.event_name' END)),
        ' UNION ALL '),
        pg_catalog.format(summary, 'SELECT n.source, n.source AS account_id, n.source AS user_id, n.source AS event_name, n.day, n.amount, '
            'n.source AS bad_field FROM (SELECT NULL::pg_catalog.text, NULL::pg_catalog.date, NULL::pg_catalog.float8) '
            'AS n (source, day, amount) WHERE false'))
    FROM health_internal.event_sources(document) AS s,
         LATERAL (SELECT health_internal.moment_zone(health_internal.field_of(fields, s.path, 'occurred_at'), s.source ->> 'time_zone',
             coalesce(document ->> 'time_zone', 'UTC'))) AS m (zone);
$$;
COMMENT ON FUNCTION health_internal.compile_all_events(jsonb, health_internal.model_field[], text) IS
    'SQL of all rows of all event sources, wrong ones too, summed up by source: the summary is SQL with %s for the query of the rows';
-- Probabilities in compiled SQL: made of the score when it is read, so that a calibration costs a refresh nothing.

CREATE FUNCTION health_internal.probability_columns(OUT kind text, OUT column_name text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 2
BEGIN ATOMIC
    SELECT k.kind, k.column_name
    FROM (VALUES ('churn', 'churn_probability'), ('expansion', 'expansion_likelihood')) AS k (kind, column_name);
END;
COMMENT ON FUNCTION health_internal.probability_columns() IS 'The kinds of calibrations, with the column of score views that each fills';

-- Plain views run as their readers, who do not see the catalog. A map as text has all its digits.
CREATE FUNCTION health_internal.compile_probabilities(version health_internal.model_version, as_literals boolean, score text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 3
AS $$
    SELECT string_agg(format('health_internal.calibrated(%s, %s) AS %s',
               CASE WHEN as_literals THEN
                        coalesce(quote_literal((health_internal.find_calibration(version.model, version.version, k.kind)).map::text),
                                 'NULL') || '::pg_catalog.float8[]'
                    ELSE format('(SELECT (health_internal.find_calibration(%L, %s, %L)).map)', version.model, version.version, k.kind) END,
               score, k.column_name), ', ' ORDER BY k.column_name)
    FROM health_internal.probability_columns() AS k;
$$;
COMMENT ON FUNCTION health_internal.compile_probabilities(health_internal.model_version, boolean, text) IS
    'SQL of the two columns of probabilities, of SQL of a score: by the present calibration as a literal, or by the one that the catalog '
    'has when it runs as the owner of the model';

CREATE FUNCTION health_internal.describe_probability(model_name text, version integer, column_name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN c.map IS NULL
        THEN format('Probability of %s; NULL: not calibrated. health.calibrate(%L, kind => %L) makes it of the scores of this version',
                    k.kind, model_name, k.kind)
        ELSE format('Probability of %s (the outcome "%s") in the days %s to %s after as_of, by %s calibration of the score on %s to %s; '
                    'NULL: no score', k.kind, c.outcome, c.gap + 1, c.gap + c.horizon, c.method, to_char(c.from_date, 'YYYY-MM-DD'),
                    to_char(c.to_date, 'YYYY-MM-DD')) END
    FROM health_internal.probability_columns() AS k
    LEFT JOIN LATERAL health_internal.find_calibration(model_name, version, k.kind) AS c ON true
    WHERE k.column_name = describe_probability.column_name;
$$;
COMMENT ON FUNCTION health_internal.describe_probability(text, integer, text) IS
    'The comment on a column of probabilities, with outcome and horizon; NULL of any other column';
-- The queries of scores, signals and history over rows of ledgers.

CREATE FUNCTION health_internal.score_relations(schema_name name, view_name name)
RETURNS TABLE (suffix text, relation text, short_name text)
LANGUAGE sql IMMUTABLE ROWS 4
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.suffix, format('%I.%I', schema_name, view_name || s.suffix), view_name || s.suffix
    FROM (VALUES (1, '_ledger'), (2, ''), (3, '_signals'), (4, '_history')) AS s (position, suffix) ORDER BY s.position;
$$;
COMMENT ON FUNCTION health_internal.score_relations(name, name) IS
    'The four relations of a score view, in the order in which they build on each other';

-- The part of a document that scoring reads; sources are left out of the views.
CREATE FUNCTION health_internal.scoring_document(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT document - '{accounts,users,events,description,as_of}'::text[];
END;
COMMENT ON FUNCTION health_internal.scoring_document(jsonb) IS 'A document without its sources';

CREATE FUNCTION health_internal.metric_columns() RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT a.attname::text FROM pg_attribute AS a
                 WHERE a.attrelid = (SELECT t.typrelid FROM pg_type AS t WHERE t.oid = 'health.metrics_record'::regtype)
                   AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum);
$$;
COMMENT ON FUNCTION health_internal.metric_columns() IS 'The columns of health.metrics_record';

CREATE FUNCTION health_internal.history_days(document jsonb) RETURNS integer
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT greatest(coalesce((document #>> '{history,days}')::integer, 56), 1);
END;
COMMENT ON FUNCTION health_internal.history_days(jsonb) IS 'Days in the history of a score view, as_of among them';

CREATE FUNCTION health_internal.past_days(document jsonb) RETURNS integer
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT greatest(health_internal.history_days(document) - 1, 28);
END;
COMMENT ON FUNCTION health_internal.past_days(jsonb) IS
    'Days before as_of that a score view looks at: for its history, and for the change in 28 days';

-- The one place where the columns of a ledger row become a state.
CREATE FUNCTION health_internal.compile_state(parts text DEFAULT NULL, with_past boolean DEFAULT true,
    past_step integer DEFAULT 1, row_name text DEFAULT 'l', with_overrides boolean DEFAULT true) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('ROW(%2$s, %1$s.as_of, %1$s.account_start, %1$s.seats, %1$s.inputs, %1$s.observed, %1$s.segments, %3$s, '
        '%1$s.repeated, %1$s.account_end, %1$s.ledger_start, %4$s, %5$s, %1$s.outages)::health.account_state', row_name,
        coalesce(parts, pg_catalog.format('ARRAY[%s.usage]', row_name)),
        CASE WHEN with_past THEN pg_catalog.format('%1$s.past_inputs, %1$s.past_observed', row_name) ELSE 'NULL, NULL' END,
        CASE WHEN with_past THEN pg_catalog.format('%s, %s.in_filter', past_step, row_name) ELSE 'NULL, NULL' END,
        CASE WHEN with_overrides THEN row_name || '.overrides' ELSE 'NULL' END);
END;
COMMENT ON FUNCTION health_internal.compile_state(text, boolean, integer, text, boolean) IS
    'SQL of the account state of a ledger row; parts is SQL of its usage, an array, by default what the row has; with what is known of '
    'earlier days, and what people decided about the score, or not';

CREATE FUNCTION health_internal.compile_known_usage(known_before date) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN known_before IS NULL THEN 'ARRAY[l.usage]'
        ELSE pg_catalog.format('ARRAY[health_internal.known_before(l.usage, DATE %L)]', known_before) END;
END;
COMMENT ON FUNCTION health_internal.compile_known_usage(date) IS
    'SQL of the usage of a ledger row l, for compile_state(), as it was known before a day (NULL: as it is known now)';

-- The column next_step of rows "s" of scores: of a model that holds signals against the book, by what the book did as well.
CREATE FUNCTION health_internal.compile_next_step(document jsonb, as_of text, signals text, overrides text, book text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN true = ANY (health_internal.relative_signals(document)) THEN format(
        'CASE WHEN s.next_step IS NOT NULL THEN health_internal.next_step_in_book(%L::pg_catalog.jsonb, %s, %s, %s, s.change_28d, %s) '
        'END AS next_step', health_internal.scoring_document(document), as_of, signals, overrides, book) ELSE 's.next_step' END;
$$;
COMMENT ON FUNCTION health_internal.compile_next_step(jsonb, text, text, text, text) IS
    'SQL of the next step of an account s, which is one only if it is one against the book; signals, overrides and book are SQL';

CREATE FUNCTION health_internal.compile_score_query(suffix text, ledger_relation text, model_name text, document jsonb,
                                                    compiled health_internal.compiled_model, probabilities text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    scoring CONSTANT text := format('%L::pg_catalog.jsonb, %s', health_internal.scoring_document(document),
        health_internal.compile_state());
    -- Over the rows that are scored, which are read once.
    book CONSTANT text := health_internal.compile_book_changes(document, 'scored');
    scores CONSTANT text := format(
        'SELECT %s, l.account_start, l.account_end, nullif(l.seats, ''NaN'') AS seats, l.as_of, %L::pg_catalog.text AS model, '
            'l.model_version, '
        's.score, s.band, s.state, s.state_reason, s.in_book, s.data_coverage, '
        'coalesce(l.tracking_broke, s.unknown_reason) AS unknown_reason, s.change_7d, s.change_28d, s.main_reason, s.next_step, '
        's.score_without_top_user, s.override_reason, '
        '%s%s%s '
        'FROM %s AS l CROSS JOIN LATERAL health_internal.score_details(%s) AS s WHERE l.in_filter[1] IS NOT FALSE',
        health_internal.list_columns('{account_id,name}' || compiled.extra_columns, 'l'), model_name,
        health_internal.list_columns(health_internal.metric_columns(), 's'),
        ', ' || health_internal.list_columns(compiled.value_columns, 'l'),
        CASE WHEN book IS NOT NULL THEN ', s.signals AS "$signals", l.overrides' END, ledger_relation, scoring);
BEGIN
    RETURN CASE suffix
        WHEN '_ledger' THEN compiled.ledger
        WHEN '' THEN format('SELECT s.*, %s FROM (%s) AS s', probabilities, CASE WHEN book IS NULL THEN scores ELSE format(
            'WITH scored AS MATERIALIZED (%s) SELECT %s, %s, %s FROM scored AS s CROSS JOIN (%s) AS b', scores,
            health_internal.list_columns('{account_id,name}' || compiled.extra_columns || '{account_start,account_end,seats,as_of,model,'
                'model_version,score,band,state,state_reason,in_book,data_coverage,unknown_reason,change_7d,change_28d,main_reason}', 's'),
            health_internal.compile_next_step(document, 's.as_of', 's."$signals"', 's.overrides', 'b.changes'),
            health_internal.list_columns('{score_without_top_user,override_reason}' || health_internal.metric_columns()
                || compiled.value_columns, 's'), book) END)
        WHEN '_signals' THEN format(
            'WITH scored AS %5$s (SELECT l.account_id, l.name, l.as_of, l.model_version, l.overrides, '
            'health_internal.account_signals(%2$s) AS "$signals" FROM %1$s AS l WHERE l.in_filter[1] IS NOT FALSE) '
            'SELECT l.account_id, l.name, l.as_of, l.model_version, s."position", s.signal, s.parent, s.label, s.level, s.raw, s.raw_text, '
            's.normalized, s.weight, s.points, s.reason, s.phrase, s.next_step, s.counted, s.basis, s.book '
            'FROM scored AS l CROSS JOIN (%3$s) AS b CROSS JOIN LATERAL '
            'health_internal.signal_rows(%4$L::pg_catalog.jsonb, l.as_of, l."$signals", l.overrides, b.changes) AS s',
            ledger_relation, scoring, coalesce(book, 'SELECT NULL::pg_catalog.float8[] AS changes'),
            health_internal.scoring_document(document), CASE WHEN book IS NULL THEN 'NOT MATERIALIZED' ELSE 'MATERIALIZED' END)
        WHEN '_history' THEN format(
            'SELECT l.account_id, h.as_of, l.model_version, h.score, h.band, h.state, h.coverage AS data_coverage, h.unknown_reason '
            'FROM %s AS l CROSS JOIN LATERAL health.score_series(%s, l.as_of - %s, l.as_of) AS h',
            ledger_relation, scoring, health_internal.history_days(document) - 1)
    END;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_score_query(text, text, text, jsonb, health_internal.compiled_model, text) IS
    'SQL of one of the four relations of a score view that is made from events';
-- What a version keeps of the book that it was made in, so that a score does not move because others moved: peers' values, medians, what
-- was fitted, and whether there ever was what a signal is about.

CREATE FUNCTION health_internal.leaf_signals(document jsonb) RETURNS TABLE (place text[], signal jsonb, number bigint)
LANGUAGE sql IMMUTABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE tree AS (
        SELECT ARRAY['signals', (s.position - 1)::text] AS place, s.signal, ARRAY[s.position] AS path
        FROM jsonb_array_elements(document -> 'signals') WITH ORDINALITY AS s (signal, position)
        UNION ALL
        SELECT t.place || ARRAY['signals', (s.position - 1)::text], s.signal, t.path || s.position
        FROM tree AS t, jsonb_array_elements(t.signal -> 'signals') WITH ORDINALITY AS s (signal, position)
    )
    SELECT n.place, n.signal, n.number FROM (SELECT t.*, row_number() OVER (ORDER BY t.path) AS number FROM tree AS t) AS n
    WHERE NOT n.signal ? 'signals';
$$;
COMMENT ON FUNCTION health_internal.leaf_signals(jsonb) IS
    'The signals of a document that are not groups, with their places for jsonb_set and their numbers among all signals, groups too';

-- What a signal measures, and therefore whether a reference frozen for one serves another.
CREATE FUNCTION health_internal.measured_by(document jsonb, signal jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.jsonb_build_object(
        'signal', signal
            - '{label,description,weight,next_step,missing,normalize,silent,shrink,frozen,relative_to_book}'::text[],
        'segment', signal #> '{normalize,segment}',
        'accounts', c.document -> 'accounts',
        'usage', CASE WHEN signal ? 'metric'
                      THEN c.document
                          - '{accounts,signals,bands,minimum_coverage,history,description,as_of,silence,relative_to_book}'::text[] END)
    FROM health_internal.canonical_document(document) AS c (document);
END;
COMMENT ON FUNCTION health_internal.measured_by(jsonb, jsonb) IS
    'The parts of a document that determine the raw value and the peer groups of a signal';

CREATE FUNCTION health_internal.peer_reference(peer_values float8[], peer_counts bigint[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    -- Up to 1,000 distinct values are kept as they are; beyond, neighbours share the value in their middle: under 0.1 points.
    WITH peers AS (
        SELECT p.value, p.n, ntile(1000) OVER (ORDER BY p.value) AS tile
        FROM unnest(peer_values, peer_counts) AS p (value, n)
    ), kept AS (
        SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY p.value) AS value, sum(p.n)::bigint AS n FROM peers AS p GROUP BY p.tile
    )
    SELECT jsonb_build_object('values', coalesce(jsonb_agg(k.value ORDER BY k.value), '[]'),
                              'counts', coalesce(jsonb_agg(k.n ORDER BY k.value), '[]'))
    FROM kept AS k;
$$;
COMMENT ON FUNCTION health_internal.peer_reference(float8[], bigint[]) IS
    'A percentile reference of distinct values and how often each occurs';

CREATE FUNCTION health_internal.sight_account(model jsonb, account health.account_state,
    OUT raw float8[], OUT basis float8[], OUT seen boolean[], OUT silent boolean, OUT ever_active boolean, OUT weeks integer[])
    AS 'MODULE_PATHNAME', 'health_sight_account'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION health_internal.sight_account(jsonb, health.account_state) IS
    'What an account of the book adds to what is frozen, an element per signal: values as measured, what they rest on, whether it ever had '
    'what the signal is about, and three numbers per signal that is fitted: its active weeks, the last of them, all weeks; all NULL of an '
    'account that is not in the book';

-- Metrics by parameters that are fitted to the book.
CREATE FUNCTION health_internal.is_fitted(signal jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM (VALUES
            ('cadence_recency')
        ) AS m (metric) WHERE m.metric = signal ->> 'metric');
END;
COMMENT ON FUNCTION health_internal.is_fitted(jsonb) IS 'Whether a signal is a metric with parameters that a version keeps';

CREATE FUNCTION health_internal.frozen_parameters(signal jsonb) RETURNS float8[]
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.array_agg(p.value::pg_catalog.float8 ORDER BY p.ordinality)
    FROM pg_catalog.jsonb_array_elements_text(signal #> '{frozen,parameters}') WITH ORDINALITY AS p (value, ordinality);
END;
COMMENT ON FUNCTION health_internal.frozen_parameters(jsonb) IS 'The parameters that a signal keeps; NULL without';

CREATE FUNCTION health_internal.compile_fit(number bigint, signal jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN NOT health_internal.is_fitted(signal) THEN 'SELECT NULL::pg_catalog.float8[], NULL::pg_catalog.int8, NULL::pg_catalog.text'
        WHEN health_internal.frozen_parameters(signal) IS NOT NULL
            THEN format('SELECT %L::pg_catalog.float8[], %L::pg_catalog.int8, NULL::pg_catalog.text',
                        health_internal.frozen_parameters(signal), signal #>> '{frozen,accounts}')
        ELSE format('SELECT w.parameters, w.accounts, w.reason FROM health_internal.fit_weeks((SELECT pg_catalog.array_agg('
                    'a.weeks[%1$s:%2$s]) FROM accounts AS a WHERE a.weeks[%1$s] IS NOT NULL)) AS w', 3 * number - 2, 3 * number) END;
$$;
COMMENT ON FUNCTION health_internal.compile_fit(bigint, jsonb) IS
    'SQL of what is fitted for a signal, over the sightings of accounts: parameters, how many accounts, and why there are none';

-- Values are shrunk as scoring shrinks them (src/core/scoring/score.cpp): toward the median, which the accounts that are not silent make.
CREATE FUNCTION health_internal.compile_frozen(number bigint, signal jsonb, segment_number integer) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($query$
        SELECT %1$s::pg_catalog.int8 AS number, m.median, coalesce(f.accounts, m.accounts) AS accounts, m.seen, f.parameters, f.reason, (
            WITH peers AS (
                SELECT v.segment, health_internal.peer_reference(pg_catalog.array_agg(v.value), pg_catalog.array_agg(v.n)) AS reference
                FROM (SELECT %2$s AS segment,
                             CASE WHEN a.silent OR m.accounts < 10 OR %3$s = 0 THEN a.raw[%1$s]
                                  ELSE (a.basis[%1$s] * a.raw[%1$s] + %3$s * m.median) / (a.basis[%1$s] + %3$s) END AS value,
                             pg_catalog.count(*) AS n
                      FROM accounts AS a WHERE a.raw[%1$s] IS NOT NULL GROUP BY 1, 2) AS v
                GROUP BY 1
            ) SELECT %4$s FROM peers AS p) AS reference
        FROM (SELECT pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY a.raw[%1$s]) FILTER (WHERE NOT a.silent) AS median,
                     pg_catalog.count(a.raw[%1$s]) FILTER (WHERE NOT a.silent) AS accounts,
                     coalesce(pg_catalog.bool_or(a.seen[%1$s]) OR NOT pg_catalog.bool_or(a.ever_active), true) AS seen
              FROM accounts AS a) AS m, (%5$s) AS f (parameters, accounts, reason) $query$,
        number, CASE WHEN segment_number IS NULL THEN 'NULL::pg_catalog.text' ELSE format('a.segments[%s]', segment_number) END,
        coalesce((signal ->> 'shrink')::float8, 0),
        CASE WHEN signal #>> '{normalize,kind}' IS DISTINCT FROM 'percentile' THEN 'NULL::pg_catalog.jsonb'
             WHEN segment_number IS NULL THEN 'pg_catalog.max(p.reference::pg_catalog.text)::pg_catalog.jsonb'
             ELSE 'pg_catalog.jsonb_build_object(''segments'', coalesce(pg_catalog.jsonb_object_agg(p.segment, p.reference) '
                  'FILTER (WHERE p.segment IS NOT NULL), ''{}''))' END,
        health_internal.compile_fit(number, signal));
$$;
COMMENT ON FUNCTION health_internal.compile_frozen(bigint, jsonb, integer) IS
    'SQL of what is frozen of a signal, over the sightings of accounts: median, accounts with a value, whether it was ever seen, what was '
    'fitted, and the reference of a percentile';

-- Where the catalog says which events count, every metric is about these.
CREATE FUNCTION health_internal.is_about_something(document jsonb, signal jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT document ->> 'unlisted_events' IS DISTINCT FROM 'count' AND coalesce(document -> 'catalog', '{}') <> '{}'
        OR signal ?| '{events,role,actor}'::pg_catalog.text[] OR signal ->> 'metric' = 'breadth'
        OR EXISTS (SELECT FROM (VALUES
            ('total_users', ''),
            ('active_users', ''),
            ('events', ''),
            ('activation_rate', ''),
            ('activation_rate_low', ''),
            ('activation_rate_high', ''),
            ('coverage', 'create | consume'),
            ('adoption_rate', ''),
            ('onboarding_activation', 'activate'),
            ('invite_conversion', 'create | consume'),
            ('trend_4w', ''),
            ('trend_4w_users', ''),
            ('trend_4w_value', ''),
            ('dropoff', ''),
            ('baseline', ''),
            ('baseline_users', ''),
            ('baseline_value', ''),
            ('slope_4w', ''),
            ('dip_streak', ''),
            ('cadence', ''),
            ('recency_weeks', ''),
            ('cadence_recency', ''),
            ('events_per_user_week', ''),
            ('stickiness', ''),
            ('interaction', 'interact'),
            ('reply_ratio', 'create | interact'),
            ('spread', 'create'),
            ('creators', 'create'),
            ('breadth', ''),
            ('depth', ''),
            ('value_points', ''),
            ('sessions_per_user_week', 'session'),
            ('amount_sum', ''),
            ('amount_mean', ''),
            ('recency_days', ''),
            ('growth', ''),
            ('time_to_value', 'activate'),
            ('trial_use', 'activate'),
            ('dormant_users', ''),
            ('power_user_dependency', ''),
            ('top2_share', ''),
            ('top3_share', ''),
            ('hhi', ''),
            ('effective_users', ''),
            ('hhi_normalized', ''),
            ('gini', ''),
            ('absence_factor', '')
        ) AS m (metric, about) WHERE m.metric = signal ->> 'metric' AND m.about <> '');
END;
COMMENT ON FUNCTION health_internal.is_about_something(jsonb, jsonb) IS
    'Whether a metric signal looks at some events, features or actors only, which a book may never have had';

-- A version keeps what an earlier one froze of the same measure. What was never seen, or could not be fitted, is tried again.
CREATE FUNCTION health_internal.unfrozen_signals(document jsonb, previous jsonb)
    RETURNS TABLE (number bigint, place text[], signal jsonb, kept jsonb)
LANGUAGE sql IMMUTABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT l.number, l.place, l.signal, p.signal
    FROM health_internal.leaf_signals(document) AS l
    LEFT JOIN LATERAL (SELECT e.signal FROM health_internal.leaf_signals(previous) AS e
                       WHERE health_internal.measured_by(previous, e.signal) = health_internal.measured_by(document, l.signal)
                         AND coalesce(e.signal ->> 'shrink', '0')::float8 = coalesce(l.signal ->> 'shrink', '0')::float8
                         AND (l.signal #>> '{normalize,kind}' IS DISTINCT FROM 'percentile' OR e.signal #> '{normalize,reference}' IS NOT
                             NULL)
                         AND (e.signal #>> '{frozen,seen}' IS DISTINCT FROM 'false')
                         AND (NOT health_internal.is_fitted(e.signal) OR e.signal #> '{frozen,parameters}' IS NOT NULL)
                       LIMIT 1) AS p ON true
    WHERE l.signal #>> '{normalize,kind}' = 'percentile' AND l.signal #> '{normalize,reference}' IS NULL
       OR l.signal ? 'metric' AND NOT l.signal ? 'frozen'
          AND (coalesce(l.signal ->> 'shrink', '0')::float8 > 0 OR health_internal.is_about_something(document, l.signal)
               OR health_internal.is_fitted(l.signal));
$$;
COMMENT ON FUNCTION health_internal.unfrozen_signals(jsonb, jsonb) IS
    'The signals of a document that something is to be frozen of, and the one of the previous document that it can be taken from';

CREATE FUNCTION health_internal.collect_frozen(document jsonb, wanted bigint[], as_of date, usage_from text, model_name text)
    RETURNS TABLE (number bigint, median float8, accounts bigint, seen boolean, parameters float8[], reason text, reference jsonb)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reads_events CONSTANT boolean := EXISTS (SELECT FROM health_internal.leaf_signals(document) AS l
                                             WHERE l.number = ANY (wanted) AND l.signal ? 'metric');
    compiled health_internal.compiled_model := health_internal.compile_model(document, 0, as_of => collect_frozen.as_of,
        usage_from => CASE WHEN reads_events THEN collect_frozen.usage_from ELSE 'nothing' END, model_name => collect_frozen.model_name);
    parts text := (SELECT pg_catalog.string_agg(health_internal.compile_frozen(l.number, l.signal, i."position"), ' UNION ALL ')
                   FROM health_internal.leaf_signals(document) AS l
                   LEFT JOIN health.model_inputs(document) AS i
                     ON i.name = l.signal ->> 'name' AND l.signal #> '{normalize,segment}' IS NOT NULL
                   WHERE l.number = ANY (wanted));
BEGIN
    PERFORM health_internal.look_names_up_in(health_internal.names_path());
    RETURN QUERY EXECUTE pg_catalog.format(
        'WITH accounts AS MATERIALIZED (SELECT l.segments, s.* FROM (%s) AS l, health_internal.sight_account(%L, %s) AS s '
        'WHERE s.raw IS NOT NULL) %s',
        compiled.ledger, health_internal.scoring_document(document),
        health_internal.compile_state(health_internal.compile_known_usage(as_of), with_past => false), parts);
EXCEPTION WHEN data_exception OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(NULL, ROW(NULL, 0, NULL, document, health_internal.names_path(), NULL,
            NULL)::health_internal.model_version);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.collect_frozen(jsonb, bigint[], date, text, text) IS
    'What is frozen of some signals, by their numbers, over all accounts as of a day, by what was known then (NULL: now), from events or '
    'from the ledgers of a model';

CREATE FUNCTION health_internal.put_frozen(document jsonb, place text[], signal jsonb, median float8, accounts bigint, seen boolean,
    parameters float8[], reference jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN f.frozen = '{}' THEN r.document ELSE jsonb_set(r.document, place || '{frozen}'::text[], f.frozen) END
    FROM (SELECT CASE WHEN reference IS NULL THEN document
                      ELSE jsonb_set(document, place || '{normalize,reference}'::text[], reference) END) AS r (document),
         (SELECT CASE WHEN NOT signal ? 'metric' THEN '{}'::jsonb
                      ELSE CASE WHEN coalesce((signal ->> 'shrink')::float8, 0) > 0
                                THEN jsonb_strip_nulls(jsonb_build_object('median', median, 'accounts', accounts)) ELSE '{}' END
                           || CASE WHEN parameters IS NULL THEN '{}'::jsonb
                                   ELSE jsonb_build_object('parameters', parameters, 'accounts', accounts) END
                           || CASE WHEN seen THEN '{}'::jsonb ELSE '{"seen": false}' END END) AS f (frozen);
$$;
COMMENT ON FUNCTION health_internal.put_frozen(jsonb, text[], jsonb, float8, bigint, boolean, float8[], jsonb) IS
    'The document with what was frozen of the signal at a place';

CREATE FUNCTION health_internal.freeze_references(document jsonb, previous jsonb, as_of date DEFAULT NULL, usage_from text DEFAULT 'events',
    model_name text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    frozen jsonb := document;
    wanted bigint[] := ARRAY[]::bigint[];
    ranked bigint[];    -- whose values there are only now, for peers to be ranked by
    is_kept CONSTANT boolean := as_of IS NULL;    -- of a test refreeze_references() would change nothing
    pending record;
BEGIN
    FOR pending IN SELECT u.* FROM health_internal.unfrozen_signals(document, previous) AS u LOOP
        IF pending.kept IS NULL THEN
            wanted := wanted || pending.number;
        ELSE
            frozen := health_internal.put_frozen(frozen, pending.place, pending.signal, (pending.kept #>> '{frozen,median}')::float8,
                (pending.kept #>> '{frozen,accounts}')::bigint, true,
                health_internal.frozen_parameters(pending.kept), pending.kept #> '{normalize,reference}');
        END IF;
    END LOOP;
    WHILE cardinality(wanted) > 0 LOOP
        ranked := ARRAY[]::bigint[];
        FOR pending IN SELECT l.place, l.signal, c.*
                       FROM health_internal.collect_frozen(frozen, wanted, as_of, usage_from, model_name) AS c
                       JOIN health_internal.leaf_signals(frozen) AS l USING (number) ORDER BY l.number LOOP
            IF pending.reason IS NOT NULL THEN
                IF is_kept THEN
                    RAISE NOTICE 'nothing is fitted for signal "%": %; it stays unknown', pending.signal ->> 'name', pending.reason
                        USING HINT = 'SELECT health.refreeze_references(model) once there is more data.';
                END IF;
            ELSIF pending.signal #>> '{normalize,kind}' = 'percentile' THEN
                IF pending.parameters IS NOT NULL AND health_internal.frozen_parameters(pending.signal) IS NULL THEN
                    ranked := ranked || pending.number;
                    pending.reference := NULL;
                ELSE
                    pending.reference := coalesce(pending.reference, health_internal.peer_reference('{}', '{}'));
                    IF is_kept AND pending.reference IN ('{"values": [], "counts": []}', '{"segments": {}}') THEN
                        RAISE NOTICE 'no account has a value for the percentile of signal "%": it stays unknown',
                            pending.signal ->> 'name' USING HINT = 'SELECT health.refreeze_references(model) once there is data.';
                    END IF;
                END IF;
            END IF;
            frozen := health_internal.put_frozen(frozen, pending.place, pending.signal, pending.median, pending.accounts, pending.seen,
                pending.parameters, pending.reference);
        END LOOP;
        wanted := ranked;
    END LOOP;
    RETURN frozen;
END;
$$;
COMMENT ON FUNCTION health_internal.freeze_references(jsonb, jsonb, date, text, text) IS
    'The document with what scoring takes of the book: references of percentiles, medians of signals that shrink, what is fitted, and '
    'which signals are about what was never seen. That of the previous document for the same measure, else today''s book';
-- Models as data: validate, create, alter, read, drop.

CREATE FUNCTION health_internal.validation_problems(candidate jsonb, names_path text, OUT path text, OUT problem text, OUT hint text,
    OUT code text) RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document jsonb;
    shape text[];
    fields health_internal.model_field[];
BEGIN
    PERFORM health_internal.set_names_path(names_path);
    IF pg_catalog.jsonb_typeof(candidate) IS DISTINCT FROM 'object' THEN
        RETURN QUERY SELECT '', 'a model is a JSON object', 'Start with {"preset": "collaboration", "accounts": ..., "events": ...}.',
            '22023';
        RETURN;
    END IF;
    IF candidate ? 'preset' AND NOT EXISTS (SELECT 1 FROM health_internal.preset AS p WHERE p.name = candidate ->> 'preset') THEN
        RETURN QUERY SELECT 'preset', pg_catalog.format('there is no preset "%s"', candidate ->> 'preset'),
            (SELECT coalesce('Did you mean "' || health.nearest_name(candidate ->> 'preset', pg_catalog.array_agg(p.name)) || '"? ', '')
                    || 'The presets are: ' || pg_catalog.string_agg(p.name, ', ' ORDER BY p.position) || '.'
                        FROM health_internal.preset AS p),
            '22023';
        RETURN;
    END IF;
    document := health_internal.expand_preset(candidate);
    shape := ARRAY(SELECT p.path FROM health.model_problems(document) AS p);
    RETURN QUERY SELECT p.path, p.problem, p.hint, '22023' FROM health.model_problems(document) AS p;
    -- What the shape check has said about a place is not said again.
    IF 'as_of' = ANY (shape) THEN
        document := document - 'as_of';    -- no date: not to be said of every expression that is tried with it
    END IF;
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    RETURN QUERY SELECT f.path, f.problem, f.hint, f.code FROM pg_catalog.unnest(fields) AS f
        WHERE f.problem IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(shape) AS s (path)
                          WHERE f.path = s.path OR pg_catalog.starts_with(f.path, s.path || '.')
                                OR pg_catalog.starts_with(s.path, f.path || '.') OR s.path = f.source || '.table' OR s.path = '');
    RETURN QUERY SELECT z.path, z.problem, z.hint, '22023' FROM health_internal.unnamed_zones(document) AS z;
    RETURN QUERY SELECT c.path, c.problem, c.hint, '22023' FROM health_internal.capital_names(document, fields) AS c;
END;
$$;
COMMENT ON FUNCTION health_internal.validation_problems(jsonb, text) IS
    'Everything that is wrong with a model document, with the SQLSTATE of each problem';

CREATE FUNCTION health.validate_model(definition jsonb, OUT path text, OUT problem text, OUT hint text) RETURNS SETOF record
LANGUAGE sql
BEGIN ATOMIC
    SELECT p.* FROM health_internal.rows_as_owner(pg_catalog.quote_ident(current_user)::regrole, NULL,
        'SELECT p.path, p.problem, p.hint FROM health_internal.validation_problems($1::pg_catalog.jsonb, $2) AS p',
        definition::pg_catalog.text, health_internal.visible_schemas()) AS p (path text, problem text, hint text);
END;
COMMENT ON FUNCTION health.validate_model(jsonb) IS
    'Everything that is wrong with a model document, shape, tables and columns: the path, the problem, the way out. No row: it can be '
        'created';

-- Percentile references and table names become part of the version, so that a score does not move because something else moved.
CREATE FUNCTION health_internal.qualify_tables(document jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    qualified jsonb := document;
    source record;
BEGIN
    FOR source IN SELECT s.place, s.source AS value FROM health_internal.sources(document) AS s LOOP
        IF source.value ? 'table' THEN
            qualified := pg_catalog.jsonb_set(qualified, source.place || 'table'::text,
                                              pg_catalog.to_jsonb((health_internal.describe_source(source.value)).label));
        END IF;
    END LOOP;
    RETURN qualified;
END;
$$;
COMMENT ON FUNCTION health_internal.qualify_tables(jsonb) IS 'The document with every table written with its schema';

CREATE FUNCTION health_internal.check_definition(model_name text, definition jsonb, names_path text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problems health_internal.model_field[] := ARRAY(SELECT ROW(NULL, NULL, p.path, NULL, NULL, NULL, p.problem, p.hint,
        p.code)::health_internal.model_field
                                           FROM health_internal.validation_problems(definition, names_path) AS p);
BEGIN
    IF pg_catalog.cardinality(problems) = 1 THEN
        problems[1].path := pg_catalog.concat_ws(': ', pg_catalog.format('model "%s"', model_name), nullif(problems[1].path, ''));
        PERFORM health_internal.raise_field_problem(problems[1]);
    ELSIF pg_catalog.cardinality(problems) > 1 THEN
        RAISE EXCEPTION '%', pg_catalog.concat_ws(': ', pg_catalog.format('model "%s"', model_name), nullif(problems[1].path, ''),
                                                  problems[1].problem)
            USING ERRCODE = problems[1].code,
                  DETAIL = (SELECT 'There is more: ' || pg_catalog.string_agg(p.path || ': ' || p.problem, '; ')
                            FROM pg_catalog.unnest(problems[2:6]) AS p) || CASE WHEN pg_catalog.cardinality(problems) > 6 THEN '; ...'
                                ELSE '.' END,
                  HINT = coalesce(problems[1].hint, 'validate_model(definition) lists everything that is wrong.');
    END IF;
    RETURN health_internal.qualify_tables(health_internal.expand_preset(definition));
END;
$$;
COMMENT ON FUNCTION health_internal.check_definition(text, jsonb, text) IS
    'The complete document of a definition; raises its first problem, with the others as detail';

CREATE FUNCTION health_internal.check_model_name(name text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF name IS NULL OR name = '' OR length(name) > 100 THEN
        RAISE EXCEPTION 'the name of a model has 1 to 100 characters, not %', coalesce(length(name)::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For example customers.';
    END IF;
    IF EXISTS (SELECT 1 FROM health_internal.known_model AS k WHERE k.name = check_model_name.name) THEN
        RAISE EXCEPTION 'model "%" exists already', name
            USING ERRCODE = 'duplicate_object', HINT = 'Choose another name; alter_model(name, definition) makes a new version of a model.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_model_name(text) IS 'Raises an error unless a new model can have that name';

CREATE FUNCTION health_internal.create_model(name text, definition jsonb, comment text, visible text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document jsonb;
BEGIN
    PERFORM health_internal.check_model_name(name);
    SELECT r.document INTO document
    FROM health_internal.rows_as_owner(quote_ident(current_user)::regrole, NULL,
        'SELECT health_internal.freeze_references(health_internal.check_definition($1, $2::jsonb, $3), NULL)',
        name, definition::text, visible) AS r (document jsonb);
    INSERT INTO health_internal.model (name, current_version, comment) VALUES (name, 1, comment);
    PERFORM health_internal.add_version(name, 1, definition, document, visible);
    RETURN 1;
END;
$$;
COMMENT ON FUNCTION health_internal.create_model(text, jsonb, text, text) IS 'create_model() with the schemas in which names are looked up';

CREATE FUNCTION health.create_model(name text, definition jsonb, comment text DEFAULT NULL) RETURNS integer
LANGUAGE sql
BEGIN ATOMIC
    SELECT health_internal.create_model(name, definition, comment, health_internal.visible_schemas());
END;
COMMENT ON FUNCTION health.create_model(text, jsonb, text) IS
    'Checks a model document against the database, freezes its percentile references and stores it as version 1 (returned)';

CREATE FUNCTION health_internal.drop_null_keys(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT coalesce(pg_catalog.jsonb_object_agg(e.key, e.value), '{}')
    FROM pg_catalog.jsonb_each(document) AS e WHERE e.value <> 'null';
END;
COMMENT ON FUNCTION health_internal.drop_null_keys(jsonb) IS 'The document without its top-level keys that are null';

CREATE FUNCTION health.model_definition(name text, version integer DEFAULT NULL, complete boolean DEFAULT false) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model health_internal.model := health_internal.find_model(name);
    stored health_internal.model_version := health_internal.find_version(name, coalesce(version, model.current_version));
BEGIN
    RETURN CASE WHEN complete THEN stored.document ELSE stored.definition END;
END;
$$;
COMMENT ON FUNCTION health.model_definition(text, integer, boolean) IS
    'The document of a model as its author wrote it, by default of the current version; complete => true: with the preset spelled out, '
    'tables qualified and percentile references frozen. Either can be given to create_model again';

CREATE FUNCTION health_internal.refreeze_as_owner(model text, visible text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    present health_internal.model_version := health_internal.find_version(model, opened.current_version);
    document jsonb;
BEGIN
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = refreeze_as_owner.model FOR UPDATE;
    document := health_internal.freeze_references(health_internal.check_definition(model, present.definition, visible), NULL);
    IF document = present.document THEN
        RETURN present.version;
    END IF;
    PERFORM health_internal.add_version(model, present.version + 1, present.definition, document, visible);
    RETURN present.version + 1;
END;
$$;
COMMENT ON FUNCTION health_internal.refreeze_as_owner(text, text) IS 'refreeze_references() as the owner of the model';

CREATE FUNCTION health.refreeze_references(model text) RETURNS integer
LANGUAGE sql
BEGIN ATOMIC
    SELECT r.version
    FROM health_internal.rows_as_owner(health_internal.regrole((health_internal.open_model(model)).owner), 'pg_catalog, pg_temp',
        'SELECT health_internal.refreeze_as_owner($1, $2)', model, health_internal.visible_schemas()) AS r (version integer);
END;
COMMENT ON FUNCTION health.refreeze_references(text) IS
    'Takes percentile references, medians and fitted parameters of a model from today''s book again; the outcome is a new version, whose '
    'number is returned';

CREATE FUNCTION health.models(OUT model text, OUT owner name, OUT version integer, OUT tracked boolean, OUT comment text,
    OUT created_at timestamptz)
RETURNS SETOF record
LANGUAGE sql STABLE ROWS 10
BEGIN ATOMIC
    SELECT m.name, pg_catalog.pg_get_userbyid(health_internal.regrole(m.owner)), m.current_version, health_internal.is_tracked(m.name),
           m.comment, m.created_at
    FROM health_internal.model AS m ORDER BY m.name;
END;
COMMENT ON FUNCTION health.models() IS
    'The models that the current user may use: name, owner, current version, whether it is tracked, comment, when it was created';

CREATE FUNCTION health.model_versions(model text, OUT version integer, OUT created_at timestamptz, OUT created_by name) RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.find_model(model);
    RETURN QUERY SELECT v.version, v.created_at, v.created_by FROM health_internal.model_version AS v
                 WHERE v.model = model_versions.model ORDER BY v.version;
END;
$$;
COMMENT ON FUNCTION health.model_versions(text) IS
    'The versions of a model: number, when and by whom each was made; model_definition(model, version) has the document';
-- Reading of tracked tables: rows to chunks of ledgers.

CREATE FUNCTION health_internal.fold_events(source integer, leaf oid, from_block bigint, to_block bigint, part integer,
                                   first_period date DEFAULT '-infinity',
                                   OUT events bigint, OUT bad_rows bigint, OUT names text[], OUT days date[], OUT counts bigint[])
    AS 'MODULE_PATHNAME', 'health_fold_events'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION health_internal.fold_events(integer, oid, bigint, bigint, integer, date) IS
    'reads the rows in blocks [from_block, to_block) of a tracked table or partition and inserts their ledgers, from first_period on, '
        'into the chunks of the source: one per account, quarter and part. Returns the events, the rows that are none, and how many '
        'events of each name each local day has. For the owner of the ledgers; internal to tracking';
-- Change capture: the trigger of tracked tables, and what is done with the changes that it writes.

CREATE FUNCTION health_internal.capture() RETURNS trigger
LANGUAGE c PARALLEL SAFE
AS 'MODULE_PATHNAME', 'health_capture';
COMMENT ON FUNCTION health_internal.capture() IS
    'Trigger of tracked tables, made by health.track(): after each row it notes what the row''s event changes, and writes that when the '
        'transaction commits. It never makes a writer fail';

CREATE FUNCTION health_internal.fold_changes(changes bytea[])
RETURNS TABLE (account_id text, period date, usage health.usage, bad_rows bigint)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'health_fold_changes';
COMMENT ON FUNCTION health_internal.fold_changes(bytea[]) IS
    'Captured changes as ledgers per account and calendar quarter, without those that come to nothing; one more row with the number of '
        'rows that are no event if that is not 0. NULL pieces are left out';

CREATE FUNCTION health_internal.pending_changes(changes bytea, read_blocks bigint[]) RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'health_pending_changes';
COMMENT ON FUNCTION health_internal.pending_changes(bytea, bigint[]) IS
    'Captured changes without those of rows in the given ranges of blocks (from, to, from, to ...; the upper bounds excluded); NULL when '
        'none is left';

CREATE FUNCTION health_internal.count_changes(changes bytea) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50
AS 'MODULE_PATHNAME', 'health_count_changes';
COMMENT ON FUNCTION health_internal.count_changes(bytea) IS 'The number of changes in a captured piece; an update counts as two';

CREATE FUNCTION health_internal.is_change_table(relation oid, owner oid) RETURNS boolean
LANGUAGE c STRICT STABLE PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'health_is_change_table';
COMMENT ON FUNCTION health_internal.is_change_table(oid, oid) IS
    'Whether a table is what capture can write changes to, of that owner; false when there is none';
-- track and untrack: ledgers beside the event tables of a model, with triggers that capture changes, or with a window that is read again.

CREATE FUNCTION health_internal.trigger_name(source integer) RETURNS name
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT ('account_health_capture_' || source)::name;
END;
COMMENT ON FUNCTION health_internal.trigger_name(integer) IS 'Name of the capture trigger of a ledger source';

-- Of partitions the leaves, else the table itself.
CREATE FUNCTION health_internal.leaf_tables(relation oid) RETURNS TABLE (leaf oid, relfilenode oid, blocks bigint)
LANGUAGE sql VOLATILE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.oid, c.relfilenode, pg_relation_size(c.oid) / current_setting('block_size')::bigint
    FROM pg_class AS c
    WHERE c.oid = relation AND c.relkind = 'r'
       OR c.relkind = 'r' AND c.oid IN (SELECT t.relid FROM pg_partition_tree(relation) AS t WHERE t.isleaf);
$$;
COMMENT ON FUNCTION health_internal.leaf_tables(oid) IS
    'The tables that hold the rows of a table: its leaf partitions, or itself; with file and size in blocks';

-- Rows as they are to stand in health_internal.ledger_source; ids and tables are still missing.
CREATE FUNCTION health_internal.compile_ledger_sources(model_name text, version health_internal.model_version, window_days integer)
    RETURNS SETOF health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document jsonb := version.document;
    fields health_internal.model_field[];
    guarded health_internal.model_field[];
    account health_internal.model_field;
    occurred health_internal.model_field;
    user_cast text;
    source health_internal.ledger_source;
    account_cast text;
    events record;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    -- Capture reads the expressions themselves, and knows what to do when they fail.
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document, guarded => false) AS f);
    guarded := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    PERFORM health_internal.raise_first_problem(model_name, fields);
    source.account_kind := (health_internal.account_form(fields)).kind;
    source.user_kind := (health_internal.user_form(fields)).kind;
    account_cast := health_internal.id_cast(source.account_kind);
    user_cast := health_internal.id_cast(source.user_kind);
    source.model := model_name;
    source.window_days := window_days;
    source.search_path := version.search_path;
    FOR events IN SELECT e.path, e.source FROM health_internal.event_sources(document) AS e LOOP
        account := health_internal.field_of(fields, events.path, 'account');
        occurred := health_internal.field_of(fields, events.path, 'occurred_at');
        source.path := events.path;
        source.account := coalesce(account.expression || account_cast, '');
        source.user_id := (health_internal.field_of(fields, events.path, 'user')).expression || user_cast;
        source.event := (health_internal.field_of(fields, events.path, 'event')).expression || '::pg_catalog.text';
        source.moment := health_internal.compile_moment(occurred, events.source ->> 'time_zone', true);
        source.time_zone := health_internal.moment_zone(occurred, events.source ->> 'time_zone', coalesce(document ->> 'time_zone', 'UTC'));
        source.amount := (health_internal.field_of(fields, events.path, 'amount')).expression || '::pg_catalog.float8';
        source.filter := (health_internal.field_of(fields, events.path, 'filter')).expression;
        source.event_rows := health_internal.compile_event_rows(guarded, events.path, events.source ->> 'time_zone',
                                                       account_cast, user_cast);
        source.relation := NULL;
        source.relation_name := NULL;
        IF window_days IS NULL THEN
            source.relation := pg_catalog.to_regclass(events.source ->> 'table')::oid;
            source.relation_name := events.source ->> 'table';
        END IF;
        RETURN NEXT source;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_ledger_sources(text, health_internal.model_version, integer) IS
    'The event sources of a model version as rows of health_internal.ledger_source, without ids and tables';

CREATE FUNCTION health_internal.raise_unfit(model_name text, path text, problem text, hint text,
    code text DEFAULT 'feature_not_supported') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'model "%": changes of % cannot be captured: %', model_name, path, problem
        USING ERRCODE = code,
              HINT = concat_ws(' ', hint, format('Or have the last days read again instead: SELECT health.track(%L, window_days => 7);',
                  model_name));
END;
$$;
COMMENT ON FUNCTION health_internal.raise_unfit(text, text, text, text, text) IS
    'Raises the error for a source that triggers cannot follow, with the mode that fits';

-- Of a kind of storage whose rows or changes cannot be followed.
CREATE FUNCTION health_internal.unfit_table(relation oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT u.words
    FROM (SELECT 1 AS position, format('%s has child tables that are not partitions', c.oid::regclass) AS words
          FROM pg_class AS c
          WHERE c.oid = relation AND c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhparent = c.oid)
          UNION ALL
          SELECT 2, format('%s is %s', c.oid::regclass, CASE WHEN c.relkind = 'f' THEN 'a foreign table'
                           WHEN c.relpersistence = 'u' THEN 'unlogged' WHEN c.relpersistence = 't' THEN 'temporary'
                           ELSE 'not stored as a heap' END)
          FROM pg_class AS c
          WHERE (c.oid = relation OR c.oid IN (SELECT t.relid FROM pg_partition_tree(relation) AS t WHERE t.isleaf))
            AND (c.relkind = 'f' OR c.relpersistence <> 'p' OR c.relkind = 'r'
                AND c.relam <> (SELECT a.oid FROM pg_am AS a WHERE a.amname = 'heap'))) AS u
    ORDER BY u.position, u.words LIMIT 1;
$$;
COMMENT ON FUNCTION health_internal.unfit_table(oid) IS
    'What keeps triggers from following a table or one of its partitions, in words; NULL when nothing does';

CREATE FUNCTION health_internal.check_trackable(source health_internal.ledger_source) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    class pg_class;
    barred text;
BEGIN
    IF source.relation IS NULL THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, 'it reads a query', 'Name the table itself, with a "filter".');
    END IF;
    SELECT c.* INTO class FROM pg_class AS c WHERE c.oid = source.relation;
    IF class.relkind NOT IN ('r', 'p') THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('%s is a %s', source.relation_name,
            CASE class.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END), NULL, 'wrong_object_type');
    ELSIF source.account = '' THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, 'its rows have no account of their own',
            format('Name the column with the account id as %s.account.', source.path));
    ELSIF NOT has_table_privilege(source.relation, 'TRIGGER') THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('permission denied to create a trigger on %s',
            source.relation_name),
            format('GRANT TRIGGER ON %s TO %I;', source.relation_name, current_user), 'insufficient_privilege');
    END IF;
    -- PostgreSQL copies the trigger to the partitions, and asks for the right on each of them.
    SELECT string_agg(t.relid::text, ', ' ORDER BY t.relid::text) INTO barred
    FROM pg_partition_tree(source.relation) AS t WHERE NOT has_table_privilege(t.relid, 'TRIGGER');
    IF barred IS NOT NULL THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('permission denied to create a trigger on partitions of %s',
            source.relation_name),
            format('GRANT TRIGGER ON %s TO %I;', barred, current_user), 'insufficient_privilege');
    ELSIF row_security_active(source.relation) THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('row security of %s applies to %s', source.relation_name,
            current_user), NULL, 'insufficient_privilege');
    ELSIF NOT has_table_privilege(source.relation, 'SELECT') THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('permission denied to read all of %s', source.relation_name),
            format('GRANT SELECT ON %s TO %I;', source.relation_name, current_user), 'insufficient_privilege');
    END IF;
    PERFORM health_internal.raise_unfit(source.model, source.path, u.words, NULL)
    FROM health_internal.unfit_table(source.relation) AS u (words) WHERE u.words IS NOT NULL;
    BEGIN
        PERFORM health_internal.check_ledger_source(source.relation, source.account, source.user_id, source.event, source.moment,
            source.amount, source.filter, source.account_kind, source.user_kind, source.time_zone, source.search_path);
    EXCEPTION WHEN invalid_object_definition OR feature_not_supported OR grouping_error OR windowing_error THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, sqlerrm, NULL);
    END;
END;
$$;
COMMENT ON FUNCTION health_internal.check_trackable(health_internal.ledger_source) IS
    'Raises an error, with the mode that fits, when triggers cannot follow the changes of a source';

CREATE FUNCTION health_internal.create_change_table(source integer) RETURNS regclass
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.create_data_table('change', source, '{leaf,xact,generation,changes,written_at}',
                                             '{oid,xid8,integer,bytea,timestamptz}')::regclass;
$$;
COMMENT ON FUNCTION health_internal.create_change_table(integer) IS 'Makes the table that takes the captured changes of a source';

-- DDL waits for whoever uses a table, and behind it waits everybody else who wants to: so it waits for a moment only, lets go of all that
-- it
-- has got, and tries again. The moment is shorter than what it takes PostgreSQL to look for deadlocks: no writer is ever the victim of one.
CREATE FUNCTION health_internal.short_wait() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT least(nullif(l.setting::integer, 0), d.setting::integer / 2, 200)::text || 'ms'
    FROM pg_settings AS l, pg_settings AS d WHERE l.name = 'lock_timeout' AND d.name = 'deadlock_timeout';
$$;
COMMENT ON FUNCTION health_internal.short_wait() IS
    'A lock_timeout that nobody suffers from: that of the session, at most 200 ms and half of deadlock_timeout';

CREATE FUNCTION health_internal.run_ddl(statements text[], patience interval) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Settings that are changed in a block are as they were when it fails, and are put back when it does not.
    present CONSTANT text := current_setting('lock_timeout');
    until CONSTANT timestamptz := clock_timestamp() + patience;
    statement text;
    done boolean := false;
BEGIN
    WHILE NOT done LOOP
        BEGIN
            PERFORM set_config('lock_timeout', health_internal.short_wait(), true);
            FOREACH statement IN ARRAY statements LOOP
                EXECUTE statement;
            END LOOP;
            PERFORM set_config('lock_timeout', present, true);
            done := true;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            EXIT WHEN clock_timestamp() > until;
            PERFORM pg_sleep(0.05 + random() * 0.1);
        END;
    END LOOP;
    RETURN done;
END;
$$;
COMMENT ON FUNCTION health_internal.run_ddl(text[], interval) IS
    'Executes statements that need strong locks, all or none: again and again, with short waits, until they get through; false when '
    'they do '
    'not for so long';

CREATE FUNCTION health_internal.raise_busy(model_name text, tables text, patience interval, again text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'model "%": % is in use', model_name, tables
        USING ERRCODE = 'lock_not_available',
              DETAIL = format('A transaction that began before goes on using it; nobody was made to wait behind it for more than a moment, '
                              'and nothing has changed. It was tried for %s seconds.', round(extract(epoch FROM patience))),
              HINT = format('Try again when it has ended: %s pg_locks and pg_stat_activity show who it is.', again);
END;
$$;
COMMENT ON FUNCTION health_internal.raise_busy(text, text, interval, text) IS
    'Raises the error of DDL that does not get its locks, with the statement that tries again';

-- Fires for what logical replication applies and for sessions that have set session_replication_role, too, which takes the owner of the
-- table.
CREATE FUNCTION health_internal.always_fire(model text, arguments text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    class oid := arguments[1]::oid;
    trigger_name CONSTANT name := health_internal.trigger_name(arguments[2]::integer);
BEGIN
    IF EXISTS (SELECT FROM health_internal.ledger_source_table AS s WHERE s.id = arguments[2]::integer AND s.model = always_fire.model)
       AND EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = class AND t.tgname = trigger_name
                   AND t.tgfoid = 'health_internal.capture'::regproc) THEN
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', class::regclass, trigger_name);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.always_fire(text, text[]) IS
    'Has the capture trigger of a source fire whoever writes, run by act_on_model(): table, source';

CREATE FUNCTION health_internal.trigger_statements(source health_internal.ledger_source) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY[
        format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION health_internal.capture(%L)',
               health_internal.trigger_name(source.id), source.relation::regclass, source.id),
        format('SELECT health_internal.act_on_model(%L, ''always_fire'', %L, %L)', source.model, source.relation, source.id)];
$$;
COMMENT ON FUNCTION health_internal.trigger_statements(health_internal.ledger_source) IS
    'SQL that creates the capture trigger of a source; PostgreSQL copies it to present and future partitions';

-- In the order of their tables, whoever creates or drops.
CREATE FUNCTION health_internal.create_triggers(sources health_internal.ledger_source[], patience interval, again text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    statements text[] := ARRAY[]::text[];
    source health_internal.ledger_source;
BEGIN
    FOR source IN SELECT s.* FROM unnest(sources) AS s ORDER BY s.relation, s.id LOOP
        statements := statements || health_internal.trigger_statements(source);
    END LOOP;
    IF NOT health_internal.run_ddl(statements, patience) THEN
        PERFORM health_internal.raise_busy(sources[1].model, (SELECT string_agg(DISTINCT s.relation::regclass::text, ', ')
            FROM unnest(sources) AS s), patience, again);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.create_triggers(health_internal.ledger_source[], interval, text) IS
    'Creates the capture triggers of some sources, all or none';

CREATE FUNCTION health_internal.create_ledger_source(source health_internal.ledger_source) RETURNS health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Its row first: it says whose the tables are.
    INSERT INTO health_internal.ledger_source (model, path, window_days, relation, relation_name, chunk_table, account, user_id, event,
        moment,
                                               amount, filter, account_kind, user_kind, time_zone, search_path, event_rows)
    VALUES (source.model, source.path, source.window_days, source.relation, source.relation_name, 0, source.account, source.user_id,
            source.event, source.moment, source.amount, source.filter, source.account_kind, source.user_kind, source.time_zone,
            source.search_path, source.event_rows)
    RETURNING id INTO source.id;
    source.chunk_table := health_internal.create_data_table('chunk', source.id, '{account_id,period,part,usage}',
        source.account_kind::regtype || '{date,integer,health.usage}'::regtype[], '{account_id,period,part}')::regclass;
    IF source.relation IS NOT NULL THEN
        source.change_table := health_internal.create_change_table(source.id);
    END IF;
    UPDATE health_internal.ledger_source AS s SET chunk_table = source.chunk_table, change_table = source.change_table,
           change_file = pg_relation_filenode(source.change_table)
    WHERE s.id = source.id RETURNING s.* INTO source;
    RETURN source;
END;
$$;
COMMENT ON FUNCTION health_internal.create_ledger_source(health_internal.ledger_source) IS
    'Stores a source and makes its tables; its trigger is still missing';

CREATE FUNCTION health_internal.drop_trigger_statements(sources health_internal.ledger_source[]) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    statements text[] := ARRAY[]::text[];
    found_trigger record;
BEGIN
    FOR found_trigger IN
        SELECT s.model, c.oid::regclass AS relation, t.tgname, pg_has_role(c.relowner, 'USAGE') AS droppable
        FROM unnest(sources) AS s JOIN pg_class AS c ON c.oid = s.relation
        JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgname = health_internal.trigger_name(s.id) ORDER BY c.oid, s.id
    LOOP
        -- The right to create triggers is not that to drop them.
        IF NOT found_trigger.droppable THEN
            RAISE EXCEPTION 'model "%": permission denied to drop the trigger on %', found_trigger.model, found_trigger.relation
                USING ERRCODE = 'insufficient_privilege',
                      HINT = format('Its owner runs: DROP TRIGGER %I ON %s; then call untrack again.', found_trigger.tgname,
                                    found_trigger.relation);
        END IF;
        statements := statements || format('DROP TRIGGER %I ON %s', found_trigger.tgname, found_trigger.relation);
    END LOOP;
    RETURN statements;
END;
$$;
COMMENT ON FUNCTION health_internal.drop_trigger_statements(health_internal.ledger_source[]) IS
    'SQL that takes the capture triggers of some sources off, in the order in which they are made';
-- What the scores of a tracked model stand for: one row in health_data.state_N.

CREATE TYPE health_internal.store_state AS (
    as_of date,
    model_version integer,
    broken text,
    excluded_users text[],
    all_stale boolean,
    ledger_start date,
    outages date[],
    book float8[]
);
COMMENT ON TYPE health_internal.store_state IS 'Internal: what the scores of a tracked model stand for';
COMMENT ON COLUMN health_internal.store_state.as_of IS 'Day of the scores; NULL: none yet';
COMMENT ON COLUMN health_internal.store_state.model_version IS 'Version of the model that they are by';
COMMENT ON COLUMN health_internal.store_state.broken IS 'Why as_of is an earlier day than today (tracking_broke); NULL when it is not';
COMMENT ON COLUMN health_internal.store_state.excluded_users IS 'Users whose activity does not count, by the user source';
COMMENT ON COLUMN health_internal.store_state.all_stale IS 'Whether every account is to be scored again';
COMMENT ON COLUMN health_internal.store_state.ledger_start IS 'First day that the ledgers keep';
COMMENT ON COLUMN health_internal.store_state.outages IS 'First and last days, by turns, on which tracking was broken lately';
COMMENT ON COLUMN health_internal.store_state.book IS
    'What the whole book did in each signal that is held against it; NULL when none is';

CREATE FUNCTION health_internal.read_state(id integer) RETURNS health_internal.store_state
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state health_internal.store_state;
BEGIN
    IF to_regclass(health_internal.data_table('state', id)) IS NOT NULL THEN
        EXECUTE format('SELECT s.as_of, s.model_version, s.broken, s.excluded_users, s.all_stale, s.ledger_start, s.outages, s.book '
                       'FROM %s AS s',
            health_internal.data_table('state', id))
        INTO state;
    END IF;
    RETURN state;
END;
$$;
COMMENT ON FUNCTION health_internal.read_state(integer) IS 'What the scores of a tracked model stand for; all NULL before its first book';

CREATE FUNCTION health_internal.mark_all_stale(tracking health_internal.tracking) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass(health_internal.data_table('state', tracking.id)) IS NOT NULL THEN
        EXECUTE format('UPDATE %s SET all_stale = true WHERE NOT all_stale', health_internal.data_table('state', tracking.id));
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.mark_all_stale(health_internal.tracking) IS
    'Has the next refresh score every account of a tracked model';
-- Reading what is there already: batches of block ranges, each with the snapshot that it was read with.
--
-- A captured change of a block counts unless the snapshot that read the block has seen it, so that writers go on while a table is read, and
-- nothing is missed or counted twice. Everything here is one transaction's worth of work, safe to be cut off anywhere.

CREATE FUNCTION health_internal.history_start(document jsonb, as_of date) RETURNS date
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN months > 0 AND as_of > '0001-01-01'::date + months * 31 THEN (as_of - make_interval(months => months))::date
        ELSE '-infinity' END
    FROM (SELECT coalesce((document #>> '{history,retention_months}')::integer, 24) AS months) AS kept;
$$;
COMMENT ON FUNCTION health_internal.history_start(jsonb, date) IS
    'The first day that a tracked model keeps: history.retention_months (24) before as_of; 0 keeps all';

CREATE FUNCTION health_internal.ledger_start(document jsonb, as_of date) RETURNS date
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT health_internal.period_start(health_internal.history_start(document, as_of));
END;
COMMENT ON FUNCTION health_internal.ledger_start(jsonb, date) IS 'First day of the oldest quarter that a ledger keeps';

CREATE FUNCTION health_internal.model_today(document jsonb) RETURNS date
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    today date;
BEGIN
    EXECUTE 'SELECT ' || health_internal.model_clock(document, NULL) INTO today;
    RETURN today;
END;
$$;
COMMENT ON FUNCTION health_internal.model_today(jsonb) IS 'The day that a model is scored as of now';

-- Changes that are visible now are part of what every later snapshot reads.
CREATE FUNCTION health_internal.restart_source(source health_internal.ledger_source, reason text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM health_internal.ledger_batch AS b WHERE b.source = source.id) THEN
        RAISE NOTICE 'model "%": % is read again: %', source.model, source.path, reason;
    END IF;
    EXECUTE format('DELETE FROM %s', source.chunk_table::regclass);
    EXECUTE format('DELETE FROM %s', source.change_table::regclass);
    PERFORM health_internal.delete_rows(source.model, 'batches', source.id::text),
            health_internal.delete_rows(source.model, 'gaps', source.id::text),
            health_internal.delete_rows(source.model, 'days', source.id::text);
    UPDATE health_internal.ledger_source AS s SET read_at = NULL, bad_rows = 0 WHERE s.id = source.id;
    PERFORM health_internal.mark_all_stale(t) FROM health_internal.tracking AS t WHERE t.model = source.model;
END;
$$;
COMMENT ON FUNCTION health_internal.restart_source(health_internal.ledger_source, text) IS
    'Empties the ledger of a tracked source and plans to read its table again';

-- Others that read its rows by what they were in the meantime say so by their generation.
CREATE FUNCTION health_internal.read_otherwise(source health_internal.ledger_source) RETURNS health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE health_internal.ledger_source AS s SET generation = s.generation + 1 WHERE s.id = source.id RETURNING s.* INTO source;
    PERFORM health_internal.announce_change(c.oid) FROM pg_class AS c WHERE c.oid = source.change_table;
    RETURN source;
END;
$$;
COMMENT ON FUNCTION health_internal.read_otherwise(health_internal.ledger_source) IS
    'Has the rows of a tracked source read in another way from now on: what is captured in the present way is not folded in any more';

-- PostgreSQL leaves an index that was dropped in relhasindex until the next VACUUM.
CREATE FUNCTION health_internal.remake_change_table(source health_internal.ledger_source) RETURNS health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name CONSTANT text := health_internal.data_table('change', source.id);
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        EXECUTE 'DROP TABLE ' || name;
    END IF;
    UPDATE health_internal.ledger_source AS s SET change_table = t.change_table, change_file = pg_relation_filenode(t.change_table)
    FROM health_internal.create_change_table(source.id) AS t (change_table) WHERE s.id = source.id RETURNING s.* INTO source;
    RETURN source;
EXCEPTION WHEN dependent_objects_still_exist THEN
    RAISE EXCEPTION 'model "%": % is not as it was made, so that no changes can be captured in it', source.model, name
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'It cannot be made again, because other objects depend on it.',
              HINT = format('Drop what depends on it, then CALL health.refresh(%L); makes it again and reads the events.', source.model);
END;
$$;
COMMENT ON FUNCTION health_internal.remake_change_table(health_internal.ledger_source) IS
    'Makes the change table of a source again, when it is missing or not what capture can write to';

-- After a restore the tables have other oids; found by name, they are read again.
CREATE FUNCTION health_internal.relink_source(source health_internal.ledger_source) RETURNS health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_relation oid := to_regclass(source.relation_name);
    chunks oid := to_regclass(health_internal.data_table('chunk', source.id));
    changes oid := to_regclass(health_internal.data_table('change', source.id));
    fit CONSTANT boolean := source.window_days IS NOT NULL OR coalesce(health_internal.is_change_table(changes, source.owner::oid), false);
    statement text;
BEGIN
    IF chunks IS NULL OR source.window_days IS NULL AND found_relation IS NULL THEN
        RAISE EXCEPTION 'model "%": % does not exist any more', source.model,
            CASE WHEN chunks IS NULL THEN health_internal.data_table('chunk', source.id) ELSE source.relation_name END
            USING ERRCODE = 'undefined_table',
                  HINT = CASE WHEN chunks IS NULL THEN format('SELECT health.untrack(%1$L), health.track(%1$L); makes its ledger anew.',
                                                                     source.model)
                              ELSE 'alter_model(name, definition) names another table; drop_model(name, cascade => true) drops the model '
                                   'with its ledger.' END;
    END IF;
    IF source.window_days IS NOT NULL AND chunks = source.chunk_table
       OR found_relation = source.relation AND chunks = source.chunk_table AND changes = source.change_table AND fit
          AND pg_relation_filenode(changes) = source.change_file THEN
        RETURN source;
    END IF;
    IF found_relation <> source.relation
       AND pg_has_role((SELECT c.relowner FROM pg_class AS c WHERE c.oid = source.relation), 'USAGE') THEN
        -- The table that had the name may get it back, and then gets another trigger: sessions know the one that it has as one of no
        -- source.
        FOREACH statement IN ARRAY health_internal.drop_trigger_statements(ARRAY[source]) LOOP
            EXECUTE statement;
        END LOOP;
    END IF;
    UPDATE health_internal.ledger_source AS s SET relation = CASE WHEN s.window_days IS NULL THEN found_relation END,
           chunk_table = chunks, change_table = changes, change_file = pg_relation_filenode(changes)
    WHERE s.id = source.id RETURNING s.* INTO source;
    IF NOT fit THEN
        -- Whoever writes waits for what this locks until the transaction ends: what was read is thrown away by the next one.
        source := health_internal.remake_change_table(source);
        UPDATE health_internal.ledger_batch AS b SET trigger_version = NULL WHERE b.source = source.id;
    ELSIF source.window_days IS NULL THEN
        PERFORM health_internal.restart_source(source, 'its tables were made anew or emptied');
    END IF;
    RETURN source;
END;
$$;
COMMENT ON FUNCTION health_internal.relink_source(health_internal.ledger_source) IS
    'Finds the tables of a source by name when they are not those of the catalog row, makes its change table again when it is not fit, and '
    'plans to read its rows again';

-- Another one once the trigger was disabled and enabled, or the partition detached and attached: nothing captured what came in between.
CREATE FUNCTION health_internal.trigger_version(source integer, leaf oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.oid || '/' || t.xmin FROM pg_trigger AS t
    WHERE t.tgrelid = leaf AND t.tgname = health_internal.trigger_name(source) AND t.tgfoid = 'health_internal.capture'::regproc;
$$;
COMMENT ON FUNCTION health_internal.trigger_version(integer, oid) IS
    'The capture trigger of a table and when it was last changed; NULL without one';

-- A trigger that fires only for sessions in the role of an origin sees nothing of what logical replication applies.
CREATE FUNCTION health_internal.uncaptured_leaf(source health_internal.ledger_source) RETURNS regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.oid::regclass
    FROM pg_class AS c
    WHERE (c.oid = source.relation OR c.oid IN (SELECT t.relid FROM pg_partition_tree(source.relation) AS t WHERE t.isleaf))
      AND NOT EXISTS (SELECT 1 FROM pg_trigger AS t
                      WHERE t.tgrelid = c.oid AND t.tgname = health_internal.trigger_name(source.id) AND t.tgenabled = 'A'
                        AND t.tgfoid = 'health_internal.capture'::regproc)
    ORDER BY c.oid <> source.relation, c.oid LIMIT 1;
$$;
COMMENT ON FUNCTION health_internal.uncaptured_leaf(health_internal.ledger_source) IS
    'A table of a source whose changes no trigger captures whoever makes them; NULL when all are captured';

-- What a function calls in its turn is not looked at. A partition is asked rather than its table, which is locked while partitions come and
-- go.
CREATE FUNCTION health_internal.source_code(source health_internal.ledger_source) RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT md5(concat(
        (SELECT string_agg(concat_ws('/', p.oid, p.prolang, p.provolatile, p.proisstrict, p.prosrc, p.probin, p.prosqlbody::text,
                                     p.proconfig::text), '|' ORDER BY p.oid)
         FROM pg_proc AS p WHERE p.oid = ANY (m.functions)), '||',
        (SELECT string_agg(concat_ws('/', t.oid, t.typbasetype, t.typtypmod,
                                     (SELECT string_agg(e.enumlabel, ',' ORDER BY e.oid) FROM pg_enum AS e WHERE e.enumtypid = t.oid),
                                     (SELECT string_agg(pg_get_constraintdef(c.oid), ',' ORDER BY c.oid) FROM pg_constraint AS c
                                      WHERE c.contypid = t.oid)), '|' ORDER BY t.oid)
         FROM pg_type AS t WHERE t.oid = ANY (m.types)), '||',
        -- Columns of a partition may stand in another order than those of its table.
        (SELECT string_agg(concat_ws('/', r.attnum, r.atttypid, r.atttypmod, r.attcollation, r.attgenerated,
                                     pg_get_expr(d.adbin, d.adrelid)), '|' ORDER BY n.position)
         FROM unnest(m.columns) WITH ORDINALITY AS n (attnum, position)
         JOIN pg_attribute AS a ON a.attrelid = one.leaf AND a.attnum = n.attnum
         JOIN pg_attribute AS r ON r.attrelid = source.relation AND r.attname = a.attname
         LEFT JOIN pg_attrdef AS d ON d.adrelid = r.attrelid AND d.adnum = r.attnum AND r.attgenerated <> '')))
    FROM (SELECT coalesce((SELECT min(l.leaf) FROM health_internal.leaf_tables(source.relation) AS l), source.relation)) AS one (leaf),
         health_internal.made_objects(source.id, one.leaf) AS m;
$$;
COMMENT ON FUNCTION health_internal.source_code(health_internal.ledger_source) IS
    'Digest of the functions, types and columns of users that the expressions of a tracked source use; an error when they do not fit its '
    'table';

-- Once it cannot be said any more what the ledger stands for, the source is read from the start.
CREATE FUNCTION health_internal.find_restart_reason(source health_internal.ledger_source) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text;
    lost boolean;
    other boolean;
BEGIN
    SELECT CASE WHEN l.leaf IS NULL THEN 'a partition is gone'
                WHEN b.relfilenode <> l.relfilenode THEN format('%s was truncated or rewritten', l.leaf::regclass)
                ELSE format('for a time no trigger captured the changes of %s', l.leaf::regclass) END
    INTO reason
    FROM health_internal.ledger_batch AS b
    -- guard gone_partition {
    LEFT
    -- }
    JOIN health_internal.leaf_tables(source.relation) AS l ON l.leaf = b.leaf
    WHERE b.source = source.id
      AND (false
           -- guard other_file {
           OR b.relfilenode IS DISTINCT FROM l.relfilenode
           -- }
           -- guard other_trigger {
           OR b.trigger_version IS DISTINCT FROM health_internal.trigger_version(source.id, b.leaf)
           -- }
          )
    LIMIT 1;
    IF reason IS NULL AND NOT health_internal.is_change_table(source.change_table, source.owner::oid) THEN
        reason := format('%s is not as it was made', health_internal.data_table_name('change', source.id));
    ELSIF reason IS NULL AND source.change_file <> pg_relation_filenode(source.change_table) THEN
        reason := format('%s was emptied', source.change_table::regclass);
    ELSIF reason IS NULL THEN
        EXECUTE format('SELECT coalesce(bool_or(c.changes IS NULL), false), coalesce(bool_or(c.generation <> $1), false) FROM %s AS c '
            'WHERE c.changes IS NULL OR c.generation <> $1', source.change_table::regclass) INTO lost, other USING source.generation;
        reason := CASE WHEN lost THEN 'some of its rows could not be read as events when they changed'
                       WHEN other THEN 'some of its changes were captured as it was read before' END;
    END IF;
    IF reason IS NULL AND EXISTS (SELECT FROM health_internal.capture_gap AS g WHERE g.source = source.id) THEN
        reason := 'some of its changes could not be captured';
    END IF;
    RETURN reason;
END;
$$;
COMMENT ON FUNCTION health_internal.find_restart_reason(health_internal.ledger_source) IS
    'Why a tracked source must be read from the start; NULL when it need not';

-- What the owner may not read any more is not brought to him by the ledger either.
CREATE FUNCTION health_internal.unreadable_reason(source health_internal.ledger_source) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN NOT has_schema_privilege(source.owner, c.relnamespace, 'USAGE')
                    THEN format('%s has no right to use schema %s', source.owner, c.relnamespace::regnamespace)
                WHEN NOT has_table_privilege(source.owner, c.oid, 'SELECT') THEN format('%s may not read %s', source.owner, c.oid::regclass)
                WHEN c.relrowsecurity AND row_security_active(c.oid) THEN format('row security of %s applies to %s', c.oid::regclass,
                    source.owner) END
    FROM pg_class AS c WHERE c.oid = source.relation;
$$;
COMMENT ON FUNCTION health_internal.unreadable_reason(health_internal.ledger_source) IS
    'Why the owner of a tracked source, who is the current user, may not read its table any more; NULL when he may';

CREATE FUNCTION health_internal.raise_misread(source health_internal.ledger_source, relation oid, code text, message text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'model "%": the rows of % cannot be read as %: %', source.model, relation::regclass, source.path, message
        USING ERRCODE = code,
              HINT = 'When the table has changed, alter_model(name, definition) says how to read it now; nothing is lost meanwhile.';
END;
$$;
COMMENT ON FUNCTION health_internal.raise_misread(health_internal.ledger_source, oid, text, text) IS
    'Raises the error of expressions that do not fit their table any more';

-- Another function or type of the same name has another meaning of every row.
CREATE FUNCTION health_internal.check_source_code(source health_internal.ledger_source) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present text;
BEGIN
    BEGIN
        present := health_internal.source_code(source);
    EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_object_definition OR invalid_schema_name OR feature_not_supported THEN
        PERFORM health_internal.raise_misread(source, source.relation, sqlstate, sqlerrm);
    END;
    UPDATE health_internal.ledger_source AS s SET code = present
    WHERE s.id = source.id AND s.code IS DISTINCT FROM present;
    IF source.code <> present THEN
        PERFORM health_internal.read_otherwise(source);
        RETURN 'a function, type or column that its expressions use is another one now';
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.check_source_code(health_internal.ledger_source) IS
    'Whether the functions and types that a tracked source calls are those that its ledger was read with; if not, it is read otherwise '
    'from '
    'now on, and the reason to read it again comes back. An error when its expressions do not fit the table any more';

-- Whoever writes waits for what this locks until the transaction ends.
CREATE FUNCTION health_internal.plan_reading(source health_internal.ledger_source) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    batch_blocks CONSTANT bigint := 65536;    -- 512 MB of events in memory at a time
    last_block CONSTANT bigint := 4294967295;
    reason text;
    disabled regclass;
BEGIN
    IF source.window_days IS NOT NULL THEN
        RETURN false;
    END IF;
    reason := health_internal.unreadable_reason(source);
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION 'model "%": % cannot be read any more: %', source.model, source.path, reason
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Changes are not captured meanwhile. With the right back, the next refresh reads the events again.';
    END IF;
    reason := health_internal.unfit_table(source.relation);
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION 'model "%": changes of % cannot be captured any more: %', source.model, source.path, reason
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Take it out of the table, or have the last days read again instead: SELECT health.untrack(%1$L), '
                                'health.track(%1$L, window_days => 7);', source.model);
    END IF;
    -- One look at the triggers: two could make a partition that is attached between them look like one whose trigger is off.
    SELECT t.tgrelid INTO disabled
    FROM pg_trigger AS t
    WHERE t.tgname = health_internal.trigger_name(source.id) AND t.tgenabled NOT IN ('O', 'A')
      AND t.tgrelid IN (SELECT source.relation UNION ALL SELECT l.leaf FROM health_internal.leaf_tables(source.relation) AS l)
    LIMIT 1;
    IF health_internal.trigger_version(source.id, source.relation) IS NULL THEN
        PERFORM health_internal.create_triggers(ARRAY[source], interval '0', format('CALL health.refresh(%L);', source.model));
        RETURN true;
    ELSIF disabled IS NOT NULL THEN
        RAISE EXCEPTION 'model "%": the trigger on % is disabled, so its changes are not captured', source.model, disabled
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I; the next refresh then reads the events again.',
                      source.relation::regclass, health_internal.trigger_name(source.id));
    ELSIF health_internal.uncaptured_leaf(source) IS NOT NULL THEN
        -- ENABLE TRIGGER ALL has it fire for origins only. When the table is busy, the next refresh sees to it.
        IF health_internal.run_ddl((health_internal.trigger_statements(source))[2:], interval '0') THEN
            RETURN true;
        END IF;
    END IF;
    reason := coalesce(health_internal.check_source_code(source), reason, health_internal.find_restart_reason(source));
    IF reason IS NOT NULL THEN
        PERFORM health_internal.restart_source(source, reason);
    END IF;
    -- A partition without the trigger is one that was attached a moment ago: the next plan has it.
    -- What a first plan reads last, mostly the newest events, goes where changes will go: into part 0.
    INSERT INTO health_internal.ledger_batch (source, leaf, from_block, to_block, part, relfilenode, trigger_version)
    SELECT source.id, l.leaf, r.from_block, CASE WHEN r.from_block + batch_blocks >= l.blocks THEN last_block
        ELSE r.from_block + batch_blocks END,
           coalesce((SELECT max(b.part) FROM health_internal.ledger_batch AS b WHERE b.source = source.id), -1)
           + (row_number() OVER (ORDER BY l.leaf DESC, r.from_block DESC))::integer, l.relfilenode,
               health_internal.trigger_version(source.id, l.leaf)
    FROM health_internal.leaf_tables(source.relation) AS l, generate_series(0, greatest(l.blocks - 1, 0), batch_blocks) AS r (from_block)
    WHERE NOT EXISTS (SELECT 1 FROM health_internal.ledger_batch AS b WHERE b.source = source.id AND b.leaf = l.leaf)
      AND health_internal.trigger_version(source.id, l.leaf) IS NOT NULL;
    IF FOUND THEN
        UPDATE health_internal.ledger_source AS s SET read_at = NULL WHERE s.id = source.id;
    END IF;
    RETURN false;
END;
$$;
COMMENT ON FUNCTION health_internal.plan_reading(health_internal.ledger_source) IS
    'Plans what is to be read of a tracked source: partitions that are new, or everything when it cannot be said what the ledger stands '
        'for. Returns whether it has locked the table for writers';

CREATE FUNCTION health_internal.read_batch(source health_internal.ledger_source, batch health_internal.ledger_batch, first_period date)
    RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    started timestamptz := clock_timestamp();
    folded record;
BEGIN
    -- One statement: the rows are read with the very snapshot that is noted.
    SELECT pg_current_snapshot() AS seen, f.* INTO folded
    FROM health_internal.fold_events(source.id, batch.leaf, batch.from_block, batch.to_block, batch.part, first_period) AS f;
    UPDATE health_internal.ledger_batch AS b SET snapshot = folded.seen, events = folded.events, started_at = started,
           ended_at = clock_timestamp()
    WHERE b.source = batch.source AND b.leaf = batch.leaf AND b.from_block = batch.from_block;
    UPDATE health_internal.ledger_source AS s SET bad_rows = s.bad_rows + folded.bad_rows WHERE s.id = source.id AND folded.bad_rows <> 0;
    INSERT INTO health_internal.ledger_day AS d (source, day, event, events)
    SELECT source.id, c.day, c.event, c.events FROM unnest(folded.days, folded.names, folded.counts) AS c (day, event, events)
    ON CONFLICT (source, day, event) DO UPDATE SET events = d.events + excluded.events;
    RETURN folded.events;
EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_object_definition OR invalid_schema_name OR feature_not_supported THEN
    PERFORM health_internal.raise_misread(source, batch.leaf, sqlstate, sqlerrm);
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.read_batch(health_internal.ledger_source, health_internal.ledger_batch, date) IS
    'Folds one batch of a tracked source into its ledger; returns its events';

CREATE FUNCTION health_internal.read_whole(source health_internal.ledger_source) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    started timestamptz := pg_catalog.clock_timestamp();
    seen bigint;
BEGIN
    PERFORM health_internal.look_names_up_in(source.search_path);
    EXECUTE pg_catalog.format('DELETE FROM %s', source.chunk_table::regclass);
    EXECUTE pg_catalog.format(
        'WITH folded AS (INSERT INTO %s (account_id, period, part, usage) SELECT e.account_id, e.period, 0, %s FROM (%s) AS e '
        'WHERE e.account_id IS NOT NULL AND pg_catalog.isfinite(e.period) GROUP BY e.account_id, e.period RETURNING usage) '
        'SELECT pg_catalog.count(*) FROM folded', source.chunk_table::regclass, health_internal.compile_row_agg(source),
            health_internal.compile_period_rows(source))
    INTO seen;
    INSERT INTO health_internal.ledger_batch (source, leaf, from_block, to_block, part, relfilenode, snapshot, started_at, ended_at)
    VALUES (source.id, 0, 0, 0, 0, 0, pg_catalog.pg_current_snapshot(), started, pg_catalog.clock_timestamp())
    ON CONFLICT (source, leaf, from_block) DO UPDATE SET snapshot = excluded.snapshot, started_at = excluded.started_at,
        ended_at = excluded.ended_at;
    RETURN seen;
END;
$$;
COMMENT ON FUNCTION health_internal.read_whole(health_internal.ledger_source) IS
    'Reads a source in window mode from the start; returns the chunks that it came to';

CREATE FUNCTION health_internal.compile_row_agg(source health_internal.ledger_source) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT health_internal.compile_usage_agg(CASE WHEN (source).amount IS NULL THEN '{}'::jsonb ELSE '{"amount": null}'::jsonb END,
        (source).time_zone);
END;
COMMENT ON FUNCTION health_internal.compile_row_agg(health_internal.ledger_source) IS 'SQL of the ledger of rows e of a source';

CREATE FUNCTION health_internal.compile_day(source health_internal.ledger_source) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN (source).time_zone IS NULL THEN 'e.occurred_at'
        ELSE pg_catalog.format('health_internal.to_local_day(e.occurred_at, %L)', (source).time_zone) END;
END;
COMMENT ON FUNCTION health_internal.compile_day(health_internal.ledger_source) IS 'SQL of the local day of a row e of a source';

CREATE FUNCTION health_internal.compile_period_rows(source health_internal.ledger_source) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('SELECT e.*, health_internal.period_start(%s) AS period FROM (%s) AS e',
                             health_internal.compile_day(source), (source).event_rows);
END;
COMMENT ON FUNCTION health_internal.compile_period_rows(health_internal.ledger_source) IS
    'SQL of the rows of a source with the quarter of their local day';

-- Daily volume: what tells a broken tracking from customers who leave.
CREATE FUNCTION health_internal.count_days(source health_internal.ledger_source, first_day date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE health_internal.ledger_day AS d SET events = 0 WHERE d.source = count_days.source.id AND d.day >= first_day AND d.events <> 0;
    EXECUTE format(
        'INSERT INTO health_internal.ledger_day AS d (source, day, event, events) '
        'SELECT %s, c.day, health_internal.plain_event(c.event), sum(c.count) FROM %s AS k, '
        'LATERAL health.cells(health.slice(k.usage, $1, NULL)) AS c WHERE k.period >= health_internal.period_start($1) '
        'AND NOT health_internal.is_marker(c.event) GROUP BY 2, 3 '
        'ON CONFLICT (source, day, event) DO UPDATE SET events = excluded.events WHERE d.events <> excluded.events',
        source.id, source.chunk_table::regclass)
    USING first_day;
END;
$$;
COMMENT ON FUNCTION health_internal.count_days(health_internal.ledger_source, date) IS
    'Counts the events of a source on each day from the first one on anew';

CREATE FUNCTION health_internal.extend_ledger(source health_internal.ledger_source) RETURNS health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF source.window_days IS NULL THEN
        PERFORM health_internal.restart_source(source, 'history.retention_months keeps more than it did');
    END IF;
    UPDATE health_internal.ledger_source AS s SET read_at = NULL, kept_from = NULL WHERE s.id = source.id RETURNING s.* INTO source;
    RETURN source;
END;
$$;
COMMENT ON FUNCTION health_internal.extend_ledger(health_internal.ledger_source) IS
    'Plans to read a source from the start because its ledger is to reach further back';

-- Up to one batch size of blocks at a time.
CREATE FUNCTION health_internal.read_next(tracking health_internal.tracking, document jsonb) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    today date := health_internal.model_today(document);
    source health_internal.ledger_source;
    present health_internal.ledger_source;
    batch health_internal.ledger_batch;
    blocks bigint := 0;
    events bigint := 0;
    progress text;
BEGIN
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = tracking.model ORDER BY s.id LOOP
        present := source;
        source := health_internal.relink_source(source);
        IF source.change_table <> present.change_table OR source.relation <> present.relation THEN
            RETURN format('%s of model "%s": its tables are looked at again', source.path, source.model);
        END IF;
        -- What was dropped as too old is in the events only.
        IF health_internal.ledger_start(document, today) < source.kept_from THEN
            source := health_internal.extend_ledger(source);
        END IF;
        IF health_internal.plan_reading(source) THEN
            RETURN format('%s of model "%s": its changes are captured from now on', source.path, source.model);
        END IF;
        IF source.window_days IS NOT NULL AND source.read_at IS NULL THEN
            PERFORM health_internal.read_whole(source);
            blocks := 1;
        END IF;
        FOR batch IN SELECT b.* FROM health_internal.ledger_batch AS b WHERE b.source = source.id AND b.snapshot IS NULL ORDER BY b.leaf,
            b.from_block LOOP
            events := events + health_internal.read_batch(source, batch, health_internal.ledger_start(document, today));
            blocks := blocks + least(batch.to_block - batch.from_block, 65536);
            EXIT WHEN blocks >= 65536;
        END LOOP;
        IF NOT EXISTS (SELECT 1 FROM health_internal.ledger_batch AS b WHERE b.source = source.id AND b.snapshot IS NULL)
           AND EXISTS (SELECT 1 FROM health_internal.ledger_source AS s WHERE s.id = source.id AND s.read_at IS NULL) THEN
            IF source.window_days IS NOT NULL THEN
                EXECUTE format('DELETE FROM %s WHERE period < $1', source.chunk_table::regclass)
                    USING health_internal.ledger_start(document, today);
                PERFORM health_internal.count_days(source, health_internal.ledger_start(document, today));
            END IF;
            UPDATE health_internal.ledger_source AS s SET read_at = clock_timestamp(), kept_from = health_internal.ledger_start(document,
                today) WHERE s.id = source.id;
            PERFORM health_internal.mark_all_stale(tracking);
        END IF;
        IF blocks > 0 THEN
            SELECT format('%s of model "%s": %s %% read%s', source.path, source.model,
                          round(100.0 * count(b.snapshot) / greatest(count(*), 1)), ', ' || sum(b.events) || ' events')
            INTO progress FROM health_internal.ledger_batch AS b WHERE b.source = source.id;
            RETURN progress;
        END IF;
    END LOOP;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.read_next(health_internal.tracking, jsonb) IS
    'Reads the next part of what the ledgers of a model do not hold yet; returns the progress in words, NULL when everything has been read';
-- Volumes of ledgers: whether tracking broke, without reading events again.

-- What looks odd is looked at in the ledgers, with the days a week and two before: what always comes in pairs came once, and what one
-- account does is not what a source does.
CREATE FUNCTION health_internal.measure_volume(source health_internal.ledger_source, day date)
    RETURNS TABLE (event text, divisor bigint, cells bigint, largest bigint)
LANGUAGE plpgsql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT a.event, health_internal.common_divisor(a.divisor), sum(a.cells)::bigint, max(a.events)::bigint FROM ('
        'SELECT n.event, sum(n.events) AS events, health_internal.common_divisor(n.events) AS divisor, count(*) AS cells FROM ('
        'SELECT k.account_id, health_internal.plain_event(c.event) AS event, sum(c.count)::bigint AS events FROM %s AS k, '
        'LATERAL health.cells(health.slice(k.usage, $1, $1 + 1)) AS c WHERE k.period = health_internal.period_start($1) '
        'AND NOT health_internal.is_marker(c.event) GROUP BY k.account_id, c.user_id, 2 HAVING sum(c.count) <> 0) AS n '
        'GROUP BY n.account_id, n.event) AS a GROUP BY a.event',
        source.chunk_table::regclass) USING day;
END;
$$;
COMMENT ON FUNCTION health_internal.measure_volume(health_internal.ledger_source, date) IS
    'Of each event of a tracked source on a day the largest number that divides how often each user did it, how many did, and how many '
    'events are of the account that has most';

CREATE FUNCTION health_internal.ledger_volumes(model text, document jsonb, from_day date, until_day date) RETURNS health_internal.volume[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    names CONSTANT text[] := health_internal.counted_events(document);
    volumes health_internal.volume[] := ARRAY(
        SELECT ROW(c.path, c.event, c.day, sum(c.events)::bigint, NULL, NULL, NULL)::health_internal.volume
        FROM (SELECT s.path, CASE WHEN sum(d.events) OVER (PARTITION BY s.id, d.event) >= health_internal.least_volume()
                                  THEN d.event END AS event, d.day, d.events
              FROM health_internal.ledger_source AS s JOIN health_internal.ledger_day AS d ON d.source = s.id
              WHERE s.model = ledger_volumes.model AND d.day >= from_day - 56 AND d.day < until_day
                AND (names IS NULL OR d.event = ANY (names))) AS c
        GROUP BY c.path, c.event, c.day);
    looked_at text[] := ARRAY[]::text[];
    places text[];
BEGIN
    LOOP
        places := ARRAY(
            SELECT DISTINCT s.id || '/' || w.day FROM health_internal.odd_volumes(volumes, from_day, until_day) AS o
            JOIN health_internal.ledger_source AS s ON s.model = ledger_volumes.model AND s.path = o.source,
                 LATERAL (VALUES (o.day), (o.day - 7), (o.day - 14)) AS w (day)
            WHERE o.kind = 'suspect' AND s.id || '/' || w.day <> ALL (looked_at));
        EXIT WHEN places = '{}';
        looked_at := looked_at || places;
        volumes := ARRAY(
            WITH measured AS MATERIALIZED (
                SELECT n.source, n.day, n.event, health_internal.common_divisor(n.divisor) AS divisor, sum(n.cells)::bigint AS cells,
                       sum(n.largest)::bigint AS largest
                FROM (SELECT s.path AS source, split_part(p.place, '/', 2)::date AS day, v.event, m.divisor, m.cells, m.largest
                      FROM unnest(places) AS p (place)
                      JOIN health_internal.ledger_source AS s ON s.id = split_part(p.place, '/', 1)::integer
                      CROSS JOIN LATERAL health_internal.measure_volume(s, split_part(p.place, '/', 2)::date) AS m
                      LEFT JOIN (SELECT DISTINCT u.source, u.event FROM unnest(volumes) AS u) AS v
                          ON v.source = s.path AND v.event = m.event
                      WHERE names IS NULL OR m.event = ANY (names)) AS n
                GROUP BY n.source, n.day, n.event
            )
            SELECT ROW(v.source, v.event, v.day, v.events, coalesce(m.divisor, v.divisor), coalesce(m.cells, v.cells),
                       coalesce(m.largest, v.largest))::health_internal.volume
            FROM unnest(volumes) AS v LEFT JOIN measured AS m ON m.source = v.source AND m.day = v.day
                AND m.event IS NOT DISTINCT FROM v.event);
    END LOOP;
    RETURN volumes;
END;
$$;
COMMENT ON FUNCTION health_internal.ledger_volumes(text, jsonb, date, date) IS
    'Volumes of the sources of a tracked model, from 56 days before a day to the day before another; with what it takes to judge days that '
    'look odd';

CREATE FUNCTION health_internal.ledger_sight(model text, document jsonb, as_of date, past_days integer) RETURNS health_internal.sight
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accepted CONSTANT datemultirange := coalesce(health_internal.accepted_volume(document), '{}')
        + coalesce((SELECT t.accepted FROM health_internal.tracking AS t WHERE t.model = ledger_sight.model), '{}');
    today CONSTANT date := (now() AT TIME ZONE coalesce(document ->> 'time_zone', 'UTC'))::date;
BEGIN
    IF document ->> 'volume' = 'ignore' THEN
        RETURN ROW(as_of, NULL, NULL)::health_internal.sight;
    END IF;
    RETURN health_internal.find_sight(health_internal.ledger_volumes(model, document, as_of - past_days - 41, least(as_of, today)), as_of,
                                      today, past_days, accepted);
END;
$$;
COMMENT ON FUNCTION health_internal.ledger_sight(text, jsonb, date, integer) IS
    'As of which day the book of a tracked model is seen at as_of, by its ledgers';
-- History of a tracked model: a row per account and month, with the account data of each day; any past day from the ledger.
--
-- Of a month: days has the days that are recorded, scores one for each, and a span what is the same from a day on until the next span:
-- version,
-- coverage, reason and the account data that the scores stood on. Partitions are months.

CREATE TYPE health_internal.history_span AS (
    from_day smallint,
    model_version integer,
    data_coverage float8,
    unknown_reason text,
    account_start date,
    seats float8,
    inputs text[],
    observed date[],
    account_end date,
    state text
);
COMMENT ON TYPE health_internal.history_span IS 'Internal: what is the same of an account from a day of the month on';

CREATE FUNCTION health_internal.month_of(day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.date_trunc('month', day::pg_catalog.timestamp)::pg_catalog.date;
END;
COMMENT ON FUNCTION health_internal.month_of(date) IS 'First day of the month of a day';

CREATE FUNCTION health_internal.recorded_days(month date, days smallint[], spans health_internal.history_span[],
    OUT "position" bigint, OUT as_of date, OUT model_version integer, OUT data_coverage float8, OUT unknown_reason text,
    OUT account_start date, OUT seats float8, OUT inputs text[], OUT observed date[], OUT account_end date, OUT state text)
    RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 28
BEGIN ATOMIC
    SELECT d."position", month + (d.day - 1), s.model_version, s.data_coverage, s.unknown_reason, s.account_start, s.seats, s.inputs,
        s.observed, s.account_end, s.state
    FROM pg_catalog.unnest(days) WITH ORDINALITY AS d (day, "position")
    JOIN (SELECT s.*, pg_catalog.lead(s.from_day, 1, 32::smallint) OVER (ORDER BY s.from_day) AS until_day
        FROM pg_catalog.unnest(spans) AS s) AS s
      ON s.from_day <= d.day AND d.day < s.until_day;
END;
COMMENT ON FUNCTION health_internal.recorded_days(date, smallint[], health_internal.history_span[]) IS
    'The days of a row of a history with the account data that were recorded on each';

CREATE FUNCTION health_internal.history_rows(month date, days smallint[], scores float8[], spans health_internal.history_span[],
    OUT as_of date, OUT model_version integer, OUT score float8, OUT data_coverage float8, OUT unknown_reason text,
    OUT state text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_history_rows'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100 ROWS 28;
COMMENT ON FUNCTION health_internal.history_rows(date, smallint[], float8[], health_internal.history_span[]) IS
    'The days of a row of a history with the score of each';

CREATE FUNCTION health_internal.spans_agree(a health_internal.history_span, b health_internal.history_span) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT ROW((a).model_version, (a).data_coverage, (a).unknown_reason, (a).account_start, (a).seats, (a).inputs, (a).observed,
               (a).account_end, (a).state)
           IS NOT DISTINCT FROM
           ROW((b).model_version, (b).data_coverage, (b).unknown_reason, (b).account_start, (b).seats, (b).inputs, (b).observed,
               (b).account_end, (b).state);
END;
COMMENT ON FUNCTION health_internal.spans_agree(health_internal.history_span, health_internal.history_span) IS
    'Whether two spans say the same of an account';

-- Of a day that both have, the first stands.
CREATE FUNCTION health_internal.merge_months(first_days smallint[], first_scores float8[], first_spans health_internal.history_span[],
                                             other_days smallint[], other_scores float8[], other_spans health_internal.history_span[],
                                             OUT days smallint[], OUT scores float8[], OUT spans health_internal.history_span[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH one AS (
        SELECT DISTINCT ON (x.as_of) extract(day FROM x.as_of)::smallint AS day, x.score,
               ROW(extract(day FROM x.as_of), x.model_version, x.data_coverage, x.unknown_reason, x.account_start, x.seats, x.inputs,
                   x.observed, x.account_end, x.state)::health_internal.history_span AS span
        FROM (SELECT 1 AS rank, r.*, first_scores[r."position"] AS score FROM health_internal.recorded_days('2000-01-01', first_days,
            first_spans) AS r
              UNION ALL
              SELECT 2, r.*, other_scores[r."position"] FROM health_internal.recorded_days('2000-01-01', other_days, other_spans) AS r) AS x
        ORDER BY x.as_of, x.rank
    ), marked AS (
        SELECT o.*, NOT coalesce(health_internal.spans_agree(o.span, lag(o.span) OVER (ORDER BY o.day)), false)
                    OR lag(o.day) OVER (ORDER BY o.day) IS NULL AS begins
        FROM one AS o
    )
    SELECT array_agg(m.day ORDER BY m.day), array_agg(m.score ORDER BY m.day), array_agg(m.span ORDER BY m.day) FILTER (WHERE m.begins)
    FROM marked AS m;
$$;
COMMENT ON FUNCTION health_internal.merge_months(smallint[], float8[], health_internal.history_span[], smallint[], float8[],
    health_internal.history_span[]) IS
    'Two rows of a history of the same account and month as one';

CREATE FUNCTION health_internal.append_span(spans health_internal.history_span[], fresh health_internal.history_span)
    RETURNS health_internal.history_span[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last integer := cardinality(spans);
BEGIN
    IF (spans[last]).from_day = fresh.from_day THEN    -- the day is written again
        spans := spans[:last - 1];
        last := last - 1;
    END IF;
    IF last > 0 AND health_internal.spans_agree(spans[last], fresh) THEN
        RETURN spans;
    END IF;
    RETURN spans || fresh;
END;
$$;
COMMENT ON FUNCTION health_internal.append_span(health_internal.history_span[], health_internal.history_span) IS
    'The spans of a month after its last day, which is the one that fresh begins on, was written or written again';

CREATE FUNCTION health_internal.score_months(model jsonb, account health.account_state, version integer, from_date date, to_date date,
    step integer,
    OUT month date, OUT days smallint[], OUT scores float8[], OUT spans health_internal.history_span[])
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_score_months'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 3;
COMMENT ON FUNCTION health_internal.score_months(jsonb, health.account_state, integer, date, date, integer) IS
    'The scores of an account on every step-th day of a span, as score_series() has them, as rows of a history';

CREATE FUNCTION health_internal.history_month(id integer, month date) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.data_table('history', id) || to_char(month, '_YYYY_MM');
$$;
COMMENT ON FUNCTION health_internal.history_month(integer, date) IS 'Name of the partition of a history that holds a month';

-- Attached, not created in place: that needs no lock that readers could feel.
CREATE FUNCTION health_internal.make_history_months(tracking health_internal.tracking, from_date date, to_date date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    history text := health_internal.data_table('history', tracking.id);
    month date := health_internal.month_of(from_date);
    following date;
    partition text;
BEGIN
    WHILE month <= to_date LOOP
        following := (month + interval '1 month')::date;
        partition := health_internal.history_month(tracking.id, month);
        IF to_regclass(partition) IS NULL THEN
            PERFORM health_internal.create_data_partition('history', tracking.id, month);
            EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', history, partition, month, following);
        END IF;
        month := following;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.make_history_months(health_internal.tracking, date, date) IS
    'Makes the partitions of a history for the months of a span of days';
-- The book of a tracked model: what is known of each account beside its usage, its scores, and the views that others read of both.
--
-- Tables in health_data, N being the number of the tracking: state_N (one row: what the scores stand for), book_N (attributes, inputs,
-- roster),
-- score_N (scores, metrics, signals), stale_N (accounts to score again), history_N (history.sql). A day turn changes state_N and what is
-- different in the others: neither the day nor the version is repeated in every row.

CREATE FUNCTION health_internal.drop_book(id integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass(health_internal.data_table('book', id)) IS NOT NULL THEN
        EXECUTE format('DROP TABLE %s, %s, %s', health_internal.data_table('score', id), health_internal.data_table('book', id),
                       health_internal.data_table('state', id));
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.drop_book(integer) IS 'Drops state, book and scores of a tracked model';

CREATE FUNCTION health_internal.book_columns(compiled health_internal.compiled_model) RETURNS text[]
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT '{account_id,name,inputs,observed,segments,account_start,account_end,seats,repeated,overrides}'::pg_catalog.text[]
        || (compiled).extra_columns || (compiled).value_columns;
END;
COMMENT ON FUNCTION health_internal.book_columns(health_internal.compiled_model) IS 'The columns of a book, less the roster';

-- Versions that ask for the same inputs in the same order can read each other's history.
CREATE FUNCTION health_internal.versions_with_same_inputs(model_name text, document jsonb) RETURNS integer[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT v.version FROM health_internal.model_version AS v
                 WHERE v.model = model_name
                   AND (SELECT jsonb_agg(to_jsonb(i) - 'path' ORDER BY i."position") FROM health.model_inputs(v.document) AS i)
                       IS NOT DISTINCT FROM
                       (SELECT jsonb_agg(to_jsonb(i) - 'path' ORDER BY i."position") FROM health.model_inputs(document) AS i)
                 ORDER BY v.version);
$$;
COMMENT ON FUNCTION health_internal.versions_with_same_inputs(text, jsonb) IS
    'The versions of a model whose recorded inputs a document can be scored with';

-- What add up to the usage of an account b: the chunks of its sources, and its roster; less users who do not count, if the model leaves out
-- any.
CREATE FUNCTION health_internal.compile_parts(tracking health_internal.tracking, document jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT %s AS usage FROM (%s UNION ALL SELECT b."$roster") AS p',
                  CASE WHEN document #> '{users,exclude}' IS NULL THEN 'p.usage' ELSE 'health.without_users(p.usage, t.excluded_users)' END,
                  string_agg(format('SELECT c.usage FROM %s AS c WHERE c.account_id = %s',
                                    health_internal.data_table('chunk', s.id), health_internal.account_key(tracking, 'b.account_id')),
                                    ' UNION ALL '
                                        ORDER BY s.id))
    FROM health_internal.ledger_source AS s WHERE s.model = tracking.model;
$$;
COMMENT ON FUNCTION health_internal.compile_parts(health_internal.tracking, jsonb) IS
    'SQL of the ledgers that add up to the usage of an account b of a book, of a state t';

-- Of a model without inputs the past is the present. Row n of past_inputs is of n days before; scoring looks at the days 7 and 28 only.
CREATE FUNCTION health_internal.compile_recorded_past(id integer, model_name text, document jsonb, OUT joins text, OUT inputs text,
    OUT observed text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN has.inputs THEN
               (SELECT string_agg(format(
                    ' LEFT JOIN LATERAL (SELECT r.* FROM %1$s AS h, health_internal.recorded_days(h.month, h.days, h.spans) AS r '
                    'WHERE h.account_id = b.account_id AND h.month = health_internal.month_of(t.as_of - %2$s) AND r.as_of = t.as_of - %2$s '
                    'AND r.model_version = ANY (%3$L::integer[])) AS h%2$s ON true',
                    health_internal.data_table('history', id), d.days, health_internal.versions_with_same_inputs(model_name, document)),
                        '' ORDER BY d.days)
                FROM (VALUES (7), (28)) AS d (days)) ELSE '' END,
           CASE WHEN has.inputs THEN
               '(SELECT array_agg(CASE WHEN n < 28 THEN coalesce(h7.inputs, b.inputs) ELSE coalesce(h28.inputs, b.inputs) END ORDER BY n) '
               'FROM generate_series(1, 28) AS n)' ELSE 'NULL::text[]' END,
           CASE WHEN has.inputs THEN
               '(SELECT array_agg(CASE WHEN n < 28 THEN coalesce(h7.observed, b.observed) ELSE coalesce(h28.observed, b.observed) END '
                   'ORDER BY n) '
               'FROM generate_series(1, 28) AS n)' ELSE 'NULL::date[]' END
    FROM (SELECT EXISTS (SELECT FROM health.model_inputs(document))) AS has (inputs);
$$;
COMMENT ON FUNCTION health_internal.compile_recorded_past(integer, text, jsonb) IS
    'SQL of the inputs that the history of an account b of a book, of a state t, has of 7 and 28 days before';

CREATE FUNCTION health_internal.compile_book_rows(tracking health_internal.tracking, document jsonb, with_past boolean DEFAULT true)
    RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT b.*, t.as_of, t.model_version, t.ledger_start, t.outages, t.broken, NULL::pg_catalog.bool[] AS in_filter, '
        '%s AS past_inputs, %s AS '
        'past_observed, ARRAY(%s) AS "$parts" FROM %s AS b CROSS '
        'JOIN %s AS t%s',
                  coalesce(past.inputs, 'NULL::text[]'), coalesce(past.observed, 'NULL::date[]'),
                  health_internal.compile_parts(tracking, document),
                      health_internal.data_table('book', tracking.id),
                  health_internal.data_table('state', tracking.id), past.joins)
    FROM (SELECT) AS one LEFT JOIN LATERAL health_internal.compile_recorded_past(tracking.id, tracking.model, document) AS past ON
        with_past;
$$;
COMMENT ON FUNCTION health_internal.compile_book_rows(health_internal.tracking, jsonb, boolean) IS
    'SQL of the rows of a book with day, version, past inputs, if they are wanted, and the ledgers that add up to their usage, parts';

-- The columns are those of a ledger query (compile_model).
CREATE FUNCTION health_internal.compile_ledger_view(tracking health_internal.tracking, document jsonb,
    compiled health_internal.compiled_model) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT %s, l.as_of, l.model_version, (SELECT health.rollup(p.usage) FROM unnest(l."$parts") AS p (usage)) AS usage, '
        'l.inputs, l.observed, '
                  'l.segments, l.past_inputs, l.past_observed, l.account_start, l.account_end, l.ledger_start, l.seats%s, l.repeated, '
                  'NULL::pg_catalog.bool[] AS in_filter, l.overrides, l.outages, l.broken AS tracking_broke '
                  'FROM (%s) AS l',
                  health_internal.list_columns('{account_id,name}' || (compiled).extra_columns, 'l'),
                  ', ' || health_internal.list_columns((compiled).value_columns, 'l'),
                      health_internal.compile_book_rows(tracking, document));
$$;
COMMENT ON FUNCTION health_internal.compile_ledger_view(health_internal.tracking, jsonb, health_internal.compiled_model) IS
    'SQL of the ledger of a tracked model: the columns of a score view''s _ledger, usage summed up from chunks and roster';

-- One row of scores for each row of the book: everything from one decode.
CREATE FUNCTION health_internal.compile_scores(tracking health_internal.tracking, document jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT l.account_id, d.* FROM (%s) AS l CROSS JOIN LATERAL health_internal.score_details(%L::pg_catalog.jsonb, %s) AS d',
                  health_internal.compile_book_rows(tracking, document), health_internal.scoring_document(document),
                  health_internal.compile_state('l."$parts"'));
$$;
COMMENT ON FUNCTION health_internal.compile_scores(health_internal.tracking, jsonb) IS 'SQL of the scores of the accounts l of a book';

CREATE FUNCTION health_internal.compile_book(tracking health_internal.tracking, version health_internal.model_version) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_model;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, usage_from => 'roster', model_name => tracking.model);
    RETURN pg_catalog.format('SELECT %s, l.usage AS "$roster" FROM (%s) AS l',
                             health_internal.list_columns(health_internal.book_columns(compiled), 'l'), compiled.ledger);
END;
$$;
COMMENT ON FUNCTION health_internal.compile_book(health_internal.tracking, health_internal.model_version) IS 'SQL of the rows of a book';

-- Makes everything for a version of the model; score views stand on these tables, so they are taken off and put on again around it.
CREATE FUNCTION health_internal.build_book(tracking health_internal.tracking, version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id integer := tracking.id;
    book text;
    scores text;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    PERFORM health_internal.create_data_table('state', id,
        '{as_of,model_version,broken,excluded_users,all_stale,ledger_start,outages,book}',
        '{date,integer,text,text[],boolean,date,date[],float8[]}'::pg_catalog.regtype[]);
    EXECUTE pg_catalog.format('INSERT INTO %s (model_version, excluded_users, all_stale) VALUES ($1, ''{}'', true)',
                              health_internal.data_table('state', id)) USING version.version;
    -- One row: without statistics it is taken for hundreds, and what is joined to it for so many times as much.
    EXECUTE pg_catalog.format('ANALYZE %s', health_internal.data_table('state', id));
    book := health_internal.compile_book(tracking, version);
    PERFORM health_internal.create_data_table_of('book', id, book, '{account_id}');
    scores := health_internal.compile_scores(tracking, version.document);
    PERFORM health_internal.create_data_table_of('score', id, scores, '{account_id}');
    UPDATE health_internal.tracking AS t
    SET model_version = version.version, book_query = book, score_query = scores, compiled_by = health_internal.release()
    WHERE t.id = tracking.id;
END;
$$;
COMMENT ON FUNCTION health_internal.build_book(health_internal.tracking, health_internal.model_version) IS
    'Creates state, book and scores of a tracked model for a version of it';

-- A band is by the version that scored the day; most versions have the bands of the last one.
CREATE FUNCTION health_internal.compile_band(model_name text, document jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce('CASE ' || string_agg(format('WHEN r.model_version = ANY (%L::pg_catalog.int4[]) THEN %s', o.versions, o.band),
        ' ') FILTER (WHERE NOT o.own)
                    || ' ELSE ', '') || max(o.band) FILTER (WHERE o.own)
           || CASE WHEN bool_and(o.own) THEN '' ELSE ' END' END
    FROM (SELECT CASE WHEN v.bands IS NULL THEN 'health.band(r.score)' ELSE format('health.band(r.score, %L::pg_catalog.jsonb)',
        v.bands) END AS band,
                 v.bands IS NOT DISTINCT FROM document -> 'bands' AS own, array_agg(v.version ORDER BY v.version) AS versions
          FROM (SELECT m.version, m.document -> 'bands' AS bands FROM health_internal.model_version AS m WHERE m.model = model_name
                UNION ALL SELECT NULL, document -> 'bands') AS v
          GROUP BY v.bands) AS o;
$$;
COMMENT ON FUNCTION health_internal.compile_band(text, jsonb) IS 'SQL of the band of a day r of a history';

-- The relations of a score view of a tracked model; their columns are those of a score view that is made from events.
CREATE FUNCTION health_internal.compile_tracked_view(suffix text, tracking health_internal.tracking, document jsonb,
    compiled health_internal.compiled_model, probabilities text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE suffix
        WHEN '_ledger' THEN health_internal.compile_ledger_view(tracking, document, compiled)
        WHEN '' THEN format(
            'SELECT %s, b.account_start, b.account_end, nullif(b.seats, ''NaN'') AS seats, t.as_of, %L::pg_catalog.text AS model, '
            't.model_version, s.score, s.band, s.state, s.state_reason, s.in_book, s.data_coverage, '
            'coalesce(t.broken, s.unknown_reason) AS unknown_reason, s.change_7d, s.change_28d, s.main_reason, %s, '
                's.score_without_top_user, s.override_reason, %s%s, %s FROM %s',
            health_internal.list_columns('{account_id,name}' || (compiled).extra_columns, 'b'), tracking.model,
            health_internal.compile_next_step(document, 't.as_of', 's.signals', 'b.overrides', 't.book'),
            health_internal.list_columns(health_internal.metric_columns(), 's'),
            ', ' || health_internal.list_columns((compiled).value_columns, 'b'), probabilities, stored.rows)
        WHEN '_signals' THEN format(
            'SELECT b.account_id, b.name, t.as_of, t.model_version, r."position", r.signal, r.parent, r.label, r.level, r.raw, '
                'r.raw_text, r.normalized, '
            'r.weight, r.points, r.reason, r.phrase, r.next_step, r.counted, r.basis, r.book FROM %s CROSS JOIN LATERAL '
                'health_internal.signal_rows(%L::pg_catalog.jsonb, t.as_of, '
                's.signals, b.overrides, t.book) AS r',
            stored.rows, health_internal.scoring_document(document))
        WHEN '_history' THEN format(
            'SELECT h.account_id, r.as_of, r.model_version, r.score, CASE WHEN r.state IS DISTINCT FROM ''onboarding'' THEN %s END AS '
                'band, '
            'r.state, r.data_coverage, r.unknown_reason '
            'FROM %s AS h CROSS JOIN LATERAL health_internal.history_rows(h.month, h.days, h.scores, h.spans) AS r',
            health_internal.compile_band(tracking.model, document), health_internal.data_table('history', tracking.id))
    END
    FROM (SELECT format('%s AS s JOIN %s AS b ON b.account_id = s.account_id CROSS JOIN %s AS t',
        health_internal.data_table('score', tracking.id),
                        health_internal.data_table('book', tracking.id),
                            health_internal.data_table('state', tracking.id))) AS stored (rows);
$$;
COMMENT ON FUNCTION health_internal.compile_tracked_view(text, health_internal.tracking, jsonb, health_internal.compiled_model, text) IS
    'SQL of one of the four relations of a score view of a tracked model';
-- Writing and reading the past: days recorded, days from the ledger.

-- Whoever reads the history at the moment keeps its oldest month until the next day.
CREATE FUNCTION health_internal.drop_old_data(tracking health_internal.tracking, document jsonb, as_of date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_kept text := health_internal.history_month(tracking.id, health_internal.month_of(health_internal.history_start(document, as_of)));
    old record;
    source health_internal.ledger_source;
BEGIN
    IF NOT isfinite(health_internal.history_start(document, as_of)) THEN
        RETURN;
    END IF;
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = tracking.model ORDER BY s.id LOOP
        EXECUTE format('DELETE FROM %s WHERE period < $1', source.chunk_table::regclass) USING health_internal.ledger_start(document,
            as_of);
        UPDATE health_internal.ledger_source AS s SET kept_from = health_internal.ledger_start(document, as_of) WHERE s.id = source.id;
        PERFORM health_internal.delete_rows(tracking.model, 'days', source.id::text, health_internal.ledger_start(document, as_of)::text);
    END LOOP;
    FOR old IN SELECT format('health_data.%I', c.relname) AS partition FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
               WHERE i.inhparent = to_regclass(health_internal.data_table('history', tracking.id))
                   AND format('health_data.%s', c.relname) < first_kept LOOP
        PERFORM health_internal.run_ddl(ARRAY['DROP TABLE ' || old.partition], interval '0');
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.drop_old_data(health_internal.tracking, jsonb, date) IS
    'Drops the quarters of the ledgers and the months of the history that are older than what the model keeps';

-- Days that are recorded keep the account data they were recorded with; for others, expressions and dated answers are those of the day and
-- plain columns stand at their present value.
CREATE FUNCTION health_internal.rescore_recorded(tracking health_internal.tracking, version health_internal.model_version, from_date date,
    to_date date, step integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE pg_catalog.format($query$
        WITH fresh AS (
            SELECT h.account_id, h.month, pg_catalog.array_agg(EXTRACT(day FROM r.as_of)::pg_catalog.int2 ORDER BY r.as_of) AS days,
                   pg_catalog.array_agg(s.score ORDER BY r.as_of) AS scores,
                   pg_catalog.array_agg(ROW(EXTRACT(day FROM r.as_of), %5$s, s.coverage, s.unknown_reason, r.account_start, r.seats,
                       r.inputs, r.observed, r.account_end, s.state)::health_internal.history_span ORDER BY r.as_of) AS spans
            FROM %1$s AS h
            JOIN (%2$s) AS l ON l.account_id = h.account_id
            CROSS JOIN LATERAL health_internal.recorded_days(h.month, h.days, h.spans) AS r
            CROSS JOIN LATERAL health.score_series(%3$L::pg_catalog.jsonb, ROW(l."$parts", r.as_of, r.account_start, r.seats, r.inputs,
                r.observed, l.segments, NULL, NULL, r.unknown_reason IS NOT DISTINCT FROM 'repeated_account', r.account_end,
                l.ledger_start, NULL, NULL, l.overrides, %6$L)::health.account_state, r.as_of, r.as_of) AS s
            WHERE h.month >= health_internal.month_of($1) AND h.month <= $2 AND r.as_of >= $1 AND r.as_of <= $2 AND (r.as_of - $1) %% $3 = 0
              AND r.model_version = ANY (%4$L::pg_catalog.int4[])
            GROUP BY h.account_id, h.month
        )
        UPDATE %1$s AS h SET (days, scores, spans) = (SELECT m.days, m.scores, m.spans
            FROM health_internal.merge_months(f.days, f.scores, f.spans, h.days, h.scores, h.spans) AS m)
        FROM fresh AS f WHERE h.account_id = f.account_id AND h.month = f.month
        $query$, health_internal.data_table('history', tracking.id), health_internal.compile_book_rows(tracking, version.document, false),
        health_internal.scoring_document(version.document), health_internal.versions_with_same_inputs(tracking.model, version.document),
            version.version, (health_internal.ledger_sight(tracking.model, version.document, to_date, to_date - from_date)).outages)
    USING from_date, to_date, step;
END;
$$;
COMMENT ON FUNCTION health_internal.rescore_recorded(health_internal.tracking, health_internal.model_version, date, date, integer) IS
    'Scores the recorded days of a span again, by a version of the model, with the account data of each day';

CREATE FUNCTION health_internal.count_history(tracking health_internal.tracking, from_date date, to_date date) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    rows_recorded bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s AS h, unnest(h.days) AS d (day) '
                   'WHERE h.month >= health_internal.month_of($1) AND h.month <= $2 AND h.month + (d.day - 1) BETWEEN $1 AND $2',
                   health_internal.data_table('history', tracking.id))
    INTO rows_recorded USING from_date, to_date;
    RETURN rows_recorded;
END;
$$;
COMMENT ON FUNCTION health_internal.count_history(health_internal.tracking, date, date) IS
    'How many days of accounts a history has of a span of days';

CREATE FUNCTION health_internal.write_history(tracking health_internal.tracking, version health_internal.model_version, from_date date,
    to_date date,
                                              step integer, only_new boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_date CONSTANT date := to_date - (to_date - from_date) % step;
    compiled health_internal.compiled_model;
BEGIN
    IF from_date > to_date THEN
        RETURN;
    END IF;
    PERFORM health_internal.make_history_months(tracking, from_date, to_date);
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, as_of => last_date, usage_from => 'ledger',
                                              model_name => tracking.model, past_days => last_date - from_date, past_step => step);
    EXECUTE pg_catalog.format($query$
        INSERT INTO %1$s AS h (account_id, month, days, scores, spans)
        SELECT l.account_id, s.month, s.days, s.scores, s.spans
        FROM (%2$s) AS l CROSS JOIN LATERAL health_internal.score_months(%3$L::pg_catalog.jsonb, %4$s, %5$s, $1, $2, $3) AS s
        WHERE %6$s
        ON CONFLICT (account_id, month) DO UPDATE SET (days, scores, spans) = (SELECT m.days, m.scores, m.spans
            FROM health_internal.merge_months(h.days, h.scores, h.spans, excluded.days, excluded.scores, excluded.spans) AS m)
        $query$, health_internal.data_table('history', tracking.id), compiled.ledger, health_internal.scoring_document(version.document),
        health_internal.compile_state(past_step => step), version.version,
        CASE WHEN only_new THEN pg_catalog.format('NOT EXISTS (SELECT FROM %s AS c WHERE c.account_id = l.account_id)',
                                                  health_internal.data_table('score', tracking.id)) ELSE 'true' END)
    USING from_date, last_date, step;
END;
$$;
COMMENT ON FUNCTION health_internal.write_history(health_internal.tracking, health_internal.model_version, date, date, integer, boolean) IS
    'Writes the history of every step-th day of a span from the ledger, of all accounts or of those that have no score yet; what is '
        'recorded stays';

-- The present scores are the last day of the history.
CREATE FUNCTION health_internal.record_scores(tracking health_internal.tracking, chosen text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format($query$
        INSERT INTO %1$s AS h (account_id, month, days, scores, spans)
        SELECT n.account_id, health_internal.month_of(t.as_of), ARRAY[d.day], ARRAY[n.score],
               ARRAY[ROW(d.day, t.model_version, n.data_coverage, n.unknown_reason, n.account_start, n.seats,
                         nullif(n.inputs, '{}'), nullif(n.observed, '{}'), n.account_end, n.state)::health_internal.history_span]
        FROM (SELECT s.account_id, s.score, s.data_coverage, s.unknown_reason, s.state, b.account_start, b.account_end, b.seats, b.inputs,
                     b.observed
              FROM %2$s AS s JOIN %3$s AS b ON b.account_id = s.account_id WHERE %5$s) AS n
        CROSS JOIN %4$s AS t CROSS JOIN LATERAL (SELECT extract(day FROM t.as_of)::smallint AS day) AS d
        ON CONFLICT (account_id, month) DO UPDATE
        SET days = CASE WHEN h.days[cardinality(h.days)] = excluded.days[1] THEN h.days ELSE h.days || excluded.days END,
            scores = CASE WHEN h.days[cardinality(h.days)] = excluded.days[1] THEN h.scores[:cardinality(h.scores) - 1] ELSE h.scores END
                || excluded.scores,
            spans = CASE WHEN (h.spans[cardinality(h.spans)]).from_day < excluded.days[1]
                              AND health_internal.spans_agree(h.spans[cardinality(h.spans)], excluded.spans[1]) THEN h.spans
                         ELSE health_internal.append_span(h.spans, excluded.spans[1]) END
        WHERE h.days[cardinality(h.days)] < excluded.days[1]
           OR h.scores[cardinality(h.scores)] IS DISTINCT FROM excluded.scores[1]
           OR NOT health_internal.spans_agree(h.spans[cardinality(h.spans)], excluded.spans[1])
        $query$, health_internal.data_table('history', tracking.id), health_internal.data_table('score', tracking.id),
        health_internal.data_table('book', tracking.id), health_internal.data_table('state', tracking.id), chosen);
END;
$$;
COMMENT ON FUNCTION health_internal.record_scores(health_internal.tracking, text) IS
    'Writes the present scores of chosen accounts (a condition on s.account_id) into the history';

CREATE FUNCTION health_internal.check_span(model_name text, from_date date, to_date date, step integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF from_date IS NULL OR to_date IS NULL OR NOT isfinite(from_date) OR NOT isfinite(to_date) OR from_date > to_date THEN
        RAISE EXCEPTION 'model "%": from % to % is no span of time', model_name, coalesce(from_date::text, 'NULL'),
            coalesce(to_date::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give two days, the earlier one first.';
    ELSIF step IS NULL OR step < 1 THEN
        RAISE EXCEPTION 'model "%": step must be at least 1 day, not %', model_name, coalesce(step::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_span(text, date, date, integer) IS
    'Raises an error unless the dates are a span of time and the step is a number of days';

CREATE FUNCTION health_internal.backfill_history_as_owner(model text, from_date date, to_date date, step integer) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
    version health_internal.model_version;
    last_day date;
    already bigint;
BEGIN
    PERFORM health_internal.check_span(model, from_date, to_date, step);
    PERFORM health_internal.lock_tracking(model, true);
    tracking := health_internal.find_ready_tracking(model);
    version := health_internal.find_version(model, tracking.model_version);
    last_day := coalesce((health_internal.read_state(tracking.id)).as_of, health_internal.model_today(version.document)) - 1;
    IF from_date > last_day THEN
        RAISE EXCEPTION 'model "%": the history ends on %, from then on refreshes write it', model, last_day
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give dates before.';
    END IF;
    UPDATE health_internal.tracking AS t SET history_from = least(t.history_from, from_date) WHERE t.id = tracking.id;
    last_day := least(to_date, last_day);
    PERFORM health_internal.rescore_recorded(tracking, version, from_date, last_day, step);
    already := health_internal.count_history(tracking, from_date, last_day);
    PERFORM health_internal.write_history(tracking, version, from_date, last_day, step);
    RETURN health_internal.count_history(tracking, from_date, last_day) - already;
END;
$$;
COMMENT ON FUNCTION health_internal.backfill_history_as_owner(text, date, date, integer) IS 'backfill_history() as the owner of the model';

CREATE FUNCTION health.backfill_history(model text, from_date date, to_date date, step integer DEFAULT 1) RETURNS bigint
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.written FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT health_internal.backfill_history_as_owner($1, $2::date, $3::date, $4::integer)',
        model, health_internal.iso_text(from_date), health_internal.iso_text(to_date), step::text) AS r (written bigint);
$$;
COMMENT ON FUNCTION health.backfill_history(text, date, date, integer) IS
    'Writes the history of every step-th day of a span of past days from the ledger, without reading events; returns the rows written. '
    'Days that are recorded are scored again with the account data of the day';

CREATE FUNCTION health_internal.compile_recorded(model_name text, document jsonb, ledger text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(
        (SELECT format($query$
            SELECT l.account_id, l.name, l.usage, l.as_of, CASE WHEN r.as_of IS NULL THEN l.account_start
                ELSE r.account_start END AS account_start,
                   CASE WHEN r.as_of IS NULL THEN l.account_end ELSE r.account_end END AS account_end, l.ledger_start,
                   CASE WHEN r.as_of IS NULL THEN l.seats ELSE r.seats END AS seats, coalesce(r.inputs, l.inputs) AS inputs,
                   CASE WHEN r.as_of IS NULL THEN l.observed ELSE r.observed END AS observed, l.segments, l.past_inputs, l.past_observed,
                   CASE WHEN r.as_of IS NULL THEN l.repeated ELSE r.unknown_reason IS NOT DISTINCT FROM 'repeated_account' END AS repeated,
                   l.in_filter, l.overrides, l.outages, l.tracking_broke
            FROM (%s) AS l LEFT JOIN LATERAL (
                SELECT d.* FROM %s AS h, health_internal.recorded_days(h.month, h.days, h.spans) AS d
                WHERE h.account_id = l.account_id AND h.month = health_internal.month_of(l.as_of) AND d.as_of = l.as_of
                  AND d.as_of < %L::pg_catalog.date AND d.model_version = ANY (%L::integer[])) AS r ON true $query$,
                       ledger, health_internal.data_table('history', t.id), coalesce((health_internal.read_state(t.id)).as_of, '-infinity'),
                       health_internal.versions_with_same_inputs(model_name, document))
         FROM health_internal.tracking AS t WHERE t.model = model_name
             AND to_regclass(health_internal.data_table('history', t.id)) IS NOT NULL),
        ledger);
$$;
COMMENT ON FUNCTION health_internal.compile_recorded(text, jsonb, text) IS
    'SQL of a ledger query with the account data that the history of a tracked model recorded on past days; else with those of the query';
-- Refreshing a tracked model: fold changes into chunks, bring the book up to date, score what changed.
--
-- Each function is safe to be cut off anywhere: what it takes (changes, stale accounts) goes in the transaction that puts the result.

CREATE FUNCTION health_internal.compile_pending_changes(row_name text, source_id integer) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($sql$health_internal.pending_changes(%1$s.changes, coalesce((
            SELECT pg_catalog.array_agg(r.block ORDER BY b.from_block, r.position)
            FROM health_internal.ledger_batch AS b, LATERAL (VALUES (1, b.from_block), (2, b.to_block)) AS r (position, block)
            WHERE b.source = %2$s AND b.leaf = %1$s.leaf AND pg_catalog.pg_visible_in_snapshot(%1$s.xact, b.snapshot)), '{}'))$sql$,
                row_name, source_id);
$$;
COMMENT ON FUNCTION health_internal.compile_pending_changes(text, integer) IS
    'SQL of the changes of a row of a change table, less those that reading their blocks has seen; NULL when that leaves none';

-- Changes of a partition that has not been read yet wait until it has been. Those that could not be captured (NULL) stay: they are a reason
-- to read the source again.
CREATE FUNCTION health_internal.fold_source(tracking health_internal.tracking, source health_internal.ledger_source, ledger_start date)
    RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most CONSTANT integer := 8192;    -- pieces of up to 8 kB: what is in memory at a time
    read_leaves oid[];
    newest xid8;
    pieces bigint;
    bad bigint;
BEGIN
    SELECT array_agg(b.leaf), max(pg_snapshot_xmax(b.snapshot)) INTO read_leaves, newest
    FROM (SELECT b.leaf, (array_agg(b.snapshot ORDER BY pg_snapshot_xmax(b.snapshot) DESC))[1] AS snapshot
          FROM health_internal.ledger_batch AS b WHERE b.source = source.id GROUP BY b.leaf HAVING count(*) = count(b.snapshot)) AS b;
    EXECUTE format($query$
        WITH taken AS (
            DELETE FROM %1$s AS c
            WHERE c.ctid = ANY (ARRAY(
                SELECT t.ctid FROM %1$s AS t WHERE t.changes IS NOT NULL AND t.generation = $6
                -- guard read_leaves {
                AND t.leaf = ANY ($1)
                -- instead: AND $1 IS NOT NULL
                -- }
                LIMIT $2))
            RETURNING c.leaf, c.xact, c.changes
        ), pending AS MATERIALIZED (
            -- guard unseen_changes {
            SELECT CASE WHEN t.xact >= $3 THEN t.changes ELSE %7$s END AS changes
            -- instead: SELECT t.changes AS changes
            -- }
            FROM taken AS t
        ), folded AS MATERIALIZED (
            SELECT f.* FROM health_internal.fold_changes(coalesce((SELECT array_agg(p.changes) FROM pending AS p
                WHERE p.changes IS NOT NULL), '{}')) AS f
        ), put AS (
            INSERT INTO %2$s AS k (account_id, period, part, usage)
            SELECT f.account_id::%3$s, f.period, 0, f.usage FROM folded AS f WHERE f.account_id IS NOT NULL AND f.period >= $5
            ON CONFLICT (account_id, period, part) DO UPDATE SET usage = health_internal.add_to_chunk(k.usage,
                excluded.usage, k.account_id::pg_catalog.text, k.period)
        ), days AS (
            INSERT INTO health_internal.ledger_day AS d (source, day, event, events)
            SELECT $4, c.day, health_internal.plain_event(c.event), sum(c.count) FROM folded AS f, LATERAL health.cells(f.usage) AS c
            WHERE f.period >= $5 AND NOT health_internal.is_marker(c.event) GROUP BY 2, 3
            ON CONFLICT (source, day, event) DO UPDATE SET events = d.events + excluded.events
        ), stale AS (
            INSERT INTO %4$s (account_id)
            SELECT b.account_id FROM %5$s AS b
            WHERE %6$s IN (SELECT f.account_id::%3$s FROM folded AS f WHERE f.account_id IS NOT NULL) ON CONFLICT DO NOTHING
        )
        SELECT (SELECT count(*) FROM taken) AS pieces, (SELECT f.bad_rows FROM folded AS f WHERE f.account_id IS NULL
            AND f.bad_rows <> 0) AS bad_rows
        $query$,
        source.change_table::regclass, source.chunk_table::regclass, source.account_kind,
        health_internal.data_table('stale', tracking.id), health_internal.data_table('book', tracking.id),
        health_internal.account_key(tracking, 'b.account_id'), health_internal.compile_pending_changes('t', source.id))
    INTO pieces, bad
    USING coalesce(read_leaves, '{}'), most, newest, source.id, ledger_start, source.generation;
    IF bad IS NOT NULL THEN
        UPDATE health_internal.ledger_source AS s SET bad_rows = s.bad_rows + bad WHERE s.id = source.id;
    END IF;
    -- guard one_statement {
    -- instead: EXECUTE format('DELETE FROM %s AS c WHERE c.changes IS NOT NULL', source.change_table::regclass);
    -- }
    RETURN pieces = most;
END;
$$;
COMMENT ON FUNCTION health_internal.fold_source(health_internal.tracking, health_internal.ledger_source, date) IS
    'Folds captured changes into the chunks of a source and notes the accounts that they are of; true when there may be more';

-- Where clocks go back over midnight a day begins twice: the condition on the time is for an index and reaches further than the day.
CREATE FUNCTION health_internal.compile_days_from(source health_internal.ledger_source, first_day date) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN source.time_zone IS NULL THEN format('e.occurred_at >= DATE %L', first_day)
                ELSE format('e.occurred_at >= (TIMESTAMP %L AT TIME ZONE %L) AND %s >= DATE %L', first_day - 1, source.time_zone,
                            health_internal.compile_day(source), first_day) END;
$$;
COMMENT ON FUNCTION health_internal.compile_days_from(health_internal.ledger_source, date) IS
    'SQL condition of the rows e of a source that are of a local day or a later one';

CREATE FUNCTION health_internal.reread_window(tracking health_internal.tracking, source health_internal.ledger_source, today date)
    RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_day date := today - source.window_days;
    first_period date := health_internal.period_start(first_day);
    bad bigint;
BEGIN
    PERFORM health_internal.look_names_up_in(source.search_path);
    EXECUTE pg_catalog.format($query$
        WITH seen AS MATERIALIZED (
            SELECT e.account_id, e.period, %1$s AS usage,
                   pg_catalog.count(*) FILTER (WHERE e.user_id IS NOT NULL AND e.event_name IS NOT NULL
                       AND NOT health_internal.is_event(e.occurred_at, e.event_name, e.amount)) AS bad
            FROM (%2$s) AS e WHERE e.account_id IS NOT NULL AND %3$s
            GROUP BY e.account_id, e.period
        ), recent AS (
            SELECT s.account_id, s.period, s.usage FROM seen AS s WHERE pg_catalog.isfinite(s.period)
        ), kept AS (
            SELECT k.account_id, k.period, health.rollup(k.usage) AS present, health.slice(health.rollup(k.usage), NULL, $1) AS usage
            FROM %4$s AS k WHERE k.period >= $2 GROUP BY k.account_id, k.period
        ), changed AS MATERIALIZED (
            SELECT coalesce(r.account_id, k.account_id) AS account_id, coalesce(r.period, k.period) AS period, k.present,
                   coalesce(k.usage, '{}') OPERATOR(health.+) coalesce(r.usage, '{}') AS usage
            FROM recent AS r FULL JOIN kept AS k ON k.account_id = r.account_id AND k.period = r.period
            WHERE coalesce(k.present, '{}') OPERATOR(health.<>) (coalesce(k.usage, '{}') OPERATOR(health.+) coalesce(r.usage, '{}'))
        ), put AS (
            INSERT INTO %4$s AS k (account_id, period, part, usage)
            SELECT c.account_id, c.period, 0, c.usage OPERATOR(health.-) coalesce(c.present, '{}') FROM changed AS c
            ON CONFLICT (account_id, period, part) DO UPDATE SET usage = health_internal.add_to_chunk(k.usage,
                excluded.usage, k.account_id::pg_catalog.text, k.period)
        ), stale AS (
            INSERT INTO %5$s (account_id)
            SELECT b.account_id FROM %6$s AS b WHERE %7$s IN (SELECT c.account_id FROM changed AS c) ON CONFLICT DO NOTHING
        )
        SELECT coalesce(pg_catalog.sum(s.bad), 0) FROM seen AS s
        $query$,
        health_internal.compile_row_agg(source), health_internal.compile_period_rows(source),
        health_internal.compile_days_from(source, first_day),
        source.chunk_table::regclass, health_internal.data_table('stale', tracking.id), health_internal.data_table('book', tracking.id),
        health_internal.account_key(tracking, 'b.account_id'))
    INTO bad USING first_day, first_period;
    UPDATE health_internal.ledger_source AS s SET bad_rows = bad WHERE s.id = source.id AND s.bad_rows <> bad;
    PERFORM health_internal.count_days(source, first_day);
END;
$$;
COMMENT ON FUNCTION health_internal.reread_window(health_internal.tracking, health_internal.ledger_source, date) IS
    'Window mode: replaces the last days of a ledger by what the source has of them now, notes the accounts that changed, and counts the '
    'rows '
    'that cannot be events';

-- Attributes and rosters have no triggers: they are read as they are, and compared.
CREATE FUNCTION health_internal.update_book(tracking health_internal.tracking, version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    book text := health_internal.data_table('book', tracking.id);
    state text := health_internal.data_table('state', tracking.id);
    assignments text := (SELECT string_agg(format('%1$I = excluded.%1$I', a.attname), ', ')
                         FROM pg_attribute AS a WHERE a.attrelid = to_regclass(book) AND a.attnum > 0 AND NOT a.attisdropped);
    memory CONSTANT text := current_setting('work_mem');
    now_excluded text[];
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    PERFORM pg_catalog.set_config('work_mem', '64MB', true) WHERE pg_catalog.pg_size_bytes(memory) < 67108864;
    EXECUTE pg_catalog.format($query$
        WITH different AS MATERIALIZED (
            -- Of columns and rows of the same name SQL takes the column: no column has these.
            SELECT "$fresh" AS fresh, "$fresh".account_id AS wanted, "$book".account_id AS present FROM (%1$s
            ) AS "$fresh" FULL JOIN %2$s AS "$book" ON "$book".account_id = "$fresh".account_id
            WHERE "$fresh".account_id IS NULL OR "$book".account_id IS NULL OR "$fresh" *<> "$book"
        ), gone AS (
            DELETE FROM %2$s AS b USING different AS d WHERE b.account_id = d.present AND d.wanted IS NULL RETURNING b.account_id
        ), put AS (
            INSERT INTO %2$s SELECT (d.fresh).* FROM different AS d WHERE d.wanted IS NOT NULL
            ON CONFLICT (account_id) DO UPDATE SET %3$s
            RETURNING account_id
        )
        INSERT INTO %4$s (account_id) SELECT p.account_id FROM put AS p UNION SELECT g.account_id FROM gone AS g ON CONFLICT DO NOTHING
        $query$, tracking.book_query, book, assignments, health_internal.data_table('stale', tracking.id));
    PERFORM pg_catalog.set_config('work_mem', memory, true);
    IF version.document #> '{users,exclude}' IS NOT NULL THEN
        EXECUTE pg_catalog.format('SELECT ARRAY(SELECT DISTINCT x.user_id::pg_catalog.text COLLATE pg_catalog."C" FROM (%s) AS x '
                                  'WHERE x.user_id IS NOT NULL ORDER BY 1)', health_internal.excluded_users_query(version.document))
        INTO now_excluded;
        EXECUTE pg_catalog.format('UPDATE %s SET excluded_users = $1, all_stale = true WHERE excluded_users IS DISTINCT FROM $1', state)
            USING now_excluded;
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.update_book(health_internal.tracking, health_internal.model_version) IS
    'Brings the book of a tracked model up to date and notes the accounts that are new, gone or different';

-- By index, whatever the statistics say: they are often of a moment when all accounts were stale.
CREATE FUNCTION health_internal.has_new_accounts(tracking health_internal.tracking) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    found_new boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s AS s JOIN %s AS b ON b.account_id = s.account_id '
                   'WHERE NOT EXISTS (SELECT FROM %s AS c WHERE c.account_id = s.account_id))',
                       health_internal.data_table('stale', tracking.id),
                   health_internal.data_table('book', tracking.id), health_internal.data_table('score', tracking.id)) INTO found_new;
    RETURN found_new;
END;
$$;
COMMENT ON FUNCTION health_internal.has_new_accounts(health_internal.tracking) IS
    'Whether an account that is to be scored again has no score yet';

CREATE FUNCTION health_internal.excluded_users_query(document jsonb) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields health_internal.model_field[] := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
BEGIN
    RETURN health_internal.compile_excluded_users(fields, health_internal.user_cast(fields));
END;
$$;
COMMENT ON FUNCTION health_internal.excluded_users_query(jsonb) IS 'SQL of the ids of the users whose events do not count';

CREATE FUNCTION health_internal.compile_choice(row_name text, ids text, account_type text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN ids IS NULL THEN 'true' ELSE pg_catalog.format('%s.account_id = ANY (%L::%s[])', row_name, ids, account_type) END;
END;
COMMENT ON FUNCTION health_internal.compile_choice(text, text, text) IS
    'SQL condition of the rows of some accounts, given as an array in text form; NULL: of all';

-- One figure of all accounts, for words and advice that are made when somebody reads them: no row of another account is written for it.
CREATE FUNCTION health_internal.measure_book(tracking health_internal.tracking) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changes CONSTANT text := health_internal.compile_book_changes(
        (health_internal.find_version(tracking.model, tracking.model_version)).document,
        format('(SELECT s.signals AS "$signals" FROM %s AS s)', health_internal.data_table('score', tracking.id)));
BEGIN
    IF changes IS NOT NULL THEN
        EXECUTE format('UPDATE %s AS t SET book = b.changes FROM (%s) AS b WHERE t.book IS DISTINCT FROM b.changes',
                       health_internal.data_table('state', tracking.id), changes);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.measure_book(health_internal.tracking) IS
    'Sets what the whole book did in each signal that is held against it, from the scores';

-- Rows that come out as they are stay as they are.
CREATE FUNCTION health_internal.write_scores(tracking health_internal.tracking, most integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stale CONSTANT text := health_internal.data_table('stale', tracking.id);
    scores CONSTANT text := health_internal.data_table('score', tracking.id);
    book CONSTANT text := health_internal.data_table('book', tracking.id);
    state CONSTANT health_internal.store_state := health_internal.read_state(tracking.id);
    assignments CONSTANT text := (SELECT string_agg(format('%1$I = excluded.%1$I', a.attname), ', ')
                                  FROM pg_attribute AS a WHERE a.attrelid = scores::regclass AND a.attnum > 1 AND NOT a.attisdropped);
    ids text;
    scored bigint;
    total bigint := 0;
    written boolean := false;
BEGIN
    LOOP
        IF NOT state.all_stale THEN
            EXECUTE format('SELECT array_agg(s.account_id)::text FROM (SELECT t.account_id FROM %s AS t LIMIT %s) AS s', stale, most)
                INTO ids;
            EXIT WHEN ids IS NULL;
        END IF;
        written := true;
        -- Accounts that are gone have no row in the book any more, but still one in the scores.
        EXECUTE format('DELETE FROM %s AS s WHERE %s AND NOT EXISTS (SELECT FROM %s AS b WHERE b.account_id = s.account_id)', scores,
                       health_internal.compile_choice('s', ids, tracking.account_type), book);
        EXECUTE format('INSERT INTO %s AS s SELECT n.* FROM (%s WHERE %s) AS n ON CONFLICT (account_id) DO UPDATE SET %s WHERE s *<> '
            'excluded', scores,
                       tracking.score_query, health_internal.compile_choice('l', ids, tracking.account_type), assignments);
        -- The days of an outage are written when it is over.
        IF state.broken IS NULL THEN
            PERFORM health_internal.record_scores(tracking, health_internal.compile_choice('s', ids, tracking.account_type));
        END IF;
        EXECUTE format('SELECT count(*) FROM %s AS b WHERE %s', book, health_internal.compile_choice('b', ids, tracking.account_type))
            INTO scored;
        EXECUTE format('DELETE FROM %s AS t WHERE %s', stale, health_internal.compile_choice('t', ids, tracking.account_type));
        total := total + scored;
        EXIT WHEN state.all_stale;
    END LOOP;
    EXECUTE format('UPDATE %s SET all_stale = false WHERE all_stale', health_internal.data_table('state', tracking.id));
    IF written THEN
        PERFORM health_internal.measure_book(tracking);
    END IF;
    RETURN total;
END;
$$;
COMMENT ON FUNCTION health_internal.write_scores(health_internal.tracking, integer) IS
    'Scores the stale accounts, of single ones so many at a time: rows of score and history; returns how many';

-- Tables that were filled a moment ago have no statistics; the next refresh should not have to wait for autovacuum.
CREATE FUNCTION health_internal.analyze_data(tracking health_internal.tracking) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source health_internal.ledger_source;
BEGIN
    -- Of the columns that are joined by: statistics of arrays of scores and of ledgers help nobody and take long.
    EXECUTE format('ANALYZE %s (account_id), %s (account_id), %s (account_id, month)', health_internal.data_table('book', tracking.id),
                   health_internal.data_table('score', tracking.id), health_internal.data_table('history', tracking.id));
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = tracking.model ORDER BY s.id LOOP
        EXECUTE format('ANALYZE %s (account_id, period, part)', source.chunk_table::regclass);
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.analyze_data(health_internal.tracking) IS 'Gathers statistics on the tables of a tracked model';

CREATE FUNCTION health_internal.rescore(tracking health_internal.tracking, version health_internal.model_version, ignore_volume boolean)
    RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state_table CONSTANT text := health_internal.data_table('state', tracking.id);
    state health_internal.store_state := health_internal.read_state(tracking.id);
    document jsonb := version.document;
    asked CONSTANT date := health_internal.model_today(document);
    first_day CONSTANT date := asked - health_internal.past_days(document);
    first_time boolean := NOT EXISTS (SELECT FROM health_internal.tracking AS t WHERE t.id = tracking.id AND t.history_from IS NOT NULL);
    sight health_internal.sight;
    today date;
    scored bigint := 0;
BEGIN
    sight := health_internal.ledger_sight(tracking.model, document, asked, 28);
    -- What was broken before stays broken.
    IF ignore_volume AND sight.broken IS NOT NULL THEN
        UPDATE health_internal.tracking AS t SET accepted = coalesce(t.accepted, '{}') + daterange(sight.as_of, asked)::datemultirange
        WHERE t.id = tracking.id;
        sight := health_internal.ledger_sight(tracking.model, document, asked, 28);
    END IF;
    today := sight.as_of;
    IF sight.broken IS NOT NULL AND state.broken IS NULL THEN
        RAISE WARNING 'model "%": %', tracking.model, sight.broken
            USING DETAIL = format('Its scores stay those of %s until the volume is usual again.', today),
                  HINT = format('If that is how it is: CALL health.refresh(%L, ignore_volume => true);', tracking.model);
    END IF;
    PERFORM health_internal.make_history_months(tracking, today, today);
    EXECUTE format('UPDATE %s SET as_of = $1, broken = $2, outages = $3, all_stale = all_stale OR as_of IS DISTINCT FROM $1 '
                   'OR outages IS DISTINCT FROM $3 OR ledger_start IS DISTINCT FROM $4, ledger_start = $4 '
                   'WHERE (as_of, broken, outages, ledger_start) IS DISTINCT FROM ($1, $2, $3, $4)', state_table)
    USING today, sight.broken, sight.outages,
        (SELECT max(s.kept_from) FROM health_internal.ledger_source AS s WHERE s.model = tracking.model);
    PERFORM health_internal.update_book(tracking, version);
    -- Days that no refresh has seen are scored now; today with them when all is new, so that no month is written twice.
    IF first_time THEN
        PERFORM health_internal.write_history(tracking, version, first_day, today, 1);
    ELSIF state.as_of + (state.broken IS NULL)::integer < today THEN
        PERFORM health_internal.write_history(tracking, version,
            greatest(state.as_of + (state.broken IS NULL)::integer, health_internal.history_start(document, today), today - 400), today - 1,
            1);
    END IF;
    IF NOT first_time AND health_internal.has_new_accounts(tracking) THEN
        PERFORM health_internal.write_history(tracking, version, first_day, today - (sight.broken IS NULL)::integer, 1, only_new => true);
    END IF;
    scored := health_internal.write_scores(tracking);
    IF first_time THEN
        PERFORM health_internal.analyze_data(tracking);
    END IF;
    IF state.as_of IS DISTINCT FROM today THEN
        PERFORM health_internal.drop_old_data(tracking, document, asked);
    END IF;
    UPDATE health_internal.tracking AS t SET history_from = coalesce(t.history_from, first_day) WHERE t.id = tracking.id;
    RETURN scored;
END;
$$;
COMMENT ON FUNCTION health_internal.rescore(health_internal.tracking, health_internal.model_version, boolean) IS
    'Scores the accounts of a tracked model that are stale or whose attributes changed, all of them on a new day; as of the first '
        'broken day while tracking is broken';
-- The store of a model: its accounts with their state, their scores, signals and history. It is made from the events, as materialized
-- views, or kept as ledgers, of a tracked model. What stands above asks the store, and only here is told which kind it is.

CREATE TYPE health_internal.store AS (
    version health_internal.model_version,
    tracking health_internal.tracking,
    has_ledgers boolean,
    has_scores boolean
);
COMMENT ON TYPE health_internal.store IS 'Internal: where the accounts of a version of a model, their state and their scores are to be had';
COMMENT ON COLUMN health_internal.store.version IS 'The version of the model';
COMMENT ON COLUMN health_internal.store.tracking IS 'What is kept of the model; NULL when nothing is';
COMMENT ON COLUMN health_internal.store.has_ledgers IS 'Whether ledgers of the sources of this version have been read to the end';
COMMENT ON COLUMN health_internal.store.has_scores IS 'Whether scores and history are kept by this version';

CREATE FUNCTION health_internal.open_store(version health_internal.model_version) RETURNS health_internal.store
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT ROW(version, t,
               coalesce((t).model_version IS NOT NULL AND (t).ledger_key = health_internal.ledger_key((version).document)
                        AND NOT EXISTS (SELECT FROM health_internal.ledger_source AS s WHERE s.model = (version).model
                            AND s.read_at IS NULL), false),
               coalesce((t).model_version = (version).version, false))::health_internal.store
    FROM (SELECT) AS one LEFT JOIN health_internal.tracking AS t ON (t).model = (version).model;
END;
COMMENT ON FUNCTION health_internal.open_store(health_internal.model_version) IS 'The store of a version of a model';

-- On past days with the account data that the history has recorded on them.
CREATE FUNCTION health_internal.store_accounts(store health_internal.store, account text DEFAULT NULL, as_of date DEFAULT NULL)
RETURNS health_internal.compiled_model
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := store.version;
    compiled health_internal.compiled_model;
BEGIN
    IF store.has_ledgers THEN
        PERFORM health_internal.check_data_tables(version.model);
    END IF;
    compiled := health_internal.compile_model(version.document, version.version, account, as_of, model_name => version.model,
                                              usage_from => CASE WHEN store.has_ledgers THEN 'ledger' ELSE 'events' END);
    compiled.ledger := health_internal.compile_recorded(version.model, version.document, compiled.ledger);
    RETURN compiled;
END;
$$;
COMMENT ON FUNCTION health_internal.store_accounts(health_internal.store, text, date) IS
    'SQL of the accounts of a store, or of one of them, as of its day or another, with what scoring takes of each';

CREATE FUNCTION health_internal.store_relation(store health_internal.store, suffix text, ledger_relation text,
    compiled health_internal.compiled_model, as_literals boolean)
RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE
        WHEN (store).has_scores THEN health_internal.compile_tracked_view(suffix, (store).tracking, ((store).version).document, compiled,
            health_internal.compile_probabilities((store).version, true, 's.score'))
        ELSE health_internal.compile_score_query(suffix, ledger_relation, ((store).version).model, ((store).version).document,
            compiled, health_internal.compile_probabilities((store).version, as_literals, 's.score')) END;
END;
COMMENT ON FUNCTION health_internal.store_relation(health_internal.store, text, text, health_internal.compiled_model, boolean) IS
    'SQL of one of the relations of a score view: _ledger, the scores (no suffix), _signals, _history; the columns are the same of every '
        'kind of store';

-- Ledgers of known accounts are not even decoded.
CREATE FUNCTION health_internal.store_activity_beside(store health_internal.store, accounts text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := store.version;
    fields health_internal.model_field[];
BEGIN
    IF store.has_ledgers THEN
        RETURN (SELECT pg_catalog.string_agg(pg_catalog.format(
                    'SELECT k.account_id, c.count AS n FROM (SELECT h.account_id::pg_catalog.text, h.usage FROM %s AS h) AS k, '
                    'LATERAL health.cells(k.usage) AS c WHERE NOT health_internal.is_marker(c.event) '
                    'AND NOT EXISTS (SELECT FROM (%s) AS a WHERE (%s)::pg_catalog.text = k.account_id)',
                    health_internal.data_table('chunk', s.id), accounts, health_internal.account_key(store.tracking, 'a.account_id')),
                    ' UNION ALL ')
                FROM health_internal.ledger_source AS s WHERE s.model = version.model);
    END IF;
    fields := ARRAY(SELECT f FROM health_internal.model_fields(version.document) AS f);
    RETURN pg_catalog.format('SELECT e.account_id, e.n FROM (%s) AS e WHERE NOT EXISTS (SELECT FROM (%s) AS a WHERE '
        '(%s)::pg_catalog.text = e.account_id)',
        health_internal.compile_all_events(version.document, fields,
            'SELECT r.account_id, pg_catalog.count(*) AS n FROM (%s) AS r WHERE r.bad_field IS NULL GROUP BY 1'), accounts,
        health_internal.compile_account_key(fields, 'a.account_id'));
END;
$$;
COMMENT ON FUNCTION health_internal.store_activity_beside(health_internal.store, text) IS
    'SQL of accounts and numbers of events, several rows for an account, of accounts that are not among the given ones';
-- Why an account has its score, and why the score moved.

-- Runs under the author's search_path: what an unqualified name of the document means does not depend on who asks.
CREATE FUNCTION health_internal.read_account(model_name text, version health_internal.model_version, account text, as_of date)
RETURNS SETOF health.account_state
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_model;
BEGIN
    -- NULL, to the compiler, means every account.
    IF account IS NULL THEN
        RAISE EXCEPTION 'model "%": the account to explain is NULL', model_name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the id of an account: explain(model, account).';
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.store_accounts(health_internal.open_store(version), account, as_of);
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT (s.account).* FROM (SELECT %s AS account FROM (%s) AS l LIMIT 1) AS s',
        health_internal.compile_state(with_past => false), compiled.ledger);
    IF NOT FOUND THEN
        PERFORM health_internal.raise_unknown_account(model_name, version, account);
    END IF;
EXCEPTION WHEN data_exception OR feature_not_supported THEN
    -- Either the id cannot be one of this type, or the user's own data failed to convert: only the former means that there is no such
    -- account.
    IF compiled.account_type IS NOT NULL AND strpos(sqlerrm, account) > 0
       AND sqlstate IN ('22P02', '22003', '22007') THEN
        PERFORM health_internal.raise_unknown_account(model_name, version, account);
    ELSIF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model_name, version, as_of);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.read_account(text, health_internal.model_version, text, date) IS
    'What scoring needs of one account, read from its ledger if the model is tracked, else from the events of that account only; an error '
        'when there is no such account';

CREATE FUNCTION health_internal.raise_unknown_account(model_name text, version health_internal.model_version, account text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_model;
    same_name text;
    near text;
BEGIN
    -- In an exception handler of the caller, its own setting has been rolled back. This one ends with the error.
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, usage_from => 'nothing');
    EXECUTE pg_catalog.format('SELECT pg_catalog.min(%s) FROM (%s) AS l WHERE pg_catalog.lower(l.name) = '
        'pg_catalog.lower($1)',
                              health_internal.canonical_text('l.account_id', compiled.account_type), compiled.ledger)
        INTO same_name USING account;
    IF same_name IS NULL THEN
        EXECUTE pg_catalog.format('SELECT health.nearest_name($1, pg_catalog.array_agg(%s)) FROM (%s) AS l',
                                  health_internal.canonical_text('l.account_id', compiled.account_type), compiled.ledger)
            INTO near USING account;
    END IF;
    RAISE EXCEPTION 'model "%": there is no account "%" in %', model_name, account, compiled.account_label
        USING ERRCODE = 'no_data_found',
              HINT = CASE WHEN same_name IS NOT NULL THEN pg_catalog.format('The account of that name has the id "%s".', same_name)
                          WHEN near IS NOT NULL THEN pg_catalog.format('Did you mean "%s"?', near)
                          ELSE pg_catalog.format('Ids of accounts are of type %s, from %s less what accounts.filter leaves out.',
                                                  compiled.account_type, compiled.account_label) END;
END;
$$;
COMMENT ON FUNCTION health_internal.raise_unknown_account(text, health_internal.model_version, text) IS
    'Raises the error for an account that a model does not have';

-- An id that can be none of this type is an account that there is not.
CREATE FUNCTION health_internal.find_account(model_name text, version health_internal.model_version, account text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_model;
    id text;
BEGIN
    IF account IS NULL THEN
        RAISE EXCEPTION 'model "%": the account is NULL', model_name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the id of an account.';
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, account, usage_from => 'nothing',
                                              model_name => model_name);
    EXECUTE pg_catalog.format('SELECT %s FROM (%s) AS l LIMIT 1',
                              health_internal.canonical_text('l.account_id', compiled.account_type), compiled.ledger) INTO id;
    IF id IS NULL THEN
        PERFORM health_internal.raise_unknown_account(model_name, version, account);
    END IF;
    RETURN id;
EXCEPTION WHEN data_exception THEN
    IF compiled.account_type IS NOT NULL AND strpos(sqlerrm, account) > 0 AND sqlstate IN ('22P02', '22003', '22007') THEN
        PERFORM health_internal.raise_unknown_account(model_name, version, account);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.find_account(text, health_internal.model_version, text) IS
    'The id of an account as text, the same however it was written; the error of explain() when a model does not have it';

-- Kept of the day of the scores; of other days, and of a model that is not tracked, all accounts are measured. An account is explained
-- even while the data of another one fail.
CREATE FUNCTION health_internal.book_changes_at(version health_internal.model_version, as_of date) RETURNS float8[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    store CONSTANT health_internal.store := health_internal.open_store(version);
    query CONSTANT text := health_internal.compile_book_changes(version.document, 'scored');
    state health_internal.store_state;
    changes float8[];
BEGIN
    IF query IS NULL THEN
        RETURN NULL;
    END IF;
    IF store.has_scores THEN
        state := health_internal.read_state((store.tracking).id);
        IF state.as_of = book_changes_at.as_of AND NOT state.all_stale THEN
            RETURN state.book;
        END IF;
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    EXECUTE pg_catalog.format(
        'WITH scored AS MATERIALIZED (SELECT health_internal.account_signals(%L::pg_catalog.jsonb, %s) AS "$signals" FROM (%s) AS l '
        'WHERE l.in_filter[1] IS NOT FALSE) %s',
        health_internal.scoring_document(version.document), health_internal.compile_state(with_past => false),
        (health_internal.store_accounts(store, as_of => book_changes_at.as_of)).ledger, query) INTO changes;
    RETURN changes;
EXCEPTION WHEN data_exception OR feature_not_supported THEN
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.book_changes_at(health_internal.model_version, date) IS
    'What the whole book did as of a day in each signal that is held against it; NULL when none is';

CREATE FUNCTION health_internal.explain_as_owner(model text, account text, as_of date) RETURNS SETOF health.signal_score
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version health_internal.model_version := health_internal.find_version(model, (health_internal.open_model(model)).current_version);
    asked CONSTANT date := coalesce(as_of, health_internal.model_today(version.document));
BEGIN
    IF NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day to explain is %', model, as_of
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day: explain(model, account, date).';
    END IF;
    RETURN QUERY
    SELECT s."position", s.signal, s.parent, s.label, s.level, s.raw, s.raw_text, s.normalized, s.weight, s.points, s.reason,
           CASE WHEN s."position" = max(s."position") OVER () AND a.as_of < asked
                THEN format('%s As of %s: tracking was broken from that day on.', s.phrase, to_char(a.as_of, 'YYYY-MM-DD'))
                ELSE s.phrase END,
           s.next_step, s.counted, s.basis, s.book
    FROM health_internal.read_account(model, version, account, as_of) AS a,
        health_internal.signal_rows(version.document, a.as_of, health_internal.account_signals(version.document, a), a.overrides,
                                    health_internal.book_changes_at(version, a.as_of)) AS s
    ORDER BY s."position";
END;
$$;
COMMENT ON FUNCTION health_internal.explain_as_owner(text, text, date) IS 'explain(model, account, as_of) as the owner of the model';

CREATE FUNCTION health.explain(model text, account text, as_of date DEFAULT NULL) RETURNS SETOF health.signal_score
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT (r.signal).* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT e FROM health_internal.explain_as_owner($1, $2, $3::date) AS e', model, account, health_internal.iso_text(as_of))
        AS r (signal health.signal_score);
END;
$$;
COMMENT ON FUNCTION health.explain(text, text, date) IS
    'Why an account has its score: one row per signal with raw and normalized value, weight, points, words and next step; a row '
    '"override" when one has effect; the last row is the score. '
    'as_of: a past day, by the present version, with account data as score_at() has them; by default the day of the model';

CREATE FUNCTION health.explain(model text, account bigint, as_of date DEFAULT NULL) RETURNS SETOF health.signal_score
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT e.* FROM health.explain(model, account::pg_catalog.text, as_of) AS e;
END;
COMMENT ON FUNCTION health.explain(text, bigint, date) IS 'explain(model, account, as_of) for a numeric account id';

CREATE FUNCTION health.explain(model text, account uuid, as_of date DEFAULT NULL) RETURNS SETOF health.signal_score
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT e.* FROM health.explain(model, account::pg_catalog.text, as_of) AS e;
END;
COMMENT ON FUNCTION health.explain(text, uuid, date) IS 'explain(model, account, as_of) for a uuid account id';

CREATE FUNCTION health_internal.explain_change_as_owner(model text, account text, from_date date, to_date date,
                                                        from_version integer, to_version integer)
RETURNS SETOF health.change_row
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    current_version integer := (health_internal.open_model(model)).current_version;
    before health_internal.model_version := health_internal.find_version(model, coalesce(from_version, current_version));
    after health_internal.model_version := health_internal.find_version(model, coalesce(to_version, current_version));
BEGIN
    IF from_date IS NULL OR to_date IS NULL OR NOT isfinite(from_date) OR NOT isfinite(to_date) OR from_date > to_date THEN
        RAISE EXCEPTION 'model "%": from % to % is no span of time', model, coalesce(from_date::text, 'NULL'),
            coalesce(to_date::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give two days, the earlier one first: explain(model, account, from_date, to_date).';
    END IF;
    RETURN QUERY
    SELECT c.* FROM health_internal.read_account(model, before, account, from_date) AS b,
        health_internal.read_account(model, after, account, to_date) AS a,
        health.score_change(before.document, after.document, b, a) AS c;
END;
$$;
COMMENT ON FUNCTION health_internal.explain_change_as_owner(text, text, date, date, integer, integer) IS
    'explain(model, account, from_date, to_date) as the owner of the model';

CREATE FUNCTION health.explain(model text, account text, from_date date, to_date date,
                               from_version integer DEFAULT NULL, to_version integer DEFAULT NULL)
RETURNS SETOF health.change_row
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT (r.change).* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT e FROM health_internal.explain_change_as_owner($1, $2, $3::date, $4::date, $5::integer, $6::integer) AS e',
        model, account, health_internal.iso_text(from_date), health_internal.iso_text(to_date), from_version::text, to_version::text)
        AS r (change health.change_row);
END;
$$;
COMMENT ON FUNCTION health.explain(text, text, date, date, integer, integer) IS
    'Why the score of an account moved between two dates: rows whose points add up to the change; the last row is the total and its phrase '
    'the sentence. Account data are those that the history of a tracked model recorded on each date; else columns stand at today''s value '
        'at both '
    'dates, and expressions see their own as_of';

CREATE FUNCTION health.explain(model text, account bigint, from_date date, to_date date,
                               from_version integer DEFAULT NULL, to_version integer DEFAULT NULL)
RETURNS SETOF health.change_row
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT e.* FROM health.explain(model, account::pg_catalog.text, from_date, to_date, from_version, to_version) AS e;
END;
COMMENT ON FUNCTION health.explain(text, bigint, date, date, integer, integer) IS
    'explain(model, account, from_date, to_date) for a numeric account id';

CREATE FUNCTION health.explain(model text, account uuid, from_date date, to_date date,
                               from_version integer DEFAULT NULL, to_version integer DEFAULT NULL)
RETURNS SETOF health.change_row
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT e.* FROM health.explain(model, account::pg_catalog.text, from_date, to_date, from_version, to_version) AS e;
END;
COMMENT ON FUNCTION health.explain(text, uuid, date, date, integer, integer) IS
    'explain(model, account, from_date, to_date) for a uuid account id';
-- The whole book as of a past day.

CREATE FUNCTION health_internal.score_at_as_owner(model text, as_of date, version integer, known_at date,
    OUT account_id text, OUT name text, OUT as_of_date date, OUT model_version integer, OUT score float8, OUT band text,
        OUT data_coverage float8,
    OUT unknown_reason text, OUT state text, OUT churn_probability float8, OUT expansion_likelihood float8) RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    scored health_internal.model_version := health_internal.find_version(model, coalesce(version, opened.current_version));
    compiled health_internal.compiled_model;
BEGIN
    IF as_of IS NULL OR NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day to score at is %', model, coalesce(as_of::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day: score_at(model, date).';
    ELSIF NOT isfinite(known_at) THEN
        RAISE EXCEPTION 'model "%": the day of what was known is %', model, known_at
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day; without one all that is known now is seen.';
    ELSIF known_at IS NOT NULL AND NOT EXISTS (SELECT FROM health_internal.event_sources(scored.document) AS s
                                               WHERE s.source ? 'known_at') THEN
        RAISE EXCEPTION 'model "%": no event source says when its rows became known', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Name the column that says so: "events": {..., "known_at": "loaded_at"}.';
    END IF;
    PERFORM health_internal.look_names_up_in(scored.search_path);
    compiled := health_internal.store_accounts(health_internal.open_store(scored), as_of => score_at_as_owner.as_of);
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT %s, l.name, s.as_of, %s, s.score, s.band, s.coverage, '
        'coalesce(l.tracking_broke, s.unknown_reason), s.state, %s FROM (%s) AS l, '
        'LATERAL health.score_series(%L::pg_catalog.jsonb, %s, l.as_of, l.as_of) AS s ORDER BY l.account_id',
        health_internal.canonical_text('l.account_id', compiled.account_type), scored.version,
        health_internal.compile_probabilities(scored, true, 's.score'), compiled.ledger, scored.document,
        health_internal.compile_state(health_internal.compile_known_usage(known_at), with_past => false));
EXCEPTION WHEN data_exception OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, scored, as_of);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.score_at_as_owner(text, date, integer, date) IS 'score_at() as the owner of the model';

CREATE FUNCTION health.score_at(model text, as_of date, version integer DEFAULT NULL, known_at date DEFAULT NULL,
    OUT account_id text, OUT name text, OUT as_of_date date, OUT model_version integer, OUT score float8, OUT band text,
        OUT data_coverage float8,
    OUT unknown_reason text, OUT state text, OUT churn_probability float8, OUT expansion_likelihood float8) RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.score_at_as_owner($1, $2::date, $3::integer, $4::date)', model, health_internal.iso_text(as_of),
        version::text, health_internal.iso_text(known_at))
        AS r (account_id text, name text, as_of_date date, model_version integer, score float8, band text, data_coverage float8,
              unknown_reason text, state text, churn_probability float8, expansion_likelihood float8);
END;
$$;
COMMENT ON FUNCTION health.score_at(text, date, integer, date) IS
    'The whole book as of a past day, by the current or a named version of the model: events of days before it, account data as the '
        'history of a tracked '
    'model recorded them on that day, else expressions and dated answers of that day and columns at their present value. '
    'known_at: by the events that were known before that day, of sources that say so (events.known_at)';
-- Does the score predict? The model is scored on past days with what was known then, and held against what happened afterwards.

CREATE TYPE health.backtest_row AS (
    section text,
    item text,
    n bigint,
    events bigint,
    value float8,
    low float8,
    high float8,
    note text
);
COMMENT ON TYPE health.backtest_row IS 'One figure of a backtest';
COMMENT ON COLUMN health.backtest_row.section IS
    'verdict, data, auc, gain, ranking, probability, calibration, band, lead, signal, segment, left out';
COMMENT ON COLUMN health.backtest_row.item IS 'What the figure is of';
COMMENT ON COLUMN health.backtest_row.n IS 'Observations: an account on a date is one';
COMMENT ON COLUMN health.backtest_row.events IS 'How many of them had the outcome';
COMMENT ON COLUMN health.backtest_row.value IS 'The figure; NULL where there are too few to say, or it is a count';
COMMENT ON COLUMN health.backtest_row.low IS 'Lower end of its 95 % interval, by accounts';
COMMENT ON COLUMN health.backtest_row.high IS 'Upper end';
COMMENT ON COLUMN health.backtest_row.note IS 'In words';

CREATE FUNCTION health_internal.observe_dates(model jsonb, account health.account_state, dates date[], gap integer, horizon integer,
    outages date[], OUT as_of date, OUT in_book boolean, OUT score float8, OUT band text, OUT state text, OUT unknown_reason text,
    OUT recency float8,
    OUT events float8, OUT active_after boolean, OUT normalized float8[])
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_observe_dates'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 24;
COMMENT ON FUNCTION health_internal.observe_dates(jsonb, health.account_state, date[], integer, integer, date[]) IS
    'An account on each of several dates, from one decode: score, days since last activity (infinite: never), events of the window, '
    'signals as scores, and whether anybody was active in the horizon after the gap: NULL when nobody was seen in it and tracking was '
    'broken on a day of it, by first and last days of outages';

-- What an expression says of a past day is of that day when it asks other tables with as_of, or needs nothing that changes.
CREATE FUNCTION health_internal.has_a_past(document jsonb, fields health_internal.model_field[], input_path text, kind text, source text)
    RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    expression text := source;
BEGIN
    IF kind IN ('metric', 'pulse') THEN
        RETURN true;
    ELSIF kind = 'query' THEN
        RETURN (health_internal.field_of(fields, input_path, 'observed')).expression IS NOT NULL;
    ELSIF kind = 'column' THEN
        expression := document #>> ARRAY['accounts', 'columns', source, 'sql'];
    END IF;
    RETURN coalesce(expression ~* '\mas_of\M' AND (expression ~* '\mselect\M'
        OR (SELECT count(*) = 0 FROM regexp_matches(regexp_replace(expression, '''[^'']*''|::\s*\w+', '', 'g'), '[a-z_]\w*', 'gi') AS w
            (word)
            WHERE lower(w.word[1]) <> ALL ('{as_of,account_start,account_id,coalesce,greatest,least,nullif,'
                'case,when,then,else,end,is,not,"null"}'))),
        false);
END;
$$;
COMMENT ON FUNCTION health_internal.has_a_past(jsonb, health_internal.model_field[], text, text, text) IS
    'Whether an input of a model can be known of past days: columns, and expressions over columns, only say what stands there today';

CREATE FUNCTION health_internal.without_signals(signals jsonb, names text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kept jsonb := '[]'::jsonb;
    signal jsonb;
BEGIN
    FOR signal IN SELECT s.value FROM jsonb_array_elements(signals) WITH ORDINALITY AS s (value, "position") ORDER BY s."position" LOOP
        IF signal ->> 'name' = ANY (names) THEN
            CONTINUE;
        ELSIF signal ? 'signals' THEN
            signal := jsonb_set(signal, '{signals}', health_internal.without_signals(signal -> 'signals', names));
            CONTINUE WHEN signal -> 'signals' = '[]';
        END IF;
        kept := kept || signal;
    END LOOP;
    RETURN kept;
END;
$$;
COMMENT ON FUNCTION health_internal.without_signals(jsonb, text[]) IS 'Signals of a document less those of these names, and groups that '
    'are empty then';

-- What was frozen of the book later than the first date knows more than that date did.
CREATE FUNCTION health_internal.without_frozen(document jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    thawed jsonb := document;
    leaf record;
BEGIN
    FOR leaf IN SELECT l.place FROM health_internal.leaf_signals(document) AS l LOOP
        thawed := thawed #- (leaf.place || '{frozen}'::text[]) #- (leaf.place || '{normalize,reference}'::text[]);
    END LOOP;
    RETURN thawed;
END;
$$;
COMMENT ON FUNCTION health_internal.without_frozen(jsonb) IS 'A document without what it froze of the book';

-- Defaults of dates stand here alone: every 28 days, twelve of them, as late as the horizon allows.
CREATE FUNCTION health_internal.plan_dates(model text, horizon integer, today date, from_date date DEFAULT NULL, to_date date DEFAULT NULL,
    step integer DEFAULT 28, gap integer DEFAULT 0) RETURNS date[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF horizon IS NULL OR horizon NOT BETWEEN 1 AND 3660 THEN
        RAISE EXCEPTION 'model "%": the horizon is 1 to 3660 days, not %', model, coalesce(horizon::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF gap IS NULL OR gap NOT BETWEEN 0 AND 3660 THEN
        RAISE EXCEPTION 'model "%": the gap is 0 to 3660 days, not %', model, coalesce(gap::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    to_date := coalesce(to_date, today - horizon - gap);
    from_date := coalesce(from_date, to_date - 11 * step);
    PERFORM health_internal.check_span(model, from_date, to_date, step);
    IF to_date + gap + horizon > today THEN
        RAISE EXCEPTION 'model "%": what happens within % days after % is not known yet', model, gap + horizon, to_date
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('The last date can be %s.', today - gap - horizon);
    ELSIF (to_date - from_date) / step >= 1000 THEN
        RAISE EXCEPTION 'model "%": a backtest takes up to 1000 dates, not %', model, (to_date - from_date) / step + 1
            USING ERRCODE = 'program_limit_exceeded', HINT = 'Take a larger step.';
    END IF;
    RETURN ARRAY(SELECT from_date + n * step FROM generate_series(0, (to_date - from_date) / step) AS n);
END;
$$;
COMMENT ON FUNCTION health_internal.plan_dates(text, integer, date, date, date, integer, integer) IS
    'The dates of a backtest, whose horizon after a gap is over; raises an error unless they make sense';

-- Two decimals without the zero, as figures between 0 and 1 are told.
CREATE FUNCTION health_internal.show_share(share float8) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.regexp_replace(pg_catalog.to_char(pg_catalog.round(share::pg_catalog.numeric, 2), 'FM0.00'), '^(-?)0[.]', '\1.');
END;
COMMENT ON FUNCTION health_internal.show_share(float8) IS 'A number between -1 and 1 for a sentence: .78';

CREATE FUNCTION health_internal.tell_backtest(outcome text, horizon integer, positives bigint, negatives bigint, auc float8, low float8,
    high float8, baseline text, baseline_auc float8, gain float8, gain_low float8, gain_high float8) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN least(positives, negatives) = 0 THEN format('Nothing to say: of %s observations %s had the outcome "%s".', positives +
            negatives,
            positives, outcome)
        WHEN NOT health_internal.are_enough(positives, positives + negatives)
            THEN format('Too few to say: %s of %s observations had the outcome "%s"%s.', positives, positives + negatives, outcome,
            coalesce(format('; the AUC lies between %s and %s', health_internal.show_share(low), health_internal.show_share(high)), ''))
        ELSE rtrim(format('%s: AUC %s (%s to %s). %s alone: %s. %s',
            CASE WHEN high < 0.5 THEN format('Inverse: a good score means more of "%s" in %s days', outcome, horizon)
                 WHEN low <= 0.5 THEN format('No signal about "%s" in %s days', outcome, horizon)
                 ELSE format('Predicts "%s" in %s days', outcome, horizon) END,
            health_internal.show_share(auc), health_internal.show_share(low), health_internal.show_share(high),
            upper(left(baseline, 1)) || substr(baseline, 2), health_internal.show_share(baseline_auc),
            CASE WHEN low <= 0.5 THEN CASE WHEN gain_high < 0 THEN 'That is better.' ELSE '' END
                 WHEN gain_low > 0 THEN format('Better than that by %s (%s to %s).', health_internal.show_share(gain),
                     health_internal.show_share(gain_low), health_internal.show_share(gain_high))
                 WHEN gain_high < 0 THEN format('Worse than that by %s (%s to %s).', health_internal.show_share(-gain),
                     health_internal.show_share(-gain_high), health_internal.show_share(-gain_low))
                 ELSE 'No gain that the data can show.' END)) END;
$$;
COMMENT ON FUNCTION health_internal.tell_backtest(text, integer, bigint, bigint, float8, float8, float8, text, float8, float8, float8,
    float8) IS 'The outcome of a backtest in a sentence, beside the better one of the baselines';

CREATE FUNCTION health_internal.tell_late_rows(document jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN bool_and(s.source ? 'known_at') THEN 'not seen before the day on which they became known'
        ELSE format('seen, as if they had come on their day: no known_at in %s',
                    string_agg(s.path, ', ' ORDER BY s.path) FILTER (WHERE NOT s.source ? 'known_at')) END
    FROM health_internal.event_sources(document) AS s HAVING count(*) > 0;
$$;
COMMENT ON FUNCTION health_internal.tell_late_rows(jsonb) IS
    'Whether past dates see rows that became known later, in words; NULL without an event source';

CREATE TYPE health_internal.observation AS (
    unit bigint,
    account_id text,
    segment text,
    lost_on date,
    on_grid boolean,
    as_of date,
    in_book boolean,
    score float8,
    band text,
    unknown_reason text,
    recency float8,
    events float8,
    normalized float8[],
    outcome boolean,
    gone boolean
);
COMMENT ON TYPE health_internal.observation IS 'Internal: an account on a date of a backtest, and what became of it';
COMMENT ON COLUMN health_internal.observation.unit IS 'Number of the account';
COMMENT ON COLUMN health_internal.observation.lost_on IS 'When it was lost, by the outcomes or accounts.end';
COMMENT ON COLUMN health_internal.observation.on_grid IS 'Whether the date is one of the backtest, and not one of the days before a loss';
COMMENT ON COLUMN health_internal.observation.outcome IS 'Whether the outcome falls into the horizon';
COMMENT ON COLUMN health_internal.observation.gone IS 'Whether it came before the horizon begins';

-- kind: query (the outcomes are given), end (accounts.end), silent (nobody active in the horizon). By a document of which everything that
-- is frozen is of the first date.
CREATE FUNCTION health_internal.observe_model(tested health_internal.model_version, document jsonb, usage_from text, kind text, dates
    date[],
    step integer, gap integer, horizon integer, segment text, lost_accounts text[], lost_days date[])
RETURNS SETOF health_internal.observation
LANGUAGE plpgsql ROWS 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_date CONSTANT date := dates[1];
    last_date CONSTANT date := dates[pg_catalog.cardinality(dates)];
    compiled health_internal.compiled_model;
    outages date[];
BEGIN
    PERFORM health_internal.look_names_up_in(tested.search_path);
    -- That nobody is seen while tracking is broken does not say that nobody was there.
    IF kind = 'silent' THEN
        EXECUTE pg_catalog.format('SELECT s.outages FROM (%s) AS s', health_internal.compile_sight(document,
            ARRAY(SELECT f FROM health_internal.model_fields(document) AS f), last_date + gap + horizon, usage_from, tested.model,
            last_date - first_date + gap + horizon)) INTO outages;
    END IF;
    compiled := health_internal.compile_model(document, tested.version, as_of => last_date, usage_from => usage_from,
                                              model_name => tested.model, past_days => last_date - first_date, past_step => step);
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH lost AS MATERIALIZED (
            SELECT l.account_id, pg_catalog.min(l.day) AS day
            FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS l (account_id, day) GROUP BY 1
        ), book AS MATERIALIZED (
            SELECT pg_catalog.row_number() OVER (ORDER BY %1$s) AS unit, %1$s AS account_key, l.*,
                   CASE %5$L WHEN 'end' THEN l.account_end END AS ended
            FROM (%2$s) AS l
        )
        SELECT b.unit, b.account_key, %6$s, coalesce(x.day, b.ended), o.as_of = ANY ($3), o.as_of, o.in_book, o.score, o.band,
               o.unknown_reason, o.recency, o.events, o.normalized,
               CASE %5$L WHEN 'silent' THEN NOT o.active_after
                    ELSE coalesce(coalesce(x.day, b.ended) > o.as_of + $6 AND coalesce(x.day, b.ended) <= o.as_of + $6 + $7, false) END,
               %5$L <> 'silent' AND coalesce(coalesce(x.day, b.ended) <= o.as_of + $6, false)
        FROM book AS b LEFT JOIN lost AS x ON x.account_id = b.account_key
        CROSS JOIN LATERAL health_internal.observe_dates(%3$L::pg_catalog.jsonb, %4$s, ARRAY(
            SELECT d.day FROM pg_catalog.unnest($3) AS d (day)
            UNION SELECT coalesce(x.day, b.ended) - n.days FROM (VALUES (30), (60), (90)) AS n (days)
            WHERE coalesce(x.day, b.ended) - n.days BETWEEN $4 AND $5 AND coalesce(x.day, b.ended) > $4), $6, $7, $8) AS o
        WHERE %5$L <> 'silent' OR o.active_after IS NOT NULL
        $query$,
        health_internal.canonical_text('l.account_id', compiled.account_type), compiled.ledger, health_internal.scoring_document(document),
        health_internal.compile_state(past_step => step, row_name => 'b', with_overrides => false), kind,
        CASE WHEN segment IS NULL THEN 'NULL::pg_catalog.text' ELSE pg_catalog.format('b.%I::pg_catalog.text', segment) END)
    USING lost_accounts, lost_days, dates, first_date, last_date, gap, horizon, outages;
END;
$$;
COMMENT ON FUNCTION health_internal.observe_model(health_internal.model_version, jsonb, text, text, date[], integer, integer, integer, text,
    text[], date[]) IS
    'The accounts of a model on each of several dates by a document, from one pass over each ledger, with what became of them';

-- A backtest knows no more of the book than the first date did, nor do weights. A probability goes with the score that people read, which
-- is by what the version has frozen.
CREATE FUNCTION health_internal.past_document(tested health_internal.model_version, first_date date, as_of_first_date boolean,
    OUT document jsonb, OUT left_out text[], OUT usage_from text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields health_internal.model_field[];
BEGIN
    PERFORM health_internal.look_names_up_in(tested.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(tested.document) AS f);
    left_out := ARRAY(SELECT i.name FROM health.model_inputs(tested.document) AS i
                      WHERE NOT health_internal.has_a_past(tested.document, fields, i.path, i.kind, i.source) ORDER BY i."position");
    document := pg_catalog.jsonb_set(tested.document, '{signals}',
        health_internal.without_signals(tested.document -> 'signals', left_out));
    IF document -> 'signals' = '[]' THEN
        RAISE EXCEPTION 'model "%": no signal has a past', tested.model
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'Columns say only what stands there today: ' || pg_catalog.array_to_string(left_out, ', ') || '.',
                  HINT = 'Use signals about usage, or expressions that ask dated tables with as_of.';
    END IF;
    usage_from := CASE WHEN (health_internal.open_store(tested)).has_ledgers THEN 'ledger' ELSE 'events' END;
    IF as_of_first_date THEN
        document := health_internal.freeze_references(health_internal.without_frozen(document), NULL, first_date, usage_from,
                                                      tested.model);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.past_document(health_internal.model_version, date, boolean) IS
    'The document of a version without signals that have no past, with what it has frozen, or what could be frozen on a first date';

CREATE FUNCTION health_internal.backtest_as_owner(model text, outcome text, horizon integer, from_date date, to_date date, step integer,
    gap integer, capacity integer, segment text, version integer, lost_accounts text[], lost_days date[])
RETURNS SETOF health.backtest_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
    tested health_internal.model_version := health_internal.find_version(model, coalesce(version, opened.current_version));
    dates CONSTANT date[] := health_internal.plan_dates(model, horizon, health_internal.model_today(tested.document), from_date, to_date,
        step, gap);
    left_out text[];
    document jsonb;
    usage_from text;
    kind CONSTANT text := CASE WHEN outcome IS NOT NULL THEN 'query' WHEN tested.document #> '{accounts,end}' IS NOT NULL THEN 'end'
                               ELSE 'silent' END;
    told CONSTANT text := CASE kind WHEN 'query' THEN 'lost' WHEN 'end' THEN 'ended' ELSE 'silent' END;
BEGIN
    IF capacity < 1 THEN
        RAISE EXCEPTION 'model "%": the capacity is at least 1 account a date, not %', model, capacity
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF segment IS NOT NULL AND tested.document #> ARRAY['accounts', 'columns', segment] IS NULL THEN
        RAISE EXCEPTION 'model "%": there is no column "%" in accounts.columns', model, segment
            USING ERRCODE = 'undefined_column',
                  HINT = coalesce((SELECT pg_catalog.format('Did you mean "%s"?', n.name) FROM health.nearest_name(segment,
                      ARRAY(SELECT pg_catalog.jsonb_object_keys(tested.document #> '{accounts,columns}'))) AS n (name) WHERE n.name IS NOT
                          NULL),
                      'Segments are attributes of accounts: "columns": {"plan": "plan_tier"}.');
    END IF;
    SELECT p.document, p.left_out, p.usage_from INTO document, left_out, usage_from
    FROM health_internal.past_document(tested, dates[1], true) AS p;
    RETURN QUERY EXECUTE $query$
        WITH seen AS MATERIALIZED (
            SELECT s.*, NOT s.in_book AS outside, pg_catalog.starts_with(s.unknown_reason, 'before_ledger') IS TRUE AS before_ledger
            FROM health_internal.observe_model($1, $2, $14, $15, $3, $16, $6, $7, $17, $18, $19) AS s
        ), labelled AS MATERIALIZED (
            SELECT s.* FROM seen AS s WHERE s.on_grid
        ), book_of_date AS MATERIALIZED (
            SELECT l.* FROM labelled AS l WHERE NOT l.outside AND NOT l.gone AND NOT l.before_ledger
        ), observed AS MATERIALIZED (
            SELECT o.* FROM book_of_date AS o WHERE o.score IS NOT NULL
        ), lists AS MATERIALIZED (
            SELECT pg_catalog.array_agg(100 - o.score ORDER BY o.unit, o.as_of) AS risks,
                   pg_catalog.array_agg(o.recency ORDER BY o.unit, o.as_of) AS recency,
                   pg_catalog.array_agg(-o.events ORDER BY o.unit, o.as_of) AS quiet,
                   pg_catalog.array_agg(o.outcome ORDER BY o.unit, o.as_of) AS outcomes,
                   pg_catalog.array_agg(o.unit ORDER BY o.unit, o.as_of) AS units, pg_catalog.count(*) AS n,
                   pg_catalog.count(*) FILTER (WHERE o.outcome) AS events,
                   health_internal.are_enough(pg_catalog.count(*) FILTER (WHERE o.outcome), pg_catalog.count(*)) AS enough
            FROM observed AS o
        ), aucs AS MATERIALIZED (
            SELECT a.*, i.item, l.n, l.events, l.enough
            FROM lists AS l, LATERAL health_internal.auc_beside(l.risks, l.recency || l.quiet, l.outcomes, l.units) AS a
            JOIN (VALUES (1, 'score'), (2, 'days since last activity'), (3, 'number of events')) AS i ("position", item) USING ("position")
        ), bands AS MATERIALIZED (
            SELECT b."position", b.name, pg_catalog.count(o.unit) AS n, pg_catalog.count(o.unit) FILTER (WHERE o.outcome) AS events,
                   pg_catalog.count(DISTINCT o.unit) AS units
            FROM pg_catalog.unnest($8) WITH ORDINALITY AS b (name, "position") LEFT JOIN observed AS o ON o.band = b.name GROUP BY 1, 2
        ), inverted AS MATERIALIZED (
            -- Dates of one account are not independent: tested as if each band had as many observations as accounts.
            SELECT i.first, i.second, i.p_value
            FROM (SELECT pg_catalog.array_agg(CASE WHEN b.n = 0 THEN 0 ELSE pg_catalog.round(b.events * b.units / b.n)::pg_catalog.int8 END
                             ORDER BY b."position") AS events,
                         pg_catalog.array_agg(b.units ORDER BY b."position") AS counts FROM bands AS b) AS b,
                 LATERAL health_internal.rate_inversions(b.events, b.counts) AS i
        ), figures AS (
            SELECT 1 AS part, 1::pg_catalog.int8 AS place, 'verdict' AS section, $9 AS item, l.n, l.events,
                   CASE WHEN a.enough THEN a.auc END AS value, a.low, a.high,
                   health_internal.tell_backtest($9, $7, l.events, l.n - l.events, a.auc, a.low, a.high, r.item, r.auc, r.difference,
                       r.difference_low, r.difference_high) AS note
            FROM lists AS l LEFT JOIN aucs AS a ON a."position" = 1
            LEFT JOIN LATERAL (SELECT b.* FROM aucs AS b WHERE b."position" > 1 ORDER BY b.auc DESC NULLS LAST, b."position" LIMIT 1) AS r
                ON true
            UNION ALL
            SELECT 2, 1, 'data', 'dates', pg_catalog.cardinality($3), NULL, NULL, NULL, NULL,
                   pg_catalog.format('%s to %s, outcome from %s to %s days after each', $4, $5, $6 + 1, $6 + $7)
            UNION ALL
            SELECT 2, 2, 'data', 'accounts', pg_catalog.count(DISTINCT o.unit), pg_catalog.count(DISTINCT o.unit) FILTER (WHERE o.outcome),
                   NULL, NULL, NULL, 'with at least one observation; events: that had the outcome' FROM observed AS o
            UNION ALL
            SELECT 2, 3, 'data', 'observations', l.n, l.events, l.events::pg_catalog.float8 / nullif(l.n, 0), NULL, NULL,
                   'accounts with a score on a date; value: the base rate' FROM lists AS l
            UNION ALL
            SELECT 2, 4, 'data', 'without a score', pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE b.outcome), r.rate, r.low,
                r.high,
                   'in the book, but unknown: in none of the figures below'
            FROM book_of_date AS b,
                 LATERAL (SELECT pg_catalog.count(*) FILTER (WHERE c.outcome) AS events, pg_catalog.count(*) AS n
                          FROM book_of_date AS c WHERE c.score IS NULL) AS c, LATERAL health_internal.rate_interval(c.events, c.n) AS r
            WHERE b.score IS NULL GROUP BY r.rate, r.low, r.high
            UNION ALL
            SELECT 2, 5, 'data', 'not in the book', pg_catalog.count(*), NULL, NULL, NULL, NULL,
                'not yet a customer on the date, or no more'
            FROM labelled AS l WHERE l.outside OR l.gone HAVING pg_catalog.count(*) > 0
            UNION ALL
            SELECT 2, 6, 'data', 'before the ledger', pg_catalog.count(*), NULL, NULL, NULL, NULL,
                   'left out: the ledger begins too late for the date' FROM labelled AS l
            WHERE l.before_ledger AND NOT l.outside AND NOT l.gone HAVING pg_catalog.count(*) > 0
            UNION ALL
            SELECT 2, 7, 'data', 'late rows', NULL, NULL, NULL, NULL, NULL, health_internal.tell_late_rows($2)
            WHERE health_internal.tell_late_rows($2) IS NOT NULL
            UNION ALL
            SELECT 3, a."position", 'auc', a.item, a.n, a.events, CASE WHEN a.enough THEN a.auc END, a.low, a.high,
                   CASE a."position" WHEN 1 THEN 'risk is 100 - score' ELSE 'a baseline: no model at all' END FROM aucs AS a
            UNION ALL
            SELECT 4, g."position", 'gain', 'over ' || g.item, g.n, g.events, CASE WHEN g.enough THEN g.difference END, g.difference_low,
                   g.difference_high,
                   CASE WHEN NOT g.enough THEN 'too few to say' WHEN g.difference_low > 0 THEN 'better'
                        WHEN g.difference_high < 0 THEN 'worse' ELSE 'no difference that the data can show' END
            FROM aucs AS g WHERE g."position" > 1
            UNION ALL
            SELECT 5, r."position", 'ranking', r.item, t.k_used, l.events, CASE WHEN l.enough THEN r.value END,
                   NULL, NULL, r.note
            FROM lists AS l, LATERAL (SELECT coalesce($10, pg_catalog.ceil(0.05 * l.n / pg_catalog.cardinality($3)))
                                          * pg_catalog.cardinality($3) AS k) AS c,
                 LATERAL health_internal.top_k(l.risks, l.outcomes, c.k::pg_catalog.int8) AS t,
                 LATERAL (VALUES (1, 'precision', t.precision, 'share of the k highest risks that had the outcome; n is k over all dates'),
                                 (2, 'recall', t.recall, 'share of all outcomes that are among them'),
                                 (3, 'lift', t.lift, 'precision / base rate'),
                                 (4, 'average precision', t.average_precision, 'PR-AUC: precision over all k')) AS r ("position", item,
                                     value, note)
            WHERE l.n > 0
            UNION ALL
            SELECT 6, r."position", 'probability', r.item, l.n, l.events, CASE WHEN l.enough THEN r.value END,
                   NULL, NULL, r.note
            FROM lists AS l, LATERAL health_internal.probability_scores(
                     ARRAY(SELECT x.risk / 100 FROM pg_catalog.unnest(l.risks) WITH ORDINALITY AS x (risk, n) ORDER BY x.n), l.outcomes)
                         AS p,
                 LATERAL (VALUES (1, 'brier', p.brier, 'mean (p - y)^2 of p = (100 - score) / 100, which is no probability until it is '
                     'calibrated'),
                                 (2, 'skill', p.skill, '1 - Brier / (b (1 - b)): above 0 better than the base rate for everybody'))
                     AS r ("position", item, value, note) WHERE l.n > 0
            UNION ALL
            SELECT 7, c.bin, 'calibration', 'decile ' || c.bin, c.n, c.events, c.observed, c.low, c.high,
                   pg_catalog.format('100 - score says %s', health_internal.show_share(c.predicted))
            FROM lists AS l, LATERAL health_internal.calibration(
                     ARRAY(SELECT x.risk / 100 FROM pg_catalog.unnest(l.risks) WITH ORDINALITY AS x (risk, n) ORDER BY x.n), l.outcomes,
                         10) AS c
            WHERE l.n > 0
            UNION ALL
            SELECT 8, b."position", 'band', b.name, b.n, b.events, r.rate, r.low, r.high,
                   (SELECT pg_catalog.string_agg(pg_catalog.format('more often than in %s (p = %s)', s.name,
                        pg_catalog.to_char(i.p_value, 'FM0.000')), '; ')
                    FROM inverted AS i JOIN bands AS s ON s."position" = i.second WHERE i.first = b."position")
            FROM bands AS b, LATERAL health_internal.rate_interval(b.events, b.n) AS r WHERE b.n > 0
            UNION ALL
            SELECT 9, n.days, 'lead', pg_catalog.format('%s days before', n.days), pg_catalog.count(s.score), pg_catalog.count(s.score),
                   pg_catalog.avg(s.score ORDER BY s.unit), NULL, NULL,
                   pg_catalog.format('mean score of accounts that were lost; of all others %s',
                       pg_catalog.round((SELECT pg_catalog.avg(o.score ORDER BY o.unit, o.as_of) FROM observed AS o WHERE NOT
                           o.outcome)::pg_catalog.numeric, 1))
            FROM (VALUES (30), (60), (90)) AS n (days) JOIN seen AS s ON s.as_of = s.lost_on - n.days AND s.in_book GROUP BY n.days
            UNION ALL
            SELECT 10, g.number, 'signal', g.name, x.n, x.events, CASE WHEN health_internal.are_enough(x.events, x.n) THEN a.auc END, a.low,
                a.high,
                   CASE WHEN health_internal.are_enough(x.events, x.n) AND a.auc > 0.99
                        THEN 'too good to be true: does it know the outcome?' END
            FROM ROWS FROM (pg_catalog.unnest($11), pg_catalog.unnest($12)) AS g (number, name),
                 LATERAL (SELECT pg_catalog.array_agg(100 - o.normalized[g.number] ORDER BY o.unit, o.as_of) AS risks,
                     pg_catalog.array_agg(o.outcome ORDER BY o.unit, o.as_of) AS outcomes,
                                 pg_catalog.array_agg(o.unit ORDER BY o.unit, o.as_of) AS units, pg_catalog.count(*) AS n,
                                 pg_catalog.count(*) FILTER (WHERE o.outcome) AS events
                          FROM observed AS o WHERE o.normalized[g.number] IS NOT NULL) AS x,
                 LATERAL health_internal.auc_interval(x.risks, x.outcomes, x.units) AS a WHERE x.n > 0
            UNION ALL
            SELECT 11, pg_catalog.row_number() OVER (ORDER BY x.segment), 'segment', coalesce(x.segment, '(none)'), x.n, x.events,
                   CASE WHEN health_internal.are_enough(x.events, x.n) THEN a.auc END, a.low, a.high,
                   CASE WHEN NOT health_internal.are_enough(x.events, x.n) THEN 'too few to say' END
            FROM (SELECT o.segment, pg_catalog.array_agg(100 - o.score ORDER BY o.unit, o.as_of) AS risks, pg_catalog.array_agg(o.outcome
                ORDER BY o.unit, o.as_of) AS outcomes,
                         pg_catalog.array_agg(o.unit ORDER BY o.unit, o.as_of) AS units, pg_catalog.count(*) AS n, pg_catalog.count(*)
                             FILTER (WHERE o.outcome) AS
                             events
                  FROM observed AS o GROUP BY 1) AS x, LATERAL health_internal.auc_interval(x.risks, x.outcomes, x.units) AS a WHERE $17
                      IS NOT NULL
            UNION ALL
            SELECT 12, o."position", 'left out', o.name, NULL, NULL, NULL, NULL, NULL,
                   'a column has no past: what stands there today may know the outcome. Ask a dated table with as_of'
            FROM pg_catalog.unnest($13) WITH ORDINALITY AS o (name, "position")
        )
        SELECT f.section, f.item, f.n, f.events, f.value, f.low, f.high, f.note FROM figures AS f ORDER BY f.part, f.place
        $query$
    USING tested, document, dates, dates[1], dates[cardinality(dates)], gap, horizon,
        ARRAY(SELECT b.name FROM health_internal.model_bands(document) AS b ORDER BY b."position"),
        told, capacity,
        ARRAY(SELECT l.number::pg_catalog.int4 FROM health_internal.leaf_signals(document) AS l ORDER BY l.number),
        ARRAY(SELECT l.signal ->> 'name' FROM health_internal.leaf_signals(document) AS l ORDER BY l.number), left_out,
        usage_from, kind, step, segment, lost_accounts, lost_days;
END;
$$;
COMMENT ON FUNCTION health_internal.backtest_as_owner(text, text, integer, date, date, integer, integer, integer, text, integer, text[],
    date[]) IS
    'backtest() as the owner of the model, with the outcomes that the caller''s query gave';

-- The query is the caller's, and runs with the caller's rights and names.
CREATE FUNCTION health_internal.read_outcomes(outcome text, visible text, OUT accounts text[], OUT days date[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF outcome IS NULL THEN
        RETURN;
    END IF;
    PERFORM health_internal.look_names_up_in(visible);
    EXECUTE pg_catalog.format(E'SELECT pg_catalog.array_agg(o.account_id::pg_catalog.text), pg_catalog.array_agg(o.day::pg_catalog.date) '
        'FROM (%s\n) AS o (account_id, day) WHERE o.account_id IS NOT NULL AND o.day IS NOT NULL', health_internal.trim_statement(outcome))
    INTO accounts, days;
    accounts := coalesce(accounts, '{}');
    days := coalesce(days, '{}');
EXCEPTION WHEN invalid_column_reference OR cannot_coerce OR invalid_datetime_format THEN
    RAISE EXCEPTION 'the query for outcomes does not give accounts and days: %', sqlerrm
        USING ERRCODE = 'invalid_parameter_value', HINT = 'For example: select account_id, churned_on from churn.';
END;
$$;
COMMENT ON FUNCTION health_internal.read_outcomes(text, text) IS 'Accounts and days of a query for outcomes, run as the current user';

CREATE FUNCTION health.backtest(model text, outcome text DEFAULT NULL, horizon integer DEFAULT 90, from_date date DEFAULT NULL,
    to_date date DEFAULT NULL, step integer DEFAULT 28, gap integer DEFAULT 0, capacity integer DEFAULT NULL, segment text DEFAULT NULL,
    version integer DEFAULT NULL)
RETURNS SETOF health.backtest_row
LANGUAGE sql ROWS 60
BEGIN ATOMIC
    SELECT (r.figure).*
    FROM health_internal.read_outcomes(outcome, health_internal.visible_schemas()) AS o,
         LATERAL health_internal.rows_as_owner(health_internal.regrole((health_internal.open_model(model)).owner), NULL,
             'SELECT b FROM health_internal.backtest_as_owner($1, $2, $3::integer, $4::date, $5::date, $6::integer, $7::integer, '
                 '$8::integer, '
             '$9, $10::integer, $11::text[], $12::date[]) AS b',
             model, outcome, horizon::pg_catalog.text, health_internal.iso_text(from_date), health_internal.iso_text(to_date),
             step::pg_catalog.text, gap::pg_catalog.text, capacity::pg_catalog.text, segment, version::pg_catalog.text,
             o.accounts::pg_catalog.text, health_internal.iso_text(o.days)) AS r (figure health.backtest_row);
END;
COMMENT ON FUNCTION health.backtest(text, text, integer, date, date, integer, integer, integer, text, integer) IS
    'Does the score predict? Scores the model on past dates with what was known then and holds it against what happened in the horizon '
    '(days) after each: outcome, a query of account and day that runs as the caller; else accounts.end; else that nobody is active for the '
    'whole horizon. Beside it the baselines days since last activity and number of events. Intervals are 95 %, by accounts (DeLong 1988, '
    'Obuchowski 1997). Percentiles, medians and fitted parameters are frozen anew as of the first date; columns have no past and are '
    'left out';
-- What if the model were another: the whole book by a changed document, without storing anything.

CREATE TYPE health.what_if_row AS (
    section text,
    item text,
    name text,
    before float8,
    after float8,
    change float8,
    low float8,
    high float8,
    band_before text,
    band_after text,
    n bigint,
    revenue float8,
    note text
);
COMMENT ON TYPE health.what_if_row IS 'One figure of what a changed model would do';
COMMENT ON COLUMN health.what_if_row.section IS 'summary, band, signal, prediction, account';
COMMENT ON COLUMN health.what_if_row.item IS 'What the figure is of: an account, a move between bands, a signal';
COMMENT ON COLUMN health.what_if_row.name IS 'Name of the account';
COMMENT ON COLUMN health.what_if_row.before IS 'By the present version: the score; of a prediction the AUC';
COMMENT ON COLUMN health.what_if_row.after IS 'By the changed document; of a signal the share of accounts that it is known of';
COMMENT ON COLUMN health.what_if_row.change IS 'after - before; NULL when either is unknown';
COMMENT ON COLUMN health.what_if_row.low IS 'Of a prediction: lower end of the 95 % interval of the change (DeLong, paired, by accounts)';
COMMENT ON COLUMN health.what_if_row.high IS 'Upper end';
COMMENT ON COLUMN health.what_if_row.band_before IS 'Band by the present version';
COMMENT ON COLUMN health.what_if_row.band_after IS 'Band by the changed document';
COMMENT ON COLUMN health.what_if_row.n IS 'How many accounts, or observations of a prediction';
COMMENT ON COLUMN health.what_if_row.revenue IS 'Their sum of the revenue column';
COMMENT ON COLUMN health.what_if_row.note IS 'In words';

-- Where both versions ask the same of the accounts, these are read once and scored twice.
CREATE FUNCTION health_internal.compile_both_scores(present health_internal.model_version, changed health_internal.model_version,
    as_of date, revenue text, tells_known boolean) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    told CONSTANT text := '%s AS account_key, l.name, %s AS revenue';
    paid CONSTANT text := coalesce('l.' || pg_catalog.quote_ident(revenue), 'NULL') || '::pg_catalog.float8';
    state CONSTANT text := health_internal.compile_state(with_past => false);
    by_present CONSTANT text := pg_catalog.format('LATERAL health.score_series(%L::pg_catalog.jsonb, %s, l.as_of, l.as_of) AS p',
        health_internal.scoring_document(present.document), state);
    by_changed CONSTANT text := pg_catalog.format('LATERAL health.score_series(%1$L::pg_catalog.jsonb, %2$s, l.as_of, l.as_of) AS c, '
        'LATERAL (SELECT %3$s AS known) AS k', health_internal.scoring_document(changed.document), state,
        CASE WHEN tells_known THEN pg_catalog.format('(SELECT pg_catalog.array_agg(g.normalized IS NOT NULL '
            'ORDER BY pg_catalog.array_position($1, g.signal)) FROM health.score_signals(%L::pg_catalog.jsonb, %s) AS g '
            'WHERE g.signal = ANY ($1))', health_internal.scoring_document(changed.document), state)
        ELSE 'NULL::pg_catalog.bool[]' END);
    before health_internal.compiled_model;
    after health_internal.compiled_model;
BEGIN
    PERFORM health_internal.look_names_up_in(present.search_path);
    before := health_internal.store_accounts(health_internal.open_store(present), as_of => as_of);
    PERFORM health_internal.look_names_up_in(changed.search_path);
    after := health_internal.store_accounts(health_internal.open_store(changed), as_of => as_of);
    IF before.ledger = after.ledger THEN
        RETURN pg_catalog.format('SELECT %s, p.score AS before, c.score AS after, p.band AS band_before, c.band AS band_after, k.known '
            'FROM (%s) AS l, %s, %s',
            pg_catalog.format(told, health_internal.canonical_text('l.account_id', before.account_type), paid), before.ledger, by_present,
            by_changed);
    END IF;
    RETURN pg_catalog.format('SELECT coalesce(a.account_key, b.account_key) AS account_key, coalesce(a.name, b.name) AS name, '
        'coalesce(a.revenue, b.revenue) AS revenue, b.score AS before, a.score AS after, b.band AS band_before, a.band AS band_after, '
        'a.known FROM (SELECT %s, p.score, p.band FROM (%s) AS l, %s) AS b FULL JOIN (SELECT %s, c.score, c.band, k.known '
        'FROM (%s) AS l, %s) AS a ON a.account_key = b.account_key',
        pg_catalog.format(told, health_internal.canonical_text('l.account_id', before.account_type), paid), before.ledger, by_present,
        pg_catalog.format(told, health_internal.canonical_text('l.account_id', after.account_type), paid), after.ledger, by_changed);
END;
$$;
COMMENT ON FUNCTION health_internal.compile_both_scores(health_internal.model_version, health_internal.model_version, date, text, boolean)
    IS 'SQL of the whole book by two versions on a day, a row for each account; known, where it is wanted: whether signals $1 of the '
    'changed one are';

CREATE FUNCTION health_internal.what_if_as_owner(model text, changes jsonb, as_of date, outcome text, horizon integer, revenue text,
    lost_accounts text[], lost_days date[])
RETURNS SETOF health.what_if_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    changed health_internal.model_version := present;
    today CONSTANT date := health_internal.model_today(present.document);
    usage_from CONSTANT text := CASE WHEN (health_internal.open_store(present)).has_ledgers THEN 'ledger' ELSE 'events' END;
    kind CONSTANT text := CASE WHEN outcome IS NOT NULL THEN 'query' WHEN present.document #> '{accounts,end}' IS NOT NULL THEN 'end'
                               ELSE 'silent' END;
    dates date[];
    step integer;
    documents jsonb[];
    fresh text[];
BEGIN
    IF pg_catalog.jsonb_typeof(changes) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'model "%": the changes must be a JSON object', model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {"minimum_coverage": 0.3}; null removes a key.';
    ELSIF NOT pg_catalog.isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day is %', model, as_of USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day.';
    ELSIF revenue IS NOT NULL AND present.document #> ARRAY['accounts', 'columns', revenue] IS NULL THEN
        RAISE EXCEPTION 'model "%": there is no column "%" in accounts.columns', model, revenue
            USING ERRCODE = 'undefined_column', HINT = 'Revenue is an attribute of accounts: "columns": {"arr": "arr"}.';
    END IF;
    revenue := coalesce(revenue, CASE WHEN present.document #> '{accounts,columns,arr}' IS NOT NULL THEN 'arr' END);
    changed.definition := health_internal.drop_null_keys(present.definition || changes);
    changed.document := health_internal.check_definition(model, changed.definition, changed.search_path);
    IF changed.document #> '{accounts,columns}' IS NULL OR NOT changed.document #> '{accounts,columns}' ? revenue THEN
        revenue := NULL;
    END IF;
    changed.document := health_internal.freeze_references(changed.document, present.document, today,
        CASE WHEN (health_internal.open_store(changed)).has_ledgers THEN 'ledger' ELSE 'events' END, model);
    fresh := ARRAY(SELECT l.signal ->> 'name' FROM health_internal.leaf_signals(changed.document) AS l
                   WHERE NOT EXISTS (SELECT FROM health_internal.leaf_signals(present.document) AS o
                                     WHERE o.signal - '{weight,label,description,next_step,relative_to_book}'::text[]
                                           = l.signal - '{weight,label,description,next_step,relative_to_book}'::text[]) ORDER BY l.number);
    PERFORM health_internal.look_names_up_in(changed.search_path);
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH scores AS MATERIALIZED (
            SELECT s.account_key, s.name, s.before, s.after, s.after - s.before AS change, coalesce(s.band_before, '(none)') AS band_before,
                   coalesce(s.band_after, '(none)') AS band_after, s.revenue, s.known
            FROM (%s) AS s
        ), figures AS (
            SELECT 1 AS part, 1::pg_catalog.int8 AS place, 'summary' AS section, 'accounts that change band' AS item, NULL AS name,
                   pg_catalog.avg(s.before) AS before, pg_catalog.avg(s.after) AS after, pg_catalog.avg(s.change) AS change,
                   NULL AS band_before, NULL AS band_after, pg_catalog.count(*) FILTER (WHERE s.band_before <> s.band_after) AS n,
                   pg_catalog.sum(s.revenue) FILTER (WHERE s.band_before <> s.band_after) AS revenue,
                   pg_catalog.format('of %%s accounts; before and after are mean scores', pg_catalog.count(*)) AS note
            FROM scores AS s
            UNION ALL
            SELECT 2, 1, 'band', CASE WHEN s.band_before = s.band_after THEN s.band_before ELSE s.band_before || ' -> ' || s.band_after END,
                NULL,
                   pg_catalog.avg(s.before), pg_catalog.avg(s.after), pg_catalog.avg(s.change), s.band_before, s.band_after,
                   pg_catalog.count(*), pg_catalog.sum(s.revenue), NULL
            FROM scores AS s GROUP BY s.band_before, s.band_after
            UNION ALL
            SELECT 3, f.place, 'signal', f.name, NULL, NULL, pg_catalog.count(*) FILTER (WHERE s.known[f.place])::pg_catalog.float8
                   / pg_catalog.count(*), NULL, NULL, NULL, pg_catalog.count(*), NULL,
                   'new or changed; after: the share of accounts that it is known of'
            FROM scores AS s, pg_catalog.unnest($1) WITH ORDINALITY AS f (name, place) WHERE s.known IS NOT NULL GROUP BY f.name, f.place
            UNION ALL
            SELECT 5, 1, 'account', s.account_key, s.name, s.before, s.after, s.change, s.band_before, s.band_after, 1, s.revenue, NULL
            FROM scores AS s
        )
        SELECT f.section, f.item, f.name, f.before, f.after, f.change, NULL::pg_catalog.float8, NULL::pg_catalog.float8, f.band_before,
               f.band_after, f.n, f.revenue, f.note
        FROM figures AS f ORDER BY f.part, f.place, f.n DESC, pg_catalog.abs(f.change) DESC NULLS LAST, f.item $query$,
        health_internal.compile_both_scores(present, changed, as_of, revenue, pg_catalog.cardinality(fresh) > 0)) USING fresh;
    IF outcome IS NULL AND horizon IS NULL THEN
        RETURN;
    END IF;
    horizon := coalesce(horizon, 90);
    dates := health_internal.plan_dates(model, horizon, today);
    step := dates[2] - dates[1];
    documents := ARRAY[(health_internal.past_document(present, dates[1], true)).document,
                       (health_internal.past_document(changed, dates[1], true)).document];
    RETURN QUERY
    SELECT 'prediction', CASE kind WHEN 'query' THEN 'lost' WHEN 'end' THEN 'ended' ELSE 'silent' END, NULL::text,
           CASE WHEN e.enough THEN f.auc END, CASE WHEN e.enough THEN s.auc END, CASE WHEN e.enough THEN d.difference END, d.low, d.high,
           NULL::text, NULL::text, l.n, NULL::float8,
           CASE WHEN NOT e.enough THEN 'too few to say'
                WHEN d.low > 0 THEN 'predicts better' WHEN d.high < 0 THEN 'predicts worse' ELSE 'no difference that the data can show' END
           || pg_catalog.format('; AUC of %s days, %s dates, %s outcomes', horizon, pg_catalog.cardinality(dates), l.events)
    FROM (SELECT pg_catalog.array_agg(100 - b.score ORDER BY b.account_id, b.as_of) AS first,
                 pg_catalog.array_agg(100 - a.score ORDER BY b.account_id, b.as_of) AS second,
                 pg_catalog.array_agg(b.outcome ORDER BY b.account_id, b.as_of) AS outcomes,
                 pg_catalog.array_agg(b.unit ORDER BY b.account_id, b.as_of) AS units, pg_catalog.count(*) AS n,
                 pg_catalog.count(*) FILTER (WHERE b.outcome) AS events
          FROM health_internal.observe_model(present, documents[1], usage_from, kind, dates, step, 0, horizon, NULL, lost_accounts,
                   lost_days) AS b
          JOIN health_internal.observe_model(changed, documents[2], usage_from, kind, dates, step, 0, horizon, NULL, lost_accounts,
                   lost_days) AS a ON a.account_id = b.account_id AND a.as_of = b.as_of
          WHERE b.on_grid AND b.in_book AND NOT b.gone AND a.score IS NOT NULL AND b.score IS NOT NULL) AS l,
         LATERAL health_internal.auc_interval(l.first, l.outcomes, l.units) AS f,
         LATERAL health_internal.auc_interval(l.second, l.outcomes, l.units) AS s,
         LATERAL health_internal.auc_difference(l.second, l.first, l.outcomes, l.units) AS d,
         health_internal.are_enough(l.events, l.n) AS e (enough)
    WHERE l.n > 0;
END;
$$;
COMMENT ON FUNCTION health_internal.what_if_as_owner(text, jsonb, date, text, integer, text, text[], date[]) IS
    'what_if() as the owner of the model, with the outcomes that the caller''s query gave';

CREATE FUNCTION health.what_if(model text, changes jsonb, as_of date DEFAULT NULL, outcome text DEFAULT NULL, horizon integer DEFAULT NULL,
    revenue text DEFAULT NULL)
RETURNS SETOF health.what_if_row
LANGUAGE sql ROWS 1000
BEGIN ATOMIC
    SELECT (r.figure).*
    FROM health_internal.read_outcomes(outcome, health_internal.visible_schemas()) AS o,
         LATERAL health_internal.rows_as_owner(health_internal.regrole((health_internal.open_model(model)).owner), NULL,
             'SELECT w FROM health_internal.what_if_as_owner($1, $2::jsonb, $3::date, $4, $5::integer, $6, $7::text[], $8::date[]) '
                 'AS w',
             model, changes::pg_catalog.text, health_internal.iso_text(as_of), outcome, horizon::pg_catalog.text, revenue,
             o.accounts::pg_catalog.text, health_internal.iso_text(o.days)) AS r (figure
                 health.what_if_row);
END;
COMMENT ON FUNCTION health.what_if(text, jsonb, date, text, integer, text) IS
    'What a changed model would do, without storing anything: top-level keys are laid over the definition as alter_model() does. Scores '
        'and '
    'bands of every account before and after, accounts and revenue (a column of accounts, by default arr) that change band, how many '
    'accounts new signals are known of; with an outcome or a horizon (days) the AUC before and after with the interval of the difference';
-- Scores of past days with what became of their accounts: what weights and probabilities are fitted to.

CREATE TYPE health_internal.labels AS (
    document jsonb,
    left_out text[],
    outcome text,
    dates date[],
    units bigint[],
    scores float8[],
    normalized float8[],
    outcomes boolean[],
    n bigint,
    events bigint,
    accounts bigint,
    accounts_with bigint,
    accounts_without bigint
);
COMMENT ON TYPE health_internal.labels IS
    'Internal: the observations that backtest() has its figures of, an account on a date with a score, as arrays that go together';
COMMENT ON COLUMN health_internal.labels.document IS 'What they were scored by';
COMMENT ON COLUMN health_internal.labels.left_out IS 'Signals that have no past, and are not in it';
COMMENT ON COLUMN health_internal.labels.outcome IS 'lost, ended, silent, expanded';
COMMENT ON COLUMN health_internal.labels.units IS 'Numbers of the accounts';
COMMENT ON COLUMN health_internal.labels.normalized IS 'A row for each, with an element for each signal of the document, groups too';
COMMENT ON COLUMN health_internal.labels.accounts_with IS 'How many accounts have an observation with the outcome';
COMMENT ON COLUMN health_internal.labels.accounts_without IS 'How many have one without';

-- An account expands as often as it likes; it is lost once.
CREATE FUNCTION health_internal.label_scores(tested health_internal.model_version, expands boolean, as_of_first_date boolean, outcome text,
    horizon integer, from_date date, to_date date, step integer, gap integer, account_ids text[], days date[])
RETURNS health_internal.labels
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    today CONSTANT date := health_internal.model_today(tested.document);
    kind CONSTANT text := CASE WHEN outcome IS NOT NULL THEN 'query' WHEN tested.document #> '{accounts,end}' IS NOT NULL THEN 'end'
                               ELSE 'silent' END;
    found health_internal.labels;
    usage_from text;
BEGIN
    found.dates := health_internal.plan_dates(tested.model, horizon, today, from_date, to_date, step, gap);
    SELECT p.document, p.left_out, p.usage_from INTO found.document, found.left_out, usage_from
    FROM health_internal.past_document(tested, found.dates[1], as_of_first_date) AS p;
    found.outcome := CASE kind WHEN 'query' THEN CASE WHEN expands THEN 'expanded' ELSE 'lost' END WHEN 'end' THEN 'ended'
                               ELSE 'silent' END;
    SELECT array_agg(o.unit ORDER BY o.unit, o.as_of), array_agg(o.score ORDER BY o.unit, o.as_of),
           array_agg(o.normalized ORDER BY o.unit, o.as_of), array_agg(o.outcome ORDER BY o.unit, o.as_of), count(*),
           count(*) FILTER (WHERE o.outcome), count(DISTINCT o.unit), count(DISTINCT o.unit) FILTER (WHERE o.outcome),
           count(DISTINCT o.unit) FILTER (WHERE NOT o.outcome)
    INTO found.units, found.scores, found.normalized, found.outcomes, found.n, found.events, found.accounts, found.accounts_with,
         found.accounts_without
    FROM (SELECT s.unit, s.as_of, s.score, s.normalized,
                 CASE WHEN expands THEN EXISTS (SELECT FROM unnest(e.days) AS d (day)
                                                WHERE d.day > s.as_of + gap AND d.day <= s.as_of + gap + horizon)
                      ELSE s.outcome END AS outcome
          FROM health_internal.observe_model(tested, found.document, usage_from, kind, found.dates, step, gap, horizon, NULL,
                   CASE WHEN expands THEN '{}' ELSE account_ids END, CASE WHEN expands THEN '{}' ELSE label_scores.days END) AS s
          LEFT JOIN (SELECT l.account_id, array_agg(l.day) AS days
                     FROM ROWS FROM (unnest(account_ids), unnest(label_scores.days)) AS l (account_id, day) WHERE expands GROUP BY 1) AS e
              ON e.account_id = s.account_id
          WHERE s.on_grid AND s.in_book AND NOT s.gone AND s.score IS NOT NULL) AS o;
    RETURN found;
END;
$$;
COMMENT ON FUNCTION health_internal.label_scores(health_internal.model_version, boolean, boolean, text, integer, date, date, integer,
    integer, text[], date[]) IS
    'The observations of a version on past dates with their outcomes, those of backtest(): accounts in the book with a score whose outcome '
    'had not come before; or, where accounts expand, with any of the given days in the horizon';

CREATE FUNCTION health_internal.tell_left_out(names text[]) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN cardinality(names) > 0
        THEN format(' Without %s, of which no past is known.', array_to_string(names, ', ')) ELSE '' END;
$$;
COMMENT ON FUNCTION health_internal.tell_left_out(text[]) IS 'Signals that have no past, for the end of a sentence';

-- Dates of one account say much the same: it takes accounts, not observations, to tell.
CREATE FUNCTION health_internal.tell_too_few(labels health_internal.labels) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN least(labels.accounts_with, labels.accounts_without) < 10 OR labels.n = 0
        THEN format('of %s accounts %s had the outcome "%s" and %s had it not; it takes 10 of each', labels.accounts, labels.accounts_with,
                    labels.outcome, labels.accounts_without) END;
$$;
COMMENT ON FUNCTION health_internal.tell_too_few(health_internal.labels) IS 'Why observations are too few to fit anything to; NULL: enough';
-- Which weights would have told best what happened, and whether that is more than chance.

CREATE TYPE health.suggestion_row AS (
    section text,
    item text,
    n bigint,
    events bigint,
    now float8,
    suggested float8,
    change float8,
    low float8,
    high float8,
    note text,
    document jsonb
);
COMMENT ON TYPE health.suggestion_row IS 'One figure of suggest_weights()';
COMMENT ON COLUMN health.suggestion_row.section IS 'verdict, data, auc, weight';
COMMENT ON COLUMN health.suggestion_row.item IS 'What the figure is of: an outcome, a signal';
COMMENT ON COLUMN health.suggestion_row.n IS 'Observations: an account on a date is one; of accounts their number';
COMMENT ON COLUMN health.suggestion_row.events IS 'How many of them had the outcome';
COMMENT ON COLUMN health.suggestion_row.now IS 'By the present weights: the AUC, or the signal''s share of all weights, 0 to 1';
COMMENT ON COLUMN health.suggestion_row.suggested IS
    'By the suggested ones, the AUC of accounts that they were not fitted to; NULL where nothing is to be changed';
COMMENT ON COLUMN health.suggestion_row.change IS 'suggested - now';
COMMENT ON COLUMN health.suggestion_row.low IS 'Lower end of the 95 % interval of the change of the AUC (DeLong, paired, by accounts)';
COMMENT ON COLUMN health.suggestion_row.high IS 'Upper end';
COMMENT ON COLUMN health.suggestion_row.note IS 'In words';
COMMENT ON COLUMN health.suggestion_row.document IS
    'Of the verdict: what alter_model() lays over the definition; NULL when nothing is to be changed';

CREATE FUNCTION health_internal.suggest_shares(model jsonb, normalized float8[], scores float8[], outcomes boolean[], accounts bigint[],
    allow_negative boolean, OUT shares float8[], OUT out_of_fold float8[])
    AS 'MODULE_PATHNAME', 'health_suggest_shares'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION health_internal.suggest_shares(jsonb, float8[], float8[], boolean[], bigint[], boolean) IS
    'Shares of the weights by ridge logistic regression, an element for each signal of the document (0 for groups, all 0: none points the '
    'right way), and the score of each observation by weights that were fitted to other accounts. NULL when a class comes from too few '
    'accounts';

-- A signal's share of its level, times that of the groups above.
CREATE FUNCTION health_internal.level_shares(signals jsonb, OUT signal jsonb, OUT "position" bigint, OUT share float8) RETURNS SETOF record
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT s.signal, s."position", coalesce((s.signal ->> 'weight')::pg_catalog.float8, 1)
               / pg_catalog.sum(coalesce((s.signal ->> 'weight')::pg_catalog.float8, 1)) OVER ()
    FROM pg_catalog.jsonb_array_elements(signals) WITH ORDINALITY AS s (signal, "position");
END;
COMMENT ON FUNCTION health_internal.level_shares(jsonb) IS 'The signals of one level of a document with their shares of its weights';

CREATE FUNCTION health_internal.weight_shares(document jsonb, OUT number bigint, OUT name text, OUT in_group text, OUT share float8)
    RETURNS SETOF record
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE tree AS (
        SELECT l.signal, ARRAY[l."position"] AS place, NULL::text AS in_group, l.share
        FROM health_internal.level_shares(document -> 'signals') AS l
        UNION ALL
        SELECT l.signal, t.place || l."position", t.signal ->> 'name', t.share * l.share
        FROM tree AS t, LATERAL health_internal.level_shares(t.signal -> 'signals') AS l WHERE t.signal ? 'signals'
    )
    SELECT row_number() OVER (ORDER BY t.place), t.signal ->> 'name', t.in_group, t.share
    FROM tree AS t WHERE NOT t.signal ? 'signals' ORDER BY t.place;
$$;
COMMENT ON FUNCTION health_internal.weight_shares(jsonb) IS
    'The share that each signal of a document has in the score while all are known, in their order, groups left out';

-- With the weight of a group being the sum of those in it, each signal has in the score what its own weight says.
CREATE FUNCTION health_internal.with_weights(signals jsonb, weights jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    weighed jsonb := '[]'::jsonb;
    signal jsonb;
    members jsonb;
    weight numeric;
BEGIN
    FOR signal IN SELECT s.value FROM jsonb_array_elements(signals) WITH ORDINALITY AS s (value, "position") ORDER BY s."position" LOOP
        IF signal ? 'signals' THEN
            members := health_internal.with_weights(signal -> 'signals', weights);
            SELECT sum((m.value ->> 'weight')::numeric) INTO weight FROM jsonb_array_elements(members) AS m;
            -- A group that counts nothing keeps its proportions.
            IF weight > 0 THEN
                signal := jsonb_set(signal, '{signals}', members);
            END IF;
        ELSE
            weight := (weights ->> (signal ->> 'name'))::numeric;
        END IF;
        weighed := weighed || (signal || jsonb_build_object('weight', weight));
    END LOOP;
    RETURN weighed;
END;
$$;
COMMENT ON FUNCTION health_internal.with_weights(jsonb, jsonb) IS
    'Signals of a document with other weights, given by names of signals; a group weighs what its signals weigh together';

CREATE FUNCTION health_internal.tell_suggestion(labels health_internal.labels, horizon integer, too_few text, known boolean,
    useless boolean, has_negative boolean, auc float8, suggested float8, low float8, high float8, gain float8, gain_low float8,
    gain_high float8) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN too_few IS NOT NULL THEN format('Do not change anything: too few to say, %s.', too_few)
        WHEN NOT known THEN format('Do not change anything: too few accounts with or without the outcome "%s" to say.', labels.outcome)
        WHEN useless THEN format('Do not change anything: no signal points the right way about "%s" in %s days.', labels.outcome, horizon)
        WHEN gain_low > 0 AND low > 0.5 THEN format(
            '%s "%s" in %s days better: AUC %s (%s to %s) on accounts that they were not fitted to, now %s. Gained %s (%s to %s).%s',
            CASE WHEN has_negative THEN 'Signals turned round would tell' ELSE 'Other weights tell' END, labels.outcome, horizon,
            health_internal.show_share(suggested), health_internal.show_share(low), health_internal.show_share(high),
            health_internal.show_share(auc), gained.figure, gained.lower, gained.upper,
            CASE WHEN has_negative THEN ' A model takes no weight below 0: turn the normalizers of those signals round first.' ELSE '' END)
        ELSE format('Do not change anything: AUC %s now, %s with fitted weights, on accounts that they were not fitted to. Gained %s '
                    '(%s to %s).', health_internal.show_share(auc), health_internal.show_share(suggested),
                    gained.figure, coalesce(gained.lower, '?'), coalesce(gained.upper, '?')) END
        || health_internal.tell_left_out(labels.left_out)
    -- Rounded before it is shown: no -.00.
    FROM (SELECT health_internal.show_share(round(gain::numeric, 2)::float8),
                 health_internal.show_share(round(gain_low::numeric, 2)::float8),
                 health_internal.show_share(round(gain_high::numeric, 2)::float8)) AS gained (figure, lower, upper);
$$;
COMMENT ON FUNCTION health_internal.tell_suggestion(health_internal.labels, integer, text, boolean, boolean, boolean, float8, float8,
    float8, float8, float8, float8, float8) IS 'What suggest_weights() found, in a sentence';

CREATE FUNCTION health_internal.suggest_weights_as_owner(model text, outcome text, horizon integer, from_date date, to_date date,
    step integer, gap integer, version integer, allow_negative boolean, lost_accounts text[], lost_days date[])
RETURNS SETOF health.suggestion_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tested CONSTANT health_internal.model_version := health_internal.find_version(model,
        coalesce(version, (health_internal.open_model(model)).current_version));
    labels CONSTANT health_internal.labels := health_internal.label_scores(tested, false, true, outcome, horizon, from_date, to_date, step,
        gap, lost_accounts, lost_days);
    too_few CONSTANT text := health_internal.tell_too_few(labels);
    fitted record;
    present record;
    better record;
    gain record;
    shares jsonb;    -- by name, of all signals
    kept float8;
    is_better boolean;
    has_negative boolean;
    weights jsonb;
BEGIN
    IF allow_negative IS NULL THEN
        RAISE EXCEPTION 'model "%": allow_negative is true or false, not NULL', model USING ERRCODE = 'null_value_not_allowed';
    END IF;
    SELECT f.shares, f.out_of_fold INTO fitted
    FROM health_internal.suggest_shares(labels.document, labels.normalized, labels.scores, labels.outcomes, labels.units,
                                        allow_negative) AS f WHERE too_few IS NULL;
    SELECT a.auc, a.low, a.high INTO present
    FROM health_internal.auc_interval(ARRAY(SELECT 100 - s.score FROM unnest(labels.scores) WITH ORDINALITY AS s (score, i) ORDER BY s.i),
                                      labels.outcomes, labels.units) AS a WHERE labels.n > 0;
    SELECT a.auc, a.low, a.high INTO better
    FROM health_internal.auc_interval(ARRAY(SELECT -s.score FROM unnest(fitted.out_of_fold) WITH ORDINALITY AS s (score, i) ORDER BY s.i),
                                      labels.outcomes, labels.units) AS a WHERE fitted.shares IS NOT NULL;
    SELECT d.difference, d.low, d.high INTO gain
    FROM health_internal.auc_difference(
             ARRAY(SELECT -s.score FROM unnest(fitted.out_of_fold) WITH ORDINALITY AS s (score, i) ORDER BY s.i),
             ARRAY(SELECT -s.score FROM unnest(labels.scores) WITH ORDINALITY AS s (score, i) ORDER BY s.i),
             labels.outcomes, labels.units) AS d WHERE fitted.shares IS NOT NULL;
    -- What has no past keeps its share; the others divide what is left.
    SELECT coalesce(sum(s.share) FILTER (WHERE s.name = ANY (labels.left_out)), 0) INTO kept
    FROM health_internal.weight_shares(tested.document) AS s;
    SELECT jsonb_object_agg(a.name, a.share), coalesce(bool_or(a.share < 0), false) INTO shares, has_negative
    FROM (SELECT l.signal ->> 'name' AS name, (1 - kept) * fitted.shares[l.number] AS share
          FROM health_internal.leaf_signals(labels.document) AS l WHERE fitted.shares IS NOT NULL
          UNION ALL
          SELECT s.name, s.share FROM health_internal.weight_shares(tested.document) AS s WHERE s.name = ANY (labels.left_out)) AS a;
    is_better := coalesce(gain.low > 0 AND better.low > 0.5, false);
    IF is_better AND NOT has_negative THEN
        SELECT jsonb_object_agg(s.key, round(100 * s.value::text::numeric, 1)) INTO weights FROM jsonb_each(shares) AS s;
        weights := jsonb_build_object('signals', health_internal.with_weights(
            coalesce(tested.definition -> 'signals', health_internal.without_frozen(tested.document) -> 'signals'), weights));
    END IF;
    RETURN NEXT ROW('verdict', labels.outcome, labels.n, labels.events, CASE WHEN too_few IS NULL THEN present.auc END,
        CASE WHEN too_few IS NULL THEN better.auc END, gain.difference, gain.low, gain.high,
        health_internal.tell_suggestion(labels, horizon, too_few, fitted.shares IS NOT NULL,
            NOT EXISTS (SELECT FROM unnest(fitted.shares) AS s (share) WHERE s.share <> 0), has_negative, present.auc, better.auc,
            better.low, better.high, gain.difference, gain.low, gain.high),
        weights)::health.suggestion_row;
    RETURN NEXT ROW('data', 'dates', cardinality(labels.dates), NULL, NULL, NULL, NULL, NULL, NULL,
        format('%s to %s, outcome from %s to %s days after each', to_char(labels.dates[1], 'YYYY-MM-DD'),
               to_char(labels.dates[cardinality(labels.dates)], 'YYYY-MM-DD'), gap + 1, gap + horizon), NULL)::health.suggestion_row;
    RETURN NEXT ROW('data', 'accounts', labels.accounts, labels.accounts_with, NULL, NULL, NULL, NULL, NULL,
        'with at least one observation; events: that had the outcome', NULL)::health.suggestion_row;
    RETURN QUERY
    SELECT 'weight', s.name, NULL::bigint, NULL::bigint, s.share, x.suggested, x.suggested - s.share, NULL::float8, NULL::float8,
           concat_ws('; ', 'in group ' || s.in_group,
                     CASE WHEN s.name = ANY (labels.left_out) THEN 'has no past: keeps its share' END,
                     CASE WHEN x.suggested < -0.05 THEN 'points the wrong way: turn its normalizer round'
                          WHEN x.suggested < 0 THEN 'hardly counts' END), NULL::jsonb
    FROM health_internal.weight_shares(tested.document) AS s,
         LATERAL (SELECT CASE WHEN is_better THEN (shares ->> s.name)::float8 END AS suggested) AS x
    ORDER BY s.number;
END;
$$;
COMMENT ON FUNCTION health_internal.suggest_weights_as_owner(text, text, integer, date, date, integer, integer, integer, boolean, text[],
    date[]) IS 'suggest_weights() as the owner of the model, with the outcomes that the caller''s query gave';

CREATE FUNCTION health.suggest_weights(model text, outcome text DEFAULT NULL, horizon integer DEFAULT 90, from_date date DEFAULT NULL,
    to_date date DEFAULT NULL, step integer DEFAULT 28, gap integer DEFAULT 0, version integer DEFAULT NULL,
    allow_negative boolean DEFAULT false)
RETURNS SETOF health.suggestion_row
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT (r.figure).*
    FROM health_internal.read_outcomes(outcome, health_internal.visible_schemas()) AS o,
         LATERAL health_internal.rows_as_owner(health_internal.regrole((health_internal.open_model(model)).owner), NULL,
             'SELECT s FROM health_internal.suggest_weights_as_owner($1, $2, $3::integer, $4::date, $5::date, $6::integer, $7::integer, '
                 '$8::integer, $9::boolean, $10::text[], $11::date[]) AS s',
             model, outcome, horizon::pg_catalog.text, health_internal.iso_text(from_date), health_internal.iso_text(to_date),
             step::pg_catalog.text, gap::pg_catalog.text, version::pg_catalog.text, allow_negative::pg_catalog.text,
             o.accounts::pg_catalog.text, health_internal.iso_text(o.days)) AS r (figure health.suggestion_row);
END;
COMMENT ON FUNCTION health.suggest_weights(text, text, integer, date, date, integer, integer, integer, boolean) IS
    'Which weights would have told best what happened: ridge logistic regression of the outcome on the signals, 0 to 100, as backtest() '
    'observes them, cross-validated by account. The first row says in a sentence whether that is better than the present weights, with the '
    'AUC gained on accounts that were left out and its 95 % interval; "do not change anything" unless the interval lies above 0. Its '
    'document is what alter_model(model, document) takes. Weights are 0 or more; with allow_negative they also show which signals point '
    'the wrong way, and there is no document then';
-- What a score view tells when it is made: events of unknown accounts, a book in which nobody does anything.

-- Once, when a view is created: it costs one more pass over the events.
CREATE FUNCTION health_internal.notice_unknown_accounts(model_name text, version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts text;
    unknown_events bigint;
    unknown_accounts bigint;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    accounts := (health_internal.compile_model(version.document, version.version, usage_from => 'nothing')).ledger;
    EXECUTE pg_catalog.format(
        'SELECT coalesce(pg_catalog.sum(s.n), 0), pg_catalog.count(*) FROM (SELECT e.account_id, pg_catalog.sum(e.n) AS n FROM (%s) AS e '
            'GROUP BY 1) AS s '
        'WHERE s.account_id IS NOT NULL AND s.n > 0',
        health_internal.store_activity_beside(health_internal.open_store(version), accounts))
    INTO unknown_events, unknown_accounts;
    IF unknown_events > 0 THEN
        RAISE NOTICE '%', pg_catalog.format('%s of %s that the account source does not have %s not scored',
                unknown_events || CASE unknown_events WHEN 1 THEN ' event' ELSE ' events' END,
                unknown_accounts || CASE unknown_accounts WHEN 1 THEN ' account' ELSE ' accounts' END,
                CASE unknown_events WHEN 1 THEN 'is' ELSE 'are' END)
            USING HINT = pg_catalog.format('SELECT * FROM health.tracking_plan(%L) lists them.', model_name);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.notice_unknown_accounts(text, health_internal.model_version) IS
    'Tells of events whose account is not in the account source';

-- Of a tracked model refreshes tell. Who reads the view sees unknown_reason beside a score.
CREATE FUNCTION health_internal.warn_broken(model_name text, ledger_relation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held_at date;
    reason text;
BEGIN
    EXECUTE format('SELECT l.as_of, l.tracking_broke FROM %s AS l WHERE l.tracking_broke IS NOT NULL LIMIT 1', ledger_relation)
    INTO held_at, reason;
    IF reason IS NOT NULL THEN
        RAISE WARNING 'model "%": %', model_name, reason
            USING DETAIL = format('Its scores stay those of %s until the volume is usual again.', health_internal.iso_text(held_at)),
                  HINT = format('If that is how it is: SELECT health.alter_model(%L, ''{"volume": {"accepted_from": "%s", '
                                '"accepted_until": "%s"}}'');', model_name, health_internal.iso_text(held_at),
                                health_internal.iso_text(held_at));
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.warn_broken(text, text) IS
    'Warns that the scores over a materialized ledger are as of an earlier day, because tracking broke';

-- What a signal needs is said by where its value comes from.
CREATE FUNCTION health_internal.describe_gaps(document jsonb, scores text, signals text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reasons text;
    unknown text[];
    gaps text;
BEGIN
    EXECUTE format('SELECT ARRAY(SELECT s.signal FROM %s AS s GROUP BY 1 HAVING count(s.normalized) = 0)', signals) INTO unknown;
    EXECUTE format('SELECT string_agg(DISTINCT r.unknown_reason, ''; '') FROM (SELECT b.unknown_reason FROM %s AS b WHERE b.in_book '
                   'GROUP BY 1 ORDER BY count(*) DESC LIMIT 2) AS r', scores) INTO reasons;
    SELECT string_agg(format('%s (%s)', g.signal ->> 'name',
               CASE WHEN g.signal #>> '{frozen,seen}' = 'false' THEN 'none of its events was ever seen'
                    WHEN health_internal.is_fitted(g.signal) AND health_internal.frozen_parameters(g.signal) IS NULL
                        THEN 'too little in the book to fit it to'
                    WHEN g.signal ->> 'metric' = 'adoption_rate' AND document #> '{accounts,seats}' IS NULL THEN 'needs accounts.seats'
                    WHEN g.signal ->> 'metric' IN ('onboarding_activation', 'growth') AND document #> '{users,joined}' IS NULL
                        THEN 'needs users.joined'
                    WHEN g.signal ->> 'metric' = 'invite_conversion' AND document #> '{users,invited}' IS NULL THEN 'needs users.invited'
                    WHEN g.signal ? 'metric' THEN 'metric ' || (g.signal ->> 'metric')
                    ELSE coalesce('column ' || (g.signal ->> 'column'), 'expression ' || (g.signal ->> 'expression'), CASE
                        WHEN g.signal ? 'pulse' THEN 'no pulse that counts' ELSE 'its query' END) END),
               ', ' ORDER BY g.number)
    INTO gaps
    FROM health_internal.leaf_signals(document) AS g
    WHERE g.signal ->> 'name' = ANY (unknown);
    RETURN reasons || '.' || coalesce(' Unknown of every account: ' || gaps || '.', '');
END;
$$;
COMMENT ON FUNCTION health_internal.describe_gaps(jsonb, text, text) IS
    'Why the accounts of a score view have no score, and which signals are unknown of all of them';

-- A book in which nobody does anything is nearly always a mistake in the model: a wrong as_of, other event names, other account ids.
CREATE FUNCTION health_internal.notice_silent_book(model_name text, document jsonb, relation text, signals text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts bigint;
    in_book bigint;
    active bigint;
    scored bigint;
    as_of date;
BEGIN
    EXECUTE pg_catalog.format('SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE b.in_book), '
        'pg_catalog.count(*) FILTER (WHERE b.active_users > 0), pg_catalog.count(b.score), pg_catalog.min(b.as_of) FROM %s AS b', relation)
    INTO accounts, in_book, active, scored, as_of;
    IF accounts = 0 THEN
        RAISE NOTICE 'the account source of model "%" has no rows: nothing is scored', model_name
            USING HINT = 'Fill it, or check accounts.filter; then refresh.';
    ELSIF in_book > 0 AND scored = 0 THEN
        RAISE NOTICE 'no account of model "%" has a score', model_name
            USING DETAIL = health_internal.describe_gaps(document, relation, signals),
                  HINT = 'Add what is missing, or lower minimum_coverage.';
    ELSIF active = 0 AND EXISTS (SELECT FROM health_internal.leaf_signals(document) AS l WHERE l.signal ? 'metric') THEN
        RAISE NOTICE 'no account has an event that counts in the window before %', as_of
            USING HINT = pg_catalog.format('SELECT * FROM health.tracking_plan(%L) holds the events against the accounts, the catalog and '
                'as_of.', model_name);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.notice_silent_book(text, jsonb, text, text) IS
    'Tells when a score view has no account, none of them a score, or none any activity';
-- Score views: what a BI tool reads. The model stands in the views as a literal, so readers need SELECT on them and nothing else.

CREATE FUNCTION health_internal.describe_score_relation(suffix text, model_name text, version integer) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(CASE suffix
        WHEN '_ledger' THEN 'Base of the score views of model "%s", version %s: one row per account with its usage ledger and the inputs '
            'of its signals.'
        WHEN '' THEN 'Account health by model "%s", version %s: one row per account with score, band, change, main reason and every usage '
            'metric.'
        WHEN '_signals' THEN 'Signals of account health by model "%s", version %s: one row per account and signal; the points of the '
            'leaves add up to the score.'
        ELSE 'Daily account health by model "%s", version %s: one row per account and day, recomputed from the events, expressions and '
            'dated answers of that day; columns of the account table stand at their present value.'
    END, model_name, version);
$$;
COMMENT ON FUNCTION health_internal.describe_score_relation(text, text, integer) IS
    'The comment on one of the four relations of a score view';

CREATE FUNCTION health_internal.describe_score_column(suffix text, column_name text, document jsonb) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source_name text := CASE column_name WHEN 'data_coverage' THEN 'coverage' ELSE column_name END;
    source_types regtype[] := CASE suffix
        WHEN '' THEN '{health.account_score,health.metrics_record}'::regtype[]
        WHEN '_signals' THEN '{health.signal_score}'::regtype[]
        WHEN '_history' THEN '{health.account_score}'::regtype[]
        ELSE '{}' END;
    description text;
BEGIN
    description := CASE column_name
        WHEN 'account_id' THEN 'Account id, in the type of the account table'
        WHEN 'name' THEN 'Name of the account'
        WHEN 'as_of' THEN 'The day of the score: it rests on events of days before it'
        WHEN 'model' THEN 'Name of the model'
        WHEN 'model_version' THEN 'Version of the model that made this row'
        WHEN 'account_start' THEN 'Since when the account is a customer, by the account table'
        WHEN 'seats' THEN 'Licensed seats, by the account table'
            || CASE suffix WHEN '_ledger' THEN '; NaN where it has what cannot be a number of seats' ELSE '' END
        WHEN 'usage' THEN 'Usage ledger: for each user, local day and event the count and the amount'
        WHEN 'inputs' THEN 'Values of the column, expression, query and pulse signals, in the order of health.model_inputs()'
        WHEN 'observed' THEN 'Dates on which the query signals were observed and the pulses given'
        WHEN 'past_inputs' THEN 'Inputs of earlier days, a row for each, the day before as_of first; NULL when they are always the same'
        WHEN 'past_observed' THEN 'Dates on which the answers among the past inputs were observed'
        WHEN 'account_end' THEN 'The first day on which the account is no customer any more, by the account table'
        WHEN 'ledger_start' THEN 'First day that the ledgers keep; NULL: they have all days'
        WHEN 'in_filter' THEN 'Whether accounts.filter takes the account on the day and on each day before; NULL where it does not '
            'depend on the day'
        WHEN 'repeated' THEN 'Whether the account source has the account more than once: then it is not scored'
        WHEN 'segments' THEN 'Peer groups for percentile normalizers'
        WHEN 'outages' THEN 'First and last days, by turns, on which tracking was broken: dates within are scored as of the first day'
        WHEN 'tracking_broke' THEN 'Why as_of is the first day on which tracking was broken, and not today; NULL: it is today'
        WHEN 'overrides' THEN 'What was ever decided about the score, in the order in which it was'
    END;
    IF description IS NULL AND (column_name <> 'coverage' OR suffix = '') THEN
        -- The metric named coverage is not the score's data coverage.
        SELECT col_description(t.typrelid, a.attnum) INTO description
        FROM unnest(source_types) WITH ORDINALITY AS o (type, position)
        JOIN pg_type AS t ON t.oid = o.type
        JOIN pg_attribute AS a ON a.attrelid = t.typrelid AND a.attname = source_name AND NOT a.attisdropped
        WHERE column_name <> 'coverage' OR o.type = 'health.metrics_record'::regtype
        ORDER BY o.position LIMIT 1;
    END IF;
    IF description IS NULL AND document #> '{accounts,columns}' ? column_name THEN
        description := format('Account attribute: %s of %s', coalesce(document #>> ARRAY['accounts', 'columns', column_name, 'sql'],
                                                                     document #>> ARRAY['accounts', 'columns', column_name]),
                              coalesce(document #>> '{accounts,table}', 'the account query'));
    END IF;
    IF description IS NULL THEN
        SELECT format('Value of signal "%s": %s', l.signal ->> 'name',
                      coalesce(l.signal ->> 'description', l.signal ->> 'column', l.signal ->> 'expression', l.signal ->> 'query',
                               'the last pulse, 1 (worst) to 5 (best)'))
        INTO description
        FROM health_internal.leaf_signals(document) AS l JOIN health_internal.value_columns(document) AS v ON v.signal = l.signal ->> 'name'
        WHERE v.column_name = describe_score_column.column_name;
    END IF;
    RETURN description;
END;
$$;
COMMENT ON FUNCTION health_internal.describe_score_column(text, text, jsonb) IS
    'The comment on a column of one of the four relations of a score view';

CREATE FUNCTION health_internal.comment_on_score_relation(relation text, kind text, suffix text, model_name text, version integer,
    document jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    column_name text;
BEGIN
    EXECUTE format('COMMENT ON %s %s IS %L', kind, relation, health_internal.describe_score_relation(suffix, model_name, version));
    FOR column_name IN SELECT a.attname FROM pg_attribute AS a
                       WHERE a.attrelid = relation::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', relation, column_name, coalesce(
            health_internal.describe_probability(model_name, version, column_name),
            health_internal.describe_score_column(suffix, column_name, document)));
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.comment_on_score_relation(text, text, text, text, integer, jsonb) IS
    'Comments on a relation of a score view and on each of its columns';

CREATE FUNCTION health_internal.compile_score_view(schema_name name, view_name name, store health_internal.store,
    as_literals boolean DEFAULT false)
RETURNS TABLE (suffix text, relation text, query text)
LANGUAGE plpgsql ROWS 4
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := store.version;
    compiled health_internal.compiled_model;
    ledger_relation text;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, model_name => version.model,
                                              past_days => health_internal.past_days(version.document),
                                              as_literals => as_literals);
    FOR suffix, relation IN SELECT r.suffix, r.relation FROM health_internal.score_relations(schema_name, view_name) AS r LOOP
        ledger_relation := coalesce(ledger_relation, relation);
        query := health_internal.store_relation(store, suffix, ledger_relation, compiled, as_literals);
        RETURN NEXT;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_score_view(name, name, health_internal.store, boolean) IS
    'SQL of the four relations of a score view, in the order in which they build on each other; with the overrides, pulses and '
    'calibrations that there are as literals or read from the catalog, which only the owner of the model can';

-- What is kept has its tables already, which refreshes bring up to date.
CREATE FUNCTION health_internal.score_relation_kind(store health_internal.store, materialized boolean) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN materialized AND NOT (store).has_scores THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END;
END;
COMMENT ON FUNCTION health_internal.score_relation_kind(health_internal.store, boolean) IS
    'What the relations of a score view are that was made materialized or not: MATERIALIZED VIEW or VIEW';

CREATE FUNCTION health_internal.replace_view(relation text, query text, names_path text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.look_names_up_in(names_path);
    EXECUTE pg_catalog.format('CREATE OR REPLACE VIEW %s AS %s', relation, query);
END;
$$;
COMMENT ON FUNCTION health_internal.replace_view(text, text, text) IS
    'Gives a plain view another query of the same columns, whose names are looked up under a search_path';

-- Under the author's search_path, with target names qualified.
CREATE FUNCTION health_internal.build_score_view(schema_name name, view_name name, model_name text, version health_internal.model_version,
                                                 materialized boolean, kept text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    store CONSTANT health_internal.store := health_internal.open_store(version);
    kind CONSTANT text := health_internal.score_relation_kind(store, materialized);
    keys jsonb := jsonb_build_object('_ledger', 'account_id', '', 'account_id', '_signals', 'account_id, "position"', '_history',
        'account_id, as_of');
    made record;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    FOR made IN SELECT c.* FROM health_internal.compile_score_view(schema_name, view_name, store,
                    kind = 'VIEW' AND NOT store.has_scores) AS c WHERE c.suffix <> ALL (kept) LOOP
        EXECUTE pg_catalog.format('CREATE %s %s AS %s', CASE kind WHEN 'VIEW' THEN 'OR REPLACE VIEW' ELSE kind END, made.relation,
            made.query);
        IF kind = 'MATERIALIZED VIEW' THEN
            EXECUTE pg_catalog.format('CREATE UNIQUE INDEX ON %s (%s)', made.relation, keys ->> made.suffix);
            EXECUTE pg_catalog.format('ANALYZE %s', made.relation);
        END IF;
        PERFORM health_internal.comment_on_score_relation(made.relation, kind, made.suffix, model_name, version.version, version.document);
        IF store.has_scores AND made.suffix = '_history' THEN
            EXECUTE pg_catalog.format('COMMENT ON VIEW %s IS %L', made.relation, pg_catalog.format(
                'Daily account health by model "%s": one row per account and day, with the account data that were recorded on that day.',
                    model_name));
        END IF;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.build_score_view(name, name, text, health_internal.model_version, boolean, text[]) IS
    'Creates the four relations of a score view, less those with suffixes that are kept; plain views take the place of those that stand '
        'there';

CREATE FUNCTION health_internal.parse_view_name(name text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts text[];
BEGIN
    BEGIN
        parts := parse_ident(name);
    EXCEPTION WHEN invalid_parameter_value THEN
        parts := NULL;
    END;
    IF parts IS NULL OR cardinality(parts) > 2 THEN
        RAISE EXCEPTION '"%" is not a name of the form view or schema.view', name
            USING ERRCODE = 'invalid_name',
                  HINT = CASE WHEN name <> '' AND parts IS NULL THEN format('A name with blanks or signs stands in double quotes: %L',
                      quote_ident(name))
                              ELSE 'For example ''scores.customers''.' END;
    END IF;
    RETURN parts;
END;
$$;
COMMENT ON FUNCTION health_internal.parse_view_name(text) IS
    'A view name, with its schema or without, as its parts; an error when it is none';

CREATE FUNCTION health_internal.split_view_name(name text, visible text, OUT schema_name name, OUT view_name name)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts text[] := health_internal.parse_view_name(name);
BEGIN
    view_name := parts[pg_catalog.cardinality(parts)];
    schema_name := CASE pg_catalog.cardinality(parts) WHEN 2 THEN parts[1]::pg_catalog.name
        ELSE (health_internal.schemas_in(visible))[1] END;
    IF schema_name IS NULL THEN
        RAISE EXCEPTION 'no schema has been selected for score view "%"', name
            USING ERRCODE = 'invalid_schema_name', HINT = 'Write schema.view, or set search_path.';
    END IF;
    IF pg_catalog.octet_length(parts[pg_catalog.cardinality(parts)]) > 55 THEN
        RAISE EXCEPTION 'name of score view "%" is longer than 55 bytes', name
            USING ERRCODE = 'name_too_long', HINT = 'The longest of its relations adds _history.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.split_view_name(text, text) IS 'Schema and name of a score view that is to be created';

CREATE FUNCTION health_internal.create_view_as_owner(model text, schema_name name, view_name name, materialized boolean, label text)
    RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    version health_internal.model_version := health_internal.find_version(model, (health_internal.open_model(model)).current_version);
    existing text;
BEGIN
    SELECT r.relation INTO existing FROM health_internal.score_relations(create_view_as_owner.schema_name,
        create_view_as_owner.view_name) AS r
    WHERE to_regclass(r.relation) IS NOT NULL LIMIT 1;
    IF existing IS NOT NULL THEN
        IF EXISTS (SELECT 1 FROM health_internal.score_view AS s
                   WHERE s.schema_name = create_view_as_owner.schema_name AND s.view_name = create_view_as_owner.view_name) THEN
            RAISE EXCEPTION 'score view % exists already', health_internal.quote_once(label)
                USING ERRCODE = 'duplicate_table',
                      HINT = format('refresh_score_view(%L) takes over changes of the model; drop_score_view(%1$L) drops it.', label);
        END IF;
        RAISE EXCEPTION 'relation % exists already', existing
            USING ERRCODE = 'duplicate_table', HINT = 'Choose another name for the score view.';
    END IF;
    PERFORM health_internal.build_score_view(schema_name, view_name, model, version, materialized);
    PERFORM health_internal.notice_unknown_accounts(model, version);
    IF materialized AND NOT (health_internal.open_store(version)).has_scores THEN
        PERFORM health_internal.warn_broken(model, format('%I.%I', schema_name, view_name || '_ledger'));
    END IF;
    PERFORM health_internal.notice_silent_book(model, version.document, format('%I.%I', schema_name, view_name),
        format('%I.%I', schema_name, view_name || '_signals'));
    INSERT INTO health_internal.score_view AS s (schema_name, view_name, model, model_version, materialized)
    VALUES (create_view_as_owner.schema_name, create_view_as_owner.view_name, create_view_as_owner.model, version.version,
            create_view_as_owner.materialized)
    ON CONFLICT (schema_name, view_name) DO UPDATE
        SET model = excluded.model, model_version = excluded.model_version, materialized = excluded.materialized,
            compiled_by = excluded.compiled_by;
EXCEPTION WHEN data_exception OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version),
                health_internal.raise_failing_field(model, version, past_days => health_internal.past_days(version.document));
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.create_view_as_owner(text, name, name, boolean, text) IS
    'create_score_view() as the owner of the model';

-- The schema is that of the caller's search_path; the relations are the owner's of the model.
CREATE FUNCTION health_internal.create_score_view(model text, name text, materialized boolean, visible text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    target record;
BEGIN
    SELECT s.schema_name, s.view_name INTO target FROM health_internal.split_view_name(name, visible) AS s;
    IF pg_catalog.to_regnamespace(pg_catalog.quote_ident(target.schema_name)) IS NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', target.schema_name
            USING ERRCODE = 'invalid_schema_name', HINT = pg_catalog.format('CREATE SCHEMA %I;', target.schema_name);
    END IF;
    PERFORM health_internal.run_as_owner(opened.owner, 'pg_catalog, pg_temp',
        'SELECT health_internal.create_view_as_owner($1, $2, $3, $4::boolean, $5)',
        model, target.schema_name::text, target.view_name::text, materialized::text, name);
END;
$$;
COMMENT ON FUNCTION health_internal.create_score_view(text, text, boolean, text) IS 'create_score_view() with the schemas of the caller';

CREATE FUNCTION health.create_score_view(model text, name text, materialized boolean DEFAULT true) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health_internal.create_score_view(model, name, materialized, health_internal.visible_schemas());
END;
COMMENT ON FUNCTION health.create_score_view(text, text, boolean) IS
    'Creates the score view of a model: name (one row per account), name_signals, name_history and their base name_ledger, '
    'materialized with unique indexes by default, else plain views that compute on every read';
-- Refreshing and dropping score views.

CREATE FUNCTION health_internal.find_score_view(name text, visible text) RETURNS health_internal.score_view
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts text[] := health_internal.parse_view_name(name);
    schemas name[] := health_internal.schemas_in(visible);
    found_view health_internal.score_view;
BEGIN
    SELECT s.* INTO found_view FROM health_internal.score_view AS s
    WHERE s.view_name = parts[pg_catalog.cardinality(parts)]
      AND CASE pg_catalog.cardinality(parts) WHEN 1 THEN s.schema_name = ANY (schemas) ELSE s.schema_name = parts[1] END
    ORDER BY pg_catalog.array_position(schemas, s.schema_name)
    LIMIT 1;
    IF NOT FOUND AND EXISTS (
        SELECT 1 FROM health_internal.known_score_view AS s
        WHERE s.view_name = parts[pg_catalog.cardinality(parts)]
          AND CASE pg_catalog.cardinality(parts) WHEN 1 THEN s.schema_name = ANY (schemas)
                                                 ELSE s.schema_name = parts[1] END) THEN
        RAISE EXCEPTION 'permission denied for score view "%"', name
            USING ERRCODE = 'insufficient_privilege', DETAIL = 'Its model belongs to somebody else.';
    ELSIF found_view.view_name IS NULL THEN
        RAISE EXCEPTION 'there is no score view %', health_internal.quote_once(name)
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce((SELECT 'The score views are: ' || pg_catalog.string_agg(
                                      pg_catalog.format('%I.%I', s.schema_name, s.view_name), ', ' ORDER BY s.schema_name, s.view_name)
                                          || '.'
                                   FROM health_internal.score_view AS s),
                                  'create_score_view(model, name) creates one.');
    END IF;
    RETURN found_view;
END;
$$;
COMMENT ON FUNCTION health_internal.find_score_view(text, text) IS
    'The catalog row of a score view, found by search_path when the name has no schema; an error when there is none';

CREATE FUNCTION health_internal.owned_relations(present health_internal.score_view) RETURNS TABLE (relation text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.relation
    FROM health_internal.score_relations(present.schema_name, present.view_name) AS r
    JOIN pg_class AS c ON c.oid = to_regclass(r.relation)
    JOIN health_internal.model AS m ON m.name = present.model AND m.owner = c.relowner;
$$;
COMMENT ON FUNCTION health_internal.owned_relations(health_internal.score_view) IS
    'The relations of a score view that belong to the owner of its model';

CREATE FUNCTION health_internal.check_relation_owner(present health_internal.score_view, relation text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM health_internal.owned_relations(present) AS o WHERE o.relation = check_relation_owner.relation) THEN
        RAISE EXCEPTION 'relation % does not belong to the owner of model "%"', relation, present.model
            USING ERRCODE = 'insufficient_privilege', HINT = 'Drop it by hand if it is not wanted.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_relation_owner(health_internal.score_view, text) IS
    'Raises an error when somebody else has put a relation in the place of one of a score view';

-- Readers keep reading while a populated view with its unique index is refreshed.
CREATE FUNCTION health_internal.refresh_relation(present health_internal.score_view, relation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass(relation) IS NULL THEN
        RAISE EXCEPTION 'relation % does not exist any more', relation
            USING ERRCODE = 'undefined_table',
                  HINT = 'drop_score_view(name) removes what is left, create_score_view(model, name) makes it anew.';
    END IF;
    PERFORM health_internal.check_relation_owner(present, relation);
    PERFORM health_internal.refresh_matview(relation::regclass, EXISTS (
        SELECT 1 FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.oid
        WHERE c.oid = relation::regclass AND c.relispopulated AND i.indisunique AND i.indisvalid AND i.indpred IS NULL));
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_relation(health_internal.score_view, text) IS
    'Refreshes a relation of a score view, concurrently when it is populated and has a unique index';

-- The catalog row is only a claim: only what is the model's owner's is dropped.
CREATE FUNCTION health_internal.drop_score_relations(present health_internal.score_view, cascade boolean, kept text[] DEFAULT '{}')
    RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
    detail text;
BEGIN
    FOR made IN SELECT r.relation
                FROM health_internal.score_relations(present.schema_name, present.view_name)
                     WITH ORDINALITY AS r (suffix, relation, short_name, position)
                WHERE to_regclass(r.relation) IS NOT NULL AND r.suffix <> ALL (kept) ORDER BY r.position DESC LOOP
        PERFORM health_internal.check_relation_owner(present, made.relation);
        EXECUTE format('DROP %s %s %s', CASE (SELECT c.relkind FROM pg_class AS c WHERE c.oid = made.relation::regclass)
                                            WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, made.relation,
                       CASE WHEN cascade THEN 'CASCADE' ELSE 'RESTRICT' END);
    END LOOP;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION 'cannot drop score view %.% because other objects depend on it',
        quote_ident(present.schema_name), quote_ident(present.view_name)
        USING ERRCODE = 'dependent_objects_still_exist', DETAIL = detail,
              HINT = 'drop_score_view(name, cascade => true) drops them as well.';
END;
$$;
COMMENT ON FUNCTION health_internal.drop_score_relations(health_internal.score_view, boolean, text[]) IS
    'Drops the relations of a score view, less those with suffixes that are kept, the base last';

CREATE FUNCTION health_internal.drop_view_as_owner(schema_name name, view_name name, cascade boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present health_internal.score_view;
BEGIN
    SELECT s.* INTO STRICT present FROM health_internal.score_view AS s
    WHERE s.schema_name = drop_view_as_owner.schema_name AND s.view_name = drop_view_as_owner.view_name;
    PERFORM health_internal.drop_score_relations(present, cascade);
    PERFORM health_internal.delete_rows(present.model, 'score view', present.schema_name::text, present.view_name::text);
END;
$$;
COMMENT ON FUNCTION health_internal.drop_view_as_owner(name, name, boolean) IS 'drop_score_view() as the owner of the model';

CREATE FUNCTION health_internal.drop_score_view(name text, cascade boolean, visible text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present health_internal.score_view := health_internal.find_score_view(name, visible);
BEGIN
    PERFORM health_internal.run_as_owner((health_internal.open_model(present.model)).owner, 'pg_catalog, pg_temp',
        'SELECT health_internal.drop_view_as_owner($1, $2, $3::boolean)',
        present.schema_name::text, present.view_name::text, cascade::text);
END;
$$;
COMMENT ON FUNCTION health_internal.drop_score_view(text, boolean, text) IS 'drop_score_view() with the schemas of the caller';

CREATE FUNCTION health.drop_score_view(name text, cascade boolean DEFAULT false) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health_internal.drop_score_view(name, cascade, health_internal.visible_schemas());
END;
COMMENT ON FUNCTION health.drop_score_view(text, boolean) IS
    'Drops a score view; refuses while other objects depend on it and names them, unless cascade => true drops those too';

CREATE FUNCTION health_internal.relation_grants(present health_internal.score_view) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(
        SELECT format('GRANT %s ON %s TO %s%s', a.privilege_type, r.relation,
                      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM health_internal.owned_relations(present) AS r JOIN pg_class AS c ON c.oid = to_regclass(r.relation), aclexplode(c.relacl) AS a
        WHERE a.grantee <> c.relowner
    );
$$;
COMMENT ON FUNCTION health_internal.relation_grants(health_internal.score_view) IS
    'Statements that give the relations of a score view their grants again';

-- A materialized view cannot be replaced in place: it is dropped and made again with its owner and its grants.
CREATE FUNCTION health_internal.rebuild_score_view(present health_internal.score_view, version health_internal.model_version,
                                                   kept text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    grants text[] := health_internal.relation_grants(present);
    statement text;
BEGIN
    PERFORM health_internal.drop_score_relations(present, false, kept);
    PERFORM health_internal.build_score_view(present.schema_name, present.view_name, present.model, version, present.materialized, kept);
    FOREACH statement IN ARRAY grants LOOP
        EXECUTE statement;
    END LOOP;
    UPDATE health_internal.score_view AS s SET model_version = version.version, compiled_by = health_internal.release()
    WHERE s.schema_name = present.schema_name AND s.view_name = present.view_name;
END;
$$;
COMMENT ON FUNCTION health_internal.rebuild_score_view(health_internal.score_view, health_internal.model_version, text[]) IS
    'Makes a score view again for another version of its model, with its owner and the grants on its relations; those with suffixes that '
        'are '
    'kept stay as they are';

CREATE FUNCTION health_internal.rebuild_view_as_owner(schema_name name, view_name name, version integer) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.rebuild_score_view(s, health_internal.find_version(s.model, rebuild_view_as_owner.version))
    FROM health_internal.score_view AS s
    WHERE s.schema_name = rebuild_view_as_owner.schema_name AND s.view_name = rebuild_view_as_owner.view_name;
$$;
COMMENT ON FUNCTION health_internal.rebuild_view_as_owner(name, name, integer) IS 'rebuild_score_view() as the owner of the model';
-- What probability goes with a score: calibrate(), and the column of score views that it fills.

CREATE FUNCTION health_internal.check_calibration(model text, kind text, method text, outcome text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF kind IS NULL OR kind NOT IN ('churn', 'expansion') THEN
        RAISE EXCEPTION 'model "%": there is no kind of calibration "%"', model, coalesce(kind, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The kinds are churn and expansion.';
    ELSIF method IS NULL OR method NOT IN ('auto', 'isotonic', 'platt', 'none') THEN
        RAISE EXCEPTION 'model "%": there is no method of calibration "%"', model, coalesce(method, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The methods are auto, isotonic and platt; none takes a calibration away.';
    ELSIF kind = 'expansion' AND outcome IS NULL AND method <> 'none' THEN
        RAISE EXCEPTION 'model "%": which accounts expanded, and when, is for a query to say', model
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'For example outcome => ''select account_id, upgraded_on from upgrades''.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_calibration(text, text, text, text) IS
    'Raises an error unless there is such a kind and method, and an outcome for them';

CREATE FUNCTION health_internal.add_calibration(made health_internal.calibration) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = made.model FOR UPDATE;
    INSERT INTO health_internal.calibration (model, version, kind, number, method, map, outcome, horizon, gap, from_date, to_date, n,
                                             events, brier, skill, created_by)
    SELECT made.model, made.version, made.kind, coalesce(max(c.number), 0) + 1, made.method, made.map, made.outcome, made.horizon, made.gap,
           made.from_date, made.to_date, made.n, made.events, made.brier, made.skill, made.created_by
    FROM health_internal.calibration AS c WHERE c.model = made.model AND c.version = made.version AND c.kind = made.kind;
END;
$$;
COMMENT ON FUNCTION health_internal.add_calibration(health_internal.calibration) IS
    'Stores a calibration, which takes the place of the present one';

-- Plain views have it as a literal. Stored ones read the catalog when they are refreshed, which refresh_calibrated_views() is for.
CREATE FUNCTION health_internal.renew_probabilities(version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    store CONSTANT health_internal.store := health_internal.open_store(version);
    made health_internal.score_view;
    shown record;
    kind text;
BEGIN
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = version.model AND s.model_version = version.version
                ORDER BY s.schema_name, s.view_name LOOP
        kind := health_internal.score_relation_kind(store, made.materialized);
        SELECT r.relation INTO shown FROM health_internal.score_relations(made.schema_name, made.view_name) AS r
        WHERE r.suffix = '' AND to_regclass(r.relation) IS NOT NULL;
        CONTINUE WHEN NOT FOUND;
        PERFORM health_internal.check_relation_owner(made, shown.relation);
        IF kind = 'VIEW' THEN
            PERFORM health_internal.replace_view(c.relation, c.query, version.search_path)
            FROM health_internal.compile_score_view(made.schema_name, made.view_name, store, NOT store.has_scores) AS c WHERE c.suffix = '';
        END IF;
        EXECUTE (SELECT string_agg(format('COMMENT ON COLUMN %s.%I IS %L', shown.relation, p.column_name,
                                          health_internal.describe_probability(version.model, version.version, p.column_name)), '; ')
                 FROM health_internal.probability_columns() AS p);
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.renew_probabilities(health_internal.model_version) IS
    'Brings the score views of a version of a model to its present calibrations: plain ones, and the comments of all';

-- A concurrent refresh makes a temporary table, which what runs as the owner of a model may not. The base stays as it is: no event is read.
CREATE FUNCTION health_internal.refresh_calibrated_views(model_name text, version integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made health_internal.score_view;
    shown record;
BEGIN
    FOR made IN SELECT s.* FROM health_internal.score_view AS s
                WHERE s.model = model_name AND s.model_version = refresh_calibrated_views.version AND s.materialized
                ORDER BY s.schema_name, s.view_name LOOP
        SELECT r.relation INTO shown FROM health_internal.score_relations(made.schema_name, made.view_name) AS r
        JOIN pg_class AS c ON c.oid = to_regclass(r.relation) WHERE r.suffix = '' AND c.relkind = 'm' AND c.relispopulated;
        IF FOUND THEN
            PERFORM health_internal.refresh_relation(made, shown.relation);
        END IF;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_calibrated_views(text, integer) IS
    'Has the materialized score views of a version of a model show its present calibrations';

CREATE FUNCTION health_internal.tell_calibration(labels health_internal.labels, made health_internal.calibration, column_name text,
    auc float8, low float8, high float8, lowest float8, highest float8, plain_brier float8) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN highest - lowest < 1e-9 OR low <= 0.5 THEN format(
            '%s "%s" in %s days: AUC %s (%s to %s). %s is %s for everybody: the base rate is %s %%.',
            CASE WHEN high < 0.5 THEN 'The score says the opposite about' ELSE 'The score says nothing about' END, labels.outcome,
            made.horizon, health_internal.show_share(auc), health_internal.show_share(low), health_internal.show_share(high), column_name,
            CASE WHEN highest - lowest < 1e-9 THEN 'the same' ELSE 'about the same' END,
            round((100 * labels.events / labels.n::float8)::numeric, 1))
        ELSE format('%s is the probability of "%s" in the days %s to %s after a score: %s to %s %%, by %s calibration. Brier score %s, '
                    'uncalibrated %s, skill %s, on accounts that it was not fitted to.',
                    column_name, labels.outcome, made.gap + 1, made.gap + made.horizon, round((100 * lowest)::numeric, 1),
                    round((100 * highest)::numeric, 1), made.method, round(made.brier::numeric, 4), round(plain_brier::numeric, 4),
                    health_internal.show_share(made.skill)) END
        || health_internal.tell_left_out(labels.left_out);
$$;
COMMENT ON FUNCTION health_internal.tell_calibration(health_internal.labels, health_internal.calibration, text, float8, float8, float8,
    float8, float8, float8) IS 'What calibrate() made, in a sentence';

CREATE FUNCTION health_internal.calibrate_as_owner(model text, outcome text, horizon integer, kind text, method text, from_date date,
    to_date date, step integer, gap integer, version integer, caller text, outcome_accounts text[], outcome_days date[])
RETURNS SETOF health.backtest_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tested CONSTANT health_internal.model_version := health_internal.find_version(model,
        coalesce(version, (health_internal.open_model(model)).current_version));
    expands CONSTANT boolean := kind = 'expansion';
    labels health_internal.labels;
    made health_internal.calibration;
    fitted record;
    ranked record;
    risks float8[];    -- likelier the higher
    plain record;
    judged record;
    column_name text;
BEGIN
    PERFORM health_internal.check_calibration(model, kind, method, outcome);
    column_name := (SELECT p.column_name FROM health_internal.probability_columns() AS p WHERE p.kind = calibrate_as_owner.kind);
    made.model := model;
    made.version := tested.version;
    made.kind := kind;
    made.method := method;
    made.created_by := caller;
    IF method = 'none' THEN
        IF (health_internal.find_calibration(model, tested.version, kind)).map IS NULL THEN
            RAISE EXCEPTION 'version % of model "%" is not calibrated for %', tested.version, model, kind
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = format('SELECT * FROM health.calibrations(%L) lists what is.', model);
        END IF;
        PERFORM health_internal.add_calibration(made);
        PERFORM health_internal.renew_probabilities(tested);
        RETURN NEXT ROW('verdict', kind, NULL, NULL, NULL, NULL, NULL,
                        format('Taken away: %s is NULL.', column_name))::health.backtest_row;
        RETURN;
    END IF;
    labels := health_internal.label_scores(tested, expands, false, outcome, horizon, from_date, to_date, step, gap, outcome_accounts,
                                           outcome_days);
    SELECT c.method_used, c.map, c.out_of_fold INTO fitted
    FROM health_internal.calibrate_scores(labels.scores, labels.outcomes, labels.units, expands, method) AS c
    WHERE health_internal.tell_too_few(labels) IS NULL;
    IF fitted.map IS NULL THEN
        RAISE EXCEPTION 'model "%": too few to calibrate by: %', model,
            coalesce(health_internal.tell_too_few(labels), 'folds by account without any of them')
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'An earlier from_date or a longer horizon has more; without that, rank accounts by their score.';
    END IF;
    risks := ARRAY(SELECT CASE WHEN expands THEN s.score ELSE 100 - s.score END FROM unnest(labels.scores) WITH ORDINALITY AS s (score, i)
                   ORDER BY s.i);
    SELECT a.auc, a.low, a.high INTO ranked FROM health_internal.auc_interval(risks, labels.outcomes, labels.units) AS a;
    SELECT p.brier, p.skill INTO plain FROM health_internal.probability_scores(
        ARRAY(SELECT r.risk / 100 FROM unnest(risks) WITH ORDINALITY AS r (risk, i) ORDER BY r.i), labels.outcomes) AS p;
    SELECT p.brier, p.skill INTO judged FROM health_internal.probability_scores(fitted.out_of_fold, labels.outcomes) AS p;
    made.method := fitted.method_used;
    made.map := fitted.map;
    made.outcome := labels.outcome;
    made.horizon := horizon;
    made.gap := gap;
    made.from_date := labels.dates[1];
    made.to_date := labels.dates[cardinality(labels.dates)];
    made.n := labels.n;
    made.events := labels.events;
    made.brier := judged.brier;
    made.skill := judged.skill;
    PERFORM health_internal.add_calibration(made);
    PERFORM health_internal.renew_probabilities(tested);
    RETURN QUERY
    SELECT 'verdict', labels.outcome, labels.n, labels.events, judged.skill, NULL::float8, NULL::float8,
           health_internal.tell_calibration(labels, made, column_name, ranked.auc, ranked.low, ranked.high, p.lowest, p.highest,
                                            plain.brier)
    FROM (SELECT min(health_internal.calibrated(made.map, s.score)) AS lowest, max(health_internal.calibrated(made.map, s.score)) AS highest
          FROM unnest(labels.scores) AS s (score)) AS p
    UNION ALL
    SELECT 'data', 'dates', cardinality(labels.dates), NULL, NULL, NULL, NULL,
           format('%s to %s, outcome from %s to %s days after each', to_char(made.from_date, 'YYYY-MM-DD'),
                  to_char(made.to_date, 'YYYY-MM-DD'), gap + 1, gap + horizon)
    UNION ALL
    SELECT 'data', 'accounts', labels.accounts, labels.accounts_with, NULL, NULL, NULL,
           'with at least one observation; events: that had the outcome'
    UNION ALL
    SELECT 'data', 'observations', labels.n, labels.events, labels.events / labels.n::float8, NULL, NULL,
           'accounts with a score on a date; value: the base rate'
    UNION ALL
    SELECT 'auc', 'score', labels.n, labels.events, ranked.auc, ranked.low, ranked.high,
           CASE WHEN expands THEN 'how well a high score ranks' ELSE 'risk is 100 - score' END
    UNION ALL
    SELECT 'probability', p.item, labels.n, labels.events, p.value, NULL, NULL, p.note
    FROM (VALUES ('brier before', plain.brier, CASE WHEN expands THEN 'of score / 100' ELSE 'of (100 - score) / 100' END),
                 ('brier after', judged.brier, 'of the probability, on accounts that it was not fitted to'),
                 ('skill before', plain.skill, '1 - Brier / (b (1 - b)): above 0 better than the base rate for everybody'),
                 ('skill after', judged.skill, 'on accounts that it was not fitted to')) AS p (item, value, note)
    UNION ALL
    (SELECT 'calibration', 'decile ' || c.bin, c.n, c.events, c.observed, c.low, c.high,
            format('says %s', round(c.predicted::numeric, 3))
     FROM health_internal.calibration(fitted.out_of_fold, labels.outcomes, 10) AS c ORDER BY c.bin)
    UNION ALL
    SELECT 'left out', o.name, NULL, NULL, NULL, NULL, NULL,
           'no past of it is known: the score that is read has it, the observations do not'
    FROM unnest(labels.left_out) AS o (name);
END;
$$;
COMMENT ON FUNCTION health_internal.calibrate_as_owner(text, text, integer, text, text, date, date, integer, integer, integer, text, text[],
    date[]) IS 'calibrate() as the owner of the model, with the outcomes that the caller''s query gave';

CREATE FUNCTION health_internal.calibrate(model text, outcome text, horizon integer, kind text, method text, from_date date, to_date date,
    step integer, gap integer, version integer, visible text)
RETURNS SETOF health.backtest_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
    happened record;
BEGIN
    SELECT o.accounts, o.days INTO happened FROM health_internal.read_outcomes(outcome, visible) AS o;
    RETURN QUERY SELECT (r.figure).* FROM health_internal.rows_as_owner(opened.owner, NULL,
        'SELECT c FROM health_internal.calibrate_as_owner($1, $2, $3::integer, $4, $5, $6::date, $7::date, $8::integer, $9::integer, '
            '$10::integer, $11, $12::text[], $13::date[]) AS c',
        model, outcome, horizon::text, kind, method, health_internal.iso_text(from_date), health_internal.iso_text(to_date), step::text,
        gap::text, version::text, current_user::text, happened.accounts::text, health_internal.iso_text(happened.days))
        AS r (figure health.backtest_row);
    PERFORM health_internal.refresh_calibrated_views(model, coalesce(version, opened.current_version));
END;
$$;
COMMENT ON FUNCTION health_internal.calibrate(text, text, integer, text, text, date, date, integer, integer, integer, text) IS
    'calibrate() with the schemas in which the caller''s query looks names up';

CREATE FUNCTION health.calibrate(model text, outcome text DEFAULT NULL, horizon integer DEFAULT 90, kind text DEFAULT 'churn',
    method text DEFAULT 'auto', from_date date DEFAULT NULL, to_date date DEFAULT NULL, step integer DEFAULT 28, gap integer DEFAULT 0,
    version integer DEFAULT NULL)
RETURNS SETOF health.backtest_row
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT c.* FROM health_internal.calibrate(model, outcome, horizon, kind, method, from_date, to_date, step, gap, version,
                                              health_internal.visible_schemas()) AS c;
END;
COMMENT ON FUNCTION health.calibrate(text, text, integer, text, text, date, date, integer, integer, integer) IS
    'Makes a probability of the score, from what happened within the horizon (days) after past dates, observed as backtest() does but by '
    'what the version has frozen: churn_probability (kind churn; outcome as in backtest()) or expansion_likelihood (kind expansion; '
    'outcome, a query of account and day, says who expanded when) of score views and score_at(). By isotonic regression or Platt '
    'scaling; auto takes the one with the lower Brier score on accounts that were left out. Stored with the version of the model, in the '
    'place of the present one; method none takes it away. Returns what it rests on. Error 55000 with fewer than 10 accounts of a class';

CREATE FUNCTION health.calibrations(model text, OUT version integer, OUT kind text, OUT method text, OUT outcome text, OUT horizon integer,
    OUT gap integer, OUT from_date date, OUT to_date date, OUT n bigint, OUT events bigint, OUT brier float8, OUT skill float8,
    OUT map float8[], OUT in_force boolean, OUT created_at timestamptz, OUT created_by text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.find_model(model);
    RETURN QUERY
    SELECT c.version, c.kind, c.method, c.outcome, c.horizon, c.gap, c.from_date, c.to_date, c.n, c.events, c.brier, c.skill, c.map,
           c.map IS NOT NULL AND c.number = (health_internal.find_calibration(c.model, c.version, c.kind)).number
           AND c.version = (health_internal.find_model(calibrations.model)).current_version, c.created_at,
           c.created_by
    FROM health_internal.calibration AS c WHERE c.model = calibrations.model ORDER BY c.version, c.kind, c.number;
END;
$$;
COMMENT ON FUNCTION health.calibrations(text) IS
    'Every calibration of a model that there ever was, by version and kind and in order: method (none: it was taken away), outcome, '
    'horizon and gap in days, first and last date, observations and how many had the outcome, Brier score and skill on accounts that were '
    'left out, and the map: scores, ascending, and their probabilities, with straight lines between; or of platt slope and intercept of '
    '1 / (1 + exp(slope x score + intercept)). in_force: it fills the column of score views';
-- track and untrack: whether a model has ledgers beside its event tables.

CREATE FUNCTION health_internal.account_ids(model_name text, version health_internal.model_version, OUT type regtype,
    OUT kind text, OUT folded boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields health_internal.model_field[];
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(version.document) AS f);
    PERFORM health_internal.raise_first_problem(model_name, fields);
    type := (health_internal.field_of(fields, 'accounts', 'id')).type;
    SELECT f.kind, f.folded INTO kind, folded FROM health_internal.account_form(fields) AS f;
END;
$$;
COMMENT ON FUNCTION health_internal.account_ids(text, health_internal.model_version) IS
    'Type of a model''s account ids, and the form in which they are compared';

-- Triggers first: who holds their tables finds nothing that he could wait for in turn. And all at once, so that nobody waits for a table of
-- events while scores are being read.
CREATE FUNCTION health_internal.remove_tracking(tracking health_internal.tracking) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    patience CONSTANT interval := interval '5 seconds';
    sources CONSTANT health_internal.ledger_source[] := ARRAY(SELECT s FROM health_internal.ledger_source AS s
                                                              WHERE s.model = tracking.model);
    triggers CONSTANT text[] := health_internal.drop_trigger_statements(sources);
    tables CONSTANT text := (
        SELECT string_agg(health_internal.data_table(k.kind, k.id), ', ')
        FROM (SELECT kind, tracking.id FROM unnest('{score,book,state,history,stale}'::text[]) AS kind
              UNION ALL SELECT kind, s.id FROM unnest(sources) AS s, unnest('{chunk,change}'::text[]) AS kind) AS k (kind, id)
        WHERE to_regclass(health_internal.data_table(k.kind, k.id)) IS NOT NULL);
BEGIN
    -- guard triggers_first {
    -- instead: EXECUTE 'DROP TABLE ' || tables;
    -- }
    IF NOT health_internal.run_ddl(triggers || ('DROP TABLE IF EXISTS ' || tables), patience) THEN
        PERFORM health_internal.raise_busy(tracking.model, (SELECT string_agg(DISTINCT s.relation::regclass::text, ', ')
            FROM unnest(sources) AS s), patience, format('SELECT health.untrack(%L);', tracking.model));
    END IF;
    PERFORM health_internal.delete_rows(tracking.model, 'tracking');
END;
$$;
COMMENT ON FUNCTION health_internal.remove_tracking(health_internal.tracking) IS
    'Takes the triggers of a tracked model off, drops its tables and its catalog rows';

CREATE FUNCTION health_internal.make_history(tracking health_internal.tracking) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY '{history,stale}'::text[] LOOP
        IF to_regclass(health_internal.data_table(kind, tracking.id)) IS NOT NULL THEN
            EXECUTE format('DROP TABLE %s', health_internal.data_table(kind, tracking.id));
        END IF;
    END LOOP;
    PERFORM health_internal.create_data_table('history', tracking.id, '{account_id,month,days,scores,spans}',
        ARRAY[tracking.account_type::regtype] || '{date,smallint[],float8[],health_internal.history_span[]}'::regtype[],
        '{account_id,month}', partition_by => 'month');
    PERFORM health_internal.create_data_table('stale', tracking.id, '{account_id}', ARRAY[tracking.account_type::regtype], '{account_id}');
END;
$$;
COMMENT ON FUNCTION health_internal.make_history(health_internal.tracking) IS
    'Makes the history of a tracked model, empty, and the list of the accounts that are to be scored again';

-- A trigger sees no rows of other servers, and Citus changes no table of one server together with one that it has spread.
CREATE FUNCTION health_internal.reject_citus_tables(model_name text, version health_internal.model_version, tracked boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    spread record;
BEGIN
    IF health_internal.fence() = '' THEN
        RETURN;
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    SELECT c.relation, c.kind INTO spread FROM health_internal.citus_tables(
        (health_internal.compile_model(version.document, version.version, model_name => model_name)).ledger,
        health_internal.names_path()) AS c LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', pg_catalog.format(CASE WHEN tracked THEN 'model "%s" cannot be tracked any more: %s is %s by Citus'
                                                    ELSE 'model "%s" cannot be tracked: %s is %s by Citus' END,
                                               model_name, spread.relation, spread.kind)
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'No trigger here sees what other servers write, and Citus changes no local table by a query over such a one.',
                  HINT = pg_catalog.format(CASE WHEN tracked THEN 'SELECT health.untrack(%L); its score views then read the tables at '
                      'every refresh, as those of a model that is not tracked do.'
                      ELSE 'Let score views read the tables at every refresh: SELECT health.create_score_view(%L, ''score''), '
                      'health.schedule(%1$L);' END,
                             model_name);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.reject_citus_tables(text, health_internal.model_version, boolean) IS
    'Raises an error when a version of a model, which is to be tracked or is, reads a table of Citus';

CREATE FUNCTION health_internal.track_as_owner(model text, window_days integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    version health_internal.model_version := health_internal.find_version(model, opened.current_version);
    source health_internal.ledger_source;
    sources health_internal.ledger_source[];
    ids record;
BEGIN
    IF EXISTS (SELECT 1 FROM health_internal.tracking AS t WHERE t.model = track_as_owner.model) THEN
        RAISE EXCEPTION 'model "%" is tracked already', model
            USING ERRCODE = 'duplicate_object', HINT = format('SELECT health.untrack(%L); first, to track it in another way.', model);
    ELSIF window_days NOT BETWEEN 1 AND 3650 THEN
        RAISE EXCEPTION 'model "%": window_days must be from 1 to 3650, not %', model, window_days
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM health_internal.reject_citus_tables(model, version, false);
    SELECT a.* INTO ids FROM health_internal.account_ids(model, version) AS a;
    INSERT INTO health_internal.tracking (model, ledger_key, account_type, account_kind, accounts_folded)
    VALUES (model, health_internal.ledger_key(version.document), health_internal.type_name(ids.type), ids.kind, ids.folded);
    FOR source IN SELECT s.* FROM health_internal.compile_ledger_sources(model, version, window_days) AS s LOOP
        IF window_days IS NULL THEN
            PERFORM health_internal.check_trackable(source);
        END IF;
        sources := sources || health_internal.create_ledger_source(source);
    END LOOP;
    IF sources IS NULL THEN
        RAISE EXCEPTION 'model "%" has no event source to track', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Score views of such a model cost little: refresh_score_views(model) is enough.';
    END IF;
    IF window_days IS NULL THEN
        PERFORM health_internal.create_triggers(sources, interval '5 seconds', format('SELECT health.track(%L);', model));
    END IF;
    PERFORM health_internal.make_history(health_internal.find_tracking(model));
    RAISE NOTICE 'model "%" is tracked; its events are still to be read', model USING HINT = format('CALL health.backfill(%L);', model);
END;
$$;
COMMENT ON FUNCTION health_internal.track_as_owner(text, integer) IS 'track() as the owner of the model';

CREATE FUNCTION health.track(model text, window_days integer DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.run_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT health_internal.track_as_owner($1, $2::integer)', model, window_days::text);
END;
$$;
COMMENT ON FUNCTION health.track(text, integer) IS
    'Keeps the event sources of a model as ledgers from now on: triggers capture changes, or with window_days each refresh reads so many '
        'days again. '
    'CALL health.backfill(model) reads what is there already';

CREATE FUNCTION health_internal.untrack_as_owner(model text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking := health_internal.find_tracking(model);
    opened CONSTANT health_internal.model := health_internal.open_model(model);
    patience CONSTANT interval := interval '5 seconds';
    views CONSTANT text[] := ARRAY(
        SELECT format('SELECT health_internal.rebuild_view_as_owner(%L, %L, %L)', s.schema_name, s.view_name, opened.current_version)
        FROM health_internal.score_view AS s WHERE s.model = untrack_as_owner.model ORDER BY s.schema_name, s.view_name);
BEGIN
    -- Score views become what they were made as, and read the events again.
    UPDATE health_internal.tracking AS t SET model_version = NULL WHERE t.id = tracking.id;
    IF NOT health_internal.run_ddl(views, patience) THEN
        PERFORM health_internal.raise_busy(model, 'a score view', patience, format('SELECT health.untrack(%L);', model));
    END IF;
    PERFORM health_internal.remove_tracking(tracking);
END;
$$;
COMMENT ON FUNCTION health_internal.untrack_as_owner(text) IS 'untrack() as the owner of the model';

CREATE FUNCTION health.untrack(model text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.run_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT health_internal.untrack_as_owner($1)', model);
END;
$$;
COMMENT ON FUNCTION health.untrack(text) IS
    'Takes triggers, ledgers and history of a model off again; its score views become what they were made as, and read the events';
-- What a new version of a model means for its ledgers, its tables and its score views.

-- The history stays, unless it is to begin again, and the day up to which it goes; the rest is empty until the model is scored.
CREATE FUNCTION health_internal.remake_book(tracking health_internal.tracking, version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state CONSTANT health_internal.store_state := health_internal.read_state(tracking.id);
    made health_internal.score_view;
    grants text[] := ARRAY[]::text[];
    statement text;
BEGIN
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = tracking.model ORDER BY s.schema_name, s.view_name LOOP
        grants := grants || health_internal.relation_grants(made);
        PERFORM health_internal.drop_score_relations(made, false);
    END LOOP;
    PERFORM health_internal.drop_book(tracking.id);
    IF tracking.history_from IS NULL THEN
        PERFORM health_internal.make_history(tracking);
    END IF;
    PERFORM health_internal.build_book(tracking, version);
    EXECUTE format('UPDATE %s SET as_of = $1', health_internal.data_table('state', tracking.id))
        USING CASE WHEN tracking.history_from IS NOT NULL THEN state.as_of END;
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = tracking.model ORDER BY s.schema_name, s.view_name LOOP
        PERFORM health_internal.build_score_view(made.schema_name, made.view_name, tracking.model, version, made.materialized);
    END LOOP;
    UPDATE health_internal.score_view AS s SET model_version = version.version, compiled_by = health_internal.release()
    WHERE s.model = tracking.model;
    FOREACH statement IN ARRAY grants LOOP
        EXECUTE statement;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.remake_book(health_internal.tracking, health_internal.model_version) IS
    'Makes state, book and scores of a tracked model again, empty, for a version of it, and its score views with their grants';

CREATE FUNCTION health_internal.remake_book_as_owner(model_name text, version integer) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.remake_book(health_internal.find_tracking(model_name), health_internal.find_version(model_name, version));
$$;
COMMENT ON FUNCTION health_internal.remake_book_as_owner(text, integer) IS 'remake_book() of a tracked model by its name';

CREATE FUNCTION health_internal.drop_source(source health_internal.ledger_source) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    statement text;
BEGIN
    FOREACH statement IN ARRAY health_internal.drop_trigger_statements(ARRAY[source]) ||
        (SELECT array_agg('DROP TABLE IF EXISTS ' || health_internal.data_table(k.kind, source.id))
         FROM unnest('{chunk,change}'::text[]) AS k (kind)) LOOP
        EXECUTE statement;
    END LOOP;
    PERFORM health_internal.delete_rows(source.model, 'source', source.id::text);
END;
$$;
COMMENT ON FUNCTION health_internal.drop_source(health_internal.ledger_source) IS
    'Takes a source that a model has no more off: trigger, ledger and catalog rows';

CREATE FUNCTION health_internal.same_reading(a health_internal.ledger_source, b health_internal.ledger_source) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT ROW((a).relation, (a).account, (a).user_id, (a).event, (a).moment, (a).amount, (a).filter, (a).account_kind, (a).user_kind,
               (a).time_zone, (a).event_rows)
           IS NOT DISTINCT FROM
           ROW((b).relation, (b).account, (b).user_id, (b).event, (b).moment, (b).amount, (b).filter, (b).account_kind, (b).user_kind,
               (b).time_zone, (b).event_rows);
END;
COMMENT ON FUNCTION health_internal.same_reading(health_internal.ledger_source, health_internal.ledger_source) IS
    'Whether two sources read the same rows as the same events';

CREATE FUNCTION health_internal.reads_otherwise(tracking health_internal.tracking, version health_internal.model_version) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present CONSTANT health_internal.ledger_source[] := ARRAY(SELECT s FROM health_internal.ledger_source AS s
                                                              WHERE s.model = tracking.model);
    wanted health_internal.ledger_source[];
BEGIN
    IF tracking.ledger_key = health_internal.ledger_key(version.document) THEN
        RETURN false;
    END IF;
    wanted := ARRAY(SELECT s FROM health_internal.compile_ledger_sources(tracking.model, version,
                        (SELECT min(s.window_days) FROM unnest(present) AS s)) AS s);
    RETURN cardinality(present) <> cardinality(wanted)
        OR EXISTS (SELECT FROM unnest(wanted) AS w WHERE NOT EXISTS (SELECT FROM unnest(present) AS p
                                                                     WHERE health_internal.same_reading(p, w)))
        OR tracking.account_type <> health_internal.type_name((health_internal.account_ids(tracking.model, version)).type);
END;
$$;
COMMENT ON FUNCTION health_internal.reads_otherwise(health_internal.tracking, health_internal.model_version) IS
    'Whether a version of a tracked model reads other events than its ledgers hold, or the same in another way';

-- Of the same table, with ids of the same kinds, only the reading is another: trigger and tables stay, and nobody waits.
CREATE FUNCTION health_internal.adopt_source(present health_internal.ledger_source, wanted health_internal.ledger_source) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    same CONSTANT boolean := health_internal.same_reading(present, wanted);
BEGIN
    UPDATE health_internal.ledger_source AS s
    SET path = wanted.path, relation_name = wanted.relation_name, account = wanted.account, user_id = wanted.user_id, event = wanted.event,
        moment = wanted.moment, amount = wanted.amount, filter = wanted.filter, account_kind = wanted.account_kind,
        user_kind = wanted.user_kind, time_zone = wanted.time_zone, search_path = wanted.search_path, event_rows = wanted.event_rows,
        code = CASE WHEN same THEN s.code END
    WHERE s.id = present.id;
    IF NOT same THEN
        present := health_internal.read_otherwise(present);
        IF present.window_days IS NULL THEN
            PERFORM health_internal.restart_source(present, 'the model reads it otherwise');
        ELSE
            UPDATE health_internal.ledger_source AS s SET read_at = NULL, bad_rows = 0 WHERE s.id = present.id;
        END IF;
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.adopt_source(health_internal.ledger_source, health_internal.ledger_source) IS
    'Has a source of a tracked model read as another version of the model does';

-- What reads the same is the same, whatever it is called: by its table, in window mode by its place.
CREATE FUNCTION health_internal.adopt_sources(tracking health_internal.tracking, version health_internal.model_version)
    RETURNS health_internal.tracking
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key CONSTANT jsonb := health_internal.ledger_key(version.document);
    present health_internal.ledger_source[];
    wanted health_internal.ledger_source[];
    kept integer[] := ARRAY[]::integer[];
    created health_internal.ledger_source[];
    source health_internal.ledger_source;
    same health_internal.ledger_source;
    restart boolean;
    is_kept boolean;
    ids record;
BEGIN
    IF tracking.ledger_key = key THEN
        -- Names may be looked up elsewhere by now: what they are found to be is compared when reading is planned.
        IF EXISTS (SELECT FROM health_internal.ledger_source AS s
                   WHERE s.model = tracking.model AND s.search_path <> version.search_path) THEN
            UPDATE health_internal.ledger_source AS s SET search_path = c.search_path, event_rows = c.event_rows
            FROM health_internal.compile_ledger_sources(tracking.model, version, (
                     SELECT min(w.window_days) FROM health_internal.ledger_source AS w WHERE w.model = tracking.model)) AS c
            WHERE s.model = tracking.model AND s.path = c.path;
            PERFORM health_internal.announce_change(s.change_table) FROM health_internal.ledger_source AS s
            WHERE s.model = tracking.model AND s.change_table IS NOT NULL;
        END IF;
        RETURN tracking;
    END IF;
    present := ARRAY(SELECT s FROM health_internal.ledger_source AS s WHERE s.model = tracking.model ORDER BY s.id);
    wanted := ARRAY(SELECT s FROM health_internal.compile_ledger_sources(tracking.model, version,
                        (SELECT min(s.window_days) FROM unnest(present) AS s)) AS s);
    IF cardinality(wanted) = 0 THEN
        RAISE EXCEPTION 'model "%" has no event source to track any more', tracking.model
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT health.untrack(%L);', tracking.model);
    END IF;
    restart := health_internal.reads_otherwise(tracking, version);
    IF restart THEN
        RAISE NOTICE 'model "%": version % reads its events otherwise; its history begins again', tracking.model, version.version;
    END IF;
    -- Paths are taken once; all of them may be others.
    UPDATE health_internal.ledger_source AS s SET path = '(' || s.id || ')' WHERE s.model = tracking.model;
    FOREACH source IN ARRAY wanted LOOP
        SELECT s.* INTO same FROM unnest(present) AS s
        WHERE s.id <> ALL (kept) AND s.account_kind = source.account_kind
          AND CASE WHEN source.window_days IS NULL THEN s.relation = source.relation ELSE s.path = source.path END
        ORDER BY s.path <> source.path LIMIT 1;
        is_kept := FOUND;
        IF source.window_days IS NULL THEN
            PERFORM health_internal.check_trackable(source);
        END IF;
        IF is_kept THEN
            PERFORM health_internal.adopt_source(same, source);
            kept := kept || same.id;
        ELSE
            created := created || health_internal.create_ledger_source(source);
        END IF;
    END LOOP;
    IF wanted[1].window_days IS NULL AND created IS NOT NULL THEN
        PERFORM health_internal.create_triggers(created, interval '0', format('CALL health.refresh(%L);', tracking.model));
    END IF;
    SELECT a.* INTO ids FROM health_internal.account_ids(tracking.model, version) AS a;
    UPDATE health_internal.tracking AS t
    SET ledger_key = key, account_kind = wanted[1].account_kind, account_type = health_internal.type_name(ids.type),
        accounts_folded = ids.folded,
        history_from = CASE WHEN NOT restart THEN t.history_from END, model_version = CASE WHEN NOT restart THEN t.model_version END
    WHERE t.id = tracking.id;
    tracking := health_internal.find_tracking(tracking.model);
    IF EXISTS (SELECT FROM unnest(present) AS s WHERE s.id <> ALL (kept)) THEN
        -- Views stand on the ledgers that go.
        PERFORM health_internal.remake_book(tracking, version);
        PERFORM health_internal.drop_source(s) FROM unnest(present) AS s WHERE s.id <> ALL (kept);
        UPDATE health_internal.tracking AS t SET model_version = NULL WHERE t.id = tracking.id;
    END IF;
    RETURN tracking;
END;
$$;
COMMENT ON FUNCTION health_internal.adopt_sources(health_internal.tracking, health_internal.model_version) IS
    'Has a tracked model read its events as a version of it does; scores and history stand as they are until they have been read, and then '
    'begin again';

CREATE FUNCTION health_internal.adopt_version(tracking health_internal.tracking, version health_internal.model_version)
    RETURNS health_internal.tracking
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    patience CONSTANT interval := interval '1 second';
    detail text;
BEGIN
    IF tracking.model_version = version.version AND to_regclass(health_internal.data_table('book', tracking.id)) IS NOT NULL THEN
        RETURN tracking;
    END IF;
    BEGIN
        IF NOT health_internal.run_ddl(ARRAY[format('SELECT health_internal.remake_book_as_owner(%L, %s)', tracking.model,
                                                    version.version)], patience) THEN
            IF tracking.model_version IS NULL THEN
                PERFORM health_internal.raise_busy(tracking.model, 'a score view', patience,
                                                   format('CALL health.refresh(%L);', tracking.model));
            END IF;
            RAISE WARNING 'the score views of model "%" stay at version % for now, its current version is %', tracking.model,
                tracking.model_version, version.version
                USING DETAIL = 'Somebody reads them in a transaction that began before.', HINT = 'The next refresh tries again.';
        END IF;
    EXCEPTION WHEN dependent_objects_still_exist THEN
        IF tracking.model_version IS NULL THEN
            RAISE;
        END IF;
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
        RAISE WARNING 'the score views of model "%" stay at version %, its current version is %', tracking.model, tracking.model_version,
            version.version
            USING DETAIL = coalesce(nullif(detail, ''), 'Other objects depend on them, so they cannot be made again.'),
                  HINT = 'drop_score_view(name, cascade => true), then create_score_view(model, name).';
    END;
    RETURN health_internal.find_tracking(tracking.model);
END;
$$;
COMMENT ON FUNCTION health_internal.adopt_version(health_internal.tracking, health_internal.model_version) IS
    'Brings a tracked model and its score views to the current version; they stay as they are, with a warning, while other objects depend '
        'on them or somebody reads them';
-- Changing a model: a new version, unless it says the same.

-- What was recorded day by day cannot be had again.
CREATE FUNCTION health_internal.check_restart(version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
BEGIN
    SELECT t.* INTO tracking FROM health_internal.tracking AS t WHERE t.model = version.model;
    IF tracking.history_from IS NOT NULL AND health_internal.reads_otherwise(tracking, version) THEN
        RAISE EXCEPTION 'model "%": this begins the history again', version.model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Its events would be read otherwise: the next refresh reads all of them, and the scores recorded since '
                                  '%s go.',
                                  to_char(tracking.history_from, 'YYYY-MM-DD')),
                  HINT = 'alter_model(..., restart => true) has it do so. To keep the history, create another model beside this one.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_restart(health_internal.model_version) IS
    'Raises an error when a version has a tracked model read its events otherwise, with what would be lost';

CREATE FUNCTION health_internal.alter_as_owner(name text, definition jsonb, replace boolean, restart boolean, visible text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present health_internal.model_version;
    changed jsonb;
    document jsonb;
BEGIN
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = alter_as_owner.name
    -- guard one_change {
    FOR UPDATE
    -- }
    ;
    SELECT v.* INTO present FROM health_internal.model_version AS v
    WHERE v.model = alter_as_owner.name AND v.version = (SELECT m.current_version FROM health_internal.model AS m
        WHERE m.name = alter_as_owner.name);
    IF pg_catalog.jsonb_typeof(definition) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'model "%": the changes must be a JSON object', name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {"window_days": 30}; null removes a key.';
    END IF;
    changed := health_internal.drop_null_keys(CASE WHEN replace THEN definition ELSE present.definition || definition END);
    document := health_internal.freeze_references(health_internal.check_definition(name, changed, visible), present.document);
    -- The same words mean something else where names in expressions are looked up in other schemas.
    IF health_internal.same_meaning(document, present.document)
       AND (present.search_path = visible
            OR NOT pg_catalog.jsonb_path_exists(document,
                                               '$.** ? (exists (@.sql) || exists (@.query) || exists (@.filter) || '
                                               'exists (@.exclude) || exists (@.expression))')) THEN
        RETURN present.version;
    END IF;
    IF NOT restart THEN
        PERFORM health_internal.check_restart(ROW(name, present.version + 1, changed, document, visible, NULL,
                                                  NULL)::health_internal.model_version);
    END IF;
    PERFORM health_internal.add_version(name, present.version + 1, changed, document, visible);
    IF (health_internal.find_calibration(name, present.version, 'churn')).map IS NOT NULL
       OR (health_internal.find_calibration(name, present.version, 'expansion')).map IS NOT NULL THEN
        RAISE NOTICE 'model "%": probabilities go with the scores of version %, so that version % has none', name, present.version,
            present.version + 1 USING HINT = format('SELECT * FROM health.calibrate(%L, ...); makes them of its scores.', name);
    END IF;
    RETURN present.version + 1;
END;
$$;
COMMENT ON FUNCTION health_internal.alter_as_owner(text, jsonb, boolean, boolean, text) IS 'alter_model() as the owner of the model';

-- Names in the definition mean what they mean to whoever changes it.
CREATE FUNCTION health.alter_model(name text, definition jsonb, replace boolean DEFAULT false, restart boolean DEFAULT false)
    RETURNS integer
LANGUAGE sql
BEGIN ATOMIC
    SELECT r.version
    FROM health_internal.rows_as_owner(health_internal.regrole((health_internal.open_model(name)).owner), 'pg_catalog, pg_temp',
        'SELECT health_internal.alter_as_owner($1, $2::jsonb, $3::boolean, $4::boolean, $5)',
        name, definition::text, replace::text, restart::text, health_internal.visible_schemas()) AS r (version integer);
END;
COMMENT ON FUNCTION health.alter_model(text, jsonb, boolean, boolean) IS
    'Lays top-level keys over the current definition (null removes one), or with replace takes the given one instead, and stores the '
        'outcome '
    'as a new version, whose number is returned; no new version when it means the same. What would begin the recorded history of a tracked '
    'model again is refused without restart';
-- What another release of the extension means for SQL that the release before has compiled and that is kept: of the sources and the book of
-- tracked models, and in score views. An upgrade script calls recompile() at its end; what that leaves, and what a dump of an older release
-- brings, the next refresh makes again.

-- The kinds of ids and the days of events stay: what the ledgers hold was read by them.
CREATE FUNCTION health_internal.recompile_sources(tracking health_internal.tracking, version health_internal.model_version) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE health_internal.ledger_source AS s
    SET account = c.account, user_id = c.user_id, event = c.event, moment = c.moment, amount = c.amount, filter = c.filter,
        event_rows = c.event_rows
    FROM health_internal.compile_ledger_sources(tracking.model, version, (
             SELECT min(w.window_days) FROM health_internal.ledger_source AS w WHERE w.model = tracking.model)) AS c
    WHERE s.model = tracking.model AND s.path = c.path AND s.account_kind = c.account_kind AND s.user_kind = c.user_kind
      AND s.time_zone IS NOT DISTINCT FROM c.time_zone;
$$;
COMMENT ON FUNCTION health_internal.recompile_sources(health_internal.tracking, health_internal.model_version) IS
    'Compiles the sources of a tracked model again; their events are not read again';

-- Names in the query are looked up where those of the document at hand are.
CREATE FUNCTION health_internal.has_columns(relation text, query text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT format('%I %s', a.attname, a.atttypid) FROM pg_attribute AS a
                 WHERE a.attrelid = to_regclass(relation) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
         = ARRAY(SELECT format('%I %s', q.name, q.type::oid)
                 FROM health_internal.describe_query(query, health_internal.names_path()) WITH ORDINALITY AS q (name, type, collation_id, n)
                 ORDER BY q.n);
$$;
COMMENT ON FUNCTION health_internal.has_columns(text, text) IS 'Whether a table has the columns of a query';

-- Tables of another shape are made again, and filled again from the ledgers, as of the day that they were of.
CREATE FUNCTION health_internal.recompile_book(tracking health_internal.tracking, version health_internal.model_version) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state CONSTANT health_internal.store_state := health_internal.read_state(tracking.id);
    book text := health_internal.compile_book(tracking, version);
    scores text := health_internal.compile_scores(tracking, version.document);
    same boolean;
    detail text;
BEGIN
    PERFORM health_internal.set_names_path(version.search_path);
    same := health_internal.has_columns(health_internal.data_table('book', tracking.id), book)
            AND health_internal.has_columns(health_internal.data_table('score', tracking.id), scores);
    IF same THEN
        UPDATE health_internal.tracking AS t SET book_query = book, score_query = scores WHERE t.id = tracking.id;
        PERFORM health_internal.mark_all_stale(tracking);
        RETURN true;
    END IF;
    PERFORM health_internal.remake_book(tracking, version);
    IF state.as_of IS NOT NULL THEN
        EXECUTE format('UPDATE %s SET broken = $1, outages = $2', health_internal.data_table('state', tracking.id))
            USING state.broken, state.outages;
        tracking := health_internal.find_tracking(tracking.model);
        PERFORM health_internal.update_book(tracking, version);
        PERFORM health_internal.write_scores(tracking);
    END IF;
    RETURN true;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE WARNING 'model "%" keeps the SQL that release % has compiled', tracking.model, tracking.compiled_by
        USING DETAIL = coalesce(nullif(detail, ''), 'Other objects depend on its score views, so they cannot be made again.'),
              HINT = 'drop_score_view(name, cascade => true), then create_score_view(model, name).';
    RETURN false;
END;
$$;
COMMENT ON FUNCTION health_internal.recompile_book(health_internal.tracking, health_internal.model_version) IS
    'Compiles book and scores of a tracked model again, and has the next refresh score every account by them; false, with a warning, while '
    'other objects depend on score views that would have to be dropped';

CREATE FUNCTION health_internal.recompile_tracking(tracking health_internal.tracking) RETURNS health_internal.tracking
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- The one that its ledgers are of. None is known of a model that was changed before its events were read: the next refresh reads them.
    known CONSTANT integer := coalesce(tracking.model_version, (
        SELECT max(v.version) FROM health_internal.model_version AS v
        WHERE v.model = tracking.model AND health_internal.ledger_key(v.document) = tracking.ledger_key));
    version health_internal.model_version;
BEGIN
    IF tracking.compiled_by = health_internal.release() THEN
        RETURN tracking;
    END IF;
    IF known IS NOT NULL THEN
        version := health_internal.find_version(tracking.model, known);
        IF to_regclass(health_internal.data_table('book', tracking.id)) IS NOT NULL
           AND NOT health_internal.recompile_book(tracking, version) THEN
            RETURN tracking;
        END IF;
        PERFORM health_internal.recompile_sources(tracking, version);
        UPDATE health_internal.tracking AS t SET ledger_key = health_internal.ledger_key(version.document) WHERE t.id = tracking.id;
    END IF;
    UPDATE health_internal.tracking AS t SET compiled_by = health_internal.release() WHERE t.id = tracking.id;
    RETURN health_internal.find_tracking(tracking.model);
END;
$$;
COMMENT ON FUNCTION health_internal.recompile_tracking(health_internal.tracking) IS
    'Makes the compiled SQL of a tracked model again if another release made it; ledgers, scores and history stay';

-- Whether a relation reads as a query does is told by a view of that query.
CREATE FUNCTION health_internal.is_compiled_to(relation text, query text, probe text, names_path text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    same boolean;
BEGIN
    PERFORM health_internal.look_names_up_in(names_path);
    EXECUTE pg_catalog.format('CREATE VIEW %s AS %s', probe, query);
    same := pg_catalog.pg_get_viewdef(pg_catalog.to_regclass(relation)) = pg_catalog.pg_get_viewdef(pg_catalog.to_regclass(probe));
    EXECUTE pg_catalog.format('DROP VIEW %s', probe);
    RETURN coalesce(same, false);
END;
$$;
COMMENT ON FUNCTION health_internal.is_compiled_to(text, text, text, text) IS
    'Whether a view, plain or materialized, has that query; probe is a name that is free for a moment';

CREATE FUNCTION health_internal.unchanged_relations(present health_internal.score_view, store health_internal.store) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kept text[] := ARRAY[]::text[];
    made record;
BEGIN
    FOR made IN SELECT c.* FROM health_internal.compile_score_view(present.schema_name, present.view_name, store) AS c LOOP
        EXIT WHEN NOT health_internal.is_compiled_to(made.relation, made.query,
                                                     format('%I.%I', present.schema_name, 'account_health_' || md5(made.relation)),
                                                     (store.version).search_path);
        kept := kept || made.suffix;
    END LOOP;
    RETURN kept;
END;
$$;
COMMENT ON FUNCTION health_internal.unchanged_relations(health_internal.score_view, health_internal.store) IS
    'The suffixes of the relations of a score view, the base first, whose SQL is still what it compiles to, up to the first that is not';

-- Plain views are replaced where they are, with grants and whatever depends on them. Materialized ones whose SQL is the same stay, and
-- those that are made again are filled from the stored base; where that itself is another, a refresh, which reads the events anyway, makes
-- all again.
CREATE FUNCTION health_internal.recompile_view(present health_internal.score_view, read_events boolean) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(present.model, present.model_version);
    store CONSTANT health_internal.store := health_internal.open_store(version);
    kept text[];
    detail text;
BEGIN
    IF health_internal.score_relation_kind(store, present.materialized) = 'VIEW' THEN
        BEGIN
            PERFORM health_internal.check_relation_owner(present, r.relation)
            FROM health_internal.score_relations(present.schema_name, present.view_name) AS r WHERE to_regclass(r.relation) IS NOT NULL;
            PERFORM health_internal.build_score_view(present.schema_name, present.view_name, present.model, version, present.materialized);
        EXCEPTION WHEN invalid_table_definition THEN    -- other columns
            PERFORM health_internal.rebuild_score_view(present, version);
        END;
    ELSE
        kept := health_internal.unchanged_relations(present, store);
        IF cardinality(kept) = 0 AND NOT read_events THEN
            RETURN false;
        ELSIF cardinality(kept) < 4 THEN
            PERFORM health_internal.rebuild_score_view(present, version, kept);
        END IF;
    END IF;
    UPDATE health_internal.score_view AS s SET compiled_by = health_internal.release()
    WHERE s.schema_name = present.schema_name AND s.view_name = present.view_name;
    RETURN cardinality(kept) = 0;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE WARNING 'score view %.% keeps the SQL that release % has compiled',
        quote_ident(present.schema_name), quote_ident(present.view_name), present.compiled_by
        USING DETAIL = coalesce(nullif(detail, ''), 'Other objects depend on it, so it cannot be made again.'),
              HINT = 'drop_score_view(name, cascade => true), then create_score_view(model, name).';
    RETURN false;
END;
$$;
COMMENT ON FUNCTION health_internal.recompile_view(health_internal.score_view, boolean) IS
    'Makes the SQL of a score view again, reading events for it only if told to; it stays as it is, with a warning, while other objects '
    'depend on what would have to be dropped. Returns whether it was filled from the events';

CREATE FUNCTION health_internal.recompile_views(model_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.recompile_view(s, false) FROM health_internal.score_view AS s
    WHERE s.model = model_name AND s.compiled_by <> health_internal.release() ORDER BY s.schema_name, s.view_name;
END;
$$;
COMMENT ON FUNCTION health_internal.recompile_views(text) IS
    'Makes the SQL of the score views of a model that another release compiled again, without reading events';

CREATE FUNCTION health_internal.recompile_view_as_owner(schema_name name, view_name name) RETURNS boolean
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.recompile_view(s, true) FROM health_internal.score_view AS s
    WHERE s.schema_name = recompile_view_as_owner.schema_name AND s.view_name = recompile_view_as_owner.view_name;
$$;
COMMENT ON FUNCTION health_internal.recompile_view_as_owner(name, name) IS 'recompile_view() of one score view, from its events if need be';

CREATE FUNCTION health_internal.recompile_as_owner(model_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.open_model(model_name);
    IF health_internal.is_tracked(model_name) THEN
        PERFORM health_internal.lock_tracking(model_name, true);
        PERFORM health_internal.recompile_tracking(health_internal.find_tracking(model_name));
    END IF;
    PERFORM health_internal.recompile_views(model_name);
END;
$$;
COMMENT ON FUNCTION health_internal.recompile_as_owner(text) IS 'Makes all compiled SQL of a model again, as its owner';

CREATE FUNCTION health_internal.recompile() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known record;
    detail text;
    hint text;
BEGIN
    FOR known IN SELECT k.name, k.owner FROM health_internal.known_model AS k ORDER BY k.name LOOP
        BEGIN
            PERFORM health_internal.run_as_owner(known.owner, NULL, 'SELECT health_internal.recompile_as_owner($1)', known.name);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            RAISE WARNING 'model "%" keeps SQL that the release before has compiled: %', known.name, sqlerrm
                USING DETAIL = coalesce(nullif(detail, ''), 'All others are at the present release.'),
                      HINT = coalesce(nullif(hint, ''), format('CALL health.refresh(%L); compiles it again.', known.name));
        END;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.recompile() IS
    'For the end of an upgrade script: makes all compiled SQL that is kept again, of each model as its owner, reading no events; warns of '
        'a '
    'model that stays as it is';
-- Refreshing: of a tracked model step by step, of any other its score views.

-- Once for each number: who knows of them need not be told at every refresh.
CREATE FUNCTION health_internal.tell_bad_rows(source integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    told health_internal.ledger_source;
BEGIN
    UPDATE health_internal.ledger_source AS s SET told_bad_rows = s.bad_rows
    WHERE s.id = tell_bad_rows.source AND s.told_bad_rows <> s.bad_rows RETURNING s.* INTO told;
    IF told.bad_rows > 0 THEN
        RAISE WARNING 'model "%": % of % left out', told.model,
            told.bad_rows || CASE told.bad_rows WHEN 1 THEN ' row' ELSE ' rows' END,
            told.path || CASE told.bad_rows WHEN 1 THEN ' is no event and is' ELSE ' are no events and are' END
            USING DETAIL = 'Their time is infinite, their amount is no number that counts, their event has no name, or an expression '
                'of the source fails on them.',
                  HINT = format('SELECT * FROM health.tracking_plan(%L) WHERE finding = ''bad value'' lists them.', told.model);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.tell_bad_rows(integer) IS
    'Warns of the rows of a source that are no events, when their number is another than it was';

-- One transaction's worth.
CREATE FUNCTION health_internal.refresh_part(model_name text, ignore_volume boolean) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    started timestamptz := clock_timestamp();
    began timestamptz;
    tracking health_internal.tracking := health_internal.find_tracking(model_name);
    adopted health_internal.tracking;
    version health_internal.model_version;
    source health_internal.ledger_source;
    progress text;
    today date;
    scored bigint;
    more boolean := false;
BEGIN
    -- Read once: whoever changes the model meanwhile is the next refresh's.
    version := health_internal.find_version(model_name, (health_internal.find_model(model_name)).current_version);
    PERFORM health_internal.reject_citus_tables(model_name, version, true);
    PERFORM health_internal.check_data_tables(model_name);
    tracking := health_internal.recompile_tracking(tracking);
    adopted := health_internal.adopt_sources(tracking, version);
    IF adopted.ledger_key <> tracking.ledger_key THEN    -- writers may be waiting for what that has locked
        RETURN format('model "%s": version %s is taken over', model_name, version.version);
    END IF;
    progress := health_internal.read_next(tracking, version.document);
    IF progress IS NOT NULL THEN
        RETURN progress;
    END IF;
    tracking := health_internal.adopt_version(tracking, version);
    PERFORM health_internal.recompile_views(model_name);
    IF tracking.model_version <> version.version THEN
        version := health_internal.find_version(model_name, tracking.model_version);
    END IF;
    today := health_internal.model_today(version.document);
    began := clock_timestamp();
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = model_name ORDER BY s.id LOOP
        IF source.window_days IS NULL THEN
            -- A table may have been truncated since its reading was planned.
            more := health_internal.fold_source(tracking, source, health_internal.ledger_start(version.document, today))
                    OR health_internal.find_restart_reason(source) IS NOT NULL
                    OR more;
        ELSE
            PERFORM health_internal.reread_window(tracking, source, today);
        END IF;
        PERFORM health_internal.tell_bad_rows(source.id);
    END LOOP;
    IF more THEN
        RETURN format('model "%s": folding in changes', model_name);
    END IF;
    scored := health_internal.rescore(tracking, version, ignore_volume);
    UPDATE health_internal.tracking AS t
    SET refreshed_at = began, rescored = scored, refresh_ms = extract(epoch FROM clock_timestamp() - started) * 1000, error = NULL,
        error_at = NULL, refresh_began = NULL, refresh_pid = NULL
    WHERE t.id = tracking.id;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_part(text, boolean) IS
    'A part of a refresh that is whole by itself: reads a batch, or folds changes, or ends the refresh with the scores; returns what it '
        'did while there is more to do';

-- Locks are waited for as run_ddl() does: a refresh that stands in the way of somebody who holds what it wants lets go of everything, and
-- starts this part anew a moment later.
CREATE FUNCTION health_internal.refresh_part_patiently(model_name text, ignore_volume boolean) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present CONSTANT text := current_setting('lock_timeout');
    patience CONSTANT interval := interval '10 seconds';
    until CONSTANT timestamptz := clock_timestamp() + patience;
    progress text;
    done boolean := false;
BEGIN
    WHILE NOT done LOOP
        BEGIN
            PERFORM set_config('lock_timeout', health_internal.short_wait(), true);
            progress := health_internal.refresh_part(model_name, ignore_volume);
            PERFORM set_config('lock_timeout', present, true);
            done := true;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF clock_timestamp() > until AND sqlerrm LIKE 'model "%' THEN
                RAISE;
            ELSIF clock_timestamp() > until THEN
                RAISE EXCEPTION 'model "%": something that its refresh needs is locked', model_name
                    USING ERRCODE = 'lock_not_available',
                          DETAIL = format('It was tried for %s seconds, without making others wait for more than a moment. Scores are as '
                                          'they were.', round(extract(epoch FROM patience))),
                          HINT = 'The next refresh goes on from here; pg_locks and pg_stat_activity show who holds what.';
            END IF;
            PERFORM pg_sleep(0.1 + random() * 0.2);
        END;
    END LOOP;
    RETURN progress;
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_part_patiently(text, boolean) IS
    'refresh_part() that never waits for a lock for long';

CREATE FUNCTION health_internal.refresh_tracked(model_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RETURN;
    END IF;
    PERFORM health_internal.lock_tracking(model_name, true);
    WHILE health_internal.refresh_part_patiently(model_name, false) IS NOT NULL LOOP
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_tracked(text) IS
    'Refreshes a tracked model within the present transaction; waits for another refresh at work';

-- What PostgreSQL says of a refresh that fails does not name the place in the document.
CREATE FUNCTION health_internal.name_failure_as_owner(model text, version integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    failed health_internal.model_version := health_internal.find_version(model, version);
BEGIN
    PERFORM health_internal.raise_failing_field(model, failed),
            health_internal.raise_failing_field(model, failed, past_days => health_internal.past_days(failed.document));
END;
$$;
COMMENT ON FUNCTION health_internal.name_failure_as_owner(text, integer) IS
    'Raises the error of the expression that fails, with its path, when a refresh has failed';

CREATE FUNCTION health_internal.refresh_score_view(name text, visible text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    safe_path CONSTANT text := 'pg_catalog, pg_temp';
    present health_internal.score_view := health_internal.find_score_view(name, visible);
    opened health_internal.model := health_internal.open_model(present.model);
    made record;
BEGIN
    -- Sessions that refresh the same view queue here, before any lock on a relation: they cannot deadlock.
    SELECT s.* INTO present FROM health_internal.score_view AS s
    WHERE s.schema_name = present.schema_name AND s.view_name = present.view_name
    -- guard one_view_refresh {
    FOR UPDATE
    -- }
    ;
    -- Whoever was first may have dropped the view, or brought it to a version that only now can be seen.
    -- guard view_is_there {
    IF NOT FOUND THEN
        present := health_internal.find_score_view(name, visible);
    END IF;
    -- }
    opened := health_internal.open_model(present.model);
    IF health_internal.is_tracked(present.model) THEN
        PERFORM health_internal.run_as_owner(opened.owner, safe_path, 'SELECT health_internal.refresh_tracked($1)', present.model);
        RETURN;
    END IF;
    IF present.model_version <> opened.current_version THEN
        BEGIN
            PERFORM health_internal.run_as_owner(opened.owner, safe_path,
                'SELECT health_internal.rebuild_view_as_owner($1, $2, $3::integer)',
                                                 present.schema_name::text, present.view_name::text, opened.current_version::text);
            RETURN;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            RAISE WARNING 'score view "%" stays at version % of model "%", whose current version is %',
                name, present.model_version, present.model, opened.current_version
                USING DETAIL = 'Other objects depend on it, so it cannot be made again.',
                      HINT = 'drop_score_view(name, cascade => true), then create_score_view(model, name).';
        END;
    END IF;
    IF present.compiled_by <> health_internal.release() THEN
        SELECT r.made_again INTO made FROM health_internal.rows_as_owner(opened.owner, safe_path,
            'SELECT health_internal.recompile_view_as_owner($1, $2)', present.schema_name::text,
                present.view_name::text) AS r (made_again boolean);
        IF made.made_again THEN
            RETURN;
        END IF;
    END IF;
    IF NOT present.materialized THEN
        RETURN;
    END IF;
    FOR made IN SELECT r.relation FROM health_internal.score_relations(present.schema_name, present.view_name) AS r LOOP
        PERFORM health_internal.refresh_relation(present, made.relation);
    END LOOP;
    PERFORM health_internal.run_as_owner(opened.owner, safe_path, 'SELECT health_internal.warn_broken($1, $2)', present.model,
        format('%I.%I', present.schema_name, present.view_name || '_ledger'));
EXCEPTION WHEN cardinality_violation OR data_exception OR feature_not_supported THEN
    -- A table that has been distributed since the view was made, before there was Citus, asks for other SQL.
    IF sqlstate = '0A000' AND health_internal.fence() <> '' THEN
        SELECT r.made_again INTO made FROM health_internal.rows_as_owner(opened.owner, safe_path,
            'SELECT health_internal.recompile_view_as_owner($1, $2)', present.schema_name::text,
                present.view_name::text) AS r (made_again boolean);
        IF made.made_again THEN
            RETURN;
        END IF;
    END IF;
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.run_as_owner(opened.owner, safe_path, 'SELECT health_internal.name_failure_as_owner($1, $2::integer)',
            present.model, opened.current_version::text);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_score_view(text, text) IS 'refresh_score_view() with the schemas of the caller';

CREATE FUNCTION health.refresh_score_view(name text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health_internal.refresh_score_view(name, health_internal.visible_schemas());
END;
COMMENT ON FUNCTION health.refresh_score_view(text) IS
    'Refreshes a score view, concurrently where it can; takes over the current version of the model by making the view again with its '
        'grants';

CREATE FUNCTION health.refresh_score_views(model text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    made record;
    refreshed integer := 0;
BEGIN
    IF health_internal.is_tracked(opened.name) THEN
        PERFORM health_internal.run_as_owner(opened.owner, NULL, 'SELECT health_internal.refresh_tracked($1)', model);
        RETURN (SELECT count(*) FROM health_internal.score_view AS s WHERE s.model = opened.name);
    END IF;
    FOR made IN SELECT format('%I.%I', s.schema_name, s.view_name) AS label FROM health_internal.score_view AS s
                WHERE s.model = opened.name ORDER BY s.schema_name, s.view_name LOOP
        PERFORM health.refresh_score_view(made.label);
        refreshed := refreshed + 1;
    END LOOP;
    RETURN refreshed;
END;
$$;
COMMENT ON FUNCTION health.refresh_score_views(text) IS
    'Refreshes every score view of a model and returns how many there are; of a tracked one, what CALL refresh does, in the present '
    'transaction';

CREATE FUNCTION health_internal.note_failure(model_name text, message text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE health_internal.tracking AS t
    SET error = message, error_at = clock_timestamp(), refresh_began = NULL, refresh_pid = NULL
    WHERE t.model = model_name;
$$;
COMMENT ON FUNCTION health_internal.note_failure(text, text) IS 'Remembers what a refresh failed with, for status()';

CREATE PROCEDURE health_internal.reject_transaction_block(model_name text, procedure_name text)
    AS 'MODULE_PATHNAME', 'health_reject_transaction_block'
    LANGUAGE C;
COMMENT ON PROCEDURE health_internal.reject_transaction_block(text, text) IS
    'Raises an error that says what to do where the procedure that calls it, one of schema health, cannot commit';

CREATE FUNCTION health_internal.raise_again(code text, message text, detail text, hint text, schema_name text, table_name text,
    column_name text, type_name text, constraint_name text) RETURNS void
    AS 'MODULE_PATHNAME', 'health_raise_again'
    LANGUAGE C STRICT;
COMMENT ON FUNCTION health_internal.raise_again(text, text, text, text, text, text, text, text, text) IS
    'Raises an error that was caught, as it was: by what GET STACKED DIAGNOSTICS says of it';

-- A session that is killed notes nothing of its end. A refresh therefore notes its beginning first, and status() asks whether it still
-- runs.
CREATE FUNCTION health_internal.refresh_step_as_owner(model_name text, ignore_volume boolean, OUT locked boolean, OUT progress text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    locked := health_internal.lock_tracking(model_name, false);
    IF NOT locked THEN
        RETURN;
    END IF;
    UPDATE health_internal.tracking AS t SET refresh_began = statement_timestamp(), refresh_pid = pg_backend_pid()
    WHERE t.model = model_name AND (t.refresh_began, t.refresh_pid) IS DISTINCT FROM (statement_timestamp(), pg_backend_pid());
    progress := CASE WHEN FOUND THEN '' ELSE health_internal.refresh_part_patiently(model_name, ignore_volume) END;
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_step_as_owner(text, boolean) IS
    'A step of refresh() or backfill() as the owner of the model: whether no other refresh is at it, and what it did while there is more '
    'to do (empty: it has noted that it begins)';

CREATE FUNCTION health_internal.refresh_step(model_name text, ignore_volume boolean, OUT locked boolean, OUT progress text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT r.locked, r.progress INTO locked, progress
    FROM health_internal.rows_as_owner((health_internal.open_model(model_name)).owner, NULL,
        'SELECT * FROM health_internal.refresh_step_as_owner($1, $2::boolean)', model_name, ignore_volume::text)
        AS r (locked boolean, progress text);
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_step(text, boolean) IS 'A step of refresh() or backfill(): one transaction''s worth';

CREATE FUNCTION health_internal.count_scored(model_name text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    scored bigint;
BEGIN
    SELECT r.scored INTO scored FROM health_internal.rows_as_owner((health_internal.open_model(model_name)).owner, NULL,
        format('SELECT count(*) FROM %s AS s WHERE s.score IS NOT NULL',
               health_internal.data_table('score', (health_internal.find_tracking(model_name)).id))) AS r (scored bigint);
    RETURN scored;
END;
$$;
COMMENT ON FUNCTION health_internal.count_scored(text) IS 'How many accounts of a tracked model have a score';

-- What PostgreSQL says of a table or column that is gone does not name the place in the document.
CREATE FUNCTION health_internal.name_broken_place(model text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.find_model(model)).current_version);
BEGIN
    PERFORM health_internal.check_definition(model, version.definition, version.search_path);
END;
$$;
COMMENT ON FUNCTION health_internal.name_broken_place(text) IS
    'As the owner of the model: raises what is wrong with its document now, where anything is';

-- No SET clause and no exception handler around a COMMIT: PostgreSQL allows neither with one. Everything is qualified instead.
CREATE PROCEDURE health_internal.refresh_in_steps(model_name text, ignore_volume boolean, tell boolean)
LANGUAGE plpgsql
AS $$
DECLARE
    step record;
    failed boolean := false;
    failed_code text;
    failed_message text;
    failed_detail text;
    failed_hint text;
    failed_schema text;
    failed_table text;
    failed_column text;
    failed_type text;
    failed_constraint text;
BEGIN
    LOOP
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        BEGIN
            SELECT s.locked, s.progress INTO step FROM health_internal.refresh_step(model_name, ignore_volume) AS s;
        EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
            GET STACKED DIAGNOSTICS failed_code = RETURNED_SQLSTATE, failed_message = MESSAGE_TEXT, failed_detail = PG_EXCEPTION_DETAIL,
                failed_hint = PG_EXCEPTION_HINT, failed_schema = SCHEMA_NAME, failed_table = TABLE_NAME, failed_column = COLUMN_NAME,
                failed_type = PG_DATATYPE_NAME, failed_constraint = CONSTRAINT_NAME;
            failed := true;
        END;
        EXIT WHEN failed;
        IF tell AND NOT step.locked THEN
            RAISE NOTICE 'model "%" is being refreshed by another session, which reads what is left', model_name;
            RETURN;
        END IF;
        COMMIT;
        EXIT WHEN step.progress IS NULL;    -- nothing is left, or another refresh is at it
        IF tell AND step.progress <> '' THEN
            RAISE NOTICE '%', step.progress;
        END IF;
    END LOOP;
    IF failed THEN
        IF pg_catalog.starts_with(failed_code, '42') AND NOT pg_catalog.starts_with(failed_message, 'model "') THEN
            BEGIN
                PERFORM health_internal.run_as_owner((health_internal.open_model(model_name)).owner, NULL,
                                                     'SELECT health_internal.name_broken_place($1)', model_name);
            EXCEPTION WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS failed_code = RETURNED_SQLSTATE, failed_message = MESSAGE_TEXT,
                    failed_detail = PG_EXCEPTION_DETAIL, failed_hint = PG_EXCEPTION_HINT;
            END;
        END IF;
        BEGIN
            PERFORM health_internal.note_failure(model_name, failed_message);
        EXCEPTION WHEN OTHERS OR query_canceled THEN    -- what cannot be noted has a beginning without an end
            NULL;
        END;
        COMMIT;
        PERFORM health_internal.raise_again(failed_code, failed_message, failed_detail, failed_hint, failed_schema, failed_table,
                                            failed_column, failed_type, failed_constraint);
    END IF;
    IF tell THEN
        RAISE NOTICE 'model "%" is ready: % accounts are scored', model_name, health_internal.count_scored(model_name);
    END IF;
END;
$$;
COMMENT ON PROCEDURE health_internal.refresh_in_steps(text, boolean, boolean) IS
    'refresh() and backfill() of a tracked model: a transaction a step; what a step fails with is noted, and raised as it was. Tells what '
    'each step did if that is wanted';

CREATE PROCEDURE health.refresh(model text, ignore_volume boolean DEFAULT false)
LANGUAGE plpgsql
AS $$
BEGIN
    IF pg_catalog.pg_is_in_recovery() THEN
        RETURN;
    END IF;
    PERFORM health_internal.open_model(model);
    IF NOT health_internal.is_tracked(model) THEN
        IF ignore_volume THEN
            RAISE EXCEPTION 'model "%" is not tracked: its document says which volumes are how it is', model
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = pg_catalog.format('SELECT health.alter_model(%L, ''{"volume": {"accepted_from": "...", "accepted_until": '
                                               '"..."}}'');', model);
        END IF;
        PERFORM health.refresh_score_views(model);
        RETURN;
    END IF;
    CALL health_internal.reject_transaction_block(model, 'refresh');
    CALL health_internal.refresh_in_steps(model, ignore_volume, false);
END;
$$;
COMMENT ON PROCEDURE health.refresh(text, boolean) IS
    'Brings the scores of a model up to date: of a tracked one by what changed since, else by refreshing its score views. Twice, at once '
        'or late does no '
    'harm; after a failure or a kill the next run goes on. ignore_volume scores although the volume of a source looks as if its tracking '
        'broke';

CREATE PROCEDURE health.backfill(model text)
LANGUAGE plpgsql
AS $$
BEGIN
    IF pg_catalog.pg_is_in_recovery() THEN
        RETURN;
    END IF;
    PERFORM health_internal.open_model(model), health_internal.find_tracking(model);
    CALL health_internal.reject_transaction_block(model, 'backfill');
    CALL health_internal.refresh_in_steps(model, false, true);
END;
$$;
COMMENT ON PROCEDURE health.backfill(text) IS
    'Reads the existing events of a tracked model into its ledgers, in batches with commits, while writers go on; then scores it. Cut '
        'off, it goes on where it was when called again';
-- Refreshing by the clock, through pg_cron where it is installed.

-- pg_cron keeps names as type name, up to its release 1.4: 63 bytes.
CREATE FUNCTION health_internal.fit_job_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    -- A cast to name leaves whole characters: with 13 bytes before them, 50 bytes of them.
    SELECT CASE WHEN octet_length(name) <= 63 THEN name
                ELSE substr((repeat('-', 13) || name)::name::text, 14) || '-' || left(md5(name), 12) END;
$$;
COMMENT ON FUNCTION health_internal.fit_job_name(text) IS
    'The name, or, where it is too long for a pg_cron job, its beginning and a hash of it';

CREATE FUNCTION health_internal.has_pg_cron() RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pg_cron');
END;
COMMENT ON FUNCTION health_internal.has_pg_cron() IS 'Whether pg_cron is installed in this database';

-- A job is known by what it runs and where; its name is for people, and another database may have one of that name. Other roles' jobs are
-- theirs.
CREATE FUNCTION health_internal.model_jobs(model text, OUT jobid bigint, OUT jobname text, OUT username text, OUT schedule text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF health_internal.has_pg_cron() THEN
        RETURN QUERY EXECUTE format(
            'SELECT j.jobid, j.jobname::text, j.username::text, j.schedule FROM %I.job AS j WHERE j.database = $1 AND '
            '(j.command = $2 OR j.jobname = $3) AND j.username IN (SELECT current_user UNION ALL SELECT pg_get_userbyid($4)) '
            'ORDER BY j.username <> current_user, j.jobid', 'cron')
            USING current_database(), format('CALL health.refresh(%L)', model),
                  health_internal.fit_job_name('account_health:' || model), (health_internal.find_model(model)).owner::oid;
    END IF;
EXCEPTION WHEN insufficient_privilege OR undefined_table OR undefined_column THEN    -- not for everybody, not in every version
    NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.model_jobs(text) IS
    'The pg_cron jobs of a model in this database, of the current user and of the model''s owner, as far as the current user may see them';

CREATE FUNCTION health_internal.new_job_name(model text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.job AS j WHERE j.jobname = $1 AND j.username = current_user)', 'cron') INTO taken
        USING health_internal.fit_job_name('account_health:' || model);
    RETURN health_internal.fit_job_name(concat_ws(':', 'account_health', CASE WHEN taken THEN current_database() END, model));
END;
$$;
COMMENT ON FUNCTION health_internal.new_job_name(text) IS
    'Name for a pg_cron job of a model that has none: account_health:<model>, with the database where one of another database is so called';

CREATE FUNCTION health_internal.quote_for_shell(word text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN word ~ '^[A-Za-z0-9_./]+$' THEN word
                WHEN word !~ '["$`!\\]' THEN '"' || word || '"'
                ELSE '''' || replace(word, '''', '''\''''') || '''' END;
$$;
COMMENT ON FUNCTION health_internal.quote_for_shell(text) IS 'A word as a POSIX shell takes it';

-- psql takes what looks like a connection string for one.
CREATE FUNCTION health_internal.psql_database(name text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN name ~ '=|^postgres(ql)?://' THEN 'dbname=''' || regexp_replace(name, '([''\\])', '\\\1', 'g') || '''' ELSE name END;
$$;
COMMENT ON FUNCTION health_internal.psql_database(text) IS 'The argument of psql -d for a database';

CREATE FUNCTION health_internal.raise_no_scheduler(model text, cron text, command text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    here text := current_database();
    cron_database text := current_setting('cron.database_name', true);
BEGIN
    IF cron_database IS NOT NULL AND cron_database <> here THEN
        RAISE EXCEPTION 'pg_cron is not installed in database "%"', here
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('On this server it runs in database "%s".', cron_database),
                  HINT = format('There, run: SELECT cron.schedule_in_database(%L, %L, %L, %L);', 
                      health_internal.fit_job_name(concat_ws(':', 'account_health', here, model)), cron, command, here);
    END IF;
    RAISE EXCEPTION 'pg_cron is not installed in database "%"', here
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = CASE WHEN cron_database IS NOT NULL THEN 'The server has it loaded: CREATE EXTENSION pg_cron; is all that is '
                  'missing.'
                            ELSE format('To have it: install the package, put shared_preload_libraries = ''pg_cron'' and '
                                'cron.database_name = ''%s'' '
                                        'into postgresql.conf, restart, CREATE EXTENSION pg_cron.', here) END,
              HINT = format('Any other scheduler can run, at %s: psql -d %s -c %s', cron,
                            health_internal.quote_for_shell(health_internal.psql_database(here)), health_internal.quote_for_shell(command));
END;
$$;
COMMENT ON FUNCTION health_internal.raise_no_scheduler(text, text, text) IS
    'Raises the error that says how to have a model refreshed without pg_cron in this database';

CREATE FUNCTION health.schedule(model text, cron text DEFAULT '*/5 * * * *') RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    command text := format('CALL health.refresh(%L)', opened.name);
    job bigint;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM health_internal.score_view AS s WHERE s.model = opened.name)
       AND NOT health_internal.is_tracked(opened.name) THEN
        RAISE EXCEPTION 'model "%" has no score view to refresh', model
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT health.create_score_view(%L, ''schema.name'');',
                model);
    END IF;
    IF cron IS NULL THEN
        RAISE invalid_parameter_value USING MESSAGE = 'invalid schedule: NULL';
    END IF;
    IF NOT health_internal.has_pg_cron() THEN
        PERFORM health_internal.raise_no_scheduler(model, cron, command);
    END IF;
    EXECUTE format('SELECT %I.schedule($1, $2, $3)', 'cron') INTO job
        USING coalesce((SELECT j.jobname FROM health_internal.model_jobs(opened.name) AS j
                        WHERE j.username = current_user AND j.jobname IS NOT NULL LIMIT 1),
                       health_internal.new_job_name(opened.name)), cron, command;
    RETURN job;
EXCEPTION WHEN invalid_parameter_value THEN
    RAISE EXCEPTION 'model "%": %', model, sqlerrm
        USING ERRCODE = 'invalid_parameter_value', HINT = 'Minute, hour, day, month and weekday, such as ''30 4 * * *'' for every night '
            'at 4:30.';
END;
$$;
COMMENT ON FUNCTION health.schedule(text, text) IS
    'Has pg_cron refresh a model, every 5 minutes by default; returns the job id. A second call changes the schedule. '
    'Without pg_cron: an error that says what to do instead';

CREATE FUNCTION health_internal.remove_job(model text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    job record;
    removed boolean := false;
BEGIN
    FOR job IN SELECT j.jobid FROM health_internal.model_jobs(model) AS j LOOP
        EXECUTE format('SELECT %I.unschedule($1)', 'cron') INTO removed USING job.jobid;
    END LOOP;
    RETURN removed;
EXCEPTION WHEN insufficient_privilege THEN    -- whoever may not use pg_cron has no job there
    RETURN false;
END;
$$;
COMMENT ON FUNCTION health_internal.remove_job(text) IS
    'Removes the pg_cron jobs of a model that the current user or its owner has, if there are any';

CREATE FUNCTION health.unschedule(model text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    removed boolean := health_internal.remove_job(opened.name);
BEGIN
    IF NOT removed THEN
        RAISE NOTICE 'model "%" was not scheduled', model;
    END IF;
    RETURN removed;
END;
$$;
COMMENT ON FUNCTION health.unschedule(text) IS 'Removes the pg_cron job of a model; false, with a notice, when it has none';
-- Data quality first: what the sources hold that the model does not know, and what the model expects and does not get.

CREATE TYPE health.tracking_finding AS (
    finding text,
    source text,
    name text,
    events bigint,
    users bigint,
    first_day date,
    last_day date,
    advice text,
    account text,
    value text
);
COMMENT ON TYPE health.tracking_finding IS 'Something in the data that does not fit the model';
COMMENT ON COLUMN health.tracking_finding.finding IS
    'bad value, null key, unknown account, unlisted event, missing event, silent event, future event, unknown user, user without account, '
    'repeated account, event before start, event after end, signal never seen, signal not fitted, user without joining day, '
    'repeated event id, late event, event known too early, event known at no time, tracking broke';
COMMENT ON COLUMN health.tracking_finding.source IS 'Path of the source in the document, or "catalog"';
COMMENT ON COLUMN health.tracking_finding.name IS 'The event, account, user, field or signal that it is about';
COMMENT ON COLUMN health.tracking_finding.events IS 'Rows that it concerns';
COMMENT ON COLUMN health.tracking_finding.users IS 'Distinct users among them';
COMMENT ON COLUMN health.tracking_finding.first_day IS 'First local day of these rows';
COMMENT ON COLUMN health.tracking_finding.last_day IS 'Last local day of these rows';
COMMENT ON COLUMN health.tracking_finding.advice IS 'What it means and what to do';
COMMENT ON COLUMN health.tracking_finding.account IS 'The account whose rows these are';
COMMENT ON COLUMN health.tracking_finding.value IS 'Of a bad value: what stands there, of several one of them, cut to 60 characters';

-- Scoring says what of an account it cannot use; of seats also where no signal asks for them.
CREATE FUNCTION health_internal.compile_bad_accounts(document jsonb, fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT concat_ws(' UNION ALL ',
        format('SELECT %L AS source, s.signal AS name, l.account_id::pg_catalog.text AS account_id, s.raw_text AS value '
               'FROM accounts AS l, health.score_signals(%L, %s) AS s WHERE s.reason = ''bad_value'' AND s.raw_text IS NOT NULL',
               'signals',
               health_internal.scoring_document(document), health_internal.compile_state('NULL', false)),
        format('SELECT %L, %L, (%s)::pg_catalog.text, (%s)::pg_catalog.text FROM %s%s '
               'WHERE health_internal.usable_seats((%4$s)::pg_catalog.float8) IS NULL AND (%4$s) IS NOT NULL%7$s', 'accounts', 'seats',
               health_internal.compile_account_key(fields, id.expression), seats.expression, book.from_item,
               health_internal.compile_wanted(fields),
               CASE WHEN health_internal.compile_wanted(fields) <> '' THEN ' AND wanted."is wanted"' END)
            || CASE WHEN seats.expression IS NULL THEN NULL ELSE '' END)
    FROM health_internal.field_of(fields, 'accounts', 'id') AS id, health_internal.field_of(fields, 'accounts', 'seats') AS seats,
         health_internal.field_of(fields, 'accounts', 'from') AS book;
$$;
COMMENT ON FUNCTION health_internal.compile_bad_accounts(jsonb, health_internal.model_field[]) IS
    'SQL of the values of accounts that cannot be: source, field, account, value; accounts are rows of a ledger query of that name';

-- A signal is known by its name.
CREATE FUNCTION health_internal.fallible_fields(document jsonb, fields health_internal.model_field[])
RETURNS TABLE (field health_internal.model_field, source text, name text)
LANGUAGE sql STABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT u.field, CASE WHEN i.name IS NULL THEN (u.field).source ELSE 'signals' END, coalesce(i.name, (u.field).field)
    FROM (SELECT f AS field FROM unnest(fields) AS f) AS u
    LEFT JOIN health.model_inputs(document) AS i ON i.path = (u.field).source AND (u.field).field = 'value'
    WHERE (u.field).problem IS NULL AND (u.field).expression LIKE 'health\_internal.try\_value(%';
$$;
COMMENT ON FUNCTION health_internal.fallible_fields(jsonb, health_internal.model_field[]) IS
    'The fields whose expression may fail for some row, with the source and name that findings call them';

-- Expressions that fail, of rows that the source does not leave out: read once more, for nothing where none can fail.
CREATE FUNCTION health_internal.compile_failures(document jsonb, fields health_internal.model_field[],
    as_written health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(format(
               'SELECT %L AS source, %L AS name, (%s)::pg_catalog.text AS account_id, x.message AS value, pg_catalog.count(*) AS n '
               'FROM %s CROSS JOIN LATERAL (SELECT %s AS message) AS x WHERE x.message IS NOT NULL%s GROUP BY 3, 4',
               p.source, p.name,
               coalesce((CASE WHEN p.of_rows THEN health_internal.field_of(fields, p.source, 'account')
                              ELSE health_internal.field_of(fields, 'accounts', 'id') END).expression, 'NULL'),
               CASE WHEN p.of_rows OR p.name = 'filter' THEN (p.field).from_item
                    ELSE book.from_item || health_internal.compile_wanted(fields)
                         || substr((p.field).from_item, length(book.from_item) + 1) END,
               regexp_replace((p.field).expression, '^health_internal\.try_value\([^,]*, ', 'health_internal.try_error('),
               CASE WHEN p.name = 'filter' THEN ''
                    WHEN p.of_rows THEN coalesce(' AND ' || (health_internal.field_of(fields, p.source, 'filter')).expression, '')
                    WHEN health_internal.compile_wanted(fields) <> '' THEN ' AND wanted."is wanted"' ELSE '' END), ' UNION ALL '),
           'SELECT NULL AS source, NULL AS name, NULL AS account_id, NULL AS value, 0 AS n WHERE false')
    FROM (SELECT f.*, f.source ~ '^(events|users)' AS of_rows FROM health_internal.fallible_fields(document, as_written) AS f) AS p,
         health_internal.field_of(fields, 'accounts', 'from') AS book;
$$;
COMMENT ON FUNCTION health_internal.compile_failures(jsonb, health_internal.model_field[], health_internal.model_field[]) IS
    'SQL of the rows on which an expression of a source fails: source, field, account, error and how many; as_written are fields '
    'without keys';

CREATE FUNCTION health_internal.compile_repeated_events(document jsonb, fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(format(
        'SELECT %L::pg_catalog.text, pg_catalog.sum(r.n - 1), pg_catalog.min(r.first_day), pg_catalog.max(r.last_day) FROM ('
        'SELECT pg_catalog.count(*) AS n, pg_catalog.min(%2$s) AS first_day, pg_catalog.max(%2$s) AS last_day FROM %3$s%4$s '
        'GROUP BY (%5$s)::pg_catalog.text HAVING pg_catalog.count(*) > 1 AND (%5$s)::pg_catalog.text IS NOT NULL) AS r '
        'HAVING pg_catalog.count(*) > 0',
        s.path, health_internal.local_day((f.occurred).expression, (f.occurred).type, s.source ->> 'time_zone',
            coalesce(document ->> 'time_zone', 'UTC')),
        (health_internal.field_of(fields, s.path, 'from')).from_item,
        coalesce(' WHERE ' || (health_internal.field_of(fields, s.path, 'filter')).expression, ''), (f.id).expression), ' UNION ALL '),
        'SELECT NULL::pg_catalog.text, NULL::pg_catalog.int8, NULL::pg_catalog.date, NULL::pg_catalog.date WHERE false')
    FROM health_internal.event_sources(document) AS s,
         LATERAL (SELECT health_internal.field_of(fields, s.path, 'id') AS id,
                         health_internal.field_of(fields, s.path, 'occurred_at') AS occurred) AS f
    WHERE (f.id).expression IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.compile_repeated_events(jsonb, health_internal.model_field[]) IS
    'SQL of how many rows of each event source have an id that another row has as well, with their first and last day';

-- Of a day on which a whole source broke its events are not listed one by one.
CREATE FUNCTION health_internal.volume_findings(volumes health_internal.volume[], as_of date, today date, accepted datemultirange)
RETURNS SETOF health.tracking_finding
LANGUAGE sql IMMUTABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
    WITH odd AS MATERIALIZED (
        SELECT o.* FROM health_internal.broken_volumes(volumes, volume_findings.as_of - 182, least(volume_findings.as_of, today),
                                                       accepted) AS o
    )
    SELECT 'tracking broke', o.source, o.event, sum(o.seen)::bigint, NULL::bigint, min(o.day), max(o.day),
           CASE o.kind WHEN 'lost' THEN format('usually about %s on a day like these: are they still sent? If not, "volume" of the '
                           'model says so, or ignore_volume of refresh', round(avg(o.usual)::numeric))
                       WHEN 'flood' THEN format('usually about %s on a day like these: what sends them? If that is how it is, "volume" '
                           'of the model says so, or ignore_volume of refresh', round(avg(o.usual)::numeric))
                       ELSE format('every user did everything %s times as often as usual: was the day loaded %1$s times? Delete the copies',
                                   max(o.times)) END,
           NULL::text, NULL::text
    FROM odd AS o
    WHERE o.event IS NULL
       OR NOT EXISTS (SELECT FROM odd AS w WHERE w.source = o.source AND w.event IS NULL AND w.day = o.day AND w.kind = o.kind)
    GROUP BY o.source, o.event, o.kind ORDER BY min(o.day), o.source, o.event NULLS FIRST;
$$;
COMMENT ON FUNCTION health_internal.volume_findings(health_internal.volume[], date, date, datemultirange) IS
    'Sources and events that broke in the 26 weeks before as_of, and that nobody accepted';

-- -infinity stands for no time; what known_at fails on is told as such.
CREATE FUNCTION health_internal.compile_lateness(document jsonb, fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(format($query$
        SELECT %L::pg_catalog.text AS source, f.finding, f.n, f.first_day, f.last_day, f.advice
        FROM (SELECT pg_catalog.count(*) AS n, pg_catalog.count(*) FILTER (WHERE r.known > r.day) AS late,
                     pg_catalog.count(*) FILTER (WHERE r.known = 'infinity') AS never,
                     pg_catalog.percentile_disc(0.5) WITHIN GROUP (ORDER BY r.days) FILTER (WHERE r.days > 0) AS median,
                     pg_catalog.max(r.days) AS longest, pg_catalog.min(r.day) FILTER (WHERE r.known > r.day) AS first_late,
                     pg_catalog.max(r.day) FILTER (WHERE r.known > r.day) AS last_late,
                     pg_catalog.count(*) FILTER (WHERE r.days < 0) AS early,
                     pg_catalog.min(r.day) FILTER (WHERE r.days < 0) AS first_early,
                     pg_catalog.max(r.day) FILTER (WHERE r.days < 0) AS last_early,
                     pg_catalog.count(*) FILTER (WHERE r.unknown) AS unknown,
                     pg_catalog.min(r.day) FILTER (WHERE r.unknown) AS first_unknown,
                     pg_catalog.max(r.day) FILTER (WHERE r.unknown) AS last_unknown
              FROM (SELECT d.day, d.known, d.unknown, CASE WHEN pg_catalog.isfinite(d.known) THEN d.known - d.day END AS days
                    FROM (SELECT %s AS day, %s AS known, x.known IS NULL AS unknown
                          FROM (SELECT %s AS occurred, %s AS known FROM %s%s OFFSET 0) AS x) AS d
                    WHERE pg_catalog.isfinite(d.day)) AS r) AS l,
             LATERAL (VALUES
                ('late event', l.late, l.first_late, l.last_late, pg_catalog.format(
                    '%%s %%%% of the rows became known after their day%%s%%s. Dates before that do not see them',
                    pg_catalog.round(100.0 * l.late / nullif(l.n, 0), 1),
                    CASE WHEN l.median IS NOT NULL THEN pg_catalog.format(', by %%s days (median), at most %%s', l.median, l.longest) END,
                    CASE WHEN l.never > 0 THEN pg_catalog.format(', not yet known (infinity): %%s', l.never) END)),
                ('event known too early', l.early, l.first_early, l.last_early,
                    'known on a day before the one on which they happened: is it the right column? Taken as known on their day'),
                ('event known at no time', l.unknown, l.first_unknown, l.last_unknown,
                    'nothing says when they became known: taken as known on their day')) AS f (finding, n, first_day, last_day, advice)
        WHERE f.n > 0 $query$, s.path, health_internal.compile_plain_day('x.occurred', (f.occurred).type, s.source ->> 'time_zone', z.zone),
        health_internal.compile_plain_day('x.known', (f.known).type, s.source ->> 'time_zone', z.zone), (f.occurred).expression,
        (f.known).expression, (health_internal.field_of(fields, s.path, 'from')).from_item,
        coalesce(' WHERE ' || (health_internal.field_of(fields, s.path, 'filter')).expression, '')), ' UNION ALL '),
        'SELECT n.source, n.source AS finding, 0::pg_catalog.int8 AS n, n.day AS first_day, n.day AS last_day, n.source AS advice '
        'FROM (SELECT NULL::pg_catalog.text, NULL::pg_catalog.date) AS n (source, day) WHERE false')
    FROM health_internal.event_sources(document) AS s, (SELECT coalesce(document ->> 'time_zone', 'UTC')) AS z (zone),
         LATERAL (SELECT health_internal.field_of(fields, s.path, 'known_at') AS known,
                         health_internal.field_of(fields, s.path, 'occurred_at') AS occurred) AS f
    WHERE (f.known).expression IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.compile_lateness(jsonb, health_internal.model_field[]) IS
    'SQL of how late the rows of each event source that says so became known: a row per finding, with the days of the rows';

CREATE FUNCTION health_internal.tracking_plan_as_owner(model text) RETURNS SETOF health.tracking_finding
LANGUAGE plpgsql ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version health_internal.model_version := health_internal.find_version(model, (health_internal.open_model(model)).current_version);
    document jsonb := version.document;
    fields health_internal.model_field[];
    as_written health_internal.model_field[];
    compiled health_internal.compiled_model;
    known_users text;
    clock CONSTANT text := health_internal.model_clock(document, NULL);
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(document, version.version, usage_from => 'nothing', model_name => model);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    as_written := ARRAY(SELECT f FROM health_internal.model_fields(document, keyed => false) AS f);
    known_users := format('SELECT (%s%s)::pg_catalog.text AS user_id, (%s)::pg_catalog.text AS account_id FROM %s',
        coalesce((health_internal.field_of(fields, 'users', 'id')).expression, 'NULL::pg_catalog.text'), health_internal.user_cast(fields),
        coalesce((health_internal.field_of(fields, 'users', 'account')).expression, 'NULL'),
        coalesce((health_internal.field_of(fields, 'users', 'from')).from_item, '(SELECT 1 WHERE false) AS src'));
    RETURN QUERY EXECUTE format($query$
        WITH accounts AS MATERIALIZED (
            SELECT (%14$s)::pg_catalog.text AS account_id, l.as_of, l.account_start, l.account_end, l.seats, l.inputs, l.observed,
                   l.segments, l.repeated, l.ledger_start, l.overrides, l.outages
            FROM (%1$s) AS l
        ), known_users AS MATERIALIZED (
            SELECT k.user_id, k.account_id FROM (%2$s) AS k
        ), clock AS (
            SELECT %3$s AS as_of
        ), catalog AS (
            SELECT c.key AS name, %13$L::pg_catalog.jsonb IS NULL OR %13$L::pg_catalog.jsonb ? c.key AS is_own
            FROM pg_catalog.jsonb_object_keys(%4$L::pg_catalog.jsonb) AS c (key)
        ), seen AS MATERIALIZED (
            -- One pass over the events: a row per source, account, user and event keeps what the findings need.
            %5$s
        ), usable AS (
            SELECT s.* FROM seen AS s
            WHERE s.account_id IS NOT NULL AND s.user_id IS NOT NULL AND s.event_name IS NOT NULL AND NOT s.lacks_day
                AND s.bad_field IS NULL
        ), newest AS MATERIALIZED (
            SELECT s.event_name, pg_catalog.max(s.last_known_day) AS day FROM usable AS s GROUP BY 1
        ), bad AS (
            SELECT s.source, s.bad_field AS name, s.n, s.user_id, s.first_day, s.last_day, s.account_id, s.bad_value AS value,
                   CASE s.bad_field WHEN 'event' THEN
                       CASE WHEN s.source || '.known_at' = ANY (%16$L::pg_catalog.text[])
                            THEN 'an event without a name, or of which known_at fails, is left out'
                            ELSE 'an event without a name is left out: name it, or leave such rows out with a filter' END
                       WHEN 'occurred_at' THEN 'an infinite time is no day: the row is left out'
                       ELSE 'no amount that a ledger can keep (NaN, infinite, beyond 9.2e12): the row is left out; NULL is no amount'
                   END AS advice
            -- What an expression fails on stands for itself below.
            FROM seen AS s WHERE s.bad_field IS NOT NULL AND s.user_id IS NOT NULL
                AND NOT (s.source || '.' || s.bad_field = ANY (%16$L::pg_catalog.text[])
                         AND coalesce(s.bad_value, '') IN ('', 'NaN', 'infinity'))
                AND (s.account_id IS NOT NULL OR s.source = ANY (%11$L::pg_catalog.text[]))
            UNION ALL
            SELECT a.source, a.name, 1, NULL, NULL, NULL, a.account_id, a.value,
                   CASE a.source WHEN 'signals' THEN 'no value that the signal can use: it is unknown (bad_value); NULL stands for unknown'
                       ELSE 'no number of seats: they are unknown (bad_value); NULL stands for unlimited as well as unknown' END
            FROM (%12$s) AS a WHERE NOT (a.value = 'NaN' AND a.source || '.' || a.name = ANY (%16$L::pg_catalog.text[]))
            UNION ALL
            SELECT x.source, x.name, x.n, NULL, NULL, NULL, x.account_id, x.value,
                   CASE WHEN x.name IN ('id', 'filter') OR x.source ~ '^events' OR x.source = 'users' AND x.name = 'account'
                        THEN 'the expression fails on these rows, so that they are left out'
                        ELSE 'the expression fails on these rows, so that the value is unknown' END
            FROM (%15$s) AS x
        ), other AS (
            SELECT 1 AS position, 'null key' AS finding, s.source, k.name, s.n, s.user_id, s.first_day, s.last_day,
                   'rows without this value are left out: mend the tracking, or filter them' AS advice
            FROM seen AS s, LATERAL (VALUES ('account', s.account_id IS NULL AND s.source <> ALL (%11$L::pg_catalog.text[])),
                ('user', s.user_id IS NULL), ('event', s.event_name IS NULL),
                                            ('occurred_at', s.lacks_day)) AS k (name, missing)
            WHERE k.missing
            UNION ALL
            SELECT 2, 'unknown account', s.source, s.account_id, s.n, s.user_id, s.first_day, s.last_day,
                   'no such account (or accounts.filter leaves it out): its events are not scored'
            FROM usable AS s WHERE NOT EXISTS (SELECT 1 FROM accounts AS a WHERE a.account_id = s.account_id)
            UNION ALL
            SELECT 3, 'unlisted event', s.source, s.event_name, s.n, s.user_id, s.first_day, s.last_day,
                   CASE WHEN health_internal.is_marker(s.event_name)
                        THEN 'names with a leading $ are reserved, never activity: "event": {"sql": "ltrim(event_name, ''$'')"} takes the '
                            'sign away'
                        ELSE 'not in the catalog: does not count' END
            FROM usable AS s
            -- With "unlisted_events": "count" they count, as they are meant to.
            WHERE health_internal.is_marker(s.event_name)
               OR NOT %6$L AND EXISTS (SELECT 1 FROM catalog AS c)
                  AND NOT EXISTS (SELECT 1 FROM catalog AS c WHERE c.name = s.event_name)
            UNION ALL
            SELECT 4, 'missing event', 'catalog', c.name, 0, NULL, NULL, NULL, 'never seen: is it tracked, and under this name?'
            FROM catalog AS c WHERE c.is_own AND NOT EXISTS (SELECT 1 FROM usable AS s WHERE s.event_name = c.name)
            UNION ALL
            SELECT 5, 'silent event', 'catalog', s.event_name, s.n, s.user_id, s.first_day, s.last_day,
                   'seen before, but not in the last %7$s days: did tracking break?'
            FROM usable AS s JOIN catalog AS c ON c.name = s.event_name AND c.is_own JOIN newest AS o ON o.event_name = s.event_name
            WHERE o.day < (SELECT t.as_of - %7$s FROM clock AS t)
            UNION ALL
            SELECT 6, 'future event', s.source, s.event_name, s.future, s.user_id, s.first_future_day, s.last_day,
                   'dated after today: counts only when that day comes'
            FROM usable AS s WHERE s.future > 0 AND NOT %8$L
            UNION ALL
            SELECT 7, 'unknown user', s.source, s.user_id, s.n, s.user_id, s.first_day, s.last_day, 'acts, but is not in the user source'
            FROM seen AS s WHERE s.user_id IS NOT NULL AND (s.account_id IS NOT NULL OR s.source = ANY (%11$L::pg_catalog.text[]))
                AND s.event_name IS NOT NULL AND NOT s.lacks_day AND s.bad_field IS NULL
                AND %9$L AND NOT EXISTS (SELECT 1 FROM known_users AS k WHERE k.user_id = s.user_id)
            UNION ALL
            SELECT 8, 'user without account', 'users', k.user_id, 0, k.user_id, NULL, NULL,
                   CASE WHEN k.account_id IS NULL THEN 'the user source gives no account' ELSE 'no such account: ' || k.account_id END
            FROM known_users AS k
            WHERE %10$L AND (k.account_id IS NULL OR NOT EXISTS (SELECT 1 FROM accounts AS a WHERE a.account_id = k.account_id))
            UNION ALL
            SELECT 9, 'repeated account', 'accounts', a.account_id, 0, NULL, NULL, NULL,
                   'the account source has it more than once: it is not scored'
            FROM accounts AS a WHERE a.repeated
            UNION ALL
            SELECT 10, 'event before start', s.source, s.account_id, s.early, s.user_id, s.first_day,
                   least(s.last_day, (SELECT a.account_start - 1 FROM accounts AS a WHERE a.account_id = s.account_id)),
                   'before the account was a customer: is accounts.start right, or was that a trial?'
            FROM usable AS s WHERE s.early > 0
            UNION ALL
            SELECT 11, 'event after end', s.source, s.account_id, s.late, s.user_id,
                   greatest(s.first_day, (SELECT a.account_end FROM accounts AS a WHERE a.account_id = s.account_id)), s.last_day,
                   'after the account was a customer: is accounts.end right?'
            FROM usable AS s WHERE s.late > 0
            UNION ALL
            SELECT 12, 'signal never seen', 'signals', g.signal ->> 'name', coalesce((SELECT pg_catalog.sum(u.n) FROM usable AS u
                       WHERE g.signal -> 'events' ? u.event_name), 0), NULL, NULL, NULL,
                   CASE WHEN EXISTS (SELECT FROM usable AS u WHERE g.signal -> 'events' ? u.event_name)
                        THEN 'its events have come since: refreeze_references(model) has it count'
                        ELSE 'nothing of what it is about was ever seen: it is unknown (not_applicable); are the names right?' END
            FROM (%17$s) AS g (signal)
            WHERE g.signal #>> '{frozen,seen}' = 'false'
               OR g.signal ? 'events' AND NOT EXISTS (SELECT FROM usable AS u WHERE g.signal -> 'events' ? u.event_name)
            UNION ALL
            SELECT 13, 'signal not fitted', 'signals', g.signal ->> 'name', 0, NULL, NULL, NULL,
                   'too little in the book to fit it to: it is unknown (no_data); refreeze_references(model) tries again'
            FROM (%17$s) AS g (signal)
            WHERE health_internal.is_fitted(g.signal) AND health_internal.frozen_parameters(g.signal) IS NULL
            UNION ALL
            SELECT 14, 'user without joining day', 'users', 'joined', 0, j.user_id, NULL, NULL,
                   CASE WHEN %18$L THEN 'no day of joining: not joined, since invitations are known'
                        ELSE 'no day of joining: taken as always there; with users.invited such users have not joined' END
            FROM (%19$s) AS j (user_id)
            UNION ALL
            SELECT 15, 'repeated event id', r.source, 'id', r.n, NULL, r.first_day, r.last_day,
                   'rows beyond the first of the same id: each counts; leave the copies out where the events are read'
            FROM (%20$s) AS r (source, n, first_day, last_day)
            UNION ALL
            SELECT 16, r.finding, r.source, 'known_at', r.n, NULL, r.first_day, r.last_day, r.advice FROM (%21$s) AS r
        ), bad_accounts AS (
            SELECT b.source, b.name, b.advice, b.account_id, pg_catalog.sum(b.n) AS n, pg_catalog.count(DISTINCT b.user_id) AS users,
                   pg_catalog.min(b.first_day) AS first_day, pg_catalog.max(b.last_day) AS last_day, pg_catalog.min(b.value) AS value,
                   pg_catalog.row_number() OVER (PARTITION BY b.source, b.name ORDER BY pg_catalog.sum(b.n) DESC, b.account_id) AS place
            FROM bad AS b GROUP BY 1, 2, 3, 4
        ), findings AS (
            SELECT 0 AS position, 'bad value' AS finding, b.source, b.name, b.n, b.users, b.first_day, b.last_day, b.advice,
                   b.account_id AS account, b.place,
                   CASE WHEN pg_catalog.length(b.value) > 60 THEN pg_catalog.left(b.value, 57) || '...' ELSE b.value END AS value
            FROM bad_accounts AS b WHERE b.place <= 20
            UNION ALL
            SELECT 0, 'bad value', b.source, b.name, pg_catalog.sum(b.n), NULL, pg_catalog.min(b.first_day), pg_catalog.max(b.last_day),
                   pg_catalog.format('%%s more accounts: %%s', pg_catalog.count(*), pg_catalog.min(b.advice)), NULL, 21, NULL
            FROM bad_accounts AS b WHERE b.place > 20 GROUP BY b.source, b.name
            UNION ALL
            SELECT f.position, f.finding, f.source, f.name, pg_catalog.sum(f.n), pg_catalog.count(DISTINCT f.user_id),
                   pg_catalog.min(f.first_day), pg_catalog.max(f.last_day), pg_catalog.min(f.advice),
                   CASE WHEN f.finding IN ('unknown account', 'repeated account', 'event before start', 'event after end') THEN f.name END,
                   0, NULL
            FROM other AS f GROUP BY f.position, f.finding, f.source, f.name
        )
        SELECT f.finding, f.source, f.name, f.n::pg_catalog.int8, f.users, f.first_day, f.last_day, f.advice, f.account, f.value
        FROM findings AS f
        ORDER BY f.position, CASE f.position WHEN 0 THEN f.source END, CASE f.position WHEN 0 THEN f.name END, f.place, f.n DESC,
                 f.source, f.name
        $query$,
        compiled.ledger, known_users, clock, coalesce(document -> 'catalog', '{}'),
        health_internal.compile_all_events(document, fields, $summary$
            SELECT e.source, e.account_id, e.user_id::pg_catalog.text AS user_id, e.event_name, e.day IS NULL AS lacks_day,
                   e.bad_field, CASE e.bad_field WHEN 'occurred_at' THEN e.day::pg_catalog.text
                                                 WHEN 'amount' THEN e.amount::pg_catalog.text END AS bad_value,
                   pg_catalog.count(*) AS n, pg_catalog.min(e.day) AS first_day, pg_catalog.max(e.day) AS last_day,
                   pg_catalog.max(e.day) FILTER (WHERE e.day <= t.as_of) AS last_known_day,
                   pg_catalog.count(*) FILTER (WHERE e.day > t.as_of) AS future,
                   pg_catalog.min(e.day) FILTER (WHERE e.day > t.as_of) AS first_future_day,
                   pg_catalog.count(*) FILTER (WHERE e.day < a.account_start) AS early,
                   pg_catalog.count(*) FILTER (WHERE e.day >= a.account_end) AS late
            FROM (%s) AS e CROSS JOIN clock AS t LEFT JOIN accounts AS a ON a.account_id = e.account_id GROUP BY 1, 2, 3, 4, 5, 6, 7
                $summary$), document ->> 'unlisted_events' IS NOT DISTINCT FROM 'count',
        coalesce(document ->> 'window_days', '28'), coalesce(document ->> 'as_of' <> 'tomorrow', false),
        (health_internal.field_of(fields, 'users', 'id')).expression IS NOT NULL,
            (health_internal.field_of(fields, 'users', 'account')).expression IS NOT NULL,
        -- Sources that get the account from the user source: without one there, the user is what is wrong.
        ARRAY(SELECT e.path FROM health_internal.event_sources(document) AS e WHERE NOT e.source ? 'account'),
        health_internal.compile_bad_accounts(document, fields),
        -- What a preset lists besides the user's own catalog are suggestions: events that he need not have.
        CASE WHEN version.definition ? 'preset' THEN version.definition -> 'catalog' END,
        health_internal.compile_account_key(fields, 'l.account_id'),

        health_internal.compile_failures(document, fields, as_written),
        ARRAY(SELECT f.source || '.' || f.name FROM health_internal.fallible_fields(document, as_written) AS f),
        coalesce((SELECT pg_catalog.string_agg(pg_catalog.format('SELECT %L::pg_catalog.jsonb', l.signal), ' UNION ALL ' ORDER BY l.number)
                  FROM health_internal.leaf_signals(document) AS l WHERE l.signal ? 'metric'), 'SELECT NULL::pg_catalog.jsonb WHERE false'),
        document #> '{users,invited}' IS NOT NULL,
        CASE WHEN document #> '{users,joined}' IS NULL THEN 'SELECT NULL::pg_catalog.text WHERE false'
             ELSE pg_catalog.format('SELECT (%s)::pg_catalog.text FROM %s WHERE (%s) IS NULL AND (%s) IS NOT NULL%s%s',
                 (health_internal.field_of(fields, 'users', 'id')).expression, (health_internal.field_of(fields, 'users',
                     'from')).from_item,
                 (health_internal.field_of(fields, 'users', 'joined')).expression,
                 (health_internal.field_of(fields, 'users', 'account')).expression,
                 coalesce(' AND ' || (health_internal.field_of(fields, 'users', 'filter')).expression, ''),
                 coalesce(' AND (' || (health_internal.field_of(fields, 'users', 'exclude')).expression || ') IS NOT TRUE', '')) END,
        health_internal.compile_repeated_events(document, fields), health_internal.compile_lateness(document, fields));
    RETURN QUERY EXECUTE format('SELECT f.* FROM health_internal.volume_findings(%s, %s, %s, %L) AS f',
        health_internal.compile_volume_array(document, fields, clock, 182), clock, health_internal.compile_today(document),
        coalesce(health_internal.accepted_volume(document), '{}')
            + coalesce((SELECT t.accepted FROM health_internal.tracking AS t WHERE t.model = version.model), '{}'));
END;
$$;
COMMENT ON FUNCTION health_internal.tracking_plan_as_owner(text) IS 'tracking_plan() as the owner of the model';

CREATE FUNCTION health.tracking_plan(model text) RETURNS SETOF health.tracking_finding
LANGUAGE plpgsql ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT (r.finding).* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT p FROM health_internal.tracking_plan_as_owner($1) AS p', model) AS r (finding health.tracking_finding);
END;
$$;
COMMENT ON FUNCTION health.tracking_plan(text) IS
    'Holds the sources of a model against it: values that cannot be, rows with NULL keys, events of unknown accounts, events that the '
    'catalog does not list, '
    'catalog events never seen or gone silent, users without an account, events outside of the time as a customer, signals about nothing '
    'that was ever seen or that could not be fitted, users without a joining day, ids of events that occur twice, events that became '
    'known late, days of the last 26 weeks on which a source or an event '
    'broke. No row: all is well';
-- verify: the ledger of a tracked model against its events, cell by cell. forget_user: what is left of a person.

CREATE FUNCTION health_internal.verify_source(source health_internal.ledger_source, account text, ledger_start date,
    today date)
RETURNS TABLE (source_path text, account_id text, user_id text, day date, event text, events bigint, amount numeric)
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_day date := ledger_start;
    kind text := source.account_kind;
    one text := CASE WHEN account IS NULL THEN 'true' ELSE pg_catalog.format('x.account_id = %L::%s', account, kind) END;
    changes text := 'SELECT NULL::text AS account_id, NULL::health.usage AS usage WHERE false';
BEGIN
    PERFORM health_internal.look_names_up_in(source.search_path);
    IF source.window_days IS NULL THEN
        changes := pg_catalog.format($query$
            SELECT f.account_id, f.usage FROM health_internal.fold_changes(coalesce(ARRAY(
                SELECT p.changes FROM %1$s AS c, LATERAL (SELECT %2$s AS changes) AS p
                WHERE p.changes IS NOT NULL), '{}')) AS f WHERE f.account_id IS NOT NULL $query$,
            source.change_table::regclass, health_internal.compile_pending_changes('c', source.id));
    ELSE
        first_day := greatest(first_day, today - source.window_days);    -- as reread_window() has it
    END IF;
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH of_events AS (
            SELECT e.account_id, %1$s AS usage FROM (SELECT x.* FROM (%2$s) AS x WHERE x.account_id IS NOT NULL AND %3$s) AS e
            GROUP BY e.account_id
        ), of_ledger AS (
            SELECT x.account_id, health.rollup(x.usage) AS usage
            FROM (SELECT c.account_id, c.usage FROM %4$s AS c UNION ALL SELECT f.account_id::%5$s, f.usage FROM (%6$s) AS f) AS x WHERE %3$s
            GROUP BY x.account_id
        )
        SELECT %7$L::text, coalesce(e.account_id, l.account_id)::text, c.user_id, c.day, c.event, c.count, c.amount
        FROM of_events AS e FULL JOIN of_ledger AS l ON l.account_id = e.account_id,
            LATERAL health.cells(health.slice(coalesce(e.usage, '{}') OPERATOR(health.-) coalesce(l.usage, '{}'), $1, NULL)) AS c
        ORDER BY 2, 4, 3, 5 $query$,
        health_internal.compile_row_agg(source), source.event_rows, one, source.chunk_table::regclass, kind, changes, source.path)
    USING CASE WHEN pg_catalog.isfinite(first_day) THEN first_day END;
END;
$$;
COMMENT ON FUNCTION health_internal.verify_source(health_internal.ledger_source, text, date, date) IS
    'The cells in which the events of a source differ from its ledger';

CREATE FUNCTION health_internal.verify_as_owner(model text, account text)
RETURNS TABLE (source text, account_id text, user_id text, day date, event text, events bigint, amount numeric)
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
    version health_internal.model_version;
    today date;
    key text;
BEGIN
    PERFORM health_internal.open_model(model);
    tracking := health_internal.find_ready_tracking(model);
    version := health_internal.find_version(model, tracking.model_version);
    today := health_internal.model_today(version.document);
    BEGIN
        EXECUTE format('SELECT (%s)::pg_catalog.text', health_internal.account_key(tracking, format('%L::%s', account,
            tracking.account_type))) INTO key;
    EXCEPTION WHEN data_exception THEN
        PERFORM health_internal.raise_unknown_account(model, version, account);
    END;
    RETURN QUERY SELECT v.* FROM health_internal.ledger_source AS s,
                     LATERAL health_internal.verify_source(s, key,
                         health_internal.ledger_start(version.document, today), today) AS v
                 WHERE s.model = verify_as_owner.model;
END;
$$;
COMMENT ON FUNCTION health_internal.verify_as_owner(text, text) IS 'verify() as the owner of the model';

CREATE FUNCTION health.verify(model text, account text DEFAULT NULL)
RETURNS TABLE (source text, account_id text, user_id text, day date, event text, events bigint, amount numeric)
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.verify_as_owner($1, $2)', model, account)
        AS r (source text, account_id text, user_id text, day date, event text, events bigint, amount numeric);
END;
$$;
COMMENT ON FUNCTION health.verify(text, text) IS
    'Recomputes the ledger of a tracked model, or of one account, from its events and returns what differs: events and amounts that the '
        'events have '
    'more than the ledger with its changes to come. No row: none. Window mode: the last window_days only';

-- What cannot be an id of that type is nobody's.
CREATE FUNCTION health_internal.user_key(fields health_internal.model_field[], user_id text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    type CONSTANT regtype := (SELECT f.type FROM unnest(fields) AS f
                              WHERE f.field = 'user' AND f.source <> 'columns' OR f.source = 'users' AND f.field = 'id' LIMIT 1);
    key text;
BEGIN
    EXECUTE format('SELECT (%s)::text', health_internal.compile_key(format('%L::%s', user_id, health_internal.type_name(type)), type,
        health_internal.user_form(fields))) INTO key;
    RETURN key;
EXCEPTION WHEN data_exception THEN
    RETURN user_id;
END;
$$;
COMMENT ON FUNCTION health_internal.user_key(health_internal.model_field[], text) IS
    'A user id, given as text, as it is in the ledgers';

-- Whoever is in the user table comes back into rosters and lists of excluded users with the next refresh.
CREATE FUNCTION health_internal.compile_known_users(fields health_internal.model_field[]) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('SELECT %s%s AS user_id FROM %s WHERE %s', (users.id).expression, health_internal.user_cast(fields),
        (users.source).from_item,
        pg_catalog.concat_ws(' OR ', '(' || (users.account).expression || ' IS NOT NULL' || coalesce(' AND ' || (users.filter).expression,
            '') || ')', (users.exclude).expression))
    FROM (SELECT health_internal.field_of(fields, 'users', 'id') AS id, health_internal.field_of(fields, 'users', 'from') AS source,
                 health_internal.field_of(fields, 'users', 'account') AS account,
                 health_internal.field_of(fields, 'users', 'filter') AS filter,
                 health_internal.field_of(fields, 'users', 'exclude') AS exclude) AS users
    WHERE coalesce((users.account).expression, (users.exclude).expression) IS NOT NULL;
END;
COMMENT ON FUNCTION health_internal.compile_known_users(health_internal.model_field[]) IS
    'SQL of the ids of the users of the user source that rosters or the list of excluded users name; NULL when it gives neither';

CREATE FUNCTION health_internal.forget_user_as_owner(model text, user_id text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
    source health_internal.ledger_source;
    version health_internal.model_version;
    fields health_internal.model_field[];
    key text := user_id;
    known_users text;
    remaining boolean;
    changed bigint;
    chunks bigint := 0;
BEGIN
    IF user_id IS NULL THEN
        RAISE EXCEPTION 'model "%": the user to forget is NULL', model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the id of a user, as in the events: forget_user(model, user_id).';
    END IF;
    PERFORM health_internal.open_model(model);
    PERFORM health_internal.lock_tracking(model, true);
    tracking := health_internal.find_ready_tracking(model);
    version := health_internal.find_version(model, tracking.model_version);
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(version.document) AS f);
    key := health_internal.user_key(fields, user_id);
    -- What is deleted there is taken out of the ledger by its capture; taking it out twice would make it wrong.
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = forget_user_as_owner.model ORDER BY s.id LOOP
        PERFORM health_internal.look_names_up_in(source.search_path);
        EXECUTE pg_catalog.format('SELECT EXISTS (SELECT 1 FROM (%s) AS e WHERE e.user_id::pg_catalog.text = $1)', source.event_rows)
            INTO remaining USING key;
        IF remaining THEN
            RAISE EXCEPTION 'model "%": user "%" still has events in %', model, user_id, coalesce(source.relation_name, source.path)
                USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = 'Delete or anonymise the rows there first, and those of the user table.';
        END IF;
    END LOOP;
    PERFORM health_internal.look_names_up_in(version.search_path);
    known_users := health_internal.compile_known_users(fields);
    IF known_users IS NOT NULL THEN
        EXECUTE pg_catalog.format('SELECT EXISTS (SELECT 1 FROM (%s) AS k WHERE k.user_id::pg_catalog.text = $1)', known_users)
            INTO remaining USING key;
        IF remaining THEN
            RAISE EXCEPTION 'model "%": user "%" is still in %', model, user_id,
                coalesce(version.document #>> '{users,table}', 'the query of users')
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Delete or anonymise the row there first.';
        END IF;
    END IF;
    PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
    PERFORM health_internal.refresh_tracked(model);
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = forget_user_as_owner.model ORDER BY s.id LOOP
        EXECUTE format(
            'WITH put AS (UPDATE %1$s AS k SET usage = health.without_user(k.usage, $1) WHERE health.without_user(k.usage, $1) '
                'OPERATOR(health.<>) k.usage RETURNING k.account_id), '
            'stale AS (INSERT INTO %2$s SELECT b.account_id FROM %3$s AS b WHERE %4$s IN (SELECT p.account_id FROM put AS p) '
                'ON CONFLICT DO NOTHING) '
            'SELECT count(*) FROM put', source.chunk_table::regclass, health_internal.data_table('stale', tracking.id),
                health_internal.data_table('book', tracking.id),
            health_internal.account_key(tracking, 'b.account_id'))
        INTO changed USING key;
        chunks := chunks + changed;
    END LOOP;
    PERFORM health_internal.update_book(tracking, version);
    PERFORM health_internal.write_scores(tracking);
    RETURN chunks;
END;
$$;
COMMENT ON FUNCTION health_internal.forget_user_as_owner(text, text) IS 'forget_user() as the owner of the model';

CREATE FUNCTION health.forget_user(model text, user_id text) RETURNS bigint
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.chunks FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT health_internal.forget_user_as_owner($1, $2)', model, user_id) AS r (chunks bigint);
$$;
COMMENT ON FUNCTION health.forget_user(text, text) IS
    'Takes a user out of the ledgers and scores of a tracked model (top user included), once the rows of the user are gone from the '
        'tables; the history '
    'names no users. Returns the number of chunks that held the user';
-- status: how fresh a tracked model is, how far its reading has come, what went wrong.

CREATE FUNCTION health_internal.job_status(model_name text, OUT schedule text, OUT last_run timestamptz, OUT last_result text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    job record;
BEGIN
    SELECT j.jobid, j.schedule INTO job FROM health_internal.model_jobs(model_name) AS j LIMIT 1;
    schedule := job.schedule;
    IF job.jobid IS NOT NULL THEN
        EXECUTE format('SELECT d.start_time, d.status || coalesce('': '' || d.return_message, '''') FROM %I.job_run_details AS d '
                       'WHERE d.jobid = $1 AND d.start_time IS NOT NULL ORDER BY d.start_time DESC LIMIT 1', 'cron')
            INTO last_run, last_result USING job.jobid;
    END IF;
EXCEPTION WHEN insufficient_privilege OR undefined_table OR undefined_column THEN    -- not for everybody, not in every version
    NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.job_status(text) IS
    'Schedule and last run of the pg_cron job of a model, as far as the current user may see them';

-- What keeps changes from being captured, or a refresh from reading them, and somebody has to mend.
CREATE FUNCTION health_internal.find_capture_gap(source health_internal.ledger_source) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    code text;
BEGIN
    -- Names are looked up only with the right to the schema.
    code := health_internal.unreadable_reason(source);
    IF code IS NOT NULL THEN
        RETURN code;
    ELSIF to_regclass(source.relation_name) IS NULL THEN
        RETURN format('%s does not exist any more', source.relation_name);
    ELSIF to_regclass(source.relation_name) <> source.relation THEN
        RETURN format('to be read again: %s is another table now', source.relation_name);
    ELSIF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = source.chunk_table) THEN
        RETURN format('%s does not exist any more', health_internal.data_table_name('chunk', source.id));
    END IF;
    code := coalesce(health_internal.unfit_table(source.relation),
                     (SELECT format('no trigger captures the changes of %s', u.leaf)
                      FROM health_internal.uncaptured_leaf(source) AS u (leaf) WHERE u.leaf IS NOT NULL));
    IF code IS NULL THEN
        BEGIN
            code := health_internal.source_code(source);
        EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_object_definition OR invalid_schema_name
                       OR feature_not_supported THEN
            RETURN format('the rows of %s cannot be read: %s', source.relation::regclass, sqlerrm);
        END;
        code := CASE WHEN source.code <> code
            THEN 'to be read again: a function, type or column that its expressions use is another one now' END;
    END IF;
    RETURN code;
END;
$$;
COMMENT ON FUNCTION health_internal.find_capture_gap(health_internal.ledger_source) IS
    'Why changes of a tracked source are not captured, or cannot be read, at the moment; NULL when they are';

CREATE FUNCTION health_internal.statement_runs(pid integer, began timestamptz) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_statement_runs'
    LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION health_internal.statement_runs(integer, timestamptz) IS
    'Whether the statement that the session with that process began then still runs';

CREATE FUNCTION health_internal.status_as_owner(model text,
    OUT source text, OUT mode text, OUT phase text, OUT percent numeric, OUT events_read bigint, OUT rows_per_second bigint,
        OUT time_left interval,
    OUT changes_waiting bigint, OUT oldest_change interval, OUT bad_rows bigint, OUT tracking_broke text,
    OUT refreshed_at timestamptz, OUT refresh_ms float8, OUT accounts_rescored bigint, OUT scored_as_of date, OUT error text,
        OUT error_at timestamptz,
    OUT ledger_bytes bigint, OUT change_bytes bigint, OUT history_bytes bigint)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
    state health_internal.store_state;
    row_of record;
    ledger health_internal.ledger_source;
    gap text;
    reread text;
    has_changes boolean;
BEGIN
    PERFORM health_internal.open_model(model);
    tracking := health_internal.find_tracking(model);
    state := health_internal.read_state(tracking.id);
    refreshed_at := tracking.refreshed_at;
    refresh_ms := tracking.refresh_ms;
    accounts_rescored := tracking.rescored;
    scored_as_of := state.as_of;
    -- Of a session on another server, whose copy this is, nothing can be said here.
    IF NOT pg_is_in_recovery() AND NOT health_internal.statement_runs(tracking.refresh_pid, tracking.refresh_began) THEN
        tracking.error := format('the refresh that began at %s was cut off: its session was terminated, or the server went down',
                                 date_trunc('second', tracking.refresh_began));
        tracking.error_at := tracking.refresh_began;
    END IF;
    error := tracking.error;
    error_at := tracking.error_at;
    tracking_broke := state.broken;
    SELECT coalesce(sum(pg_total_relation_size(t.relid)), 0) INTO history_bytes
        FROM pg_partition_tree(to_regclass(health_internal.data_table('history', tracking.id))) AS t;
    FOR ledger IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = status_as_owner.model ORDER BY s.id LOOP
        source := ledger.path;
        mode := CASE WHEN ledger.window_days IS NULL THEN 'tracked' ELSE format('window of %s days', ledger.window_days) END;
        bad_rows := ledger.bad_rows;
        ledger_bytes := pg_total_relation_size(to_regclass(health_internal.data_table_name('chunk', ledger.id)));
        changes_waiting := NULL;
        oldest_change := NULL;
        change_bytes := NULL;
        gap := NULL;
        reread := NULL;
        IF ledger.window_days IS NULL THEN
            has_changes := health_internal.is_change_table(ledger.change_table, ledger.owner::oid);
            gap := health_internal.find_capture_gap(ledger);
            IF gap IS NULL THEN
                reread := health_internal.find_restart_reason(ledger);
            END IF;
            IF has_changes THEN
                change_bytes := pg_total_relation_size(ledger.change_table);
                EXECUTE format('SELECT coalesce(sum(health_internal.count_changes(c.changes)), 0), clock_timestamp() - min(c.written_at) '
                               'FROM %s AS c', ledger.change_table::regclass) INTO changes_waiting, oldest_change;
            END IF;
        END IF;
        SELECT round(100.0 * coalesce(sum(b.weight) FILTER (WHERE b.snapshot IS NOT NULL), 0) / greatest(sum(b.weight), 1), 1) AS percent,
               sum(b.events) AS events, sum(b.events) / nullif(sum(extract(epoch FROM b.ended_at - b.started_at)), 0) AS rate,
               sum(extract(epoch FROM b.ended_at - b.started_at)) / nullif(sum(b.weight) FILTER (WHERE b.snapshot IS NOT NULL), 0)
                   * sum(b.weight) FILTER (WHERE b.snapshot IS NULL) AS seconds_left
        INTO row_of
        FROM (SELECT b.*, greatest(least(b.to_block, pg_relation_size(b.leaf) / current_setting('block_size')::bigint) - b.from_block,
            1) AS weight
              FROM health_internal.ledger_batch AS b WHERE b.source = ledger.id) AS b;
        percent := CASE WHEN ledger.read_at IS NOT NULL THEN 100 ELSE coalesce(row_of.percent, 0) END;
        events_read := row_of.events;
        rows_per_second := round(row_of.rate);
        time_left := CASE WHEN ledger.read_at IS NULL THEN make_interval(secs => round(row_of.seconds_left)::float8) END;
        phase := CASE
            WHEN gap IS NOT NULL THEN gap
            WHEN ledger.read_at IS NULL AND row_of.percent > 0 THEN 'reading'
            WHEN ledger.read_at IS NULL THEN 'to be read'
            WHEN tracking.error IS NOT NULL THEN 'failing'
            WHEN reread IS NOT NULL THEN 'to be read again: ' || reread
            WHEN state.broken IS NOT NULL THEN 'frozen'
            WHEN tracking.model_version IS NULL THEN 'to be scored'
            ELSE 'fresh' END;
        RETURN NEXT;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.status_as_owner(text) IS 'status() as the owner of the model, without its job';

-- The job is the caller's: pg_cron shows everybody his own.
CREATE FUNCTION health.status(model text,
    OUT source text, OUT mode text, OUT phase text, OUT percent numeric, OUT events_read bigint, OUT rows_per_second bigint,
        OUT time_left interval,
    OUT changes_waiting bigint, OUT oldest_change interval, OUT bad_rows bigint, OUT tracking_broke text,
    OUT refreshed_at timestamptz, OUT refresh_ms float8, OUT accounts_rescored bigint, OUT scored_as_of date, OUT error text,
        OUT error_at timestamptz,
    OUT ledger_bytes bigint, OUT change_bytes bigint, OUT history_bytes bigint, OUT schedule text, OUT last_job timestamptz,
        OUT last_job_result text)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.*, j.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.status_as_owner($1)', model)
        AS r (source text, mode text, phase text, percent numeric, events_read bigint, rows_per_second bigint, time_left interval,
              changes_waiting bigint, oldest_change interval, bad_rows bigint, tracking_broke text, refreshed_at timestamptz,
                  refresh_ms float8,
              accounts_rescored bigint, scored_as_of date, error text, error_at timestamptz, ledger_bytes bigint, change_bytes bigint,
              history_bytes bigint), health_internal.job_status(model) AS j;
END;
$$;
COMMENT ON FUNCTION health.status(text) IS
    'One row per event source of a tracked model: mode, phase (to be read, reading, fresh, failing, frozen), how far reading has come, '
        'changes that wait '
    'with the age of the oldest, rows that are no events, the last refresh, the last error, sizes in bytes, the pg_cron job';
-- The signals of all accounts of a tracked model on any dates, as measured, from its ledger.

CREATE FUNCTION health_internal.signal_values_at_as_owner(model text, dates date[], OUT account_id text, OUT raw float8[])
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking := health_internal.find_ready_tracking(model);
    document jsonb := (health_internal.find_version(model, tracking.model_version)).document;
BEGIN
    RETURN QUERY EXECUTE format('SELECT %s, health_internal.raw_values(%L::jsonb, %s, $1) FROM (%s) AS l',
                                health_internal.account_text(tracking, 'l.account_id'),
                                health_internal.scoring_document(document), health_internal.compile_state('l."$parts"'),
                                health_internal.compile_book_rows(tracking, document)) USING dates;
END;
$$;
COMMENT ON FUNCTION health_internal.signal_values_at_as_owner(text, date[]) IS 'signal_values_at() as the owner of the model';

CREATE FUNCTION health.signal_values_at(model text, dates date[], OUT account_id text, OUT raw float8[])
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 10000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.signal_values_at_as_owner($1, $2::date[])', model, health_internal.iso_text(dates))
        AS r (account_id text, raw float8[]);
END;
$$;
COMMENT ON FUNCTION health.signal_values_at(text, date[]) IS
    'the values of all signals as measured, of every account of a tracked model on each of some dates, from its ledger as of the last '
        'refresh: '
    'row n of raw is of dates[n], its columns are the signals in the order of the model; NULL for groups, categories and unknown values';
-- Dropping a model with everything that was made of it.

CREATE FUNCTION health_internal.drop_model_as_owner(name text, cascade boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made health_internal.score_view;
    label text;
BEGIN
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = drop_model_as_owner.name
                ORDER BY s.schema_name, s.view_name LOOP
        label := format('%I.%I', made.schema_name, made.view_name);
        IF NOT cascade THEN
            RAISE EXCEPTION 'cannot drop model "%" because score view % scores it', name, label
                USING ERRCODE = 'dependent_objects_still_exist',
                      HINT = format('SELECT health.drop_score_view(%L), or drop_model(..., cascade => true).', label);
        END IF;
        PERFORM health_internal.drop_view_as_owner(made.schema_name, made.view_name, cascade);
    END LOOP;
    PERFORM health_internal.remove_tracking(t) FROM health_internal.tracking AS t WHERE t.model = drop_model_as_owner.name;
    PERFORM health_internal.delete_rows(name, 'model');
END;
$$;
COMMENT ON FUNCTION health_internal.drop_model_as_owner(text, boolean) IS 'drop_model() as the owner of the model';

CREATE FUNCTION health.drop_model(name text, cascade boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner regrole := (health_internal.find_model(name)).owner;
BEGIN
    -- Without its owner a model has nothing left but its rows.
    IF NOT EXISTS (SELECT 1 FROM pg_roles AS r WHERE r.oid = owner) THEN
        owner := quote_ident(current_user)::regrole;
    END IF;
    PERFORM health_internal.remove_job(name);
    PERFORM health_internal.run_as_owner(owner, NULL, 'SELECT health_internal.drop_model_as_owner($1, $2::boolean)', name, cascade::text);
END;
$$;
COMMENT ON FUNCTION health.drop_model(text, boolean) IS
    'Drops a model with all its versions; refuses while score views exist, unless cascade => true drops them as well';
-- Another name for a model, which keeps its versions, ledgers, scores, history and score views.

-- The rows of the model itself first: its versions may change while there is no model of their name.
CREATE FUNCTION health_internal.rename_rows(model text, arguments text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_name CONSTANT text := arguments[1];
BEGIN
    UPDATE health_internal.model_table AS m SET name = new_name WHERE m.name = rename_rows.model;
    UPDATE health_internal.model_version_table AS v SET model = new_name WHERE v.model = rename_rows.model;
    UPDATE health_internal.score_view_table AS s SET model = new_name WHERE s.model = rename_rows.model;
    UPDATE health_internal.tracking_table AS t SET model = new_name WHERE t.model = rename_rows.model;
    UPDATE health_internal.ledger_source_table AS s SET model = new_name WHERE s.model = rename_rows.model;
    UPDATE health_internal.score_override_table AS o SET model = new_name WHERE o.model = rename_rows.model;
    UPDATE health_internal.csm_pulse_table AS p SET model = new_name WHERE p.model = rename_rows.model;
    UPDATE health_internal.calibration_table AS c SET model = new_name WHERE c.model = rename_rows.model;
END;
$$;
COMMENT ON FUNCTION health_internal.rename_rows(text, text[]) IS 'rename_model() in the catalog, run by act_on_model(): the new name';

CREATE FUNCTION health_internal.rename_model_as_owner(name text, new_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made health_internal.score_view;
    tracked record;
BEGIN
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = rename_model_as_owner.name FOR UPDATE;
    PERFORM 1 FROM health_internal.tracking AS t WHERE t.model = rename_model_as_owner.name FOR UPDATE;
    PERFORM health_internal.act_on_model(name, 'rename_rows', new_name);
    -- Compiled SQL looks for overrides and pulses by the name.
    UPDATE health_internal.tracking AS t
    SET book_query = health_internal.compile_book(t, health_internal.find_version(new_name, t.model_version))
    WHERE t.model = new_name AND t.model_version IS NOT NULL;
    -- Score views say the name in a column, tables in their comments.
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = new_name ORDER BY s.schema_name, s.view_name LOOP
        PERFORM health_internal.rebuild_score_view(made, health_internal.find_version(new_name, made.model_version));
    END LOOP;
    FOR tracked IN SELECT health_internal.data_table(k.kind, i.id) AS data_table, k.purpose
                   FROM (SELECT t.id, false AS is_source FROM health_internal.tracking AS t WHERE t.model = new_name
                         UNION ALL SELECT s.id, true FROM health_internal.ledger_source AS s WHERE s.model = new_name) AS i
                   CROSS JOIN LATERAL health_internal.data_kinds() AS k
                   WHERE health_internal.is_source_kind(k.kind) = i.is_source LOOP
        IF to_regclass(tracked.data_table) IS NOT NULL THEN
            EXECUTE format('COMMENT ON TABLE %s IS %L', tracked.data_table, format(tracked.purpose, new_name));
        END IF;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.rename_model_as_owner(text, text) IS 'rename_model() as the owner of the model';

CREATE FUNCTION health.rename_model(name text, new_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(name);
    cron text := (health_internal.job_status(name)).schedule;
    scheduled boolean;
BEGIN
    PERFORM health_internal.check_model_name(new_name);
    scheduled := health_internal.remove_job(name);
    PERFORM health_internal.run_as_owner(opened.owner, NULL, 'SELECT health_internal.rename_model_as_owner($1, $2)', name, new_name);
    IF scheduled THEN
        PERFORM health.schedule(new_name, cron);
    END IF;
END;
$$;
COMMENT ON FUNCTION health.rename_model(text, text) IS
    'Gives a model another name; versions, ledgers, scores, history, score views with their grants and the pg_cron job stay. Refuses, with '
    'what is in the way, while other objects depend on a score view';
-- Overrides: a person decides about a score, for a time, and says why.

-- What plain score views have as literals. The others are on stored relations and read the catalog when they are refreshed.
CREATE FUNCTION health_internal.renew_literals(model_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made health_internal.score_view;
    store health_internal.store;
    base record;
BEGIN
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = model_name AND NOT s.materialized
                ORDER BY s.schema_name, s.view_name LOOP
        store := health_internal.open_store(health_internal.find_version(model_name, made.model_version));
        CONTINUE WHEN store.has_scores;
        SELECT c.* INTO base FROM health_internal.compile_score_view(made.schema_name, made.view_name, store, true) AS c
        WHERE c.suffix = '_ledger';
        IF to_regclass(base.relation) IS NOT NULL THEN
            PERFORM health_internal.check_relation_owner(made, base.relation);
            PERFORM health_internal.replace_view(base.relation, base.query, (store.version).search_path);
        END IF;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.renew_literals(text) IS
    'Brings plain score views of a model, which cannot read the catalog for their readers, to its present overrides and pulses';

CREATE FUNCTION health_internal.check_override(model text, account text, kind text, value float8, owner text, reason text, expires date,
    today date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF value IS NULL OR value = 'NaN' OR value < 0 OR value > 100 THEN
        RAISE EXCEPTION 'model "%": the % of account "%" must be a score from 0 to 100, not %', model, kind, account,
            coalesce(value::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = format('For example %s => 40.', kind);
    ELSIF coalesce(btrim(reason), '') = '' THEN
        RAISE EXCEPTION 'model "%": the override of account "%" has no reason', model, account
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Whoever reads the score reads it: reason => ''sponsor left''.';
    ELSIF coalesce(btrim(owner), '') = '' THEN
        RAISE EXCEPTION 'model "%": the override of account "%" has no owner', model, account
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave owner out: it is you then.';
    ELSIF expires <= today OR NOT isfinite(expires) THEN
        RAISE EXCEPTION 'model "%": the override of account "%" would expire on %, but the model is scored as of % already', model, account,
            expires, today
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'expires is the first day on which it does not hold any more; without it, it holds until it is ended.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_override(text, text, text, float8, text, text, date, date) IS
    'Raises an error unless there can be such an override on the day that a model is scored as of';

-- Overrides of a model are made and ended one after the other.
CREATE FUNCTION health_internal.close_override(model text, account text, today date, caller text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = close_override.model FOR UPDATE;
    UPDATE health_internal.score_override AS o SET ended = today, ended_by = caller
    WHERE o.model = close_override.model AND o.account = close_override.account AND o.ended IS NULL
      AND (o.expires IS NULL OR o.expires > today);
    RETURN FOUND;
END;
$$;
COMMENT ON FUNCTION health_internal.close_override(text, text, date, text) IS
    'Ends the present override of an account; whether there was one';

CREATE FUNCTION health_internal.override_as_owner(model text, account text, kind text, value float8, owner text, reason text,
    expires date, caller text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    today CONSTANT date := health_internal.model_today(version.document);
    id CONSTANT text := health_internal.find_account(model, version, account);
BEGIN
    PERFORM health_internal.check_override(model, account, kind, value, owner, reason, expires, today);
    PERFORM health_internal.close_override(model, id, today, caller);
    INSERT INTO health_internal.score_override (model, account, number, kind, value, owner, reason, from_day, expires, created_by)
    SELECT override_as_owner.model, id, coalesce(max(o.number), 0) + 1, override_as_owner.kind, override_as_owner.value,
           btrim(override_as_owner.owner), btrim(override_as_owner.reason), today, override_as_owner.expires, caller
    FROM health_internal.score_override AS o WHERE o.model = override_as_owner.model AND o.account = id;
    PERFORM health_internal.renew_literals(model);
END;
$$;
COMMENT ON FUNCTION health_internal.override_as_owner(text, text, text, float8, text, text, date, text) IS
    'override() as the owner of the model';

CREATE FUNCTION health.override(model text, account text, score float8 DEFAULT NULL, cap float8 DEFAULT NULL, floor float8 DEFAULT NULL,
                                reason text DEFAULT NULL, expires date DEFAULT NULL, owner text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
BEGIN
    IF num_nonnulls(score, cap, floor) <> 1 THEN
        RAISE EXCEPTION 'model "%": an override of account "%" is one of score, cap and floor, not %', model, account,
            CASE num_nonnulls(score, cap, floor) WHEN 0 THEN 'none' ELSE 'several' END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'For example health.override(model, account, cap => 40, reason => ''sponsor left'').';
    END IF;
    PERFORM health_internal.run_as_owner(opened.owner, 'pg_catalog, pg_temp',
        'SELECT health_internal.override_as_owner($1, $2, $3, $4::float8, $5, $6, $7::date, $8)', model, account,
        CASE WHEN score IS NOT NULL THEN 'score' WHEN cap IS NOT NULL THEN 'cap' ELSE 'floor' END,
        health_internal.number_text(coalesce(score, cap, floor)), coalesce(owner, current_user::text), reason,
        health_internal.iso_text(expires), current_user::text);
END;
$$;
COMMENT ON FUNCTION health.override(text, text, float8, float8, float8, text, date, text) IS
    'Decides about the score of an account, for those who may act as the owner of the model: that it is this, not above this (cap) or not '
    'below this (floor), 0 to 100, with a reason, from the day that the model is scored as of until it expires (NULL: until it is ended). '
    'Takes the place of the present one. Scores that are kept show it after the next refresh';

CREATE FUNCTION health.override(model text, account bigint, score float8 DEFAULT NULL, cap float8 DEFAULT NULL, floor float8 DEFAULT NULL,
                                reason text DEFAULT NULL, expires date DEFAULT NULL, owner text DEFAULT NULL) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health.override(model, account::pg_catalog.text, score, cap, floor, reason, expires, owner);
END;
COMMENT ON FUNCTION health.override(text, bigint, float8, float8, float8, text, date, text) IS 'override() for a numeric account id';

CREATE FUNCTION health.override(model text, account uuid, score float8 DEFAULT NULL, cap float8 DEFAULT NULL, floor float8 DEFAULT NULL,
                                reason text DEFAULT NULL, expires date DEFAULT NULL, owner text DEFAULT NULL) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health.override(model, account::pg_catalog.text, score, cap, floor, reason, expires, owner);
END;
COMMENT ON FUNCTION health.override(text, uuid, float8, float8, float8, text, date, text) IS 'override() for a uuid account id';

CREATE FUNCTION health_internal.end_override_as_owner(model text, account text, caller text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    id CONSTANT text := health_internal.find_account(model, version, account);
BEGIN
    IF NOT health_internal.close_override(model, id, health_internal.model_today(version.document), caller) THEN
        RAISE EXCEPTION 'model "%": the score of account "%" is not overridden', model, account
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT * FROM health.overrides(%L) lists what is.', model);
    END IF;
    PERFORM health_internal.renew_literals(model);
END;
$$;
COMMENT ON FUNCTION health_internal.end_override_as_owner(text, text, text) IS 'end_override() as the owner of the model';

CREATE FUNCTION health.end_override(model text, account text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.run_as_owner((health_internal.open_model(model)).owner, 'pg_catalog, pg_temp',
        'SELECT health_internal.end_override_as_owner($1, $2, $3)', model, account, current_user::text);
END;
$$;
COMMENT ON FUNCTION health.end_override(text, text) IS
    'Ends the override of an account: from the day that the model is scored as of its score is that of its signals again. Past scores stay';

CREATE FUNCTION health.end_override(model text, account bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health.end_override(model, account::pg_catalog.text);
END;
COMMENT ON FUNCTION health.end_override(text, bigint) IS 'end_override() for a numeric account id';

CREATE FUNCTION health.end_override(model text, account uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health.end_override(model, account::pg_catalog.text);
END;
COMMENT ON FUNCTION health.end_override(text, uuid) IS 'end_override() for a uuid account id';

CREATE FUNCTION health.overrides(model text, OUT account text, OUT kind text, OUT value float8, OUT owner text, OUT reason text,
    OUT from_day date, OUT expires date, OUT ended date, OUT ended_by text, OUT created_at timestamptz, OUT created_by text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.find_model(model);
    RETURN QUERY SELECT o.account, o.kind, o.value, o.owner, o.reason, o.from_day, o.expires, o.ended, o.ended_by, o.created_at,
                        o.created_by
                 FROM health_internal.score_override AS o WHERE o.model = overrides.model ORDER BY o.account, o.number;
END;
$$;
COMMENT ON FUNCTION health.overrides(text) IS
    'Every override of a model that there ever was, by account and in order: what was decided (score, cap or floor), by whom and why; the '
    'first day that it holds for, the first that it does not any more (expires: by itself; ended: because it was ended or replaced, by '
    'whom), when and by which role it was made';
-- Pulses: what people who know an account say of it, as a signal that expires.

-- The day on which something is said is the last that the scores of tomorrow see: with as_of "tomorrow" the model is a day ahead.
CREATE FUNCTION health_internal.pulse_day(document jsonb) RETURNS date
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.model_today(document) - CASE document ->> 'as_of' WHEN 'tomorrow' THEN 1 ELSE 0 END;
END;
COMMENT ON FUNCTION health_internal.pulse_day(jsonb) IS 'The local day of what is said now: today, or the fixed day of the model';

CREATE FUNCTION health_internal.pulse_as_owner(model text, account text, value integer, note text, caller text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    id CONSTANT text := health_internal.find_account(model, version, account);
BEGIN
    IF value IS NULL OR value NOT BETWEEN 1 AND 5 THEN
        RAISE EXCEPTION 'model "%": the pulse of account "%" must be 1 (worst) to 5 (best), not %', model, account,
            coalesce(value::text, 'NULL') USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = pulse_as_owner.model FOR UPDATE;
    INSERT INTO health_internal.csm_pulse (model, account, number, day, value, note, owner)
    SELECT pulse_as_owner.model, id, coalesce(max(p.number), 0) + 1, health_internal.pulse_day(version.document), pulse_as_owner.value,
           nullif(btrim(pulse_as_owner.note), ''), caller
    FROM health_internal.csm_pulse AS p WHERE p.model = pulse_as_owner.model AND p.account = id;
    PERFORM health_internal.renew_literals(model);
END;
$$;
COMMENT ON FUNCTION health_internal.pulse_as_owner(text, text, integer, text, text) IS 'pulse() as the owner of the model';

CREATE FUNCTION health.pulse(model text, account text, value integer, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.run_as_owner((health_internal.open_model(model)).owner, 'pg_catalog, pg_temp',
        'SELECT health_internal.pulse_as_owner($1, $2, $3::integer, $4, $5)', model, account, value::text, note, current_user::text);
END;
$$;
COMMENT ON FUNCTION health.pulse(text, text, integer, text) IS
    'Says how an account does, 1 (worst) to 5 (best), for those who may act as the owner of the model. Signals with "pulse" take the last '
    'one of the days before as_of, as long as it is young enough';

CREATE FUNCTION health.pulse(model text, account bigint, value integer, note text DEFAULT NULL) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health.pulse(model, account::pg_catalog.text, value, note);
END;
COMMENT ON FUNCTION health.pulse(text, bigint, integer, text) IS 'pulse() for a numeric account id';

CREATE FUNCTION health.pulse(model text, account uuid, value integer, note text DEFAULT NULL) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health.pulse(model, account::pg_catalog.text, value, note);
END;
COMMENT ON FUNCTION health.pulse(text, uuid, integer, text) IS 'pulse() for a uuid account id';

CREATE FUNCTION health.pulses(model text, OUT account text, OUT day date, OUT value integer, OUT note text, OUT owner text,
    OUT created_at timestamptz) RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.find_model(model);
    RETURN QUERY SELECT p.account, p.day, p.value, p.note, p.owner, p.created_at
                 FROM health_internal.csm_pulse AS p WHERE p.model = pulses.model ORDER BY p.account, p.number;
END;
$$;
COMMENT ON FUNCTION health.pulses(text) IS
    'Every pulse that was ever given of the accounts of a model, by account and in order: the local day, 1 (worst) to 5 (best), note, by '
    'which role and when';
-- Who may do what. Functions run with the rights of their caller. The rows of the catalog that others see and change they see and change
-- through its views (document/catalog.sql); what stored SQL does, it does as the owner of its model (run_as_owner.sql).

GRANT USAGE ON SCHEMA health, health_internal, health_data TO PUBLIC;
GRANT SELECT ON health_internal.preset TO PUBLIC;
GRANT SELECT ON health_internal.known_model, health_internal.known_score_view, health_internal.known_source TO PUBLIC;

-- By columns: the right to UPDATE or DELETE a whole relation is one to lock it. Names are keys that versions and views refer to, and
-- numbers those of tables: they stay as they were given. There is no UPDATE of versions: they are immutable.
GRANT SELECT ON health_internal.model, health_internal.model_version, health_internal.score_view, health_internal.tracking,
                health_internal.ledger_source, health_internal.ledger_batch, health_internal.ledger_day, health_internal.capture_gap,
                health_internal.score_override, health_internal.csm_pulse, health_internal.calibration
    TO PUBLIC;
GRANT INSERT (name, owner, current_version, comment), UPDATE (owner, current_version, comment) ON health_internal.model TO PUBLIC;
GRANT INSERT (model, version, definition, document, search_path) ON health_internal.model_version TO PUBLIC;
GRANT INSERT (schema_name, view_name, model, model_version, materialized), UPDATE (model, model_version, materialized, compiled_by)
    ON health_internal.score_view TO PUBLIC;
GRANT INSERT (model, account, number, kind, value, owner, reason, from_day, expires, created_by), UPDATE (ended, ended_by)
    ON health_internal.score_override TO PUBLIC;
GRANT INSERT (model, account, number, day, value, note, owner) ON health_internal.csm_pulse TO PUBLIC;
GRANT INSERT (model, version, kind, number, method, map, outcome, horizon, gap, from_date, to_date, n, events, brier, skill, created_by)
    ON health_internal.calibration TO PUBLIC;
DO $$
DECLARE
    relation regclass;
    columns text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['health_internal.tracking', 'health_internal.ledger_source', 'health_internal.ledger_batch',
                                    'health_internal.ledger_day']::regclass[] LOOP
        SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ') INTO columns FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = relation AND a.attnum > 0 AND a.attname NOT IN ('id', 'owner');
        EXECUTE pg_catalog.format('GRANT INSERT (%1$s), UPDATE (%1$s) ON %2$s TO PUBLIC', columns, relation);
    END LOOP;
END;
$$;

-- Who owns the database dumps it and restores it. The triggers of the tables refuse rows of models that he could not act for.
DO $$
DECLARE
    kept record;
    described record;
BEGIN
    FOR kept IN SELECT c.oid::regclass AS relation, c.relkind
                FROM pg_catalog.pg_extension AS e, pg_catalog.unnest(e.extconfig) AS k (relation)
                JOIN pg_catalog.pg_class AS c ON c.oid = k.relation WHERE e.extname = 'account_health' LOOP
        EXECUTE pg_catalog.format(CASE kept.relkind WHEN 'S' THEN 'GRANT USAGE, SELECT, UPDATE ON SEQUENCE %s TO pg_database_owner'
                                                    ELSE 'GRANT SELECT, INSERT ON TABLE %s TO pg_database_owner' END, kept.relation);
    END LOOP;
    -- Columns of the views are those of the tables.
    FOR described IN
        SELECT v.oid::regclass AS relation, a.attname, pg_catalog.col_description(t.oid, b.attnum) AS words
        FROM pg_catalog.pg_class AS v JOIN pg_catalog.pg_class AS t ON t.relnamespace = v.relnamespace AND t.relname = v.relname || '_table'
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = v.oid AND a.attnum > 0
        LEFT JOIN pg_catalog.pg_attribute AS b ON b.attrelid = t.oid AND b.attname = a.attname
        WHERE v.relnamespace = 'health_internal'::regnamespace AND v.relkind = 'v'
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', described.relation, described.attname,
                                  coalesce(described.words, 'Role that the model belongs to'));
    END LOOP;
END;
$$;
-- Its own tables come back to their names.
GRANT CREATE ON SCHEMA health_data TO pg_database_owner;
-- What people call, as they call it: an error of theirs comes as message, detail and hint, without the frames and the SQL of what is
-- inside. A function of schema health that is written in SQL or PL/pgSQL is therefore two: it stands where its file has it, and at the end
-- of the script its body moves to the function of the same name in health_internal, behind one in C that calls it (src/pg/surface.cpp).

CREATE FUNCTION health_internal.hide_internals() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shown record;
BEGIN
    FOR shown IN
        SELECT p.*, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind, pg_get_functiondef(p.oid) AS definition,
               pg_get_function_identity_arguments(p.oid) AS identity, pg_get_function_arguments(p.oid) AS arguments,
               pg_get_function_result(p.oid) AS result
        FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname IN ('sql', 'plpgsql')
        WHERE p.pronamespace = 'health'::regnamespace AND p.prokind IN ('f', 'p')
    LOOP
        EXECUTE overlay(shown.definition PLACING 'health_internal.' FROM position('health.' IN shown.definition) FOR length('health.'));
        EXECUTE format('COMMENT ON %s health_internal.%I(%s) IS %L', shown.kind, shown.proname, shown.identity,
                       format('The inside of health.%s, whose errors have no frames of it', shown.proname));
        EXECUTE concat_ws(' ', format('CREATE OR REPLACE %s health.%I(%s)', shown.kind, shown.proname, shown.arguments),
                          'RETURNS ' || shown.result, 'LANGUAGE c',
                          CASE WHEN shown.prokind = 'f' THEN concat_ws(' ',
                              CASE shown.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
                              CASE WHEN shown.proisstrict THEN 'STRICT' END,
                              CASE shown.proparallel WHEN 's' THEN 'PARALLEL SAFE' WHEN 'r' THEN 'PARALLEL RESTRICTED' END,
                              format('COST %s', shown.procost), 'ROWS ' || nullif(shown.prorows, 0)) END,
                          $c$AS 'MODULE_PATHNAME', 'health_surface'$c$);
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.hide_internals() IS
    'Moves the body of every function of schema health that is SQL or PL/pgSQL to health_internal, and puts one in C in its place, which '
    'calls it and keeps the frames of its errors from the caller; for scripts that install and upgrade, as their last statement';

SELECT health_internal.hide_internals();
