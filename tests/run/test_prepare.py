"""Opening a suite's models: what calling them told is known before anything runs."""

from __future__ import annotations

import pytest

from bench.config.load import load_suite
from bench.convert import tools
from bench.errors import ConfigError
from bench.run.prepare import OpenedModel, Unusable, open_models
from tests.fakes.runs import REPOSITORY, Place

FACTORIES = "tests.fakes.forwards"
ROW = "{shape: [1, 4], dtype: float32}"


def opened(place: Place, factory: str, inputs: str) -> OpenedModel | Unusable:
    """The one model of a suite, a factory of tests.fakes.forwards with these inputs."""
    (place.folder / "forwards.py").write_text((REPOSITORY / "tests" / "fakes" / "forwards.py").read_text())
    place.suite(f'net: {{source: {{torch: "forwards:{factory}"}}, inputs: {inputs}}}')
    (model,) = open_models(load_suite(place.folder / "suite.yaml"), place.cache).values()
    return model


def test_inputs_named_as_forward_names_them_are_put_in_its_order(place: Place) -> None:
    model = opened(place, "ordinary", f"{{third: {ROW}, first: {ROW}, second: {ROW}}}")
    assert isinstance(model, OpenedModel) and model.probe is not None
    assert [spec.name for spec in model.inputs] == ["first", "second", "third"] == list(model.probe.order)
    assert model.job.inputs == model.inputs and model.warnings == ()


def test_names_of_which_only_some_are_forwards_are_refused_before_anything_runs(place: Place) -> None:
    with pytest.raises(ConfigError, match=r"model 'net': some names .* forward takes first, second, third") as caught:
        opened(place, "ordinary", f"{{third: {ROW}, first: {ROW}, socend: {ROW}}}")
    assert "did you mean 'second'?" in caught.value.message


def test_a_model_that_does_not_run_is_left_out_with_its_words_and_its_log(place: Place) -> None:
    model = opened(place, "ordinary", f"{{a: {ROW}}}")
    assert isinstance(model, Unusable) and "missing 2 required positional arguments" in model.reason
    assert "Traceback" in model.log


@pytest.mark.parametrize(("factory", "text"), [
    ("remembering", "keeps state between calls (memory)"), ("noisy", "draws random numbers (randn_like)"),
    ("rectifying", "changes its input x in place; it is exported with a copy, which costs 16 bytes")])
def test_what_a_model_does_beside_computing_is_said_in_all_its_rows(place: Place, factory: str, text: str) -> None:
    model = opened(place, factory, f"{{x: {ROW}}}")
    assert isinstance(model, OpenedModel) and any(text in warning for warning in model.planned.warnings)


def test_without_the_models_framework_nothing_is_probed_and_all_goes_on(place: Place,
                                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tools.PACKAGES_OF_KIND, "torch", ("torch", "no-such-distribution"))
    model = opened(place, "ordinary", f"{{third: {ROW}, first: {ROW}, second: {ROW}}}")
    assert isinstance(model, OpenedModel) and model.probe is None
    assert [spec.name for spec in model.inputs] == ["third", "first", "second"]
