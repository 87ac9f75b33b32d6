"""What ``--help`` says of formats, targets and other readers: kept in option_table.json, because
importing their modules imports NumPy. ``docs/write.py`` writes that file from the fields of each
Reader and Writer, and a test compares the two.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cache
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

FILE = Path(__file__).with_name("option_table.json")
OTHERS = ("merging", "remapping.reader", "resizing", "tiling")  # modules with a Reader of their own


@dataclass(frozen=True, slots=True)
class DeclaredOption:
    """An option as a field declares it. *kind* is the name of a type, *choices* is empty where any
    value of it may be given; *many*: repeatable.
    """

    name: str
    kind: str
    help: str
    choices: tuple[str, ...] = ()
    many: bool = False
    required: bool = False
    default: str | int | float | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """What a module says for the command line: the first paragraph of its docstring, the docstring
    of its class, its EXAMPLES, and an option for each annotated field.
    """

    summary: str
    description: str
    examples: tuple[str, ...]
    options: tuple[DeclaredOption, ...]


def modules() -> list[str]:
    """The modules that the table has to hold."""
    from segprep import sources, targets

    rooms = (("sources", sources.names()), ("targets", targets.names()), ("", OTHERS))
    return [
        ".".join(filter(None, ("segprep", room, name.replace("-", "_"))))
        for room, names in rooms
        for name in names
    ]


def declared(module: str) -> Declared:
    """What *module* declares, by the table; by the module itself where the table lacks it."""
    row = _rows().get(module)
    if row is None:
        return inspected(module)
    options = tuple(
        DeclaredOption(**{**option, "choices": tuple(option.get("choices", ()))})
        for option in row["options"]
    )
    return Declared(row["summary"], row["description"], tuple(row["examples"]), options)


@cache
def _rows() -> Mapping[str, Any]:
    rows: Mapping[str, Any] = json.loads(FILE.read_text("utf-8")) if FILE.is_file() else {}
    return rows


def text(names: Iterable[str]) -> str:
    """The table of the modules *names*, as it is written; what an option leaves out is as
    DeclaredOption has it."""
    rows = {}
    for name in names:
        row = asdict(inspected(name))
        row["options"] = [
            {
                key: value
                for key, value in option.items()
                if value not in (None, ()) and value is not False
            }
            for option in row["options"]
        ]
        rows[name] = row
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def inspected(module: str) -> Declared:
    """What *module* declares, by importing it."""
    loaded = import_module(module)
    declaring = getattr(loaded, "Writer" if ".targets." in module else "Reader")
    hints = get_type_hints(declaring, include_extras=True)
    return Declared(
        " ".join((loaded.__doc__ or "").split("\n\n")[0].split()),
        getdoc(declaring) or "",
        tuple(getattr(loaded, "EXAMPLES", ())),
        tuple(
            _option(field.name, hints[field.name], field.default)
            for field in fields(declaring)
            if hasattr(hints[field.name], "__metadata__")
        ),
    )


def _option(name: str, hint: Any, default: Any) -> DeclaredOption:
    """The option of the field *name*, annotated with *hint*."""
    kind = hint.__origin__
    many = get_origin(kind) is tuple
    kind = get_args(kind)[0] if many else kind
    if get_origin(kind) is not Literal:  # of a union with None, the other part
        kind = next((part for part in get_args(kind) if part is not NoneType), kind)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    return DeclaredOption(
        name,
        "str" if choices else kind.__name__,
        hint.__metadata__[-1],
        choices,
        many,
        default is MISSING,
        None if default in (MISSING, ()) else default,
    )
