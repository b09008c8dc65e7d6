// The columns of a query, the relations it reads, and what it compares with itself, by parse analysis alone.
// Nothing of it is planned, so nothing of it runs.
#include "core/ledger/usage.hpp"

#include "tree_walk.hpp"

extern "C" {
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "parser/parse_relation.h"
#include "parser/parsetree.h"
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
#else
    ExecCheckRTPerms(query->rtable, true);
#endif
    return walk_query(query, check_rights, context);
  }
  return walk(node, check_rights, context);
}

// The query within the plan of one SELECT that is described under a search_path.
CachedPlanSource* analyze_select(const char* text) {
  SPIPlanPtr plan = SPI_prepare(text, 0, nullptr);
  if (plan == nullptr) elog(ERROR, "describe_query: %s", SPI_result_code_string(SPI_result));
  List* const sources = SPI_plan_get_plan_sources(plan);
  auto* const source =
      list_length(sources) == 1 ? static_cast<CachedPlanSource*>(linitial(sources)) : nullptr;
  if (source == nullptr || source->resultDesc == nullptr || !IsA(source->raw_parse_tree->stmt, SelectStmt)) {
    ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("a query must be one SELECT")));
  }
  return source;
}

int look_names_up_in(const char* path) {
  const int guc_level = NewGUCNestLevel();
  set_config_option("search_path", path, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  return guc_level;
}

// Adds the relations of a query to the List* that the context points to. Rewritten, a view is what it reads.
bool collect_relations(Node* node, void* context) {
  if (node == nullptr) return false;
  if (!IsA(node, Query)) return walk(node, collect_relations, context);
  auto** const relations = static_cast<List**>(context);
  auto* const query = reinterpret_cast<Query*>(node);
  const ListCell* cell = nullptr;
  foreach (cell, query->rtable) {
    const auto* const entry = static_cast<const RangeTblEntry*>(lfirst(cell));
    if (entry->rtekind == RTE_RELATION) *relations = list_append_unique_oid(*relations, entry->relid);
  }
  return walk_query(query, collect_relations, context);
}

// The subquery at hand, and where the names of its columns go that it compares with themselves.
struct Subquery {
  Query* query;
  ReturnSetInfo* result;
};

const Var* own_column(const Node* node) {
  while (IsA(node, RelabelType))
    node = reinterpret_cast<const Node*>(reinterpret_cast<const RelabelType*>(node)->arg);
  if (!IsA(node, Var)) return nullptr;
  const auto* const var = reinterpret_cast<const Var*>(node);
  return var->varlevelsup == 0 ? var : nullptr;
}

bool find_self_comparison(Node* node, void* context) {
  if (node == nullptr) return false;
  auto* const within = static_cast<Subquery*>(context);
  if (IsA(node, Query)) {
    Subquery inner{reinterpret_cast<Query*>(node), within->result};
    return walk_query(inner.query, find_self_comparison, &inner);
  }
  if (IsA(node, OpExpr) && within->query != nullptr) {
    const auto* const comparison = reinterpret_cast<const OpExpr*>(node);
    if (comparison->opresulttype == BOOLOID && list_length(comparison->args) == 2) {
      const Var* const left = own_column(static_cast<const Node*>(linitial(comparison->args)));
      const Var* const right = own_column(static_cast<const Node*>(lsecond(comparison->args)));
      if (left != nullptr && right != nullptr && left->varno == right->varno &&
          left->varattno == right->varattno && left->varattno > 0) {
        const char* const name =
            get_rte_attribute_name(rt_fetch(left->varno, within->query->rtable), left->varattno);
        Datum value = CStringGetTextDatum(name);
        bool null = false;
        tuplestore_putvalues(within->result->setResult, within->result->setDesc, &value, &null);
      }
    }
  }
  return walk(node, find_self_comparison, context);
}

}  // namespace

// describe_query(query, names_path)
HEALTH_FUNCTION(health_describe_query) {
  InitMaterializedSRF(fcinfo, 0);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const int guc_level = look_names_up_in(text_to_cstring(PG_GETARG_TEXT_PP(1)));
  SPI_connect();
  CachedPlanSource* const source = analyze_select(text_to_cstring(PG_GETARG_TEXT_PP(0)));
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

// self_comparisons(query, names_path)
HEALTH_FUNCTION(health_self_comparisons) {
  InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const int guc_level = look_names_up_in(text_to_cstring(PG_GETARG_TEXT_PP(1)));
  SPI_connect();
  CachedPlanSource* const source = analyze_select(text_to_cstring(PG_GETARG_TEXT_PP(0)));
  Subquery whole{nullptr, result};
  const ListCell* cell = nullptr;
  foreach (cell, source->query_list) {
    // What the query selects from is somebody's own SQL: only the expressions over it are looked at.
    auto* const query = static_cast<Query*>(lfirst(cell));
    find_self_comparison(reinterpret_cast<Node*>(query->targetList), &whole);
  }
  SPI_finish();
  AtEOXact_GUC(false, guc_level);
  return Datum{0};
}

// relations_of_query(query, names_path)
HEALTH_FUNCTION(health_relations_of_query) {
  InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const int guc_level = look_names_up_in(text_to_cstring(PG_GETARG_TEXT_PP(1)));
  SPI_connect();
  CachedPlanSource* const source = analyze_select(text_to_cstring(PG_GETARG_TEXT_PP(0)));
  List* relations = NIL;
  collect_relations(reinterpret_cast<Node*>(source->query_list), static_cast<void*>(&relations));
  const ListCell* cell = nullptr;
  foreach (cell, relations) {
    Datum value = ObjectIdGetDatum(lfirst_oid(cell));
    bool null = false;
    tuplestore_putvalues(result->setResult, result->setDesc, &value, &null);
  }
  SPI_finish();
  AtEOXact_GUC(false, guc_level);
  return Datum{0};
}
