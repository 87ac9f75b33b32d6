"""What cannot be remapped: values without a class, damaged trees, wrong calls."""

import json
from pathlib import Path

import numpy as np
import pytest
from remapping.trees import command, foreign, masks_of, place

import segprep
from segprep.dataset import manifest
from segprep.dataset.tree import Tree
from segprep.errors import SegprepError
from segprep.imaging.image import encode_mask


def test_every_unknown_value_is_listed_at_once(tmp_path: Path) -> None:
    root = foreign(
        tmp_path / "theirs",
        {"a": [[0, 7], [7, 1]], "b": [[0, 1], [1, 1]], "c": [[9, 9], [9, 0]]},
        "_background_\ncat\n",
    )
    result = command(root, tmp_path / "new", "--map", "cat=dog", "--json")
    assert result.exit_code == 1
    listed = json.loads(result.stdout)["skipped"]
    assert [(one["stem"], one["code"]) for one in listed] == [
        ("a", "unknown-value"),
        ("c", "unknown-value"),
    ]
    assert [
        "7 (2 px)" in listed[0]["reason"],
        "9 (3 px)" in listed[1]["reason"],
        bool(listed[0]["hint"]),
    ] == [True] * 3
    assert not (tmp_path / "new/SegmentationClass").exists()
    assert not (tmp_path / "new/segprep.json").exists()
    skipping = command(root, tmp_path / "new", "--map", "cat=dog", "--on-error", "skip")
    assert (skipping.exit_code, masks_of(tmp_path / "new")) == (3, {"b": [[0, 1], [1, 1]]})


def test_what_was_left_out_leaves_lists_and_counts(ours: Path, tmp_path: Path) -> None:
    stem = Tree(ours).lists()["train"][0]
    place(ours / f"SegmentationClass/{stem}.png", encode_mask(np.full((24, 32), 9, np.uint8)))
    done = segprep.remap(ours, tmp_path / "new", drop=("cow",), on_error="skip")
    assert [one.stem for one in done.conversion.failed] == [stem]
    new = Tree(tmp_path / "new")
    assert stem not in new.lists()["train"]
    assert new.manifest
    assert new.manifest.split
    assert new.manifest.split["counts"] == {
        name: len(new.lists()[name]) for name in ("train", "val", "test")
    }
    assert new.manifest.split["vanished"] == {stem: "train"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), "bad-option"),
        (("--map", "kat=dog"), "unknown-label"),
        (("--classes", "300"), "bad-option"),
        (("--order", "no/such.txt"), "bad-classes"),
        (("--ids", "0=cow,1=hen", "--classes", "background,cow"), "unknown-label"),
    ],
)
def test_wrong_calls(ours: Path, tmp_path: Path, arguments: tuple[str, ...], code: str) -> None:
    result = command(ours, tmp_path / "new", *arguments)
    assert result.exit_code == (1 if code == "bad-classes" else 2)
    assert f"[{code}]" in result.stderr
    assert not (tmp_path / "new").exists()


def test_never_in_place(ours: Path) -> None:
    for out in (ours, ours / "below"):
        result = command(ours, out, "--map", "cat=dog")
        assert (result.exit_code, "[output-overlaps-source]" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("SegmentationClass/a.png", encode_mask(np.zeros((9, 9), np.uint8)), "size-mismatch"),
        ("SegmentationObject/a.png", encode_mask(np.zeros((9, 9), np.uint8)), "size-mismatch"),
        ("JPEGImages/a.jpg", b"", "empty-file"),
        ("SegmentationClass/lost.png", encode_mask(np.zeros((2, 2), np.uint8)), "image-missing"),
    ],
)
def test_broken_trees(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    root = foreign(tmp_path / "theirs", {"a": [[0, 1], [1, 0]]}, "_background_\ncat\n")
    place(root / name, data)
    result = command(root, tmp_path / "new", "--map", "cat=dog")
    assert (result.exit_code, f"[{code}]" in result.stderr) == (1, True), result.stderr
    assert not (tmp_path / "new/segprep.json").exists()


def test_an_unfinished_tree_is_no_source(ours: Path, tmp_path: Path) -> None:
    (ours / ".segprep-incomplete").mkdir()
    (ours / "segprep.json").unlink()
    with pytest.raises(SegprepError) as caught:
        segprep.remap(ours, tmp_path / "new", map=("cat=dog",))
    assert caught.value.code == "unfinished-run"


def test_a_link_out_of_the_tree_is_not_followed(tmp_path: Path) -> None:
    root = foreign(tmp_path / "theirs", {"a": [[0, 1], [1, 0]]}, "_background_\ncat\n")
    (tmp_path / "secret.png").write_bytes(encode_mask(np.zeros((2, 2), np.uint8)))
    (root / "SegmentationClass/a.png").unlink()
    (root / "SegmentationClass/a.png").symlink_to(tmp_path / "secret.png")
    result = command(root, tmp_path / "new", "--map", "cat=dog")
    assert (result.exit_code, "[link-outside-root]" in result.stderr) == (1, True)


def test_a_damaged_record_is_a_clear_error(ours: Path, tmp_path: Path) -> None:
    (ours / manifest.RECORDS).write_bytes(b"{}\n")
    result = command(ours, tmp_path / "new", "--map", "cat=dog")
    assert (result.exit_code, "[bad-manifest]" in result.stderr) == (1, True)
