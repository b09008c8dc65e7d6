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
