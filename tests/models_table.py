"""Every model with parameters, start points and equations written anew, and every scheme in numpy.

The equations come from the papers, not from the compiled code: tests compare the two. Schemes are
written for any drift ``a``, noise ``b`` and ``b b'``; the coordinate of the scheme is reached with
Ito's formula from the physical equation, where the compiled models carry a formula of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import escapade as ea

Array = Any
#: Models of one number with an equation of their own, and the schemes that step them;
#: test_vector_models.py has those of several numbers.
SCALAR_MODELS = tuple(
    name
    for name in ea.models.list()
    if not (ea.models.get(name).vector or ea.models.get(name).kernel or name.startswith("Stable"))
)
#: Models driven by alpha-stable noise, whose steps have no moments: test_stable.py.
JUMP_MODELS = ("StableDoubleWell", "StableOrnsteinUhlenbeck")
#: Steps by rejection take draws of their own, as many as they need: test_exact_scheme.py.
BY_REJECTION = ("PowerLaw", "exact")
SCALAR_SCHEMES = tuple(
    name
    for name in ea.schemes.list()
    if any(name in ea.models.get(model)().schemes for model in SCALAR_MODELS)
)
Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Case:
    """A model with parameters: Ito drift ``a``, noise ``b`` and ``bb`` = b b' of its equation."""

    label: str
    model: Any
    a: Function
    b: Function
    bb: Function
    starts: tuple[float, ...]  # an adaptive scheme cuts no step of length dt from there
    dt: float = 1 / 256
    #: y(x), x(y) and the sign of dy/dx for unit noise
    lamperti: tuple[Function, Function, float] | None = None
    wall: float | None = None
    rate_scale: float = math.nan
    #: exact solutions of two parts of the equation: of the drift (x, t) and of the noise (x, dw, h)
    flows: tuple[Callable[..., Array], Callable[..., Array]] | None = None
    #: x after a step of length h, with its normal z, where a formula is known
    exact: Callable[[Array, Array, Any], Array] | None = None
    positive: bool = False

    @property
    def schemes(self) -> tuple[str, ...]:
        below = min(self.starts) <= 0  # has no logarithm
        names: tuple[str, ...] = self.model.schemes
        names = tuple(s for s in names if (self.model.name, s) != BY_REJECTION)
        return tuple(s for s in names if not (below and ea.schemes.get(s).coordinate == "log"))


def ornstein_uhlenbeck(label: str, theta: float, mu: float, sigma: float) -> Case:
    return Case(
        label,
        ea.models.OrnsteinUhlenbeck(theta, mu, sigma),
        lambda x: -theta * (x - mu),
        lambda x: sigma + 0 * x,
        lambda x: 0 * x,
        (-1.0, 0.4, 2.0),
        lamperti=(lambda x: x / sigma, lambda y: sigma * y, 1.0),
        exact=lambda x, z, h: (
            mu
            + (x - mu) * np.exp(-theta * h)
            + sigma * np.sqrt(-np.expm1(-2 * theta * h) / (2 * theta)) * z
        ),
    )


def geometric_brownian_motion(label: str, mu: float, sigma: float) -> Case:
    return Case(
        label,
        ea.models.GeometricBrownianMotion(mu, sigma),
        lambda x: mu * x,
        lambda x: sigma * x,
        lambda x: sigma**2 * x,
        (0.5, 1.0, 3.0),
        lamperti=(lambda x: np.log(x) / sigma, lambda y: np.exp(sigma * y), 1.0),
        exact=lambda x, z, h: x * np.exp((mu - sigma**2 / 2) * h + sigma * np.sqrt(h) * z),
    )


