"""The fast parser changes nothing: whatever it reads, the standard library reads alike, or refuses
alike.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segprep.errors import SourceError
from segprep.sources._common.texts import strict_json

PATH = Path("a.json")
TEXTS = (
    '{"a": 1, "a": 2}',
    '{"a": 1, "\\u0061": 2}',
    '{"shapes": [{"label": "x", "label": "x"}]}',
    '{"p": "dir\\\\", "a": "", "a": ""}',
    '{"p": "\\"", "q": "\\\\\\"", "a": {"b": 1, "b": 1}}',
    '{"points": [[1, 2], {"a": 1, "a": 2}]}',
    '{"label": 123456789012345678901234567890}',
    '{"label": -9223372036854775809, "group_id": 18446744073709551615}',
    '{"score": 0.93, "x": 1e300}',
    '{"x": [NaN, Infinity, -Infinity]}',
    '{"x": 1e999}',
    '{"x": "\\ud800"}',
    '{"x": "\x01"}',
    '{"imagePath": "..\\\\images\\\\a.jpg", "x": ["a", {"b": "c"}, [1, "d"]]}',
    "[1, 2",
    "",
    "-0",
    "null",
    '"a"',
    "[" * 5000 + "]" * 5000,
    '{"a":' * 5000 + "1" + "}" * 5000,
)


def outcome(text: str) -> str:
    """What is read, types and all, or why nothing is."""
    try:
        return repr(strict_json.parse(text.encode(), PATH).value)
    except SourceError as error:
        return f"{error.code}: {error.reason}"


def alone(text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same by the standard library."""
    with monkeypatch.context() as patch:
        patch.setattr(strict_json, "_quotes", lambda text: -1)  # what orjson read is not taken
        return outcome(text)


@pytest.mark.parametrize("text", TEXTS)
def test_the_fast_parser_reads_and_refuses_what_the_other_one_does(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outcome(text) == alone(text, monkeypatch)


def test_a_key_twice_is_refused_whatever_parser_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for read in (outcome, lambda text: alone(text, monkeypatch)):
        assert read('{"a": 1, "a": 1}').startswith("duplicate-key")
        assert read('{"p": "dir\\\\", "a": "", "a": ""}').startswith("duplicate-key")


def test_what_the_fast_parser_reads_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", None)
    text = '{"p": "a\\\\b.jpg", "shapes": [{"label": "x", "points": [[1.5, 2]], "score": 0.5}]}'
    assert "score" in outcome(text)


KEYS = st.sampled_from(["a", "b", 'c"', "d\\"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | st.text(max_size=4)
    | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(KEYS, inner), max_size=4),
    max_leaves=12,
)


def written(value: object) -> str:
    """*value* as JSON, a list of pairs as an object in which a key may stand twice."""
    if isinstance(value, list) and value and all(isinstance(item, tuple) for item in value):
        return "{" + ",".join(f"{json.dumps(key)}:{written(item)}" for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


@given(VALUES)
def test_objects_with_equal_keys_are_found_wherever_they_stand(value: object) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        expected = alone(written(value), monkeypatch)
    assert outcome(written(value)) == expected
