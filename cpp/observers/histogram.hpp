// Counts per bin. A table has bins + 3 entries: below, the bins, above, not finite. Integers, so any order of merging is
// exact. Neighbours of a crowded ensemble fall into the same bin; four tables side by side spare them waiting for each
// other's store.
#pragma once

#include "../core/math.hpp"
#include "../engine/kernel.hpp"

ESCAPADE_BEGIN

enum class BinScale : int { linear = 0, log = 1, symlog = 2 };

// lo and inverse_width are in the transformed coordinate; symlog is asinh(x / threshold). There are last_table + 1 tables, a
// power of two.
template <BinScale scale>
void bin_scaled(const double* x, size_t n, double lo, double inverse_width, double threshold, int64_t bins, uint32_t* tables,
                unsigned last_table) {
  constexpr int lanes = 16;
  using V = Pack<double, lanes>;
  const size_t slots = size_t(bins) + 3;
  uint32_t* const table[4] = {tables, tables + (1 & last_table) * slots, tables + (2 & last_table) * slots,
                              tables + (3 & last_table) * slots};
  const double top = double(bins);
  alignas(64) double in[lanes];
  alignas(64) int32_t at[lanes];
  for (size_t i = 0; i < n; i += lanes) {
    const size_t count = n - i < size_t(lanes) ? n - i : size_t(lanes);
    const double* p = x + i;
    if (count < size_t(lanes)) {
      for (size_t k = 0; k < size_t(lanes); ++k) in[k] = x[i + (k < count ? k : 0)];
      p = in;
    }
    const V original = V::load(p);
    V v = original;
    if constexpr (scale == BinScale::log) v = select(v > 0.0, log(v), V(-infinity<double>()));
    if constexpr (scale == BinScale::symlog) v = asinh(v / threshold);
    const V position = (v - lo) * inverse_width;
    // truncated before 1 is added: the sum could round up into the next bin
    V slot = select(position < 0.0, V(-1.0), min(position, V(top + 0.5)));
    const auto finite = original - original == 0.0;
    const auto special = (position == top) | (original - original != 0.0);
    if (any(special)) {  // the last bin is closed, as in numpy.histogram
      slot = select(position == top, V(top - 0.5), slot);
      slot = select(finite, slot, V(top + 1.5));
    }
    (convert<int32_t>(slot) + 1).store(at);
    if (count == size_t(lanes)) {
#pragma GCC unroll 16
      for (unsigned k = 0; k < unsigned(lanes); ++k) ++table[k % 4][at[k]];
    } else {
      for (unsigned k = 0; k < unsigned(count); ++k) ++table[k % 4][at[k]];
    }
  }
}

inline void bin(const double* x, size_t n, int scale, double lo, double inverse_width, double threshold, int64_t bins,
                uint32_t* tables, unsigned last_table) {
  if (BinScale(scale) == BinScale::linear)
    bin_scaled<BinScale::linear>(x, n, lo, inverse_width, threshold, bins, tables, last_table);
  else if (BinScale(scale) == BinScale::log)
    bin_scaled<BinScale::log>(x, n, lo, inverse_width, threshold, bins, tables, last_table);
  else bin_scaled<BinScale::symlog>(x, n, lo, inverse_width, threshold, bins, tables, last_table);
}

ESCAPADE_END
