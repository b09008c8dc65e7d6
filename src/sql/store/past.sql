-- Writing and reading the past: days recorded, days from the ledger.

-- Whoever reads the history at the moment keeps its oldest month until the next day.
CREATE FUNCTION health_internal.drop_old_data(tracking health_internal.tracking, document jsonb, as_of date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_kept text := health_internal.history_month(tracking.id, health_internal.month_of(health_internal.history_start(document, as_of)));
    old record;
    source health_internal.ledger_source;
BEGIN
    IF NOT isfinite(health_internal.history_start(document, as_of)) THEN
        RETURN;
    END IF;
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s
                  WHERE s.model = tracking.model AND isfinite(health_internal.ledger_start(document, as_of, s.path)) ORDER BY s.id LOOP
        EXECUTE format('DELETE FROM %s WHERE period < $1', source.chunk_table::regclass) USING health_internal.ledger_start(document,
            as_of);
        UPDATE health_internal.ledger_source AS s SET kept_from = health_internal.ledger_start(document, as_of) WHERE s.id = source.id;
        PERFORM health_internal.delete_rows(tracking.model, 'days', source.id::text, health_internal.ledger_start(document, as_of)::text);
    END LOOP;
    FOR old IN SELECT format('health_data.%I', c.relname) AS partition FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
               WHERE i.inhparent = to_regclass(health_internal.data_table('history', tracking.id))
                   AND format('health_data.%s', c.relname) < first_kept LOOP
        PERFORM health_internal.run_ddl(ARRAY['DROP TABLE ' || old.partition], interval '0');
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.drop_old_data(health_internal.tracking, jsonb, date) IS
    'Drops the quarters of the ledgers and the months of the history that are older than what the model keeps';

-- Days that are recorded keep the account data they were recorded with; for others, expressions and dated answers are those of the day and
-- plain columns stand at their present value.
CREATE FUNCTION health_internal.rescore_recorded(tracking health_internal.tracking, version health_internal.model_version, from_date date,
    to_date date, step integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE pg_catalog.format($query$
        WITH fresh AS (
            SELECT h.account_id, h.month, pg_catalog.array_agg(EXTRACT(day FROM r.as_of)::pg_catalog.int2 ORDER BY r.as_of) AS days,
                   pg_catalog.array_agg(s.score ORDER BY r.as_of) AS scores,
                   pg_catalog.array_agg(ROW(EXTRACT(day FROM r.as_of), %5$s, s.coverage, s.unknown_reason, r.account_start, r.seats,
                       r.inputs, r.observed, health_internal.end_then(l.account_end, r.account_end),
                       s.state)::health_internal.history_span ORDER BY r.as_of) AS spans
            FROM %1$s AS h
            JOIN (%2$s) AS l ON l.account_id = h.account_id
            CROSS JOIN LATERAL health_internal.recorded_days(h.month, h.days, h.spans) AS r
            CROSS JOIN LATERAL health.score_series(%3$L::pg_catalog.jsonb, ROW(l."$parts", r.as_of, r.account_start, r.seats, r.inputs,
                r.observed, l.segments, NULL, NULL, r.unknown_reason IS NOT DISTINCT FROM 'repeated_account',
                health_internal.end_then(l.account_end, r.account_end),
                l.ledger_start, NULL, NULL, l.overrides, %6$L)::health.account_state, r.as_of, r.as_of) AS s
            WHERE h.month >= health_internal.month_of($1) AND h.month <= $2 AND r.as_of >= $1 AND r.as_of <= $2 AND (r.as_of - $1) %% $3 = 0
              AND r.model_version = ANY (%4$L::pg_catalog.int4[])
            GROUP BY h.account_id, h.month
        )
        UPDATE %1$s AS h SET (days, scores, spans) = (SELECT m.days, m.scores, m.spans
            FROM health_internal.merge_months(f.days, f.scores, f.spans, h.days, h.scores, h.spans) AS m)
        FROM fresh AS f WHERE h.account_id = f.account_id AND h.month = f.month
        $query$, health_internal.data_table('history', tracking.id), health_internal.compile_book_rows(tracking, version.document, false),
        health_internal.scoring_document(version.document), health_internal.versions_with_same_inputs(tracking.model, version.document),
            version.version, (health_internal.ledger_sight(tracking.model, version.document, to_date, to_date - from_date)).outages)
    USING from_date, to_date, step;
END;
$$;
COMMENT ON FUNCTION health_internal.rescore_recorded(health_internal.tracking, health_internal.model_version, date, date, integer) IS
    'Scores the recorded days of a span again, by a version of the model, with the account data of each day';

CREATE FUNCTION health_internal.count_history(tracking health_internal.tracking, from_date date, to_date date) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    rows_recorded bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s AS h, unnest(h.days) AS d (day) '
                   'WHERE h.month >= health_internal.month_of($1) AND h.month <= $2 AND h.month + (d.day - 1) BETWEEN $1 AND $2',
                   health_internal.data_table('history', tracking.id))
    INTO rows_recorded USING from_date, to_date;
    RETURN rows_recorded;
END;
$$;
COMMENT ON FUNCTION health_internal.count_history(health_internal.tracking, date, date) IS
    'How many days of accounts a history has of a span of days';

CREATE FUNCTION health_internal.write_history(tracking health_internal.tracking, version health_internal.model_version, from_date date,
    to_date date,
                                              step integer, only_new boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_date CONSTANT date := to_date - (to_date - from_date) % step;
    compiled health_internal.compiled_model;
BEGIN
    IF from_date > to_date THEN
        RETURN;
    END IF;
    PERFORM health_internal.make_history_months(tracking, from_date, to_date);
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, as_of => last_date, usage_from => 'ledger',
                                              model_name => tracking.model, past_days => last_date - from_date, past_step => step);
    EXECUTE pg_catalog.format($query$
        INSERT INTO %1$s AS h (account_id, month, days, scores, spans)
        SELECT l.account_id, s.month, s.days, s.scores, s.spans
        FROM (%2$s) AS l CROSS JOIN LATERAL health_internal.score_months(%3$L::pg_catalog.jsonb, %4$s, %5$s, $1, $2, $3) AS s
        WHERE %6$s
        ON CONFLICT (account_id, month) DO UPDATE SET (days, scores, spans) = (SELECT m.days, m.scores, m.spans
            FROM health_internal.merge_months(h.days, h.scores, h.spans, excluded.days, excluded.scores, excluded.spans) AS m)
        $query$, health_internal.data_table('history', tracking.id), compiled.ledger, health_internal.scoring_document(version.document),
        health_internal.compile_state(past_step => step), version.version,
        CASE WHEN only_new THEN pg_catalog.format('NOT EXISTS (SELECT FROM %s AS c WHERE c.account_id = l.account_id)',
                                                  health_internal.data_table('score', tracking.id)) ELSE 'true' END)
    USING from_date, last_date, step;
END;
$$;
COMMENT ON FUNCTION health_internal.write_history(health_internal.tracking, health_internal.model_version, date, date, integer, boolean) IS
    'Writes the history of every step-th day of a span from the ledger, of all accounts or of those that have no score yet; what is '
        'recorded stays';

-- The present scores are the last day of the history.
CREATE FUNCTION health_internal.record_scores(tracking health_internal.tracking, chosen text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format($query$
        INSERT INTO %1$s AS h (account_id, month, days, scores, spans)
        SELECT n.account_id, health_internal.month_of(t.as_of), ARRAY[d.day], ARRAY[n.score],
               ARRAY[ROW(d.day, t.model_version, n.data_coverage, n.unknown_reason, n.account_start, n.seats,
                         nullif(n.inputs, '{}'), nullif(n.observed, '{}'), n.account_end, n.state)::health_internal.history_span]
        FROM (SELECT s.account_id, s.score, s.data_coverage, s.unknown_reason, s.state, b.account_start, b.account_end, b.seats, b.inputs,
                     b.observed
              FROM %2$s AS s JOIN %3$s AS b ON b.account_id = s.account_id WHERE %5$s) AS n
        CROSS JOIN %4$s AS t CROSS JOIN LATERAL (SELECT extract(day FROM t.as_of)::smallint AS day) AS d
        ON CONFLICT (account_id, month) DO UPDATE
        SET days = CASE WHEN h.days[cardinality(h.days)] = excluded.days[1] THEN h.days ELSE h.days || excluded.days END,
            scores = CASE WHEN h.days[cardinality(h.days)] = excluded.days[1] THEN h.scores[:cardinality(h.scores) - 1] ELSE h.scores END
                || excluded.scores,
            spans = CASE WHEN (h.spans[cardinality(h.spans)]).from_day < excluded.days[1]
                              AND health_internal.spans_agree(h.spans[cardinality(h.spans)], excluded.spans[1]) THEN h.spans
                         ELSE health_internal.append_span(h.spans, excluded.spans[1]) END
        WHERE h.days[cardinality(h.days)] < excluded.days[1]
           OR h.scores[cardinality(h.scores)] IS DISTINCT FROM excluded.scores[1]
           OR NOT health_internal.spans_agree(h.spans[cardinality(h.spans)], excluded.spans[1])
        $query$, health_internal.data_table('history', tracking.id), health_internal.data_table('score', tracking.id),
        health_internal.data_table('book', tracking.id), health_internal.data_table('state', tracking.id), chosen);
END;
$$;
COMMENT ON FUNCTION health_internal.record_scores(health_internal.tracking, text) IS
    'Writes the present scores of chosen accounts (a condition on s.account_id) into the history';

CREATE FUNCTION health_internal.check_span(model_name text, from_date date, to_date date, step integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF from_date IS NULL OR to_date IS NULL OR NOT isfinite(from_date) OR NOT isfinite(to_date) OR from_date > to_date THEN
        RAISE EXCEPTION 'model "%": from % to % is no span of time', model_name, coalesce(from_date::text, 'NULL'),
            coalesce(to_date::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give two days, the earlier one first.';
    ELSIF step IS NULL OR step < 1 THEN
        RAISE EXCEPTION 'model "%": step must be at least 1 day, not %', model_name, coalesce(step::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_span(text, date, date, integer) IS
    'Raises an error unless the dates are a span of time and the step is a number of days';

CREATE FUNCTION health_internal.backfill_history_as_owner(model text, from_date date, to_date date, step integer) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
    version health_internal.model_version;
    last_day date;
    already bigint;
BEGIN
    PERFORM health_internal.check_span(model, from_date, to_date, step);
    PERFORM health_internal.lock_tracking(model, true);
    tracking := health_internal.find_ready_tracking(model);
    version := health_internal.find_version(model, tracking.model_version);
    last_day := coalesce((health_internal.read_state(tracking.id)).as_of, health_internal.model_today(version.document)) - 1;
    IF from_date > last_day THEN
        RAISE EXCEPTION 'model "%": the history ends on %, from then on refreshes write it', model, last_day
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give dates before.';
    END IF;
    UPDATE health_internal.tracking AS t SET history_from = least(t.history_from, from_date) WHERE t.id = tracking.id;
    last_day := least(to_date, last_day);
    PERFORM health_internal.rescore_recorded(tracking, version, from_date, last_day, step);
    already := health_internal.count_history(tracking, from_date, last_day);
    PERFORM health_internal.write_history(tracking, version, from_date, last_day, step);
    RETURN health_internal.count_history(tracking, from_date, last_day) - already;
END;
$$;
COMMENT ON FUNCTION health_internal.backfill_history_as_owner(text, date, date, integer) IS 'backfill_history() as the owner of the model';

CREATE FUNCTION health.backfill_history(model text, from_date date, to_date date, step integer DEFAULT 1) RETURNS bigint
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.written FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT health_internal.backfill_history_as_owner($1, $2::date, $3::date, $4::integer)',
        model, health_internal.iso_text(from_date), health_internal.iso_text(to_date), step::text) AS r (written bigint);
$$;
COMMENT ON FUNCTION health.backfill_history(text, date, date, integer) IS
    'Writes the history of every step-th day of a span of past days from the ledger, without reading events; returns the rows written. '
    'Days that are recorded are scored again with the account data of the day';

CREATE FUNCTION health_internal.compile_recorded(model_name text, document jsonb, ledger text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(
        (SELECT format($query$
            SELECT l.account_id, l.name, l.usage, l.as_of, CASE WHEN r.as_of IS NULL THEN l.account_start
                ELSE r.account_start END AS account_start,
                   CASE WHEN r.as_of IS NULL THEN l.account_end
                ELSE health_internal.end_then(l.account_end, r.account_end) END AS account_end, l.ledger_start,
                   CASE WHEN r.as_of IS NULL THEN l.seats ELSE r.seats END AS seats, coalesce(r.inputs, l.inputs) AS inputs,
                   CASE WHEN r.as_of IS NULL THEN l.observed ELSE r.observed END AS observed, l.segments, l.past_inputs, l.past_observed,
                   CASE WHEN r.as_of IS NULL THEN l.repeated ELSE r.unknown_reason IS NOT DISTINCT FROM 'repeated_account' END AS repeated,
                   l.in_filter, l.overrides, l.outages, l.tracking_broke
            FROM (%s) AS l LEFT JOIN LATERAL (
                SELECT d.* FROM %s AS h, health_internal.recorded_days(h.month, h.days, h.spans) AS d
                WHERE h.account_id = l.account_id AND h.month = health_internal.month_of(l.as_of) AND d.as_of = l.as_of
                  AND d.as_of < %L::pg_catalog.date AND d.model_version = ANY (%L::integer[])) AS r ON true $query$,
                       ledger, health_internal.data_table('history', t.id), coalesce((health_internal.read_state(t.id)).as_of, '-infinity'),
                       health_internal.versions_with_same_inputs(model_name, document))
         FROM health_internal.tracking AS t WHERE t.model = model_name
             AND to_regclass(health_internal.data_table('history', t.id)) IS NOT NULL),
        ledger);
$$;
COMMENT ON FUNCTION health_internal.compile_recorded(text, jsonb, text) IS
    'SQL of a ledger query with the account data that the history of a tracked model recorded on past days; else with those of the query';
