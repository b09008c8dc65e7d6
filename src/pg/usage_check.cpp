// Bytes that come from outside as a ledger.
#include "usage_check.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace health::pg {

namespace {

void check_text(std::string_view text, const char* what) {
  // With noError set the call only ever returns.
  if (pg_verifymbstr(text.data(), static_cast<int>(text.size()), true)) return;
  throw Error(
      sqlstate::invalid_binary_representation, "invalid value of type health.usage",
      "The value comes from a database of another encoding, or was damaged; send it in its text form.",
      std::string(what) + " is no text in the encoding of this database.");
}

}  // namespace

void check_usage(Bytes usage) {
  UsageReader reader(usage);
  for (std::uint32_t i = 0; i < reader.event_count(); ++i)
    check_text(reader.event_name(i), "The name of an event");
  while (reader.next_user()) {  // reading to the end is validation
    if (reader.user_kind() == UserKind::text) check_text(reader.user().bytes, "The id of a user");
    reader.skip_cells();
  }
}

}  // namespace health::pg
