// Particles advanced by steps that the state may cut: h = dt min(1, rate_scale / step_rate(y)), from the left state only.
//
// Most particles take whole steps, and the loop over them must cost what a fixed step costs: it computes the rate from the
// terms that drift and noise need anyway, and compares; no division, no square root. A particle that must not take its step
// keeps its state, so it is refused in every later row as well: it waits. After some rows those who wait are packed densely
// and brought up to the others, each at a row of its own. What a particle does there depends on nothing but itself: the
// first substep of a step takes the step's own normal, further ones draw from a stream keyed by particle, step and substep.
#pragma once

#include "packs.hpp"

ESCAPADE_BEGIN

// Smallest substep as a fraction of dt. It bounds the substeps of a step to what the counter layout has room for
// (stream.hpp). A network's v makes brief excursions towards infinity, an entrance boundary, that would need unboundedly
// small steps; at the floor a move is limited to `view.reach`, which acts as a soft reflecting cap, and is counted.
constexpr double substep_floor = 1.0 / (1 << 17);
// Rows after which those who wait are brought up: many of them fill packs, but what they do there costs more.
constexpr int rows_to_wait = 16;

// Fraction of dt that the state allows.
template <class View, class V> ESCAPADE_HD V allowed_fraction(const View& view, V rate) {
  using T = Lane<V>;
  V f = view.rate_scale / rate;
  return max(min(f, V(T(1))), V(T(substep_floor)));  // nan gives 1: a lost particle takes no substeps
}

// One substep: `rest` of the step is left when it is done. take = 1 gives the bits of a whole step of advance_adaptive.
template <class View, class Scheme, class V>
ESCAPADE_HD V substep(const View& view, V y, V z, Lane<V> dt, Lane<V> root_dt, V& rest, V& take) {
  using T = Lane<V>;
  const auto at = coefficients(view, y);
  take = min(allowed_fraction(view, at.rate), rest);
  V next = enforce_domain(view, Scheme::step_from(view, at, y, root_dt * sqrt(take) * z, take * dt));
  V limited = y + max(min(next - y, V(view.reach)), V(-view.reach));
  next = select(take <= T(substep_floor), limited, next);
  rest = rest - take;
  // what is left below the floor is rounding; a particle that is lost needs no more steps
  rest = select(rest > T(0.5 * substep_floor), rest, V(T(0)));
  rest = select(next - next == T(0), rest, V(T(0)));
  return next;
}

template <class F> void for_groups_of_rows(int steps, F f) {
  for (int first = 0; first < steps; first += rows_to_wait) f(first, min(steps, first + rows_to_wait));
}

// The place, row * tile_particles + particle, from which each refused particle waits. Who is refused keeps its state and
// stays refused, so the last row knows them all.
template <int lanes, class F>
void for_each_refused(const uint32_t (&refused)[rows_to_wait][tile_particles / lanes], int first, int end, int counted,
                      F f) {
  for (int p = 0; p < counted; p += lanes)
    for (uint32_t bits = refused[end - 1 - first][p / lanes]; bits; bits &= bits - 1) {
      const int lane = __builtin_ctz(bits);
      if (p + lane >= counted) break;
      unsigned row = unsigned(end);
      for (int s = first; s < end; ++s) row -= refused[s - first][p / lanes] >> lane & 1;
      f(row * tile_particles + unsigned(p + lane));
    }
}

// How many of the first n lanes are set.
template <class M, int L> ESCAPADE_HD unsigned count_lanes(Pack<M, L> mask, int n) {
  return unsigned(__builtin_popcount(lane_bits(mask) & ~uint32_t(0) >> (32 - n)));
}

// Those who wait. place = row * tile_particles + particle; block = further draws to use next.
template <class T, int lanes> struct Waiting {
  static constexpr int most = tile_particles + lanes;
  int count = 0;
  alignas(64) unsigned place[most], block[most];
  alignas(64) T y[most], rest[most];  // state, and what is left of the step
};

