// account_flags(), spelled_flags(), ready_flag_table(): which flags of an account are up, and which there
// are.
#include "core/scoring/flags.hpp"
#include "core/document/ready_flags.hpp"
#include "row_block.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "funcapi.h"
#include "utils/jsonb.h"
}

using namespace health::pg;

namespace {

constexpr int flag_columns = 7;

void write_flag(RowWriter& rows, const health::RaisedFlag& raised) {
  rows.add(raised.flag->name);
  rows.add(health::flag_kind_name(raised.flag->kind));
  rows.add_date(raised.since);
  rows.add(raised.value);
  rows.add(raised.threshold);
  rows.add(raised.sentence);
  rows.add_or_null(raised.flag->next_step);
}

}  // namespace

// account_flags(model, account, users, departments, main_contacts)
HEALTH_FUNCTION(health_account_flags) {
  InitMaterializedSRF(fcinfo, 0);
  const health::FlaggedModel* flagged = flagged_model_argument(fcinfo, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const auto users = texts_argument(fcinfo, 2, "users");
  const auto departments = texts_argument(fcinfo, 3, "departments");
  const auto main_contacts = texts_argument(fcinfo, 4, "main_contacts");
  const RowBlock rows = guarded_in_scratch([&] {
    const health::Model& model = flagged->model;
    const health::Ledger ledger = decode_account(model, account);
    auto inputs = collect_inputs(model, account);
    const auto overrides = collect_overrides(account.overrides);
    const auto score = [&](health::Day day) {
      return score_day(model, account, ledger, inputs, day, overrides).score;
    };
    const auto seen_on = [&](health::Day day) -> std::optional<health::Day> {
      health::poll_cancel();
      const health::Day seen = account.seen_on(day);
      if (!account.has_one(std::int64_t{account.as_of} - seen)) return std::nullopt;
      return seen;
    };
    const auto raised = health::raise_flags(
        {model, ledger, score, health::find_people(ledger, users, departments, main_contacts)},
        flagged->flags, account.as_of, seen_on);
    RowWriter writer(raised.size(), flag_columns);
    for (const health::RaisedFlag& flag : raised) write_flag(writer, flag);
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

// spelled_flags(doc)
HEALTH_FUNCTION(health_spelled_flags) {
  InitMaterializedSRF(fcinfo, 0);
  Jsonb* document = PG_GETARG_JSONB_P(0);
  const char* json = JsonbToCString(nullptr, &document->root, static_cast<int>(VARSIZE(document)));
  const RowBlock rows = guarded([&] {
    const auto flags = health::spell_out_flags(json);
    RowWriter writer(flags.size(), 3);
    for (const health::FlagText& flag : flags) {
      writer.add(flag.name);
      writer.add_or_null(flag.flag);
      writer.add_or_null(flag.lacks);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

HEALTH_FUNCTION(health_ready_flag_table) {
  InitMaterializedSRF(fcinfo, 0);
  const RowBlock rows = guarded([&] {
    const auto flags = health::ready_flags();
    RowWriter writer(flags.size(), 4);
    for (const health::ReadyFlag& flag : flags) {
      writer.add(flag.name);
      writer.add(flag.rule);
      writer.add_or_null(flag.needs);
      writer.add(flag.document);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}
