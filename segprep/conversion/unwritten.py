"""The account of a run that writes nothing: a dry run, or one that finds nothing changed."""

from typing import Any

from segprep import engine
from segprep.conversion.planning import Work
from segprep.conversion.publication import all_skipped, refuse
from segprep.conversion.result import Conversion
from segprep.conversion.run_notes import RunNotes
from segprep.conversion.unpainted import unpainted_notes
from segprep.types import Progress, Record


def account(
    work: Work, dry_run: bool, jobs: int, on_error: str, progress: Progress[Any]
) -> Conversion:
    """The account of a run that writes nothing: a dry run reads everything all the same.

    Raises BadInputError where the real run would.
    """
    todo = work.todo if dry_run else ()
    told, failures, good = RunNotes(), dict[int, engine.Failure](), 0
    results = engine.run(work.task, todo, jobs=jobs)
    shown = progress(results, len(todo), "reading") if dry_run else ()
    for number, result in enumerate(shown):
        if isinstance(result, engine.Failure):
            failures[number] = result
        else:  # of a million, none is kept
            told.add(result)
            good += 1
    skipped = all_skipped(failures, todo, work)
    if dry_run:
        refuse(skipped, work.scan, on_error, bool(good or work.kept))
    notes, covered = told.summed(
        work.scan.classes.names,
        lambda: (
            result
            for result in engine.run(work.task, todo, jobs=jobs)
            if isinstance(result, Record)
        ),
        overlap=getattr(work.task.reader, "overlap", "order"),
    )
    old = work.plan.old
    if not dry_run and old is not None:  # nothing changed, and records need not be parsed
        unpainted = tuple(old.extra.get("unpainted", ()))
    else:
        for record in work.kept.values():
            told.unpainted.add(record.unpainted)
        unpainted = told.unpainted.rows()
        work.plan.close()
    return Conversion(
        work.task.out,
        good,
        len(work.kept),
        work.vanished,
        skipped,
        work.scan.classes.names,
        (*work.scan.notes, *unpainted_notes(unpainted), *notes),
        False,
        unpainted,
        covered,
    )