template <class View, class Scheme, class T, class Z> class AdaptiveTile {
  static constexpr int lanes = pack_lanes<T, Z>, per_block = 16 / int(sizeof(Z));
  using V = Pack<T, lanes>;

  const View view_;
  Tile& tile_;
  T* const x_;
  const PhiloxKeys keys_;
  const T dt_, root_dt_;
  unsigned end_ = 0;
  Waiting<T, lanes> fresh_, cut_;  // at the start of a step, and in the middle of one

 public:
  AdaptiveTile(const View& view, Tile& tile)
      : view_(view),
        tile_(tile),
        x_(static_cast<T*>(tile.x)),
        keys_(tile.seed),
        dt_(T(tile.dt)),
        root_dt_(T(sqrt(tile.dt))) {}

  void advance() {
    for_groups_of_rows(tile_.steps, [&](int first, int end) {
      whole_steps(first, end);
      end_ = unsigned(end);
      while (fresh_.count + cut_.count > 0) {
        if (fresh_.count >= cut_.count) begin_steps();
        else continue_steps();
      }
    });
  }

 private:
  // Whole steps, rows first .. end - 1, for all whom they are allowed; the others wait.
  void whole_steps(int first, int end) {
    uint32_t refused[rows_to_wait][tile_particles / lanes];
    T* const __restrict x = x_;
    const View view = view_;  // copies: stores to the state cannot change them
    const T h = dt_, root_h = root_dt_;
    const int particles = tile_.particles;
    for (int s = first; s < end; ++s) {
      const Z* const __restrict z = static_cast<const Z*>(tile_.normals) + size_t(s) * tile_.row;
      uint32_t* const __restrict bits = refused[s - first];
      for (int p = 0; p < particles; p += lanes) {
        const V y = V::load(x + p);
        const auto at = coefficients(view, y);
        const auto wait = at.rate > view.rate_scale;
        const V next = enforce_domain(view, Scheme::step_from(view, at, y, root_h * load_normals<V>(z + p), h));
        select(wait, y, next).store(x + p);
        bits[p / lanes] = lane_bits(wait);
      }
    }
    for_each_refused<lanes>(refused, first, end, tile_.counted, [&](unsigned place) {
      const int k = fresh_.count++;
      fresh_.place[k] = place, fresh_.y[k] = x[place % tile_particles], fresh_.block[k] = 0;
    });
  }

  // One step, or its first substep, for those who are at the start of one.
  void begin_steps() {
    const Z* const normals = static_cast<const Z*>(tile_.normals);
    const unsigned stride = unsigned(tile_.row);
    const int count = fresh_.count;
    uint64_t hits = 0;
    fresh_.count = 0;
    for (int first = 0; first < count; first += lanes) {
      const int n = pad(fresh_, first, count);
      alignas(64) Z z[lanes];
      for (int i = 0; i < lanes; ++i) {
        const unsigned place = fresh_.place[first + i];
        z[i] = normals[place / tile_particles * stride + place % tile_particles];
      }
      V y = V::load(fresh_.y + first), rest = V(T(1)), take;
      y = substep<View, Scheme>(view_, y, load_normals<V>(z), dt_, root_dt_, rest, take);
      hits += count_lanes((rest > T(0)) & (take <= T(substep_floor)), n);
      distribute(fresh_, first, n, y, rest);
    }
    tile_.floor_hits += hits;
  }

  // Further substeps for those who are in the middle of a step: as many as the draws of a block are good for, or of several
  // blocks, where few are left to fill the lanes.
  void continue_steps() {
    const int count = cut_.count;
    uint64_t made = 0, hits = 0;
    cut_.count = 0;
    for (int first = 0; first < count; first += lanes) {
      const int n = pad(cut_, first, count);
      int width = lanes;
      while (width >= 2 * n) width /= 2;
      const int blocks = lanes / width;
      alignas(64) Z z[per_block * lanes + lanes];
      alignas(64) uint64_t id[lanes], block[lanes];
      for (int i = 0; i < lanes; ++i) {
        const int k = first + (i & (width - 1));
        const unsigned place = cut_.place[k];
        id[i] = tile_.ids[place % tile_particles];
        block[i] = (tile_.first_step + place / tile_particles) * substep_blocks + cut_.block[k] + unsigned(i / width);
      }
      normals_of_blocks<lanes>(z, keys_, Stream::substeps, id, block);
      V y = V::load(cut_.y + first), rest = V::load(cut_.rest + first);
      for (int j = 0; j < blocks * per_block; ++j) {
        const auto active = rest > T(0);
        const int busy = count_lanes(active, n);
        if (busy == 0) break;
        V after = rest, take;
        const V normal = load_normals<V>(z + j % per_block * lanes + j / per_block * width);
        y = select(active, substep<View, Scheme>(view_, y, normal, dt_, root_dt_, after, take), y);
        rest = select(active, after, rest);
        made += unsigned(busy);
        hits += count_lanes((rest > T(0)) & (take <= T(substep_floor)), n);
      }
      for (int i = first; i < first + n; ++i) cut_.block[i] += unsigned(blocks);
      distribute(cut_, first, n, y, rest);
    }
    tile_.substeps += made, tile_.floor_hits += hits;
  }

  // Fills the pack that starts at `first` up with copies; returns how many it holds.
  static int pad(Waiting<T, lanes>& list, int first, int count) {
    const int n = min(lanes, count - first);
    for (int i = first + n; i < first + lanes; ++i)
      list.place[i] = list.place[first], list.block[i] = list.block[first], list.y[i] = list.y[first],
      list.rest[i] = list.rest[first];
    return n;
  }

  // Sends n lanes to where they belong next: the middle of their step, the start of the next one, or home.
  void distribute(const Waiting<T, lanes>& from, int first, int n, V y_pack, V rest_pack) {
    alignas(64) T y[lanes], rest[lanes];
    y_pack.store(y), rest_pack.store(rest);
    int fresh = fresh_.count, cut = cut_.count;
    for (int i = 0; i < n; ++i) {  // lists are written behind where they are read
      const unsigned place = from.place[first + i], block = from.block[first + i];
      const bool more = rest[i] > T(0);
      x_[place % tile_particles] = y[i];
      cut_.place[cut] = place, cut_.y[cut] = y[i], cut_.rest[cut] = rest[i], cut_.block[cut] = block;
      cut += more;
      fresh_.place[fresh] = place + tile_particles, fresh_.y[fresh] = y[i], fresh_.block[fresh] = 0;
      fresh += !more & (place / tile_particles + 1 < end_);
    }
    fresh_.count = fresh, cut_.count = cut;
  }
};

ESCAPADE_END
