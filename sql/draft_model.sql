-- draft_model(): what it makes of tables of many shapes, and that every draft is a model.
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
CREATE SCHEMA crm;
CREATE SCHEMA app;

-- The draft, what is wrong with it (nothing), and how many accounts get a score.
CREATE PROCEDURE try_draft(accounts regclass, events regclass, users regclass DEFAULT NULL)
LANGUAGE plpgsql SET client_min_messages = notice AS $$
DECLARE
    draft record;
    problem record;
    source record;
    event record;
    n bigint;
    scored bigint;
BEGIN
    SELECT * INTO draft FROM health.draft_model(accounts, events, users);
    RAISE NOTICE 'preset %, zone %, as of %', draft.document ->> 'preset', draft.document ->> 'time_zone', draft.document ->> 'as_of';
    FOR source IN SELECT s.key, draft.document -> s.key AS value FROM unnest(ARRAY['accounts', 'users', 'events']) AS s (key)
                  WHERE draft.document ? s.key LOOP
        RAISE NOTICE '% %', source.key, source.value;
    END LOOP;
    FOR event IN SELECT e.key, e.value FROM jsonb_each(draft.document -> 'catalog') AS e ORDER BY e.key COLLATE "C" LOOP
        RAISE NOTICE 'event % %', event.key, event.value;
    END LOOP;
    FOR n IN 1 .. coalesce(cardinality(draft.findings), 0) LOOP
        RAISE NOTICE '- %', draft.findings[n];
    END LOOP;
    FOR problem IN SELECT * FROM health.validate_model(draft.document) LOOP
        RAISE NOTICE 'NO MODEL: %', problem;
    END LOOP;
    PERFORM health.create_model('drafted', draft.document);
    PERFORM health.create_score_view('drafted', 'public.drafted', materialized => false);
    EXECUTE 'SELECT count(*), count(score) FROM public.drafted' INTO n, scored;
    RAISE NOTICE '% accounts, % with a score', n, scored;
    PERFORM health.drop_model('drafted', cascade => true);
END;
$$;

\echo # A company: foreign keys, uuids, seats and renewal, events of a preset
CREATE TABLE crm.accounts (account_id bigint PRIMARY KEY, company text NOT NULL, industry text, plan text, seats integer, arr numeric,
                           customer_since date, ended_on date, renewal_date date, csm text, is_test boolean);
CREATE TABLE app.users (user_id uuid PRIMARY KEY, account_id bigint NOT NULL REFERENCES crm.accounts, email text, invited_at timestamptz,
                        joined_at timestamptz, deactivated_at timestamptz, is_bot boolean NOT NULL DEFAULT false);
CREATE TABLE app.events (event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id bigint REFERENCES crm.accounts, user_id uuid,
                         event_name text, occurred_at timestamptz, minutes float8, loaded_at timestamptz);
INSERT INTO crm.accounts SELECT n, 'Company ' || n, 'media', 'pro', 10, 1000 * n, '2024-01-01', NULL, '2025-12-31', 'Kim', false
                         FROM generate_series(1, 4) n;
INSERT INTO app.users SELECT md5('u' || n)::uuid, 1 + n % 4, 'u' || n || '@x.example', '2024-01-01', '2024-01-02', NULL FROM generate_series(1, 12) n;
INSERT INTO app.events (account_id, user_id, event_name, occurred_at, minutes)
SELECT 1 + u % 4, md5('u' || u)::uuid, (ARRAY['video_created', 'video_viewed', 'video_shared', 'comment_left', 'logged_in', 'folder_deleted'])[1 + (n + u) % 6],
       timestamptz '2025-06-29 12:00+00' - n * interval '7 hours', n
FROM generate_series(0, 200) n, generate_series(1, 12) u WHERE n % u = 0;
CALL try_draft('crm.accounts', 'app.events', 'app.users');

\echo # camelCase and capitals, text ids, milliseconds, found by search_path, no users
SET search_path = app, public;
CREATE TABLE app."Workspaces" ("id" text PRIMARY KEY, "displayName" text, "createdAt" timestamptz, "cancelledAt" timestamptz, "planName" text, "MRR" text);
CREATE TABLE app."TrackEvents" ("workspaceId" text, "memberId" text, "Event" text, "timestamp" bigint, "isTest" boolean, "messageId" text);
INSERT INTO app."Workspaces" SELECT 'ws_' || n, 'Team ' || n, '2024-01-01', NULL, 'team', '12.50' FROM generate_series(1, 3) n;
INSERT INTO app."TrackEvents"
SELECT 'ws_' || (1 + n % 3), 'm' || n % 7, (ARRAY['Report Viewed', 'Board Created', 'Comment Added', '$pageview', 'Idea shared'])[1 + n % 5],
       1751200000000 - n * 9000000::bigint, false, 'x' || n % 300
