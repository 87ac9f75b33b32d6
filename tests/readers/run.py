"""Every export opened by its real reader: ``make readers``. Prints the table of docs/exports.md.

The readers live in environments of their own, named by SEGPREP_READERS (most of them),
SEGPREP_LABELME_PYTHON, SEGPREP_DATUMARO_PYTHON and SEGPREP_FIFTYONE_PYTHON; a reader whose
environment is absent is named as not run. Trees: the bundled example (ignored pixels and holes),
and Oxford pets and nuclei with objects where ../shared/data has them.
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
}
OPTIONS: dict[str, dict[str, Any]] = {"mmseg": {"images": "png"}, "keras": {"frames": "png"}}


def trees(folder: Path) -> dict[str, Path]:
    """The datasets, each split."""
    segprep.convert("labelme", ROOT / "examples/shapes", folder / "example")
    if (DATA / "oxford_pets").is_dir():
        segprep.convert("pet", DATA / "oxford_pets", folder / "pets")
    if (DATA / "dsb2018/stage1_train").is_dir():
        segprep.convert("dsb2018", DATA / "dsb2018/stage1_train", folder / "nuclei", objects=True)
    found = {path.name: path for path in sorted(folder.iterdir())}
    for path in found.values():
        segprep.split(path, seed=1, overwrite=True)
    return found


def opened(target: str, export: Path, tree: Path, cache: Path) -> str:
    """One cell of the table."""
    python = os.environ.get(ENVIRONMENTS.get(target, "SEGPREP_READERS"), "")
    if target == "paddle" or not Path(python).is_file():
        return "not run"
    done = subprocess.run(
        [python, Path(__file__).with_name("opened.py"), target, export, tree / "SegmentationClass"],
        capture_output=True,
        text=True,
        env=os.environ | {"HF_CACHE": str(cache), "QT_QPA_PLATFORM": "offscreen"},
    )
    if done.returncode:
        return f"failed: {(done.stderr.strip().splitlines() or ['no message'])[-1][:80]}"
    result = json.loads(done.stdout.strip().splitlines()[-1])
    return f"{result['reader']} {result['version']}: {result['right']}/{result['masks']}"


def main() -> int:
    """Print a row per target; 1 if a reader failed or returned a wrong pixel."""
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        datasets = trees(folder / "trees")
        print(f"| target | {' | '.join(datasets)} |\n|---|{'---|' * len(datasets)}")
        for target in targets.names():
            cells = []
            for tree, path in datasets.items():
                out = folder / "out" / tree / target
                segprep.export(target, path, out, **OPTIONS.get(target, {}))
                cells.append(opened(target, out, path, folder / "cache"))
                right, _, total = cells[-1].rpartition(" ")[2].partition("/")
                bad += cells[-1] != "not run" and right != total
            print(f"| `{target}` | {' | '.join(cells)} |", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
