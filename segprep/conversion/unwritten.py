"""The account of a run that writes nothing: a dry run, or one that finds nothing changed."""

from typing import Any

from segprep import engine
from segprep.conversion.planning import Work
from segprep.conversion.publication import all_skipped, refuse
from segprep.conversion.result import Conversion
from segprep.conversion.run_notes import RunNotes
from segprep.conversion.unpainted import UnpaintedLabels, unpainted_notes
from segprep.types import Progress, Record


def account(
    work: Work, dry_run: bool, jobs: int, on_error: str, progress: Progress[Any]
) -> Conversion:
    """The account of a run that writes nothing: a dry run reads everything all the same.

    Raises BadInputError where the real run would.
    """
    todo = work.todo if dry_run else ()
    results = (
        list(progress(engine.run(work.task, todo, jobs=jobs), len(todo), "reading"))
        if dry_run
        else []
    )
    records = [result for result in results if isinstance(result, Record)]
    failures = {n: result for n, result in enumerate(results) if isinstance(result, engine.Failure)}
    skipped = all_skipped(failures, todo, work)
    if dry_run:
        refuse(skipped, work.scan, on_error, bool(records) or bool(work.kept))
    told = RunNotes()
    for record in records:
        told.add(record)
    notes, covered = told.summed(
        work.scan.classes.names,
        lambda: records,
        overlap=getattr(work.task.reader, "overlap", "order"),
    )
    old = work.plan.old
    if not dry_run and old is not None:  # nothing changed, and records need not be parsed
        unpainted = tuple(old.extra.get("unpainted", ()))
    else:
        unpainted = UnpaintedLabels.of((*work.kept.values(), *records)).rows()
        work.plan.close()
    return Conversion(
        work.task.out,
        len(results) - len(failures),
        len(work.kept),
        work.vanished,
        skipped,
        work.scan.classes.names,
        (*work.scan.notes, *unpainted_notes(unpainted), *notes),
        False,
        unpainted,
        covered,
    )
