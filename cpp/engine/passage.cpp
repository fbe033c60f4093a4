#include "engine/passage.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace escapade {

namespace {

constexpr double least_steps_per_thread = 1e5;  // as in engine.cpp
constexpr size_t lanes = 64;                    // tiles are padded to a multiple of this
constexpr double none = std::numeric_limits<double>::quiet_NaN();

size_t padded(size_t n) { return (n + lanes - 1) / lanes * lanes; }

void write(const AlignedMemory& memory, Precision state, size_t at, double x) {
  if (state == Precision::float32) static_cast<float*>(memory.get())[at] = float(x);
  else static_cast<double*>(memory.get())[at] = x;
}

}  // namespace

Passage::Passage(const std::string& model, const std::string& scheme, const Shape& shape, std::vector<double> parameters,
                 size_t n, const double* x0, const uint64_t* ids, std::vector<OwnedBoundary> boundaries, int peak_of,
                 Precision state, Precision noise, uint64_t seed, double dt, int threads)
    : shape_(shape),
      parameters_(std::move(parameters)),
      owned_(std::move(boundaries)),
      state_(state),
      noise_(shape.kind == Draw::words ? Precision::float32 : noise),
      seed_(seed),
      dt_(dt),
      threads_(threads),
      peak_of_(peak_of),
      n_(n),
      alive_(n),
      time_(n, none),
      side_(n, still_alive) {
  kernel_ = find_kernel(model.c_str(), scheme.c_str(), state_, noise_);
  if (!kernel_) throw std::invalid_argument("no kernel for " + model + " and " + scheme);
  if (owned_.size() > size_t(most_boundaries)) throw std::invalid_argument("too many boundaries");
  bool counting = false;
  for (OwnedBoundary& b : owned_) {
    b.boundary.vector = b.vector.data();
    b.boundary.dim = shape_.dim;
    if (b.boundary.test != Boundary::Test::endpoint && !kernel_->variance)
      throw std::invalid_argument("a process that jumps is tested at the ends of steps");
    counting |= b.boundary.action == Boundary::Action::count;
    boundaries_.push_back(b.boundary);
  }
  drawn_ = shape_;
  if (kernel_->own_noise) drawn_.draws = 0;
  columns_ = TileNoise(drawn_, *kernel_, noise_, seed_, 1).columns();
  chunk_ = std::max<size_t>(columns_, 1024);
  capacity_ = (n + chunk_ - 1) / chunk_ * chunk_;
  x_ = aligned_memory(capacity_ * size_t(shape_.planes) * element());
  exit_ = aligned_memory(n * size_t(shape_.planes) * element());
  for (int k = 0; k < shape_.planes; ++k)
    for (size_t i = 0; i < n; ++i) {
      write(x_, state_, size_t(k) * capacity_ + i, x0[size_t(k) * n + i]);
      write(exit_, state_, size_t(k) * n + i, x0[size_t(k) * n + i]);
    }
  ids_.assign(ids, ids + n);
  ids_.resize(capacity_);
  slot_.resize(capacity_);
  for (size_t i = 0; i < n; ++i) slot_[i] = uint32_t(i);
  alive_at_.assign(capacity_, 0);
  std::fill_n(alive_at_.begin(), n, uint8_t(1));
  if (counting) {
    counts_.assign(n, 0);
    armed_.assign(n, 1);
  }
  if (peak_of_ >= 0) {
    peak_ = aligned_memory(capacity_ * element());
    for (size_t i = 0; i < capacity_; ++i) write(peak_, state_, i, -std::numeric_limits<double>::infinity());
    highest_.assign(n, -std::numeric_limits<double>::infinity());
  }
}

// What a thread keeps over its chunks.
struct Passage::Worker {
  TileNoise noise;
  AlignedMemory scratch, before, levels, variance;
  uint64_t work = 0, substeps = 0, floor_hits = 0;
};

