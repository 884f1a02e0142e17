"""`bench bundle`: build from elsewhere, list and push, as a user types them."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from tests.fakes.bundles import made_elsewhere
from tests.fakes.runs import Place


@pytest.fixture
def own(place: Place, tmp_path: Path) -> Place:
    """A place with a cache of its own: no bundle has been built."""
    place.cache_root = tmp_path / "own cache"
    return place


def test_a_bundle_made_elsewhere_is_taken_listed_and_pushed(own: Place, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "made.tar.gz", "w:gz") as tar:
        tar.add(made_elsewhere(tmp_path / "made"), "made")
    built = own.bench("bundle", "build", "--from", str(tmp_path / "made.tar.gz"))
    assert built.returncode == 0, built.stderr
    listed = own.bench("bundle", "list")
    assert listed.stdout == built.stdout
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["elsewhere", "all"]
    described = json.loads(own.bench("bundle", "list", "--json").stdout)
    assert described["architecture"] == "any" and described["layers"][0]["files"] == 2
    own.devices(f"here: {{local: {{}}, workdir: '{tmp_path / 'work'}'}}")
    pushed = own.bench("bundle", "push", "-d", "here")
    assert pushed.returncode == 0, pushed.stderr
    assert "pushed" in pushed.stdout.splitlines()[0] and str(tmp_path / "work/bundle/py-") in pushed.stdout
    again = own.bench("bundle", "push", "-d", "here")
    assert "was there" in again.stdout.splitlines()[0] and "here: 0.00 MiB sent" in again.stdout


@pytest.mark.parametrize("words", [("list",), ("push", "-d", "this-machine")])
def test_without_a_bundle_the_way_to_one_is_told(own: Place, words: tuple[str, ...]) -> None:
    done = own.bench("bundle", *words)
    assert done.returncode == 2
    assert done.stderr == "error: no bundle has been built\n  bench bundle build\n"


def test_a_push_needs_a_device_and_an_unknown_one_is_refused(own: Place, tmp_path: Path) -> None:
    own.bench("bundle", "build", "--from", str(made_elsewhere(tmp_path / "made")))
    assert "no device was named" in own.bench("bundle", "push").stderr
    done = own.bench("bundle", "push", "-d", "this-machin")
    assert done.returncode == 2 and "this-machine" in done.stderr


def test_a_device_where_it_does_not_run_is_a_line_and_an_incomplete_command(own: Place, tmp_path: Path) -> None:
    own.bench("bundle", "build", "--from", str(made_elsewhere(tmp_path / "made", "echo no such thing >&2; exit 1")))
    done = own.bench("bundle", "push", "-d", "this-machine")
    assert done.returncode == 3
    assert "this-machine: bundle not runnable: no such thing (exit code 1)" in done.stderr


@pytest.mark.parametrize(("words", "why"), [
    (("--runtimes", "onnx"), "no runtime is called 'onnx', did you mean 'onnxruntime'?"),
    (("--from", "absent.tar"), "there is no folder or archive absent.tar"),
    (("--from", ".", "--runtimes", "torch"), "--from and --runtimes exclude each other"),
])
def test_what_cannot_be_built_is_told(own: Place, words: tuple[str, ...], why: str) -> None:
    done = own.bench("bundle", "build", *words)
    assert done.returncode == 2
    assert why in done.stderr and "Traceback" not in done.stderr
