-- The book of a tracked model: what is known of each account beside its usage, its scores, and the views that others read of both.
--
-- Tables in health_data, N being the number of the tracking: state_N (one row: what the scores stand for), book_N (attributes, inputs,
-- roster),
-- score_N (scores, metrics, signals), stale_N (accounts to score again), history_N (history.sql). A day turn changes state_N and what is
-- different in the others: neither the day nor the version is repeated in every row.

CREATE FUNCTION health_internal.drop_book(id integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass(health_internal.data_table('book', id)) IS NOT NULL THEN
        EXECUTE format('DROP TABLE %s, %s, %s', health_internal.data_table('score', id), health_internal.data_table('book', id),
                       health_internal.data_table('state', id));
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.drop_book(integer) IS 'Drops state, book and scores of a tracked model';

CREATE FUNCTION health_internal.book_columns(document jsonb, compiled health_internal.compiled_model) RETURNS text[]
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT '{account_id,name,inputs,observed,segments,account_start,account_end,seats,repeated,overrides}'::pg_catalog.text[]
        || (compiled).extra_columns || (compiled).value_columns
        || CASE WHEN document -> 'accounts' ? 'merged_into' THEN '{$into,$accounts}' ELSE '{}' END::pg_catalog.text[];
END;
COMMENT ON FUNCTION health_internal.book_columns(jsonb, health_internal.compiled_model) IS
    'The columns of a book, less the roster: of a document that knows of merged accounts, also into which one each went ("$into"), and the '
    'keys of those whose ledgers are its own ("$accounts"; NULL: its own alone)';

-- Versions that ask for the same inputs in the same order can read each other's history. The name alone would be the column.
CREATE FUNCTION health_internal.versions_with_same_inputs(model_name text, document jsonb) RETURNS integer[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT v.version FROM health_internal.model_version AS v
                 WHERE v.model = model_name
                   AND (SELECT jsonb_agg(to_jsonb(i) - 'path' ORDER BY i."position") FROM health.model_inputs(v.document) AS i)
                       IS NOT DISTINCT FROM
                       (SELECT jsonb_agg(to_jsonb(i) - 'path' ORDER BY i."position")
                        FROM health.model_inputs(versions_with_same_inputs.document) AS i)
                 ORDER BY v.version);
$$;
COMMENT ON FUNCTION health_internal.versions_with_same_inputs(text, jsonb) IS
    'The versions of a model whose recorded inputs a document can be scored with';

-- What add up to the usage of an account b: the chunks of its sources, and its roster; less users who do not count, if the model leaves out
-- any.
CREATE FUNCTION health_internal.compile_parts(tracking health_internal.tracking, document jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT %s AS usage FROM (%s UNION ALL SELECT b."$roster") AS p',
                  CASE WHEN document #> '{users,exclude}' IS NULL THEN 'p.usage' ELSE 'health.without_users(p.usage, t.excluded_users)' END,
                  string_agg(format(CASE WHEN document -> 'accounts' ? 'merged_into'
                                        THEN 'SELECT c.usage FROM %s AS c WHERE c.account_id = ANY (coalesce(b."$accounts", ARRAY[%s]))'
                                        ELSE 'SELECT c.usage FROM %s AS c WHERE c.account_id = %s' END,
                                    health_internal.data_table('chunk', s.id), health_internal.account_key(tracking, 'b.account_id')
                                        || CASE WHEN document -> 'accounts' ? 'merged_into'
                                                THEN health_internal.id_cast(tracking.account_kind) ELSE '' END),
                                    ' UNION ALL '
                                        ORDER BY s.id))
    -- A source that the model has no more has a number in brackets for a path, until it is dropped (adopt_sources).
    FROM health_internal.ledger_source AS s WHERE s.model = tracking.model AND s.path !~ '^\(';
$$;
COMMENT ON FUNCTION health_internal.compile_parts(health_internal.tracking, jsonb) IS
    'SQL of the ledgers that add up to the usage of an account b of a book, of a state t';

-- Of a model without inputs the past is the present; an account that its source has twice has none. Row n of past_inputs is of n days
-- before; scoring looks at the days 7 and 28 only.
CREATE FUNCTION health_internal.compile_recorded_past(id integer, model_name text, document jsonb, every_day boolean, OUT joins text,
    OUT inputs text, OUT observed text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN every_day THEN format(
                    ' LEFT JOIN LATERAL (SELECT array_agg(coalesce(r.inputs, b.inputs) ORDER BY n) AS inputs, '
                    'array_agg(coalesce(r.observed, b.observed) ORDER BY n) AS observed FROM generate_series(1, 28) AS n LEFT JOIN ('
                    'SELECT d.* FROM %s AS h, health_internal.recorded_days(h.month, h.days, h.spans) AS d '
                    'WHERE h.account_id = b.account_id AND h.month BETWEEN health_internal.month_of(t.as_of - 28) '
                    'AND health_internal.month_of(t.as_of - 1) AND d.model_version = ANY (%L::integer[])) AS r '
                    'ON r.as_of = t.as_of - n WHERE b.inputs IS NOT NULL) AS past ON true',
                    known.history, known.versions)
                ELSE (SELECT string_agg(format(
                    ' LEFT JOIN LATERAL (SELECT r.* FROM %1$s AS h, health_internal.recorded_days(h.month, h.days, h.spans) AS r '
                    'WHERE h.account_id = b.account_id AND h.month = health_internal.month_of(t.as_of - %2$s) AND r.as_of = t.as_of - %2$s '
                    'AND r.model_version = ANY (%3$L::integer[])) AS h%2$s ON true', known.history, d.days, known.versions), ''
                    ORDER BY d.days)
                FROM (VALUES (7), (28)) AS d (days)) END,
           CASE WHEN every_day THEN 'past.inputs'
                ELSE 'CASE WHEN b.inputs IS NOT NULL THEN (SELECT array_agg(CASE WHEN n < 28 THEN coalesce(h7.inputs, b.inputs) '
                    'ELSE coalesce(h28.inputs, b.inputs) END ORDER BY n) FROM generate_series(1, 28) AS n) END' END,
           CASE WHEN every_day THEN 'past.observed'
                ELSE 'CASE WHEN b.inputs IS NOT NULL THEN (SELECT array_agg(CASE WHEN n < 28 THEN coalesce(h7.observed, b.observed) '
                    'ELSE coalesce(h28.observed, b.observed) END ORDER BY n) FROM generate_series(1, 28) AS n) END' END
    FROM (SELECT health_internal.data_table('history', id), health_internal.versions_with_same_inputs(model_name, document))
        AS known (history, versions)
    WHERE EXISTS (SELECT FROM health.model_inputs(document));
$$;
COMMENT ON FUNCTION health_internal.compile_recorded_past(integer, text, jsonb, boolean) IS
    'SQL of the inputs that the history of an account b of a book, of a state t, has of 7 and 28 days before, or of each of the 28 days; '
    'NULL for a model without inputs';

CREATE FUNCTION health_internal.compile_book_rows(tracking health_internal.tracking, document jsonb, with_past boolean DEFAULT true,
    every_day boolean DEFAULT false) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT b.*, t.as_of, t.model_version, t.ledger_start, t.outages, t.broken AS tracking_broke, '
        'NULL::pg_catalog.bool[] AS in_filter, '
        '%s AS past_inputs, %s AS '
        'past_observed, ARRAY(%s) AS "$parts" FROM %s AS b CROSS '
        'JOIN %s AS t%s',
                  coalesce(past.inputs, 'NULL::text[]'), coalesce(past.observed, 'NULL::date[]'),
                  health_internal.compile_parts(tracking, document),
                      health_internal.data_table('book', tracking.id),
                  health_internal.data_table('state', tracking.id), past.joins)
    FROM (SELECT) AS one LEFT JOIN LATERAL health_internal.compile_recorded_past(tracking.id, tracking.model, document, every_day) AS past
        ON with_past;
$$;
COMMENT ON FUNCTION health_internal.compile_book_rows(health_internal.tracking, jsonb, boolean, boolean) IS
    'SQL of the rows of a book with day, version, past inputs, if they are wanted, of days that scoring looks at or of each, and the '
    'ledgers that add up to their usage, parts';

-- The columns are those of a ledger query (compile_model).
CREATE FUNCTION health_internal.compile_ledger_view(tracking health_internal.tracking, document jsonb,
    compiled health_internal.compiled_model) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT %s, l.as_of, l.model_version, (SELECT health.rollup(p.usage) FROM unnest(l."$parts") AS p (usage)) AS usage, '
        'l.inputs, l.observed, '
                  'l.segments, l.past_inputs, l.past_observed, l.account_start, l.account_end, l.ledger_start, l.seats%s, l.repeated, '
                  'NULL::pg_catalog.bool[] AS in_filter, l.overrides, l.outages, l.tracking_broke%s '
                  'FROM (%s) AS l',
                  health_internal.list_columns('{account_id,name}' || (compiled).extra_columns, 'l'),
                  ', ' || health_internal.list_columns((compiled).value_columns, 'l'),
                  CASE WHEN document -> 'accounts' ? 'merged_into' THEN ', l."$into"' END,
                      health_internal.compile_book_rows(tracking, document));
