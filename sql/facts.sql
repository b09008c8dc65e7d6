-- Facts: dated things that are no usage. docs/reference/facts.md. That every measure is exact: facts_oracle.sql; vectors and edges: test/unit/facts.cpp.
\set SHOW_CONTEXT never
set datestyle = 'ISO';
set timezone = 'America/New_York';
create schema fact;
set search_path = fact, public, health;
create table accounts (id text, start date);
insert into accounts values ('a', '2024-01-01'), ('b', '2024-01-01'), ('c', '2024-06-01');
create table people (id bigint, email text, account text);
insert into people values (1, 'ann', 'a'), (2, 'bob', 'a'), (3, 'cy', 'b');
create table events (account text, usr bigint, name text, at timestamptz);
insert into events select 'a', 1 + n % 2, 'x', timestamptz '2025-01-01' + n * interval '7 hours' from generate_series(1, 200) n;
create table subs (account text, plan text, starts date, ends date, mrr numeric, cur text);
insert into subs values ('a', 'pro', '2025-01-01', '2025-03-01', 100, 'EUR'), ('a', 'pro', '2025-03-01', null, 150, 'EUR'), ('b', 'x', '2025-01-01', '2026-01-01', 10, 'EUR'), ('b', 'x', '2025-02-01', 'infinity', 10, 'USD');
create table answers (account text, email text, at date, score int);
insert into answers values ('a', 'ann', '2025-02-01', 9), ('a', 'ann', '2025-02-05', 6), ('a', 'bob', '2025-02-03', 10), ('a', 'cy', '2025-02-03', 7), ('b', 'ann', '2025-02-01', 9), ('b', 'ann', '2025-02-01', 6),
  ('b', 'bob', '2025-02-03', 10), ('b', 'cy', '2025-02-03', 7), ('c', null, '2025-02-01', 10), ('c', null, '2025-02-01', 10), ('c', null, '2025-02-01', 0);
create table tickets (account text, opened timestamp, closed timestamp, kind text);
insert into tickets values ('a', '2025-02-01 10:00', '2025-02-05 12:00', 'bug'), ('a', '2025-02-02 10:00', null, 'how/to "x"'), ('b', '2025-02-09 10:00', 'infinity', 'bug'), ('c', '2025-01-31 14:59', '2025-01-31 15:00', 'late');
create table trainings (account text, held date);
select '{"as_of": "2025-03-02", "time_zone": "Europe/Berlin", "history": {"days": 40}, "accounts": {"table": "fact.accounts", "id": "id", "start": "start"},
  "users": {"table": "fact.people", "id": "id", "account": "account"},
  "events": {"table": "fact.events", "account": "account", "user": "usr", "event": "name", "occurred_at": "at"},
  "facts": {"subs": {"table": "fact.subs", "account": "account", "at": "starts", "until": "ends", "value": "mrr", "kind": "plan", "currency": "cur"},
    "answers": {"table": "fact.answers", "account": "account", "user": "email", "at": "at", "value": "score", "scale": "nps"},
    "tickets": {"table": "fact.tickets", "account": "account", "at": "opened", "until": "closed", "kind": "kind", "time_zone": "America/Los_Angeles"},
    "trainings": {"table": "fact.trainings", "account": "account", "at": "held"}}}'::jsonb
  || jsonb_build_object('signals', (select jsonb_agg(('{"normalize": {"kind": "linear", "worst": 0, "best": 200}}'::jsonb || s) order by o) from jsonb_array_elements('[
    {"name": "mrr", "fact": "subs", "measure": "open_sum"}, {"name": "renewal", "fact": "subs", "measure": "days_left"}, {"name": "nps", "fact": "answers", "measure": "nps"},
    {"name": "open", "fact": "tickets", "measure": "open"}, {"name": "took", "fact": "tickets", "measure": "mean_days"}, {"name": "howto", "fact": "tickets", "measure": "count", "kind": "how/to \"x\""},
    {"name": "trained", "fact": "trainings", "measure": "days_since"}, {"name": "active", "metric": "activation_rate"}]') with ordinality as e (s, o))) as model \gset

-- What a document may say, and what not.
select path, problem, hint from validate_model(:'model'::jsonb || '{"facts": {"subs": {"table": "fact.subs", "account": "account"}, "answers": {"table": "fact.answers", "account": "account", "at": "at", "scale": "stars"},
  "tickets": {"table": "fact.ticket", "account": "account", "at": "opened", "til": "closed"}, "Trainings": 3, "subs.x": {"table": "fact.subs", "account": "account", "at": "mrr"}, "a/b": {"table": "fact.subs", "account": "account", "at": "starts"}}}');
select path, problem, hint from validate_model(:'model'::jsonb || '{"signals": [{"name": "a", "fact": "tikets", "measure": "open"}, {"name": "b", "fact": "tickets", "measure": "opn"}, {"name": "c", "fact": "tickets"},
  {"name": "d", "fact": "answers", "measure": "csat"}, {"name": "e", "fact": "trainings", "measure": "open_sum"}, {"name": "f", "fact": "trainings", "measure": "share", "kind": "x"}, {"name": "g", "fact": "tickets", "measure": "share"},
  {"name": "h", "fact": "tickets", "measure": "open", "window_days": 3, "valid_days": 2, "by_value": true}, {"name": "i", "fact": "subs", "metric": "events", "measure": "open"}, {"name": "j", "metric": "events", "measure": "open"},
  {"name": "k", "fact": "trainings", "measure": "count", "kind": "x", "currency": "EUR"}, {"name": "l", "fact": "tickets", "measure": "count", "window_days": 0}]}') where path !~ 'normalize';

