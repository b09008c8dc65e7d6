// Tracked ledgers under fire: 16 sessions write into a plain and a partitioned table in every way there is,
// partitions come and go, refreshes run all the time, sessions are killed. At the end the ledgers are what
// the events say, and the scores those of a materialized view of the same model that is not tracked.
//
// AH_STRESS_SECONDS says for how long (12 s when not given).
#include <atomic>
#include <functional>
#include <map>
#include <thread>

#include "at_work.hpp"
#include "db.hpp"
#include "threads.hpp"
#include "tracked_writes.hpp"

using namespace client;

namespace {

constexpr int writers = 16;

struct Stress {
  std::string options;
  Diary diary;
  std::atomic<bool> calm{false};      // for who changes tables as a whole
  std::atomic<bool> over{false};      // for those who disturb
  std::atomic<bool> finished{false};  // for all
  std::atomic<long> next_prepared{0};
  bool prepares = false;
};

// --- Who writes -----------------------------------------------------------------------------------------

void copy_rows(Random& random, pqxx::work& work) {
  const std::string table = some_table(random);
  const std::vector<std::string> names = {"account_id", "user_id", "event_name", "occurred_at"};
#if defined(PQXX_VERSION_MAJOR) && PQXX_VERSION_MAJOR >= 7
  auto stream = pqxx::stream_to::table(work, {table}, {names[0], names[1], names[2], names[3]});
#else
  pqxx::stream_to stream(work, table, names);
#endif
  for (long i = between(random, 1, 400); i > 0; --i) {
    const auto row = std::make_tuple(between(random, 1, accounts), between(random, 1, 600),
                                     std::string(one_of<std::string>(random, {"record", "view", "It's"})),
                                     some_time(random));
#if defined(PQXX_VERSION_MAJOR) && PQXX_VERSION_MAJOR >= 7
    stream.write_row(row);
#else
    stream << row;
#endif
  }
  stream.complete();
}

void write_with_savepoints(Random& random, pqxx::work& work) {
  for (long i = between(random, 1, 4); i > 0; --i) {
    const std::string name = "s" + std::to_string(i);
    work.exec("savepoint " + name);
    work.exec(change_rows(random));
    if (chance(random, 40)) {
      work.exec("savepoint inner_one");
      work.exec(change_rows(random));
      work.exec(chance(random, 50) ? "rollback to inner_one" : "release inner_one");
    }
    if (chance(random, 50)) work.exec("rollback to " + name);
    if (chance(random, 50)) work.exec("release " + name);
    if (chance(random, 30)) work.exec(change_rows(random));
  }
  // Exception blocks, thousands of changes in them.
  if (chance(random, 5))
    work.exec(
        "do $$ begin for i in 1..2000 loop begin insert into plain (account_id, user_id, event_name, "
        "occurred_at) values (1 + i % 60, i % 600, 'loop', "
        "'2025-02-01'::timestamptz + i % 20 * interval '1 day'); if i % 3 = 0 then raise 'back'; end if; "
        "exception when raise_exception then null; end; end loop; end $$");
}

void write_prepared(Random& random, Stress& stress, Db& db) {
  const std::string name = quoted("stress " + std::to_string(stress.next_prepared++));
  db.run("begin");
  try {
    for (long i = between(random, 1, 3); i > 0; --i) db.run(change_rows(random));
    db.run("prepare transaction " + name);
  } catch (const std::exception& error) {
    if (code_of(error) != "killed") db.run("rollback");
    throw;
  }
  pause(static_cast<int>(between(random, 0, 60)));
  db.run((chance(random, 75) ? "commit prepared " : "rollback prepared ") + name);
}

// Commits the prepared transactions that are so old.
void commit_prepared(Db& db, const std::string& age) {
  for (;;) {
    const std::string name = db.value(
        "select quote_literal(gid) from pg_prepared_xacts where database = current_database()"
        " and prepared <= now() - interval " +
        quoted(age) + " limit 1");
    if (name == "no row") return;
    db.run("commit prepared " + name);
  }
}

void write_once(Random& random, Stress& stress, Db& db) {
  const long kind = between(random, 1, 20);
  if (kind <= 6) {
    db.run(change_rows(random));  // a transaction of one statement
    return;
  }
  if (kind == 7 && stress.prepares) {
    write_prepared(random, stress, db);
    return;
  }
  pqxx::work work(db.connection());
  if (chance(random, 15)) work.exec("set transaction isolation level repeatable read");
  if (kind <= 10) {
    copy_rows(random, work);
  } else if (kind <= 14) {
    write_with_savepoints(random, work);
  } else {
    for (long i = between(random, 1, 5); i > 0; --i) work.exec(change_rows(random));
    if (chance(random, 20)) pause(static_cast<int>(between(random, 1, 150)));  // open for a while
  }
  if (between(random, 1, 600) == 1)  // more than is kept in memory
    work.exec("insert into plain " + columns +
              " select 1 + n % 60, 1 + n % 600, 'big', '2025-01-05'::timestamptz + n % 50 * interval '1 "
              "day', n from generate_series(1, " +
              std::to_string(between(random, 2000, setting("AH_STRESS_SECONDS", 12) > 30 ? 300000 : 20000)) +
              ") n");
  if (chance(random, 20))
    work.abort();
  else
    work.commit();
}

// What others do to a session is no failure: killed, deadlocked, a partition that is not there.
bool is_expected(const std::string& sqlstate) {
  static const std::vector<std::string> expected = {"40P01", "40001", "55P03", "23514", "23505", "42P01"};
  return std::find(expected.begin(), expected.end(), sqlstate) != expected.end();
}

// Runs something in a session again and again until the flag; a session that was killed is replaced.
void keep_at_it(Stress& stress, const std::string& who, const std::atomic<bool>& until,
                const std::function<void(Db&)>& once, const std::vector<std::string>& also_expected = {}) {
  std::unique_ptr<Db> db;
  while (!until) {
    try {
      if (!db) {
        db = std::make_unique<Db>(stress.options + " application_name=" + who);
        if (who == "writer" || who == "ddl") db->run("set search_path = app; set deadlock_timeout = '100ms'");
      }
      once(*db);
      stress.diary.note(who + " done");
    } catch (const std::exception& error) {
      const std::string code = code_of(error);
      stress.diary.note(who + " " + code);
      if (code == "killed")
        db.reset();
      else if (!is_expected(code) &&
               std::find(also_expected.begin(), also_expected.end(), code) == also_expected.end())
        stress.diary.complain(who + " " + code + ": " + error.what());
    }
  }
}

// --- Who disturbs ---------------------------------------------------------------------------------------

void change_tables(Random& random, Stress& stress, Db& db) {
  const std::string month = one_of<std::string>(random, {"2024_12", "2025_01", "2025_02"});
  const std::string leaf = "parted_" + month;
  const std::string from = quoted(month.substr(0, 4) + "-" + month.substr(5) + "-01");
  const std::string range =
      " for values from (" + from + ") to (" + from + "::timestamptz + interval '1 month')";
  const std::string attach = "alter table parted attach partition " + leaf + " for values from (" + from +
                             ") to (" +
                             (month == "2024_12"   ? "'2025-01-01'"
                              : month == "2025_01" ? "'2025-02-01'"
                                                   : "'2025-03-01'") +
                             ")";
  const std::string detach = "alter table parted detach partition " + leaf;
  const std::string fill = "insert into " + leaf + " " + columns + " select 1 + n % 60, n, 'away', " + from +
                           "::timestamptz + n % 27 * interval '1 day', 2 from generate_series(1, 50) n";
  const std::string toggle = one_of<std::string>(random, {"plain", "parted", leaf});
  struct Act {
    const char* name;
    std::vector<std::string> sql;
  };
  const std::vector<Act> acts = {
      {"detach, write, attach", {detach, fill, attach}},
      {"detach, write, attach in one transaction", {"begin", detach, fill, attach, "commit"}},
      {"detach, rolled back", {"begin", detach, fill, "rollback"}},
      {"drop and attach another with rows",
       {"begin", "drop table " + leaf, "create table " + leaf + " (like parted including all)", fill,
        "commit", attach}},
      {"create in a transaction",
       {"begin",
        "create table parted_far partition of parted for values from ('2026-01-01') to ('2027-01-01')",
        "insert into parted " + columns +
            " values (1, 1, 'view', '2026-02-01', 1), (2, 2, 'view', '2026-03-01', 2)",
        "update parted set occurred_at = '2026-05-05' where id > (select last_value from ids) - 20",
        "commit"}},
      {"drop", {"drop table if exists parted_far"}},
      {"truncate a partition", {"truncate " + leaf}},
      {"truncate in a transaction",
       {"begin", "truncate " + leaf, fill, "truncate " + leaf, fill,
        chance(random, 50) ? "commit" : "rollback"}},
      {"rewrite", {chance(random, 50) ? "vacuum full " + leaf : "vacuum full plain"}},
      {"vacuum", {"vacuum " + toggle}},
      {"disable the triggers",
       {"begin", "alter table " + toggle + " disable trigger all",
        "update " + toggle + " set user_id = user_id + 1 where id % 100 = 5",
        "alter table " + toggle + " enable trigger all", "commit"}},
      {"another column",
       {"alter table plain drop column if exists more", "alter table plain add column more int default 7"}},
  };
  const Act& act = one_of(random, acts);
  db.run("set lock_timeout = '1s'");
  try {
    for (const std::string& sql : act.sql) db.run(sql);
    stress.diary.remember(db.value("select clock_timestamp()::time(3)") + " " + act.name + " " + leaf);
    stress.diary.note(std::string("ddl: ") + act.name);
  } catch (const std::exception& error) {
    if (code_of(error) != "killed") db.run("rollback");
    throw;
  }
  pause(static_cast<int>(between(random, 100, 600)));
}

void kill_somebody(Random& random, Stress& stress, Db& db) {
  pause(static_cast<int>(between(random, 50, 400)));
  const std::string who = chance(random, 50) ? "writer" : "refresher";
  if (db.value("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
               "and application_name = " +
               quoted(who) + " order by random() limit 1") == "t")
    stress.diary.note("killed a " + who);
}

// --- The end --------------------------------------------------------------------------------------------

// Refreshes until nothing waits any more.
void refresh_until_quiet(Db& db, const std::string& model) {
  for (int i = 0; i < 20; ++i) {
    db.run("call health.refresh(" + quoted(model) + ")");
    if (db.value("select sum(changes_waiting) from health.status(" + quoted(model) + ")") == "0") return;
  }
  FAIL_CHECK("changes of model " << model << " wait after 20 refreshes");
}

// The code that a statement fails with, or nothing.
std::string outcome(Db& db, const std::string& sql) {
  try {
    db.run(sql);
  } catch (const std::exception& error) {
    const std::string code = code_of(error);
    if (!is_expected(code)) WARN(error.what());
    return code;
  }
  return "";
}

// What the failure of a model is to be explained with.
std::string explain_failure(Db& db, const Stress& stress, const std::string& model) {
  std::string text =
      "sources\n" + table(db, "select * from health.status(" + quoted(model) + ")") + "batches\n" +
      table(db,
            "select b.source, b.leaf::regclass, b.from_block, b.to_block, b.part, "
            "b.relfilenode, b.trigger_version, b.snapshot, b.events, "
            "b.ended_at::time(3) from health_internal.ledger_batch b join health_internal.ledger_source s on "
            "s.id = b.source where s.model = " +
                quoted(model) + " order by b.source, b.part");
  for (const auto& row : db.run("select relation::regclass::text, change_table::regclass::text from "
                                "health_internal.ledger_source where model = " +
                                quoted(model))) {
    const std::string events = row[0].c_str();
    text +=
        "rows of " + events + " in the first cells that differ\n" +
        table(db,
              "select v.*, e.tableoid::regclass, e.ctid, e.xmin, e.id, e.amount from (select * from "
              "health.verify(" +
                  quoted(model) + ") order by 2, 4 limit 4) v left join " + events +
                  " e on e.account_id::text = v.account_id and 'u' || e.user_id in (v.user_id, 'u' || "
                  "v.user_id) and lower(e.event_name) = lower(v.event) "
                  "and abs(e.occurred_at::date - v.day) <= 1 limit 40") +
        "changes\n" +
        table(
            db,
            "select leaf::regclass, xact, health_internal.count_changes(changes), written_at::time(3) from " +
                std::string(row[1].c_str()) + " limit 20");
  }
  return text + "tables were changed\n" + stress.diary.events();
}

void check_model(Db& db, const Stress& stress, const std::string& model) {
  INFO("model " << model << ", seed " << run_seed());
  refresh_until_quiet(db, model);
  const std::string wrong =
      table(db, "select count(*), sum(events) from health.verify(" + quoted(model) + ")");
  if (wrong != "0 | NULL\n") {
    FAIL_CHECK("verify: " << wrong << table(db, "select * from health.verify(" + quoted(model) + ") limit 20")
                          << explain_failure(db, stress, model));
  }
  CHECK(db.value("select sum(bad_rows) from health.status(" + quoted(model) + ")") == "0");
  CHECK(db.value("select string_agg(phase || coalesce(' ' || error, ''), ', ') from health.status(" +
                 quoted(model) + ") where phase <> 'fresh'") == "NULL");
  db.run("select health.refresh_score_view('app." + model + "_twin')");
  for (const std::string& what : std::vector<std::string>{"", "_signals"}) {
    const std::string ours = "select to_jsonb(x) - 'model' from app." + model + "_scores" + what + " x";
    const std::string theirs = "select to_jsonb(x) - 'model' from app." + model + "_twin" + what + " x";
    INFO("app." << model << "_scores" << what);
    CHECK(db.value("select count(*) from (" + ours + ") x") ==
          db.value("select count(*) from (" + theirs + ") x"));
    const std::string more = table(db, "(" + ours + " except all " + theirs + ") limit 5");
    const std::string less = table(db, "(" + theirs + " except all " + ours + ") limit 5");
    if (!(more + less).empty()) FAIL_CHECK("tracked:\n" << more << "not tracked:\n" << less);
  }
}

}  // namespace

