"""How a device kept its clocks, its temperature and its pace over the trials of a cell."""

from __future__ import annotations

from collections.abc import Sequence

from bench.collect.marks import Timed
from bench.results import Steadiness
from bench.throttling import CLOCK_FALL, RISE_C, Signs


def steadiness(timed: Sequence[Timed]) -> tuple[Steadiness, ...]:
    """Of clocks, temperature, pace and the processor, in this order.

    Within a trial by the rules of `bench.throttling`. From trial to trial, the fastest clock of each may differ by
    `CLOCK_FALL`, and the temperature that each began with by `RISE_C`.
    """
    signs = [each.signs for each in timed]
    return _clocks(signs), _temperature(signs), _pace(signs), _processor(signs)


def _clocks(signs: Sequence[Signs]) -> Steadiness:
    told = [each for each in signs if each.clocks_mhz]
    if not told:
        return Steadiness("clocks", 0, 0, "")
    fell = [each.clock for each in told if each.clock]
    highest = [max(each.clocks_mhz) for each in told]
    low, high = min(highest), max(highest)
    if fell:
        return Steadiness("clocks", len(told), len(fell), fell[0])
    slow = sum(clock < (1 - CLOCK_FALL) * high for clock in highest)
    return Steadiness("clocks", len(told), slow, _span(low, high, "MHz"))


def _temperature(signs: Sequence[Signs]) -> Steadiness:
    told = [each for each in signs if each.degrees_c or each.statuses]
    hot = [each.heat or each.status for each in told if each.heat or each.status]
    if hot:
        return Steadiness("temperature", len(told), len(hot), hot[0])
    degrees = [each.degrees_c for each in told if each.degrees_c]
    if not degrees:
        return Steadiness("temperature", len(told), 0, "thermal status 0 (none)" if told else "")
    every = [degree for each in degrees for degree in each]
    begun = [each[0] for each in degrees]
    warmer = sum(degree - min(begun) > RISE_C for degree in begun)
    return Steadiness("temperature", len(told), warmer, _span(min(every), max(every), "C"))


def _pace(signs: Sequence[Signs]) -> Steadiness:
    slowed = [each.slowed for each in signs if each.slowed]
    return Steadiness("pace", len(signs), len(slowed), slowed[0] if slowed else "")


def _processor(signs: Sequence[Signs]) -> Steadiness:
    """Whether it was the trials' own; where it was, the trial that shared it most is shown."""
    told = [each for each in signs if each.shared is not None]
    taken = [each.contention for each in told if each.contention]
    if taken or not told:
        return Steadiness("processor", len(told), len(taken), taken[0] if taken else "")
    most = max((each.shared for each in told if each.shared), key=lambda each: (each.waited or 0.0, each.others or 0.0))
    return Steadiness("processor", len(told), 0, most.shown)


def _span(low: float, high: float, unit: str) -> str:
    """`2790 to 2803 MHz`, `41 C`."""
    return f"{low:.0f} {unit}" if round(low) == round(high) else f"{low:.0f} to {high:.0f} {unit}"
