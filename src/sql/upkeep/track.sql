-- track and untrack: whether a model has ledgers beside its event tables.

CREATE FUNCTION health_internal.account_type(model_name text, version health_internal.model_version) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    RETURN pg_catalog.format_type((health_internal.compile_model(version.document, version.version, usage_from => 'nothing',
        model_name => model_name)).account_type, -1);
END;
$$;
COMMENT ON FUNCTION health_internal.account_type(text, health_internal.model_version) IS 'SQL name of the type of a model''s account ids';

CREATE FUNCTION health_internal.remove_tracking(tracking health_internal.tracking) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id integer := tracking.id;
    source health_internal.ledger_source;
BEGIN
    -- guard triggers_first {
    -- instead: FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = tracking.model LOOP
    -- instead:     EXECUTE format('DROP TABLE IF EXISTS %s', health_internal.data_table('change', source.id));
    -- instead: END LOOP;
    -- }
    -- Triggers first: their locks wait for writers, who then find nothing that they could wait for in turn.
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = tracking.model ORDER BY s.id LOOP
        IF EXISTS (SELECT 1 FROM pg_trigger AS t WHERE t.tgrelid = source.relation
            AND t.tgname = health_internal.trigger_name(source.id)) THEN
            BEGIN
                EXECUTE format('DROP TRIGGER %I ON %s', health_internal.trigger_name(source.id), source.relation::regclass);
            EXCEPTION WHEN insufficient_privilege THEN    -- the right to create triggers is not that to drop them
                RAISE EXCEPTION 'model "%": permission denied to drop the trigger on %', tracking.model, source.relation::regclass
                    USING ERRCODE = 'insufficient_privilege',
                          HINT = format('Its owner runs: DROP TRIGGER %I ON %s; then call untrack again.',
                              health_internal.trigger_name(source.id), source.relation::regclass);
            END;
        END IF;
    END LOOP;
    PERFORM health_internal.drop_book(id);
    EXECUTE format('DROP TABLE IF EXISTS %s, %s', health_internal.data_table('history', id), health_internal.data_table('stale', id));
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = tracking.model ORDER BY s.id LOOP
        EXECUTE format('DROP TABLE IF EXISTS %s', concat_ws(', ', health_internal.data_table('chunk', source.id),
                                                            CASE WHEN source.window_days IS NULL THEN health_internal.data_table('change',
                                                                source.id) END));
    END LOOP;
    PERFORM health_internal.delete_rows(tracking.model, 'tracking');
END;
$$;
COMMENT ON FUNCTION health_internal.remove_tracking(health_internal.tracking) IS
    'Takes the triggers of a tracked model off, drops its tables and its catalog rows';

CREATE FUNCTION health_internal.track_as_owner(model text, window_days integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    version health_internal.model_version := health_internal.find_version(model, opened.current_version);
    source health_internal.ledger_source;
    sources integer := 0;
    account_type text;
    id integer;
BEGIN
    IF EXISTS (SELECT 1 FROM health_internal.tracking AS t WHERE t.model = track_as_owner.model) THEN
        RAISE EXCEPTION 'model "%" is tracked already', model
            USING ERRCODE = 'duplicate_object', HINT = format('SELECT health.untrack(%L); first, to track it in another way.', model);
    ELSIF window_days NOT BETWEEN 1 AND 3650 THEN
        RAISE EXCEPTION 'model "%": window_days must be from 1 to 3650, not %', model, window_days
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    account_type := health_internal.account_type(model, version);
    INSERT INTO health_internal.tracking (model, ledger_key, account_type, account_kind)
    VALUES (model, health_internal.ledger_key(version.document), account_type, 'text') RETURNING tracking.id INTO id;
    FOR source IN SELECT s.* FROM health_internal.compile_ledger_sources(model, version, window_days) AS s LOOP
        IF window_days IS NULL THEN
            PERFORM health_internal.check_trackable(source);
        END IF;
        PERFORM health_internal.create_ledger_source(source);
        UPDATE health_internal.tracking AS t SET account_kind = source.account_kind WHERE t.model = track_as_owner.model;
        sources := sources + 1;
    END LOOP;
    IF sources = 0 THEN
        RAISE EXCEPTION 'model "%" has no event source to track', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Score views of such a model cost little: refresh_score_views(model) is enough.';
    END IF;
    PERFORM health_internal.create_data_table('history', id, '{account_id,month,days,scores,spans}',
        ARRAY[account_type::regtype] || '{date,smallint[],float8[],health_internal.history_span[]}'::regtype[], '{account_id,month}',
            partition_by => 'month');
    PERFORM health_internal.create_data_table('stale', id, '{account_id}', ARRAY[account_type::regtype], '{account_id}');
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
    made health_internal.score_view;
BEGIN
    PERFORM health_internal.open_model(model);
    -- Score views become what they were made as, and read the events again.
    UPDATE health_internal.tracking AS t SET model_version = NULL WHERE t.id = tracking.id;
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = untrack_as_owner.model ORDER BY s.schema_name,
        s.view_name LOOP
        PERFORM health_internal.rebuild_score_view(made, health_internal.find_version(model,
            (health_internal.find_model(model)).current_version));
    END LOOP;
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
