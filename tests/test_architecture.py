"""Imports run downwards only; heavy packages and the command line stay where they belong."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = (
    {"errors"},
    {"types", "names", "counting"},
    {"files", "png", "stratifying", "formulas", "settings"},
    {"image", "raster", "jsonfile", "classes", "partition", "grouping", "metrics"},
    {"painting", "manifest", "pairing", "engine"},
    {"tree", "annotated"},
    {"foreign"},
    {"instances"},
    {"samples"},
    {"relabelling"},
    {"staging", "sources", "targets", "reports"},
    {"scores"},
    {"finishing", "outbox"},
    {"planning"},
    {"conversion", "splitting", "description", "exporting", "evaluation"},
    {"remapping"},
    {"training"},
    {"__init__"},
)
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
LAZY = "__init__"  # the package itself: its __version__ may be read anywhere


def imported(path: Path) -> Iterator[str]:
    """Absolute names of what *path* imports."""
    package = ("segprep", *path.relative_to(ROOT / "segprep").parts[:-1])
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) + 1 - node.level], *(node.module or "").split(".")] if node.level else (node.module or "").split(".")
            yield from (".".join([*filter(None, base), alias.name]) for alias in node.names)


FILES = sorted((ROOT / "segprep").rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_run_downwards(path: Path) -> None:
    room = path.relative_to(ROOT / "segprep").with_suffix("").parts[0]
    assert room in FLOOR, f"give the new room {room} a floor"
    for name in imported(path):
        top, *rest = name.split(".")
        assert top not in {"click", "rich", "segprep_cli", "cli", "labelme", "torchvision"}
        assert top != "torch" or room == "training"
        if top == "segprep" and rest and rest[0] in FLOOR and rest[0] != room and room != LAZY:
            assert FLOOR[rest[0]] < FLOOR[room], f"{room} reaches up to {rest[0]}"
        assert not (room == "sources" and path.stem != "__init__" and rest[:1] == ["sources"]), "sources do not know each other"


def test_no_cycles() -> None:
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}
    edges = {name: {found for found in imported(path) if found in names and found not in ("segprep", name)} for name, path in names.items()}
    while free := [name for name, wanted in edges.items() if not wanted]:
        edges = {name: wanted - set(free) for name, wanted in edges.items() if name not in free}
    assert not edges


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_library_never_prints(path: Path) -> None:
    calls = [node.func.id for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert "print" not in calls


def test_no_module_hides_a_public_function() -> None:
    import segprep

    assert not {path.stem for path in FILES} & set(segprep.__all__)
    assert all(getattr(segprep, name) is not None for name in segprep.__all__)
