-- What customers answer in surveys: aggregates over answers, one row for each. Which of a person's answers count is the query's matter.

CREATE FUNCTION health_internal.opinions_combine(state bigint[], other bigint[]) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_opinions_combine'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.opinions_combine(bigint[], bigint[]) IS 'adds two transition states of nps, csat or ces';

CREATE FUNCTION health_internal.nps_add(state bigint[], answer float8) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_nps_add'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.nps_add(bigint[], float8) IS 'transition function of the aggregate nps';

CREATE FUNCTION health_internal.nps_result(state bigint[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_nps_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.nps_result(bigint[]) IS 'final function of the aggregate nps';

CREATE AGGREGATE health.nps(answer float8) (
    SFUNC = health_internal.nps_add, STYPE = bigint[], SSPACE = 48,
    FINALFUNC = health_internal.nps_result, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.opinions_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.nps(float8) IS
    'Net promoter score: 100 x (answers of 9 and 10 - answers of 0 to 6) / answers, -100 to 100; NULL is no answer, of no answers NULL. '
    'Error 22023 for what is no whole number from 0 to 10. Source: Reichheld 2003';

CREATE FUNCTION health_internal.csat_add(state bigint[], answer float8) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_csat_add'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.csat_add(bigint[], float8) IS 'transition function of the aggregate csat';

CREATE FUNCTION health_internal.csat_result(state bigint[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_csat_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.csat_result(bigint[]) IS 'final function of the aggregate csat';

CREATE AGGREGATE health.csat(answer float8) (
    SFUNC = health_internal.csat_add, STYPE = bigint[], SSPACE = 48,
    FINALFUNC = health_internal.csat_result, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.opinions_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.csat(float8) IS
    'Customer satisfaction, top two boxes of five: 100 x answers of 4 and 5 / answers, 0 to 100; NULL is no answer, of no answers NULL. '
    'Error 22023 for what is no whole number from 1 to 5';

CREATE FUNCTION health_internal.ces_add(state bigint[], answer float8) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_ces_add'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.ces_add(bigint[], float8) IS 'transition function of the aggregate ces';

CREATE FUNCTION health_internal.ces_result(state bigint[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_ces_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.ces_result(bigint[]) IS 'final function of the aggregate ces';

CREATE AGGREGATE health.ces(answer float8) (
    SFUNC = health_internal.ces_add, STYPE = bigint[], SSPACE = 48,
    FINALFUNC = health_internal.ces_result, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.opinions_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.ces(float8) IS
    'Customer effort score: mean of the answers, on their own scale; whether more is better is the wording of the survey. NULL is no '
    'answer, of no answers NULL. Error 22023 for NaN, infinity and beyond a million. Source: Dixon, Freeman and Toman 2010';
