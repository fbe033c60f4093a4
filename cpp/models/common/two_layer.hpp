// Two linear layers, A = U W, with U of d_out x d_hidden numbers and W of d_hidden x d_in behind it, row by row; and
// |U W x - y|^2 + gamma (|U|^2 + |W|^2) on inputs x = Lx xi and targets y = V x + Le zeta with normal xi, zeta.
#pragma once

#include "../model.hpp"

ESCAPADE_BEGIN

// A matrix among the parameters: a copy if its size is known at compile time.
template <class R, int Count> struct Matrix {
  R own[Count];
  explicit Matrix(const double* p) {
    for (int i = 0; i < Count; ++i) own[i] = R(p[i]);
  }
  ESCAPADE_HD R operator[](int i) const { return own[i]; }
};
template <class R> struct Matrix<R, 0> {
  const double* at;
  explicit Matrix(const double* p) : at(p) {}
  ESCAPADE_HD R operator[](int i) const { return R(at[i]); }
};

constexpr Parameter layer_size(const char* name, const char* doc) {
  return {name, 2, 1, 1000, false, false, true, "1", doc};
}

// Numbers in the tail: what gaussian data or full gradients need (one pair of symmetric or triangular matrices and one
// d_out x d_in matrix), or `samples` rows of x, then as many of y.
inline size_t gaussian_numbers(const double* sizes) {
  return size_t(sizes[0] * sizes[0] + sizes[2] * sizes[2] + sizes[2] * sizes[0]);
}
inline size_t sample_numbers(const double* sizes, size_t samples) { return samples * size_t(sizes[0] + sizes[2]); }

// Sizes 0 are known at run time only.
template <class R, int In, int Hidden, int Out> struct TwoLayers {
  static constexpr int fixed_planes = Hidden * (Out + In);
  int in_, hidden_, out_;
  // sizes: d_in, d_hidden, d_out
  explicit TwoLayers(const double* sizes) : in_(int(sizes[0])), hidden_(int(sizes[1])), out_(int(sizes[2])) {}
  ESCAPADE_HD int in() const { return In > 0 ? In : in_; }
  ESCAPADE_HD int hidden() const { return Hidden > 0 ? Hidden : hidden_; }
  ESCAPADE_HD int out() const { return Out > 0 ? Out : out_; }
  ESCAPADE_HD int dim() const { return hidden() * (out() + in()); }

  template <class V> ESCAPADE_HD void product(const V* x, V* A) const {
    const V* const W = x + out() * hidden();
    for (int a = 0; a < out(); ++a)
      for (int i = 0; i < in(); ++i) {
        V sum = V(R(0));
        for (int k = 0; k < hidden(); ++k) sum = fma(x[a * hidden() + k], W[k * in() + i], sum);
        A[a * in() + i] = sum;
      }
  }
  // The gradient with respect to U and W of a loss with gradient G with respect to A, and weight decay: G W^T, U^T G.
  template <class V> ESCAPADE_HD void layers(const V* G, const V* x, V decay, V* g) const {
    const V* const W = x + out() * hidden();
    V* const gW = g + out() * hidden();
    for (int a = 0; a < out(); ++a)
      for (int k = 0; k < hidden(); ++k) {
        V sum = decay * x[a * hidden() + k];
        for (int i = 0; i < in(); ++i) sum = fma(G[a * in() + i], W[k * in() + i], sum);
        g[a * hidden() + k] = sum;
      }
    for (int k = 0; k < hidden(); ++k)
      for (int i = 0; i < in(); ++i) {
        V sum = decay * W[k * in() + i];
        for (int a = 0; a < out(); ++a) sum = fma(x[a * hidden() + k], G[a * in() + i], sum);
        gW[k * in() + i] = sum;
      }
  }
  // residual = A x - y for vectors given by number
  template <class V, class X, class Y> ESCAPADE_HD void residual(const V* A, X x, Y y, V* r) const {
    for (int a = 0; a < out(); ++a) {
      V sum = -y(a);
      for (int i = 0; i < in(); ++i) sum = fma(A[a * in() + i], x(i), sum);
      r[a] = sum;
    }
  }
};

ESCAPADE_END
