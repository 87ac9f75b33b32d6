"""Annotations of other tools, as their own or independent decoders read them: the same masks.

Datumaro decodes CVAT and LabelMe XML, label-studio-sdk the brushes of Label Studio, SciPy the
matrices; outlines are drawn by Pillow, in the order that the format states. YOLO's text and
Supervisely's JSON have references of a few lines here: Datumaro 1.13 reads boxes of YOLO only.
"""

import base64
import io
import json
import os
import subprocess
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from segprep.sources._common.shapes import packed_bits

from .source_masks import LABELS, Shape, by_segprep, compare, drawings, painted, photo

PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image, ImageDraw

kind, root, labels, out = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4]

def painted(size, shapes):
    canvas = Image.new("L", size, 0)
    for label, shape in shapes:
        value = labels.index(label) + 1
        if isinstance(shape, np.ndarray):
            part = np.asarray(canvas).copy()
            part[shape] = value
            canvas = Image.fromarray(part)
        else:
            ImageDraw.Draw(canvas).polygon(shape, fill=value, outline=value)
    return np.asarray(canvas)

def pairs(flat):
    return list(zip(flat[::2], flat[1::2]))

def datumaro(name):
    from datumaro import Dataset
    dataset = Dataset.import_from(str(root), name)
    names = [label.name for label in next(iter(dataset.categories().values()))]
    for item in dataset:
        shapes = []
        for one in sorted(item.annotations, key=lambda one: one.z_order):
            polygon = one.type.name == "polygon"
            shape = pairs(one.points) if polygon else np.asarray(one.image, bool)
            shapes.append((names[one.label], shape))
        stem = item.id.split("/")[-1]
        (path,) = root.rglob(stem + ".png")
        yield stem, painted(Image.open(path).size, shapes)

def label_studio():
    from label_studio_sdk.converter.brush import decode_rle
    for task in json.loads((root / "export.json").read_text()):
        shapes = []
        for one in task["annotations"][0]["result"]:
            value, width, height = one["value"], one["original_width"], one["original_height"]
            if "rle" in value:
                bits = decode_rle(value["rle"]).reshape(height, width, 4)[..., 3] > 0
                shapes.append((value["brushlabels"][0], bits))
            else:
                points = [(x * width / 100, y * height / 100) for x, y in value["points"]]
                shapes.append((value["polygonlabels"][0], points))
        yield Path(task["data"]["image"]).stem, painted((width, height), shapes)

def mat():
    from scipy.io import loadmat
    for path in sorted((root / "gt").glob("*.mat")):
        yield path.stem, loadmat(path)["LabelMap"]

READERS = {"label-studio": label_studio, "mat": mat, "cvat": lambda: datumaro("cvat"),
           "labelme-xml": lambda: datumaro("label_me")}
