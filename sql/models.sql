-- Models as data: create, alter, versions, export, drop.
set datestyle = 'ISO';
create schema shop;
create table shop.accounts (account_id int primary key, company text, plan text, tickets int);
create table shop.users (user_id int primary key, account_id int, is_bot boolean not null default false);
create table shop.events (account_id int, user_id int, event_name text, occurred_at timestamptz);

-- A document comes back as it was written; its tables are looked up when it is created.
set search_path = shop, public;
select health.create_model('shop', '{
  "as_of": "2025-03-03",
  "accounts": {"table": "accounts", "id": "account_id", "name": "company"},
  "users": {"table": "users", "id": "user_id", "account": "account_id", "exclude": "is_bot"},
  "events": {"table": "events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [{"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]
}', 'A shop');
reset search_path;
select jsonb_pretty(health.model_definition('shop') -> 'accounts');
select jsonb_pretty(health.model_definition('shop', complete => true) -> 'accounts');

-- What comes out goes in again and comes out the same.
set search_path = shop, public;
select health.create_model('shop_again', health.model_definition('shop'));
reset search_path;
select health.model_definition('shop_again') = health.model_definition('shop') as equal,
       health.model_definition('shop_again', complete => true) = health.model_definition('shop', complete => true) as equal_complete;

-- A change of top-level keys is a new version; the old one stays. Null removes a key. Nothing new is no new version.
select health.alter_model('shop', '{"window_days": 30, "events": {"table": "shop.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "accounts": {"table": "shop.accounts", "id": "account_id"}, "users": {"table": "shop.users", "id": "user_id"}}');
select health.alter_model('shop', '{"window_days": 30}');
select health.alter_model('shop', '{"window_days": null}');
select v, health.model_definition('shop', v) -> 'window_days' as window_days from generate_series(1, 3) v;
-- A whole document takes the place of another, which is how one goes back; shown and undone.
begin;
set local search_path = shop, public;
select health.alter_model('shop', health.model_definition('shop', 1), replace => true);
select health.model_definition('shop') = health.model_definition('shop', 1) as as_before;
rollback;
select name, current_version, comment from health_internal.model order by name;
select model, version from health_internal.model_version order by model, version;

-- Versions are immutable, for superusers as well.
-- What touches the catalog by hand.
\set SHOW_CONTEXT never
update health_internal.model_version set definition = '{}' where model = 'shop' and version = 1;
delete from health_internal.model_version where model = 'shop' and version = 1;

\set SHOW_CONTEXT errors
-- Mistakes.
select health.create_model('shop', health.model_definition('shop'));
select health.create_model('', '{}');
select health.alter_model('shoop', '{}');
select health.alter_model('shop', '[]');
select health.model_definition('shop', 9);
select health.model_definition('no such model at all');
select health.drop_model('shoop');

select health.drop_model('shop');
select health.drop_model('shop_again');
select count(*) from health_internal.model_version;

-- A preset is the base; own keys win; catalog, onboarding and history merge by key.
select health.create_model('preset', '{"preset": "collaboration",
  "accounts": {"table": "shop.accounts", "id": "account_id"},
  "events": {"table": "shop.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "catalog": {"video_created": {"role": "create", "value": 9, "feature": "record"}, "own_event": {"value": 3, "feature": "record"}, "member_invited": null},
  "features": null, "onboarding": {"days": 3}}');
with c as (select health.model_definition('preset', complete => true) as document)
select document #> '{catalog,video_created,value}' as overridden, document #> '{catalog,own_event,value}' as added,
       document #> '{catalog,comment_left,value}' as kept, document -> 'catalog' ? 'member_invited' as removed_event_is_there,
       document ? 'features' as removed_key_is_there, document -> 'onboarding' as onboarding, document ? 'preset' as names_preset
from c;
select health.model_definition('preset') ->> 'preset' as preset;
select health.drop_model('preset');

-- Own models for everybody, other people's for their owners.
create role regress_health_alice;
create role regress_health_bob;
grant usage on schema shop to regress_health_alice;
grant select on all tables in schema shop to regress_health_alice;
set role regress_health_alice;
select health.create_model('alices', '{
  "as_of": "2025-03-03",
  "accounts": {"table": "shop.accounts", "id": "account_id"},
  "events": {"table": "shop.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [{"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]
}');
select health.model_definition('alices') as definition \gset
select name, owner from health_internal.model;
set role regress_health_bob;
select name, owner from health_internal.model;
select health.alter_model('alices', '{"window_days": 7}');
select health.drop_model('alices');
select * from health.explain('alices', 1);
delete from health_internal.model;
-- What touches the catalog by hand.
\set SHOW_CONTEXT never
insert into health_internal.model (name, owner, current_version) values ('bobs', 'regress_health_alice', 1);
\set SHOW_CONTEXT errors
select health.model_definition('alices');
select health.create_model('bobs', :'definition');
reset role;
-- Whoever asks, the expressions of a model run as its owner.
select * from health.explain('alices', 1);
-- Nor is a superuser tricked into dropping what belongs to others.
create materialized view shop.report as select 1 as one;
set role regress_health_alice;
insert into health_internal.score_view (schema_name, view_name, model, model_version, materialized) values ('shop', 'report', 'alices', 1, true);
reset role;
select health.drop_model('alices', cascade => true);
set role regress_health_alice;
delete from health_internal.score_view;
select health_internal.delete_rows('alices', 'score view', 'shop', 'report');
select health.drop_model('alices');
select count(*) from health_internal.model_version;
reset role;
-- A model of a group is its members': each may put views on it, which are the group's, and drop them.
create role regress_health_team;
grant regress_health_team to regress_health_alice, regress_health_bob;
grant create, usage on schema shop to regress_health_team;
grant select on all tables in schema shop to regress_health_team;
set role regress_health_team;
select health.create_model('ours', '{
  "as_of": "2025-03-03",
  "accounts": {"table": "shop.accounts", "id": "account_id"},
  "events": {"table": "shop.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [{"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]
}');
set role regress_health_bob;
select health.create_score_view('ours', 'shop.bobs');
set role regress_health_alice;
select health.create_score_view('ours', 'shop.alices');
select health.alter_model('ours', '{"window_days": 7}');
select health.refresh_score_view('shop.alices');
select health.drop_score_view('shop.alices');
select health.drop_score_view('shop.bobs');
reset role;
select health.drop_model('ours', cascade => true);
set client_min_messages = warning;
drop schema shop cascade;
drop owned by regress_health_team, regress_health_alice, regress_health_bob;
drop role regress_health_alice;
drop role regress_health_bob;
drop role regress_health_team;
