"""Source to tree: scan, read every sample, finish its image, stage it, publish all at once."""

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from segprep import engine, sources
from segprep.conversion import archived, file_states, last_run, unwritten
from segprep.conversion.archived import NO_ARCHIVES, Archives
from segprep.conversion.file_states import NewSignatures
from segprep.conversion.last_run import Call
from segprep.conversion.planning import Work, manifest_bytes, prepare, refuse_overlap
from segprep.conversion.publication import (
    all_skipped,
    refuse,
    stale_files,
    texts_of,
    vanished,
)
from segprep.conversion.result import Conversion
from segprep.conversion.run_notes import RunNotes
from segprep.conversion.sample_files import ImageFormat, SampleTask
from segprep.conversion.snapshots import Looked
from segprep.conversion.unpainted import unpainted_notes
from segprep.conversion.written_sample import WrittenSample
from segprep.dataset import manifest, shards
from segprep.dataset.journal import Journal
from segprep.dataset.lists import finish_split
from segprep.dataset.record_file import RecordFile
from segprep.dataset.staging import Staging, lock
from segprep.dataset.tree import PENDING_SPLIT
from segprep.errors import SegprepError
from segprep.files import facts, real_folders, write_error
from segprep.files.facts import Facts
from segprep.imaging.image import MaskMode
from segprep.packed_items import PackedItems
from segprep.sources._common.pairing import folder_names
from segprep.types import Note, Progress, Reader, Scan, no_progress

RIGHT_FOLDER = "is this the right folder, and the right format?"


def convert(
    format: str,
    source: str | Path,
    out: str | Path,
    *,
    jobs: int = 1,
    on_error: Literal["stop", "skip"] = "stop",
    overwrite: bool = False,
    dry_run: bool = False,
    keep_order: bool = False,
    verify: bool = False,
    image_format: ImageFormat = "keep",
    mask_mode: MaskMode = "palette",
    strip_metadata: bool = False,
    shard: int = 0,
    progress: Progress[Any] = no_progress,
    **options: Any,
) -> Conversion:
    """Convert *source*, a folder or an archive laid out in *format* ("auto": as recognized), into a
    VOC-style tree at *out*. *options* are the fields of the format's Reader.

    Everything is staged inside *out* and published at once, so *out* never holds half a dataset;
    the same call resumes where a killed one stopped, and re-does only what changed. With *on_error*
    "stop" a bad input publishes nothing. The background becomes class 0 unless *keep_order*; an
    existing tree keeps the ids that it has, new classes are appended. With *shard*
    images and masks lie in folders 000, 001 … of at most so many samples. Files whose size, times
    and inode are those of the last run are not read again, except to *verify*.

    Raises:
        UsageError: a wrong option, or source and output overlap.
        BadInputError: bad inputs, listed in its ``skipped``; what was good stays staged for the
        next call.
        TreeError: *out* holds something else; LockedError: another run is at work there.
    """
    image_root = tuple(map(Path, options.pop("image_root", ())))
    with archived.opened(Path(source), image_root, progress) as archives:
        root = archives.place(Path(source))
        sources.check_folder(root)
        detected: tuple[Note, ...] = ()
        if format == "auto":
            format, sign = sources.recognize(root, image_root, masks=str(options.get("masks", "")))
            detected = (Note("format-detected", f"detected as {format}: {sign}"),)
        if image_root:
            options["image_root"] = tuple(map(archives.place, image_root))
        done = convert_with(
            sources.load(format)(root=root, **options),  # type: ignore[call-arg]
            format,
            out,
            jobs=jobs,
            on_error=on_error,
            overwrite=overwrite,
            dry_run=dry_run,
            keep_order=keep_order,
            verify=verify,
            progress=progress,
            image_format=image_format,
            mask_mode=mask_mode,
            strip_metadata=strip_metadata,
            shard=shard,
            archives=archives,
        )
        notes = *detected, *done.notes
        return replace(archives.told(done), notes=(*archives.notes(), *archives.told(notes)))


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
    keep_order: bool = False,
    verify: bool = False,
    image_format: ImageFormat = "keep",
    mask_mode: MaskMode = "palette",
    strip_metadata: bool = False,
    shard: int = 0,
    progress: Progress[Any] = no_progress,
    archives: Archives = NO_ARCHIVES,
) -> Conversion:
    """What :func:`convert` does, for a *reader* made by the caller (who may have its *scan*
    already); the manifest calls it *format*. Raises as convert does.
    """
    root, out = real_folders(reader.root)[0], Path(os.path.abspath(out))
    homes = real_folders(reader.root, getattr(reader, "image_root", ()))
    folder_names.refuse_absent(homes, getattr(reader, "exclude_folder", ()))
    for folder in homes:
        refuse_overlap(folder, out)
    task = SampleTask(
        *(reader, root, out, image_format, mask_mode, not dry_run),
        archives=archives,
        strip_metadata=strip_metadata,
        shard=shards.checked(shard),
    )
    call = None if dry_run or scan else last_run.begun(format, task, keep_order=keep_order)
    believed = not (verify or overwrite or Staging(out).folder.exists())
    if call and believed and (unchanged := call.answer()):
        return unchanged
    looked = call.looked if call else Looked.now(homes)
    with facts.learning(file_states.load(task).facts if believed else Facts(), looked.inputs):
        scan = reader.scan(jobs, progress) if scan is None else scan
        scan = replace(scan, items=PackedItems.of(scan.items))
        if not scan.items and not scan.skipped:
            reason = f"{reader.root} holds nothing in format {format}"
            raise SegprepError("nothing-to-convert", reason, RIGHT_FOLDER)
        task = replace(task, values=len(scan.classes.names))
        prepared = partial(
            prepare,
            *(format, task, scan, overwrite, jobs, progress),
            looked=looked,
            keep_order=keep_order,
            verify=verify,
        )
        seen, work = manifest_bytes(out), None
        unfinished = Staging(out).folder.exists() or os.path.lexists(out / PENDING_SPLIT)
        if dry_run or (seen and not unfinished and not overwrite):
            work = prepared()
            if dry_run or work.nothing:
                reported = unwritten.account(work, dry_run, jobs, on_error, progress)
                if call:
                    call.keep(reported)
                return reported
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(out, error) from error
        with lock(out):
            if (
                finish_split(out) or work is None or manifest_bytes(out) != seen
            ):  # another run may have ended
                work = prepared()
            settled = work.scan.classes is scan.classes  # the tree's classes are the source's
            return _convert(work, jobs, on_error, progress, call if settled else None)


