"""Plots: what is drawn is the data, the errors and the law; bad input is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

import escapade as ea

matplotlib = pytest.importorskip("matplotlib")
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

LAW = ea.laws.Normal(0.0, 1.0)


@pytest.fixture
def ax():
    figure = Figure()
    FigureCanvasAgg(figure)
    return figure.subplots()


@pytest.fixture(scope="module")
def hist():
    model = ea.models.OrnsteinUhlenbeck(theta=1.0, mu=0.0, sigma=np.sqrt(2.0))
    hist = ea.Histogram(-5, 5, bins=50)
    ea.Ensemble(model, n=50_000, x0="stationary", seed=1).run(t=0.1, dt=0.05, observe=hist)
    return hist


def test_density_draws_histogram_and_law(ax, hist):
    assert ea.plots.density(hist, LAW, ax) is ax
    line = ax.lines[0]
    assert_allclose(line.get_ydata(), LAW.pdf(line.get_xdata()), rtol=1e-12)
    points = ax.containers[0].lines[0]
    x, y = np.asarray(points.get_xdata()), np.asarray(points.get_ydata())
    shown = [i for i in range(50) if hist.edges[i] < x[0] < hist.edges[i + 1]]
    assert_allclose(y[0], hist.density[shown[0]])
    # each point stands where the law takes its mean over the bin: the ratio is noise around 1
    assert_allclose(np.median(y / LAW.pdf(x)), 1.0, atol=0.03)
    assert ax.get_yscale() == "log"
    ax.figure.canvas.draw()


def test_density_of_samples(ax):
    x = np.exp(LAW.rvs(2000, random_state=1))
    ea.plots.density(x, ea.laws.LogNormal(0.0, 1.0), ax, bins=30, scale="log")
    assert ax.get_xscale() == "log"
    ax.figure.canvas.draw()


def test_residuals_are_standard_normal_and_show_a_wrong_law(ax, hist):
    ea.plots.residuals(hist, LAW, ax)
    z = np.asarray(ax.lines[-1].get_ydata())
    assert z.size > 25 and abs(np.std(z) - 1.0) < 0.5
    ea.plots.residuals(hist, ea.laws.Normal(0.1, 1.0), ax)
    assert np.std(np.asarray(ax.lines[-1].get_ydata())) > 2.0


@pytest.mark.parametrize(
    "data, options",
    [
        ([1.0], {}),
        ([1.0, np.nan], {}),
        ([1.0, 1.0], {}),
        ([[1.0, 2.0]], {}),
        ("rubbish", {}),
        (None, {}),
        ([-1.0, 1.0], {"scale": "log"}),
        ([1.0, 2.0], {"scale": "polar"}),
        ([1.0, 2.0], {"bins": 0}),
        ([1.0, 2.0], {"bins": 2.5}),
        (ea.Histogram(0, 1), {}),
    ],
)
@pytest.mark.parametrize("function", ["density", "residuals"])
def test_bad_input(ax, function, data, options):
    with pytest.raises((TypeError, ValueError)):
        getattr(ea.plots, function)(data, LAW, ax=ax, **options)


def test_missing_matplotlib_is_explained():
    code = (
        "import sys; sys.modules['matplotlib'] = None; sys.path[:0] = eval(sys.argv[1])\n"
        "import escapade as ea\n"
        "try: ea.plots.density([1.0, 2.0, 3.0])\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, repr(sys.path)], capture_output=True, text=True, timeout=120
    )
    assert "pip install matplotlib" in done.stdout, done.stderr


@pytest.fixture(scope="module")
def escape():
    model = ea.models.PowerLaw(H=1.0, sigma_g=0.2, sigma_H=0.5)
    return ea.escape(model, 0.0, ea.Interval(-1.0, 1.0), n=5000, dt=0.05, seed=1, t_max=40.0)


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_survival_draws_the_curve_and_the_exact_one(ax, escape, scale):
    assert ea.plots.survival(escape, ax, scale=scale) is ax
    steps, law = ax.lines
    t, s = steps.get_data()
    assert len(t) <= 402 and t[0] == 0.0 and s[0] == 1.0 and t[-1] == pytest.approx(40.0)
    assert_allclose(s[:-1], escape.survival(t[:-1]), rtol=1e-12)
    x, y = law.get_data()
    assert_allclose(y, ea.exact.survival(escape.problem.model, 0.0, x, -1.0, 1.0), rtol=1e-9)
    assert_allclose(np.interp(5.0, x, y), escape.survival(5.0), atol=0.03)
    ax.figure.canvas.draw()


def test_survival_refuses_what_is_no_direct_run(ax, escape):
    with pytest.raises(TypeError, match="direct run"):
        ea.plots.survival([1.0, 2.0], ax)
    with pytest.raises(ValueError, match="scale"):
        ea.plots.survival(escape, ax, scale="symlog")
    assert len(ea.plots.survival(escape, ax, law=False).lines) == 1
