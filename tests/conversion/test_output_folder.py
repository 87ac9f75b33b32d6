"""What lies at OUT already: files of others, other trees, outputs that were changed."""

from pathlib import Path

import pytest
from conversion.interrupted import cli, content, converted, sample, samples


def test_an_empty_folder_and_foreign_files_are_fine(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    out.mkdir()
    for name in ("notes.txt", "Annotations/a.xml"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("mine")
    converted(source, out)
    assert (out / "notes.txt").read_text() == (out / "Annotations" / "a.xml").read_text() == "mine"
    assert {
        name for name in content(out) if "mine" not in content(out)[name].decode("latin-1")
    } == set(content(converted(source, tmp_path / "clean")))


@pytest.mark.parametrize(
    "name",
    [
        "JPEGImages/s001.png",
        "JPEGImages/s001.jpg",
        "class_names.txt",
        "ImageSets/Segmentation/train.txt",
    ],
)
def test_files_of_others_are_not_overwritten_unasked(tmp_path: Path, name: str) -> None:
    """A folder with images or a class list that segprep did not write, and no masks yet."""
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    (out / name).parent.mkdir(parents=True)
    (out / name).write_text("mine\n")
    cli("json2mask", source, out, "-j", "1")
    assert (out / name).read_text() == "mine\n"


def test_a_foreign_tree_needs_overwrite(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    for name in ("JPEGImages/x.jpg", "SegmentationClass/x.png", "ImageSets/Segmentation/train.txt"):
        (out / name).parent.mkdir(parents=True)
        (out / name).write_text("x\n")
    before = content(out)
    result = cli("json2mask", source, out, "-j", "1")
    assert result.exit_code == 1
    assert "[tree-exists]" in result.stderr
    assert "--overwrite" in result.stderr
    assert content(out) == before
    converted(source, out, "--overwrite")
    assert content(out) == content(converted(source, tmp_path / "clean"))


@pytest.mark.parametrize(
    "more",
    [
        ("--mask-mode", "gray"),
        ("--objects",),
        ("--classes", "dog,cat"),
        ("--image-format", "jpg"),
        ("other source",),
    ],
)
def test_other_source_or_options_need_overwrite(tmp_path: Path, more: tuple[str, ...]) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    before = content(converted(source, out))
    if more == ("other source",):
        source, more = samples(tmp_path / "src2", 2), ()
    result = cli("json2mask", source, out, "-j", "1", *more)
    assert result.exit_code == 1
    assert "[tree-exists]" in result.stderr
    assert content(out) == before
    converted(source, out, "--overwrite", *more)
    assert content(out) == content(converted(source, tmp_path / "clean", *more))


def test_unfinished_work_of_another_command_needs_overwrite(tmp_path: Path) -> None:
    source, other, out = (
        samples(tmp_path / "src", 3),
        samples(tmp_path / "other", 2),
        tmp_path / "out",
    )
    (source / "bad.json").write_text("{")
    assert cli("json2mask", source, out, "-j", "1").exit_code == 1
    result = cli("json2mask", other, out, "-j", "1")
    assert result.exit_code == 1
    assert "[unfinished-run]" in result.stderr
    converted(other, out, "--overwrite")
    assert content(out) == content(converted(other, tmp_path / "clean"))


@pytest.mark.parametrize("name", ["SegmentationClass/s001.png", "JPEGImages/s001.png"])
def test_an_output_changed_by_hand_is_not_touched(tmp_path: Path, name: str) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    converted(source, out)
    (out / name).write_bytes(b"mine")
    sample(source, "new")
    result = cli("json2mask", source, out, "-j", "1")
    assert result.exit_code == 1
    assert "[output-changed]" in result.stderr
    assert (out / name).read_bytes() == b"mine"
    converted(source, out, "--overwrite")
    assert content(out) == content(converted(source, tmp_path / "clean"))


def test_an_output_changed_by_hand_whose_source_changed_too(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    converted(source, out)
    (out / "SegmentationClass" / "s001.png").write_bytes(b"mine")
    sample(source, "s001", 50)
    result = cli("json2mask", source, out, "-j", "1")
    assert (result.exit_code, "[output-changed]" in result.stderr) == (1, True)
    assert (out / "SegmentationClass" / "s001.png").read_bytes() == b"mine"


def test_an_output_that_is_missing_is_made_again(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    before = content(converted(source, out))
    (out / "SegmentationClass" / "s001.png").unlink()
    converted(source, out)
    assert content(out) == before


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"schema": 99}', b'{"schema": 1}'])
def test_a_damaged_manifest(tmp_path: Path, damage: bytes) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    before = content(converted(source, out))
    (out / "segprep.json").write_bytes(damage)
    result = cli("json2mask", source, out, "-j", "1")
    assert result.exit_code == 1
    assert "[bad-manifest]" in result.stderr
    converted(source, out, "--overwrite")
    assert content(out) == before


@pytest.mark.parametrize(
    "command",
    [("convert", "auto"), ("convert", "voc"), ("check",), ("stats",), ("view",), ("split",)],
)
def test_an_unfinished_conversion_is_neither_source_nor_dataset(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    """What is staged in OUT after a refusal looks like a VOC tree in a hidden folder."""
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    (source / "bad.json").write_text('{"shapes": [')
    assert cli("json2mask", source, out, "-j", "1").exit_code == 1
    assert (out / ".segprep-incomplete" / "SegmentationClass").is_dir()
    result = cli(*command, out, *[tmp_path / "again"] * (command[0] == "convert"))
    assert result.exit_code in (1, 2)
    assert "not finished" in result.stderr
    assert not (tmp_path / "again").exists()
