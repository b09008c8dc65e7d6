-- History of a tracked model: a row per account and day, by month, with the account data of the day; any past day from the ledger.

CREATE FUNCTION health_internal.history_month(id integer, month date) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.data_table('history', id) || to_char(month, '_YYYY_MM');
$$;
COMMENT ON FUNCTION health_internal.history_month(integer, date) IS 'Name of the partition of a history that holds a month';

-- Attached, not created in place: that needs no lock that readers could feel.
CREATE FUNCTION health_internal.make_history_months(tracking health_internal.tracking, from_date date, to_date date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    history text := health_internal.data_table('history', tracking.id);
    month date := date_trunc('month', from_date::timestamp)::date;
    following date;
    partition text;
BEGIN
    WHILE month <= to_date LOOP
        following := (month + interval '1 month')::date;
        partition := health_internal.history_month(tracking.id, month);
        IF to_regclass(partition) IS NULL THEN
            PERFORM health_internal.create_data_partition('history', tracking.id, month);
            EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', history, partition, month, following);
        END IF;
        month := following;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.make_history_months(health_internal.tracking, date, date) IS 'Makes the partitions of a history for the months of a span of days';

-- Whoever reads the history at the moment keeps its oldest month until the next day.
CREATE FUNCTION health_internal.drop_old_data(tracking health_internal.tracking, document jsonb, as_of date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_kept text := health_internal.history_month(tracking.id, date_trunc('month', health_internal.history_start(document, as_of)::timestamp)::date);
    old record;
    source health_internal.ledger_source;
BEGIN
    IF NOT isfinite(health_internal.history_start(document, as_of)) THEN
        RETURN;
    END IF;
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = tracking.model ORDER BY s.id LOOP
        EXECUTE format('DELETE FROM %s WHERE period < $1', source.chunk_table::regclass) USING health_internal.ledger_start(document, as_of);
        UPDATE health_internal.ledger_source AS s SET kept_from = health_internal.ledger_start(document, as_of) WHERE s.id = source.id;
        PERFORM health_internal.delete_rows(tracking.model, 'days', source.id::text, (least(as_of, current_date) - 100)::text);
    END LOOP;
    FOR old IN SELECT format('health_data.%I', c.relname) AS partition FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
               WHERE i.inhparent = to_regclass(health_internal.data_table('history', tracking.id)) AND format('health_data.%s', c.relname) < first_kept LOOP
        BEGIN
            PERFORM set_config('lock_timeout', '100ms', true);
            EXECUTE format('DROP TABLE %s', old.partition);
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
        PERFORM set_config('lock_timeout', '0', true);
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.drop_old_data(health_internal.tracking, jsonb, date) IS 'Drops the quarters of the ledgers and the months of the history that are older than what the model keeps';

-- Days that are recorded keep the account data they were recorded with; for others, expressions and dated answers are those of the day and
-- plain columns stand at their present value.
CREATE FUNCTION health_internal.write_history(tracking health_internal.tracking, version health_internal.model_version, from_date date, to_date date, step integer,
                                     only_new boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_date CONSTANT date := to_date - (to_date - from_date) % step;
    new_accounts CONSTANT text := format('l.account_id IN (SELECT n.account_id FROM %s AS n WHERE NOT EXISTS (SELECT 1 FROM %s AS c WHERE c.account_id = n.account_id))',
                                         health_internal.data_table('stale', tracking.id), health_internal.data_table('score', tracking.id));
    history text := health_internal.data_table('history', tracking.id);
    document jsonb := version.document;
    compiled health_internal.compiled_model;
    same_inputs integer[] := health_internal.versions_with_same_inputs(tracking.model, document);
    updated bigint := 0;
    written bigint;
BEGIN
    IF from_date > to_date THEN
        RETURN 0;
    END IF;
    PERFORM health_internal.make_history_months(tracking, from_date, to_date);
    PERFORM set_config('search_path', version.search_path, true);
    IF NOT only_new THEN
        EXECUTE pg_catalog.format(
            'UPDATE %1$s AS h SET model_version = %2$s, score = n.score, band = n.band, data_coverage = n.coverage, unknown_reason = n.unknown_reason '
            'FROM (SELECT r.account_id, r.as_of AS day, s.score, s.band, s.coverage, s.unknown_reason FROM %1$s AS r JOIN %3$s AS l ON l.account_id = r.account_id, '
            'LATERAL health.score_series(%4$L::pg_catalog.jsonb, ROW(ARRAY[l.usage], r.as_of, r.account_start, r.seats, r.inputs, r.observed, l.segments, NULL, NULL)'
            '::health.account_state, r.as_of, r.as_of) AS s '
            'WHERE r.as_of >= $1 AND r.as_of <= $2 AND (r.as_of - $1) %% $3 = 0 AND r.model_version = ANY ($4)) AS n '
            'WHERE h.account_id = n.account_id AND h.as_of = n.day',
            history, version.version, health_internal.data_table('ledger', tracking.id), health_internal.scoring_document(document))
        USING from_date, to_date, step, same_inputs;
        GET DIAGNOSTICS updated = ROW_COUNT;
    END IF;
    compiled := health_internal.compile_model(document, version.version, as_of => last_date, usage_from => 'ledger', model_name => tracking.model,
                                     past_days => last_date - from_date);
    EXECUTE pg_catalog.format(
        'INSERT INTO %1$s (account_id, as_of, model_version, score, band, data_coverage, unknown_reason, account_start, seats, inputs, observed) '
        'SELECT l.account_id, s.as_of, %2$s, s.score, s.band, s.coverage, s.unknown_reason, l.account_start, l.seats, '
        'CASE WHEN s.as_of = $2 OR l.past_inputs IS NULL THEN l.inputs ELSE ARRAY(SELECT pg_catalog.unnest(l.past_inputs[$2 - s.as_of : $2 - s.as_of][:])) END, '
        'CASE WHEN s.as_of = $2 OR l.past_observed IS NULL THEN l.observed ELSE ARRAY(SELECT pg_catalog.unnest(l.past_observed[$2 - s.as_of : $2 - s.as_of][:])) END '
        'FROM (%3$s) AS l, LATERAL health.score_series(%4$L::pg_catalog.jsonb, %6$s, $1, $2, $3) AS s WHERE %5$s ON CONFLICT (account_id, as_of) DO NOTHING',
        history, version.version, compiled.ledger, health_internal.scoring_document(document), CASE WHEN only_new THEN new_accounts ELSE 'true' END,
        health_internal.compile_state())
    USING from_date, last_date, step;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN updated + written;
END;
$$;
COMMENT ON FUNCTION health_internal.write_history(health_internal.tracking, health_internal.model_version, date, date, integer, boolean) IS
    'Writes the history of every step-th day of a span from the ledger, of all accounts or of those that have no score yet; returns the rows written';

CREATE FUNCTION health_internal.check_span(model_name text, from_date date, to_date date, step integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF from_date IS NULL OR to_date IS NULL OR NOT isfinite(from_date) OR NOT isfinite(to_date) OR from_date > to_date THEN
        RAISE EXCEPTION 'model "%": from % to % is no span of time', model_name, coalesce(from_date::text, 'NULL'), coalesce(to_date::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the earlier date first.';
    ELSIF step IS NULL OR step < 1 THEN
        RAISE EXCEPTION 'model "%": step must be at least 1 day, not %', model_name, coalesce(step::text, 'NULL') USING ERRCODE = 'invalid_parameter_value';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_span(text, date, date, integer) IS 'Raises an error unless the dates are a span of time and the step is a number of days';

CREATE FUNCTION health_internal.backfill_history_as_owner(model text, from_date date, to_date date, step integer) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
    version health_internal.model_version;
    last_day date;
BEGIN
    PERFORM health_internal.open_model(model);
    PERFORM health_internal.check_span(model, from_date, to_date, step);
    PERFORM health_internal.lock_tracking(model, true);
    tracking := health_internal.find_ready_tracking(model);
    version := health_internal.find_version(model, tracking.model_version);
    last_day := coalesce(tracking.scored_as_of, health_internal.model_today(version.document)) - 1;
    IF from_date > last_day THEN
        RAISE EXCEPTION 'model "%": the history ends on %, from then on refreshes write it', model, last_day
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give dates before.';
    END IF;
    UPDATE health_internal.tracking AS t SET history_from = least(t.history_from, from_date) WHERE t.id = tracking.id;
    RETURN health_internal.write_history(tracking, version, from_date, least(to_date, last_day), step);
END;
$$;
COMMENT ON FUNCTION health_internal.backfill_history_as_owner(text, date, date, integer) IS 'backfill_history() as the owner of the model';

CREATE FUNCTION health.backfill_history(model text, from_date date, to_date date, step integer DEFAULT 1) RETURNS bigint
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.written FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT health_internal.backfill_history_as_owner($1, $2::date, $3::date, $4::integer)',
        model, from_date::text, to_date::text, step::text) AS r (written bigint);
$$;
COMMENT ON FUNCTION health.backfill_history(text, date, date, integer) IS
    'Writes the history of every step-th day of a span of past days from the ledger, without reading events; returns the rows written. '
    'Days that are recorded are scored again with the account data of the day';

CREATE FUNCTION health_internal.compile_recorded(model_name text, document jsonb, ledger text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(
        (SELECT format('SELECT l.account_id, l.name, l.usage, l.as_of, CASE WHEN h.account_id IS NULL THEN l.account_start ELSE h.account_start END AS account_start, '
                       'CASE WHEN h.account_id IS NULL THEN l.seats ELSE h.seats END AS seats, coalesce(h.inputs, l.inputs) AS inputs, '
                       'CASE WHEN h.account_id IS NULL THEN l.observed ELSE h.observed END AS observed, l.segments '
                       'FROM (%s) AS l LEFT JOIN %s AS h ON h.account_id = l.account_id AND h.as_of = l.as_of AND h.as_of < %L::pg_catalog.date AND h.model_version = ANY (%L::integer[])',
                       ledger, health_internal.data_table('history', t.id), coalesce(t.scored_as_of, '-infinity'), health_internal.versions_with_same_inputs(model_name, document))
         FROM health_internal.tracking AS t WHERE t.model = model_name AND to_regclass(health_internal.data_table('history', t.id)) IS NOT NULL),
        format('SELECT l.account_id, l.name, l.usage, l.as_of, l.account_start, l.seats, l.inputs, l.observed, l.segments FROM (%s) AS l', ledger));
$$;
COMMENT ON FUNCTION health_internal.compile_recorded(text, jsonb, text) IS
    'SQL of a ledger query with the account data that the history of a tracked model recorded on past days; else with those of the query';

CREATE FUNCTION health_internal.score_at_as_owner(model text, as_of date, version integer,
    OUT account_id text, OUT name text, OUT as_of_date date, OUT model_version integer, OUT score float8, OUT band text, OUT data_coverage float8,
    OUT unknown_reason text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    scored health_internal.model_version := health_internal.find_version(model, coalesce(version, opened.current_version));
    compiled health_internal.compiled_model;
BEGIN
    IF as_of IS NULL OR NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day to score at is %', model, coalesce(as_of::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day: score_at(model, date).';
    END IF;
    PERFORM set_config('search_path', scored.search_path, true);
    compiled := health_internal.compile_model(scored.document, scored.version, as_of => score_at_as_owner.as_of, usage_from => health_internal.usage_source(model, scored.document),
                                     model_name => model);
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT l.account_id::pg_catalog.text, l.name, s.as_of, %s, s.score, s.band, s.coverage, s.unknown_reason FROM (%s) AS l, '
        'LATERAL health.score_series(%L::pg_catalog.jsonb, ROW(ARRAY[l.usage], l.as_of, l.account_start, l.seats, l.inputs, l.observed, l.segments, NULL, NULL)'
        '::health.account_state, l.as_of, l.as_of) AS s ORDER BY l.account_id',
        scored.version, health_internal.compile_recorded(model, scored.document, compiled.ledger), scored.document);
EXCEPTION WHEN data_exception THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, scored, as_of);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.score_at_as_owner(text, date, integer) IS 'score_at() as the owner of the model';

CREATE FUNCTION health.score_at(model text, as_of date, version integer DEFAULT NULL,
    OUT account_id text, OUT name text, OUT as_of_date date, OUT model_version integer, OUT score float8, OUT band text, OUT data_coverage float8,
    OUT unknown_reason text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.score_at_as_owner($1, $2::date, $3::integer)', model, as_of::text, version::text)
        AS r (account_id text, name text, as_of_date date, model_version integer, score float8, band text, data_coverage float8,
              unknown_reason text);
END;
$$;
COMMENT ON FUNCTION health.score_at(text, date, integer) IS
    'The whole book as of a past day, by the current or a named version of the model: events of days before it, account data as the history of a tracked '
    'model recorded them on that day, else expressions and dated answers of that day and columns at their present value';
