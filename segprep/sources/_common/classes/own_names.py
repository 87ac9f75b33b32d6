"""Lists of labels that belong to one mask each, as labelme_json_to_dataset wrote them up to labelme
4: value 1 is another class in every image.
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from segprep.errors import SegprepError, SourceError, UsageError
from segprep.files import MAX_BYTES, read_below
from segprep.names import shown, stem_of
from segprep.sources._common.texts import strict_yaml

BESIDE = ("label_names.txt", "info.yaml")
_TRIED = 200  # masks


def names_file(mask: Path) -> Path | None:
    """The file that names the values of *mask* alone: beside it, or that of its name in yaml/."""
    if mask.name == "label.png":
        return next((file for name in BESIDE if (file := mask.with_name(name)).is_file()), None)
    file = mask.parent.parent / "yaml" / f"{stem_of(mask.name)}.yaml"
    return file if file.is_file() else None


def names_in(path: Path, roots: tuple[Path, ...]) -> tuple[str, ...]:
    """The labels that *path* lists, by value. Raises SourceError."""
    data = read_below(path, roots, MAX_BYTES)
    if path.suffix == ".txt":
        lines = data.decode("utf-8-sig", "replace").splitlines()
        return tuple(line.strip() for line in lines if line.strip())
    names = strict_yaml.parse(data, path).get("label_names")
    if not isinstance(names, list) or not names:
        raise SourceError(path, "has no label_names", "is this the right file?", "bad-classes")
    return tuple(str(name) for name in names)


def refuse_different(masks: Iterable[Path], roots: tuple[Path, ...]) -> None:
    """Raise UsageError where files beside some *masks* name their values differently, or name two
    values of a mask alike: they are no class ids.
    """
    said: dict[int, tuple[str, Path]] = {}
    listed = dict[Path, bool]()  # by folder of masks, whether lists may lie beside it
    for mask in islice(masks, _TRIED):
        if mask.parent not in listed:
            listed[mask.parent] = mask.name == "label.png" or (mask.parent.parent / "yaml").is_dir()
        if not listed[mask.parent] or (path := names_file(mask)) is None:
            continue
        try:
            names = names_in(path, roots)
        except SegprepError:
            continue
        for value, name in enumerate(names):
            before, where = said.setdefault(value, (name, path))
            if before != name or names.index(name) < value:
                twice = f"{value} and {names.index(name)} are both {shown(name)} in {path}"
                differ = f"{value} is {shown(before)} in {where}, {shown(name)} in {path}"
                raise UsageError(
                    "values-unclear",
                    "the masks number the labels of each image on their own:"
                    f" {twice if before == name else differ}",
                    "segprep convert labelme-folders SRC OUT reads them by their names",
                )
