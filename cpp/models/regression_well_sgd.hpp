// SGD on minibatches of the loss l(w) = scale E (w x - y)^2, glued to its mirror image (arXiv:2006.13719):
// L(w) = l(-w - a) - l(-a) for w < 0, l(-a) - l(w - a) for w >= 0, so that grad L = -l'(|w| - a) on both sides.
#pragma once

#include "common/product_sgd.hpp"

ESCAPADE_BEGIN

struct RegressionWellSgd {
  static constexpr const char* name = "RegressionWellSGD";
  static constexpr const char* equation = "w += eta 2 scale/S sum x (x (|w| - a) - y), sums over S samples";
  static constexpr const char* source = "Meng, Gong, Chen, Ma, Liu 2020 (arXiv 2006.13719)";
  static constexpr Calculus calculus = Calculus::discrete;
  // the tail holds x^2, then x y, of all samples (law 3)
  static constexpr Parameter parameters[] = {
      positive("a", 1.0, "y/x", "where the parabolas are glued"),
      positive("scale", 1.0, "1", "1: mean loss; number of samples: their sum"),
      k_parameter,
      s_parameter,
      beta1_parameter,
      beta2_parameter,
      eta_parameter,
      batch_parameter,
      momentum_parameter,
      noise_parameter,
      law_parameter,
      samples_parameter,
  };
  static constexpr int named = 6 + settings;
  static Shape shape(const double* p) { return minibatch_shape(1, p + 6, Pairs<double, true>::normals(p + 6)); }
  static const char* check(const double* p) { return check_minibatch(1, p + 6, 2); }
  static size_t tail(const double* p) { return 2 * samples_of(p + 6); }

  template <class R, bool Plain> struct Sized : Optimiser<R, Plain> {
    static constexpr int fixed_planes = Plain ? 1 : 0, fixed_temporaries = 0;
    int planes, temporaries = 0;
    R a, minus_two;
    Pairs<R, true> data;
    explicit Sized(const double* p)
        : Optimiser<R, Plain>(p + 6),
          planes(p[8] > 0 ? 2 : 1),
          a(R(p[0])),
          minus_two(R(-2 * p[1])),
          data(p + 2, samples_of(p + 6), p + named) {}
    template <class Other>
    explicit Sized(const Other& o)
        : Optimiser<R, Plain>(o), planes(o.planes), a(o.a), minus_two(o.minus_two), data(o.data) {}
    ESCAPADE_HD int dim() const { return 1; }

    template <class V, class W> ESCAPADE_HD void gradient(const V* w, const W& draws, V* g, V*) const {
      g[0] = minus_two * data.residual(abs(w[0]) - a, draws, *this);
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
