"""Cityscapes: id images, polygons, splits, instances."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import SourceError, UsageError
from segprep.sources.cityscapes import Reader, ids, own_classes
from segprep.types import Sample

IDS = np.array([[0, 3, 7, 8], [11, 23, 24, 24], [26, 26, 29, 33]], np.uint8)
TRAIN = [[255, 255, 0, 1], [2, 10, 11, 11], [13, 13, 255, 18]]
INSTANCES = np.array([[0, 3, 7, 8], [11, 23, 24000, 24001], [26, 26003, 29000, 33000]], np.uint16)


def scene(
    root: Path, stem: str, split: str = "train", gt: str = "Fine", image: bool = True, **files: Any
) -> None:
    """One scene; *files* are labelIds, labelTrainIds, instanceIds (arrays) or polygons
    (objects).
    """
    city = stem.split("_", maxsplit=1)[0]
    for top, there in (("leftImg8bit", image), (f"gt{gt}", bool(files))):
        if there:
            (root / top / split / city).mkdir(parents=True, exist_ok=True)
    if image:
        Image.new("RGB", (4, 3), "gray").save(
            root / "leftImg8bit" / split / city / f"{stem}_leftImg8bit.png"
        )
    for kind, content in files.items():
        path = root / f"gt{gt}" / split / city / f"{stem}_gt{gt}_{kind}"
        if kind == "polygons":
            path.with_suffix(".json").write_text(
                json.dumps(
                    content
                    if isinstance(content, dict)
                    else {"imgHeight": 3, "imgWidth": 4, "objects": content}
                )
            )
        else:
            Image.fromarray(content).save(path.with_suffix(".png"))


def example(root: Path) -> Reader:
    scene(root, "aachen_000000_000019", labelIds=IDS, instanceIds=INSTANCES)
    scene(
        root,
        "bonn_000001_000019",
        "val",
        labelIds=IDS[::-1].copy(),
        instanceIds=INSTANCES[::-1].copy(),
    )
    return Reader(root, objects=True)


def one(root: Path, **options: Any) -> Sample:
    reader = Reader(root, **options)
    scan = reader.scan()
    assert len(scan.items) == 1, scan.skipped
    return reader.read(scan.items[0])


def thing(label: str, *points: tuple[float, float], **more: Any) -> dict[str, Any]:
    return {"label": label, "polygon": [list(point) for point in points]} | more


def box(label: str, x0: int, y0: int, x1: int, y1: int, **more: Any) -> dict[str, Any]:
    return thing(label, (x0, y0), (x1, y0), (x1, y1), (x0, y1), **more)


def test_splits_stems_and_classes(tmp_path: Path) -> None:
    scan = example(tmp_path).scan()
    assert [item.stem for item in scan.items] == ["aachen_000000_000019", "bonn_000001_000019"]
    assert scan.lists == {"train": ("aachen_000000_000019",), "val": ("bonn_000001_000019",)}
    assert (
        len(scan.classes.names),
        scan.classes.names[0],
        scan.classes.names[18],
        scan.classes.background,
    ) == (19, "road", "bicycle", None)
    assert not scan.notes


def test_label_ids_become_train_ids_or_stay(tmp_path: Path) -> None:
    scene(tmp_path, "a_0_0", labelIds=IDS)
    assert one(tmp_path).mask.tolist() == TRAIN
    assert one(tmp_path, labels="all").mask.tolist() == IDS.tolist()
    assert len(Reader(tmp_path, labels="all").scan().classes.names) == 34


def test_train_ids_and_instance_ids_serve_where_label_ids_are_absent(tmp_path: Path) -> None:
    scene(tmp_path / "t", "a_0_0", labelTrainIds=np.array(TRAIN, np.uint8))
    scene(tmp_path / "i", "a_0_0", instanceIds=INSTANCES)
    for root, kind in (
        (tmp_path / "t", "labelTrainIds.png (1)"),
        (tmp_path / "i", "instanceIds.png (1)"),
    ):
        assert one(root).mask.tolist() == TRAIN
        assert [(note.code, kind in note.message) for note in Reader(root).scan().notes] == [
            ("labels-from", True)
        ]
    (skipped,) = Reader(tmp_path / "t", labels="all").scan().skipped
    assert (skipped.code, skipped.hint) == ("mask-missing", "give --labels train")
    assert one(tmp_path / "i", labels="all").mask.tolist() == IDS.tolist()


def test_instances_count_from_one_and_void_is_ignored(tmp_path: Path) -> None:
    scene(tmp_path, "a_0_0", labelIds=IDS, instanceIds=INSTANCES)
    ignored = 65535
    objects = one(tmp_path, objects=True).objects
    assert objects is not None
    assert objects.tolist() == [[ignored, ignored, 0, 0], [0, 0, 1, 2], [0, 3, ignored, 4]]
    everything = one(tmp_path, objects=True, labels="all").objects
    assert everything is not None
    assert everything.tolist() == [[0, 0, 0, 0], [0, 0, 1, 2], [0, 3, 4, 5]]


def test_objects_need_instance_ids(tmp_path: Path) -> None:
    scene(tmp_path, "a_0_0", labelIds=IDS)
    (skipped,) = Reader(tmp_path, objects=True).scan().skipped
    assert (skipped.code, "for --objects" in skipped.reason) == ("mask-missing", True)


def test_polygons_are_drawn_in_order(tmp_path: Path) -> None:
    """Later covers earlier; groups have no instances; license plates and deleted objects are not
    drawn.
    """
    drawn = [
        box("road", 0, 0, 3, 2),
        box("car", 0, 0, 1, 1),
        box("cargroup", 2, 0, 3, 0),
        box("license plate", 0, 0, 3, 2),
        box("sky", 0, 2, 3, 2, deleted=1),
        box("caravan", 3, 2, 3, 2),
        box("person", 1, 1, 1, 1),
    ]
    scene(tmp_path, "a_0_0", polygons=drawn)
    sample = one(tmp_path, objects=True)
    assert sample.mask.tolist() == [[13, 13, 13, 13], [13, 11, 0, 0], [0, 0, 0, 255]]
    assert sample.objects is not None
    assert sample.objects.tolist() == [[1, 1, 0, 0], [1, 2, 0, 0], [0, 0, 0, 65535]]
    assert one(tmp_path, labels="all").mask[2].tolist() == [7, 7, 7, 29]


def test_what_no_polygon_covers_is_ignored_or_unlabeled(tmp_path: Path) -> None:
    scene(tmp_path, "a_0_0", polygons=[box("road", 0, 0, 0, 0)])
    assert one(tmp_path).mask[2].tolist() == [255] * 4
    assert one(tmp_path, labels="all").mask[2].tolist() == [0] * 4


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        ([box("raod", 0, 0, 1, 1)], "unknown-label", r"objects\[0\]\.label: 'raod'"),
        ([thing("road", (0, 0), (1, 1))], "bad-shape", r"objects\[0\]\.polygon"),
        (
            [box("road", 0, 0, 1, 1), thing("road", (0, 0), (1, 1e300), (2, 2))],
            "bad-shape",
            r"objects\[1\]\.polygon",
        ),
        ([7], "bad-annotation", r"objects\[0\]: an object"),
        ({"objects": []}, "bad-annotation", "imgHeight"),
        ({"imgHeight": 10**6, "imgWidth": 10**6, "objects": []}, "bad-annotation", "imgHeight"),
        ({"imgHeight": 4, "imgWidth": 4, "objects": []}, "size-mismatch", "4x4"),
        ({"imgHeight": 3, "imgWidth": 4, "objects": None}, "bad-annotation", "objects: a list"),
    ],
)
def test_bad_polygon_files(tmp_path: Path, content: Any, code: str, reason: str) -> None:
    scene(tmp_path, "a_0_0", polygons=content)
    with pytest.raises(SourceError, match=reason) as caught:
        one(tmp_path)
    assert caught.value.code == code


def test_foreign_ids_are_counted(tmp_path: Path) -> None:
    scene(tmp_path, "a_0_0", labelIds=np.full((3, 4), 77, np.uint8))
    with pytest.raises(SourceError, match=r"77 \(12 px\)") as caught:
        one(tmp_path)
    assert caught.value.code == "unknown-value"


def test_sizes_have_to_agree(tmp_path: Path) -> None:
    scene(tmp_path / "mask", "a_0_0", labelIds=IDS.T.copy())
    scene(tmp_path / "instances", "a_0_0", labelIds=IDS, instanceIds=INSTANCES.T.copy())
    for root, objects in ((tmp_path / "mask", False), (tmp_path / "instances", True)):
        with pytest.raises(SourceError) as caught:
            one(root, objects=objects)
        assert caught.value.code == "size-mismatch"


def test_missing_partners_are_named(tmp_path: Path) -> None:
    scene(tmp_path, "a_0_0", labelIds=IDS)
    scene(tmp_path, "b_0_0")
    scene(tmp_path, "c_0_0", image=False, labelIds=IDS)
    assert [(one.stem, one.code) for one in Reader(tmp_path).scan().skipped] == [
        ("b_0_0", "mask-missing"),
        ("c_0_0", "image-missing"),
    ]


def test_a_split_without_any_labels_is_a_note(tmp_path: Path) -> None:
    scene(tmp_path, "a_0_0", labelIds=IDS)
    scene(tmp_path, "b_0_0", "test")
    scan = Reader(tmp_path).scan()
    assert [(note.code, note.message[:5]) for note in scan.notes] == [("image-unlabelled", "test:")]
    assert not scan.skipped
    assert not scan.lists


def test_dummy_labels_of_the_test_set_are_noted(tmp_path: Path) -> None:
    scene(tmp_path, "a_0_0", "test", labelIds=np.full((3, 4), 3, np.uint8))
    for labels in ("train", "all"):
        assert [note.code for note in one(tmp_path, labels=labels).notes] == ["all-ignored"]


@pytest.mark.parametrize("flat", [True, False])
def test_another_set_under_these_names_is_no_void(tmp_path: Path, flat: bool) -> None:
    """Own ids from 0 on became 255 all over, as if the labels were withheld."""
    own = np.array([[0, 0, 1, 1], [0, 1, 2, 2], [0, 0, 0, 0]], np.uint8)
    for n in range(3):
        scene(tmp_path, f"a_{n}_0", "" if flat else "val", labelIds=own)
    with pytest.raises(UsageError, match="hold none of the 19 classes of Cityscapes") as caught:
        Reader(tmp_path).scan()
    assert "segprep convert pairs SRC OUT" in caught.value.hint


@pytest.mark.parametrize(("most", "told"), [(2, True), (4, False)])
def test_few_classes_are_told(tmp_path: Path, most: int, told: bool) -> None:
    for n in range(3):
        ids = np.minimum(np.arange(12, dtype=np.uint8), most - 1).reshape(3, 4)
        scene(tmp_path, f"a_{n}_0", labelTrainIds=ids)
    notes = [note for note in Reader(tmp_path).scan().notes if note.code == "classes-inferred"]
    assert len(notes) == told
    assert not told or "hold only road, sidewalk" in notes[0].message


def test_coarse_labels(tmp_path: Path) -> None:
    scene(tmp_path, "a_0_0", gt="Coarse", labelIds=IDS)
    assert [note.code for note in Reader(tmp_path).scan().notes] == ["labels-from"]
    assert one(tmp_path, gt="coarse").mask.tolist() == TRAIN
    scene(tmp_path, "a_0_0", gt="Fine", labelIds=np.full((3, 4), 7, np.uint8))
    assert one(tmp_path).mask.max() == 0
    assert one(tmp_path, gt="coarse").mask.tolist() == TRAIN


def test_one_scene_in_two_folders(tmp_path: Path) -> None:
    scene(tmp_path, "a_0_0", labelIds=IDS)
    scene(tmp_path, "a_0_0", "val")
    assert {one.code for one in Reader(tmp_path).scan().skipped} == {"stem-collision"}


def test_real_samples_convert(tmp_path: Path, real: Path) -> None:
    source = real / "formats/mmseg_pseudo/pseudo_cityscapes_dataset"
    segprep.convert("cityscapes", source, tmp_path / "out", objects=True)
    segprep.convert("cityscapes", source, tmp_path / "all", labels="all")
    ids, train = (
        segprep.read_mask(source / f"gtFine/frankfurt_000000_000294_gtFine_{kind}.png")
        for kind in ("labelIds", "labelTrainIds")
    )
    assert (
        segprep.read_mask(tmp_path / "all/SegmentationClass/frankfurt_000000_000294.png") == ids
    ).all()
    differ = (
        segprep.read_mask(tmp_path / "out/SegmentationClass/frankfurt_000000_000294.png") != train
    )
    assert (
        int(differ.sum()) == 77
    )  # the two files of this sample were shrunk one by one, and disagree at borders
    objects = segprep.read_mask(tmp_path / "out/SegmentationObject/frankfurt_000000_000294.png")
    assert set(np.unique(objects).tolist()) == {0, 1, 2, 3, 4, 5, 6, 7, 255}
    done = segprep.convert(
        "cityscapes", real / "formats/datumaro/cityscapes_dataset_dataset", tmp_path / "two"
    )
    assert done.converted == 4
    assert (
        tmp_path / "two/ImageSets/Segmentation/test.txt"
    ).read_text() == "defaultcity_000001_000031\ndefaultcity_000001_000032\n"


def test_the_table_is_whole() -> None:
    assert (len(ids.NAMES), len(ids.TRAIN_IDS), len(set(ids.NAMES))) == (
        34,
        19,
        34,
    )
    assert [value for value in ids.values("train") if value != 255] == list(range(19))


@pytest.mark.parametrize("last", ["", "unlabeled\n"])
def test_only_the_last_name_of_an_export_is_the_ignored_one(last: str, tmp_path: Path) -> None:
    (tmp_path / "class_names.txt").write_text(f"road\nunlabeled\ncar\n{last}")
    classes = own_classes(tmp_path.resolve())
    assert classes is not None
    assert classes.names == ("road", "unlabeled", "car")
