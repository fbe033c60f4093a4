// What a model must say, and helpers that models share.
//
// A model is one struct in one header:
//   name, equation, source          text
//   calculus                        of the equation as written in `drift` and `diffusion`
//   parameters[]                    name, default, bounds, unit, doc; the constructor of a view gets them in this order
//   template <R> struct Physical    the equation in its own variable: drift(x), diffusion(x), diffusion_gradient(x) = b b'
//   template <R> struct Log, Lamperti   the same process in another coordinate, where it has one (optional); the noise of a
//                                       Lamperti view is 1 and needs no diffusion(y)
// A view may add
//   check(p)             why these parameters exclude the view (nullptr: they do not)
//   in_domain(x)         a mask; a particle that leaves becomes nan and is counted, never hidden
//   additive = true      the noise is the same everywhere, so that first passages need it once
//   to_physical(y), from_physical(x)    the map of the coordinate, in double
//   to_log(y), from_log(z)              the same to ln x, for states too small for a float
//   fold(y)              mirrors back what a step has carried across a boundary that the process cannot reach
//   coefficients(x)      drift, diffusion and rate from one evaluation, what they share computed once
//   slope(y)             drift of a Lamperti view and its derivative, for implicit schemes
//   flow_drift(x, h), flow_noise(x, dw, h)    exact solutions of the two parts of the equation, for splitting
//   exact_step(x, dw, h) the exact law of a step, for the scheme `exact`; or, in a Lamperti view, what it takes to sample
//                        that law by rejection: see schemes/exact.hpp
//   check_exact(p)       why these parameters exclude that (nullptr: they do not)
//   stability            for noise that is alpha-stable in the place of normal, of this index; the model's shape says so too
//   rate_scale, reach    for adaptive schemes: h = dt min(1, rate_scale / rate), and the longest move at the smallest step
//
// Particles of several numbers. The model adds
//   shape(p)             numbers of a particle, numbers stored (planes), draws per step and their kind
//   tail(p)              how many numbers follow the named parameters (powers, matrices, samples), where some do
//   check(p)             why these parameters make no model (nullptr: they do); scalar models may have it too
// and its views, whose states and results are arrays of packs,
//   vector = true
//   planes, temporaries  how many packs a state and the working memory of `evaluate` take
//   fixed_planes, fixed_temporaries    the same at compile time; fixed_planes = 0: known at run time only
//   evaluate(x, t)       what a step needs of a state, returned as a struct of the view's own or left in the temporaries t
//   increment(at, x, dw, h, dx, t)     dx = a h + sum_j b_j dw(j), with `at` and t as `evaluate` left them
//   scalar_noise = true  where one Wiener process drives all numbers; then also
//   add_correction(at, x, t, scale, c)    c += scale (b . grad) b
//   rate_of(at, x, t), rate_scale      for adaptive schemes, as `rate` of the coefficients above
// A view may add
//   euler(x, dw, h, dx, t)             x += dx in one go, in the place of evaluate and increment
//   specialise(f)        calls f with a view of the same process made for these parameters: sizes known at compile time, say
//   template <R> struct Minibatch      is a view of a process in discrete time, calculus `discrete`: schemes/sgd.hpp says
//                                      what it has in the place of evaluate and increment
#pragma once

#include "../core/math.hpp"
#include "../engine/kernel.hpp"

ESCAPADE_BEGIN

// Discrete: no differential equation, but a process in discrete time.
enum class Calculus { ito, stratonovich, discrete };
enum class Coordinate { physical, log, lamperti, minibatch };

struct Parameter {
  const char* name;
  double fallback, low, high;
  bool low_open, high_open;
  bool integer;
  const char* unit;
  const char* doc;
};
constexpr double unbounded = __builtin_huge_val();

constexpr Parameter real(const char* name, double fallback, const char* unit, const char* doc) {
  return {name, fallback, -unbounded, unbounded, true, true, false, unit, doc};
}
constexpr Parameter positive(const char* name, double fallback, const char* unit, const char* doc) {
  return {name, fallback, 0, unbounded, true, true, false, unit, doc};
}
constexpr Parameter nonnegative(const char* name, double fallback, const char* unit, const char* doc) {
  return {name, fallback, 0, unbounded, false, true, false, unit, doc};
}
constexpr Parameter count(const char* name, double fallback, double low, const char* doc) {
  return {name, fallback, low, 1e6, false, false, true, "1", doc};
}
// A particle's planes and its noise are counted in ints; no memory holds a particle of more numbers than this anyway.
constexpr double most_numbers = 1 << 24;
inline const char* check_size(double numbers) {
  return numbers <= most_numbers ? nullptr : "a particle must have at most 16777216 parameters";
}

constexpr Parameter choice(const char* name, double fallback, double high, const char* doc) {
  return {name, fallback, 0, high, false, false, true, "1", doc};
}

// Views of particles of several numbers say so by a member `vector`.
template <class View> constexpr bool is_vector = requires { View::vector; };

// Views whose `dw` is an increment of an alpha-stable process.
template <class View> constexpr bool has_stable_noise = requires(View v) { v.stability; };

template <class V> struct Coefficients {
  V drift, diffusion, rate;  // rate is read by adaptive schemes only
};
template <class V> struct Drift {
  V value, slope;
};

// View<M, coordinate, R>::type, or void where the model has no such coordinate.
template <class M, Coordinate C, class R> struct ViewOf {
  using type = void;
};
template <class M, class R>
  requires requires { typename M::template Physical<R>; }
struct ViewOf<M, Coordinate::physical, R> {
  using type = typename M::template Physical<R>;
};
template <class M, class R>
  requires requires { typename M::template Minibatch<R>; }
struct ViewOf<M, Coordinate::minibatch, R> {
  using type = typename M::template Minibatch<R>;
};
template <class M, class R>
  requires requires { typename M::template Log<R>; }
struct ViewOf<M, Coordinate::log, R> {
  using type = typename M::template Log<R>;
};
template <class M, class R>
  requires requires { typename M::template Lamperti<R>; }
struct ViewOf<M, Coordinate::lamperti, R> {
  using type = typename M::template Lamperti<R>;
};

ESCAPADE_END
