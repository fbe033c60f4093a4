// SGD in the symmetric quartic well L(x) = h (x^2 - 1)^2 with a noise that depends on the loss
// (arXiv:2105.09557, section 4).
#pragma once

#include "model.hpp"

ESCAPADE_BEGIN

struct LossCoupledWell {
  static constexpr const char* name = "LossCoupledWell";
  static constexpr const char* equation =
      "dx = -4 h x (x^2 - 1) dt + sqrt(eta C(x)) dW, C = sigma_g + sigma_H (x^2 - 1)^2 / 4";
  static constexpr const char* source = "Mori, Ziyin, Liu, Ueda 2021 (arXiv 2105.09557)";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      positive("h", 1.0, "x^2/time", "height of the barrier at x = 0; minima at x = -1 and 1, of curvature 8 h"),
      nonnegative("sigma_g", 0.1, "x^2/time^2", "variance of the minibatch gradient at the minima"),
      nonnegative("sigma_H", 2.0, "1/time^2", "variance of the minibatch curvature there"),
      positive("eta", 1.0, "time", "learning rate"),
  };

  template <class R> struct Physical {
    R four_h, es, eh4, eh2;  // eta times sigma_g, sigma_H / 4, sigma_H / 2
    explicit Physical(const double* p)
        : four_h(R(4 * p[0])), es(R(p[3] * p[1])), eh4(R(0.25 * p[3] * p[2])), eh2(R(0.5 * p[3] * p[2])) {}
    template <class V> ESCAPADE_HD V drift(V x) const { return (four_h * x) * fma(-x, x, V(R(1))); }
    template <class V> ESCAPADE_HD V diffusion(V x) const {
      const V s = fma(x, x, V(R(-1)));
      return sqrt(fma(eh4 * s, s, V(es)));
    }
    template <class V> ESCAPADE_HD V diffusion_gradient(V x) const { return (eh2 * x) * fma(x, x, V(R(-1))); }
  };
};

ESCAPADE_END
