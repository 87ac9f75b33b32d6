"""nnU-Net v2: raw folders with gray label maps, dataset.json, and the split for its preprocessing.

    OUT/nnUNet_raw/Dataset001_<Name>/
      dataset.json                       channels, labels (background first, ignore last), reader
      imagesTr/<stem>_0000.png           8-bit RGB PNG: train and val (nnU-Net draws its own folds)
      labelsTr/<stem>.png                gray PNG, gray value = label; 255 becomes K, "ignore"
      imagesTs/  labelsTs/               the test list
    OUT/nnUNet_preprocessed/Dataset001_<Name>/splits_final.json    train and val as fold 0
    OUT/README.txt

Format: nnU-Net's documentation, dataset format. Label 0 has to be the background: where the
dataset has it elsewhere, or not at all, labels are renumbered and README.txt says how.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from segprep.errors import UsageError
from segprep.imaging import image
from segprep.targets._common import lists, names, pictures, readme, records
from segprep.types import IGNORE, MAX_PIXELS, Classes, MaxPixels, Note
from segprep.writer import Choice, Gathered, Inventory, LabeledImage, Part, Product

EXAMPLES = (
    "segprep export nnunet nnunet/                  the dataset of the current folder",
    "segprep export nnunet nnunet/ -d out/ --id 27 --name Nuclei",
)
_HAS_IGNORED = "ignored"  # a part that says that some label map has pixels of 255


@dataclass(frozen=True, slots=True)
class Writer:
    """Write nnUNet_raw and the split; convert nothing by hand."""

    id: Annotated[int, "The number of the dataset, 1 to 999."] = 1
    name: Annotated[str, "Its name; by default that of the dataset's folder."] = ""
    max_pixels: MaxPixels = MAX_PIXELS

    def choose(self, inventory: Inventory) -> Choice:
        """The samples of train, val and test; all are training cases where there is no split."""
        if not 1 <= self.id <= 999:
            raise UsageError(
                "bad-option", f"--id {self.id}: nnU-Net counts 1 to 999", "give a number in range"
            )
        labels(names.required(inventory.classes))
        choice = lists.by_split(inventory)
        folder = self._folder(inventory)
        return Choice(
            {
                stem: tuple(
                    dict.fromkeys(f"{folder}|{'Ts' if name == 'test' else 'Tr'}" for name in names)
                )
                for stem, names in choice.places.items()
            },
            choice.notes,
        )

    def _folder(self, inventory: Inventory) -> str:
        return f"Dataset{self.id:03}_{names.identifier(inventory, self.name)}"

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Part | Note]:
        """Image and label map."""
        picture = pictures.converted(sample, "png", self.max_pixels, rgb=True)
        yield from picture.notes
        table = np.zeros(256, np.uint8)
        ids = labels(names.required(sample.classes))
        for label, (value, _) in enumerate(ids):
            if value is not None:
                table[value] = label
        table[IGNORE] = len(ids)
        label_map = image.encode_mask(table.take(sample.mask), "gray")
        if (sample.mask == IGNORE).any():
            yield Part(_HAS_IGNORED, b"")
        for home in places:
            folder, _, kind = home.partition("|")
            base, stem = f"nnUNet_raw/{folder}", sample.entry.stem
            yield picture.named(f"{base}/images{kind}/{stem}_0000")
            yield Product(f"{base}/labels{kind}/{stem}.png", label_map)

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """dataset.json, the split, README.txt."""
        classes, folder = names.required(inventory.classes), self._folder(inventory)
        splits = lists.stems_by_split(inventory)
        training = [*splits.get("train", ()), *splits.get("val", ())]
        ids = [(name, number) for number, (_, name) in enumerate(labels(classes))]
        if _HAS_IGNORED in gathered.parts:
            ids.append(("ignore", len(ids)))
        description = {
            "channel_names": {"0": "R", "1": "G", "2": "B"},
            "labels": dict(ids),
            "numTraining": len(dict.fromkeys(training)),
            "file_ending": ".png",
            "overwrite_image_reader_writer": "NaturalImage2DIO",
        }
        files = {
            f"nnUNet_raw/{folder}/dataset.json": records.document(description),
            readme.README: self._readme(gathered, classes),
        }
        if splits.get("train") and splits.get("val"):
            split = [{"train": list(splits["train"]), "val": list(splits["val"])}]
            files[f"nnUNet_preprocessed/{folder}/splits_final.json"] = records.document(split)
        return files

    def _readme(self, gathered: Gathered, classes: Classes) -> bytes:
        code = (
            "export nnUNet_raw=OUT/nnUNet_raw nnUNet_preprocessed=OUT/nnUNet_preprocessed"
            " nnUNet_results=OUT/nnUNet_results\n"
            f"nnUNetv2_plan_and_preprocess -d {self.id} --verify_dataset_integrity -c 2d\n"
            f"nnUNetv2_train {self.id} 2d 0      # fold 0 is the dataset's own split"
        )
        moved = [
            f"- {value} {name} became {number}"
            for number, (value, name) in enumerate(labels(classes))
            if value not in (number, None)
        ]
        facts = ["Labels are the dataset's pixel values; 255 (ignored) became the last label."]
        if moved:
            facts = ["Label 0 has to be the background, so that labels moved:\n" + "\n".join(moved)]
        title = "nnU-Net v2 raw dataset. OUT is the folder of this file."
        return readme.text(title, code, gathered, classes, facts)


def labels(classes: Classes) -> list[tuple[int | None, str]]:
    """(Pixel value in the dataset, name) of each label in nnU-Net's order: the background first, a
    value of None where the dataset has no background.

    Raises UsageError for a class that bears a reserved name.
    """
    rest: list[tuple[int | None, str]] = [
        (value, name) for value, name in enumerate(classes.names) if value != classes.background
    ]
    names.refuse(classes, dict.fromkeys(("background", "ignore"), "a name that nnU-Net reserves"))
    return [(classes.background, "background"), *rest]
