// Adaptive steps for particles of several numbers, by the plan of advance_adaptive.hpp: whole steps for all whom they are
// allowed, at the price of a comparison; who is refused keeps its state and waits; those who wait are packed densely and
// brought up to the others, each at a row of its own, with noise keyed by particle, step and substep.
#pragma once

#include "advance_adaptive.hpp"

ESCAPADE_BEGIN

// No step is longer than this over the rate, however large dt is: beyond it, normals of 3 rather than 4 standard deviations
// change the sign of u + w and u - w at depth 1, which the equation conserves.
constexpr double largest_change = 0.25;

// A pack's state and what a step works on: on the stack where sizes are known, in the tile's scratch memory otherwise.
template <class View, class Scheme, class V> struct Workspace {
  static constexpr int fixed = View::fixed_planes;
  V local[fixed > 0 ? (2 + Scheme::work) * fixed + View::fixed_temporaries : 1];
  V *y, *old, *work, *temporary;
  explicit Workspace(const View& view, void* scratch) {
    const int n = planes_of(view);
    y = fixed > 0 ? local : static_cast<V*>(scratch);
    old = y + n, work = old + n, temporary = work + Scheme::work * n;
  }
};

template <class View, class Scheme, class T, class Z> class VectorAdaptiveTile {
  static constexpr int lanes = pack_lanes<T, Z>, per_block = 16 / int(sizeof(Z));
  using V = Pack<T, lanes>;
  using Space = Workspace<View, Scheme, V>;

  // place = row * tile_particles + particle; states stay in the tile
  struct List {
    int count = 0;
    unsigned place[tile_particles + lanes], block[tile_particles + lanes];
    alignas(64) T rest[tile_particles + lanes];
    // fills the pack that starts at `first` up with copies; returns how many it holds
    int pad(int first, int total) {
      const int n = min(lanes, total - first);
      for (int i = first + n; i < first + lanes; ++i)
        place[i] = place[first], block[i] = block[first], rest[i] = rest[first];
      return n;
    }
  };

  const View view_;
  Tile& tile_;
  T* const x_;
  const PhiloxKeys keys_;
  const T dt_, root_dt_;
  const T limit_;  // of the rate at which a whole step is taken
  unsigned end_ = 0;
  List fresh_, cut_;  // at the start of a step, and in the middle of one

 public:
  VectorAdaptiveTile(const View& view, Tile& tile)
      : view_(view),
        tile_(tile),
        x_(static_cast<T*>(tile.x)),
        keys_(tile.seed),
        dt_(T(tile.dt)),
        root_dt_(T(sqrt(tile.dt))),
        limit_(min(view.rate_scale, T(largest_change / tile.dt))) {}

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
  const Z* row(unsigned s) const { return static_cast<const Z*>(tile_.normals) + size_t(s) * tile_.row; }

  void whole_steps(int first, int end) {
    uint32_t refused[rows_to_wait][tile_particles / lanes];
    const View view = view_;
    const int planes = planes_of(view), particles = tile_.particles;
    const T h = dt_, root_h = root_dt_, limit = limit_;
    for (int s = first; s < end; ++s) {
      const Z* const z = row(unsigned(s));
      for (int p = 0; p < particles; p += lanes) {
        Space at(view, tile_.scratch);
        load_planes(at.y, x_ + p, tile_.plane, planes);
        const auto point = view.evaluate(at.y, at.temporary);
        const auto wait = view.rate_of(point, at.y, at.temporary) > limit;
        for (int k = 0; k < planes; ++k) at.old[k] = at.y[k];
        Scheme::step_from(view, point, at.y, OneIncrement<V>{root_h * load_normals<V>(z + p)}, h, at.work);
        for (int k = 0; k < planes; ++k) at.y[k] = select(wait, at.old[k], at.y[k]);
        store_planes(at.y, x_ + p, tile_.plane, planes);
        refused[s - first][p / lanes] = lane_bits(wait);
      }
    }
    for_each_refused<lanes>(refused, first, end, tile_.counted,
                            [&](unsigned place) { fresh_.place[fresh_.count] = place, fresh_.block[fresh_.count++] = 0; });
  }

  void gather(const List& list, int first, V* y) const {
    alignas(64) T lane[lanes];
    for (int k = 0; k < planes_of(view_); ++k) {
      const T* x = x_ + size_t(k) * tile_.plane;
      for (int i = 0; i < lanes; ++i) lane[i] = x[list.place[first + i] % tile_particles];
      y[k] = V::load(lane);
    }
  }

  // One substep of a pack; returns what share of dt it took and lowers what is left. At the floor the whole move is scaled
  // down until no number moves by more than half the largest of them: directions stay, and with them signs and ratios that
  // the equation conserves.
  V substep(Space& at, V z, V& rest) const {
    const int planes = planes_of(view_);
    const auto point = view_.evaluate(at.y, at.temporary);
    const V allowed = limit_ / view_.rate_of(point, at.y, at.temporary);
    const V take = min(max(min(allowed, V(T(1))), V(T(substep_floor))), rest);  // nan takes all: lost particles are done
    for (int k = 0; k < planes; ++k) at.old[k] = at.y[k];
    Scheme::step_from(view_, point, at.y, OneIncrement<V>{root_dt_ * sqrt(take) * z}, take * dt_, at.work);
    const auto at_floor = take <= T(substep_floor);
    if (any(at_floor)) {
      V largest = V(T(0)), longest = V(T(0));
      for (int k = 0; k < planes; ++k) {
        largest = max(largest, abs(at.old[k]));
        longest = max(longest, abs(at.y[k] - at.old[k]));
      }
      const V share = min(T(0.5) * largest / longest, V(T(1)));  // nan, from 0/0, gives 1
      for (int k = 0; k < planes; ++k) at.y[k] = select(at_floor, fma(share, at.y[k] - at.old[k], at.old[k]), at.y[k]);
    }
    rest = rest - take;
    // what is left below the floor is rounding; a particle that is lost needs no more steps
    rest = select(rest > T(0.5 * substep_floor), rest, V(T(0)));
    V lost = V(T(0));
    for (int k = 0; k < planes; ++k) lost = lost + (at.y[k] - at.y[k]);
    rest = select(lost == T(0), rest, V(T(0)));
    return take;
  }

  // One step, or its first substep, with the step's own normal, for those who are at the start of one.
  void begin_steps() {
    const int count = fresh_.count;
    fresh_.count = 0;
    for (int first = 0; first < count; first += lanes) {
      const int n = fresh_.pad(first, count);
      Space at(view_, tile_.scratch);
      alignas(64) Z z[lanes];
      for (int i = 0; i < lanes; ++i) {
        const unsigned place = fresh_.place[first + i];
        z[i] = row(place / tile_particles)[place % tile_particles];
      }
      gather(fresh_, first, at.y);
      V rest = V(T(1));
      const V take = substep(at, load_normals<V>(z), rest);
      tile_.floor_hits += count_lanes((rest > T(0)) & (take <= T(substep_floor)), n);
      distribute(fresh_, first, n, at.y, rest);
    }
  }

  // Further substeps for those who are in the middle of a step: as many as the draws of a block are good for.
  void continue_steps() {
    const int count = cut_.count, planes = planes_of(view_);
    cut_.count = 0;
    for (int first = 0; first < count; first += lanes) {
      const int n = cut_.pad(first, count);
      Space at(view_, tile_.scratch);
      alignas(64) Z z[per_block * lanes];
      alignas(64) uint64_t id[lanes], block[lanes];
      for (int i = 0; i < lanes; ++i) {
        const unsigned place = cut_.place[first + i];
        id[i] = tile_.ids[place % tile_particles];
        block[i] = (tile_.first_step + place / tile_particles) * substep_blocks + cut_.block[first + i]++;
      }
      normals_of_blocks<lanes>(z, keys_, Stream::substeps, id, block);
      gather(cut_, first, at.y);
      V rest = V::load(cut_.rest + first);
      for (int j = 0; j < per_block; ++j) {
        const auto active = rest > T(0);
        const unsigned busy = count_lanes(active, n);
        if (busy == 0) break;
        V after = rest;
        const V take = substep(at, load_normals<V>(z + j * lanes), after);
        for (int k = 0; k < planes; ++k) at.y[k] = select(active, at.y[k], at.old[k]);
        rest = select(active, after, rest);
        tile_.substeps += busy;
        tile_.floor_hits += count_lanes((rest > T(0)) & (take <= T(substep_floor)), n);
      }
      distribute(cut_, first, n, at.y, rest);
    }
  }

  // Writes states back, and sends n lanes to where they belong next: the middle of their step, the start of the next one,
  // or home.
  void distribute(const List& from, int first, int n, const V* y, V rest_pack) {
    alignas(64) T lane[lanes], rest[lanes];
    for (int k = 0; k < planes_of(view_); ++k) {
      y[k].store(lane);
      T* x = x_ + size_t(k) * tile_.plane;
      for (int i = 0; i < n; ++i) x[from.place[first + i] % tile_particles] = lane[i];
    }
    rest_pack.store(rest);
    for (int i = 0; i < n; ++i) {  // lists are written behind where they are read
      const unsigned place = from.place[first + i], block = from.block[first + i];
      if (rest[i] > T(0)) {
        const int k = cut_.count++;
        cut_.place[k] = place, cut_.rest[k] = rest[i], cut_.block[k] = block;
      } else if (place / tile_particles + 1 < end_) {
        const int k = fresh_.count++;
        fresh_.place[k] = place + tile_particles, fresh_.block[k] = 0;
      }
    }
  }
};

ESCAPADE_END
