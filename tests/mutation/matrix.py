"""Spoil copies of clean trees and see what ``check`` says: detection, right cause, false alarms."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import segprep
from segprep.checking import Report
from segprep.dataset.tree import Tree
from segprep.types import Finding


@dataclass(frozen=True)
class Score:
    """Of one fault in one set: *spoiled* samples, of which *detected* have any new finding and
    *right* one of the right code; *alarms* are new errors on samples that were left as they are.
    """

    spoiled: int
    detected: int
    right: int
    alarms: int


def copy(tree: Path, out: Path) -> Tree:
    """A copy of *tree* without manifest: a tree as any tool makes it."""
    shutil.rmtree(out, ignore_errors=True)
    for name in ("JPEGImages", "SegmentationClass", "ImageSets"):
        shutil.copytree(tree / name, out / name)
    (out / "class_names.txt").write_bytes((tree / "class_names.txt").read_bytes())
    return Tree(out)


def some(stems: Sequence[str], scope: str, rng: np.random.Generator) -> list[str]:
    """One stem, a twentieth of them, or all."""
    count = {"one": 1, "few": max(1, round(len(stems) / 20)), "all": len(stems)}[scope]
    return sorted(rng.choice(list(stems), count, replace=False).tolist())


def key(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.stem, finding.path


def score(fault, place: Tree, before: Report, scope: str, seed: int) -> Score:
    """Spoil *place* (a copy) and judge what is new against *before*; samples of which the right
    thing was said before do not count.
    """
    rng = np.random.default_rng(seed)
    spoiled = list(fault.apply(place, some(place.stems(), scope, rng), rng))
    old = {key(finding) for finding in before.findings}
    said = {finding.stem for finding in before.findings if finding.code in fault.codes}
    spoiled = [stem for stem in spoiled if stem not in said]
    after = segprep.check(place.root).findings
    fresh = [finding for finding in after if key(finding) not in old]
    if fault.whole or not spoiled:
        hit = any(finding.code in fault.codes for finding in fresh)
        return Score(1, int(bool(fresh)), int(hit), 0) if fault.whole else Score(0, 0, 0, 0)
    rightly = {one.stem for one in fresh if one.code in fault.codes}
    if any(one.code in fault.codes and not one.stem for one in fresh):
        rightly |= set(spoiled)
    any_of = {one.stem for one in fresh} | rightly
    for stem in spoiled:  # of two alike, either may be named
        for names in (rightly, any_of):
            if stem.endswith("_copy") and stem.removesuffix("_copy") in names:
                names.add(stem)
    alarms = [
        one
        for one in fresh
        if one.severity == "error"
        and one.stem
        and not {one.stem, f"{one.stem}_copy"} & set(spoiled)
    ]
    return Score(
        len(spoiled),
        sum(stem in any_of for stem in spoiled),
        sum(stem in rightly for stem in spoiled),
        len(alarms),
    )
