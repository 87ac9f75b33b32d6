"""A VOC-style tree made by any tool: PASCAL VOC itself, labelme's and CVAT's exports, tutorials'
VOCdevkit folders.

    JPEGImages/a.jpg                                    also in sub-folders
    SegmentationClass/a.png                             palette, grey, or VOC's colours as RGB; old
    labelme: SegmentationClassPNG/
    SegmentationObject/a.png                            optional: instances
    ImageSets/Segmentation/train.txt                    optional: kept
    class_names.txt, labelmap.txt                       optional: names; labelmap.txt also the
    colours of RGB masks

Format: the PASCAL VOC 2012 development kit, section 4 (segmentation). Assumptions: a palette mask's
index is the class id whatever its colours; 255 is ignored, in VOC's colours 224,224,192, but a mask
of 0 and 255 only is refused until --ids says what 255 is; images without a mask (VOC has thousands)
are no fault and are counted only.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from segprep import engine
from segprep.dataset import classes as class_lists
from segprep.dataset.manifest import MANIFEST
from segprep.dataset.tree import CLASS_NAMES, IMAGES, LABELMAP, MASKS, OBJECTS
from segprep.errors import SegprepError, SourceError, UsageError
from segprep.files import read_below, real_folders
from segprep.imaging import image, mask_files
from segprep.imaging.image import SUFFIXES
from segprep.sources._common import color_tables, mask_values, pairs
from segprep.sources._common.color_tables import Table
from segprep.sources._common.pairs import Folders
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
    OBJECT_IGNORE,
    Classes,
    Evidence,
    Item,
    MaxPixels,
    Note,
    Progress,
    Sample,
    Scan,
    Stem,
    no_progress,
)

EXAMPLES = (
    "segprep convert voc VOCdevkit/VOC2012/ out/ --classes voc",
    "segprep convert voc labelme_export/ out/ --classes class_names.txt",
    "segprep convert voc black_and_white/ out/ --ids 0=background,255=cell",
)
_NAMES = (CLASS_NAMES, LABELMAP, "class_id_to_name.json")
_FOLDERS = (
    MASKS,
    "SegmentationClassPNG",
    "SegmentationClassRaw",
)  # old labelme keeps arrays in SegmentationClass, DeepLab the ids in Raw


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the pixels of masks stand for: colours by *table*, values by *ids*; *sure*: 255 is not
    in doubt. *classes* are their number.
    """

    table: Table
    ids: Mapping[int, int]
    classes: int
    sure: bool


