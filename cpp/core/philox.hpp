// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): four 32-bit words from a 128-bit counter and a 64-bit key.
#pragma once

#include "pack.hpp"
#include "stream.hpp"

ESCAPADE_BEGIN

constexpr int philox_rounds = 10;
constexpr uint32_t philox_mul0 = 0xD2511F53u, philox_mul1 = 0xCD9E8D57u;
constexpr uint32_t philox_weyl0 = 0x9E3779B9u, philox_weyl1 = 0xBB67AE85u;

// One counter at a time.
ESCAPADE_HD void philox(uint32_t (&x)[4], uint32_t k0, uint32_t k1) {
  for (int round = 0; round < philox_rounds; ++round) {
    const uint64_t p0 = uint64_t(philox_mul0) * x[0], p1 = uint64_t(philox_mul1) * x[2];
    x[0] = uint32_t(p1 >> 32) ^ x[1] ^ k0;
    x[1] = uint32_t(p1);
    x[2] = uint32_t(p0 >> 32) ^ x[3] ^ k1;
    x[3] = uint32_t(p0);
    k0 += philox_weyl0;
    k1 += philox_weyl1;
  }
}

#if !defined(__CUDACC__)
// The key of every round, in both halves of the 64-bit lanes of the vector version.
struct PhiloxKeys {
  uint64_t k0[philox_rounds], k1[philox_rounds];
  explicit PhiloxKeys(uint64_t seed) {
    for (int i = 0; i < philox_rounds; ++i) {
      k0[i] = twice(uint32_t(seed) + uint32_t(i) * philox_weyl0);
      k1[i] = twice(uint32_t(seed >> 32) + uint32_t(i) * philox_weyl1);
    }
  }
  static constexpr uint64_t twice(uint32_t k) { return uint64_t(k) << 32 | k; }
};

using U64 = Native<uint64_t>::type;
using U32 = Native<uint32_t>::type;

// low 32 bits times low 32 bits, in 64-bit lanes
ESCAPADE_HD U64 multiply_low_words(U64 a, U64 b) {
#if ESCAPADE_VECTOR_BYTES == 64
  return (U64)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif ESCAPADE_VECTOR_BYTES == 32
  return (U64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
  return (U64)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

// c is what takes longest to arrive.
ESCAPADE_HD U64 xor3(U64 a, U64 b, U64 c) {
#if ESCAPADE_VECTOR_BYTES == 64
  return (U64)_mm512_ternarylogic_epi64((__m512i)a, (__m512i)b, (__m512i)c, 0x96);
#else
  return a ^ b ^ c;
#endif
}

// The high half of every lane, moved down. A shuffle and no shift: it runs on every vector port, shifts on half of them.
ESCAPADE_HD U64 high_words(U64 a) {
#if ESCAPADE_VECTOR_BYTES == 64
  return (U64)_mm512_movehdup_ps((__m512)a);
#elif ESCAPADE_VECTOR_BYTES == 32
  return (U64)_mm256_movehdup_ps((__m256)a);
#else
  return a >> 32;
#endif
}

// One register of 64-bit lanes, a counter in each. The low half of every lane holds the word; what multiplications and
// shuffles leave in the high half does no harm, because multiplications read low halves only.
struct PhiloxState {
  U64 x0, x1, x2, x3;
  ESCAPADE_HD void round(uint64_t k0, uint64_t k1) {
    const U64 p0 = multiply_low_words(x0, U64{} + philox_mul0), p1 = multiply_low_words(x2, U64{} + philox_mul1);
    x0 = xor3(x1, U64{} + k0, high_words(p1));
    x1 = p1;
    x2 = xor3(x3, U64{} + k1, high_words(p0));
    x3 = p0;
  }
};

// Low halves of a and b, lane by lane: a0 b0 a1 b1 ...
ESCAPADE_HD U64 interleave_low_words(U64 a, U64 b) {
#if ESCAPADE_VECTOR_BYTES == 64
  return (U64)_mm512_mask_moveldup_ps((__m512)a, 0xaaaa, (__m512)b);
#elif ESCAPADE_VECTOR_BYTES == 32
  return (U64)_mm256_blend_ps((__m256)a, _mm256_moveldup_ps((__m256)b), 0xaa);
#else
  return (a & 0xffffffffu) | (b << 32);
#endif
}

// High halves of a and b, lane by lane.
ESCAPADE_HD U64 interleave_high_words(U64 a, U64 b) {
#if ESCAPADE_VECTOR_BYTES == 64
  return (U64)_mm512_mask_movehdup_ps((__m512)b, 0x5555, (__m512)a);
#elif ESCAPADE_VECTOR_BYTES == 32
  return (U64)_mm256_blend_ps(_mm256_movehdup_ps((__m256)a), (__m256)b, 0xaa);
#else
  return (a >> 32) | (b & ~uint64_t(0xffffffffu));
#endif
}
#endif

ESCAPADE_END
