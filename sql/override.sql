-- Overrides: a person decides about a score, for a time; scores, explanations, changes and history of every store see it.
\set VERBOSITY default
\pset null ~
set client_min_messages = warning;
set datestyle = 'ISO, YMD';
create schema overridden;
set search_path = overridden, public;
create table account (id text primary key, name text, points float8, since date, until date);
insert into account values ('ann', 'Ann Ltd', 80, '2024-01-01', null), ('bob', 'Bob Inc', 20, '2024-01-01', null),
                           ('cy', 'Cy AG', null, '2024-01-01', null), ('gone', 'Gone', 50, '2024-01-01', '2025-05-01');
create table event (account_id text, user_id text, name text, at timestamptz);
insert into event select a, u, 'view', (d + time '12:00') at time zone 'UTC'
from (values ('ann', 'u1'), ('bob', 'u2'), ('bob', 'u3')) as e (a, u), generate_series('2025-03-01'::timestamp, '2025-06-30', '1 day') as d;
-- The score of ann is (3 x 80 + 50) / 4 = 72.5, of bob (3 x 20 + 100) / 4 = 40, of cy unknown: a required signal is.
\set document '{"time_zone": "UTC", "as_of": "2025-06-02", "history": {"days": 8}, "accounts": {"table": "account", "id": "id", "name": "name", "start": "since", "end": "until"}, "events": {"table": "event", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": "at"}, "signals": [{"name": "points", "column": "points", "normalize": {"kind": "identity"}, "weight": 3, "missing": "required"}, {"name": "users", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 2}}]}'
select health.create_model('care', :'document');

-- What is asked for must make sense.
select health.override('care', 'ann', reason => 'x');
select health.override('care', 'ann', cap => 40, floor => 20, reason => 'x');
select health.override('care', 'ann', cap => 140, reason => 'x');
select health.override('care', 'ann', cap => 'NaN', reason => 'x');
select health.override('care', 'ann', cap => 40);
select health.override('care', 'ann', cap => 40, reason => ' ');
select health.override('care', 'ann', cap => 40, reason => 'x', owner => '');
select health.override('care', 'ann', cap => 40, reason => 'x', expires => '2025-06-02');
select health.override('care', 'ann', cap => 40, reason => 'x', expires => 'infinity');
select health.override('care', 'anne', cap => 40, reason => 'x');
select health.override('care', 'Ann Ltd', cap => 40, reason => 'x');
select health.override('care', null, cap => 40, reason => 'x');
select health.override('car', 'ann', cap => 40, reason => 'x');
select health.end_override('care', 'ann');

-- A cap, until the first of August.
select health.create_score_view('care', 'stored');
select health.create_score_view('care', 'plain', materialized => false);
select health.override('care', 'ann', cap => 40, reason => 'sponsor left', expires => '2025-08-01', owner => 'maria');
select account_id, score, band, override_reason, main_reason from plain order by 1;
select account_id, score, override_reason from stored order by 1;
select health.refresh_score_views('care');
select count(*) from (table plain except table stored) as d;
select count(*) from (table stored except table plain) as d;
select "position", signal, level, raw, raw_text, normalized, weight, points, phrase from health.explain('care', 'ann');
select s.account_id, sum(s.points) filter (where s.level = 1) - max(s.points) filter (where s.signal = 'score') as off
from stored_signals as s where s.account_id in ('ann', 'bob') group by 1 order by 1;
-- It holds from the day on which it was made; 28 days before there was none: 40 - 72.5.
select as_of, score, band from stored_history where account_id = 'ann' and as_of > '2025-05-30' order by 1;
select change_7d, change_28d from stored where account_id = 'ann';
select account_id, score, band from health.score_at('care', '2025-06-01') order by 1;
select account_id, score, band from health.score_at('care', '2025-06-02') order by 1;
select account_id, score from health.score_at('care', '2025-07-31') where account_id = 'ann';
select account_id, score from health.score_at('care', '2025-08-01') where account_id = 'ann';
select step, signal, points, phrase from health.explain('care', 'ann', '2025-06-01', '2025-06-02');
select step, signal, points, phrase from health.explain('care', 'ann', '2025-06-02', '2025-06-03');
-- On the first of August it does not hold any more; the last event is of the 30th of June, so that nobody is active by then.
select step, signal, points, phrase from health.explain('care', 'ann', '2025-07-10', '2025-08-01');

