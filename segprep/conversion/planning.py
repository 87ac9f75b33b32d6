"""What a conversion has to do: compare the call with what lies at the output, and every item with
its last Record.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from segprep import __version__, engine
from segprep.conversion.sample_files import Task, Unchanged, relative
from segprep.dataset import manifest
from segprep.dataset.manifest import Manifest
from segprep.dataset.staging import Staging
from segprep.dataset.tree import occupied
from segprep.errors import SourceError, TreeError
from segprep.files import digest, read_below, real_folders
from segprep.types import Item, Note, Progress, Record, Scan, Skipped


@dataclass(frozen=True, slots=True)
class Plan:
    """Whose work this is, and what earlier work can be used again: *previous* stem -> Record."""

    identity: Mapping[str, Any]
    previous: Mapping[str, Record]
    old: Manifest | None
    resumed: bool
    replace: bool
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What is to do: items *todo*, Records that are *kept*, stems that *vanished* from the source,
    files known to be *foreign*.
    """

    plan: Plan
    kept: Mapping[str, Record]
    todo: tuple[Item, ...]
    vanished: tuple[str, ...]
    foreign: tuple[Skipped, ...]


def prepare(
    format: str, task: Task, scan: Scan, overwrite: bool, jobs: int, progress: Progress[Any]
) -> Work:
    """What a call has to do at its output.

    Raises TreeError if something else lies there and *overwrite* was not given.
    """
    plan = _plan(format, task, scan, overwrite)
    kept = _kept(task, scan, plan, jobs, progress)
    stems = {item.stem for item in scan.items}
    foreign = _foreign(task, plan, [item for item in scan.items if item.stem not in kept])
    done = kept.keys() | {one.stem for one in foreign}
    return Work(
        plan,
        kept,
        tuple(item for item in scan.items if item.stem not in done),
        tuple(stem for stem in plan.previous if stem not in stems),
        foreign,
    )


def _plan(format: str, task: Task, scan: Scan, overwrite: bool) -> Plan:
    """Compare the call with what lies at *out*.

    Raises TreeError if that is something else and *overwrite* was not given.
    """
    reader, out, names = task.reader, task.out, list(scan.classes.names)
    options = {
        field.name: _plain(getattr(reader, field.name), out)
        for field in fields(reader)  # type: ignore[arg-type]
        if field.name != "root"
    }
    if options.get("classes") is not None:
        options["classes"] = names
    options |= {"image_format": task.image_format, "mask_mode": task.mask_mode}
    origin = {
        "format": format,
        "path": _plain(real_folders(reader.root)[0], out),
        "options": options,
    }
    identity = {
        "segprep": __version__,
        "source": origin,
        "classes": names,
        "background": scan.classes.background,
    }
    staging = Staging(out)
    begun = staging.identity()
    resumed = begun is not None and begun.get("source") == origin
    retried = (
        begun is not None
        and dict(begun.get("source") or {}).get("path") == origin["path"]
        and not staging.publishing
    )
    if begun is not None and not (resumed or overwrite or retried):
        raise TreeError(
            "unfinished-run",
            f"{staging.folder} holds the unfinished work of another command",
            "finish it with that command, or discard it with --overwrite",
        )
    records = {record.stem: record for record in staging.journal()} if begun == identity else {}
    if overwrite:
        return Plan(identity, records, None, resumed, True, ())
    path, listed = staging.previous()
    old = manifest.load(path)
    if old is None:
        if (there := occupied(out)) and not resumed:
            raise TreeError(
                "tree-exists",
                f"{out} already holds {there}, which segprep did not write",
                "choose another OUT, or give --overwrite to replace it",
            )
        return Plan(identity, records, None, resumed, False, ())
    if dict(old.source) != origin:
        raise TreeError(
            "tree-exists",
            f"{out} was made from {_difference(old.source, origin)}",
            "choose another OUT, or give --overwrite to replace it",
        )
    if list(old.classes.names) != names or old.versions.get("segprep") != __version__:
        note = Note(
            "classes-changed",
            f"the class list was {', '.join(old.classes.names)}; every mask is made again",
        )
        stale = {record.stem: replace(record, item="") for record in manifest.load_records(listed)}
        return Plan(
            identity,
            stale | records,
            old,
            resumed,
            False,
            (note,) if list(old.classes.names) != names else (),
        )
    return Plan(
        identity,
        {record.stem: record for record in manifest.load_records(listed)} | records,
        old,
        resumed,
        False,
        (),
    )


def _plain(value: Any, out: Path) -> Any:
    """An option as JSON; paths relative to the tree, so that it can be moved together with its
    source.
    """
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
    return "the same source with other options: " + ", ".join(
        f"--{name.replace('_', '-')} {old['options'].get(name)}" for name in changed
    )


def _kept(
    task: "Task", scan: Scan, plan: Plan, jobs: int, progress: Progress[Any]
) -> dict[str, Record]:
    """The earlier Records that still hold: same item, same inputs, outputs untouched.

    Raises TreeError for an output changed by hand.
    """
    known = [(item, plan.previous[item.stem]) for item in scan.items if item.stem in plan.previous]
    checked = (
        progress(
            engine.run(Unchanged(task, plan.replace), known, jobs=jobs, chunk=32),
            len(known),
            "comparing",
        )
        if known
        else ()
    )
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


def _foreign(task: Task, plan: Plan, items: Iterable[Item]) -> tuple[Skipped, ...]:
    """Files that the last run found to be of another format and that have not changed since."""
    known = {one["path"]: one for one in plan.old.skipped if one.get("digest")} if plan.old else {}
    found = []
    for item in items:
        one = known.get(relative(item.labels[0], task.root)) if item.labels else None
        if one and one["digest"] == digest_below(item.labels[0], task.root):
            found.append(
                Skipped(item.stem, str(item.labels[0]), one["code"], one["reason"], foreign=True)
            )
    return tuple(found)


def digest_below(path: Path, root: Path) -> str | None:
    """The digest of a file below *root*, or None if it cannot be read safely."""
    try:
        return digest(read_below(path, (root,)))
    except SourceError:
        return None
