"""The recipes of docs/nightly.md work as they are written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import xmlschema

from bench.config.load import parse_suite
from bench.config.yaml import read_yaml
from tests.fakes.runs import Place

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/nightly.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)
SCRIPT = next(text for kind, text in BLOCKS if kind == "sh" and text.startswith("#!"))
NOISE = next(text for kind, text in BLOCKS if kind == "sh" and text.startswith("bench noise")).split()
WORKFLOW = next(text for kind, text in BLOCKS if kind == "yaml" and "runs-on" in text)
JENKINS = next(text for kind, text in BLOCKS if kind == "groovy")


def test_the_suite_of_the_recipe_loads() -> None:
    text = next(text for kind, text in BLOCKS if kind == "yaml" and "expect:" in text)
    assert parse_suite(text, Path("suites/nightly.yaml"), Path("suites")).config.expect is not None


def test_every_verb_and_option_of_the_recipe_exists() -> None:
    from bench.cli.app import app

    verbs = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert set(re.findall(r"\bbench ([a-z]+) ", SCRIPT + " ".join(NOISE) + " ")) <= verbs


def test_the_workflow_starts_the_script_and_keeps_what_it_writes() -> None:
    data = read_yaml(WORKFLOW).data
    job = data["jobs"]["bench"]
    assert [step["run"] for step in job["steps"] if "run" in step] == ["./nightly.sh"]
    kept = next(step["with"]["path"] for step in job["steps"] if "upload-artifact" in step.get("uses", ""))
    assert kept.split() == re.findall(r"--output (\S+)", SCRIPT)
    assert all(name in SCRIPT for name in job["env"])


def test_the_pipeline_starts_the_script_and_reads_its_junit_file() -> None:
    assert "'./nightly.sh'" in JENKINS and JENKINS.count("{") == JENKINS.count("}")
    [results] = re.findall(r"junit testResults: '([^']+)'", JENKINS)
    assert results in re.findall(r"--output (\S+)", SCRIPT)


def test_the_cron_line_starts_the_script_one_at_a_time() -> None:
    line = next(text for kind, text in BLOCKS if not kind)
    assert re.fullmatch(r"15 3 \* \* \*  flock -n \S+ \S+/nightly\.sh >> \S+ 2>&1\n", line)


@pytest.mark.slow
def test_the_script_works_as_written(place: Place) -> None:
    (place.folder / "suites").mkdir()
    (place.folder / "nightly.sh").write_text(SCRIPT)
    _tool(place.folder / "bin" / "bench")
    write_suite(place, "{size: [{at_most: 1KiB}, {at_most: 5MiB}]}")
    noise = _run(place, [*NOISE, "--trials", "2"])  # a look: its own 20 would take half a minute
    assert noise.returncode == 0, noise.stderr
    done = _run(place, ["sh", "nightly.sh"])
    assert done.returncode == 1, done.stdout + done.stderr
    reports = {name: place.folder / f"reports/nightly.{name}" for name in ("html", "xml", "md")}
    assert reports["html"].read_text().startswith("<!DOCTYPE html>")
    xmlschema.XMLSchema(ROOT / "tests/report/junit.xsd").validate(str(reports["xml"]))
    for text in (reports["md"].read_text(), (place.folder / "step.md").read_text()):
        assert text.startswith("### small: red: 1 broken, 1 kept\n")
    for path in reports.values():
        path.unlink()
    write_suite(place, "{size: {at_least: 1KiB}}")
    assert _run(place, ["sh", "nightly.sh"]).returncode == 2
    assert not any(path.exists() for path in reports.values())


def _tool(path: Path) -> None:
    """`bench` as a command, of this very tree."""
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bench "$@"\n')
    path.chmod(0o755)


def write_suite(place: Place, expect: str) -> None:
    """suites/nightly.yaml of the small network that expects this."""
    text = place.suite(expect=expect).read_text()
    (place.folder / "suites" / "nightly.yaml").write_text(text.replace("net.onnx", "../net.onnx"))


def _run(place: Place, command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**place.environment(), "GITHUB_STEP_SUMMARY": str(place.folder / "step.md")}
    environment["PATH"] = f"{place.folder / 'bin'}:{environment['PATH']}"
    return subprocess.run(command, cwd=place.folder, env=environment, text=True, capture_output=True, timeout=120,
                          check=False)
