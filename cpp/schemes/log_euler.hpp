// Euler-Maruyama for z = ln x. With a fixed step, noise that grows with x throws paths towards x = 0: false collapse, which
// looks like physics (theory_symmetry section 6). The adaptive variant is the scheme to use; the fixed one is kept to show
// why.
#pragma once

#include "scheme.hpp"

ESCAPADE_BEGIN

struct LogEuler {
  static constexpr const char* name = "log-euler";
  static constexpr const char* summary = "Euler-Maruyama in ln x with a fixed step: prone to false collapse";
  static constexpr Coordinate coordinate = Coordinate::log;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr double strong_order = 0.5, strong_order_additive = 1;
  static constexpr double weak_order = 1, weak_order_additive = 1;
  static constexpr int normals = 1;
  static constexpr bool adaptive = false;

  template <class View, class V, class H> static ESCAPADE_HD V step(const View& m, V z, V dw, H h) {
    return step_from(m, coefficients(m, z), z, dw, h);
  }
  template <class View, class V, class H>
  static ESCAPADE_HD V step_from(const View&, const Coefficients<V>& at, V z, V dw, H h) {
    return fma(at.diffusion, dw, fma(at.drift, V(h), z));
  }
};

ESCAPADE_END
