-- Which weights would have told best what happened, and whether that is more than chance.

CREATE TYPE health.suggestion_row AS (
    section text,
    item text,
    n bigint,
    events bigint,
    now float8,
    suggested float8,
    change float8,
    low float8,
    high float8,
    note text,
    document jsonb
);
COMMENT ON TYPE health.suggestion_row IS 'One figure of suggest_weights()';
COMMENT ON COLUMN health.suggestion_row.section IS 'verdict, data, auc, weight';
COMMENT ON COLUMN health.suggestion_row.item IS 'What the figure is of: an outcome, a signal';
COMMENT ON COLUMN health.suggestion_row.n IS 'Observations: an account on a date is one; of accounts their number';
COMMENT ON COLUMN health.suggestion_row.events IS 'How many of them had the outcome';
COMMENT ON COLUMN health.suggestion_row.now IS 'By the present weights: the AUC, or the signal''s share of all weights, 0 to 1';
COMMENT ON COLUMN health.suggestion_row.suggested IS
    'By the suggested ones, the AUC of accounts that they were not fitted to; NULL where nothing is to be changed';
COMMENT ON COLUMN health.suggestion_row.change IS 'suggested - now';
COMMENT ON COLUMN health.suggestion_row.low IS 'Lower end of the 95 % interval of the change of the AUC (DeLong, paired, by accounts)';
COMMENT ON COLUMN health.suggestion_row.high IS 'Upper end';
COMMENT ON COLUMN health.suggestion_row.note IS 'In words';
COMMENT ON COLUMN health.suggestion_row.document IS
    'Of the verdict: what alter_model() lays over the definition; NULL when nothing is to be changed';

CREATE FUNCTION health_internal.suggest_shares(model jsonb, normalized float8[], scores float8[], outcomes boolean[], accounts bigint[],
    allow_negative boolean, OUT shares float8[], OUT out_of_fold float8[])
    AS 'MODULE_PATHNAME', 'health_suggest_shares'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION health_internal.suggest_shares(jsonb, float8[], float8[], boolean[], bigint[], boolean) IS
    'Shares of the weights by ridge logistic regression, an element for each signal of the document (0 for groups, all 0: none points the '
    'right way), and the score of each observation by weights that were fitted to other accounts. NULL when a class comes from too few '
    'accounts';

-- A signal's share of its level, times that of the groups above.
CREATE FUNCTION health_internal.level_shares(signals jsonb, OUT signal jsonb, OUT "position" bigint, OUT share float8) RETURNS SETOF record
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT s.signal, s."position", coalesce((s.signal ->> 'weight')::pg_catalog.float8, 1)
               / pg_catalog.sum(coalesce((s.signal ->> 'weight')::pg_catalog.float8, 1)) OVER ()
    FROM pg_catalog.jsonb_array_elements(signals) WITH ORDINALITY AS s (signal, "position");
END;
COMMENT ON FUNCTION health_internal.level_shares(jsonb) IS 'The signals of one level of a document with their shares of its weights';

CREATE FUNCTION health_internal.weight_shares(document jsonb, OUT number bigint, OUT name text, OUT in_group text, OUT share float8)
    RETURNS SETOF record
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE tree AS (
        SELECT l.signal, ARRAY[l."position"] AS place, NULL::text AS in_group, l.share
        FROM health_internal.level_shares(document -> 'signals') AS l
        UNION ALL
        SELECT l.signal, t.place || l."position", t.signal ->> 'name', t.share * l.share
        FROM tree AS t, LATERAL health_internal.level_shares(t.signal -> 'signals') AS l WHERE t.signal ? 'signals'
    )
    SELECT row_number() OVER (ORDER BY t.place), t.signal ->> 'name', t.in_group, t.share
    FROM tree AS t WHERE NOT t.signal ? 'signals' ORDER BY t.place;
$$;
COMMENT ON FUNCTION health_internal.weight_shares(jsonb) IS
    'The share that each signal of a document has in the score while all are known, in their order, groups left out';

