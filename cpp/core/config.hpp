// Compiler and instruction-set settings shared by every translation unit of the arithmetic core.
//
// The same headers are compiled once per CPU instruction set (namespace ESCAPADE_ISA keeps the copies apart, so that the
// linker can never replace baseline code by AVX-512 code) and once more by nvcc.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#define ESCAPADE_HD __host__ __device__ __forceinline__
#elif defined(ESCAPADE_SANITIZED)
#define ESCAPADE_HD inline  // instrumented code that is inlined by force takes compilers half an hour
#else
#define ESCAPADE_HD inline __attribute__((always_inline))
#endif

// Vector bytes of the widest registers that this translation unit may use.
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define ESCAPADE_VECTOR_BYTES 64
#elif defined(__AVX2__) && defined(__FMA__)
#define ESCAPADE_VECTOR_BYTES 32
#else
#define ESCAPADE_VECTOR_BYTES 16
#endif

#ifndef ESCAPADE_ISA
#define ESCAPADE_ISA baseline
#endif

#define ESCAPADE_BEGIN \
  namespace escapade { \
  inline namespace ESCAPADE_ISA {
#define ESCAPADE_END \
  }                  \
  }

#ifdef __FAST_MATH__
#error "escapade's results are bit-exact: do not compile it with -ffast-math"
#endif
