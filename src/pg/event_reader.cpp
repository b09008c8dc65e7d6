// Reads table rows as events: the expressions of a ledger source, compiled for one table.
#include "event_reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "local_day.hpp"
#include "owner_rights.hpp"
#include "tree_walk.hpp"
#include "user_ids.hpp"

extern "C" {
#include "access/detoast.h"
#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation_d.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#if PG_VERSION_NUM >= 180000
#include "rewrite/rewriteHandler.h"
#endif
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

namespace health::pg {

namespace {

// How a value is taken out of a row.
enum class Way : std::uint8_t {
  none,    // the source has no such expression
  column,  // these are read without the expression machinery
  int2_to_int8,
  int4_to_int8,
  int2_to_float8,
  int4_to_float8,
  int8_to_float8,
  float4_to_float8,
  expression
};

struct Field {
  Way way;
  AttrNumber attribute;
  ExprState* state;
};

bool is_user_function(Oid function, void*) { return function >= FirstNormalObjectId; }

// True when evaluating may run code that somebody wrote in SQL: functions, and the checks of domains.
bool runs_user_code(Node* node, void* context) {
  if (node == nullptr) return false;
  if (IsA(node, CoerceToDomain) || check_functions_in_node(node, is_user_function, context)) return true;
  return walk(node, runs_user_code, context);
}

// True when what the expression gives may hang on settings of the session, although it is immutable: texts of
// numbers, bytes, intervals and the like.
bool looks_at_settings(Node* node, void* context) {
  if (node == nullptr) return false;
  if (IsA(node, CoerceViaIO)) {
    const Node* const from = reinterpret_cast<const Node*>(reinterpret_cast<const CoerceViaIO*>(node)->arg);
    switch (getBaseType(exprType(from))) {
      case BOOLOID:
      case INT2OID:
      case INT4OID:
      case INT8OID:
      case NUMERICOID:
      case UUIDOID:
      case TEXTOID:
      case VARCHAROID:
      case BPCHAROID:
      case NAMEOID:
      case JSONBOID:
        break;
      default:
        return !type_is_enum(getBaseType(exprType(from)));
    }
  }
  if (IsA(node, FuncExpr) && castNode(FuncExpr, node)->funcresulttype == CSTRINGOID) return true;
  return walk(node, looks_at_settings, context);
}

// Built-in functions that raise nothing for arguments of ordinary size. Those that are leakproof do not, by
// what that means.
bool may_function_raise(Oid function, void*) {
  switch (function) {
    case F_INT8_INT2:
    case F_FLOAT8_INT2:
    case F_FLOAT8_INT4:
    case F_FLOAT8_INT8:
    case F_FLOAT8_FLOAT4:
    case F_LOWER_TEXT:
    case F_UPPER_TEXT:
    case F_BTRIM_TEXT:
    case F_LTRIM_TEXT:
    case F_RTRIM_TEXT:
    case F_TEXTCAT:
    case F_TRIM_SCALE:
    case F_JSONB_OBJECT_FIELD:
    case F_JSONB_OBJECT_FIELD_TEXT:
    case F_JSONB_EXISTS:
      return false;
    default:
      return !get_func_leakproof(function);
  }
}

bool lacks_collation(Node* node) {
  const List* arguments = NIL;
  switch (nodeTag(node)) {
    case T_FuncExpr:
      arguments = castNode(FuncExpr, node)->args;
      break;
    case T_OpExpr:
    case T_DistinctExpr:
    case T_NullIfExpr:
      arguments = reinterpret_cast<OpExpr*>(node)->args;
      break;
    case T_ScalarArrayOpExpr:
      arguments = castNode(ScalarArrayOpExpr, node)->args;
      break;
    default:
      return false;
  }
  if (OidIsValid(exprInputCollation(node))) return false;
  const ListCell* cell = nullptr;
  foreach (cell, arguments)
    if (type_is_collatable(exprType(static_cast<Node*>(lfirst(cell))))) return true;
  return false;
}

}  // namespace

bool may_raise(Node* node, void* context) {
  if (node == nullptr) return false;
  switch (nodeTag(node)) {
    case T_List:
    case T_Var:
    case T_Const:
    case T_Param:
    case T_RelabelType:
    case T_BoolExpr:
    case T_NullTest:
    case T_BooleanTest:
    case T_CaseExpr:
    case T_CaseWhen:
    case T_CaseTestExpr:
    case T_CoalesceExpr:
      break;
    case T_CoerceViaIO: {
      const auto* cast = castNode(CoerceViaIO, node);
      if (cast->resulttype != TEXTOID) return true;
      const Oid from = getBaseType(exprType(reinterpret_cast<Node*>(cast->arg)));
      switch (from) {
        case INT2OID:
        case INT4OID:
        case INT8OID:
        case NUMERICOID:
        case UUIDOID:
        case BOOLOID:
          break;
        default:
          if (!type_is_enum(from)) return true;
      }
      break;
    }
    case T_FuncExpr:
    case T_OpExpr:
    case T_DistinctExpr:
    case T_NullIfExpr:
    case T_ScalarArrayOpExpr:
      if (check_functions_in_node(node, may_function_raise, context) || lacks_collation(node)) return true;
      break;
    default:
      return true;
  }
  return walk(node, may_raise, context);
}

namespace {

// Finds the column that an expression merely passes on, with a widening at most.
bool plain_column(Expr* expression, Field& field) {
  while (IsA(expression, RelabelType)) expression = castNode(RelabelType, expression)->arg;
  field.way = Way::column;
  if (IsA(expression, FuncExpr)) {
    const auto* cast = castNode(FuncExpr, expression);
    switch (cast->funcid) {
      case F_INT8_INT2:
        field.way = Way::int2_to_int8;
        break;
      case F_INT8_INT4:
        field.way = Way::int4_to_int8;
        break;
      case F_FLOAT8_INT2:
        field.way = Way::int2_to_float8;
        break;
      case F_FLOAT8_INT4:
        field.way = Way::int4_to_float8;
        break;
      case F_FLOAT8_INT8:
        field.way = Way::int8_to_float8;
        break;
      case F_FLOAT8_FLOAT4:
        field.way = Way::float4_to_float8;
        break;
      default:
        return false;
    }
    expression = static_cast<Expr*>(linitial(cast->args));
    while (IsA(expression, RelabelType)) expression = castNode(RelabelType, expression)->arg;
  }
  if (!IsA(expression, Var)) return false;
  field.attribute = castNode(Var, expression)->varattno;
  return field.attribute > 0;
}

// Texts of enums are stable for PostgreSQL, since labels can be renamed. Here a label is what the event was
// called when it came. Takes such texts out of an expression; true when what they are made of is mutable.
bool take_out_labels(Node* node, void* is_mutable) {
  if (node == nullptr) return false;
  if (IsA(node, CoerceViaIO)) {
    auto* const cast = castNode(CoerceViaIO, node);
    auto* const value = reinterpret_cast<Node*>(cast->arg);
    if (type_is_enum(getBaseType(exprType(value)))) {
      if (contain_mutable_functions(value)) *static_cast<bool*>(is_mutable) = true;
      cast->arg = reinterpret_cast<Expr*>(makeNullConst(TEXTOID, -1, DEFAULT_COLLATION_OID));
      return false;
    }
  }
  return walk(node, take_out_labels, is_mutable);
}

bool is_mutable(Node* expression) {
  bool found = false;
  Node* const rest = static_cast<Node*>(copyObjectImpl(expression));
  take_out_labels(rest, &found);
  return found || contain_mutable_functions(rest);
}

bool has_system_column(Node* node, void* context) {
  if (node == nullptr) return false;
  if (IsA(node, Var)) return castNode(Var, node)->varattno < 0;
  return walk(node, has_system_column, context);
}

// Functions and types that somebody made, which may become others.
struct MadeObjects {
  List* functions;
  List* types;
  List* columns;  // numbers of the columns of the row, one for each time that one is named
};

bool note_function(Oid function, void* context) {
  auto* const made = static_cast<MadeObjects*>(context);
  if (is_user_function(function, nullptr))
    made->functions = list_append_unique_oid(made->functions, function);
  return false;
}

bool note_made_objects(Node* node, void* context) {
  if (node == nullptr) return false;
  auto* const made = static_cast<MadeObjects*>(context);
  check_functions_in_node(node, note_function, context);
  if (IsA(node, Var)) made->columns = lappend_int(made->columns, castNode(Var, node)->varattno);
  if (!IsA(node, List)) {
    const Oid type = exprType(node);
    const Oid element = get_element_type(type);
    const Oid shown = OidIsValid(element) ? element : type;
    if (shown >= FirstNormalObjectId) made->types = list_append_unique_oid(made->types, shown);
  }
  return walk(node, note_made_objects, context);
}

// What an expression is called in messages, and what it must give.
struct Wanted {
  const char* name;
  Oid type;
};

Expr* parse_expression(const char* text, const Wanted& wanted, Relation relation) {
  List* const statements = raw_parser(psprintf("SELECT (%s\n)", text), RAW_PARSE_DEFAULT);
  Node* const statement = list_length(statements) == 1 ? linitial_node(RawStmt, statements)->stmt : nullptr;
  if (statement == nullptr || !IsA(statement, SelectStmt) ||
      list_length(castNode(SelectStmt, statement)->targetList) != 1 ||
      castNode(SelectStmt, statement)->fromClause != NIL) {
    ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("\"%s\" is not an expression over one row", text)));
  }
  ParseState* state = make_parsestate(nullptr);
  ParseNamespaceItem* item =
      addRangeTableEntryForRelation(state, relation, AccessShareLock, makeAlias("src", NIL), false, false);
  addNSItemToQuery(state, item, false, true, true);
  // Index expressions are what these are most alike: no subqueries, aggregates and sets.
  Node* node =
      transformExpr(state, linitial_node(ResTarget, castNode(SelectStmt, statement)->targetList)->val,
                    EXPR_KIND_INDEX_EXPRESSION);
  assign_expr_collations(state, node);
  free_parsestate(state);
  const Oid type = getBaseType(exprType(node));
  if (type != wanted.type) {
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("the %s of the events of \"%s\" is of type %s, not %s", wanted.name,
                           RelationGetRelationName(relation), format_type_be(exprType(node)),
                           format_type_be(wanted.type)),
                    errdetail("The expression is %s.", text)));
  }
  // The same row must give the same event whenever it is read.
  if (is_mutable(node) || has_system_column(node, nullptr)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                    errmsg("the %s of the events of \"%s\" does not depend on the row alone", wanted.name,
                           RelationGetRelationName(relation)),
                    errdetail("The expression is %s.", text)));
  }