-- Three modes say the same, and a source of which nothing was ever seen is not applicable; an account without any has none.
select create_model(name, :'model') from unnest('{plain,tracked,windowed}'::text[]) name;
set client_min_messages = warning;
select track('tracked'), track('windowed', window_days => 60);
call backfill('tracked');
call backfill('windowed');
select create_score_view(name, 'fact.' || name) from unnest('{plain,tracked,windowed}'::text[]) name;
select account_id, signal, raw, round(normalized) as normalized, reason from plain_signals where signal <> 'score' order by 1, 2;
select signal, phrase from explain('plain', 'a') where level = 1 order by position;
select signal, phrase from explain('plain', 'b') where signal in ('mrr', 'renewal');
create function differences() returns table (what text, different bigint) language sql as $$
select 'signals' as what, count(*) as different from (select model, s from (select 'tracked' as model, to_jsonb(t) - 'model' as s from tracked_signals t union all select 'windowed', to_jsonb(w) - 'model' from windowed_signals w) o
    where s not in (select to_jsonb(p) - 'model' from plain_signals p)) x
union all select 'history', count(*) from (select account_id, as_of, score, data_coverage from tracked_history union all select account_id, as_of, score, data_coverage from windowed_history
    except select account_id, as_of, score, data_coverage from plain_history) x
union all select 'score_at', count(*) from unnest('{2025-01-01,2025-02-05,2025-03-01,2025-03-02}'::date[]) d, unnest('{tracked,windowed}'::text[]) m, lateral (select account_id, score from score_at(m, d)
    except select account_id, score from score_at('plain', d)) x
union all select 'verify', count(*) from unnest('{tracked,windowed}'::text[]) m, verify(m) v $$;
select * from differences();
-- Of the day in the zone of the model: 15:00 in Los Angeles is the next day in Berlin.
select c.user_id is null or c.user_id = '0' as nobody, day, event, count, amount from plain_ledger l, cells(l.usage) c where l.account_id in ('a', 'c') and event like '$/%' order by event, day;
-- Facts keep everything, whatever is kept of usage.
select path, min(isfinite(kept_from)::text) as usage_ends from (select path, kept_from from health_internal.ledger_source where model = 'tracked') s group by 1 order by 1;

-- Late, changed, deleted rows.
insert into trainings values ('a', '2025-02-20'), ('b', '2025-03-02');
update subs set ends = '2025-02-20' where mrr = 100;
insert into subs values ('c', 'pro', '2025-02-10', '2025-02-10', 70, null);
update tickets set closed = '2025-02-28 12:00' where closed is null;
delete from answers where email = 'bob';
select count(refresh_score_views(m)) from unnest('{plain,tracked,windowed}'::text[]) m;
select account_id, signal, raw, reason from tracked_signals where signal in ('mrr', 'nps', 'open', 'took', 'trained') order by 1, 2;
select finding, source, name, events, advice from tracking_plan('tracked') where finding = 'signal never seen';
-- What was never seen before stays so until the references are frozen again.
select count(refreeze_references(m)) from unnest('{plain,tracked,windowed}'::text[]) m;
select count(refresh_score_views(m)) from unnest('{plain,tracked,windowed}'::text[]) m;
select account_id, raw, reason from tracked_signals where signal = 'trained' order by 1;
-- The kept histories have the version of their day.
select * from differences() where what <> 'history';

