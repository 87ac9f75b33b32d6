"""FiftyOne ImageSegmentationDirectory: data/ and labels/ per list, with mask_targets.json.

    OUT/train/data/<stem>.jpg            also val/ and test/; copies, hard or symbolic links
    OUT/train/labels/<stem>.png          gray PNG: FiftyOne reads a palette as colors
    OUT/mask_targets.json                {"0": "background", "1": …}
    OUT/README.txt

Format: https://docs.voxel51.com, ImageSegmentationDirectory. FiftyOne shows 0 as background and
knows no ignored value: 255 stays 255 and has no name.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from segprep.targets._common import lists, names, pictures, readme, records
from segprep.targets._common.split_writers import SplitWriter, ignored
from segprep.types import Note
from segprep.writer import Gathered, Inventory, LabeledImage, Loss, Product

EXAMPLES = (
    "segprep export fiftyone fo/ --link sym         the dataset of the current folder",
    "segprep export fiftyone fo/ -d out/",
)


@dataclass(frozen=True, slots=True)
class Writer(SplitWriter):
    """Write data/ and labels/ for each list."""

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Loss | Note]:
        """Image and mask, in each list that names the sample."""
        picture = pictures.kept(sample, self.link, self.max_pixels, deep=True)
        mask = pictures.mask(sample, "gray")
        yield from picture.notes
        yield ignored(sample, "are a value without a name")
        for name in places:
            yield picture.named(f"{name}/data/{sample.entry.stem}")
            yield mask.named(f"{name}/labels/{sample.entry.stem}")

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """mask_targets.json and README.txt."""
        classes = names.required(inventory.classes)
        targets = {str(number): name for number, name in enumerate(names.plain(classes))}
        first = lists.in_order(lists.stems_by_split(inventory))[0]
        code = (
            "import json, fiftyone as fo\n"
            'targets = {int(k): v for k, v in json.load(open("OUT/mask_targets.json")).items()}\n'
            f'data = fo.Dataset.from_dir("OUT/{first}", mask_targets=targets,'
            " dataset_type=fo.types.ImageSegmentationDirectory)"
        )
        title = "FiftyOne, ImageSegmentationDirectory. OUT is the folder of this file."
        return {
            "mask_targets.json": records.document(targets),
            readme.README: readme.text(title, code, gathered, classes),
        }
