// Counts per bin. counts has bins + 3 entries: below, the bins, above, not a number. Integers, so any order of merging is exact.
#pragma once

#include "../core/math.hpp"
#include "../engine/kernel.hpp"

ESCAPADE_BEGIN

enum class BinScale : int { linear = 0, log = 1, symlog = 2 };

// lo and inverse_width are in the transformed coordinate; symlog is asinh(x / threshold).
template <BinScale scale>
void bin_scaled(const double* x, size_t n, double lo, double inverse_width, double threshold, int64_t bins,
                uint64_t* counts) {
  constexpr int lanes = 16;
  using V = Pack<double, lanes>;
  const double top = double(bins);
  alignas(64) double in[lanes];
  alignas(64) int32_t at[lanes];
  for (size_t i = 0; i < n; i += lanes) {
    const size_t count = n - i < size_t(lanes) ? n - i : size_t(lanes);
    const double* p = x + i;
    if (count < size_t(lanes)) {
      for (int k = 0; k < lanes; ++k) in[k] = x[i + (size_t(k) < count ? size_t(k) : 0)];
      p = in;
    }
    V v = V::load(p);
    if constexpr (scale == BinScale::log) v = select(v > 0.0, log(v), V(-infinity<double>()));
    if constexpr (scale == BinScale::symlog) v = asinh(v / threshold);
    V original = V::load(p);
    V position = (v - lo) * inverse_width;
    // the last bin is closed, as in numpy.histogram
    V slot = select(position == top, V(top - 0.5), position) + 1.0;
    slot = select(position < 0.0, V(0.5), slot);
    slot = select(position > top, V(top + 1.5), slot);
    slot = select(original == original, slot, V(top + 2.5));
    convert<int32_t>(slot).store(at);
    for (size_t k = 0; k < count; ++k) ++counts[at[k]];
  }
}

inline void bin(const double* x, size_t n, int scale, double lo, double inverse_width, double threshold, int64_t bins,
                uint64_t* counts) {
  if (BinScale(scale) == BinScale::linear) bin_scaled<BinScale::linear>(x, n, lo, inverse_width, threshold, bins, counts);
  else if (BinScale(scale) == BinScale::log) bin_scaled<BinScale::log>(x, n, lo, inverse_width, threshold, bins, counts);
  else bin_scaled<BinScale::symlog>(x, n, lo, inverse_width, threshold, bins, counts);
}

ESCAPADE_END
