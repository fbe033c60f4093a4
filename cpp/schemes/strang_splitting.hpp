// Strang splitting into flows that are known exactly: half of the drift's, the noise's, half of the drift's (Strang 1968;
// for SDEs Misawa 2001). What both flows conserve, such as a sign, the scheme conserves.
#pragma once

#include "scheme.hpp"

ESCAPADE_BEGIN

struct StrangSplitting {
  static constexpr const char* name = "strang-splitting";
  static constexpr const char* summary =
      "half the flow of the drift, the flow of the noise, half that of the drift: all exact";
  static constexpr Coordinate coordinate = Coordinate::physical;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr double strong_order = 1, strong_order_additive = 1;
  static constexpr double weak_order = 2, weak_order_additive = 2;
  static constexpr int normals = 1;
  static constexpr bool adaptive = false, jumps = true;
  template <class View> static constexpr bool fits() {
    return requires(View m, double x) { m.flow_noise(m.flow_drift(x, x), x, x); };
  }

  template <class View, class V, class H> static ESCAPADE_HD V step(const View& m, V x, V dw, H h) {
    using R = Lane<V>;
    const V half = V(R(0.5) * h);
    return m.flow_drift(m.flow_noise(m.flow_drift(x, half), dw, V(h)), half);
  }
};

ESCAPADE_END
