"""Which inputs of a PyTorch module number the rows of a table, found by watching one call of it in a child.

Files of other kinds say it themselves (`bench.models.onnx_tables`, `tflite_tables`). An input is followed by its
storage, and through operators that copy its values, to the indices of embeddings and their kin. A row is looked up
before the operator runs, so that an index beyond the table, which ends the call, is seen, too.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from bench.convert.cache import LOG, Cache, commit, disk_errors, key_of, look_up, work_folder
from bench.convert.process import Limits
from bench.convert.recipe import Work
from bench.convert.task import perform
from bench.convert.tools import PACKAGES_OF_KIND, located, source_identity, versions_of
from bench.convert.types import ModelJob
from bench.convert.wire import Failure, tensors_to_json, work_from_json, work_to_json
from bench.models.spec import Table

REVISION: Final = 1
"""Rises whenever other tables would be found."""

_COPYING: Final = frozenset({"_to_copy", "clone", "cat", "stack", "repeat", "index_select", "contiguous"})
"""Operators with results of their own that hold values of their arguments. Views share the storage of theirs."""


def tables_of(job: ModelJob, cache: Cache, limits: Limits, stop: threading.Event | None = None) -> tuple[Table, ...]:
    """The tables that the module's inputs index on the first verification sample, the smallest of each input; none
    where that cannot be watched. Raises MissingExtra where torch is not installed."""
    tools = versions_of(*PACKAGES_OF_KIND[job.source.kind], purpose=f"running {job.model}")
    key = key_of({"tables": REVISION, "source": source_identity(job.source), "tools": tools,
                  "inputs": tensors_to_json(job.inputs), "data": job.verification_sha256})
    entry = look_up(cache, key)
    if entry is None:
        with work_folder(cache) as folder, disk_errors(cache.root):
            made = folder / "entry"
            made.mkdir()
            work = Work(located(job.source), job.inputs, "fp32", None, job.verification.resolve(), folder / "none")
            answer = perform({"task": "tables", "work": work_to_json(work), "purpose": f"running {job.model}",
                              "extra": PACKAGES_OF_KIND[job.source.kind][0]}, folder, made / LOG, limits, stop)
            if isinstance(answer, Failure):
                return ()  # what hinders it hinders the probe as well, which says it
            entry = commit(cache, key, made, {"model": job.model, "tables": answer["tables"]}, None)
    return tuple(Table(**table) for table in entry.facts["tables"])


def watched_tables(job: dict[str, Any]) -> dict[str, Any]:
    """The child's part: call the module once and answer with the tables that were read."""
    from bench.convert.binding import load_bound
    from bench.convert.execute import read_samples
    from bench.convert.reference import arguments_of

    work = work_from_json(job["work"])
    module = load_bound(work.source, work.inputs)
    arguments = arguments_of(read_samples(work.calibration, work.inputs), work.inputs, 0)
    with watching({spec.name: tensor for spec, tensor in zip(work.inputs, arguments, strict=True)}) as followed:
        module(*arguments)
    return {"tables": [asdict(table) for table in followed.smallest.values()]}


@contextlib.contextmanager
def watching(inputs: Mapping[str, Any]) -> Iterator[Followed]:
    """Follow these inputs, tensors by their names, through whatever is called in the body; what ends the body early is
    passed over: what was read until then counts."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    followed = Followed(inputs)

    class Watch(TorchDispatchMode):  # type: ignore[misc]
        """Follows the inputs' values through operators."""

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = function._schema.name.rpartition("::")[2]
            followed.before(name, args)
            result = function(*args, **(kwargs or {}))
            followed.after(name, args, result)
            return result

    with torch.no_grad(), contextlib.suppress(Exception), Watch():
        yield followed


class Followed:
    """Which storages hold values of which inputs, and the smallest table that each input was seen to index."""

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self.smallest: dict[str, Table] = {}
        self._names: dict[int, frozenset[str]] = {}
        self._held: list[Any] = []  # a storage that is gone would leave its address to another
        for name, tensor in inputs.items():
            self._learn(tensor, frozenset((name,)))

    def before(self, operator: str, args: Sequence[Any]) -> None:
        """Note the tables that the operator is about to read."""
        for indices, rows in _reads(operator, args):
            for name in self._names.get(_place(indices), ()):
                known = self.smallest.get(name)
                if known is None or rows < known.rows:
                    self.smallest[name] = Table(name, rows, operator, -rows if operator == "index" else 0)

    def after(self, operator: str, args: Sequence[Any], result: Any) -> None:
        """Learn what the operator's results hold."""
        if operator.endswith("_") and args:
            self._names.pop(_place(args[0]), None)  # written to: no longer the input's values
        elif operator in _COPYING:
            names = frozenset[str]().union(*(self._names.get(_place(tensor), ()) for tensor in _tensors(args)))
            if names:
                for tensor in _tensors([result]):
                    self._learn(tensor, names)

    def _learn(self, tensor: Any, names: frozenset[str]) -> None:
        if not tensor.is_floating_point() and tensor.numel():
            self._names[_place(tensor)] = names
            self._held.append(tensor)


def _reads(operator: str, args: Sequence[Any]) -> Iterator[tuple[Any, int]]:
    """The (indices, rows of the table) that an operator reads."""
    if operator in ("embedding", "_embedding_bag", "_embedding_bag_forward_only"):
        yield args[1], args[0].shape[0]
    elif operator in ("index_select", "gather"):
        if args[0].dim():
            yield args[2], args[0].shape[args[1]]
    elif operator == "index":
        for place, indices in enumerate(args[1]):
            if indices is not None and not indices.is_floating_point() and indices.element_size() > 1:
                yield indices, args[0].shape[place]


def _tensors(values: Sequence[Any]) -> Iterator[Any]:
    import torch

    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def _place(tensor: Any) -> int:
    return int(tensor.untyped_storage().data_ptr())
