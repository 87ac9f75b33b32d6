"""ISBI stacks and numbered images: pages, polarity, lengths; on made stacks, and on the real
membranes where they are at hand.
"""

import io
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import content
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

import segprep
from segprep.errors import SegprepError, SourceError, UsageError
from segprep.sources.isbi import Reader
from segprep.types import Scan

PAGES = 12
RANDOM = np.random.default_rng(7)
GRAY = RANDOM.integers(0, 256, (PAGES, 6, 8), dtype=np.uint8)
LABELS = np.where(RANDOM.random((PAGES, 6, 8)) < 0.25, 0, 255).astype(np.uint8)  # 0: the membrane


def stack(path: Path, pages: Sequence[Any], **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = [Image.fromarray(page) for page in pages]
    first.save(path, save_all=True, append_images=rest, **options)


def example(folder: Path) -> Reader:
    stack(folder / "train-volume.tif", GRAY)
    stack(folder / "train-labels.tif", LABELS, compression="tiff_lzw")
    stack(folder / "test-volume.tif", GRAY)
    return Reader(folder, foreground="dark", name="membrane")


def codes(scan: Scan) -> dict[str, str]:
    return {Path(one.path).name: one.code for one in scan.skipped}


def refused(reader: Reader, stem: str) -> SourceError:
    (item,) = (item for item in reader.scan().items if item.stem == stem)
    with pytest.raises(SourceError) as caught:
        reader.read(item)
    return caught.value


def test_every_page_is_a_sample_whatever_order_they_are_read_in(tmp_path: Path) -> None:
    reader = example(tmp_path)
    scan = reader.scan()
    assert [item.stem for item in scan.items] == [f"train-volume_{n:02}" for n in range(PAGES)]
    assert scan.classes.names == ("_background_", "membrane")
    assert [(note.code, note.message) for note in scan.notes] == [
        ("image-unlabelled", "test-volume.tif has no labels; it was skipped")
    ]
    assert (scan.skipped, scan.lists) == ((), {})
    for n in (11, 0, 5, 4, 10, 3):
        assert np.array_equal(reader.read(scan.items[n]).mask, LABELS[n] == 0)


def test_pixels_arrive_unchanged_and_jobs_make_no_difference(tmp_path: Path) -> None:
    example(tmp_path / "isbi")
    outs = [tmp_path / "one", tmp_path / "two"]
    for jobs, out in enumerate(outs, 1):
        done = segprep.convert("isbi", tmp_path / "isbi", out, foreground="dark", jobs=jobs)
        assert (done.converted, done.skipped) == (PAGES, ())
    assert content(outs[0]) == content(outs[1])
    for n in range(PAGES):
        with Image.open(outs[0] / "JPEGImages" / f"train-volume_{n:02}.png") as kept:
            assert np.array_equal(np.asarray(kept), GRAY[n])
    again = segprep.convert("isbi", tmp_path / "isbi", outs[0], foreground="dark")
    assert (again.kept, again.written) == (PAGES, False)
    stack(tmp_path / "isbi" / "train-labels.tif", LABELS[::-1])
    changed = segprep.convert("isbi", tmp_path / "isbi", outs[0], foreground="dark")
    assert changed.converted == PAGES
    assert np.array_equal(
        segprep.read_mask(outs[0] / "SegmentationClass" / "train-volume_00.png"), LABELS[-1] == 0
    )


def test_the_polarity_has_to_be_said(tmp_path: Path) -> None:
    example(tmp_path)
    with pytest.raises(UsageError) as caught:
        Reader(tmp_path).scan()
    dark = 100 * (LABELS == 0).mean()
    assert caught.value.code == "foreground-unstated"
    assert f"--foreground dark: {dark:.2f} %" in caught.value.message
    assert f"--foreground light: {100 - dark:.2f} %" in caught.value.message
    for foreground, expected in (
        ("dark", LABELS == 0),
        ("light", LABELS == 255),
        ("nonzero", LABELS != 0),
    ):
        reader = Reader(tmp_path, foreground=foreground)  # type: ignore[arg-type]
        assert np.array_equal(reader.read(reader.scan().items[3]).mask, expected[3])
    with pytest.raises(UsageError) as caught:
        Reader(tmp_path, foreground="dark", threshold=255).scan()
    assert caught.value.code == "bad-option"


def test_a_stack_of_another_length_than_its_labels(tmp_path: Path) -> None:
    reader = example(tmp_path)
    stack(tmp_path / "val-volume.tif", GRAY[:3])
    for pages in (2, 1, 4):
        stack(tmp_path / "val-labels.tif", LABELS[:pages])
        scan = reader.scan()
        assert codes(scan) == {"val-labels.tif": "stack-length"}
        assert (
            scan.skipped[0].reason
            == f"val-volume.tif has 3 pages, its labels val-labels.tif have {pages}"
        )
        assert len(scan.items) == PAGES
    stack(tmp_path / "val-labels.tif", LABELS[:3])
    assert {split: len(stems) for split, stems in reader.scan().lists.items()} == {
        "train": PAGES,
        "val": 3,
    }


def test_partners_by_words_in_names_or_folders(tmp_path: Path) -> None:
    for n, (volume, labels) in enumerate(
        [
            ("training.tif", "training_groundtruth.tif"),
            ("train/volume.tif", "train/labels.tif"),
            ("images/a.tiff", "masks/a.tiff"),
            ("a/Image.tif", "a/Label.tif"),
        ]
    ):
        stack(tmp_path / str(n) / volume, GRAY[:3])
        stack(tmp_path / str(n) / labels, LABELS[:3])
        assert len(Reader(tmp_path / str(n), foreground="dark").scan().items) == 3


def test_missing_partners(tmp_path: Path) -> None:
    stack(tmp_path / "train-volume.tif", GRAY)
    stack(tmp_path / "extra-labels.tif", LABELS)
    assert codes(Reader(tmp_path, foreground="dark").scan()) == {
        "train-volume.tif": "mask-missing",
        "extra-labels.tif": "image-missing",
    }
    stack(tmp_path / "train-labels.tif", LABELS)
    stack(tmp_path / "more" / "volume-train.tif", GRAY)
    assert codes(Reader(tmp_path, foreground="dark").scan())["volume-train.tif"] == "mask-missing"
    stack(tmp_path / "train-image.tif", GRAY)
    found = codes(Reader(tmp_path, foreground="dark").scan())
    assert (found["train-image.tif"], found["train-volume.tif"]) == (
        "image-ambiguous",
        "image-ambiguous",
    )


def test_the_same_name_in_two_folders(tmp_path: Path) -> None:
    for split in ("train", "test"):
        stack(tmp_path / split / "volume.tif", GRAY[:2])
        stack(tmp_path / split / "labels.tif", LABELS[:2])
    assert {one.code for one in Reader(tmp_path, foreground="dark").scan().skipped} == {
        "stem-collision"
    }
    scan = Reader(tmp_path, foreground="dark", stem="path").scan()
    assert scan.lists == {
        "test": ("test_volume_00", "test_volume_01"),
        "train": ("train_volume_00", "train_volume_01"),
    }


def test_a_page_that_does_not_fit_names_its_number(tmp_path: Path) -> None:
    reader = example(tmp_path)
    stack(tmp_path / "train-labels.tif", [*LABELS[:5], LABELS[5].T, *LABELS[6:]])
    error = refused(reader, "train-volume_05")
    assert (error.code, error.path.name) == ("size-mismatch", "train-labels.tif")
    assert "page 5: " in error.message
    assert np.array_equal(reader.read(reader.scan().items[6]).mask, LABELS[6] == 0)
    done = segprep.convert(
        "isbi",
        tmp_path,
        tmp_path.parent / f"{tmp_path.name}-out",
        foreground="dark",
        on_error="skip",
    )
    assert (done.converted, len(done.failed)) == (PAGES - 1, 1)


def test_pixel_types(tmp_path: Path) -> None:
    reader = example(tmp_path)
    stack(tmp_path / "train-volume.tif", GRAY.astype(np.uint16) * 200)
    sample = reader.read(reader.scan().items[1])
    with Image.open(io.BytesIO(sample.image)) as picture:
        assert np.array_equal(np.asarray(picture), GRAY[1].astype(np.uint16) * 200)
    stack(tmp_path / "train-volume.tif", GRAY.astype(np.float32))
    assert (
        refused(reader, "train-volume_00").code,
        refused(reader, "train-volume_00").path.name,
    ) == ("image-unsupported", "train-volume.tif")
    stack(tmp_path / "train-volume.tif", GRAY)
    stack(
        tmp_path / "train-labels.tif",
        (np.repeat(LABELS[..., None], 3, -1) // (1, 2, 3)).astype(np.uint8),
    )
    assert refused(reader, "train-volume_00").code == "mask-is-colour"
    stack(tmp_path / "train-labels.tif", LABELS // 255)
    assert refused(reader, "train-volume_00").code == "values-unclear"


def test_smoothed_labels_are_counted(tmp_path: Path) -> None:
    reader = example(tmp_path)
    stack(tmp_path / "train-labels.tif", np.where(LABELS == 0, 127, 128).astype(np.uint8))
    sample = reader.read(reader.scan().items[0])
    assert np.array_equal(sample.mask, LABELS[0] == 0)
    assert [note.code for note in sample.notes] == ["intermediate-values"]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow says so by the way
def test_damaged_and_oversized_stacks(tmp_path: Path) -> None:
    reader = example(tmp_path)
    whole = (tmp_path / "train-volume.tif").read_bytes()
    (tmp_path / "train-volume.tif").write_bytes(whole[:200])
    assert codes(reader.scan()) == {"train-volume.tif": "image-damaged"}
    (tmp_path / "train-volume.tif").write_bytes(whole)
    scan = Reader(tmp_path, foreground="dark", max_pixels=47).scan()
    assert codes(scan) == {
        f"{name}.tif": "image-too-large" for name in ("train-volume", "train-labels", "test-volume")
    }
    stack(tmp_path / "train-volume.tif", [*GRAY[:-1], np.zeros((60, 80), np.uint8)])
    assert (
        refused(Reader(tmp_path, foreground="dark", max_pixels=48), "train-volume_11").code
        == "image-too-large"
    )


def test_a_stack_that_changes_under_the_reader_is_not_mixed(tmp_path: Path) -> None:
    reader = example(tmp_path)
    items = reader.scan().items
    for name in "abc":  # drives the first stacks out of memory
        stack(tmp_path / "other" / f"{name}-volume.tif", GRAY)
        stack(tmp_path / "other" / f"{name}-labels.tif", LABELS)
    other = Reader(tmp_path / "other", foreground="dark")
    other.read(other.scan().items[0])
    stack(tmp_path / "train-labels.tif", 255 - LABELS)
    with pytest.raises(SourceError) as caught:
        reader.read(items[0])
    assert caught.value.code == "unreadable"


def test_an_imagej_file_with_one_directory_for_many_slices(tmp_path: Path) -> None:
    example(tmp_path)
    tags = ImageFileDirectory_v2()
    tags[270] = f"ImageJ=1.53\nimages={PAGES}\nslices={PAGES}\n"
    Image.fromarray(GRAY[0]).save(tmp_path / "train-volume.tif", tiffinfo=tags)
    scan = Reader(tmp_path, foreground="dark").scan()
    assert codes(scan)["train-volume.tif"] == "stack-length"


def test_a_circle_of_pages_ends(tmp_path: Path) -> None:
    example(tmp_path)
    data = bytearray((tmp_path / "train-volume.tif").read_bytes())
    first = struct.unpack_from("<I", data, 4)[0]
    entries = struct.unpack_from("<H", data, first)[0]
    struct.pack_into(
        "<I", data, first + 2 + 12 * entries, first
    )  # the first page says that it is the next one, too
    (tmp_path / "train-volume.tif").write_bytes(data)
    assert codes(Reader(tmp_path, foreground="dark").scan()) == {"train-labels.tif": "stack-length"}


def test_numbered_images_in_folders(tmp_path: Path) -> None:
    for n in range(PAGES):
        for folder, pixels in (
            ("train/image", GRAY[n]),
            ("train/label", LABELS[n]),
            ("test", GRAY[n]),
        ):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / folder / f"{n}.png")
    reader = Reader(tmp_path, foreground="light")
    scan = reader.scan()
    assert {item.stem for item in scan.items} == {str(n) for n in range(PAGES)}
    text = f"no masks pair with the pictures in test/ ({PAGES}); they were left alone"
    assert [(note.code, note.message) for note in scan.notes] == [("image-unlabelled", text)]
    for item in scan.items:
        assert np.array_equal(reader.read(item).mask, LABELS[int(item.stem)] == 255)
    with pytest.raises(UsageError) as caught:
        Reader(tmp_path).scan()
    assert caught.value.code == "foreground-unstated"
    evidence = Reader.recognize(tmp_path)
    assert evidence
    assert evidence.score < 0.5


def test_recognized_by_labeled_stacks(tmp_path: Path) -> None:
    evidence = Reader.recognize(example(tmp_path / "a").root)
    assert evidence
    assert (evidence.score, evidence.reason) == (
        0.9,
        "train-volume.tif is a stack of 12 pages, train-labels.tif lies beside it",
    )
    stack(tmp_path / "b" / "images" / "x.tif", GRAY[:1])
    assert Reader.recognize(tmp_path / "b") is None


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SegprepError) as caught:
        segprep.convert("isbi", tmp_path / "empty", tmp_path / "out", foreground="dark")
    assert caught.value.code in ("folders-unclear", "nothing-to-convert")


def test_the_real_membranes_as_a_stack_and_as_images(real: Path, tmp_path: Path) -> None:
    folder = real / "medical"
    numbers = sorted(int(path.stem) for path in (folder / "Labels").glob("*.png"))
    assert len(numbers) == 30
    for name, sub in (("train-volume", "Images"), ("train-labels", "Labels")):
        pages = []
        for number in numbers:
            with Image.open(folder / sub / f"{number}.png") as picture:
                pages.append(np.asarray(picture.convert("L")))
        stack(tmp_path / "isbi" / f"{name}.tif", pages)
    series, pages = (
        segprep.convert("isbi", source, tmp_path / str(n), foreground="dark")
        for n, source in enumerate((folder, tmp_path / "isbi"))
    )
    assert (series.converted, pages.converted) == (30, 30)
    dark = 0
    for place, number in enumerate(numbers):
        mask = segprep.read_mask(tmp_path / "0" / "SegmentationClass" / f"{number}.png")
        assert np.array_equal(
            mask,
            segprep.read_mask(
                tmp_path / "1" / "SegmentationClass" / f"train-volume_{place:02}.png"
            ),
        )
        dark += int(mask.sum())
    assert dark / (30 * 512 * 512) == pytest.approx(0.2196, abs=5e-5)