def power_law(label: str, H: float, sg: float, sH: float, eta: float, rho: float = 0.0) -> Case:
    """arXiv:2006.13719, with Cov(gradient) = sigma_g + 2 rho u + sigma_H u^2."""
    k, width = math.sqrt(eta * sH), math.sqrt(sg * sH - rho**2) / sH
    return Case(
        label,
        ea.models.PowerLaw(H, sg, sH, eta, rho),
        lambda u: -H * u,
        lambda u: np.sqrt(eta * (sg + 2 * rho * u + sH * u**2)),
        lambda u: eta * (rho + sH * u),
        (-1.5, 0.0, 0.6),
        lamperti=(
            lambda u: np.arcsinh((u + rho / sH) / width) / k,
            lambda y: width * np.sinh(k * y) - rho / sH,
            1.0,
        ),
    )


def double_well(label: str, h: float, T: float) -> Case:
    root = math.sqrt(2 * T)
    return Case(
        label,
        ea.models.DoubleWell(h, T),
        lambda x: 4 * h * (x - x**3),
        lambda x: root + 0 * x,
        lambda x: 0 * x,
        (-1.3, 0.2, 0.9),
        dt=1 / 512,
        lamperti=(lambda x: x / root, lambda y: root * y, 1.0),
        flows=(
            lambda x, t: x * np.exp(4 * h * t) / np.sqrt(1 + x**2 * np.expm1(8 * h * t)),
            lambda x, dw, _: x + root * dw,
        ),
    )


def multiplicative_well(
    label: str, h: float, sg: float, m: float, wave: float, eta: float, dt: float = 1 / 512
) -> Case:
    return Case(
        label,
        ea.models.MultiplicativeWell(h, sg, m, wave, eta),
        lambda x: -4 * h * x * (x**2 - 1),
        lambda x: np.sqrt(eta * sg * (1 + m * np.sin(wave * x))),
        lambda x: eta * sg * m * wave * np.cos(wave * x) / 2,
        (-1.3, 0.2, 0.9),
        dt=dt,
    )


def loss_coupled_well(label: str, h: float, sg: float, sH: float, eta: float) -> Case:
    """arXiv:2105.09557, section 4: C = sg [1 + 2 sH/(H_a sg) L], H_a = 8 h."""

    def C(x: Array) -> Array:
        return sg * (1 + 2 * sH / (8 * h * sg) * h * (x**2 - 1) ** 2)

    return Case(
        label,
        ea.models.LossCoupledWell(h, sg, sH, eta),
        lambda x: -4 * h * x * (x**2 - 1),
        lambda x: np.sqrt(eta * C(x)),
        lambda x: eta * 2 * sH / (8 * h) * 4 * h * x * (x**2 - 1) / 2,
        (-1.2, 0.2, 0.9),
        dt=1 / 1024,
    )


def two_parabola_well(
    label: str,
    H: float,
    sg: float,
    sH: float,
    eta: float,
    a: float,
    rho: float = 0.0,
    noise: str = "distance",
) -> Case:
    """-L' of two glued parabolas; with rho = 0 and noise by the distance, Lamperti's map about -a."""

    def force(w: Array) -> Array:
        return np.where(w < 0, -H * (w + a), H * (w - a))

    def place(w: Array) -> Array:
        return w + a if noise == "distance" else np.where(w < 0, -w - a, w - a)

    def C(w: Array) -> Array:
        u = place(w)
        return eta * (sg + 2 * rho * u + sH * u**2)

    def gradient(w: Array) -> Array:
        sign = 1 if noise == "distance" else np.where(w < 0, -1, 1)
        return sign * eta * (rho + sH * place(w))

    lamperti = None
    if noise == "distance" and rho == 0:
        k, width = math.sqrt(eta * sH), math.sqrt(eta * sg)
        if sH > 0:
            lamperti = (
                lambda w: np.arcsinh((w + a) * k / width) / k,
                lambda y: np.sinh(k * y) * width / k - a,
                1.0,
            )
        else:
            lamperti = (lambda w: (w + a) / width, lambda y: width * y - a, 1.0)
    starts = (-1.4, -0.5, 0.8)
    return Case(
        label,
        ea.models.TwoParabolaWell(H, sg, sH, eta, a, rho, noise),
        force,
        lambda w: np.sqrt(C(w)),
        gradient,
        starts,
        lamperti=lamperti,
    )


