// Fills a tile of standard normals: rows are draws, columns are particles. This is where most of the time of a run goes.
//
// A tile keeps noise apart from the models: schemes read normals from L1, and prescribed, coarsened or non-Gaussian noise
// can take the place of these functions without touching a scheme.
#pragma once

#include "ids.hpp"
#include "normal.hpp"
#include "philox.hpp"

ESCAPADE_BEGIN

#if !defined(__CUDACC__)

// A tile's columns are padded to a multiple of this, on every instruction set.
constexpr int tile_lanes = 64;

// Independent Philox chains in flight. A round takes 8 cycles and a chain keeps all ports busy for 1.5 of them (Zen 5): six
// chains hide the latency, and just fit 32 registers; with 16 registers two do without spills.
constexpr int philox_chains = ESCAPADE_VECTOR_BYTES == 64 ? 6 : 2;

template <int N> ESCAPADE_HD void run_rounds(PhiloxState (&s)[N], const PhiloxKeys& keys, int first) {
#pragma GCC unroll 10
  for (int round = first; round < philox_rounds - 1; ++round)
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) s[i].round(keys.k0[round], keys.k1[round]);
}

// The last round writes the words of even and odd particles side by side: 32-bit lanes x0, x1, x2, x3.
ESCAPADE_HD void last_round(const PhiloxState& even, const PhiloxState& odd, const PhiloxKeys& keys, U64 (&w)[4]) {
  constexpr int last = philox_rounds - 1;
  const U64 m0 = U64{} + philox_mul0, m1 = U64{} + philox_mul1;
  const U64 p0 = multiply_low_words(even.x0, m0), p1 = multiply_low_words(even.x2, m1);
  const U64 q0 = multiply_low_words(odd.x0, m0), q1 = multiply_low_words(odd.x2, m1);
  w[0] = xor3(interleave_high_words(p1, q1), interleave_low_words(even.x1, odd.x1), U64{} + keys.k0[last]);
  w[1] = interleave_low_words(p1, q1);
  w[2] = xor3(interleave_high_words(p0, q0), interleave_low_words(even.x3, odd.x3), U64{} + keys.k1[last]);
  w[3] = interleave_low_words(p0, q0);
}

// The two 64-bit words of a block are x0 | x1 << 32 and x2 | x3 << 32.
ESCAPADE_HD void last_round(PhiloxState s, const PhiloxKeys& keys, U64 (&w)[2]) {
  s.round(keys.k0[philox_rounds - 1], keys.k1[philox_rounds - 1]);
  w[0] = interleave_low_words(s.x0, s.x1);
  w[1] = interleave_low_words(s.x2, s.x3);
}

// The first two rounds of neighbouring particles in many blocks. While the high words of id and block do not change,
// each of their four products depends on the particle or on the block alone: two rounds in ten that cost next to nothing.
struct BlockPart {
  uint64_t x0, x2, x3;
  BlockPart() = default;
  BlockPart(uint64_t id, uint64_t block, const PhiloxKeys& keys) {
    const uint64_t p1 = uint64_t(philox_mul1) * counter_word2(block);
    const uint32_t y0 = uint32_t(p1 >> 32) ^ uint32_t(id >> 32) ^ uint32_t(keys.k0[0]);
    const uint64_t p0 = uint64_t(philox_mul0) * y0;
    x0 = uint32_t(p1), x2 = p0 >> 32, x3 = uint32_t(p0);
  }
};
struct ParticlePart {
  U64 x0, x1, x2;
  ESCAPADE_HD void set(const Ids& ids, size_t stride, uint64_t block, Stream stream, const PhiloxKeys& keys) {
    U64 id;
    for (int i = 0; i < Native<uint64_t>::lanes; ++i) id[i] = ids[stride * size_t(i)];
    const U64 p0 = multiply_low_words(id, U64{} + philox_mul0);
    const U64 y2 = high_words(p0) ^ (U64{} + (counter_word3(block, stream) ^ keys.k1[0]));
    const U64 p1 = multiply_low_words(y2, U64{} + philox_mul1);
    x0 = high_words(p1) ^ (U64{} + keys.k0[1]);
    x1 = p1;
    x2 = p0 ^ (U64{} + keys.k1[1]);
  }
  ESCAPADE_HD PhiloxState join(const BlockPart& b) const {
    return {x0 ^ (U64{} + b.x0), x1, x2 ^ (U64{} + b.x2), U64{} + b.x3};
  }
};

template <class T> constexpr int chains_per_unit = sizeof(T) == 4 ? 2 : 1;

