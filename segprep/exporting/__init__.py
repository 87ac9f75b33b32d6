"""A tree to another ecosystem's folders: choose the samples, make each one's files, let the whole
appear at once.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from segprep import __version__, engine, targets
from segprep.dataset import samples, tree
from segprep.dataset.tree import Tree
from segprep.engine import Failure
from segprep.errors import BadInputError, SegprepError
from segprep.exporting.publish import Outbox
from segprep.names import natural_key, stem_key
from segprep.types import Entry, Note, Product, Progress, Skipped, Writer, no_progress


@dataclass(frozen=True, slots=True)
class Export:
    """What an export did: *samples* samples became *files* files at *out*; *skipped* inputs were
    left out.
    """

    target: str
    out: Path
    samples: int
    files: int
    skipped: tuple[Skipped, ...]
    notes: tuple[Note, ...]
    written: bool


def export(
    target: str,
    dataset: str | Path,
    out: str | Path,
    *,
    jobs: int = 1,
    on_error: Literal["stop", "skip"] = "stop",
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress[Any] = no_progress,
    **options: Any,
) -> Export:
    """Write the tree *dataset* as *target* wants it to the new folder *out*. *options* are the
    fields of the target's Writer.

    The dataset is only read. *out* appears whole or not at all; it must be absent, empty, or, with
    *overwrite*, an earlier export.

    Raises:
        UsageError: a wrong option or target, or *out* and *dataset* overlap.
        TreeError: there is no split and the target needs one; *out* holds something else.
        BadInputError: samples that cannot be exported, listed in its ``skipped``; nothing was
        written.
        LockedError: another export to *out* is at work.
    """
    writer = targets.load(target)(**options)
    place = Tree(tree.find(Path(dataset)).root.resolve())
    box = Outbox(Path(os.path.realpath(out)))
    box.check(place.root, overwrite)
    plan = _planned(writer, place)
    task = _Task(writer, box, (place.root,), write=not dry_run)
    if dry_run:
        return _made(target, plan, task, box, jobs, on_error, progress)[0]
    with box.opened():
        done, names, written = _made(target, plan, task, box, jobs, on_error, progress)
        texts = writer.texts(
            place.classes(), plan.lists_without({one.stem for one in done.skipped})
        )
        for name, content in texts.items():
            box.put(Product(name, content), ())
        box.publish(
            _account(target, writer, place, box, done, [*names, *texts]),
            [*written, *texts],
            place.root,
            overwrite,
        )
    return replace(done, files=done.files + len(texts))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be exported: *todo* (entry, places), the dataset's *lists* of known samples, what
    is *skipped* already.
    """

    todo: tuple[tuple[Entry, tuple[str, ...]], ...]
    lists: Mapping[str, tuple[str, ...]]
    skipped: tuple[Skipped, ...]
    notes: tuple[Note, ...]

    def lists_without(self, lost: set[str]) -> dict[str, tuple[str, ...]]:
        """The lists, less samples that failed."""
        return {
            name: tuple(stem for stem in stems if stem not in lost)
            for name, stems in self.lists.items()
        }


def _planned(writer: Writer, place: Tree) -> _Plan:
    skipped: list[Skipped] = []
    notes: list[Note] = []
    entries = tuple(
        sorted(
            _unique(samples.entries(place, skipped), skipped),
            key=lambda entry: natural_key(entry.stem),
        )
    )
    if not entries and not skipped:
        raise SegprepError("too-few-samples", f"{place.root} has no samples", "convert some first")
    stems, lists = {entry.stem for entry in entries}, place.lists()
    gone = stems | {one.stem for one in skipped}
    for name, listed in lists.items():
        if lost := [stem for stem in listed if stem not in gone]:
            notes.append(
                Note(
                    "listed-missing",
                    f"{name}.txt lists {len(lost)} names that are no sample, {lost[0]!r} first;"
                    " they were left out",
                )
            )
    lists = {
        name: tuple(stem for stem in listed if stem in stems) for name, listed in lists.items()
    }
    places = writer.choose(entries, lists, notes)
    todo = tuple((entry, places[entry.stem]) for entry in entries if entry.stem in places)
    return _Plan(todo, lists, tuple(skipped), tuple(notes))


def _unique(entries: Iterator[Entry], skipped: list[Skipped]) -> Iterator[Entry]:
    """*entries* less those whose names some systems cannot tell apart."""
    first: dict[str, Entry] = {}
    for entry in entries:
        other = first.setdefault(stem_key(entry.stem), entry)
        if other is not entry:
            skipped.append(
                Skipped(
                    entry.stem,
                    str(entry.mask),
                    "stem-collision",
                    f"would lie over {other.stem} where case does not count",
                    "rename one",
                )
            )
        else:
            yield entry


@dataclass(frozen=True, slots=True)
class _Files:
    """What one sample became: all names, and those that were written and not linked."""

    stem: str
    names: tuple[str, ...]
    written: tuple[str, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Task:
    """Make the files of one sample. Runs in worker processes."""

    writer: Writer
    box: Outbox
    roots: tuple[Path, ...]
    write: bool

    def __call__(self, todo: tuple[Entry, tuple[str, ...]]) -> _Files:
        entry, places = todo
        notes: list[Note] = []
        products = list(self.writer.files(entry, places, self.roots, notes))
        written = [
            product.name
            for product in products
            if not self.write or self.box.put(product, self.roots)
        ]
        return _Files(
            entry.stem,
            tuple(product.name for product in products),
            tuple(written),
            tuple(replace(note, stem=entry.stem) for note in notes),
        )


def _made(
    target: str,
    plan: _Plan,
    task: _Task,
    box: Outbox,
    jobs: int,
    on_error: str,
    progress: Progress[Any],
) -> tuple[Export, list[str], list[str]]:
    """Make every sample's files: the account, all names, those to force to the disk.

    Raises BadInputError.
    """
    skipped, notes = list(plan.skipped), list(plan.notes)
    names: list[str] = []
    written: list[str] = []
    for (entry, _), result in zip(
        plan.todo,
        progress(engine.run(task, plan.todo, jobs=jobs), len(plan.todo), "exporting"),
        strict=True,
    ):
        if isinstance(result, Failure):
            skipped.append(
                Skipped(entry.stem, result.path, result.code, result.reason, result.hint)
            )
        else:
            names += result.names
            written += result.written
            notes += result.notes
    made = len(plan.todo) + len(plan.skipped) - len(skipped)
    if skipped and (on_error == "stop" or not made):
        raise BadInputError(
            "bad-input", f"{len(skipped)} samples cannot be exported; nothing was written",
            "mend them and give the same command again, or leave them out with --on-error skip", tuple(skipped),
        )  # fmt: skip
    return (
        Export(target, box.out, made, len(names), tuple(skipped), tuple(notes), task.write),
        names,
        written,
    )


def _account(
    target: str, writer: Writer, place: Tree, box: Outbox, done: Export, names: list[str]
) -> dict[str, Any]:
    """What the export says of itself; equal for equal input."""
    options = {field.name: getattr(writer, field.name) for field in fields(writer)}  # type: ignore[arg-type]
    origin = Path(os.path.relpath(place.root, box.out)).as_posix()
    return {
        "schema": 1,
        "target": target,
        "dataset": origin,
        "options": options,
        "segprep": __version__,
        "samples": done.samples,
        "files": sorted(names),
    }
