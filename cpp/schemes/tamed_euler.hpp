// Tamed Euler: the drift of a step is bounded by 1, a/(1 + h |a|), so that superlinear drift cannot throw a particle
// (Hutzenthaler, Jentzen, Kloeden 2012). Large drifts are under-estimated by O(h |a|).
#pragma once

#include "scheme.hpp"

ESCAPADE_BEGIN

struct TamedEuler {
  static constexpr const char* name = "tamed-euler";
  static constexpr const char* summary = "x + a h/(1 + h |a|) + b dW";
  static constexpr Coordinate coordinate = Coordinate::physical;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr double strong_order = 0.5, strong_order_additive = 1;
  static constexpr double weak_order = 1, weak_order_additive = 1;
  static constexpr int normals = 1;
  static constexpr bool adaptive = false, jumps = true;

  template <class View, class V, class H> static ESCAPADE_HD V step(const View& m, V x, V dw, H h) {
    using R = Lane<V>;
    V ah = m.drift(x) * V(h);
    return fma(m.diffusion(x), dw, x + ah / (R(1) + abs(ah)));
  }
};

ESCAPADE_END
