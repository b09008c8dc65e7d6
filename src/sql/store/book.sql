-- The book of a tracked model: what is known of each account beside its usage, the view of both, and the tables of scores.

CREATE FUNCTION health_internal.drop_book(id integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass(health_internal.data_table('book', id)) IS NOT NULL THEN
        EXECUTE format('DROP TABLE %s, %s', health_internal.data_table('score', id), health_internal.data_table('signals', id));
        EXECUTE format('DROP VIEW %s', health_internal.data_table('ledger', id));
        EXECUTE format('DROP TABLE %s', health_internal.data_table('book', id));
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.drop_book(integer) IS 'Drops scores, signals, ledger view and book of a tracked model';

CREATE FUNCTION health_internal.book_columns(compiled health_internal.compiled_model, row_name text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format('%s.%I', row_name, c.name), ', ' ORDER BY c.position)
    FROM unnest('{account_id,name,as_of,model_version,inputs,observed,segments,account_start,seats}'::text[] || compiled.extra_columns || compiled.value_columns)
         WITH ORDINALITY AS c (name, position);
$$;
COMMENT ON FUNCTION health_internal.book_columns(health_internal.compiled_model, text) IS 'SQL list of the columns of a book, less the roster';

-- Versions that ask for the same inputs in the same order can read each other's history.
CREATE FUNCTION health_internal.versions_with_same_inputs(model_name text, document jsonb) RETURNS integer[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT v.version FROM health_internal.model_version AS v
                 WHERE v.model = model_name
                   AND (SELECT jsonb_agg(to_jsonb(i) - 'path' ORDER BY i."position") FROM health.model_inputs(v.document) AS i)
                       IS NOT DISTINCT FROM (SELECT jsonb_agg(to_jsonb(i) - 'path' ORDER BY i."position") FROM health.model_inputs(document) AS i)
                 ORDER BY v.version);
$$;
COMMENT ON FUNCTION health_internal.versions_with_same_inputs(text, jsonb) IS 'The versions of a model whose recorded inputs a document can be scored with';

-- Row n of past_inputs is of n days before; scoring looks at the days 7 and 28 only.
CREATE FUNCTION health_internal.compile_recorded_past(id integer, model_name text, document jsonb, OUT joins text, OUT inputs text, OUT observed text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN n.inputs = 0 THEN '' ELSE
               (SELECT string_agg(format(' LEFT JOIN %s AS h%s ON h%2$s.account_id = b.account_id AND h%2$s.as_of = b.as_of - %2$s AND h%2$s.model_version = ANY (%3$L::integer[])',
                                         health_internal.data_table('history', id), d.days, health_internal.versions_with_same_inputs(model_name, document)), '' ORDER BY d.days)
                FROM (VALUES (7), (28)) AS d (days)) END,
           CASE WHEN n.inputs = 0 THEN 'NULL::text[]' ELSE
               '(SELECT array_agg(CASE WHEN n < 28 THEN coalesce(h7.inputs, b.inputs) ELSE coalesce(h28.inputs, b.inputs) END ORDER BY n) FROM generate_series(1, 28) AS n)' END,
           CASE WHEN n.inputs = 0 THEN 'NULL::date[]' ELSE
               '(SELECT array_agg(CASE WHEN n < 28 THEN coalesce(h7.observed, b.observed) ELSE coalesce(h28.observed, b.observed) END ORDER BY n) FROM generate_series(1, 28) AS n)' END
    FROM (SELECT count(*) FROM health.model_inputs(document)) AS n (inputs);
$$;
COMMENT ON FUNCTION health_internal.compile_recorded_past(integer, text, jsonb) IS 'SQL of the inputs that the history of an account of a book b has of 7 and 28 days before';

-- With in_parts, the usage is an array of what adds up to it, named parts: who only reads it need not have it summed up.
CREATE FUNCTION health_internal.compile_ledger_view(tracking health_internal.tracking, document jsonb, compiled health_internal.compiled_model, in_parts boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id integer := tracking.id;
    account_cast text := health_internal.account_cast(tracking);
    chunks text := (SELECT string_agg(format('SELECT c.usage FROM %s AS c WHERE c.account_id = b.account_id%s', health_internal.data_table('chunk', s.id), account_cast),
                                      ' UNION ALL ' ORDER BY s.id)
                    FROM health_internal.ledger_source AS s WHERE s.model = tracking.model);
    wanted text := CASE WHEN document #> '{users,exclude}' IS NULL THEN '%s'
                        ELSE format('health.without_users(%%s, (SELECT t.excluded_users FROM health_internal.tracking AS t WHERE t.id = %s))', id) END;
    past record;
BEGIN
    SELECT p.* INTO past FROM health_internal.compile_recorded_past(id, tracking.model, document) AS p;
    RETURN format(
        CASE WHEN in_parts THEN 'SELECT %1$s, ARRAY(SELECT %3$s FROM (%4$s UNION ALL SELECT b.roster) AS p) AS parts, %5$s AS past_inputs, %6$s AS past_observed FROM %7$s AS b%8$s'
             ELSE 'SELECT %1$s, %2$s AS usage, %5$s AS past_inputs, %6$s AS past_observed FROM %7$s AS b '
                  'CROSS JOIN LATERAL (SELECT health.rollup(p.usage) AS usage FROM (%4$s UNION ALL SELECT b.roster) AS p) AS u%8$s' END,
        health_internal.book_columns(compiled, 'b'), format(wanted, 'u.usage'), format(wanted, 'p.usage'), chunks, past.inputs, past.observed,
        health_internal.data_table('book', id), past.joins);
END;
$$;
COMMENT ON FUNCTION health_internal.compile_ledger_view(health_internal.tracking, jsonb, health_internal.compiled_model, boolean) IS
    'SQL of the ledger of a tracked model: the columns of a score view''s _ledger, usage summed up from chunks and roster';

-- Makes everything for a version of the model; score views stand on these tables, so they are taken off and put on again around it.
CREATE FUNCTION health_internal.build_book(tracking health_internal.tracking, version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id integer := tracking.id;
    document jsonb := version.document;
    compiled health_internal.compiled_model;
    book text;
    details text;
    scores text;
    signals text;
BEGIN
    PERFORM set_config('search_path', version.search_path, true);
    PERFORM health_internal.reject_repeated_accounts(document, version.version);
    compiled := health_internal.compile_model(document, version.version, usage_from => 'roster', model_name => tracking.model);
    book := pg_catalog.format('SELECT %s, l.usage AS roster FROM (%s) AS l', health_internal.book_columns(compiled, 'l'), compiled.ledger);
    details := health_internal.compile_details(format('(%s)', health_internal.compile_ledger_view(tracking, document, compiled, in_parts => true)), 'l.parts',
                                      document, health_internal.book_columns(compiled, 'l'));
    scores := health_internal.compile_score_query('', 'detailed', tracking.model, document, compiled, from_details => true);
    signals := health_internal.compile_score_query('_signals', 'detailed', tracking.model, document, compiled, from_details => true);
    PERFORM health_internal.create_data_table_of('book', id, book, '{account_id}');
    EXECUTE pg_catalog.format('CREATE VIEW %s AS %s', health_internal.data_table('ledger', id), health_internal.compile_ledger_view(tracking, document, compiled));
    PERFORM health_internal.create_data_table_of('score', id, pg_catalog.format('WITH detailed AS (%s) %s', details, scores), '{account_id}'),
            health_internal.create_data_table_of('signals', id, pg_catalog.format('WITH detailed AS (%s) %s', details, signals),
                                                 '{account_id,position}');
    UPDATE health_internal.tracking AS t SET model_version = version.version, book_query = book, details_query = details, score_query = scores, signals_query = signals,
           scored_as_of = NULL
    WHERE t.id = tracking.id;
END;
$$;
COMMENT ON FUNCTION health_internal.build_book(health_internal.tracking, health_internal.model_version) IS 'Creates book, ledger view, scores and signals of a tracked model for a version of it';
