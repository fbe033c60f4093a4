"""Prints the polynomial coefficients of math.hpp and normal.hpp: relative minimax fits by Remez exchange.

Run ``python cpp/core/coefficients.py`` (needs mpmath); the output is pasted into ``coefficients.hpp``.
Each line states the largest relative error of the exact polynomial, before rounding in evaluation.
"""

from __future__ import annotations

from collections.abc import Callable

import mpmath as mp

mp.mp.dps = 60
Function = Callable[[mp.mpf], mp.mpf]


def remez(f: Function, weight: Function, lo: mp.mpf, hi: mp.mpf, terms: int) -> tuple[list, mp.mpf]:
    """Polynomial p with `terms` coefficients that minimises max |weight (p - f)| on [lo, hi]."""
    mid, half = (lo + hi) / 2, (hi - lo) / 2
    x = [mid - half * mp.cos(mp.pi * k / terms) for k in range(terms + 1)]
    coef: list = []
    for _ in range(30):
        matrix = mp.matrix(terms + 1, terms + 1)
        rhs = mp.matrix(terms + 1, 1)
        for i, xi in enumerate(x):
            for j in range(terms):
                matrix[i, j] = xi**j
            matrix[i, terms] = (-1) ** i / weight(xi)
            rhs[i] = f(xi)
        solution = mp.lu_solve(matrix, rhs)
        coef, level = [solution[j] for j in range(terms)], abs(solution[terms])

        def error(t: mp.mpf, coef: list = coef) -> mp.mpf:
            return weight(t) * (mp.polyval(coef[::-1], t) - f(t))

        grid = [mid - half * mp.cos(mp.pi * k / (60 * terms)) for k in range(60 * terms + 1)]
        values = [error(t) for t in grid]
        extrema: list = []
        for k, v in enumerate(values):
            if extrema and (v > 0) == (values[extrema[-1]] > 0):
                if abs(v) > abs(values[extrema[-1]]):
                    extrema[-1] = k
            else:
                extrema.append(k)
        while len(extrema) > terms + 1:
            ends = abs(values[extrema[0]]) < abs(values[extrema[-1]])
            extrema.pop(0 if ends else -1)
        if len(extrema) < terms + 1:
            break
        x = [grid[k] for k in extrema]
        worst = max(abs(v) for v in values)
        if worst / level < 1 + mp.mpf("1e-3"):
            break
    return coef, worst


def series(f: Function, at: mp.mpf, near: Function) -> Function:
    """f, replaced by its limit where rounding of the defining formula would show."""
    return lambda t: near(t) if abs(t) < at else f(t)


def report(name: str, kind: str, f: Function, weight: Function, lo: mp.mpf, hi: mp.mpf, n: int) -> None:
    coef, worst = remez(f, weight, lo, hi, n)
    digits = 10 if kind == "float" else 20
    suffix = "f" if kind == "float" else ""
    body = ", ".join(mp.nstr(c, digits, min_fixed=0, max_fixed=0) + suffix for c in coef)
    print(f"// relative error {mp.nstr(worst, 2)}\nstatic constexpr {kind} {name}[] = {{{body}}};")


