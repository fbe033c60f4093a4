// A loss of one product of powers of the parameters, trained by SGD on minibatches.
#pragma once

#include "common/product_sgd.hpp"

ESCAPADE_BEGIN

struct GeneralizedRescalingSgd {
  static constexpr const char* name = "GeneralizedRescalingSGD";
  static constexpr const char* equation =
      "theta_k -= eta [2/S (v sum x^2 - sum x y) g_k + 2 gamma theta_k], v = prod_k theta_k^p_k, g = grad v, "
      "sums over S samples";
  static constexpr const char* source = "Ziyin, Wang, Li, Wu 2024 (NeurIPS; arXiv 2402.07193), rescaling symmetry";
  static constexpr Calculus calculus = Calculus::discrete;
  // the tail holds the powers, integers from 1 to 16, then the data set
  static constexpr Parameter parameters[] = {
      count("factors", 2, 1, "number of parameters"),
      decay_parameter,
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
  static Shape shape(const double* p) { return minibatch_shape(int(p[0]), p + 6, Pairs<double, true>::normals(p + 6)); }
  static const char* check(const double* p) { return check_minibatch(p[0], p + 6, 2); }
  static size_t tail(const double* p) { return size_t(p[0]) + 2 * samples_of(p + 6); }

  template <class R, int Factors, bool Plain>
  using Sized = ProductSgd<R, Product<R, Factors, Factors ? 1 : 0, true>, Plain, true>;
  template <class R> struct Minibatch : Sized<R, 0, false> {
    explicit Minibatch(const double* p)
        : Sized<R, 0, false>(Product<R, 0, 0, true>(int(p[0]), 1, p + named), p + 1, p + named + size_t(p[0])) {}
    template <class F> void specialise(F f) const {
      if (this->layers_ == 2 && this->is_plain()) f(Sized<R, 2, true>(*this));
      else f(static_cast<const Sized<R, 0, false>&>(*this));
    }
  };
};

ESCAPADE_END
