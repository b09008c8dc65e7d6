// What is wrong in a document.
#pragma once

#include <string>

namespace health {

// Something wrong in a document: where, what, and what would be right.
struct Problem {
  std::string path;
  std::string problem;
  std::string hint;
};

}  // namespace health
