"""What classes lose to shapes painted later, over a whole run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from shlex import quote

from segprep.types import Covered, Note

LEAST = 0.01  # share of a class that is worth a line, where no shape is wholly hidden


@dataclass(frozen=True, slots=True)
class ClassCoverage:
    """How much of class *name* other classes cover: *hidden* of *shapes* shapes wholly, in the
    *images* where it happens; *share* of the area that it would have in the whole dataset; *by* is
    the class that covers most. *overlap* is the rule that was given: what it is, is not advised.
    """

    name: str
    images: int
    shapes: int
    hidden: int
    share: float
    by: str
    overlap: str = "order"

    @property
    def note(self) -> Note:
        """The line that a person sees, with the options that keep the class."""
        order = quote(f"{self.name},{self.by}")
        ways = [f"--overlap priority --priority {order}"]
        if self.overlap == "priority":
            ways = [f"name {quote(self.name)} before {quote(self.by)} in --priority"]
        if self.overlap != "area":
            ways.insert(0, "--overlap area")
        reason = (
            f"{self.name}: {self.hidden} of {self.shapes} shapes in {self.images} images are"
            f" completely covered by later shapes, and {self.share:.0%} of its area, most of it by"
            f" {self.by}; to keep it: {', or '.join(ways)}"
        )
        return Note("class-covered", reason)


def class_coverage(
    notes: Iterable[Note],
    names: Iterable[str],
    visible: Mapping[int, int],
    *,
    overlap: str = "order",
) -> tuple[ClassCoverage, ...]:
    """What the sample *notes* add up to, the greatest loss first; *visible* are the pixels of every
    class id in all masks, *names* the class list, *overlap* the rule that was given.
    """
    losses: dict[str, list[Covered]] = {}
    for note in notes:
        if note.covered is not None:
            losses.setdefault(note.covered.label, []).append(note.covered)
    ids = {name: number for number, name in enumerate(names)}
    summed = []
    for name, parts in losses.items():
        covered = sum(part.covered for part in parts)
        share = covered / max(1, covered + visible.get(ids.get(name, -1), 0))
        takers: dict[str, int] = {}
        for part in parts:
            takers[part.by] = takers.get(part.by, 0) + part.covered
        hidden = sum(part.hidden for part in parts)
        if share >= LEAST or hidden:
            shapes = sum(part.shapes for part in parts)
            by = max(takers, key=lambda label: takers[label])
            summed.append(ClassCoverage(name, len(parts), shapes, hidden, share, by, overlap))
    return tuple(sorted(summed, key=lambda loss: (-loss.share, loss.name)))
