-- Probabilities in compiled SQL: made of the score when it is read, so that a calibration costs a refresh nothing.

CREATE FUNCTION health_internal.probability_columns(OUT kind text, OUT column_name text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 2
BEGIN ATOMIC
    SELECT k.kind, k.column_name
    FROM (VALUES ('churn', 'churn_probability'), ('expansion', 'expansion_likelihood')) AS k (kind, column_name);
END;
COMMENT ON FUNCTION health_internal.probability_columns() IS 'The kinds of calibrations, with the column of score views that each fills';

-- Plain views run as their readers, who do not see the catalog. A map as text has all its digits.
CREATE FUNCTION health_internal.compile_probabilities(version health_internal.model_version, as_literals boolean, score text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 3
AS $$
    SELECT string_agg(format('health_internal.calibrated(%s, %s) AS %s',
               CASE WHEN as_literals THEN
                        coalesce(quote_literal((health_internal.find_calibration(version.model, version.version, k.kind)).map::text),
                                 'NULL') || '::pg_catalog.float8[]'
                    ELSE format('(SELECT (health_internal.find_calibration(%L, %s, %L)).map)', version.model, version.version, k.kind) END,
               score, k.column_name), ', ' ORDER BY k.column_name)
    FROM health_internal.probability_columns() AS k;
$$;
COMMENT ON FUNCTION health_internal.compile_probabilities(health_internal.model_version, boolean, text) IS
    'SQL of the two columns of probabilities, of SQL of a score: by the present calibration as a literal, or by the one that the catalog '
    'has when it runs as the owner of the model';

CREATE FUNCTION health_internal.describe_probability(model_name text, version integer, column_name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN c.map IS NULL
        THEN format('Probability of %s; NULL: not calibrated. health.calibrate(%L, kind => %L) makes it of the scores of this version',
                    k.kind, model_name, k.kind)
        ELSE format('Probability of %s (the outcome "%s") in the days %s to %s after as_of, by %s calibration of the score on %s to %s; '
                    'NULL: no score', k.kind, c.outcome, c.gap + 1, c.gap + c.horizon, c.method, to_char(c.from_date, 'YYYY-MM-DD'),
                    to_char(c.to_date, 'YYYY-MM-DD')) END
    FROM health_internal.probability_columns() AS k
    LEFT JOIN LATERAL health_internal.find_calibration(model_name, version, k.kind) AS c ON true
    WHERE k.column_name = describe_probability.column_name;
$$;
COMMENT ON FUNCTION health_internal.describe_probability(text, integer, text) IS
    'The comment on a column of probabilities, with outcome and horizon; NULL of any other column';
