// The loop for particles of several numbers. Few numbers, known at compile time, stay in registers and are stepped row by
// row like scalars; many are stepped a pack of particles at a time, with the pack's state in cache over all rows of the
// tile.
#pragma once

#include <type_traits>

#include "advance_vector_adaptive.hpp"

ESCAPADE_BEGIN

// The draws of one step for one pack of particles.
template <class V, class Z> struct Draws {
  const Z* at;
  size_t row;
  ESCAPADE_HD V operator()(int j) const { return load_as<Lane<V>, V::lanes>(at + size_t(j) * row); }
  ESCAPADE_HD Pack<uint32_t, V::lanes> word(int j) const {
    return Pack<uint32_t, V::lanes>::load(reinterpret_cast<const uint32_t*>(at) + size_t(j) * row);
  }
};

// The same as Wiener increments.
template <class V, class Z> struct Increments {
  Draws<V, Z> draws;
  Lane<V> root_h;
  ESCAPADE_HD V operator()(int j) const { return root_h * draws(j); }
};

template <class Scheme, class V, class Z, class H>
ESCAPADE_HD auto noise_of(const Z* at, size_t row, [[maybe_unused]] H root_h) {
  if constexpr (requires { Scheme::raw_draws; }) return Draws<V, Z>{at, row};
  else return Increments<V, Z>{{at, row}, root_h};
}

template <class View, class Scheme, class T, class Z> void advance_registers(const View& shared, Tile& tile) {
  using V = Pack<T, pack_lanes<T, Z>>;
  constexpr int planes = View::fixed_planes;
  const View view = shared;  // a copy: stores to the state cannot change it
  T* const __restrict x = static_cast<T*>(tile.x);
  const size_t plane = tile.plane, row = tile.row;
  const T h = T(tile.dt), root_h = T(sqrt(tile.dt));
  const int particles = tile.particles, steps = tile.steps, draws = tile.draws;
  for (int s = 0; s < steps; ++s) {
    const Z* const __restrict z = static_cast<const Z*>(tile.normals) + size_t(s) * size_t(draws) * row;
    for (int p = 0; p < particles; p += V::lanes) {
      V y[planes], work[planes * Scheme::work + View::fixed_temporaries];
      load_planes(y, x + p, plane, planes);
      Scheme::step(view, y, noise_of<Scheme, V>(z + p, row, root_h), h, work);
      store_planes(y, x + p, plane, planes);
    }
  }
}

template <class View, class Scheme, class T, class Z> void advance_packs(const View& shared, Tile& tile) {
  using V = Pack<T, pack_lanes<T, Z>>;
  const View view = shared;
  const int planes = view.planes, particles = tile.particles, steps = tile.steps, draws = tile.draws;
  T* const x = static_cast<T*>(tile.x);
  V* const y = static_cast<V*>(tile.scratch);
  V* const work = y + planes;
  const T h = T(tile.dt), root_h = T(sqrt(tile.dt));
  for (int p = 0; p < particles; p += V::lanes) {
    load_planes(y, x + p, tile.plane, planes);
    for (int s = 0; s < steps; ++s) {
      const Z* z = static_cast<const Z*>(tile.normals) + size_t(s) * size_t(draws) * tile.row;
      Scheme::step(view, y, noise_of<Scheme, V>(z + p, tile.row, root_h), h, work);
    }
    store_planes(y, x + p, tile.plane, planes);
  }
}

template <class View, class Scheme, class T, class Z> size_t vector_scratch(const double* parameters) {
  using V = Pack<T, pack_lanes<T, Z>>;
  const View view(parameters);
  return size_t(view.planes * (2 + Scheme::work) + view.temporaries) * sizeof(V);
}

template <class View, class Scheme, class T, class Z> void advance_vector(const View& view, Tile& tile) {
  auto run = [&](const auto& special) {
    using Special = std::decay_t<decltype(special)>;
    if constexpr (Scheme::adaptive) VectorAdaptiveTile<Special, Scheme, T, Z>(special, tile).advance();
    else if constexpr (Special::fixed_planes > 0) advance_registers<Special, Scheme, T, Z>(special, tile);
    else advance_packs<Special, Scheme, T, Z>(special, tile);
  };
  if constexpr (requires { view.specialise(run); }) view.specialise(run);
  else run(view);
}

ESCAPADE_END
