"""What a conversion publishes beside the samples' files, and what forbids it: skipped inputs,
lists, records, the manifest.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import isal
import numpy
import PIL

from segprep import __version__, engine
from segprep.conversion.planning import Work, digest_below
from segprep.conversion.run_notes import RunNotes
from segprep.conversion.sample_files import SampleTask, file_names
from segprep.dataset import manifest
from segprep.dataset.journal import Journal
from segprep.dataset.manifest import MANIFEST, RECORDS, Manifest
from segprep.dataset.staging import Staging
from segprep.dataset.tree import LISTS, SPLITS
from segprep.dataset.tree_files import class_files, list_bytes
from segprep.errors import BadInputError
from segprep.files import digest
from segprep.names import natural_key
from segprep.types import Item, Note, Record, Scan, Skipped

Lists = Mapping[str, Sequence[str]]


def refuse(skipped: tuple[Skipped, ...], scan: Scan, on_error: str, some: bool) -> None:
    """Raise BadInputError if bad inputs forbid publishing: with *on_error* "stop", or where not
    even *some* are good.
    """
    failed = [entry for entry in skipped if not entry.foreign]
    if failed and (on_error == "stop" or not some):
        total = len(scan.items) + len(scan.skipped)
        raise BadInputError(
            "bad-input",
            f"{len(failed)} of {total} inputs cannot be converted; nothing was written",
            "fix them and re-run the command, or skip them with --on-error skip",
            skipped,
            scan.notes,
        )


def all_skipped(
    failures: Mapping[int, "engine.Failure"], todo: Sequence[Item], work: Work
) -> tuple[Skipped, ...]:
    """Every input that was skipped, by path: by the scan, as foreign, or because it failed;
    *failures* by their numbers in *todo*.
    """
    failed = [
        Skipped(
            todo[number].stem,
            error.path,
            error.code,
            error.reason,
            error.hint,
            error.foreign,
            error.detail,
        )
        for number, error in failures.items()
    ]
    skipped = (*work.scan.skipped, *work.foreign, *failed)
    return tuple(sorted(skipped, key=lambda entry: work.task.archives.outer(entry.path)))


def stale_files(previous: Iterable[Record], lines: Journal) -> list[str]:
    """Files of earlier Records that no present sample has."""
    result = []
    for record in previous:
        now = lines.files(record.stem)
        result += [name for name in file_names(record) if name not in now]
    return result


def texts_of(
    work: Work,
    lines: Journal,
    skipped: Iterable[Skipped],
    removed: Sequence[str],
    account: RunNotes,
) -> tuple[dict[str, bytes | Path], str]:
    """The tree's text files: name -> content, or the staged file that
    holds it; the digest of the records. The manifest says what *account* adds up to.

    Lists and split record of an earlier tree stay, less the samples that were removed.
    """
    unpainted = account.unpainted.rows()
    records, checksum = lines.gathered()
    lists, split = _lists(work, lines, removed)
    versions = {
        "segprep": __version__,
        "numpy": numpy.__version__,
        "pillow": PIL.__version__,
        "isal": isal.__version__,
    }
    digests = {name: digest(list_bytes(listed)) for name, listed in lists.items()}
    described = Manifest(
        work.scan.classes,
        work.plan.identity["source"],
        versions,
        account.totals.named(work.scan.classes),
        checksum,
        split,
        tuple(_plain_skipped(entry, work.task) for entry in skipped),
        lists={**_kept_digests(work), **digests},
        extra={"unpainted": list(unpainted)} if unpainted else {},
    )
    texts: dict[str, bytes | Path] = {
        **class_files(work.scan.classes),
        **{f"{LISTS}/{name}.txt": list_bytes(listed) for name, listed in lists.items()},
        RECORDS: records,
        MANIFEST: manifest.dump(described),
    }
    return texts, checksum


def _kept_digests(work: Work) -> Mapping[str, str]:
    """The digests of lists that the tree had before and keeps."""
    old = work.plan.old
    if old is None or work.plan.replace:
        return {}
    standing = Staging(work.task.out).lists()
    return {name: value for name, value in old.lists.items() if name in standing}


def _lists(
    work: Work, lines: Mapping[str, bytes], removed: Sequence[str]
) -> tuple[Lists, Mapping[str, Any] | None]:
    """The lists to write, and the split record: the tree's own, less *removed* samples, or those
    that the source has.
    """
    old = work.plan.old
    standing = {} if work.plan.replace else Staging(work.task.out).lists()
    if standing:
        lost = set(removed)
        lists: Lists = {
            name: [stem for stem in stems if stem not in lost]
            for name, stems in standing.items()
            if set(stems) & lost
        }
        return lists, _without(old.split if old else None, standing, lost)
    drawn = work.scan.lists
    lists = {
        name: sorted((stem for stem in stems if stem in lines), key=natural_key)
        for name, stems in drawn.items()
    }
    lost = {stem for stems in drawn.values() for stem in stems} - lines.keys()
    return lists, _without(old.split if old else work.scan.split, drawn, lost)


def _without(
    split: Mapping[str, Any] | None, lists: Lists, lost: set[str]
) -> Mapping[str, Any] | None:
    """The record *split* without *lost* stems; it remembers which list each was in."""
    if not split or not lost:
        return split
    gone = {stem: name for name in SPLITS for stem in lists.get(name, ()) if stem in lost}
    counts = {
        name: len([stem for stem in lists.get(name, ()) if stem not in gone])
        for name in split.get("counts", ())
    }
    return {**split, "counts": counts, "vanished": {**split.get("vanished", {}), **gone}}


def _plain_skipped(entry: Skipped, task: SampleTask) -> dict[str, str]:
    """What the manifest keeps of a skipped input; of a foreign file enough to recognize it next
    time.
    """
    path = Path(entry.path)
    content = {"stem": entry.stem, "path": task.named(path), "code": entry.code}
    if entry.foreign:
        content |= {
            "reason": task.archives.told(entry.reason),
            "digest": digest_below(path, task.root) or "",
        }
    return content


def vanished(stem: str) -> Note:
    """The note on a sample whose source is gone."""
    return Note(
        "source-vanished",
        "its source is gone or no longer usable; the sample was removed from the tree and its"
        " lists",
        stem,
    )
