"""What `convert auto` says of folders that it cannot convert: the true reason, and a way out."""

import json
import re
import zipfile
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep import sources

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


def said(*arguments: object) -> Result:
    return CliRunner().invoke(group, ["convert", *map(str, arguments)])


def picture(path: Path, value: int = 0) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 6), value, np.uint8)).save(path)
    return path.read_bytes()


BROKEN = {
    "lfs": (lambda data: LFS, "Git LFS pointer", "git lfs pull"),
    "web": (lambda data: b"<!DOCTYPE html><p>404", "a web page", "download"),
    "lines": (lambda data: data.replace(b"\r\n", b"\n"), "line-ending conversion", "binary"),
    "torn": (lambda data: data[:8] + bytes(40), "damaged", "restore"),
    "empty": (lambda data: b"", "0 bytes", "restore"),
    "text": (lambda data: data.decode("utf-8", "replace").encode(), "saved as text", "binary"),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("format", ["auto", "pairs"])
def test_broken_files_are_told_by_their_cause(tmp_path: Path, case: str, format: str) -> None:
    spoil, reason, hint = BROKEN[case]
    for name in ("images/a.png", "masks/a.png", "images/b.png", "masks/b.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(spoil(picture(tmp_path / "whole.png")))
    result = said(format, tmp_path / "in", tmp_path / "out")
    assert result.exit_code in (1, 2)
    assert reason in result.output
    assert hint in result.output
    assert "none" not in result.output.split("pairs")[-1]


def test_pointers_are_fetched_not_read_as_another_format(tmp_path: Path) -> None:
    """Numbered images and labels would do for isbi, were they images."""
    for name in ("images/1.png", "masks/1.png", "images/2.png", "masks/2.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(LFS)
    assert "isbi" in dict(sources.guesses(tmp_path / "in"))
    result = said("auto", tmp_path / "in", tmp_path / "out")
    assert "Git LFS pointer" in result.output
    assert "isbi" not in result.output


OTHERS = {
    "isat.json": (json.dumps({"info": {"description": "ISAT"}, "objects": []}), "ISAT"),
    "ann.json": (json.dumps({"size": {}, "objects": [{"classTitle": "cat"}]}), "Supervisely"),
    "box.xml": ("<annotation><object><bndbox>1</bndbox></object></annotation>", "boxes"),
    "pose.txt": ("0 .5 .5 .2 .2 .1 .2 2 .3 .4 1\n", "YOLO pose"),
    "b.txt": ("0 0.5 0.5 0.2 0.2\n", "YOLO box"),
    "conf.txt": ("0 .1 .1 .5 .1 .6 .6 .2 .7 .93\n", "confidence"),
    "sa.json": (
        json.dumps({"image": {"file_name": "b.jpg"}, "annotations": [{"segmentation": {}}]}),
        "SA-1B",
    ),
    "create.json": (json.dumps([{"image": "a.jpg", "annotations": []}]), "CreateML"),
    "hasty.json": (json.dumps({"label_classes": [], "images": [{"labels": []}]}), "Hasty"),
    "b.json": (json.dumps({"asset": {"name": "a.jpg"}, "regions": [], "version": "2"}), "VoTT"),
    "vott.json": (json.dumps({"tags": [], "videoSettings": {}, "assets": {}}), "VoTT"),
    "encord.json": (json.dumps([{"label_hash": "h", "data_units": {}}]), "Encord"),
    "kili.json": (json.dumps([{"externalId": "a", "content": "", "labels": []}]), "Kili"),
    "loop.json": (
        json.dumps({"filename": "/a.jpg", "datasetId": "d", "annotations": []}),
        "Dataloop",
    ),
    "release.json": (
        json.dumps(
            {
                "description": "",
                "created_at": "2021",
                "dataset": {
                    "categories": [{"id": 1}],
                    "samples": [{"label_status": "", "annotations": [{"category_id": 1}]}],
                },
            }
        ),
        "Segments.ai",
    ),
    "vistas.json": (
        json.dumps({"width": 4, "height": 4, "objects": [{"label": "a", "polygon": []}]}),
        "Mapillary",
    ),
    "azure.jsonl": ('{"image_url": "AmlDatastore://a.jpg", "label": []}\n', "Azure"),
    "set.ndjson": ('{"type": "dataset", "task": "segment", "class_names": {}}\n', "Ultralytics"),
    "asap.xml": ("<?xml version='1.0'?><ASAP_Annotations></ASAP_Annotations>", "ASAP"),
    "scope.xml": ('<Annotations MicronsPerPixel="0.5"></Annotations>', "Aperio"),
    "open.json": (json.dumps({"openlabel": {"objects": {}}}), "OpenLABEL"),
    "own.json": (json.dumps({"tags": [], "annots": [{}]}), "own.json with tags, annots"),
    "own.csv": ("file;outline\na.jpg;1\n", "own.csv with file, outline"),
    "masks.csv": ("MaskPath,ImageID,LabelName\nx.png,a,/m/01\n", "Open Images"),
    "boxes.csv": ("filename,xmin,ymin,xmax,ymax,class\na.jpg,1,1,2,2,cat\n", "boxes"),
    "out.manifest": ('{"source-ref": "s3://b/a.jpg"}\n', "SageMaker"),
    "cell.roi": ("Iout", "ImageJ"),
    "masks.pt": ("PK", "PyTorch"),
    "a.mat": ("MATLAB 5.0", "MATLAB"),
    "a.nii.gz": ("x", "1 NIfTI volumes"),
    "data.zip": ("PK", "zip"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_layouts_of_other_tools_are_named(tmp_path: Path, name: str) -> None:
    text, tool = OTHERS[name]
    picture(tmp_path / "in/a.jpg")
    (tmp_path / "in" / name).write_text(text)
    result = said("auto", tmp_path / "in", tmp_path / "out")
    assert result.exit_code == (1 if name == "isat.json" else 2)  # that one is read, and faulty
    assert tool.lower() in result.output.lower()
    assert "->" in result.output


@pytest.mark.parametrize(
    "name",
    ["label-studio", "eiseg", "scalabel", "isat", "via", "supervisely", "darwin", "superannotate",
     "cvat", "labelme-xml"],
)  # fmt: skip
def test_json2mask_names_the_format_that_reads_it(tmp_path: Path, name: str) -> None:
    module = import_module(f"sources.test_{name.replace('-', '_')}")
    module.example(tmp_path / "in")
    result = said("labelme", tmp_path / "in", tmp_path / "out")
    assert result.exit_code in (1, 2)
    assert f"segprep convert {name} SRC OUT" in result.output


def test_every_hint_names_a_format_that_exists(tmp_path: Path) -> None:
    folder = Path(sources.__file__).parent / "_common" / "refusals"
    for room in ("unread.py", "foreign_files.py", "other_tools.py"):
        text = (folder / room).read_text(encoding="utf-8")
        names = {*re.findall(r"segprep convert ([a-z-]+)", text)}
        names |= {*re.findall(r'\b_?(?:named|read)\("([a-z0-9-]+)"\)', text)}
        assert len(names) > 2
        assert names <= {*sources.names()}


def test_exports_that_cannot_be_read(tmp_path: Path) -> None:
    picture(tmp_path / "in/a.jpg")
    (tmp_path / "in/export.json").write_text('[{"data": {"image"')
    result = said("auto", tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 2
    assert "no .json file of 1 that were tried can be read: export.json" in result.output
    assert "--pair" not in result.output


def test_rival_mask_folders_are_named(tmp_path: Path) -> None:
    for name in ("images/a.png", "manual1/a.png", "mask/a_mask.png"):
        picture(tmp_path / "in" / name, 255)
    result = said("auto", tmp_path / "in", tmp_path / "out", "--foreground", "light")
    assert result.exit_code == 2
    assert "manual1, mask" in result.output
    assert not (tmp_path / "out").exists()
    chosen = ("--images", "images", "--masks=manual1", "--foreground", "light")
    result = said("auto", tmp_path / "in", tmp_path / "out", *chosen)
    assert result.exit_code == 0
    assert "detected as binary: manual1: all 1 image files" in result.output
    again = segprep.convert(
        "auto", tmp_path / "in", tmp_path / "again", masks="manual1", foreground="light"
    )
    assert again.converted == 1


def test_names_that_occur_in_train_and_val(tmp_path: Path) -> None:
    for part in ("train", "val"):
        picture(tmp_path / f"in/images/{part}/0.png")
        picture(tmp_path / f"in/masks/{part}/0.png", 255)
    result = said("auto", tmp_path / "in", tmp_path / "out", "--foreground", "light")
    assert "stem-collision" in result.output
    assert "--stem path" in result.output
    options = ("--foreground", "light", "--stem", "path")
    assert said("auto", tmp_path / "in", tmp_path / "out", *options).exit_code == 0
    assert (tmp_path / "out/ImageSets/Segmentation/val.txt").read_text() == "images_val_0\n"


def test_a_file_as_the_source(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "my data.zip", "w") as archive:
        archive.writestr("a", "b")
    picture(tmp_path / "a.png")
    assert (
        "does not look like any known format" in said("auto", tmp_path / "my data.zip", "o").output
    )
    for format in ("auto", "pairs", "labelme"):
        assert (
            f"the folder that holds it: {tmp_path}" in said(format, tmp_path / "a.png", "o").output
        )


def test_why_a_sample_is_what_it_is(tmp_path: Path) -> None:
    picture(tmp_path / "in/images/a.png")
    picture(tmp_path / "in/masks/a_mask.png", 255)
    options = (tmp_path / "in", tmp_path / "out", "--explain")
    result = said("pairs", *options, "a")
    assert "a_mask.png: the names are the same but for a prefix or suffix" in result.output
    assert said("pairs", *options, "b").exit_code == 2
    assert not (tmp_path / "out").exists()


def test_notes_are_shown_in_runs_that_fail(tmp_path: Path) -> None:
    picture(tmp_path / "in/images/a.png")
    picture(tmp_path / "in/masks/a_mask.png", 3)
    result = said("pairs", tmp_path / "in", tmp_path / "out", "--classes", "2")
    assert result.exit_code == 1
    assert "note [paired-by]" in result.output


def test_masks_without_images(tmp_path: Path) -> None:
    picture(tmp_path / "in/SegmentationClass/a.png", 1)
    result = said("auto", tmp_path / "in", tmp_path / "out")
    assert "no JPEGImages" in result.output


@pytest.mark.parametrize(
    ("image", "mask", "pattern"),
    [
        ("{}_x.jpg", "{}_y.png", "{stem}_x.jpg={stem}_y.png"),
        ("a{}b.jpg", "a{}c.png", "a{stem}b.jpg=a{stem}c.png"),
        ("{}.jpg", "{}_anno.png", "{stem}.jpg={stem}_anno.png"),
    ],
)
def test_two_kinds_in_one_folder_are_stated(
    tmp_path: Path, image: str, mask: str, pattern: str
) -> None:
    for n in (10, 11, 12):
        picture(tmp_path / "in" / image.format(n), 9)
        picture(tmp_path / "in" / mask.format(n), 1)
    result = said("auto", tmp_path / "in", tmp_path / "out")
    assert (result.exit_code, f"--pair '{pattern}'" in result.output) == (2, True)
    options = ("--pair", pattern, "--classes", "2")
    assert said("pairs", tmp_path / "in", tmp_path / "out", *options).exit_code == 0


def test_folders_whose_names_do_not_tell(tmp_path: Path) -> None:
    for name in ("a/x.png", "b/x.png"):
        picture(tmp_path / "in" / name, 1)
    assert "there are a, b" in said("auto", tmp_path / "in", tmp_path / "out").output


def test_one_file_of_a_model_is_not_the_reason(tmp_path: Path) -> None:
    for number in range(8):
        picture(tmp_path / "in" / f"photo{number}.jpg")
    (tmp_path / "in/model.h5").write_bytes(b"x")
    result = said("auto", tmp_path / "in", tmp_path / "out")
    assert "HDF5" not in result.output
    assert "not clear which of them are masks" in result.output
