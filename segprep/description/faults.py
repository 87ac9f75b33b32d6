"""What is wrong with a dataset, in words: files that are not as they were written, lists that
contradict each other, values that are not class ids.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from segprep.dataset.changes import Changes
from segprep.dataset.manifest import Manifest
from segprep.dataset.tree import IMAGES, LISTS, MASKS, SPLITS, Tree
from segprep.dataset.tree_files import class_files
from segprep.errors import SourceError
from segprep.files import digest, read_below, read_inside
from segprep.imaging import image
from segprep.types import IGNORE, Classes

FEW = 5


def described_faults(home: Tree, described: Manifest, state: Changes) -> Iterator[str]:
    """Where the tree *home* differs from what its manifest says."""
    kinds = (
        ("changed since conversion", state.changed),
        ("missing", state.missing),
        ("in no record", state.added),
    )
    for what, names in kinds:
        if names:
            yield f"{what}: {len(names)} {_files(names)}: {few(names)}"
    for name, content in class_files(described.classes).items():
        path = home.root / name
        if not path.is_file():
            yield f"missing: {name}"
        elif not _holds(home.root, name, content):
            yield f"changed since conversion: {name}; the classes are {_names(described.classes)}"
    for name, expected in described.lists.items():
        listed = home.text(f"{LISTS}/{name}.txt")
        if listed is None:
            yield f"missing: {LISTS}/{name}.txt"
        elif digest(listed) != expected:
            yield f"changed since it was written: {LISTS}/{name}.txt"


def list_faults(lists: Mapping[str, Sequence[str]], stems: set[str]) -> Iterator[str]:
    """Lists that name a sample twice, a sample that is not there, or one of another list."""
    for name, members in lists.items():
        if strangers := [*dict.fromkeys(stem for stem in members if stem not in stems)]:
            yield f"{name}.txt names {len(strangers)} samples that are not here: {few(strangers)}"
        if len(set(members)) < len(members):
            twice = [stem for stem, times in Counter(members).items() if times > 1]
            yield f"{name}.txt names {len(twice)} samples twice: {few(twice)}"
    for n, first in enumerate(SPLITS):
        for second in SPLITS[n + 1 :]:
            both = sorted(set(lists.get(second, ())).intersection(lists.get(first, ())))
            if both:
                yield f"in {first}.txt and {second}.txt: {len(both)} samples: {few(both)}"


def unknown_ids(pixels: Mapping[int, int], classes: Classes | None) -> Iterator[str]:
    """Pixel values that are neither a class of the list nor 255."""
    if classes is None:
        return
    strange = {
        value: count
        for value, count in sorted(pixels.items())
        if value >= len(classes.names) and value != IGNORE
    }
    if strange:
        listed = few([f"{value} ({count:,} pixels)" for value, count in strange.items()])
        yield f"values that are not in the class list of {len(classes.names)}: {listed}"


def sizes_differ(home: Tree, stem: str, size: tuple[int, int], read_image: bool) -> Iterator[str]:
    """The image of *stem* is missing, or (with *read_image*) has another size than its mask."""
    path = home.image_path(stem)
    if path is None:
        yield f"{IMAGES}/{stem}.* is missing (there is {MASKS}/{stem}.png)"
    elif read_image:
        try:
            folder = path.parent.resolve()
            head = image.header(read_below(folder / path.name, (folder,)), path)
        except SourceError as error:
            yield f"{path}: {error.reason}"
            return
        shapes = {head.shape(upright)[::-1] for upright in (True, False)}
        if size not in shapes:
            width, height = head.shape(True)[::-1]
            yield f"{stem}: the image is {width}x{height}, its mask {size[0]}x{size[1]} pixels"


def few(names: Sequence[str]) -> str:
    """The first few *names*, and how many more."""
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + more


def _files(names: Sequence[str]) -> str:
    return "file" if len(names) == 1 else "files"


def _names(classes: Classes) -> str:
    return ", ".join(classes.names[:8]) + (" …" if len(classes.names) > 8 else "")


def _holds(root: Path, name: str, content: bytes) -> bool:
    try:
        return read_inside(root, name) == content
    except SourceError:
        return False
