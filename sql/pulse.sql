-- Pulses: what people who know an account say of it, as a signal that expires.
\pset null ~
set client_min_messages = warning;
set datestyle = 'ISO, YMD';
create schema pulsed;
set search_path = pulsed, public;
create table account (id bigint primary key, points float8);
insert into account values (1, 80), (2, 80);
create table event (account_id bigint, user_id text, name text, at date);
insert into event select a, 'u' || a, 'view', d from generate_series(1, 2) as a, generate_series('2025-03-01'::timestamp, '2025-06-30', '1 day') as d;
-- A pulse of 1 to 5 is a score of 0 to 100, unless the model says otherwise; 30 days long.
\set document '{"time_zone": "UTC", "as_of": "2025-06-02", "history": {"days": 3}, "accounts": {"table": "account", "id": "id"}, "events": {"table": "event", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": "at"}, "signals": [{"name": "points", "column": "points", "normalize": {"kind": "identity"}}, {"name": "csm_pulse", "label": "Pulse", "pulse": {"valid_days": 30}}]}'
select health.create_model('felt', :'document');
select "position", name, kind, source from health.model_inputs(health.model_definition('felt', complete => true));

select health.pulse('felt', 1, 0);
select health.pulse('felt', 1, 6);
select health.pulse('felt', 1, null);
select health.pulse('felt', 3, 4);
select health.pulse('fel', 1, 4);
select s.path, s.problem, s.hint from health.validate_model(:'document'::jsonb || '{"signals": [
    {"name": "a", "pulse": {"valid_day": 30}}, {"name": "b", "pulse": 30}, {"name": "c", "pulse": {"valid_days": 0}}, {"name": "d", "pulse": {}, "column": "points"},
    {"name": "e", "pulse": {}, "missing": {"carry_forward_days": 30}}, {"name": "f", "pulse": {}, "normalize": {"kind": "percentile"}}, {"name": "g", "pulse": {}, "window_days": 7}]}') as s;
select count(*) from health.validate_model(:'document'::jsonb || '{"signals": [{"name": "a", "pulse": {}}, {"name": "b", "pulse": {}, "missing": "neutral", "normalize": {"kind": "map", "map": {"1": 0, "5": 100}}}]}');

-- What is said on a day is seen on the next: 2 of 5 is 25, and with 80 that is 52.5.
select health.create_score_view('felt', 'plain', materialized => false);
select health.pulse('felt', 1, 4, 'on track');
select health.pulse('felt', 1, 2, ' sponsor left ');
select account, day, value, note, owner from health.pulses('felt');
select signal, raw, raw_text, normalized, reason, phrase from health.explain('felt', 1) where signal = 'csm_pulse';
select signal, raw, raw_text, normalized, reason, phrase from health.explain('felt', 1, '2025-06-03') where signal <> 'points';
select signal, raw, raw_text, normalized, reason, phrase from health.explain('felt', 2, '2025-06-03') where signal = 'csm_pulse';
-- It is 30 days old on the second of July, and too old the day after.
select d::date as as_of, e.normalized, e.reason, e.phrase
from unnest('{2025-07-02,2025-07-03}'::date[]) as d, health.explain('felt', 1, d) as e where e.signal = 'csm_pulse';
select step, signal, points, phrase from health.explain('felt', 1, '2025-06-02', '2025-06-03');
select step, signal, points, phrase from health.explain('felt', 1, '2025-06-03', '2025-07-03');

-- Another one; every past day has the one that stood then, in every kind of store.
select health.alter_model('felt', '{"as_of": "2025-06-04"}');
select health.pulse('felt', 1, 5);
select health.pulse('felt', 2, 1, 'no answer: three mails');
select health.alter_model('felt', '{"as_of": "2025-06-05"}');
select health.create_score_view('felt', 'stored');
select health.refresh_score_views('felt');
select account_id, score, csm_pulse from stored order by 1;
select account_id, as_of, score from stored_history order by 1, 2;
select signal, raw_text, phrase from stored_signals where account_id = 2 and signal = 'csm_pulse';
select count(*) from (table plain except table stored) as d;
select count(*) from (table plain_history except table stored_history) as d;
select account_id, score from health.score_at('felt', '2025-06-03') order by 1;
select step, signal, raw_from, raw_to, points, phrase from health.explain('felt', 1, '2025-06-04', '2025-06-05');
select health.track('felt');
call health.backfill('felt');
select account_id, score, csm_pulse from stored order by 1;
select account_id, as_of, score from stored_history where as_of >= '2025-06-02' order by 1, 2;
select count(*) from (table stored_signals except table plain_signals) as d;
select health.pulse('felt', 2, 4);
select health.alter_model('felt', '{"as_of": "2025-06-06"}');
call health.refresh('felt');
select account_id, score, csm_pulse from stored order by 1;
-- What the values of the signals were told from tells them again.
select signal, raw_text, phrase from stored_signals where account_id = 2 and signal = 'csm_pulse';

-- Others have no say, and what was said stays.
create role pulsed_other;
set role pulsed_other;
select health.pulse('felt', 1, 4);
select count(*) from health_internal.csm_pulse;
reset role;
update health_internal.csm_pulse_table set value = 5;
select health.rename_model('felt', 'sensed');
select account, day, value from health.pulses('sensed');
select health_internal.delete_rows('sensed', 'account', '1');
select account, day, value from health.pulses('sensed');
call health.refresh('sensed');
select account_id, score, csm_pulse from stored order by 1;
select health.drop_model('sensed', cascade => true);
select count(*) from health_internal.csm_pulse_table;
drop role pulsed_other;
set client_min_messages = warning;
drop schema pulsed cascade;
