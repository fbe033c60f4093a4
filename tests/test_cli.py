"""The command line: tables, JSON, exit codes, the figure, bad input; and what README.md says."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import escapade as ea
from escapade.cli import main
from escapade.cli._csv import read_columns
from escapade.cli._experiment import _log_variance, quantities
from escapade.cli._demo_escape import Escape, table
from escapade.cli.demo import _normalised
from escapade.cli.validate import validated

ROOT = Path(__file__).resolve().parent.parent
SMALL = ["demo", "--n", "4000"]


def command(capsys, *arguments):
    """Run ``escapade`` in this process; return exit code, stdout, stderr."""
    code = main(list(arguments))
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def process(*arguments, module="escapade", **kwargs):
    # like pytest itself, a child must find the package that is under test
    package = str(Path(ea.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", module, *arguments] if module else [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        timeout=300,
        **kwargs,
    )


def png_size(path):
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:24])


@pytest.fixture
def samples(tmp_path):
    """A file of correlated x, y, with a header."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=300)
    table = np.column_stack([x, 0.6 * x + rng.normal(size=300)])
    path = tmp_path / "data.csv"
    np.savetxt(path, table, delimiter=",", header="x,y", comments="")
    return path


# -- demo ------------------------------------------------------------------------------------------


def test_demo_prints_table_and_draws_figure(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "figure.png"
    code, out, _ = command(capsys, *SMALL, "--output", str(path))
    assert code == 0
    assert "PowerLaw: du = -H u dt" in out and "BalancedNetwork:" in out
    assert out.count("agreement: p > 0.0001 and every |z| < 5") == 2
    for name in ("E u^2", "E ln v", "E v ", "KS distance", "particle-steps/s", "0 of 4,000"):
        assert name in out
    assert "E v^2" not in out  # its standard error is infinite
    assert f"figure: {path}" in out
    width, height = png_size(path)
    assert width >= 1500 and height >= 800 and path.stat().st_size > 50_000


def test_demo_as_process_in_json(tmp_path):
    path = tmp_path / "figure.png"
    done = process(*SMALL, "--json", "--threads", "1", "--output", str(path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress bars where there is no terminal
    result = json.loads(done.stdout)
    assert result["agree"] is True and result["version"] == ea.__version__
    power, network = result["results"]
    assert power["model"] == "PowerLaw" and power["x0"] == 3.0
    assert network["parameters"]["data"]["beta1"] == 1.0
    for part in (power, network):
        assert part["p_value"] > 1e-4 and part["lost"] == 0
        assert part["particle_steps_per_second"] > 0
        assert all(abs(s["z"]) < 5 for s in part["statistics"])
    assert Path(result["figure"]) == path


def test_demo_result_does_not_depend_on_threads(capsys):
    results = []
    for threads in ("1", "3"):
        _, out, _ = command(capsys, *SMALL, "--json", "--no-figure", "--threads", threads)
        found = json.loads(out)
        rates = [(e["rate"], e["rate_interval"]) for e in found["escapes"]]
        results.append(([r["statistics"] for r in found["results"]], rates))
    assert results[0] == results[1]
    assert len(rates) == 3


def test_demo_says_so_if_a_rate_is_wrong() -> None:
    from dataclasses import replace

    right = Escape(ea.models.PowerLaw(), 1.5, "direct", 1.01, 0.9, 1.1, 0.05, 1.0, 0.1)
    wrong = replace(right, rate=1.3)
    assert right.agree and "\n  agreement: every" in table([right])
    assert not wrong.agree and "DISAGREEMENT: |z| = 6.0" in table([right, wrong])


def test_demo_without_matplotlib_still_prints_the_table(tmp_path):
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from escapade.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = process("-c", code, *SMALL, module=None, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("agreement") == 3
    assert "pip install matplotlib" in done.stdout.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_demo_with_data(capsys, samples, tmp_path):
    path = tmp_path / "figure.svg"
    code, out, _ = command(capsys, *SMALL, "--data", str(samples), "--output", str(path))
    assert code == 0
    assert "from_samples(n=300)" in out and "T = 0.4 T_c" in out
    assert not path.exists() or path.read_text().startswith("<?xml")


def test_demo_turns_y_where_the_slope_is_negative(capsys, samples, tmp_path):
    x, y = read_columns(samples)
    turned = tmp_path / "turned.tsv"
    np.savetxt(turned, np.column_stack([x, -y]), delimiter="\t")
    found = []
    for path in (samples, turned):
        code, out, _ = command(capsys, *SMALL, "--json", "--no-figure", "--data", str(path))
        assert code == 0
        found.append(json.loads(out))
    assert any("sign of y is turned" in note for note in found[1]["notes"])
    a, b = (result["results"][1]["statistics"] for result in found)
    assert_allclose([s["exact"] for s in a], [s["exact"] for s in b], rtol=1e-9)


def test_normalised_data_have_unit_slope(samples):
    x, y = read_columns(samples)
    raw = ea.data.from_samples(30 * x, -0.2 * y)
    got = _normalised(raw)
    want = ea.data.from_samples(
        x / np.sqrt(np.mean(x * x)), y * np.sqrt(np.mean(x * x)) / np.mean(x * y)
    )
    assert got.beta1 == got.beta2 == 1.0
    for name in ("alpha1", "alpha2", "alpha3"):
        assert_allclose(getattr(got, name), getattr(want, name), rtol=1e-12)


@pytest.mark.parametrize(
    "text, message",
    [
        ("x,y\n1,2\n3,b\n", "line 3: expected two finite numbers"),
        ("1,2,3\n", "line 1: expected two columns x, y; got 3"),
        ("1 2\n3 nan\n", "line 2: expected two finite numbers"),
        ("1;2\n\n3\n", "line 3: expected two columns x, y; got 1"),
        ("x,y\n", "at least two lines of numbers, got 0"),
        ("", "at least two lines of numbers, got 0"),
        ("1,2\n2,4\n3,6\n", "interpolated"),
        ("1,1\n-1,1\n", "no slope to learn"),
        ("0,1\n0,2\n", "identically zero"),
    ],
)
def test_bad_data_files(capsys, tmp_path, text, message):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    code, out, err = command(capsys, *SMALL, "--data", str(path))
    assert code == 2 and out == ""
    assert err.startswith("escapade: error: ") and message in err and "bad.csv" in err


def test_data_that_is_no_text(capsys, tmp_path):
    path = tmp_path / "bytes.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")
    assert "not a text file" in command(capsys, *SMALL, "--data", str(path))[2]
    assert command(capsys, *SMALL, "--data", str(tmp_path / "none.csv"))[0] == 2
    assert command(capsys, *SMALL, "--data", str(tmp_path))[0] == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "  "])
@pytest.mark.parametrize("header", ["", "x{}y\n", '# comment\n\n"a"{}"b"\n'])
def test_columns_are_read(tmp_path, delimiter, header):
    path = tmp_path / "ok.csv"
    lines = header.format(delimiter) + f"1{delimiter}-2.5\n\n3e-1{delimiter}4\n"
    path.write_text("\ufeff" + lines, encoding="utf-8")
    x, y = read_columns(path)
    assert x.tolist() == [1.0, 0.3] and y.tolist() == [-2.5, 4.0]


# -- bad arguments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("", "COMMAND"),
        ("nonsense", "invalid choice: 'nonsense'"),
        ("demo --n 0", "--n must be at least 1"),
        ("demo --n 1.5", "whole number"),
        ("demo --n nan", "whole number"),
        ("demo --seed -1", "--seed must be at least 0"),
        ("demo --threads 0", "--threads must be at least 1"),
        ("demo --output no/such/folder/a.png", "existing folder"),
        ("demo --output a.gif", ".png, .pdf or .svg"),
        ("demo --see 1", "unrecognized arguments"),
        ("models Nothing", "model must be one of"),
        ("validate Nothing", "invalid choice: 'Nothing'"),
        ("validate PowerLaw --H 0", "H must be greater than 0, got 0"),
        ("validate PowerLaw --H nan", "H must be a finite number"),
        ("validate PowerLaw --H x", "invalid float value: 'x'"),
        ("validate PowerLaw --rho 1", "rho^2 must be <= sigma_g * sigma_H"),
        ("validate PowerLaw --dt 0", "--dt must be greater than 0"),
        ("validate PowerLaw --t -1", "t must be at least 0"),
        ("validate PowerLaw --t 1 --dt 0.3", "whole number of steps"),
        ("validate PowerLaw --scheme nothing", "scheme must be one of"),
        ("validate PowerLaw --scheme log-euler", "cannot step"),
        ("validate PowerLaw --dtype int8", "dtype must be one of"),
        ("validate PowerLaw --noise pink", "noise must be one of"),
        ("validate PowerLaw --x0 here", "--x0 must be a number or 'stationary'"),
        ("validate PowerLaw --x0 inf", "--x0 must be a finite number"),
        ("validate PowerLaw --theta 1", "unrecognized arguments"),
        ("validate BalancedNetwork --depth 1.5", "whole number"),
        ("validate BalancedNetwork --depth -1", "depth must be at least 0"),
        ("validate BalancedNetwork --data gaussian:1", "--data must be gaussian:k,s"),
        ("validate BalancedNetwork --x0 -1", "x0 must lie in (0, inf)"),
    ],
)
def test_bad_arguments(capsys, arguments, message):
    code, out, err = command(capsys, *arguments.split())
    assert code == 2 and out == ""
    assert err.startswith("escapade: error: ") and message in err


