-- Accounts of the simulated company: names, kind of story, size, plan, seats, ARR, renewal date.

create table crm.accounts (
  account_id     bigint primary key,
  company        text not null unique,
  kind           text not null,
  industry       text not null,
  region         text not null,
  plan           text not null,
  seats          integer not null,
  arr            numeric(12, 2) not null,
  customer_since date not null,
  ended_on       date,
  renewal_date   date not null,
  csm            text not null
);

-- How many accounts of 300 tell which story.
create table gen.story (kind text primary key, accounts integer not null);
insert into gen.story values
  ('thriving', 42), ('steady', 94), ('one hero user', 32), ('slowly fading', 34), ('two dips', 26), ('dormant', 18),
  ('brand new', 22), ('seasonal', 14), ('tracking broken', 6), ('left', 6), ('never started', 3), ('about to start', 3);

create table gen.account as
with slots as (
  select kind, sum(accounts) over (order by kind) - accounts as first_slot, sum(accounts) over (order by kind) as next_slot
  from gen.story
), places as (
  select n, (row_number() over (order by gen.noise('place/' || n)) - 1) * 300 / :accounts as slot from generate_series(1, :accounts) n
), sized as (
  select p.n, s.kind, gen.noise('size class/' || p.n) as class, gen.noise('size/' || p.n) as size
  from places p join slots s on p.slot >= s.first_slot and p.slot < s.next_slot
)
select 1000 + n as account_id, n, kind,
  -- People: many small accounts, few large ones. A hero needs somebody to be a hero among.
  case when kind = 'one hero user' then 6 + floor(size * 22)
       when kind = 'brand new' then 4 + floor(size * 14)
       when class < 0.34 then 3 + floor(size * 6)
       when class < 0.82 then 9 + floor(size * 17)
       else 26 + floor(size * 50) end::integer as people,
  case when kind = 'brand new' then date :'today' - 9 - floor(gen.noise('since/' || n) * 32)::integer
       when kind = 'about to start' then date :'today' + 4 + floor(gen.noise('since/' || n) * 24)::integer
       else date :'today' - 150 - floor(gen.noise('since/' || n) * 1200)::integer end as customer_since,
  -- Weeks ago (0 = the newest) at which the story turns.
  case kind when 'dormant' then 8 + floor(gen.noise('turn/' || n) * 12)
            when 'slowly fading' then 18 + floor(gen.noise('turn/' || n) * 10)
            when 'left' then 1 + floor(gen.noise('turn/' || n) * 12) end::integer as turning_week,
  1.4 + 2.2 * gen.noise('pace/' || n) as pace
from sized;

insert into crm.accounts
with words as (
  select array['Alder', 'Birch', 'Cobalt', 'Dune', 'Ember', 'Fjord', 'Granite', 'Harbour', 'Indigo', 'Juniper', 'Kestrel',
               'Lumen', 'Maple', 'Nimbus', 'Onyx', 'Pebble', 'Quarry', 'Raven', 'Sable', 'Tundra'] as first_word,
         array['Analytics', 'Bikes', 'Clinics', 'Design', 'Energy', 'Foods', 'Games', 'Hotels', 'Insurance', 'Logistics',
               'Media', 'Networks', 'Optics', 'Pharma', 'Robotics'] as second_word
), named as (
  select a.*,
    -- 20 x 15 word pairs make 300 different names. Seasonal customers are schools and say so.
    w.first_word[1 + (a.n - 1) % 20] || ' ' || case when a.kind = 'seasonal' then 'School ' || a.n
                                                    when a.n > 300 then w.second_word[1 + (a.n - 1) / 20 % 15] || ' ' || a.n
                                                    else w.second_word[1 + (a.n - 1) / 20] end as company,
    case when a.kind = 'seasonal' then 'Education' else w.second_word[1 + (a.n - 1) / 20 % 15] end as industry,
    case when a.people < 9 then 'Starter' when a.people < 26 then 'Professional' else 'Enterprise' end as plan,
    -- A thriving account has hardly a free seat; others bought more than they use.
    ceil(a.people * case when a.kind = 'thriving' then 1.02 + 0.10 * gen.noise('seats/' || a.n)
                         else 1.05 + 0.65 * gen.noise('seats/' || a.n) end)::integer as seats
  from gen.account a, words w
), priced as (
  select n.*, (n.seats * 12 * case n.plan when 'Starter' then 25 when 'Professional' then 60 else 110 end)::numeric as arr,
         extract(year from age(date :'today', n.customer_since))::integer as full_years
  from named n
)
select account_id, company, kind, industry,
  (array['EMEA', 'AMER', 'APAC'])[1 + floor(gen.noise('region/' || n) * 3)::integer], plan, seats, arr, customer_since,
  case when kind = 'left' then date :'today' - 7 * turning_week end,
  -- Yearly contracts: the next anniversary; one in thirty is overdue, because somebody still negotiates.
  case when full_years > 0 and gen.noise('overdue/' || n) < 0.033 then date :'today' - 1 - floor(gen.noise('late/' || n) * 20)::integer
       else (customer_since + make_interval(years => full_years + 1))::date end,
  (array['Ada', 'Bruno', 'Chidi', 'Dana', 'Elif', 'Farid'])[1 + n % 6]
from priced
order by account_id;

comment on table crm.accounts is 'One row per customer account';
comment on column crm.accounts.ended_on is 'First day on which the account is no customer any more; null while it is one';
comment on column crm.accounts.kind is 'The story that the generator told about the account; scores never read it';
