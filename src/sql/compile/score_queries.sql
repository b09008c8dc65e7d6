-- The queries of scores, signals and history over rows of ledgers.

CREATE FUNCTION health_internal.score_relations(schema_name name, view_name name)
RETURNS TABLE (suffix text, relation text, short_name text)
LANGUAGE sql IMMUTABLE ROWS 4
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.suffix, format('%I.%I', schema_name, view_name || s.suffix), view_name || s.suffix
    FROM (VALUES (1, '_ledger'), (2, ''), (3, '_signals'), (4, '_history')) AS s (position, suffix) ORDER BY s.position;
$$;
COMMENT ON FUNCTION health_internal.score_relations(name, name) IS
    'The four relations of a score view, in the order in which they build on each other';

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
COMMENT ON FUNCTION health_internal.past_days(jsonb) IS
    'Days before as_of that a score view looks at: for its history, and for the change in 28 days';

-- The one place where the columns of a ledger row become a state.
CREATE FUNCTION health_internal.compile_state(parts text DEFAULT 'ARRAY[l.usage]', with_past boolean DEFAULT true,
    past_step integer DEFAULT 1) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('ROW(%s, l.as_of, l.account_start, l.seats, l.inputs, l.observed, l.segments, %s, l.repeated, '
        'l.account_end, l.ledger_start, %s, l.overrides)::health.account_state', parts,
        CASE WHEN with_past THEN 'l.past_inputs, l.past_observed' ELSE 'NULL, NULL' END,
        CASE WHEN with_past THEN pg_catalog.format('%s, l.in_filter', past_step) ELSE 'NULL, NULL' END);
END;
COMMENT ON FUNCTION health_internal.compile_state(text, boolean, integer) IS
    'SQL of the account state of a ledger row l; parts is SQL of its usage, an array; with what is known of earlier days, or not';

CREATE FUNCTION health_internal.compile_score_query(suffix text, ledger_relation text, model_name text, document jsonb,
                                                    compiled health_internal.compiled_model) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    scoring CONSTANT text := format('%L::pg_catalog.jsonb, %s', health_internal.scoring_document(document),
        health_internal.compile_state());
BEGIN
    RETURN CASE suffix
        WHEN '_ledger' THEN compiled.ledger
        WHEN '' THEN format(
            'SELECT %s, l.account_start, l.account_end, nullif(l.seats, ''NaN'') AS seats, l.as_of, %L::pg_catalog.text AS model, '
                'l.model_version, '
            's.score, s.band, s.state, s.state_reason, s.in_book, '
                's.data_coverage, '
            's.unknown_reason, s.change_7d, s.change_28d, s.main_reason, s.next_step, s.score_without_top_user, s.override_reason, '
            '%s%s '
            'FROM %s AS l CROSS JOIN LATERAL health_internal.score_details(%s) AS s WHERE l.in_filter[1] IS NOT FALSE',
            health_internal.list_columns('{account_id,name}' || compiled.extra_columns, 'l'), model_name,
            health_internal.list_columns(health_internal.metric_columns(), 's'),
            ', ' || health_internal.list_columns(compiled.value_columns, 'l'), ledger_relation, scoring)
        WHEN '_signals' THEN format(
            'SELECT l.account_id, l.name, l.as_of, l.model_version, s."position", s.signal, s.parent, s.label, s.level, s.raw, s.raw_text, '
            's.normalized, s.weight, s.points, s.reason, s.phrase, s.next_step, s.counted, s.basis FROM %s AS l CROSS JOIN LATERAL '
                'health.score_signals(%s) AS s '
            'WHERE l.in_filter[1] IS NOT FALSE',
            ledger_relation, scoring)
        WHEN '_history' THEN format(
            'SELECT l.account_id, h.as_of, l.model_version, h.score, h.band, h.state, h.coverage AS data_coverage, h.unknown_reason '
            'FROM %s AS l CROSS JOIN LATERAL health.score_series(%s, l.as_of - %s, l.as_of) AS h',
            ledger_relation, scoring, health_internal.history_days(document) - 1)
    END;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_score_query(text, text, text, jsonb, health_internal.compiled_model) IS
    'SQL of one of the four relations of a score view that is made from events';
