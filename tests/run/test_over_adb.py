"""Whole runs over the real adb, and what becomes of them when the phone, the cable or adb fails in the middle."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.run import link
from bench.run.events import Event
from bench.run.stop import Stop
from bench.testing.adb_server import AdbServer, running_adb_server
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import Phone, running_phone
from bench.transports.adb_server import bundled_adb
from tests.fakes.runs import Place, once, states

AGAIN = [("fp32", 1, 1, "failed", "infrastructure"), ("fp32", 1, 2, "ok", None), ("fp32", 2, 1, "ok", None)]
Act = Callable[[Phone, AdbServer], None]


@pytest.fixture(scope="module")
def adb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbServer]:
    if bundled_adb() is None:
        pytest.skip("needs adbutils, which brings an adb")
    with running_adb_server(tmp_path_factory.mktemp("adb")) as server:
        yield server


@pytest.fixture
def phone(place: Place, adb: AdbServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phone]:
    """A phone that this machine stands in for, and the only device of the place."""
    for name, value in adb.environment.items():
        monkeypatch.setenv(name, value)
    with running_phone(HostRoot(place.folder / "phone")) as running:
        adb.connect(running)
        place.devices(entry(running, place.folder))
        yield running


def entry(phone: Phone, folder: Path, name: str = "phone") -> str:
    """A line of devices.yaml: the phone, with this machine's Python instead of a bundle."""
    return (f"{name}: {{adb: {{serial: '{phone.serial}'}}, python: {sys.executable}, "
            f"workdir: {folder}/phone/{name}-work}}")


def leftovers(place: Place) -> list[str]:
    """Files on the phone that are not whole: there should be none."""
    return [path.name for path in (place.folder / "phone").rglob("*.part")]


def test_a_phone_is_measured_and_a_second_run_pushes_nothing(place: Place, phone: Phone) -> None:
    place.suite(precisions="[fp32, int8-dynamic]")
    stored = place.run()
    assert stored.run.state == "finished"
    assert [(cell.device, cell.precision, cell.status, cell.trials) for cell in place.result().cells] == [
        ("phone", "fp32", "ok", 2), ("phone", "int8-dynamic", "ok", 2)]
    assert sum(session.pushed_bytes for session in stored.sessions) > 0
    assert sum(session.pushed_bytes for session in place.run().sessions) == 0


def test_two_phones_are_measured_side_by_side_each_by_its_serial(place: Place, phone: Phone, adb: AdbServer) -> None:
    with running_phone(HostRoot(place.folder / "other")) as other:
        adb.connect(other)
        place.devices(entry(phone, place.folder),
                      f"other: {{adb: {{serial: '{other.serial}'}}, python: {sys.executable}, "
                      f"workdir: {place.folder}/other/work}}")
        stored = place.run()
    assert [(cell.device, cell.status) for cell in place.result().cells] == [("phone", "ok"), ("other", "ok")]
    pids = {session.device: session.facts for session in stored.sessions}
    assert set(pids) == {"phone", "other"}
    assert (place.folder / "phone" / "phone-work" / "files").is_dir()
    assert (place.folder / "other" / "work" / "files").is_dir()


MOMENTS: dict[str, Callable[[Event], bool]] = {
    "push": lambda event: event.text.startswith("pushing"),
    "trial": lambda event: event.text == "samples",
    "pull": lambda event: event.text == "verify",
    "greeting": lambda event: event.text == "connecting",
    "between": lambda event: event.kind == "trial-ok",
}


def _restart(phone: Phone, adb: AdbServer) -> None:
    adb.kill()
    threading.Thread(target=lambda: (adb.start(), adb.run("connect", phone.serial)), daemon=True).start()


def _set(name: str, value: int) -> Act:
    return lambda phone, adb: setattr(phone.faults, name, value)


FAULTS: dict[str, Act] = {
    "cut": lambda phone, adb: phone.drop(),
    "cut after some bytes in": _set("cut_after_received_bytes", 900),
    "cut after some bytes out": _set("cut_after_sent_bytes", 300),
    "garbage": lambda phone, adb: phone.send_garbage(),
    "reboot": lambda phone, adb: phone.reboot(0.5),
    "adb killed": _restart,
}


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "moment"), [(fault, moment) for fault in FAULTS for moment in MOMENTS
                                               if "bytes" not in fault or moment in ("push", "pull")])
def test_a_fault_costs_an_attempt_at_most_and_never_a_wrong_result(
        place: Place, phone: Phone, adb: AdbServer, fault: str, moment: str) -> None:
    place.net(seed=22)
    place.suite(precisions="[fp32]")
    stored = place.run(once(MOMENTS[moment], lambda: FAULTS[fault](phone, adb)))
    found = states(stored, "phone")
    assert [(number, state) for _, number, _, state, _ in found if state == "ok"] == [(1, "ok"), (2, "ok")]
    assert {(state, blamed) for _, _, _, state, blamed in found} <= {("ok", None), ("failed", "infrastructure")}
    assert len(found) <= 3, "one fault costs one attempt"
    (cell,) = place.result().cells
    assert cell.outputs is not None and cell.outputs.state == "ok"
    assert stored.run.state == "finished"
    assert leftovers(place) == []


