// Geometric Brownian motion, dx = mu x dt + sigma x dW (Ito).
#pragma once

#include "model.hpp"

ESCAPADE_BEGIN

struct GeometricBrownianMotion {
  static constexpr const char* name = "GeometricBrownianMotion";
  static constexpr const char* equation = "dx = mu x dt + sigma x dW";
  static constexpr const char* source = "Samuelson 1965";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      real("mu", 0.0, "1/time", "growth rate of the mean"),
      nonnegative("sigma", 1.0, "1/sqrt(time)", "relative noise strength"),
  };

  template <class R> struct Physical {
    R mu, sigma, sigma2;
    explicit Physical(const double* p) : mu(R(p[0])), sigma(R(p[1])), sigma2(R(p[1] * p[1])) {}
    template <class V> ESCAPADE_HD V drift(V x) const { return mu * x; }
    template <class V> ESCAPADE_HD V diffusion(V x) const { return sigma * x; }
    template <class V> ESCAPADE_HD V diffusion_gradient(V x) const { return sigma2 * x; }
  };

  // y = ln x / sigma, x > 0: the drift is constant, so every scheme is exact
  template <class R> struct Lamperti {
    R growth, sigma;
    explicit Lamperti(const double* p) : growth(R(p[0] / p[1] - 0.5 * p[1])), sigma(R(p[1])) {}
    static const char* check(const double* p) { return p[1] > 0 ? nullptr : "sigma must be > 0"; }
    template <class V> ESCAPADE_HD V drift(V) const { return V(growth); }
    template <class V> ESCAPADE_HD Drift<V> slope(V) const { return {V(growth), V(R(0))}; }
    template <class V, class H> ESCAPADE_HD V exact_step(V y, V dw, H h) const { return fma(growth, V(h), y + dw); }
    template <class V> ESCAPADE_HD V to_physical(V y) const { return exp(sigma * y); }
    template <class V> ESCAPADE_HD V from_physical(V x) const { return log(x) / sigma; }
  };
};

ESCAPADE_END
