"""An export appears whole or not at all, touches only what an export wrote, and never the
dataset.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest
from click.testing import CliRunner, Result
from folders import content
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, LockedError, SegprepError, TreeError
from segprep.exporting.publish import MARKER, Outbox
from segprep.imaging.image import encode_mask, read_mask
from segprep.writer import Product


@pytest.fixture
def tree(source: Path, tmp_path: Path) -> Path:
    segprep.convert("labelme", source, tmp_path / "tree")
    segprep.split(tmp_path / "tree", seed=5)
    return tmp_path / "tree"


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, ["export", *map(str, arguments)], prog_name="segprep")


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".segprep-export")]


def test_the_account(tree: Path, tmp_path: Path) -> None:
    result = command("keras", tmp_path / "out", "-d", tree, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document == {
        "target": "keras",
        "out": str(tmp_path / "out"),
        "samples": 12,
        "files": 26,
        "written": True,
        "skipped": [],
        "notes": [],
    }
    marker = json.loads((tmp_path / "out" / MARKER).read_bytes())
    assert (marker["target"], marker["dataset"], marker["samples"], marker["options"]["link"]) == (
        "keras",
        "../tree",
        12,
        "copy",
    )
    assert sorted(marker["files"]) == sorted(set(content(tmp_path / "out")) - {MARKER})
    assert len(marker["files"]) == 26


def test_the_dataset_of_the_current_folder(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    assert command("voc", "../out", "-q").exit_code == 0
    assert (tmp_path / "out/VOCdevkit/VOC2007/JPEGImages/img0.jpg").is_file()
    monkeypatch.chdir(tmp_path / "out")
    result = command("voc", ".", "-d", tree, "--overwrite")
    assert (result.exit_code, "current folder" in result.stderr) == (2, True)


@pytest.mark.parametrize("out", ["tree", "tree/below", "."])
def test_output_and_dataset_do_not_overlap(tree: Path, tmp_path: Path, out: str) -> None:
    before = content(tree)
    for overwrite in ((), ("--overwrite",)):
        result = command("voc", tmp_path / out, "-d", tree, *overwrite)
        assert (result.exit_code, "[output-overlaps-source]" in result.stderr) == (
            2,
            True,
        ), result.stderr
    assert content(tree) == before


def test_a_link_to_the_dataset_is_seen_through(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(tree)
    result = command("voc", tmp_path / "alias/out", "-d", tree)
    assert (result.exit_code, "[output-overlaps-source]" in result.stderr) == (2, True)


def test_what_no_export_wrote_is_never_replaced(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(TreeError) as caught:
            segprep.export("voc", tree, tmp_path / "out", overwrite=overwrite)
        assert (caught.value.code, "thesis.txt" in caught.value.message) == (
            "output-occupied",
            True,
        )
    (tmp_path / "out/thesis.txt").unlink()
    segprep.export("voc", tree, tmp_path / "out")
    first = content(tmp_path / "out")
    with pytest.raises(TreeError) as caught:
        segprep.export("voc", tree, tmp_path / "out")
    assert "--overwrite" in caught.value.hint
    (tmp_path / "out/VOCdevkit/VOC2007/JPEGImages/mine.jpg").write_text("mine")
    with pytest.raises(TreeError) as caught:
        segprep.export("keras", tree, tmp_path / "out", overwrite=True)
    assert "mine.jpg" in caught.value.message
    (tmp_path / "out/VOCdevkit/VOC2007/JPEGImages/mine.jpg").unlink()
    assert content(tmp_path / "out") == first
    segprep.export("keras", tree, tmp_path / "out", overwrite=True)
    assert {name.split("/")[0] for name in content(tmp_path / "out")} == {
        MARKER,
        "README.txt",
        "class_names.txt",
        *(f"{n}_{k}" for n in ("train", "val", "test") for k in ("frames", "masks")),
    }
    assert hidden(tmp_path) == []


def test_a_damaged_account_is_no_permission(tree: Path, tmp_path: Path) -> None:
    segprep.export("voc", tree, tmp_path / "out")
    (tmp_path / "out" / MARKER).write_text("{}")
    with pytest.raises(TreeError) as caught:
        segprep.export("voc", tree, tmp_path / "out", overwrite=True)
    assert caught.value.code == "output-occupied"


def test_bad_samples_are_listed_and_nothing_is_written(tree: Path, tmp_path: Path) -> None:
    stem, other = Tree(tree).lists()["train"][:2]
    Tree(tree).mask_path(stem).write_bytes(b"no mask")
    Tree(tree).image_path(other).unlink()  # type: ignore[union-attr]
    result = command("keras", tmp_path / "out", "-d", tree, "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert {(one["stem"], one["code"]) for one in document["skipped"]} == {
        (stem, "image-unsupported"),
        (other, "unreadable"),
    }
    assert (document["written"], (tmp_path / "out").exists(), hidden(tmp_path)) == (
        False,
        False,
        [".out.segprep-export"],
    ), "a re-run resumes"
    assert "what is finished is kept" in result.stderr
    result = command("voc", tmp_path / "out", "-d", tree, "--on-error", "skip")
    assert result.exit_code == 3
    lists = Tree(tmp_path / "out/VOCdevkit/VOC2007").lists()
    assert lists["train"] == tuple(
        one for one in Tree(tree).lists()["train"] if one not in (stem, other)
    )


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("link", ["copy", "sym"])
def test_an_image_that_was_damaged_since_is_not_exported(
    tree: Path, tmp_path: Path, link: str, recorded: bool
) -> None:
    image, other = sorted((tree / "JPEGImages").iterdir())[:2]
    with Image.open(image) as picture:
        size = picture.size
    Image.effect_noise(size, 90).convert("RGB").save(other)  # another picture, and whole
    data = other.read_bytes()
    image.write_bytes(data[: len(data) - 200])  # its header is
    if not recorded:
        for name in ("segprep.json", "records.jsonl"):
            (tree / name).unlink()
    line = ("keras", tmp_path / "out", "-d", tree, "--link", link)
    result = command(*line)
    assert (result.exit_code, "image-damaged" in result.stderr) == (1, True)
    assert not (tmp_path / "out").exists()
    result = command(*line, "--on-error", "skip")
    assert (result.exit_code, image.name in result.stderr) == (3, True)
    assert len(list((tmp_path / "out").rglob(f"*frames/*/{image.stem}.*"))) == 0
    assert len(list((tmp_path / "out").rglob(f"*frames/*/{other.stem}.*"))) == 1


def test_when_every_sample_is_bad_skipping_does_not_help(tree: Path, tmp_path: Path) -> None:
    for stem in Tree(tree).stems():
        Tree(tree).mask_path(stem).write_bytes(b"no mask")
    with pytest.raises(BadInputError):
        segprep.export("voc", tree, tmp_path / "out", on_error="skip")


def test_mask_and_image_of_other_sizes(tmp_path: Path) -> None:
    (tmp_path / "tree/JPEGImages").mkdir(parents=True)
    (tmp_path / "tree/SegmentationClass").mkdir()
    Image.new("RGB", (5, 4)).save(tmp_path / "tree/JPEGImages/a.jpg")
    (tmp_path / "tree/SegmentationClass/a.png").write_bytes(encode_mask(np.zeros((9, 9), np.uint8)))
    result = command("voc", tmp_path / "out", "-d", tmp_path / "tree")
    assert (result.exit_code, "[size-mismatch]" in result.stderr) == (1, True)


def test_a_stem_of_a_manifest_cannot_lead_out(tree: Path, tmp_path: Path) -> None:
    lines = (tree / "records.jsonl").read_text().splitlines()
    record = json.loads(lines[0])
    outside = {**record, "stem": "../../evil"}
    elsewhere = {**record, "image": "../secret.jpg"}
    (tmp_path / "secret.jpg").write_bytes((tree / record["image"]).read_bytes())
    for changed, code in ((outside, "bad-manifest"), (elsewhere, "bad-manifest")):
        (tree / "records.jsonl").write_text("\n".join([json.dumps(changed), *lines[1:]]) + "\n")
        result = command("voc", tmp_path / "out", "-d", tree)
        assert (result.exit_code, f"[{code}]" in result.stderr) == (1, True), result.stderr
    with pytest.raises(SegprepError):
        Outbox(tmp_path / "out").put(Product("../evil", b"x"), ())


def test_what_a_killed_run_left_is_put_right(tree: Path, tmp_path: Path) -> None:
    segprep.export("voc", tree, tmp_path / "out")
    whole = content(tmp_path / "out")
    box = Outbox(tmp_path / "out")
    (box.hidden / "new/VOCdevkit").mkdir(parents=True)
    (box.hidden / "new/VOCdevkit/half.jpg").write_bytes(b"half")
    segprep.export("voc", tree, tmp_path / "out", overwrite=True)
    assert (content(tmp_path / "out"), hidden(tmp_path)) == (whole, [])
    box.hidden.mkdir()
    os.replace(
        tmp_path / "out", box.hidden / "old"
    )  # killed between the two renames of --overwrite
    result = command("keras", tmp_path / "out", "-d", tree)
    assert (result.exit_code, "[output-occupied]" in result.stderr) == (1, True)
    assert (content(tmp_path / "out"), hidden(tmp_path)) == (whole, [])


KILLED = """
import os, signal, sys
from segprep_cli.main import main

