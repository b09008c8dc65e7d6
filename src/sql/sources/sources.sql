-- Reading the sources of a document: does the table exist, which columns has it, of which type is an expression over it.
-- These run with the rights and under the search_path that is set by their caller.

CREATE TYPE health_internal.source_info AS (
    from_item text,
    column_names text[],
    label text,
    field text,
    problem text,
    hint text,
    code text
);
COMMENT ON TYPE health_internal.source_info IS
    'A source: its FROM item (aliased src), its columns, its name for messages, or what is wrong with it';
COMMENT ON COLUMN health_internal.source_info.from_item IS 'FROM item with the alias src';
COMMENT ON COLUMN health_internal.source_info.column_names IS 'Names of its columns';
COMMENT ON COLUMN health_internal.source_info.label IS 'Name for messages';
COMMENT ON COLUMN health_internal.source_info.field IS 'table or query';
COMMENT ON COLUMN health_internal.source_info.problem IS 'What is wrong; NULL when nothing is';
COMMENT ON COLUMN health_internal.source_info.hint IS 'What would be right';
COMMENT ON COLUMN health_internal.source_info.code IS 'SQLSTATE of the problem';

CREATE TYPE health_internal.model_field AS (
    source text,
    field text,
    path text,
    from_item text,
    expression text,
    type regtype,
    problem text,
    hint text,
    code text
);
COMMENT ON TYPE health_internal.model_field IS
    'One field of a source of a document: the SQL expression it compiles to and its type, or what is wrong with it';
COMMENT ON COLUMN health_internal.model_field.source IS 'Path of the source or signal';
COMMENT ON COLUMN health_internal.model_field.field IS 'Name of the field';
COMMENT ON COLUMN health_internal.model_field.path IS 'Path for messages';
COMMENT ON COLUMN health_internal.model_field.from_item IS 'FROM item that the expression stands on';
COMMENT ON COLUMN health_internal.model_field.expression IS 'SQL expression';
COMMENT ON COLUMN health_internal.model_field.type IS 'Type of the expression, of a domain its base type';
COMMENT ON COLUMN health_internal.model_field.problem IS 'What is wrong; NULL when nothing is';
COMMENT ON COLUMN health_internal.model_field.hint IS 'What would be right';
COMMENT ON COLUMN health_internal.model_field.code IS 'SQLSTATE of the problem';

CREATE FUNCTION health_internal.describe_query(query text, names_path text, OUT name text, OUT type regtype, OUT collation_id oid)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_describe_query'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION health_internal.describe_query(text, text) IS
    'The columns of a query under a search_path, by parse analysis alone: nothing of it is planned or run. An error when it is wrong, or '
        'when the current user may not run it';

CREATE FUNCTION health_internal.self_comparisons(query text, names_path text) RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'health_self_comparisons'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION health_internal.self_comparisons(text, text) IS
    'The columns that the subqueries of a query compare with themselves, found by parse analysis alone';

CREATE FUNCTION health_internal.trim_statement(statement text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.regexp_replace(statement, '[\s;]+$', '');
END;
COMMENT ON FUNCTION health_internal.trim_statement(text) IS 'A query without the semicolon at its end';

CREATE FUNCTION health_internal.find_relation(name text) RETURNS regclass
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation regclass;
BEGIN
    BEGIN
        relation := health_internal.relation_in(health_internal.names_path(), name);
    EXCEPTION WHEN invalid_name OR syntax_error OR feature_not_supported THEN
        relation := NULL;
    END;
    -- "Accounts" in JSON may mean the table that was created as "Accounts".
    IF relation IS NULL AND pg_catalog.strpos(name, '"') = 0 THEN
        relation := health_internal.relation_in(health_internal.names_path(), (
            SELECT pg_catalog.string_agg(pg_catalog.quote_ident(part), '.' ORDER BY position)
            FROM pg_catalog.string_to_table(name, '.') WITH ORDINALITY AS p (part, position)));
    END IF;
    RETURN relation;
END;
$$;
COMMENT ON FUNCTION health_internal.find_relation(text) IS
    'The relation of that name as SQL would find it, else with exactly these letters; NULL if there is none';

CREATE FUNCTION health_internal.suggest_relation(name text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted text := pg_catalog.regexp_replace(name, '^.*\.', '');
    near text;
    suggestion text;
BEGIN
    SELECT health.nearest_name(wanted, pg_catalog.array_agg(DISTINCT c.relname::text)) INTO near
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'health', 'health_internal',
        'pg_toast')
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE');
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) INTO suggestion
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relname = near AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'health', 'health_internal', 'pg_toast')
    ORDER BY array_position(health_internal.schemas_in(health_internal.names_path()), n.nspname) NULLS LAST, n.nspname
    LIMIT 1;
    RETURN suggestion;