-- What cannot be is left out, and told; accounts that nobody knows and rows without one count nowhere.
insert into subs values ('a', 'x', 'infinity', null, 1, 'EUR'), ('a', 'x', '2025-02-01', '2025-01-31', 1000, 'EUR'), ('a', 'x', '2025-02-01', '-infinity', 1000, 'EUR'), ('a', 'x', '2025-02-01', '2025-02-20', 'NaN', 'EUR'), ('a', 'x', null, '2025-02-02', 1000, 'EUR'),
  (null, 'x', '2025-02-01', null, 1000, 'EUR'), ('nobody', 'x', '2025-02-01', null, 1000, 'EUR'), ('a', 'x', '2025-02-01', '2025-02-25', null, 'EUR');
insert into answers values ('a', 'ann', '2025-02-28', 11), ('a', 'ann', '2025-02-28', -1), ('a', 'ann', '2025-02-28', null), ('a', '', '2025-02-20', 10);
set client_min_messages = notice;
select refresh_score_views('tracked');
set client_min_messages = warning;
select count(refresh_score_views(m)) from unnest('{plain,windowed}'::text[]) m;
select account_id, signal, raw, reason from tracked_signals where signal in ('mrr', 'nps') and account_id = 'a' order by 1, 2;
select * from differences() where what <> 'history';
select source, bad_rows from status('tracked') where bad_rows > 0 order by 1;

select finding, source, name, events, first_day, account, value, advice from tracking_plan('tracked') where source like 'facts%' or finding = 'signal never seen';

-- An end that no calendar of the ledger reaches is open; an end of a timestamp likewise.
insert into subs values ('c', 'pro', '2025-02-01', '5874897-12-31', 12, 'EUR'), ('c', 'pro', '2025-02-01', '294277-01-01', 5, 'EUR');
select count(refresh_score_views(m)) from unnest('{plain,tracked,windowed}'::text[]) m;
select account_id, signal, raw, reason from tracked_signals where signal = 'mrr' and account_id = 'c';
select * from differences() where what <> 'history';
select count(*) as to_verify from verify('tracked');
delete from subs where ends > '2100-01-01' and isfinite(ends);
select count(refresh_score_views(m)) from unnest('{plain,tracked,windowed}'::text[]) m;
select account_id, signal, raw, reason from tracked_signals where signal = 'mrr' and account_id = 'c';

-- A person who answered: named until the answers are gone.
select forget_user('tracked', 'cy');
delete from answers where email = 'cy';
select forget_user('tracked', 'cy') >= 0 as forgotten;
select count(*) as named from tracked_ledger l, cells(l.usage) c where c.user_id = 'cy';

-- Another set of sources: one more, one that says something else, one less.
select '{"facts": {"answers": {"table": "fact.answers", "account": "account", "user": "email", "at": "at", "value": "score", "scale": "nps"}, "tickets": {"table": "fact.tickets", "account": "account", "at": "opened", "kind": "kind", "filter": "kind = ''bug''"}, "more": {"table": "fact.trainings", "account": "account", "at": "held"}},
  "signals": [{"name": "nps", "fact": "answers", "measure": "nps", "normalize": {"kind": "linear", "worst": -100, "best": 100}}, {"name": "bugs", "fact": "tickets", "measure": "count", "normalize": {"kind": "linear", "worst": 9, "best": 0}},
    {"name": "trained", "fact": "more", "measure": "days_since", "normalize": {"kind": "linear", "worst": 90, "best": 0}}]}' as other \gset
