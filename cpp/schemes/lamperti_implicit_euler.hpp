// Drift-implicit Euler where the noise is 1: y' = y + h f(y') + dW (Alfonsi 2013; Neuenkirch and Szpruch 2014;
// theory_symmetry section 6). A drift that grows without bound towards a wall, as that of a network at v = infinity, cannot
// throw a particle over it, whatever the step.
//
// The equation y' - h f(y') = r has one root, found to rounding, if h sup f' < 7/8. sup f' is at most 0 for
// OrnsteinUhlenbeck, GeometricBrownianMotion, networks of binary data and PowerLaw with rho = 0; it is 4 h for DoubleWell (h
// its barrier). For a network of data gauss(1, 1) it is 0 up to T = 0.05, then 0.06, 0.36, 0.74, 1.6 at T = 0.1, 0.2, 0.3,
// 0.5. Beyond that bound the iteration still ends, but which root it finds, and how well, is not said.
#pragma once

#include "scheme.hpp"

ESCAPADE_BEGIN

struct LampertiImplicitEuler {
  static constexpr const char* name = "lamperti-implicit-euler";
  static constexpr const char* summary = "y + f(y') h + dW where the noise is 1: for large steps and steep drift";
  static constexpr Coordinate coordinate = Coordinate::lamperti;
  static constexpr Calculus calculus = Calculus::ito;  // unit noise: both calculi agree
  static constexpr double strong_order = 1, strong_order_additive = 1;
  static constexpr double weak_order = 1, weak_order_additive = 1;
  static constexpr int normals = 1;
  static constexpr bool adaptive = false;
  template <class View> static constexpr bool fits() {
    return requires(View m, double y) { m.slope(y); };
  }

  // Newton's iteration, kept in the bracket that the signs seen so far give. A lane stops when a move is so small that the
  // next one would be below rounding, and keeps its state while others go on: results do not depend on neighbours.
  static constexpr int most_moves = 64;
  template <class View, class V, class H> static ESCAPADE_HD V step(const View& m, V y, V dw, H h) {
    using R = Lane<V>;
    const R exact = sizeof(R) == 4 ? R(1.2e-7) : R(2.3e-16), close = sizeof(R) == 4 ? R(0x1p-14) : R(0x1p-28);
    const V hv = V(h), target = y + dw, near = close * sqrt(hv);
    V low = V(-infinity<R>()), high = V(infinity<R>()), at = y;
    if constexpr (requires { m.wall; }) high = V(m.wall), at = min(high - near, y);
    auto active = at == at;
    for (int i = 0; i < most_moves && any(active); ++i) {
      const Drift<V> f = m.slope(at);
      const V miss = at - target - hv * f.value;
      low = select(miss < R(0), at, low), high = select(miss < R(0), high, at);
      V next = at - miss / max(R(1) - hv * f.slope, V(R(0.125)));
      // a move out of the bracket goes to its middle; both ends are finite by then, as moves go down hill
      const V middle = R(0.5) * (low + high);
      next = select((next >= low) & (next <= high), next, middle);
      next = select(active, next, at);
      active = active & (abs(next - at) > max(near, R(4) * exact * abs(next)));
      at = next;
    }
    return at;
  }
};

ESCAPADE_END
