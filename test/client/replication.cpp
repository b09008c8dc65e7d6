// Tracked tables among others that replicate: what logical replication applies is captured like what anybody
// writes, and a publication of all tables does not stop refreshes.
#include <chrono>
#include <cstdlib>
#include <thread>

#include "db.hpp"

using namespace client;

namespace {

const char* const events_table =
    "create table public.events (id int primary key, account_id int, user_id int, event_name text, "
    "occurred_at timestamptz)";

// Until the subscriber has as many rows as it should; false when it does not get there.
bool wait_for_rows(Db& db, const std::string& rows) {
  for (int i = 0; i < 300; ++i) {
    if (db.value("select count(*) from public.events") == rows) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

}  // namespace

TEST_CASE("changes that a subscription applies are captured", "[replication]") {
  Db publisher(make_database("t_publisher", false));
  if (publisher.value("show wal_level") != "logical") {
    std::cout << "wal_level is not logical: without replication" << std::endl;
    return;
  }
  publisher.run(events_table);
  publisher.run("create publication p for table public.events");
  publisher.run("select pg_create_logical_replication_slot('t_subscription', 'pgoutput')");

  Db subscriber(make_database("t_subscriber"));
  subscriber.run(events_table);
  subscriber.run("create table public.accounts (id int primary key)");
  subscriber.run("insert into public.accounts values (1), (2)");
  subscriber.run(
      R"(select health.create_model('m', '{"as_of": "2025-03-03", "accounts": {"table": "public.accounts", "id": "id"},
           "events": {"table": "public.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
           "signals": [{"name": "events", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 10}}]}'))");
  subscriber.run("select health.track('m')");
  subscriber.run("call health.backfill('m')");
  // One that publishes on what it is subscribed to, and all of the ledgers besides.
  subscriber.run("create publication everything for all tables");
  const char* host = std::getenv("PGHOST");
  const char* port = std::getenv("PGPORT");
  subscriber.run(std::string("create subscription t_subscription connection 'dbname=t_publisher") +
                 (host != nullptr ? std::string(" host=") + host : "") +
                 (port != nullptr ? std::string(" port=") + port : "") +
                 "' publication p with (create_slot = false, copy_data = false)");

  publisher.run(
      "insert into public.events select n, 1 + n % 2, n, 'view', '2025-02-20' from generate_series(1, 10) n");
  publisher.run("update public.events set account_id = 1 where id = 3");
  publisher.run("delete from public.events where id > 8");
  publisher.run("insert into public.events values (11, 2, 11, 'view', '2025-02-21')");
  CHECK(wait_for_rows(subscriber, "9"));
  subscriber.run("call health.refresh('m')");
  CHECK(table(subscriber, "select phase, changes_waiting from health.status('m')") == "fresh | 0\n");
  CHECK(table(subscriber, "select * from health.verify('m')") == "");
  CHECK(
      subscriber.value("select sum(c.count) from health_internal.ledger_source s, lateral (select usage from "
                       "health_data.chunk_1 where s.id = 1) k, lateral health.cells(k.usage) c") == "9");

  subscriber.run("alter subscription t_subscription disable");
  subscriber.run("drop subscription t_subscription");
}
