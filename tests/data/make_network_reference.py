"""Write diagonal_network_laws_mpmath.csv: the rows of diagonal_network_laws.csv, to 18 digits.

Independent of the package: 40-digit arithmetic, uniform cells in ln v of width 1/8 with 24 Gauss
points, ln p from the integral of eq. A.14 (arXiv:2308.06671) itself, power tails in closed form.
Takes a few minutes; run only to check or extend the file. Needs mpmath.
"""

from __future__ import annotations

import csv
from pathlib import Path

from mpmath import exp, legendre, log, mp, mpf, polyroots, taylor

mp.dps = 40
HERE = Path(__file__).parent
N = 24
QUANTILES = ("q05", "q25", "q50", "q75", "q95", "q99")


def gauss_nodes():
    coefficients = taylor(lambda x: legendre(N, x), 0, N)[::-1]
    nodes = sorted(polyroots(coefficients, maxsteps=500, extraprec=400))
    weights = []
    for x in nodes:
        slope = N * (x * legendre(N, x) - legendre(N - 1, x)) / (x * x - 1)
        weights.append(2 / ((1 - x * x) * slope**2))
    return nodes, weights


NODES, WEIGHTS = gauss_nodes()


def partial(t):
    """Weights of the integral from -1 to t of the polynomial through the Gauss points."""
    ints = [(t + 1)] + [
        (legendre(k + 1, t) - legendre(k - 1, t)) / (2 * k + 1) for k in range(1, N)
    ]
    return [
        w * sum((2 * k + 1) * legendre(k, x) / 2 * ints[k] for k in range(N))
        for x, w in zip(NODES, WEIGHTS, strict=True)
    ]


PARTIAL = [partial(t) for t in NODES]


def law(depth, width, T, k, s):
    a1, a2, a3 = mpf(2), 2 * k, 2 * k * k + s * s
    m, e = mpf(2 * depth) / (depth + 1), mpf(3 * depth) / (depth + 1)
    factor = mpf(width) ** (1 - mpf(2) / (depth + 1)) / ((depth + 1) * T)
    low = (k / a3 / T - 1) / 2 if depth == 1 else None  # p(v) v ~ v^low
    high = 4 - mpf(3) / (depth + 1)
    half = mpf(1) / 16

    def q(v):
        return a1 * v * v - 2 * a2 * v + a3

    def integrand(y):  # dI/dy, I = integral of (v - k) v^-m / q dv
        v = exp(y)
        return (v - k) * v ** (1 - m) / q(v)

    def walk(sign):
        """Cells outwards from ln k: (left edge, masses at the Gauss points, ln p v there)."""
        cells, integral, centre, y = [], mpf(0), log(k), log(k)
        while True:
            left = y if sign > 0 else y - 2 * half
            ys = [left + half * (1 + t) for t in NODES]
            f = [integrand(v) for v in ys]
            total = half * sum(w * v for w, v in zip(WEIGHTS, f, strict=True))
            start = integral if sign > 0 else integral - total
            inner = [
                start + half * sum(b * v for b, v in zip(row, f, strict=True)) for row in PARTIAL
            ]
            g = [(1 - e) * v - log(q(exp(v))) - factor * i for v, i in zip(ys, inner, strict=True)]
            cells.append((left, [exp(v) for v in g], ys))
            integral += sign * total
            y += sign * 2 * half
            far = abs(y - centre)
            if (sign > 0 and far > 90) or (sign < 0 and far > 90):
                break
            if sign < 0 and depth > 1 and g[0] < -250:
                break
        edge_value = (1 - e) * y - log(q(exp(y))) - factor * integral
        return cells, y, exp(edge_value)

    lefts, y_low, p_low = walk(-1)
    rights, y_high, p_high = walk(1)
    cells = lefts[::-1] + rights
    masses = [half * sum(w * p for w, p in zip(WEIGHTS, c[1], strict=True)) for c in cells]
    tail_low = p_low / low if depth == 1 else mpf(0)
    tail_high = p_high / high
    z = tail_low + sum(masses) + tail_high

    def moment(n):
        bulk = half * sum(
            sum(w * p * exp(n * y) for w, p, y in zip(WEIGHTS, c[1], c[2], strict=True))
            for c in cells
        )
        left = p_low * exp(n * y_low) / (low + n) if depth == 1 else 0
        return (left + bulk + p_high * exp(n * y_high) / (high - n)) / z

    mean = moment(1)
    mean_log = half * sum(
        sum(w * p * y for w, p, y in zip(WEIGHTS, c[1], c[2], strict=True)) for c in cells
    )
    if depth == 1:
        mean_log += tail_low * (y_low - 1 / low)
    mean_log = (mean_log + tail_high * (y_high + 1 / high)) / z

    def quantile(level):
        goal = level * z - tail_low
        if goal < 0:
            return exp(y_low + log(level * z / tail_low) / low)
        index = 0
        while goal > masses[index]:
            goal -= masses[index]
            index += 1
        left, p, _ = cells[index]
        a, b = mpf(-1), mpf(1)
        for _ in range(90):
            t = (a + b) / 2
            value = half * sum(w * v for w, v in zip(partial(t), p, strict=True))
            a, b = (t, b) if value < goal else (a, t)
        return exp(left + half * (1 + a))

    levels = [mpf(name[1:]) / 100 for name in QUANTILES]
    return [mean, moment(2) - mean**2, mean_log] + [quantile(level) for level in levels]


def main():
    rows = list(csv.DictReader((HERE / "diagonal_network_laws.csv").open()))
    with (HERE / "diagonal_network_laws_mpmath.csv").open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(rows[0].keys())
        for row in rows:
            k, s = (mpf(part[1:]) for part in row["data"].split("_")[1:])
            values = law(int(row["D"]), int(row["d"]), mpf(row["T"]), k, s)
            head = [row[key] for key in ("data", "D", "d", "T")]
            writer.writerow(head + [mp.nstr(value, 18) for value in values])
            out.flush()


if __name__ == "__main__":
    main()
