// Particles followed until they meet a boundary. Those who have are taken out and the others moved together, so that a step
// costs what those still on their way cost. All particles start at step 0, at the same time or not: a number keys each.
#pragma once

#include <string>

#include "engine.hpp"

namespace escapade {

// A boundary and the vector that it needs.
struct OwnedBoundary {
  Boundary boundary;
  std::vector<double> vector;
};

class Passage {
 public:
  // States in the coordinate of the scheme, `planes` rows of n; one number for each particle. Of boundary `peak_of` the
  // highest sign * level(x) at ends of steps is kept; -1 for none.
  Passage(const std::string& model, const std::string& scheme, const Shape&, std::vector<double> parameters, size_t n,
          const double* x0, const uint64_t* ids, std::vector<OwnedBoundary>, int peak_of, Precision state, Precision noise,
          uint64_t seed, double dt, int threads);

  void advance(uint64_t steps);  // or fewer, if nobody is left
  // Takes particles that are alive out, by their place; `side` is told of them, and the time is the end of the last step.
  void retire(const std::vector<size_t>& places, int8_t side);

  size_t n() const { return n_; }
  size_t alive() const { return alive_; }
  int planes() const { return shape_.planes; }
  uint64_t step() const { return step_; }
  uint64_t particle_steps() const { return work_; }
  uint64_t substeps() const { return substeps_; }
  uint64_t floor_hits() const { return floor_hits_; }
  // By the order in which particles were given: time at which they were absorbed (nan: they were not), number of the
  // boundary (or still_alive, lost_particle), counts, highest level, and states: where they were absorbed or are now.
  const std::vector<double>& time() const { return time_; }
  const std::vector<int8_t>& side() const { return side_; }
  const std::vector<uint32_t>& counts() const { return counts_; }
  std::vector<double> highest() const;
  void states(double* out) const;  // planes rows of n
  // Of those alive: which particle is at a place, and its state.
  const uint32_t* slots() const { return slot_.data(); }
  void living(double* out) const;  // planes rows of `alive`

 private:
  struct Worker;
  size_t run_chunk(size_t first, size_t count, uint64_t steps, const ViewStorage&, Worker&);
  void find_lost(size_t first, size_t count);
  size_t close_ranks(size_t first, size_t count);
  void move(size_t to, size_t from, size_t count);
  void finish(size_t place, int8_t side, double time);
  size_t element() const { return state_ == Precision::float32 ? 4 : 8; }
  char* address(int plane, size_t place) const {
    return static_cast<char*>(x_.get()) + (size_t(plane) * capacity_ + place) * element();
  }
  double value(const AlignedMemory&, size_t at) const;

  const Kernel* kernel_;
  Shape shape_, drawn_;  // what a step takes, and what of it is drawn beforehand
  std::vector<double> parameters_;
  std::vector<OwnedBoundary> owned_;
  std::vector<Boundary> boundaries_;
  Precision state_, noise_;
  uint64_t seed_;
  double dt_;
  int threads_, peak_of_;
  size_t n_, alive_, columns_, chunk_, capacity_;
  uint64_t step_ = 0, work_ = 0, substeps_ = 0, floor_hits_ = 0;
  AlignedMemory x_, peak_, exit_;
  std::vector<uint64_t> ids_;
  std::vector<uint32_t> slot_, counts_;
  std::vector<uint8_t> alive_at_, armed_;
  std::vector<double> time_, highest_;
  std::vector<int8_t> side_;
};

}  // namespace escapade
