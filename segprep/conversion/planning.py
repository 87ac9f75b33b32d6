"""What a conversion has to do: compare the call with what lies at the output, and every item with
its last Record.
"""

import os
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from segprep import __version__
from segprep.conversion.call_origin import completed, difference, origin_of, same_source
from segprep.conversion.class_contract import Settled, background_first, settled
from segprep.conversion.kept import Kept, Plan, kept_records
from segprep.conversion.sample_files import SampleTask
from segprep.conversion.snapshots import Looked
from segprep.dataset import manifest
from segprep.dataset.journal_records import JournalRecords
from segprep.dataset.manifest import MANIFEST, Manifest
from segprep.dataset.record_file import RecordFile
from segprep.dataset.shards import sharded
from segprep.dataset.staging import Staging
from segprep.dataset.tree_files import occupied
from segprep.errors import SourceError, TreeError, UsageError
from segprep.files import digest, read_below, read_plain
from segprep.packed_items import PackedItems
from segprep.types import Item, Progress, Record, Scan, Skipped


@dataclass(frozen=True, slots=True)
class Work:
    """What is to do: items *todo*, Records that are *kept*, stems that *vanished* from the source,
    files known to be *foreign*. *task* and *scan* have the tree's class ids; *relisted*: the tree's
    class list got longer. *looked*: what files looked like before any was read.
    """

    task: SampleTask
    scan: Scan
    plan: Plan
    kept: Kept
    todo: Sequence[Item]
    vanished: tuple[str, ...]
    foreign: tuple[Skipped, ...]
    relisted: bool
    looked: Looked

    @property
    def nothing(self) -> bool:
        """Whether the tree is as it should be already."""
        return not (self.todo or self.vanished or self.relisted)