def pitchfork(
    label: str, mu: float, b: float, sigma: float, starts: tuple[float, ...] = (-0.8, 0.3, 1.4)
) -> Case:
    return Case(
        label,
        ea.models.Pitchfork(mu, b, sigma),
        lambda z: mu * z - b * z**3,
        lambda z: sigma * z,
        lambda z: sigma**2 * z,
        starts,
        rate_scale=1 + 4 * abs(mu) + 5 * sigma**2,
        flows=(
            lambda z, t: 1 / np.sqrt(1 / z**2 + 2 * b * t) * np.sign(z),
            lambda z, dw, t: z * np.exp((mu - sigma**2 / 2) * t + sigma * dw),
        ),
    )


def network(label: str, depth: int, width: int, T: float, data: Any, gamma: float = 0.0) -> Case:
    """By Ito's formula from weights u = (v/d)^(1/(D+1)) that all move alike, arXiv:2308.06671:

    du = [-2 u^D (beta1 v - beta2) - 2 gamma u] dt + 2 u^D sqrt(T q) dW.
    """
    D, d = depth, width
    b1, b2 = data.beta1, data.beta2
    a1, a2, a3 = data.alpha1, data.alpha2, data.alpha3

    def u(v: Array) -> Array:
        return v / d if D == 0 else (v / d) ** (1 / (D + 1))

    def u2D(v: Array) -> Array:  # where depth 1 steps to v < 0 on its way, the equation still holds
        return v / d if D == 1 else u(v) ** (2 * D)

    def q(v: Array) -> Array:
        return a1 * v**2 - 2 * a2 * v + a3

    def drift(v: Array) -> Array:
        # v = d u^(D+1): first derivative times the drift of u, second times its noise squared / 2
        first = -2 * d * (D + 1) * (u2D(v) * (b1 * v - b2) + gamma * v / d)
        second = 0.0 if D == 0 else d * (D + 1) * D * 2 * T * q(v) * u2D(v) ** 2 / (v / d)
        return first + second

    def gradient(v: Array) -> Array:
        scale = 4 * d**2 * (D + 1) ** 2 * T
        slope = u2D(v) ** 2 * (2 * a1 * v - 2 * a2)
        if D > 0:
            slope = slope + 4 * D / (D + 1) * u2D(v) ** 2 / v * q(v)
        return scale * slope / 2

    lamperti, wall = None, None
    if D == 1 and a1 == 0:
        c = 4 * math.sqrt(T * a3)
        lamperti = (lambda v: np.log(v) / c, lambda y: np.exp(c * y), 1.0)
        wall = math.inf
    elif D == 1:
        c, root = 4 * math.sqrt(T * a3), math.sqrt(a1 * a3 - a2**2)
        lamperti = (
            lambda v: -np.arcsinh((a3 / v - a2) / root) / c,
            lambda y: a3 / (root * np.sinh(-c * y) + a2),
            1.0,
        )
        wall = math.asinh(a2 / root) / c
    return Case(
        label,
        ea.models.BalancedNetwork(D, d, T, data, gamma),
        drift,
        lambda v: 2 * d * (D + 1) * u2D(v) * np.sqrt(T * q(v)),
        gradient,
        (-0.5, 0.9, 1.3) if D == 0 else (0.35, 0.9, 1.3) if D < 3 else (0.2, 0.5, 0.8),
        dt=1 / 1024,
        lamperti=lamperti,
        wall=wall,
        rate_scale=1 + 4 * abs(b2) + 20 * T * a3,
        positive=D > 0,
    )


