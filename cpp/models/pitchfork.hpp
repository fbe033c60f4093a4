// Stochastic pitchfork: a direction z that mirror symmetry lets SGD collapse, dz = (mu z - b z^3) dt + sigma z dW (Ito).
#pragma once

#include "model.hpp"

ESCAPADE_BEGIN

struct Pitchfork {
  static constexpr const char* name = "Pitchfork";
  static constexpr const char* equation = "dz = (mu z - b z^3) dt + sigma z dW";
  static constexpr const char* source = "Ziyin 2024 (arXiv 2309.16932), mirror symmetry";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      real("mu", 1.0, "1/time", "linear growth rate; the process collapses to 0 iff mu <= sigma^2/2"),
      nonnegative("b", 1.0, "1/(z^2 time)", "cubic saturation; 0 leaves linear multiplicative noise"),
      nonnegative("sigma", 0.5, "1/sqrt(time)", "relative noise strength"),
  };

  template <class R> struct Physical {
    R mu, b, sigma, sigma2, growth;
    explicit Physical(const double* p)
        : mu(R(p[0])), b(R(p[1])), sigma(R(p[2])), sigma2(R(p[2] * p[2])), growth(R(p[0] - 0.5 * p[2] * p[2])) {}
    template <class V> ESCAPADE_HD V drift(V z) const { return z * fma(-b * z, z, V(mu)); }
    template <class V> ESCAPADE_HD V diffusion(V z) const { return sigma * z; }
    template <class V> ESCAPADE_HD V diffusion_gradient(V z) const { return sigma2 * z; }
    // the cubic term alone, and all that is linear: both conserve the sign (theory_symmetry C2 (ii))
    template <class V> ESCAPADE_HD V flow_drift(V z, V t) const { return z / sqrt(fma((b + b) * t * z, z, V(R(1)))); }
    template <class V> ESCAPADE_HD V flow_noise(V z, V dw, V h) const { return z * exp(fma(sigma, dw, growth * h)); }
  };

  // y = ln z for z > 0, where a collapse to 1e-300 and below stays a number. The equation is odd: negative z is the mirror
  // image, and has no logarithm here.
  template <class R> struct Log {
    R growth, b, sigma, sigma2, rate_scale, reach = R(1);
    explicit Log(const double* p)
        : growth(R(p[0] - 0.5 * p[2] * p[2])),
          b(R(p[1])),
          sigma(R(p[2])),
          sigma2(R(p[2] * p[2])),
          // whole steps up to b z^2 of some 5 mu: beyond the bulk of the law, and before a step is longer than the way back
          rate_scale(R(1 + 4 * abs(p[0]) + 5 * p[2] * p[2])) {}
    template <class V> ESCAPADE_HD Coefficients<V> coefficients(V y) const {
      const V z = exp(y), a = growth - b * z * z;
      return {a, V(sigma), R(1) + abs(a) + sigma2};
    }
    template <class V> ESCAPADE_HD V drift(V y) const { return coefficients(y).drift; }
    template <class V> ESCAPADE_HD V diffusion(V) const { return V(sigma); }
    template <class V> ESCAPADE_HD V diffusion_gradient(V) const { return V(R(0)); }
    template <class V> ESCAPADE_HD V to_physical(V y) const { return exp(y); }
    template <class V> ESCAPADE_HD V from_physical(V z) const { return log(z); }
    template <class V> ESCAPADE_HD V to_log(V y) const { return y; }
    template <class V> ESCAPADE_HD V from_log(V y) const { return y; }
  };
};

ESCAPADE_END
