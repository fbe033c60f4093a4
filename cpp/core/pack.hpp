// Pack<T, L>: L lanes of T held in native vector registers, with the operations that the core needs.
//
// Explicit vector types, because speed must not hang on an auto-vectoriser (GCC 12 vectorises a plain lane loop, Clang 19
// does not). Every operation is IEEE and lane-wise, so results do not depend on the register width. All functions here also
// exist for plain scalars (scalar.hpp): models, schemes and math are written once for both.
#pragma once

#include "scalar.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

ESCAPADE_BEGIN

template <class T> struct Native {
  typedef T type __attribute__((vector_size(ESCAPADE_VECTOR_BYTES)));
  static constexpr int lanes = ESCAPADE_VECTOR_BYTES / int(sizeof(T));
};

template <class T> struct MaskLane;
template <> struct MaskLane<float> {
  using type = int32_t;
};
template <> struct MaskLane<double> {
  using type = int64_t;
};
template <> struct MaskLane<int32_t> {
  using type = int32_t;
};
template <> struct MaskLane<uint32_t> {
  using type = int32_t;
};
template <> struct MaskLane<int64_t> {
  using type = int64_t;
};
template <> struct MaskLane<uint64_t> {
  using type = int64_t;
};

// Vectors at addresses without alignment.
template <class V> ESCAPADE_HD V load_vector(const void* p) {
  V a;
  __builtin_memcpy(&a, p, sizeof a);
  return a;
}
template <class V> ESCAPADE_HD void store_vector(void* p, V a) { __builtin_memcpy(p, &a, sizeof a); }

template <class T, int L> struct Pack {
  using native = typename Native<T>::type;
  static constexpr int lanes = L;
  static constexpr int registers = L / Native<T>::lanes;
  static_assert(registers * Native<T>::lanes == L, "a pack must fill whole registers");
  native r[registers];

  Pack() = default;
  ESCAPADE_HD Pack(T x) {
    for (int i = 0; i < registers; ++i) r[i] = x - native{};
  }
  // Register by register: GCC 12 copies a whole pack of AVX2 registers through general registers, at ten times the cost.
  static ESCAPADE_HD Pack load(const T* p) {
    Pack a;
    for (int i = 0; i < registers; ++i) a.r[i] = load_vector<native>(p + i * Native<T>::lanes);
    return a;
  }
  ESCAPADE_HD void store(T* p) const {
    for (int i = 0; i < registers; ++i) store_vector(p + i * Native<T>::lanes, r[i]);
  }
};

// Loads lanes of Z as values of type T.
template <class T, int L, class Z> ESCAPADE_HD Pack<T, L> load_as(const Z* p) {
  typedef Z From __attribute__((vector_size(Native<T>::lanes * sizeof(Z))));
  Pack<T, L> a;
  for (int i = 0; i < Pack<T, L>::registers; ++i)
    a.r[i] = __builtin_convertvector(load_vector<From>(p + i * Native<T>::lanes), typename Pack<T, L>::native);
  return a;
}

template <class T, int L> using Mask = Pack<typename MaskLane<T>::type, L>;

// Lane-wise operators; the scalar operand of a mixed expression is broadcast.
#define ESCAPADE_PACK_OPERATOR(op)                                                                                     \
  template <class T, int L> ESCAPADE_HD Pack<T, L> operator op(Pack<T, L> a, Pack<T, L> b) {                           \
    for (int i = 0; i < Pack<T, L>::registers; ++i) a.r[i] = a.r[i] op b.r[i];                                         \
    return a;                                                                                                          \
  }                                                                                                                    \
  template <class T, int L> ESCAPADE_HD Pack<T, L> operator op(Pack<T, L> a, Same<T> b) { return a op Pack<T, L>(b); } \
  template <class T, int L> ESCAPADE_HD Pack<T, L> operator op(Same<T> a, Pack<T, L> b) { return Pack<T, L>(a) op b; }
