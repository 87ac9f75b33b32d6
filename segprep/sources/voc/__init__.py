"""A VOC-style tree made by any tool: PASCAL VOC itself, labelme's and CVAT's exports, tutorials'
VOCdevkit folders.

    JPEGImages/a.jpg                                    also in sub-folders
    SegmentationClass/a.png                             palette, gray, or VOC's colors as RGB; old
    labelme: SegmentationClassPNG/
    SegmentationObject/a.png                            optional: instances
    ImageSets/Segmentation/train.txt                    optional: kept
    class_names.txt, labelmap.txt                       optional: names; labelmap.txt also the
    colors of RGB masks; the background may stand anywhere in it

CVAT's "Segmentation mask 1.1" is such a tree, without JPEGImages unless "Save images" was ticked:
then --image-root names the folder of the images. In CVAT: Actions, Export task dataset.

Format: the PASCAL VOC 2012 development kit, section 4 (segmentation). Assumptions: a palette mask's
index is the class id whatever its colors; 255 is ignored, in VOC's colors 224,224,192, but a mask
of 0 and 255 only is refused until --ids says what 255 is; images without a mask (VOC has thousands)
are not faults and are counted only.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep import engine
from segprep.dataset import classes as class_lists
from segprep.dataset.manifest import MANIFEST
from segprep.dataset.tree import CLASS_NAMES, IMAGES, LABELMAP, OBJECTS
from segprep.errors import SegprepError, SourceError, UsageError
from segprep.files import read_below, real_folders
from segprep.imaging import image, lookup, low_depth, mask_files, paired_masks
from segprep.packed_items import FirstLabels
from segprep.sources._common.classes import color_tables, mask_values, palette_order
from segprep.sources._common.classes.color_tables import ColorTable
from segprep.sources._common.classes.mask_values import Ids
from segprep.sources._common.classes.recalled_values import MaskValues, of_masks
from segprep.sources._common.masks import lossy
from segprep.sources._common.pairing import matching
from segprep.sources._common.pairing.image_folders import MaskFolder
from segprep.sources._common.pairing.name_rules import Folders
from segprep.sources._common.pairing.paired_folders import ImageRoot, image_homes
from segprep.sources.voc import tree_folders
from segprep.sources.voc.meaning import (
    EVERY,
    PixelMeaning,
    by_color,
    inferred,
    is_colored,
    numbered_names,
)
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
    "segprep convert voc cvat_export.zip out/ --image-root images/",
)
_NAMES = (CLASS_NAMES, LABELMAP, "class_id_to_name.json")


@dataclass(frozen=True, slots=True)
class Reader:
    """Read JPEGImages, SegmentationClass and the lists."""

    root: Path
    classes: Annotated[
        str | None,
        "Class names in the order of their ids: a FILE, a,b,c, their number, or voc for"
        " PASCAL's 21.",
    ] = None
    ids: Ids = ""
    palette: Annotated[
        Literal["auto", "index"],
        "Palette masks whose files order their colors differently: auto = refuse them, index ="
        " take the index as the id anyway.",
    ] = "auto"
    missing: Annotated[
        Literal["skip", "empty"],
        "Images without a mask, of which VOC has thousands: skip = they are not samples, empty ="
        " their masks are all background.",
    ] = "skip"
    masks: MaskFolder = ""
    image_root: ImageRoot = ()
    stem: Stem = "name"
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """SegmentationClass/ with JPEGImages/ or, as CVAT writes it, with labelmap.txt."""
        root = root.resolve()
        homes = tree_folders.homes(root)
        if not homes:
            bare = tree_folders.homes(root, images=False)
            if bare and (bare[0] / LABELMAP).is_file():
                folder = tree_folders.mask_folder(bare[0]).name
                return Evidence(0.92, f"{folder}/ and {LABELMAP}, without {IMAGES}/")
            return None
        if not tree_folders.has_pictures(tree_folders.mask_folder(homes[0])):
            return None
        listed = ", ".join(
            f"{home.relative_to(root).as_posix()}/" if home != root else "it" for home in homes[:4]
        )
        return Evidence(
            0.9,
            f"{listed} {'each have' if len(homes) > 1 else 'has'} {IMAGES}/ and"
            f" {tree_folders.mask_folder(homes[0]).name}/",
        )

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every mask with an image is an item; the payload is the meaning of its pixels."""
        root, *named = real_folders(self.root, self.image_root)
        elsewhere = image_homes(root, named)
        home = tree_folders.home(root, images=not elsewhere)
        folder = tree_folders.masks(root, home, self.masks)
        if len(elsewhere) > 1:
            raise UsageError("bad-option", "several --image-root were given", "give one of them")
        pictures = elsewhere[0] if elsewhere else home / IMAGES
        matched = matching.match(
            home,
            [Folders(pictures, folder)],
            "name",
            self.stem,
            empty=self.missing == "empty",
        )
        bare = [skip for skip in matched.skipped if skip.code == "mask-missing"]
        if not matched.items and len(bare) == len(matched.skipped):
            raise SegprepError(
                "nothing-to-convert",
                f"{folder} holds no mask of an image in {pictures}",
                "is this the right folder, and the right format?",
            )
        if not matched.items:  # why not, not what their values mean, is what has to be told
            return Scan((), class_lists.numbered(1), matched.skipped, {}, matched.notes)
        notes = tree_folders.scan_notes(folder, len(bare), len(bare) + len(matched.items))
        masks = FirstLabels(matched.items)
        if self.palette == "auto":
            palette_order.check(masks, (root,), jobs=jobs)
        classes, meaning, further = self._meaning(
            root, home, tuple(i for i in matched.items if i.labels[0] != i.image), jobs, progress
        )
        items = []
        for item in matched.items:
            if item.labels[0] == item.image:
                items.append(replace(item, payload=meaning))
                continue
            beside = home / OBJECTS / item.labels[0].relative_to(folder)
            labels = (*item.labels, beside) if beside.is_file() else item.labels
            items.append(Item(item.stem, item.image, labels, meaning))
        skipped = tuple(skip for skip in matched.skipped if skip.code != "mask-missing")
        return Scan(
            tuple(items), classes, skipped, matched.lists, (*matched.notes, *notes, *further)
        )

    def _meaning(
        self, root: Path, home: Path, items: tuple[Item, ...], jobs: int, progress: Progress[Any]
    ) -> tuple[Classes, PixelMeaning, list[Note]]:
        stated = mask_values.parse_ids(self.ids) if self.ids else {}
        if stated and self.classes is None:
            classes, ids = mask_values.stated(stated)
            return classes, PixelMeaning(EVERY.table, ids, len(classes.names), sure=True), []
        classes, table, notes = self._classes(root, home, items, jobs, progress)
        ids = mask_values.identity(classes) | mask_values.table(stated, classes)
        return (
            classes,
            PixelMeaning(
                table, ids, len(classes.names), sure=bool(stated) or (home / MANIFEST).is_file()
            ),
            notes,
        )

    def _classes(
        self, root: Path, home: Path, items: tuple[Item, ...], jobs: int, progress: Progress[Any]
    ) -> tuple[Classes, ColorTable, list[Note]]:
        if self.classes is not None:
            classes = (
                color_tables.load("voc").classes
                if self.classes == "voc"
                else class_lists.positions(self.classes)
            )
            return classes, color_tables.voc(classes), []
        for name in _NAMES:
            if (home / name).is_file():
                content = read_below(home / name, (root,))
                note = [Note("classes-found", f"classes read from {home / name}")]
                if name == LABELMAP:
                    table = color_tables.load(str(home / name))
                    return table.classes, table, note
                classes = class_lists.make(
                    (
                        class_lists.read_list(home / name)
                        if name == CLASS_NAMES
                        else numbered_names(home / name, content)
                    ),
                    add_background=False,
                )
                return classes, color_tables.voc(classes), note
        classes, further = inferred(self._values(root, items, jobs, progress), items, root)
        return classes, color_tables.voc(classes), further

    def _values(
        self, root: Path, items: tuple[Item, ...], jobs: int, progress: Progress[Any]
    ) -> mask_values.Contents:
        """The values of all masks. Raises UsageError if none can be read."""
        contents, failures = mask_values.Contents(), list[engine.Failure]()
        paths = [item.labels[0] for item in items]
        kind = repr(("voc", self.ids, self.max_pixels))
        task = _TreeValues(self, root)
        told = of_masks(task, paths, kind, jobs=jobs, progress=progress, failures=failures)
        for values in told:
            contents.add(values.pixels)
        if failures and not contents.seen:
            raise UsageError(
                "values-unclear",
                f"no mask could be read as class ids; {failures[0].path}: {failures[0].reason}",
                failures[0].hint,
            )
        return contents

    def read(self, item: Item) -> Sample:
        """The image, its mask and, where there is one, its instance mask."""
        roots = real_folders(self.root, self.image_root)

        def to_mask(data: bytes, path: Path, notes: list[Note]) -> paired_masks.Counted:
            return self.to_mask(data, path, notes, item.payload)

        sample = paired_masks.sample(item, roots, to_mask, self.max_pixels)
        if len(item.labels) < 2:
            return sample
        objects = self._objects(read_below(item.labels[1], roots), item.labels[1])
        if objects.shape != sample.mask.shape:
            raise SourceError(
                item.labels[1],
                f"is {objects.shape[1]}x{objects.shape[0]} pixels, its class mask"
                f" {sample.mask.shape[1]}x{sample.mask.shape[0]}",
                "export both again",
                "size-mismatch",
            )
        return replace(sample, objects=objects)

    def to_mask(
        self, data: bytes, path: Path, notes: list[Note], meaning: PixelMeaning
    ) -> paired_masks.Counted:
        """Class ids (H, W) of one mask file, and their histogram."""
        values: NDArray[Any]
        if is_colored(data, path, meaning.table, self.max_pixels):
            values = by_color(data, path, meaning.table, self.max_pixels)
        else:
            lossy.refuse(data, path, stated=bool(self.ids))
            values = mask_files.values(data, path, notes, self.max_pixels)
            values = low_depth.ids(values, data, path, notes, table=meaning.ids)
        seen = image.histogram(values)
        if not meaning.sure and seen.keys() == {0, IGNORE}:
            reason = f"holds 0 and 255 only: 255 ({seen[IGNORE]} px) may be a class, or ignored"
            raise SourceError(path, reason, lookup.cause(seen, meaning.classes), "values-unclear")
        return lookup.counted(values, seen, meaning.ids, path, meaning.classes)

    def _objects(self, data: bytes, path: Path) -> NDArray[np.uint16]:
        """Instance ids (H, W): 255 of 8 bits and VOC's border color are ignored, as is 65535 of 16
        bits.
        """
        if is_colored(data, path, EVERY.table, self.max_pixels):
            values: NDArray[Any] = by_color(data, path, EVERY.table, self.max_pixels)
        else:
            values = mask_files.values(data, path, [], self.max_pixels)
        return (
            values
            if values.dtype == np.uint16
            else np.where(values == IGNORE, OBJECT_IGNORE, values).astype(np.uint16)
        )


@dataclass(frozen=True, slots=True)
class _TreeValues:
    """The histogram of one mask, to be recalled."""

    reader: Reader
    root: Path

    def __call__(self, path: Path) -> MaskValues:
        data = read_below(path, (self.root,))
        return MaskValues(self.reader.to_mask(data, path, [], EVERY)[1])
