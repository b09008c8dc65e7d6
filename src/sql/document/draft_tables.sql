-- What draft_model() sees of tables: their columns, a sample of their rows, which column holds the ids of another table.
-- It runs with the rights of who drafts.

CREATE TYPE health_internal.draft_column AS (
    name text,
    words text,
    type regtype,
    is_key boolean
);
COMMENT ON TYPE health_internal.draft_column IS 'Internal: a column that the current user may read';
COMMENT ON COLUMN health_internal.draft_column.words IS 'Its name as words in lower case';
COMMENT ON COLUMN health_internal.draft_column.type IS 'Its type, of a domain the base type';
COMMENT ON COLUMN health_internal.draft_column.is_key IS 'Whether no two rows have the same value, by a key or unique index';

CREATE TYPE health_internal.draft_table AS (
    relation regclass,
    label text,
    sample text,
    whole boolean,
    columns health_internal.draft_column[]
);
COMMENT ON TYPE health_internal.draft_table IS 'Internal: a table that a document is drafted for';
COMMENT ON COLUMN health_internal.draft_table.label IS 'Its name with its schema, as a document and SQL have it';
COMMENT ON COLUMN health_internal.draft_table.sample IS 'FROM item of rows to look at, with the alias src';
COMMENT ON COLUMN health_internal.draft_table.whole IS 'Whether these are all rows';

CREATE FUNCTION health_internal.base_type(type regtype) RETURNS regtype
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE base AS (
        SELECT t.oid, t.typtype, t.typbasetype FROM pg_type AS t WHERE t.oid = type::oid
        UNION ALL
        SELECT t.oid, t.typtype, t.typbasetype FROM base AS b JOIN pg_type AS t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
    ) SELECT b.oid::regtype FROM base AS b WHERE b.typtype <> 'd';
$$;
COMMENT ON FUNCTION health_internal.base_type(regtype) IS 'The type under all domains';

-- 2,000 blocks are 16 MB. Of what has no blocks of its own the first rows must do.
CREATE FUNCTION health_internal.draft_table(relation regclass, argument text) RETURNS health_internal.draft_table
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seen health_internal.draft_table;
    schema_name name;
    kind "char";
    blocks bigint;
BEGIN
    IF relation IS NULL THEN
        RAISE EXCEPTION 'draft_model needs the table of %', argument USING ERRCODE = 'null_value_not_allowed',
            HINT = 'draft_model(''crm.accounts'', ''app.events'', ''app.users''), with your tables.';
    END IF;
    SELECT format('%I.%I', n.nspname, c.relname), n.nspname, c.relkind INTO seen.label, schema_name, kind
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation;
    IF NOT FOUND THEN
        RAISE EXCEPTION '%: there is no table with the oid %', argument, relation::oid USING ERRCODE = 'undefined_table',
            HINT = 'Name a table: ''crm.accounts''.';
    ELSIF kind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
        RAISE EXCEPTION '%: % is not a table or view', argument, seen.label USING ERRCODE = 'wrong_object_type';
    ELSIF NOT has_schema_privilege(schema_name, 'USAGE') THEN
        RAISE EXCEPTION '%: permission denied for schema %', argument, schema_name USING ERRCODE = 'insufficient_privilege',
            HINT = format('GRANT USAGE ON SCHEMA %I TO %I;', schema_name, current_user);
    ELSIF NOT has_any_column_privilege(relation, 'SELECT') THEN
        RAISE EXCEPTION '%: permission denied for table %', argument, seen.label USING ERRCODE = 'insufficient_privilege',
            HINT = format('GRANT SELECT ON %s TO %I;', seen.label, current_user);
    END IF;
    seen.relation := relation;
    seen.columns := ARRAY(
        SELECT ROW(a.attname, health_internal.draft_words(a.attname), health_internal.base_type(a.atttypid::regtype),
                   EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = relation AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                               AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum))::health_internal.draft_column
        FROM pg_attribute AS a
        WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege(relation, a.attnum, 'SELECT')
        ORDER BY a.attnum);
    IF kind IN ('r', 'p', 'm') THEN
        SELECT coalesce(sum(pg_relation_size(t.relid)) FILTER (WHERE t.isleaf), pg_relation_size(relation))
               / current_setting('block_size')::bigint
        INTO blocks FROM pg_partition_tree(relation) AS t;
        seen.whole := blocks <= 2000;
        seen.sample := seen.label || ' AS src'
            || CASE WHEN seen.whole THEN '' ELSE format(' TABLESAMPLE SYSTEM (%s) REPEATABLE (0)', 100 * 2000.0 / blocks) END;
    ELSE
        EXECUTE format('SELECT count(*) <= 100000 FROM (SELECT 1 FROM %s LIMIT 100001) AS r', seen.label) INTO seen.whole;
        seen.sample := format('(SELECT %s FROM %s LIMIT 100000) AS src',
                              (SELECT string_agg(quote_ident(c.name), ', ') FROM unnest(seen.columns) AS c), seen.label);
    END IF;
    RETURN seen;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_table(regclass, text) IS
    'A table that a draft is made for; an error that names it when it is none or may not be read';