END;
$$;
COMMENT ON FUNCTION health_internal.suggest_relation(text) IS 'The relation with the nearest name, qualified';

CREATE FUNCTION health_internal.describe_source(source jsonb) RETURNS health_internal.source_info
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info health_internal.source_info;
    relation regclass;
    suggestion text;
BEGIN
    IF source ? 'table' THEN
        info.field := 'table';
        info.label := source ->> 'table';
        relation := health_internal.find_relation(info.label);
        IF relation IS NULL THEN
            suggestion := health_internal.suggest_relation(info.label);
            info.problem := pg_catalog.format('table %s does not exist', health_internal.quote_once(info.label));
            info.hint := coalesce('Did you mean ' || health_internal.quote_once(suggestion) || '?',
                                  CASE WHEN info.label LIKE '%.%' THEN 'Name a table or view that is there, as schema.table.'
                                       ELSE 'Name it with its schema, or add the schema to search_path.' END);
            info.code := '42P01';
            RETURN info;
        END IF;
        SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.format('%I.%I AS src', n.nspname, c.relname),
               CASE WHEN c.relkind NOT IN ('r', 'p', 'v', 'm', 'f') THEN '42809' END
        INTO info.label, info.from_item, info.code
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = relation;
        IF info.code IS NOT NULL THEN
            info.problem := pg_catalog.format('"%s" is not a table or view', info.label);
        ELSIF NOT pg_catalog.has_any_column_privilege(relation, 'SELECT') THEN
            info.problem := pg_catalog.format('permission denied for table %s', info.label);
            info.hint := pg_catalog.format('GRANT SELECT ON %s TO %I;', info.label, current_user);
            info.code := '42501';
        ELSE
            info.column_names := ARRAY(
                SELECT a.attname::text FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum);
        END IF;
    ELSIF source ? 'query' THEN
        info.field := 'query';
        info.label := 'the query';
        info.from_item := pg_catalog.format(E'(%s\n) AS src', health_internal.trim_statement(source ->> 'query'));
        info.column_names := ARRAY(SELECT q.name FROM health_internal.describe_query(format('SELECT * FROM %s', info.from_item),
                                                                                     health_internal.names_path()) AS q);
    ELSE
        info.field := 'table';
        info.problem := 'is missing';
        info.hint := 'Name a table as "table", or give a "query".';
        info.code := '22023';
    END IF;
    RETURN info;
EXCEPTION WHEN OTHERS THEN
    info.problem := sqlerrm;
    info.hint := CASE sqlstate
        WHEN '42P01' THEN coalesce('Did you mean "' || health_internal.suggest_relation(pg_catalog.substring(sqlerrm, '"([^"]+)"')) || '"?',
                                   'Tables that the query names must exist and be found in search_path.')
        WHEN '42601' THEN 'The query is used as (query) AS src: it must be one complete SELECT.'
    END;
    info.code := sqlstate;
    RETURN info;
END;
$$;
COMMENT ON FUNCTION health_internal.describe_source(jsonb) IS
    'Looks up the table or query of a source; problems come back as values, not as errors';

-- Where a condition may stand, only expressions over a single row may: no aggregates, window functions or functions that return sets.
CREATE FUNCTION health_internal.expression_type(expression text, from_item text, scope text DEFAULT NULL) RETURNS regtype
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    result regtype;
    base regtype;
BEGIN
    SELECT q.type INTO STRICT result FROM health_internal.describe_query(pg_catalog.format(
        CASE WHEN scope IS NULL THEN E'SELECT (SELECT (%1$s\n) FROM %2$s WHERE (%1$s\n) IS NULL)'
             ELSE E'SELECT (SELECT (SELECT (%1$s\n) FROM (SELECT %3$s) AS named WHERE (%1$s\n) IS NULL) FROM %2$s)' END,
        expression, from_item, scope), health_internal.names_path()) AS q;
    LOOP
        SELECT t.typbasetype::regtype INTO base FROM pg_catalog.pg_type AS t WHERE t.oid = result::oid AND t.typtype = 'd';
        EXIT WHEN NOT FOUND;
        result := base;
    END LOOP;
    RETURN result;
