// Fills a tile of standard normals: rows are draws, columns are particles. This is where most of the time of a run goes.
//
// A tile keeps noise apart from the models: schemes read normals from L1, and prescribed, coarsened or non-Gaussian noise
// can take the place of these functions without touching a scheme.
#pragma once

#include "normal.hpp"
#include "philox.hpp"

ESCAPADE_BEGIN

#if !defined(__CUDACC__)

// Independent Philox chains in flight; 16 registers hold two of them, 32 hold four.
constexpr int philox_chains = ESCAPADE_VECTOR_BYTES == 64 ? 4 : 2;
// A tile's columns are padded to a multiple of this, on every instruction set.
constexpr int tile_lanes = 64;

// PhiloxState of the lanes first, first + stride, first + 2 stride, ...
ESCAPADE_HD PhiloxState counters(uint64_t first, uint64_t stride, uint64_t block, Stream stream) {
  U64 id;
  for (int i = 0; i < Native<uint64_t>::lanes; ++i) id[i] = first + stride * uint64_t(i);
  return {id, id >> 32, U64{} + counter_word2(block), U64{} + counter_word3(block, stream)};
}

template <int N> ESCAPADE_HD void run_rounds(PhiloxState (&s)[N], const PhiloxKeys& keys) {
#pragma GCC unroll 10
  for (int round = 0; round < philox_rounds; ++round)
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) s[i].round(keys.k0[round], keys.k1[round]);
}

// out[(4 b + j) * row + p] for b < blocks, j < 4, p < particles; particles is a multiple of tile_lanes.
inline void fill_normals(float* out, size_t row, const PhiloxKeys& keys, Stream stream, uint64_t first_id, int particles,
                         uint64_t first_block, int blocks) {
  constexpr int lanes = Native<float>::lanes, pairs = philox_chains / 2;  // even and odd particles take a chain each
  using F = Pack<float, lanes>;
  using W = Pack<uint32_t, lanes>;
  for (int p = 0; p < particles; p += lanes) {
    for (int b = 0; b < blocks; b += pairs) {
      PhiloxState s[2 * pairs];
      for (int i = 0; i < pairs; ++i) {
        s[2 * i] = counters(first_id + uint64_t(p), 2, first_block + uint64_t(b + i), stream);
        s[2 * i + 1] = counters(first_id + uint64_t(p) + 1, 2, first_block + uint64_t(b + i), stream);
      }
      run_rounds(s, keys);
      for (int i = 0; i < pairs; ++i) {
        if (b + i >= blocks) break;
        const PhiloxState &even = s[2 * i], &odd = s[2 * i + 1];
        float* at = out + size_t(4 * (b + i)) * row + size_t(p);
        W w0, w1;
        F z0, z1;
        w0.r[0] = interleave_low_words(even.x0, odd.x0);
        w1.r[0] = interleave_low_words(even.x1, odd.x1);
        box_muller(w0, w1, z0, z1);
        z0.store(at);
        z1.store(at + row);
        w0.r[0] = interleave_low_words(even.x2, odd.x2);
        w1.r[0] = interleave_low_words(even.x3, odd.x3);
        box_muller(w0, w1, z0, z1);
        z0.store(at + 2 * row);
        z1.store(at + 3 * row);
      }
    }
  }
}

// The two 64-bit words of a block are x0 | x1 << 32 and x2 | x3 << 32.
ESCAPADE_HD U64 join_words(U64 low, U64 high) { return (low & 0xffffffffu) | (high << 32); }

// out[(2 b + j) * row + p] for b < blocks, j < 2, p < particles.
inline void fill_normals(double* out, size_t row, const PhiloxKeys& keys, Stream stream, uint64_t first_id, int particles,
                         uint64_t first_block, int blocks) {
  constexpr int lanes = Native<double>::lanes;
  using F = Pack<double, lanes * philox_chains>;
  using W = Pack<uint64_t, lanes * philox_chains>;
  for (int p = 0; p < particles; p += lanes * philox_chains) {
    for (int b = 0; b < blocks; ++b) {
      PhiloxState s[philox_chains];
      for (int i = 0; i < philox_chains; ++i)
        s[i] = counters(first_id + uint64_t(p + i * lanes), 1, first_block + uint64_t(b), stream);
      run_rounds(s, keys);
      W radius, angle;
      for (int i = 0; i < philox_chains; ++i) {
        radius.r[i] = join_words(s[i].x0, s[i].x1);
        angle.r[i] = join_words(s[i].x2, s[i].x3);
      }
      F z0, z1;
      box_muller(radius, angle, z0, z1);
      double* at = out + size_t(2 * b) * row + size_t(p);
      z0.store(at);
      z1.store(at + row);
    }
  }
}

// The draws of one block for particles in any order: z[j * lanes + i] belongs to id[i].
template <int lanes> inline void normals_of_block(float* z, const PhiloxKeys& keys, Stream stream, const uint64_t* id,
                                                  uint64_t block) {
  constexpr int width = Native<float>::lanes, half = width / 2;
  for (int p = 0; p < lanes; p += width) {
    PhiloxState s[2];
    for (int parity = 0; parity < 2; ++parity) {
      s[parity] = counters(0, 0, block, stream);
      for (int i = 0; i < half; ++i) {
        s[parity].x0[i] = id[p + 2 * i + parity];
        s[parity].x1[i] = id[p + 2 * i + parity] >> 32;
      }
    }
    run_rounds(s, keys);
    Pack<uint32_t, width> w[4];
    w[0].r[0] = interleave_low_words(s[0].x0, s[1].x0);
    w[1].r[0] = interleave_low_words(s[0].x1, s[1].x1);
    w[2].r[0] = interleave_low_words(s[0].x2, s[1].x2);
    w[3].r[0] = interleave_low_words(s[0].x3, s[1].x3);
    for (int pair = 0; pair < 2; ++pair) {
      Pack<float, width> z0, z1;
      box_muller(w[2 * pair], w[2 * pair + 1], z0, z1);
      z0.store(z + 2 * pair * lanes + p);
      z1.store(z + (2 * pair + 1) * lanes + p);
    }
  }
}

template <int lanes> inline void normals_of_block(double* z, const PhiloxKeys& keys, Stream stream, const uint64_t* id,
                                                  uint64_t block) {
  constexpr int width = Native<double>::lanes;
  for (int p = 0; p < lanes; p += width) {
    PhiloxState s[1] = {counters(0, 0, block, stream)};
    for (int i = 0; i < width; ++i) {
      s[0].x0[i] = id[p + i];
      s[0].x1[i] = id[p + i] >> 32;
    }
    run_rounds(s, keys);
    Pack<uint64_t, width> radius, angle;
    radius.r[0] = join_words(s[0].x0, s[0].x1);
    angle.r[0] = join_words(s[0].x2, s[0].x3);
    Pack<double, width> z0, z1;
    box_muller(radius, angle, z0, z1);
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
