// health_internal.capture(): the trigger of tracked tables. It turns rows into changes and never fails
// because of one.
#include "change_buffer.hpp"

#include <cstdlib>
#include <cstring>

#include "event_reader.hpp"
#include "own_objects.hpp"
#include "subtransaction.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/partition.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "utils/acl.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"
}

using namespace health::pg;

namespace {

using health::Change;
using health::UserKind;

// Ids and names beyond this are no sane data; within it whatever the column of the change table can hold.
constexpr std::size_t largest_change = std::size_t{256} << 20;

constexpr int32 no_generation = -1;

// What is known about a trigger. Entries stay as long as the backend; what they point to is replaced when a
// table that it hangs on has changed.
struct Capture {
  Oid trigger;  // the key
  bool valid;
  bool changed;  // a table changed while the entry was being made
  bool ignored;  // no source, or one of another table
  UserKind account_kind;
  UserKind user_kind;
  ChangeTarget target;
  Oid relation;           // that the source is of
  bool has_target;        // the change table can take changes
  bool made_objects;      // expressions use functions or types that may change
  std::size_t largest;    // bytes of a change
  MemoryContext context;  // holds the reader
  EventReader* reader;    // null: the source's expressions do not fit the table, or its owner may not read it
  ChangeBuffer* buffer;   // good for one transaction,
  std::uint64_t serial;   // this one
  std::uint64_t failed_in;  // the transaction in which there was no reader
  Capture* next;
};

HTAB* captures = nullptr;
Capture* first_capture = nullptr;
Capture* last_used = nullptr;

void invalidate(Capture& capture) {
  capture.valid = false;
  capture.changed = true;
}

void on_relation_change(Datum, Oid relation) {
  for (Capture* capture = first_capture; capture != nullptr; capture = capture->next) {
    if (relation == InvalidOid || relation == capture->target.leaf || relation == capture->relation ||
        relation == capture->target.change_table)
      invalidate(*capture);
  }
}

// Rights hang on roles, their memberships and schemas as well as on the tables.
void on_rights_change(Datum, int, uint32) {
  for (Capture* capture = first_capture; capture != nullptr; capture = capture->next) invalidate(*capture);
}

void on_code_change(Datum, int, uint32) {
  for (Capture* capture = first_capture; capture != nullptr; capture = capture->next) {
    if (capture->made_objects) invalidate(*capture);
  }
}

// True when the role that changes are brought to may read all rows of the table: what it may not read is not
// brought to it either.
bool may_still_read(Oid receiver, Oid relation, Oid leaf) {
  const auto may_select = [receiver](Oid table) {
    return pg_class_aclcheck(table, receiver, ACL_SELECT) == ACLCHECK_OK;
  };
#if PG_VERSION_NUM >= 160000
  const AclResult schema =
      object_aclcheck(NamespaceRelationId, get_rel_namespace(relation), receiver, ACL_USAGE);
#else
  const AclResult schema = pg_namespace_aclcheck(get_rel_namespace(relation), receiver, ACL_USAGE);
#endif
  return schema == ACLCHECK_OK && (may_select(relation) || may_select(leaf)) &&
         check_enable_rls(relation, receiver, true) != RLS_ENABLED &&
         check_enable_rls(leaf, receiver, true) != RLS_ENABLED;
}

bool is_table_of(const LedgerSource& source, Relation relation) {
  if (RelationGetRelid(relation) == source.relation) return true;
  if (!relation->rd_rel->relispartition) return false;
  List* ancestors = get_partition_ancestors(RelationGetRelid(relation));
  const bool found = list_member_oid(ancestors, source.relation);
  list_free(ancestors);
  return found;
}

// By its name, in a schema of the extension, where nobody else makes anything.
bool is_own_change_table(Relation table, const LedgerSource& source, Oid function) {
  const Oid extension = getExtensionOfObject(ProcedureRelationId, function);
  return OidIsValid(extension) &&
         getExtensionOfObject(NamespaceRelationId, RelationGetNamespace(table)) == extension &&
         std::strcmp(qualified_name(RelationGetRelid(table)), source.change_name) == 0;
}

// Finds out everything about a trigger.
void look_up(Capture& capture, const Trigger& trigger, Relation relation) {
  capture.valid = capture.changed = false;
  // Of this trigger and of those that are gone. Code further up may be using the old readers: they are freed
  // later.
  for (Capture* old = first_capture; old != nullptr; old = old->next) {
    if (old->valid || old->context == nullptr) continue;
    MemoryContextSetParent(old->context, until_transaction_end());
    old->context = nullptr;
    old->reader = nullptr;
  }
  capture.reader = nullptr;
  capture.buffer = nullptr;
  capture.ignored = true;
  capture.has_target = capture.made_objects = false;
  capture.target = {};
  capture.target.leaf = RelationGetRelid(relation);
  capture.relation = InvalidOid;
  capture.context = AllocSetContextCreate(TopMemoryContext, "health_internal.capture", ALLOCSET_SMALL_SIZES);

  LedgerSource* source = nullptr;
  if (trigger.tgnargs == 1)
    source = load_ledger_source(static_cast<int32>(std::strtol(trigger.tgargs[0], nullptr, 10)),
                                trigger.tgfoid, capture.context);
  // One trigger captures for a source: others of the same table, under other names, would do it once more.
  if (source != nullptr && std::strcmp(trigger.tgname, source->trigger_name) != 0) source = nullptr;
  // Of a source that is gone, or reads another table by now, nothing is missed.
  if (source != nullptr && is_table_of(*source, relation)) {
    capture.ignored = false;
    ChangeTarget& target = capture.target;
    target.source = source->id;
    target.generation = source->generation;
    target.change_table = source->change_table;
    target.trigger_function = trigger.tgfoid;
    capture.relation = source->relation;
    capture.account_kind = source->account_kind;
    capture.user_kind = source->user_kind;
    Relation table =
        OidIsValid(target.change_table) ? try_table_open(target.change_table, AccessShareLock) : nullptr;
    if (table != nullptr) {
      // Its name is that of the source: rows of the catalog are for the owner of the model to write, who
      // might name another's.
      capture.has_target = is_change_table(table) && is_own_change_table(table, *source, trigger.tgfoid);
      target.receiver = table->rd_rel->relowner;
      // Without storage out of line a change must fit a page.
      capture.largest =
          capture.has_target &&
                  TupleDescAttr(RelationGetDescr(table), change_table_changes)->attstorage == TYPSTORAGE_PLAIN
              ? health::piece_bytes
              : largest_change;
      table_close(table, AccessShareLock);
    }
  }
  if (capture.has_target) {
    EventReader* volatile reader = nullptr;
    if (may_still_read(capture.target.receiver, capture.relation, capture.target.leaf) &&
        try_in_subtransaction([&] {
          reader = make_event_reader(*source, relation, capture.context);
          // What is captured by another function than the ledger was read with is told apart, even if the
          // function is the old one again when a refresh comes.
          if (uses_made_objects(*reader) && is_read_otherwise(*source, trigger.tgfoid))
            capture.target.generation = no_generation;
        }) == Outcome::done) {
      capture.reader = reader;
      capture.made_objects = uses_made_objects(*reader);
    } else {
      capture.failed_in = transaction_serial();
    }
  }
  capture.valid = !capture.changed;
}

Capture& capture_of(const Trigger& trigger, Relation relation) {
  Capture* capture = last_used;
  if (capture == nullptr || capture->trigger != trigger.tgoid) {
    if (captures == nullptr) {
      HASHCTL control{};
      control.keysize = sizeof(Oid);
      control.entrysize = sizeof(Capture);
      captures = hash_create("health_internal.capture", 16, &control, HASH_ELEM | HASH_BLOBS);
      CacheRegisterRelcacheCallback(on_relation_change, Datum{0});
      for (const int cache : {AUTHOID, AUTHMEMROLEMEM, NAMESPACEOID})
        CacheRegisterSyscacheCallback(cache, on_rights_change, Datum{0});
      for (const int cache : {PROCOID, TYPEOID, ENUMOID})
        CacheRegisterSyscacheCallback(cache, on_code_change, Datum{0});
    }
    bool found = false;
    capture = static_cast<Capture*>(hash_search(captures, &trigger.tgoid, HASH_ENTER, &found));
    if (!found) {
      *capture = {};
      capture->trigger = trigger.tgoid;
      capture->next = first_capture;
      first_capture = capture;
    }
    last_used = capture;
  }
  // What did not fit once may fit now: a function may have come back.
  const bool retry = capture->valid && capture->has_target && capture->reader == nullptr &&
                     capture->failed_in != transaction_serial();
  if (!capture->valid || retry) look_up(*capture, trigger, relation);
  return *capture;
}

// Reads the row in a slot. False when it is no event, or could not be read.
bool read_change(const Capture& capture, EventReader& reader, ChangeBuffer& buffer, TupleTableSlot* slot,
                 bool minus, Change& change) {
  EventRow row;
  if (try_reading_event(reader, slot, row) == Outcome::broken) {
    capture_unreadable(buffer);
    return false;
  }
  if (row.kind == RowKind::none) return false;
  change.block = ItemPointerGetBlockNumberNoCheck(&slot->tts_tid);
  change.minus = minus;
  change.bad = row.kind == RowKind::bad;
  change.account = row.account;
  change.event = row.event;
  change.account_kind = capture.account_kind;
  change.event.kind = capture.user_kind;
  if (!change.bad && health::ChangeLog::bytes_for(change) > capture.largest) change.bad = true;
  return true;
}

bool same_event(const Change& a, const Change& b) {
  if (a.block != b.block || a.bad != b.bad) return false;
  if (a.bad) return true;
  const auto same_id = [](UserKind kind, const health::UserId& x, const health::UserId& y) {
    return kind == UserKind::bigint ? x.number == y.number : x.bytes == y.bytes;
  };
  return a.event.day == b.event.day && a.event.has_amount == b.event.has_amount &&
         (!a.event.has_amount || a.event.amount == b.event.amount) && a.event.name == b.event.name &&
         same_id(a.account_kind, a.account, b.account) && same_id(a.event.kind, a.event.user, b.event.user);
}

[[noreturn]] void reject_call(const char* message) {
  ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("%s", message),
                  errhint("health.track(model) makes the triggers of tracked tables.")));
  pg_unreachable();
}

}  // namespace

