// Turns a model and the list of schemes into rows of the kernel table: all that a new model or scheme needs to be known.
#pragma once

#include <new>
#include <type_traits>

#include "advance.hpp"
#include "evaluate.hpp"

ESCAPADE_BEGIN

template <class... S> struct SchemeList {};

// A list of fixed capacity. std::vector of a type that all builds share would leave the linker one copy of its code for all
// of them, and that could be the one for AVX-512.
template <class T, int capacity> struct List {
  T items[capacity];
  int size = 0;
  void add(const T& item) {
    if (size == capacity) __builtin_trap();
    items[size++] = item;
  }
};
using Kernels = List<Kernel, 64>;
using Coordinates = List<CoordinateInfo, 4>;

struct ModelTable {
  ModelInfo info;
  List<ParameterInfo, 32> parameters;
  Kernels kernels;
  Coordinates coordinates;
};

inline const char* text(Calculus c) {
  return c == Calculus::ito ? "ito" : c == Calculus::stratonovich ? "stratonovich" : "discrete";
}
// Discrete-time processes keep their state as it is: for users that is the physical coordinate.
inline const char* text(Coordinate c) {
  return c == Coordinate::log ? "log" : c == Coordinate::lamperti ? "lamperti" : "physical";
}

template <class S> SchemeInfo scheme_info() {
  return {S::name,           S::summary,
          text(S::calculus), text(S::coordinate),
          S::strong_order,   S::strong_order_additive,
          S::weak_order,     S::weak_order_additive,
          S::normals,        S::adaptive,
          takes_jumps<S>};
}

template <class View, class S> const char* check_view(const double* p) {
  if constexpr (requires { View::check(p); })
    if (const char* reason = View::check(p)) return reason;
  if constexpr (is_exact<S> && requires { View::check_exact(p); }) return View::check_exact(p);
  else return nullptr;
}

template <class View> void prepare_view(const double* p, ViewStorage& storage) {
  static_assert(sizeof(View) <= sizeof(ViewStorage) && std::is_trivially_copyable_v<View>);
  new (storage.bytes) View(p);
}

// Element-wise map, a pack at a time; the last pack is filled up with its first element.
template <class F> void map_packs(const double* from, double* to, size_t n, F f) {
  using V = Pack<double, Native<double>::lanes>;
  for (size_t i = 0; i < n; i += V::lanes) {
    alignas(64) double lane[V::lanes];
    const size_t count = n - i < size_t(V::lanes) ? n - i : size_t(V::lanes);
    for (size_t k = 0; k < size_t(V::lanes); ++k) lane[k] = from[i + (k < count ? k : 0)];
    f(V::load(lane)).store(lane);
    for (size_t k = 0; k < count; ++k) to[i + k] = lane[k];
  }
}

template <class View> void map_physical(const double* p, bool out, const double* from, double* to, size_t n) {
  const View view(p);
  if (out) map_packs(from, to, n, [&](auto y) { return view.to_physical(y); });
  else map_packs(from, to, n, [&](auto x) { return view.from_physical(x); });
}

template <class View> void map_log(const double* p, bool out, const double* from, double* to, size_t n) {
  const View view(p);
  if (out) map_packs(from, to, n, [&](auto y) { return view.to_log(y); });
  else map_packs(from, to, n, [&](auto z) { return view.from_log(z); });
}

template <class View, class S, class T, class Z> size_t scratch_bytes(const double* p) {
  if constexpr (is_vector<View>) return vector_scratch<View, S, T, Z>(p);
  else return 0;
}

template <class M, class View, class T, class Z> constexpr auto variance_of() -> decltype(Kernel::variance) {
  if constexpr (M::calculus == Calculus::discrete || has_stable_noise<View>) return nullptr;
  else return normal_variance<View, T, Z>;
}

template <class M, class S, class T, class Z> void add_kernel(Kernels& out) {
  using View = typename ViewOf<M, S::coordinate, T>::type;
  out.add({M::name, S::name, sizeof(T) == 4 ? Precision::float32 : Precision::float64,
           sizeof(Z) == 4 ? Precision::float32 : Precision::float64, S::adaptive, by_rejection<View, S>,
           scratch_bytes<View, S, T, Z>, check_view<View, S>, prepare_view<View>, advance<View, S, T, Z>,
           variance_of<M, View, T, Z>(), is_additive<View>()});
}

// Whether a scheme can step a view: its coordinate is there, and what it needs of the view is.
template <class View, class S> constexpr bool can_step() {
  if constexpr (std::is_void_v<View>) return false;
  else if constexpr (has_stable_noise<View> && !takes_jumps<S>) return false;
  else if constexpr (is_vector<View>) {
    if constexpr (requires { S::template takes<View>; }) return S::template takes<View>;
    else return false;
  } else if constexpr (requires { S::vector_only; }) return false;
  else return view_fits<S, View>();
}

template <class M, class S> void add_scheme(Kernels& out) {
  // what the engine cannot do yet must not compile: see stratonovich_drift
  static_assert((M::calculus == Calculus::ito || M::calculus == Calculus::discrete) && S::normals == 1);
  using View = typename ViewOf<M, S::coordinate, double>::type;
  if constexpr (can_step<View, S>()) {
    add_kernel<M, S, float, float>(out);
    add_kernel<M, S, double, float>(out);
    add_kernel<M, S, double, double>(out);
  }
}

template <class M, Coordinate C> void add_coordinate(Coordinates& out) {
  using View = typename ViewOf<M, C, double>::type;
  if constexpr (!std::is_void_v<View>) {
    CoordinateMap log = nullptr;
    if constexpr (requires(View v, double y) { v.to_log(y); }) log = map_log<View>;
    out.add({M::name, text(C), map_physical<View>, log});
  }
}

template <class M, class... S> ModelTable make_table(SchemeList<S...>) {
  ModelTable t;
  for (const Parameter& p : M::parameters)
    t.parameters.add({p.name, p.fallback, p.low, p.high, p.low_open, p.high_open, p.integer, p.unit, p.doc});
  (add_scheme<M, S>(t.kernels), ...);
  add_coordinate<M, Coordinate::log>(t.coordinates);
  add_coordinate<M, Coordinate::lamperti>(t.coordinates);
  const char* (*check)(const double*) = [](const double*) -> const char* { return nullptr; };
  if constexpr (requires(const double* p) { M::check(p); }) check = M::check;
  Shape (*shape)(const double*) = [](const double*) { return Shape{}; };
  if constexpr (requires(const double* p) { M::shape(p); }) shape = M::shape;
  size_t (*tail)(const double*) = [](const double*) -> size_t { return 0; };
  if constexpr (requires(const double* p) { M::tail(p); }) tail = M::tail;
  decltype(ModelInfo::evaluate) evaluate = nullptr;
  if constexpr (M::calculus != Calculus::discrete)
    evaluate = evaluate_model<typename ViewOf<M, Coordinate::physical, double>::type>;
  t.info = {M::name, M::equation, M::source, text(M::calculus), nullptr, t.parameters.size, check, shape, tail, evaluate};
  return t;
}

ESCAPADE_END
