// Hostile bytes: whatever arrives as a ledger or as a state is refused with an error or is a ledger; the
// server stays up.
#include "db.hpp"

using namespace client;

namespace {

std::string ledger_bytes(Raw& raw, const std::string& text) {
  const auto result = raw.run("select health_internal.usage_send('" + text + "'::health.usage)");
  std::size_t size = 0;
  unsigned char* bytes =
      PQunescapeBytea(reinterpret_cast<const unsigned char*>(PQgetvalue(result.get(), 0, 0)), &size);
  const std::string copy(reinterpret_cast<char*>(bytes), size);
  PQfreemem(bytes);
  return copy;
}

const std::vector<std::string> seeds = {
    "{}", "bigint{-5:2025-01-03/a,2025-01-04/b*3=4.5#2;9223372036854775807:2025-01-20/$joined}",
    "uuid{00000000-0000-0000-0000-000000000001:2024-02-29/a;ffffffff-0000-0000-0000-000000000001:2025-01-29/"
    "b*2}",
    "text{anna:2025-01-03/a*200000,2025-01-04/c=1;annabel:2025-01-28/b}"};

std::vector<std::string> mutants(const std::string& bytes, std::mt19937_64& random, std::size_t changes) {
  std::vector<std::string> all;
  for (std::size_t size = 0; size < bytes.size(); ++size) all.push_back(bytes.substr(0, size));
  for (std::size_t i = 0; i < changes; ++i) {
    std::string changed = bytes;
    for (auto n = 1 + random() % 3; n > 0; --n)
      changed[random() % changed.size()] = static_cast<char>(random());
    if (random() % 5 == 0)
      changed.insert(random() % changed.size(), 1 + random() % 9, static_cast<char>(random() % 3 * 127));
    all.push_back(changed);
  }
  return all;
}

// The signature that starts every binary COPY, then one row of one column.
std::string copy_stream(const std::string& field) {
  std::string stream("PGCOPY\n\377\r\n\0", 11);
  stream.append(8, '\0');
  stream += std::string("\0\1", 2);
  for (int shift = 24; shift >= 0; shift -= 8) stream += static_cast<char>(field.size() >> shift);
  return stream + field + "\377\377";
}

bool is_honest(const std::string& state) {
  // 22021: a name that is no text of the encoding any more.
  for (const char* known : {"22P03", "22003", "22008", "22021", "22023", "22P02", "42804", "54000"})
    if (state == known) return true;
  return false;
}

}  // namespace

TEST_CASE("changed bytes as a binary parameter are refused, or come back as they are") {
  Raw raw(make_database("t_binary"));
  std::mt19937_64 random(run_seed());
  for (const std::string& seed : seeds) {
    for (const std::string& bytes : mutants(ledger_bytes(raw, seed), random, 1000)) {
      const auto result = raw.run("select $1::health.usage", bytes, true);
      if (PQresultStatus(result.get()) == PGRES_TUPLES_OK) {
        REQUIRE(std::string(PQgetvalue(result.get(), 0, 0),
                            static_cast<std::size_t>(PQgetlength(result.get(), 0, 0))) == bytes);
      } else {
        REQUIRE(sqlstate(result) == "22P03");
      }
    }
  }
}

TEST_CASE("COPY BINARY of garbage into a usage column fails, of a ledger it works") {
  Raw raw(make_database("t_copy"));
  raw.run("create table t (u health.usage)");
  std::mt19937_64 random(run_seed());
  const auto copy = [&](const std::string& field) {
    raw.run("copy t from stdin (format binary)");
    const std::string stream = copy_stream(field);
    PQputCopyData(raw.get(), stream.data(), static_cast<int>(stream.size()));
    PQputCopyEnd(raw.get(), nullptr);
    const RawResult result(PQgetResult(raw.get()), &PQclear);
    while (PGresult* more = PQgetResult(raw.get())) PQclear(more);
    return sqlstate(result);
  };
  CHECK(copy(ledger_bytes(raw, seeds[1])) == "");
  for (int i = 0; i < 200; ++i) {
    std::string garbage(random() % 200, '\0');
    for (char& byte : garbage) byte = static_cast<char>(random());
    CHECK(copy(garbage) == "22P03");
  }
  CHECK(PQgetvalue(raw.run("select count(*) from t").get(), 0, 0) == std::string("1"));
}

