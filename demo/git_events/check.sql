-- Recomputes the git_events report with plain SQL on the raw commits and compares: every metric of every project, and the
-- score of three projects worked out term by term. Run by `make demo DATA=... CHECK=1`; any difference is an error.
--
-- psql variable: model. Nothing here calls the extension: the finished views are read, all else is counted again.
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
set client_min_messages = warning;
select max(as_of) as as_of, :'model' || '_signals' as signals_view from scores.:model \gset
create temp view scored as select account_id as project, score from scores.:model;

-- A commit that touches code and tests makes two rows, so two events. Bots do not count, nor do events after the day.
create temp view facts as
select c.project, c.contributor, c.kind, (c.authored_at at time zone 'UTC')::date as day
from git.commits c
where not c.is_bot and (c.authored_at at time zone 'UTC')::date < :'as_of';

create temp view members as
select project, contributor, min((first_commit_at at time zone 'UTC')::date) as joined
from git.contributors
where not is_bot and (first_commit_at at time zone 'UTC')::date < :'as_of' and (away_at at time zone 'UTC')::date > :'as_of'
group by 1, 2;

create temp table plain as
with last_12_weeks as (
  select project, count(*) as events, count(distinct contributor) as active,
         count(distinct case kind when 'commit_src' then 'code' when 'commit_tests' then 'tests'
                                  when 'commit_docs' then 'docs' when 'commit_ci' then 'ci' end) as features
  from facts where day >= date :'as_of' - 84 group by 1
), weeks as (
  select project, (date :'as_of' - 1 - day) / 7 + 1 as week, count(*) as events
  from facts where day >= date :'as_of' - 84 group by 1, 2
), trend as (
  select project, sum(events) filter (where week <= 4) as recent, sum(events) filter (where week between 5 and 8) as before,
         count(*) filter (where week <= 8) as active_weeks
  from weeks group by 1
), shares as (
  select project, max(n) / sum(n) as top from
    (select project, contributor, count(*)::float8 as n from facts where day >= date :'as_of' - 84 group by 1, 2) x
  group by 1
), newcomers as (
  select f.project, count(*) filter (where first_day >= date :'as_of' - 182)::float8 as new
  from (select project, contributor, min(day) as first_day from facts group by 1, 2) f group by 1
), base as (
  select project, count(distinct contributor)::float8 as members
  from git.contributors
  where not is_bot and (first_commit_at at time zone 'UTC')::date < date :'as_of' - 182
    and (away_at at time zone 'UTC')::date > date :'as_of' - 182
  group by 1
), roster as (
  select project, count(*) as members from members group by 1
), active_members as (
  select m.project, count(*) as n from members m
  where exists (select from facts f where f.project = m.project and f.contributor = m.contributor and f.day >= date :'as_of' - 84)
  group by 1
)
select p.project, (p.first_commit_at at time zone 'UTC')::date as started, t.before, b.members as base_members,
  coalesce(r.members, 0) as total_users,
  coalesce(l.active, 0) as active_users,
  coalesce(l.events, 0) as events,
  coalesce(l.active, 0)::float8 / nullif(r.members, 0) as activation_rate,
  case when (p.first_commit_at at time zone 'UTC')::date > date :'as_of' - 56 then null
       else coalesce(t.recent, 0)::float8 / nullif(t.before, 0) - 1 end as trend_4w,
  -- Nothing after nothing has no value, and the lowest score.
  coalesce(t.before, 0) = 0 and coalesce(t.recent, 0) = 0 and (p.first_commit_at at time zone 'UTC')::date <= date :'as_of' - 56 as nothing_after_nothing,
  -- So has all that cannot be measured of a project in which nobody is active.
  coalesce(l.active, 0) = 0 and (p.first_commit_at at time zone 'UTC')::date <= date :'as_of' - 14 as silent,
  case when (p.first_commit_at at time zone 'UTC')::date <= date :'as_of' - 7 then coalesce(t.active_weeks, 0) / 8.0::float8 end as cadence,
  date :'as_of' - (select max(day) from facts f where f.project = p.project) as recency_days,
  coalesce(l.features, 0) / 4.0::float8 as breadth,
  s.top as power_user_dependency,
  case when l.active > 0 then coalesce(n.new, 0) / b.members end as growth_26w,
  (select array_agg(coalesce(w.events, 0) order by g desc) from generate_series(1, 12) g
   left join weeks w on w.week = g and w.project = p.project) as weekly
from git.projects p
left join last_12_weeks l using (project) left join trend t using (project) left join shares s using (project)
left join newcomers n using (project) left join base b using (project)
left join roster r using (project) left join active_members a using (project);

-- 1. Every metric of every project, plain SQL against the view. Rounded to 9 digits: nothing more is lost on either side.
create temp table difference as
select p.project, m.*
from plain p join scores.:model v on v.account_id = p.project, lateral (values
  ('total_users', p.total_users::text, v.total_users::text),
  ('active_users', p.active_users::text, v.active_users::text),
  ('events', p.events::text, v.events::text),
  ('activation_rate', round(p.activation_rate::numeric, 9)::text, round(v.activation_rate::numeric, 9)::text),
  ('trend_4w', round(p.trend_4w::numeric, 9)::text, round(v.trend_4w::numeric, 9)::text),
  ('cadence', round(p.cadence::numeric, 9)::text, round(v.cadence::numeric, 9)::text),
  ('recency_days', p.recency_days::text, v.recency_days::text),
  ('breadth', round(p.breadth::numeric, 9)::text, round(v.breadth::numeric, 9)::text),
  ('power_user_dependency', round(p.power_user_dependency::numeric, 9)::text, round(v.power_user_dependency::numeric, 9)::text),
  ('weekly', p.weekly::text, v.weekly::text)
) as m (metric, plain, view)
where m.plain is distinct from m.view
union all
select p.project, 'growth (26 weeks)', round(p.growth_26w::numeric, 9)::text, round(s.raw::numeric, 9)::text
from plain p join scores.:signals_view s on s.account_id = p.project and s.signal = 'newcomers'
where round(p.growth_26w::numeric, 9) is distinct from round(s.raw::numeric, 9);

