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
        grants := grants || health_internal.relation_grants(made, version);
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
