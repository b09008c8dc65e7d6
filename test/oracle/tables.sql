-- Tables of the oracle: event sets (one per account) with everything that metrics are asked with.
create schema oracle;

create table oracle.account (
    account int primary key, zone text, catalog jsonb, window_days int, account_start date, seats float8,
    onboarding_days int, onboarding_events int, onboarding_window int, features text[], daily_cap float8,
    inactive_after_days int);
create table oracle.event (account int, u text, event text, at timestamptz, amount float8);
create table oracle.marker (account int, u text, marker text, day date);
create table oracle.question (account int, as_of date);

-- What is known of an event once its local day and the catalog are looked up.
create table oracle.fact (account int, u text, event text, day date, amount numeric, qualifies boolean, roles text[], value numeric, feature text);
-- When users belonged to their account: from the day after joined to the day before until.
create table oracle.membership (account int, u text, joined date, until date);
create table oracle.user_rank (account int, u text, rank int);
create table oracle.expected (account int, as_of date, metric text, value float8, reason text);
create table oracle.expected_other (account int, as_of date, top_user text, first_event date, last_event date, weekly bigint[]);

create table oracle.ledger (account int primary key, u health.usage);

-- Events and markers as the rows of one source; ledgers that were made of them in other ways.
create table oracle.source (account int, u text, event text, at timestamptz, amount float8, zone text, chunk int);
create table oracle.other (way text, account int, u health.usage);
create table oracle.copied (account int, u health.usage);
create aggregate oracle.plus(health.usage) (sfunc = health_internal.usage_add, stype = health.usage, initcond = '{}');
create index on oracle.fact (account, u);
create index on oracle.membership (account, u);
create index on oracle.marker (account, u);
create index on oracle.question (account);
create index on oracle.expected (account, as_of);
create index on oracle.expected_other (account, as_of);
