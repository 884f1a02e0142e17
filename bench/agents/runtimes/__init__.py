"""The runtimes of the device side, one file each, all with the same three functions.

    version() -> str                                      what will run; raises ImportError where it is not installed
    import_library() -> None                              import it, so that its weight is known apart from a model's
    load(path, delegate, threads, options) -> Loaded      everything that happens once for a model

`Loaded` has `inputs` and `outputs` (tuples of `Tensor`, in the file's order), and four verbs:

    bind(arrays)   set the inputs, in the file's order; not timed. The model may write into the arrays
    bound()        the inputs as numpy arrays as they are now, in the file's order; not timed
    invoke()       one inference; this is what is timed
    read()         the outputs as numpy arrays, in the file's order; not timed

`options` is a dict of strings that goes to the runtime as it is; what cannot be used raises ValueError.
"""

from __future__ import annotations

import importlib
from typing import Any, Dict, List, NamedTuple, Optional, Protocol, Sequence, Tuple, cast

NAMES = ("onnxruntime", "tflite", "torch", "executorch")
FAKE = "fake"


class Tensor(NamedTuple):
    """One input or output of a loaded file. What the file leaves open is None."""

    name: str
    shape: Optional[Tuple[Optional[int], ...]]
    dtype: Optional[str]


class Loaded(Protocol):
    inputs: Tuple[Tensor, ...]
    outputs: Tuple[Tensor, ...]

    def bind(self, arrays: Sequence[Any]) -> None: ...

    def bound(self) -> List[Any]: ...

    def invoke(self) -> None: ...

    def read(self) -> List[Any]: ...


class Runtime(Protocol):
    def version(self) -> str: ...

    def import_library(self) -> None: ...

    def load(self, path: str, delegate: str, threads: int, options: Dict[str, str]) -> Loaded: ...


def get(name: str) -> Runtime:
    """The module of a runtime. Raises KeyError for a name that is none."""
    if name not in NAMES and name != FAKE:
        raise KeyError(name)
    return cast(Runtime, importlib.import_module(__name__ + "." + name))


def installed() -> Dict[str, str]:
    """Runtimes that can be imported here, with their versions; nothing is imported to find out."""
    found = {}
    for name in NAMES:
        try:
            found[name] = get(name).version()
        except ImportError:
            continue
    return found