hidden, most = sys.argv.pop(1), int(sys.argv.pop(1))

def hook(event, args):
    if event in ("open", "os.link", "os.rename"):
        if sum(len(names) for _, _, names in os.walk(hidden)) > most:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kills a process")
def test_killed_at_any_moment_there_is_all_or_nothing(tmp_path: Path) -> None:
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "tree" / folder).mkdir(parents=True)
    Image.effect_noise((300, 300), 90).save(tmp_path / "tree/JPEGImages/s0.png")
    data = (tmp_path / "tree/JPEGImages/s0.png").read_bytes()
    for n in range(60):
        (tmp_path / f"tree/JPEGImages/s{n}.png").write_bytes(data)
        (tmp_path / f"tree/SegmentationClass/s{n}.png").write_bytes(
            encode_mask(np.full((300, 300), n, np.uint8))
        )
    box = Outbox(tmp_path / "out")
    options = ("export", "voc", tmp_path / "out", "-d", tmp_path / "tree", "-q", "-j", "1")
    for moment in (1, 20, 60, 122):
        done = subprocess.run([sys.executable, "-c", KILLED, box.hidden, str(moment), *options])
        assert done.returncode == -signal.SIGKILL
        assert not (tmp_path / "out").exists()
    segprep.export("voc", tmp_path / "tree", tmp_path / "clean")
    segprep.export("voc", tmp_path / "tree", tmp_path / "out")
    assert len(content(tmp_path / "out")) == 122
    assert (content(tmp_path / "out"), hidden(tmp_path)) == (content(tmp_path / "clean"), [])


