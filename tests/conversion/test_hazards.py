"""Hostile input through the command line: every bad file is named with code, address and reason,
every good one beside it is converted.

All cases lie in one folder, each in a subfolder of its own, and are converted in three runs: stop,
skip, skip under strace.
"""

import base64
import io
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

SEGPREP = (sys.executable, "-m", "segprep_cli")
SECRET = (1, 254, 3)  # no other picture here has this colour
TRIANGLE = [[4, 4], [30, 4], [20, 24]]
HEIGHT, WIDTH = 30, 40


# ----------------------------------------------------------------------------------------------------------------
# makers


def encoded(
    format: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (WIDTH, HEIGHT), **saving: Any
) -> bytes:
    """A small picture in *format*."""
    grey = Image.linear_gradient("L").resize(size)
    picture = {
        "I;16": lambda: Image.fromarray(np.asarray(grey).astype(np.uint16) * 257),
        "F": lambda: Image.fromarray(np.asarray(grey).astype(np.float32) / 7),
        "I": lambda: Image.fromarray(np.asarray(grey).astype(np.int32) * 70_000),
    }.get(mode, lambda: grey.convert("RGB").convert(mode))()
    out = io.BytesIO()
    picture.save(out, format, **saving)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(
    width: int,
    height: int,
    rows: bytes = b"",
    *,
    depth: int = 8,
    colour: int = 0,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A PNG whose header says what we like.

    *rows* is already deflated; *after* follows the header's 13 bytes.
    """
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0) + after
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + before
        + chunk(b"IDAT", rows or zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


@cache
def zeros_png(side: int) -> bytes:
    """A genuine 1-bit PNG of side x side zeros: about 0.01 % of its decoded size."""
    deflate, row = zlib.compressobj(1), bytes(1 + (side + 7) // 8)
    return raw_png(
        side,
        side,
        b"".join(deflate.compress(row * 100) for _ in range(side // 100)) + deflate.flush(),
        depth=1,
    )


def shape(
    label: Any = "cat", points: Any = None, kind: Any = "polygon", **more: Any
) -> dict[str, Any]:
    return {
        "label": label,
        "points": TRIANGLE if points is None else points,
        "shape_type": kind,
        "group_id": None,
        "flags": {},
        **more,
    }


def bitmap(width: int, height: int) -> str:
    return base64.b64encode(encoded("PNG", "1", (width, height))).decode()


# -----------------------------------------------------------------------------------------------------------------
# cases


@dataclass
class Case:
    """One input. *code* "" means that it is good, else it is the code of its refusal (or a set of
    them); *words* stand in the reason, *notes* in the Record.

    The file is ``<name>.json`` in a folder of its own, with *image* beside it as
    ``<name><suffix>``.
    """

    code: str | set[str] = ""
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    content: Any = None  # fields that replace those of a plain annotation, or bytes
    image: bytes | None = b"png"
    suffix: str = ".png"
    file: str | bytes = ""  # the name of the JSON, if it is not <name>.json
    more: Callable[[Path, Path], None] | None = None  # (folder, base): what else to lay there
    foreign: bool = False
    checks: dict[str, Any] = field(default_factory=dict)

    def lay(self, base: Path, name: str) -> None:
        folder = base / "src" / name
        folder.mkdir(parents=True)
        file = self.file or f"{name}.json"
        if self.image is not None:
            (folder / f"{name}{self.suffix}").write_bytes(
                encoded() if self.image == b"png" else self.image
            )
        if self.content is not False:
            plain = {
                "version": "5.0",
                "flags": {},
                "shapes": [shape()],
                "imagePath": f"{name}{self.suffix}",
                "imageData": None,
            }
            data = (
                self.content
                if isinstance(self.content, bytes)
                else json.dumps(plain | (self.content or {})).encode()
            )
            with open(os.path.join(os.fsencode(folder), os.fsencode(file)), "wb") as out:
                out.write(data)
        if self.more:
            self.more(folder, base)


def shapes(*listed: Any) -> dict[str, Any]:
    return {"shapes": list(listed)}


def points(*listed: Any, kind: str = "polygon") -> dict[str, Any]:
    return shapes(shape(points=list(listed), kind=kind))


def text(body: str, encoding: str = "utf-8") -> bytes:
    """An annotation as text, *body* being its points or the like."""
    return body.encode(encoding)


PLAIN = (
    '{"shapes": [{"label": "cat", "points": [[4,4],[30,4],[20,24]], "shape_type": "polygon"}],'
    ' "imagePath": "%s", "imageData": null}'
)
OUTSIDE = {"path-outside-root", "image-missing"}


def _paths() -> Iterator[tuple[str, Case]]:
    """H1: imagePath."""
    named = {
        "up": "../../secret/s.png",
        "up-backslash": "..\\..\\secret\\s.png",
        "up-mixed": "..\\../secret/s.png",
        "etc": "../../../../../../../../etc/passwd",
        "etc-abs": "/etc/passwd",
        "dot-slash": "./.././../secret/s.png",
        "through-sub": "sub/../../../secret/s.png",
        "drive": "C:\\secret\\s.png",
        "drive-relative": "C:..\\..\\secret\\s.png",
        "unc": "\\\\srv\\share\\s.png",
        "nul": "s.png\0.png",
        "nul-up": "../../secret/s.png\0",
        "empty": "",
        "http": "http://localhost:9/s.png",
        "https": "https://localhost/s.png",
        "file-url": "file:///etc/passwd",
        "dot": ".",
        "dots": "..",
        "root": "/",
        "home": "~/s.png",
        "dev": "/dev/zero",
        "proc": "/proc/self/environ",
        "long": "a" * 5000 + ".png",
        "deep": "a/" * 3000 + "s.png",
        "surrogate": "\ud800.png",
        "percent": "%2e%2e/%2e%2e/secret/s.png",
        "newline": "../../secret/s.png\n",
        "json": "path-json.json",
        "extended": "\\\\?\\C:\\secret\\s.png",
    }
    surely = {
        "up",
        "up-backslash",
        "up-mixed",
        "etc",
        "etc-abs",
        "dot-slash",
        "through-sub",
        "nul",
        "nul-up",
        "http",
        "https",
        "file-url",
        "root",
        "dev",
        "proc",
    }
    for name, path in named.items():
        yield (
            f"path-{name}",
            Case(
                "path-outside-root" if name in surely else OUTSIDE,
                ("imagePath",),
                content={"imagePath": path},
                image=None,
            ),
        )
    yield (
        "path-absolute",
        Case(
            "path-outside-root",
            ("imagePath",),
            content={},
            image=None,
            more=lambda folder, base: _rename(folder, str(base / "secret" / "s.png")),
        ),
    )
    yield (
        "path-int",
        Case("bad-annotation", ("imagePath", "int"), content={"imagePath": 7}, image=None),
    )
    yield (
        "path-list",
        Case("bad-annotation", ("imagePath", "list"), content={"imagePath": ["s.png"]}, image=None),
    )
    yield (
        "path-up-but-near",
        Case(notes=("image-found-elsewhere",), content={"imagePath": "../../secret/s.png"}),
    )
    yield (
        "path-windows-good",
        Case(
            notes=("image-found-elsewhere",),
            content={"imagePath": "D:\\photos\\path-windows-good.png"},
        ),
    )


def _rename(folder: Path, named: str) -> None:
    path = folder / f"{folder.name}.json"
    path.write_text(json.dumps({"shapes": [shape()], "imagePath": named, "imageData": None}))


def _link(name: str, target: str) -> Callable[[Path, Path], None]:
    def make(folder: Path, base: Path) -> None:
        os.symlink(target.replace("BASE", str(base)), folder / name)

    return make


def _socket(folder: Path, base: Path) -> None:
    here = os.getcwd()
    os.chdir(folder)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket.json")
    os.chdir(here)


def _links() -> Iterator[tuple[str, Case]]:
    """H2 and H6: links, pipes, sockets."""
    yield (
        "link-image",
        Case(
            "link-outside-root",
            ("link",),
            image=None,
            more=_link("link-image.png", "BASE/secret/s.png"),
        ),
    )
    yield (
        "link-image-relative",
        Case(
            "link-outside-root",
            ("link",),
            image=None,
            more=_link("link-image-relative.png", "../../secret/s.png"),
        ),
    )
    yield (
        "link-json",
        Case(
            "link-outside-root",
            ("link",),
            content=False,
            more=_link("link-json.json", "BASE/secret/s.json"),
        ),
    )
    yield (
        "link-folder",
        Case(
            "link-outside-root",
            ("link",),
            content={"imagePath": "d/s.png"},
            image=None,
            more=_link("d", "BASE/secret"),
        ),
    )
    yield (
        "link-etc",
        Case(
            "link-outside-root", ("link",), image=None, more=_link("link-etc.png", "/etc/hostname")
        ),
    )
    yield (
        "link-zero",
        Case(
            "link-outside-root", ("link",), content=False, more=_link("link-zero.json", "/dev/zero")
        ),
    )
    yield (
        "link-loop",
        Case("unreadable", (), content=False, more=_link("link-loop.json", "link-loop.json")),
    )
    yield (
        "link-dangling",
        Case("unreadable", (), content=False, more=_link("link-dangling.json", "nowhere.json")),
    )
    yield (
        "link-dangling-image",
        Case(
            {"image-missing", "unreadable"},
            (),
            image=None,
            more=_link("link-dangling-image.png", "nowhere.png"),
        ),
    )
    yield "link-up-loop", Case(more=_link("again", ".."))
    yield (
        "link-within",
        Case(image=None, more=_link("link-within.png", "../format-bmp/format-bmp.bmp")),
    )
    yield (
        "fifo",
        Case(
            "not-a-file",
            (),
            content=False,
            more=lambda folder, base: os.mkfifo(folder / "fifo.json"),
        ),
    )
    yield (
        "fifo-image",
        Case(
            {"not-a-file", "image-missing"},
            (),
            image=None,
            more=lambda folder, base: os.mkfifo(folder / "fifo-image.png"),
        ),
    )
    yield "socket", Case({"not-a-file", "unreadable"}, (), content=False, more=_socket)


def _images() -> Iterator[tuple[str, Case]]:
    """H7, H9, H10, H11: bombs, damage, other formats under the name."""
    yield from _damaged()
    yield from _formats()


def _damaged() -> Iterator[tuple[str, Case]]:
    png, jpeg, gif, webp = (
        encoded(size=(300, 200)),
        encoded("JPEG", size=(300, 200)),
        encoded("GIF", "L", (300, 200)),
        encoded("WEBP", size=(300, 200)),
    )
    bmp, tiff, lzw = (
        encoded("BMP", size=(300, 200)),
        encoded("TIFF", size=(300, 200)),
        encoded("TIFF", size=(300, 200), compression="tiff_lzw"),
    )
    broken = {"image-damaged", "image-unsupported"}
    yield "bomb-1bit", Case("image-too-large", (), image=zeros_png(30_000))
    yield "bomb-header", Case("image-too-large", (), image=raw_png(2**31 - 1, 1))
    yield "bomb-header-both", Case("image-too-large", (), image=raw_png(2**31 - 1, 2**31 - 1))
    yield (
        "bomb-text",
        Case(
            broken,
            (),
            image=raw_png(
                WIDTH, HEIGHT, before=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(70_000_000), 1))
            ),
        ),
    )
    yield (
        "bomb-jpeg",
        Case(
            "image-too-large",
            (),
            image=jpeg.replace(struct.pack(">HH", 200, 300), struct.pack(">HH", 65_500, 65_500), 1),
            suffix=".jpg",
        ),
    )
    yield "image-empty", Case("empty-file", ("0 bytes",), image=b"")
    yield "image-html", Case("image-unsupported", (), image=b"<!doctype html><title>404</title>")
    yield (
        "image-lfs",
        Case(
            "lfs-pointer",
            ("LFS",),
            image=b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        ),
    )
    yield "image-nuls", Case("image-unsupported", (), image=bytes(1000))
    yield "image-short", Case(broken, (), image=png[:16])
    yield "cut-png", Case("image-damaged", (), image=png[: len(png) // 2])
    yield "cut-jpeg", Case("image-damaged", (), image=jpeg[: len(jpeg) // 2], suffix=".jpg")
    yield "cut-gif", Case("image-damaged", (), image=gif[: len(gif) // 2], suffix=".gif")
    yield "cut-bmp", Case("image-damaged", (), image=bmp[: len(bmp) // 2], suffix=".bmp")
    yield "cut-tiff", Case(broken, (), image=tiff[: len(tiff) // 2], suffix=".tif")
    yield "cut-lzw", Case(broken, (), image=lzw[: len(lzw) // 2], suffix=".tif")
    yield "cut-webp", Case(broken, (), image=webp[: len(webp) // 2], suffix=".webp")
    yield (
        "png-flipped",
        Case("image-damaged", (), image=png[:200] + bytes([png[200] ^ 4]) + png[201:]),
    )
    yield (
        "png-lies-larger",
        Case("image-damaged", (), image=raw_png(600, 400, zlib.compress(bytes(201 * 100)))),
    )
    yield (
        "png-lies-smaller",
        Case("image-damaged", (), image=raw_png(100, 50, zlib.compress(bytes(301 * 200)))),
    )
    yield (
        "png-header-long",
        Case(broken, (), image=raw_png(WIDTH, HEIGHT, zlib.compress(bytes(41 * 30)), after=b"\0")),
    )
    yield (
        "png-depth-3",
        Case(broken, (), image=raw_png(WIDTH, HEIGHT, zlib.compress(bytes(41 * 30)), depth=3)),
    )
    yield (
        "png-interlaced-lie",
        Case(broken, (), image=raw_png(WIDTH, HEIGHT, zlib.compress(bytes(41 * 29)))),
    )
    yield "png-no-end", Case(notes=("image-repaired",), image=png[:-12])
    yield "png-last-byte", Case(notes=("image-repaired",), image=png[:-1])
    yield "png-trailing", Case(image=png + b"more")
    yield "gif-no-trailer", Case(notes=("image-converted",), image=gif[:-1], suffix=".gif")
    yield "eps", Case("image-unsupported", (), image=encoded("EPS"))
    yield (
        "psd",
        Case(
            "image-unsupported",
            (),
            image=b"8BPS\0\1"
            + bytes(6)
            + struct.pack(">HIIHH", 3, HEIGHT, WIDTH, 8, 3)
            + bytes(64 + 3 * HEIGHT * WIDTH),
        ),
    )
    yield "pdf", Case("image-unsupported", (), image=encoded("PDF"))
    yield "ico", Case("image-unsupported", (), image=encoded("ICO"), suffix=".jpg")


def _formats() -> Iterator[tuple[str, Case]]:
    png, jpeg, bmp = (
        encoded(size=(300, 200)),
        encoded("JPEG", size=(300, 200)),
        encoded("BMP", size=(300, 200)),
    )
    yield "jpeg-as-png", Case(notes=("image-extension",), image=jpeg, checks={"image": ".jpg"})
    yield (
        "png-as-jpeg",
        Case(notes=("image-extension",), image=png, suffix=".jpg", checks={"image": ".png"}),
    )
    yield (
        "bmp-as-jpeg",
        Case(
            notes=("image-extension", "image-converted"),
            image=bmp,
            suffix=".jpg",
            checks={"image": ".png"},
        ),
    )
    yield (
        "float",
        Case("image-unsupported", ("pixel type F",), image=encoded("TIFF", "F"), suffix=".tif"),
    )
    yield (
        "int32",
        Case("image-unsupported", ("pixel type I",), image=encoded("TIFF", "I"), suffix=".tif"),
    )
    for kind, mode in (
        ("BMP", "RGB"),
        ("GIF", "L"),
        ("TIFF", "RGB"),
        ("TIFF", "I;16"),
        ("TIFF", "CMYK"),
        ("TIFF", "1"),
        ("WEBP", "RGB"),
        ("PPM", "RGB"),
    ):
        name = f"format-{kind.lower()}" + (
            "" if mode == "RGB" else f"-{mode.lower().replace(';', '')}"
        )
        yield (
            name,
            Case(
                notes=("image-converted",),
                image=encoded(kind, mode),
                suffix={"TIFF": ".tif"}.get(kind, f".{kind.lower()}"),
                checks={"image": ".png"},
            ),
        )
    for mode in ("1", "L", "LA", "P", "RGBA", "I;16"):
        yield f"format-png-{mode.lower().replace(';', '')}", Case(image=encoded("PNG", mode))
    yield (
        "format-jpeg-cmyk",
        Case(image=encoded("JPEG", "CMYK"), suffix=".jpg", checks={"image": ".jpg"}),
    )
    frames = [Image.new("L", (WIDTH, HEIGHT), n) for n in range(40)]
    for kind, suffix in (("GIF", ".gif"), ("TIFF", ".tif")):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:])
        yield (
            f"frames-{kind.lower()}",
            Case(notes=("image-frames",), image=out.getvalue(), suffix=suffix),
        )
    for value in (1, 2, 3, 4, 5, 6, 7, 8, 99):
        exif = Image.Exif()
        exif[0x0112] = value
        turned = 5 <= value <= 8
        size = {
            "imageHeight": WIDTH if turned else HEIGHT,
            "imageWidth": HEIGHT if turned else WIDTH,
        }
        notes = (
            ()
            if value in (1, 99)
            else ("image-upright", *(() if turned else ("orientation-unclear",)))
        )
        yield (
            f"exif-{value}",
            Case(
                notes=notes,
                content=size,
                image=encoded("JPEG", exif=exif),
                suffix=".jpg",
                checks={"size": tuple(size.values())},
            ),
        )
    yield (
        "exif-stored",
        Case(
            notes=("image-upright",),
            content={"imageHeight": HEIGHT, "imageWidth": WIDTH},
            image=encoded("JPEG", exif=_exif(6)),
            suffix=".jpg",
            checks={"size": (WIDTH, HEIGHT)},
        ),
    )


def _exif(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def _json() -> Iterator[tuple[str, Case]]:
    """H15, H16: JSON and embedded data."""

    def raw(name: str, body: str, encoding: str = "utf-8") -> bytes:
        return (body.replace("%s", f"{name}.png")).encode(encoding)

    for name, encoding in (
        ("json-bom", "utf-8-sig"),
        ("json-utf16", "utf-16"),
        ("json-utf16le", "utf-16-le"),
        ("json-utf16be", "utf-16-be"),
        ("json-utf32", "utf-32"),
    ):
        yield (
            name,
            Case(
                notes=() if encoding == "utf-8-sig" else ("other-encoding",),
                content=raw(name, PLAIN, encoding),
            ),
        )
    bad = {
        "json-nan": PLAIN.replace("[30,4]", "[NaN,4]"),
        "json-inf": PLAIN.replace("[30,4]", "[Infinity,4]"),
        "json-neginf": PLAIN.replace("[30,4]", "[30,-Infinity]"),
        "json-digits": PLAIN.replace("[30,4]", f"[{'9' * 5000},4]"),
        "json-depth": '{"shapes": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "json-objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
        "json-trailing": PLAIN + "}",
        "json-two": PLAIN + PLAIN,
        "json-cut": PLAIN[:60],
        "json-word": "shapes",
        "json-comma": PLAIN.replace("[4,4],", "[4,4],,"),
        "json-quote": PLAIN.replace('"', "'"),
        "json-control": PLAIN.replace("cat", "c\1t"),
        "json-blank": "   \n",
    }
    for name, body in bad.items():
        yield name, Case("bad-json", ("JSON",), content=raw(name, body))
    yield "json-empty", Case("empty-file", ("0 bytes",), content=b"")
    yield (
        "json-lfs",
        Case(
            "lfs-pointer",
            ("LFS",),
            content=b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        ),
    )
    yield (
        "json-latin1",
        Case(
            "bad-encoding",
            (),
            content=raw("json-latin1", PLAIN.replace('"cat"', '"caf\xe9"'), "latin-1"),
        ),
    )
    yield (
        "json-half-utf16",
        Case(
            {"bad-encoding", "bad-json"}, (), content=raw("json-half-utf16", PLAIN, "utf-16")[:-1]
        ),
    )
    yield "json-png", Case({"bad-encoding", "bad-json"}, (), content=encoded())
    yield (
        "json-twin",
        Case(
            "duplicate-key",
            ("shapes",),
            content=raw("json-twin", PLAIN.replace('"imageData"', '"shapes": [], "imageData"')),
        ),
    )
    yield (
        "json-twin-inner",
        Case(
            "duplicate-key",
            ("label",),
            content=raw(
                "json-twin-inner", PLAIN.replace('"label": "cat"', '"label": "cat", "label": "dog"')
            ),
        ),
    )
    long = base64.b64encode(encoded(size=(200, 200))).decode()
    yield (
        "json-twin-data",
        Case(
            "duplicate-key",
            ("imageData",),
            content=raw(
                "json-twin-data", PLAIN.replace("null}", f'"{long}", "imageData": "{long}"' + "}")
            ),
        ),
    )
    yield (
        "json-1e999",
        Case(
            "bad-shape",
            ("shapes[0].points[1]",),
            content=raw("json-1e999", PLAIN.replace("[30,4]", "[1e999,4]")),
        ),
    )
    for name, body in (
        ("json-null", "null"),
        ("json-list", "[1, 2]"),
        ("json-number", "7"),
        ("json-string", '"shapes"'),
        ("json-other", '{"images": [], "annotations": []}'),
    ):
        yield (
            name,
            Case("other-json", ("no labelme annotation",), content=body.encode(), foreign=True),
        )
    for name, value in (
        ("junk", "not base64!"),
        ("padding", long[:-1]),
        ("non-ascii", "é" * 8),
        ("half-junk", long[:50] + "*" + long[50:]),
    ):
        yield (
            f"data-{name}",
            Case("bad-image-data", ("imageData",), content={"imageData": value}, image=None),
        )
    yield (
        "data-html",
        Case(
            "image-unsupported",
            ("imageData",),
            content={"imageData": base64.b64encode(b"<html>").decode()},
            image=None,
        ),
    )
    yield (
        "data-cut",
        Case(
            "image-damaged",
            (),
            content={"imageData": base64.b64encode(encoded(size=(300, 200))[:300]).decode()},
            image=None,
        ),
    )
    yield (
        "data-bomb",
        Case(
            "image-too-large",
            ("imageData",),
            content={"imageData": base64.b64encode(zeros_png(30_000)).decode()},
            image=None,
        ),
    )
    yield (
        "data-int",
        Case("bad-annotation", ("imageData", "int"), content={"imageData": 7}, image=None),
    )
    yield (
        "data-size",
        Case(
            "size-mismatch",
            ("40x30", "imageData"),
            content={
                "imageData": base64.b64encode(encoded()).decode(),
                "imageHeight": 7,
                "imageWidth": 9,
            },
            image=None,
        ),
    )
    yield "data-good", Case(notes=("image-embedded",), content={"imageData": long}, image=None)
    yield (
        "data-lines",
        Case(
            notes=("image-embedded",),
            content={"imageData": "\n".join(long[n : n + 76] for n in range(0, len(long), 76))},
            image=None,
        ),
    )
    for name, height in (
        ("text", "30"),
        ("negative", -30),
        ("zero", 0),
        ("list", [30]),
        ("true", True),
    ):
        yield (
            f"size-{name}",
            Case(
                {"bad-annotation", "size-mismatch"},
                ("image",),
                content={"imageHeight": height, "imageWidth": WIDTH},
            ),
        )
    yield (
        "size-other",
        Case("size-mismatch", ("40x30", "41x30"), content={"imageHeight": 30, "imageWidth": 41}),
    )
    yield (
        "size-huge",
        Case("size-mismatch", (), content={"imageHeight": 10**400, "imageWidth": WIDTH}),
    )
    yield (
        "size-inf",
        Case(
            {"bad-annotation", "size-mismatch"},
            (),
            content=raw(
                "size-inf", PLAIN.replace("null}", 'null, "imageHeight": 1e999, "imageWidth": 40}')
            ),
        ),
    )


def comb(teeth: int, deep: float = 500.0) -> list[list[float]]:
    """A polygon of 2 * teeth vertices that crosses every row *teeth* times."""
    return [[n * WIDTH / teeth, deep if n % 2 else -deep] for n in range(2 * teeth)]


def _shapes() -> Iterator[tuple[str, Case]]:
    """H17, H18: points and shapes."""
    where = "shapes[0].points"
    for count in (0, 1, 2):
        yield (
            f"points-{count}",
            Case("bad-shape", (where, f"has {count}"), content=points(*TRIANGLE[:count])),
        )
    wrong: dict[str, Any] = {
        "bool": [True, 4],
        "nested": [[1, 2], [3, 4]],
        "text": ["30", "4"],
        "null": None,
        "null-number": [None, 4],
        "three": [1, 2, 3],
        "one": [1],
        "object": {"x": 1, "y": 2},
        "1e308": [1e308, 4],
        "minus-1e308": [30, -1e308],
        "digits": [10**400, 4],
        "number": 4,
    }
    for name, value in wrong.items():
        yield (
            f"points-{name}",
            Case("bad-shape", (f"{where}[1]",), content=points([4, 4], value, [20, 24])),
        )
    yield "points-dict", Case("bad-shape", (where,), content=shapes(shape(points={"0": [1, 2]})))
    yield "points-missing", Case("bad-shape", (where,), content=shapes({"label": "cat"}))
    yield (
        "points-second",
        Case(
            "bad-shape",
            ("shapes[1].points[2]",),
            content=shapes(shape(), shape(points=[[1, 1], [2, 2], ["a", 3]])),
        ),
    )
    yield (
        "points-million",
        Case(
            "shape-too-complex",
            (where, "1000000"),
            content=points(*([n % 40, n % 30] for n in range(1_000_000))),
        ),
    )
    for name, far in (
        ("1e10", 1e10),
        ("2-31", 2**31),
        ("2-63", 2**63),
        ("1e30", 10**30),
        ("1e99", 1e99),
    ):
        code: set[str] | str = {"", "bad-shape"} if far > 1e15 else ""
        yield (
            f"far-{name}",
            Case(code, content=points([4, 4], [far, 4], [20, 24]), checks={"right": 1}),
        )
        yield (
            f"far-left-{name}",
            Case(code, content=points([36, 4], [-far, 4], [20, 24]), checks={"right": 0}),
        )
        yield (
            f"circle-far-{name}",
            Case(code, content=points([20, 15], [far, 15], kind="circle"), checks={"right": 1}),
        )
        yield (
            f"circle-off-{name}",
            Case(code, content=points([far, 15], [far, 20], kind="circle"), checks={"right": 0}),
        )
        yield f"circle-around-{name}", Case(code, content=points([far, 0], [0, 0], kind="circle"))
        yield (
            f"line-far-{name}",
            Case(code, content=points([-far, 15], [far, 15], kind="line"), checks={"right": 1}),
        )
        yield (
            f"strip-far-{name}",
            Case(code, content=points([0, 0], [far, far], [far, -far], kind="linestrip")),
        )
        yield (
            f"rectangle-far-{name}",
            Case(
                code,
                content=points([-far, -far], [far, far], kind="rectangle"),
                checks={"right": 1},
            ),
        )
        yield (
            f"point-far-{name}",
            Case(code, notes=("shape-outside",), content=points([far, far], kind="point")),
        )
        yield (
            f"mask-far-{name}",
            Case(
                {"", "bad-shape"},
                content=shapes(
                    shape(points=[[far, far], [far + 8, far + 8]], kind="mask", mask=bitmap(9, 9))
                ),
            ),
        )
    yield "collinear", Case(notes=("degenerate-shape",), content=points([1, 1], [2, 2], [3, 3]))
    yield "same-point", Case(notes=("degenerate-shape",), content=points([1, 1], [1, 1], [1, 1]))
    yield "bow-tie", Case(content=points([4, 4], [30, 24], [30, 4], [4, 24]))
    yield "outside", Case(notes=("shape-outside",), content=points([400, 4], [430, 4], [420, 24]))
    yield "no-shapes", Case(notes=("no-shapes",), content={"shapes": []})
    yield "circle-1", Case("bad-shape", (where, "circle"), content=points([4, 4], kind="circle"))
    yield "circle-3", Case("bad-shape", (where, "circle"), content=points(*TRIANGLE, kind="circle"))
    yield (
        "circle-1e300",
        Case("bad-shape", (f"{where}[1]",), content=points([4, 4], [1e300, 4], kind="circle")),
    )
    yield (
        "circle-0",
        Case(notes=("degenerate-shape",), content=points([4, 4], [4, 4], kind="circle")),
    )
    yield "line-1", Case("bad-shape", (where, "line"), content=points([4, 4], kind="line"))
    yield (
        "mask-size",
        Case(
            "bad-shape",
            ("shapes[0].mask", "9x9", "21x31"),
            content=shapes(shape(points=[[0, 0], [20, 30]], kind="mask", mask=bitmap(9, 9))),
        ),
    )
    yield (
        "mask-none",
        Case(
            "bad-shape",
            ("shapes[0].mask",),
            content=shapes(shape(points=[[0, 0], [20, 30]], kind="mask")),
        ),
    )
    yield (
        "mask-junk",
        Case(
            "bad-shape",
            ("shapes[0].mask",),
            content=shapes(shape(points=[[0, 0], [20, 30]], kind="mask", mask="?")),
        ),
    )
    yield (
        "mask-html",
        Case(
            "bad-shape",
            ("shapes[0].mask",),
            content=shapes(
                shape(
                    points=[[0, 0], [20, 30]],
                    kind="mask",
                    mask=base64.b64encode(b"<html>").decode(),
                )
            ),
        ),
    )
    yield (
        "mask-rgb",
        Case(
            "bad-shape",
            ("shapes[0].mask",),
            content=shapes(
                shape(
                    points=[[0, 0], [39, 29]],
                    kind="mask",
                    mask=base64.b64encode(encoded()).decode(),
                )
            ),
        ),
    )
    yield (
        "mask-outside",
        Case(content=shapes(shape(points=[[-4, -4], [4, 4]], kind="mask", mask=bitmap(9, 9)))),
    )
    yield (
        "type-unknown",
        Case(
            "unknown-shape-type",
            ("shapes[0].shape_type", "blob"),
            content=shapes(shape(kind="blob")),
        ),
    )
    yield (
        "type-number",
        Case(
            {"unknown-shape-type", "bad-annotation"},
            ("shapes[0].shape_type",),
            content=shapes(shape(kind=7)),
        ),
    )
    yield (
        "type-list",
        Case(
            {"unknown-shape-type", "bad-annotation"},
            ("shapes[0].shape_type",),
            content=shapes(shape(kind=["polygon"])),
        ),
    )
    yield (
        "type-object",
        Case(
            {"unknown-shape-type", "bad-annotation"},
            ("shapes[0].shape_type",),
            content=shapes(shape(kind={"a": 1})),
        ),
    )
    yield "type-missing", Case(content=shapes({"label": "cat", "points": TRIANGLE}))
    yield (
        "group-list",
        Case("bad-annotation", ("shapes[0].group_id",), content=shapes(shape(group_id=[1]))),
    )
    yield "group-text", Case(content=shapes(shape(group_id="a")))
    yield "shapes-object", Case("bad-annotation", ("shapes",), content={"shapes": {"a": 1}})
    yield "shapes-text", Case("bad-annotation", ("shapes",), content={"shapes": "cat"})
    yield "shapes-number", Case("bad-annotation", ("shapes",), content={"shapes": 7})
    for name, value in (("null", None), ("text", "cat"), ("list", [1])):
        yield (
            f"shape-{name}",
            Case("bad-annotation", ("shapes[1]",), content=shapes(shape(), value)),
        )


def _labels() -> Iterator[tuple[str, Case]]:
    """H19: labels."""
    wrong: dict[str, Any] = {
        "empty": "",
        "blank": " \t",
        "newline": "a\nb",
        "nul": "a\0",
        "long": "x" * 10_000,
        "surrogate": "\ud800",
        "number": 7,
        "null": None,
        "true": True,
        "list": ["cat"],
        "separator": "a\u2028b",
        "escape": "\x1b[31mred",
    }
    for name, label in wrong.items():
        yield (
            f"label-{name}",
            Case("bad-label", ("shapes[1].label",), content=shapes(shape(), shape(label))),
        )
    yield (
        "label-missing",
        Case("bad-label", ("shapes[0].label",), content=shapes({"points": TRIANGLE})),
    )
    yield "label-up", Case(content=shapes(shape("../x")))
    yield "label-comma", Case(content=shapes(shape("a,b")))
    yield "label-blanks", Case(content=shapes(shape(" cat ")))
    yield "label-nfd", Case(content=shapes(shape("caf\u0065\u0301")))
    yield "label-nfc", Case(content=shapes(shape("caf\u00e9")))
    yield (
        "label-background",
        Case(content=shapes(shape("Background"), shape("_background_"), shape("background"))),
    )
    yield "label-ignore", Case(content=shapes(shape("__ignore__")))
    yield "label-rtl", Case(content=shapes(shape("\u202ecat")))


def _stems() -> Iterator[tuple[str, Case]]:
    """H20: names of files."""
    wrong: dict[str, str | bytes] = {
        "con": "CON.json",
        "aux": "aux.b.json",
        "dot": "a.jpg..json",
        "blank": "trailing .json",
        "leading-blank": " leading.json",
        "newline": "new\nline.json",
        "bytes": b"\xff\xfe.json",
        "long": "x" * 250 + ".json",
        "long-utf8": "é" * 120 + ".json",
        "escape": "\x1b[2J.json",
        "backslash": "a\\b.json",
        "c1": "a\x9bb.json",
    }
    for name, file in wrong.items():
        yield f"stem-{name}", Case("bad-stem", ("name",), file=file)
    for name, file in (
        ("dash", "-rf.json"),
        ("dots", "a.b.json"),
        ("upper", "UPPER.JSON"),
        ("bracket", "d[1].json"),
        ("percent", "100%.json"),
        ("quote", 'it\'s "so".json'),
        ("chinese", "猫.json"),
    ):
        yield f"stem-{name}", Case(file=file)
    for name, file in (
        ("case-1", "Twin.json"),
        ("case-2", "tWin.json"),
        ("nfc", "caf\u00e9.json"),
        ("nfd", "cafe\u0301.json"),
        ("same-1", "same.json"),
        ("same-2", "same.json"),
    ):
        yield f"stem-{name}", Case("stem-collision", ("together with",), file=file)
    yield (
        "stem-folder.json",
        Case(
            file="inside-a-folder-called-json.json",
            image=None,
            content={
                "imagePath": "stem-folder.json.png",
                "imageData": base64.b64encode(encoded()).decode(),
            },
        ),
    )


def _codes(case: Case) -> set[str]:
    return {case.code} if isinstance(case.code, str) else case.code


CASES = {
    name: case
    for part in (_paths, _links, _images, _json, _shapes, _labels, _stems)
    for name, case in part()
}
BAD = sorted(
    name
    for name, case in CASES.items()
    if case.code and not case.foreign and "" not in {*_codes(case)}
)
GOOD = sorted(name for name, case in CASES.items() if not case.code)
EITHER = sorted(name for name, case in CASES.items() if case.code and "" in _codes(case))
FOREIGN = sorted(name for name, case in CASES.items() if case.foreign)


# ------------------------------------------------------------------------------------------------------------------
# runs


@dataclass
class Run:
    """How a run of the command line ended; *memory* is the most that any of its processes held, in
    bytes.
    """

    code: int
    document: dict[str, Any]
    said: str
    seconds: float
    memory: int


def run(*arguments: str | Path, prefix: tuple[str, ...] = (), timeout: float = 120) -> Run:
    """Run segprep with --json, never longer than *timeout*."""
    started = time.monotonic()
    with subprocess.Popen(
        [*prefix, *SEGPREP, *map(os.fspath, arguments), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            out, said = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            raise
    return Run(
        process.returncode,
        json.loads(out or b"{}"),
        said.decode("utf-8", "replace"),
        time.monotonic() - started,
        0,
    )


def measured(*arguments: str | Path) -> Run:
    """Like run, in a process of its own that tells the peak memory of all below it."""
    program = (
        "import resource, subprocess, sys\ncode ="
        " subprocess.run(sys.argv[1:]).returncode\nprint('PEAK',"
        " resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,"
        " file=sys.stderr)\nsys.exit(code)"
    )
    done = run(*arguments, prefix=(sys.executable, "-c", program))
    done.memory = int(done.said.rsplit("PEAK ", 1)[1])
    return done


@dataclass
class Arena:
    """All cases in one folder, and the runs over it."""

    base: Path
    stopped: Run
    skipped: Run
    after_stop: list[str]

    def entries(self, name: str) -> list[dict[str, str]]:
        """The entries of the skip run about the JSON (or image) in the folder of case *name*."""
        return [
            one
            for one in self.skipped.document["skipped"]
            if Path(one["path"]).is_relative_to(self.base / "src" / name)
        ]

    def records(self) -> dict[str, dict[str, Any]]:
        """Case name -> Record."""
        lines = (self.base / "out" / "records.jsonl").read_bytes().splitlines()
        return {record["source"].split("/")[0]: record for record in map(json.loads, lines)}


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Arena:
    base = tmp_path_factory.mktemp("arena")
    (base / "secret").mkdir()
    Image.new("RGB", (WIDTH, HEIGHT), SECRET).save(base / "secret" / "s.png")
    (base / "secret" / "s.json").write_text(
        json.dumps({"shapes": [shape("secret")], "imagePath": "s.png", "imageData": None})
    )
    for name, case in CASES.items():
        case.lay(base, name)
    stopped = run("json2mask", base / "src", base / "out", "-j", "2")
    after = sorted(path.name for path in (base / "out").iterdir())
    shutil.rmtree(base / "out")
    return Arena(
        base,
        stopped,
        measured("json2mask", base / "src", base / "out", "-j", "2", "--on-error", "skip"),
        after,
    )


def test_stop_lists_everything_at_once_and_publishes_nothing(arena: Arena) -> None:
    assert arena.stopped.code == 1
    assert arena.after_stop == [".segprep-incomplete"]
    assert arena.stopped.document["skipped"] == arena.skipped.document["skipped"]
    assert "Traceback" not in arena.stopped.said
    assert "[bad-input]" in arena.stopped.said
    missing = [
        one
        for one in arena.stopped.document["skipped"]
        if f"[{one['code']}]" not in arena.stopped.said
    ]
    assert not missing


def test_skip_converts_all_the_rest(arena: Arena) -> None:
    assert "Traceback" not in arena.skipped.said
    assert arena.skipped.code == 3
    assert set(GOOD) - set(arena.records()) == set()
    assert set(arena.records()) - set(GOOD) - set(EITHER) == set()
    assert arena.skipped.document["converted"] == len(arena.records())


def test_everything_in_one_folder_stays_within_bounds(arena: Arena) -> None:
    """HAZARDS B1."""
    assert arena.skipped.seconds <= 60
    assert arena.skipped.memory <= 2**30


@pytest.mark.parametrize("name", BAD)
def test_bad(arena: Arena, name: str) -> None:
    case = CASES[name]
    (entry,) = arena.entries(name)
    assert entry["code"] in _codes(case)
    for word in case.words:
        assert word in entry["reason"]
    assert name not in arena.records()


def test_every_refusal_says_what_to_do(arena: Arena) -> None:
    without = {
        f"{one['code']}: {one['reason'][:80]}"
        for one in arena.skipped.document["skipped"]
        if not one["hint"] and one["code"] != "other-json"
    }
    assert not without


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_is_named_and_no_failure(arena: Arena, name: str) -> None:
    (entry,) = arena.entries(name)
    assert entry["code"] == "other-json"
    assert CASES[name].words[0] in entry["reason"]


@pytest.mark.parametrize("name", EITHER)
def test_refused_or_drawn_rightly(arena: Arena, name: str) -> None:
    if entries := arena.entries(name):
        assert [entry["code"] for entry in entries] == ["bad-shape"]
    else:
        test_good(arena, name)


@pytest.mark.parametrize("name", GOOD)
def test_good(arena: Arena, name: str) -> None:
    case, record = CASES[name], arena.records()[name]
    assert not arena.entries(name)
    found = {note["code"] for note in record["notes"]}
    assert set(case.notes) <= found
    with Image.open(arena.base / "out" / record["mask"]) as picture:
        mask = np.asarray(picture)
    with Image.open(arena.base / "out" / record["image"]) as picture:
        picture.load()
        assert mask.shape == picture.size[::-1]
    assert sum(record["pixels"].values()) == mask.size
    if "image" in case.checks:
        assert record["image"].endswith(case.checks["image"])
    if "size" in case.checks:
        assert mask.shape == case.checks["size"]
    if "right" in case.checks:
        assert bool(mask[:, -1].any()) == bool(case.checks["right"])


def test_the_secret_never_arrives(arena: Arena) -> None:
    secret = (arena.base / "secret" / "s.png").read_bytes()
    for path in (path for path in (arena.base / "out").rglob("*") if path.is_file()):
        assert path.read_bytes() != secret
        if path.parent.name == "JPEGImages":
            with Image.open(path) as picture:
                assert not (np.asarray(picture.convert("RGB")) == SECRET).all(axis=2).any()
    assert "secret" not in arena.skipped.document["classes"]
    assert b"root:" not in (arena.base / "out" / "records.jsonl").read_bytes()


HOOKED = """
import os, sys
log = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def hook(event, args):
    if event in ("open", "os.listdir", "os.scandir", "socket.connect", "socket.getaddrinfo", "urllib.Request", "subprocess.Popen"):
        os.write(log, (event + " " + repr(args[0]) + chr(10)).encode("utf-8", "backslashreplace"))
sys.addaudithook(hook)
from segprep_cli.main import main
main()
"""


def test_nothing_outside_is_opened(arena: Arena, tmp_path: Path) -> None:
    """HAZARDS B2, by CPython's own account of what it opens."""
    log = tmp_path / "log"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            HOOKED,
            log,
            "json2mask",
            arena.base / "src",
            tmp_path / "out",
            "-j",
            "1",
            "--on-error",
            "skip",
            "-q",
        ],
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 3
    opened = [line.partition(" ") for line in log.read_text().splitlines()]
    assert not [line for line in opened if line[0] not in ("open", "os.listdir", "os.scandir")]
    _judge({path.strip("'\"") for _, _, path in opened}, arena.base, tmp_path)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_nothing_outside_is_opened_by_the_system(arena: Arena, tmp_path: Path) -> None:
    """HAZARDS B2, by the kernel's account, worker processes included."""
    prefix = (
        "strace",
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-e",
        "trace=open,openat,connect",
        "-o",
        str(tmp_path / "log"),
    )
    done = run(
        "json2mask",
        arena.base / "src",
        tmp_path / "out",
        "-j",
        "2",
        "--on-error",
        "skip",
        prefix=prefix,
    )
    if not (tmp_path / "log").exists() or "ptrace" in done.said:
        pytest.skip("strace may not trace here")
    assert done.code == 3
    lines = [
        line
        for line in (tmp_path / "log").read_text(errors="replace").splitlines()
        if '"' in line and " = -1 " not in line
    ]
    assert not [line for line in lines if "connect(" in line and "AF_UNIX" not in line]
    _judge(
        {line.split('"')[1] for line in lines if "open" in line.split('"')[0]}, arena.base, tmp_path
    )


