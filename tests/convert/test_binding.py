"""Inputs are bound by name where their names are forward's own, whatever their order; else by position."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.convert.binding import Parameter, Signature, bind, binding_of, bound, load_bound, signature_of
from bench.errors import ConfigError
from bench.models.spec import Source, TensorSpec
from tests.fakes import forwards

ROOT = Path(__file__).parents[2]
NAMES = ("input_ids", "mask", "x", "types", "past", "scale")
FACTORY = Source("torch", "tests.fakes.forwards:ordinary", ROOT, "0")
SOME = tuple(torch.rand(1, 4) for _ in range(3))
BY_NAME = dict(zip(("first", "second", "third"), SOME, strict=True))


def specs(*names: str) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(name, (1, 4), "float32") for name in names)


def module_of(parameters: list[tuple[str, str]]) -> torch.nn.Module:
    """A module whose forward has these parameters ("needed", "optional" or "keyword"), and weighs each by its place."""
    places = [name if kind == "needed" else f"{name}=None" for name, kind in parameters if kind != "keyword"]
    named = [name for name, kind in parameters if kind == "keyword"]
    listed = ", ".join(["self", *places, *(["*", *named] if named else [])])
    terms = " + ".join(f"{7 ** place} * (0 if {name} is None else {name})"
                       for place, (name, _) in enumerate(parameters))
    scope: dict[str, object] = {}
    exec(f"def forward({listed}):\n    return {terms}\n", scope)
    module: torch.nn.Module = type("Made", (torch.nn.Module,), {"forward": scope["forward"]})()
    return module


@st.composite
def callings(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[str]]:
    """A forward's parameters, and names of inputs for it in any order, all that are needed among them."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    kinds = sorted((draw(st.sampled_from(("needed", "optional", "keyword"))) for _ in names),
                   key=("needed", "optional", "keyword").index)
    parameters = list(zip(names, kinds, strict=True))
    given_ = [name for name, kind in parameters if kind != "optional" or draw(st.booleans())]
    assume(given_)
    return parameters, draw(st.permutations(given_))


@settings(deadline=None)
@given(callings())
def test_inputs_of_any_order_give_what_a_call_by_keyword_gives(
        calling: tuple[list[tuple[str, str]], list[str]]) -> None:
    parameters, names = calling
    module = module_of(parameters)
    values = {name: torch.full((1, 4), float(place + 1)) for place, name in enumerate(names)}
    binding = binding_of(FACTORY, module, specs(*names))
    for order in (tuple(names), binding.order):
        taken = bound(module, binding_of(FACTORY, module, specs(*order)), specs(*order))
        assert torch.equal(taken(*(values[name] for name in order)), module(**values))
    assert [name for name, _ in parameters if name in names] == list(binding.order)


@settings(deadline=None)
@given(callings(), st.data())
def test_names_that_are_none_of_forwards_bind_by_position(
        calling: tuple[list[tuple[str, str]], list[str]], data: st.DataObject) -> None:
    parameters = [(name, "needed") for name, _ in calling[0]]
    module, names = module_of(parameters), [f"own_{place}" for place in range(len(parameters))]
    values = [torch.full((1, 4), float(data.draw(st.integers(1, 9)))) for _ in names]
    taken = bound(module, binding_of(FACTORY, module, specs(*names)), specs(*names))
    assert torch.equal(taken(*values), module(*values))


def test_a_name_that_is_not_forwards_among_ones_that_are_is_refused_with_all_of_them() -> None:
    with pytest.raises(ConfigError) as caught:
        load_bound(FACTORY, specs("first", "secnod", "third"))
    assert "forward takes first, second, third, inputs: gives first, secnod, third" in caught.value.message
    assert "'secnod' is none of forward's, did you mean 'second'?" in caught.value.message


def test_an_input_that_forward_needs_and_is_not_given_is_named() -> None:
    with pytest.raises(ConfigError, match="leaves out third, which it needs"):
        load_bound(FACTORY, specs("second", "first"))


def test_arguments_beyond_the_named_ones_are_given_by_position() -> None:
    module = forwards.anything()
    taken = bound(module, binding_of(FACTORY, module, specs("a", "b")), specs("a", "b"))
    assert taken is module
    more = Signature((Parameter("image", True, True),), more=True)
    assert bind(more, ["image", "extra"]).by_place == 2
    with pytest.raises(ConfigError):
        bind(more, ["extra", "image"])


def test_a_forward_of_keywords_alone_gets_them() -> None:
    assert bind(Signature(more_named=True), ["image", "mask"]).by_place == 0