-- A cap above the score has no effect, nor has a floor below it; an unknown score stays unknown to both.
select health.override('care', 'bob', cap => 90, reason => 'x');
select health.override('care', 'cy', floor => 30, reason => 'x');
select account_id, score, override_reason, unknown_reason from plain where account_id in ('bob', 'cy') order by 1;
-- Others in their place: known by a person alone. Who is no customer any more has no score.
select health.override('care', 'bob', floor => 60, reason => 'champion is back', owner => 'li');
select health.override('care', 'cy', score => 55, reason => ' met the board ', owner => 'li');
select health.override('care', 'gone', score => 55, reason => 'x', owner => 'li');
select account_id, score, band, data_coverage, main_reason, unknown_reason from plain order by 1;
select signal, points, phrase from health.explain('care', 'cy') where signal in ('override', 'score');
select step, points, phrase from health.explain('care', 'cy', '2025-06-01', '2025-06-02');
select step, points, phrase from health.explain('care', 'cy', '2025-06-02', '2025-06-03');
select account, kind, value, owner, reason, from_day, expires, ended from health.overrides('care');

-- Without its most active user: what the cap or the floor makes of that, and never above the score.
select account_id, score, score_without_top_user from plain where account_id in ('ann', 'bob') order by 1;

-- It ends: today's score is that of the signals again, past ones stay.
select health.end_override('care', 'cy');
select health.end_override('care', 'cy');
select score, unknown_reason from plain where account_id = 'cy';
select health.alter_model('care', '{"as_of": "2025-06-04"}');
select health.end_override('care', 'bob');
select health.refresh_score_views('care');
select as_of, score from plain_history where account_id = 'bob' and as_of >= '2025-06-01' order by 1;
select step, signal, points, phrase from health.explain('care', 'bob', '2025-06-03', '2025-06-04');

-- Kept scores: the next refresh sees it, once; a day turn past its end as well.
select health.track('care');
call health.backfill('care');
select account_id, score, override_reason from stored order by 1;
select count(*) from (table stored_signals except table plain_signals) as d;
select health.override('care', 'bob', cap => 15, reason => 'late payer', owner => 'li', expires => '2025-06-06');
call health.refresh('care');
select rescored from health_internal.tracking where model = 'care';
select account_id, score, override_reason from stored where account_id = 'bob';
select signal, points, phrase from stored_signals where account_id = 'bob' and signal in ('override', 'score');
call health.refresh('care');
select rescored from health_internal.tracking where model = 'care';
select health.alter_model('care', '{"as_of": "2025-06-07"}');
call health.refresh('care');
select as_of, score, band from stored_history where account_id = 'bob' and as_of >= '2025-06-01' order by 1;
select score, override_reason from stored where account_id = 'bob';
-- Days that are scored again see the override of the day.
select health.backfill_history('care', '2025-06-01', '2025-06-06');
select as_of, score from stored_history where account_id = 'bob' and as_of >= '2025-06-01' order by 1;
select account_id, score from health.score_at('care', '2025-06-05') where account_id = 'bob';
select * from health.verify('care') where account_id is not null;

-- Another name keeps them; refreshes still find them.
select health.rename_model('care', 'cared');
select account, kind, value, from_day, expires, ended from health.overrides('cared');
select health.override('cared', 'ann', score => 1, reason => 'y', owner => 'li');
call health.refresh('cared');
select account_id, score from stored where account_id = 'ann';
update health_internal.score_override_table set value = 2 where account = 'ann';
update health_internal.score_override_table set ended = null where account = 'ann';