def _judge(paths: set[str], base: Path, own: Path) -> None:
    """Below the temporary folder only source and output may be opened; of the system none of the
    files that the cases name.
    """
    assert len(paths) > len(GOOD)
    inside = {path for path in paths if path.startswith(str(base.parent))}
    allowed = (str(base / "src"), str(own))
    assert not [path for path in inside if not path.startswith(allowed)]
    assert not paths & {"/etc/passwd", "/etc/hostname", "/proc/self/environ", "/dev/zero"}


# -------------------------------------------------------------------------------------------------------
# cases on their own


def plain(
    folder: Path, stem: str, image: bytes | None = None, suffix: str = ".png", **content: Any
) -> Path:
    """One good sample, or with *content* a special one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}{suffix}").write_bytes(image or encoded())
    made = {"shapes": [shape()], "imagePath": f"{stem}{suffix}", "imageData": None, **content}
    (folder / f"{stem}.json").write_text(json.dumps(made))
    return folder / f"{stem}.json"


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


TIMED = {
    "comb-25k": points(*comb(12_500)),
    "comb-99k": points(*comb(49_500)),
    "comb-99k-low": points(*comb(49_500, 14)),
    "star-30k": points(
        *([20 + 400 * np.cos(n * 2.4), 15 + 400 * np.sin(n * 2.4)] for n in range(30_000))
    ),
    "circle-1e6": points([0, 0], [1e6, 0], kind="circle"),
    "circle-9e5": points([0, 0], [9e5, 0], kind="circle"),
    "circle-1e8": points([0, 0], [1e8, 0], kind="circle"),
    "circle-1e300": points([0, 0], [1e300, 0], kind="circle"),
    "circle-32766": points([0, 0], [32_766, 0], kind="circle"),
    "line-1e10": points([-1e10, -1e10], [1e10, 1e10], kind="line"),
    "line-32767": points([-32_767, -32_767], [32_767, 32_767], kind="line"),
    "strip-99k": points(
        *([(n * 7919) % 32_767, (n * 104_729) % 32_767] for n in range(99_000)), kind="linestrip"
    ),
    "points-99k": points(*([n % 512, n % 511] for n in range(99_000)), kind="points"),
    "shapes-4000": shapes(
        *(shape(points=[[0, 0], [511, 0], [511, 511], [n % 512, 511]]) for n in range(4000))
    ),
    "shapes-4000-circles": shapes(
        *(shape(points=[[256, 256], [256 + n % 300, 256]], kind="circle") for n in range(4000))
    ),
    "shapes-4000-lines": shapes(
        *(shape(points=[[0, n % 512], [32_000, n % 512]], kind="line") for n in range(4000))
    ),
    "combs-400": shapes(*(shape(points=comb(125)) for _ in range(400))),
    "million-points": points(*([n % 512, n % 511] for n in range(1_000_000))),
    "empty-objects": {"flags": [{}] * 1_000_000},
    "labels-20k": shapes(
        *(
            shape(f"label {n % 200}", [[n % 512, 3], [n % 512, 9], [4, n % 512]])
            for n in range(20_000)
        )
    ),
    "gif-100k-frames": {},
    "tiff-100k-pages": {},
}
TIMER = """
import sys, time
from click.testing import CliRunner
from segprep_cli.main import group
for name in sys.argv[2:]:
    started = time.process_time()
    result = CliRunner().invoke(group, ["json2mask", f"{sys.argv[1]}/{name}", f"{sys.argv[1]}/out-{name}", "-j", "1", "--on-error", "skip"])
    print(name, time.process_time() - started, result.exit_code, type(result.exception).__name__, flush=True)
