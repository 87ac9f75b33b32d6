"""Files of a labelme folder that are not labelme annotations: named, not passed over."""

from collections.abc import Sequence
from pathlib import Path

from segprep.dataset.manifest import EXPORT
from segprep.errors import ForeignFileError, SourceError
from segprep.files import open_inside
from segprep.names import stem_of
from segprep.sources._common.refusals import other_tools
from segprep.sources.labelme import annotation_file
from segprep.types import Item, Note, Skipped


def foreign(item: Item, roots: tuple[Path, ...], encoding: str) -> Skipped | None:
    """Why *item* is not a labelme annotation at all, or None if it may be one."""
    try:
        annotation_file.load(item.labels[0], roots, encoding)
    except ForeignFileError as error:
        reason, hint = error.reason, error.hint
        return Skipped(item.stem, str(error.path), error.code, reason, hint, foreign=True)
    except SourceError:
        pass
    return None


def is_record(path: Path, roots: tuple[Path, ...], encoding: str) -> bool:
    """Whether *path* is what an export of segprep says of itself, not an annotation."""
    if path.name != EXPORT:
        return False
    try:
        annotation_file.load(path, roots, encoding)
    except ForeignFileError:
        return True
    except SourceError:
        pass
    return False


def named(files: Sequence[tuple[str, str]]) -> list[Skipped]:
    """The first XML annotation, named by its tool, where a folder holds no JSON."""
    for path in (Path(*file) for file in files if file[1].lower().endswith(".xml")):
        try:
            with open_inside(path.parent, path.name) as file:
                tool = other_tools.xml_tool(path, file.read(4096))
        except SourceError:
            continue
        if tool:
            reason = f"is not a labelme JSON but {tool.name}"
            name = stem_of(path.name)
            return [Skipped(name, str(path), "other-json", reason, tool.hint, foreign=True)]
    return []


def linked_folders(files: Sequence[tuple[str, str]]) -> list[Note]:
    """A note for every link to a folder."""
    return [
        Note("linked-folder", f"{path} is a link to a folder; it was not entered")
        for path in (Path(*file) for file in files if "." not in file[1])
        if path.is_dir()
    ]
