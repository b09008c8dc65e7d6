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
        || CASE WHEN c.document ? 'facts' THEN pg_catalog.jsonb_build_object('facts', c.document -> 'facts') ELSE '{}' END
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
