// A loss of the direction of a vector in the plane, trained by SGD on minibatches (theory B2): x1 cos(phi) + x2 sin(phi)
// with x ~ N((-kappa, 0), s^2).
#pragma once

#include "common/minibatch.hpp"

ESCAPADE_BEGIN

struct ScaleInvariantSgd {
  static constexpr const char* name = "ScaleInvariantSGD";
  static constexpr const char* equation =
      "theta -= eta [(x2 cos(phi) - x1 sin(phi)) e_phi / r + 2 gamma theta], x the mean over S samples, "
      "theta = r (cos phi, sin phi)";
  static constexpr const char* source = "Ziyin, Wang, Li, Wu 2024 (NeurIPS; arXiv 2402.07193), scale symmetry";
  static constexpr Calculus calculus = Calculus::discrete;
  static constexpr Parameter parameters[] = {
      nonnegative("kappa", 1.0, "loss", "depth of the loss -kappa cos(phi)"),
      nonnegative("s", 1.0, "loss", "standard deviation of each coefficient of the loss"),
      nonnegative("gamma", 0.0, "1/time", "weight decay"),
      eta_parameter,
      batch_parameter,
      momentum_parameter,
      noise_parameter,
      law_parameter,
      samples_parameter,
  };
  static Shape shape(const double* p) { return minibatch_shape(2, p + 3, 2); }
  static const char* check(const double* p) {
    return int(p[7]) > int(Law::gaussian) ? "law must be 0 or 1" : check_minibatch(2, p + 3, 2);
  }

  template <class R, bool Plain> struct Sized : Optimiser<R, Plain> {
    static constexpr int fixed_planes = Plain ? 2 : 0, fixed_temporaries = 0;
    int planes, temporaries = 0;
    R kappa, s, decay;
    explicit Sized(const double* p)
        : Optimiser<R, Plain>(p + 3), planes(p[5] > 0 ? 4 : 2), kappa(R(p[0])), s(R(p[1] / p[4])), decay(R(2 * p[2])) {}
    template <class Other>
    explicit Sized(const Other& o) : Optimiser<R, Plain>(o), planes(o.planes), kappa(o.kappa), s(o.s), decay(o.decay) {}
    ESCAPADE_HD int dim() const { return 2; }

    template <class V, class W> ESCAPADE_HD void gradient(const V* x, const W& draws, V* g, V*) const {
      V first = V(-kappa), second = V(R(0));
      if (this->law == Law::gaussian) {
        V a = V(R(0)), b = V(R(0));
        for (int i = 0; i < this->batch; ++i) a = a + draws(2 * i), b = b + draws(2 * i + 1);
        first = fma(s, a, first), second = s * b;
      }
      // e_phi / r = (-x[1], x[0]) / r^2; what it is multiplied by is (second x[0] - first x[1]) / r
      const V square = fma(x[0], x[0], x[1] * x[1]);
      const V turn = (second * x[0] - first * x[1]) / (square * sqrt(square));
      g[0] = fma(-turn, x[1], decay * x[0]);
      g[1] = fma(turn, x[0], decay * x[1]);
    }
  };
  template <class R> struct Minibatch : Sized<R, false> {
    using Sized<R, false>::Sized;
    template <class F> void specialise(F f) const {
      if (this->is_plain()) f(Sized<R, true>(*this));
      else f(static_cast<const Sized<R, false>&>(*this));
    }
  };
};

ESCAPADE_END
