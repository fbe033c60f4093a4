// Boundaries that a run watches, and what it keeps of the particles that meet them: plain data, the same in every build.
#pragma once

#include <cstddef>
#include <cstdint>

namespace escapade {

// The surface level(x) = level of one of three functions: a number of the state, x . direction, |x - centre|. A particle is
// inside while sign (level - level(x)) > 0, the signed distance from the boundary; |grad level| = 1.
struct Boundary {
  enum class Kind : int { coordinate, half_space, ball };
  // Rearm: a count goes on only after the particle has been here since the last one.
  enum class Action : int { absorb, reflect, count, rearm };
  // How an excursion within a step is found: not at all; by the law of the Brownian bridge between both ends; by an
  // end-point test against a boundary moved inwards.
  enum class Test : int { endpoint, bridge, shift };
  Kind kind = Kind::coordinate;
  Action action = Action::absorb;
  Test test = Test::bridge;
  int coordinate = 0, dim = 1;
  double sign = 1, level = 0;
  const double* vector = nullptr;  // direction of length 1, or centre: dim numbers
};
constexpr int most_boundaries = 4;

// -zeta(1/2) / sqrt(2 pi): mean overshoot of a Gaussian random walk (Broadie, Glasserman and Kou 1997).
constexpr double mean_overshoot = 0.58259715793901;

// What has become of a particle, besides the number of the boundary that absorbed it.
constexpr int8_t still_alive = -1, lost_particle = -2;

// A tile's particles on watch. Rows have the length of the tile's rows; `plane`s are those of the tile.
struct Watch {
  const Boundary* boundaries;
  int count, planes;
  bool rearms;           // whether some boundary does
  void* before;          // states before a step, planes rows
  void* levels;          // for each boundary two rows: before and after
  void* variance;        // for each boundary one row, of the noise along its normal per unit of time
  uint8_t* alive;        // of each particle
  const uint32_t* slot;  // where its results go
  void* peak;            // the highest sign * level(x) of `peak_of` so far, of each particle; or nullptr
  int peak_of;
  // results, by slot
  double *time, *highest;
  int8_t* side;
  uint8_t* armed;
  uint32_t* counts;
  void* exit;
  size_t exit_plane;
};

}  // namespace escapade
