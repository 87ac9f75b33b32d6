"""A tree with other classes: one table for every pixel, all else as it was."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep.dataset import manifest
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, SegprepError, UsageError
from segprep.imaging.image import encode_mask, encode_objects, read_mask
from segprep.remapping import table as relabelling
from segprep.remapping.table import ClassChanges

NAMES = ("_background_", "cat", "cow", "dog")


@pytest.fixture
def ours(source: Path, tmp_path: Path) -> Path:
    """Twelve samples of background, cat, cow, dog with objects, lists and a split record."""
    segprep.convert("labelme", source, tmp_path / "ours", objects=True)
    segprep.split(tmp_path / "ours", seed=3)
    return tmp_path / "ours"


def foreign(root: Path, masks: dict[str, list[list[int]]], names: str = "") -> Path:
    """A VOC tree that segprep did not make."""
    for stem, rows in masks.items():
        place(root / f"JPEGImages/{stem}.jpg", jpeg(len(rows[0]), len(rows)))
        place(root / f"SegmentationClass/{stem}.png", encode_mask(np.asarray(rows, np.uint8)))
    if names:
        (root / "class_names.txt").write_text(names)
    return root


def jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "gray").save(out, "JPEG")
    return out.getvalue()


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below *folder* with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def place(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, ["remap", *map(str, arguments)], prog_name="segprep")


def masks_of(root: Path) -> dict[str, list[list[int]]]:
    return {stem: read_mask(Tree(root).mask_path(stem)).tolist() for stem in Tree(root).stems()}


def table(names: tuple[str, ...] = NAMES, **changes: Any) -> tuple[dict[int, int], tuple[str, ...]]:
    made = relabelling.table(relabelling.named(names), ClassChanges(**changes))
    return made.values, made.classes.names


@pytest.mark.parametrize(
    ("changes", "values", "names"),
    [
        ({"map": ("cat=dog",)}, [0, 2, 1, 2], ("_background_", "cow", "dog")),
        ({"map": ("cat=dog", "dog=cat")}, [0, 3, 2, 1], NAMES),
        ({"map": ("cat=tiger",)}, [0, 1, 2, 3], ("_background_", "tiger", "cow", "dog")),
        ({"map": ("cat=pet", "dog=pet")}, [0, 1, 2, 1], ("_background_", "pet", "cow")),
        ({"map": ("cat=cow", "cow=ox")}, [0, 1, 2, 3], ("_background_", "cow", "ox", "dog")),
        ({"map": ("cat=__ignore__",)}, [0, 255, 1, 2], ("_background_", "cow", "dog")),
        ({"map": ("cat=background",)}, [0, 0, 1, 2], ("_background_", "cow", "dog")),
        ({"map": ("ignore=cow",)}, [0, 1, 2, 3], NAMES),
        ({"drop": ("cat", "dog")}, [0, 0, 1, 0], ("_background_", "cow")),
        ({"drop": ("cow",), "drop_as": "ignore"}, [0, 1, 255, 2], ("_background_", "cat", "dog")),
        ({"drop": ("_background_",), "drop_as": "ignore"}, [255, 0, 1, 2], ("cat", "cow", "dog")),
        ({"order": ("dog", "cow", "cat")}, [0, 3, 2, 1], ("_background_", "dog", "cow", "cat")),
        (
            {"order": ("dog", "background", "cow", "cat", "emu")},
            [1, 3, 2, 0],
            ("dog", "_background_", "cow", "cat", "emu"),
        ),
        (
            {"map": ("cat=pet", "dog=pet"), "order": ("cow", "pet")},
            [0, 2, 1, 2],
            ("_background_", "cow", "pet"),
        ),
    ],
)
def test_names_to_values(
    changes: dict[str, Any], values: list[int], names: tuple[str, ...]
) -> None:
    made, listed = table(**changes)
    assert ([made[n] for n in range(4)], listed) == (values, names)
    assert made[255] == (names.index("cow") if "ignore=cow" in changes.get("map", ()) else 255)


def test_the_background_is_where_the_list_says() -> None:
    made = relabelling.table(
        relabelling.named(("cat", "dog", "background")), ClassChanges(drop=("cat",))
    )
    assert (made.values, made.classes) == (
        {0: 1, 1: 0, 2: 1, 255: 255},
        segprep.Classes(("dog", "background"), background=1),
    )
    without = relabelling.table(relabelling.named(("cat", "dog")), ClassChanges(drop=("cat",)))
    assert (without.values, without.classes.names) == (
        {0: 0, 1: 1, 255: 255},
        ("_background_", "dog"),
    )


@pytest.mark.parametrize(
    ("changes", "values", "names"),
    [
        ({"map": ("1=2",)}, [0, 2, 2, 3], ("_background_", "class_1", "class_2", "class_3")),
        ({"map": ("1=2", "2=1")}, [0, 2, 1, 3], ("_background_", "class_1", "class_2", "class_3")),
        ({"map": ("3=1",)}, [0, 1, 2, 1], ("_background_", "class_1", "class_2")),
        (
            {"map": ("3=5",)},
            [0, 1, 2, 5],
            ("_background_", "class_1", "class_2", "class_3", "class_4", "class_5"),
        ),
        ({"map": ("2=255",)}, [0, 1, 255, 3], ("_background_", "class_1", "class_2", "class_3")),
        ({"map": ("1=cell",)}, [0, 1, 2, 3], ("_background_", "cell", "class_2", "class_3")),
        (
            {"map": ("2=0",), "order": ("0", "3", "1")},
            [0, 2, 0, 1],
            ("_background_", "class_3", "class_1"),
        ),
    ],
)
def test_numbers_stand_for_values_and_keep_their_places(
    changes: dict[str, Any], values: list[int], names: tuple[str, ...]
) -> None:
    made = relabelling.table(relabelling.numbered(4), ClassChanges(**changes))
    assert ([made.values[n] for n in range(4)], made.classes.names) == (values, names)


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"map": ("kat=dog",)}, "unknown-label", "did you mean cat"),
        ({"map": ("1=2",)}, "unknown-label", "1 cat"),
        ({"map": ("cat",)}, "bad-option", "OLD=NEW"),
        ({"map": ("cat=dog", "cat=cow")}, "bad-option", "both dog and cow"),
        ({"map": ("cat=dog",), "drop": ("cat",)}, "bad-option", "both"),
        ({"map": ("cat=a\nb",)}, "bad-label", "control"),
        ({"drop": ("_background_",)}, "bad-option", "background already"),
        ({"order": ("cat", "dog")}, "bad-option", "leaves out cow"),
        ({"order": ("cat", "cow", "dog", "cat")}, "bad-classes", "more than once"),
        ({"map": ("cat=dog",), "order": ("cat", "cow", "dog")}, "bad-option", "takes away"),
        ({"drop": NAMES, "drop_as": "ignore"}, "bad-classes", "no class is left"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(SegprepError) as caught:
        table(**changes)
    assert caught.value.code == code
    assert said in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("ids", ["0", "x=cat", "65536=cat", "0=cat,0=dog", "-1=cat", "0="])
def test_ids_that_cannot_be_read(ids: str) -> None:
    with pytest.raises(UsageError) as caught:
        relabelling.stated(ids)
    assert caught.value.code == "bad-option"


def test_merging_leaves_images_lists_and_split_alone(ours: Path, tmp_path: Path) -> None:
    before = snapshot(ours)
    made = segprep.remap(ours, tmp_path / "new", map=("cat=pet", "dog=pet"), jobs=2)
    assert snapshot(ours) == before
    after = snapshot(tmp_path / "new")
    for name in before:
        if name.startswith(("JPEGImages", "ImageSets")):
            assert after[name] == before[name]
    wanted = {stem: np.choose(mask, [0, 1, 2, 1]).tolist() for stem, mask in masks_of(ours).items()}
    assert masks_of(tmp_path / "new") == wanted
    assert made.conversion.classes == ("_background_", "pet", "cow")
    assert made.table[3] == (3, "dog", 1, "pet")
    assert after["class_names.txt"] == b"_background_\npet\ncow\n"
    new = Tree(tmp_path / "new").manifest
    assert new
    assert (new.source["format"], new.source["path"], new.source["options"]["map"]) == (
        "remap",
        "../ours",
        ["cat=pet", "dog=pet"],
    )
    assert new.split == Tree(ours).manifest.split  # type: ignore[union-attr]
    for record in Tree(tmp_path / "new").records():
        assert record.pixels == {
            value: int((np.asarray(wanted[record.stem]) == value).sum()) for value in record.pixels
        }
    segprep.split(tmp_path / "new", update=True)
    assert {
        name: data
        for name, data in snapshot(tmp_path / "new").items()
        if name.startswith("ImageSets")
    } == {name: data for name, data in before.items() if name.startswith("ImageSets")}


def test_twice_swapped_is_as_it_was(ours: Path, tmp_path: Path) -> None:
    swap = ("cat=dog", "dog=cat")
    segprep.remap(ours, tmp_path / "once", map=swap)
    segprep.remap(tmp_path / "once", tmp_path / "twice", map=swap)
    assert masks_of(tmp_path / "once") != masks_of(ours)
    for name, data in snapshot(tmp_path / "twice").items():
        if name not in ("segprep.json", "records.jsonl"):
            assert data == snapshot(ours)[name]


def test_any_number_of_jobs_gives_the_same_bytes(tmp_path: Path) -> None:
    root = foreign(tmp_path / "theirs", {f"m{n}": [[n % 4, 1], [2, 255]] for n in range(90)})
    segprep.remap(root, tmp_path / "one", map=("1=2", "2=1"))
    segprep.remap(root, tmp_path / "two", map=("1=2", "2=1"), jobs=2)
    assert snapshot(tmp_path / "one") == snapshot(tmp_path / "two")


def test_the_same_again_writes_nothing_and_a_new_mask_is_added(
    ours: Path, source: Path, tmp_path: Path, make: Callable[..., Path]
) -> None:
    segprep.remap(ours, tmp_path / "new", drop=("cow",))
    again = segprep.remap(ours, tmp_path / "new", drop=("cow",))
    assert (again.conversion.written, again.conversion.kept) == (False, 12)
    make(
        source,
        "later",
        {"label": "dog", "points": [[2, 2], [5, 2], [5, 5]], "shape_type": "polygon"},
    )
    segprep.convert("labelme", source, ours, objects=True)
    more = segprep.remap(ours, tmp_path / "new", drop=("cow",))
    assert (more.conversion.converted, more.conversion.kept) == (1, 12)
    with pytest.raises(SegprepError) as caught:
        segprep.remap(ours, tmp_path / "new", drop=("dog",))
    assert caught.value.code == "tree-exists"
    assert segprep.remap(
        ours, tmp_path / "new", drop=("dog",), overwrite=True
    ).conversion.classes == ("_background_", "cat", "cow")


def test_objects_stay_but_where_their_class_goes(tmp_path: Path) -> None:
    root = foreign(
        tmp_path / "theirs", {"a": [[0, 1, 2], [3, 3, 255]]}, "_background_\ncat\ncow\ndog\n"
    )
    place(
        root / "SegmentationObject/a.png",
        encode_objects(np.array([[0, 1, 2], [3, 4, 65535]], np.uint16)),
    )
    segprep.remap(root, tmp_path / "a", drop=("cat",))
    assert read_mask(tmp_path / "a/SegmentationObject/a.png").tolist() == [[0, 0, 2], [3, 4, 255]]
    segprep.remap(root, tmp_path / "b", drop=("cow", "dog"), drop_as="ignore")
    assert read_mask(tmp_path / "b/SegmentationObject/a.png").tolist() == [
        [0, 1, 255],
        [255, 255, 255],
    ]
    segprep.remap(root, tmp_path / "c", map=("cat=cow", "__ignore__=cow"))
    assert read_mask(tmp_path / "c/SegmentationObject/a.png").tolist() == [[0, 1, 2], [3, 4, 0]]
    assert read_mask(tmp_path / "c/SegmentationClass/a.png").tolist() == [[0, 1, 1], [2, 2, 1]]


def test_sixteen_bit_objects_stay_sixteen_bit(tmp_path: Path) -> None:
    ids = np.arange(40_000, 40_600, dtype=np.uint16).reshape(20, 30)
    root = foreign(tmp_path / "theirs", {"a": [[1] * 30] * 20}, "_background_\ncat\n")
    place(root / "SegmentationObject/a.png", encode_objects(ids))
    segprep.remap(root, tmp_path / "new", map=("cat=dog",))
    assert (read_mask(tmp_path / "new/SegmentationObject/a.png") == ids).all()


def test_black_and_white_masks_are_repaired_by_ids(tmp_path: Path) -> None:
    root = foreign(tmp_path / "theirs", {"a": [[0, 255], [255, 0]], "b": [[0, 0], [0, 255]]})
    place(root / "ImageSets/Segmentation/train.txt", b"a\nnowhere\n")
    result = command(root, tmp_path / "new", "--ids", "0=background,255=cell", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["classes"] == ["background", "cell"]
    assert document["table"] == [
        {"value": 0, "class": "background", "new_value": 0, "new_class": "background"},
        {"value": 255, "class": "cell", "new_value": 1, "new_class": "cell"},
    ]
    assert masks_of(tmp_path / "new") == {"a": [[0, 1], [1, 0]], "b": [[0, 0], [0, 1]]}
    assert [note["code"] for note in document["notes"]] == ["listed-missing"]
    assert Tree(tmp_path / "new").lists() == {"train": ("a",)}
    assert snapshot(tmp_path / "new")["JPEGImages/a.jpg"] == snapshot(root)["JPEGImages/a.jpg"]


def test_black_and_white_masks_read_as_ignored_are_pointed_out(tmp_path: Path) -> None:
    root = foreign(
        tmp_path / "theirs",
        {"a": [[0, 255], [255, 0]], "b": [[0, 1], [1, 255]], "c": [[0, 0], [0, 0]]},
        "_background_\ncat\n",
    )
    done = segprep.remap(root, tmp_path / "new", map=("cat=dog",))
    assert [(note.stem, note.code) for note in done.conversion.notes] == [("a", "values-unclear")]
    assert not [
        note
        for note in segprep.remap(
            root, tmp_path / "mended", ids="0=background,1=cat,255=cat"
        ).conversion.notes
        if note.stem
    ]


def test_masks_without_any_class_names(tmp_path: Path) -> None:
    root = foreign(tmp_path / "theirs", {"a": [[0, 255], [255, 0]]})
    segprep.remap(root, tmp_path / "new", map=("255=1",))
    assert masks_of(tmp_path / "new") == {"a": [[0, 1], [1, 0]]}
    assert Tree(tmp_path / "new").classes() == segprep.Classes(("_background_", "class_1"))
    segprep.remap(root, tmp_path / "named", classes="nothing,cell", map=("ignore=cell",))
    assert (masks_of(tmp_path / "named"), Tree(tmp_path / "named").classes().names) == (
        {"a": [[0, 1], [1, 0]]},
        ("nothing", "cell"),
    )  # type: ignore[union-attr]


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


def test_a_stopped_run_goes_on_and_ends_like_a_clean_one(ours: Path, tmp_path: Path) -> None:
    stem = Tree(ours).stems()[5]
    good = Tree(ours).mask_path(stem).read_bytes()
    Tree(ours).mask_path(stem).write_bytes(good[: good.index(b"IDAT") + 12])
    with pytest.raises(BadInputError) as caught:
        segprep.remap(ours, tmp_path / "new", drop=("cow",))
    assert [one.code for one in caught.value.skipped] == ["image-damaged"]  # type: ignore[attr-defined]
    assert len((tmp_path / "new/.segprep-incomplete/journal.jsonl").read_bytes().splitlines()) == 11
    Tree(ours).mask_path(stem).write_bytes(good)
    segprep.remap(ours, tmp_path / "new", drop=("cow",))
    segprep.remap(ours, tmp_path / "clean", drop=("cow",))
    assert snapshot(tmp_path / "new") == snapshot(tmp_path / "clean")


def test_a_dry_run_reads_everything_and_writes_nothing(ours: Path, tmp_path: Path) -> None:
    result = command(ours, tmp_path / "new", "--map", "cat=dog", "-n")
    assert result.exit_code == 0
    assert "12 samples would be remapped" in result.stdout
    assert not (tmp_path / "new").exists()


def test_gray_masks_stay_gray(source: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "ours", mask_mode="gray")
    segprep.remap(tmp_path / "ours", tmp_path / "new", drop=("cow",))
    with Image.open(tmp_path / "new/SegmentationClass/img0.png") as mask:
        assert mask.mode == "L"
    segprep.remap(tmp_path / "ours", tmp_path / "palette", drop=("cow",), mask_mode="palette")
    with Image.open(tmp_path / "palette/SegmentationClass/img0.png") as mask:
        assert mask.mode == "P"


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


def test_the_official_voc_export(real: Path, tmp_path: Path) -> None:
    """labelme's own VOC export, which segprep did not make: two classes merged, checked against
    NumPy.
    """
    folder = real / "labelme/semantic_segmentation/data_dataset_voc"
    made = segprep.remap(folder, tmp_path / "new", map=("bus=car",), jobs=2)
    was = Tree(folder).classes()
    assert was
    number = {name: n for n, name in enumerate(made.conversion.classes)}
    assert len(number) == len(was.names) - 1
    table = np.array(
        [number["car" if name == "bus" else name] for name in was.names]
        + [255] * (256 - len(was.names))
    )
    for stem in Tree(folder).stems():
        old = read_mask(Tree(folder).mask_path(stem))
        assert (read_mask(Tree(tmp_path / "new").mask_path(stem)) == table[old]).all()
        assert (
            Tree(tmp_path / "new").image_path(stem).read_bytes()
            == Tree(folder).image_path(stem).read_bytes()
        )  # type: ignore[union-attr]