def _table() -> dict[str, Case]:
    gauss, binary = ea.data.gaussian(1.0, 1.0), ea.data.binary(1.0, 0.8)
    cases = [
        ornstein_uhlenbeck("OrnsteinUhlenbeck", 1.3, 0.4, 0.7),
        geometric_brownian_motion("GeometricBrownianMotion", 0.3, 0.6),
        power_law("PowerLaw", 1.0, 0.1, 0.2, 1.0),
        power_law("PowerLaw rho", 0.8, 0.15, 0.3, 0.7, 0.1),
        double_well("DoubleWell", 1.5, 0.6),
        multiplicative_well("MultiplicativeWell", 1.0, 1.0, 0.5, 2.0, 0.4),
        multiplicative_well("MultiplicativeWell fine", 1.5, 0.8, -0.7, 9.0, 0.5, 1 / 4096),
        loss_coupled_well("LossCoupledWell", 1.0, 0.2, 0.8, 1.0),
        two_parabola_well("TwoParabolaWell", 2.0, 4.0, 8.0, 0.1, 0.7),
        two_parabola_well("TwoParabolaWell flat", 1.0, 2.0, 0.0, 0.2, 0.8),
        two_parabola_well("TwoParabolaWell mirror", 2.0, 4.0, 8.0, 0.1, 0.7, 1.5, "mirror"),
        pitchfork("Pitchfork", 1.0, 0.8, 0.5),
        pitchfork("Pitchfork above", 0.6, 0.7, 0.8, (0.3, 0.9, 1.4)),
        network("network 0", 0, 1, 0.1, gauss, 0.1),
        network("network 1", 1, 1, 0.1, gauss),
        network("network 1 decay", 1, 3, 0.15, ea.data.gaussian(0.7, 0.9), 0.2),
        network("network 1 binary", 1, 1, 0.2, binary, 0.1),
        network("network 2 wide", 2, 2, 0.1, gauss),
        network("network 3 binary", 3, 1, 0.1, binary),
    ]
    return {case.label: case for case in cases}


CASES = _table()
PAIRS = [(label, scheme) for label, case in CASES.items() for scheme in case.schemes]


# -- schemes in numpy ------------------------------------------------------------------------------

Step = Callable[[Array, Array, Any], Array]


def euler_maruyama(case: Case, x: Array, dw: Array, h: Any) -> Array:
    return x + case.a(x) * h + case.b(x) * dw


def milstein(case: Case, x: Array, dw: Array, h: Any) -> Array:
    return euler_maruyama(case, x, dw, h) + case.bb(x) * (dw**2 - h) / 2


def heun(case: Case, x: Array, dw: Array, h: Any) -> Array:
    def drift(at: Array) -> Array:
        return case.a(at) - case.bb(at) / 2

    guess = x + drift(x) * h + case.b(x) * dw
    return x + (drift(x) + drift(guess)) * h / 2 + (case.b(x) + case.b(guess)) * dw / 2


def tamed_euler(case: Case, x: Array, dw: Array, h: Any) -> Array:
    return x + case.a(x) * h / (1 + h * np.abs(case.a(x))) + case.b(x) * dw


def log_euler(case: Case, z: Array, dw: Array, h: Any) -> Array:
    x = np.exp(z)
    b = case.b(x) / x
    return z + (case.a(x) / x - b**2 / 2) * h + b * dw


def lamperti_heun(case: Case, y: Array, dw: Array, h: Any) -> Array:
    assert case.lamperti is not None
    _, back, sign = case.lamperti

    def drift(at: Array) -> Array:
        x = back(at if case.wall is None else np.where(at > case.wall, 2 * case.wall - at, at))
        f = sign * (case.a(x) - case.bb(x) / 2) / case.b(x)
        return f if case.wall is None else np.clip(f, -4 / np.sqrt(h), 4 / np.sqrt(h))

    guess = y + drift(y) * h + dw
    moved = y + (drift(y) + drift(guess)) * h / 2 + dw
    return moved if case.wall is None else np.where(moved > case.wall, 2 * case.wall - moved, moved)


