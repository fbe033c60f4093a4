// Steps of a tile under watch: after each of them, which particles have met which boundary, and when.
//
// A step ends at x' = x + a h + b dW. Given both ends, a Brownian path with the variance rate v of the left end has touched
// a boundary at distances d and d' with probability exp(-2 d d' / (v h)), and then first did so at h Z / (1 + Z), where Z is
// inverse Gaussian with mean d / |d'| and shape d^2 / (v h) (Gobet 2000).
#pragma once

#include "../core/noise.hpp"
#include "../engine/packs.hpp"
#include "boundary.hpp"

ESCAPADE_BEGIN

// A particle and the fraction of the step after which it met a boundary.
struct Meeting {
  int particle, boundary;
  double fraction;
  bool operator<(const Meeting& b) const {
    return particle != b.particle   ? particle < b.particle
           : fraction != b.fraction ? fraction < b.fraction
                                    : boundary < b.boundary;
  }
};

// When a bridge of variance `v` over the step that touches 0 between distances d > 0 and d2 first does so, as a fraction of
// the step. `u` is uniform and independent of the two words.
inline double hitting_fraction(double d, double d2, double v, double u, uint64_t words) {
  // the smaller root of Michael, Schucany and Haas (1976), written without cancellation, and without a mean that d2 = 0
  // would make infinite
  float z0, z1;
  box_muller(uint32_t(words), uint32_t(words >> 32), z0, z1);
  const double r = abs(d2) / d, q = double(z0) * double(z0) * v / (2 * d * d);
  double z = 1 / (r + q + sqrt(q * (q + 2 * r)));
  if (u * (1 + r * z) > 1) z = 1 / (r * r * z);
  return z < 1e300 ? z / (1 + z) : 1;
}

// Particles that may have met a boundary, as many as fill some chains of Philox: one where there are few, to be done soon,
// and several where there are many, to keep the ports busy.
template <int chains> struct BridgeGroup {
  static constexpr int width = Native<uint64_t>::lanes, most = width * chains;
  using V = Pack<double, most>;
  alignas(64) double d[most], d2[most], v[most], u[most], p[most];
  alignas(64) uint64_t id[most], block[most], words[most];

  // Whether a bridge has touched: u < p = exp(-2 d d2 / v), bit by bit. What is left of the block goes to `words`.
  uint32_t test(const PhiloxKeys& keys) {
    PhiloxState s[chains];
    for (int c = 0; c < chains; ++c) s[c] = counters(id + c * width, block + c * width, 1, Stream::bridge);
    run_rounds(s, keys, 0);
    for (int c = 0; c < chains; ++c) {
      U64 w[2];
      last_round(s[c], keys, w);
      store_vector(u + c * width, (w[0] >> 12) | bit_cast<uint64_t>(1.0));
      store_vector(words + c * width, w[1]);
    }
    const V uniform = V::load(u) - (1 - 0x1p-53), distance = V::load(d2);  // 53 bits, in (0, 1)
    const V chance = exp(-2.0 * V::load(d) * distance / V::load(v));
    uniform.store(u);
    chance.store(p);
    return lane_bits(uniform < chance) | lane_bits(distance <= 0.0);
  }
};

