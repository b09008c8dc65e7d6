-- Dashboards: views over a score view for those who decide, by kind of reader. A column here is a row of dashboard_columns().

CREATE FUNCTION health_internal.dashboard_columns(OUT dashboard text, OUT "position" integer, OUT name text, OUT expression text,
    OUT described text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 80
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT d.dashboard, (row_number() OVER (PARTITION BY d.dashboard ORDER BY d.n))::integer, d.name, d.expression, d.described
    FROM (VALUES
        (1, 'executive', 'as_of', 'max(v.as_of)', 'The day of the figures'),
        (2, 'executive', 'customers', 'count(*)', 'Accounts in the book'),
        (3, 'executive', 'scored', 'count(v.score)', 'Those with a score'),
        (4, 'executive', 'mean_score', 'avg(v.score)', 'Mean score'),
        (5, 'executive', 'median_score', 'percentile_cont(0.5) WITHIN GROUP (ORDER BY v.score)', 'Median score'),
        (6, 'executive', 'best_band_share', 'avg((v.band = {best})::int) FILTER (WHERE v.band IS NOT NULL)',
         'Share of the best band among accounts with a band'),
        (7, 'executive', 'at_risk', 'count(*) FILTER (WHERE {at_risk})', 'Accounts at risk: in one of the two lowest bands, or silent'),
        (8, 'executive', 'at_risk_share', 'avg(({at_risk})::int)', 'Their share'),
        (9, 'executive', 'arr', 'sum({arr})', 'Annual recurring revenue of all accounts, by the account column'),
        (10, 'executive', 'mrr', 'sum({arr}) / 12', 'The same per month'),
        (11, 'executive', 'arr_at_risk', 'sum({arr}) FILTER (WHERE {at_risk})', 'Annual recurring revenue of accounts at risk'),
        (12, 'executive', 'arpa', 'avg({arr}) / 12', 'Monthly recurring revenue per account'),
        (13, 'executive', 'arpu', 'sum({arr}) / 12 / nullif(sum(v.active_users), 0)', 'Monthly recurring revenue per active user'),
        (14, 'executive', 'fell', 'count(*) FILTER (WHERE v.change_28d <= -10)', 'Accounts that fell by 10 points or more in 28 days'),
        (15, 'executive', 'rose', 'count(*) FILTER (WHERE v.change_28d >= 10)', 'Accounts that rose by as much'),
        (16, 'executive', 'silent', 'count(*) FILTER (WHERE v.state = ''silent'')', 'Accounts in which nobody is active'),
        (17, 'executive', 'onboarding', 'count(*) FILTER (WHERE v.state IN (''onboarding'', ''onboarding_stalled''))',
         'Accounts that are being set up'),
        (18, 'executive', 'users', 'sum(v.total_users)', 'Users entitled'),
        (19, 'executive', 'active_users', 'sum(v.active_users)', 'Users active in the window'),
        (20, 'executive', 'activation_rate', 'sum(v.active_users)::float8 / nullif(sum(v.total_users), 0)',
         'Active users / users, of the whole book'),
        (21, 'executive', 'data_coverage', 'avg(v.data_coverage)', 'Mean share of the weights whose signals are known'),

        (1, 'executive_bands', 'band', 'v.band', 'Band; NULL: none yet'),
        (2, 'executive_bands', 'customers', 'count(*)', 'Accounts in the band'),
        (3, 'executive_bands', 'share', 'count(*)::float8 / sum(count(*)) OVER ()', 'Their share'),
        (4, 'executive_bands', 'arr', 'sum({arr})', 'Their annual recurring revenue'),
        (5, 'executive_bands', 'mean_score', 'avg(v.score)', 'Their mean score'),
        (6, 'executive_bands', 'mean_change_28d', 'avg(v.change_28d)', 'Their mean change in 28 days'),
        (7, 'executive_bands', 'activation_rate', 'sum(v.active_users)::float8 / nullif(sum(v.total_users), 0)', 'Active users / users'),

        (1, 'executive_trend', 'as_of', 'h.as_of', 'Last day of the week'),
        (2, 'executive_trend', 'customers', 'count(*) FILTER (WHERE h.state NOT IN (''prospect'', ''ended''))', 'Accounts in the book'),
        (3, 'executive_trend', 'mean_score', 'avg(h.score)', 'Mean score'),
        (4, 'executive_trend', 'best_band_share', 'avg((h.band = {best})::int) FILTER (WHERE h.band IS NOT NULL)',
         'Share of the best band'),
        (5, 'executive_trend', 'at_risk', 'count(*) FILTER (WHERE health_internal.is_at_risk(h.band, h.state, {low}))', 'Accounts at risk'),
        (6, 'executive_trend', 'silent', 'count(*) FILTER (WHERE h.state = ''silent'')', 'Accounts in which nobody is active'),

        (1, 'customer_success', 'priority', 'rank() OVER (ORDER BY ({at_risk}) DESC, {arr} DESC NULLS LAST, v.score, v.account_id)',
         'Whom to call first: accounts at risk, the most revenue first, then the lowest score'),
        (2, 'customer_success', 'account_id', 'v.account_id', 'Account id'),
        (3, 'customer_success', 'name', 'v.name', 'Name of the account'),
        (4, 'customer_success', 'score', 'v.score', 'Score'),
        (5, 'customer_success', 'band', 'v.band', 'Band'),
        (6, 'customer_success', 'state', 'v.state', 'State beside the score'),
        (7, 'customer_success', 'at_risk', '({at_risk})', 'In one of the two lowest bands, or silent'),
        (8, 'customer_success', 'change_7d', 'v.change_7d', 'Change in 7 days'),
        (9, 'customer_success', 'change_28d', 'v.change_28d', 'Change in 28 days'),
        (10, 'customer_success', 'main_reason', 'v.main_reason', 'The one thing to know'),
        (11, 'customer_success', 'next_step', 'v.next_step', 'The one thing to do'),
        (12, 'customer_success', 'arr', '{arr}', 'Annual recurring revenue'),
        (13, 'customer_success', 'champion_risk', 'v.score - v.score_without_top_user',
         'Points that the score would lose without its top user'),
        (14, 'customer_success', 'top_user', 'v.top_user', 'Id of the top user'),
        (15, 'customer_success', 'total_users', 'v.total_users', 'Users'),
        (16, 'customer_success', 'active_users', 'v.active_users', 'Users active in the window'),
        (17, 'customer_success', 'activation_rate', 'v.activation_rate', 'Active users / users'),
        (18, 'customer_success', 'dormant_users', 'v.dormant_users', 'Users without an event in the window'),
        (19, 'customer_success', 'recency_days', 'v.recency_days', 'Days since the last event'),
        (20, 'customer_success', 'trend_4w', 'v.trend_4w', 'Events of 4 weeks against the 4 before'),
        (21, 'customer_success', 'baseline', 'v.baseline', 'The last 4 weeks against the account''s own half year'),
        (22, 'customer_success', 'data_coverage', 'v.data_coverage', 'Share of the weights whose signals are known'),

        (1, 'product', 'account_id', 'v.account_id', 'Account id'),
        (2, 'product', 'name', 'v.name', 'Name of the account'),
        (3, 'product', 'breadth', 'v.breadth', 'Features used / features entitled'),
        (4, 'product', 'depth', 'v.depth', 'Value points per active user'),
        (5, 'product', 'active_users', 'v.active_users', 'Users active in the window'),
        (6, 'product', 'creators', 'v.creators', 'Users who create'),
        (7, 'product', 'spread', 'v.spread', 'Creators / active users'),
        (8, 'product', 'stickiness', 'v.stickiness', 'Mean daily active users / active users'),
        (9, 'product', 'sessions_per_user_week', 'v.sessions_per_user_week', 'Sessions per active user and week'),
        (10, 'product', 'interaction', 'v.interaction', 'Interactions per active user and week'),
        (11, 'product', 'onboarding_activation', 'v.onboarding_activation', 'New users who got going'),
        (12, 'product', 'time_to_value', 'v.time_to_value', 'Days from the start to the first activation event'),
        (13, 'product', 'growth', 'v.growth', 'New users who also engage / users'),
        (14, 'product', 'trend_4w', 'v.trend_4w', 'Events of 4 weeks against the 4 before'),
        (15, 'product', 'weekly', 'v.weekly', 'Events of the last 12 weeks, the oldest first'),

        (1, 'sales', 'account_id', 'v.account_id', 'Account id'),
        (2, 'sales', 'name', 'v.name', 'Name of the account'),
        (3, 'sales', 'opportunity', '{flags}',
         'Why there may be more to sell: the flags of expansion that are up, in words; NULL: none, or the model has no flags'),
        (4, 'sales', 'renewal_at_risk', '({at_risk})', 'In one of the two lowest bands, or silent: renewal comes before expansion'),
        (5, 'sales', 'score', 'v.score', 'Score'),
        (6, 'sales', 'band', 'v.band', 'Band'),
        (7, 'sales', 'change_28d', 'v.change_28d', 'Change in 28 days'),
        (8, 'sales', 'arr', '{arr}', 'Annual recurring revenue'),
        (9, 'sales', 'seats_used', 'v.adoption_rate', 'Active entitled users / seats'),
        (10, 'sales', 'activation_rate', 'v.activation_rate', 'Active users / users'),
        (11, 'sales', 'growth', 'v.growth', 'New users who also engage / users'),
        (12, 'sales', 'trend_4w', 'v.trend_4w', 'Events of 4 weeks against the 4 before'),
        (13, 'sales', 'effective_users', 'v.effective_users', 'People who carry the account: 1 / HHI'),
        (14, 'sales', 'main_reason', 'v.main_reason', 'The one thing to know')
    ) AS d (n, dashboard, name, expression, described);
$$;
COMMENT ON FUNCTION health_internal.dashboard_columns() IS
    'The columns of all dashboards: expression over a score view v or its history h, with blanks for bands and revenue, and what it says';

-- Blanks are filled in the expressions above alone, once: names and bands of a model may look like blanks.
CREATE FUNCTION health_internal.compile_dashboard(dashboard text, score_view text, history_view text, flags_view text, document jsonb,
    arr text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT concat('SELECT ',
        (SELECT string_agg(concat(health_internal.fill_template(
                    replace(c.expression, '{at_risk}', 'health_internal.is_at_risk(v.band, v.state, {low})'), b.blanks),
                    ' AS ', quote_ident(c.name)), ', ' ORDER BY c."position")
         FROM health_internal.dashboard_columns() AS c WHERE c.dashboard = compile_dashboard.dashboard),
        CASE WHEN dashboard IN ('customer_success', 'product', 'sales') THEN
            (SELECT string_agg(format(', v.%1$I AS %1$I', k), '' ORDER BY k)
             FROM jsonb_object_keys(document #> '{accounts,columns}') AS k
             WHERE NOT EXISTS (SELECT FROM health_internal.dashboard_columns() AS c
                               WHERE c.dashboard = compile_dashboard.dashboard AND c.name = k)) END,
        ' FROM ',
        CASE dashboard
            WHEN 'executive_trend' THEN concat(history_view, ' AS h WHERE ((SELECT max(v.as_of) FROM ', score_view, ' AS v) - h.as_of) '
                '% 7 = 0 GROUP BY h.as_of')
            ELSE concat(score_view, ' AS v WHERE v.in_book', CASE dashboard WHEN 'executive_bands' THEN ' GROUP BY v.band' END) END)
    FROM (SELECT jsonb_build_object(
              'best', quote_literal((SELECT m.name FROM health_internal.model_bands(document) AS m WHERE m."position" = 1)),
              'low', format('%L::text[]', health_internal.bands_at_risk(document)),
              'flags', CASE WHEN document ? 'flags' THEN format('(SELECT string_agg(f.sentence, ''; '' ORDER BY f.flag) FROM %s AS f '
                  'WHERE f.account_id = v.account_id AND f.kind = ''expansion'')', flags_view) ELSE 'NULL::text' END,
              'arr', CASE WHEN arr IS NULL THEN 'NULL::float8' ELSE concat('v.', quote_ident(arr), '::float8') END) AS blanks) AS b;
$$;
COMMENT ON FUNCTION health_internal.compile_dashboard(text, text, text, text, jsonb, text) IS
    'SQL of a dashboard over a score view, its history and its flags; arr is the account column with the annual recurring revenue, or NULL';

CREATE FUNCTION health_internal.comment_on_dashboard(relation text, dashboard text, document jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    item record;
BEGIN
    FOR item IN SELECT a.attname AS name, coalesce(c.described, health_internal.describe_score_column('', a.attname, document)) AS words
                FROM pg_attribute AS a
                LEFT JOIN health_internal.dashboard_columns() AS c ON c.dashboard = comment_on_dashboard.dashboard AND c.name = a.attname
                WHERE a.attrelid = relation::regclass AND a.attnum > 0 LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', relation, item.name, item.words);
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.comment_on_dashboard(text, text, jsonb) IS 'Comments on the columns of a dashboard';

CREATE FUNCTION health.create_dashboards(model text, schema text, revenue text DEFAULT 'arr', OUT dashboard text, OUT described text)
RETURNS SETOF record
LANGUAGE plpgsql ROWS 6
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := (health_internal.find_version(model, (health_internal.open_model(model)).current_version)).document;
    present health_internal.score_view;
    paid CONSTANT text := CASE WHEN document #> '{accounts,columns}' ? revenue THEN revenue END;
    part record;
    found_there regclass;
    query text;
BEGIN
    SELECT s.* INTO present FROM health_internal.score_view AS s WHERE s.model = create_dashboards.model
    ORDER BY s.schema_name, s.view_name LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'model "%" has no score view', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Dashboards stand on one: SELECT health.create_score_view(%L, %L);', model, model);
    ELSIF to_regnamespace(quote_ident(schema)) IS NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', schema
            USING ERRCODE = 'invalid_schema_name', HINT = format('CREATE SCHEMA %I; first.', schema);
    ELSIF paid IS NULL AND revenue <> 'arr' THEN
        RAISE EXCEPTION 'model "%" has no account column "%"', model, revenue
            USING ERRCODE = 'undefined_column', HINT = 'Name one in accounts.columns of the model: "columns": {"arr": "arr"}.';
    END IF;
    FOR part IN SELECT d.name, d.words FROM (VALUES
            (1, 'executive', 'how the whole book does, one row'), (2, 'executive_bands', 'the book by bands'),
            (3, 'executive_trend', 'the book week by week'), (4, 'customer_success', 'whom to call, and why: one row per account'),
            (5, 'product', 'how each account uses the product'), (6, 'sales', 'renewals at risk and room to grow, one row per account'))
            AS d (n, name, words) ORDER BY d.n LOOP
        found_there := to_regclass(format('%I.%I', schema, part.name));
        IF found_there IS NOT NULL
           AND NOT starts_with(coalesce(obj_description(found_there, 'pg_class'), ''), format('Dashboard of model "%s": ', model)) THEN
            RAISE EXCEPTION 'relation "%.%" is there already, and is no dashboard of model "%"', schema, part.name, model
                USING ERRCODE = 'duplicate_table', HINT = 'Choose another schema for the dashboards.';
        END IF;
        query := health_internal.compile_dashboard(part.name, format('%I.%I', present.schema_name, present.view_name),
            format('%I.%I', present.schema_name, present.view_name || '_history'),
            format('%I.%I', present.schema_name, present.view_name || '_flags'), document, paid);
        BEGIN    -- with the grants that it has
            EXECUTE concat(format('CREATE OR REPLACE VIEW %I.%I WITH (security_barrier) AS ', schema, part.name), query);
        EXCEPTION WHEN invalid_table_definition THEN    -- other columns
            EXECUTE format('DROP VIEW %I.%I', schema, part.name);
            EXECUTE concat(format('CREATE VIEW %I.%I WITH (security_barrier) AS ', schema, part.name), query);
        END;
        EXECUTE format('COMMENT ON VIEW %I.%I IS %L', schema, part.name, format('Dashboard of model "%s": %s.', model, part.words));
        PERFORM health_internal.comment_on_dashboard(format('%I.%I', schema, part.name), part.name, document);
        dashboard := format('%I.%I', schema, part.name);
        described := part.words;
        RETURN NEXT;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health.create_dashboards(text, text, text) IS
    'Makes the views executive, executive_bands, executive_trend, customer_success, product and sales in a schema, over the first score '
    'view of a model, with a comment on each column; they belong to the caller, who grants SELECT on them. revenue is the account column '
    'with the annual recurring revenue; without it these figures are NULL. Dashboards that are '
    'there are made again; any other relation of such a name is an error';
