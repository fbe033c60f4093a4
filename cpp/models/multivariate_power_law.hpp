// Power-law dynamic of several numbers: SGD near a minimum with gradients that are linear in the distance u
// (arXiv:2006.13719).
#pragma once

#include "model.hpp"

ESCAPADE_BEGIN

struct MultivariatePowerLaw {
  static constexpr const char* name = "MultivariatePowerLaw";
  static constexpr const char* equation =
      "du = -H u dt + sqrt(eta) (sqrt(1 + u^T A u) F dW_0 + sum_k B_k u dW_k), F F^T = Sigma_g; A = 0 or no B_k";
  static constexpr const char* source = "Meng, Gong, Chen, Ma, Liu 2020 (arXiv 2006.13719)";
  static constexpr Calculus calculus = Calculus::ito;
  // the tail holds H, F, then A or all B_k, row by row
  static constexpr Parameter parameters[] = {
      {"dim", 2, 1, 1000, false, false, true, "1", "n: numbers of a particle"},
      {"factors", 0, 0, 10000, false, false, true, "1", "matrices B_k"},
      choice("modulated", 0, 1, "1: one strength for all noise, 1 + u^T A u; 0: matrices B_k"),
      positive("eta", 1.0, "time", "learning rate"),
  };
  static constexpr int named = 4;
  static Shape shape(const double* p) {
    const int dim = int(p[0]);
    return {dim, dim, dim + int(p[1]), Draw::increments};
  }
  static const char* check(const double* p) {
    if (p[2] > 0 && p[1] > 0) return "B must be empty where A is given";
    return p[0] * p[0] * (2 + p[1]) <= 1 << 24 ? nullptr : "B must hold at most 16777216 numbers";
  }
  static size_t tail(const double* p) { return size_t(p[0] * p[0]) * size_t(2 + p[1] + p[2]); }

  template <class R> struct Physical {
    static constexpr bool vector = true;
    static constexpr int fixed_planes = 0, fixed_temporaries = 0;
    int planes, temporaries, factors;
    bool modulated;
    R root_eta;
    const double *H, *F, *rest;  // n x n each; rest is A, or all B_k
    explicit Physical(const double* p)
        : planes(int(p[0])),
          temporaries(int(p[0])),
          factors(int(p[1])),
          modulated(p[2] > 0),
          root_eta(R(sqrt(p[3]))),
          H(p + named),
          F(H + planes * planes),
          rest(F + planes * planes) {}

    // sum_j M_ij x_j for a matrix of n x n
    template <class V, class X> ESCAPADE_HD V row(const double* M, int i, const X& x) const {
      V sum = V(R(0));
      for (int j = 0; j < planes; ++j) sum = fma(V(R(M[i * planes + j])), x(j), sum);
      return sum;
    }
    template <class V> struct Strength {
      V noise;
    };
    template <class V> ESCAPADE_HD Strength<V> evaluate(const V* u, V*) const {
      if (!modulated) return {V(root_eta)};
      V s = V(R(1));
      for (int i = 0; i < planes; ++i) s = fma(u[i], row<V>(rest, i, [&](int j) { return u[j]; }), s);
      return {root_eta * sqrt(s)};
    }
    template <class V, class D> ESCAPADE_HD void increment(Strength<V> at, const V* u, const D& dw, V h, V* du, V*) const {
      const auto state = [&](int j) { return u[j]; };
      for (int i = 0; i < planes; ++i) {
        du[i] = at.noise * row<V>(F, i, dw) - h * row<V>(H, i, state);
        for (int k = 0; k < factors; ++k) {
          const V along = row<V>(rest + size_t(k) * size_t(planes) * size_t(planes), i, state);
          du[i] = fma(root_eta * dw(planes + k), along, du[i]);
        }
      }
    }
  };
};

ESCAPADE_END
