// What the stress of tracked ledgers writes: its tables and models, and random rows, updates and deletes.
#pragma once

#include <ctime>
#include <random>
#include <string>
#include <vector>

namespace client {

using Random = std::mt19937_64;

constexpr int accounts = 60;

inline long between(Random& random, long low, long high) {
  return std::uniform_int_distribution<long>(low, high)(random);
}

inline bool chance(Random& random, int percent) { return between(random, 1, 100) <= percent; }

template <class T>
const T& one_of(Random& random, const std::vector<T>& values) {
  return values[static_cast<std::size_t>(between(random, 0, static_cast<long>(values.size()) - 1))];
}

inline const char* const tables = R"(
create schema app;
create table app.accounts (account_id bigint primary key, company text, plan text);
create table app.users (user_id bigint primary key, account_id bigint, joined timestamptz, email text);
insert into app.accounts select n, 'Company ' || n, (array['free', 'pro', 'team'])[1 + n % 3] from generate_series(1, 60) n;
insert into app.users select n, 1 + n % 60, '2024-06-01', 'user' || n || case when n % 50 = 0 then '@vendor.example' else '@x.example' end from generate_series(1, 600) n;
create sequence app.ids;
create table app.plain (id bigint default nextval('app.ids') primary key, account_id bigint, user_id bigint, event_name text, occurred_at timestamptz, amount numeric);
create table app.parted (id bigint default nextval('app.ids'), account_id bigint, user_id bigint, event_name text, occurred_at timestamptz, amount numeric) partition by range (occurred_at);
create table app.parted_late partition of app.parted for values from (minvalue) to ('2024-12-01') partition by list (event_name);
create table app.parted_late_view partition of app.parted_late for values in ('view');
create table app.parted_late_rest partition of app.parted_late default;
create table app.parted_2024_12 partition of app.parted for values from ('2024-12-01') to ('2025-01-01');
create table app.parted_2025_01 partition of app.parted for values from ('2025-01-01') to ('2025-02-01');
create table app.parted_2025_02 partition of app.parted for values from ('2025-02-01') to ('2025-03-01');
create table app.parted_2025_03 partition of app.parted for values from ('2025-03-01') to ('2025-04-01');
create index on app.parted (id);
insert into app.plain (account_id, user_id, event_name, occurred_at, amount)
select 1 + n % 60, 1 + n % 600, (array['record', 'view', 'comment'])[1 + n % 3], timestamptz '2025-03-03 00:00+00' - n % 2000 * interval '61 minutes', n % 17 from generate_series(1, 40000) n;
insert into app.parted (account_id, user_id, event_name, occurred_at, amount)
select 1 + n % 60, 1 + n % 600, (array['record', 'view', 'comment'])[1 + n % 3], timestamptz '2025-03-03 00:00+00' - n % 3000 * interval '61 minutes', null from generate_series(1, 40000) n;
)";

