// The surface that people call: functions of schema health whose errors come without what they are made of.
#include "guard.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
}

using namespace health::pg;

namespace {

// The function that one of schema health stands in front of: of the same name and arguments.
Oid inner_function(Oid surface) {
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(surface));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", surface);
  const auto* const form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
  const Oid inner = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, NameGetDatum(&form->proname),
                                    PointerGetDatum(&form->proargtypes),
                                    ObjectIdGetDatum(get_namespace_oid("health_internal", false)));
  if (!OidIsValid(inner))
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
                    errmsg("function %s lacks its other half, in schema health_internal",
                           format_procedure(surface))));
  ReleaseSysCache(tuple);
  return inner;
}

FmgrInfo* load_inner_function(FmgrInfo* surface) {
  if (surface->fn_extra == nullptr) {
    auto* const inner = static_cast<FmgrInfo*>(MemoryContextAllocZero(surface->fn_mcxt, sizeof(FmgrInfo)));
    fmgr_info_cxt(inner_function(surface->fn_oid), inner, surface->fn_mcxt);
    inner->fn_expr = surface->fn_expr;
    surface->fn_extra = inner;
  }
  return static_cast<FmgrInfo*>(surface->fn_extra);
}

// Raises the error in flight again as it concerns the caller: its frames from here upwards, no SQL of ours.
// The server's log has the rest.
[[noreturn]] void raise_without_internals(MemoryContext memory) {
  MemoryContextSwitchTo(memory);
  ErrorData* const error = CopyErrorData();
  FlushErrorState();
  if (error->context != nullptr) {
    const char* const detail = error->detail_log != nullptr ? error->detail_log : error->detail;
    error->detail_log =
        psprintf("%s%s%s", detail != nullptr ? detail : "", detail != nullptr ? "\n" : "", error->context);
  }
  error->context = nullptr;
  error->cursorpos = error->internalpos = 0;
  error->internalquery = nullptr;
  ThrowErrorData(error);
  pg_unreachable();
}

}  // namespace

// Calls the function of the same name and arguments in health_internal, which does the work.
HEALTH_FUNCTION(health_surface) {
  MemoryContext const memory = CurrentMemoryContext;
  LOCAL_FCINFO(inner, FUNC_MAX_ARGS);
  InitFunctionCallInfoData(*inner, load_inner_function(fcinfo->flinfo), fcinfo->nargs, fcinfo->fncollation,
                           fcinfo->context, fcinfo->resultinfo);
  for (int i = 0; i < fcinfo->nargs; ++i) inner->args[i] = fcinfo->args[i];
  Datum result = 0;
  PG_TRY();
  { result = FunctionCallInvoke(inner); }
  PG_CATCH();
  { raise_without_internals(memory); }
  PG_END_TRY();
  fcinfo->isnull = inner->isnull;
  return result;
}
