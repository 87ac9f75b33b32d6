"""Hugging Face datasets: an imagefolder with image and label columns, or Parquet shards.

    OUT/train/images/<stem>.jpg          also validation/ and test/
    OUT/train/masks/<stem>.png           gray PNG, gray value = class id, 255 = ignored
    OUT/train/metadata.jsonl             {"file_name", "label_file_name", "stem"}
    OUT/data/train.parquet …             instead, with --parquet: image and mask bytes embedded
    OUT/id2label.json  README.md         the class names; the card, ready to push
    OUT/README.txt

Format: https://huggingface.co/docs/datasets/image_dataset: a column NAME_file_name becomes the
image column NAME.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from segprep.errors import MissingExtraError, SourceError
from segprep.targets._common import lists, names, parquet, pictures, readme, records
from segprep.targets._common.split_writers import SplitWriter
from segprep.types import Classes, Note
from segprep.writer import Choice, Gathered, Inventory, LabeledImage, Part, Product

EXAMPLES = (
    "segprep export hf hf/                          the dataset of the current folder",
    "segprep export hf hf/ -d out/ --parquet        one file per list, bytes embedded",
)
_NAMES = {"train": "train", "val": "validation", "test": "test"}


@dataclass(frozen=True, slots=True)
class Writer(SplitWriter):
    """Write folders with metadata, or Parquet files."""

    parquet: Annotated[
        bool,
        "One Parquet file per list with embedded bytes: needs the extra hf, and memory for the"
        " files of a list.",
    ] = False

    def choose(self, inventory: Inventory) -> Choice:
        """The samples of train, val and test. Raises MissingExtraError for --parquet."""
        names.required(inventory.classes)
        if self.parquet and not parquet.available():
            raise MissingExtraError("--parquet", "pyarrow", "hf")
        return lists.by_split(inventory)

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Part | Note]:
        """Image, mask and their line, in each list that names the sample. Raises SourceError for a
        name with a dollar sign in folders.
        """
        if "$" in sample.entry.stem and not self.parquet:
            raise SourceError(
                sample.entry.mask,
                f"its name {sample.entry.stem!r} has a dollar sign: datasets would take what"
                " follows for a variable of the system",
                "give --parquet, or rename the image and its mask in the source, and convert again",
                "bad-stem",
            )
        picture = pictures.kept(sample, self.link, self.max_pixels, deep=True)
        mask, stem = pictures.mask(sample, "gray"), sample.entry.stem
        yield from picture.notes
        for name in (_NAMES[folder] for folder in places):
            if self.parquet:
                data = picture.product.content or sample.image
                row = parquet.Row(
                    stem, picture.suffix, bytes(data), bytes(mask.product.content or b"")
                )
                yield Part(name, row.packed())
                continue
            yield picture.named(f"{name}/images/{stem}")
            yield mask.named(f"{name}/masks/{stem}")
            row_of = {
                "file_name": f"images/{stem}{picture.suffix}",
                "label_file_name": f"masks/{stem}.png",
                "stem": stem,
            }
            yield Part(name, records.line(row_of))

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """Metadata or Parquet files, id2label.json, the card, README.txt."""
        classes = names.required(inventory.classes)
        files: dict[str, bytes] = {}
        for name, parts in gathered.parts.items():
            if self.parquet:
                files[f"data/{name}.parquet"] = parquet.table(parts)
            else:
                files[f"{name}/metadata.jsonl"] = b"".join(parts)
        first = next(name for name in _NAMES.values() if name in gathered.parts)
        labels = {str(number): name for number, name in enumerate(names.plain(classes))}
        source = '"OUT"' if self.parquet else '"imagefolder", data_dir="OUT"'
        code = (
            "from datasets import load_dataset\n"
            f"data = load_dataset({source})\n"
            f'sample = data["{first}"][0]   # sample["image"], sample["label"]: value = class id'
        )
        title = "Hugging Face datasets. OUT is the folder of this file."
        return {
            **files,
            "id2label.json": records.document(labels),
            "README.md": _card(inventory, classes, tuple(gathered.parts), self.parquet),
            readme.README: readme.text(title, code, gathered, classes),
        }


def _card(inventory: Inventory, classes: Classes, splits: tuple[str, ...], packed: bool) -> bytes:
    """The data set card: what the hub shows, and which files are which split."""
    rows = [f"| {number} | {name} |" for number, name in enumerate(names.plain(classes))]
    front: list[Any] = ["---", "task_categories:", "- image-segmentation"]
    if packed:
        front += ["configs:", "- config_name: default", "  data_files:"]
        for name in splits:
            front += [f"  - split: {name}", f"    path: data/{name}.parquet"]
    front += ["---", "", f"# {inventory.name}", ""]
    front += ["Images with semantic masks: pixel value = class id, 255 = ignored.", ""]
    front += ["| id | class |", "|---|---|", *rows, "| 255 | ignored |", ""]
    front += ["Train with `do_reduce_labels=False` and:", "", "```python"]
    front += [f"id2label = {json.dumps(dict(enumerate(names.plain(classes))), ensure_ascii=False)}"]
    front += ["```", ""]
    return "\n".join(front).encode()