ESCAPADE_PACK_OPERATOR(+)
ESCAPADE_PACK_OPERATOR(-)
ESCAPADE_PACK_OPERATOR(*)
ESCAPADE_PACK_OPERATOR(/)
ESCAPADE_PACK_OPERATOR(&)
ESCAPADE_PACK_OPERATOR(|)
ESCAPADE_PACK_OPERATOR(^)
#undef ESCAPADE_PACK_OPERATOR

#define ESCAPADE_PACK_COMPARE(op)                                                                             \
  template <class T, int L> ESCAPADE_HD Mask<T, L> operator op(Pack<T, L> a, Pack<T, L> b) {                  \
    Mask<T, L> m;                                                                                             \
    for (int i = 0; i < Pack<T, L>::registers; ++i) m.r[i] = (typename Mask<T, L>::native)(a.r[i] op b.r[i]); \
    return m;                                                                                                 \
  }                                                                                                           \
  template <class T, int L> ESCAPADE_HD Mask<T, L> operator op(Pack<T, L> a, Same<T> b) { return a op Pack<T, L>(b); }
ESCAPADE_PACK_COMPARE(<)
ESCAPADE_PACK_COMPARE(<=)
ESCAPADE_PACK_COMPARE(>)
ESCAPADE_PACK_COMPARE(>=)
ESCAPADE_PACK_COMPARE(==)
ESCAPADE_PACK_COMPARE(!=)
#undef ESCAPADE_PACK_COMPARE

template <class T, int L> ESCAPADE_HD Pack<T, L> operator-(Pack<T, L> a) {
  for (int i = 0; i < Pack<T, L>::registers; ++i) a.r[i] = -a.r[i];
  return a;
}
template <class T, int L> ESCAPADE_HD Pack<T, L> operator>>(Pack<T, L> a, int n) {
  for (int i = 0; i < Pack<T, L>::registers; ++i) a.r[i] = a.r[i] >> n;
  return a;
}
template <class T, int L> ESCAPADE_HD Pack<T, L> operator<<(Pack<T, L> a, int n) {
  for (int i = 0; i < Pack<T, L>::registers; ++i) a.r[i] = a.r[i] << n;
  return a;
}

// mask ? a : b
template <class M, class T, int L> ESCAPADE_HD Pack<T, L> select(Pack<M, L> m, Pack<T, L> a, Pack<T, L> b) {
  for (int i = 0; i < Pack<T, L>::registers; ++i) a.r[i] = m.r[i] ? a.r[i] : b.r[i];
  return a;
}
template <class M, class T, int L> ESCAPADE_HD Pack<T, L> select(Pack<M, L> m, Same<T> a, Pack<T, L> b) {
  return select(m, Pack<T, L>(a), b);
}
template <class M, class T, int L> ESCAPADE_HD Pack<T, L> select(Pack<M, L> m, Pack<T, L> a, Same<T> b) {
  return select(m, a, Pack<T, L>(b));
}

// Same bits under another type of the same width.
template <class To, class T, int L> ESCAPADE_HD Pack<To, L> bit_cast(Pack<T, L> a) {
  static_assert(sizeof(To) == sizeof(T));
  Pack<To, L> b;
  for (int i = 0; i < Pack<T, L>::registers; ++i) b.r[i] = (typename Pack<To, L>::native)a.r[i];
  return b;
}

// Value conversion, rounding to nearest.
template <class To, class T, int L> ESCAPADE_HD Pack<To, L> convert(Pack<T, L> a) {
  Pack<To, L> b;
  if constexpr (sizeof(To) == sizeof(T)) {
    for (int i = 0; i < Pack<T, L>::registers; ++i) b.r[i] = __builtin_convertvector(a.r[i], typename Pack<To, L>::native);
  } else {  // through the narrower of the two native widths
    constexpr int step = Native<To>::lanes < Native<T>::lanes ? Native<To>::lanes : Native<T>::lanes;
    typedef T From __attribute__((vector_size(step * sizeof(T))));
    typedef To Into __attribute__((vector_size(step * sizeof(To))));
    for (int i = 0; i < L / step; ++i) {
      From x;
      __builtin_memcpy(&x, reinterpret_cast<const char*>(&a) + i * sizeof x, sizeof x);
      Into y = __builtin_convertvector(x, Into);
      __builtin_memcpy(reinterpret_cast<char*>(&b) + i * sizeof y, &y, sizeof y);
    }
  }
  return b;
}

