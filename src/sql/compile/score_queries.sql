-- The queries of scores, signals and history over rows of ledgers.

CREATE FUNCTION health_internal.score_relations(schema_name name, view_name name)
RETURNS TABLE (suffix text, relation text, short_name text)
LANGUAGE sql IMMUTABLE ROWS 4
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.suffix, format('%I.%I', schema_name, view_name || s.suffix), view_name || s.suffix
    FROM (VALUES (1, '_ledger'), (2, ''), (3, '_signals'), (4, '_history')) AS s (position, suffix) ORDER BY s.position;
$$;
COMMENT ON FUNCTION health_internal.score_relations(name, name) IS 'The four relations of a score view, in the order in which they build on each other';

-- The part of a document that scoring reads; sources are left out of the views.
CREATE FUNCTION health_internal.scoring_document(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT document - '{accounts,users,events,description,as_of}'::text[];
END;
COMMENT ON FUNCTION health_internal.scoring_document(jsonb) IS 'A document without its sources';

CREATE FUNCTION health_internal.metric_columns() RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT a.attname::text FROM pg_attribute AS a
                 WHERE a.attrelid = (SELECT t.typrelid FROM pg_type AS t WHERE t.oid = 'health.metrics_record'::regtype)
                   AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum);
$$;
COMMENT ON FUNCTION health_internal.metric_columns() IS 'The columns of health.metrics_record';

