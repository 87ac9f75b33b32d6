"""What labelme_json_to_dataset wrote up to labelme 4: one folder per image, whose mask numbers the
labels of that image alone.

    src/
      NAME_json/img.png           the image
      NAME_json/label.png         a palette PNG, of 8 or 16 bits
      NAME_json/label_names.txt   the labels by pixel value, one per line; or info.yaml with
                                  label_names: [_background_, cat]
    or, as datasets for Mask R-CNN are copied together from these:
      mask/NAME.png   yaml/NAME.yaml   and NAME.jpg anywhere below SRC or --image-root

Format: https://github.com/wkentaro/labelme/blob/v3.16.7/labelme/cli/json_to_dataset.py.
Assumptions: a value means the label at its place in the image's own list; labels that are listed
twice are objects of one class. The JSON files, where there are any, are better: segprep json2mask.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segprep.dataset.classes import is_background
from segprep.errors import SegprepError, SourceError
from segprep.files import MAX_BYTES, listing, read_below
from segprep.imaging import image
from segprep.names import shown
from segprep.sources._common.classes import own_names
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.shapes.region_shapes import whole_mask
from segprep.sources._common.shapes.regions import Document, RegionReader
from segprep.sources._common.texts import json_values
from segprep.types import Evidence

EXAMPLES = ("segprep convert labelme-folders labelme_json/ out/",)
_ENDING = "_json"
_TRIED = 20


@dataclass(frozen=True, slots=True)
class Reader(RegionReader):
    """Read the folders of labelme_json_to_dataset."""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A mask with a list of its own labels, and without the JSON file that it was made from."""
        real = root.resolve()
        made_from = {Path(name).stem for _, name in listing(str(real)) if name.endswith(".json")}
        for path in cls(real).documents()[:_TRIED]:
            file = own_names.names_file(path)
            if made_from & {path.stem, path.parent.name, path.parent.name.removesuffix(_ENDING)}:
                continue
            try:
                if file and own_names.names_in(file, (real,)):
                    named = file.relative_to(real).as_posix()
                    return Evidence(0.95, f"{named} names the values of one mask")
            except SegprepError:
                continue
        return None

    def documents(self) -> list[Path]:
        """Every mask with a list of its own labels."""
        entries = listing(str(self.roots()[0]))
        pngs = (Path(folder, name) for folder, name in entries if name.lower().endswith(".png"))
        return [path for path in pngs if own_names.names_file(path)]

    def parse(self, path: Path, context: Any = None) -> Document:
        """The values of one mask as regions."""
        file = own_names.names_file(path)
        assert file
        names = own_names.names_in(file, self.roots())
        values = image.decode_mask(read_below(path, self.roots(), MAX_BYTES), path, self.max_pixels)
        regions = []
        for value in image.histogram(values):
            if value >= len(names):
                reason = f"holds the value {value}; {shown(file.name)} names {len(names)} labels"
                raise SourceError(path, reason, "is it the list of this mask?", "unknown-label")
            label = json_values.label(names[value], file, f"label_names[{value}]")
            if not is_background(label):
                regions.append(whole_mask(label, f"value {value}", values == value))
        mask_of_folder = path.name == "label.png"
        picture = path.with_name("img.png")
        if mask_of_folder and not picture.is_file():
            hint = "export it again, or convert the JSON files: segprep json2mask SRC OUT"
            raise SourceError(path, "has no img.png beside it", hint, "image-missing")
        called = path.parent.with_name(f"{path.parent.name.removesuffix(_ENDING)}.png")
        return Document(
            (
                AnnotatedImage(
                    called.name if mask_of_folder else path.name,
                    size=values.shape[:2],
                    regions=tuple(regions),
                    path=picture if mask_of_folder else None,
                    by_stem=True,
                    called=called if mask_of_folder else None,
                    masks=(path, path.with_name("label_viz.png")),
                ),
            )
        )
