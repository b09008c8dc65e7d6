-- What is usual among numbers, and how far one is from it.

CREATE FUNCTION health_internal.place_among(value float8, peers float8[],
    OUT n bigint, OUT low float8, OUT median float8, OUT high float8, OUT percentile float8)
    AS 'MODULE_PATHNAME', 'health_place_among'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION health_internal.place_among(float8, float8[]) IS
    'How many peers there are, their quartiles, and the mid-rank of a value among them, 0 to 100 (NULL of fewer than two peers)';

CREATE FUNCTION health_internal.robust_line(x float8[], y float8[], OUT slope float8, OUT intercept float8, OUT distances float8[])
    AS 'MODULE_PATHNAME', 'health_robust_line'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION health_internal.robust_line(float8[], float8[]) IS
    'The line that most points follow, by the median of slopes (Theil, Sen), and how far each point lies above it, in 1.4826 median '
    'absolute deviations; NULL where these are 0';
