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
  static constexpr bool adaptive = false;

  template <class View, class V, class H> static ESCAPADE_HD V step(const View& m, V x, V dw, H h) {
    return fma(m.diffusion(x), dw, fma(m.drift(x), V(h), x));
  }
};

ESCAPADE_END
