// Milstein with a state-dependent step, for networks in the space of their parameters (theory section 6).
#pragma once

#include "milstein.hpp"

ESCAPADE_BEGIN

struct AdaptiveMilstein : Milstein {
  static constexpr const char* name = "adaptive-milstein";
  static constexpr const char* summary = "milstein with steps chosen by the state";
  static constexpr bool adaptive = true, vector_only = true;
  template <class View> static constexpr bool takes = has_scalar_noise<View> && requires(View v) { v.rate_scale; };
};

ESCAPADE_END
