"""A host that lets few files be open: devices wait for each other, and what cannot be is the host's failure."""

from __future__ import annotations

import resource
import subprocess

import pytest

from bench.host import DEVICE_DESCRIPTORS, OWN_DESCRIPTORS, devices_at_once
from tests.fakes.runs import Place


@pytest.mark.parametrize(("limit", "most"), [(OWN_DESCRIPTORS + 2 * DEVICE_DESCRIPTORS, 2), (16, 1)])
def test_devices_at_once_fit_into_the_limit(limit: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert devices_at_once() == most


@pytest.mark.parametrize(("limit", "codes"), [(40, (0, 3)), (90, (0,))])
def test_many_devices_and_few_descriptors_end_well_or_as_the_hosts_failure(
        place: Place, limit: int, codes: tuple[int, ...]) -> None:
    place.suite(measure="{trials: 1, min_samples: 3, min_time: 0s, warmup: {min_runs: 1, min_time: 0s, max_time: 0s}, "
                        "remeasure: 0%}", expect="{latency_p50: {at_most: 10s}, on_inconclusive: pass}")
    count = 3 if limit < OWN_DESCRIPTORS else 8
    place.devices(*(f"d{number}: {{local: {{}}, workdir: {place.folder}/w{number}}}" for number in range(count)))
    done = subprocess.run(place.argv("run"), cwd=place.folder, env=place.environment(), text=True, capture_output=True,
                          timeout=200, check=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
    assert done.returncode in codes and "Traceback" not in done.stderr, done.stderr