-- With the weight of a group being the sum of those in it, each signal has in the score what its own weight says.
CREATE FUNCTION health_internal.with_weights(signals jsonb, weights jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    weighed jsonb := '[]'::jsonb;
    signal jsonb;
    members jsonb;
    weight numeric;
BEGIN
    FOR signal IN SELECT s.value FROM jsonb_array_elements(signals) WITH ORDINALITY AS s (value, "position") ORDER BY s."position" LOOP
        IF signal ? 'signals' THEN
            members := health_internal.with_weights(signal -> 'signals', weights);
            SELECT sum((m.value ->> 'weight')::numeric) INTO weight FROM jsonb_array_elements(members) AS m;
            -- A group that counts nothing keeps its proportions.
            IF weight > 0 THEN
                signal := jsonb_set(signal, '{signals}', members);
            END IF;
        ELSE
            weight := (weights ->> (signal ->> 'name'))::numeric;
        END IF;
        weighed := weighed || (signal || jsonb_build_object('weight', weight));
    END LOOP;
    RETURN weighed;
END;
$$;
COMMENT ON FUNCTION health_internal.with_weights(jsonb, jsonb) IS
    'Signals of a document with other weights, given by names of signals; a group weighs what its signals weigh together';

CREATE FUNCTION health_internal.tell_suggestion(labels health_internal.labels, horizon integer, too_few text, known boolean,
    useless boolean, has_negative boolean, auc float8, suggested float8, low float8, high float8, gain float8, gain_low float8,
    gain_high float8) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN too_few IS NOT NULL THEN format('Do not change anything: too few to say, %s.', too_few)
        WHEN NOT known THEN format('Do not change anything: too few accounts with or without the outcome "%s" to say.', labels.outcome)
        WHEN useless THEN format('Do not change anything: no signal points the right way about "%s" in %s days.', labels.outcome, horizon)
        WHEN gain_low > 0 AND low > 0.5 THEN format(
            '%s "%s" in %s days better: AUC %s (%s to %s) on accounts that they were not fitted to, now %s. Gained %s (%s to %s).%s',
            CASE WHEN has_negative THEN 'Signals turned round would tell' ELSE 'Other weights tell' END, labels.outcome, horizon,
            health_internal.show_share(suggested), health_internal.show_share(low), health_internal.show_share(high),
            health_internal.show_share(auc), gained.figure, gained.lower, gained.upper,
            CASE WHEN has_negative THEN ' A model takes no weight below 0: turn the normalizers of those signals round first.' ELSE '' END)
        ELSE format('Do not change anything: AUC %s now, %s with fitted weights, on accounts that they were not fitted to. Gained %s '
                    '(%s to %s).', health_internal.show_share(auc), health_internal.show_share(suggested),
                    gained.figure, coalesce(gained.lower, '?'), coalesce(gained.upper, '?')) END
        || health_internal.tell_left_out(labels.left_out)
    -- Rounded before it is shown: no -.00.
    FROM (SELECT health_internal.show_share(round(gain::numeric, 2)::float8),
                 health_internal.show_share(round(gain_low::numeric, 2)::float8),
                 health_internal.show_share(round(gain_high::numeric, 2)::float8)) AS gained (figure, lower, upper);
$$;
COMMENT ON FUNCTION health_internal.tell_suggestion(health_internal.labels, integer, text, boolean, boolean, boolean, float8, float8,
    float8, float8, float8, float8, float8) IS 'What suggest_weights() found, in a sentence';

CREATE FUNCTION health_internal.suggest_weights_as_owner(model text, outcome text, horizon integer, from_date date, to_date date,
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
COMMENT ON FUNCTION health_internal.suggest_weights_as_owner(text, text, integer, date, date, integer, integer, integer, boolean, text[],
    date[]) IS 'suggest_weights() as the owner of the model, with the outcomes that the caller''s query gave';

CREATE FUNCTION health.suggest_weights(model text, outcome text DEFAULT NULL, horizon integer DEFAULT 90, from_date date DEFAULT NULL,
    to_date date DEFAULT NULL, step integer DEFAULT 28, gap integer DEFAULT 0, version integer DEFAULT NULL,
    allow_negative boolean DEFAULT false)
RETURNS SETOF health.suggestion_row
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT (r.figure).*
    FROM health_internal.read_outcomes(outcome, health_internal.visible_schemas()) AS o,
         LATERAL health_internal.rows_as_owner(health_internal.regrole((health_internal.open_model(model)).owner), NULL,
             'SELECT s FROM health_internal.suggest_weights_as_owner($1, $2, $3::integer, $4::date, $5::date, $6::integer, $7::integer, '
                 '$8::integer, $9::boolean, $10::text[], $11::date[]) AS s',
             model, outcome, horizon::pg_catalog.text, health_internal.iso_text(from_date), health_internal.iso_text(to_date),
             step::pg_catalog.text, gap::pg_catalog.text, version::pg_catalog.text, allow_negative::pg_catalog.text,
             o.accounts::pg_catalog.text, health_internal.iso_text(o.days)) AS r (figure health.suggestion_row);
END;
COMMENT ON FUNCTION health.suggest_weights(text, text, integer, date, date, integer, integer, integer, boolean) IS
    'Which weights would have told best what happened: ridge logistic regression of the outcome on the signals, 0 to 100, as backtest() '
    'observes them, cross-validated by account. The first row says in a sentence whether that is better than the present weights, with the '
    'AUC gained on accounts that were left out and its 95 % interval; "do not change anything" unless the interval lies above 0. Its '
    'document is what alter_model(model, document) takes. Weights are 0 or more; with allow_negative they also show which signals point '
    'the wrong way, and there is no document then';
