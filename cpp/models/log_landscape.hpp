// SGD whose noise is proportional to the loss, in physical time or in the random time in which it descends ln L with a
// constant noise (arXiv:2105.09557, sections 3 and 4).
#pragma once

#include "common/loss_noise.hpp"

ESCAPADE_BEGIN

struct LogLandscape {
  static constexpr const char* name = "LogLandscape";
  static constexpr const char* equation =
      "dx = -grad ln L d tau + sqrt(2 eta h / batch) dW, dt = d tau / L (clock 0); "
      "dx = -grad L dt + sqrt(2 eta h L / batch) dW (clock 1)";
  static constexpr const char* source = "Mori, Ziyin, Liu, Ueda 2021 (arXiv 2105.09557)";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      count("dim", 1, 1, "n: numbers of a particle"),
      choice("well", 0, 1, "0: L = L0 + (h/2) |x|^2; 1: L = L0 + (h/8) (x_1^2 - 1)^2 + (h/2) sum_(j>1) x_j^2"),
      choice("clock", 0, 1, "0: random time, physical time is carried along; 1: physical time"),
      positive("h", 1.0, "1/time", "curvature of the loss at its minimum"),
      positive("L0", 1.0, "x^2/time", "loss at the minimum"),
      positive("eta", 0.1, "time", "learning rate"),
      count("batch", 1, 1, "size of a minibatch"),
  };
  static bool random_time(const double* p) { return p[2] == 0; }
  static Shape shape(const double* p) {
    const int dim = int(p[0]);
    return {dim, dim + random_time(p), dim, Draw::increments};
  }
  static const char* check(const double* p) { return p[0] <= 1 << 18 ? nullptr : "dim must be <= 262144"; }

  static LossNoiseNumbers numbers(const double* p) {
    return {int(p[0]), p[1] > 0, random_time(p), p[4], p[3], p[3] / 8, 0.0, 0.0, 2 * p[5] * p[3] / p[6]};
  }
  template <class R> struct Physical : LossNoise<R, 0, false, false> {
    LossNoiseNumbers n;
    explicit Physical(const double* p) : LossNoise<R, 0, false, false>(numbers(p)), n(numbers(p)) {
      this->planes = n.dim + n.random_time;
    }
    template <class F> void specialise(F f) const {
      if (n.well && n.random_time) sized<true, true>(f);
      else if (n.well) sized<true, false>(f);
      else if (n.random_time) sized<false, true>(f);
      else sized<false, false>(f);
    }
    template <bool Well, bool RandomTime, class F> void sized(F f) const {
      if (n.dim == 1) f(LossNoise<R, 1, Well, RandomTime>(n));
      else f(LossNoise<R, 0, Well, RandomTime>(n));
    }
  };
};

ESCAPADE_END
