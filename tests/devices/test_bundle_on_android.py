"""The real bundle on an Android-like phone, over a real adb: no glibc, toybox-like tools, a user without rights."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from bench.deadline import Deadline
from bench.devices.bundle import deploy
from bench.errors import DeviceError
from bench.testing.adb_server import AdbServer
from bench.testing.android.root import AndroidRoot, android_root
from bench.testing.phone import Phone, running_phone
from bench.transports.base import Transport
from tests.fakes.android import shared_programs
from tests.fakes.bundles import real_bundle
from tests.fakes.handset import reach

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WORK = "/data/local/tmp/bench"


@pytest.fixture(scope="module")
def handset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    root: AndroidRoot
    with (android_root(tmp_path_factory.mktemp("android"), using=shared_programs()) as root,
          running_phone(root) as phone):
        yield phone


@pytest.fixture
def android(handset: Phone, with_adb: AdbServer) -> Iterator[Transport]:
    with_adb.connect(handset)
    far = reach(handset)
    yield far
    far.close()


def test_its_python_runs_the_runtimes_and_a_runtime_added_later_pushes_only_itself(android: Transport) -> None:
    bundle = real_bundle("onnxruntime", "tflite")
    first = deploy(android, WORK, bundle.for_runtimes(["onnxruntime"]))
    assert first.pushed == ("python", "numpy", "onnxruntime")
    again = deploy(android, WORK, bundle.for_runtimes(["onnxruntime"]))
    assert (again.python, again.pushed_bytes) == (first.python, 0)
    both = deploy(android, WORK, bundle)
    assert both.pushed == ("tflite",)
    assert both.pushed_bytes < bundle.layers[-1].archive_bytes + 2000
    code = ("import json, os, sys, numpy, onnxruntime, ai_edge_litert.interpreter; "
            "print(json.dumps([os.getuid(), sys.executable, os.environ['HOME'], sys.platform]))")
    done = android.run([both.python, "-c", code], Deadline(120))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [2000, both.python, f"{WORK}/bundle/home", "linux"]
    listed = android.run(["ls", f"{WORK}/bundle"], Deadline(20)).stdout.decode().split()
    assert not [name for name in listed if name.endswith((".part", ".tar.gz", ".new"))]


def test_a_folder_that_forbids_execution_is_told(android: Transport) -> None:
    told: list[str] = []
    with pytest.raises(DeviceError, match="bundle not runnable: nothing may be executed in its work folder") as caught:
        deploy(android, "/sdcard/bench", real_bundle(), told.append)
    assert "/sdcard" in caught.value.hint
    assert told == [], "before anything is pushed"
