// Ledger sources: loading one from the catalog, and what SQL asks about them: whether the rows of a table can
// be read as events, one by one, for ever the same; what their expressions hang on; and telling other
// sessions that it has changed.
#include "core/ledger/usage.hpp"

#include <cstdlib>
#include <cstring>

#include "event_reader.hpp"
#include "own_objects.hpp"
#include "owner_rights.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace health::pg {

LedgerSource* load_ledger_source(int32 id, Oid function, MemoryContext context) {
  enum Column {
    col_owner = 1,
    col_generation,
    col_relation,
    col_chunk_table,
    col_change_table,
    col_account,
    col_user_id,
    col_event,
    col_moment,
    col_amount,
    col_filter,
    col_account_kind,
    col_user_kind,
    col_time_zone,
    col_search_path,
    col_code,
    col_trigger_name,
    col_change_name,
    col_in_one_period,
    columns = col_in_one_period
  };
  // As the owner of the catalog: the capturing trigger runs for everybody who writes to the tracked table.
  const Oid catalog = own_table(function, "ledger_source_table");
  const Oid models = own_table(function, "model_table");
  if (!OidIsValid(catalog) || !OidIsValid(models)) return nullptr;
  HeapTuple class_tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(catalog));
  if (!HeapTupleIsValid(class_tuple)) return nullptr;
  const Oid catalog_owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(class_tuple))->relowner;
  ReleaseSysCache(class_tuple);

  Oid user = InvalidOid;
  int security = 0;
  GetUserIdAndSecContext(&user, &security);
  SetUserIdAndSecContext(catalog_owner, security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
  SPI_connect();
  Oid types[] = {INT4OID};
  Datum values[] = {Int32GetDatum(id)};
  // With the newest snapshot: the trigger fires in transactions, too, whose own is older than the source.
  // guard latest_snapshot {
  PushActiveSnapshot(GetLatestSnapshot());
  // instead: PushActiveSnapshot(GetTransactionSnapshot());
  // }
  // Not by is_fact_path(), which a database of release 0.1.0 has not.
  const char* const query = psprintf(
      "SELECT m.owner::pg_catalog.oid, s.generation, s.relation, s.chunk_table, s.change_table, s.account, "
      "s.user_id, s.event, s.moment, s.amount, s.filter, s.account_kind, s.user_kind, s.time_zone, "
      "s.search_path, s.code, %1$s.trigger_name(s.id), %1$s.data_table_name('change', s.id), "
      "s.path OPERATOR(pg_catalog.~) '^facts[.]' "
      "FROM %2$s AS s JOIN %3$s AS m ON m.name OPERATOR(pg_catalog.=) s.model "
      "WHERE s.id OPERATOR(pg_catalog.=) $1",
      quote_identifier(get_namespace_name(get_rel_namespace(catalog))), qualified_name(catalog),
      qualified_name(models));
  const int result = SPI_execute_with_args(query, 1, types, values, nullptr, true, 1);
  PopActiveSnapshot();
  if (result != SPI_OK_SELECT)
    elog(ERROR, "reading health_internal.ledger_source: %s", SPI_result_code_string(result));
  LedgerSource* source = nullptr;
  if (SPI_processed == 1) {
    const char* fields[columns + 1] = {};
    for (int i = 1; i <= columns; ++i) {
      const char* value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i);
      if (value != nullptr) fields[i] = MemoryContextStrdup(context, value);
    }
    const auto oid_of = [](const char* value) {
      return value == nullptr ? InvalidOid : static_cast<Oid>(std::strtoul(value, nullptr, 10));
    };
    source = static_cast<LedgerSource*>(MemoryContextAllocZero(context, sizeof(LedgerSource)));
    source->id = id;
    source->owner = oid_of(fields[col_owner]);
    if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(source->owner))) source->owner = InvalidOid;
    source->generation = static_cast<int32>(oid_of(fields[col_generation]));
    source->relation = oid_of(fields[col_relation]);
    source->chunk_table = oid_of(fields[col_chunk_table]);
    source->change_table = oid_of(fields[col_change_table]);
    source->account = fields[col_account];
    source->user_id = fields[col_user_id];
    source->event = fields[col_event];
    source->moment = fields[col_moment];
    source->amount = fields[col_amount];
    source->filter = fields[col_filter];
    source->account_kind = user_kind_named(fields[col_account_kind]);
    source->user_kind = user_kind_named(fields[col_user_kind]);
    source->time_zone = fields[col_time_zone];
    source->search_path = fields[col_search_path];
    source->code = fields[col_code];
    source->trigger_name = fields[col_trigger_name];
    source->change_name = fields[col_change_name];
    source->in_one_period = *fields[col_in_one_period] == 't';
  }
  SPI_finish();
  SetUserIdAndSecContext(user, security);
  return source;
}

bool is_read_otherwise(const LedgerSource& source, Oid function) {
  if (source.code == nullptr) return false;
  const Oid catalog = own_table(function, "ledger_source_table");
  HeapTuple class_tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(catalog));
  if (!HeapTupleIsValid(class_tuple)) return false;
  const auto* form = reinterpret_cast<Form_pg_class>(GETSTRUCT(class_tuple));
  const Oid catalog_owner = form->relowner;
  const char* const schema = quote_identifier(get_namespace_name(form->relnamespace));
  ReleaseSysCache(class_tuple);
  const OwnerRights rights = take_owner_rights(catalog_owner, "pg_catalog, pg_temp", true);
  SPI_connect();
  PushActiveSnapshot(GetLatestSnapshot());
  Oid types[] = {INT4OID};
  Datum values[] = {Int32GetDatum(source.id)};
  const int result = SPI_execute_with_args(
      psprintf("SELECT %s.source_code(s) FROM %s.ledger_source AS s WHERE s.id OPERATOR(pg_catalog.=) $1",
               schema, schema),
      1, types, values, nullptr, true, 1);
  PopActiveSnapshot();
  if (result != SPI_OK_SELECT) elog(ERROR, "reading health_internal.ledger_source failed");
  bool differs = true;
  if (SPI_processed == 1) {
    const char* const present = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
    differs = present == nullptr || std::strcmp(present, source.code) != 0;
  }
  SPI_finish();
  return_owner_rights(rights);
  return differs;
}

}  // namespace health::pg

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
