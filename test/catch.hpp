// Catch2 in either of its shapes: one header in version 2 (Debian 12), a library in version 3 (Debian 13 on).
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
