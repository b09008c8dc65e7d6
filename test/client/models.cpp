// Wrong documents through a client: the error names the path and the way out, and nothing half-done stays
// behind.
#include "crm.hpp"

using namespace client;

namespace {

std::string changed(const std::string& path, const std::string& value) {
  return "jsonb_set(" + std::string(crm_model) + ", '{" + path + "}', '" + value + "')";
}

}  // namespace

TEST_CASE("a wrong document is refused with its path, an SQLSTATE and a hint") {
  Db db(make_database("t_models"));
  db.run(crm_tables);
  struct Wrong {
    std::string document, state, path, hint;
  };
  const std::vector<Wrong> all = {
      {changed("accounts,table", R"("app.acounts")"), "42P01", "accounts.table", "app.accounts"},
      {changed("events,occurred_at", R"("occured_at")"), "42703", "events.occurred_at", "occurred_at"},
      {changed("signals,0,metric", R"("activation_rat")"), "22023", "signals[0].metric", "activation_rate"},
      {changed("signals,1,normalize,best", "-0.5"), "22023", "signals[1].normalize", "HINT"},
      {changed("signals,2,column", R"("plan_tier")"), "42703", "signals[2].column", "plan"},
      {changed("signals,0,weight", "-1"), "22023", "signals[0].weight", "from 0 to"},
      {changed("signals", "[]"), "22023", "signals", "HINT"},
      {changed("time_zone", R"("Europe/Berlyn")"), "22023", "time_zone", "Europe/Berlin"},
      {changed("window_days", "0"), "22023", "window_days", "from 1 to"},
      {changed("signls", "[]"), "22023", "signls", "signals"},
  };
  for (const Wrong& wrong : all) {
    const Failure failure = db.failure("select health.create_model('m', " + wrong.document + ")");
    INFO(wrong.document << "\n" << failure.sqlstate << " " << failure.text);
    CHECK(failure.sqlstate == wrong.state);
    CHECK(failure.says(wrong.path));
    // A range that is named is the way out.
    CHECK((failure.says("HINT") || failure.says("must be a")));
    CHECK(failure.says(wrong.hint));
  }
  CHECK(db.value("select count(*) from health_internal.model") == "0");
  CHECK(db.value("select count(*) from health_internal.model_version") == "0");
  CHECK(db.failure("select health.create_model('m', 'null')").sqlstate == "22023");
  CHECK(db.failure("select health.create_model('m', '[1]')").sqlstate == "22023");
  CHECK(db.failure("select health.create_model('m', '{\"signals\"')").sqlstate == "22P02");
}

TEST_CASE("a transaction that is rolled back leaves no model, version, view or comment") {
  Db db(make_database("t_rollback"));
  db.run(crm_tables);
  const std::string before = table(
      db,
      "select count(*), sum(oid::text::bigint) from pg_class where relnamespace <> 'pg_toast'::regnamespace");
  try {
    pqxx::work work(db.connection());
    work.exec("select health.create_model('m', " + std::string(crm_model) + ")");
    work.exec("select health.create_score_view('m', 'app.scores')");
    work.exec("select health.alter_model('m', '{\"window_days\": 30}')");
    work.exec("select health.create_score_view('m', 'app.scores')");  // is there already
    FAIL("a second view of the same name");
  } catch (const pqxx::sql_error& error) {
    CHECK(error.sqlstate() == "42P07");
  }
  CHECK(table(db,
              "select count(*), sum(oid::text::bigint) from pg_class where relnamespace <> "
              "'pg_toast'::regnamespace") == before);
  CHECK(db.value("select count(*) from health_internal.model") == "0");
  CHECK(db.value("select count(*) from health_internal.score_view") == "0");
  // The same again, and it works.
  db.run("select health.create_model('m', " + std::string(crm_model) +
         "); select health.create_score_view('m', 'app.scores')");
  CHECK(db.value("select count(*) from app.scores") == "40");
}

TEST_CASE("an exported model makes the same model again") {
  Db db(make_database("t_export"));
  db.run(crm_tables);
  db.run("select health.create_model('m', " + std::string(crm_model) + ")");
  db.run("select health.create_model('copy', health.model_definition('m'))");
  CHECK(db.value("select health.model_definition('m') = health.model_definition('copy')") == "t");
  CHECK(db.value("select health.model_definition('m') = " + std::string(crm_model)) == "t");
  db.run("select health.create_score_view('m', 'app.a'); select health.create_score_view('copy', 'app.b')");
  CHECK(db.value("select count(*) from app.a join app.b using (account_id) where a.score = b.score") == "40");
}
