// Particles advanced by the scheme `exact` where a step is sampled by rejection (schemes/exact.hpp), with its formulas.
//
// Acceptance falls like exp(-rate h), so a step is cut into equal parts of at most `most_points` expected Poisson points
// each; then more than half of the proposals are accepted. The points of the Poisson process come one by one, in the order
// of time, from exponential gaps: there is no bound on their number.
//
// All particles of a tile stand in one list, each at a row, part and point of its own. A pass over the list takes every one
// of them a move further: a proposal and its first point, or one more point. Who has made its last row leaves, and the list
// stays dense. What a particle does depends on nothing but itself: its moves of a step use up blocks of the stream
// `substeps` one after the other, keyed by particle, step and block. A step of `most_parts` parts takes half of the
// blocks that there are, give or take a hundredth; longer ones are not made, and leave nan.
#pragma once

#include "../core/stable.hpp"
#include "../schemes/exact.hpp"
#include "packs.hpp"

ESCAPADE_BEGIN

template <class View, class S> constexpr bool by_rejection = is_exact<S> && !has_exact_step<View> && has_survival<View>;

constexpr double most_points = 0.5;
constexpr unsigned most_parts = 1 << 13;

// What a move takes: two normals, a uniform and an exponential number, from one block of 32-bit words or two of 64-bit
// words.
template <class Z, int lanes> struct MoveDraws {
  static constexpr int blocks = int(sizeof(Z)) / 4;
  alignas(64) Z normal[2][lanes], uniform[lanes], exponential[lanes];

  void fill(const PhiloxKeys& keys, const uint64_t* id, const uint64_t* block) {
    constexpr int width = Native<Z>::lanes;
    using V = Pack<Z, width>;
    using U = typename Format<Z>::Uint;
    for (int p = 0; p < lanes; p += width) {
      U64 w[4];
      if constexpr (sizeof(Z) == 4) {
        PhiloxState s[2] = {counters(id + p, block + p, 2, Stream::substeps),
                            counters(id + p + 1, block + p + 1, 2, Stream::substeps)};
        run_rounds(s, keys, 0);
        last_round(s[0], s[1], keys, w);
      } else {
        uint64_t second[width];
        for (int i = 0; i < width; ++i) second[i] = block[p + i] + 1;
        PhiloxState s[2] = {counters(id + p, block + p, 1, Stream::substeps), counters(id + p, second, 1, Stream::substeps)};
        run_rounds(s, keys, 0);
        U64 low[2], high[2];
        last_round(s[0], keys, low), last_round(s[1], keys, high);
        w[0] = low[0], w[1] = low[1], w[2] = high[0], w[3] = high[1];
      }
      V z0, z1;
      box_muller(word_pack<U>(w[0]), word_pack<U>(w[1]), z0, z1);
      z0.store(normal[0] + p), z1.store(normal[1] + p);
      uniform_of<V>(word_pack<U>(w[2])).store(uniform + p);
      exponential_of<V>(word_pack<U>(w[3])).store(exponential + p);
    }
  }
};

