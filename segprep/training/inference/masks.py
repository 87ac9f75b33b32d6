"""One run of predictions: images to probabilities at their own size, to masks, to files.

One bad file among good ones is skipped.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segprep.errors import SegprepError, SourceError
from segprep.names import csv_cell
from segprep.training.data import pairs
from segprep.training.inference import inputs, overlays, tiles
from segprep.training.inference.field_of_view import FieldOfView
from segprep.training.inference.inputs import Input
from segprep.training.inference.output_folder import Results
from segprep.training.inference.overlays import Mode, Style
from segprep.training.inference.test_time_augmentation import Average, averaged
from segprep.training.inference.tiles import Net
from segprep.training.inference.video import Projector
from segprep.training.logits import resized
from segprep.types import Note, Progress, Skipped

FILMED = ("color", "blend", "cutout")  # modes of which a video becomes a video
TOGETHER = 48_000_000  # values (of three channels) of images that are in memory at once


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """How images become masks."""

    net: Net
    tile: int | None
    average: Average
    threshold: float | None
    style: Style
    batch: int
    count: bool
    view: FieldOfView | None = None

    def parts(self, images: Sequence[NDArray[Any]]) -> list[Tensor]:
        """Probabilities (C, h, w) of *images* (H, W, 3) at the scale of the net's view."""
        worked = [pairs.at_scale(image, self.net.view) for image in images]
        predict = partial(tiles.probabilities, self.net, tile=self.tile, batch=self.batch)
        return averaged(predict, worked, self.average)

    def masked(self, part: Tensor, image: NDArray[Any]) -> tuple[NDArray[np.uint8], Tensor]:
        """The class ids (H, W) of *image*, of which *part* are the probabilities; and these at the
        image's own size, (C, H, W).
        """
        probabilities = resized(part, image.shape[:2])
        return overlays.decided(probabilities, self.threshold), probabilities