-- Only those who may act as the owner of the model.
create role overridden_other;
grant usage on schema overridden to overridden_other;
grant select on all tables in schema overridden to overridden_other;
set role overridden_other;
select health.override('cared', 'ann', score => 1, reason => 'y');
select health.end_override('cared', 'ann');
select health.overrides('cared');
select count(*) from health_internal.score_override;
insert into health_internal.score_override (model, account, number, kind, value, owner, reason, from_day) values ('cared', 'ann', 9, 'score', 1, 'x', 'y', '2025-01-01');
reset role;
-- A plain view computes as its reader, and says the same to all.
select health.untrack('cared');
select account_id, score, override_reason from plain order by 1;
set role overridden_other;
select account_id, score, override_reason from plain order by 1;
reset role;

-- What a state may hold.
\set one '{"signals": [{"name": "a", "column": "a", "normalize": {"kind": "identity"}}]}'
select score, override_reason from health.score_account(:'one', ROW(null, '2025-06-02', null, null, '{50}', null, null, null, null, null, null, null, null, null, array[row('cap', 40, null, null, null, 'me', 'why')]::health.score_override[], null)::health.account_state);
-- Of two that hold the later stands.
select score, override_reason from health.score_account(:'one', ROW(null, '2025-06-02', null, null, '{50}', null, null, null, null, null, null, null, null, null, array[row('cap', 40, null, null, null, 'me', 'why'), row('floor', 70, '2025-06-02', 'infinity', null, 'you', 'so'), row('floor', 90, '2025-06-03', null, null, 'you', 'so')]::health.score_override[], null)::health.account_state);
select health.score_account(:'one', ROW(null, '2025-06-02', null, null, '{50}', null, null, null, null, null, null, null, null, null, array[row('top', 40, null, null, null, 'me', 'why')]::health.score_override[], null)::health.account_state);
select health.score_account(:'one', ROW(null, '2025-06-02', null, null, '{50}', null, null, null, null, null, null, null, null, null, array[row('cap', 'NaN', null, null, null, 'me', 'why')]::health.score_override[], null)::health.account_state);
select health.score_account(:'one', ROW(null, '2025-06-02', null, null, '{50}', null, null, null, null, null, null, null, null, null, array[row('cap', 40, null, null, null, null, 'why')]::health.score_override[], null)::health.account_state);
select * from health.validate_model('{"accounts": {"table": "account", "id": "id"}, "signals": [{"name": "override", "column": "points", "normalize": {"kind": "identity"}}]}');

-- Ids of other types.
create table numbered (id bigint primary key, points float8);
insert into numbered values (7, 30);
create table named (id uuid primary key, points float8);
insert into named values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 30);
select health.create_model('numbered', '{"as_of": "2025-06-02", "accounts": {"table": "numbered", "id": "id"}, "signals": [{"name": "points", "column": "points", "normalize": {"kind": "identity"}}]}');
select health.create_model('named', '{"as_of": "2025-06-02", "accounts": {"table": "named", "id": "id"}, "signals": [{"name": "points", "column": "points", "normalize": {"kind": "identity"}}]}');
select health.override('numbered', 7, floor => 50, reason => 'x', owner => 'me');
select health.override('numbered', ' 007 ', floor => 55, reason => 'x', owner => 'me');
select health.override('named', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', floor => 50, reason => 'x', owner => 'me');
select health.override('named', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, floor => 60, reason => 'x', owner => 'me');
select health.override('numbered', 'seven', floor => 50, reason => 'x');
select signal, points from health.explain('numbered', 7);
select signal, points from health.explain('named', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid);
select account, value, ended from health.overrides('numbered');
select health.end_override('numbered', 7), health.end_override('named', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid);
select health.drop_model('numbered'), health.drop_model('named'), health.drop_model('cared', cascade => true);
select count(*) from health_internal.score_override_table;
drop owned by overridden_other;
drop role overridden_other;
set client_min_messages = warning;
drop schema overridden cascade;
