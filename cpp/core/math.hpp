// Elementary functions: branch-free, the same bits for every lane width, instruction set and device.
//
// V is float, double or a Pack of them. Errors stay within 2 ulp (measured in tests/test_math.py); infinities, nans, signed
// zeros and subnormals behave as in IEEE libm, except that expm1 and sinh overflow a little early (88 in float, 709 in
// double).
#pragma once

#include "coefficients.hpp"
#include "pack.hpp"

ESCAPADE_BEGIN

template <class T> struct Format;
template <> struct Format<float> {
  using Int = int32_t;
  using Uint = uint32_t;
  static constexpr int mantissa = 23, bias = 127;
  static constexpr float ln2_hi = 0.693359375f, ln2_lo = -2.12194440e-4f, log2_e = 1.44269504f;
  static constexpr float round_magic = 12582912.0f, overflow = 88.7f, underflow = -104.0f;
  static constexpr Int sqrt_half_bits = 0x3f3504f3, min_normal_bits = 0x00800000, infinity_bits = 0x7f800000;
};
template <> struct Format<double> {
  using Int = int64_t;
  using Uint = uint64_t;
  static constexpr int mantissa = 52, bias = 1023;
  static constexpr double ln2_hi = 6.93147180369123816490e-01, ln2_lo = 1.90821492927058770002e-10;
  static constexpr double log2_e = 1.44269504088896338700, round_magic = 6755399441055744.0;
  static constexpr double overflow = 709.7, underflow = -746.0;
  static constexpr Int sqrt_half_bits = 0x3fe6a09e667f3bcd, min_normal_bits = 0x0010000000000000,
                       infinity_bits = 0x7ff0000000000000;
};

template <class T> ESCAPADE_HD T infinity() { return bit_cast<T>(Format<T>::infinity_bits); }
template <class T> ESCAPADE_HD T nan() { return bit_cast<T>(Format<T>::infinity_bits | (Format<T>::infinity_bits >> 1)); }

// c[0] + x c[1] + ... + x^(n-1) c[n-1] by Horner's rule with fused steps.
template <class V, class T, int N> ESCAPADE_HD V polynomial(V x, const T (&c)[N]) {
  V p = V(c[N - 1]);
  for (int i = N - 2; i >= 0; --i) p = fma(p, x, V(c[i]));
  return p;
}

template <class V> ESCAPADE_HD V copysign(V magnitude, V sign) {
  using I = typename Format<Lane<V>>::Int;
  constexpr I bit = I(uint64_t(1) << (8 * sizeof(I) - 1));
  return bit_cast<Lane<V>>((bit_cast<I>(magnitude) & I(~bit)) | (bit_cast<I>(sign) & bit));
}

// x = m 2^e with m in [sqrt(1/2), sqrt(2)); x positive and normal. e is returned as a value of V.
template <class V> ESCAPADE_HD V split_exponent(V x, V& m) {
  using T = Lane<V>;
  using F = Format<T>;
  using I = typename F::Int;
  using U = typename F::Uint;
  // unsigned, because what x = nan or 0 makes of this may overflow, and is thrown away
  auto t = bit_cast<U>(x) - U(F::sqrt_half_bits);
  m = bit_cast<T>((t & U((U(1) << F::mantissa) - 1)) + U(F::sqrt_half_bits));
  // t >> mantissa as a float, through the mantissa bits of round_magic: AVX2 has no 64-bit conversion or arithmetic shift
  if constexpr (sizeof(T) == 4) {
    return convert<T>(bit_cast<I>(t) >> F::mantissa);
  } else {
    auto biased = (t + (U(2 * F::bias) << F::mantissa)) >> F::mantissa;
    return bit_cast<T>(biased + bit_cast<U>(F::round_magic)) - (F::round_magic + 2 * F::bias);
  }
}

// log(m 2^e) from the parts; exact cancellation is impossible for e != 0, and for e = 0 the series starts with m - 1.
template <class V> ESCAPADE_HD V log_of_parts(V m, V e) {
  using T = Lane<V>;
  using F = Format<T>;
  V r = m - T(1);
  if constexpr (sizeof(T) == 4) {
    V p = r * r * polynomial(r, Coefficients<T>::log_poly);
    return fma(e, T(F::ln2_hi), r + fma(e, T(F::ln2_lo), p));
  } else {
    V s = r / (r + T(2));
    V z = s * s;
    V half_square = T(0.5) * r * r;
    V series = s * fma(z, polynomial(z, Coefficients<T>::log_poly), half_square);
    return fma(e, T(F::ln2_hi), r - (half_square - fma(e, T(F::ln2_lo), series)));
  }
}

template <class V> ESCAPADE_HD V log(V x) {
  using T = Lane<V>;
  using F = Format<T>;
  const T least = bit_cast<T>(F::min_normal_bits), two_to_mantissa = T(uint64_t(1) << F::mantissa);
  auto subnormal = x < least;
  V m, e = split_exponent(select(subnormal, x * two_to_mantissa, x), m);
  V y = log_of_parts(m, select(subnormal, e - T(F::mantissa), e));
  y = select(x == infinity<T>(), x, y);
  y = select(x == T(0), -infinity<T>(), y);
  return select(x >= T(0), y, V(nan<T>()));
}

