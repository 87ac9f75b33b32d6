"""The image files that an annotation may mean: the one that it names, the one of its own name, and
those of that name in other folders.
"""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Annotated, Literal

from segprep.dataset.same_name import pick
from segprep.errors import SourceError
from segprep.files import find_below
from segprep.names import shown, stem_of
from segprep.sources._common.texts.named_paths import escapes, inside, is_file_name, meant

ImageFrom = Annotated[
    Literal["auto", "path", "name", "embedded"],
    "Which image an annotation belongs to: auto = by evidence, an error where two fit; path ="
    " the one that imagePath names; name = the one with the annotation's own name; embedded ="
    " imageData.",
]


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look for the image of the annotation *path*.

    *named* is the path it names, *embedded* its base64 copy, *recorded* the (H, W) it was made on,
    *reach* tells the (H, W) that its points need, *topmost* a row where something is drawn; *near*
    are the images of its name beside it, *below* those anywhere below the roots that no annotation
    beside them claims. With *compare*, file and copy are compared pixel by pixel. *doubted*: in
    this folder, a file of the annotation's own name may show another image than the copy;
    *against* says what speaks against the file of an annotation that has no copy.
    """

    path: Path
    named: str
    embedded: bytes | None
    recorded: tuple[int, int] | None
    reach: Callable[[], tuple[float, float]]
    topmost: Callable[[], float]
    near: Sequence[Path]
    below: Sequence[Path]
    roots: tuple[Path, ...]
    image_from: str
    compare: bool
    limit: int
    doubted: bool = True
    against: str = ""


def places(search: Search) -> list[tuple[Path, str]]:
    """The files that may be meant, the one that imagePath names first, and how each was found.

    The path *named* (either kind of slash, drive letters dropped) is tried from the annotation's
    folder; then its file name there; the image of the annotation's own name; and, if there is none
    of these, below each further root the named path and its file name, and below all roots the
    images of the annotation's name. Only paths below the roots are ever looked at.
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
    if is_file_name(named):
        tail = [named]
    else:
        pure = PureWindowsPath(named)
        tail = [part for part in pure.parts if part not in (pure.anchor, "..", ".")]
    return [] if "://" in named or (tail and tail[-1].lower().endswith(".json")) else tail


def _further(search: Search, tail: Sequence[str]) -> list[tuple[Path, str]]:
    """The images in other folders: of several with the annotation's name, the embedded copy has to
    tell. Raises SourceError where there is none.
    """
    if search.image_from != "name":
        for root in search.roots[1:]:
            for part in range(len(tail)):
                if find_below(root.joinpath(*tail[part:]), search.roots):
                    return [(root.joinpath(*tail[part:]), "below --image-root")]
    if search.image_from == "path":
        return []
    images = list(search.below)
    if not search.embedded or search.image_from == "name":
        reason = f"several images are called {stem_of(search.path.name)}"
        image_file = pick(images, reason, hint=_ways(images))
        images = [image_file] if image_file else []
    return [(file, f"{_where(file, search)}, by the annotation's own name") for file in images]


def _ways(images: Sequence[Path]) -> str:
    """How a person says which of *images*, which have one name, is meant."""
    folders = sorted(
        {path.parent.name for path in images[1:]} - {path.parent.name for path in images[:1]}
    )
    if not folders:
        return "keep one of them, or set imagePath"
    leave = " ".join(f"--exclude-folder {shlex.quote(name)}" for name in folders)
    return f"if {images[0].parent.name}/ holds the images: {leave}; or set imagePath"


def _where(file: Path, search: Search) -> str:
    """In words, in which folder *file* was found."""
    if not file.is_relative_to(search.roots[0]):
        return "below --image-root"
    return f"in {file.parent.relative_to(search.roots[0]).as_posix()}/"


def absent(search: Search) -> SourceError:
    """The error where no image was found for an annotation, nor a copy in it."""
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
