-- Recurring revenue of the accounts of a model, from the fact that the model names as its revenue: known for any day, like usage.

CREATE FUNCTION health_internal.revenue_fact(version health_internal.model_version) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF version.document #>> '{revenue,fact}' IS NULL THEN
        RAISE EXCEPTION 'model "%" does not say what its revenue is', version.model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Name a fact with a value and an end: "facts": {"subscriptions": {"table": ..., "account": ..., "at": '
                         '"starts_on", "until": "ends_on", "value": "mrr"}}, "revenue": {"fact": "subscriptions"}.';
    END IF;
    RETURN version.document #>> '{revenue,fact}';
END;
$$;
COMMENT ON FUNCTION health_internal.revenue_fact(health_internal.model_version) IS
    'The fact that is the revenue of a model; an error when it names none';

-- Of a model about this fact alone nothing else is read.
CREATE FUNCTION health_internal.fact_document(document jsonb, fact text, signals jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('accounts', document -> 'accounts',
        'time_zone', document -> 'time_zone', 'as_of', document -> 'as_of',
        'facts', pg_catalog.jsonb_build_object(fact, document #> ARRAY['facts', fact]),
        'signals', (SELECT pg_catalog.jsonb_agg(s.signal || pg_catalog.jsonb_build_object('fact', fact,
                        'normalize', '{"kind": "linear", "worst": 0, "best": 1}'::pg_catalog.jsonb) ORDER BY s.n)
                    FROM pg_catalog.jsonb_array_elements(signals) WITH ORDINALITY AS s (signal, n))));
END;
COMMENT ON FUNCTION health_internal.fact_document(jsonb, text, jsonb) IS
    'A document that measures one fact of another document, over the same accounts';

CREATE FUNCTION health_internal.check_segment(version health_internal.model_version, segment text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF segment IS NOT NULL AND version.document #> ARRAY['accounts', 'columns', segment] IS NULL THEN
        RAISE EXCEPTION 'model "%" has no account column "%"', version.model, segment
            USING ERRCODE = 'undefined_column',
                  HINT = coalesce((SELECT 'Those of accounts.columns are: ' || string_agg(k, ', ' ORDER BY k) || '.'
                                   FROM jsonb_object_keys(version.document #> '{accounts,columns}') AS k),
                                  'Name one in accounts.columns of the model: "columns": {"plan": "plan"}.');
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_segment(health_internal.model_version, text) IS
    'Raises an error unless the segment is NULL or a column in accounts.columns of a model';

CREATE FUNCTION health_internal.fact_values_as_owner(model text, fact text, signals jsonb, dates date[], segment text,
    account text DEFAULT NULL, OUT account_id text, OUT name text, OUT segment_value text, OUT raw float8[])
RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    measured CONSTANT jsonb := health_internal.fact_document(version.document, fact, signals);
    store CONSTANT health_internal.store := health_internal.open_store(version);
    compiled health_internal.compiled_model;
BEGIN
    PERFORM health_internal.check_segment(version, segment);
    IF store.has_ledgers THEN
        PERFORM health_internal.check_data_tables(model);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(measured, version.version, account, model_name => model,
        usage_from => CASE WHEN store.has_ledgers THEN 'ledger' ELSE 'events' END);
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT %s, l.name, %s, health_internal.raw_values(%L::pg_catalog.jsonb, %s, $1) FROM (%s) AS l ORDER BY l.account_id',
        health_internal.canonical_text('l.account_id', compiled.account_type),
        CASE WHEN segment IS NULL THEN 'NULL::pg_catalog.text' ELSE pg_catalog.format('(l.%I)::pg_catalog.text', segment) END,
        health_internal.scoring_document(measured), health_internal.compile_state(with_past => false, with_overrides => false),
        compiled.ledger)
    USING dates;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.fact_values_as_owner(text, text, jsonb, date[], text, text) IS
    'Measures of a fact of every account of a model, or of one, as of some dates: row n of raw is of dates[n], its columns are the '
    'signals; with a column of the account, as the owner of the model';

CREATE FUNCTION health_internal.fact_currencies_as_owner(model text, fact text) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    fields health_internal.model_field[];
    currency health_internal.model_field;
    found_currencies text[];
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(version.document) AS f);
    currency := health_internal.field_of(fields, 'facts.' || fact, 'currency');
    IF currency.expression IS NULL THEN
        RETURN ARRAY[]::text[];
    END IF;
    EXECUTE pg_catalog.format('SELECT ARRAY(SELECT DISTINCT %s FROM %s WHERE %s AND (%1$s) IS NOT NULL ORDER BY 1)',
        health_internal.compile_text_key(currency), currency.from_item,
        coalesce('(' || (health_internal.field_of(fields, 'facts.' || fact, 'filter')).expression || ')', 'true')) INTO found_currencies;
    RETURN found_currencies;
END;
$$;
COMMENT ON FUNCTION health_internal.fact_currencies_as_owner(text, text) IS
    'The currencies of a fact source of a model, as the owner of the model; none without such a column';

CREATE FUNCTION health_internal.revenue_currencies(model text) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
BEGIN
    RETURN (SELECT c.known FROM health_internal.rows_as_owner(opened.owner, NULL,
        'SELECT health_internal.fact_currencies_as_owner($1, $2)', model,
        health_internal.revenue_fact(health_internal.find_version(model, opened.current_version))) AS c (known text[]));
END;
$$;
COMMENT ON FUNCTION health_internal.revenue_currencies(text) IS
    'The currencies that the revenue of a model is in; an error when it does not say what its revenue is';

-- Amounts of different currencies are never added: the one that they are in comes back.
CREATE FUNCTION health_internal.find_currency(model text, wanted text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known CONSTANT text[] := health_internal.revenue_currencies(model);
BEGIN
    IF wanted IS NULL AND cardinality(known) > 1 THEN
        RAISE EXCEPTION 'model "%": its revenue is in %', model, array_to_string(known[1:20], ', ')
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Amounts of different currencies are not added.',
                  HINT = format('Name one: currency => %L.', known[1]);
    ELSIF wanted IS NOT NULL AND wanted <> ALL (known) THEN
        RAISE EXCEPTION 'model "%": none of its revenue is in "%"', model, wanted
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = CASE WHEN cardinality(known) = 0 THEN 'No row of it names a currency: leave it out, or give the fact a "currency".'
                              ELSE 'It is in ' || array_to_string(known[1:20], ', ') || '.' END;
    END IF;
    RETURN coalesce(wanted, known[1]);
END;
$$;
COMMENT ON FUNCTION health_internal.find_currency(text, text) IS
    'The currency of the revenue of a model, NULL where it has none: the wanted one, else the only one; an error when there are others '
    'or it does not occur';

CREATE FUNCTION health_internal.mrr_at(model text, dates date[], segment text DEFAULT NULL, currency text DEFAULT NULL,
    with_ends boolean DEFAULT false, account text DEFAULT NULL,
    OUT account_id text, OUT name text, OUT segment_value text, OUT mrr float8[], OUT had_before boolean[], OUT days_left float8[])
RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
    fact CONSTANT text := health_internal.revenue_fact(health_internal.find_version(model, opened.current_version));
BEGIN
    RETURN QUERY
    SELECT v.account_id, v.name, v.segment_value, m.mrr, m.had_before, m.days_left
    FROM health_internal.rows_as_owner(opened.owner, NULL,
             'SELECT * FROM health_internal.fact_values_as_owner($1, $2, $3::jsonb, $4::date[], $5, $6)', model, fact,
             (SELECT jsonb_agg(m.signal || jsonb_strip_nulls(jsonb_build_object('currency', currency)) ORDER BY m.n)
              FROM jsonb_array_elements('[{"name": "mrr", "measure": "open_sum"}, '
                                        '{"name": "ever", "measure": "count", "window_days": 3660}, '
                                        '{"name": "left", "measure": "days_left"}]') WITH ORDINALITY AS m (signal, n)
              WHERE m.n < 3 OR with_ends)::text,
             health_internal.iso_text(dates), segment, account)
             AS v (account_id text, name text, segment_value text, raw float8[]),
         LATERAL (SELECT array_agg(CASE WHEN v.raw[n][1] >= 0 AND v.raw[n][1] < 9.2e12 THEN v.raw[n][1] END ORDER BY n)
                             AS mrr,
                         array_agg(v.raw[n][2] > 0 ORDER BY n) AS had_before,
                         array_agg(v.raw[n][3] ORDER BY n) AS days_left
                  FROM generate_subscripts(v.raw, 1) AS n) AS m;
END;
$$;
COMMENT ON FUNCTION health_internal.mrr_at(text, date[], text, text, boolean, text) IS
    'The recurring revenue of every account, or of one, as of some dates in a currency, NULL where it has none (unknown: below 0), '
    'whether there had been any subscription within ten years before, and, if asked, the days to the end of the present one';

CREATE FUNCTION health_internal.check_period(model text, from_date date, to_date date) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT (isfinite(from_date) AND isfinite(to_date) AND from_date < to_date) IS TRUE THEN
        RAISE EXCEPTION 'model "%": % to % is no period', model, coalesce(from_date::text, 'NULL'), coalesce(to_date::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give two calendar days, the earlier one first: of January that is 2025-01-01 and 2025-02-01.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_period(text, date, date) IS 'Raises an error unless the two days make a period';

CREATE FUNCTION health.revenue(model text, from_date date, to_date date, currency text DEFAULT NULL,
    OUT account_id text, OUT name text, OUT mrr_start float8, OUT new_mrr float8, OUT expansion float8, OUT contraction float8,
    OUT churn float8, OUT reactivation float8, OUT mrr_end float8, OUT movement text)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.check_period(model, from_date, to_date);
    RETURN QUERY
    SELECT r.account_id, r.name, r.mrr[1], b.new_mrr, b.expansion, b.contraction, b.churn, b.reactivation, r.mrr[2],
           CASE WHEN r.mrr[1] IS NOT NULL AND r.mrr[2] IS NOT NULL THEN health.mrr_movement(r.mrr[1], r.mrr[2], r.had_before[1]) END
    FROM health_internal.mrr_at(model, ARRAY[from_date, to_date], currency => health_internal.find_currency(model, revenue.currency)) AS r
    LEFT JOIN LATERAL (SELECT (health.mrr_bridge(o.mrr_start, o.mrr_end, o.had_before)).*
                       FROM (VALUES (r.mrr[1], r.mrr[2], r.had_before[1])) AS o (mrr_start, mrr_end, had_before)) AS b
        ON r.mrr[1] IS NOT NULL AND r.mrr[2] IS NOT NULL;
END;
$$;
COMMENT ON FUNCTION health.revenue(text, date, date, text) IS
    'Monthly recurring revenue of every account of a model, at the beginning of from_date and of to_date, and how it came from the one to '
    'the other: new, expansion, contraction, churn, reactivation (had a subscription within ten years before from_date). NULL where it '
    'comes to less than 0. Of a fact in several currencies one is to be named. By the fact that the model names as "revenue"';

CREATE FUNCTION health.mrr_movements(model text, from_date date, to_date date, step text DEFAULT 'month', segment text DEFAULT NULL,
    currency text DEFAULT NULL, OUT period_start date, OUT period_end date, OUT segment_value text, OUT mrr_start float8,
    OUT customers_start bigint,
    OUT new_mrr float8, OUT new_customers bigint, OUT expansion float8, OUT expanded_customers bigint, OUT contraction float8,
    OUT contracted_customers bigint, OUT churn float8, OUT lost_customers bigint, OUT reactivation float8,
    OUT reactivated_customers bigint, OUT mrr_end float8, OUT customers_end bigint, OUT nrr float8, OUT grr float8, OUT logo_churn float8,
    OUT arpa float8, OUT unknown_accounts bigint)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 36
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most CONSTANT integer := 1000;
    paid_in CONSTANT text := health_internal.find_currency(model, mrr_movements.currency);
    dates date[];
BEGIN
    PERFORM health_internal.check_period(model, from_date, to_date);
    IF step IS NULL OR step NOT IN ('week', 'month', 'quarter', 'year') THEN
        RAISE EXCEPTION 'model "%": there is no step "%"', model, step
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Steps are week, month, quarter and year.';
    END IF;
    -- Counted from the first: of 31 January a month on is the end of February, two are 31 March.
    dates := ARRAY(SELECT d.day FROM (SELECT (from_date + n * CASE step WHEN 'quarter' THEN interval '3 months'
                                                                        ELSE ('1 ' || step)::interval END)::date AS day
                                      FROM generate_series(0, most) AS n) AS d WHERE d.day < to_date ORDER BY d.day) || to_date;
    IF cardinality(dates) > most + 1 THEN
        RAISE EXCEPTION 'model "%": more than % periods', model, most
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Ask for fewer at a time, or take a longer step.';
    END IF;
    RETURN QUERY
    SELECT dates[b.n], dates[b.n + 1], b.segment_value, (b.bridge).*, b.unknown
    FROM (SELECT n, r.segment_value,
                 health.mrr_bridge(r.mrr[n], r.mrr[n + 1], r.had_before[n])
                     FILTER (WHERE r.mrr[n] IS NOT NULL AND r.mrr[n + 1] IS NOT NULL) AS bridge,
                 count(*) FILTER (WHERE r.mrr[n] IS NULL OR r.mrr[n + 1] IS NULL) AS unknown
          FROM health_internal.mrr_at(model, dates, segment, paid_in) AS r, generate_series(1, cardinality(dates) - 1) AS n
          GROUP BY n, r.segment_value) AS b
    ORDER BY b.n, b.segment_value;
END;
$$;
COMMENT ON FUNCTION health.mrr_movements(text, date, date, text, text, text) IS
    'How the monthly recurring revenue of a model moved, a row for each week, month, quarter or year from from_date to to_date (the last '
    'may be shorter), or for each and value of an account column: new, expansion, contraction, churn, reactivation with their customers, '
    'NRR, GRR, logo churn and ARPA of the period. Accounts whose revenue comes to less than 0 are counted as unknown and left '
    'out. Of a fact in several currencies one is to be named';

CREATE FUNCTION health.renewals(model text, as_of date DEFAULT NULL, currency text DEFAULT NULL,
    OUT account_id text, OUT name text, OUT renews_on date, OUT days_left integer, OUT renewal_window text, OUT mrr float8,
    OUT score float8, OUT band text, OUT state text, OUT at_risk boolean)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := (health_internal.find_version(model, (health_internal.open_model(model)).current_version)).document;
    today CONSTANT date := coalesce(renewals.as_of, health_internal.model_today(document));
    paid_in CONSTANT text := health_internal.find_currency(model, renewals.currency);
    risky CONSTANT text[] := health_internal.bands_at_risk(document);
BEGIN
    RETURN QUERY
    SELECT r.account_id, r.name, today + d.days, d.days,
           CASE WHEN d.days < 0 THEN 'past' WHEN d.days <= 30 THEN '0-30' WHEN d.days <= 60 THEN '31-60' WHEN d.days <= 90 THEN '61-90'
                WHEN d.days IS NOT NULL THEN 'beyond 90' ELSE 'none' END,
           r.mrr[1], s.score, s.band, s.state, health_internal.is_at_risk(s.band, s.state, risky)
    FROM health_internal.mrr_at(model, ARRAY[today], currency => paid_in, with_ends => true) AS r
    JOIN health.score_at(model, today) AS s ON s.account_id = r.account_id AND s.state NOT IN ('prospect', 'ended'),
         LATERAL (SELECT r.days_left[1]::integer) AS d (days)
    ORDER BY d.days NULLS LAST, r.mrr[1] DESC NULLS LAST, r.account_id;
END;
$$;
COMMENT ON FUNCTION health.renewals(text, date, text) IS
    'The renewal pipeline: when the subscription of each customer of a model ends (the fact that it names as "revenue"), its window (past, '
    '0-30, 31-60, 61-90, beyond 90 days, none), monthly recurring revenue, score, and whether that is at risk: in one of the two lowest '
    'bands, the best aside, or silent';
