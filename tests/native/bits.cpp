// Prints a hash of the final states of a few model x scheme x precision combinations, engine headers only: whatever compiles
// this, for whatever processor, must print the same lines (tests/test_compilers.py).
#include <cstdio>

#include "engine/registry.hpp"
#include "models/balanced_network.hpp"
#include "models/power_law.hpp"
#include "models/stable_double_well.hpp"
#include "models/stable_ornstein_uhlenbeck.hpp"
#include "schemes/adaptive_lamperti_heun.hpp"
#include "schemes/adaptive_log_euler.hpp"
#include "schemes/euler_maruyama.hpp"
#include "schemes/exact.hpp"
#include "schemes/lamperti_heun.hpp"
#include "schemes/milstein.hpp"
#include "schemes/strang_splitting.hpp"

using namespace escapade;

// Fowler, Noll and Vo's 64-bit hash, variant 1a
static uint64_t hash(const void* data, size_t size) {
  uint64_t h = 14695981039346656037u;
  for (size_t i = 0; i < size; ++i) h = (h ^ static_cast<const unsigned char*>(data)[i]) * 1099511628211u;
  return h;
}

template <class M, class S, class T, class Z> static void run(const char* label, const double* parameters, double x0) {
  constexpr int per_block = 16 / int(sizeof(Z));
  constexpr bool stable = has_stable_noise<typename ViewOf<M, S::coordinate, T>::type>;
  constexpr int draws = stable ? 2 : 1, steps = tile_rows / draws;
  alignas(64) static T x[tile_particles];
  alignas(64) static Z normals[tile_rows * tile_particles];
  Kernels kernels;
  add_kernel<M, S, T, Z>(kernels);
  ViewStorage view;
  kernels.items[0].prepare(parameters, view);
  for (T& y : x) y = T(x0);
  for (int i = 0; i < 12; ++i) {
    fill_tile(normals, tile_particles, PhiloxKeys(7), Stream::increments, uint64_t(5) << 32, tile_particles,
              uint64_t(i * tile_rows / per_block), tile_rows / per_block, !stable);
    if constexpr (stable) words_to_stable(normals, tile_particles, tile_rows / 2, tile_particles, parameters[2]);
    Tile tile{};
    tile.x = x, tile.normals = normals, tile.row = tile_particles, tile.draws = draws;
    tile.particles = tile.counted = tile_particles;
    tile.steps = steps, tile.dt = 0.02, tile.seed = 7;
    tile.first_id = uint64_t(5) << 32, tile.first_step = uint64_t(i * steps);
    kernels.items[0].advance(view, tile);
  }
  std::printf("%s %016llx\n", label, static_cast<unsigned long long>(hash(x, sizeof x)));
}

int main() {
  const double power_law[] = {1, 0.1, 0.2, 1, 0.05};
  const double shallow[] = {1, 1, 0.2, 0, 1, 1, 2, 2, 3}, deep[] = {2, 2, 0.2, 0, 1, 1, 2, 2, 3};
  const double centred[] = {1, 0.1, 0.2, 1, 0}, jumps[] = {1, 0.3, 1.3};
  run<PowerLaw, EulerMaruyama, float, float>("PowerLaw euler-maruyama float32 float32", power_law, 0.1);
  run<PowerLaw, Milstein, double, float>("PowerLaw milstein float64 float32", power_law, 0.1);
  run<PowerLaw, LampertiHeun, double, double>("PowerLaw lamperti-heun float64 float64", power_law, 0.1);
  run<BalancedNetwork, AdaptiveLampertiHeun, double, float>("BalancedNetwork adaptive-lamperti-heun float64 float32",
                                                            shallow, 0.3);
  run<BalancedNetwork, AdaptiveLogEuler, float, float>("BalancedNetwork adaptive-log-euler float32 float32", deep, 0);
  run<BalancedNetwork, AdaptiveLogEuler, double, double>("BalancedNetwork adaptive-log-euler float64 float64", deep, 0);
  run<StableDoubleWell, StrangSplitting, float, float>("StableDoubleWell strang-splitting float32 float32", jumps, -1);
  run<StableOrnsteinUhlenbeck, Exact, double, double>("StableOrnsteinUhlenbeck exact float64 float64", jumps, 0.2);
  run<PowerLaw, Exact, double, float>("PowerLaw exact float64 float32", centred, 0.1);
  run<PowerLaw, Exact, float, float>("PowerLaw exact float32 float32", centred, 0.1);
  run<PowerLaw, Exact, double, double>("PowerLaw exact float64 float64", centred, 0.1);
}
