-- How long it takes, when for some it has not happened yet: Kaplan and Meier.

CREATE FUNCTION health_internal.survival_steps(times float8[], events boolean[], OUT "time" float8, OUT at_risk bigint,
    OUT events_then bigint, OUT censored bigint, OUT survival float8, OUT low float8, OUT high float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_survival_steps'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 100;
COMMENT ON FUNCTION health_internal.survival_steps(float8[], boolean[]) IS
    'The Kaplan-Meier estimate, a row for each time at which something happens; events: whether it happened then, or observation ended';

CREATE FUNCTION health_internal.survival_quantiles(times float8[], events boolean[], shares float8[], OUT share float8,
    OUT "time" float8, OUT low float8, OUT high float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_survival_quantiles'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 3;
COMMENT ON FUNCTION health_internal.survival_quantiles(float8[], boolean[], float8[]) IS
    'The times at which it has happened to these shares, by Kaplan and Meier, with their 95 % intervals; NULL: not reached';
