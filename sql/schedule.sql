-- Without pg_cron in the database, schedule says so; the message's hint names the command for any other scheduler.
set datestyle = 'ISO';
create schema app;
create table app.accounts (account_id int primary key);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
select health.create_model('it''s', '{"as_of": "2025-03-03", "accounts": {"table": "app.accounts", "id": "account_id"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [{"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}');
select health.schedule('it''s');
select health.create_score_view('it''s', 'app.score');
-- The rest of the message depends on the server.
\set VERBOSITY terse
select health.schedule('it''s', '0 * * * *');
\set VERBOSITY default
select health.schedule('it''s', null);
select health.unschedule('it''s');
select health.schedule('its');
-- Names as pg_cron keeps them and as a shell takes them.
select octet_length(name) <= 63 as fits, name from (select health_internal.fit_job_name(n) from unnest(array['account_health:short', 'account_health:'
  || repeat('a', 100), 'account_health:' || repeat('a', 99) || 'b', 'account_health:' || repeat('日本語', 30)]) n) f (name);
select w as word, health_internal.quote_for_shell(w) as quoted
from unnest(array['crm', 'my crm', 'it''s', 'a"b', '$HOME', 'it''s $5', 'a`b\c', 'a!b', '']) w;
select d as database, health_internal.quote_for_shell(health_internal.psql_database(d)) as argument
from unnest(array['crm', 'a=b', 'it''s=\', 'postgres://x']) d;
-- What the job runs.
select health.refresh_score_views('it''s');
select health.drop_model('it''s', cascade => true);
set client_min_messages = warning;
drop schema app cascade;
