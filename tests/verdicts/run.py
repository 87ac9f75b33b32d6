"""make verdicts: are the verdicts right? Clean and corrupted copies of real datasets, several
seeds; exit code 1 if any verdict or cause is wrong.

python tests/verdicts/run.py [TREE ...] [--seeds 3] [--steps N] [--only shuffled,noise]
                             [--jobs N] [--table FILE.md]

Without a TREE: dsb2018, medical, oxford_pets, walknav and the bundled shapes, converted from the
folder of real samples (SEGPREP_REAL_DATA, else ../shared/data beside the project). Every case runs
in a process of its own with one thread, --jobs of them at a time.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch: processes, not threads

import multiprocessing
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import spoiling

import segprep

ROOT = Path(__file__).resolve().parents[2]
SETS = {
    "dsb2018": ("dsb2018", "dsb2018", {}),
    "medical": ("binary", "medical", {"foreground": "dark", "name": "membrane"}),
    "oxford_pets": ("pet", "oxford_pets", {}),
    "walknav": ("labelme", "walknav", {}),
}
# published so, and no matter whether it is named: an empty mask, and a cat in the picture
WRONG = {"oxford_pets": {"Abyssinian_34"}}


@dataclass(frozen=True)
class Case:
    """One copy to make and check; *folder* is where."""

    tree: Path
    fault: str
    seed: int
    steps: int | None
    folder: Path


@dataclass(frozen=True)
class Answer:
    """What the check said of a case, and whether that is *right*."""

    case: Case
    right: bool
    verdict: str
    causes: tuple[str, ...]
    suspects: int
    spoiled: int
    hits: int
    line: str


def converted(folder: Path) -> list[Path]:
    """The sets of real samples and the bundled shapes as trees, split with seed 1."""
    real = Path(os.environ.get("SEGPREP_REAL_DATA", ROOT.parent / "shared/data"))
    if not (real / "dsb2018").is_dir():
        sys.exit(f"no real samples in {real}: set SEGPREP_REAL_DATA, or name trees")
    sources = {name: (kind, real / where, given) for name, (kind, where, given) in SETS.items()}
    sources["shapes"] = ("labelme", ROOT / "examples/shapes", {})
    for name, (kind, source, options) in sources.items():
        segprep.convert(kind, source, folder / name, **options)
        # medical comes with a list that puts everything into train
        segprep.split(folder / name, seed=1, overwrite=True)
    return [folder / name for name in sources]


def judge(case: Case) -> Answer:
    """Spoil a copy, check it, and compare what is said with what was done."""
    spoil, wanted = spoiling.SETS[case.fault]
    place = spoiling.copy(case.tree, case.folder)
    spoiled = spoil(place, case.seed) or set()
    found = segprep.train_check(place.root, seed=case.seed, steps=case.steps)
    causes = tuple(dict.fromkeys(one.cause for one in found.reasons))
    wrong = {one.stem for one in found.wrong} - WRONG.get(case.tree.name, set())
    hits = len(spoiled.intersection(wrong))
    if wanted == spoiling.SUSPECTS:
        right = found.verdict == "learnable" and 2 * hits > max(len(spoiled), len(wrong))
    elif case.fault == "white":  # where other classes are left, that is only said
        right = bool({*wanted} & {*causes})
    elif wanted:
        right = found.verdict != "learnable" and bool({*wanted} & {*causes})
    else:
        right = found.verdict == "learnable" and not wrong
    line = (
        f"{'ok   ' if right else 'WRONG'} {case.tree.name:11} {case.fault:9} seed {case.seed}"
        f" {found.verdict:13} {','.join(causes):40} suspects {len(wrong)} ({hits} of"
        f" {len(spoiled)} spoiled) mIoU {found.miou:.3f} control {found.control_miou:.3f}"
        f" {found.seconds:.0f} s"
    )
    shutil.rmtree(case.folder)
    return Answer(case, right, found.verdict, causes, len(wrong), len(spoiled), hits, line)


def answers(cases: list[Case], jobs: int) -> list[Answer]:
    """All answers in order of the cases; each is printed as it comes."""
    context, found = multiprocessing.get_context("spawn"), dict[Case, Answer]()
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=1) as pool:
        for future in as_completed([pool.submit(judge, case) for case in cases]):
            answer = future.result()
            print(answer.line, flush=True)
            found[answer.case] = answer
    return [found[case] for case in cases]


def table(found: list[Answer]) -> str:
    """A Markdown table, fault by set: right of all seeds, and what was said."""
    names = list(dict.fromkeys(one.case.tree.name for one in found))
    rows = ["| copy | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for fault in dict.fromkeys(one.case.fault for one in found):
        cells = []
        for name in names:
            own = [one for one in found if (one.case.tree.name, one.case.fault) == (name, fault)]
            said = sorted({f"{one.verdict}: {', '.join(one.causes)}" for one in own})
            hits = sum(one.hits for one in own)
            spoiled, wrong = sum(one.spoiled for one in own), sum(one.suspects for one in own)
            masks = f"; {hits} of {spoiled} spoiled masks found, {wrong - hits} others named"
            cells.append(
                f"{sum(one.right for one in own)} of {len(own)}: {' / '.join(said)}"
                + (masks if spoiled or wrong else "")
            )
        rows.append(f"| {fault} | " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trees", nargs="*", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--only", default=",".join(spoiling.SETS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--table", type=Path, help="write the table to this file, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trees = given.trees or converted(Path(folder))
        cases = [
            Case(tree, fault, seed, given.steps, Path(folder, f"{tree.name}-{fault}-{seed}"))
            for fault in given.only.split(",")
            for tree in trees
            for seed in range(given.seeds)
            if fault != "inverted" or len(segprep.Tree(tree).classes().names) == 2
        ]
        found = answers(cases, given.jobs)
    right = sum(one.right for one in found)
    print(f"{right} of {len(found)} verdicts are right")
    if given.table:
        given.table.write_text(table(found), "utf-8")
    return 0 if right == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
