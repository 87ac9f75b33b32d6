"""YAML of strangers: plain values within limits, or an error with its code."""

from pathlib import Path

import pytest

from segprep.errors import SourceError
from segprep.sources._common.texts import strict_yaml

PATH = Path("data.yaml")


def test_plain_values() -> None:
    content = strict_yaml.parse(b"\xef\xbb\xbfnames: {0: cat, 1: dog}\nnc: 2\n", PATH)
    assert content == {"names": {0: "cat", 1: "dog"}, "nc": 2}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a: &a [1]\nb: *a\n", "aliases"),
        (b"a: !!bool maybe\n", "tags"),
        (b"a: !!timestamp soon\n", "tags"),
        (b"a: !!int ''\n", "tags"),
        (b"a: !!python/object/apply:os.system [id]\n", "tags"),
        (b"a: 1" + b":59" * 200 + b".5\n", "too large"),
        (b"a: 2001-99-99\n", "month"),
        (b"a: " + b"9" * 5000, "digits"),
        (b"a: \xff\n", "utf-8"),
        (b"- a\n", "list"),
        (b"a: " + b"[" * 101, "brackets"),
        (b"a:\n" + b"- " * 5000, "recursion"),
        (b"a:\n" + b"- \n" * 70_000, "200000 are allowed"),
    ],
)
def test_what_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        strict_yaml.parse(data, PATH)
    assert caught.value.code == "bad-yaml"
