-- Flags in a document: which ready-made ones there are, and what a document says of them in full.

CREATE FUNCTION health_internal.ready_flag_table(OUT flag text, OUT rule text, OUT needs text, OUT definition text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_ready_flag_table'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50 ROWS 40;
COMMENT ON FUNCTION health_internal.ready_flag_table() IS 'The table of ready-made flags, as the core has it';

CREATE FUNCTION health.ready_flags(OUT flag text, OUT rule text, OUT needs text, OUT definition jsonb) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 40
BEGIN ATOMIC
    SELECT t.flag, t.rule, t.needs, t.definition::pg_catalog.jsonb FROM health_internal.ready_flag_table() AS t;
END;
COMMENT ON FUNCTION health.ready_flags() IS
    'The ready-made flags: name, rule, what it needs of the model (NULL: nothing beside usage), and the flag as a document would say it; '
    'either lists ways of which the first is taken that the model has the data for';

CREATE FUNCTION health_internal.spelled_flags(doc jsonb, OUT name text, OUT flag text, OUT lacks text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_spelled_flags'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION health_internal.spelled_flags(jsonb) IS
    'The flags of a complete document, each with all that it says, as JSON, or with what it lacks to be told';

CREATE FUNCTION health_internal.spell_out_flags(document jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN NOT document ? 'flags' THEN document
        WHEN f.flags IS NULL THEN document - 'flags' ELSE document || jsonb_build_object('flags', f.flags) END
    FROM (SELECT jsonb_object_agg(s.name, s.flag::jsonb) FILTER (WHERE s.flag IS NOT NULL) AS flags
          FROM health_internal.spelled_flags(CASE WHEN document ? 'flags' THEN document END) AS s) AS f;
$$;
COMMENT ON FUNCTION health_internal.spell_out_flags(jsonb) IS
    'The document with its flags spelled out; those that are off, or optional and lack something, are gone';

CREATE FUNCTION health_internal.notice_flags_left_out(model_name text, definition jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := health_internal.expand_preset(definition);
    lacking text;
BEGIN
    IF document ? 'flags' THEN
        SELECT string_agg(s.name, ', ') INTO lacking FROM health_internal.spelled_flags(document) AS s
        WHERE s.lacks IS NOT NULL AND document -> 'flags' ? s.name;
        IF lacking IS NOT NULL THEN
            RAISE NOTICE 'model "%": flags are left out that lack something: %', model_name, lacking
                USING HINT = 'SELECT * FROM health.ready_flags() tells what each needs.';
        END IF;
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.notice_flags_left_out(text, jsonb) IS
    'Tells which flags of the preset of a definition are left out because they lack something';
