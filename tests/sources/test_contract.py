"""What every format owes, whatever its name; formats are found by name, so a new one needs no line
here.
"""

import io
import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

import numpy as np
import pytest
from PIL import Image
from segprep_cli.declarations import declared

import segprep
from segprep import sources
from segprep.errors import BadInputError, SegprepError, SourceError
from segprep.imaging import image
from segprep.imaging.image import histogram
from segprep.imaging.shapes import Shape, paint
from segprep.types import Item, Reader, Sample


@pytest.mark.parametrize("name", sources.names())
def test_contract(name: str, tmp_path: Path, sibling: Callable[[str], ModuleType]) -> None:
    reader: Reader = sibling(name).example(tmp_path)
    evidence = type(reader).recognize(reader.root)
    assert evidence
    assert 0 < evidence.score <= 1
    scan = reader.scan()
    stems = [item.stem for item in scan.items]
    assert stems
    assert stems == sorted(set(stems))
    allowed = {*range(len(scan.classes.names)), scan.classes.ignore}
    for item in pickle.loads(pickle.dumps(scan.items)):
        sample = sources.read(reader, item)
        assert sample.stem == item.stem
        assert sample.mask.dtype == np.uint8
        assert sample.mask.shape == Image.open(io.BytesIO(sample.image)).size[::-1]
        assert set(np.unique(sample.mask).tolist()) <= allowed
        assert sample.pixels in (None, histogram(sample.mask))