"""


def _gif_of(frames: int) -> bytes:
    one = encoded("GIF", "L", (8, 8))
    start = 13 + 3 * 2 ** ((one[10] & 7) + 1)
    return one[:start] + one[start:-1] * frames + b";"


def _tiff_of(pages: int) -> bytes:
    """Uncompressed 8 x 8 grey pages that share their pixels."""
    entries = (
        (256, 8),
        (257, 8),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 8),
        (279, 64),
    )
    fields = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries
    )
    size = len(fields) + 4
    follow = [72 + size * (n + 1) for n in range(pages - 1)] + [0]
    return (
        struct.pack("<2sHI", b"II", 42, 72)
        + bytes(64)
        + b"".join(fields + struct.pack("<I", offset) for offset in follow)
    )


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[float, int, str]]:
    base = tmp_path_factory.mktemp("timed")
    big = encoded(size=(512, 512))
    for name, content in TIMED.items():
        if "frames" in name or "pages" in name:
            plain(
                base / name,
                name,
                *((_gif_of(100_000), ".gif") if "gif" in name else (_tiff_of(100_000), ".tif")),
            )
        else:
            plain(base / name, name, big, **content)
        plain(base / name, "good")
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", TIMER, str(base), *TIMED], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = process.communicate(timeout=110)[0].splitlines()
        except subprocess.TimeoutExpired:
            process.kill()
            lines = process.communicate()[0].splitlines()
    return {
        name: (float(seconds), int(code), error)
        for name, seconds, code, error in map(str.split, lines)
    }


@pytest.mark.parametrize("name", TIMED)
def test_no_file_takes_longer_than_five_seconds(
    timed: dict[str, tuple[float, int, str]], name: str
) -> None:
    """HAZARDS B4."""
    assert name in timed, "this one, or the one before it, never ended"
    seconds, code, error = timed[name]
    assert seconds <= 5
    assert code in (0, 3)
    assert error in ("NoneType", "SystemExit")


@pytest.mark.parametrize(("image", "side", "count"), [(0, 13_000, 20), (5_000, 5_000, 60)])
def test_mask_shapes_may_be_no_bomb(tmp_path: Path, image: int, side: int, count: int) -> None:
    """Embedded masks, a few KB each in the JSON: larger than the image (169 MB each as pixels), or
    many as large as it (25 MB each).
    """
    mask = base64.b64encode(zeros_png(side)).decode()
    listed = [shape(points=[[0, 0], [side - 1, side - 1]], kind="mask", mask=mask)] * count
    plain(tmp_path / "src", "bomb", zeros_png(image) if image else None, shapes=listed)
    plain(tmp_path / "src", "good")
    done = measured(
        "json2mask", tmp_path / "src", tmp_path / "out", "-j", "1", "--on-error", "skip"
    )
    assert done.code in (0, 3)
    assert done.memory <= 2**30
    assert done.seconds <= 60  # a hang, not a speed


@pytest.mark.parametrize(("limit", "code"), [("1199", 1), ("1200", 0)])
def test_max_pixels_both_ways(tmp_path: Path, limit: str, code: int) -> None:
    plain(tmp_path / "src", "a")
    done = run("json2mask", tmp_path / "src", tmp_path / "out", "--max-pixels", limit)
    assert done.code == code
    if code:
        (entry,) = done.document["skipped"]
        assert entry["code"] == "image-too-large"
        assert "40x30" in entry["reason"]
        assert "--max-pixels" in entry["hint"]


def test_max_pixels_lets_a_large_image_through(tmp_path: Path) -> None:
    """Above Pillow's own limit for warnings."""
    plain(tmp_path / "src", "a", zeros_png(13_400))
    assert run("json2mask", tmp_path / "src", tmp_path / "no").code == 1
    done = run("json2mask", tmp_path / "src", tmp_path / "out", "--max-pixels", "180000000")
    assert done.code == 0
    assert json.loads((tmp_path / "out" / "records.jsonl").read_bytes())["width"] == 13_400


