-- The compiler: from a checked document to the SQL text of one query that reads every event once and returns one row per account.

CREATE TYPE health_internal.compiled_model AS (
    ledger text,
    extra_columns text[],
    value_columns text[],
    account_type regtype,
    account_label text
);
COMMENT ON TYPE health_internal.compiled_model IS
    'A compiled document: the ledger query, its extra columns (accounts.columns), its raw signal columns, type and source of account ids';
COMMENT ON COLUMN health_internal.compiled_model.ledger IS 'SQL text of the ledger query';
COMMENT ON COLUMN health_internal.compiled_model.extra_columns IS 'Its columns from accounts.columns';
COMMENT ON COLUMN health_internal.compiled_model.value_columns IS 'Its columns with raw values of signals';
COMMENT ON COLUMN health_internal.compiled_model.account_type IS 'Type of account ids';
COMMENT ON COLUMN health_internal.compiled_model.account_label IS 'Where accounts come from, for messages';

-- Parts are put in as they are: what they hold is not looked at again.
CREATE FUNCTION health_internal.fill_template(template text, parts jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    piece text[];
    filled text := '';
BEGIN
    FOR piece IN SELECT m FROM regexp_matches(template, '([^{]*)(?:[{](\w+)[}]|$)', 'g') AS m LOOP
        IF piece[2] IS NOT NULL AND NOT parts ? piece[2] THEN
            RAISE EXCEPTION 'the template has no part "%"', piece[2] USING ERRCODE = 'internal_error';
        END IF;
        filled := concat(filled, piece[1], parts ->> piece[2]);
    END LOOP;
    RETURN filled;
END;
$$;
COMMENT ON FUNCTION health_internal.fill_template(text, jsonb) IS
    'A text with {name} replaced by the part of that name, by nothing where it is null';

CREATE FUNCTION health_internal.list_columns(names text[], row_name text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format('%s.%I', row_name, c.name), ', ' ORDER BY c.position) FROM unnest(names) WITH ORDINALITY AS c (name, position);
$$;
COMMENT ON FUNCTION health_internal.list_columns(text[], text) IS 'SQL list of columns of a row; NULL without any';

CREATE FUNCTION health_internal.raise_first_problem(model_name text, fields health_internal.model_field[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong health_internal.model_field;
BEGIN
    SELECT f.* INTO wrong FROM unnest(fields) AS f WHERE f.problem IS NOT NULL LIMIT 1;
    IF FOUND THEN
        wrong.path := concat_ws(': ', 'model "' || model_name || '"', wrong.path);
        PERFORM health_internal.raise_field_problem(wrong);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.raise_first_problem(text, health_internal.model_field[]) IS
    'Raises the first problem of the fields as an error; returns when there is none';

-- Ids of accounts are joined to those in ledgers, which have the collation of the database.
CREATE FUNCTION health_internal.has_own_collation(fields health_internal.model_field[]) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id CONSTANT health_internal.model_field := health_internal.field_of(fields, 'accounts', 'id');
BEGIN
    RETURN id.type IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'name'::regtype)
       AND (SELECT q.collation_id FROM health_internal.describe_query(format('SELECT %s FROM %s', id.expression, id.from_item),
                health_internal.names_path()) AS q) <> '"default"'::regcollation;
END;
$$;
COMMENT ON FUNCTION health_internal.has_own_collation(health_internal.model_field[]) IS
    'Whether account ids are strings of another collation than that of the database';

CREATE FUNCTION health_internal.compile_model(document jsonb, version integer, account text DEFAULT NULL, as_of date DEFAULT NULL,
                                              usage_from text DEFAULT 'events', model_name text DEFAULT NULL, past_days integer DEFAULT 0,
                                              past_step integer DEFAULT 1, as_literals boolean DEFAULT false)
RETURNS health_internal.compiled_model
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields CONSTANT health_internal.model_field[] := ARRAY(SELECT f FROM health_internal.model_fields(document, as_of) AS f);
    book CONSTANT health_internal.model_field := health_internal.field_of(fields, 'accounts', 'from');
    account_key CONSTANT text := health_internal.compile_account_key(fields, 'attr.account_id');
    own_collation CONSTANT text := CASE WHEN health_internal.has_own_collation(fields) THEN ' COLLATE pg_catalog."default"' ELSE '' END;
    compiled health_internal.compiled_model;
    signals health_internal.compiled_inputs;
    attributes text;
    extras text;
    source text := book.from_item;
    restriction text;
    usage text;
    past text;
    dated_filter CONSTANT boolean := past_days > 0 AND health_internal.has_dated_filter(document);
    wanted text;
    restrictions text;
    merges text;
    usage_restriction text;
BEGIN
    PERFORM health_internal.raise_first_problem(model_name, fields);
    compiled.account_label := book.expression;
    compiled.account_type := (health_internal.field_of(fields, 'accounts', 'id')).type;
    IF account IS NOT NULL THEN
        -- With a modifier of -1 the name of character is bpchar, which does not cut to one letter.
        restriction := ' = ' || health_internal.compile_account_key(fields, pg_catalog.format('%L::%s', account,
            pg_catalog.format_type(compiled.account_type, -1)));
        source := health_internal.restrict_source(source,
            health_internal.compile_account_key(fields, (health_internal.field_of(fields, 'accounts', 'id')).expression), restriction);
    END IF;
    merges := health_internal.compile_merges(fields);
    usage_restriction := CASE WHEN merges IS NULL OR restriction IS NULL THEN restriction
        ELSE pg_catalog.format(' = ANY (ARRAY(SELECT m.account_id FROM (%1$s) AS m WHERE m.into_id%2$s UNION ALL SELECT %3$s))',
            merges, restriction, pg_catalog.substr(restriction, 4)) END;
    -- No name here is one that a document could use.
    SELECT pg_catalog.string_agg(pg_catalog.format('%s AS %I', a.expression, a.name), ', ')
           || coalesce(', (' || (health_internal.field_of(fields, 'accounts', 'seats')).expression
                       || ')::pg_catalog.float8 AS "recorded seats"', '') INTO attributes
    FROM health_internal.account_attributes(document, fields) AS a;
    SELECT pg_catalog.string_agg(pg_catalog.format(', attr.%1$I AS %1$I', f.field), '' ORDER BY f.field),
           coalesce(pg_catalog.array_agg(f.field ORDER BY f.field), '{}')
    INTO extras, compiled.extra_columns
    FROM pg_catalog.unnest(fields) AS f WHERE f.source = 'columns';

    signals := health_internal.compile_inputs(document, fields, model_name, as_literals);
    compiled.value_columns := signals.value_columns;
    -- Without inputs there is nothing to know of earlier days, whatever the other columns mention.
    IF past_days > 0 AND signals.inputs IS NOT NULL AND health_internal.has_dated_inputs(fields, document) THEN
        past := health_internal.compile_past_inputs(past_days, past_step, attributes, coalesce(signals."values", 'NULL AS s0'),
                                                    coalesce(signals.inputs, ''), coalesce(signals.observed, ''));
    END IF;
    IF usage_from <> 'nothing' THEN
        usage := health_internal.compile_usage(fields, document, usage_restriction, usage_from,
            CASE usage_from WHEN 'ledger' THEN (SELECT pg_catalog.jsonb_object_agg(s.path, health_internal.data_table('chunk', s.id))
                                                FROM health_internal.ledger_source AS s WHERE s.model = model_name) END);
    END IF;
    -- What accounts did that were merged into others is theirs.
    IF merges IS NOT NULL AND usage IS NOT NULL THEN
        usage := pg_catalog.format('SELECT coalesce(m.into_id, p.account_id) AS account_id, health.rollup(p.usage) AS usage FROM (%s) AS p '
            'LEFT JOIN (%s) AS m ON m.account_id = p.account_id GROUP BY 1', usage, merges);
    END IF;
    wanted := CASE WHEN dated_filter THEN health_internal.compile_wanted_on(fields, past_days, past_step)
                   ELSE health_internal.compile_wanted(fields) END;
    restrictions := 'attr.account_id IS NOT NULL'
        || CASE WHEN dated_filter THEN ' AND true = ANY (wanted."is wanted on")' WHEN wanted <> '' THEN ' AND wanted."is wanted"' ELSE ''
            END
        || coalesce(' AND ' || account_key || restriction, '');
    -- Of an id that occurs twice nobody can say which row is right: it stands in the book once, without any of their values.
    compiled.ledger := health_internal.fill_template(
        'WITH "$sight" AS MATERIALIZED ({sight}) SELECT known.account_id, {name} AS name{extra_columns}, known.as_of, '
        '{version} AS model_version, {usage} AS usage, '
        'account.inputs, account.observed, account.segments, account.past_inputs, account.past_observed, account.account_start, '
        '{account_end}, {ledger_start} AS ledger_start, account.seats{value_columns}, known.repeated, known.in_filter, '
        'overridden.overrides, (SELECT sight.outages FROM "$sight" AS sight) AS outages, '
        '(SELECT sight.broken FROM "$sight" AS sight) AS tracking_broke{merged} FROM (SELECT attr.account_id, '
        'attr.as_of, {repeated} AS repeated, '
        '{in_filter} AS in_filter FROM {book}{wanted} CROSS JOIN LATERAL (SELECT {id} AS account_id, clock.as_of) AS attr '
        'WHERE {restrictions} GROUP BY 1, 2) AS known LEFT JOIN ('
        'SELECT {one_row}{shown_id} AS account_id, {account_name} AS name{extras}, '
        'ARRAY[{inputs}]::pg_catalog.text[] AS inputs, ARRAY[{observed}]::pg_catalog.date[] AS observed, '
        'ARRAY[{segments}]::pg_catalog.text[] AS segments, {past_inputs} AS past_inputs, {past_observed} AS past_observed, '
        '{start} AS account_start, {end} AS account_end, {seats} AS seats{raw_columns} FROM {book}{wanted}{answers}{past} '
        'CROSS JOIN LATERAL (SELECT {attributes}) AS attr CROSS JOIN LATERAL (SELECT {values}) AS sig '
        'WHERE {restrictions}{row_order}) AS account '
        'ON account.account_id = known.account_id AND NOT known.repeated{usage_join}{merged_join}{overrides}',
        pg_catalog.jsonb_build_object(
            'id', (health_internal.field_of(fields, 'accounts', 'id')).expression || own_collation,
            'shown_id', 'attr.account_id' || own_collation,
            'name', CASE WHEN document #> '{accounts,name}' IS NULL THEN health_internal.canonical_text('known.account_id',
                compiled.account_type) ELSE 'account.name' END,
            'account_name', CASE WHEN document #> '{accounts,name}' IS NULL THEN 'NULL' ELSE 'attr.account_name' END,
            'extra_columns', ', ' || health_internal.list_columns(compiled.extra_columns, 'account'),
            'value_columns', ', ' || health_internal.list_columns(compiled.value_columns, 'account'),
            'extras', extras, 'version', version,
            'usage', CASE WHEN usage IS NULL THEN '''{}''::health.usage' ELSE 'coalesce(u.usage, ''{}''::health.usage)' END,
            'inputs', signals.inputs, 'observed', signals.observed, 'segments', signals.segments,
            'past_inputs', CASE WHEN past IS NULL THEN 'NULL::pg_catalog.text[]' ELSE 'past."past inputs"' END,
            'past_observed', CASE WHEN past IS NULL THEN 'NULL::pg_catalog.date[]' ELSE 'past."past observed"' END,
            'start', CASE WHEN document #> '{accounts,start}' IS NULL THEN 'NULL::pg_catalog.date' ELSE 'attr.account_start' END,
            'end', CASE WHEN document #> '{accounts,end}' IS NULL THEN 'NULL::pg_catalog.date' ELSE 'attr.account_end' END,
            'ledger_start', pg_catalog.format('%L::pg_catalog.date', CASE WHEN usage_from = 'ledger' THEN
                (SELECT pg_catalog.max(s.kept_from) FROM health_internal.ledger_source AS s WHERE s.model = model_name) END),
            'seats', CASE WHEN document #> '{accounts,seats}' IS NULL THEN 'NULL::pg_catalog.float8'
                ELSE 'CASE WHEN attr."recorded seats" IS NOT NULL THEN coalesce(attr.seats, ''NaN'') END' END,
            'raw_columns', signals.raw_columns, 'book', source, 'wanted', wanted, 'restrictions', restrictions,
            -- An account that has several rows, each for a time of its own, has the values of the latest.
            'repeated', CASE WHEN dated_filter THEN 'pg_catalog.count(*) FILTER (WHERE wanted."is wanted on"[1]) > 1'
                ELSE 'pg_catalog.count(*) > 1' END,
            'in_filter', CASE WHEN dated_filter THEN 'health_internal.any_wanted(pg_catalog.array_agg(wanted."is wanted on"))'
                ELSE 'NULL::pg_catalog.bool[]' END,
            'one_row', CASE WHEN dated_filter THEN 'DISTINCT ON (1) ' END,
            'row_order', CASE WHEN dated_filter THEN ' ORDER BY 1, pg_catalog.array_position(wanted."is wanted on", true)' END,
            'answers', signals.answers, 'past', past, 'attributes', attributes,
            'usage_join', ' LEFT JOIN (' || usage || health_internal.fence() || ') AS u ON u.account_id = '
                || health_internal.compile_account_key(fields, 'known.account_id'),
            -- Who was merged into another is no customer, and never was.
            'account_end', CASE WHEN merges IS NULL THEN 'account.account_end'
                ELSE 'CASE WHEN merged.into_id IS NULL THEN account.account_end ELSE DATE ''-infinity'' END AS account_end' END,
            'merged', CASE WHEN merges IS NOT NULL THEN ', merged.into_text AS "$into"' || CASE usage_from WHEN 'roster' THEN
                ', CASE WHEN merged.into_id IS NOT NULL THEN ''{}'' WHEN gathered.accounts IS NOT NULL THEN gathered.accounts '
                'OPERATOR(pg_catalog.||) gathered.into_id END AS "$accounts"' ELSE '' END END,
            'merged_join', CASE WHEN merges IS NOT NULL THEN pg_catalog.format(' LEFT JOIN (%s) AS merged ON merged.account_id = %s',
                merges, health_internal.compile_account_key(fields, 'known.account_id'))
                || CASE usage_from WHEN 'roster' THEN pg_catalog.format(' LEFT JOIN (SELECT m.into_id, '
                'pg_catalog.array_agg(m.account_id ORDER BY m.account_id) AS accounts FROM (%s) AS m '
                'GROUP BY 1) AS gathered ON gathered.into_id = %s', merges, health_internal.compile_account_key(fields, 'known.account_id'))
                ELSE '' END END,
            'overrides', health_internal.compile_overrides(model_name, as_literals,
                health_internal.canonical_text('known.account_id', compiled.account_type)),
            'values', coalesce(signals."values", 'NULL AS s0'),
            'sight', health_internal.compile_sight(document, fields, as_of, usage_from, model_name, past_days)));
    -- Expressions are typed under the clock of the document, and computed as of the day that is to be seen.
    compiled.ledger := pg_catalog.replace(compiled.ledger, health_internal.clock_item(health_internal.model_clock(document, as_of)),
        health_internal.clock_item('(SELECT sight.as_of FROM "$sight" AS sight)'));
    RETURN compiled;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_model(jsonb, integer, text, date, text, text, integer, integer, boolean) IS
    'Compiles a complete document to the ledger query: one row per account with usage, inputs and attributes, from one pass over the '
        'events. '
    'usage_from: events, ledger (of the tracked model of that name), roster (of the user source only) or nothing. '
    'With an account, only that one; with a date, as of that date; with past days, also the inputs of so many days before, if they depend '
        'on '
    'the date; the name of the model is for messages, and for its overrides and pulses: as they are now where as_literals is true';

-- Each source is summed up by itself: where its rows lie on several servers, it is summed up there.
CREATE FUNCTION health_internal.compile_all_events(document jsonb, fields health_internal.model_field[], summary text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(pg_catalog.string_agg(pg_catalog.format(summary, pg_catalog.format(
        'SELECT %1$L::pg_catalog.text AS source, e.account_id::pg_catalog.text AS account_id, e.user_id, %4$s AS event_name, '
        '%2$s AS day, '
        'e.amount, CASE WHEN e.event_name = '''' THEN ''event'' WHEN NOT pg_catalog.isfinite(%2$s) THEN ''occurred_at'' '
        'WHEN e.amount IS NOT NULL AND NOT health_internal.is_event(e.occurred_at, e.event_name, e.amount) THEN ''amount'' END '
        'AS bad_field FROM (%3$s) AS e',
        s.path, health_internal.local_day('e.occurred_at', CASE WHEN m.zone IS NULL THEN 'pg_catalog.date'::regtype
            ELSE 'pg_catalog.timestamptz'::regtype END, NULL, m.zone),
        health_internal.compile_event_rows(fields, s.path, s.source ->> 'time_zone', '', health_internal.user_cast(fields)),
        CASE WHEN s.source ?| '{actor,known_at}' THEN 'health_internal.plain_event(e.event_name)' ELSE 'e.event_name' END)),
        ' UNION ALL '),
        pg_catalog.format(summary, 'SELECT n.source, n.source AS account_id, n.source AS user_id, n.source AS event_name, n.day, n.amount, '
            'n.source AS bad_field FROM (SELECT NULL::pg_catalog.text, NULL::pg_catalog.date, NULL::pg_catalog.float8) '
            'AS n (source, day, amount) WHERE false'))
    FROM health_internal.event_sources(document) AS s,
         LATERAL (SELECT health_internal.moment_zone(health_internal.field_of(fields, s.path, 'occurred_at'), s.source ->> 'time_zone',
             coalesce(document ->> 'time_zone', 'UTC'))) AS m (zone);
$$;
COMMENT ON FUNCTION health_internal.compile_all_events(jsonb, health_internal.model_field[], text) IS
    'SQL of all rows of all event sources, wrong ones too, summed up by source: the summary is SQL with %s for the query of the rows';
