"""make verdicts: are the verdicts right? Clean and corrupted copies of real datasets, several
seeds; exit code 1 if any verdict or cause is wrong.

python tests/verdicts/run.py [TREE ...] [--seeds 3] [--steps N] [--only shuffled,noise]

Without a TREE: dsb2018 and medical, converted from the folder of real samples (SEGPREP_REAL_DATA,
else ../shared/data beside the project).
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import spoiling

import segprep


def converted(folder: Path) -> list[Path]:
    """The two sets of real samples as trees, split with seed 1."""
    real = Path(
        os.environ.get("SEGPREP_REAL_DATA", Path(__file__).resolve().parents[3] / "shared/data")
    )
    if not (real / "dsb2018").is_dir():
        sys.exit(f"no real samples in {real}: set SEGPREP_REAL_DATA, or name trees")
    segprep.convert("dsb2018", real / "dsb2018", folder / "dsb2018")
    segprep.convert(
        "binary", real / "medical", folder / "medical", foreground="dark", name="membrane"
    )
    for name in ("dsb2018", "medical"):
        segprep.split(
            folder / name, seed=1, overwrite=True
        )  # medical comes with a list that puts everything into train
    return [folder / "dsb2018", folder / "medical"]


def judge(tree: Path, name: str, seed: int, steps: int | None, folder: Path) -> bool:
    """Print one line for the corrupted copy *name* of *tree*; whether the verdict is right."""
    spoil, wanted = spoiling.SETS[name]
    place = spoiling.copy(tree, folder / "corrupted")
    spoil(place, seed)
    found = segprep.train_check(place.root, seed=seed, steps=steps)
    causes = [one.cause for one in found.reasons]
    right = (
        found.verdict != "learnable" and bool({*wanted} & {*causes})
        if wanted
        else found.verdict == "learnable"
    )
    gaps = " ".join(
        f"{key} {gap.value:+.3f} [{gap.low:+.3f} {gap.high:+.3f}]"
        for key, gap in found.gaps.items()
    )
    row = (
        f"{'ok   ' if right else 'WRONG'} {tree.name:10} {name:9} seed {seed} {found.verdict:13}"
        f" {','.join(causes):40} mIoU {found.miou:.3f} control {found.control_miou:.3f}"
    )
    print(f"{row} baseline {found.baseline_miou:.3f} {gaps} {found.seconds:.0f} s", flush=True)
    return right


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trees", nargs="*", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--only", default=",".join(spoiling.SETS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trees = given.trees or converted(Path(folder))
        cases = [
            (tree, name, seed)
            for name in given.only.split(",")
            for tree in trees
            for seed in range(given.seeds)
        ]
        right = [judge(tree, name, seed, given.steps, Path(folder)) for tree, name, seed in cases]
    print(f"{sum(right)} of {len(right)} verdicts are right")
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
