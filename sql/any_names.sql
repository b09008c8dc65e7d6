-- Names of every kind, at random: a document that validate_model finds nothing wrong with makes its views, in every mode.
\set SHOW_CONTEXT never
set datestyle = 'ISO';
create schema odd;
-- The columns of the account table have names that the compiled SQL uses itself, keywords, quotes, dots, and names as long as can be.
create table odd.accounts (id int primary key, usage int, attr int, sig int, clock int, u int, src int, q1 int, score int, as_of date, plan text,
  "select" int, "quoted Name" int, "a.b" int, "say ""so""" int, "$1" int, "Größe" int, wanted int, named int, past int, f int, b int, l int,
  abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz_abcdefghi int, "%s" int, parts int, roster int, "{book}" int);
insert into odd.accounts select i, i, i, i, i, i, i, i, i, date '2025-01-01' + i, 'pro', i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i
  from generate_series(1, 3) i;
create table odd.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
insert into odd.events select a, u, 'x', timestamptz '2025-06-20 12:00+00' from generate_series(1, 3) a, generate_series(1, a) u;

-- Columns that are listed under their own names and filtered by; signals of the same names.
create function odd.document(seed float8) returns jsonb language plpgsql as $$
declare
  names text[];
  chosen text[];
  shown jsonb;
  signals jsonb;
begin
  perform setseed(seed);
  names := array(select a.attname::text from pg_attribute a where a.attrelid = 'odd.accounts'::regclass and a.attnum > 1 and a.attname not in ('plan', 'as_of'));
  chosen := array(select n from unnest(names || '{signals,model,band,account_name,x_value,score_value,usage_value}'::text[]) n order by random() limit 6);
  select jsonb_object_agg(n, case when random() < .4 then jsonb_build_object('sql', format('src.%I + (as_of - as_of)', m)) else to_jsonb(m) end) into shown
    from unnest(chosen) n, lateral (select case when n = any (names) and random() < .5 then n else names[1 + floor(random() * cardinality(names))::int] end) o (m)
    where n not in (select r from unnest(health_internal.reserved_columns()) r);
  select jsonb_agg(jsonb_build_object('name', s.n, 'normalize', '{"kind": "linear", "worst": 0, "best": 10}'::jsonb) || case floor(random() * 4)::int
      when 0 then jsonb_build_object('column', c.n)
      when 1 then jsonb_build_object('expression', format('%I + 1', c.n))
      when 2 then jsonb_build_object('expression', format('src.%I * (as_of - as_of + 2)', c.n))
      else jsonb_build_object('query', format('select id, %I from odd.accounts', c.n)) end) into signals
    from (select n from unnest(names || '{as_of,account_id,name,seats,value,x,x_value,band}'::text[]) n where n <> 'score' order by random() limit 5) s,
         lateral (select names[1 + floor(random() * cardinality(names) + length(s.n) * 0)::int]) c (n);
  return jsonb_build_object('as_of', '2025-06-30', 'history', '{"days": 2}'::jsonb, 'signals', signals || '[{"name": "people", "metric": "active_users",
      "normalize": {"kind": "linear", "worst": 0, "best": 5}}]'::jsonb,
    'accounts', jsonb_build_object('table', 'odd.accounts', 'id', 'id', 'seats', 'u', 'columns', shown, 'filter', format('%I > 0 and plan = ''pro''', chosen[1]))
      #- case when chosen[1] = any (names) then '{none}'::text[] else '{filter}'::text[] end,
    'events', '{"table": "odd.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"}'::jsonb);
end $$;

-- How a document fares: problems, or what the three modes have.
create table odd.outcome (seed float8, outcome text, about jsonb);
create procedure odd.try(seed float8) language plpgsql as $$
declare
  document jsonb := odd.document(seed);
  problems text := (select string_agg(p.path || ': ' || p.problem, '; ') from health.validate_model(document) p);
  plain jsonb;
  stored jsonb;
  tracked jsonb;
  readable boolean;
