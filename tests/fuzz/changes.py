"""One change to a folder of annotations: bytes, encoding, JSON or XML structure, one more file."""

import io
import os
import random
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = (
    "class_names.txt",
    "labelmap.txt",
    "classes.txt",
    "codes.txt",
    "labels.txt",
    "label_colors.txt",
    "class_dict.csv",
    "dataset_meta.json",
    "class_id_to_name.json",
    "train.txt",
    "splits/val.txt",
    "ImageSets/Segmentation/train.txt",
    "ImageSets/Segmentation/._val.txt",
    "Thumbs.db",
    ".DS_Store",
    "a.json",
    "images/x.jpg",
    "masks/x.png",
    "SegmentationClass/x.png",
    "JPEGImages/x.jpg",
    "notes",
    "stack.tif",
    "stack-labels.tif",
    "\udcff\udcfe.png",
    "CON.png",
    "a\nb.png",
    "images/ x.png",
    "masks/é.png",
    "masks/é.png",
    "annotations/list.txt",
    "instances_val2017.json",
)
TEXTS = (
    b"",
    b"\0" * 40,
    b"\xff\xfe\x00",
    b"9" * 5000,
    b"[" * 100_000,
    b'{"a":' * 20_000,
    b"0 0 0 background\n1 1 1 cat\n",
    b"9" * 5000 + b" 0 0 cat\n",
    b"a\na\na\n",
    b'{"label_map": {"0": "a"}, "segmentation_colors": [[0, 0, 0]]}',
    b'{"images": [], "annotations": [], "categories": []}',
    b'{"shapes": [], "imagePath": "a"}',
    b'{"images": [{"id": 1, "file_name": "a.jpg", "width": 1e999, "height": NaN}], "annotations":'
    b' [{"id": 1, "image_id": 1, "segmentation": {"counts": [1], "size": [9, 9]}}]}',
    b'{"0": "a", "99999999999": "b"}',
    b"name,r,g,b\nx,1,2\n",
    "背景\n猫\n".encode("gbk"),
    "train\n".encode("utf-16"),
    b"a 1\xb2 2\nx \xc2\xb2 1 1",
    b"\xef\xbb\xbfa\r\nb\r\n",
    b"GIF89a",
    b"\x89PNG\r\n\x1a\n",
    b"II*\0\x08\0\0\0\xff\xff",
    b"\xff\xd8\xff\xe0",
    b"P6 99999 99999 255\n",
    b"P5 2 2 65535\n\0\1\0\2\0\3\0\4",
    b"\x1f\x8b\x08\0",
)
FORMS = (
    ("1", "PNG"),
    ("L", "PNG"),
    ("LA", "PNG"),
    ("P", "PNG"),
    ("RGB", "PNG"),
    ("RGBA", "PNG"),
    ("I;16", "PNG"),
    ("I", "TIFF"),
    ("F", "TIFF"),
    ("CMYK", "JPEG"),
    ("L", "JPEG"),
    ("P", "GIF"),
    ("L", "GIF"),
    ("RGB", "BMP"),
    ("P", "BMP"),
    ("RGB", "WEBP"),
    ("RGB", "PPM"),
    ("1", "TIFF"),
    ("RGBA", "TIFF"),
    ("PA", "TIFF"),
)


