// Two-layer linear network trained by SGD at temperature T: matrix factorisation, double rotation symmetry (theory B3).
//
// With A = U W, E = A - V, one sample has the gradient 2 (E x - Le zeta) x^T with respect to A. For normal data its
// covariance has an exact factor: xi xi^T - 1 has that of a symmetric matrix S of independent normals, of variance 2 on the
// diagonal and 1 elsewhere, and zeta xi^T, uncorrelated with it, that of a matrix Z of independent normals:
//
//   dG = 2 sqrt(T) [E Lx dS - Le dZ] Lx^T,  dU = -(2 E Sx dt + dG) W^T - 2 gamma U dt,  dW = -U^T (2 E Sx dt + dG) - 2 gamma
//   W dt.
//
// For N samples, dG = sqrt(T/N) sum_n (grad l_n - grad L) dW_n.
#pragma once

#include "common/two_layer.hpp"

ESCAPADE_BEGIN

struct TwoLayerLinear {
  static constexpr const char* name = "TwoLayerLinear";
  static constexpr const char* equation =
      "dU = -dG W^T - 2 gamma U dt, dW = -U^T dG - 2 gamma W dt, dG = grad L dt + sqrt(T Cov[grad l]) dB with respect to U "
      "W";
  static constexpr const char* source = "Ziyin, Wang, Li, Wu 2024 (NeurIPS; arXiv 2402.07193), double rotation symmetry";
  static constexpr Calculus calculus = Calculus::ito;
  // the tail holds lower triangular Lx and Le and V, or the samples
  static constexpr Parameter parameters[] = {
      layer_size("d_in", "length of the input"),
      layer_size("d_hidden", "width of the hidden layer"),
      layer_size("d_out", "length of the output"),
      nonnegative("T", 0.1, "time", "temperature, learning rate over batch size"),
      nonnegative("gamma", 0.0, "1/time", "weight decay"),
      {"samples", 0, 0, 262144, false, false, true, "1", "size of a finite data set; 0: normal data"},
  };
  static constexpr int named = 6;
  static Shape shape(const double* p) {
    const int in = int(p[0]), hidden = int(p[1]), out = int(p[2]), dim = hidden * (out + in);
    return {dim, dim, p[5] > 0 ? int(p[5]) : in * (in + 1) / 2 + out * in, Draw::increments};
  }
  static const char* check(const double* p) {
    return p[5] > 0 || p[0] * (p[0] + 1) / 2 + p[2] * p[0] <= 1 << 18 ? nullptr : "noise must have at most 262144 sources";
  }
  static size_t tail(const double* p) { return p[5] > 0 ? sample_numbers(p, size_t(p[5])) : gaussian_numbers(p); }

