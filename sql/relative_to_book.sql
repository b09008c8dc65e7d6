-- What the whole book did beside a change of one account: told, and taken out before advice is given; no score moves. docs/reference/scoring.md, "Relative to the book".
set datestyle = 'ISO';
set client_min_messages = warning;
create schema book;
create table book.clients (id int primary key, since date);
create table book.acts (client int, member int, what text, on_day date);
insert into book.clients select n, '2024-01-01' from generate_series(1, 17) n;
-- 100 events of each in weeks 5 to 8. Then 1 to 12: the whole book falls by 17 %. 13 by 18 %, 14 by 60 %, 15 exactly by 15 % against the book (.83 x .85),
-- 16 by one event in 10,000 less. 17 is silent.
create table book.plan (client int, before int, now int);
insert into book.plan select n, 100, 83 from generate_series(1, 12) n union all values (13, 100, 82), (14, 100, 40), (15, 2000, 1411), (16, 10000, 7056), (17, 100, 0);
insert into book.acts select client, 1 + i % 5, 'make', date '2025-05-20' from book.plan, generate_series(1, before) i union all select client, 1 + i % 5, 'make', date '2025-06-20' from book.plan, generate_series(1, now) i;
select '{"as_of": "2025-06-30", "minimum_coverage": 0, "silence": {"next_step": "Call the sponsor."}, "accounts": {"table": "book.clients", "id": "id", "start": "since"},
  "events": {"table": "book.acts", "account": "client", "user": "member", "event": "what", "occurred_at": "on_day"},
  "signals": [{"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -0.5, "best": 0.5},
    "next_step": {"low": {"text": "Down 15 % or more: call.", "at_most": -0.15}}},
   {"name": "people", "metric": "active_users", "weight": 0.1, "normalize": {"kind": "linear", "worst": 0, "best": 20}, "next_step": {"low": "Who else?"}}]}' as model \gset
select health.create_model('book', :'model');
select health.create_score_view('book', 'book.scores');
select account_id, round(score::numeric, 2) as score, next_step from book.scores order by 1;
select account_id, raw, book, phrase, next_step from book.scores_signals where signal = 'trend' and account_id > 11 order by 1;
select main_reason, state from book.scores where account_id in (14, 17) order by account_id;
-- The row of the score and of signals of other kinds have no such figure.
select signal, count(book) from book.scores_signals group by 1 order by 1;
-- One account by itself says the same, today and as of another day.
select e.signal, e.book, e.phrase, e.next_step from health.explain('book', 13) e;
select (select array_agg(e) from health.explain('book', c.id) e) = (select array_agg((s."position", s.signal, s.parent, s.label, s.level, s.raw, s.raw_text, s.normalized, s.weight, s.points, s.reason, s.phrase, s.next_step, s.counted, s.basis, s.book)::health.signal_score order by s."position")
        from book.scores_signals s where s.account_id = c.id) as same, count(*) from book.clients c group by 1;
select e.signal, e.raw, e.book from health.explain('book', 13, '2025-07-07') e where e.signal = 'trend';
-- A plain view computes the same when it is read.
select health.create_score_view('book', 'book.plain', materialized => false);
select count(*) as different from book.plain p full join book.scores s using (account_id) where p is distinct from s;
select count(*) as different from book.plain_signals p full join book.scores_signals s using (account_id, "position") where p is distinct from s;
select health.drop_score_view('book.plain');

-- Tracked: the same, and an incremental refresh gives what a whole one does, for accounts that are not written again as well.
create table book.made as select account_id, score, main_reason, next_step from book.scores;
create table book.made_signals as select * from book.scores_signals;
select health.track('book');
call health.refresh('book');
select count(*) as different from book.made m full join (select account_id, score, main_reason, next_step from book.scores) s using (account_id) where m is distinct from s;
select count(*) as different from book.made_signals m full join book.scores_signals s using (account_id, "position") where m is distinct from s;
select format('health_data.score_%s', (select t.id from health_internal.tracking t where t.model = 'book')) as kept \gset
create table book.versions as select account_id, ctid as place, xmin::text as writer from :kept;
-- Nine of the twelve recover: the book is level, and who fell with it before has fallen by himself.
insert into book.acts select client, 1 + i % 5, 'make', date '2025-06-21' from generate_series(1, 9) client, generate_series(1, 17) i;
call health.refresh('book');
select k.account_id from :kept k join book.versions v using (account_id) where (k.ctid, k.xmin::text) is distinct from (v.place, v.writer) order by 1;
select account_id, next_step from book.scores where account_id > 8 order by 1;
select distinct book from book.scores_signals where signal = 'trend';
create table book.incremental as select * from book.scores_signals;
create table book.incremental_scores as select account_id, next_step, score from book.scores;
select count(*) as different from health_internal.tracking t, lateral (select count(*) as different from book.scores_signals s, lateral (select e.* from health.explain('book', s.account_id) e where e."position" = s."position") e
  where (s.phrase, s.next_step, s.book) is distinct from (e.phrase, e.next_step, e.book)) d where t.model = 'book' and d.different > 0;
select health.untrack('book');
select health.refresh_score_view('book.scores');
select count(*) as different from book.incremental m full join book.scores_signals s using (account_id, "position") where m is distinct from s;
select count(*) as different from book.incremental_scores m full join (select account_id, next_step, score from book.scores) s using (account_id) where m is distinct from s;

-- Off, of the model or, which is the same here, of a signal.
select health.alter_model('book', '{"relative_to_book": false}');
select health.refresh_score_view('book.scores');
select count(next_step) filter (where next_step like 'Down%') as advice, count(distinct score) as scores from book.scores;
select phrase, book, next_step from book.scores_signals where signal = 'trend' and account_id = 12;
select health.alter_model('book', jsonb_build_object('relative_to_book', null, 'signals', jsonb_set(:'model'::jsonb -> 'signals', '{0,relative_to_book}', 'false')));
-- Nine accounts are no book.
delete from book.clients where id between 1 and 7;
select health.alter_model('book', jsonb_build_object('relative_to_book', null, 'signals', :'model'::jsonb -> 'signals'));
select health.refresh_score_view('book.scores');
select account_id, phrase, book, next_step from book.scores_signals where signal = 'trend' and account_id in (12, 17) order by 1;
insert into book.clients values (1, '2024-01-01');
select health.refresh_score_view('book.scores');
select account_id, phrase, round(book::numeric, 2) as book, next_step from book.scores_signals where signal = 'trend' and account_id in (12, 17) order by 1;
-- What is said wrong.
select path, problem, hint from health.model_problems(:'model'::jsonb || '{"relative_to_book": 1, "signals": [
  {"name": "a", "metric": "slope_4w", "relative_to_book": true, "normalize": {"kind": "identity"}},
  {"name": "b", "metric": "events", "relative_to_book": false, "normalize": {"kind": "identity"}},
  {"name": "c", "column": "x", "relative_to_book": false, "normalize": {"kind": "identity"}}]}');
select health.drop_model('book', cascade => true);
drop schema book cascade;
