// LossCoupledWell with directions across it: a quartic well along x_1, parabolas along the others, isotropic noise that
// depends on the loss (arXiv:2105.09557, section 4).
#pragma once

#include "common/loss_noise.hpp"

ESCAPADE_BEGIN

struct LossCoupledWellNd {
  static constexpr const char* name = "LossCoupledWellND";
  static constexpr const char* equation =
      "dx = -grad L dt + sqrt(eta (sigma_g + sigma_H L / (4 h))) dW, "
      "L = h (x_1^2 - 1)^2 + (k/2) sum_(j>1) (x_j - bend (x_1^2 - 1))^2, a Wiener process for each number";
  static constexpr const char* source = "Mori, Ziyin, Liu, Ueda 2021 (arXiv 2105.09557)";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      count("dim", 2, 1, "numbers of a particle"),
      positive("h", 1.0, "x^2/time", "height of the barrier at x_1 = 0"),
      positive("k", 8.0, "1/time", "curvature across"),
      real("bend", 0.0, "1/x", "how far the valley is bent"),
      nonnegative("sigma_g", 0.1, "x^2/time^2", "variance of each number of the gradient at the minima"),
      nonnegative("sigma_H", 2.0, "1/time^2", "variance of the minibatch curvature there"),
      positive("eta", 1.0, "time", "learning rate"),
  };
  static Shape shape(const double* p) { return {int(p[0]), int(p[0]), int(p[0]), Draw::increments}; }
  static const char* check(const double* p) { return p[0] <= 1 << 18 ? nullptr : "dim must be <= 262144"; }

  static LossNoiseNumbers numbers(const double* p) {
    return {int(p[0]), true, false, 0.0, p[2], p[1], p[3], p[6] * p[4], p[6] * p[5] / (4 * p[1])};
  }
  template <class R> struct Physical : LossNoise<R, 0, true, false> {
    LossNoiseNumbers n;
    explicit Physical(const double* p) : LossNoise<R, 0, true, false>(numbers(p)), n(numbers(p)) {}
    template <class F> void specialise(F f) const {
      if (n.dim == 2) f(LossNoise<R, 2, true, false>(n));
      else f(static_cast<const LossNoise<R, 0, true, false>&>(*this));
    }
  };
};

ESCAPADE_END
