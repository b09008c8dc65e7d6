-- How good a list of the worst is, how good probabilities are, and whether bands are in order.

CREATE FUNCTION health_internal.top_k(risks float8[], outcomes boolean[], k bigint,
    OUT k_used bigint, OUT "precision" float8, OUT recall float8, OUT lift float8, OUT average_precision float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_top_k'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 1;
COMMENT ON FUNCTION health_internal.top_k(float8[], boolean[], bigint) IS
    'Of the k highest risks: precision, recall and lift, ties at the border by their expected value; and the average precision of all';

CREATE FUNCTION health_internal.probability_scores(probabilities float8[], outcomes boolean[],
    OUT brier float8, OUT skill float8, OUT log_loss float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_probability_scores'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION health_internal.probability_scores(float8[], boolean[]) IS 'Brier score, its skill against the base rate, and log-loss';

CREATE FUNCTION health_internal.calibration(probabilities float8[], outcomes boolean[], bins integer,
    OUT bin integer, OUT n bigint, OUT events bigint, OUT predicted float8, OUT observed float8, OUT low float8, OUT high float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_calibration'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION health_internal.calibration(float8[], boolean[], integer) IS
    'Predicted against observed rates, by quantiles of the prediction, with Wilson intervals';

CREATE FUNCTION health_internal.rate_inversions(events bigint[], counts bigint[], OUT first integer, OUT second integer, OUT p_value float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_rate_inversions'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION health_internal.rate_inversions(bigint[], bigint[]) IS
    'Of bands from the best to the worst: neighbours of which the better one has the higher rate, significantly (Fisher, Holm)';

CREATE FUNCTION health_internal.rate_interval(part bigint, whole bigint, OUT rate float8, OUT low float8, OUT high float8)
    AS 'MODULE_PATHNAME', 'health_rate_interval'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION health_internal.rate_interval(bigint, bigint) IS 'A share with its 95 % Wilson interval; NULL of nothing';

CREATE FUNCTION health_internal.compare_rates(first_events bigint, first_count bigint, second_events bigint, second_count bigint,
    OUT ratio float8, OUT ratio_low float8, OUT ratio_high float8, OUT difference float8, OUT difference_low float8,
    OUT difference_high float8, OUT is_adjusted boolean)
    AS 'MODULE_PATHNAME', 'health_compare_rates'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION health_internal.compare_rates(bigint, bigint, bigint, bigint) IS
    'Ratio and difference of two rates with their 95 % intervals (Katz, Newcombe); adjusted: a half was added, since a group has no event';
