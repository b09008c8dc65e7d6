-- Do accounts like these fare better? Two groups on a past date, and what became of them.

CREATE TYPE health.comparison_row AS (
    condition text,
    outcome text,
    as_of date,
    horizon integer,
    n bigint,
    events bigint,
    rate float8,
    rate_low float8,
    rate_high float8,
    others_n bigint,
    others_events bigint,
    others_rate float8,
    others_low float8,
    others_high float8,
    ratio float8,
    ratio_low float8,
    ratio_high float8,
    difference float8,
    difference_low float8,
    difference_high float8,
    unknown bigint,
    sentence text,
    note text
);
COMMENT ON TYPE health.comparison_row IS 'How often accounts that meet a condition had an outcome, and how often all others had it';
COMMENT ON COLUMN health.comparison_row.condition IS 'As it was asked';
COMMENT ON COLUMN health.comparison_row.outcome IS
    'lost (by the query), ended (accounts.end) or silent (nobody active for the whole horizon)';
COMMENT ON COLUMN health.comparison_row.as_of IS 'The day on which the condition was looked at';
COMMENT ON COLUMN health.comparison_row.horizon IS 'Days after it in which the outcome counts';
COMMENT ON COLUMN health.comparison_row.n IS 'Accounts in the book of that day that met the condition';
COMMENT ON COLUMN health.comparison_row.events IS 'How many of them had the outcome';
COMMENT ON COLUMN health.comparison_row.rate IS 'Their share, 0 to 1';
COMMENT ON COLUMN health.comparison_row.rate_low IS 'Lower end of its 95 % interval (Wilson)';
COMMENT ON COLUMN health.comparison_row.rate_high IS 'Upper end';
COMMENT ON COLUMN health.comparison_row.others_n IS 'Accounts that did not meet it';
COMMENT ON COLUMN health.comparison_row.others_events IS 'How many of them had the outcome';
COMMENT ON COLUMN health.comparison_row.others_rate IS 'Their share';
COMMENT ON COLUMN health.comparison_row.others_low IS 'Lower end of its interval';
COMMENT ON COLUMN health.comparison_row.others_high IS 'Upper end';
COMMENT ON COLUMN health.comparison_row.ratio IS 'rate over others_rate; NULL when none of the others had the outcome';
COMMENT ON COLUMN health.comparison_row.ratio_low IS
    'Lower end of its 95 % interval, by the logarithm (Katz); where a group has no event a half is added to events and counts of both';
COMMENT ON COLUMN health.comparison_row.ratio_high IS 'Upper end';
COMMENT ON COLUMN health.comparison_row.difference IS 'rate less others_rate';
COMMENT ON COLUMN health.comparison_row.difference_low IS 'Lower end of its 95 % interval (Newcombe)';
COMMENT ON COLUMN health.comparison_row.difference_high IS 'Upper end';
COMMENT ON COLUMN health.comparison_row.unknown IS 'Accounts of which the condition is unknown (NULL): in neither group';
COMMENT ON COLUMN health.comparison_row.sentence IS 'All of it in a sentence';
COMMENT ON COLUMN health.comparison_row.note IS
    'What to mind: columns that have no past, accounts that nobody knows, a half that was added';

CREATE FUNCTION health_internal.show_times(times float8) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN times >= 10 THEN pg_catalog.to_char(pg_catalog.round(times::pg_catalog.numeric), 'FM999999999990')
                ELSE pg_catalog.to_char(pg_catalog.round(times::pg_catalog.numeric, 1), 'FM0.0') END;
END;
COMMENT ON FUNCTION health_internal.show_times(float8) IS 'A ratio of at least 1 for a sentence: 3.1';

