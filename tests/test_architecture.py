"""Imports run downwards only; heavy packages and the command line stay where they belong."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GROUND = (
    "_version cards chunks cluster codes engine errors files grouping jsontext kernel limits names"
    " network_sizes outputs packed packed_items shared_storage train_config train_settings types"
    " values worker_processes writer"
)
FLOORS = (
    set(GROUND.split()),
    {"imaging"},
    {"dataset", "metrics"},
    {"sources", "targets", "checks", "reports"},
    {"conversion"},
    {
        "checking",
        "statistics",
        "gallery",
        "splitting",
        "remapping",
        "merging",
        "tiling",
        "resizing",
        "exporting",
        "evaluation",
        "description",
        "verification",
    },
    {"training"},
    {"opened"},
    {"__init__"},
)
TRAINING = (
    {"weight_tables", "torch_files"},
    {"data", "devices", "freezing", "losses", "models", "pretrained", "progress"},
    {"augmentation", "checkpoints", "logits"},
    {"inference"},
    {"trainer"},
    {"check"},
)
COMMAND_LINE = {"click", "rich", "segprep_cli", "cli", "labelme", "torchvision"}
FILES = sorted((ROOT / "segprep").rglob("*.py"))
SIZED = (*FILES, *sorted((ROOT / "cli").rglob("*.py")))
NAMED = (*SIZED, *sorted((ROOT / "examples").glob("*.py")))


def floors(rooms: tuple[set[str], ...]) -> dict[str, int]:
    return {room: level for level, names in enumerate(rooms) for room in names}


def imports(path: Path) -> Iterator[str]:
    """Absolute names of what *path* imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: import by the full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def refuse_upwards(
    levels: dict[str, int], room: str, other: str, *, ground: frozenset[str] = frozenset()
) -> None:
    """*room* may import *other* from a lower floor only; the ground floor also from itself."""
    if other in levels and other != room and not {room, other} <= ground:
        assert room in levels, f"give the new room {room} a floor"
        assert levels[other] < levels[room], f"{room} must not import {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_run_downwards(path: Path) -> None:
    room, *rooms = path.relative_to(ROOT / "segprep").with_suffix("").parts
    for name in imports(path):
        top, *rest = name.split(".")
        assert top not in COMMAND_LINE
        assert top != "torch" or room == "training"
        if top != "segprep" or not rest or rest[0] == "__version__":
            continue
        refuse_upwards(floors(FLOORS), room, rest[0], ground=frozenset(FLOORS[0]))
        if room == rest[0] == "training" and rooms[0] != "__init__" and len(rest) > 1:
            refuse_upwards(floors(TRAINING), rooms[0], rest[1])