def test_bad_arguments_as_process():
    done = process("validate", "PowerLaw", "--eta", "-1")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "escapade: error: eta must be greater than 0, got -1.0\n"


# -- validate --------------------------------------------------------------------------------------

QUICK = ["--n", "20000", "--t", "1"]


@pytest.mark.parametrize("name", validated())
def test_validate_agrees_for_every_model(capsys, name):
    code, out, _ = command(capsys, "validate", name, *QUICK)
    assert code == 0, out
    assert "agreement" in out and f"scheme {ea.models.get(name)().auto_scheme()}" in out


@pytest.mark.parametrize(
    "arguments",
    [
        "PowerLaw --sigma_H 0.8 --rho 0.2 --dtype float32 --noise float64",
        "PowerLaw --x0 0.3 --t 12 --seed 5 --threads 2",
        "GeometricBrownianMotion --mu -0.2 --sigma 0.5 --x0 2 --t 2",
        "BalancedNetwork --depth 0 --dt 0.002",
        "BalancedNetwork --data binary:1,0.5 --T 0.5 --dt 0.005",
        "BalancedNetwork --T 0.3",
    ],
)
def test_validate_with_parameters(capsys, arguments):
    code, out, _ = command(
        capsys, "validate", *[*arguments.split()[:1], *QUICK, *arguments.split()[1:]]
    )
    assert code == 0, out