select alter_model('tracked', :'other');
select alter_model('tracked', :'other', restart => true);
select refresh_score_views('tracked');
select account_id, signal, raw, reason from tracked_signals where signal <> 'score' order by 1, 2;
select path from health_internal.ledger_source where model = 'tracked' order by 1;
insert into trainings values ('c', '2025-03-01');
select refresh_score_views('tracked');
select account_id, raw from tracked_signals where signal = 'trained' order by 1;
select count(*) as to_verify from verify('tracked');
-- Renamed, untracked: the same.
create table before as select account_id, signal, raw from tracked_signals;
select rename_model('tracked', 'renamed');
insert into tickets values ('c', '2025-03-01 10:00', null, 'bug');
select refresh_score_views('renamed');
select account_id, signal, raw from tracked_signals except select * from before;
select count(*) as to_verify from verify('renamed');
select untrack('renamed');
select refresh_score_views('renamed');
select account_id, signal, raw from tracked_signals except select * from before;
-- Ends that are known today need not have been known then: a backtest leaves days_left out, but where the source says when.
select item, note from backtest('plain', null, 14, '2025-02-01', '2025-02-15', 7) where section = 'left out';
-- A column that a source needs is dropped: told with the path, and mended when it is back.
select track('renamed');
call backfill('renamed');
alter table trainings rename held to held_on;
insert into trainings values ('b', '2025-03-01');
select refresh_score_views('renamed');
select problem, path from validate_model(model_definition('renamed')) where problem !~ 'event';
alter table trainings rename held_on to held;
select refresh_score_views('renamed');
select account_id, raw from tracked_signals where signal = 'trained' order by 1;
drop materialized view plain_ledger cascade;
alter table answers drop column score;
select refresh_score_views('renamed');

-- Facts alone: ids that are numbers, times at which rows became known, no events, no users.
create table visits (shop int, visitor uuid, day date, loaded date, stars int);
create table shops (id int);
insert into shops values (1), (2);
insert into visits values (1, '00000000-0000-0000-0000-000000000001', '2025-02-01', '2025-02-01', 5), (1, '00000000-0000-0000-0000-000000000001', '2025-02-10', '2025-02-20', 1), (1, null, '2025-02-11', null, 4);
select create_model(m, '{"as_of": "2025-03-01", "accounts": {"table": "fact.shops", "id": "id"},
  "facts": {"visits": {"table": "fact.visits", "account": "shop", "user": "visitor", "at": "day", "value": "stars", "scale": "csat", "known_at": "loaded"}},
  "signals": [{"name": "csat", "fact": "visits", "measure": "csat", "normalize": {"kind": "linear", "worst": 0, "best": 100}}, {"name": "last", "fact": "visits", "measure": "days_since", "normalize": {"kind": "recency", "half_life_days": 10}}]}') from unnest('{alone,alone_tracked}'::text[]) m;
select track('alone_tracked');
call backfill('alone_tracked');
select create_score_view(m, 'fact.' || m) from unnest('{alone,alone_tracked}'::text[]) m;
select account_id, round(score) as score, state, unknown_reason from alone_tracked order by 1;
select account_id, signal, raw, reason from alone_signals order by 1, 2;
select count(*) as different from (select account_id, signal, raw, reason from alone_signals except select account_id, signal, raw, reason from alone_tracked_signals) x;
select d, m, account_id, round(score::numeric, 3) as score from unnest('{2025-02-11,2025-02-20,2025-02-21}'::date[]) d, unnest('{alone,alone_tracked}'::text[]) m, score_at(m, d, known_at => d) where account_id = '1' order by 1, 2;
select score_at('renamed', '2025-03-01', known_at => '2025-03-01');
select finding, source, events, first_day, last_day, advice from tracking_plan('alone_tracked') where finding ~ 'known|late';
select drop_model(m, cascade => true) from unnest('{plain,renamed,windowed,alone,alone_tracked}'::text[]) m;
-- A tracked value that comes to be of another type is read as before.
select create_model('typed', '{"as_of": "2025-03-02", "accounts": {"table": "fact.accounts", "id": "id"}, "facts": {"subs": {"table": "fact.subs", "account": "account", "at": "starts", "until": "ends", "value": "mrr"}},
  "signals": [{"name": "paid", "fact": "subs", "measure": "sum", "normalize": {"kind": "linear", "worst": 0, "best": 200}}]}');
select create_score_view('typed', 'fact.typed');
select track('typed');
call backfill('typed');
create table before_typed as select account_id, raw from typed_signals where signal = 'paid' and account_id <> 'c';
alter table subs alter mrr type float8;
insert into subs values ('c', 'pro', '2025-02-27', null, 0.5, null);
select refresh_score_views('typed');
select account_id, raw from typed_signals where signal = 'paid' except select * from before_typed;
select count(*) as to_verify from verify('typed');
select drop_model('typed', cascade => true);
drop schema fact cascade;
