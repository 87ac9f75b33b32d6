"""The image that an annotation file belongs to: found on disk or embedded in the file, and the view
of it that was drawn on.

Where several may be meant (the file that imagePath names, the file of the annotation's own name,
the embedded copy), the evidence decides: first the recorded size, then the embedded copy, since
that is what was annotated, by a small thumbnail. Where nothing decides, the candidates are named.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Annotated, Literal

import numpy as np

from segprep.dataset.samples import pick
from segprep.errors import SourceError
from segprep.files import digest, find_below, read_below
from segprep.imaging import image
from segprep.names import shown, stem_key, stem_of
from segprep.sources._common.named_paths import escapes, inside, meant
from segprep.sources._common.same_picture import difference
from segprep.types import Note

ImageFrom = Annotated[
    Literal["auto", "path", "name", "embedded"],
    "Which image an annotation means: auto = by evidence, an error where two fit, path = the one"
    " that imagePath names, name = the one of the annotation's own name, embedded = imageData.",
]
NOISE = 0.25  # gray levels on average: what two encodings of one picture may differ by chance
_OTHER = "shows another picture than the copy"
_UNUSABLE = ("size-mismatch", "image-damaged", "image-unsupported")


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look for the image of the annotation *path*.

    *named* is the path it names, *embedded* its base64 copy, *recorded* the (H, W) it was made on,
    *reach* tells the (H, W) that its points need; *near* are the images of its name beside it,
    *below* those below further roots. With *compare*, file and copy are compared pixel by pixel.
    *doubted*: in this folder, a file of the annotation's own name may show another picture than the
    copy.
    """

    path: Path
    named: str
    embedded: bytes | None
    recorded: tuple[int, int] | None
    reach: Callable[[], tuple[float, float]]
    near: Sequence[Path]
    below: Sequence[Path]
    roots: tuple[Path, ...]
    image_from: str
    compare: bool
    limit: int
    doubted: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """The bytes of an image, whether shapes were drawn on its *upright* picture, and the *size* (H,
    W) of the view they were drawn on.
    """

    data: bytes
    upright: bool
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image file that may be meant, *how* it was found ("" where imagePath names it), and what
    was annotated if it is the one.
    """

    file: Path
    how: str
    view: View
    notes: tuple[Note, ...]


def view_of(search: Search) -> tuple[View, list[Note]]:
    """The image and the view that was annotated, and what a person should know of the choice.

    Raises SourceError: no image, an unusable one, or two that may be meant.
    """
    places = [] if search.image_from == "embedded" else _places(search)
    usable, refused = _usable(search, places)
    copy = _copy(search, needed=not usable)
    if copy is None:
        if refused and not usable:
            raise refused[0]
        if not usable:
            raise _absent(search)
        undecided = _undecided(search, usable)
        return undecided.view, [
            *undecided.notes,
            *_found(search, undecided),
            *_rejected(refused),
        ]
    chosen, reason = _like_copy(search, usable, copy[0])
    if chosen is None:
        return copy[0], [*copy[1], _embedded_note(reason, refused)]
    notes = [*chosen.notes, *_found(search, chosen), *_rejected(refused)]
    if reason:
        notes.append(Note("image-disagrees", reason))
    if search.compare:
        notes += _compared(search, chosen, copy[0].data)
    return chosen.view, notes


def _embedded_note(reason: str, refused: Sequence[SourceError]) -> Note:
    """Why the embedded copy was used, and not a file."""
    if _OTHER in reason:
        return Note("image-disagrees", f"the embedded copy (imageData) was used{reason}")
    unusable = "".join(f" because {error.path.name} {error.reason}" for error in refused[:1])
    return Note("image-embedded", f"the embedded copy (imageData) was used{reason or unusable}")


def _places(search: Search) -> list[tuple[Path, str]]:
    """The files that may be meant, the one that imagePath names first, and how each was found.

    The path *named* (either kind of slash, drive letters dropped) is tried from the annotation's
    folder; then its file name there; the image of the annotation's own name; and, if there is none
    of these, below each further root the named path, its file name, and the images of that name.
    Only paths below the roots are ever looked at.
    """
    beside, roots = search.path.parent, search.roots
    places: list[tuple[Path, str]] = []
    tail = _tail(search.named)
    if tail and search.image_from != "name":
        exact = meant(search.named, beside)
        if inside(exact, roots) and find_below(exact, roots):
            places.append((exact, ""))
        elif find_below(beside / tail[-1], roots):
            places.append((beside / tail[-1], "by its file name beside the annotation"))
    if search.image_from != "path" and not (places and places[0][0] in search.near):
        own = pick(search.near, "several images beside the annotation have its name")
        if own is not None and find_below(own, roots):
            places.append((own, "by the annotation's own name"))
    return places or _further(search, tail)


def _tail(named: str) -> list[str]:
    """The parts of a named path that may be looked for; none of a URL, or of another annotation."""
    pure = PureWindowsPath(named)
    tail = [part for part in pure.parts if part not in (pure.anchor, "..", ".")]
    return [] if "://" in named or (tail and tail[-1].lower().endswith(".json")) else tail


def _further(search: Search, tail: Sequence[str]) -> list[tuple[Path, str]]:
    """The image below the folders of --image-root, if there is one."""
    if search.image_from != "name":
        for root in search.roots[1:]:
            for part in range(len(tail)):
                if find_below(root.joinpath(*tail[part:]), search.roots):
                    return [(root.joinpath(*tail[part:]), "below --image-root")]
    if search.image_from == "path":
        return []
    reason = f"several images below --image-root are called {stem_of(search.path.name)}"
    image_file = pick(search.below, reason)
    how = "below --image-root, by the annotation's own name"
    return [(image_file, how)] if image_file else []


def _usable(
    search: Search, places: Sequence[tuple[Path, str]]
) -> tuple[list[Candidate], list[SourceError]]:
    """The files whose header fits the annotation, and why the others do not.

    Raises SourceError for a file that must not be opened.
    """
    usable, refused = [], []
    for file, how in places:
        data = read_below(file, search.roots)
        try:
            view, notes = _view(search, file, data)
        except SourceError as error:
            if error.code not in _UNUSABLE or (len(places) == 1 and not search.embedded):
                raise
            refused.append(SourceError(file, error.reason, error.hint, error.code))
        else:
            usable.append(Candidate(file, how, view, tuple(notes)))
    return usable, refused


def _copy(search: Search, *, needed: bool) -> "tuple[View, list[Note]] | None":
    """The embedded copy, unless there is none, another source of the image was asked for, or it is
    stale: of another size than the annotation records, or too small for its points.

    Raises SourceError for a bad copy, if it is *needed*.
    """
    if not search.embedded or search.image_from in ("path", "name"):
        return None
    try:
        view, notes = _view(
            search, search.path, decoded(search.path, search.embedded), "imageData: "
        )
    except SourceError:
        if needed:
            raise
        return None
    stale = search.recorded is None and any(
        need > there + 1 for need, there in zip(search.reach(), view.size, strict=True)
    )
    return None if stale and not needed else (view, notes)


def _like_copy(
    search: Search, usable: Sequence[Candidate], copy: View
) -> tuple[Candidate | None, str]:
    """The file that shows the picture of the embedded *copy*, and why, if it is not the first;
    None, and why, where no file shows it.
    """
    if not search.doubted and _is_trusted(search, usable):
        return usable[0], ""
    scores: list[tuple[float, Candidate]] = []
    reasons = []
    for candidate in usable:
        try:
            score = difference(candidate.view.data, copy.data, candidate.file, search.limit)
        except SourceError as error:
            reasons.append(f"{candidate.file.name} {error.reason}")
            continue
        if score is None:
            reasons.append(f"{candidate.file.name} {_OTHER}")
        else:
            scores.append((score, candidate))
    if not scores:
        return None, f" because {', and '.join(reasons)}" if reasons else ""
    least = min(score for score, _ in scores)
    chosen = next(candidate for score, candidate in scores if score <= least + NOISE)
    if chosen is usable[0]:
        return chosen, ""
    return chosen, (
        f"imagePath names {usable[0].file.name}, which shows another picture than the embedded"
        f" copy; {chosen.file.name} agrees with the copy and was used"
    )


def _is_trusted(search: Search, usable: Sequence[Candidate]) -> bool:
    """Whether path and name agree on one whole JPEG: decoding it would cost a third of the run."""
    if len(usable) != 1:
        return False
    file, data = usable[0].file, usable[0].view.data
    own = stem_key(stem_of(file.name)) == stem_key(stem_of(search.path.name))
    whole = data.startswith(b"\xff\xd8") and data.rstrip(b"\0\r\n ").endswith(b"\xff\xd9")
    return own and not usable[0].how and whole


def _undecided(search: Search, usable: Sequence[Candidate]) -> Candidate:
    """The candidate where no embedded copy decides. Raises SourceError where two may be meant."""
    first, *others = usable
    for other in others:
        data = first.view.data, other.view.data
        try:
            same = difference(*data, other.file, search.limit) is not None
        except SourceError:
            same = False
        if not same:
            reason = (
                f"imagePath names {first.file.name}, but {other.file.name} has the annotation's own"
                " name and shows another picture; nothing tells which was annotated"
            )
            hint = "say which: --image-from path or --image-from name, or fix imagePath"
            raise SourceError(search.path, reason, hint, "image-ambiguous")
    return first


def _found(search: Search, chosen: Candidate) -> list[Note]:
    if not chosen.how or search.image_from == "name":
        return []
    reason = (
        f"imagePath {shown(search.named)} is not there; {chosen.file.name} was found {chosen.how}"
    )
    if (
        search.named
        and PureWindowsPath(search.named).name != chosen.file.name
        and inside(meant(search.named, search.path.parent), search.roots)
        and find_below(meant(search.named, search.path.parent), search.roots)
    ):
        reason = f"{chosen.file.name} was found {chosen.how}"
    return [Note("image-found-elsewhere", reason)]


def _rejected(refused: Sequence[SourceError]) -> list[Note]:
    """A note for each file that was not taken although its name fits."""
    return [
        Note("image-disagrees", f"{error.path.name} was not used: {error.reason}")
        for error in refused
    ]


def _absent(search: Search) -> SourceError:
    """There is no image at all."""
    hint = "name the images' folder with --image-root"
    named = shown(search.named)
    if escapes(search.named, search.path.parent, search.roots):
        reason = (
            f"imagePath: {named!r} lies outside the source folder and is not opened; no image has"
            " the annotation's name, imageData is empty"
        )
        return SourceError(search.path, reason, hint, "path-outside-root")
    reason = (
        f"no image: imagePath {named!r} is not in the source folder, no image has the annotation's"
        " name, imageData is empty"
    )
    return SourceError(search.path, reason, hint, "image-missing")


def decoded(path: Path, embedded: bytes, address: str = "imageData") -> bytes:
    """The bytes behind base64 text, which may be broken into lines and begin as a data: URL, but
    holds nothing else. Raises SourceError.
    """
    if embedded[:5].lower() == b"data:":
        embedded = embedded.partition(b",")[2]
    for text in (embedded.strip(), b"".join(embedded.split())):
        try:
            return base64.b64decode(text, validate=True) or b"\0"
        except (binascii.Error, ValueError) as error:
            reason = f"{address}: is not base64: {error}"
    raise SourceError(path, reason, "give the image file, or annotate again", "bad-image-data")


def _view(search: Search, path: Path, data: bytes, address: str = "") -> tuple[View, list[Note]]:
    """labelme has shown pictures upright since version 3; older files, and other tools, may have
    drawn on the stored rows.
    """
    try:
        head = image.header(data, path, search.limit)
    except SourceError as error:
        raise SourceError(path, address + error.reason, error.hint, error.code) from error
    upright, stored = head.shape(upright=True), head.shape(upright=False)
    if search.recorded is not None and search.recorded not in (upright, stored):
        raise _other_size(search.recorded, upright, path, address)
    notes = []
    if head.orientation > 1 and (search.recorded is None or upright == stored):
        reason = (
            f"EXIF orientation {head.orientation}: assumed annotated after EXIF rotation; please"
            " check"
        )
        notes.append(Note("orientation-unclear", reason))
    drawn_upright = search.recorded in (None, upright)
    return View(data, drawn_upright, upright if drawn_upright else stored), notes


def _other_size(
    recorded: tuple[int, int], size: tuple[int, int], path: Path, address: str
) -> SourceError:
    height, width = recorded
    reason = (
        f"{address}the image is {size[1]}x{size[0]}, the annotation was made on {width}x{height}"
    )
    hint = "restore the image that was annotated"
    if recorded == size[::-1]:
        reason += ": width and height are swapped"
        hint = "if only the numbers are swapped, delete imageHeight and imageWidth from the JSON"
    return SourceError(path, reason, hint, "size-mismatch")


def _compared(search: Search, chosen: Candidate, copy: bytes) -> list[Note]:
    """A note if the image file and the embedded copy differ by more than re-encoding does."""
    data = chosen.view.data
    if digest(data) == digest(copy):
        return []
    first = image.pixels(data, chosen.file, limit=search.limit)
    second = image.pixels(copy, search.path, limit=search.limit)
    if first.shape != second.shape:
        return []
    mean = float(np.abs(first.astype(np.int16) - second).mean())
    spread = float(first.std() + second.std()) / 2
    if mean <= 1 + 0.1 * spread:
        return []
    reason = f"{chosen.file.name} and the embedded copy differ by {mean:.1f} gray levels on average"
    return [Note("image-disagrees", reason)]
