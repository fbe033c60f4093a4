// Ornstein-Uhlenbeck process, dx = -theta (x - mu) dt + sigma dW.
#pragma once

#include "model.hpp"

ESCAPADE_BEGIN

struct OrnsteinUhlenbeck {
  static constexpr const char* name = "OrnsteinUhlenbeck";
  static constexpr const char* equation = "dx = -theta (x - mu) dt + sigma dW";
  static constexpr const char* source = "Uhlenbeck and Ornstein 1930";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      nonnegative("theta", 1.0, "1/time", "rate of return to mu; 0 gives Brownian motion"),
      real("mu", 0.0, "x", "centre"),
      nonnegative("sigma", 1.0, "x/sqrt(time)", "noise strength"),
  };

  template <class R> struct Physical {
    static constexpr bool additive = true;
    R theta, mu, sigma;
    explicit Physical(const double* p) : theta(R(p[0])), mu(R(p[1])), sigma(R(p[2])) {}
    template <class V> ESCAPADE_HD V drift(V x) const { return theta * (mu - x); }
    template <class V> ESCAPADE_HD V diffusion(V) const { return V(sigma); }
    template <class V> ESCAPADE_HD V diffusion_gradient(V) const { return V(R(0)); }
  };

  // y = x / sigma
  template <class R> struct Lamperti {
    R theta, centre, sigma;
    explicit Lamperti(const double* p) : theta(R(p[0])), centre(R(p[1] / p[2])), sigma(R(p[2])) {}
    static const char* check(const double* p) { return p[2] > 0 ? nullptr : "sigma must be > 0"; }
    template <class V> ESCAPADE_HD V drift(V y) const { return theta * (centre - y); }
    template <class V> ESCAPADE_HD Drift<V> slope(V y) const { return {drift(y), V(-theta)}; }
    template <class V, class H> ESCAPADE_HD V exact_step(V y, V dw, H h) const {
      const R decay = exp(-theta * h), spread = sqrt(mean_decay(R(2) * theta * h));
      return fma(spread, dw, fma(decay, y - centre, V(centre)));
    }
    template <class V> ESCAPADE_HD V to_physical(V y) const { return sigma * y; }
    template <class V> ESCAPADE_HD V from_physical(V x) const { return x / sigma; }
  };
};

ESCAPADE_END
