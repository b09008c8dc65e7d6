-- What tracking_plan() finds of the population and of signals: users without a joining day, events outside of the time as a customer, signals about what was never seen, ids that
-- come twice. docs/reference/sql.md, "tracking_plan".
set datestyle = 'ISO';
set client_min_messages = warning;
create schema found;
create table found.clients (id int primary key, since date, until date);
insert into found.clients values (1, '2025-01-01', null), (2, '2025-03-01', null), (3, '2025-01-01', '2025-06-01'), (4, '2025-07-10', null), (5, null, null);
-- 5 of 20 users of account 1 have accepted, the others were only invited; one is a test user, one is nobody's.
create table found.members (id int primary key, client int, accepted timestamptz, invited date, test boolean not null default false);
insert into found.members select 100 + g, 1, case when g <= 5 then timestamptz '2025-01-02 10:00+00' end, '2025-01-01' from generate_series(1, 20) g;
insert into found.members select c * 100 + 1, c, '2025-01-02 10:00+00', null from generate_series(2, 5) c;
insert into found.members values (198, 1, null, '2025-01-01', true), (199, null, null, null, false);
create table found.acts (id text, client int, member int, what text, at timestamptz);
insert into found.acts select format('%s-%s', m.id, d), client, m.id, 'note', timestamptz '2025-06-29 09:00+00' - d * interval '1 day' from found.members m, generate_series(0, 160) d where accepted is not null;
select '{"as_of": "2025-06-30",
  "accounts": {"table": "found.clients", "id": "id", "start": "since", "end": "until"},
  "users": {"table": "found.members", "id": "id", "account": "client", "joined": "accepted", "exclude": "test"},
  "events": {"table": "found.acts", "account": "client", "user": "member", "event": "what", "occurred_at": "at", "id": "id"},
  "signals": [{"name": "active", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
              {"name": "notes", "metric": "active_users", "events": ["notes", "memo"], "normalize": {"kind": "linear", "worst": 0, "best": 5}},
              {"name": "agents", "metric": "events", "actor": "agent", "normalize": {"kind": "linear", "worst": 0, "best": 5}}]}' as model \gset
select count(*) as problems from health.validate_model(:'model');
select health.create_model('plain', :'model'), health.create_model('invited', jsonb_set(:'model', '{users,invited}', '"invited"'));
-- 15 never accepted: always there, unless invitations are known. Neither the test user nor nobody's is told of.
select model, s.phrase from unnest('{plain,invited}'::text[]) model, health.explain(model, 1) s where signal = 'active';
select model, p.finding, p.source, p.name, p.account, p.events, p.users, p.first_day, p.last_day, p.advice from unnest('{plain,invited}'::text[]) model, health.tracking_plan(model) p order by 1 desc, 2, 4;
-- What was never seen is no zero: it does not apply, until it comes and the book is frozen again.
select signal, raw, normalized, reason, phrase from health.explain('plain', 1) where signal in ('notes', 'agents') order by "position";
insert into found.acts values ('memo-1', 1, 101, 'memo', '2025-06-20 09:00+00');
select finding, name, events, advice from health.tracking_plan('plain') where finding = 'signal never seen' order by 2;
select signal, raw, normalized, reason from health.explain('plain', 1) where signal = 'notes';
select health.refreeze_references('plain');
select account, signal, raw, normalized, reason from generate_series(1, 2) account, health.explain('plain', account) where signal in ('notes', 'agents') order by 1, "position";
select finding, name from health.tracking_plan('plain') where finding = 'signal never seen';
-- A new version looks again.
select health.alter_model('invited', '{"minimum_coverage": 0.4}');
select signal, raw, reason from health.explain('invited', 1) where signal = 'notes';
-- A day that was loaded twice counts twice, and is found where the events have ids; so is one row that was.
insert into found.acts select * from found.acts where at >= '2025-06-29' union all (select * from found.acts where id = '101-30');
insert into found.acts values (null, 1, 101, 'note', '2025-06-20 09:00+00'), (null, 1, 101, 'note', '2025-06-20 09:00+00');
select finding, source, name, events, first_day, last_day, advice from health.tracking_plan('plain') where finding = 'repeated event id';
-- A tracked model finds the same.
select health.create_model('tracked', health.model_definition('plain'));
select health.track('tracked');
call health.backfill('tracked');
select count(*) as findings, count(*) filter (where p.finding is null or t.finding is null) as different from health.tracking_plan('plain') p full join health.tracking_plan('tracked') t on p = t;
select health.drop_model(name, cascade => true) from unnest('{plain,invited,tracked}'::text[]) name;
drop schema found cascade;
