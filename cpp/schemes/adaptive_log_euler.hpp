// log-euler with a state-dependent step (theory_symmetry section 6).
#pragma once

#include "log_euler.hpp"

ESCAPADE_BEGIN

struct AdaptiveLogEuler : LogEuler {
  static constexpr const char* name = "adaptive-log-euler";
  static constexpr const char* summary = "Euler-Maruyama in ln x with steps chosen by the state";
  static constexpr bool adaptive = true;
};

ESCAPADE_END
