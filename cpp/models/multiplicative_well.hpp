// A particle in the symmetric quartic well L(x) = h (x^2 - 1)^2 whose noise differs from place to place.
#pragma once

#include "model.hpp"

ESCAPADE_BEGIN

struct MultiplicativeWell {
  static constexpr const char* name = "MultiplicativeWell";
  static constexpr const char* equation =
      "dx = -4 h x (x^2 - 1) dt + sqrt(eta C(x)) dW, C = sigma_g (1 + modulation sin(wave x))";
  static constexpr const char* source = "Kramers 1940; Gardiner, Handbook of Stochastic Methods, section 5.10";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      positive("h", 1.0, "x^2/time", "height of the barrier at x = 0; minima at x = -1 and 1"),
      nonnegative("sigma_g", 1.0, "x^2/time^2", "mean variance of the gradient"),
      {"modulation", 0.5, -1, 1, true, true, false, "1", "relative amplitude of its variation"},
      positive("wave", 2.0, "1/x", "wave number of its variation"),
      positive("eta", 0.4, "time", "learning rate"),
  };

  template <class R> struct Physical {
    R four_h, es, swing, wave, slope, quarters;  // swing = es modulation, slope = half of swing times wave
    explicit Physical(const double* p)
        : four_h(R(4 * p[0])),
          es(R(p[4] * p[1])),
          swing(R(p[4] * p[1] * p[2])),
          wave(R(p[3])),
          slope(R(0.5 * p[4] * p[1] * p[2] * p[3])),
          quarters(R(0.63661977236758134308 * p[3])) {}
    template <class V> ESCAPADE_HD V drift(V x) const { return (four_h * x) * fma(-x, x, V(R(1))); }
    template <class V> ESCAPADE_HD V diffusion(V x) const {
      V s, c;
      sincos(x, s, c);
      return sqrt(fma(swing, s, V(es)));
    }
    template <class V> ESCAPADE_HD V diffusion_gradient(V x) const {
      V s, c;
      sincos(x, s, c);
      return slope * c;
    }

    // Sine and cosine of wave x: the nearest quarter of a turn is subtracted, in two parts.
    template <class V> ESCAPADE_HD void sincos(V x, V& s, V& c) const {
      using F = Format<R>;
      using U = typename F::Uint;
      constexpr bool single = sizeof(R) == 4;
      constexpr R high = single ? R(1.5703125) : R(1.57079632673412561417);
      constexpr R low = single ? R(4.83826794896619e-4) : R(6.07710050650619224932e-11);
      const V shifted = fma(quarters, x, V(F::round_magic)), n = shifted - F::round_magic;
      const V angle = fma(n, V(-low), fma(n, V(-high), wave * x));
      sincos_octant(angle, s, c);
      const auto quarter = bit_cast<U>(shifted);
      const auto odd = (quarter & U(1)) == U(1);
      const V sine = select(odd, c, s), cosine = select(odd, s, c);
      constexpr int top = 8 * int(sizeof(R)) - 2;
      const auto sign = U(1) << (top + 1);
      s = bit_cast<R>(bit_cast<U>(sine) ^ ((quarter << top) & U(sign)));
      c = bit_cast<R>(bit_cast<U>(cosine) ^ (((quarter + U(1)) << top) & U(sign)));
    }
  };
};

ESCAPADE_END