  // Normal data.
  template <class R, int In, int Hidden, int Out> struct Gaussian : TwoLayers<R, In, Hidden, Out> {
    static constexpr bool vector = true;
    static constexpr int fixed_temporaries = 3 * Out * In;
    int planes, temporaries;
    R noise, decay;
    Matrix<R, In * In> Lx;
    Matrix<R, Out * Out> Le;
    Matrix<R, Out * In> V_;
    explicit Gaussian(const double* p)
        : TwoLayers<R, In, Hidden, Out>(p),
          planes(this->dim()),
          temporaries(3 * this->out() * this->in()),
          noise(R(2 * sqrt(p[3]))),
          decay(R(-2 * p[4])),
          Lx(p + named),
          Le(p + named + this->in() * this->in()),
          V_(p + named + this->in() * this->in() + this->out() * this->out()) {}

    struct Nothing {};
    template <class V> ESCAPADE_HD Nothing evaluate(const V* x, V* E) const {
      this->product(x, E);
      for (int j = 0; j < this->out() * this->in(); ++j) E[j] = E[j] - V_[j];
      return {};
    }
    template <class V, class D> ESCAPADE_HD void increment(Nothing, const V* x, const D& dw, V h, V* dx, V* E) const {
      const int n = this->in(), m = this->out(), symmetric = n * (n + 1) / 2;
      V *F = E + m * n, *Q = F + m * n;
      const R root2 = R(1.41421356237309504880);
      for (int a = 0; a < m; ++a)
        for (int j = 0; j < n; ++j) {
          V sum = E[a * n + j] * Lx[j * n + j];
          for (int i = j + 1; i < n; ++i) sum = fma(E[a * n + i], Lx[i * n + j], sum);
          F[a * n + j] = sum;
        }
      for (int a = 0; a < m; ++a)
        for (int j = 0; j < n; ++j) {
          V sum = V(R(0));
          for (int i = 0; i < n; ++i) {
            const int low = i < j ? i : j, high = i < j ? j : i;
            const V s = dw(low * n - low * (low - 1) / 2 + high - low);
            sum = fma(F[a * n + i], i == j ? root2 * s : s, sum);
          }
          for (int b = 0; b <= a; ++b) sum = fma(V(-Le[a * m + b]), dw(symmetric + b * n + j), sum);
          Q[a * n + j] = -fma(noise, sum, R(2) * h * F[a * n + j]);
        }
      for (int a = 0; a < m; ++a)
        for (int k = 0; k < n; ++k) {
          V sum = Q[a * n] * Lx[k * n];
          for (int j = 1; j <= k; ++j) sum = fma(Q[a * n + j], Lx[k * n + j], sum);
          F[a * n + k] = sum;
        }
      this->layers(F, x, decay * h, dx);
    }
  };

  // A finite data set.
  template <class R> struct Physical : TwoLayers<R, 0, 0, 0> {
    static constexpr bool vector = true;
    static constexpr int fixed_temporaries = 0;
    const double* p;
    int planes, temporaries, samples;
    R noise, share, decay;
    const double *inputs, *targets;
    explicit Physical(const double* parameters)
        : TwoLayers<R, 0, 0, 0>(parameters),
          p(parameters),
          planes(this->dim()),
          temporaries(3 * this->out() * this->in()),
          samples(int(p[5])),
          noise(R(samples ? sqrt(p[3] / p[5]) : 0)),
          share(R(samples ? 1 / p[5] : 0)),
          decay(R(-2 * p[4])),
          inputs(p + named),
          targets(inputs + size_t(samples) * size_t(this->in())) {}
    template <class F> void specialise(F f) const {
      if (samples > 0) f(*this);
      else if (this->in() == 2 && this->hidden() == 2 && this->out() == 2) f(Gaussian<R, 2, 2, 2>(p));
      else f(Gaussian<R, 0, 0, 0>(p));
    }

    struct Nothing {};
    template <class V> ESCAPADE_HD Nothing evaluate(const V* x, V* A) const {
      this->product(x, A);
      return {};
    }
    // Each sample's gradient is taken sqrt(T/N) (dW_n - mean of all dW) + dt/N times.
    template <class V, class D> ESCAPADE_HD void increment(Nothing, const V* x, const D& dw, V h, V* dx, V* A) const {
      const int n = this->in(), m = this->out();
      V *G = A + m * n, *r = G + m * n, mean = V(R(0));
      for (int s = 0; s < samples; ++s) mean = mean + dw(s);
      mean = mean * share;
      for (int j = 0; j < m * n; ++j) G[j] = V(R(0));
      for (int s = 0; s < samples; ++s) {
        const double *input = inputs + size_t(s) * size_t(n), *target = targets + size_t(s) * size_t(m);
        const V weight = R(-2) * fma(noise, dw(s) - mean, share * h);
        this->residual(A, [&](int i) { return V(R(input[i])); }, [&](int a) { return V(R(target[a])); }, r);
        for (int a = 0; a < m; ++a)
          for (int i = 0; i < n; ++i) G[a * n + i] = fma(weight * r[a], V(R(input[i])), G[a * n + i]);
      }
      this->layers(G, x, decay * h, dx);
    }
  };
};

ESCAPADE_END
