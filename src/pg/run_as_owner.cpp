// The one primitive that runs stored SQL: as the owner of its model, in a security-restricted operation.
#include "core/ledger/usage.hpp"

#include "owner_rights.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

#include <cstring>

using namespace health::pg;

namespace {

// Functions of the catalog's owner that act_on_model() runs: they take a model and text, and do nothing to
// any other model.
constexpr const char* actions[] = {"make_data_table", "make_data_partition", "remove_rows", "rename_rows",
                                   "always_fire"};

constexpr const char* safe_path = "pg_catalog, pg_temp";

void check_may_act_as(Oid role) {
  if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("role with OID %u does not exist", role)));
  // What runs in a security-restricted operation stays with the rights it has.
  if (!may_act_as(role) || (InSecurityRestrictedOperation() && role != GetUserId()))
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied to act as role \"%s\"", GetUserNameFromId(role, false))));
}

// The elements of an array of text as parameters $1, $2, ...
ParamListInfo text_parameters(ArrayType* array) {
  Datum* values = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
  ParamListInfo parameters = makeParamList(count);
  for (int i = 0; i < count; ++i) {
    parameters->params[i].value = values[i];
    parameters->params[i].isnull = nulls[i];
    parameters->params[i].pflags = PARAM_FLAG_CONST;
    parameters->params[i].ptype = TEXTOID;
  }
  return parameters;
}

void execute(const char* statement, ParamListInfo parameters, DestReceiver* receiver) {
  SPIExecuteOptions options{};
  options.params = parameters;
  options.dest = receiver;
  options.must_return_tuples = receiver != nullptr;
  const int result = SPI_execute_extended(statement, &options);
  if (result < 0)
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("this statement cannot be run as somebody else"),
             errdetail("%s: %s", SPI_result_code_string(result), statement)));
}

// What an owner's SQL makes while an upgrade script of the extension runs is the owner's, not a part of the
// extension: pg_dump would leave out the relations and their grants.
void execute_outside_script(const char* statement, ParamListInfo parameters, DestReceiver* receiver) {
  const bool in_script = creating_extension;
  creating_extension = false;
  PG_TRY();
  { execute(statement, parameters, receiver); }
  PG_FINALLY();
  { creating_extension = in_script; }
  PG_END_TRY();
}

// run_as_owner(owner, search_path, statement, arguments): what it processed, and its rows to the receiver if
// there is one.
uint64 run_as_owner(FunctionCallInfo fcinfo, DestReceiver* receiver) {
  for (int i : {0, 2, 3}) {
    if (PG_ARGISNULL(i))
      ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument %d is NULL", i + 1)));
  }
  const Oid owner = PG_GETARG_OID(0);
  const char* const path = PG_ARGISNULL(1) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(1));
  const char* const statement = text_to_cstring(PG_GETARG_TEXT_PP(2));
  check_may_act_as(owner);
  ParamListInfo parameters = text_parameters(PG_GETARG_ARRAYTYPE_P(3));
  const OwnerRights rights = take_owner_rights(owner, path, true);
  SPI_connect();
  execute_outside_script(statement, parameters, receiver);
  const uint64 processed = SPI_processed;
  SPI_finish();
  return_owner_rights(rights);
  return processed;
}

Oid owner_of_function(Oid function) {
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", function);
  const Oid owner = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->proowner;
  ReleaseSysCache(tuple);
  return owner;
}

// The owner of a model, InvalidOid when there is none of that name. With the rights to read the catalog,
// within SPI.
Oid owner_of_model(Datum model, const char* schema) {
  Oid types[] = {TEXTOID};
  Datum values[] = {model};
  const char* const query = psprintf(
      "SELECT owner::pg_catalog.oid FROM %s.model_table WHERE name OPERATOR(pg_catalog.=) $1", schema);
  if (SPI_execute_with_args(query, 1, types, values, nullptr, false, 1) != SPI_OK_SELECT)
    elog(ERROR, "reading the models failed");
  if (SPI_processed == 0) return InvalidOid;
  bool null = false;
  return DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null));
}

}  // namespace

// run_as_owner(owner, search_path, statement, arguments)
HEALTH_FUNCTION(health_run_as_owner) { PG_RETURN_INT64(static_cast<int64>(run_as_owner(fcinfo, nullptr))); }

// rows_as_owner(owner, search_path, statement, arguments)
HEALTH_FUNCTION(health_rows_as_owner) {
  InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  DestReceiver* const receiver = CreateTuplestoreDestReceiver();
  SetTuplestoreDestReceiverParams(receiver, result->setResult, result->econtext->ecxt_per_query_memory, false,
                                  result->setDesc, "the statement gives other columns than asked for");
  run_as_owner(fcinfo, receiver);
  return Datum{0};
}

