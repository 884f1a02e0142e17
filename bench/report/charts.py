"""Charts as inline SVG, the same bytes for the same result, whose colours are CSS variables, so that they follow the
page; and as files of their own, SVG or PNG, in the page's light colours."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any, Final

from bench.errors import MissingExtra
from bench.words import PRECISIONS, RUNTIMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
LIGHT: Final = {INK: "#1a1f26", MUTED: "#5a6472", GRID: "#dde2e8", PAPER: "#ffffff"}
"""The light page's, for files of their own."""
GOOD, BAD, UNCLEAR = "#1b7a4b", "#b3261e", "#8a5a00"
"""Of a verdict in such files."""
DOTS_PER_INCH: Final = 150
_METADATA: Final = ("Date", "Creator", "Format", "Type")
MARKERS: Final = dict(zip(PRECISIONS, "osdD^vPX", strict=True))


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
    with _settings(_SETTINGS | {"svg.hashsalt": name}):
        figure = _figure(frame, draw)
        figure.patch.set_alpha(0)
        figure.axes[0].patch.set_alpha(0)
        buffer = StringIO()
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(_METADATA))
    return _inline(buffer.getvalue(), describe)


def saved(frame: Frame, draw: Callable[[Axes], None], suffix: str, describe: str) -> bytes:
    """A file's content, `.svg` or `.png`, that `draw` has filled. Raises MissingExtra without matplotlib."""
    light = {key: LIGHT.get(value, value) if isinstance(value, str) else value for key, value in _SETTINGS.items()}
    metadata = {"Description": describe} if suffix == ".png" else {**dict.fromkeys(_METADATA), "Title": describe}
    with _settings(light):
        buffer = BytesIO()
        figure = _figure(frame, draw)
        figure.savefig(buffer, format=suffix[1:], metadata=metadata, dpi=DOTS_PER_INCH)
    return buffer.getvalue()


def _figure(frame: Frame, draw: Callable[[Axes], None]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(frame.width, frame.height))
    draw(figure.add_axes(frame.rectangle()))
    return figure


def _settings(values: dict[Any, Any]) -> AbstractContextManager[None]:
    try:
        import matplotlib
    except ImportError as error:
        raise MissingExtra("matplotlib", "report", "a chart") from error
    return matplotlib.rc_context(values)


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
