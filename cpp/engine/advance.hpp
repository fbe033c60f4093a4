// THE loop: particles advanced over steps by one scheme of one model. Packs of lanes here, one lane per thread under CUDA.
#pragma once

#include "advance_adaptive.hpp"
#include "advance_rejection.hpp"
#include "advance_vector.hpp"

ESCAPADE_BEGIN

// What a draw of variance 1, or of stability alpha and scale 1, is multiplied by to become an increment over dt.
template <class View> double increment_scale(const View& view, double dt) {
  if constexpr (has_stable_noise<View>) return exp(log(dt) / view.stability);
  else return sqrt(dt);
}

// Row by row, states in L1: neighbouring packs are independent, so that the latency of a step is hidden whatever the model.
// With the state of a pack kept in registers over the steps, a power-law step in float32 took 2.3 times as long.
template <class View, class Scheme, class T, class Z> void advance_fixed(const View& shared, Tile& tile) {
  using V = Pack<T, pack_lanes<T, Z>>;
  const View view = shared;  // a copy: stores to the state cannot change it
  T* const __restrict x = static_cast<T*>(tile.x);
  const T h = T(tile.dt), root_h = T(increment_scale(view, tile.dt));
  const int particles = tile.particles, steps = tile.steps;
  const size_t stride = size_t(tile.draws) * tile.row;
  for (int s = 0; s < steps; ++s) {
    const Z* const __restrict z = static_cast<const Z*>(tile.normals) + size_t(s) * stride;
    for (int p = 0; p < particles; p += V::lanes) {
      const V dw = root_h * load_normals<V>(z + p);
      enforce_domain(view, Scheme::step(view, V::load(x + p), dw, h)).store(x + p);
    }
  }
}

template <class View, class Scheme, class T, class Z> void advance(const ViewStorage& storage, Tile& tile) {
  const View& view = *reinterpret_cast<const View*>(storage.bytes);
  if constexpr (is_vector<View>) advance_vector<View, Scheme, T, Z>(view, tile);
  else if constexpr (by_rejection<View, Scheme>) RejectionTile<View, T, Z>(view, tile).advance();
  else if constexpr (Scheme::adaptive) AdaptiveTile<View, Scheme, T, Z>(view, tile).advance();
  else advance_fixed<View, Scheme, T, Z>(view, tile);
}

ESCAPADE_END
