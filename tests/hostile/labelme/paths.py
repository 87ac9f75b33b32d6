"""Paths, links, pipes and sockets where an annotation or its image is expected."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from hostile.cases import OUTSIDE, Case
from hostile.makers import shape


def paths() -> Iterator[tuple[str, Case]]:
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
        Case("image-missing", ("no image",), content={"imagePath": 7}, image=None),
    )
    yield (
        "path-list",
        Case("image-missing", ("no image",), content={"imagePath": ["s.png"]}, image=None),
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


def links() -> Iterator[tuple[str, Case]]:
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
