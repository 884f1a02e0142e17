"""What a morning's first screen says: what is broken and what changed, the worst first; one line when nothing did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.judge.types import Comparison
from bench.report import facts
from bench.report.morning import Morning
from bench.report.newsgroups import Group, Tone, find_groups
from bench.report.text import visible


@dataclass(frozen=True)
class Tile:
    """How many cells a word holds for, and the state of the page that shows them."""

    word: str
    count: int
    tone: Tone
    link: str


@dataclass(frozen=True)
class News:
    """`tone` and `word` are the run's state in a word, `sentence` says why, `also` what got better; `against` what it
    was compared with."""

    tone: Tone
    word: str
    sentence: str
    also: str
    against: str
    tiles: tuple[Tile, ...]
    groups: tuple[Group, ...]


def find_news(morning: Morning) -> News:
    """All news of a morning, broken things first."""
    found = find_groups(morning)
    tone, word, sentence, also = _headline(morning, found)
    return News(tone, word, sentence, also, _against(morning), _tiles(morning), found)


def _headline(morning: Morning, groups: Sequence[Group]) -> tuple[Tone, str, str, str]:
    """Tone, word, what is wrong (or that nothing is), and what got better."""
    judged = morning.result.run.judgement
    standing = facts.progress(morning.result)
    bad, doubts, good = ([group.sentence for group in groups if group.tone == tone] for tone in ("bad", "warn", "good"))
    also = "; ".join(good) + "." if good else ""
    if standing:
        begun = "In progress" if morning.result.run.state == "running" else "Interrupted"
        return "warn", begun, _sentence_of(standing, bad), also
    if judged and judged.state != "none":
        tone: Tone = "bad" if judged.state == "red" else "warn" if bad or doubts else "good"
        return tone, judged.state.capitalize(), _sentence(morning, bad, doubts), also
    tone, word = ("bad", "Broken") if bad else ("warn", "Undecided") if doubts else ("quiet", "Well")
    return tone, word, _sentence(morning, bad, doubts), also


def _sentence(morning: Morning, bad: Sequence[str], doubts: Sequence[str]) -> str:
    """What is wrong, or that nothing is known to be; what could not be told is never left unsaid."""
    if bad:
        return "; ".join(bad) + "."
    if doubts:
        return f"Nothing is known to be broken; {'; '.join(doubts)}."
    changed = not morning.comparison or any(pair.latency.call != "same" for pair in morning.comparison.pairs)
    return "Nothing is broken." if changed else "Nothing changed and nothing is broken."


def _sentence_of(standing: str, bad: Sequence[str]) -> str:
    """Of a run that has not ended: how far it came, and what is wrong so far."""
    return f"{standing[0].upper()}{standing[1:]}; {'; '.join(bad) if bad else 'nothing is judged yet'}."


def _against(morning: Morning) -> str:
    told = morning.comparison
    if told is None:
        return "There is no earlier run of this suite to compare with."
    own = f", {facts.counted(len(told.against), 'cell')} against older green results" if told.against else ""
    return f"Against {baseline_name(told)}{own}; a change within {100 * told.margin:g} % counts as none."


def baseline_name(told: Comparison) -> str:
    """`the last green run 20261120-031500-1c2d`."""
    judged = told.before.run.judgement
    green = "the last green " if judged and judged.state == "green" else ""
    return f"{green}run {visible(told.before.label)}"


def _tiles(morning: Morning) -> tuple[Tile, ...]:
    cells, told = morning.result.cells, morning.comparison
    tones: dict[str, Tone] = {"worse": "bad", "better": "good", "same": "quiet", "cannot tell": "warn"}
    tiles: list[Tile] = []
    if told:
        calls = Counter[str](pair.latency.call for pair in told.pairs)
        tiles = [Tile(call, calls[call], tone, _link("change", call)) for call, tone in tones.items()]
        tiles.append(Tile("not comparable", len(told.refused), "warn", _link("change", "not comparable")))
    states = Counter[str](cell.status for cell in cells)
    doubted = sum(cell.status == "ok" and cell.badge == "not trusted" for cell in cells)
    return (*tiles, Tile("failed", states["failed"], "bad", _link("status", "failed")),
            Tile("skipped", states["skipped"], "quiet", _link("status", "skipped")),
            *([Tile("not measured yet", states["pending"], "quiet", _link("status", "pending"))]
              if states["pending"] else []),
            Tile("not trusted", doubted, "warn", _link("badge", "not trusted")))


def _link(name: str, value: str) -> str:
    return f"{name}={value.replace(' ', '+')}"
