// What models of SGD share: the settings of the optimiser, how many draws a minibatch takes, samples from a finite set.
#pragma once

#include "../model.hpp"

ESCAPADE_BEGIN

// Where a step's gradient comes from: all data at once (gradient descent), normals, signs and normals, a finite data set.
enum class Law : int { full, gaussian, binary, samples };

// The settings, as the last named parameters of a model. Sizes depend on all but eta: they are the same all over a sweep.
constexpr int settings = 6;
constexpr Parameter eta_parameter = positive("eta", 0.1, "time", "learning rate");
constexpr Parameter batch_parameter = {
    "batch", 1, 1, 65536, false, false, true, "1", "S: samples in a minibatch, drawn with replacement"};
constexpr Parameter momentum_parameter = {
    "momentum", 0, 0, 1, false, true, false, "1", "share of the last update that is kept"};
constexpr Parameter noise_parameter =
    nonnegative("noise", 0.0, "theta/sqrt(time)", "isotropic noise on top of full gradients (law 0)");
constexpr Parameter law_parameter = choice("law", 0, 3, "0: full gradients; 1: gaussian; 2: binary; 3: samples");
constexpr Parameter samples_parameter = {
    "samples", 0, 0, 2147483647, false, false, true, "1", "size of the data set (law 3)"};

// Reads the settings at n.
inline Law law_of(const double* n) { return Law(int(n[4])); }
inline size_t samples_of(const double* n) { return law_of(n) == Law::samples ? size_t(n[5]) : 0; }

constexpr double most_draws = 1 << 18;  // of one step: a tile's noise stays below some hundred MiB

// Numbers and draws of a particle of dim parameters whose samples take `normals` normals each.
inline Shape minibatch_shape(int dim, const double* n, int normals) {
  const int planes = n[2] > 0 ? 2 * dim : dim;
  switch (law_of(n)) {
    case Law::full:
      return {dim, planes, n[3] > 0 ? dim : 0, Draw::data};
    case Law::samples:
      return {dim, planes, int(n[1]), Draw::words};
    default:
      return {dim, planes, int(n[1]) * normals, Draw::data};
  }
}

inline const char* check_minibatch(double dim, const double* n, double normals) {
  if (const char* reason = check_size(dim)) return reason;
  if (law_of(n) != Law::full && n[3] > 0) return "noise must be 0 where gradients are of minibatches";
  if (law_of(n) == Law::samples && n[5] < 1) return "samples must be >= 1";
  if (n[3] > 0 && dim > most_draws) return "noise must be 0 for more than 262144 parameters";
  if (n[1] * (law_of(n) == Law::samples ? 1 : normals) > most_draws) return "batch must leave at most 262144 draws per step";
  return nullptr;
}

// Plain: neither momentum nor isotropic noise, known at compile time.
template <class R, bool Plain> struct Optimiser {
  static constexpr bool vector = true, plain = Plain;
  R eta, momentum, kick, share;  // kick: what isotropic noise adds per normal; share: 1/S
  int batch;
  Law law;
  explicit Optimiser(const double* n)
      : eta(R(n[0])), momentum(R(n[2])), kick(R(sqrt(n[0]) * n[3])), share(R(1 / n[1])), batch(int(n[1])), law(law_of(n)) {}
  template <bool Other>
  explicit Optimiser(const Optimiser<R, Other>& o)
      : eta(o.eta), momentum(o.momentum), kick(o.kick), share(o.share), batch(o.batch), law(o.law) {}
  bool is_plain() const { return !(momentum > 0) && !(kick > 0); }
};

// One sample of a finite data set for each lane. The index is (word * count) >> 32: no sample is more likely than another
// by more than count / 2^32 of its probability.
template <class V> struct Chosen {
  uint32_t index[V::lanes];
  ESCAPADE_HD Chosen(Pack<uint32_t, V::lanes> word, uint32_t count) {
    alignas(64) uint32_t w[V::lanes];
    word.store(w);
    for (int i = 0; i < V::lanes; ++i) index[i] = uint32_t((uint64_t(w[i]) * count) >> 32);
  }
  // Column `column` of a table with rows of `width` numbers.
  ESCAPADE_HD V operator()(const double* table, int width, int column) const {
    alignas(64) Lane<V> lane[V::lanes];
    for (int i = 0; i < V::lanes; ++i) lane[i] = Lane<V>(table[size_t(index[i]) * size_t(width) + size_t(column)]);
    return V::load(lane);
  }
};

ESCAPADE_END