#if PG_VERSION_NUM >= 180000
  node = expand_generated_columns_in_expr(node, relation, 1);  // virtual columns are not in the row
#endif
  return reinterpret_cast<Expr*>(node);
}

}  // namespace

struct EventReader {
  Field account;
  Field user;
  Field event;
  Field moment;
  Field amount;
  Field filter;
  UserKind account_kind;
  UserKind user_kind;
  AttrNumber last_column;  // of those that are read without the expression machinery; 0: none
  bool has_zone;
  bool may_raise;
  Bitmapset* computed_with;  // columns that expressions read; offset as by pull_varattnos
  bool user_code;            // some expression needs the owner's rights and search path
  bool made_objects;         // some expression uses functions or types that somebody made
  bool settings;             // some expression may hang on settings
  Oid owner;
  const char* search_path;
  ExprContext* context;
  ZoneClock clock;
};

namespace {

void compile_field(EventReader& reader, Field& field, const char* text, const Wanted& wanted,
                   Relation relation) {
  if (text == nullptr) return;
  Expr* expression = parse_expression(text, wanted, relation);
  // Before planning, which puts the bodies of SQL functions in their place.
  MadeObjects made{};
  note_made_objects(reinterpret_cast<Node*>(expression), &made);
  if (made.functions != NIL || made.types != NIL) reader.made_objects = true;
  expression = expression_planner(expression);
  if (plain_column(expression, field)) {
    reader.last_column = std::max(reader.last_column, field.attribute);
    return;
  }
  field.way = Way::expression;
  field.state = ExecInitExpr(expression, nullptr);
  if (may_raise(reinterpret_cast<Node*>(expression), nullptr)) reader.may_raise = true;
  pull_varattnos(reinterpret_cast<Node*>(expression), 1, &reader.computed_with);
  if (runs_user_code(reinterpret_cast<Node*>(expression), nullptr)) reader.user_code = true;
  if (looks_at_settings(reinterpret_cast<Node*>(expression), nullptr)) reader.settings = true;
}

struct SourceField {
  const char* text;  // null: none
  Wanted wanted;
};

std::array<SourceField, 6> fields_of(const LedgerSource& source) {
  return {{{source.account, {"account", kind_type(source.account_kind)}},
           {source.user_id, {"user", kind_type(source.user_kind)}},
           {source.event, {"name", TEXTOID}},
           {source.moment, {"time", source.time_zone != nullptr ? Oid{TIMESTAMPTZOID} : Oid{DATEOID}}},
           {source.amount, {"amount", FLOAT8OID}},
           {source.filter, {"filter", BOOLOID}}}};
}

// False when the value is NULL.
inline bool read_field(const EventReader& reader, const Field& field, TupleTableSlot* slot, Datum& value) {
  bool null = false;
  if (field.way == Way::expression) {
    reader.context->ecxt_scantuple = slot;
    value = ExecEvalExprSwitchContext(field.state, reader.context, &null);
    return !null;
  }
  value = slot_getattr(slot, field.attribute, &null);
  if (null) return false;
  switch (field.way) {
    case Way::int2_to_int8:
      value = Int64GetDatum(DatumGetInt16(value));
      break;
    case Way::int4_to_int8:
      value = Int64GetDatum(DatumGetInt32(value));
      break;
    case Way::int2_to_float8:
      value = Float8GetDatum(DatumGetInt16(value));
      break;
    case Way::int4_to_float8:
      value = Float8GetDatum(DatumGetInt32(value));
      break;
    case Way::int8_to_float8:
      value = Float8GetDatum(static_cast<float8>(DatumGetInt64(value)));
      break;
    case Way::float4_to_float8:
      value = Float8GetDatum(static_cast<float8>(DatumGetFloat4(value)));
      break;
    default:
      break;
  }
  return true;
}

inline std::string_view read_text(const EventReader& reader, Datum value) {
  auto* const text = reinterpret_cast<struct varlena*>(DatumGetPointer(value));
  if (!VARATT_IS_EXTENDED(text) || VARATT_IS_SHORT(text)) return text_of(value);
  MemoryContext previous = MemoryContextSwitchTo(reader.context->ecxt_per_tuple_memory);
  const std::string_view whole = text_of(value);  // of out-of-line or compressed text a copy
  MemoryContextSwitchTo(previous);
  return whole;
}

inline UserId read_id(const EventReader& reader, UserKind kind, Datum value) {
  return user_id_of(kind, value, [&](Datum text) { return read_text(reader, text); });
}

inline RowKind read_row(EventReader& reader, TupleTableSlot* slot, EventRow& row) {
  Datum value = 0;
  if (reader.last_column > 0)
    slot_getsomeattrs(slot, reader.last_column);  // at once: cheaper than one by one
  if (reader.filter.way != Way::none &&
      (!read_field(reader, reader.filter, slot, value) || !DatumGetBool(value)))
    return RowKind::none;
  if (!read_field(reader, reader.account, slot, value)) return RowKind::none;
  row.account = read_id(reader, reader.account_kind, value);
  LoggedEvent& event = row.event;
  if (!read_field(reader, reader.user, slot, value)) return RowKind::none;
  event.kind = reader.user_kind;
  event.user = read_id(reader, reader.user_kind, value);
  if (!read_field(reader, reader.event, slot, value)) return RowKind::none;
  event.name = read_text(reader, value);
  if (!read_field(reader, reader.moment, slot, value)) return RowKind::none;
  event.day =
      reader.has_zone ? day_if_finite(reader.clock, DatumGetTimestampTz(value)) : DatumGetDateADT(value);
  if (!is_event(event.name, event.day)) return RowKind::bad;
  event.has_amount = reader.amount.way != Way::none && read_field(reader, reader.amount, slot, value);
  if (event.has_amount && !to_micro(DatumGetFloat8(value), event.amount)) return RowKind::bad;
  return RowKind::event;
}

}  // namespace