@dataclass(eq=False)
class PredictionRun:
    """One run: what it has done so far."""

    options: Options
    folder: Results
    skipped: list[Skipped]
    notes: list[Note]
    files: list[str] = field(default_factory=list)
    pixels: dict[int, int] = field(default_factory=dict)
    counts: list[tuple[str, Mapping[int, int]]] = field(default_factory=list)
    projectors: dict[Mode, Projector] = field(default_factory=dict)
    done: int = 0
    cut: bool = False

    def images(self, items: Sequence[Input], progress: Progress[Any]) -> None:
        """Predict each of *items*; those that cannot be read are skipped."""
        batch: list[tuple[Input, NDArray[Any]]] = []
        for item in progress(items, len(items), "predicting"):
            try:
                batch.append((item, item.pixels()))
            except SourceError as error:
                self._unreadable(item, error)
            if len(batch) >= self.options.batch or sum(image.size for _, image in batch) > TOGETHER:
                self._predict(batch)
                batch = []
        self._predict(batch)

    def _parts(self, images: Sequence[NDArray[Any]]) -> list[Tensor]:
        """Their probabilities; a note where those of tiles may not be those of whole images."""
        net, tile = self.options.net, self.options.tile
        sizes = [net.view.worked(*image.shape[:2]) for image in images]
        if not self.cut and any(tiles.shortened(net, size, tile) for size in sizes):
            self.cut = True
            reason = "tiles do not hold all that the network looks at: labels may not be those of"
            hint = "give a larger --tile; an ONNX file takes it at --export-onnx"
            self.notes.append(Note("tiles-differ", f"{reason} the whole image; {hint}"))
        return self.options.parts(images)

    def _predict(self, batch: Sequence[tuple[Input, NDArray[Any]]]) -> None:
        """Predict and write; what does not fit the memory together is tried one by one, what does
        not fit alone is skipped.
        """
        try:
            parts = self._parts([image for _, image in batch])
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            if len(batch) > 1:
                for single in batch:
                    self._predict([single])
            else:
                self._too_large(*batch[0])
            return
        for (item, image), part in zip(batch, parts, strict=True):
            try:
                mask, files = self._outputs(item.stem, image, part)
            except SourceError as error:
                self._unreadable(item, error)
                continue
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                self._too_large(item, image)
                continue
            self._finish(item.stem, mask, files)

    def _unreadable(self, item: Input, error: SourceError) -> None:
        where = str(error.path)
        self.skipped.append(Skipped(item.stem, where, error.code, error.reason, error.hint))

    def _too_large(self, item: Input, image: NDArray[Any]) -> None:
        reason = f"{image.shape[1]}x{image.shape[0]} pixels do not fit the memory"
        where, hint = str(item.path), "use a smaller --tile, or cut the image"
        self.skipped.append(Skipped(item.stem, where, "out-of-memory", reason, hint))

    def _outputs(
        self, stem: str, image: NDArray[Any], part: Tensor
    ) -> tuple[NDArray[np.uint8], dict[str, bytes]]:
        """The mask of *image*, and the files to write: name -> content."""
        mask, probabilities = self.options.masked(part, image)
        if self.options.view is not None:
            outside = self.options.view.outside(stem, mask.shape)
            mask = np.where(outside, np.uint8(self.options.style.background or 0), mask)
        modes = [mode for mode in self.folder.modes if mode not in self.projectors]
        encoded = partial(overlays.encoded, style=self.options.style)
        return mask, {
            self.folder.name(stem, mode): encoded(mode, image, mask, probabilities)
            for mode in modes
        }

    def _finish(self, stem: str, mask: NDArray[np.uint8], files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            self.folder.write(name, content)
            self.files.append(name)
        seen = overlays.counted(mask, self.pixels)
        if self.options.count:
            self.counts.append((stem, seen))
        self.done += 1

    def video(self, path: Path, film: inputs.Film, progress: Progress[Any]) -> None:
        """Predict every frame of *path*: pictures become a video, ids and probabilities a file per
        frame in a folder named as the video.
        """
        with ExitStack() as stack:
            for mode in self.folder.modes:
                if mode in FILMED:
                    name = self.folder.name(path.stem, mode, ".mp4")
                    self.folder.prepare(self.folder.out / name)
                    blank = np.zeros((film.height, film.width, 3), np.uint8)
                    shown = overlays.picture(mode, blank, blank[..., 0], self.options.style)
                    self.projectors[mode] = stack.enter_context(
                        Projector(self.folder.out / name, replace(film, height=len(shown)))
                    )
                    self.files.append(name)
            for group in _groups(
                progress(inputs.frames(path), film.count, "predicting frames"), self.options.batch
            ):
                try:
                    parts = self._parts(group)
                except (MemoryError, RuntimeError) as error:
                    if not out_of_memory(error):
                        raise
                    reason = (
                        f"{path}: {len(group)} frames of {film.width}x{film.height} pixels do not"
                        " fit the memory"
                    )
                    raise SegprepError(
                        "out-of-memory", reason, "use --batch 1, or a smaller --tile"
                    ) from error
                for frame, part in zip(group, parts, strict=True):
                    stem = f"{path.stem}/{self.done:06d}"
                    mask, files = self._outputs(stem, frame, part)
                    for mode, projector in self.projectors.items():
                        projector.write(overlays.picture(mode, frame, mask, self.options.style))
                    self._finish(stem, mask, files)
        if self.done < film.count:
            reason = f"{path} says it has {film.count} frames; {self.done} could be read"
            self.notes.append(Note("video-short", reason))

    def table(self) -> bytes:
        """pixels.csv: a row per image, a column per class."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["stem", *map(csv_cell, self.options.net.classes)])
        writer.writerows(
            [csv_cell(stem), *(seen.get(n, 0) for n in range(len(self.options.net.classes)))]
            for stem, seen in self.counts
        )
        return out.getvalue().encode("utf-8", "backslashreplace")


def _groups(elements: Iterable[Any], size: int) -> Iterator[list[Any]]:
    waiting = iter(elements)
    while group := list(islice(waiting, size)):
        yield group


def out_of_memory(error: BaseException) -> bool:
    """Whether *error* means that memory ran out; PyTorch says so of the CPU in words only."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(
        error
    )
