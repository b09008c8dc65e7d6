-- The shape of a model document: what is wrong with it, and which values it needs from outside the ledger.

CREATE FUNCTION health.model_problems(doc jsonb, OUT path text, OUT problem text, OUT hint text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_model_problems'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500 ROWS 5;
COMMENT ON FUNCTION health.model_problems(jsonb) IS
    'everything that is wrong with the shape of a complete model document: path, problem and what would be right; no row when it is fine';

CREATE FUNCTION health.model_inputs(doc jsonb, OUT "position" int, OUT path text, OUT name text, OUT kind text, OUT source text,
                                    OUT optional boolean, OUT segment text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_model_inputs'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500 ROWS 5;
COMMENT ON FUNCTION health.model_inputs(jsonb) IS
    'the values that a model needs from outside the ledger, in the order in which score_account takes them: kind column, expression, '
    'query, pulse, or variant: the name of the variant that counts';

CREATE FUNCTION health_internal.model_bands(doc jsonb, OUT "position" int, OUT name text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_model_bands'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100 ROWS 4;
COMMENT ON FUNCTION health_internal.model_bands(jsonb) IS 'The bands of a model document, the best first';

-- Of a model with one or two bands the best is none.
CREATE FUNCTION health_internal.bands_at_risk(document jsonb) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(b.name), '{}')
    FROM (SELECT m.name FROM health_internal.model_bands(document) AS m ORDER BY m."position" OFFSET 1) AS b
    WHERE b.name IN (SELECT m.name FROM health_internal.model_bands(document) AS m ORDER BY m."position" DESC LIMIT 2);
$$;
COMMENT ON FUNCTION health_internal.bands_at_risk(jsonb) IS 'The bands of a model that are at risk: the two lowest, but never the best';

CREATE FUNCTION health_internal.is_at_risk(band text, state text, risky text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT (band = ANY (risky)) IS TRUE OR (state = 'silent') IS TRUE;
END;
COMMENT ON FUNCTION health_internal.is_at_risk(text, text, text[]) IS
    'Whether a customer is at risk: in one of the bands that are, or silent';

CREATE FUNCTION health_internal.source_fields(OUT "position" int, OUT kind text, OUT field text, OUT accepts text, OUT with_account boolean,
                                              OUT dated boolean) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_source_fields'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50 ROWS 20;
COMMENT ON FUNCTION health_internal.source_fields() IS
    'the kinds of sources with their fields: what each accepts (any, id, time, number, condition, zone), whether it needs the account of '
        'its source, '
    'and whether expressions of the source see as_of';

CREATE FUNCTION health_internal.same_scoring(a jsonb, b jsonb) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_same_scoring'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health_internal.same_scoring(jsonb, jsonb) IS
    'Whether two complete model documents score alike, once what both leave to the defaults is filled in';
