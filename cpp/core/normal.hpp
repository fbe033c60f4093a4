// Standard normals from uniform words by the method of Box and Muller, two from two.
//
// The angle needs no range reduction: three bits of its word choose the octant (one swap, two signs), the rest the position
// inside it, so sine and cosine keep their relative accuracy. The radius word w stands for the uniform u:
//   32-bit noise   u = (w + 1) 2^-32          in (0, 1], |z| <= 6.66
//   53-bit noise   u = (2 (w >> 12) + 1) 2^-53 in (0, 1), |z| <= 8.57
#pragma once

#include "math.hpp"

ESCAPADE_BEGIN

// -2 ln(f / 2^bits) for 1 <= f <= 2^bits; near f = 2^bits the exponent part vanishes exactly, so nothing cancels.
template <class V> ESCAPADE_HD V radius_squared(V f, int bits) {
  using T = Lane<V>;
  V m, e = split_exponent(f, m);
  V k = T(bits) - e;
  V r = m - T(1);
  if constexpr (sizeof(T) == 4) {
    V log_m = fma(r * r, polynomial(r, Coefficients<T>::log_poly), r);
    return fma(k, T(1.38629436111989061883), T(-2) * log_m);
  } else {
    V s = r / (r + T(2));
    V z = s * s;
    V log_m = fma(s * z, polynomial(z, Coefficients<T>::log_poly), s + s);
    return fma(k, T(1.38629436111989061883), T(-2) * log_m);
  }
}

template <class V, class W> ESCAPADE_HD void place(V radius, V s, V c, W octant, V& z0, V& z1) {
  using T = Lane<V>;
  using U = typename Format<T>::Uint;
  constexpr int top = 8 * sizeof(T) - 1;
  constexpr U sign = U(1) << top;
  auto swap = (octant & U(1)) != U(0);
  z0 = radius * select(swap, s, c);
  z1 = radius * select(swap, c, s);
  z0 = bit_cast<T>(bit_cast<U>(z0) ^ ((octant << (top - 1)) & sign));
  z1 = bit_cast<T>(bit_cast<U>(z1) ^ ((octant << (top - 2)) & sign));
}

// W: lanes of uint32_t, V: lanes of float
template <class V, class W> ESCAPADE_HD void box_muller(W radius_word, W angle_word, V& z0, V& z1) {
  using T = Lane<V>;
  constexpr double quarter_pi = 0.78539816339744830962;
  if constexpr (sizeof(T) == 4) {
    constexpr float scale = float(quarter_pi / (1 << 29));
    V f = convert<float>(radius_word) + 1.0f;
    V radius = sqrt(radius_squared(f, 32));
    V s, c;
    sincos_octant(fma(convert<float>(bit_cast<int32_t>(angle_word >> 3)), scale, V(0.5f * scale)), s, c);
    place(radius, s, c, angle_word, z0, z1);
  } else {
    // integers below 2^52 become doubles through the mantissa of 2^52: AVX2 has no 64-bit conversion
    constexpr double two52 = 4503599627370496.0, scale = quarter_pi / two52;
    const uint64_t magic = bit_cast<uint64_t>(two52);
    V j = bit_cast<double>((radius_word >> 12) | magic) - two52;
    V radius = sqrt(radius_squared(fma(V(2.0), j, V(1.0)), 53));
    V a = bit_cast<double>((angle_word >> 12) | magic) - two52;
    V s, c;
    sincos_octant(fma(a, scale, V(0.5 * scale)), s, c);
    place(radius, s, c, angle_word, z0, z1);
  }
}

ESCAPADE_END
