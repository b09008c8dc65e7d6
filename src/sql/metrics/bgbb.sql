-- The parameters of cadence_recency: the BG/BB model (Fader, Hardie and Shang 2010), fitted to the weeks of accounts.
-- Its state is an integer[] with room to grow: src/pg/bgbb.cpp.

CREATE FUNCTION health_internal.fit_bgbb_transition(state integer[], usage health.usage, as_of date)
    RETURNS integer[]
    AS 'MODULE_PATHNAME', 'health_fit_bgbb_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health_internal.fit_bgbb_transition(integer[], health.usage, date) IS 'transition function of fit_bgbb';

CREATE FUNCTION health_internal.fit_bgbb_options_transition(state integer[], usage health.usage, as_of date, catalog jsonb,
    events text[], actor text)
    RETURNS integer[]
    AS 'MODULE_PATHNAME', 'health_fit_bgbb_options_transition'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health_internal.fit_bgbb_options_transition(integer[], health.usage, date, jsonb, text[], text) IS
    'transition function of fit_bgbb with options';

CREATE FUNCTION health_internal.fit_bgbb_combine(a integer[], b integer[])
    RETURNS integer[]
    AS 'MODULE_PATHNAME', 'health_fit_bgbb_combine'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.fit_bgbb_combine(integer[], integer[]) IS 'joins two transition states of fit_bgbb';

CREATE FUNCTION health_internal.fit_bgbb_final(state integer[])
    RETURNS float8[]
    AS 'MODULE_PATHNAME', 'health_fit_bgbb_final'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION health_internal.fit_bgbb_final(integer[]) IS 'final function of fit_bgbb';

CREATE AGGREGATE health.fit_bgbb(usage health.usage, as_of date) (
    SFUNC = health_internal.fit_bgbb_transition,
    STYPE = integer[],
    SSPACE = 65536,
    FINALFUNC = health_internal.fit_bgbb_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.fit_bgbb_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.fit_bgbb(health.usage, date) IS
    'the parameters alpha, beta, gamma, delta for cadence_recency, of greatest likelihood for the weeks of these accounts before as_of '
    '(BG/BB, Fader, Hardie and Shang 2010); accounts that were never active are skipped; NULL of fewer than 10 accounts with a week after '
    'their first active one, and where nothing tells accounts apart: no third week, nobody ever active again, everybody always';

CREATE AGGREGATE health.fit_bgbb(usage health.usage, as_of date, catalog jsonb, events text[], actor text) (
    SFUNC = health_internal.fit_bgbb_options_transition,
    STYPE = integer[],
    SSPACE = 65536,
    FINALFUNC = health_internal.fit_bgbb_final,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = health_internal.fit_bgbb_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE health.fit_bgbb(health.usage, date, jsonb, text[], text) IS
    'the same for the events that catalog, events and actor choose, as in cadence_recency';

CREATE FUNCTION health_internal.fit_weeks(weeks integer[], OUT parameters float8[], OUT accounts bigint, OUT reason text)
    AS 'MODULE_PATHNAME', 'health_fit_weeks'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION health_internal.fit_weeks(integer[]) IS
    'fit_bgbb of weeks that are counted already: for each account how many were active, which was the last of them, and all; reason: why '
    'there are no parameters';
