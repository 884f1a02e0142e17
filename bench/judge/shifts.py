"""Whether a device's cells moved together: the device's doing then, not that of its models."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from bench.judge.types import Call, CellPair, Shift

LEAST_MODELS: Final = 3
LEAST_CELLS: Final = 6
"""Of fewer models than `LEAST_MODELS`, and only cells whose model's file is the same on both sides."""
SHARE: Final = 0.6
LEAST_MOVE: Final = math.log(1.03)
NEAR: Final = 2.0
"""A cell moved with the others when its move lies between the median's over and times this."""
CALLED: Final = 0.5


@dataclass(frozen=True)
class Move:
    """How a cell's latency changed with a run: `ratio` is after over before, `call` what its own verdict says.

    `changed`: the model's file is another than before, so that the move may be the model's own. `runtime`: the one it
    ran under; "" where all are the same or it does not matter.
    """

    device: str
    model: str
    cell: str
    run: str
    ratio: float
    call: Call
    runtime: str = ""
    changed: bool = False


def find_shifts(moves: Sequence[Move]) -> tuple[Shift, ...]:
    """The devices that moved as a whole, by device and run in the order given.

    The rule: of a device's cells, all of them counted, the median ratio lies beyond 3 %; at least 60 % of the cells
    moved in its direction by half to twice its logarithm, and at least half of the cells in 60 % of the models and of
    the runtimes; and half of the cells were called so by their own verdicts, for many cells that each cannot be told
    are no better witnesses than one: they are measured in turn, and what disturbs one disturbs all. There must be cells
    of 3 models, or 6 cells of models whose files did not change.
    """
    groups: dict[tuple[str, str], list[Move]] = {}
    for move in moves:
        groups.setdefault((move.device, move.run), []).append(move)
    return tuple(shift for group in groups.values() if (shift := _shift(group)) is not None)


def moved_with(pair: CellPair, shifts: Iterable[Shift]) -> Shift | None:
    """The shift that accounts for the pair's verdict; None where it moved otherwise, or further."""
    return next((shift for shift in shifts if shift.device == pair.after.device and pair.latency.call == shift.call
                 and _near(math.log(pair.latency.ratio), math.log(shift.ratio))), None)


def _shift(moves: Sequence[Move]) -> Shift | None:
    enough = len({move.model for move in moves}) >= LEAST_MODELS
    if not enough and sum(not move.changed for move in moves) < LEAST_CELLS:
        return None
    logs = [math.log(move.ratio) for move in moves]
    centre = median(logs)
    if abs(centre) < LEAST_MOVE:
        return None
    moved = [move for move, value in zip(moves, logs, strict=True) if _near(value, centre)]
    call: Literal["better", "worse"] = "worse" if centre > 0 else "better"
    if len(moved) < SHARE * len(moves) or sum(move.call == call for move in moved) < CALLED * len(moves):
        return None
    if not (_most(moves, [move.model for move in moves], centre) and _most(moves, [m.runtime for m in moves], centre)):
        return None
    return Shift(moves[0].device, call, math.exp(centre), len(moved), len(moves), moves[0].run,
                 _reason(moves[0].device, len(moved), len(moves), centre))


def _near(value: float, centre: float) -> bool:
    return value * centre > 0 and 1 / NEAR <= value / centre <= NEAR


def _most(moves: Sequence[Move], keys: Sequence[str], centre: float) -> bool:
    """Whether most of the groups that `keys` makes have half of their cells moved like the centre; of two, both."""
    groups: dict[str, list[bool]] = {}
    for move, key in zip(moves, keys, strict=True):
        groups.setdefault(key, []).append(_near(math.log(move.ratio), centre))
    return sum(2 * sum(group) >= len(group) for group in groups.values()) >= SHARE * len(groups)


def _reason(device: str, moved: int, total: int, centre: float) -> str:
    speed = "slower" if centre > 0 else "faster"
    size = f"{100 * abs(math.expm1(centre)):.0f} %"
    return (f"{moved} of {total} cells of {device} are {speed}, by {size} in the middle: "
            "look at the device (system, heat, power mode) before the models")
