// Losses (v x - y)^2 + gamma |theta|^2 of a scalar v(theta) that is a sum of products of parameters: diagonal linear
// networks and generalised rescaling symmetries. The noise of their gradients has rank one (theory A2; paper eq. A.67):
//
//   d theta = [-2 (beta1 v - beta2) g - 2 gamma theta] dt + 2 sqrt(T q(v)) g dW,  g = grad v,
//   q(v) = alpha1 v^2 - 2 alpha2 v + alpha3,  ONE Wiener process for all parameters.
#pragma once

#include "data_moments.hpp"

ESCAPADE_BEGIN

// v = sum_i prod_k f_k(u_ik), with f_k(u) = u, or u^p_k if Powers. Parameter u_ik is number k width + i of a particle.
// Layers and Width are compile-time sizes, 0 if they are known at run time only.
template <class R, int Layers, int Width, bool Powers> struct Product {
  static constexpr int fixed_planes = Layers * Width, fixed_temporaries = fixed_planes + 2 * Layers;
  int layers_, width_, planes, temporaries;
  const double* powers;
  Product(int l, int w, const double* p) : layers_(l), width_(w), planes(l * w), temporaries(l * w + 2 * l), powers(p) {}
  template <int L, int W> explicit Product(const Product<R, L, W, Powers>& o) : Product(o.layers_, o.width_, o.powers) {}
  static constexpr bool linear() { return !Powers; }  // in each parameter
  ESCAPADE_HD int layers() const { return Layers > 0 ? Layers : layers_; }
  ESCAPADE_HD int width() const { return Width > 0 ? Width : width_; }

  // f_k and its first two derivatives
  template <class V> struct Factor {
    V value, slope, bend;
  };
  template <class V> ESCAPADE_HD Factor<V> factor(int k, V u) const {
    if constexpr (!Powers) {
      return {u, V(R(1)), V(R(0))};
    } else {
      const int p = int(powers[k]);
      V below = V(R(1)), low = V(p > 1 ? R(1) : R(0));  // u^(p-1) and u^(p-2)
      for (int j = 1; j < p; ++j) {
        if (j > 1) low = low * u;
        below = below * u;
      }
      return {below * u, R(p) * below, R(p * (p - 1)) * low};
    }
  }

  // v of two linear layers
  template <class V> ESCAPADE_HD V value(const V* u) const {
    const int W = width();
    V v = V(R(0));
    for (int i = 0; i < W; ++i) v = fma(u[i], u[W + i], v);
    return v;
  }
  // v, and its gradient into g
  template <class V> ESCAPADE_HD V gradient(const V* u, V* g) const {
    const int L = layers(), W = width();
    V v = V(R(0));
    if (L == 2 && !Powers) {
      for (int i = 0; i < W; ++i) {
        g[i] = u[W + i], g[W + i] = u[i];
        v = fma(u[i], u[W + i], v);
      }
      return v;
    }
    for (int i = 0; i < W; ++i) {
      V product = V(R(1));
      for (int k = 0; k < L; ++k) {
        g[k * W + i] = product;
        product = product * factor(k, u[k * W + i]).value;
      }
      v = v + product;
      product = V(R(1));
      for (int k = L - 1; k >= 0; --k) {
        const Factor<V> f = factor(k, u[k * W + i]);
        g[k * W + i] = g[k * W + i] * product * f.slope;
        product = product * f.value;
      }
    }
    return v;
  }

  // use(k, sum_l H_kl d(l)) for every layer k of a subnetwork with parameters at(l), H its Hessian. Products of the factors
  // before and behind k are carried on as dual numbers (value, derivative along d), so that factors may vanish. The products
  // before are kept in `ends`, 2 layers long; without it the cost would be quadratic in the layers.
  template <class V, class U, class D, class F> ESCAPADE_HD void hessian_product(U at, D d, V* ends, F use) const {
    const int L = layers();
    if (L == 2 && !Powers) {
      use(0, V(d(1)));
      use(1, V(d(0)));
      return;
    }
    V value = V(R(1)), slope = V(R(0));
    for (int k = 0; k < L; ++k) {
      const Factor<V> f = factor(k, at(k));
      ends[2 * k] = value, ends[2 * k + 1] = slope;
      slope = fma(slope, f.value, value * (f.slope * d(k)));
      value = value * f.value;
    }
    value = V(R(1)), slope = V(R(0));
    for (int k = L - 1; k >= 0; --k) {
      const Factor<V> f = factor(k, at(k));
      const V cross = fma(ends[2 * k + 1], value, ends[2 * k] * slope);
      if constexpr (Powers) use(k, fma(f.slope, cross, f.bend * (ends[2 * k] * value) * d(k)));
      else use(k, cross);
      slope = fma(slope, f.value, value * (f.slope * d(k)));
      value = value * f.value;
    }
  }

  // |g|^2 and the largest row sum of |H| where noise has balanced the layers, u_ik^2 = p_k square, at v > 0.
  struct Balance {
    double norm, row;
  };
  Balance balance(double v) const {
    double degree = 0, roots = 0, fraction = log(v / width_);
    for (int k = 0; k < layers_; ++k) {
      const double p = Powers ? powers[k] : 1;
      degree += p, roots += sqrt(p), fraction -= 0.5 * p * log(p);
    }
    const double square = exp(2 / degree * fraction);
    double row = 0;
    for (int k = 0; k < layers_; ++k) {
      const double p = Powers ? powers[k] : 1;
      row = max(row, (p - 1 + sqrt(p) * (roots - sqrt(p))) * v / width_ / square);
    }
    return {degree * v * v / width_ / square, row};
  }
};

