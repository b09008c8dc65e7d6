-- Which numbers go together: all pairs of many columns at once.

CREATE FUNCTION health_internal.correlate_columns(numbers float8[], columns integer, figure integer, at_least bigint,
    OUT first integer, OUT second integer, OUT unpaired text, OUT differing bigint, OUT n bigint,
    OUT pearson float8, OUT pearson_low float8, OUT pearson_high float8,
    OUT spearman float8, OUT spearman_low float8, OUT spearman_high float8, OUT p_value float8, OUT significant boolean,
    OUT looked_at bigint) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_correlate_columns'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100000 ROWS 1000;
COMMENT ON FUNCTION health_internal.correlate_columns(float8[], integer, integer, bigint) IS
    'Pearson''s r and Spearman''s rho of all pairs of columns of rows of numbers (NaN: unknown), or of those with one column, with 95 % '
    'intervals, the largest first; significant after Benjamini and Hochberg over the pairs that were looked at. Then columns with the '
    'values of another, and those that are left out: known in few rows, or constant';
