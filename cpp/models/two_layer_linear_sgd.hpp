// Two-layer linear network trained by SGD on minibatches (theory B3).
#pragma once

#include "common/minibatch.hpp"
#include "common/two_layer.hpp"

ESCAPADE_BEGIN

struct TwoLayerLinearSgd {
  static constexpr const char* name = "TwoLayerLinearSGD";
  static constexpr const char* equation =
      "U -= eta [G W^T + 2 gamma U], W -= eta [U^T G + 2 gamma W], G = 2/S sum (U W x - y) x^T over S samples";
  static constexpr const char* source = "Ziyin, Wang, Li, Wu 2024 (NeurIPS; arXiv 2402.07193), double rotation symmetry";
  static constexpr Calculus calculus = Calculus::discrete;
  // The tail: lower triangular Lx and Le, and V (law 1); E x x^T, d_out^2 unused numbers, E y x^T (law 0); samples (law 3).
  static constexpr Parameter parameters[] = {
      layer_size("d_in", "length of the input"),
      layer_size("d_hidden", "width of the hidden layer"),
      layer_size("d_out", "length of the output"),
      nonnegative("gamma", 0.0, "1/time", "weight decay"),
      eta_parameter,
      batch_parameter,
      momentum_parameter,
      noise_parameter,
      law_parameter,
      samples_parameter,
  };
  static constexpr int named = 4 + settings;
  static Shape shape(const double* p) { return minibatch_shape(int(p[1]) * int(p[0] + p[2]), p + 4, int(p[0] + p[2])); }
  static const char* check(const double* p) {
    if (law_of(p + 4) == Law::binary) return "law must be 0, 1 or 3";
    return check_minibatch(p[1] * (p[0] + p[2]), p + 4, p[0] + p[2]);
  }
  static size_t tail(const double* p) {
    return law_of(p + 4) == Law::samples ? sample_numbers(p, samples_of(p + 4)) : gaussian_numbers(p);
  }

  template <class R, int In, int Hidden, int Out, bool Plain>
  struct Sized : TwoLayers<R, In, Hidden, Out>, Optimiser<R, Plain> {
    static constexpr int fixed_temporaries = 2 * Out * In + Out + In;
    int planes, temporaries;
    R decay;
    uint32_t count;
    const double *inputs, *targets;
    Matrix<R, In * In> first;  // Lx or E x x^T
    Matrix<R, Out * Out> Le;
    Matrix<R, Out * In> second;  // V or E y x^T
    explicit Sized(const double* p)
        : TwoLayers<R, In, Hidden, Out>(p),
          Optimiser<R, Plain>(p + 4),
          planes(this->dim() * (p[6] > 0 ? 2 : 1)),
          temporaries(2 * this->out() * this->in() + this->out() + this->in()),
          decay(R(2 * p[3])),
          count(uint32_t(samples_of(p + 4))),
          inputs(p + named),
          targets(inputs + size_t(count) * size_t(this->in())),
          first(p + named),
          Le(p + named + this->in() * this->in()),
          second(p + named + this->in() * this->in() + this->out() * this->out()) {}

    // G += r x^T
    template <class V> ESCAPADE_HD void add(const V* r, const V* x, V* G) const {
      for (int a = 0; a < this->out(); ++a)
        for (int i = 0; i < this->in(); ++i) G[a * this->in() + i] = fma(r[a], x[i], G[a * this->in() + i]);
    }
    template <class V, class D> ESCAPADE_HD void gradient(const V* theta, const D& draws, V* g, V* A) const {
      const int n = this->in(), m = this->out();
      V *G = A + m * n, *r = G + m * n, *x = r + m;
      this->product(theta, A);
      for (int j = 0; j < m * n; ++j) G[j] = V(R(0));
      if (this->law == Law::gaussian) {
        for (int j = 0; j < m * n; ++j) A[j] = A[j] - second[j];
        for (int s = 0; s < this->batch; ++s) {
          const int at = s * (n + m);
          for (int i = 0; i < n; ++i) {
            x[i] = first[i * n] * draws(at);
            for (int j = 1; j <= i; ++j) x[i] = fma(first[i * n + j], draws(at + j), x[i]);
          }
          auto noise = [&](int a) {
            V sum = Le[a * m] * draws(at + n);
            for (int b = 1; b <= a; ++b) sum = fma(Le[a * m + b], draws(at + n + b), sum);
            return sum;
          };
          this->residual(A, [&](int i) { return x[i]; }, noise, r);
          add(r, x, G);
        }
      } else if (this->law == Law::samples) {
        for (int s = 0; s < this->batch; ++s) {
          const Chosen<V> one(draws.word(s), count);
          for (int i = 0; i < n; ++i) x[i] = one(inputs, n, i);
          this->residual(A, [&](int i) { return x[i]; }, [&](int a) { return one(targets, m, a); }, r);
          add(r, x, G);
        }
      } else {
        for (int a = 0; a < m; ++a)
          for (int i = 0; i < n; ++i) {
            V sum = V(-second[a * n + i]);
            for (int j = 0; j < n; ++j) sum = fma(A[a * n + j], V(first[j * n + i]), sum);
            G[a * n + i] = sum;
          }
      }
      const R scale = this->law == Law::full ? R(2) : R(2) * this->share;
      for (int j = 0; j < m * n; ++j) G[j] = scale * G[j];
      this->layers(G, theta, V(decay), g);
    }
  };
  template <class R> struct Minibatch : Sized<R, 0, 0, 0, false> {
    const double* p;
    explicit Minibatch(const double* parameters) : Sized<R, 0, 0, 0, false>(parameters), p(parameters) {}
    template <class F> void specialise(F f) const {
      const bool small = this->in() == 2 && this->hidden() == 2 && this->out() == 2;
      if (small && this->is_plain() && this->law != Law::samples) f(Sized<R, 2, 2, 2, true>(p));
      else f(static_cast<const Sized<R, 0, 0, 0, false>&>(*this));
    }
  };
};

ESCAPADE_END
