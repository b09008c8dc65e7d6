-- Prints the report of a score view: the book, the portfolio, one score and one change explained, data checks, what to type.
--
-- psql variables: model (its score view is scores.<model>), title ('' = the model's description), model_file,
--                 account ('' = chosen here),
--                 load_seconds, score_seconds. Fits 120 columns.
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset border 0
\pset null ''
set datestyle = iso;

create function pg_temp.percent(share double precision, form text) returns text language sql immutable as $$
  select to_char(100 * share, form)
$$;
-- Names that are too long end in dots.
create function pg_temp.shorten(name text, width integer) returns text language sql immutable as $$
  select case when length(name) > width then left(name, width - 2) || '..' else name end
$$;

-- Breaks a long sentence into lines.
create function pg_temp.fold(sentence text) returns text language sql immutable as $$
  select rtrim(regexp_replace(sentence, '(.{1,118})(\s+|$)', E'\\1\n', 'g'), E'\n')
$$;

-- The score view, with the columns that only some models have (kind, arr) taken out of their rows.
create temp view book as
select s.*, to_jsonb(s) ->> 'kind' as story, (to_jsonb(s) ->> 'arr')::numeric as money from scores.:model s;
select as_of, as_of - 28 as four_weeks_before, model_version, count(*) filter (where in_book) as accounts,
       sum(total_users) filter (where in_book) as users, count(*) - count(*) filter (where in_book) as others,
       count(*) filter (where state <> 'active') > 0 as has_states,
       bool_or(story is not null) as has_stories, bool_or(money is not null) as has_money, count(*) <= 60 as is_small
from book group by as_of, model_version \gset
select coalesce(nullif(:'title', ''), :'model' || ': ' || (health.model_definition(:'model') ->> 'description'), :'model') as title \gset

\echo
\echo :title
\echo :accounts accounts with :users users, scored as of :as_of by version :model_version of model :model
\echo 'loaded in' :load_seconds 's, scored with eight weeks of daily history in' :score_seconds s
\echo
\echo 'THE BOOK'
create temp view bands as
select coalesce(band, case when band is null and score is not null then state end, 'not scored: ' || string_agg(distinct unknown_reason, '; ')) as band, count(*) as accounts,
       round(100.0 * count(*) / :accounts) as "% of all", sum(money) as money, count(*) filter (where change_28d >= 5) as "up 5 or more in 28 days",
       count(*) filter (where change_28d <= -5) as "down 5 or more", round(100 * avg(data_coverage)::numeric) as "% of data known", max(score) as top
from book where in_book group by book.band, case when band is null and score is not null then state end;
\if :has_money
  select band, accounts, "% of all", to_char(money, 'FM999,999,999,999') as "ARR", round(100 * money / sum(money) over ()) as "% of ARR",
         "up 5 or more in 28 days", "down 5 or more", "% of data known"
  from bands order by top desc nulls last;
\else
  select band, accounts, "% of all", "up 5 or more in 28 days", "down 5 or more", "% of data known" from bands order by top desc nulls last;
\endif

-- Beside the score: where customers stand. Of each state one account, that with the most money or people.
create temp view stands as
select s.state, s.accounts, to_char(s.money, 'FM999,999,999,999') as "ARR", b.name, coalesce(b.state_reason, b.main_reason) as known, b.next_step as step,
       array_position(array['active', 'onboarding', 'onboarding_stalled', 'silent', 'never_started', 'prospect', 'ended'], s.state) as place
from (select state, count(*) as accounts, sum(money) as money,
             (array_agg(account_id order by money desc nulls last, total_users desc, account_id))[1] as account_id
      from book where state is not null group by state) s join book b using (account_id);
\if :has_states
\echo 'WHERE THEY STAND'
\if :has_money
  select state, accounts, "ARR", pg_temp.shorten(name, 14) as "such as", pg_temp.shorten(known, 36) as "what is known of it",
         pg_temp.shorten(step, 34) as "next step"
  from stands order by place;
\else
  select state, accounts, pg_temp.shorten(name, 20) as "such as", pg_temp.shorten(known, 37) as "what is known of it", pg_temp.shorten(step, 37) as "next step"
  from stands order by place;
\endif
\endif

-- Which accounts to print: all of a small book; of a large one the ends, the movers and two of each story.
create temp view picked as
with middles as (
  select story, percentile_cont(0.5) within group (order by score) as middle from book where in_book group by story
), ranked as (
  select b.account_id, b.story,
         rank() over (order by b.score desc nulls last, b.account_id) as best,
         rank() over (order by b.score nulls last, b.account_id) as worst,
         rank() over (order by b.change_28d desc nulls last, b.account_id) as riser,
         rank() over (order by b.change_28d nulls last, b.account_id) as faller,
         -- The two of a story that lie nearest its median score: the typical ones.
         rank() over (partition by b.story order by abs(b.score - m.middle) nulls last, b.account_id) as typical
  from book b left join middles m on m.story is not distinct from b.story
  where b.in_book
)
select account_id, places.*
from ranked, lateral (
  select case when :'is_small' then 'all'
              when best <= depth then 'best' when worst <= depth then 'worst'
              when faller <= depth then 'falls most' when riser <= depth then 'rises most'
              when :'has_stories' and typical <= 2 then story end as why,
         not (:'is_small' or best <= depth or worst <= depth or faller <= depth or riser <= depth) as by_story
  from (select case when :'has_stories' then 2 else 6 end as depth) d
) as places
where why is not null;

-- A large book is printed in sections: a row with the section's name before its accounts.
create temp view portfolio as
select dense_rank() over (order by p.by_story, case when p.by_story then p.why end, case when not p.by_story then best_of end desc) as section,
       p.why, pg_temp.shorten(b.name, case when :'has_money' then 18 else 24 end) as account, lpad(round(b.money / 1000) || 'k', 5) as "  ARR",
       round(b.score::numeric, 1) as score, b.score as exact_score, b.account_id::text as account_id, b.band,
       health.sparkline(b.weekly::numeric[]) as "12 weeks", lpad(pg_temp.percent(b.activation_rate, 'FM9990'), 6) as active,
       lpad(pg_temp.percent(b.trend_4w, 'FMSG9990'), 5) as trend, lpad(pg_temp.percent(b.power_user_dependency, 'FM990'), 3) as top,
       lpad(to_char(round(b.change_28d::numeric), 'FMSG990'), 4) as "28 d", replace(coalesce(b.main_reason, b.unknown_reason), ' points)', ')') as reason
from (select *, max(score) over (partition by why) as best_of from picked join book using (account_id)) p join book b using (account_id);

create temp view sections as
select section, why, null::text as account, null::text as "  ARR", null::numeric as score, null::float8 as exact_score, null::text as account_id,
       null::text as band, null::text as "12 weeks", null::text as active, null::text as trend, null::text as top, null::text as "28 d", null::text as reason
from portfolio where not :'is_small' group by section, why;

\echo 'PORTFOLIO'
\echo '  active: % of users in the window · trend: last 4 weeks against the 4 before, % · top: % done by the busiest user'
\echo '  28 d: points gained or lost in 28 days'
\echo
\if :has_money
  select coalesce('  ' || account, why) as account, "  ARR", score, band, "12 weeks", active, trend, top, "28 d", pg_temp.shorten(reason, 44) as "main reason"
  from (select * from sections union all select * from portfolio) rows
  order by section, account_id is not null, exact_score desc nulls last, account_id;
\else
  select coalesce(account, why) as account, score, band, "12 weeks", active, trend, top, "28 d", pg_temp.shorten(reason, 45) as "main reason"
  from (select * from sections union all select * from portfolio) rows
  order by section, account_id is not null, exact_score desc nulls last, account_id;
\endif

-- Explained: the account doing well that hangs on one person. Changed: the fall with the most money (or points) at stake.
select coalesce(nullif(:'account', ''),
         (select account_id::text from book where score >= 50 and active_users >= 3
          order by power_user_dependency desc nulls last, account_id limit 1),
         (select account_id::text from book order by score desc nulls last, account_id limit 1)) as explained,
       coalesce(nullif(:'account', ''),
         (select account_id::text from book order by change_28d * coalesce(money, 1) nulls last, account_id limit 1)) as changed \gset
select format('WHY HAS %s %s POINTS?', upper(name), coalesce(round(score::numeric, 1)::text, 'NO')) as explained_heading,
       format('select * from health.explain(%L, %L);', :'model', :'explained') as explain_statement,
       case when abs(score - score_without_top_user) >= 1
              then format('Without its busiest user the score would be %s. ', round(score_without_top_user::numeric, 1)) else '' end
         || 'Next step: ' || coalesce(next_step, 'none in the model') as explained_advice
from book where account_id::text = :'explained' \gset
select format('WHAT MOVED %s IN 28 DAYS?', upper(name)) as changed_heading,
       format('select * from health.explain(%L, %L, %L, %L);', :'model', :'changed', :'four_weeks_before', :'as_of') as change_statement
from book where account_id::text = :'changed' \gset

create temp table explanation as select * from health.explain(:'model', :'explained');
create temp table change as select * from health.explain(:'model', :'changed', :'four_weeks_before', :'as_of');
select pg_temp.fold((select phrase from explanation where signal = 'score')) as explained_sentence,
       pg_temp.fold((select phrase from change where step = 'total')) as changed_sentence \gset

\echo :explained_heading
\echo '  ' :explain_statement
\echo
select repeat('  ', greatest(level - 1, 0)) || label as signal, pg_temp.shorten(coalesce(raw_text, round(raw::numeric, 2)::text), 12) as measured,
       round(normalized::numeric) as score, round(100 * weight::numeric, 1) as "weight %", round(points::numeric, 1) as points,
       pg_temp.shorten(coalesce(phrase, reason), 60) as finding
from explanation where signal <> 'score' order by "position";
\echo :explained_sentence
\echo :explained_advice
\echo
\echo :changed_heading
\echo '  ' :change_statement
\echo
select step, coalesce(label, signal) as signal, pg_temp.shorten(raw_from, 14) as "from", pg_temp.shorten(raw_to, 14) as "to", round(normalized_from::numeric) as "score from",
       round(normalized_to::numeric) as "score to", round(points::numeric, 1) as points
from change where step = 'total' or points <> 0 order by step = 'total', abs(points) desc;
\echo :changed_sentence
\echo

create temp table finding as select * from health.tracking_plan(:'model');
select count(*) > 0 as has_findings, format('select * from health.tracking_plan(%L);', :'model') as tracking_statement from finding \gset
\if :has_findings
  \echo 'WHAT IS WRONG WITH THE DATA?'
  \echo '  ' :tracking_statement
  \echo
  \pset tuples_only on
  \pset format unaligned
  select format(E'%s%s: %s%s%s\n    %s', f.finding, case when count(*) > 1 then format(' (%s)', count(*)) end,
                pg_temp.shorten(string_agg(f.name, ', ' order by f.events desc, f.name), 40),
                case when sum(f.events) > 0 then format(', %s events', sum(f.events))
                     when sum(f.users) > 0 then format(', %s users', sum(f.users)) end,
                case when min(f.first_day) is not null then format(' from %s to %s', min(f.first_day), max(f.last_day)) end, min(f.advice))
  from finding f group by f.finding order by sum(f.events) desc, f.finding;
  \pset tuples_only off
  \pset format aligned
  \echo
\endif

-- Whether it predicts, and what another window would do. A model of columns alone has no past to be tested on, and says so.
create function pg_temp.ask(statement text) returns text language plpgsql as $$
declare answer text;
begin
  execute statement into answer;
  return answer;
exception when others then
  return sqlerrm;
end $$;
select format('select note from health.backtest(%L, horizon => 28, step => 7) where section = ''verdict'';', :'model') as backtest_statement,
       format('select * from health.what_if(%L, ''{"window_days": %s}'');', :'model', w.days) as what_if_statement, w.days as wider
from (select 2 * coalesce((d.own ->> 'window_days')::int, (p.definition ->> 'window_days')::int, 28) as days
      from (select health.model_definition(:'model') as own) d left join health.presets() p on p.name = d.own ->> 'preset') w \gset
select pg_temp.fold(pg_temp.ask(:'backtest_statement')) as predicts,
       pg_temp.fold(pg_temp.ask(format('select format(''With a window of %s days %%s accounts change band, and the mean score goes from %%s to %%s.'', n, '
         'round(before::numeric, 1), round(after::numeric, 1)) from health.what_if(%L, ''{"window_days": %1$s}'') where section = ''summary''',
         :'wider', :'model'))) as what_if \gset
\echo 'DOES IT PREDICT?'
\echo '  ' :backtest_statement
\echo :predicts
\echo '  ' :what_if_statement
\echo :what_if
\echo

select health.model_definition(:'model') ? 'revenue' as has_revenue \gset
\if :has_revenue
  \echo 'REVENUE'
  select format('select * from health.mrr_movements(%L, %L, %L);   select * from health.renewals(%1$L);', :'model',
                (date :'as_of' - interval '6 months')::date, :'as_of') as revenue_statement,
         format('select * from health.cohorts(%L, ''year'', ''retention'');', :'model') as cohort_statement \gset
  \echo '  ' :revenue_statement
  select to_char(period_start, 'YYYY-MM') as month, to_char(mrr_start, 'FM999,999,999') as "MRR", to_char(new_mrr, 'FM999,999,999') as new,
         to_char(expansion, 'FM999,999,999') as expansion, to_char(contraction, 'FM999,999,999') as contraction, to_char(churn, 'FM999,999,999') as churn,
         pg_temp.percent(nrr, 'FM990.0') as "NRR %", pg_temp.percent(grr, 'FM990.0') as "GRR %", lost_customers as lost
  from health.mrr_movements(:'model', (date :'as_of' - interval '6 months')::date, :'as_of') order by period_start;
  select renewal_window as "renewal, days", count(*) as customers, to_char(sum(mrr), 'FM999,999,999') as "MRR", count(*) filter (where at_risk) as "at risk",
         to_char(sum(mrr) filter (where at_risk), 'FM999,999,999') as "MRR at risk"
  from health.renewals(:'model') group by 1 order by min(days_left) nulls last;
\endif
select health.model_definition(:'model') ? 'flags' as has_flags \gset
\if :has_flags
  \echo 'FLAGS'
  select :'model' || '_flags' as flags_view \gset
  \echo '   select * from scores.':flags_view';'
  select kind, flag, count(*) as accounts, pg_temp.shorten((array_agg(name order by since, account_id))[1], 18) as "such as",
         pg_temp.shorten((array_agg(sentence order by since, account_id))[1], 58) as sentence
  from scores.:flags_view group by kind, flag order by kind, accounts desc, flag limit 12;
\endif
\if :has_revenue
  \echo 'WHO STAYS'
  \echo '  ' :cohort_statement
  select * from health.cohorts(:'model', 'year', 'retention') order by 1, 2 limit 8;
\endif

\echo 'FOR TABLES OF YOUR OWN'
\echo '  create extension account_health;'
\echo '  select name, description from health.presets();                -- start from one, or write signals of your own'
\echo '  \\set document `cat' :model_file'`' '   -- this report''s model: put in the names of your tables and columns'
\echo '  select * from health.validate_model(:''document'');              -- what is wrong with it, and the way out'
\echo '  select health.create_model(''mine'', :''document'');'
\echo '  select health.create_score_view(''mine'', ''customer_health'');    -- and _signals, _history for your BI tool'
\echo '  select name, score, band, main_reason, next_step from customer_health order by score;'
\echo '  select * from health.explain(''mine'', ''1001'');                  -- any account id of yours'
\echo '  select health.schedule(''mine'', ''0 4 * * *'');                   -- every night at 4, with pg_cron'
