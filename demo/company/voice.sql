-- What customers say: support tickets and survey answers of the simulated company.

create table support.tickets (
  ticket_id  bigint generated always as identity primary key,
  account_id bigint not null references crm.accounts,
  opened_at  timestamptz not null,
  closed_at  timestamptz,
  severity   integer not null check (severity between 1 and 4)
);

-- Tickets in 200 days: a busy account has more, an unhappy one many more; some are still open.
insert into support.tickets (account_id, opened_at, closed_at, severity)
select account_id, opened, case when still_open then null else least(opened + make_interval(hours => 4 + floor(gen.noise('solved/' || key) * 120)::integer),
                                                                     timestamptz '2025-06-29 18:00+02') end,
       1 + floor(gen.noise('severity/' || key) * 4)::integer
from (
  select a.account_id, a.account_id || '/' || t as key,
    (date :'today' - 1 - floor(gen.noise('opened/' || a.account_id || '/' || t) ^ case when a.kind in ('slowly fading', 'two dips') then 2 else 1 end
                               * least(200, date :'today' - a.customer_since - 2))::integer + time '14:20') at time zone 'Europe/Berlin' as opened,
    gen.noise('open/' || a.account_id || '/' || t) < case when a.kind in ('slowly fading', 'two dips') then 0.30 else 0.08 end as still_open
  from gen.account a,
    generate_series(1, floor(a.people * case a.kind when 'dormant' then 0 when 'never started' then 0 when 'about to start' then 0 when 'slowly fading' then 0.45 when 'two dips' then 0.5 when 'brand new' then 0.4 else 0.25 end
                             + gen.noise('tickets/' || a.account_id))::integer) t
  where a.kind not in ('about to start', 'left')
) drawn
order by opened, account_id;

create table survey.answers (
  answer_id   bigint generated always as identity primary key,
  account_id  bigint not null references crm.accounts,
  user_id     uuid not null references app.users,
  answered_on date not null,
  nps         integer not null check (nps between 0 and 10)
);

-- One person in six answers; what they say fits the story. Those who are dormant, new, gone or have not begun were not asked.
insert into survey.answers (account_id, user_id, answered_on, nps)
select account_id, user_id, date :'today' - 1 - floor(gen.noise('answered/' || who) * 240)::integer,
  greatest(0, least(10, floor(case kind when 'thriving' then 8 when 'steady' then 6.5 when 'one hero user' then 6 when 'seasonal' then 7
                                        when 'slowly fading' then 3.5 when 'two dips' then 5 else 7 end + 4 * gen.noise('nps/' || who) - 0.8)))::integer
from gen.person
where not never_joined and left_on is null and kind not in ('dormant', 'brand new', 'left', 'never started', 'about to start') and gen.noise('answers/' || who) < 0.17
order by 3, account_id, who;

create index on support.tickets (account_id);
create index on survey.answers (account_id);
comment on table support.tickets is 'Support tickets; closed_at is null while a ticket is open';
comment on table survey.answers is 'One row per answered "how likely would you recommend us" question, 0..10';