def to_nan(content: bytes) -> bytes:
    """Every number of a text replaced; a picture has none."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return content
    return re.sub(r"-?\d+(\.\d+)?", "NaN", text).encode()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "made NaN": to_nan,
    "re-encoded": lambda content: content.decode("latin-1").encode("utf-16"),
    "in EBCDIC": lambda content: content.decode("latin-1").encode("cp037"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", sources.names())
def test_a_damaged_label_file_is_named(
    name: str, damage: str, tmp_path: Path, sibling: Callable[[str], ModuleType]
) -> None:
    """Every label file in turn, with the reader's own options: a SourceError, or a Skipped of the
    scan, or an error of the scan as a whole; never another exception, never another mask. A reader
    may understand another encoding: then the masks stay.
    """
    reader: Reader = sibling(name).example(tmp_path)
    before = masks(reader)
    labels = sorted({path for item in reader.scan().items for path in item.labels})
    assert labels
    for path in labels:
        content = path.read_bytes()
        damaged = DAMAGES[damage](content)
        if damaged == content:
            continue  # there is no number in a picture
        path.write_bytes(damaged)
        understood = damage == "re-encoded" and masks(reader) == before
        assert understood or faults(reader), f"{path} was {damage}, and nothing is said"
        path.write_bytes(content)


def masks(reader: Reader) -> dict[str, bytes] | None:
    """Every mask by stem; None where not all can be read."""
    try:
        return {item.stem: reader.read(item).mask.tobytes() for item in reader.scan().items}
    except SegprepError:
        return None


def faults(reader: Reader) -> list[str]:
    """The codes of everything that the reader refuses or skips, and of label files that it says
    are empty.
    """
    try:
        scan = reader.scan()
    except SegprepError as error:
        return [error.code]
    codes = [skipped.code for skipped in scan.skipped]
    for item in scan.items:
        try:
            notes = reader.read(item).notes
            codes += [note.code for note in notes if note.code == "label-file-empty"]
        except SourceError as error:
            codes.append(error.code)
    return codes


LABELED = [name for name in sources.names() if "exclude" in sources.load(name).__dataclass_fields__]


@pytest.mark.parametrize("outcome", ["excluded", "skip", "ignore", "background"])
@pytest.mark.parametrize("name", LABELED)
def test_what_options_leave_out_is_counted(
    name: str, outcome: str, tmp_path: Path, sibling: Callable[[str], ModuleType]
) -> None:
    """Shapes and pixels of a label, in the result, its notes and the manifest."""
    reader: Reader = sibling(name).example(tmp_path / "src")
    convert = partial(segprep.convert, name, reader.root, image_root=())
    convert(tmp_path / "plain")
    pixels = {row.name: row.pixels for row in segprep.info(tmp_path / "plain").classes[1:]}
    label = next(name for name, count in pixels.items() if count)
    others = [other for other in pixels if other != label] or ["nothing"]
    options: dict[str, object] = {"exclude": (label,)}
    if outcome != "excluded":
        options = {"classes": ",".join(others), "unknown": outcome}
    done = convert(tmp_path / "out", **options)
    (row,) = done.unpainted
    crowds = segprep.info(tmp_path / "plain").ignored > 0  # of the same label
    assert (row["label"], row["shapes"] > 0, row["images"] > 0) == (label, True, True)
    assert row["pixels"] >= pixels[label] if crowds else row["pixels"] == pixels[label]
    assert row["outcome"] == {"ignore": "ignored", "background": "background"}.get(
        outcome, "skipped"
    )
    assert segprep.info(tmp_path / "out").unpainted == (row,)
    (message,) = (note.message for note in done.notes if note.code == "label-unpainted")
    assert f"label {label!r}: {row['shapes']} shape" in message
    assert f"{row['pixels']} pixels, " in message
    again = convert(tmp_path / "out", **options)
    assert (again.kept, again.unpainted) == (done.converted, done.unpainted)


@dataclass(frozen=True, slots=True)
class CarelessReader:
    """A format whose author checked nothing: what its shapes hold comes from the test."""

    root: Path
    points: tuple[float, ...] = (0.0, 0.0, 3.0, 0.0, 3.0, 3.0)
    value: int = 1

    def scan(self, jobs: int = 1, progress: object = None) -> segprep.types.Scan:
        items = tuple(Item(path.stem, path, (path,)) for path in sorted(self.root.glob("*.png")))
        return segprep.types.Scan(items, segprep.types.Classes(("_background_", "cat")))

    def read(self, item: Item) -> Sample:
        points, value = (self.points, self.value) if item.stem == "b" else ((0.0, 0.0) * 3, 1)
        if value == 9:
            raise ZeroDivisionError("a fault of the reader")
        painted = paint([Shape("polygon", points, value, "cat", "shapes[0]")], 8, 8)
        assert item.image
        return Sample(item.stem, item.image.read_bytes(), painted.mask)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"points": (0.0, float("nan"), 3.0, 0.0, 3.0, 3.0)}, "bad-shape"),
        ({"points": (0.0, float("inf"), 3.0, 0.0, 3.0, 3.0)}, "bad-shape"),
        ({"points": (0.0, 1e9, 3.0, 0.0, 3.0, 3.0)}, "bad-shape"),
        ({"points": (0.0, 0.0, 3.0, 0.0)}, "bad-shape"),
        ({"value": 256}, "bad-shape"),
        ({"value": 2}, "unknown-value"),
        ({"value": 9}, "reader-crashed"),
    ],
)
def test_no_reader_has_to_care(tmp_path: Path, options: dict[str, object], code: str) -> None:
    """One bad file of three: it is named, the others are converted."""
    from segprep.conversion import convert_with

    source = tmp_path / "src"
    source.mkdir()
    for stem in "abc":
        Image.new("RGB", (8, 8)).save(source / f"{stem}.png")
    reader = CarelessReader(source, **options)  # type: ignore[arg-type]
    with pytest.raises(BadInputError) as caught:
        convert_with(reader, "careless", tmp_path / "stop")  # type: ignore[arg-type]
    assert [(skipped.stem, skipped.code) for skipped in caught.value.skipped] == [("b", code)]  # type: ignore[attr-defined]
    done = convert_with(reader, "careless", tmp_path / "out", on_error="skip")  # type: ignore[arg-type]
    assert (done.converted, [skipped.path for skipped in done.skipped]) == (
        2,
        [str(source / "b.png")],
    )
    assert bool(done.skipped[0].detail) == (code == "reader-crashed")


@pytest.mark.parametrize("name", sources.names())
def test_every_field_but_root_is_an_option_with_help(name: str) -> None:
    reader = sources.load(name)
    hints = get_type_hints(reader, include_extras=True)
    first, *rest = [one.name for one in fields(reader)]  # type: ignore[arg-type]
    assert first == "root"
    assert all(hints[one].__metadata__[-1].endswith(".") for one in rest)
    told = declared(reader.__module__)
    assert told.summary
    assert any(f"convert {name} " in line or "json2mask" in line for line in told.examples)


def test_an_unknown_format_suggests_the_nearest() -> None:
    with pytest.raises(Exception, match="labelm") as caught:
        sources.load("labelm")
    assert "labelme" in caught.value.hint  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sources.names())
def test_files_may_be_links_into_a_named_folder(
    name: str, tmp_path: Path, sibling: Callable[[str], ModuleType]
) -> None:
    """As DVC, git-annex and the Hugging Face cache keep them; elsewhere links lead nowhere."""
    (tmp_path / "in").mkdir()
    reader: Reader = sibling(name).example(tmp_path / "in")
    store = tmp_path / "store"
    store.mkdir()
    for number, path in enumerate(
        sorted(path for path in reader.root.rglob("*") if path.is_file())
    ):
        if path.suffix.lower() in image.SUFFIXES:
            path.rename(store / str(number))
            path.symlink_to(store / str(number))
    given = {one.name: getattr(reader, one.name) for one in fields(reader)[1:]}  # type: ignore[arg-type]
    elsewhere = given.pop("image_root")
    convert = partial(segprep.convert, name, reader.root, tmp_path / "out", **given)
    with pytest.raises(SegprepError) as caught:
        convert(image_root=elsewhere)
    said = [caught.value.hint, *(one.hint for one in getattr(caught.value, "skipped", ()))]
    assert any("--image-root" in hint for hint in said), said
    assert convert(image_root=(*elsewhere, store)).converted
