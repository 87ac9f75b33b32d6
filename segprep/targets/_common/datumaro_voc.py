"""VOC folders as Datumaro and CVAT read them: palette masks whose colors labelmap.txt names."""

from collections.abc import Mapping

from segprep.dataset import tree
from segprep.dataset.tree import LABELMAP, LISTS
from segprep.errors import UsageError
from segprep.targets._common import names
from segprep.types import Classes


def refuse_colons(classes: Classes) -> None:
    """Raise UsageError for a class name that labelmap.txt cannot hold."""
    if bad := [name for name in classes.names if ":" in name]:
        raise UsageError(
            "bad-classes",
            f"the class name {bad[0]!r} has a colon, which parts the columns of labelmap.txt",
            "rename it: segprep remap --map OLD=NEW",
        )


def texts(classes: Classes, lists: Mapping[str, tuple[str, ...]]) -> dict[str, bytes]:
    """labelmap.txt, with ``background`` and ``ignored``, and *lists*."""
    renamed = Classes(names.plain(classes), classes.background)
    files = {f"{LISTS}/{name}.txt": tree.list_bytes(stems) for name, stems in lists.items()}
    return {**files, LABELMAP: tree.class_files(renamed)[LABELMAP]}
