// A loss of the direction of a vector in the plane, trained by SGD at temperature T (theory B2): noise is tangential, so the
// radius grows by Ito's term alone. r^4 is known exactly, and so is the stationary law of the angle.
#pragma once

#include "model.hpp"

ESCAPADE_BEGIN

struct ScaleInvariant {
  static constexpr const char* name = "ScaleInvariant";
  static constexpr const char* equation =
      "dtheta = [-kappa sin(phi) e_phi / r - 2 gamma theta] dt + sqrt(T) s e_phi / r dW, theta = r (cos phi, sin phi)";
  static constexpr const char* source = "Ziyin, Wang, Li, Wu 2024 (NeurIPS; arXiv 2402.07193), scale symmetry";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      nonnegative("kappa", 1.0, "loss", "depth of the loss -kappa cos(phi)"),
      nonnegative("s", 1.0, "loss", "standard deviation of each coefficient of the loss"),
      nonnegative("T", 0.1, "time", "temperature, learning rate over batch size"),
      nonnegative("gamma", 0.0, "1/time", "weight decay"),
  };
  static Shape shape(const double*) { return {2, 2, 1, Draw::increments}; }

  template <class R> struct Physical {
    static constexpr bool vector = true, scalar_noise = true;
    static constexpr int fixed_planes = 2, fixed_temporaries = 0;
    int planes = 2, temporaries = 0;
    R kappa, sigma, decay;
    explicit Physical(const double* p) : kappa(R(p[0])), sigma(R(sqrt(p[2]) * p[1])), decay(R(-2 * p[3])) {}

    // e_phi / r = (-theta2, theta1) / r^2, and sin(phi) = theta2 / r
    template <class V> struct Point {
      V per_square, sine;
    };
    template <class V> ESCAPADE_HD Point<V> evaluate(const V* x, V*) const {
      const V square = fma(x[0], x[0], x[1] * x[1]);
      return {R(1) / square, x[1] / sqrt(square)};
    }
    template <class V, class W>
    ESCAPADE_HD void increment(const Point<V>& at, const V* x, const W& dw, V h, V* dx, V*) const {
      const V turn = fma(sigma, dw(0), -kappa * at.sine * h) * at.per_square, shrink = decay * h;
      dx[0] = fma(-turn, x[1], shrink * x[0]);
      dx[1] = fma(turn, x[0], shrink * x[1]);
    }
    // b = sigma J theta / r^2 is tangential, so (b . grad) b = -sigma^2 theta / r^4
    template <class V> ESCAPADE_HD void add_correction(const Point<V>& at, const V* x, const V*, V scale, V* c) const {
      const V pull = -(sigma * sigma) * scale * (at.per_square * at.per_square);
      for (int k = 0; k < 2; ++k) c[k] = fma(pull, x[k], c[k]);
    }
  };
};

ESCAPADE_END
