"""Which input of a module is which, and the one place where modules are loaded so that they take inputs in order.

Where the names in `inputs:` are forward's own they decide, not their order. A module that cannot be called with its
inputs by position (keyword-only ones, an optional one left out in between), or that writes into them, is wrapped: every
exporter, tracer and quantizer then sees plain positional arguments that it may do with as it likes.
"""

from __future__ import annotations

import difflib
import inspect
import keyword
import linecache
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.agents.runtimes.torch import flat
from bench.errors import ConfigError
from bench.models.spec import Source, TensorSpec
from bench.words import nearest

if TYPE_CHECKING:
    from torch import nn

REVISION = 1
"""Rises whenever a module would be bound or wrapped otherwise: what was made of an older one is then not used."""

_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Binding:
    """`order` are the inputs as forward lists them; of these the first `by_place` are given by position, the others by
    keyword. All are given by position when their names are not forward's.

    `filled` are pairs of a place in the call and the default, as source text, of an argument that is left out there.
    `unnamed` are inputs that only their order tells apart, as forward has no names for them (*args).
    """

    order: tuple[str, ...]
    by_place: int
    filled: tuple[tuple[int, str], ...] = ()
    unnamed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """One of forward's own parameters. `by_keyword`: it may be given so; `default`: what it is when left out."""

    name: str
    by_place: bool
    needed: bool
    by_keyword: bool = True
    default: object = None


@dataclass(frozen=True)
class Signature:
    """What forward takes; `more` and `more_named`: *args and **kwargs."""

    parameters: tuple[Parameter, ...] = ()
    more: bool = False
    more_named: bool = False


def load_bound(source: Source, inputs: Sequence[TensorSpec], copied: Collection[str] = (), *,
               plain: bool = True) -> nn.Module:
    """The source as a module that takes `inputs` by position, in this order, and leaves those in `copied` as they are;
    where its result is not `plain` (see `bench.convert.module_results`), it gives a tuple of the tensors in it.

    Raises ModelError when there is no such module, ConfigError when the inputs' names do not fit forward's.
    """
    from bench.models.factory import load_module

    module = load_module(source)
    return bound(module, binding_of(source, module, inputs), inputs, copied, plain=plain)


def binding_of(source: Source, module: nn.Module, inputs: Sequence[TensorSpec]) -> Binding:
    """Which of the module's arguments each input is. Raises ConfigError when the names do not fit forward's."""
    return bind(signature_of(source, module), [spec.name for spec in inputs])


def bound(module: nn.Module, binding: Binding, inputs: Sequence[TensorSpec],
          copied: Collection[str] = (), *, plain: bool = True) -> nn.Module:
    """The module itself where it takes `inputs` by position, may keep them, and gives tensors; else wrapped."""
    names = [spec.name for spec in inputs]
    as_it_is = binding.by_place == len(names) and list(binding.order) == names and not binding.filled
    if as_it_is and plain and not set(copied).intersection(names):
        return module
    return _wrapped(module, names, binding, copied, plain=plain)


def signature_of(source: Source, module: nn.Module) -> Signature:
    """What the module's forward says that it takes. Exported programs and what cannot be asked: anything."""
    schema = getattr(module.forward, "schema", None)
    if schema is not None:
        return Signature(tuple(Parameter(argument.name, True, not argument.has_default_value())
                               for argument in schema.arguments[1:]))
    if source.kind != "torch":
        return Signature(more=True)
    try:
        listed = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return Signature(more=True)
    own = tuple(Parameter(one.name, one.kind in _BY_PLACE, one.default is inspect.Parameter.empty,
                          one.kind is not inspect.Parameter.POSITIONAL_ONLY, one.default) for one in listed
                if one.kind in (*_BY_PLACE, inspect.Parameter.KEYWORD_ONLY))
    kinds = {one.kind for one in listed}
    return Signature(own, inspect.Parameter.VAR_POSITIONAL in kinds, inspect.Parameter.VAR_KEYWORD in kinds)


