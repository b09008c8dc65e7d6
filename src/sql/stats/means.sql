-- Means of two groups.

CREATE FUNCTION health_internal.compare_means(first float8[], second float8[],
    OUT first_mean float8, OUT second_mean float8, OUT difference float8, OUT low float8, OUT high float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_compare_means'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100 ROWS 1;
COMMENT ON FUNCTION health_internal.compare_means(float8[], float8[]) IS
    'Two means, their difference and its 95 % interval (Welch); NULL of no numbers, the interval of fewer than two';