-- metrics() with the settings of a model: what its signals see by default.
CREATE FUNCTION health_internal.compile_metrics(document jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('health.metrics(l.usage, l.as_of, catalog => %L::pg_catalog.jsonb, window_days => %s, account_start => l.account_start, '
                  'seats => l.seats, onboarding_days => %s, onboarding_events => %s, onboarding_window => %s, '
                  'features => %L::pg_catalog.text[], daily_cap => %s)',
        document -> 'catalog' || CASE document ->> 'unlisted_events' WHEN 'count' THEN '{"*": {}}' ELSE '{}' END::jsonb,
        coalesce(document ->> 'window_days', '28'), coalesce(document #>> '{onboarding,days}', '7'),
        coalesce(document #>> '{onboarding,events}', '1'), coalesce(document #>> '{onboarding,window_days}', '28'),
        CASE WHEN jsonb_typeof(document -> 'features') = 'array'
             THEN ARRAY(SELECT jsonb_array_elements_text(document -> 'features')) END,
        coalesce(document ->> 'daily_cap', 'NULL'));
$$;
COMMENT ON FUNCTION health_internal.compile_metrics(jsonb) IS 'SQL of the call of metrics() for a ledger row l, with the settings of a document';

CREATE FUNCTION health_internal.history_days(document jsonb) RETURNS integer
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT greatest(coalesce((document #>> '{history,days}')::integer, 56), 1);
END;
COMMENT ON FUNCTION health_internal.history_days(jsonb) IS 'Days in the history of a score view, as_of among them';

CREATE FUNCTION health_internal.past_days(document jsonb) RETURNS integer
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT greatest(health_internal.history_days(document) - 1, 28);
END;
COMMENT ON FUNCTION health_internal.past_days(jsonb) IS 'Days before as_of that a score view looks at: for its history, and for the change in 28 days';

-- The one place where the columns of a ledger row become a state.
CREATE FUNCTION health_internal.compile_state(parts text DEFAULT 'ARRAY[l.usage]') RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('ROW(%s, l.as_of, l.account_start, l.seats, l.inputs, l.observed, l.segments, l.past_inputs, l.past_observed)'
                  '::health.account_state', parts);
$$;
COMMENT ON FUNCTION health_internal.compile_state(text) IS 'SQL of the account state of a ledger row l; parts is SQL of its usage, an array';

-- What the score and its signals are both taken from: columns of the account, and those of score_details().
CREATE FUNCTION health_internal.compile_details(ledger_relation text, parts text, document jsonb, columns text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT %s, d.score, d.band, d.data_coverage, d.unknown_reason, d.change_7d, d.change_28d, d.main_reason, d.next_step, '
                  'd.score_without_top_user, %s, d.signals AS "$signals" FROM %s AS l '
                  'CROSS JOIN LATERAL health_internal.score_details(%L::pg_catalog.jsonb, %s) AS d',
                  columns, (SELECT string_agg(format('d.%I', c.name), ', ' ORDER BY c.position)
                            FROM unnest(health_internal.metric_columns()) WITH ORDINALITY AS c (name, position)),
                  ledger_relation, health_internal.scoring_document(document), health_internal.compile_state(parts));
$$;
COMMENT ON FUNCTION health_internal.compile_details(text, text, jsonb, text) IS
    'SQL of score_details() for the rows l of a ledger, beside some of their columns; parts is SQL of their usage, an array';

CREATE FUNCTION health_internal.compile_score_query(suffix text, ledger_relation text, model_name text, document jsonb, compiled health_internal.compiled_model,
                                           from_details boolean DEFAULT false)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    scoring text := format('%L::pg_catalog.jsonb', health_internal.scoring_document(document));
    account_columns text := (SELECT coalesce(string_agg(format(', l.%I', c.name), '' ORDER BY c.position), '')
                             FROM unnest(compiled.extra_columns) WITH ORDINALITY AS c (name, position));
    value_columns text := (SELECT coalesce(string_agg(format(', l.%I', c.name), '' ORDER BY c.position), '')
                           FROM unnest(compiled.value_columns) WITH ORDINALITY AS c (name, position));
    metric_list text := (SELECT string_agg(format(', %s.%I', CASE WHEN from_details THEN 'l' ELSE 'm' END, c.name), '' ORDER BY c.position)
                         FROM unnest(health_internal.metric_columns()) WITH ORDINALITY AS c (name, position));
BEGIN
    RETURN CASE suffix
        WHEN '_ledger' THEN compiled.ledger
        WHEN '' THEN format(
            'SELECT l.account_id, l.name%s, l.account_start, l.seats, l.as_of, %L::pg_catalog.text AS model, l.model_version, s.score, s.band, '
            's.%I AS data_coverage, s.unknown_reason, s.change_7d, s.change_28d, s.main_reason, s.next_step, s.score_without_top_user%s%s '
            'FROM %s AS %s',
            account_columns, model_name, CASE WHEN from_details THEN 'data_coverage' ELSE 'coverage' END, metric_list, value_columns,
            ledger_relation,
            CASE WHEN from_details THEN 'l CROSS JOIN LATERAL (SELECT l.*) AS s'
                 ELSE format('l CROSS JOIN LATERAL health.score_account(%s, %s) AS s CROSS JOIN LATERAL %s AS m',
                             scoring, health_internal.compile_state(), health_internal.compile_metrics(document)) END)
        WHEN '_signals' THEN format(
            'SELECT l.account_id, l.name, l.as_of, l.model_version, s."position", s.signal, s.parent, s.label, s.level, s.raw, s.raw_text, '
            's.normalized, s.weight, s.points, s.reason, s.phrase FROM %s AS l CROSS JOIN LATERAL %s AS s',
            ledger_relation,
            CASE WHEN from_details THEN format('health_internal.signal_rows(%s, l.as_of, l."$signals")', scoring)
                 ELSE format('health.score_signals(%s, %s)', scoring, health_internal.compile_state()) END)
        WHEN '_history' THEN format(
            'SELECT l.account_id, h.as_of, l.model_version, h.score, h.band, h.coverage AS data_coverage, h.unknown_reason '
            'FROM %s AS l CROSS JOIN LATERAL '
            'health.score_series(%s, %s, l.as_of - %s, l.as_of) AS h',
            ledger_relation, scoring, health_internal.compile_state(), health_internal.history_days(document) - 1)
    END;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_score_query(text, text, text, jsonb, health_internal.compiled_model, boolean) IS
    'SQL of one of the four relations of a score view; from_details: of the score or its signals, from rows of compile_details()';

CREATE FUNCTION health_internal.reject_repeated_accounts(document jsonb, version integer) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    compiled health_internal.compiled_model := health_internal.compile_model(document, version, usage_from => 'nothing');
    repeated text;
    times bigint;
BEGIN
    EXECUTE pg_catalog.format('SELECT l.account_id::pg_catalog.text, pg_catalog.count(*) FROM (%s) AS l GROUP BY l.account_id '
                              'HAVING pg_catalog.count(*) > 1 ORDER BY 1 LIMIT 1', compiled.ledger) INTO repeated, times;
    IF repeated IS NOT NULL THEN
        RAISE EXCEPTION 'accounts.id: account "%" occurs % times in %', repeated, times, compiled.account_label
            USING ERRCODE = 'unique_violation', HINT = 'A score view has one row per account: narrow the source with accounts.filter, or use a query.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.reject_repeated_accounts(jsonb, integer) IS 'Raises an error when the account source has an id more than once';
