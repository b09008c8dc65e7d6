// account_users(): the people of an account, each with what it did and how it stands, from one decode of its
// ledger.
#include "core/metrics/users.hpp"

#include "metric_values.hpp"
#include "row_block.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "funcapi.h"
}

using namespace health::pg;

HEALTH_FUNCTION(health_account_users) {
  constexpr int columns = 11;
  InitMaterializedSRF(fcinfo, 0);
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const RowBlock rows = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_account(*model, account);
    const auto users = health::account_users(ledger, account.as_of);
    const auto known = [](const health::Value& value) {
      return value.known() ? std::optional(value.number) : std::nullopt;
    };
    RowWriter writer(users.size(), columns);
    const auto add_day = [&](const std::optional<health::Day>& day) {
      day ? writer.add_date(*day) : writer.add_null();
    };
    for (const health::AccountUser& user : users) {
      writer.add(ledger.user_text(user.user));
      writer.add(health::standing_name(user.standing));
      writer.add(user.is_member);
      writer.add_bigint(to_bigint(health::to_double(user.events)));
      writer.add(health::from_micro(user.points));
      writer.add(known(user.share));
      writer.add(user.active_days);
      user.last_day ? writer.add(account.as_of - *user.last_day) : writer.add_null();
      writer.add(known(user.baseline));
      add_day(user.first_day);
      add_day(user.last_day);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}
