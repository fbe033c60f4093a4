// A loss of one product of powers of the parameters, trained by SGD at temperature T: generalised rescaling symmetry
// (theory B1). v = prod_k theta_k^p_k; noise pulls theta_k^2 / p_k together.
#pragma once

#include "common/product_network.hpp"

ESCAPADE_BEGIN

struct GeneralizedRescaling {
  static constexpr const char* name = "GeneralizedRescaling";
  static constexpr const char* equation =
      "dtheta_k = [-2 g_k (beta1 v - beta2) - 2 gamma theta_k] dt + 2 sqrt(T q(v)) g_k dW, "
      "v = prod_k theta_k^p_k, g = grad v, one W for all";
  static constexpr const char* source = "Ziyin, Wang, Li, Wu 2024 (NeurIPS; arXiv 2402.07193), rescaling symmetry";
  static constexpr Calculus calculus = Calculus::ito;
  // the tail holds the powers, integers from 1 to 16
  static constexpr Parameter parameters[] = {
      count("factors", 2, 1, "number of parameters"),
      temperature_parameter,
      decay_parameter,
      beta1_parameter,
      beta2_parameter,
      alpha1_parameter,
      alpha2_parameter,
      alpha3_parameter,
      reading_parameter,
  };
  static constexpr int named = 9;
  static Shape shape(const double* p) { return {int(p[0]), int(p[0]), 1, Draw::increments}; }
  static size_t tail(const double* p) { return size_t(p[0]); }

  template <class R, int Factors> using Sized = RankOne<R, Product<R, Factors, Factors ? 1 : 0, true>>;
  template <class R> struct Physical : Sized<R, 0> {
    explicit Physical(const double* p) : Sized<R, 0>(Product<R, 0, 0, true>(int(p[0]), 1, p + named), p + 1) {}
    template <class F> void specialise(F f) const {
      if (this->layers_ == 2) f(Sized<R, 2>(*this));
      else f(static_cast<const Sized<R, 0>&>(*this));
    }
  };
};

ESCAPADE_END