END;
$$;
COMMENT ON FUNCTION health_internal.expression_type(text, text, text) IS
    'The type of an expression over one row of a FROM item, with the names of a scope if given; domains count as their base type';

CREATE FUNCTION health_internal.lacks_collation(expression text, from_item text, scope text) RETURNS boolean
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT q.collation_id = 0 AND t.typcollation <> 0
    FROM health_internal.describe_query(format(CASE WHEN scope IS NULL THEN E'SELECT (SELECT (%1$s\n) FROM %2$s)'
             ELSE E'SELECT (SELECT (SELECT (%1$s\n) FROM (SELECT %3$s) AS named) FROM %2$s)' END, expression, from_item, scope),
             health_internal.names_path()) AS q JOIN pg_type AS t ON t.oid = q.type::oid;
$$;
COMMENT ON FUNCTION health_internal.lacks_collation(text, text, text) IS
    'Whether an expression over one row of a FROM item, with the names of a scope if given, is a string without a collation';

CREATE FUNCTION health_internal.type_problem(type regtype, accepts text, OUT problem text, OUT hint text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    category "char" := (SELECT t.typcategory FROM pg_type AS t WHERE t.oid = type::oid);
BEGIN
    IF type = 'record'::regtype THEN
        problem := 'is a row of several values; one value is needed';
        hint := 'Write one expression, without a comma outside of parentheses.';
    ELSIF type = 'money'::regtype THEN
        problem := 'is money, whose value and text are others where lc_monetary is another';
        hint := 'Convert it: {"sql": "(column)::numeric"}';
    ELSIF accepts = 'id' AND (health_internal.is_nameless(type) OR category IN ('D', 'B')) THEN
        problem := format('is %s, which is no id or name', type);
        hint := CASE WHEN category = 'D' THEN 'Write it as text: {"sql": "to_char(column, ''YYYY-MM-DD'')"}'
                     WHEN category = 'B' THEN 'Name the two: {"sql": "CASE WHEN column THEN ''one'' ELSE ''other'' END"}'
                     WHEN type = 'bytea'::regtype THEN 'Write it as text: {"sql": "encode(column, ''hex'')"}'
                     WHEN type IN ('json'::regtype, 'jsonb'::regtype) THEN 'Take the id out of it: {"sql": "column ->> ''id''"}'
                     WHEN category = 'A' THEN 'Choose one of its elements: {"sql": "column[1]"}'
                     ELSE 'Ids and names are integers, uuid, text and what has a text of its own.' END;
    ELSIF accepts = 'segment' AND health_internal.is_nameless(type) THEN
        problem := format('is %s, which makes no groups', type);
        hint := CASE category WHEN 'T' THEN 'Group by a number of days: extract(epoch from ...) / 86400, as one of accounts.columns.'
                              ELSE 'Groups are texts, numbers, truth values or dates.' END;
    ELSIF accepts = 'time' AND type NOT IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) THEN
        problem := format('is %s; a date or timestamp is needed', type);
        hint := CASE category WHEN 'N' THEN 'For seconds since 1970: {"sql": "to_timestamp(column)"}'
                              ELSE 'Convert it: {"sql": "(column)::timestamptz"}' END;
    ELSIF accepts = 'number' AND NOT health_internal.is_number(type) THEN
        problem := format('is %s; a number is needed', type);
        hint := 'Convert it: {"sql": "(column)::numeric"}';
    ELSIF accepts = 'condition' AND type <> 'boolean'::regtype THEN
        problem := format('is %s; a condition (true or false) is needed', type);
        hint := 'Compare it with something, such as: plan <> ''test''.';
    ELSIF accepts = 'signal' AND type IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) THEN
        problem := format('is %s; a signal needs a number, a truth value or a category', type);
        hint := 'Count days: {"expression": "as_of - column::date"} since it, "column::date - as_of" until it.';
    ELSIF accepts = 'signal' AND NOT (health_internal.is_number(type) OR category IN ('B', 'S', 'E')) THEN
        problem := format('is %s; a signal needs a number, a truth value or a category', type);
        hint := CASE category WHEN 'T' THEN 'Turn the interval into a number: extract(epoch from ...) / 86400 gives days.' END;
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.type_problem(regtype, text) IS
    'What is wrong when a field of that kind gets that type; NULL when it fits';

