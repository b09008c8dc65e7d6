-- Scores: weighted means, bands, and the score of an account by a model.

CREATE FUNCTION health.health_score("values" float8[], weights float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_health_score'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION health.health_score(float8[], float8[]) IS
    'weighted mean of the known values; NULL values are left out, see score_coverage';

CREATE FUNCTION health.score_coverage("values" float8[], weights float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_score_coverage'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION health.score_coverage(float8[], float8[]) IS
    'data coverage: weights of the known values / all weights, between 0 and 1';

-- State of the aggregates: exact sums of weight x value, known weights and all weights, as non-overlapping doubles (a third of the
-- array each). Float sums depend on the order of addition; these do not, so serial, parallel and distributed plans agree to the bit.
CREATE FUNCTION health_internal.health_score_add(state float8[], value float8, weight float8) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'health_health_score_add'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.health_score_add(float8[], float8, float8) IS
    'transition function of the aggregates health_score and score_coverage';

CREATE FUNCTION health_internal.health_score_combine(state float8[], other float8[]) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'health_health_score_combine'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.health_score_combine(float8[], float8[]) IS
    'combine function of the aggregates health_score and score_coverage';

CREATE FUNCTION health_internal.health_score_result(state float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_health_score_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.health_score_result(float8[]) IS 'final function of the aggregate health_score';

CREATE FUNCTION health_internal.score_coverage_result(state float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_score_coverage_result'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION health_internal.score_coverage_result(float8[]) IS 'final function of the aggregate score_coverage';

CREATE AGGREGATE health.health_score(value float8, weight float8) (
    SFUNC = health_internal.health_score_add, STYPE = float8[], SSPACE = 120,
    FINALFUNC = health_internal.health_score_result, COMBINEFUNC = health_internal.health_score_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.health_score(float8, float8) IS
    'weighted mean of the known values; rows with a NULL value are left out, rows with a NULL weight are skipped';

CREATE AGGREGATE health.score_coverage(value float8, weight float8) (
    SFUNC = health_internal.health_score_add, STYPE = float8[], SSPACE = 120,
    FINALFUNC = health_internal.score_coverage_result, COMBINEFUNC = health_internal.health_score_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE health.score_coverage(float8, float8) IS
    'data coverage: weights of the known values / all weights, between 0 and 1';

CREATE FUNCTION health.band(score float8) RETURNS text
    AS 'MODULE_PATHNAME', 'health_band'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health.band(float8) IS
    'healthy from 80, stable from 60, at_risk from 40, else critical; on the unrounded score';

CREATE FUNCTION health.band(score float8, bands jsonb) RETURNS text
    AS 'MODULE_PATHNAME', 'health_band_of'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION health.band(float8, jsonb) IS
    'band of a score by a list such as [{"name": "good", "from": 50}, {"name": "bad"}]; on the unrounded score';

CREATE TYPE health.account_score AS (
    score float8,
    band text,
    coverage float8,
    unknown_reason text,
    change_7d float8,
    change_28d float8,
    main_reason text,
    next_step text,
    score_without_top_user float8,
    in_book boolean,
    state text,
    state_reason text,
    override_reason text
);
COMMENT ON TYPE health.account_score IS 'score of one account on one day, with what moved it';
COMMENT ON COLUMN health.account_score.score IS
    '0 (worst) to 100 (best), after an override that has effect; NULL when unknown, see unknown_reason';
COMMENT ON COLUMN health.account_score.band IS 'name of the model''s band that the unrounded score falls into';
COMMENT ON COLUMN health.account_score.coverage IS 'share of the model''s weight that rests on known signals, 0 to 1';
COMMENT ON COLUMN health.account_score.unknown_reason IS 'why the score is NULL';
COMMENT ON COLUMN health.account_score.change_7d IS 'score minus the score 7 days before, in points';
COMMENT ON COLUMN health.account_score.change_28d IS 'score minus the score 28 days before, in points';
COMMENT ON COLUMN health.account_score.main_reason IS
    'an override that has effect, else the signal that moved the score most in 28 days, else the one that costs most points, in words';
COMMENT ON COLUMN health.account_score.next_step IS
    'what the model recommends: for the signal that costs most, or about an account in which nobody is active';
COMMENT ON COLUMN health.account_score.score_without_top_user IS
    'the score with the most active user''s activity removed, concentration as it is; never above the score';
COMMENT ON COLUMN health.account_score.in_book IS 'whether the account is a customer on the day: begun, and not ended';
COMMENT ON COLUMN health.account_score.state IS
    'prospect, ended, tracking_suspect, onboarding, onboarding_stalled, never_started, silent or active; '
    'NULL when the ledger begins too late to tell';
COMMENT ON COLUMN health.account_score.state_reason IS 'the state in words, since when; NULL of active accounts';
COMMENT ON COLUMN health.account_score.override_reason IS
    'the override that has effect on the score, in words: what, by whom, until when and why; NULL when none has';

CREATE TYPE health.signal_score AS (
    "position" int,
    signal text,
    parent text,
    label text,
    level int,
    raw float8,
    raw_text text,
    normalized float8,
    weight float8,
    points float8,
    reason text,
    phrase text,
    next_step text,
    counted float8,
    basis float8,
    book float8
);
COMMENT ON TYPE health.signal_score IS 'one signal of the score of one account on one day; the last row is the score itself';
COMMENT ON COLUMN health.signal_score."position" IS 'order in the model, depth first';
COMMENT ON COLUMN health.signal_score.signal IS
    'name in the model; "score" in the last row, "override" in the row before when an override has effect on the score';
COMMENT ON COLUMN health.signal_score.parent IS 'name of the group that the signal belongs to; NULL at the top';
COMMENT ON COLUMN health.signal_score.label IS 'name for people';
COMMENT ON COLUMN health.signal_score.level IS '1 at the top, 2 in a group, ...; 0 for the score';
COMMENT ON COLUMN health.signal_score.raw IS 'value as measured, before normalising; NULL for groups, categories and unknown values';
COMMENT ON COLUMN health.signal_score.raw_text IS 'value as measured, as text';
COMMENT ON COLUMN health.signal_score.normalized IS 'value as a score of 0 to 100; NULL when unknown';
COMMENT ON COLUMN health.signal_score.weight IS 'share of the whole score after unknown signals are left out, 0 to 1';
COMMENT ON COLUMN health.signal_score.points IS
    'contribution to the score: weight x normalized, of an override the difference that it makes; leaves and override add up to the score';
COMMENT ON COLUMN health.signal_score.reason IS
    'why the value is unknown; nobody_active is known all the same: the signal has the lowest score that there is';
COMMENT ON COLUMN health.signal_score.phrase IS 'the finding in words';
COMMENT ON COLUMN health.signal_score.next_step IS 'what the model recommends for a value like this; NULL when nothing';
COMMENT ON COLUMN health.signal_score.counted IS
    'the value that is scored where it is not raw: shrunk toward the median of the book, because the account is small';
COMMENT ON COLUMN health.signal_score.basis IS 'how many people, or events, the raw value rests on, where it was shrunk';
COMMENT ON COLUMN health.signal_score.book IS
    'what the whole book did on the same day, of a signal that is held against it: the median of raw over accounts that are not silent; '
    'NULL of fewer than 10, and where one account is scored by itself';

CREATE TYPE health.account_state AS (
    parts health.usage[],
    as_of date,
    account_start date,
    seats float8,
    inputs text[],
    observed date[],
    segments text[],
    past_inputs text[],
    past_observed date[],
    repeated boolean,
    account_end date,
    ledger_start date,
    past_step integer,
    in_filter boolean[],
    overrides health.score_override[],
    outages date[]
);
COMMENT ON TYPE health.account_state IS 'what scoring takes of an account';
COMMENT ON COLUMN health.account_state.parts IS 'ledgers that add up to the account''s usage';
COMMENT ON COLUMN health.account_state.as_of IS 'day of the score: it rests on events of days before it';
COMMENT ON COLUMN health.account_state.account_start IS
    'since when the account is a customer; NULL or -infinity: its first activity or joining; '
    'infinity: on no day yet';
COMMENT ON COLUMN health.account_state.seats IS 'licensed seats; NaN or below 0: recorded, but no number of seats';
COMMENT ON COLUMN health.account_state.inputs IS
    'values of the column, expression, query and pulse signals, in the order of model_inputs(model); a pulse as "2 by maria: note"';
COMMENT ON COLUMN health.account_state.observed IS 'days from which the inputs are; an input counts for dates after its day';
COMMENT ON COLUMN health.account_state.segments IS 'peer groups for percentile normalizers, in the order of the inputs';
COMMENT ON COLUMN health.account_state.past_inputs IS
    'inputs of earlier days: row n is of n x past_step days before as_of; without them the inputs stand for the past as well';
COMMENT ON COLUMN health.account_state.past_observed IS 'days from which the past inputs are, a row for each of theirs';
COMMENT ON COLUMN health.account_state.repeated IS
    'true when the account source has the account more than once: nobody can say which row is right, so it is not scored';

COMMENT ON COLUMN health.account_state.account_end IS
    'the first day on which the account is no customer any more; NULL or infinity: open';
COMMENT ON COLUMN health.account_state.ledger_start IS
    'the first day that the ledgers keep; NULL or -infinity: all days. What needs earlier ones is unknown (before_ledger)';

COMMENT ON COLUMN health.account_state.past_step IS 'days between rows of past_inputs, and elements of in_filter; NULL: 1';
COMMENT ON COLUMN health.account_state.in_filter IS
    'whether the accounts of the day had the account: element n + 1 is of n x past_step days before as_of, NULL where they had it more '
    'than once; NULL: on all days';

COMMENT ON COLUMN health.account_state.outages IS
    'first and last days, by turns, on which tracking was broken, infinity where it still is: dates within are scored as of the first day; '
    'NULL: none';
COMMENT ON COLUMN health.account_state.overrides IS
    'what was ever decided about the score, in the order in which it was: of those that hold on a day the last stands; NULL: nothing';

CREATE TYPE health_internal.signal_values AS (
    raw float8[],
    raw_text text[],
    normalized float8[],
    reason "char"[],
    whole float8[],
    observed date[],
    counted float8[],
    basis float8[],
    state "char",
    since date
);
COMMENT ON TYPE health_internal.signal_values IS
    'what the signals of a score are told from, with signal_rows(): an element per signal in the order of the model, groups with none; '
        'arrays of nothing are NULL';
COMMENT ON COLUMN health_internal.signal_values.raw IS 'values as measured';
COMMENT ON COLUMN health_internal.signal_values.raw_text IS 'values from outside as given, where raw does not say the same';
COMMENT ON COLUMN health_internal.signal_values.normalized IS 'values as scores of 0 to 100';
COMMENT ON COLUMN health_internal.signal_values.reason IS
    'why a value is unknown: n no_data, z zero_denominator, y insufficient_history, s source_stale, a not_applicable, '
    'b bad_value, r repeated_account, i nobody_active, l before_ledger';
COMMENT ON COLUMN health_internal.signal_values.whole IS
    'the number that words tell besides the value: users, active users, features or weeks that it is a share of, or licensed seats';
COMMENT ON COLUMN health_internal.signal_values.observed IS 'the day of a value that was carried forward or is not known';
COMMENT ON COLUMN health_internal.signal_values.counted IS 'values that were shrunk toward the median of the book';
COMMENT ON COLUMN health_internal.signal_values.basis IS 'by how many people or events';
COMMENT ON COLUMN health_internal.signal_values.state IS
    'of the customer: p prospect, e ended, t tracking_suspect, o onboarding, f onboarding_stalled, n never_started, s silent, '
    'k silent since before the first kept day, a active, u unsettled';
COMMENT ON COLUMN health_internal.signal_values.since IS 'since when, where the state has a day';

CREATE FUNCTION health.score_account(model jsonb, account health.account_state) RETURNS health.account_score
    AS 'MODULE_PATHNAME', 'health_score_account'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION health.score_account(jsonb, health.account_state) IS 'score of an account at a date by a model document';

CREATE FUNCTION health.score_signals(model jsonb, account health.account_state) RETURNS SETOF health.signal_score
    AS 'MODULE_PATHNAME', 'health_score_signals'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000 ROWS 10;
COMMENT ON FUNCTION health.score_signals(jsonb, health.account_state) IS
    'the signals of an account''s score with raw value, normalised value, weight, points and words, then an override that has effect; '
    'the last row is the score';

CREATE FUNCTION health_internal.signal_rows(model jsonb, as_of date, signals health_internal.signal_values,
    overrides health.score_override[] DEFAULT NULL, book float8[] DEFAULT NULL) RETURNS SETOF health.signal_score
    AS 'MODULE_PATHNAME', 'health_signal_rows'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 200 ROWS 10;
COMMENT ON FUNCTION health_internal.signal_rows(jsonb, date, health_internal.signal_values, health.score_override[], float8[]) IS
    'what score_signals() gives, from the values that score_details() gave and the overrides of the account; beside it what the whole book '
    'did, an element per signal';

CREATE FUNCTION health_internal.score_details(model jsonb, account health.account_state,
    OUT score float8, OUT band text, OUT data_coverage float8, OUT unknown_reason text, OUT change_7d float8,
    OUT change_28d float8, OUT main_reason text, OUT next_step text, OUT score_without_top_user float8,
    OUT in_book boolean, OUT state text, OUT state_reason text, OUT override_reason text,
    --@for metrics
    OUT @name@ @type@,
    --@end
    OUT signals health_internal.signal_values)
    AS 'MODULE_PATHNAME', 'health_score_details'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 3000;
COMMENT ON FUNCTION health_internal.score_details(jsonb, health.account_state) IS
    'score_account(), metrics() with the settings of the model, and the values that signal_rows() tells the signals from, in one go';

CREATE FUNCTION health_internal.raw_values(model jsonb, account health.account_state, dates date[]) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'health_raw_values'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION health_internal.raw_values(jsonb, health.account_state, date[]) IS
    'the values of the signals as measured on each of several dates: a row per date, a column per signal in the order of the model';

CREATE FUNCTION health.score_series(model jsonb, account health.account_state, from_date date, to_date date, step int DEFAULT 1,
                                    OUT as_of date, OUT score float8, OUT band text, OUT coverage float8, OUT unknown_reason text,
                                    OUT state text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_score_series'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 60;
COMMENT ON FUNCTION health.score_series(jsonb, health.account_state, date, date, int) IS
    'the score of an account at every step-th day from from_date to to_date, both included, from one decode of its ledger';

CREATE FUNCTION health.score_without_user(model jsonb, account health.account_state, user_id text) RETURNS float8
    AS 'MODULE_PATHNAME', 'health_score_without_user'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION health.score_without_user(jsonb, health.account_state, text) IS
    'score of an account with one user''s activity removed: the size of the risk that this person leaves';
