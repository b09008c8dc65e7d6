-- What if the model were another: the whole book by a changed document, without storing anything.

CREATE TYPE health.what_if_row AS (
    section text,
    item text,
    name text,
    before float8,
    after float8,
    change float8,
    low float8,
    high float8,
    band_before text,
    band_after text,
    n bigint,
    revenue float8,
    note text
);
COMMENT ON TYPE health.what_if_row IS 'One figure of what a changed model would do';
COMMENT ON COLUMN health.what_if_row.section IS 'summary, band, signal, prediction, account';
COMMENT ON COLUMN health.what_if_row.item IS 'What the figure is of: an account, a move between bands, a signal';
COMMENT ON COLUMN health.what_if_row.name IS 'Name of the account';
COMMENT ON COLUMN health.what_if_row.before IS 'By the present version: the score; of a prediction the AUC';
COMMENT ON COLUMN health.what_if_row.after IS 'By the changed document; of a signal the share of accounts that it is known of';
COMMENT ON COLUMN health.what_if_row.change IS 'after - before; NULL when either is unknown';
COMMENT ON COLUMN health.what_if_row.low IS 'Of a prediction: lower end of the 95 % interval of the change (DeLong, paired, by accounts)';
COMMENT ON COLUMN health.what_if_row.high IS 'Upper end';
COMMENT ON COLUMN health.what_if_row.band_before IS 'Band by the present version';
COMMENT ON COLUMN health.what_if_row.band_after IS 'Band by the changed document';
COMMENT ON COLUMN health.what_if_row.n IS 'How many accounts, or observations of a prediction';
COMMENT ON COLUMN health.what_if_row.revenue IS 'Their sum of the revenue column';
COMMENT ON COLUMN health.what_if_row.note IS 'In words';

-- Where both versions ask the same of the accounts, these are read once and scored twice.
CREATE FUNCTION health_internal.compile_both_scores(present health_internal.model_version, changed health_internal.model_version,
    as_of date, revenue text, tells_known boolean) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    told CONSTANT text := '%s AS account_key, l.name, %s AS revenue';
    paid CONSTANT text := coalesce('l.' || pg_catalog.quote_ident(revenue), 'NULL') || '::pg_catalog.float8';
    state CONSTANT text := health_internal.compile_state(with_past => false);
    by_present CONSTANT text := pg_catalog.format('LATERAL health.score_series(%L::pg_catalog.jsonb, %s, l.as_of, l.as_of) AS p',
        health_internal.scoring_document(present.document), state);
    by_changed CONSTANT text := pg_catalog.format('LATERAL health.score_series(%1$L::pg_catalog.jsonb, %2$s, l.as_of, l.as_of) AS c, '
        'LATERAL (SELECT %3$s AS known) AS k', health_internal.scoring_document(changed.document), state,
        CASE WHEN tells_known THEN pg_catalog.format('(SELECT pg_catalog.array_agg(g.normalized IS NOT NULL '
            'ORDER BY pg_catalog.array_position($1, g.signal)) FROM health.score_signals(%L::pg_catalog.jsonb, %s) AS g '
            'WHERE g.signal = ANY ($1))', health_internal.scoring_document(changed.document), state)
        ELSE 'NULL::pg_catalog.bool[]' END);
    before health_internal.compiled_model;
    after health_internal.compiled_model;
BEGIN
    PERFORM health_internal.look_names_up_in(present.search_path);
    before := health_internal.store_accounts(health_internal.open_store(present), as_of => as_of);
    PERFORM health_internal.look_names_up_in(changed.search_path);
    after := health_internal.store_accounts(health_internal.open_store(changed), as_of => as_of);
    IF before.ledger = after.ledger THEN
        RETURN pg_catalog.format('SELECT %s, p.score AS before, c.score AS after, p.band AS band_before, c.band AS band_after, k.known '
            'FROM (%s) AS l, %s, %s',
            pg_catalog.format(told, health_internal.canonical_text('l.account_id', before.account_type), paid), before.ledger, by_present,
            by_changed);
    END IF;
    RETURN pg_catalog.format('SELECT coalesce(a.account_key, b.account_key) AS account_key, coalesce(a.name, b.name) AS name, '
        'coalesce(a.revenue, b.revenue) AS revenue, b.score AS before, a.score AS after, b.band AS band_before, a.band AS band_after, '
        'a.known FROM (SELECT %s, p.score, p.band FROM (%s) AS l, %s) AS b FULL JOIN (SELECT %s, c.score, c.band, k.known '
        'FROM (%s) AS l, %s) AS a ON a.account_key = b.account_key',
        pg_catalog.format(told, health_internal.canonical_text('l.account_id', before.account_type), paid), before.ledger, by_present,
        pg_catalog.format(told, health_internal.canonical_text('l.account_id', after.account_type), paid), after.ledger, by_changed);
