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
-- What the job runs.
select health.refresh_score_views('it''s');
select health.drop_model('it''s', cascade => true);
set client_min_messages = warning;
drop schema app cascade;
