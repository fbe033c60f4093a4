#include "engine/engine.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

namespace escapade {

namespace {

// Starting threads costs some 30 microseconds; below this much work one thread is faster.
constexpr double least_steps_per_thread = 1e5;

// Reductions of few chunks are over before a second thread has started.
int threads_for(size_t chunks, int threads) { return chunks < 16 ? 1 : threads; }

template <class T> size_t leave_out_nonfinite(T* x, size_t n) {
  size_t kept = 0;
  for (size_t i = 0; i < n; ++i)
    if (std::isfinite(x[i])) x[kept++] = x[i];
  return kept;
}

MomentSums add_in_order(const std::vector<MomentSums>& parts, int highest) {
  MomentSums total{};
  for (const MomentSums& part : parts)
    for (int k = 0; k <= highest; ++k) total.power[k] += part.power[k];
  return total;
}

struct Busy {  // one run at a time
  std::atomic<bool>& flag;
  explicit Busy(std::atomic<bool>& f) : flag(f) {
    if (flag.exchange(true)) throw std::runtime_error("this ensemble is being run by another thread");
  }
  ~Busy() { flag = false; }
};

// Draws rows of normals for one tile, whatever precision they are drawn and wanted in.
class TileNoise {
 public:
  static constexpr int columns = tile_particles, rows = tile_rows;
  TileNoise(Precision drawn, Precision wanted, uint64_t seed, int coarsen)
      : drawn_(drawn), wanted_(wanted), seed_(seed), coarsen_(coarsen), target_(active_target()) {}

  int rows_from(uint64_t draw, uint64_t steps) const {
    // ends where a full set of blocks ends, so that no block is drawn twice
    const uint64_t room = coarsen_ > 1 ? uint64_t(rows) : uint64_t(rows) - draw % uint64_t(rows);
    return int(std::min(room, steps));
  }

  const void* fill(uint64_t first_id, int particles, uint64_t draw, int steps) {
    if (drawn_ == Precision::float32) return fill_as(fine32_, coarse32_, first_id, particles, draw, steps);
    const double* z = static_cast<const double*>(fill_as(fine64_, coarse64_, first_id, particles, draw, steps));
    if (wanted_ == Precision::float64) return z;
    for (int s = 0; s < steps; ++s)
      for (int p = 0; p < particles; ++p) fine32_[s * columns + p] = float(z[s * columns + p]);
    return fine32_;
  }

 private:
  void draw_rows(float* out, uint64_t id, int particles, uint64_t block, int blocks) {
    target_.fill_normals32(out, columns, seed_, 0, id, particles, block, blocks);
  }
  void draw_rows(double* out, uint64_t id, int particles, uint64_t block, int blocks) {
    target_.fill_normals64(out, columns, seed_, 0, id, particles, block, blocks);
  }

  // rows of single draws; the first one sits at the returned pointer
  template <class Z> const Z* fill_fine(Z* out, uint64_t id, int particles, uint64_t draw, int count) {
    constexpr uint64_t per_block = 16 / sizeof(Z);
    const uint64_t skip = draw % per_block;
    const int blocks = int((skip + uint64_t(count) + per_block - 1) / per_block);
    draw_rows(out, id, particles, draw / per_block, blocks);
    return out + skip * columns;
  }

  template <class Z> const void* fill_as(Z* fine, Z* coarse, uint64_t id, int particles, uint64_t draw, int steps) {
    if (coarsen_ == 1) return fill_fine(fine, id, particles, draw, steps);
    const Z scale = Z(1 / std::sqrt(double(coarsen_)));
    for (int s = 0; s < steps; ++s) {
      Z* row = coarse + s * columns;
      std::fill(row, row + particles, Z(0));
      for (int done = 0; done < coarsen_;) {
        const int count = std::min(coarsen_ - done, rows);
        const Z* z = fill_fine(fine, id, particles, draw, count);
        for (int k = 0; k < count; ++k)
          for (int p = 0; p < particles; ++p) row[p] += z[k * columns + p];
        done += count, draw += uint64_t(count);
      }
      for (int p = 0; p < particles; ++p) row[p] *= scale;
    }
    return coarse;
  }