def test_the_map_for_contributors_has_every_room() -> None:
    text = (
        (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("## Architecture")[1].split("\n## ")[0]
    )
    rooms = set.union(*FLOORS) - {"__init__", "_version"}
    assert rooms <= set(re.findall(r"\w+", text))


@pytest.mark.parametrize("kind", ["sources", "targets", "checks"])
def test_formats_targets_and_rules_do_not_know_each_other(kind: str) -> None:
    for path in (path for path in FILES if path.is_relative_to(ROOT / "segprep" / kind)):
        room = path.relative_to(ROOT / "segprep" / kind).with_suffix("").parts[0]
        for name in imports(path):
            others = name.split(".")[2:3] if name.startswith(f"segprep.{kind}.") else []
            assert room == "__init__" or not others or others[0] in (room, "_common"), path


def test_no_cycles() -> None:
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in FILES
    }
    edges = {}
    for name, path in names.items():
        modules = {other if other in names else other.rpartition(".")[0] for other in imports(path)}
        edges[name] = modules & names.keys() - {"segprep", name}
    while free := [name for name, targets in edges.items() if not targets]:
        edges = {name: targets - set(free) for name, targets in edges.items() if name not in free}
    assert not edges


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_library_never_prints(path: Path) -> None:
    calls = [
        node.func.id
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert "print" not in calls


def test_no_two_classes_have_one_name() -> None:
    """But for Reader and Writer, which every format and target spells so by contract."""
    contracts = {
        node.name
        for seam in ("types.py", "writer.py")
        for node in ast.parse((ROOT / "segprep" / seam).read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
    }
    homes = defaultdict(list)
    for path in SIZED:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name not in contracts:
                homes[node.name].append(path.relative_to(ROOT).as_posix())
    assert not {name: paths for name, paths in homes.items() if len(paths) > 1}


def size(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, less the docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", SIZED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_and_functions_are_of_a_size_to_read(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 300
    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert not {node.name: size(node) for node in functions if size(node) > 50}


def test_the_kernel_is_the_only_compiled_code() -> None:
    """C in six files of a size to read, which one module loads; the limited interface of Python
    alone, so that one build fits every version.
    """
    package = ROOT / "segprep"
    sources = {path for path in package.rglob("*") if path.suffix in (".c", ".cpp", ".h")}
    assert sources == {
        *(package / name for name in ("_deflate.h", "_kernel.c", "_kernel.h", "_inflate.c")),
        *(package / name for name in ("_pairs.c", "_png.c", "_polygons.c", "_signals.c")),
    }
    headers = set[str]()
    for source in sources:
        lines = source.read_text("ascii").splitlines()
        assert len(lines) <= 520
        assert max(map(len, lines)) <= 100
        headers |= {line.split()[1] for line in lines if line.startswith("#include")}
    assert "#define Py_LIMITED_API 0x030B0000" in (package / "_kernel.h").read_text("ascii")
    assert headers == {
        "<Python.h>",
        *("<math.h>", "<stdint.h>", "<stdlib.h>", "<string.h>"),
        *("<fcntl.h>", "<sys/stat.h>", "<unistd.h>"),  # not on Windows: the states of files
        *("<emmintrin.h>", "<intrin.h>"),  # where there are: 16 pixels at once, the lowest bit
        '"_deflate.h"',
        '"_kernel.h"',
    }
    users = {path.name for path in FILES if "_kernel" in path.read_text("utf-8")}
    assert users == {"kernel.py"}


@pytest.mark.parametrize("path", NAMED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_name_says_what_it_holds(path: Path) -> None:
    """These five would fit anything: they stood for 24 types at once."""
    names = set[str]()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
    assert not names & {"found", "one", "made", "known", "place"}


def test_no_module_hides_a_public_function() -> None:
    import segprep

    assert not {path.stem for path in FILES} & set(segprep.__all__)
    assert all(getattr(segprep, name) is not None for name in segprep.__all__)


_READS = re.compile(r"\.read_bytes\(|\.read_text\(|(?<![\w.])open\(|np\.load\(")
_WRITES = re.compile(r'"(r\+b|[axw]b?\+?)"')
_OWN_READS = {  # what these open was written a moment ago, or belongs to the installation
    "files/reading.py": "the safe read itself",
    "limits.py": "/proc",
    "network_sizes.py": "the modules of the networks",
    "shared_storage.py": "a file of this run, by which machines find out that they share a disk",
    "dataset/journal.py": "a file of this run",
    "evaluation/files.py": "a table, written",
    "exporting/archive.py": "files of this run; a zip file that is only listed",
    "exporting/journal.py": "files that are compared with their digests",
    "gallery/__init__.py": "the page's own style and script",
    "opened/__init__.py": "a name",
    "sources/_common/archives/archive.py": "the archive that the user named; files of this run",
    "targets/fiftyone.py": "a text",
}


def test_every_file_of_others_is_opened_by_one_safe_read() -> None:
    """A link may lead out, and a pipe hangs whoever opens it: ``files`` knows, nobody else does."""
    reads = {}
    for path in sorted((ROOT / "segprep").rglob("*.py")):
        name = path.relative_to(ROOT / "segprep").as_posix()
        lines = path.read_text("utf-8").splitlines()
        if read := [line for line in lines if _READS.search(line) and not _WRITES.search(line)]:
            reads[name] = read
    assert {name: lines for name, lines in reads.items() if name not in _OWN_READS} == {}


def test_files_are_written_through_one_module() -> None:
    """What a command writes goes through ``outputs``, or a dataset's own staging."""
    writers = {
        path.relative_to(ROOT / "segprep").as_posix()
        for path in sorted((ROOT / "segprep").rglob("*.py"))
        if "write_atomic" in path.read_text("utf-8")
    }
    own = {"files/__init__.py", "files/writing.py", "dataset/staging.py", "dataset/lists.py"}
    assert writers == {"outputs.py", *own}
