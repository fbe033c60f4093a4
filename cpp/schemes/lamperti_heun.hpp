// Heun's rule for additive noise in the Lamperti coordinate, y' = y + (f(y) + f(y + f h + dW)) h/2 + dW: weak order 2 from
// one normal per step (Milstein and Tretyakov 2004, section 2.1).
#pragma once

#include "scheme.hpp"

ESCAPADE_BEGIN

struct LampertiHeun {
  static constexpr const char* name = "lamperti-heun";
  static constexpr const char* summary = "Heun's rule in the coordinate where the noise is 1";
  static constexpr Coordinate coordinate = Coordinate::lamperti;
  static constexpr Calculus calculus = Calculus::ito;  // unit noise: both calculi agree
  static constexpr double strong_order = 1, strong_order_additive = 1;
  static constexpr double weak_order = 2, weak_order_additive = 2;
  static constexpr int normals = 1;
  static constexpr bool adaptive = false;

  template <class View, class V, class H> static ESCAPADE_HD V step(const View& m, V y, V dw, H h) {
    return step_from(m, coefficients(m, y), y, dw, h);
  }
  template <class View, class V, class H>
  static ESCAPADE_HD V step_from(const View& m, const Coefficients<V>& at, V y, V dw, H h) {
    using R = Lane<V>;
    V f = at.drift, moved = y + dw, g;
    // At a wall the drift grows without bound while no path gets further from it than some sqrt(h) in a step: a predictor
    // that lands beside or behind the wall must not throw the particle. The bound is out of reach elsewhere once h is small.
    if constexpr (requires { m.fold(y); }) {
      const V bound = R(4) / sqrt(V(h));
      f = max(min(f, bound), -bound);
      g = max(min(m.drift(m.fold(fma(f, V(h), moved))), bound), -bound);
    } else {
      g = m.drift(fma(f, V(h), moved));
    }
    return fma(f + g, V(R(0.5) * h), moved);
  }
};

ESCAPADE_END