  Precision drawn_, wanted_;
  uint64_t seed_;
  int coarsen_;
  const Target& target_;
  // one block more than `rows`, for a first draw in mid-block
  alignas(64) float fine32_[(rows + 4) * columns], coarse32_[rows * columns];
  alignas(64) double fine64_[(rows + 4) * columns], coarse64_[rows * columns];
};

}  // namespace

void AlignedFree::operator()(void* p) const { std::free(p); }

const Kernel* find_kernel(const char* model, const char* scheme, Precision state, Precision noise) {
  const Target& t = active_target();
  // float32 states take 53-bit noise too, rounded to float32 after it is drawn
  const Precision wanted = state == Precision::float32 ? Precision::float32 : noise;
  for (int i = 0; i < t.kernel_count; ++i) {
    const Kernel& k = t.kernels[i];
    if (!std::strcmp(k.model, model) && !std::strcmp(k.scheme, scheme) && k.state == state && k.noise == wanted) return &k;
  }
  return nullptr;
}

Engine::Engine(size_t n, Precision state, Precision noise, uint64_t seed, int threads, uint64_t first_id)
    : n_(n),
      padded_((n + pad_particles - 1) / pad_particles * pad_particles),
      state_(state),
      noise_(noise),
      seed_(seed),
      first_id_(first_id),
      threads_(threads) {
  x_.reset(std::aligned_alloc(64, padded_ * element()));
  if (!x_) throw std::bad_alloc();
}

void Engine::restore(uint64_t step, uint64_t draw, uint64_t substeps, uint64_t floor_hits) {
  step_ = step, draw_ = draw, substeps_ = substeps, floor_hits_ = floor_hits;
}

void Engine::fill_padding() {
  char* x = static_cast<char*>(x_.get());
  for (size_t i = n_; i < padded_; ++i) std::memcpy(x + i * element(), x, element());
}

void Engine::advance_tile(size_t index, const Kernel& kernel, const ViewStorage& view, uint64_t steps, double dt,
                          int coarsen, Tile& tile) const {
  TileNoise noise(noise_, kernel.noise, seed_, coarsen);
  const size_t first = index * tile_particles;
  tile.particles = int(std::min(size_t(tile_particles), padded_ - first));
  tile.counted = int(std::min(size_t(tile_particles), n_ - first));
  tile.x = static_cast<char*>(x_.get()) + first * element();
  tile.first_id = first_id_ + first;
  tile.row = TileNoise::columns;
  tile.dt = dt;
  tile.seed = seed_;
  uint64_t draw = draw_;
  for (uint64_t done = 0; done < steps;) {
    tile.steps = noise.rows_from(draw, steps - done);
    tile.normals = noise.fill(tile.first_id, tile.particles, draw, tile.steps);
    tile.first_step = step_ + done;
    kernel.advance(view, tile);
    done += uint64_t(tile.steps);
    draw += uint64_t(tile.steps) * uint64_t(coarsen);
  }
}

void Engine::advance(const char* model, const char* scheme, const std::vector<double>& parameters, uint64_t steps, double dt,
                     int coarsen) {
  Busy busy(*busy_);
  const Kernel* kernel = find_kernel(model, scheme, state_, noise_);
  if (!kernel) throw std::invalid_argument(std::string("no kernel for ") + model + " and " + scheme);
  ViewStorage view;
  kernel->prepare(parameters.data(), view);
  const size_t tiles = (n_ + tile_particles - 1) / tile_particles;
  const double useful = std::ceil(double(n_) * double(steps) / least_steps_per_thread);
  const int threads = int(std::min(double(threads_), std::max(useful, 1.0)));
  std::atomic<uint64_t> substeps{0}, floor_hits{0};
  parallel_for(tiles, threads, [&](int, size_t index) {
    Tile tile{};
    advance_tile(index, *kernel, view, steps, dt, coarsen, tile);
    if (tile.substeps) substeps += tile.substeps;
    if (tile.floor_hits) floor_hits += tile.floor_hits;
  });
  step_ += steps;
  draw_ += steps * uint64_t(coarsen);
  substeps_ += substeps;
  floor_hits_ += floor_hits;
}

void Engine::raw(size_t first, size_t count, double* out) const {
  if (state_ == Precision::float32) {
    const float* x = static_cast<const float*>(x_.get()) + first;
    for (size_t i = 0; i < count; ++i) out[i] = double(x[i]);
  } else {
    std::memcpy(out, static_cast<const double*>(x_.get()) + first, count * sizeof(double));
  }
}

void Engine::physical(const CoordinateView& view, size_t first, size_t count, double* out) const {
  raw(first, count, out);
  if (view.physical_map) view.physical_map(view.parameters.data(), true, out, out, count);
}

void Engine::logarithm(const CoordinateView& view, size_t first, size_t count, double* out) const {
  if (view.log_map) {
    raw(first, count, out);
    view.log_map(view.parameters.data(), true, out, out, count);
  } else {
    physical(view, first, count, out);
    active_target().math("log", Precision::float64, out, out, count);
  }
}

void Engine::change_coordinate(const CoordinateView& from, const CoordinateView& to) {
  Busy busy(*busy_);
  const bool through_log = from.log_map && to.log_map;
  const CoordinateMap into = through_log ? to.log_map : to.physical_map;
  parallel_for(chunks(), threads_for(chunks(), threads_), [&](int, size_t c) {
    double buffer[chunk_particles];
    const size_t first = c * chunk_particles, count = std::min(chunk_particles, n_ - first);
    if (through_log) logarithm(from, first, count, buffer);
    else physical(from, first, count, buffer);
    if (into) into(to.parameters.data(), false, buffer, buffer, count);
    if (state_ == Precision::float32) {
      float* x = static_cast<float*>(x_.get()) + first;
      for (size_t i = 0; i < count; ++i) x[i] = float(buffer[i]);
    } else {
      std::memcpy(static_cast<double*>(x_.get()) + first, buffer, count * sizeof(double));
    }
  });
  fill_padding();
}

MomentSums Engine::power_sums(const CoordinateView& view, double shift, int highest) const {
  std::vector<MomentSums> parts(chunks());
  parallel_for(parts.size(), threads_for(parts.size(), threads_), [&](int, size_t c) {
    double buffer[chunk_particles];
    const size_t first = c * chunk_particles;
    size_t count = std::min(chunk_particles, n_ - first);
    physical(view, first, count, buffer);
    if (active_target().count_nonfinite(buffer, Precision::float64, count)) count = leave_out_nonfinite(buffer, count);
    active_target().power_sums(buffer, count, shift, highest, parts[c]);
  });
  return add_in_order(parts, highest);
}

void Engine::histogram(const CoordinateView& view, int scale, double lo, double inverse_width, double threshold,
                       int64_t bins, uint64_t* counts) const {
  const unsigned last_table = bins <= 65536 ? 3 : 0;       // more would not fit into cache, nor into little memory
  const size_t slots = size_t(bins) + 3, group = 1 << 16;  // chunks whose particles a 32-bit count can hold
  for (size_t start = 0; start < chunks(); start += group) {
    const size_t count = std::min(group, chunks() - start);
    const int threads = threads_for(count, threads_);
    std::vector<std::vector<uint32_t>> tables(static_cast<size_t>(threads));
    parallel_for(count, threads, [&](int worker, size_t c) {
      std::vector<uint32_t>& own = tables[size_t(worker)];
      if (own.empty()) own.resize(slots * (last_table + 1));
      double buffer[chunk_particles];
      const size_t first = (start + c) * chunk_particles, length = std::min(chunk_particles, n_ - first);
      physical(view, first, length, buffer);
      active_target().bin(buffer, length, scale, lo, inverse_width, threshold, bins, own.data(), last_table);
    });
    for (const std::vector<uint32_t>& own : tables)
      for (size_t at = 0; at < own.size(); at += slots)
        for (size_t i = 0; i < slots; ++i) counts[i] += own[at + i];
  }
}

size_t Engine::count_nonfinite() const {
  std::atomic<size_t> bad{0};
  parallel_for(chunks(), threads_for(chunks(), threads_), [&](int, size_t c) {
    const size_t first = c * chunk_particles;
    const size_t found = active_target().count_nonfinite(static_cast<const char*>(x_.get()) + first * element(), state_,
                                                         std::min(chunk_particles, n_ - first));
    if (found) bad += found;
  });
  return bad;
}

MomentSums power_sums(const double* x, size_t n, double shift, int highest, int threads) {
  std::vector<MomentSums> parts((n + chunk_particles - 1) / chunk_particles);
  parallel_for(parts.size(), threads_for(parts.size(), threads), [&](int, size_t c) {
    double buffer[chunk_particles];
    const size_t first = c * chunk_particles, length = std::min(chunk_particles, n - first);
    std::memcpy(buffer, x + first, length * sizeof(double));
    const size_t count = leave_out_nonfinite(buffer, length);
    active_target().power_sums(buffer, count, shift, highest, parts[c]);
  });
  return add_in_order(parts, highest);
}

}  // namespace escapade
