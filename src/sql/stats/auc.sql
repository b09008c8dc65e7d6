-- How well a score ranks: the aggregate auc(), and its like over arrays.
--
-- The state is exact (all pairs), so that serial, parallel and distributed plans agree.

CREATE FUNCTION health_internal.auc_add(state float8[], score float8, outcome boolean) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'health_auc_add'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.auc_add(float8[], float8, boolean) IS 'transition function of the aggregate auc';

CREATE FUNCTION health_internal.auc_combine(state float8[], other float8[]) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'health_auc_combine'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.auc_combine(float8[], float8[]) IS 'combine function of the aggregate auc';

CREATE FUNCTION health_internal.auc_result(state float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_auc_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION health_internal.auc_result(float8[]) IS 'final function of the aggregate auc';

CREATE AGGREGATE health.auc(score float8, outcome boolean) (
    SFUNC = health_internal.auc_add, STYPE = float8[], SSPACE = 1024,
    FINALFUNC = health_internal.auc_result, COMBINEFUNC = health_internal.auc_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.auc(float8, boolean) IS
    'Area under the ROC curve: how often a row with the outcome has the higher score than one without, ties counting half, 0 to 1. A high '
    'score means that the outcome is likely: of health give 100 - score. NULL when there are rows of one class only; rows with NULL are '
    'skipped. Error 22023 for NaN. Source: Bamber 1975';

CREATE FUNCTION health_internal.auc_interval(risks float8[], outcomes boolean[], clusters bigint[],
    OUT auc float8, OUT low float8, OUT high float8, OUT standard_error float8, OUT positives bigint, OUT negatives bigint)
    AS 'MODULE_PATHNAME', 'health_auc_interval'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION health_internal.auc_interval(float8[], boolean[], bigint[]) IS
    'AUC with its 95 % interval: DeLong 1988, by clusters Obuchowski 1997';

CREATE FUNCTION health_internal.auc_difference(first float8[], second float8[], outcomes boolean[], clusters bigint[],
    OUT difference float8, OUT low float8, OUT high float8, OUT p_value float8)
    AS 'MODULE_PATHNAME', 'health_auc_difference'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 20000;
COMMENT ON FUNCTION health_internal.auc_difference(float8[], float8[], boolean[], bigint[]) IS
    'How much better the first score ranks than the second, on the same rows, with its 95 % interval (paired, by clusters)';

CREATE FUNCTION health_internal.auc_beside(first float8[], others float8[], outcomes boolean[], clusters bigint[],
    OUT "position" integer, OUT auc float8, OUT low float8, OUT high float8, OUT difference float8, OUT difference_low float8,
    OUT difference_high float8, OUT p_value float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_auc_beside'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 30000 ROWS 3;
COMMENT ON FUNCTION health_internal.auc_beside(float8[], float8[], boolean[], bigint[]) IS
    'AUC of a score (position 1) and of others, one after the other in their array, each with how much better the first ranks, and 95 % '
    'intervals (by clusters, the differences paired)';

-- Fewer than ten with, or without, the outcome: an interval, and no figure.
CREATE FUNCTION health_internal.are_enough(events bigint, observations bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT least(events, observations - events) >= 10;
END;
COMMENT ON FUNCTION health_internal.are_enough(bigint, bigint) IS
    'Whether so many observations with the outcome, of so many in all, are enough to say a figure';
