"""A record that this program wrote is read back alike, whether its fields are looked at or not."""

import pytest

from segprep.dataset import manifest
from segprep.types import Covered, Note, Record, Unpainted

RECORD = Record(
    stem="a",
    source="a.json",
    image="JPEGImages/a.jpg",
    mask="SegmentationClass/a.png",
    objects=None,
    height=2,
    width=3,
    pixels={0: 4, 255: 2},
    digests={"JPEGImages/a.jpg": "0" * 40, "SegmentationClass/a.png": "1" * 40},
    item="x",
    inputs={"a.json": "2" * 40, "a.jpg": None},
    notes=(
        Note("mask-empty", "said", "a"),
        Note("class-covered", "said", "a", Covered("cat", 1, 0, 5, 4, "dog")),
    ),
    unpainted=(Unpainted("cat", 1, 2, "skipped"),),
)


def test_both_ways_to_read_a_record_agree() -> None:
    line = manifest.dump_record(RECORD)
    assert manifest.written_record(line) == manifest.load_record(line) == RECORD


@pytest.mark.parametrize("line", [b"{}", b"[]", b"1", b"{", b'{"stem":"a"}'])
def test_what_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        manifest.written_record(line)
