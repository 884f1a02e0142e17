"""Direct labels of points that cover neither one another nor a point."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHARACTER, HEIGHT, RADIUS = 5.0, 9.0, 5.0
"""Of a label's text and of a marker, in points."""


class Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: Box) -> bool:
        return (self.left < other.right and other.left < self.right
                and self.bottom < other.top and other.bottom < self.top)


def place(axes: Axes, points: Sequence[tuple[float, float, str, str]], first: Set[tuple[float, float]]) -> None:
    """Write each point's text (x, y, text, colour) at the first free place around it; those at `first` choose first.

    A text without a free place is left out: colour and marker still say what the point is.
    """
    figure = axes.get_figure(root=True)
    if figure is None:
        return
    scale = 72 / figure.dpi
    spots = [axes.transData.transform((x, y)) * scale for x, y, _, _ in points]
    frame = Box(*(float(edge) * scale for edge in axes.bbox.extents))
    taken = [Box(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in spots]
    ranked = sorted(zip(points, spots, strict=True), key=lambda pair: (pair[0][:2] not in first, pair[0][0]))
    for (x, y, text, colour), spot in ranked:
        offset = _free(len(text) * CHARACTER, float(spot[0]), float(spot[1]), taken, frame)
        if offset is not None:
            axes.annotate(text, (x, y), offset, textcoords="offset points", fontsize=8, color=colour, va="center",
                          zorder=4)


def _free(width: float, x: float, y: float, taken: list[Box], frame: Box) -> tuple[float, float] | None:
    """The offset of a free place, which is then taken."""
    for dx, dy in ((8, 0), (-width / 2, 12), (-width / 2, -12), (-width - 8, 0), (6, 9), (6, -9), (-width - 6, 9),
                   (-width - 6, -9), (-width / 2, 22), (-width / 2, -22)):
        box = Box(x + dx, y + dy - HEIGHT / 2, x + dx + width, y + dy + HEIGHT / 2)
        inside = box.left > frame.left and box.bottom > frame.bottom and box.top < frame.top
        if inside and not any(box.meets(other) for other in taken):
            taken.append(box)
            return dx, dy
    return None