template <class T> class WatchedTile {
 public:
  WatchedTile(const Kernel& kernel, const ViewStorage& view, Tile& tile, const Watch& watch)
      : kernel_(kernel), view_(view), tile_(tile), watch_(watch), keys_(tile.seed) {}

  void run() {
    const char* const normals = static_cast<const char*>(tile_.normals);
    const int steps = tile_.steps;
    const uint64_t first_step = tile_.first_step;
    const size_t bytes = size_t(tile_.draws) * tile_.row * (kernel_.noise == Precision::float32 ? 4 : 8);
    tile_.steps = 1;
    for (int b = 0; b < watch_.count; ++b) {
      const Boundary& at = watch_.boundaries[b];
      keep_ |= at.test == Boundary::Test::bridge || at.action != Boundary::Action::absorb;
      if (at.kind != Boundary::Kind::coordinate) find_levels(at, x(), tile_.plane, level_row(b, 1));
      if (kernel_.additive) find_variance(b, x(), tile_.plane);
    }
    for (int s = 0; s < steps; ++s) {
      tile_.normals = normals + size_t(s) * bytes;
      tile_.first_step = first_step + uint64_t(s);
      step();
    }
    tile_.steps = steps, tile_.first_step = first_step, tile_.normals = normals;
  }

 private:
  using V = Pack<T, 2 * Native<T>::lanes>;
  static_assert(V::lanes <= 32 && tile_lanes % V::lanes == 0);

  T* x() const { return static_cast<T*>(tile_.x); }
  T* before() const { return static_cast<T*>(watch_.before); }
  T* level_row(int b, int after) const { return static_cast<T*>(watch_.levels) + size_t(2 * b + after) * tile_.row; }
  T* variance_row(int b) const { return static_cast<T*>(watch_.variance) + size_t(b) * tile_.row; }

  // The level function of a boundary before and after the step.
  const T* old_level(int b) const {
    const Boundary& at = watch_.boundaries[b];
    return at.kind == Boundary::Kind::coordinate ? before() + size_t(at.coordinate) * tile_.row : level_row(b, 0);
  }
  const T* new_level(int b) const {
    const Boundary& at = watch_.boundaries[b];
    return at.kind == Boundary::Kind::coordinate ? x() + size_t(at.coordinate) * tile_.plane : level_row(b, 1);
  }

  void find_variance(int b, const T* rows, size_t plane) const {
    const Boundary& at = watch_.boundaries[b];
    if (at.test != Boundary::Test::endpoint) kernel_.variance(view_, tile_, rows, plane, at, variance_row(b));
  }

  void find_levels(const Boundary& at, const T* x, size_t plane, T* out) const {
    const bool ball = at.kind == Boundary::Kind::ball;
    for (int p = 0; p < tile_.particles; p += V::lanes) {
      V sum(T(0));
      for (int k = 0; k < at.dim; ++k) {
        const V y = V::load(x + size_t(k) * plane + p);
        const V c(T(at.vector[k])), from = y - c;
        sum = ball ? fma(from, from, sum) : fma(c, y, sum);
      }
      (ball ? sqrt(sum) : sum).store(out + p);
    }
  }

  void step() {
    const size_t bytes = size_t(tile_.particles) * sizeof(T);
    if (keep_)
      for (int k = 0; k < watch_.planes; ++k)
        __builtin_memcpy(before() + size_t(k) * tile_.row, x() + size_t(k) * tile_.plane, bytes);
    for (int b = 0; b < watch_.count; ++b) {
      const Boundary& at = watch_.boundaries[b];
      if (at.kind != Boundary::Kind::coordinate) __builtin_memcpy(level_row(b, 0), level_row(b, 1), bytes);
      if (!kernel_.additive && at.action != Boundary::Action::reflect) find_variance(b, x(), tile_.plane);
    }
    kernel_.advance(view_, tile_);
    for (int b = 0; b < watch_.count; ++b)
      if (watch_.boundaries[b].action == Boundary::Action::reflect) reflect(watch_.boundaries[b]);
    int found = 0;
    for (int b = 0; b < watch_.count; ++b) {
      const Boundary& at = watch_.boundaries[b];
      if (at.action == Boundary::Action::reflect) continue;
      if (at.kind != Boundary::Kind::coordinate) find_levels(at, x(), tile_.plane, level_row(b, 1));
      const int candidates = find_candidates(b);
      if (candidates > 0) found = meetings_of(b, candidates, found);
    }
    if (watch_.peak) raise_peaks();
    if (found > 0) settle(found);
  }

  // Mirrored back: the symmetrised scheme, of weak order 1 (Bossy, Gobet and Talay 2004).
  void reflect(const Boundary& at) const {
    T* const y = x() + size_t(at.coordinate) * tile_.plane;
    const T level = T(at.level), sign = T(at.sign);
    for (int p = 0; p < tile_.particles; p += V::lanes) {
      const V here = V::load(y + p);
      select(sign * (level - here) < T(0), T(2) * level - here, here).store(y + p);
    }
  }

  void raise_peaks() const {
    T* const peak = static_cast<T*>(watch_.peak);
    const T* const level = new_level(watch_.peak_of);
    const T sign = T(watch_.boundaries[watch_.peak_of].sign);
    for (int p = 0; p < tile_.particles; p += V::lanes) max(sign * V::load(level + p), V::load(peak + p)).store(peak + p);
  }

  // Lists those whose step may have met boundary b, and returns how many there are.
  int find_candidates(int b) {
    const Boundary& at = watch_.boundaries[b];
    const T *const old = old_level(b), *const now = new_level(b), *const v = variance_row(b);
    const V level{T(at.level)};
    // a bridge that is not found by the smallest uniform, 2^-53, is no candidate
    const T cut = T(0.5 * 36.8 * tile_.dt), inwards = T(at.sign * mean_overshoot * sqrt(tile_.dt));
    const bool upper = at.sign > 0;
    auto load = [](const T* at) { return V::load(at); };
    switch (at.test) {
      case Boundary::Test::bridge:
        return candidates_where(
            [&](int p) { return bits_less((level - load(old + p)) * (level - load(now + p)), cut * load(v + p)); });
      case Boundary::Test::shift:
        return candidates_where([&](int p) {
          const V moved = level - inwards * sqrt(load(v + p)), x = load(now + p);
          return upper ? bits_less_equal(moved, x) : bits_less_equal(x, moved);
        });
      default: {
        // most rows have nobody outside: the outermost one tells
        V outermost{upper ? -infinity<T>() : infinity<T>()};
        for (int p = 0; p < tile_.particles; p += V::lanes)
          outermost = upper ? max(load(now + p), outermost) : min(load(now + p), outermost);
        if (!(upper ? bits_less_equal(level, outermost) : bits_less_equal(outermost, level))) return 0;
        return candidates_where(
            [&](int p) { return upper ? bits_less_equal(level, load(now + p)) : bits_less_equal(load(now + p), level); });
      }
    }
  }

  template <class Condition> int candidates_where(Condition condition) {
    int count = 0;
    for (int p = 0; p < tile_.particles; p += V::lanes)
      for (uint32_t bits = condition(p); bits; bits &= bits - 1) {
        const int i = p + __builtin_ctz(bits);
        candidates_[count] = i;
        count += watch_.alive[i];
      }
    return count;
  }

  // Adds those of the candidates who met boundary b to the list of meetings.
  int meetings_of(int b, int count, int found) {
    const Boundary& at = watch_.boundaries[b];
    if (at.action != Boundary::Action::absorb) {  // nobody who is absorbed is outside before a step
      const T* const old = old_level(b);
      int inside = 0;
      for (int i = 0; i < count; ++i) {
        candidates_[inside] = candidates_[i];
        inside += T(at.sign) * (T(at.level) - old[candidates_[i]]) > T(0);
      }
      count = inside;
    }
    if (at.test == Boundary::Test::bridge) return test_bridges(b, count, found);
    for (int i = 0; i < count; ++i) meetings_[found++] = {candidates_[i], b, 1};
    return found;
  }

  int test_bridges(int b, int count, int found) {
    constexpr int few = BridgeGroup<1>::most;
    return count <= few ? test_groups<1>(b, count, found) : test_groups<4>(b, count, found);
  }

  template <int chains> int test_groups(int b, int count, int found) {
    const Boundary& at = watch_.boundaries[b];
    const T level = T(at.level), sign = T(at.sign);
    const T *const old = old_level(b), *const now = new_level(b), *const v = variance_row(b);
    BridgeGroup<chains> g;
    for (int first = 0; first < count; first += g.most) {
      const int n = count - first < g.most ? count - first : g.most;
      for (int k = 0; k < g.most; ++k) {
        const int i = candidates_[first + (k < n ? k : 0)];
        g.d[k] = double(sign * (level - old[i])), g.d2[k] = double(sign * (level - now[i]));
        g.v[k] = double(v[i]) * tile_.dt;
        g.id[k] = tile_.ids[size_t(i)], g.block[k] = tile_.first_step * most_boundaries + uint64_t(b);
      }
      for (uint32_t bits = g.test(keys_) & uint32_t((uint64_t(1) << n) - 1); bits; bits &= bits - 1) {
        const int k = __builtin_ctz(bits);
        const double u = g.d2[k] > 0 ? g.u[k] / g.p[k] : g.u[k];  // given that it is below p, uniform again
        meetings_[found++] = {candidates_[first + k], b, hitting_fraction(g.d[k], g.d2[k], g.v[k], u, g.words[k])};
      }
    }
    return found;
  }

  // Meetings of a particle count in the order of time, up to the one that ends it.
  void settle(int found) {
    for (int i = 1; i < found; ++i)  // one boundary's are in order already, and there are few
      for (int j = i; j > 0 && meetings_[j] < meetings_[j - 1]; --j) {
        const Meeting m = meetings_[j];
        meetings_[j] = meetings_[j - 1], meetings_[j - 1] = m;
      }
    for (int i = 0; i < found; ++i) {
      const Meeting& m = meetings_[i];
      if (!watch_.alive[m.particle]) continue;
      const uint32_t slot = watch_.slot[m.particle];
      switch (watch_.boundaries[m.boundary].action) {
        case Boundary::Action::rearm:
          watch_.armed[slot] = 1;
          break;
        case Boundary::Action::count:
          if (!watch_.armed[slot]) break;
          ++watch_.counts[slot];
          watch_.armed[slot] = !watch_.rearms;
          break;
        case Boundary::Action::absorb:
          absorb(m, slot);
          break;
        case Boundary::Action::reflect:
          break;
      }
    }
  }

  void absorb(const Meeting& m, uint32_t slot) {
    const Boundary& at = watch_.boundaries[m.boundary];
    const int p = m.particle;
    T* const exit = static_cast<T*>(watch_.exit) + slot;
    watch_.alive[p] = 0;
    watch_.side[slot] = int8_t(m.boundary);
    watch_.time[slot] = (double(tile_.first_step) + m.fraction) * tile_.dt;
    if (watch_.peak) watch_.highest[slot] = double(static_cast<const T*>(watch_.peak)[p]);
    // by the bridge: the point of the chord at that time, brought onto the boundary along its normal
    const bool bridged = at.test == Boundary::Test::bridge;
    const double share = bridged ? m.fraction : 1;
    double sum = 0;
    for (int k = 0; k < watch_.planes; ++k) {
      T& here = x()[size_t(k) * tile_.plane + size_t(p)];
      const double to = double(here);
      // until it is taken out, it walks on from where it started, which is where nobody meets a boundary often
      here = exit[size_t(k) * watch_.exit_plane];
      double y = to;
      if (share < 1) {
        const double from = double(before()[size_t(k) * tile_.row + size_t(p)]);
        y = from + share * (to - from);
      }
      exit[size_t(k) * watch_.exit_plane] = T(y);
      if (k >= at.dim) continue;
      if (at.kind == Boundary::Kind::half_space) sum += at.vector[k] * y;
      if (at.kind == Boundary::Kind::ball) sum += (y - at.vector[k]) * (y - at.vector[k]);
    }
    if (!bridged) return;
    if (at.kind == Boundary::Kind::coordinate) {
      exit[size_t(at.coordinate) * watch_.exit_plane] = T(at.level);
      return;
    }
    const double ratio = at.level / sqrt(sum);
    for (int k = 0; k < at.dim; ++k) {
      T& y = exit[size_t(k) * watch_.exit_plane];
      const double c = at.vector[k];
      y = at.kind == Boundary::Kind::ball ? T(c + ratio * (double(y) - c)) : T(double(y) + (at.level - sum) * c);
    }
  }

  const Kernel& kernel_;
  const ViewStorage& view_;
  Tile& tile_;
  const Watch& watch_;
  PhiloxKeys keys_;
  bool keep_ = false;  // states before a step are asked for
  int candidates_[tile_particles + 1];
  Meeting meetings_[most_boundaries * tile_particles];
};

inline void run_watched(const Kernel& kernel, const ViewStorage& view, Tile& tile, const Watch& watch) {
  if (kernel.state == Precision::float32) WatchedTile<float>(kernel, view, tile, watch).run();
  else WatchedTile<double>(kernel, view, tile, watch).run();
}

ESCAPADE_END
