"""How much of every class each sample has, for stratification."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from segprep import engine
from segprep.dataset.tree import Tree
from segprep.errors import TreeError


def class_amounts(
    home: Tree, stems: Sequence[str], stratify: str, jobs: int
) -> dict[str, list[int]]:
    """Stem -> pixels (or, with *stratify* "presence", 0 or 1) of every class value that occurs.

    Ignored pixels do not count. Raises TreeError for a mask that cannot be read.
    """
    counted: dict[str, Mapping[int, int]] = {}
    if home.manifest:
        counted = {record.stem: record.pixels for record in home.records()}
    else:
        for result in engine.run(_PixelCounts(home), stems, jobs=jobs):
            if isinstance(result, engine.Failure):
                raise TreeError(result.code, f"{result.path}: {result.reason}", result.hint)
            counted[result[0]] = result[1]
    values = sorted({value for pixels in counted.values() for value in pixels} - {255})
    amounts = {stem: [counted[stem].get(value, 0) for value in values] for stem in stems}
    if stratify == "presence":
        return {stem: [int(amount > 0) for amount in row] for stem, row in amounts.items()}
    return amounts


@dataclass(frozen=True, slots=True)
class _PixelCounts:
    home: Tree

    def __call__(self, stem: str) -> tuple[str, dict[int, int]]:
        return stem, self.home.pixels(stem)
