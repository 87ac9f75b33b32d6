"""Blood vessels drawn by hand in retinal photographs: what DRIVE, CHASE_DB1 and STARE share."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import classes
from segprep.errors import SourceError
from segprep.imaging import image, mask_files
from segprep.names import stem_key
from segprep.sources._common.classes import polarity
from segprep.sources._common.pairing import stems
from segprep.types import MAX_PIXELS, Item, Note, Skipped

CLASSES = classes.make([classes.BACKGROUND, "vessel"])
THRESHOLD = (
    polarity.HALF
)  # the drawings are black and white; this decides only where a copy was smoothed


def drawn(data: bytes, path: Path, notes: list[Note], limit: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """1 where the drawing shows white, else 0, (H, W): a palette is read by its colors, and 0/1 as
    black and white.

    A note counts brightnesses in between. Raises SourceError, also for several frames, of which no
    one knows which is meant.
    """
    if image.header(data, path, limit).several:
        raise SourceError(
            path,
            "holds several frames or pages; a mask has one",
            "keep the frame that is the mask",
            "mask-frames",
        )
    shown = mask_files.intensity(data, path, limit)
    if int(shown.max(initial=0)) == 1:
        notes.append(
            Note(
                "values-zero-one",
                f"{path.name} holds 0 and 1 instead of 0 and 255; 1 was read as white",
            )
        )
        return shown
    return polarity.parted(shown, path, notes, "light", THRESHOLD)


@dataclass(frozen=True, slots=True)
class Named:
    """A file that belongs to the photograph called *subject*: its drawing by *annotator*, or ("")
    the photograph itself.
    """

    path: Path
    subject: str
    annotator: str = ""


def without_strangers(root: Path, files: Sequence[Named], notes: list[Note]) -> list[Named]:
    """*files* without the photographs of folders in which none has a drawing, where others do:
    pictures of another set. They are counted in *notes*.
    """
    drawn = {stem_key(file.subject) for file in files if file.annotator}
    photographs = [file for file in files if not file.annotator]
    homes = {file.path.parent for file in photographs if stem_key(file.subject) in drawn}
    strangers = [file for file in photographs if homes and file.path.parent not in homes]
    if strangers:
        first = strangers[0].path.parent.relative_to(root).as_posix()
        reason = f"{len(strangers)} images are in folders without annotations, {first} first"
        notes.append(Note("image-unlabelled", f"{reason}; they were skipped"))
    return [file for file in files if file not in set(strangers)]


def pair(
    root: Path, files: Iterable[Named], annotator: str, drawing_name: Callable[[str], str]
) -> tuple[tuple[Item, ...], list[Skipped]]:
    """Every photograph with its drawing by *annotator*, wherever below *root* they lie; and what
    lacks a partner or has several.

    *drawing_name* gives the file name that the drawing of a subject should have, for the message.
    """
    by_subject: dict[tuple[str, str], list[Path]] = defaultdict(list)
    subjects: dict[str, str] = {}
    for file in files:
        by_subject[stem_key(file.subject), file.annotator].append(file.path)
        subjects.setdefault(stem_key(file.subject), file.subject)
    items, skipped = [], list[Skipped]()
    for key, subject in subjects.items():
        photographs, drawings = by_subject.get((key, ""), []), by_subject.get((key, annotator), [])
        if len(photographs) == len(drawings) == 1:
            items.append(Item(subject, photographs[0], (drawings[0],)))
        elif len(photographs) > 1:
            listed = ", ".join(path.relative_to(root).as_posix() for path in photographs)
            skipped += [
                Skipped(
                    subject,
                    str(path),
                    "image-ambiguous",
                    f"several images are called {subject}: {listed}",
                    "keep one, or give the folder of one copy as SRC",
                )
                for path in photographs
            ]
        elif photographs:
            others = sorted(name for other, name in by_subject if other == key and name)
            skipped.append(
                _undrawn(subject, photographs[0], drawings, drawing_name(subject), others)
            )
        else:
            skipped += [
                Skipped(
                    subject,
                    str(path),
                    "image-missing",
                    f"the image {subject} is missing",
                    "restore the image",
                )
                for path in drawings
            ]
    return stems.unique(items, skipped), skipped


def _undrawn(
    subject: str, photograph: Path, drawings: list[Path], name: str, others: list[str]
) -> Skipped:
    hint = "restore it, or skip the image with --on-error skip"
    if others and not drawings:
        hint = f"give --annotator {others[0]}"
    reason = (
        f"{len(drawings)} files could be its annotation {name}"
        if drawings
        else f"there is no {name}"
    )
    return Skipped(subject, str(photograph), "mask-missing", reason, hint)