def test_validate_sees_a_coarse_step(capsys):
    coarse = "validate DoubleWell --h 2 --T 0.5 --scheme euler-maruyama --dt 0.05"
    code, out, _ = command(capsys, *coarse.split(), *QUICK)
    assert code == 1 and "DISAGREEMENT: p = " in out
    code, out, _ = command(capsys, *coarse.split(), *QUICK, "--json")
    assert code == 1 and json.loads(out)["agree"] is False


def test_validate_sees_particles_that_have_not_relaxed(capsys):
    code, out, _ = command(capsys, "validate", "PowerLaw", *QUICK, "--x0", "0.3")
    assert code == 1 and "DISAGREEMENT" in out


def test_validate_reports_lost_particles(capsys):
    explode = [
        "validate",
        "BalancedNetwork",
        "--T",
        "0.2",
        "--scheme",
        "euler-maruyama",
        "--dt",
        "0.05",
    ]
    code, out, _ = command(capsys, *explode, "--n", "2000")
    assert code == 1 and "particles were lost" in out
    assert max(map(len, out.splitlines())) < 120
    _, out, _ = command(capsys, *explode, "--n", "2000", "--json")
    assert 0 < json.loads(out)["lost"] <= 2000


@pytest.mark.parametrize(
    "arguments, reason",
    [
        ("BalancedNetwork --T 0.4", "Tc"),
        ("BalancedNetwork --depth 2 --gamma 0.1", "metastable"),
        ("OrnsteinUhlenbeck --theta 0", "spreads"),
        ("Pitchfork --mu 0.1", "point 0"),
        ("DoubleWell --T 0", "T"),
    ],
)
def test_validate_without_a_law(capsys, arguments, reason):
    code, out, err = command(capsys, "validate", *arguments.split())
    assert code == 3 and out == "" and reason in err
    code, out, _ = command(capsys, "validate", *arguments.split(), "--json")
    assert code == 3 and reason in json.loads(out)["no_law"]


