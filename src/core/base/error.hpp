// Errors of the core: what went wrong, as a SQLSTATE and words, without knowing PostgreSQL.
#pragma once

#ifdef POSTGRES_H
#error "the core never sees postgres.h: include core headers only from files of the core or before postgres.h"
#endif

#include <exception>
#include <string>
#include <utility>

namespace health {

// SQLSTATEs that the core raises (PostgreSQL, Appendix A).
namespace sqlstate {
inline constexpr const char* invalid_parameter_value = "22023";
inline constexpr const char* invalid_text_representation = "22P02";
inline constexpr const char* invalid_binary_representation = "22P03";
inline constexpr const char* numeric_value_out_of_range = "22003";
inline constexpr const char* datetime_field_overflow = "22008";
inline constexpr const char* datatype_mismatch = "42804";
inline constexpr const char* data_corrupted = "XX001";
inline constexpr const char* program_limit_exceeded = "54000";
}  // namespace sqlstate

// What the core throws: carried over the border as plain text, raised as an ereport there.
class Error : public std::exception {
 public:
  Error(const char* sqlstate, std::string message, std::string hint = {}, std::string detail = {})
      : sqlstate_(sqlstate),
        message_(std::move(message)),
        hint_(std::move(hint)),
        detail_(std::move(detail)) {}

  const char* what() const noexcept override { return message_.c_str(); }
  const char* sqlstate() const noexcept { return sqlstate_; }
  const std::string& hint() const noexcept { return hint_; }
  const std::string& detail() const noexcept { return detail_; }

 private:
  const char* sqlstate_;
  std::string message_;
  std::string hint_;
  std::string detail_;
};

// Thrown by poll_cancel when the host wants to stop; the host raises its own error for it.
struct Cancelled {};

// Set by the host: returns true when the running statement was cancelled. Null: never.
inline bool (*cancel_requested)() noexcept = nullptr;

// Gives the host a chance to cancel a long loop; throws Cancelled.
inline void poll_cancel() {
  if (cancel_requested != nullptr && cancel_requested()) throw Cancelled{};
}

}  // namespace health
