"""Every sample of an export in turn: made in worker processes, kept in the journal, summed up."""

from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext
from itertools import chain
from typing import Any

from segprep import engine
from segprep.engine import Failure
from segprep.exporting.journal import ExportJournal
from segprep.exporting.sample_export import ExportedFiles, SampleExport
from segprep.types import Entry, Progress, Skipped

Todo = Sequence[tuple[Entry, tuple[str, ...]]]


def exported(
    task: SampleExport,
    todo: Todo,
    jobs: int,
    progress: Progress[Any],
    begun: tuple[ExportJournal, Mapping[str, Any]] | None,
) -> tuple[list[ExportedFiles], list[Skipped], int]:
    """What every sample of *todo* became, those that cannot be exported, and how many of them an
    interrupted run had finished.

    *begun*: the journal, and what the run is of; None where nothing is written.

    Raises SegprepError.
    """
    done, skipped = list[ExportedFiles](), list[Skipped]()
    kept: Mapping[str, ExportedFiles] = {}
    if begun:
        kept = begun[0].begin(begun[1], [entry.stem for entry, _ in todo])
    rest = [pair for pair in todo if pair[0].stem not in kept]
    results = iter(progress(engine.run(task, rest, jobs=jobs), len(rest), "exporting"))
    with closing(begun[0]) if begun else nullcontext():
        for entry, _ in todo:
            if entry.stem in kept:
                done.append(kept[entry.stem])
                continue
            result = next(results)
            if isinstance(result, Failure):
                skipped.append(
                    Skipped(entry.stem, result.path, result.code, result.reason, result.hint)
                )
                continue
            if begun:
                task.box.append(result.appended)
                begun[0].add(result)
            done.append(result)
    for _ in results:  # lets the progress display end
        pass
    return done, skipped, len(kept)


def losses(done: Sequence[ExportedFiles]) -> tuple[str, ...]:
    """What the target cannot hold, summed over all samples: one sentence each."""
    counts: dict[str, list[int]] = {}
    for loss in chain.from_iterable(files.losses for files in done):
        counts.setdefault(loss.what, []).append(loss.count)
    return tuple(
        f"{sum(numbers):,} {what} ({len(numbers)} of {len(done)} samples)"
        for what, numbers in sorted(counts.items())
    )