template <class T, int L> ESCAPADE_HD Pack<T, L> sqrt(Pack<T, L> a) {
  for (int i = 0; i < Pack<T, L>::registers; ++i) {
#if ESCAPADE_VECTOR_BYTES == 64
    if constexpr (sizeof(T) == 4) a.r[i] = (typename Pack<T, L>::native)_mm512_sqrt_ps((__m512)a.r[i]);
    else a.r[i] = (typename Pack<T, L>::native)_mm512_sqrt_pd((__m512d)a.r[i]);
#elif ESCAPADE_VECTOR_BYTES == 32
    if constexpr (sizeof(T) == 4) a.r[i] = (typename Pack<T, L>::native)_mm256_sqrt_ps((__m256)a.r[i]);
    else a.r[i] = (typename Pack<T, L>::native)_mm256_sqrt_pd((__m256d)a.r[i]);
#elif defined(__x86_64__)
    if constexpr (sizeof(T) == 4) a.r[i] = (typename Pack<T, L>::native)_mm_sqrt_ps((__m128)a.r[i]);
    else a.r[i] = (typename Pack<T, L>::native)_mm_sqrt_pd((__m128d)a.r[i]);
#else
    for (int k = 0; k < Native<T>::lanes; ++k) a.r[i][k] = sqrt(T(a.r[i][k]));
#endif
  }
  return a;
}

// a*b + c rounded once. Without a hardware instruction (x86-64-v2) it is exact all the same, and slow: see scalar.hpp.
template <class T, int L> ESCAPADE_HD Pack<T, L> fma(Pack<T, L> a, Pack<T, L> b, Pack<T, L> c) {
  for (int i = 0; i < Pack<T, L>::registers; ++i) {
#if ESCAPADE_VECTOR_BYTES == 64
    if constexpr (sizeof(T) == 4)
      a.r[i] = (typename Pack<T, L>::native)_mm512_fmadd_ps((__m512)a.r[i], (__m512)b.r[i], (__m512)c.r[i]);
    else a.r[i] = (typename Pack<T, L>::native)_mm512_fmadd_pd((__m512d)a.r[i], (__m512d)b.r[i], (__m512d)c.r[i]);
#elif ESCAPADE_VECTOR_BYTES == 32
    if constexpr (sizeof(T) == 4)
      a.r[i] = (typename Pack<T, L>::native)_mm256_fmadd_ps((__m256)a.r[i], (__m256)b.r[i], (__m256)c.r[i]);
    else a.r[i] = (typename Pack<T, L>::native)_mm256_fmadd_pd((__m256d)a.r[i], (__m256d)b.r[i], (__m256d)c.r[i]);
#else
    for (int k = 0; k < Native<T>::lanes; ++k) a.r[i][k] = fma(T(a.r[i][k]), T(b.r[i][k]), T(c.r[i][k]));
#endif
  }
  return a;
}
template <class T, int L> ESCAPADE_HD Pack<T, L> fma(Pack<T, L> a, Pack<T, L> b, Same<T> c) {
  return fma(a, b, Pack<T, L>(c));
}
template <class T, int L> ESCAPADE_HD Pack<T, L> fma(Pack<T, L> a, Same<T> b, Pack<T, L> c) {
  return fma(a, Pack<T, L>(b), c);
}
template <class T, int L> ESCAPADE_HD Pack<T, L> fma(Same<T> a, Pack<T, L> b, Pack<T, L> c) {
  return fma(Pack<T, L>(a), b, c);
}
template <class T, int L> ESCAPADE_HD Pack<T, L> fma(Pack<T, L> a, Same<T> b, Same<T> c) {
  return fma(a, Pack<T, L>(b), Pack<T, L>(c));
}
template <class T, int L> ESCAPADE_HD Pack<T, L> fma(Same<T> a, Pack<T, L> b, Same<T> c) {
  return fma(Pack<T, L>(a), b, Pack<T, L>(c));
}

