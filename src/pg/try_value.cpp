// try_value() and what belongs to it: an expression over a row that may fail on some of them.
#include <cmath>
#include <cstring>

#include "core/ledger/usage.hpp"
#include "event_reader.hpp"
#include "guard.hpp"
#include "subtransaction.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parser.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
}

using namespace health::pg;

namespace {

// A column that an expression may name: column, or row.column. Of two with one name the first is meant.
struct Column {
  const char* row;
  const char* name;
  Oid type;
  Oid collation;
  bool used;
};
struct Columns {
  Column* items;
  int count;
};

// Columns become parameters, in their order.
Node* column_as_parameter(ParseState* state, ColumnRef* reference) {
  const int parts = list_length(reference->fields);
  if (parts < 1 || parts > 2 || !IsA(llast(reference->fields), String)) return nullptr;
  const char* const name = strVal(llast(reference->fields));
  const char* const row = parts == 2 ? strVal(linitial(reference->fields)) : nullptr;
  auto* const columns = static_cast<Columns*>(state->p_ref_hook_state);
  for (int at = 0; at < columns->count; ++at) {
    Column& column = columns->items[at];
    if (std::strcmp(column.name, name) != 0 || (row != nullptr && std::strcmp(column.row, row) != 0))
      continue;
    column.used = true;
    auto* const parameter = makeNode(Param);
    parameter->paramkind = PARAM_EXTERN;
    parameter->paramid = at + 1;
    parameter->paramtype = column.type;
    parameter->paramtypmod = -1;
    parameter->paramcollid = column.collation;
    parameter->location = -1;
    return reinterpret_cast<Node*>(parameter);
  }
  return nullptr;
}

// The expression under a search path, its columns as parameters. Ereports when it is none over one row: one
// with a subquery, say.
Node* parse_over(const char* text, const char* names_path, Columns& columns) {
  const int guc_level = NewGUCNestLevel();
  set_config_option("search_path", names_path, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  List* const statements = raw_parser(psprintf("SELECT (%s\n)", text), RAW_PARSE_DEFAULT);
  const Node* const statement =
      list_length(statements) == 1 ? linitial_node(RawStmt, statements)->stmt : nullptr;
  if (statement == nullptr || !IsA(statement, SelectStmt) ||
      list_length(reinterpret_cast<const SelectStmt*>(statement)->targetList) != 1 ||
      reinterpret_cast<const SelectStmt*>(statement)->fromClause != NIL) {
    ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("\"%s\" is not an expression over one row", text)));
  }
  ParseState* const state = make_parsestate(nullptr);
  state->p_pre_columnref_hook = column_as_parameter;
  state->p_ref_hook_state = &columns;
  auto* const target = linitial_node(ResTarget, reinterpret_cast<const SelectStmt*>(statement)->targetList);
  Node* const node = transformExpr(state, target->val, EXPR_KIND_INDEX_EXPRESSION);
  assign_expr_collations(state, node);
  free_parsestate(state);
  AtEOXact_GUC(false, guc_level);
  return node;
}

Datum* text_elements(Datum array, int* count) {
  Datum* elements = nullptr;
  deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements, nullptr, count);
  return elements;
}

Datum* oid_elements(Datum array, int* count) {
  Datum* elements = nullptr;
  deconstruct_array(DatumGetArrayTypeP(array), OIDOID, sizeof(Oid), true, TYPALIGN_INT, &elements, nullptr,
                    count);
  return elements;
}

// "row.name", as guard_expression() writes it.
Column column_named(Datum name, Oid type, Oid collation) {
  char* const row = TextDatumGetCString(name);
  char* const dot = std::strchr(row, '.');
  if (dot == nullptr) elog(ERROR, "\"%s\" is no column of a row", row);
  *dot = '\0';
  return {row, dot + 1, type, collation, false};
}

// What a call site keeps: the expression, compiled.
struct Tried {
  ExprState* state;
  ExprContext* context;
  ParamListInfo parameters;
  Oid type;
};

// The arguments of the expression begin behind `first`, its text, search path and names of columns.
Tried& tried_expression(FunctionCallInfo fcinfo, int first, Oid type) {
  auto* tried = static_cast<Tried*>(fcinfo->flinfo->fn_extra);
  if (tried != nullptr) return *tried;
  MemoryContext const previous = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
  int names = 0;
  Datum* const name = text_elements(PG_GETARG_DATUM(first + 2), &names);
  const int values = PG_NARGS() - first - 3;
  if (!IsA(fcinfo->flinfo->fn_expr, FuncExpr) || names != values)
    elog(ERROR, "%d names for %d values of an expression", names, values);
  const List* const arguments = reinterpret_cast<const FuncExpr*>(fcinfo->flinfo->fn_expr)->args;
  Columns columns{static_cast<Column*>(palloc0(sizeof(Column) * static_cast<Size>(values + 1))), values};
  tried = static_cast<Tried*>(palloc0(sizeof(Tried)));
  tried->parameters = makeParamList(values);
  for (int at = 0; at < values; ++at) {
    const auto* const argument = static_cast<const Node*>(list_nth(arguments, first + 3 + at));
    columns.items[at] = column_named(name[at], exprType(argument), exprCollation(argument));
    tried->parameters->params[at].ptype = exprType(argument);
    tried->parameters->params[at].pflags = 0;
  }
  const char* const written = TextDatumGetCString(PG_GETARG_DATUM(first));
  Node* const node = parse_over(written, TextDatumGetCString(PG_GETARG_DATUM(first + 1)), columns);
  if (OidIsValid(type) && getBaseType(exprType(node)) != getBaseType(type)) {
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("the expression is of type %s, not %s", format_type_be(exprType(node)),
                           format_type_be(type)),
                    errdetail("The expression is %s.", written)));
  }
  tried->type = exprType(node);
  tried->context = CreateStandaloneExprContext();
  tried->context->ecxt_param_list_info = tried->parameters;
  tried->state = ExecInitExprWithParams(expression_planner(reinterpret_cast<Expr*>(node)), tried->parameters);
  MemoryContextSwitchTo(previous);
  fcinfo->flinfo->fn_extra = tried;
  return *tried;
}

