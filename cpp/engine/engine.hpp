// The CPU engine: owns the state of an ensemble, cuts it into tiles, hands tiles to threads.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "tile_noise.hpp"

namespace escapade {

constexpr size_t chunk_particles = 4096;  // unit of every reduction: results do not depend on the number of threads
constexpr size_t pad_particles = 64;

// Parameters of every point of a sweep, one row each. Whoever calls keeps the numbers alive.
struct Parameters {
  const double* values = nullptr;
  size_t length = 0;  // of a row
  const double* at(size_t point) const { return values + point * length; }
};

// A coordinate and the parameters of its map; without a map the state is physical.
struct CoordinateView {
  CoordinateMap physical_map = nullptr, log_map = nullptr;
  Parameters parameters;
};

class Engine {
 public:
  // `points` points of a sweep with `n` particles each; a particle is stored as `planes` numbers. Particle i of point k has
  // the number first_id + k n + i.
  Engine(size_t n, size_t points, int planes, Precision state, Precision noise, uint64_t seed, int threads,
         uint64_t first_id);

  size_t n() const { return n_; }
  size_t points() const { return points_; }
  int planes() const { return planes_; }
  Precision precision() const { return state_; }
  void* data() { return x_.get(); }
  size_t element() const { return state_ == Precision::float32 ? 4 : 8; }
  size_t point_stride() const { return padded_; }  // elements between points, and between planes
  size_t plane_stride() const { return plane_; }
  uint64_t step() const { return step_; }
  uint64_t draw() const { return draw_; }
  uint64_t substeps() const { return substeps_; }
  uint64_t floor_hits() const { return floor_hits_; }
  int threads() const { return threads_; }
  void set_threads(int threads) { threads_ = threads; }
  void restore(uint64_t step, uint64_t draw, uint64_t substeps, uint64_t floor_hits);

  // `steps` steps of `dt`. Each takes `coarsen` times the draws of a step and adds them up to one increment, so that
  // ensembles with coarsen = k and dt = k h follow the Brownian paths of ensembles with dt = h.
  void advance(const char* model, const char* scheme, const Shape&, const Parameters&, uint64_t steps, double dt,
               int coarsen);

  // State in the physical coordinate, in double, for particles first, ..., first + count - 1 of a point; `plane` numbers of
  // a particle of several are physical as they are.
  void physical(const CoordinateView&, size_t point, int plane, size_t first, size_t count, double* out) const;
  // Its logarithm, which stays finite where the state itself underflows, if the coordinate allows.
  void logarithm(const CoordinateView&, size_t point, int plane, size_t first, size_t count, double* out) const;
  // Replaces the state, through ln x if both coordinates offer that and through x otherwise.
  void change_coordinate(const CoordinateView& from, const CoordinateView& to);
  void fill_padding();  // after somebody else has written the state

  // Sums over the finite particles of (x - shift)^k, k <= highest; entry 0 is their number. One for each point and plane,
  // planes < dim; so are the shifts.
  std::vector<MomentSums> power_sums(const CoordinateView&, int dim, const double* shifts, int highest) const;
  // Counts, bins + 3 for each point.
  void histogram(const CoordinateView&, int plane, int scale, double lo, double inverse_width, double threshold,
                 int64_t bins, uint64_t* counts) const;
  size_t count_nonfinite() const;  // particles, of all points

 private:
  struct Worker;
  void advance_tile(size_t point, size_t first, const Kernel&, const ViewStorage&, uint64_t steps, double dt, int coarsen,
                    Worker&, Tile&) const;
  const char* address(size_t point, int plane, size_t first) const {
    return static_cast<const char*>(x_.get()) + (size_t(plane) * plane_ + point * padded_ + first) * element();
  }
  void raw(size_t point, int plane, size_t first, size_t count, double* out) const;
  size_t chunks() const { return (n_ + chunk_particles - 1) / chunk_particles; }  // of a point

  size_t n_, points_, padded_, plane_;
  int planes_;
  Precision state_, noise_;
  uint64_t seed_, first_id_;
  int threads_;
  uint64_t step_ = 0, draw_ = 0, substeps_ = 0, floor_hits_ = 0;
  AlignedMemory x_;
  std::shared_ptr<std::atomic<bool>> busy_ = std::make_shared<std::atomic<bool>>(false);
};

// The same reduction for any array; elements that are not finite are left out.
MomentSums power_sums(const double* x, size_t n, double shift, int highest, int threads);
const Kernel* find_kernel(const char* model, const char* scheme, Precision state, Precision noise);

}  // namespace escapade
