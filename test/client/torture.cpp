// Upkeep under torture, seen by those who only write: sessions that use two tracked tables in either order,
// each with rows of its own, so that they never wait for each other. Meanwhile models are refreshed, altered,
// untracked and tracked again, owners renamed and replaced, change tables touched, partitions made and
// dropped, refreshes killed and cancelled, and bad rows come among the good. No writer ever sees an error
// that is not its own, a deadlock least of all; and at the end the scores are the same of a tracked model, of
// one in window mode and of one that is made from the events.
//
// AH_TORTURE_SECONDS says for how long (12 s when not given).
#include <atomic>
#include <functional>
#include <thread>

#include "at_work.hpp"
#include "db.hpp"
#include "threads.hpp"
#include "tracked_writes.hpp"

using namespace client;

namespace {

constexpr long writers = 8;
constexpr long users_each = 75;  // of 600: each writer has its own

struct Torture {
  std::string options;
  Diary diary;
  std::atomic<bool> calm{false};      // for who meddles
  std::atomic<bool> finished{false};  // for all
  std::atomic<long> next_prepared{0};
  bool prepares = false;
};

const std::string model = R"('{
  "as_of": "2025-03-03", "history": {"days": 7},
  "accounts": {"table": "app.accounts", "id": "account_id", "name": "company", "columns": {"plan": "plan"}},
  "users": {"table": "app.users", "id": "user_id", "account": "account_id", "joined": "joined"},
  "events": [
    {"table": "app.plain", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at", "amount": "amount"},
    {"table": "app.parted", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"}],
  "signals": [
    {"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -0.5, "best": 0.5}},
    {"name": "plan", "column": "plan", "normalize": {"kind": "map", "map": {"team": 90, "pro": 80, "free": 20}}}]}'::jsonb)";

// The events with another filter on one of the tables, or none.
std::string events_with(const std::string& filter) {
  const std::string fields =
      R"("account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at")";
  return R"({"events": [{"table": "app.plain", "amount": "amount", )" + fields +
         (filter.empty() ? "" : R"(, "filter": ")" + filter + "\"") + R"(}, {"table": "app.parted", )" +
         fields + "}]}";
}

// --- Who writes -----------------------------------------------------------------------------------------

std::string own_row(Random& random, long writer, const std::string& table) {
  const std::string user = std::to_string(1 + writer * users_each + between(random, 0, users_each - 1));
  // What is no event, now and then; a partition takes no infinite time.
  const bool bad = chance(random, 2);
  const bool infinite = bad && table == "plain" && chance(random, 30);
  return "(" + std::to_string(between(random, 1, accounts)) + ", " + user + ", " +
         quoted(bad && !infinite && chance(random, 50) ? "" : some_event(random)) + ", " +
         quoted(infinite ? "infinity" : some_time(random)) + ", " +
         (bad && !infinite ? quoted("NaN") : some_amount(random)) + ")";
}

std::string own_change(Random& random, long writer, const std::string& table) {
  const std::string own = "user_id between " + std::to_string(1 + writer * users_each) + " and " +
                          std::to_string((writer + 1) * users_each);
  const long first = between(random, 0, 40000);
  const std::string some = " where " + own + " and id between " + std::to_string(first) + " and " +
                           std::to_string(first + between(random, 1, 3000));
  switch (between(random, 1, 6)) {
    case 1:
      return "update " + table + " set account_id = " + std::to_string(between(random, 1, accounts)) + some;
    case 2:
      return "update " + table + " set event_name = event_name || ''" + some;
    case 3:
      return "delete from " + table + some;
    case 4:
      return "merge into " + table + " as t using (select * from " + table + some +
             " limit 20) as s on t.id = s.id when matched and s.id % 3 = 0 then delete when matched then "
             "update set "
             "occurred_at = s.occurred_at - interval '1 hour' when not matched then insert " +
             columns + " values (1, s.user_id, 'merged', s.occurred_at, null)";
    default: {
      std::string sql = "insert into " + table + " " + columns + " values ";
      for (long i = between(random, 1, 20); i > 0; --i)
        sql += own_row(random, writer, table) + (i > 1 ? ", " : "");
      return sql;
    }
  }
}

void write_once(Random& random, Torture& torture, Db& db, long writer) {
  const bool prepared = torture.prepares && chance(random, 10);
  db.run("begin");
  try {
    // Either table first.
    std::string table = some_table(random);
    for (long i = between(random, 1, 4); i > 0; --i) {
      if (chance(random, 30)) {
        db.run("savepoint one");
        db.run(own_change(random, writer, table));
        if (chance(random, 50)) db.run("rollback to one");
      }
      db.run(own_change(random, writer, table));
      if (chance(random, 6)) pause(static_cast<int>(between(random, 1, 250)));  // past any deadlock_timeout
      table = table == "plain" ? "parted" : "plain";
    }
    if (prepared) {
      const std::string name = quoted("torture " + std::to_string(torture.next_prepared++));
      db.run("prepare transaction " + name);
      pause(static_cast<int>(between(random, 0, 50)));
      db.run((chance(random, 75) ? "commit prepared " : "rollback prepared ") + name);
    } else {
      db.run(chance(random, 85) ? "commit" : "rollback");
    }
  } catch (const std::exception& error) {
    if (code_of(error) != "killed") db.run("rollback");
    throw;
  }
}

// A row for which there is no partition, or one that left its partition meanwhile; a prepared transaction
// that was ended for it at the end.
bool is_own_error(const std::string& code) {
  return code == "23514" || code == "40001" || code == "21000" || code == "42704";
}

// --- Who meddles ----------------------------------------------------------------------------------------

struct Meddling {
  const char* name;
  std::vector<std::string> statements;
};

Meddling some_meddling(Random& random) {
  const std::string filter =
      one_of<std::string>(random, {"", "event_name <> 'noise'", "amount is null or amount > 0"});
  std::string escaped = events_with(filter);
  for (std::size_t at = 0; (at = escaped.find('\'', at)) != std::string::npos; at += 2)
    escaped.insert(at, "'");
  const auto on_change_table = [](const std::string& statement) {
    return "do $$ begin execute (select format('" + statement +
           "', change_table::regclass) from health_internal.ledger_source where model = 'tracked' order by "
           "id "
           "limit 1); end $$";
  };
  const std::vector<Meddling> all = {
      {"other weights",
       {"select health.alter_model('tracked', '{\"minimum_coverage\": 0." +
        std::to_string(between(random, 1, 9)) + "}')"}},
      {"another filter", {"select health.alter_model('tracked', '" + escaped + "', restart => true)"}},
      {"untracked and tracked", {"select health.untrack('tracked')", "select health.track('tracked')"}},
      {"the owner has another name",
       {"alter role torture_owner rename to torture_renamed",
        "alter role torture_renamed rename to torture_owner"}},
      {"the owner is replaced",
       {"reassign owned by torture_owner to torture_other", "select health.models()",
        "select phase from health.status('tracked')", "reassign owned by torture_other to torture_owner",
        "select phase from health.status('tracked')"}},
      {"an index on a change table", {on_change_table("create index on %s (leaf)")}},
      {"a key for a change table", {on_change_table("alter table %s add column key bigserial primary key")}},
      {"a change table is emptied", {on_change_table("truncate %s")}},
      {"a partition comes and goes",
       {"create table if not exists app.parted_far partition of app.parted for values from ('2026-01-01') to "
        "('2027-01-01')",
        "drop table app.parted_far"}},
      {"a right is lost for a while",
       {"revoke select on app.plain from torture_owner", "grant select on app.plain to torture_owner"}},
      {"triggers are off for a while",
       {"begin; alter table app.plain disable trigger all; alter table app.plain enable trigger all; "
        "commit"}},
      {"vacuum", {"vacuum app.plain"}},
      {"a refresh is cancelled",
       {"select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'refresher' and state "
        "= 'active'"}},
      {"a refresh is killed",
       {"select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'refresher' order "
        "by random() "
        "limit 1"}},
      {"a writer is killed",
       {"select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'writer' order by "
        "random() "
        "limit 1"}},
  };
  return one_of(random, all);
}

void meddle(Random& random, Torture& torture, Db& db) {
  const Meddling meddling = some_meddling(random);
  db.run(
      "set lock_timeout = '500ms'");  // whoever changes tables of others does not block them for long either
  for (const std::string& statement : meddling.statements) {
    for (int attempt = 0; attempt < 6; ++attempt) {
      try {
        db.run(statement);
        break;
      } catch (const std::exception& error) {
        const std::string code = code_of(error);
        torture.diary.note("meddling " + code);
        if (code == "killed") throw;
        db.run("rollback");
        if (code != "55P03" && code != "40P01") break;
        pause(static_cast<int>(between(random, 10, 80)));
      }
    }
  }
  torture.diary.note(std::string("meddling: ") + meddling.name);
  pause(static_cast<int>(between(random, 20, 200)));
}

void keep_at_it(Torture& torture, const std::string& who, const std::atomic<bool>& until,
                const std::function<void(Db&)>& once,
                const std::function<bool(const std::string&)>& is_expected) {
  std::unique_ptr<Db> db;
  while (!until) {
    try {
      if (!db) {
        db = std::make_unique<Db>(torture.options + " application_name=" + who);
        db->run("set search_path = app");
      }
      once(*db);
      torture.diary.note(who + " done");
    } catch (const std::exception& error) {
      const std::string code = code_of(error);
      torture.diary.note(who + " " + code);
      if (code == "killed")
        db.reset();
      else if (!is_expected(code))
        torture.diary.complain(who + " " + code + ": " + error.what());
    }
  }
}

void refresh_until_fresh(Db& db, const std::string& name) {
  std::string phase;
  for (int i = 0; i < 60; ++i) {
    const Failure failure = db.failure("call health.refresh(" + quoted(name) + ", ignore_volume => true)");
    phase = db.value(
        "select string_agg(distinct phase || coalesce(' ' || error, ''), ', ') || ' ' || "
        "coalesce(sum(changes_waiting), 0) from health.status(" +
        quoted(name) + ")");
    if (failure.sqlstate.empty() && phase == "fresh 0") return;
    pause(50);
  }
  FAIL_CHECK("model " << name << " is not fresh after 60 refreshes: " << phase);
}

}  // namespace

TEST_CASE(
    "writers never suffer from upkeep, whatever happens to models, owners and tables, and scores are exact",
    "[torture]") {
  Torture torture;
  torture.options = make_database("t_torture");
  const auto seconds = setting("AH_TORTURE_SECONDS", 12);
  Db db(torture.options);
  torture.prepares = db.value("show max_prepared_transactions") != "0";
  run_seed();  // prints it
  std::cout << "torture of " << seconds << " s" << std::endl;
  db.run(tables);
  db.run(
      "do $$ begin create role torture_owner; exception when duplicate_object then null; end $$;"
      "do $$ begin create role torture_other; exception when duplicate_object then null; end $$;"
      "grant usage, create on schema app to torture_owner, torture_other;"
      "grant select, trigger on all tables in schema app to torture_owner, torture_other;"
      "alter table app.plain owner to torture_owner; alter table app.parted owner to torture_owner;"
      "alter table app.accounts owner to torture_owner; alter table app.users owner to torture_owner");
  // Untracking takes the owner of the tables; what is his can be given away and back again.
  for (const std::string name : {"tracked", "windowed", "made"}) {
    db.run("set role torture_owner");
    db.run("select health.create_model(" + quoted(name) + ", " + model + ")");
    db.run("select health.create_score_view(" + quoted(name) + ", 'app." + name + "_scores')");
    db.run("reset role");
  }
  db.run("select health.track('tracked')");
  db.run("select health.track('windowed', window_days => 3650)");
  for (const std::string name : {"tracked", "windowed"}) db.run("call health.backfill(" + quoted(name) + ")");

  Sessions writing(torture.finished);
  Sessions meddling(torture.calm);
  for (long i = 0; i < writers; ++i) {
    writing.start([&torture, i] {
      Random random(run_seed() + static_cast<std::uint64_t>(i));
      keep_at_it(
          torture, "writer", torture.finished, [&](Db& session) { write_once(random, torture, session, i); },
          is_own_error);
    });
  }
  for (const std::string name : {"tracked", "tracked", "windowed"}) {
    meddling.start([&torture, name] {
      keep_at_it(
          torture, "refresher", torture.calm,
          [&](Db& session) {
            session.run("call health.refresh(" + quoted(name) + ")");
            pause(20);
          },
          [](const std::string&) { return true; });  // others see to it that it fails, and how
    });
  }
  for (std::uint64_t i = 0; i < 2; ++i) {
    meddling.start([&torture, i] {
      Random random(run_seed() + 1000 + i);
      keep_at_it(
          torture, "meddler", torture.calm, [&](Db& session) { meddle(random, torture, session); },
          [](const std::string&) { return true; });
    });
  }
  pause(static_cast<int>(seconds * 1000));
  meddling.finish();
  // Who was killed with a prepared transaction left locks behind, which the one who writes on in its place
  // waits for.
  std::atomic<bool> all_written{false};
  std::thread last_writers([&] {
    writing.finish();
    all_written = true;
  });
  while (!all_written) {
    for (const auto& row : db.run("select quote_literal(gid) from pg_prepared_xacts where database = "
                                  "current_database() and prepared < now() - interval '5 seconds'"))
      db.failure(std::string("commit prepared ") + row[0].c_str());
    pause(100);
  }
  last_writers.join();
  if (torture.prepares) {
    for (const auto& row :
         db.run("select quote_literal(gid) from pg_prepared_xacts where database = current_database()"))
      db.run(std::string("commit prepared ") + row[0].c_str());
  }
  std::cout << torture.diary.counts() << std::flush;
  for (const std::string& complaint : torture.diary.complaints()) FAIL_CHECK(complaint);

  // Whatever was going on when the meddling ended: all three models as they were.
  db.failure("alter role torture_renamed rename to torture_owner");
  db.failure("drop table app.parted_far");
  db.run("grant select on all tables in schema app to torture_owner");
  if (db.failure("select health.status('tracked')").sqlstate == "55000")
    db.run("select health.track('tracked')");
  db.run("reassign owned by torture_other to torture_owner");
  for (const std::string name : {"tracked", "windowed", "made"})
    db.run("select health.alter_model(" + quoted(name) + ", " + model +
           ", replace => true, restart => true)");
  for (const std::string name : {"tracked", "windowed"}) {
    INFO("model " << name << ", seed " << run_seed());
    refresh_until_fresh(db, name);
    CHECK(table(db, "select * from health.verify(" + quoted(name) + ") limit 5") == "");
  }
  db.run("select health.refresh_score_view('app.made_scores')");
  const auto scores = [&](const std::string& name) {
    return "select to_jsonb(x) - 'model' - 'model_version' from app." + name + "_scores x";
  };
  for (const std::string name : {"tracked", "windowed"}) {
    INFO("model " << name << ", seed " << run_seed());
    CHECK(db.value("select count(*) from app." + name + "_scores") == std::to_string(accounts));
    CHECK(table(db, "(" + scores(name) + " except all " + scores("made") + ") limit 3") == "");
  }
  CHECK(torture.diary.count("writer done") > seconds * 5);
  CHECK(torture.diary.count("refresher done") > 0);
  db.run("drop owned by torture_owner, torture_other cascade");
}
