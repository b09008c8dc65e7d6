-- Product events of the simulated company: about 400,000 over 60 weeks, told week by week and person by person.

create table app.events (
  event_id    bigint generated always as identity primary key,
  account_id  bigint not null,
  user_id     uuid,
  event_name  text not null,
  occurred_at timestamptz not null,
  minutes     double precision
);

-- What an account does in a week compared with its usual self. weeks_ago 0 is the week that ends the day before today.
create function gen.rhythm(kind text, weeks_ago integer, turning_week integer, monday date, customer_since date)
  returns double precision language sql immutable parallel safe
  return case kind
      when 'thriving' then 1.3 - 0.012 * weeks_ago
      when 'slowly fading' then case when weeks_ago >= turning_week then 1 else 0.10 + 0.90 * weeks_ago / turning_week end
      when 'two dips' then case weeks_ago when 0 then 0.38 when 1 then 0.68 else 1.0 end
      when 'dormant' then case when weeks_ago < turning_week then 0
                               when weeks_ago < turning_week + 6 then 0.15 * (weeks_ago - turning_week + 1) else 1 end
      -- Who is going to leave uses it less and less in the last two months.
      when 'left' then case when weeks_ago < turning_week then 0 else least(1, 0.1 + 0.11 * (weeks_ago - turning_week)) end
      when 'never started' then 0
      when 'about to start' then 0.7
      when 'brand new' then least(1.0, 0.45 + 0.15 * ((monday - customer_since) / 7))
      -- Schools: nothing in the summer holidays.
      when 'seasonal' then case when monday between '2024-06-10' and '2024-08-26' or monday >= '2025-06-09' then 0 else 1.1 end
      else 1 end
    -- Everybody is on holiday around the turn of the year.
    * case when monday between '2024-12-23' and '2024-12-30' then 0.3 else 1 end;

-- A hero does six times what all the others of the account do together.
update gen.person h
set eagerness = greatest(1.5, 6 * o.others)
from (select account_id, sum(eagerness) filter (where i > 1) as others from gen.person group by account_id) o
where h.kind = 'one hero user' and h.i = 1 and o.account_id = h.account_id;

create table gen.person_week as
select p.user_id, p.account_id, p.kind, p.creates, p.joined_on, p.left_on, p.who || '/' || w.monday as who_when, w.monday,
  floor(p.pace * p.eagerness * gen.rhythm(p.kind, w.weeks_ago, p.turning_week, w.monday, p.customer_since)
        * case when p.kind = 'two dips' and w.weeks_ago < 4 then 1 else 0.8 + 0.4 * gen.noise('week/' || p.account_id || '/' || w.monday) end
        + gen.noise('count/' || p.who || '/' || w.monday))::integer as events
from gen.person p,
  (select date :'first_monday' + 7 * k as monday, (date :'today' - date :'first_monday') / 7 - 1 - k as weeks_ago
   from generate_series(0, (date :'today' - date :'first_monday') / 7 - 1) k) w
where not p.never_joined and p.eagerness > 0
  and w.monday + 6 >= p.joined_on and w.monday < coalesce(p.left_on, date :'today')
  -- In a fading account people give up one after the other.
  and not (p.kind = 'slowly fading' and p.i > 1 and w.weeks_ago < gen.noise('gives up/' || p.who) * p.turning_week);

create table gen.event as
with drawn as (
  select user_id, account_id, kind, creates, joined_on, left_on, who_when || '/' || e as key, monday,
         gen.noise('what/' || who_when || '/' || e) as what, gen.noise('day/' || who_when || '/' || e) as day
  from gen.person_week, generate_series(1, events) e
), timed as (
  -- Five working days, a little on Saturday; office hours.
  select d.*, d.monday + least(floor(d.day * 5.2)::integer, 5) as day_of_event,
         make_interval(secs => 28800 + floor(gen.noise('time/' || d.key) * 36000)) as time_of_day
  from drawn d
)
select account_id, user_id, kind, key, (day_of_event + time_of_day) at time zone 'Europe/Berlin' as occurred_at,
  case when creates then
         case when what < 0.20 then 'video_created' when what < 0.32 then 'video_shared' when what < 0.47 then 'comment_left'
              when what < 0.59 then 'video_emoji_reaction_added' when what < 0.62 then 'video_first_replied_to'
              when what < 0.68 then 'video_viewed_by_team_member' else 'video_viewed' end
       else
         case when what < 0.02 then 'video_created' when what < 0.06 then 'video_shared' when what < 0.20 then 'comment_left'
              when what < 0.36 then 'video_emoji_reaction_added' else 'video_viewed' end
  end as event_name
from timed
where day_of_event >= joined_on and day_of_event < coalesce(left_on, date :'today');

insert into app.events (account_id, user_id, event_name, occurred_at, minutes)
select
  -- The tracker broke: since 16 June these accounts' events carry a workspace number instead of the account's.
  case when kind = 'tracking broken' and occurred_at >= '2025-06-16 00:00+02' then account_id + 900000 else account_id end,
  -- Two in a thousand come without a user (somebody watched without logging in).
  case when gen.noise('anonymous/' || key) >= 0.002 then user_id end,
  -- A mobile release of 2 June misspells one event name.
  case when event_name = 'video_viewed' and occurred_at >= '2025-06-02 00:00+02' and gen.noise('mobile/' || key) < 0.03
       then 'video_veiwed' else event_name end,
  occurred_at,
  case when event_name in ('video_created', 'video_viewed') then round((0.4 + 9 * gen.noise('minutes/' || key) ^ 2)::numeric, 1) end
from (
  select account_id, user_id, kind, key, occurred_at, event_name from gen.event
  union all
  -- The export bots open every video at night, five times a day; our own staff look in on Tuesdays.
  select u.account_id, u.user_id, a.kind, u.user_id || '/' || d || '/' || k, (d::date + time '02:00' + k * interval '7 minutes') at time zone 'Europe/Berlin', 'video_viewed'
  from app.users u join gen.account a using (account_id),
    generate_series(greatest(a.customer_since, date :'today' - 120), date :'today' - 1 - 7 * case when a.kind = 'left' then a.turning_week else 0 end,
                    interval '1 day') d, generate_series(1, 5) k
  where u.is_bot
  union all
  select u.account_id, u.user_id, a.kind, u.user_id || '/' || d, (d::date + time '11:00') at time zone 'Europe/Berlin', 'comment_left'
  from app.users u join gen.account a using (account_id),
    generate_series(date :'first_monday' + 1, date :'today' - 1, interval '7 days') d
  where u.email like '%@loopcast.example' and d >= a.customer_since and not (a.kind = 'left' and d >= date :'today' - 7 * a.turning_week)
) e
order by occurred_at, account_id, key;

create index on app.events (account_id, occurred_at);
comment on table app.events is 'Product events in arrival order; user_id is null for people who were not logged in';
comment on column app.events.minutes is 'Length of a created video or minutes watched';
