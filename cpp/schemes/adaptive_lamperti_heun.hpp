// lamperti-heun whose steps shrink where the drift is steep: the wall of a network's Lamperti coordinate at v = infinity.
#pragma once

#include "lamperti_heun.hpp"

ESCAPADE_BEGIN

struct AdaptiveLampertiHeun : LampertiHeun {
  static constexpr const char* name = "adaptive-lamperti-heun";
  static constexpr const char* summary = "lamperti-heun with steps chosen by the state";
  static constexpr bool adaptive = true;
};

ESCAPADE_END
