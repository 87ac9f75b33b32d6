"""The layout of a TIFF file: what its first page states, and which pages are pictures of their own.

Format: TIFF 6.0, https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf (sections 2, 8, 14,
15 and 19). Only classic TIFF; BigTIFF is in big_tiff.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import mmap

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, ORIENTATION, SAMPLES, STRIP_ROWS, STRIP_BYTES = 273, 274, 277, 278, 279
PLANAR, PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 284, 317, 322, 323, 324, 325
SAMPLE_FORMAT = 339
SUBFILE = 254  # bits 0 and 2: a smaller copy, a transparency mask
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4}
_LETTERS = {1: "B", 2: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
_PLAIN_COMPRESSION = {1, 5, 8, 32_773, 32_946}  # none, LZW, deflate, PackBits, deflate
MOST_PAGES, MOST_TAGS = 10_000, 1000
_MARKS = {  # byte order, and whether numbers have 64 bits
    b"II*\0": ("<", False),
    b"MM\0*": (">", False),
    b"II+\0": ("<", True),
    b"MM\0+": (">", True),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """What a page states: *tags* by number; *order* is the byte order, ``<`` or ``>``."""

    order: str
    tags: Mapping[int, tuple[int, ...]]

    def number(self, tag: int, default: int = 0) -> int:
        """The first value of *tag*."""
        return (self.tags.get(tag) or (default,))[0]

    @property
    def samples(self) -> int:
        """How many channels a pixel has."""
        return self.number(SAMPLES, 1)

    @property
    def bits(self) -> int:
        """Bits per channel, or 0 where channels differ."""
        depths = set(self.tags.get(BITS) or (1,))
        return depths.pop() if len(depths) == 1 else 0

    @property
    def signed(self) -> bool:
        """Whether the samples are two's complement integers."""
        return set(self.tags.get(SAMPLE_FORMAT, ())) == {2}

    @property
    def special(self) -> bool:
        """Whether Pillow would lose bits of it or refuse it although it is sound: whole numbers of
        16 bits in several channels, signed ones, several grays, planes where Pillow expects none.
        """
        whole = set(self.tags.get(SAMPLE_FORMAT) or (1,)) <= {1, 2, 4}
        sound = self.number(COMPRESSION, 1) in _PLAIN_COMPRESSION and whole
        if not sound or self.bits not in (8, 16) or not self.number(WIDTH):
            return False
        planes = self.number(PLANAR, 1) == 2
        if self.samples > 2 and self.number(PHOTOMETRIC, 1) < 2 and self.bits == 8:
            return True  # several grays, as GDAL writes bands
        wide = self.bits == 16 and (self.samples > 1 or planes)
        return wide or self.signed or (planes and self.samples != 3)

    @property
    def readable(self) -> bool:
        """Whether its numbers can be read here although Pillow may not open the file."""
        sound = self.number(COMPRESSION, 1) in _PLAIN_COMPRESSION and self.number(WIDTH)
        return self.special or (self.bits == 64 and self.samples == 1 and bool(sound))


def pages(data: bytes | mmap) -> list[Layout]:
    """The layouts of all pages of a classic TIFF in order; fewer where the chain of pages is
    damaged, and none for other data.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return []
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    layouts, visited = list[Layout](), set[int]()
    while at and at not in visited and len(layouts) < MOST_PAGES:
        visited.add(at)
        try:
            layout, at = _page(data, at, order)
        except (struct.error, ValueError):
            break
        layouts.append(layout)
    return layouts


def first(data: bytes | mmap) -> Layout | None:
    """The layout of the first page, or None where the data are not a classic TIFF."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return None
    try:
        return _page(data, struct.unpack_from(f"{order}I", data, 4)[0], order)[0]
    except (struct.error, ValueError):
        return None


def several(data: bytes | mmap) -> bool:
    """Whether more than one page is a picture: smaller copies and transparency masks (subfile type
    bits 0 and 2) are none.
    """
    return sum(not layout.number(SUBFILE) & 5 for layout in pages(data)) > 1


def _page(data: bytes | mmap, at: int, order: str) -> tuple[Layout, int]:
    """The page at offset *at*, and the offset of the next one."""
    (count,) = struct.unpack_from(f"{order}H", data, at)
    tags = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, number, value = struct.unpack_from(f"{order}HHII", data, entry)
        if kind not in _SIZES or tag > SAMPLE_FORMAT or tag in (270, 305, 306, 315):
            continue
        where = entry + 8 if _SIZES[kind] * number <= 4 else value
        if number > len(data):
            raise ValueError("a tag has more values than the file has bytes")
        tags[tag] = struct.unpack_from(f"{order}{number}{_LETTERS[kind]}", data, where)
    return Layout(order, tags), struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)[0]


