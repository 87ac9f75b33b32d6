from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError, UsageError
from segprep.imaging import blends
from segprep.imaging.image import voc_colors
from segprep.sources._common.classes import color_tables
from segprep.sources.colormap import Reader

VOC = np.frombuffer(voc_colors(), np.uint8).reshape(256, 3)
IDS = np.array([[0, 1, 2, 2]], np.uint8).repeat(3, 0)


def lay_out(folder: Path, masks: dict[str, np.ndarray]) -> Path:
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for stem, mask in masks.items():
        Image.new("RGB", (mask.shape[1], mask.shape[0]), (7, 70, 170)).save(
            folder / "images" / f"{stem}.png"
        )
        Image.fromarray(mask).save(folder / "labels" / f"{stem}_L.png")
    return folder


def example(folder: Path) -> Reader:
    return Reader(lay_out(folder, {"a": VOC[IDS], "b": VOC[IDS[:, ::-1]]}), table="voc")


def mask_of(out: Path, stem: str = "a") -> list[list[int]]:
    mask: list[list[int]] = segprep.read_mask(out / f"SegmentationClass/{stem}.png").tolist()
    return mask


@pytest.mark.parametrize("name", color_tables.built_in())
def test_built_in_tables(name: str, tmp_path: Path) -> None:
    table = color_tables.load(name)
    assert len(table.classes.names) == {"ade20k": 150, "camvid": 31, "voc": 21}[name]
    once = [
        (color, number)
        for color, number in table.colors
        if [row[0] for row in table.colors].count(color) == 1
    ]
    shown = np.array([[color for color, _ in once]], np.uint8)
    segprep.convert(
        "colormap", lay_out(tmp_path / "in", {"a": shown}), tmp_path / "out", table=name
    )
    assert mask_of(tmp_path / "out") == [[number for _, number in once]]


@pytest.mark.parametrize(
    "text",
    [
        "0 0 0 sky\n128 0 0 road\n0 128 0 old car\n224 224 192 __ignore__\n",
        (
            "# label:color_rgb:parts:actions\nsky:0,0,0::\nroad:128,0,0::\nold"
            " car:0,128,0::\nignored:224,224,192::\n"
        ),
        "name,r,g,b\nsky,0,0,0\nroad,128,0,0\nold car,0,128,0\nignored,224,224,192\n",
        "id r g b name\n0 0 0 0 sky\n1 128 0 0 road\n2 0 128 0 old car\n255 224 224 192 ignored\n",
        "0 0 0\t\tsky\r\n128 0 0\troad\r\n0 128 0\told car\r\n224 224 192\tignore\r\n",
    ],
)
def test_tables_of_many_kinds(tmp_path: Path, text: str) -> None:
    root = lay_out(
        tmp_path / "in",
        {"a": np.concatenate([VOC[IDS], np.full((3, 1, 3), (224, 224, 192), np.uint8)], 1)},
    )
    (tmp_path / "table.txt").write_text(text)
    done = segprep.convert("colormap", root, tmp_path / "out", table=str(tmp_path / "table.txt"))
    assert done.classes == ("sky", "road", "old car")
    assert mask_of(tmp_path / "out")[0] == [0, 1, 2, 2, 255]


@pytest.mark.parametrize(
    "text", ["", "sky 0 0\n", "sky 0 0 300\n", "0 0 0 sky\n1 1 1 sky\nhouse\n", "{}"]
)
def test_tables_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    table = tmp_path / ("table.json" if text == "{}" else "table.txt")
    table.write_text(text)
    with pytest.raises(UsageError):
        color_tables.load(str(table))


def test_unknown_colors_are_counted_with_the_nearest_class(tmp_path: Path) -> None:
    shown = VOC[IDS].copy()
    shown[0, 0], shown[:2, 3] = (120, 4, 0), (9, 9, 9)
    root = lay_out(tmp_path / "in", {"a": shown})
    with pytest.raises(BadInputError) as caught:
        segprep.convert("colormap", root, tmp_path / "out", table="voc")
    (bad,) = caught.value.skipped
    assert bad.code == "unknown-colour"  # type: ignore[attr-defined]
    assert "9,9,9 (2 px, nearest: background), 120,4,0 (1 px, nearest: aeroplane)" in bad.reason  # type: ignore[attr-defined]
    done = segprep.convert("colormap", root, tmp_path / "ignored", table="voc", unknown="ignore")
    assert mask_of(tmp_path / "ignored") == [[255, 1, 2, 255], [0, 1, 2, 255], [0, 1, 2, 2]]
    assert "unknown-colour" in {note.code for note in done.notes}
    segprep.convert("colormap", root, tmp_path / "nearest", table="voc", unknown="nearest")
    assert mask_of(tmp_path / "nearest") == [[1, 1, 2, 0], [0, 1, 2, 0], [0, 1, 2, 2]]