def test_image_root_allows_what_is_outside(tmp_path: Path) -> None:
    plain(tmp_path / "src", "a", imagePath="../pictures/a.jpg")
    (tmp_path / "src" / "a.png").unlink()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(encoded("JPEG"))
    refused = run("json2mask", tmp_path / "src", tmp_path / "out")
    assert refused.code == 1
    assert "--image-root" in refused.document["skipped"][0]["hint"]
    assert (
        run(
            "json2mask", tmp_path / "src", tmp_path / "out2", "--image-root", tmp_path / "pictures"
        ).code
        == 0
    )
    assert (tmp_path / "out2" / "JPEGImages" / "a.jpg").read_bytes() == encoded("JPEG")


def test_image_root_allows_no_more_than_itself(tmp_path: Path) -> None:
    plain(tmp_path / "src", "a", imagePath="../secret/s.png")
    (tmp_path / "src" / "a.png").unlink()
    for name in ("pictures", "pictures-not", "secret"):
        (tmp_path / name).mkdir()
    (tmp_path / "secret" / "s.png").write_bytes(encoded())
    (tmp_path / "pictures-not" / "s.png").write_bytes(encoded())
    (tmp_path / "pictures" / "s.png").symlink_to(tmp_path / "pictures-not" / "s.png")
    done = run(
        "json2mask", tmp_path / "src", tmp_path / "out", "--image-root", tmp_path / "pictures"
    )
    assert done.code == 1
    assert done.document["skipped"][0]["code"] == "link-outside-root"


