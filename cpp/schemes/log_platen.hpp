// Platen's scheme in ln x with a fixed step: where the noise of ln x is bounded, and the control of adaptive-log-platen.
#pragma once

#include "platen.hpp"

ESCAPADE_BEGIN

struct LogPlaten : Platen {
  static constexpr const char* name = "log-platen";
  static constexpr const char* summary = "platen in ln x with a fixed step";
  static constexpr Coordinate coordinate = Coordinate::log;
};

ESCAPADE_END
