-- Cohorts: accounts that began together, interval by interval since their start.

CREATE TYPE health.cohort_row AS (
    cohort text,
    starts_on date,
    "interval" integer,
    units bigint,
    reached bigint,
    counted bigint,
    value float8,
    low float8,
    high float8,
    reason text
);
COMMENT ON TYPE health.cohort_row IS 'A cohort after so many intervals since the start of its accounts';
COMMENT ON COLUMN health.cohort_row.cohort IS 'Month, quarter or year in which the accounts began, or the value of the column';
COMMENT ON COLUMN health.cohort_row.starts_on IS 'First day of that month, quarter or year; NULL of cohorts by a column';
COMMENT ON COLUMN health.cohort_row."interval" IS
    'How many intervals after its start each account is looked at: months, or with quarter and year so many of these. 1 is the first';
COMMENT ON COLUMN health.cohort_row.units IS 'Accounts in the cohort';
COMMENT ON COLUMN health.cohort_row.reached IS 'Those whose interval is over: the denominator, lost ones included';
COMMENT ON COLUMN health.cohort_row.counted IS 'Those that are customers, or active; of a mean, the accounts that it is over';
COMMENT ON COLUMN health.cohort_row.value IS 'counted / reached, 0 to 1, or the mean; NULL when masked, see reason';
COMMENT ON COLUMN health.cohort_row.low IS 'Lower end of the 95 % interval of a share (Wilson)';
COMMENT ON COLUMN health.cohort_row.high IS 'Upper end';
COMMENT ON COLUMN health.cohort_row.reason IS
    'Why there is no value: unfinished, too few, before_ledger, source_stale (tracking was broken), no_data (accounts without a start)';

