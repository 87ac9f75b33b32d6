"""``make bench-compare REV=…``: CPU time of this working tree against a revision of it, in turn, on
generated data from fixed seeds, with every output compared byte for byte.

CPU time is that of whole processes, start included. Every run writes to a folder of its own: taking
an old one away right before a run costs that run system time.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import annotations
import nuclei
import processor
import tiny
from measuring import Comparison, Row, Size, fresh, head, measure

from segprep import kernel

ROOT = Path(__file__).parents[2]
START = "import sys; sys.path.insert(0, {!r}); from segprep_cli.main import main; main()"
Case = Callable[[str], list[str]]


def checkout(revision: str, folder: Path) -> Path:
    """The package as it is at *revision*, importable from the folder returned."""
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", revision, "segprep", "cli"], cwd=ROOT, check=True, capture_output=True
    )
    subprocess.run(["tar", "x", "-C", str(folder)], input=archive.stdout, check=True)
    (folder / "segprep_cli").symlink_to("cli")
    if kernel.compiled:
        _compile(folder / "segprep")
    return folder


def _compile(package: Path) -> None:
    """Give *package* its compiled kernel, if it had one."""
    if sources := [str(path) for path in package.glob("_*.c")]:
        compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
        options = ["-shared", "-fPIC", "-O3", "-DNDEBUG", f"-I{sysconfig.get_path('include')}"]
        library = str(package / "_kernel.abi3.so")
        subprocess.run([*compiler, *options, *sources, "-o", library], check=True)


def present(folder: Path) -> Path:
    """The package as it lies in the working tree, importable from the folder returned."""
    folder.mkdir()
    (folder / "segprep").symlink_to(ROOT / "segprep")
    (folder / "segprep_cli").symlink_to(ROOT / "cli")
    return folder


def cases(data: Path, tree: Path, size: Size) -> dict[str, Case]:
    """What is measured: name -> the arguments, given a new output folder."""
    annotations.write(data / "labelme", size(60))
    shutil.copytree(data / "labelme", data / "inferred")
    (data / "inferred" / "labels.txt").unlink()
    nuclei.write(data / "nuclei", size(12))
    tiny.write(data / "pairs", size(40), side=360)
    tiny.write(data / "tiny", size(2000))
    one, classes = ("-j", "1"), ("--classes", "3")

    def convert(kind: str, *options: str) -> Case:
        source = str(data / options[0])
        return lambda out: ["convert", kind, source, out, *one, *options[1:]]

    masks = str(tree / "SegmentationClass")
    return {
        "json2mask, class list given": convert("labelme", "labelme"),
        "json2mask, classes inferred": convert("labelme", "inferred"),
        "dsb2018": convert("dsb2018", "nuclei"),
        "pairs, 360 x 360, values inferred": convert("pairs", "pairs"),
        "pairs, tiny": convert("pairs", "tiny", *classes),
        "the same again": lambda _: [*convert("pairs", "tiny", *classes)(str(tree))],
        "split --dry-run": lambda _: ["split", str(tree), "--dry-run"],
        "info": lambda _: ["info", str(tree)],
        "verify": lambda _: ["verify", str(tree), *one],
        "miou, tiny": lambda _: ["miou", masks, "-d", str(tree), *one],
    }


def command(place: Path, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-c", START.format(str(place)), *arguments]


def in_place(case: Case, folder: Callable[[], str], place: Path) -> Callable[[], list[str]]:
    """*case* with the package of *place*, and a new folder for each run."""
    return lambda: command(place, case(folder()))


def differences(first: Path, second: Path) -> int:
    """How many files of two outputs differ."""
    names = {
        path.relative_to(folder)
        for folder in (first, second)
        for path in folder.rglob("*")
        if path.is_file()
    }
    return sum(
        not all((folder / name).is_file() for folder in (first, second))
        or (first / name).read_bytes() != (second / name).read_bytes()
        for name in names
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("revision", nargs="?", default="HEAD~1")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sample", action="store_true", help="two of everything, one round")
    options = parser.parse_args()
    rounds = 1 if options.sample else options.rounds
    print(f"{processor.name()}\n\n{head('here')}")
    with tempfile.TemporaryDirectory(prefix="segprep-compare-") as name:
        work, then = Path(name), options.revision[:12]
        places = {then: checkout(options.revision, work / "then"), "here": present(work / "now")}
        (work / "data").mkdir()
        size = (lambda _: 2) if options.sample else int
        listed = cases(work / "data", work / "tree", size)
        measure(command(places[then], listed["pairs, tiny"](str(work / "tree"))))
        for operation, case in listed.items():
            outs = work / "outs"
            programs = {side: in_place(case, fresh(outs / side), places[side]) for side in places}
            comparison = Comparison(programs, [Row(operation, "here", then)])
            print(*comparison.lines(rounds), flush=True)
            last = [outs / side / str(rounds - 1) for side in places]
            if all(map(os.path.isdir, last)) and (other := differences(*last)):
                print(f"{operation}: {other} FILES DIFFER")
            shutil.rmtree(outs)


if __name__ == "__main__":
    main()
