"""Source, format and options of a call: what a tree was made from, and whether it is the same."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from segprep.conversion.sample_files import SampleTask
from segprep.files import real_folders
from segprep.types import Scan


def origin_of(format: str, task: SampleTask, scan: Scan) -> dict[str, Any]:
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
    options |= {"strip_metadata": True} if task.strip_metadata else {}
    options |= {"shard": task.shard} if task.shard else {}
    origin = {
        "format": format,
        "path": _plain(task.archives.told(real_folders(reader.root)[0]), out),
        "options": options,
    }
    digests = {_plain(archive.path, out): archive.digest for archive in task.archives.unpacked}
    return origin | ({"archives": digests} if digests else {})


def completed(
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


def same_source(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether two calls differ in nothing but their class lists, which the contract settles, and
    the contents of their archives.
    """
    return _without_classes(old) == _without_classes(new)


def _without_classes(origin: Mapping[str, Any]) -> dict[str, Any]:
    options = {name: value for name, value in origin["options"].items() if name != "classes"}
    return {"format": origin["format"], "path": origin["path"], "options": options}


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


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """In words, what another call was given than the one that made the tree."""
    if (old["format"], old["path"]) != (new["format"], new["path"]):
        return f"another source ({old['format']} {old['path']})"
    changed = [
        name
        for name in {**new["options"], **old["options"]}
        if name != "classes" and old["options"].get(name) != new["options"].get(name)
    ]
    return "the same source with other options: " + ", ".join(
        f"--{name.replace('_', '-')} {old['options'].get(name)}" for name in changed
    )
