"""Whole runs over a real OpenSSH server, and what becomes of them when the link or the board fails."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.run import link
from bench.run.events import Event
from tests.fakes.proxy import Proxy
from tests.fakes.runs import Place, once, states
from tests.fakes.sshd import Sshd, make_key

HERE = "this-machine: {{local: {{}}, workdir: {folder}/work}}"


def board(place: Place, sshd: Sshd, *, name: str = "board", port: int | None = None, python: str = sys.executable,
          **ssh: object) -> str:
    """A line of devices.yaml: the server as a board with a work folder of its own."""
    keys = {"host": "127.0.0.1", "port": port or sshd.port, "user": sshd.user, "key": sshd.key,
            "known_hosts": sshd.known_hosts} | ssh
    way = ", ".join(f"{key}: {value}" for key, value in keys.items())
    return f"{name}: {{ssh: {{{way}}}, python: {python}, workdir: {place.folder}/{name}}}"


def here(place: Place) -> str:
    return HERE.format(folder=place.folder)


def test_a_board_and_this_machine_are_measured_in_one_run(place: Place, sshd: Sshd) -> None:
    place.devices(here(place), board(place, sshd))
    place.suite(precisions="[fp32, int8-dynamic]")
    stored = place.run()
    assert stored.run.state == "finished"
    result = place.result()
    assert [(cell.device, cell.precision, cell.status, cell.trials) for cell in result.cells] == [
        (device, precision, "ok", 2) for device in ("this-machine", "board") for precision in ("fp32", "int8-dynamic")]
    assert {device.name for device in result.devices} == {"this-machine", "board"}
    assert {session.device: session.pushed_bytes > 0 for session in stored.sessions} == {
        "this-machine": True, "board": True}
    assert sum(session.pushed_bytes for session in place.run().sessions) == 0


MOMENTS: dict[str, Callable[[Proxy], Callable[[Event], None]]] = {
    "push": lambda proxy: once(lambda event: event.text.startswith("pushing"), lambda: proxy.cut_after(5000)),
    "trial": lambda proxy: once(lambda event: event.text == "samples", proxy.cut),
    "pull": lambda proxy: once(lambda event: event.text == "verify", lambda: proxy.cut_after(400)),
    "greeting": lambda proxy: once(lambda event: event.text == "connecting", lambda: proxy.cut_after(6000)),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_link_that_is_cut_once_costs_one_attempt(place: Place, sshd: Sshd, proxy: Proxy, moment: str) -> None:
    place.net(seed=21)
    place.devices(board(place, sshd, port=proxy.port))
    place.suite(precisions="[fp32, int8-dynamic]")
    stored = place.run(MOMENTS[moment](proxy))
    cells = place.result().cells
    assert [(cell.status, cell.trials, cell.reason) for cell in cells] == [("ok", 2, None)] * 2
    assert stored.run.state == "finished"
    expected: list[tuple[str, int, int, str, str | None]] = [
        ("fp32", 1, 1, "ok", None), ("int8-dynamic", 1, 1, "ok", None),
        ("fp32", 2, 1, "ok", None), ("int8-dynamic", 2, 1, "ok", None)]
    if moment != "greeting":  # before the first session there is no attempt to count
        expected[:1] = [("fp32", 1, 1, "failed", "infrastructure"), ("fp32", 1, 2, "ok", None)]
        assert "1 of 2 trials were repeated after a first attempt that failed" in cells[0].warnings
    assert states(stored) == expected
    assert all(cell.outputs is not None and cell.outputs.state == "ok" for cell in cells)


@pytest.mark.slow
def test_a_board_that_has_not_noticed_the_cut_is_waited_for(place: Place, sshd: Sshd, proxy: Proxy) -> None:
    place.devices(board(place, sshd, port=proxy.port))
    begin = time.monotonic()
    stored = place.run(once(lambda event: event.text == "samples", proxy.abandon))
    assert states(stored) == [("fp32", 1, 1, "failed", "infrastructure"), ("fp32", 1, 2, "ok", None),
                              ("fp32", 2, 1, "ok", None)]
    assert time.monotonic() - begin < 60


def test_a_link_that_is_cut_for_good_fails_its_cells_and_no_others(
        place: Place, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "RETURN_WITHIN_S", 1.0)
    place.suite(precisions="[fp32, int8-dynamic]")
    with Proxy(sshd.port) as way:
        sshd.know(way.port)
        place.devices(here(place), board(place, sshd, port=way.port))
        stored = place.run(once(lambda event: event.text == "samples" and event.device == "board",
                                lambda: way.__exit__(None, None, None)))
    found = [(cell.device, cell.status, cell.fault) for cell in place.result().cells]
    assert found == [("this-machine", "ok", None)] * 2 + [("board", "failed", "infrastructure")] * 2
    assert all(cell.reason and "trial 1" in cell.reason and "board" in cell.reason
               for cell in place.result().cells if cell.device == "board")
    assert stored.run.state == "incomplete"
    assert len(states(stored, "this-machine")) == 4


def test_a_resumed_run_measures_what_the_cut_left_out_and_nothing_else(
        place: Place, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "RETURN_WITHIN_S", 1.0)
    with Proxy(sshd.port) as way:
        sshd.know(way.port)
        place.devices(here(place), board(place, sshd, port=way.port))
        first = place.run(once(lambda event: event.text == "samples" and event.device == "board",
                               lambda: way.__exit__(None, None, None)))
    assert first.run.state == "incomplete"
    place.devices(here(place), board(place, sshd))
    second = place.run(earlier=first)
    assert second.run.id == first.run.id and second.run.state == "finished"
    assert states(second, "this-machine") == states(first, "this-machine")
    done = [(cell, number) for cell, number, _, state, _ in states(second) if state == "ok"]
    assert done == [("fp32", 1), ("fp32", 2)]
    assert [cell.status for cell in place.result().cells] == ["ok", "ok"]


BROKEN: dict[str, tuple[str, str]] = {
    "no python": ("device", "/nonexistent/python3 does not run the agent"),
    "refused key": ("infrastructure", "refused"),
    "unknown host key": ("infrastructure", "host key"),
    "nobody there": ("infrastructure", "127.0.0.1"),
}


def _broken(kind: str, place: Place, sshd: Sshd) -> str:
    if kind == "no python":
        return board(place, sshd, python="/nonexistent/python3")
    if kind == "refused key":
        return board(place, sshd, key=make_key(place.folder / "other"))
    if kind == "unknown host key":
        (place.folder / "known").write_text("")
        return board(place, sshd, known_hosts=place.folder / "known")
    return board(place, sshd, port=1)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_board_that_cannot_be_used_is_a_reason_and_the_other_device_goes_on(
        place: Place, sshd: Sshd, kind: str) -> None:
    place.devices(_broken(kind, place, sshd), here(place))
    stored = place.run()
    lost, good = place.result().cells
    fault, words = BROKEN[kind]
    assert (lost.status, lost.fault) == ("failed", fault)
    assert lost.reason is not None and words in lost.reason and "\n" not in lost.reason
    assert (good.device, good.status) == ("this-machine", "ok")
    assert stored.run.state == "incomplete"


def test_a_board_that_somebody_else_uses_is_told_with_the_holder(place: Place, sshd: Sshd) -> None:
    place.devices(board(place, sshd), here(place))
    folder = place.folder / "board"
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        lock.write('{"owner": "ann@desk (process 7)", "pid": 7, "since": 1767225600}')
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        place.run()
    lost, good = place.result().cells
    assert (lost.status, lost.fault, good.status) == ("skipped", "busy", "ok")
    assert lost.reason is not None and "in use by ann@desk (process 7) since 20" in lost.reason


def bare_python(folder: Path) -> Path:
    """A Python without any package."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"


