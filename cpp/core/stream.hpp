// Where every random number of escapade comes from: counter layout and streams.
//
// A random number is a pure function of (seed, particle, draw, stream). The seed is the Philox key. The counter holds
//   word 0, 1   particle id, low and high half
//   word 2      block of draws, low 32 bits
//   word 3      block of draws, bits 32..55 in the low 24 bits; stream in the high 8 bits
// Draw number j of a step is number k = draws made so far + j of its particle; how many a step makes is the model's affair.
// A block of four 32-bit words holds four draws of 32-bit noise or two draws of 53-bit noise: block = k / 4 or k / 2.
#pragma once

#include "config.hpp"

ESCAPADE_BEGIN

enum class Stream : uint32_t {
  increments = 0,  // Wiener increments, one draw per normal and step
  initial = 1,     // uniforms for the initial condition
  substeps = 2,    // Wiener increments of the further substeps of an adaptive step
  bridge = 3,      // Brownian-bridge tests of first passages
  branching = 4,   // splitting and cloning
  data = 5,        // minibatches
  user = 6,        // what `escapade` itself never draws
};

constexpr int block_bits = 56;
// An adaptive step may take this many blocks of further substeps: block = step * substep_blocks + i.
constexpr uint64_t substep_blocks = 1 << 16;

ESCAPADE_HD uint32_t counter_word2(uint64_t block) { return uint32_t(block); }
ESCAPADE_HD uint32_t counter_word3(uint64_t block, Stream stream) {
  return (uint32_t(block >> 32) & 0xffffffu) | (uint32_t(stream) << 24);
}

ESCAPADE_END
