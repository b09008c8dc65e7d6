-- Segments: the groups of accounts that a document names, told from the row that an account has in the score view.

-- Typed without a score view, which there may not be yet. Columns of the document come first: so they stand in hints.
CREATE FUNCTION health_internal.score_columns(document jsonb, fields health_internal.model_field[]) RETURNS TABLE (name text, type regtype)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT f.field, f.type FROM unnest(fields) AS f WHERE f.source = 'columns'
    UNION ALL
    SELECT v.column_name, CASE WHEN i.kind = 'pulse' THEN 'int4'::regtype ELSE coalesce(f.type, 'text'::regtype) END
    FROM health_internal.value_columns(document) AS v JOIN health.model_inputs(document) AS i USING ("position")
    LEFT JOIN unnest(fields) AS f ON f.source = i.path AND f.field = 'value'
    UNION ALL
    SELECT 'account_id', f.type FROM unnest(fields) AS f WHERE f.source = 'accounts' AND f.field = 'id'
    UNION ALL
    SELECT c.name, c.type
    FROM (VALUES ('name', 'text'::regtype, NULL), ('account_start', 'date'::regtype, 'start'), ('account_end', 'date'::regtype, 'end'),
                 ('seats', 'float8'::regtype, 'seats'), ('as_of', 'date'::regtype, NULL), ('model', 'text'::regtype, NULL),
                 ('model_version', 'int4'::regtype, NULL), ('data_coverage', 'float8'::regtype, NULL)) AS c (name, type, field)
    WHERE c.field IS NULL OR document -> 'accounts' ? c.field
    UNION ALL
    SELECT a.attname, a.atttypid::regtype
    FROM (VALUES ('health.account_score'::regtype), ('health.metrics_record'::regtype)) AS r (type)
    JOIN pg_type AS t ON t.oid = r.type::oid
    JOIN pg_attribute AS a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE a.attname <> 'coverage' OR r.type = 'health.metrics_record'::regtype
    UNION ALL
    SELECT p.column_name, 'float8'::regtype FROM health_internal.probability_columns() AS p;
$$;
COMMENT ON FUNCTION health_internal.score_columns(jsonb, health_internal.model_field[]) IS
    'The columns of the score view of a document with their types, domains as their base types; less dates and seats that it does not say';

