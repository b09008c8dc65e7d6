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
