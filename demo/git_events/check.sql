-- Recomputes the git_events report with plain SQL on the raw commits and compares: every metric of every project, and the
-- score of three projects worked out term by term. Run by `make demo DATA=... CHECK=1`; any difference is an error.
--
-- Nothing here calls the extension except to read the finished view.
\set ON_ERROR_STOP on
\pset border 1
select (health.model_definition(:'model') ->> 'as_of')::date as as_of \gset

-- A commit that touches code and tests makes two rows, so two events. Bots do not count, nor do events after the day.
create temp view facts as
select c.project, c.contributor, c.kind, (c.authored_at at time zone 'UTC')::date as day,
       case c.kind when 'commit_src' then 5 when 'commit_tests' then 5 when 'commit_docs' then 3 when 'commit_ci' then 2
                   when 'merge' then 2 else 1 end as points
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
), half_year_shares as (
  select project, max(points) / sum(points) as top from
    (select project, contributor, sum(points)::float8 as points from facts where day >= date :'as_of' - 182 group by 1, 2) x
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
select p.project,
  coalesce(r.members, 0) as total_users,
  coalesce(l.active, 0) as active_users,
  coalesce(l.events, 0) as events,
  l.active::float8 / nullif(r.members, 0) as activation_rate,
  case when (p.first_commit_at at time zone 'UTC')::date > date :'as_of' - 56 then null
       when coalesce(t.before, 0) = 0 and coalesce(t.recent, 0) = 0 then 0
       else coalesce(t.recent, 0)::float8 / nullif(t.before, 0) - 1 end as trend_4w,
  coalesce(t.active_weeks, 0) / 8.0::float8 as cadence,
  date :'as_of' - (select max(day) from facts f where f.project = p.project) as recency_days,
  coalesce(l.features, 0) / 4.0::float8 as breadth,
  s.top as power_user_dependency,
  h.top as dependency_26w,
  coalesce(n.new, 0) / b.members as growth_26w,
  (select array_agg(coalesce(w.events, 0) order by g desc) from generate_series(1, 12) g
   left join weeks w on w.week = g and w.project = p.project) as weekly
from git.projects p
left join last_12_weeks l using (project) left join trend t using (project) left join shares s using (project)
left join half_year_shares h using (project) left join newcomers n using (project) left join base b using (project)
left join roster r using (project) left join active_members a using (project)
where p.first_commit_at < :'as_of';
select * from plain order by 1;
