// Symmetric alpha-stable numbers S, E exp(i k S) = exp(-|k|^alpha), by the method of Chambers, Mallows and Stuck (1976):
//   S = sin(alpha V) / cos(V)^(1/alpha) (cos((1 - alpha) V) / W)^((1 - alpha)/alpha),   V = pi (U - 1/2), W exponential,
// one from two words. Written as
//   S = sin(alpha V) / cos V (cos((1 - alpha) V) / (W cos V))^((1 - alpha)/alpha)
// it is tan V at alpha = 1, loses nothing nearby, and is 2 sin V sqrt(W), a normal of variance 2, at alpha = 2.
//
// Large |S| come from V near +-pi/2 and from W near 0. Both are therefore made from their distance to that end, which a word
// gives to full relative precision: the law of |S| is right up to where its tail is as rare as 2^-31 (32-bit noise) or
// 2^-53.
#pragma once

#include "normal.hpp"

ESCAPADE_BEGIN

// sin(pi q / 2) for 0 <= q <= 1
template <class V> ESCAPADE_HD V sin_quarter(V q) {
  using T = Lane<V>;
  const auto far = q > T(0.5);
  V s, c;
  sincos_octant(select(far, T(1) - q, q) * T(1.57079632679489661923), s, c);
  return select(far, c, s);
}

// A uniform number in (0, 1] and a bit that is independent of it, as a mask. Small numbers keep their relative precision.
template <class V, class W> ESCAPADE_HD V uniform_and_bit(W word, decltype(V() > V())& bit) {
  if constexpr (sizeof(Lane<V>) == 4) {
    bit = bit_cast<int32_t>(word) < 0;
    return (convert<float>(bit_cast<int32_t>(word & 0x7fffffffu)) + 0.5f) * 0x1p-31f;
  } else {
    bit = bit_cast<int64_t>(word << 63) < 0;
    return bit_cast<double>((word >> 12) | bit_cast<uint64_t>(1.0)) - (1 - 0x1p-53);
  }
}

// A uniform number in (0, 1].
template <class V, class W> ESCAPADE_HD V uniform_of(W word) {
  if constexpr (sizeof(Lane<V>) == 4) return scale_down_32(convert<float>(word) + 1.0f);
  else return bit_cast<double>((word >> 12) | bit_cast<uint64_t>(1.0)) - (1 - 0x1p-53);
}

// A standard exponential number > 0: -ln u or -ln(1 - u), u <= 1/2, whatever the bit says.
template <class V, class W> ESCAPADE_HD V exponential_of(W word) {
  using T = Lane<V>;
  auto upper = V(T(0)) > V(T(0));
  const V u = T(0.5) * uniform_and_bit<V>(word, upper);
  const V rest = T(1) - u;
  // what rounding took from 1 - u is given back, so that small results are as precise as large ones
  return minus_log(select(upper, u, rest)) + select(upper, V(T(0)), rest - T(1) + u);
}

// What depends on alpha alone.
template <class T> struct StableLaw {
  T alpha, two_less, one_less, distance, power;
  explicit StableLaw(double a)
      : alpha(T(a)), two_less(T(2 - a)), one_less(T(1 - abs(1 - a))), distance(T(abs(1 - a))), power(T((1 - a) / a)) {}

  template <class V, class W> ESCAPADE_HD V draw(W angle, W exponential) const {
    using U = typename Format<T>::Uint;
    auto negative = V(T(0)) > V(T(0));
    const V c = uniform_and_bit<V>(angle, negative);  // |V| = (1 - c) pi/2
    const V turned = alpha * (T(1) - c);              // alpha |V|, in quarters of a turn; its sine by the nearer end
    const V sine = sin_quarter(select(turned <= T(1), turned, fma(alpha, c, V(two_less))));
    const V cosine = sin_quarter(c);
    const V other = sin_quarter(fma(distance, c, V(one_less)));  // cos((1 - alpha) V)
    const V w = exponential_of<V>(exponential);
    const V size = sine / cosine * exp(power * log(other / (w * cosine)));
    constexpr U sign = U(1) << (8 * sizeof(T) - 1);
    return bit_cast<T>(bit_cast<U>(size) | (bit_cast<U>(negative) & sign));
  }
};

#if !defined(__CUDACC__)
// Rows 2 i and 2 i + 1, words for the angle and for the exponential number, become a stable number and 0.
template <class T> void words_to_stable(T* rows, size_t row, int pairs, int particles, double alpha) {
  using V = Pack<T, 2 * Native<T>::lanes>;
  using U = typename Format<T>::Uint;
  const StableLaw<T> law(alpha);
  for (int i = 0; i < pairs; ++i) {
    T *r0 = rows + size_t(2 * i) * row, *r1 = r0 + row;
    for (int p = 0; p < particles; p += V::lanes) {
      law.template draw<V>(bit_cast<U>(V::load(r0 + p)), bit_cast<U>(V::load(r1 + p))).store(r0 + p);
      V(T(0)).store(r1 + p);
    }
  }
}
#endif

ESCAPADE_END
