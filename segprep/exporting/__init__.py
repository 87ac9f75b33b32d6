"""A tree to another ecosystem's folders: choose the samples, make each one's files, let the whole
appear at once.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from segprep import __version__, targets
from segprep.dataset import samples, tree
from segprep.dataset.index_file import output_keys
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, SegprepError
from segprep.exporting.archive import Archive
from segprep.exporting.gathering import exported, losses
from segprep.exporting.gray_range import gray_bits
from segprep.exporting.journal import ExportJournal
from segprep.exporting.publish import Outbox
from segprep.exporting.sample_export import SampleExport
from segprep.names import natural_key, stem_key
from segprep.types import Entry, Note, Progress, Skipped, no_progress
from segprep.writer import Gathered, Inventory, Product, Writer


@dataclass(frozen=True, slots=True)
class Export:
    """What an export did: *samples* samples became *files* files at *out*; *skipped* inputs were
    excluded.
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
    archive: bool = False,
    dry_run: bool = False,
    verify: bool = False,
    progress: Progress[Any] = no_progress,
    **options: Any,
) -> Export:
    """Write the tree *dataset* as *target* wants it to the new folder *out*, or with *archive* to
    the zip file *out*. *options* are the fields of the target's Writer.

    The dataset is only read; with *verify* wholly, else files unchanged since segprep wrote
    them count as recorded. *out* appears complete or not at all; it must be absent, empty, or,
    with *overwrite*, an earlier export. The same call resumes where an interrupted one stopped.

    Raises:
        UsageError: a wrong option or target, or *out* and *dataset* overlap.
        TreeError: there is no split and the target needs one; *out* holds something else.
        BadInputError: samples that cannot be exported, listed in its ``skipped``; nothing was
        written.
        LockedError: another export to *out* is at work.
    """
    writer = targets.load(target)(**options)
    home = Tree(tree.find(Path(dataset)).root.resolve())
    path = Path(os.path.realpath(out))
    box = Archive(path) if archive else Outbox(path)
    box.check(home.root, overwrite)
    plan = _planned(writer, home, "" if archive else path.name, verify=verify)
    entries = [entry for entry, _ in plan.todo]
    bits = gray_bits(entries, (home.root,), writer.max_pixels, jobs=jobs)
    classes = plan.inventory.classes
    task = SampleExport(writer, box, (home.root,), classes, not dry_run, bits)
    if dry_run:
        return _exported(target, plan, task, jobs, on_error, progress).account
    with box.opened():
        box.check(home.root, overwrite)  # an earlier export may be back
        journal = ExportJournal(box.hidden, box.out), _identity(target, writer, home, plan, bits)
        outcome = _exported(target, plan, task, jobs, on_error, progress, journal)
        lost = frozenset(skipped.stem for skipped in outcome.account.skipped)
        gathered = Gathered(
            {name: tuple(parts) for name, parts in outcome.parts.items()}, outcome.losses
        )
        texts = writer.texts(plan.inventory.without(lost), gathered)
        for name, content in texts.items():
            if (box.hidden / "new" / name).exists():
                box.append((Product(name, content),))
            else:
                box.put(Product(name, content), ())
        box.publish(
            _account(target, writer, home, box, outcome.account, [*outcome.names, *texts]),
            [*outcome.written, *texts],
            outcome.digests,
            home.root,
            overwrite,
        )
    return replace(outcome.account, files=outcome.account.files + len(texts))


def common_files(
    target: str, root: Path, entries: Sequence[Entry], **options: Any
) -> Mapping[str, bytes]:
    """The files that all samples share, name -> content, if the *entries* of the tree at *root*
    (resolved) were exported as one list, ``train``; nothing is written.

    Raises TreeError, BadInputError as :func:`export` does.
    """
    home, writer = Tree(root), targets.load(target)(**options)
    stems = tuple(entry.stem for entry in entries)
    inventory = Inventory(root.name, tuple(entries), {"train": stems}, home.classes())
    places = writer.choose(inventory).places
    todo = tuple((entry, places[entry.stem]) for entry in entries)
    box = Outbox(root)  # never opened
    bits = gray_bits(entries, (root,), writer.max_pixels, jobs=1)
    task = SampleExport(writer, box, (root,), inventory.classes, False, bits)
    plan = _Selection(todo, inventory, (), ())
    exported = _exported(target, plan, task, 1, "stop", no_progress)
    parts = {name: tuple(content) for name, content in exported.parts.items()}
    return writer.texts(inventory, Gathered(parts, exported.losses))


@dataclass(frozen=True, slots=True)
class _Selection:
    """What is to be exported: *todo* (entry, places) of the *inventory*, what is *skipped*
    already.
    """

    todo: tuple[tuple[Entry, tuple[str, ...]], ...]
    inventory: Inventory
    skipped: tuple[Skipped, ...]
    notes: tuple[Note, ...]


