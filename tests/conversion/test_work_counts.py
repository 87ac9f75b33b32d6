"""How often a conversion opens each source file and decodes each picture: by CPython's own account
of what it opens, and the profiler's of what it calls.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COUNTED = """
import cProfile, json, pstats, sys
from collections import Counter
report = sys.argv.pop(1)
opened = Counter()
def hook(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)) and not args[2] & 3:
        opened[str(args[0]).rpartition("/")[2]] += 1
sys.addaudithook(hook)
from segprep_cli.main import group
import PIL.Image
profile = cProfile.Profile()
try:
    profile.runcall(group, prog_name="segprep")
except SystemExit as end:
    assert not end.code
counts = dict(opened)
calls = Counter()
for (file, _, name), (_, times, *_) in pstats.Stats(profile).stats.items():
    place = file.replace("\\\\", "/").rpartition("/")[2]
    calls[f"{place}:{name}"] += times
with open(report, "w") as file:
    json.dump([counts, dict(calls)], file)
"""


def counts(tmp_path: Path, *command: str) -> tuple[Counter[str], Counter[str]]:
    """Files opened for reading, by name, and calls, by file and function."""
    report = tmp_path / "report.json"
    subprocess.run(
        [sys.executable, "-c", COUNTED, str(report), *command], check=True, capture_output=True
    )
    opened, calls = json.loads(report.read_text())
    return Counter(opened), Counter(calls)


def pairs(folder: Path, number: int) -> Path:
    random = np.random.default_rng(1)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for at in range(number):
        picture = random.integers(0, 255, (24, 32, 3), np.uint8)
        Image.fromarray(picture).save(folder / "images" / f"s{at}.jpg")
        mask = random.integers(0, 3, (6, 8), np.uint8).repeat(4, 0).repeat(4, 1)
        Image.fromarray(mask).save(folder / "masks" / f"s{at}.png")
    return folder


def annotations(folder: Path, number: int) -> Path:
    folder.mkdir()
    for at in range(number):
        Image.new("RGB", (32, 24), (at, 20, 30)).save(folder / f"s{at}.jpg")
        shape = {"label": "cat", "points": [[2, 2], [20, 2], [20, 18]], "shape_type": "polygon"}
        content = {"version": "5.0.1", "imagePath": f"s{at}.jpg", "imageData": None}
        content |= {"imageHeight": 24, "imageWidth": 32, "shapes": [shape]}
        (folder / f"s{at}.json").write_text(json.dumps(content))
    return folder


def test_pairs_open_and_decode_each_file_once(tmp_path: Path) -> None:
    source = pairs(tmp_path / "source", 15)
    command = ("convert", "pairs", str(source), str(tmp_path / "out"), "--classes", "3", "-j", "1")
    opened, calls = counts(tmp_path, *command)
    # once for the conversion, once more where the palettes of all masks are compared beforehand
    assert {opened[f"s{at}.jpg"] for at in range(15)} == {1}
    assert {opened[f"s{at}.png"] for at in range(15)} == {2}
    assert calls["png.py:decode"] == 15  # every mask
    assert calls["image.py:histogram"] == 15
    assert not calls["~:<method 'decode' of 'ImagingDecoder' objects>"]  # no photograph


def test_annotations_open_each_file_once(tmp_path: Path) -> None:
    source = annotations(tmp_path / "source", 30)
    out, names = str(tmp_path / "out"), ("--classes", "_background_,cat")
    opened, calls = counts(tmp_path, "json2mask", str(source), out, *names, "-j", "1")
    # twelve to fifteen annotations, spread evenly, are looked at before a large folder is trusted
    assert sum(opened[f"s{at}.json"] for at in range(30)) <= 45
    assert sum(opened[f"s{at}.jpg"] for at in range(30)) <= 45
    assert min(opened[f"s{at}.json"] for at in range(30)) == 1
    assert calls["png.py:encode"] == 30
    assert not calls["~:<method 'decode' of 'ImagingDecoder' objects>"]


@pytest.mark.parametrize("command", ["info", "stats"])
def test_masks_of_a_foreign_tree_are_decoded_without_pillow(tmp_path: Path, command: str) -> None:
    source = pairs(tmp_path / "source", 6)
    (source / "images").rename(source / "JPEGImages")
    (source / "masks").rename(source / "SegmentationClass")
    _, calls = counts(tmp_path, command, str(source), "-j", "1")
    assert calls["png.py:decode"] == 6
    if command == "info":
        assert not calls["~:<method 'decode' of 'ImagingDecoder' objects>"]


def test_a_conversion_starts_without_what_only_others_need(tmp_path: Path) -> None:
    """What unpacks archives, draws cards and finds out why a folder cannot be read loads as long as
    ten images take.
    """
    annotations(tmp_path / "source", 1)
    code = (
        "import segprep, sys\n"
        f"segprep.convert('labelme', {str(tmp_path / 'source')!r}, {str(tmp_path / 'out')!r})\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "segprep.sources.labelme" in loaded
    rooms = ("archives.archive", "images.source_images", "refusals.unread")
    common = {f"segprep.sources._common.{room}" for room in rooms}
    assert not loaded & {"html", "tarfile", "segprep.imaging.mask_files", *common}
