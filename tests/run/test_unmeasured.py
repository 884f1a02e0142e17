"""While all devices are in use, files are judged: their sizes, and scores that were measured of the very same files."""

from __future__ import annotations

import numpy as np

from bench.report.judgement import headline
from bench.results import Judgement, Outcome
from bench.run.in_use import AllInUse
from bench.run.judging import judge_run
from bench.run.unmeasured import judge_files
from bench.session import Busy
from bench.store.store import Store
from tests.fakes.neighbours import held
from tests.fakes.runs import Place, labelled

ANN = Busy("the device is in use by ann@desk (process 7) since noon")
BUSY = AllInUse({"this-machine": ANN})
FILES = "{size: {at_most: 10MiB}, accuracy_drop: {against: last-green, at_most: 1.0pp}, latency_p50: {at_most: 1h}}"


def scored_suite(place: Place, expect: str) -> None:
    """The small network with a data set of its own, and what is expected of it."""
    place.suite(f"net: {{source: {{onnx: net.onnx}}, dataset: {labelled(place.folder)}}}", expect=expect)


def measured(place: Place) -> str:
    """The id of a whole run of the suite, judged."""
    run = place.run().run.id
    with Store(place.store) as store:
        judge_run(store, run, place.request().suite.config)
    return run


def judged(place: Place, error: AllInUse = BUSY) -> Judgement | None:
    """How the files of the place's suite are judged; nothing is stored by it."""
    place.events.clear()
    with Store(place.store, create=True) as store:
        before = store.runs(None)
        found = judge_files(place.request(), place.prepared(), store, place.cache, error, place.events.append)
        assert store.runs(None) == before
    return found.run.judgement if found else None


def outcomes(found: Judgement | None) -> dict[str, Outcome]:
    assert found is not None
    return {each.expectation: each for each in found.outcomes}


def test_sizes_are_judged_and_the_score_of_the_same_file_is_taken_from_the_run_that_measured_it(place: Place) -> None:
    place.net()
    place.devices()
    scored_suite(place, FILES)
    run = measured(place)
    found = outcomes(judged(place))
    assert {name: each.state for name, each in found.items()} == {"size": "kept", "accuracy_drop": "kept"}
    assert found["accuracy_drop"].reason == f"exact on this set of 12; measured in run {run}, of the same file"
    assert found["accuracy_drop"].baseline == run


def test_the_score_of_another_file_or_on_other_labels_is_not_this_ones(place: Place) -> None:
    place.net()
    place.devices()
    scored_suite(place, FILES)
    measured(place)
    place.net(seed=90_079)
    assert outcomes(judged(place)).keys() == set(), "the new file is not made yet"
    place.net()
    np.save(place.folder / "y.npy", np.zeros(12, np.int64))
    assert outcomes(judged(place)).keys() == {"size"}


def test_a_file_that_is_too_large_is_told_without_its_device(place: Place) -> None:
    place.net(seed=90_078)
    place.devices("board: {ssh: {host: 127.0.0.1, port: 1, user: nobody}}")
    place.suite(expect="{size: {at_most: 1KiB}, latency_p50: {at_most: 1h}}")
    found = judged(place, AllInUse({"board": ANN}))
    assert outcomes(found)["size"].state == "broken" and place.kinds("converted") == 1
    assert headline(found) == "red: 1 broken" if found else False
    first, *_ = place.events
    assert ANN.message in first.text, "who uses the device is told before anything is converted"


def test_nothing_is_converted_on_a_host_that_somebody_measures(place: Place) -> None:
    place.net(seed=90_077)
    place.devices()
    place.suite(expect="{size: {at_most: 10MiB}}")
    found = judged(place)
    assert found is not None and found.state == "none" and place.kinds("convert", "converted") == 0
    assert any("not made yet" in note for note in found.notes)


def test_a_suite_that_expects_nothing_of_files_is_not_judged(place: Place) -> None:
    place.net()
    place.devices()
    place.suite(expect="{latency_p50: {at_most: 1h}}")
    assert judged(place) is None and place.events == []


def test_the_command_tells_who_uses_the_device_and_what_is_broken_all_the_same(place: Place) -> None:
    place.net()
    place.devices()
    scored_suite(place, FILES)
    run = measured(place)
    with held(place.workdir):
        kept = place.bench("run")
        scored_suite(place, FILES.replace("10MiB", "1KiB"))
        broken = place.bench("run", "--json")
    assert (kept.returncode, broken.returncode) == (3, 1)
    assert "in use by ann@desk" in kept.stderr and "2 expectations kept" in kept.stdout
    assert kept.stdout.startswith("nothing was measured; by its files alone:")
    assert broken.stdout == "" and "broken size of net fp32" in broken.stderr
    with Store(place.store) as store:
        assert [each.id for each in store.runs(None)] == [run]
