"""The facts of many samples lie in a temporary file, and are judged as those in memory."""

import pickle
import sys
import tracemalloc
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segprep import checking, checks
from segprep.checking import stored_pairs
from segprep.checking.stored_pairs import StoredPair, StoredPairs
from segprep.checks._common import duplicates
from segprep.checks._common.survey import Cells, ImageFacts, MaskFacts, Pair, Signals

sys.path.insert(0, str(Path(__file__).parents[1] / "mutation"))
import scenes


def plain(value: Any) -> Any:
    """*value* with its facts as tuples and its stored bytes as bytes."""
    if isinstance(value, Pair | ImageFacts | MaskFacts | Signals | Cells):
        return tuple(plain(getattr(value, field.name)) for field in fields(value))
    return bytes(value) if isinstance(value, stored_pairs.SpooledBytes) else value


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes with an image twice, one mirrored, a mask of another value, one mirrored, one that is
    no image, and one without an image.
    """
    root: Path = scenes.make(
        tmp_path_factory.mktemp("scenes") / "spoiled", 24, size=(160, 120)
    ).root
    images, masks = (
        sorted((root / name).iterdir()) for name in ("JPEGImages", "SegmentationClass")
    )
    images[1].write_bytes(images[0].read_bytes())
    with Image.open(images[2]) as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(images[3], quality=95)
    for mask, way, more in ((masks[4], 1, 90), (masks[5], -1, 0)):
        with Image.open(mask) as picture:
            ids, palette = np.asarray(picture), picture.getpalette()
        turned = Image.fromarray(np.ascontiguousarray(ids[:, ::way] + np.uint8(more)))
        assert palette
        turned.putpalette(palette)
        turned.save(mask)
    masks[6].write_bytes(b"no image")
    images[7].unlink()
    return root


def test_what_is_stored_is_what_was_measured(spoiled: Path) -> None:
    pairs = checking.measured(checking.survey(spoiled)).pairs
    stored = StoredPairs()
    for pair in pairs:
        stored.append(replace(pair, rivals=(Path("/else/a.png"),)))
    expected = [(*plain(pair)[:-1], (Path("/else/a.png"),)) for pair in pairs]
    assert all(isinstance(pair, StoredPair) for pair in stored)
    assert [plain(pair) for pair in stored] == expected
    assert [plain(pair) for pair in stored[3:-2]] == expected[3:-2]
    assert plain(stored[-1]) == expected[-1]
    again = pickle.loads(pickle.dumps(checking.survey(spoiled).pairs[0]))
    stored[2] = again
    assert plain(stored[2]) == plain(again)
    assert plain(list(stored)[2]) == plain(again)
    with pytest.raises(AttributeError):
        stored[0].color  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("jobs", [1, 2])
def test_findings_are_the_same(spoiled: Path, monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    def found() -> tuple[Any, ...]:
        report = checking.check(spoiled, reader=("nnunet", "torchvision"), jobs=jobs)
        return report.findings, report.files, report.samples

    held = found()
    assert {finding.code for finding in held[0]} >= {"SEG102", "SEG301", "SEG501"}
    monkeypatch.setattr(stored_pairs, "HELD", 0)
    monkeypatch.setattr(stored_pairs, "IN_MEMORY", 1000)
    monkeypatch.setattr(stored_pairs, "BLOCK", 5)
    monkeypatch.setattr(checking, "BLOCK", 7)
    assert found() == held


def test_rules_that_judge_each_sample_look_at_nothing_else(spoiled: Path) -> None:
    seen = replace(checking.measured(checking.survey(spoiled)), readers=("mmseg", "nnunet"))
    alone = [replace(seen, pairs=(pair,)) for pair in seen.pairs]
    for rule in checks.rules().values():
        if rule.RULE.each:
            parts = [finding for part in alone for finding in rule.find(part)]
            assert parts == list(rule.find(seen))


def test_samples_take_little_memory() -> None:
    """Facts in memory took nine thousand bytes a sample."""
    photo = ImageFacts("JPEG", "RGB", 9, 9, 1, "ab" * 20, "", (0.0, 255.0), 3.5, (1.0, 2.0, 3.0),
                       False, 0.0, 90, bytes(1024))  # fmt: skip
    stored = StoredPairs()
    paths = [Path(f"/data/sample_{number:06}.jpg") for number in range(3000)]  # pathlib interns
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for path in paths:
            stored.append(Pair(path.stem, path, None, replace(photo)))
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    held = 3000 * 1500  # in the file, as long as that is in memory
    assert after - before < held + 3000 * 60


def test_changed_samples_take_little_memory_too(spoiled: Path) -> None:
    """Where all images are there twice, each is changed: its pixels are told by all of them."""
    (first, *_) = (p for p in checking.measured(checking.survey(spoiled)).pairs if p.photo)
    assert first.photo
    stored, count = StoredPairs(), 3000
    for _ in range(count):
        stored.append(first)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(count):
            pair = stored[number]
            assert pair.photo
            stored[number] = pair.with_photo(replace(pair.photo, pixels=f"{number:x}"))
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    spooled = sum(
        len(spool._part) + len(spool._added) for spool in (stored._changed, stored._facts)
    )
    assert (after - before - spooled - stored_pairs.IN_MEMORY) / count < 40
    wanted = first.with_photo(replace(first.photo, pixels="7"))
    assert plain(stored[7]) == plain(wanted) == plain([*stored][7])
    assert [p.photo.pixels for p in stored if p.photo] == [f"{n:x}" for n in range(count)]


def test_digests_that_come_twice() -> None:
    digests = ["ab" * 20, "ab" * 8 + "cd" * 12, "ff" * 20, "ab" * 8 + "cd" * 12, "00" * 20]
    assert duplicates.repeated(lambda: iter(digests)) == {digests[1]}
    assert duplicates.repeated(lambda: iter(())) == set()


def test_a_spool_gives_back_what_was_added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it lies in the file already, was read with what lay before it, or neither."""
    monkeypatch.setattr(stored_pairs, "PART", 64)
    random, spool = np.random.default_rng(0), stored_pairs.Spool()
    runs: list[tuple[int, bytes]] = []
    for size in random.integers(0, 150, 300).tolist():
        data = random.bytes(size)
        runs.append((spool.add(data), data))
        start, before = runs[int(random.integers(len(runs)))]
        assert spool.read(start, len(before)) == before
    assert spool.size == sum(len(data) for _, data in runs)
    assert all(spool.read(start, len(data)) == data for start, data in runs)