void Passage::advance(uint64_t steps) {
  ViewStorage view;
  kernel_->prepare(parameters_.data(), view);
  const size_t chunks = (alive_ + chunk_ - 1) / chunk_;
  const double useful = std::ceil(double(alive_) * double(steps) / least_steps_per_thread);
  const int threads = int(std::min(double(threads_), std::max(useful, 1.0)));
  std::vector<std::unique_ptr<Worker>> workers(static_cast<size_t>(threads));
  std::vector<size_t> kept(chunks);
  parallel_for(chunks, threads, [&](int number, size_t c) {
    std::unique_ptr<Worker>& worker = workers[size_t(number)];
    if (!worker) {
      const size_t row = columns_ * element();
      worker.reset(new Worker{TileNoise(drawn_, *kernel_, noise_, seed_, 1),
                              aligned_memory(kernel_->scratch(parameters_.data())),
                              aligned_memory(row * size_t(shape_.planes)), aligned_memory(row * 2 * boundaries_.size()),
                              aligned_memory(row * boundaries_.size())});
    }
    kept[c] = run_chunk(c * chunk_, std::min(chunk_, alive_ - c * chunk_), steps, view, *worker);
  });
  size_t end = 0;
  for (size_t c = 0; c < chunks; ++c) {
    move(end, c * chunk_, kept[c]);
    end += kept[c];
  }
  alive_ = end;
  step_ += steps;
  for (const auto& worker : workers)
    if (worker) work_ += worker->work, substeps_ += worker->substeps, floor_hits_ += worker->floor_hits;
}

// Advances the particles at places first, ..., first + count - 1 and returns how many are left; they are moved together.
size_t Passage::run_chunk(size_t first, size_t count, uint64_t steps, const ViewStorage& view, Worker& worker) {
  Tile tile{};
  tile.plane = capacity_;
  tile.row = columns_;
  tile.draws = drawn_.draws;
  tile.scratch = worker.scratch.get();
  tile.dt = dt_;
  tile.seed = seed_;
  Watch watch{};
  watch.boundaries = boundaries_.data();
  watch.count = int(boundaries_.size());
  watch.planes = shape_.planes;
  watch.rearms = std::any_of(boundaries_.begin(), boundaries_.end(),
                             [](const Boundary& b) { return b.action == Boundary::Action::rearm; });
  watch.before = worker.before.get();
  watch.levels = worker.levels.get();
  watch.variance = worker.variance.get();
  watch.peak_of = peak_of_;
  watch.time = time_.data();
  watch.highest = highest_.data();
  watch.side = side_.data();
  watch.armed = armed_.data();
  watch.counts = counts_.data();
  watch.exit = exit_.get();
  watch.exit_plane = n_;
  size_t dead = 0;
  for (uint64_t done = 0; done < steps && count > dead;) {
    const uint64_t draw = (step_ + done) * uint64_t(shape_.draws);
    const int now = worker.noise.steps_from(draw, steps - done);
    for (size_t at = first; at < first + count; at += columns_) {
      tile.counted = int(std::min(columns_, first + count - at));
      tile.particles = int(padded(size_t(tile.counted)));
      for (size_t i = at + size_t(tile.counted); i < at + size_t(tile.particles); ++i) {
        for (int k = 0; k < shape_.planes; ++k) std::memcpy(address(k, i), address(k, at), element());
        ids_[i] = ids_[at];
        alive_at_[i] = 0;
      }
      tile.x = address(0, at);
      tile.ids = {0, ids_.data() + at};
      tile.steps = now;
      tile.first_step = step_ + done;
      tile.normals = worker.noise.fill(tile.ids, tile.particles, draw, now);
      watch.alive = alive_at_.data() + at;
      watch.slot = slot_.data() + at;
      watch.peak = peak_of_ < 0 ? nullptr : static_cast<char*>(peak_.get()) + at * element();
      active_target().run_watched(*kernel_, view, tile, watch);
      find_lost(at, size_t(tile.counted));
    }
    worker.work += uint64_t(now) * (count - dead);
    done += uint64_t(now);
    dead = size_t(std::count(alive_at_.begin() + ptrdiff_t(first), alive_at_.begin() + ptrdiff_t(first + count), 0));
    if (dead * 16 > count) {
      count = close_ranks(first, count);
      dead = 0;
    }
  }
  worker.substeps += tile.substeps, worker.floor_hits += tile.floor_hits;
  return close_ranks(first, count);
}

