-- What values of a type are to a model: their text, the same in every session and for equal values, and what is no id, number or group.

CREATE FUNCTION health_internal.number_text(number float8) RETURNS text
    AS 'MODULE_PATHNAME', 'health_number_text_float8'
    LANGUAGE C STRICT IMMUTABLE LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.number_text(float8) IS
    'A number as text, whatever extra_float_digits is: the shortest that is read as the same number, integers in full';

CREATE FUNCTION health_internal.number_text(number float4) RETURNS text
    AS 'MODULE_PATHNAME', 'health_number_text_float4'
    LANGUAGE C STRICT IMMUTABLE LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.number_text(float4) IS
    'A number as text, whatever extra_float_digits is: the shortest that is read as the same number, integers in full';

CREATE FUNCTION health_internal.type_category(type regtype) RETURNS "char"
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT t.typcategory FROM pg_catalog.pg_type AS t WHERE t.oid = type::pg_catalog.oid;
END;
COMMENT ON FUNCTION health_internal.type_category(regtype) IS 'Category of a type, as pg_type has it';

CREATE FUNCTION health_internal.is_citext(type regtype) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM pg_type AS t JOIN pg_depend AS d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
                   JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
                   WHERE t.oid = type::oid AND t.typname = 'citext' AND e.extname = 'citext');
$$;
COMMENT ON FUNCTION health_internal.is_citext(regtype) IS 'Whether a type is citext, whose values are equal in any case of their letters';

-- Character strings are given the collation of the database: it tells bytes apart, and strings of two collations meet in it.
CREATE FUNCTION health_internal.canonical_text(expression text, type regtype, zone text DEFAULT 'UTC') RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(CASE
        WHEN type IN ('float4'::regtype, 'float8'::regtype) THEN 'health_internal.number_text(%s)'
        WHEN type = 'numeric'::regtype THEN 'pg_catalog.trim_scale(%s)::pg_catalog.text'
        -- As JSON has them: the text of a date hangs on DateStyle.
        WHEN type IN ('date'::regtype, 'timestamp'::regtype) THEN '(pg_catalog.to_jsonb(%s) OPERATOR(pg_catalog.#>>) ''{}'')'
        WHEN type = 'timestamptz'::regtype THEN '(pg_catalog.to_jsonb(%s AT TIME ZONE %L) OPERATOR(pg_catalog.#>>) ''{}'')'
        WHEN health_internal.type_category(type) = 'S' THEN '(%s::pg_catalog.text COLLATE pg_catalog."default")'
        ELSE '%s::pg_catalog.text' END, expression, zone);
$$;
COMMENT ON FUNCTION health_internal.canonical_text(text, regtype, text) IS
    'SQL of a value as text that does not hang on settings of the session; times in the zone';

CREATE FUNCTION health_internal.id_family(type regtype) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 'bigint'
                WHEN type = 'uuid'::regtype THEN 'uuid' ELSE 'text' END;
$$;
COMMENT ON FUNCTION health_internal.id_family(regtype) IS 'How ids of a type are kept in a ledger: bigint, uuid or text';

CREATE TYPE health_internal.id_form AS (
    kind text,
    folded boolean
);
COMMENT ON TYPE health_internal.id_form IS
    'Internal: how the ids of all sources are compared: as bigint, uuid or text, folded to lower case';

-- One kind for all sources. In lower case where one of them takes capitals for small letters.
CREATE FUNCTION health_internal.shared_form(types regtype[]) RETURNS health_internal.id_form
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ROW(CASE WHEN count(DISTINCT health_internal.id_family(t)) = 1 THEN min(health_internal.id_family(t)) ELSE 'text' END,
               coalesce(bool_or(health_internal.is_citext(t)) OR count(DISTINCT health_internal.id_family(t)) > 1
                   AND bool_or(t = 'uuid'::regtype), false))::health_internal.id_form
    FROM unnest(types) AS t;
$$;
COMMENT ON FUNCTION health_internal.shared_form(regtype[]) IS 'The form in which ids of these types are compared';

CREATE FUNCTION health_internal.compile_key(expression text, type regtype, form health_internal.id_form) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN form.kind <> 'text' THEN expression
                WHEN form.folded AND health_internal.type_category(type) NOT IN ('N', 'B')
                    THEN format('pg_catalog.lower(%s::pg_catalog.text COLLATE pg_catalog."default")', expression)
                ELSE health_internal.canonical_text(expression, type) END;
$$;
COMMENT ON FUNCTION health_internal.compile_key(text, regtype, health_internal.id_form) IS
    'SQL of an id in the form in which ids are compared: equal ids of different types have equal keys';

-- What has no text that is the same in every session, or stands for no thing that could be named.
CREATE FUNCTION health_internal.is_nameless(type regtype) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.type_category(type) IN ('A', 'C', 'G', 'P', 'R', 'T')
        OR type IN ('money'::regtype, 'bytea'::regtype, 'json'::regtype, 'jsonb'::regtype, 'xml'::regtype, 'jsonpath'::regtype,
                    'tsvector'::regtype, 'tsquery'::regtype, 'pg_snapshot'::regtype, 'txid_snapshot'::regtype)
        OR type::oid IN (SELECT t.oid FROM pg_type AS t WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typname LIKE 'reg%');
$$;
COMMENT ON FUNCTION health_internal.is_nameless(regtype) IS 'Whether values of a type are no ids, names or groups';

CREATE FUNCTION health_internal.is_number(type regtype) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.type_category(type) = 'N' AND type <> 'money'::regtype
       AND (type = 'float8'::regtype
            OR EXISTS (SELECT FROM pg_cast AS c WHERE c.castsource = type::oid AND c.casttarget = 'float8'::regtype));
$$;
COMMENT ON FUNCTION health_internal.is_number(regtype) IS 'Whether values of a type are numbers that can be calculated with';
