"""The layout of a BigTIFF: as that of a classic TIFF, with 64 bits for every number and offset.

Format: http://bigtiff.org (Aware Systems; libtiff 4 writes it).
"""

import struct
from collections.abc import Iterator
from mmap import mmap

from segprep.imaging.tiff import MOST_PAGES, MOST_TAGS, SAMPLE_FORMAT, SUBFILE, Layout

_KINDS = {1: "B", 3: "H", 4: "I", 16: "Q"}  # byte, short, long, long of 64 bits


def only(data: bytes | mmap) -> Layout | None:
    """The layout of the one picture in *data*; None where they are not BigTIFF, or hold several.
    Smaller copies and transparency masks (subfile type bits 0 and 2) are none.
    """
    try:
        layouts = list(_pages(data))
    except (struct.error, ValueError, OverflowError):
        return None
    pictures = [layout for layout in layouts if not layout.number(SUBFILE) & 5]
    return layouts[0] if layouts and pictures == layouts[:1] else None


def _pages(data: bytes | mmap) -> Iterator[Layout]:
    """The pages in order. Raises struct.error, ValueError for damaged data."""
    order = {b"II+\0": "<", b"MM\0+": ">"}.get(data[:4])
    if order is None:
        return
    size, _, at = struct.unpack_from(f"{order}HHQ", data, 4)
    visited = set[int]()
    while at and size == 8:
        if at in visited or len(visited) >= MOST_PAGES:
            raise ValueError("the chain of pages does not end")
        visited.add(at)
        (count,) = struct.unpack_from(f"{order}Q", data, at)
        if count > MOST_TAGS:
            raise ValueError("a page has too many tags")
        tags = {}
        for entry in range(at + 8, at + 8 + 20 * count, 20):
            tag, kind, number = struct.unpack_from(f"{order}HHQ", data, entry)
            if kind not in _KINDS or tag > SAMPLE_FORMAT:
                continue
            length = struct.calcsize(f"={_KINDS[kind]}") * number
            if length > len(data):
                raise ValueError("a tag has more values than the file has bytes")
            where = entry + 12
            if length > 8:
                (where,) = struct.unpack_from(f"{order}Q", data, where)
            tags[tag] = struct.unpack_from(f"{order}{number}{_KINDS[kind]}", data, where)
        yield Layout(order, tags)
        (at,) = struct.unpack_from(f"{order}Q", data, at + 8 + 20 * count)
