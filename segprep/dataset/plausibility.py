"""Do the values of a tree's masks make sense as class ids? What a whole set shows and no single
mask does: 0 and 255 only, background only.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from segprep import engine
from segprep.dataset.manifest import MANIFEST
from segprep.dataset.tree import MASKS, Tree
from segprep.files import walk
from segprep.imaging import image
from segprep.names import natural_key, stem_of
from segprep.types import IGNORE, Classes, Note

MOST = 200  # masks of a tree without a manifest that are looked at


def tree_doubts(
    home: Tree, *, jobs: int = 1, pixels: Mapping[int, int] | None = None
) -> tuple[Note, ...]:
    """What is doubtful about the masks of the tree *home*, as notes about the whole; empty where
    nothing is.

    Counts are *pixels* (value -> count) or come from the records; of a tree without a manifest, 200
    masks are read, evenly spread. Masks that cannot be read do not count: whoever needs them says
    so.
    """
    described = home.manifest
    if described is not None and pixels is not None:
        return doubts(pixels, described.classes, home.root)
    counts: Counter[int] = Counter()
    if described is not None:
        for record in home.records():
            counts.update(record.pixels)
        return doubts(counts, described.classes, home.root)
    for result in engine.run(_MaskPixels(home), spread(home.stems(), MOST), jobs=jobs):
        if not isinstance(result, engine.Failure):
            counts.update(result)
    return (*skipped_masks(home), *doubts(counts, home.classes(), home.root))


def skipped_masks(home: Tree) -> tuple[Note, ...]:
    """A note (mask-not-png) about samples whose masks no command reads; empty where none is."""
    others = _not_png(home)
    if not others:
        return ()
    named = ", ".join(others[:3]) + (" …" if others[3:] else "")
    many = len(others) > 1
    return (
        Note(
            "mask-not-png",
            f"{len(others)} mask{'s are' if many else ' is'} not PNG, so"
            f" {'their samples were' if many else 'its sample was'} skipped: {named}. Save"
            f" {'them' if many else 'it'} as PNG with the same values, or convert the dataset:"
            f" segprep convert {quote(str(home.root))} OUT",
        ),
    )


def _not_png(home: Tree) -> list[str]:
    """Relative paths of the pictures among the masks that are not PNG, of samples that have no PNG.
    None in a tree with a manifest, whose records count.
    """
    if (home.root / MANIFEST).is_file():
        return []
    paths = [path.relative_to(home.root) for path in walk(home.root / MASKS)]
    png = {stem_of(path.as_posix()) for path in paths if path.suffix.lower() == ".png"}
    others = [
        path.as_posix()
        for path in paths
        if path.suffix.lower() in image.SUFFIXES and stem_of(path.as_posix()) not in png
    ]
    return sorted(others, key=natural_key)


def doubts(pixels: Mapping[int, int], classes: Classes | None, root: Path) -> tuple[Note, ...]:
    """What *pixels* (value -> count over a whole set of masks) say against the class list of the
    tree at *root*: notes of code values-unclear or only-background.
    """
    present = {value for value, count in pixels.items() if count}
    if classes is not None and len(classes.names) < 2:
        return ()
    if present == {0, IGNORE}:
        share = pixels[IGNORE] / sum(pixels.values())
        return (
            Note(
                "values-unclear",
                f"the masks hold 0 and 255 only: 255 covers {share:.1%} of the pixels and means"
                f" ignored{_never(classes)}. If 255 is a class, repair the dataset:"
                f" segprep remap {quote(str(root))} OUT --ids 0=background,255=NAME",
            ),
        )
    if present == {0}:
        return (
            Note(
                "only-background",
                f"every pixel of the masks is 0, the background{_never(classes)}. Check how the"
                " masks were exported: are they class ids, and do they belong to these images?",
            ),
        )
    return ()


def spread(stems: Sequence[str], most: int) -> list[str]:
    """At most *most* of *stems*, evenly spread."""
    if len(stems) <= most:
        return list(stems)
    return [stems[n * len(stems) // most] for n in range(most)]


def _never(classes: Classes | None) -> str:
    if classes is None:
        return ""
    others = [f"{n} {name}" for n, name in enumerate(classes.names) if n]
    return f"; no pixel is of class {', '.join(others[:5])}{' …' if len(others) > 5 else ''}"


@dataclass(frozen=True, slots=True)
class _MaskPixels:
    """The pixel counts of one mask, for the engine."""

    home: Tree

    def __call__(self, stem: str) -> dict[int, int]:
        return self.home.pixels(stem)
