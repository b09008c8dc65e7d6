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
