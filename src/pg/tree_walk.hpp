// Walking trees of nodes: PostgreSQL 15 declares the walkers without parameters, which means something else
// to C++.
#pragma once

#include "guard.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
}

namespace health::pg {

inline bool walk(Node* node, bool (*walker)(Node*, void*), void* context) {
#if PG_VERSION_NUM >= 160000
  return expression_tree_walker(node, walker, context);
#else
  return expression_tree_walker(node, reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(walker)),
                                context);
#endif
}

inline bool walk_query(Query* query, bool (*walker)(Node*, void*), void* context) {
#if PG_VERSION_NUM >= 160000
  return query_tree_walker(query, walker, context, 0);
#else
  return query_tree_walker(query, reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(walker)), context,
                           0);
#endif
}

}  // namespace health::pg
