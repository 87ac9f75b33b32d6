"""Lists as people write them: which sample a line means, and which files are lists at all."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import TreeError


def tree(root: Path, names: dict[str, str]) -> Path:
    """A VOC tree with an image and a mask of every *name* -> extension."""
    for name, suffix in names.items():
        for path, mode in (
            (root / f"JPEGImages/{name}{suffix}", "RGB"),
            (root / f"SegmentationClass/{name}.png", "L"),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.array([[0, 1]], np.uint8)).convert(mode).save(path)
    (root / "ImageSets/Segmentation").mkdir(parents=True)
    return root


def lists_of(root: Path, out: Path, **options: str) -> dict[str, list[str]]:
    segprep.convert("voc", root, out, classes="2", **options)
    return {
        path.stem: path.read_text("utf-8").split()
        for path in (out / "ImageSets/Segmentation").glob("*.txt")
    }


@pytest.mark.parametrize(
    "text",
    [
        b"a\r\nb.v2\r\n",
        b"a.jpg\nb.v2.jpg\n",
        b"\xef\xbb\xbfa\nb.v2",
        "a\r\nb.v2\r\n".encode("utf-16"),
        b"a 1\nb.v2 -1\n",
        b"a,b\nb.v2,c",
        b"A.JPG\nB.v2.JPG",
        (
            b"/home/me/VOC2007/JPEGImages/a.jpg"
            b" /home/me/VOC2007/SegmentationClass/a.png\nJPEGImages/b.v2.jpg"
        ),
        b"..\\JPEGImages\\a.jpg\r\n.\\b.v2.png\r\n",
        b"C:\\my data\\JPEGImages\\a.jpg\nJPEGImages/b.v2.jpg\tSegmentationClass/b.v2.png\n",
        b"a\na\nb.v2\n\n",
    ],
)
def test_what_a_line_means(tmp_path: Path, text: bytes) -> None:
    root = tree(tmp_path / "in", {"a": ".jpg", "b.v2": ".jpg", "c": ".jpg"})
    (root / "ImageSets/Segmentation/train.txt").write_bytes(text)
    assert lists_of(root, tmp_path / "out") == {"train": ["a", "b.v2"]}


def test_names_in_the_encoding_of_a_chinese_windows(tmp_path: Path) -> None:
    """In GBK 图 is by chance valid UTF-8, of another letter."""
    root = tree(tmp_path / "in", {"猫1": ".jpg", "狗2": ".jpg", "图3": ".jpg"})
    (root / "ImageSets/Segmentation/val.txt").write_bytes("猫1\r\n狗2\r\n".encode("gbk"))
    (root / "ImageSets/Segmentation/test.txt").write_bytes("图3\r\n".encode("gbk"))
    assert lists_of(root, tmp_path / "out") == {"val": ["狗2", "猫1"], "test": ["图3"]}


def test_an_empty_list_is_no_fault_and_strays_are_no_lists(tmp_path: Path) -> None:
    """unet-pytorch's voc_annotation.py leaves test.txt empty by default; macOS leaves ._ files."""
    root = tree(tmp_path / "in", {"a": ".jpg", "b": ".jpg"})
    for name, content in {
        "train.txt": b"a\n",
        "val.txt": b"b\n",
        "test.txt": b"",
        "._train.txt": b"\0\5\x16\7\xff",
        "readme.txt": b"hello",
    }.items():
        (root / "ImageSets/Segmentation" / name).write_bytes(content)
    assert lists_of(root, tmp_path / "out") == {"train": ["a"], "val": ["b"], "test": []}


def test_folders_tell_samples_of_one_name_apart(tmp_path: Path) -> None:
    root = tree(tmp_path / "in", {"one/1": ".jpg", "two/1": ".jpg", "two/2": ".jpg"})
    (root / "ImageSets/Segmentation/train.txt").write_text("one/1\ntwo/2\n")
    (root / "ImageSets/Segmentation/val.txt").write_text("two/1\n")
    assert lists_of(root, tmp_path / "out", stem="path") == {
        "train": ["JPEGImages_one_1", "JPEGImages_two_2"],
        "val": ["JPEGImages_two_1"],
    }


def test_a_line_that_may_mean_two_samples_means_none(tmp_path: Path) -> None:
    root = tree(tmp_path / "in", {"one/1": ".jpg", "two/1": ".jpg", "two/2": ".jpg"})
    (root / "ImageSets/Segmentation/train.txt").write_text("1\n2\n")
    done = segprep.convert("voc", root, tmp_path / "out", classes="2", stem="path")
    assert any(note.code == "listed-missing" and "'1'" in note.message for note in done.notes)
    assert (tmp_path / "out/ImageSets/Segmentation/train.txt").read_text() == "JPEGImages_two_2\n"


def test_a_list_that_is_no_text(tmp_path: Path) -> None:
    root = tree(tmp_path / "in", {"a": ".jpg"})
    (root / "ImageSets/Segmentation/train.txt").write_bytes(b"\x89PNG\0\0\xff")
    with pytest.raises(TreeError, match=r"train\.txt") as caught:
        lists_of(root, tmp_path / "out")
    assert caught.value.code == "bad-list"
