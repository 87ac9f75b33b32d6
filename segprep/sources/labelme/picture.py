"""The image that an annotation file belongs to: found on disk or embedded in the file, and the view
of it that was drawn on.

Where several may be meant (the file that imagePath names, the file of the annotation's own name,
the embedded copy), the evidence decides: first the recorded size, then the embedded copy, since
that is what was annotated, by a small thumbnail. Where nothing decides, the candidates are named.
"""

from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from segprep import kernel
from segprep.errors import SourceError
from segprep.files import find_below, read_below
from segprep.imaging import image
from segprep.names import shown, stem_key, stem_of
from segprep.sources._common.images.same_picture import begin_alike, beginning, difference, rows_to
from segprep.sources._common.texts.named_paths import inside, meant
from segprep.sources.labelme import embedded
from segprep.sources.labelme.embedded import View
from segprep.sources.labelme.search import Search, absent, places
from segprep.types import Note

NOISE = 0.25  # gray levels on average: what two encodings of one picture may differ by chance
_INTO = 32  # pixels below a shape's point: what an overlay would have painted
_OTHER = "shows another image than the copy"
_UNUSABLE = ("size-mismatch", "image-damaged", "image-unsupported", "empty-file", "lfs-pointer")


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
    files = [] if search.image_from == "embedded" else places(search)
    usable, refused = _usable(search, files)
    if not refused and _is_trusted(search, usable):
        return usable[0].view, list(usable[0].notes)
    copy, more = embedded.copy_of(search, needed=not usable)
    if copy is None:
        if refused and not usable:
            raise refused[0]
        if not usable:
            raise absent(search)
        undecided = _undecided(search, usable)
        return undecided.view, [
            *undecided.notes,
            *_elsewhere(search, undecided),
            *_rejected(refused),
            *more,
        ]
    chosen, reason = _like_copy(search, usable, copy)
    if chosen is None:
        return copy, [*more, _embedded_note(reason, refused)]
    notes = [*chosen.notes, *_elsewhere(search, chosen), *_rejected(refused)]
    if reason:
        notes.append(Note("image-disagrees", reason))
    if search.compare:
        notes += embedded.compared(search, chosen.file, chosen.view.data, copy.data)
    return chosen.view, notes


def _embedded_note(reason: str, refused: Sequence[SourceError]) -> Note:
    """Why the embedded copy was used, and not a file."""
    if _OTHER in reason:
        return Note("image-disagrees", f"the embedded copy (imageData) was used{reason}")
    unusable = "".join(f" because {error.path.name} {error.reason}" for error in refused[:1])
    return Note("image-embedded", f"the embedded copy (imageData) was used{reason or unusable}")


def _usable(
    search: Search, places: Sequence[tuple[Path, str]]
) -> tuple[list[Candidate], list[SourceError]]:
    """The files whose header fits the annotation, and why the others do not.

    Raises SourceError for a file that must not be opened.
    """
    usable, refused = [], []
    for file, how in places:
        try:
            data = read_below(file, search.roots)
            view, notes = embedded.view_of(search, file, data)
        except SourceError as error:
            if error.code not in _UNUSABLE or (len(places) == 1 and not search.embedded):
                raise
            refused.append(SourceError(file, error.reason, error.hint, error.code))
        else:
            usable.append(Candidate(file, how, view, tuple(notes)))
    return usable, refused


def _like_copy(
    search: Search, usable: Sequence[Candidate], copy: View
) -> tuple[Candidate | None, str]:
    """The file that shows the picture of the embedded *copy*, and why, if it is not the first;
    None, and why, where no file shows it.
    """
    scores: list[tuple[float, Candidate]] = []
    reasons = []
    for candidate in usable:
        try:
            score = difference(candidate.view.data, copy.data, candidate.file, search.limit)
        except SourceError as error:
            reasons.append(f"{_told(candidate, usable)} {error.reason}")
            continue
        if score is None:
            reasons.append(f"{_told(candidate, usable)} {_OTHER}")
        else:
            scores.append((score, candidate))
    if not scores:
        return None, f" because {', and '.join(reasons)}" if reasons else ""
    least = min(score for score, _ in scores)
    chosen = next(candidate for score, candidate in scores if score <= least + NOISE)
    if chosen is usable[0]:
        return chosen, ""
    return chosen, (
        f"imagePath names {_told(usable[0], usable)}, which shows another image than the embedded"
        f" copy; {_told(chosen, usable)} agrees with the copy and was used"
    )


def _told(candidate: Candidate, usable: Sequence[Candidate]) -> str:
    """The file name of *candidate*, with its folder where others have it, too."""
    file = candidate.file
    alike = sum(other.file.name == file.name for other in usable) > 1
    return f"{file.parent.name}/{file.name}" if alike else file.name


def _is_trusted(search: Search, usable: Sequence[Candidate]) -> bool:
    """Whether path and name agree on one whole JPEG that is the embedded copy, or begins as it
    does, down to where the first shape is drawn: to decode both in full would cost too much.
    """
    if search.doubted or search.compare or search.image_from != "auto" or len(usable) != 1:
        return False
    (candidate,) = usable
    file, data = candidate.file, candidate.view.data
    own = stem_key(stem_of(file.name)) == stem_key(stem_of(search.path.name))
    whole = data.startswith(b"\xff\xd8") and data.rstrip(b"\0\r\n ").endswith(b"\xff\xd9")
    if not (own and whole and search.embedded) or candidate.how:
        return False
    size, length = candidate.view.size, len(search.embedded) // 4 * 3
    if image.header(data, file, search.limit).orientation > 1:
        return False
    if 0 <= length - len(data) <= 2 and _is_encoded(search.embedded, data):
        return True
    rows = rows_to(search.topmost() + _INTO)
    copy = embedded.beginning(search.embedded, beginning(length, size, rows))
    return begin_alike(data, copy, file, size=size, rows=rows, limit=search.limit)


def _is_encoded(text: bytes, data: bytes) -> bool:
    """Whether *text* is *data* in base64, in one line."""
    if kernel.compiled is not None:
        return kernel.compiled.is_base64(text, data)
    return text == b2a_base64(data, newline=False)


def _undecided(search: Search, usable: Sequence[Candidate]) -> Candidate:
    """The candidate where no embedded copy decides. Raises SourceError where two may be meant."""
    first, *others = usable
    if search.against and search.image_from == "auto":
        reason = (
            f"{first.file.name} may not be what was annotated: in this folder, {search.against}"
        )
        hint = (
            "put the originals there; or, if these files are what was annotated, say so:"
            " --image-from path or --image-from name"
        )
        raise SourceError(search.path, reason, hint, "image-ambiguous")
    for other in others:
        data = first.view.data, other.view.data
        try:
            same = difference(*data, other.file, search.limit) is not None
        except SourceError:
            same = False
        if not same:
            reason = (
                f"imagePath names {first.file.name}, but {other.file.name} has the annotation's own"
                " name and shows another picture; it is unclear which was annotated"
            )
            hint = "say which: --image-from path or --image-from name, or fix imagePath"
            raise SourceError(search.path, reason, hint, "image-ambiguous")
    return first


def _elsewhere(search: Search, chosen: Candidate) -> list[Note]:
    if not chosen.how or search.image_from == "name":
        return []
    if not search.named:
        reason = f"imagePath is empty; {chosen.file.name} was found {chosen.how}"
        return [Note("image-found-elsewhere", reason)]
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
