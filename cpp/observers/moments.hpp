// Power sums of a chunk, in an order that does not depend on the instruction set: lane k of sixteen adds elements k, k + 16,
// k + 32, ...; the lanes are then added in pairs.
#pragma once

#include "../core/pack.hpp"
#include "../engine/kernel.hpp"

ESCAPADE_BEGIN

template <int highest> void power_sums_to(const double* x, size_t n, double shift, MomentSums& out) {
  constexpr int lanes = 16;
  using V = Pack<double, lanes>;
  V sum[highest];
  for (V& s : sum) s = V(0.0);
  alignas(64) double tail[lanes];
  for (size_t i = 0; i < n; i += lanes) {
    const double* p = x + i;
    if (n - i < size_t(lanes)) {  // missing elements sit on the shift and add nothing
      for (int k = 0; k < lanes; ++k) tail[k] = size_t(k) < n - i ? x[i + size_t(k)] : shift;
      p = tail;
    }
    const V d = V::load(p) - shift;
    V power = d;
    for (int k = 0; k < highest; ++k) {
      sum[k] = sum[k] + power;
      power = power * d;
    }
  }
  out.power[0] = double(n);
  for (int k = 0; k < highest; ++k) {
    sum[k].store(tail);
    for (int width = lanes / 2; width > 0; width /= 2)
      for (int i = 0; i < width; ++i) tail[i] += tail[i + width];
    out.power[k + 1] = tail[0];
  }
}

inline void power_sums(const double* x, size_t n, double shift, int highest, MomentSums& out) {
  if (highest <= 2) power_sums_to<2>(x, n, shift, out);
  else if (highest <= 4) power_sums_to<4>(x, n, shift, out);
  else if (highest <= 8) power_sums_to<8>(x, n, shift, out);
  else power_sums_to<16>(x, n, shift, out);
}

ESCAPADE_END