END;
$$;
COMMENT ON FUNCTION health_internal.compile_both_scores(health_internal.model_version, health_internal.model_version, date, text, boolean)
    IS 'SQL of the whole book by two versions on a day, a row for each account; known, where it is wanted: whether signals $1 of the '
    'changed one are';

CREATE FUNCTION health_internal.what_if_as_owner(model text, changes jsonb, as_of date, outcome text, horizon integer, revenue text,
    lost_accounts text[], lost_days date[])
RETURNS SETOF health.what_if_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    changed health_internal.model_version := present;
    today CONSTANT date := health_internal.model_today(present.document);
    usage_from CONSTANT text := CASE WHEN (health_internal.open_store(present)).has_ledgers THEN 'ledger' ELSE 'events' END;
    kind CONSTANT text := CASE WHEN outcome IS NOT NULL THEN 'query' WHEN present.document #> '{accounts,end}' IS NOT NULL THEN 'end'
                               ELSE 'silent' END;
    dates date[];
    step integer;
    documents jsonb[];
    fresh text[];
BEGIN
    IF pg_catalog.jsonb_typeof(changes) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'model "%": the changes must be a JSON object', model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {"minimum_coverage": 0.3}; null removes a key.';
    ELSIF NOT pg_catalog.isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day is %', model, as_of USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day.';
    ELSIF revenue IS NOT NULL AND present.document #> ARRAY['accounts', 'columns', revenue] IS NULL THEN
        RAISE EXCEPTION 'model "%": there is no column "%" in accounts.columns', model, revenue
            USING ERRCODE = 'undefined_column', HINT = 'Revenue is an attribute of accounts: "columns": {"arr": "arr"}.';
    END IF;
    revenue := coalesce(revenue, CASE WHEN present.document #> '{accounts,columns,arr}' IS NOT NULL THEN 'arr' END);
    changed.definition := health_internal.drop_null_keys(present.definition || changes);
    changed.document := health_internal.check_definition(model, changed.definition, changed.search_path);
    IF changed.document #> '{accounts,columns}' IS NULL OR NOT changed.document #> '{accounts,columns}' ? revenue THEN
        revenue := NULL;
    END IF;
    changed.document := health_internal.freeze_references(changed.document, present.document, today,
        CASE WHEN (health_internal.open_store(changed)).has_ledgers THEN 'ledger' ELSE 'events' END, model);
    fresh := ARRAY(SELECT l.signal ->> 'name' FROM health_internal.leaf_signals(changed.document) AS l
                   WHERE NOT EXISTS (SELECT FROM health_internal.leaf_signals(present.document) AS o
                                     WHERE o.signal - '{weight,label,description,next_step,relative_to_book}'::text[]
                                           = l.signal - '{weight,label,description,next_step,relative_to_book}'::text[]) ORDER BY l.number);
    PERFORM health_internal.look_names_up_in(changed.search_path);
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH scores AS MATERIALIZED (
            SELECT s.account_key, s.name, s.before, s.after, s.after - s.before AS change, coalesce(s.band_before, '(none)') AS band_before,
                   coalesce(s.band_after, '(none)') AS band_after, s.revenue, s.known
            FROM (%s) AS s
        ), figures AS (
            SELECT 1 AS part, 1::pg_catalog.int8 AS place, 'summary' AS section, 'accounts that change band' AS item, NULL AS name,
                   pg_catalog.avg(s.before) AS before, pg_catalog.avg(s.after) AS after, pg_catalog.avg(s.change) AS change,
                   NULL AS band_before, NULL AS band_after, pg_catalog.count(*) FILTER (WHERE s.band_before <> s.band_after) AS n,
                   pg_catalog.sum(s.revenue) FILTER (WHERE s.band_before <> s.band_after) AS revenue,
                   pg_catalog.format('of %%s accounts; before and after are mean scores', pg_catalog.count(*)) AS note
            FROM scores AS s
            UNION ALL
            SELECT 2, 1, 'band', CASE WHEN s.band_before = s.band_after THEN s.band_before ELSE s.band_before || ' -> ' || s.band_after END,
                NULL,
                   pg_catalog.avg(s.before), pg_catalog.avg(s.after), pg_catalog.avg(s.change), s.band_before, s.band_after,
                   pg_catalog.count(*), pg_catalog.sum(s.revenue), NULL
            FROM scores AS s GROUP BY s.band_before, s.band_after
            UNION ALL
            SELECT 3, f.place, 'signal', f.name, NULL, NULL, pg_catalog.count(*) FILTER (WHERE s.known[f.place])::pg_catalog.float8
                   / pg_catalog.count(*), NULL, NULL, NULL, pg_catalog.count(*), NULL,
                   'new or changed; after: the share of accounts that it is known of'
            FROM scores AS s, pg_catalog.unnest($1) WITH ORDINALITY AS f (name, place) WHERE s.known IS NOT NULL GROUP BY f.name, f.place
            UNION ALL
            SELECT 5, 1, 'account', s.account_key, s.name, s.before, s.after, s.change, s.band_before, s.band_after, 1, s.revenue, NULL
            FROM scores AS s
        )
        SELECT f.section, f.item, f.name, f.before, f.after, f.change, NULL::pg_catalog.float8, NULL::pg_catalog.float8, f.band_before,
               f.band_after, f.n, f.revenue, f.note
        FROM figures AS f ORDER BY f.part, f.place, f.n DESC, pg_catalog.abs(f.change) DESC NULLS LAST, f.item $query$,
        health_internal.compile_both_scores(present, changed, as_of, revenue, pg_catalog.cardinality(fresh) > 0)) USING fresh;
    IF outcome IS NULL AND horizon IS NULL THEN
        RETURN;
    END IF;
    horizon := coalesce(horizon, 90);
    dates := health_internal.plan_dates(model, horizon, today);
    step := dates[2] - dates[1];
    documents := ARRAY[(health_internal.past_document(present, dates[1], true)).document,
                       (health_internal.past_document(changed, dates[1], true)).document];
    RETURN QUERY
    SELECT 'prediction', CASE kind WHEN 'query' THEN 'lost' WHEN 'end' THEN 'ended' ELSE 'silent' END, NULL::text,
           CASE WHEN e.enough THEN f.auc END, CASE WHEN e.enough THEN s.auc END, CASE WHEN e.enough THEN d.difference END, d.low, d.high,
           NULL::text, NULL::text, l.n, NULL::float8,
           CASE WHEN NOT e.enough THEN 'too few to say'
                WHEN d.low > 0 THEN 'predicts better' WHEN d.high < 0 THEN 'predicts worse' ELSE 'no difference that the data can show' END
           || pg_catalog.format('; AUC of %s days, %s dates, %s outcomes', horizon, pg_catalog.cardinality(dates), l.events)
    FROM (SELECT pg_catalog.array_agg(100 - b.score ORDER BY b.account_id, b.as_of) AS first,
                 pg_catalog.array_agg(100 - a.score ORDER BY b.account_id, b.as_of) AS second,
                 pg_catalog.array_agg(b.outcome ORDER BY b.account_id, b.as_of) AS outcomes,
                 pg_catalog.array_agg(b.unit ORDER BY b.account_id, b.as_of) AS units, pg_catalog.count(*) AS n,
                 pg_catalog.count(*) FILTER (WHERE b.outcome) AS events
          FROM health_internal.observe_model(present, documents[1], usage_from, kind, dates, step, 0, horizon, NULL, lost_accounts,
                   lost_days) AS b
          JOIN health_internal.observe_model(changed, documents[2], usage_from, kind, dates, step, 0, horizon, NULL, lost_accounts,
                   lost_days) AS a ON a.account_id = b.account_id AND a.as_of = b.as_of
          WHERE b.on_grid AND b.in_book AND NOT b.gone AND a.score IS NOT NULL AND b.score IS NOT NULL) AS l,
         LATERAL health_internal.auc_interval(l.first, l.outcomes, l.units) AS f,
         LATERAL health_internal.auc_interval(l.second, l.outcomes, l.units) AS s,
         LATERAL health_internal.auc_difference(l.second, l.first, l.outcomes, l.units) AS d,
         health_internal.are_enough(l.events, l.n) AS e (enough)
    WHERE l.n > 0;
