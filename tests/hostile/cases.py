"""One hostile labelme input: what lies on disk, and how it must end."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hostile.makers import encoded, shape


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
