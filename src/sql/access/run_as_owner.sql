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