EventReader* make_event_reader(const LedgerSource& source, Relation relation, MemoryContext context) {
  if (!OidIsValid(source.owner)) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("the owner of ledger source %d does not exist any more", source.id)));
  }
  MemoryContext previous = MemoryContextSwitchTo(context);
  auto* reader = static_cast<EventReader*>(palloc0(sizeof(EventReader)));
  reader->account_kind = source.account_kind;
  reader->user_kind = source.user_kind;
  reader->has_zone = source.time_zone != nullptr;
  reader->owner = source.owner;
  // As take_owner_rights() would make it for each row.
  reader->search_path = *source.search_path == '\0' ? "pg_temp" : psprintf("%s, pg_temp", source.search_path);
  reader->context = CreateStandaloneExprContext();
  if (reader->has_zone) set_zone(reader->clock, source.time_zone);
  // Planning an expression may run its functions.
  const OwnerRights rights = take_owner_rights(source.owner, source.search_path, true);
  Field* const fields[] = {&reader->account, &reader->user,   &reader->event,
                           &reader->moment,  &reader->amount, &reader->filter};
  int at = 0;
  for (const SourceField& field : fields_of(source))
    compile_field(*reader, *fields[at++], field.text, field.wanted, relation);
  return_owner_rights(rights);
  MemoryContextSwitchTo(previous);
  return reader;
}

