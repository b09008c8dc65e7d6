-- The presets: all score once the tables are named, and say by their coverage which columns they lack.
set datestyle = 'ISO';
select name, description from health.presets();

-- Each is a sound document as soon as it has sources, and every leaf has a label.
select p.name, count(m.*) as problems from health.presets() p
left join lateral health.model_problems(p.definition || '{"accounts": {"table": "a", "id": "i"}, "events": {"table": "e", "account": "a", "user": "u", "event": "n", "occurred_at": "t"}}') m on true
group by p.name order by 1;
select p.name, count(*) as leaves, count(*) filter (where l.signal ->> 'label' is null) as without_label,
       count(*) filter (where l.signal -> 'next_step' is null) as without_next_step
from health.presets() p, health_internal.leaf_signals(p.definition) l group by p.name order by 1;

-- feedback_portal has exactly the reference weights: parts 60/50/40, 90/100/50, 70/80/20 give 51, 85, 58 and 63.3, stable.
with groups as (
  select g.position, (g.signal ->> 'weight')::float8 as weight, array_agg((s.signal ->> 'weight')::float8 order by s.position) as weights
  from health.presets() p, jsonb_array_elements(p.definition -> 'signals') with ordinality g (signal, position),
       jsonb_array_elements(g.signal -> 'signals') with ordinality s (signal, position)
  where p.name = 'feedback_portal' group by 1, 2
), parts as (
  select g.weight, health.health_score(v.parts, g.weights) as score
  from groups g join (values (1, array[60, 50, 40]::float8[]), (2, array[90, 100, 50]), (3, array[70, 80, 20])) v (position, parts) using (position) order by position
)
select array_agg(round(score::numeric, 1)) as parts, round(health.health_score(score, weight)::numeric, 1) as health, health.band(health.health_score(score, weight)) from parts;

-- A small book: a hero-user account, a broad one, one that never started.
create schema book;
create table book.accounts (id text primary key, name text, since date, seats int, arr numeric, plan_tier text, renewal_date timestamptz);
create table book.users (id int primary key, account text, joined date);
create table book.events (account text, who int, what text, at date);
insert into book.accounts values ('hero', 'Hero Ltd', '2024-01-01', 5, 12000, 'Pro', '2025-06-30'), ('wide', 'Wide Inc', '2023-01-01', 5, 90000, 'Enterprise', '2025-03-20'),
                                 ('idle', 'Idle GmbH', '2025-01-01', 5, 3000, 'Starter', '2025-12-31');
insert into book.users select u, (array['hero', 'wide', 'idle'])[1 + (u - 1) / 5], '2024-06-01' from generate_series(1, 15) u;
insert into book.events select 'hero', 1, e, d::date from generate_series('2024-12-01'::timestamp, '2025-03-02', '1 day') d,
  unnest('{video_created,feedback_submitted,record_created,session_started}'::text[]) e;
insert into book.events select 'hero', 2, e, '2025-02-20' from unnest('{video_viewed,vote_cast,record_viewed}'::text[]) e;
insert into book.events select 'wide', 6 + extract(day from d)::int % 5, e, d::date from generate_series('2024-12-01'::timestamp, '2025-03-02', '1 day') d,
  unnest('{video_created,comment_left,video_viewed,feedback_submitted,vote_cast,record_created,item_shared,report_viewed,session_started}'::text[]) e;
select p.name, health.create_model(p.name, jsonb_build_object('preset', p.name, 'as_of', '2025-03-03',
  'accounts', '{"table": "book.accounts", "id": "id", "name": "name", "start": "since", "seats": "seats"}'::jsonb,
  'users', '{"table": "book.users", "id": "id", "account": "account", "joined": "joined"}'::jsonb,
  'events', '{"table": "book.events", "account": "account", "user": "who", "event": "what", "occurred_at": "at"}'::jsonb)) as version
from health.presets() p;
select health.create_score_view(p.name, 'book.' || p.name || '_score') from health.presets() p;
select * from (
  select model, account_id, round(score::numeric, 1) as score, band, round(data_coverage::numeric, 2) as coverage, main_reason, next_step from book.collaboration_score
  union all select model, account_id, round(score::numeric, 1), band, round(data_coverage::numeric, 2), main_reason, next_step from book.feedback_portal_score
  union all select model, account_id, round(score::numeric, 1), band, round(data_coverage::numeric, 2), main_reason, next_step from book.customer_success_score
  union all select model, account_id, round(score::numeric, 1), band, round(data_coverage::numeric, 2), main_reason, next_step from book.value_weighted_score) s
order by model, account_id;
-- Unlisted events count in signals and metric columns alike, where the preset says so.
select s.account_id, s.events, (select count(*) from book.events e where e.account = s.account_id and e.at between '2025-02-03' and '2025-03-02') as all_events,
       c.events as listed_for_collaboration
