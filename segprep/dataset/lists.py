"""Lists and split record of a tree change together: what they become is written down first, in one
file, so that a run that was killed, or ran out of disk, is finished by the next one.

    .segprep-split.json   the lists and the record that a run is writing; gone when they are written
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from segprep.dataset import fields, manifest
from segprep.dataset.manifest import MANIFEST
from segprep.dataset.tree import LISTS, PENDING_SPLIT
from segprep.dataset.tree_files import list_bytes
from segprep.errors import SegprepError, SourceError, TreeError
from segprep.files import digest, read_inside, sync_folder, write_atomic, write_error
from segprep.names import shown
from segprep.types import Note

_FOLD = re.compile(r"fold\d+(train|val)")
_NAME = re.compile(r"train|val|test|trainval|fold\d+(train|val)")


def write_split(
    root: Path, lists: Mapping[str, Sequence[str]], record: Mapping[str, Any] | None
) -> None:
    """Write *lists* (stems by list name) and the split *record* of the tree *root*: all of it, or
    after a failure whatever the next run finishes. Lists of folds that are not in *lists* go.

    Raises SegprepError where the system refuses a write.
    """
    plain = {name: list(stems) for name, stems in lists.items()}
    write_atomic(root / PENDING_SPLIT, manifest.sealed({"lists": plain, "split": record}))
    _apply(root, plain, record)


def blank_names(stems: Iterable[str]) -> list[Note]:
    """A note where names hold blanks: readers that split the lines of a list at them lose these."""
    names = sorted(stem for stem in stems if len(stem.split()) > 1)
    if not names:
        return []
    count = "1 sample name holds" if len(names) == 1 else f"{len(names)} sample names hold"
    reason = f"{count} blanks, such as {shown(names[0])!r}: readers that split the lines of a list"
    return [
        Note("name-with-blank", f"{reason} at blanks do not find them; rename the files, or use _")
    ]


def finish_split(root: Path) -> bool:
    """Finish the split that an earlier run of the tree *root* left unfinished; False if there is
    none. Raises TreeError if what it left is damaged.
    """
    path = root / PENDING_SPLIT
    try:
        data = read_inside(root, PENDING_SPLIT)
        if data is None:
            return False
        if not manifest.intact(data):
            raise ValueError("is damaged")
        content = json.loads(data)
        lists = fields.values(fields.each(_stem))(content.get("lists"), "lists")
        if foreign := [name for name in lists if not _NAME.fullmatch(name)]:
            raise ValueError(f"lists: {foreign[0]!r} is not a list that segprep writes")
        record = fields.optional(fields.split_record)(content.get("split"), "split")
    except (SourceError, ValueError) as error:
        reason = error.reason if isinstance(error, SourceError) else str(error)
        raise TreeError(
            "bad-list", f"{path}: {reason}", "remove it and split again with --overwrite"
        ) from error
    _apply(root, lists, record)
    return True


def _stem(value: Any, address: str) -> str:
    """A line of a list. Raises ValueError for what no line can hold."""
    line: str = fields.text(value, address)
    if "\n" in line or not line.strip():
        raise ValueError(f"{address}: {line!r} is not one line of a list")
    line.encode()
    return line


def _apply(
    root: Path, lists: Mapping[str, Sequence[str]], record: Mapping[str, Any] | None
) -> None:
    """Bring the tree into the state that was written down. Safe to repeat."""
    folder, contents = root / LISTS, {name: list_bytes(stems) for name, stems in lists.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in contents.items():
            write_atomic(folder / f"{name}.txt", data)
        for path in folder.glob("fold*.txt"):
            if _FOLD.fullmatch(path.stem) and path.stem not in contents:
                path.unlink()
        if (described := manifest.load(root / MANIFEST)) is not None:
            digests = {name: digest(data) for name, data in contents.items()}
            kept = {
                name: value for name, value in described.lists.items() if not _NAME.fullmatch(name)
            }
            updated = described.with_split(record, {**kept, **digests})
            write_atomic(root / MANIFEST, manifest.dump(updated))
        (root / PENDING_SPLIT).unlink(missing_ok=True)
        sync_folder(root)
    except SegprepError:
        raise
    except OSError as error:
        raise write_error(Path(error.filename or root), error) from error
