// The loop for particles of one number, row by row: fixed steps, and steps that the state may cut.
#pragma once

#include "../core/noise.hpp"
#include "../schemes/scheme.hpp"
#include "kernel.hpp"

ESCAPADE_BEGIN

// A particle that has left the domain of its view is marked by nan, which sticks.
template <class View, class V> ESCAPADE_HD V enforce_domain(const View& view, V x) {
  if constexpr (requires { view.fold(x); }) return view.fold(x);
  else if constexpr (requires { view.in_domain(x); }) return select(view.in_domain(x), x, V(nan<Lane<V>>()));
  else return x;
}

template <class V, class Z> ESCAPADE_HD V load_normals(const Z* z) { return load_as<Lane<V>, V::lanes>(z); }

// Two registers of the wider type: enough independent work to hide the latency of a step.
template <class T, class Z>
constexpr int pack_lanes = 2 * ESCAPADE_VECTOR_BYTES / int(sizeof(T) > sizeof(Z) ? sizeof(T) : sizeof(Z));

// Row by row, states in L1: neighbouring packs are independent, so that the latency of a step is hidden whatever the model.
// With the state of a pack kept in registers over the steps, a power-law step in float32 took 2.3 times as long.
template <class View, class Scheme, class T, class Z> void advance_fixed(const View& shared, Tile& tile) {
  using V = Pack<T, pack_lanes<T, Z>>;
  const View view = shared;  // a copy: stores to the state cannot change it
  T* const __restrict x = static_cast<T*>(tile.x);
  const T h = T(tile.dt), root_h = T(sqrt(tile.dt));
  const int particles = tile.particles, steps = tile.steps;
  for (int s = 0; s < steps; ++s) {
    const Z* const __restrict z = static_cast<const Z*>(tile.normals) + size_t(s) * tile.row;
    for (int p = 0; p < particles; p += V::lanes) {
      const V dw = root_h * load_normals<V>(z + p);
      enforce_domain(view, Scheme::step(view, V::load(x + p), dw, h)).store(x + p);
    }
  }
}

// Smallest substep as a fraction of dt. It bounds the substeps of a step to what the counter layout has room for
// (stream.hpp). A network's v makes brief excursions towards infinity, an entrance boundary, that would need unboundedly
// small steps; at the floor a move is limited to `view.reach`, which acts as a soft reflecting cap, and is counted.
constexpr double substep_floor = 1.0 / (1 << 17);

template <class View, class Scheme, class V> ESCAPADE_HD V adaptive_step(const View& view, V y, V take, V z, Lane<V> dt) {
  using T = Lane<V>;
  V h = take * dt;
  V next = enforce_domain(view, Scheme::step(view, y, sqrt(h) * z, h));
  V limited = y + max(min(next - y, V(view.reach)), V(-view.reach));
  return select(take <= T(substep_floor), limited, next);
}

// Fraction of dt that the state allows.
template <class View, class V> ESCAPADE_HD V allowed_fraction(const View& view, V y) {
  using T = Lane<V>;
  V f = view.rate_scale / view.step_rate(y);
  return max(min(f, V(T(1))), V(T(substep_floor)));  // nan gives 1: a lost particle takes no substeps
}

// Up to V::lanes particles (at least one) that have `left` of their step to go. Substeps draw from a stream of their own,
// keyed by particle, step and substep, so neighbours, order and packing do not matter.
template <class View, class Scheme, class T, class Z, class V>
void advance_rest(const View& view, Tile& tile, const PhiloxKeys& keys, T* x, T* left, const uint64_t* id, uint64_t step) {
  constexpr int per_block = 16 / int(sizeof(Z)) == 4 ? 4 : 2;
  alignas(64) Z z[per_block * V::lanes];
  alignas(64) T took[V::lanes];
  V y = V::load(x), rest = V::load(left);
  for (uint64_t sub = 0;; ++sub) {
    const int draw = int(sub % per_block);
    if (draw == 0) normals_of_block<V::lanes>(z, keys, Stream::substeps, id, step * substep_blocks + sub / per_block);
    V take = min(allowed_fraction(view, y), rest);
    auto active = rest > T(0);
    const V normal = load_normals<V>(z + draw * V::lanes);
    y = select(active, adaptive_step<View, Scheme>(view, y, take, normal, T(tile.dt)), y);
    rest = select(active, rest - take, rest);
    // what is left below the floor is rounding; a particle that is lost needs no more steps
    rest = select(rest > T(0.5 * substep_floor), rest, V(T(0)));
    rest = select(y - y == T(0), rest, V(T(0)));
    rest.store(left);
    take.store(took);
    int busy = 0;
    for (int i = 0; i < V::lanes; ++i) {
      busy += left[i] > T(0);
      tile.floor_hits += left[i] > T(0) && took[i] <= T(substep_floor);
    }
    if (!busy) break;
    tile.substeps += uint64_t(busy);
  }
  y.store(x);
}

template <class View, class Scheme, class T, class Z> void advance_adaptive(const View& view, Tile& tile) {
  using V = Pack<T, pack_lanes<T, Z>>;
  T* x = static_cast<T*>(tile.x);
  const Z* z = static_cast<const Z*>(tile.normals);
  const PhiloxKeys keys(tile.seed);
  alignas(64) T left[tile_particles];
  int waiting[tile_particles];
  for (int s = 0; s < tile.steps; ++s) {
    // most particles finish the step at once; the others wait and are packed together below
    int count = 0;
    for (int p = 0; p < tile.particles; p += V::lanes) {
      V y = V::load(x + p);
      V take = allowed_fraction(view, y);
      y = adaptive_step<View, Scheme>(view, y, take, load_normals<V>(z + size_t(s) * tile.row + size_t(p)), T(tile.dt));
      y.store(x + p);
      V rest = select(y - y == T(0), V(T(1)) - take, V(T(0)));
      auto more = rest > T(0);
      if (any(more)) {
        rest.store(left + p);
        for (int i = 0; i < V::lanes && p + i < tile.counted; ++i)
          if (left[p + i] > T(0)) waiting[count++] = p + i;
      }
    }
    tile.substeps += uint64_t(count);
    for (int first = 0; first < count; first += V::lanes) {
      const int n = count - first < V::lanes ? count - first : V::lanes;
      alignas(64) T some[V::lanes], rest[V::lanes];
      uint64_t id[V::lanes];
      for (int i = 0; i < V::lanes; ++i) {
        const int p = waiting[first + (i < n ? i : 0)];
        some[i] = x[p];
        rest[i] = i < n ? left[p] : T(0);
        id[i] = tile.first_id + uint64_t(p);
      }
      advance_rest<View, Scheme, T, Z, V>(view, tile, keys, some, rest, id, tile.first_step + uint64_t(s));
      for (int i = 0; i < n; ++i) x[waiting[first + i]] = some[i];
    }
  }
}

ESCAPADE_END
