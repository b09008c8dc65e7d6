-- Every metric of docs/reference/metrics.md in plain SQL, straight from the events: value, or NULL and the reason.
truncate oracle.expected, oracle.expected_other;

create temp table q on commit drop as
select a.*, question.as_of,
       array(select distinct r from jsonb_each(coalesce(a.catalog, '{}')) c (name, rule),
                    lateral jsonb_array_elements_text(case jsonb_typeof(rule -> 'role') when 'string' then jsonb_build_array(rule -> 'role') when 'array' then rule -> 'role' else '[]' end) r) as roles,
       coalesce(features, case when coalesce(catalog, '{}') <> '{}' then array(select distinct coalesce(rule ->> 'feature', name) from jsonb_each(catalog) c (name, rule)) end) as entitled
from oracle.question join oracle.account a using (account);

-- The window's events, per user and day, per user, in total.
create temp table in_window on commit drop as
select q.account, q.as_of, q.daily_cap, f.u, f.event, f.day, f.amount, f.roles, f.value, f.feature
from q join oracle.fact f on f.account = q.account and f.qualifies and f.day >= q.as_of - q.window_days and f.day < q.as_of;

create temp table per_user on commit drop as
select account, as_of, u, rank, sum(n) as n, sum(points) as points, count(*) as days, bool_or(creates) as creates, bool_or(creates or consumes) as covers
from (select account, as_of, u, day, count(*) as n, least(sum(value), max(daily_cap)::numeric) as points,
             bool_or('create' = any (roles)) as creates, bool_or('consume' = any (roles)) as consumes
      from in_window group by account, as_of, u, day) d
     join oracle.user_rank using (account, u)
group by account, as_of, u, rank;

create index on per_user (account, as_of);
analyze q, in_window, per_user;

create temp table totals on commit drop as
select q.account, q.as_of, count(w.u) as events,
       count(*) filter (where 'interact' = any (w.roles)) as interactions, count(*) filter (where 'create' = any (w.roles)) as creations,
       count(*) filter (where 'session' = any (w.roles)) as sessions,
       sum(w.amount) as amount, count(w.amount) as amounts, count(distinct w.feature) filter (where w.feature = any (q.entitled)) as used_features
from q left join in_window w using (account, as_of) group by q.account, q.as_of;

create temp table users on commit drop as
select q.account, q.as_of, count(p.u) as active, coalesce(sum(p.days), 0) as user_days, coalesce(sum(p.points), 0) as points,
       count(*) filter (where p.creates) as creators, count(*) filter (where p.covers and p.entitled) as covered, count(*) filter (where p.entitled) as active_members,
       count(*) filter (where (select min(m.joined) from oracle.membership m where (m.account, m.u) = (p.account, p.u)) >= q.as_of - q.window_days
                          and (select min(m.joined) from oracle.membership m where (m.account, m.u) = (p.account, p.u)) < q.as_of) as newcomers
from q left join (select p.*, exists (select from oracle.membership m where (m.account, m.u) = (p.account, p.u) and m.joined < p.as_of and (m.until is null or m.until > p.as_of)) as entitled
                  from per_user p) p using (account, as_of) group by q.account, q.as_of;

create temp table shares on commit drop as
select account, as_of, count(*) as n, sum(n) as t, max(n) as top1, sum(n) filter (where place <= 2) as top2, sum(n) filter (where place <= 3) as top3,
       sum(n * n) as squares, sum(n * (count - place + 1)) as ranked, count(*) filter (where 2 * (reached - n) < total) as absence,
       max(u) filter (where place = 1) as top_user
from (select *, row_number() over w as place, sum(n) over w as reached, sum(n) over (partition by account, as_of) as total, count(*) over (partition by account, as_of) as count
      from per_user window w as (partition by account, as_of order by n desc, rank rows unbounded preceding)) r
group by account, as_of;

create temp table weeks on commit drop as
select account, as_of, array_agg(coalesce(n, 0) order by week) as n, array_agg(coalesce(points, 0) order by week) as points, array_agg(coalesce(users, 0) order by week) as users
from (select account, as_of, week from q, generate_series(1, 82) week) every_week
left join (select account, as_of, (as_of - 1 - day) / 7 + 1 as week, sum(n) as n, sum(points) as points, count(distinct u) as users
           from (select q.account, q.as_of, f.day, f.u, count(*) as n, least(sum(f.value), max(q.daily_cap)::numeric) as points
                 from q join oracle.fact f on f.account = q.account and f.qualifies and f.day < q.as_of group by 1, 2, 3, 4) d
           group by 1, 2, 3) busy using (account, as_of, week)
