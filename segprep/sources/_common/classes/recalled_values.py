"""The values that masks hold, where no list says what they mean: a run remembers them, so that the
next one reads only masks that have changed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segprep import engine, jsontext
from segprep.files import facts
from segprep.packed import Picked
from segprep.packed_items import PathTexts
from segprep.types import Progress


@dataclass(frozen=True, slots=True)
class MaskValues:
    """Of one mask: pixels by value, and what else its format wants to know (*further*, as JSON has
    it).
    """

    pixels: Mapping[int, int]
    further: Any = None


def of_masks(
    measure: Callable[[Path], MaskValues],
    paths: Sequence[Path],
    kind: str,
    *,
    jobs: int,
    progress: Progress[Any],
    failures: list[engine.Failure],
) -> Iterator[MaskValues]:
    """What *measure* says of the masks at *paths*; those that it cannot read are added to
    *failures*. *kind*: all else that decides, as text; what differs in it is not recalled.
    """

    def read(numbers: Sequence[int]) -> Iterator[bytes | None]:
        chosen = Picked(paths, numbers)
        results = engine.run(_Told(measure), chosen, jobs=jobs)
        for result in progress(results, len(chosen), "reading masks") if chosen else ():
            if isinstance(result, engine.Failure):
                failures.append(result)
            yield None if isinstance(result, engine.Failure) else result

    for told in facts.all_recalled(PathTexts(paths), read, kind):
        if told is not None:
            counts, further = jsontext.parsed(told)
            yield MaskValues(dict(counts), further)


@dataclass(frozen=True, slots=True)
class _Told:
    """What *measure* says of a mask, as JSON, for the engine."""

    measure: Callable[[Path], MaskValues]

    def __call__(self, path: Path) -> bytes:
        values = self.measure(path)
        return jsontext.line([[*values.pixels.items()], values.further])
