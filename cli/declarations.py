"""What formats, targets and other readers declare for the command line, read from the text of
their modules: importing those would import NumPy, and ``--help`` should not wait for it.
"""

import ast
import builtins
import sys
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import NoneType
from typing import Any, Literal, cast, get_args, get_origin


@dataclass(frozen=True, slots=True)
class DeclaredOption:
    """An option as a field declares it. *choices* is empty where any value of *kind* may be given;
    *many*: repeatable; *default* is None where there is none.
    """

    name: str
    kind: type
    help: str
    choices: tuple[str, ...]
    many: bool
    required: bool
    default: Any


@dataclass(frozen=True, slots=True)
class Declared:
    """What a module says for the command line: the first paragraph of its docstring, the docstring
    of its Reader or Writer, its EXAMPLES, and an option for each annotated field.
    """

    summary: str
    description: str
    examples: tuple[str, ...]
    options: tuple[DeclaredOption, ...]


def declared(module: str) -> Declared:
    """What *module*, of segprep, declares. It is imported only if a declaration calls for more than
    constants, types and what other modules declare.
    """
    text = _text(module)
    declaring = text.definitions["Writer" if ".targets." in module else "Reader"]
    assert isinstance(declaring, ast.ClassDef), module
    return Declared(
        _in_one_line(text.docstring),
        ast.get_docstring(declaring) or "",
        text["EXAMPLES"] if "EXAMPLES" in text.definitions else (),
        tuple(
            _option(name, hint, origin.value(node.value) if node.value else MISSING)
            for name, (origin, node) in _fields(text, declaring).items()
            if hasattr(hint := origin.value(node.annotation), "__metadata__")
        ),
    )


def summary(module: str) -> str:
    """The first paragraph of the docstring that *module*, of segprep, begins with, in one line."""
    docstrings = _path(module).read_text("utf-8").split('"""', 2)[1:]
    return _in_one_line(docstrings[0]) if docstrings else ""


def _in_one_line(docstring: str) -> str:
    return " ".join(docstring.split("\n\n", maxsplit=1)[0].split())


def _path(module: str) -> Path:
    """The file of a module of segprep, whose package alone may have been imported."""
    package, _, name = module.rpartition(".")
    folders = getattr(sys.modules.get(package), "__path__", None) or [_path(package).parent]
    ends = (f"{name}/__init__.py", f"{name}.py")
    paths = (Path(folder, end) for folder in folders for end in ends)
    return next(path for path in paths if path.is_file())


class _ModuleText:
    """The names of a module, each evaluated when it is asked for, as an item or as an attribute."""

    def __init__(self, name: str) -> None:
        tree = ast.parse(_path(name).read_text("utf-8"))
        self.name = name
        self.docstring = ast.get_docstring(tree) or ""
        self.definitions: dict[str, ast.expr | ast.ClassDef] = {}
        self.imports: dict[str, tuple[str, str]] = {}
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=target)], value=value):
                    self.definitions[target] = value
                case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value):
                    self.definitions[target] = value
                case ast.ClassDef(name=target):
                    self.definitions[target] = node
                case ast.ImportFrom(module=str(origin), names=names):
                    for alias in names:
                        self.imports[alias.asname or alias.name] = origin, alias.name

    def __getitem__(self, name: str) -> Any:
        if name in self.imports:
            origin, original = self.imports[name]
            if not origin.startswith("segprep."):  # typing, pathlib
                return getattr(import_module(origin), original)
            text = _text(origin)
            is_module = original not in text.definitions and original not in text.imports
            return _text(f"{origin}.{original}") if is_module else text[original]
        definition = self.definitions.get(name)
        if isinstance(definition, ast.expr):
            return self.value(definition)
        return getattr(builtins if hasattr(builtins, name) else import_module(self.name), name)

    __getattr__ = __getitem__

    def value(self, node: ast.expr) -> Any:
        """The value of an expression of this module."""
        code = compile(ast.Expression(node), self.name, "eval")
        names = cast(Mapping[str, object], self)
        return eval(code, {"__builtins__": {}}, names)  # the text is our own

    def base(self, node: ast.expr) -> tuple["_ModuleText", ast.ClassDef]:
        """The class that *node* names, and the module that defines it."""
        text, name = self, ast.unparse(node)
        while name in text.imports:
            origin, name = text.imports[name]
            text = _text(origin)
        definition = text.definitions[name]
        assert isinstance(definition, ast.ClassDef), name
        return text, definition


_text = cache(_ModuleText)


def _fields(
    text: _ModuleText, declaring: ast.ClassDef
) -> dict[str, tuple[_ModuleText, ast.AnnAssign]]:
    """The annotated names of a class by name, those of its bases first, each with its module."""
    fields: dict[str, tuple[_ModuleText, ast.AnnAssign]] = {}
    for base in declaring.bases:
        fields |= _fields(*text.base(base))
    for node in declaring.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            fields[node.target.id] = text, node
    return fields


def _option(name: str, hint: Any, default: Any) -> DeclaredOption:
    """The option of the field *name*, annotated with *hint*."""
    kind = hint.__origin__
    many = get_origin(kind) is tuple
    kind = get_args(kind)[0] if many else kind
    if get_origin(kind) is not Literal:  # of a union with None, the other part
        kind = next((part for part in get_args(kind) if part is not NoneType), kind)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    required = default is MISSING
    default = None if required or default == () else default
    kind = str if choices else kind
    return DeclaredOption(name, kind, hint.__metadata__[-1], choices, many, required, default)
