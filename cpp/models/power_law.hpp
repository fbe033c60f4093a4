// Power-law dynamic: SGD near a minimum, with a noise covariance quadratic in the distance u = w - w*.
#pragma once

#include "model.hpp"

ESCAPADE_BEGIN

struct PowerLaw {
  static constexpr const char* name = "PowerLaw";
  static constexpr const char* equation = "du = -H u dt + sqrt(eta (sigma_g + 2 rho u + sigma_H u^2)) dW";
  static constexpr const char* source = "Meng, Gong, Chen, Ma, Liu 2020 (arXiv 2006.13719)";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      positive("H", 1.0, "1/time", "curvature of the loss at the minimum"),
      nonnegative("sigma_g", 0.1, "u^2/time^2", "variance of the minibatch gradient at the minimum"),
      nonnegative("sigma_H", 0.2, "1/time^2", "variance of the minibatch curvature"),
      positive("eta", 1.0, "time", "learning rate"),
      real("rho", 0.0, "u/time^2", "covariance of minibatch gradient and curvature, rho^2 <= sigma_g sigma_H"),
  };
  static const char* check(const double* p) {
    return p[4] * p[4] <= p[1] * p[2] ? nullptr : "rho^2 must be <= sigma_g * sigma_H";
  }

  template <class R> struct Physical {
    R H, es, er, two_er, eh;  // eta times sigma_g, rho, 2 rho, sigma_H
    explicit Physical(const double* p)
        : H(R(p[0])), es(R(p[3] * p[1])), er(R(p[3] * p[4])), two_er(R(2 * p[3] * p[4])), eh(R(p[3] * p[2])) {}
    template <class V> ESCAPADE_HD V drift(V u) const { return -H * u; }
    template <class V> ESCAPADE_HD V diffusion(V u) const {
      // rounding can make the value of a parabola that touches zero slightly negative
      return sqrt(max(fma(fma(eh, u, V(two_er)), u, V(es)), V(R(0))));
    }
    template <class V> ESCAPADE_HD V diffusion_gradient(V u) const { return fma(eh, u, V(er)); }
  };

  // u = w sinh(c y) - shift, c = sqrt(eh), w = sqrt(es - er^2 / eh) / c, shift = er / eh:
  // dy = [-(H/eh + 1/2) c tanh(c y) + H er / (eh c w) / (c cosh(c y))] dt + dW
  template <class R> struct Lamperti {
    R c, pull, skew, width, shift;
    double killing_rate;
    explicit Lamperti(const double* p) {
      const double es = p[3] * p[1], er = p[3] * p[4], eh = p[3] * p[2];
      const double root = sqrt(eh), gap = sqrt(es - er * er / eh);
      c = R(root), pull = R((p[0] / eh + 0.5) * root), skew = R(p[0] * er / (eh * gap));
      width = R(gap / root), shift = R(er / eh);
      const double ell = p[0] / eh + 0.5;
      killing_rate = 0.5 * eh * ell * (ell + 1);
    }
    static const char* check(const double* p) {
      if (!(p[2] > 0)) return "sigma_H must be > 0";
      return p[4] * p[4] < p[1] * p[2] ? nullptr : "rho^2 must be < sigma_g * sigma_H";
    }
    template <class V> ESCAPADE_HD V drift(V y) const {
      // both hyperbolic functions from one exponential, e = exp(-|c y|)
      V e = exp(-abs(c * y)), e2 = e * e;
      V th = copysign((R(1) - e2) / (R(1) + e2), y);
      return -pull * th + (skew + skew) * (e / (R(1) + e2));
    }
    // For exact.hpp, rho = 0. With ell = H/eh + 1/2, f = -ell c tanh(c y): (f^2 + f')/2 = rate tanh(c y)^2 - ell eh/2.
    static const char* check_exact(const double* p) { return p[4] == 0 ? nullptr : "rho must be 0"; }
    template <class V> ESCAPADE_HD V potential(V y) const {  // ell ln(2 cosh(c y))
      const V size = abs(c * y);
      return pull / c * (size + log1p(exp(R(-2) * size)));
    }
    template <class V> ESCAPADE_HD V survival(V y) const {  // 1 - tanh^2
      const V e = exp(-abs(c * y)), sech = (e + e) / fma(e, e, V(R(1)));
      return sech * sech;
    }
    template <class V> ESCAPADE_HD Drift<V> slope(V y) const {
      V e = exp(-abs(c * y)), e2 = e * e;
      V th = copysign((R(1) - e2) / (R(1) + e2), y), sech = (e + e) / (R(1) + e2);
      return {-pull * th + skew * sech, -c * sech * (pull * sech + skew * th)};
    }
    template <class V> ESCAPADE_HD V to_physical(V y) const { return fma(width, sinh(c * y), V(-shift)); }
    template <class V> ESCAPADE_HD V from_physical(V u) const { return asinh((u + shift) / width) / c; }
  };
};

ESCAPADE_END