FROM generate_series(1, 400) n;
CALL try_draft('"Workspaces"', '"TrackEvents"');
RESET search_path;

\echo # German names, texts as times, users who tell the account
CREATE TABLE crm.kunden (kundennr text PRIMARY KEY, firma text, kunde_seit text, "gekündigt_am" text, lizenzen text, tarif text, branche text,
                         "vertragsverlängerung" text);
CREATE TABLE app.benutzer (benutzer_id integer PRIMARY KEY, kundennr text, angelegt_am timestamp, austritt date, intern boolean);
CREATE TABLE app.ereignisse (benutzer_id integer, ereignis text, zeitpunkt text, dauer numeric);
INSERT INTO crm.kunden SELECT 'K-' || n, 'Firma ' || n, '01.03.2024', NULL, '12', 'pro', 'Handel', '31.12.2025' FROM generate_series(1, 3) n;
INSERT INTO app.benutzer SELECT n, 'K-' || (1 + n % 3), '2024-03-02', NULL, false FROM generate_series(1, 9) n;
INSERT INTO app.ereignisse SELECT 1 + n % 9, (ARRAY['bericht_erstellt', 'bericht_angesehen', 'kommentar_hinzugefügt', 'angemeldet'])[1 + n % 4],
    to_char(timestamp '2025-06-29 18:00' - n * interval '5 hours', 'YYYY-MM-DD"T"HH24:MI:SS') || '+02:00', 1.5 FROM generate_series(1, 300) n;
CALL try_draft('crm.kunden', 'app.ereignisse', 'app.benutzer');

\echo # Views over partitions; times without a zone; feedback
CREATE TABLE app.log (tenant uuid, contributor text, action text, "at" timestamp, is_bot boolean) PARTITION BY RANGE ("at");
CREATE TABLE app.log_2024 PARTITION OF app.log FOR VALUES FROM (minvalue) TO ('2025-01-01');
CREATE TABLE app.log_2025 PARTITION OF app.log FOR VALUES FROM ('2025-01-01') TO (maxvalue);
CREATE TABLE crm.orgs (uid uuid PRIMARY KEY, title text, churned_at timestamptz, contract_end date);
INSERT INTO crm.orgs SELECT md5('o' || n)::uuid, 'Org ' || n, NULL, '2026-01-31' FROM generate_series(1, 3) n;
INSERT INTO app.log SELECT md5('o' || 1 + n % 3)::uuid, 'c' || n % 5, (ARRAY['submit_feedback', 'vote_cast', 'idea_viewed', 'first_vote'])[1 + n % 4],
    timestamp '2025-06-29 18:00' - n * interval '20 hours', false FROM generate_series(1, 400) n;
CALL try_draft('crm.orgs', 'app.log');
CREATE VIEW app.seen AS SELECT tenant AS org_ref, contributor AS email, action AS what, "at" AS happened_at FROM app.log WHERE NOT is_bot;
CREATE VIEW crm.customers AS SELECT uid AS customer_uuid, title AS name FROM crm.orgs;
CALL try_draft('crm.customers', 'app.seen');

\echo # Nothing in the tables yet
CREATE TABLE crm.empty_accounts (id integer PRIMARY KEY, name text, created_at date, seats integer);
CREATE TABLE app.empty_users (id integer PRIMARY KEY, account_id integer, email text, created_at timestamptz);
CREATE TABLE app.empty_events (account_id integer, user_id integer, type text, created_at timestamptz);
CALL try_draft('crm.empty_accounts', 'app.empty_events', 'app.empty_users');

\echo # Columns that presets read but cannot use; ids of another type; an enum; names that are no words
CREATE TYPE app.what AS ENUM ('閲覧', 'export', '*', 'a"b');
CREATE DOMAIN app.key AS integer;
CREATE TABLE crm.odd ("Account ""Id" app.key UNIQUE, arr jsonb, nps text, renewal_date bigint, plan_tier text[], outstanding_invoices money, "name" name,
                      state text, csat bytea);
CREATE TABLE app.odd ("Account ""Id" text, "user" varchar(20), what app.what, created timestamptz, count smallint);
INSERT INTO crm.odd SELECT n, '{}', 'good', 1767139200, '{pro}', 0, 'n', 'x' FROM generate_series(1, 3) n;
INSERT INTO app.odd SELECT 1 + n % 3, 'p' || n % 4, (enum_range(NULL::app.what))[1 + n % 4], timestamptz '2025-06-29' - n * interval '1 day', 1
                    FROM generate_series(1, 100) n;
CALL try_draft('crm.odd', 'app.odd');