// The equation over such a product, with derived constants as R.
template <class R, class P> struct RankOne : P {
  static constexpr bool vector = true, scalar_noise = true;
  R T, gamma, beta1, beta2, alpha1, alpha2, alpha3, rate_scale;
  bool stratonovich;  // the equation is read in that calculus: its Ito drift has half the correction more

  // numbers: T, gamma, beta1, beta2, alpha1, alpha2, alpha3, reading
  RankOne(const P& product, const double* n)
      : P(product),
        T(R(n[0])),
        gamma(R(n[1])),
        beta1(R(n[2])),
        beta2(R(n[3])),
        alpha1(R(n[4])),
        alpha2(R(n[5])),
        alpha3(R(n[6])),
        rate_scale(R(scale_of(product, n))),
        stratonovich(n[7] != 0) {}
  template <class Other>
  explicit RankOne(const Other& o)
      : P(o),
        T(o.T),
        gamma(o.gamma),
        beta1(o.beta1),
        beta2(o.beta2),
        alpha1(o.alpha1),
        alpha2(o.alpha2),
        alpha3(o.alpha3),
        rate_scale(o.rate_scale),
        stratonovich(o.stratonovich) {}

  template <class V> ESCAPADE_HD V q(V v) const {
    // rounding can make the value of a parabola that touches zero slightly negative
    return max(fma(fma(alpha1, v, V(R(-2) * alpha2)), v, V(alpha3)), V(R(0)));
  }

  template <class V> struct Point {
    V v, Tq;
  };
  // What a step needs of a state; leaves g in the temporaries.
  template <class V> ESCAPADE_HD Point<V> evaluate(const V* u, V* g) const {
    const V v = this->gradient(u, g);
    return {v, T * q(v)};
  }
  // An increment is along g + decay u.
  template <class V> struct Move {
    V along, decay;
  };
  template <class V, class W> ESCAPADE_HD Move<V> factors(const Point<V>& at, const W& dw, V h) const {
    return {fma(R(2) * sqrt(at.Tq), dw(0), R(-2) * fma(beta1, at.v, V(-beta2)) * h), R(-2) * gamma * h};
  }
  template <class V, class W>
  ESCAPADE_HD void increment(const Point<V>& at, const V* u, const W& dw, V h, V* du, V* g) const {
    const auto [along, decay] = factors(at, dw, h);
    const int n = P::fixed_planes > 0 ? P::fixed_planes : this->planes;
    for (int k = 0; k < n; ++k) du[k] = fma(along, g[k], decay * u[k]);
    if (stratonovich) add_correction(at, u, g, R(0.5) * h, du);
  }
  // u += a h + b dW in place: the numbers of many parameters pass through the cache less often than by way of `increment`,
  // to the same bits.
  template <class V, class W> ESCAPADE_HD void euler(V* u, const W& dw, V h, V* du, V* g) const {
    const int n = P::fixed_planes > 0 ? P::fixed_planes : this->planes;
    if (stratonovich) {
      increment(evaluate(u, g), u, dw, h, du, g);
      for (int k = 0; k < n; ++k) u[k] = u[k] + du[k];
      return;
    }
    if (this->layers() == 2 && this->linear()) {  // either layer is the other's gradient
      const int width = n / 2;
      const V v = this->value(u);
      const auto [along, decay] = factors(Point<V>{v, T * q(v)}, dw, h);
      for (int i = 0; i < width; ++i) {
        const V a = u[i], b = u[width + i];
        u[i] = a + fma(along, b, decay * a);
        u[width + i] = b + fma(along, a, decay * b);
      }
      return;
    }
    const auto [along, decay] = factors(evaluate(u, g), dw, h);
    for (int k = 0; k < n; ++k) u[k] = u[k] + fma(along, g[k], decay * u[k]);
  }
  // c += scale (b . grad) b, the sum of Milstein's term: 4 T q H g + 2 T q' |g|^2 g with H the Hessian of v.
  template <class V> ESCAPADE_HD void add_correction(const Point<V>& at, const V* u, V* g, V scale, V* c) const {
    const int L = this->layers(), W = this->width();
    V norm = V(R(0));
    for (int k = 0; k < L * W; ++k) norm = fma(g[k], g[k], norm);
    const V along = scale * (R(4) * T) * fma(alpha1, at.v, V(-alpha2)) * norm, across = scale * (R(4) * at.Tq);
    for (int i = 0; i < W; ++i)
      this->hessian_product([&](int l) { return u[l * W + i]; }, [&](int l) { return g[l * W + i]; }, g + L * W,
                            [&](int k, V bend) { c[k * W + i] = c[k * W + i] + fma(across, bend, along * g[k * W + i]); });
  }

  // How fast drift and noise change along the path (theory section 6, theta space).
  template <class V> ESCAPADE_HD V rate_of(const Point<V>& at, const V* u, V* g) const {
    const int L = this->layers(), W = this->width();
    V norm = V(R(0)), steepest = V(R(0));
    for (int k = 0; k < L * W; ++k) norm = fma(g[k], g[k], norm);
    // rows of |H| sum to what the Hessian of the moduli gives: a product's modulus is that of its factors
    if (L == 2 && this->linear()) steepest = V(R(1));
    else
      for (int i = 0; i < W; ++i)
        this->hessian_product([&](int l) { return abs(u[l * W + i]); }, [](int) { return R(1); }, g + L * W,
                              [&](int, V row) { steepest = max(steepest, row); });
    const V force = abs(fma(beta1, at.v, V(-beta2)));
    const V row = steepest * fma(R(16) * steepest, at.Tq, R(4) * force);
    // 4 T |g|^4 q'^2/q, whose last factor is at most 4 alpha1
    const V bend = norm * fma(R(16) * T * alpha1, norm, V(R(2) * beta1));
    return row + bend + (R(1) + R(2) * gamma);
  }
  // Steps are cut where the rate exceeds this multiple of what it is at the balanced minimum v = beta2/beta1.
  static double scale_of(const P& product, const double* n) {
    const double v = (n[2] > 0 ? abs(n[3]) / n[2] : 0) + 1e-3, Q = max(n[4] * v * v - 2 * n[5] * v + n[6], 0.0);
    const auto [g2, row] = product.balance(v);
    const double rate = 2 * n[2] * g2 + 16 * n[0] * row * row * Q + 2 * n[1] + 16 * n[0] * n[4] * g2 * g2;
    return 3 * (1 + rate + 4 * abs(n[3]) + 4 * n[0] * n[6]);
  }
};

ESCAPADE_END