-- 2. The score of three projects, term by term from the normalisers of model.json. What few people or few commits say counts as (n x + k m)/(n + k),
-- m being the median of the projects that are not silent; of those that are it counts as it is.
create temp table by_hand as
with median as (
  select percentile_cont(0.5) within group (order by trend_4w) as trend_4w, percentile_cont(0.5) within group (order by growth_26w) as growth_26w,
         percentile_cont(0.5) within group (order by power_user_dependency) as top,
         percentile_cont(0.5) within group (order by activation_rate) as activation_rate
  from plain where not silent and started <= date :'as_of'
), counted as (
  select p.project, p.silent, p.nothing_after_nothing, p.cadence, p.recency_days, p.breadth, p.active_users,
         (p.before * p.trend_4w + k.events * m.trend_4w) / (p.before + k.events) as trend_4w,
         (p.active_users * p.power_user_dependency + k.people * m.top) / (p.active_users + k.people) as power_user_dependency,
         (p.base_members * p.growth_26w + k.people * m.growth_26w) / (p.base_members + k.people) as growth_26w,
         (p.total_users * p.activation_rate + k.people * m.activation_rate) / nullif(p.total_users + k.people, 0) as activation_rate
  from plain p cross join median m cross join lateral (select case when silent then 0 else 20 end as events,
                                                              case when silent then 0 else 3 end as people) k
), terms as (
  select project, t.part, t.share, t.signal, t.weight,
         -- least() and greatest() skip NULL; an unknown value has to stay unknown.
         case when t.measured is not null then t.value when p.silent or t.signal = 'trend' and p.nothing_after_nothing then 0 end as value
  from counted p, lateral (values
      ('activity', 0.45, 'cadence', 0.35, p.cadence, 100 * p.cadence),
      ('activity', 0.45, 'recency', 0.25, p.recency_days, 100 * power(2.0, -p.recency_days / 30.0)),
      ('activity', 0.45, 'breadth', 0.2, p.breadth, 100 * p.breadth),
      ('activity', 0.45, 'trend', 0.2, p.trend_4w, case when p.trend_4w <= -0.15 then 55 * (p.trend_4w + 1) / 0.85
                                            when p.trend_4w <= 0 then 55 + 15 * (p.trend_4w + 0.15) / 0.15
                                            else least(100, 70 + 30 * p.trend_4w / 0.5) end),
      ('community', 0.55, 'contributors', 0.3, p.active_users, case when p.active_users <= 1 then 20 * p.active_users
                                                    when p.active_users <= 3 then 20 + 15 * (p.active_users - 1)
                                                    when p.active_users <= 10 then 50 + 30 * (p.active_users - 3) / 7.0
                                                    else least(100, 80 + 20 * (p.active_users - 10) / 15.0) end),
      ('community', 0.55, 'bus_factor', 0.3, p.power_user_dependency, greatest(0, least(100, 100 * (1 - p.power_user_dependency) / 0.75))),
      ('community', 0.55, 'newcomers', 0.2, p.growth_26w, case when p.growth_26w <= 0.1 then 500 * p.growth_26w
                                                 else least(100, 50 + 50 * (p.growth_26w - 0.1) / 0.4) end),
      ('community', 0.55, 'retention', 0.2, p.activation_rate, least(100, 100 * p.activation_rate / 0.6))
    ) as t (part, share, signal, weight, measured, value)
), parts as (
  -- An unknown value leaves its weight to its siblings.
  select project, part, share, sum(weight * value) / sum(weight) filter (where value is not null) as value
  from terms group by project, part, share
)
select project, max(value) filter (where part = 'activity') as activity, max(value) filter (where part = 'community') as community,
       sum(share * value) / sum(share) filter (where value is not null) as score
from parts group by project;

\echo
\echo 'CHECKED WITH PLAIN SQL'
select count(*) as projects, 11 * count(*) as "values compared", (select count(*) from difference) as differences,
       count(*) filter (where abs(b.score - v.score) < 1e-9) as "scores equal",
       count(*) filter (where v.score is null) as "not scored"
from by_hand b join scores.:model v on v.account_id = b.project;

select b.project, p.total_users as users, p.active_users as active, p.events, p.weekly, round(p.trend_4w::numeric, 4) as trend,
       round(p.power_user_dependency::numeric, 4) as top, round(p.growth_26w::numeric, 4) as growth, p.recency_days as days
from by_hand b join plain p using (project) where b.project in ('PostgREST/postgrest', 'pgvector/pgvector', 'pipelinedb/pipelinedb') order by 1;
select b.project, round(b.activity::numeric, 6) as "activity by hand", round(b.community::numeric, 6) as "community by hand",
       round(b.score::numeric, 6) as "score by hand", round(v.score::numeric, 6) as "score of the view"
from by_hand b join scores.:model v on v.account_id = b.project
where b.project in ('PostgREST/postgrest', 'pgvector/pgvector', 'pipelinedb/pipelinedb') order by 1;

select count(*) > 0 as differ from difference \gset
\if :differ
  select * from difference order by 1, 2 limit 20;
\endif
do $$
begin
  if exists (select from difference) or exists (select from by_hand b join pg_temp.scored v using (project) where abs(b.score - v.score) >= 1e-9) then
    raise exception 'the view and plain SQL differ, see above';
  end if;
end $$;

-- 3. Bands hold.
\ir ../band_changes.sql
