// What all loops over particles share: the width of their packs, loads, and what happens where a view ends.
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

// The numbers of particles of several, each in a plane of its own.
template <class V, class T> ESCAPADE_HD void load_planes(V* y, const T* x, size_t plane, int planes) {
  for (int k = 0; k < planes; ++k) y[k] = V::load(x + size_t(k) * plane);
}
template <class V, class T> ESCAPADE_HD void store_planes(const V* y, T* x, size_t plane, int planes) {
  for (int k = 0; k < planes; ++k) y[k].store(x + size_t(k) * plane);
}

ESCAPADE_END