CREATE FUNCTION health_internal.check_cohort_column(model_name text, document jsonb, wanted text, others text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    columns CONSTANT text[] := ARRAY(SELECT jsonb_object_keys(document #> '{accounts,columns}'));
BEGIN
    IF wanted IS NULL OR wanted <> ALL (columns) THEN
        RAISE EXCEPTION 'model "%": there is no column "%" in accounts.columns', model_name, coalesce(wanted, 'NULL')
            USING ERRCODE = 'undefined_column',
                  HINT = coalesce('Did you mean "' || health.nearest_name(wanted, columns) || '"?',
                      format('Cohorts are by %s, or a column of accounts: "columns": {"plan": "plan_tier"}.', others));
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_cohort_column(text, jsonb, text, text) IS
    'Raises an error unless accounts can be grouped by a column of that name; others are words that mean something else';

-- What does not read the score needs no signals, nor what they were on past days.
CREATE FUNCTION health_internal.without_score(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT document - 'variants'
        || '{"signals": [{"name": "events", "metric": "events", "weight": 1, "normalize": {"kind": "identity"}}]}'::pg_catalog.jsonb;
END;
COMMENT ON FUNCTION health_internal.without_score(jsonb) IS 'A document whose only signal is the number of events';

-- Accounts are looked at on the last day of each interval, from one decode of their ledger. Activity is looked for from 28 days before it.
CREATE FUNCTION health_internal.observe_cohorts(version health_internal.model_version, today date, months integer, by_column text,
    truncate_to text, measure text, from_date date, to_date date)
RETURNS TABLE (cohort text, starts_on date, account_id text, begins date, "interval" integer, finished boolean, is_customer boolean,
    value float8, reason text)
LANGUAGE plpgsql ROWS 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := CASE measure WHEN 'score' THEN version.document ELSE health_internal.without_score(version.document) END;
    window_days CONSTANT integer := CASE measure WHEN 'engagement' THEN coalesce((document ->> 'window_days')::integer, 28) ELSE 28 END;
    compiled health_internal.compiled_model;
    first_start date;
    usage_from text := CASE WHEN measure = 'retention' THEN 'nothing'
        WHEN (health_internal.open_store(version)).has_ledgers THEN 'ledger' ELSE 'events' END;
BEGIN
    IF usage_from = 'ledger' THEN
        PERFORM health_internal.check_data_tables(version.model);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    -- How far back accounts and tracking are to be known: to the first start.
    compiled := health_internal.compile_model(document, version.version, as_of => today, usage_from => 'nothing',
                                              model_name => version.model);
    EXECUTE pg_catalog.format('SELECT pg_catalog.min(l.account_start) FROM (%s) AS l WHERE l.account_start >= $1 AND l.account_start <= $2 '
        'AND pg_catalog.isfinite(l.account_start)', compiled.ledger) INTO first_start USING from_date, to_date;
    compiled := health_internal.compile_model(document, version.version, as_of => today, usage_from => usage_from,
        model_name => version.model, as_literals => true, past_days => greatest(today - coalesce(first_start, today), 0));
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH units AS MATERIALIZED (
            SELECT %1$s AS account_key, %2$s AS cohort, %3$s AS starts_on, l.*, CASE WHEN pg_catalog.isfinite(l.account_start) THEN
                       ARRAY(SELECT s.day FROM pg_catalog.generate_series(1, (1 + ($1 - l.account_start) / 28) / $2) AS n (step),
                             LATERAL (SELECT (l.account_start + pg_catalog.make_interval(months => n.step * $2))::pg_catalog.date)
                                 AS s (day)
                             WHERE s.day <= $1 ORDER BY n.step) ELSE '{}' END AS days
            FROM (%4$s) AS l
            -- What was merged into another account has left nobody.
            WHERE l.account_end IS DISTINCT FROM '-infinity' AND (l.account_start IS NULL OR l.account_start = '-infinity'
               OR (l.account_start >= $3 AND l.account_start <= $4 AND l.account_start <= $1))
        )
        SELECT u.cohort, u.starts_on, u.account_key, CASE WHEN pg_catalog.isfinite(u.account_start) THEN u.account_start END,
               n.step::pg_catalog.int4, n.step <= pg_catalog.cardinality(u.days), coalesce(o.in_book, false),
               CASE $5 WHEN 'active' THEN o.active_after::pg_catalog.int4::pg_catalog.float8 WHEN 'engagement' THEN o.events
                       WHEN 'score' THEN o.score END,
               CASE WHEN $5 = 'retention' OR n.step > pg_catalog.cardinality(u.days) THEN NULL
                    WHEN $5 <> 'score' AND u.ledger_start > n.day - $6 THEN 'before_ledger'
                    WHEN $5 = 'active' AND o.as_of IS NOT NULL AND o.active_after IS NULL THEN 'source_stale'
                    WHEN $5 = 'engagement' AND EXISTS (
                        SELECT FROM pg_catalog.generate_series(1, pg_catalog.cardinality(u.outages), 2) AS b (at)
                        WHERE u.outages[b.at] < n.day AND u.outages[b.at + 1] >= n.day - $6) THEN 'source_stale' END
        FROM units AS u
        CROSS JOIN LATERAL (
            SELECT a.step, a.day FROM pg_catalog.unnest(u.days) WITH ORDINALITY AS a (day, step)
            UNION ALL SELECT pg_catalog.cardinality(u.days) + 1, NULL) AS n
        LEFT JOIN LATERAL health_internal.observe_dates(%5$L::pg_catalog.jsonb, %6$s,
            ARRAY(SELECT a.day - CASE $5 WHEN 'active' THEN 28 ELSE 0 END FROM pg_catalog.unnest(u.days) AS a (day)), 0, 28, u.outages) AS o
            ON o.as_of = n.day - CASE $5 WHEN 'active' THEN 28 ELSE 0 END
        $query$, health_internal.canonical_text('l.account_id', compiled.account_type),
        CASE WHEN by_column IS NOT NULL THEN pg_catalog.format('coalesce(l.%I::pg_catalog.text, ''(none)'')', by_column)
             ELSE pg_catalog.format('CASE WHEN pg_catalog.isfinite(l.account_start) THEN pg_catalog.to_char(l.account_start, %L) END',
                 CASE truncate_to WHEN 'quarter' THEN 'YYYY"-Q"Q' WHEN 'year' THEN 'YYYY' ELSE 'YYYY-MM' END) END,
        CASE WHEN by_column IS NOT NULL THEN 'NULL::pg_catalog.date' ELSE pg_catalog.format(
            'CASE WHEN pg_catalog.isfinite(l.account_start) THEN pg_catalog.date_trunc(%L, l.account_start::pg_catalog.timestamp)'
            '::pg_catalog.date END', truncate_to) END,
        compiled.ledger, health_internal.scoring_document(document), health_internal.compile_state(row_name => 'u'))
    USING today, months, coalesce(from_date, '-infinity'::date), coalesce(to_date, 'infinity'::date), measure, window_days;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(version.model, version);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.observe_cohorts(health_internal.model_version, date, integer, text, text, text, date, date) IS
    'Each account at the end of each interval since its start, and the interval that it is in: whether it is finished, whether the account '
    'is a customer then, whether anybody was active (1 or 0), events or score. Accounts without a start have no intervals but that';

CREATE FUNCTION health_internal.cohorts_as_owner(model text, by text, measure text, from_date date, to_date date, at_least integer)
RETURNS SETOF health.cohort_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    document CONSTANT jsonb := version.document;
    months CONSTANT integer := CASE cohorts_as_owner.by WHEN 'quarter' THEN 3 WHEN 'year' THEN 12 ELSE 1 END;
    is_calendar CONSTANT boolean := coalesce(cohorts_as_owner.by = ANY ('{month,quarter,year}'), false);
    measures CONSTANT text[] := ARRAY['retention', 'active', 'engagement', 'score'];
BEGIN
    IF NOT is_calendar THEN
        PERFORM health_internal.check_cohort_column(model, document, cohorts_as_owner.by, 'month, quarter or year');
    END IF;
    IF measure IS NULL OR measure <> ALL (measures) THEN
        RAISE EXCEPTION 'model "%": there is no measure "%"', model, coalesce(measure, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The measures are ' || array_to_string(measures, ', ') || '.';
    ELSIF at_least IS NULL OR at_least < 1 THEN
        RAISE EXCEPTION 'model "%": a cohort has at least 1 account, not %', model, coalesce(at_least::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF from_date > to_date THEN
        RAISE EXCEPTION 'model "%": from % to % is no span of time', model, from_date, to_date
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give two days, the earlier one first.';
    ELSIF document #> '{accounts,start}' IS NULL THEN
        RAISE EXCEPTION 'model "%": the accounts have no start', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Name the column: "accounts": {..., "start": "customer_since"}.';
    ELSIF measure = 'retention' AND document #> '{accounts,end}' IS NULL THEN
        RAISE EXCEPTION 'model "%": the accounts have no end, so nobody is ever lost', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Name the column: "accounts": {..., "end": "churned_on"}; or ask for the measure "active".';
    END IF;
    RETURN QUERY
    WITH seen AS MATERIALIZED (
        SELECT o.* FROM health_internal.observe_cohorts(version, health_internal.portfolio_day(version), months,
            CASE WHEN NOT is_calendar THEN cohorts_as_owner.by END, cohorts_as_owner.by, measure, from_date, to_date) AS o
    ), sizes AS (
        -- The first interval that somebody is still in: cohorts of a month have that many, those of a column go on.
        SELECT s.cohort, s.starts_on, count(DISTINCT s.account_id) AS units, min(s."interval") FILTER (WHERE NOT s.finished) AS unfinished,
               max(s."interval") FILTER (WHERE s.finished) AS last_finished
        FROM seen AS s WHERE s.begins IS NOT NULL GROUP BY s.cohort, s.starts_on
    ), cells AS (
        SELECT z.cohort, z.starts_on, s."interval", z.units, count(*) FILTER (WHERE s.finished) AS reached,
               count(*) FILTER (WHERE s.finished AND CASE measure WHEN 'retention' THEN s.is_customer WHEN 'active' THEN s.value = 1
                   ELSE s.is_customer AND s.value IS NOT NULL END) AS counted,
               avg(s.value ORDER BY s.value) FILTER (WHERE s.finished AND s.is_customer) AS mean, min(s.reason) AS reason,
               is_calendar AND s."interval" >= z.unfinished AS is_unfinished
        FROM sizes AS z JOIN seen AS s ON s.cohort = z.cohort AND s.begins IS NOT NULL
        WHERE s."interval" <= CASE WHEN is_calendar THEN z.unfinished ELSE coalesce(z.last_finished, 1) END
        GROUP BY z.cohort, z.starts_on, z.units, z.unfinished, s."interval"
    ), judged AS (
        SELECT c.*, measure = ANY ('{retention,active}') AS is_share,
               CASE WHEN c.units < at_least THEN 'too few'
                    WHEN c.is_unfinished OR c.reached = 0 THEN 'unfinished'
                    WHEN c.reason IS NOT NULL THEN c.reason
                    WHEN c.reached < at_least THEN 'too few'
                    WHEN measure = ANY ('{engagement,score}') AND c.counted < at_least THEN 'too few' END AS masked
        FROM cells AS c
    )
    SELECT j.cohort, j.starts_on, j."interval", j.units, j.reached, CASE WHEN j.masked IS NULL THEN j.counted END,
           CASE WHEN j.masked IS NULL THEN CASE WHEN j.is_share THEN r.rate ELSE j.mean END END,
           CASE WHEN j.masked IS NULL AND j.is_share THEN r.low END, CASE WHEN j.masked IS NULL AND j.is_share THEN r.high END, j.masked
    FROM judged AS j CROSS JOIN LATERAL health_internal.rate_interval(CASE WHEN j.is_share THEN j.counted ELSE 0 END, j.reached) AS r
    UNION ALL
    SELECT '(no start)', NULL, NULL, count(DISTINCT s.account_id), NULL, NULL, NULL, NULL, NULL, 'no_data' FROM seen AS s
    WHERE s.begins IS NULL HAVING count(*) > 0
    ORDER BY 2, 1, 3;
END;
$$;
COMMENT ON FUNCTION health_internal.cohorts_as_owner(text, text, text, date, date, integer) IS 'cohorts() as the owner of the model';

CREATE FUNCTION health.cohorts(model text, by text DEFAULT 'month', measure text DEFAULT 'retention', from_date date DEFAULT NULL,
    to_date date DEFAULT NULL, at_least integer DEFAULT 5)
RETURNS SETOF health.cohort_row
LANGUAGE plpgsql ROWS 300
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT (r.cell).* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT c FROM health_internal.cohorts_as_owner($1, $2, $3, $4::date, $5::date, $6::integer) AS c', model, by, measure,
        health_internal.iso_text(from_date), health_internal.iso_text(to_date), at_least::text) AS r (cell health.cohort_row);
END;
$$;
COMMENT ON FUNCTION health.cohorts(text, text, text, date, date, integer) IS
    'Accounts by the month, quarter or year of their start, or by a column of accounts, after 1, 2, ... intervals since the start of each: '
    'retention (still a customer, by accounts.end), active (somebody active in the last 28 days of the interval), engagement (mean events '
    'of those that are customers, in the window of the model), score (their mean score). The denominator are accounts that reached the '
    'end of the interval; the interval that somebody is still in and cohorts under at_least accounts are masked, with the reason. '
    'from_date, to_date: first and last start';
