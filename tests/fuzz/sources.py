"""Mutate tiny trees of every source format, and see that nothing but a SegprepError or a sound
dataset ever comes out.

    python tests/fuzz/sources.py                 60 seconds, another seed every time
    python tests/fuzz/sources.py 600 --seed 7    ten minutes, the same cases each time
    python tests/fuzz/sources.py --case 7:123    one case again; its tree is kept and its path
    printed

A case starts from ``example(folder)`` of a format's test module, changes bytes and structure at
random, and then asks all formats to recognize the folder and its own format to convert it. Anything
but a registered error, or masks of known ids that fit their images, is a failure.
"""

import argparse
import importlib.util
import io
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from PIL import Image

from segprep import conversion, sources
from segprep.codes import CODES
from segprep.dataset.tree import MASKS, Tree
from segprep.errors import BadInputError, SegprepError
from segprep.imaging import image

TESTS = Path(__file__).parents[1] / "sources"
sys.path[:] = [  # test modules share makers; this folder has a sources.py of its own: this file
    str(TESTS.parent),
    *(path for path in sys.path if Path(path).resolve() != Path(__file__).resolve().parent),
]
LONGEST = 20  # seconds that one case may take
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


class HangError(Exception):
    """A case took too long."""


def example(name: str, folder: Path) -> Any:
    """The reader that the format's own test module lays out."""
    path = TESTS / f"test_{name.replace('-', '_')}.py"
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.example(folder)


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
    target.write_bytes(rng.choice([*TEXTS, path.read_bytes()]))
    return f"added {target.name!r}"


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise HangError after *seconds* (POSIX)."""

    def late(number: int, frame: FrameType | None) -> None:
        raise HangError(f"longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check(holds: bool, otherwise: str) -> None:
    """Raise AssertionError unless *holds*."""
    if not holds:
        raise AssertionError(otherwise)


def _packed(root: Path, rng: random.Random) -> Path:
    """The folder *root* as an archive beside it, half of them with changed bytes."""
    kind = rng.choice(["zip", "tar", "gztar"])
    path = Path(shutil.make_archive(str(root.parent / "packed"), kind, root.parent, root.name))
    data = bytearray(path.read_bytes())
    if rng.random() < 0.5:
        for _ in range(rng.choice([1, 3, 20])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data)
    return path


def judge(name: str, reader: Any, out: Path, rng: random.Random) -> str:
    """The outcome in a word: a code, or "sound". Raises AssertionError, or whatever escaped."""
    options: dict[str, str | None] = (
        {"foreground": rng.choice(["dark", "light", "nonzero"])}
        if name in ("binary", "isbi")
        else {}
    )
    if rng.random() < 0.3 and hasattr(reader, "classes"):
        options["classes"] = None
    try:
        for other, evidence in sources.guesses(reader.root):
            assert 0 < evidence.score <= 1, other
        if rng.random() < 0.1:
            given = {f.name: getattr(reader, f.name) for f in fields(reader) if f.name != "root"}
            path = _packed(reader.root, rng)
            conversion.convert(name, path, out, on_error="skip", **(given | options))
        else:
            conversion.convert_with(
                replace(reader, **options),
                name,
                out,
                on_error=rng.choice(["stop", "skip", "skip"]),
                dry_run=rng.random() < 0.1,
            )
    except SegprepError as error:
        check(
            error.code in CODES and bool(error.message),
            "an error without a registered code or a message",
        )
        skipped = getattr(error, "skipped", ())
        check(
            bool(skipped) == isinstance(error, BadInputError)
            and all(one.code in CODES and one.reason for one in skipped),
            "a bad input without a reason",
        )
        return error.code
    tree = Tree(out)
    if (made := tree.manifest) is None:
        return "dry"
    for record in tree.records():
        mask = image.read_mask(out / record.mask)
        assert set(np.unique(mask).tolist()) <= {*range(len(made.classes.names)), 255}, record.stem
        with Image.open(out / record.image) as picture:
            if (
                picture.format == "PNG"
            ):  # a JPEG that ends as one should is passed on undecoded, whatever lies in between
                picture.load()
            assert picture.size == mask.shape[::-1], record.stem
    assert len(list((out / MASKS).iterdir())) == len(list(tree.records()))
    return "sound"


def case(seed: int, number: int, home: Path) -> tuple[str, list[str], str]:
    """Format, changes and outcome of one case, laid out below *home*. Raises what it finds."""
    rng = random.Random(f"{seed}:{number}")
    name = rng.choice(sources.names())
    reader = example(name, home / "in")
    changes = [mutate(home / "in", rng) for _ in range(rng.choice([1, 1, 2, 3, 6]))]
    try:
        with limited(LONGEST):
            return name, changes, judge(name, reader, home / "out", rng)
    except Exception as error:
        error.add_note(f"{name}: {'; '.join(changes)}")
        raise


def fuzz(
    seed: int, until: Callable[[int], bool], report: Callable[[str], None]
) -> tuple[int, int, Counter[str]]:
    """Cases run, failures, and outcomes; each failure is reported with the case that repeats it."""
    number, failures, outcomes = 0, 0, Counter[str]()
    while until(number):
        with tempfile.TemporaryDirectory(prefix="segprep-fuzz-") as folder:
            (Path(folder) / "in").mkdir()
            try:
                outcomes[case(seed, number, Path(folder))[2]] += 1
            except Exception:
                failures += 1
                report(f"case {seed}:{number}\n{traceback.format_exc()}")
        number += 1
    return number, failures, outcomes


def main() -> int:
    """Run for a time, or one case again."""
    parser = argparse.ArgumentParser(description="Fuzz the source formats.")
    parser.add_argument("seconds", nargs="?", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--case", help="SEED:NUMBER of one case to repeat")
    given = parser.parse_args()
    if given.case:
        seed, number = map(int, given.case.split(":"))
        home = Path(tempfile.mkdtemp(prefix="segprep-fuzz-"))
        (home / "in").mkdir()
        print(home)
        print(case(seed, number, home))
        return 0
    end = time.monotonic() + given.seconds
    number, failures, outcomes = fuzz(
        given.seed, lambda _: time.monotonic() < end, lambda text: print(text, flush=True)
    )
    print(f"seed {given.seed}: {number} cases, {failures} failures; {dict(outcomes.most_common())}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
