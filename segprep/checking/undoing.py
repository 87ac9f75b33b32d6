"""Repairs taken back: originals return to their places, unless a file was changed since."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from segprep.checking.fixing import RECORD
from segprep.dataset import fields
from segprep.dataset.staging import lock
from segprep.errors import TreeError, UsageError
from segprep.files import digest, read_plain
from segprep.outputs import OutputFolder

_FILES = re.compile(r"[^/\\\0][^\\\0]*\.[A-Za-z0-9]{1,8}")  # of images, masks and lists


def undo(folder: Path) -> int:
    """Take back the repairs recorded in *folder* (DATASET/runs/fix-N); how many files.

    Raises UsageError for a folder without a record, TreeError where a file was changed since:
    nothing is taken back then.
    """
    root = folder.resolve().parents[1]
    changes = _changes(folder)
    with lock(root):
        _take_back(root, folder.resolve(), changes)
    return len(changes)


def _take_back(root: Path, folder: Path, changes: Sequence[Mapping[str, str]]) -> None:
    home, kept = OutputFolder(root), OutputFolder(folder)
    originals = []
    for change in changes:
        target = home.at(change["target"])
        if os.path.islink(target) or _digest(target) != change["after"]:
            if _digest(home.at(change["path"])) == change["before"]:
                continue  # taken back already, by a run that was stopped
            raise TreeError(
                "output-changed", f"{target} was changed since", "restore it, or keep the repairs"
            )
        old = read_plain(kept.at(f"originals/{change['path']}"))
        if digest(old) != change["before"]:
            reason = f"the original of {change['path']} in {folder} was changed"
            raise TreeError("output-changed", reason, "keep the repairs")
        originals.append((change, old))
    for change, old in originals:
        home.write(change["path"], old)
        if change["target"] != change["path"]:
            home.remove(change["target"])
    os.replace(folder / RECORD, folder / "undone.json")


def _changes(folder: Path) -> list[dict[str, str]]:
    """The repairs recorded in *folder*, their names checked. Raises UsageError, TreeError."""
    try:
        content = fields.mapping(json.loads(read_plain(folder / RECORD)), "record")
        listed = [
            fields.mapping(change, "change") for change in fields.array(content["changes"], "")
        ]
        changes = [
            {
                key: fields.text(change.get(key), key)
                for key in ("path", "target", "before", "after")
            }
            for change in listed
        ]
        for change in changes:
            for key in ("path", "target"):
                if not _FILES.fullmatch(change[key]) or ".." in change[key].split("/"):
                    raise ValueError(f"{key}: {change[key]!r} is not a file of a dataset")
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise UsageError(
            "bad-option",
            f"{folder} holds no record of repairs: {error}",
            "give DATASET/runs/fix-1",
        ) from error
    return changes


def _digest(path: Path) -> str | None:
    """The digest of a file, or None where none can be read."""
    try:
        return digest(read_plain(path))
    except OSError:
        return None
