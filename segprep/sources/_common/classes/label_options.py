"""The options that all formats of labeled shapes share, and what they ask for when painting."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from segprep.errors import UsageError
from segprep.files import real_folders
from segprep.imaging.coverage import covered_classes
from segprep.imaging.shapes import Painted, PaintOrder, paint_file
from segprep.sources._common.classes import labels
from segprep.sources._common.classes.labels import LabelRules
from segprep.sources._common.shapes.outlines import ImageShapes
from segprep.types import MAX_PIXELS, ClassList, MaxPixels, Note, Overlap, Stem, Unknown


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """What a reader of labeled shapes is asked for."""

    root: Path
    classes: ClassList = None
    image_root: Annotated[
        tuple[Path, ...], "Another folder to look for images in (with its subfolders)."
    ] = ()
    unknown: Unknown = "error"
    overlap: Overlap = "order"
    priority: Annotated[
        str, "With --overlap priority: class names, highest priority first: a,b,c."
    ] = ""
    bad_shape: Annotated[
        Literal["error", "skip"],
        "A shape that cannot be drawn: error = refuse the file, skip = skip the shape.",
    ] = "error"
    exclude: Annotated[tuple[str, ...], "Skip shapes with this label, before or after --map."] = ()
    map: Annotated[
        tuple[str, ...],
        "OLD=NEW: read label OLD as NEW (merge or rename); OLD#=NEW: every OLD followed by a"
        " number. NEW may be _background_ or __ignore__.",
    ] = ()
    objects: Annotated[
        bool, "Write SegmentationObject as well: one id per shape, or per group of shapes."
    ] = False
    stem: Stem = "name"
    max_pixels: MaxPixels = MAX_PIXELS

    def roots(self) -> tuple[Path, ...]:
        """The folders that may be opened, resolved; the source itself first."""
        return real_folders(self.root, self.image_root)

    def rules(self) -> LabelRules:
        """The label options. Raises UsageError where they contradict each other."""
        if (self.overlap == "priority") != bool(self.order().priority):
            raise UsageError(
                "bad-option",
                "--overlap priority and --priority a,b,c go together",
                "give both or neither",
            )
        return LabelRules(self.classes, self.unknown, self.exclude, labels.renames(self.map))

    def order(self) -> PaintOrder:
        """Which shape wins where several overlap."""
        names = tuple(name.strip() for name in self.priority.split(",") if name.strip())
        return PaintOrder(self.overlap, names)

    def painted(
        self,
        drawing: ImageShapes,
        size: tuple[int, int],
        *,
        path: Path,
        address: str,
        background: int | None,
    ) -> tuple[Painted, list[Note]]:
        """The *drawing* of the annotation file *path* on *size* (H, W), and what a person should
        know: shapes that cannot be seen, classes that others cover. Raises SourceError.
        """
        order, background = self.order(), background or 0
        image = paint_file(
            drawing.shapes,
            size,
            path=path,
            address=address,
            order=order,
            under=drawing.under,
            background=background,
            objects=self.objects,
        )
        losses = covered_classes(
            drawing.shapes, image, order, background=background, under=drawing.under
        )
        return image, [*image.notes, *losses]
