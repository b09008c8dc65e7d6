-- Does the score predict? The model is scored on past days with what was known then, and held against what happened afterwards.

CREATE TYPE health.backtest_row AS (
    section text,
    item text,
    n bigint,
    events bigint,
    value float8,
    low float8,
    high float8,
    note text
);
COMMENT ON TYPE health.backtest_row IS 'One figure of a backtest';
COMMENT ON COLUMN health.backtest_row.section IS
    'verdict, data, auc, gain, ranking, probability, calibration, band, lead, signal, segment, left out';
COMMENT ON COLUMN health.backtest_row.item IS 'What the figure is of';
COMMENT ON COLUMN health.backtest_row.n IS 'Observations: an account on a date is one';
COMMENT ON COLUMN health.backtest_row.events IS 'How many of them had the outcome';
COMMENT ON COLUMN health.backtest_row.value IS 'The figure; NULL where there are too few to say, or it is a count';
COMMENT ON COLUMN health.backtest_row.low IS 'Lower end of its 95 % interval, by accounts';
COMMENT ON COLUMN health.backtest_row.high IS 'Upper end';
COMMENT ON COLUMN health.backtest_row.note IS 'In words';

CREATE FUNCTION health_internal.observe_dates(model jsonb, account health.account_state, dates date[], gap integer, horizon integer,
    outages date[], OUT as_of date, OUT in_book boolean, OUT score float8, OUT band text, OUT state text, OUT unknown_reason text,
    OUT recency float8,
    OUT events float8, OUT active_after boolean, OUT normalized float8[])
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_observe_dates'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 24;
COMMENT ON FUNCTION health_internal.observe_dates(jsonb, health.account_state, date[], integer, integer, date[]) IS
    'An account on each of several dates, from one decode: score, days since last activity (infinite: never), events of the window, '
    'signals as scores, and whether anybody was active in the horizon after the gap: NULL when nobody was seen in it and tracking was '
    'broken on a day of it, by first and last days of outages';

-- What an expression says of a past day is of that day when it asks other tables with as_of, or needs nothing that changes.
CREATE FUNCTION health_internal.has_a_past(document jsonb, fields health_internal.model_field[], input_path text, kind text, source text)
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
COMMENT ON FUNCTION health_internal.has_a_past(jsonb, health_internal.model_field[], text, text, text) IS
    'Whether an input of a model can be known of past days: columns, and expressions over columns, only say what stands there today';

