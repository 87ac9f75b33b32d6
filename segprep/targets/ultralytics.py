"""Ultralytics semantic segmentation: images/, masks/, lists and data.yaml.

    OUT/images/<stem>.jpg                the images as they are: copies, hard or symbolic links
    OUT/masks/<stem>.png                 the dataset's masks the same way, or gray PNG; value = id
    OUT/train.txt  val.txt  test.txt     ./images/<stem>.jpg, one per line
    OUT/data.yaml                        train, val, test, masks_dir, names
    OUT/README.txt

Format: Ultralytics 8.4, semantic datasets: the mask of an image is found by putting masks_dir
for images in its path. 255 is ignored; an id that no class has makes Ultralytics drop the file.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from segprep.targets._common import names, pictures, readme
from segprep.targets._common.split_writers import SplitWriter
from segprep.types import Note
from segprep.writer import Gathered, Inventory, LabeledImage, Part, Product

EXAMPLES = (
    "segprep export ultralytics yolo/ --link sym        the dataset of the current folder",
    "segprep export ultralytics yolo/ -d out/",
)


@dataclass(frozen=True, slots=True)
class Writer(SplitWriter):
    """Write images, masks and lists; masks keep their values."""

    gray: Annotated[bool, "Write every mask as gray PNG instead of the dataset's file."] = False

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Part | Note]:
        """Image and mask once, a line in each list."""
        picture = pictures.kept(sample, self.link, self.max_pixels)
        mask = (
            pictures.mask(sample, "gray")
            if self.gray
            else pictures.own_mask(sample, self.link, self.max_pixels)
        )
        stem = sample.entry.stem
        yield from picture.notes
        yield picture.named(f"images/{stem}")
        yield mask.named(f"masks/{stem}")
        for name in places:
            yield Part(name, f"./images/{stem}{picture.suffix}\n".encode())

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """The lists, data.yaml, README.txt."""
        classes = names.required(inventory.classes)
        files = {f"{name}.txt": b"".join(lines) for name, lines in gathered.parts.items()}
        rows = ["# without a path, Ultralytics takes the folder of this file"]
        rows += [f"{name}: {name}.txt" for name in gathered.parts]
        if "val" not in gathered.parts:
            rows.append("val: train.txt   # there is no val list; Ultralytics wants one")
        rows += ["masks_dir: masks", "names:"]
        rows += [
            f"  {number}: {json.dumps(name, ensure_ascii=False)}"
            for number, name in enumerate(names.plain(classes))
        ]
        code = (
            "from ultralytics import YOLO\n"
            'model = YOLO("yolo26n-sem.yaml")\n'
            'model.train(data="OUT/data.yaml", epochs=100)   # task: semantic'
        )
        title = "Ultralytics semantic segmentation. OUT is the folder of this file."
        return {
            **files,
            "data.yaml": ("\n".join(rows) + "\n").encode(),
            readme.README: readme.text(title, code, gathered, classes),
        }
