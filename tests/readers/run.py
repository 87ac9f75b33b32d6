"""Every export opened by its real reader: ``make readers``. Prints the table of docs/exports.md.

The readers live in environments of their own, named by SEGPREP_READERS (most of them) and
SEGPREP_LABELME_PYTHON, SEGPREP_DATUMARO_PYTHON, SEGPREP_FIFTYONE_PYTHON, SEGPREP_PADDLE_PYTHON; a
reader whose environment is absent is named as not run. Trees: the bundled example (ignored pixels
and holes), and Oxford pets and nuclei with objects where ../shared/data has them.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import segprep
from segprep import targets

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SEGPREP_REAL_DATA", ROOT.parent / "shared" / "data"))
ENVIRONMENTS = {
    "labelme": "SEGPREP_LABELME_PYTHON",
    "datumaro": "SEGPREP_DATUMARO_PYTHON",
    "cvat": "SEGPREP_DATUMARO_PYTHON",
    "fiftyone": "SEGPREP_FIFTYONE_PYTHON",
    "paddle": "SEGPREP_PADDLE_PYTHON",
}
CANNOT_RUN = {
    "fiftyone": "not run: FiftyOne keeps datasets in MongoDB",
    "cvat": "not run: clicks in CVAT",
    "labelme": "not run: opens a window",
    "nnunet": "by hand, see below",
}
OPTIONS: dict[str, dict[str, Any]] = {"mmseg": {"images": "png"}, "keras": {"frames": "png"}}


def trees(folder: Path) -> dict[str, Path]:
    """The datasets, each split."""
    segprep.convert("labelme", ROOT / "examples/shapes", folder / "example")
    if (DATA / "oxford_pets").is_dir():
        segprep.convert("pet", DATA / "oxford_pets", folder / "pets")
    if (DATA / "dsb2018/stage1_train").is_dir():
        segprep.convert("dsb2018", DATA / "dsb2018/stage1_train", folder / "nuclei", objects=True)
    found = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()}
    for path in found.values():
        segprep.split(path, seed=1, overwrite=True)
    return found


def called(target: str, *arguments: str | Path, folder: Path) -> dict[str, Any] | str:
    """What opened.py says, or why it says nothing."""
    python = os.environ.get(ENVIRONMENTS.get(target, "SEGPREP_READERS"), "")
    if not Path(python).is_file():
        return "not run"
    done = subprocess.run(
        [python, Path(__file__).with_name("opened.py"), target, *arguments],
        capture_output=True,
        text=True,
        env=os.environ
        | {
            "HF_HOME": str(folder / "cache"),
            "HF_CACHE": str(folder / "cache"),
            "LINES_FOLDER": str(folder),
            "QT_QPA_PLATFORM": "offscreen",
            "YOLO_CONFIG_DIR": str(folder),
        },
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1][:100]
        return f"failed: {said}"
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def row(target: str, exports: dict[str, Path], trees: dict[str, Path], folder: Path) -> list[str]:
    """One row of the table: the reader, a cell per dataset, and what the README's lines did."""
    reader, cells = "not run", list[str]()
    for name, out in exports.items():
        result = called(target, out, trees[name], folder=folder)
        if isinstance(result, str):
            cells.append(result)
        else:
            reader = f"{result['reader']} {result['version']}"
            cells.append(f"{result['right']} of {result['masks']} right")
    lines = called(target, exports["example"], "--lines", folder=folder)
    said = lines if isinstance(lines, str) else str(lines["lines"])
    return [f"`{target}`", reader, *cells, CANNOT_RUN.get(target, said)]


def is_bad(cells: list[str]) -> bool:
    """Whether a reader failed or returned a wrong pixel, or lines did not run."""
    counted = [cell.split() for cell in cells if cell.endswith(" right")]
    return any(one[0] != one[2] for one in counted) or any("failed" in cell for cell in cells)


def write(table: list[str]) -> None:
    """Put *table* into docs/exports.md in place of the one that is there."""
    page = ROOT / "docs" / "exports.md"
    head, mark, rest = page.read_text("utf-8").partition("| target | reader |")
    assert mark
    after = rest.partition("\n\n")[2]
    page.write_text(head + "\n".join(table) + "\n\n" + after, "utf-8")


def main() -> int:
    """Print a row per target, with --write into docs/exports.md, too; 1 if a reader failed, or
    returned a wrong pixel.
    """
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        datasets = trees(folder / "trees")
        table = [f"| target | reader | {' | '.join(datasets)} | lines of README.txt |"]
        table.append("|---|---|" + "---|" * (len(datasets) + 1))
        print("\n".join(table), flush=True)
        for target in targets.names():
            exports = {tree: folder / "out" / tree / target for tree in datasets}
            for tree, out in exports.items():
                segprep.export(target, datasets[tree], out, **OPTIONS.get(target, {}))
            cells = row(target, exports, datasets, folder)
            bad += is_bad(cells)
            table.append(f"| {' | '.join(cells)} |")
            print(table[-1], flush=True)
    if "--write" in sys.argv:
        write(table)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
