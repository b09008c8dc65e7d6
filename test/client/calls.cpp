// CALL of refresh and backfill: from every client, however it ends, and what it leaves of the caller's
// settings.
#include <chrono>
#include <thread>

#include "crm.hpp"

using namespace client;

namespace {

// A database whose model "m" is tracked and read.
std::string make_tracked(const std::string& name) {
  const std::string options = make_database(name);
  Db db(options);
  db.run(crm_tables);
  db.run("select health.create_model('m', " + std::string(crm_model) + "); select health.track('m')");
  db.run("call health.backfill('m')");
  return options;
}

Failure failure_of(const RawResult& result) {
  const auto status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
  return {sqlstate(result), PQresultErrorMessage(result.get())};
}

Failure call_with_parameter(Raw& session, const std::string& sql) {
  const char* values[] = {"m"};
  return failure_of(
      {PQexecParams(session.get(), sql.c_str(), 1, nullptr, values, nullptr, nullptr, 0), &PQclear});
}

const char* const in_block = "CALL health.refresh('m') cannot run inside a transaction block";

std::string phase(Db& db) { return db.value("select phase from health.status('m')"); }
std::string error(Db& db) { return db.value("select error from health.status('m')"); }

}  // namespace

TEST_CASE("refresh and backfill are called over every protocol, with parameters and from procedures") {
  const std::string options = make_tracked("t_calls");
  Db db(options);
  Raw raw(options);
  CHECK(failure_of(raw.run("call health.refresh('m')")).text == "");
  for (const char* sql : {"call health.refresh($1)", "call health.backfill($1)"}) {
    INFO(sql);
    CHECK(call_with_parameter(raw, sql).text == "");
  }
  pqxx::nontransaction(db.connection()).exec_params("call health.refresh($1, $2)", "m", true);
  REQUIRE(
      PQresultStatus(
          RawResult(PQprepare(raw.get(), "again", "call health.refresh($1)", 1, nullptr), &PQclear).get()) ==
      PGRES_COMMAND_OK);
  for (int i = 0; i < 7; ++i) {
    const char* values[] = {"m"};
    CHECK(failure_of({PQexecPrepared(raw.get(), "again", 1, values, nullptr, nullptr, 0), &PQclear}).text ==
          "");
  }
  db.run(
      "create procedure nightly() language plpgsql as $$ begin delete from app.events where account_id = 3; "
      "call health.refresh('m'); "
      "update app.accounts set plan = 'pro' where account_id = 3; end $$");
  db.run("call nightly()");
  db.run("do $$ begin call health.refresh('m'); call health.refresh('m'); end $$");
  CHECK(phase(db) == "fresh");
  CHECK(db.value("select count(*) from health.verify('m')") == "0");
}

TEST_CASE("a pipeline of calls ends well, each with a Sync of its own") {
  Raw raw(make_tracked("t_calls"));
  REQUIRE(PQenterPipelineMode(raw.get()) == 1);
  const char* values[] = {"m"};
  for (int i = 0; i < 3; ++i) {
    REQUIRE(PQsendQueryParams(raw.get(), "call health.refresh($1)", 1, nullptr, values, nullptr, nullptr,
                              0) == 1);
    REQUIRE(PQpipelineSync(raw.get()) == 1);
  }
  for (int i = 0; i < 3; ++i) {
    CHECK(failure_of({PQgetResult(raw.get()), &PQclear}).text == "");
    CHECK(PQgetResult(raw.get()) == nullptr);
    CHECK(PQresultStatus(RawResult(PQgetResult(raw.get()), &PQclear).get()) == PGRES_PIPELINE_SYNC);
  }
}

