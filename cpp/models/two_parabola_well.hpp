// A parabola and its mirror image, glued at w = 0: a minimum at -a and a saddle at a (arXiv:2006.13719).
#pragma once

#include "model.hpp"

ESCAPADE_BEGIN

struct TwoParabolaWell {
  static constexpr const char* name = "TwoParabolaWell";
  static constexpr const char* equation =
      "dw = H (|w| - a) dt + sqrt(eta (sigma_g + 2 rho u + sigma_H u^2)) dW, u = w + a (mirror = 0) or |w| - a (mirror = 1)";
  static constexpr const char* source = "Meng, Gong, Chen, Ma, Liu 2020 (arXiv 2006.13719)";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      positive("H", 2.0, "1/time", "curvature at the minimum -a; -H at the saddle a"),
      nonnegative("sigma_g", 4.0, "w^2/time^2", "variance of the minibatch gradient at the minimum"),
      nonnegative("sigma_H", 8.0, "1/time^2", "variance of the minibatch curvature"),
      positive("eta", 0.1, "time", "learning rate"),
      positive("a", 0.7, "w", "half of the distance of minimum and saddle"),
      real("rho", 0.0, "w/time^2", "covariance of minibatch gradient and curvature, rho^2 <= sigma_g sigma_H"),
      choice("mirror", 0, 1, "0: noise by the distance from the minimum; 1: mirrored at w = 0 as the loss is"),
  };
  static const char* check(const double* p) {
    return p[5] * p[5] <= p[1] * p[2] ? nullptr : "rho^2 must be <= sigma_g * sigma_H";
  }

  template <class R> struct Physical {
    R H, es, er, two_er, eh, a;
    bool mirror;
    explicit Physical(const double* p)
        : H(R(p[0])),
          es(R(p[3] * p[1])),
          er(R(p[3] * p[5])),
          two_er(R(2 * p[3] * p[5])),
          eh(R(p[3] * p[2])),
          a(R(p[4])),
          mirror(p[6] > 0) {}
    template <class V> ESCAPADE_HD V drift(V w) const { return H * (abs(w) - a); }
    template <class V> ESCAPADE_HD V diffusion(V w) const {
      const V u = mirror ? abs(w) - a : w + a;
      // rounding can make the value of a parabola that touches zero slightly negative
      return sqrt(max(fma(fma(eh, u, V(two_er)), u, V(es)), V(R(0))));
    }
    template <class V> ESCAPADE_HD V diffusion_gradient(V w) const {
      return mirror ? copysign(V(R(1)), w) * fma(eh, abs(w) - a, V(er)) : fma(eh, w + a, V(er));
    }
  };

  // w + a = width sinh(c y), c = sqrt(eh), width = sqrt(es) / c; w + a = sqrt(es) y where sigma_H = 0:
  // dy = [H (|w| - a) / (sqrt(es) cosh(c y)) - c tanh(c y) / 2] dt + dW, w / cosh(c y) = width tanh(c y) - a / cosh(c y)
  template <class R> struct Lamperti {
    R c, half_c, width, a, pull;
    bool flat;
    explicit Lamperti(const double* p)
        : c(R(sqrt(p[3] * p[2]))),
          half_c(R(0.5 * sqrt(p[3] * p[2]))),
          width(R(p[2] > 0 ? sqrt(p[1] / p[2]) : sqrt(p[3] * p[1]))),
          a(R(p[4])),
          pull(R(p[0] / sqrt(p[3] * p[1]))),
          flat(!(p[2] > 0)) {}
    static const char* check(const double* p) {
      if (!(p[1] > 0)) return "sigma_g must be > 0";
      if (p[5] != 0) return "rho must be 0";
      return p[6] > 0 ? "mirror must be 0" : nullptr;
    }
    template <class V> ESCAPADE_HD V drift(V y) const {
      if (flat) return pull * (abs(to_physical(y)) - a);
      // both hyperbolic functions from one exponential, e = exp(-|c y|)
      const V e = exp(-abs(c * y)), e2 = e * e, share = R(1) / (R(1) + e2);
      const V th = copysign((R(1) - e2) * share, y), near = a * ((e + e) * share);
      return pull * (abs(fma(width, th, -near)) - near) - half_c * th;
    }
    template <class V> ESCAPADE_HD V to_physical(V y) const {
      return flat ? fma(width, y, V(-a)) : fma(width, sinh(c * y), V(-a));
    }
    template <class V> ESCAPADE_HD V from_physical(V w) const { return flat ? (w + a) / width : asinh((w + a) / width) / c; }
  };
};

ESCAPADE_END