def main() -> None:
    tiny = mp.mpf("1e-12")
    q2 = mp.sqrt(2) - 1
    lo_r = mp.sqrt(mp.mpf(1) / 2) - 1
    quarter = mp.pi / 4
    s_max = (q2 / (2 + q2)) ** 2
    half_ln2 = mp.log(2) / 2 * mp.mpf("1.001")

    def log_f(r: mp.mpf) -> mp.mpf:  # (log(1+r) - r)/r^2
        return -mp.mpf(1) / 2 + r / 3 if abs(r) < tiny else (mp.log1p(r) - r) / r**2

    def log_d(z: mp.mpf) -> mp.mpf:  # log(1+r) = 2s + s^3 P(s^2), s = r/(2+r)
        s = mp.sqrt(z)
        return mp.mpf(2) / 3 + mp.mpf(2) / 5 * z if s < tiny else (2 * mp.atanh(s) - 2 * s) / s**3

    def sin_z(z: mp.mpf) -> mp.mpf:
        a = mp.sqrt(z)
        return -mp.mpf(1) / 6 + z / 120 if a < tiny else (mp.sin(a) - a) / a**3

    def cos_z(z: mp.mpf) -> mp.mpf:
        a = mp.sqrt(z)
        return -mp.mpf(1) / 2 + z / 24 if a < tiny else (mp.cos(a) - 1) / z

    def exp_r(r: mp.mpf) -> mp.mpf:  # (e^r - 1 - r)/r^2
        return mp.mpf(1) / 2 + r / 6 if abs(r) < tiny else (mp.expm1(r) - r) / r**2

    def w_log(r: mp.mpf) -> mp.mpf:
        return r**2 / mp.log1p(r) if abs(r) > tiny else abs(r) + tiny

    def w_log_d(z: mp.mpf) -> mp.mpf:
        s = mp.sqrt(z) + tiny
        return s**3 / (2 * mp.atanh(s))

    def w_sin(z: mp.mpf) -> mp.mpf:
        a = mp.sqrt(z) + tiny
        return a**3 / mp.sin(a)

    def w_cos(z: mp.mpf) -> mp.mpf:
        return (z + tiny) / mp.cos(mp.sqrt(z))

    def neg_log(r: mp.mpf) -> mp.mpf:  # -log(1+r)/r
        return -1 + r / 2 if abs(r) < tiny else -mp.log1p(r) / r

    def neg_log_d(z: mp.mpf) -> mp.mpf:  # -log(1+r) = s P(s^2), s = r/(2+r)
        s = mp.sqrt(z)
        return -2 - z * 2 / 3 if s < tiny else -2 * mp.atanh(s) / s

    def sin_turn(z: mp.mpf) -> mp.mpf:  # sin(pi t/2)/t, z = t^2
        t = mp.sqrt(z)
        return mp.pi / 2 - (mp.pi / 2) ** 3 * z / 6 if t < tiny else mp.sin(mp.pi * t / 2) / t

    def cos_turn(z: mp.mpf) -> mp.mpf:
        return mp.cos(mp.pi * mp.sqrt(z) / 2)

    def w_exp(r: mp.mpf) -> mp.mpf:  # relative error of expm1
        return abs(r**2 / mp.expm1(r)) if abs(r) > tiny else abs(r) + tiny

    zero = mp.mpf(0)
    for kind, log_terms, trig, turn, exp_terms in (("float", 8, 3, 4, 5), ("double", 7, 6, 7, 11)):
        if kind == "float":
            report("log_poly", kind, log_f, lambda r: abs(w_log(r)), lo_r, q2, log_terms)
        else:
            report("log_poly", kind, log_d, w_log_d, zero, s_max, log_terms)
        report("sin_poly", kind, sin_z, w_sin, zero, quarter**2, trig)
        report("cos_poly", kind, cos_z, w_cos, zero, quarter**2, trig)
        report("exp_poly", kind, exp_r, w_exp, -half_ln2, half_ln2, exp_terms)
        # of the normals; sine and cosine are added up, so absolute errors count
        if kind == "float":
            report("radius_poly", kind, neg_log, lambda r: 1 / neg_log(r), lo_r, q2, 8)
        else:
            report("radius_poly", kind, neg_log_d, lambda z: 1 / neg_log_d(z), zero, s_max, 7)
        report("sin_turn_poly", kind, sin_turn, lambda z: mp.sqrt(z + tiny), zero, mp.mpf(1) / 4, turn)
        report("cos_turn_poly", kind, cos_turn, lambda z: mp.mpf(1), zero, mp.mpf(1) / 4, turn)


if __name__ == "__main__":
    main()
