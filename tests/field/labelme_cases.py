"""Annotations of labelme and its like."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from answers import Answer, Case, command, mask, names, pixels, segprep, stems


def image_path(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "json2mask 01b-renamed-embedded o1")
    same = [
        (folder / f"01b-renamed-embedded/img_{n}.png").read_bytes()
        == (folder / f"o1/JPEGImages/img_{n}.png").read_bytes()
        if (folder / f"o1/JPEGImages/img_{n}.png").is_file()
        else False
        for n in (1, 2, 3)
    ]
    yield Answer("the embedded copy decides which image is taken", all(same), f"{same} {run.seen}")
    yield Answer("and it is said", run.says("img_1") and run.says("img_2.png"), run.seen)
    run = segprep(folder, "json2mask 01-renamed o2")
    yield Answer(
        "nothing decides: both candidates are named",
        run.says("img_1.png", "img_2.png") and (run.code == 1 or run.says("note")),
        run.seen,
    )
    for name, stem in (("02-same-imagepath", "f1"), ("43-copy", "a")):
        run = segprep(folder, f"json2mask {name} o-{name}")
        said = run.says("note") or run.code == 1
        yield Answer(
            f"{name}: one image of two annotations is said", said and run.says(stem), run.seen
        )


def traceback_at_exit(folder: Path) -> Iterator[Answer]:
    runs = [segprep(folder, "json2mask in out -j 2 --no-progress") for _ in range(20)]
    traces = sum("Traceback" in run.text for run in runs)
    yield Answer("20 failing runs with 2 workers end without traceback", not traces, str(traces))
    yield Answer("with exit code 1", {run.code for run in runs} == {1}, runs[0].seen[-200:])


def hidden_class(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "json2mask 60-hidden out")
    told = run.says("windshield", "--overlap") and run.says("100")
    yield Answer("what a class loses is said, with the options that keep it", told, run.seen)
    run = segprep(folder, "json2mask 60-hidden area --overlap area")
    where = names(folder / "area").index("windshield") if run.code == 0 else 99
    yield Answer("--overlap area keeps it", (mask(folder / "area", "f0") == where).any(), run.seen)


def rasters(folder: Path) -> Iterator[Answer]:
    for name, count in (("50-linestrip", 3808), ("47-mask-crop1", 400), ("47b-mask-crop5", 256)):
        run = segprep(folder, f"json2mask {name} {name}-out")
        got = pixels(folder / f"{name}-out", "a")
        yield Answer(f"{name}: {count} px as labelme 7.1", got == count, f"{got} {run.seen}")
    segprep(folder, "json2mask 32e-mask-fraction o32")
    rows, columns = np.nonzero(mask(folder / "o32", "a"))
    corner = (int(columns.min()), int(rows.min())) if len(rows) else None
    yield Answer(
        "32e: fractional corners round, or stay as version 5.5 drew",
        corner in ((15, 15), (14, 14)),
        str(corner),
    )


def embedded(folder: Path) -> Iterator[Answer]:
    for n, name in enumerate(("03-float-tiff-embedded", "40-damaged-embedded", "22-heic-embedded")):
        run = segprep(folder, f"json2mask {name} o{n}")
        yield Answer(
            f"{name}: the embedded copy is used, and said",
            run.code == 0 and run.says("embedded"),
            run.seen,
        )


def shapes(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "json2mask 04a-quadrilateral o1")
    yield Answer(
        "a quadrilateral is its polygon",
        run.code == 0 and pixels(folder / "o1", "a") > 600,
        run.seen,
    )
    run = segprep(folder, "json2mask 04b-cuboid o2")
    right = pixels(folder / "o2", "a") > 400 if run.code == 0 else run.says("--unknown-shape")
    yield Answer("a cuboid is painted, or refused with a way out", right, run.seen)
    run = segprep(folder, "json2mask 04e-rotation o3")
    yield Answer(
        "a rotated box works", run.code == 0 and pixels(folder / "o3", "a") > 700, run.seen
    )


def old_tree(folder: Path) -> Iterator[Answer]:
    for line in ("info 61-labelme2voc", "split 61-labelme2voc --seed 1"):
        run = segprep(folder, line)
        read = run.code == 0 and run.says("3 ")
        way = run.says("SegmentationClassPNG") and run.says("convert voc")
        yield Answer(
            f"{line}: reads SegmentationClassPNG, or names convert voc", read or way, run.seen
        )


def bad_shapes(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "json2mask 12-stray-click o1")
    listed = run.says("shapes[1]", "shapes[2]", "shapes[3]")
    yield Answer("all bad shapes are listed at once", listed, run.seen)
    run = segprep(folder, "json2mask 12-stray-click o2 --bad-shape skip")
    yield Answer("--bad-shape skip keeps the picture", stems(folder / "o2") == ["a", "b"], run.seen)


def class_lists(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "json2mask 19c-labels-ids o1")
    yield Answer(
        "19c: the list's file is named, or read as a table",
        run.says("labels.txt") or names(folder / "o1")[1:] == ["猫", "狗"],
        run.seen,
    )
    run = segprep(folder, "json2mask 20-label-txt o2")
    yield Answer(
        "20: label.txt is named or used",
        run.says("label.txt") or names(folder / "o2")[1:2] == ["water"],
        run.seen,
    )
    run = segprep(folder, "json2mask 48-typo o3")
    yield Answer(
        "48: the typo is pointed out",
        run.says("ccrop") and run.says("letter") or run.says("typo"),
        run.seen,
    )
    run = segprep(folder, "json2mask 21-number-labels o4")
    yield Answer("21: numbers as labels are read", run.code == 0, run.seen)


def harmless(folder: Path) -> Iterator[Answer]:
    for name in ("05-nan-score", "06b-zero-size", "06c-text-size", "06d-minus-size", "07-data-url"):
        run = segprep(folder, f"json2mask {name} o-{name}")
        got = pixels(folder / f"o-{name}", "a")
        yield Answer(f"{name}: 441 px", got == 441, f"{got} {run.seen}")
    run = segprep(folder, "json2mask 06-swapped-size o6")
    yield Answer(
        "swapped width and height are called so", run.code == 1 and run.says("swapped"), run.seen
    )
    run = segprep(folder, "json2mask 08-int-label o8")
    yield Answer("a whole number as label is its text", run.code == 0, run.seen)


def annotators(folder: Path) -> Iterator[Answer]:
    tools = {
        "18a-eiseg": "eiseg",
        "18b-isat": "isat",
        "18c-via": "via",
        "18d-supervisely": "supervisely",
        "18e-labelme-xml": "xml",
        "18f-label-studio": "label studio",
    }
    for name, tool in tools.items():
        for line in (f"json2mask {name} o1-{name}", f"convert auto {name} o2-{name}"):
            run = segprep(folder, line)
            said = tool in run.text.replace(name, "").lower()
            yield Answer(
                f"{line}: names the tool", run.code != 0 and said or run.code == 0, run.seen
            )


def small_things(folder: Path) -> Iterator[Answer]:
    run = segprep(folder, "json2mask 36-normalised o1")
    yield Answer(
        "coordinates within 0..1 are an error or a note",
        run.code == 1 or run.says("0..1") or run.says("normalized"),
        run.seen,
    )
    run = segprep(folder, "json2mask 33b-labels-variant o2")
    yield Answer(
        "the hint merges into the most frequent spelling",
        "=cra ck" not in run.text and "=" + "'cra ck'" not in run.text,
        run.seen,
    )
    run = segprep(folder, "json2mask 44-stem-path o3 --stem path")
    yield Answer(
        "no hint at what was given",
        not run.says("give --stem path") and run.says("rename"),
        run.seen,
    )
    first = segprep(folder, "json2mask 62-blank-stem o4")
    run = segprep(folder, "split o4")
    yield Answer(
        "names with blanks are noted",
        any(r.says("blank") or r.says("space") for r in (first, run)),
        run.seen,
    )
    run = segprep(folder, "json2mask 28-unlabelled/a.json o5")
    yield Answer(
        "a file as SRC: give its folder",
        run.says("folder") and "is a file." not in run.text,
        run.seen,
    )
    (folder / "labels.txt").write_text("_background_\nWhole vertebra\n")
    (folder / "v").mkdir()
    for path in (folder / "36-normalised").iterdir():
        text = path.read_bytes().replace(b'"cat"', b'"Whole vertebrae"').replace(b"0.", b"2")
        (folder / "v" / path.name).write_bytes(
            text if path.suffix == ".json" else path.read_bytes()
        )
    run = command(folder, ["segprep", "json2mask", "v", "o6", "--classes", "labels.txt"])
    yield Answer(
        "hints quote labels with blanks",
        "--map 'Whole vertebrae" in run.text or '--map "Whole' in run.text,
        run.seen,
    )


CASES: dict[str, Case] = {
    "01-imagepath-names-another-image": image_path,
    "02-traceback-at-exit": traceback_at_exit,
    "03-class-hidden-by-order": hidden_class,
    "05-labelme7-rasters": rasters,
    "06-embedded-copy-not-used": embedded,
    "07-xanylabeling-shapes": shapes,
    "08-labelme2voc-tree": old_tree,
    "09-one-bad-shape": bad_shapes,
    "10-which-class-list": class_lists,
    "11-harmless-fields": harmless,
    "13-other-annotators": annotators,
    "15-small-things": small_things,
}
