-- How recurring revenue moved between two points in time: aggregates over one row for each customer.
--
-- Amounts are kept to 10^-6 and summed exactly, so serial, parallel and distributed plans agree to the bit. nrr, grr and logo_churn of one
-- query share their state.

CREATE TYPE health.mrr_bridge_record AS (
    mrr_start float8,
    customers_start bigint,
    new_mrr float8,
    new_customers bigint,
    expansion float8,
    expanded_customers bigint,
    contraction float8,
    contracted_customers bigint,
    churn float8,
    lost_customers bigint,
    reactivation float8,
    reactivated_customers bigint,
    mrr_end float8,
    customers_end bigint,
    nrr float8,
    grr float8,
    logo_churn float8,
    arpa float8
);
COMMENT ON TYPE health.mrr_bridge_record IS
    'how recurring revenue came from its start to its end, in its own unit, and what is read from that';
COMMENT ON COLUMN health.mrr_bridge_record.mrr_start IS 'recurring revenue at the start';
COMMENT ON COLUMN health.mrr_bridge_record.customers_start IS 'customers who paid at the start: the cohort of the ratios';
COMMENT ON COLUMN health.mrr_bridge_record.new_mrr IS 'of customers who never had revenue before';
COMMENT ON COLUMN health.mrr_bridge_record.new_customers IS 'how many they are';
COMMENT ON COLUMN health.mrr_bridge_record.expansion IS 'what customers of the start pay more';
COMMENT ON COLUMN health.mrr_bridge_record.expanded_customers IS 'how many they are';
COMMENT ON COLUMN health.mrr_bridge_record.contraction IS 'what customers of the start pay less, those who left aside; above 0';
COMMENT ON COLUMN health.mrr_bridge_record.contracted_customers IS 'how many they are';
COMMENT ON COLUMN health.mrr_bridge_record.churn IS 'of customers of the start who pay nothing at the end; above 0';
COMMENT ON COLUMN health.mrr_bridge_record.lost_customers IS 'how many they are';
COMMENT ON COLUMN health.mrr_bridge_record.reactivation IS 'of customers who had no revenue at the start, but some time before';
COMMENT ON COLUMN health.mrr_bridge_record.reactivated_customers IS 'how many they are';
COMMENT ON COLUMN health.mrr_bridge_record.mrr_end IS 'mrr_start + new_mrr + expansion - contraction - churn + reactivation';
COMMENT ON COLUMN health.mrr_bridge_record.customers_end IS 'customers who pay at the end';
COMMENT ON COLUMN health.mrr_bridge_record.nrr IS
    'net revenue retention: (mrr_start + expansion - contraction - churn) / mrr_start; NULL when mrr_start is 0';
COMMENT ON COLUMN health.mrr_bridge_record.grr IS
    'gross revenue retention: (mrr_start - contraction - churn) / mrr_start, at most 1; NULL when mrr_start is 0';
COMMENT ON COLUMN health.mrr_bridge_record.logo_churn IS 'lost_customers / customers_start; NULL when there are none';
COMMENT ON COLUMN health.mrr_bridge_record.arpa IS 'mrr_end / customers_end: average revenue per account; NULL when nobody pays';

CREATE FUNCTION health_internal.mrr_bridge_add(state bigint[], mrr_start float8, mrr_end float8) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_mrr_bridge_add'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.mrr_bridge_add(bigint[], float8, float8) IS 'transition function of nrr, grr and logo_churn';

CREATE FUNCTION health_internal.mrr_bridge_add(state bigint[], mrr_start float8, mrr_end float8, had_before boolean) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_mrr_bridge_add'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.mrr_bridge_add(bigint[], float8, float8, boolean) IS 'transition function of mrr_bridge';

CREATE FUNCTION health_internal.mrr_bridge_combine(state bigint[], other bigint[]) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_mrr_bridge_combine'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.mrr_bridge_combine(bigint[], bigint[]) IS
    'adds two transition states of nrr, grr, logo_churn and mrr_bridge';