TEST_CASE("where refresh cannot commit there is one error of its own, from every client") {
  const std::string options = make_tracked("t_calls");
  Db db(options);
  Raw raw(options);
  db.run(
      "create function within() returns void language plpgsql as $$ begin call health.refresh('m'); end $$;"
      "create procedure with_setting() language plpgsql set work_mem = '4MB' as $$ begin call "
      "health.refresh('m'); end $$");
  for (const char* sql :
       {"begin; call health.refresh('m')", "select 1; call health.refresh('m')", "select within()",
        "call with_setting()",
        "do $$ begin call health.refresh('m'); exception when no_data_found then null; end $$",
        "do $$ begin execute 'call health.refresh(''m'')'; end $$"}) {
    INFO(sql);
    const Failure failure = failure_of(raw.run(sql));
    CHECK(failure.sqlstate == "25001");
    CHECK(failure.says(in_block));
    CHECK(failure.says("refresh_score_views('m')"));
    raw.run("rollback");
  }
  raw.run("begin");
  CHECK(call_with_parameter(raw, "call health.refresh($1)").says(in_block));
  raw.run("rollback");
  CHECK(error(db) == "NULL");
  CHECK(failure_of(raw.run("begin; select health.refresh_score_views('m'); commit")).text == "");
}

TEST_CASE("CALL works over JDBC, prepared and not") {
  make_tracked("t_jdbc");
  const std::string out = "build/jdbc/out";
  const std::string run =
      "mkdir -p build/jdbc && { javac -d build/jdbc test/client/CallOverJdbc.java && "
      "java -cp build/jdbc:/usr/share/java/postgresql.jar CallOverJdbc t_jdbc; } >" +
      out + " 2>&1";
  CHECK(std::system(run.c_str()) == 0);
  CHECK(read_file(out) == "");
}

TEST_CASE("a refresh that is ended from outside leaves its error in status, and the next one goes on") {
  const std::string options = make_tracked("t_ended");
  Db db(options);
  Db blocker(options);
  const bool newer = db.connection().server_version() >= 170000;
  struct Ending {
    const char* name;
    std::string setting;   // of the session that refreshes
    const char* by_other;  // what another session does to its pid
    std::string sqlstate;  // where the session lives to tell it
    std::string error;
  };
  for (const Ending& ending : {
           Ending{"statement_timeout", "set statement_timeout = '300ms'", nullptr, "57014",
                  "statement timeout"},
           Ending{"lock_timeout", "set lock_timeout = '300ms'", nullptr, "55P03", "is locked"},
           Ending{"transaction_timeout", newer ? "set transaction_timeout = '300ms'" : "",
                  newer ? nullptr : "pg_terminate_backend", "", "was cut off"},
           Ending{"cancel", "", "pg_cancel_backend", "57014", "user request"},
           Ending{"kill", "", "pg_terminate_backend", "", "was cut off"},
       }) {
    for (const char* procedure : {"refresh", "backfill"}) {
      INFO(ending.name << " " << procedure);
      // A refresh reads the accounts.
      blocker.run("begin; lock table app.accounts in access exclusive mode");
      Raw session(options);
      if (!ending.setting.empty()) session.run(ending.setting);
      const std::string pid = std::to_string(PQbackendPID(session.get()));
      Failure failure;
      std::thread running(
          [&] { failure = failure_of(session.run("call health." + std::string(procedure) + "('m')")); });
      const std::string waits = "select count(*) from pg_locks where not granted and pid = " + pid;
      if (ending.by_other != nullptr) {
        while (db.value(waits) == "0") std::this_thread::sleep_for(std::chrono::milliseconds(5));
        CHECK(error(db) == "NULL");  // while it runs
        db.run("select " + std::string(ending.by_other) + "(" + pid + ")");
      }
      running.join();
      blocker.run("rollback");
      CHECK(failure.text != "");
      if (!ending.sqlstate.empty()) CHECK(failure.sqlstate == ending.sqlstate);
      while (db.value("select count(*) from pg_stat_activity where state = 'active' and pid = " + pid) != "0")
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      CHECK(phase(db) == "failing");
      CHECK_THAT(error(db), Catch::Matchers::Contains(ending.error));
      CHECK(db.value("select error_at > now() - interval '1 minute' from health.status('m')") == "t");
      db.run("call health.refresh('m')");
      CHECK(phase(db) == "fresh");
      CHECK(error(db) == "NULL");
    }
  }
}