void collect_made_objects(const LedgerSource& source, Relation relation, List** functions, List** types,
                          List** columns) {
  MadeObjects made{};
  const OwnerRights rights = take_owner_rights(source.owner, source.search_path, true);
  for (const SourceField& field : fields_of(source)) {
    if (field.text != nullptr)
      note_made_objects(reinterpret_cast<Node*>(parse_expression(field.text, field.wanted, relation)), &made);
  }
  return_owner_rights(rights);
  *functions = made.functions;
  *types = made.types;
  *columns = made.columns;
}

bool cannot_fail(const EventReader& reader, TupleTableSlot* slot) {
  // Beyond it some function may run into the limit of one allocation.
  constexpr Size ordinary_size = Size{1} << 20;
  if (reader.may_raise) return false;
  for (int at = -1; (at = bms_next_member(reader.computed_with, at)) >= 0;) {
    const int attribute = at + FirstLowInvalidHeapAttributeNumber;
    if (attribute <= 0) return false;  // the whole row
    if (TupleDescAttr(slot->tts_tupleDescriptor, attribute - 1)->attlen != -1) continue;
    bool null = false;
    const Datum value = slot_getattr(slot, attribute, &null);
    if (!null && toast_raw_datum_size(value) > ordinary_size) return false;
  }
  return true;
}

void read_event(EventReader& reader, TupleTableSlot* slot, EventRow& row) {
  if (!reader.user_code) {
    const int guc_level = reader.settings ? fix_settings() : 0;
    row.kind = read_row(reader, slot, row);
    restore_settings(guc_level);
    return;
  }
  const OwnerRights rights = take_owner_rights(reader.owner, reader.search_path, true);
  row.kind = read_row(reader, slot, row);
  return_owner_rights(rights);
}

bool uses_made_objects(const EventReader& reader) { return reader.made_objects; }

Outcome try_reading_event(EventReader& reader, TupleTableSlot* slot, EventRow& row) {
  if (cannot_fail(reader, slot)) {
    read_event(reader, slot, row);
    return Outcome::done;
  }
  const Outcome outcome = try_in_subtransaction([&] { read_event(reader, slot, row); });
  if (outcome != Outcome::done) row.kind = RowKind::bad;
  return outcome;
}

void reset_event_reader(EventReader& reader) { ResetExprContext(reader.context); }

}  // namespace health::pg
