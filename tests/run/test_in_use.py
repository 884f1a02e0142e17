"""A device that another controller uses: nothing is said against the models, and nothing is waited for unasked."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from bench.config.devices import DeviceConfig
from bench.deadline import Deadline
from bench.report import report
from bench.report.morning import gather
from bench.run import in_use, link
from bench.run.events import Event
from bench.run.in_use import refuse_if_all_in_use
from bench.run.job import run
from bench.run.judging import judge_run
from bench.run.stop import Stop
from bench.session import Busy
from bench.store.store import Store
from tests.fakes.neighbours import held
from tests.fakes.runs import Place

ANN = "in use by ann@desk (process 7) since 20"


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who only looks holds a device for a moment: for seconds, of which no test has any to spare."""
    for module in (in_use, link):
        monkeypatch.setattr(module, "LOOKS_WITHIN_S" if module is in_use else "LOOK_WITHIN_S", 0.0)
    monkeypatch.setattr(in_use, "EVERY_S", 0.05)
    monkeypatch.setattr(link, "IN_USE_EVERY_S", 0.05)


def two(place: Place) -> None:
    """A suite on two devices, one and two, both this machine."""
    place.devices(*(f"{name}: {{local: {{}}, workdir: {place.folder}/{name}}}" for name in ("one", "two")))
    place.net()


def test_where_all_devices_are_in_use_nothing_is_stored_or_converted(place: Place) -> None:
    two(place)
    place.suite()
    with held(place.folder / "one"), held(place.folder / "two"), pytest.raises(Busy) as raised:
        place.run()
    assert raised.value.exit_code == 3 and raised.value.message.count(ANN) == 2
    assert "--wait" in raised.value.hint and place.events == []
    assert not place.store.exists(), "no empty store is left behind"


def test_the_device_in_use_is_left_out_with_its_own_word_and_the_others_go_on(place: Place) -> None:
    two(place)
    place.suite(expect="{size: [{at_most: 10MiB}], latency_p50: [{at_most: 1h}]}")
    with held(place.folder / "one"):
        stored = place.run()
    lost, good = place.result().cells
    assert (lost.status, lost.fault, good.status, stored.run.state) == ("skipped", "busy", "ok", "incomplete")
    assert lost.reason is not None and ANN in lost.reason and lost.artifact is not None
    assert {trial.cell for trial in stored.trials} == {good.cell}, "no failure of the model's is recorded"
    with Store(place.store) as store:
        judgement = judge_run(store, stored.run.id, place.request().suite.config)
        page = report(gather(store, store.find_run(None)), "junit")
    assert judgement.state == "green" and any(ANN in note and "one" in note for note in judgement.notes)
    assert {(each.expectation, each.cell) for each in judgement.outcomes} == {
        ("size", lost.cell), ("size", good.cell), ("latency_p50", good.cell)}
    assert "<failure" not in page and "<error" not in page and f'skipped message="the device is {ANN}' in page


def test_what_was_left_out_is_measured_by_resume(place: Place) -> None:
    two(place)
    place.suite()
    with held(place.folder / "one"):
        earlier = place.run()
    stored = place.run(earlier=earlier)
    assert stored.run.state == "finished" and {cell.status for cell in place.result().cells} == {"ok"}
    assert len(stored.trials) == 4


def test_a_device_is_waited_for_until_it_is_free_and_who_holds_it_is_told(place: Place) -> None:
    place.devices(f"one: {{local: {{}}, workdir: {place.folder}/one}}")
    place.net()
    place.suite()
    told: list[str] = []
    waits, over = threading.Event(), threading.Event()

    def ann() -> None:
        with held(place.folder / "one"):
            over.set()
            waits.wait(20)

    def hear(event: Event) -> None:
        if event.kind == "waiting":
            told.append(event.text)
            waits.set()

    holder = threading.Thread(target=ann)
    holder.start()
    over.wait(20)
    with Store(place.store, create=True) as store:
        request = replace(place.request(), wait_s=60.0)
        found = run(request, place.prepared(), store, place.cache, Stop(), hear)
        assert store.find_run(found).state == "finished"
    holder.join()
    assert len(told) == 1 and ANN in told[0] and "waiting until" in told[0]


def test_a_wait_ends_at_its_deadline_and_at_ctrl_c(place: Place) -> None:
    two(place)
    place.suite()
    devices: dict[str, DeviceConfig] = {"one": place.request().devices["one"]}
    with held(place.folder / "one"):
        with pytest.raises(Busy, match="in use by ann"):
            refuse_if_all_in_use(devices, Deadline(0.2), Stop(), lambda _: None)

        def interrupt(_: Event) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            refuse_if_all_in_use(devices, Deadline(60.0), Stop(), interrupt)


def test_a_device_that_cannot_be_asked_is_left_to_measuring(place: Place) -> None:
    place.net()
    place.suite()
    place.devices("gone: {ssh: {host: 127.0.0.1, port: 1, user: nobody}}")
    refuse_if_all_in_use(place.request().devices, Deadline(0.0), Stop(), lambda _: None)
