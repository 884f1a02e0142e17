"""Which output is scored: said, or clear, or an error that shows what to write."""

from __future__ import annotations

import pytest

from bench.datasets.scored import scored_output
from bench.errors import ConfigError
from bench.models.spec import Quantization, TensorSpec

FEATURES = TensorSpec("features", (1, 16), "float32")
LOGITS = TensorSpec("logits", (1, 2), "float32")
LABEL = TensorSpec("label", (None,), "int64")
SCORES = TensorSpec("p", (None, 2), "float32")
MASKS = TensorSpec("masks", (1, 8, 32, 32), "float32")


@pytest.mark.parametrize(("outputs", "wanted", "place"), [
    ((LOGITS,), None, 0), ((LABEL, SCORES), None, 1), ((MASKS, LOGITS), None, 1), ((FEATURES, LOGITS), "logits", 1),
    ((FEATURES, LOGITS), 1, 1), ((FEATURES, LOGITS), "features", 0), ((), 1, 1), ((), None, 0),
    ((LABEL, TensorSpec("q", (1, 1, 2), "uint8", Quantization(0.1, 3))), None, 1),
    ((TensorSpec("whole", (1, 10), "int32"),), None, 0)])
def test_the_output_that_is_said_or_clear_is_scored(outputs: tuple[TensorSpec, ...], wanted: str | int | None,
                                                    place: int) -> None:
    assert scored_output(outputs, 1, wanted) == place


def test_several_that_could_be_meant_are_listed_with_what_to_write() -> None:
    listed = r"is not clear: features float32 \(1, 16\), logits float32 \(1, 2\)"
    with pytest.raises(ConfigError, match=listed) as caught:
        scored_output((FEATURES, LOGITS), 1, None)
    assert caught.value.hint == "write in the suite: dataset: {..., output: features or logits}"


def test_labels_decide_where_only_one_output_has_so_many_classes() -> None:
    assert scored_output((LOGITS, FEATURES), 9, None) == 1


@pytest.mark.parametrize(("outputs", "highest", "wanted", "words"), [
    ((LOGITS,), 2, None, "it has 2 classes, and there are labels up to 2"),
    ((FEATURES, LOGITS), 9, "logits", "it has 2 classes, and there are labels up to 9"),
    ((MASKS,), 0, None, r"wanted one score for each class, found the shape \(1, 8, 32, 32\)"),
    ((LABEL,), 0, None, r"wanted one score for each class, found the shape \(\?\)"),
    ((FEATURES, LOGITS), 1, "logit", "no output 'logit', did you mean 'logits'"),
    ((FEATURES, LOGITS), 1, 2, "no output 2: its outputs are features")])
def test_an_output_that_the_labels_do_not_fit_is_refused(outputs: tuple[TensorSpec, ...], highest: int,
                                                         wanted: str | int | None, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        scored_output(outputs, highest, wanted)
