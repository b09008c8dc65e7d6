-- Users of the simulated company: members, invited people who never joined, deactivated ones, our own staff and bots.

create table app.users (
  user_id        uuid primary key,
  account_id     bigint not null references crm.accounts,
  email          text not null,
  role           text not null,
  invited_at     timestamptz,
  joined_at      timestamptz,
  deactivated_at timestamptz,
  is_bot         boolean not null default false,
  department     text
);

create table gen.person as
with people as (
  select a.account_id, a.kind, a.customer_since, a.turning_week, a.pace, i, a.account_id || '/' || i as who
  from gen.account a, generate_series(1, a.people) i
), dated as (
  select p.*,
    -- Most people join early; in a thriving account four in ten joined during the last 16 weeks.
    case when kind = 'about to start' then date :'today' - 1 - floor(gen.noise('joined/' || who) * 20)::integer    -- for the trial
         when i = 1 then customer_since
         when kind = 'thriving' and gen.noise('late joiner/' || who) < 0.4
           then date :'today' - 3 - floor(gen.noise('joined/' || who) * 109)::integer
         else customer_since
           + floor(gen.noise('joined/' || who) ^ 2 * least(date :'today' - customer_since - 4, 300))::integer end as joined_on
  from people p
)
select d.*,
  i > 1 and gen.noise('never joined/' || who) < 0.05 as never_joined,
  case when i > 1 and kind <> 'brand new'
         and gen.noise('left/' || who) < case kind when 'slowly fading' then 0.22 when 'thriving' then 0.03 else 0.07 end
       then greatest(joined_on + 14, date :'today' - floor(gen.noise('left on/' || who)
                     * case kind when 'slowly fading' then 120 else 400 end)::integer) end as left_on,
  -- How eager a person is, 1 on average; a share of each account never gets going.
  case when kind = 'one hero user' and i > 1 then case when gen.noise('idle/' || who) < 0.45 then 0 else 0.04 + 0.10 * gen.noise('eager/' || who) end
       when i > 1 and gen.noise('idle/' || who) < case kind when 'thriving' then 0.08 when 'brand new' then 0.25 else 0.28 end then 0
       else 0.35 + 2.6 * gen.noise('eager/' || who) ^ 3 end as eagerness,
  i = 1 or gen.noise('creator/' || who) < 0.45 as creates,
  md5(:seed || '/user/' || who)::uuid as user_id
from dated d;

insert into app.users
select user_id, account_id, 'user' || i || '@account' || account_id || '.example',
  case when i = 1 then 'main contact' when i = 2 then 'admin' else 'member' end,
  case when i > 1 then (joined_on - 1 - floor(gen.noise('invited/' || who) * 6)::integer) + time '09:30' end at time zone 'Europe/Berlin',
  case when not never_joined then (joined_on + time '10:15') at time zone 'Europe/Berlin' end,
  case when not never_joined and left_on < date :'today' then (left_on + time '17:00') at time zone 'Europe/Berlin' end,
  false, (array['Sales', 'Support', 'Product', 'Marketing'])[1 + floor(gen.noise('department/' || who) * 4)::integer]
from gen.person
order by account_id, i;

-- Our own people sit in every sixth account and a busy export bot in every eighth. The model's user filter drops them.
insert into app.users
select md5(:seed || '/staff/' || account_id)::uuid, account_id, 'csm' || account_id || '@loopcast.example', 'member',
       null::timestamptz, (customer_since + time '08:00') at time zone 'Europe/Berlin', null::timestamptz, false, null
from gen.account where n % 6 = 0
union all
select md5(:seed || '/bot/' || account_id)::uuid, account_id, 'export-bot@account' || account_id || '.example', 'service',
       null::timestamptz, (customer_since + time '08:00') at time zone 'Europe/Berlin', null, true, null
from gen.account where n % 8 = 0;

create index on app.users (account_id);
comment on table app.users is 'People (and bots) of the accounts; joined_at is null while an invitation is open';
