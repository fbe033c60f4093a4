// The table that an instruction set's build of the engine hands to the rest: plain function pointers and plain data, the
// same types in every build, so nothing here may depend on ESCAPADE_ISA.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../core/ids.hpp"
#include "../events/boundary.hpp"

namespace escapade {

enum class Precision : int { float32 = 0, float64 = 1 };

// What a step draws: standard normals of the stream `increments` or `data`, 32-bit words of the stream `data`, or
// alpha-stable numbers of the stream `increments`, E exp(i k S) = exp(-|k|^stability); they take two draws each, and sit in
// the place of the first.
enum class Draw : int { increments, data, words, stable };

// Sizes that may depend on parameters: numbers of a particle that users see, numbers that are stored, draws per step.
struct Shape {
  int dim = 1, planes = 1, draws = 1;
  Draw kind = Draw::increments;
  double stability = 2;
};

// A tile: up to tile_particles consecutive particles advanced over some steps with the normals already drawn. For adaptive
// schemes tiles are wide, so that the particles of a tile that take substeps fill packs (advance_adaptive.hpp).
constexpr int tile_particles = 1024, narrow_tile = 256, tile_rows = 16;

struct Tile {
  void* x;              // state of the tile's first particle, contiguous over particles
  size_t plane;         // elements between the numbers of one particle
  const void* normals;  // row s * draws + j holds draw j of step s, one per particle
  size_t row;           // elements between rows
  int draws;
  void* scratch;  // as many bytes as the kernel asked for
  int particles;  // a multiple of tile_lanes; the engine pads
  int counted;    // of these, how many belong to the ensemble
  int steps;
  double dt;
  Ids ids;
  uint64_t first_step, seed;
  uint64_t substeps = 0, floor_hits = 0;  // counted by adaptive schemes
};

struct alignas(64) ViewStorage {
  unsigned char bytes[512];
};

// Parameters of a model come as one array: its named numbers, then a tail of as many numbers as ModelInfo::tail says
// (powers, matrices, samples). Views may point into it.
struct Kernel {
  const char *model, *scheme;
  Precision state, noise;
  bool adaptive;
  bool own_noise;  // draws all that it needs itself, from the stream `substeps`: the tile's noise is not drawn
  size_t (*scratch)(const double* parameters);
  const char* (*check)(const double* parameters);  // why these parameters exclude the scheme, or nullptr
  void (*prepare)(const double* parameters, ViewStorage&);
  void (*advance)(const ViewStorage&, Tile&);
  // variance of the noise along the normal of a boundary, per unit of time; nullptr for processes that jump
  void (*variance)(const ViewStorage&, const Tile&, const void* states, size_t plane, const Boundary&, void* out);
  bool additive;  // it is the same everywhere
};

struct ParameterInfo {
  const char* name;
  double fallback, low, high;
  bool low_open, high_open, integer;
  const char *unit, *doc;
};
struct ModelInfo {
  const char *name, *equation, *source, *calculus;
  const ParameterInfo* parameters;
  int parameter_count;
  const char* (*check)(const double* parameters);  // constraints between parameters
  Shape (*shape)(const double* parameters);
  size_t (*tail)(const double* parameters);  // numbers after the named ones
  // drift and noise at n states, planes rows each (engine/evaluate.hpp); nullptr for processes in discrete time
  void (*evaluate)(const double* parameters, int draws, const double* x, size_t n, double* drift, double* noise);
};
struct SchemeInfo {
  const char *name, *summary, *calculus, *coordinate;
  double strong_order, strong_order_additive, weak_order, weak_order_additive;
  int normals;
  bool adaptive;
  bool jumps;  // whether it can step models driven by alpha-stable noise
};

// Coordinate maps, in double, element by element; `out` says whether from the coordinate or into it.
using CoordinateMap = void (*)(const double* parameters, bool out, const double* from, double* to, size_t n);
struct CoordinateInfo {
  const char *model, *coordinate;
  CoordinateMap physical;
  CoordinateMap log;  // to and from ln x; nullptr where the coordinate does not offer it
};

struct MomentSums {
  double power[17];
};  // sums of (x - shift)^k, k = 0..16

struct Target {
  const char* isa;
  const ModelInfo* models;
  int model_count;
  const SchemeInfo* schemes;
  int scheme_count;
  const Kernel* kernels;
  int kernel_count;
  const CoordinateInfo* coordinates;
  int coordinate_count;
  void (*fill_normals32)(float* out, size_t row, uint64_t seed, uint32_t stream, const Ids&, int particles,
                         uint64_t first_block, int blocks);
  void (*fill_normals64)(double* out, size_t row, uint64_t seed, uint32_t stream, const Ids&, int particles,
                         uint64_t first_block, int blocks);
  void (*fill_words32)(float* out, size_t row, uint64_t seed, uint32_t stream, const Ids&, int particles,
                       uint64_t first_block, int blocks);  // raw words in the places of normals
  void (*fill_words64)(double* out, size_t row, uint64_t seed, uint32_t stream, const Ids&, int particles,
                       uint64_t first_block, int blocks);
  // rows 2 i and 2 i + 1 of words become an alpha-stable number and 0
  void (*words_to_stable32)(float* rows, size_t row, int pairs, int particles, double stability);
  void (*words_to_stable64)(double* rows, size_t row, int pairs, int particles, double stability);
  void (*philox)(uint32_t (&counter)[4], uint32_t key0, uint32_t key1);
  void (*uniforms)(double* out, uint64_t seed, uint32_t stream, uint64_t first_id, size_t n, uint64_t block);
  // the steps of a tile, whose normals are there, under watch for boundaries
  void (*run_watched)(const Kernel&, const ViewStorage&, Tile&, const Watch&);
  // observers: one chunk of physical coordinates in double
  void (*power_sums)(const double* x, size_t n, double shift, int highest, MomentSums&);
  void (*bin)(const double* x, size_t n, int scale, double lo, double inverse_width, double threshold, int64_t bins,
              uint32_t* tables, unsigned last_table);
  size_t (*count_nonfinite)(const void* x, Precision, size_t n);
  // element-wise evaluation of core/math.hpp, for tests: returns false for an unknown name
  bool (*math)(const char* name, Precision, const void* in, void* out, size_t n);
};

}  // namespace escapade
