"""PaddleSeg: images, annotations, lists of pairs and labels.txt.

    OUT/images/<stem>.jpg                the images as they are: copies, hard or symbolic links
    OUT/annotations/<stem>.png           gray PNG, gray value = class id, 255 = ignored
    OUT/train.txt  val.txt  test.txt     images/<stem>.jpg annotations/<stem>.png
    OUT/labels.txt                       class names by id
    OUT/README.txt

Format: PaddleSeg's documentation, type: Dataset. A blank parts the two names of a line, so that
sample names with blanks are refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from segprep.errors import SourceError
from segprep.targets._common import lists, names, pictures, readme
from segprep.targets._common.split_writers import SplitWriter
from segprep.types import Note
from segprep.writer import Gathered, Inventory, LabeledImage, Part, Product

EXAMPLES = (
    "segprep export paddle paddle/ --link hard      the dataset of the current folder",
    "segprep export paddle paddle/ -d out/",
)


@dataclass(frozen=True, slots=True)
class Writer(SplitWriter):
    """Write images, annotations and lists."""

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Part | Note]:
        """Image and annotation once, a line in each list. Raises SourceError for a blank."""
        stem = sample.entry.stem
        if stem.split() != [stem]:
            raise SourceError(
                sample.entry.mask,
                f"its name {stem!r} holds a blank, which parts the columns of PaddleSeg's lists",
                "rename the image and its mask in the source, and convert again",
                "bad-stem",
            )
        picture = pictures.kept(sample, self.link, self.max_pixels)
        yield from picture.notes
        yield picture.named(f"images/{stem}")
        yield pictures.mask(sample, "gray").named(f"annotations/{stem}")
        for name in places:
            yield Part(name, f"images/{stem}{picture.suffix} annotations/{stem}.png\n".encode())

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """The lists, labels.txt, README.txt."""
        classes = names.required(inventory.classes)
        files = {f"{name}.txt": b"".join(lines) for name, lines in gathered.parts.items()}
        first = lists.in_order(gathered.parts)[0]
        code = (
            "from paddleseg.datasets import Dataset\n"
            f'{first} = Dataset(mode="{first}", transforms=[], dataset_root="OUT",'
            f" num_classes={len(classes.names)},\n"
            f'    {first}_path="OUT/{first}.txt", ignore_index=255)'
        )
        title = "PaddleSeg, type: Dataset. OUT is the folder of this file."
        return {
            **files,
            "labels.txt": "".join(f"{name}\n" for name in names.plain(classes)).encode(),
            readme.README: readme.text(title, code, gathered, classes),
        }