template <class T, int L> ESCAPADE_HD Pack<T, L> abs(Pack<T, L> a) {
  using I = typename MaskLane<T>::type;
  constexpr I all_but_sign = I(~(uint64_t(1) << 63) >> (64 - 8 * sizeof(T)));
  return bit_cast<T>(bit_cast<I>(a) & all_but_sign);
}
// Comparisons with nan are false, so min(x, y) and max(x, y) return y when x is nan.
template <class T, int L> ESCAPADE_HD Pack<T, L> min(Pack<T, L> a, Pack<T, L> b) { return select(a < b, a, b); }
template <class T, int L> ESCAPADE_HD Pack<T, L> max(Pack<T, L> a, Pack<T, L> b) { return select(a > b, a, b); }

template <class T, int L> ESCAPADE_HD bool any(Pack<T, L> m) {
  bool hit = false;
  for (int i = 0; i < Pack<T, L>::registers; ++i) {
#if ESCAPADE_VECTOR_BYTES == 64
    hit |= _mm512_test_epi32_mask((__m512i)m.r[i], (__m512i)m.r[i]) != 0;
#elif ESCAPADE_VECTOR_BYTES == 32
    hit |= !_mm256_testz_si256((__m256i)m.r[i], (__m256i)m.r[i]);
#else
    for (int k = 0; k < Native<T>::lanes; ++k) hit |= m.r[i][k] != 0;
#endif
  }
  return hit;
}

// Bit i tells whether lane i of a mask is set.
template <class T, int L> ESCAPADE_HD uint32_t lane_bits(Pack<T, L> m) {
  static_assert(L <= 32);
  uint32_t bits = 0;
  for (int i = 0; i < Pack<T, L>::registers; ++i) {
    uint32_t some = 0;
#if ESCAPADE_VECTOR_BYTES == 64
    if constexpr (sizeof(T) == 4) some = uint32_t(_mm512_movepi32_mask((__m512i)m.r[i]));
    else some = uint32_t(_mm512_movepi64_mask((__m512i)m.r[i]));
#elif ESCAPADE_VECTOR_BYTES == 32
    if constexpr (sizeof(T) == 4) some = uint32_t(_mm256_movemask_ps((__m256)m.r[i]));
    else some = uint32_t(_mm256_movemask_pd((__m256d)m.r[i]));
#else
    for (int k = 0; k < Native<T>::lanes; ++k) some |= uint32_t(m.r[i][k] != 0) << k;
#endif
    bits |= some << (i * Native<T>::lanes);
  }
  return bits;
}

// The same of a < b and a <= b, without the detour over a vector that compilers take.
#if ESCAPADE_VECTOR_BYTES == 64
template <int condition, class T, int L> ESCAPADE_HD uint32_t compared_bits(Pack<T, L> a, Pack<T, L> b) {
  uint32_t bits = 0;
  for (int i = 0; i < Pack<T, L>::registers; ++i) {
    if constexpr (sizeof(T) == 4)
      bits |= uint32_t(_mm512_cmp_ps_mask((__m512)a.r[i], (__m512)b.r[i], condition)) << (i * Native<T>::lanes);
    else bits |= uint32_t(_mm512_cmp_pd_mask((__m512d)a.r[i], (__m512d)b.r[i], condition)) << (i * Native<T>::lanes);
  }
  return bits;
}
template <class T, int L> ESCAPADE_HD uint32_t bits_less(Pack<T, L> a, Pack<T, L> b) {
  return compared_bits<_CMP_LT_OQ>(a, b);
}
template <class T, int L> ESCAPADE_HD uint32_t bits_less_equal(Pack<T, L> a, Pack<T, L> b) {
  return compared_bits<_CMP_LE_OQ>(a, b);
}
#else
template <class T, int L> ESCAPADE_HD uint32_t bits_less(Pack<T, L> a, Pack<T, L> b) { return lane_bits(a < b); }
template <class T, int L> ESCAPADE_HD uint32_t bits_less_equal(Pack<T, L> a, Pack<T, L> b) { return lane_bits(a <= b); }
#endif

ESCAPADE_END