void Passage::finish(size_t place, int8_t side, double time) {
  const uint32_t slot = slot_[place];
  side_[slot] = side;
  time_[slot] = time;
  alive_at_[place] = 0;
  if (peak_of_ >= 0) highest_[slot] = value(peak_, place);
  for (int k = 0; k < shape_.planes; ++k)
    write(exit_, state_, size_t(k) * n_ + slot, value(x_, size_t(k) * capacity_ + place));
}

// Particles whose state is no longer finite cannot meet a boundary.
void Passage::find_lost(size_t first, size_t count) {
  size_t bad = 0;
  for (int k = 0; k < shape_.planes; ++k) bad += active_target().count_nonfinite(address(k, first), state_, count);
  if (bad == 0) return;
  for (size_t i = first; i < first + count; ++i) {
    if (!alive_at_[i]) continue;
    for (int k = 0; k < shape_.planes; ++k)
      if (!std::isfinite(value(x_, size_t(k) * capacity_ + i))) {
        finish(i, lost_particle, none);
        break;
      }
  }
}

// Moves those alive to the front of their chunk, in order.
size_t Passage::close_ranks(size_t first, size_t count) {
  size_t end = first;
  for (size_t i = first; i < first + count;) {
    size_t run = i;
    while (run < first + count && alive_at_[run]) ++run;
    move(end, i, run - i);
    end += run - i;
    for (i = run; i < first + count && !alive_at_[i];) ++i;
  }
  return end - first;
}

void Passage::move(size_t to, size_t from, size_t count) {
  if (to == from || count == 0) return;
  for (int k = 0; k < shape_.planes; ++k) std::memmove(address(k, to), address(k, from), count * element());
  std::memmove(&ids_[to], &ids_[from], count * sizeof ids_[0]);
  std::memmove(&slot_[to], &slot_[from], count * sizeof slot_[0]);
  std::memmove(&alive_at_[to], &alive_at_[from], count);
  char* const peak = static_cast<char*>(peak_.get());
  if (peak_of_ >= 0) std::memmove(peak + to * element(), peak + from * element(), count * element());
}

void Passage::retire(const std::vector<size_t>& places, int8_t side) {
  for (const size_t place : places) {
    if (place >= alive_) throw std::out_of_range("places of particles must be below the number of those alive");
    if (alive_at_[place]) finish(place, side, double(step_) * dt_);
  }
  alive_ = close_ranks(0, alive_);
}

double Passage::value(const AlignedMemory& memory, size_t at) const {
  return state_ == Precision::float32 ? double(static_cast<const float*>(memory.get())[at])
                                      : static_cast<const double*>(memory.get())[at];
}

std::vector<double> Passage::highest() const {
  std::vector<double> out = highest_;
  for (size_t i = 0; i < alive_ && peak_of_ >= 0; ++i) out[slot_[i]] = value(peak_, i);
  return out;
}

void Passage::states(double* out) const {
  for (int k = 0; k < shape_.planes; ++k) {
    double* const row = out + size_t(k) * n_;
    for (size_t i = 0; i < n_; ++i) row[i] = value(exit_, size_t(k) * n_ + i);
    for (size_t i = 0; i < alive_; ++i) row[slot_[i]] = value(x_, size_t(k) * capacity_ + i);
  }
}

void Passage::living(double* out) const {
  for (int k = 0; k < shape_.planes; ++k)
    for (size_t i = 0; i < alive_; ++i) out[size_t(k) * alive_ + i] = value(x_, size_t(k) * capacity_ + i);
}

}  // namespace escapade
