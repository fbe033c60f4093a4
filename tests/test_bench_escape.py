"""The benchmark of record for escape rates: what it writes, and that it notices what is wrong.

Statistical parts judge rates within 4 standard errors and the bias of the time step: one of 15 000
fails by chance, and seeds are fixed. Negative controls change the exact rate, the time step or the
test of boundaries.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

import escapade as ea
from escapade.benchmarks import escape as benchmark
from escapade.benchmarks import machine
from escapade.cli import main
from escapade.passage.errors import TooFewEscapesWarning

GOLDEN = json.loads((Path(__file__).parent / "data" / "escape_times.json").read_text())
BY_NAME = {problem.name: problem for problem in benchmark.PROBLEMS}
FAST = BY_NAME["power law, kappa = 3, to 1"]
RARE = replace(BY_NAME["power law, kappa = 6, to 2"], error=0.1)


def row_of(problem, **changes):
    return next(benchmark.run([replace(problem, **changes)], seconds=20.0, seed=3))


def command(capsys, *arguments):
    code = main(["bench", "escape", *arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


@pytest.fixture
def small(monkeypatch):
    """Two problems instead of all."""
    monkeypatch.setattr(benchmark, "PROBLEMS", (replace(FAST, error=0.03), RARE))


# -- the table -------------------------------------------------------------------------------------


def golden(entry):
    """Return model, ends, mean time and rate of a golden entry."""
    if "es" in entry:
        model = ea.models.PowerLaw(entry["H"], entry["es"], entry["eh"], 1.0)
        ends = {"a": -entry["R"], "b": entry["R"]} if "R" in entry else {"b": entry["b"]}
        return model, ends, entry["mfpt"], entry["lambda1"]
    if "h" in entry:
        rates = (10 ** entry["log10_mfpt"], 10 ** entry["log10_lambda1"])
        return ea.models.DoubleWell(entry["h"], 1.0), {"b": entry["b"]}, *rates
    model = ea.models.OrnsteinUhlenbeck(1.0, 0.0, math.sqrt(2.0))
    return model, {"b": float(entry["b"])}, entry["mfpt"], entry["lambda1"]


@pytest.mark.parametrize("problem", benchmark.PROBLEMS, ids=lambda p: p.name)
def test_exact_rates_are_the_golden_ones(problem):
    found = [
        (mean, rate)
        for model, ends, mean, rate in map(golden, GOLDEN)
        if model.name == problem.model.name
        and all(model.params[k] == pytest.approx(v) for k, v in problem.model.params.items())
        and ends == problem.ends
    ]
    assert len(found) == 1
    mean, rate = found[0]
    expected = rate if problem.method == "direct" else 1.0 / mean
    assert benchmark.exact_rate(problem) == pytest.approx(expected, rel=2e-11)


def test_problems_span_the_scales():
    rates = [benchmark.exact_rate(p) for p in benchmark.PROBLEMS]
    assert max(rates) > 0.3 and min(rates) < 1e-28 and len(BY_NAME) == len(benchmark.PROBLEMS) >= 12
    assert {p.method for p in benchmark.PROBLEMS} == {"direct", "splitting"}


# -- rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", [FAST, RARE], ids=lambda p: p.name)
def test_row_is_consistent(problem):
    row = row_of(problem)
    assert row.agrees and row.reached and row.interval[0] < row.rate < row.interval[1]
    assert row.off == pytest.approx(row.rate / row.exact - 1.0)
    assert row.z == pytest.approx(row.off / row.stderr)
    assert row.stderr <= 1.1 * problem.error
    assert row.error == pytest.approx(math.hypot(row.stderr, row.time_step_bias))
    assert row.efficiency == pytest.approx(1.0 / (row.error**2 * row.seconds))
    assert row.times_faster == pytest.approx(row.plain.seconds / row.seconds)
    assert row.particle_steps > 0 and 0.0 < row.plain.dt <= problem.dt
    json.dumps(row.to_dict(), allow_nan=False)


def test_bias_of_the_plain_method_is_that_of_a_simulation():
    """What a row says of Euler-Maruyama with end-point tests, by a run of it: within 4 errors."""
    row = row_of(FAST, error=0.05)
    with pytest.warns(TooFewEscapesWarning, match="from the exact one"):
        found = ea.escape(
            FAST.model,
            0.0,
            FAST.region,
            n=40_000,
            dt=FAST.dt,
            scheme="euler-maruyama",
            test="endpoint",
            seed=4,
        )
    mean = ea.exact.mean_exit_time(FAST.model, 0.0, **FAST.ends)
    off, error = found.mean_time / mean - 1.0, found.mean_time_stderr / mean
    assert row.plain.bias_at_dt == pytest.approx(0.35875, abs=1e-4)  # theory E.1
    assert abs(off - row.plain.bias_at_dt) < 4.0 * error


def test_time_of_the_plain_method_is_the_least():
    """At half and twice its step it needs longer: written out from the definition."""
    row = row_of(FAST, error=0.05)
    mean = ea.exact.mean_exit_time(FAST.model, 0.0, **FAST.ends)
    edge = FAST.ends["b"]
    slope = ea.exact.mean_exit_time(FAST.model, edge - 1e-7, **FAST.ends) / -1e-7
    first = ea.theory.endpoint_bias(1.0, float(FAST.model.diffusion(edge)), slope, mean)
    second = abs(row.plain.bias_at_dt - first * FAST.dt**0.5) / FAST.dt

    def needed(dt):
        bias = first * dt**0.5 + second * dt
        return 1e-9 * row.plain.ns_per_step * mean / dt / (row.error**2 - bias**2)

    assert row.plain.seconds == pytest.approx(needed(row.plain.dt), rel=1e-3)
    assert needed(row.plain.dt) < needed(0.8 * row.plain.dt)
    assert needed(row.plain.dt) < needed(1.2 * row.plain.dt)


def test_rates_depend_on_the_seed_only():
    one, two, other = (
        next(benchmark.run([replace(FAST, error=0.05)], seconds=20.0, seed=s, threads=t))
        for s, t in ((3, 1), (3, 2), (4, 1))
    )
    assert one.rate == two.rate != other.rate


def test_coarse_step_is_noticed(monkeypatch):
    """Negative control: without the bridge the rate is a quarter too small."""
    right = benchmark.escape
    monkeypatch.setattr(benchmark, "escape", lambda *a, **k: right(*a, **k, test="endpoint"))
    row = row_of(FAST)
    assert not row.agrees and row.off < -0.15


# -- the command -----------------------------------------------------------------------------------


def test_command_writes_what_it_prints(small, capsys, tmp_path):
    path = tmp_path / "escape.json"
    code, out, _ = command(capsys, "--json", "--out", str(path), "--seed", "5", "--threads", "2")
    record = json.loads(out)
    assert code == 0 and record == json.loads(path.read_text())
    assert record["benchmark"] == "escape" and record["agrees"] is True
    assert record["seed"] == 5 and record["threads"] == 2 and record["version"] == ea.__version__
    keys = {"processor", "processor_id", "cores", "isas", "compiler", "commit", "load_before"}
    assert keys <= set(record["machine"])
    assert [row["name"] for row in record["rows"]] == [p.name for p in benchmark.PROBLEMS]
    for row in record["rows"]:
        assert row["agrees"] and row["interval"][0] < row["rate"] < row["interval"][1]
        assert {"off", "z", "stderr", "time_step_bias", "seconds", "particle_steps"} <= set(row)
        assert {"ns_per_step", "bias_at_dt", "dt", "seconds"} == set(row["plain"])


def test_command_prints_a_table(small, capsys):
    code, out, _ = command(capsys)
    assert code == 0 and "all rates agree" in out and "DISAGREES" not in out
    assert all(name in out for name in (FAST.name, RARE.name))


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_wrong_exact_rate_gives_exit_code_1(small, factor, capsys, monkeypatch):
    right = benchmark.exact_rate
    monkeypatch.setattr(benchmark, "PROBLEMS", benchmark.PROBLEMS[:1])
    monkeypatch.setattr(benchmark, "exact_rate", lambda problem: factor * right(problem))
    code, out, _ = command(capsys)
    assert code == 1 and f"DISAGREEMENT: {FAST.name}" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seconds", "0"], "--seconds"),
        (["--seconds", "nan"], "--seconds"),
        (["--threads", "0"], "--threads"),
        (["--seed", "-1"], "--seed"),
        (["--out", "no/such/folder/x.json"], "--out must lie in a folder that exists"),
    ],
)
def test_command_refuses(arguments, message, capsys):
    code, out, err = command(capsys, *arguments)
    assert code == 2 and message in err and not out


@pytest.mark.parametrize("problem", [FAST, RARE], ids=lambda p: p.name)
def test_too_little_time_is_said(problem, capsys, monkeypatch):
    monkeypatch.setattr(benchmark, "PROBLEMS", (problem,))
    code, out, err = command(capsys, "--seconds", "1e-4", "--json")
    assert code == 2 and not out
    assert "seconds must be larger" in err and problem.name in err


def test_commit_is_that_of_the_package():
    commit = machine.commit()
    assert commit == "unknown" or len(commit.removesuffix("+changes")) >= 7