@pytest.mark.parametrize(
    "arguments",
    [
        *("MirrorCollapse", "MirrorCollapse --h_mean 1 -n 3", "TwoPointSaddle --help"),
        *("DiagonalNetwork --json", "GeneralizedRescaling", "ScaleInvariant x", "TwoLayerLinear"),
        "StableDoubleWell",
    ],
)
def test_validate_refuses_models_without_a_law_of_one_number(capsys, arguments):
    code, out, err = command(capsys, "validate", *arguments.split())
    assert code == 2 and out == "" and f"{arguments.split()[0]} cannot be validated: " in err
    assert err.strip().endswith("models that can: " + ", ".join(validated()))


def test_readme_names_the_models_that_can_be_validated(readme):
    sentence = readme.partition("`escapade validate MODEL` does")[2].partition("with any")[0]
    assert tuple(re.findall(r"`(\w+)`", sentence)) == validated()


def test_validate_help_names_the_parameters(capsys):
    code, out, _ = command(capsys, "validate", "BalancedNetwork", "--help")
    assert code == 0
    for text in ("--depth", "--width", "--T ", "--gamma", "--data", "temperature", "gaussian:k,s"):
        assert text in out
    assert "--alpha1" not in out


def test_statistics_have_finite_errors():
    law = ea.models.BalancedNetwork(T=0.2).stationary()
    assert [q[0] for q in quantities(law, "v", 10**6)] == ["E ln v", "E v^(1/2)", "E v"]
    law = ea.models.PowerLaw(sigma_H=1.0).stationary()  # nu = 3
    assert [q[0] for q in quantities(law, "u", 10**6)] == ["E |u|^(1/2)", "E u"]


def test_log_variance():
    assert_allclose(_log_variance(ea.laws.LogNormal(0.3, 1.7)), 1.7**2, rtol=1e-9)


# -- the other commands ----------------------------------------------------------------------------


def test_info(capsys):
    code, out, _ = command(capsys, "info")
    assert code == 0
    for text in (
        ea.__version__,
        ea._core.isa(),
        "ESCAPADE_ISA=",
        "no CUDA engine",
        ea._core.compiler(),
    ):
        assert text in out
    info = json.loads(command(capsys, "info", "--json")[1])
    assert info["isa"]["active"] in info["isa"]["supported"]
    assert set(info["isa"]["supported"]) <= set(info["isa"]["built"])
    assert info["cores"]["usable"] >= 1 and info["packages"]["numpy"] == np.__version__


def test_models(capsys):
    code, out, _ = command(capsys, "models")
    found = json.loads(command(capsys, "models", "--json")[1])
    assert code == 0 and [m["name"] for m in found] == list(ea.models.list())
    for model in found:
        assert model["name"] in out
        assert model["auto_scheme"] in [s["name"] for s in model["schemes"]]
        assert all(p["doc"] and p["type"] and p["shown"] for p in model["parameters"])
        assert all(o["doc"] and o["name"] in out for o in model["observables"])
    one = json.loads(command(capsys, "models", "PowerLaw", "--json")[1])
    assert [p["name"] for p in one["parameters"]] == ["H", "sigma_g", "sigma_H", "eta", "rho"]
    code, out, _ = command(capsys, "models", "PowerLaw")
    assert code == 0 and "arXiv:2006.13719" in out