group by account, as_of;

create temp table answer on commit drop as
select q.window_days / 7.0 as weeks_in_window, q.*, t.events, t.interactions, t.creations, t.sessions, t.amount, t.amounts, t.used_features,
       us.active, us.user_days, us.points, us.creators, us.covered, us.active_members, us.newcomers,
       s.n as contributors, s.t, s.top1, s.top2, s.top3, s.squares, s.ranked, s.absence, s.top_user, w.n as w, w.points as wp, w.users as wu,
       (select count(distinct m.u) from oracle.membership m where m.account = q.account and m.joined < q.as_of and (m.until is null or m.until > q.as_of)) as total,
       (select count(distinct m.u) from oracle.membership m where m.account = q.account and m.joined < q.as_of - q.window_days and (m.until is null or m.until > q.as_of - q.window_days)) as total_before,
       coalesce(q.account_start, least((select min(f.day) from oracle.fact f where f.account = q.account and f.day < q.as_of),
                                       (select min(m.day) from oracle.marker m where m.account = q.account and m.marker = '$joined' and m.day < q.as_of and m.day > '0001-01-01'))) as start,
       exists (select from oracle.fact f where f.account = q.account and f.day < q.as_of)
         or exists (select from oracle.membership m where m.account = q.account and m.joined < q.as_of and (m.until is null or m.until > m.joined + 1)) as knows,
       (select count(distinct f.u) from oracle.fact f where f.account = q.account and f.qualifies and f.day >= q.as_of - 28 and f.day < q.as_of) as users_1_4,
       (select count(distinct f.u) from oracle.fact f where f.account = q.account and f.qualifies and f.day >= q.as_of - 56 and f.day < q.as_of - 28) as users_5_8,
       exists (select from oracle.marker m where m.account = q.account and m.marker = '$joined') as has_roster,
       exists (select from oracle.fact f where f.account = q.account and f.qualifies and 'session' = any (f.roles) and f.day < q.as_of) as had_sessions,
       exists (select from oracle.fact f where f.account = q.account and f.qualifies and f.roles && '{create,interact}' and f.day < q.as_of) as had_replies,
       -- Whether anybody is active: silent is an account without a qualifying event in the window that is old enough to tell.
       t.events > 0 as is_active,
       t.events = 0 and coalesce(q.account_start <= q.as_of and (q.account_start <= q.as_of - q.window_days or q.account_start <= q.as_of - 14), true) as is_silent,
       first_last.*, reached.first_value, newcomer.*, invited.*
from q join totals t using (account, as_of) join users us using (account, as_of) left join shares s using (account, as_of) join weeks w using (account, as_of),
     lateral (select min(f.day) as first_event, max(f.day) as last_event from oracle.fact f where f.account = q.account and f.qualifies and f.day < q.as_of) first_last,
     lateral (select min(f.day) as first_value from oracle.fact f where f.account = q.account and f.qualifies and 'activate' = any (f.roles) and f.day < q.as_of) reached,
     lateral (select count(*) as newcomers_due, count(*) filter (where done >= q.onboarding_events) as newcomers_done
              from (select m.u, (select count(distinct f.event) from oracle.fact f where (f.account, f.u) = (q.account, m.u) and f.qualifies and 'activate' = any (f.roles)
                                    and f.day >= min(m.joined) and f.day < min(m.joined) + q.onboarding_days) as done
                    from oracle.membership m where m.account = q.account group by m.u
                    having min(m.joined) >= q.as_of - q.onboarding_days - q.onboarding_window and min(m.joined) < q.as_of - q.onboarding_days) j) newcomer,
     lateral (select count(*) as invited_due,
                     count(*) filter (where exists (select from oracle.fact f where (f.account, f.u) = (q.account, i.u) and f.qualifies and f.roles && '{create,consume}' and f.day < q.as_of)) as invited_done
              from (select m.u from oracle.marker m where m.account = q.account and m.marker = '$invited' group by m.u having min(m.day) < q.as_of - q.onboarding_days) i) invited;

create index on answer (account, as_of);
analyze answer;

-- x / y, where y = 0 makes it unknown.
create or replace function pg_temp.ratio(x numeric, y numeric) returns float8 language sql immutable as $$ select (x / nullif(y, 0))::float8 $$;
create or replace function pg_temp.change(x numeric, y numeric) returns float8 language sql immutable as $$ select ((x - y) / nullif(y, 0))::float8 $$;
-- Mean of four weeks / median of those before, of weeks first to last.
create or replace function pg_temp.against_usual(w numeric[], first int, last int) returns float8 language sql immutable as $$
    select (w[first] + w[first + 1] + w[first + 2] + w[first + 3])::float8 / 4
           / nullif((select percentile_cont(0.5) within group (order by w[week]::float8) from generate_series(first + 4, last) week), 0) $$;
