"""Run every input of the folder ``field`` (small inputs rebuilt from bug reports) and print,
case by
case, whether the answer is right. Run by ``make field``.

    python tests/field/run.py [PART OF A CASE'S NAME ...]

The folder is looked up beside the project (``../shared/field``) or in SEGPREP_FIELD; without it
nothing can be run. Exit code 1 if an answer is wrong.
"""

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("SEGPREP_FIELD", HERE.parents[2] / "shared" / "field"))
ROOMS = ("labelme", "masks", "faults")


def cases(room: str) -> Iterator[tuple[str, Any]]:
    """The functions of ROOM_cases.py, named after the folders that they run."""
    spec = importlib.util.spec_from_file_location(f"{room}_cases", HERE / f"{room}_cases.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield from module.CASES.items()


def main(wanted: list[str]) -> int:
    """Run the cases whose name holds one of *wanted* (all without), count right and wrong."""
    sys.path.insert(0, str(HERE))
    if not FOLDER.is_dir():
        print(f"{FOLDER} is absent: set SEGPREP_FIELD")
        return 2
    right = wrong = 0
    for room in ROOMS:
        for name, case in cases(room):
            if wanted and not any(word in f"{room}/{name}" for word in wanted):
                continue
            with tempfile.TemporaryDirectory() as folder:
                work = Path(folder).resolve()
                shutil.copytree(FOLDER / room / name, work / "in")
                for answer in case(work if room == "masks" else work / "in"):
                    right, wrong = right + answer.right, wrong + (not answer.right)
                    verdict = "right" if answer.right else "WRONG"
                    print(f"{verdict}  {room}/{name}: {answer.question}", flush=True)
                    if not answer.right:
                        print(f"       saw: {answer.seen[:400]}", flush=True)
    print(f"{right} right, {wrong} wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