@pytest.mark.parametrize("name", ea.models.list())
def test_models_lists_the_arguments_of_the_class(capsys, name):
    found = json.loads(command(capsys, "models", name, "--json")[1])
    cls, plain = ea.models.get(name), ea.models.get(name)()
    listed = {p["name"]: p["default"] for p in found["parameters"]}
    assert set(listed) == set(plain.params) and cls(**listed) == plain
    assert found["equation"] == plain.equation and found["calculus"] == plain.calculus
    ours = " ".join(cls.__doc__.partition("References\n")[2].split())
    ours = ours.replace("*", "").replace("`", "")
    assert found["source"] and ours.endswith(found["source"])
    assert [o["name"] for o in found["observables"]] == list(plain.observables())
    assert [p["name"] for p in found["training"]] == (["sgd", "gd"] if hasattr(cls, "sgd") else [])
    code, out, _ = command(capsys, "models", name)
    assert code == 0 and all(f" {key} = " in out for key in listed)


def test_models_takes_bounds_only_of_what_the_engine_has_too(capsys):
    two = json.loads(command(capsys, "models", "TwoLayerLinear", "--json")[1])["parameters"]
    by_name = {p["name"]: p for p in two}
    assert by_name["T"]["unit"] == "time" and by_name["T"]["low"] == 0.0
    assert by_name["samples"]["unit"] is None and by_name["samples"]["low"] is None


def test_schemes(capsys):
    code, out, _ = command(capsys, "schemes")
    found = json.loads(command(capsys, "schemes", "--json")[1])
    assert code == 0 and [s["name"] for s in found] == list(ea.schemes.list())
    assert all(s["name"] in out for s in found)
    assert "normals: per step and Wiener process" in out
    rows = {line.split()[0]: line for line in out.splitlines()[1:] if line[:1].strip()}
    for name in ea.schemes.list():
        scheme = ea.schemes.get(name)
        assert scheme.draws == ("batch" if name == "sgd" else "1") and scheme.draws in rows[name]


def test_version_and_help(capsys):
    assert command(capsys, "--version") == (0, f"escapade {ea.__version__}\n", "")
    code, out, _ = command(capsys, "--help")
    assert code == 0 and "exit codes: 0 agreement" in out


def test_a_closed_pipe_is_no_error():
    done = process(
        "-c",
        "import os, sys; r, w = os.pipe(); os.close(r); os.dup2(w, 1)\n"
        "from escapade.cli import main; sys.exit(main(['models']))",
        module=None,
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr


# -- README.md -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def readme():
    return (ROOT / "README.md").read_text(encoding="utf-8")


def block(readme, name):
    """Return the text of the fenced block between two markers."""
    found = re.search(
        rf"<!-- {name}:begin -->\n```\n(.*?)\n```\n<!-- {name}:end -->", readme, re.DOTALL
    )
    assert found is not None, name
    return found.group(1)


def python_after(readme, marker):
    return re.search(rf"<!-- {marker} -->\n```python\n(.*?)```", readme, re.DOTALL).group(1)


def test_readme_has_the_two_commands(readme):
    assert "\n```\npip install . && escapade demo\n```\n" in readme
    assert "\n```\npip install '.[test]' && pytest\n```\n" in readme


def test_readme_example_prints_what_it_says(readme, capsys):
    code = python_after(readme, "example")
    assert len([line for line in code.splitlines() if line]) <= 6
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip() == block(readme, "example-output").strip()


def test_readme_tables_are_up_to_date():
    done = process(str(ROOT / "docs" / "make_tables.py"), "--check", module=None)
    assert done.returncode == 0, done.stderr


def without_speed(text):
    text = re.sub(r"escapade 0\S+, \S+", "", text)
    return re.sub(r"speed .*?lost\n", "", text, flags=re.DOTALL)


@pytest.mark.slow
def test_readme_demo_prints_what_it_says(readme, capsys):
    code, out, _ = command(capsys, "demo", "--no-figure")
    want = block(readme, "demo-output").replace("figure: escapade-demo.png", "")
    assert code == 0
    assert without_speed(out).strip() == without_speed(want).strip()


@pytest.mark.slow
def test_readme_data_example(readme, capsys, tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    exec(compile(python_after(readme, "data"), "README.md", "exec"), {})
    code, out, _ = command(capsys, "demo", "--no-figure", "--data", "diabetes.csv")
    want = without_speed(block(readme, "data-output"))
    assert code == 0
    assert without_speed(out[out.index("BalancedNetwork") :]).strip() in want
