"""Exports and tiles against ``cp -r`` of the bytes that they write.

Photographs of 1600 x 1200 (JPEG) with palette masks. ``cp -rL`` copies what the export wrote, links
followed, from the page cache. Files of the own tree, which segprep made, are not read while nobody
touches them; a hard link is a touch, so that hard links come last, and all after the first are made
of files that are read. The foreign tree's masks are decoded, and all its files hashed. An export
forces what it wrote to the disk before it appears, so that the copy is measured with ``sync``, too.
A tile is decoded and encoded.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from measuring import SEGPREP, Comparison, Row, Size, measure, to_fresh
from PIL import Image, ImageFilter

from segprep.dataset.tree_files import list_bytes
from segprep.imaging.image import encode_mask

EXPORTS = (
    ("sym", "ultralytics"),
    ("copy", "ultralytics"),
    ("copy", "monai"),
    ("hard", "ultralytics"),
)
MOST = {"sym": 0.5, "hard": 0.5, "copy": 1.3}  # of the time of cp -r


def comparisons(work: Path, size: Size) -> Iterator[Comparison]:
    count = size(300)
    tree, one = str(work / "tree"), ("-q", "-j", "1")
    foreign = str(write(work / "foreign", count))
    measure([*SEGPREP, "convert", "voc", foreign, tree, *one])
    for place, kind in ((tree, "own"), (foreign, "foreign")):
        for link, target in EXPORTS if kind == "own" else EXPORTS[1:2]:
            words = ("export", target, "OUT", "-d", place, "--link", link, *one)
            title = f"export {target}, {link}, {kind} tree of {count}"
            yield _copied(work / f"{kind}-{link}-{target}", words, title, MOST[link])
    few = str(write(work / "few", size(30)))
    yield _copied(
        work / "tiles", ("tile", few, "OUT", "--image-format", "jpg", *one), "tile, JPEG", None
    )


def _copied(work: Path, words: tuple[str, ...], title: str, most: float | None) -> Comparison:
    """A command against copying what it wrote."""
    first = to_fresh(work / "first", *SEGPREP, *words)()
    measure(first)
    written = first[first.index(str(work / "first" / "0"))]
    copy, sync = 'cp -rL "$1" "$2"', 'cp -rL "$1" "$2" && sync'
    return Comparison(
        {
            "segprep": to_fresh(work / "ours", *SEGPREP, *words),
            "cp -r": to_fresh(work / "copies", "sh", "-c", copy, "sh", written, "OUT"),
            "cp -r and sync": to_fresh(work / "synced", "sh", "-c", sync, "sh", written, "OUT"),
        },
        [
            Row(title, "segprep", "cp -r", most, "wall"),
            Row("  with sync", "segprep", "cp -r and sync", None, "wall"),
            Row("  CPU time", "segprep", "cp -r"),
        ],
        settled=True,
    )


def write(folder: Path, images: int) -> Path:
    """A VOC-style tree of *images* samples, all in train."""
    random = np.random.default_rng(5)
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (folder / name).mkdir(parents=True)
    noise = Image.fromarray(random.integers(0, 256, (1200, 1600, 3)).astype(np.uint8))
    base = np.asarray(noise.filter(ImageFilter.GaussianBlur(1.2)))
    stems = [f"p{n:04}" for n in range(images)]
    for n, stem in enumerate(stems):
        picture = Image.fromarray(np.roll(base, 7 * n, axis=1))
        picture.save(folder / f"JPEGImages/{stem}.jpg", quality=85)
        mask = np.zeros((1200, 1600), np.uint8)
        for value in range(1, 9):
            top, left = random.integers(0, 900, 2)
            mask[top : top + 200, left : left + 300] = value
        (folder / f"SegmentationClass/{stem}.png").write_bytes(encode_mask(mask))
    names = "".join(f"class{n}\n" for n in range(9))
    (folder / "class_names.txt").write_text("_background_\n" + names)
    (folder / "ImageSets/Segmentation/train.txt").write_bytes(list_bytes(stems))
    return folder
