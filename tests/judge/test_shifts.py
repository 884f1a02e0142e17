from __future__ import annotations

import math
import random
from dataclasses import replace

from bench.judge.shifts import Move, find_shifts, moved_with
from bench.judge.types import Call, CellPair, Verdict
from tests.fakes.compared import timed

MODELS = ("mobilenet", "resnet", "unet")


def moves(ratio: float, call: Call = "worse", *, models: tuple[str, ...] = MODELS, each: int = 4,
          changed: bool = False) -> list[Move]:
    """`each` cells of each model, under two runtimes, about that much slower."""
    return [Move("pixel-8", model, f"{model}-{cell}", "r2", ratio * (1 + 0.004 * (cell - 1)), call,
                 ("onnxruntime", "tflite")[cell % 2], changed) for model in models for cell in range(each)]


def test_a_device_whose_cells_all_slowed_is_called_so() -> None:
    shift, = find_shifts([*moves(1.09)[:-1], replace(moves(1.09)[-1], ratio=1.0, call="same")])
    assert (shift.device, shift.call, shift.moved, shift.cells, shift.run) == ("pixel-8", "worse", 11, 12, "r2")
    assert shift.reason == ("11 of 12 cells of pixel-8 are slower, by 9 % in the middle: look at the device (system, "
                            "heat, power mode) before the models")


def test_the_mirror_image_is_faster() -> None:
    shift, = find_shifts([replace(move, ratio=1 / move.ratio, call="better") for move in moves(1.09)])
    assert shift.call == "better" and math.isclose(1 / shift.ratio, 1.09, rel_tol=0.01)


def test_what_can_be_told_of_too_few_cells_is_not_claimed_of_the_device() -> None:
    found = moves(1.06)
    assert find_shifts([replace(move, call="cannot tell") for move in found]) == ()
    assert find_shifts([*found[:5], *(replace(move, call="cannot tell") for move in found[5:])]) == ()
    assert find_shifts([*found[:6], *(replace(move, call="cannot tell") for move in found[6:])])


def test_a_small_move_is_none() -> None:
    assert find_shifts(moves(1.02)) == ()


def test_one_model_that_slowed_is_not_the_device() -> None:
    rest = moves(1.0, "same", models=("resnet", "unet"))
    assert find_shifts([*moves(1.2, models=("mobilenet",), each=20), *rest]) == ()


def test_one_runtime_that_slowed_is_not_the_device() -> None:
    assert find_shifts([move if move.runtime == "tflite" else replace(move, ratio=1.0, call="same")
                        for move in moves(1.2, each=5)]) == ()
    other = [replace(move, runtime="onnxruntime", ratio=1.0, call="same") for move in moves(1.2, each=3)]
    most = [*(replace(move, runtime="tflite") for move in moves(1.2, each=7)), *other]
    assert find_shifts(most) == () and find_shifts([replace(move, runtime="") for move in most])


def test_most_cells_must_have_moved() -> None:
    def still(*places: int) -> list[Move]:
        return [replace(move, ratio=1.0, call="same") if place in places else move
                for place, move in enumerate(moves(1.09))]

    assert find_shifts(still(0, 1, 4, 5)) and find_shifts(still(0, 1, 4, 5, 8)) == ()


def test_cells_that_moved_by_unlike_amounts_are_no_shift() -> None:
    ratios = [1.01, 1.02, 1.03, 1.04, 1.3, 1.5, 2.0, 2.5, 3.0, 1.1, 0.8, 0.9]
    assert find_shifts([replace(move, ratio=ratio) for move, ratio in zip(moves(1.0), ratios, strict=True)]) == ()


def test_few_models_are_enough_only_where_their_files_did_not_change() -> None:
    assert find_shifts(moves(1.1, models=("mobilenet",), each=8))
    assert find_shifts(moves(1.1, models=("mobilenet",), each=8, changed=True)) == ()
    assert find_shifts(moves(1.1, models=("mobilenet",))) == (), "4 cells"


def test_each_device_and_run_is_looked_at_by_itself() -> None:
    other = [replace(move, device="orin", ratio=1.0, call="same") for move in moves(1.0)]
    assert [shift.device for shift in find_shifts([*moves(1.1), *other])] == ["pixel-8"]
    apart = [replace(move, run=f"r{place}") for place, move in enumerate(moves(1.1))]
    assert find_shifts(apart) == ()


def test_the_order_of_cells_does_not_matter() -> None:
    found = moves(1.1)
    shuffled = random.Random(1).sample(found, len(found))
    assert find_shifts(shuffled) == find_shifts(found)


def test_a_cell_that_slowed_much_more_than_its_device_did_so_by_itself() -> None:
    shifts = find_shifts(moves(1.09))

    def pair(ratio: float, call: Call = "worse", device: str = "pixel-8") -> CellPair:
        return CellPair(timed(device=device), timed(device=device), Verdict(call, ratio, None, None, None, None, ""))
    assert moved_with(pair(1.08), shifts) == shifts[0]
    assert moved_with(pair(1.4), shifts) is None
    assert moved_with(pair(1.08, device="orin"), shifts) is None
    assert moved_with(pair(1.08, "cannot tell"), shifts) is None
