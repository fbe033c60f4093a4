// SGD on minibatches for losses (v x - y)^2 + gamma |theta|^2 of a product v(theta) of product_network.hpp:
//
//   gradient = 2/S (v sum x^2 - sum x y) grad v + 2 gamma theta, sums over the minibatch.
#pragma once

#include "minibatch.hpp"
#include "product_network.hpp"

ESCAPADE_BEGIN

constexpr Parameter k_parameter = real("k", 1.0, "y/x", "slope of the teacher: y = k x + s e (laws 1 and 2)");
constexpr Parameter s_parameter = nonnegative("s", 1.0, "y", "standard deviation of the label noise (laws 1 and 2)");

// Pairs x, y of a minibatch. Any: the law is known at run time only; otherwise it is gaussian, with S = 1.
//   gaussian: x ~ N(0, 1), y = k x + s e; two normals per sample
//   binary:   x = +-1, y = k x + s e; x y = k + s e' with e' = x e a normal again; one normal per sample
//   samples:  x^2 and x y of all samples, one after the other; one word per sample
template <class R, bool Any> struct Pairs {
  R k, s, beta1, beta2;
  uint32_t count;
  const double *squares, *products;
  // numbers: k, s, beta1, beta2
  Pairs(const double* n, size_t samples, const double* table)
      : k(R(n[0])),
        s(R(n[1])),
        beta1(R(n[2])),
        beta2(R(n[3])),
        count(uint32_t(samples)),
        squares(table),
        products(table + samples) {}
  template <bool Other>
  explicit Pairs(const Pairs<R, Other>& o)
      : k(o.k), s(o.s), beta1(o.beta1), beta2(o.beta2), count(o.count), squares(o.squares), products(o.products) {}
  static int normals(const double* settings_at) { return law_of(settings_at) == Law::gaussian ? 2 : 1; }

  // The mean of v x^2 - x y over a minibatch.
  template <class V, class W, class O> ESCAPADE_HD V residual(V v, const W& draws, const O& o) const {
    if constexpr (!Any) {
      const V x = draws(0);
      return fma(v - k, x * x, -s * (x * draws(1)));
    } else {
      V xx = V(R(0)), rest = V(R(0));
      switch (o.law) {
        case Law::gaussian:
          for (int i = 0; i < o.batch; ++i) {
            const V x = draws(2 * i);
            xx = fma(x, x, xx);
            rest = fma(x, draws(2 * i + 1), rest);
          }
          return fma(v - k, xx, -s * rest) * o.share;
        case Law::binary:
          for (int i = 0; i < o.batch; ++i) rest = rest + draws(i);
          return fma(-s * o.share, rest, v - k);
        case Law::samples:
          for (int i = 0; i < o.batch; ++i) {
            const Chosen<V> one(draws.word(i), count);
            xx = xx + one(squares, 1, 0);
            rest = rest + one(products, 1, 0);
          }
          return fma(v, xx, -rest) * o.share;
        default:
          return fma(v, V(beta1), V(-beta2));
      }
    }
  }
};

template <class R, class P, bool Plain, bool Any> struct ProductSgd : P, Optimiser<R, Plain> {
  static constexpr bool vector = true;
  Pairs<R, Any> data;
  R decay;
  // numbers: gamma, k, s, beta1, beta2, then the settings
  ProductSgd(const P& product, const double* n, const double* table)
      : P(product), Optimiser<R, Plain>(n + 5), data(n + 1, samples_of(n + 5), table), decay(R(2 * n[0])) {
    if (!Plain && this->momentum > 0) this->planes *= 2;
  }
  template <class Other> explicit ProductSgd(const Other& o) : P(o), Optimiser<R, Plain>(o), data(o.data), decay(o.decay) {}
  ESCAPADE_HD int dim() const { return this->layers() * this->width(); }

  template <class V, class W> ESCAPADE_HD void gradient(const V* u, const W& draws, V* g, V*) const {
    const V v = P::gradient(u, g), along = R(2) * data.residual(v, draws, *this);
    const int n = dim();
    for (int k = 0; k < n; ++k) g[k] = fma(along, g[k], decay * u[k]);
  }
};

ESCAPADE_END
