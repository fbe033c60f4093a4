// A direction z that mirror symmetry protects, trained by SGD on minibatches of sample losses h z^2/2 + b z^4/4 with weight
// decay gamma z^2 (theory C1, C2 and D1): MirrorCollapse and TwoPointSaddle in Python.
#pragma once

#include "common/minibatch.hpp"

ESCAPADE_BEGIN

struct MirrorSgd {
  static constexpr const char* name = "MirrorSGD";
  static constexpr const char* equation = "z -= eta [(h + 2 gamma) z + b z^3], h the mean over S samples";
  static constexpr const char* source =
      "Ziyin 2024 (ICML; arXiv 2309.16932); Ziyin, Li, Simon, Ueda 2022 (arXiv 2107.11774)";
  static constexpr Calculus calculus = Calculus::discrete;
  // the tail holds the values of h (law 3)
  static constexpr Parameter parameters[] = {
      real("h_mean", 1.0, "1/time", "mean of the curvature h (laws 0 and 1)"),
      nonnegative("h_sd", 0.0, "1/time", "standard deviation of h (law 1)"),
      nonnegative("gamma", 0.0, "1/time", "weight decay"),
      nonnegative("b", 0.0, "1/(z^2 time)", "cubic saturation"),
      eta_parameter,
      batch_parameter,
      momentum_parameter,
      noise_parameter,
      law_parameter,
      samples_parameter,
  };
  static constexpr int named = 4 + settings;
  static Shape shape(const double* p) { return minibatch_shape(1, p + 4, 1); }
  static const char* check(const double* p) {
    return law_of(p + 4) == Law::binary ? "law must be 0, 1 or 3" : check_minibatch(1, p + 4, 1);
  }
  static size_t tail(const double* p) { return samples_of(p + 4); }

  template <class R, bool Plain> struct Sized : Optimiser<R, Plain> {
    static constexpr int fixed_planes = Plain ? 1 : 0, fixed_temporaries = 0;
    int planes, temporaries = 0;
    R mean, sd, decay, b;
    uint32_t count;
    const double* values;
    explicit Sized(const double* p)
        : Optimiser<R, Plain>(p + 4),
          planes(p[6] > 0 ? 2 : 1),
          mean(R(p[0])),
          sd(R(p[1] / p[5])),
          decay(R(2 * p[2])),
          b(R(p[3])),
          count(uint32_t(samples_of(p + 4))),
          values(p + named) {}
    template <class Other>
    explicit Sized(const Other& o)
        : Optimiser<R, Plain>(o),
          planes(o.planes),
          mean(o.mean),
          sd(o.sd),
          decay(o.decay),
          b(o.b),
          count(o.count),
          values(o.values) {}
    ESCAPADE_HD int dim() const { return 1; }

    template <class V, class W> ESCAPADE_HD V curvature(const W& draws) const {
      V sum = V(R(0));
      if (this->law == Law::full) return V(mean);
      if (this->law == Law::samples) {
        for (int i = 0; i < this->batch; ++i) sum = sum + Chosen<V>(draws.word(i), count)(values, 1, 0);
        return sum * this->share;
      }
      for (int i = 0; i < this->batch; ++i) sum = sum + draws(i);
      return fma(sd, sum, V(mean));
    }
    template <class V, class W> ESCAPADE_HD void gradient(const V* z, const W& draws, V* g, V*) const {
      g[0] = z[0] * fma(b * z[0], z[0], curvature<V>(draws) + decay);
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
