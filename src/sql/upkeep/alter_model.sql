-- Changing a model: a new version, unless it says the same.

-- What was recorded day by day cannot be had again.
CREATE FUNCTION health_internal.check_restart(version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
BEGIN
    SELECT t.* INTO tracking FROM health_internal.tracking AS t WHERE t.model = version.model;
    IF tracking.history_from IS NOT NULL AND health_internal.reads_otherwise(tracking, version) THEN
        RAISE EXCEPTION 'model "%": this begins the history again', version.model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Its events would be read otherwise: the next refresh reads all of them, and the scores recorded since '
                                  '%s go.',
                                  to_char(tracking.history_from, 'YYYY-MM-DD')),
                  HINT = 'alter_model(..., restart => true) has it do so. To keep the history, create another model beside this one.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_restart(health_internal.model_version) IS
    'Raises an error when a version has a tracked model read its events otherwise, with what would be lost';

CREATE FUNCTION health_internal.alter_as_owner(name text, definition jsonb, replace boolean, restart boolean, visible text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present health_internal.model_version;
    changed jsonb;
    document jsonb;
BEGIN
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = alter_as_owner.name
    -- guard one_change {
    FOR UPDATE
    -- }
    ;
    SELECT v.* INTO present FROM health_internal.model_version AS v
    WHERE v.model = alter_as_owner.name AND v.version = (SELECT m.current_version FROM health_internal.model AS m
        WHERE m.name = alter_as_owner.name);
    IF pg_catalog.jsonb_typeof(definition) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'model "%": the changes must be a JSON object', name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {"window_days": 30}; null removes a key.';
    END IF;
    changed := health_internal.drop_null_keys(CASE WHEN replace THEN definition ELSE present.definition || definition END);
    document := health_internal.freeze_references(health_internal.check_definition(name, changed, visible), present.document);
    -- The same words mean something else where names in expressions are looked up in other schemas.
    IF health_internal.same_meaning(document, present.document)
       AND (present.search_path = visible
            OR NOT pg_catalog.jsonb_path_exists(document,
                                               '$.** ? (exists (@.sql) || exists (@.query) || exists (@.filter) || '
                                               'exists (@.exclude) || exists (@.expression))')) THEN
        RETURN present.version;
    END IF;
    IF NOT restart THEN
        PERFORM health_internal.check_restart(ROW(name, present.version + 1, changed, document, visible, NULL,
                                                  NULL)::health_internal.model_version);
    END IF;
    PERFORM health_internal.add_version(name, present.version + 1, changed, document, visible);
    PERFORM health_internal.notice_flags_left_out(name, changed);
    IF (health_internal.find_calibration(name, present.version, 'churn')).map IS NOT NULL
       OR (health_internal.find_calibration(name, present.version, 'expansion')).map IS NOT NULL THEN
        RAISE NOTICE 'model "%": probabilities go with the scores of version %, so that version % has none', name, present.version,
            present.version + 1 USING HINT = format('SELECT * FROM health.calibrate(%L, ...); makes them of its scores.', name);
    END IF;
    RETURN present.version + 1;
END;
$$;
COMMENT ON FUNCTION health_internal.alter_as_owner(text, jsonb, boolean, boolean, text) IS 'alter_model() as the owner of the model';

-- Names in the definition mean what they mean to whoever changes it.
CREATE FUNCTION health.alter_model(name text, definition jsonb, replace boolean DEFAULT false, restart boolean DEFAULT false)
    RETURNS integer
LANGUAGE sql
BEGIN ATOMIC
    SELECT r.version
    FROM health_internal.rows_as_owner(health_internal.regrole((health_internal.open_model(name)).owner), 'pg_catalog, pg_temp',
        'SELECT health_internal.alter_as_owner($1, $2::jsonb, $3::boolean, $4::boolean, $5)',
        name, definition::text, replace::text, restart::text, health_internal.visible_schemas()) AS r (version integer);
END;
COMMENT ON FUNCTION health.alter_model(text, jsonb, boolean, boolean) IS
    'Lays top-level keys over the current definition (null removes one), or with replace takes the given one instead, and stores the '
        'outcome '
    'as a new version, whose number is returned; no new version when it means the same. What would begin the recorded history of a tracked '
    'model again is refused without restart';