CREATE FUNCTION health_internal.find_draft_column(columns health_internal.draft_column[], name text) RETURNS health_internal.draft_column
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c FROM unnest(columns) AS c WHERE c.name = find_draft_column.name;
$$;
COMMENT ON FUNCTION health_internal.find_draft_column(health_internal.draft_column[], text) IS 'The column of that name';

CREATE FUNCTION health_internal.names_things(type regtype) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT NOT health_internal.is_nameless(type) AND health_internal.type_category(type) NOT IN ('D', 'B');
$$;
COMMENT ON FUNCTION health_internal.names_things(regtype) IS 'Whether values of a type can be ids and names of events';

-- How a text is read as a time: year first by itself, day first with dots by its format. By the values, as far as there are any.
CREATE FUNCTION health_internal.draft_time(seen health_internal.draft_table, field health_internal.draft_column,
    OUT spec jsonb, OUT type regtype)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n bigint;
    days bigint;
    moments bigint;
    zoned bigint;
    dotted bigint;
    scale bigint;
    scaled bigint;
BEGIN
    IF field.type IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) THEN
        spec := to_jsonb(field.name);
        type := field.type;
    ELSIF health_internal.type_category(field.type) = 'S' THEN
        EXECUTE format($query$
            SELECT count(*), count(*) FILTER (WHERE v ~ '^\d{4}-\d\d-\d\d$'), count(*) FILTER (WHERE v ~ '^\d{4}-\d\d-\d\d[ T]\d\d:\d\d'),
                   count(*) FILTER (WHERE v ~ '^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)? ?(Z|UTC|[+-]\d\d(:?\d\d)?)$'),
                   count(*) FILTER (WHERE v ~ '^\d\d?\.\d\d?\.\d{4}')
            FROM (SELECT btrim(src.%I::text) AS v FROM %s WHERE src.%1$I IS NOT NULL LIMIT 5000) AS t $query$, field.name, seen.sample)
        INTO n, days, moments, zoned, dotted;
        type := CASE WHEN n = 0 OR greatest(days + moments, dotted) < 0.9 * n THEN NULL
                     WHEN dotted > days + moments OR zoned = 0 AND moments > 0 THEN 'timestamp'::regtype
                     WHEN zoned > 0 THEN 'timestamptz'::regtype ELSE 'date'::regtype END;
        spec := jsonb_build_object('sql', CASE WHEN dotted > days + moments
            THEN format('to_timestamp(%I, ''DD.MM.YYYY HH24:MI:SS'')::timestamp', field.name)
            ELSE format('(%I)::%s', field.name, CASE type WHEN 'timestamp'::regtype THEN 'timestamp' WHEN 'date'::regtype THEN 'date'
                                                          ELSE 'timestamptz' END) END);
    ELSIF health_internal.is_number(field.type) THEN
        EXECUTE format($query$
            SELECT count(*), count(*) FILTER (WHERE t.scale = m.scale), m.scale
            FROM (SELECT v, CASE WHEN v BETWEEN 631152000 AND 4102444800 THEN 1 WHEN v BETWEEN 631152000000 AND 4102444800000 THEN 1000
                                 WHEN v BETWEEN 631152000000000 AND 4102444800000000 THEN 1000000 END AS scale
                  FROM (SELECT src.%I::float8 AS v FROM %s WHERE src.%1$I IS NOT NULL LIMIT 5000) AS s) AS t,
                 (SELECT CASE WHEN max(v) <= 4102444800 THEN 1 WHEN max(v) <= 4102444800000 THEN 1000 ELSE 1000000 END AS scale
                  FROM (SELECT src.%1$I::float8 AS v FROM %2$s WHERE src.%1$I IS NOT NULL LIMIT 5000) AS s) AS m
            GROUP BY m.scale $query$, field.name, seen.sample)
        INTO n, scaled, scale;
        IF n > 0 AND scaled >= 0.9 * n THEN
            type := 'timestamptz'::regtype;
            spec := jsonb_build_object('sql', CASE scale WHEN 1 THEN format('to_timestamp(%I)', field.name)
                                                         ELSE format('to_timestamp(%I / %s.0)', field.name, scale) END);
        END IF;
    END IF;
    IF type IS NULL THEN
        spec := NULL;
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_time(health_internal.draft_table, health_internal.draft_column) IS
    'How a document reads a column as a time: a column, or an expression for texts and seconds since 1970; NULL when its values are none';

