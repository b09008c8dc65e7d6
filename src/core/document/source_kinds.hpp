// The kinds of sources of a model, a description each: validation, compilation, capture and the tracking plan
// go by it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace health {

// What a field of a source may be.
enum class FieldType : std::uint8_t {
  any,        // a column or expression of any type
  id,         // an id or a name: something with a text of its own
  time,       // a date or timestamp
  number,     //
  condition,  // an SQL condition
  choice,     // one of a few words
  zone        // the name of a time zone
};
std::string_view field_type_name(FieldType type);

enum class FieldNeed : std::uint8_t {
  optional,
  always,
  unless_users_tell,  // needed unless the user source says which account a user belongs to
  with_account        // optional, and only where the source has an account
};

struct SourceField {
  std::string_view name;
  FieldType type = FieldType::any;
  FieldNeed need = FieldNeed::optional;
};

struct SourceKind {
  std::string_view name;  // the key of the document
  bool required = false;
  bool several = false;     // one object or an array of them
  bool named = false;       // an object of them by their names
  bool attributes = false;  // has "columns": attributes with names of their own
  bool dated = false;       // its expressions see the model's as_of
  std::span<const SourceField> fields;
  const char* example = "";  // said when the source is missing
};

std::span<const SourceKind> source_kinds();

}  // namespace health
