import json
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner
from PIL import Image

import segprep
from segprep import sources
from segprep.errors import BadInputError, SourceError, UsageError

REAL = {
    "labelme/tutorial": "labelme",
    "labelme/semantic_segmentation/data_annotated": "labelme",
    "walknav": "labelme",
    "dsb2018": "dsb2018",
    "dsb2018/stage1_train": "dsb2018",
    "medical": "binary",
    "oxford_pets": "pet",
    "predictions": "voc",
    "formats/coco_instances_labelformat": "coco",
    "formats/panoptic_coco": "coco",
    "formats/voc_labelformat": "voc",
    "formats/datumaro/camvid_dataset": "colormap",
    "formats/datumaro/cityscapes_dataset_dataset": "cityscapes",
    "formats/mmseg_pseudo/pseudo_dataset": "pairs",
    "formats/datumaro/voc_dataset_voc_dataset1": "voc",
}


@pytest.mark.parametrize("name", sources.names())
def test_every_format_recognizes_its_own_example(
    name: str, tmp_path: Path, sibling: Callable[[str], ModuleType]
) -> None:
    """isbi looks like any numbered pairs, so it may come second."""
    reader = sibling(name).example(tmp_path)
    ranked = [guess for guess, _ in sources.guesses(reader.root)]
    assert name in (ranked[:2] if name == "isbi" else ranked[:1])


@pytest.mark.parametrize("folder", REAL)
def test_samples_of_other_projects(real: Path, folder: str) -> None:
    assert sources.recognize(real / folder)[0] == REAL[folder]


def test_two_likely_formats_are_both_named(real: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"labelme .*voc|voc .*labelme") as caught:
        segprep.convert("auto", real / "labelme/semantic_segmentation", tmp_path / "out")
    assert caught.value.code == "format-unclear"
    assert not (tmp_path / "out").exists()


def test_a_link_to_itself_is_in_nobodys_way(
    tmp_path: Path, sibling: Callable[[str], ModuleType]
) -> None:
    reader = sibling("pairs").example(tmp_path)
    (reader.root / "a.json").symlink_to("a.json")
    assert sources.recognize(reader.root)[0] == "pairs"


def test_nothing_that_is_known(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UsageError, match="any known format") as caught:
        sources.recognize(tmp_path)
    assert "labelme" in caught.value.hint


def test_the_command_says_the_sign_and_passes_options_on(
    tmp_path: Path, sibling: Callable[[str], ModuleType]
) -> None:
    from segprep_cli.main import group

    sibling("binary").lay_out(tmp_path / "in", {"a": sibling("binary").HALF})
    result = CliRunner().invoke(
        group,
        [
            "convert",
            "auto",
            str(tmp_path / "in"),
            str(tmp_path / "out"),
            "--foreground",
            "light",
            "--json",
        ],
    )
    assert result.exit_code == 0, result.output
    assert "detected as binary" in result.stderr
    assert json.loads(result.stdout)["converted"] == 1
    assert (
        CliRunner()
        .invoke(group, ["convert", "auto", str(tmp_path / "in"), str(tmp_path / "other")])
        .exit_code
        == 2
    )


@pytest.mark.parametrize("name", ["pairs", "binary"])
@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n damaged"])
def test_one_damaged_mask_does_not_hide_the_format(
    tmp_path: Path, sibling: Callable[[str], ModuleType], name: str, content: bytes
) -> None:
    root = sibling(name).example(tmp_path).root
    next(
        path
        for path in sorted(root.rglob("*.png"))
        if path.parent.name.lower() in ("masks", "labels")
    ).write_bytes(content)
    assert sources.recognize(root)[0] == name


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may list everything")
def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    (tmp_path / "in/locked").mkdir(parents=True)
    (tmp_path / "in/locked").chmod(0)
    with pytest.raises(SourceError, match="locked"):
        sources.recognize(tmp_path / "in")


def test_labels_that_cannot_be_read_are_no_question_of_polarity(
    tmp_path: Path, sibling: Callable[[str], ModuleType]
) -> None:
    root = sibling("isbi").example(tmp_path / "a").root
    for path in root.rglob("*labels.tif"):
        path.write_bytes(b"II*\0")
    with pytest.raises(BadInputError) as caught:
        segprep.convert("isbi", root, tmp_path / "out")
    assert {one.code for one in caught.value.skipped} == {"image-unsupported"}  # type: ignore[attr-defined]
    root = sibling("binary").example(tmp_path / "b").root
    for path in (root / "Labels").iterdir():
        path.write_bytes(b"")
    with pytest.raises(UsageError, match="0 bytes"):
        segprep.convert("binary", root, tmp_path / "out")


def test_broken_masks_beside_whole_photographs_are_the_reason(tmp_path: Path) -> None:
    """A public set: git's line-ending conversion took one byte out of every mask."""
    for number in range(4):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.jpg")
        Image.new("L", (8, 8), 1).save(tmp_path / f"{number}_mask.png")
        mask = tmp_path / f"{number}_mask.png"
        mask.write_bytes(mask.read_bytes().replace(b"\r\n", b"\n"))
    with pytest.raises(UsageError, match=r"4 of 4 \.png files .*line-ending conversion") as caught:
        sources.recognize(tmp_path)
    assert "binary mode" in caught.value.hint


def test_files_of_a_known_tool_name_its_command(tmp_path: Path) -> None:
    (tmp_path / "project.json").write_text(json.dumps({"_via_img_metadata": {}}))
    with pytest.raises(UsageError, match="VGG Image Annotator") as caught:
        sources.recognize(tmp_path)
    assert "segprep convert via" in caught.value.hint


COLORS: dict[str, int | tuple[int, ...]] = {"colormap": (255, 0, 9), "pairs": 3, "binary": 255}
ANNOTATED = {"labelme": "colormap", "cvat": "pairs", "coco": "binary", "labelme-xml": "binary"}


@pytest.mark.parametrize("name", ANNOTATED)
def test_masks_beside_annotations_are_named(
    tmp_path: Path, sibling: Callable[[str], ModuleType], name: str
) -> None:
    """Which of the two is the truth, only the user knows; the annotations win, and it is said."""
    root = sibling(name).example(tmp_path).root
    assert "finished masks" not in sources.recognize(root)[1]
    for number in range(2):
        for folder in ("images", "masks"):
            (root / folder).mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(root / f"images/more{number}.jpg")
        mask = Image.new("RGB" if ANNOTATED[name] == "colormap" else "L", (8, 8))
        mask.paste(COLORS[ANNOTATED[name]], (2, 2, 5, 5))
        mask.save(root / f"masks/more{number}.png")
    format, reason = sources.recognize(root)
    assert format == name
    assert "finished masks are beside them" in reason
    assert "masks/" in reason
    assert f"segprep convert {ANNOTATED[name]} takes those instead" in reason


def test_the_detected_format_is_a_note_of_the_library(
    tmp_path: Path, sibling: Callable[[str], ModuleType]
) -> None:
    root = sibling("pairs").example(tmp_path / "in").root
    done = segprep.convert("auto", root, tmp_path / "out", classes="3")
    (note,) = [note for note in done.notes if note.code == "format-detected"]
    assert note.message.startswith("detected as pairs: ")
