"""Another tool's tree whose masks order their colors differently: its indices are not class ids."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import UsageError

RED, GREEN, BLACK = (128, 0, 0), (0, 128, 0), (0, 0, 0)
Colors = tuple[tuple[int, int, int], ...]


def foreign(root: Path, **palettes: Colors) -> Path:
    """A tree without a manifest: STEM=palette; every mask holds the indices 0, 1, 2."""
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    for number, (stem, colors) in enumerate(palettes.items()):
        picture = Image.fromarray(np.array([[0, 1, 2]], np.uint8).repeat(3, 0), mode="P")
        picture.putpalette([part for color in colors for part in color])
        picture.save(root / f"SegmentationClass/{stem}.png")
        gray = 20 * number + len(root.name)
        Image.new("RGB", (3, 3), (gray, gray, gray)).save(root / f"JPEGImages/{stem}.png")
    (root / "ImageSets/Segmentation/train.txt").write_text("\n".join(palettes))
    (root / "ImageSets/Segmentation/val.txt").write_text("\n".join(palettes))
    (root / "class_names.txt").write_text("background\nred\ngreen\n")
    return root


def merged(root: Path, out: Path) -> object:
    other = foreign(root.with_name("others"), z=(BLACK, RED, GREEN))
    return segprep.merge(root, other, out=out)


JOBS: dict[str, Callable[[Path, Path], object]] = {
    "merge": merged,
    "tile": lambda root, out: segprep.tile(root, out, size=2, overlap=0),
    "resize": lambda root, out: segprep.resize(root, out, size="6"),
    "export": lambda root, out: segprep.export("voc", root, out),
    "remap": lambda root, out: segprep.remap(root, out, map=("red=green",)),
}


@pytest.mark.parametrize("job", JOBS)
def test_palettes_in_different_orders_are_refused(tmp_path: Path, job: str) -> None:
    root = foreign(tmp_path / "in", a=(BLACK, RED, GREEN), b=(BLACK, GREEN, RED))
    with pytest.raises(UsageError, match=r"has index 2 in a.png but 1 in b.png") as caught:
        JOBS[job](root, tmp_path / "out")
    assert caught.value.code == "palette-ambiguous"
    assert "colormap --table" in caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("job", JOBS)
def test_palettes_in_the_same_order_are_used(tmp_path: Path, job: str) -> None:
    root = foreign(tmp_path / "in", a=(BLACK, RED, GREEN), b=(BLACK, RED, GREEN))
    JOBS[job](root, tmp_path / "out")
    assert (tmp_path / "out").is_dir()


def test_trees_of_one_class_list_and_two_orders(tmp_path: Path) -> None:
    first = foreign(tmp_path / "one", a=(BLACK, RED, GREEN))
    second = foreign(tmp_path / "another", b=(BLACK, GREEN, RED))
    with pytest.raises(UsageError, match="palettes are in different orders"):
        segprep.merge(first, second, out=tmp_path / "out")
    (second / "class_names.txt").write_text("background\ngreen\nred\n")  # its own order is stated
    segprep.merge(first, second, out=tmp_path / "out")
    masks = {
        stem: segprep.read_mask(tmp_path / f"out/SegmentationClass/{stem}.png") for stem in "ab"
    }
    assert (masks["a"][0].tolist(), masks["b"][0].tolist()) == ([0, 1, 2], [0, 2, 1])


def test_training_refuses_them(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from segprep.dataset.tree import Tree
    from segprep.train_config import Config
    from segprep.training.check.sampling import select
    from segprep.training.data.dataset import select_lists

    root = foreign(tmp_path / "in", a=(BLACK, RED, GREEN), b=(BLACK, GREEN, RED))
    with pytest.raises(UsageError, match="palettes are in different orders"):
        select_lists(Tree(root), Config())
    with pytest.raises(UsageError, match="palettes are in different orders"):
        select(Tree(root), 0)
