"""What a failed trial says of itself."""

from __future__ import annotations

import pytest

from bench.agents.reasons import one_line, shortened

GRAPH = ("[ONNXRuntimeError] : 1 : FAIL : Load model from model.onnx failed:/onnxruntime_src/onnxruntime/core/graph/"
         "graph.cc:1420 onnxruntime::Graph::Graph(const onnxruntime::Model&, const std::unordered_map<std::__cxx11::"
         "basic_string<char>, int>&, std::function<void(int)>, bool) This is an invalid model. Type Error: x")
RESHAPE = ("Status Message: /onnxruntime_src/core/providers/cpu/tensor/reshape_helper.h:45 onnxruntime::ReshapeHelper::"
           "ReshapeHelper(const onnxruntime::TensorShape&, onnxruntime::TensorShapeVector&, bool) input_shape_size == "
           "size was false. Input shape:{4,4,4}, requested shape:{1,16}")


def test_of_an_import_that_failed_because_another_did_the_innermost_is_told() -> None:
    try:
        try:
            raise ImportError("libstdc++.so.6: cannot open shared object file")
        except ImportError as inner:
            raise ImportError("IMPORTANT: PLEASE READ THIS\n\na page of advice") from inner
    except ImportError as error:
        assert one_line(error) == "ImportError: libstdc++.so.6: cannot open shared object file"


def test_only_the_first_line_that_says_something_is_told() -> None:
    assert one_line(ValueError("\n\n  bad shape\nmore")) == "ValueError: bad shape"
    assert one_line(ValueError()) == "ValueError: no message"


@pytest.mark.parametrize(("said", "told"), [
    (GRAPH,
     "[ONNXRuntimeError] : 1 : FAIL : Load model from model.onnx failed: This is an invalid model. Type Error: x"),
    (RESHAPE, "Status Message: input_shape_size == size was false. Input shape:{4,4,4}, requested shape:{1,16}"),
    ("no such file: /home/ann/net.onnx", "no such file: /home/ann/net.onnx")])
def test_places_in_a_runtimes_sources_make_no_room_for_the_reason_to_be_lost(said: str, told: str) -> None:
    assert shortened(said) == told


@pytest.mark.parametrize("length", [501, 9_999, 1_000_000])
def test_of_a_long_text_beginning_and_end_are_told(length: int) -> None:
    told = shortened("what failed" + "/x.cc:1 f(" * (length // 10) + "because")
    assert told.startswith("what failed") and told.endswith("because") and len(told) <= 500