begin
  if problems is not null then
    insert into odd.outcome values (seed, problems, document);
    return;
  end if;
  perform health.create_model('odd', document), health.create_score_view('odd', 'odd.plain', materialized => false), health.create_score_view('odd', 'odd.stored');
  plain := (select jsonb_agg(to_jsonb(s) order by s.account_id) from odd.plain s);
  stored := (select jsonb_agg(to_jsonb(s) order by s.account_id) from odd.stored s);
  perform health.track('odd', window_days => 30), health.refresh_score_views('odd');
  tracked := (select jsonb_agg(to_jsonb(s) order by s.account_id) from odd.stored s);
  perform health.refresh_score_views('odd');
  readable := (select count(*) >= 6 from odd.stored_history) and (select count(*) > 0 from odd.stored_signals) and (select count(*) = 3 from odd.stored_ledger)
    and (select count(*) = 3 from health.score_at('odd', '2025-06-25'));
  if plain is distinct from stored or stored is distinct from tracked or readable is distinct from true or not exists (select from jsonb_array_elements(plain)) then
    insert into odd.outcome values (seed, 'the modes differ', jsonb_build_array(document, plain, stored, tracked));
  else
    insert into odd.outcome values (seed, 'the same in every mode');
  end if;
  perform health.drop_model('odd', cascade => true);
exception when others then
  insert into odd.outcome values (seed, sqlerrm, document);
end $$;
set client_min_messages = error;
do $$ begin for i in 1..12 loop call odd.try(i / 100.0); end loop; end $$;
reset client_min_messages;
select outcome, count(*), min(about::text) as document from odd.outcome group by outcome;

-- What cannot be a column is said before.
select p.* from health.validate_model(odd.document(0.5) || '{"signals": [{"name": "x", "metric": "active_users", "normalize": {"kind": "identity"}}], "accounts":
  {"table": "odd.accounts", "id": "id", "name": "plan", "columns": {"": "u", "score": "u", "$parts": "u", "account_name": "plan", "u": "u",
   "abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz_abcdefghijk": "u"}}}') p;

-- The name of a signal that is taken: by a shown column, by a shown column that has the second choice as well, and at its full length.
select health.create_model('odd', odd.document(0.5) || '{"accounts": {"table": "odd.accounts", "id": "id", "columns": {"x": "u", "x_value": "f",
    "abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz_abcdefghi": "u"}}, "signals": [
    {"name": "x", "expression": "x * 2", "normalize": {"kind": "identity"}}, {"name": "band", "expression": "x", "normalize": {"kind": "identity"}},
    {"name": "abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz_abcdefghi", "expression": "x * 3", "normalize": {"kind": "identity"}}]}');
select health.create_score_view('odd', 'odd.view');
select x, x_value, x_value_2, band_value, abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz_abc_value as long from odd.view order by 1;
select col_description('odd.view'::regclass, attnum) as says from pg_attribute where attrelid = 'odd.view'::regclass and attname = 'x_value_2';
select health.drop_model('odd', cascade => true);

-- A shown column that mentions as_of, in a model without inputs.
select health.create_model('odd', odd.document(0.5) || '{"accounts": {"table": "odd.accounts", "id": "id", "columns": {"since": {"sql": "as_of - src.as_of"}}},
  "signals": [{"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 5}}]}');
select health.create_score_view('odd', 'odd.view'), health.create_score_view('odd', 'odd.plain', materialized => false);
select account_id, since, score from odd.view except select account_id, since, score from odd.plain;
select health.track('odd', window_days => 30), health.refresh_score_views('odd');
select account_id, since, score from odd.view order by 1;
select account_id, score from health.score_at('odd', '2025-06-25');
select signal, raw from health.explain('odd', 2);
select health.drop_model('odd', cascade => true);

-- Within a subquery the row of the source is called src. Its own name is not known there, and a name that the subquery has itself is the subquery's.
create table odd.subscriptions (id int, customer int, arr int);
insert into odd.subscriptions values (1, 1, 100), (2, 2, 900);
select f.expression, p.path, p.problem, p.hint from unnest('{
    "(select sum(arr) from odd.subscriptions s where s.id = src.id)",
    "(select sum(arr) from odd.subscriptions s where s.id = accounts.id)",
    "(select sum(arr) from odd.subscriptions s where s.id = odd.accounts.id)",
    "(select sum(arr) from odd.subscriptions s where s.id = id)",
    "u > 1 and exists (select from odd.subscriptions where id = id)",
    "(select sum(arr) from odd.subscriptions s where s.customer = u)",
    "(select sum(arr) from odd.subscriptions s where s.arr = s.arr)",
    "(select max(id) from odd.subscriptions)",
    "(select sum(arr) from odd.subscriptions s where s.id = accouns.id)"}'::text[]) with ordinality f (expression, position)
  left join lateral health.validate_model(odd.document(0.5) || jsonb_build_object('signals', jsonb_build_array(jsonb_build_object('name', 'arr', 'expression', f.expression,
    'normalize', '{"kind": "identity"}'::jsonb)))) p on true order by f.position;
set client_min_messages = warning;
drop schema odd cascade;
