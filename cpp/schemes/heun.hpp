// Stochastic Heun: trapezoidal rule for drift and noise, converges to the Stratonovich solution (Rumelin 1982). An Ito model
// is stepped with its Stratonovich drift a - b b'/2, so that the result is the Ito process all the same.
#pragma once

#include "scheme.hpp"

ESCAPADE_BEGIN

struct Heun {
  static constexpr const char* name = "heun";
  static constexpr const char* summary = "trapezoidal rule with predictor, Stratonovich; Ito drift converted exactly";
  static constexpr Coordinate coordinate = Coordinate::physical;
  static constexpr Calculus calculus = Calculus::stratonovich;
  static constexpr double strong_order = 1, strong_order_additive = 1;
  static constexpr double weak_order = 1, weak_order_additive = 2;
  static constexpr int normals = 1;
  static constexpr bool adaptive = false;

  template <class View, class V, class H> static ESCAPADE_HD V step(const View& m, V x, V dw, H h) {
    using R = Lane<V>;
    V a = stratonovich_drift(m, x), b = m.diffusion(x);
    V guess = fma(b, dw, fma(a, V(h), x));
    V drift = R(0.5) * (a + stratonovich_drift(m, guess)), noise = R(0.5) * (b + m.diffusion(guess));
    return fma(noise, dw, fma(drift, V(h), x));
  }
};

ESCAPADE_END
