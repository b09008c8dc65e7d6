-- The sources and the catalog of a draft, each with what it is unsure of.

CREATE FUNCTION health_internal.draft_flags(seen health_internal.draft_table, field text, taken text[]) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(f.condition ORDER BY c.n), '{}')
    FROM unnest(seen.columns) WITH ORDINALITY AS c (name, words, type, is_key, n),
         LATERAL health_internal.draft_flag(ROW(c.name, c.words, c.type, c.is_key)::health_internal.draft_column) AS f (condition)
    WHERE health_internal.draft_rank(field, c.words) IS NOT NULL AND f.condition IS NOT NULL AND c.name <> ALL (taken);
$$;
COMMENT ON FUNCTION health_internal.draft_flags(health_internal.draft_table, text, text[]) IS
    'Conditions of the columns of a table that mark rows to leave out';

CREATE FUNCTION health_internal.draft_accounts(seen health_internal.draft_table, id text, last_day date, OUT source jsonb,
    OUT findings text[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken text[] := ARRAY[id];
    found record;
    attribute record;
    columns jsonb := '{}'::jsonb;
    flags text[];
    later float8;
BEGIN
    source := jsonb_build_object('table', seen.label, 'id', id);
    FOR attribute IN SELECT f.field, f.need FROM (VALUES (1, 'name', 'id'), (2, 'start', 'time'), (3, 'end', 'time'), (4, 'seats',
        'number'))
                         AS f (n, field, need) ORDER BY f.n LOOP
        SELECT f.name, f.spec, f.type INTO found FROM health_internal.draft_field(seen, attribute.field, attribute.need, taken) AS f;
        CONTINUE WHEN found.spec IS NULL;
        -- The end of a running contract is when it renews.
        IF attribute.field = 'end' THEN
            BEGIN
                EXECUTE format('SELECT avg((coalesce((%s)::date, %L) > %L)::int) FROM %s', coalesce(found.spec ->> 'sql',
                    quote_ident(found.name)), last_day, last_day, seen.sample) INTO later;
            EXCEPTION WHEN data_exception THEN    -- some text is none
                later := NULL;
            END;
            IF later > 0.5 THEN
                columns := jsonb_build_object('renewal_date', found.spec);
                taken := taken || found.name;
                findings := findings || format('accounts.%s: lies ahead for most accounts, so it is taken for the renewal date, not for '
                    'the end; "end" is the first day on which an account is no customer any more', found.name);
                CONTINUE;
            END IF;
        END IF;
        source := source || jsonb_build_object(attribute.field, found.spec);
        taken := taken || found.name;
    END LOOP;
    IF NOT source ? 'name' AND health_internal.type_category((health_internal.find_draft_column(seen.columns, id)).type) = 'S' THEN
        source := source || jsonb_build_object('name', id);
    END IF;
    FOR attribute IN SELECT a.name, a.need, a.preset, u.field
                     FROM health_internal.draft_attributes() WITH ORDINALITY AS a (name, need, preset, pattern, n),
                          LATERAL (SELECT ROW(c.name, c.words, c.type, c.is_key)::health_internal.draft_column AS field
                                   FROM unnest(seen.columns) WITH ORDINALITY AS c (name, words, type, is_key, n)
                                   WHERE c.words ~ a.pattern AND c.name <> ALL (taken) ORDER BY c.words <> a.name, c.n LIMIT 1) AS u
                     ORDER BY a.n LOOP
        CONTINUE WHEN columns ? attribute.name;
        found := NULL;
        IF attribute.need = 'time' THEN
            SELECT t.spec INTO found FROM health_internal.draft_time(seen, attribute.field) AS t;
        ELSIF attribute.need = 'number' THEN
            SELECT health_internal.draft_number(seen, attribute.field) AS spec INTO found;
        ELSE
            SELECT CASE WHEN health_internal.names_things((attribute.field).type) THEN to_jsonb((attribute.field).name) END
                AS spec INTO found;
        END IF;
        IF found.spec IS NOT NULL THEN
            columns := columns || jsonb_build_object(attribute.name, found.spec);
        ELSIF attribute.preset AND (attribute.field).name = attribute.name THEN
            -- A signal of a preset would read it as it is.
            columns := columns || jsonb_build_object(attribute.name, jsonb_build_object('sql', CASE attribute.need
                WHEN 'time' THEN 'null::date' WHEN 'number' THEN 'null::numeric' ELSE 'null::text' END));
            findings := findings || format('accounts.columns.%s: the values of %s (%s) are no %s, so it stays unknown', attribute.name,
                (attribute.field).name, (attribute.field).type, CASE attribute.need WHEN 'time' THEN 'dates' WHEN 'number' THEN 'numbers'
                ELSE 'names' END);
        END IF;
    END LOOP;
    IF columns ? 'mrr' AND NOT columns ? 'arr' THEN
        columns := columns || jsonb_build_object('arr', jsonb_build_object('sql',
            coalesce(columns #>> '{mrr,sql}', quote_ident(columns ->> 'mrr')) || ' * 12'));
    END IF;
    IF columns <> '{}' THEN
        source := source || jsonb_build_object('columns', columns);
    END IF;
    flags := health_internal.draft_flags(seen, 'account flag', taken);
    IF flags <> '{}' THEN
        source := source || jsonb_build_object('filter', (SELECT string_agg(format('(%s) is not true', f), ' and ')
                                                          FROM unnest(flags) AS f));
    END IF;
    IF NOT source ? 'start' THEN
        findings := findings || 'accounts.start: no column says since when an account is a customer, so that all are customers since '
            'ever'::text;
    END IF;
    IF NOT source ? 'end' THEN
        findings := findings || 'accounts.end: no column says when an account left, so that all are customers still'::text;
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_accounts(health_internal.draft_table, text, date) IS
    'The account source of a draft, with what it is unsure of. last_day: the last day with events';

CREATE FUNCTION health_internal.draft_users(seen health_internal.draft_table, id text, account text, OUT source jsonb, OUT findings text[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken text[] := array_remove(ARRAY[id, account], NULL);
    found record;
    field text;
    flags text[];
BEGIN
    source := jsonb_strip_nulls(jsonb_build_object('table', seen.label, 'id', id, 'account', account));
    IF account IS NULL THEN
        findings := findings || format('users.account: no column of %s holds ids of accounts, so that days of joining and leaving are '
            'not used',
                                       seen.label);
    ELSE
        FOREACH field IN ARRAY ARRAY['invited', 'joined', 'deactivated'] LOOP
            SELECT f.name, f.spec INTO found FROM health_internal.draft_field(seen, field, 'time', taken) AS f;
            IF found.spec IS NOT NULL THEN
                source := source || jsonb_build_object(field, found.spec);
                taken := taken || found.name;
            END IF;
        END LOOP;
    END IF;
    -- Who was invited and has no day of joining has not joined yet: without that day nobody ever would have.
    IF source ? 'invited' AND NOT source ? 'joined' THEN
        source := source - 'invited';
        findings := findings || 'users.invited: left out, since no column says when a user joined'::text;
    END IF;
    flags := health_internal.draft_flags(seen, 'user flag', taken);
    IF flags <> '{}' THEN
        source := source || jsonb_build_object('exclude', array_to_string(flags, ' or '));
    ELSE
        findings := findings || format('users.exclude: no column of %s marks bots and people of your own; say how they are known, such as '
            '"email like ''%%@your-company.com''"', seen.label);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_users(health_internal.draft_table, text, text) IS
    'The user source of a draft, with what it is unsure of';

-- By name; else the text with few different values.
CREATE FUNCTION health_internal.draft_event_column(seen health_internal.draft_table, taken text[], OUT name text, OUT by_contents boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    candidate record;
    n bigint;
    kinds bigint;
BEGIN
    FOR candidate IN SELECT c.name, r.rank FROM unnest(seen.columns) WITH ORDINALITY AS c (name, words, type, is_key, n),
                         LATERAL health_internal.draft_rank('event', c.words) AS r (rank)
                     WHERE health_internal.names_things(c.type) AND NOT c.is_key AND c.name <> ALL (taken)
                         AND (r.rank IS NOT NULL OR health_internal.type_category(c.type) IN ('S', 'E'))
                     ORDER BY r.rank NULLS LAST, c.n LOOP
        EXECUTE format('SELECT count(*), count(DISTINCT e.v) FROM (SELECT src.%I::text AS v FROM %s WHERE src.%1$I IS NOT NULL LIMIT '
            '20000) AS e', candidate.name, seen.sample) INTO n, kinds;
        by_contents := candidate.rank IS NULL;
        CONTINUE WHEN kinds > 1000 OR n >= 50 AND kinds > n / 2 OR by_contents AND (n < 20 OR kinds > n / 10 OR kinds > 200);
        name := candidate.name;
        RETURN;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_event_column(health_internal.draft_table, text[]) IS
    'The column with the names of events, whether only its contents speak for it; NULL: there is none';

CREATE FUNCTION health_internal.raise_no_column(seen health_internal.draft_table, field text, wanted text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'no column of % is the % of an event', seen.label, field
        USING ERRCODE = 'undefined_column',
              DETAIL = format('Looked for %s. Its columns are: %s.', wanted,
                              coalesce((SELECT string_agg(c.name, ', ') FROM unnest(seen.columns) AS c), 'none')),
              HINT = format('Write the model by hand, with {"sql": "..."} for what is no column: "events": {"table": "%s", "account": ..., '
                            '"user": ..., "event": ..., "occurred_at": ...}.', replace(seen.label, '"', '\"'));
END;
$$;
COMMENT ON FUNCTION health_internal.raise_no_column(health_internal.draft_table, text, text) IS
    'The error when a table of events lacks what an event needs';

CREATE FUNCTION health_internal.draft_events(seen health_internal.draft_table, account text, user_name text, zone text,
    OUT source jsonb, OUT findings text[], OUT last_day date, OUT names text[], OUT counts bigint[], OUT left_out bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken text[] := array_remove(ARRAY[account, user_name], NULL);
    event health_internal.draft_column;
    by_contents boolean;
    found record;
    flags text[];
    named text;
    dollars boolean;
    latest date;
BEGIN
    source := jsonb_strip_nulls(jsonb_build_object('table', seen.label, 'account', account, 'user', user_name));
    SELECT e.name, e.by_contents INTO event.name, by_contents FROM health_internal.draft_event_column(seen, taken) AS e;
    IF event.name IS NULL THEN
        PERFORM health_internal.raise_no_column(seen, 'name', 'names such as event, event_name, action, activity, type, kind, and texts '
            'with few different values');
    END IF;
    event := health_internal.find_draft_column(seen.columns, event.name);
    taken := taken || event.name;
    IF by_contents THEN
        findings := findings || format('events.event: %s is taken by its contents, not by its name', event.name);
    END IF;
    SELECT f.name, f.spec, f.type INTO found FROM health_internal.draft_field(seen, 'occurred_at', 'time', taken) AS f;
    IF found.spec IS NULL THEN    -- whatever is a time by its type
        SELECT c.name, to_jsonb(c.name) AS spec, c.type INTO found FROM unnest(seen.columns) AS c
        WHERE c.type IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) AND c.name <> ALL (taken) LIMIT 1;
    END IF;
    IF found.spec IS NULL THEN
        PERFORM health_internal.raise_no_column(seen, 'time', 'dates and timestamps, and texts or seconds since 1970 under names such as '
            'occurred_at, timestamp, created_at');
    END IF;
    taken := taken || found.name;
    source := source || jsonb_build_object('occurred_at', found.spec);
    IF found.type = 'timestamp'::regtype THEN
        findings := findings || format('events.occurred_at: %s has no time zone, so that an event counts on the day that is written; if it '
            'is in UTC, say "time_zone": "UTC" in events', found.name);
    END IF;
    BEGIN
        -- A few rows may be of any day: clocks go wrong.
        EXECUTE format($query$
            WITH days AS MATERIALIZED (SELECT %s AS day FROM %s WHERE %s),
                 sane AS (SELECT d.day FROM days AS d WHERE isfinite(d.day) AND d.day <= current_date + 1),
                 most AS (SELECT percentile_disc(0.999) WITHIN GROUP (ORDER BY s.day) AS day FROM sane AS s)
            SELECT max(s.day) FILTER (WHERE s.day <= m.day + 28), max(s.day) FROM sane AS s, most AS m $query$,
            health_internal.local_day(format('(%s)', coalesce(found.spec ->> 'sql', format('src.%I', found.name))), found.type, NULL, zone),
            seen.sample, CASE WHEN health_internal.type_category((health_internal.find_draft_column(seen.columns, found.name)).type) = 'S'
                              THEN format('src.%I ~ ''^\s*\d+[-.]\d\d?[-.]\d''', found.name) ELSE 'true' END) INTO last_day, latest;
        IF latest > last_day THEN
            findings := findings || format('events.occurred_at: a few events are much later than the others, up to %s', latest);
        END IF;
    EXCEPTION WHEN data_exception THEN    -- some text is none
        findings := findings || format('events.occurred_at: some values of %s cannot be read as a time; their rows are left out',
            found.name);
    END;

    named := CASE WHEN health_internal.is_citext(event.type) THEN format('lower(src.%I::text)', event.name)
                  ELSE health_internal.canonical_text(format('src.%I', event.name), event.type) END;
    EXECUTE format('SELECT coalesce(bool_or(%s LIKE ''$%%''), false) FROM %s', named, seen.sample) INTO dollars;
    source := source || jsonb_build_object('event', CASE WHEN dollars THEN jsonb_build_object('sql', format('ltrim(%I::text, ''$'')',
        event.name)) ELSE to_jsonb(event.name) END);
    IF dollars THEN
        named := format('ltrim(%s, ''$'')', named);
        findings := findings || 'events.event: names that begin with $ are reserved, so the sign is taken away'::text;
    END IF;
    EXECUTE format($query$
        SELECT array_agg(e.name ORDER BY e.n DESC, e.name COLLATE "C"), array_agg(e.n ORDER BY e.n DESC, e.name COLLATE "C"),
               coalesce(max(e.kinds), 0) - count(*)
        FROM (SELECT t.name, count(*) AS n, count(*) OVER () AS kinds FROM (SELECT %s AS name FROM %s) AS t
              WHERE t.name <> '' AND t.name <> '*' GROUP BY t.name ORDER BY count(*) DESC, t.name COLLATE "C" LIMIT 60) AS e $query$,
        named, seen.sample) INTO names, counts, left_out;

    SELECT f.name, f.spec INTO found FROM health_internal.draft_field(seen, 'amount', 'number', taken) AS f;
    IF found.spec IS NOT NULL THEN
        source := source || jsonb_build_object('amount', found.spec);
        taken := taken || found.name;
    END IF;
    SELECT f.name, f.spec INTO found FROM health_internal.draft_field(seen, 'event.id', 'id', taken) AS f;
    IF found.spec IS NOT NULL AND NOT (health_internal.find_draft_column(seen.columns, found.name)).is_key THEN
        source := source || jsonb_build_object('id', found.spec);
        taken := taken || found.name;
    END IF;
    flags := health_internal.draft_flags(seen, 'event flag', taken);
    IF flags <> '{}' THEN
        source := source || jsonb_build_object('filter', (SELECT string_agg(format('(%s) is not true', f), ' and ')
                                                          FROM unnest(flags) AS f));
    END IF;
    SELECT f.name, f.spec INTO found FROM health_internal.draft_field(seen, 'known_at', 'time', taken) AS f;
    IF found.spec IS NOT NULL THEN
        findings := findings || format('events.known_at: left out; if %s says when a row became known, backtests know no more than was '
            'known',
                                       found.name);
    END IF;
    SELECT f.name, f.spec INTO found FROM health_internal.draft_field(seen, 'actor', 'id', taken) AS f;
    IF found.spec IS NOT NULL THEN
        findings := findings || format('events.actor: left out; if %s tells agents and integrations from people, map it so that people are '
            '"human"', found.name);
    END IF;
    IF NOT seen.whole THEN
        findings := findings || format('events: %s is large, and a sample of it was looked at (of a view the first 100,000 rows): rare '
            'names of events may be missing', seen.label);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_events(health_internal.draft_table, text, text, text) IS
    'The event source of a draft, with what it is unsure of, the last day with events, and the names of events with their numbers, the '
    'most frequent 60 of them, and how many were left out';

-- Entries of presets as they are, first those of the one that was chosen; others are guessed.
CREATE FUNCTION health_internal.draft_catalog(preset text, names text[], counts bigint[], OUT catalog jsonb, OUT findings text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    total CONSTANT float8 := (SELECT sum(c) FROM unnest(counts) AS c);
    event record;
    entry jsonb;
    guessed text[] := '{}'::text[];
    silent text[] := '{}'::text[];
    started text;
    shared text;
BEGIN
    catalog := '{}';
    FOR event IN SELECT e.name, e.n, health_internal.draft_words(e.name) AS words
                 FROM ROWS FROM (unnest(names), unnest(counts)) AS e (name, n) LOOP
        SELECT p.definition -> 'catalog' -> event.words INTO entry FROM health_internal.preset AS p
        WHERE p.definition -> 'catalog' ? event.words ORDER BY p.name <> preset, p.position LIMIT 1;
        IF NOT FOUND THEN
            entry := health_internal.draft_event(event.words, event.n / total);
            IF EXISTS (SELECT FROM health_internal.preset AS p WHERE p.definition -> 'features' ? (entry ->> 'feature' || 's')) THEN
                entry := entry || jsonb_build_object('feature', entry ->> 'feature' || 's');
            END IF;
            IF entry IS NULL OR NOT entry ? 'role' THEN
                silent := silent || event.name;
            ELSE
                guessed := guessed || event.name;
            END IF;
            started := CASE WHEN entry -> 'role' ? 'create' THEN coalesce(started, event.name) ELSE started END;
            shared := CASE WHEN entry -> 'role' ? 'interact' THEN coalesce(shared, event.name) ELSE shared END;
        END IF;
        catalog := catalog || jsonb_build_object(event.name, coalesce(entry, '{"value": 1}'));
    END LOOP;
    IF catalog = '{}' THEN
        findings := findings || 'catalog: there are no events yet, so that it is that of the preset'::text;
        RETURN;
    END IF;
    started := coalesce(started, shared);
    IF started IS NOT NULL AND NOT jsonb_path_exists(catalog, '$.*.role ? (@ == "activate")') THEN
        catalog := jsonb_set(catalog, ARRAY[started, 'role'], jsonb_build_array(catalog -> started -> 'role', 'activate'));
        findings := findings || format('catalog.%s: taken for the event that makes a new user an active one (role activate)', started);
    END IF;
    FOR event IN SELECT r.name, health.nearest_name(r.name, array_agg(o.name)) AS other
                 FROM ROWS FROM (unnest(names), unnest(counts)) AS r (name, n) JOIN ROWS FROM (unnest(names), unnest(counts)) AS o (name, n)
                     ON o.n > 10 * r.n
                 WHERE r.name = ANY (silent) GROUP BY r.name ORDER BY r.name COLLATE "C" LOOP
        IF event.other IS NOT NULL THEN
            findings := findings || format('catalog.%s: is it a misspelling of %s?', event.name, event.other);
        END IF;
    END LOOP;
    IF guessed <> '{}' THEN
        findings := findings || format('catalog: roles and values are guesses by name for %s', array_to_string(guessed[1:10], ', ')
            || CASE WHEN cardinality(guessed) > 10 THEN ', ...' ELSE '' END);
    END IF;
    IF silent <> '{}' THEN
        findings := findings || format('catalog: activity of value 1, since their names say nothing: %s', array_to_string(silent[1:10],
            ', ')
            || CASE WHEN cardinality(silent) > 10 THEN ', ...' ELSE '' END);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_catalog(text, text[], bigint[]) IS
    'The catalog of a draft, with what it is unsure of, for a preset and the names of events with their numbers, the most frequent first';
