"""Folders for Keras' flow_from_directory: train_frames/ train_masks/ val_frames/ val_masks/
test_frames/ test_masks/.

    OUT/train_frames/train/<stem>.jpg    the images as they are: copies, hard or symbolic links
    OUT/train_masks/train/<stem>.png     8-bit grey, grey value = class id, 255 = ignored
    OUT/val_frames/val/ …                the same for val and test
    OUT/class_names.txt                  where the classes have names

Format: the folder names of the tutorials; flow_from_directory wants one folder more, which it takes
for a class (class_mode=None, color_mode="grayscale" for masks, interpolation="nearest", and the
same seed for frames and masks). It pairs frames and masks by their place in the sorted file names,
so these are checked to sort alike.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from segprep.dataset import samples
from segprep.dataset.tree import CLASS_NAMES, SPLITS, class_files
from segprep.errors import SegprepError, SourceError, TreeError
from segprep.files import read_below
from segprep.imaging import image
from segprep.types import MAX_PIXELS, Classes, Entry, Link, MaxPixels, Note, Product, Sample

EXAMPLES = (
    "segprep export keras ../data --link sym           the dataset of the current folder",
    "segprep export keras data/ -d out/ --link hard --frames png",
    "segprep export keras data/ -d out/ --flat         no inner folder, for os.listdir",
)
_READS = (
    ".png",
    ".jpg",
    ".jpeg",
    ".bmp",
    ".ppm",
    ".tif",
    ".tiff",
)  # what flow_from_directory lists, in lower case


@dataclass(frozen=True, slots=True)
class Writer:
    """Write frames and masks in folders by list."""

    link: Link = "copy"
    frames: Annotated[Literal["keep", "png"], "keep = images as they are; png = every frame a PNG, so that frame and mask have the very same name (JPEG are decoded, losslessly stored)."] = "keep"  # fmt: skip
    masks: Annotated[Literal["gray", "palette", "link"], "gray = grey value is the class id (what Keras reads); palette = VOC's colours; link = the dataset's own files, as --link says."] = "gray"  # fmt: skip
    flat: Annotated[
        bool, "No inner folder: train_frames/<stem>.jpg, for code that lists the folder itself."
    ] = False
    max_pixels: MaxPixels = MAX_PIXELS

    def choose(
        self, entries: tuple[Entry, ...], lists: Mapping[str, tuple[str, ...]], notes: list[Note]
    ) -> dict[str, tuple[str, ...]]:
        """The samples of train, val and test.

        Raises TreeError without lists, SegprepError where sorted names would pair wrongly.
        """
        drawn = {name: lists[name] for name in SPLITS if name in lists}
        if "train" not in drawn or not any(drawn.values()):
            raise TreeError(
                "no-split",
                "no split: the dataset has no train list",
                "run segprep split, then export again",
            )
        notes += [
            Note(
                "empty-split",
                f"the list {name} is {'empty' if name in drawn else 'missing'}: no {name}_frames",
            )
            for name in SPLITS
            if not drawn.get(name)
        ]
        stems = {entry.stem: entry for entry in entries}
        places: dict[str, tuple[str, ...]] = {}
        for name, listed in drawn.items():
            present = [stem for stem in dict.fromkeys(listed) if stem in stems]
            places |= {stem: (*places.get(stem, ()), name) for stem in present}
            self._refuse_disorder([stems[stem] for stem in present])
        if left := [stem for stem in stems if stem not in places]:
            notes.append(
                Note(
                    "unlisted",
                    f"{len(left)} samples are in no list and were left out, {left[0]} first;"
                    " segprep split --update places them",
                )
            )
        return places

    def _refuse_disorder(self, entries: list[Entry]) -> None:
        by_frame = sorted(entries, key=lambda entry: entry.stem + self._suffix(entry.image))
        by_mask = sorted(entries, key=lambda entry: entry.stem + ".png")
        if wrong := next(
            (pair for pair in zip(by_frame, by_mask, strict=True) if pair[0] is not pair[1]), None
        ):
            raise SegprepError("order-differs", f"sorted by name, frame {wrong[0].stem} would be paired with mask {wrong[1].stem}", "give --frames png, so that both have the same names")  # fmt: skip

    def _suffix(self, path: Path) -> str:
        suffix = path.suffix.lower()
        return suffix if self.frames == "keep" and suffix in _READS else ".png"

    def files(
        self, entry: Entry, places: tuple[str, ...], roots: tuple[Path, ...], notes: list[Note]
    ) -> Iterator[Product]:
        """Frame and mask, in the folders of each list that names them."""
        sample = samples.read(entry, roots, self.max_pixels)
        notes += sample.notes
        mask, _ = samples.upright(sample, entry.image, self.max_pixels)
        made = (
            self._linked(entry, roots)
            if self.masks == "link" and sample.upright
            else Product("", image.encode_mask(mask, self._mode))
        )
        frame = self._frame(entry, sample, notes)
        for name in places:
            inner = "" if self.flat else f"{name}/"
            yield Product(
                f"{name}_frames/{inner}{entry.stem}{self._suffix(entry.image)}",
                frame.content,
                frame.origin,
                frame.link,
            )
            yield Product(
                f"{name}_masks/{inner}{entry.stem}.png", made.content, made.origin, made.link
            )

    @property
    def _mode(self) -> image.MaskMode:
        return "palette" if self.masks == "palette" else "gray"

    def _linked(self, entry: Entry, roots: tuple[Path, ...]) -> Product:
        """The dataset's own mask. Raises SourceError for a palette, whose colours Keras would turn
        into grey levels.
        """
        if image.header(read_below(entry.mask, roots), entry.mask, self.max_pixels).mode != "L":
            raise SourceError(
                entry.mask,
                "is no grey PNG: Keras would read its colours as grey levels, not its ids",
                "leave out --masks link",
                "mask-is-colour",
            )
        return Product("", None, entry.mask, self.link)

    def _frame(self, entry: Entry, sample: Sample, notes: list[Note]) -> Product:
        """The image's own file where Keras can read it as it lies, else its pixels as upright PNG."""
        head, suffix = (
            image.header(sample.image, entry.image, self.max_pixels),
            self._suffix(entry.image),
        )
        if (
            head.orientation == 1
            and suffix == entry.image.suffix.lower()
            and (suffix != ".png" or head.format == "PNG")
        ):
            return Product("", None, entry.image, self.link)
        if suffix not in (".png", ".jpg", ".jpeg"):
            raise SourceError(
                entry.image,
                f"EXIF orientation {head.orientation}, which Keras does not apply",
                "give --frames png",
                "image-unsupported",
            )
        data, change = image.transcode(
            sample.image, entry.image, "png" if suffix == ".png" else "jpg", self.max_pixels
        )
        turned = f", EXIF orientation {head.orientation} applied" if head.orientation > 1 else ""
        notes.append(
            Note(
                "image-converted",
                f"{entry.image.name}: {head.format} became {suffix[1:].upper()}{turned}"
                + (f"; {change}" if change else ""),
            )
        )
        return Product("", data)

    def texts(
        self, classes: Classes | None, lists: Mapping[str, tuple[str, ...]]
    ) -> dict[str, bytes]:
        """The class names, one per line: line n is grey value n."""
        return {CLASS_NAMES: class_files(classes)[CLASS_NAMES]} if classes else {}
