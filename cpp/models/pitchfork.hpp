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
      nonnegative("b", 1.0, "1/(z^2 time)", "cubic saturation"),
      nonnegative("sigma", 0.5, "1/sqrt(time)", "relative noise strength"),
  };

  template <class R> struct Physical {
    R mu, b, sigma, sigma2;
    explicit Physical(const double* p) : mu(R(p[0])), b(R(p[1])), sigma(R(p[2])), sigma2(R(p[2] * p[2])) {}
    template <class V> ESCAPADE_HD V drift(V z) const { return z * fma(-b * z, z, V(mu)); }
    template <class V> ESCAPADE_HD V diffusion(V z) const { return sigma * z; }
    template <class V> ESCAPADE_HD V diffusion_gradient(V z) const { return sigma2 * z; }
  };
};

ESCAPADE_END