template <class View, class T, class Z> class RejectionTile {
  static constexpr int lanes = pack_lanes<T, Z>, most = tile_particles + lanes;
  using V = Pack<T, lanes>;

  const View view_;
  Tile& tile_;
  T* const x_;
  const PhiloxKeys keys_;
  const unsigned parts_;
  const T h_, root_h_, mean_gap_;  // of a part; the gap in units of a part
  // place = row * tile_particles + particle; part of the step; next block; state at the start of the part, proposed end, and
  // the bridge's last point with its time in (0, 1); time = 0: to be proposed
  int count_ = 0;
  alignas(64) unsigned place_[most], part_[most], block_[most];
  alignas(64) T start_[most], end_[most], point_[most], time_[most];

  static unsigned parts_of(double points) {
    return points > most_points ? unsigned(__builtin_ceil(points / most_points)) : 1;
  }

 public:
  RejectionTile(const View& view, Tile& tile)
      : view_(view),
        tile_(tile),
        x_(static_cast<T*>(tile.x)),
        keys_(tile.seed),
        parts_(parts_of(min(view.killing_rate * tile.dt, 1e9))),
        h_(T(tile.dt / parts_)),
        root_h_(T(sqrt(tile.dt / parts_))),
        mean_gap_(T(parts_ / (view.killing_rate * tile.dt))) {}

  void advance() {
    if (parts_ > most_parts) {
      for (int p = 0; p < tile_.counted; ++p) x_[p] = nan<T>();
      return;
    }
    for (int p = 0; p < tile_.counted; ++p) place_[p] = unsigned(p), begin_part(p, x_[p], 0, 0);
    count_ = tile_.counted;
    while (count_ > 0) pass();
  }

 private:
  void begin_part(int k, T state, unsigned part, unsigned block) {
    start_[k] = end_[k] = point_[k] = state, time_[k] = T(0), part_[k] = part, block_[k] = block;
  }

  void pass() {
    const int count = count_;
    count_ = 0;
    uint64_t rejected = 0;
    for (int first = 0; first < count; first += lanes) {
      const int n = min(lanes, count - first);
      for (int i = first + n; i < first + lanes; ++i) {  // the last pack is filled up with copies
        place_[i] = place_[first], block_[i] = block_[first];
        start_[i] = start_[first], end_[i] = end_[first], point_[i] = point_[first], time_[i] = time_[first];
      }
      uint64_t id[lanes], block[lanes];
      for (int i = 0; i < lanes; ++i) {
        id[i] = tile_.ids[place_[first + i] % tile_particles];
        block[i] = (tile_.first_step + place_[first + i] / tile_particles) * substep_blocks + block_[first + i];
      }
      MoveDraws<Z, lanes> draws;
      draws.fill(keys_, id, block);
      const uint32_t all = ~uint32_t(0) >> (32 - n), failed = move(first, draws);
      rejected += unsigned(__builtin_popcount(failed & all));
      for (int i = 0; i < n; ++i) keep(first + i, failed >> i & 1);
    }
    tile_.substeps += rejected;
  }

  // A move of a pack; returns whose proposal failed.
  uint32_t move(int first, const MoveDraws<Z, lanes>& draws) {
    const V y = V::load(start_ + first), from = V::load(point_ + first), time = V::load(time_ + first);
    const V z0 = load_normals<V>(draws.normal[0]), z1 = load_normals<V>(draws.normal[1]);
    const auto fresh = time == T(0);
    const V f = view_.drift(y);
    const V end = select(fresh, fma(root_h_, z0, fma(f, V(h_), y)), V::load(end_ + first));
    // the next point of the Poisson process, and the bridge there
    const V gap = mean_gap_ * load_normals<V>(draws.exponential), next = time + gap, left = T(1) - time;
    const auto hit = next < T(1);
    const V spread = sqrt(max(gap * (T(1) - next) / left, V(T(0))));
    const V bridge = fma(root_h_ * spread, select(fresh, z1, z0), fma(gap / left, end - from, from));
    const V climb = view_.potential(end) - view_.potential(y) + f * (end - y);
    V chance = select(fresh, exp(-max(climb, V(T(0)))), V(T(1)));
    chance = select(hit, chance * view_.survival(bridge), chance);
    const auto accepted = load_normals<V>(draws.uniform) <= chance;
    // who has arrived is marked by a time of 1
    select(accepted, select(hit, next, V(T(1))), V(T(0))).store(time_ + first);
    end.store(end_ + first);
    select(accepted & hit, bridge, y).store(point_ + first);
    return ~lane_bits(accepted);
  }

  // Puts a particle back into the list, at what comes next, unless its last step is made.
  void keep(int k, bool failed) {
    const unsigned place = place_[k], particle = place % tile_particles;
    const unsigned block = block_[k] + unsigned(MoveDraws<Z, lanes>::blocks);
    const bool lost = !(end_[k] - end_[k] == T(0)) || block + MoveDraws<Z, lanes>::blocks > substep_blocks;
    if (lost) {
      x_[particle] = nan<T>();
      return;
    }
    const int to = count_;
    if (failed || time_[k] < T(1)) {
      const unsigned part = part_[k];
      place_[to] = place;
      if (failed) {
        begin_part(to, start_[k], part, block);
      } else {
        start_[to] = start_[k], end_[to] = end_[k], point_[to] = point_[k], time_[to] = time_[k];
        part_[to] = part, block_[to] = block;
      }
    } else if (part_[k] + 1 < parts_) {
      place_[to] = place;
      begin_part(to, end_[k], part_[k] + 1, block);
    } else {
      x_[particle] = end_[k];
      if (place / tile_particles + 1 == unsigned(tile_.steps)) return;
      place_[to] = place + tile_particles;
      begin_part(to, end_[k], 0, 0);
    }
    ++count_;
  }
};

ESCAPADE_END
