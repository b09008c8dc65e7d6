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

CREATE FUNCTION health_internal.id_cast(kind text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE kind WHEN 'bigint' THEN '::pg_catalog.int8' WHEN 'uuid' THEN '' ELSE '::pg_catalog.text' END;
END;
COMMENT ON FUNCTION health_internal.id_cast(text) IS 'The cast of a key to the one type that ids of its kind have in ledgers';

CREATE FUNCTION health_internal.user_cast(fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.id_cast((health_internal.user_form(fields)).kind);
END;
COMMENT ON FUNCTION health_internal.user_cast(health_internal.model_field[]) IS
    'The cast to the one type of user ids that all sources share: bigint, uuid, else text';

CREATE FUNCTION health_internal.field_of(fields health_internal.model_field[], source text, field text) RETURNS health_internal.model_field
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT f FROM pg_catalog.unnest(fields) AS f WHERE f.source = field_of.source AND f.field = field_of.field LIMIT 1;
END;
COMMENT ON FUNCTION health_internal.field_of(health_internal.model_field[], text, text) IS
    'One field of a source; NULL when the document does not give it';

CREATE FUNCTION health_internal.compile_account_key(fields health_internal.model_field[], expression text) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.compile_key(expression, (health_internal.field_of(fields, 'accounts', 'id')).type,
                                       health_internal.account_form(fields));
END;
COMMENT ON FUNCTION health_internal.compile_account_key(health_internal.model_field[], text) IS
    'SQL of the key of an account id of the type that accounts.id has';

CREATE FUNCTION health_internal.compile_moment(occurred health_internal.model_field, source_zone text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN occurred.type <> 'timestamp'::regtype THEN occurred.expression
                WHEN source_zone IS NULL THEN format('%s::pg_catalog.date', occurred.expression)
                ELSE format('(%s AT TIME ZONE %L)', occurred.expression, source_zone) END;
$$;
COMMENT ON FUNCTION health_internal.compile_moment(health_internal.model_field, text) IS
    'SQL of the time of an event: timestamptz, or date for a date and for a timestamp without a time zone of its source';

-- The clock of the local days of an event source: NULL when its times are dates.
CREATE FUNCTION health_internal.moment_zone(occurred health_internal.model_field, source_zone text, model_zone text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN occurred.type = 'timestamptz'::regtype OR occurred.type = 'timestamp'::regtype AND source_zone IS NOT NULL
        THEN model_zone END;
$$;
COMMENT ON FUNCTION health_internal.moment_zone(health_internal.model_field, text, text) IS
    'The time zone of the local days of an event source; NULL when its times are dates';

-- Rows of one event source with the names account_id, user_id, event_name, occurred_at, amount. A source without an account gets it
-- from the user source; the event of a user with several accounts counts in each.
CREATE FUNCTION health_internal.compile_event_rows(fields health_internal.model_field[], path text, source_zone text, account_cast text,
    user_cast text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    occurred health_internal.model_field := health_internal.field_of(fields, path, 'occurred_at');
    condition text := (health_internal.field_of(fields, path, 'filter')).expression;
    event_rows text;
BEGIN
    event_rows := pg_catalog.format(
        'SELECT %s AS account_id, %s%s AS user_id, %s::pg_catalog.text AS event_name, %s AS occurred_at, '
        '%s::pg_catalog.float8 AS amount FROM %s%s',
        coalesce((health_internal.field_of(fields, path, 'account')).expression || account_cast, 'NULL::pg_catalog.text'),
        (health_internal.field_of(fields, path, 'user')).expression, user_cast,
        (health_internal.field_of(fields, path, 'event')).expression, health_internal.compile_moment(occurred, source_zone),
        coalesce((health_internal.field_of(fields, path, 'amount')).expression, 'NULL'),
        (health_internal.field_of(fields, path, 'from')).from_item,
        CASE WHEN condition IS NULL THEN '' ELSE ' WHERE ' || condition END);
    IF (health_internal.field_of(fields, path, 'account')).expression IS NULL THEN
        event_rows := pg_catalog.format(
            'SELECT member.account_id, o.user_id, o.event_name, o.occurred_at, o.amount FROM (%s) AS o '
            'LEFT JOIN (SELECT %s%s AS account_id, %s%s AS user_id FROM %s) AS member ON member.user_id = o.user_id',
            event_rows, (health_internal.field_of(fields, 'users', 'account')).expression, account_cast,
            (health_internal.field_of(fields, 'users', 'id')).expression, user_cast,
                (health_internal.field_of(fields, 'users', 'from')).from_item);
    END IF;
    RETURN event_rows;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_event_rows(health_internal.model_field[], text, text, text, text) IS
    'SQL of the rows of one event source, uniformly named';

CREATE FUNCTION health_internal.compile_excluded_users(fields health_internal.model_field[], user_cast text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.format('SELECT %s%s AS user_id FROM %s WHERE %s%s',
        (health_internal.field_of(fields, 'users', 'id')).expression, user_cast,
            (health_internal.field_of(fields, 'users', 'from')).from_item,
        (health_internal.field_of(fields, 'users', 'exclude')).expression, health_internal.fence())
    WHERE (health_internal.field_of(fields, 'users', 'exclude')).expression IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.compile_excluded_users(health_internal.model_field[], text) IS
    'SQL of the ids of the users whose events do not count; NULL without a condition';

-- The user table travels in the ledger as lifecycle markers. A user without a joining date was always there: year 1.
CREATE FUNCTION health_internal.compile_roster(fields health_internal.model_field[], document jsonb, user_cast text, restriction text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    zone text := coalesce(document ->> 'time_zone', 'UTC');
    source_zone text := document #>> '{users,time_zone}';
    account health_internal.model_field := health_internal.field_of(fields, 'users', 'account');
    mark health_internal.model_field;
    days text := '';
    markers text := '';
    conditions text := '';
    marker text;
BEGIN
    IF account.expression IS NULL THEN
        RETURN NULL;
    END IF;
    FOREACH marker IN ARRAY ARRAY['joined', 'deactivated', 'invited'] LOOP
        mark := health_internal.field_of(fields, 'users', marker);
        IF mark.expression IS NOT NULL THEN
            days := days || pg_catalog.format(', %s AS %s',
                health_internal.local_day(mark.expression, mark.type, source_zone, zone), marker);
        ELSIF marker = 'joined' THEN
            days := days || ', NULL::pg_catalog.date AS joined';
        ELSE
            CONTINUE;
        END IF;
        -- Many write infinity for "has not happened", which is no event, and -infinity for "since ever": who has left since ever
        -- never was there.
        markers := markers || pg_catalog.format(CASE marker WHEN 'joined'
            THEN '(%1$L, CASE WHEN r.%2$s > DATE ''-infinity''%3$s THEN r.%2$s ELSE DATE ''0001-01-01'' END)'
            ELSE ', (%1$L, CASE r.%2$s WHEN DATE ''-infinity'' THEN DATE ''0001-01-01'' ELSE r.%2$s END)' END, '$' || marker, marker,
            CASE WHEN (health_internal.field_of(fields, 'users', 'deactivated')).expression IS NOT NULL
                 THEN ' AND r.deactivated IS DISTINCT FROM DATE ''-infinity''' END);
    END LOOP;
    conditions := coalesce(' AND ' || (health_internal.field_of(fields, 'users', 'filter')).expression, '')
               || coalesce(' AND ' || (health_internal.field_of(fields, 'users', 'exclude')).expression || ' IS NOT TRUE', '');
    RETURN pg_catalog.format(
        'SELECT r.account_id, health_internal.lenient_usage_agg(r.user_id, m.event_name, m.day) AS usage '
        'FROM (SELECT %s AS account_id, %s%s AS user_id%s FROM %s WHERE true%s) AS r '
        'CROSS JOIN LATERAL (VALUES %s) AS m (event_name, day) WHERE r.account_id IS NOT NULL%s GROUP BY 1',
        account.expression, (health_internal.field_of(fields, 'users', 'id')).expression, user_cast, days,
        (health_internal.field_of(fields, 'users', 'from')).from_item, conditions, markers,
            coalesce(' AND r.account_id' || restriction, ''));
END;
$$;
COMMENT ON FUNCTION health_internal.compile_roster(health_internal.model_field[], jsonb, text, text) IS
    'SQL of the lifecycle markers of the user source; NULL without accounts of users';

-- The aggregate over event rows e, with the clock of their local days.
CREATE FUNCTION health_internal.compile_usage_agg(source jsonb, zone text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('health_internal.lenient_usage_agg(e.user_id, e.event_name, e.occurred_at%s%s)',
                             CASE WHEN source ? 'amount' THEN ', e.amount' ELSE '' END,
                             CASE WHEN zone IS NULL THEN '' ELSE pg_catalog.format(', %L', zone) END);
END;
COMMENT ON FUNCTION health_internal.compile_usage_agg(jsonb, text) IS
    'SQL of the ledger of event rows e of a source, by local days of the zone (NULL: their times are dates)';

-- Where an account's usage comes from: the events themselves, the ledgers of a tracked model (chunks: path -> table), or the user source
-- alone.
CREATE FUNCTION health_internal.compile_usage(fields health_internal.model_field[], document jsonb, restriction text,
    usage_from text, chunks jsonb)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    zone text := coalesce(document ->> 'time_zone', 'UTC');
    user_cast text := health_internal.user_cast(fields);
    excluded text := health_internal.compile_excluded_users(fields, user_cast);
    parts text[] := ARRAY[]::text[];
    roster text := health_internal.compile_roster(fields, document, user_cast, restriction);
    events record;
BEGIN
    IF usage_from = 'roster' THEN
        RETURN roster;
    END IF;
    FOR events IN SELECT e.path, e.source FROM health_internal.event_sources(document) AS e LOOP
        parts := parts || CASE usage_from WHEN 'ledger' THEN
            pg_catalog.format('SELECT c.account_id, c.usage FROM %s AS c%s', chunks ->> events.path,
                coalesce(' WHERE c.account_id' || restriction, ''))
        ELSE
            pg_catalog.format('SELECT e.account_id, %s AS usage FROM (%s) AS e WHERE e.account_id IS NOT NULL%s%s GROUP BY 1',
                health_internal.compile_usage_agg(events.source,
                    health_internal.moment_zone(health_internal.field_of(fields, events.path, 'occurred_at'),
                                                                           events.source ->> 'time_zone', zone)),
                health_internal.compile_event_rows(fields, events.path, events.source ->> 'time_zone', '', user_cast),
                coalesce(' AND e.account_id' || restriction, ''),
                CASE WHEN excluded IS NULL THEN '' ELSE pg_catalog.format(' AND NOT EXISTS (SELECT 1 FROM (%s) AS excluded WHERE '
                    'excluded.user_id = e.user_id)', excluded) END)
        END;
    END LOOP;
    parts := pg_catalog.array_remove(parts || roster, NULL);
    -- Ledgers keep everybody: who is excluded is asked when they are read.
    RETURN CASE
        WHEN pg_catalog.cardinality(parts) = 0 THEN NULL
        WHEN pg_catalog.cardinality(parts) = 1 AND usage_from = 'events' THEN parts[1]
        ELSE pg_catalog.format('SELECT p.account_id, %s AS usage FROM (%s) AS p GROUP BY 1',
            CASE WHEN usage_from = 'ledger' AND excluded IS NOT NULL
                 THEN pg_catalog.format('health.without_users(health.rollup(p.usage), ARRAY(SELECT x.user_id::pg_catalog.text FROM (%s) '
                     'AS x WHERE x.user_id IS NOT NULL))', excluded)
                 ELSE 'health.rollup(p.usage)' END,
            pg_catalog.array_to_string(parts, ' UNION ALL '))
    END;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_usage(health_internal.model_field[], jsonb, text, text, jsonb) IS
    'SQL of account_id and usage: every event source (events: from its rows, ledger: from its chunks) and the user source folded into one '
        'ledger per '
    'account, or the user source alone (roster); NULL without such sources. restriction: '' = literal'' for one account, NULL for all';

-- All answers of an account in the order of their days, one per day: of several the highest, so that the outcome never depends on row
-- order. One without a date was always there, one of infinity is not there yet. No name here is one that a
-- column of the account table could have: expressions see them.
CREATE FUNCTION health_internal.compile_query_signal(fields health_internal.model_field[], signal_path text, document jsonb)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.format(
        'SELECT answer.account_id AS "answers of", pg_catalog.array_agg(answer.value ORDER BY answer.day) AS "values of answers", '
        'pg_catalog.array_agg(answer.day ORDER BY answer.day) AS "days of answers" '
        'FROM (SELECT DISTINCT ON (1, 2) %1$s AS account_id, coalesce(%2$s, ''-infinity'') AS day, src.value FROM %3$s '
        'WHERE %2$s IS DISTINCT FROM DATE ''infinity'' ORDER BY 1, 2, 3 DESC NULLS LAST) AS answer GROUP BY 1',
        (health_internal.field_of(fields, signal_path, 'account_id')).expression,
        CASE WHEN (health_internal.field_of(fields, signal_path, 'observed')).expression IS NULL THEN 'NULL::pg_catalog.date'
             ELSE health_internal.local_day((health_internal.field_of(fields, signal_path, 'observed')).expression,
                                   (health_internal.field_of(fields, signal_path, 'observed')).type, NULL,
                                       coalesce(document ->> 'time_zone', 'UTC'))
        END,
        (health_internal.field_of(fields, signal_path, 'account_id')).from_item);
$$;
COMMENT ON FUNCTION health_internal.compile_query_signal(health_internal.model_field[], text, jsonb) IS
    'SQL of a query signal: one row per account with its answers and their days';

-- The last answer before the day of the clock that is in scope. If all are later, the first of them, whose date says since when the
-- signal is known.
CREATE FUNCTION health_internal.compile_answer("position" integer, OUT value text, OUT observed text)
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('(q%s."values of answers")[%s]', a."position", a.last),
           pg_catalog.format('nullif((q%s."days of answers")[%s], ''-infinity'')', a."position", a.last)
    FROM (SELECT "position",
                 pg_catalog.format('greatest(pg_catalog.width_bucket(clock.as_of - 1, q%s."days of answers"), 1)',
                     "position")) AS a ("position", last);
END;
COMMENT ON FUNCTION health_internal.compile_answer(integer) IS
    'SQL of value and date of the answer of a query signal that stands on the day of the clock';

-- Inputs change with the date when an expression mentions as_of or when a query signal has dates.
CREATE FUNCTION health_internal.has_dated_inputs(fields health_internal.model_field[], document jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT 1 FROM unnest(fields) AS f WHERE f.field = 'observed' AND f.source LIKE 'signals%')
        OR EXISTS (SELECT 1 FROM jsonb_path_query(document, 'strict $.accounts.**.sql') AS a (expression)
                   WHERE a.expression #>> '{}' ~* '\mas_of\M')
        OR EXISTS (SELECT 1 FROM health.model_inputs(document) AS i WHERE i.kind = 'expression' AND i.source ~* '\mas_of\M');
$$;
COMMENT ON FUNCTION health_internal.has_dated_inputs(health_internal.model_field[], jsonb) IS
    'Whether the inputs of a model are others on other days';

-- The same expressions once more for each earlier day: their clock is the inner one. It stands before everything but the source and
-- the answers, so that expressions find no other names than where they were checked.
CREATE FUNCTION health_internal.compile_past_inputs(days integer, attributes text, value_list text, inputs text, observed text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        ' CROSS JOIN LATERAL (SELECT pg_catalog.array_agg(ARRAY[%s]::pg_catalog.text[]) AS "past inputs", '
        'pg_catalog.array_agg(ARRAY[%s]::pg_catalog.date[]) AS "past observed" '
        'FROM (SELECT clock.as_of - earlier.days AS as_of FROM pg_catalog.generate_series(1, %s) AS earlier (days)) AS clock '
        'CROSS JOIN LATERAL (SELECT %s) AS attr CROSS JOIN LATERAL (SELECT %s) AS sig) AS past',
        inputs, observed, days, attributes, value_list);
END;
COMMENT ON FUNCTION health_internal.compile_past_inputs(integer, text, text, text, text) IS
    'SQL of the inputs of so many earlier days as an array with a row per day, the day before as_of first';

CREATE FUNCTION health_internal.raise_field_problem(field health_internal.model_field) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF field.hint IS NULL THEN
        RAISE EXCEPTION '%: %', field.path, field.problem USING ERRCODE = field.code;
    END IF;
    RAISE EXCEPTION '%: %', field.path, field.problem USING ERRCODE = field.code, HINT = field.hint;
END;
$$;
COMMENT ON FUNCTION health_internal.raise_field_problem(health_internal.model_field) IS 'Raises the problem of a field as an error';

-- Right behind the source: there it finds the names that it was checked with, and no others.
CREATE FUNCTION health_internal.compile_wanted(fields health_internal.model_field[]) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT coalesce(' CROSS JOIN LATERAL (SELECT ' || (health_internal.field_of(fields, 'accounts', 'filter')).expression
                    || ' AS "is wanted") AS wanted', '');
END;
COMMENT ON FUNCTION health_internal.compile_wanted(health_internal.model_field[]) IS
    'SQL that joins accounts.filter to the account source, as wanted."is wanted"; empty without one';

-- "division by zero" does not say where: try the expressions one by one, under the author's search_path, and name the one that fails.
CREATE FUNCTION health_internal.raise_failing_field(model_name text, version health_internal.model_version, as_of date DEFAULT NULL,
    past_days integer DEFAULT 0)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    clock text := health_internal.model_clock(version.document, as_of);
    fields health_internal.model_field[];
    accounts text;
    wanted text;
    condition text;
    failing health_internal.model_field;
    lacking boolean;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(version.document, as_of) AS f);
    accounts := (health_internal.field_of(fields, 'accounts', 'from')).from_item;
    wanted := health_internal.compile_wanted(fields);
    -- Expressions of accounts first; a plain column of a table cannot fail.
    FOR failing IN SELECT f.* FROM pg_catalog.unnest(fields) AS f
                   WHERE f.field <> 'from' AND f.problem IS NULL AND f.from_item IS NOT NULL AND f.expression IS NOT NULL
                     AND NOT (pg_catalog.starts_with(f.expression, 'src.') AND f.from_item !~ '[)] AS src')
                   ORDER BY f.source ~ '^(users|events)'
    LOOP
        condition := CASE
            WHEN failing.field = 'filter' THEN NULL
            WHEN failing.source ~ '^(users|events)' THEN (health_internal.field_of(fields, failing.source, 'filter')).expression
            WHEN pg_catalog.starts_with(failing.from_item, accounts) AND wanted <> '' THEN 'wanted."is wanted"'
        END;
        IF condition = 'wanted."is wanted"' THEN
            failing.from_item := accounts || wanted || pg_catalog.substr(failing.from_item, pg_catalog.length(accounts) + 1);
        END IF;
        BEGIN
            EXECUTE pg_catalog.format('SELECT pg_catalog.count((%s)::pg_catalog.text) FROM %s WHERE %s', failing.expression,
                pg_catalog.replace(failing.from_item, pg_catalog.format('(SELECT %s AS as_of)', clock),
                    pg_catalog.format('(SELECT %s - earlier.days AS as_of FROM pg_catalog.generate_series(0, %s) AS earlier (days))',
                        clock, past_days)),
                coalesce(condition, 'true'));
        EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
            lacking := sqlstate = '0A000' AND health_internal.fence() <> '';
            failing.path := pg_catalog.concat_ws(': ', 'model "' || model_name || '"', failing.path);
            failing.problem := CASE WHEN lacking THEN 'Citus cannot compute it: ' ELSE '' END || sqlerrm;
            failing.code := sqlstate;
            failing.hint := CASE WHEN sqlstate = '22012' THEN 'With nullif(divisor, 0) the value is unknown instead.'
                                 WHEN lacking THEN 'What a subquery finds in distributed tables for each row is a signal with a "query" '
                                     'instead: it is asked once, for all accounts.'
                                 ELSE 'It fails for some row' || CASE WHEN past_days > 0 THEN ' on a day of the history'
                                     ELSE '' END || ': leave such rows out with a filter, or make the value NULL with CASE.' END;
            PERFORM health_internal.raise_field_problem(failing);
        END;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.raise_failing_field(text, health_internal.model_version, date, integer) IS
    'Raises the error of the first expression of a model that fails for some row, on the day or one of the past days before it, with its '
        'path; '
    'returns when all of them work';

-- What the inputs of a model come to in SQL: answers are joined to the accounts, values are computed once as s1, s2, ... of a row sig.
CREATE TYPE health_internal.compiled_inputs AS (
    answers text,
    "values" text,
    inputs text,
    observed text,
    segments text,
    raw_columns text,
    value_columns text[]
);
COMMENT ON TYPE health_internal.compiled_inputs IS 'Internal: SQL of the column, expression and query signals of a model';
COMMENT ON COLUMN health_internal.compiled_inputs.answers IS 'Joins of the query signals';
COMMENT ON COLUMN health_internal.compiled_inputs."values" IS 'List of the values, named s1, s2, ...';
COMMENT ON COLUMN health_internal.compiled_inputs.inputs IS 'List of the same as text, for scoring';
COMMENT ON COLUMN health_internal.compiled_inputs.observed IS 'List of the days that they were observed on';
COMMENT ON COLUMN health_internal.compiled_inputs.segments IS 'List of the peer groups';
COMMENT ON COLUMN health_internal.compiled_inputs.raw_columns IS
    'List of the values with the names that the view shows, each after a comma';
COMMENT ON COLUMN health_internal.compiled_inputs.value_columns IS 'These names';

-- The name of the signal, where that is taken name_value, name_value_2 and so on, cut so that PostgreSQL need not.
CREATE FUNCTION health_internal.free_column(wanted text, taken text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most CONSTANT integer := 63;
    suffix text := '';
    stem text;
    tried integer := 0;
BEGIN
    LOOP
        stem := wanted;
        WHILE octet_length(stem) + octet_length(suffix) > most LOOP
            stem := left(stem, -1);
        END LOOP;
        EXIT WHEN stem || suffix <> ALL (taken);
        tried := tried + 1;
        suffix := '_value' || CASE WHEN tried > 1 THEN '_' || tried ELSE '' END;
    END LOOP;
    RETURN stem || suffix;
END;
$$;
COMMENT ON FUNCTION health_internal.free_column(text, text[]) IS 'A name for a column with raw values that is not taken';

CREATE FUNCTION health_internal.value_columns(document jsonb) RETURNS TABLE ("position" integer, signal text, column_name text)
LANGUAGE plpgsql STABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    shown CONSTANT text[] := ARRAY(SELECT jsonb_object_keys(document #> '{accounts,columns}'));
    taken text[] := health_internal.reserved_columns() || shown;
    input record;
BEGIN
    -- A column that the view shows anyway is not repeated under the signal's name.
    FOR input IN SELECT i.* FROM health.model_inputs(document) AS i
                 WHERE i.kind <> 'metric' AND NOT (i.name = ANY (shown) AND i.source = i.name) ORDER BY i."position"
    LOOP
        "position" := input."position";
        signal := input.name;
        column_name := health_internal.free_column(input.name, taken);
        taken := taken || column_name;
        RETURN NEXT;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.value_columns(jsonb) IS
    'The columns of a score view with raw values of signals: place among the inputs, signal, name';

CREATE FUNCTION health_internal.compile_inputs(document jsonb, fields health_internal.model_field[])
RETURNS health_internal.compiled_inputs
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_inputs;
    input record;
    value health_internal.model_field;
    grouped health_internal.model_field;
    seen text;
BEGIN
    SELECT coalesce(pg_catalog.array_agg(v.column_name ORDER BY v."position"), '{}') INTO compiled.value_columns
    FROM health_internal.value_columns(document) AS v;
    FOR input IN SELECT i.*, 'sig.s' || i."position" AS named, v.column_name
                 FROM health.model_inputs(document) AS i LEFT JOIN health_internal.value_columns(document) AS v USING ("position")
                 ORDER BY i."position"
    LOOP
        grouped := health_internal.field_of(fields, input.path, 'segment');
        compiled.segments := pg_catalog.concat_ws(', ', compiled.segments,
            CASE WHEN grouped.expression IS NULL THEN 'NULL'
                 ELSE health_internal.canonical_text(grouped.expression, grouped.type, coalesce(document ->> 'time_zone', 'UTC')) END);
        value := health_internal.field_of(fields, input.path, 'value');
        seen := NULL;
        IF (health_internal.field_of(fields, input.path, 'account_id')).expression IS NOT NULL THEN
            compiled.answers := pg_catalog.concat(compiled.answers, pg_catalog.format(
                ' LEFT JOIN (%s) AS q%s ON q%2$s."answers of" = %s',
                health_internal.compile_query_signal(fields, input.path, document) || health_internal.fence(), input."position",
                health_internal.compile_account_key(fields, (health_internal.field_of(fields, 'accounts', 'id')).expression)));
            SELECT a.value, a.observed INTO value.expression, seen FROM health_internal.compile_answer(input."position") AS a;
        END IF;
        compiled.observed := pg_catalog.concat_ws(', ', compiled.observed, coalesce(seen, 'NULL'));
        IF input.kind = 'metric' THEN    -- here for its segment only
            compiled.inputs := pg_catalog.concat_ws(', ', compiled.inputs, 'NULL');
            CONTINUE;
        END IF;
        compiled."values" := pg_catalog.concat_ws(', ', compiled."values", pg_catalog.format('%s AS s%s', value.expression,
            input."position"));
        compiled.inputs := pg_catalog.concat_ws(', ', compiled.inputs, CASE value.type
            WHEN 'pg_catalog.bool'::regtype THEN input.named || '::pg_catalog.int4::pg_catalog.text'
            ELSE health_internal.canonical_text(input.named, value.type) END);
        IF input.column_name IS NOT NULL THEN
            compiled.raw_columns := pg_catalog.concat(compiled.raw_columns, pg_catalog.format(
                CASE WHEN value.type IN ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype) THEN ', nullif(%s, ''NaN'') AS %I'
                     ELSE ', %s AS %I' END, input.named, input.column_name));
        END IF;
    END LOOP;
    RETURN compiled;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_inputs(jsonb, health_internal.model_field[]) IS
    'SQL of the inputs of a document, in the order of model_inputs';

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
                                              usage_from text DEFAULT 'events', model_name text DEFAULT NULL, past_days integer DEFAULT 0)
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
    -- No name here is one that a document could use.
    SELECT pg_catalog.string_agg(pg_catalog.format('%s AS %I', a.expression, a.name), ', ')
           || coalesce(', (' || (health_internal.field_of(fields, 'accounts', 'seats')).expression
                       || ')::pg_catalog.float8 AS "recorded seats"', '') INTO attributes
    FROM health_internal.account_attributes(document, fields) AS a;
    SELECT pg_catalog.string_agg(pg_catalog.format(', attr.%1$I AS %1$I', f.field), '' ORDER BY f.field),
           coalesce(pg_catalog.array_agg(f.field ORDER BY f.field), '{}')
    INTO extras, compiled.extra_columns
    FROM pg_catalog.unnest(fields) AS f WHERE f.source = 'columns';

    signals := health_internal.compile_inputs(document, fields);
    compiled.value_columns := signals.value_columns;
    -- Without inputs there is nothing to know of earlier days, whatever the other columns mention.
    IF past_days > 0 AND signals.inputs IS NOT NULL AND health_internal.has_dated_inputs(fields, document) THEN
        past := health_internal.compile_past_inputs(past_days, attributes, coalesce(signals."values", 'NULL AS s0'),
                                                    coalesce(signals.inputs, ''), coalesce(signals.observed, ''));
    END IF;
    IF usage_from <> 'nothing' THEN
        usage := health_internal.compile_usage(fields, document, restriction, usage_from,
            CASE usage_from WHEN 'ledger' THEN (SELECT pg_catalog.jsonb_object_agg(s.path, health_internal.data_table('chunk', s.id))
                                                FROM health_internal.ledger_source AS s WHERE s.model = model_name) END);
    END IF;
    -- Of an id that occurs twice nobody can say which row is right: it stands in the book once, without any of their values.
    compiled.ledger := health_internal.fill_template(
        'SELECT known.account_id, {name} AS name{extra_columns}, known.as_of, {version} AS model_version, {usage} AS usage, '
        'account.inputs, account.observed, account.segments, account.past_inputs, account.past_observed, account.account_start, '
        'account.seats{value_columns}, known.repeated FROM (SELECT attr.account_id, attr.as_of, pg_catalog.count(*) > 1 AS repeated '
        'FROM {book}{wanted} CROSS JOIN LATERAL (SELECT {id} AS account_id, clock.as_of) AS attr '
        'WHERE attr.account_id IS NOT NULL{filter}{restriction} GROUP BY 1, 2) AS known LEFT JOIN ('
        'SELECT {shown_id} AS account_id, {account_name} AS name{extras}, '
        'ARRAY[{inputs}]::pg_catalog.text[] AS inputs, ARRAY[{observed}]::pg_catalog.date[] AS observed, '
        'ARRAY[{segments}]::pg_catalog.text[] AS segments, {past_inputs} AS past_inputs, {past_observed} AS past_observed, '
        '{start} AS account_start, {seats} AS seats{raw_columns} FROM {book}{wanted}{answers}{past} '
        'CROSS JOIN LATERAL (SELECT {attributes}) AS attr CROSS JOIN LATERAL (SELECT {values}) AS sig '
        'WHERE attr.account_id IS NOT NULL{filter}{restriction}) AS account '
        'ON account.account_id = known.account_id AND NOT known.repeated{usage_join}',
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
            'seats', CASE WHEN document #> '{accounts,seats}' IS NULL THEN 'NULL::pg_catalog.float8'
                ELSE 'CASE WHEN attr."recorded seats" IS NOT NULL THEN coalesce(attr.seats, ''NaN'') END' END,
            'raw_columns', signals.raw_columns, 'book', source, 'wanted', health_internal.compile_wanted(fields),
            'answers', signals.answers, 'past', past, 'attributes', attributes,
            'usage_join', ' LEFT JOIN (' || usage || health_internal.fence() || ') AS u ON u.account_id = '
                || health_internal.compile_account_key(fields, 'known.account_id'),
            'values', coalesce(signals."values", 'NULL AS s0'),
            'filter', CASE WHEN health_internal.compile_wanted(fields) <> '' THEN ' AND wanted."is wanted"' END,
            'restriction', ' AND ' || account_key || restriction));
    RETURN compiled;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_model(jsonb, integer, text, date, text, text, integer) IS
    'Compiles a complete document to the ledger query: one row per account with usage, inputs and attributes, from one pass over the '
        'events. '
    'usage_from: events, ledger (of the tracked model of that name), roster (of the user source only) or nothing. '
    'With an account, only that one; with a date, as of that date; with past days, also the inputs of so many days before, if they depend '
        'on '
    'the date; the name of the model is for messages';

-- Each source is summed up by itself: where its rows lie on several servers, it is summed up there.
CREATE FUNCTION health_internal.compile_all_events(document jsonb, fields health_internal.model_field[], summary text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.string_agg(pg_catalog.format(summary, pg_catalog.format(
        'SELECT %L::pg_catalog.text AS source, e.account_id::pg_catalog.text AS account_id, e.user_id, e.event_name, %s AS day, e.amount, '
        'CASE WHEN e.event_name = '''' THEN ''event'' WHEN NOT pg_catalog.isfinite(e.occurred_at) THEN ''occurred_at'' '
        'WHEN e.amount IS NOT NULL AND NOT health_internal.is_event(e.occurred_at, e.event_name, e.amount) THEN ''amount'' END '
        'AS bad_field FROM (%s) AS e',
        s.path, health_internal.local_day('e.occurred_at', CASE WHEN m.zone IS NULL THEN 'pg_catalog.date'::regtype
            ELSE 'pg_catalog.timestamptz'::regtype END, NULL, m.zone),
        health_internal.compile_event_rows(fields, s.path, s.source ->> 'time_zone', '', health_internal.user_cast(fields)))),
        ' UNION ALL ')
    FROM health_internal.event_sources(document) AS s,
         LATERAL (SELECT health_internal.moment_zone(health_internal.field_of(fields, s.path, 'occurred_at'), s.source ->> 'time_zone',
             coalesce(document ->> 'time_zone', 'UTC'))) AS m (zone);
$$;
COMMENT ON FUNCTION health_internal.compile_all_events(jsonb, health_internal.model_field[], text) IS
    'SQL of all rows of all event sources, wrong ones too, summed up by source: the summary is SQL with %s for the query of the rows';
