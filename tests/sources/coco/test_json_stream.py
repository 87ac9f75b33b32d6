"""Lists handed out one by one: the same values as the json module finds, and the same files
refused.
"""

import gc
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segprep.errors import SourceError
from segprep.sources.coco import json_stream

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read(text: str) -> dict[str, Any]:
    found: list[Any] = []
    texts: list[str] = []

    def each(first: int, values: list[Any], listed: list[str]) -> None:
        assert first == len(found)
        found.extend(map(json_stream.exact, values, listed))
        texts.extend(listed)

    rest = json_stream.parse(text.encode("utf-8", "surrogatepass"), Path("x.json"), {"long": each})
    assert [json_stream.element(text) for text in texts] == found
    return rest | ({"long": found} if rest.get("long") == [] else {})


@given(
    st.dictionaries(st.sampled_from(("long", "a", "b")), VALUES), st.sampled_from((None, 1, "\t"))
)
def test_the_values_are_those_of_json(value: dict[str, Any], indent: Any) -> None:
    assert read(json.dumps(value, indent=indent)) == value


@given(st.dictionaries(st.sampled_from(("long", "a")), VALUES, min_size=1), st.data())
def test_what_json_refuses_is_refused(value: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(value)
    at = data.draw(st.integers(0, len(text)))
    changed = (
        text[:at]
        + data.draw(st.sampled_from(list('{}[],:" 1')))
        + text[at + data.draw(st.integers(0, 2)) :]
    )
    try:
        expected = json.loads(changed, object_pairs_hook=json_stream.no_twins)
    except ValueError:
        expected = None
    if isinstance(expected, dict):
        assert read(changed) == expected
    else:
        with pytest.raises((SourceError, json_stream.TwinKeyError)):
            read(changed)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "a": 2}', "duplicate-key"),
        ('{"b": {"a": 1, "a": 2}}', "duplicate-key"),
        ("\ud800", "bad-encoding"),
    ],
)
def test_codes(text: str, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "element",
    [
        *({"id": 10**25, "a": [1.5]}, {"id": 2**64 - 1}, {"id": 1e300}, {"a": "}"}, {"a": "},{"}),
        {"segments_info": [{"id": 1}, {"id": 10**25}]},
        *({"a": {"b": 1}, "c": 2}, {"a": [{"b": 1}, {}]}, {}, [], "{}", 5, None, "\ud800"),
    ],
)
def test_elements_are_the_same_whichever_parser_reads_them(element: Any) -> None:
    elements = [element, {"last": 1}, element, element]
    assert read(json.dumps({"long": elements})) == {"long": elements}
    assert type(json_stream.element(json.dumps(element))) is type(element)


def test_elements_may_hold_nan_and_twins_until_they_are_looked_at() -> None:
    seen: list[str] = []
    json_stream.parse(
        b'\xef\xbb\xbf{"long": [{"a": NaN}, {"a": 1, "a": 2}]}',
        Path("x.json"),
        {"long": lambda _, __, texts: seen.extend(texts)},
    )
    assert json_stream.element(seen[0])["a"] != 0
    with pytest.raises(json_stream.TwinKeyError):
        json_stream.element(seen[1])


@pytest.mark.parametrize("between", [", ", ",", " ,\n", ",  ", ", \t"])
def test_elements_may_be_apart_in_any_way(between: str) -> None:
    elements = ['{"id": 1}', '{"id": {"deep": [2]}}', "[3, {}]", '"}, {"', '{"id": "}"}']
    values, texts, firsts = list[object](), list[str](), list[int]()

    def each(first: int, found: list[Any], listed: list[str]) -> None:
        firsts.extend(range(first, first + len(found)))
        values.extend(found)
        texts.extend(listed)

    text = f'{{"annotations": [{between.join(elements)}], "info": 5}}'
    content = json_stream.parse(text.encode(), Path("a.json"), {"annotations": each})
    assert content == {"annotations": [], "info": 5}
    assert texts == elements
    assert values == [json.loads(part) for part in elements]
    assert firsts == list(range(5))


OBJECTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"id": st.integers(0, 99)},
    optional={
        "text": st.text('}{,"[] a', max_size=6),
        "segmentation": st.just({"size": [1, 2], "counts": "0a"}) | st.just([[1.5, 2]]),
        "segments_info": st.lists(st.fixed_dictionaries({"id": st.integers(0, 9)}), max_size=3),
        "deep": st.just([[{"a": 1}]]) | st.just({"b": {"c": {}}}),
    },
)


@given(
    st.lists(OBJECTS, max_size=30), st.sampled_from((None, 1)), st.sampled_from((40, 300, 1 << 16))
)
def test_many_are_parsed_together_and_keep_their_own_texts(
    elements: list[Any], indent: Any, batch: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_BATCH", batch)
        assert read(json.dumps({"long": elements}, indent=indent)) == {"long": elements}


def test_few_calls_hand_out_many() -> None:
    calls: list[int] = []
    crowd = {"size": [1, 1], "counts": [1]}
    elements = [{"id": n, "segmentation": crowd if n % 9 else [[1.5] * 50]} for n in range(3000)]
    each = {"long": lambda _, values, __: calls.append(len(values))}
    json_stream.parse(json.dumps({"long": elements}).encode(), Path("a.json"), each)
    assert sum(calls) == 3000
    assert max(calls) > 300


def test_garbage_is_collected_after_any_parse_as_before() -> None:
    for text in (b'{"images": []}', b'{"images": [', b'{"a": 1, "a": 2}'):
        with suppress(SourceError):
            json_stream.parse(text, Path("a.json"), {})
        assert gc.isenabled()
    gc.disable()
    try:
        json_stream.parse(b"{}", Path("a.json"), {})
        assert not gc.isenabled()
    finally:
        gc.enable()
