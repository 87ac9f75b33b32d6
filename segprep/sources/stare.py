"""STARE: vessels in 20 retinal photographs, drawn by two observers; no field of view; files may be
packed with gzip.

    STARE/
      stare-images/im0001.ppm.gz      or unpacked: im0001.ppm; RGB, 700x605
      labels-ah/im0001.ah.ppm.gz      white = vessel, drawn by Adam Hoover
      labels-vk/im0001.vk.ppm.gz      drawn by Valentina Kouznetsova, finer
                                      or all files in one folder

Format: https://cecas.clemson.edu/~ahoover/stare/probing/ (Hoover, Kouznetsova, Goldbaum 2000).
Assumptions: the name before .ah or .vk is the photograph's; a copy that was stored as another kind
of image is as good; there is no official split; the dark rim is background, for nobody drew where
the field of view ends. Built from the description: no sample of it was at hand.
"""

import re
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from segprep.errors import SourceError
from segprep.files import MAX_BYTES, listing, read_below, real_folders
from segprep.imaging import image
from segprep.imaging.image import SUFFIXES
from segprep.imaging.paired_masks import drawn_upright
from segprep.names import stem_of
from segprep.sources._common.masks import retina
from segprep.sources._common.masks.retina import Named
from segprep.types import (
    MAX_PIXELS,
    Evidence,
    Item,
    LinkRoot,
    MaxPixels,
    Note,
    Progress,
    Sample,
    Scan,
    no_progress,
)

EXAMPLES = (
    "segprep convert stare STARE/ out/",
    "segprep convert stare STARE/ out/ --annotator vk",
)
_DRAWING = re.compile(r"(.+)\.(ah|vk)", re.IGNORECASE)
_FOLDER = re.compile(r"labels?[-_ ](ah|vk)", re.IGNORECASE)
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Reader:
    """Read a folder of STARE images and annotations, compressed or not."""

    root: Path
    annotator: Annotated[
        Literal["ah", "vk"],
        "Whose annotation is the truth: ah = Adam Hoover's, vk = Valentina Kouznetsova's, which has"
        " finer vessels.",
    ] = "ah"
    image_root: LinkRoot = ()
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A photograph with a drawing of its name and .ah or .vk."""
        files = _files(root.resolve(), [])
        photographs = {file.subject for file in files if not file.annotator}
        drawing = next(
            (file for file in files if file.annotator and file.subject in photographs), None
        )
        return (
            Evidence(0.95, f"{drawing.path.name} is an annotation of {drawing.subject}")
            if drawing
            else None
        )

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every photograph with its drawing is an item."""
        (root,) = real_folders(self.root)
        notes: list[Note] = []
        items, skipped = retina.pair(
            root,
            retina.without_strangers(root, _files(root, notes), notes),
            self.annotator,
            lambda subject: f"{subject}.{self.annotator}.ppm or .ppm.gz",
        )
        return Scan(items, retina.CLASSES, tuple(skipped), notes=tuple(notes))

    def read(self, item: Item) -> Sample:
        """The photograph, unpacked; vessel 1, all else 0."""
        roots, notes = real_folders(self.root, self.image_root), list[Note]()
        path, picture = item.labels[0], cast("Path", item.image)
        mask = retina.drawn(unpacked(read_below(path, roots), path), path, notes, self.max_pixels)
        stored = read_below(picture, roots)
        data = unpacked(stored, picture)
        upright = drawn_upright(data, picture, mask.shape, path, notes, self.max_pixels)
        if data is not stored:
            image.pixels(
                data, picture, limit=self.max_pixels
            )  # a fault inside the packed file is told with its name here
        return Sample(item.stem, data, mask, None, upright, tuple(notes))


def unpacked(data: bytes, path: Path, limit: int = MAX_BYTES) -> bytes:
    """*data*, unpacked if it is a gzip file; never more than *limit* bytes of it.

    Raises SourceError.
    """
    if not data.startswith(_GZIP):
        return data
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = stream.decompress(data, limit + 1)
    except zlib.error as error:
        raise SourceError(
            path,
            f"cannot be unpacked: {error}",
            "restore the file from its origin",
            "image-damaged",
        ) from error
    if len(content) > limit:
        raise SourceError(
            path,
            f"unpacks to more than {limit} bytes",
            "it is not an image of this dataset",
            "file-too-large",
        )
    if not stream.eof or stream.unused_data.strip(b"\0"):
        what = "ends too early" if not stream.eof else "continues after its end"
        raise SourceError(
            path,
            f"cannot be unpacked: the gzip file {what}",
            "restore the file from its origin",
            "image-damaged",
        )
    if not content:
        raise SourceError(path, "unpacks to 0 bytes", "restore it from its origin", "empty-file")
    return content


def _files(root: Path, notes: list[Note]) -> list[Named]:
    """What every image file below *root* is; of a file that lies there packed and unpacked, the
    unpacked one.
    """
    by_name: dict[Path, list[Path]] = defaultdict(list)
    for path in (Path(folder, name) for folder, name in listing(str(root))):
        plain = path.with_name(stem_of(path.name)) if path.suffix.lower() == ".gz" else path
        if plain.suffix.lower() in SUFFIXES:
            by_name[plain].append(path)
    if twice := [plain for plain, paths in by_name.items() if len(paths) > 1]:
        notes.append(
            Note(
                "packed-twin",
                f"{len(twice)} files exist both compressed and uncompressed, {twice[0].name} first;"
                " the uncompressed ones were used",
            )
        )
    return [
        _named(min(paths, key=lambda path: len(path.name)), stem_of(plain.name))
        for plain, paths in by_name.items()
    ]


def _named(path: Path, stem: str) -> Named:
    if match := _DRAWING.fullmatch(stem):
        return Named(path, match[1], match[2].lower())
    folder = _FOLDER.fullmatch(path.parent.name)
    return Named(path, stem, folder[1].lower() if folder else "")