def lamperti_implicit_euler(case: Case, y: Array, dw: Array, h: Any) -> Array:
    """Bisection, from a bracket that grows until it holds the root."""
    assert case.lamperti is not None
    _, back, sign = case.lamperti
    target, wall = y + dw, math.inf if case.wall is None else case.wall

    def below(at: Array) -> Array:
        x = back(at)
        return at - h * sign * (case.a(x) - case.bb(x) / 2) / case.b(x) < target

    low, high = np.array(target, dtype=float), np.array(target, dtype=float)
    with np.errstate(all="ignore"):
        for grow in 2.0 ** np.arange(-8, 12):
            low = np.where((low < wall) & below(low), low, np.minimum(low, wall) - grow)
            high = np.where((high >= wall) | ~below(high), high, high + grow)
        high = np.minimum(high, wall)
        for _ in range(100):
            middle = (low + high) / 2
            low, high = np.where(below(middle), middle, low), np.where(below(middle), high, middle)
    return np.where(np.isnan(y), np.nan, low)


def strang_splitting(case: Case, x: Array, dw: Array, h: Any) -> Array:
    assert case.flows is not None
    drift, noise = case.flows
    return drift(noise(drift(x, h / 2), dw, h), h / 2)


def platen_step(a: Function, b: Function, x: Array, dw: Array, h: Any) -> Array:
    """Kloeden and Platen 1992, eq. 15.1.1."""
    up, down = b(x + a(x) * h + b(x) * np.sqrt(h)), b(x + a(x) * h - b(x) * np.sqrt(h))
    drift = (a(x) + a(x + a(x) * h + b(x) * dw)) / 2
    bend = (up - down) * (dw**2 - h) / (4 * np.sqrt(h))
    return x + drift * h + (up + down + 2 * b(x)) * dw / 4 + bend


def platen(case: Case, x: Array, dw: Array, h: Any) -> Array:
    return platen_step(case.a, case.b, x, dw, h)


def log_platen(case: Case, z: Array, dw: Array, h: Any) -> Array:
    def b(at: Array) -> Array:
        return case.b(np.exp(at)) / np.exp(at)

    def a(at: Array) -> Array:
        return case.a(np.exp(at)) / np.exp(at) - b(at) ** 2 / 2

    return platen_step(a, b, z, dw, h)


def exact(case: Case, y: Array, dw: Array, h: Any) -> Array:
    assert case.lamperti is not None and case.exact is not None
    to, back, _ = case.lamperti
    return to(case.exact(back(y), dw / np.sqrt(h), h))


STEPS: dict[str, Callable[[Case, Array, Array, Any], Array]] = {
    "euler-maruyama": euler_maruyama,
    "milstein": milstein,
    "heun": heun,
    "tamed-euler": tamed_euler,
    "log-euler": log_euler,
    "log-platen": log_platen,
    "lamperti-heun": lamperti_heun,
    "lamperti-implicit-euler": lamperti_implicit_euler,
    "strang-splitting": strang_splitting,
    "adaptive-log-euler": log_euler,
    "platen": platen,
    "adaptive-log-platen": log_platen,
    "adaptive-lamperti-heun": lamperti_heun,
    "exact": exact,
}


def maps(case: Case, scheme: str) -> tuple[Function, Function]:
    """Return the maps to the coordinate of ``scheme`` and back."""
    coordinate = ea.schemes.get(scheme).coordinate
    if coordinate == "log":
        return np.log, np.exp
    if coordinate == "lamperti":
        assert case.lamperti is not None
        return case.lamperti[:2]
    return (lambda x: x), (lambda x: x)


def allowed_fraction(case: Case, x: Array) -> Array:
    """Return the share of dt that an adaptive scheme takes at ``x``: rate of the equation of ln x."""
    b2 = (case.b(x) / x) ** 2
    return np.minimum(1.0, case.rate_scale / (1 + np.abs(case.a(x) / x - b2 / 2) + b2))


def one_step(case: Case, scheme: str, x: Array, z: Array, h: float) -> Array:
    """Return ``x`` after one step with standard normals ``z``; nan where it leaves the domain.

    For an adaptive scheme this is right where a step needs no substeps.
    """
    to, back = maps(case, scheme)
    out = back(STEPS[scheme](case, to(x), math.sqrt(h) * z, h))
    return np.where(out > 0, out, np.nan) if case.positive else out
