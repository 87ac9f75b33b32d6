"""Source to tree: scan, read every sample, finish its image, stage it, publish all at once."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import isal
import numpy
import PIL

from segprep import __version__, engine, sources
from segprep.conversion.planning import Plan, Work, digest_below, prepare
from segprep.conversion.sample_files import ImageFormat, Task, file_names, relative
from segprep.dataset import manifest
from segprep.dataset.manifest import MANIFEST, RECORDS, Manifest
from segprep.dataset.staging import Journal, Staging, lock
from segprep.dataset.tree import LISTS, class_files, list_bytes
from segprep.errors import BadInputError, SegprepError, UsageError
from segprep.files import digest, real_folders, write_error
from segprep.imaging.image import MaskMode
from segprep.names import natural_key
from segprep.types import Item, Note, Progress, Reader, Record, Scan, Skipped, no_progress


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion did: *converted* samples are new or changed, *kept* ones were as they
    should be; *removed* stems had lost their source.
    """

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
    """Convert *source*, laid out in *format* ("auto": as recognised), into a VOC-style tree at
    *out*. *options* are the fields of the format's Reader.

    Everything is staged inside *out* and published at once, so *out* never holds half a dataset;
    the same call goes on where a killed one stopped, and re-does only what changed. With *on_error*
    "stop" a bad input publishes nothing.

    Raises:
        UsageError: a wrong option, or source and output overlap.
        BadInputError: bad inputs, listed in its ``skipped``; what was good stays staged for the
        next call.
        TreeError: *out* holds something else; LockedError: another run is at work there.
    """
    if format == "auto":
        format, _ = sources.recognise(Path(source))
    reader = sources.load(format)(root=Path(source), **options)  # type: ignore[call-arg]
    return convert_with(
        reader,
        format,
        out,
        jobs=jobs,
        on_error=on_error,
        overwrite=overwrite,
        dry_run=dry_run,
        progress=progress,
        image_format=image_format,
        mask_mode=mask_mode,
    )


def convert_with(
    reader: Reader,
    format: str,
    out: str | Path,
    *,
    scan: Scan | None = None,
    jobs: int = 1,
    on_error: Literal["stop", "skip"] = "stop",
    overwrite: bool = False,
    dry_run: bool = False,
    image_format: ImageFormat = "keep",
    mask_mode: MaskMode = "palette",
    progress: Progress[Any] = no_progress,
) -> Conversion:
    """What :func:`convert` does, for a *reader* made by the caller (who may have its *scan*
    already); the manifest calls it *format*. Raises as convert does.
    """
    root, out = real_folders(reader.root)[0], Path(os.path.abspath(out))
    for folder in real_folders(reader.root, getattr(reader, "image_root", ())):
        _refuse_overlap(folder, out)
    scan = reader.scan(jobs, progress) if scan is None else scan
    if not scan.items and not scan.skipped:
        raise SegprepError(
            "nothing-to-convert",
            f"{reader.root} holds nothing in format {format}",
            "is this the right folder, and the right format?",
        )
    count = len(scan.classes.names)
    task = Task(reader, root, out, image_format, mask_mode, write=not dry_run, values=count)
    seen, work = _state(out), None
    if dry_run or (seen and not Staging(out).folder.exists() and not overwrite):
        work = prepare(format, task, scan, overwrite, jobs, progress)
        if dry_run or not (work.todo or work.vanished):
            return _unwritten(task, scan, work, dry_run, jobs, on_error, progress)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(out, error) from error
    with lock(out):
        if work is None or _state(out) != seen:  # another run may have finished since
            work = prepare(format, task, scan, overwrite, jobs, progress)
        return _convert(task, scan, work, jobs, on_error, progress)


def _state(out: Path) -> bytes | None:
    """The manifest as it is now, or None: tells whether another run finished in between."""
    try:
        return (out / MANIFEST).read_bytes()
    except OSError:
        return None