// Words of some chains of particles in some blocks, drawn into the place of the normals. A unit of work is a block of one
// chain (53-bit noise) or of two chains (32-bit noise: even and odd particles). Units are taken in turn from all blocks, so
// that groups of philox_chains / per_unit of them come out even.
template <class T>
void fill_words(T* out, size_t row, const PhiloxKeys& keys, const ParticlePart* particles, int chains,
                const BlockPart* parts, int blocks) {
  constexpr int lanes = Native<uint64_t>::lanes, words = 16 / int(sizeof(T));
  constexpr int per_unit = chains_per_unit<T>, units = philox_chains / per_unit;
  int chain = 0, block = 0;
  for (int left = chains / per_unit * blocks; left > 0; left -= units) {
    PhiloxState s[philox_chains];
    T* at[units];
#pragma GCC unroll 8
    for (int i = 0; i < units; ++i) {
      for (int k = 0; k < per_unit; ++k) s[i * per_unit + k] = particles[chain + k].join(parts[block]);
      at[i] = out + size_t(words * block) * row + chain * lanes;
      if (i + 1 >= left) continue;  // the last group draws its last unit again to be complete
      const bool wrap = chain + per_unit == chains;
      chain = wrap ? 0 : chain + per_unit;
      block += wrap;
    }
    run_rounds(s, keys, 2);
#pragma GCC unroll 8
    for (int i = 0; i < units; ++i) {
      U64 w[words];
      if constexpr (per_unit == 2) last_round(s[2 * i], s[2 * i + 1], keys, w);
      else last_round(s[i], keys, w);
      for (int j = 0; j < words; ++j) store_vector(at[i] + size_t(j) * row, w[j]);
    }
  }
}

// Rows 2 i and 2 i + 1, radius and angle words, become normals.
template <class T> void words_to_normals(T* rows, size_t row, int pairs, int particles) {
  using V = Pack<T, 2 * Native<T>::lanes>;  // two registers at a time hide latency and need no spills
  using U = typename Format<T>::Uint;
  for (int i = 0; i < pairs; ++i) {
    T *r0 = rows + size_t(2 * i) * row, *r1 = r0 + row;
    for (int p = 0; p < particles; p += V::lanes) {
      V z0, z1;
      box_muller(bit_cast<U>(V::load(r0 + p)), bit_cast<U>(V::load(r1 + p)), z0, z1);
      z0.store(r0 + p);
      z1.store(r1 + p);
    }
  }
}

template <int lanes> void normals_of_blocks(float* z, const PhiloxKeys&, Stream, const uint64_t* id, const uint64_t* block);
template <int lanes> void normals_of_blocks(double* z, const PhiloxKeys&, Stream, const uint64_t* id, const uint64_t* block);

// The same for particles anywhere; slower.
template <class T>
void fill_singly(T* out, size_t row, const PhiloxKeys& keys, Stream stream, const Ids& ids, uint64_t block, bool normals) {
  if (!normals) {
    for (int i = 0; i < tile_lanes; ++i) {
      const uint64_t id = ids[size_t(i)];
      uint32_t w[4] = {uint32_t(id), uint32_t(id >> 32), counter_word2(block), counter_word3(block, stream)};
      philox(w, uint32_t(keys.k0[0]), uint32_t(keys.k1[0]));
      const char* const words = reinterpret_cast<const char*>(w);
      for (size_t j = 0; j < 16 / sizeof(T); ++j) __builtin_memcpy(out + j * row + i, words + j * sizeof(T), sizeof(T));
    }
    return;
  }
  uint64_t id[tile_lanes], blocks[tile_lanes];
  alignas(64) T z[16 / sizeof(T) * tile_lanes];
  for (int i = 0; i < tile_lanes; ++i) id[i] = ids[size_t(i)], blocks[i] = block;
  normals_of_blocks<tile_lanes>(z, keys, stream, id, blocks);
  for (size_t j = 0; j < 16 / sizeof(T); ++j) __builtin_memcpy(out + j * row, z + j * tile_lanes, tile_lanes * sizeof(T));
}

// How many particles at the most, in multiples of tile_lanes, share the high word of their ids with the first one.
inline uint64_t lanes_to_carry(const Ids& ids, uint64_t most) {
  constexpr uint64_t low = 0xffffffffu;
  if (!ids.list) return (low + 1 - (ids.first & low)) / tile_lanes * tile_lanes;
  uint64_t same = 0;
  while (same < most && ids.list[same] >> 32 == ids.list[0] >> 32) ++same;
  return same / tile_lanes * tile_lanes;
}

