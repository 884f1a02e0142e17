"""The base install, in an empty environment: small, and every command starts and says what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.write_commands import VERBS
from tests.fakes.files import save_onnx

ROOT = Path(__file__).parents[2]
MOST_MB = 250
HEAVY = ("torch", "tensorflow", "pandas", "matplotlib", "onnxruntime", "ai_edge_litert", "executorch", "pyarrow")

pytestmark = pytest.mark.slow

SUITE = """
version: 1
name: s
models:
  m:
    source: {onnx: m.onnx}
    inputs: {x: {shape: [1, 4]}}
runtimes: [onnxruntime]
"""
Bench = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An environment that holds `pip install .` of a copy of the sources, with the tested versions."""
    folder = tmp_path_factory.mktemp("light")
    source = folder / "source"
    shutil.copytree(ROOT / "bench", source / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "constraints.txt"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    command = [folder / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
               "-c", source / "constraints.txt", source]
    subprocess.run(command, check=True, timeout=280, capture_output=True)
    yield folder / "venv"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def light(environment: Path, tmp_path: Path) -> Bench:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "BENCH_CACHE": str(tmp_path / "cache")}
        return subprocess.run([environment / "bin" / "bench", *words], capture_output=True, text=True, timeout=120,
                              cwd=tmp_path, env=variables, check=False)
    return run


def test_the_environment_is_small(environment: Path) -> None:
    files = (path for path in environment.rglob("*") if path.is_file() and not path.is_symlink())
    assert sum(path.stat().st_size for path in files) / 1e6 < MOST_MB


def test_nothing_heavy_came_along(environment: Path) -> None:
    packages = {path.name for path in (environment / "lib").glob("python3.*/site-packages/*")}
    assert packages.isdisjoint(HEAVY)


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_starts(light: Bench, verb: str) -> None:
    done = light(verb, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage: bench" in done.stdout


def test_help_takes_little_time(environment: Path, tmp_path: Path) -> None:
    import resource

    best = 10.0
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([environment / "bin" / "bench", "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert best < 0.3


def test_devices_and_schemas_work(light: Bench) -> None:
    assert light("schema", "results").returncode == 0
    done = light("devices", "--json")
    assert done.returncode == 0, done.stderr
    assert '"ready"' in done.stdout


def test_a_run_of_an_onnx_file_without_its_runtime_says_which_extra_is_missing(light: Bench, tmp_path: Path) -> None:
    save_onnx(tmp_path / "m.onnx")
    (tmp_path / "s.yaml").write_text(SUITE)
    done = light("run", "s.yaml", "--quick")
    assert "pip install 'bench[onnx]'" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_without_torch_says_which_extra_is_missing(light: Bench) -> None:
    done = light("run", "--quick")
    assert "pip install 'bench[torch]'" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_report_needs_no_extra_except_for_csv_and_parquet(light: Bench, tmp_path: Path) -> None:
    light("run", "--quick")
    assert light("report", "--format", "md").returncode == 0
    assert light("report", "--format", "json").returncode == 0
    assert light("report").returncode == 0
    for format_, extra in (("csv", "report"), ("parquet", "parquet")):
        done = light("report", "--format", format_)
        assert done.returncode == 2
        assert f"pip install 'bench[{extra}]'" in done.stderr