-- The end that a contract has today need not be the one that it had then.
CREATE FUNCTION health_internal.reads_future_ends(document jsonb, signal jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT coalesce(signal ->> 'measure' = 'days_left' AND document #> ARRAY['facts', signal ->> 'fact', 'known_at'] IS NULL, false);
END;
COMMENT ON FUNCTION health_internal.reads_future_ends(jsonb, jsonb) IS
    'Whether a signal reads ends of facts that may have become known later than the day';

CREATE FUNCTION health_internal.without_signals(signals jsonb, names text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kept jsonb := '[]'::jsonb;
    signal jsonb;
BEGIN
    FOR signal IN SELECT s.value FROM jsonb_array_elements(signals) WITH ORDINALITY AS s (value, "position") ORDER BY s."position" LOOP
        IF signal ->> 'name' = ANY (names) THEN
            CONTINUE;
        ELSIF signal ? 'signals' THEN
            signal := jsonb_set(signal, '{signals}', health_internal.without_signals(signal -> 'signals', names));
            CONTINUE WHEN signal -> 'signals' = '[]';
        END IF;
        kept := kept || signal;
    END LOOP;
    RETURN kept;
END;
$$;
COMMENT ON FUNCTION health_internal.without_signals(jsonb, text[]) IS 'Signals of a document less those of these names, and groups that '
    'are empty then';

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

-- What was frozen of the book later than the first date knows more than that date did.
CREATE FUNCTION health_internal.without_frozen(document jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    thawed jsonb := document;
    leaf record;
BEGIN
    FOR leaf IN SELECT l.place FROM health_internal.leaf_signals(document) AS l LOOP
        thawed := thawed #- (leaf.place || '{frozen}'::text[]) #- (leaf.place || '{normalize,reference}'::text[]);
    END LOOP;
    RETURN thawed;
END;
$$;
COMMENT ON FUNCTION health_internal.without_frozen(jsonb) IS 'A document without what it froze of the book';

-- Defaults of dates stand here alone: every 28 days, twelve of them, as late as the horizon allows.
CREATE FUNCTION health_internal.plan_dates(model text, horizon integer, today date, from_date date DEFAULT NULL, to_date date DEFAULT NULL,
    step integer DEFAULT 28, gap integer DEFAULT 0) RETURNS date[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF horizon IS NULL OR horizon NOT BETWEEN 1 AND 3660 THEN
        RAISE EXCEPTION 'model "%": the horizon is 1 to 3660 days, not %', model, coalesce(horizon::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF gap IS NULL OR gap NOT BETWEEN 0 AND 3660 THEN
        RAISE EXCEPTION 'model "%": the gap is 0 to 3660 days, not %', model, coalesce(gap::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    to_date := coalesce(to_date, today - horizon - gap);
    from_date := coalesce(from_date, to_date - 11 * step);
    PERFORM health_internal.check_span(model, from_date, to_date, step);
    IF to_date + gap + horizon > today THEN
        RAISE EXCEPTION 'model "%": what happens within % days after % is not known yet', model, gap + horizon, to_date
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('The last date can be %s.', today - gap - horizon);
    ELSIF (to_date - from_date) / step >= 1000 THEN
        RAISE EXCEPTION 'model "%": a backtest takes up to 1000 dates, not %', model, (to_date - from_date) / step + 1
            USING ERRCODE = 'program_limit_exceeded', HINT = 'Take a larger step.';
    END IF;
    RETURN ARRAY(SELECT from_date + n * step FROM generate_series(0, (to_date - from_date) / step) AS n);
END;
$$;
COMMENT ON FUNCTION health_internal.plan_dates(text, integer, date, date, date, integer, integer) IS
    'The dates of a backtest, whose horizon after a gap is over; raises an error unless they make sense';

-- Two decimals without the zero, as figures between 0 and 1 are told.
CREATE FUNCTION health_internal.show_share(share float8) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.regexp_replace(pg_catalog.to_char(pg_catalog.round(share::pg_catalog.numeric, 2), 'FM0.00'), '^(-?)0[.]', '\1.');
END;
COMMENT ON FUNCTION health_internal.show_share(float8) IS 'A number between -1 and 1 for a sentence: .78';

CREATE FUNCTION health_internal.tell_backtest(outcome text, horizon integer, positives bigint, negatives bigint, auc float8, low float8,
    high float8, baseline text, baseline_auc float8, gain float8, gain_low float8, gain_high float8) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN least(positives, negatives) = 0 THEN format('Nothing to say: of %s observations %s had the outcome "%s".', positives +
            negatives,
            positives, outcome)
        WHEN NOT health_internal.are_enough(positives, positives + negatives)
            THEN format('Too few to say: %s of %s observations had the outcome "%s"%s.', positives, positives + negatives, outcome,
            coalesce(format('; the AUC lies between %s and %s', health_internal.show_share(low), health_internal.show_share(high)), ''))
        ELSE rtrim(format('%s: AUC %s (%s to %s). %s alone: %s. %s',
            CASE WHEN high < 0.5 THEN format('Inverse: a good score means more of "%s" in %s days', outcome, horizon)
                 WHEN low <= 0.5 THEN format('No signal about "%s" in %s days', outcome, horizon)
                 ELSE format('Predicts "%s" in %s days', outcome, horizon) END,
            health_internal.show_share(auc), health_internal.show_share(low), health_internal.show_share(high),
            upper(left(baseline, 1)) || substr(baseline, 2), health_internal.show_share(baseline_auc),
            CASE WHEN low <= 0.5 THEN CASE WHEN gain_high < 0 THEN 'That is better.' ELSE '' END
                 WHEN gain_low > 0 THEN format('Better than that by %s (%s to %s).', health_internal.show_share(gain),
                     health_internal.show_share(gain_low), health_internal.show_share(gain_high))
                 WHEN gain_high < 0 THEN format('Worse than that by %s (%s to %s).', health_internal.show_share(-gain),
                     health_internal.show_share(-gain_high), health_internal.show_share(-gain_low))
                 ELSE 'No gain that the data can show.' END)) END;
$$;
COMMENT ON FUNCTION health_internal.tell_backtest(text, integer, bigint, bigint, float8, float8, float8, text, float8, float8, float8,
    float8) IS 'The outcome of a backtest in a sentence, beside the better one of the baselines';

CREATE FUNCTION health_internal.tell_late_rows(document jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN bool_and(s.source ? 'known_at') THEN 'not seen before the day on which they became known'
        ELSE format('seen, as if they had come on their day: no known_at in %s',
                    string_agg(s.path, ', ' ORDER BY s.path) FILTER (WHERE NOT s.source ? 'known_at')) END
    FROM health_internal.ledger_sources(document) AS s WHERE s.path !~ '^facts\..*\.until$' HAVING count(*) > 0;
$$;
COMMENT ON FUNCTION health_internal.tell_late_rows(jsonb) IS
    'Whether past dates see rows that became known later, in words; NULL without an event source';

CREATE TYPE health_internal.observation AS (
    unit bigint,
    account_id text,
    segment text,
    lost_on date,
    on_grid boolean,
    as_of date,
    in_book boolean,
    score float8,
    band text,
    unknown_reason text,
    recency float8,
    events float8,
    normalized float8[],
    outcome boolean,
    gone boolean
);
COMMENT ON TYPE health_internal.observation IS 'Internal: an account on a date of a backtest, and what became of it';
COMMENT ON COLUMN health_internal.observation.unit IS 'Number of the account';
COMMENT ON COLUMN health_internal.observation.lost_on IS 'When it was lost, by the outcomes or accounts.end';
COMMENT ON COLUMN health_internal.observation.on_grid IS 'Whether the date is one of the backtest, and not one of the days before a loss';
COMMENT ON COLUMN health_internal.observation.outcome IS 'Whether the outcome falls into the horizon';
COMMENT ON COLUMN health_internal.observation.gone IS 'Whether it came before the horizon begins';

-- kind: query (the outcomes are given), end (accounts.end), silent (nobody active in the horizon). By a document of which everything that
-- is frozen is of the first date.
CREATE FUNCTION health_internal.observe_model(tested health_internal.model_version, document jsonb, usage_from text, kind text, dates
    date[],
    step integer, gap integer, horizon integer, segment text, lost_accounts text[], lost_days date[])
RETURNS SETOF health_internal.observation
LANGUAGE plpgsql ROWS 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_date CONSTANT date := dates[1];
    last_date CONSTANT date := dates[pg_catalog.cardinality(dates)];
    compiled health_internal.compiled_model;
    outages date[];
BEGIN
    PERFORM health_internal.look_names_up_in(tested.search_path);
    -- That nobody is seen while tracking is broken does not say that nobody was there.
    IF kind = 'silent' THEN
        EXECUTE pg_catalog.format('SELECT s.outages FROM (%s) AS s', health_internal.compile_sight(document,
            ARRAY(SELECT f FROM health_internal.model_fields(document) AS f), last_date + gap + horizon, usage_from, tested.model,
            last_date - first_date + gap + horizon)) INTO outages;
    END IF;
    compiled := health_internal.compile_model(document, tested.version, as_of => last_date, usage_from => usage_from,
                                              model_name => tested.model, past_days => last_date - first_date, past_step => step);
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH lost AS MATERIALIZED (
            SELECT l.account_id, pg_catalog.min(l.day) AS day
            FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS l (account_id, day) GROUP BY 1
        ), book AS MATERIALIZED (
            SELECT pg_catalog.row_number() OVER (ORDER BY %1$s) AS unit, %1$s AS account_key, l.*,
                   CASE %5$L WHEN 'end' THEN l.account_end END AS ended
            FROM (%2$s) AS l
        )
        SELECT b.unit, b.account_key, %6$s, coalesce(x.day, b.ended), o.as_of = ANY ($3), o.as_of, o.in_book, o.score, o.band,
               o.unknown_reason, o.recency, o.events, o.normalized,
               CASE %5$L WHEN 'silent' THEN NOT o.active_after
                    ELSE coalesce(coalesce(x.day, b.ended) > o.as_of + $6 AND coalesce(x.day, b.ended) <= o.as_of + $6 + $7, false) END,
               %5$L <> 'silent' AND coalesce(coalesce(x.day, b.ended) <= o.as_of + $6, false)
        FROM book AS b LEFT JOIN lost AS x ON x.account_id = b.account_key
        CROSS JOIN LATERAL health_internal.observe_dates(%3$L::pg_catalog.jsonb, %4$s, ARRAY(
            SELECT d.day FROM pg_catalog.unnest($3) AS d (day)
            UNION SELECT coalesce(x.day, b.ended) - n.days FROM (VALUES (30), (60), (90)) AS n (days)
            WHERE coalesce(x.day, b.ended) - n.days BETWEEN $4 AND $5 AND coalesce(x.day, b.ended) > $4), $6, $7, $8) AS o
        WHERE %5$L <> 'silent' OR o.active_after IS NOT NULL
        $query$,
        health_internal.canonical_text('l.account_id', compiled.account_type), compiled.ledger, health_internal.scoring_document(document),
        health_internal.compile_state(past_step => step, row_name => 'b', with_overrides => false), kind,
        CASE WHEN segment IS NULL THEN 'NULL::pg_catalog.text' ELSE pg_catalog.format('b.%I::pg_catalog.text', segment) END)
    USING lost_accounts, lost_days, dates, first_date, last_date, gap, horizon, outages;
END;
$$;
COMMENT ON FUNCTION health_internal.observe_model(health_internal.model_version, jsonb, text, text, date[], integer, integer, integer, text,
    text[], date[]) IS
    'The accounts of a model on each of several dates by a document, from one pass over each ledger, with what became of them';

-- A backtest knows no more of the book than the first date did, nor do weights. A probability goes with the score that people read, which
-- is by what the version has frozen.
CREATE FUNCTION health_internal.past_document(tested health_internal.model_version, first_date date, as_of_first_date boolean,
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
COMMENT ON FUNCTION health_internal.past_document(health_internal.model_version, date, boolean) IS
    'The document of a version without signals that have no past, with what it has frozen, or what could be frozen on a first date';

CREATE FUNCTION health_internal.backtest_as_owner(model text, outcome text, horizon integer, from_date date, to_date date, step integer,
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
COMMENT ON FUNCTION health_internal.backtest_as_owner(text, text, integer, date, date, integer, integer, integer, text, integer, text[],
    date[]) IS
    'backtest() as the owner of the model, with the outcomes that the caller''s query gave';

-- The query is the caller's, and runs with the caller's rights and names.
CREATE FUNCTION health_internal.read_outcomes(outcome text, visible text, OUT accounts text[], OUT days date[])
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
COMMENT ON FUNCTION health_internal.read_outcomes(text, text) IS 'Accounts and days of a query for outcomes, run as the current user';

CREATE FUNCTION health.backtest(model text, outcome text DEFAULT NULL, horizon integer DEFAULT 90, from_date date DEFAULT NULL,
    to_date date DEFAULT NULL, step integer DEFAULT 28, gap integer DEFAULT 0, capacity integer DEFAULT NULL, segment text DEFAULT NULL,
    version integer DEFAULT NULL)
RETURNS SETOF health.backtest_row
LANGUAGE sql ROWS 60
BEGIN ATOMIC
    SELECT (r.figure).*
    FROM health_internal.read_outcomes(outcome, health_internal.visible_schemas()) AS o,
         LATERAL health_internal.rows_as_owner(health_internal.regrole((health_internal.open_model(model)).owner), NULL,
             'SELECT b FROM health_internal.backtest_as_owner($1, $2, $3::integer, $4::date, $5::date, $6::integer, $7::integer, '
                 '$8::integer, '
             '$9, $10::integer, $11::text[], $12::date[]) AS b',
             model, outcome, horizon::pg_catalog.text, health_internal.iso_text(from_date), health_internal.iso_text(to_date),
             step::pg_catalog.text, gap::pg_catalog.text, capacity::pg_catalog.text, segment, version::pg_catalog.text,
             o.accounts::pg_catalog.text, health_internal.iso_text(o.days)) AS r (figure health.backtest_row);
END;
COMMENT ON FUNCTION health.backtest(text, text, integer, date, date, integer, integer, integer, text, integer) IS
    'Does the score predict? Scores the model on past dates with what was known then and holds it against what happened in the horizon '
    '(days) after each: outcome, a query of account and day that runs as the caller; else accounts.end; else that nobody is active for the '
    'whole horizon. Beside it the baselines days since last activity and number of events. Intervals are 95 %, by accounts (DeLong 1988, '
    'Obuchowski 1997). Percentiles, medians and fitted parameters are frozen anew as of the first date; columns have no past and are '
    'left out';
