// The exact law of a step, whatever its length: no discretisation error. By the view's `exact_step`, where it has a formula,
// or by rejection, algorithm EA1 of Beskos, Papaspiliopoulos and Roberts 2006, for
//   dy = f(y) dt + dW,   f = -U' with U convex and (f^2 + f')/2 = rate (1 - survival(y)) + constant, 0 <= survival <= 1.
// A step from y over h is
//   1. proposed:  y' = y + f(y) h + sqrt(h) z;
//   2. accepted with probability exp(-(U(y') - U(y) + f(y) (y' - y))) <= 1;
//   3. accepted if every point of a Poisson process of that rate survives, with probability survival(b), where b is the
//      Brownian bridge from y to y' at that time;
// and proposed anew if it fails. The view offers `potential` = U, `survival` and `killing_rate`.
//
// A step follows no Wiener path, so there is no strong order. See engine/advance_rejection.hpp for how particles that are
// proposed anew are kept together.
#pragma once

#include "scheme.hpp"

ESCAPADE_BEGIN

template <class View> constexpr bool has_exact_step = requires(View m, double x) { m.exact_step(x, x, x); };
template <class View> constexpr bool has_survival = requires(View m, double x) { m.potential(m.survival(x)); };

struct Exact {
  static constexpr const char* name = "exact";
  static constexpr const char* summary = "the exact law of a step of any length, by a formula or by rejection (EA1)";
  static constexpr Coordinate coordinate = Coordinate::lamperti;
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr double strong_order = 0, strong_order_additive = 0;
  static constexpr double weak_order = unbounded, weak_order_additive = unbounded;
  static constexpr int normals = 1;
  static constexpr bool adaptive = false, jumps = true, exact = true;
  template <class View> static constexpr bool fits() { return has_exact_step<View> || has_survival<View>; }

  template <class View, class V, class H> static ESCAPADE_HD V step(const View& m, V y, V dw, H h) {
    return m.exact_step(y, dw, h);
  }
};

ESCAPADE_END