def test_a_linked_folder_is_named(tmp_path: Path) -> None:
    """A link to a folder is not entered (H2); to say nothing would lose its samples silently."""
    plain(tmp_path / "src", "a")
    plain(tmp_path / "elsewhere", "b")
    (tmp_path / "src" / "part2").symlink_to(tmp_path / "elsewhere")
    done = run("json2mask", tmp_path / "src", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / "JPEGImages").iterdir()] == ["a.png"]
    assert "part2" in done.said or "part2" in json.dumps(done.document)


@pytest.mark.parametrize(
    "name",
    [
        "JPEGImages",
        "SegmentationClass",
        "ImageSets",
        ".segprep-incomplete",
        "segprep.json",
        "records.jsonl",
    ],
)
@pytest.mark.parametrize("extra", [(), ("--overwrite",)])
def test_links_in_the_output_are_refused(tmp_path: Path, name: str, extra: tuple[str, ...]) -> None:
    """H3."""
    plain(tmp_path / "src", "a")
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "a.png").write_bytes(b"mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to(tmp_path / "victim")
    done = run("json2mask", tmp_path / "src", tmp_path / "out", *extra)
    assert done.code == 1
    assert "[link-in-output]" in done.said or "[tree-exists]" in done.said
    assert tree(tmp_path / "victim") == {"a.png": b"mine"}


@pytest.mark.parametrize(
    "name",
    [
        "class_names.txt",
        "labelmap.txt",
        ".class_names.txt.part",
        ".segprep.json.part",
        ".segprep.lock",
        "JPEGImages/a.png",
        "SegmentationClass/a.png",
        "JPEGImages/.a.png.part",
    ],
)
def test_links_at_single_files_are_never_followed(tmp_path: Path, name: str) -> None:
    """H3: refused or replaced, but what they point to stays."""
    plain(tmp_path / "src", "a")
    (tmp_path / "victim").write_bytes(b"mine")
    link = tmp_path / "out" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "victim")
    done = run("json2mask", tmp_path / "src", tmp_path / "out", "--overwrite")
    assert "Traceback" not in done.said
    assert (tmp_path / "victim").read_bytes() == b"mine"


