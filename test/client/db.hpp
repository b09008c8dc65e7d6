// What the client tests share: databases of their own, statements with their outcome, raw libpq where binary
// data travels.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <pqxx/pqxx>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace client {

inline std::uint64_t run_seed() {
  static const std::uint64_t seed = [] {
    const char* given = std::getenv("AH_SEED");
    const std::uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "seed " << value << " (AH_SEED repeats it)" << std::endl;
    return value;
  }();
  return seed;
}

// A whole number from the environment.
inline long setting(const char* name, long otherwise) {
  const char* given = std::getenv(name);
  return given == nullptr ? otherwise : std::strtol(given, nullptr, 10);
}

// A file of the tree; the tests run in its root.
inline std::string read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// How a statement failed: SQLSTATE, and everything that a user is shown, hint included.
struct Failure {
  std::string sqlstate;
  std::string text;

  bool says(const std::string& words) const { return text.find(words) != std::string::npos; }
};

// A connection; `options` as for libpq ("dbname=... user=..."), the rest from the environment.
class Db {
 public:
  explicit Db(const std::string& options = "") : connection_(options) {
    run("set client_min_messages = warning; set search_path = public, health");
  }

  pqxx::result run(const std::string& sql) {
    pqxx::nontransaction work(connection_);
    return work.exec(sql);
  }
  // The first column of the first row.
  std::string value(const std::string& sql) {
    const pqxx::result rows = run(sql);
    if (rows.empty()) return "no row";
    return rows[0][0].is_null() ? "NULL" : std::string(rows[0][0].c_str());
  }
  // The failure that a statement ends with; empty when it does not.
  Failure failure(const std::string& sql) {
    try {
      run(sql);
    } catch (const pqxx::insufficient_privilege& error) {
      return {"42501", std::string(error.what())};  // libpqxx 6 forgets the code of this one
    } catch (const pqxx::sql_error& error) {
      return {std::string(error.sqlstate()), std::string(error.what())};
    }
    return {};
  }
  pqxx::connection& connection() { return connection_; }

 private:
  pqxx::connection connection_;
};

// Makes a new database with the extension and returns the options to connect to it.
inline std::string make_database(const std::string& name, bool with_extension = true) {
  Db server;
  server.run("drop database if exists " + name + " with (force)");
  server.run("create database " + name);
  if (with_extension) Db("dbname=" + name).run("create extension account_health");
  return "dbname=" + name;
}

// Makes a role that can log in, unless there is one of that name.
inline void make_role(Db& server, const std::string& name, const std::string& attributes = "") {
  server.run("do $$ begin create role " + name + " login " + attributes +
             "; exception when duplicate_object then null; end $$");
}

// The rows of a query, one per line, for comparing and for showing.
inline std::string table(Db& db, const std::string& sql) {
  std::string text;
  for (const auto& row : db.run(sql)) {
    for (pqxx::row::size_type i = 0; i < row.size(); ++i)
      text += (i == 0 ? "" : " | ") + std::string(row[i].is_null() ? "NULL" : row[i].c_str());
    text += "\n";
  }
  return text;
}

using RawResult = std::unique_ptr<PGresult, decltype(&PQclear)>;

// A libpq connection, for what libpqxx does not offer in all of its versions: binary parameters and results,
// COPY.
class Raw {
 public:
  explicit Raw(const std::string& options) : connection_(PQconnectdb(options.c_str()), &PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK)
      throw std::runtime_error(PQerrorMessage(connection_.get()));
  }
  PGconn* get() { return connection_.get(); }
  // A statement with one binary parameter and binary or text results.
  RawResult run(const std::string& sql, const std::string& parameter, bool binary_result) {
    const char* values[] = {parameter.data()};
    const int lengths[] = {static_cast<int>(parameter.size())};
    const int formats[] = {1};
    return {PQexecParams(get(), sql.c_str(), 1, nullptr, values, lengths, formats, binary_result ? 1 : 0),
            &PQclear};
  }
  RawResult run(const std::string& sql) { return {PQexec(get(), sql.c_str()), &PQclear}; }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

inline std::string sqlstate(const RawResult& result) {
  const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  return state == nullptr ? "" : state;
}

}  // namespace client