-- The name of the account stands there under its logical name, too, unless that is one of accounts.columns.
CREATE FUNCTION health_internal.segment_row(scores text, document jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('(SELECT v.*%s FROM %s AS v) AS src',
        CASE WHEN document #> '{accounts,columns,account_name}' IS NULL THEN ', v.name AS account_name' ELSE '' END, scores);
END;
COMMENT ON FUNCTION health_internal.segment_row(text, jsonb) IS
    'SQL of the row src that the expressions of segments see, of SQL of the rows of a score view';

CREATE FUNCTION health_internal.segment_fields(document jsonb, fields health_internal.model_field[])
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info health_internal.source_info;
    own CONSTANT text[] := ARRAY(SELECT pg_catalog.json_array_elements_text(f.hint::json) FROM pg_catalog.unnest(fields) AS f
                                 WHERE f.source = 'accounts' AND f.field = 'from');
    part record;
    field health_internal.model_field;
    wanted text;
BEGIN
    info.label := 'the score view';
    SELECT pg_catalog.array_agg(c.name ORDER BY c.n), health_internal.segment_row(pg_catalog.format('(SELECT %s)', pg_catalog.string_agg(
               pg_catalog.format('NULL::%s AS %I', pg_catalog.format_type(c.type, -1), c.name), ', ' ORDER BY c.n)), document)
    INTO info.column_names, info.from_item
    FROM health_internal.score_columns(document, fields) WITH ORDINALITY AS c (name, type, n);
    FOR part IN
        SELECT 'segments.' || s.key AS source, p.field, 'segments.' || s.key || '.' || p.place AS path, p.spec, p.accepts
        FROM pg_catalog.jsonb_each(document -> 'segments') AS s,
             LATERAL (SELECT 0 AS n, 'value' AS field, k.key AS place,
                             CASE k.key WHEN 'column' THEN s.value -> k.key ELSE pg_catalog.jsonb_build_object('sql', s.value -> k.key) END
                                 AS spec,
                             CASE WHEN s.value ?| '{steps,shares}' THEN 'number' ELSE 'segment' END AS accepts
                      FROM (VALUES ('column'), ('expression')) AS k (key)
                      WHERE pg_catalog.jsonb_typeof(s.value -> k.key) = 'string'
                      UNION ALL
                      SELECT r.n, 'rule ' || r.n, pg_catalog.format('rules[%s].when', r.n - 1), r.rule -> 'when', 'condition'
                      FROM pg_catalog.jsonb_array_elements(CASE pg_catalog.jsonb_typeof(s.value -> 'rules') WHEN 'array'
                               THEN s.value -> 'rules' ELSE '[]' END) WITH ORDINALITY AS r (rule, n)
                      WHERE pg_catalog.jsonb_typeof(r.rule -> 'when') = 'string') AS p
        ORDER BY s.key, p.n
    LOOP
        field := health_internal.inspect_field(info, part.source, part.field, part.path, part.spec, part.accepts, 'src.as_of');
        field.path := part.path;
        field.hint := pg_catalog.replace(field.hint, '{"sql":', '{"expression":');
        wanted := pg_catalog.substring(field.problem, 'column "([^"]+)" does not exist');
        IF wanted IN ('seats', 'account_start', 'account_end') THEN
            field.hint := pg_catalog.format('Say which column it is: accounts.%s.', pg_catalog.replace(wanted, 'account_', ''));
        ELSIF wanted = ANY (own) THEN
            field.hint := pg_catalog.format('It is a column of the account source: name it in accounts.columns, {"%s": "%s"}.', wanted,
                wanted);
        END IF;
        field.from_item := NULL;    -- its rows are not those of a source
        RETURN NEXT field;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.segment_fields(jsonb, health_internal.model_field[]) IS
    'The fields of the segments of a document, over the row src of the score view: value, or rule 1, rule 2 and so on';

-- Two steps: what a row says by itself, and for parts of the book where it stands among the others. Of accounts that are not in the book
-- the latter is where they would stand. Twice the number above, and once that of equals, is the mid-rank in halves of an account.
CREATE FUNCTION health_internal.compile_segment(segment jsonb, source text, fields health_internal.model_field[], column_name text,
    OUT of_row text, OUT of_book text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    value CONSTANT health_internal.model_field := health_internal.field_of(fields, source, 'value');
    fraction CONSTANT boolean := value.type IN ('float4'::regtype, 'float8'::regtype, 'numeric'::regtype);
BEGIN
    of_book := 'q.' || column_name;
    IF jsonb_typeof(segment -> 'rules') = 'array' THEN
        SELECT format('CASE%s ELSE %L END', coalesce(string_agg(format(' WHEN %s THEN %L',
                   (health_internal.field_of(fields, source, 'rule ' || r.n)).expression, r.rule ->> 'name'), '' ORDER BY r.n)
                   FILTER (WHERE jsonb_typeof(r.rule -> 'when') = 'string'), ' WHEN false THEN NULL'),
               max(r.rule ->> 'name') FILTER (WHERE jsonb_typeof(r.rule -> 'when') IS DISTINCT FROM 'string'))
        INTO of_row FROM jsonb_array_elements(segment -> 'rules') WITH ORDINALITY AS r (rule, n);
        RETURN;
    END IF;
    of_row := CASE WHEN fraction THEN format('nullif(%s, ''NaN'')', value.expression) ELSE value.expression END;
    IF jsonb_typeof(segment -> 'steps') = 'array' THEN
        SELECT format('CASE WHEN q.%I IS NOT NULL THEN CASE%s ELSE %L END END', column_name, coalesce(string_agg(
                   format(' WHEN q.%I %s %L::%s THEN %L', column_name, CASE WHEN s.step ? 'above' THEN '>' ELSE '>=' END,
                          coalesce(s.step ->> 'above', s.step ->> 'from'),
                          CASE WHEN value.type = 'float4'::regtype THEN 'pg_catalog.float4' ELSE 'pg_catalog.numeric' END,
                          s.step ->> 'name'), '' ORDER BY s.n) FILTER (WHERE s.n < jsonb_array_length(segment -> 'steps')),
                   ' WHEN false THEN NULL'), segment #>> '{steps,-1,name}')
        INTO of_book FROM jsonb_array_elements(segment -> 'steps') WITH ORDINALITY AS s (step, n);
    ELSIF jsonb_typeof(segment -> 'shares') = 'array' THEN
        SELECT format('CASE WHEN q.%1$I IS NOT NULL AND count(q.%1$I) FILTER (WHERE q.in_book) OVER () > 0 THEN CASE%2$s ELSE %3$L END END',
                   column_name, coalesce(string_agg(format(
                       ' WHEN (2 * count(q.%1$I) FILTER (WHERE q.in_book) OVER (ORDER BY q.%1$I DESC NULLS LAST) '
                       '- count(q.%1$I) FILTER (WHERE q.in_book) OVER (PARTITION BY q.%1$I)) * 100 '
                       '< 2 * count(q.%1$I) FILTER (WHERE q.in_book) OVER () * %2$L::pg_catalog.numeric THEN %3$L',
                       column_name, s.reached, s.share ->> 'name'), '' ORDER BY s.n)
                       FILTER (WHERE s.n < jsonb_array_length(segment -> 'shares')), ' WHEN false THEN NULL'),
                   segment #>> '{shares,-1,name}')
        INTO of_book
        FROM (SELECT e.share, e.n, sum((e.share ->> 'percent')::numeric) OVER (ORDER BY e.n) AS reached
              FROM jsonb_array_elements(segment -> 'shares') WITH ORDINALITY AS e (share, n)) AS s;
    ELSE
        of_row := health_internal.canonical_text(of_row, value.type);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_segment(jsonb, text, health_internal.model_field[], text) IS
    'SQL of a segment: a column of the row src of an account, and its value over such rows q';

CREATE FUNCTION health_internal.compile_segments(model_name text, document jsonb, scores text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields health_internal.model_field[] := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
BEGIN
    PERFORM health_internal.raise_first_problem(model_name, fields);
    fields := ARRAY(SELECT f FROM health_internal.segment_fields(document, fields) AS f);
    PERFORM health_internal.raise_first_problem(model_name, fields);
    RETURN (SELECT pg_catalog.format('SELECT r.account_id, s.segment, coalesce(nullif(s.value, ''''), ''unknown'') AS value FROM '
                '(SELECT q.account_id, %s FROM (SELECT src.account_id, src.in_book, %s FROM %s) AS q) AS r CROSS JOIN LATERAL (VALUES %s) '
                'AS s (segment, value)',
                pg_catalog.string_agg(pg_catalog.format('%s AS s%s', c.of_book, s.n), ', ' ORDER BY s.n),
                pg_catalog.string_agg(pg_catalog.format('%s AS s%s', c.of_row, s.n), ', ' ORDER BY s.n),
                health_internal.segment_row(scores, document),
                pg_catalog.string_agg(pg_catalog.format('(%L::pg_catalog.text, r.s%s)', s.key, s.n), ', ' ORDER BY s.n))
            FROM pg_catalog.jsonb_each(document -> 'segments') WITH ORDINALITY AS s (key, value, n),
                 LATERAL health_internal.compile_segment(s.value, 'segments.' || s.key, fields, 's' || s.n) AS c);
END;
$$;
COMMENT ON FUNCTION health_internal.compile_segments(text, jsonb, text) IS
    'SQL of the segments of the accounts of a model, a row per account and segment, of SQL of the rows of its score view';
