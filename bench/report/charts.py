"""Charts as inline SVG, the same bytes for the same result. Colours are CSS variables, so that they follow the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from bench.errors import MissingExtra
from bench.words import PRECISIONS, RUNTIMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK: Final = "#010101"
MUTED: Final = "#010102"
GRID: Final = "#010103"
PAPER: Final = "#010104"
SERIES: Final = tuple(f"#0202{i:02x}" for i in range(1, 7))
_VARIABLES: Final = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--line)", PAPER: "var(--paper)",
                     **{colour: f"var(--s{i})" for i, colour in enumerate(SERIES)}}
_SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none", "svg.hashsalt": "bench", "text.parse_math": False, "axes.unicode_minus": False,
    "font.family": "DejaVu Sans", "font.size": 9.0, "text.color": INK, "axes.labelcolor": MUTED, "axes.edgecolor": GRID,
    "xtick.color": GRID, "ytick.color": GRID, "xtick.labelcolor": MUTED, "ytick.labelcolor": MUTED,
    "axes.linewidth": 0.8, "grid.color": GRID, "grid.linewidth": 0.6, "axes.spines.top": False,
    "axes.spines.right": False, "axes.axisbelow": True, "legend.frameon": False,
}
MARKERS: Final = dict(zip(PRECISIONS, "osD^vPX", strict=True))


def colour(runtime: str, others: Sequence[str] = ()) -> str:
    """A runtime's colour, the same in every chart; unknown runtimes share what is left, by their place in `others`."""
    if runtime in RUNTIMES:
        return SERIES[RUNTIMES.index(runtime)]
    return SERIES[min(len(RUNTIMES) + (list(others).index(runtime) if runtime in others else 0), len(SERIES) - 1)]


def available() -> bool:
    """Whether matplotlib can be imported."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


@dataclass(frozen=True)
class Frame:
    """Size of a chart and the margins around its axes, in inches; fixed, as matplotlib's own layout is slow."""

    width: float
    height: float
    left: float
    bottom: float
    right: float
    top: float = 0.12

    def rectangle(self) -> tuple[float, float, float, float]:
        """The axes as fractions of the figure: left, bottom, width, height."""
        return (self.left / self.width, self.bottom / self.height, 1 - (self.left + self.right) / self.width,
                1 - (self.bottom + self.top) / self.height)


def drawn(frame: Frame, draw: Callable[[Axes], None], name: str, describe: str) -> str:
    """An `<svg>` element that `draw` has filled; `describe` is its text for those who cannot see it.

    `name` keeps the ids inside apart from those of other charts of the page. Raises MissingExtra without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("matplotlib", "report", "a chart") from error
    with _settings(name):
        figure = Figure(figsize=(frame.width, frame.height))
        figure.patch.set_alpha(0)
        axes = figure.add_axes(frame.rectangle())
        axes.patch.set_alpha(0)
        draw(axes)
        buffer = StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing)
    return _inline(buffer.getvalue(), describe)


def _settings(name: str) -> AbstractContextManager[None]:
    import matplotlib

    return matplotlib.rc_context({**_SETTINGS, "svg.hashsalt": name})


def _inline(svg: str, describe: str) -> str:
    """The `<svg>` element alone: page's font, CSS colours, no metadata, no ids but those that are referred to."""
    from markupsafe import escape

    body = svg[svg.index("<svg"):]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->\s*", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    body = re.sub(r"#010[12][0-9a-f]{2}|#0202[0-9a-f]{2}", lambda match: _VARIABLES.get(match[0], match[0]), body)
    body = re.sub(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" role="img" class="chart">', body, count=1)
    head, rest = body.split(">", 1)
    rest = re.sub(r"\n *", "\n", rest).replace("xlink:href", "href")
    return f"{head}><title>{escape(describe)}</title>{rest}"
