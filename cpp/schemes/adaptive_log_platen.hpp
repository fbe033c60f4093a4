// Platen's scheme in ln x with a state-dependent step (theory_symmetry section 6): what deep networks are integrated with
// unless told otherwise. Their noise has no closed Lamperti map, and Euler's weak order 1 shows in the upper tail.
#pragma once

#include "log_platen.hpp"

ESCAPADE_BEGIN

struct AdaptiveLogPlaten : LogPlaten {
  static constexpr const char* name = "adaptive-log-platen";
  static constexpr const char* summary = "log-platen with steps chosen by the state";
  static constexpr bool adaptive = true;
};

ESCAPADE_END
