"""What arrives of a trial, within bounds, and whether it can be true."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from bench import protocol
from bench.errors import DeviceError, InfrastructureError, ModelError
from bench.messages import agent
from bench.messages.trial import LEAST_LINES, Heard, TrialError, TrialReport

ASKED = {"trial": "t", "kind": "latency", "deadline_s": 5.0, "measure": {"min_samples": 4}}
PHASES = {"import_ns": 50, "load_ns": 40, "first_ns": 30, "samples_ns": 500, "by_turns_ns": 100, "verify_ns": 60}
RESULT: dict[str, Any] = {
    "type": "result", "trial": "t", "phases": PHASES, "memory": {"peak_rss_bytes": 1 << 20}, "cores": [1, 0],
    "findings": {"inputs_changed": False, "cycle": 2, "by_sample_ns": [[10, 20], [30, 40]]}, "versions": {"numpy": "2"},
    "outputs": {"sha256": "0" * 64, "bytes": 10, "count": 2}, "sample_count": 4,
    "warm_up": {"runs": 1, "ns": 5, "settled": True}, "cpu_ns": {"wall": 501, "user": 400}}
SAMPLES = [100, 110, 120, 130]


def told(result: dict[str, Any] = RESULT, samples: list[int] = SAMPLES, **asked: Any) -> TrialReport | None:
    """What becomes of a trial of these words."""
    heard, tally = Heard({**ASKED, **asked}), protocol.Tally()
    for said in ({"type": "samples", "trial": "t", "ns": samples}, result):
        tally.add(protocol.encode(said))
        heard.take(said, protocol.encode(said), print)
    return heard.take({"type": "done", "trial": "t", "frames": tally.frames, "crc": tally.crc}, b"", print)


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    result = copy.deepcopy(RESULT)
    change(result)
    return result


def test_a_trial_that_is_as_it_should_be_is_reported() -> None:
    report = told()
    assert report is not None
    assert (report.samples_ns, report.phases, report.cores) == (tuple(SAMPLES), PHASES, (0, 1))
    assert report.findings == RESULT["findings"] and report.cpu_ns == RESULT["cpu_ns"]


@pytest.mark.parametrize("findings", [
    None, {}, {"inputs_changed": 1}, {"inputs_changed": False, "cycle": 0}, {"inputs_changed": False, "cycle": True},
    {"inputs_changed": False, "cycle": 3}, {"inputs_changed": False, "by_sample_ns": []},
    {"inputs_changed": False, "by_sample_ns": [[1, 2], [3]]}, {"inputs_changed": False, "by_sample_ns": [[], []]},
    {"inputs_changed": False, "by_sample_ns": [[1], ["2"]]}, {"inputs_changed": False, "by_sample_ns": "ten"}])
def test_findings_that_are_none_are_refused(findings: Any) -> None:
    with pytest.raises(InfrastructureError, match=r"findings|by sample"):
        told({**RESULT, "findings": findings})


@pytest.mark.parametrize(("change", "words"), [
    (lambda result: result["phases"].update(samples_ns=400), "samples take .* more than its word result.phases"),
    (lambda result: result["phases"].update(by_turns_ns=99), "times by sample take .* result.phases.by_turns_ns"),
    (lambda result: result["phases"].update(load_ns=10**12), "phases take 1000 s, more than the time that it took"),
    (lambda result: result["phases"].update(first_ns=10**12), "phases take 1000 s"),
    (lambda result: result["warm_up"].update(ns=10**12), "phases take 1000 s"),
    (lambda result: result["phases"].pop("verify_ns"), "result.phases.verify_ns is missing"),
    (lambda result: result["phases"].update(load_ns=None), "result.phases.load_ns is missing"),
    (lambda result: result.update(sample_count=5), "4 samples arrived, 5 were taken")])
def test_what_cannot_be_true_is_refused(change: Callable[[dict[str, Any]], object], words: str) -> None:
    with pytest.raises(InfrastructureError, match=words):
        told(changed(change))


def test_samples_that_were_not_asked_for_so_or_took_no_time_are_refused() -> None:
    with pytest.raises(InfrastructureError, match="took 4 samples, at least 5"):
        told(measure={"min_samples": 5})
    with pytest.raises(InfrastructureError, match="its clock does not go"):
        told(samples=[0, 0, 0, 1])
    with pytest.raises(InfrastructureError, match=r"samples take .* more than the trial's deadline: 25 s"):
        told(samples=[10**11])


@pytest.mark.parametrize("wall", [499, 1 << 60, None])
def test_how_the_processor_was_shared_is_unknown_where_it_is_told_of_another_time(wall: int | None) -> None:
    report = told(changed(lambda result: result["cpu_ns"].update(wall=wall)))
    assert report is not None and report.cpu_ns is None


def test_an_agent_that_does_not_stop_talking_is_given_up() -> None:
    heard = Heard(ASKED)
    with pytest.raises(InfrastructureError, match="does not stop talking"):
        for _ in range(2 * LEAST_LINES):
            heard.take({"type": "phase", "trial": "another"}, b"", print)


def test_endless_samples_are_given_up_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "MOST_SAMPLES", 1000)
    monkeypatch.setattr(agent, "MOST_INPUTS", 1000)
    heard = Heard(ASKED)
    with pytest.raises(InfrastructureError, match="more than 1000 samples"):
        for _ in range(100):
            heard.take({"type": "samples", "trial": "t", "ns": [1] * 100}, b"", print)


@pytest.mark.parametrize(("kind", "error"), [("raised", ModelError), ("signal", DeviceError), (7, InfrastructureError)])
def test_a_failure_is_told_whatever_its_message_is(kind: Any, error: type[Exception]) -> None:
    for message in ("too small", None, 10**400, "\ud83d" + "x" * 10**6):
        with pytest.raises(TrialError) as caught:
            Heard(ASKED).take({"type": "failed", "trial": "t", "kind": kind, "message": message}, b"", print)
        assert isinstance(caught.value.error, error) and len(caught.value.error.message) < 9000