\echo # Names and ids in any case; a day of the last event that is another one in UTC; customers who left
CREATE EXTENSION citext SCHEMA public;
CREATE TABLE crm.teams (team_id public.citext PRIMARY KEY, team_name public.citext, cancelled_on date, seats_used integer, is_internal integer);
CREATE TABLE app.team_events (team_id public.citext, email public.citext, event public.citext, ts timestamptz);
INSERT INTO crm.teams SELECT 'Team-' || n, 'T' || n, CASE n WHEN 1 THEN date '2025-03-01' END, 3, 0 FROM generate_series(1, 3) n;
INSERT INTO app.team_events SELECT 'TEAM-' || (1 + n % 3), 'P' || n % 5 || '@x.example', (ARRAY['Page_Viewed', 'File_Uploaded', 'page_viewed', 'Signed Up'])[1 + n % 4],
    timestamptz '2025-06-29 23:00+00' - n * interval '9 hours' FROM generate_series(0, 300) n;
SET timezone = 'Asia/Tokyo';
INSERT INTO app.team_events SELECT 'Team-2', 'P1@x.example', 'page_viewed', timestamptz '2025-06-01' FROM generate_series(1, 2000);
INSERT INTO app.team_events VALUES ('Team-2', 'P1@x.example', 'page_veiwed', '2025-09-01');
CALL try_draft('crm.teams', 'app.team_events');
SET timezone = 'UTC';

\echo # Short names; an account column that is empty; the second key of accounts; some texts that are no times; nothing is written
CREATE TABLE crm.acc (id integer PRIMARY KEY, name text, deleted_at timestamptz, contract_end text, external_id uuid UNIQUE, test_account integer, arr text,
                      "Renewal Date" text);
CREATE TABLE app.usr (id bigint PRIMARY KEY, acc integer REFERENCES crm.acc, "E-Mail" text, created_at timestamp);
CREATE TABLE app.ev (id uuid, account_id integer, usr bigint, status text, "type" text, event_date date, event_time time, payload jsonb);
CREATE TABLE app.ev2 (ext uuid, who text, what text, created text);
INSERT INTO crm.acc SELECT n, 'A' || n, NULL, '2027-01-01', md5(n::text)::uuid, 0, '100', '2027-05-05' FROM generate_series(1, 50) n;
INSERT INTO app.usr SELECT n, 1 + n % 50, 'x', '2025-01-01' FROM generate_series(1, 300) n;
INSERT INTO app.ev SELECT md5(n::text)::uuid, NULL, 1 + n % 300, 'ok', (ARRAY['doc_opened', 'doc_shared'])[1 + n % 2], date '2025-06-29' - n % 50, '12:00', '{}'
                   FROM generate_series(1, 3000) n;
INSERT INTO app.ev2 SELECT md5((1 + n % 60)::text)::uuid, 'p' || n % 9, (ARRAY['seen', 'shared'])[1 + n % 2], '2025-06-01 10:00:00' FROM generate_series(1, 3000) n;
INSERT INTO app.ev2 VALUES (md5('1')::uuid, 'x', 'seen', 'a while ago');
CALL try_draft('crm.acc', 'app.ev', 'app.usr');
CALL try_draft('crm.acc', 'app.ev2');
BEGIN READ ONLY;
SELECT document ->> 'preset' AS preset FROM health.draft_model('crm.acc', 'app.ev2');
COMMIT;

\echo # Many names; the events of today need no as_of
CREATE TABLE app.many (account_id integer, user_id integer, event text, occurred_at timestamptz);
INSERT INTO crm.empty_accounts SELECT n, 'n' || n, '2024-01-01', 5 FROM generate_series(1, 3) n;
INSERT INTO app.many SELECT 1 + n % 3, n % 9, 'thing_' || n % 70, now() - n * interval '1 hour' FROM generate_series(1, 700) n;
SELECT document ->> 'as_of' AS as_of, (SELECT count(*) FROM jsonb_object_keys(document -> 'catalog')) AS events, document ->> 'unlisted_events' AS unlisted,
       findings[cardinality(findings)] AS last
FROM health.draft_model('crm.empty_accounts', 'app.many');

\echo # The time zone is the one of the session, if it has a name
SET timezone = 'europe/berlin';
SELECT document ->> 'time_zone' AS time_zone, findings[2] FROM health.draft_model('crm.accounts', 'app.events');
SET timezone = '+02';
SELECT document ->> 'time_zone' AS time_zone, findings[2] FROM health.draft_model('crm.accounts', 'app.events');
SET timezone = 'UTC';

\echo # A large table is not read in whole; names that are there most are found
CREATE TABLE app.large (account_id integer, user_id integer, event text, occurred_at timestamptz, payload text) WITH (fillfactor = 10);
INSERT INTO app.large SELECT 1 + n % 3, n % 9, (ARRAY['page_viewed', 'file_uploaded'])[1 + n % 2], timestamptz '2025-06-29' - n * interval '1 minute', repeat('x', 700)
                      FROM generate_series(1, 2500) n;
