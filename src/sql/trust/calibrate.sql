-- What probability goes with a score: calibrate(), and the column of score views that it fills.

CREATE FUNCTION health_internal.check_calibration(model text, kind text, method text, outcome text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF kind IS NULL OR kind NOT IN ('churn', 'expansion') THEN
        RAISE EXCEPTION 'model "%": there is no kind of calibration "%"', model, coalesce(kind, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The kinds are churn and expansion.';
    ELSIF method IS NULL OR method NOT IN ('auto', 'isotonic', 'platt', 'none') THEN
        RAISE EXCEPTION 'model "%": there is no method of calibration "%"', model, coalesce(method, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The methods are auto, isotonic and platt; none takes a calibration away.';
    ELSIF kind = 'expansion' AND outcome IS NULL AND method <> 'none' THEN
        RAISE EXCEPTION 'model "%": which accounts expanded, and when, is for a query to say', model
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'For example outcome => ''select account_id, upgraded_on from upgrades''.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_calibration(text, text, text, text) IS
    'Raises an error unless there is such a kind and method, and an outcome for them';

CREATE FUNCTION health_internal.add_calibration(made health_internal.calibration) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = made.model FOR UPDATE;
    INSERT INTO health_internal.calibration (model, version, kind, number, method, map, outcome, horizon, gap, from_date, to_date, n,
                                             events, brier, skill, created_by)
    SELECT made.model, made.version, made.kind, coalesce(max(c.number), 0) + 1, made.method, made.map, made.outcome, made.horizon, made.gap,
           made.from_date, made.to_date, made.n, made.events, made.brier, made.skill, made.created_by
    FROM health_internal.calibration AS c WHERE c.model = made.model AND c.version = made.version AND c.kind = made.kind;
END;
$$;
COMMENT ON FUNCTION health_internal.add_calibration(health_internal.calibration) IS
    'Stores a calibration, which takes the place of the present one';

-- Plain views have it as a literal. Stored ones read the catalog when they are refreshed, which refresh_calibrated_views() is for.
CREATE FUNCTION health_internal.renew_probabilities(version health_internal.model_version) RETURNS void
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
COMMENT ON FUNCTION health_internal.renew_probabilities(health_internal.model_version) IS
    'Brings the score views of a version of a model to its present calibrations: plain ones, and the comments of all';

-- A concurrent refresh makes a temporary table, which what runs as the owner of a model may not. The base stays as it is: no event is read.
CREATE FUNCTION health_internal.refresh_calibrated_views(model_name text, version integer) RETURNS void
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
COMMENT ON FUNCTION health_internal.refresh_calibrated_views(text, integer) IS
    'Has the materialized score views of a version of a model show its present calibrations';

CREATE FUNCTION health_internal.tell_calibration(labels health_internal.labels, made health_internal.calibration, column_name text,
    auc float8, low float8, high float8, lowest float8, highest float8, plain_brier float8) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN highest - lowest < 1e-9 OR low <= 0.5 THEN format(
            '%s "%s" in %s days: AUC %s (%s to %s). %s is %s for everybody: the base rate is %s %%.',
            CASE WHEN high < 0.5 THEN 'The score says the opposite about' ELSE 'The score says nothing about' END, labels.outcome,
            made.horizon, health_internal.show_share(auc), health_internal.show_share(low), health_internal.show_share(high), column_name,
            CASE WHEN highest - lowest < 1e-9 THEN 'the same' ELSE 'about the same' END,
            round((100 * labels.events / labels.n::float8)::numeric, 1))
        ELSE format('%s is the probability of "%s" in the days %s to %s after a score: %s to %s %%, by %s calibration. Brier score %s, '
                    'uncalibrated %s, skill %s, on accounts that it was not fitted to.',
                    column_name, labels.outcome, made.gap + 1, made.gap + made.horizon, round((100 * lowest)::numeric, 1),
                    round((100 * highest)::numeric, 1), made.method, round(made.brier::numeric, 4), round(plain_brier::numeric, 4),
                    health_internal.show_share(made.skill)) END
        || health_internal.tell_left_out(labels.left_out);
$$;
COMMENT ON FUNCTION health_internal.tell_calibration(health_internal.labels, health_internal.calibration, text, float8, float8, float8,
    float8, float8, float8) IS 'What calibrate() made, in a sentence';

CREATE FUNCTION health_internal.calibrate_as_owner(model text, outcome text, horizon integer, kind text, method text, from_date date,
    to_date date, step integer, gap integer, version integer, caller text, outcome_accounts text[], outcome_days date[])
RETURNS SETOF health.backtest_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tested CONSTANT health_internal.model_version := health_internal.find_version(model,
        coalesce(version, (health_internal.open_model(model)).current_version));
    expands CONSTANT boolean := kind = 'expansion';
    labels health_internal.labels;
    made health_internal.calibration;
    fitted record;
    ranked record;
    risks float8[];    -- likelier the higher
    plain record;
    judged record;
    column_name text;
BEGIN
    PERFORM health_internal.check_calibration(model, kind, method, outcome);
    column_name := (SELECT p.column_name FROM health_internal.probability_columns() AS p WHERE p.kind = calibrate_as_owner.kind);
    made.model := model;
    made.version := tested.version;
    made.kind := kind;
    made.method := method;
    made.created_by := caller;
    IF method = 'none' THEN
        IF (health_internal.find_calibration(model, tested.version, kind)).map IS NULL THEN
            RAISE EXCEPTION 'version % of model "%" is not calibrated for %', tested.version, model, kind
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = format('SELECT * FROM health.calibrations(%L) lists what is.', model);
        END IF;
        PERFORM health_internal.add_calibration(made);
        PERFORM health_internal.renew_probabilities(tested);
        RETURN NEXT ROW('verdict', kind, NULL, NULL, NULL, NULL, NULL,
                        format('Taken away: %s is NULL.', column_name))::health.backtest_row;
        RETURN;
    END IF;
    labels := health_internal.label_scores(tested, expands, false, outcome, horizon, from_date, to_date, step, gap, outcome_accounts,
                                           outcome_days);
    SELECT c.method_used, c.map, c.out_of_fold INTO fitted
    FROM health_internal.calibrate_scores(labels.scores, labels.outcomes, labels.units, expands, method) AS c
    WHERE health_internal.tell_too_few(labels) IS NULL;
    IF fitted.map IS NULL THEN
        RAISE EXCEPTION 'model "%": too few to calibrate by: %', model,
            coalesce(health_internal.tell_too_few(labels), 'folds by account without any of them')
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'An earlier from_date or a longer horizon has more; without that, rank accounts by their score.';
    END IF;
    risks := ARRAY(SELECT CASE WHEN expands THEN s.score ELSE 100 - s.score END FROM unnest(labels.scores) WITH ORDINALITY AS s (score, i)
                   ORDER BY s.i);
    SELECT a.auc, a.low, a.high INTO ranked FROM health_internal.auc_interval(risks, labels.outcomes, labels.units) AS a;
    SELECT p.brier, p.skill INTO plain FROM health_internal.probability_scores(
        ARRAY(SELECT r.risk / 100 FROM unnest(risks) WITH ORDINALITY AS r (risk, i) ORDER BY r.i), labels.outcomes) AS p;
    SELECT p.brier, p.skill INTO judged FROM health_internal.probability_scores(fitted.out_of_fold, labels.outcomes) AS p;
    made.method := fitted.method_used;
    made.map := fitted.map;
    made.outcome := labels.outcome;
    made.horizon := horizon;
    made.gap := gap;
    made.from_date := labels.dates[1];
    made.to_date := labels.dates[cardinality(labels.dates)];
    made.n := labels.n;
    made.events := labels.events;
    made.brier := judged.brier;
    made.skill := judged.skill;
    PERFORM health_internal.add_calibration(made);
    PERFORM health_internal.renew_probabilities(tested);
    RETURN QUERY
    SELECT 'verdict', labels.outcome, labels.n, labels.events, judged.skill, NULL::float8, NULL::float8,
           health_internal.tell_calibration(labels, made, column_name, ranked.auc, ranked.low, ranked.high, p.lowest, p.highest,
                                            plain.brier)
    FROM (SELECT min(health_internal.calibrated(made.map, s.score)) AS lowest, max(health_internal.calibrated(made.map, s.score)) AS highest
          FROM unnest(labels.scores) AS s (score)) AS p
    UNION ALL
    SELECT 'data', 'dates', cardinality(labels.dates), NULL, NULL, NULL, NULL,
           format('%s to %s, outcome from %s to %s days after each', to_char(made.from_date, 'YYYY-MM-DD'),
                  to_char(made.to_date, 'YYYY-MM-DD'), gap + 1, gap + horizon)
    UNION ALL
    SELECT 'data', 'accounts', labels.accounts, labels.accounts_with, NULL, NULL, NULL,
           'with at least one observation; events: that had the outcome'
    UNION ALL
    SELECT 'data', 'observations', labels.n, labels.events, labels.events / labels.n::float8, NULL, NULL,
           'accounts with a score on a date; value: the base rate'
    UNION ALL
    SELECT 'auc', 'score', labels.n, labels.events, ranked.auc, ranked.low, ranked.high,
           CASE WHEN expands THEN 'how well a high score ranks' ELSE 'risk is 100 - score' END
    UNION ALL
    SELECT 'probability', p.item, labels.n, labels.events, p.value, NULL, NULL, p.note
    FROM (VALUES ('brier before', plain.brier, CASE WHEN expands THEN 'of score / 100' ELSE 'of (100 - score) / 100' END),
                 ('brier after', judged.brier, 'of the probability, on accounts that it was not fitted to'),
                 ('skill before', plain.skill, '1 - Brier / (b (1 - b)): above 0 better than the base rate for everybody'),
                 ('skill after', judged.skill, 'on accounts that it was not fitted to')) AS p (item, value, note)
    UNION ALL
    (SELECT 'calibration', 'decile ' || c.bin, c.n, c.events, c.observed, c.low, c.high,
            format('says %s', round(c.predicted::numeric, 3))
     FROM health_internal.calibration(fitted.out_of_fold, labels.outcomes, 10) AS c ORDER BY c.bin)
    UNION ALL
    SELECT 'left out', o.name, NULL, NULL, NULL, NULL, NULL,
           'no past of it is known: the score that is read has it, the observations do not'
    FROM unnest(labels.left_out) AS o (name);
END;
$$;
COMMENT ON FUNCTION health_internal.calibrate_as_owner(text, text, integer, text, text, date, date, integer, integer, integer, text, text[],
    date[]) IS 'calibrate() as the owner of the model, with the outcomes that the caller''s query gave';

CREATE FUNCTION health_internal.calibrate(model text, outcome text, horizon integer, kind text, method text, from_date date, to_date date,
    step integer, gap integer, version integer, visible text)
RETURNS SETOF health.backtest_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
    happened record;
BEGIN
    SELECT o.accounts, o.days INTO happened FROM health_internal.read_outcomes(outcome, visible) AS o;
    RETURN QUERY SELECT (r.figure).* FROM health_internal.rows_as_owner(opened.owner, NULL,
        'SELECT c FROM health_internal.calibrate_as_owner($1, $2, $3::integer, $4, $5, $6::date, $7::date, $8::integer, $9::integer, '
            '$10::integer, $11, $12::text[], $13::date[]) AS c',
        model, outcome, horizon::text, kind, method, health_internal.iso_text(from_date), health_internal.iso_text(to_date), step::text,
        gap::text, version::text, current_user::text, happened.accounts::text, health_internal.iso_text(happened.days))
        AS r (figure health.backtest_row);
    PERFORM health_internal.refresh_calibrated_views(model, coalesce(version, opened.current_version));
END;
$$;
COMMENT ON FUNCTION health_internal.calibrate(text, text, integer, text, text, date, date, integer, integer, integer, text) IS
    'calibrate() with the schemas in which the caller''s query looks names up';

CREATE FUNCTION health.calibrate(model text, outcome text DEFAULT NULL, horizon integer DEFAULT 90, kind text DEFAULT 'churn',
    method text DEFAULT 'auto', from_date date DEFAULT NULL, to_date date DEFAULT NULL, step integer DEFAULT 28, gap integer DEFAULT 0,
    version integer DEFAULT NULL)
RETURNS SETOF health.backtest_row
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT c.* FROM health_internal.calibrate(model, outcome, horizon, kind, method, from_date, to_date, step, gap, version,
                                              health_internal.visible_schemas()) AS c;
END;
COMMENT ON FUNCTION health.calibrate(text, text, integer, text, text, date, date, integer, integer, integer) IS
    'Makes a probability of the score, from what happened within the horizon (days) after past dates, observed as backtest() does but by '
    'what the version has frozen: churn_probability (kind churn; outcome as in backtest()) or expansion_likelihood (kind expansion; '
    'outcome, a query of account and day, says who expanded when) of score views and score_at(). By isotonic regression or Platt '
    'scaling; auto takes the one with the lower Brier score on accounts that were left out. Stored with the version of the model, in the '
    'place of the present one; method none takes it away. Returns what it rests on. Error 55000 with fewer than 10 accounts of a class';

CREATE FUNCTION health.calibrations(model text, OUT version integer, OUT kind text, OUT method text, OUT outcome text, OUT horizon integer,
    OUT gap integer, OUT from_date date, OUT to_date date, OUT n bigint, OUT events bigint, OUT brier float8, OUT skill float8,
    OUT map float8[], OUT in_force boolean, OUT created_at timestamptz, OUT created_by text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.find_model(model);
    RETURN QUERY
    SELECT c.version, c.kind, c.method, c.outcome, c.horizon, c.gap, c.from_date, c.to_date, c.n, c.events, c.brier, c.skill, c.map,
           c.map IS NOT NULL AND c.number = (health_internal.find_calibration(c.model, c.version, c.kind)).number
           AND c.version = (health_internal.find_model(calibrations.model)).current_version, c.created_at,
           c.created_by
    FROM health_internal.calibration AS c WHERE c.model = calibrations.model ORDER BY c.version, c.kind, c.number;
END;
$$;
COMMENT ON FUNCTION health.calibrations(text) IS
    'Every calibration of a model that there ever was, by version and kind and in order: method (none: it was taken away), outcome, '
    'horizon and gap in days, first and last date, observations and how many had the outcome, Brier score and skill on accounts that were '
    'left out, and the map: scores, ascending, and their probabilities, with straight lines between; or of platt slope and intercept of '
    '1 / (1 + exp(slope x score + intercept)). in_force: it fills the column of score views';
