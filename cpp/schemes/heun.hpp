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

  static constexpr int work = 3;
  template <class View> static constexpr bool takes = has_scalar_noise<View>;
  template <class View, class V, class W, class H>
  static ESCAPADE_HD void step(const View& m, V* x, const W& dw, H h, V* work) {
    using R = Lane<V>;
    const int n = planes_of(m);
    V *first = work, *second = work + n, *guess = work + 2 * n, *temporary = work + 3 * n;
    const OneIncrement<V> w{dw(0)};
    auto move = [&](const V* from, V* dx) {  // with the Stratonovich drift
      const auto at = m.evaluate(from, temporary);
      m.increment(at, from, w, V(h), dx, temporary);
      m.add_correction(at, from, temporary, R(-0.5) * V(h), dx);
    };
    move(x, first);
    for (int k = 0; k < n; ++k) guess[k] = x[k] + first[k];
    move(guess, second);
    for (int k = 0; k < n; ++k) x[k] = fma(R(0.5), first[k] + second[k], x[k]);
  }
};

ESCAPADE_END
