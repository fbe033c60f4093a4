// Motion in the symmetric double well V(x) = h (x^2 - 1)^2 driven by a symmetric alpha-stable process.
#pragma once

#include "common/stable_noise.hpp"

ESCAPADE_BEGIN

struct StableDoubleWell {
  static constexpr const char* name = "StableDoubleWell";
  static constexpr const char* equation = "dx = -4 h x (x^2 - 1) dt + eps dL^alpha";
  static constexpr const char* source = "Imkeller and Pavlyukevich 2006";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      positive("h", 1.0, "energy", "height of the barrier at x = 0; minima at x = -1 and 1"),
      nonnegative("eps", 0.1, "x/time^(1/alpha)", "noise strength"),
      stability_index("alpha", 1.5),
  };
  static Shape shape(const double* p) { return stable_shape(p[2]); }

  template <class R> struct Physical {
    double stability;
    R four_h, eps;
    explicit Physical(const double* p) : stability(p[2]), four_h(R(4 * p[0])), eps(R(p[1])) {}
    template <class V> ESCAPADE_HD V drift(V x) const { return (four_h * x) * fma(-x, x, V(R(1))); }
    template <class V> ESCAPADE_HD V diffusion(V) const { return V(eps); }
    // 1/x^2 obeys a linear equation. Jumps take particles so far out that x^2 overflows: from there by 1/x.
    template <class V> ESCAPADE_HD V flow_drift(V x, V t) const {
      const V time = R(2) * four_h * t, decay = exp(-time), rest = -expm1(-time);
      const auto far = abs(x) > R(1);
      const V inverse = R(1) / x;
      const V root = sqrt(select(far, fma(decay * inverse, inverse, rest), fma(x * x, rest, decay)));
      return select(far, copysign(V(R(1)), x), x) / root;
    }
    template <class V> ESCAPADE_HD V flow_noise(V x, V dl, V) const { return fma(eps, dl, x); }
  };
};

ESCAPADE_END
