-- The report of one account: its score, where the points are lost, what moved it, its people.

-- Rows of a waterfall: each part begins where the one before it ended. Parts of less than 0.05 points are one.
CREATE FUNCTION health_internal.report_waterfall(caption text, first_label text, start float8, labels text[], remarks text[],
    points float8[],
    last_label text, document jsonb, band text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('<table class="cards" role="table"><caption>%s</caption><thead role="rowgroup"><tr role="row">'
        '<th scope="col" role="columnheader">Part</th><th scope="col" role="columnheader" class="n">Points</th>'
        '<td role="cell" class="wide"></td></tr></thead><tbody role="rowgroup">', caption)
        || format('<tr role="row"><th scope="row" role="rowheader">%s</th><td role="cell" class="n">%s</td>'
                  '<td role="cell" class="wide">%s</td></tr>',
                  first_label, health_internal.report_number(start, 1), health_internal.svg_bar('{0}', ARRAY[start], '{bn}'))
        || coalesce(string_agg(format('<tr role="row"><th scope="row" role="rowheader" class="plain">%s%s</th>'
                                      '<td role="cell" class="n">%s</td>'
               '<td role="cell" class="wide">%s</td></tr>', p.label, '<div class="note">' || p.remark || '</div>',
               health_internal.report_change(p.points),
               health_internal.svg_bar(ARRAY[least(greatest(p.reached - p.points, 0), 100)], ARRAY[least(greatest(p.reached, 0), 100)],
                                       ARRAY[CASE WHEN p.points < 0 THEN 'b6' ELSE 'b1' END])), E'\n' ORDER BY p.n)
                    FILTER (WHERE abs(p.points) >= 0.05), '')
        || format('<tr role="row"><th scope="row" role="rowheader">%s</th><td role="cell" class="n">%s</td>'
                  '<td role="cell" class="wide">%s</td></tr>',
                  last_label, health_internal.report_number(start + coalesce(sum(p.points), 0), 1),
                  health_internal.svg_bar('{0}', ARRAY[least(greatest(start + coalesce(sum(p.points), 0), 0), 100)],
                                          ARRAY[health_internal.band_class(document, band)]))
        || '</tbody></table>'
    FROM (SELECT r.*, start + sum(r.points) OVER (ORDER BY r.n) AS reached
          FROM (SELECT min(u.label) AS label, min(u.remark) AS remark, sum(u.points) AS points, min(u.n) AS n
                FROM (SELECT v.label, v.remark, v.points, v.n
                      FROM ROWS FROM (unnest(labels), unnest(remarks), unnest(points)) WITH ORDINALITY AS v (label, remark, points, n)
                      WHERE abs(v.points) >= 0.05
                      UNION ALL
                      SELECT 'Others', NULL, v.points, 1000000 FROM unnest(points) AS v (points) WHERE abs(v.points) < 0.05) AS u
                GROUP BY u.n) AS r) AS p;
$$;
COMMENT ON FUNCTION health_internal.report_waterfall(text, text, float8, text[], text[], float8[], text, jsonb, text) IS
    'A waterfall from start through parts to their sum, as a table with bars; texts are HTML';

CREATE FUNCTION health_internal.report_lost_points(document jsonb, account health_internal.report_account, signals health.signal_score[])
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('Where the points are lost', CASE WHEN account.score IS NULL
        THEN '<p>There is no score: ' || coalesce(health_internal.html(left(account.unknown_reason, 500)), 'too little is known') || '.</p>'
        ELSE health_internal.report_waterfall('From 100 points to the score, the dearest signal first', 'The best there is', 100,
            array_agg(health_internal.html(p.label) ORDER BY p.step, p.points, p.n),
            array_agg(health_internal.html(left(p.phrase, 500)) ORDER BY p.step, p.points, p.n),
            array_agg(p.points ORDER BY p.step, p.points, p.n), 'Score', document, account.band) END)
    FROM (SELECT s."position" AS n, CASE s.signal WHEN 'override' THEN 2 ELSE 1 END AS step, coalesce(s.label, s.signal) AS label, s.phrase,
                 CASE WHEN s.weight IS NULL OR s.signal = 'override' THEN s.points ELSE s.points - 100 * s.weight END AS points
          FROM unnest(signals) AS s
          WHERE s.level > 0 AND s.points IS NOT NULL AND NOT EXISTS (SELECT FROM unnest(signals) AS c WHERE c.parent = s.signal)) AS p;
$$;
COMMENT ON FUNCTION health_internal.report_lost_points(jsonb, health_internal.report_account, health.signal_score[]) IS
    'The points that each signal costs, from 100 to the score';

CREATE FUNCTION health_internal.report_moves(document jsonb, account health_internal.report_account,
    changes health.change_row[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('What moved it in 28 days', CASE WHEN t.normalized_from IS NULL OR t.normalized_to IS NULL
        THEN '<p>' || coalesce(health_internal.html(t.phrase), 'There is no score of one of the two days') || '.</p>'
        ELSE health_internal.report_waterfall(
            format('From %s to %s', health_internal.report_day(account.as_of - 28), health_internal.report_day(account.as_of)),
            format('Score on %s', health_internal.report_day(account.as_of - 28)), t.normalized_from,
            p.labels, p.remarks, p.points, format('Score on %s', health_internal.report_day(account.as_of)), document, account.band) END)
    FROM (SELECT c.* FROM unnest(changes) AS c WHERE c.step = 'total') AS t,
         (SELECT array_agg(health_internal.html(coalesce(c.label, c.signal, c.step)) ORDER BY abs(c.points) DESC, c."position") AS labels,
                 array_agg(health_internal.html(concat_ws('; ', c.raw_from || ' -> ' || c.raw_to, left(c.because, 500)))
                           ORDER BY abs(c.points) DESC, c."position") AS remarks,
                 array_agg(c.points ORDER BY abs(c.points) DESC, c."position") AS points
          FROM unnest(changes) AS c WHERE c.step <> 'total' AND c.points <> 0) AS p;
$$;
COMMENT ON FUNCTION health_internal.report_moves(jsonb, health_internal.report_account, health.change_row[]) IS
    'The parts of the change of a score in 28 days';

CREATE FUNCTION health_internal.report_course(account health_internal.report_account) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '<div class="halves">' || CASE WHEN s.known < 2 THEN '' ELSE health_internal.report_section('Score in 12 weeks',
        replace(health_internal.report_plot(health_internal.svg_line(s.scores, 0, 100, 'Score, day by day',
            format('From %s on %s to %s on %s; lowest %s, highest %s.', health_internal.report_number(s.first_score),
                   health_internal.report_day(s.first_day), health_internal.report_number(account.score),
                   health_internal.report_day(account.as_of), health_internal.report_number(s.lowest),
                       health_internal.report_number(s.highest))),
            '0', '50', '100', ARRAY[to_char(account.as_of - 84, 'FMDD FMMon'),
                                    to_char(account.as_of, 'FMDD FMMon')]), 'class="x"', 'class="x ends"')) END
        || CASE WHEN account.weekly IS NULL THEN '' ELSE health_internal.report_section('Activity in 12 weeks',
        health_internal.report_plot(health_internal.svg_columns(cardinality(account.weekly), w.weeks, account.weekly::float8[],
            array_fill('mark'::text, ARRAY[cardinality(account.weekly)]), w.tips, w.top, 'Events, a column a week',
            'Events of each week: ' || array_to_string(account.weekly, ', ') || '.'), '0', health_internal.report_number(w.top / 2),
            health_internal.report_number(w.top), w.labels)) END || '</div>'
    FROM (SELECT array_agg(p.score ORDER BY d.n) AS scores, count(p.score) AS known, min(p.score) AS lowest, max(p.score) AS highest,
                 (array_agg(p.score ORDER BY d.n) FILTER (WHERE p.score IS NOT NULL))[1] AS first_score,
                 min(p.day) FILTER (WHERE p.score IS NOT NULL) AS first_day
          FROM generate_series(0, 84) AS d (n)
          LEFT JOIN unnest(account.past_days, account.past_scores) AS p (day, score) ON p.day = account.as_of - 84 + d.n) AS s,
         (SELECT array_agg((v.n - 1)::integer ORDER BY v.n) AS weeks, health_internal.axis_top(max(v.events)) AS top,
                 array_agg(format('Week from %s: %s', health_internal.report_day(v.day), health_internal.report_number(v.events))
                     ORDER BY v.n)
                     AS tips, array_agg(to_char(v.day, 'FMDD FMMon') ORDER BY v.n) AS labels
          FROM (SELECT u.n, u.events, account.as_of - 7 * (cardinality(account.weekly) - u.n + 1)::integer AS day
                FROM unnest(account.weekly) WITH ORDINALITY AS u (events, n)) AS v) AS w;
$$;
COMMENT ON FUNCTION health_internal.report_course(health_internal.report_account) IS
    'The last twelve weeks of an account: score and events';

CREATE FUNCTION health_internal.report_signals(document jsonb, signals health.signal_score[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('Signals',
        '<table class="cards" role="table"><caption>Each signal as measured, as a score of 0 to 100, and what it is worth</caption>'
        '<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Signal</th>'
        '<th scope="col" role="columnheader">Measured</th>'
        '<th scope="col" role="columnheader" class="n">Score</th><th scope="col" role="columnheader" class="n">Weight</th>'
        '<th scope="col" role="columnheader" class="n">Points</th><th scope="col" role="columnheader">Finding, and what to do</th>'
        '</tr></thead>'
        '<tbody role="rowgroup">'
        || string_agg(format('<tr role="row"><th scope="row" role="rowheader"%s>%s</th><td role="cell" data-label="Measured">%s</td>'
               '<td role="cell" class="n" data-label="Score">%s</td><td role="cell" class="n" data-label="Weight">%s</td>'
               '<td role="cell" class="n" data-label="Points">%s</td><td role="cell" class="wide">%s%s</td></tr>',
               CASE WHEN s.level > 1 THEN ' class="plain"' ELSE '' END, health_internal.html(coalesce(s.label, s.signal)),
               coalesce(health_internal.html(left(s.raw_text, 200)), '&#8211;'), health_internal.report_number(s.normalized),
               health_internal.report_share(s.weight, 1), health_internal.report_number(s.points, 1),
               '<p>' || health_internal.html(left(coalesce(s.phrase, s.reason), 1000)) || '</p>',
               '<p class="do">' || health_internal.html(left(s.next_step, 1000)) || '</p>'), E'\n' ORDER BY s."position")
        || '</tbody></table>', 'long')
    FROM unnest(signals) AS s WHERE s.level > 0;
$$;
COMMENT ON FUNCTION health_internal.report_signals(jsonb, health.signal_score[]) IS 'The signals of an account';

CREATE FUNCTION health_internal.report_overrides(model text, account text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_section('What people decided',
        '<table class="cards" role="table"><caption>Overrides of the score, the last one first</caption><thead role="rowgroup">'
        '<tr role="row">'
        '<th scope="col" role="columnheader">What</th><th scope="col" role="columnheader">From</th>'
        '<th scope="col" role="columnheader">Until</th>'
        '<th scope="col" role="columnheader">By</th><th scope="col" role="columnheader">Why</th></tr></thead><tbody role="rowgroup">'
        || string_agg(format('<tr role="row"><th scope="row" role="rowheader">%s %s</th><td role="cell" data-label="From">%s</td>'
               '<td role="cell" data-label="Until">%s</td><td role="cell" data-label="By">%s</td><td role="cell" class="wide">%s</td></tr>',
               health_internal.report_word(o.kind), health_internal.report_number(o.value, 1), health_internal.report_day(o.from_day),
               CASE WHEN isfinite(least(o.ended, o.expires)) THEN health_internal.report_day(least(o.ended, o.expires))
                   ELSE 'further notice' END, health_internal.html_name(o.owner),
               health_internal.html(left(o.reason, 1000))), E'\n' ORDER BY o.number DESC) || '</tbody></table>')
    FROM (SELECT o.* FROM health_internal.score_override AS o
          WHERE o.model = report_overrides.model AND o.account = report_overrides.account ORDER BY o.number DESC LIMIT 20) AS o
    HAVING count(*) > 0;
$$;
COMMENT ON FUNCTION health_internal.report_overrides(text, text) IS 'What was decided about the score of an account; NULL: nothing';

CREATE FUNCTION health_internal.report_people(document jsonb, usage health.usage, as_of date) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '<div class="halves">' || health_internal.report_section('Busiest people', coalesce(
        (SELECT format('<table><caption>Events in %s days</caption><thead><tr><th scope="col">User</th>'
                       '<th scope="col" class="n">Events</th>'
                       '<th scope="col" class="n">Share</th></tr></thead><tbody>', w.days)
             || string_agg(format('<tr><th scope="row" class="plain">%s</th><td class="n">%s</td><td class="n">%s</td></tr>',
                    health_internal.html_name(u.user_id), health_internal.report_number(u.contribution),
                        health_internal.report_share(u.share, 1)),
                    '' ORDER BY u.n) || '</tbody></table>'
         FROM health.top_users(usage, as_of, 5, window_days => w.days, catalog => document -> 'catalog') WITH ORDINALITY
             AS u (user_id, contribution, share, n) HAVING count(*) > 0),
        format('<p>Nobody was active in %s days.</p>', w.days)))
    || health_internal.report_section('Who fell quiet', coalesce(
        (SELECT format('<table><caption>Did at most half as much in %s days as in the %1$s before</caption><thead><tr>'
                       '<th scope="col">User</th>'
                       '<th scope="col" class="n">Before</th><th scope="col" class="n">Now</th>'
                       '<th scope="col" class="n">Last seen</th></tr>'
                       '</thead><tbody>', w.days)
             || string_agg(format('<tr><th scope="row" class="plain">%s</th><td class="n">%s</td><td class="n">%s</td>'
                                  '<td class="n">%s</td></tr>',
                    health_internal.html_name(u.user_id), health_internal.report_number(u.before), health_internal.report_number(u.now),
                    to_char(u.last_day, 'FMDD FMMon')), '' ORDER BY u.lost DESC, u.user_id) || '</tbody></table>'
         FROM (SELECT q.* FROM health.quiet_users(usage, as_of, window_days => w.days, catalog => document -> 'catalog') AS q
               ORDER BY q.lost DESC, q.user_id LIMIT 5) AS u HAVING count(*) > 0), '<p>Nobody.</p>')) || '</div>'
    FROM (SELECT coalesce((document ->> 'window_days')::integer, 28)) AS w (days);
$$;
COMMENT ON FUNCTION health_internal.report_people(jsonb, health.usage, date) IS 'Who does most in an account, and who stopped';

CREATE FUNCTION health_internal.report_of_account(version health_internal.model_version, account text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := version.document;
    id CONSTANT text := health_internal.find_account(version.model, version, account);
    found health_internal.report_account := (SELECT a FROM health_internal.report_book(version, id, 1) AS a);
    signals health.signal_score[];
    changes health.change_row[];
    before health.account_state;
    after health.account_state;
    name text;
BEGIN
    IF found.account_id IS NULL THEN    -- since the last refresh
        RAISE EXCEPTION 'model "%": account "%" has no score yet', version.model, account
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = pg_catalog.format('CALL health.refresh(%L) scores it.',
                version.model);
    END IF;
    after := health_internal.read_account(version.model, version, id, found.as_of);
    before := health_internal.read_account(version.model, version, id, found.as_of - 28);
    signals := ARRAY(SELECT s FROM health_internal.signal_rows(document, after.as_of, health_internal.account_signals(document, after),
        after.overrides, health_internal.book_changes_at(version, after.as_of)) AS s);
    changes := ARRAY(SELECT c FROM health.score_change(document, document, before, after) AS c);
    name := coalesce(found.name, found.account_id);
    RETURN health_internal.report_page(health_internal.html(left(name, 200)) || ', ' || health_internal.report_day(found.as_of),
        format('<h1>%s</h1><p class="sub">Account %s as of %s, by version %s of model %s</p>', health_internal.html_name(name),
               health_internal.html_name(found.account_id), health_internal.report_day(found.as_of), version.version,
               health_internal.html_name(version.model))
        || '<dl class="tiles">'
        || health_internal.report_tile('Score', health_internal.report_number(found.score), CASE WHEN found.band IS NULL THEN 'no band'
               ELSE format('<span class="dot %s"></span>%s', health_internal.band_class(document, found.band),
                           lower(health_internal.report_word(found.band))) END)
        || health_internal.report_tile('In 28 days', health_internal.report_change(found.change_28d), 'points')
        || health_internal.report_tile('State', coalesce(health_internal.report_word(found.state), '&#8211;'),
                                       health_internal.html(found.state_reason))
        || CASE WHEN found.yearly IS NULL THEN '' ELSE health_internal.report_tile('Yearly revenue',
            health_internal.report_number(found.yearly)) END
        || CASE WHEN found.renews_on IS NULL THEN '' ELSE health_internal.report_tile('Renewal',
               CASE WHEN found.renews_on < found.as_of THEN format('%s days ago', found.as_of - found.renews_on)
                    ELSE format('%s days', found.renews_on - found.as_of) END, health_internal.report_day(found.renews_on)) END
        || CASE WHEN found.score_without_top_user IS NULL THEN '' ELSE
               health_internal.report_tile('Without one user', health_internal.report_number(found.score_without_top_user),
                   'the score without the busiest') END
        || '</dl>'
        || coalesce('<p class="lead">' || health_internal.html(left((SELECT s.phrase FROM unnest(signals) AS s WHERE s.level = 0), 2000))
            || '</p>', '')
        || coalesce('<p class="lead do">' || health_internal.html(left(found.next_step, 1000)) || '</p>', ''),
        health_internal.report_lost_points(document, found, signals) || coalesce(health_internal.report_moves(document, found, changes), '')
        || coalesce(health_internal.report_course(found), '') || coalesce(health_internal.report_signals(document, signals), '')
        || coalesce(health_internal.report_overrides(version.model, id), '') || health_internal.report_people(document, after.parts[1],
            found.as_of),
        '<p>Points add up to the score. A score of 100 is the best there is.</p>');
END;
$$;
COMMENT ON FUNCTION health_internal.report_of_account(health_internal.model_version, text) IS 'report_html() of one account';