// out[(per_block b + j) * row + p] for b < blocks, j < per_block, p < particles; particles is a multiple of tile_lanes.
// A block is four draws of 32-bit noise (T float) or two of 53-bit noise (double). Without `normals` the words are left raw.
template <class T>
void fill_tile(T* out, size_t row, const PhiloxKeys& keys, Stream stream, const Ids& ids, int particles,
               uint64_t first_block, int blocks, bool normals) {
  constexpr int per_block = 16 / int(sizeof(T)), lanes = Native<uint64_t>::lanes, per_unit = chains_per_unit<T>;
  constexpr int most_particles = 256, most_blocks = 16;  // words and normals stay in L1
  constexpr uint64_t low = 0xffffffffu;
  ParticlePart chains[most_particles / lanes];
  BlockPart parts[most_blocks];
  for (int b = 0, count; b < blocks; b += count) {
    const uint64_t block = first_block + uint64_t(b);
    count = int(min(min(uint64_t(blocks - b), uint64_t(most_blocks)), low + 1 - (block & low)));
    for (int p = 0, width; p < particles; p += width) {
      const uint64_t most = min(uint64_t(particles - p), uint64_t(most_particles));
      const Ids some = ids.from(size_t(p));
      const uint64_t id = some[0], to_carry = lanes_to_carry(some, most);
      T* at = out + size_t(per_block * b) * row + p;
      width = int(min(most, max(to_carry, uint64_t(tile_lanes))));
      if (to_carry == 0) {  // the high word of the id changes among these: once in 2^32 particles
        for (int i = 0; i < count; ++i)
          fill_singly(at + size_t(per_block * i) * row, row, keys, stream, some, block + uint64_t(i), normals);
        continue;
      }
      for (int i = 0; i < width / lanes; ++i)
        chains[i].set(some.from(size_t(i / per_unit * per_unit * lanes + i % per_unit)), per_unit, block, stream, keys);
      for (int i = 0; i < count; ++i) parts[i] = BlockPart(id, block + uint64_t(i), keys);
      fill_words(at, row, keys, chains, width / lanes, parts, count);
      if (normals) words_to_normals(at, row, count * per_block / 2, width);
    }
  }
}

template <class T>
void fill_normals(T* out, size_t row, const PhiloxKeys& keys, Stream stream, const Ids& ids, int particles,
                  uint64_t first_block, int blocks) {
  fill_tile(out, row, keys, stream, ids, particles, first_block, blocks, true);
}

// Lanes 0, stride, 2 stride, ... of ids and blocks.
ESCAPADE_HD PhiloxState counters(const uint64_t* id, const uint64_t* block, int stride, Stream stream) {
  PhiloxState s;
  for (int i = 0; i < Native<uint64_t>::lanes; ++i) {
    const uint64_t particle = id[i * stride], b = block[i * stride];
    s.x0[i] = particle, s.x1[i] = particle >> 32;
    s.x2[i] = counter_word2(b), s.x3[i] = counter_word3(b, stream);
  }
  return s;
}
template <class U> ESCAPADE_HD Pack<U, Native<U>::lanes> word_pack(U64 w) {
  Pack<U, Native<U>::lanes> a;
  a.r[0] = (typename Native<U>::type)w;
  return a;
}

// The draws of any particles in any blocks: z[j * lanes + i] is draw j of block[i] of particle id[i].
template <int lanes>
inline void normals_of_blocks(float* z, const PhiloxKeys& keys, Stream stream, const uint64_t* id, const uint64_t* block) {
  constexpr int width = Native<float>::lanes;
  for (int p = 0; p < lanes; p += width) {
    PhiloxState s[2] = {counters(id + p, block + p, 2, stream), counters(id + p + 1, block + p + 1, 2, stream)};
    run_rounds(s, keys, 0);
    U64 w[4];
    last_round(s[0], s[1], keys, w);
    for (int pair = 0; pair < 2; ++pair) {
      Pack<float, width> z0, z1;
      box_muller(word_pack<uint32_t>(w[2 * pair]), word_pack<uint32_t>(w[2 * pair + 1]), z0, z1);
      z0.store(z + 2 * pair * lanes + p);
      z1.store(z + (2 * pair + 1) * lanes + p);
    }
  }
}

template <int lanes>
inline void normals_of_blocks(double* z, const PhiloxKeys& keys, Stream stream, const uint64_t* id, const uint64_t* block) {
  constexpr int width = Native<double>::lanes;
  for (int p = 0; p < lanes; p += width) {
    PhiloxState s[1] = {counters(id + p, block + p, 1, stream)};
    run_rounds(s, keys, 0);
    U64 w[2];
    last_round(s[0], keys, w);
    Pack<double, width> z0, z1;
    box_muller(word_pack<uint64_t>(w[0]), word_pack<uint64_t>(w[1]), z0, z1);
    z0.store(z + p);
    z1.store(z + lanes + p);
  }
}

// 53-bit uniforms in (0, 1), (2 j + 1) 2^-53, for particles first_id, first_id + 1, ...
inline void fill_uniforms(double* out, const PhiloxKeys& keys, Stream stream, uint64_t first_id, size_t n, uint64_t block) {
  for (size_t i = 0; i < n; ++i) {
    const uint64_t id = first_id + i;
    uint32_t x[4] = {uint32_t(id), uint32_t(id >> 32), counter_word2(block), counter_word3(block, stream)};
    philox(x, uint32_t(keys.k0[0]), uint32_t(keys.k1[0]));
    const uint64_t word = uint64_t(x[0]) | uint64_t(x[1]) << 32;
    out[i] = (2.0 * double(word >> 12) + 1.0) * 0x1p-53;
  }
}

#endif

ESCAPADE_END
