"""make mutate: spoil clean datasets on purpose and see what ``segprep check`` says of each fault.

python tests/mutation/run.py [--limit 40] [--only "mirrored,ids from 1"] [--sets shapes,dsb2018]
                             [--jobs N] [--statistical 60] [--write docs/check.md] [--table FILE.md]

Sets are converted from the folder of real samples (SEGPREP_REAL_DATA, else ../shared/data beside
the project), the bundled example and generated scenes; structural faults are put into --limit
samples of each, statistical ones into --statistical; those of annotations into an export of the
--limit samples as labelme files. Exit code 1 if a structural fault is missed or
a clean set has an error.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import annotation_faults
import faults
import matrix
import scenes
from statistical_faults import STATISTICAL

import segprep

ROOT = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("SEGPREP_REAL_DATA", ROOT.parent / "shared" / "data"))
SETS = {
    "nuclei": ("dsb2018", "dsb2018", {}),
    "membrane": ("binary", "medical", {"foreground": "dark", "name": "membrane"}),
    "pets": ("pet", "oxford_pets", {}),
    "footpaths": ("labelme", "walknav", {}),
}


def converted(folder: Path, names: list[str], limit: int) -> dict[str, Path]:
    """The clean sets as trees of at most *limit* samples, split with seed 1."""
    made = {}
    folder.mkdir(exist_ok=True)
    for name in names or [*SETS, "shapes", "scenes"]:
        out = folder / name
        if name == "scenes":
            made[name] = scenes.make(out, limit).root
            continue
        kind, where, options = SETS.get(name, ("labelme", "", {}))
        source = REAL / where if where else ROOT / "examples" / "shapes"
        if not source.is_dir():
            print(f"{name}: no {source}; it is skipped")
            continue
        segprep.convert(kind, source, folder / "whole", **options)
        made[name] = sampled(folder / "whole", out, limit)
        shutil.rmtree(folder / "whole")
        segprep.split(out, seed=1, overwrite=True)
    return made


def sampled(whole: Path, out: Path, limit: int) -> Path:
    """Every n-th sample of a tree, as a tree without manifest."""
    place = segprep.Tree(whole)
    stems = place.stems()
    chosen = (
        stems if len(stems) <= limit else [stems[n * len(stems) // limit] for n in range(limit)]
    )
    for name in ("JPEGImages", "SegmentationClass"):
        (out / name).mkdir(parents=True)
    for stem in chosen:
        image = place.image_path(stem)
        assert image
        shutil.copy(image, out / "JPEGImages")
        shutil.copy(place.mask_path(stem), out / "SegmentationClass")
    shutil.copy(whole / "class_names.txt", out)
    return out


@dataclass(frozen=True)
class Trial:
    """One *fault* (its number in :data:`FAULTS`) in one *scope* of the set *name* in *tree*."""

    name: str
    tree: Path
    fault: int
    scope: str


FAULTS = (*faults.STRUCTURAL, *STATISTICAL, *annotation_faults.ANNOTATED)


@cache
def checked(tree: Path) -> segprep.checking.Report:
    """The check of a clean set; once in each process."""
    return segprep.check(tree)


def tried(trial: Trial) -> matrix.Score:
    """Spoil a copy and judge it."""
    fault = FAULTS[trial.fault]
    where = trial.tree.parent / f"{trial.name}-{trial.fault}-{trial.scope}"
    copy = annotation_faults.copy if fault.annotations else matrix.copy
    place = copy(trial.tree, where)
    found = matrix.score(fault, place, checked(trial.tree), trial.scope, seed=1)
    shutil.rmtree(where)
    return found


def results(trials: Sequence[Trial], jobs: int) -> Iterator[tuple[Trial, matrix.Score]]:
    """Every trial with its score, as they come."""
    if jobs == 1:
        yield from ((trial, tried(trial)) for trial in trials)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        futures = {pool.submit(tried, trial): trial for trial in trials}
        for future in as_completed(futures):
            yield futures[future], future.result()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=24)
    parser.add_argument("--statistical", type=int, default=60)
    parser.add_argument("--only", default="")
    parser.add_argument("--sets", default="")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--table", type=Path, help="write the table to this file, too")
    return parser.parse_args()


def main() -> int:
    given = options()
    wanted = [name for name in given.only.split(",") if name]
    chosen = [n for n, one in enumerate(FAULTS) if not wanted or one.name in wanted]
    names = [name for name in given.sets.split(",") if name]
    wrong, scores, trials = 0, defaultdict(dict), list[Trial]()
    with tempfile.TemporaryDirectory() as temporary:
        kinds = {
            "structural": (given.limit, faults.STRUCTURAL),
            "statistical": (given.statistical, STATISTICAL),
            "annotations": (given.limit, annotation_faults.ANNOTATED),
        }
        for kind, (limit, every) in kinds.items():
            numbers = [n for n in chosen if FAULTS[n] in every]
            folder = Path(temporary, kind)
            sets = converted(folder, names, limit) if numbers else {}
            if kind == "annotations":
                sets = {
                    name: annotation_faults.exported(tree, folder / f"{name}-labelme")
                    for name, tree in sets.items()
                }
            for name, tree in sets.items():
                before = checked(tree)
                print(f"{name}: {before.samples} samples, clean: {before.counts}", flush=True)
                wrong += before.counts["error"] > 0
                earlier = scores["(clean)"].setdefault(name, before.counts)
                if kind == "statistical":
                    worst = {key: max(n, earlier[key]) for key, n in before.counts.items()}
                    scores["(clean)"][name] = worst
                trials += [
                    Trial(name, tree, n, scope) for n in numbers for scope in FAULTS[n].scopes
                ]
        for trial, found in results(trials, given.jobs):
            fault = FAULTS[trial.fault]
            scores[fault.name, trial.scope][trial.name] = found
            missed = fault.structural and found.right < found.spoiled
            wrong += missed or found.alarms > 0
            print(f"{'MISS ' if missed else 'ok   '}{trial.name:10} {fault.name:22}"
                  f" {trial.scope:4} spoiled {found.spoiled:3} detected {found.detected:3} right"
                  f" {found.right:3} alarms {found.alarms}", flush=True)  # fmt: skip
    text = table(scores, list(scores["(clean)"]), [FAULTS[n] for n in chosen])
    print(text)
    if given.table:
        given.table.write_text(text, "utf-8")
    if given.write:
        write(given.write, text, part=bool(wanted))
    return 1 if wrong else 0


def write(page: Path, text: str, *, part: bool) -> None:
    """Put the table *text* into *page*; as *part* of the table that is there."""
    head, _, rest = page.read_text("utf-8").partition("<!-- mutation -->\n")
    old, _, tail = rest.partition("<!-- end -->\n")
    text = merged(old, text) if part else text
    page.write_text(f"{head}<!-- mutation -->\n{text}<!-- end -->\n{tail}", "utf-8")


def merged(old: str, new: str) -> str:
    """The table *old* with the rows of *new* in place of its own, and those it lacks at its end.

    The line of the clean sets stays.
    """
    rows = {row.split("|")[1] + row.split("|")[2]: row for row in old.splitlines()}
    for row in new.splitlines()[3:]:
        rows[row.split("|")[1] + row.split("|")[2]] = row
    return "".join(f"{row}\n" for row in rows.values())


def table(scores, names: list[str], every) -> str:
    """Markdown: a row per fault and scope, a column per set: right cause of spoiled samples."""
    lines = [f"| fault | in | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    clean = [
        f"{counts['error']} / {counts['warning']}"
        for counts in (scores["(clean)"][name] for name in names)
    ]
    lines.append(f"| none: errors / warnings | | {' | '.join(clean)} |")
    for fault in every:
        for scope in fault.scopes:
            cells = []
            for name in names:
                found = scores[fault.name, scope].get(name)
                text = f"{found.right} / {found.spoiled}" if found and found.spoiled else "–"
                if found and found.detected > found.right:
                    text += f" ({found.detected})"
                cells.append(text + (f", {found.alarms} false" if found and found.alarms else ""))
            where = {"one": "1", "few": "5 %", "all": "all"}[scope]
            lines.append(f"| {fault.name} ({fault.catalog}) | {where} | {' | '.join(cells)} |")
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
