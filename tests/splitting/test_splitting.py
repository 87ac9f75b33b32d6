"""Splits: exact cuts, the same lists everywhere, groups, strata, folds, kept and sticky lists."""

from pathlib import Path

import numpy as np
import pytest

import segprep
from segprep.dataset import manifest
from segprep.errors import TreeError, UsageError
from segprep.splitting import cut, parse_ratio
from segprep.types import Record


def tree(root: Path, count: int, classes: int = 3) -> Path:
    (root / "SegmentationClass").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for n in range(count):
        mask = np.zeros((8, 8), np.uint8)
        for value in range(1, classes):
            mask[value] = value if rng.random() < 0.5 else 0
        path = root / "SegmentationClass" / f"p{n % 7}_{n}.png"
        if not path.exists():
            segprep.write_mask(path, mask)
    return root


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [1, 0, 0]),
        (2, [1, 1, 0]),
        (3, [1, 1, 1]),
        (4, [2, 1, 1]),
        (10, [7, 2, 1]),
        (30, [21, 6, 3]),
        (101, [70, 20, 11]),
        (0, [0, 0, 0]),
    ],
)
def test_cuts(count: int, expected: list[int]) -> None:
    assert cut(count, (70, 20, 10)) == expected


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ("90/10/0", [18, 2, 0]),
        ("100/0/0", [20, 0, 0]),
        ("80/20", [16, 4, 0]),
        (".7/.2/.1", [14, 4, 2]),
        ("7/2/1", [14, 4, 2]),
    ],
)
def test_ratios(tmp_path: Path, ratio: str, expected: list[int]) -> None:
    assert list(segprep.split(tree(tmp_path, 20), ratio=ratio).counts.values()) == expected


@pytest.mark.parametrize("ratio", ["70/20/20", "a/b/c", "70", "-10/60/50", "nan/1/1", ""])
def test_wrong_ratios(ratio: str) -> None:
    with pytest.raises(UsageError, match="ratio"):
        parse_ratio(ratio)


def test_lists_are_disjoint_complete_and_in_natural_order(tmp_path: Path) -> None:
    lists = segprep.split(tree(tmp_path, 30), seed=1).lists
    parts = [lists[name] for name in ("train", "val", "test")]
    assert sorted(stem for part in parts for stem in part) == sorted(segprep.Tree(tmp_path).stems())
    assert sorted(lists["trainval"]) == sorted(parts[0] + parts[1])
    written = (tmp_path / "ImageSets/Segmentation/train.txt").read_bytes()
    assert written == "".join(f"{stem}\n" for stem in lists["train"]).encode()
    assert segprep.Tree(tmp_path).stems()[:3] == ("p0_0", "p0_7", "p0_14")


def test_a_seed_means_the_same_lists_for_ever(tmp_path: Path) -> None:
    """Written down once; a change of algorithm must not pass unnoticed."""
    assert segprep.split(tree(tmp_path, 10), seed=1).lists["val"] == ("p0_0", "p6_6")
    assert segprep.split(tmp_path, seed=2, overwrite=True).lists["val"] != ("p0_0", "p6_6")


def test_splitting_again_asks(tmp_path: Path) -> None:
    segprep.split(tree(tmp_path, 10))
    with pytest.raises(TreeError) as caught:
        segprep.split(tmp_path)
    assert caught.value.code == "lists-exist"


@pytest.mark.parametrize("more", [1, 10, 100])
def test_update_moves_no_old_sample(tmp_path: Path, more: int) -> None:
    old = segprep.split(tree(tmp_path, 100), seed=3).lists
    new = segprep.split(tree(tmp_path, 100 + more), update=True)
    for name in ("train", "val", "test"):
        assert set(old[name]) <= set(new.lists[name])
    wanted = cut(100 + more, (70, 20, 10))
    assert all(
        abs(have - want) <= 1 for have, want in zip(new.counts.values(), wanted, strict=True)
    )


