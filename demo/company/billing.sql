-- What customers pay and what they ask for: yearly contracts of the simulated company, with the changes of price between them, and feature requests.

create schema billing;
create schema product;
comment on schema billing is 'Simulated company: subscriptions';
comment on schema product is 'Simulated company: feature requests';

create table billing.subscriptions (
  subscription_id bigint generated always as identity primary key,
  account_id      bigint not null references crm.accounts,
  plan            text not null,
  starts_on       date not null,
  ends_on         date not null,
  mrr             numeric(12, 2) not null
);

-- The present contract is that of crm.accounts; each year before it was a step smaller, or larger where the story fades. Whoever left broke off the last.
insert into billing.subscriptions (account_id, plan, starts_on, ends_on, mrr)
select a.account_id, a.plan, greatest(y.ends - interval '1 year', a.customer_since)::date, least(y.ends, a.ended_on),
  round((a.arr / 12 / (case when a.kind in ('slowly fading', 'two dips', 'dormant') then 0.9 when a.kind = 'thriving' then 1.25 else 1.06 end
                      + 0.1 * gen.noise('price/' || a.account_id)) ^ y.back)::numeric, 2)
from crm.accounts a
cross join lateral (select back, (a.renewal_date - back * interval '1 year')::date as ends from generate_series(0, 5) back) y
where y.ends > a.customer_since and y.ends - interval '1 year' < coalesce(a.ended_on, date :'today')
order by a.account_id, y.back desc;

create table product.requests (
  request_id  bigint generated always as identity primary key,
  account_id  bigint not null references crm.accounts,
  user_id     uuid not null references app.users,
  feature     text not null,
  asked_on    date not null,
  shipped_on  date
);

-- One active person in eight asks; what was asked for long ago is there by now, as a rule.
insert into product.requests (account_id, user_id, feature, asked_on, shipped_on)
select account_id, user_id, feature, asked_on,
       case when gen.noise('shipped/' || who) < 0.6 and asked_on + 70 < date :'today' then asked_on + 30 + floor(gen.noise('took/' || who) * 40)::integer end
from (
  select account_id, user_id, who, (array['captions', 'sso', 'folders', 'analytics', 'mobile editor', 'api'])[1 + floor(gen.noise('feature/' || who) * 6)::integer] as feature,
         greatest(joined_on, date :'today' - 1 - floor(gen.noise('asked/' || who) * 300)::integer) as asked_on
  from gen.person where not never_joined and eagerness > 0.5 and gen.noise('asks/' || who) < 0.125 and kind not in ('left', 'never started', 'about to start')
) asked
where asked_on < date :'today'
order by asked_on, account_id, who;

create index on billing.subscriptions (account_id);
create index on product.requests (account_id);
comment on table billing.subscriptions is 'One row per contract year; ends_on is the day after the last one that is paid for';
comment on table product.requests is 'Feature requests; shipped_on is null while a request is open';
