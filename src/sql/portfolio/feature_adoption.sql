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