CREATE FUNCTION health_internal.nrr_result(state bigint[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_nrr_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.nrr_result(bigint[]) IS 'final function of the aggregate nrr';

CREATE AGGREGATE health.nrr(mrr_start float8, mrr_end float8) (
    SFUNC = health_internal.mrr_bridge_add, STYPE = bigint[], SSPACE = 200,
    FINALFUNC = health_internal.nrr_result, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.mrr_bridge_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.nrr(float8, float8) IS
    'Net revenue retention of the customers who paid at the start (a closed cohort; one row for each customer): their revenue at the end '
    '/ at the start. NULL when that is 0. NULL is no revenue: 0. Error 22023 for NaN, infinity and amounts below 0, 22003 from 9.2e12 on';

CREATE FUNCTION health_internal.grr_result(state bigint[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_grr_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.grr_result(bigint[]) IS 'final function of the aggregate grr';

CREATE AGGREGATE health.grr(mrr_start float8, mrr_end float8) (
    SFUNC = health_internal.mrr_bridge_add, STYPE = bigint[], SSPACE = 200,
    FINALFUNC = health_internal.grr_result, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.mrr_bridge_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.grr(float8, float8) IS
    'Gross revenue retention of the customers who paid at the start (one row for each): sum of the lesser of both amounts / revenue at '
    'the start, 0 to 1. NULL when that is 0. NULL is no revenue: 0. Error 22023 for NaN, infinity and amounts below 0, 22003 from 9.2e12 '
    'on';

CREATE FUNCTION health_internal.logo_churn_result(state bigint[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_logo_churn_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.logo_churn_result(bigint[]) IS 'final function of the aggregate logo_churn';

CREATE AGGREGATE health.logo_churn(mrr_start float8, mrr_end float8) (
    SFUNC = health_internal.mrr_bridge_add, STYPE = bigint[], SSPACE = 200,
    FINALFUNC = health_internal.logo_churn_result, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.mrr_bridge_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.logo_churn(float8, float8) IS
    'Customers who paid at the start and pay nothing at the end / customers who paid at the start (one row for each), 0 to 1. NULL when '
    'there are none. NULL is no revenue: 0. Error 22023 for NaN, infinity and amounts below 0, 22003 from 9.2e12 on';

CREATE FUNCTION health_internal.mrr_bridge_result(state bigint[]) RETURNS health.mrr_bridge_record
    AS 'MODULE_PATHNAME', 'health_mrr_bridge_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.mrr_bridge_result(bigint[]) IS 'final function of the aggregate mrr_bridge';

CREATE AGGREGATE health.mrr_bridge(mrr_start float8, mrr_end float8, had_before boolean) (
    SFUNC = health_internal.mrr_bridge_add, STYPE = bigint[], SSPACE = 200,
    FINALFUNC = health_internal.mrr_bridge_result, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.mrr_bridge_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.mrr_bridge(float8, float8, boolean) IS
    'How recurring revenue came from the start to the end (one row for each customer): sums and customers of each movement, retention, '
    'churn, ARPA. had_before: had revenue at some time before the start; NULL is false. NULL is no revenue: 0. Error 22023 for NaN, '
    'infinity and amounts below 0, 22003 from 9.2e12 on';

CREATE FUNCTION health.mrr_movement(mrr_before float8, mrr_after float8, had_before boolean) RETURNS text
    AS 'MODULE_PATHNAME', 'health_mrr_movement'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health.mrr_movement(float8, float8, boolean) IS
    'What became of a customer''s recurring revenue: new, expansion, contraction, churn, reactivation (had_before: had revenue at some '
    'time before mrr_before; NULL is false); NULL for no change of 10^-6. NULL is no revenue. Error 22023 for NaN, infinity and amounts '
    'below 0, 22003 from 9.2e12 on';

CREATE FUNCTION health.annual_churn(monthly_churn float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_annual_churn'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health.annual_churn(float8) IS
    'The share that a year loses when each month loses monthly_churn of what is left: 1 - (1 - monthly_churn)^12. Error 22023 outside '
    '0..1';

CREATE FUNCTION health.clv(arpa float8, gross_margin float8, churn_rate float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_clv'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health.clv(float8, float8, float8) IS
    'Customer lifetime value: arpa x gross_margin / churn_rate, arpa and churn of the same period; NULL when churn is 0. Error 22023 for '
    'an arpa below 0, a margin above 1, churn outside 0..1, and what is not finite';