from book.customer_success_score s join book.collaboration_score c using (account_id) order by 1;
-- Score, metrics and signals from one decode are those of the three functions by themselves.
\set ECHO none
select format($query$
    with one as (
        select l.account_id, l.as_of, l.usage, l.account_start, l.seats,
               row(array[health.slice(l.usage, null, '2025-01-20'), null, health.slice(l.usage, '2025-01-20', null)], l.as_of, l.account_start, l.seats, l.inputs,
                   l.observed, l.segments, l.past_inputs, l.past_observed, l.repeated, null, null, null, null, null, null)::health.account_state as account
        from book.%1$I l
    ), detailed as (select o.account_id, o.as_of, d.* from one o, health_internal.score_details(%4$L, o.account) d
    ), signals as (select d.account_id, r.* from detailed d, health_internal.signal_rows(%4$L, d.as_of, d.signals) r)
    select %5$L as model, (select count(*) from detailed) as accounts, (select count(*) from signals) as signals,
           (select count(*) from detailed d full join one o using (account_id) full join book.%2$I v using (account_id), health.score_account(%4$L, o.account) s,
                   health.metrics(o.usage, o.as_of, account_start => o.account_start, seats => o.seats, %6$s) m
            where not coalesce(to_jsonb(v) @> to_jsonb(d) - 'signals' and to_jsonb(d) @> to_jsonb(s) - 'coverage' and d.data_coverage is not distinct from s.coverage
                               and to_jsonb(d) @> to_jsonb(m), false)) as other_scores,
           (select count(*) from (select n::text from signals n
                                  except all select row(v.account_id, v.position, v.signal, v.parent, v.label, v.level, v.raw, v.raw_text, v.normalized, v.weight,
                                                        v.points, v.reason, v.phrase, v.next_step, v.counted, v.basis, v.book)::text from book.%3$I v) d) as other_signals $query$,
    p.name || '_score_ledger', p.name || '_score', p.name || '_score_signals', health_internal.scoring_document(v.document), p.name,
    -- The settings of the model, as metrics() takes them.
    format('catalog => %L, window_days => %s, onboarding_days => %s, onboarding_events => %s, onboarding_window => %s, features => %L, daily_cap => %L',
           v.document -> 'catalog' || case v.document ->> 'unlisted_events' when 'count' then '{"*": {}}' else '{}' end::jsonb, coalesce(v.document ->> 'window_days', '28'),
           coalesce(v.document #>> '{onboarding,days}', '7'), coalesce(v.document #>> '{onboarding,events}', '1'), coalesce(v.document #>> '{onboarding,window_days}', '28'),
           case when v.document ? 'features' then array(select jsonb_array_elements_text(v.document -> 'features')) end, v.document ->> 'daily_cap'))
from health.presets() p, health_internal.find_version(p.name, 1) v order by p.name \gexec
\set ECHO all
-- What is absent is unknown, and weighs on coverage only.
select signal, raw_text, round(normalized::numeric, 1) as normalized, reason from book.feedback_portal_score_signals where account_id = 'wide' order by position;

-- The percentile reference is frozen: the others' change moves nobody.
select l.signal ->> 'name' as signal, l.signal #> '{normalize,reference}' as reference
from health_internal.leaf_signals(health.model_definition('feedback_portal', complete => true)) l where l.signal #>> '{normalize,kind}' = 'percentile';
update book.accounts set arr = 1000000 where id <> 'wide';
select signal, raw_text, round(normalized::numeric, 1) as normalized from health.explain('feedback_portal', 'wide') where signal = 'arr';
-- A change of something else keeps it; refreeze_references takes the present book.
select health.alter_model('feedback_portal', '{"minimum_coverage": 0.4}');
select signal, round(normalized::numeric, 1) as normalized from health.explain('feedback_portal', 'wide') where signal = 'arr';
select health.refreeze_references('feedback_portal');
select signal, round(normalized::numeric, 1) as normalized from health.explain('feedback_portal', 'wide') where signal = 'arr';
select health.refreeze_references('feedback_portal');
-- Peers by segment; a book without values gives a notice.
select health.create_model('peers', '{"as_of": "2025-03-03", "accounts": {"table": "book.accounts", "id": "id"},
  "events": {"table": "book.events", "account": "account", "user": "who", "event": "what", "occurred_at": "at"},
  "signals": [{"name": "arr", "column": "arr", "normalize": {"kind": "percentile", "segment": "seats"}},
              {"name": "activity", "metric": "events", "normalize": {"kind": "percentile"}},
              {"name": "none", "expression": "nullif(seats, 5)", "normalize": {"kind": "percentile"}}]}');
select signal, raw_text, round(normalized::numeric, 1) as normalized, reason from health.explain('peers', 'wide');
select l.signal #> '{normalize,reference}' as reference from health_internal.leaf_signals(health.model_definition('peers', complete => true)) l;

select count(health.drop_model(name, cascade => true)::text) as dropped from health_internal.model;
set client_min_messages = warning;
drop schema book cascade;