TEST_CASE(
    "writers, partitions that come and go, kills: ledgers and scores of tracked models are exact in the end",
    "[stress]") {
  Stress stress;
  stress.options = make_database("t_stress");
  const auto seconds = setting("AH_STRESS_SECONDS", 12);
  Db db(stress.options);
  stress.prepares = db.value("show max_prepared_transactions") != "0";
  if (!stress.prepares)
    std::cout << "max_prepared_transactions is 0: without prepared transactions" << std::endl;
  run_seed();  // prints it
  std::cout << "stress of " << seconds << " s" << std::endl;
  db.run("set deadlock_timeout = '300ms'");
  db.run(tables);
  for (const std::string& model : models) {
    const std::string& document = model == "mixed" ? mixed_model : second_model;
    for (const std::string& name : {model, model + "_twin"})
      db.run("select health.create_model(" + quoted(name) + ", " + document + ")");
    db.run("select health.create_score_view(" + quoted(model) + ", 'app." + model + "_scores')");
    db.run("select health.create_score_view(" + quoted(model + "_twin") + ", 'app." + model + "_twin')");
  }

  Sessions writing(stress.finished);
  Sessions disturbing(stress.over);
  Sessions changing(stress.calm);
  const auto start = [&](Sessions& where, std::uint64_t number, const std::string& who,
                         const std::atomic<bool>& until, auto once,
                         std::vector<std::string> also_expected = {}) {
    where.start([&stress, number, who, &until, once, also_expected] {
      Random random(run_seed() + number);
      keep_at_it(
          stress, who, until, [&](Db& session) { once(random, stress, session); }, also_expected);
    });
  };
  for (std::uint64_t i = 0; i < writers; ++i) start(writing, i, "writer", stress.finished, write_once);
  pause(500);

  // Writers are at it: the models are tracked, read and refreshed from now on.
  for (const std::string& model : models) {
    // A lock on every partition: with writers at all of them it takes a few attempts.
    std::string code = "40P01";
    for (int i = 0; code == "40P01" && i < 50; ++i)
      code = outcome(db, "select health.track(" + quoted(model) + ")");
    REQUIRE(code == "");
  }
  // Several batches for each table.
  db.run(
      "begin; select 1 from health_internal.tracking for update; select health_internal.plan_reading(s) from "
      "health_internal.ledger_source s;"
      "insert into health_internal.ledger_batch (source, leaf, from_block, to_block, part, relfilenode, "
      "trigger_version) select source, leaf, g, g + 50, part + 1000 * g, relfilenode, "
      "trigger_version from health_internal.ledger_batch, generate_series(50, 250, 50) g; update "
      "health_internal.ledger_batch "
      "set to_block = case from_block when 0 then 50 when 250 then 4294967295 else to_block end;"
      "commit");
  std::uint64_t number = 100;
  for (const std::string& model : models)
    for (int i = 0; i < 2; ++i)
      start(disturbing, number++, "refresher", stress.over, [model](Random& random, Stress&, Db& session) {
        session.run(std::string("call health.") + (chance(random, 20) ? "backfill" : "refresh") + "(" +
                    quoted(model) + ")");
        pause(static_cast<int>(between(random, 0, 100)));
      });
  start(disturbing, 200, "killer", stress.over, kill_somebody);
  start(changing, 300, "ddl", stress.calm, change_tables, {"42P07", "42809", "42704", "55000", "25001"});

  // A source that is read again is exact again, whatever went wrong before: for the second half nothing is a
  // reason to.
  pause(static_cast<int>(seconds * 500));
  changing.finish();
  pause(static_cast<int>(seconds * 500));

  disturbing.finish();
  // Who was killed with a prepared transaction left locks behind, which writers may wait for.
  std::atomic<bool> all_written{false};
  std::jthread last_writers([&] {
    writing.finish();
    all_written = true;
  });
  while (!all_written) {
    if (stress.prepares) commit_prepared(db, "5 seconds");
    pause(100);
  }
  last_writers.join();
  if (stress.prepares) commit_prepared(db, "0");
  std::cout << stress.diary.counts() << std::flush;
  for (const std::string& complaint : stress.diary.complaints()) FAIL_CHECK(complaint);

  for (const std::string& model : models) refresh_until_quiet(db, model);
  // A model that is not tracked has no way around rows that are no events.
  std::cout << "bad rows: "
            << db.value(
                   "select string_agg(bad_rows::text, ', ') from health_internal.tracking t, "
                   "health.status(t.model)")
            << std::endl;
  for (const char* name : {"plain", "parted"})
    db.run(std::string("delete from app.") + name + " where event_name = '' or amount = 'NaN'");
  for (const std::string& model : models) check_model(db, stress, model);
  std::cout << "rows: "
            << db.value(
                   "select (select count(*) from app.plain) || ' plain, ' || (select count(*) from "
                   "app.parted) || ' partitioned'")
            << std::endl;

  CHECK(stress.diary.count("writer done") > seconds * 20);
  CHECK(stress.diary.count("refresher done") > seconds);
}
