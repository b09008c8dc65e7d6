-- A simulated company: Loopcast sells video messaging to 300 business accounts. Same seed, same rows, every time.
-- psql variables: seed, accounts (how many; the stories keep their shares)
--
-- The tables look like those of a real warehouse: crm.accounts, app.users, app.events, support.tickets, survey.answers, billing.subscriptions,
-- product.requests.
-- crm.accounts.kind says which story the generator told about an account; no score reads it, the report shows it, so
-- that everybody can judge whether the score found the story out.
\if :{?seed} \else
  \set seed 7
\endif
\if :{?accounts} \else
  \set accounts 300
\endif
-- The company's "today" is the Monday after the last event. model.json names the same date.
\set today '2025-06-30'
\set first_monday '2024-05-06'

set client_min_messages = warning;
create schema crm;
create schema app;
create schema support;
create schema survey;
create schema gen;

comment on schema crm is 'Simulated company: accounts with plan, seats, ARR, renewal date';
comment on schema app is 'Simulated company: users and product events';
comment on schema support is 'Simulated company: tickets';
comment on schema survey is 'Simulated company: survey answers';

-- The only source of chance: a hash of a key and the seed, in [0, 1). Unlike random() it does not depend on the order
-- in which rows are made.
create function gen.noise(key text) returns double precision
  language sql immutable parallel safe strict
  return (hashtextextended(key, :seed) & 9007199254740991)::double precision / 9007199254740992;

\ir accounts.sql
\ir users.sql
\ir events.sql
\ir voice.sql
\ir billing.sql

drop schema gen cascade;