TEST_CASE("what the caller has set stays, whatever is called and however it ends") {
  const std::string options = make_tracked("t_settings");
  Db db(options);
  db.run("create role settings_caller superuser; set role settings_caller");
  for (const char* setting : {"lock_timeout = '7s'",
                              "statement_timeout = '77s'",
                              "work_mem = '333kB'",
                              "maintenance_work_mem = '7MB'",
                              "search_path = app, public, health",
                              "timezone = 'Asia/Kathmandu'",
                              "datestyle = 'SQL, DMY'",
                              "intervalstyle = 'iso_8601'",
                              "extra_float_digits = -3",
                              "bytea_output = 'escape'",
                              "default_transaction_isolation = 'repeatable read'",
                              "enable_nestloop = off",
                              "standard_conforming_strings = off",
                              "quote_all_identifiers = on",
                              "enable_seqscan = off",
                              "enable_hashjoin = off",
                              "row_security = off",
                              "check_function_bodies = off",
                              "jit = off",
                              "client_min_messages = error",
                              "escape_string_warning = off",
                              "max_parallel_workers_per_gather = 1",
                              "application_name = 'mine'"})
    db.run("set " + std::string(setting));
  db.run("create temporary table kept as select name, setting, current_user as by_role from pg_settings");
  const std::string changed =
      "select coalesce(string_agg(name || ': ' || k.setting || ' to ' || s.setting, ', '), '') || case when "
      "current_user <> min(k.by_role) "
      "then 'role' else '' end from kept k join pg_settings s using (name) where k.setting is distinct from "
      "s.setting "
      "and name not in ('transaction_isolation', 'default_transaction_isolation')";
  const std::string fails = "'{\"accounts\": {\"table\": \"app.nothing\"}}'";
  const std::vector<std::string> calls = {
      "call health.refresh('m')",
      "call health.backfill('m')",
      "call health.refresh('no such')",
      "call health.backfill('no such')",
      "select health.create_model('n', " + std::string(crm_model) + ")",
      "select health.create_model('o', " + fails + ")",
      "select health.validate_model(" + fails + ")",
      "select health.alter_model('n', '{\"as_of\": \"2025-03-02\"}')",
      "select health.alter_model('n', " + fails + ")",
      "select health.refreeze_references('n')",
      "select health.create_score_view('n', 'app.n')",
      "select health.create_score_view('n', 'app.n')",
      "select health.refresh_score_view('app.n')",
      "select health.refresh_score_views('n')",
      "call health.refresh('n')",
      "select health.explain('n', 1)",
      "select health.explain('n', 'x')",
      "select health.explain('n', 1, '2025-02-01', '2025-03-01')",
      "select health.score_at('n', '2025-02-01')",
      "select health.drop_score_view('app.n')",
      "select health.drop_score_view('app.n')",
      "select health.track('n')",
      "select health.track('n')",
      "call health.backfill('n')",
      "select health.explain('n', 1)",
      "select health.score_at('n', '2025-02-01')",
      "select health.signal_values_at('n', '{2025-02-01}')",
      "select health.backfill_history('n', '2025-02-01', '2025-02-03')",
      "select health.verify('n')",
      "select health.status('n')",
      "select health.tracking_plan('n')",
      "select health.forget_user('n', '1')",
      "select health.alter_model('n', '{\"history\": {\"days\": 14, \"retention_months\": 1}}')",
      "call health.refresh('n')",
      "select health.alter_model('n', '{\"as_of\": \"2025-06-03\"}')",
      "call health.refresh('n')",
      "select health.refresh_score_views('n')",
      "select health.untrack('n')",
      "select health.rename_model('n', 'o')",
      "select health.schedule('o')",
      "select health.unschedule('o')",
      "select health.drop_model('o')",
      "select health.drop_model('o')",
  };
  int failed = 0;
  for (const std::string& call : calls) {
    INFO(call);
    // What is done within one transaction wants READ COMMITTED, CALL does not mind.
    const bool function = call[0] == 's';
    if (function) {
      db.run("set default_transaction_isolation = 'read committed'");
      db.run("begin; savepoint here");
      if (!db.failure(call).sqlstate.empty()) db.run("rollback to here");
      CHECK(db.value(changed) == "");  // what is SET LOCAL shows here
      db.run("rollback");
    }
    failed += db.failure(call).sqlstate.empty() ? 0 : 1;
    CHECK(db.value("show default_transaction_isolation") ==
          (function ? "read committed" : "repeatable read"));
    CHECK(db.value(changed) == "");
    db.run("set default_transaction_isolation = 'repeatable read'");
  }
  CHECK(failed == 11);
  db.run("reset role; drop owned by settings_caller; drop role settings_caller");
}
