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
