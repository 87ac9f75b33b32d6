"""The categories of COCO files to one class list, matched by name: ids with gaps, or ids that
differ between files, to pixel values without.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segprep.dataset import classes as class_lists
from segprep.errors import UsageError
from segprep.names import nearest
from segprep.sources._common.classes import class_list
from segprep.sources._common.classes.class_list import numbered
from segprep.sources._common.classes.labels import LabelRules, LabelTable, without_number
from segprep.sources.coco.coco_file import CocoFile, Id
from segprep.sources.coco.marks import Naming
from segprep.types import Classes, Note

Names = tuple[tuple[Id, str, bool], ...]  # id, name, thing: plain values, every item carries them


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What names are painted as (*table*), the categories of every file (*names*), and *notes* that
    a person should see.
    """

    table: LabelTable
    names: Mapping[Path, Names]
    notes: tuple[Note, ...]


def vocabulary(files: Sequence[CocoFile], rules: LabelRules) -> Vocabulary:
    """One class list for all *files*. Raises SegprepError where it contradicts the options."""
    names = _names(files)
    choices = list(dict.fromkeys([*names, *map(rules.renamed, names)]))
    _refuse_strangers("--exclude", rules.exclude, choices)
    series = [f"{without_number(name)}#" for name in names if name[-1:].isdecimal()]
    _refuse_strangers("--map", list(rules.renames), [*names, *series])
    table, notes = _label_table(rules, names)
    strangers = _strangers(files, table)
    if rules.unknown == "error" and any(strangers.values()):
        raise _not_listed(strangers)
    shared: dict[Names, Names] = {}  # files with the same categories carry the same tuple
    by_file = {}
    for file in files:
        listed = tuple(
            (category.id, category.name, category.thing)
            for category in sorted(file.categories, key=lambda category: _order(category.id))
        )
        by_file[file.path] = shared.setdefault(listed, listed)
    return Vocabulary(table, by_file, (*notes, *_ids_differ(files), *_variants(files, table)))


def _variants(files: Sequence[CocoFile], table: LabelTable) -> list[Note]:
    """A note for every class that another one only spells otherwise, as two files may."""
    used: Counter[str] = Counter()
    for file in files:
        for category in file.categories:
            used[table.rules.renamed(category.name)] += file.used[category.id]
    return class_lists.variants(table.classes.names, used)


def by_id(names: Names) -> dict[Id, Naming]:
    """*names* for looking up."""
    return {key: Naming(name, thing) for key, name, thing in names}


def _order(key: Id) -> tuple[bool, Id]:
    return isinstance(key, str), key


def _names(files: Sequence[CocoFile]) -> list[str]:
    """All category names by the id that the first file gives them."""
    first: dict[str, Id] = {}
    for file in files:
        for category in file.categories:
            first.setdefault(category.name, category.id)
    return sorted(first, key=lambda name: _order(first[name]))


def _strangers(files: Sequence[CocoFile], table: LabelTable) -> dict[str, int]:
    """The names that the class list lacks, and how many annotations have each."""
    strangers: Counter[str] = Counter()
    for file in files:
        for category in file.categories:
            label = table.rules.renamed(category.name)
            if not table.rules.excludes(category.name) and table.value(label) is None:
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


def _label_table(rules: LabelRules, own: Sequence[str]) -> tuple[LabelTable, list[Note]]:
    """``--classes``, or all categories that are not excluded; *own* are the files' names by id."""
    names = [rules.renamed(name) for name in own if not rules.excludes(name)]
    if rules.classes is None:
        listed = (name for name in names if name in own or not class_lists.is_background(name))
        classes = class_lists.make(dict.fromkeys(listed))
        reason = f"no class list given; the categories by id: {numbered(classes.names)}"
        note = Note("classes-inferred", f"{reason}. Give --classes to fix names and order")
        return LabelTable(classes, rules, "the categories by id"), [note]
    classes, origin = class_list.stated(rules.classes)
    return LabelTable(classes, rules, origin), _unused(classes, names)


def _unused(classes: Classes, names: Sequence[str]) -> list[Note]:
    """A note for every class that no category has."""
    return [
        Note("class-unused", f"class {name!r} is not a category of the files{_like(name, names)}")
        for number, name in enumerate(classes.names)
        if name not in names and number != classes.background
    ]


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
