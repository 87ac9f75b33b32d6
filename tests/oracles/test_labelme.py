"""segprep's masks against labelme's own, in every pixel: real files and generated ones.

See README.md.
"""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.sources._common.texts import strict_json
from segprep.sources.labelme import Reader
from segprep.types import IGNORE, OBJECT_IGNORE, Classes, Item, Sample

from . import generated

HERE = Path(__file__).parent
REAL = Path(os.environ.get("SEGPREP_REAL_DATA") or HERE.parents[2] / "shared" / "data")
LABELME_IGNORES = -1
Masks = tuple[NDArray[Any], NDArray[Any]]


@dataclass
class Account:
    """What was compared, and with what result."""

    compared: int = 0
    pixels: int = 0
    shapes: Counter[str] = field(default_factory=Counter)
    blanks: int = 0
    labelme_failed: Counter[str] = field(default_factory=Counter)
    segprep_refused: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    oracle: str = ""

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.shapes.items()))
        failed = "; ".join(
            f"{count} x {reason}" for reason, count in self.labelme_failed.most_common()
        )
        return (
            f"{self.oracle}: {self.compared} files, {self.pixels} pixels compared ({kinds};"
            f" {self.blanks} on a blank picture); {len(self.different)} differ; labelme failed on"
            f" {self.labelme_failed.total()} ({failed or 'none'}); segprep refused"
            f" {len(self.segprep_refused)}"
        )


@pytest.fixture(scope="module")
def labelme() -> str:
    """The Python that has labelme."""
    python = os.environ.get("SEGPREP_LABELME_PYTHON")
    if not python:
        pytest.skip(
            "SEGPREP_LABELME_PYTHON names no Python that has labelme (make oracles sets it)"
        )
    return python