np.savez_compressed(out, **dict(READERS[kind]()))
"""


@pytest.fixture(scope="module")
def decoders() -> str:
    """The Python that has Datumaro, label-studio-sdk and SciPy."""
    python = os.environ.get("SEGPREP_DATUMARO_PYTHON")
    if not python:
        pytest.skip("SEGPREP_DATUMARO_PYTHON names no Python with the decoders (make oracles)")
    return python


def by_decoder(python: str, kind: str, root: Path) -> dict[str, NDArray[Any]]:
    """Stem -> mask, by the tool's decoder in a process of its own."""
    out = root.parent / "masks.npz"
    command = [python, "-c", PROGRAM, kind, str(root), json.dumps(LABELS), str(out)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(out) as arrays:
        return dict(arrays)


def test_cvat(decoders: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, images = tmp_path / "in", []
    for number, (stem, (size, shapes)) in enumerate(drawings(1, bits=True).items()):
        photo(root / "images" / f"{stem}.png", size)
        width, height = size
        inner = []
        for order, (label, shape) in enumerate(shapes):
            rest = f'label="{label}" z_order="{order % 3}" occluded="0" source="manual"'
            if isinstance(shape, np.ndarray):
                flat = shape.ravel()
                ends = np.flatnonzero(np.diff(np.concatenate([[False], flat, [not flat[-1]]])))
                runs = np.diff(np.concatenate([[0], ends])).tolist()
                box = f'left="0" top="0" width="{width}" height="{height}"'
                inner.append(f'<mask {rest} rle="{", ".join(map(str, runs))}" {box}></mask>')
            else:
                points = ";".join(f"{x},{y}" for x, y in shape)
                inner.append(f'<polygon {rest} points="{points}"></polygon>')
        attributes = f'id="{number}" name="{stem}.png" width="{width}" height="{height}"'
        images.append(f"<image {attributes}>{''.join(inner)}</image>")
    labels = "".join(f"<label><name>{name}</name></label>" for name in LABELS)
    meta = f"<meta><task><labels>{labels}</labels></task></meta>"
    text = f"<annotations><version>1.1</version>{meta}{''.join(images)}</annotations>"
    (root / "annotations.xml").write_text(text)
    compare("cvat", by_decoder(decoders, "cvat", root), by_segprep("cvat", root), capsys)


def test_labelme_xml(decoders: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "in"
    for stem, (size, shapes) in drawings(2, bits=False).items():
        photo(root / f"{stem}.png", size)
        things = []
        for number, (label, shape) in enumerate(shapes):
            points = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in shape)
            things.append(
                f"<object><name>{label}</name><deleted>0</deleted><verified>0</verified>"
                f"<occluded>no</occluded><attributes></attributes><id>{number}</id>"
                f"<parts><hasparts></hasparts><ispartof></ispartof></parts><date></date>"
                f"<polygon>{points}<username></username></polygon></object>"
            )
        scale = f"<imagesize><nrows>{size[1]}</nrows><ncols>{size[0]}</ncols></imagesize>"
        text = f"<filename>{stem}.png</filename><folder></folder>{scale}{''.join(things)}"
        (root / f"{stem}.xml").write_text(f"<annotation>{text}</annotation>")
    expected = by_decoder(decoders, "labelme-xml", root)
    compare("labelme-xml", expected, by_segprep("labelme-xml", root), capsys)


def test_label_studio(decoders: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, tasks = tmp_path / "in", []
    for stem, (size, shapes) in drawings(3, bits=True).items():
        photo(root / f"{stem}.png", size)
        width, height = size
        results = []
        for label, shape in shapes:
            if isinstance(shape, np.ndarray):
                rgba = np.repeat(np.where(shape, 255, 0).astype(np.uint8)[..., None], 4, axis=2)
                rle = list(packed_bits.packed(rgba))
                kind, value = "brushlabels", {"format": "rle", "rle": rle}
            else:
                points = [[100 * x / width, 100 * y / height] for x, y in shape]
                kind, value = "polygonlabels", {"points": points}
            whole = {"original_width": width, "original_height": height, "image_rotation": 0}
            results.append({"type": kind, "value": {kind: [label], **value}, **whole})
        entry = {"result": results, "completed_by": 1, "updated_at": "2024-01-01"}
        tasks.append({"data": {"image": f"/data/upload/1/{stem}.png"}, "annotations": [entry]})
    (root / "export.json").write_text(json.dumps(tasks))
    expected = by_decoder(decoders, "label-studio", root)
    compare("label-studio", expected, by_segprep("label-studio", root), capsys)


def test_mat(decoders: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from scipy.io import savemat

    root = tmp_path / "in"
    (root / "gt").mkdir(parents=True)
    for number, (stem, (size, shapes)) in enumerate(drawings(4, bits=True).items()):
        photo(root / "images" / f"{stem}.png", size)
        matrix = painted(size, shapes).astype(("uint8", "uint16", "double")[number % 3])
        savemat(root / "gt" / f"{stem}.mat", {"LabelMap": matrix}, do_compression=number % 2 == 0)
    options = {"classes": ",".join(("_background_", *LABELS))}
    expected = by_decoder(decoders, "mat", root)
    compare("mat", expected, by_segprep("mat", root, **options), capsys)


def test_yolo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, expected = tmp_path / "in", {}
    for stem, (size, shapes) in drawings(5, bits=False).items():
        photo(root / "images" / f"{stem}.png", size)
        lines = [
            f"{LABELS.index(label)} "
            + " ".join(f"{x / size[0]:.9f} {y / size[1]:.9f}" for x, y in s)
            for label, s in shapes
        ]
        (root / "labels").mkdir(exist_ok=True)
        (root / "labels" / f"{stem}.txt").write_text("\n".join(lines))
        decoded: list[Shape] = []
        for line in lines:
            number, *rest = line.split()
            points = np.array(rest, float).reshape(-1, 2) * size
            decoded.append((LABELS[int(number)], [(float(x), float(y)) for x, y in points]))
        expected[stem] = painted(size, decoded)
    (root / "data.yaml").write_text(f"names: {json.dumps(LABELS)}\ntrain: images\n")
    compare("yolo-seg", expected, by_segprep("yolo-seg", root), capsys)


def test_supervisely(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, expected = tmp_path / "in", {}
    for stem, (size, shapes) in drawings(6, bits=True).items():
        photo(root / "ds" / "img" / f"{stem}.png", size)
        things = [_supervisely(label, shape) for label, shape in shapes]
        content = {"size": {"width": size[0], "height": size[1]}, "objects": things}
        (root / "ds" / "ann").mkdir(exist_ok=True)
        (root / "ds" / "ann" / f"{stem}.png.json").write_text(json.dumps(content))
        canvas = np.zeros(size[::-1], np.uint8)
        for thing in things:
            value, part = LABELS.index(thing["classTitle"]) + 1, Image.new("L", size, 0)
            if thing["geometryType"] == "bitmap":
                x, y = thing["bitmap"]["origin"]
                packed = zlib.decompress(base64.b64decode(thing["bitmap"]["data"]))
                part.paste(Image.open(io.BytesIO(packed)).convert("L"), (x, y))
            else:
                ring = [tuple(point) for point in thing["points"]["exterior"]]
                ImageDraw.Draw(part).polygon(ring, fill=255, outline=255)
            canvas[np.asarray(part) > 0] = value
        expected[stem] = canvas
    classes = [{"title": name} for name in LABELS]
    (root / "meta.json").write_text(json.dumps({"classes": classes, "tags": []}))
    compare("supervisely", expected, by_segprep("supervisely", root), capsys)


def _supervisely(label: str, shape: Any) -> dict[str, Any]:
    if not isinstance(shape, np.ndarray):
        points = {"exterior": [list(point) for point in shape], "interior": []}
        return {"classTitle": label, "geometryType": "polygon", "points": points}
    rows, columns = np.flatnonzero(shape.any(1)), np.flatnonzero(shape.any(0))
    cut = shape[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    out = io.BytesIO()
    Image.fromarray(cut).save(out, "PNG")
    data = base64.b64encode(zlib.compress(out.getvalue())).decode()
    inner = {"data": data, "origin": [int(columns[0]), int(rows[0])]}
    return {"classTitle": label, "geometryType": "bitmap", "bitmap": inner}
