"""The same bits from every compiler, optimisation level and processor family that is at hand."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["-std=c++20", "-ffp-contract=off", "-Wno-psabi", f"-I{ROOT / 'cpp'}"]
CLANG = next(
    (c for c in ("clang++", "clang++-19", "clang++-18", "clang++-16") if shutil.which(c)), None
)


def build_and_run(folder: Path, compiler: str, *flags: str, runner: tuple[str, ...] = ()) -> str:
    program = folder / "bits"
    subprocess.run(
        [compiler, *FLAGS, *flags, str(ROOT / "tests/native/bits.cpp"), "-o", str(program)],
        check=True,
    )
    done = subprocess.run([*runner, str(program)], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="compares with x86-64 builds")
@pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
def test_compilers_and_processors_agree(tmp_path: Path) -> None:
    reference = build_and_run(tmp_path, "g++", "-O2", "-march=x86-64-v3")
    assert len(set(reference.splitlines())) == 11
    assert build_and_run(tmp_path, "g++", "-O0", "-march=x86-64-v3") == reference
    assert build_and_run(tmp_path, "g++", "-O3", "-march=x86-64-v2") == reference
    if CLANG:
        assert build_and_run(tmp_path, CLANG, "-O3", "-march=x86-64-v3") == reference
    # negative control: with contraction allowed the bits are other bits
    assert (
        build_and_run(tmp_path, "g++", "-O2", "-march=x86-64-v3", "-ffp-contract=fast") != reference
    )


@pytest.mark.slow
@pytest.mark.skipif(
    not (
        shutil.which("aarch64-linux-gnu-g++")
        and shutil.which("qemu-aarch64")
        and shutil.which("g++")
    ),
    reason="needs a cross compiler and qemu",
)
def test_arm_agrees_with_x86(tmp_path: Path) -> None:
    x86 = build_and_run(tmp_path, "g++", "-O2", "-march=x86-64-v3")
    arm = build_and_run(
        tmp_path, "aarch64-linux-gnu-g++", "-O2", "-static", runner=("qemu-aarch64",)
    )
    assert arm == x86