def _unwritten(
    task: Task,
    scan: Scan,
    work: Work,
    dry_run: bool,
    jobs: int,
    on_error: str,
    progress: Progress[Any],
) -> Conversion:
    """The account of a run that writes nothing: a dry run reads everything all the same.

    Raises BadInputError where the real run would.
    """
    results = (
        list(progress(engine.run(task, work.todo, jobs=jobs), len(work.todo), "reading"))
        if dry_run
        else []
    )
    failures = [result if isinstance(result, engine.Failure) else None for result in results]
    notes = [
        replace(note, stem=result.stem)
        for result in results
        if isinstance(result, Record)
        for note in result.notes
    ]
    skipped = _failures(failures, work.todo if dry_run else (), scan, work)
    if dry_run:
        _refuse(
            skipped,
            scan,
            on_error,
            any(isinstance(result, Record) for result in results) or bool(work.kept),
        )
    return Conversion(
        task.out,
        failures.count(None),
        len(work.kept),
        work.vanished,
        skipped,
        scan.classes.names,
        (*scan.notes, *notes),
        False,
    )


def _refuse_overlap(root: Path, out: Path) -> None:
    """Source and output must not contain each other, by whatever name."""
    inside = [folder for folder in (out, *out.parents) if folder.exists() and folder.samefile(root)]
    around = [folder for folder in (root, *root.parents) if out.exists() and folder.samefile(out)]
    if inside or around:
        raise UsageError(
            "output-overlaps-source",
            f"the output {out} and the source {root} overlap",
            "choose an output beside the source",
        )
    if out.exists() and not out.is_dir():
        raise UsageError("bad-option", f"the output {out} is no folder", "choose another name")


def _left_out(one: Skipped, root: Path) -> dict[str, str]:
    """What the manifest keeps of an input that was left out; of a foreign file enough to recognise
    it next time.
    """
    entry = {"stem": one.stem, "path": relative(Path(one.path), root), "code": one.code}
    return (
        entry | {"reason": one.reason, "digest": digest_below(Path(one.path), root) or ""}
        if one.foreign
        else entry
    )


def _convert(
    task: Task, scan: Scan, work: Work, jobs: int, on_error: str, progress: Progress[Any]
) -> Conversion:
    """Convert what is to do, publish everything. Raises BadInputError."""
    plan, kept, todo = work.plan, work.kept, work.todo
    staging = Staging(task.out)
    if plan.replace and not plan.resumed:
        staging.discard()
    staging.begin(plan.identity)
    results: list[engine.Failure | None] = []
    notes = [
        replace(note, stem=record.stem)
        for record in kept.values()
        for note in record.notes
        if plan.resumed
    ]
    lines = Journal(staging.folder)
    try:
        for record in kept.values():
            lines.add(record)
        for result in progress(engine.run(task, todo, jobs=jobs), len(todo), "converting"):
            if isinstance(result, Record):
                lines.add(result)
                notes += (replace(note, stem=result.stem) for note in result.notes)
            results.append(result if isinstance(result, engine.Failure) else None)
        return _published(task, scan, work, lines, results, notes, on_error)
    finally:
        lines.close()


def _published(
    task: Task,
    scan: Scan,
    work: Work,
    lines: Journal,
    results: Sequence["engine.Failure | None"],
    notes: list[Note],
    on_error: str,
) -> Conversion:
    """Publish what was converted, unless bad inputs forbid it. Raises BadInputError."""
    plan, kept, todo, staging = work.plan, work.kept, work.todo, Staging(task.out)
    skipped = _failures(results, todo, scan, work)
    _refuse(skipped, scan, on_error, bool(lines))
    if not lines:
        staging.discard()
        raise SegprepError(
            "nothing-to-convert",
            "no input is of this format: "
            + "; ".join(f"{one.path} {one.reason}" for one in skipped[:3]),
            "is this the right folder, and the right format?",
        )
    removed = tuple(stem for stem in plan.previous if stem not in lines)
    notes += [
        Note(
            "source-vanished",
            f"{stem}: its source is gone or no longer usable; the sample was taken out of the tree"
            " and its lists",
            stem,
        )
        for stem in removed
    ]
    stale = _stale(plan.previous.values(), lines)
    files, described = _described(task, plan, scan, lines, skipped, removed)
    lines.close()  # its folder goes away
    staging.publish(files, stale, described, replace=plan.replace)
    return Conversion(
        task.out,
        len(lines) - len(kept),
        len(kept),
        removed,
        skipped,
        scan.classes.names,
        (*scan.notes, *plan.notes, *notes),
        True,
    )


