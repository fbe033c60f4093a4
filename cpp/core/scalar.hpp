// The vocabulary of pack.hpp for one lane: what CUDA threads use, and the reference that packs are tested against.
#pragma once

#include "config.hpp"

ESCAPADE_BEGIN

// A parameter that takes no part in template argument deduction.
template <class T> struct Identity {
  using type = T;
};
template <class T> using Same = typename Identity<T>::type;

ESCAPADE_HD float sqrt(float a) { return __builtin_sqrtf(a); }
ESCAPADE_HD double sqrt(double a) { return __builtin_sqrt(a); }
// IEEE fused multiply-add. Where the CPU lacks it the compiler calls libm, whose result is correctly rounded as well.
ESCAPADE_HD float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
ESCAPADE_HD double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
ESCAPADE_HD float abs(float a) { return __builtin_fabsf(a); }
ESCAPADE_HD double abs(double a) { return __builtin_fabs(a); }
template <class T> ESCAPADE_HD T min(T a, Same<T> b) { return a < b ? a : b; }
template <class T> ESCAPADE_HD T max(T a, Same<T> b) { return a > b ? a : b; }

template <class T> ESCAPADE_HD T select(bool m, T a, Same<T> b) { return m ? a : b; }
ESCAPADE_HD bool any(bool m) { return m; }

template <class To, class T> ESCAPADE_HD To bit_cast(T a) {
  static_assert(sizeof(To) == sizeof(T));
  To b;
  __builtin_memcpy(&b, &a, sizeof b);
  return b;
}
template <class To, class T> ESCAPADE_HD To convert(T a) { return static_cast<To>(a); }

// Lane type of a scalar or a pack: Lane<Pack<float, 8>> is float.
template <class V> struct LaneOf {
  using type = V;
};
template <class T, int L> struct Pack;
template <class T, int L> struct LaneOf<Pack<T, L>> {
  using type = T;
};
template <class V> using Lane = typename LaneOf<V>::type;
// The type with the shape of V and lanes of To.
template <class V, class To> struct RebindTo {
  using type = To;
};
template <class T, int L, class To> struct RebindTo<Pack<T, L>, To> {
  using type = Pack<To, L>;
};
template <class V, class To> using Rebind = typename RebindTo<V, To>::type;

ESCAPADE_END
