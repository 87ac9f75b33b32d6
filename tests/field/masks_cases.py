"""Folders of masks, COCO files, predictions."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from answers import Answer, Case, lists, mask, names, segprep, stems
from PIL import Image


def ids(tree: Path) -> set[int]:
    """Every value of a tree's masks."""
    return {int(v) for stem in stems(tree) for v in np.unique(mask(tree, stem))}


def rgb16(folder: Path) -> Iterator[Answer]:
    for n, line in enumerate(
        (
            "./ OUT --images images --masks labels --classes 3",
            "grey_alpha OUT --classes 3",
        )
    ):
        run = segprep(folder, f"convert pairs in/{line.replace('OUT', f'o{n}')}")
        right = run.code == 1 and run.says("16 bit") or ids(folder / f"o{n}") == {0, 1, 2}
        yield Answer(f"pairs {line}: 16 bits are kept or refused", right, run.seen)
    run = segprep(
        folder, "convert binary in o9 --images images --masks labels --foreground nonzero"
    )
    right = run.code == 1 and run.says("16 bit") or 1 in ids(folder / "o9")
    yield Answer("binary: 16 bits are kept or refused", right, run.seen)


def truth_255(folder: Path) -> Iterator[Answer]:
    for pred, options, score in (
        ("pred_black", "", 0.4805),
        ("pred01", "", 0.9711),
        ("pred255", "--threshold 0.5", 0.9711),
    ):
        run = segprep(folder, f"miou in/{pred} --truth in/truth --classes 2 {options} --json")
        right = run.code in (1, 2) and run.says("255") or f'"miou": {score}' in run.text
        yield Answer(f"{pred}: truth of 0 and 255 is no silent 1.0", right, run.seen)
        run = segprep(
            folder,
            f"miou in/{pred} --truth in/truth --classes 2 {options} --truth-ids 0=0,255=1 --json",
        )
        got = json.loads(run.out)["miou"] if run.code == 0 else None
        yield Answer(
            f"{pred} --truth-ids: {score}", got is not None and abs(got - score) < 1e-4, run.seen
        )


def field_of_view(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "convert auto in OUT --foreground light")
    same = run.code == 0 and run.says("manual1")
    yield Answer(
        "both mask folders are named, or manual1 is taken",
        run.code in (1, 2) and run.says("manual1", "mask") or same,
        run.seen,
    )


def classes_csv(folder: Path) -> Iterator[Answer]:
    for n, options in enumerate(
        (
            "--classes in/roboflow/train/_classes.csv",
            "--classes in/class_dict_seg.csv",
            "",
        )
    ):
        run = segprep(folder, f"convert auto in/roboflow o{n} {options}")
        got = names(folder / f"o{n}")
        right = run.code in (1, 2) and bool(options) or got[:3] in (
            ["background", "cat", "dog"], ["unlabeled", "paved-area", "dirt"]
        )  # fmt: skip
        yield Answer(
            f"{options or 'no option'}: names from the right column", right, f"{got} {run.seen}"
        )


def paired_with_itself(folder: Path) -> Iterator[Answer]:
    run = segprep(
        folder,
        "convert binary in/Train o --images . --masks Label --foreground light --on-error skip",
    )
    yield Answer(
        "a mask is never an image",
        stems(folder / "o") == ["0002", "0005"],
        f"{stems(folder / 'o')} {run.seen}",
    )


def tiff16(folder: Path) -> Iterator[Answer]:
    for name in ("chunky", "planar", "int16", "gdal-grey"):
        run = segprep(folder, f"convert auto in/{name} o-{name} --classes land,water")
        made = list((folder / f"o-{name}").glob("JPEGImages/*.png"))
        kept = bool(made) and all(path.read_bytes()[24] == 16 for path in made)  # IHDR's bit depth
        said = run.code in (1, 3) and (
            run.says("16 bit") or run.says("16-bit") or run.says("int16")
        )
        right = (kept if run.code == 0 else said) and not run.says("restore the file")
        yield Answer(f"{name}: all 16 bits, or refused by name", right, run.seen)


def ids_and_vis(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "convert auto in o1")
    yield Answer(
        "both folders are named, one has to be chosen",
        run.code in (1, 2) and run.says("ids", "vis"),
        run.seen,
    )
    run = segprep(folder, "convert pairs in o2 --images images --masks labels/ids")
    yield Answer("labels/ids gives 0, 1, 2", ids(folder / "o2") == {0, 1, 2}, run.seen)


