// The aggregates in every place where SQL lets an aggregate stand, and in sizes that hurt.
#include <chrono>

#include "db.hpp"

using namespace client;

TEST_CASE("FILTER, DISTINCT, ORDER BY, GROUPING SETS and windows give what separate queries give") {
  Db db(make_database("t_places"));
  db.run(
      "select setseed(0.5); create table e as select n as id, n % 5 as account, (random() * 20)::bigint as "
      "u, (array['a', 'b', 'c'])[1 + n % 3] as event, "
      "timestamptz '2025-01-01' + n * interval '3 hours' as at, case when n % 4 = 0 then n / 10.0 "
      "end::float8 as amount from generate_series(1, 400) n");
  const auto equal = [&](const std::string& one, const std::string& other) {
    INFO(one << "\n" << other);
    CHECK(table(db, one) == table(db, other));
  };
  const std::string agg = "health.usage_agg(u, event, at, amount)";
  equal("select account, " + agg + " filter (where event = 'a') from e group by account order by 1",
        "select account, coalesce(" + agg + ", '{}') from e where event = 'a' group by account order by 1");
  equal("select health.usage_agg(distinct u, event, at::date) from e",
        "select health.usage_agg(u, event, day) from (select distinct u, event, at::date as day from e) d");
  equal("select health.usage_agg(u, event, at order by at desc) from e",
        "select health.usage_agg(u, event, at order by u) from e");
  equal("select account, event, " + agg +
            " from e group by grouping sets ((account), (event), ()) order by 1, 2",
        "select account, null, " + agg + " from e group by account union all select null, event, " + agg +
            " from e group by event union all select null, null, " + agg + " from e order by 1, 2");
  // Frames that move: without an inverse, every frame is aggregated anew and must not see the one before.
  equal(
      "select id, health.usage_agg(u, event, at, amount) over (partition by account order by id rows between "
      "3 preceding and 1 following) from e order by id",
      "select id, (select " + agg +
          " from (select * from (select *, row_number() over (order by id) as n from e i where i.account = "
          "o.account) r "
          "where n between o.n - 3 and o.n + 1) f) from (select *, row_number() over (partition by account "
          "order by id) as n from e) o order by id");
  equal(
      "select id, health.usage_agg(u, event, at) over (order by id) from e order by id",
      "select id, (select health.usage_agg(u, event, at) from e i where i.id <= o.id) from e o order by id");
  equal(
      "select id, health.rollup(l) over (order by id rows between 5 preceding and current row) from (select "
      "id, health.usage_agg(u, event, at) as l from e group by id) x order by id",
      "select id, (select health.usage_agg(u, event, at) from e i where i.id between o.id - 5 and o.id) from "
      "e o order by id");
  equal(
      "select id, health.power_user_dependency(u) over (order by id rows 9 preceding), health.trend_4w(at, "
      "'2025-02-20') over (order by id), health.activation_rate(u, event = 'a') over (order by id rows 7 "
      "preceding) from e order by id",
      "select id, (select health.power_user_dependency(u) from e i where i.id between o.id - 9 and o.id), "
      "(select health.trend_4w(at, '2025-02-20') from e i where i.id <= o.id), "
      "(select health.activation_rate(u, event = 'a') from e i where i.id between o.id - 7 and o.id) from e "
      "o order by id");
  equal("select health.usage_agg(u, event, at) from e where false", "select '{}'");
  equal("select health.usage_agg(case when id % 2 = 0 then u end, event, at) from e",
        "select health.usage_agg(u, event, at) from e where id % 2 = 0");
  // As a key: of a hash join, of grouping, of DISTINCT, of a hash index.
  db.run(
      "create table l as select account % 3 as k, health.usage_agg(u, event, at) as u from e group by "
      "account; insert into l select * from l; create index on l using hash (u)");
  CHECK(db.value("select count(*) from (select u from l group by u) x") == "5");
  CHECK(db.value("select count(distinct u) from (select u::text as u from l) x") == "5");
  CHECK(db.value("select count(*) from l a join l b using (u)") == "20");
}