CREATE FUNCTION health_internal.draft_number(seen health_internal.draft_table, field health_internal.draft_column) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fits boolean;
BEGIN
    IF health_internal.is_number(field.type) THEN
        RETURN to_jsonb(field.name);
    ELSIF field.type = 'money'::regtype THEN
        RETURN jsonb_build_object('sql', format('(%I)::numeric', field.name));
    ELSIF health_internal.type_category(field.type) = 'S' THEN
        EXECUTE format($query$
            SELECT count(*) > 0 AND count(*) FILTER (WHERE v ~ '^[+-]?\d+(\.\d+)?$') >= 0.9 * count(*)
            FROM (SELECT btrim(src.%I::text) AS v FROM %s WHERE src.%1$I IS NOT NULL LIMIT 5000) AS t $query$, field.name, seen.sample)
        INTO fits;
        IF fits THEN
            RETURN jsonb_build_object('sql', format('(%I)::numeric', field.name));
        END IF;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_number(health_internal.draft_table, health_internal.draft_column) IS
    'How a document reads a column as a number; NULL when its values are none';

CREATE FUNCTION health_internal.draft_flag(field health_internal.draft_column) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN field.type = 'boolean'::regtype THEN quote_ident(field.name)
                WHEN health_internal.is_number(field.type) THEN format('%I = 1', field.name)
                WHEN health_internal.type_category(field.type) = 'S'
                    THEN format('lower(%I) in (''true'', ''t'', ''yes'', ''y'', ''1'')', field.name) END;
$$;
COMMENT ON FUNCTION health_internal.draft_flag(health_internal.draft_column) IS 'A column as a condition; NULL when it cannot be one';

-- The best column of a field whose values are of the kind that it needs.
CREATE FUNCTION health_internal.draft_field(seen health_internal.draft_table, field text, need text, taken text[],
    OUT name text, OUT spec jsonb, OUT type regtype)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    candidate health_internal.draft_column;
BEGIN
    FOR candidate IN SELECT c.name, c.words, c.type, c.is_key FROM unnest(seen.columns) WITH ORDINALITY AS c (name, words, type, is_key, n),
                         LATERAL health_internal.draft_rank(field, c.words) AS r (rank)
                     WHERE r.rank IS NOT NULL AND c.name <> ALL (taken) ORDER BY r.rank, c.n LOOP
        name := candidate.name;
        type := candidate.type;
        CASE need
            WHEN 'time' THEN SELECT t.spec, t.type INTO spec, type FROM health_internal.draft_time(seen, candidate) AS t;
            WHEN 'number' THEN spec := health_internal.draft_number(seen, candidate);
            WHEN 'flag' THEN spec := to_jsonb(health_internal.draft_flag(candidate));
            ELSE spec := CASE WHEN health_internal.names_things(candidate.type) THEN to_jsonb(candidate.name) END;
        END CASE;
        IF spec IS NOT NULL THEN
            RETURN;
        END IF;
    END LOOP;
    name := NULL;
    type := NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_field(health_internal.draft_table, text, text, text[]) IS
    'The column that suits a field best by its name and is of the kind that it needs (id, time, number, flag), how a document reads it, '
    'and the type of that; NULL: there is none';

-- Which part of the ids in a column the other table knows, by up to 200 of them; NULL when there are none to compare.
CREATE FUNCTION health_internal.known_share(keeper health_internal.draft_table, key health_internal.draft_column,
    referrer health_internal.draft_table, reference health_internal.draft_column) RETURNS float8
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    form CONSTANT health_internal.id_form := health_internal.shared_form(ARRAY[key.type, reference.type]);
    is_same CONSTANT boolean := key.type = reference.type AND NOT health_internal.is_citext(key.type);
    looked_up CONSTANT text := CASE WHEN is_same THEN format('src.%I', reference.name)
        ELSE health_internal.compile_key(format('src.%I', reference.name), reference.type, form) END;
    ids text[];
    known bigint;
    filled boolean;
