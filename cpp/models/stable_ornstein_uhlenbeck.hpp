// Ornstein-Uhlenbeck process driven by a symmetric alpha-stable process, dx = -theta x dt + eps dL.
#pragma once

#include "common/stable_noise.hpp"

ESCAPADE_BEGIN

struct StableOrnsteinUhlenbeck {
  static constexpr const char* name = "StableOrnsteinUhlenbeck";
  static constexpr const char* equation = "dx = -theta x dt + eps dL^alpha";
  static constexpr const char* source = "Imkeller and Pavlyukevich 2006; Samorodnitsky and Taqqu 1994, section 3.6";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr Parameter parameters[] = {
      nonnegative("theta", 1.0, "1/time", "rate of return to 0; 0 gives the stable process itself"),
      nonnegative("eps", 1.0, "x/time^(1/alpha)", "noise strength"),
      stability_index("alpha", 1.5),
  };
  static Shape shape(const double* p) { return stable_shape(p[2]); }

  template <class R> struct Physical {
    double stability;
    R theta, eps;
    explicit Physical(const double* p) : stability(p[2]), theta(R(p[0])), eps(R(p[1])) {}
    template <class V> ESCAPADE_HD V drift(V x) const { return -theta * x; }
    template <class V> ESCAPADE_HD V diffusion(V) const { return V(eps); }
    template <class V> ESCAPADE_HD V flow_drift(V x, V t) const { return x * exp(-theta * t); }
    template <class V> ESCAPADE_HD V flow_noise(V x, V dl, V) const { return fma(eps, dl, x); }
  };

  // y = x / eps
  template <class R> struct Lamperti {
    double stability;
    R theta, eps, alpha;
    explicit Lamperti(const double* p) : stability(p[2]), theta(R(p[0])), eps(R(p[1])), alpha(R(p[2])) {}
    static const char* check(const double* p) { return p[1] > 0 ? nullptr : "eps must be > 0"; }
    template <class V> ESCAPADE_HD V drift(V y) const { return -theta * y; }
    // the integral of e^(-theta (h - t)) dL_t over a step is stable with a scale to the alpha of
    // (1 - e^(-alpha theta h)) / (alpha theta)
    template <class V, class H> ESCAPADE_HD V exact_step(V y, V dl, H h) const {
      const R decay = exp(-theta * h), spread = exp(log(mean_decay(alpha * theta * h)) / alpha);
      return fma(spread, dl, decay * y);
    }
    template <class V> ESCAPADE_HD V to_physical(V y) const { return eps * y; }
    template <class V> ESCAPADE_HD V from_physical(V x) const { return x / eps; }
  };
};

ESCAPADE_END
