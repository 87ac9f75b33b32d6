"""segprep's id table, masks and instances against cityscapesScripts itself.

SEGPREP_CITYSCAPES_PYTHON names a Python that has it, with the same Pillow.
"""

import json
import os
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segprep.sources.cityscapes import Reader, ids

SCENES, WIDTH, HEIGHT = 60, 200, 100
TABLE = """
import json
from cityscapesscripts.helpers.labels import labels
print(json.dumps([[one.name, one.id, one.trainId, one.hasInstances] for one in labels]))
"""
DRAW = """
import sys
from pathlib import Path
import numpy as np
from cityscapesscripts.helpers.annotation import Annotation
from cityscapesscripts.preparation.json2instanceImg import createInstanceImage
from cityscapesscripts.preparation.json2labelImg import createLabelImage
for path in sorted(Path(sys.argv[1]).rglob("*_gtFine_polygons.json")):
    scene = Annotation()
    out = str(Path(sys.argv[2]) / path.name.removesuffix("_gtFine_polygons.json"))
    scene.fromJsonFile(str(path))
    np.save(out + "_ids.npy", np.asarray(createLabelImage(scene, "ids")))
    np.save(out + "_train.npy", np.asarray(createLabelImage(scene, "trainIds")))
    np.save(out + "_instances.npy", np.asarray(createInstanceImage(scene, "ids")))
"""


@pytest.fixture(scope="module")
def theirs() -> str:
    """The Python that has cityscapesScripts."""
    python = os.environ.get("SEGPREP_CITYSCAPES_PYTHON")
    if not python:
        pytest.skip("SEGPREP_CITYSCAPES_PYTHON names no Python that has cityscapesScripts")
    return python


def test_the_table(theirs: str) -> None:
    found = subprocess.run([theirs, "-c", TABLE], capture_output=True, text=True, check=True)
    table = [one for one in json.loads(found.stdout) if one[1] >= 0]
    assert [(name, number) for name, number, *_ in table] == [
        (name, number) for number, name in enumerate(ids.NAMES)
    ]
    assert [train for *_, train, _ in table] == ids.values("train")
    assert {number for _, number, _, instances in table if instances} == ids.WITH_INSTANCES
    assert [one[0] for one in json.loads(found.stdout) if one[1] < 0] == [ids.UNDRAWN]


def scene(random: Random) -> dict[str, Any]:
    names = [*ids.NAMES, ids.UNDRAWN, "cargroup", "persongroup", "bicyclegroup"]
    objects = []
    for _ in range(random.randint(0, 40)):
        x, y = random.randint(-10, WIDTH), random.randint(-10, HEIGHT)
        polygon = [
            [x + random.randint(-40, 40), y + random.randint(-30, 30)]
            for _ in range(random.randint(3, 15))
        ]
        objects.append({"label": random.choice(names), "polygon": polygon})
    return {"imgHeight": HEIGHT, "imgWidth": WIDTH, "objects": objects}


def test_polygons_are_drawn_alike(theirs: str, tmp_path: Path) -> None:
    random, source, drawn = Random(19), tmp_path / "src", tmp_path / "drawn"
    source.mkdir()
    drawn.mkdir()
    for number in range(SCENES):
        Image.new("RGB", (WIDTH, HEIGHT)).save(source / f"a_{number}_0_leftImg8bit.png")
        (source / f"a_{number}_0_gtFine_polygons.json").write_text(json.dumps(scene(random)))
    subprocess.run([theirs, "-c", DRAW, str(source), str(drawn)], capture_output=True, check=True)
    for labels, kind in (("all", "ids"), ("train", "train")):
        reader = Reader(source, labels=labels, objects=True)  # type: ignore[arg-type]
        for item in reader.scan().items:
            sample = reader.read(item)
            expected = np.load(drawn / f"{item.stem}_{kind}.npy")
            assert (sample.mask == expected).all(), item.stem
            assert sample.objects is not None
            ours, instances = (
                sample.objects.astype(int),
                np.load(drawn / f"{item.stem}_instances.npy").astype(int),
            )
            counted = (instances >= 1000) & (sample.mask != 255)
            assert ((ours > 0) & (ours < 65_535) == counted).all(), item.stem
            pairs = set(zip(ours[counted].tolist(), instances[counted].tolist(), strict=True))
            assert len(pairs) == len({one for one, _ in pairs}) == len({one for _, one in pairs}), (
                item.stem
            )