def refuse_overlap(root: Path, out: Path) -> None:
    """Source and output must not contain each other, by whatever name."""
    if _lies_in(out, root) or _lies_in(root, out):
        raise UsageError(
            "output-overlaps-source",
            f"the output {out} and the source {root} overlap",
            "choose an output beside the source",
        )
    if out.exists() and not out.is_dir():
        raise UsageError("bad-option", f"the output {out} is not a folder", "choose another name")


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether *path*, behind all links, is *folder* or lies below it."""
    real = Path(os.path.realpath(path))
    return folder.exists() and any(
        above.exists() and above.samefile(folder) for above in (real, *real.parents)
    )


def prepare(
    format: str,
    task: SampleTask,
    scan: Scan,
    overwrite: bool,
    jobs: int,
    progress: Progress[Any],
    *,
    looked: Looked,
    keep_order: bool = False,
    verify: bool = False,
) -> Work:
    """What a call has to do at its output. *looked*: what files look like; *keep_order*: the
    background need not be class 0; *verify*: read all files again, whatever the index says.

    Raises TreeError if something else lies there and *overwrite* was not given, or if the class
    list that the user gave contradicts the tree's.
    """
    staging = Staging(task.out)
    old = None if overwrite else manifest.load(staging.previous()[0])
    origin = origin_of(format, task, scan)
    if old is not None and old.source:
        old = replace(old, source=completed(old.source, origin, task))
    resumed = _begun(staging, origin, overwrite)
    if old is not None and same_source(old.source, origin):
        listed = origin["options"].get("classes")  # the list that made the tree is not a new wish
        stated = listed is not None and listed != old.source["options"].get("classes")
        contract = settled(scan, old.classes, task.out, stated=stated)
    elif keep_order or getattr(task.reader, "published_ids", False):
        contract = Settled(scan)
    else:
        contract = background_first(scan)
    task, scan = replace(task, ids=contract.ids), contract.scan
    plan = _plan(origin, task, scan, old, overwrite, resumed)
    scan = sharded(scan, plan.previous, task.shard) if task.shard else scan
    try:
        kept = kept_records(task, scan, plan, looked, jobs, progress, verify=verify)
    finally:
        plan.close()
    repacked = plan.old is not None and plan.old.source.get("archives") != origin.get("archives")
    items = PackedItems.of(scan.items)
    foreign = _foreign(task, plan, items, kept.others)
    done, others = {entry.stem for entry in foreign}, kept.others
    if done:
        others = array("I", (n for n in others if items.stems[n] not in done))
    return Work(
        task,
        scan,
        plan,
        kept,
        items.chosen(others),
        tuple(stem for stem in kept.dropped() if stem not in items.stems),
        foreign,
        contract.changed or repacked,
        looked,
    )


def _begun(staging: Staging, origin: Mapping[str, Any], overwrite: bool) -> bool:
    """Whether the unfinished work that lies at the output is this call's.

    Raises TreeError if it is another one's.
    """
    begun = staging.identity()
    if begun is None:
        return False
    source = begun.get("source")
    resumed = source == origin
    retried = dict(source or {}).get("path") == origin["path"] and not staging.publishing
    if not (resumed or overwrite or retried):
        raise TreeError(
            "unfinished-run",
            f"{staging.folder} holds the unfinished work of another command",
            "finish it with that command, or discard it with --overwrite",
        )
    return resumed


def _plan(
    origin: Mapping[str, Any],
    task: SampleTask,
    scan: Scan,
    old: Manifest | None,
    overwrite: bool,
    resumed: bool,
) -> Plan:
    """Compare the call with what lies at the output.

    Raises TreeError if that is something else and *overwrite* was not given.
    """
    staging = Staging(task.out)
    identity = {
        "segprep": __version__,
        "source": origin,
        "classes": list(scan.classes.names),
        "background": scan.classes.background,
    }
    records = JournalRecords(staging, finished=staging.identity() == identity)
    if overwrite:
        return Plan(identity, records, None, resumed, True)
    if old is None:
        if (there := occupied(task.out)) and not resumed:
            raise TreeError(
                "tree-exists",
                f"{task.out} already holds {there}, which segprep did not write",
                "choose another OUT, or give --overwrite to replace it",
            )
        return Plan(identity, records, None, resumed, False)
    if not same_source(old.source, origin):
        raise TreeError(
            "tree-exists",
            f"{task.out} was made from {difference(old.source, origin)}",
            "choose another OUT, or give --overwrite to replace it",
        )
    path = staging.previous()[1]
    if old.versions.get("segprep") == __version__:
        earlier: Mapping[str, Record] = RecordFile(path, old.records)
    else:
        every = manifest.load_records(path, old.records)
        earlier = {record.stem: replace(record, item="") for record in every}
    return Plan(identity, records.over(earlier) if records else earlier, old, resumed, False)


def manifest_bytes(out: Path) -> bytes | None:
    """The manifest as it is now, or None: tells whether another run finished in between."""
    try:
        return read_plain(out / MANIFEST)
    except OSError:
        return None


def _foreign(
    task: SampleTask, plan: Plan, items: PackedItems, numbers: Iterable[int]
) -> tuple[Skipped, ...]:
    """Of the *items* of these *numbers*, the files that the last run found to be of another format
    and that have not changed since.
    """
    listed = plan.old.skipped if plan.old else ()
    earlier = {entry["path"]: entry for entry in listed if entry.get("digest")}
    foreign = []
    for item in (items[number] for number in numbers) if earlier else ():
        entry = earlier.get(task.named(item.labels[0])) if item.labels else None
        if entry and entry["digest"] == digest_below(item.labels[0], task.root):
            path, code, reason = str(item.labels[0]), entry["code"], entry["reason"]
            foreign.append(Skipped(item.stem, path, code, reason, foreign=True))
    return tuple(foreign)


def digest_below(path: Path, root: Path) -> str | None:
    """The digest of a file below *root*, or None if it cannot be read safely."""
    try:
        return digest(read_below(path, (root,)))
    except SourceError:
        return None
