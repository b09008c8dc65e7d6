// Who installs the extension and who owns the database: what is theirs, and what is not.
#include "crm.hpp"

using namespace client;

namespace {

int run_tool(const std::string& command) {
  return std::system((command + " >build/installation.log 2>&1").c_str());
}

}  // namespace

TEST_CASE("a schema of somebody else, or one that holds anything, is not taken for the extension's") {
  const std::string options = make_database("t_schema", false);
  Db server(options);
  make_role(server, "inst_eve");
  server.run("grant create on database t_schema to inst_eve");
  Db eve(options + " user=inst_eve");
  eve.run("create schema health");
  const auto refused = [&] {
    const Failure failure = server.failure("create extension account_health");
    INFO(failure.text);
    CHECK(failure.says("schema \"health\""));
    CHECK(server.value("select count(*) from pg_extension where extname = 'account_health'") == "0");
    return failure.sqlstate;
  };
  CHECK(refused() == "42501");
  server.run("alter schema health owner to postgres");
  for (const char* object :
       {"create table health.x ()", "create type health.x as enum ('a')", "create domain health.x as int",
        "create function health.x() returns int language sql as 'select 1'",
        "create operator health.|| (leftarg = text, rightarg = int4, function = health.cat)",
        "create collation health.x from \"C\"", "create extension pg_trgm schema health",
        "alter default privileges in schema health grant all on tables to public"}) {
    INFO(object);
    server.run("create schema if not exists health");
    if (std::string(object).find("operator") != std::string::npos)
      server.run("create function health.cat(text, int) returns text language sql as 'select $1'");
    const Failure made = server.failure(object);
    if (made.says("pg_trgm")) continue;  // an extension that is not installed everywhere
    REQUIRE(made.sqlstate == "");
    CHECK(refused() == "55000");
    server.run("drop schema health cascade");
  }
  // An empty one, with whatever grants, becomes the extension's, and nobody creates in it.
  server.run(
      "create schema health; grant all on schema health to public; grant all on schema health to inst_eve "
      "with grant option");
  server.run("create extension account_health");
  CHECK(eve.failure("create function health.x() returns int language sql as 'select 1'").sqlstate == "42501");
  CHECK(eve.value("select has_schema_privilege('health', 'usage') and not has_schema_privilege('health', "
                  "'create')") == "t");
  // The schema outlives the extension, empty, and serves it again.
  server.run("drop extension account_health; create extension account_health");
}

TEST_CASE("who installs the extension without being superuser owns neither its schemas nor what is in them") {
  Db server;
  make_role(server, "inst_owner", "createdb");
  server.run("drop database if exists t_trusted with (force)");
  server.run("create database t_trusted owner inst_owner");
  const std::string options = "dbname=t_trusted";
  Db owner(options + " user=inst_owner");
  owner.run("create extension account_health");
  CHECK(table(owner,
              "select distinct rolsuper from pg_namespace join pg_roles r on r.oid = nspowner where nspname "
              "~ '^health'") == "t\n");
  for (const char* statement :
       {"alter schema health rename to h2", "drop schema health cascade",
        "create type health.x as enum ('a')",
        "create function health_internal.x() returns int language sql as 'select 1'",
        "create operator health.+ (leftarg = text, rightarg = int4, function = textcat)",
        "drop type health.usage cascade", "alter function health.rollup(health.usage) rename to x",
        "drop table health_internal.model_table",
        "alter table health_internal.model_table disable trigger all",
        "delete from health_internal.model_table", "update health_internal.model_table set comment = 'x'",
        "lock table health_internal.model_table in share mode"}) {
    const Failure failure = owner.failure(statement);
    INFO(statement << "\n" << failure.text);
    CHECK(!failure.sqlstate.empty());
  }
  // Another type of that name is another type, wherever the extension's schema is.
  Db super(options);
  super.run("alter schema health rename to h2; create schema health authorization inst_owner");
  owner.run("create type health.usage as enum ('a')");
  owner.run("create table chunks (account_id bigint, period date, part int, usage health.usage)");
  owner.run("insert into chunks values (1, '2025-01-01', 0, 'a')");
  const Failure failure = owner.failure("select h2.cells(usage) from chunks");
  INFO(failure.text);
  CHECK(failure.sqlstate == "42883");
}

TEST_CASE("who owns the database dumps it and restores it, and gains no right by it") {
  Db server;
  make_role(server, "inst_owner", "createdb");
  make_role(server, "inst_other");
  make_role(server, "inst_reader");
  server.run("grant pg_read_all_data to inst_reader");
  for (const char* name : {"t_owned", "t_owned_again", "t_owned_anew"}) {
    server.run(std::string("drop database if exists ") + name + " with (force)");
    server.run(std::string("create database ") + name + " owner inst_owner");
  }
  Db owner("dbname=t_owned user=inst_owner");
  owner.run("create extension account_health");
  owner.run(crm_tables);
  owner.run("select health.create_model('m', " + std::string(crm_model) + ")");
  owner.run("select health.create_score_view('m', 'app.scores'); select health.track('m')");
  owner.run("call health.backfill('m')");
  const std::string before = table(owner, "select account_id, score from app.scores order by 1");
  CHECK(run_tool("pg_dump -U inst_owner -Fc -f build/t_owned.dump t_owned") == 0);
  CHECK(run_tool("pg_dump -U inst_reader -Fc -f build/t_owned.reader t_owned") == 0);
  CHECK(run_tool("pg_restore -U inst_owner --no-owner --exit-on-error -d t_owned_anew build/t_owned.dump") ==
        0);
  INFO(read_file("build/installation.log"));
  CHECK(Db("dbname=t_owned_anew user=inst_owner").value("select count(*) from app.scores") ==
        owner.value("select count(*) from app.scores"));
  // What does not go without --no-owner is to make the schema the superuser's before the extension does.
  run_tool("pg_restore -U inst_owner -d t_owned_again build/t_owned.dump");
  Db again("dbname=t_owned_again user=inst_owner");
  CHECK(again.value("select count(*) from health_internal.model where name = 'm'") == "1");
  CHECK(table(again, "select account_id, score from app.scores order by 1") == before);
  again.run("call health.refresh('m')");
  CHECK(table(again, "select account_id, score from app.scores order by 1") == before);
  CHECK(again.value("select count(*) from health.verify('m')") == "0");
  CHECK(again.value("select distinct phase from health.status('m')") == "fresh");
  // Rows of roles that he could not act as are refused, whatever the way.
  Db other("dbname=t_owned user=inst_other");
  Db super("dbname=t_owned");
  super.run(
      "grant select on all tables in schema app to inst_other; grant usage on schema app to inst_other");
  other.run("select health.create_model('theirs', " + std::string(crm_model) + ")");
  for (const char* statement :
       {"insert into health_internal.model_table (name, owner, current_version) values ('x', 'postgres', 1)",
        "insert into health_internal.model_table (name, owner, current_version) values ('x', 'inst_other', "
        "1)",
        "insert into health_internal.model_version_table (model, version, definition, document, search_path) "
        "values ('theirs', 2, '{}', '{}', '')",
        "insert into health_internal.score_view_table (schema_name, view_name, model, model_version, "
        "materialized) "
        "values ('app', 'x', 'theirs', 1, true)",
        "update health_internal.model set owner = 'inst_other' where name = 'm'",
        "select * from health.explain('theirs', 1)", "select health.drop_model('theirs')"}) {
    const Failure failure = owner.failure(statement);
    INFO(statement << "\n" << failure.text);
    CHECK(failure.sqlstate == "42501");
  }
}
