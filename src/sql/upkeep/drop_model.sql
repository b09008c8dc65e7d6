-- Dropping a model with everything that was made of it.

CREATE FUNCTION health_internal.drop_model_as_owner(name text, cascade boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made health_internal.score_view;
    label text;
BEGIN
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = drop_model_as_owner.name
                ORDER BY s.schema_name, s.view_name LOOP
        label := format('%I.%I', made.schema_name, made.view_name);
        IF NOT cascade THEN
            RAISE EXCEPTION 'cannot drop model "%" because score view % scores it', name, label
                USING ERRCODE = 'dependent_objects_still_exist',
                      HINT = format('SELECT health.drop_score_view(%L), or drop_model(..., cascade => true).', label);
        END IF;
        PERFORM health_internal.drop_view_as_owner(made.schema_name, made.view_name, cascade);
    END LOOP;
    PERFORM health_internal.remove_tracking(t) FROM health_internal.tracking AS t WHERE t.model = drop_model_as_owner.name;
    PERFORM health_internal.delete_rows(name, 'model');
END;
$$;
COMMENT ON FUNCTION health_internal.drop_model_as_owner(text, boolean) IS 'drop_model() as the owner of the model';

CREATE FUNCTION health.drop_model(name text, cascade boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner regrole := (health_internal.find_model(name)).owner;
BEGIN
    -- Without its owner a model has nothing left but its rows.
    IF NOT EXISTS (SELECT 1 FROM pg_roles AS r WHERE r.oid = owner) THEN
        owner := quote_ident(current_user)::regrole;
    END IF;
    PERFORM health_internal.remove_job(name);
    PERFORM health_internal.run_as_owner(owner, NULL, 'SELECT health_internal.drop_model_as_owner($1, $2::boolean)', name, cascade::text);
END;
$$;
COMMENT ON FUNCTION health.drop_model(text, boolean) IS
    'Drops a model with all its versions; refuses while score views exist, unless cascade => true drops them as well';