SELECT document -> 'catalog' AS catalog, f AS finding
FROM health.draft_model('crm.empty_accounts', 'app.large'), unnest(findings) AS f WHERE f LIKE 'events: %';

\echo # What cannot be drafted
SELECT * FROM health.draft_model(NULL, 'app.events');
SELECT * FROM health.draft_model('crm.accounts', NULL);
SELECT * FROM health.draft_model('crm.account', 'app.events');
SELECT * FROM health.draft_model(1::oid, 'app.events');
SELECT * FROM health.draft_model('crm.accounts_pkey', 'app.events');
CREATE TABLE app.no_account (user_id integer, event text, occurred_at timestamptz);
CREATE TABLE app.no_user (account_id integer REFERENCES crm.accounts, event text, occurred_at timestamptz);
CREATE TABLE app.no_event (account_id bigint REFERENCES crm.accounts, user_id integer, occurred_at timestamptz);
CREATE TABLE app.no_time (account_id bigint REFERENCES crm.accounts, user_id integer, event text, "time" integer);
ALTER TABLE app.no_user ALTER account_id TYPE bigint;
INSERT INTO app.no_account VALUES (77, 'x', now());
INSERT INTO app.no_time VALUES (1, 77, 'x', 5);
SELECT * FROM health.draft_model('crm.accounts', 'app.no_account');
SELECT * FROM health.draft_model('crm.accounts', 'app.no_user');
SELECT * FROM health.draft_model('crm.accounts', 'app.no_event');
SELECT * FROM health.draft_model('crm.accounts', 'app.no_time');

\echo # As the caller: what he may not read is an error, or is not looked at
CREATE ROLE draft_reader;
SET ROLE draft_reader;
SELECT * FROM health.draft_model('crm.accounts', 'app.events');
RESET ROLE;
GRANT USAGE ON SCHEMA crm, app TO draft_reader;
GRANT SELECT (account_id, company) ON crm.accounts TO draft_reader;
SET ROLE draft_reader;
SELECT * FROM health.draft_model('crm.accounts', 'app.events');
RESET ROLE;
GRANT SELECT ON app.events TO draft_reader;
SET ROLE draft_reader;
SELECT document -> 'accounts' AS accounts FROM health.draft_model('crm.accounts', 'app.events');
RESET ROLE;
DROP OWNED BY draft_reader;
DROP ROLE draft_reader;

\echo # Tables of facts, one by one
CREATE SCHEMA support;
CREATE TABLE support.tickets (ticket_id bigint, account_id bigint REFERENCES crm.accounts, opened_at timestamptz, closed_at timestamptz, category text);
CREATE TABLE support.answers (email text, answered_on date, score integer, survey text);
CREATE TABLE support.subscriptions ("accountId" bigint, starts_on date, ends_on date, mrr numeric, plan text, currency text);
CREATE TABLE support.nothing (account_id bigint, note text);
INSERT INTO support.answers SELECT email, '2025-06-01', 9, 'nps' FROM app.users;
INSERT INTO support.subscriptions SELECT account_id, '2025-01-01', NULL, 10, 'pro', 'EUR' FROM crm.accounts;
SELECT t AS table, health_internal.draft_fact(t, health_internal.draft_table('crm.accounts', 'accounts'), 'account_id',
                                              health_internal.draft_table('app.users', 'users'), 'email') - 'table' AS source
FROM unnest(ARRAY['support.tickets', 'support.answers', 'support.subscriptions']::regclass[]) AS t;
SELECT health_internal.draft_fact('support.nothing', health_internal.draft_table('crm.accounts', 'accounts'), 'account_id', NULL, NULL);

\echo # Events by the words of their names
SELECT e AS event, health_internal.draft_event(health_internal.draft_words(e), 0.1) AS entry
FROM unnest(ARRAY['createReport', 'report.created', 'Report Exported', 'user_invited', 'comment_viewed', 'comment_added', 'message sent', 'login', 'session_started',
                  'project_completed', 'first_video_recorded', 'onboarding_completed', 'account_deleted', 'subscription_cancelled', 'address_shown',
                  'integration_connected', 'xyzzy', 'dokument_hochgeladen', 'kommentar_hinzugefügt', '閲覧']) AS e;
SELECT health_internal.draft_event('report_created', s) ->> 'value' AS value FROM unnest(ARRAY[0.5, 0.1, 0.01, 0.001]) AS s;

DROP SCHEMA crm, app, support CASCADE;
DROP PROCEDURE try_draft;
DROP EXTENSION citext;
