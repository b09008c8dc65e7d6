-- Refreshing by the clock, through pg_cron where it is installed.

-- pg_cron keeps names as type name, up to its release 1.4: 63 bytes.
CREATE FUNCTION health_internal.fit_job_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    -- A cast to name leaves whole characters: with 13 bytes before them, 50 bytes of them.
    SELECT CASE WHEN octet_length(name) <= 63 THEN name
                ELSE substr((repeat('-', 13) || name)::name::text, 14) || '-' || left(md5(name), 12) END;
$$;
COMMENT ON FUNCTION health_internal.fit_job_name(text) IS
    'The name, or, where it is too long for a pg_cron job, its beginning and a hash of it';

CREATE FUNCTION health_internal.has_pg_cron() RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pg_cron');
END;
COMMENT ON FUNCTION health_internal.has_pg_cron() IS 'Whether pg_cron is installed in this database';

-- A job is known by what it runs and where; its name is for people, and another database may have one of that name. Other roles' jobs are
-- theirs.
CREATE FUNCTION health_internal.model_jobs(model text, OUT jobid bigint, OUT jobname text, OUT username text, OUT schedule text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF health_internal.has_pg_cron() THEN
        RETURN QUERY EXECUTE format(
            'SELECT j.jobid, j.jobname::text, j.username::text, j.schedule FROM %I.job AS j WHERE j.database = $1 AND '
            '(j.command = $2 OR j.jobname = $3) AND j.username IN (SELECT current_user UNION ALL SELECT pg_get_userbyid($4)) '
            'ORDER BY j.username <> current_user, j.jobid', 'cron')
            USING current_database(), format('CALL health.refresh(%L)', model),
                  health_internal.fit_job_name('account_health:' || model), (health_internal.find_model(model)).owner::oid;
    END IF;
EXCEPTION WHEN insufficient_privilege OR undefined_table OR undefined_column THEN    -- not for everybody, not in every version
    NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.model_jobs(text) IS
    'The pg_cron jobs of a model in this database, of the current user and of the model''s owner, as far as the current user may see them';

CREATE FUNCTION health_internal.new_job_name(model text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.job AS j WHERE j.jobname = $1 AND j.username = current_user)', 'cron') INTO taken
        USING health_internal.fit_job_name('account_health:' || model);
    RETURN health_internal.fit_job_name(concat_ws(':', 'account_health', CASE WHEN taken THEN current_database() END, model));
END;
$$;
COMMENT ON FUNCTION health_internal.new_job_name(text) IS
    'Name for a pg_cron job of a model that has none: account_health:<model>, with the database where one of another database is so called';

CREATE FUNCTION health_internal.quote_for_shell(word text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN word ~ '^[A-Za-z0-9_./]+$' THEN word
                WHEN word !~ '["$`!\\]' THEN '"' || word || '"'
                ELSE '''' || replace(word, '''', '''\''''') || '''' END;
$$;
COMMENT ON FUNCTION health_internal.quote_for_shell(text) IS 'A word as a POSIX shell takes it';

-- psql takes what looks like a connection string for one.
CREATE FUNCTION health_internal.psql_database(name text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN name ~ '=|^postgres(ql)?://' THEN 'dbname=''' || regexp_replace(name, '([''\\])', '\\\1', 'g') || '''' ELSE name END;
$$;
COMMENT ON FUNCTION health_internal.psql_database(text) IS 'The argument of psql -d for a database';

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
                  HINT = format('There, run: SELECT cron.schedule_in_database(%L, %L, %L, %L);', 
                      health_internal.fit_job_name(concat_ws(':', 'account_health', here, model)), cron, command, here);
    END IF;
    RAISE EXCEPTION 'pg_cron is not installed in database "%"', here
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = CASE WHEN cron_database IS NOT NULL THEN 'The server has it loaded: CREATE EXTENSION pg_cron; is all that is '
                  'missing.'
                            ELSE format('To have it: install the package, put shared_preload_libraries = ''pg_cron'' and '
                                'cron.database_name = ''%s'' '
                                        'into postgresql.conf, restart, CREATE EXTENSION pg_cron.', here) END,
              HINT = format('Any other scheduler can run, at %s: psql -d %s -c %s', cron,
                            health_internal.quote_for_shell(health_internal.psql_database(here)), health_internal.quote_for_shell(command));
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
    EXECUTE format('SELECT %I.schedule($1, $2, $3)', 'cron') INTO job
        USING coalesce((SELECT j.jobname FROM health_internal.model_jobs(opened.name) AS j
                        WHERE j.username = current_user AND j.jobname IS NOT NULL LIMIT 1),
                       health_internal.new_job_name(opened.name)), cron, command;
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
    job record;
    removed boolean := false;
BEGIN
    FOR job IN SELECT j.jobid FROM health_internal.model_jobs(model) AS j LOOP
        EXECUTE format('SELECT %I.unschedule($1)', 'cron') INTO removed USING job.jobid;
    END LOOP;
    RETURN removed;
EXCEPTION WHEN insufficient_privilege THEN    -- whoever may not use pg_cron has no job there
    RETURN false;
END;
$$;
COMMENT ON FUNCTION health_internal.remove_job(text) IS
    'Removes the pg_cron jobs of a model that the current user or its owner has, if there are any';

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