def _convert(
    work: Work, jobs: int, on_error: str, progress: Progress[Any], call: Call | None
) -> Conversion:
    """Convert what is to do, publish everything. Raises BadInputError."""
    plan, todo = work.plan, work.todo
    staging = Staging(work.task.out)
    if plan.replace and not plan.resumed:
        staging.discard()
    staging.begin(plan.identity)
    failures: dict[int, engine.Failure] = {}
    account = RunNotes()
    earlier = plan.previous if isinstance(plan.previous, RecordFile) else None
    lines = Journal(staging.folder, earlier)
    try:
        work.kept.carry(lines, account, told=plan.resumed)
        task, written = WrittenSample(work.task, plan.began), NewSignatures.unknown(len(lines))
        results = progress(engine.run(task, todo, jobs=jobs), len(todo), "converting")
        for number, result in enumerate(results):
            if isinstance(result, engine.Failure):
                failures[number] = result
                continue
            record, line, key, signed = result
            lines.add(record, line, key)
            account.add(record, pictures=signed.pictures)
            written.add(signed)
        return _published(work, lines, written, failures, account, on_error, call)
    finally:
        lines.close()
        plan.close()


def _published(
    work: Work,
    lines: Journal,
    written: NewSignatures,
    failures: Mapping[int, "engine.Failure"],
    account: RunNotes,
    on_error: str,
    call: Call | None,
) -> Conversion:
    """Publish what was converted, unless bad inputs forbid it. Raises BadInputError."""
    plan, staging = work.plan, Staging(work.task.out)
    skipped = all_skipped(failures, work.todo, work)
    refuse(skipped, work.scan, on_error, bool(lines))
    if not lines:
        staging.discard()
        reasons = "; ".join(f"{entry.path} {entry.reason}" for entry in skipped[:3])
        raise SegprepError(
            "nothing-to-convert",
            f"no input is of this format: {reasons}",
            next((entry.hint for entry in skipped if entry.hint), "") or RIGHT_FOLDER,
        )
    removed = tuple(stem for stem in work.kept.dropped() if stem not in lines)
    notes, covered = account.summed(
        work.scan.classes.names,
        lambda: map(manifest.load_record, lines.values()),
        overlap=getattr(work.task.reader, "overlap", "order"),
    )
    stale = stale_files((plan.previous[stem] for stem in work.kept.dropped()), lines)
    unpainted = account.unpainted.rows()
    texts, checksum = texts_of(work, lines, skipped, removed, account)
    count = len(lines)
    lines.close()  # its folder goes away
    plan.close()
    whole = staging.publish(lines.belonging, stale, texts, replace=plan.replace)
    done = Conversion(
        work.task.out,
        count - len(work.kept),
        len(work.kept),
        removed,
        skipped,
        work.scan.classes.names,
        (*work.scan.notes, *unpainted_notes(unpainted), *notes, *map(vanished, removed)),
        True,
        unpainted,
        covered,
    )
    notes_again = (*work.scan.notes, *unpainted_notes(unpainted))
    again = replace(done, kept=count, notes=notes_again, covered=())
    repeated = None if failures else call
    last_run.save_published(
        work, lines, written if whole else None, account.totals, texts, checksum, repeated, again
    )
    return done
