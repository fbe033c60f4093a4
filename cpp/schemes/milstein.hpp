// Milstein: Euler-Maruyama plus b b' (dW^2 - h) / 2 (Milstein 1974; Kloeden and Platen 1992, section 10.3).
#pragma once

#include "scheme.hpp"

ESCAPADE_BEGIN

struct Milstein {
  static constexpr const char* name = "milstein";
  static constexpr const char* summary = "x + a h + b dW + b b' (dW^2 - h)/2";
  static constexpr Coordinate coordinate = Coordinate::physical;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr double strong_order = 1, strong_order_additive = 1;
  static constexpr double weak_order = 1, weak_order_additive = 1;
  static constexpr int normals = 1;
  static constexpr bool adaptive = false;

  template <class View, class V, class H> static ESCAPADE_HD V step(const View& m, V x, V dw, H h) {
    using R = Lane<V>;
    V correction = R(0.5) * m.diffusion_gradient(x) * fma(dw, dw, -V(h));
    return fma(m.diffusion(x), dw, fma(m.drift(x), V(h), x + correction));
  }

  // States of several numbers that share one Wiener process: the noise commutes.
  static constexpr int work = 1;
  template <class View> static constexpr bool takes = has_scalar_noise<View>;
  template <class View, class V, class W, class H>
  static ESCAPADE_HD void step(const View& m, V* x, const W& dw, H h, V* work) {
    step_from(m, m.evaluate(x, work + planes_of(m)), x, dw, h, work);
  }
  // the same where the view has been evaluated, with its temporaries where `step` has them
  template <class View, class P, class V, class W, class H>
  static ESCAPADE_HD void step_from(const View& m, const P& at, V* x, const W& dw, H h, V* work) {
    using R = Lane<V>;
    const int n = planes_of(m);
    V *dx = work, *temporary = work + n;
    const V w = dw(0);
    m.increment(at, x, OneIncrement<V>{w}, V(h), dx, temporary);
    m.add_correction(at, x, temporary, R(0.5) * fma(w, w, -V(h)), dx);
    for (int k = 0; k < n; ++k) x[k] = x[k] + dx[k];
  }
};

ESCAPADE_END
