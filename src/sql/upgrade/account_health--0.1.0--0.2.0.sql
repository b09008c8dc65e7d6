-- From 0.1.0 to 0.2.0: facts, revenue, and what is asked of whole books. See test/upgrade/README.md.

CREATE FUNCTION health_internal.is_fact_path(path text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT path ~ '^facts\.';
END;

COMMENT ON FUNCTION health_internal.is_fact_path(text) IS 'Whether a source, or a stream of one, is of facts, by its path';

CREATE FUNCTION health_internal.all_days_start() RETURNS date
    AS 'MODULE_PATHNAME', 'health_all_days_start'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION health_internal.all_days_start() IS 'The first day of the one period of what is not cut into quarters';

-- Facts are few and all of them are asked for again: the quarters of an account would be as many rows as it has facts.
CREATE FUNCTION health_internal.chunk_period(path text, day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN health_internal.is_fact_path(path) AND isfinite(day) THEN health_internal.all_days_start()
        ELSE health_internal.period_start(day) END;
END;

COMMENT ON FUNCTION health_internal.chunk_period(text, date) IS
    'The first day of the period of a chunk of a source that a day is in: of facts there is but one; infinities stay as they are';

CREATE FUNCTION health_internal.compare_rates(first_events bigint, first_count bigint, second_events bigint, second_count bigint,
    OUT ratio float8, OUT ratio_low float8, OUT ratio_high float8, OUT difference float8, OUT difference_low float8,
    OUT difference_high float8, OUT is_adjusted boolean)
    AS 'MODULE_PATHNAME', 'health_compare_rates'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION health_internal.compare_rates(bigint, bigint, bigint, bigint) IS
    'Ratio and difference of two rates with their 95 % intervals (Katz, Newcombe); adjusted: a half was added, since a group has no event';

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

-- Means of two groups.

CREATE FUNCTION health_internal.compare_means(first float8[], second float8[],
    OUT first_mean float8, OUT second_mean float8, OUT difference float8, OUT low float8, OUT high float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_compare_means'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100 ROWS 1;

COMMENT ON FUNCTION health_internal.compare_means(float8[], float8[]) IS
    'Two means, their difference and its 95 % interval (Welch); NULL of no numbers, the interval of fewer than two';

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

-- What is usual among numbers, and how far one is from it.

CREATE FUNCTION health_internal.place_among(value float8, peers float8[],
    OUT n bigint, OUT low float8, OUT median float8, OUT high float8, OUT percentile float8)
    AS 'MODULE_PATHNAME', 'health_place_among'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION health_internal.place_among(float8, float8[]) IS
    'How many peers there are, their quartiles, and the mid-rank of a value among them, 0 to 100 (NULL of fewer than two peers)';

CREATE FUNCTION health_internal.robust_line(x float8[], y float8[], OUT slope float8, OUT intercept float8, OUT distances float8[])
    AS 'MODULE_PATHNAME', 'health_robust_line'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100000;

COMMENT ON FUNCTION health_internal.robust_line(float8[], float8[]) IS
    'The line that most points follow, by the median of slopes (Theil, Sen), and how far each point lies above it, in 1.4826 median '
    'absolute deviations; NULL where these are 0';

-- The people of an account: what each did, and how each stands.

CREATE FUNCTION health_internal.account_users(model jsonb, account health.account_state, OUT user_id text, OUT standing text,
    OUT entitled boolean, OUT events bigint, OUT value_points float8, OUT share float8, OUT active_days integer, OUT recency_days integer,
    OUT baseline float8, OUT first_day date, OUT last_day date)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_account_users'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2000 ROWS 20;

COMMENT ON FUNCTION health_internal.account_users(jsonb, health.account_state) IS
    'Whoever belonged to an account, was invited to it or seen in it before the day, by id, with the settings of the model';

-- Medians say the same of any number of accounts in any order, so that a refresh of some of them finds what one of all does. OFFSET 0:
-- values are taken out of their composite once for all signals.
CREATE OR REPLACE FUNCTION
    health_internal.compile_book_changes(document jsonb, accounts text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT ARRAY[%s]::pg_catalog.float8[] AS changes FROM (SELECT CASE WHEN pg_catalog.strpos(''peofnsk'', '
                  '(a."$signals").state::pg_catalog.text) = 0 THEN (a."$signals").raw END AS raw FROM %s AS a OFFSET 0) AS x',
                  string_agg(CASE WHEN r.is_relative THEN format('CASE WHEN pg_catalog.count(x.raw[%1$s]) >= 10 THEN '
                      'pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY x.raw[%1$s]) END', r.number) ELSE 'NULL' END, ', '
                      ORDER BY r.number), accounts)
    FROM unnest(health_internal.relative_signals(document)) WITH ORDINALITY AS r (is_relative, number)
    HAVING bool_or(r.is_relative);
$$;

COMMENT ON FUNCTION health.model_inputs(jsonb) IS
    'the values that a model needs from outside the ledger, in the order in which score_account takes them: kind column, expression, '
    'query, pulse, or variant: the name of the variant that counts';

-- Of a model with one or two bands the best is none.
CREATE FUNCTION health_internal.bands_at_risk(document jsonb) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(b.name), '{}')
    FROM (SELECT m.name FROM health_internal.model_bands(document) AS m ORDER BY m."position" OFFSET 1) AS b
    WHERE b.name IN (SELECT m.name FROM health_internal.model_bands(document) AS m ORDER BY m."position" DESC LIMIT 2);
$$;

COMMENT ON FUNCTION health_internal.bands_at_risk(jsonb) IS 'The bands of a model that are at risk: the two lowest, but never the best';

CREATE FUNCTION health_internal.is_at_risk(band text, state text, risky text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT (band = ANY (risky)) IS TRUE OR (state = 'silent') IS TRUE;
END;

COMMENT ON FUNCTION health_internal.is_at_risk(text, text, text[]) IS
    'Whether a customer is at risk: in one of the bands that are, or silent';

COMMENT ON COLUMN health_internal.score_view_table.schema_name IS 'Schema of the relations';

COMMENT ON COLUMN health_internal.score_view_table.view_name IS
    'Name of the account view; the others add _ledger, _signals, _history and _users';

-- Preset renewal_risk: how safe the next renewal is. Weights: docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (5, 'renewal_risk',
'How safe the next renewal is: 0.5 health (regularity, users, trend) + 0.3 days to the renewal + 0.2 dependence on one person; every event '
    'counts. Optional account column: renewal_date. Brings the flags about renewals and falling usage; those about subscriptions and '
    'tickets where the model has these facts.',
$json${
  "description": "How safe the next renewal of each account is: 100 is safe.",
  "minimum_age_days": 14,
  "minimum_coverage": 0.4,
  "unlisted_events": "count",
  "silence": {"next_step": "Nobody uses it and a renewal will come: speak to who signed."},
  "signals": [
    {"name": "health", "label": "Health", "weight": 0.5, "signals": [
      {"name": "last_seen", "label": "Days since anybody was active", "weight": 0.3, "metric": "recency_days",
       "normalize": {"kind": "recency", "half_life_days": 14},
       "next_step": {"low": {"text": "Two weeks without anybody: find out who still has a use for it.", "at_least": 14}}},
      {"name": "active_share", "label": "Active users", "weight": 0.3, "metric": "activation_rate", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0, "best": 0.8},
       "next_step": {"low": {"text": "Under 60 % active: offer a session before the renewal.", "below": 0.6}}},
      {"name": "trend", "label": "Trend", "weight": 0.4, "metric": "trend_4w", "shrink": 20,
       "normalize": {"kind": "piecewise", "points": [[-0.5, 0], [-0.15, 40], [0, 75], [0.25, 100]]},
       "next_step": {"low": {"text": "Down 15 % or more: ask what changed before they ask for the price.", "at_most": -0.15}}}
    ]},
    {"name": "renewal", "label": "Days to renewal", "weight": 0.3, "expression": "renewal_date::date - as_of", "optional": true,
     "normalize": {"kind": "steps", "below": 10, "steps": [{"from": 0, "score": 25}, {"from": 31, "score": 50}, {"from": 61, "score": 75},
                                                            {"from": 91, "score": 100}]},
     "next_step": {"low": {"text": "Renewal within 30 days: agree on the terms now.", "at_least": 0, "at_most": 30}}},
    {"name": "one_person", "label": "Busiest user's share", "weight": 0.2, "metric": "power_user_dependency", "shrink": 3,
     "normalize": {"kind": "linear", "worst": 0.8, "best": 0.25},
     "next_step": {"low": {"text": "Win a second champion before the first one leaves.", "at_least": 0.6}}}
  ],
  "flags": {
    "trend_down": true, "users_down": true, "dipping": true, "few_active": true, "one_person": true, "power_user_quiet": true,
    "power_user_left": {"optional": true}, "renewal_30": {"optional": true}, "renewal_60": {"optional": true},
    "renewal_90": {"optional": true}, "renewal_past": {"optional": true}, "users_dip_before_renewal": {"optional": true},
    "tickets_spike": {"optional": true}, "arpu_dip": {"optional": true}
  }
}$json$);

-- Preset expansion_signal: who is ready for more. Weights: docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (6, 'expansion_signal',
'Who is ready for more: 0.5 engagement (active users, days they come, several people) + 0.3 growth + 0.2 seats in use; every event counts. '
    'Brings the flags about expansion; those about seats, features, requests and feedback where the model has them.',
$json${
  "description": "How ready each account is for more: seats, features, another team.",
  "minimum_age_days": 14,
  "minimum_coverage": 0.4,
  "unlisted_events": "count",
  "bands": [{"name": "ready", "from": 75}, {"name": "warming_up", "from": 50}, {"name": "not_now"}],
  "signals": [
    {"name": "engagement", "label": "Engagement", "weight": 0.5, "signals": [
      {"name": "active_share", "label": "Active users", "weight": 0.4, "metric": "activation_rate", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0.3, "best": 0.9},
       "next_step": {"high": {"text": "Over 80 % active: show what the next plan adds.", "above": 0.8}}},
      {"name": "days_used", "label": "Active users on an average day", "weight": 0.3, "metric": "stickiness", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0.05, "best": 0.4}},
      {"name": "people", "label": "People who carry the usage", "weight": 0.3, "metric": "effective_users",
       "normalize": {"kind": "linear", "worst": 1, "best": 5},
       "next_step": {"high": {"text": "Several people carry it: map who decides.", "at_least": 3}}}
    ]},
    {"name": "growth", "label": "Growth", "weight": 0.3, "signals": [
      {"name": "trend", "label": "Trend", "weight": 0.5, "metric": "trend_4w", "shrink": 20,
       "normalize": {"kind": "linear", "worst": -0.25, "best": 0.25}},
      {"name": "users", "label": "Trend of active users", "weight": 0.5, "metric": "trend_4w_users", "shrink": 20,
       "normalize": {"kind": "linear", "worst": -0.25, "best": 0.25},
       "next_step": {"high": {"text": "More people come: ask which team is next.", "at_least": 0.1}}}
    ]},
    {"name": "seats", "label": "Seats in use", "weight": 0.2, "metric": "adoption_rate", "shrink": 3,
     "normalize": {"kind": "linear", "worst": 0.4, "best": 0.95},
     "next_step": {"high": {"text": "Nearly all seats are in use: offer more.", "at_least": 0.9}}}
  ],
  "flags": {
    "many_active": true, "growing_users": true, "high_engagement": true, "stakeholders": true, "peaking": true, "high_and_rising": true,
    "trial_ready": true, "seats_full": {"optional": true}, "features_full": true, "advanced_requests": {"optional": true},
    "positive_feedback": {"optional": true}, "referrals": {"optional": true}
  }
}$json$);

-- From the document as written to the complete document: presets spelled out, keys that are null removed.

CREATE OR REPLACE FUNCTION
    health_internal.merge_document(base jsonb, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    merged jsonb := base || changes;
    part text;
    entry text;
BEGIN
    FOREACH part IN ARRAY ARRAY['catalog', 'onboarding', 'history', 'facts', 'flags'] LOOP
        IF jsonb_typeof(base -> part) = 'object' AND jsonb_typeof(changes -> part) = 'object' THEN
            merged := jsonb_set(merged, ARRAY[part], (base -> part) || (changes -> part));
            FOR entry IN SELECT e.key FROM jsonb_each(merged -> part) AS e WHERE e.value = 'null' LOOP
                merged := merged #- ARRAY[part, entry];
            END LOOP;
        END IF;
    END LOOP;
    FOR entry IN SELECT e.key FROM jsonb_each(merged) AS e WHERE e.value = 'null' LOOP
        merged := merged - entry;
    END LOOP;
    RETURN merged;
END;
$$;

COMMENT ON FUNCTION health_internal.merge_document(jsonb, jsonb) IS
    'Lays a document over a base: top-level keys replace, catalog, onboarding, history, facts and flags merge by key, null removes';

-- A source is an object, or one of several in an array.
CREATE OR REPLACE FUNCTION
    health_internal.sources(document jsonb, OUT kind text, OUT path text, OUT place text[], OUT source jsonb)
    RETURNS SETOF record
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT o.kind, o.path, o.place, o.source
    FROM (SELECT k.rank, s."position", k.kind, k.kind || coalesce('[' || (s."position" - 1) || ']', '') AS path,
                 pg_catalog.array_remove(ARRAY[k.kind, (s."position" - 1)::pg_catalog.text], NULL) AS place, s.source
          FROM (SELECT f.kind, pg_catalog.min(f."position") AS rank FROM health_internal.source_fields() AS f
                WHERE f.kind <> 'facts' GROUP BY f.kind) AS k,
               LATERAL (SELECT e.source, e."position" FROM pg_catalog.jsonb_array_elements(
                            CASE pg_catalog.jsonb_typeof(document -> k.kind) WHEN 'array' THEN document -> k.kind
                                ELSE '[]' END) WITH ORDINALITY AS e (source, "position")
                        UNION ALL
                        SELECT document -> k.kind, NULL WHERE pg_catalog.jsonb_typeof(document -> k.kind) = 'object') AS s
          UNION ALL
          SELECT 1000, pg_catalog.row_number() OVER (ORDER BY f.key), 'facts', 'facts.' || f.key, ARRAY['facts', f.key], f.value
          FROM pg_catalog.jsonb_each(CASE pg_catalog.jsonb_typeof(document -> 'facts') WHEN 'object' THEN document -> 'facts'
                                         ELSE '{}' END) AS f WHERE pg_catalog.jsonb_typeof(f.value) = 'object') AS o
    ORDER BY o.rank, o."position";
END;

COMMENT ON FUNCTION health_internal.sources(jsonb) IS
    'The sources of a document: kind, path for messages, place in the document; those of facts last, by their names';

-- One way of saying what can be said in several: defaults are written out, one source stands by itself, keys without a value are gone.
CREATE OR REPLACE FUNCTION
    health_internal.canonical_document(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('time_zone', 'UTC', 'minimum_coverage', 0.5,
               'window_days', 28,
               'catalog', '{}'::jsonb,
               'unlisted_events', CASE WHEN coalesce(document -> 'catalog', '{}') = '{}' THEN 'count' ELSE 'ignore' END)
        || document
        || jsonb_build_object(
               'onboarding', '{"days": 7, "events": 1, "window_days": 28}'::jsonb || coalesce(document -> 'onboarding', '{}'),
               'history', '{"days": 56, "retention_months": 24}'::jsonb || coalesce(document -> 'history', '{}'))
        || coalesce((SELECT jsonb_object_agg(s.kind, s.sources)
                     FROM (SELECT s.kind, CASE WHEN count(*) = 1 THEN jsonb_agg(jsonb_strip_nulls(s.source)) -> 0
                                               ELSE jsonb_agg(jsonb_strip_nulls(s.source) ORDER BY s.source) END AS sources
                           FROM health_internal.sources(document) AS s WHERE s.kind <> 'facts' GROUP BY s.kind) AS s), '{}')
        || coalesce((SELECT jsonb_build_object('facts', jsonb_object_agg(s.place[2], jsonb_strip_nulls(s.source)))
                     FROM health_internal.sources(document) AS s WHERE s.kind = 'facts' HAVING count(*) > 0), '{}');
$$;

CREATE OR REPLACE FUNCTION
    health_internal.same_meaning(a jsonb, b jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.same_scoring(a, b)
       AND health_internal.canonical_document(a) - '{signals,variants,catalog,bands,relative_to_book}'::text[]
           = health_internal.canonical_document(b) - '{signals,variants,catalog,bands,relative_to_book}'::text[]
       AND health_internal.words_of(a) = health_internal.words_of(b);
$$;

-- Flags in a document: which ready-made ones there are, and what a document says of them in full.

CREATE FUNCTION health_internal.ready_flag_table(OUT flag text, OUT rule text, OUT needs text, OUT definition text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_ready_flag_table'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50 ROWS 40;

COMMENT ON FUNCTION health_internal.ready_flag_table() IS 'The table of ready-made flags, as the core has it';

CREATE FUNCTION health.ready_flags(OUT flag text, OUT rule text, OUT needs text, OUT definition jsonb) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 40
BEGIN ATOMIC
    SELECT t.flag, t.rule, t.needs, t.definition::pg_catalog.jsonb FROM health_internal.ready_flag_table() AS t;
END;

COMMENT ON FUNCTION health.ready_flags() IS
    'The ready-made flags: name, rule, what it needs of the model (NULL: nothing beside usage), and the flag as a document would say it; '
    'either lists ways of which the first is taken that the model has the data for';

CREATE FUNCTION health_internal.spelled_flags(doc jsonb, OUT name text, OUT flag text, OUT lacks text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_spelled_flags'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10;

COMMENT ON FUNCTION health_internal.spelled_flags(jsonb) IS
    'The flags of a complete document, each with all that it says, as JSON, or with what it lacks to be told';

CREATE FUNCTION health_internal.spell_out_flags(document jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN NOT document ? 'flags' THEN document
        WHEN f.flags IS NULL THEN document - 'flags' ELSE document || jsonb_build_object('flags', f.flags) END
    FROM (SELECT jsonb_object_agg(s.name, s.flag::jsonb) FILTER (WHERE s.flag IS NOT NULL) AS flags
          FROM health_internal.spelled_flags(CASE WHEN document ? 'flags' THEN document END) AS s) AS f;
$$;

COMMENT ON FUNCTION health_internal.spell_out_flags(jsonb) IS
    'The document with its flags spelled out; those that are off, or optional and lack something, are gone';

CREATE FUNCTION health_internal.notice_flags_left_out(model_name text, definition jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := health_internal.expand_preset(definition);
    lacking text;
BEGIN
    IF document ? 'flags' THEN
        SELECT string_agg(s.name, ', ') INTO lacking FROM health_internal.spelled_flags(document) AS s
        WHERE s.lacks IS NOT NULL AND document -> 'flags' ? s.name;
        IF lacking IS NOT NULL THEN
            RAISE NOTICE 'model "%": flags are left out that lack something: %', model_name, lacking
                USING HINT = 'SELECT * FROM health.ready_flags() tells what each needs.';
        END IF;
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.notice_flags_left_out(text, jsonb) IS
    'Tells which flags of the preset of a definition are left out because they lack something';

-- Stored expressions go on when a column becomes double precision.
CREATE FUNCTION health_internal.to_float8(number float8) RETURNS float8
LANGUAGE sql STRICT IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT number;
END;

COMMENT ON FUNCTION health_internal.to_float8(float8) IS 'The number itself';

-- A field is a column name or {"sql": "expression"}; a condition is an SQL expression itself. Expressions see the columns of the source
-- and, before them, the names in scope (the model's as_of, logical columns): the innermost query wins.
CREATE OR REPLACE FUNCTION
    health_internal.inspect_field(info health_internal.source_info, source text, field text, path text, spec jsonb,
    accepts text,
                                     scope text DEFAULT NULL, guarded boolean DEFAULT true)
RETURNS health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    result health_internal.model_field;
    wanted text;
    written text;
    fallible text;
BEGIN
    result.source := source;
    result.field := field;
    result.path := path;
    result.from_item := info.from_item;
    result.code := '22023';
    IF accepts = 'condition' AND pg_catalog.jsonb_typeof(spec) = 'string' THEN
        result.expression := spec #>> '{}';
    ELSIF pg_catalog.jsonb_typeof(spec -> 'sql') = 'string' THEN
        result.path := path || '.sql';
        result.expression := spec ->> 'sql';
    ELSIF pg_catalog.jsonb_typeof(spec) = 'string' THEN
        wanted := spec #>> '{}';
        IF NOT wanted = ANY (info.column_names) THEN
            result.problem := pg_catalog.format('column "%s" does not exist in %s', wanted, info.label);
            result.hint := health_internal.name_hint(pg_catalog.format('"%s"', wanted), info.column_names);
            result.code := '42703';
            RETURN result;
        END IF;
        result.expression := pg_catalog.format('src.%I', wanted);
    ELSE
        result.problem := 'must be a column name or {"sql": "expression"}';
        RETURN result;
    END IF;
    IF pg_catalog.jsonb_typeof(spec) = 'string' AND accepts <> 'condition' THEN
        scope := NULL;    -- a column
    END IF;
    written := result.expression;
    BEGIN
        result.type := health_internal.expression_type(result.expression, info.from_item, scope);
        -- Strings of two collations together have none, and no view takes a column without.
        IF pg_catalog.jsonb_typeof(spec) <> 'string' AND health_internal.lacks_collation(result.expression, info.from_item, scope) THEN
            result.expression := pg_catalog.format(E'(%s\n) COLLATE pg_catalog."default"', result.expression);
        END IF;
        IF pg_catalog.jsonb_typeof(spec) <> 'string' OR accepts = 'condition' THEN
            result.expression := pg_catalog.format(CASE WHEN scope IS NULL THEN E'(%1$s\n)'
                ELSE E'(SELECT (%1$s\n) FROM (SELECT %2$s) AS named)' END,
                                                   result.expression, scope);
        END IF;
    EXCEPTION WHEN OTHERS THEN
        result.problem := CASE sqlstate WHEN '42803' THEN 'aggregate functions are not allowed here'
                                        ELSE pg_catalog.regexp_replace(sqlerrm, ' in WHERE$', ' here') END;
        result.code := sqlstate;
        result.hint := CASE sqlstate
            WHEN '42803' THEN 'The expression sees one row: put the aggregate into a "query" source, or into a subquery of its own.'
            WHEN '42P20' THEN 'The expression sees one row: put the window function into a "query" source.'
            WHEN '0A000' THEN 'The expression gives one value for each row: use a "query" source to make several rows.'
            WHEN '42703' THEN health_internal.name_hint(sqlerrm, info.column_names)
            WHEN '42702' THEN 'Write src.column for the column of the table.'
            WHEN '42P01' THEN health_internal.source_name_hint(sqlerrm, result.expression, info)
            WHEN '42601' THEN 'The expression must be complete by itself: look for parentheses, quotes and commas.'
            WHEN '42883' THEN 'Functions must exist and be found in search_path, or be written with their schema.'
        END;
        RETURN result;
    END;
    SELECT t.problem, t.hint INTO result.problem, result.hint FROM health_internal.type_problem(result.type, accepts) AS t;
    -- Of a name that both have, a subquery takes its own column: a condition that was to tie it to the row is then always true.
    IF result.problem IS NULL AND result.expression ~* '\mselect\M' THEN
        SELECT s.name INTO wanted FROM health_internal.self_comparisons(
            pg_catalog.format('SELECT %s FROM %s', result.expression, info.from_item), health_internal.names_path()) AS s (name)
        WHERE s.name = ANY (info.column_names) LIMIT 1;
        IF FOUND THEN
            result.problem := pg_catalog.format('a subquery compares its own column "%s" with itself', wanted);
            result.hint := pg_catalog.format('Within a subquery the column of the source is written %s.',
                                             pg_catalog.format('src.%I', wanted));
        END IF;
    END IF;
    IF guarded AND result.problem IS NULL THEN
        -- What fails is unknown, but where it can be told from nothing it is: as a time, name or amount that no event has, seats and
        -- values of signals that are no numbers.
        IF (source <> 'columns' AND field IN ('amount', 'seats') OR health_internal.is_fact_path(source) AND field = 'value')
           AND written = result.expression AND result.type = 'numeric'::regtype THEN
            result.expression := pg_catalog.format('health_internal.to_float8(%s)', written);
        ELSIF field IN ('amount', 'seats') AND source <> 'columns' OR health_internal.is_fact_path(source) AND field = 'value' THEN
            result.expression := coalesce(health_internal.guard_expression(pg_catalog.format(E'(%s\n)::pg_catalog.float8', written),
                'pg_catalog.float8'::regtype, '''NaN''', info.from_item, scope), result.expression);
        ELSIF accepts = 'signal' AND written <> result.expression
              AND result.type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN
            -- No integer says that there is no value.
            fallible := health_internal.guard_expression(pg_catalog.format(E'(%s\n)::pg_catalog.numeric', written),
                'pg_catalog.numeric'::regtype, '''NaN''', info.from_item, scope);
            IF fallible IS NOT NULL THEN
                result.expression := fallible;
                result.type := 'pg_catalog.numeric'::regtype;
            END IF;
        ELSIF written <> result.expression THEN
            result.expression := coalesce(health_internal.guard_expression(written, result.type,
                CASE WHEN source ~ '^events' AND field = 'occurred_at' OR health_internal.is_fact_path(source) AND field = 'at'
                         THEN '''infinity'''
                     -- Before its start: no fact can end there.
                     WHEN health_internal.is_fact_path(source) AND field = 'until' THEN '''-infinity'''
                     -- Before all times that there are: compile_known_event() makes a bad row of it, as capture does.
                     WHEN source ~ '^(events|facts)' AND field = 'known_at' THEN '''4714-11-24 00:00:00+00 BC'''
                     WHEN source ~ '^events' AND field = 'event' AND result.type IN ('text'::regtype, 'varchar'::regtype) THEN ''''''
                     WHEN accepts = 'signal' AND result.type IN ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype) THEN '''NaN'''
                     ELSE 'NULL' END, info.from_item, scope), result.expression);
        END IF;
    END IF;
    RETURN result;
END;
$$;

-- What the ledgers of a model hang on: another catalog or other weights leave them as they are.
CREATE OR REPLACE FUNCTION
    health_internal.ledger_key(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.jsonb_build_object('events', c.document -> 'events', 'time_zone', c.document -> 'time_zone',
        'account', pg_catalog.jsonb_build_array(c.document #> '{accounts,table}', c.document #> '{accounts,query}',
            c.document #> '{accounts,id}'),
        'user', pg_catalog.jsonb_build_array(c.document #> '{users,table}', c.document #> '{users,query}', c.document #> '{users,id}',
            c.document #> '{users,account}'))
        || CASE WHEN c.document ? 'facts' THEN pg_catalog.jsonb_build_object('facts', c.document -> 'facts') ELSE '{}' END
    FROM health_internal.canonical_document(document) AS c (document);
END;

-- Facts as streams of entries: the start of each, and where the source says when it ended the end of each, are read as events of reserved
-- names (src/core/ledger/fact_name.hpp). What reads, captures, folds and verifies events does so with facts.

CREATE FUNCTION health_internal.fact_streams(document jsonb, OUT path text, OUT source jsonb, OUT fact text, OUT ends boolean)
    RETURNS SETOF record
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT s.path || CASE WHEN e.ends THEN '.until' ELSE '' END,
           s.source || CASE WHEN s.source ? 'value' THEN pg_catalog.jsonb_build_object('amount', s.source -> 'value') ELSE '{}' END,
           s.place[2], e.ends
    FROM health_internal.sources(document) AS s, (VALUES (false), (true)) AS e (ends)
    WHERE s.kind = 'facts' AND (NOT e.ends OR s.source ? 'until');
END;

COMMENT ON FUNCTION health_internal.fact_streams(jsonb) IS
    'The fact sources of a document as streams: of starts under the path of the source, of ends under path.until';

CREATE FUNCTION health_internal.ledger_sources(document jsonb, OUT path text, OUT source jsonb) RETURNS SETOF record
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT e.path, e.source FROM health_internal.event_sources(document) AS e
    UNION ALL
    SELECT f.path, f.source FROM health_internal.fact_streams(document) AS f;
END;

COMMENT ON FUNCTION health_internal.ledger_sources(jsonb) IS 'What a document has kept in ledgers: its event sources and streams of facts';

-- Of a model without users nobody can be named, and ids have no form of their own.
CREATE FUNCTION health_internal.compile_nobody(kind text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE kind WHEN 'bigint' THEN '0' WHEN 'uuid' THEN '''00000000-0000-0000-0000-000000000000''::pg_catalog.uuid'
                     ELSE '''''::pg_catalog.text' END;
END;

COMMENT ON FUNCTION health_internal.compile_nobody(text) IS 'SQL of the stand-in for the user of a fact that has none';

CREATE FUNCTION health_internal.compile_scale_fault(scale text, value text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('(%1$s) IS NOT NULL AND NOT ((%1$s) BETWEEN %2$s AND %3$s AND (%1$s)::pg_catalog.float8 = '
                  'pg_catalog.trunc((%1$s)::pg_catalog.float8))', value, s.low, s.high)
    FROM (VALUES ('nps', 0, 10), ('csat', 1, 5)) AS s (scale, low, high) WHERE s.scale = compile_scale_fault.scale;
$$;

COMMENT ON FUNCTION health_internal.compile_scale_fault(text, text) IS
    'SQL condition of an answer that is none on its scale; NULL where any number is one';

CREATE FUNCTION health_internal.compile_text_key(field health_internal.model_field) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.compile_key(field.expression, field.type,
               ROW('text', health_internal.is_citext(field.type))::health_internal.id_form) || '::pg_catalog.text'
    WHERE field.expression IS NOT NULL;
$$;

COMMENT ON FUNCTION health_internal.compile_text_key(health_internal.model_field) IS
    'SQL of a field as the text that is in a name; NULL where the source has no such field';

-- By built-in functions alone, as capture wants it.
CREATE FUNCTION health_internal.compile_fact_name(fields health_internal.model_field[], place text, fact text, fact_source jsonb, zone text,
    ends boolean) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('CASE WHEN %s THEN '''' ELSE %s || %s || ''/'' || pg_catalog.translate(coalesce(%s, ''''), ''/'', ''_'') || ''/'' '
                  '|| coalesce(%s, '''') END',
        concat_ws(' OR ', 'false',
            CASE WHEN until.expression IS NOT NULL AND NOT ends
                 THEN format('(%s) IS NOT NULL AND (%s) < (%s)', until.expression, d.until_day, d.at_day) END,
            CASE WHEN NOT ends THEN health_internal.compile_scale_fault(fact_source ->> 'scale', value.expression) END),
        CASE WHEN ends THEN quote_literal('$/-' || fact || '/')
             WHEN person.expression IS NULL THEN quote_literal('$/*' || fact || '/')
             ELSE format('CASE WHEN (%s) IS NULL THEN %L ELSE %L END', person.expression, '$/*' || fact || '/', '$/+' || fact || '/') END,
        CASE WHEN ends THEN format('CASE WHEN pg_catalog.isfinite(%1$s) AND pg_catalog.isfinite(%2$s) THEN (%1$s) - (%2$s) END'
                                    '::pg_catalog.text',
                                    d.until_day, d.at_day)
             WHEN fact_source ->> 'scale' IN ('nps', 'csat')
                 THEN format('coalesce((%s)::pg_catalog.int4::pg_catalog.text, '''')', value.expression)
             ELSE '''''' END,
        coalesce(n.currency, ''''''), coalesce(n.kind, ''''''))
    FROM health_internal.field_of(fields, place, 'at') AS at, health_internal.field_of(fields, place, 'until') AS until,
         health_internal.field_of(fields, place, 'value') AS value, health_internal.field_of(fields, place, 'user') AS person,
         health_internal.field_of(fields, place, 'kind') AS kind, health_internal.field_of(fields, place, 'currency') AS currency,
         LATERAL (SELECT health_internal.compile_plain_day(at.expression, at.type, fact_source ->> 'time_zone', zone) AS at_day,
                         health_internal.compile_plain_day(until.expression, until.type, fact_source ->> 'time_zone', zone)
                             AS until_day) AS d,
         LATERAL (SELECT health_internal.compile_text_key(kind) AS kind, health_internal.compile_text_key(currency) AS currency) AS n;
$$;

COMMENT ON FUNCTION health_internal.compile_fact_name(health_internal.model_field[], text, text, jsonb, text, boolean) IS
    'SQL of the name of the entry of a fact, of its start or its end; empty for a fact that cannot be: its end is before its start, its '
    'answer none on the scale';

-- Ends of facts that cannot be are left out here; their starts are counted as bad rows.
CREATE FUNCTION health_internal.compile_fact_ends(fields health_internal.model_field[], place text, fact_source jsonb, zone text)
    RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT concat_ws(' AND ', '(' || wanted.expression || ')', format('(%1$s) IS NOT NULL AND pg_catalog.isfinite(%1$s)', until.expression),
        format('pg_catalog.isfinite(%1$s) AND pg_catalog.isfinite(%2$s) AND (%2$s) >= (%1$s)', d.at_day, d.until_day),
        'NOT (' || health_internal.compile_scale_fault(fact_source ->> 'scale', value.expression) || ')')
    FROM health_internal.field_of(fields, place, 'at') AS at, health_internal.field_of(fields, place, 'until') AS until,
         health_internal.field_of(fields, place, 'filter') AS wanted, health_internal.field_of(fields, place, 'value') AS value,
         LATERAL (SELECT health_internal.compile_plain_day(at.expression, at.type, fact_source ->> 'time_zone', zone) AS at_day,
                         health_internal.compile_plain_day(until.expression, until.type, fact_source ->> 'time_zone', zone)
                             AS until_day) AS d;
$$;

COMMENT ON FUNCTION health_internal.compile_fact_ends(health_internal.model_field[], text, jsonb, text) IS
    'SQL condition of the facts that have an end';

-- The fields that events have, for each stream: of what reads events none knows that these are facts.
CREATE FUNCTION health_internal.fact_stream_fields(document jsonb, fields health_internal.model_field[])
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    zone CONSTANT text := coalesce(document ->> 'time_zone', 'UTC');
    user_kind CONSTANT text := (health_internal.user_form(fields)).kind;
    stream record;
    place text;
    field health_internal.model_field;
    moment health_internal.model_field;
    known health_internal.model_field;
BEGIN
    FOR stream IN SELECT s.* FROM health_internal.fact_streams(document) AS s LOOP
        place := regexp_replace(stream.path, '\.until$', '');
        CONTINUE WHEN EXISTS (SELECT FROM unnest(fields) AS f WHERE f.source = place AND f.problem IS NOT NULL)
                   OR (health_internal.field_of(fields, place, 'at')).expression IS NULL;
        moment := health_internal.field_of(fields, place, CASE WHEN stream.ends THEN 'until' ELSE 'at' END);
        moment.source := stream.path;
        moment.field := 'occurred_at';
        RETURN NEXT moment;
        field := moment;
        field.field := 'event';
        field.type := 'text'::regtype;
        field.expression := health_internal.compile_fact_name(fields, place, stream.fact, stream.source, zone, stream.ends);
        known := health_internal.field_of(fields, place, 'known_at');
        IF known.expression IS NOT NULL THEN
            field.expression := health_internal.compile_known_event('(' || field.expression || ')', moment, known,
                stream.source ->> 'time_zone', zone);
        END IF;
        field.expression := '(' || field.expression || ')';
        RETURN NEXT field;
        field := health_internal.field_of(fields, place, 'user');
        field.source := stream.path;
        field.field := 'user';
        field.path := coalesce(field.path, place);
        field.from_item := moment.from_item;
        field.expression := format('(coalesce(%s, %s))', coalesce(field.expression || health_internal.id_cast(user_kind), 'NULL'),
                                   health_internal.compile_nobody(user_kind));
        RETURN NEXT field;
        field := health_internal.field_of(fields, place, 'value');
        IF field.expression IS NOT NULL THEN
            field.source := stream.path;
            field.field := 'amount';
            RETURN NEXT field;
        END IF;
        IF stream.ends THEN
            FOR field IN SELECT f.* FROM unnest(fields) AS f WHERE f.source = place AND f.field IN ('from', 'account') LOOP
                field.source := stream.path;
                RETURN NEXT field;
            END LOOP;
            field := moment;
            field.field := 'filter';
            field.type := 'boolean'::regtype;
            field.expression := health_internal.compile_fact_ends(fields, place, stream.source, zone);
            RETURN NEXT field;
        END IF;
    END LOOP;
END;
$$;

COMMENT ON FUNCTION health_internal.fact_stream_fields(jsonb, health_internal.model_field[]) IS
    'Fields of the streams of facts, named as those of events: occurred_at, event, user, amount, of ends also from, account and filter';

-- The variants of a document: conditions over the columns of the account, of which the first that is true says whose weights count.

-- A condition that fails for an account is not true there.
CREATE FUNCTION health_internal.variant_fields(variants jsonb, info health_internal.source_info, scope text)
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
    field health_internal.model_field;
    cases text := '';
BEGIN
    FOR part IN SELECT format('variants[%s]', v.n - 1) AS path, v.variant FROM jsonb_array_elements(variants) WITH ORDINALITY
                AS v (variant, n) ORDER BY v.n
    LOOP
        field := health_internal.inspect_field(info, part.path, 'when', part.path || '.when', part.variant -> 'when', 'condition', scope);
        cases := cases || format(' WHEN %s THEN %L', field.expression, part.variant ->> 'name');
        RETURN NEXT field;
    END LOOP;
    field := NULL;
    field.source := 'variants';
    field.field := 'value';
    field.path := 'variants';
    field.type := 'text';
    field.expression := format('(CASE%s END)::pg_catalog.text', cases);
    RETURN NEXT field;
END;
$$;

COMMENT ON FUNCTION health_internal.variant_fields(jsonb, health_internal.source_info, text) IS
    'Conditions of the variants of a document over an account source, and as "value" of "variants" the name of the one that counts';

CREATE OR REPLACE FUNCTION
    health_internal.reserved_columns() RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY['account_id', 'name', 'as_of', 'model', 'model_version', 'score', 'band', 'data_coverage', 'unknown_reason', 'change_7d',
                 'change_28d', 'main_reason', 'next_step', 'score_without_top_user', 'in_book', 'state', 'state_reason',
                 'override_reason', 'churn_probability', 'expansion_likelihood', 'overrides', 'usage', 'inputs', 'observed', 'segments',
                 'past_inputs', 'past_observed', 'account_start', 'account_end', 'ledger_start', 'in_filter', 'seats', 'repeated',
                 'outages', 'tracking_broke',
                     '$roster', '$accounts', '$into', '$parts', '$fresh', '$book', '$signals'] ||
           ARRAY(SELECT a.attname::text FROM pg_attribute AS a
                 WHERE a.attrelid = (SELECT t.typrelid FROM pg_type AS t WHERE t.oid = 'health.metrics_record'::regtype)
                   AND a.attnum > 0 AND NOT a.attisdropped);
$$;

-- The row "from" carries the FROM item, the label as expression and, as hint, the column names.
CREATE OR REPLACE FUNCTION
    health_internal.fields_of_source(document jsonb, kind text, path text, source jsonb, as_of date, guarded boolean)
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info health_internal.source_info := health_internal.describe_source(source);
    item record;
BEGIN
    IF info.problem IS NOT NULL THEN
        RETURN NEXT ROW(path, info.field, path || '.' || info.field, NULL, NULL, NULL, info.problem, info.hint,
            info.code)::health_internal.model_field;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM health_internal.source_fields() AS f WHERE f.kind = fields_of_source.kind AND f.dated) THEN
        info.from_item := health_internal.clock_item(health_internal.model_clock(document, as_of)) || ' CROSS JOIN '
            || health_internal.fence_source(info);
    END IF;
    RETURN NEXT ROW(path, 'from', path, info.from_item, info.label, NULL, NULL,
                    pg_catalog.array_to_json(info.column_names)::text, NULL)::health_internal.model_field;
    FOR item IN SELECT f.*, path || '.' || f.field AS path FROM health_internal.source_fields() AS f
                WHERE f.kind = fields_of_source.kind AND source ? f.field ORDER BY f."position"
    LOOP
        CONTINUE WHEN item.accepts = 'choice';
        IF item.accepts = 'zone' THEN
            RETURN QUERY SELECT z.* FROM health_internal.zone_problem(source ->> item.field, item.path) AS z;
            CONTINUE;
        END IF;
        IF item.field = 'merged_into' AND source #>> '{merged_into,sql}' ~* '\mas_of\M' THEN
            RETURN NEXT ROW(path, item.field, item.path || '.sql', NULL, NULL, NULL, 'asks for as_of, but a merge holds for all days',
                'Say which accounts are merged by now: a column, or an expression of columns.', '22023')::health_internal.model_field;
            CONTINUE;
        END IF;
        RETURN NEXT health_internal.inspect_field(info, path, item.field, item.path, source -> item.field, item.accepts,
                                                  CASE WHEN item.dated THEN 'clock.as_of' END, guarded);
        IF item.with_account AND NOT source ? 'account' THEN
            RETURN NEXT ROW(path, item.field, item.path, NULL, NULL, NULL, 'needs the account of each user',
                            pg_catalog.format('Name the column with the account id as %s.account.', path),
                                '22023')::health_internal.model_field;
        END IF;
    END LOOP;
    RETURN QUERY SELECT a.* FROM health_internal.attribute_fields(info, path || '.columns', source) AS a;
END;
$$;

CREATE OR REPLACE FUNCTION
    health_internal.signal_fields(document jsonb, fields health_internal.model_field[])
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info health_internal.source_info;
    names text[];
    attributes text;
    scope text;
    input record;
    field health_internal.model_field;
BEGIN
    SELECT f.from_item, f.expression, ARRAY(SELECT pg_catalog.json_array_elements_text(f.hint::json))
    INTO info.from_item, info.label, info.column_names
    FROM pg_catalog.unnest(fields) AS f WHERE f.source = 'accounts' AND f.field = 'from';
    SELECT pg_catalog.array_agg(a.name), pg_catalog.string_agg(pg_catalog.format('%s AS %I', a.expression, a.name), ', '),
           pg_catalog.string_agg(pg_catalog.format('attr.%I', a.name), ', ')
    INTO names, attributes, scope
    FROM health_internal.account_attributes(document, fields) AS a;
    info.from_item := pg_catalog.format('%s CROSS JOIN LATERAL (SELECT %s) AS attr', info.from_item, attributes);
    info.column_names := names || ARRAY(SELECT c FROM pg_catalog.unnest(info.column_names) AS c WHERE c <> ALL (names));

    FOR input IN SELECT i.*, pg_catalog.jsonb_path_query_first(document, ('$.' || i.path)::jsonpath) #>> '{normalize,kind}' AS normalizer
                 FROM health.model_inputs(document) AS i ORDER BY i."position"
    LOOP
        IF input.segment IS NOT NULL THEN
            RETURN NEXT health_internal.segment_field(info, names, input.path, input.segment);
        END IF;
        IF input.kind = 'metric' THEN
            CONTINUE;
        ELSIF input.kind = 'pulse' THEN    -- from the catalog: there is nothing that could be wrong
            field := NULL;
            field.source := input.path;
            field.field := 'value';
            field.path := input.path || '.pulse';
            field.type := 'text';
            RETURN NEXT field;
            CONTINUE;
        END IF;
        IF input.kind = 'variant' THEN
            RETURN QUERY SELECT v.* FROM health_internal.variant_fields(document -> 'variants', info, scope) AS v;
            CONTINUE;
        END IF;
        IF input.kind = 'query' THEN
            RETURN QUERY SELECT q.* FROM health_internal.query_signal_fields(input.path, input.source, input.optional) AS q;
            CONTINUE;
        END IF;
        IF input.kind = 'column' AND input.source = ANY (names) THEN
            field := ROW(input.path, 'value', input.path || '.column', info.from_item, pg_catalog.format('attr.%I', input.source),
                         NULL, NULL, NULL, NULL);
            field.type := health_internal.expression_type(field.expression, info.from_item);
            SELECT t.problem, t.hint, '22023' INTO field.problem, field.hint, field.code FROM health_internal.type_problem(field.type,
                'signal') AS t;
        ELSIF input.kind = 'column' THEN
            field := health_internal.inspect_field(info, input.path, 'value', input.path || '.column', pg_catalog.to_jsonb(input.source),
                'signal');
        ELSE
            field := health_internal.inspect_field(info, input.path, 'value', input.path || '.expression',
                                          pg_catalog.jsonb_build_object('sql', input.source), 'signal', scope);
            field.path := input.path || '.expression';
        END IF;
        IF field.problem IS NULL AND input.normalizer IS DISTINCT FROM 'map'
           AND (SELECT t.typcategory FROM pg_catalog.pg_type AS t WHERE t.oid = field.type::oid) IN ('S', 'E') THEN
            field.problem := pg_catalog.format('is %s; only a "map" normalizer takes categories', field.type);
            field.hint := 'Use {"kind": "map", "map": {"category": score}}, or turn it into a number.';
        END IF;
        IF input.optional AND field.code IN ('42703', '42P01') AND field.problem IS NOT NULL THEN
            field.expression := 'NULL::pg_catalog.text';
            field.type := NULL;
            field.problem := NULL;
        END IF;
        RETURN NEXT field;
    END LOOP;
END;
$$;

COMMENT ON FUNCTION health_internal.signal_fields(jsonb, health_internal.model_field[]) IS
    'Fields of the column, expression, query and pulse signals, in the order of model_inputs, and of the variants';

CREATE OR REPLACE FUNCTION
    health_internal.model_fields(document jsonb, as_of date DEFAULT NULL, guarded boolean DEFAULT true,
    keyed boolean DEFAULT true) RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts health_internal.model_field[];
    others health_internal.model_field[];
    signals health_internal.model_field[];
BEGIN
    RETURN QUERY SELECT z.* FROM health_internal.zone_problem(document ->> 'time_zone', 'time_zone') AS z;
    IF FOUND THEN
        RETURN;    -- nothing that depends on the day can be typed
    END IF;
    accounts := ARRAY(SELECT f FROM health_internal.sources(document) AS s,
                          LATERAL health_internal.fields_of_source(document, s.kind, s.path, s.source, as_of, guarded) AS f
                              WHERE s.kind = 'accounts');
    others := ARRAY(SELECT f FROM health_internal.sources(document) AS s,
                        LATERAL health_internal.fields_of_source(document, s.kind, s.path, s.source, as_of, guarded) AS f
                            WHERE s.kind <> 'accounts');
    -- Signals stand on the account source and on a sound shape: while either is wrong, nothing useful can be said about them.
    IF EXISTS (SELECT 1 FROM pg_catalog.unnest(accounts) AS f WHERE f.field = 'from')
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(accounts) AS f WHERE f.problem IS NOT NULL)
       AND NOT EXISTS (SELECT 1 FROM health.model_problems(document) AS p) THEN
        signals := ARRAY(SELECT f FROM health_internal.signal_fields(document, accounts) AS f);
    END IF;
    IF keyed THEN
        others := ARRAY(SELECT f FROM health_internal.with_keys(document, accounts || others || signals) AS f);
        RETURN QUERY SELECT f.* FROM pg_catalog.unnest(others) AS f
                     WHERE NOT (health_internal.is_fact_path(f.source) AND f.field = 'user' AND f.problem IS NULL);
        RETURN QUERY SELECT f.* FROM health_internal.fact_stream_fields(document, others) AS f;
    ELSE
        RETURN QUERY SELECT f.* FROM pg_catalog.unnest(accounts || others || signals) AS f;
    END IF;
END;
$$;

-- Where an account's usage comes from: the events themselves, the ledgers of a tracked model (chunks: path -> table), or the user source
-- alone.
CREATE OR REPLACE FUNCTION
    health_internal.compile_usage(fields health_internal.model_field[], document jsonb, restriction text,
    usage_from text, chunks jsonb)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    zone text := coalesce(document ->> 'time_zone', 'UTC');
    user_cast text := health_internal.user_cast(fields);
    excluded text := health_internal.compile_excluded_users(fields, user_cast);
    parts text[] := ARRAY[]::text[];
    roster text := health_internal.compile_roster(fields, document, user_cast, restriction);
    events record;
BEGIN
    IF usage_from = 'roster' THEN
        RETURN roster;
    END IF;
    FOR events IN SELECT e.path, e.source FROM health_internal.ledger_sources(document) AS e LOOP
        parts := parts || CASE usage_from WHEN 'ledger' THEN
            pg_catalog.format('SELECT c.account_id, c.usage FROM %s AS c%s', chunks ->> events.path,
                coalesce(' WHERE c.account_id' || restriction, ''))
        ELSE
            pg_catalog.format('SELECT e.account_id, %s AS usage FROM (%s) AS e WHERE e.account_id IS NOT NULL%s%s GROUP BY 1',
                health_internal.compile_usage_agg(events.source,
                    health_internal.moment_zone(health_internal.field_of(fields, events.path, 'occurred_at'),
                                                                           events.source ->> 'time_zone', zone)),
                health_internal.compile_event_rows(fields, events.path, events.source ->> 'time_zone', '', user_cast),
                coalesce(' AND e.account_id' || restriction, ''),
                CASE WHEN excluded IS NULL THEN '' ELSE pg_catalog.format(' AND NOT EXISTS (SELECT 1 FROM (%s) AS excluded WHERE '
                    'excluded.user_id = e.user_id)', excluded) END)
        END;
    END LOOP;
    parts := pg_catalog.array_remove(parts || roster, NULL);
    -- Ledgers keep everybody: who is excluded is asked when they are read.
    RETURN CASE
        WHEN pg_catalog.cardinality(parts) = 0 THEN NULL
        WHEN pg_catalog.cardinality(parts) = 1 AND usage_from = 'events' THEN parts[1]
        ELSE pg_catalog.format('SELECT p.account_id, %s AS usage FROM (%s) AS p GROUP BY 1',
            CASE WHEN usage_from = 'ledger' AND excluded IS NOT NULL
                 THEN pg_catalog.format('health.without_users(health.rollup(p.usage), ARRAY(SELECT x.user_id::pg_catalog.text FROM (%s) '
                     'AS x WHERE x.user_id IS NOT NULL))', excluded)
                 ELSE 'health.rollup(p.usage)' END,
            pg_catalog.array_to_string(parts, ' UNION ALL '))
    END;
END;
$$;

-- Inputs change with the date when an expression mentions as_of or when a query signal has dates.
CREATE OR REPLACE FUNCTION
    health_internal.has_dated_inputs(fields health_internal.model_field[], document jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT 1 FROM unnest(fields) AS f WHERE f.field = 'observed' AND f.source LIKE 'signals%')
        OR EXISTS (SELECT 1 FROM jsonb_path_query(document, 'strict $.accounts.**.sql') AS a (expression)
                   WHERE a.expression #>> '{}' ~* '\mas_of\M')
        OR EXISTS (SELECT 1 FROM health.model_inputs(document) AS i
                   WHERE i.kind = 'pulse' OR i.kind IN ('expression', 'variant') AND i.source ~* '\mas_of\M');
$$;

-- "division by zero" does not say where: try the expressions one by one, under the author's search_path, and name the one that fails.
CREATE OR REPLACE FUNCTION
    health_internal.raise_failing_field(model_name text, version health_internal.model_version, as_of date DEFAULT NULL,
    past_days integer DEFAULT 0)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    clock text := health_internal.model_clock(version.document, as_of);
    fields health_internal.model_field[];
    accounts text;
    wanted text;
    condition text;
    failing health_internal.model_field;
    lacking boolean;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(version.document, as_of) AS f);
    accounts := (health_internal.field_of(fields, 'accounts', 'from')).from_item;
    wanted := health_internal.compile_wanted(fields);
    -- Expressions of accounts first; a plain column of a table cannot fail.
    FOR failing IN SELECT f.* FROM pg_catalog.unnest(fields) AS f
                   WHERE f.field <> 'from' AND f.problem IS NULL AND f.from_item IS NOT NULL AND f.expression IS NOT NULL
                     AND NOT (pg_catalog.starts_with(f.expression, 'src.') AND f.from_item !~ '[)] AS src')
                   ORDER BY f.source ~ '^(users|events)'
    LOOP
        condition := CASE
            WHEN failing.field = 'filter' THEN NULL
            WHEN failing.source ~ '^(users|events)' THEN (health_internal.field_of(fields, failing.source, 'filter')).expression
            WHEN pg_catalog.starts_with(failing.from_item, accounts) AND wanted <> '' THEN 'wanted."is wanted"'
        END;
        IF condition = 'wanted."is wanted"' THEN
            failing.from_item := accounts || wanted || pg_catalog.substr(failing.from_item, pg_catalog.length(accounts) + 1);
        END IF;
        BEGIN
            EXECUTE pg_catalog.format('SELECT pg_catalog.count((%s)::pg_catalog.text) FROM %s WHERE %s', failing.expression,
                pg_catalog.replace(failing.from_item, pg_catalog.format('(SELECT %s AS as_of)', clock),
                    pg_catalog.format('(SELECT %s - earlier.days AS as_of FROM pg_catalog.generate_series(0, %s) AS earlier (days))',
                        clock, past_days)),
                coalesce(condition, 'true'));
        EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
            lacking := sqlstate = '0A000' AND health_internal.fence() <> '';
            failing.path := pg_catalog.concat_ws(': ', 'model "' || model_name || '"', failing.path);
            failing.problem := CASE WHEN lacking THEN 'Citus cannot compute it: ' ELSE '' END || sqlerrm;
            failing.code := sqlstate;
            failing.hint := CASE WHEN sqlstate = '22012' THEN 'With nullif(divisor, 0) the value is unknown instead.'
                                 WHEN sqlstate = '21000' THEN 'A subquery gives one row at most: write LIMIT 1, or an aggregate.'
                                 WHEN lacking THEN 'What a subquery finds in distributed tables for each row is a signal with a "query" '
                                     'instead: it is asked once, for all accounts.'
                                 ELSE 'It fails for some row' || CASE WHEN past_days > 0 THEN ' on a day of the history'
                                     ELSE '' END || ': leave such rows out with a filter, or make the value NULL with CASE.' END;
            PERFORM health_internal.raise_field_problem(failing);
        END;
    END LOOP;
END;
$$;

-- Accounts that name other accounts in the account source: their parents, and those that they were merged into.

-- An account is never above itself: from accounts to which links lead back none counts. Planned by itself, so that no view that follows
-- links is taken for a large query.
CREATE FUNCTION health_internal.follow_links(keys text[], links text[], OUT key text, OUT above text, OUT is_last boolean,
    OUT is_circular boolean) RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1000
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
SET jit = off
AS $$
    WITH RECURSIVE named (key, link) AS MATERIALIZED (
        SELECT l.key, l.link FROM unnest(keys, links) AS l (key, link) WHERE l.link IS NOT NULL
    ), reached (key, above) AS (
        SELECT n.key, n.link FROM named AS n UNION SELECT r.key, n.link FROM reached AS r JOIN named AS n ON n.key = r.above
    ), circular (key) AS MATERIALIZED (
        SELECT r.key FROM reached AS r WHERE r.key = r.above
    ), tree (key, link) AS MATERIALIZED (
        SELECT n.key, n.link FROM named AS n WHERE n.key NOT IN (SELECT c.key FROM circular AS c)
    ), path (key, above) AS (
        SELECT t.key, t.link FROM tree AS t UNION ALL SELECT p.key, t.link FROM path AS p JOIN tree AS t ON t.key = p.above
    )
    SELECT p.key, p.above, p.above NOT IN (SELECT t.key FROM tree AS t), false FROM path AS p
    UNION ALL SELECT c.key, NULL, false, true FROM circular AS c;
$$;

COMMENT ON FUNCTION health_internal.follow_links(text[], text[]) IS
    'Of accounts (keys) that name one other each (links): a row for each account and each that is above it, and whether that one is the '
    'last; and a row for each account from which links lead back to it';

-- A form of their own: ledgers do not hang on what these ids are.
CREATE FUNCTION health_internal.compile_link_key(fields health_internal.model_field[], link text, expression text, type regtype)
    RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('nullif((%s)::pg_catalog.text, '''')', health_internal.compile_key(expression, type, health_internal.shared_form(
        ARRAY[(health_internal.field_of(fields, 'accounts', 'id')).type, (health_internal.field_of(fields, 'accounts', link)).type])));
$$;

COMMENT ON FUNCTION health_internal.compile_link_key(health_internal.model_field[], text, text, regtype) IS
    'SQL of an id of that type, of an account or of one that it names, in the form in which the two are compared';

-- Of an account that its source has twice nobody can say which row is right. Text of the user stands where no name of these is known.
CREATE FUNCTION health_internal.compile_with_links(fields health_internal.model_field[], link text, known_only boolean, rest text)
    RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($query$
        WITH "$named" (key, link, account_id, shown) AS MATERIALIZED (
            SELECT k.key, CASE WHEN pg_catalog.count(*) = 1 THEN pg_catalog.min(k.link) END, (pg_catalog.array_agg(k.account_id))[1],
                   pg_catalog.min(k.shown)
            FROM (SELECT %1$s AS key, %2$s AS link, (%3$s)%4$s AS account_id, %5$s AS shown FROM %6$s%7$s) AS k
            WHERE k.key IS NOT NULL GROUP BY 1
        ), "$links" (key, above, is_last, is_circular) AS MATERIALIZED (
            SELECT f.* FROM (SELECT pg_catalog.array_agg(n.key) AS keys, pg_catalog.array_agg(n.link) AS links FROM "$named" AS n
                             WHERE n.link IS NOT NULL%8$s) AS l CROSS JOIN LATERAL health_internal.follow_links(l.keys, l.links) AS f
        )%9$s $query$,
        health_internal.compile_link_key(fields, link, id.expression, id.type),
        health_internal.compile_link_key(fields, link, named.expression, named.type),
        health_internal.compile_account_key(fields, id.expression), health_internal.id_cast((health_internal.account_form(fields)).kind),
        health_internal.canonical_text(id.expression, id.type), book.from_item,
        health_internal.compile_wanted(fields) || CASE WHEN filter.expression IS NULL THEN '' ELSE ' WHERE wanted."is wanted"' END
            || health_internal.fence(),
        CASE WHEN known_only THEN ' AND n.link IN (SELECT k.key FROM "$named" AS k)' END, rest)
    FROM health_internal.field_of(fields, 'accounts', 'id') AS id, health_internal.field_of(fields, 'accounts', link) AS named,
         health_internal.field_of(fields, 'accounts', 'from') AS book, health_internal.field_of(fields, 'accounts', 'filter') AS filter
    WHERE named.expression IS NOT NULL;
$$;

COMMENT ON FUNCTION health_internal.compile_with_links(health_internal.model_field[], text, boolean, text) IS
    'SQL of a WITH list over the accounts that name others in a field of the account source: "$named" (all accounts, with the one that '
    'each names, key in ledgers and id as text) and "$links" (follow_links() of all, or only of those that name one that is known); rest '
    'is how it goes on, and the query. NULL without such a field';

-- Of many the first 20 are named: some write the id of the account itself where there is no parent.
CREATE FUNCTION health_internal.compile_link_findings(fields health_internal.model_field[], link text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.compile_with_links(fields, link, false, format($query$, "$found" AS (
            SELECT f.*, pg_catalog.row_number() OVER (PARTITION BY f.finding ORDER BY f.by_itself, f.account) AS place
            FROM (SELECT %1$L AS finding, n.shown AS account, n.link = n.key AS by_itself,
                         CASE WHEN n.link = n.key THEN %2$L ELSE %3$L END AS advice
                  FROM "$links" AS l JOIN "$named" AS n ON n.key = l.key WHERE l.is_circular
                  UNION ALL SELECT 'unknown merge target', n.shown, false, pg_catalog.format('merged into %%s, which is no account (or '
                      'accounts.filter leaves it out): it stays an account of its own', n.link)
                  FROM "$named" AS n WHERE %4$L AND n.link NOT IN (SELECT k.key FROM "$named" AS k)) AS f
        )
        SELECT f.finding, f.account AS name, 1::pg_catalog.int8 AS n, f.advice, f.account, f.place FROM "$found" AS f WHERE f.place <= 20
        UNION ALL SELECT f.finding, %5$L, pg_catalog.count(*), pg_catalog.format('%%s more accounts: %%s', pg_catalog.count(*),
            pg_catalog.min(f.advice)), NULL, 21 FROM "$found" AS f WHERE f.place > 20 GROUP BY 1 $query$,
        CASE link WHEN 'parent' THEN 'circular parent' ELSE 'circular merge' END,
        CASE link WHEN 'parent' THEN 'names itself as its parent: taken as without one'
                  ELSE 'merged into itself: it stays an account of its own' END,
        CASE link WHEN 'parent' THEN 'its parents lead back to it: taken as without one'
                  ELSE 'merged in a circle: it stays an account of its own' END,
        link = 'merged_into', link));
$$;

COMMENT ON FUNCTION health_internal.compile_link_findings(health_internal.model_field[], text) IS
    'SQL of what is wrong with the accounts that name others in a field of the account source: finding, name, number of accounts, advice, '
    'account, place; NULL without such a field';

-- The last of a chain takes all.
CREATE FUNCTION health_internal.compile_merges(fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.compile_with_links(fields, 'merged_into', true, $query$
        SELECT a.account_id, i.account_id AS into_id, i.shown AS into_text
        FROM "$links" AS l JOIN "$named" AS a ON a.key = l.key JOIN "$named" AS i ON i.key = l.above WHERE l.is_last $query$);
$$;

COMMENT ON FUNCTION health_internal.compile_merges(health_internal.model_field[]) IS
    'SQL of the accounts that were merged into others: the keys of both in ledgers, and the id of the other as text; NULL where the '
    'document does not say so';

CREATE OR REPLACE FUNCTION
    health_internal.compile_model(document jsonb, version integer, account text DEFAULT NULL, as_of date DEFAULT NULL,
                                              usage_from text DEFAULT 'events', model_name text DEFAULT NULL, past_days integer DEFAULT 0,
                                              past_step integer DEFAULT 1, as_literals boolean DEFAULT false)
RETURNS health_internal.compiled_model
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields CONSTANT health_internal.model_field[] := ARRAY(SELECT f FROM health_internal.model_fields(document, as_of) AS f);
    book CONSTANT health_internal.model_field := health_internal.field_of(fields, 'accounts', 'from');
    account_key CONSTANT text := health_internal.compile_account_key(fields, 'attr.account_id');
    own_collation CONSTANT text := CASE WHEN health_internal.has_own_collation(fields) THEN ' COLLATE pg_catalog."default"' ELSE '' END;
    compiled health_internal.compiled_model;
    signals health_internal.compiled_inputs;
    attributes text;
    extras text;
    source text := book.from_item;
    restriction text;
    usage text;
    past text;
    dated_filter CONSTANT boolean := past_days > 0 AND health_internal.has_dated_filter(document);
    wanted text;
    restrictions text;
    merges text;
    usage_restriction text;
BEGIN
    PERFORM health_internal.raise_first_problem(model_name, fields);
    compiled.account_label := book.expression;
    compiled.account_type := (health_internal.field_of(fields, 'accounts', 'id')).type;
    IF account IS NOT NULL THEN
        -- With a modifier of -1 the name of character is bpchar, which does not cut to one letter.
        restriction := ' = ' || health_internal.compile_account_key(fields, pg_catalog.format('%L::%s', account,
            pg_catalog.format_type(compiled.account_type, -1)));
        source := health_internal.restrict_source(source,
            health_internal.compile_account_key(fields, (health_internal.field_of(fields, 'accounts', 'id')).expression), restriction);
    END IF;
    merges := health_internal.compile_merges(fields);
    usage_restriction := CASE WHEN merges IS NULL OR restriction IS NULL THEN restriction
        ELSE pg_catalog.format(' = ANY (ARRAY(SELECT m.account_id FROM (%1$s) AS m WHERE m.into_id%2$s UNION ALL SELECT %3$s))',
            merges, restriction, pg_catalog.substr(restriction, 4)) END;
    -- No name here is one that a document could use.
    SELECT pg_catalog.string_agg(pg_catalog.format('%s AS %I', a.expression, a.name), ', ')
           || coalesce(', (' || (health_internal.field_of(fields, 'accounts', 'seats')).expression
                       || ')::pg_catalog.float8 AS "recorded seats"', '') INTO attributes
    FROM health_internal.account_attributes(document, fields) AS a;
    SELECT pg_catalog.string_agg(pg_catalog.format(', attr.%1$I AS %1$I', f.field), '' ORDER BY f.field),
           coalesce(pg_catalog.array_agg(f.field ORDER BY f.field), '{}')
    INTO extras, compiled.extra_columns
    FROM pg_catalog.unnest(fields) AS f WHERE f.source = 'columns';

    signals := health_internal.compile_inputs(document, fields, model_name, as_literals);
    compiled.value_columns := signals.value_columns;
    -- Without inputs there is nothing to know of earlier days, whatever the other columns mention.
    IF past_days > 0 AND signals.inputs IS NOT NULL AND health_internal.has_dated_inputs(fields, document) THEN
        past := health_internal.compile_past_inputs(past_days, past_step, attributes, coalesce(signals."values", 'NULL AS s0'),
                                                    coalesce(signals.inputs, ''), coalesce(signals.observed, ''));
    END IF;
    IF usage_from <> 'nothing' THEN
        usage := health_internal.compile_usage(fields, document, usage_restriction, usage_from,
            CASE usage_from WHEN 'ledger' THEN (SELECT pg_catalog.jsonb_object_agg(s.path, health_internal.data_table('chunk', s.id))
                                                FROM health_internal.ledger_source AS s WHERE s.model = model_name) END);
    END IF;
    -- What accounts did that were merged into others is theirs.
    IF merges IS NOT NULL AND usage IS NOT NULL THEN
        usage := pg_catalog.format('SELECT coalesce(m.into_id, p.account_id) AS account_id, health.rollup(p.usage) AS usage FROM (%s) AS p '
            'LEFT JOIN (%s) AS m ON m.account_id = p.account_id GROUP BY 1', usage, merges);
    END IF;
    wanted := CASE WHEN dated_filter THEN health_internal.compile_wanted_on(fields, past_days, past_step)
                   ELSE health_internal.compile_wanted(fields) END;
    restrictions := 'attr.account_id IS NOT NULL'
        || CASE WHEN dated_filter THEN ' AND true = ANY (wanted."is wanted on")' WHEN wanted <> '' THEN ' AND wanted."is wanted"' ELSE ''
            END
        || coalesce(' AND ' || account_key || restriction, '');
    -- Of an id that occurs twice nobody can say which row is right: it stands in the book once, without any of their values.
    compiled.ledger := health_internal.fill_template(
        'WITH "$sight" AS MATERIALIZED ({sight}) SELECT known.account_id, {name} AS name{extra_columns}, known.as_of, '
        '{version} AS model_version, {usage} AS usage, '
        'account.inputs, account.observed, account.segments, account.past_inputs, account.past_observed, account.account_start, '
        '{account_end}, {ledger_start} AS ledger_start, account.seats{value_columns}, known.repeated, known.in_filter, '
        'overridden.overrides, (SELECT sight.outages FROM "$sight" AS sight) AS outages, '
        '(SELECT sight.broken FROM "$sight" AS sight) AS tracking_broke{merged} FROM (SELECT attr.account_id, '
        'attr.as_of, {repeated} AS repeated, '
        '{in_filter} AS in_filter FROM {book}{wanted} CROSS JOIN LATERAL (SELECT {id} AS account_id, clock.as_of) AS attr '
        'WHERE {restrictions} GROUP BY 1, 2) AS known LEFT JOIN ('
        'SELECT {one_row}{shown_id} AS account_id, {account_name} AS name{extras}, '
        'ARRAY[{inputs}]::pg_catalog.text[] AS inputs, ARRAY[{observed}]::pg_catalog.date[] AS observed, '
        'ARRAY[{segments}]::pg_catalog.text[] AS segments, {past_inputs} AS past_inputs, {past_observed} AS past_observed, '
        '{start} AS account_start, {end} AS account_end, {seats} AS seats{raw_columns} FROM {book}{wanted}{answers}{past} '
        'CROSS JOIN LATERAL (SELECT {attributes}) AS attr CROSS JOIN LATERAL (SELECT {values}) AS sig '
        'WHERE {restrictions}{row_order}) AS account '
        'ON account.account_id = known.account_id AND NOT known.repeated{usage_join}{merged_join}{overrides}',
        pg_catalog.jsonb_build_object(
            'id', (health_internal.field_of(fields, 'accounts', 'id')).expression || own_collation,
            'shown_id', 'attr.account_id' || own_collation,
            'name', CASE WHEN document #> '{accounts,name}' IS NULL THEN health_internal.canonical_text('known.account_id',
                compiled.account_type) ELSE 'account.name' END,
            'account_name', CASE WHEN document #> '{accounts,name}' IS NULL THEN 'NULL' ELSE 'attr.account_name' END,
            'extra_columns', ', ' || health_internal.list_columns(compiled.extra_columns, 'account'),
            'value_columns', ', ' || health_internal.list_columns(compiled.value_columns, 'account'),
            'extras', extras, 'version', version,
            'usage', CASE WHEN usage IS NULL THEN '''{}''::health.usage' ELSE 'coalesce(u.usage, ''{}''::health.usage)' END,
            'inputs', signals.inputs, 'observed', signals.observed, 'segments', signals.segments,
            'past_inputs', CASE WHEN past IS NULL THEN 'NULL::pg_catalog.text[]' ELSE 'past."past inputs"' END,
            'past_observed', CASE WHEN past IS NULL THEN 'NULL::pg_catalog.date[]' ELSE 'past."past observed"' END,
            'start', CASE WHEN document #> '{accounts,start}' IS NULL THEN 'NULL::pg_catalog.date' ELSE 'attr.account_start' END,
            'end', CASE WHEN document #> '{accounts,end}' IS NULL THEN 'NULL::pg_catalog.date' ELSE 'attr.account_end' END,
            'ledger_start', pg_catalog.format('%L::pg_catalog.date', CASE WHEN usage_from = 'ledger' THEN
                (SELECT pg_catalog.max(s.kept_from) FROM health_internal.ledger_source AS s WHERE s.model = model_name) END),
            'seats', CASE WHEN document #> '{accounts,seats}' IS NULL THEN 'NULL::pg_catalog.float8'
                ELSE 'CASE WHEN attr."recorded seats" IS NOT NULL THEN coalesce(attr.seats, ''NaN'') END' END,
            'raw_columns', signals.raw_columns, 'book', source, 'wanted', wanted, 'restrictions', restrictions,
            -- An account that has several rows, each for a time of its own, has the values of the latest.
            'repeated', CASE WHEN dated_filter THEN 'pg_catalog.count(*) FILTER (WHERE wanted."is wanted on"[1]) > 1'
                ELSE 'pg_catalog.count(*) > 1' END,
            'in_filter', CASE WHEN dated_filter THEN 'health_internal.any_wanted(pg_catalog.array_agg(wanted."is wanted on"))'
                ELSE 'NULL::pg_catalog.bool[]' END,
            'one_row', CASE WHEN dated_filter THEN 'DISTINCT ON (1) ' END,
            'row_order', CASE WHEN dated_filter THEN ' ORDER BY 1, pg_catalog.array_position(wanted."is wanted on", true)' END,
            'answers', signals.answers, 'past', past, 'attributes', attributes,
            'usage_join', ' LEFT JOIN (' || usage || health_internal.fence() || ') AS u ON u.account_id = '
                || health_internal.compile_account_key(fields, 'known.account_id'),
            -- Who was merged into another is no customer, and never was.
            'account_end', CASE WHEN merges IS NULL THEN 'account.account_end'
                ELSE 'CASE WHEN merged.into_id IS NULL THEN account.account_end ELSE DATE ''-infinity'' END AS account_end' END,
            'merged', CASE WHEN merges IS NOT NULL THEN ', merged.into_text AS "$into"' || CASE usage_from WHEN 'roster' THEN
                ', CASE WHEN merged.into_id IS NOT NULL THEN ''{}'' WHEN gathered.accounts IS NOT NULL THEN gathered.accounts '
                'OPERATOR(pg_catalog.||) gathered.into_id END AS "$accounts"' ELSE '' END END,
            'merged_join', CASE WHEN merges IS NOT NULL THEN pg_catalog.format(' LEFT JOIN (%s) AS merged ON merged.account_id = %s',
                merges, health_internal.compile_account_key(fields, 'known.account_id'))
                || CASE usage_from WHEN 'roster' THEN pg_catalog.format(' LEFT JOIN (SELECT m.into_id, '
                'pg_catalog.array_agg(m.account_id ORDER BY m.account_id) AS accounts FROM (%s) AS m '
                'GROUP BY 1) AS gathered ON gathered.into_id = %s', merges, health_internal.compile_account_key(fields, 'known.account_id'))
                ELSE '' END END,
            'overrides', health_internal.compile_overrides(model_name, as_literals,
                health_internal.canonical_text('known.account_id', compiled.account_type)),
            'values', coalesce(signals."values", 'NULL AS s0'),
            'sight', health_internal.compile_sight(document, fields, as_of, usage_from, model_name, past_days)));
    -- Expressions are typed under the clock of the document, and computed as of the day that is to be seen.
    compiled.ledger := pg_catalog.replace(compiled.ledger, health_internal.clock_item(health_internal.model_clock(document, as_of)),
        health_internal.clock_item('(SELECT sight.as_of FROM "$sight" AS sight)'));
    RETURN compiled;
END;
$$;

-- The people of accounts, with what the user source says of each when it is read.

CREATE FUNCTION health_internal.describe_user_column(column_name text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE column_name
        WHEN 'user_id' THEN 'User id, as text'
        WHEN 'standing' THEN 'champion, active, new (joined in the window), quiet (seen in weeks 5 to 8, not in weeks 1 to 4), dormant '
            '(entitled, not seen for longer), invited (has not joined) or deactivated'
        WHEN 'entitled' THEN 'Whether the user counts among total_users'
        WHEN 'events' THEN 'Events of the user in the window of the model'
        WHEN 'value_points' THEN 'Value points of these events: count x value of the event, after daily_cap'
        WHEN 'share' THEN 'Share of the value points of the account, 0 to 1; NULL: it has none'
        WHEN 'active_days' THEN 'Days of the window with an event of the user'
        WHEN 'recency_days' THEN 'Days from the last event of the user to as_of; NULL: never seen'
        WHEN 'baseline' THEN 'Events of the last 4 weeks against the user''s own usual weeks, as the metric baseline: -.2 is 20 % less; '
            'NULL: there is no usual yet, or it is 0'
        WHEN 'first_day' THEN 'First day with an event of the user'
        WHEN 'last_day' THEN 'Last day with an event of the user, before as_of'
        WHEN 'department' THEN 'Department, as users.department has it now'
        WHEN 'role' THEN 'Role, as users.role has it now'
        WHEN 'email' THEN 'Address, as users.email has it now'
        WHEN 'main_contact' THEN 'Whether users.main_contact holds of the user now; NULL: nothing says so'
    END;
END;

COMMENT ON FUNCTION health_internal.describe_user_column(text) IS 'The comment on a column of the people of a score view';

-- A user with several rows in one account is one: texts are the first by order, and one row that is a main contact is enough.
CREATE FUNCTION health_internal.compile_user_attributes(fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT %s AS account_id, (%s%s)::pg_catalog.text AS user_id, %s, %s AS main_contact FROM %s%s GROUP BY 1, 2%s',
        coalesce(account.expression, 'NULL::pg_catalog.text'), id.expression,
        health_internal.id_cast((health_internal.user_form(fields)).kind),
        (SELECT string_agg(format('%s AS %s', CASE WHEN f.expression IS NULL THEN 'NULL::pg_catalog.text'
             ELSE 'pg_catalog.min(' || health_internal.canonical_text(f.expression, f.type) || ')' END, a.name), ', ' ORDER BY a.position)
         FROM unnest(ARRAY['department', 'role', 'email']) WITH ORDINALITY AS a (name, position)
         CROSS JOIN LATERAL health_internal.field_of(fields, 'users', a.name) AS f),
        coalesce('pg_catalog.bool_or(coalesce(' || contact.expression || ', false))', 'NULL::pg_catalog.bool'),
        origin.from_item, ' WHERE ' || wanted.expression, health_internal.fence())
    FROM health_internal.field_of(fields, 'users', 'id') AS id, health_internal.field_of(fields, 'users', 'account') AS account,
         health_internal.field_of(fields, 'users', 'from') AS origin, health_internal.field_of(fields, 'users', 'filter') AS wanted,
         health_internal.field_of(fields, 'users', 'main_contact') AS contact
    WHERE EXISTS (SELECT FROM unnest(fields) AS f
                  WHERE f.source = 'users' AND f.field IN ('department', 'role', 'email', 'main_contact'));
$$;

COMMENT ON FUNCTION health_internal.compile_user_attributes(health_internal.model_field[]) IS
    'SQL of what the user source says of each user beside the roster; NULL where the document names nothing of it';

CREATE FUNCTION health_internal.compile_people_attributes(document jsonb, fields health_internal.model_field[]) RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN document -> 'accounts' ? 'merged_into' AND document -> 'users' ? 'account' THEN format(
        'SELECT coalesce(m.into_id, t.account_id) AS account_id, t.user_id, '
        'pg_catalog.min(t.department) AS department, pg_catalog.min(t.role) AS role, pg_catalog.min(t.email) AS email, '
        'pg_catalog.bool_or(t.main_contact) AS main_contact FROM (%s) AS t LEFT JOIN (%s) AS m ON m.account_id = t.account_id '
        'GROUP BY 1, 2', a.attributes, health_internal.compile_merges(fields)) ELSE a.attributes END
    FROM (SELECT health_internal.compile_user_attributes(fields)) AS a (attributes) WHERE a.attributes IS NOT NULL;
$$;

COMMENT ON FUNCTION health_internal.compile_people_attributes(jsonb, health_internal.model_field[]) IS
    'compile_user_attributes(), those of merged accounts in the account that they were merged into';

-- Without such fields the user source is not read, and nothing hangs on its table.
CREATE FUNCTION health_internal.compile_users(document jsonb, scoring_document jsonb, account_rows text, account_state text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields health_internal.model_field[];
    attributes text;
BEGIN
    PERFORM health_internal.look_names_up_in(health_internal.names_path());
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    attributes := health_internal.compile_people_attributes(document, fields);
    RETURN pg_catalog.format(
        'SELECT l.account_id, l.name, l.as_of, u.user_id, u.standing, u.entitled, u.events, u.value_points, u.share, u.active_days, '
        'u.recency_days, u.baseline, u.first_day, u.last_day, %s FROM %s AS l '
        'CROSS JOIN LATERAL health_internal.account_users(%L::pg_catalog.jsonb, %s) AS u%s',
        CASE WHEN attributes IS NULL THEN 'NULL::pg_catalog.text AS department, NULL::pg_catalog.text AS role, '
            'NULL::pg_catalog.text AS email, NULL::pg_catalog.bool AS main_contact'
            ELSE 'a.department, a.role, a.email, a.main_contact' END,
        account_rows, scoring_document, account_state,
        CASE WHEN attributes IS NULL THEN '' ELSE pg_catalog.format(' LEFT JOIN (%s) AS a ON a.user_id = u.user_id%s', attributes,
            ' AND a.account_id = ' || CASE WHEN (health_internal.field_of(fields, 'users', 'account')).expression IS NOT NULL
                                           THEN health_internal.compile_account_key(fields, 'l.account_id') END) END);
END;
$$;

COMMENT ON FUNCTION health_internal.compile_users(jsonb, jsonb, text, text) IS
    'SQL of the people of accounts: account_rows is a relation or query in brackets with account_id, name and as_of, account_state SQL of '
    'what scoring takes of a row l of it';

-- The queries of scores, signals and history over rows of ledgers.

-- Plain views beside the others, of what the model has by the same key: computed when they are read.
CREATE FUNCTION health_internal.is_beside(suffix text) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT suffix IN ('_segments', '_flags', '_parents');
END;

COMMENT ON FUNCTION health_internal.is_beside(text) IS
    'Whether a relation of a score view is one of those that a model has by a key of its own: _segments, _flags, _parents';

CREATE FUNCTION health_internal.score_relations(schema_name name, view_name name, document jsonb)
RETURNS TABLE (suffix text, relation text, short_name text)
LANGUAGE sql IMMUTABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.suffix, format('%I.%I', schema_name, view_name || s.suffix), view_name || s.suffix
    FROM (VALUES (1, '_ledger'), (2, ''), (3, '_signals'), (4, '_history'), (5, '_users'), (6, '_segments'), (7, '_flags'),
                 (8, '_parents')) AS s (position, suffix)
    WHERE NOT health_internal.is_beside(s.suffix) OR document ? ltrim(s.suffix, '_')
       OR s.suffix = '_parents' AND document -> 'accounts' ? 'parent' ORDER BY s.position;
$$;

COMMENT ON FUNCTION health_internal.score_relations(name, name, jsonb) IS
    'The relations of a score view of a document, in the order in which they build on each other: five, and one each of segments, '
    'flags and parents where it has any';

-- The part of a document that scoring reads; sources, segments and flags are left out of the views.
CREATE OR REPLACE FUNCTION
    health_internal.scoring_document(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT document - '{accounts,users,events,facts,revenue,description,as_of,segments,flags}'::text[];
END;

COMMENT ON FUNCTION health_internal.scoring_document(jsonb) IS 'A document without its sources, segments and flags';

-- Before a day nothing is known of that day and later ones; where all days that are asked for are earlier, that goes without saying.
CREATE FUNCTION health_internal.compile_known_usage(known_before date, as_of date DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN known_before IS NULL THEN 'ARRAY[l.usage]'
        WHEN known_before < as_of
            THEN pg_catalog.format('ARRAY[health.slice(health_internal.known_before(l.usage, DATE %1$L), NULL, DATE %1$L)]', known_before)
        ELSE pg_catalog.format('ARRAY[health_internal.known_before(l.usage, DATE %L)]', known_before) END;
END;

COMMENT ON FUNCTION health_internal.compile_known_usage(date, date) IS
    'SQL of the usage of a ledger row l, for compile_state(), as it was known before a day (NULL: as it is known now), for questions as of '
    'another';

CREATE FUNCTION health_internal.compile_state_reason(document jsonb, row_name text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN document -> 'accounts' ? 'merged_into' THEN pg_catalog.format(
        'CASE WHEN %1$s."$into" IS NULL THEN s.state_reason ELSE ''merged into '' || %1$s."$into" END AS state_reason', row_name)
        ELSE 's.state_reason' END;
END;

COMMENT ON FUNCTION health_internal.compile_state_reason(jsonb, text) IS
    'SQL of the column state_reason of a row s of scores, of a row of a ledger or book';

CREATE OR REPLACE FUNCTION
    health_internal.compile_score_query(suffix text, ledger_relation text, model_name text, document jsonb,
                                                    compiled health_internal.compiled_model, probabilities text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    scoring CONSTANT text := format('%L::pg_catalog.jsonb, %s', health_internal.scoring_document(document),
        health_internal.compile_state());
    -- Over the rows that are scored, which are read once.
    book CONSTANT text := health_internal.compile_book_changes(document, 'scored');
    scores CONSTANT text := format(
        'SELECT %s, l.account_start, l.account_end, nullif(l.seats, ''NaN'') AS seats, l.as_of, %L::pg_catalog.text AS model, '
            'l.model_version, '
        's.score, s.band, s.state, %s, s.in_book, s.data_coverage, '
        'coalesce(l.tracking_broke, s.unknown_reason) AS unknown_reason, s.change_7d, s.change_28d, s.main_reason, s.next_step, '
        's.score_without_top_user, s.override_reason, '
        '%s%s%s '
        'FROM %s AS l CROSS JOIN LATERAL health_internal.score_details(%s) AS s WHERE l.in_filter[1] IS NOT FALSE',
        health_internal.list_columns('{account_id,name}' || compiled.extra_columns, 'l'), model_name,
        health_internal.compile_state_reason(document, 'l'), health_internal.list_columns(health_internal.metric_columns(), 's'),
        ', ' || health_internal.list_columns(compiled.value_columns, 'l'),
        CASE WHEN book IS NOT NULL THEN ', s.signals AS "$signals", l.overrides' END, ledger_relation, scoring);
BEGIN
    RETURN CASE suffix
        WHEN '_ledger' THEN compiled.ledger
        WHEN '' THEN format('SELECT s.*, %s FROM (%s) AS s', probabilities, CASE WHEN book IS NULL THEN scores ELSE format(
            'WITH scored AS MATERIALIZED (%s) SELECT %s, %s, %s FROM scored AS s CROSS JOIN (%s) AS b', scores,
            health_internal.list_columns('{account_id,name}' || compiled.extra_columns || '{account_start,account_end,seats,as_of,model,'
                'model_version,score,band,state,state_reason,in_book,data_coverage,unknown_reason,change_7d,change_28d,main_reason}', 's'),
            health_internal.compile_next_step(document, 's.as_of', 's."$signals"', 's.overrides', 'b.changes'),
            health_internal.list_columns('{score_without_top_user,override_reason}' || health_internal.metric_columns()
                || compiled.value_columns, 's'), book) END)
        WHEN '_signals' THEN format(
            'WITH scored AS %5$s (SELECT l.account_id, l.name, l.as_of, l.model_version, l.overrides, '
            'health_internal.account_signals(%2$s) AS "$signals" FROM %1$s AS l WHERE l.in_filter[1] IS NOT FALSE) '
            'SELECT l.account_id, l.name, l.as_of, l.model_version, s."position", s.signal, s.parent, s.label, s.level, s.raw, s.raw_text, '
            's.normalized, s.weight, s.points, s.reason, s.phrase, s.next_step, s.counted, s.basis, s.book '
            'FROM scored AS l CROSS JOIN (%3$s) AS b CROSS JOIN LATERAL '
            'health_internal.signal_rows(%4$L::pg_catalog.jsonb, l.as_of, l."$signals", l.overrides, b.changes) AS s',
            ledger_relation, scoring, coalesce(book, 'SELECT NULL::pg_catalog.float8[] AS changes'),
            health_internal.scoring_document(document), CASE WHEN book IS NULL THEN 'NOT MATERIALIZED' ELSE 'MATERIALIZED' END)
        WHEN '_history' THEN format(
            'SELECT l.account_id, h.as_of, l.model_version, h.score, h.band, h.state, h.coverage AS data_coverage, h.unknown_reason '
            'FROM %s AS l CROSS JOIN LATERAL health.score_series(%s, l.as_of - %s, l.as_of) AS h',
            ledger_relation, scoring, health_internal.history_days(document) - 1)
        WHEN '_users' THEN health_internal.compile_users(document, health_internal.scoring_document(document), ledger_relation,
            health_internal.compile_state(with_past => false, with_overrides => false))
    END;
END;
$$;

COMMENT ON FUNCTION health_internal.compile_score_query(text, text, text, jsonb, health_internal.compiled_model, text) IS
    'SQL of one of the relations of a score view that is made from events';

-- The query of the flags of accounts.

CREATE TYPE health.account_flag AS (
    flag text,
    kind text,
    since date,
    value float8,
    threshold float8,
    sentence text,
    next_step text
);

COMMENT ON TYPE health.account_flag IS 'a flag that is up for an account: what account_flags() and the _flags of a score view have';

COMMENT ON COLUMN health.account_flag.flag IS 'Name of the flag';

COMMENT ON COLUMN health.account_flag.kind IS 'churn, expansion, onboarding or data';

COMMENT ON COLUMN health.account_flag.since IS
    'First day of the unbroken run of days on which the flag is up; days are looked back 28 at most: of a longer run the 28th day before';

COMMENT ON COLUMN health.account_flag.value IS 'What the first condition of the flag measured, raw';

COMMENT ON COLUMN health.account_flag.threshold IS 'Its limit; of two the upper one';

COMMENT ON COLUMN health.account_flag.sentence IS 'The finding in words';

COMMENT ON COLUMN health.account_flag.next_step IS 'What to do about it';

CREATE FUNCTION health_internal.account_flags(model jsonb, account health.account_state, users text[] DEFAULT NULL,
    departments text[] DEFAULT NULL, main_contacts text[] DEFAULT NULL) RETURNS SETOF health.account_flag
    AS 'MODULE_PATHNAME', 'health_account_flags'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 5000 ROWS 3;

COMMENT ON FUNCTION health_internal.account_flags(jsonb, health.account_state, text[], text[], text[]) IS
    'The flags of an account that are up at a date, by a document whose flags are spelled out, from one decode of its ledger; users with '
    'the department of each in the same place, and main contacts, all by id';

CREATE FUNCTION health_internal.flags_document(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT health_internal.scoring_document(document)
        || pg_catalog.jsonb_build_object('flags', coalesce(document -> 'flags', '{}'));
END;

COMMENT ON FUNCTION health_internal.flags_document(jsonb) IS 'The part of a document that account_flags() reads';

CREATE FUNCTION health_internal.asks_for_people(document jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT document OPERATOR(pg_catalog.@?)
        '$.flags.*.**.measure ? (@ starts with "departments" || @ == "main_contact_silent_days")'::pg_catalog.jsonpath;
END;

COMMENT ON FUNCTION health_internal.asks_for_people(jsonb) IS
    'Whether a flag of a document is about what the user source says of people: department, main contact';

-- Of a user source without an account, users belong where they are seen.
CREATE FUNCTION health_internal.compile_flag_people(document jsonb, accounts text, parts text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields health_internal.model_field[];
    by_account boolean;
BEGIN
    PERFORM health_internal.look_names_up_in(health_internal.names_path());
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    by_account := (health_internal.field_of(fields, 'users', 'account')).expression IS NOT NULL;
    RETURN pg_catalog.format('(SELECT a.account_id, pg_catalog.array_agg(a.user_id) FILTER (WHERE pg_catalog.btrim(a.department) <> '''') '
        'AS users, pg_catalog.array_agg(a.department) FILTER (WHERE pg_catalog.btrim(a.department) <> '''') AS departments, '
        'pg_catalog.array_agg(a.user_id) FILTER (WHERE a.main_contact) AS main_contacts FROM (%s) AS a WHERE a.user_id IS NOT NULL '
        'GROUP BY 1) AS p ON p.account_id = %s',
        CASE WHEN by_account THEN health_internal.compile_people_attributes(document, fields)
             ELSE health_internal.compile_users(document, health_internal.scoring_document(document), accounts,
                 health_internal.compile_state(parts, false, with_overrides => false)) END,
        CASE WHEN by_account THEN health_internal.compile_account_key(fields, 'l.account_id') ELSE 'l.account_id' END);
END;
$$;

COMMENT ON FUNCTION health_internal.compile_flag_people(jsonb, text, text) IS
    'SQL of a relation p, and its condition, with what the user source says of the people of an account l, for account_flags(): arrays '
    'users, departments and main_contacts; arguments as for compile_account_flags()';

CREATE FUNCTION health_internal.compile_account_flags(document jsonb, accounts text, parts text DEFAULT NULL) RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT l.account_id, l.name, l.as_of, l.model_version, f.flag, f.kind, f.since, f.value, f.threshold, f.sentence, '
        'f.next_step FROM %s AS l%s CROSS JOIN LATERAL health_internal.account_flags(%L::pg_catalog.jsonb, %s%s) AS f%s',
        accounts, ' LEFT JOIN ' || people.relation, health_internal.flags_document(document), health_internal.compile_state(parts),
        CASE WHEN people.relation IS NOT NULL THEN ', p.users, p.departments, p.main_contacts' ELSE '' END,
        CASE WHEN parts IS NULL THEN ' WHERE l.in_filter[1] IS NOT FALSE' ELSE '' END)
    FROM (SELECT CASE WHEN health_internal.asks_for_people(document)
                      THEN health_internal.compile_flag_people(document, accounts, parts) END) AS people (relation);
$$;

COMMENT ON FUNCTION health_internal.compile_account_flags(jsonb, text, text) IS
    'SQL of the flags that are up for accounts, rows of ledgers; parts is SQL of their usage where they stand in a book';

-- Segments: the groups of accounts that a document names, told from the row that an account has in the score view.

-- Typed without a score view, which there may not be yet. Columns of the document come first: so they stand in hints.
CREATE FUNCTION health_internal.score_columns(document jsonb, fields health_internal.model_field[]) RETURNS TABLE (name text, type regtype)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT f.field, f.type FROM unnest(fields) AS f WHERE f.source = 'columns'
    UNION ALL
    SELECT v.column_name, CASE WHEN i.kind = 'pulse' THEN 'int4'::regtype ELSE coalesce(f.type, 'text'::regtype) END
    FROM health_internal.value_columns(document) AS v JOIN health.model_inputs(document) AS i USING ("position")
    LEFT JOIN unnest(fields) AS f ON f.source = i.path AND f.field = 'value'
    UNION ALL
    SELECT 'account_id', f.type FROM unnest(fields) AS f WHERE f.source = 'accounts' AND f.field = 'id'
    UNION ALL
    SELECT c.name, c.type
    FROM (VALUES ('name', 'text'::regtype, NULL), ('account_start', 'date'::regtype, 'start'), ('account_end', 'date'::regtype, 'end'),
                 ('seats', 'float8'::regtype, 'seats'), ('as_of', 'date'::regtype, NULL), ('model', 'text'::regtype, NULL),
                 ('model_version', 'int4'::regtype, NULL), ('data_coverage', 'float8'::regtype, NULL)) AS c (name, type, field)
    WHERE c.field IS NULL OR document -> 'accounts' ? c.field
    UNION ALL
    SELECT a.attname, a.atttypid::regtype
    FROM (VALUES ('health.account_score'::regtype), ('health.metrics_record'::regtype)) AS r (type)
    JOIN pg_type AS t ON t.oid = r.type::oid
    JOIN pg_attribute AS a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE a.attname <> 'coverage' OR r.type = 'health.metrics_record'::regtype
    UNION ALL
    SELECT p.column_name, 'float8'::regtype FROM health_internal.probability_columns() AS p;
$$;

COMMENT ON FUNCTION health_internal.score_columns(jsonb, health_internal.model_field[]) IS
    'The columns of the score view of a document with their types, domains as their base types; less dates and seats that it does not say';

-- The name of the account stands there under its logical name, too, unless that is one of accounts.columns.
CREATE FUNCTION health_internal.segment_row(scores text, document jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('(SELECT v.*%s FROM %s AS v) AS src',
        CASE WHEN document #> '{accounts,columns,account_name}' IS NULL THEN ', v.name AS account_name' ELSE '' END, scores);
END;

COMMENT ON FUNCTION health_internal.segment_row(text, jsonb) IS
    'SQL of the row src that the expressions of segments see, of SQL of the rows of a score view';

CREATE FUNCTION health_internal.segment_fields(document jsonb, fields health_internal.model_field[])
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info health_internal.source_info;
    own CONSTANT text[] := ARRAY(SELECT pg_catalog.json_array_elements_text(f.hint::json) FROM pg_catalog.unnest(fields) AS f
                                 WHERE f.source = 'accounts' AND f.field = 'from');
    part record;
    field health_internal.model_field;
    wanted text;
BEGIN
    info.label := 'the score view';
    SELECT pg_catalog.array_agg(c.name ORDER BY c.n), health_internal.segment_row(pg_catalog.format('(SELECT %s)', pg_catalog.string_agg(
               pg_catalog.format('NULL::%s AS %I', pg_catalog.format_type(c.type, -1), c.name), ', ' ORDER BY c.n)), document)
    INTO info.column_names, info.from_item
    FROM health_internal.score_columns(document, fields) WITH ORDINALITY AS c (name, type, n);
    FOR part IN
        SELECT 'segments.' || s.key AS source, p.field, 'segments.' || s.key || '.' || p.place AS path, p.spec, p.accepts
        FROM pg_catalog.jsonb_each(document -> 'segments') AS s,
             LATERAL (SELECT 0 AS n, 'value' AS field, k.key AS place,
                             CASE k.key WHEN 'column' THEN s.value -> k.key ELSE pg_catalog.jsonb_build_object('sql', s.value -> k.key) END
                                 AS spec,
                             CASE WHEN s.value ?| '{steps,shares}' THEN 'number' ELSE 'segment' END AS accepts
                      FROM (VALUES ('column'), ('expression')) AS k (key)
                      WHERE pg_catalog.jsonb_typeof(s.value -> k.key) = 'string'
                      UNION ALL
                      SELECT r.n, 'rule ' || r.n, pg_catalog.format('rules[%s].when', r.n - 1), r.rule -> 'when', 'condition'
                      FROM pg_catalog.jsonb_array_elements(CASE pg_catalog.jsonb_typeof(s.value -> 'rules') WHEN 'array'
                               THEN s.value -> 'rules' ELSE '[]' END) WITH ORDINALITY AS r (rule, n)
                      WHERE pg_catalog.jsonb_typeof(r.rule -> 'when') = 'string') AS p
        ORDER BY s.key, p.n
    LOOP
        field := health_internal.inspect_field(info, part.source, part.field, part.path, part.spec, part.accepts, 'src.as_of');
        field.path := part.path;
        field.hint := pg_catalog.replace(field.hint, '{"sql":', '{"expression":');
        wanted := pg_catalog.substring(field.problem, 'column "([^"]+)" does not exist');
        IF wanted IN ('seats', 'account_start', 'account_end') THEN
            field.hint := pg_catalog.format('Say which column it is: accounts.%s.', pg_catalog.replace(wanted, 'account_', ''));
        ELSIF wanted = ANY (own) THEN
            field.hint := pg_catalog.format('It is a column of the account source: name it in accounts.columns, {"%s": "%s"}.', wanted,
                wanted);
        END IF;
        field.from_item := NULL;    -- its rows are not those of a source
        RETURN NEXT field;
    END LOOP;
END;
$$;

COMMENT ON FUNCTION health_internal.segment_fields(jsonb, health_internal.model_field[]) IS
    'The fields of the segments of a document, over the row src of the score view: value, or rule 1, rule 2 and so on';

-- Two steps: what a row says by itself, and for parts of the book where it stands among the others. Of accounts that are not in the book
-- the latter is where they would stand. Twice the number above, and once that of equals, is the mid-rank in halves of an account.
CREATE FUNCTION health_internal.compile_segment(segment jsonb, source text, fields health_internal.model_field[], column_name text,
    OUT of_row text, OUT of_book text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    value CONSTANT health_internal.model_field := health_internal.field_of(fields, source, 'value');
    fraction CONSTANT boolean := value.type IN ('float4'::regtype, 'float8'::regtype, 'numeric'::regtype);
BEGIN
    of_book := 'q.' || column_name;
    IF jsonb_typeof(segment -> 'rules') = 'array' THEN
        SELECT format('CASE%s ELSE %L END', coalesce(string_agg(format(' WHEN %s THEN %L',
                   (health_internal.field_of(fields, source, 'rule ' || r.n)).expression, r.rule ->> 'name'), '' ORDER BY r.n)
                   FILTER (WHERE jsonb_typeof(r.rule -> 'when') = 'string'), ' WHEN false THEN NULL'),
               max(r.rule ->> 'name') FILTER (WHERE jsonb_typeof(r.rule -> 'when') IS DISTINCT FROM 'string'))
        INTO of_row FROM jsonb_array_elements(segment -> 'rules') WITH ORDINALITY AS r (rule, n);
        RETURN;
    END IF;
    of_row := CASE WHEN fraction THEN format('nullif(%s, ''NaN'')', value.expression) ELSE value.expression END;
    IF jsonb_typeof(segment -> 'steps') = 'array' THEN
        SELECT format('CASE WHEN q.%I IS NOT NULL THEN CASE%s ELSE %L END END', column_name, coalesce(string_agg(
                   format(' WHEN q.%I %s %L::%s THEN %L', column_name, CASE WHEN s.step ? 'above' THEN '>' ELSE '>=' END,
                          coalesce(s.step ->> 'above', s.step ->> 'from'),
                          CASE WHEN value.type = 'float4'::regtype THEN 'pg_catalog.float4' ELSE 'pg_catalog.numeric' END,
                          s.step ->> 'name'), '' ORDER BY s.n) FILTER (WHERE s.n < jsonb_array_length(segment -> 'steps')),
                   ' WHEN false THEN NULL'), segment #>> '{steps,-1,name}')
        INTO of_book FROM jsonb_array_elements(segment -> 'steps') WITH ORDINALITY AS s (step, n);
    ELSIF jsonb_typeof(segment -> 'shares') = 'array' THEN
        SELECT format('CASE WHEN q.%1$I IS NOT NULL AND count(q.%1$I) FILTER (WHERE q.in_book) OVER () > 0 THEN CASE%2$s ELSE %3$L END END',
                   column_name, coalesce(string_agg(format(
                       ' WHEN (2 * count(q.%1$I) FILTER (WHERE q.in_book) OVER (ORDER BY q.%1$I DESC NULLS LAST) '
                       '- count(q.%1$I) FILTER (WHERE q.in_book) OVER (PARTITION BY q.%1$I)) * 100 '
                       '< 2 * count(q.%1$I) FILTER (WHERE q.in_book) OVER () * %2$L::pg_catalog.numeric THEN %3$L',
                       column_name, s.reached, s.share ->> 'name'), '' ORDER BY s.n)
                       FILTER (WHERE s.n < jsonb_array_length(segment -> 'shares')), ' WHEN false THEN NULL'),
                   segment #>> '{shares,-1,name}')
        INTO of_book
        FROM (SELECT e.share, e.n, sum((e.share ->> 'percent')::numeric) OVER (ORDER BY e.n) AS reached
              FROM jsonb_array_elements(segment -> 'shares') WITH ORDINALITY AS e (share, n)) AS s;
    ELSE
        of_row := health_internal.canonical_text(of_row, value.type);
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.compile_segment(jsonb, text, health_internal.model_field[], text) IS
    'SQL of a segment: a column of the row src of an account, and its value over such rows q';

CREATE FUNCTION health_internal.compile_segments(model_name text, document jsonb, scores text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields health_internal.model_field[] := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
BEGIN
    PERFORM health_internal.raise_first_problem(model_name, fields);
    fields := ARRAY(SELECT f FROM health_internal.segment_fields(document, fields) AS f);
    PERFORM health_internal.raise_first_problem(model_name, fields);
    RETURN (SELECT pg_catalog.format('SELECT r.account_id, s.segment, coalesce(nullif(s.value, ''''), ''unknown'') AS value FROM '
                '(SELECT q.account_id, %s FROM (SELECT src.account_id, src.in_book, %s FROM %s) AS q) AS r CROSS JOIN LATERAL (VALUES %s) '
                'AS s (segment, value)',
                pg_catalog.string_agg(pg_catalog.format('%s AS s%s', c.of_book, s.n), ', ' ORDER BY s.n),
                pg_catalog.string_agg(pg_catalog.format('%s AS s%s', c.of_row, s.n), ', ' ORDER BY s.n),
                health_internal.segment_row(scores, document),
                pg_catalog.string_agg(pg_catalog.format('(%L::pg_catalog.text, r.s%s)', s.key, s.n), ', ' ORDER BY s.n))
            FROM pg_catalog.jsonb_each(document -> 'segments') WITH ORDINALITY AS s (key, value, n),
                 LATERAL health_internal.compile_segment(s.value, 'segments.' || s.key, fields, 's' || s.n) AS c);
END;
$$;

COMMENT ON FUNCTION health_internal.compile_segments(text, jsonb, text) IS
    'SQL of the segments of the accounts of a model, a row per account and segment, of SQL of the rows of its score view';

-- What a signal measures, and therefore whether a reference frozen for one serves another.
CREATE OR REPLACE FUNCTION
    health_internal.measured_by(document jsonb, signal jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.jsonb_build_object(
        'signal', signal
            - '{label,description,weight,next_step,missing,normalize,silent,shrink,frozen,relative_to_book}'::text[],
        'segment', signal #> '{normalize,segment}',
        'accounts', c.document -> 'accounts',
        'usage', CASE WHEN signal ? 'fact' THEN c.document #> ARRAY['facts', signal ->> 'fact']
                      WHEN signal ? 'metric'
                      THEN c.document
                          - '{accounts,signals,bands,minimum_coverage,history,description,as_of,silence,relative_to_book}'::text[]
                          - '{segments,flags}'::text[]
                 END)
    FROM health_internal.canonical_document(document) AS c (document);
END;

-- Values are shrunk as scoring shrinks them (src/core/scoring/score.cpp): toward the median, which the accounts that are not silent make.
CREATE OR REPLACE FUNCTION
    health_internal.compile_frozen(number bigint, signal jsonb, segment_number integer) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($query$
        SELECT %1$s::pg_catalog.int8 AS number, m.median, coalesce(f.accounts, m.accounts) AS accounts, m.seen, f.parameters, f.reason, (
            WITH peers AS (
                SELECT v.segment, health_internal.peer_reference(pg_catalog.array_agg(v.value), pg_catalog.array_agg(v.n)) AS reference
                FROM (SELECT %2$s AS segment,
                             CASE WHEN a.silent OR m.accounts < 10 OR %3$s = 0 THEN a.raw[%1$s]
                                  ELSE (a.basis[%1$s] * a.raw[%1$s] + %3$s * m.median) / (a.basis[%1$s] + %3$s) END AS value,
                             pg_catalog.count(*) AS n
                      FROM accounts AS a WHERE a.raw[%1$s] IS NOT NULL GROUP BY 1, 2) AS v
                GROUP BY 1
            ) SELECT %4$s FROM peers AS p) AS reference
        FROM (SELECT pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY a.raw[%1$s]) FILTER (WHERE NOT a.silent) AS median,
                     pg_catalog.count(a.raw[%1$s]) FILTER (WHERE NOT a.silent) AS accounts,
                     coalesce(pg_catalog.bool_or(a.seen[%1$s]) OR %6$s AND NOT pg_catalog.bool_or(a.ever_active), true) AS seen
              FROM accounts AS a) AS m, (%5$s) AS f (parameters, accounts, reason) $query$,
        number, CASE WHEN segment_number IS NULL THEN 'NULL::pg_catalog.text' ELSE format('a.segments[%s]', segment_number) END,
        coalesce((signal ->> 'shrink')::float8, 0),
        CASE WHEN signal #>> '{normalize,kind}' IS DISTINCT FROM 'percentile' THEN 'NULL::pg_catalog.jsonb'
             WHEN segment_number IS NULL THEN 'pg_catalog.max(p.reference::pg_catalog.text)::pg_catalog.jsonb'
             ELSE 'pg_catalog.jsonb_build_object(''segments'', coalesce(pg_catalog.jsonb_object_agg(p.segment, p.reference) '
                  'FILTER (WHERE p.segment IS NOT NULL), ''{}''))' END,
        health_internal.compile_fit(number, signal), CASE WHEN signal ? 'fact' THEN 'false' ELSE 'true' END);
$$;

-- A version keeps what an earlier one froze of the same measure. What was never seen, or could not be fitted, is tried again.
CREATE OR REPLACE FUNCTION
    health_internal.unfrozen_signals(document jsonb, previous jsonb)
    RETURNS TABLE (number bigint, place text[], signal jsonb, kept jsonb)
LANGUAGE sql IMMUTABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT l.number, l.place, l.signal, p.signal
    FROM health_internal.leaf_signals(document) AS l
    LEFT JOIN LATERAL (SELECT e.signal FROM health_internal.leaf_signals(previous) AS e
                       WHERE health_internal.measured_by(previous, e.signal) = health_internal.measured_by(document, l.signal)
                         AND coalesce(e.signal ->> 'shrink', '0')::float8 = coalesce(l.signal ->> 'shrink', '0')::float8
                         AND (l.signal #>> '{normalize,kind}' IS DISTINCT FROM 'percentile' OR e.signal #> '{normalize,reference}' IS NOT
                             NULL)
                         AND (e.signal #>> '{frozen,seen}' IS DISTINCT FROM 'false')
                         AND (NOT health_internal.is_fitted(e.signal) OR e.signal #> '{frozen,parameters}' IS NOT NULL)
                       LIMIT 1) AS p ON true
    WHERE l.signal #>> '{normalize,kind}' = 'percentile' AND l.signal #> '{normalize,reference}' IS NULL
       OR l.signal ? 'metric' AND NOT l.signal ? 'frozen'
          AND (coalesce(l.signal ->> 'shrink', '0')::float8 > 0 OR health_internal.is_about_something(document, l.signal)
               OR health_internal.is_fitted(l.signal))
       OR l.signal ? 'fact' AND NOT l.signal ? 'frozen';
$$;

CREATE OR REPLACE FUNCTION
    health_internal.collect_frozen(document jsonb, wanted bigint[], as_of date, usage_from text, model_name text)
    RETURNS TABLE (number bigint, median float8, accounts bigint, seen boolean, parameters float8[], reason text, reference jsonb)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reads_events CONSTANT boolean := EXISTS (SELECT FROM health_internal.leaf_signals(document) AS l
                                             WHERE l.number = ANY (wanted) AND l.signal ?| '{metric,fact}');
    compiled health_internal.compiled_model := health_internal.compile_model(document, 0, as_of => collect_frozen.as_of,
        usage_from => CASE WHEN reads_events THEN collect_frozen.usage_from ELSE 'nothing' END, model_name => collect_frozen.model_name);
    parts text := (SELECT pg_catalog.string_agg(health_internal.compile_frozen(l.number, l.signal, i."position"), ' UNION ALL ')
                   FROM health_internal.leaf_signals(document) AS l
                   LEFT JOIN health.model_inputs(document) AS i
                     ON i.name = l.signal ->> 'name' AND l.signal #> '{normalize,segment}' IS NOT NULL
                   WHERE l.number = ANY (wanted));
BEGIN
    PERFORM health_internal.look_names_up_in(health_internal.names_path());
    RETURN QUERY EXECUTE pg_catalog.format(
        'WITH accounts AS MATERIALIZED (SELECT l.segments, s.* FROM (%s) AS l, health_internal.sight_account(%L, %s) AS s '
        'WHERE s.raw IS NOT NULL) %s',
        compiled.ledger, health_internal.scoring_document(document),
        health_internal.compile_state(health_internal.compile_known_usage(as_of), with_past => false), parts);
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(NULL, ROW(NULL, 0, NULL, document, health_internal.names_path(), NULL,
            NULL)::health_internal.model_version);
    END IF;
    RAISE;
END;
$$;

CREATE OR REPLACE FUNCTION
    health_internal.put_frozen(document jsonb, place text[], signal jsonb, median float8, accounts bigint, seen boolean,
    parameters float8[], reference jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN f.frozen = '{}' THEN r.document ELSE jsonb_set(r.document, place || '{frozen}'::text[], f.frozen) END
    FROM (SELECT CASE WHEN reference IS NULL THEN document
                      ELSE jsonb_set(document, place || '{normalize,reference}'::text[], reference) END) AS r (document),
         (SELECT CASE WHEN NOT signal ?| '{metric,fact}' THEN '{}'::jsonb
                      ELSE CASE WHEN coalesce((signal ->> 'shrink')::float8, 0) > 0
                                THEN jsonb_strip_nulls(jsonb_build_object('median', median, 'accounts', accounts)) ELSE '{}' END
                           || CASE WHEN parameters IS NULL THEN '{}'::jsonb
                                   ELSE jsonb_build_object('parameters', parameters, 'accounts', accounts) END
                           || CASE WHEN seen THEN '{}'::jsonb ELSE '{"seen": false}' END END) AS f (frozen);
$$;

-- Models as data: validate, create, alter, read, drop.

CREATE OR REPLACE FUNCTION
    health_internal.validation_problems(candidate jsonb, names_path text, OUT path text, OUT problem text, OUT hint text,
    OUT code text) RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document jsonb;
    shape text[];
    fields health_internal.model_field[];
BEGIN
    PERFORM health_internal.set_names_path(names_path);
    IF pg_catalog.jsonb_typeof(candidate) IS DISTINCT FROM 'object' THEN
        RETURN QUERY SELECT '', 'a model is a JSON object', 'Start with {"preset": "collaboration", "accounts": ..., "events": ...}.',
            '22023';
        RETURN;
    END IF;
    IF candidate ? 'preset' AND NOT EXISTS (SELECT 1 FROM health_internal.preset AS p WHERE p.name = candidate ->> 'preset') THEN
        RETURN QUERY SELECT 'preset', pg_catalog.format('there is no preset "%s"', candidate ->> 'preset'),
            (SELECT coalesce('Did you mean "' || health.nearest_name(candidate ->> 'preset', pg_catalog.array_agg(p.name)) || '"? ', '')
                    || 'The presets are: ' || pg_catalog.string_agg(p.name, ', ' ORDER BY p.position) || '.'
                        FROM health_internal.preset AS p),
            '22023';
        RETURN;
    END IF;
    document := health_internal.expand_preset(candidate);
    shape := ARRAY(SELECT p.path FROM health.model_problems(document) AS p);
    RETURN QUERY SELECT p.path, p.problem, p.hint, '22023' FROM health.model_problems(document) AS p;
    -- What the shape check has said about a place is not said again.
    IF 'as_of' = ANY (shape) THEN
        document := document - 'as_of';    -- no date: not to be said of every expression that is tried with it
    END IF;
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    IF document ? 'segments' AND shape = '{}' AND NOT EXISTS (SELECT FROM pg_catalog.unnest(fields) AS f WHERE f.problem IS NOT NULL) THEN
        fields := fields || ARRAY(SELECT f FROM health_internal.segment_fields(document, fields) AS f);
    END IF;
    RETURN QUERY SELECT f.path, f.problem, f.hint, f.code FROM pg_catalog.unnest(fields) AS f
        WHERE f.problem IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(shape) AS s (path)
                          WHERE f.path = s.path OR pg_catalog.starts_with(f.path, s.path || '.')
                                OR pg_catalog.starts_with(s.path, f.path || '.') OR s.path = f.source || '.table' OR s.path = '');
    RETURN QUERY SELECT z.path, z.problem, z.hint, '22023' FROM health_internal.unnamed_zones(document) AS z;
    RETURN QUERY SELECT c.path, c.problem, c.hint, '22023' FROM health_internal.capital_names(document, fields) AS c;
END;
$$;

CREATE OR REPLACE FUNCTION
    health_internal.check_definition(model_name text, definition jsonb, names_path text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problems health_internal.model_field[] := ARRAY(SELECT ROW(NULL, NULL, p.path, NULL, NULL, NULL, p.problem, p.hint,
        p.code)::health_internal.model_field
                                           FROM health_internal.validation_problems(definition, names_path) AS p);
BEGIN
    IF pg_catalog.cardinality(problems) = 1 THEN
        problems[1].path := pg_catalog.concat_ws(': ', pg_catalog.format('model "%s"', model_name), nullif(problems[1].path, ''));
        PERFORM health_internal.raise_field_problem(problems[1]);
    ELSIF pg_catalog.cardinality(problems) > 1 THEN
        RAISE EXCEPTION '%', pg_catalog.concat_ws(': ', pg_catalog.format('model "%s"', model_name), nullif(problems[1].path, ''),
                                                  problems[1].problem)
            USING ERRCODE = problems[1].code,
                  DETAIL = (SELECT 'There is more: ' || pg_catalog.string_agg(p.path || ': ' || p.problem, '; ')
                            FROM pg_catalog.unnest(problems[2:6]) AS p) || CASE WHEN pg_catalog.cardinality(problems) > 6 THEN '; ...'
                                ELSE '.' END,
                  HINT = coalesce(problems[1].hint, 'validate_model(definition) lists everything that is wrong.');
    END IF;
    RETURN health_internal.spell_out_flags(health_internal.qualify_tables(health_internal.expand_preset(definition)));
END;
$$;

CREATE OR REPLACE FUNCTION
    health_internal.create_model(name text, definition jsonb, comment text, visible text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document jsonb;
BEGIN
    PERFORM health_internal.check_model_name(name);
    SELECT r.document INTO document
    FROM health_internal.rows_as_owner(quote_ident(current_user)::regrole, NULL,
        'SELECT health_internal.freeze_references(health_internal.check_definition($1, $2::jsonb, $3), NULL)',
        name, definition::text, visible) AS r (document jsonb);
    INSERT INTO health_internal.model (name, current_version, comment) VALUES (name, 1, comment);
    PERFORM health_internal.add_version(name, 1, definition, document, visible);
    PERFORM health_internal.notice_flags_left_out(name, definition);
    RETURN 1;
END;
$$;

-- What names say to draft_model(): of columns, which field of a document they may be; of events, what somebody did.

CREATE FUNCTION health_internal.draft_words(name text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT btrim(regexp_replace(lower(regexp_replace(regexp_replace(name COLLATE "C", '([a-z0-9])([A-Z])', '\1_\2', 'g'),
                                                     '[^\x01-\x7f]+', '~', 'g')), '[^a-z0-9~]+', '_', 'g'), '_');
$$;

COMMENT ON FUNCTION health_internal.draft_words(text) IS 'A name as words in lower case with _ between them: accountId is account_id. '
    'Letters that are not ASCII are ~';

-- The lower the rank, the surer. English as it is written, and the German that is met in tables.
CREATE FUNCTION health_internal.draft_patterns(OUT field text, OUT rank integer, OUT pattern text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 80
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.* FROM (VALUES
    ('account', 1, '^(account|acct?|cust|customer|org|organi[sz]ation|tenant|workspace|company|client|kunden?|konto|mandant(en)?|firmen?)_?'
                   '(id|nr|no|key|number|nummer|uuid|code)$'),
    ('account', 2, '^(account|customer|org|organi[sz]ation|tenant|workspace|company|client|kunde|konto|mandant|firma)$'),
    ('account', 3, '^(team|project|site|shop|group|portal|projekt)(_?(id|nr|no|key|uuid))?$'),
    ('account', 4, '(account|customer|org|tenant|workspace|company|kunden?|konto)_?(id|nr|key|uuid)$'),
    ('account.id', 1, '^(account|acct?|cust|customer|org|organi[sz]ation|tenant|workspace|company|client|kunden?|konto|mandant(en)?|'
                      'firmen?|team|project)_?'
                      '(id|nr|no|key|number|nummer|uuid|code)$'),
    ('account.id', 2, '^(id|uid|uuid|key|nr|nummer|number)$'),
    ('account.id', 3, '^(account|customer|org|tenant|workspace|company|kunde|konto|mandant|firma|team|project)$'),
    ('account.id', 4, '_(id|key|uuid|nr)$'),
    ('user', 1, '^(user|usr|member|contributor|person|contact|actor|employee|benutzer|nutzer|anwender|mitarbeiter|mitglied)_?(id|uuid|nr|'
                'key|no)$'),
    ('user', 2, '^(user|usr|uid|who|member|contributor|person|contact|employee|benutzer|nutzer|anwender|mitarbeiter|mitglied|author)$'),
    ('user', 3, '^((user|member|contact)_?)?(e_?mail|username|user_name|login|handle)(_address)?$'),
    ('user', 4, '(user|member|person|contact|author|benutzer|nutzer)_?(id|uuid|nr|key)$'),
    ('user', 5, '^(created|performed|done)_by(_id)?$|^(actor|distinct_id|visitor_id|identity)$'),
    ('user.id', 1, '^(user|usr|member|contributor|person|contact|employee|benutzer|nutzer|anwender|mitarbeiter|mitglied)_?(id|uuid|nr|key|'
                   'no)$'),
    ('user.id', 2, '^(id|uid|uuid|key|nr)$'),
    ('user.id', 3, '^(user|member|contributor|person|contact|benutzer|nutzer|mitarbeiter|mitglied)$'),
    ('user.id', 4, '^(e_?mail|username|login|handle)(_address)?$'),
    ('event', 1, '^(event|action|activity|ereignis|aktion|aktivit(ae|~)t)(_?(name|type|kind|code|key|art|typ|id))?$|^event_type_(id|'
                 'name)$'),
    ('event', 2, '^(name|type|kind|typ|art|verb|operation|what|vorgang|t(ae|~)tigkeit)$'),
    ('event', 3, '(event|action|activity|ereignis|aktion)|_(type|kind|typ|art)$'),
    ('occurred_at', 1, '^(occurred|happened|event|performed|authored|logged|tracked|client|action)_?(at|on|time|timestamp|ts|date|day)$'
                       '|^zeitpunkt$|^(ereignis|aktions?)_?(zeit|datum|zeitpunkt)$'),
    ('occurred_at', 2, '^(timestamp|time_?stamp|ts|time|at|date_?time|when|date|day|zeit|datum|zeitstempel|am|tag)$'),
    ('occurred_at', 3, '^(created|recorded|sent|committed|erstellt|angelegt)_?(at|on|time|ts|date|am)?$'),
    ('occurred_at', 4, '^(?!.*(load|ingest|sync|receiv|etl|process|updat|modif|delet|insert)).*_(at|on|ts|time|date|am)$'),
    ('amount', 1, '^(amount|minutes|duration|seconds|quantity|hours|menge|dauer|minuten|sekunden|betrag)$'),
    ('amount', 2, '^(duration|elapsed|time_spent|dauer)_?(s|sec|secs|seconds|ms|min|minutes|minuten|sekunden)?$|_(minutes|seconds|'
                  'duration)$'),
    ('amount', 3, '^(value|count|size|bytes|anzahl|wert)$'),
    ('event.id', 1, '^(event|message|insert|ereignis)_?(id|uuid|key)$'),
    ('known_at', 1, '^_?(loaded|ingested|received|synced|arrived|inserted|_sdc_received|processed|geladen)_?(at|on|time|am)$'),
    ('actor', 1, '^actor(_?(type|kind))?$'),
    ('name', 1, '^(account|customer|company|org|organi[sz]ation|tenant|workspace|team|project|firmen|kunden|client)_?name$'),
    ('name', 2, '^(name|company|firma|customer|kunde|display_name|bezeichnung|title|label|organi[sz]ation)$'),
    ('start', 1, '^(customer|client|kunde|member|active|subscribed)_?(since|from|seit)$|^(vertragsbeginn|kundenbeginn)$'),
    ('start', 2, '^(start|started|signed|signed_up|sign_?up|onboarded|contract_start|went_live|go_live|activated|beginn)_?(at|on|date|'
                 'am)?$'),
    ('start', 3, '^(created|joined|registered|first_[a-z]+|erstellt|angelegt)_?(at|on|date|am)?$'),
    ('end', 1, '^(churned|churn|cancel?led|cancellation|terminated|lost|offboarded|gek(ue|~)ndigt|k(ue|~)ndigung)_?(at|on|date|zum|am)?$'),
    ('end', 2, '^(end|ended|closed|customer_until|deactivated|archived|deleted|contract_end|vertragsende|beendet|ende)_?(at|on|date|am)?$'),
    ('seats', 1, '^(seats|licen[sc]es|licensed_seats|(seat|licen[sc]e)_?(count|limit)|(num|paid|purchased|contracted)_seats|lizenzen|'
                 'pl(ae|~)tze)$'),
    ('seats', 2, '^(?!.*(used|active|belegt|genutzt)).*(seat|licen[sc]e|lizenz)'),
    ('joined', 1, '^(joined|signed_?up|sign_?up|registered|registration|activated|beigetreten|registriert|eintritt)_?(at|on|date|am)?$'),
    ('joined', 2, '^(created|first_[a-z]+|start|started|member_since|active_since|erstellt|angelegt|dabei_seit)_?(at|on|date|am)?$'),
    ('deactivated', 1, '^(deactivated|left|disabled|removed|suspended|away|deaktiviert|austritt|ausgetreten|gel(oe|~)scht)_?(at|on|date|'
                       'am)?$'),
    ('deactivated', 2, '^(deleted|ended|end|archived|closed|member_until)_?(at|on|date|am)?$'),
    ('invited', 1, '^(invited|invite_sent|invitation_sent|invitation|eingeladen)_?(at|on|date|am)?$'),
    ('fact.at', 1, '^(opened|answered|asked|reported|invoiced|paid|submitted|requested|starts?|started|begins?|valid_from|billed|held|'
                   'met|trained|completed|er(oe|~)ffnet|beantwortet|gestellt)_?(at|on|date|am)?$'),
    ('fact.at', 2, '^(created|recorded|date|day|at|on|timestamp|occurred|issued|sent|erstellt|angelegt|datum)_?(at|on|date|am)?$'),
    ('fact.at', 3, '^(?!.*(load|updat|modif|delet|due|end|close|resolv|until|expire)).*_(at|on|ts|time|date|am)$'),
    ('fact.until', 1, '^(resolved|closed|ends?|ended|until|valid_(to|until)|expires?|cancel?led|solved|finished|gel(oe|~)st|geschlossen|'
                      'beendet|bis)_?'
                      '(at|on|date|am)?$'),
    ('fact.value', 1, '^(mrr|arr|amount|value|score|rating|nps|csat|ces|price|total|revenue|points|betrag|wert|note)(_(eur|usd|'
                      'gbp|chf))?$'),
    ('fact.kind', 1, '^(kind|category|type|plan|topic|survey|kategorie|art|typ|thema)(_(name|type))?$'),
    ('fact.kind', 2, '^(severity|priority|status|schweregrad)$'),
    ('fact.currency', 1, '^(currency|w(ae|~)hrung)(_code)?$'),
    ('account flag', 1, '^(is_)?(test|internal|demo|deleted|sandbox|fake|intern|gel(oe|~)scht)(_(account|customer|tenant))?$'),
    ('user flag', 1, '^(is_)?(bot|robot|internal|test|staff|employee|system|service|automated|intern|support)(_(user|account))?$'),
    ('event flag', 1, '^(is_)?(test|internal|bot|robot|deleted|sandbox|spam)(_event)?$')) AS p (field, rank, pattern);
$$;

COMMENT ON FUNCTION health_internal.draft_patterns() IS
    'Which names of columns (as words) suit which field: regular expressions, rank 1 is the surest';

-- What presets and people like to see of an account beside usage, under the names that presets know.
CREATE FUNCTION health_internal.draft_attributes(OUT name text, OUT need text, OUT preset boolean, OUT pattern text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 25
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.* FROM (VALUES
    ('plan_tier', 'text', true, '^(plan|tier|plan_?(tier|name)|(subscription|pricing|product)_(plan|tier)|package|edition|tarif|paket)$'),
    ('arr', 'number', true, '^(arr|annual_recurring_revenue|acv|annual_contract_value|jahresumsatz)(_(eur|usd|gbp|chf))?$'),
    ('arr_previous', 'number', true, '^(arr_(previous|prior|last_year)|previous_arr)$'),
    ('mrr', 'number', false, '^(mrr|monthly_recurring_revenue|monatsumsatz)(_(eur|usd|gbp|chf))?$'),
    ('renewal_date', 'time', true, '^(next_)?(renewal|renews|contract_end|contract_renewal|(vertrags)?verl(ae|~)ngerung)_?(date|on|at|'
                     'am)?$'),
    ('open_tickets', 'number', true, '^(open_tickets|tickets_open|offene_tickets)$'),
    ('tickets_30d', 'number', true, '^tickets_(30d|last_30_days)$'),
    ('trainings_90d', 'number', true, '^trainings_(90d|last_90_days)$'),
    ('last_check_in', 'time', true, '^last_check_?in(_(at|on|date))?$'),
    ('outstanding_invoices', 'number', true, '^(outstanding|open|overdue|offene)_?(invoices|rechnungen)$'),
    ('main_contact_seen', 'time', true, '^main_contact_(last_)?seen(_(at|on))?$'),
    ('departments', 'number', true, '^(num_)?departments$'),
    ('nps', 'number', true, '^nps(_score)?$'),
    ('csat', 'number', true, '^csat(_score)?$'),
    ('csm', 'text', false, '^(csm(_(name|owner|email))?|customer_success_manager|account_(manager|owner)|owner|betreuer)$'),
    ('industry', 'text', false, '^(industry|sector|vertical|branche)$'),
    ('region', 'text', false, '^(region|territory)$'),
    ('country', 'text', false, '^(country(_code)?|land)$'),
    ('segment', 'text', false, '^(customer_)?segment$|^(size_class|company_size|gr(oe|~)(ss|~)enklasse)$'),
    ('employees', 'number', false, '^(employees|(employee|num_employees|head)_?count|mitarbeiter(zahl)?)$'),
    ('lifecycle_stage', 'text', false, '^(lifecycle(_stage)?|phase)$'),
    ('currency', 'text', false, '^(currency(_code)?|w(ae|~)hrung)$')) AS a (name, need, preset, pattern);
$$;

COMMENT ON FUNCTION health_internal.draft_attributes() IS
    'Columns of accounts that a draft takes over: logical name, kind of value, whether signals of presets read it, names as words';

CREATE FUNCTION health_internal.draft_rank(field text, words text) RETURNS integer
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.min(p.rank) FROM health_internal.draft_patterns() AS p WHERE p.field = draft_rank.field AND words ~ p.pattern;
END;

COMMENT ON FUNCTION health_internal.draft_rank(text, text) IS 'How well the name of a column suits a field, 1 best; NULL: not at all';

-- The verb says it, and it is the last word (report_created) or the first (create_report).
CREATE FUNCTION health_internal.draft_event(words text, share float8, OUT entry jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    verbs CONSTANT jsonb := jsonb_build_object(
        'interact', '^(comment|shar(e|ed|es|ing)$|repl(y|ied|ies)|invit|react|like[ds]?$|vot(e|ed|es|ing)$|mention|follow|assign|approv|'
        'merge|review|messag|chat|geteilt|kommentar|kommentier|eingeladen|bewertet)',
        'create', '^(creat|add(ed|s)?$|publish|upload|record(ed|s)?$|writ|wrote|post(ed|s)?$|submit|import|buil[dt]|generat|draft|edit|'
        'updat|commit|sen[dt]$|schedul|new$|insert|deploy|r[ua]n$|sav(e|ed)$|ma[dk]e|ask|answer|cast|configur|erstell|angelegt|'
        'hochgeladen|hinzugef(ue|~)gt|gespeichert|bearbeitet)',
        'consume', '^(view|page_?view|open|read|watch|search|click|visit|play(ed)?$|download|export|list(ed)?$|brows|scroll|seen|look|'
        'show|angesehen|ge(oe|~)ffnet|gelesen|gesucht|heruntergeladen|exportiert)');
    people CONSTANT text := '(^|_)(comment|repl(y|ies)|vote|reaction|mention|invit|messag|chat|kommentar)';
    activates CONSTANT text := '^(first|activat|complet|finish|onboard|connect|integrat|install|set_?up|abgeschlossen|aktiviert|'
        'eingerichtet)';
    parts CONSTANT text[] := string_to_array(words, '_');
    role text;
    verb text;
    roles text[];
    value integer;
    feature text;
BEGIN
    IF words ~ '(^|_)(log_?in|logged_in|sign_?in|signed_in|log_?out|logged_out|session|app_opened|anmeldung|angemeldet|eingeloggt|'
        'heartbeat)(_|$)' THEN
        entry := '{"role": "session", "value": 1, "feature": "app"}';
        RETURN;
    ELSIF words ~ '(^|_)(delet|remov|cancel|unsubscrib|unfollow|fail|error|deactivat|disconnect|uninstall|gel(oe|~)scht|entfernt|'
        'abgebrochen)' THEN
        RETURN;
    END IF;
    SELECT v.key, p.part INTO role, verb
    FROM unnest(parts) WITH ORDINALITY AS p (part, n), jsonb_each_text(verbs) AS v
    WHERE p.part ~ v.value ORDER BY p.n < cardinality(parts), p.n > 1, p.n DESC, v.key DESC LIMIT 1;
    IF role = 'create' AND words ~ people THEN
        role := 'interact';
    END IF;
    roles := array_remove(ARRAY[role, CASE WHEN words ~ '(^|_)(sign_?up|signed_up|registered)(_|$)' OR EXISTS (SELECT
        FROM unnest(parts) AS p (part) WHERE p.part ~ activates)
             THEN 'activate' END],
        NULL);
    -- What is done for others or kept is worth more than looking; what is rare, more than what everybody does all day.
    value := CASE role WHEN 'create' THEN 6 WHEN 'interact' THEN 4 WHEN 'consume' THEN 2 ELSE 1 END
        + CASE WHEN NOT 'activate' = ANY (roles) THEN 0 WHEN role IS NULL THEN 6 ELSE 2 END
        + CASE WHEN cardinality(roles) = 0 THEN 0 WHEN share < 0.002 THEN 2 WHEN share < 0.02 THEN 1
               WHEN share > 0.3 AND role IN ('create', 'interact') THEN -1 ELSE 0 END;
    SELECT string_agg(p.part, '_' ORDER BY p.n) INTO feature FROM unnest(parts) WITH ORDINALITY AS p (part, n)
    WHERE p.part IS DISTINCT FROM verb AND p.part !~ activates AND p.part !~ '^(by|to|for|of|in|from|the|a)$';
    entry := jsonb_strip_nulls(jsonb_build_object(
        'role', CASE cardinality(roles) WHEN 0 THEN NULL WHEN 1 THEN to_jsonb(roles[1]) ELSE to_jsonb(roles) END,
        'value', value, 'feature', CASE WHEN cardinality(parts) > 1 AND cardinality(roles) > 0 THEN feature END));
END;
$$;

COMMENT ON FUNCTION health_internal.draft_event(text, float8) IS
    'An entry of the catalog for an event by the words of its name and its share of all events: role by the stem of the verb, value by '
    'role and rarity, feature by the other words; NULL for what takes something away or fails, of which there is nothing to guess';

-- Names that only one preset knows speak for it; else what people do, and what is known of accounts.
CREATE FUNCTION health_internal.draft_preset(names text[], seats boolean, renewal boolean, OUT preset text, OUT reason text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known text[];
    feedback CONSTANT text[] := ARRAY(SELECT n FROM unnest(names) AS n WHERE n ~ '(^|_)(feedback|vot(e|ed)|idea|roadmap|changelog|'
        'feature_request)(_|s|$)');
    together CONSTANT text[] := ARRAY(SELECT n FROM unnest(names) AS n
                                      WHERE n ~ '(^|_)(video|screenshot|comment|share|shared|reply|replied|reaction|mention|whiteboard|'
                                          'board|kommentar|geteilt)');
BEGIN
    SELECT o.name, o.names INTO preset, known
    FROM (SELECT p.name, array_agg(n.name ORDER BY n.name) AS names, p.position
          FROM health_internal.preset AS p, unnest(names) AS n (name) WHERE p.definition -> 'catalog' ? n.name
          GROUP BY p.name, p.position) AS o
    ORDER BY cardinality(o.names) DESC, o.position LIMIT 1;
    IF cardinality(known) >= 3 THEN
        reason := format('its catalog has %s', array_to_string(known[1:5], ', ') || CASE WHEN cardinality(known) > 5 THEN ', ...'
            ELSE '' END);
    ELSIF cardinality(feedback) >= 2 THEN
        preset := 'feedback_portal';
        reason := format('events are about feedback: %s', array_to_string(feedback[1:3], ', '));
    ELSIF seats OR renewal THEN
        preset := 'customer_success';
        reason := format('accounts have %s', concat_ws(' and ', CASE WHEN seats THEN 'seats' END, CASE WHEN renewal THEN 'a renewal '
            'date' END));
    ELSIF cardinality(together) >= 2 THEN
        preset := 'collaboration';
        reason := format('people make things for each other: %s', array_to_string(together[1:3], ', '));
    ELSE
        preset := 'value_weighted';
        reason := 'nothing speaks for a more special one';
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_preset(text[], boolean, boolean) IS
    'The preset that fits names of events (as words) and what is known of accounts, and why';

-- What draft_model() sees of tables: their columns, a sample of their rows, which column holds the ids of another table.
-- It runs with the rights of who drafts.

CREATE TYPE health_internal.draft_column AS (
    name text,
    words text,
    type regtype,
    is_key boolean
);

COMMENT ON TYPE health_internal.draft_column IS 'Internal: a column that the current user may read';

COMMENT ON COLUMN health_internal.draft_column.words IS 'Its name as words in lower case';

COMMENT ON COLUMN health_internal.draft_column.type IS 'Its type, of a domain the base type';

COMMENT ON COLUMN health_internal.draft_column.is_key IS 'Whether no two rows have the same value, by a key or unique index';

CREATE TYPE health_internal.draft_table AS (
    relation regclass,
    label text,
    sample text,
    whole boolean,
    columns health_internal.draft_column[]
);

COMMENT ON TYPE health_internal.draft_table IS 'Internal: a table that a document is drafted for';

COMMENT ON COLUMN health_internal.draft_table.label IS 'Its name with its schema, as a document and SQL have it';

COMMENT ON COLUMN health_internal.draft_table.sample IS 'FROM item of rows to look at, with the alias src';

COMMENT ON COLUMN health_internal.draft_table.whole IS 'Whether these are all rows';

CREATE FUNCTION health_internal.base_type(type regtype) RETURNS regtype
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE base AS (
        SELECT t.oid, t.typtype, t.typbasetype FROM pg_type AS t WHERE t.oid = type::oid
        UNION ALL
        SELECT t.oid, t.typtype, t.typbasetype FROM base AS b JOIN pg_type AS t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
    ) SELECT b.oid::regtype FROM base AS b WHERE b.typtype <> 'd';
$$;

COMMENT ON FUNCTION health_internal.base_type(regtype) IS 'The type under all domains';

-- 2,000 blocks are 16 MB. Of what has no blocks of its own the first rows must do.
CREATE FUNCTION health_internal.draft_table(relation regclass, argument text) RETURNS health_internal.draft_table
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seen health_internal.draft_table;
    schema_name name;
    kind "char";
    blocks bigint;
BEGIN
    IF relation IS NULL THEN
        RAISE EXCEPTION 'draft_model needs the table of %', argument USING ERRCODE = 'null_value_not_allowed',
            HINT = 'draft_model(''crm.accounts'', ''app.events'', ''app.users''), with your tables.';
    END IF;
    SELECT format('%I.%I', n.nspname, c.relname), n.nspname, c.relkind INTO seen.label, schema_name, kind
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation;
    IF NOT FOUND THEN
        RAISE EXCEPTION '%: there is no table with the oid %', argument, relation::oid USING ERRCODE = 'undefined_table',
            HINT = 'Name a table: ''crm.accounts''.';
    ELSIF kind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
        RAISE EXCEPTION '%: % is not a table or view', argument, seen.label USING ERRCODE = 'wrong_object_type';
    ELSIF NOT has_schema_privilege(schema_name, 'USAGE') THEN
        RAISE EXCEPTION '%: permission denied for schema %', argument, schema_name USING ERRCODE = 'insufficient_privilege',
            HINT = format('GRANT USAGE ON SCHEMA %I TO %I;', schema_name, current_user);
    ELSIF NOT has_any_column_privilege(relation, 'SELECT') THEN
        RAISE EXCEPTION '%: permission denied for table %', argument, seen.label USING ERRCODE = 'insufficient_privilege',
            HINT = format('GRANT SELECT ON %s TO %I;', seen.label, current_user);
    END IF;
    seen.relation := relation;
    seen.columns := ARRAY(
        SELECT ROW(a.attname, health_internal.draft_words(a.attname), health_internal.base_type(a.atttypid::regtype),
                   EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = relation AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                               AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum))::health_internal.draft_column
        FROM pg_attribute AS a
        WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege(relation, a.attnum, 'SELECT')
        ORDER BY a.attnum);
    IF kind IN ('r', 'p', 'm') THEN
        SELECT coalesce(sum(pg_relation_size(t.relid)) FILTER (WHERE t.isleaf), pg_relation_size(relation))
               / current_setting('block_size')::bigint
        INTO blocks FROM pg_partition_tree(relation) AS t;
        seen.whole := blocks <= 2000;
        seen.sample := seen.label || ' AS src'
            || CASE WHEN seen.whole THEN '' ELSE format(' TABLESAMPLE SYSTEM (%s) REPEATABLE (0)', 100 * 2000.0 / blocks) END;
    ELSE
        EXECUTE format('SELECT count(*) <= 100000 FROM (SELECT 1 FROM %s LIMIT 100001) AS r', seen.label) INTO seen.whole;
        seen.sample := format('(SELECT %s FROM %s LIMIT 100000) AS src',
                              (SELECT string_agg(quote_ident(c.name), ', ') FROM unnest(seen.columns) AS c), seen.label);
    END IF;
    RETURN seen;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_table(regclass, text) IS
    'A table that a draft is made for; an error that names it when it is none or may not be read';

CREATE FUNCTION health_internal.find_draft_column(columns health_internal.draft_column[], name text) RETURNS health_internal.draft_column
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c FROM unnest(columns) AS c WHERE c.name = find_draft_column.name;
$$;

COMMENT ON FUNCTION health_internal.find_draft_column(health_internal.draft_column[], text) IS 'The column of that name';

CREATE FUNCTION health_internal.names_things(type regtype) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT NOT health_internal.is_nameless(type) AND health_internal.type_category(type) NOT IN ('D', 'B');
$$;

COMMENT ON FUNCTION health_internal.names_things(regtype) IS 'Whether values of a type can be ids and names of events';

-- How a text is read as a time: year first by itself, day first with dots by its format. By the values, as far as there are any.
CREATE FUNCTION health_internal.draft_time(seen health_internal.draft_table, field health_internal.draft_column,
    OUT spec jsonb, OUT type regtype)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n bigint;
    days bigint;
    moments bigint;
    zoned bigint;
    dotted bigint;
    scale bigint;
    scaled bigint;
BEGIN
    IF field.type IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) THEN
        spec := to_jsonb(field.name);
        type := field.type;
    ELSIF health_internal.type_category(field.type) = 'S' THEN
        EXECUTE format($query$
            SELECT count(*), count(*) FILTER (WHERE v ~ '^\d{4}-\d\d-\d\d$'), count(*) FILTER (WHERE v ~ '^\d{4}-\d\d-\d\d[ T]\d\d:\d\d'),
                   count(*) FILTER (WHERE v ~ '^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)? ?(Z|UTC|[+-]\d\d(:?\d\d)?)$'),
                   count(*) FILTER (WHERE v ~ '^\d\d?\.\d\d?\.\d{4}')
            FROM (SELECT btrim(src.%I::text) AS v FROM %s WHERE src.%1$I IS NOT NULL LIMIT 5000) AS t $query$, field.name, seen.sample)
        INTO n, days, moments, zoned, dotted;
        type := CASE WHEN n = 0 OR greatest(days + moments, dotted) < 0.9 * n THEN NULL
                     WHEN dotted > days + moments OR zoned = 0 AND moments > 0 THEN 'timestamp'::regtype
                     WHEN zoned > 0 THEN 'timestamptz'::regtype ELSE 'date'::regtype END;
        spec := jsonb_build_object('sql', CASE WHEN dotted > days + moments
            THEN format('to_timestamp(%I, ''DD.MM.YYYY HH24:MI:SS'')::timestamp', field.name)
            ELSE format('(%I)::%s', field.name, CASE type WHEN 'timestamp'::regtype THEN 'timestamp' WHEN 'date'::regtype THEN 'date'
                                                          ELSE 'timestamptz' END) END);
    ELSIF health_internal.is_number(field.type) THEN
        EXECUTE format($query$
            SELECT count(*), count(*) FILTER (WHERE t.scale = m.scale), m.scale
            FROM (SELECT v, CASE WHEN v BETWEEN 631152000 AND 4102444800 THEN 1 WHEN v BETWEEN 631152000000 AND 4102444800000 THEN 1000
                                 WHEN v BETWEEN 631152000000000 AND 4102444800000000 THEN 1000000 END AS scale
                  FROM (SELECT src.%I::float8 AS v FROM %s WHERE src.%1$I IS NOT NULL LIMIT 5000) AS s) AS t,
                 (SELECT CASE WHEN max(v) <= 4102444800 THEN 1 WHEN max(v) <= 4102444800000 THEN 1000 ELSE 1000000 END AS scale
                  FROM (SELECT src.%1$I::float8 AS v FROM %2$s WHERE src.%1$I IS NOT NULL LIMIT 5000) AS s) AS m
            GROUP BY m.scale $query$, field.name, seen.sample)
        INTO n, scaled, scale;
        IF n > 0 AND scaled >= 0.9 * n THEN
            type := 'timestamptz'::regtype;
            spec := jsonb_build_object('sql', CASE scale WHEN 1 THEN format('to_timestamp(%I)', field.name)
                                                         ELSE format('to_timestamp(%I / %s.0)', field.name, scale) END);
        END IF;
    END IF;
    IF type IS NULL THEN
        spec := NULL;
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_time(health_internal.draft_table, health_internal.draft_column) IS
    'How a document reads a column as a time: a column, or an expression for texts and seconds since 1970; NULL when its values are none';

CREATE FUNCTION health_internal.draft_number(seen health_internal.draft_table, field health_internal.draft_column) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fits boolean;
BEGIN
    IF health_internal.is_number(field.type) THEN
        RETURN to_jsonb(field.name);
    ELSIF field.type = 'money'::regtype THEN
        RETURN jsonb_build_object('sql', format('(%I)::numeric', field.name));
    ELSIF health_internal.type_category(field.type) = 'S' THEN
        EXECUTE format($query$
            SELECT count(*) > 0 AND count(*) FILTER (WHERE v ~ '^[+-]?\d+(\.\d+)?$') >= 0.9 * count(*)
            FROM (SELECT btrim(src.%I::text) AS v FROM %s WHERE src.%1$I IS NOT NULL LIMIT 5000) AS t $query$, field.name, seen.sample)
        INTO fits;
        IF fits THEN
            RETURN jsonb_build_object('sql', format('(%I)::numeric', field.name));
        END IF;
    END IF;
    RETURN NULL;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_number(health_internal.draft_table, health_internal.draft_column) IS
    'How a document reads a column as a number; NULL when its values are none';

CREATE FUNCTION health_internal.draft_flag(field health_internal.draft_column) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN field.type = 'boolean'::regtype THEN quote_ident(field.name)
                WHEN health_internal.is_number(field.type) THEN format('%I = 1', field.name)
                WHEN health_internal.type_category(field.type) = 'S'
                    THEN format('lower(%I) in (''true'', ''t'', ''yes'', ''y'', ''1'')', field.name) END;
$$;

COMMENT ON FUNCTION health_internal.draft_flag(health_internal.draft_column) IS 'A column as a condition; NULL when it cannot be one';

-- The best column of a field whose values are of the kind that it needs.
CREATE FUNCTION health_internal.draft_field(seen health_internal.draft_table, field text, need text, taken text[],
    OUT name text, OUT spec jsonb, OUT type regtype)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    candidate health_internal.draft_column;
BEGIN
    FOR candidate IN SELECT c.name, c.words, c.type, c.is_key FROM unnest(seen.columns) WITH ORDINALITY AS c (name, words, type, is_key, n),
                         LATERAL health_internal.draft_rank(field, c.words) AS r (rank)
                     WHERE r.rank IS NOT NULL AND c.name <> ALL (taken) ORDER BY r.rank, c.n LOOP
        name := candidate.name;
        type := candidate.type;
        CASE need
            WHEN 'time' THEN SELECT t.spec, t.type INTO spec, type FROM health_internal.draft_time(seen, candidate) AS t;
            WHEN 'number' THEN spec := health_internal.draft_number(seen, candidate);
            WHEN 'flag' THEN spec := to_jsonb(health_internal.draft_flag(candidate));
            ELSE spec := CASE WHEN health_internal.names_things(candidate.type) THEN to_jsonb(candidate.name) END;
        END CASE;
        IF spec IS NOT NULL THEN
            RETURN;
        END IF;
    END LOOP;
    name := NULL;
    type := NULL;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_field(health_internal.draft_table, text, text, text[]) IS
    'The column that suits a field best by its name and is of the kind that it needs (id, time, number, flag), how a document reads it, '
    'and the type of that; NULL: there is none';

-- Which part of the ids in a column the other table knows, by up to 200 of them; NULL when there are none to compare.
CREATE FUNCTION health_internal.known_share(keeper health_internal.draft_table, key health_internal.draft_column,
    referrer health_internal.draft_table, reference health_internal.draft_column) RETURNS float8
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    form CONSTANT health_internal.id_form := health_internal.shared_form(ARRAY[key.type, reference.type]);
    is_same CONSTANT boolean := key.type = reference.type AND NOT health_internal.is_citext(key.type);
    looked_up CONSTANT text := CASE WHEN is_same THEN format('src.%I', reference.name)
        ELSE health_internal.compile_key(format('src.%I', reference.name), reference.type, form) END;
    ids text[];
    known bigint;
    filled boolean;
BEGIN
    EXECUTE format('SELECT array_agg(d.id) FROM (SELECT DISTINCT s.id FROM (SELECT (%s)::text AS id FROM %s WHERE src.%I IS NOT NULL '
                   'LIMIT 20000) AS s LIMIT 200) AS d', looked_up, referrer.sample, reference.name) INTO ids;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', keeper.sample) INTO filled;
    IF ids IS NULL OR NOT filled THEN
        RETURN NULL;
    END IF;
    EXECUTE CASE WHEN is_same
        THEN format('SELECT count(DISTINCT src.%1$I) FROM %2$s AS src WHERE src.%1$I = ANY ($1::%3$s[])', key.name, keeper.label,
                    format_type(key.type, -1))
        ELSE format('SELECT count(DISTINCT k.id) FROM (SELECT (%s)::text AS id FROM %s AS src) AS k WHERE k.id = ANY ($1)',
                    health_internal.compile_key(format('src.%I', key.name), key.type, form), keeper.label) END
    INTO known USING ids;
    RETURN known::float8 / cardinality(ids);
END;
$$;

COMMENT ON FUNCTION health_internal.known_share(health_internal.draft_table, health_internal.draft_column, health_internal.draft_table,
    health_internal.draft_column) IS
    'The share of the ids of a column, up to 200 different ones of the sample, that the other table has; NULL when either has no rows';

-- A foreign key says it; else names propose and values decide. Small integers are in every table, so that they need a name as well.
CREATE FUNCTION health_internal.draft_reference(keeper health_internal.draft_table, key_field text, only_key text,
    referrer health_internal.draft_table, reference_field text, taken text[], OUT key text, OUT reference text, OUT share float8)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- A column is often called as the table that it refers to.
    called CONSTANT text[] := (SELECT ARRAY[w.words, regexp_replace(w.words, 's$', ''), regexp_replace(w.words, 'ies$', 'y')]
                               FROM pg_class AS c, health_internal.draft_words(c.relname) AS w (words) WHERE c.oid = keeper.relation);
    pair record;
    known float8;
    points float8;
    best float8;
BEGIN
    FOR pair IN
        SELECT k.field, r.field AS referring, coalesce(k.rank, 9) AS key_rank, coalesce(r.rank, 9) AS reference_rank,
               EXISTS (SELECT FROM pg_constraint AS c JOIN pg_attribute AS ka ON ka.attrelid = c.confrelid AND ka.attnum = c.confkey[1]
                       JOIN pg_attribute AS ra ON ra.attrelid = c.conrelid AND ra.attnum = c.conkey[1]
                       WHERE c.contype = 'f' AND cardinality(c.conkey) = 1 AND c.conrelid = referrer.relation
                           AND c.confrelid = keeper.relation AND ka.attname = (k.field).name AND ra.attname = (r.field).name)
                               AS is_foreign_key
        FROM (SELECT c AS field, health_internal.draft_rank(key_field, c.words) AS rank FROM unnest(keeper.columns) AS c
              WHERE health_internal.names_things(c.type) AND c.name = coalesce(only_key, c.name)) AS k,
             (SELECT c AS field, CASE WHEN regexp_replace(c.words, '_?(id|uuid|key|nr)$', '') = ANY (called) THEN 1
                                      ELSE health_internal.draft_rank(reference_field, c.words) END AS rank
              FROM unnest(referrer.columns) AS c
              WHERE health_internal.names_things(c.type) AND c.name <> ALL (taken)) AS r
        WHERE (k.rank IS NOT NULL OR (k.field).is_key OR only_key IS NOT NULL)
            AND (r.rank IS NOT NULL OR NOT health_internal.is_number((r.field).type)
                 OR (r.field).words = (k.field).words AND (k.field).words <> 'id')
        ORDER BY is_foreign_key DESC, coalesce(r.rank, 9), NOT (k.field).is_key, coalesce(k.rank, 9) LIMIT 24
    LOOP
        IF pair.is_foreign_key THEN
            key := (pair.field).name;
            reference := (pair.referring).name;
            share := 1;
            RETURN;
        END IF;
        known := health_internal.known_share(keeper, pair.field, referrer, pair.referring);
        CONTINUE WHEN CASE WHEN pair.reference_rank = 9 THEN coalesce(known, 0) < 0.8 ELSE known < 0.1 END;
        points := 100 * coalesce(known, 0) - 5 * pair.reference_rank - 3 * pair.key_rank
            + CASE WHEN (pair.field).is_key THEN 10 ELSE 0 END;
        IF best IS NULL OR points > best THEN
            best := points;
            key := (pair.field).name;
            reference := (pair.referring).name;
            share := known;
        END IF;
    END LOOP;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_reference(health_internal.draft_table, text, text, health_internal.draft_table, text, text[]) IS
    'Which column of one table holds the ids of another, and which column of that these are: by foreign key, names and values. share: of '
    'the ids that were looked up, NULL when there were none';

-- The sources and the catalog of a draft, each with what it is unsure of.

CREATE FUNCTION health_internal.draft_flags(seen health_internal.draft_table, field text, taken text[]) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(f.condition ORDER BY c.n), '{}')
    FROM unnest(seen.columns) WITH ORDINALITY AS c (name, words, type, is_key, n),
         LATERAL health_internal.draft_flag(ROW(c.name, c.words, c.type, c.is_key)::health_internal.draft_column) AS f (condition)
    WHERE health_internal.draft_rank(field, c.words) IS NOT NULL AND f.condition IS NOT NULL AND c.name <> ALL (taken);
$$;

COMMENT ON FUNCTION health_internal.draft_flags(health_internal.draft_table, text, text[]) IS
    'Conditions of the columns of a table that mark rows to leave out';

CREATE FUNCTION health_internal.draft_accounts(seen health_internal.draft_table, id text, last_day date, OUT source jsonb,
    OUT findings text[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken text[] := ARRAY[id];
    found record;
    attribute record;
    columns jsonb := '{}'::jsonb;
    flags text[];
    later float8;
BEGIN
    source := jsonb_build_object('table', seen.label, 'id', id);
    FOR attribute IN SELECT f.field, f.need FROM (VALUES (1, 'name', 'id'), (2, 'start', 'time'), (3, 'end', 'time'), (4, 'seats',
        'number'))
                         AS f (n, field, need) ORDER BY f.n LOOP
        SELECT f.name, f.spec, f.type INTO found FROM health_internal.draft_field(seen, attribute.field, attribute.need, taken) AS f;
        CONTINUE WHEN found.spec IS NULL;
        -- The end of a running contract is when it renews.
        IF attribute.field = 'end' THEN
            BEGIN
                EXECUTE format('SELECT avg((coalesce((%s)::date, %L) > %L)::int) FROM %s', coalesce(found.spec ->> 'sql',
                    quote_ident(found.name)), last_day, last_day, seen.sample) INTO later;
            EXCEPTION WHEN data_exception THEN    -- some text is none
                later := NULL;
            END;
            IF later > 0.5 THEN
                columns := jsonb_build_object('renewal_date', found.spec);
                taken := taken || found.name;
                findings := findings || format('accounts.%s: lies ahead for most accounts, so it is taken for the renewal date, not for '
                    'the end; "end" is the first day on which an account is no customer any more', found.name);
                CONTINUE;
            END IF;
        END IF;
        source := source || jsonb_build_object(attribute.field, found.spec);
        taken := taken || found.name;
    END LOOP;
    IF NOT source ? 'name' AND health_internal.type_category((health_internal.find_draft_column(seen.columns, id)).type) = 'S' THEN
        source := source || jsonb_build_object('name', id);
    END IF;
    FOR attribute IN SELECT a.name, a.need, a.preset, u.field
                     FROM health_internal.draft_attributes() WITH ORDINALITY AS a (name, need, preset, pattern, n),
                          LATERAL (SELECT ROW(c.name, c.words, c.type, c.is_key)::health_internal.draft_column AS field
                                   FROM unnest(seen.columns) WITH ORDINALITY AS c (name, words, type, is_key, n)
                                   WHERE c.words ~ a.pattern AND c.name <> ALL (taken) ORDER BY c.words <> a.name, c.n LIMIT 1) AS u
                     ORDER BY a.n LOOP
        CONTINUE WHEN columns ? attribute.name;
        found := NULL;
        IF attribute.need = 'time' THEN
            SELECT t.spec INTO found FROM health_internal.draft_time(seen, attribute.field) AS t;
        ELSIF attribute.need = 'number' THEN
            SELECT health_internal.draft_number(seen, attribute.field) AS spec INTO found;
        ELSE
            SELECT CASE WHEN health_internal.names_things((attribute.field).type) THEN to_jsonb((attribute.field).name) END
                AS spec INTO found;
        END IF;
        IF found.spec IS NOT NULL THEN
            columns := columns || jsonb_build_object(attribute.name, found.spec);
        ELSIF attribute.preset AND (attribute.field).name = attribute.name THEN
            -- A signal of a preset would read it as it is.
            columns := columns || jsonb_build_object(attribute.name, jsonb_build_object('sql', CASE attribute.need
                WHEN 'time' THEN 'null::date' WHEN 'number' THEN 'null::numeric' ELSE 'null::text' END));
            findings := findings || format('accounts.columns.%s: the values of %s (%s) are no %s, so it stays unknown', attribute.name,
                (attribute.field).name, (attribute.field).type, CASE attribute.need WHEN 'time' THEN 'dates' WHEN 'number' THEN 'numbers'
                ELSE 'names' END);
        END IF;
    END LOOP;
    IF columns ? 'mrr' AND NOT columns ? 'arr' THEN
        columns := columns || jsonb_build_object('arr', jsonb_build_object('sql',
            coalesce(columns #>> '{mrr,sql}', quote_ident(columns ->> 'mrr')) || ' * 12'));
    END IF;
    IF columns <> '{}' THEN
        source := source || jsonb_build_object('columns', columns);
    END IF;
    flags := health_internal.draft_flags(seen, 'account flag', taken);
    IF flags <> '{}' THEN
        source := source || jsonb_build_object('filter', (SELECT string_agg(format('(%s) is not true', f), ' and ')
                                                          FROM unnest(flags) AS f));
    END IF;
    IF NOT source ? 'start' THEN
        findings := findings || 'accounts.start: no column says since when an account is a customer, so that all are customers since '
            'ever'::text;
    END IF;
    IF NOT source ? 'end' THEN
        findings := findings || 'accounts.end: no column says when an account left, so that all are customers still'::text;
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_accounts(health_internal.draft_table, text, date) IS
    'The account source of a draft, with what it is unsure of. last_day: the last day with events';

CREATE FUNCTION health_internal.draft_users(seen health_internal.draft_table, id text, account text, OUT source jsonb, OUT findings text[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken text[] := array_remove(ARRAY[id, account], NULL);
    found record;
    field text;
    flags text[];
BEGIN
    source := jsonb_strip_nulls(jsonb_build_object('table', seen.label, 'id', id, 'account', account));
    IF account IS NULL THEN
        findings := findings || format('users.account: no column of %s holds ids of accounts, so that days of joining and leaving are '
            'not used',
                                       seen.label);
    ELSE
        FOREACH field IN ARRAY ARRAY['invited', 'joined', 'deactivated'] LOOP
            SELECT f.name, f.spec INTO found FROM health_internal.draft_field(seen, field, 'time', taken) AS f;
            IF found.spec IS NOT NULL THEN
                source := source || jsonb_build_object(field, found.spec);
                taken := taken || found.name;
            END IF;
        END LOOP;
    END IF;
    -- Who was invited and has no day of joining has not joined yet: without that day nobody ever would have.
    IF source ? 'invited' AND NOT source ? 'joined' THEN
        source := source - 'invited';
        findings := findings || 'users.invited: left out, since no column says when a user joined'::text;
    END IF;
    flags := health_internal.draft_flags(seen, 'user flag', taken);
    IF flags <> '{}' THEN
        source := source || jsonb_build_object('exclude', array_to_string(flags, ' or '));
    ELSE
        findings := findings || format('users.exclude: no column of %s marks bots and people of your own; say how they are known, such as '
            '"email like ''%%@your-company.com''"', seen.label);
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_users(health_internal.draft_table, text, text) IS
    'The user source of a draft, with what it is unsure of';

-- By name; else the text with few different values.
CREATE FUNCTION health_internal.draft_event_column(seen health_internal.draft_table, taken text[], OUT name text, OUT by_contents boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    candidate record;
    n bigint;
    kinds bigint;
BEGIN
    FOR candidate IN SELECT c.name, r.rank FROM unnest(seen.columns) WITH ORDINALITY AS c (name, words, type, is_key, n),
                         LATERAL health_internal.draft_rank('event', c.words) AS r (rank)
                     WHERE health_internal.names_things(c.type) AND NOT c.is_key AND c.name <> ALL (taken)
                         AND (r.rank IS NOT NULL OR health_internal.type_category(c.type) IN ('S', 'E'))
                     ORDER BY r.rank NULLS LAST, c.n LOOP
        EXECUTE format('SELECT count(*), count(DISTINCT e.v) FROM (SELECT src.%I::text AS v FROM %s WHERE src.%1$I IS NOT NULL LIMIT '
            '20000) AS e', candidate.name, seen.sample) INTO n, kinds;
        by_contents := candidate.rank IS NULL;
        CONTINUE WHEN kinds > 1000 OR n >= 50 AND kinds > n / 2 OR by_contents AND (n < 20 OR kinds > n / 10 OR kinds > 200);
        name := candidate.name;
        RETURN;
    END LOOP;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_event_column(health_internal.draft_table, text[]) IS
    'The column with the names of events, whether only its contents speak for it; NULL: there is none';

CREATE FUNCTION health_internal.raise_no_column(seen health_internal.draft_table, field text, wanted text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'no column of % is the % of an event', seen.label, field
        USING ERRCODE = 'undefined_column',
              DETAIL = format('Looked for %s. Its columns are: %s.', wanted,
                              coalesce((SELECT string_agg(c.name, ', ') FROM unnest(seen.columns) AS c), 'none')),
              HINT = format('Write the model by hand, with {"sql": "..."} for what is no column: "events": {"table": "%s", "account": ..., '
                            '"user": ..., "event": ..., "occurred_at": ...}.', replace(seen.label, '"', '\"'));
END;
$$;

COMMENT ON FUNCTION health_internal.raise_no_column(health_internal.draft_table, text, text) IS
    'The error when a table of events lacks what an event needs';

CREATE FUNCTION health_internal.draft_events(seen health_internal.draft_table, account text, user_name text, zone text,
    OUT source jsonb, OUT findings text[], OUT last_day date, OUT names text[], OUT counts bigint[], OUT left_out bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken text[] := array_remove(ARRAY[account, user_name], NULL);
    event health_internal.draft_column;
    by_contents boolean;
    found record;
    flags text[];
    named text;
    dollars boolean;
    latest date;
BEGIN
    source := jsonb_strip_nulls(jsonb_build_object('table', seen.label, 'account', account, 'user', user_name));
    SELECT e.name, e.by_contents INTO event.name, by_contents FROM health_internal.draft_event_column(seen, taken) AS e;
    IF event.name IS NULL THEN
        PERFORM health_internal.raise_no_column(seen, 'name', 'names such as event, event_name, action, activity, type, kind, and texts '
            'with few different values');
    END IF;
    event := health_internal.find_draft_column(seen.columns, event.name);
    taken := taken || event.name;
    IF by_contents THEN
        findings := findings || format('events.event: %s is taken by its contents, not by its name', event.name);
    END IF;
    SELECT f.name, f.spec, f.type INTO found FROM health_internal.draft_field(seen, 'occurred_at', 'time', taken) AS f;
    IF found.spec IS NULL THEN    -- whatever is a time by its type
        SELECT c.name, to_jsonb(c.name) AS spec, c.type INTO found FROM unnest(seen.columns) AS c
        WHERE c.type IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) AND c.name <> ALL (taken) LIMIT 1;
    END IF;
    IF found.spec IS NULL THEN
        PERFORM health_internal.raise_no_column(seen, 'time', 'dates and timestamps, and texts or seconds since 1970 under names such as '
            'occurred_at, timestamp, created_at');
    END IF;
    taken := taken || found.name;
    source := source || jsonb_build_object('occurred_at', found.spec);
    IF found.type = 'timestamp'::regtype THEN
        findings := findings || format('events.occurred_at: %s has no time zone, so that an event counts on the day that is written; if it '
            'is in UTC, say "time_zone": "UTC" in events', found.name);
    END IF;
    BEGIN
        -- A few rows may be of any day: clocks go wrong.
        EXECUTE format($query$
            WITH days AS MATERIALIZED (SELECT %s AS day FROM %s WHERE %s),
                 sane AS (SELECT d.day FROM days AS d WHERE isfinite(d.day) AND d.day <= current_date + 1),
                 most AS (SELECT percentile_disc(0.999) WITHIN GROUP (ORDER BY s.day) AS day FROM sane AS s)
            SELECT max(s.day) FILTER (WHERE s.day <= m.day + 28), max(s.day) FROM sane AS s, most AS m $query$,
            health_internal.local_day(format('(%s)', coalesce(found.spec ->> 'sql', format('src.%I', found.name))), found.type, NULL, zone),
            seen.sample, CASE WHEN health_internal.type_category((health_internal.find_draft_column(seen.columns, found.name)).type) = 'S'
                              THEN format('src.%I ~ ''^\s*\d+[-.]\d\d?[-.]\d''', found.name) ELSE 'true' END) INTO last_day, latest;
        IF latest > last_day THEN
            findings := findings || format('events.occurred_at: a few events are much later than the others, up to %s', latest);
        END IF;
    EXCEPTION WHEN data_exception THEN    -- some text is none
        findings := findings || format('events.occurred_at: some values of %s cannot be read as a time; their rows are left out',
            found.name);
    END;

    named := CASE WHEN health_internal.is_citext(event.type) THEN format('lower(src.%I::text)', event.name)
                  ELSE health_internal.canonical_text(format('src.%I', event.name), event.type) END;
    EXECUTE format('SELECT coalesce(bool_or(%s LIKE ''$%%''), false) FROM %s', named, seen.sample) INTO dollars;
    source := source || jsonb_build_object('event', CASE WHEN dollars THEN jsonb_build_object('sql', format('ltrim(%I::text, ''$'')',
        event.name)) ELSE to_jsonb(event.name) END);
    IF dollars THEN
        named := format('ltrim(%s, ''$'')', named);
        findings := findings || 'events.event: names that begin with $ are reserved, so the sign is taken away'::text;
    END IF;
    EXECUTE format($query$
        SELECT array_agg(e.name ORDER BY e.n DESC, e.name COLLATE "C"), array_agg(e.n ORDER BY e.n DESC, e.name COLLATE "C"),
               coalesce(max(e.kinds), 0) - count(*)
        FROM (SELECT t.name, count(*) AS n, count(*) OVER () AS kinds FROM (SELECT %s AS name FROM %s) AS t
              WHERE t.name <> '' AND t.name <> '*' GROUP BY t.name ORDER BY count(*) DESC, t.name COLLATE "C" LIMIT 60) AS e $query$,
        named, seen.sample) INTO names, counts, left_out;

    SELECT f.name, f.spec INTO found FROM health_internal.draft_field(seen, 'amount', 'number', taken) AS f;
    IF found.spec IS NOT NULL THEN
        source := source || jsonb_build_object('amount', found.spec);
        taken := taken || found.name;
    END IF;
    SELECT f.name, f.spec INTO found FROM health_internal.draft_field(seen, 'event.id', 'id', taken) AS f;
    IF found.spec IS NOT NULL AND NOT (health_internal.find_draft_column(seen.columns, found.name)).is_key THEN
        source := source || jsonb_build_object('id', found.spec);
        taken := taken || found.name;
    END IF;
    flags := health_internal.draft_flags(seen, 'event flag', taken);
    IF flags <> '{}' THEN
        source := source || jsonb_build_object('filter', (SELECT string_agg(format('(%s) is not true', f), ' and ')
                                                          FROM unnest(flags) AS f));
    END IF;
    SELECT f.name, f.spec INTO found FROM health_internal.draft_field(seen, 'known_at', 'time', taken) AS f;
    IF found.spec IS NOT NULL THEN
        findings := findings || format('events.known_at: left out; if %s says when a row became known, backtests know no more than was '
            'known',
                                       found.name);
    END IF;
    SELECT f.name, f.spec INTO found FROM health_internal.draft_field(seen, 'actor', 'id', taken) AS f;
    IF found.spec IS NOT NULL THEN
        findings := findings || format('events.actor: left out; if %s tells agents and integrations from people, map it so that people are '
            '"human"', found.name);
    END IF;
    IF NOT seen.whole THEN
        findings := findings || format('events: %s is large, and a sample of it was looked at (of a view the first 100,000 rows): rare '
            'names of events may be missing', seen.label);
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_events(health_internal.draft_table, text, text, text) IS
    'The event source of a draft, with what it is unsure of, the last day with events, and the names of events with their numbers, the '
    'most frequent 60 of them, and how many were left out';

-- Entries of presets as they are, first those of the one that was chosen; others are guessed.
CREATE FUNCTION health_internal.draft_catalog(preset text, names text[], counts bigint[], OUT catalog jsonb, OUT findings text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    total CONSTANT float8 := (SELECT sum(c) FROM unnest(counts) AS c);
    event record;
    entry jsonb;
    guessed text[] := '{}'::text[];
    silent text[] := '{}'::text[];
    started text;
    shared text;
BEGIN
    catalog := '{}';
    FOR event IN SELECT e.name, e.n, health_internal.draft_words(e.name) AS words
                 FROM ROWS FROM (unnest(names), unnest(counts)) AS e (name, n) LOOP
        SELECT p.definition -> 'catalog' -> event.words INTO entry FROM health_internal.preset AS p
        WHERE p.definition -> 'catalog' ? event.words ORDER BY p.name <> preset, p.position LIMIT 1;
        IF NOT FOUND THEN
            entry := health_internal.draft_event(event.words, event.n / total);
            IF EXISTS (SELECT FROM health_internal.preset AS p WHERE p.definition -> 'features' ? (entry ->> 'feature' || 's')) THEN
                entry := entry || jsonb_build_object('feature', entry ->> 'feature' || 's');
            END IF;
            IF entry IS NULL OR NOT entry ? 'role' THEN
                silent := silent || event.name;
            ELSE
                guessed := guessed || event.name;
            END IF;
            started := CASE WHEN entry -> 'role' ? 'create' THEN coalesce(started, event.name) ELSE started END;
            shared := CASE WHEN entry -> 'role' ? 'interact' THEN coalesce(shared, event.name) ELSE shared END;
        END IF;
        catalog := catalog || jsonb_build_object(event.name, coalesce(entry, '{"value": 1}'));
    END LOOP;
    IF catalog = '{}' THEN
        findings := findings || 'catalog: there are no events yet, so that it is that of the preset'::text;
        RETURN;
    END IF;
    started := coalesce(started, shared);
    IF started IS NOT NULL AND NOT jsonb_path_exists(catalog, '$.*.role ? (@ == "activate")') THEN
        catalog := jsonb_set(catalog, ARRAY[started, 'role'], jsonb_build_array(catalog -> started -> 'role', 'activate'));
        findings := findings || format('catalog.%s: taken for the event that makes a new user an active one (role activate)', started);
    END IF;
    FOR event IN SELECT r.name, health.nearest_name(r.name, array_agg(o.name)) AS other
                 FROM ROWS FROM (unnest(names), unnest(counts)) AS r (name, n) JOIN ROWS FROM (unnest(names), unnest(counts)) AS o (name, n)
                     ON o.n > 10 * r.n
                 WHERE r.name = ANY (silent) GROUP BY r.name ORDER BY r.name COLLATE "C" LOOP
        IF event.other IS NOT NULL THEN
            findings := findings || format('catalog.%s: is it a misspelling of %s?', event.name, event.other);
        END IF;
    END LOOP;
    IF guessed <> '{}' THEN
        findings := findings || format('catalog: roles and values are guesses by name for %s', array_to_string(guessed[1:10], ', ')
            || CASE WHEN cardinality(guessed) > 10 THEN ', ...' ELSE '' END);
    END IF;
    IF silent <> '{}' THEN
        findings := findings || format('catalog: activity of value 1, since their names say nothing: %s', array_to_string(silent[1:10],
            ', ')
            || CASE WHEN cardinality(silent) > 10 THEN ', ...' ELSE '' END);
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_catalog(text, text[], bigint[]) IS
    'The catalog of a draft, with what it is unsure of, for a preset and the names of events with their numbers, the most frequent first';

-- A first document for tables that nobody has described yet. It runs as the caller and only reads.

CREATE FUNCTION health_internal.draft_fact(fact regclass, accounts health_internal.draft_table, account_id text,
    users health_internal.draft_table, user_id text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seen CONSTANT health_internal.draft_table := health_internal.draft_table(fact, 'facts');
    source jsonb := jsonb_build_object('table', seen.label);
    taken text[] := '{}'::text[];
    reference text;
    wanted record;
    found record;
BEGIN
    SELECT r.reference INTO reference FROM health_internal.draft_reference(accounts, 'account.id', account_id, seen, 'account', '{}') AS r;
    IF reference IS NOT NULL THEN
        source := source || jsonb_build_object('account', reference);
        taken := taken || reference;
    END IF;
    IF users.relation IS NOT NULL THEN
        SELECT r.reference INTO reference FROM health_internal.draft_reference(users, 'user.id', user_id, seen, 'user', taken) AS r;
    ELSE
        SELECT f.name INTO reference FROM health_internal.draft_field(seen, 'user', 'id', taken) AS f;
    END IF;
    IF reference IS NOT NULL THEN
        source := source || jsonb_build_object('user', reference);
        taken := taken || reference;
    END IF;
    FOR wanted IN SELECT w.field, w.need FROM (VALUES (1, 'at', 'time'), (2, 'until', 'time'), (3, 'value', 'number'), (4, 'kind', 'id'),
                                                      (5, 'currency', 'id')) AS w (n, field, need) ORDER BY w.n LOOP
        SELECT f.name, f.spec INTO found FROM health_internal.draft_field(seen, 'fact.' || wanted.field, wanted.need, taken) AS f;
        IF found.spec IS NOT NULL THEN
            source := source || jsonb_build_object(wanted.field, found.spec);
            taken := taken || found.name;
        END IF;
    END LOOP;
    IF NOT source ? 'at' THEN
        RAISE EXCEPTION 'facts: no column of % says when a fact began', seen.label USING ERRCODE = 'undefined_column',
            HINT = 'Looked for dates and timestamps under names such as opened_at, answered_at, starts_on, created_at, date.';
    ELSIF NOT source ?| '{account,user}' THEN
        RAISE EXCEPTION 'facts: no column of % holds ids of accounts or users', seen.label USING ERRCODE = 'undefined_column',
            HINT = format('Looked for foreign keys, for names such as account_id and user_id, and for values that are in %s.',
                accounts.label);
    END IF;
    RETURN source;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_fact(regclass, health_internal.draft_table, text, health_internal.draft_table, text) IS
    'The source of a draft for a table of facts: account, user, at, until, value, kind and currency by names, foreign keys and values';

-- Signals of a preset that are about other events, or columns that are not there, are unknown: what is known must do for a first score.
CREATE FUNCTION health_internal.draft_coverage(preset text, names text[], accounts jsonb, OUT keys jsonb, OUT findings text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    definition CONSTANT jsonb := (SELECT p.definition FROM health_internal.preset AS p WHERE p.name = preset);
    absent CONSTANT text[] := ARRAY(
        SELECT DISTINCT e.name FROM jsonb_path_query(definition, 'strict $.signals.**.events') AS s (events),
            LATERAL jsonb_array_elements_text(s.events) AS e (name) WHERE NOT s.events ?| names ORDER BY e.name);
BEGIN
    keys := '{}';
    IF absent <> '{}' THEN
        findings := findings || format('preset: signals ask for events %s, which are not there; read yours under these names, such as '
            '"event": {"sql": "case event_name when ''idea_sent'' then ''%s'' else event_name end"}', array_to_string(absent, ', '),
            absent[1]);
    END IF;
    IF coalesce((definition ->> 'minimum_coverage')::float8, 0.5) >= 0.5
       AND (absent <> '{}' OR NOT accounts ? 'start' OR NOT coalesce(accounts -> 'columns', '{}') ?& '{arr,plan_tier,renewal_date}') THEN
        keys := '{"minimum_coverage": 0.15}';
        findings := findings || 'minimum_coverage: 0.15 for a first score, since much of what the preset asks for is not there; '
            'data_coverage '
            'of the score view says how much is'::text;
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.draft_coverage(text, text[], jsonb) IS
    'Keys of a draft that have a preset score tables which lack what it asks for, and findings of what that is';

CREATE FUNCTION health_internal.draft_zone(zone text, OUT name text, OUT finding text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT z.name INTO name FROM pg_timezone_names AS z WHERE lower(z.name) = lower(zone) AND z.name !~* '^(posix/|localtime|factory)';
    finding := CASE WHEN name IS NULL THEN format('time_zone: UTC, since the setting TimeZone ("%s") is no name of a place', zone)
                    ELSE format('time_zone: %s is the setting TimeZone, the data do not tell; days of the model begin at its midnight',
                        name)
                    END;
    name := coalesce(name, 'UTC');
END;
$$;

COMMENT ON FUNCTION health_internal.draft_zone(text) IS 'The time zone of a draft by the setting TimeZone of the session';

CREATE FUNCTION health_internal.draft_model(accounts regclass, events regclass, users regclass, facts regclass[], zone text, visible text,
    OUT document jsonb, OUT findings text[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account_table CONSTANT health_internal.draft_table := health_internal.draft_table(accounts, 'accounts');
    event_table CONSTANT health_internal.draft_table := health_internal.draft_table(events, 'events');
    user_table health_internal.draft_table;
    by_event record;    -- account ids in events
    by_user record;     -- account ids in users
    person record;      -- user ids in events
    event_source record;
    account_source record;
    user_source record;
    chosen record;
    catalog record;
    adapted record;
    time_zone record;
    fact regclass;
    fact_name text;
    fact_sources jsonb := '{}'::jsonb;
BEGIN
    IF users IS NOT NULL THEN
        user_table := health_internal.draft_table(users, 'users');
    END IF;
    SELECT r.key, r.reference, r.share INTO by_event
    FROM health_internal.draft_reference(account_table, 'account.id', NULL, event_table, 'account', '{}') AS r;
    SELECT NULL::text AS key, NULL::text AS reference, NULL::float8 AS share INTO by_user;
    IF user_table.relation IS NOT NULL THEN
        SELECT r.key, r.reference, r.share INTO by_user
        FROM health_internal.draft_reference(account_table, 'account.id', by_event.key, user_table, 'account', '{}') AS r;
    END IF;
    IF by_event.key IS NULL AND by_user.key IS NULL THEN
        PERFORM health_internal.raise_no_column(event_table, 'account', format('foreign keys to %s, for names such as account_id, '
            'customer_id, '
            'org, tenant, workspace, and for values that are ids of %1$s%s', account_table.label,
            ', in ' || user_table.label || ' as well'));
    END IF;
    IF user_table.relation IS NOT NULL THEN
        SELECT r.key, r.reference, r.share INTO person
        FROM health_internal.draft_reference(user_table, 'user.id', NULL, event_table, 'user', array_remove(ARRAY[by_event.reference],
            NULL))
            AS r;
    ELSE
        SELECT NULL::text AS key, f.name AS reference, NULL::float8 AS share INTO person
        FROM health_internal.draft_field(event_table, 'user', 'id', ARRAY[by_event.reference]) AS f;
    END IF;
    IF person.reference IS NULL THEN
        PERFORM health_internal.raise_no_column(event_table, 'user', 'names such as user_id, member, contributor, email'
            || CASE WHEN user_table.relation IS NULL THEN '' ELSE format(', foreign keys to %s, and values that are ids of it',
                user_table.label)
               END);
    END IF;
    IF by_event.reference IS NOT NULL AND by_event.share IS NULL AND by_user.share > 0 THEN    -- as good as no column
        findings := findings || format('events.account: left out, since %s is empty; the users tell the account', by_event.reference);
        by_event.reference := NULL;
    END IF;
    IF by_event.share < 1 THEN
        findings := findings || format('events.account: %s %% of the ids that were looked up are not in %s',
            round(100 - 100 * by_event.share),
                                       account_table.label);
    ELSIF by_event.reference IS NOT NULL AND by_event.share IS NULL THEN
        findings := findings || 'events.account: by its name alone, since there are no rows to compare'::text;
    END IF;
    IF person.share < 1 THEN
        findings := findings || format('events.user: %s %% of the ids that were looked up are not in %s', round(100 - 100 * person.share),
                                       user_table.label);
    END IF;

    SELECT * INTO time_zone FROM health_internal.draft_zone(zone);
    SELECT * INTO event_source
    FROM health_internal.draft_events(event_table, by_event.reference, person.reference, time_zone.name);
    SELECT * INTO account_source FROM health_internal.draft_accounts(account_table, coalesce(by_event.key, by_user.key),
        coalesce(event_source.last_day, current_date));
    SELECT * INTO chosen FROM health_internal.draft_preset(
        ARRAY(SELECT health_internal.draft_words(n) FROM unnest(event_source.names) AS n), account_source.source ? 'seats',
        account_source.source #> '{columns,renewal_date}' IS NOT NULL);
    SELECT * INTO catalog FROM health_internal.draft_catalog(chosen.preset, event_source.names, event_source.counts);
    SELECT * INTO adapted FROM health_internal.draft_coverage(chosen.preset, event_source.names, account_source.source);
    findings := format('preset: %s, since %s', chosen.preset, chosen.reason) || adapted.findings || findings || time_zone.finding
        || account_source.findings;

    document := adapted.keys || jsonb_build_object('preset', chosen.preset, 'time_zone', time_zone.name, 'accounts', account_source.source,
                                   'events', event_source.source);
    IF user_table.relation IS NOT NULL THEN
        SELECT * INTO user_source FROM health_internal.draft_users(user_table, person.key, by_user.reference);
        document := document || jsonb_build_object('users', user_source.source);
        findings := findings || user_source.findings;
    ELSE
        findings := findings || 'users: no table, so that who was never active is not known; rates are of the users that were seen'::text;
    END IF;
    findings := findings || event_source.findings || catalog.findings;
    IF catalog.catalog <> '{}' THEN
        document := document || jsonb_build_object('catalog', catalog.catalog);
    END IF;
    IF event_source.left_out > 0 THEN
        document := document || '{"unlisted_events": "count"}';
        findings := findings || format('catalog: has the %s most frequent names, %s more are left out and count with value 1 '
            '(unlisted_events)', cardinality(event_source.names), event_source.left_out);
    END IF;
    IF event_source.last_day < current_date - 28 THEN
        document := document || jsonb_build_object('as_of', event_source.last_day + 1);
        findings := findings || format('as_of: the last events are of %s, so the score is as of the day after; take the key out once '
            'events come in', event_source.last_day);
    END IF;
    FOREACH fact IN ARRAY coalesce(facts, '{}') LOOP
        SELECT health_internal.draft_words(CASE WHEN fact_sources ? health_internal.draft_words(c.relname)
                                                THEN c.relnamespace::regnamespace::text || '_' ELSE '' END || c.relname)
        INTO fact_name FROM pg_class AS c WHERE c.oid = fact;
        fact_sources := fact_sources || jsonb_build_object(fact_name,
            health_internal.draft_fact(fact, account_table, coalesce(by_event.key, by_user.key), user_table, person.key));
    END LOOP;
    IF fact_sources <> '{}' THEN
        document := document || jsonb_build_object('facts', fact_sources);
    END IF;
    findings := findings || ARRAY(SELECT format('%s: %s', p.path, concat_ws('. ', p.problem, p.hint))
                                  FROM health_internal.validation_problems(document, visible) AS p);
END;
$$;

COMMENT ON FUNCTION health_internal.draft_model(regclass, regclass, regclass, regclass[], text, text) IS
    'draft_model() with the setting TimeZone and the search_path of the session';

CREATE FUNCTION health.draft_model(accounts regclass, events regclass, users regclass DEFAULT NULL, facts regclass[] DEFAULT '{}',
    OUT document jsonb, OUT findings text[])
LANGUAGE sql
BEGIN ATOMIC
    SELECT d.document, d.findings FROM health_internal.rows_as_owner(pg_catalog.quote_ident(current_user)::regrole, 'pg_catalog, pg_temp',
        'SELECT m.document, m.findings FROM health_internal.draft_model($1::oid::regclass, $2::oid::regclass, $3::oid::regclass, '
            '$4::oid[]::regclass[], $5, $6) AS m',
        accounts::oid::pg_catalog.text, events::oid::pg_catalog.text, users::oid::pg_catalog.text, facts::oid[]::pg_catalog.text,
        pg_catalog.current_setting('TimeZone'), health_internal.visible_schemas()) AS d (document jsonb, findings text[]);
END;

COMMENT ON FUNCTION health.draft_model(regclass, regclass, regclass, regclass[]) IS
    'A first document for tables of accounts, events and, if there is one, users: fields by names, types, foreign keys and values, the '
    'names of events with a guess of role and value, the preset that fits, and as findings what it is unsure of. Reads a sample of large '
    'tables, as the caller. Errors: a table that may not be read (42501), events without account, user, name or time (42703)';

-- Rows as they are to stand in health_internal.ledger_source; ids and tables are still missing.
CREATE OR REPLACE FUNCTION
    health_internal.compile_ledger_sources(model_name text, version health_internal.model_version, window_days integer)
    RETURNS SETOF health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document jsonb := version.document;
    fields health_internal.model_field[];
    guarded health_internal.model_field[];
    account health_internal.model_field;
    occurred health_internal.model_field;
    user_cast text;
    source health_internal.ledger_source;
    account_cast text;
    events record;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    -- Capture reads the expressions themselves, and knows what to do when they fail.
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document, guarded => false) AS f);
    guarded := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    PERFORM health_internal.raise_first_problem(model_name, fields);
    source.account_kind := (health_internal.account_form(fields)).kind;
    source.user_kind := (health_internal.user_form(fields)).kind;
    account_cast := health_internal.id_cast(source.account_kind);
    user_cast := health_internal.id_cast(source.user_kind);
    source.model := model_name;
    source.window_days := window_days;
    source.search_path := version.search_path;
    FOR events IN SELECT e.path, e.source FROM health_internal.ledger_sources(document) AS e LOOP
        account := health_internal.field_of(fields, events.path, 'account');
        occurred := health_internal.field_of(fields, events.path, 'occurred_at');
        source.path := events.path;
        source.account := coalesce(account.expression || account_cast, '');
        source.user_id := (health_internal.field_of(fields, events.path, 'user')).expression || user_cast;
        source.event := (health_internal.field_of(fields, events.path, 'event')).expression || '::pg_catalog.text';
        source.moment := health_internal.compile_moment(occurred, events.source ->> 'time_zone', true);
        source.time_zone := health_internal.moment_zone(occurred, events.source ->> 'time_zone', coalesce(document ->> 'time_zone', 'UTC'));
        source.amount := (health_internal.field_of(fields, events.path, 'amount')).expression || '::pg_catalog.float8';
        source.filter := (health_internal.field_of(fields, events.path, 'filter')).expression;
        source.event_rows := health_internal.compile_event_rows(guarded, events.path, events.source ->> 'time_zone',
                                                       account_cast, user_cast);
        source.relation := NULL;
        source.relation_name := NULL;
        IF window_days IS NULL THEN
            source.relation := pg_catalog.to_regclass(events.source ->> 'table')::oid;
            source.relation_name := events.source ->> 'table';
        END IF;
        RETURN NEXT source;
    END LOOP;
END;
$$;

CREATE FUNCTION health_internal.ledger_start(document jsonb, as_of date, path text) RETURNS date
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN health_internal.is_fact_path(path) THEN DATE '-infinity' ELSE health_internal.ledger_start(document, as_of) END;
END;

COMMENT ON FUNCTION health_internal.ledger_start(jsonb, date, text) IS
    'The first day that the ledger of a source keeps: facts are few, and kept for ever';

CREATE OR REPLACE FUNCTION
    health_internal.compile_period_rows(source health_internal.ledger_source) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('SELECT e.*, health_internal.chunk_period(%L, %s) AS period FROM (%s) AS e', (source).path,
                             health_internal.compile_day(source), (source).event_rows);
END;

COMMENT ON FUNCTION health_internal.compile_period_rows(health_internal.ledger_source) IS
    'SQL of the rows of a source with the period of their local day';

-- Daily volume: what tells a broken tracking from customers who leave.
CREATE OR REPLACE FUNCTION
    health_internal.count_days(source health_internal.ledger_source, first_day date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE health_internal.ledger_day AS d SET events = 0 WHERE d.source = count_days.source.id AND d.day >= first_day AND d.events <> 0;
    EXECUTE format(
        'INSERT INTO health_internal.ledger_day AS d (source, day, event, events) '
        'SELECT %s, c.day, health_internal.plain_event(c.event), sum(c.count) FROM %s AS k, '
        'LATERAL health.cells(health.slice(k.usage, $1, NULL)) AS c WHERE k.period >= $2 '
        'AND NOT health_internal.is_marker(c.event) GROUP BY 2, 3 '
        'ON CONFLICT (source, day, event) DO UPDATE SET events = excluded.events WHERE d.events <> excluded.events',
        source.id, source.chunk_table::regclass)
    USING first_day, health_internal.chunk_period(source.path, first_day);
END;
$$;

-- Up to one batch size of blocks at a time.
CREATE OR REPLACE FUNCTION
    health_internal.read_next(tracking health_internal.tracking, document jsonb) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    today date := health_internal.model_today(document);
    source health_internal.ledger_source;
    present health_internal.ledger_source;
    batch health_internal.ledger_batch;
    blocks bigint := 0;
    events bigint := 0;
    progress text;
BEGIN
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = tracking.model ORDER BY s.id LOOP
        present := source;
        source := health_internal.relink_source(source);
        IF source.change_table <> present.change_table OR source.relation <> present.relation THEN
            RETURN format('%s of model "%s": its tables are looked at again', source.path, source.model);
        END IF;
        -- What was dropped as too old is in the events only.
        IF health_internal.ledger_start(document, today, source.path) < source.kept_from THEN
            source := health_internal.extend_ledger(source);
        END IF;
        IF health_internal.plan_reading(source) THEN
            RETURN format('%s of model "%s": its changes are captured from now on', source.path, source.model);
        END IF;
        IF source.window_days IS NOT NULL AND source.read_at IS NULL THEN
            PERFORM health_internal.read_whole(source);
            blocks := 1;
        END IF;
        FOR batch IN SELECT b.* FROM health_internal.ledger_batch AS b WHERE b.source = source.id AND b.snapshot IS NULL ORDER BY b.leaf,
            b.from_block LOOP
            events := events + health_internal.read_batch(source, batch, health_internal.ledger_start(document, today, source.path));
            blocks := blocks + least(batch.to_block - batch.from_block, 65536);
            EXIT WHEN blocks >= 65536;
        END LOOP;
        IF NOT EXISTS (SELECT 1 FROM health_internal.ledger_batch AS b WHERE b.source = source.id AND b.snapshot IS NULL)
           AND EXISTS (SELECT 1 FROM health_internal.ledger_source AS s WHERE s.id = source.id AND s.read_at IS NULL) THEN
            IF source.window_days IS NOT NULL THEN
                EXECUTE format('DELETE FROM %s WHERE period < $1', source.chunk_table::regclass)
                    USING health_internal.ledger_start(document, today, source.path);
                PERFORM health_internal.count_days(source, health_internal.ledger_start(document, today, source.path));
            END IF;
            UPDATE health_internal.ledger_source AS s SET read_at = clock_timestamp(), kept_from = health_internal.ledger_start(document,
                today, source.path) WHERE s.id = source.id;
            PERFORM health_internal.mark_all_stale(tracking);
        END IF;
        IF blocks > 0 THEN
            SELECT format('%s of model "%s": %s %% read%s', source.path, source.model,
                          round(100.0 * count(b.snapshot) / greatest(count(*), 1)), ', ' || sum(b.events) || ' events')
            INTO progress FROM health_internal.ledger_batch AS b WHERE b.source = source.id;
            RETURN progress;
        END IF;
    END LOOP;
    RETURN NULL;
END;
$$;

CREATE OR REPLACE FUNCTION
    health_internal.ledger_volumes(model text, document jsonb, from_day date, until_day date) RETURNS health_internal.volume[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    names CONSTANT text[] := health_internal.counted_events(document);
    volumes health_internal.volume[] := ARRAY(
        SELECT ROW(c.path, c.event, c.day, sum(c.events)::bigint, NULL, NULL, NULL)::health_internal.volume
        FROM (SELECT s.path, CASE WHEN sum(d.events) OVER (PARTITION BY s.id, d.event) >= health_internal.least_volume()
                                  THEN d.event END AS event, d.day, d.events
              FROM health_internal.ledger_source AS s, LATERAL (    -- source by source: facts have no such days
                  SELECT l.* FROM health_internal.ledger_day AS l
                  WHERE l.source = s.id AND l.day >= from_day - 56 AND l.day < until_day OFFSET 0) AS d
              WHERE s.model = ledger_volumes.model AND NOT health_internal.is_fact_path(s.path)
                AND (names IS NULL OR d.event = ANY (names))) AS c
        GROUP BY c.path, c.event, c.day);
    looked_at text[] := ARRAY[]::text[];
    places text[];
BEGIN
    LOOP
        places := ARRAY(
            SELECT DISTINCT s.id || '/' || w.day FROM health_internal.odd_volumes(volumes, from_day, until_day) AS o
            JOIN health_internal.ledger_source AS s ON s.model = ledger_volumes.model AND s.path = o.source,
                 LATERAL (VALUES (o.day), (o.day - 7), (o.day - 14)) AS w (day)
            WHERE o.kind = 'suspect' AND s.id || '/' || w.day <> ALL (looked_at));
        EXIT WHEN places = '{}';
        looked_at := looked_at || places;
        volumes := ARRAY(
            WITH measured AS MATERIALIZED (
                SELECT n.source, n.day, n.event, health_internal.common_divisor(n.divisor) AS divisor, sum(n.cells)::bigint AS cells,
                       sum(n.largest)::bigint AS largest
                FROM (SELECT s.path AS source, split_part(p.place, '/', 2)::date AS day, v.event, m.divisor, m.cells, m.largest
                      FROM unnest(places) AS p (place)
                      JOIN health_internal.ledger_source AS s ON s.id = split_part(p.place, '/', 1)::integer
                      CROSS JOIN LATERAL health_internal.measure_volume(s, split_part(p.place, '/', 2)::date) AS m
                      LEFT JOIN (SELECT DISTINCT u.source, u.event FROM unnest(volumes) AS u) AS v
                          ON v.source = s.path AND v.event = m.event
                      WHERE names IS NULL OR m.event = ANY (names)) AS n
                GROUP BY n.source, n.day, n.event
            )
            SELECT ROW(v.source, v.event, v.day, v.events, coalesce(m.divisor, v.divisor), coalesce(m.cells, v.cells),
                       coalesce(m.largest, v.largest))::health_internal.volume
            FROM unnest(volumes) AS v LEFT JOIN measured AS m ON m.source = v.source AND m.day = v.day
                AND m.event IS NOT DISTINCT FROM v.event);
    END LOOP;
    RETURN volumes;
END;
$$;

-- Who was merged into another account is no customer on days that were recorded before, either: what it did is the other's. And who is not
-- merged any more is one on days that were recorded when he was.
CREATE FUNCTION health_internal.end_then(present date, recorded date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN present = '-infinity' OR recorded <= '4714-11-24 BC' THEN present ELSE recorded END;
END;

COMMENT ON FUNCTION health_internal.end_then(date, date) IS
    'The end of an account as it counts on a recorded day: as recorded, unless it never was a customer, by what is known now or was then';

CREATE OR REPLACE FUNCTION
    health_internal.spans_agree(a health_internal.history_span, b health_internal.history_span) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_spans_agree'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION health_internal.spans_agree(health_internal.history_span, health_internal.history_span) IS
    'Whether two spans say the same of an account, from whatever days on; NULL of none';

CREATE FUNCTION health_internal.book_columns(document jsonb, compiled health_internal.compiled_model) RETURNS text[]
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT '{account_id,name,inputs,observed,segments,account_start,account_end,seats,repeated,overrides}'::pg_catalog.text[]
        || (compiled).extra_columns || (compiled).value_columns
        || CASE WHEN document -> 'accounts' ? 'merged_into' THEN '{$into,$accounts}' ELSE '{}' END::pg_catalog.text[];
END;

COMMENT ON FUNCTION health_internal.book_columns(jsonb, health_internal.compiled_model) IS
    'The columns of a book, less the roster: of a document that knows of merged accounts, also into which one each went ("$into"), and the '
    'keys of those whose ledgers are its own ("$accounts"; NULL: its own alone)';

-- Versions that ask for the same inputs in the same order can read each other's history. The name alone would be the column.
CREATE OR REPLACE FUNCTION
    health_internal.versions_with_same_inputs(model_name text, document jsonb) RETURNS integer[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT v.version FROM health_internal.model_version AS v
                 WHERE v.model = model_name
                   AND (SELECT jsonb_agg(to_jsonb(i) - 'path' ORDER BY i."position") FROM health.model_inputs(v.document) AS i)
                       IS NOT DISTINCT FROM
                       (SELECT jsonb_agg(to_jsonb(i) - 'path' ORDER BY i."position")
                        FROM health.model_inputs(versions_with_same_inputs.document) AS i)
                 ORDER BY v.version);
$$;

-- What add up to the usage of an account b: the chunks of its sources, and its roster; less users who do not count, if the model leaves out
-- any.
CREATE OR REPLACE FUNCTION
    health_internal.compile_parts(tracking health_internal.tracking, document jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT %s AS usage FROM (%s UNION ALL SELECT b."$roster") AS p',
                  CASE WHEN document #> '{users,exclude}' IS NULL THEN 'p.usage' ELSE 'health.without_users(p.usage, t.excluded_users)' END,
                  string_agg(format(CASE WHEN document -> 'accounts' ? 'merged_into'
                                        THEN 'SELECT c.usage FROM %s AS c WHERE c.account_id = ANY (coalesce(b."$accounts", ARRAY[%s]))'
                                        ELSE 'SELECT c.usage FROM %s AS c WHERE c.account_id = %s' END,
                                    health_internal.data_table('chunk', s.id), health_internal.account_key(tracking, 'b.account_id')
                                        || CASE WHEN document -> 'accounts' ? 'merged_into'
                                                THEN health_internal.id_cast(tracking.account_kind) ELSE '' END),
                                    ' UNION ALL '
                                        ORDER BY s.id))
    -- A source that the model has no more has a number in brackets for a path, until it is dropped (adopt_sources).
    FROM health_internal.ledger_source AS s WHERE s.model = tracking.model AND s.path !~ '^\(';
$$;

-- Of a model without inputs the past is the present; an account that its source has twice has none. Row n of past_inputs is of n days
-- before; scoring looks at the days 7 and 28 only.
CREATE FUNCTION health_internal.compile_recorded_past(id integer, model_name text, document jsonb, every_day boolean, OUT joins text,
    OUT inputs text, OUT observed text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN every_day THEN format(
                    ' LEFT JOIN LATERAL (SELECT array_agg(coalesce(r.inputs, b.inputs) ORDER BY n) AS inputs, '
                    'array_agg(coalesce(r.observed, b.observed) ORDER BY n) AS observed FROM generate_series(1, 28) AS n LEFT JOIN ('
                    'SELECT d.* FROM %s AS h, health_internal.recorded_days(h.month, h.days, h.spans) AS d '
                    'WHERE h.account_id = b.account_id AND h.month BETWEEN health_internal.month_of(t.as_of - 28) '
                    'AND health_internal.month_of(t.as_of - 1) AND d.model_version = ANY (%L::integer[])) AS r '
                    'ON r.as_of = t.as_of - n WHERE b.inputs IS NOT NULL) AS past ON true',
                    known.history, known.versions)
                ELSE (SELECT string_agg(format(
                    ' LEFT JOIN LATERAL (SELECT r.* FROM %1$s AS h, health_internal.recorded_days(h.month, h.days, h.spans) AS r '
                    'WHERE h.account_id = b.account_id AND h.month = health_internal.month_of(t.as_of - %2$s) AND r.as_of = t.as_of - %2$s '
                    'AND r.model_version = ANY (%3$L::integer[])) AS h%2$s ON true', known.history, d.days, known.versions), ''
                    ORDER BY d.days)
                FROM (VALUES (7), (28)) AS d (days)) END,
           CASE WHEN every_day THEN 'past.inputs'
                ELSE 'CASE WHEN b.inputs IS NOT NULL THEN (SELECT array_agg(CASE WHEN n < 28 THEN coalesce(h7.inputs, b.inputs) '
                    'ELSE coalesce(h28.inputs, b.inputs) END ORDER BY n) FROM generate_series(1, 28) AS n) END' END,
           CASE WHEN every_day THEN 'past.observed'
                ELSE 'CASE WHEN b.inputs IS NOT NULL THEN (SELECT array_agg(CASE WHEN n < 28 THEN coalesce(h7.observed, b.observed) '
                    'ELSE coalesce(h28.observed, b.observed) END ORDER BY n) FROM generate_series(1, 28) AS n) END' END
    FROM (SELECT health_internal.data_table('history', id), health_internal.versions_with_same_inputs(model_name, document))
        AS known (history, versions)
    WHERE EXISTS (SELECT FROM health.model_inputs(document));
$$;

COMMENT ON FUNCTION health_internal.compile_recorded_past(integer, text, jsonb, boolean) IS
    'SQL of the inputs that the history of an account b of a book, of a state t, has of 7 and 28 days before, or of each of the 28 days; '
    'NULL for a model without inputs';

CREATE FUNCTION health_internal.compile_book_rows(tracking health_internal.tracking, document jsonb, with_past boolean DEFAULT true,
    every_day boolean DEFAULT false) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT b.*, t.as_of, t.model_version, t.ledger_start, t.outages, t.broken AS tracking_broke, '
        'NULL::pg_catalog.bool[] AS in_filter, '
        '%s AS past_inputs, %s AS '
        'past_observed, ARRAY(%s) AS "$parts" FROM %s AS b CROSS '
        'JOIN %s AS t%s',
                  coalesce(past.inputs, 'NULL::text[]'), coalesce(past.observed, 'NULL::date[]'),
                  health_internal.compile_parts(tracking, document),
                      health_internal.data_table('book', tracking.id),
                  health_internal.data_table('state', tracking.id), past.joins)
    FROM (SELECT) AS one LEFT JOIN LATERAL health_internal.compile_recorded_past(tracking.id, tracking.model, document, every_day) AS past
        ON with_past;
$$;

COMMENT ON FUNCTION health_internal.compile_book_rows(health_internal.tracking, jsonb, boolean, boolean) IS
    'SQL of the rows of a book with day, version, past inputs, if they are wanted, of days that scoring looks at or of each, and the '
    'ledgers that add up to their usage, parts';

-- The columns are those of a ledger query (compile_model).
CREATE OR REPLACE FUNCTION
    health_internal.compile_ledger_view(tracking health_internal.tracking, document jsonb,
    compiled health_internal.compiled_model) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT %s, l.as_of, l.model_version, (SELECT health.rollup(p.usage) FROM unnest(l."$parts") AS p (usage)) AS usage, '
        'l.inputs, l.observed, '
                  'l.segments, l.past_inputs, l.past_observed, l.account_start, l.account_end, l.ledger_start, l.seats%s, l.repeated, '
                  'NULL::pg_catalog.bool[] AS in_filter, l.overrides, l.outages, l.tracking_broke%s '
                  'FROM (%s) AS l',
                  health_internal.list_columns('{account_id,name}' || (compiled).extra_columns, 'l'),
                  ', ' || health_internal.list_columns((compiled).value_columns, 'l'),
                  CASE WHEN document -> 'accounts' ? 'merged_into' THEN ', l."$into"' END,
                      health_internal.compile_book_rows(tracking, document));
$$;

CREATE OR REPLACE FUNCTION
    health_internal.compile_book(tracking health_internal.tracking, version health_internal.model_version) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_model;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, usage_from => 'roster', model_name => tracking.model);
    RETURN pg_catalog.format('SELECT %s, l.usage AS "$roster" FROM (%s) AS l',
                             health_internal.list_columns(health_internal.book_columns(version.document, compiled), 'l'), compiled.ledger);
END;
$$;

CREATE FUNCTION health_internal.compile_history(tracking health_internal.tracking, document jsonb, months text DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(
        'SELECT h.account_id, r.as_of, r.model_version, r.score, CASE WHEN r.state IS DISTINCT FROM ''onboarding'' THEN %s END AS band, '
        'r.state, r.data_coverage, r.unknown_reason '
        'FROM %s AS h CROSS JOIN LATERAL health_internal.history_rows(h.month, h.days, h.scores, h.spans) AS r%s',
        health_internal.compile_band(tracking.model, document), health_internal.data_table('history', tracking.id), ' WHERE ' || months);
$$;

COMMENT ON FUNCTION health_internal.compile_history(health_internal.tracking, jsonb, text) IS
    'SQL of the recorded days of a tracked model; months is SQL that tells which months h, by default all';

-- The relations of a score view of a tracked model; their columns are those of a score view that is made from events.
CREATE OR REPLACE FUNCTION
    health_internal.compile_tracked_view(suffix text, tracking health_internal.tracking, document jsonb,
    compiled health_internal.compiled_model, probabilities text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE suffix
        WHEN '_ledger' THEN health_internal.compile_ledger_view(tracking, document, compiled)
        WHEN '' THEN format(
            'SELECT %s, b.account_start, b.account_end, nullif(b.seats, ''NaN'') AS seats, t.as_of, %L::pg_catalog.text AS model, '
            't.model_version, s.score, s.band, s.state, %s, s.in_book, s.data_coverage, '
            'coalesce(t.broken, s.unknown_reason) AS unknown_reason, s.change_7d, s.change_28d, s.main_reason, %s, '
                's.score_without_top_user, s.override_reason, %s%s, %s FROM %s',
            health_internal.list_columns('{account_id,name}' || (compiled).extra_columns, 'b'), tracking.model,
            health_internal.compile_state_reason(document, 'b'),
            health_internal.compile_next_step(document, 't.as_of', 's.signals', 'b.overrides', 't.book'),
            health_internal.list_columns(health_internal.metric_columns(), 's'),
            ', ' || health_internal.list_columns((compiled).value_columns, 'b'), probabilities, stored.rows)
        WHEN '_signals' THEN format(
            'SELECT b.account_id, b.name, t.as_of, t.model_version, r."position", r.signal, r.parent, r.label, r.level, r.raw, '
                'r.raw_text, r.normalized, '
            'r.weight, r.points, r.reason, r.phrase, r.next_step, r.counted, r.basis, r.book FROM %s CROSS JOIN LATERAL '
                'health_internal.signal_rows(%L::pg_catalog.jsonb, t.as_of, '
                's.signals, b.overrides, t.book) AS r',
            stored.rows, health_internal.scoring_document(document))
        WHEN '_history' THEN health_internal.compile_history(tracking, document)
        WHEN '_users' THEN health_internal.compile_users(document, health_internal.scoring_document(document),
            '(' || health_internal.compile_book_rows(tracking, document, false) || ')',
            health_internal.compile_state('l."$parts"', false, with_overrides => false))
    END
    FROM (SELECT format('%s AS s JOIN %s AS b ON b.account_id = s.account_id CROSS JOIN %s AS t',
        health_internal.data_table('score', tracking.id),
                        health_internal.data_table('book', tracking.id),
                            health_internal.data_table('state', tracking.id))) AS stored (rows);
$$;

COMMENT ON FUNCTION health_internal.compile_tracked_view(text, health_internal.tracking, jsonb, health_internal.compiled_model, text) IS
    'SQL of one of the relations of a score view of a tracked model';

-- Writing and reading the past: days recorded, days from the ledger.

-- Whoever reads the history at the moment keeps its oldest month until the next day.
CREATE OR REPLACE FUNCTION
    health_internal.drop_old_data(tracking health_internal.tracking, document jsonb, as_of date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_kept text := health_internal.history_month(tracking.id, health_internal.month_of(health_internal.history_start(document, as_of)));
    old record;
    source health_internal.ledger_source;
BEGIN
    IF NOT isfinite(health_internal.history_start(document, as_of)) THEN
        RETURN;
    END IF;
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s
                  WHERE s.model = tracking.model AND isfinite(health_internal.ledger_start(document, as_of, s.path)) ORDER BY s.id LOOP
        EXECUTE format('DELETE FROM %s WHERE period < $1', source.chunk_table::regclass) USING health_internal.ledger_start(document,
            as_of);
        UPDATE health_internal.ledger_source AS s SET kept_from = health_internal.ledger_start(document, as_of) WHERE s.id = source.id;
        PERFORM health_internal.delete_rows(tracking.model, 'days', source.id::text, health_internal.ledger_start(document, as_of)::text);
    END LOOP;
    FOR old IN SELECT format('health_data.%I', c.relname) AS partition FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
               WHERE i.inhparent = to_regclass(health_internal.data_table('history', tracking.id))
                   AND format('health_data.%s', c.relname) < first_kept LOOP
        PERFORM health_internal.run_ddl(ARRAY['DROP TABLE ' || old.partition], interval '0');
    END LOOP;
END;
$$;

-- Days that are recorded keep the account data they were recorded with; for others, expressions and dated answers are those of the day and
-- plain columns stand at their present value.
CREATE OR REPLACE FUNCTION
    health_internal.rescore_recorded(tracking health_internal.tracking, version health_internal.model_version, from_date date,
    to_date date, step integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE pg_catalog.format($query$
        WITH fresh AS (
            SELECT h.account_id, h.month, pg_catalog.array_agg(EXTRACT(day FROM r.as_of)::pg_catalog.int2 ORDER BY r.as_of) AS days,
                   pg_catalog.array_agg(s.score ORDER BY r.as_of) AS scores,
                   pg_catalog.array_agg(ROW(EXTRACT(day FROM r.as_of), %5$s, s.coverage, s.unknown_reason, r.account_start, r.seats,
                       r.inputs, r.observed, health_internal.end_then(l.account_end, r.account_end),
                       s.state)::health_internal.history_span ORDER BY r.as_of) AS spans
            FROM %1$s AS h
            JOIN (%2$s) AS l ON l.account_id = h.account_id
            CROSS JOIN LATERAL health_internal.recorded_days(h.month, h.days, h.spans) AS r
            CROSS JOIN LATERAL health.score_series(%3$L::pg_catalog.jsonb, ROW(l."$parts", r.as_of, r.account_start, r.seats, r.inputs,
                r.observed, l.segments, NULL, NULL, r.unknown_reason IS NOT DISTINCT FROM 'repeated_account',
                health_internal.end_then(l.account_end, r.account_end),
                l.ledger_start, NULL, NULL, l.overrides, %6$L)::health.account_state, r.as_of, r.as_of) AS s
            WHERE h.month >= health_internal.month_of($1) AND h.month <= $2 AND r.as_of >= $1 AND r.as_of <= $2 AND (r.as_of - $1) %% $3 = 0
              AND r.model_version = ANY (%4$L::pg_catalog.int4[])
            GROUP BY h.account_id, h.month
        )
        UPDATE %1$s AS h SET (days, scores, spans) = (SELECT m.days, m.scores, m.spans
            FROM health_internal.merge_months(f.days, f.scores, f.spans, h.days, h.scores, h.spans) AS m)
        FROM fresh AS f WHERE h.account_id = f.account_id AND h.month = f.month
        $query$, health_internal.data_table('history', tracking.id), health_internal.compile_book_rows(tracking, version.document, false),
        health_internal.scoring_document(version.document), health_internal.versions_with_same_inputs(tracking.model, version.document),
            version.version, (health_internal.ledger_sight(tracking.model, version.document, to_date, to_date - from_date)).outages)
    USING from_date, to_date, step;
END;
$$;

CREATE OR REPLACE FUNCTION
    health_internal.compile_recorded(model_name text, document jsonb, ledger text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(
        (SELECT format($query$
            SELECT l.account_id, l.name, l.usage, l.as_of, CASE WHEN r.as_of IS NULL THEN l.account_start
                ELSE r.account_start END AS account_start,
                   CASE WHEN r.as_of IS NULL THEN l.account_end
                ELSE health_internal.end_then(l.account_end, r.account_end) END AS account_end, l.ledger_start,
                   CASE WHEN r.as_of IS NULL THEN l.seats ELSE r.seats END AS seats, coalesce(r.inputs, l.inputs) AS inputs,
                   CASE WHEN r.as_of IS NULL THEN l.observed ELSE r.observed END AS observed, l.segments, l.past_inputs, l.past_observed,
                   CASE WHEN r.as_of IS NULL THEN l.repeated ELSE r.unknown_reason IS NOT DISTINCT FROM 'repeated_account' END AS repeated,
                   l.in_filter, l.overrides, l.outages, l.tracking_broke
            FROM (%s) AS l LEFT JOIN LATERAL (
                SELECT d.* FROM %s AS h, health_internal.recorded_days(h.month, h.days, h.spans) AS d
                WHERE h.account_id = l.account_id AND h.month = health_internal.month_of(l.as_of) AND d.as_of = l.as_of
                  AND d.as_of < %L::pg_catalog.date AND d.model_version = ANY (%L::integer[])) AS r ON true $query$,
                       ledger, health_internal.data_table('history', t.id), coalesce((health_internal.read_state(t.id)).as_of, '-infinity'),
                       health_internal.versions_with_same_inputs(model_name, document))
         FROM health_internal.tracking AS t WHERE t.model = model_name
             AND to_regclass(health_internal.data_table('history', t.id)) IS NOT NULL),
        ledger);
$$;

-- Changes of a partition that has not been read yet wait until it has been. Those that could not be captured (NULL) stay: they are a reason
-- to read the source again.
CREATE OR REPLACE FUNCTION
    health_internal.fold_source(tracking health_internal.tracking, source health_internal.ledger_source, ledger_start date)
    RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most CONSTANT integer := 8192;    -- pieces of up to 8 kB: what is in memory at a time
    in_one_period CONSTANT boolean := health_internal.is_fact_path(source.path);
    read_leaves oid[];
    newest xid8;
    pieces bigint;
    bad bigint;
BEGIN
    SELECT array_agg(b.leaf), max(pg_snapshot_xmax(b.snapshot)) INTO read_leaves, newest
    FROM (SELECT b.leaf, (array_agg(b.snapshot ORDER BY pg_snapshot_xmax(b.snapshot) DESC))[1] AS snapshot
          FROM health_internal.ledger_batch AS b WHERE b.source = source.id GROUP BY b.leaf HAVING count(*) = count(b.snapshot)) AS b;
    EXECUTE format($query$
        WITH taken AS (
            DELETE FROM %1$s AS c
            WHERE c.ctid = ANY (ARRAY(
                SELECT t.ctid FROM %1$s AS t WHERE t.changes IS NOT NULL AND t.generation = $6
                -- guard read_leaves {
                AND t.leaf = ANY ($1)
                -- instead: AND $1 IS NOT NULL
                -- }
                LIMIT $2))
            RETURNING c.leaf, c.xact, c.changes
        ), pending AS MATERIALIZED (
            -- guard unseen_changes {
            SELECT CASE WHEN t.xact >= $3 THEN t.changes ELSE %7$s END AS changes
            -- instead: SELECT t.changes AS changes
            -- }
            FROM taken AS t
        ), folded AS MATERIALIZED (
            SELECT %8$s FROM health_internal.fold_changes(coalesce((SELECT array_agg(p.changes) FROM pending AS p
                WHERE p.changes IS NOT NULL), '{}')) AS f%9$s
        ), put AS (
            INSERT INTO %2$s AS k (account_id, period, part, usage)
            SELECT f.account_id::%3$s, f.period, 0, f.usage FROM folded AS f WHERE f.account_id IS NOT NULL AND f.period >= $5
            ON CONFLICT (account_id, period, part) DO UPDATE SET usage = health_internal.add_to_chunk(k.usage,
                excluded.usage, k.account_id::pg_catalog.text, k.period)
        ), days AS (
            INSERT INTO health_internal.ledger_day AS d (source, day, event, events)
            SELECT $4, c.day, health_internal.plain_event(c.event), sum(c.count) FROM folded AS f, LATERAL health.cells(f.usage) AS c
            WHERE f.period >= $5 AND NOT health_internal.is_marker(c.event) GROUP BY 2, 3
            ON CONFLICT (source, day, event) DO UPDATE SET events = d.events + excluded.events
        ), stale AS (
            INSERT INTO %4$s (account_id)
            SELECT b.account_id FROM %5$s AS b
            WHERE %6$s IN (SELECT f.account_id::%3$s FROM folded AS f WHERE f.account_id IS NOT NULL) ON CONFLICT DO NOTHING
        )
        SELECT (SELECT count(*) FROM taken) AS pieces, (SELECT f.bad_rows FROM folded AS f WHERE f.account_id IS NULL
            AND f.bad_rows <> 0) AS bad_rows
        $query$,
        source.change_table::regclass, source.chunk_table::regclass, source.account_kind,
        health_internal.data_table('stale', tracking.id), health_internal.data_table('book', tracking.id),
        health_internal.account_key(tracking, 'b.account_id'), health_internal.compile_pending_changes('t', source.id),
        CASE WHEN in_one_period THEN format('f.account_id, health_internal.chunk_period(%L, f.period) AS period, '
            'health.rollup(f.usage) AS usage, pg_catalog.sum(f.bad_rows)::bigint AS bad_rows', source.path) ELSE 'f.*' END,
        CASE WHEN in_one_period THEN ' GROUP BY 1, 2' ELSE '' END)
    INTO pieces, bad
    USING coalesce(read_leaves, '{}'), most, newest, source.id, ledger_start, source.generation;
    IF bad IS NOT NULL THEN
        UPDATE health_internal.ledger_source AS s SET bad_rows = s.bad_rows + bad WHERE s.id = source.id;
    END IF;
    -- guard one_statement {
    -- instead: EXECUTE format('DELETE FROM %s AS c WHERE c.changes IS NOT NULL', source.change_table::regclass);
    -- }
    RETURN pieces = most;
END;
$$;

CREATE OR REPLACE FUNCTION
    health_internal.reread_window(tracking health_internal.tracking, source health_internal.ledger_source, today date)
    RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_day date := today - source.window_days;
    first_period date := health_internal.chunk_period(source.path, first_day);
    bad bigint;
BEGIN
    PERFORM health_internal.look_names_up_in(source.search_path);
    EXECUTE pg_catalog.format($query$
        WITH seen AS MATERIALIZED (
            SELECT e.account_id, e.period, %1$s AS usage,
                   pg_catalog.count(*) FILTER (WHERE e.user_id IS NOT NULL AND e.event_name IS NOT NULL
                       AND NOT health_internal.is_event(e.occurred_at, e.event_name, e.amount)) AS bad
            FROM (%2$s) AS e WHERE e.account_id IS NOT NULL AND %3$s
            GROUP BY e.account_id, e.period
        ), recent AS (
            SELECT s.account_id, s.period, s.usage FROM seen AS s WHERE pg_catalog.isfinite(s.period)
        ), kept AS (
            SELECT k.account_id, k.period, health.rollup(k.usage) AS present, health.slice(health.rollup(k.usage), NULL, $1) AS usage
            FROM %4$s AS k WHERE k.period >= $2 GROUP BY k.account_id, k.period
        ), changed AS MATERIALIZED (
            SELECT coalesce(r.account_id, k.account_id) AS account_id, coalesce(r.period, k.period) AS period, k.present,
                   coalesce(k.usage, '{}') OPERATOR(health.+) coalesce(r.usage, '{}') AS usage
            FROM recent AS r FULL JOIN kept AS k ON k.account_id = r.account_id AND k.period = r.period
            WHERE coalesce(k.present, '{}') OPERATOR(health.<>) (coalesce(k.usage, '{}') OPERATOR(health.+) coalesce(r.usage, '{}'))
        ), put AS (
            INSERT INTO %4$s AS k (account_id, period, part, usage)
            SELECT c.account_id, c.period, 0, c.usage OPERATOR(health.-) coalesce(c.present, '{}') FROM changed AS c
            ON CONFLICT (account_id, period, part) DO UPDATE SET usage = health_internal.add_to_chunk(k.usage,
                excluded.usage, k.account_id::pg_catalog.text, k.period)
        ), stale AS (
            INSERT INTO %5$s (account_id)
            SELECT b.account_id FROM %6$s AS b WHERE %7$s IN (SELECT c.account_id FROM changed AS c) ON CONFLICT DO NOTHING
        )
        SELECT coalesce(pg_catalog.sum(s.bad), 0) FROM seen AS s
        $query$,
        health_internal.compile_row_agg(source), health_internal.compile_period_rows(source),
        health_internal.compile_days_from(source, first_day),
        source.chunk_table::regclass, health_internal.data_table('stale', tracking.id), health_internal.data_table('book', tracking.id),
        health_internal.account_key(tracking, 'b.account_id'))
    INTO bad USING first_day, first_period;
    UPDATE health_internal.ledger_source AS s SET bad_rows = bad WHERE s.id = source.id AND s.bad_rows <> bad;
    PERFORM health_internal.count_days(source, first_day);
END;
$$;

-- So far those are stale whose own ledger changed.
CREATE FUNCTION health_internal.note_merged(tracking health_internal.tracking) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (health_internal.find_version(tracking.model, tracking.model_version)).document -> 'accounts' ? 'merged_into' THEN
        EXECUTE format('INSERT INTO %1$s (account_id) SELECT b.account_id FROM %2$s AS b WHERE b."$accounts" && ARRAY('
            'SELECT %3$s FROM %1$s AS s) ON CONFLICT DO NOTHING', health_internal.data_table('stale', tracking.id),
            health_internal.data_table('book', tracking.id),
            health_internal.account_key(tracking, 's.account_id') || health_internal.id_cast(tracking.account_kind));
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.note_merged(health_internal.tracking) IS
    'Notes the accounts into which others were merged that are to be scored again';

-- Rows that come out as they are stay as they are.
CREATE OR REPLACE FUNCTION
    health_internal.write_scores(tracking health_internal.tracking, most integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stale CONSTANT text := health_internal.data_table('stale', tracking.id);
    scores CONSTANT text := health_internal.data_table('score', tracking.id);
    book CONSTANT text := health_internal.data_table('book', tracking.id);
    state CONSTANT health_internal.store_state := health_internal.read_state(tracking.id);
    assignments CONSTANT text := (SELECT string_agg(format('%1$I = excluded.%1$I', a.attname), ', ')
                                  FROM pg_attribute AS a WHERE a.attrelid = scores::regclass AND a.attnum > 1 AND NOT a.attisdropped);
    ids text;
    scored bigint;
    total bigint := 0;
    written boolean := false;
BEGIN
    PERFORM health_internal.note_merged(tracking);
    LOOP
        IF NOT state.all_stale THEN
            EXECUTE format('SELECT array_agg(s.account_id)::text FROM (SELECT t.account_id FROM %s AS t LIMIT %s) AS s', stale, most)
                INTO ids;
            EXIT WHEN ids IS NULL;
        END IF;
        written := true;
        -- Accounts that are gone have no row in the book any more, but still one in the scores.
        EXECUTE format('DELETE FROM %s AS s WHERE %s AND NOT EXISTS (SELECT FROM %s AS b WHERE b.account_id = s.account_id)', scores,
                       health_internal.compile_choice('s', ids, tracking.account_type), book);
        -- A row is put together to be compared only where the score is the same.
        EXECUTE format('INSERT INTO %s AS s SELECT n.* FROM (%s WHERE %s) AS n ON CONFLICT (account_id) DO UPDATE SET %s '
            'WHERE s.score IS DISTINCT FROM excluded.score OR s.change_28d IS DISTINCT FROM excluded.change_28d OR s *<> excluded', scores,
                       tracking.score_query, health_internal.compile_choice('l', ids, tracking.account_type), assignments);
        -- The days of an outage are written when it is over.
        IF state.broken IS NULL THEN
            PERFORM health_internal.record_scores(tracking, health_internal.compile_choice('s', ids, tracking.account_type));
        END IF;
        EXECUTE format('SELECT count(*) FROM %s AS b WHERE %s', book, health_internal.compile_choice('b', ids, tracking.account_type))
            INTO scored;
        EXECUTE format('DELETE FROM %s AS t WHERE %s', stale, health_internal.compile_choice('t', ids, tracking.account_type));
        total := total + scored;
        EXIT WHEN state.all_stale;
    END LOOP;
    EXECUTE format('UPDATE %s SET all_stale = false WHERE all_stale', health_internal.data_table('state', tracking.id));
    IF written THEN
        PERFORM health_internal.measure_book(tracking);
    END IF;
    RETURN total;
END;
$$;

COMMENT ON FUNCTION health_internal.store_relation(health_internal.store, text, text, health_internal.compiled_model, boolean) IS
    'SQL of one of the relations of a score view: _ledger, the scores (no suffix), _signals, _history, _users; the columns are the same '
    'of every kind of store';

-- Why an account has its score, and why the score moved.

-- Runs under the author's search_path: what an unqualified name of the document means does not depend on who asks.
CREATE OR REPLACE FUNCTION
    health_internal.read_account(model_name text, version health_internal.model_version, account text, as_of date)
RETURNS SETOF health.account_state
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_model;
BEGIN
    -- NULL, to the compiler, means every account.
    IF account IS NULL THEN
        RAISE EXCEPTION 'model "%": the account to explain is NULL', model_name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the id of an account: explain(model, account).';
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.store_accounts(health_internal.open_store(version), account, as_of);
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT (s.account).* FROM (SELECT %s AS account FROM (%s) AS l LIMIT 1) AS s',
        health_internal.compile_state(with_past => false), compiled.ledger);
    IF NOT FOUND THEN
        PERFORM health_internal.raise_unknown_account(model_name, version, account);
    END IF;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    -- Either the id cannot be one of this type, or the user's own data failed to convert: only the former means that there is no such
    -- account.
    IF compiled.account_type IS NOT NULL AND strpos(sqlerrm, account) > 0
       AND sqlstate IN ('22P02', '22003', '22007') THEN
        PERFORM health_internal.raise_unknown_account(model_name, version, account);
    ELSIF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model_name, version, as_of);
    END IF;
    RAISE;
END;
$$;

-- Kept of the day of the scores; of other days, and of a model that is not tracked, all accounts are measured. An account is explained
-- even while the data of another one fail.
CREATE OR REPLACE FUNCTION
    health_internal.book_changes_at(version health_internal.model_version, as_of date) RETURNS float8[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    store CONSTANT health_internal.store := health_internal.open_store(version);
    query CONSTANT text := health_internal.compile_book_changes(version.document, 'scored');
    state health_internal.store_state;
    changes float8[];
BEGIN
    IF query IS NULL THEN
        RETURN NULL;
    END IF;
    IF store.has_scores THEN
        state := health_internal.read_state((store.tracking).id);
        IF state.as_of = book_changes_at.as_of AND NOT state.all_stale THEN
            RETURN state.book;
        END IF;
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    EXECUTE pg_catalog.format(
        'WITH scored AS MATERIALIZED (SELECT health_internal.account_signals(%L::pg_catalog.jsonb, %s) AS "$signals" FROM (%s) AS l '
        'WHERE l.in_filter[1] IS NOT FALSE) %s',
        health_internal.scoring_document(version.document), health_internal.compile_state(with_past => false),
        (health_internal.store_accounts(store, as_of => book_changes_at.as_of)).ledger, query) INTO changes;
    RETURN changes;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    RETURN NULL;
END;
$$;

-- The whole book as of a past day.

CREATE OR REPLACE FUNCTION
    health_internal.score_at_as_owner(model text, as_of date, version integer, known_at date,
    OUT account_id text, OUT name text, OUT as_of_date date, OUT model_version integer, OUT score float8, OUT band text,
        OUT data_coverage float8,
    OUT unknown_reason text, OUT state text, OUT churn_probability float8, OUT expansion_likelihood float8) RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    scored health_internal.model_version := health_internal.find_version(model, coalesce(version, opened.current_version));
    compiled health_internal.compiled_model;
BEGIN
    IF as_of IS NULL OR NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day to score at is %', model, coalesce(as_of::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day: score_at(model, date).';
    ELSIF NOT isfinite(known_at) THEN
        RAISE EXCEPTION 'model "%": the day of what was known is %', model, known_at
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day; without one all that is known now is seen.';
    ELSIF known_at IS NOT NULL AND NOT EXISTS (SELECT FROM health_internal.ledger_sources(scored.document) AS s
                                               WHERE s.source ? 'known_at') THEN
        RAISE EXCEPTION 'model "%": no event source says when its rows became known', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Name the column that says so: "events": {..., "known_at": "loaded_at"}.';
    END IF;
    PERFORM health_internal.look_names_up_in(scored.search_path);
    compiled := health_internal.store_accounts(health_internal.open_store(scored), as_of => score_at_as_owner.as_of);
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT %s, l.name, s.as_of, %s, s.score, s.band, s.coverage, '
        'coalesce(l.tracking_broke, s.unknown_reason), s.state, %s FROM (%s) AS l, '
        'LATERAL health.score_series(%L::pg_catalog.jsonb, %s, l.as_of, l.as_of) AS s ORDER BY l.account_id',
        health_internal.canonical_text('l.account_id', compiled.account_type), scored.version,
        health_internal.compile_probabilities(scored, true, 's.score'), compiled.ledger, scored.document,
        health_internal.compile_state(health_internal.compile_known_usage(known_at, as_of), with_past => false));
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, scored, as_of);
    END IF;
    RAISE;
END;
$$;

-- The people of accounts as of any day.

CREATE FUNCTION health_internal.users_as_owner(model text, account text, as_of date, OUT account_id text, OUT name text,
    OUT as_of_date date, OUT user_id text, OUT standing text, OUT entitled boolean, OUT events bigint, OUT value_points float8,
    OUT share float8, OUT active_days integer, OUT recency_days integer, OUT baseline float8, OUT first_day date, OUT last_day date,
    OUT department text, OUT role text, OUT email text, OUT main_contact boolean) RETURNS SETOF record
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    id text;
    compiled health_internal.compiled_model;
BEGIN
    IF NOT isfinite(users_as_owner.as_of) THEN
        RAISE EXCEPTION 'model "%": the day of the people is %', model, users_as_owner.as_of
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day: users(model, account, date).';
    END IF;
    IF account IS NOT NULL THEN
        id := health_internal.find_account(model, version, account);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.store_accounts(health_internal.open_store(version), id, users_as_owner.as_of);
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT %s, u.name, u.as_of, u.user_id, u.standing, u.entitled, u.events, u.value_points, u.share, u.active_days, u.recency_days, '
        'u.baseline, u.first_day, u.last_day, u.department, u.role, u.email, u.main_contact FROM (%s) AS u ORDER BY u.account_id, '
        'u.value_points DESC, u.last_day DESC NULLS LAST, u.user_id',
        health_internal.canonical_text('u.account_id', compiled.account_type),
        health_internal.compile_users(version.document, health_internal.scoring_document(version.document),
            '(' || compiled.ledger || ')', health_internal.compile_state(with_past => false, with_overrides => false)));
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, users_as_owner.as_of);
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health_internal.users_as_owner(text, text, date) IS 'users() as the owner of the model';

CREATE FUNCTION health.users(model text, account text DEFAULT NULL, as_of date DEFAULT NULL, OUT account_id text, OUT name text,
    OUT as_of_date date, OUT user_id text, OUT standing text, OUT entitled boolean, OUT events bigint, OUT value_points float8,
    OUT share float8, OUT active_days integer, OUT recency_days integer, OUT baseline float8, OUT first_day date, OUT last_day date,
    OUT department text, OUT role text, OUT email text, OUT main_contact boolean) RETURNS SETOF record
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.users_as_owner($1, $2, $3::date)', model, account, health_internal.iso_text(as_of))
        AS r (account_id text, name text, as_of_date date, user_id text, standing text, entitled boolean, events bigint,
              value_points float8, share float8, active_days integer, recency_days integer, baseline float8, first_day date,
              last_day date, department text, role text, email text, main_contact boolean);
END;
$$;

COMMENT ON FUNCTION health.users(text, text, date) IS
    'The people of an account, or of all accounts, as of any day, those with most value points first: how each stands (champion, active, '
    'new, quiet, dormant, invited, deactivated) and what each did, as in name_users; department, role, email and main contact are those '
    'that the user source has now. as_of: by default the day of the model';

CREATE FUNCTION health.users(model text, account bigint, as_of date DEFAULT NULL, OUT account_id text, OUT name text,
    OUT as_of_date date, OUT user_id text, OUT standing text, OUT entitled boolean, OUT events bigint, OUT value_points float8,
    OUT share float8, OUT active_days integer, OUT recency_days integer, OUT baseline float8, OUT first_day date, OUT last_day date,
    OUT department text, OUT role text, OUT email text, OUT main_contact boolean) RETURNS SETOF record
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT u.* FROM health.users(model, account::pg_catalog.text, as_of) AS u;
END;

COMMENT ON FUNCTION health.users(text, bigint, date) IS 'users(model, account, as_of) for a numeric account id';

CREATE FUNCTION health.users(model text, account uuid, as_of date DEFAULT NULL, OUT account_id text, OUT name text,
    OUT as_of_date date, OUT user_id text, OUT standing text, OUT entitled boolean, OUT events bigint, OUT value_points float8,
    OUT share float8, OUT active_days integer, OUT recency_days integer, OUT baseline float8, OUT first_day date, OUT last_day date,
    OUT department text, OUT role text, OUT email text, OUT main_contact boolean) RETURNS SETOF record
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT u.* FROM health.users(model, account::pg_catalog.text, as_of) AS u;
END;

COMMENT ON FUNCTION health.users(text, uuid, date) IS 'users(model, account, as_of) for a uuid account id';

-- The story of one account, day by day: what people did, what began and ended, how the score moved and why.

-- Of a day that the history of a tracked model has, the account data that were recorded on it.
CREATE FUNCTION health_internal.recorded_story_days(version health_internal.model_version, account text, account_type regtype,
    from_day date, to_day date, OUT as_of date, OUT account_start date, OUT account_end date, OUT seats float8, OUT inputs text[],
    OUT observed date[], OUT repeated boolean) RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking CONSTANT health_internal.tracking := (health_internal.open_store(version)).tracking;
BEGIN
    IF tracking.id IS NULL OR to_regclass(health_internal.data_table('history', tracking.id)) IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT d.as_of, d.account_start, d.account_end, d.seats, d.inputs, d.observed, '
        'd.unknown_reason IS NOT DISTINCT FROM ''repeated_account'' '
        'FROM %s AS h, health_internal.recorded_days(h.month, h.days, h.spans) AS d '
        'WHERE h.account_id = %L::%s AND h.month >= health_internal.month_of($1) AND h.month <= $2 AND d.as_of BETWEEN $1 AND $2 '
        'AND d.as_of < $3 AND d.model_version = ANY ($4)',
        health_internal.data_table('history', tracking.id), account, format_type(account_type, -1))
    USING from_day, to_day, coalesce((health_internal.read_state(tracking.id)).as_of, '-infinity'),
        health_internal.versions_with_same_inputs(version.model, version.document);
END;
$$;

COMMENT ON FUNCTION health_internal.recorded_story_days(health_internal.model_version, text, regtype, date, date) IS
    'The days of an account that the history of a tracked model has, with the account data of each; of other models none';

CREATE FUNCTION health_internal.state_with(state health.account_state, as_of date, account_start date, account_end date, seats float8,
    inputs text[], observed date[], repeated boolean) RETURNS health.account_state
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT ROW((state).parts, as_of, account_start, seats, inputs, observed, (state).segments, NULL, NULL, repeated, account_end,
               (state).ledger_start, NULL, NULL, (state).overrides, (state).outages)::health.account_state;
END;

COMMENT ON FUNCTION health_internal.state_with(health.account_state, date, date, date, float8, text[], date[], boolean) IS
    'The state of an account on another day, with other account data';

CREATE FUNCTION health_internal.story_state(version health_internal.model_version, account text, account_type regtype,
    state health.account_state, day date) RETURNS health.account_state
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seen CONSTANT date := health_internal.seen_as_of(day, state.outages);
    behind CONSTANT integer := CASE WHEN state.past_inputs IS NOT NULL
        THEN least(state.as_of - seen, array_length(state.past_inputs, 1)) END;
    recorded record;
BEGIN
    SELECT r.* INTO recorded FROM health_internal.recorded_story_days(version, account, account_type, seen, seen) AS r;
    IF FOUND THEN
        RETURN health_internal.state_with(state, seen, recorded.account_start,
            health_internal.end_then(state.account_end, recorded.account_end), recorded.seats, recorded.inputs,
            recorded.observed, recorded.repeated);
    ELSIF behind > 0 THEN
        RETURN health_internal.state_with(state, seen, state.account_start, state.account_end, state.seats,
            ARRAY(SELECT i.value FROM unnest(state.past_inputs[behind:behind]) WITH ORDINALITY AS i (value, "position")
                  ORDER BY i."position"),
            ARRAY(SELECT o.value FROM unnest(state.past_observed[behind:behind]) WITH ORDINALITY AS o (value, "position")
                  ORDER BY o."position"), state.repeated);
    END IF;
    RETURN health_internal.state_with(state, seen, state.account_start, state.account_end, state.seats, state.inputs, state.observed,
                                      state.repeated);
END;
$$;

COMMENT ON FUNCTION health_internal.story_state(health_internal.model_version, text, regtype, health.account_state, date) IS
    'What scoring takes of an account on a day, as score_at() has it, from a state with the inputs of the days before it';

CREATE FUNCTION health_internal.story_series(version health_internal.model_version, account text, account_type regtype,
    state health.account_state, from_day date, to_day date, OUT as_of date, OUT score float8, OUT band text, OUT unknown_reason text,
    OUT customer_state text) RETURNS SETOF record
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH alike AS MATERIALIZED (
        SELECT r.account_start, r.account_end, r.seats, r.inputs, r.observed, r.repeated, array_agg(r.as_of) AS days,
               min(r.as_of) AS first_day, max(r.as_of) AS last_day
        FROM health_internal.recorded_story_days(version, account, account_type, from_day, to_day) AS r GROUP BY 1, 2, 3, 4, 5, 6
    ), recorded AS MATERIALIZED (
        SELECT s.as_of, s.score, s.band, s.unknown_reason, s.state
        FROM alike AS a CROSS JOIN LATERAL health.score_series((version).document, health_internal.state_with(story_series.state,
            a.last_day, a.account_start, health_internal.end_then((story_series.state).account_end, a.account_end),
            a.seats, a.inputs, a.observed, a.repeated), a.first_day, a.last_day) AS s
        WHERE s.as_of = ANY (a.days)
    )
    SELECT r.* FROM recorded AS r
    UNION ALL
    SELECT s.as_of, s.score, s.band, s.unknown_reason, s.state
    FROM health.score_series((version).document, story_series.state, from_day, to_day) AS s
    WHERE NOT EXISTS (SELECT FROM recorded AS r WHERE r.as_of = s.as_of)
    ORDER BY 1;
$$;

COMMENT ON FUNCTION health_internal.story_series(health_internal.model_version, text, regtype, health.account_state, date, date) IS
    'The score of an account on every day of a span, as score_at() has it';

-- A move is told when the score is 5 points or more from what it was on one of the 7 days before, the last told day among them.
CREATE FUNCTION health_internal.story_scores(version health_internal.model_version, account text, account_type regtype,
    state health.account_state, from_day date, to_day date, OUT day date, OUT kind text, OUT what text, OUT amount numeric,
    OUT details text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := version.document;
    days date[] := ARRAY[]::date[];    -- since the last told one, at most 7
    scores float8[] := ARRAY[]::float8[];
    now record;
    band_before text;
    state_before text;
    score_before float8;
    day_before date;
    since date;
    furthest float8;
    is_told boolean := false;
    turned boolean;
    told health.account_score;
BEGIN
    FOR now IN SELECT s.* FROM health_internal.story_series(version, account, account_type, state, from_day - 7, to_day) AS s LOOP
        SELECT r.day, r.score INTO since, furthest FROM unnest(days, scores) AS r (day, score)
        WHERE r.day >= now.as_of - 7 ORDER BY abs(now.score - r.score) DESC NULLS LAST, r.day DESC LIMIT 1;
        IF now.as_of >= from_day AND (NOT is_told OR now.band IS DISTINCT FROM band_before
                                      OR now.customer_state IS DISTINCT FROM state_before OR abs(now.score - furthest) >= 5) THEN
            told := health.score_account(document, health_internal.story_state(version, account, account_type, state, now.as_of));
            day := now.as_of;
            turned := NOT is_told OR now.customer_state IS DISTINCT FROM state_before;
            IF turned THEN
                kind := 'state';
                what := now.customer_state;
                amount := NULL;
                details := told.state_reason;
                RETURN NEXT;
            END IF;
            -- A state that has no score says so itself.
            IF (NOT is_told OR now.band IS DISTINCT FROM band_before OR abs(now.score - furthest) >= 5)
               AND NOT (turned AND now.score IS NULL) THEN
                kind := 'score';
                what := coalesce(now.band, CASE WHEN now.score IS NULL THEN 'unknown' ELSE now.customer_state END);
                amount := round(now.score::numeric, 1);
                details := coalesce(now.unknown_reason, told.main_reason);
                IF is_told AND now.score IS NOT NULL AND score_before IS NOT NULL THEN
                    since := CASE WHEN abs(now.score - furthest) >= 5 THEN since ELSE day_before END;
                    SELECT c.phrase INTO details FROM health.score_change(document, document,
                        health_internal.story_state(version, account, account_type, state, since),
                        health_internal.story_state(version, account, account_type, state, now.as_of)) AS c
                    WHERE c.step = 'total';
                END IF;
                RETURN NEXT;
                days := '{}';
                scores := '{}';
            END IF;
            is_told := true;
        END IF;
        days := days[greatest(cardinality(days) - 5, 1):] || now.as_of;
        scores := scores[greatest(cardinality(scores) - 5, 1):] || now.score;
        band_before := now.band;
        state_before := now.customer_state;
        score_before := now.score;
        day_before := now.as_of;
    END LOOP;
END;
$$;

COMMENT ON FUNCTION health_internal.story_scores(health_internal.model_version, text, regtype, health.account_state, date, date) IS
    'Where an account stands on the first day of a span, and then each change of its state or band, and of its score by 5 points';

CREATE FUNCTION health_internal.story_usage(document jsonb, parts health.usage[], from_day date, to_day date, OUT day date,
    OUT rank integer, OUT kind text, OUT who text, OUT what text, OUT amount numeric, OUT details text) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH cell AS (
        SELECT c.user_id, c.day, regexp_replace(c.event, '^[$]/[0-9]+/', '') AS name, sum(c.count) AS times,
               sum(c.amount) AS amount
        FROM unnest(parts) AS p (usage) CROSS JOIN LATERAL health.cells(health.slice(p.usage, from_day, to_day + 1)) AS c GROUP BY 1, 2, 3
    ), named AS (
        SELECT c.*, regexp_match(c.name, '^[$]/([-+*])([^/]*)/([^/]*)/([^/]*)/(.*)$') AS fact,
               substring(c.name FROM '^[$]([^/]+)/') AS actor
        FROM cell AS c WHERE c.times > 0
    )
    SELECT n.day, 10, 'usage', n.user_id, regexp_replace(n.name, '^[$][^/]+/', ''), n.times,
           nullif(concat_ws(', ', 'by ' || n.actor, 'amounts add up to ' || trim_scale(n.amount)), '')
    FROM named AS n WHERE n.fact IS NULL AND (n.actor IS NOT NULL OR NOT starts_with(n.name, '$'))
    UNION ALL
    SELECT n.day, CASE n.name WHEN '$invited' THEN 5 WHEN '$joined' THEN 6 ELSE 7 END, substr(n.name, 2), n.user_id, NULL, NULL, NULL
    FROM named AS n WHERE n.name IN ('$invited', '$joined', '$deactivated')
    UNION ALL
    SELECT n.day, CASE n.fact[1] WHEN '-' THEN 9 ELSE 8 END, CASE n.fact[1] WHEN '-' THEN 'ended' ELSE 'started' END,
           CASE WHEN n.fact[1] = '*' OR NOT document #> ARRAY['facts', n.fact[2]] ? 'user'
                     OR n.fact[1] = '-' AND n.user_id IN ('', '0', '00000000-0000-0000-0000-000000000000') THEN NULL ELSE n.user_id END,
           n.fact[2], trim_scale(n.amount),
           nullif(concat_ws(', ', nullif(n.fact[5], ''), nullif(n.fact[4], ''),
                            CASE WHEN n.fact[1] = '-' THEN format('after %s days', n.fact[3]) END,
                            CASE WHEN n.times > 1 THEN format('%s times', n.times) END), '')
    FROM named AS n WHERE n.fact IS NOT NULL;
$$;

COMMENT ON FUNCTION health_internal.story_usage(jsonb, health.usage[], date, date) IS
    'What ledgers say of the days of a span: events by person, who was invited, joined and left, facts that began and ended';

CREATE FUNCTION health_internal.story_people(model_name text, account text, from_day date, to_day date, OUT day date, OUT rank integer,
    OUT kind text, OUT who text, OUT what text, OUT amount numeric, OUT details text) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.day, 3, 'override', m.who, m.what, round(o.value::numeric, 1), m.details
    FROM health_internal.score_override AS o
    CROSS JOIN LATERAL (VALUES
        (o.from_day, o.owner, o.kind, concat_ws(', ', o.reason, 'until ' || to_char(o.expires, 'YYYY-MM-DD'))),
        (o.ended, coalesce(o.ended_by, o.owner), o.kind || ' ended', o.reason),
        (CASE WHEN o.ended IS NULL OR o.expires < o.ended THEN o.expires END, o.owner, o.kind || ' expired', o.reason))
        AS m (day, who, what, details)
    WHERE o.model = model_name AND o.account = story_people.account AND m.day BETWEEN story_people.from_day AND story_people.to_day
    UNION ALL
    SELECT p.day, 4, 'pulse', p.owner, NULL, p.value, p.note FROM health_internal.csm_pulse AS p
    WHERE p.model = model_name AND p.account = story_people.account AND p.day BETWEEN story_people.from_day AND story_people.to_day;
$$;

COMMENT ON FUNCTION health_internal.story_people(text, text, date, date) IS
    'What people decided about an account and said of it on the days of a span';

CREATE FUNCTION health_internal.check_story(model_name text, account text, from_day date, to_day date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF account IS NULL THEN
        RAISE EXCEPTION 'model "%": the account to tell of is NULL', model_name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the id of an account: story(model, account, from_date, to_date).';
    ELSIF NOT isfinite(from_day) OR NOT isfinite(to_day) OR from_day > to_day THEN
        RAISE EXCEPTION 'model "%": from % to % is no span of time', model_name, from_day, to_day
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give two days, the earlier one first: story(model, account, from_date, to_date).';
    ELSIF to_day >= from_day + interval '3 years' THEN
        RAISE EXCEPTION 'model "%": from % to % is more than three years', model_name, from_day, to_day
            USING ERRCODE = 'program_limit_exceeded', HINT = 'Ask for three years at a time.';
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.check_story(text, text, date, date) IS 'Raises an error unless a story can be told of these days';

CREATE TYPE health_internal.found_account AS (
    id text,
    id_type regtype,
    state health.account_state
);

COMMENT ON TYPE health_internal.found_account IS 'Internal: an account by its id, as text, with the type of that and its state';

CREATE FUNCTION health_internal.story_account(version health_internal.model_version, account text, as_of date, past_days integer)
    RETURNS SETOF health_internal.found_account
LANGUAGE plpgsql ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    has_ledgers CONSTANT boolean := (health_internal.open_store(version)).has_ledgers;
    compiled health_internal.compiled_model;
BEGIN
    IF has_ledgers THEN
        PERFORM health_internal.check_data_tables(version.model);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, account, as_of, model_name => version.model,
        usage_from => CASE WHEN has_ledgers THEN 'ledger' ELSE 'events' END, past_days => past_days);
    RETURN QUERY EXECUTE pg_catalog.format('SELECT %s, $1, %s FROM (%s) AS l LIMIT 1',
        health_internal.canonical_text('l.account_id', compiled.account_type), health_internal.compile_state(), compiled.ledger)
        USING compiled.account_type;
    IF NOT FOUND THEN
        PERFORM health_internal.raise_unknown_account(version.model, version, account);
    END IF;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF compiled.account_type IS NOT NULL AND strpos(sqlerrm, account) > 0 AND sqlstate IN ('22P02', '22003', '22007') THEN
        PERFORM health_internal.raise_unknown_account(version.model, version, account);
    ELSIF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(version.model, version, as_of);
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health_internal.story_account(health_internal.model_version, text, date, integer) IS
    'An account as of a day, with what is known of the days before it, read from its ledger if the model is tracked, else from the '
    'events of that account only; an error when there is no such account';

CREATE FUNCTION health_internal.story_as_owner(model text, account text, from_date date, to_date date, OUT day date, OUT rank integer,
    OUT kind text, OUT who text, OUT what text, OUT amount numeric, OUT details text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    today CONSTANT date := health_internal.model_today(version.document);
    last_day CONSTANT date := coalesce(to_date, today);
    first_day CONSTANT date := coalesce(from_date, last_day - 90);
    scored_until CONSTANT date := least(last_day, today);
    known record;
BEGIN
    PERFORM health_internal.check_story(model, account, first_day, last_day);
    SELECT a.* INTO known
    FROM health_internal.story_account(version, account, scored_until, greatest(scored_until - first_day, 0) + 7) AS a;
    IF scored_until >= first_day THEN
        RETURN QUERY SELECT s.day, CASE s.kind WHEN 'state' THEN 1 ELSE 2 END, s.kind, NULL::text, s.what, s.amount, s.details
                     FROM health_internal.story_scores(version, known.id, known.id_type, known.state, first_day, scored_until) AS s;
    END IF;
    RETURN QUERY SELECT u.* FROM health_internal.story_usage(version.document, (known.state).parts, first_day, last_day) AS u;
    RETURN QUERY SELECT p.* FROM health_internal.story_people(model, known.id, first_day, last_day) AS p;
END;
$$;

COMMENT ON FUNCTION health_internal.story_as_owner(text, text, date, date) IS
    'story() as the owner of the model, with the rank of each row';

CREATE FUNCTION health.story(model text, account text, from_date date DEFAULT NULL, to_date date DEFAULT NULL, OUT day date,
    OUT kind text, OUT who text, OUT what text, OUT amount numeric, OUT details text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.day, r.kind, r.who, r.what, r.amount, r.details
    FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.story_as_owner($1, $2, $3::date, $4::date)', model, account, health_internal.iso_text(from_date),
        health_internal.iso_text(to_date)) AS r (day date, rank integer, kind text, who text, what text, amount numeric, details text)
    ORDER BY r.day, r.rank, r.who COLLATE "C", r.what COLLATE "C", r.details COLLATE "C";
END;
$$;

COMMENT ON FUNCTION health.story(text, text, date, date) IS
    'The story of one account from a day to a day (at most three years; by default the last 90 days), in order. Kinds: state and score '
    '(where it stands on the first day; then each change of state or band, and of the score by 5 points within 7 days, with the reason; by '
    'the present version, as score_at() has it: a score of a day rests on the days before it), override, pulse, invited, joined, '
    'deactivated, started and ended (facts, amount is their value), usage (amount is the number of events of a person on the day)';

CREATE FUNCTION health.story(model text, account bigint, from_date date DEFAULT NULL, to_date date DEFAULT NULL, OUT day date,
    OUT kind text, OUT who text, OUT what text, OUT amount numeric, OUT details text) RETURNS SETOF record
LANGUAGE sql ROWS 100
BEGIN ATOMIC
    SELECT s.* FROM health.story(model, account::pg_catalog.text, from_date, to_date) AS s;
END;

COMMENT ON FUNCTION health.story(text, bigint, date, date) IS 'story(model, account, from_date, to_date) for a numeric account id';

CREATE FUNCTION health.story(model text, account uuid, from_date date DEFAULT NULL, to_date date DEFAULT NULL, OUT day date,
    OUT kind text, OUT who text, OUT what text, OUT amount numeric, OUT details text) RETURNS SETOF record
LANGUAGE sql ROWS 100
BEGIN ATOMIC
    SELECT s.* FROM health.story(model, account::pg_catalog.text, from_date, to_date) AS s;
END;

COMMENT ON FUNCTION health.story(text, uuid, date, date) IS 'story(model, account, from_date, to_date) for a uuid account id';

-- The flags of accounts: of the day of a score view, and as of any day.

-- Of a model that is tracked from the ledgers themselves, of others from the relation that has them.
CREATE FUNCTION health_internal.compile_flags(store health_internal.store, ledger_relation text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN (store).has_scores THEN health_internal.compile_account_flags(((store).version).document, format('(%s)',
            health_internal.compile_book_rows((store).tracking, ((store).version).document, every_day => true)), 'l."$parts"')
        ELSE health_internal.compile_account_flags(((store).version).document, ledger_relation) END;
$$;

COMMENT ON FUNCTION health_internal.compile_flags(health_internal.store, text) IS 'SQL of the _flags of a score view';

CREATE FUNCTION health_internal.flags_as_owner(model text, account text, as_of date, OUT account_id text, OUT name text,
    OUT as_of_date date, OUT flag text, OUT kind text, OUT since date, OUT value float8, OUT threshold float8, OUT sentence text,
    OUT next_step text)
    RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    store CONSTANT health_internal.store := health_internal.open_store(version);
    compiled health_internal.compiled_model;
    id text;
BEGIN
    IF NOT version.document ? 'flags' THEN
        RAISE EXCEPTION 'model "%" has no flags', model
            USING ERRCODE = 'undefined_object',
                  HINT = format('SELECT health.alter_model(%L, ''{"flags": {"*": true}}''); adds all ready-made ones that it has the data '
                                'for.', model);
    ELSIF NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day of the flags is %', model, as_of
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day: flags(model, account, date).';
    ELSIF account IS NOT NULL THEN
        id := health_internal.find_account(model, version, account);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    IF store.has_ledgers THEN
        PERFORM health_internal.check_data_tables(model);
    END IF;
    compiled := health_internal.compile_model(version.document, version.version, id, flags_as_owner.as_of, model_name => model,
        usage_from => CASE WHEN store.has_ledgers THEN 'ledger' ELSE 'events' END,
        past_days => health_internal.past_days(version.document));
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT %s, f.name, f.as_of, f.flag, f.kind, f.since, f.value, f.threshold, f.sentence, f.next_step FROM (%s) AS f '
        'ORDER BY f.account_id', health_internal.canonical_text('f.account_id', compiled.account_type),
        health_internal.compile_account_flags(version.document, pg_catalog.format('(SELECT r.*, %s AS model_version FROM (%s) AS r)',
            version.version, health_internal.compile_recorded(model, version.document, 'SELECT l.account_id, l.name, l.usage, l.as_of, '
                'l.account_start, l.account_end, l.ledger_start, l.seats, l.inputs, l.observed, l.segments, l.past_inputs, '
                'l.past_observed, l.repeated, l.in_filter, l.overrides, l.outages, l.tracking_broke FROM (' || compiled.ledger
                || ') AS l'))));
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, as_of);
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health_internal.flags_as_owner(text, text, date) IS 'flags() as the owner of the model';

CREATE FUNCTION health.flags(model text, account text DEFAULT NULL, as_of date DEFAULT NULL, OUT account_id text, OUT name text,
    OUT as_of_date date, OUT flag text, OUT kind text, OUT since date, OUT value float8, OUT threshold float8, OUT sentence text,
    OUT next_step text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.flags_as_owner($1, $2, $3::date)', model, account, health_internal.iso_text(as_of))
        AS r (account_id text, name text, as_of_date date, flag text, kind text, since date, value float8, threshold float8,
              sentence text, next_step text);
END;
$$;

COMMENT ON FUNCTION health.flags(text, text, date) IS
    'The flags of a model that are up, of all accounts or of one, as of its day or any other, by events of days before it: a row per '
    'account and flag with kind (churn, expansion, onboarding, data), since when (28 days are looked back), value, threshold, a '
    'sentence and the '
    'next step';

-- What an expression says of a past day is of that day when it asks other tables with as_of, or needs nothing that changes.
CREATE OR REPLACE FUNCTION
    health_internal.has_a_past(document jsonb, fields health_internal.model_field[], input_path text, kind text, source text)
    RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    expression text := source;
BEGIN
    IF kind IN ('metric', 'pulse') THEN
        RETURN true;
    ELSIF kind = 'variant' THEN
        RETURN (SELECT bool_and(health_internal.has_a_past(document, fields, input_path, 'expression', v.variant ->> 'when'))
                FROM jsonb_array_elements(document -> 'variants') AS v (variant));
    ELSIF kind = 'query' THEN
        RETURN (health_internal.field_of(fields, input_path, 'observed')).expression IS NOT NULL;
    ELSIF kind = 'column' THEN
        expression := document #>> ARRAY['accounts', 'columns', source, 'sql'];
    END IF;
    RETURN coalesce(expression ~* '\mas_of\M' AND (expression ~* '\mselect\M'
        OR (SELECT count(*) = 0 FROM regexp_matches(regexp_replace(expression, '''[^'']*''|::\s*\w+', '', 'g'), '[a-z_]\w*', 'gi') AS w
            (word)
            WHERE lower(w.word[1]) <> ALL ('{as_of,account_start,account_id,coalesce,greatest,least,nullif,'
                'case,when,then,else,end,is,not,and,or,between,true,false,"null"}'))),
        false);
END;
$$;

-- The end that a contract has today need not be the one that it had then.
CREATE FUNCTION health_internal.reads_future_ends(document jsonb, signal jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT coalesce(signal ->> 'measure' = 'days_left' AND document #> ARRAY['facts', signal ->> 'fact', 'known_at'] IS NULL, false);
END;

COMMENT ON FUNCTION health_internal.reads_future_ends(jsonb, jsonb) IS
    'Whether a signal reads ends of facts that may have become known later than the day';

-- Where only weights of 0 are left it is an error: see past_document().
CREATE FUNCTION health_internal.without_variants(document jsonb, names text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN NOT document ? 'variants' THEN document WHEN 'variant' = ANY (names) THEN document - 'variants'
        ELSE jsonb_set(document, '{variants}', (
            SELECT jsonb_agg(v.variant || jsonb_build_object('weights', coalesce(
                       (SELECT jsonb_object_agg(w.key, w.value) FROM jsonb_each(v.variant -> 'weights') AS w
                        WHERE jsonb_path_exists(document -> 'signals', '$.** ? (@.type() == "object" && @.name == $name)',
                                                jsonb_build_object('name', w.key))), '{}')) ORDER BY v.n)
            FROM jsonb_array_elements(document -> 'variants') WITH ORDINALITY AS v (variant, n))) END;
$$;

COMMENT ON FUNCTION health_internal.without_variants(jsonb, text[]) IS
    'A document without its variants, if "variant" is among the names, else without their weights of signals that it has not';

CREATE OR REPLACE FUNCTION
    health_internal.tell_late_rows(document jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN bool_and(s.source ? 'known_at') THEN 'not seen before the day on which they became known'
        ELSE format('seen, as if they had come on their day: no known_at in %s',
                    string_agg(s.path, ', ' ORDER BY s.path) FILTER (WHERE NOT s.source ? 'known_at')) END
    FROM health_internal.ledger_sources(document) AS s WHERE s.path !~ '^facts\..*\.until$' HAVING count(*) > 0;
$$;

-- A backtest knows no more of the book than the first date did, nor do weights. A probability goes with the score that people read, which
-- is by what the version has frozen.
CREATE OR REPLACE FUNCTION
    health_internal.past_document(tested health_internal.model_version, first_date date, as_of_first_date boolean,
    OUT document jsonb, OUT left_out text[], OUT usage_from text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields health_internal.model_field[];
    wrong record;
BEGIN
    PERFORM health_internal.look_names_up_in(tested.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(tested.document) AS f);
    left_out := ARRAY(SELECT i.name FROM health.model_inputs(tested.document) AS i
                      WHERE NOT health_internal.has_a_past(tested.document, fields, i.path, i.kind, i.source) ORDER BY i."position")
        || ARRAY(SELECT l.signal ->> 'name' FROM health_internal.leaf_signals(tested.document) AS l
                 WHERE health_internal.reads_future_ends(tested.document, l.signal) ORDER BY l.number);
    document := pg_catalog.jsonb_set(tested.document, '{signals}',
        health_internal.without_signals(tested.document -> 'signals', left_out));
    IF document -> 'signals' = '[]' THEN
        RAISE EXCEPTION 'model "%": no signal has a past', tested.model
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'Columns say only what stands there today: ' || pg_catalog.array_to_string(left_out, ', ') || '.',
                  HINT = 'Use signals about usage, or expressions that ask dated tables with as_of.';
    END IF;
    document := health_internal.without_variants(document, left_out);
    SELECT p.* INTO wrong FROM health.model_problems(document) AS p WHERE p.path ~ '^(signals|variants)' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'model "%": %: % without signals that have no past', tested.model, wrong.path, wrong.problem
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'Columns say only what stands there today: ' || pg_catalog.array_to_string(left_out, ', ') || '.',
                  HINT = wrong.hint;
    END IF;
    usage_from := CASE WHEN (health_internal.open_store(tested)).has_ledgers THEN 'ledger' ELSE 'events' END;
    IF as_of_first_date THEN
        document := health_internal.freeze_references(health_internal.without_frozen(document), NULL, first_date, usage_from,
                                                      tested.model);
    END IF;
END;
$$;

CREATE OR REPLACE FUNCTION
    health_internal.backtest_as_owner(model text, outcome text, horizon integer, from_date date, to_date date, step integer,
    gap integer, capacity integer, segment text, version integer, lost_accounts text[], lost_days date[])
RETURNS SETOF health.backtest_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
    tested health_internal.model_version := health_internal.find_version(model, coalesce(version, opened.current_version));
    dates CONSTANT date[] := health_internal.plan_dates(model, horizon, health_internal.model_today(tested.document), from_date, to_date,
        step, gap);
    left_out text[];
    document jsonb;
    usage_from text;
    kind CONSTANT text := CASE WHEN outcome IS NOT NULL THEN 'query' WHEN tested.document #> '{accounts,end}' IS NOT NULL THEN 'end'
                               ELSE 'silent' END;
    told CONSTANT text := CASE kind WHEN 'query' THEN 'lost' WHEN 'end' THEN 'ended' ELSE 'silent' END;
BEGIN
    IF capacity < 1 THEN
        RAISE EXCEPTION 'model "%": the capacity is at least 1 account a date, not %', model, capacity
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF segment IS NOT NULL AND tested.document #> ARRAY['accounts', 'columns', segment] IS NULL THEN
        RAISE EXCEPTION 'model "%": there is no column "%" in accounts.columns', model, segment
            USING ERRCODE = 'undefined_column',
                  HINT = coalesce((SELECT pg_catalog.format('Did you mean "%s"?', n.name) FROM health.nearest_name(segment,
                      ARRAY(SELECT pg_catalog.jsonb_object_keys(tested.document #> '{accounts,columns}'))) AS n (name) WHERE n.name IS NOT
                          NULL),
                      'Segments are attributes of accounts: "columns": {"plan": "plan_tier"}.');
    END IF;
    SELECT p.document, p.left_out, p.usage_from INTO document, left_out, usage_from
    FROM health_internal.past_document(tested, dates[1], true) AS p;
    RETURN QUERY EXECUTE $query$
        WITH seen AS MATERIALIZED (
            SELECT s.*, NOT s.in_book AS outside, pg_catalog.starts_with(s.unknown_reason, 'before_ledger') IS TRUE AS before_ledger
            FROM health_internal.observe_model($1, $2, $14, $15, $3, $16, $6, $7, $17, $18, $19) AS s
        ), labelled AS MATERIALIZED (
            SELECT s.* FROM seen AS s WHERE s.on_grid
        ), book_of_date AS MATERIALIZED (
            SELECT l.* FROM labelled AS l WHERE NOT l.outside AND NOT l.gone AND NOT l.before_ledger
        ), observed AS MATERIALIZED (
            SELECT o.* FROM book_of_date AS o WHERE o.score IS NOT NULL
        ), lists AS MATERIALIZED (
            SELECT pg_catalog.array_agg(100 - o.score ORDER BY o.unit, o.as_of) AS risks,
                   pg_catalog.array_agg(o.recency ORDER BY o.unit, o.as_of) AS recency,
                   pg_catalog.array_agg(-o.events ORDER BY o.unit, o.as_of) AS quiet,
                   pg_catalog.array_agg(o.outcome ORDER BY o.unit, o.as_of) AS outcomes,
                   pg_catalog.array_agg(o.unit ORDER BY o.unit, o.as_of) AS units, pg_catalog.count(*) AS n,
                   pg_catalog.count(*) FILTER (WHERE o.outcome) AS events,
                   health_internal.are_enough(pg_catalog.count(*) FILTER (WHERE o.outcome), pg_catalog.count(*)) AS enough
            FROM observed AS o
        ), aucs AS MATERIALIZED (
            SELECT a.*, i.item, l.n, l.events, l.enough
            FROM lists AS l, LATERAL health_internal.auc_beside(l.risks, l.recency || l.quiet, l.outcomes, l.units) AS a
            JOIN (VALUES (1, 'score'), (2, 'days since last activity'), (3, 'number of events')) AS i ("position", item) USING ("position")
        ), bands AS MATERIALIZED (
            SELECT b."position", b.name, pg_catalog.count(o.unit) AS n, pg_catalog.count(o.unit) FILTER (WHERE o.outcome) AS events,
                   pg_catalog.count(DISTINCT o.unit) AS units
            FROM pg_catalog.unnest($8) WITH ORDINALITY AS b (name, "position") LEFT JOIN observed AS o ON o.band = b.name GROUP BY 1, 2
        ), inverted AS MATERIALIZED (
            -- Dates of one account are not independent: tested as if each band had as many observations as accounts.
            SELECT i.first, i.second, i.p_value
            FROM (SELECT pg_catalog.array_agg(CASE WHEN b.n = 0 THEN 0 ELSE pg_catalog.round(b.events * b.units / b.n)::pg_catalog.int8 END
                             ORDER BY b."position") AS events,
                         pg_catalog.array_agg(b.units ORDER BY b."position") AS counts FROM bands AS b) AS b,
                 LATERAL health_internal.rate_inversions(b.events, b.counts) AS i
        ), figures AS (
            SELECT 1 AS part, 1::pg_catalog.int8 AS place, 'verdict' AS section, $9 AS item, l.n, l.events,
                   CASE WHEN a.enough THEN a.auc END AS value, a.low, a.high,
                   health_internal.tell_backtest($9, $7, l.events, l.n - l.events, a.auc, a.low, a.high, r.item, r.auc, r.difference,
                       r.difference_low, r.difference_high) AS note
            FROM lists AS l LEFT JOIN aucs AS a ON a."position" = 1
            LEFT JOIN LATERAL (SELECT b.* FROM aucs AS b WHERE b."position" > 1 ORDER BY b.auc DESC NULLS LAST, b."position" LIMIT 1) AS r
                ON true
            UNION ALL
            SELECT 2, 1, 'data', 'dates', pg_catalog.cardinality($3), NULL, NULL, NULL, NULL,
                   pg_catalog.format('%s to %s, outcome from %s to %s days after each', $4, $5, $6 + 1, $6 + $7)
            UNION ALL
            SELECT 2, 2, 'data', 'accounts', pg_catalog.count(DISTINCT o.unit), pg_catalog.count(DISTINCT o.unit) FILTER (WHERE o.outcome),
                   NULL, NULL, NULL, 'with at least one observation; events: that had the outcome' FROM observed AS o
            UNION ALL
            SELECT 2, 3, 'data', 'observations', l.n, l.events, l.events::pg_catalog.float8 / nullif(l.n, 0), NULL, NULL,
                   'accounts with a score on a date; value: the base rate' FROM lists AS l
            UNION ALL
            SELECT 2, 4, 'data', 'without a score', pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE b.outcome), r.rate, r.low,
                r.high,
                   'in the book, but unknown: in none of the figures below'
            FROM book_of_date AS b,
                 LATERAL (SELECT pg_catalog.count(*) FILTER (WHERE c.outcome) AS events, pg_catalog.count(*) AS n
                          FROM book_of_date AS c WHERE c.score IS NULL) AS c, LATERAL health_internal.rate_interval(c.events, c.n) AS r
            WHERE b.score IS NULL GROUP BY r.rate, r.low, r.high
            UNION ALL
            SELECT 2, 5, 'data', 'not in the book', pg_catalog.count(*), NULL, NULL, NULL, NULL,
                'not yet a customer on the date, or no more'
            FROM labelled AS l WHERE l.outside OR l.gone HAVING pg_catalog.count(*) > 0
            UNION ALL
            SELECT 2, 6, 'data', 'before the ledger', pg_catalog.count(*), NULL, NULL, NULL, NULL,
                   'left out: the ledger begins too late for the date' FROM labelled AS l
            WHERE l.before_ledger AND NOT l.outside AND NOT l.gone HAVING pg_catalog.count(*) > 0
            UNION ALL
            SELECT 2, 7, 'data', 'late rows', NULL, NULL, NULL, NULL, NULL, health_internal.tell_late_rows($2)
            WHERE health_internal.tell_late_rows($2) IS NOT NULL
            UNION ALL
            SELECT 3, a."position", 'auc', a.item, a.n, a.events, CASE WHEN a.enough THEN a.auc END, a.low, a.high,
                   CASE a."position" WHEN 1 THEN 'risk is 100 - score' ELSE 'a baseline: no model at all' END FROM aucs AS a
            UNION ALL
            SELECT 4, g."position", 'gain', 'over ' || g.item, g.n, g.events, CASE WHEN g.enough THEN g.difference END, g.difference_low,
                   g.difference_high,
                   CASE WHEN NOT g.enough THEN 'too few to say' WHEN g.difference_low > 0 THEN 'better'
                        WHEN g.difference_high < 0 THEN 'worse' ELSE 'no difference that the data can show' END
            FROM aucs AS g WHERE g."position" > 1
            UNION ALL
            SELECT 5, r."position", 'ranking', r.item, t.k_used, l.events, CASE WHEN l.enough THEN r.value END,
                   NULL, NULL, r.note
            FROM lists AS l, LATERAL (SELECT coalesce($10, pg_catalog.ceil(0.05 * l.n / pg_catalog.cardinality($3)))
                                          * pg_catalog.cardinality($3) AS k) AS c,
                 LATERAL health_internal.top_k(l.risks, l.outcomes, c.k::pg_catalog.int8) AS t,
                 LATERAL (VALUES (1, 'precision', t.precision, 'share of the k highest risks that had the outcome; n is k over all dates'),
                                 (2, 'recall', t.recall, 'share of all outcomes that are among them'),
                                 (3, 'lift', t.lift, 'precision / base rate'),
                                 (4, 'average precision', t.average_precision, 'PR-AUC: precision over all k')) AS r ("position", item,
                                     value, note)
            WHERE l.n > 0
            UNION ALL
            SELECT 6, r."position", 'probability', r.item, l.n, l.events, CASE WHEN l.enough THEN r.value END,
                   NULL, NULL, r.note
            FROM lists AS l, LATERAL health_internal.probability_scores(
                     ARRAY(SELECT x.risk / 100 FROM pg_catalog.unnest(l.risks) WITH ORDINALITY AS x (risk, n) ORDER BY x.n), l.outcomes)
                         AS p,
                 LATERAL (VALUES (1, 'brier', p.brier, 'mean (p - y)^2 of p = (100 - score) / 100, which is no probability until it is '
                     'calibrated'),
                                 (2, 'skill', p.skill, '1 - Brier / (b (1 - b)): above 0 better than the base rate for everybody'))
                     AS r ("position", item, value, note) WHERE l.n > 0
            UNION ALL
            SELECT 7, c.bin, 'calibration', 'decile ' || c.bin, c.n, c.events, c.observed, c.low, c.high,
                   pg_catalog.format('100 - score says %s', health_internal.show_share(c.predicted))
            FROM lists AS l, LATERAL health_internal.calibration(
                     ARRAY(SELECT x.risk / 100 FROM pg_catalog.unnest(l.risks) WITH ORDINALITY AS x (risk, n) ORDER BY x.n), l.outcomes,
                         10) AS c
            WHERE l.n > 0
            UNION ALL
            SELECT 8, b."position", 'band', b.name, b.n, b.events, r.rate, r.low, r.high,
                   (SELECT pg_catalog.string_agg(pg_catalog.format('more often than in %s (p = %s)', s.name,
                        pg_catalog.to_char(i.p_value, 'FM0.000')), '; ')
                    FROM inverted AS i JOIN bands AS s ON s."position" = i.second WHERE i.first = b."position")
            FROM bands AS b, LATERAL health_internal.rate_interval(b.events, b.n) AS r WHERE b.n > 0
            UNION ALL
            SELECT 9, n.days, 'lead', pg_catalog.format('%s days before', n.days), pg_catalog.count(s.score), pg_catalog.count(s.score),
                   pg_catalog.avg(s.score ORDER BY s.unit), NULL, NULL,
                   pg_catalog.format('mean score of accounts that were lost; of all others %s',
                       pg_catalog.round((SELECT pg_catalog.avg(o.score ORDER BY o.unit, o.as_of) FROM observed AS o WHERE NOT
                           o.outcome)::pg_catalog.numeric, 1))
            FROM (VALUES (30), (60), (90)) AS n (days) JOIN seen AS s ON s.as_of = s.lost_on - n.days AND s.in_book GROUP BY n.days
            UNION ALL
            SELECT 10, g.number, 'signal', g.name, x.n, x.events, CASE WHEN health_internal.are_enough(x.events, x.n) THEN a.auc END, a.low,
                a.high,
                   CASE WHEN health_internal.are_enough(x.events, x.n) AND a.auc > 0.99
                        THEN 'too good to be true: does it know the outcome?' END
            FROM ROWS FROM (pg_catalog.unnest($11), pg_catalog.unnest($12)) AS g (number, name),
                 LATERAL (SELECT pg_catalog.array_agg(100 - o.normalized[g.number] ORDER BY o.unit, o.as_of) AS risks,
                     pg_catalog.array_agg(o.outcome ORDER BY o.unit, o.as_of) AS outcomes,
                                 pg_catalog.array_agg(o.unit ORDER BY o.unit, o.as_of) AS units, pg_catalog.count(*) AS n,
                                 pg_catalog.count(*) FILTER (WHERE o.outcome) AS events
                          FROM observed AS o WHERE o.normalized[g.number] IS NOT NULL) AS x,
                 LATERAL health_internal.auc_interval(x.risks, x.outcomes, x.units) AS a WHERE x.n > 0
            UNION ALL
            SELECT 11, pg_catalog.row_number() OVER (ORDER BY x.segment), 'segment', coalesce(x.segment, '(none)'), x.n, x.events,
                   CASE WHEN health_internal.are_enough(x.events, x.n) THEN a.auc END, a.low, a.high,
                   CASE WHEN NOT health_internal.are_enough(x.events, x.n) THEN 'too few to say' END
            FROM (SELECT o.segment, pg_catalog.array_agg(100 - o.score ORDER BY o.unit, o.as_of) AS risks, pg_catalog.array_agg(o.outcome
                ORDER BY o.unit, o.as_of) AS outcomes,
                         pg_catalog.array_agg(o.unit ORDER BY o.unit, o.as_of) AS units, pg_catalog.count(*) AS n, pg_catalog.count(*)
                             FILTER (WHERE o.outcome) AS
                             events
                  FROM observed AS o GROUP BY 1) AS x, LATERAL health_internal.auc_interval(x.risks, x.outcomes, x.units) AS a WHERE $17
                      IS NOT NULL
            UNION ALL
            SELECT 12, o."position", 'left out', o.name, NULL, NULL, NULL, NULL, NULL,
                   CASE WHEN EXISTS (SELECT FROM health_internal.leaf_signals(($1).document) AS l WHERE l.signal ->> 'name' = o.name
                                     AND health_internal.reads_future_ends(($1).document, l.signal))
                        THEN 'days_left reads ends that may have become known later: "known_at" of the facts says when'
                        WHEN o.name = 'variant' AND ($1).document ? 'variants'
                        THEN 'conditions over columns have no past: every account has the weights of the signals themselves'
                        ELSE 'a column has no past: what stands there today may know the outcome. Ask a dated table with as_of' END
            FROM pg_catalog.unnest($13) WITH ORDINALITY AS o (name, "position")
        )
        SELECT f.section, f.item, f.n, f.events, f.value, f.low, f.high, f.note FROM figures AS f ORDER BY f.part, f.place
        $query$
    USING tested, document, dates, dates[1], dates[cardinality(dates)], gap, horizon,
        ARRAY(SELECT b.name FROM health_internal.model_bands(document) AS b ORDER BY b."position"),
        told, capacity,
        ARRAY(SELECT l.number::pg_catalog.int4 FROM health_internal.leaf_signals(document) AS l ORDER BY l.number),
        ARRAY(SELECT l.signal ->> 'name' FROM health_internal.leaf_signals(document) AS l ORDER BY l.number), left_out,
        usage_from, kind, step, segment, lost_accounts, lost_days;
END;
$$;

-- The query is the caller's, and runs with the caller's rights and names.
CREATE OR REPLACE FUNCTION
    health_internal.read_outcomes(outcome text, visible text, OUT accounts text[], OUT days date[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF outcome IS NULL THEN
        RETURN;
    END IF;
    PERFORM health_internal.look_names_up_in(visible);
    PERFORM FROM health_internal.describe_query(health_internal.trim_statement(outcome), visible);    -- by itself, not within another
    EXECUTE pg_catalog.format(E'SELECT pg_catalog.array_agg(o.account_id::pg_catalog.text), pg_catalog.array_agg(o.day::pg_catalog.date) '
        'FROM (%s\n) AS o (account_id, day) WHERE o.account_id IS NOT NULL AND o.day IS NOT NULL', health_internal.trim_statement(outcome))
    INTO accounts, days;
    accounts := coalesce(accounts, '{}');
    days := coalesce(days, '{}');
EXCEPTION WHEN syntax_error OR undefined_parameter OR invalid_column_reference OR cannot_coerce OR invalid_datetime_format THEN
    RAISE EXCEPTION 'the query for outcomes does not give accounts and days: %', sqlerrm
        USING ERRCODE = 'invalid_parameter_value', HINT = 'For example: select account_id, churned_on from churn.';
END;
$$;

CREATE OR REPLACE FUNCTION
    health_internal.suggest_weights_as_owner(model text, outcome text, horizon integer, from_date date, to_date date,
    step integer, gap integer, version integer, allow_negative boolean, lost_accounts text[], lost_days date[])
RETURNS SETOF health.suggestion_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tested CONSTANT health_internal.model_version := health_internal.find_version(model,
        coalesce(version, (health_internal.open_model(model)).current_version));
    labels health_internal.labels;
    too_few text;
    fitted record;
    present record;
    better record;
    gain record;
    shares jsonb;    -- by name, of all signals
    kept float8;
    is_better boolean;
    has_negative boolean;
    weights jsonb;
BEGIN
    IF allow_negative IS NULL THEN
        RAISE EXCEPTION 'model "%": allow_negative is true or false, not NULL', model USING ERRCODE = 'null_value_not_allowed';
    ELSIF tested.document ? 'variants' THEN
        RAISE EXCEPTION 'model "%" has variants, and one set of weights is suggested', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Ask a model without "variants" whose accounts.filter takes the accounts of one variant.';
    END IF;
    labels := health_internal.label_scores(tested, false, true, outcome, horizon, from_date, to_date, step, gap, lost_accounts, lost_days);
    too_few := health_internal.tell_too_few(labels);
    SELECT f.shares, f.out_of_fold INTO fitted
    FROM health_internal.suggest_shares(labels.document, labels.normalized, labels.scores, labels.outcomes, labels.units,
                                        allow_negative) AS f WHERE too_few IS NULL;
    SELECT a.auc, a.low, a.high INTO present
    FROM health_internal.auc_interval(ARRAY(SELECT 100 - s.score FROM unnest(labels.scores) WITH ORDINALITY AS s (score, i) ORDER BY s.i),
                                      labels.outcomes, labels.units) AS a WHERE labels.n > 0;
    SELECT a.auc, a.low, a.high INTO better
    FROM health_internal.auc_interval(ARRAY(SELECT -s.score FROM unnest(fitted.out_of_fold) WITH ORDINALITY AS s (score, i) ORDER BY s.i),
                                      labels.outcomes, labels.units) AS a WHERE fitted.shares IS NOT NULL;
    SELECT d.difference, d.low, d.high INTO gain
    FROM health_internal.auc_difference(
             ARRAY(SELECT -s.score FROM unnest(fitted.out_of_fold) WITH ORDINALITY AS s (score, i) ORDER BY s.i),
             ARRAY(SELECT -s.score FROM unnest(labels.scores) WITH ORDINALITY AS s (score, i) ORDER BY s.i),
             labels.outcomes, labels.units) AS d WHERE fitted.shares IS NOT NULL;
    -- What has no past keeps its share; the others divide what is left.
    SELECT coalesce(sum(s.share) FILTER (WHERE s.name = ANY (labels.left_out)), 0) INTO kept
    FROM health_internal.weight_shares(tested.document) AS s;
    SELECT jsonb_object_agg(a.name, a.share), coalesce(bool_or(a.share < 0), false) INTO shares, has_negative
    FROM (SELECT l.signal ->> 'name' AS name, (1 - kept) * fitted.shares[l.number] AS share
          FROM health_internal.leaf_signals(labels.document) AS l WHERE fitted.shares IS NOT NULL
          UNION ALL
          SELECT s.name, s.share FROM health_internal.weight_shares(tested.document) AS s WHERE s.name = ANY (labels.left_out)) AS a;
    is_better := coalesce(gain.low > 0 AND better.low > 0.5, false);
    IF is_better AND NOT has_negative THEN
        SELECT jsonb_object_agg(s.key, round(100 * s.value::text::numeric, 1)) INTO weights FROM jsonb_each(shares) AS s;
        weights := jsonb_build_object('signals', health_internal.with_weights(
            coalesce(tested.definition -> 'signals', health_internal.without_frozen(tested.document) -> 'signals'), weights));
    END IF;
    RETURN NEXT ROW('verdict', labels.outcome, labels.n, labels.events, CASE WHEN too_few IS NULL THEN present.auc END,
        CASE WHEN too_few IS NULL THEN better.auc END, gain.difference, gain.low, gain.high,
        health_internal.tell_suggestion(labels, horizon, too_few, fitted.shares IS NOT NULL,
            NOT EXISTS (SELECT FROM unnest(fitted.shares) AS s (share) WHERE s.share <> 0), has_negative, present.auc, better.auc,
            better.low, better.high, gain.difference, gain.low, gain.high),
        weights)::health.suggestion_row;
    RETURN NEXT ROW('data', 'dates', cardinality(labels.dates), NULL, NULL, NULL, NULL, NULL, NULL,
        format('%s to %s, outcome from %s to %s days after each', to_char(labels.dates[1], 'YYYY-MM-DD'),
               to_char(labels.dates[cardinality(labels.dates)], 'YYYY-MM-DD'), gap + 1, gap + horizon), NULL)::health.suggestion_row;
    RETURN NEXT ROW('data', 'accounts', labels.accounts, labels.accounts_with, NULL, NULL, NULL, NULL, NULL,
        'with at least one observation; events: that had the outcome', NULL)::health.suggestion_row;
    RETURN QUERY
    SELECT 'weight', s.name, NULL::bigint, NULL::bigint, s.share, x.suggested, x.suggested - s.share, NULL::float8, NULL::float8,
           concat_ws('; ', 'in group ' || s.in_group,
                     CASE WHEN s.name = ANY (labels.left_out) THEN 'has no past: keeps its share' END,
                     CASE WHEN x.suggested < -0.05 THEN 'points the wrong way: turn its normalizer round'
                          WHEN x.suggested < 0 THEN 'hardly counts' END), NULL::jsonb
    FROM health_internal.weight_shares(tested.document) AS s,
         LATERAL (SELECT CASE WHEN is_better THEN (shares ->> s.name)::float8 END AS suggested) AS x
    ORDER BY s.number;
END;
$$;

-- Figures of segments: how the groups of accounts that a model names do.

-- Over the ledger, which stands before it in the WITH list of the statement.
CREATE FUNCTION health_internal.compile_store_scores(store health_internal.store, OUT ledger text, OUT scores text,
    OUT signal_values text, OUT account text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := store.version;
    compiled CONSTANT health_internal.compiled_model := health_internal.compile_model(version.document, version.version,
        model_name => version.model, past_days => health_internal.past_days(version.document), as_literals => true);
BEGIN
    ledger := CASE WHEN store.has_scores THEN 'SELECT' ELSE compiled.ledger END;
    scores := health_internal.store_relation(store, '', '"$ledger"', compiled, true);
    signal_values := CASE WHEN store.has_scores
        THEN format('SELECT b.account_id, b.signals FROM %s AS b', health_internal.data_table('score', (store.tracking).id))
        ELSE format('SELECT l.account_id, health_internal.account_signals(%L::pg_catalog.jsonb, %s) AS signals FROM "$ledger" AS l '
                    'WHERE l.in_filter[1] IS NOT FALSE', health_internal.scoring_document(version.document),
                    health_internal.compile_state(with_past => false)) END;
    account := health_internal.canonical_text('s.account_id', compiled.account_type);
END;
$$;

COMMENT ON FUNCTION health_internal.compile_store_scores(health_internal.store) IS
    'SQL of the scores of a store as its score view shows them, and of the values of their signals, over SQL of "$ledger"; and of the '
    'account of a row s as text';

CREATE FUNCTION health_internal.revenue_column(model_name text, document jsonb, revenue text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields CONSTANT health_internal.model_field[] := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    type CONSTANT regtype := (SELECT c.type FROM health_internal.score_columns(document, fields) AS c
                              WHERE c.name = coalesce(revenue, 'arr') LIMIT 1);
BEGIN
    IF health_internal.is_number(type) THEN
        RETURN coalesce(revenue, 'arr');
    ELSIF revenue IS NOT NULL THEN
        RAISE EXCEPTION 'model "%": %', model_name, CASE WHEN type IS NULL
            THEN pg_catalog.format('there is no column "%s" in its score view', revenue)
            ELSE pg_catalog.format('column "%s" of its score view is %s, not a number', revenue, type) END
            USING ERRCODE = CASE WHEN type IS NULL THEN 'undefined_column' ELSE 'datatype_mismatch' END,
                  HINT = 'Revenue is an attribute of accounts: "columns": {"arr": "arr"}.';
    END IF;
    RETURN NULL;
END;
$$;

COMMENT ON FUNCTION health_internal.revenue_column(text, jsonb, text) IS
    'The column of the score view that has the revenue of an account: the given one, else arr, if it is a number; an error if the given '
    'one is none';

-- As they stand in the document.
CREATE FUNCTION health_internal.segment_values(document jsonb) RETURNS TABLE (segment text, value text, place bigint)
LANGUAGE sql IMMUTABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.key, p.part ->> 'name', p.n
    FROM jsonb_each(document -> 'segments') AS s,
         jsonb_array_elements(coalesce(nullif(s.value -> 'steps', 'null'), nullif(s.value -> 'shares', 'null'),
                                       nullif(s.value -> 'rules', 'null'), '[]')) WITH ORDINALITY AS p (part, n);
$$;

COMMENT ON FUNCTION health_internal.segment_values(jsonb) IS 'The values that a document gives names to, in its order';

CREATE FUNCTION health_internal.check_has_segments(version health_internal.model_version, wanted text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT version.document ? 'segments' THEN
        RAISE EXCEPTION 'model "%" has no segments', version.model
            USING ERRCODE = 'undefined_object',
                  HINT = format('SELECT health.alter_model(%L, ''{"segments": {"tier": {"column": "plan_tier"}}}'');', version.model);
    ELSIF NOT version.document -> 'segments' ? wanted THEN
        RAISE EXCEPTION 'model "%" has no segment "%"', version.model, wanted
            USING ERRCODE = 'undefined_object',
                  HINT = (SELECT format('The segments are: %s.', string_agg(k, ', ' ORDER BY k))
                          FROM jsonb_object_keys(version.document -> 'segments') AS k);
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.check_has_segments(health_internal.model_version, text) IS
    'Raises an error unless a version has segments, and the wanted one among them';

CREATE FUNCTION health_internal.segments_as_owner(model text, revenue text,
    OUT segment text, OUT value text, OUT accounts bigint, OUT share float8, OUT revenue_sum numeric, OUT mean_score float8,
    OUT median_score float8, OUT healthy_share float8, OUT at_risk_share float8, OUT active_users bigint, OUT churned_90d bigint)
    RETURNS SETOF record
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    compiled record;
    sums text;
BEGIN
    PERFORM health_internal.check_has_segments(version);
    PERFORM health_internal.set_names_path(version.search_path);
    sums := health_internal.revenue_column(model, version.document, revenue);
    PERFORM health_internal.look_names_up_in(version.search_path);
    SELECT c.* INTO compiled FROM health_internal.compile_store_scores(health_internal.open_store(version)) AS c;
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH "$ledger" AS MATERIALIZED (%s), "$scores" AS MATERIALIZED (%s), "$segments" AS (%s)
        SELECT g.segment, g.value, g.accounts, g.accounts / nullif(pg_catalog.sum(g.accounts) OVER (PARTITION BY g.segment), 0)::float8,
               g.revenue, g.mean_score, g.median_score, g.healthy / nullif(g.banded, 0)::pg_catalog.float8,
               g.at_risk / nullif(g.banded, 0)::pg_catalog.float8, g.active_users, %s
        FROM (SELECT s.segment, s.value, pg_catalog.count(*) FILTER (WHERE a.in_book) AS accounts,
                     pg_catalog.sum(nullif((%s)::pg_catalog.numeric, 'NaN')) FILTER (WHERE a.in_book) AS revenue,
                     health.health_score(a.score, 1) FILTER (WHERE a.in_book) AS mean_score,
                     pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY a.score) FILTER (WHERE a.in_book) AS median_score,
                     pg_catalog.count(*) FILTER (WHERE a.in_book AND b."position" = 1) AS healthy,
                     pg_catalog.count(*) FILTER (WHERE a.in_book AND a.band = ANY (%L::pg_catalog.text[])) AS at_risk,
                     pg_catalog.count(*) FILTER (WHERE a.in_book AND b."position" IS NOT NULL) AS banded,
                     pg_catalog.sum(a.active_users) FILTER (WHERE a.in_book)::pg_catalog.int8 AS active_users,
                     pg_catalog.count(*) FILTER (WHERE a.account_end <= a.as_of AND a.account_end > a.as_of - 90) AS churned
              FROM "$segments" AS s FULL JOIN "$scores" AS a USING (account_id)
              LEFT JOIN (SELECT m."position", m.name FROM health_internal.model_bands(%L) AS m) AS b ON b.name = a.band
              GROUP BY s.segment, s.value) AS g
        LEFT JOIN health_internal.segment_values(%L) AS v USING (segment, value)
        WHERE g.accounts + g.churned > 0
        ORDER BY g.segment, g.value = 'unknown', v.place, g.value COLLATE "C" $query$,
        compiled.ledger, compiled.scores, health_internal.compile_segments(model, version.document, '"$scores"'),
        CASE WHEN version.document #> '{accounts,end}' IS NULL THEN 'NULL::pg_catalog.int8' ELSE 'g.churned' END,
        CASE WHEN sums IS NULL THEN 'NULL' ELSE pg_catalog.format('a.%I', sums) END,
        health_internal.bands_at_risk(version.document), health_internal.scoring_document(version.document), version.document);
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, past_days => health_internal.past_days(version.document));
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health_internal.segments_as_owner(text, text) IS 'segments() as the owner of the model';

CREATE FUNCTION health.segments(model text, revenue text DEFAULT NULL,
    OUT segment text, OUT value text, OUT accounts bigint, OUT share float8, OUT revenue_sum numeric, OUT mean_score float8,
    OUT median_score float8, OUT healthy_share float8, OUT at_risk_share float8, OUT active_users bigint, OUT churned_90d bigint)
    RETURNS SETOF record
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, 'pg_catalog, pg_temp',
        'SELECT * FROM health_internal.segments_as_owner($1, $2)', model, revenue)
        AS r (segment text, value text, accounts bigint, share float8, revenue_sum numeric, mean_score float8, median_score float8,
              healthy_share float8, at_risk_share float8, active_users bigint, churned_90d bigint);
END;
$$;

COMMENT ON FUNCTION health.segments(text, text) IS
    'How the segments of a model do, a row for each segment and value, accounts of the book only: accounts and their share of the book '
    '(0 to 1), sum of the revenue (a numeric column of the score view, by default arr if there is one; else NULL), mean and median score, '
    'shares of the accounts with a band that are in the best band and that are in one of the two lowest (never the best), users active in '
    'the window, and how many accounts ended in the 90 days up to as_of (NULL without accounts.end). unknown: the accounts without a value';

-- An account beside its peers, what is far from usual in the book, and whether what a version has frozen is still how the book is.

-- For sentences: as many digits as a person takes in.
CREATE FUNCTION health_internal.short_number(number float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.trim_scale(pg_catalog.round(number::pg_catalog.numeric,
        CASE WHEN abs(number) >= 100 THEN 0 WHEN abs(number) >= 10 THEN 1 WHEN abs(number) >= 1 THEN 2 ELSE 3 END))::pg_catalog.text;
END;

COMMENT ON FUNCTION health_internal.short_number(float8) IS 'A number in a sentence, rounded to three digits or so';

CREATE FUNCTION health_internal.tell_place(value float8, n bigint, low float8, median float8, high float8, percentile float8) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE n WHEN 0 THEN coalesce(health_internal.short_number(value), 'unknown') || '; no peer has a value'
        WHEN 1 THEN pg_catalog.format('%s; one account has a value: %s', coalesce(health_internal.short_number(value), 'unknown'),
                                      health_internal.short_number(median))
        ELSE pg_catalog.format('%s%s; median %s, middle half %s to %s',
            coalesce(health_internal.short_number(value), 'unknown'),
            CASE WHEN percentile IS NOT NULL THEN pg_catalog.format(': percentile %s of %s accounts',
                     pg_catalog.round(percentile::pg_catalog.numeric), n)
                 ELSE pg_catalog.format(', beside %s accounts', n) END,
            health_internal.short_number(median), health_internal.short_number(low), health_internal.short_number(high)) END;
END;

COMMENT ON FUNCTION health_internal.tell_place(float8, bigint, float8, float8, float8, float8) IS
    'Where a value stands among its peers, in words';

-- What is measured of every account as a number: the score, the metrics, the signals. NaN and infinities are no measures.
CREATE FUNCTION health_internal.measured_columns(document jsonb) RETURNS TABLE (place bigint, kind text, name text, expression text)
LANGUAGE sql STABLE ROWS 60
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT row_number() OVER (ORDER BY m.rank, m.n), m.kind, m.name,
           format('CASE WHEN %1$s > ''-Infinity'' AND %1$s < ''Infinity'' THEN %1$s END', m.expression)
    FROM (SELECT 1 AS rank, 0 AS n, 'score' AS kind, 'score' AS name, '(s.score)' AS expression
          UNION ALL
          SELECT 2, l.number, 'signal', l.signal ->> 'name', format('(s.signals).raw[%s]', l.number)
          FROM health_internal.leaf_signals(document) AS l WHERE l.signal #>> '{normalize,kind}' IS DISTINCT FROM 'map'
          UNION ALL
          SELECT 3, a.attnum, 'metric', a.attname, format('(s.%I)::pg_catalog.float8', a.attname)
          FROM pg_attribute AS a
          WHERE a.attrelid = (SELECT t.typrelid FROM pg_type AS t WHERE t.oid = 'health.metrics_record'::regtype) AND a.attnum > 0
            AND NOT a.attisdropped AND a.atttypid IN ('float8'::regtype, 'int8'::regtype, 'int4'::regtype)) AS m;
$$;

COMMENT ON FUNCTION health_internal.measured_columns(jsonb) IS
    'The numbers that an account is compared by, in order, with their SQL over a row s of scores and signals';

-- Scores and values have a row for each account: a full join is never a loop in a loop, whatever sizes are expected.
CREATE FUNCTION health_internal.benchmarks_as_owner(model text, account text, segment text,
    OUT kind text, OUT name text, OUT value float8, OUT peers bigint, OUT low float8, OUT median float8, OUT high float8,
    OUT percentile float8, OUT sentence text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 60
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    id CONSTANT text := health_internal.find_account(model, version, account);
    compiled record;
    columns record;
BEGIN
    IF segment IS NOT NULL THEN
        PERFORM health_internal.check_has_segments(version, segment);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    SELECT c.* INTO compiled FROM health_internal.compile_store_scores(health_internal.open_store(version)) AS c;
    SELECT pg_catalog.string_agg(pg_catalog.format('pg_catalog.array_agg(%1$s) FILTER (WHERE (%1$s) IS NOT NULL) AS p%2$s',
               c.expression, c.place), ', ' ORDER BY c.place) AS peers,
           pg_catalog.string_agg(pg_catalog.format('(%s, %L, %L, %s, a.p%1$s)', c.place, c.kind, c.name, c.expression), ', '
               ORDER BY c.place) AS own
    INTO columns FROM health_internal.measured_columns(version.document) AS c;
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH "$ledger" AS MATERIALIZED (%s), "$scores" AS MATERIALIZED (%s), "$values" AS MATERIALIZED (%s),
             "$segments" AS MATERIALIZED (%s),
             "$rows" AS MATERIALIZED (SELECT s.*, v.signals, %s = $1 AS own
                                     FROM "$scores" AS s FULL JOIN "$values" AS v USING (account_id)),
             "$peers" AS (
                 SELECT s.* FROM "$rows" AS s WHERE s.in_book AND ($2 IS NULL OR s.account_id IN (
                     SELECT p.account_id FROM "$segments" AS p WHERE p.segment = $2 AND p.value = (
                         SELECT o.value FROM "$segments" AS o
                         WHERE o.segment = $2 AND o.account_id = (SELECT r.account_id FROM "$rows" AS r WHERE r.own LIMIT 1)))))
        SELECT m.kind, m.name, m.value, p.n, p.low, p.median, p.high, p.percentile,
               health_internal.tell_place(m.value, p.n, p.low, p.median, p.high, p.percentile)
        FROM (SELECT %s FROM "$peers" AS s) AS a CROSS JOIN "$rows" AS s
        CROSS JOIN LATERAL (VALUES %s) AS m (place, kind, name, value, peers)
        CROSS JOIN LATERAL health_internal.place_among(m.value, coalesce(m.peers, '{}')) AS p
        WHERE s.own AND (m.value IS NOT NULL OR p.n > 0) ORDER BY m.place $query$,
        compiled.ledger, compiled.scores, compiled.signal_values,
        CASE WHEN segment IS NULL THEN 'SELECT s.account_id, s.name AS segment, s.name AS value FROM "$scores" AS s WHERE false'
             ELSE health_internal.compile_segments(model, version.document, '"$scores"') END,
        compiled.account, columns.peers, columns.own) USING id, segment;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, past_days => health_internal.past_days(version.document));
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health_internal.benchmarks_as_owner(text, text, text) IS 'benchmarks() as the owner of the model';

CREATE FUNCTION health.benchmarks(model text, account text, segment text DEFAULT NULL,
    OUT kind text, OUT name text, OUT value float8, OUT peers bigint, OUT low float8, OUT median float8, OUT high float8,
    OUT percentile float8, OUT sentence text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 60
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, 'pg_catalog, pg_temp',
        'SELECT * FROM health_internal.benchmarks_as_owner($1, $2, $3)', model, account, segment)
        AS r (kind text, name text, value float8, peers bigint, low float8, median float8, high float8, percentile float8, sentence text);
END;
$$;

COMMENT ON FUNCTION health.benchmarks(text, text, text) IS
    'The score, the signals that are numbers and the metrics of an account beside those of its peers: the accounts of the book that have '
    'the same value of a segment, by default the whole book, itself among them if it is in the book. How many peers have a value, their '
    'quartiles low, median and high, and the percentile of the account, 0 to 100: the share of peers below and half of those equal, NULL '
    'of fewer than two peers';

CREATE FUNCTION health.benchmarks(model text, account bigint, segment text DEFAULT NULL,
    OUT kind text, OUT name text, OUT value float8, OUT peers bigint, OUT low float8, OUT median float8, OUT high float8,
    OUT percentile float8, OUT sentence text) RETURNS SETOF record
LANGUAGE sql ROWS 60
BEGIN ATOMIC
    SELECT b.* FROM health.benchmarks(model, account::pg_catalog.text, segment) AS b;
END;

COMMENT ON FUNCTION health.benchmarks(text, bigint, text) IS 'benchmarks() for a numeric account id';

CREATE FUNCTION health.benchmarks(model text, account uuid, segment text DEFAULT NULL,
    OUT kind text, OUT name text, OUT value float8, OUT peers bigint, OUT low float8, OUT median float8, OUT high float8,
    OUT percentile float8, OUT sentence text) RETURNS SETOF record
LANGUAGE sql ROWS 60
BEGIN ATOMIC
    SELECT b.* FROM health.benchmarks(model, account::pg_catalog.text, segment) AS b;
END;

COMMENT ON FUNCTION health.benchmarks(text, uuid, text) IS 'benchmarks() for a uuid account id';

-- Logarithms: twice as much is as far everywhere. Fewer than ten accounts show no line.
CREATE FUNCTION health_internal.outliers_as_owner(model text, revenue text, at_least float8,
    OUT account text, OUT name text, OUT comparison text, OUT x float8, OUT y float8, OUT expected float8, OUT distance float8,
    OUT sentence text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    compiled record;
    revenue_used text;
BEGIN
    IF at_least IS NULL OR NOT (at_least >= 0 AND at_least < 'Infinity') THEN
        RAISE EXCEPTION 'model "%": the least distance is %', model, coalesce(at_least::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a number of 0 or more; 3.5 is far from usual.';
    END IF;
    PERFORM health_internal.set_names_path(version.search_path);
    revenue_used := health_internal.revenue_column(model, version.document, revenue);
    PERFORM health_internal.look_names_up_in(version.search_path);
    SELECT c.* INTO compiled FROM health_internal.compile_store_scores(health_internal.open_store(version)) AS c;
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH "$ledger" AS MATERIALIZED (%s), "$scores" AS MATERIALIZED (%s), "$points" AS (
            SELECT c.place, c.comparison, c.unit, %s AS account, s.name, c.x, c.y
            FROM "$scores" AS s CROSS JOIN LATERAL (VALUES
                (1, 'events per user by size', 'users', s.total_users::pg_catalog.float8,
                 s.events::pg_catalog.float8 / nullif(s.total_users, 0)),
                (2, 'events per user by revenue', 'of revenue', (%s)::pg_catalog.float8,
                 s.events::pg_catalog.float8 / nullif(s.total_users, 0))) AS c (place, comparison, unit, x, y)
            WHERE s.in_book AND c.x > 0 AND c.x < 'Infinity' AND c.y > 0 AND c.y < 'Infinity'
        ), "$lines" AS (
            SELECT p.place, p.comparison, p.unit, pg_catalog.array_agg(p.account ORDER BY p.account) AS accounts,
                   pg_catalog.array_agg(p.name ORDER BY p.account) AS names, pg_catalog.array_agg(p.x ORDER BY p.account) AS xs,
                   pg_catalog.array_agg(p.y ORDER BY p.account) AS ys, pg_catalog.array_agg(pg_catalog.ln(p.x) ORDER BY p.account) AS log_x,
                   pg_catalog.array_agg(pg_catalog.ln(p.y) ORDER BY p.account) AS log_y
            FROM "$points" AS p GROUP BY 1, 2, 3 HAVING pg_catalog.count(*) >= 10
        )
        SELECT u.account, u.name, f.comparison, u.x, u.y, f.expected, u.distance, pg_catalog.format(
                   '%%s events per user, where accounts with %%s %%s have about %%s', health_internal.short_number(u.y),
                   health_internal.short_number(u.x), f.unit, health_internal.short_number(f.expected))
        FROM (SELECT g.*, l.slope, l.intercept, l.distances FROM "$lines" AS g
              CROSS JOIN LATERAL health_internal.robust_line(g.log_x, g.log_y) AS l) AS g
        CROSS JOIN LATERAL unnest(g.accounts, g.names, g.xs, g.ys, g.distances) AS u (account, name, x, y, distance)
        CROSS JOIN LATERAL (SELECT g.comparison, g.unit, pg_catalog.exp(g.intercept + g.slope * pg_catalog.ln(u.x)) AS expected) AS f
        WHERE abs(u.distance) >= $1 ORDER BY g.place, abs(u.distance) DESC, u.account $query$,
        compiled.ledger, compiled.scores, compiled.account, 
        CASE WHEN revenue_used IS NULL THEN 'NULL' ELSE pg_catalog.format('s.%I', revenue_used) END) USING at_least;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, past_days => health_internal.past_days(version.document));
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health_internal.outliers_as_owner(text, text, float8) IS 'outliers() as the owner of the model';

CREATE FUNCTION health.outliers(model text, revenue text DEFAULT NULL, at_least float8 DEFAULT 3.5,
    OUT account text, OUT name text, OUT comparison text, OUT x float8, OUT y float8, OUT expected float8, OUT distance float8,
    OUT sentence text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, 'pg_catalog, pg_temp',
        'SELECT * FROM health_internal.outliers_as_owner($1, $2, $3::pg_catalog.float8)', model, revenue, at_least::text)
        AS r (account text, name text, comparison text, x float8, y float8, expected float8, distance float8, sentence text);
END;
$$;

COMMENT ON FUNCTION health.outliers(text, text, float8) IS
    'Accounts of the book that use the product far more, or far less, than accounts of their size (users) or revenue do (a numeric column '
    'of the score view, by default arr if there is one): events per user in the window against the line that most accounts follow, both in '
    'logarithms (Theil and Sen). distance: residual in 1.4826 median absolute deviations, below the line negative; those of at_least or '
    'more, the farthest first. Accounts without users, events or revenue are left out, and so are comparisons of fewer than 10 accounts';

-- The references of today are those that refreeze_references() would take.
CREATE FUNCTION health_internal.reference_parts(signal jsonb) RETURNS TABLE (reference text, segment text, n bigint, numbers float8[],
    median float8)
LANGUAGE sql IMMUTABLE ROWS 2
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'median'::text, NULL::text, (signal #>> '{frozen,accounts}')::bigint, NULL::float8[], (signal #>> '{frozen,median}')::float8
    WHERE signal #> '{frozen,median}' IS NOT NULL
    UNION ALL
    SELECT 'percentile', r.segment, cardinality(v.numbers), v.numbers, (health_internal.place_among(NULL, v.numbers)).median
    FROM (SELECT NULL::text AS segment, signal #> '{normalize,reference}' AS peers
          WHERE signal #> '{normalize,reference,values}' IS NOT NULL
          UNION ALL SELECT s.key, s.value FROM jsonb_each(coalesce(signal #> '{normalize,reference,segments}', '{}')) AS s) AS r,
         LATERAL (SELECT coalesce(array_agg(p.value::float8), '{}') AS numbers
                  FROM jsonb_array_elements_text(r.peers -> 'values') WITH ORDINALITY AS p (value, n),
                       generate_series(1, coalesce((r.peers #>> ARRAY['counts', (p.n - 1)::text])::bigint, 1))) AS v;
$$;

COMMENT ON FUNCTION health_internal.reference_parts(jsonb) IS
    'What a signal of a complete document keeps of the book: the median that it is shrunk toward, and the peers of its percentile by '
    'segment';

CREATE FUNCTION health_internal.reference_drift_as_owner(model text,
    OUT signal text, OUT reference text, OUT segment text, OUT frozen_accounts bigint, OUT accounts bigint, OUT frozen_median float8,
    OUT median float8, OUT percentile float8, OUT sentence text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    today jsonb := health_internal.check_definition(model, version.definition, version.search_path);
BEGIN
    today := health_internal.freeze_references(today, NULL, health_internal.model_today(version.document),
        CASE WHEN (health_internal.open_store(version)).has_ledgers THEN 'ledger' ELSE 'events' END, model);
    RETURN QUERY
        SELECT r.signal, r.reference, r.segment, r.frozen_accounts, r.accounts, r.frozen_median, r.median, r.percentile,
               CASE WHEN r.frozen_median IS NULL THEN 'nothing was frozen; there is something now'
                    WHEN r.median IS NULL THEN 'no account has a value today'
                    ELSE format('median %s when it was frozen, %s today%s', health_internal.short_number(r.frozen_median),
                                health_internal.short_number(r.median),
                                ': percentile ' || round(r.percentile::numeric) || ' of today''s book') END
        FROM (SELECT coalesce(o.name, n.name) AS signal, coalesce(o.reference, n.reference) AS reference,
                     coalesce(o.segment, n.segment) AS segment, coalesce(o.number, n.number) AS number,
                     o.n AS frozen_accounts, n.n AS accounts, o.median AS frozen_median, n.median,
                     (health_internal.place_among(o.median, n.numbers)).percentile AS percentile
              FROM (SELECT l.number, l.signal ->> 'name' AS name, p.* FROM health_internal.leaf_signals(version.document) AS l,
                        LATERAL health_internal.reference_parts(l.signal) AS p) AS o
              FULL JOIN (SELECT l.number, l.signal ->> 'name' AS name, p.* FROM health_internal.leaf_signals(today) AS l,
                             LATERAL health_internal.reference_parts(l.signal) AS p) AS n
                ON n.number = o.number AND n.reference = o.reference AND coalesce(n.segment, '') = coalesce(o.segment, '')) AS r
        ORDER BY r.number, r.reference, r.segment COLLATE "C";
END;
$$;

COMMENT ON FUNCTION health_internal.reference_drift_as_owner(text) IS 'reference_drift() as the owner of the model';

CREATE FUNCTION health.reference_drift(model text,
    OUT signal text, OUT reference text, OUT segment text, OUT frozen_accounts bigint, OUT accounts bigint, OUT frozen_median float8,
    OUT median float8, OUT percentile float8, OUT sentence text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, 'pg_catalog, pg_temp',
        'SELECT * FROM health_internal.reference_drift_as_owner($1)', model)
        AS r (signal text, reference text, segment text, frozen_accounts bigint, accounts bigint, frozen_median float8, median float8,
              percentile float8, sentence text);
END;
$$;

COMMENT ON FUNCTION health.reference_drift(text) IS
    'What the current version has frozen of the book, beside the book of today: of each signal the median that small accounts are shrunk '
    'toward, and the peers of a percentile by segment; how many accounts, their median, and of percentiles where the frozen median stands '
    'among the peers of today, 0 to 100 (50: nothing has drifted). refreeze_references() takes today''s';

-- Parents of accounts: groups of accounts, each scored like one account, computed when they are read.

CREATE FUNCTION health_internal.describe_parent_column(column_name text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE column_name
        WHEN 'account_id' THEN 'Id of the parent, as text'
        WHEN 'name' THEN 'Name of the parent, where it is an account itself'
        WHEN 'children' THEN 'Accounts of the book below the parent, at any level'
        WHEN 'score' THEN 'Score of the group, as of one account: of the usage of these accounts, and of the parent if it is in the book'
        WHEN 'children_score' THEN 'Mean of the scores of these accounts, weighted by arr where the model has such a column'
        WHEN 'worst_child' THEN 'Id of the one of them with the lowest score'
        WHEN 'worst_child_score' THEN 'Its score'
    END;
END;

COMMENT ON FUNCTION health_internal.describe_parent_column(text) IS 'The comment on a column of the parents of a score view';

-- Over the other relations of the score view, as of their day. Of what is kept single rows are looked up; what plain views compute is not
-- computed for each. A parent that is not in the book stands among the members for its own row alone.
CREATE FUNCTION health_internal.compile_parents(store health_internal.store, ledger text, scores text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := (store.version).document;
    fields CONSTANT health_internal.model_field[] := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    id CONSTANT health_internal.model_field := health_internal.field_of(fields, 'accounts', 'id');
    revenue text;
BEGIN
    PERFORM health_internal.raise_first_problem((store.version).model, fields);
    revenue := health_internal.revenue_column((store.version).model, document, NULL);
    RETURN pg_catalog.replace(health_internal.compile_with_links(fields, 'parent', false, pg_catalog.format($query$
        , "$members" AS MATERIALIZED (
            SELECT m.parent, m.is_child, s.in_book, s.account_id, s.score, %1$s AS weight
            FROM (SELECT k.above, k.key, true FROM "$links" AS k WHERE NOT k.is_circular
                  UNION ALL SELECT DISTINCT k.above, k.above, false FROM "$links" AS k WHERE NOT k.is_circular) AS m (parent, key, is_child)
            JOIN %2$s AS s ON %3$s = m.key WHERE s.in_book OR NOT m.is_child
        ), "$groups" AS (
            SELECT m.parent, (pg_catalog.array_agg(m.account_id) FILTER (WHERE NOT m.is_child))[1] AS account_id,
                   pg_catalog.count(*) FILTER (WHERE m.is_child) AS children,
                   health.health_score(m.score, m.weight) FILTER (WHERE m.is_child) AS children_score,
                   (pg_catalog.array_agg(%4$s ORDER BY m.score, m.account_id) FILTER (WHERE m.is_child AND m.score IS NOT NULL))[1]
                       AS worst_child,
                   pg_catalog.min(m.score) FILTER (WHERE m.is_child) AS worst_child_score,
                   health.rollup(u.usage) FILTER (WHERE m.in_book) AS usage,
                   pg_catalog.min(l.as_of) AS as_of, pg_catalog.min(l.model_version) AS model_version,
                   pg_catalog.min(l.account_start) FILTER (WHERE m.in_book) AS account_start,
                   CASE WHEN pg_catalog.bool_and(l.account_end IS NOT NULL) FILTER (WHERE m.in_book)
                        THEN pg_catalog.max(l.account_end) FILTER (WHERE m.in_book) END AS account_end,
                   CASE WHEN NOT pg_catalog.bool_or(l.seats IS NULL AND u.usage OPERATOR(health.<>) '{}') FILTER (WHERE m.in_book)
                        THEN pg_catalog.sum(l.seats) FILTER (WHERE m.in_book) END AS seats,
                   pg_catalog.min(l.ledger_start) AS ledger_start, pg_catalog.min(l.outages) AS outages,
                   pg_catalog.min(l.tracking_broke) AS tracking_broke
            FROM "$members" AS m JOIN %5$s AS l ON l.account_id = m.account_id CROSS JOIN LATERAL (SELECT %6$s AS usage OFFSET 0) AS u
            GROUP BY 1 HAVING pg_catalog.bool_or(m.is_child)
        )
        SELECT coalesce(%7$s, l.parent) AS account_id, l.name, l.children, l.as_of, l.model_version, s.score, s.band,
               s.state, s.coverage AS data_coverage, coalesce(l.tracking_broke, s.unknown_reason) AS unknown_reason, s.main_reason,
               l.children_score, l.worst_child, l.worst_child_score
        FROM (SELECT g.*, o.name, o.inputs, o.observed, o.segments, o.past_inputs, o.past_observed,
                     coalesce(o.repeated, false) AS repeated, NULL::pg_catalog.bool[] AS in_filter, o.overrides
              FROM "$groups" AS g LEFT JOIN LATERAL (SELECT r.name, r.inputs, r.observed, r.segments, r.past_inputs, r.past_observed,
                  r.repeated, r.overrides FROM %8$s AS r WHERE r.account_id = g.account_id%9$s) AS o ON true) AS l
        CROSS JOIN LATERAL health.score_account(%10$L::pg_catalog.jsonb, %11$s) AS s $query$,
        CASE WHEN revenue IS NULL THEN '1'
             ELSE pg_catalog.format('CASE WHEN s.%1$I::pg_catalog.float8 > 0 AND s.%1$I::pg_catalog.float8 < ''infinity'' '
                 'THEN s.%1$I::pg_catalog.float8 END', revenue) END,
        scores, health_internal.compile_link_key(fields, 'parent', 's.account_id', id.type),
        health_internal.canonical_text('m.account_id', id.type),
        CASE WHEN store.has_scores THEN pg_catalog.format('(%s)', health_internal.compile_book_rows(store.tracking, document, false))
             ELSE ledger END,
        CASE WHEN store.has_scores THEN '(SELECT health.rollup(p.usage) FROM pg_catalog.unnest(l."$parts") AS p (usage))'
             ELSE 'l.usage' END,
        health_internal.canonical_text('l.account_id', id.type), ledger, CASE WHEN store.has_scores THEN ' OFFSET 0' END,
        health_internal.scoring_document(document), health_internal.compile_state())),
        health_internal.clock_item(health_internal.model_clock(document, NULL)),
        health_internal.clock_item(pg_catalog.format('(SELECT l.as_of FROM %s AS l LIMIT 1)', ledger)));
END;
$$;

COMMENT ON FUNCTION health_internal.compile_parents(health_internal.store, text, text) IS
    'SQL of the parents of accounts of a model, a row for each, over its ledger and the rows of its score view';

-- Score views: what a BI tool reads. The model stands in the views as a literal, so readers need SELECT on them and nothing else.

CREATE OR REPLACE FUNCTION
    health_internal.describe_score_relation(suffix text, model_name text, version integer) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(CASE suffix
        WHEN '_ledger' THEN 'Base of the score views of model "%s", version %s: one row per account with its usage ledger and the inputs '
            'of its signals.'
        WHEN '' THEN 'Account health by model "%s", version %s: one row per account with score, band, change, main reason and every usage '
            'metric.'
        WHEN '_signals' THEN 'Signals of account health by model "%s", version %s: one row per account and signal; the points of the '
            'leaves add up to the score.'
        WHEN '_segments' THEN 'Segments of the accounts of model "%s", version %s: one row per account and segment.'
        WHEN '_users' THEN 'People of the accounts by model "%s", version %s: one row per account and user with what the user did and how '
            'the user stands, computed when it is read.'
        WHEN '_flags' THEN 'Flags of the accounts of model "%s", version %s: one row per account and flag that is up.'
        WHEN '_parents' THEN 'Parents of the accounts of model "%s", version %s: one row per parent, scored as one account with '
            'all accounts below it, computed when it is read.'
        ELSE 'Daily account health by model "%s", version %s: one row per account and day, recomputed from the events, expressions and '
            'dated answers of that day; columns of the account table stand at their present value.'
    END, model_name, version);
$$;

COMMENT ON FUNCTION health_internal.describe_score_relation(text, text, integer) IS
    'The comment on one of the relations of a score view';

CREATE OR REPLACE FUNCTION
    health_internal.describe_score_column(suffix text, column_name text, document jsonb) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source_name text := CASE column_name WHEN 'data_coverage' THEN 'coverage' ELSE column_name END;
    source_types regtype[] := CASE suffix
        WHEN '' THEN '{health.account_score,health.metrics_record}'::regtype[]
        WHEN '_signals' THEN '{health.signal_score}'::regtype[]
        WHEN '_history' THEN '{health.account_score}'::regtype[]
        WHEN '_flags' THEN '{health.account_flag}'::regtype[]
        WHEN '_parents' THEN '{health.account_score}'::regtype[]
        ELSE '{}' END;
    description text;
BEGIN
    description := CASE suffix WHEN '_users' THEN health_internal.describe_user_column(column_name)
                               WHEN '_parents' THEN health_internal.describe_parent_column(column_name) END;
    description := coalesce(description, CASE column_name
        WHEN 'account_id' THEN 'Account id, in the type of the account table'
        WHEN 'name' THEN 'Name of the account'
        WHEN 'as_of' THEN 'The day of the score: it rests on events of days before it'
        WHEN 'model' THEN 'Name of the model'
        WHEN 'model_version' THEN 'Version of the model that made this row'
        WHEN 'account_start' THEN 'Since when the account is a customer, by the account table'
        WHEN 'seats' THEN 'Licensed seats, by the account table'
            || CASE suffix WHEN '_ledger' THEN '; NaN where it has what cannot be a number of seats' ELSE '' END
        WHEN 'usage' THEN 'Usage ledger: for each user, local day and event the count and the amount'
        WHEN 'inputs' THEN 'Values of the column, expression, query and pulse signals, in the order of health.model_inputs()'
        WHEN 'observed' THEN 'Dates on which the query signals were observed and the pulses given'
        WHEN 'past_inputs' THEN 'Inputs of earlier days, a row for each, the day before as_of first; NULL when they are always the same'
        WHEN 'past_observed' THEN 'Dates on which the answers among the past inputs were observed'
        WHEN 'account_end' THEN 'The first day on which the account is no customer any more, by the account table'
        WHEN 'ledger_start' THEN 'First day that the ledgers keep; NULL: they have all days'
        WHEN 'in_filter' THEN 'Whether accounts.filter takes the account on the day and on each day before; NULL where it does not '
            'depend on the day'
        WHEN 'repeated' THEN 'Whether the account source has the account more than once: then it is not scored'
        WHEN CASE WHEN document ? 'variants' THEN 'variant' END
            THEN 'The variant whose weights count, the first whose condition is true; NULL: none, the weights of the signals themselves'
        WHEN 'segments' THEN 'Peer groups for percentile normalizers'
        WHEN 'segment' THEN 'Name of the segment in the model'
        WHEN CASE suffix WHEN '_segments' THEN 'value' END
            THEN 'Which of the groups of the segment the account is in; unknown: it has no value'
        WHEN 'outages' THEN 'First and last days, by turns, on which tracking was broken: dates within are scored as of the first day'
        WHEN 'tracking_broke' THEN 'Why as_of is the first day on which tracking was broken, and not today; NULL: it is today'
        WHEN '$into' THEN 'Id of the account that this one was merged into, as text: its usage is in the ledger of that one; NULL: none'
        WHEN 'overrides' THEN 'What was ever decided about the score, in the order in which it was'
    END);
    IF description IS NULL AND (column_name <> 'coverage' OR suffix = '') THEN
        -- The metric named coverage is not the score's data coverage.
        SELECT col_description(t.typrelid, a.attnum) INTO description
        FROM unnest(source_types) WITH ORDINALITY AS o (type, position)
        JOIN pg_type AS t ON t.oid = o.type
        JOIN pg_attribute AS a ON a.attrelid = t.typrelid AND a.attname = source_name AND NOT a.attisdropped
        WHERE column_name <> 'coverage' OR o.type = 'health.metrics_record'::regtype
        ORDER BY o.position LIMIT 1;
    END IF;
    IF description IS NULL AND document #> '{accounts,columns}' ? column_name THEN
        description := format('Account attribute: %s of %s', coalesce(document #>> ARRAY['accounts', 'columns', column_name, 'sql'],
                                                                     document #>> ARRAY['accounts', 'columns', column_name]),
                              coalesce(document #>> '{accounts,table}', 'the account query'));
    END IF;
    IF description IS NULL THEN
        SELECT format('Value of signal "%s": %s', l.signal ->> 'name',
                      coalesce(l.signal ->> 'description', l.signal ->> 'column', l.signal ->> 'expression', l.signal ->> 'query',
                               'the last pulse, 1 (worst) to 5 (best)'))
        INTO description
        FROM health_internal.leaf_signals(document) AS l JOIN health_internal.value_columns(document) AS v ON v.signal = l.signal ->> 'name'
        WHERE v.column_name = describe_score_column.column_name;
    END IF;
    RETURN description;
END;
$$;

COMMENT ON FUNCTION health_internal.describe_score_column(text, text, jsonb) IS
    'The comment on a column of one of the relations of a score view';

CREATE OR REPLACE FUNCTION
    health_internal.compile_score_view(schema_name name, view_name name, store health_internal.store,
    as_literals boolean DEFAULT false)
RETURNS TABLE (suffix text, relation text, query text)
LANGUAGE plpgsql ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := store.version;
    compiled health_internal.compiled_model;
    ledger_relation text;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, model_name => version.model,
                                              past_days => health_internal.past_days(version.document),
                                              as_literals => as_literals);
    FOR suffix, relation IN SELECT r.suffix, r.relation
                            FROM health_internal.score_relations(schema_name, view_name, version.document) AS r LOOP
        ledger_relation := coalesce(ledger_relation, relation);
        query := CASE suffix WHEN '_segments'
            THEN health_internal.compile_segments(version.model, version.document, pg_catalog.format('%I.%I', schema_name, view_name))
            WHEN '_flags' THEN health_internal.compile_flags(store, ledger_relation)
            WHEN '_parents' THEN health_internal.compile_parents(store, ledger_relation, pg_catalog.format('%I.%I', schema_name,
                view_name))
            ELSE health_internal.store_relation(store, suffix, ledger_relation, compiled, as_literals) END;
        RETURN NEXT;
    END LOOP;
END;
$$;

COMMENT ON FUNCTION health_internal.compile_score_view(name, name, health_internal.store, boolean) IS
    'SQL of the relations of a score view, in the order in which they build on each other; with the overrides, pulses and '
    'calibrations that there are as literals or read from the catalog, which only the owner of the model can';

-- By the version that the score view was made of.
CREATE FUNCTION health_internal.view_relations(present health_internal.score_view)
RETURNS TABLE (suffix text, relation text, short_name text)
LANGUAGE sql STABLE ROWS 4
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.* FROM health_internal.score_relations(present.schema_name, present.view_name,
        (SELECT v.document FROM health_internal.model_version AS v
         WHERE v.model = present.model AND v.version = present.model_version)) AS r;
$$;

COMMENT ON FUNCTION health_internal.view_relations(health_internal.score_view) IS
    'The relations that a score view has, in the order in which they build on each other';

-- A score view that had no such relation does not take the place of a relation that happens to have the name.
CREATE FUNCTION health_internal.check_name_beside(schema_name name, view_name name, suffix text, relation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF octet_length(view_name || suffix) > 63 THEN
        RAISE EXCEPTION 'name of score view "%" is longer than % bytes', view_name, 63 - octet_length(suffix)
            USING ERRCODE = 'name_too_long',
                  HINT = format('The model has %s, and the longest of its relations adds %s.', ltrim(suffix, '_'), suffix);
    ELSIF to_regclass(relation) IS NOT NULL AND NOT EXISTS (
        SELECT FROM health_internal.score_view AS s CROSS JOIN LATERAL health_internal.view_relations(s) AS r
        WHERE s.schema_name = check_name_beside.schema_name AND s.view_name = check_name_beside.view_name
          AND r.suffix = check_name_beside.suffix) THEN
        RAISE EXCEPTION 'relation % exists already', relation
            USING ERRCODE = 'duplicate_table',
                  DETAIL = format('The model has %s, and so this is a name of one of its score views.', ltrim(suffix, '_')),
                  HINT = 'Rename the one or choose another name for the score view.';
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.check_name_beside(name, name, text, text) IS
    'Raises an error when the name of what stands beside a score view is taken by something else, or too long';

-- Score views of release 0.1.0 had no name_users, so that somebody's own relation may have that name.
CREATE FUNCTION health_internal.is_foreign_relation(suffix text, relation text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT suffix = '_users' AND to_regclass(relation) IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_rewrite AS r
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_proc'::regclass
            AND d.refobjid = 'health_internal.account_users(jsonb, health.account_state)'::regprocedure
        WHERE r.ev_class = to_regclass(relation));
$$;

COMMENT ON FUNCTION health_internal.is_foreign_relation(text, text) IS
    'Whether a relation of the name of one of a score view is somebody''s own';

-- Under the author's search_path, with target names qualified.
CREATE OR REPLACE FUNCTION
    health_internal.build_score_view(schema_name name, view_name name, model_name text, version health_internal.model_version,
                                                 materialized boolean, kept text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    store CONSTANT health_internal.store := health_internal.open_store(version);
    kind CONSTANT text := health_internal.score_relation_kind(store, materialized);
    keys jsonb := jsonb_build_object('_ledger', 'account_id', '', 'account_id', '_signals', 'account_id, "position"', '_history',
        'account_id, as_of');
    made record;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    FOR made IN SELECT c.*, CASE WHEN c.suffix = '_users' OR health_internal.is_beside(c.suffix) THEN 'VIEW' ELSE kind END AS kind,
                       CASE c.suffix WHEN '_users' THEN ' WITH (security_barrier)' ELSE '' END AS options
                FROM health_internal.compile_score_view(schema_name, view_name, store,
                    kind = 'VIEW' AND NOT store.has_scores) AS c WHERE c.suffix <> ALL (kept) LOOP
        IF health_internal.is_foreign_relation(made.suffix, made.relation) THEN
            RAISE WARNING 'score view %.% has no people: there is another relation %', pg_catalog.quote_ident(schema_name),
                pg_catalog.quote_ident(view_name), made.relation
                USING HINT = 'Give that another name; the next refresh makes the view of people.';
            CONTINUE;
        END IF;
        IF health_internal.is_beside(made.suffix) THEN
            PERFORM health_internal.check_name_beside(schema_name, view_name, made.suffix, made.relation);
        END IF;
        EXECUTE pg_catalog.format('CREATE %s %s%s AS %s', CASE made.kind WHEN 'VIEW' THEN 'OR REPLACE VIEW' ELSE made.kind END,
            made.relation, made.options, made.query);
        IF made.kind = 'MATERIALIZED VIEW' THEN
            EXECUTE pg_catalog.format('CREATE UNIQUE INDEX ON %s (%s)', made.relation, keys ->> made.suffix);
            EXECUTE pg_catalog.format('ANALYZE %s', made.relation);
        END IF;
        PERFORM health_internal.comment_on_score_relation(made.relation, made.kind, made.suffix, model_name, version.version,
            version.document);
        IF store.has_scores AND made.suffix = '_history' THEN
            EXECUTE pg_catalog.format('COMMENT ON VIEW %s IS %L', made.relation, pg_catalog.format(
                'Daily account health by model "%s": one row per account and day, with the account data that were recorded on that day.',
                    model_name));
        END IF;
    END LOOP;
END;
$$;

COMMENT ON FUNCTION health_internal.build_score_view(name, name, text, health_internal.model_version, boolean, text[]) IS
    'Creates the relations of a score view, less those with suffixes that are kept; plain views take the place of those that stand '
        'there';

CREATE OR REPLACE FUNCTION
    health_internal.create_view_as_owner(model text, schema_name name, view_name name, materialized boolean, label text)
    RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    version health_internal.model_version := health_internal.find_version(model, (health_internal.open_model(model)).current_version);
    existing text;
BEGIN
    SELECT r.relation INTO existing FROM health_internal.score_relations(create_view_as_owner.schema_name,
        create_view_as_owner.view_name, version.document) AS r
    WHERE to_regclass(r.relation) IS NOT NULL LIMIT 1;
    IF existing IS NOT NULL THEN
        IF EXISTS (SELECT 1 FROM health_internal.score_view AS s
                   WHERE s.schema_name = create_view_as_owner.schema_name AND s.view_name = create_view_as_owner.view_name) THEN
            RAISE EXCEPTION 'score view % exists already', health_internal.quote_once(label)
                USING ERRCODE = 'duplicate_table',
                      HINT = format('refresh_score_view(%L) takes over changes of the model; drop_score_view(%1$L) drops it.', label);
        END IF;
        RAISE EXCEPTION 'relation % exists already', existing
            USING ERRCODE = 'duplicate_table', HINT = 'Choose another name for the score view.';
    END IF;
    PERFORM health_internal.build_score_view(schema_name, view_name, model, version, materialized);
    PERFORM health_internal.notice_unknown_accounts(model, version);
    IF materialized AND NOT (health_internal.open_store(version)).has_scores THEN
        PERFORM health_internal.warn_broken(model, format('%I.%I', schema_name, view_name || '_ledger'));
    END IF;
    PERFORM health_internal.notice_silent_book(model, version.document, format('%I.%I', schema_name, view_name),
        format('%I.%I', schema_name, view_name || '_signals'));
    INSERT INTO health_internal.score_view AS s (schema_name, view_name, model, model_version, materialized)
    VALUES (create_view_as_owner.schema_name, create_view_as_owner.view_name, create_view_as_owner.model, version.version,
            create_view_as_owner.materialized)
    ON CONFLICT (schema_name, view_name) DO UPDATE
        SET model = excluded.model, model_version = excluded.model_version, materialized = excluded.materialized,
            compiled_by = excluded.compiled_by;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version),
                health_internal.raise_failing_field(model, version, past_days => health_internal.past_days(version.document));
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health.create_score_view(text, text, boolean) IS
    'Creates the score view of a model: name (one row per account), name_signals, name_history and their base name_ledger, '
    'materialized with unique indexes by default, else plain views that compute on every read; and, plain views in any case, name_users '
    '(one row per account and user) and, of a model that has segments, flags or accounts.parent, name_segments, name_flags and '
    'name_parents';

CREATE OR REPLACE FUNCTION
    health_internal.owned_relations(present health_internal.score_view) RETURNS TABLE (relation text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.relation
    FROM health_internal.view_relations(present) AS r
    JOIN pg_class AS c ON c.oid = to_regclass(r.relation)
    JOIN health_internal.model AS m ON m.name = present.model AND m.owner = c.relowner;
$$;

-- The catalog row is only a claim: only what is the model's owner's is dropped.
CREATE OR REPLACE FUNCTION
    health_internal.drop_score_relations(present health_internal.score_view, cascade boolean, kept text[] DEFAULT '{}')
    RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
    detail text;
BEGIN
    FOR made IN SELECT r.relation
                FROM health_internal.view_relations(present) WITH ORDINALITY AS r (suffix, relation, short_name, position)
                WHERE to_regclass(r.relation) IS NOT NULL AND r.suffix <> ALL (kept)
                    AND NOT health_internal.is_foreign_relation(r.suffix, r.relation) ORDER BY r.position DESC LOOP
        PERFORM health_internal.check_relation_owner(present, made.relation);
        EXECUTE format('DROP %s %s %s', CASE (SELECT c.relkind FROM pg_class AS c WHERE c.oid = made.relation::regclass)
                                            WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, made.relation,
                       CASE WHEN cascade THEN 'CASCADE' ELSE 'RESTRICT' END);
    END LOOP;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION 'cannot drop score view %.% because other objects depend on it',
        quote_ident(present.schema_name), quote_ident(present.view_name)
        USING ERRCODE = 'dependent_objects_still_exist', DETAIL = detail,
              HINT = 'drop_score_view(name, cascade => true) drops them as well.';
END;
$$;

-- Of what another version has no more they are gone.
CREATE FUNCTION health_internal.relation_grants(present health_internal.score_view, version health_internal.model_version) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(
        SELECT format('GRANT %s ON %s TO %s%s', a.privilege_type, r.relation,
                      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM health_internal.owned_relations(present) AS r JOIN pg_class AS c ON c.oid = to_regclass(r.relation), aclexplode(c.relacl) AS a
        WHERE a.grantee <> c.relowner AND r.relation IN (
            SELECT w.relation FROM health_internal.score_relations(present.schema_name, present.view_name, version.document) AS w)
    );
$$;

COMMENT ON FUNCTION health_internal.relation_grants(health_internal.score_view, health_internal.model_version) IS
    'Statements that give the relations of a score view their grants again, when it is made again for a version';

-- A materialized view cannot be replaced in place: it is dropped and made again with its owner and its grants.
CREATE OR REPLACE FUNCTION
    health_internal.rebuild_score_view(present health_internal.score_view, version health_internal.model_version,
                                                   kept text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    grants text[] := health_internal.relation_grants(present, version);
    statement text;
BEGIN
    PERFORM health_internal.drop_score_relations(present, false, kept);
    PERFORM health_internal.build_score_view(present.schema_name, present.view_name, present.model, version, present.materialized, kept);
    FOREACH statement IN ARRAY grants LOOP
        EXECUTE statement;
    END LOOP;
    UPDATE health_internal.score_view AS s SET model_version = version.version, compiled_by = health_internal.release()
    WHERE s.schema_name = present.schema_name AND s.view_name = present.view_name;
END;
$$;

-- Whoever replaces the table of users or accounts with DROP ... CASCADE takes with it the relations that stand on it in every mode.
CREATE FUNCTION health_internal.restore_people(model_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
BEGIN
    FOR made IN SELECT s.*, others.suffixes AS others
                FROM health_internal.score_view AS s
                CROSS JOIN LATERAL (SELECT array_agg(r.suffix) FILTER (WHERE r.is_there) AS suffixes, bool_and(r.is_there) AS are_all
                    FROM (SELECT v.suffix,
                                 v.suffix NOT IN ('_users', '_flags', '_parents') OR to_regclass(v.relation) IS NOT NULL AS is_there
                          FROM health_internal.view_relations(s) AS v) AS r) AS others
                WHERE s.model = model_name AND NOT others.are_all
                    AND format('%I.%I', s.schema_name, s.view_name || '_ledger') IN (SELECT o.relation
                        FROM health_internal.owned_relations(s) AS o)
                ORDER BY s.schema_name, s.view_name LOOP
        PERFORM health_internal.build_score_view(made.schema_name, made.view_name, model_name,
            health_internal.find_version(model_name, made.model_version), made.materialized, made.others);
    END LOOP;
END;
$$;

COMMENT ON FUNCTION health_internal.restore_people(text) IS
    'Makes name_users, name_flags and name_parents of the score views of a model again where they are missing, without the grants that '
    'they had';

-- Plain views have it as a literal. Stored ones read the catalog when they are refreshed, which refresh_calibrated_views() is for.
CREATE OR REPLACE FUNCTION
    health_internal.renew_probabilities(version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    store CONSTANT health_internal.store := health_internal.open_store(version);
    made health_internal.score_view;
    shown record;
    kind text;
BEGIN
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = version.model AND s.model_version = version.version
                ORDER BY s.schema_name, s.view_name LOOP
        kind := health_internal.score_relation_kind(store, made.materialized);
        SELECT r.relation INTO shown FROM health_internal.view_relations(made) AS r
        WHERE r.suffix = '' AND to_regclass(r.relation) IS NOT NULL;
        CONTINUE WHEN NOT FOUND;
        PERFORM health_internal.check_relation_owner(made, shown.relation);
        IF kind = 'VIEW' THEN
            PERFORM health_internal.replace_view(c.relation, c.query, version.search_path)
            FROM health_internal.compile_score_view(made.schema_name, made.view_name, store, NOT store.has_scores) AS c WHERE c.suffix = '';
        END IF;
        EXECUTE (SELECT string_agg(format('COMMENT ON COLUMN %s.%I IS %L', shown.relation, p.column_name,
                                          health_internal.describe_probability(version.model, version.version, p.column_name)), '; ')
                 FROM health_internal.probability_columns() AS p);
    END LOOP;
END;
$$;

-- A concurrent refresh makes a temporary table, which what runs as the owner of a model may not. The base stays as it is: no event is read.
CREATE OR REPLACE FUNCTION
    health_internal.refresh_calibrated_views(model_name text, version integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made health_internal.score_view;
    shown record;
BEGIN
    FOR made IN SELECT s.* FROM health_internal.score_view AS s
                WHERE s.model = model_name AND s.model_version = refresh_calibrated_views.version AND s.materialized
                ORDER BY s.schema_name, s.view_name LOOP
        SELECT r.relation INTO shown FROM health_internal.view_relations(made) AS r
        JOIN pg_class AS c ON c.oid = to_regclass(r.relation) WHERE r.suffix = '' AND c.relkind = 'm' AND c.relispopulated;
        IF FOUND THEN
            PERFORM health_internal.refresh_relation(made, shown.relation);
        END IF;
    END LOOP;
END;
$$;

-- What is known of each account on a day, by name: the columns of a score view, and the signals as measured.

CREATE FUNCTION health_internal.portfolio_day(version health_internal.model_version) RETURNS date
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce((SELECT (health_internal.read_state(t.id)).as_of FROM health_internal.tracking AS t WHERE t.model = (version).model),
                    health_internal.model_today((version).document));
END;

COMMENT ON FUNCTION health_internal.portfolio_day(health_internal.model_version) IS
    'The day that the figures of a whole book are of: that of the last refresh of a tracked model, else the day of the model';

CREATE FUNCTION health_internal.reads_plain_metric(signal jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT signal ? 'metric' AND signal - '{name,metric,weight,normalize,label,description,next_step,missing,shrink,silent,'
        'relative_to_book,frozen}'::pg_catalog.text[] = '{}';
END;

COMMENT ON FUNCTION health_internal.reads_plain_metric(jsonb) IS
    'Whether a signal reads a metric as the column of the score view has it: of no other window, role or events';

-- A metric under its own name is there already.
CREATE FUNCTION health_internal.measured_signals(document jsonb, taken text[])
RETURNS TABLE (number bigint, signal text, column_name text)
LANGUAGE plpgsql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    used text[] := taken;
    leaf record;
BEGIN
    FOR leaf IN SELECT l.number, l.signal FROM health_internal.leaf_signals(document) AS l
                WHERE l.signal ? 'metric' AND NOT (l.signal ->> 'name' = l.signal ->> 'metric'
                    AND health_internal.reads_plain_metric(l.signal))
                ORDER BY l.number LOOP
        number := leaf.number;
        signal := leaf.signal ->> 'name';
        column_name := health_internal.free_column(signal, used);
        used := used || column_name;
        RETURN NEXT;
    END LOOP;
END;
$$;

COMMENT ON FUNCTION health_internal.measured_signals(jsonb, text[]) IS
    'The signals of a document that read a metric, with names for columns of their values, beside those that are taken';

CREATE TYPE health_internal.account_figures AS (
    query text,
    names text[],
    types regtype[],
    of_score text[]
);

COMMENT ON TYPE health_internal.account_figures IS 'Internal: SQL of the accounts of a book on a day with all that is known of each';

COMMENT ON COLUMN health_internal.account_figures.query IS 'A row for each account in the book; "$account" is its id as text';

COMMENT ON COLUMN health_internal.account_figures.names IS 'Its columns, but for "$account"';

COMMENT ON COLUMN health_internal.account_figures.types IS 'Their types';

COMMENT ON COLUMN health_internal.account_figures.of_score IS 'Those that are signals of the score';

CREATE FUNCTION health_internal.compile_figures(version health_internal.model_version, as_of date) RETURNS health_internal.account_figures
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := version.document;
    scoring CONSTANT jsonb := health_internal.scoring_document(document);
    store CONSTANT health_internal.store := health_internal.open_store(version);
    compiled health_internal.compiled_model;
    figures health_internal.account_figures;
    scores text;
    measured text;
    recorded text;
    of_day text[];
BEGIN
    IF store.has_ledgers THEN
        PERFORM health_internal.check_data_tables(version.model);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(document, version.version, as_of => as_of, model_name => version.model, past_days => 28,
        as_literals => true, usage_from => CASE WHEN store.has_ledgers THEN 'ledger' ELSE 'events' END);
    -- What the history has recorded of a day stands before what is said of it now.
    recorded := health_internal.compile_recorded(version.model, document, 'TABLE "$now"');
    of_day := ARRAY(SELECT q.name FROM health_internal.describe_query(pg_catalog.replace(recorded, 'TABLE "$now"', compiled.ledger),
        health_internal.names_path()) AS q);
    SELECT pg_catalog.format('WITH "$now" AS MATERIALIZED (%s) SELECT %s FROM "$now" AS n JOIN (%s) AS r ON r.account_id = n.account_id',
               compiled.ledger, pg_catalog.string_agg(pg_catalog.format(CASE WHEN q.name = ANY (of_day) THEN 'r.%I' ELSE 'n.%I' END,
                   q.name), ', '), recorded)
    INTO compiled.ledger FROM health_internal.describe_query(compiled.ledger, health_internal.names_path()) AS q;
    scores := health_internal.compile_score_query('', '"$ledger"', version.model, document, compiled,
        health_internal.compile_probabilities(version, true, 's.score'));
    -- A past day is seen by what was known then, where a source says so.
    IF as_of < health_internal.portfolio_day(version) AND EXISTS (SELECT FROM health_internal.event_sources(document) AS s
                                                              WHERE s.source ? 'known_at') THEN
        compiled.ledger := pg_catalog.format('SELECT %s FROM (%s) AS l',
            (SELECT pg_catalog.string_agg(CASE q.name WHEN 'usage' THEN
                        pg_catalog.format('health_internal.known_before(l.usage, %s) AS usage',
                                          health_internal.model_clock(document, as_of))
                    ELSE pg_catalog.format('l.%I', q.name) END, ', ')
             FROM health_internal.describe_query(compiled.ledger, health_internal.names_path()) AS q), compiled.ledger);
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.format(', m.raw[1][%s] AS %I', s.number, s.column_name), '' ORDER BY s.number),
           coalesce(pg_catalog.array_agg(s.column_name ORDER BY s.number), '{}')
    INTO measured, figures.of_score
    FROM health_internal.measured_signals(document, health_internal.reserved_columns() || compiled.extra_columns
        || compiled.value_columns) AS s;
    figures.of_score := figures.of_score || compiled.value_columns
        || ARRAY(SELECT l.signal ->> CASE WHEN health_internal.reads_plain_metric(l.signal) THEN 'metric' ELSE 'name' END
                 FROM health_internal.leaf_signals(document) AS l);
    figures.query := pg_catalog.format('WITH "$ledger" AS MATERIALIZED (%s) SELECT %s AS "$account", f.*%s FROM (%s) AS f%s '
        'WHERE f.in_book',
        compiled.ledger, health_internal.canonical_text('f.account_id', compiled.account_type), measured, scores,
        CASE WHEN measured IS NOT NULL THEN pg_catalog.format(
            ' JOIN (SELECT l.account_id, health_internal.raw_values(%L::pg_catalog.jsonb, %s, ARRAY[l.as_of]) AS raw '
            'FROM "$ledger" AS l) AS m ON m.account_id = f.account_id', scoring, health_internal.compile_state()) END);
    SELECT pg_catalog.array_agg(q.name), pg_catalog.array_agg(q.type) INTO figures.names, figures.types
    FROM health_internal.describe_query(figures.query, health_internal.names_path()) AS q WHERE q.name <> '$account';
    RETURN figures;
END;
$$;

COMMENT ON FUNCTION health_internal.compile_figures(health_internal.model_version, date) IS
    'SQL of the accounts in the book of a day (NULL: the day of the model) with the columns of a score view and the signals as measured';

-- Which figures of the accounts go together.

CREATE TYPE health.correlation_row AS (
    first text,
    second text,
    n bigint,
    pearson float8,
    pearson_low float8,
    pearson_high float8,
    spearman float8,
    spearman_low float8,
    spearman_high float8,
    p_value float8,
    significant boolean,
    note text
);

COMMENT ON TYPE health.correlation_row IS 'How two figures of the accounts go together; or why one is left out';

COMMENT ON COLUMN health.correlation_row.first IS 'A figure: score, seats, a metric, a numeric column of accounts, a signal as measured';

COMMENT ON COLUMN health.correlation_row.second IS 'The other one; NULL of a figure that is left out';

COMMENT ON COLUMN health.correlation_row.n IS 'Accounts of which both are known';

COMMENT ON COLUMN health.correlation_row.pearson IS 'Pearson''s r: along a line, -1 to 1';

COMMENT ON COLUMN health.correlation_row.pearson_low IS 'Lower end of its 95 % interval, by Fisher''s z';

COMMENT ON COLUMN health.correlation_row.pearson_high IS 'Upper end';

COMMENT ON COLUMN health.correlation_row.spearman IS 'Spearman''s rho: of ranks, so that one large account does not make it; -1 to 1';

COMMENT ON COLUMN health.correlation_row.spearman_low IS 'Lower end of its 95 % interval, by Bonett and Wright';

COMMENT ON COLUMN health.correlation_row.spearman_high IS 'Upper end';

COMMENT ON COLUMN health.correlation_row.p_value IS 'Of rho, by itself: below .05 where its interval leaves out 0';

COMMENT ON COLUMN health.correlation_row.significant IS
    'Whether rho is more than chance when it is counted in how many pairs were looked at (Benjamini and Hochberg, 5 %)';

COMMENT ON COLUMN health.correlation_row.note IS 'In words: why not significant, part of the score, the same values, left out';

CREATE FUNCTION health_internal.correlations_as_owner(model text, figure text, as_of date, at_least integer)
RETURNS SETOF health.correlation_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    figures CONSTANT health_internal.account_figures := health_internal.compile_figures(version,
        coalesce(as_of, health_internal.portfolio_day(version)));
    -- What says how sure a score is, or how it changed, is about the score.
    names CONSTANT text[] := ARRAY(
        SELECT f.name FROM ROWS FROM (pg_catalog.unnest(figures.names), pg_catalog.unnest(figures.types)) WITH ORDINALITY
            AS f (name, type, "position")
        WHERE f.type IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'real'::regtype, 'double precision'::regtype,
                         'numeric'::regtype)
          AND f.name <> ALL ('{account_id,model_version,data_coverage,change_7d,change_28d,score_without_top_user,churn_probability,'
                  'expansion_likelihood}'::text[]) ORDER BY f."position");
    numbers float8[];
    pair record;
    looked_at bigint;
    by_chance numeric;
    apart bigint := 0;
    beyond_chance bigint := 0;
BEGIN
    IF at_least IS NULL OR at_least < 4 THEN
        RAISE EXCEPTION 'model "%": a correlation takes at least 4 accounts, not %', model, coalesce(at_least::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF figure <> ALL (names) THEN
        RAISE EXCEPTION 'model "%": no number of its accounts is called "%"', model, figure
            USING ERRCODE = 'undefined_column',
                  HINT = coalesce('Did you mean "' || health.nearest_name(figure, names) || '"?',
                      'They are score, seats, metrics, numeric columns of accounts.columns, and signals.');
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    EXECUTE pg_catalog.format('SELECT pg_catalog.array_agg(ARRAY[%s]) FROM (%s) AS f',
        (SELECT pg_catalog.string_agg(pg_catalog.format('coalesce(f.%I::pg_catalog.float8, ''NaN'')', n.name), ', ' ORDER BY n."position")
         FROM pg_catalog.unnest(names) WITH ORDINALITY AS n (name, "position")), figures.query) INTO numbers;
    FOR pair IN SELECT c.* FROM health_internal.correlate_columns(numbers, pg_catalog.cardinality(names),
                    pg_catalog.array_position(names, figure), at_least) AS c LOOP
        looked_at := pair.looked_at;
        by_chance := pg_catalog.round(pair.looked_at * 0.05);
        apart := apart + coalesce(pair.p_value < 0.05, false)::integer;
        beyond_chance := beyond_chance + coalesce(pair.significant, false)::integer;
        RETURN NEXT ROW(names[pair.first], CASE WHEN pair.unpaired IS NULL OR pair.unpaired = 'same' THEN names[pair.second] END, pair.n,
            pair.pearson, pair.pearson_low, pair.pearson_high, pair.spearman, pair.spearman_low, pair.spearman_high, pair.p_value,
            pair.significant,
            CASE WHEN pair.unpaired = 'same' THEN 'the same values: no correlation, and the second is in no other pair'
                 WHEN pair.unpaired = 'few' THEN pg_catalog.format('left out: known of fewer than %s accounts', at_least)
                 WHEN pair.unpaired = 'constant' THEN CASE WHEN pair.differing = 0 THEN 'left out: the same for all accounts'
                     ELSE pg_catalog.format('left out: the same for all but %s accounts', pair.differing) END
                 WHEN 'score' IN (names[pair.first], names[pair.second])
                     AND (names[pair.first] = ANY (figures.of_score) OR names[pair.second] = ANY (figures.of_score))
                     THEN 'part of the score'
                 WHEN abs(pair.spearman) > 1 - 1e-12 THEN 'the same order throughout: one may be made of the other'
                 WHEN pair.p_value < 0.05 AND NOT pair.significant
                     THEN pg_catalog.format('leaves out 0, as about %s of %s pairs would by chance', by_chance, looked_at)
            END)::health.correlation_row;
    END LOOP;
    IF looked_at >= 20 THEN
        RAISE NOTICE 'model "%": % pairs were looked at, and % have an interval that leaves out 0; about % of so many would by chance '
            'alone. % are significant when that is counted in', model, looked_at, apart, by_chance, beyond_chance;
    END IF;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, as_of);
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health_internal.correlations_as_owner(text, text, date, integer) IS 'correlations() as the owner of the model';

CREATE FUNCTION health.correlations(model text, figure text DEFAULT NULL, as_of date DEFAULT NULL, at_least integer DEFAULT 10)
RETURNS SETOF health.correlation_row
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day of the figures is %', model, as_of
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day.';
    END IF;
    RETURN QUERY SELECT (r.pair).* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT c FROM health_internal.correlations_as_owner($1, $2, $3::date, $4::integer) AS c', model, figure,
        health_internal.iso_text(as_of), at_least::text) AS r (pair health.correlation_row);
END;
$$;

COMMENT ON FUNCTION health.correlations(text, text, date, integer) IS
    'How any two numbers of the accounts in the book go together: score, seats, metrics, numeric columns of accounts, signals as '
    'measured; or one of them (figure) with each other. Pearson''s r and Spearman''s rho with 95 % intervals, of accounts of which both '
    'are known, at least so many (at_least); the largest rho first. significant counts in how many pairs were looked at. As of the day of '
    'the model, or a past one';

-- Do accounts like these fare better? Two groups on a past date, and what became of them.

CREATE TYPE health.comparison_row AS (
    condition text,
    outcome text,
    as_of date,
    horizon integer,
    n bigint,
    events bigint,
    rate float8,
    rate_low float8,
    rate_high float8,
    others_n bigint,
    others_events bigint,
    others_rate float8,
    others_low float8,
    others_high float8,
    ratio float8,
    ratio_low float8,
    ratio_high float8,
    difference float8,
    difference_low float8,
    difference_high float8,
    unknown bigint,
    sentence text,
    note text
);

COMMENT ON TYPE health.comparison_row IS 'How often accounts that meet a condition had an outcome, and how often all others had it';

COMMENT ON COLUMN health.comparison_row.condition IS 'As it was asked';

COMMENT ON COLUMN health.comparison_row.outcome IS
    'lost (by the query), ended (accounts.end) or silent (nobody active for the whole horizon)';

COMMENT ON COLUMN health.comparison_row.as_of IS 'The day on which the condition was looked at';

COMMENT ON COLUMN health.comparison_row.horizon IS 'Days after it in which the outcome counts';

COMMENT ON COLUMN health.comparison_row.n IS 'Accounts in the book of that day that met the condition';

COMMENT ON COLUMN health.comparison_row.events IS 'How many of them had the outcome';

COMMENT ON COLUMN health.comparison_row.rate IS 'Their share, 0 to 1';

COMMENT ON COLUMN health.comparison_row.rate_low IS 'Lower end of its 95 % interval (Wilson)';

COMMENT ON COLUMN health.comparison_row.rate_high IS 'Upper end';

COMMENT ON COLUMN health.comparison_row.others_n IS 'Accounts that did not meet it';

COMMENT ON COLUMN health.comparison_row.others_events IS 'How many of them had the outcome';

COMMENT ON COLUMN health.comparison_row.others_rate IS 'Their share';

COMMENT ON COLUMN health.comparison_row.others_low IS 'Lower end of its interval';

COMMENT ON COLUMN health.comparison_row.others_high IS 'Upper end';

COMMENT ON COLUMN health.comparison_row.ratio IS 'rate over others_rate; NULL when none of the others had the outcome';

COMMENT ON COLUMN health.comparison_row.ratio_low IS
    'Lower end of its 95 % interval, by the logarithm (Katz); where a group has no event a half is added to events and counts of both';

COMMENT ON COLUMN health.comparison_row.ratio_high IS 'Upper end';

COMMENT ON COLUMN health.comparison_row.difference IS 'rate less others_rate';

COMMENT ON COLUMN health.comparison_row.difference_low IS 'Lower end of its 95 % interval (Newcombe)';

COMMENT ON COLUMN health.comparison_row.difference_high IS 'Upper end';

COMMENT ON COLUMN health.comparison_row.unknown IS 'Accounts of which the condition is unknown (NULL): in neither group';

COMMENT ON COLUMN health.comparison_row.sentence IS 'All of it in a sentence';

COMMENT ON COLUMN health.comparison_row.note IS
    'What to mind: columns that have no past, accounts that nobody knows, a half that was added';

CREATE FUNCTION health_internal.show_times(times float8) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN times >= 10 THEN pg_catalog.to_char(pg_catalog.round(times::pg_catalog.numeric), 'FM999999999990')
                ELSE pg_catalog.to_char(pg_catalog.round(times::pg_catalog.numeric, 1), 'FM0.0') END;
END;

COMMENT ON FUNCTION health_internal.show_times(float8) IS 'A ratio of at least 1 for a sentence: 3.1';

CREATE FUNCTION health_internal.tell_ratio(ratio float8, low float8, high float8) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN low IS NULL THEN 'nothing to compare'
        WHEN low <= 1 AND high >= 1 THEN format('no difference that the data can show%s',
            CASE WHEN low > 0 THEN format(' (95 %% from %s times less to %s times more)', health_internal.show_times(1 / low),
                health_internal.show_times(high)) ELSE '' END)
        WHEN high < 1 THEN concat(CASE WHEN ratio > 0 THEN health_internal.show_times(1 / ratio) || ' times less, 95 % ' ELSE '95 % ' END,
            health_internal.show_times(1 / high), ' to ', health_internal.show_times(1 / low),
            CASE WHEN ratio > 0 THEN '' ELSE ' times less' END)
        ELSE concat(health_internal.show_times(ratio) || ' times more, ', '95 % ', health_internal.show_times(low), ' to ',
            health_internal.show_times(high), CASE WHEN ratio IS NULL THEN ' times more' ELSE '' END) END;
$$;

COMMENT ON FUNCTION health_internal.tell_ratio(float8, float8, float8) IS 'How many times less or more, with the interval, in words';

-- What became of the accounts is as backtest() has it; of them only those that were customers on the day.
CREATE FUNCTION health_internal.compared_accounts(model text, has_query boolean, horizon integer, asked date, lost_accounts text[],
    lost_days date[], OUT outcome text, OUT as_of date, OUT columns text[], OUT types text[], OUT without_past text[],
    OUT outcomes boolean[], OUT figures jsonb[], OUT strangers bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 3
SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    document CONSTANT jsonb := version.document;
    today CONSTANT date := health_internal.model_today(document);
    kind CONSTANT text := CASE WHEN has_query THEN 'query' WHEN document #> '{accounts,end}' IS NOT NULL THEN 'end' ELSE 'silent' END;
    dates CONSTANT date[] := health_internal.plan_dates(model, horizon, today, coalesce(asked, today - horizon),
        coalesce(asked, today - horizon), 1);
    known health_internal.account_figures;
    fields health_internal.model_field[];
BEGIN
    as_of := dates[1];
    outcome := CASE kind WHEN 'query' THEN 'lost' WHEN 'end' THEN 'ended' ELSE 'silent' END;
    known := health_internal.compile_figures(version, as_of);
    columns := known.names;
    -- Types that anybody may have made, with casts of their own, come as text.
    types := ARRAY(SELECT CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN format_type(t.oid, -1) ELSE 'text' END
                   FROM unnest(known.types) WITH ORDINALITY AS k (type, "position") JOIN pg_type AS t ON t.oid = k.type
                   ORDER BY k."position");
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    without_past := ARRAY(
        SELECT f.name FROM (
            SELECT pg_catalog.jsonb_object_keys(document #> '{accounts,columns}') AS name
            UNION SELECT v.column_name FROM health_internal.value_columns(document) AS v
                  JOIN health.model_inputs(document) AS i USING ("position")
                  WHERE NOT health_internal.has_a_past(document, fields, i.path, i.kind, i.source)
            UNION SELECT 'seats') AS f ORDER BY f.name);
    EXECUTE pg_catalog.format($query$
        WITH became AS MATERIALIZED (
            SELECT o.account_id, o.outcome, o.in_book AND NOT o.gone AS counts
            FROM health_internal.observe_model($1, ($1).document, $2, $3, ARRAY[$4], 1, 0, $5, NULL, $6, $7) AS o WHERE o.as_of = $4
        ), figured AS (
            SELECT f."$account" AS account_id, pg_catalog.to_jsonb(f) AS figures FROM (%s) AS f
        ), counted AS MATERIALIZED (
            SELECT b.account_id, b.outcome, f.figures FROM became AS b JOIN figured AS f ON f.account_id = b.account_id WHERE b.counts
        )
        SELECT (SELECT pg_catalog.array_agg(c.outcome ORDER BY c.account_id) FROM counted AS c),
               (SELECT pg_catalog.array_agg(c.figures ORDER BY c.account_id) FROM counted AS c),
               (SELECT pg_catalog.count(DISTINCT l.account_id) FROM pg_catalog.unnest($6) AS l (account_id)
                WHERE NOT EXISTS (SELECT FROM became AS b WHERE b.account_id = l.account_id))
        $query$, known.query) INTO outcomes, figures, strangers
    USING version, CASE WHEN (health_internal.open_store(version)).has_ledgers THEN 'ledger' ELSE 'events' END, kind, as_of, horizon,
        lost_accounts, lost_days;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, compared_accounts.as_of);
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health_internal.compared_accounts(text, boolean, integer, date, text[], date[]) IS
    'The accounts in the book of a past day with what was known of each, and whether it had the outcome in the horizon; '
    'without_past: columns that say only what stands there today; strangers: accounts of the outcomes that the model does not have';

-- The condition is the caller's, and is asked with the caller's rights and names.
CREATE FUNCTION health_internal.ask_condition(condition text, visible text, columns text[], types text[], figures jsonb[])
RETURNS boolean[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    named CONSTANT text := (SELECT string_agg(format('%I %s', c.name, c.type), ', ' ORDER BY c."position")
        FROM ROWS FROM (unnest(columns), unnest(types)) WITH ORDINALITY AS c (name, type, "position"));
    answers boolean[];
    missing text;
BEGIN
    -- By itself, without parentheses around it and with no other names, it has to be an expression as well.
    PERFORM FROM health_internal.describe_query(format(E'SELECT %s\n FROM jsonb_to_record(''{}'') AS f (%s)', condition, named), visible);
    PERFORM health_internal.look_names_up_in(visible);
    -- In VALUES there is neither an aggregate nor a set.
    EXECUTE pg_catalog.format(E'SELECT pg_catalog.array_agg(c.answer ORDER BY f."$place") FROM (SELECT r."$place", n.* '
        'FROM pg_catalog.unnest($1) WITH ORDINALITY AS r ("$figures", "$place") CROSS JOIN LATERAL '
        'pg_catalog.jsonb_to_record(r."$figures") AS n (%2$s)) AS f CROSS JOIN LATERAL (VALUES (NOT (NOT (%1$s\n)))) AS c (answer)',
        condition, named)
    INTO answers USING figures;
    RETURN answers;
EXCEPTION
    WHEN undefined_column THEN
        missing := substring(sqlerrm FROM 'column "?([^" ]+)"? does not exist');
        RAISE EXCEPTION 'the condition "%": %', condition, sqlerrm
            USING ERRCODE = sqlstate, HINT = coalesce('Did you mean "' || health.nearest_name(missing, columns) || '"?',
                'It is over the columns of a score view and the signals as measured; see docs/reference/portfolio.md.');
    WHEN syntax_error OR undefined_parameter OR undefined_function OR undefined_table OR datatype_mismatch OR indeterminate_datatype
         OR grouping_error OR windowing_error OR ambiguous_column OR cannot_coerce OR data_exception OR cardinality_violation
         OR feature_not_supported THEN
        RAISE EXCEPTION 'the condition "%": %', condition, sqlerrm
            USING ERRCODE = sqlstate,
                  HINT = CASE WHEN sqlstate = '22012' THEN 'With nullif(divisor, 0) the account is in neither group.'
                              ELSE 'It is true or false of one account, for example: active_users > 10 and plan = ''pro''.' END;
END;
$$;

COMMENT ON FUNCTION health_internal.ask_condition(text, text, text[], text[], jsonb[]) IS
    'Whether each of some accounts meets a condition over its figures, which is run as the current user; NULL: unknown';

CREATE FUNCTION health_internal.compare(model text, condition text, outcome text, horizon integer, as_of date, visible text)
RETURNS health.comparison_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compared health.comparison_row;
    known record;
    lost record;
    answers boolean[];
    is_adjusted boolean;
    told text;
BEGIN
    IF condition IS NULL OR condition ~ '^\s*$' THEN
        RAISE EXCEPTION 'model "%": there is no condition', model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For example: compare(model, ''active_users > 10'').';
    END IF;
    SELECT o.accounts, o.days INTO lost FROM health_internal.read_outcomes(outcome, visible) AS o;
    SELECT r.* INTO known FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.compared_accounts($1, $2::boolean, $3::integer, $4::date, $5::text[], $6::date[])', model,
        (outcome IS NOT NULL)::text, horizon::text, health_internal.iso_text(as_of), lost.accounts::text,
        health_internal.iso_text(lost.days)) AS r (outcome text, as_of date, columns text[], types text[], without_past text[],
            outcomes boolean[], figures jsonb[], strangers bigint);
    answers := health_internal.ask_condition(condition, visible, known.columns, known.types, known.figures);
    compared.condition := condition;
    compared.outcome := known.outcome;
    compared.as_of := known.as_of;
    compared.horizon := horizon;
    SELECT count(*) FILTER (WHERE a.answer), count(*) FILTER (WHERE a.answer AND a.outcome), count(*) FILTER (WHERE NOT a.answer),
           count(*) FILTER (WHERE NOT a.answer AND a.outcome), count(*) FILTER (WHERE a.answer IS NULL)
    INTO compared.n, compared.events, compared.others_n, compared.others_events, compared.unknown
    FROM ROWS FROM (unnest(answers), unnest(known.outcomes)) AS a (answer, outcome);
    SELECT r.rate, r.low, r.high INTO compared.rate, compared.rate_low, compared.rate_high
    FROM health_internal.rate_interval(compared.events, compared.n) AS r;
    SELECT r.rate, r.low, r.high INTO compared.others_rate, compared.others_low, compared.others_high
    FROM health_internal.rate_interval(compared.others_events, compared.others_n) AS r;
    SELECT r.ratio, r.ratio_low, r.ratio_high, r.difference, r.difference_low, r.difference_high, r.is_adjusted
    INTO compared.ratio, compared.ratio_low, compared.ratio_high, compared.difference, compared.difference_low, compared.difference_high,
         is_adjusted
    FROM health_internal.compare_rates(compared.events, compared.n, compared.others_events, compared.others_n) AS r;
    told := CASE known.outcome WHEN 'silent' THEN 'silent for' WHEN 'ended' THEN 'ended in' ELSE 'lost in' END;
    compared.sentence := format('Accounts with %s: %s of %s %s %s days%s, others %s of %s%s: %s.', btrim(condition), compared.events,
        compared.n, told, horizon, ' (' || to_char(round((100 * compared.rate)::numeric, 1), 'FM990.0') || ' %)',
        compared.others_events, compared.others_n,
        ' (' || to_char(round((100 * compared.others_rate)::numeric, 1), 'FM990.0') || ' %)',
        CASE WHEN compared.n = 0 THEN 'no account meets the condition' WHEN compared.others_n = 0 THEN 'no account fails it'
             WHEN compared.events + compared.others_events = 0 THEN 'it happened to nobody'
             ELSE health_internal.tell_ratio(compared.ratio, compared.ratio_low, compared.ratio_high) END);
    compared.note := nullif(concat_ws('; ',
        CASE WHEN is_adjusted THEN 'a group has no event: the interval of the ratio is with a half added to events and counts' END,
        'known only as it stands today, which may know the outcome: ' || (SELECT string_agg(w.name, ', ' ORDER BY w.name)
            FROM unnest(known.without_past) AS w (name)
            WHERE condition ~* pg_catalog.format('(^|[^\w$])"?%s"?($|[^\w$])', regexp_replace(w.name, '(\W)', '\\\1', 'g'))),
        CASE WHEN known.strangers > 0 THEN format('%s of the accounts of the outcome are not in the model', known.strangers) END),
        '');
    RETURN compared;
END;
$$;

COMMENT ON FUNCTION health_internal.compare(text, text, text, integer, date, text) IS 'compare() with the schemas of the caller';

CREATE FUNCTION health.compare(model text, condition text, outcome text DEFAULT NULL, horizon integer DEFAULT 90,
    as_of date DEFAULT NULL) RETURNS health.comparison_row
LANGUAGE sql
BEGIN ATOMIC
    SELECT c.* FROM health_internal.compare(model, condition, outcome, horizon, as_of, health_internal.visible_schemas()) AS c;
END;

COMMENT ON FUNCTION health.compare(text, text, text, integer, date) IS
    'Accounts that met a condition on a past day (by default horizon days ago) against all others: how many had the outcome in the '
    'horizon (days) after it, with Wilson''s intervals, ratio and difference with 95 % intervals, and a sentence. The condition is SQL '
    'over the columns of a score view and the signals as measured; outcome, as in backtest(), a query of account and day. Both run as the '
    'caller. Without an outcome: accounts.end, else that nobody is active for the whole horizon';

-- Cohorts: accounts that began together, interval by interval since their start.

CREATE TYPE health.cohort_row AS (
    cohort text,
    starts_on date,
    "interval" integer,
    units bigint,
    reached bigint,
    counted bigint,
    value float8,
    low float8,
    high float8,
    reason text
);

COMMENT ON TYPE health.cohort_row IS 'A cohort after so many intervals since the start of its accounts';

COMMENT ON COLUMN health.cohort_row.cohort IS 'Month, quarter or year in which the accounts began, or the value of the column';

COMMENT ON COLUMN health.cohort_row.starts_on IS 'First day of that month, quarter or year; NULL of cohorts by a column';

COMMENT ON COLUMN health.cohort_row."interval" IS
    'How many intervals after its start each account is looked at: months, or with quarter and year so many of these. 1 is the first';

COMMENT ON COLUMN health.cohort_row.units IS 'Accounts in the cohort';

COMMENT ON COLUMN health.cohort_row.reached IS 'Those whose interval is over: the denominator, lost ones included';

COMMENT ON COLUMN health.cohort_row.counted IS 'Those that are customers, or active; of a mean, the accounts that it is over';

COMMENT ON COLUMN health.cohort_row.value IS 'counted / reached, 0 to 1, or the mean; NULL when masked, see reason';

COMMENT ON COLUMN health.cohort_row.low IS 'Lower end of the 95 % interval of a share (Wilson)';

COMMENT ON COLUMN health.cohort_row.high IS 'Upper end';

COMMENT ON COLUMN health.cohort_row.reason IS
    'Why there is no value: unfinished, too few, before_ledger, source_stale (tracking was broken), no_data (accounts without a start)';

CREATE FUNCTION health_internal.check_cohort_column(model_name text, document jsonb, wanted text, others text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    columns CONSTANT text[] := ARRAY(SELECT jsonb_object_keys(document #> '{accounts,columns}'));
BEGIN
    IF wanted IS NULL OR wanted <> ALL (columns) THEN
        RAISE EXCEPTION 'model "%": there is no column "%" in accounts.columns', model_name, coalesce(wanted, 'NULL')
            USING ERRCODE = 'undefined_column',
                  HINT = coalesce('Did you mean "' || health.nearest_name(wanted, columns) || '"?',
                      format('Cohorts are by %s, or a column of accounts: "columns": {"plan": "plan_tier"}.', others));
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.check_cohort_column(text, jsonb, text, text) IS
    'Raises an error unless accounts can be grouped by a column of that name; others are words that mean something else';

-- What does not read the score needs no signals, nor what they were on past days.
CREATE FUNCTION health_internal.without_score(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT document - 'variants'
        || '{"signals": [{"name": "events", "metric": "events", "weight": 1, "normalize": {"kind": "identity"}}]}'::pg_catalog.jsonb;
END;

COMMENT ON FUNCTION health_internal.without_score(jsonb) IS 'A document whose only signal is the number of events';

-- Accounts are looked at on the last day of each interval, from one decode of their ledger. Activity is looked for from 28 days before it.
CREATE FUNCTION health_internal.observe_cohorts(version health_internal.model_version, today date, months integer, by_column text,
    truncate_to text, measure text, from_date date, to_date date)
RETURNS TABLE (cohort text, starts_on date, account_id text, begins date, "interval" integer, finished boolean, is_customer boolean,
    value float8, reason text)
LANGUAGE plpgsql ROWS 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := CASE measure WHEN 'score' THEN version.document ELSE health_internal.without_score(version.document) END;
    window_days CONSTANT integer := CASE measure WHEN 'engagement' THEN coalesce((document ->> 'window_days')::integer, 28) ELSE 28 END;
    compiled health_internal.compiled_model;
    first_start date;
    usage_from text := CASE WHEN measure = 'retention' THEN 'nothing'
        WHEN (health_internal.open_store(version)).has_ledgers THEN 'ledger' ELSE 'events' END;
BEGIN
    IF usage_from = 'ledger' THEN
        PERFORM health_internal.check_data_tables(version.model);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    -- How far back accounts and tracking are to be known: to the first start.
    compiled := health_internal.compile_model(document, version.version, as_of => today, usage_from => 'nothing',
                                              model_name => version.model);
    EXECUTE pg_catalog.format('SELECT pg_catalog.min(l.account_start) FROM (%s) AS l WHERE l.account_start >= $1 AND l.account_start <= $2 '
        'AND pg_catalog.isfinite(l.account_start)', compiled.ledger) INTO first_start USING from_date, to_date;
    compiled := health_internal.compile_model(document, version.version, as_of => today, usage_from => usage_from,
        model_name => version.model, as_literals => true, past_days => greatest(today - coalesce(first_start, today), 0));
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH units AS MATERIALIZED (
            SELECT %1$s AS account_key, %2$s AS cohort, %3$s AS starts_on, l.*, CASE WHEN pg_catalog.isfinite(l.account_start) THEN
                       ARRAY(SELECT s.day FROM pg_catalog.generate_series(1, (1 + ($1 - l.account_start) / 28) / $2) AS n (step),
                             LATERAL (SELECT (l.account_start + pg_catalog.make_interval(months => n.step * $2))::pg_catalog.date)
                                 AS s (day)
                             WHERE s.day <= $1 ORDER BY n.step) ELSE '{}' END AS days
            FROM (%4$s) AS l
            -- What was merged into another account has left nobody.
            WHERE l.account_end IS DISTINCT FROM '-infinity' AND (l.account_start IS NULL OR l.account_start = '-infinity'
               OR (l.account_start >= $3 AND l.account_start <= $4 AND l.account_start <= $1))
        )
        SELECT u.cohort, u.starts_on, u.account_key, CASE WHEN pg_catalog.isfinite(u.account_start) THEN u.account_start END,
               n.step::pg_catalog.int4, n.step <= pg_catalog.cardinality(u.days), coalesce(o.in_book, false),
               CASE $5 WHEN 'active' THEN o.active_after::pg_catalog.int4::pg_catalog.float8 WHEN 'engagement' THEN o.events
                       WHEN 'score' THEN o.score END,
               CASE WHEN $5 = 'retention' OR n.step > pg_catalog.cardinality(u.days) THEN NULL
                    WHEN $5 <> 'score' AND u.ledger_start > n.day - $6 THEN 'before_ledger'
                    WHEN $5 = 'active' AND o.as_of IS NOT NULL AND o.active_after IS NULL THEN 'source_stale'
                    WHEN $5 = 'engagement' AND EXISTS (
                        SELECT FROM pg_catalog.generate_series(1, pg_catalog.cardinality(u.outages), 2) AS b (at)
                        WHERE u.outages[b.at] < n.day AND u.outages[b.at + 1] >= n.day - $6) THEN 'source_stale' END
        FROM units AS u
        CROSS JOIN LATERAL (
            SELECT a.step, a.day FROM pg_catalog.unnest(u.days) WITH ORDINALITY AS a (day, step)
            UNION ALL SELECT pg_catalog.cardinality(u.days) + 1, NULL) AS n
        LEFT JOIN LATERAL health_internal.observe_dates(%5$L::pg_catalog.jsonb, %6$s,
            ARRAY(SELECT a.day - CASE $5 WHEN 'active' THEN 28 ELSE 0 END FROM pg_catalog.unnest(u.days) AS a (day)), 0, 28, u.outages) AS o
            ON o.as_of = n.day - CASE $5 WHEN 'active' THEN 28 ELSE 0 END
        $query$, health_internal.canonical_text('l.account_id', compiled.account_type),
        CASE WHEN by_column IS NOT NULL THEN pg_catalog.format('coalesce(l.%I::pg_catalog.text, ''(none)'')', by_column)
             ELSE pg_catalog.format('CASE WHEN pg_catalog.isfinite(l.account_start) THEN pg_catalog.to_char(l.account_start, %L) END',
                 CASE truncate_to WHEN 'quarter' THEN 'YYYY"-Q"Q' WHEN 'year' THEN 'YYYY' ELSE 'YYYY-MM' END) END,
        CASE WHEN by_column IS NOT NULL THEN 'NULL::pg_catalog.date' ELSE pg_catalog.format(
            'CASE WHEN pg_catalog.isfinite(l.account_start) THEN pg_catalog.date_trunc(%L, l.account_start::pg_catalog.timestamp)'
            '::pg_catalog.date END', truncate_to) END,
        compiled.ledger, health_internal.scoring_document(document), health_internal.compile_state(row_name => 'u'))
    USING today, months, coalesce(from_date, '-infinity'::date), coalesce(to_date, 'infinity'::date), measure, window_days;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(version.model, version);
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health_internal.observe_cohorts(health_internal.model_version, date, integer, text, text, text, date, date) IS
    'Each account at the end of each interval since its start, and the interval that it is in: whether it is finished, whether the account '
    'is a customer then, whether anybody was active (1 or 0), events or score. Accounts without a start have no intervals but that';

CREATE FUNCTION health_internal.cohorts_as_owner(model text, by text, measure text, from_date date, to_date date, at_least integer)
RETURNS SETOF health.cohort_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    document CONSTANT jsonb := version.document;
    months CONSTANT integer := CASE cohorts_as_owner.by WHEN 'quarter' THEN 3 WHEN 'year' THEN 12 ELSE 1 END;
    is_calendar CONSTANT boolean := coalesce(cohorts_as_owner.by = ANY ('{month,quarter,year}'), false);
    measures CONSTANT text[] := ARRAY['retention', 'active', 'engagement', 'score'];
BEGIN
    IF NOT is_calendar THEN
        PERFORM health_internal.check_cohort_column(model, document, cohorts_as_owner.by, 'month, quarter or year');
    END IF;
    IF measure IS NULL OR measure <> ALL (measures) THEN
        RAISE EXCEPTION 'model "%": there is no measure "%"', model, coalesce(measure, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The measures are ' || array_to_string(measures, ', ') || '.';
    ELSIF at_least IS NULL OR at_least < 1 THEN
        RAISE EXCEPTION 'model "%": a cohort has at least 1 account, not %', model, coalesce(at_least::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF from_date > to_date THEN
        RAISE EXCEPTION 'model "%": from % to % is no span of time', model, from_date, to_date
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give two days, the earlier one first.';
    ELSIF document #> '{accounts,start}' IS NULL THEN
        RAISE EXCEPTION 'model "%": the accounts have no start', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Name the column: "accounts": {..., "start": "customer_since"}.';
    ELSIF measure = 'retention' AND document #> '{accounts,end}' IS NULL THEN
        RAISE EXCEPTION 'model "%": the accounts have no end, so nobody is ever lost', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Name the column: "accounts": {..., "end": "churned_on"}; or ask for the measure "active".';
    END IF;
    RETURN QUERY
    WITH seen AS MATERIALIZED (
        SELECT o.* FROM health_internal.observe_cohorts(version, health_internal.portfolio_day(version), months,
            CASE WHEN NOT is_calendar THEN cohorts_as_owner.by END, cohorts_as_owner.by, measure, from_date, to_date) AS o
    ), sizes AS (
        -- The first interval that somebody is still in: cohorts of a month have that many, those of a column go on.
        SELECT s.cohort, s.starts_on, count(DISTINCT s.account_id) AS units, min(s."interval") FILTER (WHERE NOT s.finished) AS unfinished,
               max(s."interval") FILTER (WHERE s.finished) AS last_finished
        FROM seen AS s WHERE s.begins IS NOT NULL GROUP BY s.cohort, s.starts_on
    ), cells AS (
        SELECT z.cohort, z.starts_on, s."interval", z.units, count(*) FILTER (WHERE s.finished) AS reached,
               count(*) FILTER (WHERE s.finished AND CASE measure WHEN 'retention' THEN s.is_customer WHEN 'active' THEN s.value = 1
                   ELSE s.is_customer AND s.value IS NOT NULL END) AS counted,
               avg(s.value ORDER BY s.value) FILTER (WHERE s.finished AND s.is_customer) AS mean, min(s.reason) AS reason,
               is_calendar AND s."interval" >= z.unfinished AS is_unfinished
        FROM sizes AS z JOIN seen AS s ON s.cohort = z.cohort AND s.begins IS NOT NULL
        WHERE s."interval" <= CASE WHEN is_calendar THEN z.unfinished ELSE coalesce(z.last_finished, 1) END
        GROUP BY z.cohort, z.starts_on, z.units, z.unfinished, s."interval"
    ), judged AS (
        SELECT c.*, measure = ANY ('{retention,active}') AS is_share,
               CASE WHEN c.units < at_least THEN 'too few'
                    WHEN c.is_unfinished OR c.reached = 0 THEN 'unfinished'
                    WHEN c.reason IS NOT NULL THEN c.reason
                    WHEN c.reached < at_least THEN 'too few'
                    WHEN measure = ANY ('{engagement,score}') AND c.counted < at_least THEN 'too few' END AS masked
        FROM cells AS c
    )
    SELECT j.cohort, j.starts_on, j."interval", j.units, j.reached, CASE WHEN j.masked IS NULL THEN j.counted END,
           CASE WHEN j.masked IS NULL THEN CASE WHEN j.is_share THEN r.rate ELSE j.mean END END,
           CASE WHEN j.masked IS NULL AND j.is_share THEN r.low END, CASE WHEN j.masked IS NULL AND j.is_share THEN r.high END, j.masked
    FROM judged AS j CROSS JOIN LATERAL health_internal.rate_interval(CASE WHEN j.is_share THEN j.counted ELSE 0 END, j.reached) AS r
    UNION ALL
    SELECT '(no start)', NULL, NULL, count(DISTINCT s.account_id), NULL, NULL, NULL, NULL, NULL, 'no_data' FROM seen AS s
    WHERE s.begins IS NULL HAVING count(*) > 0
    ORDER BY 2, 1, 3;
END;
$$;

COMMENT ON FUNCTION health_internal.cohorts_as_owner(text, text, text, date, date, integer) IS 'cohorts() as the owner of the model';

CREATE FUNCTION health.cohorts(model text, by text DEFAULT 'month', measure text DEFAULT 'retention', from_date date DEFAULT NULL,
    to_date date DEFAULT NULL, at_least integer DEFAULT 5)
RETURNS SETOF health.cohort_row
LANGUAGE plpgsql ROWS 300
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT (r.cell).* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT c FROM health_internal.cohorts_as_owner($1, $2, $3, $4::date, $5::date, $6::integer) AS c', model, by, measure,
        health_internal.iso_text(from_date), health_internal.iso_text(to_date), at_least::text) AS r (cell health.cohort_row);
END;
$$;

COMMENT ON FUNCTION health.cohorts(text, text, text, date, date, integer) IS
    'Accounts by the month, quarter or year of their start, or by a column of accounts, after 1, 2, ... intervals since the start of each: '
    'retention (still a customer, by accounts.end), active (somebody active in the last 28 days of the interval), engagement (mean events '
    'of those that are customers, in the window of the model), score (their mean score). The denominator are accounts that reached the '
    'end of the interval; the interval that somebody is still in and cohorts under at_least accounts are masked, with the reason. '
    'from_date, to_date: first and last start';

-- How long accounts take to their first activation, those that have not got there counted in: Kaplan and Meier.

CREATE TYPE health.time_to_value_row AS (
    cohort text,
    n bigint,
    reached bigint,
    censored bigint,
    left_out bigint,
    first_quartile float8,
    median float8,
    median_low float8,
    median_high float8,
    third_quartile float8,
    sentence text
);

COMMENT ON TYPE health.time_to_value_row IS 'Days from the start of accounts to their first activation event';

COMMENT ON COLUMN health.time_to_value_row.cohort IS 'Month, quarter or year of the start, or value of the column; NULL: all accounts';

COMMENT ON COLUMN health.time_to_value_row.n IS 'Accounts';

COMMENT ON COLUMN health.time_to_value_row.reached IS 'Those with an activation event';

COMMENT ON COLUMN health.time_to_value_row.censored IS 'Those without one so far, or until their end: counted until then';

COMMENT ON COLUMN health.time_to_value_row.left_out IS 'Without a start, or begun before the first day that the ledger keeps';

COMMENT ON COLUMN health.time_to_value_row.first_quartile IS 'Days after which a quarter had reached it; NULL: not yet';

COMMENT ON COLUMN health.time_to_value_row.median IS 'Days after which half had; never the mean of those who arrived';

COMMENT ON COLUMN health.time_to_value_row.median_low IS 'Lower end of its 95 % interval (Brookmeyer and Crowley)';

COMMENT ON COLUMN health.time_to_value_row.median_high IS 'Upper end; NULL: observation ends before';

COMMENT ON COLUMN health.time_to_value_row.third_quartile IS 'Days after which three quarters had';

COMMENT ON COLUMN health.time_to_value_row.sentence IS 'In words';

CREATE FUNCTION health_internal.value_times(model text, by text)
RETURNS TABLE (cohort text, times float8[], events boolean[], left_out bigint)
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    document CONSTANT jsonb := version.document - 'variants'
        || '{"signals": [{"name": "time_to_value", "metric": "time_to_value", "weight": 1, "normalize": {"kind": "identity"}}]}';
    today CONSTANT date := health_internal.portfolio_day(version);
    store CONSTANT health_internal.store := health_internal.open_store(version);
    compiled health_internal.compiled_model;
BEGIN
    IF by IS NOT NULL AND by <> ALL ('{month,quarter,year}'::text[]) THEN
        PERFORM health_internal.check_cohort_column(model, document, by, 'month, quarter or year');
    ELSIF document #> '{accounts,start}' IS NULL THEN
        RAISE EXCEPTION 'model "%": the accounts have no start', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Name the column: "accounts": {..., "start": "customer_since"}.';
    ELSIF NOT EXISTS (SELECT FROM jsonb_each(document -> 'catalog') AS c (event, entry)
                      WHERE c.entry -> 'role' @> '"activate"') THEN
        RAISE EXCEPTION 'model "%": no event of its catalog has the role activate', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Say which events show that value was reached: "catalog": {"report_made": {"role": ["create", "activate"]}}.';
    END IF;
    IF store.has_ledgers THEN
        PERFORM health_internal.check_data_tables(version.model);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(document, version.version, as_of => today, model_name => version.model, as_literals => true,
        usage_from => CASE WHEN store.has_ledgers THEN 'ledger' ELSE 'events' END);
    -- An account that has ended is seen until then.
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH units AS MATERIALIZED (
            SELECT %1$s AS cohort, l.usage, l.as_of, l.account_start, l.seats, l.inputs, l.observed, l.segments, l.past_inputs,
                   l.past_observed, l.repeated, NULL::pg_catalog.date AS account_end, l.ledger_start, l.in_filter, NULL AS overrides,
                   l.outages, CASE WHEN l.account_end = '-infinity' THEN l.as_of ELSE least(l.as_of, l.account_end) END AS until,
                   pg_catalog.isfinite(l.account_start) AND l.account_end IS DISTINCT FROM '-infinity'
                       AND (l.ledger_start IS NULL OR l.ledger_start <= l.account_start) AS counts
            FROM (%2$s) AS l WHERE l.account_start IS NULL OR l.account_start <= l.as_of
        ), measured AS (
            SELECT u.cohort, u.counts IS TRUE AS counts, greatest(u.until - u.account_start, 0)::pg_catalog.float8 AS followed, m.raw
            FROM units AS u LEFT JOIN LATERAL (SELECT (health_internal.raw_values(%3$L::pg_catalog.jsonb, %4$s, ARRAY[u.until]))[1][1])
                AS m (raw) ON u.counts
        )
        SELECT m.cohort, pg_catalog.array_agg(coalesce(m.raw, m.followed) ORDER BY m.followed, m.raw) FILTER (WHERE m.counts),
               pg_catalog.array_agg(m.raw IS NOT NULL ORDER BY m.followed, m.raw) FILTER (WHERE m.counts),
               pg_catalog.count(*) FILTER (WHERE NOT m.counts)
        FROM measured AS m GROUP BY m.cohort ORDER BY m.cohort
        $query$,
        CASE WHEN by IS NULL THEN 'NULL::pg_catalog.text'
             WHEN by = ANY ('{month,quarter,year}') THEN pg_catalog.format(
                 'CASE WHEN pg_catalog.isfinite(l.account_start) THEN pg_catalog.to_char(l.account_start, %L) ELSE ''(no start)'' END',
                 CASE by WHEN 'quarter' THEN 'YYYY"-Q"Q' WHEN 'year' THEN 'YYYY' ELSE 'YYYY-MM' END)
             ELSE pg_catalog.format('coalesce(l.%I::pg_catalog.text, ''(none)'')', by) END,
        compiled.ledger, health_internal.scoring_document(document), health_internal.compile_state(with_past => false, row_name => 'u',
            with_overrides => false));
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version);
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health_internal.value_times(text, text) IS
    'Of each cohort the days to the first activation event, or how long an account was seen without one, and which of the two it is; as '
    'the owner of the model';

CREATE FUNCTION health.time_to_value_summary(model text, by text DEFAULT NULL) RETURNS SETOF health.time_to_value_row
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT t.cohort, c.n, c.reached, c.n - c.reached, t.left_out, q.first_quartile, q.median, q.median_low, q.median_high,
           q.third_quartile,
           CASE WHEN c.n = 0 THEN 'No account that can be followed from its start.'
                WHEN c.reached = 0 THEN format('None of %s accounts has reached value yet.', c.n)
                WHEN q.median IS NULL THEN format('%s of %s accounts have reached value: too few for half of them.', c.reached, c.n)
                ELSE format('Half of %s accounts reach value within %s days (95 %% %s to %s); %s have not yet.', c.n, q.median,
                            coalesce(q.median_low::text, '0'), coalesce(q.median_high::text, 'more than was seen'), c.n - c.reached) END
    FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
             'SELECT t.* FROM health_internal.value_times($1, $2) AS t', model, by)
         AS t (cohort text, times float8[], events boolean[], left_out bigint)
    CROSS JOIN LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE e.reached) AS reached FROM unnest(t.events) AS e (reached)) AS c
    CROSS JOIN LATERAL (
        SELECT max(s."time") FILTER (WHERE s.share = 0.25) AS first_quartile, max(s."time") FILTER (WHERE s.share = 0.5) AS median,
               max(s.low) FILTER (WHERE s.share = 0.5) AS median_low, max(s.high) FILTER (WHERE s.share = 0.5) AS median_high,
               max(s."time") FILTER (WHERE s.share = 0.75) AS third_quartile
        FROM health_internal.survival_quantiles(t.times, t.events, '{0.25,0.5,0.75}') AS s) AS q;
END;
$$;

COMMENT ON FUNCTION health.time_to_value_summary(text, text) IS
    'Days from the start of accounts to their first activation event, by Kaplan and Meier: how many reached it, quartiles, median with its '
    '95 % interval. Accounts that have not are counted as long as they were seen, until their end. by: month, quarter, year of the start, '
    'or a column of accounts';

CREATE FUNCTION health.time_to_value_curve(model text, by text DEFAULT NULL, OUT cohort text, OUT days float8, OUT at_risk bigint,
    OUT reached bigint, OUT censored bigint, OUT share float8, OUT low float8, OUT high float8) RETURNS SETOF record
LANGUAGE plpgsql ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT t.cohort, s."time", s.at_risk, s.events_then, s.censored, 1 - s.survival, 1 - s.high, 1 - s.low
    FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
             'SELECT t.* FROM health_internal.value_times($1, $2) AS t', model, by)
         AS t (cohort text, times float8[], events boolean[], left_out bigint)
    CROSS JOIN LATERAL health_internal.survival_steps(t.times, t.events) AS s;
END;
$$;

COMMENT ON FUNCTION health.time_to_value_curve(text, text) IS
    'The curve behind time_to_value_summary(): for each number of days at which an account reaches value or is seen no longer, how many '
    'were still without it just before, how many reach it or are seen no longer then, and the share that has reached it by then, with its '
    '95 % interval';

-- What a new version of a model means for its ledgers, its tables and its score views.

-- The history stays, unless it is to begin again, and the day up to which it goes; the rest is empty until the model is scored.
CREATE OR REPLACE FUNCTION
    health_internal.remake_book(tracking health_internal.tracking, version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state CONSTANT health_internal.store_state := health_internal.read_state(tracking.id);
    made health_internal.score_view;
    grants text[] := ARRAY[]::text[];
    statement text;
BEGIN
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = tracking.model ORDER BY s.schema_name, s.view_name LOOP
        grants := grants || health_internal.relation_grants(made, version);
        PERFORM health_internal.drop_score_relations(made, false);
    END LOOP;
    PERFORM health_internal.drop_book(tracking.id);
    IF tracking.history_from IS NULL THEN
        PERFORM health_internal.make_history(tracking);
    END IF;
    PERFORM health_internal.build_book(tracking, version);
    EXECUTE format('UPDATE %s SET as_of = $1', health_internal.data_table('state', tracking.id))
        USING CASE WHEN tracking.history_from IS NOT NULL THEN state.as_of END;
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = tracking.model ORDER BY s.schema_name, s.view_name LOOP
        PERFORM health_internal.build_score_view(made.schema_name, made.view_name, tracking.model, version, made.materialized);
    END LOOP;
    UPDATE health_internal.score_view AS s SET model_version = version.version, compiled_by = health_internal.release()
    WHERE s.model = tracking.model;
    FOREACH statement IN ARRAY grants LOOP
        EXECUTE statement;
    END LOOP;
END;
$$;

CREATE OR REPLACE FUNCTION
    health_internal.alter_as_owner(name text, definition jsonb, replace boolean, restart boolean, visible text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present health_internal.model_version;
    changed jsonb;
    document jsonb;
BEGIN
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = alter_as_owner.name
    -- guard one_change {
    FOR UPDATE
    -- }
    ;
    SELECT v.* INTO present FROM health_internal.model_version AS v
    WHERE v.model = alter_as_owner.name AND v.version = (SELECT m.current_version FROM health_internal.model AS m
        WHERE m.name = alter_as_owner.name);
    IF pg_catalog.jsonb_typeof(definition) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'model "%": the changes must be a JSON object', name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {"window_days": 30}; null removes a key.';
    END IF;
    changed := health_internal.drop_null_keys(CASE WHEN replace THEN definition ELSE present.definition || definition END);
    document := health_internal.freeze_references(health_internal.check_definition(name, changed, visible), present.document);
    -- The same words mean something else where names in expressions are looked up in other schemas.
    IF health_internal.same_meaning(document, present.document)
       AND (present.search_path = visible
            OR NOT pg_catalog.jsonb_path_exists(document,
                                               '$.** ? (exists (@.sql) || exists (@.query) || exists (@.filter) || '
                                               'exists (@.exclude) || exists (@.expression))')) THEN
        RETURN present.version;
    END IF;
    IF NOT restart THEN
        PERFORM health_internal.check_restart(ROW(name, present.version + 1, changed, document, visible, NULL,
                                                  NULL)::health_internal.model_version);
    END IF;
    PERFORM health_internal.add_version(name, present.version + 1, changed, document, visible);
    PERFORM health_internal.notice_flags_left_out(name, changed);
    IF (health_internal.find_calibration(name, present.version, 'churn')).map IS NOT NULL
       OR (health_internal.find_calibration(name, present.version, 'expansion')).map IS NOT NULL THEN
        RAISE NOTICE 'model "%": probabilities go with the scores of version %, so that version % has none', name, present.version,
            present.version + 1 USING HINT = format('SELECT * FROM health.calibrate(%L, ...); makes them of its scores.', name);
    END IF;
    RETURN present.version + 1;
END;
$$;

-- Plain views are replaced where they are, with grants and whatever depends on them. Materialized ones whose SQL is the same stay, and
-- those that are made again are filled from the stored base; where that itself is another, a refresh, which reads the events anyway, makes
-- all again.
CREATE OR REPLACE FUNCTION
    health_internal.recompile_view(present health_internal.score_view, read_events boolean) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(present.model, present.model_version);
    store CONSTANT health_internal.store := health_internal.open_store(version);
    kept text[];
    detail text;
BEGIN
    IF health_internal.score_relation_kind(store, present.materialized) = 'VIEW' THEN
        BEGIN
            PERFORM health_internal.check_relation_owner(present, r.relation)
            FROM health_internal.view_relations(present) AS r
            WHERE to_regclass(r.relation) IS NOT NULL AND NOT health_internal.is_foreign_relation(r.suffix, r.relation);
            PERFORM health_internal.build_score_view(present.schema_name, present.view_name, present.model, version, present.materialized);
        EXCEPTION WHEN invalid_table_definition THEN    -- other columns
            PERFORM health_internal.rebuild_score_view(present, version);
        END;
    ELSE
        kept := health_internal.unchanged_relations(present, store);
        IF cardinality(kept) = 0 AND NOT read_events THEN
            RETURN false;
        ELSIF cardinality(kept) < (SELECT count(*) FROM health_internal.view_relations(present)) THEN
            PERFORM health_internal.rebuild_score_view(present, version, kept);
        END IF;
    END IF;
    UPDATE health_internal.score_view AS s SET compiled_by = health_internal.release()
    WHERE s.schema_name = present.schema_name AND s.view_name = present.view_name;
    RETURN cardinality(kept) = 0;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE WARNING 'score view %.% keeps the SQL that release % has compiled',
        quote_ident(present.schema_name), quote_ident(present.view_name), present.compiled_by
        USING DETAIL = coalesce(nullif(detail, ''), 'Other objects depend on it, so it cannot be made again.'),
              HINT = 'drop_score_view(name, cascade => true), then create_score_view(model, name).';
    RETURN false;
END;
$$;

-- Refreshing: of a tracked model step by step, of any other its score views.

-- Once for each number: who knows of them need not be told at every refresh.
CREATE OR REPLACE FUNCTION
    health_internal.tell_bad_rows(source integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    told health_internal.ledger_source;
    facts boolean;
BEGIN
    UPDATE health_internal.ledger_source AS s SET told_bad_rows = s.bad_rows
    WHERE s.id = tell_bad_rows.source AND s.told_bad_rows <> s.bad_rows RETURNING s.* INTO told;
    facts := health_internal.is_fact_path(told.path);
    -- The end of a fact that cannot be is told with its start.
    IF told.bad_rows > 0 AND NOT (facts AND told.path ~ '\.until$') THEN
        RAISE WARNING 'model "%": % of % left out', told.model,
            told.bad_rows || CASE told.bad_rows WHEN 1 THEN ' row' ELSE ' rows' END,
            told.path || CASE WHEN facts THEN CASE told.bad_rows WHEN 1 THEN ' cannot be and is' ELSE ' cannot be and are' END
                              ELSE CASE told.bad_rows WHEN 1 THEN ' is no event and is' ELSE ' are no events and are' END END
            USING DETAIL = CASE WHEN facts THEN 'Their time is infinite, their end before their start, their value no number that counts '
                                    'or none on its scale, or an expression of the source fails on them.'
                                ELSE 'Their time is infinite, their amount is no number that counts, their event has no name, or an '
                                    'expression of the source fails on them.' END,
                  HINT = format('SELECT * FROM health.tracking_plan(%L) WHERE finding = ''bad value'' lists them.', told.model);
    END IF;
END;
$$;

-- One transaction's worth.
CREATE OR REPLACE FUNCTION
    health_internal.refresh_part(model_name text, ignore_volume boolean) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    started timestamptz := clock_timestamp();
    began timestamptz;
    tracking health_internal.tracking := health_internal.find_tracking(model_name);
    adopted health_internal.tracking;
    version health_internal.model_version;
    source health_internal.ledger_source;
    progress text;
    today date;
    scored bigint;
    more boolean := false;
BEGIN
    -- Read once: whoever changes the model meanwhile is the next refresh's.
    version := health_internal.find_version(model_name, (health_internal.find_model(model_name)).current_version);
    PERFORM health_internal.reject_citus_tables(model_name, version, true);
    PERFORM health_internal.check_data_tables(model_name);
    tracking := health_internal.recompile_tracking(tracking);
    adopted := health_internal.adopt_sources(tracking, version);
    IF adopted.ledger_key <> tracking.ledger_key THEN    -- writers may be waiting for what that has locked
        RETURN format('model "%s": version %s is taken over', model_name, version.version);
    END IF;
    progress := health_internal.read_next(tracking, version.document);
    IF progress IS NOT NULL THEN
        RETURN progress;
    END IF;
    tracking := health_internal.adopt_version(tracking, version);
    PERFORM health_internal.recompile_views(model_name);
    IF tracking.model_version <> version.version THEN
        version := health_internal.find_version(model_name, tracking.model_version);
    END IF;
    today := health_internal.model_today(version.document);
    began := clock_timestamp();
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = model_name ORDER BY s.id LOOP
        IF source.window_days IS NULL THEN
            -- A table may have been truncated since its reading was planned.
            more := health_internal.fold_source(tracking, source, health_internal.ledger_start(version.document, today, source.path))
                    OR health_internal.find_restart_reason(source) IS NOT NULL
                    OR more;
        ELSE
            PERFORM health_internal.reread_window(tracking, source, today);
        END IF;
        PERFORM health_internal.tell_bad_rows(source.id);
    END LOOP;
    IF more THEN
        RETURN format('model "%s": folding in changes', model_name);
    END IF;
    scored := health_internal.rescore(tracking, version, ignore_volume);
    PERFORM health_internal.restore_people(model_name);
    UPDATE health_internal.tracking AS t
    SET refreshed_at = began, rescored = scored, refresh_ms = extract(epoch FROM clock_timestamp() - started) * 1000, error = NULL,
        error_at = NULL, refresh_began = NULL, refresh_pid = NULL
    WHERE t.id = tracking.id;
    RETURN NULL;
END;
$$;

CREATE OR REPLACE FUNCTION
    health_internal.refresh_score_view(name text, visible text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    safe_path CONSTANT text := 'pg_catalog, pg_temp';
    present health_internal.score_view := health_internal.find_score_view(name, visible);
    opened health_internal.model := health_internal.open_model(present.model);
    made record;
BEGIN
    -- Sessions that refresh the same view queue here, before any lock on a relation: they cannot deadlock.
    SELECT s.* INTO present FROM health_internal.score_view AS s
    WHERE s.schema_name = present.schema_name AND s.view_name = present.view_name
    -- guard one_view_refresh {
    FOR UPDATE
    -- }
    ;
    -- Whoever was first may have dropped the view, or brought it to a version that only now can be seen.
    -- guard view_is_there {
    IF NOT FOUND THEN
        present := health_internal.find_score_view(name, visible);
    END IF;
    -- }
    opened := health_internal.open_model(present.model);
    IF health_internal.is_tracked(present.model) THEN
        PERFORM health_internal.run_as_owner(opened.owner, safe_path, 'SELECT health_internal.refresh_tracked($1)', present.model);
        RETURN;
    END IF;
    IF present.model_version <> opened.current_version THEN
        BEGIN
            PERFORM health_internal.run_as_owner(opened.owner, safe_path,
                'SELECT health_internal.rebuild_view_as_owner($1, $2, $3::integer)',
                                                 present.schema_name::text, present.view_name::text, opened.current_version::text);
            RETURN;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            RAISE WARNING 'score view "%" stays at version % of model "%", whose current version is %',
                name, present.model_version, present.model, opened.current_version
                USING DETAIL = 'Other objects depend on it, so it cannot be made again.',
                      HINT = 'drop_score_view(name, cascade => true), then create_score_view(model, name).';
        END;
    END IF;
    IF present.compiled_by <> health_internal.release() THEN
        SELECT r.made_again INTO made FROM health_internal.rows_as_owner(opened.owner, safe_path,
            'SELECT health_internal.recompile_view_as_owner($1, $2)', present.schema_name::text,
                present.view_name::text) AS r (made_again boolean);
        IF made.made_again THEN
            RETURN;
        END IF;
    END IF;
    PERFORM health_internal.run_as_owner(opened.owner, safe_path, 'SELECT health_internal.restore_people($1)', present.model);
    IF NOT present.materialized THEN
        RETURN;
    END IF;
    FOR made IN SELECT r.relation FROM health_internal.view_relations(present) AS r
                WHERE r.suffix <> '_users' AND NOT health_internal.is_beside(r.suffix) LOOP
        PERFORM health_internal.refresh_relation(present, made.relation);
    END LOOP;
    PERFORM health_internal.run_as_owner(opened.owner, safe_path, 'SELECT health_internal.warn_broken($1, $2)', present.model,
        format('%I.%I', present.schema_name, present.view_name || '_ledger'));
EXCEPTION WHEN cardinality_violation OR data_exception OR feature_not_supported THEN
    -- A table that has been distributed since the view was made, before there was Citus, asks for other SQL.
    IF sqlstate = '0A000' AND health_internal.fence() <> '' THEN
        SELECT r.made_again INTO made FROM health_internal.rows_as_owner(opened.owner, safe_path,
            'SELECT health_internal.recompile_view_as_owner($1, $2)', present.schema_name::text,
                present.view_name::text) AS r (made_again boolean);
        IF made.made_again THEN
            RETURN;
        END IF;
    END IF;
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.run_as_owner(opened.owner, safe_path, 'SELECT health_internal.name_failure_as_owner($1, $2::integer)',
            present.model, opened.current_version::text);
    END IF;
    RAISE;
END;
$$;

COMMENT ON COLUMN health.tracking_finding.finding IS
    'bad value, null key, unknown account, unlisted event, missing event, silent event, future event, unknown user, user without account, '
    'repeated account, event before start, event after end, signal never seen, signal not fitted, user without joining day, '
    'repeated event id, circular parent, circular merge, unknown merge target, late event, event known too early, '
    'event known at no time, several currencies, tracking broke';

-- Expressions that fail, of rows that the source does not leave out: read once more, for nothing where none can fail.
CREATE OR REPLACE FUNCTION
    health_internal.compile_failures(document jsonb, fields health_internal.model_field[],
    as_written health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(format(
               'SELECT %L AS source, %L AS name, (%s)::pg_catalog.text AS account_id, x.message AS value, pg_catalog.count(*) AS n '
               'FROM %s CROSS JOIN LATERAL (SELECT %s AS message) AS x WHERE x.message IS NOT NULL%s GROUP BY 3, 4',
               p.source, p.name,
               coalesce((CASE WHEN p.of_rows THEN health_internal.field_of(fields, p.source, 'account')
                              ELSE health_internal.field_of(fields, 'accounts', 'id') END).expression, 'NULL'),
               CASE WHEN p.of_rows OR p.name = 'filter' THEN (p.field).from_item
                    ELSE book.from_item || health_internal.compile_wanted(fields)
                         || substr((p.field).from_item, length(book.from_item) + 1) END,
               regexp_replace((p.field).expression, '^health_internal\.try_value\([^,]*, ', 'health_internal.try_error('),
               CASE WHEN p.name = 'filter' THEN ''
                    WHEN p.of_rows THEN coalesce(' AND ' || (health_internal.field_of(fields, p.source, 'filter')).expression, '')
                    WHEN health_internal.compile_wanted(fields) <> '' THEN ' AND wanted."is wanted"' ELSE '' END), ' UNION ALL '),
           'SELECT NULL AS source, NULL AS name, NULL AS account_id, NULL AS value, 0 AS n WHERE false')
    FROM (SELECT f.*, f.source ~ '^(events|users|facts)' AS of_rows FROM health_internal.fallible_fields(document, as_written) AS f) AS p,
         health_internal.field_of(fields, 'accounts', 'from') AS book;
$$;

-- -infinity stands for no time; what known_at fails on is told as such.
CREATE OR REPLACE FUNCTION
    health_internal.compile_lateness(document jsonb, fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(format($query$
        SELECT %L::pg_catalog.text AS source, f.finding, f.n, f.first_day, f.last_day, f.advice
        FROM (SELECT pg_catalog.count(*) AS n, pg_catalog.count(*) FILTER (WHERE r.known > r.day) AS late,
                     pg_catalog.count(*) FILTER (WHERE r.known = 'infinity') AS never,
                     pg_catalog.percentile_disc(0.5) WITHIN GROUP (ORDER BY r.days) FILTER (WHERE r.days > 0) AS median,
                     pg_catalog.max(r.days) AS longest, pg_catalog.min(r.day) FILTER (WHERE r.known > r.day) AS first_late,
                     pg_catalog.max(r.day) FILTER (WHERE r.known > r.day) AS last_late,
                     pg_catalog.count(*) FILTER (WHERE r.days < 0) AS early,
                     pg_catalog.min(r.day) FILTER (WHERE r.days < 0) AS first_early,
                     pg_catalog.max(r.day) FILTER (WHERE r.days < 0) AS last_early,
                     pg_catalog.count(*) FILTER (WHERE r.unknown) AS unknown,
                     pg_catalog.min(r.day) FILTER (WHERE r.unknown) AS first_unknown,
                     pg_catalog.max(r.day) FILTER (WHERE r.unknown) AS last_unknown
              FROM (SELECT d.day, d.known, d.unknown, CASE WHEN pg_catalog.isfinite(d.known) THEN d.known - d.day END AS days
                    FROM (SELECT %s AS day, %s AS known, x.known IS NULL AS unknown
                          FROM (SELECT %s AS occurred, %s AS known FROM %s%s OFFSET 0) AS x) AS d
                    WHERE pg_catalog.isfinite(d.day)) AS r) AS l,
             LATERAL (VALUES
                ('late event', l.late, l.first_late, l.last_late, pg_catalog.format(
                    '%%s %%%% of the rows became known after their day%%s%%s. Dates before that do not see them',
                    pg_catalog.round(100.0 * l.late / nullif(l.n, 0), 1),
                    CASE WHEN l.median IS NOT NULL THEN pg_catalog.format(', by %%s days (median), at most %%s', l.median, l.longest) END,
                    CASE WHEN l.never > 0 THEN pg_catalog.format(', not yet known (infinity): %%s', l.never) END)),
                ('event known too early', %s, l.first_early, l.last_early,
                    'known on a day before the one on which they happened: is it the right column? Taken as known on their day'),
                ('event known at no time', l.unknown, l.first_unknown, l.last_unknown,
                    'nothing says when they became known: taken as known on their day')) AS f (finding, n, first_day, last_day, advice)
        WHERE f.n > 0 $query$, s.path, health_internal.compile_plain_day('x.occurred', (f.occurred).type, s.source ->> 'time_zone', z.zone),
        health_internal.compile_plain_day('x.known', (f.known).type, s.source ->> 'time_zone', z.zone), (f.occurred).expression,
        (f.known).expression, coalesce((health_internal.field_of(fields, s.path, 'from')).from_item, (f.occurred).from_item),
        coalesce(' WHERE ' || (health_internal.field_of(fields, s.path, 'filter')).expression, ''),
        -- A contract is signed before it starts.
        CASE s.kind WHEN 'facts' THEN '0' ELSE 'l.early' END), ' UNION ALL '),
        'SELECT n.source, n.source AS finding, 0::pg_catalog.int8 AS n, n.day AS first_day, n.day AS last_day, n.source AS advice '
        'FROM (SELECT NULL::pg_catalog.text, NULL::pg_catalog.date) AS n (source, day) WHERE false')
    FROM health_internal.sources(document) AS s, (SELECT coalesce(document ->> 'time_zone', 'UTC')) AS z (zone),
         LATERAL (SELECT health_internal.field_of(fields, s.path, 'known_at') AS known,
                         health_internal.field_of(fields, s.path, CASE s.kind WHEN 'facts' THEN 'at' ELSE 'occurred_at' END)
                             AS occurred) AS f
    WHERE s.kind IN ('events', 'facts') AND (f.known).expression IS NOT NULL;
$$;

COMMENT ON FUNCTION health_internal.compile_lateness(jsonb, health_internal.model_field[]) IS
    'SQL of how late the rows of each source of events or facts that says so became known: a row per finding, with the days of the rows';

CREATE OR REPLACE FUNCTION
    health_internal.tracking_plan_as_owner(model text) RETURNS SETOF health.tracking_finding
LANGUAGE plpgsql ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version health_internal.model_version := health_internal.find_version(model, (health_internal.open_model(model)).current_version);
    document jsonb := version.document;
    fields health_internal.model_field[];
    as_written health_internal.model_field[];
    compiled health_internal.compiled_model;
    known_users text;
    links text;
    clock CONSTANT text := health_internal.model_clock(document, NULL);
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(document, version.version, usage_from => 'nothing', model_name => model);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    as_written := ARRAY(SELECT f FROM health_internal.model_fields(document, keyed => false) AS f);
    known_users := format('SELECT (%s%s)::pg_catalog.text AS user_id, (%s)::pg_catalog.text AS account_id FROM %s',
        coalesce((health_internal.field_of(fields, 'users', 'id')).expression, 'NULL::pg_catalog.text'), health_internal.user_cast(fields),
        coalesce((health_internal.field_of(fields, 'users', 'account')).expression, 'NULL'),
        coalesce((health_internal.field_of(fields, 'users', 'from')).from_item, '(SELECT 1 WHERE false) AS src'));
    RETURN QUERY EXECUTE format($query$
        WITH accounts AS MATERIALIZED (
            SELECT (%14$s)::pg_catalog.text AS account_id, l.as_of, l.account_start, %22$s AS account_end, l.seats, l.inputs, l.observed,
                   l.segments, l.repeated, l.ledger_start, l.overrides, l.outages
            FROM (%1$s) AS l
        ), known_users AS MATERIALIZED (
            SELECT k.user_id, k.account_id FROM (%2$s) AS k
        ), clock AS (
            SELECT %3$s AS as_of
        ), catalog AS (
            SELECT c.key AS name, %13$L::pg_catalog.jsonb IS NULL OR %13$L::pg_catalog.jsonb ? c.key AS is_own
            FROM pg_catalog.jsonb_object_keys(%4$L::pg_catalog.jsonb) AS c (key)
        ), seen AS MATERIALIZED (
            -- One pass over the events: a row per source, account, user and event keeps what the findings need.
            %5$s
        ), usable AS (
            SELECT s.* FROM seen AS s
            WHERE s.account_id IS NOT NULL AND s.user_id IS NOT NULL AND s.event_name IS NOT NULL AND NOT s.lacks_day
                AND s.bad_field IS NULL
        ), newest AS MATERIALIZED (
            SELECT s.event_name, pg_catalog.max(s.last_known_day) AS day FROM usable AS s GROUP BY 1
        ), bad AS (
            SELECT s.source, s.bad_field AS name, s.n, s.user_id, s.first_day, s.last_day, s.account_id, s.bad_value AS value,
                   CASE s.bad_field WHEN 'event' THEN
                       CASE WHEN s.source || '.known_at' = ANY (%16$L::pg_catalog.text[])
                            THEN 'an event without a name, or of which known_at fails, is left out'
                            ELSE 'an event without a name is left out: name it, or leave such rows out with a filter' END
                       WHEN 'occurred_at' THEN 'an infinite time is no day: the row is left out'
                       ELSE 'no amount that a ledger can keep (NaN, infinite, beyond 9.2e12): the row is left out; NULL is no amount'
                   END AS advice
            -- What an expression fails on stands for itself below.
            FROM seen AS s WHERE s.bad_field IS NOT NULL AND s.user_id IS NOT NULL
                AND NOT (s.source || '.' || s.bad_field = ANY (%16$L::pg_catalog.text[])
                         AND coalesce(s.bad_value, '') IN ('', 'NaN', 'infinity'))
                AND (s.account_id IS NOT NULL OR s.source = ANY (%11$L::pg_catalog.text[]))
            UNION ALL
            SELECT a.source, a.name, 1, NULL, NULL, NULL, a.account_id, a.value,
                   CASE a.source WHEN 'signals' THEN 'no value that the signal can use: it is unknown (bad_value); NULL stands for unknown'
                       ELSE 'no number of seats: they are unknown (bad_value); NULL stands for unlimited as well as unknown' END
            FROM (%12$s) AS a WHERE NOT (a.value = 'NaN' AND a.source || '.' || a.name = ANY (%16$L::pg_catalog.text[]))
            UNION ALL
            SELECT x.source, x.name, x.n, NULL, NULL, NULL, x.account_id, x.value,
                   CASE WHEN x.name IN ('id', 'filter') OR x.source ~ '^events' OR x.source = 'users' AND x.name = 'account'
                        THEN 'the expression fails on these rows, so that they are left out'
                        WHEN x.source ~ '^variants' THEN 'the condition fails on these rows: it is not true there'
                        ELSE 'the expression fails on these rows, so that the value is unknown' END
            FROM (%15$s) AS x
        ), other AS (
            SELECT 1 AS position, 'null key' AS finding, s.source, k.name, s.n, s.user_id, s.first_day, s.last_day,
                   'rows without this value are left out: mend the tracking, or filter them' AS advice
            FROM seen AS s, LATERAL (VALUES ('account', s.account_id IS NULL AND s.source <> ALL (%11$L::pg_catalog.text[])),
                ('user', s.user_id IS NULL), ('event', s.event_name IS NULL),
                                            ('occurred_at', s.lacks_day)) AS k (name, missing)
            WHERE k.missing
            UNION ALL
            SELECT 2, 'unknown account', s.source, s.account_id, s.n, s.user_id, s.first_day, s.last_day,
                   'no such account (or accounts.filter leaves it out): its events are not scored'
            FROM usable AS s WHERE NOT EXISTS (SELECT 1 FROM accounts AS a WHERE a.account_id = s.account_id)
            UNION ALL
            SELECT 3, 'unlisted event', s.source, s.event_name, s.n, s.user_id, s.first_day, s.last_day,
                   CASE WHEN health_internal.is_marker(s.event_name)
                        THEN 'names with a leading $ are reserved, never activity: "event": {"sql": "ltrim(event_name, ''$'')"} takes the '
                            'sign away'
                        ELSE 'not in the catalog: does not count' END
            FROM usable AS s
            -- With "unlisted_events": "count" they count, as they are meant to.
            WHERE health_internal.is_marker(s.event_name)
               OR NOT %6$L AND EXISTS (SELECT 1 FROM catalog AS c)
                  AND NOT EXISTS (SELECT 1 FROM catalog AS c WHERE c.name = s.event_name)
            UNION ALL
            SELECT 4, 'missing event', 'catalog', c.name, 0, NULL, NULL, NULL, 'never seen: is it tracked, and under this name?'
            FROM catalog AS c WHERE c.is_own AND NOT EXISTS (SELECT 1 FROM usable AS s WHERE s.event_name = c.name)
            UNION ALL
            SELECT 5, 'silent event', 'catalog', s.event_name, s.n, s.user_id, s.first_day, s.last_day,
                   'seen before, but not in the last %7$s days: did tracking break?'
            FROM usable AS s JOIN catalog AS c ON c.name = s.event_name AND c.is_own JOIN newest AS o ON o.event_name = s.event_name
            WHERE o.day < (SELECT t.as_of - %7$s FROM clock AS t)
            UNION ALL
            SELECT 6, 'future event', s.source, s.event_name, s.future, s.user_id, s.first_future_day, s.last_day,
                   'dated after today: counts only when that day comes'
            FROM usable AS s WHERE s.future > 0 AND NOT %8$L
            UNION ALL
            SELECT 7, 'unknown user', s.source, s.user_id, s.n, s.user_id, s.first_day, s.last_day, 'acts, but is not in the user source'
            FROM seen AS s WHERE s.user_id IS NOT NULL AND (s.account_id IS NOT NULL OR s.source = ANY (%11$L::pg_catalog.text[]))
                AND s.event_name IS NOT NULL AND NOT s.lacks_day AND s.bad_field IS NULL
                AND %9$L AND NOT EXISTS (SELECT 1 FROM known_users AS k WHERE k.user_id = s.user_id)
            UNION ALL
            SELECT 8, 'user without account', 'users', k.user_id, 0, k.user_id, NULL, NULL,
                   CASE WHEN k.account_id IS NULL THEN 'the user source gives no account' ELSE 'no such account: ' || k.account_id END
            FROM known_users AS k
            WHERE %10$L AND (k.account_id IS NULL OR NOT EXISTS (SELECT 1 FROM accounts AS a WHERE a.account_id = k.account_id))
            UNION ALL
            SELECT 9, 'repeated account', 'accounts', a.account_id, 0, NULL, NULL, NULL,
                   'the account source has it more than once: it is not scored'
            FROM accounts AS a WHERE a.repeated
            UNION ALL
            SELECT 10, 'event before start', s.source, s.account_id, s.early, s.user_id, s.first_day,
                   least(s.last_day, (SELECT a.account_start - 1 FROM accounts AS a WHERE a.account_id = s.account_id)),
                   'before the account was a customer: is accounts.start right, or was that a trial?'
            FROM usable AS s WHERE s.early > 0
            UNION ALL
            SELECT 11, 'event after end', s.source, s.account_id, s.late, s.user_id,
                   greatest(s.first_day, (SELECT a.account_end FROM accounts AS a WHERE a.account_id = s.account_id)), s.last_day,
                   'after the account was a customer: is accounts.end right?'
            FROM usable AS s WHERE s.late > 0
            UNION ALL
            SELECT 12, 'signal never seen', 'signals', g.signal ->> 'name', coalesce((SELECT pg_catalog.sum(u.n) FROM usable AS u
                       WHERE g.signal -> 'events' ? u.event_name), 0), NULL, NULL, NULL,
                   CASE WHEN EXISTS (SELECT FROM usable AS u WHERE g.signal -> 'events' ? u.event_name)
                        THEN 'its events have come since: refreeze_references(model) has it count'
                        ELSE 'nothing of what it is about was ever seen: it is unknown (not_applicable); are the names right?' END
            FROM (%17$s) AS g (signal)
            WHERE g.signal #>> '{frozen,seen}' = 'false'
               OR g.signal ? 'events' AND NOT EXISTS (SELECT FROM usable AS u WHERE g.signal -> 'events' ? u.event_name)
            UNION ALL
            SELECT 13, 'signal not fitted', 'signals', g.signal ->> 'name', 0, NULL, NULL, NULL,
                   'too little in the book to fit it to: it is unknown (no_data); refreeze_references(model) tries again'
            FROM (%17$s) AS g (signal)
            WHERE health_internal.is_fitted(g.signal) AND health_internal.frozen_parameters(g.signal) IS NULL
            UNION ALL
            SELECT 14, 'user without joining day', 'users', 'joined', 0, j.user_id, NULL, NULL,
                   CASE WHEN %18$L THEN 'no day of joining: not joined, since invitations are known'
                        ELSE 'no day of joining: taken as always there; with users.invited such users have not joined' END
            FROM (%19$s) AS j (user_id)
            UNION ALL
            SELECT 15, 'repeated event id', r.source, 'id', r.n, NULL, r.first_day, r.last_day,
                   'rows beyond the first of the same id: each counts; leave the copies out where the events are read'
            FROM (%20$s) AS r (source, n, first_day, last_day)
            UNION ALL
            SELECT 16, r.finding, r.source, 'known_at', r.n, NULL, r.first_day, r.last_day, r.advice FROM (%21$s) AS r
        ), bad_accounts AS (
            SELECT b.source, b.name, b.advice, b.account_id, pg_catalog.sum(b.n) AS n, pg_catalog.count(DISTINCT b.user_id) AS users,
                   pg_catalog.min(b.first_day) AS first_day, pg_catalog.max(b.last_day) AS last_day, pg_catalog.min(b.value) AS value,
                   pg_catalog.row_number() OVER (PARTITION BY b.source, b.name ORDER BY pg_catalog.sum(b.n) DESC, b.account_id) AS place
            FROM bad AS b GROUP BY 1, 2, 3, 4
        ), findings AS (
            SELECT 0 AS position, 'bad value' AS finding, b.source, b.name, b.n, b.users, b.first_day, b.last_day, b.advice,
                   b.account_id AS account, b.place,
                   CASE WHEN pg_catalog.length(b.value) > 60 THEN pg_catalog.left(b.value, 57) || '...' ELSE b.value END AS value
            FROM bad_accounts AS b WHERE b.place <= 20
            UNION ALL
            SELECT 0, 'bad value', b.source, b.name, pg_catalog.sum(b.n), NULL, pg_catalog.min(b.first_day), pg_catalog.max(b.last_day),
                   pg_catalog.format('%%s more accounts: %%s', pg_catalog.count(*), pg_catalog.min(b.advice)), NULL, 21, NULL
            FROM bad_accounts AS b WHERE b.place > 20 GROUP BY b.source, b.name
            UNION ALL
            SELECT f.position, f.finding, f.source, f.name, pg_catalog.sum(f.n), pg_catalog.count(DISTINCT f.user_id),
                   pg_catalog.min(f.first_day), pg_catalog.max(f.last_day), pg_catalog.min(f.advice),
                   CASE WHEN f.finding IN ('unknown account', 'repeated account', 'event before start', 'event after end') THEN f.name END,
                   0, NULL
            FROM other AS f GROUP BY f.position, f.finding, f.source, f.name
        )
        SELECT f.finding, f.source, f.name, f.n::pg_catalog.int8, f.users, f.first_day, f.last_day, f.advice, f.account, f.value
        FROM findings AS f
        ORDER BY f.position, CASE f.position WHEN 0 THEN f.source END, CASE f.position WHEN 0 THEN f.name END, f.place, f.n DESC,
                 f.source, f.name
        $query$,
        compiled.ledger, known_users, clock, coalesce(document -> 'catalog', '{}'),
        health_internal.compile_all_events(document, fields, $summary$
            SELECT e.source, e.account_id, e.user_id::pg_catalog.text AS user_id, e.event_name, e.day IS NULL AS lacks_day,
                   e.bad_field, CASE e.bad_field WHEN 'occurred_at' THEN e.day::pg_catalog.text
                                                 WHEN 'amount' THEN e.amount::pg_catalog.text END AS bad_value,
                   pg_catalog.count(*) AS n, pg_catalog.min(e.day) AS first_day, pg_catalog.max(e.day) AS last_day,
                   pg_catalog.max(e.day) FILTER (WHERE e.day <= t.as_of) AS last_known_day,
                   pg_catalog.count(*) FILTER (WHERE e.day > t.as_of) AS future,
                   pg_catalog.min(e.day) FILTER (WHERE e.day > t.as_of) AS first_future_day,
                   pg_catalog.count(*) FILTER (WHERE e.day < a.account_start) AS early,
                   pg_catalog.count(*) FILTER (WHERE e.day >= a.account_end) AS late
            FROM (%s) AS e CROSS JOIN clock AS t LEFT JOIN accounts AS a ON a.account_id = e.account_id GROUP BY 1, 2, 3, 4, 5, 6, 7
                $summary$), document ->> 'unlisted_events' IS NOT DISTINCT FROM 'count',
        coalesce(document ->> 'window_days', '28'), coalesce(document ->> 'as_of' <> 'tomorrow', false),
        (health_internal.field_of(fields, 'users', 'id')).expression IS NOT NULL,
            (health_internal.field_of(fields, 'users', 'account')).expression IS NOT NULL,
        -- Sources that get the account from the user source: without one there, the user is what is wrong.
        ARRAY(SELECT e.path FROM health_internal.event_sources(document) AS e WHERE NOT e.source ? 'account'),
        health_internal.compile_bad_accounts(document, fields),
        -- What a preset lists besides the user's own catalog are suggestions: events that he need not have.
        CASE WHEN version.definition ? 'preset' THEN version.definition -> 'catalog' END,
        health_internal.compile_account_key(fields, 'l.account_id'),

        health_internal.compile_failures(document, fields, as_written),
        ARRAY(SELECT f.source || '.' || f.name FROM health_internal.fallible_fields(document, as_written) AS f),
        coalesce((SELECT pg_catalog.string_agg(pg_catalog.format('SELECT %L::pg_catalog.jsonb', l.signal), ' UNION ALL ' ORDER BY l.number)
                  FROM health_internal.leaf_signals(document) AS l WHERE l.signal ? 'metric'), 'SELECT NULL::pg_catalog.jsonb WHERE false'),
        document #> '{users,invited}' IS NOT NULL,
        CASE WHEN document #> '{users,joined}' IS NULL THEN 'SELECT NULL::pg_catalog.text WHERE false'
             ELSE pg_catalog.format('SELECT (%s)::pg_catalog.text FROM %s WHERE (%s) IS NULL AND (%s) IS NOT NULL%s%s',
                 (health_internal.field_of(fields, 'users', 'id')).expression, (health_internal.field_of(fields, 'users',
                     'from')).from_item,
                 (health_internal.field_of(fields, 'users', 'joined')).expression,
                 (health_internal.field_of(fields, 'users', 'account')).expression,
                 coalesce(' AND ' || (health_internal.field_of(fields, 'users', 'filter')).expression, ''),
                 coalesce(' AND (' || (health_internal.field_of(fields, 'users', 'exclude')).expression || ') IS NOT TRUE', '')) END,
        health_internal.compile_repeated_events(document, fields), health_internal.compile_lateness(document, fields),
        CASE WHEN document -> 'accounts' ? 'merged_into' THEN 'CASE WHEN l."$into" IS NULL THEN l.account_end END'
             ELSE 'l.account_end' END);
    FOREACH links IN ARRAY ARRAY['parent', 'merged_into'] LOOP
        CONTINUE WHEN NOT document -> 'accounts' ? links;
        RETURN QUERY EXECUTE format('SELECT f.finding, ''accounts'', f.name, f.n, NULL::pg_catalog.int8, NULL::pg_catalog.date, '
            'NULL::pg_catalog.date, f.advice, f.account, NULL::pg_catalog.text FROM (%s) AS f ORDER BY f.finding, f.place',
            health_internal.compile_link_findings(fields, links));
    END LOOP;
    RETURN QUERY SELECT f.* FROM health_internal.fact_findings(document, fields,
        format('SELECT (%s)::pg_catalog.text AS account_id FROM (%s) AS l', health_internal.compile_account_key(fields, 'l.account_id'),
               compiled.ledger)) AS f;
    RETURN QUERY EXECUTE format('SELECT f.* FROM health_internal.volume_findings(%s, %s, %s, %L) AS f',
        health_internal.compile_volume_array(document, fields, clock, 182), clock, health_internal.compile_today(document),
        coalesce(health_internal.accepted_volume(document), '{}')
            + coalesce((SELECT t.accepted FROM health_internal.tracking AS t WHERE t.model = version.model), '{}'));
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version);
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health.tracking_plan(text) IS
    'Holds the sources of a model against it: values that cannot be, rows with NULL keys, events of unknown accounts, events that the '
    'catalog does not list, '
    'catalog events never seen or gone silent, users without an account, events outside of the time as a customer, signals about nothing '
    'that was ever seen or that could not be fitted, users without a joining day, ids of events that occur twice, accounts that are above '
    'themselves, events that became '
    'known late, days of the last 26 weeks on which a source or an event '
    'broke. No row: all is well';

-- What of the facts of a model does not fit it: for tracking_plan().

CREATE FUNCTION health_internal.compile_fact_rows(document jsonb, fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format($query$
        SELECT %L::pg_catalog.text AS source, x.account_id, x.at IS NULL AS lacks_day, x.day, x.currency, x.value IS NOT NULL AS has_value,
               CASE WHEN NOT pg_catalog.isfinite(x.day) THEN 'at'
                    WHEN x.off_scale OR x.value IS NOT NULL AND NOT health_internal.is_event(DATE '2000-01-01', 'x', x.value) THEN 'value'
                    WHEN x.last_day < x.day THEN 'until' END AS bad_field,
               x.at::pg_catalog.text AS at_text, x.until::pg_catalog.text AS until_text, x.value::pg_catalog.text AS value_text
        FROM (SELECT (%s)::pg_catalog.text AS account_id, %s AS at, %s AS day, %s AS until, %s AS last_day,
                     (%s)::pg_catalog.float8 AS value, %s AS off_scale, %s AS currency FROM %s%s) AS x $query$,
        s.path, (health_internal.field_of(fields, s.path, 'account')).expression, (f.at).expression, d.at_day,
        coalesce((f.until).expression, 'NULL::pg_catalog.date'),
        CASE WHEN (f.until).expression IS NULL THEN 'NULL::pg_catalog.date'
             ELSE format('CASE WHEN (%s) IS NOT NULL THEN %s END', (f.until).expression, d.until_day) END,
        coalesce((f.value).expression, 'NULL'),
        coalesce(health_internal.compile_scale_fault(s.source ->> 'scale', (f.value).expression), 'false'),
        coalesce(health_internal.compile_text_key(f.currency), 'NULL::pg_catalog.text'), (f.at).from_item,
        coalesce(' WHERE ' || (health_internal.field_of(fields, s.path, 'filter')).expression, '')), ' UNION ALL ')
    FROM health_internal.sources(document) AS s,
         LATERAL (SELECT health_internal.field_of(fields, s.path, 'at') AS at, health_internal.field_of(fields, s.path, 'until') AS until,
                         health_internal.field_of(fields, s.path, 'value') AS value,
                         health_internal.field_of(fields, s.path, 'currency') AS currency,
                         coalesce(document ->> 'time_zone', 'UTC') AS zone) AS f,
         LATERAL (SELECT health_internal.compile_plain_day((f.at).expression, (f.at).type, s.source ->> 'time_zone', f.zone) AS at_day,
                         health_internal.compile_plain_day((f.until).expression, (f.until).type, s.source ->> 'time_zone', f.zone)
                             AS until_day) AS d
    WHERE s.kind = 'facts' AND (f.at).expression IS NOT NULL;
$$;

COMMENT ON FUNCTION health_internal.compile_fact_rows(jsonb, health_internal.model_field[]) IS
    'SQL of the rows of all fact sources: what findings need to know of each; NULL for a document without facts';

-- Of the accounts with the most rows 20 are named, the others counted.
CREATE FUNCTION health_internal.fact_findings(document jsonb, fields health_internal.model_field[], accounts text)
    RETURNS SETOF health.tracking_finding
LANGUAGE plpgsql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    all_rows CONSTANT text := health_internal.compile_fact_rows(document, fields);
BEGIN
    IF all_rows IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($query$
        WITH rows AS MATERIALIZED (%1$s), accounts AS MATERIALIZED (%2$s), usable AS (
            SELECT r.* FROM rows AS r WHERE r.account_id IS NOT NULL AND NOT r.lacks_day AND r.bad_field IS NULL
        ), found AS (
            SELECT 1 AS position, 'bad value' AS finding, r.source, r.bad_field AS name, pg_catalog.count(*) AS n,
                   pg_catalog.min(r.day) FILTER (WHERE pg_catalog.isfinite(r.day)) AS first_day,
                   pg_catalog.max(r.day) FILTER (WHERE pg_catalog.isfinite(r.day)) AS last_day,
                   CASE r.bad_field WHEN 'at' THEN 'an infinite time is no day: the row is left out'
                       WHEN 'until' THEN 'it ends before it begins: the row is left out; NULL and infinity stand for no end'
                       ELSE 'no number that a ledger can keep, or no answer on the scale: the row is left out; NULL is no value' END
                       AS advice,
                   r.account_id AS account,
                   pg_catalog.min(CASE r.bad_field WHEN 'at' THEN r.at_text WHEN 'until' THEN r.until_text ELSE r.value_text END) AS value
            FROM rows AS r WHERE r.account_id IS NOT NULL AND NOT r.lacks_day AND r.bad_field IS NOT NULL GROUP BY 3, 4, 9
            UNION ALL
            SELECT 2, 'null key', r.source, k.name, pg_catalog.count(*), pg_catalog.min(r.day) FILTER (WHERE pg_catalog.isfinite(r.day)),
                   pg_catalog.max(r.day) FILTER (WHERE pg_catalog.isfinite(r.day)),
                   'rows without this value are left out: mend the source, or filter them', NULL, NULL
            FROM rows AS r, LATERAL (VALUES ('account', r.account_id IS NULL), ('at', r.lacks_day)) AS k (name, missing)
            WHERE k.missing GROUP BY 3, 4
            UNION ALL
            SELECT 3, 'unknown account', r.source, r.account_id, pg_catalog.count(*), pg_catalog.min(r.day), pg_catalog.max(r.day),
                   'no such account (or accounts.filter leaves it out): its rows are not scored', r.account_id, NULL
            FROM usable AS r WHERE NOT EXISTS (SELECT FROM accounts AS a WHERE a.account_id = r.account_id) GROUP BY 3, 4
            UNION ALL
            SELECT 4, 'several currencies', r.source, 'currency', pg_catalog.count(*), pg_catalog.min(r.day), pg_catalog.max(r.day),
                   'amounts in several currencies are never added: say which in "currency" of the signal, or convert them',
                   r.account_id, pg_catalog.string_agg(DISTINCT coalesce(nullif(r.currency, ''), '(none)'), ', ')
            FROM usable AS r WHERE r.has_value AND %3$L::jsonb ? r.source GROUP BY 3, 9
            HAVING pg_catalog.count(DISTINCT coalesce(r.currency, '')) > 1
            UNION ALL
            SELECT 5, 'signal never seen', 'signals', g.signal ->> 'name', pg_catalog.count(u.source), NULL, NULL,
                   CASE WHEN pg_catalog.count(u.source) > 0
                        THEN 'its rows have come since: refreeze_references(model) has it count'
                        ELSE 'there was never a row in its source: it is unknown (not_applicable); is it the right table?' END, NULL, NULL
            FROM pg_catalog.jsonb_array_elements(%4$L::jsonb) AS g (signal)
            LEFT JOIN usable AS u ON u.source = 'facts.' || (g.signal ->> 'fact') GROUP BY 4
        ), placed AS (
            SELECT f.*, CASE WHEN f.account IS NULL THEN 0
                             ELSE pg_catalog.row_number() OVER (PARTITION BY f.finding, f.source,
                                      CASE f.finding WHEN 'bad value' THEN f.name END ORDER BY f.n DESC, f.account) END AS place
            FROM found AS f
        )
        SELECT s.finding, s.source, s.name, s.n, s.users, s.first_day, s.last_day, s.advice, s.account, s.value
        FROM (SELECT p.position, p.place, p.finding, p.source, p.name, p.n, NULL::bigint AS users, p.first_day, p.last_day, p.advice,
                     p.account,
                     CASE WHEN pg_catalog.length(p.value) > 60 THEN pg_catalog.left(p.value, 57) || '...' ELSE p.value END AS value
              FROM placed AS p WHERE p.place <= 20
              UNION ALL
              SELECT p.position, 21, p.finding, p.source, CASE p.finding WHEN 'bad value' THEN p.name END, pg_catalog.sum(p.n)::bigint,
                     NULL, pg_catalog.min(p.first_day), pg_catalog.max(p.last_day),
                     pg_catalog.format('%%s more accounts: %%s', pg_catalog.count(*), pg_catalog.min(p.advice)), NULL, NULL
              FROM placed AS p WHERE p.place > 20 GROUP BY 1, 3, 4, 5) AS s
        ORDER BY s.position, s.source, s.name, s.place $query$,
        all_rows, accounts,
        (SELECT coalesce(jsonb_agg(s.path), '[]') FROM health_internal.sources(document) AS s
         WHERE s.kind = 'facts' AND s.source ? 'currency'),
        (SELECT coalesce(jsonb_agg(l.signal ORDER BY l.number), '[]') FROM health_internal.leaf_signals(document) AS l
         WHERE l.signal ? 'fact' AND l.signal #>> '{frozen,seen}' = 'false'));
END;
$$;

COMMENT ON FUNCTION health_internal.fact_findings(jsonb, health_internal.model_field[], text) IS
    'Findings about the facts of a document: values that cannot be, NULL keys, unknown accounts, several currencies, signals about sources '
    'that were empty; accounts is SQL of their ids';

-- verify: the ledger of a tracked model against its events, cell by cell. forget_user: what is left of a person.

CREATE OR REPLACE FUNCTION
    health_internal.verify_source(source health_internal.ledger_source, account text, ledger_start date,
    today date)
RETURNS TABLE (source_path text, account_id text, user_id text, day date, event text, events bigint, amount numeric)
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_day date := ledger_start;
    kind text := source.account_kind;
    one text := CASE WHEN account IS NULL THEN 'true' ELSE pg_catalog.format('x.account_id = %L::%s', account, kind) END;
    changes text := 'SELECT NULL::text AS account_id, NULL::health.usage AS usage WHERE false';
BEGIN
    PERFORM health_internal.look_names_up_in(source.search_path);
    IF source.window_days IS NULL THEN
        changes := pg_catalog.format($query$
            SELECT f.account_id, f.usage FROM health_internal.fold_changes(coalesce(ARRAY(
                SELECT p.changes FROM %1$s AS c, LATERAL (SELECT %2$s AS changes) AS p
                WHERE p.changes IS NOT NULL), '{}')) AS f WHERE f.account_id IS NOT NULL $query$,
            source.change_table::regclass, health_internal.compile_pending_changes('c', source.id));
    ELSIF pg_catalog.isfinite(first_day) THEN
        first_day := greatest(first_day, today - source.window_days);    -- as reread_window() has it; facts are verified whole
    END IF;
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH of_events AS (
            SELECT e.account_id, %1$s AS usage FROM (SELECT x.* FROM (%2$s) AS x WHERE x.account_id IS NOT NULL AND %3$s) AS e
            GROUP BY e.account_id
        ), of_ledger AS (
            SELECT x.account_id, health.rollup(x.usage) AS usage
            FROM (SELECT c.account_id, c.usage FROM %4$s AS c UNION ALL SELECT f.account_id::%5$s, f.usage FROM (%6$s) AS f) AS x WHERE %3$s
            GROUP BY x.account_id
        )
        SELECT %7$L::text, coalesce(e.account_id, l.account_id)::text, c.user_id, c.day, c.event, c.count, c.amount
        FROM of_events AS e FULL JOIN of_ledger AS l ON l.account_id = e.account_id,
            LATERAL health.cells(health.slice(coalesce(e.usage, '{}') OPERATOR(health.-) coalesce(l.usage, '{}'), $1, NULL)) AS c
        ORDER BY 2, 4, 3, 5 $query$,
        health_internal.compile_row_agg(source), source.event_rows, one, source.chunk_table::regclass, kind, changes, source.path)
    USING CASE WHEN pg_catalog.isfinite(first_day) THEN first_day END;
END;
$$;

CREATE OR REPLACE FUNCTION
    health_internal.verify_as_owner(model text, account text)
RETURNS TABLE (source text, account_id text, user_id text, day date, event text, events bigint, amount numeric)
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
    version health_internal.model_version;
    today date;
    key text;
BEGIN
    PERFORM health_internal.open_model(model);
    tracking := health_internal.find_ready_tracking(model);
    version := health_internal.find_version(model, tracking.model_version);
    today := health_internal.model_today(version.document);
    BEGIN
        EXECUTE format('SELECT (%s)::pg_catalog.text', health_internal.account_key(tracking, format('%L::%s', account,
            tracking.account_type))) INTO key;
    EXCEPTION WHEN data_exception THEN
        PERFORM health_internal.raise_unknown_account(model, version, account);
    END;
    RETURN QUERY SELECT v.* FROM health_internal.ledger_source AS s,
                     LATERAL health_internal.verify_source(s, key,
                         health_internal.ledger_start(version.document, today, s.path), today) AS v
                 WHERE s.model = verify_as_owner.model;
END;
$$;

-- forget_account: nothing is left of an account that is gone from the tables.

-- What an account source still has would come back with the next refresh.
CREATE FUNCTION health_internal.raise_remaining_account(model text, account text, place text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'model "%": account "%" still has rows in %', model, account, place
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Delete or anonymise the rows there first.';
END;
$$;

COMMENT ON FUNCTION health_internal.raise_remaining_account(text, text, text) IS
    'Raises the error for an account that is to be forgotten and is still in a table';

CREATE FUNCTION health_internal.forget_account_as_owner(model text, account text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    tracking health_internal.tracking;
    source record;
    fields health_internal.model_field[];
    id health_internal.model_field;
    key text;
    remaining boolean;
    removed bigint;
    pieces bigint := 0;
BEGIN
    IF account IS NULL THEN
        RAISE EXCEPTION 'model "%": the account to forget is NULL', model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the id of an account: forget_account(model, account).';
    END IF;
    IF health_internal.is_tracked(model) THEN
        PERFORM health_internal.lock_tracking(model, true);
        tracking := health_internal.find_ready_tracking(model);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(version.document) AS f);
    id := health_internal.field_of(fields, 'accounts', 'id');
    EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %s WHERE %s = $1)', id.from_item,
        health_internal.canonical_text(id.expression, id.type)) INTO remaining USING account;
    IF remaining THEN
        PERFORM health_internal.raise_remaining_account(model, account, coalesce(version.document #>> '{accounts,table}',
            'the query of accounts'));
    END IF;
    BEGIN
        EXECUTE pg_catalog.format('SELECT (%s)::pg_catalog.text', health_internal.compile_account_key(fields,
            pg_catalog.format('%L::%s', account, health_internal.type_name(id.type)))) INTO key;
    EXCEPTION WHEN data_exception THEN
        key := account;    -- what cannot be an id of that type is nobody's
    END;
    FOR source IN SELECT s.path, s.source, health_internal.field_of(fields, s.path, 'account') AS account
                  FROM health_internal.ledger_sources(version.document) AS s LOOP
        CONTINUE WHEN (source.account).expression IS NULL;    -- the user source says whose its rows are
        EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %s WHERE (%s)::pg_catalog.text = $1)', (source.account).from_item,
            (source.account).expression) INTO remaining USING key;
        IF remaining THEN
            PERFORM health_internal.raise_remaining_account(model, account, coalesce(source.source ->> 'table', source.path));
        END IF;
    END LOOP;
    source := NULL;
    IF (health_internal.field_of(fields, 'users', 'account')).expression IS NOT NULL THEN
        EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %s WHERE (%s)::pg_catalog.text = $1)',
            (health_internal.field_of(fields, 'users', 'from')).from_item,
            (health_internal.field_of(fields, 'users', 'account')).expression) INTO remaining USING key;
        IF remaining THEN
            PERFORM health_internal.raise_remaining_account(model, account, coalesce(version.document #>> '{users,table}',
                'the query of users'));
        END IF;
    END IF;
    IF tracking.id IS NOT NULL THEN
        PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
        PERFORM health_internal.refresh_tracked(model);
        FOR source IN SELECT s.chunk_table::regclass AS chunks FROM health_internal.ledger_source AS s
                      WHERE s.model = forget_account_as_owner.model ORDER BY s.id LOOP
            EXECUTE format('DELETE FROM %s AS c WHERE c.account_id::text = $1', source.chunks) USING key;
            GET DIAGNOSTICS removed = ROW_COUNT;
            pieces := pieces + removed;
        END LOOP;
        FOR source IN SELECT health_internal.data_table(k, tracking.id) AS kept FROM unnest('{history,score,book,stale}'::text[]) AS k LOOP
            EXECUTE format('DELETE FROM %s AS k WHERE %s = $1', source.kept, health_internal.account_text(tracking, 'k.account_id'))
                USING account;
            GET DIAGNOSTICS removed = ROW_COUNT;
            pieces := pieces + removed;
        END LOOP;
    END IF;
    PERFORM health_internal.delete_rows(model, 'account', account);
    PERFORM health_internal.renew_literals(model);
    RETURN pieces;
END;
$$;

COMMENT ON FUNCTION health_internal.forget_account_as_owner(text, text) IS 'forget_account() as the owner of the model';

CREATE FUNCTION health.forget_account(model text, account text) RETURNS bigint
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.pieces FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT health_internal.forget_account_as_owner($1, $2)', model, account) AS r (pieces bigint);
$$;

COMMENT ON FUNCTION health.forget_account(text, text) IS
    'Takes an account out of all that is kept of a model: ledgers, scores, recorded history, overrides and pulses, once its rows are gone '
    'from the tables of accounts, users, events and facts (error 55000 with the table that has some). Materialized score views of a model '
    'that is not tracked forget it when they are refreshed. Returns the number of rows that were kept of it';

-- Recurring revenue of the accounts of a model, from the fact that the model names as its revenue: known for any day, like usage.

CREATE FUNCTION health_internal.revenue_fact(version health_internal.model_version) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF version.document #>> '{revenue,fact}' IS NULL THEN
        RAISE EXCEPTION 'model "%" does not say what its revenue is', version.model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Name a fact with a value and an end: "facts": {"subscriptions": {"table": ..., "account": ..., "at": '
                         '"starts_on", "until": "ends_on", "value": "mrr"}}, "revenue": {"fact": "subscriptions"}.';
    END IF;
    RETURN version.document #>> '{revenue,fact}';
END;
$$;

COMMENT ON FUNCTION health_internal.revenue_fact(health_internal.model_version) IS
    'The fact that is the revenue of a model; an error when it names none';

-- Of a model about this fact alone nothing else is read.
CREATE FUNCTION health_internal.fact_document(document jsonb, fact text, signals jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('accounts', document -> 'accounts',
        'time_zone', document -> 'time_zone', 'as_of', document -> 'as_of',
        'facts', pg_catalog.jsonb_build_object(fact, document #> ARRAY['facts', fact]),
        'signals', (SELECT pg_catalog.jsonb_agg(s.signal || pg_catalog.jsonb_build_object('fact', fact,
                        'normalize', '{"kind": "linear", "worst": 0, "best": 1}'::pg_catalog.jsonb) ORDER BY s.n)
                    FROM pg_catalog.jsonb_array_elements(signals) WITH ORDINALITY AS s (signal, n))));
END;

COMMENT ON FUNCTION health_internal.fact_document(jsonb, text, jsonb) IS
    'A document that measures one fact of another document, over the same accounts';

CREATE FUNCTION health_internal.check_segment(version health_internal.model_version, segment text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF segment IS NOT NULL AND version.document #> ARRAY['accounts', 'columns', segment] IS NULL THEN
        RAISE EXCEPTION 'model "%" has no account column "%"', version.model, segment
            USING ERRCODE = 'undefined_column',
                  HINT = coalesce((SELECT 'Those of accounts.columns are: ' || string_agg(k, ', ' ORDER BY k) || '.'
                                   FROM jsonb_object_keys(version.document #> '{accounts,columns}') AS k),
                                  'Name one in accounts.columns of the model: "columns": {"plan": "plan"}.');
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.check_segment(health_internal.model_version, text) IS
    'Raises an error unless the segment is NULL or a column in accounts.columns of a model';

CREATE FUNCTION health_internal.fact_values_as_owner(model text, fact text, signals jsonb, dates date[], segment text,
    account text DEFAULT NULL, OUT account_id text, OUT name text, OUT segment_value text, OUT raw float8[])
RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    measured CONSTANT jsonb := health_internal.fact_document(version.document, fact, signals);
    store CONSTANT health_internal.store := health_internal.open_store(version);
    compiled health_internal.compiled_model;
BEGIN
    PERFORM health_internal.check_segment(version, segment);
    IF store.has_ledgers THEN
        PERFORM health_internal.check_data_tables(model);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(measured, version.version, account, model_name => model,
        usage_from => CASE WHEN store.has_ledgers THEN 'ledger' ELSE 'events' END);
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT %s, l.name, %s, health_internal.raw_values(%L::pg_catalog.jsonb, %s, $1) FROM (%s) AS l ORDER BY l.account_id',
        health_internal.canonical_text('l.account_id', compiled.account_type),
        CASE WHEN segment IS NULL THEN 'NULL::pg_catalog.text' ELSE pg_catalog.format('(l.%I)::pg_catalog.text', segment) END,
        health_internal.scoring_document(measured), health_internal.compile_state(with_past => false, with_overrides => false),
        compiled.ledger)
    USING dates;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version);
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health_internal.fact_values_as_owner(text, text, jsonb, date[], text, text) IS
    'Measures of a fact of every account of a model, or of one, as of some dates: row n of raw is of dates[n], its columns are the '
    'signals; with a column of the account, as the owner of the model';

CREATE FUNCTION health_internal.fact_currencies_as_owner(model text, fact text) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    fields health_internal.model_field[];
    currency health_internal.model_field;
    found_currencies text[];
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(version.document) AS f);
    currency := health_internal.field_of(fields, 'facts.' || fact, 'currency');
    IF currency.expression IS NULL THEN
        RETURN ARRAY[]::text[];
    END IF;
    EXECUTE pg_catalog.format('SELECT ARRAY(SELECT DISTINCT %s FROM %s WHERE %s AND (%1$s) IS NOT NULL ORDER BY 1)',
        health_internal.compile_text_key(currency), currency.from_item,
        coalesce('(' || (health_internal.field_of(fields, 'facts.' || fact, 'filter')).expression || ')', 'true')) INTO found_currencies;
    RETURN found_currencies;
END;
$$;

COMMENT ON FUNCTION health_internal.fact_currencies_as_owner(text, text) IS
    'The currencies of a fact source of a model, as the owner of the model; none without such a column';

CREATE FUNCTION health_internal.revenue_currencies(model text) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
BEGIN
    RETURN (SELECT c.known FROM health_internal.rows_as_owner(opened.owner, NULL,
        'SELECT health_internal.fact_currencies_as_owner($1, $2)', model,
        health_internal.revenue_fact(health_internal.find_version(model, opened.current_version))) AS c (known text[]));
END;
$$;

COMMENT ON FUNCTION health_internal.revenue_currencies(text) IS
    'The currencies that the revenue of a model is in; an error when it does not say what its revenue is';

-- Amounts of different currencies are never added: the one that they are in comes back.
CREATE FUNCTION health_internal.find_currency(model text, wanted text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known CONSTANT text[] := health_internal.revenue_currencies(model);
BEGIN
    IF wanted IS NULL AND cardinality(known) > 1 THEN
        RAISE EXCEPTION 'model "%": its revenue is in %', model, array_to_string(known[1:20], ', ')
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Amounts of different currencies are not added.',
                  HINT = format('Name one: currency => %L.', known[1]);
    ELSIF wanted IS NOT NULL AND wanted <> ALL (known) THEN
        RAISE EXCEPTION 'model "%": none of its revenue is in "%"', model, wanted
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = CASE WHEN cardinality(known) = 0 THEN 'No row of it names a currency: leave it out, or give the fact a "currency".'
                              ELSE 'It is in ' || array_to_string(known[1:20], ', ') || '.' END;
    END IF;
    RETURN coalesce(wanted, known[1]);
END;
$$;

COMMENT ON FUNCTION health_internal.find_currency(text, text) IS
    'The currency of the revenue of a model, NULL where it has none: the wanted one, else the only one; an error when there are others '
    'or it does not occur';

CREATE FUNCTION health_internal.mrr_at(model text, dates date[], segment text DEFAULT NULL, currency text DEFAULT NULL,
    with_ends boolean DEFAULT false, account text DEFAULT NULL,
    OUT account_id text, OUT name text, OUT segment_value text, OUT mrr float8[], OUT had_before boolean[], OUT days_left float8[])
RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
    fact CONSTANT text := health_internal.revenue_fact(health_internal.find_version(model, opened.current_version));
BEGIN
    RETURN QUERY
    SELECT v.account_id, v.name, v.segment_value, m.mrr, m.had_before, m.days_left
    FROM health_internal.rows_as_owner(opened.owner, NULL,
             'SELECT * FROM health_internal.fact_values_as_owner($1, $2, $3::jsonb, $4::date[], $5, $6)', model, fact,
             (SELECT jsonb_agg(m.signal || jsonb_strip_nulls(jsonb_build_object('currency', currency)) ORDER BY m.n)
              FROM jsonb_array_elements('[{"name": "mrr", "measure": "open_sum"}, '
                                        '{"name": "ever", "measure": "count", "window_days": 3660}, '
                                        '{"name": "left", "measure": "days_left"}]') WITH ORDINALITY AS m (signal, n)
              WHERE m.n < 3 OR with_ends)::text,
             health_internal.iso_text(dates), segment, account)
             AS v (account_id text, name text, segment_value text, raw float8[]),
         LATERAL (SELECT array_agg(CASE WHEN v.raw[n][1] >= 0 AND v.raw[n][1] < 9.2e12 THEN v.raw[n][1] END ORDER BY n)
                             AS mrr,
                         array_agg(v.raw[n][2] > 0 ORDER BY n) AS had_before,
                         array_agg(v.raw[n][3] ORDER BY n) AS days_left
                  FROM generate_subscripts(v.raw, 1) AS n) AS m;
END;
$$;

COMMENT ON FUNCTION health_internal.mrr_at(text, date[], text, text, boolean, text) IS
    'The recurring revenue of every account, or of one, as of some dates in a currency, NULL where it has none (unknown: below 0), '
    'whether there had been any subscription within ten years before, and, if asked, the days to the end of the present one';

CREATE FUNCTION health_internal.check_period(model text, from_date date, to_date date) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT (isfinite(from_date) AND isfinite(to_date) AND from_date < to_date) IS TRUE THEN
        RAISE EXCEPTION 'model "%": % to % is no period', model, coalesce(from_date::text, 'NULL'), coalesce(to_date::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give two calendar days, the earlier one first: of January that is 2025-01-01 and 2025-02-01.';
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.check_period(text, date, date) IS 'Raises an error unless the two days make a period';

CREATE FUNCTION health.revenue(model text, from_date date, to_date date, currency text DEFAULT NULL,
    OUT account_id text, OUT name text, OUT mrr_start float8, OUT new_mrr float8, OUT expansion float8, OUT contraction float8,
    OUT churn float8, OUT reactivation float8, OUT mrr_end float8, OUT movement text)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.check_period(model, from_date, to_date);
    RETURN QUERY
    SELECT r.account_id, r.name, r.mrr[1], b.new_mrr, b.expansion, b.contraction, b.churn, b.reactivation, r.mrr[2],
           CASE WHEN r.mrr[1] IS NOT NULL AND r.mrr[2] IS NOT NULL THEN health.mrr_movement(r.mrr[1], r.mrr[2], r.had_before[1]) END
    FROM health_internal.mrr_at(model, ARRAY[from_date, to_date], currency => health_internal.find_currency(model, revenue.currency)) AS r
    LEFT JOIN LATERAL (SELECT (health.mrr_bridge(o.mrr_start, o.mrr_end, o.had_before)).*
                       FROM (VALUES (r.mrr[1], r.mrr[2], r.had_before[1])) AS o (mrr_start, mrr_end, had_before)) AS b
        ON r.mrr[1] IS NOT NULL AND r.mrr[2] IS NOT NULL;
END;
$$;

COMMENT ON FUNCTION health.revenue(text, date, date, text) IS
    'Monthly recurring revenue of every account of a model, at the beginning of from_date and of to_date, and how it came from the one to '
    'the other: new, expansion, contraction, churn, reactivation (had a subscription within ten years before from_date). NULL where it '
    'comes to less than 0. Of a fact in several currencies one is to be named. By the fact that the model names as "revenue"';

CREATE FUNCTION health.mrr_movements(model text, from_date date, to_date date, step text DEFAULT 'month', segment text DEFAULT NULL,
    currency text DEFAULT NULL, OUT period_start date, OUT period_end date, OUT segment_value text, OUT mrr_start float8,
    OUT customers_start bigint,
    OUT new_mrr float8, OUT new_customers bigint, OUT expansion float8, OUT expanded_customers bigint, OUT contraction float8,
    OUT contracted_customers bigint, OUT churn float8, OUT lost_customers bigint, OUT reactivation float8,
    OUT reactivated_customers bigint, OUT mrr_end float8, OUT customers_end bigint, OUT nrr float8, OUT grr float8, OUT logo_churn float8,
    OUT arpa float8, OUT unknown_accounts bigint)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 36
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most CONSTANT integer := 1000;
    paid_in CONSTANT text := health_internal.find_currency(model, mrr_movements.currency);
    dates date[];
BEGIN
    PERFORM health_internal.check_period(model, from_date, to_date);
    IF step IS NULL OR step NOT IN ('week', 'month', 'quarter', 'year') THEN
        RAISE EXCEPTION 'model "%": there is no step "%"', model, step
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Steps are week, month, quarter and year.';
    END IF;
    -- Counted from the first: of 31 January a month on is the end of February, two are 31 March.
    dates := ARRAY(SELECT d.day FROM (SELECT (from_date + n * CASE step WHEN 'quarter' THEN interval '3 months'
                                                                        ELSE ('1 ' || step)::interval END)::date AS day
                                      FROM generate_series(0, most) AS n) AS d WHERE d.day < to_date ORDER BY d.day) || to_date;
    IF cardinality(dates) > most + 1 THEN
        RAISE EXCEPTION 'model "%": more than % periods', model, most
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Ask for fewer at a time, or take a longer step.';
    END IF;
    RETURN QUERY
    SELECT dates[b.n], dates[b.n + 1], b.segment_value, (b.bridge).*, b.unknown
    FROM (SELECT n, r.segment_value,
                 health.mrr_bridge(r.mrr[n], r.mrr[n + 1], r.had_before[n])
                     FILTER (WHERE r.mrr[n] IS NOT NULL AND r.mrr[n + 1] IS NOT NULL) AS bridge,
                 count(*) FILTER (WHERE r.mrr[n] IS NULL OR r.mrr[n + 1] IS NULL) AS unknown
          FROM health_internal.mrr_at(model, dates, segment, paid_in) AS r, generate_series(1, cardinality(dates) - 1) AS n
          GROUP BY n, r.segment_value) AS b
    ORDER BY b.n, b.segment_value;
END;
$$;

COMMENT ON FUNCTION health.mrr_movements(text, date, date, text, text, text) IS
    'How the monthly recurring revenue of a model moved, a row for each week, month, quarter or year from from_date to to_date (the last '
    'may be shorter), or for each and value of an account column: new, expansion, contraction, churn, reactivation with their customers, '
    'NRR, GRR, logo churn and ARPA of the period. Accounts whose revenue comes to less than 0 are counted as unknown and left '
    'out. Of a fact in several currencies one is to be named';

CREATE FUNCTION health.renewals(model text, as_of date DEFAULT NULL, currency text DEFAULT NULL,
    OUT account_id text, OUT name text, OUT renews_on date, OUT days_left integer, OUT renewal_window text, OUT mrr float8,
    OUT score float8, OUT band text, OUT state text, OUT at_risk boolean)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := (health_internal.find_version(model, (health_internal.open_model(model)).current_version)).document;
    today CONSTANT date := coalesce(renewals.as_of, health_internal.model_today(document));
    paid_in CONSTANT text := health_internal.find_currency(model, renewals.currency);
    risky CONSTANT text[] := health_internal.bands_at_risk(document);
BEGIN
    RETURN QUERY
    SELECT r.account_id, r.name, today + d.days, d.days,
           CASE WHEN d.days < 0 THEN 'past' WHEN d.days <= 30 THEN '0-30' WHEN d.days <= 60 THEN '31-60' WHEN d.days <= 90 THEN '61-90'
                WHEN d.days IS NOT NULL THEN 'beyond 90' ELSE 'none' END,
           r.mrr[1], s.score, s.band, s.state, health_internal.is_at_risk(s.band, s.state, risky)
    FROM health_internal.mrr_at(model, ARRAY[today], currency => paid_in, with_ends => true) AS r
    JOIN health.score_at(model, today) AS s ON s.account_id = r.account_id AND s.state NOT IN ('prospect', 'ended'),
         LATERAL (SELECT r.days_left[1]::integer) AS d (days)
    ORDER BY d.days NULLS LAST, r.mrr[1] DESC NULLS LAST, r.account_id;
END;
$$;

COMMENT ON FUNCTION health.renewals(text, date, text) IS
    'The renewal pipeline: when the subscription of each customer of a model ends (the fact that it names as "revenue"), its window (past, '
    '0-30, 31-60, 61-90, beyond 90 days, none), monthly recurring revenue, score, and whether that is at risk: in one of the two lowest '
    'bands, the best aside, or silent';

-- Dashboards: views over a score view for those who decide, by kind of reader. A column here is a row of dashboard_columns().

CREATE FUNCTION health_internal.dashboard_columns(OUT dashboard text, OUT "position" integer, OUT name text, OUT expression text,
    OUT described text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 80
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT d.dashboard, (row_number() OVER (PARTITION BY d.dashboard ORDER BY d.n))::integer, d.name, d.expression, d.described
    FROM (VALUES
        (1, 'executive', 'as_of', 'max(v.as_of)', 'The day of the figures'),
        (2, 'executive', 'customers', 'count(*)', 'Accounts in the book'),
        (3, 'executive', 'scored', 'count(v.score)', 'Those with a score'),
        (4, 'executive', 'mean_score', 'avg(v.score)', 'Mean score'),
        (5, 'executive', 'median_score', 'percentile_cont(0.5) WITHIN GROUP (ORDER BY v.score)', 'Median score'),
        (6, 'executive', 'best_band_share', 'avg((v.band = {best})::int) FILTER (WHERE v.band IS NOT NULL)',
         'Share of the best band among accounts with a band'),
        (7, 'executive', 'at_risk', 'count(*) FILTER (WHERE {at_risk})', 'Accounts at risk: in one of the two lowest bands, or silent'),
        (8, 'executive', 'at_risk_share', 'avg(({at_risk})::int)', 'Their share'),
        (9, 'executive', 'arr', 'sum({arr})', 'Annual recurring revenue of all accounts, by the account column'),
        (10, 'executive', 'mrr', 'sum({arr}) / 12', 'The same per month'),
        (11, 'executive', 'arr_at_risk', 'sum({arr}) FILTER (WHERE {at_risk})', 'Annual recurring revenue of accounts at risk'),
        (12, 'executive', 'arpa', 'avg({arr}) / 12', 'Monthly recurring revenue per account'),
        (13, 'executive', 'arpu', 'sum({arr}) / 12 / nullif(sum(v.active_users), 0)', 'Monthly recurring revenue per active user'),
        (14, 'executive', 'fell', 'count(*) FILTER (WHERE v.change_28d <= -10)', 'Accounts that fell by 10 points or more in 28 days'),
        (15, 'executive', 'rose', 'count(*) FILTER (WHERE v.change_28d >= 10)', 'Accounts that rose by as much'),
        (16, 'executive', 'silent', 'count(*) FILTER (WHERE v.state = ''silent'')', 'Accounts in which nobody is active'),
        (17, 'executive', 'onboarding', 'count(*) FILTER (WHERE v.state IN (''onboarding'', ''onboarding_stalled''))',
         'Accounts that are being set up'),
        (18, 'executive', 'users', 'sum(v.total_users)', 'Users entitled'),
        (19, 'executive', 'active_users', 'sum(v.active_users)', 'Users active in the window'),
        (20, 'executive', 'activation_rate', 'sum(v.active_users)::float8 / nullif(sum(v.total_users), 0)',
         'Active users / users, of the whole book'),
        (21, 'executive', 'data_coverage', 'avg(v.data_coverage)', 'Mean share of the weights whose signals are known'),

        (1, 'executive_bands', 'band', 'v.band', 'Band; NULL: none yet'),
        (2, 'executive_bands', 'customers', 'count(*)', 'Accounts in the band'),
        (3, 'executive_bands', 'share', 'count(*)::float8 / sum(count(*)) OVER ()', 'Their share'),
        (4, 'executive_bands', 'arr', 'sum({arr})', 'Their annual recurring revenue'),
        (5, 'executive_bands', 'mean_score', 'avg(v.score)', 'Their mean score'),
        (6, 'executive_bands', 'mean_change_28d', 'avg(v.change_28d)', 'Their mean change in 28 days'),
        (7, 'executive_bands', 'activation_rate', 'sum(v.active_users)::float8 / nullif(sum(v.total_users), 0)', 'Active users / users'),

        (1, 'executive_trend', 'as_of', 'h.as_of', 'Last day of the week'),
        (2, 'executive_trend', 'customers', 'count(*) FILTER (WHERE h.state NOT IN (''prospect'', ''ended''))', 'Accounts in the book'),
        (3, 'executive_trend', 'mean_score', 'avg(h.score)', 'Mean score'),
        (4, 'executive_trend', 'best_band_share', 'avg((h.band = {best})::int) FILTER (WHERE h.band IS NOT NULL)',
         'Share of the best band'),
        (5, 'executive_trend', 'at_risk', 'count(*) FILTER (WHERE health_internal.is_at_risk(h.band, h.state, {low}))', 'Accounts at risk'),
        (6, 'executive_trend', 'silent', 'count(*) FILTER (WHERE h.state = ''silent'')', 'Accounts in which nobody is active'),

        (1, 'customer_success', 'priority', 'rank() OVER (ORDER BY ({at_risk}) DESC, {arr} DESC NULLS LAST, v.score, v.account_id)',
         'Whom to call first: accounts at risk, the most revenue first, then the lowest score'),
        (2, 'customer_success', 'account_id', 'v.account_id', 'Account id'),
        (3, 'customer_success', 'name', 'v.name', 'Name of the account'),
        (4, 'customer_success', 'score', 'v.score', 'Score'),
        (5, 'customer_success', 'band', 'v.band', 'Band'),
        (6, 'customer_success', 'state', 'v.state', 'State beside the score'),
        (7, 'customer_success', 'at_risk', '({at_risk})', 'In one of the two lowest bands, or silent'),
        (8, 'customer_success', 'change_7d', 'v.change_7d', 'Change in 7 days'),
        (9, 'customer_success', 'change_28d', 'v.change_28d', 'Change in 28 days'),
        (10, 'customer_success', 'main_reason', 'v.main_reason', 'The one thing to know'),
        (11, 'customer_success', 'next_step', 'v.next_step', 'The one thing to do'),
        (12, 'customer_success', 'arr', '{arr}', 'Annual recurring revenue'),
        (13, 'customer_success', 'champion_risk', 'v.score - v.score_without_top_user',
         'Points that the score would lose without its top user'),
        (14, 'customer_success', 'top_user', 'v.top_user', 'Id of the top user'),
        (15, 'customer_success', 'total_users', 'v.total_users', 'Users'),
        (16, 'customer_success', 'active_users', 'v.active_users', 'Users active in the window'),
        (17, 'customer_success', 'activation_rate', 'v.activation_rate', 'Active users / users'),
        (18, 'customer_success', 'dormant_users', 'v.dormant_users', 'Users without an event in the window'),
        (19, 'customer_success', 'recency_days', 'v.recency_days', 'Days since the last event'),
        (20, 'customer_success', 'trend_4w', 'v.trend_4w', 'Events of 4 weeks against the 4 before'),
        (21, 'customer_success', 'baseline', 'v.baseline', 'The last 4 weeks against the account''s own half year'),
        (22, 'customer_success', 'data_coverage', 'v.data_coverage', 'Share of the weights whose signals are known'),

        (1, 'product', 'account_id', 'v.account_id', 'Account id'),
        (2, 'product', 'name', 'v.name', 'Name of the account'),
        (3, 'product', 'breadth', 'v.breadth', 'Features used / features entitled'),
        (4, 'product', 'depth', 'v.depth', 'Value points per active user'),
        (5, 'product', 'active_users', 'v.active_users', 'Users active in the window'),
        (6, 'product', 'creators', 'v.creators', 'Users who create'),
        (7, 'product', 'spread', 'v.spread', 'Creators / active users'),
        (8, 'product', 'stickiness', 'v.stickiness', 'Mean daily active users / active users'),
        (9, 'product', 'sessions_per_user_week', 'v.sessions_per_user_week', 'Sessions per active user and week'),
        (10, 'product', 'interaction', 'v.interaction', 'Interactions per active user and week'),
        (11, 'product', 'onboarding_activation', 'v.onboarding_activation', 'New users who got going'),
        (12, 'product', 'time_to_value', 'v.time_to_value', 'Days from the start to the first activation event'),
        (13, 'product', 'growth', 'v.growth', 'New users who also engage / users'),
        (14, 'product', 'trend_4w', 'v.trend_4w', 'Events of 4 weeks against the 4 before'),
        (15, 'product', 'weekly', 'v.weekly', 'Events of the last 12 weeks, the oldest first'),

        (1, 'sales', 'account_id', 'v.account_id', 'Account id'),
        (2, 'sales', 'name', 'v.name', 'Name of the account'),
        (3, 'sales', 'opportunity', '{flags}',
         'Why there may be more to sell: the flags of expansion that are up, in words; NULL: none, or the model has no flags'),
        (4, 'sales', 'renewal_at_risk', '({at_risk})', 'In one of the two lowest bands, or silent: renewal comes before expansion'),
        (5, 'sales', 'score', 'v.score', 'Score'),
        (6, 'sales', 'band', 'v.band', 'Band'),
        (7, 'sales', 'change_28d', 'v.change_28d', 'Change in 28 days'),
        (8, 'sales', 'arr', '{arr}', 'Annual recurring revenue'),
        (9, 'sales', 'seats_used', 'v.adoption_rate', 'Active entitled users / seats'),
        (10, 'sales', 'activation_rate', 'v.activation_rate', 'Active users / users'),
        (11, 'sales', 'growth', 'v.growth', 'New users who also engage / users'),
        (12, 'sales', 'trend_4w', 'v.trend_4w', 'Events of 4 weeks against the 4 before'),
        (13, 'sales', 'effective_users', 'v.effective_users', 'People who carry the account: 1 / HHI'),
        (14, 'sales', 'main_reason', 'v.main_reason', 'The one thing to know')
    ) AS d (n, dashboard, name, expression, described);
$$;

COMMENT ON FUNCTION health_internal.dashboard_columns() IS
    'The columns of all dashboards: expression over a score view v or its history h, with blanks for bands and revenue, and what it says';

-- Blanks are filled in the expressions above alone, once: names and bands of a model may look like blanks.
CREATE FUNCTION health_internal.compile_dashboard(dashboard text, score_view text, history_view text, flags_view text, document jsonb,
    arr text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT concat('SELECT ',
        (SELECT string_agg(concat(health_internal.fill_template(
                    replace(c.expression, '{at_risk}', 'health_internal.is_at_risk(v.band, v.state, {low})'), b.blanks),
                    ' AS ', quote_ident(c.name)), ', ' ORDER BY c."position")
         FROM health_internal.dashboard_columns() AS c WHERE c.dashboard = compile_dashboard.dashboard),
        CASE WHEN dashboard IN ('customer_success', 'product', 'sales') THEN
            (SELECT string_agg(format(', v.%1$I AS %1$I', k), '' ORDER BY k)
             FROM jsonb_object_keys(document #> '{accounts,columns}') AS k
             WHERE NOT EXISTS (SELECT FROM health_internal.dashboard_columns() AS c
                               WHERE c.dashboard = compile_dashboard.dashboard AND c.name = k)) END,
        ' FROM ',
        CASE dashboard
            WHEN 'executive_trend' THEN concat(history_view, ' AS h WHERE ((SELECT max(v.as_of) FROM ', score_view, ' AS v) - h.as_of) '
                '% 7 = 0 GROUP BY h.as_of')
            ELSE concat(score_view, ' AS v WHERE v.in_book', CASE dashboard WHEN 'executive_bands' THEN ' GROUP BY v.band' END) END)
    FROM (SELECT jsonb_build_object(
              'best', quote_literal((SELECT m.name FROM health_internal.model_bands(document) AS m WHERE m."position" = 1)),
              'low', format('%L::text[]', health_internal.bands_at_risk(document)),
              'flags', CASE WHEN document ? 'flags' THEN format('(SELECT string_agg(f.sentence, ''; '' ORDER BY f.flag) FROM %s AS f '
                  'WHERE f.account_id = v.account_id AND f.kind = ''expansion'')', flags_view) ELSE 'NULL::text' END,
              'arr', CASE WHEN arr IS NULL THEN 'NULL::float8' ELSE concat('v.', quote_ident(arr), '::float8') END) AS blanks) AS b;
$$;

COMMENT ON FUNCTION health_internal.compile_dashboard(text, text, text, text, jsonb, text) IS
    'SQL of a dashboard over a score view, its history and its flags; arr is the account column with the annual recurring revenue, or NULL';

CREATE FUNCTION health_internal.comment_on_dashboard(relation text, dashboard text, document jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    item record;
BEGIN
    FOR item IN SELECT a.attname AS name, coalesce(c.described, health_internal.describe_score_column('', a.attname, document)) AS words
                FROM pg_attribute AS a
                LEFT JOIN health_internal.dashboard_columns() AS c ON c.dashboard = comment_on_dashboard.dashboard AND c.name = a.attname
                WHERE a.attrelid = relation::regclass AND a.attnum > 0 LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', relation, item.name, item.words);
    END LOOP;
END;
$$;

COMMENT ON FUNCTION health_internal.comment_on_dashboard(text, text, jsonb) IS 'Comments on the columns of a dashboard';

CREATE FUNCTION health.create_dashboards(model text, schema text, revenue text DEFAULT 'arr', OUT dashboard text, OUT described text)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 6
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := (health_internal.find_version(model, (health_internal.open_model(model)).current_version)).document;
    present health_internal.score_view;
    paid CONSTANT text := CASE WHEN document #> '{accounts,columns}' ? revenue THEN revenue END;
    part record;
    found_there regclass;
    query text;
BEGIN
    SELECT s.* INTO present FROM health_internal.score_view AS s WHERE s.model = create_dashboards.model
    ORDER BY s.schema_name, s.view_name LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'model "%" has no score view', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Dashboards stand on one: SELECT health.create_score_view(%L, %L);', model, model);
    ELSIF to_regnamespace(quote_ident(schema)) IS NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', schema
            USING ERRCODE = 'invalid_schema_name', HINT = format('CREATE SCHEMA %I; first.', schema);
    ELSIF paid IS NULL AND revenue <> 'arr' THEN
        RAISE EXCEPTION 'model "%" has no account column "%"', model, revenue
            USING ERRCODE = 'undefined_column', HINT = 'Name one in accounts.columns of the model: "columns": {"arr": "arr"}.';
    END IF;
    FOR part IN SELECT d.name, d.words FROM (VALUES
            (1, 'executive', 'how the whole book does, one row'), (2, 'executive_bands', 'the book by bands'),
            (3, 'executive_trend', 'the book week by week'), (4, 'customer_success', 'whom to call, and why: one row per account'),
            (5, 'product', 'how each account uses the product'), (6, 'sales', 'renewals at risk and room to grow, one row per account'))
            AS d (n, name, words) ORDER BY d.n LOOP
        found_there := to_regclass(format('%I.%I', schema, part.name));
        IF found_there IS NOT NULL
           AND NOT starts_with(coalesce(obj_description(found_there, 'pg_class'), ''), format('Dashboard of model "%s": ', model)) THEN
            RAISE EXCEPTION 'relation "%.%" is there already, and is no dashboard of model "%"', schema, part.name, model
                USING ERRCODE = 'duplicate_table', HINT = 'Choose another schema for the dashboards.';
        END IF;
        query := health_internal.compile_dashboard(part.name, format('%I.%I', present.schema_name, present.view_name),
            format('%I.%I', present.schema_name, present.view_name || '_history'),
            format('%I.%I', present.schema_name, present.view_name || '_flags'), document, paid);
        BEGIN    -- with the grants that it has
            EXECUTE concat(format('CREATE OR REPLACE VIEW %I.%I WITH (security_barrier) AS ', schema, part.name), query);
        EXCEPTION WHEN invalid_table_definition THEN    -- other columns
            EXECUTE format('DROP VIEW %I.%I', schema, part.name);
            EXECUTE concat(format('CREATE VIEW %I.%I WITH (security_barrier) AS ', schema, part.name), query);
        END;
        EXECUTE format('COMMENT ON VIEW %I.%I IS %L', schema, part.name, format('Dashboard of model "%s": %s.', model, part.words));
        PERFORM health_internal.comment_on_dashboard(format('%I.%I', schema, part.name), part.name, document);
        dashboard := format('%I.%I', schema, part.name);
        described := part.words;
        RETURN NEXT;
    END LOOP;
END;
$$;

COMMENT ON FUNCTION health.create_dashboards(text, text, text) IS
    'Makes the views executive, executive_bands, executive_trend, customer_success, product and sales in a schema, over the first score '
    'view of a model, with a comment on each column; they belong to the caller, who grants SELECT on them. revenue is the account column '
    'with the annual recurring revenue; without it these figures are NULL. Dashboards that are '
    'there are made again; any other relation of such a name is an error';

-- Which features of the product the accounts of a model use, and which of them come before an upgrade.

CREATE FUNCTION health_internal.features(model jsonb) RETURNS text[]
    AS 'MODULE_PATHNAME', 'health_features'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100;

COMMENT ON FUNCTION health_internal.features(jsonb) IS
    'The features that a model entitles its accounts to, else those of its catalog, in the order in which they are counted';

CREATE FUNCTION health_internal.feature_usage(model jsonb, account health.account_state,
    OUT feature text, OUT known boolean, OUT events bigint, OUT users bigint, OUT points float8, OUT first_day date)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_feature_usage'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000 ROWS 10;

COMMENT ON FUNCTION health_internal.feature_usage(jsonb, health.account_state) IS
    'What an account did with each feature in the window of the model, and the day of its first use; without rows where it is not in the '
    'book, not known where the ledger lacks days of the window or the account source has the account twice';

CREATE FUNCTION health_internal.feature_days(model jsonb, account health.account_state, dates date[], weights bigint[], days integer)
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'health_feature_days'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000;

COMMENT ON FUNCTION health_internal.feature_days(jsonb, health.account_state, date[], bigint[], integer) IS
    'Of dates in ascending order, each with its weight: on how many the account was in the book, on how many more that is so but its usage '
    'is not known, and then for each feature on how many of the first it had been used in so many days before';

-- Nothing else is read: neither facts nor what only scores need.
CREATE FUNCTION health_internal.usage_document(document jsonb, signals jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.jsonb_object_agg(d.key, d.value) || pg_catalog.jsonb_build_object('signals',
        (SELECT pg_catalog.jsonb_agg(s.signal || '{"normalize": {"kind": "linear", "worst": 0, "best": 1}}'::pg_catalog.jsonb
                                     ORDER BY s.n)
         FROM pg_catalog.jsonb_array_elements(signals) WITH ORDINALITY AS s (signal, n)))
    FROM pg_catalog.jsonb_each(document) AS d
    WHERE d.key IN ('accounts', 'users', 'events', 'catalog', 'unlisted_events', 'features', 'window_days', 'daily_cap', 'time_zone',
                    'as_of', 'actor', 'inactive_after_days', 'volume');
END;

COMMENT ON FUNCTION health_internal.usage_document(jsonb, jsonb) IS 'A document that measures usage of the accounts of another document';

CREATE FUNCTION health_internal.feature_document(version health_internal.model_version) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    measured CONSTANT jsonb := health_internal.usage_document(version.document, '[{"name": "events", "metric": "events"}]');
BEGIN
    IF health_internal.features(health_internal.scoring_document(measured)) = '{}' THEN
        RAISE EXCEPTION 'model "%" knows no features', version.model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Say in the catalog which feature an event shows: "catalog": {"report_made": {"feature": "reports"}}.';
    ELSIF NOT EXISTS (SELECT FROM health_internal.event_sources(version.document)) THEN
        RAISE EXCEPTION 'model "%" reads no events', version.model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Say where they are: "events": {"table": ..., "account": ..., "user": ..., "occurred_at": ..., "event": ...}.';
    END IF;
    RETURN measured;
END;
$$;

COMMENT ON FUNCTION health_internal.feature_document(health_internal.model_version) IS
    'The document by which features of a version of a model are measured; an error when it has none';

CREATE FUNCTION health_internal.compile_part(version health_internal.model_version, document jsonb, as_of date, past_days integer DEFAULT 0)
RETURNS health_internal.compiled_model
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    store CONSTANT health_internal.store := health_internal.open_store(version);
BEGIN
    IF NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": % is no day', version.model, as_of
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day.';
    END IF;
    IF store.has_ledgers THEN
        PERFORM health_internal.check_data_tables(version.model);
    END IF;
    RETURN health_internal.compile_model(document, version.version, as_of => compile_part.as_of, past_days => past_days,
        model_name => version.model, usage_from => CASE WHEN store.has_ledgers THEN 'ledger' ELSE 'events' END);
END;
$$;

COMMENT ON FUNCTION health_internal.compile_part(health_internal.model_version, jsonb, date, integer) IS
    'SQL of the accounts of a model as of a day, by a document that has a part of its sources';

CREATE FUNCTION health_internal.compile_segment(segment text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN segment IS NULL THEN 'NULL::pg_catalog.text' ELSE pg_catalog.format('(l.%I)::pg_catalog.text', segment) END;
END;

COMMENT ON FUNCTION health_internal.compile_segment(text) IS 'SQL of an account column of a ledger row l as text; NULL without one';

CREATE FUNCTION health_internal.feature_adoption_as_owner(model text, segment text, as_of date,
    OUT segment_value text, OUT feature text, OUT accounts bigint, OUT used bigint, OUT users bigint, OUT events bigint, OUT points float8,
    OUT new_accounts bigint, OUT unknown_accounts bigint)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    measured CONSTANT jsonb := health_internal.feature_document(version);
    compiled health_internal.compiled_model;
BEGIN
    PERFORM health_internal.check_segment(version, segment);
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_part(version, measured,
        coalesce(feature_adoption_as_owner.as_of, health_internal.model_today(version.document)));
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT u.segment_value, n.feature, coalesce(u.accounts, 0), coalesce(u.used, 0), coalesce(u.users, 0), coalesce(u.events, 0), '
        'coalesce(u.points, 0), coalesce(u.new_accounts, 0), coalesce(u.unknown_accounts, 0) '
        'FROM pg_catalog.unnest($1) AS n (feature) LEFT JOIN ('
        'SELECT %s AS segment_value, f.feature, pg_catalog.count(*) FILTER (WHERE f.known) AS accounts, '
        'pg_catalog.count(*) FILTER (WHERE f.known AND f.events > 0) AS used, '
        'pg_catalog.sum(f.users) FILTER (WHERE f.known)::pg_catalog.int8 AS users, '
        'pg_catalog.sum(f.events) FILTER (WHERE f.known)::pg_catalog.int8 AS events, '
        'pg_catalog.sum(f.points::pg_catalog.numeric) FILTER (WHERE f.known)::pg_catalog.float8 AS points, '
        'pg_catalog.count(*) FILTER (WHERE f.known AND f.first_day >= l.as_of - 28) AS new_accounts, '
        'pg_catalog.count(*) FILTER (WHERE NOT f.known) AS unknown_accounts '
        'FROM (%s) AS l, LATERAL health_internal.feature_usage(%L::pg_catalog.jsonb, %s) AS f GROUP BY 1, 2) AS u USING (feature)',
        health_internal.compile_segment(segment), compiled.ledger, health_internal.scoring_document(measured),
        health_internal.compile_state(with_past => false, with_overrides => false))
    USING health_internal.features(health_internal.scoring_document(measured));
END;
$$;

COMMENT ON FUNCTION health_internal.feature_adoption_as_owner(text, text, date) IS 'feature_adoption() as the owner of the model';

CREATE FUNCTION health.feature_adoption(model text, segment text DEFAULT NULL, as_of date DEFAULT NULL,
    OUT segment_value text, OUT feature text, OUT accounts bigint, OUT used bigint, OUT adoption float8, OUT low float8, OUT high float8,
    OUT users bigint, OUT events bigint, OUT points float8, OUT new_accounts bigint, OUT unknown_accounts bigint)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT f.segment_value, f.feature, f.accounts, f.used, r.rate, r.low, r.high, f.users, f.events, f.points, f.new_accounts,
           f.unknown_accounts
    FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
             'SELECT * FROM health_internal.feature_adoption_as_owner($1, $2, $3::date)', model, segment, health_internal.iso_text(as_of))
             AS f (segment_value text, feature text, accounts bigint, used bigint, users bigint, events bigint, points float8,
                   new_accounts bigint, unknown_accounts bigint),
         LATERAL health_internal.rate_interval(f.used, f.accounts) AS r
    ORDER BY f.segment_value, r.rate, f.feature;
END;
$$;

COMMENT ON FUNCTION health.feature_adoption(text, text, date) IS
    'The features of a model ("features", else those of the catalog), least used first, for each value of an account column or for all: '
    'accounts in the book, which are entitled to it; those that used it in the window of the model, their share with its 95 % interval '
    '(Wilson); users, events and value points (without the daily cap) of the window; accounts that used it for the first time in the last '
    '28 days, as far back as the ledger goes; and accounts of which the window is not known, which are in none of these. NULL: today';

CREATE FUNCTION health_internal.features_before_as_owner(model text, days integer, as_of date, accounts text[], dates date[],
    OUT feature text, OUT outcomes bigint, OUT accounts_with bigint, OUT used_with bigint, OUT others bigint, OUT accounts_without bigint,
    OUT used_without bigint, OUT unknown bigint)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    measured CONSTANT jsonb := health_internal.feature_document(version);
    past_days CONSTANT integer := CASE WHEN health_internal.has_dated_filter(measured)
        THEN as_of - (SELECT pg_catalog.min(d.day) FROM pg_catalog.unnest(dates) AS d (day)) END;
    names CONSTANT text[] := health_internal.features(health_internal.scoring_document(measured));
    compiled health_internal.compiled_model;
    key text;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_part(version, measured, features_before_as_owner.as_of, coalesce(past_days, 0));
    key := health_internal.canonical_text('l.account_id', compiled.account_type);
    -- Outcomes of accounts that are not there are not what others are held against.
    EXECUTE pg_catalog.format(
        'SELECT pg_catalog.array_agg(o.account_id), pg_catalog.array_agg(o.day) FROM (SELECT DISTINCT o.account_id, o.day '
        'FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS o (account_id, day) JOIN (%s) AS l ON %s = o.account_id '
        'WHERE (l.account_start IS NULL OR l.account_start <= o.day) AND (l.account_end IS NULL OR l.account_end > o.day)) AS o',
        (health_internal.compile_model(measured, version.version, as_of => features_before_as_owner.as_of, usage_from => 'nothing',
             model_name => model, past_days => coalesce(past_days, 0))).ledger, key)
    INTO accounts, dates USING accounts, dates;
    RETURN QUERY EXECUTE pg_catalog.format(
        'WITH had AS MATERIALIZED (SELECT o.account_id, pg_catalog.array_agg(o.day ORDER BY o.day) AS dates, '
        'pg_catalog.array_agg(1::pg_catalog.int8) AS weights '
        'FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS o (account_id, day) GROUP BY 1), '
        'every AS MATERIALIZED (SELECT coalesce(pg_catalog.array_agg(o.day ORDER BY o.day), ''{}'') AS dates, '
        'coalesce(pg_catalog.array_agg(o.n ORDER BY o.day), ''{}'') AS weights '
        'FROM (SELECT o.day, pg_catalog.count(*) AS n FROM pg_catalog.unnest($2) AS o (day) GROUP BY 1) AS o), '
        'counted AS MATERIALIZED (SELECT h.account_id IS NOT NULL AS had, '
        'health_internal.feature_days(%L::pg_catalog.jsonb, %s, coalesce(h.dates, e.dates), coalesce(h.weights, e.weights), $3) AS n '
        'FROM (%s) AS l LEFT JOIN had AS h ON h.account_id = %s CROSS JOIN every AS e) '
        'SELECT f.name, coalesce(pg_catalog.sum(c.n[1]) FILTER (WHERE c.had), 0)::pg_catalog.int8, '
        'pg_catalog.count(*) FILTER (WHERE c.had AND c.n[1] > 0), '
        'coalesce(pg_catalog.sum(c.n[2 + f.place]) FILTER (WHERE c.had), 0)::pg_catalog.int8, '
        'coalesce(pg_catalog.sum(c.n[1]) FILTER (WHERE NOT c.had), 0)::pg_catalog.int8, '
        'pg_catalog.count(*) FILTER (WHERE NOT c.had AND c.n[1] > 0), '
        'coalesce(pg_catalog.sum(c.n[2 + f.place]) FILTER (WHERE NOT c.had), 0)::pg_catalog.int8, '
        'coalesce(pg_catalog.sum(c.n[2]) FILTER (WHERE c.had), 0)::pg_catalog.int8 '
        'FROM pg_catalog.unnest($4) WITH ORDINALITY AS f (name, place) LEFT JOIN counted AS c ON true GROUP BY f.name, f.place',
        health_internal.scoring_document(measured),
        health_internal.compile_state(with_past => past_days IS NOT NULL, with_overrides => false), compiled.ledger, key)
    USING accounts, dates, days, names;
END;
$$;

COMMENT ON FUNCTION health_internal.features_before_as_owner(text, integer, date, text[], date[]) IS
    'features_before() as the owner of the model, with the outcomes that were found: numbers of accounts and dates';

CREATE FUNCTION health_internal.expansions(model text, from_date date, to_date date, OUT accounts text[], OUT days date[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    months CONSTANT date[] := ARRAY(SELECT (from_date + pg_catalog.make_interval(months => n))::date
                                    FROM generate_series(0, 1200) AS n
                                    WHERE from_date + pg_catalog.make_interval(months => n) <= to_date ORDER BY 1);
BEGIN
    SELECT coalesce(array_agg(r.account_id), '{}'), coalesce(array_agg(months[n]), '{}') INTO accounts, days
    FROM health_internal.mrr_at(model, months, currency => health_internal.find_currency(model, NULL)) AS r,
         generate_series(1, cardinality(months) - 1) AS n
    WHERE health.mrr_movement(r.mrr[n], r.mrr[n + 1], r.had_before[n]) = 'expansion';
END;
$$;

COMMENT ON FUNCTION health_internal.expansions(text, date, date) IS
    'The months of a span, by their first day, in which accounts of a model came to pay more than before, by its revenue';

CREATE FUNCTION health_internal.find_features_before(model text, outcome text, days integer, from_date date, to_date date, visible text,
    OUT feature text, OUT outcomes bigint, OUT accounts_with bigint, OUT share_before float8, OUT accounts_without bigint,
    OUT share_otherwise float8, OUT ratio float8, OUT low float8, OUT high float8, OUT note text, OUT unknown_outcomes bigint)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
    today CONSTANT date := health_internal.model_today((health_internal.find_version(model, opened.current_version)).document);
    last_day CONSTANT date := coalesce(to_date, CASE WHEN outcome IS NULL THEN date_trunc('month', today)::date ELSE today END);
    first_day CONSTANT date := coalesce(from_date, (last_day - interval '1 year')::date);
    found_accounts text[];
    found_days date[];
BEGIN
    IF days IS NULL OR days NOT BETWEEN 1 AND 3660 THEN
        RAISE EXCEPTION 'model "%": features are looked for in 1 to 3660 days before, not %', model, coalesce(days::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM health_internal.check_period(model, first_day, last_day);
    IF outcome IS NULL THEN
        SELECT e.accounts, e.days INTO found_accounts, found_days FROM health_internal.expansions(model, first_day, last_day) AS e;
    ELSE
        SELECT coalesce(array_agg(o.account_id), '{}'), coalesce(array_agg(o.day), '{}') INTO found_accounts, found_days
        FROM health_internal.read_outcomes(outcome, visible) AS q,
             LATERAL ROWS FROM (unnest(q.accounts), unnest(q.days)) AS o (account_id, day)
        WHERE o.day >= first_day AND o.day < last_day;
    END IF;
    RETURN QUERY
    SELECT f.feature, f.outcomes, f.accounts_with, s.before, f.accounts_without, s.otherwise,
           CASE WHEN t.few THEN NULL ELSE s.before / nullif(s.otherwise, 0) END, c.ratio_low, c.ratio_high,
           CASE WHEN t.few THEN 'too few to say' WHEN c.ratio_low > 1 THEN 'more often before it'
                WHEN c.ratio_high < 1 THEN 'less often before it' ELSE 'no difference that the data can show' END,
           f.unknown
    FROM health_internal.rows_as_owner(opened.owner, NULL,
             'SELECT * FROM health_internal.features_before_as_owner($1, $2::integer, $3::date, $4::text[], $5::date[])', model,
             days::text, health_internal.iso_text(last_day), found_accounts::text, health_internal.iso_text(found_days))
             AS f (feature text, outcomes bigint, accounts_with bigint, used_with bigint, others bigint, accounts_without bigint,
                   used_without bigint, unknown bigint),
         LATERAL (SELECT f.used_with / nullif(f.outcomes, 0)::float8 AS before, f.used_without / nullif(f.others, 0)::float8 AS otherwise)
             AS s,
         LATERAL (SELECT least(f.accounts_with, f.accounts_without) < 10 AS few) AS t,
         -- Dates of one account are not independent: as if each had one.
         LATERAL health_internal.compare_rates(round(coalesce(s.before, 0) * f.accounts_with)::bigint, f.accounts_with,
             round(coalesce(s.otherwise, 0) * f.accounts_without)::bigint, f.accounts_without) AS c
    ORDER BY CASE WHEN s.otherwise = 0 AND s.before > 0 THEN 'Infinity' ELSE s.before / nullif(s.otherwise, 0) END DESC NULLS LAST,
             f.feature;
END;
$$;

COMMENT ON FUNCTION health_internal.find_features_before(text, text, integer, date, date, text) IS
    'features_before() with the schemas in which the names of the query are looked up';

-- The query is the caller's, whose search_path is that of this function.
CREATE FUNCTION health.features_before(model text, outcome text DEFAULT NULL, days integer DEFAULT 28, from_date date DEFAULT NULL,
    to_date date DEFAULT NULL,
    OUT feature text, OUT outcomes bigint, OUT accounts_with bigint, OUT share_before float8, OUT accounts_without bigint,
    OUT share_otherwise float8, OUT ratio float8, OUT low float8, OUT high float8, OUT note text, OUT unknown_outcomes bigint)
RETURNS SETOF record
LANGUAGE sql ROWS 100
BEGIN ATOMIC
    SELECT f.feature, f.outcomes, f.accounts_with, f.share_before, f.accounts_without, f.share_otherwise, f.ratio, f.low, f.high, f.note,
           f.unknown_outcomes
    FROM health_internal.find_features_before(model, outcome, days, from_date, to_date, health_internal.visible_schemas()) AS f;
END;

COMMENT ON FUNCTION health.features_before(text, text, integer, date, date) IS
    'Which features come before an upgrade, or any outcome: association, not cause. Outcome: a query of account and day that runs as the '
    'caller; without one the months in which accounts expanded, by the revenue of the model. Of outcomes from from_date (a year before) '
    'to before to_date (today, of months this one): the share before which the feature was used in so many days; the same share of all '
    'accounts without an outcome, each held against every outcome on its day; their ratio, with a 95 % interval as if each account '
    'counted once (Katz). The ratio is NULL with fewer than 10 accounts on a '
    'side. unknown_outcomes: of which the days before are not in the ledger';

-- What accounts ask for: requests are facts whose kind says what, from when it was asked for until it was there.

CREATE FUNCTION health_internal.fact_periods(model jsonb, account health.account_state, fact text,
    OUT kind text, OUT began date, OUT ended date, OUT n bigint) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_fact_periods'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10;

COMMENT ON FUNCTION health_internal.fact_periods(jsonb, health.account_state, text) IS
    'The facts of an account, whatever the day, each from its start to its end (NULL: none), with how many are alike';

CREATE FUNCTION health_internal.check_requests(version health_internal.model_version, fact text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF version.document #> ARRAY['facts', fact] IS NULL THEN
        RAISE EXCEPTION 'model "%" has no facts "%"', version.model, fact
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce((SELECT 'Those that it has are: ' || string_agg(k, ', ' ORDER BY k) || '.'
                                   FROM jsonb_object_keys(version.document -> 'facts') AS k),
                                  'Say where requests are: "facts": {"requests": {"table": ..., "account": ..., "at": "asked_on", '
                                  '"until": "fulfilled_on", "kind": "feature"}}.');
    ELSIF version.document #> ARRAY['facts', fact, 'until'] IS NULL THEN
        RAISE EXCEPTION 'model "%": facts "%" do not say when they were fulfilled', version.model, fact
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Name the column: "until": "fulfilled_on".';
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.check_requests(health_internal.model_version, text) IS
    'Raises an error unless a model has facts of that name with an end';

CREATE FUNCTION health_internal.check_amount(version health_internal.model_version, amount text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    type regtype;
BEGIN
    PERFORM health_internal.check_segment(version, amount);
    SELECT f.type INTO type FROM health_internal.model_fields(version.document) AS f WHERE f.source = 'columns' AND f.field = amount;
    IF (SELECT t.typcategory FROM pg_type AS t WHERE t.oid = type) <> 'N' THEN
        RAISE EXCEPTION 'model "%": account column "%" is %, no number', version.model, amount, type
            USING ERRCODE = 'datatype_mismatch', HINT = 'Name a column with amounts of revenue, such as mrr or arr.';
    END IF;
END;
$$;

COMMENT ON FUNCTION health_internal.check_amount(health_internal.model_version, text) IS
    'Raises an error unless the column is NULL or a number in accounts.columns of a model';

CREATE FUNCTION health_internal.requests_as_owner(model text, fact text, segment text, amount text, as_of date,
    OUT account_id text, OUT segment_value text, OUT revenue float8, OUT in_book boolean, OUT kind text, OUT began date, OUT ended date,
    OUT n bigint)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    measured CONSTANT jsonb := health_internal.fact_document(version.document, fact, '[{"name": "requests", "measure": "count"}]');
    compiled health_internal.compiled_model;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    PERFORM health_internal.check_amount(version, amount);
    compiled := health_internal.compile_part(version, measured, requests_as_owner.as_of);
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT %s, %s, %s, (l.account_start IS NULL OR l.account_start <= $2) AND (l.account_end IS NULL OR l.account_end > $2), '
        'p.kind, p.began, p.ended, p.n FROM (%s) AS l, LATERAL health_internal.fact_periods(%L::pg_catalog.jsonb, %s, $1) AS p',
        health_internal.canonical_text('l.account_id', compiled.account_type), health_internal.compile_segment(segment),
        CASE WHEN amount IS NULL THEN 'NULL::pg_catalog.float8' ELSE pg_catalog.format('(l.%I)::pg_catalog.float8', amount) END,
        compiled.ledger, health_internal.scoring_document(measured),
        health_internal.compile_state(with_past => false, with_overrides => false))
    USING fact, as_of;
END;
$$;

COMMENT ON FUNCTION health_internal.requests_as_owner(text, text, text, text, date) IS
    'Every request of every account of a model, with two of its columns and whether it is in the book, as the owner of the model';

CREATE FUNCTION health_internal.requests_of(model text, fact text, segment text, amount text, as_of date,
    OUT account_id text, OUT segment_value text, OUT revenue float8, OUT kind text, OUT began date, OUT ended date, OUT n bigint)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
    version CONSTANT health_internal.model_version := health_internal.find_version(model, opened.current_version);
    today CONSTANT date := coalesce(requests_of.as_of, health_internal.model_today(version.document));
    -- Of amounts in several currencies there is no sum.
    with_mrr CONSTANT boolean := CASE WHEN amount IS NULL AND version.document #>> '{revenue,fact}' IS NOT NULL
        THEN cardinality(health_internal.revenue_currencies(model)) <= 1 ELSE false END;
BEGIN
    PERFORM health_internal.check_requests(version, fact);
    PERFORM health_internal.check_segment(version, segment);
    RETURN QUERY
    SELECT r.account_id, r.segment_value, CASE WHEN with_mrr THEN m.mrr[1] ELSE r.revenue END, r.kind, r.began,
           CASE WHEN r.ended < today THEN r.ended END, r.n
    FROM health_internal.rows_as_owner(opened.owner, NULL,
             'SELECT * FROM health_internal.requests_as_owner($1, $2, $3, $4, $5::date)', model, fact, segment, amount,
             health_internal.iso_text(today))
             AS r (account_id text, segment_value text, revenue float8, in_book boolean, kind text, began date, ended date, n bigint)
    LEFT JOIN (SELECT a.account_id, a.mrr FROM health_internal.mrr_at(model, ARRAY[today]) AS a WHERE with_mrr) AS m
        ON m.account_id = r.account_id
    WHERE r.in_book AND r.began < today;
END;
$$;

COMMENT ON FUNCTION health_internal.requests_of(text, text, text, text, date) IS
    'The requests that accounts in the book of a day had made by then, with revenue by the fact or the column that says it';

CREATE FUNCTION health.requests(model text, fact text DEFAULT 'requests', segment text DEFAULT NULL, amount text DEFAULT NULL,
    as_of date DEFAULT NULL,
    OUT segment_value text, OUT kind text, OUT requests bigint, OUT accounts bigint, OUT revenue float8, OUT open bigint,
    OUT open_accounts bigint, OUT open_revenue float8, OUT fulfilled bigint, OUT mean_days float8)
RETURNS SETOF record
LANGUAGE sql ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.segment_value, a.kind, sum(a.n)::bigint, count(*), sum(a.revenue::numeric)::float8, sum(a.n - a.fulfilled)::bigint,
           count(*) FILTER (WHERE a.fulfilled < a.n),
           CASE WHEN bool_or(a.fulfilled < a.n) OR count(a.revenue) = 0 THEN sum(a.revenue::numeric) FILTER (WHERE a.fulfilled < a.n)
                ELSE 0 END::float8,
           sum(a.fulfilled)::bigint, (sum(a.days) / nullif(sum(a.fulfilled), 0))::float8
    FROM (SELECT r.account_id, r.segment_value, r.kind, min(r.revenue) AS revenue, sum(r.n) AS n,
                 coalesce(sum(r.n) FILTER (WHERE r.ended IS NOT NULL), 0) AS fulfilled, sum(r.n * (r.ended - r.began)) AS days
          FROM health_internal.requests_of(model, fact, segment, amount, as_of) AS r GROUP BY 1, 2, 3) AS a
    GROUP BY 1, 2
    ORDER BY 1, 8 DESC NULLS LAST, 6 DESC, 2;
$$;

COMMENT ON FUNCTION health.requests(text, text, text, text, date) IS
    'What accounts ask for, the most revenue that still waits first: for each kind of a fact with an end, or for each and value of an '
    'account column, requests made before as_of (NULL: today) by accounts in the book, accounts that made one, their revenue (an account '
    'column, else MRR as of the day, by the fact that the model names as "revenue"; without either, and in several currencies, NULL), '
    'requests that are open, accounts with one of these and their revenue, requests that were fulfilled, and the mean days that took';

CREATE FUNCTION health.implementation_rates(model text, segment text DEFAULT NULL, fact text DEFAULT 'requests', as_of date DEFAULT NULL,
    OUT segment_value text, OUT requests bigint, OUT accounts bigint, OUT fulfilled bigint, OUT rate float8, OUT low float8,
    OUT high float8, OUT mean_days float8)
RETURNS SETOF record
LANGUAGE sql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT g.segment_value, g.requests, g.accounts, g.fulfilled, i.rate, i.low, i.high, g.days / nullif(g.fulfilled, 0)::float8
    FROM (SELECT r.segment_value, sum(r.n)::bigint AS requests, count(DISTINCT r.account_id) AS accounts,
                 coalesce(sum(r.n) FILTER (WHERE r.ended IS NOT NULL), 0)::bigint AS fulfilled,
                 sum(r.n * (r.ended - r.began)) AS days
          FROM health_internal.requests_of(model, fact, segment, NULL, as_of) AS r GROUP BY 1) AS g,
         LATERAL health_internal.rate_interval(g.fulfilled, g.requests) AS i
    ORDER BY g.segment_value;
$$;

COMMENT ON FUNCTION health.implementation_rates(text, text, text, date) IS
    'For each value of an account column, or for all: requests made before as_of (NULL: today) by accounts in the book, accounts that made '
    'one, requests that were fulfilled, their share with its 95 % interval (Wilson), and the mean days that took';

CREATE FUNCTION health_internal.observe_accounts_as_owner(model text, days integer, accounts text[], dates date[],
    OUT account_id text, OUT day date, OUT score float8, OUT events float8, OUT active_users float8)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    first_day CONSTANT date := (SELECT pg_catalog.min(d.day) FROM pg_catalog.unnest(dates) AS d (day));
    last_day CONSTANT date := (SELECT pg_catalog.max(d.day) FROM pg_catalog.unnest(dates) AS d (day));
    usage CONSTANT jsonb := health_internal.usage_document(version.document, pg_catalog.jsonb_build_array(
        pg_catalog.jsonb_build_object('name', 'events', 'metric', 'events', 'window_days', days),
        pg_catalog.jsonb_build_object('name', 'users', 'metric', 'active_users', 'window_days', days)));
    scored jsonb;
    scores health_internal.compiled_model;
BEGIN
    scored := (health_internal.past_document(version, first_day, false)).document;
    PERFORM health_internal.look_names_up_in(version.search_path);
    scores := health_internal.compile_part(version, scored, last_day, last_day - first_day);
    RETURN QUERY EXECUTE pg_catalog.format(
        'WITH wanted AS MATERIALIZED (SELECT w.account_id, pg_catalog.array_agg(w.day ORDER BY w.day) AS dates '
        'FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS w (account_id, day) GROUP BY 1), '
        'used AS MATERIALIZED (SELECT w.account_id, w.dates[n] AS day, r.raw[n][1] AS events, r.raw[n][2] AS users '
        'FROM (%2$s) AS l JOIN wanted AS w ON w.account_id = %1$s, '
        'LATERAL (SELECT health_internal.raw_values(%3$L::pg_catalog.jsonb, %4$s, w.dates) AS raw) AS r, '
        'LATERAL pg_catalog.generate_subscripts(w.dates, 1) AS n) '
        'SELECT w.account_id, o.as_of, o.score, u.events, u.users FROM (%5$s) AS l JOIN wanted AS w ON w.account_id = %1$s '
        'CROSS JOIN LATERAL health_internal.observe_dates(%6$L::pg_catalog.jsonb, %7$s, w.dates, 0, 1, NULL) AS o '
        'JOIN used AS u ON u.account_id = w.account_id AND u.day = o.as_of WHERE o.in_book',
        health_internal.canonical_text('l.account_id', scores.account_type),
        (health_internal.compile_part(version, usage, last_day)).ledger, health_internal.scoring_document(usage),
        health_internal.compile_state(with_past => false, with_overrides => false), scores.ledger,
        health_internal.scoring_document(scored), health_internal.compile_state(with_overrides => false))
    USING accounts, dates;
END;
$$;

COMMENT ON FUNCTION health_internal.observe_accounts_as_owner(text, integer, text[], date[]) IS
    'Some accounts of a model on some days of each, as far as they were in the book: score without what has no past, events and active '
    'users of so many days before, as the owner of the model';

CREATE FUNCTION health.fulfilment_effect(model text, fact text DEFAULT 'requests', days integer DEFAULT 28, as_of date DEFAULT NULL,
    OUT measure text, OUT accounts_fulfilled bigint, OUT change_fulfilled float8, OUT accounts_open bigint, OUT change_open float8,
    OUT difference float8, OUT low float8, OUT high float8, OUT note text)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 3
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
    version CONSTANT health_internal.model_version := health_internal.find_version(model, opened.current_version);
    today CONSTANT date := coalesce(fulfilment_effect.as_of, health_internal.model_today(version.document));
    first_day CONSTANT date := (today - interval '1 year')::date;
    case_accounts text[];
    case_dates date[];
    case_weights bigint[];
    case_flags boolean[];
BEGIN
    IF days IS NULL OR days NOT BETWEEN 1 AND 365 THEN
        RAISE EXCEPTION 'model "%": before and after are 1 to 365 days, not %', model, coalesce(days::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    WITH asked AS MATERIALIZED (
        SELECT r.account_id, r.began, r.ended FROM health_internal.requests_of(model, fact, NULL, NULL, today) AS r
    ), fulfilled AS MATERIALIZED (
        SELECT DISTINCT a.account_id, a.ended AS day FROM asked AS a WHERE a.ended >= first_day AND a.ended <= today - days
    ), days_of AS (
        SELECT f.day, count(*) AS n FROM fulfilled AS f GROUP BY 1
    ), compared AS (
        SELECT f.account_id, f.day, 1 AS n, true AS had FROM fulfilled AS f
        UNION ALL
        SELECT DISTINCT a.account_id, d.day, d.n, false FROM days_of AS d
        JOIN asked AS a ON a.began < d.day AND (a.ended IS NULL OR a.ended >= d.day + days)
        WHERE a.account_id NOT IN (SELECT f.account_id FROM fulfilled AS f)
    )
    SELECT coalesce(array_agg(c.account_id), '{}'), coalesce(array_agg(c.day), '{}'), coalesce(array_agg(c.n), '{}'),
           coalesce(array_agg(c.had), '{}')
    INTO case_accounts, case_dates, case_weights, case_flags FROM compared AS c;
    RETURN QUERY
    WITH compared AS (
        SELECT c.account_id, c.day, c.n, c.had
        FROM ROWS FROM (unnest(case_accounts), unnest(case_dates), unnest(case_weights), unnest(case_flags))
            AS c (account_id, day, n, had)
    ), wanted AS (
        SELECT array_agg(w.account_id) AS accounts, array_agg(w.day) AS dates
        FROM (SELECT DISTINCT c.account_id, d.day FROM compared AS c, LATERAL (VALUES (c.day), (c.day + days)) AS d (day)) AS w
    ), seen AS MATERIALIZED (
        SELECT s.* FROM wanted AS w, LATERAL health_internal.rows_as_owner(opened.owner, NULL,
            'SELECT * FROM health_internal.observe_accounts_as_owner($1, $2::integer, $3::text[], $4::date[])', model, days::text,
            w.accounts::text, health_internal.iso_text(w.dates))
            AS s (account_id text, day date, score float8, events float8, active_users float8)
        WHERE cardinality(w.accounts) > 0
    ), changes AS (
        SELECT c.account_id, c.had, m.place, sum(c.n * m.change) / sum(c.n) AS change
        FROM compared AS c JOIN seen AS b ON b.account_id = c.account_id AND b.day = c.day
        JOIN seen AS a ON a.account_id = c.account_id AND a.day = c.day + days,
             LATERAL (VALUES (1, a.score - b.score), (2, a.events - b.events), (3, a.active_users - b.active_users)) AS m (place, change)
        WHERE m.change IS NOT NULL GROUP BY 1, 2, 3
    ), lists AS (
        SELECT m.place, m.name, array_agg(c.change ORDER BY c.account_id) FILTER (WHERE c.had) AS fulfilled,
               array_agg(c.change ORDER BY c.account_id) FILTER (WHERE NOT c.had) AS still_open,
               count(*) FILTER (WHERE c.had) AS n, count(*) FILTER (WHERE NOT c.had) AS n_open
        FROM (VALUES (1, 'score'), (2, 'events'), (3, 'active_users')) AS m (place, name) LEFT JOIN changes AS c USING (place) GROUP BY 1, 2
    )
    SELECT l.name, l.n, x.first_mean, l.n_open, x.second_mean, CASE WHEN NOT t.few THEN x.difference END, x.low, x.high,
           CASE WHEN t.few THEN 'too few to say' WHEN x.low > 0 THEN 'rose more where it was fulfilled'
                WHEN x.high < 0 THEN 'rose less where it was fulfilled' ELSE 'no difference that the data can show' END
    FROM lists AS l, LATERAL health_internal.compare_means(l.fulfilled, l.still_open) AS x,
         LATERAL (SELECT least(l.n, l.n_open) < 10) AS t (few)
    ORDER BY l.place;
END;
$$;

COMMENT ON FUNCTION health.fulfilment_effect(text, text, integer, date) IS
    'Whether it helped to fulfil requests: association, not cause. Of requests fulfilled in the year before as_of (NULL: today), so many '
    'days ago at least: how the score, events and active users of accounts changed from the days before to as many days after; and of '
    'accounts with a request that was open throughout, and none fulfilled, over the same days. Means over accounts, each counted once, '
    'and their difference with its 95 % interval (Welch); NULL with fewer than 10 accounts on a side. Scores are without what has no past';

-- What reports are written with: escaped text, numbers for people, and charts as SVG. All of it is well-formed XML in ASCII, so that a
-- report is the same in every encoding of a database.

-- XML has no control characters but three; no browser shows one.
CREATE FUNCTION health_internal.html(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT replace(replace(replace(replace(replace(regexp_replace(CASE WHEN getdatabaseencoding() = 'UTF8'
               THEN translate(value, chr(65534) || chr(65535), '??') ELSE value END, E'[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]', '?', 'g'),
               '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');
$$;

COMMENT ON FUNCTION health_internal.html(text) IS
    'A text as HTML and XML have it, in an element or an attribute; the one way into a report';

-- A name of a person or a company as it is written, right to left as well, without moving what stands beside it.
CREATE FUNCTION health_internal.html_name(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '<bdi>' || health_internal.html(CASE WHEN length(value) > 200 THEN left(value, 200) || '...' ELSE value END) || '</bdi>';
$$;

COMMENT ON FUNCTION health_internal.html_name(text) IS 'A name as HTML, of 200 characters at most';

CREATE FUNCTION health_internal.url_part(value text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(CASE WHEN b.byte < 128 AND chr(b.byte) ~ '[A-Za-z0-9._~-]' THEN chr(b.byte)
                                    ELSE '%' || upper(lpad(to_hex(b.byte), 2, '0')) END, '' ORDER BY b.n), '')
    FROM (SELECT n, get_byte(u.bytes, n) AS byte
          FROM (SELECT convert_to(value, CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END)) AS u (bytes),
               generate_series(0, octet_length(u.bytes) - 1) AS n) AS b;
$$;

COMMENT ON FUNCTION health_internal.url_part(text) IS 'A text as a part of an address has it: every other byte as % and two digits';

-- Numbers for people. What is not known is a dash.
CREATE FUNCTION health_internal.report_number(value float8, decimals integer DEFAULT 0) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN value IS NULL OR value::text IN ('NaN', 'Infinity', '-Infinity') THEN '&#8211;'
                ELSE CASE WHEN round(value::numeric, decimals) < 0 THEN '&#8722;' ELSE '' END
                     || to_char(abs(round(value::numeric, decimals)),
                                'FM999,999,999,999,999,990' || CASE WHEN decimals > 0 THEN '.' || repeat('0', decimals) ELSE '' END) END;
$$;

COMMENT ON FUNCTION health_internal.report_number(float8, integer) IS 'A number with separated thousands';

CREATE FUNCTION health_internal.report_short(value float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN NOT abs(value) < 'Infinity' THEN health_internal.report_number(NULL)
                WHEN abs(value) >= 1e9 THEN regexp_replace(health_internal.report_number(value / 1e9, 2), '[.]?0+$', '') || '&#160;bn'
                WHEN abs(value) >= 1e6 THEN regexp_replace(health_internal.report_number(value / 1e6, 2), '[.]?0+$', '') || '&#160;m'
                ELSE health_internal.report_number(value) END;
$$;

COMMENT ON FUNCTION health_internal.report_short(float8) IS 'A large number in a small place';

CREATE FUNCTION health_internal.report_change(value float8, decimals integer DEFAULT 1) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN value < 'Infinity' AND round(value::numeric, decimals) > 0 THEN '+' ELSE '' END
        || health_internal.report_number(value, decimals);
$$;

COMMENT ON FUNCTION health_internal.report_change(float8, integer) IS 'A number with its sign';

CREATE FUNCTION health_internal.report_share(part float8, whole float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_number(100 * part / nullif(whole, 0)) || CASE WHEN part IS NULL OR whole = 0 THEN '' ELSE '&#160;%' END;
$$;

COMMENT ON FUNCTION health_internal.report_share(float8, float8) IS 'A share in percent';

CREATE FUNCTION health_internal.report_day(day date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN isfinite(day) THEN to_char(day, 'FMDD FMMonth YYYY') ELSE '&#8211;' END;
$$;

COMMENT ON FUNCTION health_internal.report_day(date) IS 'A day as people write it';

-- at_risk: "at risk", "At risk".
CREATE FUNCTION health_internal.report_word(word text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.html(upper(left(word, 1)) || replace(substr(word, 2), '_', ' '));
$$;

COMMENT ON FUNCTION health_internal.report_word(text) IS 'The name of a band or a state as HTML, with a capital';

-- Seven colours from best (0) to worst (6); n is for what has no band.
CREATE FUNCTION health_internal.band_class(document jsonb, band text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((SELECT 'b' || round(6.0 * (b.rank - 1) / greatest(b.bands - 1, 1))
                     FROM (SELECT m.name, rank() OVER (ORDER BY m."position"), count(*) OVER () AS bands
                           FROM health_internal.model_bands(document) AS m) AS b WHERE b.name = band), 'bn');
$$;

COMMENT ON FUNCTION health_internal.band_class(jsonb, text) IS 'The class of colour of a band of a model';

-- Rectangles stretch to the room that there is, and text does not: figures stand beside a chart, as HTML.
CREATE FUNCTION health_internal.svg_bar(starts float8[], ends float8[], classes text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        || coalesce(string_agg(format('<rect class="%s" x="%s" y="0" width="%s" height="10"/>', p.class,
                                      round(least(p.a, p.b)::numeric, 2), round(abs(p.b - p.a)::numeric, 2)), '' ORDER BY p.n), '')
        || '</svg>'
    FROM ROWS FROM (unnest(starts), unnest(ends), unnest(classes)) WITH ORDINALITY AS p (a, b, class,
        n) WHERE p.a IS NOT NULL AND p.b IS NOT NULL;
$$;

COMMENT ON FUNCTION health_internal.svg_bar(float8[], float8[], text[]) IS
    'A bar from 0 to 100 with parts of it in colours; the figures stand beside it';

CREATE FUNCTION health_internal.svg_columns(columns integer, stacked_on integer[], "values" float8[], classes text[], tips text[],
    top float8,
    title text, description text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('<svg class="plot" viewBox="0 0 %s 100" preserveAspectRatio="none" role="img"><title>%s</title><desc>%s</desc>'
                  '<path class="grid" d="M0 0H%1$s M0 50H%1$s M0 100H%1$s"/>%4$s</svg>', 10 * columns, title, description,
        coalesce(string_agg(format('<rect class="%s" x="%s" y="%s" width="8" height="%s"><title>%s</title></rect>', p.class, 10 * p.c + 1,
                                   round((100 - 100 * p.reached / top)::numeric, 2), round((100 * p.value / top)::numeric, 2), p.tip), ''
                                       ORDER BY p.n)
                 FILTER (WHERE p.value > 0), ''))
    FROM (SELECT r.*, sum(r.value) OVER (PARTITION BY r.c ORDER BY r.n) AS reached
          FROM ROWS FROM (unnest(stacked_on), unnest("values"), unnest(classes), unnest(tips)) WITH ORDINALITY AS r (c, value, class, tip,
              n)) AS p;
$$;

COMMENT ON FUNCTION health_internal.svg_columns(integer, integer[], float8[], text[], text[], float8, text, text) IS
    'Columns of stacked parts, each of which stands on column 0, 1, ...; top is what the whole height means, titles are HTML';

CREATE FUNCTION health_internal.svg_line("values" float8[], lowest float8, top float8, title text, description text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('<svg class="plot" viewBox="0 0 %s 100" preserveAspectRatio="none" role="img"><title>%s</title><desc>%s</desc>'
                  '<path class="grid" d="M0 0H%1$s M0 50H%1$s M0 100H%1$s"/><path class="line" d="%4$s"/></svg>',
        greatest(cardinality("values") - 1, 1), title, description,
        -- A gap where a value is not known: the next one begins a new line, and stands as a dot when it is alone.
        coalesce(string_agg(CASE WHEN p.value IS NULL THEN '' ELSE format('%s%s %s', CASE WHEN p.before IS NULL THEN 'M' ELSE 'L' END,
            p.n - 1,
                     round((100 - 100 * (p.value - lowest) / (top - lowest))::numeric, 2)) || CASE WHEN p.before IS NULL THEN 'h0'
                         ELSE '' END END,
                 ' ' ORDER BY p.n), ''))
    FROM (SELECT v.value, v.n, lag(v.value) OVER (ORDER BY v.n) AS before FROM unnest("values") WITH ORDINALITY AS v (value, n)) AS p;
$$;

COMMENT ON FUNCTION health_internal.svg_line(float8[], float8, float8, text, text) IS
    'A line through values at equal distances, with gaps where one is NULL';

-- The figures of the axes stand in HTML around a plot.
CREATE FUNCTION health_internal.report_plot(plot text, lowest text, middle text, top text, labels text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('<div class="chart"><div class="y" aria-hidden="true"><span>%s</span><span>%s</span><span>%s</span></div>%s'
                  '<div class="x" aria-hidden="true">%s</div></div>', top, middle, lowest, plot,
                  (SELECT string_agg('<span>' || l.label || '</span>', '' ORDER BY l.n) FROM unnest(labels) WITH ORDINALITY AS l (label,
                      n)));
$$;

COMMENT ON FUNCTION health_internal.report_plot(text, text, text, text, text[]) IS 'A plot with the figures of its axes';

-- A round figure at or above the largest value, half of which is a whole number as well.
CREATE FUNCTION health_internal.axis_top(largest float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN largest > 0 THEN greatest((SELECT min(s.step) FROM unnest('{1,2,3,4,5,6,8,10}'::float8[]) AS f,
               LATERAL (SELECT f * power(10::float8,
                   floor(log(largest)))) AS s (step) WHERE s.step >= largest AND floor(s.step / 2) = s.step / 2), 2)
                ELSE 2 END;
$$;

COMMENT ON FUNCTION health_internal.axis_top(float8) IS 'Where an axis ends';

-- The page around a report: its head, its style for screens light and dark, wide and narrow, and for paper.

CREATE FUNCTION health_internal.report_style() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT $css$
:root { color-scheme: light dark; --page: #f4f6f8; --card: #fff; --ink: #1b2430; --muted: #556070; --line: #d8dee6; --link: #1558b0;
  --b0: #08695e; --b1: #2f8f83; --b2: #7cc3b6; --b3: #c9d9a8; --b4: #f0b95b; --b5: #dd7a45; --b6: #b93534; --bn: #a8b1bd; --bar: #e6eaef;
  --mark: #2c6fbb; }
@media (prefers-color-scheme: dark) { :root { --page: #10151c; --card: #19212b; --ink: #e8edf3; --muted: #a7b3c1; --line: #323d4a;
  --link: #8fbcff; --b0: #2fb5a3; --b1: #52beb0; --b2: #86cfc3; --b3: #b9c58f; --b4: #eab452; --b5: #e58a57; --b6: #e2625d; --bn: #75808d;
  --bar: #2a3440; --mark: #6ba6ef; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  overflow-wrap: anywhere; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, main:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2rem; }
main { padding-bottom: 1rem; }
main:focus { outline: none; }
footer { padding-bottom: 2rem; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 0 0 .25rem; font-size: 1.15rem; }
p { margin: .25rem 0 .75rem; }
.sub, .note, footer { color: var(--muted); }
.note, footer { font-size: .875rem; }
.lead { font-size: 1.1rem; margin: 1rem 0 0; max-width: 52rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.25rem; margin: 1rem 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.25rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; padding: 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .7rem .9rem; }
.tiles dt { color: var(--muted); font-size: .8125rem; }
.tiles dd { margin: 0; font-size: 1.5rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.tiles small { display: block; font-size: .8125rem; font-weight: 400; color: var(--muted); }
.halves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem; margin: 1rem 0; }
.halves section { margin: 0; }
.halves .x:not(.ends) span:not(:nth-child(3n+1)) { visibility: hidden; }
table { width: 100%; border-collapse: collapse; font-size: .9375rem; }
caption { text-align: left; color: var(--muted); font-size: .875rem; padding: 0 0 .4rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0; border-top: 1px solid var(--line); font-weight: 400; }
thead td { border-top: 0; }
thead th { color: var(--muted); font-size: .8125rem; border-top: 0; white-space: nowrap; }
tbody th { font-weight: 600; min-width: 6.5rem; }
tbody th.plain { font-weight: 400; }
th .note { font-weight: 400; }
td p { color: var(--muted); }
td p.do { color: var(--ink); }
.do::before { content: "\2192" / ""; margin-right: .4em; color: var(--muted); }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
td p { margin: 0; }
td p + p { margin-top: .2rem; }
.wide { width: 40%; min-width: 6rem; }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; background: var(--bn); }
.bar { display: block; width: 100%; height: .95rem; margin-top: .25rem; background: var(--bar); border-radius: 3px; }
.bar.tall { height: 1.75rem; margin: .5rem 0 .9rem; }
.b0 { fill: var(--b0); } .b1 { fill: var(--b1); } .b2 { fill: var(--b2); } .b3 { fill: var(--b3); } .b4 { fill: var(--b4); }
.b5 { fill: var(--b5); } .b6 { fill: var(--b6); } .bn { fill: var(--bn); } .mark { fill: var(--mark); }
.dot.b0 { background: var(--b0); } .dot.b1 { background: var(--b1); } .dot.b2 { background: var(--b2); } .dot.b3 { background: var(--b3); }
.dot.b4 { background: var(--b4); } .dot.b5 { background: var(--b5); } .dot.b6 { background: var(--b6); } .dot.mark { background:
  var(--mark); }
.chart { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .3rem .5rem; margin: .6rem 0; }
.y { display: flex; flex-direction: column; justify-content: space-between; text-align: right; font-size: .75rem; line-height: 1;
  color: var(--muted); overflow-wrap: normal; }
.plot { display: block; width: 100%; height: 11rem; overflow: visible; }
.grid { stroke: var(--line); fill: none; stroke-width: 1; vector-effect: non-scaling-stroke; }
.line { stroke: var(--mark); fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; vector-effect:
  non-scaling-stroke; }
.x { grid-column: 2; display: flex; font-size: .75rem; color: var(--muted); }
.x span { flex: 1 1 0; min-width: 0; text-align: center; white-space: nowrap; overflow-wrap: normal; display: flex; justify-content:
  center; }
.x.ends span:first-child { justify-content: flex-start; } .x.ends span:last-child { justify-content: flex-end; }
ul.key { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 0; padding: 0; font-size: .875rem; }
details { margin-top: .6rem; font-size: .875rem; }
summary { cursor: pointer; color: var(--link); }
.scroll { overflow-x: auto; }
@media print, (min-width: 44.01rem) { .band { white-space: nowrap; } }
@media screen and (max-width: 44rem) {
  header, main, footer { padding-left: .75rem; padding-right: .75rem; }
  section { padding: .9rem; }
  .x:not(.ends) span:not(:nth-child(3n+1)) { visibility: hidden; }
  th, td { padding-right: .5rem; }
  thead th, thead th.n { white-space: normal; overflow-wrap: normal; font-size: .75rem; }
  tbody th { min-width: 4.5rem; }
  .extra { display: none; }
  table { font-size: .8125rem; }
  .cards, .cards tbody, .cards tr { display: block; }
  .cards caption { display: block; }
  .cards thead { position: absolute; left: -100vw; }
  .cards tr { border-top: 1px solid var(--line); padding: .6rem 0; }
  .cards th, .cards td { display: block; border: 0; padding: .1rem 0; text-align: left; white-space: normal; }
  .cards td[data-label]::before { content: attr(data-label) ": "; color: var(--muted); }
  .cards td.n { display: inline-block; margin-right: 1rem; }
  .cards .wide { width: 100%; }
}
@media print {
  :root { color-scheme: light; --page: #fff; --card: #fff; --ink: #000; --muted: #444; --line: #bbb; --link: #000; --b0: #08695e;
    --b1: #2f8f83; --b2: #7cc3b6; --b3: #c9d9a8; --b4: #f0b95b; --b5: #dd7a45; --b6: #b93534; --bn: #a8b1bd; --bar: #eee; --mark: #2c6fbb; }
  @page { margin: 14mm; }
  :root { font-size: 10pt; }
  body { font-size: 10pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  header, main, footer { max-width: none; padding: 0; }
  .tiles { grid-template-columns: repeat(7, 1fr); gap: .4rem; }
  .tiles div { padding: .4rem .5rem; }
  .tiles dd { font-size: 1.2rem; }
  .skip, details { display: none; }
  section { border: 0; padding: 0; margin: 1.1rem 0; break-inside: avoid; }
  section.long { break-inside: auto; }
  h2, caption { break-after: avoid; }
  tr, .tiles div, .chart { break-inside: avoid; }
  thead { display: table-header-group; }
  .plot { height: 8rem; }
  a { text-decoration: none; }
}
$css$;
$$;

COMMENT ON FUNCTION health_internal.report_style() IS 'The style of a report';

-- The policy lets a page show what it has in it and nothing else, whatever became of it on its way.
CREATE FUNCTION health_internal.report_page(title text, head text, content text, foot text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" '
        'content="default-src ''none''; style-src ''unsafe-inline''; img-src data:; base-uri ''none''; form-action ''none''"/>
<meta name="referrer" content="no-referrer"/>
<meta name="robots" content="noindex"/>
<link rel="icon" href="data:,"/>
<title>' || title || '</title>
<style>' || health_internal.report_style() || '</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
' || head || '
</header>
<main id="content" tabindex="-1">
' || content || '
</main>
<footer>
' || foot || '
</footer>
</body>
</html>
';
$$;

COMMENT ON FUNCTION health_internal.report_page(text, text, text, text) IS 'A page of HTML that is XML as well, from parts that are';

CREATE FUNCTION health_internal.report_section(heading text, content text, class text DEFAULT '') RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(E'<section%s>\n<h2>%s</h2>\n%s\n</section>\n', CASE WHEN class <> '' THEN ' class="' || class || '"' ELSE '' END,
        heading, content);
$$;

COMMENT ON FUNCTION health_internal.report_section(text, text, text) IS 'A section of a report';

CREATE FUNCTION health_internal.report_tile(label text, value text, remark text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('<div><dt>%s</dt><dd>%s%s</dd></div>', label, value, '<small>' || remark || '</small>');
$$;

COMMENT ON FUNCTION health_internal.report_tile(text, text, text) IS 'A key figure of a report';

CREATE FUNCTION health_internal.report_band(document jsonb, score float8, band text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN score IS NULL THEN 'no score'
        ELSE format('<span class="band"><span class="dot %s"></span>%s%s</span>', health_internal.band_class(document, band),
                    health_internal.report_number(score),
                    ' ' || lower(health_internal.report_word(band))) END;
$$;

COMMENT ON FUNCTION health_internal.report_band(jsonb, float8, text) IS 'A score and its band';

-- What a report is about: the accounts of a model with their scores, the last twelve weeks of those, and their revenue. One query for all.

CREATE TYPE health_internal.report_account AS (
    account_id text,
    name text,
    as_of date,
    score float8,
    band text,
    state text,
    state_reason text,
    in_book boolean,
    data_coverage float8,
    unknown_reason text,
    change_28d float8,
    main_reason text,
    next_step text,
    override_reason text,
    score_without_top_user float8,
    weekly bigint[],
    past_days date[],
    past_scores float8[],
    past_bands text[],
    at_risk boolean,
    yearly float8,
    renews_on date
);

COMMENT ON TYPE health_internal.report_account IS 'Internal: an account in a report';

COMMENT ON COLUMN health_internal.report_account.past_days IS 'Days on which it was in the book';

COMMENT ON COLUMN health_internal.report_account.past_scores IS 'Its scores on them';

COMMENT ON COLUMN health_internal.report_account.past_bands IS 'The bands of those';

COMMENT ON COLUMN health_internal.report_account.at_risk IS 'In one of the two lowest bands, or silent';

COMMENT ON COLUMN health_internal.report_account.yearly IS 'Recurring revenue in a year';

COMMENT ON COLUMN health_internal.report_account.renews_on IS 'The day on which its contract ends';

-- The columns of the account table that say so by their names.
CREATE FUNCTION health_internal.compile_report_columns(columns text[], OUT yearly text, OUT renews_on text)
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((SELECT format('health_internal.report_amount(pg_catalog.to_jsonb(s.%I), %s)', c.name, k.months)
                     FROM unnest(columns) AS c (name)
                     JOIN (VALUES ('arr', 1), ('mrr', 12)) AS k (name, months) ON k.name = lower(c.name)
                     ORDER BY k.months, c.name LIMIT 1), 'NULL::pg_catalog.float8'),
           coalesce((SELECT format('health_internal.report_date(pg_catalog.to_jsonb(s.%I))', c.name) FROM unnest(columns) AS c (name)
                     WHERE lower(c.name) IN ('renewal_date', 'renewal', 'renews_on') ORDER BY c.name LIMIT 1), 'NULL::pg_catalog.date');
$$;

COMMENT ON FUNCTION health_internal.compile_report_columns(text[]) IS
    'SQL of the yearly revenue (arr, or mrr x 12) and of the renewal (renewal_date, renewal, renews_on) of a row s of scores';

CREATE FUNCTION health_internal.report_amount(value jsonb, times integer) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN jsonb_typeof(value) = 'number' AND abs(value::numeric) < 1e15 THEN value::float8 * times END;
$$;

COMMENT ON FUNCTION health_internal.report_amount(jsonb, integer) IS 'An amount that is a number';

CREATE FUNCTION health_internal.report_date(value jsonb) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD'
AS $$
    SELECT left(value #>> '{}', 10)::date WHERE value #>> '{}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+([+-][0-9:]+)?)?$';
$$;

COMMENT ON FUNCTION health_internal.report_date(jsonb) IS 'The day of a date or a time';

-- Recorded days of a model whose scores are kept, else the days as they are computed now.
CREATE FUNCTION health_internal.compile_report_past(store health_internal.store, ledger text, weeks integer, step integer) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN store.has_scores THEN format(
        'SELECT p.account_id, p.as_of, p.score, p.band, p.state FROM (%s) AS p CROSS JOIN %s AS t '
        'WHERE p.as_of BETWEEN t.as_of - %s AND t.as_of AND (t.as_of - p.as_of) %% %s = 0',
        health_internal.compile_history(store.tracking, (store.version).document, format(
            'h.month >= (SELECT health_internal.month_of(t.as_of - %s) FROM %s AS t)', 7 * weeks,
            health_internal.data_table('state', (store.tracking).id))),
        health_internal.data_table('state', (store.tracking).id), 7 * weeks, step)
    ELSE format('SELECT l.account_id, p.as_of, p.score, p.band, p.state FROM %s AS l, '
        'LATERAL health.score_series(%L::pg_catalog.jsonb, %s, l.as_of - %s, l.as_of, %s) AS p', ledger,
        health_internal.scoring_document((store.version).document), health_internal.compile_state(), 7 * weeks, step) END;
$$;

COMMENT ON FUNCTION health_internal.compile_report_past(health_internal.store, text, integer, integer) IS
    'SQL of the scores of every step-th day of the last weeks; ledger is a relation of ledger rows';

-- step: 7 for days a week apart, 1 for every day.
CREATE FUNCTION health_internal.report_accounts(version health_internal.model_version, account text, step integer)
RETURNS SETOF health_internal.report_account
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    weeks CONSTANT integer := 12;
    store CONSTANT health_internal.store := health_internal.open_store(version);
    compiled health_internal.compiled_model;
    only_one text;
    columns record;
BEGIN
    IF store.has_ledgers THEN
        PERFORM health_internal.check_data_tables(version.model);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, account, model_name => version.model,
        usage_from => CASE WHEN store.has_scores THEN 'nothing' WHEN store.has_ledgers THEN 'ledger' ELSE 'events' END,
        past_days => CASE WHEN store.has_scores THEN 0 ELSE 7 * weeks END);
    columns := health_internal.compile_report_columns(compiled.extra_columns);
    only_one := CASE WHEN account IS NULL THEN 'true'
                     ELSE pg_catalog.format('r.account_id = %L::%s', account, pg_catalog.format_type(compiled.account_type, -1)) END;
    RETURN QUERY EXECUTE pg_catalog.format(
        'WITH "$ledger" AS %s (%s), "$past" AS (SELECT r.account_id, pg_catalog.array_agg(r.as_of ORDER BY r.as_of) AS days, '
        'pg_catalog.array_agg(r.score ORDER BY r.as_of) AS scores, pg_catalog.array_agg(r.band ORDER BY r.as_of) AS bands '
        'FROM (%s) AS r WHERE %s AND (r.state IS NULL OR r.state NOT IN (''prospect'', ''ended'')) GROUP BY r.account_id) '
        'SELECT %s, s.name, s.as_of, s.score, s.band, s.state, s.state_reason, s.in_book, s.data_coverage, s.unknown_reason, '
        's.change_28d, s.main_reason, s.next_step, s.override_reason, s.score_without_top_user, s.weekly, p.days, p.scores, p.bands, '
        's.in_book AND health_internal.is_at_risk(s.band, s.state, %L), %s, %s '
        'FROM (SELECT r.* FROM (%s) AS r WHERE %s) AS s LEFT JOIN "$past" AS p ON p.account_id = s.account_id ORDER BY s.account_id',
        CASE WHEN store.has_scores THEN 'NOT MATERIALIZED' ELSE 'MATERIALIZED' END, compiled.ledger,
        health_internal.compile_report_past(store, '"$ledger"', weeks, step), only_one,
        health_internal.canonical_text('s.account_id', compiled.account_type), health_internal.bands_at_risk(version.document),
        columns.yearly, columns.renews_on, health_internal.store_relation(store, '', '"$ledger"', compiled, true), only_one);
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(version.model, version, NULL);
    END IF;
    RAISE;
END;
$$;

COMMENT ON FUNCTION health_internal.report_accounts(health_internal.model_version, text, integer) IS
    'The accounts of a version of a model, or one of them, with their scores and those of every step-th day of the last twelve weeks';

-- What a model names as its revenue goes before a column; a day of renewal that it has not is the column's.
CREATE FUNCTION health_internal.report_book(version health_internal.model_version, account text, step integer)
RETURNS SETOF health_internal.report_account
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts health_internal.report_account[] := ARRAY(SELECT a FROM health_internal.report_accounts(version, account, step) AS a);
BEGIN
    -- Of amounts in several currencies there is no sum.
    IF version.document #> '{revenue,fact}' IS NULL OR cardinality(accounts) = 0
       OR cardinality(health_internal.revenue_currencies(version.model)) > 1 THEN
        RETURN QUERY SELECT a.* FROM unnest(accounts) AS a;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT a.account_id, a.name, a.as_of, a.score, a.band, a.state, a.state_reason, a.in_book, a.data_coverage, a.unknown_reason,
        a.change_28d,
           a.main_reason, a.next_step, a.override_reason, a.score_without_top_user, a.weekly, a.past_days, a.past_scores, a.past_bands,
           a.at_risk, 12 * r.mrr[1], coalesce(a.as_of + r.days_left[1]::integer, a.renews_on)
    FROM unnest(accounts) AS a
    LEFT JOIN health_internal.mrr_at(version.model, ARRAY[accounts[1].as_of], with_ends => true, account => report_book.account) AS r
        ON r.account_id = a.account_id
    ORDER BY a.account_id;
END;
$$;

COMMENT ON FUNCTION health_internal.report_book(health_internal.model_version, text, integer) IS
    'report_accounts() with the revenue that the model names';

-- The report of a whole book: key figures, bands and how they moved, renewals, whom to call, states, data.

CREATE FUNCTION health_internal.report_key_figures(document jsonb, accounts health_internal.report_account[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '<dl class="tiles">'
        || health_internal.report_tile('Customers', health_internal.report_number(f.customers), f.scored || ' with a score')
        || health_internal.report_tile(health_internal.report_word(b.name), health_internal.report_share(f.best, f.customers),
                                       f.best || CASE f.best WHEN 1 THEN ' customer' ELSE ' customers' END)
        || health_internal.report_tile('At risk', health_internal.report_share(f.risky, f.customers),
                                       f.risky || CASE f.risky WHEN 1 THEN ' customer' ELSE ' customers' END)
        || health_internal.report_tile('Silent', health_internal.report_number(f.silent), 'nobody active')
        || CASE WHEN f.yearly IS NULL THEN '' ELSE
           health_internal.report_tile('Yearly revenue', health_internal.report_short(f.yearly),
                                       health_internal.report_share(f.risky_yearly, f.yearly) || ' of it at risk') END
        || health_internal.report_tile('Mean score', health_internal.report_number(f.score, 1), 'of 100')
        || health_internal.report_tile('In 28 days', health_internal.report_change(f.change), 'points, in the mean')
        || '</dl>'
    FROM (SELECT count(*) AS customers, count(a.score) AS scored, count(*) FILTER (WHERE a.band = b.name) AS best,
                 count(*) FILTER (WHERE a.at_risk) AS risky, count(*) FILTER (WHERE a.state = 'silent') AS silent, sum(a.yearly) AS yearly,
                 coalesce(sum(a.yearly) FILTER (WHERE a.at_risk), 0) AS risky_yearly, avg(a.score) AS score, avg(a.change_28d) AS change
          FROM (SELECT m.name FROM health_internal.model_bands(document) AS m ORDER BY m."position" LIMIT 1) AS b
          LEFT JOIN unnest(accounts) AS a ON a.in_book
          WHERE a.in_book OR NOT EXISTS (SELECT FROM unnest(accounts) AS c WHERE c.in_book)) AS f,
         (SELECT m.name FROM health_internal.model_bands(document) AS m ORDER BY m."position" LIMIT 1) AS b;
$$;

COMMENT ON FUNCTION health_internal.report_key_figures(jsonb, health_internal.report_account[]) IS 'The key figures of a book';

-- Customers without a band are a group of their own, the last one.
CREATE FUNCTION health_internal.report_groups(document jsonb, OUT "position" integer, OUT band text, OUT label text, OUT class text)
RETURNS SETOF record
LANGUAGE sql STABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m."position", m.name, health_internal.report_word(m.name), health_internal.band_class(document, m.name)
    FROM health_internal.model_bands(document) AS m
    UNION ALL SELECT 1000000, NULL, 'No band yet', 'bn' ORDER BY 1;
$$;

COMMENT ON FUNCTION health_internal.report_groups(jsonb) IS 'The bands of a model, the best first, and what has none';

CREATE FUNCTION health_internal.report_bands(document jsonb, accounts health_internal.report_account[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('Where the book stands',
        replace(health_internal.svg_bar(array_agg(100.0 * (g.reached - g.customers) / g.whole ORDER BY g."position"),
                                        array_agg(100.0 * g.reached / g.whole ORDER BY g."position"), array_agg(g.class
                                            ORDER BY g."position")),
                'class="bar"', 'class="bar tall"')
        || '<table><caption>Customers by band</caption><thead><tr><th scope="col">Band</th><th scope="col" class="n">Customers</th>'
           '<th scope="col" class="n extra">Share</th><th scope="col" class="n">28 days ago</th>'
        || CASE WHEN max(g.all_yearly) IS NULL THEN '' ELSE '<th scope="col" class="n">Yearly revenue</th>' END || '</tr></thead><tbody>'
        || string_agg(format('<tr><th scope="row" class="plain"><span class="dot %s"></span>%s</th><td class="n">%s</td>'
                             '<td class="n extra">%s</td>'
                             '<td class="n">%s</td>%s</tr>', g.class, g.label, health_internal.report_number(g.customers),
                             health_internal.report_share(g.customers, g.whole), health_internal.report_number(g.before),
                             CASE WHEN g.all_yearly IS NULL THEN ''
                                  ELSE '<td class="n">' || health_internal.report_number(coalesce(g.yearly, 0)) || '</td>' END),
                      E'\n' ORDER BY g."position")
        || '</tbody></table>')
    FROM (SELECT g.*, c.customers, c.yearly, c.before, sum(c.customers) OVER (ORDER BY g."position")::float8 AS reached,
                 nullif(sum(c.customers) OVER (), 0)::float8 AS whole, sum(c.yearly) OVER () AS all_yearly
          FROM health_internal.report_groups(document) AS g,
               LATERAL (SELECT count(*) FILTER (WHERE a.in_book AND a.band IS NOT DISTINCT FROM g.band) AS customers,
                               sum(a.yearly) FILTER (WHERE a.in_book AND a.band IS NOT DISTINCT FROM g.band) AS yearly,
                               CASE WHEN bool_or(d.past) THEN count(*) FILTER (WHERE d.past AND d.band IS NOT DISTINCT
                                   FROM g.band) END AS before
                        FROM unnest(accounts) AS a
                        LEFT JOIN LATERAL (SELECT true, a.past_bands[n] FROM generate_subscripts(a.past_days, 1) AS n
                                           WHERE a.past_days[n] = a.as_of - 28) AS d (past, band) ON true) AS c) AS g;
$$;

COMMENT ON FUNCTION health_internal.report_bands(jsonb, health_internal.report_account[]) IS 'How many customers are in which band';

-- A column a week: the first day on which nobody is known to have been in the book leaves a gap.
CREATE FUNCTION health_internal.report_flow(version health_internal.model_version, accounts health_internal.report_account[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH days AS (SELECT w.n, d.as_of - 7 * (12 - w.n) AS day
                  FROM generate_series(0, 12) AS w (n), (SELECT max(a.as_of) AS as_of FROM unnest(accounts) AS a) AS d),
    found AS (SELECT p.day, p.band, count(*) AS customers
              FROM unnest(accounts) AS a, LATERAL unnest(a.past_days, a.past_bands) AS p (day, band) GROUP BY 1, 2),
    cells AS (SELECT d.n, d.day, g."position", g.label, g.class, coalesce(f.customers, 0) AS customers
              FROM days AS d CROSS JOIN health_internal.report_groups(version.document) AS g
              LEFT JOIN found AS f ON f.day = d.day AND f.band IS NOT DISTINCT FROM g.band),
    weeks AS (SELECT c.n, c.day, sum(c.customers) AS customers,
                     string_agg('<td class="n">' || health_internal.report_number(c.customers) || '</td>', ''
                         ORDER BY c."position") AS figures
              FROM cells AS c GROUP BY 1, 2),
    axis AS (SELECT health_internal.axis_top(max(w.customers)) AS top, min(w.day) FILTER (WHERE w.customers > 0) AS first_day,
                    min(w.day) AS wanted, count(*) FILTER (WHERE w.customers > 0) AS weeks FROM weeks AS w)
    SELECT CASE WHEN x.weeks = 0 THEN '' ELSE health_internal.report_section('How it moved in 12 weeks',
        '<ul class="key">' || (SELECT string_agg(format('<li><span class="dot %s"></span>%s</li>', g.class, g.label), ''
            ORDER BY g."position")
                               FROM health_internal.report_groups(version.document) AS g) || '</ul>'
        || health_internal.report_plot(
            (SELECT health_internal.svg_columns(13, array_agg(c.n ORDER BY c.n, c."position" DESC),
                array_agg(c.customers::float8 ORDER BY c.n, c."position" DESC), array_agg(c.class ORDER BY c.n, c."position" DESC),
                array_agg(format('%s: %s %s', health_internal.report_day(c.day), c.customers, lower(c.label)) ORDER BY c.n,
                    c."position" DESC),
                x.top, 'Customers by band, a column a week',
                format('Of %s weeks from %s to %s. The figures stand in the table below.', x.weeks, health_internal.report_day(x.first_day),
                       health_internal.report_day((SELECT max(d.day) FROM days AS d)))) FROM cells AS c),
            '0', health_internal.report_number(x.top / 2), health_internal.report_number(x.top),
            (SELECT array_agg(to_char(d.day, 'FMDD FMMon') ORDER BY d.n) FROM days AS d))
        || CASE WHEN x.first_day > x.wanted THEN format('<p class="note">Recorded since %s. Earlier weeks: '
               'select health.backfill_history(%s, ''%s'', ''%s'', 7)</p>', health_internal.report_day(x.first_day),
               health_internal.html(quote_literal(version.model)), to_char(x.wanted, 'YYYY-MM-DD'), to_char(x.first_day - 1, 'YYYY-MM-DD'))
           ELSE '' END
        || '<details><summary>The figures</summary><div class="scroll"><table><caption>Customers by band and week</caption><thead><tr>'
           '<th scope="col">Week to</th>'
        || (SELECT string_agg('<th scope="col" class="n">' || g.label || '</th>', '' ORDER BY g."position")
            FROM health_internal.report_groups(version.document) AS g)
        || '</tr></thead><tbody>'
        || (SELECT string_agg('<tr><th scope="row" class="plain">' || health_internal.report_day(w.day) || '</th>' || w.figures || '</tr>',
            ''
                              ORDER BY w.n) FROM weeks AS w WHERE w.customers > 0)
        || '</tbody></table></div></details>') END
    FROM axis AS x;
$$;

COMMENT ON FUNCTION health_internal.report_flow(health_internal.model_version, health_internal.report_account[]) IS
    'How many customers were in which band, week by week';

CREATE FUNCTION health_internal.report_renewals(document jsonb, accounts health_internal.report_account[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH book AS (SELECT a.*, health_internal.month_of(a.renews_on) AS month, health_internal.month_of(a.as_of) AS present,
                         CASE WHEN h.money THEN coalesce(a.yearly, 0) ELSE 1 END AS amount
                  FROM unnest(accounts) AS a, (SELECT bool_or(b.yearly IS NOT NULL) AS money
                      FROM unnest(accounts) AS b WHERE b.in_book) AS h
                  WHERE a.in_book AND isfinite(a.renews_on)),
    months AS (SELECT m.n, m.month::date, coalesce(sum(b.amount) FILTER (WHERE b.at_risk), 0) AS risky,
                      coalesce(sum(b.amount) FILTER (WHERE NOT b.at_risk), 0) AS safe, count(b.amount) AS customers,
                      count(*) FILTER (WHERE b.at_risk) AS risky_customers
               FROM (SELECT n, (max(b.present) + make_interval(months => n))::date AS month FROM book AS b, generate_series(0, 11) AS n
                     GROUP BY n) AS m
               LEFT JOIN book AS b ON b.month = m.month AND b.renews_on >= b.as_of GROUP BY 1, 2),
    parts AS (SELECT m.n, p.part, p.value, p.class, format('%s: %s %s', to_char(m.month, 'FMMonth YYYY'),
        health_internal.report_number(p.value),
                     p.words) AS tip
              FROM months AS m, LATERAL (VALUES (1, m.risky, 'b6', 'at risk'), (2, m.safe, 'bn', 'not at risk')) AS p (part, value, class,
                  words)),
    axis AS (SELECT health_internal.axis_top(max(m.risky + m.safe)) AS top, count(*) AS months, sum(m.risky) AS risky, sum(m.safe) AS safe,
                    min(m.month) AS first_month, max(m.month) AS last_month, (SELECT count(*)
                        FROM book AS b WHERE b.renews_on < b.as_of) AS past,
                    CASE WHEN (SELECT bool_or(b.yearly IS NOT NULL) FROM unnest(accounts) AS b WHERE b.in_book) THEN 'yearly revenue'
                         ELSE 'customers' END AS what
             FROM months AS m)
    SELECT health_internal.report_section('Renewals at risk, month by month',
        CASE WHEN x.months = 0 THEN '<p class="note">No customer has a day of renewal. Name the fact that is your revenue, '
            '"revenue": {"fact": "subscriptions"}, with an "until", or a column of the account table: '
            '"accounts": {"columns": {"renewal_date": "...", "arr": "..."}}.</p>'
        ELSE format('<p>In the next 12 months %s of %s %s come up for renewal at risk (%s).%s</p>', health_internal.report_number(x.risky),
                    health_internal.report_number(x.risky + x.safe), x.what, health_internal.report_share(x.risky, x.risky + x.safe),
                    CASE WHEN x.past > 0 THEN format(' %s %s past the day of renewal.', x.past,
                         CASE x.past WHEN 1 THEN 'customer is' ELSE 'customers are' END) ELSE '' END)
        || '<ul class="key"><li><span class="dot b6"></span>At risk</li><li><span class="dot bn"></span>Not at risk</li></ul>'
        || health_internal.report_plot(
            (SELECT health_internal.svg_columns(12, array_agg(p.n ORDER BY p.n, p.part), array_agg(p.value::float8 ORDER BY p.n, p.part),
                array_agg(p.class ORDER BY p.n, p.part), array_agg(p.tip ORDER BY p.n, p.part), x.top,
                upper(left(x.what, 1)) || substr(x.what, 2) || ' by month of renewal',
                    format('From %s to %s. The figures stand in the table below.',
                    to_char(x.first_month, 'FMMonth YYYY'), to_char(x.last_month, 'FMMonth YYYY'))) FROM parts AS p),
            '0', health_internal.report_short(x.top / 2), health_internal.report_short(x.top),
            (SELECT array_agg(to_char(m.month, 'FMMon') ORDER BY m.n) FROM months AS m))
        || '<details><summary>The figures</summary><div class="scroll"><table><caption>Renewals by month</caption><thead><tr>'
           '<th scope="col">Month</th><th scope="col" class="n">Renewals</th><th scope="col" class="n">At risk</th>'
        || CASE x.what WHEN 'customers' THEN ''
            ELSE '<th scope="col" class="n">Yearly revenue</th><th scope="col" class="n">At risk</th>' END
        || '</tr></thead><tbody>'
        || (SELECT string_agg(format('<tr><th scope="row" class="plain">%s</th><td class="n">%s</td><td class="n">%s</td>%s</tr>',
                to_char(m.month, 'FMMonth YYYY'), m.customers, m.risky_customers, CASE x.what WHEN 'customers' THEN ''
                ELSE format('<td class="n">%s</td><td class="n">%s</td>', health_internal.report_number(m.risky + m.safe),
                            health_internal.report_number(m.risky)) END), '' ORDER BY m.n) FROM months AS m)
        || '</tbody></table></div></details>' END)
    FROM axis AS x;
$$;

COMMENT ON FUNCTION health_internal.report_renewals(jsonb, health_internal.report_account[]) IS
    'The renewals of the next twelve months and what of them is at risk, in yearly revenue where it is known';

CREATE FUNCTION health_internal.report_calls(document jsonb, accounts health_internal.report_account[], link_pattern text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH calls AS (SELECT a.*, row_number() OVER (ORDER BY a.score + least(coalesce(a.change_28d, 0), 0), a.yearly DESC NULLS LAST,
                                                  a.account_id) AS n
                   FROM unnest(accounts) AS a WHERE a.in_book AND a.score IS NOT NULL AND (a.at_risk OR a.change_28d <= -5)),
    has AS (SELECT bool_or(a.yearly IS NOT NULL) AS money, bool_or(a.renews_on IS NOT NULL) AS renewal
        FROM unnest(accounts) AS a WHERE a.in_book)
    SELECT health_internal.report_section('Whom to call first', CASE WHEN NOT EXISTS (SELECT FROM calls) THEN
        '<p>Nobody: no customer is at risk, and no score fell by 5 points in 28 days.</p>' ELSE
        format('<table class="cards" role="table"><caption>%s of %s customers who are at risk or fell by 5 points. The lowest '
               'first; a fall of '
               'the last 28 days counts as if it went on.</caption><thead role="rowgroup"><tr role="row">'
               '<th scope="col" role="columnheader">Customer</th><th scope="col" role="columnheader">Score</th>'
               '<th scope="col" role="columnheader" class="n">28 days</th>%s%s<th scope="col" role="columnheader">Why, and what to '
               'do</th></tr>'
               '</thead><tbody role="rowgroup">', least(max(c.n), 20), max(c.n),
               CASE WHEN bool_or(h.money) THEN '<th scope="col" role="columnheader" class="n">Yearly revenue</th>' ELSE '' END,
               CASE WHEN bool_or(h.renewal) THEN '<th scope="col" role="columnheader" class="n">Renewal</th>' ELSE '' END)
        || string_agg(format('<tr role="row"><th scope="row" role="rowheader">%s<div class="note">%s</div></th>'
               '<td role="cell" data-label="Score">%s</td><td role="cell" class="n" data-label="28 days">%s</td>%s%s'
               '<td role="cell" class="wide">%s%s</td></tr>',
               CASE WHEN link_pattern IS NULL THEN health_internal.html_name(coalesce(c.name, c.account_id))
                    ELSE format('<a href="%s">%s</a>', health_internal.html(replace(link_pattern, '%s',
                        health_internal.url_part(c.account_id))),
                                health_internal.html_name(coalesce(c.name, c.account_id))) END,
               health_internal.report_word(c.state), health_internal.report_band(document, c.score, c.band),
               health_internal.report_change(c.change_28d),
               CASE WHEN h.money THEN '<td role="cell" class="n" data-label="Yearly revenue">' || health_internal.report_number(c.yearly)
                   || '</td>'
                    ELSE '' END,
               CASE WHEN h.renewal THEN '<td role="cell" class="n" data-label="Renewal">' || coalesce(to_char(c.renews_on,
                   'FMDD FMMon YYYY'),
                    '&#8211;') || '</td>' ELSE '' END,
               '<p>' || health_internal.html(c.main_reason) || '</p>', '<p class="do">' || health_internal.html(c.next_step) || '</p>'),
               E'
' ORDER BY c.n) FILTER (WHERE c.n <= 20)
        || '</tbody></table>' END, 'long')
    FROM has AS h LEFT JOIN calls AS c ON true;
$$;

COMMENT ON FUNCTION health_internal.report_calls(jsonb, health_internal.report_account[], text) IS
    'The twenty customers who most need a call, with the reason and the next step';

CREATE FUNCTION health_internal.report_states(accounts health_internal.report_account[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('States', '<table><caption>Accounts by where they stand, beside their score</caption><thead><tr>'
        '<th scope="col">State</th><th scope="col" class="n">Accounts</th>'
        || CASE WHEN sum(s.yearly) IS NULL THEN '' ELSE '<th scope="col" class="n">Yearly revenue</th>' END || '</tr></thead><tbody>'
        || coalesce(string_agg(format('<tr><th scope="row" class="plain">%s<div class="note">%s</div></th><td class="n">%s</td>%s</tr>',
               health_internal.report_word(s.state), s.words, health_internal.report_number(s.accounts),
               CASE WHEN s.has_money THEN '<td class="n">' || health_internal.report_number(coalesce(s.yearly, 0)) || '</td>' ELSE '' END),
                   E'
'
               ORDER BY s.n), '') || '</tbody></table>')
    FROM (SELECT w.n, w.state, w.words, count(*) AS accounts, sum(a.yearly) AS yearly,
        bool_or(sum(a.yearly) IS NOT NULL) OVER () AS has_money
          FROM unnest(accounts) AS a
          JOIN (VALUES (1, 'active', 'somebody was active in the window'), (2, 'onboarding', 'too young for a judgement'),
                       (3, 'onboarding_stalled', 'new, and nobody has begun'), (4, 'never_started', 'nobody was ever active'),
                       (5, 'silent', 'nobody was active in the window'),
                       (6, 'tracking_suspect', 'silent while others are, too: is the tracking at fault?'),
                       (7, 'prospect', 'not a customer yet; not in the book'), (8, 'ended', 'no customer any more; not in the book'),
                       (9, 'not known', 'the data begin too late to tell')) AS w (n, state, words) ON w.state = coalesce(a.state,
                           'not known')
          GROUP BY 1, 2, 3) AS s;
$$;

COMMENT ON FUNCTION health_internal.report_states(health_internal.report_account[]) IS 'How many accounts are in which state';

CREATE FUNCTION health_internal.report_data(version health_internal.model_version, accounts health_internal.report_account[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('How good the data are',
        format('<p>The scores rest on %s of what the model asks for, in the mean.%s%s</p>',
            health_internal.report_share(avg(a.data_coverage), 1),
               CASE WHEN count(*) FILTER (WHERE a.data_coverage < 0.8) > 0
                    THEN format(' Of %s of %s it is less than 80&#160;%%.', count(*) FILTER (WHERE a.data_coverage < 0.8),
                                CASE count(*) WHEN 1 THEN '1 customer' ELSE health_internal.report_number(count(*)) || ' customers' END)
                                    ELSE '' END,
               CASE WHEN max(a.as_of) < t.today THEN format(' The scores are as of %s; today is %s for this model.',
                    health_internal.report_day(max(a.as_of)), health_internal.report_day(t.today)) ELSE '' END)
        || coalesce((SELECT '<table><caption>What is said of customers without a score, or whose score waits</caption><thead><tr>'
               '<th scope="col">Reason</th><th scope="col" class="n">Customers</th></tr></thead><tbody>'
               || string_agg('<tr><th scope="row" class="plain">' || health_internal.html(left(r.reason, 500)) || '</th><td class="n">'
                   || r.customers
                             || '</td></tr>', '' ORDER BY r.customers DESC, r.reason) || '</tbody></table>'
               FROM (SELECT b.unknown_reason AS reason, count(*) AS customers FROM unnest(accounts) AS b
                     WHERE b.in_book AND b.unknown_reason IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5) AS r
               HAVING count(*) > 0), '')
        || format('<p class="note">What is wrong with the events themselves: select * from health.tracking_plan(%s)</p>',
                  health_internal.html(quote_literal(version.model))))
    FROM (SELECT health_internal.model_today(version.document) AS today) AS t LEFT JOIN unnest(accounts) AS a ON a.in_book GROUP BY t.today;
$$;

COMMENT ON FUNCTION health_internal.report_data(health_internal.model_version, health_internal.report_account[]) IS
    'How much of what a model asks for is known, and why scores are missing';

CREATE FUNCTION health_internal.report_of_book(version health_internal.model_version, link_pattern text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts CONSTANT health_internal.report_account[] := ARRAY(SELECT a FROM health_internal.report_book(version, NULL, 7) AS a);
    document CONSTANT jsonb := version.document;
    today CONSTANT date := coalesce((SELECT max(a.as_of) FROM unnest(accounts) AS a), health_internal.model_today(document));
    is_empty CONSTANT boolean := NOT EXISTS (SELECT FROM unnest(accounts) AS a WHERE a.in_book);
    title CONSTANT text := 'Customer health: ' || health_internal.html(version.model);
BEGIN
    RETURN health_internal.report_page(title || ', ' || health_internal.report_day(today),
        format('<h1>%s</h1><p class="sub">As of %s, by version %s of the model</p>%s', title, health_internal.report_day(today),
            version.version,
               '<p>' || health_internal.html(left(document ->> 'description', 1000)) || '</p>')
        || CASE WHEN is_empty THEN '' ELSE health_internal.report_key_figures(document, accounts) END,
        CASE WHEN is_empty THEN health_internal.report_section('The book is empty',
            format('<p>No account is a customer on %s%s.</p>', health_internal.report_day(today), CASE WHEN cardinality(accounts) = 0
                   THEN '; the account source has no account' ELSE '' END))
             || CASE WHEN cardinality(accounts) > 0 THEN health_internal.report_states(accounts) ELSE '' END
        ELSE '<div class="halves">' || health_internal.report_bands(document, accounts) || health_internal.report_flow(version, accounts)
            || '</div>'
             || health_internal.report_calls(document, accounts, link_pattern) || health_internal.report_renewals(document, accounts)
             || '<div class="halves">' || health_internal.report_states(accounts) || health_internal.report_data(version, accounts)
                 || '</div>' END,
        '<p>At risk: in one of the two lowest bands, or silent. A score of 100 is the best there is.</p>');
END;
$$;

COMMENT ON FUNCTION health_internal.report_of_book(health_internal.model_version, text) IS 'report_html() of a whole book';

-- The report of one account: its score, where the points are lost, what moved it, its people.

-- Rows of a waterfall: each part begins where the one before it ended. Parts of less than 0.05 points are one.
CREATE FUNCTION health_internal.report_waterfall(caption text, first_label text, start float8, labels text[], remarks text[],
    points float8[],
    last_label text, document jsonb, band text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('<table class="cards" role="table"><caption>%s</caption><thead role="rowgroup"><tr role="row">'
        '<th scope="col" role="columnheader">Part</th><th scope="col" role="columnheader" class="n">Points</th>'
        '<td role="cell" class="wide"></td></tr></thead><tbody role="rowgroup">', caption)
        || format('<tr role="row"><th scope="row" role="rowheader">%s</th><td role="cell" class="n">%s</td>'
                  '<td role="cell" class="wide">%s</td></tr>',
                  first_label, health_internal.report_number(start, 1), health_internal.svg_bar('{0}', ARRAY[start], '{bn}'))
        || coalesce(string_agg(format('<tr role="row"><th scope="row" role="rowheader" class="plain">%s%s</th>'
                                      '<td role="cell" class="n">%s</td>'
               '<td role="cell" class="wide">%s</td></tr>', p.label, '<div class="note">' || p.remark || '</div>',
               health_internal.report_change(p.points),
               health_internal.svg_bar(ARRAY[least(greatest(p.reached - p.points, 0), 100)], ARRAY[least(greatest(p.reached, 0), 100)],
                                       ARRAY[CASE WHEN p.points < 0 THEN 'b6' ELSE 'b1' END])), E'\n' ORDER BY p.n)
                    FILTER (WHERE abs(p.points) >= 0.05), '')
        || format('<tr role="row"><th scope="row" role="rowheader">%s</th><td role="cell" class="n">%s</td>'
                  '<td role="cell" class="wide">%s</td></tr>',
                  last_label, health_internal.report_number(start + coalesce(sum(p.points), 0), 1),
                  health_internal.svg_bar('{0}', ARRAY[least(greatest(start + coalesce(sum(p.points), 0), 0), 100)],
                                          ARRAY[health_internal.band_class(document, band)]))
        || '</tbody></table>'
    FROM (SELECT r.*, start + sum(r.points) OVER (ORDER BY r.n) AS reached
          FROM (SELECT min(u.label) AS label, min(u.remark) AS remark, sum(u.points) AS points, min(u.n) AS n
                FROM (SELECT v.label, v.remark, v.points, v.n
                      FROM ROWS FROM (unnest(labels), unnest(remarks), unnest(points)) WITH ORDINALITY AS v (label, remark, points, n)
                      WHERE abs(v.points) >= 0.05
                      UNION ALL
                      SELECT 'Others', NULL, v.points, 1000000 FROM unnest(points) AS v (points) WHERE abs(v.points) < 0.05) AS u
                GROUP BY u.n) AS r) AS p;
$$;

COMMENT ON FUNCTION health_internal.report_waterfall(text, text, float8, text[], text[], float8[], text, jsonb, text) IS
    'A waterfall from start through parts to their sum, as a table with bars; texts are HTML';

CREATE FUNCTION health_internal.report_lost_points(document jsonb, account health_internal.report_account, signals health.signal_score[])
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('Where the points are lost', CASE WHEN account.score IS NULL
        THEN '<p>There is no score: ' || coalesce(health_internal.html(left(account.unknown_reason, 500)), 'too little is known') || '.</p>'
        ELSE health_internal.report_waterfall('From 100 points to the score, the dearest signal first', 'The best there is', 100,
            array_agg(health_internal.html(p.label) ORDER BY p.step, p.points, p.n),
            array_agg(health_internal.html(left(p.phrase, 500)) ORDER BY p.step, p.points, p.n),
            array_agg(p.points ORDER BY p.step, p.points, p.n), 'Score', document, account.band) END)
    FROM (SELECT s."position" AS n, CASE s.signal WHEN 'override' THEN 2 ELSE 1 END AS step, coalesce(s.label, s.signal) AS label, s.phrase,
                 CASE WHEN s.weight IS NULL OR s.signal = 'override' THEN s.points ELSE s.points - 100 * s.weight END AS points
          FROM unnest(signals) AS s
          WHERE s.level > 0 AND s.points IS NOT NULL AND NOT EXISTS (SELECT FROM unnest(signals) AS c WHERE c.parent = s.signal)) AS p;
$$;

COMMENT ON FUNCTION health_internal.report_lost_points(jsonb, health_internal.report_account, health.signal_score[]) IS
    'The points that each signal costs, from 100 to the score';

CREATE FUNCTION health_internal.report_moves(document jsonb, account health_internal.report_account,
    changes health.change_row[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('What moved it in 28 days', CASE WHEN t.normalized_from IS NULL OR t.normalized_to IS NULL
        THEN '<p>' || coalesce(health_internal.html(t.phrase), 'There is no score of one of the two days') || '.</p>'
        ELSE health_internal.report_waterfall(
            format('From %s to %s', health_internal.report_day(account.as_of - 28), health_internal.report_day(account.as_of)),
            format('Score on %s', health_internal.report_day(account.as_of - 28)), t.normalized_from,
            p.labels, p.remarks, p.points, format('Score on %s', health_internal.report_day(account.as_of)), document, account.band) END)
    FROM (SELECT c.* FROM unnest(changes) AS c WHERE c.step = 'total') AS t,
         (SELECT array_agg(health_internal.html(coalesce(c.label, c.signal, c.step)) ORDER BY abs(c.points) DESC, c."position") AS labels,
                 array_agg(health_internal.html(concat_ws('; ', c.raw_from || ' -> ' || c.raw_to, left(c.because, 500)))
                           ORDER BY abs(c.points) DESC, c."position") AS remarks,
                 array_agg(c.points ORDER BY abs(c.points) DESC, c."position") AS points
          FROM unnest(changes) AS c WHERE c.step <> 'total' AND c.points <> 0) AS p;
$$;

COMMENT ON FUNCTION health_internal.report_moves(jsonb, health_internal.report_account, health.change_row[]) IS
    'The parts of the change of a score in 28 days';

CREATE FUNCTION health_internal.report_course(account health_internal.report_account) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '<div class="halves">' || CASE WHEN s.known < 2 THEN '' ELSE health_internal.report_section('Score in 12 weeks',
        replace(health_internal.report_plot(health_internal.svg_line(s.scores, 0, 100, 'Score, day by day',
            format('From %s on %s to %s on %s; lowest %s, highest %s.', health_internal.report_number(s.first_score),
                   health_internal.report_day(s.first_day), health_internal.report_number(account.score),
                   health_internal.report_day(account.as_of), health_internal.report_number(s.lowest),
                       health_internal.report_number(s.highest))),
            '0', '50', '100', ARRAY[to_char(account.as_of - 84, 'FMDD FMMon'),
                                    to_char(account.as_of, 'FMDD FMMon')]), 'class="x"', 'class="x ends"')) END
        || CASE WHEN account.weekly IS NULL THEN '' ELSE health_internal.report_section('Activity in 12 weeks',
        health_internal.report_plot(health_internal.svg_columns(cardinality(account.weekly), w.weeks, account.weekly::float8[],
            array_fill('mark'::text, ARRAY[cardinality(account.weekly)]), w.tips, w.top, 'Events, a column a week',
            'Events of each week: ' || array_to_string(account.weekly, ', ') || '.'), '0', health_internal.report_number(w.top / 2),
            health_internal.report_number(w.top), w.labels)) END || '</div>'
    FROM (SELECT array_agg(p.score ORDER BY d.n) AS scores, count(p.score) AS known, min(p.score) AS lowest, max(p.score) AS highest,
                 (array_agg(p.score ORDER BY d.n) FILTER (WHERE p.score IS NOT NULL))[1] AS first_score,
                 min(p.day) FILTER (WHERE p.score IS NOT NULL) AS first_day
          FROM generate_series(0, 84) AS d (n)
          LEFT JOIN unnest(account.past_days, account.past_scores) AS p (day, score) ON p.day = account.as_of - 84 + d.n) AS s,
         (SELECT array_agg((v.n - 1)::integer ORDER BY v.n) AS weeks, health_internal.axis_top(max(v.events)) AS top,
                 array_agg(format('Week from %s: %s', health_internal.report_day(v.day), health_internal.report_number(v.events))
                     ORDER BY v.n)
                     AS tips, array_agg(to_char(v.day, 'FMDD FMMon') ORDER BY v.n) AS labels
          FROM (SELECT u.n, u.events, account.as_of - 7 * (cardinality(account.weekly) - u.n + 1)::integer AS day
                FROM unnest(account.weekly) WITH ORDINALITY AS u (events, n)) AS v) AS w;
$$;

COMMENT ON FUNCTION health_internal.report_course(health_internal.report_account) IS
    'The last twelve weeks of an account: score and events';

CREATE FUNCTION health_internal.report_signals(document jsonb, signals health.signal_score[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('Signals',
        '<table class="cards" role="table"><caption>Each signal as measured, as a score of 0 to 100, and what it is worth</caption>'
        '<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Signal</th>'
        '<th scope="col" role="columnheader">Measured</th>'
        '<th scope="col" role="columnheader" class="n">Score</th><th scope="col" role="columnheader" class="n">Weight</th>'
        '<th scope="col" role="columnheader" class="n">Points</th><th scope="col" role="columnheader">Finding, and what to do</th>'
        '</tr></thead>'
        '<tbody role="rowgroup">'
        || string_agg(format('<tr role="row"><th scope="row" role="rowheader"%s>%s</th><td role="cell" data-label="Measured">%s</td>'
               '<td role="cell" class="n" data-label="Score">%s</td><td role="cell" class="n" data-label="Weight">%s</td>'
               '<td role="cell" class="n" data-label="Points">%s</td><td role="cell" class="wide">%s%s</td></tr>',
               CASE WHEN s.level > 1 THEN ' class="plain"' ELSE '' END, health_internal.html(coalesce(s.label, s.signal)),
               coalesce(health_internal.html(left(s.raw_text, 200)), '&#8211;'), health_internal.report_number(s.normalized),
               health_internal.report_share(s.weight, 1), health_internal.report_number(s.points, 1),
               '<p>' || health_internal.html(left(coalesce(s.phrase, s.reason), 1000)) || '</p>',
               '<p class="do">' || health_internal.html(left(s.next_step, 1000)) || '</p>'), E'\n' ORDER BY s."position")
        || '</tbody></table>', 'long')
    FROM unnest(signals) AS s WHERE s.level > 0;
$$;

COMMENT ON FUNCTION health_internal.report_signals(jsonb, health.signal_score[]) IS 'The signals of an account';

CREATE FUNCTION health_internal.report_overrides(model text, account text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('What people decided',
        '<table class="cards" role="table"><caption>Overrides of the score, the last one first</caption><thead role="rowgroup">'
        '<tr role="row">'
        '<th scope="col" role="columnheader">What</th><th scope="col" role="columnheader">From</th>'
        '<th scope="col" role="columnheader">Until</th>'
        '<th scope="col" role="columnheader">By</th><th scope="col" role="columnheader">Why</th></tr></thead><tbody role="rowgroup">'
        || string_agg(format('<tr role="row"><th scope="row" role="rowheader">%s %s</th><td role="cell" data-label="From">%s</td>'
               '<td role="cell" data-label="Until">%s</td><td role="cell" data-label="By">%s</td><td role="cell" class="wide">%s</td></tr>',
               health_internal.report_word(o.kind), health_internal.report_number(o.value, 1), health_internal.report_day(o.from_day),
               CASE WHEN isfinite(least(o.ended, o.expires)) THEN health_internal.report_day(least(o.ended, o.expires))
                   ELSE 'further notice' END, health_internal.html_name(o.owner),
               health_internal.html(left(o.reason, 1000))), E'\n' ORDER BY o.number DESC) || '</tbody></table>')
    FROM (SELECT o.* FROM health_internal.score_override AS o
          WHERE o.model = report_overrides.model AND o.account = report_overrides.account ORDER BY o.number DESC LIMIT 20) AS o
    HAVING count(*) > 0;
$$;

COMMENT ON FUNCTION health_internal.report_overrides(text, text) IS 'What was decided about the score of an account; NULL: nothing';

CREATE FUNCTION health_internal.report_people(document jsonb, usage health.usage, as_of date) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '<div class="halves">' || health_internal.report_section('Busiest people', coalesce(
        (SELECT format('<table><caption>Events in %s days</caption><thead><tr><th scope="col">User</th>'
                       '<th scope="col" class="n">Events</th>'
                       '<th scope="col" class="n">Share</th></tr></thead><tbody>', w.days)
             || string_agg(format('<tr><th scope="row" class="plain">%s</th><td class="n">%s</td><td class="n">%s</td></tr>',
                    health_internal.html_name(u.user_id), health_internal.report_number(u.contribution),
                        health_internal.report_share(u.share, 1)),
                    '' ORDER BY u.n) || '</tbody></table>'
         FROM health.top_users(usage, as_of, 5, window_days => w.days, catalog => document -> 'catalog') WITH ORDINALITY
             AS u (user_id, contribution, share, n) HAVING count(*) > 0),
        format('<p>Nobody was active in %s days.</p>', w.days)))
    || health_internal.report_section('Who fell quiet', coalesce(
        (SELECT format('<table><caption>Did at most half as much in %s days as in the %1$s before</caption><thead><tr>'
                       '<th scope="col">User</th>'
                       '<th scope="col" class="n">Before</th><th scope="col" class="n">Now</th>'
                       '<th scope="col" class="n">Last seen</th></tr>'
                       '</thead><tbody>', w.days)
             || string_agg(format('<tr><th scope="row" class="plain">%s</th><td class="n">%s</td><td class="n">%s</td>'
                                  '<td class="n">%s</td></tr>',
                    health_internal.html_name(u.user_id), health_internal.report_number(u.before), health_internal.report_number(u.now),
                    to_char(u.last_day, 'FMDD FMMon')), '' ORDER BY u.lost DESC, u.user_id) || '</tbody></table>'
         FROM (SELECT q.* FROM health.quiet_users(usage, as_of, window_days => w.days, catalog => document -> 'catalog') AS q
               ORDER BY q.lost DESC, q.user_id LIMIT 5) AS u HAVING count(*) > 0), '<p>Nobody.</p>')) || '</div>'
    FROM (SELECT coalesce((document ->> 'window_days')::integer, 28)) AS w (days);
$$;

COMMENT ON FUNCTION health_internal.report_people(jsonb, health.usage, date) IS 'Who does most in an account, and who stopped';

CREATE FUNCTION health_internal.report_of_account(version health_internal.model_version, account text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := version.document;
    id CONSTANT text := health_internal.find_account(version.model, version, account);
    found health_internal.report_account := (SELECT a FROM health_internal.report_book(version, id, 1) AS a);
    signals health.signal_score[];
    changes health.change_row[];
    before health.account_state;
    after health.account_state;
    name text;
BEGIN
    IF found.account_id IS NULL THEN    -- since the last refresh
        RAISE EXCEPTION 'model "%": account "%" has no score yet', version.model, account
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = pg_catalog.format('CALL health.refresh(%L) scores it.',
                version.model);
    END IF;
    after := health_internal.read_account(version.model, version, id, found.as_of);
    before := health_internal.read_account(version.model, version, id, found.as_of - 28);
    signals := ARRAY(SELECT s FROM health_internal.signal_rows(document, after.as_of, health_internal.account_signals(document, after),
        after.overrides, health_internal.book_changes_at(version, after.as_of)) AS s);
    changes := ARRAY(SELECT c FROM health.score_change(document, document, before, after) AS c);
    name := coalesce(found.name, found.account_id);
    RETURN health_internal.report_page(health_internal.html(left(name, 200)) || ', ' || health_internal.report_day(found.as_of),
        format('<h1>%s</h1><p class="sub">Account %s as of %s, by version %s of model %s</p>', health_internal.html_name(name),
               health_internal.html_name(found.account_id), health_internal.report_day(found.as_of), version.version,
               health_internal.html_name(version.model))
        || '<dl class="tiles">'
        || health_internal.report_tile('Score', health_internal.report_number(found.score), CASE WHEN found.band IS NULL THEN 'no band'
               ELSE format('<span class="dot %s"></span>%s', health_internal.band_class(document, found.band),
                           lower(health_internal.report_word(found.band))) END)
        || health_internal.report_tile('In 28 days', health_internal.report_change(found.change_28d), 'points')
        || health_internal.report_tile('State', coalesce(health_internal.report_word(found.state), '&#8211;'),
                                       health_internal.html(found.state_reason))
        || CASE WHEN found.yearly IS NULL THEN '' ELSE health_internal.report_tile('Yearly revenue',
            health_internal.report_number(found.yearly)) END
        || CASE WHEN found.renews_on IS NULL THEN '' ELSE health_internal.report_tile('Renewal',
               CASE WHEN found.renews_on < found.as_of THEN format('%s days ago', found.as_of - found.renews_on)
                    ELSE format('%s days', found.renews_on - found.as_of) END, health_internal.report_day(found.renews_on)) END
        || CASE WHEN found.score_without_top_user IS NULL THEN '' ELSE
               health_internal.report_tile('Without one user', health_internal.report_number(found.score_without_top_user),
                   'the score without the busiest') END
        || '</dl>'
        || coalesce('<p class="lead">' || health_internal.html(left((SELECT s.phrase FROM unnest(signals) AS s WHERE s.level = 0), 2000))
            || '</p>', '')
        || coalesce('<p class="lead do">' || health_internal.html(left(found.next_step, 1000)) || '</p>', ''),
        health_internal.report_lost_points(document, found, signals) || coalesce(health_internal.report_moves(document, found, changes), '')
        || coalesce(health_internal.report_course(found), '') || coalesce(health_internal.report_signals(document, signals), '')
        || coalesce(health_internal.report_overrides(version.model, id), '') || health_internal.report_people(document, after.parts[1],
            found.as_of),
        '<p>Points add up to the score. A score of 100 is the best there is.</p>');
END;
$$;

COMMENT ON FUNCTION health_internal.report_of_account(health_internal.model_version, text) IS 'report_html() of one account';

-- A page about the health of the customers of a model, or of one of them, for people without a BI tool.

CREATE FUNCTION health_internal.report_html_as_owner(model text, account text, link_pattern text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
BEGIN
    IF link_pattern IS NOT NULL AND link_pattern !~ '^(https?://)?[^:]*%s[^:]*$' THEN
        RAISE EXCEPTION 'link_pattern "%" is no address of accounts', link_pattern
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give a relative or an http address with %s where the id of the account goes: ''account-%s.html''.';
    END IF;
    RETURN CASE WHEN account IS NULL THEN health_internal.report_of_book(version, link_pattern)
                ELSE health_internal.report_of_account(version, account) END;
END;
$$;

COMMENT ON FUNCTION health_internal.report_html_as_owner(text, text, text) IS 'report_html() as the owner of the model';

CREATE FUNCTION health.report_html(model text, account text DEFAULT NULL, link_pattern text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT r.page FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT health_internal.report_html_as_owner($1, $2, $3)', model, account, link_pattern) AS r (page text));
END;
$$;

COMMENT ON FUNCTION health.report_html(text, text, text) IS
    'A page of HTML about the customers of a model, or with account about one of them: what is kept in it is all it needs, no '
    'network and no '
    'script. link_pattern: address of the page of an account, %s being its id, as account-%s.html; by default names are no links';

DROP FUNCTION health_internal.relation_grants(health_internal.score_view);
DROP FUNCTION health_internal.compile_book_rows(health_internal.tracking, jsonb, boolean);
DROP FUNCTION health_internal.compile_recorded_past(integer, text, jsonb);
DROP FUNCTION health_internal.book_columns(health_internal.compiled_model);
DROP FUNCTION health_internal.compile_known_usage(date);
DROP FUNCTION health_internal.score_relations(name, name);
-- Columns of the views are those of the tables.
DO $$
DECLARE
    described record;
BEGIN
    FOR described IN
        SELECT v.oid::regclass AS relation, a.attname, pg_catalog.col_description(t.oid, b.attnum) AS words
        FROM pg_catalog.pg_class AS v JOIN pg_catalog.pg_class AS t ON t.relnamespace = v.relnamespace AND t.relname = v.relname || '_table'
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = v.oid AND a.attnum > 0
        JOIN pg_catalog.pg_attribute AS b ON b.attrelid = t.oid AND b.attname = a.attname
        WHERE v.relnamespace = 'health_internal'::regnamespace AND v.relkind = 'v'
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', described.relation, described.attname, described.words);
    END LOOP;
END;
$$;
SELECT health_internal.hide_internals();
SELECT health_internal.recompile();
