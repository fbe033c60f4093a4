// Euler-Maruyama: x' = x + a h + b dW (Maruyama 1955; Kloeden and Platen 1992, section 10.2).
#pragma once

#include "scheme.hpp"

ESCAPADE_BEGIN

struct EulerMaruyama {
  static constexpr const char* name = "euler-maruyama";
  static constexpr const char* summary = "x + a h + b dW";
  static constexpr Coordinate coordinate = Coordinate::physical;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr double strong_order = 0.5, strong_order_additive = 1;
  static constexpr double weak_order = 1, weak_order_additive = 1;
  static constexpr int normals = 1;
  static constexpr bool adaptive = false, jumps = true;

  template <class View, class V, class H> static ESCAPADE_HD V step(const View& m, V x, V dw, H h) {
    return fma(m.diffusion(x), dw, fma(m.drift(x), V(h), x));
  }

  // States of several numbers, any noise; work holds `work` arrays of the state's length, then the view's temporaries.
  static constexpr int work = 1;
  template <class View> static constexpr bool takes = is_vector<View>;
  template <class View, class V, class W, class H>
  static ESCAPADE_HD void step(const View& m, V* x, const W& dw, H h, V* work) {
    const int n = planes_of(m);
    V *dx = work, *temporary = work + n;
    if constexpr (requires { m.euler(x, dw, V(h), dx, temporary); }) {
      m.euler(x, dw, V(h), dx, temporary);
    } else {
      m.increment(m.evaluate(x, temporary), x, dw, V(h), dx, temporary);
      for (int k = 0; k < n; ++k) x[k] = x[k] + dx[k];
    }
  }
};

ESCAPADE_END
