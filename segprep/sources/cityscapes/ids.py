"""What Cityscapes' ids and names mean.

The table is that of https://github.com/mcordts/cityscapesScripts (helpers/labels.py).
"""

from typing import Literal

from segprep.types import IGNORE

NAMES = (
    "unlabeled",
    "ego vehicle",
    "rectification border",
    "out of roi",
    "static",
    "dynamic",
    "ground",
    "road",
    "sidewalk",
    "parking",
    "rail track",
    "building",
    "wall",
    "fence",
    "guard rail",
    "bridge",
    "tunnel",
    "pole",
    "polegroup",
    "traffic light",
    "traffic sign",
    "vegetation",
    "terrain",
    "sky",
    "person",
    "rider",
    "car",
    "truck",
    "bus",
    "caravan",
    "trailer",
    "train",
    "motorcycle",
    "bicycle",
)
TRAIN_IDS = (7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33)  # the label id of every train id
WITH_INSTANCES = frozenset(range(24, 34))
UNDRAWN = "license plate"  # label id -1
LABEL_IDS, LABEL_TRAIN_IDS, INSTANCE_IDS, POLYGONS = FILES = (
    "labelIds.png",
    "labelTrainIds.png",
    "instanceIds.png",
    "polygons.json",
)
VOID = frozenset(range(4))  # all that the withheld labels of the test images hold
Labels = Literal["train", "all"]
ID = {name: number for number, name in enumerate(NAMES)}


def classes(labels: Labels) -> tuple[str, ...]:
    """The 19 classes of the benchmark in the order of their train ids, or the 34 names in the order
    of their label ids.
    """
    return tuple(NAMES[number] for number in TRAIN_IDS) if labels == "train" else NAMES


def values(labels: Labels) -> list[int]:
    """The pixel value of every label id: its train id, or 255 where it has none; or itself."""
    if labels == "all":
        return list(range(len(NAMES)))
    return [
        TRAIN_IDS.index(number) if number in TRAIN_IDS else IGNORE for number in range(len(NAMES))
    ]
