// model_problems(), model_inputs(), source_fields() and same_scoring(): what a model document says.
#include "core/document/model.hpp"

#include "core/document/source_kinds.hpp"
#include "row_block.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "funcapi.h"
#include "utils/jsonb.h"
}

using namespace health::pg;

HEALTH_FUNCTION(health_model_problems) {
  InitMaterializedSRF(fcinfo, 0);
  Jsonb* document = PG_GETARG_JSONB_P(0);
  const char* json = JsonbToCString(nullptr, &document->root, static_cast<int>(VARSIZE(document)));
  const RowBlock rows = guarded([&] {
    const auto problems = health::find_model_problems(json);
    RowWriter writer(problems.size(), 3);
    for (const health::Problem& problem : problems) {
      writer.add(problem.path);
      writer.add(problem.problem);
      writer.add_or_null(problem.hint);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

HEALTH_FUNCTION(health_model_inputs) {
  InitMaterializedSRF(fcinfo, 0);
  const health::Model* model = model_argument(fcinfo, 0, 0, "doc");
  const RowBlock rows = guarded([&] {
    RowWriter writer(model->inputs.size(), 7);
    int position = 0;
    for (const int index : model->inputs) {
      const health::Signal& signal = model->signals[static_cast<std::size_t>(index)];
      writer.add(++position);
      writer.add(signal.path);
      writer.add(signal.name);
      // What comes from the ledger is here for its segment only.
      writer.add(health::source_name(signal.is_external() ? signal.source : health::SignalSource::metric));
      writer.add_or_null(signal.source_text);
      writer.add(signal.optional);
      writer.add_or_null(signal.normalize.segment_column);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

HEALTH_FUNCTION(health_model_bands) {
  InitMaterializedSRF(fcinfo, 0);
  const health::Model* model = model_argument(fcinfo, 0, 0, "doc");
  const RowBlock rows = guarded([&] {
    RowWriter writer(model->bands.size(), 2);
    int position = 0;
    for (const health::Band& band : model->bands) {
      writer.add(++position);
      writer.add(band.name);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

HEALTH_FUNCTION(health_source_fields) {
  InitMaterializedSRF(fcinfo, 0);
  const RowBlock rows = guarded([&] {
    std::size_t count = 0;
    for (const health::SourceKind& kind : health::source_kinds()) count += kind.fields.size();
    RowWriter writer(count, 6);
    int position = 0;
    for (const health::SourceKind& kind : health::source_kinds()) {
      for (const health::SourceField& field : kind.fields) {
        writer.add(++position);
        writer.add(kind.name);
        writer.add(field.name);
        writer.add(health::field_type_name(field.type));
        writer.add(field.need == health::FieldNeed::with_account);
        writer.add(kind.dated);
      }
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

// same_scoring(a, b)
HEALTH_FUNCTION(health_same_scoring) {
  const health::Model* a = model_argument(fcinfo, 0, 0, "a");
  const health::Model* b = model_argument(fcinfo, 1, 1, "b");
  PG_RETURN_BOOL(guarded([&] { return *a == *b; }));
}