TEST_CASE("every reader takes bytea that was cast to a ledger without a look, and gives results or errors") {
  Db db(make_database("t_cast"));
  db.run("create cast (bytea as health.usage) without function");
  // A call of every function and operator that takes a ledger, with $1 for the ledger.
  db.run(R"(create table calls as
    select format('select count(*) from %s.%I(%s) x', p.pronamespace::regnamespace, p.proname,
             (select string_agg(case t.type::regtype::text
                  when 'health.usage' then '$1::health.usage' when 'usage' then '$1::health.usage' when 'date' then 'date ''2025-02-01''' when 'integer' then '3'
                  when 'bigint' then '1' when 'text' then '''1''' when 'uuid' then '''ffffffff-0000-0000-0000-000000000001''' when 'double precision' then '1.0'
                  when 'jsonb' then '''{"signals": [{"name": "x", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}'''
                  when 'text[]' then '''{}''' when 'date[]' then '''{}''' else 'null' end || '::' || t.type::regtype, ', ' order by t.n)
              from unnest(p.proargtypes[0:p.pronargs - p.pronargdefaults - 1]) with ordinality t (type, n))) as call
    from pg_proc p where p.pronamespace in ('health'::regnamespace, 'health_internal'::regnamespace) and p.prokind = 'f' and p.prorettype <> 'cstring'::regtype and 'health.usage'::regtype = any (p.proargtypes)
    union all values ('select health.rollup(x) from (values ($1::health.usage), ($1::health.usage)) v (x)'), ('select $1::health.usage::text'),
      ('select ($1::health.usage + $1::health.usage - $1::health.usage)::text'),
      ('select health.usage_agg(1, ''a'', date ''2025-01-01'') from generate_series(1, 10) where $1::health.usage is not null group by $1::health.usage')
    )");
  db.run(R"(create function try(call text, bytes bytea) returns text language plpgsql as $$
    begin
      execute call using bytes;
      return 'ok';
    exception when others then return sqlstate;
    end $$)");
  CHECK(std::stoi(db.value("select count(*) from calls")) > 60);
  std::mt19937_64 random(run_seed());
  Raw raw("dbname=t_cast");
  raw.run("set search_path = public, health");
  for (const std::string& seed : seeds) {
    const std::string whole = ledger_bytes(raw, seed);
    for (const std::string& bytes : mutants(whole, random, 150)) {
      const auto result =
          raw.run("select coalesce(string_agg(distinct public.try(call, $1), ','), '') from public.calls",
                  bytes, false);
      INFO(seed << ": " << PQresultErrorMessage(result.get()));
      REQUIRE(PQresultStatus(result.get()) == PGRES_TUPLES_OK);
      std::stringstream states(PQgetvalue(result.get(), 0, 0));
      for (std::string state; std::getline(states, state, ',');) {
        const bool expected = state == "ok" || is_honest(state);
        if (!expected) FAIL("SQLSTATE " << state << " for changed bytes of " << seed);
      }
    }
    // Untouched, nothing but the score's document may be refused.
    const auto sound = raw.run(
        "select count(*) from public.calls where public.try(call, $1) not in ('ok', '22023', '22P02')", whole,
        false);
    CHECK(PQgetvalue(sound.get(), 0, 0) == std::string("0"));
  }
}

TEST_CASE("a transition state travels as a ledger, and foreign bytes in its place are refused") {
  Db db(make_database("t_state"));
  // Its alignment keeps bytea from being taken for one.
  CHECK(db.failure("create cast (bytea as health_internal.usage_state) without function").sqlstate ==
        "42P17");
  Raw raw("dbname=t_state");
  std::mt19937_64 random(run_seed());
  for (const std::string& seed : seeds) {
    for (const std::string& bytes : mutants(ledger_bytes(raw, seed), random, 300)) {
      const auto result = raw.run(
          "select "
          "health_internal.usage_send(health_internal.usage_state_final(health_internal.usage_state_combine($"
          "1::health_internal.usage_state, "
          "'{}')))",
          bytes, true);
      if (PQresultStatus(result.get()) == PGRES_TUPLES_OK) {
        REQUIRE(std::string(PQgetvalue(result.get(), 0, 0),
                            static_cast<std::size_t>(PQgetlength(result.get(), 0, 0))) == bytes);
      } else {
        REQUIRE(sqlstate(result) == "22P03");
      }
    }
  }
}