def mutate(folder: Path, rng: random.Random) -> str:
    """One change somewhere below *folder*; what it was."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    if not files:
        return "nothing left"
    path = rng.choice(files)
    change = rng.choice(
        [_bytes, _bytes, _bytes, _recoded, _recoded, _structure, _structure, _added]
    )
    try:
        return f"{change.__name__[1:]} {path.relative_to(folder)!s}: {change(folder, path, rng)}"
    except (
        OSError,
        ValueError,
        KeyError,
        Image.DecompressionBombError,
    ) as error:  # a name the system does not take, a form Pillow does not write
        return f"nothing ({type(error).__name__})"


def _bytes(folder: Path, path: Path, rng: random.Random) -> str:
    data = bytearray(path.read_bytes())
    kind = rng.choice(
        ["flip", "flip", "cut", "zero", "insert", "splice", "tail", "text", "dimension"]
    )
    at = rng.randrange(len(data) + 1)
    if kind == "flip":
        for _ in range(rng.choice([1, 1, 4, 30])):
            if data:
                data[rng.randrange(min(len(data), rng.choice([64, 1 << 30])))] = rng.choice(
                    [0, 1, 127, 128, 255, rng.randrange(256)]
                )
    elif kind == "cut":
        del data[at:]
    elif kind == "zero":
        data[at : at + 20] = bytes(20)
    elif kind == "insert":
        data[at:at] = rng.randbytes(rng.randrange(1, 20))
    elif kind == "splice":
        other = rng.choice([one for one in sorted(folder.rglob("*")) if one.is_file()]).read_bytes()
        data[at:] = other[rng.randrange(len(other) + 1) :]
    elif kind == "tail":
        data += rng.choice(TEXTS)
    elif kind == "text":
        data = bytearray(rng.choice(TEXTS))
    elif data[:4] == b"\x89PNG" and len(data) > 24:
        data[16 + rng.randrange(8)] = rng.randrange(256)
    path.write_bytes(data)
    return f"{kind} at {at}"


def _recoded(folder: Path, path: Path, rng: random.Random) -> str:
    mode, form = rng.choice(FORMS)
    with Image.open(path) as picture:
        array = np.asarray(picture.convert("RGB" if mode in ("RGB", "RGBA", "CMYK") else "L"))
    if rng.random() < 0.3:
        array = array[
            : max(1, array.shape[0] - rng.randrange(3)), : max(1, array.shape[1] - rng.randrange(3))
        ]
    if rng.random() < 0.3:
        array = array // rng.choice([1, 64, 255]) * rng.choice([1, 1, 2, 255])
    made = (
        Image.fromarray(array.astype(np.uint16))
        if mode == "I;16"
        else Image.fromarray(array.astype(np.uint8)).convert(mode)
    )
    exif = Image.Exif()
    exif[0x112] = rng.choice([1, 3, 6, 8, 9, 99])
    out = io.BytesIO()
    more = {"exif": exif} if form in ("JPEG", "PNG", "WEBP") and rng.random() < 0.4 else {}
    made.save(
        out,
        form,
        **(
            {"save_all": True, "append_images": [made.copy()]}
            if form in ("TIFF", "GIF") and rng.random() < 0.2
            else more
        ),
    )
    path.write_bytes(out.getvalue())
    return f"as {mode} {form}"


def _structure(folder: Path, path: Path, rng: random.Random) -> str:
    kind = rng.choice(
        [
            "remove",
            "rename",
            "upper",
            "move",
            "copy",
            "folder",
            "link",
            "outside",
            "fifo",
            "unwrap",
            "wrap",
            "deep",
        ]
    )
    other = rng.choice([one for one in sorted(folder.rglob("*")) if one.is_dir()] or [folder])
    if kind == "remove":
        path.unlink()
    elif kind == "rename":
        path.rename(
            path.with_name(rng.choice(["x", "1", "é", "a.b", " ", "mask", "-"]) + path.suffix)
        )
    elif kind == "upper":
        path.rename(path.with_name(path.name.upper()))
    elif kind == "move":
        path.rename(other / path.name)
    elif kind == "copy":
        shutil.copy(
            path,
            other
            / rng.choice(
                [
                    path.name,
                    path.name.upper(),
                    f"copy of {path.name}",
                    path.stem + ".jpg",
                    path.stem + ".png",
                ]
            ),
        )
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind in ("link", "outside"):
        path.unlink()
        path.symlink_to(rng.choice([path.name, "/etc/hostname", str(other), "/nowhere"]))
    elif kind == "fifo":
        path.unlink()
        os.mkfifo(path)
    elif kind == "unwrap":
        for inner in list(path.parent.iterdir()):
            inner.rename(path.parent.parent / inner.name)
    elif kind == "wrap":
        moved = path.parent / "inner"
        moved.mkdir()
        path.rename(moved / path.name)
    else:
        (other / "/".join("d" * 30)).mkdir(parents=True)
    return kind


def _added(folder: Path, path: Path, rng: random.Random) -> str:
    target = rng.choice([folder, path.parent]) / rng.choice(NAMES)
    target.parent.mkdir(parents=True, exist_ok=True)
    data = rng.choice([*TEXTS, path.read_bytes()])
    target.unlink(missing_ok=True)  # of a pipe, opening would never end; a link leads anywhere
    target.write_bytes(data)
    return f"added {target.name!r}"
