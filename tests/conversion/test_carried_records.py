"""Records that still hold are carried over as they are: not parsed, not written down on the way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import annotate, shape
from conversion.interrupted import content
from PIL import Image

from segprep import convert
from segprep.dataset import manifest
from segprep.dataset.journal import Journal
from segprep.dataset.record_file import RecordFile
from segprep.files import digest, states
from segprep.types import Record

BODY = (shape("body", [[2, 2], [20, 2], [20, 15], [2, 15]]),)
OUTSIDE = (*BODY, shape("tree", [[1, 1], [5, 1], [5, 5]]))


def pair(folder: Path, stem: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    picture = random.integers(0, 255, (24, 32, 3), np.uint8)
    Image.fromarray(picture).save(folder / "images" / f"{stem}.png")
    mask = random.integers(0, 3, (3, 4), np.uint8).repeat(8, 0).repeat(8, 1)
    Image.fromarray(mask).save(folder / "masks" / f"{stem}.png")


def pairs(folder: Path) -> dict[str, Any]:
    for number in range(8):
        pair(folder, f"a b{number}" if number == 3 else f"s{number}", number)
    return {"classes": "3"}


def pairs_edited(folder: Path) -> None:
    pair(folder, "s1", 100)
    pair(folder, "s10", 101)
    for name in ("images", "masks"):
        (folder / name / "s5.png").unlink()
        (folder / name / "s6.png").rename(folder / name / "a0.png")


def shapes(folder: Path) -> dict[str, Any]:
    for number in range(6):
        annotate(folder, f"s{number}", *(OUTSIDE if number % 2 else BODY))
    annotate(folder, "twin", *BODY, image=False, imagePath="s0.jpg")
    return {"classes": "_background_,body", "unknown": "skip"}


def shapes_edited(folder: Path) -> None:
    annotate(folder, "s1", *BODY)
    annotate(folder, "s2", *OUTSIDE)
    (folder / "s3.json").unlink()
    (folder / "s3.jpg").unlink()
    annotate(folder, "another", *BODY, image=False, imagePath="s4.jpg")


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stems of earlier records that are parsed as such."""
    stems: list[str] = []
    real = RecordFile._parsed

    def counting(file: RecordFile, line: bytes, parse: Any) -> Any:
        record = real(file, line, parse)
        stems.append(record.stem)
        return record

    monkeypatch.setattr(RecordFile, "_parsed", counting)
    return stems


@pytest.mark.parametrize(
    ("format", "write", "edit", "expected"),
    [
        ("pairs", pairs, pairs_edited, ["s1", "s5", "s6"]),
        # what was not painted, and a picture of another name, are told by records alone
        ("labelme", shapes, shapes_edited, ["s1", "s2", "s3", "s5", "twin"]),
    ],
)
def test_a_changed_source_gives_the_bytes_of_a_fresh_tree(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    parsed: list[str],
    format: str,
    write: Callable[[Path], dict[str, Any]],
    edit: Callable[[Path], None],
    expected: list[str],
) -> None:
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    options = write(tmp_path / "source")
    convert(format, tmp_path / "source", tmp_path / "out", **options)
    edit(tmp_path / "source")
    assert convert(format, tmp_path / "source", tmp_path / "out", **options).written
    assert sorted(set(parsed)) == expected
    again = convert(format, tmp_path / "source", tmp_path / "out", **options)
    fresh = convert(format, tmp_path / "source", tmp_path / "fresh", **options)
    assert content(tmp_path / "out") == content(tmp_path / "fresh")
    shared = [note.message for note in fresh.notes if note.code == "image-shared"]
    assert not again.written
    assert bool(shared) == (format == "labelme")


def test_a_kept_sample_is_named_with_the_new_one_that_shares_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    for stem in ("a", "b"):
        annotate(tmp_path / "source", stem, *BODY)
    convert("labelme", tmp_path / "source", tmp_path / "out")
    annotate(tmp_path / "source", "copy", *BODY, image=False, imagePath="a.jpg")
    done = convert("labelme", tmp_path / "source", tmp_path / "out")
    assert (done.kept, done.converted) == (2, 1)
    told = [note.message for note in done.notes if note.code == "image-shared"]
    assert told == ["a.jpg is the image of 2 samples: a, copy"]


def line(stem: str) -> tuple[Record, bytes]:
    names = f"JPEGImages/{stem}.jpg", f"SegmentationClass/{stem}.png"
    digests = {name: digest(name.encode()) for name in names}
    record = Record(stem, stem, *names, None, 1, 1, {0: 1}, digests, "00", {})
    return record, manifest.dump_record(record)


def test_earlier_lines_are_copied_between_new_ones(tmp_path: Path) -> None:
    stems = [f"s{number}" for number in range(9)]
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"".join(line(stem)[1] for stem in stems))
    earlier = RecordFile(path, digest(path.read_bytes()))
    (tmp_path / "work").mkdir()
    journal = Journal(tmp_path / "work", earlier)
    journal.keep(earlier.stems, (0, 1, 3, 4), ".jpg", objects=False)
    journal.keep(earlier.stems, (5, 8), ".jpg", objects=False)
    for stem in ("s65", "a", "z"):
        journal.add(*line(stem))
    names = ["a", "s0", "s1", "s3", "s4", "s5", "s65", "s8", "z"]
    assert [journal[stem] for stem in names] == [line(stem)[1] for stem in names]
    assert "s2" not in journal
    assert "s8" in journal
    gathered, checksum = journal.gathered()
    assert gathered.read_bytes() == b"".join(line(stem)[1] for stem in names)
    assert checksum == digest(gathered.read_bytes())
    order = journal.order()
    assert order.before.tolist() == [-1, 0, 1, 3, 4, 5, -1, 8, -1]
    assert order.at.tolist() == [7, 0, 1, 2, 3, 4, 6, 5, 8]
    journal.close()
    earlier.close()


def test_a_finished_line_is_on_disk_at_once(tmp_path: Path) -> None:
    """A killed run resumes from there."""
    journal = Journal(tmp_path)
    journal.add(*line("a"))
    assert (tmp_path / "journal.jsonl").read_bytes() == line("a")[1]
    journal.close()