def gray_page(
    data: bytes, layout: Layout, plane: int | None, *, bytes_each: int | None = None
) -> bytes:
    """The file with a new first page that holds the same samples as plain gray: of one *plane*, or
    (None) of all channels side by side, a row of W x C samples, or with *bytes_each* of W x C times
    as many samples of 8 bits, whole tiles. Predictors are left undone.
    """
    times = (layout.samples if plane is None else 1) * (bytes_each or 1)
    tiled, width = TILE_OFFSETS in layout.tags, layout.number(WIDTH)
    if tiled and bytes_each:  # predictors work on whole tiles
        width += -width % max(1, layout.number(TILE_WIDTH, 1))
    offsets, sizes = (TILE_OFFSETS, TILE_BYTES) if tiled else (STRIP_OFFSETS, STRIP_BYTES)
    starts, lengths = layout.tags.get(offsets, ()), layout.tags.get(sizes, ())
    if plane is not None:
        share = len(starts) // layout.samples
        starts = starts[plane * share : (plane + 1) * share]
        lengths = lengths[plane * share : (plane + 1) * share]
    tags = {
        WIDTH: (width * times,),
        HEIGHT: (layout.number(HEIGHT),),
        BITS: (8 if bytes_each else layout.bits,),
        COMPRESSION: (layout.number(COMPRESSION, 1),),
        PHOTOMETRIC: (1,),
        SAMPLES: (1,),
        PLANAR: (1,),
        offsets: starts,
        sizes: lengths or (len(data),) * len(starts),
    }
    if tiled:
        tags[TILE_WIDTH] = (layout.number(TILE_WIDTH) * times,)
        tags[TILE_HEIGHT] = (layout.number(TILE_HEIGHT),)
    else:
        tags[STRIP_ROWS] = (layout.number(STRIP_ROWS, layout.number(HEIGHT)),)
    return _with_page(data, layout.order, tags)


def _with_page(data: bytes, order: str, tags: Mapping[int, tuple[int, ...]]) -> bytes:
    """*data* with one page of *tags* at its end, as the first and last of the file."""
    start = len(data) + len(data) % 2
    after = start + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag in sorted(tags):
        packed = struct.pack(f"{order}{len(tags[tag])}I", *tags[tag])
        if len(packed) > 4:
            packed, values = struct.pack(f"{order}I", after + len(values)), values + packed
        entries += struct.pack(f"{order}HHI", tag, 4, len(tags[tag])) + packed
    page = struct.pack(f"{order}H", len(tags)) + entries + b"\0\0\0\0" + values
    header = data[:4] + struct.pack(f"{order}I", start)
    return header + data[8:] + b"\0" * (len(data) % 2) + page


def page_places(data: bytes) -> tuple[slice, list[bytes]]:
    """Where a TIFF file says at which byte its first page is described, and what would have to
    stand there for each of its pages in turn; no pages where the chain of them is broken.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2], "<")
    big = data[2:4] in (b"\x2b\x00", b"\x00\x2b")
    pointer, counted, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    first = slice(8, 16) if big else slice(4, 8)
    seen: dict[bytes, None] = {}
    next_place = data[first]
    try:
        while (at := struct.unpack(order + pointer, next_place)[0]) and next_place not in seen:
            seen[next_place] = None
            (count,) = struct.unpack_from(order + counted, data, at)
            after = at + struct.calcsize(counted) + count * entry
            next_place = data[after : after + len(next_place)]
    except struct.error:
        return first, []
    return first, list(seen)


def small_page(layout: Layout, body: bytes, shape: tuple[int, int], kept: tuple[int, ...]) -> bytes:
    """A file of one strip, *body*, which holds *shape* (rows, columns) pixels; the tags *kept* are
    those of *layout*.
    """
    rows, columns = shape
    tags = {tag: layout.tags[tag] for tag in kept if tag in layout.tags}
    tags |= {WIDTH: (columns,), HEIGHT: (rows,), STRIP_ROWS: (rows,)}
    tags |= {STRIP_OFFSETS: (8,), STRIP_BYTES: (len(body),), PLANAR: (1,)}
    mark = b"II*\0" if layout.order == "<" else b"MM\0*"
    return _with_page(mark + b"\0\0\0\0" + body, layout.order, tags)


def _entries(data: bytes | mmap) -> dict[int, tuple[int, int, int]]:
    """Tag -> (type, count, offset of its values) of the first page of a TIFF or BigTIFF; none where
    there is none.
    """
    order, big = _MARKS.get(data[:4], ("", False))
    if not order or len(data) < 8:
        return {}
    entries, (long, short, head, step) = {}, ("Q", "Q", 8, 20) if big else ("I", "H", 2, 12)
    try:
        (at,) = struct.unpack_from(f"{order}{long}", data, 8 if big else 4)
        (count,) = struct.unpack_from(f"{order}{short}", data, at)
        for entry in range(at + head, at + head + step * min(count, MOST_TAGS), step):
            tag, kind, number, value = struct.unpack_from(f"{order}HH{long}{long}", data, entry)
            size, inside = {1: 1, 3: 2, 7: 1, 12: 8}.get(kind, 0) * number, (step - 4) // 2
            entries[tag] = kind, number, entry + step - inside if size <= inside else value
    except (struct.error, OverflowError):
        return {}
    return entries


def doubles(data: bytes | mmap, tags: tuple[int, ...]) -> dict[int, tuple[float, ...]]:
    """The values of those *tags* of the first page that hold floats of 64 bits."""
    order, numbers = "<" if data[:2] == b"II" else ">", {}
    for tag, (kind, count, at) in _entries(data).items():
        if tag in tags and kind == 12 and 8 * count <= len(data) - at:
            numbers[tag] = struct.unpack_from(f"{order}{count}d", data, at)
    return numbers


def shorts(data: bytes | mmap, tag: int) -> tuple[int, ...]:
    """The values of *tag* of the first page, numbers of 16 bits; none where it has none."""
    kind, count, at = _entries(data).get(tag, (0, 0, 0))
    if kind != 3 or 2 * count > len(data) - at:
        return ()
    return struct.unpack_from(f"{'<' if data[:2] == b'II' else '>'}{count}H", data, at)


def raw(data: bytes | mmap, tag: int) -> bytes:
    """The bytes of *tag* of the first page; none where it has none."""
    kind, count, at = _entries(data).get(tag, (0, 0, 0))
    return bytes(data[at : at + count]) if kind in (1, 7) and count <= len(data) - at else b""