// Evaluates the expression with the values of the call. The value, if there is one, is in the memory of the
// caller. What is broken says so by its own error.
Outcome try_expression(FunctionCallInfo fcinfo, int first, const Tried& tried, NullableDatum& value,
                       ErrorData** report) {
  ResetExprContext(tried.context);
  for (int at = 0; at < tried.parameters->numParams; ++at) {
    ParamExternData& parameter = tried.parameters->params[at];
    parameter.isnull = PG_ARGISNULL(first + 3 + at);
    parameter.value = parameter.isnull ? Datum{0} : PG_GETARG_DATUM(first + 3 + at);
  }
  const Outcome outcome = try_in_subtransaction(
      [&] { value.value = ExecEvalExpr(tried.state, tried.context, &value.isnull); }, report);
  if (outcome == Outcome::broken) ReThrowError(*report);
  return outcome;
}

// False for a number that is none.
bool is_finite(Oid type, Datum value) {
  if (type == FLOAT8OID) return std::isfinite(DatumGetFloat8(value));
  if (type == FLOAT4OID) return std::isfinite(DatumGetFloat4(value));
  if (type != NUMERICOID) return true;
  return !numeric_is_nan(DatumGetNumeric(value)) && !numeric_is_inf(DatumGetNumeric(value));
}

}  // namespace

// try_value(fallback, expression, names_path, columns, values ...)
HEALTH_FUNCTION(health_try_value) {
  const Tried& tried = tried_expression(fcinfo, 1, get_fn_expr_rettype(fcinfo->flinfo));
  NullableDatum value{};
  ErrorData* report = nullptr;
  if (try_expression(fcinfo, 1, tried, value, &report) != Outcome::done)
    value = {PG_GETARG_DATUM(0), PG_ARGISNULL(0)};
  fcinfo->isnull = value.isnull;
  return value.value;
}

// try_error(expression, names_path, columns, values ...)
HEALTH_FUNCTION(health_try_error) {
  const Tried& tried = tried_expression(fcinfo, 0, InvalidOid);
  NullableDatum value{};
  ErrorData* report = nullptr;
  if (try_expression(fcinfo, 0, tried, value, &report) != Outcome::done)
    return CStringGetTextDatum(report->message);
  if (value.isnull || is_finite(tried.type, value.value)) PG_RETURN_NULL();
  return CStringGetTextDatum("its value is NaN or infinite");
}

// to_float8(number): what is beyond the range of doubles becomes infinite.
HEALTH_FUNCTION(health_to_float8) {
  return DirectFunctionCall1(numeric_float8_no_overflow, PG_GETARG_DATUM(0));
}

// fallible_columns(expression, names_path, columns, types, collations)
HEALTH_FUNCTION(health_fallible_columns) {
  int count = 0;
  int names = 0;
  Datum* const name = text_elements(PG_GETARG_DATUM(2), &names);
  Datum* const types = oid_elements(PG_GETARG_DATUM(3), &count);
  Datum* const collations = oid_elements(PG_GETARG_DATUM(4), &count);
  Columns columns{static_cast<Column*>(palloc0(sizeof(Column) * static_cast<Size>(count + 1))), count};
  if (names != count) elog(ERROR, "%d names of %d columns", names, count);
  for (int at = 0; at < count; ++at) {
    columns.items[at] = column_named(name[at], DatumGetObjectId(types[at]), DatumGetObjectId(collations[at]));
  }
  Node* volatile node = nullptr;
  ErrorData* report = nullptr;
  const Outcome outcome = try_in_subtransaction(
      [&] {
        node = parse_over(TextDatumGetCString(PG_GETARG_DATUM(0)), TextDatumGetCString(PG_GETARG_DATUM(1)),
                          columns);
      },
      &report);
  if (outcome != Outcome::done || expression_returns_set(node) || !may_raise(node, nullptr)) PG_RETURN_NULL();
  Datum used[MaxTupleAttributeNumber];
  int uses = 0;
  for (int at = 0; at < count; ++at)
    if (columns.items[at].used && uses < MaxTupleAttributeNumber) used[uses++] = Int32GetDatum(at + 1);
  if (uses == 0 || uses > 50) PG_RETURN_NULL();
  return PointerGetDatum(construct_array(used, uses, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}