CREATE FUNCTION health_internal.tell_ratio(ratio float8, low float8, high float8) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN low IS NULL THEN 'nothing to compare'
        WHEN low <= 1 AND high >= 1 THEN format('no difference that the data can show%s',
            CASE WHEN low > 0 THEN format(' (95 %% from %s times less to %s times more)', health_internal.show_times(1 / low),
                health_internal.show_times(high)) ELSE '' END)
        WHEN high < 1 THEN concat(CASE WHEN ratio > 0 THEN health_internal.show_times(1 / ratio) || ' times less, 95 % ' ELSE '95 % ' END,
            health_internal.show_times(1 / high), ' to ', health_internal.show_times(1 / low),
            CASE WHEN ratio > 0 THEN '' ELSE ' times less' END)
        ELSE concat(health_internal.show_times(ratio) || ' times more, ', '95 % ', health_internal.show_times(low), ' to ',
            health_internal.show_times(high), CASE WHEN ratio IS NULL THEN ' times more' ELSE '' END) END;
$$;
COMMENT ON FUNCTION health_internal.tell_ratio(float8, float8, float8) IS 'How many times less or more, with the interval, in words';

-- What became of the accounts is as backtest() has it; of them only those that were customers on the day.
CREATE FUNCTION health_internal.compared_accounts(model text, has_query boolean, horizon integer, asked date, lost_accounts text[],
    lost_days date[], OUT outcome text, OUT as_of date, OUT columns text[], OUT types text[], OUT without_past text[],
    OUT outcomes boolean[], OUT figures jsonb[], OUT strangers bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 3
SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    document CONSTANT jsonb := version.document;
    today CONSTANT date := health_internal.model_today(document);
    kind CONSTANT text := CASE WHEN has_query THEN 'query' WHEN document #> '{accounts,end}' IS NOT NULL THEN 'end' ELSE 'silent' END;
    dates CONSTANT date[] := health_internal.plan_dates(model, horizon, today, coalesce(asked, today - horizon),
        coalesce(asked, today - horizon), 1);
    known health_internal.account_figures;
    fields health_internal.model_field[];
BEGIN
    as_of := dates[1];
    outcome := CASE kind WHEN 'query' THEN 'lost' WHEN 'end' THEN 'ended' ELSE 'silent' END;
    known := health_internal.compile_figures(version, as_of);
    columns := known.names;
    -- Types that anybody may have made, with casts of their own, come as text.
    types := ARRAY(SELECT CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN format_type(t.oid, -1) ELSE 'text' END
                   FROM unnest(known.types) WITH ORDINALITY AS k (type, "position") JOIN pg_type AS t ON t.oid = k.type
                   ORDER BY k."position");
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    without_past := ARRAY(
        SELECT f.name FROM (
            SELECT pg_catalog.jsonb_object_keys(document #> '{accounts,columns}') AS name
            UNION SELECT v.column_name FROM health_internal.value_columns(document) AS v
                  JOIN health.model_inputs(document) AS i USING ("position")
                  WHERE NOT health_internal.has_a_past(document, fields, i.path, i.kind, i.source)
            UNION SELECT 'seats') AS f ORDER BY f.name);
    EXECUTE pg_catalog.format($query$
        WITH became AS MATERIALIZED (
            SELECT o.account_id, o.outcome, o.in_book AND NOT o.gone AS counts
            FROM health_internal.observe_model($1, ($1).document, $2, $3, ARRAY[$4], 1, 0, $5, NULL, $6, $7) AS o WHERE o.as_of = $4
        ), figured AS (
            SELECT f."$account" AS account_id, pg_catalog.to_jsonb(f) AS figures FROM (%s) AS f
        ), counted AS MATERIALIZED (
            SELECT b.account_id, b.outcome, f.figures FROM became AS b JOIN figured AS f ON f.account_id = b.account_id WHERE b.counts
        )
        SELECT (SELECT pg_catalog.array_agg(c.outcome ORDER BY c.account_id) FROM counted AS c),
               (SELECT pg_catalog.array_agg(c.figures ORDER BY c.account_id) FROM counted AS c),
               (SELECT pg_catalog.count(DISTINCT l.account_id) FROM pg_catalog.unnest($6) AS l (account_id)
                WHERE NOT EXISTS (SELECT FROM became AS b WHERE b.account_id = l.account_id))
        $query$, known.query) INTO outcomes, figures, strangers
    USING version, CASE WHEN (health_internal.open_store(version)).has_ledgers THEN 'ledger' ELSE 'events' END, kind, as_of, horizon,
        lost_accounts, lost_days;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, compared_accounts.as_of);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.compared_accounts(text, boolean, integer, date, text[], date[]) IS
    'The accounts in the book of a past day with what was known of each, and whether it had the outcome in the horizon; '
    'without_past: columns that say only what stands there today; strangers: accounts of the outcomes that the model does not have';

-- The condition is the caller's, and is asked with the caller's rights and names.
CREATE FUNCTION health_internal.ask_condition(condition text, visible text, columns text[], types text[], figures jsonb[])
RETURNS boolean[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    named CONSTANT text := (SELECT string_agg(format('%I %s', c.name, c.type), ', ' ORDER BY c."position")
        FROM ROWS FROM (unnest(columns), unnest(types)) WITH ORDINALITY AS c (name, type, "position"));
    answers boolean[];
    missing text;
BEGIN
    -- By itself, without parentheses around it and with no other names, it has to be an expression as well.
    PERFORM FROM health_internal.describe_query(format(E'SELECT %s\n FROM jsonb_to_record(''{}'') AS f (%s)', condition, named), visible);
    PERFORM health_internal.look_names_up_in(visible);
    -- In VALUES there is neither an aggregate nor a set.
    EXECUTE pg_catalog.format(E'SELECT pg_catalog.array_agg(c.answer ORDER BY f."$place") FROM (SELECT r."$place", n.* '
        'FROM pg_catalog.unnest($1) WITH ORDINALITY AS r ("$figures", "$place") CROSS JOIN LATERAL '
        'pg_catalog.jsonb_to_record(r."$figures") AS n (%2$s)) AS f CROSS JOIN LATERAL (VALUES (NOT (NOT (%1$s\n)))) AS c (answer)',
        condition, named)
    INTO answers USING figures;
    RETURN answers;
EXCEPTION
    WHEN undefined_column THEN
        missing := substring(sqlerrm FROM 'column "?([^" ]+)"? does not exist');
        RAISE EXCEPTION 'the condition "%": %', condition, sqlerrm
            USING ERRCODE = sqlstate, HINT = coalesce('Did you mean "' || health.nearest_name(missing, columns) || '"?',
                'It is over the columns of a score view and the signals as measured; see docs/reference/portfolio.md.');
    WHEN syntax_error OR undefined_parameter OR undefined_function OR undefined_table OR datatype_mismatch OR indeterminate_datatype
         OR grouping_error OR windowing_error OR ambiguous_column OR cannot_coerce OR data_exception OR cardinality_violation
         OR feature_not_supported THEN
        RAISE EXCEPTION 'the condition "%": %', condition, sqlerrm
            USING ERRCODE = sqlstate,
                  HINT = CASE WHEN sqlstate = '22012' THEN 'With nullif(divisor, 0) the account is in neither group.'
                              ELSE 'It is true or false of one account, for example: active_users > 10 and plan = ''pro''.' END;
END;
$$;
COMMENT ON FUNCTION health_internal.ask_condition(text, text, text[], text[], jsonb[]) IS
    'Whether each of some accounts meets a condition over its figures, which is run as the current user; NULL: unknown';

CREATE FUNCTION health_internal.compare(model text, condition text, outcome text, horizon integer, as_of date, visible text)
RETURNS health.comparison_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compared health.comparison_row;
    known record;
    lost record;
    answers boolean[];
    is_adjusted boolean;
    told text;
BEGIN
    IF condition IS NULL OR condition ~ '^\s*$' THEN
        RAISE EXCEPTION 'model "%": there is no condition', model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For example: compare(model, ''active_users > 10'').';
    END IF;
    SELECT o.accounts, o.days INTO lost FROM health_internal.read_outcomes(outcome, visible) AS o;
    SELECT r.* INTO known FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.compared_accounts($1, $2::boolean, $3::integer, $4::date, $5::text[], $6::date[])', model,
        (outcome IS NOT NULL)::text, horizon::text, health_internal.iso_text(as_of), lost.accounts::text,
        health_internal.iso_text(lost.days)) AS r (outcome text, as_of date, columns text[], types text[], without_past text[],
            outcomes boolean[], figures jsonb[], strangers bigint);
    answers := health_internal.ask_condition(condition, visible, known.columns, known.types, known.figures);
    compared.condition := condition;
    compared.outcome := known.outcome;
    compared.as_of := known.as_of;
    compared.horizon := horizon;
    SELECT count(*) FILTER (WHERE a.answer), count(*) FILTER (WHERE a.answer AND a.outcome), count(*) FILTER (WHERE NOT a.answer),
           count(*) FILTER (WHERE NOT a.answer AND a.outcome), count(*) FILTER (WHERE a.answer IS NULL)
    INTO compared.n, compared.events, compared.others_n, compared.others_events, compared.unknown
    FROM ROWS FROM (unnest(answers), unnest(known.outcomes)) AS a (answer, outcome);
    SELECT r.rate, r.low, r.high INTO compared.rate, compared.rate_low, compared.rate_high
    FROM health_internal.rate_interval(compared.events, compared.n) AS r;
    SELECT r.rate, r.low, r.high INTO compared.others_rate, compared.others_low, compared.others_high
    FROM health_internal.rate_interval(compared.others_events, compared.others_n) AS r;
    SELECT r.ratio, r.ratio_low, r.ratio_high, r.difference, r.difference_low, r.difference_high, r.is_adjusted
    INTO compared.ratio, compared.ratio_low, compared.ratio_high, compared.difference, compared.difference_low, compared.difference_high,
         is_adjusted
    FROM health_internal.compare_rates(compared.events, compared.n, compared.others_events, compared.others_n) AS r;
    told := CASE known.outcome WHEN 'silent' THEN 'silent for' WHEN 'ended' THEN 'ended in' ELSE 'lost in' END;
    compared.sentence := format('Accounts with %s: %s of %s %s %s days%s, others %s of %s%s: %s.', btrim(condition), compared.events,
        compared.n, told, horizon, ' (' || to_char(round((100 * compared.rate)::numeric, 1), 'FM990.0') || ' %)',
        compared.others_events, compared.others_n,
        ' (' || to_char(round((100 * compared.others_rate)::numeric, 1), 'FM990.0') || ' %)',
        CASE WHEN compared.n = 0 THEN 'no account meets the condition' WHEN compared.others_n = 0 THEN 'no account fails it'
             WHEN compared.events + compared.others_events = 0 THEN 'it happened to nobody'
             ELSE health_internal.tell_ratio(compared.ratio, compared.ratio_low, compared.ratio_high) END);
    compared.note := nullif(concat_ws('; ',
        CASE WHEN is_adjusted THEN 'a group has no event: the interval of the ratio is with a half added to events and counts' END,
        'known only as it stands today, which may know the outcome: ' || (SELECT string_agg(w.name, ', ' ORDER BY w.name)
            FROM unnest(known.without_past) AS w (name)
            WHERE condition ~* pg_catalog.format('(^|[^\w$])"?%s"?($|[^\w$])', regexp_replace(w.name, '(\W)', '\\\1', 'g'))),
        CASE WHEN known.strangers > 0 THEN format('%s of the accounts of the outcome are not in the model', known.strangers) END),
        '');
    RETURN compared;
END;
$$;
COMMENT ON FUNCTION health_internal.compare(text, text, text, integer, date, text) IS 'compare() with the schemas of the caller';

CREATE FUNCTION health.compare(model text, condition text, outcome text DEFAULT NULL, horizon integer DEFAULT 90,
    as_of date DEFAULT NULL) RETURNS health.comparison_row
LANGUAGE sql
BEGIN ATOMIC
    SELECT c.* FROM health_internal.compare(model, condition, outcome, horizon, as_of, health_internal.visible_schemas()) AS c;
END;
COMMENT ON FUNCTION health.compare(text, text, text, integer, date) IS
    'Accounts that met a condition on a past day (by default horizon days ago) against all others: how many had the outcome in the '
    'horizon (days) after it, with Wilson''s intervals, ratio and difference with 95 % intervals, and a sentence. The condition is SQL '
    'over the columns of a score view and the signals as measured; outcome, as in backtest(), a query of account and day. Both run as the '
    'caller. Without an outcome: accounts.end, else that nobody is active for the whole horizon';
