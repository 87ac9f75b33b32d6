"""The categories of COCO files to one class list, matched by name: ids with gaps, or ids that
differ between files, to pixel values without.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segprep.dataset import classes as class_lists
from segprep.dataset.classes import IGNORED
from segprep.errors import UsageError
from segprep.names import nearest
from segprep.sources.coco.annotations import CocoFile, Id
from segprep.sources.coco.masks import LEFT_OUT, PaintedCategory
from segprep.types import IGNORE, Classes, Note, Unknown

Table = tuple[
    tuple[Id, int, str, bool], ...
]  # id, then the fields of its PaintedCategory: plain values, since every item carries them


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The class list, what each category id of a file is painted as (*tables*, by file), and
    *notes* that a person should see.
    """

    classes: Classes
    tables: Mapping[Path, Table]
    notes: tuple[Note, ...]


def vocabulary(
    files: Sequence[CocoFile],
    listed: str | None,
    *,
    unknown: Unknown,
    exclude: Sequence[str],
    renames: Sequence[str],
) -> Vocabulary:
    """One class list for all *files*. Raises SegprepError where it contradicts the options."""
    names = _names(files)
    renamed = _renames(renames, names)
    _refuse_strangers("--exclude", exclude, names)
    wanted = [renamed.get(name, name) for name in names if name not in exclude]
    classes, notes = _class_list(listed, wanted, set(names))
    values = _values(names, classes, renamed, exclude)
    strangers = _strangers(files, values, renamed)
    if unknown == "error" and any(strangers.values()):
        raise _not_listed(strangers)
    other = {"ignore": IGNORE, "background": classes.background or 0}.get(unknown, LEFT_OUT)
    shared: dict[Table, Table] = {}  # files with the same ids carry the same table
    tables = {}
    for file in files:
        table = tuple(
            (
                category.id,
                other if (value := values[category.name]) is None else value,
                renamed.get(category.name, category.name),
                category.thing,
            )
            for category in sorted(file.categories, key=lambda category: _order(category.id))
        )
        tables[file.path] = shared.setdefault(table, table)
    return Vocabulary(classes, tables, (*notes, *_ids_differ(files)))


def by_id(table: Table) -> dict[Id, PaintedCategory]:
    """*table* for looking up."""
    return {key: PaintedCategory(value, label, thing) for key, value, label, thing in table}


def _order(key: Id) -> tuple[bool, Id]:
    return isinstance(key, str), key


def _names(files: Sequence[CocoFile]) -> list[str]:
    """All category names by the id that the first file gives them."""
    first: dict[str, Id] = {}
    for file in files:
        for category in file.categories:
            first.setdefault(category.name, category.id)
    return sorted(first, key=lambda name: _order(first[name]))


def _values(
    names: Sequence[str], classes: Classes, renamed: Mapping[str, str], exclude: Sequence[str]
) -> dict[str, int | None]:
    """Category name -> pixel value, LEFT_OUT, or None for one that the class list lacks."""
    known = {name: number for number, name in enumerate(classes.names)} | {IGNORED: IGNORE}
    values: dict[str, int | None] = {}
    for name in names:
        label = renamed.get(name, name)
        background = (classes.background or 0) if class_lists.is_background(label) else None
        values[name] = LEFT_OUT if name in exclude else known.get(label, background)
    return values


def _strangers(
    files: Sequence[CocoFile], values: Mapping[str, int | None], renamed: Mapping[str, str]
) -> dict[str, int]:
    """The names that the class list lacks, and how many annotations have each."""
    strangers: Counter[str] = Counter()
    for file in files:
        for category in file.categories:
            if values[category.name] is None:
                label = renamed.get(category.name, category.name)
                strangers[label] += file.used[category.id]
    return dict(strangers)


def _ids_differ(files: Sequence[CocoFile]) -> list[Note]:
    """A note where files number their categories differently, with the first that they do."""
    ids: dict[str, tuple[Id, Path]] = {}
    names: dict[Id, tuple[str, Path]] = {}
    for file in files:
        for category in file.categories:
            key, path = ids.setdefault(category.name, (category.id, file.path))
            name, other = names.setdefault(category.id, (category.name, file.path))
            if key != category.id or name != category.name:
                first = f"{category.name!r} has the id {key} in {_short(path)}"
                if key == category.id:
                    first = f"id {key} is {name!r} in {_short(other)}"
                reason = (
                    f"categories were matched by name, since the files number them differently:"
                    f" {first}, in {_short(file.path)} id {category.id} is {category.name!r}"
                )
                return [Note("categories-by-name", reason)]
    return []


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _class_list(
    listed: str | None, names: Sequence[str], own: set[str]
) -> tuple[Classes, list[Note]]:
    if listed is None:
        classes = class_lists.make(
            dict.fromkeys(
                name for name in names if name in own or not class_lists.is_background(name)
            )
        )
        numbered = [f"{number} {name}" for number, name in enumerate(classes.names)]
        beginning = ", ".join(numbered[:30]) + (" …" if len(numbered) > 30 else "")
        reason = f"no class list given; the categories by id: {beginning}"
        hint = "Give --classes to fix names and order"
        return classes, [Note("classes-inferred", f"{reason}. {hint}")]
    if listed.isdecimal():
        reason = "COCO categories have names, so --classes needs names"
        raise UsageError("bad-classes", reason, "give a FILE or a,b,c")
    classes = class_lists.make(class_lists.parse_list(listed))
    bare = [
        name
        for number, name in enumerate(classes.names)
        if name not in names and number != classes.background
    ]
    return classes, [
        Note("class-unused", f"class {name!r} is not a category of the files{_like(name, names)}")
        for name in bare
    ]


def _renames(pairs: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    for pair, (old, _, new) in zip(pairs, split, strict=True):
        if not old.strip() or not new.strip():
            reason = f"--map {pair!r} is not OLD=NEW"
            raise UsageError("bad-option", reason, "for example: --map kitten=cat")
    _refuse_strangers("--map", [old.strip() for old, _, _ in split], names)
    return {old.strip(): new.strip() for old, _, new in split}


def _refuse_strangers(option: str, labels: Sequence[str], names: Sequence[str]) -> None:
    for label in labels:
        if label not in names:
            reason = f"{option}: {label!r} is not a category{_like(label, names)}"
            raise UsageError("bad-option", reason, f"there are: {', '.join(names[:20])}")


def _like(name: str, names: Sequence[str]) -> str:
    like = nearest(name, names)
    return f"; did you mean {like!r}?" if like else ""


def _not_listed(strangers: Mapping[str, int]) -> UsageError:
    counts = [f"{name} ({count})" for name, count in strangers.items()]
    listed = ", ".join(counts[:8]) + (" …" if len(counts) > 8 else "")
    return UsageError(
        "unknown-label",
        f"{len(strangers)} categories are not in --classes; their annotations: {listed}",
        "say what becomes of them: --unknown skip|ignore|background",
    )