def test_links_inside_the_staging_folder_are_never_followed(tmp_path: Path) -> None:
    plain(tmp_path / "src", "a")
    (tmp_path / "victim").mkdir()
    (tmp_path / "out" / ".segprep-incomplete").mkdir(parents=True)
    (tmp_path / "out" / ".segprep-incomplete" / "JPEGImages").symlink_to(tmp_path / "victim")
    (tmp_path / "victim" / "a.png").write_bytes(b"mine")
    run("json2mask", tmp_path / "src", tmp_path / "out")
    assert tree(tmp_path / "victim") == {"a.png": b"mine"}


def _overlaps(base: Path) -> dict[str, tuple[Path, Path]]:
    source = base / "src"
    (base / "link").symlink_to(source)
    (base / "holder").symlink_to(base)
    return {
        "same": (source, source),
        "out-in-source": (source, source / "out"),
        "out-deep-in-source": (source, source / "a" / "b" / "out"),
        "source-in-out": (source, base),
        "same-by-link": (source, base / "link"),
        "out-in-source-by-link": (source, base / "link" / "out"),
        "source-in-out-by-link": (source, base / "holder"),
        "source-is-link": (base / "link", source / "out"),
        "by-dots": (source, base / "x" / ".." / "src"),
        "by-dots-below": (source, source / "x" / ".." / "y"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "same",
        "out-in-source",
        "out-deep-in-source",
        "source-in-out",
        "same-by-link",
        "out-in-source-by-link",
        "source-in-out-by-link",
        "source-is-link",
        "by-dots",
        "by-dots-below",
    ],
)
@pytest.mark.parametrize("extra", [(), ("--overwrite",)])
def test_source_and_output_may_not_overlap(
    tmp_path: Path, name: str, extra: tuple[str, ...]
) -> None:
    """H4."""
    plain(tmp_path / "src", "a")
    source, out = _overlaps(tmp_path)[name]
    before = tree(tmp_path)
    done = run("json2mask", source, out, *extra)
    assert done.code == 2
    assert "[output-overlaps-source]" in done.said
    assert tree(tmp_path) == before


