-- What encodings.sql does in each database: names of the word in a model, its views, explanations, captured events.
create extension account_health;
create table accounts (id text, :"word" int);
insert into accounts values (:'word', 7), ('ascii', 3);
create table events (account_id text, user_id text, name text, at timestamptz);
insert into events select a, :'word' || u, :'word', '2025-06-20 12:00+00' from unnest(array[:'word', 'ascii']) a, generate_series(1, 3) u;
select health.create_model(:'word', jsonb_build_object('as_of', '2025-06-30', 'description', :'word', 'accounts', '{"table": "accounts", "id": "id"}'::jsonb,
  'catalog', jsonb_build_object(:'word', '{"role": "create"}'::jsonb), 'events',
  '{"table": "events", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": "at"}'::jsonb, 'signals', jsonb_build_array(
  jsonb_build_object('name', 'people ' || :'word', 'label', 'People of ' || :'word', 'metric', 'active_users', 'events', jsonb_build_array(:'word'),
    'normalize', '{"kind": "linear", "worst": 0, "best": 5}'::jsonb),
  jsonb_build_object('name', :'word', 'column', :'word', 'normalize', '{"kind": "linear", "worst": 0, "best": 10}'::jsonb)))) as version;
select health.create_score_view(:'word', 'scores'), health.create_score_view(:'word', 'plain', materialized => false);
select count(*) as same from scores join plain using (account_id, score, main_reason);
select account_id = :'word' as named, score, top_user = :'word' || 1 as top, creators, :"word" as raw from scores order by 1;
select signal in ('score', :'word', 'people ' || :'word') as named, raw, position(:'word' in phrase) > 0 as told from health.explain(:'word', :'word');
select health.track(:'word'), health.refresh_score_views(:'word');
insert into events values (:'word', :'word' || 4, :'word', '2025-06-21 12:00+00');
select health.refresh_score_views(:'word');
select account_id = :'word' as named, active_users, top_user = :'word' || 1 as top from scores order by 1;
select count(*) as differs from health.verify(:'word');
select usage operator(health.=) usage::text::health.usage as kept, position(:'word' in usage::text) > 0 as told from scores_ledger order by 1, 2;
select finding, position(:'word' in name) > 0 as told from health.tracking_plan(:'word');
select path = 'catalog."' || :'word' || '".rolle' as named, hint from health.model_problems(jsonb_build_object('catalog', jsonb_build_object(:'word', '{"rolle": "create"}'::jsonb)))
  where problem = 'unknown key';
select health.sparkline('{0,1,2,3,4,5,6,7}') as line, health.sparkline('{1,1,null,1}') as flat, octet_length(health.sparkline('{-3,3}')) as bytes;