HEALTH_FUNCTION(health_capture) {
  if (!CALLED_AS_TRIGGER(fcinfo)) reject_call("health_internal.capture() is called by triggers only");
  const auto* call = reinterpret_cast<const TriggerData*>(fcinfo->context);
  if (!TRIGGER_FIRED_AFTER(call->tg_event) || !TRIGGER_FIRED_FOR_ROW(call->tg_event))
    reject_call("health_internal.capture() is called after INSERT, UPDATE or DELETE for each row only");
  Capture& capture = capture_of(*call->tg_trigger, call->tg_relation);
  if (capture.ignored) return Datum{0};
  if (capture.serial != transaction_serial() || capture.buffer == nullptr) {
    capture.buffer = open_change_buffer(capture.target);
    capture.serial = transaction_serial();
  }
  if (!capture.has_target) {
    capture_gap(*capture.buffer);
    return Datum{0};
  }
  // The entry may be made anew while a row is read, the buffer stays.
  ChangeBuffer& buffer = *capture.buffer;
  EventReader* const reader = capture.reader;
  if (reader == nullptr) {
    capture_unreadable(buffer);
    return Datum{0};
  }

  const bool is_update = TRIGGER_FIRED_BY_UPDATE(call->tg_event);
  const bool is_insert = TRIGGER_FIRED_BY_INSERT(call->tg_event);
  Change gone;
  Change come;
  bool has_gone = !is_insert && read_change(capture, *reader, buffer, call->tg_trigslot, true, gone);
  bool has_come =
      (is_insert || is_update) &&
      read_change(capture, *reader, buffer, is_update ? call->tg_newslot : call->tg_trigslot, false, come);
  if (has_gone && has_come && same_event(gone, come)) has_gone = has_come = false;
  if (has_gone) capture_change(buffer, gone);
  if (has_come) capture_change(buffer, come);
  reset_event_reader(*reader);
  return Datum{0};
}

// is_change_table(relation, owner)
HEALTH_FUNCTION(health_is_change_table) {
  Relation table = try_table_open(PG_GETARG_OID(0), AccessShareLock);
  if (table == nullptr) PG_RETURN_BOOL(false);
  const bool fit = is_change_table(table) && table->rd_rel->relowner == PG_GETARG_OID(1);
  table_close(table, AccessShareLock);
  PG_RETURN_BOOL(fit);
}
