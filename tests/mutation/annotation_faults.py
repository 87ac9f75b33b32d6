"""Faults of labelme annotations before their conversion: every set is exported as labelme JSON, and
a few of its files are spoiled.
"""

import base64
import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from faults import Fault, Rng

import segprep

MARK = "segprep-export"  # what an export leaves beside the annotations
FREQUENT = 60  # shapes of a label, from which on a typo of it is one


@dataclass(frozen=True)
class Annotations:
    """A folder of labelme files, with the images beside them."""

    root: Path

    def stems(self) -> list[str]:
        return sorted(path.stem for path in self.root.glob("*.json") if path.stem != MARK)

    def read(self, stem: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.root / f"{stem}.json").read_text("utf-8"))
        return content

    def write(self, stem: str, content: dict[str, Any]) -> None:
        (self.root / f"{stem}.json").write_text(json.dumps(content), "utf-8")


def exported(tree: Path, out: Path) -> Path:
    """The masks of *tree* as labelme files in *out*."""
    segprep.export("labelme", tree, out, tolerance=1.0)
    return out


def copy(folder: Path, out: Path) -> Annotations:
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(folder, out)
    return Annotations(out)


Shape = dict[str, Any]
Change = Callable[[list[Shape], dict[str, Any]], bool]


def files(change: Change) -> Callable[[Any, Sequence[str], Rng], list[str]]:
    """Let *change* edit the shapes of every file, given its content; where it says False the file
    stays as it is.
    """

    def apply(place: Annotations, stems: Sequence[str], rng: Rng) -> list[str]:
        spoiled = []
        for stem in stems:
            content = place.read(stem)
            if content["shapes"] and change(content["shapes"], content):
                place.write(stem, content)
                spoiled.append(stem)
        return spoiled

    return apply


def variant(shapes: list[Shape], content: dict[str, Any]) -> bool:
    shapes[0]["label"] = f"{shapes[0]['label'].title()} "
    return True


def typo(place: Annotations, stems: Sequence[str], rng: Rng) -> list[str]:
    """The last letter of a frequent label is written twice, in one shape of the first file that has
    one; nothing where no label is frequent.
    """
    every = {stem: place.read(stem) for stem in place.stems()}
    counts = Counter(shape["label"] for content in every.values() for shape in content["shapes"])
    usable = {label for label, count in counts.items() if count > FREQUENT and label[-1].isalpha()}
    for stem in (*stems, *every):
        for shape in every[stem]["shapes"]:
            if shape["label"] in usable:
                shape["label"] += shape["label"][-1]
                place.write(stem, every[stem])
                return [stem]
    return []


def twice(shapes: list[Shape], content: dict[str, Any]) -> bool:
    shapes.append(dict(shapes[0]))
    return True


def other_class(shapes: list[Shape], content: dict[str, Any]) -> bool:
    """The last shape once more, under another label: nothing is left to see of the first."""
    shapes.append({**shapes[-1], "label": "another"})
    return True


def moved(share: float) -> Change:
    """The first shape lies beyond the right edge by *share* of its width."""

    def change(shapes: list[Shape], content: dict[str, Any]) -> bool:
        xs = [x for x, _ in shapes[0]["points"]]
        wide = max(xs) - min(xs)
        step = content["imageWidth"] - max(xs) + share * wide + (5 if share >= 1 else 0)
        shapes[0]["points"] = [[x + step, y] for x, y in shapes[0]["points"]]
        return share * wide > 3

    return change


def scaled(shapes: list[Shape], content: dict[str, Any]) -> bool:
    """Drawn on a copy of twice the size."""
    for shape in shapes:
        shape["points"] = [[2 * x, 2 * y] for x, y in shape["points"]]
    width, height = content["imageWidth"], content["imageHeight"]
    tops = [(max(x for x, _ in s["points"]), max(y for _, y in s["points"])) for s in shapes]
    # objects in the upper left corner say nothing
    return 2 * sum(x > 1.1 * width or y > 1.1 * height for x, y in tops) >= len(shapes)


def shares(shapes: list[Shape], content: dict[str, Any]) -> bool:
    width, height = content["imageWidth"], content["imageHeight"]
    for shape in shapes:
        shape["points"] = [[x / width, y / height] for x, y in shape["points"]]
    return True


def crossed(shapes: list[Shape], content: dict[str, Any]) -> bool:
    """The first shape becomes a bow tie."""
    xs, ys = zip(*shapes[0]["points"], strict=True)
    left, right, top, low = min(xs), max(xs), min(ys), max(ys)
    shapes[0]["points"] = [[left, top], [right, low], [right, top], [left, low]]
    return right - left > 2 and low - top > 2


def line(shapes: list[Shape], content: dict[str, Any]) -> bool:
    shapes[0]["points"] = shapes[0]["points"][:2]
    return True


def embedded(place: Annotations, stems: Sequence[str], rng: Rng) -> list[str]:
    """The picture of another file is embedded."""
    every = place.stems()
    for stem in stems:
        content = place.read(stem)
        other = place.read(every[(every.index(stem) + 1 + len(every) // 2) % len(every)])
        data = (place.root / other["imagePath"]).read_bytes()
        place.write(stem, {**content, "imageData": base64.b64encode(data).decode()})
    return list(stems)


ANNOTATED = tuple(
    replace(fault, annotations=True)
    for fault in (
        Fault("label variant", "F33", ("SEG802",), files(variant), scopes=("one", "few")),
        Fault("label typo", "F33", ("SEG803",), typo, scopes=("one",)),
        Fault("shape twice", "F34", ("SEG804",), files(twice)),
        Fault("shape in two classes", "F34", ("SEG804", "SEG810"), files(other_class)),
        Fault("shape outside", "F35", ("SEG805",), files(moved(1.0)), scopes=("one", "few")),
        Fault("shape half outside", "F35", ("SEG805",), files(moved(0.5)), scopes=("one", "few")),
        Fault("shapes at twice the scale", "F35", ("SEG807", "SEG805"), files(scaled)),
        Fault("coordinates from 0 to 1", "F35", ("SEG807",), files(shares)),
        Fault("polygon crosses itself", "F36", ("SEG806",), files(crossed)),
        Fault("polygon of two points", "F36", ("SEG806",), files(line)),
        Fault("another image embedded", "F40", ("SEG808",), embedded),
    )
)
