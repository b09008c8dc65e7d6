// A small company's tables and a model of them.
#pragma once

#include "db.hpp"

namespace client {

// Tables in schema app: 40 accounts, 4 users each, events of 12 weeks up to 2025-03-03.
inline const char* const crm_tables = R"(
create schema app;
create table app.accounts (account_id bigint primary key, company text, plan text, arr numeric);
create table app.users (user_id bigint primary key, account_id bigint, joined timestamptz);
create table app.events (account_id bigint, user_id bigint, event_name text, occurred_at timestamptz);
insert into app.accounts select n, 'Company ' || n, (array['free', 'pro', 'team'])[1 + n % 3], n * 100 from generate_series(1, 40) n;
insert into app.users select n, 1 + n % 40, '2024-06-01' from generate_series(1, 160) n;
insert into app.events
select account_id, user_id, (array['record', 'view', 'comment'])[1 + n % 3], timestamptz '2025-03-03 00:00+00' - n * interval '17 hours' * (1 + account_id % 5)
from app.users, generate_series(1, 30) n where user_id % (1 + account_id % 7) = 0;
)";

// The document of a model of these tables, as a SQL literal.
inline const char* const crm_model = R"('{
  "as_of": "2025-03-03", "history": {"days": 14},
  "accounts": {"table": "app.accounts", "id": "account_id", "name": "company", "columns": {"plan": "plan", "arr": "arr"}},
  "users": {"table": "app.users", "id": "user_id", "account": "account_id", "joined": "joined"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [
    {"name": "activation", "weight": 0.5, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "trend", "weight": 0.2, "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -0.5, "best": 0.5}},
    {"name": "plan", "weight": 0.2, "column": "plan", "normalize": {"kind": "map", "map": {"team": 90, "pro": 80, "free": 20}}},
    {"name": "arr", "weight": 0.1, "column": "arr", "normalize": {"kind": "percentile"}}]}'::jsonb)";

}  // namespace client
