// What a time-stepping scheme must say.
//
// A scheme is one struct in one header:
//   name, summary                    text
//   coordinate                       in which it steps; models without that coordinate cannot use it
//   calculus                         it converges to; models are Ito, and a Stratonovich scheme converts their drift
//   strong_order, weak_order         for noise that depends on the state
//   strong_order_additive, weak_order_additive    for noise that does not
//   normals                          draws per step (and Wiener process)
//   adaptive                         h = dt min(1, rate_scale / step_rate), from the left state only
//   jumps = true                     `step` holds for jumps of alpha-stable noise as well: nothing in it asks dW to be
//   normal exact = true                     a step has the law of the process, whatever its length; there is no order
//   fits<View>()                     whether a view has what the scheme needs beyond drift and noise (optional)
//   step(view, x, dw, h)             one step of one particle; `step` exists once for packs of lanes and CUDA threads
//   step_from(view, at, x, dw, h)    the same where `at` = coefficients(view, x) is known: adaptive schemes need it
#pragma once

// Models of several numbers offer `evaluate` and `increment` (and `add_correction` where one Wiener process drives them
// all): see models/model.hpp. A scheme that can step them says so by `takes<View>` and has a second `step(view, x, dw, h,
// work)` on arrays.

#include "../models/model.hpp"

ESCAPADE_BEGIN

template <class View> constexpr bool has_scalar_noise = requires { View::scalar_noise; };
template <class View> ESCAPADE_HD int planes_of(const View& m) {
  return View::fixed_planes > 0 ? View::fixed_planes : m.planes;
}

// A Wiener increment in the place of a function of the noise's number.
template <class V> struct OneIncrement {
  V dw;
  ESCAPADE_HD V operator()(int) const { return dw; }
};

template <class S> constexpr bool takes_jumps = requires { requires S::jumps; };
template <class S> constexpr bool is_exact = requires { requires S::exact; };

// Whether a view offers what a scheme needs. A scheme that needs more than drift and noise says so by fits<View>().
template <class S, class View> constexpr bool view_fits() {
  if constexpr (S::adaptive) return requires(View m) { m.rate_scale; };
  else if constexpr (requires { S::template fits<View>(); }) return S::template fits<View>();
  else return true;
}

// Drift and noise at a point, from one evaluation where the view offers that.
template <class View, class V> ESCAPADE_HD auto coefficients(const View& m, V x) {
  if constexpr (requires { m.coefficients(x); }) return m.coefficients(x);
  else if constexpr (requires { m.diffusion(x); }) return Coefficients<V>{m.drift(x), m.diffusion(x), V(Lane<V>(0))};
  else return Coefficients<V>{m.drift(x), V(Lane<V>(1)), V(Lane<V>(0))};
}

// Ito drift of a Stratonovich equation and back: a_ito = a_stratonovich + b b' / 2.
template <class View, class V> ESCAPADE_HD V stratonovich_drift(const View& m, V x) {
  using R = Lane<V>;
  return m.drift(x) - R(0.5) * m.diffusion_gradient(x);
}

ESCAPADE_END
