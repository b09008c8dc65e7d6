-- Normalisers: from a raw value to a score between 0 and 100.

CREATE FUNCTION health.normalize(value float8, spec jsonb) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_normalize'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION health.normalize(float8, jsonb) IS
    'score of a number between 0 and 100 by a normaliser such as {"kind": "linear", "worst": 7, "best": 30}; NULL when unknown';

CREATE FUNCTION health.normalize(value text, spec jsonb) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_normalize_text'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION health.normalize(text, jsonb) IS
    'score of a category (or a number as text) between 0 and 100 by a normaliser such as {"kind": "map", "map": {"pro": 80}}; NULL when '
        'unknown';

CREATE FUNCTION health.nearest_name(name text, candidates text[]) RETURNS text
    AS 'MODULE_PATHNAME', 'health_nearest_name'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION health.nearest_name(text, text[]) IS
    'the candidate that a mistyped name most likely meant; NULL when none is near';
