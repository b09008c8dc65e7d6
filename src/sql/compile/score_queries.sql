-- The queries of scores, signals and history over rows of ledgers.

-- Plain views beside the others, of what the model has by the same key: computed when they are read.
CREATE FUNCTION health_internal.is_beside(suffix text) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT suffix IN ('_segments', '_flags', '_parents');
END;
COMMENT ON FUNCTION health_internal.is_beside(text) IS
    'Whether a relation of a score view is one of those that a model has by a key of its own: _segments, _flags, _parents';

CREATE FUNCTION health_internal.score_relations(schema_name name, view_name name, document jsonb)
RETURNS TABLE (suffix text, relation text, short_name text)
LANGUAGE sql IMMUTABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.suffix, format('%I.%I', schema_name, view_name || s.suffix), view_name || s.suffix
    FROM (VALUES (1, '_ledger'), (2, ''), (3, '_signals'), (4, '_history'), (5, '_users'), (6, '_segments'), (7, '_flags'),
                 (8, '_parents')) AS s (position, suffix)
    WHERE NOT health_internal.is_beside(s.suffix) OR document ? ltrim(s.suffix, '_')
       OR s.suffix = '_parents' AND document -> 'accounts' ? 'parent' ORDER BY s.position;
$$;
COMMENT ON FUNCTION health_internal.score_relations(name, name, jsonb) IS
    'The relations of a score view of a document, in the order in which they build on each other: five, and one each of segments, '
    'flags and parents where it has any';

