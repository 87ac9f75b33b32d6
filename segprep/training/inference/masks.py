"""One run of predictions, of images or of the frames of a video, and what it adds up to."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from segprep import engine
from segprep.errors import SegprepError
from segprep.imaging import video
from segprep.imaging.video import Film, Projector
from segprep.names import csv_cell
from segprep.training.devices import out_of_memory
from segprep.training.inference import overlays
from segprep.training.inference.output_folder import Results
from segprep.training.inference.overlays import Mode
from segprep.training.inference.predictor import (
    Group,
    Options,
    Predicted,
    PredictedGroup,
    Predictor,
)
from segprep.types import Note, Progress, Skipped

FILMED = ("color", "blend", "cutout")  # modes of which a video becomes a video
WORTH = 2  # batches that a worker process is started for


@dataclass(eq=False)
class PredictionRun:
    """One run: what it has done so far."""

    options: Options
    folder: Results
    skipped: list[Skipped]
    notes: list[Note]
    files: list[str] = field(default_factory=list)
    pixels: Counter[int] = field(default_factory=Counter)
    counts: list[tuple[str, Mapping[int, int]]] = field(default_factory=list)
    done: int = 0
    cut: bool = False

    def images(
        self,
        task: Callable[[Group], PredictedGroup],
        items: Group,
        jobs: int,
        progress: Progress[Any],
    ) -> None:
        """Predict each of *items* by *task*, a batch at a time, with *jobs* processes."""
        size = self.options.batch
        groups = [tuple(items[n : n + size]) for n in range(0, len(items), size)]
        for _ in progress(self._taken(task, groups, jobs), len(items), "predicting"):
            pass

    def _taken(
        self, task: Callable[[Group], PredictedGroup], groups: Sequence[Group], jobs: int
    ) -> Iterator[Predicted]:
        """What *task* makes of *groups*, image by image; a group that was lost is tried again image
        by image.
        """
        results = engine.run(task, groups, jobs=jobs, chunk=1, worth=WORTH)
        for group, result in zip(groups, results, strict=True):
            if not isinstance(result, engine.Failure):
                self._warn(result.cut)
                images = result.images
            elif len(group) > 1:
                yield from self._taken(task, [(item,) for item in group], jobs)
                continue
            else:
                where = str(group[0].path)
                lost = Skipped(group[0].stem, where, result.code, result.reason, result.hint)
                images = (Predicted(group[0].stem, skipped=lost),)
            for image in images:
                self.add(image)
                yield image

    def add(self, image: Predicted) -> None:
        """Count what became of *image*."""
        if image.skipped is not None:
            self.skipped.append(image.skipped)
            return
        self.files += image.files
        self.pixels.update(image.pixels)
        if self.options.count:
            self.counts.append((image.stem, image.pixels))
        self.done += 1

    def _warn(self, cut: bool) -> None:
        if cut and not self.cut:
            self.cut = True
            reason = "tiles do not hold all that the model looks at: labels may not be those of"
            hint = "give a larger --tile; an ONNX file takes it at --export-onnx"
            self.notes.append(Note("tiles-differ", f"{reason} the whole image; {hint}"))

    def video(self, path: Path, film: Film, progress: Progress[Any]) -> None:
        """Predict every frame of *path*: pictures become a video, ids and probabilities a file per
        frame in a folder named as the video.
        """
        projectors = dict[Mode, Projector]()
        with ExitStack() as stack:
            for mode in self.folder.modes:
                if mode in FILMED:
                    name = self.folder.name(path.stem, mode, ".mp4")
                    self.folder.prepare(self.folder.out / name)
                    blank = np.zeros((film.height, film.width, 3), np.uint8)
                    shown = overlays.picture(mode, blank, blank[..., 0], self.options.style)
                    projectors[mode] = stack.enter_context(
                        Projector(self.folder.out / name, replace(film, height=len(shown)))
                    )
                    self.files.append(name)
            predictor = Predictor(self.options, self.folder, frozenset(projectors))
            for group in _groups(
                progress(video.frames(path), film.count, "predicting frames"), self.options.batch
            ):
                try:
                    parts = predictor.parts(group)
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
                self._warn(predictor.cut)
                for frame, part in zip(group, parts, strict=True):
                    stem = f"{path.stem}/{self.done:06d}"
                    mask, files = predictor.outputs(stem, frame, part)
                    for mode, projector in projectors.items():
                        projector.write(overlays.picture(mode, frame, mask, self.options.style))
                    self.add(predictor.write(stem, mask, files))
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