_EVERY = Meaning(
    color_tables.voc(class_lists.numbered(255)), {n: n for n in range(256)}, 255, sure=True
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Read JPEGImages, SegmentationClass and what lies beside them."""

    root: Path
    classes: Annotated[
        str | None,
        "Class names in the order of their ids: a FILE, a,b,c, their number, or voc for"
        " PASCAL's 21.",
    ] = None
    ids: Annotated[
        str,
        "What the values mean: VALUE=NAME,… or a FILE of such lines; __ignore__ is 255. With"
        " --classes: exceptions from their order.",
    ] = ""
    stem: Stem = "name"
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognise(cls, root: Path) -> Evidence | None:
        """JPEGImages/ and SegmentationClass/."""
        root = root.resolve()
        homes = _homes(root)
        if not homes:
            return None
        listed = ", ".join(
            f"{home.relative_to(root).as_posix()}/" if home != root else "it" for home in homes[:4]
        )
        return Evidence(
            0.9,
            f"{listed} {'each have' if len(homes) > 1 else 'has'} {IMAGES}/ and"
            f" {_masks(homes[0]).name}/",
        )

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every mask with an image is an item; the payload is the :class:`Meaning` of its pixels."""
        (root,) = real_folders(self.root)
        home = _home(root)
        folder = _masks(home)
        matched = pairs.match(home, [Folders(home / IMAGES, folder)], "name", self.stem)
        bare = [one for one in matched.skipped if one.code == "mask-missing"]
        if not matched.items and len(bare) == len(matched.skipped):
            raise SegprepError(
                "nothing-to-convert",
                f"{folder} holds no mask of an image in {IMAGES}",
                "is this the right folder, and the right format?",
            )
        notes = (
            [
                Note(
                    "mask-missing",
                    f"{len(bare)} of {len(bare) + len(matched.items)} images have no mask; they are"
                    " left out",
                )
            ]
            if bare
            else []
        )
        notes += (
            [Note("labels-from", f"the masks were read from {folder.name}")]
            if folder.name != MASKS
            else []
        )
        known, meaning, further = self._meaning(root, home, matched.items, jobs, progress)
        items = []
        for item in matched.items:
            beside = home / OBJECTS / item.labels[0].relative_to(folder)
            labels = (*item.labels, beside) if beside.is_file() else item.labels
            items.append(Item(item.stem, item.image, labels, meaning))
        skipped = tuple(one for one in matched.skipped if one.code != "mask-missing")
        return Scan(tuple(items), known, skipped, matched.lists, (*matched.notes, *notes, *further))

    def _meaning(
        self, root: Path, home: Path, items: tuple[Item, ...], jobs: int, progress: Progress[Any]
    ) -> tuple[Classes, Meaning, list[Note]]:
        stated = mask_values.parse_ids(self.ids) if self.ids else {}
        if stated and self.classes is None:
            known, ids = mask_values.stated(stated)
            return known, Meaning(_EVERY.table, ids, len(known.names), sure=True), []
        known, table, notes = self._classes(root, home, items, jobs, progress)
        ids = mask_values.places(known) | mask_values.table(stated, known)
        return (
            known,
            Meaning(table, ids, len(known.names), sure=bool(stated) or (home / MANIFEST).is_file()),
            notes,
        )

    def _classes(
        self, root: Path, home: Path, items: tuple[Item, ...], jobs: int, progress: Progress[Any]
    ) -> tuple[Classes, Table, list[Note]]:
        if self.classes is not None:
            known = (
                color_tables.load("voc").classes
                if self.classes == "voc"
                else class_lists.positions(self.classes)
            )
            return known, color_tables.voc(known), []
        for name in _NAMES:
            if (home / name).is_file():
                content = read_below(home / name, (root,))
                note = [Note("classes-found", f"classes read from {home / name}")]
                if name == LABELMAP:
                    table = color_tables.load(str(home / name))
                    return table.classes, table, note
                known = class_lists.make(
                    (
                        class_lists.read_list(home / name)
                        if name == CLASS_NAMES
                        else _numbered(home / name, content)
                    ),
                    add_background=False,
                )
                return known, color_tables.voc(known), note
        known, further = mask_values.infer(self._values(root, items, jobs, progress))
        return known, color_tables.voc(known), further

    def _values(
        self, root: Path, items: tuple[Item, ...], jobs: int, progress: Progress[Any]
    ) -> Counter[int]:
        """How often each value occurs in all masks.

        Raises UsageError if none of them can be read.
        """
        seen, failures = Counter[int](), list[engine.Failure]()
        tasks = [Item(item.stem, item.image, item.labels, _EVERY) for item in items]
        for found in progress(
            engine.run(_Values(self, root), tasks, jobs=jobs, chunk=8), len(tasks), "reading masks"
        ):
            if isinstance(found, engine.Failure):
                failures.append(found)
            else:
                seen.update(found)
        if failures and not seen:
            raise UsageError(
                "values-unclear",
                f"no mask could be read as class ids; {failures[0].path}: {failures[0].reason}",
                failures[0].hint,
            )
        return seen

    def read(self, item: Item) -> Sample:
        """The image, its mask and, where there is one, its instance mask."""
        roots = real_folders(self.root)

        def to_mask(data: bytes, path: Path, notes: list[Note]) -> NDArray[np.uint8]:
            return self.to_mask(data, path, notes, item.payload)

        made = mask_files.paired(item, roots, to_mask, self.max_pixels)
        if len(item.labels) < 2:
            return made
        objects = self._objects(read_below(item.labels[1], roots), item.labels[1])
        if objects.shape != made.mask.shape:
            raise SourceError(
                item.labels[1],
                f"is {objects.shape[1]}x{objects.shape[0]} pixels, its class mask"
                f" {made.mask.shape[1]}x{made.mask.shape[0]}",
                "export both anew",
                "size-mismatch",
            )
        return Sample(made.stem, made.image, made.mask, objects, made.upright, made.notes)

    def to_mask(
        self, data: bytes, path: Path, notes: list[Note], meaning: Meaning
    ) -> NDArray[np.uint8]:
        """Class ids (H, W) of one mask file."""
        found: NDArray[Any]
        if _is_coloured(data, path, meaning.table, self.max_pixels):
            found = _by_colour(data, path, meaning.table, self.max_pixels)
        else:
            found = mask_files.values(data, path, notes, self.max_pixels)
        seen = image.histogram(found)
        if not meaning.sure and seen.keys() == {0, IGNORE}:
            reason = f"holds 0 and 255 only: 255 ({seen[IGNORE]} px) may be a class, or ignored"
            raise SourceError(
                path, reason, mask_files.cause(seen, meaning.classes), "values-unclear"
            )
        return mask_files.translate(found, meaning.ids, path, meaning.classes)

    def _objects(self, data: bytes, path: Path) -> NDArray[np.uint16]:
        """Instance ids (H, W): 255 of 8 bits and VOC's border colour are ignored, as is 65535 of 16
        bits.
        """
        if _is_coloured(data, path, _EVERY.table, self.max_pixels):
            found: NDArray[Any] = _by_colour(data, path, _EVERY.table, self.max_pixels)
        else:
            found = mask_files.values(data, path, [], self.max_pixels)
        return (
            found
            if found.dtype == np.uint16
            else np.where(found == IGNORE, OBJECT_IGNORE, found).astype(np.uint16)
        )


@dataclass(frozen=True, slots=True)
class _Values:
    """The histogram of one item's mask, for the engine."""

    reader: Reader
    root: Path

    def __call__(self, item: Item) -> dict[int, int]:
        path = item.labels[0]
        return image.histogram(
            self.reader.to_mask(read_below(path, (self.root,)), path, [], item.payload)
        )


def _homes(root: Path) -> list[Path]:
    """*root* if it holds JPEGImages and masks, else all folders up to three levels below that do."""
    for pattern in ("", "*/", "*/*/", "*/*/*/"):
        below = [
            path.parent
            for path in sorted(root.glob(pattern + IMAGES))
            if "__MACOSX" not in path.parts
        ]
        if found := [home for home in below if any((home / name).is_dir() for name in _FOLDERS)]:
            return found
    return []


def _home(root: Path) -> Path:
    """The folder that holds JPEGImages and SegmentationClass. Raises UsageError."""
    found = _homes(root)
    if len(found) != 1:
        listed = ", ".join(path.relative_to(root).as_posix() for path in found)
        raise UsageError(
            "folders-unclear",
            f"{root} holds {f'several trees: {listed}' if found else f'no {IMAGES} and {MASKS}'}",
            f"give the folder of one tree: {found[0]}" if found else "give the folder of one tree",
        )
    return found[0]


def _masks(home: Path) -> Path:
    """The folder of the masks: the first of _FOLDERS with an image in it."""
    there = [home / name for name in _FOLDERS if (home / name).is_dir()]
    return next(
        (
            folder
            for folder in there
            if any(path.suffix.lower() in SUFFIXES for path in folder.rglob("*"))
        ),
        there[0],
    )


def _is_coloured(data: bytes, path: Path, table: Table, limit: int) -> bool:
    """Whether the mask holds colours: RGB that is not grey throughout, or all of whose greys are
    colours of *table* (VOC's car is one).
    """
    if image.header(data, path, limit).mode not in ("RGB", "RGBA"):
        return False
    shown = mask_files.colours(data, path, limit)
    if (shown[..., 0] != shown[..., 1]).any() or (shown[..., 0] != shown[..., 2]).any():
        return True
    greys = {colour[0] for colour, _ in table.colours if len(set(colour)) == 1}
    seen = set(image.histogram(np.ascontiguousarray(shown[..., 0])))
    return seen != {0} and seen <= greys


def _by_colour(data: bytes, path: Path, table: Table, limit: int) -> NDArray[np.uint8]:
    """Ids (H, W) of a mask that holds colours. Raises SourceError."""
    try:
        return color_tables.to_ids(mask_files.colours(data, path, limit), table, path, "error", [])
    except SourceError as error:
        hint = (
            f"put a {LABELMAP} beside {IMAGES} (name:R,G,B:: per line), or use: segprep convert"
            " colormap --table FILE"
        )
        raise SourceError(
            path, error.reason, hint if error.code == "unknown-colour" else error.hint, error.code
        ) from error


def _numbered(path: Path, content: bytes) -> list[str]:
    """Names of a JSON object id -> name. Raises SegprepError."""
    try:
        found = {
            int(number): str(name)
            for number, name in json.loads(content).items()
            if int(number) != IGNORE
        }
    except (ValueError, AttributeError, RecursionError) as error:
        raise SegprepError(
            "bad-classes", f"{path}: {error}", 'write {"0": "background", …}'
        ) from error
    if not found or min(found) < 0 or max(found) >= class_lists.MOST:
        raise SegprepError(
            "bad-classes",
            f"{path}: its ids are {sorted(found)[:6]}; 0 to 254 are possible",
            'write {"0": "background", …}',
        )
    return [found.get(number, f"class_{number}") for number in range(max(found) + 1)]
