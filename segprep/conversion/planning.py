"""What a conversion has to do: compare the call with what lies at the output, and every item with
its last Record.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any

from segprep import __version__, engine
from segprep.conversion.class_contract import Settled, background_first, settled
from segprep.conversion.sample_files import SampleTask, Unchanged
from segprep.dataset import manifest
from segprep.dataset.manifest import Manifest
from segprep.dataset.staging import Staging
from segprep.dataset.tree_files import occupied
from segprep.errors import SourceError, TreeError, UsageError
from segprep.files import digest, read_below, real_folders
from segprep.types import Item, Progress, Record, Scan, Skipped


@dataclass(frozen=True, slots=True)
class Plan:
    """Whose work this is, and what earlier work can be used again: *previous* stem -> Record."""

    identity: Mapping[str, Any]
    previous: Mapping[str, Record]
    old: Manifest | None
    resumed: bool
    replace: bool


@dataclass(frozen=True, slots=True)
class Work:
    """What is to do: items *todo*, Records that are *kept*, stems that *vanished* from the source,
    files known to be *foreign*. *task* and *scan* have the tree's class ids; *relisted*: the tree's
    class list got longer.
    """

    task: SampleTask
    scan: Scan
    plan: Plan
    kept: Mapping[str, Record]
    todo: tuple[Item, ...]
    vanished: tuple[str, ...]
    foreign: tuple[Skipped, ...]
    relisted: bool

    @property
    def nothing(self) -> bool:
        """Whether the tree is as it should be already."""
        return not (self.todo or self.vanished or self.relisted)


def refuse_overlap(root: Path, out: Path) -> None:
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
        raise UsageError("bad-option", f"the output {out} is not a folder", "choose another name")


def prepare(
    format: str,
    task: SampleTask,
    scan: Scan,
    overwrite: bool,
    jobs: int,
    progress: Progress[Any],
    *,
    keep_order: bool = False,
) -> Work:
    """What a call has to do at its output. *keep_order*: the background need not be class 0.

    Raises TreeError if something else lies there and *overwrite* was not given, or if the class
    list that the user gave contradicts the tree's.
    """
    staging = Staging(task.out)
    old = None if overwrite else manifest.load(staging.previous()[0])
    origin = _origin(format, task, scan)
    if old is not None and old.source:
        old = replace(old, source=_completed(old.source, origin, task))
    resumed = _begun(staging, origin, overwrite)
    if old is not None and _same_source(old.source, origin):
        stated = getattr(task.reader, "classes", None) is not None
        contract = settled(scan, old.classes, task.out, stated=stated)
    elif keep_order or getattr(task.reader, "published_ids", False):
        contract = Settled(scan)
    else:
        contract = background_first(scan)
    task, scan = replace(task, ids=contract.ids), contract.scan
    plan = _plan(origin, task, scan, old, overwrite, resumed)
    kept = _kept(task, scan, plan, jobs, progress)
    repacked = plan.old is not None and plan.old.source.get("archives") != origin.get("archives")
    stems = {item.stem for item in scan.items}
    foreign = _foreign(task, plan, [item for item in scan.items if item.stem not in kept])
    done = kept.keys() | {entry.stem for entry in foreign}
    return Work(
        task,
        scan,
        plan,
        kept,
        tuple(item for item in scan.items if item.stem not in done),
        tuple(stem for stem in plan.previous if stem not in stems),
        foreign,
        contract.changed or repacked,
    )


def _origin(format: str, task: SampleTask, scan: Scan) -> dict[str, Any]:
    """Source, format and options of a call, as the manifest keeps them."""
    reader, out = task.reader, task.out
    options = {
        field.name: _plain(task.archives.told(getattr(reader, field.name)), out)
        for field in fields(reader)  # type: ignore[arg-type]
        if field.name != "root"
    }
    if options.get("classes") is not None:
        options["classes"] = list(scan.classes.names)
    options |= {"image_format": task.image_format, "mask_mode": task.mask_mode}
    origin = {
        "format": format,
        "path": _plain(task.archives.told(real_folders(reader.root)[0]), out),
        "options": options,
    }
    digests = {_plain(one.path, out): one.digest for one in task.archives.unpacked}
    return origin | ({"archives": digests} if digests else {})


def _completed(
    old: Mapping[str, Any], origin: Mapping[str, Any], task: SampleTask
) -> dict[str, Any]:
    """The *old* source of a tree, with the defaults of options that the format had not then."""
    defaults = {
        field.name: _plain(field.default, task.out)
        for field in fields(task.reader)  # type: ignore[arg-type]
        if field.default is not MISSING
    }
    later = {name for name in origin["options"] if name in defaults} - old["options"].keys()
    return {**old, "options": {**old["options"], **{name: defaults[name] for name in later}}}


def _same_source(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether two calls differ in nothing but their class lists, which the contract settles, and
    the contents of their archives.
    """
    return _without_classes(old) == _without_classes(new)


