// The CPU engine: owns the state of an ensemble, cuts it into tiles, hands tiles to threads.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "dispatch.hpp"

namespace escapade {

constexpr size_t chunk_particles = 4096;  // unit of every reduction: results do not depend on the number of threads
constexpr size_t pad_particles = 64;

struct AlignedFree {
  void operator()(void* p) const;
};

// A coordinate and the parameters of its map; without a map the state is physical.
struct CoordinateView {
  CoordinateMap physical_map = nullptr, log_map = nullptr;
  std::vector<double> parameters;
};

class Engine {
 public:
  Engine(size_t n, Precision state, Precision noise, uint64_t seed, int threads, uint64_t first_id);

  size_t n() const { return n_; }
  Precision precision() const { return state_; }
  void* data() { return x_.get(); }
  uint64_t step() const { return step_; }
  uint64_t draw() const { return draw_; }
  uint64_t substeps() const { return substeps_; }
  uint64_t floor_hits() const { return floor_hits_; }
  int threads() const { return threads_; }
  void set_threads(int threads) { threads_ = threads; }
  void restore(uint64_t step, uint64_t draw, uint64_t substeps, uint64_t floor_hits);

  // `steps` steps of `dt`. Each takes `coarsen` draws and adds them up to one increment, so that ensembles with coarsen = k
  // and dt = k h follow the Brownian paths of ensembles with dt = h.
  void advance(const char* model, const char* scheme, const std::vector<double>& parameters, uint64_t steps, double dt,
               int coarsen);

  // State in the physical coordinate, in double, for particles first, ..., first + count - 1.
  void physical(const CoordinateView&, size_t first, size_t count, double* out) const;
  // Its logarithm, which stays finite where the state itself underflows, if the coordinate allows.
  void logarithm(const CoordinateView&, size_t first, size_t count, double* out) const;
  // Replaces the state, through ln x if both coordinates offer that and through x otherwise.
  void change_coordinate(const CoordinateView& from, const CoordinateView& to);
  void fill_padding();  // after somebody else has written the state

  // Sums over the finite particles of (x - shift)^k, k <= highest; entry 0 is their number.
  MomentSums power_sums(const CoordinateView&, double shift, int highest) const;
  void histogram(const CoordinateView&, int scale, double lo, double inverse_width, double threshold, int64_t bins,
                 uint64_t* counts) const;
  size_t count_nonfinite() const;

 private:
  void advance_tile(size_t index, const Kernel&, const ViewStorage&, uint64_t steps, double dt, int coarsen,
                    Tile& tile) const;
  void raw(size_t first, size_t count, double* out) const;
  size_t chunks() const { return (n_ + chunk_particles - 1) / chunk_particles; }
  size_t element() const { return state_ == Precision::float32 ? 4 : 8; }

  size_t n_, padded_;
  Precision state_, noise_;
  uint64_t seed_, first_id_;
  int threads_;
  uint64_t step_ = 0, draw_ = 0, substeps_ = 0, floor_hits_ = 0;
  std::unique_ptr<void, AlignedFree> x_;
  std::shared_ptr<std::atomic<bool>> busy_ = std::make_shared<std::atomic<bool>>(false);
};

// The same reduction for any array; elements that are not finite are left out.
MomentSums power_sums(const double* x, size_t n, double shift, int highest, int threads);
const Kernel* find_kernel(const char* model, const char* scheme, Precision state, Precision noise);

}  // namespace escapade
