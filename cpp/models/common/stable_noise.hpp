// What models driven by symmetric alpha-stable noise share: E exp(i k L_t) = exp(-t |k|^alpha), so that eps L at alpha = 2
// is a Wiener process of strength sqrt(2) eps.
#pragma once

#include "../model.hpp"

ESCAPADE_BEGIN

constexpr Parameter stability_index(const char* name, double fallback) {
  return {name, fallback, 0, 2, true, false, false, "1", "index of stability: 1 Cauchy, 2 normal noise of variance 2 dt"};
}

// A stable number takes two words.
inline Shape stable_shape(double alpha) { return {1, 1, 2, Draw::stable, alpha}; }

ESCAPADE_END
