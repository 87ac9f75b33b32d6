"""One run of predictions: images to probabilities at their own size, to masks, to files. One bad file among good ones is skipped."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import SourceError
from ..types import Note, Progress, Skipped
from . import data, inputs, renderings, tiling
from .averaging import Average, averaged
from .films import Projector
from .inputs import Input
from .renderings import Mode
from .results import Results
from .tiling import Net

FILMED = ("colour", "blend", "cutout")  # modes of which a video becomes a video


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """How images become masks."""

    net: Net
    tile: int
    average: Average
    threshold: float | None
    background: int | None
    batch: int
    count: bool

    def found(self, images: Sequence[NDArray[Any]]) -> list[Tensor]:
        """Probabilities (C, H, W) of each of *images* (H, W, 3) at its own size: the letterbox goes first, then they are scaled."""
        worked = [_worked(image, self.net.view) for image in images]
        parts = averaged(partial(_ordered, self.net, self.tile, self.batch), worked, self.average)
        return [renderings.resized(part, image.shape[:2]) for part, image in zip(parts, images, strict=True)]


def _ordered(net: Net, tile: int, batch: int, images: Sequence[NDArray[Any]]) -> list[Tensor]:
    return tiling.probabilities(net, images, tile, batch)


def _worked(image: NDArray[Any], view: data.View) -> NDArray[Any]:
    """*image* at the scale of *view*."""
    size = image.shape[0], image.shape[1]
    return data.scaled(data.Pair("", image, np.broadcast_to(np.uint8(0), size), size), view).image


@dataclass(eq=False)
class Run:
    """One run: what it has done so far."""

    options: Options
    folder: Results
    skipped: list[Skipped]
    notes: list[Note]
    files: list[str] = field(default_factory=list)
    pixels: dict[int, int] = field(default_factory=dict)
    counts: list[tuple[str, Mapping[int, int]]] = field(default_factory=list)
    done: int = 0

    def images(self, given: Sequence[Input], progress: Progress[Any]) -> None:
        """Predict each of *given*; those that cannot be read are skipped."""
        for group in _groups(progress(given, len(given), "predicting"), self.options.batch):
            read = []
            for one in group:
                try:
                    read.append((one, one.pixels()))
                except SourceError as error:
                    self.skipped.append(Skipped(one.stem, str(error.path), error.code, error.reason, error.hint))
            self._predict(read)

    def _predict(self, read: Sequence[tuple[Input, NDArray[Any]]]) -> None:
        """Predict and write; what does not fit the memory together is tried one by one, what does not fit alone is skipped."""
        try:
            found = self.options.found([image for _, image in read])
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            if len(read) > 1:
                for single in read:
                    self._predict([single])
                return
            lone, image = read[0]
            reason = f"{image.shape[1]}x{image.shape[0]} pixels do not fit the memory"
            self.skipped.append(Skipped(lone.stem, str(lone.path), "out-of-memory", reason, "use a smaller --tile, or cut the image"))
            return
        for (one, image), part in zip(read, found, strict=True):
            mask = self._mask(one.stem, part)
            for mode in self.folder.modes:
                self._write(self.folder.name(one.stem, mode), mode, image, mask, part)

    def _mask(self, stem: str, found: Tensor) -> NDArray[np.uint8]:
        mask = renderings.decided(found, self.options.threshold)
        seen = renderings.counted(mask, self.pixels)
        if self.options.count:
            self.counts.append((stem, seen))
        self.done += 1
        return mask

    def _write(self, name: str, mode: Mode, image: NDArray[Any], mask: NDArray[np.uint8], found: Tensor) -> None:
        self.folder.write(name, renderings.encoded(mode, image, mask, found, self.options.background))
        self.files.append(name)

    def video(self, path: Path, film: inputs.Film, progress: Progress[Any]) -> None:
        """Predict every frame of *path*: pictures become a video, ids and probabilities a file per frame in a folder named as the video."""
        with ExitStack() as stack:
            projectors = {}
            for mode in self.folder.modes:
                if mode in FILMED:
                    name = self.folder.name(path.stem, mode, ".mp4")
                    self.folder.prepare(self.folder.out / name)
                    projectors[mode] = stack.enter_context(Projector(self.folder.out / name, film))
                    self.files.append(name)
            for group in _groups(progress(inputs.frames(path), film.count, "predicting frames"), self.options.batch):
                for frame, found in zip(group, self.options.found(group), strict=True):
                    stem = f"{path.stem}/{self.done:06d}"
                    mask = self._mask(stem, found)
                    for mode in self.folder.modes:
                        if mode in projectors:
                            projectors[mode].write(renderings.picture(mode, frame, mask, self.options.background))
                        else:
                            self._write(self.folder.name(stem, mode), mode, frame, mask, found)
        if self.done < film.count:
            self.notes.append(Note("video-short", f"{path} says it has {film.count} frames; {self.done} could be read"))

    def table(self) -> bytes:
        """pixels.csv: a row per image, a column per class."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["stem", *self.options.net.classes])
        writer.writerows([stem, *(seen.get(n, 0) for n in range(len(self.options.net.classes)))] for stem, seen in self.counts)
        return out.getvalue().encode("utf-8", "backslashreplace")


def _groups(elements: Iterable[Any], size: int) -> Iterator[list[Any]]:
    waiting = iter(elements)
    while group := list(islice(waiting, size)):
        yield group


def out_of_memory(error: BaseException) -> bool:
    """Whether *error* means that memory ran out; PyTorch says so of the CPU in words only."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)
