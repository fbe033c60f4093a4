// The variance per unit of time of the noise along the normal of a boundary, n . b b^T n, of many particles: what the bridge
// test of a scheme's coordinate needs.
#pragma once

#include "../engine/packs.hpp"
#include "boundary.hpp"

ESCAPADE_BEGIN

// Whether the noise of a view is the same everywhere; a model says so of views that have a diffusion(x) all the same.
template <class View> constexpr bool is_additive() {
  if constexpr (is_vector<View>) return false;
  else if constexpr (requires { View::additive; }) return View::additive;
  else return !requires(View m, double y) { m.diffusion(y); };
}

// Calls f with the view that steps a process with these parameters: a model may have one for each kind of them.
template <class View, class F> void specialised(const View& view, F f) {
  if constexpr (requires { view.specialise(f); }) view.specialise(f);
  else f(view);
}

// Wiener increments of which one is 1 and the others are 0.
template <class V> struct UnitIncrement {
  int which;
  ESCAPADE_HD V operator()(int j) const { return V(Lane<V>(j == which)); }
};

// (x - centre) / |x - centre|, or the direction of a plane, times dx.
template <class V> ESCAPADE_HD V along_normal(const Boundary& b, const V* x, const V* dx) {
  using T = Lane<V>;
  if (b.kind == Boundary::Kind::coordinate) return dx[b.coordinate];
  V sum(T(0)), square(T(0));
  for (int k = 0; k < b.dim; ++k) {
    const V n = b.kind == Boundary::Kind::ball ? x[k] - T(b.vector[k]) : V(T(b.vector[k]));
    sum = fma(n, dx[k], sum);
    square = fma(n, n, square);
  }
  return b.kind == Boundary::Kind::ball ? sum / sqrt(square) : sum;
}

// The tile gives the number of particles and of draws, and scratch.
template <class View, class T, class Z>
void normal_variance(const ViewStorage& storage, const Tile& tile, const void* rows, size_t plane, const Boundary& b,
                     void* result) {
  using V = Pack<T, pack_lanes<T, Z>>;
  const View view = *reinterpret_cast<const View*>(storage.bytes);
  const T* x = static_cast<const T*>(rows);
  T* out = static_cast<T*>(result);
  if constexpr (is_vector<View>) {
    specialised(view, [&](const auto& m) {
      V* const y = static_cast<V*>(tile.scratch);
      V *const dx = y + m.planes, *const temporary = dx + m.planes;
      for (int p = 0; p < tile.particles; p += V::lanes) {
        load_planes(y, x + p, plane, m.planes);
        const auto at = m.evaluate(y, temporary);
        V sum(T(0));
        for (int j = 0; j < tile.draws; ++j) {
          m.increment(at, y, UnitIncrement<V>{j}, V(T(0)), dx, temporary);
          const V along = along_normal(b, y, dx);
          sum = fma(along, along, sum);
        }
        sum.store(out + p);
      }
    });
  } else {
    for (int p = 0; p < tile.particles; p += V::lanes) {
      if constexpr (requires(V y) { view.diffusion(y); }) {
        const V noise = view.diffusion(V::load(x + p));
        (noise * noise).store(out + p);
      } else {
        V(T(1)).store(out + p);
      }
    }
  }
}

ESCAPADE_END
