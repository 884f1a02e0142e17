"""The probe of a PyTorch module, of a factory or a file. How state and randomness are told apart: see `behaviour`."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bench.convert.behaviour import UNSEEN_RANDOM, UNSEEN_STATE
from bench.convert.binding import binding_of, bound, load_bound
from bench.convert.execute import Samples
from bench.convert.late_state import late_state
from bench.convert.module_results import is_plain, left_out, specs_of
from bench.convert.module_state import changed, snapshot
from bench.convert.probe import Probe, ordered
from bench.convert.recipe import Work
from bench.convert.reference import arguments_of, arrays_of, run_module, write_outputs
from bench.convert.sameness import same
from bench.errors import ModelError
from bench.models.factory import load_module
from bench.models.spec import TensorSpec

if TYPE_CHECKING:
    from torch import nn

Array = npt.NDArray[np.generic]
Inputs = Sequence[TensorSpec]

SEED, OTHER_SEED = 1, 2
MORE_SEEDS = range(3, 7)
"""Tried where a random operator was seen and made no difference: a sampled token is most often the likeliest one."""
BATCHES = "num_batches_tracked"
"""Batch normalization counts its batches for training, which nothing else reads."""
ATTENTION = "scaled_dot_product"
"""Attention counts as random for its dropout, which inference has not."""


@dataclass(frozen=True)
class _Calls:
    """What the first instance did: the outputs as specs, whether they came as plain tensors and what else there was
    among them; the outputs of sample 0 at the first call, the second with another seed, and the
    last; the names of what the calls changed, and of these what calls after the first did; the operators that draw
    random numbers."""

    outputs: tuple[TensorSpec, ...]
    plain: bool
    left_out: tuple[str, ...]
    first: list[Array]
    second: list[Array]
    last: list[Array]
    changed_inputs: tuple[str, ...]
    changed_names: tuple[str, ...]
    lasting: tuple[str, ...]
    operators: tuple[str, ...]
    weights: tuple[tuple[str, int], ...]


def probed_module(work: Work, samples: Samples) -> Probe:
    """What the module of `work` does; its outputs on the samples are written to the work's output.

    Raises ConfigError when the inputs' names do not fit forward's, ModelError when a factory makes another model each
    time, and what the module raises.
    """
    module = load_module(work.source)
    binding = binding_of(work.source, module, work.inputs)
    inputs = ordered(work.inputs, binding.order)
    calls = _call_first(bound(module, binding, inputs), inputs, samples)
    del module
    fresh = load_bound(work.source, inputs)
    again = [_call(fresh, inputs, samples, 0, SEED) for _ in range(2)]
    found = replace(_judged(calls, again, binding.order), unnamed=binding.unnamed)
    if calls.lasting and not (found.state or UNSEEN_RANDOM in found.random):
        found = _looked_longer(found, calls, fresh, inputs, samples)
    if calls.operators and not (found.state or found.random) and _moves(calls.first, fresh, inputs, samples):
        found = replace(found, random=calls.operators)
    # What earlier calls left behind must not be in a reference.
    clean = load_bound(work.source, inputs) if found.state or found.random or calls.lasting else fresh
    write_outputs(work.output, run_module(clean, inputs, samples))
    return found


def _call_first(module: nn.Module, inputs: Inputs, samples: Samples) -> _Calls:
    import torch

    before = snapshot(module)
    arguments = arguments_of(samples, inputs, 0)
    versions = [tensor._version for tensor in arguments]
    _seed(SEED)
    with torch.no_grad():
        result = module(*arguments)
    outputs, first = specs_of(result), arrays_of(result)
    given = arguments_of(samples, inputs, 0)
    written = tuple(spec.name for spec, tensor, version, whole in zip(inputs, arguments, versions, given, strict=True)
                    if tensor._version != version or not torch.equal(tensor, whole))
    begun = snapshot(module)
    second, operators = _watched(module, inputs, samples)
    between = snapshot(module)
    for index in range(1, len(samples[inputs[0].name])):
        _call(module, inputs, samples, index)
    last = _call(module, inputs, samples, 0, SEED)
    after = snapshot(module)
    # What only the first call changed is most often computed then and kept: a table of positions, a mask.
    lasting = changed(begun, between, after)
    return _Calls(outputs, is_plain(result), left_out(result), first, second, last, written,
                  lasting or changed(before, after), _but_counts(lasting),
                  operators, _weights(module))


def _but_counts(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name.rpartition(".")[2] != BATCHES)


def _looked_longer(found: Probe, calls: _Calls, fresh: nn.Module, inputs: Inputs, samples: Samples) -> Probe:
    """The probe after more calls of the fresh instance, which has had two."""
    late = late_state(fresh, lambda index: _call(fresh, inputs, samples, index, SEED), len(samples[inputs[0].name]),
                      calls.first)
    made = 2 + late.calls
    if late.followed:
        return replace(found, state=calls.changed_names, same_again=False, calls=made)
    return replace(found, changing=tuple(name for name in calls.lasting if name in late.changed), calls=made)


def _judged(calls: _Calls, fresh: Sequence[list[Array]], order: tuple[str, ...]) -> Probe:
    """State, randomness or neither, from the calls of the first instance and the first two of a fresh one.

    Raises ModelError when both instances are steady and not the same model.
    """
    same_fresh, same_again = same(calls.first, fresh[0]), same(calls.first, calls.last)
    if not same_fresh and same_again and same(calls.first, calls.second) and same(*fresh):
        raise ModelError("its factory makes another model each time it is called",
                         hint="give it weights:, or seed all random numbers that it draws")
    stateful = not (same_again and same(*fresh))
    drawn = not same(calls.second, fresh[1]) or not same_fresh
    if stateful and not calls.changed_names and (drawn or calls.operators):
        # A generator of its own, or one that no seed reaches.
        stateful, drawn = False, True
    return Probe(calls.outputs, order, weights=calls.weights,
                 state=(calls.changed_names or (UNSEEN_STATE,)) if stateful else (),
                 random=(calls.operators or (UNSEEN_RANDOM,)) if drawn else (),
                 changed_inputs=calls.changed_inputs, same_again=same_again, same_fresh=same_fresh, plain=calls.plain,
                 left_out=calls.left_out)


def _moves(first: list[Array], module: nn.Module, inputs: Inputs, samples: Samples) -> bool:
    return not all(same(first, _call(module, inputs, samples, 0, seed)) for seed in MORE_SEEDS)


def _watched(module: nn.Module, inputs: Inputs, samples: Samples) -> tuple[list[Array], tuple[str, ...]]:
    """The outputs of sample 0 with the other seed, and the operators that drew random numbers, first ones first."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    seen: dict[str, None] = {}

    class Watch(TorchDispatchMode):  # type: ignore[misc]
        """Notes operators that draw random numbers."""

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if torch.Tag.nondeterministic_seeded in function.tags:
                seen[function._schema.name.rpartition("::")[2].lstrip("_")] = None
            return function(*args, **(kwargs or {}))

    with Watch():
        outputs = _call(module, inputs, samples, 0, OTHER_SEED)
    return outputs, tuple(name for name in seen if ATTENTION not in name)


def _call(module: nn.Module, inputs: Inputs, samples: Samples, index: int, seed: int | None = None) -> list[Array]:
    import torch

    if seed is not None:
        _seed(seed)
    with torch.no_grad():
        return arrays_of(module(*arguments_of(samples, inputs, index)))


def _seed(number: int) -> None:
    import torch

    torch.manual_seed(number)
    random.seed(number)
    np.random.seed(number)


def _weights(module: nn.Module) -> tuple[tuple[str, int], ...]:
    """Bytes of parameters and floating-point buffers by dtype, most first."""
    import torch

    from bench.models.torchscript import weights_of

    tensors = weights_of(module) if isinstance(module, torch.jit.ScriptModule) else module.parameters()
    sizes: Counter[str] = Counter()
    for tensor in (*tensors, *(one for one in module.buffers() if one.is_floating_point())):
        sizes[str(tensor.dtype).removeprefix("torch.")] += tensor.numel() * tensor.element_size()
    return tuple(sizes.most_common())
