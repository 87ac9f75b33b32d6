"""Source to tree: scan, read every sample, finish its image, stage it, publish all at once."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from . import __version__, engine, manifest, sources
from .errors import BadInputError, SegprepError, SourceError, TreeError, UsageError
from .files import digest, read_below
from .finishing import ImageFormat, Task, Unchanged, file_names, relative
from .image import MaskMode
from .manifest import MANIFEST, RECORDS, Manifest
from .pairing import real_folders
from .staging import Staging, append, lock
from .tree import LISTS, Tree, class_files, is_tree, list_bytes
from .types import Item, Note, Progress, Record, Scan, Skipped, no_progress


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion did: *converted* samples are new or changed, *kept* ones were as they should be; *removed* stems had lost their source."""

    out: Path
    converted: int
    kept: int
    removed: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    classes: tuple[str, ...]
    notes: tuple[Note, ...]
    written: bool

    @property
    def failed(self) -> tuple[Skipped, ...]:
        """The skipped inputs that are of this format but cannot be used."""
        return tuple(one for one in self.skipped if not one.foreign)


def convert(
    format: str,
    source: str | Path,
    out: str | Path,
    *,
    jobs: int = 1,
    on_error: Literal["stop", "skip"] = "stop",
    overwrite: bool = False,
    dry_run: bool = False,
    image_format: ImageFormat = "keep",
    mask_mode: MaskMode = "palette",
    progress: Progress[Any] = no_progress,
    **options: Any,
) -> Conversion:
    """Convert *source*, laid out in *format*, into a VOC-style tree at *out*. *options* are the fields of the format's Reader.

    Everything is staged inside *out* and published at once, so *out* never holds half a dataset; the same call goes on
    where a killed one stopped, and re-does only what changed. With *on_error* "stop" a bad input publishes nothing.

    Raises:
        UsageError: a wrong option, or source and output overlap.
        BadInputError: bad inputs, listed in its ``skipped``; what was good stays staged for the next call.
        TreeError: *out* holds something else; LockedError: another run is at work there.
    """
    reader = sources.load(format)(root=Path(source), **options)  # type: ignore[call-arg]
    root, out = real_folders(reader.root)[0], Path(os.path.abspath(out))
    _refuse_overlap(root, out)
    scan = reader.scan(jobs, progress)
    if not scan.items and not scan.skipped:
        raise SegprepError("nothing-to-convert", f"{source} holds nothing in format {format}", "is this the right folder, and the right format?")
    task = Task(reader, root, out, image_format, mask_mode, write=not dry_run)
    seen, work = _state(out), None
    if dry_run or (seen and not Staging(out).folder.exists() and not overwrite):
        work = _prepare(format, task, scan, overwrite, jobs, progress)
        if dry_run or not (work.todo or work.vanished):
            return _unwritten(task, scan, work, dry_run, jobs, progress)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TreeError("write-failed", f"{out}: {error.strerror}", "give a folder that can be made and written") from error
    with lock(out):
        if work is None or _state(out) != seen:  # another run may have finished since
            work = _prepare(format, task, scan, overwrite, jobs, progress)
        return _convert(task, scan, work, jobs, on_error, progress)


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to do: items *todo*, Records that are *kept*, stems that *vanished* from the source, files known to be *foreign*."""

    plan: "_Plan"
    kept: Mapping[str, Record]
    todo: tuple[Item, ...]
    vanished: tuple[str, ...]
    foreign: tuple[Skipped, ...]


def _prepare(format: str, task: Task, scan: Scan, overwrite: bool, jobs: int, progress: Progress[Any]) -> _Work:
    plan = _plan(format, task, scan, overwrite)
    kept = _kept(task, scan, plan, jobs, progress)
    stems = {item.stem for item in scan.items}
    foreign = _foreign(task, plan, [item for item in scan.items if item.stem not in kept])
    done = kept.keys() | {one.stem for one in foreign}
    return _Work(plan, kept, tuple(item for item in scan.items if item.stem not in done), tuple(stem for stem in plan.previous if stem not in stems), foreign)


def _foreign(task: Task, plan: "_Plan", items: Iterable[Item]) -> tuple[Skipped, ...]:
    """Files that the last run found to be of another format and that have not changed since."""
    known = {one["path"]: one for one in plan.old.skipped if one.get("digest")} if plan.old else {}
    found = []
    for item in items:
        one = known.get(relative(item.labels[0], task.root)) if item.labels else None
        if one and one["digest"] == _digest(item.labels[0], task.root):
            found.append(Skipped(item.stem, str(item.labels[0]), one["code"], one["reason"], foreign=True))
    return tuple(found)


def _digest(path: Path, root: Path) -> str | None:
    try:
        return digest(read_below(path, (root,)))
    except SourceError:
        return None


def _state(out: Path) -> bytes | None:
    """The manifest as it is now, or None: tells whether another run finished in between."""
    try:
        return (out / MANIFEST).read_bytes()
    except OSError:
        return None


def _unwritten(task: Task, scan: Scan, work: _Work, dry_run: bool, jobs: int, progress: Progress[Any]) -> Conversion:
    """The account of a run that writes nothing: a dry run reads everything all the same."""
    results = list(progress(engine.run(task, work.todo, jobs=jobs), len(work.todo), "reading")) if dry_run else []
    failures = [result if isinstance(result, engine.Failure) else None for result in results]
    notes = [replace(note, stem=result.stem) for result in results if isinstance(result, Record) for note in result.notes]
    skipped = _failures(failures, work.todo if dry_run else (), scan, work)
    return Conversion(task.out, failures.count(None), len(work.kept), work.vanished, skipped, scan.classes.names, (*scan.notes, *notes), False)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Whose work this is, and what earlier work can be used again: *previous* stem -> Record."""

    identity: Mapping[str, Any]
    previous: Mapping[str, Record]
    old: Manifest | None
    resumed: bool
    replace: bool
    notes: tuple[Note, ...]


