// Diagonal linear network of depth + 1 layers and `width` subnetworks, all its parameters, trained by SGD at temperature T
// (theory A2; paper eq. A.67 with T for eta).
#pragma once

#include "common/product_network.hpp"

ESCAPADE_BEGIN

struct DiagonalNetwork {
  static constexpr const char* name = "DiagonalNetwork";
  static constexpr const char* equation =
      "du_ik = [-2 g_ik (beta1 v - beta2) - 2 gamma u_ik] dt + 2 sqrt(T q(v)) g_ik dW, "
      "v = sum_i prod_k u_ik, g = grad v, one W for all";
  static constexpr const char* source = "Ziyin, Li, Ueda 2025 (PRE 111, 065303; arXiv 2308.06671), eq. A.67";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      count("depth", 1, 0, "D: layers minus one; 0 is linear regression"),
      count("width", 1, 1, "d: number of subnetworks"),
      temperature_parameter,
      decay_parameter,
      beta1_parameter,
      beta2_parameter,
      alpha1_parameter,
      alpha2_parameter,
      alpha3_parameter,
      reading_parameter,
  };
  static Shape shape(const double* p) {
    const int planes = (int(p[0]) + 1) * int(p[1]);
    return {planes, planes, 1, Draw::increments};
  }

  static const char* check(const double* p) { return check_size((p[0] + 1) * p[1]); }

  template <class R, int Layers, int Width> using Sized = RankOne<R, Product<R, Layers, Width, false>>;
  template <class R> struct Physical : Sized<R, 0, 0> {
    explicit Physical(const double* p) : Sized<R, 0, 0>(Product<R, 0, 0, false>(int(p[0]) + 1, int(p[1]), nullptr), p + 2) {}
    // Sizes worth a loop of their own: everything in registers for the smallest, no products over layers for depth 1.
    template <class F> void specialise(F f) const {
      if (this->layers_ == 2 && this->width_ == 1) f(Sized<R, 2, 1>(*this));
      else if (this->layers_ == 2) f(Sized<R, 2, 0>(*this));
      else if (this->layers_ == 3 && this->width_ == 1) f(Sized<R, 3, 1>(*this));
      else f(static_cast<const Sized<R, 0, 0>&>(*this));
    }
  };
};

ESCAPADE_END