def test_a_board_without_the_runtime_skips_its_cells_with_what_it_has(place: Place, sshd: Sshd) -> None:
    place.devices(board(place, sshd, python=str(bare_python(place.folder / "bare"))), here(place))
    stored = place.run()
    lacking, good = place.result().cells
    assert (lacking.status, lacking.fault, good.status) == ("skipped", "device", "ok")
    assert lacking.reason == ("onnxruntime is not installed for board's Python; runtimes found: none "
                              "(bench provision -d board)")
    assert stored.run.state == "incomplete", "nothing of the model could be measured there"


def test_a_board_without_numpy_is_the_boards_fault_and_says_so(place: Place, sshd: Sshd) -> None:
    python = bare_python(place.folder / "bare")
    (packages,) = (place.folder / "bare" / "lib").glob("python3*/site-packages")
    (packages / "onnxruntime-1.0.dist-info").mkdir()
    (packages / "onnxruntime-1.0.dist-info" / "METADATA").write_text("Name: onnxruntime\nVersion: 1.0\n")
    place.devices(board(place, sshd, python=str(python)))
    place.run()
    (cell,) = place.result().cells
    assert (cell.status, cell.fault) == ("failed", "device")
    assert cell.reason == ("latency trial 1: the device's Python lacks what the trial needs: "
                           "ModuleNotFoundError: No module named 'numpy' "
                           "(bring it there: bench provision; or name another Python with python: in devices.yaml)")
