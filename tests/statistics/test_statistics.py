"""The numbers of a dataset, against hand counts; weights against their formulas."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli import main

import segprep
from segprep.dataset.tree import LISTS
from segprep.dataset.tree_files import list_bytes
from segprep.statistics import weights


def write_lists(root: Path, lists: Mapping[str, Sequence[str]]) -> None:
    (root / LISTS).mkdir(parents=True)
    for name, stems in lists.items():
        (root / LISTS / f"{name}.txt").write_bytes(list_bytes(stems))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Three images of 4 x 5: two squares, one square, background with an ignored row."""
    root = tmp_path / "tree"
    for folder in ("JPEGImages", "SegmentationClass"):
        (root / folder).mkdir(parents=True)
    masks = np.zeros((3, 4, 5), np.uint8)
    masks[0, 0, 0] = masks[0, 3, 4] = masks[1, 1:3, 1:3] = 1
    masks[2, 0] = 255
    for n, mask in enumerate(masks):
        Image.new("RGB", (5, 4), (51 * n,) * 3).save(root / "JPEGImages" / f"{n}.png")
        segprep.write_mask(root / "SegmentationClass" / f"{n}.png", mask)
    write_lists(root, {"train": ["0", "1"], "val": ["2"]})
    (root / "class_names.txt").write_text("_background_\nsquare\nnever\n")
    return root


def test_hand_counts(place: Path) -> None:
    found = segprep.stats(place)
    ground, square, never = found.classes
    assert (ground.pixels, ground.images, ground.components) == (20 * 3 - 6 - 5, 3, 3)
    assert (square.pixels, square.images, square.components) == (6, 2, 3)
    assert (never.pixels, never.images, never.components) == (0, 0, 0)
    assert square.splits == {"train": (6, 2), "val": (0, 0)}
    assert found.ignored == pytest.approx(5 / 60)
    assert found.sizes == {(5, 4): 3}
    assert found.drift["val"] == pytest.approx(6 / 55)
    assert found.colors is not None
    assert (found.colors_of, found.colors.image_mean) == ("train", pytest.approx((0.1,) * 3))


def test_quick_opens_nothing_where_a_manifest_counts(tmp_path: Path, source: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "out")
    full = segprep.stats(tmp_path / "out")
    for path in (tmp_path / "out" / "SegmentationClass").iterdir():
        path.unlink()
    quick = segprep.stats(tmp_path / "out", quick=True)
    assert [(row.pixels, row.images) for row in quick.classes] == [
        (row.pixels, row.images) for row in full.classes
    ]
    assert quick.colors is None
    assert quick.classes[0].components is None


def test_weights_by_their_formulas() -> None:
    counts, images, sizes = [600, 300, 100, 0], [10, 5, 2, 0], [1000, 500, 200, 0]
    assert weights.inverse(counts, images, sizes) == pytest.approx([5 / 9, 10 / 9, 10 / 3, 0])
    assert weights.median_frequency(counts, images, sizes) == pytest.approx([1, 1, 0.6 / 0.5, 0])
    enet = weights.enet(counts, images, sizes)
    assert enet == pytest.approx([*(1 / np.log(1.02 + np.array([0.6, 0.3, 0.1]))), 0])
    raw = np.array([0.01 / (1 - 0.99**n) for n in (10, 5, 2)])
    effective = weights.effective_number(counts, images, sizes)
    assert effective == pytest.approx([*(raw * 3 / raw.sum()), 0])


def test_the_command(place: Path, tmp_path: Path) -> None:
    table, charts = tmp_path / "t.csv", tmp_path / "charts"
    arguments = ["stats", str(place), "--csv", str(table), "--plots", str(charts)]
    shown = CliRunner().invoke(main.group, arguments)
    assert shown.exit_code == 0, shown.output
    assert "square" in shown.stdout
    assert "median-frequency" in shown.stdout
    refused = CliRunner().invoke(main.group, arguments)
    assert refused.exit_code == 2
    assert "[output-exists]" in refused.output
    assert CliRunner().invoke(main.group, [*arguments, "--overwrite"]).exit_code == 0
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["components"] for row in rows] == ["3", "3", "0"]
    assert {path.name for path in charts.iterdir()} == {"classes.png", "sizes.png"}
    document = json.loads(CliRunner().invoke(main.group, [*arguments[:2], "--json"]).stdout)
    assert document["classes"][1]["splits"]["train"] == {"pixels": 6, "images": 2}


def test_mean_and_deviation_as_options_of_train(place: Path) -> None:
    """The mean of the images' own means, of the train list: gray 0 and 51 of 255."""
    shown = CliRunner().invoke(main.group, ["stats", str(place), "--mean-std"])
    assert shown.exit_code == 0, shown.output
    assert shown.stdout == "--mean 0.10000,0.10000,0.10000 --std 0.00000,0.00000,0.00000\n"
    wrong = CliRunner().invoke(main.group, ["stats", str(place), "--mean-std", "--quick"])
    assert wrong.exit_code == 2


def test_a_damaged_sample_is_named_and_skipped(place: Path) -> None:
    (place / "JPEGImages" / "1.png").write_bytes(b"broken")
    found = segprep.stats(place)
    assert found.images == 2
    assert "1.png" in found.notes[0].message


@pytest.mark.parametrize(("suffix", "kind"), [("gif", "GIF"), ("tif", "TIFF"), ("JPG", "JPEG")])
def test_a_mask_of_another_format_is_said_to_be_left_out(
    place: Path, suffix: str, kind: str, tmp_path: Path
) -> None:
    """Else its class vanishes from the numbers, and its picture from the page, with exit code 0."""
    png = place / "SegmentationClass" / "1.png"
    with Image.open(png) as mask:
        mask.convert("L").save(png.with_suffix(f".{suffix}"), kind)
    png.unlink()
    for arguments in (["stats"], ["view", "--no-check", "--out", str(tmp_path / "view.html")]):
        name, *options = arguments
        run = CliRunner().invoke(main.group, [name, str(place), *options])
        assert run.exit_code == 3
        assert "note [mask-not-png]: 1 mask is not PNG, so its sample was skipped" in run.stderr
        assert f"SegmentationClass/1.{suffix}" in run.stderr
    notes = segprep.split(place, ratio="50/50", overwrite=True).notes
    assert "mask-not-png" in {note.code for note in notes}
    for other in place.glob("SegmentationClass/*.png"):
        other.unlink()
    for name in ("stats", "view"):
        run = CliRunner().invoke(main.group, [name, str(place)])
        assert run.exit_code in (1, 2)
        assert "1 mask is not PNG" in run.stderr


def test_a_sample_that_cannot_be_read_is_named(place: Path) -> None:
    (place / "SegmentationClass" / "1.png").write_bytes(b"no picture")
    run = CliRunner().invoke(main.group, ["stats", str(place)])
    assert run.exit_code == 3
    assert "note [image-unsupported]: 1: " in run.stderr
