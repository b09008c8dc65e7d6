-- Another name for a model, which keeps its versions, ledgers, scores, history and score views.

-- The rows of the model itself first: its versions may change while there is no model of their name.
CREATE FUNCTION health_internal.rename_rows(model text, arguments text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_name CONSTANT text := arguments[1];
BEGIN
    UPDATE health_internal.model_table AS m SET name = new_name WHERE m.name = rename_rows.model;
    UPDATE health_internal.model_version_table AS v SET model = new_name WHERE v.model = rename_rows.model;
    UPDATE health_internal.score_view_table AS s SET model = new_name WHERE s.model = rename_rows.model;
    UPDATE health_internal.tracking_table AS t SET model = new_name WHERE t.model = rename_rows.model;
    UPDATE health_internal.ledger_source_table AS s SET model = new_name WHERE s.model = rename_rows.model;
    UPDATE health_internal.score_override_table AS o SET model = new_name WHERE o.model = rename_rows.model;
    UPDATE health_internal.csm_pulse_table AS p SET model = new_name WHERE p.model = rename_rows.model;
    UPDATE health_internal.calibration_table AS c SET model = new_name WHERE c.model = rename_rows.model;
END;
$$;
COMMENT ON FUNCTION health_internal.rename_rows(text, text[]) IS 'rename_model() in the catalog, run by act_on_model(): the new name';

CREATE FUNCTION health_internal.rename_model_as_owner(name text, new_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made health_internal.score_view;
    tracked record;
BEGIN
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = rename_model_as_owner.name FOR UPDATE;
    PERFORM 1 FROM health_internal.tracking AS t WHERE t.model = rename_model_as_owner.name FOR UPDATE;
    PERFORM health_internal.act_on_model(name, 'rename_rows', new_name);
    -- Compiled SQL looks for overrides and pulses by the name.
    UPDATE health_internal.tracking AS t
    SET book_query = health_internal.compile_book(t, health_internal.find_version(new_name, t.model_version))
    WHERE t.model = new_name AND t.model_version IS NOT NULL;
    -- Score views say the name in a column, tables in their comments.
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = new_name ORDER BY s.schema_name, s.view_name LOOP
        PERFORM health_internal.rebuild_score_view(made, health_internal.find_version(new_name, made.model_version));
    END LOOP;
    FOR tracked IN SELECT health_internal.data_table(k.kind, i.id) AS data_table, k.purpose
                   FROM (SELECT t.id, false AS is_source FROM health_internal.tracking AS t WHERE t.model = new_name
                         UNION ALL SELECT s.id, true FROM health_internal.ledger_source AS s WHERE s.model = new_name) AS i
                   CROSS JOIN LATERAL health_internal.data_kinds() AS k
                   WHERE health_internal.is_source_kind(k.kind) = i.is_source LOOP
        IF to_regclass(tracked.data_table) IS NOT NULL THEN
            EXECUTE format('COMMENT ON TABLE %s IS %L', tracked.data_table, format(tracked.purpose, new_name));
        END IF;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.rename_model_as_owner(text, text) IS 'rename_model() as the owner of the model';

CREATE FUNCTION health.rename_model(name text, new_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(name);
    cron text := (health_internal.job_status(name)).schedule;
    scheduled boolean;
BEGIN
    PERFORM health_internal.check_model_name(new_name);
    scheduled := health_internal.remove_job(name);
    PERFORM health_internal.run_as_owner(opened.owner, NULL, 'SELECT health_internal.rename_model_as_owner($1, $2)', name, new_name);
    IF scheduled THEN
        PERFORM health.schedule(new_name, cron);
    END IF;
END;
$$;
COMMENT ON FUNCTION health.rename_model(text, text) IS
    'Gives a model another name; versions, ledgers, scores, history, score views with their grants and the pg_cron job stay. Refuses, with '
    'what is in the way, while other objects depend on a score view';
