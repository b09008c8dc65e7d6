-- status: how fresh a tracked model is, how far its reading has come, what went wrong.

CREATE FUNCTION health_internal.job_status(model_name text, OUT schedule text, OUT last_run timestamptz, OUT last_result text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    job record;
BEGIN
    SELECT j.jobid, j.schedule INTO job FROM health_internal.model_jobs(model_name) AS j LIMIT 1;
    schedule := job.schedule;
    IF job.jobid IS NOT NULL THEN
        EXECUTE format('SELECT d.start_time, d.status || coalesce('': '' || d.return_message, '''') FROM %I.job_run_details AS d '
                       'WHERE d.jobid = $1 AND d.start_time IS NOT NULL ORDER BY d.start_time DESC LIMIT 1', 'cron')
            INTO last_run, last_result USING job.jobid;
    END IF;
EXCEPTION WHEN insufficient_privilege OR undefined_table OR undefined_column THEN    -- not for everybody, not in every version
    NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.job_status(text) IS
    'Schedule and last run of the pg_cron job of a model, as far as the current user may see them';

-- What keeps changes from being captured, or a refresh from reading them, and somebody has to mend.
CREATE FUNCTION health_internal.find_capture_gap(source health_internal.ledger_source) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    code text;
BEGIN
    -- Names are looked up only with the right to the schema.
    code := health_internal.unreadable_reason(source);
    IF code IS NOT NULL THEN
        RETURN code;
    ELSIF to_regclass(source.relation_name) IS NULL THEN
        RETURN format('%s does not exist any more', source.relation_name);
    ELSIF to_regclass(source.relation_name) <> source.relation THEN
        RETURN format('to be read again: %s is another table now', source.relation_name);
    ELSIF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = source.chunk_table) THEN
        RETURN format('%s does not exist any more', health_internal.data_table_name('chunk', source.id));
    END IF;
    code := coalesce(health_internal.unfit_table(source.relation),
                     (SELECT format('no trigger captures the changes of %s', u.leaf)
                      FROM health_internal.uncaptured_leaf(source) AS u (leaf) WHERE u.leaf IS NOT NULL));
    IF code IS NULL THEN
        BEGIN
            code := health_internal.source_code(source);
        EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_object_definition OR invalid_schema_name
                       OR feature_not_supported THEN
            RETURN format('the rows of %s cannot be read: %s', source.relation::regclass, sqlerrm);
        END;
        code := CASE WHEN source.code <> code
            THEN 'to be read again: a function, type or column that its expressions use is another one now' END;
    END IF;
    RETURN code;
END;
$$;
COMMENT ON FUNCTION health_internal.find_capture_gap(health_internal.ledger_source) IS
    'Why changes of a tracked source are not captured, or cannot be read, at the moment; NULL when they are';

CREATE FUNCTION health_internal.statement_runs(pid integer, began timestamptz) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_statement_runs'
    LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION health_internal.statement_runs(integer, timestamptz) IS
    'Whether the statement that the session with that process began then still runs';

CREATE FUNCTION health_internal.status_as_owner(model text,
    OUT source text, OUT mode text, OUT phase text, OUT percent numeric, OUT events_read bigint, OUT rows_per_second bigint,
        OUT time_left interval,
    OUT changes_waiting bigint, OUT oldest_change interval, OUT bad_rows bigint, OUT tracking_broke text,
    OUT refreshed_at timestamptz, OUT refresh_ms float8, OUT accounts_rescored bigint, OUT scored_as_of date, OUT error text,
        OUT error_at timestamptz,
    OUT ledger_bytes bigint, OUT change_bytes bigint, OUT history_bytes bigint)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
    state health_internal.store_state;
    row_of record;
    ledger health_internal.ledger_source;
    gap text;
    reread text;
    has_changes boolean;
BEGIN
    PERFORM health_internal.open_model(model);
    tracking := health_internal.find_tracking(model);
    state := health_internal.read_state(tracking.id);
    refreshed_at := tracking.refreshed_at;
    refresh_ms := tracking.refresh_ms;
    accounts_rescored := tracking.rescored;
    scored_as_of := state.as_of;
    -- Of a session on another server, whose copy this is, nothing can be said here.
    IF NOT pg_is_in_recovery() AND NOT health_internal.statement_runs(tracking.refresh_pid, tracking.refresh_began) THEN
        tracking.error := format('the refresh that began at %s was cut off: its session was terminated, or the server went down',
                                 date_trunc('second', tracking.refresh_began));
        tracking.error_at := tracking.refresh_began;
    END IF;
    error := tracking.error;
    error_at := tracking.error_at;
    tracking_broke := state.broken;
    SELECT coalesce(sum(pg_total_relation_size(t.relid)), 0) INTO history_bytes
        FROM pg_partition_tree(to_regclass(health_internal.data_table('history', tracking.id))) AS t;
    FOR ledger IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = status_as_owner.model ORDER BY s.id LOOP
        source := ledger.path;
        mode := CASE WHEN ledger.window_days IS NULL THEN 'tracked' ELSE format('window of %s days', ledger.window_days) END;
        bad_rows := ledger.bad_rows;
        ledger_bytes := pg_total_relation_size(to_regclass(health_internal.data_table_name('chunk', ledger.id)));
        changes_waiting := NULL;
        oldest_change := NULL;
        change_bytes := NULL;
        gap := NULL;
        reread := NULL;
        IF ledger.window_days IS NULL THEN
            has_changes := health_internal.is_change_table(ledger.change_table, ledger.owner::oid);
            gap := health_internal.find_capture_gap(ledger);
            IF gap IS NULL THEN
                reread := health_internal.find_restart_reason(ledger);
            END IF;
            IF has_changes THEN
                change_bytes := pg_total_relation_size(ledger.change_table);
                EXECUTE format('SELECT coalesce(sum(health_internal.count_changes(c.changes)), 0), clock_timestamp() - min(c.written_at) '
                               'FROM %s AS c', ledger.change_table::regclass) INTO changes_waiting, oldest_change;
            END IF;
        END IF;
        SELECT round(100.0 * coalesce(sum(b.weight) FILTER (WHERE b.snapshot IS NOT NULL), 0) / greatest(sum(b.weight), 1), 1) AS percent,
               sum(b.events) AS events, sum(b.events) / nullif(sum(extract(epoch FROM b.ended_at - b.started_at)), 0) AS rate,
               sum(extract(epoch FROM b.ended_at - b.started_at)) / nullif(sum(b.weight) FILTER (WHERE b.snapshot IS NOT NULL), 0)
                   * sum(b.weight) FILTER (WHERE b.snapshot IS NULL) AS seconds_left
        INTO row_of
        FROM (SELECT b.*, greatest(least(b.to_block, pg_relation_size(b.leaf) / current_setting('block_size')::bigint) - b.from_block,
            1) AS weight
              FROM health_internal.ledger_batch AS b WHERE b.source = ledger.id) AS b;
        percent := CASE WHEN ledger.read_at IS NOT NULL THEN 100 ELSE coalesce(row_of.percent, 0) END;
        events_read := row_of.events;
        rows_per_second := round(row_of.rate);
        time_left := CASE WHEN ledger.read_at IS NULL THEN make_interval(secs => round(row_of.seconds_left)::float8) END;
        phase := CASE
            WHEN gap IS NOT NULL THEN gap
            WHEN ledger.read_at IS NULL AND row_of.percent > 0 THEN 'reading'
            WHEN ledger.read_at IS NULL THEN 'to be read'
            WHEN tracking.error IS NOT NULL THEN 'failing'
            WHEN reread IS NOT NULL THEN 'to be read again: ' || reread
            WHEN state.broken IS NOT NULL THEN 'frozen'
            WHEN tracking.model_version IS NULL THEN 'to be scored'
            ELSE 'fresh' END;
        RETURN NEXT;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.status_as_owner(text) IS 'status() as the owner of the model, without its job';

-- The job is the caller's: pg_cron shows everybody his own.
CREATE FUNCTION health.status(model text,
    OUT source text, OUT mode text, OUT phase text, OUT percent numeric, OUT events_read bigint, OUT rows_per_second bigint,
        OUT time_left interval,
    OUT changes_waiting bigint, OUT oldest_change interval, OUT bad_rows bigint, OUT tracking_broke text,
    OUT refreshed_at timestamptz, OUT refresh_ms float8, OUT accounts_rescored bigint, OUT scored_as_of date, OUT error text,
        OUT error_at timestamptz,
    OUT ledger_bytes bigint, OUT change_bytes bigint, OUT history_bytes bigint, OUT schedule text, OUT last_job timestamptz,
        OUT last_job_result text)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.*, j.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.status_as_owner($1)', model)
        AS r (source text, mode text, phase text, percent numeric, events_read bigint, rows_per_second bigint, time_left interval,
              changes_waiting bigint, oldest_change interval, bad_rows bigint, tracking_broke text, refreshed_at timestamptz,
                  refresh_ms float8,
              accounts_rescored bigint, scored_as_of date, error text, error_at timestamptz, ledger_bytes bigint, change_bytes bigint,
              history_bytes bigint), health_internal.job_status(model) AS j;
END;
$$;
COMMENT ON FUNCTION health.status(text) IS
    'One row per event source of a tracked model: mode, phase (to be read, reading, fresh, failing, frozen), how far reading has come, '
        'changes that wait '
    'with the age of the oldest, rows that are no events, the last refresh, the last error, sizes in bytes, the pg_cron job';
