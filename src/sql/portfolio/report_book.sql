-- The report of a whole book: key figures, bands and how they moved, renewals, whom to call, states, data.

CREATE FUNCTION health_internal.report_key_figures(document jsonb, accounts health_internal.report_account[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '<dl class="tiles">'
        || health_internal.report_tile('Customers', health_internal.report_number(f.customers), f.scored || ' with a score')
        || health_internal.report_tile(health_internal.report_word(b.name), health_internal.report_share(f.best, f.customers),
                                       f.best || CASE f.best WHEN 1 THEN ' customer' ELSE ' customers' END)
        || health_internal.report_tile('At risk', health_internal.report_share(f.risky, f.customers),
                                       f.risky || CASE f.risky WHEN 1 THEN ' customer' ELSE ' customers' END)
        || health_internal.report_tile('Silent', health_internal.report_number(f.silent), 'nobody active')
        || CASE WHEN f.yearly IS NULL THEN '' ELSE
           health_internal.report_tile('Yearly revenue', health_internal.report_short(f.yearly),
                                       health_internal.report_share(f.risky_yearly, f.yearly) || ' of it at risk') END
        || health_internal.report_tile('Mean score', health_internal.report_number(f.score, 1), 'of 100')
        || health_internal.report_tile('In 28 days', health_internal.report_change(f.change), 'points, in the mean')
        || '</dl>'
    FROM (SELECT count(*) AS customers, count(a.score) AS scored, count(*) FILTER (WHERE a.band = b.name) AS best,
                 count(*) FILTER (WHERE a.at_risk) AS risky, count(*) FILTER (WHERE a.state = 'silent') AS silent, sum(a.yearly) AS yearly,
                 coalesce(sum(a.yearly) FILTER (WHERE a.at_risk), 0) AS risky_yearly, avg(a.score) AS score, avg(a.change_28d) AS change
          FROM (SELECT m.name FROM health_internal.model_bands(document) AS m ORDER BY m."position" LIMIT 1) AS b
          LEFT JOIN unnest(accounts) AS a ON a.in_book
          WHERE a.in_book OR NOT EXISTS (SELECT FROM unnest(accounts) AS c WHERE c.in_book)) AS f,
         (SELECT m.name FROM health_internal.model_bands(document) AS m ORDER BY m."position" LIMIT 1) AS b;
$$;
COMMENT ON FUNCTION health_internal.report_key_figures(jsonb, health_internal.report_account[]) IS 'The key figures of a book';

-- Customers without a band are a group of their own, the last one.
CREATE FUNCTION health_internal.report_groups(document jsonb, OUT "position" integer, OUT band text, OUT label text, OUT class text)
RETURNS SETOF record
LANGUAGE sql STABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m."position", m.name, health_internal.report_word(m.name), health_internal.band_class(document, m.name)
    FROM health_internal.model_bands(document) AS m
    UNION ALL SELECT 1000000, NULL, 'No band yet', 'bn' ORDER BY 1;
$$;
COMMENT ON FUNCTION health_internal.report_groups(jsonb) IS 'The bands of a model, the best first, and what has none';

CREATE FUNCTION health_internal.report_bands(document jsonb, accounts health_internal.report_account[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('Where the book stands',
        replace(health_internal.svg_bar(array_agg(100.0 * (g.reached - g.customers) / g.whole ORDER BY g."position"),
                                        array_agg(100.0 * g.reached / g.whole ORDER BY g."position"), array_agg(g.class
                                            ORDER BY g."position")),
                'class="bar"', 'class="bar tall"')
        || '<table><caption>Customers by band</caption><thead><tr><th scope="col">Band</th><th scope="col" class="n">Customers</th>'
           '<th scope="col" class="n extra">Share</th><th scope="col" class="n">28 days ago</th>'
        || CASE WHEN max(g.all_yearly) IS NULL THEN '' ELSE '<th scope="col" class="n">Yearly revenue</th>' END || '</tr></thead><tbody>'
        || string_agg(format('<tr><th scope="row" class="plain"><span class="dot %s"></span>%s</th><td class="n">%s</td>'
                             '<td class="n extra">%s</td>'
                             '<td class="n">%s</td>%s</tr>', g.class, g.label, health_internal.report_number(g.customers),
                             health_internal.report_share(g.customers, g.whole), health_internal.report_number(g.before),
                             CASE WHEN g.all_yearly IS NULL THEN ''
                                  ELSE '<td class="n">' || health_internal.report_number(coalesce(g.yearly, 0)) || '</td>' END),
                      E'\n' ORDER BY g."position")
        || '</tbody></table>')
    FROM (SELECT g.*, c.customers, c.yearly, c.before, sum(c.customers) OVER (ORDER BY g."position")::float8 AS reached,
                 nullif(sum(c.customers) OVER (), 0)::float8 AS whole, sum(c.yearly) OVER () AS all_yearly
          FROM health_internal.report_groups(document) AS g,
               LATERAL (SELECT count(*) FILTER (WHERE a.in_book AND a.band IS NOT DISTINCT FROM g.band) AS customers,
                               sum(a.yearly) FILTER (WHERE a.in_book AND a.band IS NOT DISTINCT FROM g.band) AS yearly,
                               CASE WHEN bool_or(d.past) THEN count(*) FILTER (WHERE d.past AND d.band IS NOT DISTINCT
                                   FROM g.band) END AS before
                        FROM unnest(accounts) AS a
                        LEFT JOIN LATERAL (SELECT true, a.past_bands[n] FROM generate_subscripts(a.past_days, 1) AS n
                                           WHERE a.past_days[n] = a.as_of - 28) AS d (past, band) ON true) AS c) AS g;
$$;
COMMENT ON FUNCTION health_internal.report_bands(jsonb, health_internal.report_account[]) IS 'How many customers are in which band';

-- A column a week: the first day on which nobody is known to have been in the book leaves a gap.
CREATE FUNCTION health_internal.report_flow(version health_internal.model_version, accounts health_internal.report_account[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH days AS (SELECT w.n, d.as_of - 7 * (12 - w.n) AS day
                  FROM generate_series(0, 12) AS w (n), (SELECT max(a.as_of) AS as_of FROM unnest(accounts) AS a) AS d),
    found AS (SELECT p.day, p.band, count(*) AS customers
              FROM unnest(accounts) AS a, LATERAL unnest(a.past_days, a.past_bands) AS p (day, band) GROUP BY 1, 2),
    cells AS (SELECT d.n, d.day, g."position", g.label, g.class, coalesce(f.customers, 0) AS customers
              FROM days AS d CROSS JOIN health_internal.report_groups(version.document) AS g
              LEFT JOIN found AS f ON f.day = d.day AND f.band IS NOT DISTINCT FROM g.band),
    weeks AS (SELECT c.n, c.day, sum(c.customers) AS customers,
                     string_agg('<td class="n">' || health_internal.report_number(c.customers) || '</td>', ''
                         ORDER BY c."position") AS figures
              FROM cells AS c GROUP BY 1, 2),
    axis AS (SELECT health_internal.axis_top(max(w.customers)) AS top, min(w.day) FILTER (WHERE w.customers > 0) AS first_day,
                    min(w.day) AS wanted, count(*) FILTER (WHERE w.customers > 0) AS weeks FROM weeks AS w)
    SELECT CASE WHEN x.weeks = 0 THEN '' ELSE health_internal.report_section('How it moved in 12 weeks',
        '<ul class="key">' || (SELECT string_agg(format('<li><span class="dot %s"></span>%s</li>', g.class, g.label), ''
            ORDER BY g."position")
                               FROM health_internal.report_groups(version.document) AS g) || '</ul>'
        || health_internal.report_plot(
            (SELECT health_internal.svg_columns(13, array_agg(c.n ORDER BY c.n, c."position" DESC),
                array_agg(c.customers::float8 ORDER BY c.n, c."position" DESC), array_agg(c.class ORDER BY c.n, c."position" DESC),
                array_agg(format('%s: %s %s', health_internal.report_day(c.day), c.customers, lower(c.label)) ORDER BY c.n,
                    c."position" DESC),
                x.top, 'Customers by band, a column a week',
                format('Of %s weeks from %s to %s. The figures stand in the table below.', x.weeks, health_internal.report_day(x.first_day),
                       health_internal.report_day((SELECT max(d.day) FROM days AS d)))) FROM cells AS c),
            '0', health_internal.report_number(x.top / 2), health_internal.report_number(x.top),
            (SELECT array_agg(to_char(d.day, 'FMDD FMMon') ORDER BY d.n) FROM days AS d))
        || CASE WHEN x.first_day > x.wanted THEN format('<p class="note">Recorded since %s. Earlier weeks: '
               'select health.backfill_history(%s, ''%s'', ''%s'', 7)</p>', health_internal.report_day(x.first_day),
               health_internal.html(quote_literal(version.model)), to_char(x.wanted, 'YYYY-MM-DD'), to_char(x.first_day - 1, 'YYYY-MM-DD'))
           ELSE '' END
        || '<details><summary>The figures</summary><div class="scroll"><table><caption>Customers by band and week</caption><thead><tr>'
           '<th scope="col">Week to</th>'
        || (SELECT string_agg('<th scope="col" class="n">' || g.label || '</th>', '' ORDER BY g."position")
            FROM health_internal.report_groups(version.document) AS g)
        || '</tr></thead><tbody>'
        || (SELECT string_agg('<tr><th scope="row" class="plain">' || health_internal.report_day(w.day) || '</th>' || w.figures || '</tr>',
            ''
                              ORDER BY w.n) FROM weeks AS w WHERE w.customers > 0)
        || '</tbody></table></div></details>') END
    FROM axis AS x;
$$;
COMMENT ON FUNCTION health_internal.report_flow(health_internal.model_version, health_internal.report_account[]) IS
    'How many customers were in which band, week by week';

CREATE FUNCTION health_internal.report_renewals(document jsonb, accounts health_internal.report_account[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH book AS (SELECT a.*, health_internal.month_of(a.renews_on) AS month, health_internal.month_of(a.as_of) AS present,
                         CASE WHEN h.money THEN coalesce(a.yearly, 0) ELSE 1 END AS amount
                  FROM unnest(accounts) AS a, (SELECT bool_or(b.yearly IS NOT NULL) AS money
                      FROM unnest(accounts) AS b WHERE b.in_book) AS h
                  WHERE a.in_book AND isfinite(a.renews_on)),
    months AS (SELECT m.n, m.month::date, coalesce(sum(b.amount) FILTER (WHERE b.at_risk), 0) AS risky,
                      coalesce(sum(b.amount) FILTER (WHERE NOT b.at_risk), 0) AS safe, count(b.amount) AS customers,
                      count(*) FILTER (WHERE b.at_risk) AS risky_customers
               FROM (SELECT n, (max(b.present) + make_interval(months => n))::date AS month FROM book AS b, generate_series(0, 11) AS n
                     GROUP BY n) AS m
               LEFT JOIN book AS b ON b.month = m.month AND b.renews_on >= b.as_of GROUP BY 1, 2),
    parts AS (SELECT m.n, p.part, p.value, p.class, format('%s: %s %s', to_char(m.month, 'FMMonth YYYY'),
        health_internal.report_number(p.value),
                     p.words) AS tip
              FROM months AS m, LATERAL (VALUES (1, m.risky, 'b6', 'at risk'), (2, m.safe, 'bn', 'not at risk')) AS p (part, value, class,
                  words)),
    axis AS (SELECT health_internal.axis_top(max(m.risky + m.safe)) AS top, count(*) AS months, sum(m.risky) AS risky, sum(m.safe) AS safe,
                    min(m.month) AS first_month, max(m.month) AS last_month, (SELECT count(*)
                        FROM book AS b WHERE b.renews_on < b.as_of) AS past,
                    CASE WHEN (SELECT bool_or(b.yearly IS NOT NULL) FROM unnest(accounts) AS b WHERE b.in_book) THEN 'yearly revenue'
                         ELSE 'customers' END AS what
             FROM months AS m)
    SELECT health_internal.report_section('Renewals at risk, month by month',
        CASE WHEN x.months = 0 THEN '<p class="note">No customer has a day of renewal. Name the fact that is your revenue, '
            '"revenue": {"fact": "subscriptions"}, with an "until", or a column of the account table: '
            '"accounts": {"columns": {"renewal_date": "...", "arr": "..."}}.</p>'
        ELSE format('<p>In the next 12 months %s of %s %s come up for renewal at risk (%s).%s</p>', health_internal.report_number(x.risky),
                    health_internal.report_number(x.risky + x.safe), x.what, health_internal.report_share(x.risky, x.risky + x.safe),
                    CASE WHEN x.past > 0 THEN format(' %s %s past the day of renewal.', x.past,
                         CASE x.past WHEN 1 THEN 'customer is' ELSE 'customers are' END) ELSE '' END)
        || '<ul class="key"><li><span class="dot b6"></span>At risk</li><li><span class="dot bn"></span>Not at risk</li></ul>'
        || health_internal.report_plot(
            (SELECT health_internal.svg_columns(12, array_agg(p.n ORDER BY p.n, p.part), array_agg(p.value::float8 ORDER BY p.n, p.part),
                array_agg(p.class ORDER BY p.n, p.part), array_agg(p.tip ORDER BY p.n, p.part), x.top,
                upper(left(x.what, 1)) || substr(x.what, 2) || ' by month of renewal',
                    format('From %s to %s. The figures stand in the table below.',
                    to_char(x.first_month, 'FMMonth YYYY'), to_char(x.last_month, 'FMMonth YYYY'))) FROM parts AS p),
            '0', health_internal.report_short(x.top / 2), health_internal.report_short(x.top),
            (SELECT array_agg(to_char(m.month, 'FMMon') ORDER BY m.n) FROM months AS m))
        || '<details><summary>The figures</summary><div class="scroll"><table><caption>Renewals by month</caption><thead><tr>'
           '<th scope="col">Month</th><th scope="col" class="n">Renewals</th><th scope="col" class="n">At risk</th>'
        || CASE x.what WHEN 'customers' THEN ''
            ELSE '<th scope="col" class="n">Yearly revenue</th><th scope="col" class="n">At risk</th>' END
        || '</tr></thead><tbody>'
        || (SELECT string_agg(format('<tr><th scope="row" class="plain">%s</th><td class="n">%s</td><td class="n">%s</td>%s</tr>',
                to_char(m.month, 'FMMonth YYYY'), m.customers, m.risky_customers, CASE x.what WHEN 'customers' THEN ''
                ELSE format('<td class="n">%s</td><td class="n">%s</td>', health_internal.report_number(m.risky + m.safe),
                            health_internal.report_number(m.risky)) END), '' ORDER BY m.n) FROM months AS m)
        || '</tbody></table></div></details>' END)
    FROM axis AS x;
$$;
COMMENT ON FUNCTION health_internal.report_renewals(jsonb, health_internal.report_account[]) IS
    'The renewals of the next twelve months and what of them is at risk, in yearly revenue where it is known';

CREATE FUNCTION health_internal.report_calls(document jsonb, accounts health_internal.report_account[], link_pattern text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH calls AS (SELECT a.*, row_number() OVER (ORDER BY a.score + least(coalesce(a.change_28d, 0), 0), a.yearly DESC NULLS LAST,
                                                  a.account_id) AS n
                   FROM unnest(accounts) AS a WHERE a.in_book AND a.score IS NOT NULL AND (a.at_risk OR a.change_28d <= -5)),
    has AS (SELECT bool_or(a.yearly IS NOT NULL) AS money, bool_or(a.renews_on IS NOT NULL) AS renewal
        FROM unnest(accounts) AS a WHERE a.in_book)
    SELECT health_internal.report_section('Whom to call first', CASE WHEN NOT EXISTS (SELECT FROM calls) THEN
        '<p>Nobody: no customer is at risk, and no score fell by 5 points in 28 days.</p>' ELSE
        format('<table class="cards" role="table"><caption>%s of %s customers who are at risk or fell by 5 points. The lowest '
               'first; a fall of '
               'the last 28 days counts as if it went on.</caption><thead role="rowgroup"><tr role="row">'
               '<th scope="col" role="columnheader">Customer</th><th scope="col" role="columnheader">Score</th>'
               '<th scope="col" role="columnheader" class="n">28 days</th>%s%s<th scope="col" role="columnheader">Why, and what to '
               'do</th></tr>'
               '</thead><tbody role="rowgroup">', least(max(c.n), 20), max(c.n),
               CASE WHEN bool_or(h.money) THEN '<th scope="col" role="columnheader" class="n">Yearly revenue</th>' ELSE '' END,
               CASE WHEN bool_or(h.renewal) THEN '<th scope="col" role="columnheader" class="n">Renewal</th>' ELSE '' END)
        || string_agg(format('<tr role="row"><th scope="row" role="rowheader">%s<div class="note">%s</div></th>'
               '<td role="cell" data-label="Score">%s</td><td role="cell" class="n" data-label="28 days">%s</td>%s%s'
               '<td role="cell" class="wide">%s%s</td></tr>',
               CASE WHEN link_pattern IS NULL THEN health_internal.html_name(coalesce(c.name, c.account_id))
                    ELSE format('<a href="%s">%s</a>', health_internal.html(replace(link_pattern, '%s',
                        health_internal.url_part(c.account_id))),
                                health_internal.html_name(coalesce(c.name, c.account_id))) END,
               health_internal.report_word(c.state), health_internal.report_band(document, c.score, c.band),
               health_internal.report_change(c.change_28d),
               CASE WHEN h.money THEN '<td role="cell" class="n" data-label="Yearly revenue">' || health_internal.report_number(c.yearly)
                   || '</td>'
                    ELSE '' END,
               CASE WHEN h.renewal THEN '<td role="cell" class="n" data-label="Renewal">' || coalesce(to_char(c.renews_on,
                   'FMDD FMMon YYYY'),
                    '&#8211;') || '</td>' ELSE '' END,
               '<p>' || health_internal.html(c.main_reason) || '</p>', '<p class="do">' || health_internal.html(c.next_step) || '</p>'),
               E'
' ORDER BY c.n) FILTER (WHERE c.n <= 20)
        || '</tbody></table>' END, 'long')
    FROM has AS h LEFT JOIN calls AS c ON true;
$$;
COMMENT ON FUNCTION health_internal.report_calls(jsonb, health_internal.report_account[], text) IS
    'The twenty customers who most need a call, with the reason and the next step';

CREATE FUNCTION health_internal.report_states(accounts health_internal.report_account[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('States', '<table><caption>Accounts by where they stand, beside their score</caption><thead><tr>'
        '<th scope="col">State</th><th scope="col" class="n">Accounts</th>'
        || CASE WHEN sum(s.yearly) IS NULL THEN '' ELSE '<th scope="col" class="n">Yearly revenue</th>' END || '</tr></thead><tbody>'
        || coalesce(string_agg(format('<tr><th scope="row" class="plain">%s<div class="note">%s</div></th><td class="n">%s</td>%s</tr>',
               health_internal.report_word(s.state), s.words, health_internal.report_number(s.accounts),
               CASE WHEN s.has_money THEN '<td class="n">' || health_internal.report_number(coalesce(s.yearly, 0)) || '</td>' ELSE '' END),
                   E'
'
               ORDER BY s.n), '') || '</tbody></table>')
    FROM (SELECT w.n, w.state, w.words, count(*) AS accounts, sum(a.yearly) AS yearly,
        bool_or(sum(a.yearly) IS NOT NULL) OVER () AS has_money
          FROM unnest(accounts) AS a
          JOIN (VALUES (1, 'active', 'somebody was active in the window'), (2, 'onboarding', 'too young for a judgement'),
                       (3, 'onboarding_stalled', 'new, and nobody has begun'), (4, 'never_started', 'nobody was ever active'),
                       (5, 'silent', 'nobody was active in the window'),
                       (6, 'tracking_suspect', 'silent while others are, too: is the tracking at fault?'),
                       (7, 'prospect', 'not a customer yet; not in the book'), (8, 'ended', 'no customer any more; not in the book'),
                       (9, 'not known', 'the data begin too late to tell')) AS w (n, state, words) ON w.state = coalesce(a.state,
                           'not known')
          GROUP BY 1, 2, 3) AS s;
$$;
COMMENT ON FUNCTION health_internal.report_states(health_internal.report_account[]) IS 'How many accounts are in which state';

CREATE FUNCTION health_internal.report_data(version health_internal.model_version, accounts health_internal.report_account[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('How good the data are',
        format('<p>The scores rest on %s of what the model asks for, in the mean.%s%s</p>',
            health_internal.report_share(avg(a.data_coverage), 1),
               CASE WHEN count(*) FILTER (WHERE a.data_coverage < 0.8) > 0
                    THEN format(' Of %s of %s it is less than 80&#160;%%.', count(*) FILTER (WHERE a.data_coverage < 0.8),
                                CASE count(*) WHEN 1 THEN '1 customer' ELSE health_internal.report_number(count(*)) || ' customers' END)
                                    ELSE '' END,
               CASE WHEN max(a.as_of) < t.today THEN format(' The scores are as of %s; today is %s for this model.',
                    health_internal.report_day(max(a.as_of)), health_internal.report_day(t.today)) ELSE '' END)
        || coalesce((SELECT '<table><caption>What is said of customers without a score, or whose score waits</caption><thead><tr>'
               '<th scope="col">Reason</th><th scope="col" class="n">Customers</th></tr></thead><tbody>'
               || string_agg('<tr><th scope="row" class="plain">' || health_internal.html(left(r.reason, 500)) || '</th><td class="n">'
                   || r.customers
                             || '</td></tr>', '' ORDER BY r.customers DESC, r.reason) || '</tbody></table>'
               FROM (SELECT b.unknown_reason AS reason, count(*) AS customers FROM unnest(accounts) AS b
                     WHERE b.in_book AND b.unknown_reason IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5) AS r
               HAVING count(*) > 0), '')
        || format('<p class="note">What is wrong with the events themselves: select * from health.tracking_plan(%s)</p>',
                  health_internal.html(quote_literal(version.model))))
    FROM (SELECT health_internal.model_today(version.document) AS today) AS t LEFT JOIN unnest(accounts) AS a ON a.in_book GROUP BY t.today;
$$;
COMMENT ON FUNCTION health_internal.report_data(health_internal.model_version, health_internal.report_account[]) IS
    'How much of what a model asks for is known, and why scores are missing';

CREATE FUNCTION health_internal.report_of_book(version health_internal.model_version, link_pattern text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts CONSTANT health_internal.report_account[] := ARRAY(SELECT a FROM health_internal.report_book(version, NULL, 7) AS a);
    document CONSTANT jsonb := version.document;
    today CONSTANT date := coalesce((SELECT max(a.as_of) FROM unnest(accounts) AS a), health_internal.model_today(document));
    is_empty CONSTANT boolean := NOT EXISTS (SELECT FROM unnest(accounts) AS a WHERE a.in_book);
    title CONSTANT text := 'Customer health: ' || health_internal.html(version.model);
BEGIN
    RETURN health_internal.report_page(title || ', ' || health_internal.report_day(today),
        format('<h1>%s</h1><p class="sub">As of %s, by version %s of the model</p>%s', title, health_internal.report_day(today),
            version.version,
               '<p>' || health_internal.html(left(document ->> 'description', 1000)) || '</p>')
        || CASE WHEN is_empty THEN '' ELSE health_internal.report_key_figures(document, accounts) END,
        CASE WHEN is_empty THEN health_internal.report_section('The book is empty',
            format('<p>No account is a customer on %s%s.</p>', health_internal.report_day(today), CASE WHEN cardinality(accounts) = 0
                   THEN '; the account source has no account' ELSE '' END))
             || CASE WHEN cardinality(accounts) > 0 THEN health_internal.report_states(accounts) ELSE '' END
        ELSE '<div class="halves">' || health_internal.report_bands(document, accounts) || health_internal.report_flow(version, accounts)
            || '</div>'
             || health_internal.report_calls(document, accounts, link_pattern) || health_internal.report_renewals(document, accounts)
             || '<div class="halves">' || health_internal.report_states(accounts) || health_internal.report_data(version, accounts)
                 || '</div>' END,
        '<p>At risk: in one of the two lowest bands, or silent. A score of 100 is the best there is.</p>');
END;
$$;
COMMENT ON FUNCTION health_internal.report_of_book(health_internal.model_version, text) IS 'report_html() of a whole book';
