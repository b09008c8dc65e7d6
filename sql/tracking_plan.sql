-- The tracking plan: what the data holds that the model does not know, and the other way round.
set datestyle = 'ISO';
create schema app;
create table app.accounts (id int, is_test boolean not null default false);
create table app.users (id int primary key, account int);
create table app.events (account int, who int, what text, at timestamptz);
insert into app.accounts values (1), (2), (null);
insert into app.accounts values (3, true);
insert into app.users values (1, 1), (2, 2), (3, null), (4, 99);
insert into app.events values
  (1, 1, 'created', '2025-02-20'), (1, 1, 'created', '2025-02-21'), (2, 2, 'viewed', '2024-11-01'), (2, 2, 'veiwed', '2025-02-20'),
  (77, 1, 'created', '2025-02-20'), (77, 2, 'created', '2025-02-22'), (3, 1, 'created', '2025-02-20'),
  (null, 1, 'created', '2025-02-20'), (1, null, 'created', '2025-02-20'), (1, 1, null, '2025-02-20'), (1, 1, 'created', null), (1, 55, 'created', '2025-02-20');
select health.create_model('m', '{"as_of": "2025-03-03",
  "accounts": {"table": "app.accounts", "id": "id", "filter": "not is_test"},
  "users": {"table": "app.users", "id": "id", "account": "account"},
  "events": [{"table": "app.events", "account": "account", "user": "who", "event": "what", "occurred_at": "at"}],
  "catalog": {"created": {"role": "create"}, "viewed": {"role": "consume"}, "shared": {"role": "interact"}},
  "signals": [{"name": "coverage", "metric": "coverage", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}');
select * from health.tracking_plan('m');
-- Whoever creates a score view is told.
select health.create_score_view('m', 'app.score', false);
select health.drop_score_view('app.score');
-- Sound data gives no row.
delete from app.events where account is distinct from 1 or who is distinct from 1 or what is null or at is null;
delete from app.users where id > 2;
select health.alter_model('m', '{"catalog": {"created": {"role": "create"}}, "signals": [{"name": "coverage", "metric": "coverage", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}');
select * from health.tracking_plan('m');
-- Accounts that occur twice; events after the day of scoring, for a model as of today.
insert into app.accounts values (1);
insert into app.events values (1, 1, 'created', now() + interval '400 days');
select health.alter_model('m', '{"as_of": null}');
select finding, source, name, events, users from health.tracking_plan('m') where finding <> 'silent event';
select health.tracking_plan('n');
-- Without users, without a catalog.
select health.create_model('bare', '{"as_of": "2025-03-03", "accounts": {"table": "app.accounts", "id": "id"},
  "events": {"table": "app.events", "account": "account", "user": "who", "event": "what", "occurred_at": "at"},
  "signals": [{"name": "active", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}');
select finding, name from health.tracking_plan('bare');
-- Names as product analytics have them: reserved, and said so.
insert into app.events values (1, 1, '$pageview', '2025-02-20');
select finding, name, events, advice from health.tracking_plan('bare') where name like '$%';
delete from app.events where what like '$%';
-- Events that get their account from the user: an unknown user is the finding, not a missing account.
select health.create_model('by_user', health.model_definition('bare') || '{"users": {"table": "app.users", "id": "id", "account": "account"},
  "events": [{"table": "app.events", "user": "who", "event": "what", "occurred_at": "at", "filter": "at < ''2025-03-03''"}]}');
insert into app.users values (6, null);
insert into app.events values (null, 5, 'created', '2025-02-20'), (null, 6, 'created', '2025-02-20'), (1, null, 'created', '2025-02-20');
select finding, source, name, events from health.tracking_plan('by_user') where finding <> 'repeated account';
select health.drop_model('m'), health.drop_model('bare'), health.drop_model('by_user');
set client_min_messages = warning;
drop schema app cascade;

-- Sparklines.
select health.sparkline('{1,2,3,4,5,6,7,8}') as rising, health.sparkline('{0,0,0}') as zero, health.sparkline('{5,5}') as level,
       health.sparkline('{3,NULL,9}') as gap, health.sparkline('{-4,0,4}') as negative, health.sparkline('{}') as empty, health.sparkline(null) is null as unknown,
       health.sparkline('{NaN,1,Infinity}') as odd, health.sparkline(array[1, 10]::bigint[]) as bigints;