def same_stem(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "convert auto in o1")
    if run.code and run.says("--foreground"):
        run = segprep(folder, "convert auto in o1 --foreground light")
    yield Answer("auto: 6 samples", len(stems(folder / "o1")) == 6, run.seen)
    yield Answer(
        "lists train and val", {"train", "val"} <= lists(folder / "o1"), str(lists(folder / "o1"))
    )
    run = segprep(folder, "convert binary in/traincrop o2 --foreground light --images . --masks .")
    yield Answer("binary: 4 samples", len(stems(folder / "o2")) == 4, run.seen)


def values_none(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "convert pairs in/nnunet o1")
    yield Answer("nnU-Net: 5 samples", len(stems(folder / "o1")) == 5, run.seen)
    known = list(json.loads((folder / "in" / "nnunet" / "dataset.json").read_text())["labels"])
    got = names(folder / "o1")
    yield Answer("names of dataset.json", bool(got) and set(got) & set(known) != set(), str(got))
    run = segprep(folder, "convert pairs in/video o2")
    yield Answer(
        "the collision and --stem path are named",
        run.says("--stem path") and not run.says("values none"),
        run.seen,
    )


def auto_collisions(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "convert auto in o")
    yield Answer("auto names the collision, with --stem path", run.says("--stem path"), run.seen)
    run = segprep(folder, "convert binary in o2 --foreground light --stem path")
    yield Answer("binary --stem path: 8 samples", len(stems(folder / "o2")) == 8, run.seen)


def coco_root(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "convert auto in o")
    yield Answer(
        "the root category is not a class",
        names(folder / "o") == ["_background_", "court", "net"],
        run.seen,
    )
    yield Answer("5 samples", len(stems(folder / "o")) == 5, str(stems(folder / "o")))


def coco_two(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "convert auto in o --classes _background_,cat,dog")
    first = json.loads((folder / "in" / "a" / "instances.json").read_text())
    yield Answer(
        "categories are matched by name", run.code == 0 and len(stems(folder / "o")) == 4, run.seen
    )
    yield Answer("a has images", bool(first["images"]))


def missing_empty(folder: Path) -> Iterator[Answer]:
    line = "convert binary in o --images test --masks ground_truth --foreground light --stem path"
    run = segprep(folder, f"{line} --missing empty")
    yield Answer("--missing empty: 10 samples", len(stems(folder / "o")) == 10, run.seen)
    run = segprep(folder, line.replace(" o ", " o2 "))
    yield Answer("the refusal names --missing empty", run.says("--missing empty"), run.seen)


def traceback(folder: Path) -> Iterator[Answer]:
    runs = [segprep(folder, "convert pairs in out -n -j 2") for _ in range(10)]
    yield Answer(
        "ten failing runs end without traceback",
        not any("Traceback" in run.text for run in runs),
        runs[0].seen,
    )


def instance_ids(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "convert auto in o")
    yield Answer("ids that look like instances are said", run.says("instance"), run.seen)


def export16(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "convert auto in o")
    if run.code:
        yield Answer("convert auto works", False, run.seen)
        return
    run = segprep(folder, "export voc V -d o")
    grays = 0
    for path in (folder / "V").rglob("*.jpg"):
        with Image.open(path) as picture:
            grays = max(grays, int(np.asarray(picture).max()))
    yield Answer(
        "12-bit grays are stretched and said, or refused",
        run.code != 0 or grays > 100 and run.says("16"),
        f"max {grays} {run.seen}",
    )


def split_lost(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "convert auto in o")
    if run.code and run.says("--foreground"):
        run = segprep(folder, "convert auto in o --foreground light")
    yield Answer(
        "lists train and val",
        {"train", "val"} <= lists(folder / "o"),
        f"{lists(folder / 'o')} {run.seen}",
    )


CASES: dict[str, Case] = {
    "01-mask-rgb16": rgb16,
    "02-miou-truth-255": truth_255,
    "03-fov-taken-for-truth": field_of_view,
    "04-classes-csv": classes_csv,
    "06-mask-paired-with-itself": paired_with_itself,
    "07-tiff-16bit": tiff16,
    "08-ids-and-vis": ids_and_vis,
    "09-same-stem": same_stem,
    "11-values-none": values_none,
    "12-auto-collisions": auto_collisions,
    "14-coco-same-category": coco_root,
    "15-coco-two-exports": coco_two,
    "16-no-mask-means-empty": missing_empty,
    "18-traceback": traceback,
    "20-instance-ids": instance_ids,
    "21-export-16bit": export16,
    "23-split-lost": split_lost,
}