def test_image_root_and_output_may_not_overlap(tmp_path: Path) -> None:
    """H4: else --overwrite takes away the only copy of the images."""
    plain(tmp_path / "src", "a")
    (tmp_path / "src" / "a.png").unlink()
    (tmp_path / "out" / "JPEGImages").mkdir(parents=True)
    for stem in ("a", "only-copy"):
        (tmp_path / "out" / "JPEGImages" / f"{stem}.png").write_bytes(encoded())
    before = tree(tmp_path / "out")
    done = run(
        "json2mask",
        tmp_path / "src",
        tmp_path / "out",
        "--image-root",
        tmp_path / "out",
        "--overwrite",
    )
    assert tree(tmp_path / "out") == before
    assert done.code == 2


def test_hard_links_are_unharmed(tmp_path: Path) -> None:
    """H5: neither the source's images nor those of another dataset that shares them."""
    plain(tmp_path / "src", "a")
    before = tree(tmp_path / "src")
    assert run("json2mask", tmp_path / "src", tmp_path / "out").code == 0
    assert (tmp_path / "out" / "JPEGImages" / "a.png").stat().st_nlink == 1
    (tmp_path / "shared").mkdir()
    for name in ("JPEGImages/a.png", "SegmentationClass/a.png", "segprep.json", "class_names.txt"):
        os.link(tmp_path / "out" / name, tmp_path / "shared" / Path(name).name)
        (tmp_path / "shared" / Path(name).name).rename(tmp_path / "shared" / name.replace("/", "-"))
    shared = tree(tmp_path / "shared")
    plain(tmp_path / "src", "a", encoded("PNG", "L"), shapes=[shape("dog")])
    assert run("json2mask", tmp_path / "src", tmp_path / "out").code == 0
    assert tree(tmp_path / "shared") == shared
    assert before != tree(tmp_path / "src")