@pytest.mark.parametrize("names", [("x", "mask", "bias"), ("bias", "x", "mask")])
def test_names_that_forward_lacks_go_to_its_keywords(names: tuple[str, ...]) -> None:
    module, values = forwards.more_by_name(), dict(zip(("x", "mask", "bias"), SOME, strict=True))
    taken = bound(module, binding_of(FACTORY, module, specs(*names)), specs(*names))
    assert torch.equal(taken(*(values[name] for name in names)), module(**values))


def test_a_misspelt_name_is_not_swallowed_by_keywords() -> None:
    with pytest.raises(ConfigError, match="did you mean 'scale'"):
        binding_of(FACTORY, forwards.more_by_name(), specs("x", "scael"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("names", [("a", "c"), ("c", "a"), ("e", "a", "c"), ("a", "e")])
def test_a_gap_among_arguments_by_position_only_is_filled_with_the_default(names: tuple[str, ...]) -> None:
    module, values = forwards.by_place_only(), dict(zip(("a", "c", "e"), SOME, strict=True))
    taken = bound(module, binding_of(FACTORY, module, specs(*names)), specs(*names))
    given_ = tuple(values[name] for name in names)
    wanted = module(values["a"], 0.5, values["c"] if "c" in names else None, e=values["e"] if "e" in names else None)
    assert torch.equal(taken(*given_), wanted)
    assert torch.equal(torch.export.export(taken, given_).module()(*given_), wanted)


def test_a_default_that_cannot_be_written_down_is_an_error_that_names_it() -> None:
    parameters = (Parameter("a", True, True, by_keyword=False),
                  Parameter("b", True, False, by_keyword=False, default=object()),
                  Parameter("c", True, False, by_keyword=False))
    with pytest.raises(ConfigError, match="takes b by position only"):
        bind(Signature(parameters), ["a", "c"])
    assert bind(Signature(parameters), ["b", "a"]).filled == ()


def test_a_decorator_that_keeps_what_it_wraps_keeps_the_names() -> None:
    module = forwards.decorated()
    swapped = specs("third", "first", "second")
    binding = binding_of(FACTORY, module, swapped)
    taken = bound(module, binding, swapped)
    assert torch.equal(taken(SOME[2], SOME[0], SOME[1]), module(*SOME)) and not binding.unnamed


def test_inputs_that_only_their_order_tells_apart_are_told() -> None:
    assert binding_of(FACTORY, forwards.nameless(), specs("b", "a", "c")).unnamed == ("b", "a", "c")
    assert binding_of(FACTORY, forwards.nameless(), specs("b")).unnamed == ()
    assert bind(Signature((Parameter("x", True, True),), more=True), ["x", "one", "two"]).unnamed == ("one", "two")


def test_a_module_that_takes_its_inputs_as_they_are_is_not_wrapped() -> None:
    module = forwards.ordinary()
    assert bound(module, binding_of(FACTORY, module, specs("first", "second", "third")),
                 specs("first", "second", "third")) is module


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("factory", ["keyword_only", "optional"])
def test_a_wrapped_module_is_exported_traced_and_scripted_as_any_other(factory: str) -> None:
    source = Source("torch", f"tests.fakes.forwards:{factory}", ROOT, "0")
    module = load_bound(source, specs("first", "second", "third"))
    wanted = getattr(forwards, factory)().eval()
    wanted.load_state_dict(module.module.state_dict())
    expected = wanted(**BY_NAME)
    assert torch.equal(module(*SOME), expected)
    assert torch.equal(torch.export.export(module, SOME).module()(*SOME), expected)
    assert torch.equal(torch.jit.trace(module, SOME)(*SOME), expected)


@pytest.mark.filterwarnings("ignore")
def test_a_wrapper_that_copies_can_be_compiled_from_its_text() -> None:
    module = load_bound(Source("torch", "tests.fakes.forwards:normalising", ROOT, "0"), specs("input/x"), ["input/x"])
    given_ = torch.rand(1, 4)
    before = given_.clone()
    script = torch.jit.script(module)
    assert torch.equal(script(given_), module(given_)) and torch.equal(given_, before)


@pytest.mark.filterwarnings("ignore")
def test_a_torchscript_file_is_bound_by_the_names_in_its_schema(tmp_path: Path) -> None:
    module = torch.jit.script(forwards.ordinary())
    source = Source("torchscript", "net.pt", tmp_path, "0")
    assert [one.name for one in signature_of(source, module).parameters] == ["first", "second", "third"]
    swapped = specs("third", "first", "second")
    taken = bound(module, binding_of(source, module, swapped), swapped)
    assert torch.equal(taken(SOME[2], SOME[0], SOME[1]), module(*SOME))