// act_on_model(model, action, arguments): what catalog and schema let only their owner do, for those who may
// act as the owner of the model. Not SECURITY DEFINER: there a function does not know any more who called it.
HEALTH_FUNCTION(health_act_on_model) {
  for (int i : {0, 1, 2}) {
    if (PG_ARGISNULL(i))
      ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument %d is NULL", i + 1)));
  }
  const char* const wanted = text_to_cstring(PG_GETARG_TEXT_PP(1));
  const char* action = nullptr;
  for (const char* one : actions)
    if (std::strcmp(one, wanted) == 0) action = one;
  if (action == nullptr)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no action \"%s\"", wanted)));
  const Oid function = fcinfo->flinfo->fn_oid;
  const char* const schema = quote_identifier(get_namespace_name(get_func_namespace(function)));

  MemoryContext const memory = CurrentMemoryContext;
  OwnerRights const rights = take_owner_rights(owner_of_function(function), safe_path, true);
  SPI_connect();
  const Oid owner = owner_of_model(PG_GETARG_DATUM(0), schema);
  SetUserIdAndSecContext(rights.user, rights.security);
  const bool allowed = OidIsValid(owner) && may_act_as(owner);
  if (!allowed) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied for model \"%s\"", text_to_cstring(PG_GETARG_TEXT_PP(0)))));
  }
  SetUserIdAndSecContext(owner_of_function(function),
                         rights.security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
  Oid types[] = {TEXTOID, TEXTARRAYOID};
  Datum values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(2)};
  if (SPI_execute_with_args(psprintf("SELECT %s.%s($1, $2)", schema, action), 2, types, values, nullptr,
                            false, 1) != SPI_OK_SELECT)
    elog(ERROR, "%s failed", action);
  const char* const value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
  Datum answer = 0;
  if (value != nullptr) {
    MemoryContext const inner = MemoryContextSwitchTo(memory);
    answer = CStringGetTextDatum(value);
    MemoryContextSwitchTo(inner);
  }
  SPI_finish();
  return_owner_rights(rights);
  if (value == nullptr) PG_RETURN_NULL();
  return answer;
}

// follow_owner(model): nothing but what the owners of the tables of the model say.
HEALTH_FUNCTION(health_follow_owner) {
  MemoryContext const memory = CurrentMemoryContext;
  const Oid function = fcinfo->flinfo->fn_oid;
  OwnerRights const rights = take_owner_rights(owner_of_function(function), safe_path, true);
  SPI_connect();
  Oid types[] = {TEXTOID};
  Datum values[] = {PG_GETARG_DATUM(0)};
  const char* const schema = quote_identifier(get_namespace_name(get_func_namespace(function)));
  if (SPI_execute_with_args(psprintf("SELECT %s.move_owner($1, NULL)", schema), 1, types, values, nullptr,
                            false, 1) != SPI_OK_SELECT)
    elog(ERROR, "move_owner failed");
  const char* const owner = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
  Datum answer = 0;
  if (owner != nullptr) {
    MemoryContext const inner = MemoryContextSwitchTo(memory);
    answer = CStringGetTextDatum(owner);
    MemoryContextSwitchTo(inner);
  }
  SPI_finish();
  return_owner_rights(rights);
  if (owner == nullptr) PG_RETURN_NULL();
  return answer;
}

// refresh_matview(view, concurrently): REFRESH makes a security-restricted operation of its own, and cannot
// be CONCURRENTLY within one.
HEALTH_FUNCTION(health_refresh_matview) {
  const Oid view = PG_GETARG_OID(0);
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(view));
  if (!HeapTupleIsValid(tuple))
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", view)));
  const auto* const form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
  const Oid owner = form->relowner;
  const char* const name =
      quote_qualified_identifier(get_namespace_name(form->relnamespace), NameStr(form->relname));
  if (form->relkind != RELKIND_MATVIEW)
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("%s is not a materialized view", name)));
  ReleaseSysCache(tuple);
  check_may_act_as(owner);
  const bool concurrently = PG_GETARG_BOOL(1) && !InSecurityRestrictedOperation();
  const OwnerRights rights = take_owner_rights(owner, safe_path, true);
  SetUserIdAndSecContext(owner, rights.security | SECURITY_LOCAL_USERID_CHANGE);
  SPI_connect();
  execute(psprintf("REFRESH MATERIALIZED VIEW %s%s", concurrently ? "CONCURRENTLY " : "", name), nullptr,
          nullptr);
  SPI_finish();
  return_owner_rights(rights);
  PG_RETURN_VOID();
}