def _plan(format: str, task: Task, scan: Scan, overwrite: bool) -> _Plan:
    """Compare the call with what lies at *out*. Raises TreeError if that is something else and *overwrite* was not given."""
    reader, out, names = task.reader, task.out, list(scan.classes.names)
    options = {field.name: _plain(getattr(reader, field.name), out) for field in fields(reader) if field.name != "root"}  # type: ignore[arg-type]
    if options.get("classes") is not None:
        options["classes"] = names
    options |= {"image_format": task.image_format, "mask_mode": task.mask_mode}
    origin = {"format": format, "path": _plain(real_folders(reader.root)[0], out), "options": options}
    identity = {"segprep": __version__, "source": origin, "classes": names, "background": scan.classes.background}
    staging = Staging(out)
    begun = staging.identity()
    resumed = begun is not None and begun.get("source") == origin
    if begun is not None and not (resumed or overwrite):
        raise TreeError(
            "unfinished-run", f"{staging.folder} holds the unfinished work of another command", "finish it with that command, or discard it with --overwrite"
        )
    records = {record.stem: record for record in staging.journal()} if begun == identity else {}
    if overwrite:
        return _Plan(identity, records, None, resumed, True, ())
    path, listed = staging.previous()
    old = manifest.load(path)
    if old is None:
        if is_tree(out) and not resumed:
            raise TreeError("tree-exists", f"{out} already holds masks that segprep did not write", "choose another OUT, or give --overwrite to replace them")
        return _Plan(identity, records, None, resumed, False, ())
    if dict(old.source) != origin:
        raise TreeError("tree-exists", f"{out} was made from {_difference(old.source, origin)}", "choose another OUT, or give --overwrite to replace it")
    if list(old.classes.names) != names or old.versions.get("segprep") != __version__:
        note = Note("classes-changed", f"the class list was {', '.join(old.classes.names)}; every mask is made again")
        stale = {record.stem: replace(record, item="") for record in manifest.load_records(listed)}
        return _Plan(identity, stale | records, old, resumed, False, (note,) if list(old.classes.names) != names else ())
    return _Plan(identity, {record.stem: record for record in manifest.load_records(listed)} | records, old, resumed, False, ())


def _plain(value: Any, out: Path) -> Any:
    """An option as JSON; paths relative to the tree, so that it can be moved together with its source."""
    if isinstance(value, Path):
        try:
            return Path(os.path.relpath(value.resolve(), out.resolve())).as_posix()
        except ValueError:  # another drive
            return value.resolve().as_posix()
    return [_plain(one, out) for one in value] if isinstance(value, tuple) else value


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if (old["format"], old["path"]) != (new["format"], new["path"]):
        return f"another source ({old['format']} {old['path']})"
    changed = [name for name in new["options"] if old["options"].get(name) != new["options"][name]]
    return "the same source with other options: " + ", ".join(f"--{name.replace('_', '-')} {old['options'].get(name)}" for name in changed)


def _refuse_overlap(root: Path, out: Path) -> None:
    """Source and output must not contain each other, by whatever name."""
    inside = [folder for folder in (out, *out.parents) if folder.exists() and folder.samefile(root)]
    around = [folder for folder in (root, *root.parents) if out.exists() and folder.samefile(out)]
    if inside or around:
        raise UsageError("output-overlaps-source", f"the output {out} and the source {root} overlap", "choose an output beside the source")
    if out.exists() and not out.is_dir():
        raise UsageError("bad-option", f"the output {out} is no folder", "choose another name")


def _left_out(one: Skipped, root: Path) -> dict[str, str]:
    """What the manifest keeps of an input that was left out; of a foreign file enough to recognise it next time."""
    entry = {"stem": one.stem, "path": relative(Path(one.path), root), "code": one.code}
    return entry | {"reason": one.reason, "digest": _digest(Path(one.path), root) or ""} if one.foreign else entry


def _kept(task: "Task", scan: Scan, plan: _Plan, jobs: int, progress: Progress[Any]) -> dict[str, Record]:
    """The earlier Records that still hold: same item, same inputs, outputs untouched. Raises TreeError for an output changed by hand."""
    known = [(item, plan.previous[item.stem]) for item in scan.items if item.stem in plan.previous]
    checked = progress(engine.run(Unchanged(task, plan.replace), known, jobs=jobs, chunk=32), len(known), "comparing") if known else ()
    kept = {}
    for (item, record), state in zip(known, checked, strict=True):
        if state == "changed-by-hand":
            raise TreeError(
                "output-changed",
                f"a file of sample {item.stem} in {task.out} was changed after segprep wrote it",
                "move it away if you need it, then give --overwrite",
            )
        if state == "kept":
            kept[item.stem] = record
    return kept


