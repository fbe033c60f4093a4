// Draws rows of noise for one tile, whatever precision they are drawn and wanted in. Host code, the same for every target.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <numeric>

#include "dispatch.hpp"

namespace escapade {

struct AlignedFree {
  void operator()(void* p) const { std::free(p); }
};
using AlignedMemory = std::unique_ptr<void, AlignedFree>;

inline AlignedMemory aligned_memory(size_t bytes) {
  AlignedMemory memory(std::aligned_alloc(64, std::max<size_t>((bytes + 63) / 64 * 64, 64)));
  if (!memory) throw std::bad_alloc();
  return memory;
}

class TileNoise {
 public:
  TileNoise(const Shape& shape, const Kernel& kernel, Precision drawn, uint64_t seed, int coarsen)
      : shape_(shape), drawn_(drawn), wanted_(kernel.noise), seed_(seed), coarsen_(coarsen), target_(active_target()) {
    const int d = std::max(shape.draws, 1);
    // whole blocks of noise where that takes no more than a few steps; wide rows of draws make narrow tiles, to stay in
    // cache
    steps_ = tile_rows % d == 0 ? tile_rows / d : d < tile_rows ? tile_rows : d > 1024 ? 1 : 4 / std::gcd(d, 4);
    if (shape.draws == 0) steps_ = 64;
    columns_ = steps_ * d > 2 * tile_rows ? 64 : kernel.adaptive || kernel.own_noise ? tile_particles : narrow_tile;
    rows_ = shape.draws == 0 ? 0 : steps_ * d;
    const size_t values = size_t(rows_ + 8) * size_t(columns_);  // for first and last draws in mid-block
    const size_t element = drawn_ == Precision::float64 ? 8 : 4;
    fine_ = aligned_memory(values * element);
    if (coarsen_ > 1) coarse_ = aligned_memory(values * element);
    if (drawn_ != wanted_ && drawn_ == Precision::float64) narrow_ = aligned_memory(values * 4);
  }

  size_t columns() const { return size_t(columns_); }
  int draws() const { return shape_.draws; }

  // Steps to make at once: they end where a full set of blocks ends, so that no block is drawn twice.
  int steps_from(uint64_t draw, uint64_t steps) const {
    uint64_t room = uint64_t(steps_);
    const uint64_t d = uint64_t(shape_.draws), over = d ? draw % uint64_t(rows_) : 0;
    if (coarsen_ == 1 && over % std::max<uint64_t>(d, 1) == 0 && d) room = (uint64_t(rows_) - over) / d;
    return int(std::min(room, steps));
  }

  const void* fill(const Ids& ids, int particles, uint64_t draw, int steps) {
    if (rows_ == 0) return fine_.get();  // nothing is drawn, but addresses are still computed from it
    if (drawn_ == Precision::float32) return fill_as<float>(ids, particles, draw, steps);
    const double* z = fill_as<double>(ids, particles, draw, steps);
    if (wanted_ == Precision::float64) return z;
    float* narrow = static_cast<float*>(narrow_.get());
    for (int s = 0; s < steps * shape_.draws; ++s)
      for (int p = 0; p < particles; ++p) narrow[s * columns_ + p] = float(z[s * columns_ + p]);
    return narrow;
  }

 private:
  void draw_rows(float* out, const Ids& id, int particles, uint64_t block, int blocks) {
    if (shape_.kind == Draw::words || shape_.kind == Draw::stable)
      target_.fill_words32(out, columns(), seed_, stream(), id, particles, block, blocks);
    else target_.fill_normals32(out, columns(), seed_, stream(), id, particles, block, blocks);
    if (shape_.kind == Draw::stable) target_.words_to_stable32(out, columns(), 2 * blocks, particles, shape_.stability);
  }
  void draw_rows(double* out, const Ids& id, int particles, uint64_t block, int blocks) {
    if (shape_.kind == Draw::stable) {
      target_.fill_words64(out, columns(), seed_, stream(), id, particles, block, blocks);
      target_.words_to_stable64(out, columns(), blocks, particles, shape_.stability);
    } else {
      target_.fill_normals64(out, columns(), seed_, stream(), id, particles, block, blocks);
    }
  }

  // rows of single draws; the first one sits at the returned pointer
  template <class Z> const Z* fill_fine(const Ids& id, int particles, uint64_t draw, int count) {
    constexpr uint64_t per_block = 16 / sizeof(Z);
    Z* out = static_cast<Z*>(fine_.get());
    const uint64_t skip = draw % per_block;
    const int blocks = int((skip + uint64_t(count) + per_block - 1) / per_block);
    draw_rows(out, id, particles, draw / per_block, blocks);
    return out + skip * columns();
  }

  template <class Z> const Z* fill_as(const Ids& id, int particles, uint64_t draw, int steps) {
    const int d = shape_.draws;
    if (coarsen_ == 1) return fill_fine<Z>(id, particles, draw, steps * d);
    Z* const coarse = static_cast<Z*>(coarse_.get());
    // the sum of k numbers of stability alpha is k^(1/alpha) times one of them; normals are of stability 2
    double factor = 1 / std::sqrt(double(coarsen_));
    if (shape_.kind == Draw::stable) {
      factor = double(coarsen_);
      target_.math("log", Precision::float64, &factor, &factor, 1);
      factor /= -shape_.stability;
      target_.math("exp", Precision::float64, &factor, &factor, 1);
    }
    const Z scale = Z(factor);
    std::fill(coarse, coarse + size_t(steps * d) * columns(), Z(0));
    for (int s = 0; s < steps; ++s) {
      Z* rows = coarse + size_t(s * d) * columns();
      for (int done = 0, total = coarsen_ * d; done < total;) {
        const int count = std::min(total - done, rows_);
        const Z* z = fill_fine<Z>(id, particles, draw, count);
        for (int k = 0; k < count; ++k) {
          Z* row = rows + size_t((done + k) % d) * columns();
          for (int p = 0; p < particles; ++p) row[p] += z[size_t(k) * columns() + size_t(p)];
        }
        done += count, draw += uint64_t(count);
      }
      for (int j = 0; j < d; ++j)
        for (int p = 0; p < particles; ++p) rows[size_t(j) * columns() + size_t(p)] *= scale;
    }
    return coarse;
  }

  // Stream::increments or Stream::data
  uint32_t stream() const { return shape_.kind == Draw::increments || shape_.kind == Draw::stable ? 0 : 5; }

  Shape shape_;
  Precision drawn_, wanted_;
  uint64_t seed_;
  int coarsen_, steps_, columns_, rows_;
  const Target& target_;
  AlignedMemory fine_, coarse_, narrow_;
};

}  // namespace escapade
