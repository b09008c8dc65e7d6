-- Dropping a model with everything that was made of it.

CREATE FUNCTION health.drop_model(name text, cascade boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model health_internal.model := health_internal.find_model(name);
    made record;
BEGIN
    IF NOT health_internal.is_member_of(model.owner) THEN
        RAISE EXCEPTION 'permission denied for model "%"', name
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('It belongs to %s.', model.owner);
    END IF;
    FOR made IN SELECT format('%I.%I', s.schema_name, s.view_name) AS label FROM health_internal.score_view AS s
                WHERE s.model = drop_model.name ORDER BY 1 LOOP
        IF NOT cascade THEN
            RAISE EXCEPTION 'cannot drop model "%" because score view % scores it', name, made.label
                USING ERRCODE = 'dependent_objects_still_exist',
                      HINT = format('SELECT health.drop_score_view(%L), or drop_model(..., cascade => true).', made.label);
        END IF;
        PERFORM health.drop_score_view(made.label, cascade);
    END LOOP;
    PERFORM health_internal.remove_tracking(t) FROM health_internal.tracking AS t WHERE t.model = drop_model.name;
    PERFORM health_internal.remove_job(name);
    DELETE FROM health_internal.model AS m WHERE m.name = drop_model.name;
END;
$$;
COMMENT ON FUNCTION health.drop_model(text, boolean) IS
    'Drops a model with all its versions; refuses while score views exist, unless cascade => true drops them as well';