CREATE FUNCTION health_internal.name_hint(message text, column_names text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted text := substring(message FROM '"([^"]+)"');
    near text := health.nearest_name(wanted, column_names);
BEGIN
    RETURN CASE WHEN near IS NOT NULL THEN format('Did you mean "%s"?', near)
                WHEN cardinality(column_names) > 0 THEN
                    'The columns are: ' || array_to_string(column_names[1:30], ', ')
                    || CASE WHEN cardinality(column_names) > 30 THEN ', ...' ELSE '.' END
           END;
END;
$$;
COMMENT ON FUNCTION health_internal.name_hint(text, text[]) IS 'Hint for a name that does not exist: the nearest one, else all of them';

-- The source stands under the name src. Its own name is the natural thing to write in a subquery.
CREATE FUNCTION health_internal.source_name_hint(message text, expression text, info health_internal.source_info) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN named.relation = (parse_ident(info.label))[cardinality(parse_ident(info.label))] THEN
        format('The source is called src here: write src.%s.',
               coalesce(quote_ident((SELECT c FROM unnest(info.column_names) AS c
                                     WHERE strpos(expression, named.relation || '.' || c) > 0
                                        OR strpos(expression, format('%I.%I', named.relation, c)) > 0
                                     ORDER BY length(c) DESC LIMIT 1)), 'column')) END
    FROM (SELECT substring(message FROM '"([^"]+)"') AS relation) AS named WHERE message LIKE '%FROM-clause%' AND info.label LIKE '%.%';
$$;
COMMENT ON FUNCTION health_internal.source_name_hint(text, text, health_internal.source_info) IS
    'Hint for an expression that names the table of its source; NULL when it does not';

CREATE FUNCTION health_internal.try_value(fallback anyelement, expression text, names_path text, columns text[], VARIADIC "values" "any")
    RETURNS anyelement
    AS 'MODULE_PATHNAME', 'health_try_value'
    LANGUAGE C CALLED ON NULL INPUT STABLE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION health_internal.try_value(anyelement, text, text, text[], "any") IS
    'The value of an expression over columns (row.name) that have these values, names being looked up in a search_path; '
    'where it fails because of them the fallback';

CREATE FUNCTION health_internal.try_error(expression text, names_path text, columns text[], VARIADIC "values" "any") RETURNS text
    AS 'MODULE_PATHNAME', 'health_try_error'
    LANGUAGE C CALLED ON NULL INPUT STABLE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION health_internal.try_error(text, text, text[], "any") IS
    'What the expression of try_value() fails with, or that its value is no finite number; NULL when there is nothing to say';

CREATE FUNCTION health_internal.to_float8(number numeric) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_to_float8'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.to_float8(numeric) IS 'The number in double precision, infinite where it is beyond it: no value fails';

-- Stored expressions go on when a column becomes double precision.
CREATE FUNCTION health_internal.to_float8(number float8) RETURNS float8
LANGUAGE sql STRICT IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT number;
END;
COMMENT ON FUNCTION health_internal.to_float8(float8) IS 'The number itself';

CREATE FUNCTION health_internal.fallible_columns(expression text, names_path text, columns text[], types oid[], collations oid[])
    RETURNS integer[]
    AS 'MODULE_PATHNAME', 'health_fallible_columns'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION health_internal.fallible_columns(text, text, text[], oid[], oid[]) IS
    'Which of these columns (row.name) an expression reads that may fail for some row and that try_value() can evaluate; '
    'NULL for any other';

-- What has a value for every row stays as it is, and so does what a function cannot do in its place: subqueries.
CREATE FUNCTION health_internal.guard_expression(expression text, type regtype, fallback text, from_item text, scope text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    names_path CONSTANT text := health_internal.names_path();
    columns text[];
    types oid[];
    collations oid[];
    arguments text[];
    used integer[];
BEGIN
    SELECT pg_catalog.array_agg(c.row_name || '.' || c.name ORDER BY c.rank, c.n), pg_catalog.array_agg(c.type ORDER BY c.rank, c.n),
           pg_catalog.array_agg(c.collation_id ORDER BY c.rank, c.n), pg_catalog.array_agg(c.argument ORDER BY c.rank, c.n)
    INTO columns, types, collations, arguments
    FROM (SELECT 1 AS rank, q.n, 'named' AS row_name, q.name, q.type::oid, q.collation_id,
                 pg_catalog.split_part(scope, '.', 1) || '.' || pg_catalog.quote_ident(q.name) AS argument
          FROM health_internal.describe_query('SELECT ' || scope || ' FROM ' || from_item, names_path)
               WITH ORDINALITY AS q (name, type, collation_id, n)
          UNION ALL
          SELECT 2, q.n, 'src', q.name, q.type, q.collation_id, 'src.' || pg_catalog.quote_ident(q.name)
          FROM health_internal.describe_query('SELECT src.* FROM ' || from_item, names_path)
               WITH ORDINALITY AS q (name, type, collation_id, n)) AS c;
    used := health_internal.fallible_columns(expression, names_path, columns, types, collations);
    IF used IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN pg_catalog.format('health_internal.try_value(%s::%s, %L, %L, %L::pg_catalog.text[], %s)', fallback,
        pg_catalog.format_type(type, -1), expression, names_path,
        ARRAY(SELECT columns[u] FROM pg_catalog.unnest(used) WITH ORDINALITY AS p (u, n) ORDER BY p.n),
        (SELECT pg_catalog.string_agg(arguments[u], ', ' ORDER BY p.n) FROM pg_catalog.unnest(used) WITH ORDINALITY AS p (u, n)));
EXCEPTION WHEN insufficient_privilege THEN    -- for some column of the source, which the expression need not name
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.guard_expression(text, regtype, text, text, text) IS
    'SQL that gives the fallback for rows on which an expression fails; NULL when it cannot fail or cannot be guarded';

-- A field is a column name or {"sql": "expression"}; a condition is an SQL expression itself. Expressions see the columns of the source
-- and, before them, the names in scope (the model's as_of, logical columns): the innermost query wins.
CREATE FUNCTION health_internal.inspect_field(info health_internal.source_info, source text, field text, path text, spec jsonb,
    accepts text,
                                     scope text DEFAULT NULL, guarded boolean DEFAULT true)
RETURNS health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    result health_internal.model_field;
    wanted text;
    written text;
    fallible text;
BEGIN
    result.source := source;
    result.field := field;
    result.path := path;
    result.from_item := info.from_item;
    result.code := '22023';
    IF accepts = 'condition' AND pg_catalog.jsonb_typeof(spec) = 'string' THEN
        result.expression := spec #>> '{}';
    ELSIF pg_catalog.jsonb_typeof(spec -> 'sql') = 'string' THEN
        result.path := path || '.sql';
        result.expression := spec ->> 'sql';
    ELSIF pg_catalog.jsonb_typeof(spec) = 'string' THEN
        wanted := spec #>> '{}';
        IF NOT wanted = ANY (info.column_names) THEN
            result.problem := pg_catalog.format('column "%s" does not exist in %s', wanted, info.label);
            result.hint := health_internal.name_hint(pg_catalog.format('"%s"', wanted), info.column_names);
            result.code := '42703';
            RETURN result;
        END IF;
        result.expression := pg_catalog.format('src.%I', wanted);
    ELSE
        result.problem := 'must be a column name or {"sql": "expression"}';
        RETURN result;
    END IF;
    IF pg_catalog.jsonb_typeof(spec) = 'string' AND accepts <> 'condition' THEN
        scope := NULL;    -- a column
    END IF;
    written := result.expression;
    BEGIN
        result.type := health_internal.expression_type(result.expression, info.from_item, scope);
        -- Strings of two collations together have none, and no view takes a column without.
        IF pg_catalog.jsonb_typeof(spec) <> 'string' AND health_internal.lacks_collation(result.expression, info.from_item, scope) THEN
            result.expression := pg_catalog.format(E'(%s\n) COLLATE pg_catalog."default"', result.expression);
        END IF;
        IF pg_catalog.jsonb_typeof(spec) <> 'string' OR accepts = 'condition' THEN
            result.expression := pg_catalog.format(CASE WHEN scope IS NULL THEN E'(%1$s\n)'
                ELSE E'(SELECT (%1$s\n) FROM (SELECT %2$s) AS named)' END,
                                                   result.expression, scope);
        END IF;
    EXCEPTION WHEN OTHERS THEN
        result.problem := CASE sqlstate WHEN '42803' THEN 'aggregate functions are not allowed here'
                                        ELSE pg_catalog.regexp_replace(sqlerrm, ' in WHERE$', ' here') END;
        result.code := sqlstate;
        result.hint := CASE sqlstate
            WHEN '42803' THEN 'The expression sees one row: put the aggregate into a "query" source, or into a subquery of its own.'
            WHEN '42P20' THEN 'The expression sees one row: put the window function into a "query" source.'
            WHEN '0A000' THEN 'The expression gives one value for each row: use a "query" source to make several rows.'
            WHEN '42703' THEN health_internal.name_hint(sqlerrm, info.column_names)
            WHEN '42702' THEN 'Write src.column for the column of the table.'
            WHEN '42P01' THEN health_internal.source_name_hint(sqlerrm, result.expression, info)
            WHEN '42601' THEN 'The expression must be complete by itself: look for parentheses, quotes and commas.'
            WHEN '42883' THEN 'Functions must exist and be found in search_path, or be written with their schema.'
        END;
        RETURN result;
    END;
    SELECT t.problem, t.hint INTO result.problem, result.hint FROM health_internal.type_problem(result.type, accepts) AS t;
    -- Of a name that both have, a subquery takes its own column: a condition that was to tie it to the row is then always true.
    IF result.problem IS NULL AND result.expression ~* '\mselect\M' THEN
        SELECT s.name INTO wanted FROM health_internal.self_comparisons(
            pg_catalog.format('SELECT %s FROM %s', result.expression, info.from_item), health_internal.names_path()) AS s (name)
        WHERE s.name = ANY (info.column_names) LIMIT 1;
        IF FOUND THEN
            result.problem := pg_catalog.format('a subquery compares its own column "%s" with itself', wanted);
            result.hint := pg_catalog.format('Within a subquery the column of the source is written %s.',
                                             pg_catalog.format('src.%I', wanted));
        END IF;
    END IF;
    IF guarded AND result.problem IS NULL THEN
        -- What fails is unknown, but where it can be told from nothing it is: as a time, name or amount that no event has, seats and
        -- values of signals that are no numbers.
        IF (source <> 'columns' AND field IN ('amount', 'seats') OR health_internal.is_fact_path(source) AND field = 'value')
           AND written = result.expression AND result.type = 'numeric'::regtype THEN
            result.expression := pg_catalog.format('health_internal.to_float8(%s)', written);
        ELSIF field IN ('amount', 'seats') AND source <> 'columns' OR health_internal.is_fact_path(source) AND field = 'value' THEN
            result.expression := coalesce(health_internal.guard_expression(pg_catalog.format(E'(%s\n)::pg_catalog.float8', written),
                'pg_catalog.float8'::regtype, '''NaN''', info.from_item, scope), result.expression);
        ELSIF accepts = 'signal' AND written <> result.expression
              AND result.type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN
            -- No integer says that there is no value.
            fallible := health_internal.guard_expression(pg_catalog.format(E'(%s\n)::pg_catalog.numeric', written),
                'pg_catalog.numeric'::regtype, '''NaN''', info.from_item, scope);
            IF fallible IS NOT NULL THEN
                result.expression := fallible;
                result.type := 'pg_catalog.numeric'::regtype;
            END IF;
        ELSIF written <> result.expression THEN
            result.expression := coalesce(health_internal.guard_expression(written, result.type,
                CASE WHEN source ~ '^events' AND field = 'occurred_at' OR health_internal.is_fact_path(source) AND field = 'at'
                         THEN '''infinity'''
                     -- Before its start: no fact can end there.
                     WHEN health_internal.is_fact_path(source) AND field = 'until' THEN '''-infinity'''
                     -- Before all times that there are: compile_known_event() makes a bad row of it, as capture does.
                     WHEN source ~ '^(events|facts)' AND field = 'known_at' THEN '''4714-11-24 00:00:00+00 BC'''
                     WHEN source ~ '^events' AND field = 'event' AND result.type IN ('text'::regtype, 'varchar'::regtype) THEN ''''''
                     WHEN accepts = 'signal' AND result.type IN ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype) THEN '''NaN'''
                     ELSE 'NULL' END, info.from_item, scope), result.expression);
        END IF;
    END IF;
    RETURN result;
END;
$$;
COMMENT ON FUNCTION health_internal.inspect_field(health_internal.source_info, text, text, text, jsonb, text, text, boolean) IS
    'Turns one field of a source into an expression with a type, which if guarded fails for no row, or says what is wrong with it';
