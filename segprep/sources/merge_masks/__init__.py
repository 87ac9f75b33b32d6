"""One black-and-white mask per class or region, merged: UNet++ folders, Label Studio's brush
export, any folder of single masks.

    images/x.png             images/x.png               images/x.png                       x.png
    masks/0/x.png            masks/cat/x.png            masks/x/cat_1.png
    x_cat.png, x_dog_2.png
    masks/1/x.png            masks/dog/x.png            masks/x/cat_2.png                  (all in
    one folder)

    task-7-annotation-3-by-1-tag-cat-0.png     Label Studio: the image of task 7 is named in a
    --table, or in its JSON export beside

Format: https://github.com/4uiiurz1/pytorch-nested-unet (masks/<class>/<id>.png);
https://labelstud.io/guide/export (brush to PNG). Assumptions: a pixel belongs to a region if it is
brighter than 127 (--foreground nonzero: if it is not 0); where regions overlap, see --overlap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np

from segprep.dataset import classes as class_lists
from segprep.errors import SegprepError, SourceError, UnknownClassError, UsageError
from segprep.files import read_below, real_folders
from segprep.imaging import image, instances, mask_files, paired_masks, shapes
from segprep.imaging.instances import Spot
from segprep.imaging.shapes import Shape
from segprep.names import stem_of
from segprep.sources._common.pairing import matching, stems
from segprep.sources._common.pairing.image_folders import ImageFolder, MaskFolder
from segprep.sources._common.pairing.official_lists import ListsFromFolders
from segprep.sources.merge_masks import class_masks
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
    Classes,
    ClassList,
    Evidence,
    Item,
    LinkRoot,
    MaxPixels,
    Note,
    Overlap,
    Progress,
    Sample,
    Scan,
    Skipped,
    Stem,
    no_progress,
)

EXAMPLES = (
    (
        "segprep convert merge-masks data/ out/                                 "
        " masks/<class>/<image>.png"
    ),
    "segprep convert merge-masks data/ out/ --classes cat,dog --overlap area --objects",
    "segprep convert merge-masks export/ out/ --images photos --table regions.csv",
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Read images and one mask file per class or region."""

    root: Path
    classes: ClassList = None
    table: Annotated[
        str,
        "A CSV file with the columns mask, image, class, if names do not say which is which.",
    ] = ""
    foreground: Annotated[
        Literal["light", "nonzero"],
        "Which pixels of a mask are the region: light = brighter than 127, nonzero = every value"
        " but 0.",
    ] = "light"
    overlap: Overlap = "order"
    priority: Annotated[
        str, "With --overlap priority: class names, highest priority first: a,b,c."
    ] = ""
    objects: Annotated[bool, "Write SegmentationObject as well: one id per mask file."] = False
    missing: Annotated[
        Literal["error", "empty"],
        "An image without any mask, or in masks/<class>/ without a file in one of the folders: an"
        " error, or it has nothing of that class.",
    ] = "error"
    images: ImageFolder = ""
    masks: MaskFolder = ""
    lists_from_folders: ListsFromFolders = "auto"
    stem: Stem = "name"
    image_root: LinkRoot = ()
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A folder of images and masks/<class>/<image>, or masks/<image>/<class>."""
        try:
            regions = class_masks.find(root.resolve(), class_masks.RegionFolders(), [])
        except SegprepError:
            return None
        several = [  # not one file in two folders of truth (masks/train, colormaps/train) or kinds
            stem
            for stem, listed in regions.items()
            if len({(region.path.parent.name, region.path.stem) for region in listed}) > 1
        ]
        if not several:
            return None
        first = regions[several[0]]
        if class_masks.is_colored(first[0].path, root.resolve()):
            return None  # a plot or a picture beside others, not a mask of one class
        names = ", ".join(
            region.path.relative_to(root.resolve()).as_posix() for region in first[:2]
        )
        return Evidence(0.65, f"{len(first)} masks for one image: {names}")

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every image with a mask is an item; the payload names the class of each mask."""
        (root,) = real_folders(self.root)
        if (self.overlap == "priority") != bool(self.ranks()):
            raise UsageError(
                "bad-option",
                "--overlap priority and --priority a,b,c go together",
                "give both or neither",
            )
        skipped: list[Skipped] = []
        regions = class_masks.find(
            root,
            class_masks.RegionFolders(self.images, self.masks, self.table),
            skipped,
            empty=self.missing == "empty",
        )
        if self.missing == "error":
            regions = _complete(regions, skipped)
        if self.classes is None:
            labels = {region.label for listed in regions.values() for region in listed}
            class_masks.refuse_view(labels)
            classes, notes = class_lists.infer(labels)
            notes += class_masks.numbered(labels)
        else:
            classes, notes = class_lists.make(class_lists.parse_list(self.classes)), []
        items = [
            Item(
                stems.sample_stem(picture, root, self.stem),
                picture,
                tuple(region.path for region in listed) or (picture,),
                (classes, tuple(region.label for region in listed)),
            )
            for picture, listed in regions.items()
        ]
        kept = stems.unique(items, skipped)
        lists = matching.folder_lists(root, kept) if self.lists_from_folders == "auto" else {}
        return Scan(kept, classes, tuple(skipped), lists, tuple(notes))

    def read(self, item: Item) -> Sample:
        """The image, and its regions painted one over the other."""
        roots, notes = real_folders(self.root, self.image_root), list[Note]()
        picture, (classes, labels) = cast("Path", item.image), item.payload
        data = read_below(picture, roots)
        if item.labels == (picture,):
            shape = image.header(data, picture, self.max_pixels).shape(upright=True)
            return Sample(item.stem, data, np.full(shape, classes.background or 0, np.uint8))
        spots, upright, shape = [], True, (0, 0)
        for path in item.labels:
            size, spot = self._spot(read_below(path, roots), path, notes)
            if shape not in ((0, 0), size):
                raise SourceError(
                    path,
                    f"is {size[1]}x{size[0]}, the masks before it {shape[1]}x{shape[0]} pixels",
                    "all masks of an image have its size",
                    "size-mismatch",
                )
            upright = (
                paired_masks.drawn_upright(data, picture, size, path, notes, self.max_pixels)
                if shape == (0, 0)
                else upright
            )
            spots.append(spot)
            shape = size
        painted = self._painted(spots, labels, classes, shape, item, notes)
        return Sample(
            item.stem,
            data,
            painted.mask,
            painted.objects,
            upright,
            (*notes, *painted.notes),
            painted.pixels,
        )

    def _spot(self, data: bytes, path: Path, notes: list[Note]) -> tuple[tuple[int, int], Spot]:
        if self.foreground == "nonzero":
            lit = mask_files.values(data, path, notes, self.max_pixels, "index") != 0
            return (lit.shape[0], lit.shape[1]), instances.spot_of(path.name, lit)
        part = mask_files.lit(data, path, self.max_pixels)
        if part.lit and int(part.pixels.max()) == 1:
            raise SourceError(
                path,
                "holds the values 0 and 1 only, none of them bright",
                "give --foreground nonzero",
                "values-unclear",
            )
        if between := part.lit - part.whites:
            notes.append(
                Note(
                    "intermediate-values",
                    f"{between} pixels of {path.name} are neither 0 nor 255; brighter than 127"
                    " counts",
                )
            )
        return part.size, instances.spot_of(path.name, part.pixels > 127, part.top, part.left)

    def _painted(
        self,
        spots: Sequence[Spot],
        labels: Sequence[str],
        classes: Classes,
        shape: tuple[int, int],
        item: Item,
        notes: list[Note],
    ) -> shapes.Painted:
        """Every region as a stamp, in the order that --overlap asks for."""
        values = {name: number for number, name in enumerate(classes.names)} | {
            class_lists.IGNORED: IGNORE
        }
        stamps = []
        for path, spot, label in zip(item.labels, spots, labels, strict=True):
            value = classes.background if class_lists.is_background(label) else values.get(label)
            if value is None:
                raise UnknownClassError(
                    path,
                    f"its class {label!r} is not in the class list",
                    class_lists.suggestion(label, classes.names),
                )
            if not spot.bits.size:
                notes.append(Note("instance-empty", f"{path.name} has no pixel of {label}"))
                continue
            stamps.append(
                Shape(
                    "stamp",
                    (spot.left, spot.top),
                    value,
                    label,
                    path.name,
                    (label, path.name),
                    bitmap=shapes.pack(spot.bits),
                )
            )
        stamps = shapes.in_order(stamps, self.overlap, self.ranks())
        try:
            if self.overlap == "error":
                shapes.refuse_overlap(stamps, *shape)
            return shapes.paint(
                stamps, *shape, background=classes.background or 0, objects=self.objects
            )
        except shapes.OverlapError as error:
            raise SourceError(
                item.labels[0].parent,
                str(error),
                "separate them, or give another --overlap",
                "overlap",
            ) from error
        except ValueError as error:
            raise SourceError(
                item.labels[0].parent, str(error), "split the image", "too-many-objects"
            ) from error

    def ranks(self) -> tuple[str, ...]:
        """The names of --priority."""
        return tuple(name.strip() for name in self.priority.split(",") if name.strip())


def _complete(
    regions: Mapping[Path, list[class_masks.ClassMask]], skipped: list[Skipped]
) -> dict[Path, list[class_masks.ClassMask]]:
    """*regions* less images that lack a file in a class folder, if that is how masks lie."""
    every = {region.label for listed in regions.values() for region in listed}
    if any(
        region.path.parent.name != region.label for listed in regions.values() for region in listed
    ):
        return dict(regions)
    lacking = {
        path: sorted(every - {region.label for region in listed})
        for path, listed in regions.items()
    }
    skipped += [
        Skipped(
            stem_of(path.name),
            str(path),
            "mask-missing",
            f"no mask of class {', '.join(labels)}",
            "add the file (black for none), or give --missing empty",
        )
        for path, labels in lacking.items()
        if labels
    ]
    return {path: listed for path, listed in regions.items() if not lacking[path]}
