"""A few masks without a pixel of the background, whose colors say that each id is one too high."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.fit import LEAST
from segprep.checks._common.labels import causes, context
from segprep.checks._common.likelihood import (
    HUE,
    LIGHT,
    MOST,
    POSITION,
    color_tables,
    log_shares,
    measured,
)
from segprep.checks._common.survey import Survey
from segprep.types import IGNORE

USUAL = 0.9  # the share of the masks that have background, where its absence says something
GAIN = 0.25  # nats per cell by which the ids less one fit the colors and places better


@lru_cache(maxsize=2)
def shifted(survey: Survey) -> Mapping[str, float]:
    """Stem -> by how many nats per cell lower ids fit better."""
    masks, odd = context(survey), causes(survey)
    if masks.used.get(0, 0) < USUAL * masks.count or masks.used.get(0, 0) == masks.count:
        return {}
    numbers, ids = measured(survey)
    if len(numbers) < LEAST or not 3 <= len(ids) <= MOST or ids != list(range(len(ids))):
        return {}
    totals = np.sum(
        [blocks.sum(1) for blocks in color_tables(survey, ids, HUE, LIGHT, POSITION)], axis=0
    )
    gains = {}
    for number, table in _chosen(survey, numbers, ids):
        pair = survey.pairs[number]
        others = log_shares(totals - table)
        own, lower = (
            float((table[:, 1:] * others[:, start : start + len(ids) - 1]).sum())
            for start in (1, 0)
        )
        gain = (lower - own) / max(float(table[0].sum()), 1.0)
        if gain > GAIN and pair.stem not in odd:
            gains[pair.stem] = gain
    return gains


def _chosen(
    survey: Survey, numbers: Sequence[int], ids: list[int]
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """The masks without background, by number, with their counts (parts, ids, bins)."""
    at = 0
    for blocks in color_tables(survey, ids, HUE, LIGHT, POSITION):
        for n in range(blocks.shape[1]):
            label = survey.pairs[numbers[at]].label
            if label and label.values.keys() - {IGNORE} and 0 not in label.values:
                yield numbers[at], blocks[:, n]
            at += 1
