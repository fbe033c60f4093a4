// Drift and noise of a model in its physical coordinate, in double, for users and for quadrature.
#pragma once

#include "../events/normal_variance.hpp"
#include "../schemes/scheme.hpp"

ESCAPADE_BEGIN

// The increment of which every number is 0.
template <class V> struct NoIncrement {
  ESCAPADE_HD V operator()(int) const { return V(Lane<V>(0)); }
};

// x and drift: `planes` rows of n. noise: draws * planes rows, column j of the noise matrix after column j - 1.
template <class View>
void evaluate_view(const View& view, int draws, const double* x, size_t n, double* drift, double* noise) {
  using V = Pack<double, Native<double>::lanes>;
  constexpr bool vector = is_vector<View>;
  int planes = 1, temporaries = 0;
  if constexpr (vector) planes = view.planes, temporaries = view.temporaries;
  V* const y = new V[size_t(2 * planes + temporaries)];
  V *const dx = y + planes, *const temporary = dx + planes;
  for (size_t p = 0; p < n; p += V::lanes) {
    const size_t count = n - p < size_t(V::lanes) ? n - p : size_t(V::lanes);
    alignas(64) double lane[V::lanes];
    auto store = [&](V value, double* out) {
      value.store(lane);
      for (size_t i = 0; i < count; ++i) out[i] = lane[i];
    };
    for (int k = 0; k < planes; ++k) {
      for (size_t i = 0; i < size_t(V::lanes); ++i) lane[i] = x[size_t(k) * n + p + (i < count ? i : 0)];
      y[k] = V::load(lane);
    }
    if constexpr (vector) {
      const auto at = view.evaluate(y, temporary);
      view.increment(at, y, NoIncrement<V>{}, V(1.0), dx, temporary);
      for (int k = 0; k < planes; ++k) store(dx[k], drift + size_t(k) * n + p);
      for (int j = 0; j < draws; ++j) {
        view.increment(at, y, UnitIncrement<V>{j}, V(0.0), dx, temporary);
        for (int k = 0; k < planes; ++k) store(dx[k], noise + (size_t(j) * size_t(planes) + size_t(k)) * n + p);
      }
    } else {
      store(view.drift(y[0]), drift + p);
      store(view.diffusion(y[0]), noise + p);
    }
  }
  delete[] y;
}

template <class View>
void evaluate_model(const double* parameters, int draws, const double* x, size_t n, double* drift, double* noise) {
  specialised(View(parameters), [&](const auto& view) { evaluate_view(view, draws, x, n, drift, noise); });
}

ESCAPADE_END
