-- Refreshing by the clock, through pg_cron where it is installed.

CREATE FUNCTION health_internal.job_name(model text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT 'account_health:' || model;
END;
COMMENT ON FUNCTION health_internal.job_name(text) IS 'Name of the pg_cron job of a model';

CREATE FUNCTION health_internal.has_pg_cron() RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pg_cron');
END;
COMMENT ON FUNCTION health_internal.has_pg_cron() IS 'Whether pg_cron is installed in this database';

CREATE FUNCTION health_internal.raise_no_scheduler(model text, cron text, command text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    here text := current_database();
    cron_database text := current_setting('cron.database_name', true);
BEGIN
    IF cron_database IS NOT NULL AND cron_database <> here THEN
        RAISE EXCEPTION 'pg_cron is not installed in database "%"', here
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('On this server it runs in database "%s".', cron_database),
                  HINT = format('There, run: SELECT cron.schedule_in_database(%L, %L, %L, %L);', health_internal.job_name(model), cron,
                      command, here);
    END IF;
    RAISE EXCEPTION 'pg_cron is not installed in database "%"', here
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = CASE WHEN cron_database IS NOT NULL THEN 'The server has it loaded: CREATE EXTENSION pg_cron; is all that is '
                  'missing.'
                            ELSE format('To have it: install the package, put shared_preload_libraries = ''pg_cron'' and '
                                'cron.database_name = ''%s'' '
                                        'into postgresql.conf, restart, CREATE EXTENSION pg_cron.', here) END,
              HINT = format('Any other scheduler can run, at %s: psql -d %s -c "%s"', cron, quote_ident(here), command);
END;
$$;
COMMENT ON FUNCTION health_internal.raise_no_scheduler(text, text, text) IS
    'Raises the error that says how to have a model refreshed without pg_cron in this database';

CREATE FUNCTION health.schedule(model text, cron text DEFAULT '*/5 * * * *') RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    command text := format('CALL health.refresh(%L)', opened.name);
    job bigint;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM health_internal.score_view AS s WHERE s.model = opened.name)
       AND NOT health_internal.is_tracked(opened.name) THEN
        RAISE EXCEPTION 'model "%" has no score view to refresh', model
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT health.create_score_view(%L, ''schema.name'');',
                model);
    END IF;
    IF cron IS NULL THEN
        RAISE invalid_parameter_value USING MESSAGE = 'invalid schedule: NULL';
    END IF;
    IF NOT health_internal.has_pg_cron() THEN
        PERFORM health_internal.raise_no_scheduler(model, cron, command);
    END IF;
    EXECUTE format('SELECT %I.schedule($1, $2, $3)', 'cron') INTO job USING health_internal.job_name(model), cron, command;
    RETURN job;
EXCEPTION WHEN invalid_parameter_value THEN
    RAISE EXCEPTION 'model "%": %', model, sqlerrm
        USING ERRCODE = 'invalid_parameter_value', HINT = 'Minute, hour, day, month and weekday, such as ''30 4 * * *'' for every night '
            'at 4:30.';
END;
$$;
COMMENT ON FUNCTION health.schedule(text, text) IS
    'Has pg_cron refresh a model, every 5 minutes by default; returns the job id. A second call changes the schedule. '
    'Without pg_cron: an error that says what to do instead';

CREATE FUNCTION health_internal.remove_job(model text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed boolean := false;
BEGIN
    IF health_internal.has_pg_cron() THEN
        EXECUTE format('SELECT coalesce(bool_or(%1$I.unschedule(j.jobid)), false) FROM %1$I.job AS j WHERE j.jobname = $1', 'cron')
        INTO removed USING health_internal.job_name(model);
    END IF;
    RETURN removed;
EXCEPTION WHEN insufficient_privilege THEN    -- whoever may not use pg_cron has no job there
    RETURN false;
END;
$$;
COMMENT ON FUNCTION health_internal.remove_job(text) IS 'Removes the pg_cron job of a model, if it has one';

CREATE FUNCTION health.unschedule(model text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    removed boolean := health_internal.remove_job(opened.name);
BEGIN
    IF NOT removed THEN
        RAISE NOTICE 'model "%" was not scheduled', model;
    END IF;
    RETURN removed;
END;
$$;
COMMENT ON FUNCTION health.unschedule(text) IS 'Removes the pg_cron job of a model; false, with a notice, when it has none';
