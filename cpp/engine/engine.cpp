#include "engine/engine.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>
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

MomentSums add_in_order(const MomentSums* parts, size_t count, int highest) {
  MomentSums total{};
  for (size_t i = 0; i < count; ++i)
    for (int k = 0; k <= highest; ++k) total.power[k] += parts[i].power[k];
  return total;
}

struct Busy {  // one run at a time
  std::atomic<bool>& flag;
  explicit Busy(std::atomic<bool>& f) : flag(f) {
    if (flag.exchange(true)) throw std::runtime_error("this ensemble is being run by another thread");
  }
  ~Busy() { flag = false; }
};

}  // namespace

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

namespace {

// Planes of a million particles lie a power of two apart, and would all fall into the same few sets of the caches.
size_t plane_length(size_t particles, int planes) {
  constexpr size_t page = 4096;
  if (planes == 1 || particles < page) return particles;
  return (particles + page - 1) / page * page + narrow_tile;
}

}  // namespace

Engine::Engine(size_t n, size_t points, int planes, Precision state, Precision noise, uint64_t seed, int threads,
               uint64_t first_id)
    : n_(n),
      points_(points),
      padded_((n + pad_particles - 1) / pad_particles * pad_particles),
      plane_(plane_length(padded_ * points, planes)),
      planes_(planes),
      state_(state),
      noise_(noise),
      seed_(seed),
      first_id_(first_id),
      threads_(threads),
      x_(aligned_memory(plane_ * size_t(planes) * element())) {}

void Engine::restore(uint64_t step, uint64_t draw, uint64_t substeps, uint64_t floor_hits) {
  step_ = step, draw_ = draw, substeps_ = substeps, floor_hits_ = floor_hits;
}

void Engine::fill_padding() {
  for (int k = 0; k < planes_; ++k)
    for (size_t point = 0; point < points_; ++point) {
      char* x = const_cast<char*>(address(point, k, 0));
      for (size_t i = n_; i < padded_; ++i) std::memcpy(x + i * element(), x, element());
    }
}

// What a thread keeps over its tiles.
struct Engine::Worker {
  TileNoise noise;
  AlignedMemory scratch;
};

void Engine::advance_tile(size_t point, size_t first, const Kernel& kernel, const ViewStorage& view, uint64_t steps,
                          double dt, int coarsen, Worker& worker, Tile& tile) const {
  TileNoise& noise = worker.noise;
  tile.particles = int(std::min(noise.columns(), padded_ - first));
  tile.counted = int(std::min(noise.columns(), n_ - first));
  tile.x = const_cast<char*>(address(point, 0, first));
  tile.plane = plane_;
  tile.ids = {first_id_ + point * n_ + first, nullptr};
  tile.row = noise.columns();
  tile.draws = noise.draws();
  tile.scratch = worker.scratch.get();
  tile.dt = dt;
  tile.seed = seed_;
  uint64_t draw = draw_;
  for (uint64_t done = 0; done < steps;) {
    tile.steps = noise.steps_from(draw, steps - done);
    tile.normals = noise.fill(tile.ids, tile.particles, draw, tile.steps);
    tile.first_step = step_ + done;
    kernel.advance(view, tile);
    done += uint64_t(tile.steps);
    draw += uint64_t(tile.steps) * uint64_t(tile.draws) * uint64_t(coarsen);
  }
}

void Engine::advance(const char* model, const char* scheme, const Shape& shape, const Parameters& parameters, uint64_t steps,
                     double dt, int coarsen) {
  Busy busy(*busy_);
  // words are 32 bits wide whatever the normals are
  const Precision noise = shape.kind == Draw::words ? Precision::float32 : noise_;
  const Kernel* kernel = find_kernel(model, scheme, state_, noise);
  if (!kernel) throw std::invalid_argument(std::string("no kernel for ") + model + " and " + scheme);
  if (coarsen > 1 && shape.kind == Draw::words) throw std::invalid_argument("coarsen must be 1 for a draw of words");
  Shape drawn = shape;
  if (kernel->own_noise) drawn.draws = 0;
  const double useful = std::ceil(double(n_) * double(points_) * double(steps) / least_steps_per_thread);
  const int threads = int(std::min(double(threads_), std::max(useful, 1.0)));
  std::vector<ViewStorage> views(points_);
  parallel_for(points_, points_ < 64 ? 1 : threads,
               [&](int, size_t point) { kernel->prepare(parameters.at(point), views[point]); });
  std::vector<std::unique_ptr<Worker>> workers(static_cast<size_t>(threads));
  const size_t width = TileNoise(drawn, *kernel, noise, seed_, 1).columns(), tiles = (n_ + width - 1) / width;
  std::atomic<uint64_t> substeps{0}, floor_hits{0};
  parallel_for(points_ * tiles, threads, [&](int number, size_t index) {
    std::unique_ptr<Worker>& worker = workers[size_t(number)];
    if (!worker)
      worker.reset(
          new Worker{TileNoise(drawn, *kernel, noise, seed_, coarsen), aligned_memory(kernel->scratch(parameters.at(0)))});
    const size_t point = index / tiles;
    Tile tile{};
    advance_tile(point, index % tiles * width, *kernel, views[point], steps, dt, coarsen, *worker, tile);
    if (tile.substeps) substeps += tile.substeps;
    if (tile.floor_hits) floor_hits += tile.floor_hits;
  });
  step_ += steps;
  draw_ += steps * uint64_t(coarsen) * uint64_t(shape.draws);
  substeps_ += substeps;
  floor_hits_ += floor_hits;
}