-- The part of a document that scoring reads; sources, segments and flags are left out of the views.
CREATE FUNCTION health_internal.scoring_document(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT document - '{accounts,users,events,facts,revenue,description,as_of,segments,flags}'::text[];
END;
COMMENT ON FUNCTION health_internal.scoring_document(jsonb) IS 'A document without its sources, segments and flags';

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
CREATE FUNCTION health_internal.compile_state(parts text DEFAULT NULL, with_past boolean DEFAULT true,
    past_step integer DEFAULT 1, row_name text DEFAULT 'l', with_overrides boolean DEFAULT true) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('ROW(%2$s, %1$s.as_of, %1$s.account_start, %1$s.seats, %1$s.inputs, %1$s.observed, %1$s.segments, %3$s, '
        '%1$s.repeated, %1$s.account_end, %1$s.ledger_start, %4$s, %5$s, %1$s.outages)::health.account_state', row_name,
        coalesce(parts, pg_catalog.format('ARRAY[%s.usage]', row_name)),
        CASE WHEN with_past THEN pg_catalog.format('%1$s.past_inputs, %1$s.past_observed', row_name) ELSE 'NULL, NULL' END,
        CASE WHEN with_past THEN pg_catalog.format('%s, %s.in_filter', past_step, row_name) ELSE 'NULL, NULL' END,
        CASE WHEN with_overrides THEN row_name || '.overrides' ELSE 'NULL' END);
END;
COMMENT ON FUNCTION health_internal.compile_state(text, boolean, integer, text, boolean) IS
    'SQL of the account state of a ledger row; parts is SQL of its usage, an array, by default what the row has; with what is known of '
    'earlier days, and what people decided about the score, or not';

-- Before a day nothing is known of that day and later ones; where all days that are asked for are earlier, that goes without saying.
CREATE FUNCTION health_internal.compile_known_usage(known_before date, as_of date DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN known_before IS NULL THEN 'ARRAY[l.usage]'
        WHEN known_before < as_of
            THEN pg_catalog.format('ARRAY[health.slice(health_internal.known_before(l.usage, DATE %1$L), NULL, DATE %1$L)]', known_before)
        ELSE pg_catalog.format('ARRAY[health_internal.known_before(l.usage, DATE %L)]', known_before) END;
END;
COMMENT ON FUNCTION health_internal.compile_known_usage(date, date) IS
    'SQL of the usage of a ledger row l, for compile_state(), as it was known before a day (NULL: as it is known now), for questions as of '
    'another';

-- The column next_step of rows "s" of scores: of a model that holds signals against the book, by what the book did as well.
CREATE FUNCTION health_internal.compile_next_step(document jsonb, as_of text, signals text, overrides text, book text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN true = ANY (health_internal.relative_signals(document)) THEN format(
        'CASE WHEN s.next_step IS NOT NULL THEN health_internal.next_step_in_book(%L::pg_catalog.jsonb, %s, %s, %s, s.change_28d, %s) '
        'END AS next_step', health_internal.scoring_document(document), as_of, signals, overrides, book) ELSE 's.next_step' END;
$$;
COMMENT ON FUNCTION health_internal.compile_next_step(jsonb, text, text, text, text) IS
    'SQL of the next step of an account s, which is one only if it is one against the book; signals, overrides and book are SQL';

CREATE FUNCTION health_internal.compile_state_reason(document jsonb, row_name text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN document -> 'accounts' ? 'merged_into' THEN pg_catalog.format(
        'CASE WHEN %1$s."$into" IS NULL THEN s.state_reason ELSE ''merged into '' || %1$s."$into" END AS state_reason', row_name)
        ELSE 's.state_reason' END;
END;
COMMENT ON FUNCTION health_internal.compile_state_reason(jsonb, text) IS
    'SQL of the column state_reason of a row s of scores, of a row of a ledger or book';

CREATE FUNCTION health_internal.compile_score_query(suffix text, ledger_relation text, model_name text, document jsonb,
                                                    compiled health_internal.compiled_model, probabilities text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    scoring CONSTANT text := format('%L::pg_catalog.jsonb, %s', health_internal.scoring_document(document),
        health_internal.compile_state());
    -- Over the rows that are scored, which are read once.
    book CONSTANT text := health_internal.compile_book_changes(document, 'scored');
    scores CONSTANT text := format(
        'SELECT %s, l.account_start, l.account_end, nullif(l.seats, ''NaN'') AS seats, l.as_of, %L::pg_catalog.text AS model, '
            'l.model_version, '
        's.score, s.band, s.state, %s, s.in_book, s.data_coverage, '
        'coalesce(l.tracking_broke, s.unknown_reason) AS unknown_reason, s.change_7d, s.change_28d, s.main_reason, s.next_step, '
        's.score_without_top_user, s.override_reason, '
        '%s%s%s '
        'FROM %s AS l CROSS JOIN LATERAL health_internal.score_details(%s) AS s WHERE l.in_filter[1] IS NOT FALSE',
        health_internal.list_columns('{account_id,name}' || compiled.extra_columns, 'l'), model_name,
        health_internal.compile_state_reason(document, 'l'), health_internal.list_columns(health_internal.metric_columns(), 's'),
        ', ' || health_internal.list_columns(compiled.value_columns, 'l'),
        CASE WHEN book IS NOT NULL THEN ', s.signals AS "$signals", l.overrides' END, ledger_relation, scoring);
BEGIN
    RETURN CASE suffix
        WHEN '_ledger' THEN compiled.ledger
        WHEN '' THEN format('SELECT s.*, %s FROM (%s) AS s', probabilities, CASE WHEN book IS NULL THEN scores ELSE format(
            'WITH scored AS MATERIALIZED (%s) SELECT %s, %s, %s FROM scored AS s CROSS JOIN (%s) AS b', scores,
            health_internal.list_columns('{account_id,name}' || compiled.extra_columns || '{account_start,account_end,seats,as_of,model,'
                'model_version,score,band,state,state_reason,in_book,data_coverage,unknown_reason,change_7d,change_28d,main_reason}', 's'),
            health_internal.compile_next_step(document, 's.as_of', 's."$signals"', 's.overrides', 'b.changes'),
            health_internal.list_columns('{score_without_top_user,override_reason}' || health_internal.metric_columns()
                || compiled.value_columns, 's'), book) END)
        WHEN '_signals' THEN format(
            'WITH scored AS %5$s (SELECT l.account_id, l.name, l.as_of, l.model_version, l.overrides, '
            'health_internal.account_signals(%2$s) AS "$signals" FROM %1$s AS l WHERE l.in_filter[1] IS NOT FALSE) '
            'SELECT l.account_id, l.name, l.as_of, l.model_version, s."position", s.signal, s.parent, s.label, s.level, s.raw, s.raw_text, '
            's.normalized, s.weight, s.points, s.reason, s.phrase, s.next_step, s.counted, s.basis, s.book '
            'FROM scored AS l CROSS JOIN (%3$s) AS b CROSS JOIN LATERAL '
            'health_internal.signal_rows(%4$L::pg_catalog.jsonb, l.as_of, l."$signals", l.overrides, b.changes) AS s',
            ledger_relation, scoring, coalesce(book, 'SELECT NULL::pg_catalog.float8[] AS changes'),
            health_internal.scoring_document(document), CASE WHEN book IS NULL THEN 'NOT MATERIALIZED' ELSE 'MATERIALIZED' END)
        WHEN '_history' THEN format(
            'SELECT l.account_id, h.as_of, l.model_version, h.score, h.band, h.state, h.coverage AS data_coverage, h.unknown_reason '
            'FROM %s AS l CROSS JOIN LATERAL health.score_series(%s, l.as_of - %s, l.as_of) AS h',
            ledger_relation, scoring, health_internal.history_days(document) - 1)
        WHEN '_users' THEN health_internal.compile_users(document, health_internal.scoring_document(document), ledger_relation,
            health_internal.compile_state(with_past => false, with_overrides => false))
    END;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_score_query(text, text, text, jsonb, health_internal.compiled_model, text) IS
    'SQL of one of the relations of a score view that is made from events';