def test_labels_that_look_alike_are_noted(tmp_path: Path) -> None:
    """H19."""
    for n, label in enumerate(
        ["cat", "Cat ", "c\u200bat", "café", "cafe\u0301", "d\u202eog", "dog"]
    ):
        plain(tmp_path / "src", f"s{n}", shapes=[shape(label)])
    done = run("json2mask", tmp_path / "src", tmp_path / "out")
    assert done.code == 0
    assert done.document["classes"].count("café") == 1
    variants = [
        note["message"] for note in done.document["notes"] if note["code"] == "label-variant"
    ]
    assert len(variants) == 3
    assert not any(sign in done.said for sign in "\u200b\u202e")


def test_more_than_255_classes_are_refused(tmp_path: Path) -> None:
    """H12."""
    plain(tmp_path / "src", "a", shapes=[shape(f"c{n}") for n in range(255)])
    done = run("json2mask", tmp_path / "src", tmp_path / "out")
    assert done.code == 1
    assert "[too-many-classes]" in done.said
    assert not (tmp_path / "out" / "segprep.json").exists()
    plain(tmp_path / "src", "a", shapes=[shape(f"c{n}") for n in range(254)])
    assert run("json2mask", tmp_path / "src", tmp_path / "out").code == 0


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """H15: 256 MB and one byte, sparse."""
    plain(tmp_path / "src", "good")
    with open(tmp_path / "src" / "big.json", "wb") as file:
        file.truncate(256 * 1024 * 1024 + 1)
    done = measured("json2mask", tmp_path / "src", tmp_path / "out", "--on-error", "skip")
    assert done.code == 3
    (entry,) = done.document["skipped"]
    assert entry["code"] == "file-too-large"
    assert done.memory < 200 * 2**20


def test_a_source_whose_name_is_no_text(tmp_path: Path) -> None:
    """H20: the folder itself has bytes that are no UTF-8."""
    source = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), b"src\xff")))
    plain(source, "a")
    done = run("json2mask", source, tmp_path / "out")
    assert "Traceback" not in done.said
    assert done.code == 0
    assert run("json2mask", source, tmp_path / "out").document["written"] is False


def test_unreadable_files_and_folders(tmp_path: Path) -> None:
    """H28; as root everything can be read, so this drops its rights first."""
    plain(tmp_path / "src", "a")
    plain(tmp_path / "src", "locked").chmod(0)
    plain(tmp_path / "src" / "sub", "b")
    (tmp_path / "src" / "sub").chmod(0)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if os.access(folder, os.W_OK):
            folder.chmod(folder.stat().st_mode | 0o055)
    (tmp_path / "mine").mkdir(mode=0o777)
    (tmp_path / "mine").chmod(0o777)
    prefix = (
        ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
    )
    if prefix and shutil.which("setpriv") is None:
        pytest.skip("running as root, and there is no setpriv")
    done = run(
        "json2mask",
        tmp_path / "src",
        tmp_path / "mine" / "out",
        "--on-error",
        "skip",
        prefix=prefix,
    )
    (tmp_path / "src" / "sub").chmod(0o755)
    if "No module named" in done.said or (
        "Permission denied" in done.said and "segprep" not in done.said
    ):
        pytest.skip("the environment cannot be read without root's rights")
    assert "Traceback" not in done.said
    assert "[unreadable]" in done.said
    assert "sub" in done.said or "locked" in done.said


def test_memory_is_bounded_by_the_system_too(tmp_path: Path) -> None:
    """A MemoryError is a refusal of that file with a hint, not a crash: 100 Mpx under 700 MB of
    address space.
    """
    plain(tmp_path / "src", "a", zeros_png(10_000))
    plain(tmp_path / "src", "good")
    limit = (
        "import resource,sys,os; resource.setrlimit(resource.RLIMIT_AS, (700 << 20,) * 2);"
        " os.execv(sys.argv[1], sys.argv[1:])"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-c",
        limit,
        *SEGPREP,
        "json2mask",
        str(tmp_path / "src"),
        str(tmp_path / "out"),
        "-j",
        "1",
        "--on-error",
        "skip",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 3)