void Engine::raw(size_t point, int plane, size_t first, size_t count, double* out) const {
  const char* x = address(point, plane, first);
  if (state_ == Precision::float32) {
    for (size_t i = 0; i < count; ++i) out[i] = double(reinterpret_cast<const float*>(x)[i]);
  } else {
    std::memcpy(out, x, count * sizeof(double));
  }
}

void Engine::physical(const CoordinateView& view, size_t point, int plane, size_t first, size_t count, double* out) const {
  raw(point, plane, first, count, out);
  if (view.physical_map) view.physical_map(view.parameters.at(point), true, out, out, count);
}

void Engine::logarithm(const CoordinateView& view, size_t point, int plane, size_t first, size_t count, double* out) const {
  if (view.log_map) {
    raw(point, plane, first, count, out);
    view.log_map(view.parameters.at(point), true, out, out, count);
  } else {
    physical(view, point, plane, first, count, out);
    active_target().math("log", Precision::float64, out, out, count);
  }
}

void Engine::change_coordinate(const CoordinateView& from, const CoordinateView& to) {
  Busy busy(*busy_);
  const bool through_log = from.log_map && to.log_map;
  const CoordinateMap into = through_log ? to.log_map : to.physical_map;
  const size_t total = points_ * chunks();
  parallel_for(total, threads_for(total, threads_), [&](int, size_t index) {
    double buffer[chunk_particles];
    const size_t point = index / chunks(), first = index % chunks() * chunk_particles;
    const size_t count = std::min(chunk_particles, n_ - first);
    if (through_log) logarithm(from, point, 0, first, count, buffer);
    else physical(from, point, 0, first, count, buffer);
    if (into) into(to.parameters.at(point), false, buffer, buffer, count);
    char* const x = const_cast<char*>(address(point, 0, first));
    if (state_ == Precision::float32) {
      for (size_t i = 0; i < count; ++i) reinterpret_cast<float*>(x)[i] = float(buffer[i]);
    } else {
      std::memcpy(x, buffer, count * sizeof(double));
    }
  });
  fill_padding();
}

std::vector<MomentSums> Engine::power_sums(const CoordinateView& view, int dim, const double* shifts, int highest) const {
  const size_t rows = points_ * size_t(dim), each = chunks();
  std::vector<MomentSums> parts(rows * each);
  parallel_for(parts.size(), threads_for(parts.size(), threads_), [&](int, size_t index) {
    double buffer[chunk_particles];
    const size_t row = index / each, first = index % each * chunk_particles;
    size_t count = std::min(chunk_particles, n_ - first);
    physical(view, row / size_t(dim), int(row % size_t(dim)), first, count, buffer);
    if (active_target().count_nonfinite(buffer, Precision::float64, count)) count = leave_out_nonfinite(buffer, count);
    active_target().power_sums(buffer, count, shifts[row], highest, parts[index]);
  });
  std::vector<MomentSums> sums(rows);
  for (size_t row = 0; row < rows; ++row) sums[row] = add_in_order(parts.data() + row * each, each, highest);
  return sums;
}

void Engine::histogram(const CoordinateView& view, int plane, int scale, double lo, double inverse_width, double threshold,
                       int64_t bins, uint64_t* counts) const {
  const unsigned last_table = bins <= 65536 ? 3 : 0;       // more would not fit into cache, nor into little memory
  const size_t slots = size_t(bins) + 3, group = 1 << 16;  // chunks whose particles a 32-bit count can hold
  struct Tables {
    std::vector<uint32_t> own;
    size_t point = 0, chunks = 0;
  };
  const size_t total = points_ * chunks();
  const int threads = threads_for(total, threads_);
  std::vector<Tables> tables(static_cast<size_t>(threads));
  std::mutex adding;
  auto flush = [&](Tables& t) {
    if (t.chunks == 0) return;
    const std::lock_guard<std::mutex> lock(adding);
    for (size_t at = 0; at < t.own.size(); at += slots)
      for (size_t i = 0; i < slots; ++i) counts[t.point * slots + i] += t.own[at + i];
    std::fill(t.own.begin(), t.own.end(), 0);
    t.chunks = 0;
  };
  parallel_for(total, threads, [&](int worker, size_t index) {
    Tables& t = tables[size_t(worker)];
    if (t.own.empty()) t.own.resize(slots * (last_table + 1));
    const size_t point = index / chunks(), first = index % chunks() * chunk_particles;
    if (point != t.point || t.chunks == group) flush(t);
    t.point = point, ++t.chunks;
    double buffer[chunk_particles];
    const size_t length = std::min(chunk_particles, n_ - first);
    physical(view, point, plane, first, length, buffer);
    active_target().bin(buffer, length, scale, lo, inverse_width, threshold, bins, t.own.data(), last_table);
  });
  for (Tables& t : tables) flush(t);
}

size_t Engine::count_nonfinite() const {
  std::atomic<size_t> bad{0};
  const size_t total = points_ * chunks();
  parallel_for(total, threads_for(total, threads_), [&](int, size_t index) {
    const size_t point = index / chunks(), first = index % chunks() * chunk_particles;
    const size_t count = std::min(chunk_particles, n_ - first);
    size_t found = 0;
    if (planes_ == 1) {
      found = active_target().count_nonfinite(address(point, 0, first), state_, count);
    } else {
      double buffer[chunk_particles], any_bad[chunk_particles] = {};
      for (int k = 0; k < planes_; ++k) {
        raw(point, k, first, count, buffer);
        for (size_t i = 0; i < count; ++i) any_bad[i] += buffer[i] - buffer[i];
      }
      found = active_target().count_nonfinite(any_bad, Precision::float64, count);
    }
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
  return add_in_order(parts.data(), parts.size(), highest);
}

}  // namespace escapade
