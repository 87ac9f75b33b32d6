"""One cause for every mask whose pixel values are not what the class list allows.

The tests run from the most to the least telling evidence, so that a mask gets one cause, not five.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from segprep.checks._common.survey import MaskFacts, Pair, Survey
from segprep.imaging.image import luminance, voc_colors
from segprep.types import IGNORE

MANY = 24  # values beyond the class list that no set of ids has, but a smoothed mask does


def cases(survey: Survey, cause: str) -> Iterator[tuple[Pair, MaskFacts]]:
    """The masks of *survey* with this *cause*, a key of :func:`causes`."""
    pairs = map(survey.pairs.__getitem__, _judged(survey)[1].get(cause, ()))
    return ((pair, pair.label) for pair in pairs if pair.label)


def causes(survey: Survey) -> Mapping[str, str]:
    """Stem -> cause, for the masks that have one."""
    return _judged(survey)[0]


@lru_cache(maxsize=2)
def _judged(survey: Survey) -> tuple[Mapping[str, str], Mapping[str, Sequence[int]]]:
    """The cause of each mask that has one, by stem, and the numbers of the samples by cause."""
    by_stem, others = dict[str, str](), context(survey)
    numbers: dict[str, array[int]] = {}
    for number, pair in enumerate(survey.pairs):
        if (label := pair.label) and (cause := others.cause(label)):
            by_stem[pair.stem] = cause
            numbers.setdefault(cause, array("I")).append(number)
    return by_stem, numbers


class Context:
    """What the other masks say: values in use, palettes, depths. :func:`context` keeps that of a
    survey.
    """

    def __init__(self, survey: Survey) -> None:
        self.ids, self.background = survey.ids, survey.background
        # masks by value, by thick value, and by value that lies between others
        self.used, self.thick, self.between = Counter[int](), Counter[int](), Counter[int]()
        self.count = self.wide = self.blocks = 0
        shares = array("d")  # of ignored pixels, in masks of classes
        for label in (pair.label for pair in survey.labeled):
            if not label:
                continue
            thick = label.values.keys() - label.thin
            self.count += 1
            self.used.update(label.values.keys())
            self.thick.update(thick)
            self.between.update(label.between)
            self.wide += label.mode.startswith("I")
            if any(0 < value < IGNORE for value in label.values) and not self._grays(label):
                shares.append(_share(label, IGNORE))
                self.blocks += IGNORE in thick
        self.classed = len(shares)
        self.ignored_high, self.ignored_low = max(shares, default=0.0), min(shares, default=0.0)
        names = len(survey.classes.names) if survey.classes else 0
        self.names = names
        self.flat = {gray: n for n, gray in enumerate(grays()[: max(names, 21)]) if n} | {
            220: IGNORE
        }

    def cause(self, label: MaskFacts) -> str:
        """The cause of one mask, or ""."""
        if label.fault and not label.fault.startswith("alpha"):
            return "not-whole-numbers"
        if label.fault:
            return "alpha"
        if label.colors:
            return "colors"
        if label.format == "JPEG":
            return "jpeg"
        if label.mode.startswith("I"):
            return self._wide(label)
        outside = self.outside(label)
        present = set(label.values)
        if self._black_and_white(label, present):
            return "black-and-white"
        if outside:
            return self._outside(label, present, outside)
        if 0 not in present and self._shifted(present):
            return "from-one"
        if label.between and all(self.thick.get(v, 0) >= 3 for v in label.between):
            return "smoothed"
        return ""

    def outside(self, label: MaskFacts) -> set[int]:
        """The values of *label* that are neither class ids nor 255; without a class list, those
        that hardly any mask has and that lie beyond what the others hold.
        """
        present = set(label.values)
        if self.ids is not None:
            return present - self.ids
        few = max(1, self.count // 20)
        common = {value for value, count in self.used.items() if count > few}
        top = max(common - {IGNORE}, default=0)
        return {v for v in present if top < v != IGNORE and self.count > 4} if common else set()

    def _grays(self, label: MaskFacts) -> bool:
        """Black, mid-gray and white only, where 128 is not one of the classes."""
        values = label.values.keys()
        return {128, IGNORE} <= values <= {0, 128, IGNORE} and 128 not in (self.ids or ())

    def _wide(self, label: MaskFacts) -> str:
        if max(label.values, default=0) <= IGNORE and self.wide == self.count:
            return (
                self._outside(label, set(label.values), out) if (out := self.outside(label)) else ""
            )
        return "sixteen-bit"

    def _black_and_white(self, label: MaskFacts, present: set[int]) -> bool:
        """0 and 255 (and 128), where 255 cannot be the ignored pixels that others have."""
        if not present <= {0, 128, IGNORE} or IGNORE not in present:
            return False
        if self.ids is not None and 128 in self.ids and 128 in present:
            return False
        if 128 in present:
            return True
        if len(present) == 1:
            return not self.classed and 0 in self.used
        if not self.classed:
            return True
        if _share(label, IGNORE) > max(3 * self.ignored_high, 0.005):
            return True
        if self.classed < 0.9 * self.count:
            return False
        if 3 * _share(label, IGNORE) < self.ignored_low:  # less than the frame that all others have
            return True
        return IGNORE not in label.thin and self.blocks / self.classed < 0.1

    def _outside(self, label: MaskFacts, present: set[int], outside: set[int]) -> str:
        total = sum(label.values.values())
        levels = (self.used.keys() if len(outside) > 1 else present) & {38, 75, 113}
        if present <= {0, *self.flat} and outside <= set(self.flat) and levels:
            return "flattened"
        if len(outside) > MANY:
            return "jpeg" if self._around_extremes(label) else "smoothed"
        if self.ids is not None and outside == {self.names} and self._shifted(present):
            return "from-one"
        few = sum(label.values[v] for v in outside) < 0.2 * total
        if few and outside <= label.thin and 2 * len(outside & label.between) >= len(outside):
            return "smoothed"
        return "outside"

    def _around_extremes(self, label: MaskFacts) -> bool:
        """Whether most stray values cluster beside frequent ones, as JPEG's ringing does."""
        tops = sorted(label.values, key=lambda v: -label.values[v])[:4]
        near = sum(1 for v in label.values if any(0 < abs(v - top) <= 12 for top in tops))
        return near >= 0.5 * len(label.values)

    def _shifted(self, present: set[int]) -> bool:
        """Values from 1 in a set whose masks have 0 (or have none at all, and one more than the
        list has names).
        """
        if self.ids is None or 0 in present or not present - {IGNORE}:
            return False
        if not self.used.get(0):
            return self.names in self.used
        return self.names in present


@lru_cache(maxsize=2)
def context(survey: Survey) -> Context:
    """What the masks of *survey* say of each other."""
    return Context(survey)


@lru_cache(maxsize=1)
def grays() -> tuple[int, ...]:
    """The gray of every color of VOC's map when a palette is flattened (ITU-R 601)."""
    table = voc_colors()
    return tuple(luminance((table[3 * n], table[3 * n + 1], table[3 * n + 2])) for n in range(256))


def _share(label: MaskFacts, value: int) -> float:
    return label.values.get(value, 0) / (sum(label.values.values()) or 1)


def listed(values: Mapping[int, int], only: set[int] | frozenset[int], most: int = 6) -> str:
    """Values with their pixel counts, for a message."""
    chosen = sorted(only & values.keys())
    text = ", ".join(f"{value} ({values[value]:,} px)" for value in chosen[:most])
    return text + (f" and {len(chosen) - most} more" if len(chosen) > most else "")
