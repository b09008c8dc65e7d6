-- Data quality first: what the sources hold that the model does not know, and what the model expects and does not get.

CREATE TYPE health.tracking_finding AS (
    finding text,
    source text,
    name text,
    events bigint,
    users bigint,
    first_day date,
    last_day date,
    advice text,
    account text,
    value text
);
COMMENT ON TYPE health.tracking_finding IS 'Something in the data that does not fit the model';
COMMENT ON COLUMN health.tracking_finding.finding IS
    'bad value, null key, unknown account, unlisted event, missing event, silent event, future event, unknown user, user without account, '
    'repeated account, event before start, event after end, signal never seen, signal not fitted, user without joining day, '
    'repeated event id, circular parent, circular merge, unknown merge target, late event, event known too early, '
    'event known at no time, several currencies, tracking broke';
COMMENT ON COLUMN health.tracking_finding.source IS 'Path of the source in the document, or "catalog"';
COMMENT ON COLUMN health.tracking_finding.name IS 'The event, account, user, field or signal that it is about';
COMMENT ON COLUMN health.tracking_finding.events IS 'Rows that it concerns';
COMMENT ON COLUMN health.tracking_finding.users IS 'Distinct users among them';
COMMENT ON COLUMN health.tracking_finding.first_day IS 'First local day of these rows';
COMMENT ON COLUMN health.tracking_finding.last_day IS 'Last local day of these rows';
COMMENT ON COLUMN health.tracking_finding.advice IS 'What it means and what to do';
COMMENT ON COLUMN health.tracking_finding.account IS 'The account whose rows these are';
COMMENT ON COLUMN health.tracking_finding.value IS 'Of a bad value: what stands there, of several one of them, cut to 60 characters';

