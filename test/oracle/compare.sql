-- Where the extension's answers differ from the oracle's; run in the transaction of expected.sql. Every view should be empty.
create or replace temp view asked as
select q.as_of, a.*, l.u from oracle.question q join oracle.account a using (account) join oracle.ledger l using (account);

create temp table answered on commit drop as
select account, as_of, to_jsonb(m) as record
from (select account, as_of, health.metrics(u, as_of, catalog, window_days, account_start, seats, onboarding_days, onboarding_events, onboarding_window, features, daily_cap, inactive_after_days) as m from asked offset 0) r;

create or replace temp view different_values as
select account, as_of, metric, actual, expected
from (select account, as_of, metric, actual, case actual when 'true' then 1 when 'false' then 0 else actual::float8 end as number
      from answered, lateral jsonb_each_text(record - '{top_user,first_event,last_event,weekly}'::text[]) r (metric, actual)) a
     full join (select account, as_of, metric, value, value::text as expected from oracle.expected) e using (account, as_of, metric)
where (number is null) <> (value is null) or abs(number - value) > 1e-11 * greatest(1, abs(value));

create or replace temp view different_others as
select account, as_of, 'top_user, first_event, last_event, weekly' as metric, (record -> 'top_user', record -> 'first_event', record -> 'last_event', record -> 'weekly')::text as actual, e::text as expected
from answered join oracle.expected_other e using (account, as_of)
where (record ->> 'top_user', record ->> 'first_event', record ->> 'last_event', record -> 'weekly') is distinct from (e.top_user, e.first_event::text, e.last_event::text, to_jsonb(e.weekly));

create or replace temp view different_reasons as
select account, as_of, metric, a.reason as actual, e.reason as expected
from (select account, as_of, m.metric, m.reason from asked, health.unknown_metrics(u, as_of, catalog, window_days, account_start, seats, onboarding_days, onboarding_events, onboarding_window, features, daily_cap, inactive_after_days) m) a
full join (select * from oracle.expected where value is null) e using (account, as_of, metric)
where a.reason is distinct from e.reason;

-- Every function of one metric says what the record says, to the last bit. Those that are not told the window, or the start, or for how long users
-- count, take the defaults, and may know an account to be silent that the record does not, or the other way round.
create or replace temp view different_singles as
select account, as_of, metric, actual, expected
from (select account, as_of, to_jsonb(single) as single from asked, lateral (select
        health.total_users(u, as_of), health.active_users(u, as_of, catalog, window_days), health.events(u, as_of, catalog, window_days),
        health.activation_rate(u, as_of, catalog, window_days), health.activation_rate_low(u, as_of, catalog, window_days), health.activation_rate_high(u, as_of, catalog, window_days),
        health.coverage(u, as_of, catalog, window_days), health.adoption_rate(u, as_of, seats, catalog, window_days),
        health.onboarding_activation(u, as_of, catalog, onboarding_days, onboarding_events, onboarding_window), health.invite_conversion(u, as_of, catalog, onboarding_days),
        health.trend_4w(u, as_of, catalog, account_start), health.trend_4w_users(u, as_of, catalog, account_start), health.trend_4w_value(u, as_of, catalog, account_start, daily_cap => daily_cap),
        health.dropoff(u, as_of, catalog, account_start), health.baseline(u, as_of, catalog, account_start), health.baseline_users(u, as_of, catalog, account_start), health.baseline_value(u, as_of, catalog, account_start, daily_cap => daily_cap),
        health.slope_4w(u, as_of, catalog), health.dip_streak(u, as_of, catalog), health.cadence(u, as_of, catalog, account_start), health.recency_weeks(u, as_of, catalog), health.cadence_recency(u, as_of, null, catalog),
        health.events_per_user_week(u, as_of, catalog, window_days), health.stickiness(u, as_of, catalog, window_days), health.interaction(u, as_of, catalog, window_days),
        health.reply_ratio(u, as_of, catalog, window_days), health.spread(u, as_of, catalog, window_days), health.creators(u, as_of, catalog, window_days),
        health.breadth(u, as_of, catalog, window_days, features), health.depth(u, as_of, catalog, window_days, daily_cap => daily_cap), health.value_points(u, as_of, catalog, window_days, daily_cap => daily_cap),
        health.sessions_per_user_week(u, as_of, catalog, window_days), health.amount_sum(u, as_of, catalog, window_days), health.amount_mean(u, as_of, catalog, window_days),
        health.recency_days(u, as_of, catalog), health.growth(u, as_of, catalog, window_days), health.time_to_value(u, as_of, catalog, account_start), health.trial_use(u, as_of, catalog, account_start),
        health.dormant_users(u, as_of, catalog, window_days), health.power_user_dependency(u, as_of, catalog, window_days), health.top_user(u, as_of, catalog, window_days),
        health.top2_share(u, as_of, catalog, window_days), health.top3_share(u, as_of, catalog, window_days), health.hhi(u, as_of, catalog, window_days), health.effective_users(u, as_of, catalog, window_days),
        health.hhi_normalized(u, as_of, catalog, window_days), health.gini(u, as_of, catalog, window_days), health.absence_factor(u, as_of, catalog, window_days),
        health.first_event(u, as_of, catalog), health.last_event(u, as_of, catalog), health.weekly(u, as_of, 12, catalog)) single) s
     join answered using (account, as_of) join answer using (account, as_of),
     lateral jsonb_each_text(record) r (metric, expected) full join lateral jsonb_each_text(single) s1 (metric, actual) using (metric)
where actual is distinct from expected and inactive_after_days = 365
  and (answer.last_event >= as_of - least(28, window_days) or account_start is null and window_days = 28);

