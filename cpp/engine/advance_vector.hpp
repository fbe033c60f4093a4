// The loop for particles of several numbers. Few numbers, known at compile time, stay in registers and are stepped row by
// row like scalars; many are stepped a pack of particles at a time, with the pack's state in cache over all rows of the
// tile.
#pragma once

#include <type_traits>

#include "advance_adaptive.hpp"

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

template <class V, class T> ESCAPADE_HD void load_planes(V* y, const T* x, size_t plane, int planes) {
  for (int k = 0; k < planes; ++k) y[k] = V::load(x + size_t(k) * plane);
}
template <class V, class T> ESCAPADE_HD void store_planes(const V* y, T* x, size_t plane, int planes) {
  for (int k = 0; k < planes; ++k) y[k].store(x + size_t(k) * plane);
}

// Lanes of a pack for a vector state; half the registers of the scalar loop where the state must fit into registers too.
template <class T, class Z> constexpr int vector_lanes = pack_lanes<T, Z>;

template <class View, class Scheme, class T, class Z> void advance_registers(const View& shared, Tile& tile) {
  using V = Pack<T, vector_lanes<T, Z>>;
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
  using V = Pack<T, vector_lanes<T, Z>>;
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

// One adaptive substep of h = take * dt. At the floor (advance_adaptive.hpp) the whole move is scaled down until no number
// moves by more than half the largest of them: directions, and with them signs and ratios that the equation conserves, stay.
template <class View, class Scheme, class V>
void adaptive_vector_step(const View& view, V* y, V take, V z, Lane<V> dt, decltype(V() < V()) active, V* work) {
  using T = Lane<V>;
  const int planes = view.planes;
  V* const old = work;
  V largest = V(T(0)), longest = V(T(0));
  for (int k = 0; k < planes; ++k) {
    old[k] = y[k];
    largest = max(largest, abs(y[k]));
  }
  const V h = take * dt;
  Scheme::step(view, y, OneIncrement<V>{sqrt(h) * z}, h, work + planes);
  const auto at_floor = active & (take <= T(substep_floor));
  if (any(at_floor)) {
    for (int k = 0; k < planes; ++k) longest = max(longest, abs(y[k] - old[k]));
    const V share = min(T(0.5) * largest / longest, V(T(1)));  // nan, from 0/0, gives 1
    for (int k = 0; k < planes; ++k) y[k] = select(at_floor, fma(share, y[k] - old[k], old[k]), y[k]);
  }
  for (int k = 0; k < planes; ++k) y[k] = select(active, y[k], old[k]);
}

// Adaptive steps of particles whose state asks for less than dt: rounds of as many substeps as a block of noise has draws,
// the particles still busy packed together before each round. Noise is keyed by particle, step and substep, so neighbours,
// order and packing do not matter.
template <class View, class Scheme, class T, class Z>
void finish_steps(const View& view, Tile& tile, const PhiloxKeys& keys, uint64_t step, int* waiting, int count, T* left,
                  Pack<T, vector_lanes<T, Z>>* y) {
  using V = Pack<T, vector_lanes<T, Z>>;
  constexpr int per_block = 16 / int(sizeof(Z)) == 4 ? 4 : 2, lanes = V::lanes;
  const int planes = view.planes;
  V* const work = y + planes;
  T* const x = static_cast<T*>(tile.x);
  for (uint64_t round = 0; count > 0; ++round) {
    int kept = 0;
    for (int first = 0; first < count; first += lanes) {
      const int n = count - first < lanes ? count - first : lanes;
      alignas(64) uint64_t id[lanes], block[lanes];
      alignas(64) T rest_of[lanes], took[lanes], lane[lanes];
      alignas(64) Z z[per_block * lanes];
      for (int i = 0; i < lanes; ++i) {
        const int p = waiting[first + (i < n ? i : 0)];
        id[i] = tile.first_id + uint64_t(p);
        block[i] = step * substep_blocks + round;
        rest_of[i] = i < n ? left[p] : T(0);
      }
      for (int k = 0; k < planes; ++k) {
        for (int i = 0; i < lanes; ++i) lane[i] = x[size_t(k) * tile.plane + size_t(waiting[first + (i < n ? i : 0)])];
        y[k] = V::load(lane);
      }
      normals_of_blocks<lanes>(z, keys, Stream::substeps, id, block);
      V rest = V::load(rest_of);
      for (int draw = 0; draw < per_block; ++draw) {
        const auto active = rest > T(0);
        if (!any(active)) break;
        V allowed = max(min(view.rate_scale / view.step_rate(y, work), V(T(1))), V(T(substep_floor)));
        const V take = min(allowed, rest);  // nan gives 1: a lost particle is done
        take.store(took);
        rest.store(rest_of);
        for (int i = 0; i < n; ++i) {
          tile.floor_hits += rest_of[i] > T(0) && took[i] <= T(substep_floor);
          tile.substeps += rest_of[i] > T(0);
        }
        adaptive_vector_step<View, Scheme>(view, y, take, load_as<T, lanes>(z + draw * lanes), T(tile.dt), active, work);
        rest = select(active, rest - take, rest);
        rest = select(rest > T(0.5 * substep_floor), rest, V(T(0)));  // what is left below the floor is rounding
        V sum = V(T(0));
        for (int k = 0; k < planes; ++k) sum = sum + (y[k] - y[k]);
        rest = select(sum == T(0), rest, V(T(0)));  // a particle that is lost needs no more steps
      }
      rest.store(rest_of);
      for (int k = 0; k < planes; ++k) {
        y[k].store(lane);
        for (int i = 0; i < n; ++i) x[size_t(k) * tile.plane + size_t(waiting[first + i])] = lane[i];
      }
      for (int i = 0; i < n; ++i) {
        const int p = waiting[first + i];
        left[p] = rest_of[i];
        if (rest_of[i] > T(0)) waiting[kept++] = p;  // kept never overtakes first
      }
    }
    count = kept;
  }
}

template <class View, class Scheme, class T, class Z> void advance_vector_adaptive(const View& shared, Tile& tile) {
  using V = Pack<T, vector_lanes<T, Z>>;
  const View view = shared;
  const int planes = view.planes;
  T* const x = static_cast<T*>(tile.x);
  V* const y = static_cast<V*>(tile.scratch);
  V* const work = y + planes;
  const T h = T(tile.dt), root_h = T(sqrt(tile.dt));
  const PhiloxKeys keys(tile.seed);
  int waiting[tile_particles];
  alignas(64) T left[tile_particles], refused[V::lanes];
  for (int s = 0; s < tile.steps; ++s) {
    const Z* z = static_cast<const Z*>(tile.normals) + size_t(s) * size_t(tile.draws) * tile.row;
    int count = 0;
    for (int p = 0; p < tile.particles; p += V::lanes) {
      load_planes(y, x + p, tile.plane, planes);
      const auto more = view.step_rate(y, work) > view.rate_scale;
      const bool some = any(more);
      V* const old = work;
      if (some)
        for (int k = 0; k < planes; ++k) old[k] = y[k];
      Scheme::step(view, y, noise_of<Scheme, V>(z + p, tile.row, root_h), h, work + planes);
      if (some) {
        for (int k = 0; k < planes; ++k) y[k] = select(more, old[k], y[k]);
        select(more, V(T(1)), V(T(0))).store(refused);
        for (int i = 0; i < V::lanes && p + i < tile.counted; ++i)
          if (refused[i] > T(0)) {
            left[p + i] = T(1);
            waiting[count++] = p + i;
          }
      }
      store_planes(y, x + p, tile.plane, planes);
    }
    const int first = count;
    if (count > 0)
      finish_steps<View, Scheme, T, Z>(view, tile, keys, tile.first_step + uint64_t(s), waiting, count, left, y);
    tile.substeps -= uint64_t(first);  // counted are the substeps beyond one per step
  }
}

template <class View, class Scheme, class T, class Z> size_t vector_scratch(const double* parameters) {
  using V = Pack<T, vector_lanes<T, Z>>;
  const View view(parameters);
  return size_t(view.planes * (2 + Scheme::work) + view.temporaries) * sizeof(V);
}

template <class View, class Scheme, class T, class Z> void advance_vector(const View& view, Tile& tile) {
  auto run = [&](const auto& special) {
    using Special = std::decay_t<decltype(special)>;
    if constexpr (Scheme::adaptive) advance_vector_adaptive<Special, Scheme, T, Z>(special, tile);
    else if constexpr (Special::fixed_planes > 0) advance_registers<Special, Scheme, T, Z>(special, tile);
    else advance_packs<Special, Scheme, T, Z>(special, tile);
  };
  if constexpr (requires { view.specialise(run); }) view.specialise(run);
  else run(view);
}

ESCAPADE_END
