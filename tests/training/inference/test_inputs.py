"""What is predicted: images, folders, lists, videos; and what cannot be."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import MissingExtraError, SegprepError, SourceError, TreeError, UsageError
from segprep.imaging import video
from segprep.imaging.video import Film, film, frames
from segprep.training.inference.inputs import gather


def draw(path: Path, size: tuple[int, int] = (8, 6)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "red").save(path)
    return path


def test_a_folder_is_read_with_the_folders_below_in_natural_order(tmp_path: Path) -> None:
    for name in ("b10.png", "b2.jpg", "sub/deep/a.tif", ".hidden.png"):
        draw(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "clip.mp4").write_bytes(b"x")
    found = gather(tmp_path)
    assert [one.stem for one in found.images] == ["b2", "b10", "sub/deep/a"]
    assert [note.code for note in found.notes] == ["no-image-file"]
    assert "clip.mp4" in found.notes[0].message
    assert found.images[0].pixels().shape == (6, 8, 3)


def test_images_whose_results_would_have_one_name_are_left_out(tmp_path: Path) -> None:
    for name in ("a.png", "A.jpg", "b.png"):
        draw(tmp_path / name)
    found = gather(tmp_path)
    assert [one.stem for one in found.images] == ["b"]
    assert sorted((Path(one.path).name, one.code) for one in found.skipped) == [
        ("A.jpg", "stem-collision"),
        ("a.png", "stem-collision"),
    ]


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    draw(tmp_path / "elsewhere/secret.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").symlink_to(tmp_path / "elsewhere/secret.png")
    with pytest.raises(SourceError) as caught:
        gather(tmp_path / "in").images[0].pixels()
    assert caught.value.code == "link-outside-root"


def test_a_datasets_list_and_its_images(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        draw(tmp_path / f"JPEGImages/{name}.png")
    (tmp_path / "SegmentationClass").mkdir()
    (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets/Segmentation/val.txt").write_text("c\nlost\n../../secret\n/etc/passwd\n")
    (tmp_path / "ImageSets/Segmentation/none.txt").write_text("")
    assert [one.stem for one in gather(tmp_path).images] == ["a", "b", "c"]
    found = gather(tmp_path, "val")
    assert [one.stem for one in found.images] == ["c"]
    assert [one.code for one in found.skipped] == [
        "image-missing",
        "path-outside-root",
        "path-outside-root",
    ]
    with pytest.raises(UsageError, match="no list 'test'"):
        gather(tmp_path, "test")
    with pytest.raises(SegprepError, match="is empty"):
        gather(tmp_path, "none")


def test_nothing_to_predict_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        gather(tmp_path / "absent")
    (tmp_path / "readme.md").write_text("x")
    with pytest.raises(SegprepError) as caught:
        gather(tmp_path)
    assert caught.value.code == "no-images"
    with pytest.raises(UsageError, match="is not a dataset"):
        gather(tmp_path / "readme.md", "val")


def test_a_sidewise_photograph_is_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (20, 10), "black")
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    assert gather(tmp_path / "a.jpg").images[0].pixels().shape == (20, 10, 3)


def test_the_frames_of_a_video(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2", reason="videos need OpenCV: the extra video")
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (48, 32))
    for n in range(4):
        writer.write(np.full((32, 48, 3), (0, 0, 60 * n), np.uint8))  # red, as OpenCV has it
    writer.release()
    assert gather(tmp_path / "a.avi").video == tmp_path / "a.avi"
    assert film(tmp_path / "a.avi") == Film(4, 10.0, 32, 48)
    seen = list(frames(tmp_path / "a.avi"))
    assert [one.shape for one in seen] == [(32, 48, 3)] * 4
    assert seen[3][16, 24] == pytest.approx((180, 0, 0), abs=8)


@pytest.mark.parametrize(("content", "code"), [(b"", "empty-file"), (b"junk" * 500, "bad-video")])
def test_a_video_that_cannot_be_read(tmp_path: Path, content: bytes, code: str) -> None:
    pytest.importorskip("cv2", reason="videos need OpenCV: the extra video")
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(SourceError) as caught:
        film(tmp_path / "a.mp4")
    assert caught.value.code == code
    with pytest.raises(SourceError):
        list(frames(tmp_path / "a.mp4"))


def test_without_opencv_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "cv2", None)
    video.opencv.cache_clear()
    with pytest.raises(MissingExtraError, match="videos needs OpenCV") as caught:
        gather(tmp_path / "a.mp4")
    assert ".[video]" in caught.value.hint


def test_a_dataset_that_is_unfinished_or_lacks_an_image(source: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "out")
    image = next((tmp_path / "out" / "JPEGImages").iterdir())
    image.unlink()
    gathered = gather(tmp_path / "out")
    assert [(one.stem, one.code) for one in gathered.skipped] == [(image.stem, "image-missing")]
    staging = tmp_path / "out" / ".segprep-incomplete"
    staging.mkdir()
    for name in ("identity.json", "publishing"):
        (staging / name).write_bytes(b"{}")
    with pytest.raises(TreeError, match="half published"):
        gather(tmp_path / "out")
