// Platen's derivative-free scheme of weak order 2 for scalar noise (Kloeden and Platen 1992, eq. 15.1.1). Its noise terms
// agree with Milstein's to their order, so with Gaussian increments it has strong order 1.
#pragma once

#include "scheme.hpp"

ESCAPADE_BEGIN

struct Platen {
  static constexpr const char* name = "platen";
  static constexpr const char* summary = "explicit weak order 2, three supporting values, no derivatives";
  static constexpr Coordinate coordinate = Coordinate::physical;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr double strong_order = 1, strong_order_additive = 1;
  static constexpr double weak_order = 2, weak_order_additive = 2;
  static constexpr int normals = 1;
  static constexpr bool adaptive = false;

  template <class View, class V, class H> static ESCAPADE_HD V step(const View& m, V x, V dw, H h) {
    return step_from(m, coefficients(m, x), x, dw, h);
  }
  template <class View, class V, class H>
  static ESCAPADE_HD V step_from(const View& m, const Coefficients<V>& at, V x, V dw, H h) {
    using R = Lane<V>;
    const V hv = V(h), root = sqrt(hv), a = at.drift, b = at.diffusion;
    const V ahead = fma(a, hv, x);
    const V up = m.diffusion(fma(b, root, ahead)), down = m.diffusion(fma(-b, root, ahead));
    const V drift = R(0.5) * (a + m.drift(fma(b, dw, ahead)));
    const V noise = R(0.25) * (up + down + (b + b));
    // a substep of no length adds nothing; h and dW are 0 there, and the quotient must not be nan
    const V bend = R(0.25) * (up - down) * (fma(dw, dw, -hv) / max(root, V(R(1e-30))));
    return fma(noise, dw, fma(drift, hv, x + bend));
  }

  // States of several numbers that share one Wiener process (the same equation, in vector form).
  static constexpr int work = 5;
  template <class View> static constexpr bool takes = has_scalar_noise<View>;
  template <class View, class V, class W, class H>
  static ESCAPADE_HD void step(const View& m, V* x, const W& dw, H h, V* work) {
    using R = Lane<V>;
    const int n = planes_of(m);
    V *ahead = work, *noise = work + n, *sum = work + 2 * n, *other = work + 3 * n, *guess = work + 4 * n;
    V* const temporary = work + 5 * n;
    const V hv = V(h), root = sqrt(hv), w = dw(0), nothing = V(R(0));
    const OneIncrement<V> unit{V(R(1))}, still{nothing};
    auto move = [&](const V* from, const OneIncrement<V>& by, V time, V* dx) {
      m.increment(m.evaluate(from, temporary), from, by, time, dx, temporary);
    };
    move(x, still, hv, ahead);      // a h
    move(x, unit, nothing, noise);  // b
    for (int k = 0; k < n; ++k) {
      sum[k] = fma(R(0.5), ahead[k], R(0.5) * noise[k] * w);
      ahead[k] = x[k] + ahead[k];
      guess[k] = fma(noise[k], w, ahead[k]);
    }
    move(guess, still, hv, other);
    for (int k = 0; k < n; ++k) {
      sum[k] = fma(R(0.5), other[k], sum[k]);
      guess[k] = fma(noise[k], root, ahead[k]);
    }
    // a substep of no length adds nothing; h and dW are 0 there, and the quotient must not be nan
    const V bend = R(0.25) * (fma(w, w, -hv) / max(root, V(R(1e-30)))), quarter = R(0.25) * w;
    move(guess, unit, nothing, other);
    for (int k = 0; k < n; ++k) {
      sum[k] = fma(quarter + bend, other[k], sum[k]);
      guess[k] = fma(-noise[k], root, ahead[k]);
    }
    move(guess, unit, nothing, other);
    for (int k = 0; k < n; ++k) x[k] = x[k] + fma(quarter - bend, other[k], sum[k]);
  }
};

ESCAPADE_END