def _refuse(skipped: tuple[Skipped, ...], scan: Scan, on_error: str, some: bool) -> None:
    """Raise BadInputError if bad inputs forbid publishing: with *on_error* "stop", or where not
    even *some* are good.
    """
    failed = [one for one in skipped if not one.foreign]
    if failed and (on_error == "stop" or not some):
        raise BadInputError(
            "bad-input", f"{len(failed)} of {len(scan.items) + len(scan.skipped)} inputs cannot be converted; nothing was published",
            "mend them and give the same command again, or leave them out with --on-error skip", skipped,
        )  # fmt: skip


def _failures(
    results: Iterable["engine.Failure | None"], todo: Sequence[Item], scan: Scan, work: Work
) -> tuple[Skipped, ...]:
    failed = [
        Skipped(item.stem, one.path, one.code, one.reason, one.hint, one.foreign, one.detail)
        for item, one in zip(todo, results, strict=True)
        if one
    ]
    return tuple(sorted((*scan.skipped, *work.foreign, *failed), key=lambda one: one.path))


def _stale(previous: Iterable[Record], lines: Mapping[str, bytes]) -> list[str]:
    """Files of earlier Records that no present sample has."""
    result = []
    for record in previous:
        now = file_names(manifest.load_record(lines[record.stem])) if record.stem in lines else []
        result += [name for name in file_names(record) if name not in now]
    return result


def _described(
    task: "Task",
    plan: Plan,
    scan: Scan,
    lines: Mapping[str, bytes],
    skipped: Iterable[Skipped],
    removed: Sequence[str],
) -> tuple[list[str], dict[str, bytes | bytearray]]:
    """The files of all samples, and the tree's text files: name -> content.

    Lists and split record of an earlier tree stay, less the samples that were removed.
    """
    records, files = bytearray(), []

    def ordered() -> Iterator[Record]:
        for stem in sorted(lines):
            line = lines[stem]
            records.extend(line)
            record = manifest.load_record(line)
            files.extend(file_names(record))
            yield record

    counts = manifest.summarise(ordered(), scan.classes)
    lists = {} if plan.replace else Staging(task.out).lists()
    split = plan.old.split if plan.old else None if lists else scan.split
    drawn = lists or scan.lists
    lost = (
        set(removed)
        if lists
        else {stem for stems in drawn.values() for stem in stems} - lines.keys()
    )
    if split and lost:
        gone = {
            stem: name
            for name in ("train", "val", "test")
            for stem in drawn.get(name, ())
            if stem in lost
        }
        left = {
            name: len([stem for stem in drawn.get(name, ()) if stem not in gone])
            for name in split.get("counts", ())
        }
        split = {**split, "counts": left, "vanished": {**split.get("vanished", {}), **gone}}
    fresh = {
        name: [stem for stem in stems if stem not in set(removed)]
        for name, stems in lists.items()
        if set(stems) & set(removed)
    }
    if not lists:
        fresh = {
            name: sorted((stem for stem in stems if stem in lines), key=natural_key)
            for name, stems in scan.lists.items()
        }
    versions = {
        "segprep": __version__,
        "numpy": numpy.__version__,
        "pillow": PIL.__version__,
        "isal": isal.__version__,
    }
    left_out = tuple(_left_out(one, task.root) for one in skipped)
    made = Manifest(
        scan.classes, plan.identity["source"], versions, counts, digest(records), split, left_out
    )
    texts = {f"{LISTS}/{name}.txt": list_bytes(stems) for name, stems in fresh.items()}
    return files, {
        **class_files(scan.classes),
        **texts,
        RECORDS: records,
        MANIFEST: manifest.dump(made),
    }