END;
$$;
COMMENT ON FUNCTION health_internal.what_if_as_owner(text, jsonb, date, text, integer, text, text[], date[]) IS
    'what_if() as the owner of the model, with the outcomes that the caller''s query gave';

CREATE FUNCTION health.what_if(model text, changes jsonb, as_of date DEFAULT NULL, outcome text DEFAULT NULL, horizon integer DEFAULT NULL,
    revenue text DEFAULT NULL)
RETURNS SETOF health.what_if_row
LANGUAGE sql ROWS 1000
BEGIN ATOMIC
    SELECT (r.figure).*
    FROM health_internal.read_outcomes(outcome, health_internal.visible_schemas()) AS o,
         LATERAL health_internal.rows_as_owner(health_internal.regrole((health_internal.open_model(model)).owner), NULL,
             'SELECT w FROM health_internal.what_if_as_owner($1, $2::jsonb, $3::date, $4, $5::integer, $6, $7::text[], $8::date[]) '
                 'AS w',
             model, changes::pg_catalog.text, health_internal.iso_text(as_of), outcome, horizon::pg_catalog.text, revenue,
             o.accounts::pg_catalog.text, health_internal.iso_text(o.days)) AS r (figure
                 health.what_if_row);
END;
COMMENT ON FUNCTION health.what_if(text, jsonb, date, text, integer, text) IS
    'What a changed model would do, without storing anything: top-level keys are laid over the definition as alter_model() does. Scores '
        'and '
    'bands of every account before and after, accounts and revenue (a column of accounts, by default arr) that change band, how many '
    'accounts new signals are known of; with an outcome or a horizon (days) the AUC before and after with the interval of the difference';
