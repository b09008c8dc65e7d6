// Random event sets: every reader says what plain SQL says, and every way to a ledger gives the same bytes.
#include "db.hpp"

using namespace client;

namespace {

std::string with_id_type(std::string sql, const std::string& type) {
  const std::string mark = "ID_TYPE";
  for (auto at = sql.find(mark); at != std::string::npos; at = sql.find(mark, at))
    sql.replace(at, mark.size(), type);
  return sql;
}

// Event sets in one round, and rounds: 10,000 sets in all.
struct Size {
  long accounts = setting("AH_ACCOUNTS", 500);
  long rounds = setting("AH_ROUNDS", 20);
};

// Fills oracle.* with the round's event sets; the same seed and round give the same ones.
std::string generate(Db& db, long round, long accounts) {
  const std::string kind =
      std::vector<std::string>{"bigint", "uuid", "text"}[static_cast<std::size_t>(round % 3)];
  std::mt19937_64 random(run_seed() + static_cast<std::uint64_t>(round));
  const double seed = std::uniform_real_distribution<double>(-1, 1)(random);
  // The session's time zone has no influence on anything.
  db.run("set timezone = '" + std::string(round % 2 == 0 ? "UTC" : "America/New_York") + "'");
  db.run("select set_config('oracle.seed', '" + std::to_string(seed) +
         "', false), set_config('oracle.kind', '" + kind + "', false), set_config('oracle.accounts', '" +
         std::to_string(accounts) + "', false)");
  pqxx::work work(db.connection());
  work.exec(read_file("test/oracle/generate.sql"));
  work.exec(with_id_type(read_file("test/oracle/ledgers.sql"), kind));
  work.commit();
  return kind;
}

const std::vector<std::string> differences = {"different_values",  "different_others", "different_reasons",
                                              "different_singles", "different_series", "different_top_users",
                                              "different_choices", "different_pasts"};

}  // namespace

TEST_CASE(
    "of 10,000 random event sets, every reader equals the plain-SQL oracle, and every way to a ledger gives "
    "its bytes",
    "[oracle]") {
  Db db(make_database("t_oracle"));
  db.run(read_file("test/oracle/tables.sql"));
  const Size size;
  const std::string file = std::string(std::getenv("PGHOST")) + "/ledgers.copy";
  for (long round = 0; round < size.rounds; ++round) {
    const std::string kind = generate(db, round, size.accounts);
    INFO("seed " << run_seed() << ", round " << round << ", users are " << kind);
    pqxx::work work(db.connection());
    for (const char* step : {"facts", "expected", "compare"})
      work.exec(with_id_type(read_file("test/oracle/" + std::string(step) + ".sql"), kind));
    for (const std::string& difference : differences) {
      std::string rows;
      for (const auto& row : work.exec("select * from " + difference + " limit 5")) {
        for (pqxx::row::size_type i = 0; i < row.size(); ++i)
          rows += std::string(row[i].is_null() ? "NULL" : row[i].c_str()) + " | ";
        rows += "\n";
      }
      INFO(difference << ": account, as_of, metric, actual, expected");
      CHECK(rows.empty());
      if (!rows.empty()) WARN(difference << "\n" << rows);
    }

    work.exec(with_id_type(read_file("test/oracle/other_ways.sql"), kind));
    work.exec("copy oracle.ledger to '" + file + "' (format binary)");
    work.exec("copy oracle.copied from '" + file + "' (format binary)");
    work.exec("insert into oracle.other select 'binary', account, u from oracle.copied");
    std::string ways;
    for (const auto& row : work.exec(
             "select way, count(*), min(account) from oracle.other o join oracle.ledger l using (account) "
             "where health_internal.usage_send(o.u) is distinct from health_internal.usage_send(l.u) group "
             "by way"))
      ways +=
          std::string(row[0].c_str()) + ": " + row[1].c_str() + " accounts, first " + row[2].c_str() + "\n";
    CHECK(ways == "");
    const auto count = work.exec(
        "select count(distinct way), count(*) filter (where o.u = l.u and health_internal.usage_hash(o.u) = "
        "health_internal.usage_hash(l.u)) = count(*), "
        "count(*) > 5 * (select count(*) from oracle.account) from oracle.other o join oracle.ledger l using "
        "(account)");
    CHECK(std::string(count[0][0].c_str()) == "10");
    CHECK(std::string(count[0][1].c_str()) == "t");
    CHECK(std::string(count[0][2].c_str()) == "t");
    work.commit();
  }
}

TEST_CASE("the oracle's parallel ledgers do come from parallel workers", "[oracle]") {
  Db db(make_database("t_parallel"));
  db.run(
      "create table e as select n % 50 as account, n as u, 'a' as event, now() as at from generate_series(1, "
      "100000) n; analyze e");
  db.run(
      "set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set parallel_tuple_cost = 0; "
      "set min_parallel_table_scan_size = 0");
  const std::string aggregate = "select account, health.usage_agg(u, event, at) as u from e group by account";
  const std::string plan = table(db, "explain " + aggregate);
  INFO(plan);
  CHECK(plan.find("Partial") != std::string::npos);
  // One-shot aggregates take the same road.
  const std::string one_shot = table(db,
                                     "explain select health.power_user_dependency(u), "
                                     "health.concentration(u), health.trend_4w(at, '2025-01-01') from e");
  INFO(one_shot);
  CHECK(one_shot.find("Partial") != std::string::npos);
  db.run("create temp table workers as " + aggregate);
  db.run("set max_parallel_workers_per_gather = 0");
  CHECK(db.value("select bool_and(w.u = s.u) from workers w join (" + aggregate + ") s using (account)") ==
        "t");
}
