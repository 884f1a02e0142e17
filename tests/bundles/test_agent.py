"""The agent's archive: the same bytes every time, and it runs on an old Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from bench.bundles.agent import build_agent


def test_the_same_sources_give_the_same_bytes_under_the_same_name(tmp_path: Path) -> None:
    first, second = build_agent(tmp_path / "a"), build_agent(tmp_path / "b")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.path.name == second.path.name == first.name
    assert first.sha256[:16] in first.name


def test_the_archive_holds_the_agent_and_the_protocol_and_nothing_else_of_bench(tmp_path: Path) -> None:
    names = set(zipfile.ZipFile(build_agent(tmp_path).path).namelist())
    few = {"__main__.py", "bench/__init__.py", "bench/protocol.py"}
    assert few | {"bench/agents/agent.py", "bench/agents/runtimes/onnxruntime.py"} <= names
    assert all(name.startswith("bench/agents/") for name in names - few)


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.12"])
def test_the_agent_introduces_itself_under_other_pythons(tmp_path: Path, version: str) -> None:
    python = _python(version)
    archive = build_agent(tmp_path)
    done = subprocess.run([python, archive.path, "--archive", archive.path, "--workdir", tmp_path / "work"],
                          input=b"", capture_output=True, timeout=60, check=True)
    hello = json.loads(done.stdout.splitlines()[0])
    assert hello["type"] == "hello"
    assert hello["agent"] == archive.sha256
    assert hello["facts"]["python"].startswith(version)


def _python(version: str) -> str:
    candidates = [shutil.which(f"python{version}"),
                  *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))]
    for candidate in candidates:
        if candidate and subprocess.run([candidate, "-V"], capture_output=True, check=False).returncode == 0:
            return candidate
    pytest.skip(f"no Python {version} here to try the agent under")
