// What a model does it does with the rights of its owner: nothing is widened, ordinary owners need no
// superuser.
#include "crm.hpp"

using namespace client;

namespace {

// A database with the tables, owned by app_owner; app_reader and app_other may connect and no more.
std::string make_guarded_database(const std::string& name) {
  const std::string options = make_database(name);
  Db db(options);
  for (const char* role : {"app_owner", "app_reader", "app_other"}) {
    db.run(std::string("do $$ begin create role ") + role +
           " login; exception when duplicate_object then null; end $$");
    db.run(std::string("grant usage, create on schema public to ") + role);
  }
  db.run("grant create on database " + name + " to app_owner");
  Db owner(options + " user=app_owner");
  owner.run(crm_tables);
  return options;
}

}  // namespace

TEST_CASE("an ordinary owner of tables makes models and views of them") {
  const std::string options = make_guarded_database("t_owner");
  Db owner(options + " user=app_owner");
  owner.run("select health.create_model('m', " + std::string(crm_model) + ", 'ours')");
  owner.run("select health.create_score_view('m', 'app.scores')");
  owner.run("select health.create_score_view('m', 'app.live', materialized => false)");
  CHECK(owner.value("select count(*) from app.scores where score is not null") == "40");
  CHECK(owner.value("select count(*) from health.explain('m', 7)") != "0");
  owner.run("select health.alter_model('m', '{\"window_days\": 30}')");
  owner.run("select health.refresh_score_view('app.scores')");
  CHECK(owner.value("select min(model_version) from app.scores") == "2");
  owner.run("select health.drop_score_view('app.scores'); select health.drop_model('m', cascade => true)");
  CHECK(owner.value("select count(*) from health_internal.model") == "0");
}

TEST_CASE("a model does not open its tables to those who may not read them") {
  const std::string options = make_guarded_database("t_reader");
  Db owner(options + " user=app_owner");
  owner.run("select health.create_model('m', " + std::string(crm_model) + ")");
  owner.run("select health.create_score_view('m', 'app.scores')");
  Db reader(options + " user=app_reader");
  for (const char* statement :
       {"select * from health.explain('m', 7)",
        "select * from health.explain('m', 7, '2025-02-01', '2025-03-01')",
        "select * from health.tracking_plan('m')", "select health.create_score_view('m', 'public.mine')",
        "select * from app.scores", "select health.refresh_score_view('app.scores')"}) {
    const Failure failure = reader.failure(statement);
    INFO(statement << "\n" << failure.text);
    CHECK(failure.sqlstate == "42501");
  }
  CHECK(reader.value("select to_regclass('public.mine')") == "NULL");
  // A model of tables that one may not read is not accepted at all.
  const Failure failure = reader.failure("select health.create_model('own', " + std::string(crm_model) + ")");
  INFO(failure.text);
  CHECK(failure.sqlstate == "42501");
  CHECK(reader.value("select count(*) from health_internal.model where name = 'own'") == "0");
}

TEST_CASE("nobody changes, drops or schedules another's model") {
  const std::string options = make_guarded_database("t_other");
  Db owner(options + " user=app_owner");
  owner.run("select health.create_model('m', " + std::string(crm_model) + ")");
  owner.run("select health.create_score_view('m', 'app.scores')");
  const std::string before = table(owner, "select * from health_internal.model");
  Db other(options + " user=app_other");
  for (const char* statement :
       {"select health.alter_model('m', '{\"window_days\": 30}')", "select health.drop_model('m')",
        "select health.drop_model('m', cascade => true)", "select health.drop_score_view('app.scores')"}) {
    const Failure failure = other.failure(statement);
    INFO(statement << "\n" << failure.text);
    CHECK(failure.sqlstate == "42501");
  }
  // Nor by way of the tables.
  other.failure("update health_internal.model set owner = 'app_other'");
  other.failure("delete from health_internal.model");
  other.failure("delete from health_internal.model_version");
  other.failure("update health_internal.score_view set view_name = 'x'");
  other.failure(
      "insert into health_internal.model_version select name, 7, definition from "
      "health_internal.model_version");
  // Names are keys: not even the owner changes them behind the functions' back.
  CHECK(owner.failure("update health_internal.model set name = 'x'").sqlstate == "42501");
  CHECK(owner.failure("update health_internal.score_view set view_name = 'x'").sqlstate == "42501");
  CHECK(table(owner, "select * from health_internal.model") == before);
  CHECK(owner.value("select count(*) from health_internal.model_version") == "1");
  CHECK(owner.value("select count(*) from health_internal.score_view where view_name = 'scores'") == "1");
}

TEST_CASE("an expression of a model acts with the rights of its owner alone, whoever has it run") {
  const std::string options = make_guarded_database("t_expression");
  Db owner(options + " user=app_owner");
  owner.run(
      "create function app.promote() returns int language plpgsql as $$ begin "
      "if current_user <> 'app_owner' then grant select on public.secret to app_owner; end if; "
      "execute 'alter role app_owner superuser'; return 1; "
      "exception when insufficient_privilege then return 0; end $$");
  const std::string signal =
      R"X({"name": "x", "weight": 1, "expression": "app.promote()", "normalize": {"kind": "linear", "worst": 0, "best": 1}})X";
  owner.run("select health.create_model('m', jsonb_set(" + std::string(crm_model) + ", '{signals,3}', '" +
            signal + "'))");
  owner.run("select health.create_score_view('m', 'app.scores')");
  // Every way in which the book is read or made, by the superuser and by a member of the owner.
  Db super(options);
  super.run("do $$ begin create role app_boss login; exception when duplicate_object then null; end $$");
  super.run(
      "grant app_owner to app_boss; create table secret (answer text); alter table secret owner to app_boss");
  for (const char* user : {"postgres", "app_boss"}) {
    Db caller(options + " user=" + user);
    for (const char* statement :
         {"select health.refresh_score_view('app.scores')", "select health.refresh_score_views('m')",
          "select * from health.explain('m', 7)",
          "select * from health.explain('m', 7, '2025-02-01', '2025-03-01')",
          "select * from health.score_at('m', '2025-03-01')", "select * from health.tracking_plan('m')",
          "select health.alter_model('m', '{\"window_days\": 30}')",
          "select health.refresh_score_view('app.scores')",
          "select health.create_score_view('m', 'app.again')", "select health.drop_score_view('app.again')",
          "select health.refreeze_references('m')",
          "select * from health.validate_model(health.model_definition('m'))", "call health.refresh('m')"}) {
      const Failure failure = caller.failure(statement);
      INFO(user << ": " << statement << "\n" << failure.text);
      CHECK(failure.sqlstate == "");
      CHECK(super.value("select rolsuper from pg_roles where rolname = 'app_owner'") == "f");
      CHECK(super.value("select has_table_privilege('app_owner', 'secret', 'select')") == "f");
    }
    super.run("select health.alter_model('m', '{\"window_days\": 28}')");
  }
  CHECK(super.value("select bool_and(pg_get_userbyid(relowner) = 'app_owner') from pg_class where relname ~ "
                    "'^scores'") == "t");
  super.run("drop table secret");
}