def bind(signature: Signature, names: Sequence[str]) -> Binding:
    """How inputs of these names are given to forward: by name where all names are its own (or **kwargs takes the
    others), by position where none is.

    Raises ConfigError where some are, and where forward needs one that is not among them.
    """
    own = [parameter.name for parameter in signature.parameters]
    known = [name for name in names if name in own]
    if not known:
        by_keyword = signature.more_named and not (own or signature.more) and all(map(_is_word, names))
        return Binding(tuple(names), 0 if by_keyword else len(names), unnamed=_unnamed(signature, names))
    others = [name for name in names if name not in own]
    if others:
        if signature.more and list(names[:len(own)]) == own[:len(names)]:
            return Binding(tuple(names), len(names), unnamed=_unnamed(signature, names))
        if not signature.more_named or any(not _is_word(name) or _misspelt(name, own, names) for name in others):
            raise _partial(own, names)
    lacking = [one.name for one in signature.parameters if one.needed and one.name not in names]
    if lacking:
        raise ConfigError(f"forward takes {', '.join(own)}, and inputs: leaves out {', '.join(lacking)}, "
                          "which it needs",
                          hint=f"add {lacking[0]}: to inputs:, or give it a default in forward")
    return _by_name(signature.parameters, names, others)


def _unnamed(signature: Signature, names: Sequence[str]) -> tuple[str, ...]:
    """Inputs that go to *args, where they are several: a single one cannot be mistaken."""
    beyond = tuple(names[len(signature.parameters):])
    return beyond if signature.more and len(beyond) > 1 else ()


def _by_name(parameters: Sequence[Parameter], names: Sequence[str], others: Sequence[str]) -> Binding:
    """By position up to the last that can be given in no other way, and on to the first that is left out."""
    must = max((place + 1 for place, one in enumerate(parameters) if not one.by_keyword and one.name in names),
               default=0)
    by_place, filled = 0, []
    for place, one in enumerate(parameters):
        if place < must and one.name not in names:
            filled.append((place, _default_text(one)))
        elif not one.by_place or one.name not in names:
            break
        else:
            by_place += 1
    order = (*(one.name for one in parameters if one.name in names), *others)
    return Binding(order, by_place, tuple(filled))


def _default_text(parameter: Parameter) -> str:
    if parameter.default is None or type(parameter.default) in (bool, int, str):
        return repr(parameter.default)
    if isinstance(parameter.default, float):
        return f"float({str(parameter.default)!r})"
    raise ConfigError(f"forward takes {parameter.name} by position only, before one that inputs: gives, and its "
                      f"default, of type {type(parameter.default).__name__}, cannot be put there",
                      hint=f"add {parameter.name}: to inputs:, or let forward take the later ones by keyword")


def _misspelt(name: str, own: Sequence[str], names: Sequence[str]) -> bool:
    """Whether it is nearly one of forward's own that is not given: **kwargs would take it and nobody would know."""
    return bool(difflib.get_close_matches(name, [one for one in own if one not in names], n=1, cutoff=0.8))


def _partial(own: Sequence[str], names: Sequence[str]) -> ConfigError:
    strange = next(name for name in names if name not in own)
    guess = nearest(strange, [name for name in own if name not in names])
    return ConfigError(
        f"some names in inputs: are forward's own and some are not: forward takes {', '.join(own)}, inputs: gives "
        f"{', '.join(names)}, and {strange!r} is none of forward's{guess}",
        hint="use forward's names for all inputs, in any order; or names that are none of them, in forward's order")


def _wrapped(module: nn.Module, names: Sequence[str], binding: Binding, copied: Collection[str], *,
             plain: bool) -> nn.Module:
    """`module` behind a forward that takes `names` by position, and gives tensors."""
    import torch

    words = _parameter_names(names)
    given = {name: f"{word}.clone()" if name in copied else word for name, word in zip(names, words, strict=True)}
    arguments = [given[name] for name in binding.order[:binding.by_place]]
    for place, text in binding.filled:
        arguments.insert(place, text)
    arguments += [f"{name}={given[name]}" for name in binding.order[binding.by_place:]]
    called = f"self.module({', '.join(arguments)})"
    result = called if plain else f"tuple(flat({called}))"
    forward = _compiled(f"def forward(self, {', '.join(words)}):\n    return {result}\n")
    bound: nn.Module = type("Bound", (torch.nn.Module,), {"forward": forward})()
    bound.module = module
    bound.training = False
    return bound


def _parameter_names(names: Sequence[str]) -> list[str]:
    return list(names) if all(map(_is_word, names)) else [f"input_{place}" for place in range(len(names))]


def _is_word(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and name != "self"


def _compiled(text: str) -> Callable[..., Any]:
    """The function of this source text, which TorchScript can read again: it compiles from the text, not the code."""
    file = f"<bench {abs(hash(text)):x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    scope: dict[str, Any] = {"__name__": __name__, "flat": flat}
    exec(compile(text, file, "exec"), scope)
    function: Callable[..., Any] = scope["forward"]
    return function
