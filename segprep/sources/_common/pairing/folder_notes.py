"""What is said of folders of masks: which were joined, and which were left alone."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from segprep.sources._common.pairing.folder_names import split_of
from segprep.sources._common.pairing.name_rules import Folders, image_files
from segprep.sources._common.pairing.repeated_folders import stems
from segprep.types import Note

_NAMED = 6  # folders that a note lists


def joined(root: Path, sizes: Mapping[str, Sequence[tuple[Folders, int]]]) -> list[Note]:
    """A note for each official list (or none) whose samples come from several folders of masks:
    one of these may hold copies, or what was put aside.
    """
    notes = []
    for several in sizes.values():
        if len(several) > 1:
            names = [f"{pair.masks.relative_to(root).as_posix()}/ ({n})" for pair, n in several]
            text = f"masks were taken from {len(names)} folders: {_first(names)}"
            notes.append(Note("folders-chosen", f"{text}; --exclude-folder leaves one alone"))
    return notes


def unlabeled(root: Path, images: Mapping[Path, int]) -> Note:
    """A note on folders below *root* none of whose *images* has a mask, with their numbers."""
    names = [f"{path.relative_to(root).as_posix()} ({count})" for path, count in images.items()]
    text = f"no image has a mask in {_first(names)}: {sum(images.values())} images were skipped"
    return Note("image-unlabelled", text)


def unused(root: Path, pair: Folders) -> list[Note]:
    """Notes on the folders that hold pictures of the same names as the masks, predictions, or
    images without masks.
    """
    texts = []
    if pair.unused:
        taken = pair.masks.relative_to(root).as_posix()
        names = _listed(root, pair.unused)
        texts.append(
            f"the masks are those of {taken}/; {names} has files of the same names: --masks chooses"
        )
    if pair.predicted:
        names = _listed(root, pair.predicted)
        texts.append(
            f"{names} was skipped: by its name it holds predictions; --images and --masks take it"
        )
    own = stems(pair.images) if pair.apart else set()
    same = [
        path
        for path in pair.apart
        if path.parent == pair.images.parent and not split_of(path.name) and own & stems(path)
    ]
    if same:
        taken = pair.images.relative_to(root).as_posix()
        names = _listed(root, same)
        texts.append(
            f"the images are those of {taken}/; {names} has files of the same names: --images"
            " chooses"
        )
    notes = [Note("folders-chosen", text) for text in texts]
    if len(same) < len(pair.apart):
        each = [
            f"{path.relative_to(root).as_posix()}/ ({len(image_files(path))})"
            for path in pair.apart
            if path not in same
        ]
        text = f"no masks pair with the pictures in {_first(each)}; they were left alone"
        notes.append(Note("image-unlabelled", text))
    return notes


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _listed(root: Path, folders: Iterable[Path]) -> str:
    return ", ".join(f"{path.relative_to(root).as_posix()}/" for path in folders)
