"""Folders for flow_from_directory, read the way Keras reads them: sorted names, paired by place,
masks as gray.
"""

import io
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, SegprepError
from segprep.imaging.image import encode_mask, read_mask


@pytest.fixture
def tree(source: Path, tmp_path: Path) -> Path:
    segprep.convert("labelme", source, tmp_path / "tree")
    segprep.split(tmp_path / "tree", seed=5)
    return tmp_path / "tree"


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def picture(kind: str = "JPEG", size: tuple[int, int] = (8, 4), **options: object) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, **options)
    return out.getvalue()


def foreign(root: Path, files: dict[str, bytes], mask: np.ndarray | None = None) -> Path:
    """A tree without a manifest whose samples are all in train."""
    stems = [name.rpartition(".")[0] for name in files]
    for name, stem in zip(files, stems, strict=True):
        put(root / "JPEGImages" / name, files[name])
        put(
            root / "SegmentationClass" / f"{stem}.png",
            encode_mask(np.ones((4, 8), np.uint8) if mask is None else mask),
        )
    put(root / "ImageSets/Segmentation/train.txt", "".join(f"{stem}\n" for stem in stems).encode())
    return root


def pairs_of(root: Path, name: str) -> list[tuple[Path, Path]]:
    """Frames and masks as two flow_from_directory generators with one seed pair them."""
    frames, masks = (
        sorted(path for path in (root / f"{name}_{kind}" / name).iterdir())
        for kind in ("frames", "masks")
    )
    return list(zip(frames, masks, strict=True))


def test_read_as_keras_reads(tree: Path, tmp_path: Path) -> None:
    segprep.export("keras", tree, tmp_path / "out")
    lists = Tree(tree).lists()
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == sorted(
        f"{n}_{k}" for n in ("train", "val", "test") for k in ("frames", "masks")
    )
    for name in ("train", "val", "test"):
        found = pairs_of(tmp_path / "out", name)
        assert sorted(frame.stem for frame, _ in found) == sorted(lists[name])
        for frame, mask in found:
            assert frame.stem == mask.stem
            assert frame.read_bytes() == Tree(tree).image_path(frame.stem).read_bytes()  # type: ignore[union-attr]
            with Image.open(mask) as gray:
                assert gray.mode == "L"
                assert (np.asarray(gray) == read_mask(Tree(tree).mask_path(mask.stem))).all()
    assert (tmp_path / "out/class_names.txt").read_text() == "_background_\ncat\ncow\ndog\n"


def test_links(tree: Path, tmp_path: Path) -> None:
    origin = {path.stem: path for path in (tree / "JPEGImages").iterdir()}
    segprep.export("keras", tree, tmp_path / "far/sym", link="sym")
    segprep.export("keras", tree, tmp_path / "hard", link="hard")
    for frame, mask in pairs_of(tmp_path / "far/sym", "train"):
        assert frame.is_symlink()
        assert not Path(frame.readlink()).is_absolute()
        assert frame.resolve() == origin[frame.stem].resolve()
        assert not mask.is_symlink()
    for frame, mask in pairs_of(tmp_path / "hard", "train"):
        assert frame.samefile(origin[frame.stem])
        assert not mask.samefile(Tree(tree).mask_path(mask.stem))
    segprep.export("keras", tree, tmp_path / "far/sym", link="copy", overwrite=True)
    assert all(path.is_file() and path.read_bytes() for path in origin.values()), (
        "replacing links must leave what they point to"
    )
    assert not any(frame.is_symlink() for frame, _ in pairs_of(tmp_path / "far/sym", "train"))


def test_masks_as_asked(source: Path, tree: Path, tmp_path: Path) -> None:
    segprep.export("keras", tree, tmp_path / "palette", masks="palette")
    with Image.open(pairs_of(tmp_path / "palette", "val")[0][1]) as mask:
        assert mask.mode == "P"
    with pytest.raises(BadInputError) as caught:
        segprep.export("keras", tree, tmp_path / "wrong", masks="link")
    assert {one.code for one in caught.value.skipped} == {"mask-is-colour"}  # type: ignore[attr-defined]
    segprep.convert("labelme", source, tmp_path / "gray", mask_mode="gray")
    segprep.split(tmp_path / "gray")
    segprep.export("keras", tmp_path / "gray", tmp_path / "linked", masks="link", link="hard")
    for _, mask in pairs_of(tmp_path / "linked", "train"):
        assert mask.samefile(Tree(tmp_path / "gray").mask_path(mask.stem))


def test_flat_and_png_give_the_very_same_names(tree: Path, tmp_path: Path) -> None:
    segprep.export("keras", tree, tmp_path / "out", flat=True, frames="png")
    names = {
        kind: sorted(path.name for path in (tmp_path / f"out/train_{kind}").iterdir())
        for kind in ("frames", "masks")
    }
    assert (
        names["frames"]
        == names["masks"]
        == sorted(f"{stem}.png" for stem in Tree(tree).lists()["train"])
    )
    stem = Tree(tree).lists()["train"][0]
    with (
        Image.open(tmp_path / f"out/train_frames/{stem}.png") as frame,
        Image.open(Tree(tree).image_path(stem)) as origin,
    ):
        assert frame.format == "PNG"
        assert (np.asarray(frame) == np.asarray(origin)).all()


