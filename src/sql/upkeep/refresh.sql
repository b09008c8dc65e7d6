-- Refreshing: of a tracked model step by step, of any other its score views.

-- Once for each number: who knows of them need not be told at every refresh.
CREATE FUNCTION health_internal.tell_bad_rows(source integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    told health_internal.ledger_source;
    facts boolean;
BEGIN
    UPDATE health_internal.ledger_source AS s SET told_bad_rows = s.bad_rows
    WHERE s.id = tell_bad_rows.source AND s.told_bad_rows <> s.bad_rows RETURNING s.* INTO told;
    facts := health_internal.is_fact_path(told.path);
    -- The end of a fact that cannot be is told with its start.
    IF told.bad_rows > 0 AND NOT (facts AND told.path ~ '\.until$') THEN
        RAISE WARNING 'model "%": % of % left out', told.model,
            told.bad_rows || CASE told.bad_rows WHEN 1 THEN ' row' ELSE ' rows' END,
            told.path || CASE WHEN facts THEN CASE told.bad_rows WHEN 1 THEN ' cannot be and is' ELSE ' cannot be and are' END
                              ELSE CASE told.bad_rows WHEN 1 THEN ' is no event and is' ELSE ' are no events and are' END END
            USING DETAIL = CASE WHEN facts THEN 'Their time is infinite, their end before their start, their value no number that counts '
                                    'or none on its scale, or an expression of the source fails on them.'
                                ELSE 'Their time is infinite, their amount is no number that counts, their event has no name, or an '
                                    'expression of the source fails on them.' END,
                  HINT = format('SELECT * FROM health.tracking_plan(%L) WHERE finding = ''bad value'' lists them.', told.model);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.tell_bad_rows(integer) IS
    'Warns of the rows of a source that are no events, when their number is another than it was';

-- One transaction's worth.
CREATE FUNCTION health_internal.refresh_part(model_name text, ignore_volume boolean) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    started timestamptz := clock_timestamp();
    began timestamptz;
    tracking health_internal.tracking := health_internal.find_tracking(model_name);
    adopted health_internal.tracking;
    version health_internal.model_version;
    source health_internal.ledger_source;
    progress text;
    today date;
    scored bigint;
    more boolean := false;
BEGIN
    -- Read once: whoever changes the model meanwhile is the next refresh's.
    version := health_internal.find_version(model_name, (health_internal.find_model(model_name)).current_version);
    PERFORM health_internal.reject_citus_tables(model_name, version, true);
    PERFORM health_internal.check_data_tables(model_name);
    tracking := health_internal.recompile_tracking(tracking);
    adopted := health_internal.adopt_sources(tracking, version);
    IF adopted.ledger_key <> tracking.ledger_key THEN    -- writers may be waiting for what that has locked
        RETURN format('model "%s": version %s is taken over', model_name, version.version);
    END IF;
    progress := health_internal.read_next(tracking, version.document);
    IF progress IS NOT NULL THEN
        RETURN progress;
    END IF;
    tracking := health_internal.adopt_version(tracking, version);
    PERFORM health_internal.recompile_views(model_name);
    IF tracking.model_version <> version.version THEN
        version := health_internal.find_version(model_name, tracking.model_version);
    END IF;
    today := health_internal.model_today(version.document);
    began := clock_timestamp();
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = model_name ORDER BY s.id LOOP
        IF source.window_days IS NULL THEN
            -- A table may have been truncated since its reading was planned.
            more := health_internal.fold_source(tracking, source, health_internal.ledger_start(version.document, today, source.path))
                    OR health_internal.find_restart_reason(source) IS NOT NULL
                    OR more;
        ELSE
            PERFORM health_internal.reread_window(tracking, source, today);
        END IF;
        PERFORM health_internal.tell_bad_rows(source.id);
    END LOOP;
    IF more THEN
        RETURN format('model "%s": folding in changes', model_name);
    END IF;
    scored := health_internal.rescore(tracking, version, ignore_volume);
    PERFORM health_internal.restore_people(model_name);
    UPDATE health_internal.tracking AS t
    SET refreshed_at = began, rescored = scored, refresh_ms = extract(epoch FROM clock_timestamp() - started) * 1000, error = NULL,
        error_at = NULL, refresh_began = NULL, refresh_pid = NULL
    WHERE t.id = tracking.id;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_part(text, boolean) IS
    'A part of a refresh that is whole by itself: reads a batch, or folds changes, or ends the refresh with the scores; returns what it '
        'did while there is more to do';

-- Locks are waited for as run_ddl() does: a refresh that stands in the way of somebody who holds what it wants lets go of everything, and
-- starts this part anew a moment later.
CREATE FUNCTION health_internal.refresh_part_patiently(model_name text, ignore_volume boolean) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present CONSTANT text := current_setting('lock_timeout');
    patience CONSTANT interval := interval '10 seconds';
    until CONSTANT timestamptz := clock_timestamp() + patience;
    progress text;
    done boolean := false;
BEGIN
    WHILE NOT done LOOP
        BEGIN
            PERFORM set_config('lock_timeout', health_internal.short_wait(), true);
            progress := health_internal.refresh_part(model_name, ignore_volume);
            PERFORM set_config('lock_timeout', present, true);
            done := true;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF clock_timestamp() > until AND sqlerrm LIKE 'model "%' THEN
                RAISE;
            ELSIF clock_timestamp() > until THEN
                RAISE EXCEPTION 'model "%": something that its refresh needs is locked', model_name
                    USING ERRCODE = 'lock_not_available',
                          DETAIL = format('It was tried for %s seconds, without making others wait for more than a moment. Scores are as '
                                          'they were.', round(extract(epoch FROM patience))),
                          HINT = 'The next refresh goes on from here; pg_locks and pg_stat_activity show who holds what.';
            END IF;
            PERFORM pg_sleep(0.1 + random() * 0.2);
        END;
    END LOOP;
    RETURN progress;
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_part_patiently(text, boolean) IS
    'refresh_part() that never waits for a lock for long';

CREATE FUNCTION health_internal.refresh_tracked(model_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RETURN;
    END IF;
    PERFORM health_internal.lock_tracking(model_name, true);
    WHILE health_internal.refresh_part_patiently(model_name, false) IS NOT NULL LOOP
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_tracked(text) IS
    'Refreshes a tracked model within the present transaction; waits for another refresh at work';

-- What PostgreSQL says of a refresh that fails does not name the place in the document.
CREATE FUNCTION health_internal.name_failure_as_owner(model text, version integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    failed health_internal.model_version := health_internal.find_version(model, version);
BEGIN
    PERFORM health_internal.raise_failing_field(model, failed),
            health_internal.raise_failing_field(model, failed, past_days => health_internal.past_days(failed.document));
END;
$$;
COMMENT ON FUNCTION health_internal.name_failure_as_owner(text, integer) IS
    'Raises the error of the expression that fails, with its path, when a refresh has failed';

CREATE FUNCTION health_internal.refresh_score_view(name text, visible text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    safe_path CONSTANT text := 'pg_catalog, pg_temp';
    present health_internal.score_view := health_internal.find_score_view(name, visible);
    opened health_internal.model := health_internal.open_model(present.model);
    made record;
BEGIN
    -- Sessions that refresh the same view queue here, before any lock on a relation: they cannot deadlock.
    SELECT s.* INTO present FROM health_internal.score_view AS s
    WHERE s.schema_name = present.schema_name AND s.view_name = present.view_name
    -- guard one_view_refresh {
    FOR UPDATE
    -- }
    ;
    -- Whoever was first may have dropped the view, or brought it to a version that only now can be seen.
    -- guard view_is_there {
    IF NOT FOUND THEN
        present := health_internal.find_score_view(name, visible);
    END IF;
    -- }
    opened := health_internal.open_model(present.model);
    IF health_internal.is_tracked(present.model) THEN
        PERFORM health_internal.run_as_owner(opened.owner, safe_path, 'SELECT health_internal.refresh_tracked($1)', present.model);
        RETURN;
    END IF;
    IF present.model_version <> opened.current_version THEN
        BEGIN
            PERFORM health_internal.run_as_owner(opened.owner, safe_path,
                'SELECT health_internal.rebuild_view_as_owner($1, $2, $3::integer)',
                                                 present.schema_name::text, present.view_name::text, opened.current_version::text);
            RETURN;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            RAISE WARNING 'score view "%" stays at version % of model "%", whose current version is %',
                name, present.model_version, present.model, opened.current_version
                USING DETAIL = 'Other objects depend on it, so it cannot be made again.',
                      HINT = 'drop_score_view(name, cascade => true), then create_score_view(model, name).';
        END;
    END IF;
    IF present.compiled_by <> health_internal.release() THEN
        SELECT r.made_again INTO made FROM health_internal.rows_as_owner(opened.owner, safe_path,
            'SELECT health_internal.recompile_view_as_owner($1, $2)', present.schema_name::text,
                present.view_name::text) AS r (made_again boolean);
        IF made.made_again THEN
            RETURN;
        END IF;
    END IF;
    PERFORM health_internal.run_as_owner(opened.owner, safe_path, 'SELECT health_internal.restore_people($1)', present.model);
    IF NOT present.materialized THEN
        RETURN;
    END IF;
    FOR made IN SELECT r.relation FROM health_internal.view_relations(present) AS r
                WHERE r.suffix <> '_users' AND NOT health_internal.is_beside(r.suffix) LOOP
        PERFORM health_internal.refresh_relation(present, made.relation);
    END LOOP;
    PERFORM health_internal.run_as_owner(opened.owner, safe_path, 'SELECT health_internal.warn_broken($1, $2)', present.model,
        format('%I.%I', present.schema_name, present.view_name || '_ledger'));
EXCEPTION WHEN cardinality_violation OR data_exception OR feature_not_supported THEN
    -- A table that has been distributed since the view was made, before there was Citus, asks for other SQL.
    IF sqlstate = '0A000' AND health_internal.fence() <> '' THEN
        SELECT r.made_again INTO made FROM health_internal.rows_as_owner(opened.owner, safe_path,
            'SELECT health_internal.recompile_view_as_owner($1, $2)', present.schema_name::text,
                present.view_name::text) AS r (made_again boolean);
        IF made.made_again THEN
            RETURN;
        END IF;
    END IF;
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.run_as_owner(opened.owner, safe_path, 'SELECT health_internal.name_failure_as_owner($1, $2::integer)',
            present.model, opened.current_version::text);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_score_view(text, text) IS 'refresh_score_view() with the schemas of the caller';

CREATE FUNCTION health.refresh_score_view(name text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health_internal.refresh_score_view(name, health_internal.visible_schemas());
END;
COMMENT ON FUNCTION health.refresh_score_view(text) IS
    'Refreshes a score view, concurrently where it can; takes over the current version of the model by making the view again with its '
        'grants';

CREATE FUNCTION health.refresh_score_views(model text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    made record;
    refreshed integer := 0;
BEGIN
    IF health_internal.is_tracked(opened.name) THEN
        PERFORM health_internal.run_as_owner(opened.owner, NULL, 'SELECT health_internal.refresh_tracked($1)', model);
        RETURN (SELECT count(*) FROM health_internal.score_view AS s WHERE s.model = opened.name);
    END IF;
    FOR made IN SELECT format('%I.%I', s.schema_name, s.view_name) AS label FROM health_internal.score_view AS s
                WHERE s.model = opened.name ORDER BY s.schema_name, s.view_name LOOP
        PERFORM health.refresh_score_view(made.label);
        refreshed := refreshed + 1;
    END LOOP;
    RETURN refreshed;
END;
$$;
COMMENT ON FUNCTION health.refresh_score_views(text) IS
    'Refreshes every score view of a model and returns how many there are; of a tracked one, what CALL refresh does, in the present '
    'transaction';

CREATE FUNCTION health_internal.note_failure(model_name text, message text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE health_internal.tracking AS t
    SET error = message, error_at = clock_timestamp(), refresh_began = NULL, refresh_pid = NULL
    WHERE t.model = model_name;
$$;
COMMENT ON FUNCTION health_internal.note_failure(text, text) IS 'Remembers what a refresh failed with, for status()';

CREATE PROCEDURE health_internal.reject_transaction_block(model_name text, procedure_name text)
    AS 'MODULE_PATHNAME', 'health_reject_transaction_block'
    LANGUAGE C;
COMMENT ON PROCEDURE health_internal.reject_transaction_block(text, text) IS
    'Raises an error that says what to do where the procedure that calls it, one of schema health, cannot commit';

CREATE FUNCTION health_internal.raise_again(code text, message text, detail text, hint text, schema_name text, table_name text,
    column_name text, type_name text, constraint_name text) RETURNS void
    AS 'MODULE_PATHNAME', 'health_raise_again'
    LANGUAGE C STRICT;
COMMENT ON FUNCTION health_internal.raise_again(text, text, text, text, text, text, text, text, text) IS
    'Raises an error that was caught, as it was: by what GET STACKED DIAGNOSTICS says of it';

-- A session that is killed notes nothing of its end. A refresh therefore notes its beginning first, and status() asks whether it still
-- runs.
CREATE FUNCTION health_internal.refresh_step_as_owner(model_name text, ignore_volume boolean, OUT locked boolean, OUT progress text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    locked := health_internal.lock_tracking(model_name, false);
    IF NOT locked THEN
        RETURN;
    END IF;
    UPDATE health_internal.tracking AS t SET refresh_began = statement_timestamp(), refresh_pid = pg_backend_pid()
    WHERE t.model = model_name AND (t.refresh_began, t.refresh_pid) IS DISTINCT FROM (statement_timestamp(), pg_backend_pid());
    progress := CASE WHEN FOUND THEN '' ELSE health_internal.refresh_part_patiently(model_name, ignore_volume) END;
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_step_as_owner(text, boolean) IS
    'A step of refresh() or backfill() as the owner of the model: whether no other refresh is at it, and what it did while there is more '
    'to do (empty: it has noted that it begins)';

CREATE FUNCTION health_internal.refresh_step(model_name text, ignore_volume boolean, OUT locked boolean, OUT progress text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT r.locked, r.progress INTO locked, progress
    FROM health_internal.rows_as_owner((health_internal.open_model(model_name)).owner, NULL,
        'SELECT * FROM health_internal.refresh_step_as_owner($1, $2::boolean)', model_name, ignore_volume::text)
        AS r (locked boolean, progress text);
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_step(text, boolean) IS 'A step of refresh() or backfill(): one transaction''s worth';

CREATE FUNCTION health_internal.count_scored(model_name text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    scored bigint;
BEGIN
    SELECT r.scored INTO scored FROM health_internal.rows_as_owner((health_internal.open_model(model_name)).owner, NULL,
        format('SELECT count(*) FROM %s AS s WHERE s.score IS NOT NULL',
               health_internal.data_table('score', (health_internal.find_tracking(model_name)).id))) AS r (scored bigint);
    RETURN scored;
END;
$$;
COMMENT ON FUNCTION health_internal.count_scored(text) IS 'How many accounts of a tracked model have a score';

-- What PostgreSQL says of a table or column that is gone does not name the place in the document.
CREATE FUNCTION health_internal.name_broken_place(model text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.find_model(model)).current_version);
BEGIN
    PERFORM health_internal.check_definition(model, version.definition, version.search_path);
END;
$$;
COMMENT ON FUNCTION health_internal.name_broken_place(text) IS
    'As the owner of the model: raises what is wrong with its document now, where anything is';

-- No SET clause and no exception handler around a COMMIT: PostgreSQL allows neither with one. Everything is qualified instead.
CREATE PROCEDURE health_internal.refresh_in_steps(model_name text, ignore_volume boolean, tell boolean)
LANGUAGE plpgsql
AS $$
DECLARE
    step record;
    failed boolean := false;
    failed_code text;
    failed_message text;
    failed_detail text;
    failed_hint text;
    failed_schema text;
    failed_table text;
    failed_column text;
    failed_type text;
    failed_constraint text;
BEGIN
    LOOP
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        BEGIN
            SELECT s.locked, s.progress INTO step FROM health_internal.refresh_step(model_name, ignore_volume) AS s;
        EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
            GET STACKED DIAGNOSTICS failed_code = RETURNED_SQLSTATE, failed_message = MESSAGE_TEXT, failed_detail = PG_EXCEPTION_DETAIL,
                failed_hint = PG_EXCEPTION_HINT, failed_schema = SCHEMA_NAME, failed_table = TABLE_NAME, failed_column = COLUMN_NAME,
                failed_type = PG_DATATYPE_NAME, failed_constraint = CONSTRAINT_NAME;
            failed := true;
        END;
        EXIT WHEN failed;
        IF tell AND NOT step.locked THEN
            RAISE NOTICE 'model "%" is being refreshed by another session, which reads what is left', model_name;
            RETURN;
        END IF;
        COMMIT;
        EXIT WHEN step.progress IS NULL;    -- nothing is left, or another refresh is at it
        IF tell AND step.progress <> '' THEN
            RAISE NOTICE '%', step.progress;
        END IF;
    END LOOP;
    IF failed THEN
        IF pg_catalog.starts_with(failed_code, '42') AND NOT pg_catalog.starts_with(failed_message, 'model "') THEN
            BEGIN
                PERFORM health_internal.run_as_owner((health_internal.open_model(model_name)).owner, NULL,
                                                     'SELECT health_internal.name_broken_place($1)', model_name);
            EXCEPTION WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS failed_code = RETURNED_SQLSTATE, failed_message = MESSAGE_TEXT,
                    failed_detail = PG_EXCEPTION_DETAIL, failed_hint = PG_EXCEPTION_HINT;
            END;
        END IF;
        BEGIN
            PERFORM health_internal.note_failure(model_name, failed_message);
        EXCEPTION WHEN OTHERS OR query_canceled THEN    -- what cannot be noted has a beginning without an end
            NULL;
        END;
        COMMIT;
        PERFORM health_internal.raise_again(failed_code, failed_message, failed_detail, failed_hint, failed_schema, failed_table,
                                            failed_column, failed_type, failed_constraint);
    END IF;
    IF tell THEN
        RAISE NOTICE 'model "%" is ready: % accounts are scored', model_name, health_internal.count_scored(model_name);
    END IF;
END;
$$;
COMMENT ON PROCEDURE health_internal.refresh_in_steps(text, boolean, boolean) IS
    'refresh() and backfill() of a tracked model: a transaction a step; what a step fails with is noted, and raised as it was. Tells what '
    'each step did if that is wanted';

CREATE PROCEDURE health.refresh(model text, ignore_volume boolean DEFAULT false)
LANGUAGE plpgsql
AS $$
BEGIN
    IF pg_catalog.pg_is_in_recovery() THEN
        RETURN;
    END IF;
    PERFORM health_internal.open_model(model);
    IF NOT health_internal.is_tracked(model) THEN
        IF ignore_volume THEN
            RAISE EXCEPTION 'model "%" is not tracked: its document says which volumes are how it is', model
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = pg_catalog.format('SELECT health.alter_model(%L, ''{"volume": {"accepted_from": "...", "accepted_until": '
                                               '"..."}}'');', model);
        END IF;
        PERFORM health.refresh_score_views(model);
        RETURN;
    END IF;
    CALL health_internal.reject_transaction_block(model, 'refresh');
    CALL health_internal.refresh_in_steps(model, ignore_volume, false);
END;
$$;
COMMENT ON PROCEDURE health.refresh(text, boolean) IS
    'Brings the scores of a model up to date: of a tracked one by what changed since, else by refreshing its score views. Twice, at once '
        'or late does no '
    'harm; after a failure or a kill the next run goes on. ignore_volume scores although the volume of a source looks as if its tracking '
        'broke';

CREATE PROCEDURE health.backfill(model text)
LANGUAGE plpgsql
AS $$
BEGIN
    IF pg_catalog.pg_is_in_recovery() THEN
        RETURN;
    END IF;
    PERFORM health_internal.open_model(model), health_internal.find_tracking(model);
    CALL health_internal.reject_transaction_block(model, 'backfill');
    CALL health_internal.refresh_in_steps(model, false, true);
END;
$$;
COMMENT ON PROCEDURE health.backfill(text) IS
    'Reads the existing events of a tracked model into its ledgers, in batches with commits, while writers go on; then scores it. Cut '
        'off, it goes on where it was when called again';
