// Stochastic gradient descent on minibatches: the process in discrete time itself, not its diffusion limit. With momentum
// as in torch.optim.SGD: m' = momentum m + g, x' = x - eta m'. One step takes the time eta.
//
// A view offers eta, momentum, kick, plain, dim and `gradient(x, draws, g, temporary)`, the gradient of the loss on one
// minibatch with weight decay; draws(j) are normals, draws.word(j) 32-bit words. `plain` says at compile time that momentum
// and kick are 0. See models/common/minibatch.hpp. Velocities are planes dim .. 2 dim - 1.
#pragma once

#include "scheme.hpp"

ESCAPADE_BEGIN

struct Sgd {
  static constexpr const char* name = "sgd";
  static constexpr const char* summary = "x - eta (gradient on a minibatch), with momentum if there is some";
  static constexpr Coordinate coordinate = Coordinate::minibatch;
  static constexpr Calculus calculus = Calculus::discrete;
  // nothing is approximated, so there is no order; draws per step are the model's affair
  static constexpr double strong_order = 0, strong_order_additive = 0;
  static constexpr double weak_order = 0, weak_order_additive = 0;
  static constexpr int normals = 1;
  static constexpr bool adaptive = false, vector_only = true, raw_draws = true;

  static constexpr int work = 1;
  template <class View> static constexpr bool takes = requires(View v) { v.kick; };
  template <class View, class V, class W, class H>
  static ESCAPADE_HD void step(const View& m, V* x, const W& draws, H, V* work) {
    const int n = m.dim();
    V *g = work, *temporary = work + planes_of(m);
    m.gradient(x, draws, g, temporary);
    if constexpr (!View::plain) {
      if (m.momentum > 0)
        for (int k = 0; k < n; ++k) g[k] = x[n + k] = fma(m.momentum, x[n + k], g[k]);
    }
    for (int k = 0; k < n; ++k) x[k] = fma(-m.eta, g[k], x[k]);
    if constexpr (!View::plain) {
      if (m.kick > 0)
        for (int k = 0; k < n; ++k) x[k] = fma(m.kick, draws(k), x[k]);
    }
  }
};

ESCAPADE_END
