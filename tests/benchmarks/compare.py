"""``make bench-compare REV=…``: CPU time of this working tree against a revision of it, in turn, on
generated data from fixed seeds, with every output compared byte for byte.

CPU time is that of whole processes, start included. Every run writes to a folder of its own: taking
an old one away right before a run costs that run system time.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import annotations
import nuclei
import processor
import tiny
from run import Run, measure

ROOT = Path(__file__).parents[2]
START = "import sys; sys.path.insert(0, {!r}); from segprep_cli.main import main; main()"
Case = Callable[[Path], list[str]]


def checkout(revision: str, folder: Path) -> Path:
    """The package as it is at *revision*, importable from the folder returned."""
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", revision, "segprep", "cli"], cwd=ROOT, check=True, capture_output=True
    )
    subprocess.run(["tar", "x", "-C", str(folder)], input=archive.stdout, check=True)
    (folder / "segprep_cli").symlink_to("cli")
    return folder


def present(folder: Path) -> Path:
    """The package as it lies in the working tree, importable from the folder returned."""
    folder.mkdir()
    (folder / "segprep").symlink_to(ROOT / "segprep")
    (folder / "segprep_cli").symlink_to(ROOT / "cli")
    return folder


def cases(data: Path, tree: Path) -> dict[str, Case]:
    """What is measured: name -> the arguments, given a new output folder."""
    annotations.write(data / "labelme", 60)
    shutil.copytree(data / "labelme", data / "inferred")
    (data / "inferred" / "labels.txt").unlink()
    nuclei.write(data / "nuclei", 12)
    tiny.write(data / "pairs", 40, side=360)
    tiny.write(data / "tiny", 2000)
    one, classes = ("-j", "1"), ("--classes", "3")

    def convert(kind: str, *options: str) -> Case:
        source = str(data / options[0])
        return lambda out: ["convert", kind, source, str(out), *one, *options[1:]]

    masks = str(tree / "SegmentationClass")
    return {
        "json2mask, class list given": convert("labelme", "labelme"),
        "json2mask, classes inferred": convert("labelme", "inferred"),
        "dsb2018": convert("dsb2018", "nuclei"),
        "pairs, 360 x 360, values inferred": convert("pairs", "pairs"),
        "pairs, 2000 tiny": convert("pairs", "tiny", *classes),
        "the same again": lambda _: [*convert("pairs", "tiny", *classes)(tree)],
        "split --dry-run, 2000": lambda _: ["split", str(tree), "--dry-run"],
        "info, 2000": lambda _: ["info", str(tree)],
        "verify, 2000": lambda _: ["verify", str(tree), *one],
        "miou, 2000 tiny": lambda _: ["miou", masks, "-d", str(tree), *one],
    }


def command(place: Path, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-c", START.format(str(place)), *arguments]


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


def main(revision: str, rounds: int) -> None:
    print(processor.name())
    heads = f"{'here':>8} {'ratio':>7} {'spread':>13} {'memory':>7}"
    print(f"{'operation':<36} {revision[:12]:>12} {heads}")
    with tempfile.TemporaryDirectory(prefix="segprep-compare-") as name:
        work = Path(name)
        places = checkout(revision, work / "then"), present(work / "now")
        data, tree = work / "data", work / "tree"
        listed = cases(data, tree)
        measure(command(places[0], listed["pairs, 2000 tiny"](tree)))
        for operation, case in listed.items():
            runs: tuple[list[Run], list[Run]] = ([], [])
            for turn in range(rounds):
                outs = [work / f"{turn}-{side}" for side in (0, 1)]
                for side in (0, 1) if turn % 2 == 0 else (1, 0):
                    runs[side].append(measure(command(places[side], case(outs[side]))))
            ratios = sorted(b.cpu / a.cpu for a, b in zip(*runs, strict=True))
            other = differences(*outs) if all(map(os.path.isdir, outs)) else 0
            print(
                f"{operation:<36} {median(r.cpu for r in runs[0]):>10.2f} s"
                f" {median(r.cpu for r in runs[1]):>6.2f} s {median(ratios):>7.2f}"
                f" {ratios[0]:>6.2f}-{ratios[-1]:.2f} {max(r.peak for r in runs[1]):>4.0f} MiB"
                + (f"  {other} FILES DIFFER" if other else ""),
                flush=True,
            )
            for turn in range(rounds):
                for side in (0, 1):
                    shutil.rmtree(work / f"{turn}-{side}", ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "HEAD~1", int((sys.argv[2:] or ["5"])[0]))
