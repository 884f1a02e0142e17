"""What calling a model on this host told of it, as data that also travels as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.models.spec import TensorSpec


@dataclass(frozen=True)
class Probe:
    """What calling a model told of it.

    `outputs` are the model's own, with the shapes and dtypes of the first sample; those without a name are called
    `output_0` and so on. `weights` are pairs of a dtype and the bytes of parameters and floating-point buffers that
    have it, largest first; empty for files, whose readers tell.

    `order` are the inputs' names in the order in which the module takes them. `mismatch` says why the names given do
    not fit forward's, "" when they do; nothing else is then known.

    `plain`: its result is a tensor, or tuples of them, as all exporters take it; `left_out` is what the result holds
    beside tensors.

    `unnamed` are those of them that only their order tells apart, as forward does not tell its arguments' names.

    `state` names buffers and attributes (of a file: operators) that keep something from call to call which changes
    later outputs, `random` the operators that draw random numbers which change outputs, `changed_inputs` the inputs
    that a call writes to. `same_again`: the first sample gave the same outputs after the others; `same_fresh`: it did
    so in a fresh instance. Differences of rounding are none. `changing` names buffers and attributes that go on
    changing when it is called, without an effect on outputs within `calls` calls of one instance; with
    `state`, `calls` are those after which it showed, 0 where it did at once.
    """

    outputs: tuple[TensorSpec, ...]
    order: tuple[str, ...] = ()
    mismatch: str = ""
    weights: tuple[tuple[str, int], ...] = ()
    state: tuple[str, ...] = ()
    random: tuple[str, ...] = ()
    changed_inputs: tuple[str, ...] = ()
    same_again: bool = True
    same_fresh: bool = True
    changing: tuple[str, ...] = ()
    calls: int = 0
    unnamed: tuple[str, ...] = ()
    plain: bool = True
    left_out: tuple[str, ...] = ()

    @property
    def repeats(self) -> bool:
        """Whether it gives the same outputs on the same input, whatever ran before and with any random numbers."""
        return self.same_again and self.same_fresh and not (self.state or self.random)


def ordered(inputs: Sequence[TensorSpec], order: Sequence[str]) -> tuple[TensorSpec, ...]:
    """The inputs in the order of a probe (which has none where the names do not fit)."""
    by_name = {spec.name: spec for spec in inputs}
    return tuple(by_name[name] for name in order) if order else tuple(inputs)


def probe_to_json(found: Probe) -> dict[str, Any]:
    """The probe as JSON."""
    return {"outputs": [spec.to_json() for spec in found.outputs], "order": list(found.order),
            "mismatch": found.mismatch, "weights": dict(found.weights), "state": list(found.state),
            "random": list(found.random), "changed_inputs": list(found.changed_inputs),
            "same_again": found.same_again, "same_fresh": found.same_fresh, "changing": list(found.changing),
            "calls": found.calls, "unnamed": list(found.unnamed),
            "plain": found.plain, "left_out": list(found.left_out)}


def probe_from_json(data: dict[str, Any]) -> Probe:
    """The probe that `probe_to_json` wrote."""
    return Probe(tuple(map(TensorSpec.from_json, data["outputs"])), tuple(data["order"]), data["mismatch"],
                 tuple(data["weights"].items()), tuple(data["state"]), tuple(data["random"]),
                 tuple(data["changed_inputs"]), data["same_again"], data["same_fresh"],
                 tuple(data["changing"]), data["calls"], tuple(data["unnamed"]),
                 data["plain"], tuple(data["left_out"]))
