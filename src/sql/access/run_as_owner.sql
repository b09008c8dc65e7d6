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
