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
        "select * from app.scores_signals order by account_id, \"position\"",
        "select * from app.scores_history order by 1, 2", "select n, u from app.ledgers order by 1",
        "select account_id, score from app.live order by 1",
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

namespace {

constexpr const char* three_models = R"(
create schema app;
create table app.accounts (account_id int primary key);
insert into app.accounts select generate_series(1, 10);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
insert into app.events select 1 + n % 10, n % 50, 'e' || n % 3, timestamptz '2025-06-20' - n * interval '10 minutes'
from generate_series(1, 5000) n;
select health.create_model(m, '{"as_of": "2025-06-20", "accounts": {"table": "app.accounts", "id": "account_id"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name",
             "occurred_at": "occurred_at"},
  "signals": [{"name": "a", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
              {"name": "n", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 1000}}]}')
from unnest(array['plain', 'tracked', 'windowed']) m;
select health.create_score_view(m, 'app.' || m) from unnest(array['plain', 'tracked', 'windowed']) m;
select health.create_score_view('plain', 'app.live', materialized => false);
select health.track('tracked'), health.track('windowed', window_days => 60);
)";

// The three models, of a role of their own.
void make_three_models(const std::string& name, const std::string& role) {
  const std::string options = make_database(name);
  Db super(options);
  super.run("grant create on database " + name + " to " + role);
  Db owner(options + " user=" + role);
  owner.run(three_models);
  owner.run("call health.backfill('tracked')");
  owner.run("call health.backfill('windowed')");
}

std::string scores(Db& db) {
  std::string all;
  for (const std::string model : {"plain", "live", "tracked", "windowed"}) {
    all += table(db, "select account_id, score from app." + model + " order by 1");
    if (model != "live")
      all += table(db, "select * from app." + model + "_signals order by account_id, position");
  }
  return all;
}

// Nothing is missing, and all goes on as before.
void check_goes_on(Db& db, const std::string& before, const std::string& role) {
  CHECK(table(db, "select distinct owner from health_internal.model") == role + "\n");
  for (const char* model : {"plain", "tracked", "windowed"})
    db.run(std::string("call health.refresh('") + model + "')");
  CHECK(scores(db) == before);
  db.run("insert into app.events select 1, 99 + n, 'new', '2025-06-19' from generate_series(1, 10) n");
  CHECK(db.value("select changes_waiting from health.status('tracked')") == "10");
  for (const char* model : {"plain", "tracked", "windowed"})
    db.run(std::string("call health.refresh('") + model + "')");
  CHECK(db.value("select count(distinct score) from (select score from app.plain where account_id = 1 union "
                 "all select score from app.tracked where account_id = 1 union all select score from "
                 "app.windowed where account_id = 1) s") == "1");
  CHECK(scores(db) != before);
  CHECK(db.value("select string_agg(distinct phase, ' ') || count(error) from unnest(array['tracked', "
                 "'windowed']) m, health.status(m)") == "fresh0");
  CHECK(db.value("select count(*) from unnest(array['tracked', 'windowed']) m, health.verify(m)") == "0");
}

}  // namespace

TEST_CASE(
    "models of every kind come back from a dump of any format, in sections, and where their role is not") {
  Db server;
  make_role(server, "dump_modeller");
  make_three_models("t_kinds", "dump_modeller");
  std::string before;
  {
    Db db("dbname=t_kinds");
    before = scores(db);
  }
  const std::string to = make_database("t_kinds_again", false);
  const auto restore = [](const std::string& file) {
    run_tool("psql -qX -v ON_ERROR_STOP=1 -d t_kinds_again -f " + file);
  };
  std::string role = "dump_modeller";
  SECTION("a directory, by two jobs") {
    run_tool("rm -rf build/t_kinds.dir && pg_dump -Fd -j2 -f build/t_kinds.dir t_kinds");
    run_tool("pg_restore -j2 --exit-on-error -d t_kinds_again build/t_kinds.dir");
  }
  SECTION("an archive of tar") {
    run_tool("pg_dump -Ft -f build/t_kinds.tar t_kinds");
    run_tool("pg_restore --exit-on-error -d t_kinds_again build/t_kinds.tar");
  }
  SECTION("section by section") {
    for (const std::string section : {"pre-data", "data", "post-data"}) {
      run_tool("pg_dump --section=" + section + " -f build/t_kinds.sql t_kinds");
      restore("build/t_kinds.sql");
      // What has not been filled yet says so.
      if (section == "data") CHECK(Db(to).failure("select * from app.plain").sqlstate == "55000");
    }
  }
  SECTION("the data after the schema") {
    const std::string triggers = GENERATE("", " --disable-triggers");
    run_tool("pg_dump -s -f build/t_kinds.sql t_kinds");
    restore("build/t_kinds.sql");
    run_tool("pg_dump -a" + triggers + " -f build/t_kinds.sql t_kinds");
    restore("build/t_kinds.sql");
    // Materialized views are not data to pg_dump; a refresh fills them.
    Db db(to);
    CHECK(db.failure("select * from app.plain").sqlstate == "55000");
    db.run("call health.refresh('plain')");
  }
  SECTION("by a role that reads all data") {
    make_role(server, "dump_reader");
    server.run("grant pg_read_all_data to dump_reader");
    run_tool("pg_dump -U dump_reader -f build/t_kinds.sql t_kinds");
    restore("build/t_kinds.sql");
  }
  SECTION("without owners, where the role is not: the models belong to who restores") {
    run_tool("pg_dump -Fc -f build/t_kinds.dump t_kinds");
    server.run("drop database t_kinds with (force)");
    server.run("drop role dump_modeller");
    run_tool("pg_restore --no-owner --no-acl --exit-on-error -d t_kinds_again build/t_kinds.dump");
    role = "postgres";
  }
  Db db(to);
  CHECK(scores(db) == before);
  // What may have changed between the dump and the triggers has not been read yet.
  const std::string phase = db.value("select phase from health.status('tracked')");
  INFO(phase);
  CHECK(phase == "to be read again: app.events is another table now");
  check_goes_on(db, before, role);
}