create or replace temp view different_series as
select account, day as as_of, 'metrics_series' as metric, s::text as actual, m::text as expected
from (select * from asked where account % 10 = 0) a,
     lateral (select d::date as day, health.metrics(u, d::date, catalog, window_days, account_start, seats, onboarding_days, onboarding_events, onboarding_window, features, daily_cap, inactive_after_days) as m
              from generate_series(as_of - 9, as_of, interval '3 days') d offset 0) m
     full join lateral (select s.as_of as day, to_jsonb(s) - 'as_of' as s
              from health.metrics_series(u, as_of - 9, as_of, 3, catalog, window_days, account_start, seats, onboarding_days, onboarding_events, onboarding_window, features, daily_cap, inactive_after_days) s) s using (day)
where s is distinct from to_jsonb(m);

-- Users in order of their contributions: events, or value points.
create or replace temp view different_top_users as
select account, as_of, 'top_users' as metric, actual::text, expected::text
from asked,
     lateral (select array_agg((user_id, round(contribution::numeric, 6), round(share::numeric, 9))::text order by n) from health.top_users(u, as_of, 4, catalog, window_days, by_value => account % 2 = 0, daily_cap => daily_cap) with ordinality t (user_id, contribution, share, n)) t (actual),
     lateral (select array_agg((p.u, round(x, 6), round(x / nullif(total, 0), 9))::text order by x desc, rank)
              from (select *, sum(x) over () as total, row_number() over (order by x desc, rank) as place
                    from (select *, case when account % 2 = 0 then points else n end as x from per_user where (per_user.account, per_user.as_of) = (asked.account, asked.as_of)) p) p
              where place <= 4) o (expected)
where actual is distinct from expected;

-- Chosen events, whatever the catalog says of them; one user's recency; value points instead of events.
create or replace temp view different_choices as
select asked.account, asked.as_of, 'choice ' || n as metric, actual, expected
from asked,
     lateral (select count(distinct f.u) as users, count(*) as events, max(day) as last_day, sum(amount) as amount
              from oracle.fact f where f.account = asked.account and f.event in ('e1', 'e3') and day >= as_of - window_days and day < as_of) w,
     lateral (select max(day) as last_day, min(day) as first_day from oracle.fact f where f.account = asked.account and f.event in ('e1', 'e3') and day < as_of) f,
     lateral (select sum(points) as t, max(points) as top, sum(points * points) as squares from per_user p where (p.account, p.as_of) = (asked.account, asked.as_of)) p,
     lateral (select wp, is_active from answer a where (a.account, a.as_of) = (asked.account, asked.as_of)) weeks,
     lateral (select f.u as one, max(day) filter (where qualifies and day < as_of) as seen from oracle.fact f where f.account = asked.account group by f.u order by md5(f.u) limit 1) one_user,
     lateral (values
        (1, health.active_users(asked.u, as_of, catalog, window_days, '{e1,e3}')::text, users::text),
        (2, health.events(asked.u, as_of, catalog, window_days, '{e1,e3}')::text, w.events::text),
        (3, health.last_event(asked.u, as_of, catalog, '{e1,e3}')::text, f.last_day::text),
        (4, health.first_event(asked.u, as_of, catalog, '{e1,e3}')::text, f.first_day::text),
        (5, round(health.amount_sum(asked.u, as_of, catalog, window_days, '{e1,e3}')::numeric, 6)::text, case when is_active then round(w.amount, 6) end::text),
        (6, health.recency_days(asked.u, as_of, catalog, null, one)::text, (as_of - seen)::text),
        (7, round(health.power_user_dependency(asked.u, as_of, catalog, window_days, by_value => true, daily_cap => daily_cap)::numeric, 9)::text, round(top / nullif(t, 0), 9)::text),
        (8, round(health.hhi(asked.u, as_of, catalog, window_days, by_value => true, daily_cap => daily_cap)::numeric, 9)::text, round(squares / nullif(t * t, 0), 9)::text),
        (9, health.dip_streak(asked.u, as_of, catalog, by_value => true, daily_cap => daily_cap)::text, (select min(week) - 1 from generate_series(1, 79) week where wp[week] > wp[week + 1] or wp[week] = wp[week + 1] and wp[week] > 0)::text),
        (10, health.events(health.without_user(asked.u, one), as_of)::text, (select count(*) from oracle.fact o where o.account = asked.account and o.u <> one and day >= as_of - 28 and day < as_of)::text),
        (11, (select sum(c.count)::text from health.cells(asked.u) c where c.event !~ '^\$'), (select nullif(count(*), 0)::text from oracle.fact o where o.account = asked.account))
     ) c (n, actual, expected)
where actual is distinct from expected;

-- What happens on as_of or later changes no answer. The roster is known as a whole, and who leaves on as_of has left.
create temp table past on commit drop as
select q.account, q.as_of, health.usage_agg(s.u::ID_TYPE, event, at, amount, zone) as u
from oracle.question q join (select *, (at at time zone zone)::date as day from oracle.source) s using (account)
where day < as_of or event = '$joined' or event = '$deactivated' and day = as_of
group by 1, 2;
create or replace temp view different_pasts as
select account, as_of, key as metric, value as actual, record ->> key as expected
from (select account, as_of, health.metrics(coalesce(p.u, '{}'), as_of, catalog, window_days, account_start, seats, onboarding_days, onboarding_events, onboarding_window, features, daily_cap, inactive_after_days) as m
      from asked left join past p using (account, as_of) offset 0) r
     join answered using (account, as_of), lateral jsonb_each_text(to_jsonb(m))
where value is distinct from record ->> key;
