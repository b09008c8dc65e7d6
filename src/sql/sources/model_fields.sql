-- Every field of every source of a document with its SQL expression and type: what validation checks and the compiler composes.

CREATE FUNCTION health_internal.model_clock(document jsonb, as_of date) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE
        WHEN as_of IS NOT NULL THEN pg_catalog.format('DATE %L', as_of)
        WHEN document ->> 'as_of' <> 'tomorrow' THEN pg_catalog.format('DATE %L', document ->> 'as_of')
        ELSE pg_catalog.format(CASE document ->> 'as_of' WHEN 'tomorrow' THEN '((pg_catalog.now() AT TIME ZONE %L)::pg_catalog.date + 1)'
                                                         ELSE '(pg_catalog.now() AT TIME ZONE %L)::pg_catalog.date' END,
                               coalesce(document ->> 'time_zone', 'UTC'))
    END;
END;
COMMENT ON FUNCTION health_internal.model_clock(jsonb, date) IS
    'SQL of the date a model is scored as of: the given one, else the fixed date of the document, else today in its time zone, or '
        'tomorrow, so that '
    'today counts';

CREATE FUNCTION health_internal.clock_item(clock text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT '(SELECT ' || clock || ' AS as_of) AS clock';
END;
COMMENT ON FUNCTION health_internal.clock_item(text) IS 'SQL of the row of the clock, by the SQL of its date';

CREATE FUNCTION health_internal.local_day(expression text, type regtype, source_zone text, model_zone text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN type = 'timestamptz'::regtype THEN format('health_internal.to_local_day(%s, %L)', expression, model_zone)
        WHEN type = 'timestamp'::regtype AND source_zone IS NOT NULL THEN
            format('health_internal.to_local_day(health_internal.to_moment(%s, %L), %L)', expression, source_zone, model_zone)
        ELSE format('%s::pg_catalog.date', expression)
    END;
$$;
COMMENT ON FUNCTION health_internal.local_day(text, regtype, text, text) IS
    'SQL of the model''s local day of a date, timestamp or timestamptz expression';

CREATE FUNCTION health_internal.zone_problem(zone text, path text) RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF zone IS NOT NULL THEN
        PERFORM timestamptz '2000-01-01' AT TIME ZONE zone;
    END IF;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN NEXT ROW('model', 'time_zone', path, NULL, NULL, NULL, pg_catalog.format('time zone "%s" is not recognized', zone),
        coalesce('Did you mean "' || health.nearest_name(zone, ARRAY(SELECT z.name FROM pg_catalog.pg_timezone_names AS z)) || '"?',
                 'Names are in the view pg_timezone_names, such as Europe/Berlin.'), '22023')::health_internal.model_field;
END;
$$;
COMMENT ON FUNCTION health_internal.zone_problem(text, text) IS 'A row when there is no such time zone';

-- Only documents that are new are asked: what a stored one says is as good as when it was stored. The view takes a while.
CREATE FUNCTION health_internal.unnamed_zones(document jsonb, OUT path text, OUT problem text, OUT hint text) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT z.path, format('"%s" is no name of a time zone', z.zone),
           CASE WHEN z.zone ~ '[+-]' THEN 'UTC+2 would be two hours west: name a place, such as Europe/Berlin.'
                ELSE 'Name a place, such as Europe/Berlin: names are in the view pg_timezone_names.' END
    FROM (SELECT 'time_zone' AS path, document ->> 'time_zone' AS zone
          UNION ALL SELECT s.path || '.time_zone', s.source ->> 'time_zone' FROM health_internal.sources(document) AS s) AS z
    WHERE upper(z.zone) <> 'UTC' AND EXISTS (SELECT FROM health_internal.zone_problem(z.zone, z.path)) IS FALSE
      AND NOT EXISTS (SELECT FROM pg_timezone_names AS n WHERE lower(n.name) = lower(z.zone));
$$;
COMMENT ON FUNCTION health_internal.unnamed_zones(jsonb) IS
    'Time zones of a document that PostgreSQL takes, as abbreviations or as rules, but that have no name';

CREATE FUNCTION health_internal.capital_names(document jsonb, fields health_internal.model_field[], OUT path text, OUT problem text,
    OUT hint text) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'catalog.' || c.name, 'is never the name of an event: they are citext, and read in lower case',
           format('Write "%s".', lower(c.name))
    FROM jsonb_object_keys(CASE jsonb_typeof(document -> 'catalog') WHEN 'object' THEN document -> 'catalog' ELSE '{}' END) AS c (name)
    WHERE c.name <> lower(c.name)
      AND (SELECT bool_and(health_internal.is_citext(f.type)) FROM unnest(fields) AS f WHERE f.field = 'event' AND f.source ~ '^events');
$$;
COMMENT ON FUNCTION health_internal.capital_names(jsonb, health_internal.model_field[]) IS
    'Names of a catalog that no event has, since those of all sources are in lower case';

CREATE FUNCTION health_internal.reserved_columns() RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY['account_id', 'name', 'as_of', 'model', 'model_version', 'score', 'band', 'data_coverage', 'unknown_reason', 'change_7d',
                 'change_28d', 'main_reason', 'next_step', 'score_without_top_user', 'in_book', 'state', 'state_reason',
                 'override_reason', 'churn_probability', 'expansion_likelihood', 'overrides', 'usage', 'inputs', 'observed', 'segments',
                 'past_inputs', 'past_observed', 'account_start', 'account_end', 'ledger_start', 'in_filter', 'seats', 'repeated',
                 'outages', 'tracking_broke',
                     '$roster', '$accounts', '$into', '$parts', '$fresh', '$book', '$signals'] ||
           ARRAY(SELECT a.attname::text FROM pg_attribute AS a
                 WHERE a.attrelid = (SELECT t.typrelid FROM pg_type AS t WHERE t.oid = 'health.metrics_record'::regtype)
                   AND a.attnum > 0 AND NOT a.attisdropped);
$$;
COMMENT ON FUNCTION health_internal.reserved_columns() IS
    'Names of the columns that every score view has, and those that queries over the book of a tracked model need for themselves';

CREATE FUNCTION health_internal.attribute_fields(info health_internal.source_info, path text, source jsonb)
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    item record;
BEGIN
    FOR item IN SELECT c.key, c.value, path || '.' || c.key AS path
                FROM pg_catalog.jsonb_each(CASE pg_catalog.jsonb_typeof(source -> 'columns') WHEN 'object' THEN source -> 'columns'
                    ELSE '{}' END) AS c
    LOOP
        IF item.key = 'account_name' AND source ? 'name' THEN
            RETURN NEXT ROW('columns', item.key, item.path, NULL, NULL, NULL, 'the name "account_name" is that of accounts.name',
                'Leave one of the two out.', '42701')::health_internal.model_field;
            CONTINUE;
        END IF;
        IF item.key = ANY (health_internal.reserved_columns()) THEN
            RETURN NEXT ROW('columns', item.key, item.path, NULL, NULL, NULL,
                pg_catalog.format('the name "%s" is taken by a column of every score view', item.key),
                pg_catalog.format('Call it "account_%s", for example.', item.key), '42701')::health_internal.model_field;
        ELSE
            RETURN NEXT health_internal.inspect_field(info, 'columns', item.key, item.path, item.value, 'any', 'clock.as_of');
        END IF;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.attribute_fields(health_internal.source_info, text, jsonb) IS
    'Fields of the attributes that a source is given names for';

-- The row "from" carries the FROM item, the label as expression and, as hint, the column names.
CREATE FUNCTION health_internal.fields_of_source(document jsonb, kind text, path text, source jsonb, as_of date, guarded boolean)
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info health_internal.source_info := health_internal.describe_source(source);
    item record;
BEGIN
    IF info.problem IS NOT NULL THEN
        RETURN NEXT ROW(path, info.field, path || '.' || info.field, NULL, NULL, NULL, info.problem, info.hint,
            info.code)::health_internal.model_field;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM health_internal.source_fields() AS f WHERE f.kind = fields_of_source.kind AND f.dated) THEN
        info.from_item := health_internal.clock_item(health_internal.model_clock(document, as_of)) || ' CROSS JOIN '
            || health_internal.fence_source(info);
    END IF;
    RETURN NEXT ROW(path, 'from', path, info.from_item, info.label, NULL, NULL,
                    pg_catalog.array_to_json(info.column_names)::text, NULL)::health_internal.model_field;
    FOR item IN SELECT f.*, path || '.' || f.field AS path FROM health_internal.source_fields() AS f
                WHERE f.kind = fields_of_source.kind AND source ? f.field ORDER BY f."position"
    LOOP
        CONTINUE WHEN item.accepts = 'choice';
        IF item.accepts = 'zone' THEN
            RETURN QUERY SELECT z.* FROM health_internal.zone_problem(source ->> item.field, item.path) AS z;
            CONTINUE;
        END IF;
        IF item.field = 'merged_into' AND source #>> '{merged_into,sql}' ~* '\mas_of\M' THEN
            RETURN NEXT ROW(path, item.field, item.path || '.sql', NULL, NULL, NULL, 'asks for as_of, but a merge holds for all days',
                'Say which accounts are merged by now: a column, or an expression of columns.', '22023')::health_internal.model_field;
            CONTINUE;
        END IF;
        RETURN NEXT health_internal.inspect_field(info, path, item.field, item.path, source -> item.field, item.accepts,
                                                  CASE WHEN item.dated THEN 'clock.as_of' END, guarded);
        IF item.with_account AND NOT source ? 'account' THEN
            RETURN NEXT ROW(path, item.field, item.path, NULL, NULL, NULL, 'needs the account of each user',
                            pg_catalog.format('Name the column with the account id as %s.account.', path),
                                '22023')::health_internal.model_field;
        END IF;
    END LOOP;
    RETURN QUERY SELECT a.* FROM health_internal.attribute_fields(info, path || '.columns', source) AS a;
END;
$$;
COMMENT ON FUNCTION health_internal.fields_of_source(jsonb, text, text, jsonb, date, boolean) IS 'Every field of one source of a document';

-- Many write -1 for "unlimited".
CREATE FUNCTION health_internal.usable_seats(seats float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN seats >= 0 AND seats <= 1e15 THEN seats END;
END;
COMMENT ON FUNCTION health_internal.usable_seats(float8) IS 'The number, if it is one that seats can be: 0 to 10^15; else NULL';

-- The names that expressions of signals and segments may use besides the columns of the account table.
CREATE FUNCTION health_internal.account_attributes(document jsonb, fields health_internal.model_field[])
    RETURNS TABLE (name text, expression text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE f.field WHEN 'id' THEN 'account_id' WHEN 'name' THEN 'account_name' WHEN 'start' THEN 'account_start'
                        WHEN 'end' THEN 'account_end' ELSE f.field END,
           CASE f.field
               WHEN 'name' THEN health_internal.canonical_text(f.expression, f.type, coalesce(document ->> 'time_zone', 'UTC'))
               -- -infinity: since ever, as without a date.
               WHEN 'start' THEN format('nullif(%s, DATE ''-infinity'')', health_internal.local_day(f.expression, f.type,
                                        document #>> '{accounts,time_zone}', coalesce(document ->> 'time_zone', 'UTC')))
               WHEN 'end' THEN format('nullif(%s, DATE ''infinity'')', health_internal.local_day(f.expression, f.type,
                                      document #>> '{accounts,time_zone}', coalesce(document ->> 'time_zone', 'UTC')))
               WHEN 'seats' THEN format('health_internal.usable_seats((%s)::pg_catalog.float8)', f.expression)
               ELSE f.expression
           END
    FROM unnest(fields) AS f
    WHERE f.source = 'columns' OR f.source = 'accounts' AND f.field IN ('id', 'name', 'start', 'end', 'seats')
    UNION ALL
    SELECT 'as_of', 'clock.as_of';
$$;
COMMENT ON FUNCTION health_internal.account_attributes(jsonb, health_internal.model_field[]) IS
    'Logical names of an account: account_id, account_name, account_start, account_end, seats, the extra columns and as_of';

CREATE FUNCTION health_internal.signal_fields(document jsonb, fields health_internal.model_field[])
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info health_internal.source_info;
    names text[];
    attributes text;
    scope text;
    input record;
    field health_internal.model_field;
BEGIN
    SELECT f.from_item, f.expression, ARRAY(SELECT pg_catalog.json_array_elements_text(f.hint::json))
    INTO info.from_item, info.label, info.column_names
    FROM pg_catalog.unnest(fields) AS f WHERE f.source = 'accounts' AND f.field = 'from';
    SELECT pg_catalog.array_agg(a.name), pg_catalog.string_agg(pg_catalog.format('%s AS %I', a.expression, a.name), ', '),
           pg_catalog.string_agg(pg_catalog.format('attr.%I', a.name), ', ')
    INTO names, attributes, scope
    FROM health_internal.account_attributes(document, fields) AS a;
    info.from_item := pg_catalog.format('%s CROSS JOIN LATERAL (SELECT %s) AS attr', info.from_item, attributes);
    info.column_names := names || ARRAY(SELECT c FROM pg_catalog.unnest(info.column_names) AS c WHERE c <> ALL (names));

    FOR input IN SELECT i.*, pg_catalog.jsonb_path_query_first(document, ('$.' || i.path)::jsonpath) #>> '{normalize,kind}' AS normalizer
                 FROM health.model_inputs(document) AS i ORDER BY i."position"
    LOOP
        IF input.segment IS NOT NULL THEN
            RETURN NEXT health_internal.segment_field(info, names, input.path, input.segment);
        END IF;
        IF input.kind = 'metric' THEN
            CONTINUE;
        ELSIF input.kind = 'pulse' THEN    -- from the catalog: there is nothing that could be wrong
            field := NULL;
            field.source := input.path;
            field.field := 'value';
            field.path := input.path || '.pulse';
            field.type := 'text';
            RETURN NEXT field;
            CONTINUE;
        END IF;
        IF input.kind = 'variant' THEN
            RETURN QUERY SELECT v.* FROM health_internal.variant_fields(document -> 'variants', info, scope) AS v;
            CONTINUE;
        END IF;
        IF input.kind = 'query' THEN
            RETURN QUERY SELECT q.* FROM health_internal.query_signal_fields(input.path, input.source, input.optional) AS q;
            CONTINUE;
        END IF;
        IF input.kind = 'column' AND input.source = ANY (names) THEN
            field := ROW(input.path, 'value', input.path || '.column', info.from_item, pg_catalog.format('attr.%I', input.source),
                         NULL, NULL, NULL, NULL);
            field.type := health_internal.expression_type(field.expression, info.from_item);
            SELECT t.problem, t.hint, '22023' INTO field.problem, field.hint, field.code FROM health_internal.type_problem(field.type,
                'signal') AS t;
        ELSIF input.kind = 'column' THEN
            field := health_internal.inspect_field(info, input.path, 'value', input.path || '.column', pg_catalog.to_jsonb(input.source),
                'signal');
        ELSE
            field := health_internal.inspect_field(info, input.path, 'value', input.path || '.expression',
                                          pg_catalog.jsonb_build_object('sql', input.source), 'signal', scope);
            field.path := input.path || '.expression';
        END IF;
        IF field.problem IS NULL AND input.normalizer IS DISTINCT FROM 'map'
           AND (SELECT t.typcategory FROM pg_catalog.pg_type AS t WHERE t.oid = field.type::oid) IN ('S', 'E') THEN
            field.problem := pg_catalog.format('is %s; only a "map" normalizer takes categories', field.type);
            field.hint := 'Use {"kind": "map", "map": {"category": score}}, or turn it into a number.';
        END IF;
        IF input.optional AND field.code IN ('42703', '42P01') AND field.problem IS NOT NULL THEN
            field.expression := 'NULL::pg_catalog.text';
            field.type := NULL;
            field.problem := NULL;
        END IF;
        RETURN NEXT field;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.signal_fields(jsonb, health_internal.model_field[]) IS
    'Fields of the column, expression, query and pulse signals, in the order of model_inputs, and of the variants';

CREATE FUNCTION health_internal.segment_field(info health_internal.source_info, names text[], signal_path text, segment text)
    RETURNS health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    field health_internal.model_field;
BEGIN
    IF segment = ANY (names) THEN
        field := ROW(signal_path, 'segment', signal_path || '.normalize.segment', info.from_item, pg_catalog.format('attr.%I', segment),
                     NULL, NULL, NULL, NULL);
        field.type := health_internal.expression_type(field.expression, info.from_item);
        SELECT t.problem, t.hint, '22023' INTO field.problem, field.hint, field.code
        FROM health_internal.type_problem(field.type, 'segment') AS t;
    ELSE
        field := health_internal.inspect_field(info, signal_path, 'segment', signal_path || '.normalize.segment',
            pg_catalog.to_jsonb(segment), 'segment');
    END IF;
    RETURN field;
END;
$$;
COMMENT ON FUNCTION health_internal.segment_field(health_internal.source_info, text[], text, text) IS
    'The column by which a percentile normalizer groups its peers';

CREATE FUNCTION health_internal.query_signal_fields(signal_path text, query text, optional boolean)
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info health_internal.source_info := health_internal.describe_source(pg_catalog.jsonb_build_object('query', query));
    columns integer := pg_catalog.cardinality(info.column_names);
    field health_internal.model_field;
    part record;
BEGIN
    field.source := signal_path;
    field.path := signal_path || '.query';
    field.code := '22023';
    IF info.problem IS NULL AND columns NOT IN (2, 3) THEN
        info.problem := pg_catalog.format('returns %s columns', columns);
        info.hint := 'Return the account id, the value and, if there is one, the date it was observed.';
        info.code := '22023';
    END IF;
    IF optional AND info.code IN ('42703', '42P01') THEN
        field.field := 'value';
        field.expression := 'NULL::pg_catalog.text';
        RETURN NEXT field;
        RETURN;
    END IF;
    IF info.problem IS NOT NULL THEN
        field.field := 'value';
        field.problem := info.problem;
        field.hint := info.hint;
        field.code := info.code;
        RETURN NEXT field;
        RETURN;
    END IF;
    field.from_item := pg_catalog.format(E'(%s\n) AS src (account_id, value%s)', health_internal.trim_statement(query),
                                         CASE columns WHEN 3 THEN ', observed' ELSE '' END);
    FOR part IN SELECT * FROM (VALUES ('account_id', 'id'), ('value', 'signal'), ('observed', 'time')) AS p (name,
        accepts) LIMIT columns LOOP
        field.field := part.name;
        field.expression := 'src.' || part.name;
        field.type := health_internal.expression_type(field.expression, field.from_item);
        SELECT t.problem, t.hint INTO field.problem, field.hint FROM health_internal.type_problem(field.type, part.accepts) AS t;
        IF field.problem IS NOT NULL THEN
            field.problem := pg_catalog.format('its %s %s', part.name, field.problem);
        END IF;
        RETURN NEXT field;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.query_signal_fields(text, text, boolean) IS
    'Account, value and, if given, observation date of a query signal';

CREATE FUNCTION health_internal.model_fields(document jsonb, as_of date DEFAULT NULL, guarded boolean DEFAULT true,
    keyed boolean DEFAULT true) RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts health_internal.model_field[];
    others health_internal.model_field[];
    signals health_internal.model_field[];
BEGIN
    RETURN QUERY SELECT z.* FROM health_internal.zone_problem(document ->> 'time_zone', 'time_zone') AS z;
    IF FOUND THEN
        RETURN;    -- nothing that depends on the day can be typed
    END IF;
    accounts := ARRAY(SELECT f FROM health_internal.sources(document) AS s,
                          LATERAL health_internal.fields_of_source(document, s.kind, s.path, s.source, as_of, guarded) AS f
                              WHERE s.kind = 'accounts');
    others := ARRAY(SELECT f FROM health_internal.sources(document) AS s,
                        LATERAL health_internal.fields_of_source(document, s.kind, s.path, s.source, as_of, guarded) AS f
                            WHERE s.kind <> 'accounts');
    -- Signals stand on the account source and on a sound shape: while either is wrong, nothing useful can be said about them.
    IF EXISTS (SELECT 1 FROM pg_catalog.unnest(accounts) AS f WHERE f.field = 'from')
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(accounts) AS f WHERE f.problem IS NOT NULL)
       AND NOT EXISTS (SELECT 1 FROM health.model_problems(document) AS p) THEN
        signals := ARRAY(SELECT f FROM health_internal.signal_fields(document, accounts) AS f);
    END IF;
    IF keyed THEN
        others := ARRAY(SELECT f FROM health_internal.with_keys(document, accounts || others || signals) AS f);
        RETURN QUERY SELECT f.* FROM pg_catalog.unnest(others) AS f
                     WHERE NOT (health_internal.is_fact_path(f.source) AND f.field = 'user' AND f.problem IS NULL);
        RETURN QUERY SELECT f.* FROM health_internal.fact_stream_fields(document, others) AS f;
    ELSE
        RETURN QUERY SELECT f.* FROM pg_catalog.unnest(accounts || others || signals) AS f;
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.model_fields(jsonb, date, boolean, boolean) IS
    'Every field of every source of a complete document: expression and type, or problem and hint. guarded: expressions that fail for '
    'no row; keyed: ids and names of events as keys';
