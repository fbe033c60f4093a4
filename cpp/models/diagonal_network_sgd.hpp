// Diagonal linear network of depth + 1 layers and `width` subnetworks, trained by SGD on minibatches.
#pragma once

#include "common/product_sgd.hpp"

ESCAPADE_BEGIN

struct DiagonalNetworkSgd {
  static constexpr const char* name = "DiagonalNetworkSGD";
  static constexpr const char* equation =
      "u_ik -= eta [2/S (v sum x^2 - sum x y) g_ik + 2 gamma u_ik], v = sum_i prod_k u_ik, g = grad v, sums over S samples";
  static constexpr const char* source = "Ziyin, Li, Ueda 2025 (PRE 111, 065303; arXiv 2308.06671), eq. A.1";
  static constexpr Calculus calculus = Calculus::discrete;
  static constexpr Parameter parameters[] = {
      count("depth", 1, 0, "D: layers minus one; 0 is linear regression"),
      count("width", 1, 1, "d: number of subnetworks"),
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
  static constexpr int named = 7 + settings;
  static Shape shape(const double* p) {
    return minibatch_shape((int(p[0]) + 1) * int(p[1]), p + 7, Pairs<double, true>::normals(p + 7));
  }
  static const char* check(const double* p) { return check_minibatch((p[0] + 1) * p[1], p + 7, 2); }
  static size_t tail(const double* p) { return 2 * samples_of(p + 7); }

  template <class R, int Layers, int Width, bool Plain, bool Any>
  using Sized = ProductSgd<R, Product<R, Layers, Width, false>, Plain, Any>;
  template <class R> struct Minibatch : Sized<R, 0, 0, false, true> {
    explicit Minibatch(const double* p)
        : Sized<R, 0, 0, false, true>(Product<R, 0, 0, false>(int(p[0]) + 1, int(p[1]), nullptr), p + 2, p + named) {}
    template <class F> void specialise(F f) const {
      const bool two = this->layers_ == 2 && this->width_ == 1;
      if (two && this->is_plain() && this->law == Law::gaussian && this->batch == 1) f(Sized<R, 2, 1, true, false>(*this));
      else if (two && this->is_plain()) f(Sized<R, 2, 1, true, true>(*this));
      else f(static_cast<const Sized<R, 0, 0, false, true>&>(*this));
    }
  };
};

ESCAPADE_END
