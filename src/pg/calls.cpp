// What procedures that commit ask of PostgreSQL: whether they may, whether a statement still runs, and an
// error that was caught, again.
#include <cstring>

#include "guard.hpp"

extern "C" {
#include "access/xact.h"
#include "nodes/parsenodes.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
}

using namespace health::pg;

namespace {

char* text_of_argument(FunctionCallInfo fcinfo, int i) { return text_to_cstring(PG_GETARG_TEXT_PP(i)); }

// CALL says so to each procedure. Under an exception handler (a subtransaction) it does not, and COMMIT fails
// all the same.
bool can_commit(FunctionCallInfo fcinfo) {
  return fcinfo->context != nullptr && IsA(fcinfo->context, CallContext) &&
         !reinterpret_cast<const CallContext*>(fcinfo->context)->atomic && !IsSubTransaction();
}

LocalPgBackendStatus* backend_status(int i) {
#if PG_VERSION_NUM >= 160000
  return pgstat_get_local_beentry_by_index(i);
#else
  return pgstat_fetch_stat_local_beentry(i);
#endif
}

}  // namespace

// reject_transaction_block(model, procedure): PostgreSQL's own error at the first COMMIT helps nobody: many
// clients open a block by themselves.
HEALTH_FUNCTION(health_reject_transaction_block) {
  if (can_commit(fcinfo)) PG_RETURN_VOID();
  const char* const model = quote_literal_cstr(text_of_argument(fcinfo, 0));
  const char* const procedure = text_of_argument(fcinfo, 1);
  const bool refresh = std::strcmp(procedure, "refresh") == 0;
  ereport(ERROR,
          (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
           errmsg("CALL health.%s(%s) cannot run inside a transaction block", procedure, model),
           errhint("It commits as it goes: have the client run it with autocommit, as a statement of its "
                   "own, not in a function or "
                   "under an exception handler.%s",
                   refresh ? psprintf(" Or SELECT health.refresh_score_views(%s), in one transaction.", model)
                           : "")));
}

// raise_again(code, message, detail, hint, schema, table, column, type, constraint); '' is what there is none
// of.
HEALTH_FUNCTION(health_raise_again) {
  const char* const code = text_of_argument(fcinfo, 0);
  const char* const detail = text_of_argument(fcinfo, 2);
  const char* const hint = text_of_argument(fcinfo, 3);
  constexpr int fields[] = {PG_DIAG_SCHEMA_NAME, PG_DIAG_TABLE_NAME, PG_DIAG_COLUMN_NAME,
                            PG_DIAG_DATATYPE_NAME, PG_DIAG_CONSTRAINT_NAME};
  if (errstart(ERROR, TEXTDOMAIN)) {
    errcode(MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]));
    errmsg("%s", text_of_argument(fcinfo, 1));
    if (*detail != '\0') errdetail("%s", detail);
    if (*hint != '\0') errhint("%s", hint);
    for (int i = 0; i < 5; ++i) {
      const char* const name = text_of_argument(fcinfo, 4 + i);
      if (*name != '\0') err_generic_string(fields[i], name);
    }
    errfinish(__FILE__, __LINE__, __func__);
  }
  pg_unreachable();
}

// statement_runs(pid, began). With track_activities = off sessions do not say what they run: then one that is
// there counts.
HEALTH_FUNCTION(health_statement_runs) {
  const int pid = PG_GETARG_INT32(0);
  const TimestampTz began = PG_GETARG_TIMESTAMPTZ(1);
  pgstat_clear_backend_activity_snapshot();
  for (int i = 1; i <= pgstat_fetch_stat_numbackends(); ++i) {
    const PgBackendStatus& backend = backend_status(i)->backendStatus;
    if (backend.st_procpid != pid) continue;
    PG_RETURN_BOOL(backend.st_state == STATE_DISABLED ||
                   (backend.st_state == STATE_RUNNING && backend.st_activity_start_timestamp == began));
  }
  PG_RETURN_BOOL(false);
}
