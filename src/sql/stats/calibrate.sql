-- From a score to a probability: the map is made once and kept as numbers.

CREATE FUNCTION health_internal.calibrate_scores(scores float8[], outcomes boolean[], accounts bigint[], rises boolean, method text,
    OUT method_used text, OUT map float8[], OUT out_of_fold float8[])
    AS 'MODULE_PATHNAME', 'health_calibrate_scores'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION health_internal.calibrate_scores(float8[], boolean[], bigint[], boolean, text) IS
    'The map from scores to probabilities, isotonic or platt (any other method: the one with the lower Brier score out of fold), which '
    'rises or falls with the score, and the probability of each row by a map of the other accounts. NULL when a class comes from too '
    'few accounts';

CREATE FUNCTION health_internal.calibrated(map float8[], score float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_calibrated'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.calibrated(float8[], float8) IS
    'The probability that goes with a score. A map of two rows has scores, ascending, and their probabilities: straight lines between, '
    'level outside. One of two numbers is slope and intercept of 1 / (1 + exp(slope x score + intercept))';