$$;
COMMENT ON FUNCTION health_internal.compile_ledger_view(health_internal.tracking, jsonb, health_internal.compiled_model) IS
    'SQL of the ledger of a tracked model: the columns of a score view''s _ledger, usage summed up from chunks and roster';

-- One row of scores for each row of the book: everything from one decode.
CREATE FUNCTION health_internal.compile_scores(tracking health_internal.tracking, document jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT l.account_id, d.* FROM (%s) AS l CROSS JOIN LATERAL health_internal.score_details(%L::pg_catalog.jsonb, %s) AS d',
                  health_internal.compile_book_rows(tracking, document), health_internal.scoring_document(document),
                  health_internal.compile_state('l."$parts"'));
$$;
COMMENT ON FUNCTION health_internal.compile_scores(health_internal.tracking, jsonb) IS 'SQL of the scores of the accounts l of a book';

CREATE FUNCTION health_internal.compile_book(tracking health_internal.tracking, version health_internal.model_version) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_model;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, usage_from => 'roster', model_name => tracking.model);
    RETURN pg_catalog.format('SELECT %s, l.usage AS "$roster" FROM (%s) AS l',
                             health_internal.list_columns(health_internal.book_columns(version.document, compiled), 'l'), compiled.ledger);
END;
$$;
COMMENT ON FUNCTION health_internal.compile_book(health_internal.tracking, health_internal.model_version) IS 'SQL of the rows of a book';

