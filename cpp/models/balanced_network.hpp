// Balanced diagonal linear network of `depth` + 1 layers and `width` equal subnetworks, trained by SGD at temperature T:
// the one-dimensional equation of v, the product of the weights summed over subnetworks (theory A3; paper eq. A.93).
//
//   dv = [-K v^m (beta1 v - beta2) - 2 gamma (D+1) v + D/(D+1) K^2/2 v^(2m-1) T q] dt + K v^m sqrt(T q) dW,
//   m = 2D/(D+1),  K = 2 (D+1) d^(1-m),  q(v) = alpha1 v^2 - 2 alpha2 v + alpha3.
#pragma once

#include "common/data_moments.hpp"

ESCAPADE_BEGIN

struct BalancedNetwork {
  static constexpr const char* name = "BalancedNetwork";
  static constexpr const char* equation =
      "dv = [-K v^m (beta1 v - beta2) - 2 gamma (D+1) v + D/(D+1) K^2/2 v^(2m-1) T q(v)] dt + K v^m sqrt(T q(v)) dW";
  static constexpr const char* source = "Ziyin, Li, Ueda 2025 (PRE 111, 065303; arXiv 2308.06671), eq. A.93";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      count("depth", 1, 0, "D: layers minus one; 0 is linear regression"),
      count("width", 1, 1, "d: number of equal subnetworks"),
      temperature_parameter,
      decay_parameter,
      beta1_parameter,
      beta2_parameter,
      alpha1_parameter,
      alpha2_parameter,
      alpha3_parameter,
  };

  // What all coordinates share: constants, q, and powers of v for depth 0, 1 and beyond.
  template <class R> struct Base {
    R D, m, K, decay, half_K2T, K2T, T, beta1, beta2, alpha1, alpha2, alpha3;
    int depth;
    explicit Base(const double* p) : depth(int(p[0])) {
      const double m_ = 2 * p[0] / (p[0] + 1), K_ = 2 * (p[0] + 1) * exp((1 - m_) * log(p[1]));
      D = R(p[0]), m = R(m_), K = R(K_), decay = R(2 * p[3] * (p[0] + 1)), T = R(p[2]);
      K2T = R(K_ * K_ * p[2]), half_K2T = R(0.5 * K_ * K_ * p[2]);
      beta1 = R(p[4]), beta2 = R(p[5]), alpha1 = R(p[6]), alpha2 = R(p[7]), alpha3 = R(p[8]);
    }
    template <class V> ESCAPADE_HD V q(V v) const {
      // rounding can make the value of a parabola that touches zero slightly negative
      return max(fma(fma(alpha1, v, V(R(-2) * alpha2)), v, V(alpha3)), V(R(0)));
    }
    template <class V> ESCAPADE_HD V q_slope(V v) const { return R(2) * fma(alpha1, v, V(-alpha2)); }
    template <class V> ESCAPADE_HD V force(V v) const { return fma(beta1, v, V(-beta2)); }
  };

  template <class R> struct Physical : Base<R> {
    using B = Base<R>;
    using B::B;
    template <class V> ESCAPADE_HD V power(V v) const {  // v^m
      if (this->depth == 0) return V(R(1));
      return this->depth == 1 ? v : exp(this->m * log(v));
    }
    template <class V> ESCAPADE_HD V drift(V v) const {
      V p = power(v);
      V sum = -(this->K * p) * this->force(v) - this->decay * v;
      if (this->depth == 0) return sum;
      return sum + (this->D / (this->D + R(1)) * this->half_K2T) * (p * p / v) * this->q(v);
    }
    template <class V> ESCAPADE_HD V diffusion(V v) const { return this->K * power(v) * sqrt(this->T * this->q(v)); }
    template <class V> ESCAPADE_HD V diffusion_gradient(V v) const {
      V p = power(v), p2 = p * p;
      V slope = p2 * this->q_slope(v);
      if (this->depth > 0) slope = slope + (R(2) * this->m) * (p2 / v) * this->q(v);
      return this->half_K2T * slope;
    }
    // v = 0 is never reached by the process: a path that gets there was thrown by its scheme
    template <class V> ESCAPADE_HD auto in_domain(V v) const { return v > R(this->depth == 0 ? -infinity<R>() : R(0)); }
  };

  // z = ln v, the coordinate that theory section 6 advises
  template <class R> struct Log : Base<R> {
    using B = Base<R>;
    R rate_scale, reach = R(1);
    explicit Log(const double* p) : B(p) {
      // the scale of depth 1 for all: deeper networks are faster by K/4 and get their steps cut accordingly
      rate_scale = R(1 + 4 * abs(p[5]) + 20 * p[2] * p[8]);
    }
    static const char* check(const double* p) { return p[0] >= 1 ? nullptr : "depth must be >= 1"; }
    template <class V> struct Terms {
      V v, power;
    };  // v and v^(m-1)
    template <class V> ESCAPADE_HD Terms<V> terms(V z) const {
      return {exp(z), this->depth == 1 ? V(R(1)) : exp((this->m - R(1)) * z)};
    }
    template <class V> ESCAPADE_HD V drift(V z) const { return coefficients(z).drift; }
    template <class V> ESCAPADE_HD V diffusion(V z) const { return coefficients(z).diffusion; }
    template <class V> ESCAPADE_HD V diffusion_gradient(V z) const {
      Terms<V> t = terms(z);
      V slope = (R(2) * this->m - R(2)) * this->q(t.v) + t.v * this->q_slope(t.v);
      return this->half_K2T * (t.power * t.power) * slope;
    }
    template <class V> ESCAPADE_HD Coefficients<V> coefficients(V z) const {
      const Terms<V> t = terms(z);
      const V q = this->q(t.v), p2 = t.power * t.power;
      const V a = -(this->K * t.power) * this->force(t.v) - this->decay - (this->half_K2T / (this->D + R(1))) * p2 * q;
      return {a, this->K * t.power * sqrt(this->T * q), fma(this->K2T * p2, q, R(1) + abs(a))};
    }
    template <class V> ESCAPADE_HD V to_physical(V z) const { return exp(z); }
    template <class V> ESCAPADE_HD V from_physical(V v) const { return log(v); }
    template <class V> ESCAPADE_HD V to_log(V z) const { return z; }
    template <class V> ESCAPADE_HD V from_log(V z) const { return z; }
  };

  // Depth 1: x = 1/v has noise 4 sqrt(T (alpha1 - 2 alpha2 x + alpha3 x^2)), so y = asinh((alpha3 x - alpha2)/sqrt(Delta))/c
  // with c = -4 sqrt(T alpha3) has unit noise (theory section 6); the sign makes y grow with v, so that it follows the same
  // Wiener path as v and ln v. Binary data (alpha1 = alpha2 = 0): y = ln x / c.
  template <class R> struct Lamperti {
    R c, root, alpha2, inv_alpha3, mu_const, mu_linear, mu_inverse, scale, half_c, beta1, b2, T, alpha1, alpha3;
    R wall, rate_scale, reach;
    bool binary;
    explicit Lamperti(const double* p) {
      const double T_ = p[2], b2_ = p[5] - p[3], a1 = p[6], a2 = p[7], a3 = p[8], delta = a1 * a3 - a2 * a2;
      const double c_ = -4 * sqrt(T_ * a3);
      binary = a1 == 0 && a2 == 0;
      c = R(c_), half_c = R(0.5 * c_), root = R(binary ? 0.0 : sqrt(delta)), alpha2 = R(a2), inv_alpha3 = R(1 / a3);
      mu_const = R(4 * p[4] - 24 * T_ * a2), mu_linear = R(12 * T_ * a3 - 4 * b2_), mu_inverse = R(12 * T_ * a1);
      scale = R(binary ? 1 / c_ : a3 / (c_ * sqrt(delta)));
      beta1 = R(p[4]), b2 = R(b2_), T = R(T_), alpha1 = R(a1), alpha3 = R(a3);
      rate_scale = R(1 + 4 * abs(p[5]) + 20 * T_ * a3), reach = R(-1 / c_);
      wall = binary ? infinity<R>() : R(asinh(-a2 / sqrt(delta)) / c_);
    }
    static const char* check(const double* p) {
      if (p[0] != 1) return "depth must be 1";
      if (!(p[2] > 0 && p[8] > 0)) return "T and alpha3 must be > 0";
      const double delta = p[6] * p[8] - p[7] * p[7];
      if (delta <= 0 && !(p[6] == 0 && p[7] == 0)) return "alpha1 alpha3 - alpha2^2 must be > 0 (or alpha1 = alpha2 = 0)";
      return nullptr;
    }
    // sinh(c y), cosh(c y) and x = 1/v, all times g = exp(-|c y|), so that nothing overflows on the way to v = 0.
    template <class V> struct Point {
      V g, sinh, cosh, x;
    };
    template <class V> ESCAPADE_HD Point<V> point(V y) const {
      V cy = c * y, g = exp(-abs(cy)), g2 = g * g;
      V sh = copysign(R(0.5) * (R(1) - g2), cy);
      return {g, sh, R(0.5) * (R(1) + g2), fma(root, sh, alpha2 * g) * inv_alpha3};
    }
    // the rate is that of ln v, whose noise is 4 sqrt(T q)
    template <class V> ESCAPADE_HD Coefficients<V> coefficients(V y) const {
      V v, drift;
      if (binary) {
        v = exp(-c * y);
        drift = scale * fma(mu_const, v, V(mu_linear)) - half_c;
      } else {
        const Point<V> at = point(y);
        v = at.g / at.x;
        V mu = fma(mu_linear, at.x, mu_const * at.g) + mu_inverse * (at.g * v);
        drift = (scale * mu - half_c * at.sinh) / at.cosh;
      }
      const V Tq4 = R(4) * T * fma(fma(alpha1, v, V(R(-2) * alpha2)), v, V(alpha3));
      return {drift, V(R(1)), R(1) + abs(R(4) * fma(beta1, v, V(-b2)) + Tq4) + R(4) * Tq4};
    }
    template <class V> ESCAPADE_HD V drift(V y) const { return coefficients(y).drift; }
    template <class V> ESCAPADE_HD Drift<V> slope(V y) const {
      if (binary) {
        const V v = exp(-c * y);
        return {scale * fma(mu_const, v, V(mu_linear)) - half_c, -mu_const * v};
      }
      // f = (scale mu - c/2 sinh)/cosh and scale dx/dy = cosh give f' without further functions
      const Point<V> at = point(y);
      const V v = at.g / at.x, tanh = at.sinh / at.cosh;
      const V f = scale * (fma(mu_linear, at.x, mu_const * at.g) + mu_inverse * (at.g * v)) / at.cosh - half_c * tanh;
      return {f, (mu_linear - c * half_c) - mu_inverse * (v * v) - c * tanh * f};
    }
    template <class V> ESCAPADE_HD V fold(V y) const { return select(y > wall, R(2) * wall - y, y); }  // v = infinity
    template <class V> ESCAPADE_HD V to_physical(V y) const {
      if (binary) return exp(-c * y);
      const Point<V> at = point(y);
      return at.g / at.x;
    }
    template <class V> ESCAPADE_HD V from_physical(V v) const {
      if (binary) return -log(v) / c;
      return asinh((R(1) / (inv_alpha3 * v) - alpha2) / root) / c;
    }
    template <class V> ESCAPADE_HD V to_log(V y) const {
      if (binary) return -c * y;
      const Point<V> at = point(y);
      return -(log(at.x) + abs(c * y));
    }
    template <class V> ESCAPADE_HD V from_log(V z) const {
      if (binary) return -z / c;
      V deep = (log(V(R(2) / (inv_alpha3 * root))) - z) / c;  // asinh of what is too large for a float
      return select(z < R(-40), deep, from_physical(exp(z)));
    }
  };
};

ESCAPADE_END