def test_groups_never_cross_not_even_in_updates(tmp_path: Path) -> None:
    for count, update in ((40, False), (60, True)):
        lists = segprep.split(tree(tmp_path, count), group_by=r"^(p\d+)_", update=update).lists
        homes = {
            name: {stem.split("_")[0] for stem in lists[name]} for name in ("train", "val", "test")
        }
        assert not homes["train"] & homes["val"]
        assert not homes["train"] & homes["test"]
        assert not homes["val"] & homes["test"]
        assert all(homes.values())


def test_groups_from_a_table(tmp_path: Path) -> None:
    tree(tmp_path, 4)
    table = tmp_path / "groups.csv"
    table.write_text("stem,group\np0_0,x\np1_1.png,x\np2_2,y\np3_3,z\n")
    lists = segprep.split(tmp_path, group_by=str(table)).lists
    assert any({"p0_0", "p1_1"} <= set(lists[name]) for name in ("train", "val", "test"))
    table.write_text("p0_0,x\n")
    with pytest.raises(UsageError, match="gives 3 samples no group"):
        segprep.split(tmp_path, group_by=str(table), overwrite=True)


@pytest.mark.parametrize(("how", "factor"), [("pixels", 3), ("presence", 1)])
@pytest.mark.parametrize("count", [100, 400])
def test_strata(tmp_path: Path, how: str, factor: float, count: int) -> None:
    place = tree(tmp_path, count, classes=5)
    masks = {
        stem: np.bincount(
            segprep.read_mask(segprep.Tree(place).mask_path(stem)).ravel(), minlength=5
        )
        for stem in segprep.Tree(place).stems()
    }
    whole = sum(masks.values()) / sum(mask.sum() for mask in masks.values())

    def worst(lists: "dict[str, tuple[str, ...]]") -> float:
        sums = [sum(masks[stem] for stem in lists[name]) for name in ("train", "val", "test")]
        return float(max(abs(one / one.sum() - whole).max() for one in sums))

    plain = worst(dict(segprep.split(place, seed=1).lists))
    assert (
        worst(dict(segprep.split(place, seed=1, stratify=how, overwrite=True).lists)) * factor
        <= plain
    )


def test_every_class_with_three_images_is_in_all_lists(tmp_path: Path) -> None:
    tree(tmp_path, 50, classes=2)
    for n in (3, 14, 29):
        mask = np.zeros((8, 8), np.uint8)
        mask[0] = 5
        segprep.write_mask(tmp_path / f"SegmentationClass/p{n % 7}_{n}.png", mask)
    rare = {f"p{n % 7}_{n}" for n in (3, 14, 29)}
    lists = segprep.split(tmp_path, stratify="presence").lists
    assert all(rare & set(lists[name]) for name in ("train", "val", "test"))


def test_folds_share_out_trainval_and_leave_test_alone(tmp_path: Path) -> None:
    made = segprep.split(tree(tmp_path, 31), folds=4)
    vals = [stem for _, val in made.folds for stem in val]
    assert sorted(vals) == sorted(made.lists["trainval"])
    assert all(
        not set(train) & set(val) and not set(val) & set(made.lists["test"])
        for train, val in made.folds
    )
    assert (tmp_path / "ImageSets/Segmentation/fold3val.txt").read_text().split() == list(
        made.folds[3][1]
    )


def test_keep_an_official_list(tmp_path: Path) -> None:
    tree(tmp_path, 20)
    folder = tmp_path / "ImageSets/Segmentation"
    folder.mkdir(parents=True)
    (folder / "test.txt").write_text("p0_0\r\np1_1\r\np2_2\r\n")
    made = segprep.split(tmp_path, keep=("test",))
    assert made.lists["test"] == ("p0_0", "p1_1", "p2_2")
    assert made.counts == {"train": 13, "val": 4, "test": 3}


def test_a_broken_expression_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a regular expression"):
        segprep.split(tree(tmp_path, 5), group_by="(")


def test_a_split_parses_each_record_once(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segprep.convert("labelme", source, tmp_path / "out")
    lines, load = list[bytes](), manifest.load_record

    def counted(line: bytes) -> Record:
        lines.append(line)
        return load(line)

    monkeypatch.setattr(manifest, "load_record", counted)
    outcome = segprep.split(tmp_path / "out")
    assert len(lines) == len(set(lines)) == sum(outcome.counts.values()) > 0
