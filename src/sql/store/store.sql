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
    'SQL of one of the relations of a score view: _ledger, the scores (no suffix), _signals, _history, _users; the columns are the same '
    'of every kind of store';

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
