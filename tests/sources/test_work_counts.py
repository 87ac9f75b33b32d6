"""How often each format opens a file and decodes a picture: once, while its sample is made."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import ImageFile

from segprep import sources
from segprep.conversion.sample_files import SampleTask
from segprep.imaging import png


@dataclass
class Work:
    """Files opened for reading, by name and inode, and decoded pictures, by content."""

    opened: Counter[tuple[str, int]] = field(default_factory=Counter)
    decoded: Counter[str] = field(default_factory=Counter)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    counted = Work()
    opened, load, decode = os.open, ImageFile.ImageFile.load, png.decode

    def counting_open(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        handle = opened(path, flags, *rest, **more)
        state = os.fstat(handle)
        if stat.S_ISREG(state.st_mode) and not flags & (os.O_WRONLY | os.O_RDWR):
            counted.opened[os.path.basename(os.fsdecode(path)), state.st_ino] += 1
        return handle

    def counting_load(picture: ImageFile.ImageFile) -> Any:
        if picture.tile and picture.fp:
            at = picture.fp.tell()
            picture.fp.seek(0)
            counted.decoded[hashlib.sha256(picture.fp.read()).hexdigest()] += 1
            picture.fp.seek(at)
        return load(picture)

    def counting_decode(data: bytes, limit: int) -> Any:
        values = decode(data, limit)
        if values is not None:
            counted.decoded[hashlib.sha256(data).hexdigest()] += 1
        return values

    monkeypatch.setattr(os, "open", counting_open)
    monkeypatch.setattr(ImageFile.ImageFile, "load", counting_load)
    monkeypatch.setattr(png, "decode", counting_decode)
    return counted


# Pillow decodes a GIF to learn whether it has a second frame; the picture of these fundus sets is
# decoded for its lit part and again where it becomes a PNG
DECODED_TWICE = {"drive", "stare"}
OPENED_TWICE = {"bitmasks"}


@pytest.mark.parametrize("name", sources.names())
def test_a_sample_takes_each_file_and_picture_once(
    name: str, tmp_path: Path, sibling: Callable[[str], ModuleType], work: Work
) -> None:
    reader = sibling(name).example(tmp_path)
    task = SampleTask(reader, reader.root.resolve(), tmp_path / "out", "keep", "palette", False)
    for item in reader.scan().items:
        work.opened.clear()
        work.decoded.clear()
        task(item)
        assert max(work.opened.values(), default=0) <= 1 + (name in OPENED_TWICE)
        assert max(work.decoded.values(), default=0) <= 1 + (name in DECODED_TWICE)
