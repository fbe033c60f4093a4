// Standard normals from uniform words by the method of Box and Muller, two from two.
//
// The radius word stands for a uniform u:
//   32-bit noise   u = (w + 1) 2^-32           in (0, 1], |z| <= 6.66
//   53-bit noise   u = (2 (w >> 12) + 1) 2^-53 in (0, 1), |z| <= 8.57
// Two bits of the angle word are the signs, the others an angle of up to an eighth of a turn to either side. With its sine s
// and cosine c, (c - s, c + s) is a point of the first quadrant of the circle of radius sqrt(2): no octants, no swaps.
#pragma once

#include "math.hpp"

ESCAPADE_BEGIN

// x 2^-32 for |x| >= 1, in the exponent field: integer operations find room where multiplications have none.
template <class V> ESCAPADE_HD V scale_down_32(V x) { return bit_cast<float>(bit_cast<uint32_t>(x) - (32u << 23)); }

// -ln u for 0 < u <= 1, u normal. u = m 2^-n with m in [sqrt(1/2), sqrt(2)): n vanishes near u = 1, so nothing cancels.
template <class V> ESCAPADE_HD V minus_log(V u) {
  using T = Lane<V>;
  using F = Format<T>;
  using U = typename F::Uint;
  constexpr U one = U(1) << F::mantissa;
  constexpr double ln2 = 0.69314718055994530942;
  const auto bits = bit_cast<U>(u);
  const auto distance = U(F::sqrt_half_bits + one - 1) - bits;  // n in the exponent field, remainder below
  const auto shift = distance & ~(one - 1);
  const V r = bit_cast<T>(bits + shift) - T(1);
  if constexpr (sizeof(T) == 4) {
    const V n = convert<T>(bit_cast<int32_t>(shift));
    return fma(n, T(ln2 / one), r * polynomial(r, Coefficients<T>::radius_poly));
  } else {
    // AVX2 has no 64-bit conversion: through the mantissa of 2^52
    constexpr double two52 = 4503599627370496.0;
    const V n = bit_cast<double>((distance >> F::mantissa) | bit_cast<uint64_t>(two52)) - two52;
    const V s = r / (r + T(2));
    return fma(n, T(ln2), s * polynomial(s * s, Coefficients<T>::radius_poly));
  }
}

// sqrt(-ln u) of a radius word. W: lanes of uint32_t and V: lanes of float; or uint64_t and double.
template <class V, class W> ESCAPADE_HD V radius_of(W word) {
  if constexpr (sizeof(Lane<V>) == 4) {
    return sqrt(minus_log(scale_down_32(convert<float>(word) + 1.0f)));
  } else {
    return sqrt(minus_log(bit_cast<double>((word >> 12) | bit_cast<uint64_t>(1.0)) - (1 - 0x1p-53)));
  }
}

// The point of the circle of radius sqrt(2) radius that an angle word stands for.
template <class V, class W> ESCAPADE_HD void turn(V radius, W word, V& z0, V& z1) {
  using T = Lane<V>;
  using U = typename Format<T>::Uint;
  V t;  // in [-1/2, 1/2], in quarters of a turn
  if constexpr (sizeof(T) == 4) t = scale_down_32(convert<float>(bit_cast<int32_t>((word << 2) | 2u)));
  else t = bit_cast<double>(((word >> 10) & ((uint64_t(1) << 52) - 1)) | bit_cast<uint64_t>(1.0)) - 1.5;
  const V square = t * t;
  const V s = t * polynomial(square, Coefficients<T>::sin_turn_poly);
  const V c = polynomial(square, Coefficients<T>::cos_turn_poly);
  constexpr U sign = U(1) << (8 * sizeof(T) - 1);
  z0 = bit_cast<T>(bit_cast<U>(radius * (c - s)) ^ (word & sign));
  z1 = bit_cast<T>(bit_cast<U>(radius * (c + s)) ^ ((word << 1) & sign));
}

template <class V, class W> ESCAPADE_HD void box_muller(W radius_word, W angle_word, V& z0, V& z1) {
  turn(radius_of<V>(radius_word), angle_word, z0, z1);
}

ESCAPADE_END
