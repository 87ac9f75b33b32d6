"""make mutate: spoil clean datasets on purpose and see what ``segprep check`` says of each fault.

python tests/mutation/run.py [--limit 40] [--only "mirrored,ids from 1"] [--sets shapes,dsb2018]
                             [--write docs/check.md]

Sets are converted from the folder of real samples (SEGPREP_REAL_DATA, else ../shared/data beside
the project), the bundled example and generated scenes. Exit code 1 if a structural fault is missed
or a clean set has an error.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import faults
import matrix
import scenes

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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=40)
    parser.add_argument("--only", default="")
    parser.add_argument("--sets", default="")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    wanted = [name for name in given.only.split(",") if name]
    every = [f for f in (*faults.STRUCTURAL, *faults.STATISTICAL) if not wanted or f.name in wanted]
    wrong, scores = 0, defaultdict(dict)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sets = converted(folder, [name for name in given.sets.split(",") if name], given.limit)
        for name, tree in sets.items():
            before = segprep.check(tree)
            print(f"{name}: {before.samples} samples, clean: {before.counts}", flush=True)
            wrong += before.counts["error"] > 0
            scores["(clean)"][name] = before.counts
            for fault in every:
                for scope in fault.scopes:
                    place = matrix.copy(tree, folder / "spoiled")
                    found = matrix.score(fault, place, before, scope, seed=1)
                    scores[fault.name, scope][name] = found
                    missed = fault.structural and found.right < found.spoiled
                    wrong += missed or found.alarms > 0
                    print(f"{'MISS ' if missed else 'ok   '}{name:10} {fault.name:22} {scope:4}"
                          f" spoiled {found.spoiled:3} detected {found.detected:3} right"
                          f" {found.right:3} alarms {found.alarms}", flush=True)  # fmt: skip
    text = table(scores, list(sets), every)
    print(text)
    if given.write:
        page = given.write.read_text("utf-8")
        head, _, rest = page.partition("<!-- mutation -->\n")
        old, _, tail = rest.partition("<!-- end -->\n")
        if wanted:
            text = merged(old, text)
        given.write.write_text(f"{head}<!-- mutation -->\n{text}<!-- end -->\n{tail}", "utf-8")
    return 1 if wrong else 0


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
