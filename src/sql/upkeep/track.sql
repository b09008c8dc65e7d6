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