def test_without_a_split_it_says_what_to_run(source: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "tree")
    result = CliRunner().invoke(
        group, ["export", "keras", str(tmp_path / "out"), "-d", str(tmp_path / "tree")]
    )
    assert result.exit_code == 1
    assert "[no-split]: no split" in result.stderr
    assert "segprep split" in result.stderr
    assert not (tmp_path / "out").exists()


def test_what_no_list_names_is_left_out_and_said(tmp_path: Path) -> None:
    root = foreign(tmp_path / "tree", {f"{n}.jpg": picture() for n in "abc"})
    put(root / "ImageSets/Segmentation/train.txt", b"a\nb\n")
    put(root / "ImageSets/Segmentation/val.txt", b"b\n")
    put(root / "ImageSets/Segmentation/test.txt", b"")
    done = segprep.export("keras", root, tmp_path / "out")
    assert (done.samples, sorted(note.code for note in done.notes)) == (
        2,
        ["empty-split", "lists-overlap", "unlisted"],
    )
    assert [len(pairs_of(tmp_path / "out", name)) for name in ("train", "val")] == [
        2,
        1,
    ], "b is in both lists, as they say"
    assert not (tmp_path / "out/test_frames").exists()


def test_names_that_sort_differently_with_another_extension_are_refused(tmp_path: Path) -> None:
    root = foreign(tmp_path / "tree", {"a.jpg": picture(), "a.k.jpg": picture()})
    assert sorted(["a.jpg", "a.k.jpg"])[0] == "a.jpg"
    assert sorted(["a.png", "a.k.png"])[0] == "a.k.png", "this is the trap"
    with pytest.raises(SegprepError) as caught:
        segprep.export("keras", root, tmp_path / "out")
    assert caught.value.code == "order-differs"
    segprep.export("keras", root, tmp_path / "out", frames="png")
    assert all(frame.name == mask.name for frame, mask in pairs_of(tmp_path / "out", "train"))


def test_frames_that_keras_cannot_list_become_png(tmp_path: Path) -> None:
    root = foreign(
        tmp_path / "tree",
        {
            "a.webp": picture("WEBP", lossless=True),
            "b.bmp": picture("BMP"),
            "c.png": picture("JPEG"),
        },
    )
    done = segprep.export("keras", root, tmp_path / "out", link="hard")
    assert [frame.name for frame, _ in pairs_of(tmp_path / "out", "train")] == [
        "a.png",
        "b.bmp",
        "c.png",
    ]
    assert [(note.stem, note.code) for note in done.notes if note.stem] == [
        ("a", "image-converted"),
        ("c", "image-converted"),
    ]
    for stem in "ac":
        with Image.open(tmp_path / f"out/train_frames/train/{stem}.png") as frame:
            assert frame.format == "PNG"


def test_exif_is_applied_since_keras_ignores_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = np.zeros((8, 4), np.uint8)
    upright[0, 3] = 1
    root = foreign(tmp_path / "tree", {"a.jpg": picture(exif=exif)}, upright)
    segprep.export("keras", root, tmp_path / "out", link="sym")
    ((frame, mask),) = pairs_of(tmp_path / "out", "train")
    with Image.open(frame) as image:
        assert image.size == (4, 8)
    assert (read_mask(mask) == upright).all()
    put(root / "JPEGImages/a.tif", picture("TIFF", exif=exif))
    (root / "JPEGImages/a.jpg").unlink()
    with pytest.raises(BadInputError) as caught:
        segprep.export("keras", root, tmp_path / "tif")
    assert caught.value.skipped[0].code == "image-unsupported"  # type: ignore[attr-defined]
    assert segprep.export("keras", root, tmp_path / "tif", frames="png").samples == 1


def test_round_trip_through_convert_pairs(tree: Path, tmp_path: Path) -> None:
    segprep.export("keras", tree, tmp_path / "out")
    segprep.convert("pairs", tmp_path / "out", tmp_path / "again")
    first, second = Tree(tree), Tree(tmp_path / "again")
    assert second.stems() == first.stems()
    assert second.classes() == first.classes()
    assert second.lists() == {
        name: stems for name, stems in first.lists().items() if name != "trainval"
    }
    for stem in first.stems():
        assert (read_mask(second.mask_path(stem)) == read_mask(first.mask_path(stem))).all()
        assert second.image_path(stem).read_bytes() == first.image_path(stem).read_bytes()  # type: ignore[union-attr]


@pytest.mark.skipif(
    not Path("/dev/shm").is_dir() or not os.access("/dev/shm", os.W_OK),
    reason="there is no second file system here",
)
def test_a_hard_link_to_another_disk_is_refused_in_words(tree: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if os.stat(other).st_dev == tree.stat().st_dev:
            pytest.skip("it is the same file system")
        with pytest.raises(SegprepError) as caught:
            segprep.export("keras", tree, Path(other) / "out", link="hard")
        assert (caught.value.code, caught.value.hint) == ("link-refused", "use --link copy")
        assert os.listdir(other) == []
        assert segprep.export("keras", tree, Path(other) / "out", link="sym").samples == 12
        assert (pairs_of(Path(other) / "out", "train")[0][0]).read_bytes()
