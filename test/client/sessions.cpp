// Several sessions, and statements that are stopped: refreshes at once, cancelled aggregates, time limits.
#include <chrono>
#include <thread>

#include "crm.hpp"

using namespace client;

namespace {

// Runs a statement in a session of its own and cancels it from another one as soon as it is at work.
Failure cancel_while_running(const std::string& options, const std::string& sql) {
  Db victim(options);
  const std::string pid = victim.value("select pg_backend_pid()");
  Failure failure;
  std::thread running([&] { failure = victim.failure(sql); });
  Db other(options);
  while (other.value("select count(*) from pg_stat_activity where pid = " + pid + " and state = 'active'") ==
         "0")
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto asked = std::chrono::steady_clock::now();
  other.run("select pg_cancel_backend(" + pid + ")");
  running.join();
  const auto waited =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - asked);
  std::cout << "cancelled after " << waited.count() << " ms: " << sql.substr(0, 70) << std::endl;
  CHECK(victim.value("select 'still here'") == "still here");
  return failure;
}

}  // namespace

TEST_CASE("a cancelled aggregate or reader ends as cancelled, and the session goes on") {
  const std::string options = make_database("t_cancel");
  Db db(options);
  db.run(
      "create table big as select health.usage_agg(n, 'event ' || n % 7, timestamptz '2025-01-01' + n % 200 "
      "* interval '1 day') as u from generate_series(1, 1000000) n");
  for (const char* sql : {
           "select health.usage_agg(n % 100000, 'event', timestamptz '2025-01-01' + n * interval '1 second') "
           "from generate_series(1, 2000000000) n",
           "select health.usage_agg(n::text, 'event ' || n % 100, date '2025-01-01', 1.5) from "
           "generate_series(1, 2000000000) n",
           "select health.rollup(u) from big, generate_series(1, 100000)",
           "select count(*) from big, health.metrics_series(u, '1990-01-01', '2030-01-01')",
           "select sum(length(u::text)) from big, generate_series(1, 100000)",
           "select count(u + u - u) from big, generate_series(1, 100000)",
       }) {
    INFO(sql);
    CHECK(cancel_while_running(options, sql).sqlstate == "57014");
  }
}

TEST_CASE("a statement timeout stops a long aggregate") {
  Db db(make_database("t_timeout"));
  db.run("set statement_timeout = '300ms'");
  const Failure failure =
      db.failure("select health.usage_agg(n % 1000, 'e', now()) from generate_series(1, 2000000000) n");
  CHECK(failure.sqlstate == "57014");
  CHECK(failure.says("statement timeout"));
  CHECK(db.value("select health.events(health.usage_agg(1, 'e', date '2025-01-01'), '2025-01-02')") == "1");
}

TEST_CASE("two sessions refresh the same score view at once: both succeed, with the same rows") {
  const std::string options = make_database("t_refresh");
  Db db(options);
  db.run(crm_tables);
  db.run("select health.create_model('m', " + std::string(crm_model) +
         "); select health.create_score_view('m', 'app.scores')");
  const std::string before = table(db, "select * from app.scores order by account_id");
  std::vector<std::vector<Failure>> failures(3);
  std::vector<std::thread> sessions;
  for (auto& mine : failures)
    sessions.emplace_back([&mine, &options] {
      Db session(options);
      for (int i = 0; i < 8; ++i) {
        const Failure failure = session.failure("select health.refresh_score_view('app.scores')");
        if (!failure.sqlstate.empty()) mine.push_back(failure);
      }
    });
  // Readers are never kept waiting for long, and never see an empty view.
  for (int i = 0; i < 40; ++i) CHECK(db.value("select count(*) from app.scores") == "40");
  for (auto& session : sessions) session.join();
  for (const auto& mine : failures)
    for (const Failure& failure : mine) FAIL_CHECK(failure.sqlstate << " " << failure.text);
  CHECK(table(db, "select * from app.scores order by account_id") == before);
}

TEST_CASE("a refresh during alter_model gives one version or the other, never a mixture") {
  const std::string options = make_database("t_alter");
  Db db(options);
  db.run(crm_tables);
  db.run("select health.create_model('m', " + std::string(crm_model) +
         "); select health.create_score_view('m', 'app.scores')");
  std::vector<Failure> failures;
  std::thread refreshing([&] {
    Db session(options);
    for (int i = 0; i < 8; ++i) {
      const Failure failure = session.failure("select health.refresh_score_view('app.scores')");
      if (!failure.sqlstate.empty()) failures.push_back(failure);
    }
  });
  Db session(options);
  for (int i = 0; i < 8; ++i) {
    session.run("select health.alter_model('m', '{\"window_days\": " + std::to_string(20 + i) + "}')");
    CHECK(db.value("select count(distinct model_version) from app.scores") == "1");
  }
  refreshing.join();
  for (const Failure& failure : failures) FAIL_CHECK(failure.sqlstate << " " << failure.text);
  db.run("select health.refresh_score_view('app.scores')");
  CHECK(db.value("select distinct model_version from app.scores") == "9");
}
