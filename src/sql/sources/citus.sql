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