def _planned(writer: Writer, home: Tree, out: str, *, verify: bool) -> _Selection:
    skipped: list[Skipped] = []
    described = home.manifest
    keys = () if verify or not described else output_keys(home.root, described.records)
    entries = tuple(
        sorted(
            _unique(samples.entries(home, skipped, keys), skipped),
            key=lambda entry: natural_key(entry.stem),
        )
    )
    if not entries and not skipped:
        raise SegprepError("too-few-samples", f"{home.root} has no samples", "convert some first")
    stems, lists = {entry.stem for entry in entries}, home.lists()
    gone = stems | {skip.stem for skip in skipped}
    notes = []
    for name, listed in lists.items():
        if lost := [stem for stem in listed if stem not in gone]:
            notes.append(
                Note(
                    "listed-missing",
                    f"{name}.txt lists {len(lost)} names that are not samples, {lost[0]!r} first;"
                    " they were skipped",
                )
            )
    lists = {
        name: tuple(stem for stem in listed if stem in stems) for name, listed in lists.items()
    }
    inventory = Inventory(home.root.name, entries, lists, home.classes(), out)
    choice = writer.choose(inventory)
    todo = tuple(
        (entry, choice.places[entry.stem]) for entry in entries if entry.stem in choice.places
    )
    return _Selection(todo, inventory, tuple(skipped), (*notes, *choice.notes))


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
class _Made:
    """All samples' files: the account, all names, those to force to the disk, their digests, the
    parts of common files, and in words what the target cannot hold.
    """

    account: Export
    names: list[str]
    written: list[str]
    digests: dict[str, str]
    parts: dict[str, list[bytes]]
    losses: tuple[str, ...]


def _exported(
    target: str,
    plan: _Selection,
    task: SampleExport,
    jobs: int,
    on_error: str,
    progress: Progress[Any],
    begun: tuple[ExportJournal, Mapping[str, Any]] | None = None,
) -> _Made:
    """Make every sample's files. Raises BadInputError."""
    done, failed, resumed = exported(task, plan.todo, jobs, progress, begun)
    skipped = (*plan.skipped, *failed)
    if skipped and (on_error == "stop" or not done):
        raise BadInputError(
            "bad-input",
            f"{len(skipped)} samples cannot be exported; nothing was written",
            "fix them and re-run the command, or skip them with --on-error skip"
            + ("; what is finished is kept until then" if task.box.has_finished() else ""),
            skipped,
        )
    lost = losses(done)
    names = [name for files in done for name in files.names]
    message = f"{resumed} samples were finished when an earlier run was interrupted, and are kept"
    notes = (
        *plan.notes,
        *([Note("export-resumed", message)] if resumed else []),
        *(note for files in done for note in files.notes),
        *(Note("not-held", line) for line in lost),
    )
    account = Export(target, task.box.out, len(done), len(names), skipped, notes, task.write)
    parts: dict[str, list[bytes]] = {}
    for part in (part for files in done for part in files.parts):
        parts.setdefault(part.name, []).append(part.content)
    written = [name for files in done for name in files.written]
    digests = {name: mark for files in done for name, mark in files.digests.items()}
    return _Made(account, names, written, digests, parts, lost)


def _account(
    target: str, writer: Writer, home: Tree, box: Outbox, done: Export, names: list[str]
) -> dict[str, Any]:
    """What the export says of itself; equal for equal input."""
    origin = Path(os.path.relpath(home.root, box.out)).as_posix()
    return {
        "schema": 1,
        "target": target,
        "dataset": origin,
        "options": _options(writer, box.out),
        "segprep": __version__,
        "samples": done.samples,
        "files": sorted(names),
    }


def _plain(value: Any, out: Path) -> Any:
    """An option as JSON; a path from the export's folder, as the dataset's is kept."""
    if isinstance(value, Path):
        return Path(os.path.relpath(value.resolve(), out)).as_posix()
    return value


def _options(writer: Writer, out: Path) -> dict[str, Any]:
    return {
        field.name: _plain(getattr(writer, field.name), out)
        for field in fields(writer)  # type: ignore[arg-type]
    }


def _identity(
    target: str, writer: Writer, home: Tree, plan: _Selection, bits: int
) -> dict[str, Any]:
    """What decides over the files of every sample: only a run of the same identity resumes."""
    classes = plan.inventory.classes
    return {
        "segprep": __version__,
        "target": target,
        "options": _options(writer, home.root),
        "dataset": str(home.root),
        "classes": None if classes is None else [list(classes.names), classes.background],
        "bits": bits,
        "todo": [(entry.stem, str(entry.image), places) for entry, places in plan.todo],
    }
