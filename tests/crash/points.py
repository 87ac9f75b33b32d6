"""One point of the crash sweep: disturb a run, judge what it left, run it again, compare."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from crash.faults import Ended, child
from crash.scenarios import SCENARIOS, Scenario

import segprep
from segprep.errors import SegprepError

Faults = tuple[tuple[str, int], ...]  # a mode and the number of a change, one per run


@dataclass(frozen=True)
class Point:
    """The *faults* of one scenario, one run after another; one alone is a point, two are a pair."""

    scenario: str
    faults: Faults

    @property
    def kind(self) -> tuple[str, str]:
        """What it is counted under."""
        return self.scenario, self.faults[0][0] if len(self.faults) == 1 else "pair"


def content(folder: Path, scenario: Scenario | None = None) -> dict[str, bytes]:
    """Every file below *folder* by name, and every folder (as b"/"), less what *scenario* does not
    compare.

    A lock file means nothing: the lock is the kernel's.
    """
    apart = scenario.apart if scenario else ""
    settled = scenario.settled if scenario else lambda name, data: data
    entries = sorted(path for path in folder.rglob("*") if path.name != ".segprep.lock")
    return {
        name: b"/" if path.is_dir() else settled(name, path.read_bytes())
        for path in entries
        if (name := str(path.relative_to(folder))) and not (apart and f"{name}/".startswith(apart))
    }


def unsound(out: Path) -> str:
    """What is wrong with a dataset or export that the next command would use as it is, or ""."""
    if not any((out / name).exists() for name in ("segprep.json", "segprep-export.json")):
        return ""
    try:
        verified = segprep.verify(out)
    except SegprepError as error:  # the next command says so, too
        return "" if error.code == "unfinished-run" else f"{error.code}: {error}"
    wrong = [entry for entry in verified.deviations if entry.kind != "extra"]
    return f"{wrong[0].path} is {wrong[0].kind}, and nothing says so" if wrong else ""


@dataclass
class Field:
    """The folder *work* with ``NAME.template`` and ``NAME.expected`` of each scenario, where points
    are tried in ``NUMBER/NAME``.
    """

    work: Path
    number: int = 0

    def prepare(self, name: str) -> tuple[int, str]:
        """Lay out the scenario *name* and run it undisturbed: its number of points, and what is
        wrong.
        """
        scenario, template = SCENARIOS[name], self.work / f"{name}.template"
        template.mkdir()
        os.chdir(template)
        scenario.prepare()
        place = self._lay_out(name)
        clean = child(scenario.command)
        shutil.copytree(place / "out", self.work / f"{name}.expected", symlinks=True)
        if clean.code != scenario.exit or not clean.points:
            return 0, f"undisturbed, exit {clean.code} instead of {scenario.exit}: {clean.said}"
        return clean.points, ""

    def _lay_out(self, name: str) -> Path:
        place = self.work / str(self.number) / name
        os.chdir(self.work)
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.work / f"{name}.template", place, symlinks=True)
        os.chdir(place)
        return place

    def violations(self, point: Point) -> list[str]:
        """What went wrong at *point*."""
        scenario, wrong = SCENARIOS[point.scenario], list[str]()
        expected = content(self.work / f"{point.scenario}.expected", scenario)
        place = self._lay_out(point.scenario)
        out = place / "out"
        sources = content(place / "src")
        command = scenario.command
        for mode, at in point.faults:
            if content(out, scenario) == expected:
                break  # the first fault came after the work was done
            ended = child(command, mode, at)
            wrong += [f"{mode}@{at}: {words}" for words in judged(ended, mode, scenario)]
            if fault := unsound(out):
                wrong.append(f"{mode}@{at}: {fault}")
            command = scenario.again() if scenario.again else command
        finished = content(out, scenario) == expected  # split refuses to do it again
        again = child(command)
        if again.code != scenario.exit and not finished:
            wrong.append(f"the same command again: exit {again.code}: {again.said.strip()[-300:]}")
        elif (left := content(out, scenario)) != expected:
            names = sorted(left.keys() | expected.keys())
            differ = [name for name in names if left.get(name) != expected.get(name)]
            wrong.append(f"the same command again: not identical: {', '.join(differ[:6])}")
        if content(place / "src") != sources:
            wrong.append("a source was changed")
        return wrong


def judged(ended: Ended, mode: str, scenario: Scenario) -> list[str]:
    """What is wrong with how a disturbed run ended."""
    wrong = ["a traceback"] if "Traceback" in ended.said or ended.code == 99 else []
    if mode in ("kill", "torn"):
        return wrong
    if ended.code not in (1, scenario.exit):  # what failed may have been no necessary operation
        wrong.append(f"exit {ended.code}")
    told = all(words in ended.said.lower() for words in ("[write-failed]", "out", "errno"))
    if ended.code == 1 and scenario.exit != 1 and not told:
        wrong.append(f"the message lacks code, path or errno: {ended.said.strip()[-200:]}")
    return wrong
