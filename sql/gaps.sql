-- What is not there: presets with features, seats, peers or events that a user does not have, models of columns alone; and who is told. docs/reference/presets.md.
set datestyle = 'ISO';
create schema gaps;
create table gaps.clients (id int primary key, since date, seats int, plan text, arr numeric);
insert into gaps.clients select g, '2024-01-01', 4, 'pro', 100 * g from generate_series(1, 3) g;
create table gaps.acts (client int, member int, what text, on_day date);
insert into gaps.acts select c, c * 10 + m, w, d::date from generate_series(1, 3) c, generate_series(1, 3) m, generate_series(date '2025-03-01', date '2025-06-29', '1 day') d, unnest('{chart_made,chart_seen}'::text[]) w;
select '{"as_of": "2025-06-30", "accounts": {"table": "gaps.clients", "id": "id", "start": "since"},
  "events": {"table": "gaps.acts", "account": "client", "user": "member", "event": "what", "occurred_at": "on_day"}}' as sources \gset

-- Accounts and events are enough for every preset. No account columns, no seats, no roster, no events of the preset's catalog: unknown, not zero.
select health.create_model(p.name, :'sources'::jsonb || jsonb_build_object('preset', p.name)) from health.presets() p where p.name in ('customer_success', 'value_weighted');
select health.create_score_view('customer_success', 'gaps.cs');
select account_id, score > 60 as well, band, round(data_coverage::numeric, 3) as coverage from gaps.cs order by 1;
select signal, raw_text, reason, phrase from gaps.cs_signals where account_id = 1 and level > 1 and reason is not null order by "position";
-- An only account, or one whose segment has nobody else, ranks among nobody: that is no zero, however it is meant to be where there is no activity.
select signal, raw_text, normalized, reason, phrase from health.explain('value_weighted', 2) where signal in ('value_per_user', 'breadth', 'concentration') order by "position";
delete from gaps.acts where client > 1;
delete from gaps.clients where id > 1;
select health.create_model('alone', jsonb_build_object('minimum_coverage', 0, 'signals', '[{"name": "depth", "metric": "depth", "normalize": {"kind": "percentile"}, "missing": "zero"},
  {"name": "by_plan", "metric": "depth", "normalize": {"kind": "percentile", "segment": "plan"}, "missing": "zero"}, {"name": "users", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 6}}]'::jsonb) || :'sources');
select signal, raw, normalized, reason, phrase from health.explain('alone', 1) order by "position";
insert into gaps.clients select g, '2024-01-01', 4, 'pro', 100 * g from generate_series(2, 3) g;

-- The features of the user's catalog are the features: those of the preset go, also in part; a list of the user's own stays.
select health.alter_model('value_weighted', '{"catalog": {"chart_made": {"role": ["create", "activate"], "value": 5, "feature": "charts"}, "chart_shared": {"role": "interact", "feature": "sharing"}}}');
select health.model_definition('value_weighted', complete => true) -> 'features' as features;
select signal, raw_text, normalized, phrase from health.explain('value_weighted', 1) where signal = 'breadth';
select health.alter_model('value_weighted', '{"features": ["charts", "sharing", "automation", "reports"]}');
select signal, raw_text, normalized, phrase from health.explain('value_weighted', 1) where signal = 'breadth';
-- A feature that nobody ever used anywhere is no zero.
select health.create_model('unused', :'sources'::jsonb || '{"catalog": {"chart_made": {"role": "create"}, "exported": {"feature": "export"}}, "features": ["export"], "signals": [
  {"name": "breadth", "metric": "breadth", "normalize": {"kind": "linear", "worst": 0, "best": 1}}, {"name": "users", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 6}}]}');
select signal, raw, normalized, reason, phrase from health.explain('unused', 1) order by "position";

-- Business data alone need no events, and nobody is silent to them.
select path, problem from health.validate_model('{"accounts": {"table": "gaps.clients", "id": "id"}, "signals": [{"name": "arr", "column": "arr", "normalize": {"kind": "linear", "worst": 0, "best": 400}},
  {"name": "users", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 6}}]}');
select health.create_model('crm', '{"as_of": "2025-06-30", "accounts": {"table": "gaps.clients", "id": "id", "start": "since"}, "signals": [{"name": "arr", "column": "arr", "normalize": {"kind": "linear", "worst": 0, "best": 400}}]}');
select health.create_score_view('crm', 'gaps.crm');
select account_id, state, score, band, main_reason, active_users from gaps.crm order by 1;
select account_id, score, state from health.score_at('crm', '2024-06-01') order by 1;
select count(*) as findings from health.tracking_plan('crm');

-- Nobody is scored: the view says why, and what would help.
select health.create_model('nobody', :'sources'::jsonb || '{"signals": [
  {"name": "adoption", "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}, {"name": "growth", "metric": "growth", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
  {"name": "invites", "metric": "invite_conversion", "normalize": {"kind": "linear", "worst": 0, "best": 1}}, {"name": "memos", "metric": "events", "events": ["memo"], "normalize": {"kind": "linear", "worst": 0, "best": 9}},
  {"name": "calls", "query": "select id, null::numeric from gaps.clients", "normalize": {"kind": "linear", "worst": 0, "best": 9}}, {"name": "tickets", "column": "open_tickets", "optional": true, "normalize": {"kind": "linear", "worst": 9, "best": 0}},
  {"name": "size", "column": "arr", "normalize": {"kind": "linear", "worst": 0, "best": 400}}]}');
select health.create_score_view('nobody', 'gaps.nobody');
select account_id, score, data_coverage, unknown_reason from gaps.nobody order by 1;
-- Nobody has begun: there is nothing to be told.
update gaps.clients set since = '2025-08-01';
select health.create_score_view('crm', 'gaps.later');
select account_id, state, score from gaps.later order by 1;
-- All are silent: that is said, too.
update gaps.clients set since = '2024-01-01';
delete from gaps.acts where on_day > '2025-05-01';
select health.create_score_view('value_weighted', 'gaps.quiet');
select account_id, state, round(score::numeric, 1) as score, next_step from gaps.quiet order by 1;
select health.drop_model(name, cascade => true) from unnest('{customer_success,value_weighted,alone,unused,crm,nobody}'::text[]) name;
set client_min_messages = warning;
drop schema gaps cascade;