def test_a_phone_that_is_frozen_in_a_trial_is_given_up_and_tried_again(place: Place, phone: Phone) -> None:
    def freeze() -> None:
        phone.freeze()
        threading.Timer(link.FREE_WITHIN_S + 5, phone.thaw).start()  # on a busy machine silence is noticed late

    assert states(place.run(once(MOMENTS["trial"], freeze)), "phone") == AGAIN


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["push", "pull", "between"])
def test_a_phone_that_freezes_outside_of_a_trial_costs_an_attempt_at_most(
        place: Place, phone: Phone, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    monkeypatch.setattr("bench.transports.base.STALL_LIMIT_S", 2.0)
    place.net(seed=27)

    def freeze() -> None:
        phone.freeze()
        threading.Timer(5.0, phone.thaw).start()

    stored = place.run(once(MOMENTS[moment], freeze))
    found = states(stored, "phone")
    assert [(number, state) for _, number, _, state, _ in found if state == "ok"] == [(1, "ok"), (2, "ok")]
    assert len(found) <= 3 and stored.run.state == "finished" and leftovers(place) == []


def test_a_phone_on_a_slow_link_is_measured_as_any_other(place: Place, phone: Phone) -> None:
    phone.faults.bytes_per_s = 100_000
    assert [state for _, _, _, state, _ in states(place.run(), "phone")] == ["ok", "ok"]


def test_a_phone_that_is_unplugged_and_plugged_in_again_goes_on(place: Place, phone: Phone) -> None:
    def unplug() -> None:
        phone.unplug()
        threading.Timer(3.0, phone.plug_in).start()

    stored = place.run(once(MOMENTS["trial"], unplug))
    assert states(stored, "phone") == AGAIN
    assert stored.run.state == "finished"


def test_a_phone_that_stays_away_fails_its_cells_and_no_others(
        place: Place, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "RETURN_WITHIN_S", 2.0)
    place.suite(precisions="[fp32, int8-dynamic]")
    place.devices(f"this-machine: {{local: {{}}, workdir: {place.workdir}}}", entry(phone, place.folder))
    stored = place.run(once(lambda event: event.text == "samples" and event.device == "phone", phone.unplug))
    found = [(cell.device, cell.status, cell.fault) for cell in place.result().cells]
    assert found == [("this-machine", "ok", None)] * 2 + [("phone", "failed", "infrastructure")] * 2
    assert stored.run.state == "incomplete"


def test_a_stop_ends_the_wait_for_a_phone_that_is_away(place: Place, phone: Phone) -> None:
    place.stop.interruptible = False

    def act(event: Event) -> None:
        if event.text == "samples" and not phone_is_away:
            phone_is_away.append(True)
            phone.unplug()
        if event.text == "connecting" and phone_is_away and not place.stop.soft.is_set():
            place.stop.request()

    phone_is_away: list[bool] = []
    begin = time.monotonic()
    stored = place.run(act)
    assert time.monotonic() - begin < link.RETURN_WITHIN_S - 30
    assert stored.run.state == "interrupted"
    phone.plug_in()
    place.stop = Stop()
    assert place.run(earlier=stored).run.state == "finished"


def test_a_file_that_is_flipped_on_its_way_is_the_devices_fault_and_leaves_nothing(place: Place, phone: Phone) -> None:
    place.net(seed=23)
    stored = place.run(once(MOMENTS["push"], lambda: setattr(phone.faults, "flipped_pushes", 1)))
    ((precision, number, _, state, fault),) = states(stored, "phone")
    assert (precision, number, state, fault) == ("fp32", 1, "failed", "device")
    (cell,) = place.result().cells
    assert cell.reason is not None and "did not arrive whole" in cell.reason
    assert leftovers(place) == []
    assert place.run().run.state == "finished"


def test_a_phone_without_room_says_how_much_there_is(place: Place, phone: Phone) -> None:
    place.net(seed=24)
    place.run(once(MOMENTS["push"], lambda: setattr(phone.faults, "free_bytes", 500)))
    (cell,) = place.result().cells
    assert cell.fault == "device"
    assert cell.reason is not None and "disk is full" in cell.reason and "free" in cell.reason
    assert leftovers(place) == []
    phone.faults.free_bytes = None
    assert place.run().run.state == "finished"


def test_a_phone_that_nobody_has_allowed_is_a_row_with_what_to_tap(place: Place, adb: AdbServer, phone: Phone) -> None:
    with running_phone(HostRoot(place.folder / "shy"), secure=True) as shy:
        shy.faults.accepts_keys = False
        adb.connect(shy, state="unauthorized")
        place.devices(entry(phone, place.folder), entry(shy, place.folder, "shy"))
        stored = place.run()
    good, bad = place.result().cells
    assert (good.status, bad.status, bad.fault) == ("ok", "failed", "infrastructure")
    assert bad.reason is not None and "unauthorized" in bad.reason and "tap Allow" in bad.reason
    assert stored.run.state == "incomplete"


@pytest.mark.slow
@pytest.mark.parametrize("share", [step / 10 for step in range(0, 10, 2)])
def test_a_cut_at_any_message_of_a_run_is_survived(place: Place, phone: Phone, share: float) -> None:
    place.net(seed=25)
    before = len(phone.messages)
    place.run()
    whole = len(phone.messages) - before
    place.net(seed=30 + int(share * 10))
    phone.faults.cut_at_message = 1 + int(share * whole)
    stored = place.run()
    found = states(stored, "phone")
    assert [(number, state) for _, number, _, state, _ in found if state == "ok"] == [(1, "ok"), (2, "ok")]
    assert len(found) <= 3
    assert stored.run.state == "finished" and leftovers(place) == []
