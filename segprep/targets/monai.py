"""MONAI: images, label maps and a Decathlon datalist.

    OUT/images/<stem>.jpg                the images as they are: copies, hard or symbolic links
    OUT/labels/<stem>.png                gray PNG, gray value = class id, 255 = ignored
    OUT/datalist.json                    {"training": [{"image", "label"}], "validation", "test"}
    OUT/README.txt

Format: monai.data.load_decathlon_datalist. MONAI's PILReader turns (H, W) to (W, H) unless it is
given reverse_indexing=False.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from segprep.targets._common import lists, names, pictures, readme, records
from segprep.targets._common.split_writers import SplitWriter
from segprep.types import Note
from segprep.writer import Gathered, Inventory, LabeledImage, Part, Product

EXAMPLES = (
    "segprep export monai monai/ --link hard        the dataset of the current folder",
    "segprep export monai monai/ -d out/",
)
_KEYS = {"train": "training", "val": "validation", "test": "test"}


@dataclass(frozen=True, slots=True)
class Writer(SplitWriter):
    """Write images, label maps and the datalist."""

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Part | Note]:
        """Image and label map once, an entry in each list."""
        picture, stem = (
            pictures.kept(sample, self.link, self.max_pixels, deep=True),
            sample.entry.stem,
        )
        yield from picture.notes
        yield picture.named(f"images/{stem}")
        yield pictures.mask(sample, "gray").named(f"labels/{stem}")
        for name in places:
            pair = {"image": f"images/{stem}{picture.suffix}", "label": f"labels/{stem}.png"}
            yield Part(name, records.line(pair))

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """datalist.json and README.txt."""
        classes = names.required(inventory.classes)
        content = {
            "name": inventory.name,
            "labels": {str(n): name for n, name in enumerate(names.plain(classes))},
            "modality": {"0": "RGB"},
            **{_KEYS[name]: records.lines(lines) for name, lines in gathered.parts.items()},
        }
        first = _KEYS[lists.in_order(gathered.parts)[0]]
        code = (
            "from monai.data import load_decathlon_datalist, PILReader; from monai.transforms"
            " import LoadImaged\n"
            f'files = load_decathlon_datalist("OUT/datalist.json", data_list_key="{first}")\n'
            'load = LoadImaged(["image", "label"], reader=PILReader(reverse_indexing=False))'
            "   # (H, W), not (W, H)"
        )
        facts = ["255 is ignored: give the loss ignore_index=255, or mask these pixels out."]
        title = "MONAI, Decathlon datalist. OUT is the folder of this file."
        return {
            "datalist.json": records.document(content),
            readme.README: readme.text(title, code, gathered, classes, facts),
        }
