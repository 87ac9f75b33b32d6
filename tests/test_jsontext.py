import json
from pathlib import Path

from segprep import jsontext


def test_numbers_that_are_not_finite_become_null() -> None:
    value = {"a": float("nan"), "b": [float("inf"), 1.5], "c": (-float("inf"),)}
    assert json.loads(jsontext.text(value)) == {"a": None, "b": [None, 1.5], "c": [None]}


def test_a_name_that_is_not_text_survives(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(jsontext.encoded({"stem": "\udc80 猫"}))
    assert json.loads(path.read_bytes()) == {"stem": "\udc80 猫"}


def test_one_line_or_indented_and_a_newline_in_files() -> None:
    assert jsontext.encoded({"a": [1]}, compact=True) == b'{"a":[1]}\n'
    assert jsontext.text({"a": 1}) == '{\n "a": 1\n}'


def test_a_line_is_what_the_standard_library_writes() -> None:
    every = "".join(map(chr, [*range(0x300), 0x2028, 0xFFFF, 0x1F408]))
    for value in ({every: [every, None, True, -(2**63)]}, {"\udc80": "\udcff"}, {"a": 2**70}):
        assert jsontext.line(value) == jsontext.encoded(value, compact=True)
