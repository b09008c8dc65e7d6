-- The signals of a whole book on any dates, as measured, from the ledger of a tracked model.
set datestyle = 'ISO';
set client_min_messages = warning;
create schema shop;
create table shop.accounts (id int primary key, seats int, plan text);
create table shop.events (account int, who int, what text, at timestamptz);
insert into shop.accounts values (1, 5, 'pro'), (2, 3, null), (3, 1, 'free');
insert into shop.events select 1 + i % 2, i % 7, case i % 3 when 0 then 'make' else 'look' end, timestamptz '2025-01-03 12:00+00' + i * interval '11 hours'
from generate_series(0, 320) i;
select health.create_model('values', '{"as_of": "2025-06-02",
  "accounts": {"table": "shop.accounts", "id": "id", "seats": "seats"},
  "events": {"table": "shop.events", "account": "account", "user": "who", "event": "what", "occurred_at": "at"},
  "catalog": {"make": {"role": ["create", "activate"]}, "look": {"role": "consume"}},
  "signals": [{"name": "use", "signals": [{"name": "active", "metric": "activation_rate", "normalize": {"kind": "identity"}},
                                          {"name": "makers", "metric": "events_per_user_week", "role": "create", "normalize": {"kind": "identity"}}]},
              {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "identity"}},
              {"name": "seats_used", "metric": "adoption_rate", "normalize": {"kind": "identity"}},
              {"name": "seats", "column": "seats", "normalize": {"kind": "identity"}},
              {"name": "plan", "column": "plan", "normalize": {"kind": "map", "map": {"pro": 80}}}]}');
select health.track('values');
call health.backfill('values');
select health.create_score_view('values', 'shop.scores');

-- What score_signals gives for each account and date, in the order of the model.
select v.account_id, array_length(raw, 1) as dates, array_length(raw, 2) as signals,
       (select array_agg((select array_agg(s.raw order by s."position")
                          from health.score_signals(health.model_definition('values'), row (array[l.usage], d, l.account_start, l.seats, l.inputs, null, null, null, null, NULL, null, null, null, null, null, null)::health.account_state) as s
                          where s.level > 0) order by n)
        from unnest('{2025-06-02,2025-05-26,2025-05-05,2025-01-01}'::date[]) with ordinality as t (d, n)) = raw as same
from health.signal_values_at('values', '{2025-06-02,2025-05-26,2025-05-05,2025-01-01}') as v join shop.scores_ledger as l on l.account_id::text = v.account_id
order by v.account_id;
select account_id, raw[1:1] as now from health.signal_values_at('values', '{2025-06-02}') order by account_id;
select raw from health.signal_values_at('values', '{}');
select raw from health.signal_values_at('values', null);
select raw from health.signal_values_at('values', '{2025-06-02,null}');
select raw from health.signal_values_at('values', '{infinity}');
select raw from health.signal_values_at('nothing', '{2025-06-02}');
select health.drop_model('values', cascade => true);
drop schema shop cascade;
