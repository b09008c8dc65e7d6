// describe_query(): the columns of a query, by parse analysis alone. Nothing of it is planned, so nothing of
// it runs.
#include "core/ledger/usage.hpp"

#include "guard.hpp"

extern "C" {
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_relation.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
}

using namespace health::pg;

namespace {

bool denied(Oid function, void*) {
#if PG_VERSION_NUM >= 160000
  const AclResult result = object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE);
#else
  const AclResult result = pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE);
#endif
  if (result != ACLCHECK_OK) aclcheck_error(result, OBJECT_FUNCTION, get_func_name(function));
  return false;
}

// Errors unless the current user has the rights that running it would ask for: the executor asks when it
// starts.
bool check_rights(Node* node, void* context) {
  if (node == nullptr) return false;
  check_functions_in_node(node, denied, context);
  if (IsA(node, Query)) {
    auto* const query = castNode(Query, node);
#if PG_VERSION_NUM >= 160000
    ExecCheckPermissions(query->rtable, query->rteperminfos, true);
    return query_tree_walker(query, check_rights, context, 0);
#else
    ExecCheckRTPerms(query->rtable, true);
    return query_tree_walker(query, reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(check_rights)),
                             context, 0);
#endif
  }
#if PG_VERSION_NUM >= 160000
  return expression_tree_walker(node, check_rights, context);
#else
  return expression_tree_walker(
      node, reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(check_rights)), context);
#endif
}

}  // namespace

// describe_query(query, names_path)
HEALTH_FUNCTION(health_describe_query) {
  InitMaterializedSRF(fcinfo, 0);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const int guc_level = NewGUCNestLevel();
  set_config_option("search_path", text_to_cstring(PG_GETARG_TEXT_PP(1)), PGC_USERSET, PGC_S_SESSION,
                    GUC_ACTION_SAVE, true, 0, false);
  SPI_connect();
  SPIPlanPtr plan = SPI_prepare(text_to_cstring(PG_GETARG_TEXT_PP(0)), 0, nullptr);
  if (plan == nullptr) elog(ERROR, "describe_query: %s", SPI_result_code_string(SPI_result));
  List* const sources = SPI_plan_get_plan_sources(plan);
  auto* const source =
      list_length(sources) == 1 ? static_cast<CachedPlanSource*>(linitial(sources)) : nullptr;
  if (source == nullptr || source->resultDesc == nullptr || !IsA(source->raw_parse_tree->stmt, SelectStmt)) {
    ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("a query must be one SELECT")));
  }
  check_rights(reinterpret_cast<Node*>(source->query_list), nullptr);
  for (int i = 0; i < source->resultDesc->natts; ++i) {
    const FormData_pg_attribute* const column = TupleDescAttr(source->resultDesc, i);
    Datum values[] = {CStringGetTextDatum(NameStr(column->attname)), ObjectIdGetDatum(column->atttypid),
                      ObjectIdGetDatum(column->attcollation)};
    bool nulls[] = {false, false, false};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  SPI_finish();
  AtEOXact_GUC(false, guc_level);
  return Datum{0};
}
