// Sessions that work side by side: pausing, and what an error that ends a statement says of it.
#pragma once

#include <chrono>
#include <string>
#include <thread>

#include "db.hpp"

namespace client {

inline void pause(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

// The code of a failure; "killed" when the session is gone. libpqxx 6 has no code for some.
inline std::string code_of(const std::exception& error) {
  const std::string text = error.what();
  if (dynamic_cast<const pqxx::broken_connection*>(&error) != nullptr ||
      dynamic_cast<const pqxx::in_doubt_error*>(&error) != nullptr ||
      text.find("terminating connection") != std::string::npos ||
      text.find("onnection to server") != std::string::npos ||
      text.find("onnection to database") != std::string::npos)
    return "killed";
  if (dynamic_cast<const pqxx::deadlock_detected*>(&error) != nullptr) return "40P01";
  if (dynamic_cast<const pqxx::serialization_failure*>(&error) != nullptr) return "40001";
  if (dynamic_cast<const pqxx::insufficient_privilege*>(&error) != nullptr) return "42501";
  const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
  if (sql == nullptr) return "unknown";
  const std::string code(sql->sqlstate());
  return code == "57P01" ? "killed" : code;
}

}  // namespace client
