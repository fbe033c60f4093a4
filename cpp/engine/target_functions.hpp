// The functions of a Target that no model or scheme has a part in: noise, observers, and a window on core/math.hpp for
// tests.
#pragma once

#include <cstring>

#include "../core/noise.hpp"
#include "../core/stable.hpp"
#include "../events/watch.hpp"
#include "../observers/histogram.hpp"
#include "../observers/moments.hpp"
#include "kernel.hpp"

ESCAPADE_BEGIN

template <class T> size_t count_nonfinite_of(const T* x, size_t n) {
  size_t bad = 0;
  for (size_t i = 0; i < n; ++i) bad += !(x[i] - x[i] == T(0));
  return bad;
}
inline size_t count_nonfinite(const void* x, Precision p, size_t n) {
  return p == Precision::float32 ? count_nonfinite_of(static_cast<const float*>(x), n)
                                 : count_nonfinite_of(static_cast<const double*>(x), n);
}

template <class T, class F> void map_lanes(const void* in, void* out, size_t n, F f) {
  using V = Pack<T, Native<T>::lanes>;
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  for (size_t i = 0; i + V::lanes <= n; i += V::lanes) f(V::load(x + i)).store(y + i);
  for (size_t i = n - n % V::lanes; i < n; ++i) y[i] = f(x[i]);  // the scalar version must agree to the bit
}

template <class T> bool math_of(const char* name, const void* in, void* out, size_t n) {
  if (!std::strcmp(name, "log")) map_lanes<T>(in, out, n, [](auto x) { return log(x); });
  else if (!std::strcmp(name, "exp")) map_lanes<T>(in, out, n, [](auto x) { return exp(x); });
  else if (!std::strcmp(name, "expm1")) map_lanes<T>(in, out, n, [](auto x) { return expm1(x); });
  else if (!std::strcmp(name, "log1p")) map_lanes<T>(in, out, n, [](auto x) { return log1p(x); });
  else if (!std::strcmp(name, "sinh")) map_lanes<T>(in, out, n, [](auto x) { return sinh(x); });
  else if (!std::strcmp(name, "tanh")) map_lanes<T>(in, out, n, [](auto x) { return tanh(x); });
  else if (!std::strcmp(name, "asinh")) map_lanes<T>(in, out, n, [](auto x) { return asinh(x); });
  else if (!std::strcmp(name, "sin_octant") || !std::strcmp(name, "cos_octant"))
    map_lanes<T>(in, out, n, [sine = name[0] == 's'](auto x) {
      auto s = x, c = x;
      sincos_octant(x, s, c);
      return sine ? s : c;
    });
  else if (!std::strcmp(name, "sin_quarter")) map_lanes<T>(in, out, n, [](auto x) { return sin_quarter(x); });
  else return false;
  return true;
}

inline Target target_functions(const char* isa) {
  Target t{};
  t.isa = isa;
  t.fill_normals32 = [](float* out, size_t row, uint64_t seed, uint32_t stream, const Ids& id, int particles, uint64_t block,
                        int blocks) {
    fill_normals(out, row, PhiloxKeys(seed), Stream(stream), id, particles, block, blocks);
  };
  t.fill_normals64 = [](double* out, size_t row, uint64_t seed, uint32_t stream, const Ids& id, int particles,
                        uint64_t block, int blocks) {
    fill_normals(out, row, PhiloxKeys(seed), Stream(stream), id, particles, block, blocks);
  };
  t.fill_words32 = [](float* out, size_t row, uint64_t seed, uint32_t stream, const Ids& id, int particles, uint64_t block,
                      int blocks) {
    fill_tile(out, row, PhiloxKeys(seed), Stream(stream), id, particles, block, blocks, false);
  };
  t.fill_words64 = [](double* out, size_t row, uint64_t seed, uint32_t stream, const Ids& id, int particles, uint64_t block,
                      int blocks) {
    fill_tile(out, row, PhiloxKeys(seed), Stream(stream), id, particles, block, blocks, false);
  };
  t.words_to_stable32 = words_to_stable<float>;
  t.words_to_stable64 = words_to_stable<double>;
  t.philox = [](uint32_t(&x)[4], uint32_t k0, uint32_t k1) { philox(x, k0, k1); };
  t.uniforms = [](double* out, uint64_t seed, uint32_t stream, uint64_t id, size_t n, uint64_t block) {
    fill_uniforms(out, PhiloxKeys(seed), Stream(stream), id, n, block);
  };
  t.run_watched = run_watched;
  t.power_sums = power_sums;
  t.bin = bin;
  t.count_nonfinite = count_nonfinite;
  t.math = [](const char* name, Precision p, const void* in, void* out, size_t n) {
    return p == Precision::float32 ? math_of<float>(name, in, out, n) : math_of<double>(name, in, out, n);
  };
  return t;
}

ESCAPADE_END
