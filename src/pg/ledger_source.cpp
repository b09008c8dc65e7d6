// check_ledger_source: whether the rows of a table can be read as events, one by one, for ever the same.
#include "core/ledger/usage.hpp"

#include "event_reader.hpp"

extern "C" {
#include "access/table.h"
#include "miscadmin.h"
#include "utils/builtins.h"
}

using namespace health::pg;

namespace {

const char* text_or_null(FunctionCallInfo fcinfo, int i) {
  return PG_ARGISNULL(i) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

health::UserKind kind_argument(FunctionCallInfo fcinfo, int i) {
  const std::string_view name = text_argument(fcinfo, i);
  return health::user_kind_named(name);
}

}  // namespace

// check_ledger_source(relation, account, user_id, event, moment, amount, filter, account_kind, user_kind,
// time_zone, search_path)
HEALTH_FUNCTION(health_check_ledger_source) {
  for (int i : {0, 1, 2, 3, 4, 7, 8, 10}) {
    if (PG_ARGISNULL(i))
      ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument %d is NULL", i + 1)));
  }
  LedgerSource source{};
  source.owner = GetUserId();
  source.relation = PG_GETARG_OID(0);
  source.account = text_or_null(fcinfo, 1);
  source.user_id = text_or_null(fcinfo, 2);
  source.event = text_or_null(fcinfo, 3);
  source.moment = text_or_null(fcinfo, 4);
  source.amount = text_or_null(fcinfo, 5);
  source.filter = text_or_null(fcinfo, 6);
  source.account_kind = kind_argument(fcinfo, 7);
  source.user_kind = kind_argument(fcinfo, 8);
  source.time_zone = text_or_null(fcinfo, 9);
  source.search_path = text_or_null(fcinfo, 10);
  Relation relation = table_open(source.relation, AccessShareLock);
  make_event_reader(source, relation, CurrentMemoryContext);
  table_close(relation, NoLock);
  PG_RETURN_VOID();
}