TEST_CASE("an account with a million users works") {
  Db db(make_database("t_users"));
  db.run(
      "create table big as select health.usage_agg(n, 'view', date '2025-01-01' + (n % 30)::int) as u from "
      "generate_series(1, 1000000) n");
  CHECK(db.value("select health.total_users(u, '2025-02-01') from big") == "1000000");
  CHECK(db.value("select (health.metrics(u, '2025-01-31')).active_users from big") == "933333");
  CHECK(db.value(
            "select health.validate(u) and octet_length(health_internal.usage_send(u)) < 5000000 from big") ==
        "t");
  CHECK(db.value("select count(*) from big, health.cells(u)") == "1000000");
  CHECK(db.value("select u + u - u = u from big") == "t");
  CHECK(db.value("select u::text::health.usage = u from big") == "t");
  CHECK(db.value("select health.total_users(health.usage_agg(md5(n::text)::uuid, 'view', date '2025-01-01'), "
                 "'2025-02-01') from generate_series(1, 300000) n") == "300000");
}

TEST_CASE("an account with many millions of events works, in the memory of its cells") {
  // AH_BIG=1: a hundred million.
  const std::string events = setting("AH_BIG", 0) != 0 ? "100000000" : "5000000";
  Db db(make_database("t_events"));
  const auto start = std::chrono::steady_clock::now();
  const std::string sum = db.value(
      "select health.events(health.usage_agg(n * 7919 % 1000, 'event ' || n % 5, date '2025-01-01' + (n % "
      "28)::int), '2025-01-29') from generate_series(1, " +
      events + "::bigint) n");
  CHECK(sum == events);
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::cout << events << " events of one account in " << seconds << " s" << std::endl;
}

TEST_CASE("what does not fit is a clear error, never a wrap-around") {
  Db db(make_database("t_limits"));
  const auto check = [&](const std::string& sql, const std::string& state, const std::string& words) {
    const Failure failure = db.failure(sql);
    INFO(sql << "\n" << failure.text);
    CHECK(failure.sqlstate == state);
    CHECK(failure.says(words));
    CHECK(db.value("select 1") == "1");
  };
  check("select '{1:2025-01-01/a=1e22}'::health.usage", "22P02", "invalid input syntax");
  check("select u + u from (select 'bigint{1:2025-01-01/a=6000000000000000000000}'::health.usage as u) x",
        "22003", "amount");
  check("select health.usage_agg(1, 'a', date '2025-01-01', 'NaN'::float8)", "22003", "NaN");
  check("select health.usage_agg(1, 'a', date '2025-01-01', 'Infinity'::float8)", "22003", "amount");
  check("select health.usage_agg(1, 'a', 'infinity'::timestamptz)", "22008", "infin");
  check("select health.usage_agg(1, 'a', '-infinity'::date)", "22008", "infin");
  check("select health.usage_agg(1, 'a', now(), 'Mars/Olympus')", "22023", "Mars/Olympus");
  check("select health.usage_agg(1, '', now())", "22023", "empty name");
  if (setting("AH_BIG", 0) != 0) {
    check("select health.usage_agg(n || repeat('x', 20000000), 'a', now()) from generate_series(1, 80) n",
          "54000", "1 GB");
    check("select health.usage_agg(1, 'event ' || n, date '2025-01-01') from generate_series(1, 17000000) n",
          "54000", "distinct event names");
  }
}

TEST_CASE("an account whose event names have ids in them has as many as it has") {
  Db db(make_database("t_names"));
  db.run(
      "create table named as select health.usage_agg(n % 7, 'page/' || n, date '2025-01-01' + n % 60) as u "
      "from generate_series(1, 300000) n group by n % 3");
  CHECK(db.value("select count(*) from (select health.rollup(u) as u from named) x, health.cells(u)") ==
        "300000");
  CHECK(db.value("select (m).events || ' ' || (m).active_users from (select health.metrics(health.rollup(u), "
                 "'2025-03-02', window_days => 60) as m from named) x") == "300000 7");
  CHECK(db.value("select u - u + u = u and u::text::health.usage = u from (select health.rollup(u) as u from "
                 "named) x") == "t");
}
