"""The categories of COCO files to one class list: ids with gaps to pixel values without."""

from collections import Counter
from collections.abc import Sequence

from segprep.dataset import classes as class_lists
from segprep.dataset.classes import IGNORED
from segprep.errors import SegprepError, UsageError
from segprep.names import nearest
from segprep.sources.coco.annotations import Category, CocoFile, Id
from segprep.sources.coco.masks import LEFT_OUT, Meaning
from segprep.types import IGNORE, Classes, Note, Unknown

Table = tuple[
    tuple[Id, int, str, bool], ...
]  # id, then the fields of its Meaning: plain values, since every item carries them


def meanings(
    files: Sequence[CocoFile],
    listed: str | None,
    unknown: Unknown,
    exclude: Sequence[str],
    renames: Sequence[str],
) -> tuple[Classes, Table, list[Note]]:
    """The class list, what each category id is painted as, and notes.

    Raises SegprepError where files or options contradict each other.
    """
    categories, used = _merged(files), sum((file.used for file in files), Counter[Id]())
    renamed = _renames(renames, [one.name for one in categories])
    _refuse_strangers("--exclude", exclude, [one.name for one in categories])
    wanted = [renamed.get(one.name, one.name) for one in categories if one.name not in exclude]
    known, notes = _class_list(listed, wanted, {one.name for one in categories})
    values = {name: number for number, name in enumerate(known.names)} | {IGNORED: IGNORE}
    background = known.background or 0
    table: list[tuple[Id, int, str, bool]] = []
    strangers: dict[str, int] = {}
    for one in categories:
        name = renamed.get(one.name, one.name)
        value = (
            LEFT_OUT
            if one.name in exclude
            else values.get(name, background if class_lists.is_background(name) else None)
        )
        if value is None:
            strangers[name] = used[one.id]
            value = {"ignore": IGNORE, "background": background}.get(unknown, LEFT_OUT)
        table.append((one.id, value, name, one.thing))
    if unknown == "error" and any(strangers.values()):
        raise _not_listed(strangers)
    return known, tuple(table), notes


def by_id(table: Table) -> dict[Id, Meaning]:
    """*table* for looking up."""
    return {key: Meaning(value, label, thing) for key, value, label, thing in table}


def _merged(files: Sequence[CocoFile]) -> list[Category]:
    """All categories by id. Raises SegprepError if one id has two names, or one name two ids."""
    found: dict[Id, Category] = {}
    by_name: dict[str, Id] = {}
    for file in files:
        for one in file.categories:
            other = found.setdefault(one.id, one)
            first = by_name.setdefault(one.name, one.id)
            if other.name != one.name or first != one.id:
                reason = (
                    f"id {one.id} is {other.name!r}"
                    if other.name != one.name
                    else f"{one.name!r} has the id {first}"
                )
                raise SegprepError(
                    "bad-classes",
                    f"{file.path}: category {one.id} is {one.name!r}, in another file {reason}",
                    "convert such files one by one: --annotations FILE",
                )
    return sorted(found.values(), key=lambda one: (isinstance(one.id, str), one.id))


def _class_list(
    listed: str | None, names: Sequence[str], own: set[str]
) -> tuple[Classes, list[Note]]:
    if listed is None:
        known = class_lists.make(
            dict.fromkeys(
                name for name in names if name in own or not class_lists.is_background(name)
            )
        )
        shown = ", ".join(f"{number} {name}" for number, name in enumerate(known.names[:30])) + (
            " …" if len(known.names) > 30 else ""
        )
        return known, [
            Note(
                "classes-inferred",
                f"no class list given; the categories by id: {shown}. Give --classes to fix names"
                " and order",
            )
        ]
    if listed.isdecimal():
        raise UsageError(
            "bad-classes",
            "COCO categories have names, so --classes needs names",
            "give a FILE or a,b,c",
        )
    known = class_lists.make(class_lists.parse_list(listed))
    bare = [
        name
        for number, name in enumerate(known.names)
        if name not in names and number != known.background
    ]
    return known, [
        Note("class-unused", f"class {name!r} is no category of the files" + _like(name, names))
        for name in bare
    ]


def _renames(pairs: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    if wrong := [
        pair
        for pair, (old, _, new) in zip(pairs, split, strict=True)
        if not old.strip() or not new.strip()
    ]:
        raise UsageError(
            "bad-option", f"--map {wrong[0]!r} is not OLD=NEW", "for example: --map kitten=cat"
        )
    _refuse_strangers("--map", [old.strip() for old, _, _ in split], names)
    return {old.strip(): new.strip() for old, _, new in split}


def _refuse_strangers(option: str, given: Sequence[str], names: Sequence[str]) -> None:
    if wrong := [name for name in given if name not in names]:
        raise UsageError(
            "bad-option",
            f"{option}: {wrong[0]!r} is no category{_like(wrong[0], names)}",
            f"there are: {', '.join(names[:20])}",
        )


def _like(name: str, names: Sequence[str]) -> str:
    like = nearest(name, names)
    return f"; did you mean {like!r}?" if like else ""


def _not_listed(strangers: dict[str, int]) -> UsageError:
    listed = ", ".join(f"{name} ({count})" for name, count in list(strangers.items())[:8]) + (
        " …" if len(strangers) > 8 else ""
    )
    return UsageError(
        "unknown-label",
        f"{len(strangers)} categories are not in --classes; their annotations: {listed}",
        "say what becomes of them: --unknown skip|ignore|background",
    )