// 2^k for the integer k that round_magic + k holds in its low bits; k within the exponent range of normal numbers
template <class I, class V> ESCAPADE_HD V power_of_two(I k) {
  using F = Format<Lane<V>>;
  using U = typename F::Uint;
  return bit_cast<Lane<V>>((bit_cast<U>(k) + U(F::bias)) << F::mantissa);
}

// x = k ln 2 + r; returns e^r - 1 and k as an integer lane
template <class V, class I> ESCAPADE_HD V reduced_expm1(V x, I& k) {
  using T = Lane<V>;
  using F = Format<T>;
  V shifted = fma(x, T(F::log2_e), V(T(F::round_magic)));
  using U = typename F::Uint;
  k = bit_cast<typename F::Int>(bit_cast<U>(shifted) - bit_cast<U>(T(F::round_magic)));
  V n = shifted - T(F::round_magic);
  V r = fma(n, T(-F::ln2_hi), x);
  r = fma(n, T(-F::ln2_lo), r);
  return fma(r * r, polynomial(r, Coefficients<T>::exp_poly), r);
}

template <class V> ESCAPADE_HD V exp(V x) {
  using T = Lane<V>;
  using F = Format<T>;
  using I = Rebind<V, typename F::Int>;
  V bounded = max(min(x, V(T(F::overflow + 1))), V(T(F::underflow)));
  I k;
  V p = reduced_expm1(bounded, k);
  // two factors, so that results down to the subnormals and up to the largest number come out right
  using U = typename F::Uint;
  I half = bit_cast<typename F::Int>(((bit_cast<U>(k) + U(4096)) >> 1) - U(2048));
  I rest = bit_cast<typename F::Int>(bit_cast<U>(k) - bit_cast<U>(half));
  V y = (p + T(1)) * power_of_two<I, V>(half) * power_of_two<I, V>(rest);
  return select(x == x, y, x);
}

// e^x - 1; overflows to infinity a little early (x > 88 for float, 709 for double).
template <class V> ESCAPADE_HD V expm1(V x) {
  using T = Lane<V>;
  using F = Format<T>;
  using I = Rebind<V, typename F::Int>;
  const T limit = T(F::overflow) - T(0.7);
  V bounded = max(min(x, V(limit)), V(T(-60)));
  I k;
  V p = reduced_expm1(bounded, k);
  V scale = power_of_two<I, V>(k);
  V y = fma(p, scale, scale - T(1));
  y = select(x > limit, infinity<T>(), y);
  y = select(x == T(0), x, y);
  return select(x == x, y, x);
}

// (1 - e^-x) / x, the mean of e^-t over 0 < t < x; x >= 0
template <class V> ESCAPADE_HD V mean_decay(V x) {
  using T = Lane<V>;
  return select(x == T(0), V(T(1)), -expm1(-x) / x);
}

template <class V> ESCAPADE_HD V log1p(V x) {
  using T = Lane<V>;
  V u = x + T(1);
  V y = log(u) + (x - (u - T(1))) / u;  // the second term gives back what rounding took from u
  y = select(x == infinity<T>(), x, y);
  y = select(x == T(0), x, y);
  return select(u == T(0), -infinity<T>(), y);
}

// x + x^3 P(x^2), for odd functions near 0
template <class V, class T, int N> ESCAPADE_HD V odd_polynomial(V x, const T (&c)[N]) {
  V z = x * x;
  return fma(x * z, polynomial(z, c), x);
}

template <class V> ESCAPADE_HD V sinh(V x) {
  using T = Lane<V>;
  V a = abs(x);
  V e = expm1(a);
  V y = T(0.5) * (e + e / (e + T(1)));
  y = select(e == infinity<T>(), e, y);
  y = select(a < T(1), odd_polynomial(a, Coefficients<T>::sinh_poly), y);
  return copysign(y, x);
}

template <class V> ESCAPADE_HD V tanh(V x) {
  using T = Lane<V>;
  V a = abs(x);
  V e = expm1(min(T(2) * a, V(T(44))));
  V y = select(a < T(0.5), odd_polynomial(a, Coefficients<T>::tanh_poly), e / (e + T(2)));
  return select(x == x, copysign(y, x), x);
}

template <class V> ESCAPADE_HD V asinh(V x) {
  using T = Lane<V>;
  const T big = sizeof(T) == 4 ? T(1e9) : T(1e18);
  V a = abs(x);
  V bounded = min(a, V(big));
  V y = log1p(fma(bounded, bounded / (T(1) + sqrt(fma(bounded, bounded, V(T(1))))), bounded));
  V far = log(a) + T(0.69314718055994530942);
  y = select(a > big, far, y);
  return select(x == x, copysign(y, x), x);
}

// Both at once, 0 <= a <= pi/4.
template <class V> ESCAPADE_HD void sincos_octant(V a, V& s, V& c) {
  using T = Lane<V>;
  V z = a * a;
  s = fma(a * z, polynomial(z, Coefficients<T>::sin_poly), a);
  c = fma(z, polynomial(z, Coefficients<T>::cos_poly), V(T(1)));
}

ESCAPADE_END