def test_one_export_at_a_time(tree: Path, tmp_path: Path) -> None:
    box = Outbox(tmp_path / "out")
    box.hidden.mkdir()
    with filelock.FileLock(box.hidden / ".segprep.lock"), pytest.raises(LockedError):
        segprep.export("voc", tree, tmp_path / "out")


def test_a_link_in_place_of_the_hidden_folder_is_refused(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    Outbox(tmp_path / "out").hidden.symlink_to(tmp_path / "mine")
    with pytest.raises(TreeError) as caught:
        segprep.export("voc", tree, tmp_path / "out")
    assert caught.value.code == "link-in-output"


@pytest.mark.skipif(
    os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may write anywhere"
)
def test_a_folder_that_cannot_be_written(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    result = command("voc", tmp_path / "locked/out", "-d", tree)
    assert (result.exit_code, "[write-failed]" in result.stderr) == (1, True)


@pytest.mark.parametrize("given", [{"year": "2007"}, {"year": "2012", "jobs": 2}])
def test_the_real_voc_export_of_labelme(real: Path, tmp_path: Path, given: dict[str, Any]) -> None:
    folder = real / "labelme/semantic_segmentation/data_dataset_voc"
    done = segprep.export("voc", folder, tmp_path / "out", **given)
    place = Tree(tmp_path / f"out/VOCdevkit/VOC{given['year']}")
    assert done.samples == len(place.stems()) == 3
    for stem in place.stems():
        assert (read_mask(place.mask_path(stem)) == read_mask(Tree(folder).mask_path(stem))).all()
        assert place.image_path(stem).read_bytes() == Tree(folder).image_path(stem).read_bytes()  # type: ignore[union-attr]


@pytest.mark.parametrize(("highest", "bits"), [(4000, 12), (200, 8), (65_535, 16)])
def test_16_bit_grays_keep_the_bits_that_the_dataset_uses(
    tmp_path: Path, highest: int, bits: int
) -> None:
    """One factor for the whole set: the brightest image decides."""
    for name in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "tree" / name).mkdir(parents=True)
    for n, top in enumerate((highest, highest // 2)):
        values = np.linspace(0, top, 120).reshape(10, 12).astype(np.uint16)
        Image.fromarray(values).save(tmp_path / f"tree/JPEGImages/{n}.png")
        mask = Image.fromarray(np.eye(10, 12, dtype=np.uint8))
        mask.save(tmp_path / f"tree/SegmentationClass/{n}.png")
    result = command("voc", tmp_path / "voc", "-d", tmp_path / "tree", "-v")
    assert result.exit_code == 0, result.stderr
    assert (f"the highest 8 of the {bits} bits in use" in result.stderr) == (bits < 16)
    for n, top in enumerate((highest, highest // 2)):
        (path,) = (tmp_path / "voc").rglob(f"{n}.jpg")
        assert abs(int(np.asarray(Image.open(path)).max()) - (top >> (bits - 8))) <= 3
