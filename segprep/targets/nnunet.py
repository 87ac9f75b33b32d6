"""nnU-Net v2: raw folders with gray label maps, dataset.json, and the split for its preprocessing.

    OUT/nnUNet_raw/Dataset001_<Name>/
      dataset.json                       channels, labels (background first, ignore last), reader
      imagesTr/<stem>_0000.png           8-bit RGB PNG: train and val (nnU-Net draws its own folds)
      labelsTr/<stem>.png                gray PNG, gray value = label; 255 becomes K, "ignore"
      imagesTs/  labelsTs/               the test list
    OUT/nnUNet_preprocessed/Dataset001_<Name>/splits_final.json    train and val as fold 0
    OUT/README.txt

An OUT that is itself called Dataset001_<Name> holds the files of the dataset, splits_final.json
among them, so that it can be made in the nnUNet_raw that there is.

Format: nnU-Net's documentation, dataset format. Label 0 has to be the background: where the
dataset has it elsewhere, or not at all, labels are renumbered and README.txt says how. Cases lie
side by side: the stem city/a becomes city_a.
"""

import re
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
    "segprep export nnunet nnUNet_raw/Dataset027_Nuclei -d out/",
)
_RAW = "nnUNet_raw"
_FOLDER = re.compile(r"Dataset(\d{3})_(\w+)", re.ASCII)
_HAS_IGNORED = "ignored"  # a part that says that some label map has pixels of 255


@dataclass(frozen=True, slots=True)
class Writer:
    """Write nnUNet_raw and the split; convert nothing by hand."""

    id: Annotated[
        int | None, "The number of the dataset, 1 to 999; by default that in OUT's name, else 1."
    ] = None
    name: Annotated[
        str, "Its name; by default that in OUT's name, else that of the dataset's folder."
    ] = ""
    max_pixels: MaxPixels = MAX_PIXELS

    def choose(self, inventory: Inventory) -> Choice:
        """The samples of train, val and test; all are training cases where there is no split."""
        labels(names.required(inventory.classes))
        choice = lists.by_split(inventory)
        folder, _ = self._folders(inventory)
        return Choice(
            {
                stem: tuple(
                    dict.fromkeys(f"{folder}|{'Ts' if name == 'test' else 'Tr'}" for name in names)
                )
                for stem, names in choice.places.items()
            },
            (*choice.notes, *names.joined({stem: names.flat(stem) for stem in choice.places})),
        )

    def _named(self, inventory: Inventory) -> tuple[int, str]:
        """Number and name of the dataset. Raises UsageError (bad-option)."""
        named = _FOLDER.fullmatch(inventory.out)
        if inventory.out == _RAW:
            raise UsageError(
                "bad-option",
                f"OUT is {_RAW} itself; the dataset would lie in {_RAW}/{_RAW}",
                f"name the folder of the dataset, {_RAW}/Dataset001_NAME, or the one above {_RAW}",
            )
        number = int(named[1]) if named else 1
        name = named[2] if named else names.identifier(inventory, self.name)
        if named and (self.id not in (None, number) or self.name not in ("", name)):
            raise UsageError(
                "bad-option",
                f"OUT is called {inventory.out}, but --id or --name says otherwise",
                "give OUT's name alone, or another OUT",
            )
        number = number if self.id is None else self.id
        if not 1 <= number <= 999:
            raise UsageError(
                "bad-option", f"dataset {number}: nnU-Net counts 1 to 999", "give a number in range"
            )
        return number, name

    def _folders(self, inventory: Inventory) -> tuple[str, str]:
        """Where the dataset, and where its split lies in OUT; both end with a slash."""
        number, name = self._named(inventory)
        if _FOLDER.fullmatch(inventory.out):
            return "", ""
        folder = f"Dataset{number:03}_{name}"
        return f"{_RAW}/{folder}/", f"nnUNet_preprocessed/{folder}/"

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
            stem = names.flat(sample.entry.stem)
            yield picture.named(f"{folder}images{kind}/{stem}_0000")
            yield Product(f"{folder}labels{kind}/{stem}.png", label_map)

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """dataset.json, the split, README.txt."""
        classes, (folder, home) = names.required(inventory.classes), self._folders(inventory)
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
            f"{folder}dataset.json": records.document(description),
        }
        is_split = bool(splits.get("train") and splits.get("val"))
        if is_split:
            split = [{name: [*map(names.flat, splits[name])] for name in ("train", "val")}]
            files[f"{home}splits_final.json"] = records.document(split)
        commands = self._commands(inventory, is_split=is_split)
        files[readme.README] = _readme(commands, gathered, classes)
        return files

    def _commands(self, inventory: Inventory, *, is_split: bool) -> str:
        """The lines that train nnU-Net."""
        number, _ = self._named(inventory)
        nests = _FOLDER.fullmatch(inventory.out) is None
        raw, above = (f"OUT/{_RAW}", "OUT") if nests else ("OUT/..", "OUT/../..")
        lines = [
            f"export nnUNet_raw={raw} nnUNet_preprocessed={above}/nnUNet_preprocessed"
            f" nnUNet_results={above}/nnUNet_results",
            f"nnUNetv2_plan_and_preprocess -d {number} --verify_dataset_integrity -c 2d",
        ]
        if is_split and not nests:
            lines.append(f"cp OUT/splits_final.json {above}/nnUNet_preprocessed/{inventory.out}/")
        fold = "      # fold 0 is the dataset's own split" if is_split else ""
        return "\n".join([*lines, f"nnUNetv2_train {number} 2d 0{fold}"])


def _readme(commands: str, gathered: Gathered, classes: Classes) -> bytes:
    moved = [
        f"- {value} {name} became {number}"
        for number, (value, name) in enumerate(labels(classes))
        if value not in (number, None)
    ]
    facts = ["Labels are the dataset's pixel values; 255 (ignored) became the last label."]
    if moved:
        facts = ["Label 0 has to be the background, so that labels moved:\n" + "\n".join(moved)]
    title = "nnU-Net v2 raw dataset. OUT is the folder of this file."
    return readme.text(title, commands, gathered, classes, facts)


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