-- Scoring says what of an account it cannot use; of seats also where no signal asks for them.
CREATE FUNCTION health_internal.compile_bad_accounts(document jsonb, fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT concat_ws(' UNION ALL ',
        format('SELECT %L AS source, s.signal AS name, l.account_id::pg_catalog.text AS account_id, s.raw_text AS value '
               'FROM accounts AS l, health.score_signals(%L, %s) AS s WHERE s.reason = ''bad_value'' AND s.raw_text IS NOT NULL',
               'signals',
               health_internal.scoring_document(document), health_internal.compile_state('NULL', false)),
        format('SELECT %L, %L, (%s)::pg_catalog.text, (%s)::pg_catalog.text FROM %s%s '
               'WHERE health_internal.usable_seats((%4$s)::pg_catalog.float8) IS NULL AND (%4$s) IS NOT NULL%7$s', 'accounts', 'seats',
               health_internal.compile_account_key(fields, id.expression), seats.expression, book.from_item,
               health_internal.compile_wanted(fields),
               CASE WHEN health_internal.compile_wanted(fields) <> '' THEN ' AND wanted."is wanted"' END)
            || CASE WHEN seats.expression IS NULL THEN NULL ELSE '' END)
    FROM health_internal.field_of(fields, 'accounts', 'id') AS id, health_internal.field_of(fields, 'accounts', 'seats') AS seats,
         health_internal.field_of(fields, 'accounts', 'from') AS book;
$$;
COMMENT ON FUNCTION health_internal.compile_bad_accounts(jsonb, health_internal.model_field[]) IS
    'SQL of the values of accounts that cannot be: source, field, account, value; accounts are rows of a ledger query of that name';

-- A signal is known by its name.
CREATE FUNCTION health_internal.fallible_fields(document jsonb, fields health_internal.model_field[])
RETURNS TABLE (field health_internal.model_field, source text, name text)
LANGUAGE sql STABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT u.field, CASE WHEN i.name IS NULL THEN (u.field).source ELSE 'signals' END, coalesce(i.name, (u.field).field)
    FROM (SELECT f AS field FROM unnest(fields) AS f) AS u
    LEFT JOIN health.model_inputs(document) AS i ON i.path = (u.field).source AND (u.field).field = 'value'
    WHERE (u.field).problem IS NULL AND (u.field).expression LIKE 'health\_internal.try\_value(%';
$$;
COMMENT ON FUNCTION health_internal.fallible_fields(jsonb, health_internal.model_field[]) IS
    'The fields whose expression may fail for some row, with the source and name that findings call them';

-- Expressions that fail, of rows that the source does not leave out: read once more, for nothing where none can fail.
CREATE FUNCTION health_internal.compile_failures(document jsonb, fields health_internal.model_field[],
    as_written health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(format(
               'SELECT %L AS source, %L AS name, (%s)::pg_catalog.text AS account_id, x.message AS value, pg_catalog.count(*) AS n '
               'FROM %s CROSS JOIN LATERAL (SELECT %s AS message) AS x WHERE x.message IS NOT NULL%s GROUP BY 3, 4',
               p.source, p.name,
               coalesce((CASE WHEN p.of_rows THEN health_internal.field_of(fields, p.source, 'account')
                              ELSE health_internal.field_of(fields, 'accounts', 'id') END).expression, 'NULL'),
               CASE WHEN p.of_rows OR p.name = 'filter' THEN (p.field).from_item
                    ELSE book.from_item || health_internal.compile_wanted(fields)
                         || substr((p.field).from_item, length(book.from_item) + 1) END,
               regexp_replace((p.field).expression, '^health_internal\.try_value\([^,]*, ', 'health_internal.try_error('),
               CASE WHEN p.name = 'filter' THEN ''
                    WHEN p.of_rows THEN coalesce(' AND ' || (health_internal.field_of(fields, p.source, 'filter')).expression, '')
                    WHEN health_internal.compile_wanted(fields) <> '' THEN ' AND wanted."is wanted"' ELSE '' END), ' UNION ALL '),
           'SELECT NULL AS source, NULL AS name, NULL AS account_id, NULL AS value, 0 AS n WHERE false')
    FROM (SELECT f.*, f.source ~ '^(events|users|facts)' AS of_rows FROM health_internal.fallible_fields(document, as_written) AS f) AS p,
         health_internal.field_of(fields, 'accounts', 'from') AS book;
$$;
COMMENT ON FUNCTION health_internal.compile_failures(jsonb, health_internal.model_field[], health_internal.model_field[]) IS
    'SQL of the rows on which an expression of a source fails: source, field, account, error and how many; as_written are fields '
    'without keys';

CREATE FUNCTION health_internal.compile_repeated_events(document jsonb, fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(format(
        'SELECT %L::pg_catalog.text, pg_catalog.sum(r.n - 1), pg_catalog.min(r.first_day), pg_catalog.max(r.last_day) FROM ('
        'SELECT pg_catalog.count(*) AS n, pg_catalog.min(%2$s) AS first_day, pg_catalog.max(%2$s) AS last_day FROM %3$s%4$s '
        'GROUP BY (%5$s)::pg_catalog.text HAVING pg_catalog.count(*) > 1 AND (%5$s)::pg_catalog.text IS NOT NULL) AS r '
        'HAVING pg_catalog.count(*) > 0',
        s.path, health_internal.local_day((f.occurred).expression, (f.occurred).type, s.source ->> 'time_zone',
            coalesce(document ->> 'time_zone', 'UTC')),
        (health_internal.field_of(fields, s.path, 'from')).from_item,
        coalesce(' WHERE ' || (health_internal.field_of(fields, s.path, 'filter')).expression, ''), (f.id).expression), ' UNION ALL '),
        'SELECT NULL::pg_catalog.text, NULL::pg_catalog.int8, NULL::pg_catalog.date, NULL::pg_catalog.date WHERE false')
    FROM health_internal.event_sources(document) AS s,
         LATERAL (SELECT health_internal.field_of(fields, s.path, 'id') AS id,
                         health_internal.field_of(fields, s.path, 'occurred_at') AS occurred) AS f
    WHERE (f.id).expression IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.compile_repeated_events(jsonb, health_internal.model_field[]) IS
    'SQL of how many rows of each event source have an id that another row has as well, with their first and last day';

-- Of a day on which a whole source broke its events are not listed one by one.
CREATE FUNCTION health_internal.volume_findings(volumes health_internal.volume[], as_of date, today date, accepted datemultirange)
RETURNS SETOF health.tracking_finding
LANGUAGE sql IMMUTABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
    WITH odd AS MATERIALIZED (
        SELECT o.* FROM health_internal.broken_volumes(volumes, volume_findings.as_of - 182, least(volume_findings.as_of, today),
                                                       accepted) AS o
    )
    SELECT 'tracking broke', o.source, o.event, sum(o.seen)::bigint, NULL::bigint, min(o.day), max(o.day),
           CASE o.kind WHEN 'lost' THEN format('usually about %s on a day like these: are they still sent? If not, "volume" of the '
                           'model says so, or ignore_volume of refresh', round(avg(o.usual)::numeric))
                       WHEN 'flood' THEN format('usually about %s on a day like these: what sends them? If that is how it is, "volume" '
                           'of the model says so, or ignore_volume of refresh', round(avg(o.usual)::numeric))
                       ELSE format('every user did everything %s times as often as usual: was the day loaded %1$s times? Delete the copies',
                                   max(o.times)) END,
           NULL::text, NULL::text
    FROM odd AS o
    WHERE o.event IS NULL
       OR NOT EXISTS (SELECT FROM odd AS w WHERE w.source = o.source AND w.event IS NULL AND w.day = o.day AND w.kind = o.kind)
    GROUP BY o.source, o.event, o.kind ORDER BY min(o.day), o.source, o.event NULLS FIRST;
$$;
COMMENT ON FUNCTION health_internal.volume_findings(health_internal.volume[], date, date, datemultirange) IS
    'Sources and events that broke in the 26 weeks before as_of, and that nobody accepted';

-- -infinity stands for no time; what known_at fails on is told as such.
CREATE FUNCTION health_internal.compile_lateness(document jsonb, fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(format($query$
        SELECT %L::pg_catalog.text AS source, f.finding, f.n, f.first_day, f.last_day, f.advice
        FROM (SELECT pg_catalog.count(*) AS n, pg_catalog.count(*) FILTER (WHERE r.known > r.day) AS late,
                     pg_catalog.count(*) FILTER (WHERE r.known = 'infinity') AS never,
                     pg_catalog.percentile_disc(0.5) WITHIN GROUP (ORDER BY r.days) FILTER (WHERE r.days > 0) AS median,
                     pg_catalog.max(r.days) AS longest, pg_catalog.min(r.day) FILTER (WHERE r.known > r.day) AS first_late,
                     pg_catalog.max(r.day) FILTER (WHERE r.known > r.day) AS last_late,
                     pg_catalog.count(*) FILTER (WHERE r.days < 0) AS early,
                     pg_catalog.min(r.day) FILTER (WHERE r.days < 0) AS first_early,
                     pg_catalog.max(r.day) FILTER (WHERE r.days < 0) AS last_early,
                     pg_catalog.count(*) FILTER (WHERE r.unknown) AS unknown,
                     pg_catalog.min(r.day) FILTER (WHERE r.unknown) AS first_unknown,
                     pg_catalog.max(r.day) FILTER (WHERE r.unknown) AS last_unknown
              FROM (SELECT d.day, d.known, d.unknown, CASE WHEN pg_catalog.isfinite(d.known) THEN d.known - d.day END AS days
                    FROM (SELECT %s AS day, %s AS known, x.known IS NULL AS unknown
                          FROM (SELECT %s AS occurred, %s AS known FROM %s%s OFFSET 0) AS x) AS d
                    WHERE pg_catalog.isfinite(d.day)) AS r) AS l,
             LATERAL (VALUES
                ('late event', l.late, l.first_late, l.last_late, pg_catalog.format(
                    '%%s %%%% of the rows became known after their day%%s%%s. Dates before that do not see them',
                    pg_catalog.round(100.0 * l.late / nullif(l.n, 0), 1),
                    CASE WHEN l.median IS NOT NULL THEN pg_catalog.format(', by %%s days (median), at most %%s', l.median, l.longest) END,
                    CASE WHEN l.never > 0 THEN pg_catalog.format(', not yet known (infinity): %%s', l.never) END)),
                ('event known too early', %s, l.first_early, l.last_early,
                    'known on a day before the one on which they happened: is it the right column? Taken as known on their day'),
                ('event known at no time', l.unknown, l.first_unknown, l.last_unknown,
                    'nothing says when they became known: taken as known on their day')) AS f (finding, n, first_day, last_day, advice)
        WHERE f.n > 0 $query$, s.path, health_internal.compile_plain_day('x.occurred', (f.occurred).type, s.source ->> 'time_zone', z.zone),
        health_internal.compile_plain_day('x.known', (f.known).type, s.source ->> 'time_zone', z.zone), (f.occurred).expression,
        (f.known).expression, coalesce((health_internal.field_of(fields, s.path, 'from')).from_item, (f.occurred).from_item),
        coalesce(' WHERE ' || (health_internal.field_of(fields, s.path, 'filter')).expression, ''),
        -- A contract is signed before it starts.
        CASE s.kind WHEN 'facts' THEN '0' ELSE 'l.early' END), ' UNION ALL '),
        'SELECT n.source, n.source AS finding, 0::pg_catalog.int8 AS n, n.day AS first_day, n.day AS last_day, n.source AS advice '
        'FROM (SELECT NULL::pg_catalog.text, NULL::pg_catalog.date) AS n (source, day) WHERE false')
    FROM health_internal.sources(document) AS s, (SELECT coalesce(document ->> 'time_zone', 'UTC')) AS z (zone),
         LATERAL (SELECT health_internal.field_of(fields, s.path, 'known_at') AS known,
                         health_internal.field_of(fields, s.path, CASE s.kind WHEN 'facts' THEN 'at' ELSE 'occurred_at' END)
                             AS occurred) AS f
    WHERE s.kind IN ('events', 'facts') AND (f.known).expression IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.compile_lateness(jsonb, health_internal.model_field[]) IS
    'SQL of how late the rows of each source of events or facts that says so became known: a row per finding, with the days of the rows';

CREATE FUNCTION health_internal.tracking_plan_as_owner(model text) RETURNS SETOF health.tracking_finding
LANGUAGE plpgsql ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version health_internal.model_version := health_internal.find_version(model, (health_internal.open_model(model)).current_version);
    document jsonb := version.document;
    fields health_internal.model_field[];
    as_written health_internal.model_field[];
    compiled health_internal.compiled_model;
    known_users text;
    links text;
    clock CONSTANT text := health_internal.model_clock(document, NULL);
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(document, version.version, usage_from => 'nothing', model_name => model);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    as_written := ARRAY(SELECT f FROM health_internal.model_fields(document, keyed => false) AS f);
    known_users := format('SELECT (%s%s)::pg_catalog.text AS user_id, (%s)::pg_catalog.text AS account_id FROM %s',
        coalesce((health_internal.field_of(fields, 'users', 'id')).expression, 'NULL::pg_catalog.text'), health_internal.user_cast(fields),
        coalesce((health_internal.field_of(fields, 'users', 'account')).expression, 'NULL'),
        coalesce((health_internal.field_of(fields, 'users', 'from')).from_item, '(SELECT 1 WHERE false) AS src'));
    RETURN QUERY EXECUTE format($query$
        WITH accounts AS MATERIALIZED (
            SELECT (%14$s)::pg_catalog.text AS account_id, l.as_of, l.account_start, %22$s AS account_end, l.seats, l.inputs, l.observed,
                   l.segments, l.repeated, l.ledger_start, l.overrides, l.outages
            FROM (%1$s) AS l
        ), known_users AS MATERIALIZED (
            SELECT k.user_id, k.account_id FROM (%2$s) AS k
        ), clock AS (
            SELECT %3$s AS as_of
        ), catalog AS (
            SELECT c.key AS name, %13$L::pg_catalog.jsonb IS NULL OR %13$L::pg_catalog.jsonb ? c.key AS is_own
            FROM pg_catalog.jsonb_object_keys(%4$L::pg_catalog.jsonb) AS c (key)
        ), seen AS MATERIALIZED (
            -- One pass over the events: a row per source, account, user and event keeps what the findings need.
            %5$s
        ), usable AS (
            SELECT s.* FROM seen AS s
            WHERE s.account_id IS NOT NULL AND s.user_id IS NOT NULL AND s.event_name IS NOT NULL AND NOT s.lacks_day
                AND s.bad_field IS NULL
        ), newest AS MATERIALIZED (
            SELECT s.event_name, pg_catalog.max(s.last_known_day) AS day FROM usable AS s GROUP BY 1
        ), bad AS (
            SELECT s.source, s.bad_field AS name, s.n, s.user_id, s.first_day, s.last_day, s.account_id, s.bad_value AS value,
                   CASE s.bad_field WHEN 'event' THEN
                       CASE WHEN s.source || '.known_at' = ANY (%16$L::pg_catalog.text[])
                            THEN 'an event without a name, or of which known_at fails, is left out'
                            ELSE 'an event without a name is left out: name it, or leave such rows out with a filter' END
                       WHEN 'occurred_at' THEN 'an infinite time is no day: the row is left out'
                       ELSE 'no amount that a ledger can keep (NaN, infinite, beyond 9.2e12): the row is left out; NULL is no amount'
                   END AS advice
            -- What an expression fails on stands for itself below.
            FROM seen AS s WHERE s.bad_field IS NOT NULL AND s.user_id IS NOT NULL
                AND NOT (s.source || '.' || s.bad_field = ANY (%16$L::pg_catalog.text[])
                         AND coalesce(s.bad_value, '') IN ('', 'NaN', 'infinity'))
                AND (s.account_id IS NOT NULL OR s.source = ANY (%11$L::pg_catalog.text[]))
            UNION ALL
            SELECT a.source, a.name, 1, NULL, NULL, NULL, a.account_id, a.value,
                   CASE a.source WHEN 'signals' THEN 'no value that the signal can use: it is unknown (bad_value); NULL stands for unknown'
                       ELSE 'no number of seats: they are unknown (bad_value); NULL stands for unlimited as well as unknown' END
            FROM (%12$s) AS a WHERE NOT (a.value = 'NaN' AND a.source || '.' || a.name = ANY (%16$L::pg_catalog.text[]))
            UNION ALL
            SELECT x.source, x.name, x.n, NULL, NULL, NULL, x.account_id, x.value,
                   CASE WHEN x.name IN ('id', 'filter') OR x.source ~ '^events' OR x.source = 'users' AND x.name = 'account'
                        THEN 'the expression fails on these rows, so that they are left out'
                        WHEN x.source ~ '^variants' THEN 'the condition fails on these rows: it is not true there'
                        ELSE 'the expression fails on these rows, so that the value is unknown' END
            FROM (%15$s) AS x
        ), other AS (
            SELECT 1 AS position, 'null key' AS finding, s.source, k.name, s.n, s.user_id, s.first_day, s.last_day,
                   'rows without this value are left out: mend the tracking, or filter them' AS advice
            FROM seen AS s, LATERAL (VALUES ('account', s.account_id IS NULL AND s.source <> ALL (%11$L::pg_catalog.text[])),
                ('user', s.user_id IS NULL), ('event', s.event_name IS NULL),
                                            ('occurred_at', s.lacks_day)) AS k (name, missing)
            WHERE k.missing
            UNION ALL
            SELECT 2, 'unknown account', s.source, s.account_id, s.n, s.user_id, s.first_day, s.last_day,
                   'no such account (or accounts.filter leaves it out): its events are not scored'
            FROM usable AS s WHERE NOT EXISTS (SELECT 1 FROM accounts AS a WHERE a.account_id = s.account_id)
            UNION ALL
            SELECT 3, 'unlisted event', s.source, s.event_name, s.n, s.user_id, s.first_day, s.last_day,
                   CASE WHEN health_internal.is_marker(s.event_name)
                        THEN 'names with a leading $ are reserved, never activity: "event": {"sql": "ltrim(event_name, ''$'')"} takes the '
                            'sign away'
                        ELSE 'not in the catalog: does not count' END
            FROM usable AS s
            -- With "unlisted_events": "count" they count, as they are meant to.
            WHERE health_internal.is_marker(s.event_name)
               OR NOT %6$L AND EXISTS (SELECT 1 FROM catalog AS c)
                  AND NOT EXISTS (SELECT 1 FROM catalog AS c WHERE c.name = s.event_name)
            UNION ALL
            SELECT 4, 'missing event', 'catalog', c.name, 0, NULL, NULL, NULL, 'never seen: is it tracked, and under this name?'
            FROM catalog AS c WHERE c.is_own AND NOT EXISTS (SELECT 1 FROM usable AS s WHERE s.event_name = c.name)
            UNION ALL
            SELECT 5, 'silent event', 'catalog', s.event_name, s.n, s.user_id, s.first_day, s.last_day,
                   'seen before, but not in the last %7$s days: did tracking break?'
            FROM usable AS s JOIN catalog AS c ON c.name = s.event_name AND c.is_own JOIN newest AS o ON o.event_name = s.event_name
            WHERE o.day < (SELECT t.as_of - %7$s FROM clock AS t)
            UNION ALL
            SELECT 6, 'future event', s.source, s.event_name, s.future, s.user_id, s.first_future_day, s.last_day,
                   'dated after today: counts only when that day comes'
            FROM usable AS s WHERE s.future > 0 AND NOT %8$L
            UNION ALL
            SELECT 7, 'unknown user', s.source, s.user_id, s.n, s.user_id, s.first_day, s.last_day, 'acts, but is not in the user source'
            FROM seen AS s WHERE s.user_id IS NOT NULL AND (s.account_id IS NOT NULL OR s.source = ANY (%11$L::pg_catalog.text[]))
                AND s.event_name IS NOT NULL AND NOT s.lacks_day AND s.bad_field IS NULL
                AND %9$L AND NOT EXISTS (SELECT 1 FROM known_users AS k WHERE k.user_id = s.user_id)
            UNION ALL
            SELECT 8, 'user without account', 'users', k.user_id, 0, k.user_id, NULL, NULL,
                   CASE WHEN k.account_id IS NULL THEN 'the user source gives no account' ELSE 'no such account: ' || k.account_id END
            FROM known_users AS k
            WHERE %10$L AND (k.account_id IS NULL OR NOT EXISTS (SELECT 1 FROM accounts AS a WHERE a.account_id = k.account_id))
            UNION ALL
            SELECT 9, 'repeated account', 'accounts', a.account_id, 0, NULL, NULL, NULL,
                   'the account source has it more than once: it is not scored'
            FROM accounts AS a WHERE a.repeated
            UNION ALL
            SELECT 10, 'event before start', s.source, s.account_id, s.early, s.user_id, s.first_day,
                   least(s.last_day, (SELECT a.account_start - 1 FROM accounts AS a WHERE a.account_id = s.account_id)),
                   'before the account was a customer: is accounts.start right, or was that a trial?'
            FROM usable AS s WHERE s.early > 0
            UNION ALL
            SELECT 11, 'event after end', s.source, s.account_id, s.late, s.user_id,
                   greatest(s.first_day, (SELECT a.account_end FROM accounts AS a WHERE a.account_id = s.account_id)), s.last_day,
                   'after the account was a customer: is accounts.end right?'
            FROM usable AS s WHERE s.late > 0
            UNION ALL
            SELECT 12, 'signal never seen', 'signals', g.signal ->> 'name', coalesce((SELECT pg_catalog.sum(u.n) FROM usable AS u
                       WHERE g.signal -> 'events' ? u.event_name), 0), NULL, NULL, NULL,
                   CASE WHEN EXISTS (SELECT FROM usable AS u WHERE g.signal -> 'events' ? u.event_name)
                        THEN 'its events have come since: refreeze_references(model) has it count'
                        ELSE 'nothing of what it is about was ever seen: it is unknown (not_applicable); are the names right?' END
            FROM (%17$s) AS g (signal)
            WHERE g.signal #>> '{frozen,seen}' = 'false'
               OR g.signal ? 'events' AND NOT EXISTS (SELECT FROM usable AS u WHERE g.signal -> 'events' ? u.event_name)
            UNION ALL
            SELECT 13, 'signal not fitted', 'signals', g.signal ->> 'name', 0, NULL, NULL, NULL,
                   'too little in the book to fit it to: it is unknown (no_data); refreeze_references(model) tries again'
            FROM (%17$s) AS g (signal)
            WHERE health_internal.is_fitted(g.signal) AND health_internal.frozen_parameters(g.signal) IS NULL
            UNION ALL
            SELECT 14, 'user without joining day', 'users', 'joined', 0, j.user_id, NULL, NULL,
                   CASE WHEN %18$L THEN 'no day of joining: not joined, since invitations are known'
                        ELSE 'no day of joining: taken as always there; with users.invited such users have not joined' END
            FROM (%19$s) AS j (user_id)
            UNION ALL
            SELECT 15, 'repeated event id', r.source, 'id', r.n, NULL, r.first_day, r.last_day,
                   'rows beyond the first of the same id: each counts; leave the copies out where the events are read'
            FROM (%20$s) AS r (source, n, first_day, last_day)
            UNION ALL
            SELECT 16, r.finding, r.source, 'known_at', r.n, NULL, r.first_day, r.last_day, r.advice FROM (%21$s) AS r
        ), bad_accounts AS (
            SELECT b.source, b.name, b.advice, b.account_id, pg_catalog.sum(b.n) AS n, pg_catalog.count(DISTINCT b.user_id) AS users,
                   pg_catalog.min(b.first_day) AS first_day, pg_catalog.max(b.last_day) AS last_day, pg_catalog.min(b.value) AS value,
                   pg_catalog.row_number() OVER (PARTITION BY b.source, b.name ORDER BY pg_catalog.sum(b.n) DESC, b.account_id) AS place
            FROM bad AS b GROUP BY 1, 2, 3, 4
        ), findings AS (
            SELECT 0 AS position, 'bad value' AS finding, b.source, b.name, b.n, b.users, b.first_day, b.last_day, b.advice,
                   b.account_id AS account, b.place,
                   CASE WHEN pg_catalog.length(b.value) > 60 THEN pg_catalog.left(b.value, 57) || '...' ELSE b.value END AS value
            FROM bad_accounts AS b WHERE b.place <= 20
            UNION ALL
            SELECT 0, 'bad value', b.source, b.name, pg_catalog.sum(b.n), NULL, pg_catalog.min(b.first_day), pg_catalog.max(b.last_day),
                   pg_catalog.format('%%s more accounts: %%s', pg_catalog.count(*), pg_catalog.min(b.advice)), NULL, 21, NULL
            FROM bad_accounts AS b WHERE b.place > 20 GROUP BY b.source, b.name
            UNION ALL
            SELECT f.position, f.finding, f.source, f.name, pg_catalog.sum(f.n), pg_catalog.count(DISTINCT f.user_id),
                   pg_catalog.min(f.first_day), pg_catalog.max(f.last_day), pg_catalog.min(f.advice),
                   CASE WHEN f.finding IN ('unknown account', 'repeated account', 'event before start', 'event after end') THEN f.name END,
                   0, NULL
            FROM other AS f GROUP BY f.position, f.finding, f.source, f.name
        )
        SELECT f.finding, f.source, f.name, f.n::pg_catalog.int8, f.users, f.first_day, f.last_day, f.advice, f.account, f.value
        FROM findings AS f
        ORDER BY f.position, CASE f.position WHEN 0 THEN f.source END, CASE f.position WHEN 0 THEN f.name END, f.place, f.n DESC,
                 f.source, f.name
        $query$,
        compiled.ledger, known_users, clock, coalesce(document -> 'catalog', '{}'),
        health_internal.compile_all_events(document, fields, $summary$
            SELECT e.source, e.account_id, e.user_id::pg_catalog.text AS user_id, e.event_name, e.day IS NULL AS lacks_day,
                   e.bad_field, CASE e.bad_field WHEN 'occurred_at' THEN e.day::pg_catalog.text
                                                 WHEN 'amount' THEN e.amount::pg_catalog.text END AS bad_value,
                   pg_catalog.count(*) AS n, pg_catalog.min(e.day) AS first_day, pg_catalog.max(e.day) AS last_day,
                   pg_catalog.max(e.day) FILTER (WHERE e.day <= t.as_of) AS last_known_day,
                   pg_catalog.count(*) FILTER (WHERE e.day > t.as_of) AS future,
                   pg_catalog.min(e.day) FILTER (WHERE e.day > t.as_of) AS first_future_day,
                   pg_catalog.count(*) FILTER (WHERE e.day < a.account_start) AS early,
                   pg_catalog.count(*) FILTER (WHERE e.day >= a.account_end) AS late
            FROM (%s) AS e CROSS JOIN clock AS t LEFT JOIN accounts AS a ON a.account_id = e.account_id GROUP BY 1, 2, 3, 4, 5, 6, 7
                $summary$), document ->> 'unlisted_events' IS NOT DISTINCT FROM 'count',
        --@for options where name is window_days
        coalesce(document ->> '@name@', '@default@'), coalesce(document ->> 'as_of' <> 'tomorrow', false),
        --@end
        (health_internal.field_of(fields, 'users', 'id')).expression IS NOT NULL,
            (health_internal.field_of(fields, 'users', 'account')).expression IS NOT NULL,
        -- Sources that get the account from the user source: without one there, the user is what is wrong.
        ARRAY(SELECT e.path FROM health_internal.event_sources(document) AS e WHERE NOT e.source ? 'account'),
        health_internal.compile_bad_accounts(document, fields),
        -- What a preset lists besides the user's own catalog are suggestions: events that he need not have.
        CASE WHEN version.definition ? 'preset' THEN version.definition -> 'catalog' END,
        health_internal.compile_account_key(fields, 'l.account_id'),

        health_internal.compile_failures(document, fields, as_written),
        ARRAY(SELECT f.source || '.' || f.name FROM health_internal.fallible_fields(document, as_written) AS f),
        coalesce((SELECT pg_catalog.string_agg(pg_catalog.format('SELECT %L::pg_catalog.jsonb', l.signal), ' UNION ALL ' ORDER BY l.number)
                  FROM health_internal.leaf_signals(document) AS l WHERE l.signal ? 'metric'), 'SELECT NULL::pg_catalog.jsonb WHERE false'),
        document #> '{users,invited}' IS NOT NULL,
        CASE WHEN document #> '{users,joined}' IS NULL THEN 'SELECT NULL::pg_catalog.text WHERE false'
             ELSE pg_catalog.format('SELECT (%s)::pg_catalog.text FROM %s WHERE (%s) IS NULL AND (%s) IS NOT NULL%s%s',
                 (health_internal.field_of(fields, 'users', 'id')).expression, (health_internal.field_of(fields, 'users',
                     'from')).from_item,
                 (health_internal.field_of(fields, 'users', 'joined')).expression,
                 (health_internal.field_of(fields, 'users', 'account')).expression,
                 coalesce(' AND ' || (health_internal.field_of(fields, 'users', 'filter')).expression, ''),
                 coalesce(' AND (' || (health_internal.field_of(fields, 'users', 'exclude')).expression || ') IS NOT TRUE', '')) END,
        health_internal.compile_repeated_events(document, fields), health_internal.compile_lateness(document, fields),
        CASE WHEN document -> 'accounts' ? 'merged_into' THEN 'CASE WHEN l."$into" IS NULL THEN l.account_end END'
             ELSE 'l.account_end' END);
    FOREACH links IN ARRAY ARRAY['parent', 'merged_into'] LOOP
        CONTINUE WHEN NOT document -> 'accounts' ? links;
        RETURN QUERY EXECUTE format('SELECT f.finding, ''accounts'', f.name, f.n, NULL::pg_catalog.int8, NULL::pg_catalog.date, '
            'NULL::pg_catalog.date, f.advice, f.account, NULL::pg_catalog.text FROM (%s) AS f ORDER BY f.finding, f.place',
            health_internal.compile_link_findings(fields, links));
    END LOOP;
    RETURN QUERY SELECT f.* FROM health_internal.fact_findings(document, fields,
        format('SELECT (%s)::pg_catalog.text AS account_id FROM (%s) AS l', health_internal.compile_account_key(fields, 'l.account_id'),
               compiled.ledger)) AS f;
    RETURN QUERY EXECUTE format('SELECT f.* FROM health_internal.volume_findings(%s, %s, %s, %L) AS f',
        health_internal.compile_volume_array(document, fields, clock, 182), clock, health_internal.compile_today(document),
        coalesce(health_internal.accepted_volume(document), '{}')
            + coalesce((SELECT t.accepted FROM health_internal.tracking AS t WHERE t.model = version.model), '{}'));
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.tracking_plan_as_owner(text) IS 'tracking_plan() as the owner of the model';

CREATE FUNCTION health.tracking_plan(model text) RETURNS SETOF health.tracking_finding
LANGUAGE plpgsql ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT (r.finding).* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT p FROM health_internal.tracking_plan_as_owner($1) AS p', model) AS r (finding health.tracking_finding);
END;
$$;
COMMENT ON FUNCTION health.tracking_plan(text) IS
    'Holds the sources of a model against it: values that cannot be, rows with NULL keys, events of unknown accounts, events that the '
    'catalog does not list, '
    'catalog events never seen or gone silent, users without an account, events outside of the time as a customer, signals about nothing '
    'that was ever seen or that could not be fitted, users without a joining day, ids of events that occur twice, accounts that are above '
    'themselves, events that became '
    'known late, days of the last 26 weeks on which a source or an event '
    'broke. No row: all is well';
