// pg_dump and restore carry models, score views and stored ledgers into another database.
#include "crm.hpp"

using namespace client;

namespace {

void run_tool(const std::string& command) {
  INFO(command);
  const int status = std::system((command + " >build/dump.log 2>&1").c_str());
  INFO(read_file("build/dump.log"));
  REQUIRE(status == 0);
}

void check_restored(const std::string& from, const std::string& to) {
  Db before(from);
  Db after(to);
  for (const char* rows :
       {"select account_id, score, band, data_coverage, model_version from app.scores order by 1",
        "select * from app.scores_signals order by 1, 2", "select * from app.scores_history order by 1, 2",
        "select n, u from app.ledgers order by 1", "select account_id, score from app.live order by 1",
        "select name, version, definition from health_internal.model_version join health_internal.model m on "
        "m.name = model "
        "order by 1, 2"}) {
    INFO(rows);
    const Failure problem = before.failure(rows);
    INFO(problem.text);
    CHECK(problem.sqlstate == "");
    if (problem.sqlstate.empty()) CHECK(table(after, rows) == table(before, rows));
  }
  CHECK(after.value("select bool_and(health.validate(u)) from app.ledgers") == "t");
  CHECK(after.value("select count(*) from app.ledgers where u = (select u from app.ledgers where n = 3)") ==
        "1");
  // It goes on living there.
  after.run("select health.refresh_score_view('app.scores')");
  CHECK(table(after, "select account_id, score from app.scores order by 1") ==
        table(before, "select account_id, score from app.scores order by 1"));
  CHECK(after.value("select health.alter_model('m', '{\"window_days\": 7}')") == "3");
  after.run("select health.refresh_score_view('app.scores')");
  CHECK(after.value("select distinct model_version from app.scores") == "3");
  CHECK(before.value("select distinct model_version from app.scores") == "2");
  CHECK(after.value("select count(*) from health.presets()") ==
        before.value("select count(*) from health.presets()"));
  after.run("select health.drop_model('m', cascade => true)");
  CHECK(after.value("select count(*) from health_internal.score_view") == "0");
}

}  // namespace

TEST_CASE("a restored database has the same models, scores and ledgers, and goes on with them") {
  const std::string from = make_database("t_dump");
  Db db(from);
  db.run(crm_tables);
  db.run("create table app.ledgers (n int, u health.usage)");
  db.run(
      "insert into app.ledgers select n, health.usage_agg(u, 'event ' || u % 5, date '2025-01-01' + u % 30, "
      "u / 7.0) from generate_series(1, 20) n, generate_series(1, n * 50) u group by n");
  db.run(
      "insert into app.ledgers values (0, '{}'), (-1, 'text{\"a \"\"b\"\"\":2025-01-01/\"x y\"*-2=1.5#1}'), "
      "(-2, null)");
  db.run("select health.create_model('m', " + std::string(crm_model) +
         ", 'our model'); select health.alter_model('m', '{\"window_days\": 21}')");
  db.run(
      "select health.create_score_view('m', 'app.scores'); select health.create_score_view('m', 'app.live', "
      "materialized => false)");

  const std::string host = std::getenv("PGHOST");
  SECTION("custom format, restored by two jobs") {
    run_tool("pg_dump -Fc -f build/t_dump.custom t_dump");
    const std::string to = make_database("t_restored", false);
    run_tool("pg_restore -j2 --exit-on-error -d t_restored build/t_dump.custom");
    check_restored(from, to);
  }
  SECTION("plain SQL") {
    run_tool("pg_dump -f build/t_dump.sql t_dump");
    const std::string to = make_database("t_restored", false);
    run_tool("psql -qX -v ON_ERROR_STOP=1 -d t_restored -f build/t_dump.sql");
    check_restored(from, to);
  }
}
