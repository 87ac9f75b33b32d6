"""What `info` does per sample does not grow with the number of samples."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segprep import convert, info
from segprep.dataset import manifest, record_file
from segprep.description.faults import list_faults
from segprep.errors import TreeError

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("images", "masks"):
        (tmp_path / "source" / name).mkdir(parents=True)
    for number in range(5):
        values = np.full((8, 9), number % 3, np.uint8)
        values[0, number] = 2
        for name in ("images", "masks"):
            Image.fromarray(values).save(tmp_path / "source" / name / f"s{number}.png")
    convert("pairs", tmp_path / "source", tmp_path / "tree", classes="3")
    return tmp_path / "tree"


def test_a_name_listed_twice_is_not_searched_for_in_all_others() -> None:
    compared = 0

    class Name(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

    names = [Name(f"s{number}") for number in range(400)]
    members = [*names, Name("s7")]
    assert list(list_faults({"train": members}, {*names})) == [
        "train.txt names 1 samples twice: s7"
    ]
    assert compared < 20 * len(members)


@pytest.mark.parametrize("room", ["segprep", "cli"])
def test_no_set_is_copied_to_add_a_few_keys(room: str) -> None:
    """``|=`` with the keys of a mapping makes a new set of everything each time; update() adds."""
    for path in (PROJECT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.BitOr):
                keys = isinstance(node.value, ast.Call) and getattr(node.value.func, "attr", "")
                assert keys != "keys", f"{path}:{node.lineno}"


def test_info_parses_each_record_a_few_times(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    real = manifest.load_record

    def load(line: bytes) -> object:
        parsed.append(json.loads(line)["stem"])
        return real(line)

    monkeypatch.setattr(manifest, "load_record", load)
    assert info(tree).images == 5
    assert parsed.count("s0") <= 3  # compared, listed, looked at for equal images


def test_lines_are_those_of_the_manifest(tree: Path) -> None:
    path = tree / "records.jsonl"
    described = manifest.load(tree / "segprep.json")
    assert described
    lines = record_file.RecordLines(path, described.records)
    assert [number for number, _ in lines] == [1, 2, 3, 4, 5]
    assert b"".join(line for _, line in lines[:]) == path.read_bytes()
    assert [line for _, line in lines[1:3]] == path.read_bytes().splitlines(keepends=True)[1:3]
    lines.close()
    path.write_bytes(path.read_bytes().replace(b'"s3"', b'"s8"'))
    with pytest.raises(TreeError, match=r"records.jsonl"):
        record_file.RecordLines(path, described.records)
