// schedule() against the real pg_cron: a job is made, runs by the clock, shows fresh scores, changes and
// goes.
#include <chrono>
#include <thread>

#include "crm.hpp"

using namespace client;

TEST_CASE("pg_cron refreshes a scheduled model by the clock") {
  Db db("dbname=postgres");  // pg_cron lives in one database of a server
  const auto drop_all = [&] {
    db.run("drop schema if exists app cascade; drop schema if exists scores cascade");
  };
  drop_all();
  db.run("create extension if not exists account_health; create extension if not exists pg_cron");
  db.run(crm_tables);
  db.run("create schema scores");
  db.run("select health.create_model('by clock', " + std::string(crm_model) + ")");

  const Failure without_view = db.failure("select health.schedule('by clock', '* * * * *')");
  CHECK(without_view.sqlstate == "55000");
  CHECK(without_view.says("create_score_view"));
  db.run("select health.create_score_view('by clock', 'scores.book')");
  const Failure nonsense = db.failure("select health.schedule('by clock', 'every minute')");
  CHECK(nonsense.sqlstate == "22023");
  CHECK(nonsense.says("by clock"));
  CHECK(nonsense.says("weekday"));
  CHECK(db.value("select count(*) from cron.job") == "0");

  const std::string job = db.value("select health.schedule('by clock', '* * * * *')");
  CHECK(db.value("select jobname from cron.job where jobid = " + job) == "account_health:by clock");
  const std::string before = db.value("select events from scores.book where account_id = 7");
  db.run(
      "insert into app.events select 7, 6, 'record', timestamptz '2025-03-01 10:00+00' from "
      "generate_series(1, 1000)");

  // pg_cron starts jobs on the minute; what counts is that it happens, not how fast.
  std::string status = "NULL";
  for (int second = 0; second < 180 && status != "succeeded" && status != "failed"; ++second) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    status =
        db.value("select status from cron.job_run_details where jobid = " + job + " order by runid limit 1");
  }
  INFO(db.value("select return_message from cron.job_run_details where jobid = " + job +
                " order by runid limit 1"));
  CHECK(status == "succeeded");
  CHECK(db.value("select events - " + before + " from scores.book where account_id = 7") == "1000");

  CHECK(db.value("select health.schedule('by clock', '30 4 * * *')") == job);
  CHECK(db.value("select schedule from cron.job where jobid = " + job) == "30 4 * * *");
  CHECK(db.value("select health.unschedule('by clock')") == "t");
  CHECK(db.value("select count(*) from cron.job") == "0");
  CHECK(db.value("select health.unschedule('by clock')") == "f");

  db.run("select health.schedule('by clock', '30 4 * * *')");
  db.run("select health.drop_score_view('scores.book'); select health.drop_model('by clock')");
  CHECK(db.value("select count(*) from cron.job") == "0");
  drop_all();
}

TEST_CASE("a job is known by its database, its owner and the whole name of the model") {
  Db db("dbname=postgres");
  const std::string other = make_database("t_cron_other");
  const auto drop_all = [&] {
    db.run("select health.drop_model(model, cascade => true) from health.models()");
    db.run(
        "select cron.unschedule(jobid) from cron.job; drop schema if exists app cascade; drop schema if "
        "exists scores cascade");
  };
  db.run("create extension if not exists account_health; create extension if not exists pg_cron");
  drop_all();
  db.run(crm_tables);
  db.run("create schema scores");
  const auto make = [&](const std::string& model, const std::string& view) {
    db.run("select health.create_model('" + model + "', " + crm_model +
           "); select health.create_score_view('" + model + "', 'scores." + view + "')");
  };
  const auto jobs = [&] {
    return table(db, "select jobname, schedule, database, username from cron.job order by jobid");
  };
  // Another database's model of the same name, and a job of somebody else that is called as ours would be.
  db.run("drop role if exists cron_eve");
  db.run(
      "create role cron_eve login; grant usage on schema cron to cron_eve; grant execute on all functions in "
      "schema cron to cron_eve");
  db.run(
      "select cron.schedule_in_database('account_health:m', '*/5 * * * *', $$CALL health.refresh('m')$$, "
      "'t_cron_other')");
  db.run("set role cron_eve; select cron.schedule('account_health:m', '1 1 * * *', 'select 1'); reset role");
  const std::string foreign = jobs();
  make("m", "m");
  db.run("select health.schedule('m', '0 3 * * *')");
  db.run("select health.schedule('m', '0 4 * * *')");
  CHECK(jobs() == foreign + "account_health:postgres:m | 0 4 * * * | postgres | postgres\n");
  db.run("select health.rename_model('m', 'n')");
  CHECK(jobs() == foreign + "account_health:n | 0 4 * * * | postgres | postgres\n");
  db.run("select health.rename_model('n', 'm')");
  CHECK(db.value("select health.unschedule('m')") == "t");
  CHECK(db.value("select health.unschedule('m')") == "f");
  CHECK(jobs() == foreign);

  const std::string america(90, 'a');
  make(america + "_america", "america");
  make(america + "_africa", "africa");
  db.run("select health.schedule('" + america + "_america', '0 5 * * *'), health.schedule('" + america +
         "_africa', '0 6 * * *')");
  CHECK(db.value("select count(*) from cron.job") == "4");
  db.run("select health.track('" + america + "_africa')");
  CHECK(db.value("select schedule from health.status('" + america + "_africa')") == "0 6 * * *");
  db.run("select health.drop_model('" + america + "_america', cascade => true)");
  CHECK(db.value("select string_agg(schedule, ' ') from cron.job where command like '%aaa%'") == "0 6 * * *");
  drop_all();
  db.run("drop owned by cron_eve; drop role cron_eve");
}
