-- What a new version of a model means for its ledgers, its tables and its score views.

-- A changed source means another ledger; anything else only means to score everything again.
CREATE FUNCTION health_internal.adopt_sources(tracking health_internal.tracking, version health_internal.model_version)
    RETURNS health_internal.tracking
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key jsonb := health_internal.ledger_key(version.document);
    window_days integer := (SELECT min(s.window_days) FROM health_internal.ledger_source AS s WHERE s.model = tracking.model);
BEGIN
    IF tracking.ledger_key = key THEN
        RETURN tracking;
    END IF;
    RAISE NOTICE 'model "%": version % has other sources: their events are read from the start', tracking.model, version.version;
    UPDATE health_internal.tracking AS t SET model_version = NULL WHERE t.id = tracking.id;
    PERFORM health_internal.rebuild_score_view(s, version) FROM health_internal.score_view AS s WHERE s.model = tracking.model;
    PERFORM health_internal.remove_tracking(tracking);
    PERFORM health_internal.track_as_owner(tracking.model, window_days);
    RETURN health_internal.find_tracking(tracking.model);
END;
$$;
COMMENT ON FUNCTION health_internal.adopt_sources(health_internal.tracking, health_internal.model_version) IS
    'Tracks a model anew when a version of it has other sources than its ledgers; the history starts again with it';

-- The history stays, and the day up to which it goes; the rest is empty until the model is scored.
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
        grants := grants || health_internal.relation_grants(made);
        PERFORM health_internal.drop_score_relations(made, false);
    END LOOP;
    PERFORM health_internal.drop_book(tracking.id);
    PERFORM health_internal.build_book(tracking, version);
    EXECUTE format('UPDATE %s SET as_of = $1', health_internal.data_table('state', tracking.id)) USING state.as_of;
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

CREATE FUNCTION health_internal.adopt_version(tracking health_internal.tracking) RETURNS health_internal.tracking
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    current_version integer := (health_internal.find_model(tracking.model)).current_version;
    detail text;
BEGIN
    IF tracking.model_version = current_version AND to_regclass(health_internal.data_table('book', tracking.id)) IS NOT NULL THEN
        RETURN tracking;
    END IF;
    BEGIN
        PERFORM health_internal.remake_book(tracking, health_internal.find_version(tracking.model, current_version));
    EXCEPTION WHEN dependent_objects_still_exist THEN
        IF tracking.model_version IS NULL THEN
            RAISE;
        END IF;
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
        RAISE WARNING 'the score views of model "%" stay at version %, its current version is %', tracking.model, tracking.model_version,
            current_version
            USING DETAIL = coalesce(nullif(detail, ''), 'Other objects depend on them, so they cannot be made again.'),
                  HINT = 'drop_score_view(name, cascade => true), then create_score_view(model, name).';
    END;
    RETURN health_internal.find_tracking(tracking.model);
END;
$$;
COMMENT ON FUNCTION health_internal.adopt_version(health_internal.tracking) IS
    'Brings a tracked model and its score views to the current version; they stay as they are, with a warning, while other objects depend '
        'on them';
