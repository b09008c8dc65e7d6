-- Inputs in compiled SQL: column, expression and query signals, on earlier days too; and which expression it was that failed.

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
        OR EXISTS (SELECT 1 FROM health.model_inputs(document) AS i
                   WHERE i.kind = 'pulse' OR i.kind IN ('expression', 'variant') AND i.source ~* '\mas_of\M');
$$;
COMMENT ON FUNCTION health_internal.has_dated_inputs(health_internal.model_field[], jsonb) IS
    'Whether the inputs of a model are others on other days';

-- The same expressions once more for each earlier day: their clock is the inner one. It stands before everything but the source and
-- the answers, so that expressions find no other names than where they were checked.
CREATE FUNCTION health_internal.compile_past_inputs(days integer, step integer, attributes text, value_list text, inputs text,
    observed text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        ' CROSS JOIN LATERAL (SELECT pg_catalog.array_agg(ARRAY[%1$s]::pg_catalog.text[]) AS "past inputs", '
        'pg_catalog.array_agg(ARRAY[%2$s]::pg_catalog.date[]) AS "past observed" '
        'FROM (SELECT clock.as_of - earlier.days AS as_of FROM pg_catalog.generate_series(%3$s, %4$s, %3$s) AS earlier (days)) '
        'AS clock CROSS JOIN LATERAL (SELECT %5$s) AS attr CROSS JOIN LATERAL (SELECT %6$s) AS sig) AS past',
        inputs, observed, step, days, attributes, value_list);
END;
COMMENT ON FUNCTION health_internal.compile_past_inputs(integer, integer, text, text, text, text) IS
    'SQL of the inputs of every step-th of so many earlier days as an array with a row per day, the latest first';

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

-- Whose accounts are others on other days.
CREATE FUNCTION health_internal.has_dated_filter(document jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT coalesce(document #>> '{accounts,filter}' ~* '\mas_of\M', false);
END;
COMMENT ON FUNCTION health_internal.has_dated_filter(jsonb) IS 'Whether accounts.filter mentions as_of';

-- The clock of the expression is the inner one: see compile_past_inputs.
CREATE FUNCTION health_internal.compile_wanted_on(fields health_internal.model_field[], days integer, step integer) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        ' CROSS JOIN LATERAL (SELECT pg_catalog.array_agg((%s) IS TRUE) AS "is wanted on" '
        'FROM (SELECT clock.as_of - earlier.days AS as_of FROM pg_catalog.generate_series(0, %s, %s) AS earlier (days)) AS clock) AS '
            'wanted',
        (health_internal.field_of(fields, 'accounts', 'filter')).expression, days, step);
END;
COMMENT ON FUNCTION health_internal.compile_wanted_on(health_internal.model_field[], integer, integer) IS
    'SQL that joins accounts.filter to the account source for as_of and every step-th earlier day, as the array wanted."is wanted on"';

CREATE FUNCTION health_internal.any_wanted(wanted boolean[]) RETURNS boolean[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.array_agg(d.wanted ORDER BY d.day)
    FROM (SELECT c.day, CASE WHEN pg_catalog.count(*) FILTER (WHERE wanted[r.n][c.day]) < 2 THEN pg_catalog.bool_or(wanted[r.n][c.day]) END
              AS wanted
          FROM pg_catalog.generate_subscripts(wanted, 1) AS r (n), pg_catalog.generate_subscripts(wanted, 2) AS c (day) GROUP BY 1) AS d;
END;
COMMENT ON FUNCTION health_internal.any_wanted(boolean[]) IS
    'Of rows with an element per day: whether any of them is true on each day; NULL where several are';

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
                                 WHEN sqlstate = '21000' THEN 'A subquery gives one row at most: write LIMIT 1, or an aggregate.'
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

CREATE FUNCTION health_internal.compile_inputs(document jsonb, fields health_internal.model_field[], model_name text,
    as_literals boolean)
RETURNS health_internal.compiled_inputs
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_inputs;
    input record;
    value health_internal.model_field;
    grouped health_internal.model_field;
    id CONSTANT health_internal.model_field := health_internal.field_of(fields, 'accounts', 'id');
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
        ELSIF input.kind = 'pulse' THEN
            compiled.answers := pg_catalog.concat(compiled.answers, pg_catalog.format(
                ' LEFT JOIN (%s) AS q%s ON q%2$s."answers of" = %s',
                health_internal.compile_pulses(model_name, as_literals) || health_internal.fence(), input."position",
                health_internal.canonical_text(id.expression, id.type)));
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
                CASE WHEN input.kind = 'pulse' THEN ', pg_catalog.left(%s, 1)::pg_catalog.int4 AS %I'
                     WHEN value.type IN ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype) THEN ', nullif(%s, ''NaN'') AS %I'
                     ELSE ', %s AS %I' END, input.named, input.column_name));
        END IF;
    END LOOP;
    RETURN compiled;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_inputs(jsonb, health_internal.model_field[], text, boolean) IS
    'SQL of the inputs of a document, in the order of model_inputs; pulses are those of the model of that name';
