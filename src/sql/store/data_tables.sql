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