BEGIN
    EXECUTE format('SELECT array_agg(d.id) FROM (SELECT DISTINCT s.id FROM (SELECT (%s)::text AS id FROM %s WHERE src.%I IS NOT NULL '
                   'LIMIT 20000) AS s LIMIT 200) AS d', looked_up, referrer.sample, reference.name) INTO ids;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', keeper.sample) INTO filled;
    IF ids IS NULL OR NOT filled THEN
        RETURN NULL;
    END IF;
    EXECUTE CASE WHEN is_same
        THEN format('SELECT count(DISTINCT src.%1$I) FROM %2$s AS src WHERE src.%1$I = ANY ($1::%3$s[])', key.name, keeper.label,
                    format_type(key.type, -1))
        ELSE format('SELECT count(DISTINCT k.id) FROM (SELECT (%s)::text AS id FROM %s AS src) AS k WHERE k.id = ANY ($1)',
                    health_internal.compile_key(format('src.%I', key.name), key.type, form), keeper.label) END
    INTO known USING ids;
    RETURN known::float8 / cardinality(ids);
END;
$$;
COMMENT ON FUNCTION health_internal.known_share(health_internal.draft_table, health_internal.draft_column, health_internal.draft_table,
    health_internal.draft_column) IS
    'The share of the ids of a column, up to 200 different ones of the sample, that the other table has; NULL when either has no rows';

-- A foreign key says it; else names propose and values decide. Small integers are in every table, so that they need a name as well.
CREATE FUNCTION health_internal.draft_reference(keeper health_internal.draft_table, key_field text, only_key text,
    referrer health_internal.draft_table, reference_field text, taken text[], OUT key text, OUT reference text, OUT share float8)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- A column is often called as the table that it refers to.
    called CONSTANT text[] := (SELECT ARRAY[w.words, regexp_replace(w.words, 's$', ''), regexp_replace(w.words, 'ies$', 'y')]
                               FROM pg_class AS c, health_internal.draft_words(c.relname) AS w (words) WHERE c.oid = keeper.relation);
    pair record;
    known float8;
    points float8;
    best float8;
BEGIN
    FOR pair IN
        SELECT k.field, r.field AS referring, coalesce(k.rank, 9) AS key_rank, coalesce(r.rank, 9) AS reference_rank,
               EXISTS (SELECT FROM pg_constraint AS c JOIN pg_attribute AS ka ON ka.attrelid = c.confrelid AND ka.attnum = c.confkey[1]
                       JOIN pg_attribute AS ra ON ra.attrelid = c.conrelid AND ra.attnum = c.conkey[1]
                       WHERE c.contype = 'f' AND cardinality(c.conkey) = 1 AND c.conrelid = referrer.relation
                           AND c.confrelid = keeper.relation AND ka.attname = (k.field).name AND ra.attname = (r.field).name)
                               AS is_foreign_key
        FROM (SELECT c AS field, health_internal.draft_rank(key_field, c.words) AS rank FROM unnest(keeper.columns) AS c
              WHERE health_internal.names_things(c.type) AND c.name = coalesce(only_key, c.name)) AS k,
             (SELECT c AS field, CASE WHEN regexp_replace(c.words, '_?(id|uuid|key|nr)$', '') = ANY (called) THEN 1
                                      ELSE health_internal.draft_rank(reference_field, c.words) END AS rank
              FROM unnest(referrer.columns) AS c
              WHERE health_internal.names_things(c.type) AND c.name <> ALL (taken)) AS r
        WHERE (k.rank IS NOT NULL OR (k.field).is_key OR only_key IS NOT NULL)
            AND (r.rank IS NOT NULL OR NOT health_internal.is_number((r.field).type)
                 OR (r.field).words = (k.field).words AND (k.field).words <> 'id')
        ORDER BY is_foreign_key DESC, coalesce(r.rank, 9), NOT (k.field).is_key, coalesce(k.rank, 9) LIMIT 24
    LOOP
        IF pair.is_foreign_key THEN
            key := (pair.field).name;
            reference := (pair.referring).name;
            share := 1;
            RETURN;
        END IF;
        known := health_internal.known_share(keeper, pair.field, referrer, pair.referring);
        CONTINUE WHEN CASE WHEN pair.reference_rank = 9 THEN coalesce(known, 0) < 0.8 ELSE known < 0.1 END;
        points := 100 * coalesce(known, 0) - 5 * pair.reference_rank - 3 * pair.key_rank
            + CASE WHEN (pair.field).is_key THEN 10 ELSE 0 END;
        IF best IS NULL OR points > best THEN
            best := points;
            key := (pair.field).name;
            reference := (pair.referring).name;
            share := known;
        END IF;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_reference(health_internal.draft_table, text, text, health_internal.draft_table, text, text[]) IS
    'Which column of one table holds the ids of another, and which column of that these are: by foreign key, names and values. share: of '
    'the ids that were looked up, NULL when there were none';