def _convert(task: Task, scan: Scan, work: _Work, jobs: int, on_error: str, progress: Progress[Any]) -> Conversion:
    """Convert what is to do, publish everything. Raises BadInputError."""
    plan, kept, todo = work.plan, work.kept, work.todo
    staging = Staging(task.out)
    if plan.replace and not plan.resumed:
        staging.discard()
    staging.begin(plan.identity)
    lines = {stem: manifest.dump_record(record) for stem, record in kept.items()}
    results: list[engine.Failure | None] = []
    notes = [replace(note, stem=record.stem) for record in kept.values() for note in record.notes if plan.resumed]
    with open(staging.folder / "journal.jsonl", "ab") as journal:
        for result in progress(engine.run(task, todo, jobs=jobs), len(todo), "converting"):
            if isinstance(result, Record):
                lines[result.stem] = append(journal, result)
                notes += (replace(note, stem=result.stem) for note in result.notes)
            results.append(result if isinstance(result, engine.Failure) else None)
    skipped = _failures(results, todo, scan, work)
    failed = [one for one in skipped if not one.foreign]
    if failed and (on_error == "stop" or not lines):
        raise BadInputError(
            "bad-input", f"{len(failed)} of {len(scan.items) + len(scan.skipped)} inputs cannot be converted; nothing was published",
            "mend them and give the same command again, or leave them out with --on-error skip", skipped,
        )  # fmt: skip
    if not lines:
        staging.discard()
        raise SegprepError(
            "nothing-to-convert",
            "no input is of this format: " + "; ".join(f"{one.path} {one.reason}" for one in skipped[:3]),
            "is this the right folder, and the right format?",
        )
    removed = tuple(stem for stem in plan.previous if stem not in lines)
    notes += [
        Note("source-vanished", f"{stem}: its source is gone or no longer usable; the sample was taken out of the tree and its lists", stem) for stem in removed
    ]
    files, stale = _files(lines.values()), _stale(plan.previous.values(), lines)
    staging.publish(files, stale, _described(task, plan, scan, lines, skipped, removed), replace=plan.replace)
    return Conversion(task.out, len(lines) - len(kept), len(kept), removed, skipped, scan.classes.names, (*scan.notes, *plan.notes, *notes), True)


def _failures(results: Iterable["engine.Failure | None"], todo: Sequence[Item], scan: Scan, work: _Work) -> tuple[Skipped, ...]:
    failed = [Skipped(item.stem, one.path, one.code, one.reason, one.hint, one.foreign) for item, one in zip(todo, results, strict=True) if one]
    return tuple(sorted((*scan.skipped, *work.foreign, *failed), key=lambda one: one.path))


def _files(lines: Iterable[bytes]) -> list[str]:
    return [name for line in lines for name in file_names(manifest.load_record(line))]


def _stale(previous: Iterable[Record], lines: Mapping[str, bytes]) -> list[str]:
    """Files of earlier Records that no present sample has."""
    result = []
    for record in previous:
        now = file_names(manifest.load_record(lines[record.stem])) if record.stem in lines else []
        result += [name for name in file_names(record) if name not in now]
    return result


def _described(task: "Task", plan: _Plan, scan: Scan, lines: Mapping[str, bytes], skipped: Iterable[Skipped], removed: Sequence[str]) -> dict[str, bytes]:
    """The tree's text files: name -> content. Lists and split record of an earlier tree stay, less the samples that were removed."""
    ordered = [lines[stem] for stem in sorted(lines)]
    lists = {} if plan.replace else Tree(task.out).lists()
    split = plan.old.split if plan.old else None
    if split and removed:
        gone = {stem: name for name in ("train", "val", "test") for stem in lists.get(name, ()) if stem in set(removed)}
        left = {name: len([stem for stem in lists.get(name, ()) if stem not in gone]) for name in split.get("counts", ())}
        split = {**split, "counts": left, "vanished": {**split.get("vanished", {}), **gone}}
    fresh = {name: [stem for stem in stems if stem not in set(removed)] for name, stems in lists.items() if set(stems) & set(removed)}
    if not lists:
        fresh = {name: [stem for stem in stems if stem in lines] for name, stems in scan.lists.items()}
    versions = {"segprep": __version__, **{name: version(name) for name in ("numpy", "pillow", "isal")}}
    left_out = tuple(_left_out(one, task.root) for one in skipped)
    records = b"".join(ordered)
    made = Manifest(scan.classes, plan.identity["source"], versions, manifest.summarise(ordered, scan.classes), digest(records), split, left_out)
    texts = {f"{LISTS}/{name}.txt": list_bytes(stems) for name, stems in fresh.items()}
    return {**class_files(scan.classes), **texts, RECORDS: records, MANIFEST: manifest.dump(made)}