// Every volume is usual: truncated tables are none of the customers' doing.
inline const std::string mixed_model = R"('{
  "as_of": "2025-03-03", "history": {"days": 7}, "volume": "ignore",
  "accounts": {"table": "app.accounts", "id": "account_id", "name": "company", "columns": {"plan": "plan"}},
  "users": {"table": "app.users", "id": "user_id", "account": "account_id", "joined": "joined", "exclude": "email like ''%@vendor.example''"},
  "events": [
    {"table": "app.plain", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at", "amount": "amount"},
    {"table": "app.parted", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at", "filter": "event_name <> ''noise''"}],
  "catalog": {"record": {"role": ["create", "activate"], "value": 8}, "view": {"role": "consume", "value": 1}},
  "signals": [
    {"name": "activation", "weight": 0.3, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "trend", "weight": 0.3, "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -0.5, "best": 0.5}},
    {"name": "depth", "weight": 0.2, "metric": "depth", "normalize": {"kind": "percentile"}},
    {"name": "plan", "weight": 0.2, "column": "plan", "normalize": {"kind": "map", "map": {"team": 90, "pro": 80, "free": 20}}}]}'::jsonb)";

// Another reading of the partitioned table: expressions, ids as text, another time zone.
inline const std::string second_model = R"json('{
  "as_of": "2025-03-03", "history": {"days": 7}, "volume": "ignore", "time_zone": "America/New_York",
  "accounts": {"table": "app.accounts", "id": {"sql": "account_id::text"}, "name": "company"},
  "events": {"table": "app.parted", "account": {"sql": "account_id::text"}, "user": {"sql": "''u'' || user_id::text"}, "event": {"sql": "lower(event_name)"},
             "occurred_at": "occurred_at", "amount": {"sql": "amount / 2"}},
  "signals": [{"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
              {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -0.5, "best": 0.5}}]}'::jsonb)json";

inline const std::vector<std::string> models = {"mixed", "second"};

inline std::string some_account(Random& random) {
  return chance(random, 3) ? "null" : std::to_string(between(random, 1, accounts + 1));
}
inline std::string some_user(Random& random) {
  return chance(random, 3) ? "null" : std::to_string(between(random, 1, 620));
}
inline std::string some_event(Random& random) {
  return one_of<std::string>(random, {"record", "record", "view", "view", "comment", "noise", "It\\s"});
}
inline std::string some_time(Random& random) {
  const long kind = between(random, 1, 20);
  // Late by months, early by a day or two, mostly of the last weeks.
  const long day = kind <= 4   ? between(random, -300, -64)
                   : kind <= 6 ? between(random, 0, 2)
                               : between(random, -63, -1);
  const std::time_t seconds = 1740960000 + day * 86400 + between(random, 0, 86399);  // from 2025-03-03
  std::tm parts{};
  gmtime_r(&seconds, &parts);  // std::gmtime is not for threads
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S+00", &parts);
  return text;
}
inline std::string some_amount(Random& random) {
  return chance(random, 50)
             ? "null"
             : std::to_string(between(random, -50, 500)) + "." + std::to_string(between(random, 0, 99));
}

inline std::string quoted(const std::string& text) { return "'" + text + "'"; }

inline std::string some_row(Random& random) {
  return "(" + some_account(random) + ", " + some_user(random) + ", " + quoted(some_event(random)) + ", " +
         quoted(some_time(random)) + ", " + some_amount(random) + ")";
}

inline const std::string columns = "(account_id, user_id, event_name, occurred_at, amount)";

inline std::string some_table(Random& random) { return chance(random, 50) ? "plain" : "parted"; }

inline std::string insert_rows(Random& random, const std::string& table, long rows) {
  std::string sql = "insert into " + table + " " + columns + " values ";
  for (long i = 0; i < rows; ++i) sql += (i == 0 ? "" : ", ") + some_row(random);
  return sql;
}

// A few rows that exist, at best.
inline std::string some_rows(Random& random, long most) {
  const std::string last = "(select last_value from ids)";
  if (chance(random, 40))  // of the newest, which others may be at as well
    return "id > " + last + " - " + std::to_string(between(random, 1, most));
  const long share = between(random, 0, 999);
  return "id >= " + last + " * " + std::to_string(share) + " / 1000 and id < " + last + " * " +
         std::to_string(share) + " / 1000 + " + std::to_string(between(random, 1, most));
}

inline std::string update_rows(Random& random) {
  const std::string table = some_table(random);
  std::string what;
  switch (between(random, 1, 9)) {
    case 1:
      what = "account_id = " + some_account(random);
      break;
    case 2:
      what = "user_id = " + some_user(random);
      break;
    case 3:
      what = "event_name = " + quoted(some_event(random));
      break;
    case 4:
      what = "occurred_at = " + quoted(some_time(random));
      break;
    case 5:
      what = "amount = " + some_amount(random);
      break;
    case 6:  // every row its own way: within its partition or out of it
      what =
          "occurred_at = occurred_at + (id % 7 - 3) * interval '5 days', account_id = 1 + (account_id + id) "
          "% 60";
      break;
    case 7:
      what = "event_name = ''";
      break;  // no event any more, but a bad row
    case 8:
      what = "amount = 'NaN'";
      break;
    default:
      what = "account_id = " + some_account(random) + ", user_id = " + some_user(random) +
             ", event_name = " + quoted(some_event(random)) + ", occurred_at = " + quoted(some_time(random)) +
             ", amount = amount";
  }
  return "update " + table + " set " + what + " where " + some_rows(random, 40);
}

inline std::string change_rows(Random& random) {
  const long kind = between(random, 1, 10);
  if (kind <= 4)
    return insert_rows(random, some_table(random), chance(random, 60) ? 1 : between(random, 2, 60));
  if (kind <= 7) return update_rows(random);
  if (kind == 8) return "delete from " + some_table(random) + " where " + some_rows(random, 30);
  if (kind == 9)  // straight into a leaf
    return "insert into parted_2025_02 " + columns + " values (" + some_account(random) + ", " +
           some_user(random) + ", 'view', '2025-02-" + std::to_string(between(random, 10, 27)) + "', 1)";
  return "insert into plain (id, account_id, user_id, event_name, occurred_at) values (" +
         std::to_string(between(random, 1, 80000)) +
         ", 1, 1, 'record', '2025-02-20') on conflict (id) do update set account_id = excluded.account_id, "
         "user_id = plain.user_id + 1";
}

}  // namespace client