def test_a_color_of_two_classes_is_never_guessed(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a": np.full((2, 2, 3), 140, np.uint8)})
    with pytest.raises(BadInputError) as caught:
        segprep.convert("colormap", root, tmp_path / "out", table="ade20k", unknown="nearest")
    assert "road or skyscraper" in caught.value.skipped[0].reason  # type: ignore[attr-defined]


def test_flattened_voc_masks_are_recovered_and_ambiguous_ones_refused(tmp_path: Path) -> None:
    flat = {
        stem: np.asarray(Image.fromarray(VOC[ids]).convert("L"))
        for stem, ids in (("a", IDS), ("plant", np.full((2, 2), 16)))
    }
    root = lay_out(tmp_path / "in", flat)
    done = segprep.convert(
        "colormap",
        root,
        tmp_path / "out",
        from_voc_gray=True,
        classes="background,cell,nucleus",
        on_error="skip",
    )
    assert mask_of(tmp_path / "out") == IDS.tolist()
    with pytest.raises(BadInputError) as caught:
        segprep.convert("colormap", root, tmp_path / "full", from_voc_gray=True)
    assert {one.code for one in caught.value.skipped} == {"unknown-colour"}  # type: ignore[attr-defined]
    assert "aeroplane or pottedplant" in caught.value.skipped[0].reason  # type: ignore[attr-defined]
    assert done.classes == ("background", "cell", "nucleus")


def test_gray_levels_as_ids(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a": np.repeat(IDS[..., None], 3, 2)})
    segprep.convert("colormap", root, tmp_path / "out", table="gray", classes="a,b,c")
    assert mask_of(tmp_path / "out") == IDS.tolist()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"table": "gray"},
        {"table": "camvid", "classes": "a"},
        {"table": "camvid", "from_voc_gray": True},
        {"table": "no.txt"},
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        segprep.convert(
            "colormap", lay_out(tmp_path / "in", {"a": VOC[IDS]}), tmp_path / "out", **options
        )


def test_samples_of_other_projects(real: Path, tmp_path: Path) -> None:
    home = real / "formats/datumaro"
    done = segprep.convert("colormap", home / "camvid_dataset", tmp_path / "camvid", table="camvid")
    assert (done.converted, done.skipped) == (4, ())
    assert (
        tmp_path / "camvid/ImageSets/Segmentation/test.txt"
    ).read_text() == "0001TP_008550\n0001TP_008580\n"
    done = segprep.convert(
        "colormap", home / "common_semantic_segmentation_dataset/dataset", tmp_path / "common"
    )
    assert done.classes == ("Void", "Animal", "Archway", "Bicyclist", "Child", "Road")


def test_the_table_beside_the_folders_is_found_below_too(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in/CamVid", {"a": VOC[IDS]})
    (root / "class_dict.csv").write_text("name,r,g,b\nsky,0,0,0\nroad,128,0,0\ncar,0,128,0\n")
    done = segprep.convert("auto", tmp_path / "in", tmp_path / "out")
    assert (done.classes, mask_of(tmp_path / "out")) == (("sky", "road", "car"), IDS.tolist())


def test_a_built_in_table_that_fits_is_named(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a": np.array([[[64, 128, 64], [192, 0, 128]]], np.uint8)})
    with pytest.raises(UsageError) as caught:
        segprep.convert("auto", root, tmp_path / "out")
    assert "--table camvid" in caught.value.hint
    segprep.convert("auto", root, tmp_path / "out", table="camvid")
    assert mask_of(tmp_path / "out") == [[0, 1]]


@pytest.mark.parametrize(
    "name", ["class_dict_seg.csv", "class.txt", "ImageSets/Segmentation/class.txt", "colors.txt"]
)
def test_a_table_of_another_name_lies_beside(name: str, tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a": VOC[IDS]})
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(
        "name, r, g, b\nsky, 0, 0, 0\nroad, 128, 0, 0\ncar, 0, 128, 0\n"
        if name.endswith("csv")
        else "Class\tR\tG\t B\r\n1\t0 \t0 \t0 \tsky\r\n2\t128 \t0 \t0 \tred road\r\n"
        "3\t0 \t128\t 0 \tcar\r\n"
    )
    (root / "ImageSets/Segmentation").mkdir(parents=True, exist_ok=True)
    (root / "ImageSets/Segmentation/train.txt").write_text("a\n")
    done = segprep.convert("auto", root, tmp_path / "out")
    assert done.classes[::2] == ("sky", "car")
    codes = [note.code for note in done.notes]
    assert codes == [
        "format-detected",
        "paired-by",
        "classes-found",
    ]  # the table is not a list of samples
    assert mask_of(tmp_path / "out") == IDS.tolist()


def test_names_without_colors_beside_are_no_table(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a": VOC[IDS]})
    (root / "classes.txt").write_text("sky\nroad\ncar\n")
    with pytest.raises(UsageError, match="what do the colors mean"):
        segprep.convert("colormap", root, tmp_path / "out")


def test_palettes_beside_colors_are_colors(tmp_path: Path) -> None:
    """A public set of maps: some masks are palette pictures, others the same colors as RGBA."""
    folder = lay_out(tmp_path / "in", {"a": IDS, "b": VOC[IDS]})
    mask = Image.fromarray(IDS, "P")
    mask.putpalette(voc_colors())
    mask.save(folder / "labels/a_L.png")
    evidence = Reader.recognize(folder)
    assert evidence is not None
    assert evidence.reason == "labels/b_L.png holds 3 colors"
    segprep.convert("colormap", folder, tmp_path / "out", table="voc")
    assert mask_of(tmp_path / "out") == mask_of(tmp_path / "out", "b") == IDS.tolist()


def test_a_table_of_any_name_lies_beside(tmp_path: Path) -> None:
    """A public set of football scenes: `Labels and Colors.csv`, a color in each second cell."""
    root = lay_out(tmp_path / "in", {"a": VOC[IDS]})
    table = 'Label,color_rgb\nNobody,"0,0,0"\nTeam 1,"128,0,0"\nTeam 2,"0,128,0"\n'
    (root / "Labels and Colors.csv").write_text(table)
    (root / "train_labels.csv").write_text("file,x,y,w\na.png,0,0,0\nb.png,1,2,3\n")
    done = segprep.convert("auto", root, tmp_path / "out")
    assert done.classes == ("Nobody", "Team 1", "Team 2")
    assert mask_of(tmp_path / "out") == IDS.tolist()
    (root / "palette.txt").write_text("0 0 0 sky\n128 0 0 road\n0 128 0 car\n")
    with pytest.raises(UsageError, match="color tables differ: Labels and Colors"):
        segprep.convert("auto", root, tmp_path / "two")


@pytest.mark.parametrize("size", [(100, 80), (143, 121)])
def test_smoothed_masks_offer_the_colors_of_regions_only(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    """Blends along borders are not classes, however few there are."""
    colors = np.array([[0, 0, 0], [128, 64, 32], [64, 128, 255], [20, 200, 100]], np.uint8)
    for n in range(3):
        ids = np.zeros((120, 160), np.uint8)
        for value in (1, 2, 3):
            ids[15 * n : 15 * n + 50, 40 * value - 20 : 40 * value + 14] = value
        for folder, array in (("images", colors[ids]), ("masks", colors[ids])):
            (tmp_path / "in" / folder).mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(array).resize(size, Image.Resampling.BILINEAR)
            picture.save(tmp_path / "in" / folder / f"{n}.png")
    with pytest.raises(UsageError, match="smoothed or saved as JPEG") as caught:
        segprep.convert("colormap", tmp_path / "in", tmp_path / "out")
    table = caught.value.hint.split("'")[1]
    assert {tuple(map(int, row.split()[:3])) for row in table.split(";")} == {
        tuple(color) for color in colors.tolist()
    }
    assert "are blends along borders" in caught.value.message
    assert caught.value.hint.endswith("--unknown nearest")
    with pytest.raises(BadInputError) as refused:
        segprep.convert("colormap", tmp_path / "in", tmp_path / "out", table=table)
    assert "the mask was smoothed" in str(refused.value.skipped[0])
    done = segprep.convert(
        "colormap", tmp_path / "in", tmp_path / "out", table=table, unknown="nearest"
    )
    assert done.converted == 3


def test_drawn_masks_are_not_called_smoothed() -> None:
    rng = np.random.default_rng(5)
    colors = rng.integers(0, 256, (7, 3)).astype(np.uint8)
    for _ in range(20):
        ids = np.zeros((90, 120), np.uint8)
        for value in range(1, 7):
            top, left = rng.integers(0, 70, 2)
            ids[top : top + 30, left : left + 40] = value
            ids[top + 10] = value  # a line of one pixel
        assert not blends.find(colors[ids]).blends


def test_the_colors_of_a_mask_are_counted_without_sorting_its_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five masks of 18 megapixels of a public set took 14 seconds to be recognized."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 6, (40, 50, 3)).astype(np.uint8)
    photos, masks = tmp_path / "images", tmp_path / "masks"
    for folder in (photos, masks):
        folder.mkdir()
        Image.fromarray(pixels).save(folder / "a.png")
    sizes, unique = [], np.unique
    colors = len(unique(pixels.reshape(-1, 3), axis=0))

    def measured(values: Any, *more: Any, **options: Any) -> Any:
        sizes.append(np.size(values))
        return unique(values, *more, **options)

    monkeypatch.setattr(np, "unique", measured)
    evidence = Reader.recognize(tmp_path)
    assert evidence
    assert max(sizes, default=0) < 40 * 50
    assert evidence.reason == f"masks/a.png holds {colors} colors"