def test_generated_files(labelme: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generated.write(tmp_path / "generated")
    samples = _samples(Reader(tmp_path / "generated", objects=True), tmp_path, account := Account())
    _compare(labelme, samples, tmp_path, account)
    _report(account, capsys)
    assert not account.segprep_refused
    assert account.compared >= 850
    assert len(account.shapes) == 8


def test_real_files(labelme: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not REAL.is_dir():
        pytest.skip(f"there is no real data at {REAL} (set SEGPREP_REAL_DATA)")
    account, samples = Account(), []
    for number, folder in enumerate(
        sorted({path.parent for path in REAL.rglob("*.json") if _is_labelme(path)})
    ):
        samples += _samples(Reader(folder, objects=True), tmp_path / str(number), account)
    _compare(labelme, samples, tmp_path, account)
    _report(account, capsys)
    assert account.compared > 0
    assert not account.segprep_refused


def test_the_comparison_sees_a_single_pixel(labelme: str, tmp_path: Path) -> None:
    generated.write(tmp_path / "generated", count=40)
    samples = _samples(Reader(tmp_path / "generated", objects=True), tmp_path, Account())
    changed = [
        (path, classes, _with_one_pixel_changed(sample)) for path, classes, sample in samples
    ]
    _compare(labelme, changed, tmp_path, account := Account())
    assert account.compared >= 30
    assert len(account.different) == account.compared


def _is_labelme(path: Path) -> bool:
    try:
        content = strict_json.parse(path.read_bytes(), path).value
    except SourceError:
        return False
    return isinstance(content, dict) and isinstance(content.get("shapes"), list)


def _samples(reader: Reader, spare: Path, account: Account) -> list[tuple[Path, Classes, Sample]]:
    """Every annotation of *reader*'s folder with the classes and what segprep makes of it.

    *spare* is for copies.
    """
    scan = reader.scan()
    account.segprep_refused += [
        f"{one.path}: {one.reason}" for one in scan.skipped if not one.foreign
    ]
    result = []
    for item in scan.items:
        try:
            sample = _read(reader, item, spare, account)
        except SourceError as error:
            account.segprep_refused.append(str(error))
        else:
            result.append((item.labels[0], scan.classes, sample))
    return result


def _read(reader: Reader, item: Item, spare: Path, account: Account) -> Sample:
    """The sample; an annotation without its image is read from a copy with a blank one."""
    try:
        return reader.read(item)
    except SourceError as error:
        if error.code != "image-missing":
            raise
    account.blanks += 1
    content = strict_json.parse(item.labels[0].read_bytes(), item.labels[0]).value
    content["imageData"] = generated.picture(content["imageWidth"], content["imageHeight"])
    copy = spare / "blank" / item.stem / item.labels[0].name
    copy.parent.mkdir(parents=True)
    copy.write_text(json.dumps(content), encoding="utf-8")
    copied = Reader(copy.parent, objects=reader.objects)
    listed = copied.scan().items[0]
    return copied.read(
        Item(listed.stem, listed.image, listed.labels, (item.payload[0], *listed.payload[1:]))
    )


def _compare(
    labelme: str, samples: Sequence[tuple[Path, Classes, Sample]], folder: Path, account: Account
) -> None:
    """Have labelme draw the same files, and enter the differences into *account*."""
    jobs = [{"json": str(path), "values": _values(classes)} for path, classes, _ in samples]
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    command = [
        labelme,
        str(HERE / "labelme_masks.py"),
        str(folder / "jobs.json"),
        str(folder / "masks.npz"),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr
    with np.load(folder / "masks.npz") as oracle:
        account.oracle = ", ".join(oracle["versions"])
        for number, (error, (path, _, sample)) in enumerate(
            zip(oracle["errors"], samples, strict=True)
        ):
            if error:
                account.labelme_failed[_without_numbers(str(error))] += 1
            else:
                _enter(path, sample, (oracle[f"cls{number}"], oracle[f"ins{number}"]), account)


def _values(classes: Classes) -> Mapping[str, int]:
    """What labelme is told: the same ids, its own -1 for what is ignored."""
    background = {"_background_": 0, "background": 0} if classes.background == 0 else {}
    return (
        background
        | {name: value for value, name in enumerate(classes.names)}
        | {"__ignore__": LABELME_IGNORES}
    )


def _enter(path: Path, sample: Sample, oracle: Masks, account: Account) -> None:
    account.compared += 1
    account.pixels += sample.mask.size
    for shape in strict_json.parse(path.read_bytes(), path).value["shapes"]:
        account.shapes[shape.get("shape_type") or "polygon"] += 1
    if difference := _difference(sample, *oracle):
        account.different.append(f"{path}: {difference}")


def _difference(sample: Sample, cls: NDArray[Any], ins: NDArray[Any]) -> str:
    """How *sample* differs from labelme's class mask and instance mask; empty if it does not."""
    if sample.mask.shape != cls.shape:
        return f"the mask is {sample.mask.shape}, labelme's {cls.shape}"
    wrong = sample.mask != np.where(cls == LABELME_IGNORES, IGNORE, cls)
    if wrong.any():
        y, x = np.argwhere(wrong)[0]
        return (
            f"{np.count_nonzero(wrong)} pixels, the first at x {x}, y {y}: {sample.mask[y, x]},"
            f" labelme has {cls[y, x]}"
        )
    assert sample.objects is not None
    if not np.array_equal(sample.objects == OBJECT_IGNORE, cls == LABELME_IGNORES):
        return "the instance mask does not ignore what the class mask ignores"
    if sample.objects[cls == 0].any():
        return "the background has instances"
    real = cls > 0
    pairs = set(zip(sample.objects[real].tolist(), ins[real].tolist(), strict=True))
    if (
        len({ours for ours, _ in pairs}) < len(pairs)
        or len({theirs for _, theirs in pairs}) < len(pairs)
        or any(ours == 0 for ours, _ in pairs)
    ):
        return f"instances are cut differently: segprep's id and labelme's {sorted(pairs)}"
    return ""


def _with_one_pixel_changed(sample: Sample) -> Sample:
    mask = sample.mask.copy()
    mask[-1, -1] = 1 if mask[-1, -1] != 1 else 2
    return Sample(sample.stem, sample.image, mask, sample.objects)


def _without_numbers(reason: str) -> str:
    return (
        "".join("#" if sign.isdigit() else sign for sign in reason)
        .replace("##", "#")
        .replace("##", "#")[:60]
    )


def _report(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{account}")
        print("\n".join(account.segprep_refused))
    assert not account.different, "\n".join(account.different)
