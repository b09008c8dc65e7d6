-- A first document for tables that nobody has described yet. It runs as the caller and only reads.

CREATE FUNCTION health_internal.draft_fact(fact regclass, accounts health_internal.draft_table, account_id text,
    users health_internal.draft_table, user_id text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seen CONSTANT health_internal.draft_table := health_internal.draft_table(fact, 'facts');
    source jsonb := jsonb_build_object('table', seen.label);
    taken text[] := '{}'::text[];
    reference text;
    wanted record;
    found record;
BEGIN
    SELECT r.reference INTO reference FROM health_internal.draft_reference(accounts, 'account.id', account_id, seen, 'account', '{}') AS r;
    IF reference IS NOT NULL THEN
        source := source || jsonb_build_object('account', reference);
        taken := taken || reference;
    END IF;
    IF users.relation IS NOT NULL THEN
        SELECT r.reference INTO reference FROM health_internal.draft_reference(users, 'user.id', user_id, seen, 'user', taken) AS r;
    ELSE
        SELECT f.name INTO reference FROM health_internal.draft_field(seen, 'user', 'id', taken) AS f;
    END IF;
    IF reference IS NOT NULL THEN
        source := source || jsonb_build_object('user', reference);
        taken := taken || reference;
    END IF;
    FOR wanted IN SELECT w.field, w.need FROM (VALUES (1, 'at', 'time'), (2, 'until', 'time'), (3, 'value', 'number'), (4, 'kind', 'id'),
                                                      (5, 'currency', 'id')) AS w (n, field, need) ORDER BY w.n LOOP
        SELECT f.name, f.spec INTO found FROM health_internal.draft_field(seen, 'fact.' || wanted.field, wanted.need, taken) AS f;
        IF found.spec IS NOT NULL THEN
            source := source || jsonb_build_object(wanted.field, found.spec);
            taken := taken || found.name;
        END IF;
    END LOOP;
    IF NOT source ? 'at' THEN
        RAISE EXCEPTION 'facts: no column of % says when a fact began', seen.label USING ERRCODE = 'undefined_column',
            HINT = 'Looked for dates and timestamps under names such as opened_at, answered_at, starts_on, created_at, date.';
    ELSIF NOT source ?| '{account,user}' THEN
        RAISE EXCEPTION 'facts: no column of % holds ids of accounts or users', seen.label USING ERRCODE = 'undefined_column',
            HINT = format('Looked for foreign keys, for names such as account_id and user_id, and for values that are in %s.',
                accounts.label);
    END IF;
    RETURN source;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_fact(regclass, health_internal.draft_table, text, health_internal.draft_table, text) IS
    'The source of a draft for a table of facts: account, user, at, until, value, kind and currency by names, foreign keys and values';

-- Signals of a preset that are about other events, or columns that are not there, are unknown: what is known must do for a first score.
CREATE FUNCTION health_internal.draft_coverage(preset text, names text[], accounts jsonb, OUT keys jsonb, OUT findings text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    definition CONSTANT jsonb := (SELECT p.definition FROM health_internal.preset AS p WHERE p.name = preset);
    absent CONSTANT text[] := ARRAY(
        SELECT DISTINCT e.name FROM jsonb_path_query(definition, 'strict $.signals.**.events') AS s (events),
            LATERAL jsonb_array_elements_text(s.events) AS e (name) WHERE NOT s.events ?| names ORDER BY e.name);
BEGIN
    keys := '{}';
    IF absent <> '{}' THEN
        findings := findings || format('preset: signals ask for events %s, which are not there; read yours under these names, such as '
            '"event": {"sql": "case event_name when ''idea_sent'' then ''%s'' else event_name end"}', array_to_string(absent, ', '),
            absent[1]);
    END IF;
    IF coalesce((definition ->> 'minimum_coverage')::float8, 0.5) >= 0.5
       AND (absent <> '{}' OR NOT accounts ? 'start' OR NOT coalesce(accounts -> 'columns', '{}') ?& '{arr,plan_tier,renewal_date}') THEN
        keys := '{"minimum_coverage": 0.15}';
        findings := findings || 'minimum_coverage: 0.15 for a first score, since much of what the preset asks for is not there; '
            'data_coverage '
            'of the score view says how much is'::text;
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_coverage(text, text[], jsonb) IS
    'Keys of a draft that have a preset score tables which lack what it asks for, and findings of what that is';

CREATE FUNCTION health_internal.draft_zone(zone text, OUT name text, OUT finding text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT z.name INTO name FROM pg_timezone_names AS z WHERE lower(z.name) = lower(zone) AND z.name !~* '^(posix/|localtime|factory)';
    finding := CASE WHEN name IS NULL THEN format('time_zone: UTC, since the setting TimeZone ("%s") is no name of a place', zone)
                    ELSE format('time_zone: %s is the setting TimeZone, the data do not tell; days of the model begin at its midnight',
                        name)
                    END;
    name := coalesce(name, 'UTC');
END;
$$;
COMMENT ON FUNCTION health_internal.draft_zone(text) IS 'The time zone of a draft by the setting TimeZone of the session';

CREATE FUNCTION health_internal.draft_model(accounts regclass, events regclass, users regclass, facts regclass[], zone text, visible text,
    OUT document jsonb, OUT findings text[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account_table CONSTANT health_internal.draft_table := health_internal.draft_table(accounts, 'accounts');
    event_table CONSTANT health_internal.draft_table := health_internal.draft_table(events, 'events');
    user_table health_internal.draft_table;
    by_event record;    -- account ids in events
    by_user record;     -- account ids in users
    person record;      -- user ids in events
    event_source record;
    account_source record;
    user_source record;
    chosen record;
    catalog record;
    adapted record;
    time_zone record;
    fact regclass;
    fact_name text;
    fact_sources jsonb := '{}'::jsonb;
BEGIN
    IF users IS NOT NULL THEN
        user_table := health_internal.draft_table(users, 'users');
    END IF;
    SELECT r.key, r.reference, r.share INTO by_event
    FROM health_internal.draft_reference(account_table, 'account.id', NULL, event_table, 'account', '{}') AS r;
    SELECT NULL::text AS key, NULL::text AS reference, NULL::float8 AS share INTO by_user;
    IF user_table.relation IS NOT NULL THEN
        SELECT r.key, r.reference, r.share INTO by_user
        FROM health_internal.draft_reference(account_table, 'account.id', by_event.key, user_table, 'account', '{}') AS r;
    END IF;
    IF by_event.key IS NULL AND by_user.key IS NULL THEN
        PERFORM health_internal.raise_no_column(event_table, 'account', format('foreign keys to %s, for names such as account_id, '
            'customer_id, '
            'org, tenant, workspace, and for values that are ids of %1$s%s', account_table.label,
            ', in ' || user_table.label || ' as well'));
    END IF;
    IF user_table.relation IS NOT NULL THEN
        SELECT r.key, r.reference, r.share INTO person
        FROM health_internal.draft_reference(user_table, 'user.id', NULL, event_table, 'user', array_remove(ARRAY[by_event.reference],
            NULL))
            AS r;
    ELSE
        SELECT NULL::text AS key, f.name AS reference, NULL::float8 AS share INTO person
        FROM health_internal.draft_field(event_table, 'user', 'id', ARRAY[by_event.reference]) AS f;
    END IF;
    IF person.reference IS NULL THEN
        PERFORM health_internal.raise_no_column(event_table, 'user', 'names such as user_id, member, contributor, email'
            || CASE WHEN user_table.relation IS NULL THEN '' ELSE format(', foreign keys to %s, and values that are ids of it',
                user_table.label)
               END);
    END IF;
    IF by_event.reference IS NOT NULL AND by_event.share IS NULL AND by_user.share > 0 THEN    -- as good as no column
        findings := findings || format('events.account: left out, since %s is empty; the users tell the account', by_event.reference);
        by_event.reference := NULL;
    END IF;
    IF by_event.share < 1 THEN
        findings := findings || format('events.account: %s %% of the ids that were looked up are not in %s',
            round(100 - 100 * by_event.share),
                                       account_table.label);
    ELSIF by_event.reference IS NOT NULL AND by_event.share IS NULL THEN
        findings := findings || 'events.account: by its name alone, since there are no rows to compare'::text;
    END IF;
    IF person.share < 1 THEN
        findings := findings || format('events.user: %s %% of the ids that were looked up are not in %s', round(100 - 100 * person.share),
                                       user_table.label);
    END IF;

    SELECT * INTO time_zone FROM health_internal.draft_zone(zone);
    SELECT * INTO event_source
    FROM health_internal.draft_events(event_table, by_event.reference, person.reference, time_zone.name);
    SELECT * INTO account_source FROM health_internal.draft_accounts(account_table, coalesce(by_event.key, by_user.key),
        coalesce(event_source.last_day, current_date));
    SELECT * INTO chosen FROM health_internal.draft_preset(
        ARRAY(SELECT health_internal.draft_words(n) FROM unnest(event_source.names) AS n), account_source.source ? 'seats',
        account_source.source #> '{columns,renewal_date}' IS NOT NULL);
    SELECT * INTO catalog FROM health_internal.draft_catalog(chosen.preset, event_source.names, event_source.counts);
    SELECT * INTO adapted FROM health_internal.draft_coverage(chosen.preset, event_source.names, account_source.source);
    findings := format('preset: %s, since %s', chosen.preset, chosen.reason) || adapted.findings || findings || time_zone.finding
        || account_source.findings;

    document := adapted.keys || jsonb_build_object('preset', chosen.preset, 'time_zone', time_zone.name, 'accounts', account_source.source,
                                   'events', event_source.source);
    IF user_table.relation IS NOT NULL THEN
        SELECT * INTO user_source FROM health_internal.draft_users(user_table, person.key, by_user.reference);
        document := document || jsonb_build_object('users', user_source.source);
        findings := findings || user_source.findings;
    ELSE
        findings := findings || 'users: no table, so that who was never active is not known; rates are of the users that were seen'::text;
    END IF;
    findings := findings || event_source.findings || catalog.findings;
    IF catalog.catalog <> '{}' THEN
        document := document || jsonb_build_object('catalog', catalog.catalog);
    END IF;
    IF event_source.left_out > 0 THEN
        document := document || '{"unlisted_events": "count"}';
        findings := findings || format('catalog: has the %s most frequent names, %s more are left out and count with value 1 '
            '(unlisted_events)', cardinality(event_source.names), event_source.left_out);
    END IF;
    IF event_source.last_day < current_date - 28 THEN
        document := document || jsonb_build_object('as_of', event_source.last_day + 1);
        findings := findings || format('as_of: the last events are of %s, so the score is as of the day after; take the key out once '
            'events come in', event_source.last_day);
    END IF;
    FOREACH fact IN ARRAY coalesce(facts, '{}') LOOP
        SELECT health_internal.draft_words(CASE WHEN fact_sources ? health_internal.draft_words(c.relname)
                                                THEN c.relnamespace::regnamespace::text || '_' ELSE '' END || c.relname)
        INTO fact_name FROM pg_class AS c WHERE c.oid = fact;
        fact_sources := fact_sources || jsonb_build_object(fact_name,
            health_internal.draft_fact(fact, account_table, coalesce(by_event.key, by_user.key), user_table, person.key));
    END LOOP;
    IF fact_sources <> '{}' THEN
        document := document || jsonb_build_object('facts', fact_sources);
    END IF;
    findings := findings || ARRAY(SELECT format('%s: %s', p.path, concat_ws('. ', p.problem, p.hint))
                                  FROM health_internal.validation_problems(document, visible) AS p);
END;
$$;
COMMENT ON FUNCTION health_internal.draft_model(regclass, regclass, regclass, regclass[], text, text) IS
    'draft_model() with the setting TimeZone and the search_path of the session';

CREATE FUNCTION health.draft_model(accounts regclass, events regclass, users regclass DEFAULT NULL, facts regclass[] DEFAULT '{}',
    OUT document jsonb, OUT findings text[])
LANGUAGE sql
BEGIN ATOMIC
    SELECT d.document, d.findings FROM health_internal.rows_as_owner(pg_catalog.quote_ident(current_user)::regrole, 'pg_catalog, pg_temp',
        'SELECT m.document, m.findings FROM health_internal.draft_model($1::oid::regclass, $2::oid::regclass, $3::oid::regclass, '
            '$4::oid[]::regclass[], $5, $6) AS m',
        accounts::oid::pg_catalog.text, events::oid::pg_catalog.text, users::oid::pg_catalog.text, facts::oid[]::pg_catalog.text,
        pg_catalog.current_setting('TimeZone'), health_internal.visible_schemas()) AS d (document jsonb, findings text[]);
END;
COMMENT ON FUNCTION health.draft_model(regclass, regclass, regclass, regclass[]) IS
    'A first document for tables of accounts, events and, if there is one, users: fields by names, types, foreign keys and values, the '
    'names of events with a guess of role and value, the preset that fits, and as findings what it is unsure of. Reads a sample of large '
    'tables, as the caller. Errors: a table that may not be read (42501), events without account, user, name or time (42703)';
