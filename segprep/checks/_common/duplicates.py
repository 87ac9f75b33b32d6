"""Images that show the same, pixel for pixel."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from segprep.checks._common.survey import Survey


@lru_cache(maxsize=2)
def groups(survey: Survey) -> list[list[str]]:
    """Stems whose decoded images are equal, in groups of two or more; pictures of one color are
    skipped: they are a fault of their own.
    """

    def told() -> Iterator[tuple[str, str]]:
        return ((p.stem, photo.pixels) for p, photo in survey.images() if photo.levels > 1)

    by_pixels: dict[str, list[str]] = defaultdict(list)
    twice = repeated(lambda: (pixels for _, pixels in told()))
    for stem, pixels in told() if twice else ():
        if pixels in twice:
            by_pixels[pixels].append(stem)
    return list(by_pixels.values())


def repeated(digests: Callable[[], Iterator[str]]) -> set[str]:
    """The hexadecimal *digests* that come more than once. They are asked for twice, so that eight
    bytes of each are held.
    """
    keys = np.sort(np.fromiter((int(digest[:16], 16) for digest in digests()), np.uint64))
    twice = set(keys[1:][keys[1:] == keys[:-1]].tolist())
    once, again = set[str](), set[str]()
    for digest in digests() if twice else ():
        if int(digest[:16], 16) in twice:
            (again if digest in once else once).add(digest)
    return again
