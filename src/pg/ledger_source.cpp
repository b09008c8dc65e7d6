// Ledger sources as SQL asks about them: whether the rows of a table can be read as events, one by one, for
// ever the same; what their expressions hang on; and telling other sessions that it has changed.
#include "core/ledger/usage.hpp"

#include "event_reader.hpp"
#include "own_objects.hpp"
#include "owner_rights.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/syscache.h"
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

Datum oid_array(const List* list) {
  auto* const values = static_cast<Datum*>(palloc(sizeof(Datum) * (list_length(list) + 1)));
  int count = 0;
  const ListCell* cell = nullptr;
  foreach (cell, list) values[count++] = ObjectIdGetDatum(lfirst_oid(cell));
  return PointerGetDatum(construct_array(values, count, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
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

// made_objects(source, relation)
HEALTH_FUNCTION(health_made_objects) {
  const int32 id = PG_GETARG_INT32(0);
  TupleDesc type = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &type) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "made_objects must return a row");
  const LedgerSource* source = load_ledger_source(id, fcinfo->flinfo->fn_oid, CurrentMemoryContext);
  if (source == nullptr)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no ledger source %d", id)));
  if (!may_act_as(source->owner))
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for ledger source %d", id)));
  Relation relation = table_open(PG_GETARG_OID(1), AccessShareLock);
  List* functions = NIL;
  List* types = NIL;
  List* columns = NIL;
  collect_made_objects(*source, relation, &functions, &types, &columns);
  table_close(relation, NoLock);
  auto* const numbers = static_cast<Datum*>(palloc(sizeof(Datum) * (list_length(columns) + 1)));
  int count = 0;
  const ListCell* cell = nullptr;
  foreach (cell, columns) numbers[count++] = Int16GetDatum(static_cast<int16>(lfirst_int(cell)));
  ArrayType* const read = construct_array(numbers, count, INT2OID, sizeof(int16), true, TYPALIGN_SHORT);
  Datum values[] = {oid_array(functions), oid_array(types), PointerGetDatum(read)};
  bool nulls[] = {false, false, false};
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(type), values, nulls));
}

// announce_change(relation)
HEALTH_FUNCTION(health_announce_change) {
  const Oid relation = PG_GETARG_OID(0);
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
  if (!HeapTupleIsValid(tuple)) PG_RETURN_VOID();
  const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
  ReleaseSysCache(tuple);
  if (!may_act_as(owner))
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied for table %s", qualified_name(relation))));
  CacheInvalidateRelcacheByRelid(relation);
  PG_RETURN_VOID();
}