def _without_classes(origin: Mapping[str, Any]) -> dict[str, Any]:
    options = {name: value for name, value in origin["options"].items() if name != "classes"}
    return {"format": origin["format"], "path": origin["path"], "options": options}


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
    fresh = staging.identity() == identity
    records = {record.stem: record for record in staging.journal()} if fresh else {}
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
    if not _same_source(old.source, origin):
        raise TreeError(
            "tree-exists",
            f"{task.out} was made from {_difference(old.source, origin)}",
            "choose another OUT, or give --overwrite to replace it",
        )
    previous = {
        record.stem: record for record in manifest.load_records(staging.previous()[1], old.records)
    }
    if old.versions.get("segprep") != __version__:
        previous = {stem: replace(record, item="") for stem, record in previous.items()}
    return Plan(identity, previous | records, old, resumed, False)


def _plain(value: Any, out: Path) -> Any:
    """An option as JSON; paths relative to the tree, so that it can be moved together with its
    source.
    """
    if isinstance(value, Path):
        try:
            return Path(os.path.relpath(value.resolve(), out.resolve())).as_posix()
        except ValueError:  # another drive
            return value.resolve().as_posix()
    return [_plain(part, out) for part in value] if isinstance(value, tuple) else value


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if (old["format"], old["path"]) != (new["format"], new["path"]):
        return f"another source ({old['format']} {old['path']})"
    changed = [
        name
        for name in new["options"]
        if name != "classes" and old["options"].get(name) != new["options"][name]
    ]
    return "the same source with other options: " + ", ".join(
        f"--{name.replace('_', '-')} {old['options'].get(name)}" for name in changed
    )


def _kept(
    task: SampleTask, scan: Scan, plan: Plan, jobs: int, progress: Progress[Any]
) -> dict[str, Record]:
    """The earlier Records that still hold: same item, same inputs, outputs untouched.

    Raises TreeError for an output changed by hand.
    """
    pairs = [(item, plan.previous[item.stem]) for item in scan.items if item.stem in plan.previous]
    states = (
        progress(
            engine.run(Unchanged(task, plan.replace), pairs, jobs=jobs, chunk=32),
            len(pairs),
            "comparing",
        )
        if pairs
        else ()
    )
    kept = {}
    for (item, record), state in zip(pairs, states, strict=True):
        if isinstance(state, engine.Failure):
            raise TreeError(state.code, f"{state.path}: {state.reason}", state.hint)
        if state == "changed-by-hand":
            raise TreeError(
                "output-changed",
                f"a file of sample {item.stem} in {task.out} was changed after segprep wrote it",
                "move it away if you need it, then give --overwrite",
            )
        if state == "kept":
            kept[item.stem] = record
    return kept


def _foreign(task: SampleTask, plan: Plan, items: Iterable[Item]) -> tuple[Skipped, ...]:
    """Files that the last run found to be of another format and that have not changed since."""
    listed = plan.old.skipped if plan.old else ()
    earlier = {entry["path"]: entry for entry in listed if entry.get("digest")}
    foreign = []
    for item in items:
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