create or replace function pg_temp.baseline(w numeric[], lived int) returns float8 language sql immutable as $$
    select pg_temp.against_usual(w, 1, least(lived, 30)) / coalesce(nullif(case when lived >= 64 then pg_temp.against_usual(w, 53, least(lived, 82)) end, 0), 1) - 1 $$;

-- When nobody is active: `real` is the value or its own gap; `known` the value, or nobody_active; `none` nobody_active. Too young and no such role stay.
insert into oracle.expected
select account, as_of, metric, case when is_silent and silent = 'none' then null else value end,
       case when is_silent and silent = 'none' or value is null
            then case when is_silent and silent <> 'real' and coalesce(reason, '') not in ('not_applicable', 'insufficient_history') then 'nobody_active' else coalesce(reason, no_whole) end end
from answer,
     lateral (select case when knows then 'zero_denominator' else 'no_data' end as no_whole,
                     case when is_active or is_silent then 'nobody_active' when knows then 'zero_denominator' else 'no_data' end as nothing,
                     case when start is null and not knows then 'no_data' else 'insufficient_history' end as young,
                     -- Of unknown start no silent account is too young.
                     case when account_start is null and is_silent then 12 else coalesce((as_of - start) / 7, 0) end as age,
                     case when start is null then 30 else greatest(12, (as_of - start) / 7) end as lived,
                     case when start is null then 8 else greatest(1, least(8, (as_of - start) / 7)) end as available,
                     case when 'create' = any (roles) or 'consume' = any (roles) then null else 'not_applicable' end as no_coverage,
                     case when 'create' = any (roles) then null else 'not_applicable' end as no_create,
                     case when 'interact' = any (roles) then null else 'not_applicable' end as no_interact,
                     case when 'activate' = any (roles) then null else 'not_applicable' end as no_activate,
                     case when 'session' = any (roles) then null else 'not_applicable' end as no_session,
                     active_members / nullif(total, 0)::float8 as p, 1.959963984540054 as z) x,
     lateral (values
        ('total_users', 'real', total::float8, null),
        ('active_users', 'real', active, null),
        ('events', 'real', events, null),
        ('activation_rate', 'known', pg_temp.ratio(active_members, total), null),
        ('activation_rate_low', 'known', case when total > 0 then (p + z * z / (2 * total) - z * sqrt(p * (1 - p) / total + z * z / (4.0 * total * total))) / (1 + z * z / total) end, null),
        ('activation_rate_high', 'known', case when total > 0 then (p + z * z / (2 * total) + z * sqrt(p * (1 - p) / total + z * z / (4.0 * total * total))) / (1 + z * z / total) end, null),
        ('coverage', 'known', case when no_coverage is null then pg_temp.ratio(covered, total) end, no_coverage),
        ('adoption_rate', 'real', active_members / nullif(seats, 0), case when seats is null then 'no_data' else 'zero_denominator' end),
        ('onboarding_activation', 'none', case when no_activate is null then pg_temp.ratio(newcomers_done, newcomers_due) end, no_activate),
        ('invite_conversion', 'real', case when no_coverage is null then pg_temp.ratio(invited_done, invited_due) end, no_coverage),
        ('trend_4w', 'known', case when age >= 8 then pg_temp.change(w[1] + w[2] + w[3] + w[4], w[5] + w[6] + w[7] + w[8]) end,
            case when age < 8 then young when w[1] + w[2] + w[3] + w[4] = 0 then nothing else 'zero_denominator' end),
        ('trend_4w_users', 'known', case when age >= 8 then pg_temp.change(users_1_4, users_5_8) end, case when age < 8 then young when users_1_4 = 0 then nothing else 'zero_denominator' end),
        ('trend_4w_value', 'known', case when age >= 8 then pg_temp.change(wp[1] + wp[2] + wp[3] + wp[4], wp[5] + wp[6] + wp[7] + wp[8]) end,
            case when age < 8 then young when wp[1] + wp[2] + wp[3] + wp[4] = 0 then nothing else 'zero_denominator' end),
        ('dropoff', 'known', case when age >= 5 then pg_temp.change(w[1], (w[2] + w[3] + w[4] + w[5]) / 4.0) end, case when age < 5 then young when w[1] = 0 then nothing else 'zero_denominator' end),
        ('baseline', 'known', case when age >= 12 then pg_temp.baseline(w, lived) end,
            case when age < 12 then young when w[1] + w[2] + w[3] + w[4] = 0 then nothing else 'zero_denominator' end),
        ('baseline_users', 'known', case when age >= 12 then pg_temp.baseline(wu, lived) end,
            case when age < 12 then young when wu[1] + wu[2] + wu[3] + wu[4] = 0 then nothing else 'zero_denominator' end),
        ('baseline_value', 'known', case when age >= 12 then pg_temp.baseline(wp, lived) end,
            case when age < 12 then young when wp[1] + wp[2] + wp[3] + wp[4] = 0 then nothing else 'zero_denominator' end),
        ('slope_4w', 'none', (select (regr_slope(w[5 - week]::float8, week) / nullif(avg(w[5 - week]), 0)::float8) from generate_series(1, 4) week), nothing),
        ('dip_streak', 'known', (select min(week) - 1 from generate_series(1, 79) week where w[week] > w[week + 1] or w[week] = w[week + 1] and w[week] > 0), nothing),
        ('cadence', 'real', case when age >= 1 then (select avg((w[week] > 0)::int)::float8 from generate_series(1, available) week) end, young),
        ('recency_weeks', 'known', case when (as_of - 1 - first_event) / 7 >= 2 then (as_of - 1 - last_event) / 7 end, case when first_event is null then 'no_data' else 'insufficient_history' end),
        -- Nobody gave it parameters.
        ('cadence_recency', 'real', null, 'no_data'),
        ('events_per_user_week', 'none', pg_temp.ratio(events / weeks_in_window, active), nothing),
        ('stickiness', 'none', pg_temp.ratio(user_days / window_days, active), nothing),
        ('interaction', 'none', case when no_interact is null then pg_temp.ratio(interactions / weeks_in_window, active) end, coalesce(no_interact, nothing)),
        ('reply_ratio', 'none', case when coalesce(no_interact, no_create) is null then pg_temp.ratio(interactions, creations) end,
            coalesce(no_interact, no_create, case when interactions > 0 then 'zero_denominator' when is_active and not had_replies then 'not_applicable' else nothing end)),
        ('spread', 'none', case when no_create is null then pg_temp.ratio(creators, active) end, coalesce(no_create, nothing)),
        ('creators', 'real', case when no_create is null then creators end, no_create),
        ('breadth', 'real', used_features / nullif((select count(distinct f) from unnest(entitled) f), 0)::float8, case when entitled is null then 'not_applicable' else 'zero_denominator' end),
        ('depth', 'none', pg_temp.ratio(points, active), nothing),
        ('value_points', 'real', points, null),
        ('sessions_per_user_week', 'none', case when no_session is null and had_sessions then pg_temp.ratio(sessions / weeks_in_window, active) end,
            coalesce(no_session, case when active > 0 then 'no_data' else nothing end)),
        ('amount_sum', 'none', amount, 'no_data'),
        ('amount_mean', 'none', pg_temp.ratio(amount, amounts), 'no_data'),
        ('recency_days', 'known', as_of - last_event, 'no_data'),
        ('growth', 'none', pg_temp.ratio(newcomers, total_before), null),
        ('time_to_value', 'known', case when no_activate is null then case when start is not null and first_value is not null then greatest(0, first_value - start) end end, coalesce(no_activate, 'no_data')),
        ('trial_use', 'known', case when no_activate is null then (first_value < start)::int end, coalesce(no_activate, 'no_data')),
        ('dormant_users', case when has_roster then 'real' else 'none' end, total - active_members, null),
        ('power_user_dependency', 'none', pg_temp.ratio(top1, t), nothing),
        ('top2_share', 'none', pg_temp.ratio(top2, t), nothing),
        ('top3_share', 'none', pg_temp.ratio(top3, t), nothing),
        ('hhi', 'none', pg_temp.ratio(squares, t * t), nothing),
        ('effective_users', 'none', pg_temp.ratio(t * t, squares), nothing),
        ('hhi_normalized', 'none', case when contributors > 1 then pg_temp.ratio(squares / (t * t) - 1.0 / contributors, 1 - 1.0 / contributors) end, case when contributors = 1 then 'not_applicable' else nothing end),
        ('gini', 'none', pg_temp.ratio(2 * ranked - (contributors + 1) * t, contributors * t), nothing),
        ('absence_factor', 'none', absence, nothing)) m (metric, silent, value, reason);

insert into oracle.expected_other
select account, as_of, top_user, first_event, last_event, array(select w[week] from generate_series(12, 1, -1) week) from answer;
analyze oracle.expected, oracle.expected_other;
