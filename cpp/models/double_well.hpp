// Overdamped motion in the symmetric double well V(x) = h (x^2 - 1)^2 at temperature T.
#pragma once

#include "model.hpp"

ESCAPADE_BEGIN

struct DoubleWell {
  static constexpr const char* name = "DoubleWell";
  static constexpr const char* equation = "dx = -4 h x (x^2 - 1) dt + sqrt(2 T) dW";
  static constexpr const char* source = "Kramers 1940";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      positive("h", 1.0, "energy", "height of the barrier at x = 0; minima at x = -1 and 1"),
      nonnegative("T", 1.0, "energy", "temperature"),
  };

  template <class R> struct Physical {
    static constexpr bool additive = true;
    R four_h, noise;
    explicit Physical(const double* p) : four_h(R(4 * p[0])), noise(R(sqrt(2 * p[1]))) {}
    template <class V> ESCAPADE_HD V drift(V x) const { return (four_h * x) * fma(-x, x, V(R(1))); }
    template <class V> ESCAPADE_HD V diffusion(V) const { return V(noise); }
    template <class V> ESCAPADE_HD V diffusion_gradient(V) const { return V(R(0)); }
    // 1/x^2 obeys a linear equation
    template <class V> ESCAPADE_HD V flow_drift(V x, V t) const {
      const V decay = exp(R(-2) * four_h * t);
      return x / sqrt(decay + x * x * (R(1) - decay));
    }
    template <class V> ESCAPADE_HD V flow_noise(V x, V dw, V) const { return fma(noise, dw, x); }
  };

  // y = x / sqrt(2 T)
  template <class R> struct Lamperti {
    R four_h, noise, noise2;
    explicit Lamperti(const double* p) : four_h(R(4 * p[0])), noise(R(sqrt(2 * p[1]))), noise2(R(2 * p[1])) {}
    static const char* check(const double* p) { return p[1] > 0 ? nullptr : "T must be > 0"; }
    template <class V> ESCAPADE_HD V drift(V y) const { return (four_h * y) * fma(-noise2 * y, y, V(R(1))); }
    template <class V> ESCAPADE_HD Drift<V> slope(V y) const {
      return {drift(y), four_h * fma(R(-3) * noise2 * y, y, V(R(1)))};
    }
    template <class V> ESCAPADE_HD V to_physical(V y) const { return noise * y; }
    template <class V> ESCAPADE_HD V from_physical(V x) const { return x / noise; }
  };
};

ESCAPADE_END
