"""Whether the model itself scores better than chance on its labels: if not, it is given something wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from bench.datasets import metrics
from bench.errors import BenchError
from bench.run.outputs import rows_of
from bench.run.prepare import OpenedModel, References, cached_references
from bench.stats.binomial import at_least

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.convert.cache import Cache

BY_CHANCE: Final = 0.05
"""A score that chance reaches more often than this is no better than chance."""


def known_by_now(models: Iterable[OpenedModel], cache: Cache) -> list[str]:
    """The warnings for those models whose references are in the cache already; nothing is computed for the others."""
    found = []
    for model in models:
        try:
            references = cached_references(model, cache)
            text = no_better_than_chance(model, references) if references else None
        except BenchError:
            continue  # said when it is computed
        found += [f"warning: {model.name}: {text}"] if text else []
    return found


def no_better_than_chance(model: OpenedModel, references: References) -> str | None:
    """What to warn of when the fp32 reference's own score could be chance; None otherwise, and where so few labels are
    there that a perfect score could be chance, too.

    Chance is the larger of 1 / classes and the share of the most frequent label. Raises ModelError and ConfigError as
    `bench.datasets.metrics.score` does.
    """
    labelled = model.labelled
    if labelled is None or not references.labelled:
        return None
    scores = rows_of(references.labelled[labelled.output])
    found = metrics.score(labelled.metric, scores, labelled.labels)
    if not _could_be_chance(found, labelled.labels, scores.shape[1]):
        return None
    return (f"the {model.precision} model itself scores {100 * found:.1f} % on these {len(labelled.labels)} labels, no "
            "better than chance: right labels, output, scaling?")


def _could_be_chance(score: float, labels: NDArray[np.int64], classes: int) -> bool:
    import numpy as np

    count = len(labels)
    most: Any = np.bincount(labels).max() / count
    share = max(float(most), 1 / classes)
    if share >= 1:
        share = 1 / classes
    if at_least(count, count, share) > BY_CHANCE:
        return False
    return at_least(round(score * count), count, share) > BY_CHANCE