-- Makes everything for a version of the model; score views stand on these tables, so they are taken off and put on again around it.
CREATE FUNCTION health_internal.build_book(tracking health_internal.tracking, version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id integer := tracking.id;
    book text;
    scores text;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    PERFORM health_internal.create_data_table('state', id,
        '{as_of,model_version,broken,excluded_users,all_stale,ledger_start,outages,book}',
        '{date,integer,text,text[],boolean,date,date[],float8[]}'::pg_catalog.regtype[]);
    EXECUTE pg_catalog.format('INSERT INTO %s (model_version, excluded_users, all_stale) VALUES ($1, ''{}'', true)',
                              health_internal.data_table('state', id)) USING version.version;
    -- One row: without statistics it is taken for hundreds, and what is joined to it for so many times as much.
    EXECUTE pg_catalog.format('ANALYZE %s', health_internal.data_table('state', id));
    book := health_internal.compile_book(tracking, version);
    PERFORM health_internal.create_data_table_of('book', id, book, '{account_id}');
    scores := health_internal.compile_scores(tracking, version.document);
    PERFORM health_internal.create_data_table_of('score', id, scores, '{account_id}');
    UPDATE health_internal.tracking AS t
    SET model_version = version.version, book_query = book, score_query = scores, compiled_by = health_internal.release()
    WHERE t.id = tracking.id;
END;
$$;
COMMENT ON FUNCTION health_internal.build_book(health_internal.tracking, health_internal.model_version) IS
    'Creates state, book and scores of a tracked model for a version of it';

-- A band is by the version that scored the day; most versions have the bands of the last one.
CREATE FUNCTION health_internal.compile_band(model_name text, document jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce('CASE ' || string_agg(format('WHEN r.model_version = ANY (%L::pg_catalog.int4[]) THEN %s', o.versions, o.band),
        ' ') FILTER (WHERE NOT o.own)
                    || ' ELSE ', '') || max(o.band) FILTER (WHERE o.own)
           || CASE WHEN bool_and(o.own) THEN '' ELSE ' END' END
    FROM (SELECT CASE WHEN v.bands IS NULL THEN 'health.band(r.score)' ELSE format('health.band(r.score, %L::pg_catalog.jsonb)',
        v.bands) END AS band,
                 v.bands IS NOT DISTINCT FROM document -> 'bands' AS own, array_agg(v.version ORDER BY v.version) AS versions
          FROM (SELECT m.version, m.document -> 'bands' AS bands FROM health_internal.model_version AS m WHERE m.model = model_name
                UNION ALL SELECT NULL, document -> 'bands') AS v
          GROUP BY v.bands) AS o;
$$;
COMMENT ON FUNCTION health_internal.compile_band(text, jsonb) IS 'SQL of the band of a day r of a history';

CREATE FUNCTION health_internal.compile_history(tracking health_internal.tracking, document jsonb, months text DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(
        'SELECT h.account_id, r.as_of, r.model_version, r.score, CASE WHEN r.state IS DISTINCT FROM ''onboarding'' THEN %s END AS band, '
        'r.state, r.data_coverage, r.unknown_reason '
        'FROM %s AS h CROSS JOIN LATERAL health_internal.history_rows(h.month, h.days, h.scores, h.spans) AS r%s',
        health_internal.compile_band(tracking.model, document), health_internal.data_table('history', tracking.id), ' WHERE ' || months);
$$;
COMMENT ON FUNCTION health_internal.compile_history(health_internal.tracking, jsonb, text) IS
    'SQL of the recorded days of a tracked model; months is SQL that tells which months h, by default all';

-- The relations of a score view of a tracked model; their columns are those of a score view that is made from events.
CREATE FUNCTION health_internal.compile_tracked_view(suffix text, tracking health_internal.tracking, document jsonb,
    compiled health_internal.compiled_model, probabilities text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE suffix
        WHEN '_ledger' THEN health_internal.compile_ledger_view(tracking, document, compiled)
        WHEN '' THEN format(
            'SELECT %s, b.account_start, b.account_end, nullif(b.seats, ''NaN'') AS seats, t.as_of, %L::pg_catalog.text AS model, '
            't.model_version, s.score, s.band, s.state, %s, s.in_book, s.data_coverage, '
            'coalesce(t.broken, s.unknown_reason) AS unknown_reason, s.change_7d, s.change_28d, s.main_reason, %s, '
                's.score_without_top_user, s.override_reason, %s%s, %s FROM %s',
            health_internal.list_columns('{account_id,name}' || (compiled).extra_columns, 'b'), tracking.model,
            health_internal.compile_state_reason(document, 'b'),
            health_internal.compile_next_step(document, 't.as_of', 's.signals', 'b.overrides', 't.book'),
            health_internal.list_columns(health_internal.metric_columns(), 's'),
            ', ' || health_internal.list_columns((compiled).value_columns, 'b'), probabilities, stored.rows)
        WHEN '_signals' THEN format(
            'SELECT b.account_id, b.name, t.as_of, t.model_version, r."position", r.signal, r.parent, r.label, r.level, r.raw, '
                'r.raw_text, r.normalized, '
            'r.weight, r.points, r.reason, r.phrase, r.next_step, r.counted, r.basis, r.book FROM %s CROSS JOIN LATERAL '
                'health_internal.signal_rows(%L::pg_catalog.jsonb, t.as_of, '
                's.signals, b.overrides, t.book) AS r',
            stored.rows, health_internal.scoring_document(document))
        WHEN '_history' THEN health_internal.compile_history(tracking, document)
        WHEN '_users' THEN health_internal.compile_users(document, health_internal.scoring_document(document),
            '(' || health_internal.compile_book_rows(tracking, document, false) || ')',
            health_internal.compile_state('l."$parts"', false, with_overrides => false))
    END
    FROM (SELECT format('%s AS s JOIN %s AS b ON b.account_id = s.account_id CROSS JOIN %s AS t',
        health_internal.data_table('score', tracking.id),
                        health_internal.data_table('book', tracking.id),
                            health_internal.data_table('state', tracking.id))) AS stored (rows);
$$;
COMMENT ON FUNCTION health_internal.compile_tracked_view(text, health_internal.tracking, jsonb, health_internal.compiled_model, text) IS
    'SQL of one of the relations of a score view of a tracked model';
