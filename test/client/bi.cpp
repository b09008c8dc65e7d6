// What a BI tool does: plain SELECTs with SELECT granted on the views and nothing else, over every protocol
// that drivers use.
#include "crm.hpp"

using namespace client;

TEST_CASE("a reader with SELECT on the views reads them over all protocols, in native types") {
  const std::string options = make_database("t_bi");
  Db db(options);
  db.run(crm_tables);
  db.run("select health.create_model('m', " + std::string(crm_model) +
         "); select health.create_score_view('m', 'app.scores')");
  db.run("do $$ begin create role bi_reader login; exception when duplicate_object then null; end $$");
  db.run(
      "revoke usage on schema health from public; grant usage on schema app to bi_reader; grant select on "
      "app.scores, app.scores_signals, app.scores_history to bi_reader");
  Raw bi(options + " user=bi_reader");
  const auto value = [](const RawResult& result, int column) {
    return std::string(PQgetvalue(result.get(), 0, column));
  };
  const std::string query =
      "select account_id, score, band, name, as_of, weekly from app.scores where account_id = ";

  const auto simple = bi.run(query + "7");
  REQUIRE(PQresultStatus(simple.get()) == PGRES_TUPLES_OK);
  CHECK(value(simple, 0) == "7");
  const std::string id("\0\0\0\0\0\0\0\7", 8);
  const auto text = bi.run(query + "$1::bigint", id, false);
  const auto binary = bi.run(query + "$1::bigint", id, true);
  REQUIRE(PQresultStatus(text.get()) == PGRES_TUPLES_OK);
  REQUIRE(PQresultStatus(binary.get()) == PGRES_TUPLES_OK);
  for (int column = 0; column < 6; ++column) CHECK(value(text, column) == value(simple, column));
  CHECK(std::string(PQgetvalue(binary.get(), 0, 0), 8) == id);
  // bigint, float8, text, text, date, bigint[]: what every driver knows.
  const Oid expected[] = {20, 701, 25, 25, 1082, 1016};
  for (int column = 0; column < 6; ++column) {
    CHECK(PQftype(simple.get(), column) == expected[column]);
    CHECK(PQftype(binary.get(), column) == expected[column]);
  }

  // A prepared statement, and a cursor as for large results.
  PQclear(PQprepare(bi.get(), "q", "select count(*), avg(points) from app.scores_signals where signal = $1",
                    1, nullptr));
  const char* signal[] = {"activation"};
  const RawResult prepared(PQexecPrepared(bi.get(), "q", 1, signal, nullptr, nullptr, 0), &PQclear);
  CHECK(value(prepared, 0) == "40");
  const auto cursor =
      bi.run("begin; declare c cursor for select * from app.scores_history; fetch 100 from c");
  CHECK(PQntuples(cursor.get()) == 100);
  bi.run("commit");

  // A tool asks the catalog for columns and their comments.
  const auto columns = bi.run(
      "select count(*), count(col_description(attrelid, attnum)) from pg_attribute where attrelid = "
      "'app.scores'::regclass and attnum > 0");
  CHECK(value(columns, 0) == value(columns, 1));

  CHECK(sqlstate(bi.run("select * from app.events")) == "42501");
  CHECK(sqlstate(bi.run("select health.presets()")) == "42501");
  CHECK(sqlstate(bi.run("delete from app.scores")) != "");
  CHECK(sqlstate(bi.run("select count(*) from app.scores_ledger")) == "42501");
}

TEST_CASE("a plain view is computed on reading, with SELECT on it alone") {
  const std::string options = make_database("t_bi_live");
  Db db(options);
  db.run(crm_tables);
  db.run("select health.create_model('m', " + std::string(crm_model) +
         "); select health.create_score_view('m', 'app.live', materialized => false)");
  db.run("do $$ begin create role bi_reader login; exception when duplicate_object then null; end $$");
  db.run("grant usage on schema app to bi_reader; grant select on app.live to bi_reader");
  Db bi(options + " user=bi_reader");
  CHECK(bi.value("select count(*) from app.live") == "40");
  const std::string before = bi.value("select score from app.live where account_id = 7");
  db.run("delete from app.events where account_id = 7");
  CHECK(bi.value("select score from app.live where account_id = 7") != before);
  CHECK(bi.failure("select * from app.events").sqlstate == "42501");
}
