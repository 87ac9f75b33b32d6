"""The worst and the most changed images of an evaluation."""

import heapq

import numpy as np

from segprep.evaluation.accumulate import ImageScore


class Ranking:
    """The *most* worst and most changed images so far."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._worst: list[tuple[float, str, ImageScore]] = []
        self._changed: list[tuple[float, str, ImageScore]] = []

    def add(self, score: ImageScore) -> None:
        """Keep *score* if it is one of the worst, or of the most changed, so far."""
        self._push(self._worst, -score.miou, score)
        if score.change:
            self._push(self._changed, abs(score.change), score)

    def _push(
        self, heap: list[tuple[float, str, ImageScore]], key: float, score: ImageScore
    ) -> None:
        if np.isnan(key) or not self.most:
            return
        push = heapq.heappush if len(heap) < self.most else heapq.heappushpop
        push(heap, (key, score.stem, score))

    @property
    def worst(self) -> tuple[ImageScore, ...]:
        """The worst images, the worst first."""
        return _sorted(self._worst)

    @property
    def changed(self) -> tuple[ImageScore, ...]:
        """The images that changed most, the largest change first."""
        return _sorted(self._changed)


def _sorted(heap: list[tuple[float, str, ImageScore]]) -> tuple[ImageScore, ...]:
    return tuple(score for _, _, score in sorted(heap, key=lambda entry: (-entry[0], entry[1])))
