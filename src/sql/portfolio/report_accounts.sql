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
