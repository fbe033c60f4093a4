// Descent on a loss of n numbers with one noise strength for all of them, c0 + c1 L(x) per unit time, and a Wiener process
// for each: dx = -grad L dt + sqrt(c0 + c1 L) dW. Or in the random time tau, d tau = L dt, in which the noise is constant:
// dx = -grad ln L d tau + sqrt(c1) dW; then the number behind the last is the physical time t = sum d tau / L.
//
// Loss: base + (k/2) |x|^2, or the well base + height (x_1^2 - 1)^2 + (k/2) sum_j (x_j - bend (x_1^2 - 1))^2 over j > 1.
#pragma once

#include "../model.hpp"

ESCAPADE_BEGIN

struct LossNoiseNumbers {
  int dim;
  bool well, random_time;
  double base, k, height, bend, c0, c1;
};

// Dim = 0: known at run time only.
template <class R, int Dim, bool Well, bool RandomTime> struct LossNoise {
  static constexpr bool vector = true;
  static constexpr int fixed_planes = Dim > 0 ? Dim + RandomTime : 0, fixed_temporaries = 0;
  int planes, temporaries = 0;
  R base, k, height, bend, c0, c1, root;
  explicit LossNoise(const LossNoiseNumbers& n)
      : planes(n.dim + RandomTime),
        base(R(n.base)),
        k(R(n.k)),
        height(R(n.height)),
        bend(R(n.bend)),
        c0(R(n.c0)),
        c1(R(n.c1)),
        root(R(sqrt(n.c1))) {}
  ESCAPADE_HD int dim() const { return Dim > 0 ? Dim : planes - RandomTime; }

  template <class V> struct Point {
    V loss, s, sum;  // s = x_1^2 - 1, sum of the distances x_j - bend s
  };
  template <class V> ESCAPADE_HD Point<V> evaluate(const V* x, V*) const {
    const int n = dim();
    V squares = V(R(0)), sum = V(R(0)), s = V(R(0));
    if constexpr (Well) s = fma(x[0], x[0], V(R(-1)));
    for (int j = Well ? 1 : 0; j < n; ++j) {
      V d = x[j];
      if constexpr (Well) d = fma(V(-bend), s, d), sum = sum + d;
      squares = fma(d, d, squares);
    }
    V loss = fma(V(R(0.5) * k), squares, V(base));
    if constexpr (Well) loss = fma(height * s, s, loss);
    return {loss, s, sum};
  }
  template <class V, class D> ESCAPADE_HD void increment(const Point<V>& at, const V* x, const D& dw, V h, V* dx, V*) const {
    const int n = dim();
    V time = h, noise;
    if constexpr (RandomTime) time = h / at.loss, noise = V(root);
    else noise = sqrt(fma(V(c1), at.loss, V(c0)));
    for (int j = 0; j < n; ++j) {
      V g;
      if (Well && j == 0) g = (R(4) * height * at.s - R(2) * k * bend * at.sum) * x[0];
      else if constexpr (Well) g = k * fma(V(-bend), at.s, x[j]);
      else g = k * x[j];
      dx[j] = fma(noise, dw(j), -g * time);
    }
    if constexpr (RandomTime) dx[n] = time;
  }
};

ESCAPADE_END
