"""Images that go through a network together: to probabilities at their own size, to masks, to
files. One bad file among good ones is skipped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from segprep.errors import SourceError
from segprep.imaging.image import histogram
from segprep.training.data import pairs
from segprep.training.devices import out_of_memory
from segprep.training.inference import overlays, tiles
from segprep.training.inference.averaging import Average, averaged
from segprep.training.inference.field_of_view import FieldOfView
from segprep.training.inference.inputs import Input
from segprep.training.inference.output_folder import Results
from segprep.training.inference.overlays import Mode, Style
from segprep.training.inference.tiles import Net
from segprep.training.logits import resized
from segprep.types import Skipped

TOGETHER = 48_000_000  # values (of three channels) of images that are in memory at once
Group = Sequence[Input]


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


@dataclass(frozen=True, slots=True)
class Predicted:
    """What became of one image: the names of its *files*, and its *pixels* by class id; or why it
    was *skipped*.
    """

    stem: str
    files: tuple[str, ...] = ()
    pixels: Mapping[int, int] = field(default_factory=dict)
    skipped: Skipped | None = None


@dataclass(frozen=True, slots=True)
class PredictedGroup:
    """Images that were predicted together; *cut*: tiles overlap by less than the network looks."""

    images: tuple[Predicted, ...]
    cut: bool


@dataclass(eq=False)
class Predictor:
    """Images to files in *folder*; *projected* modes become a video elsewhere."""

    options: Options
    folder: Results
    projected: frozenset[Mode] = frozenset()
    cut: bool = False

    def group(self, items: Sequence[Input]) -> PredictedGroup:
        """Predict *items*; those that cannot be read are skipped."""
        images, batch = list[Predicted](), list[tuple[Input, NDArray[Any]]]()
        for item in items:
            try:
                batch.append((item, item.pixels()))
            except SourceError as error:
                images.append(_unreadable(item, error))
            if sum(image.size for _, image in batch) > TOGETHER:
                images += self._predicted(batch)
                batch = []
        images += self._predicted(batch)
        return PredictedGroup(tuple(images), self.cut)

    def parts(self, images: Sequence[NDArray[Any]]) -> list[Tensor]:
        """Their probabilities; notes where those of tiles may not be those of whole images."""
        net, tile = self.options.net, self.options.tile
        sizes = [net.view.worked(*image.shape[:2]) for image in images]
        self.cut = self.cut or any(tiles.shortened(net, size, tile) for size in sizes)
        return self.options.parts(images)

    def _predicted(self, batch: Sequence[tuple[Input, NDArray[Any]]]) -> list[Predicted]:
        """Predict and write; what does not fit the memory together is tried one by one, what does
        not fit alone is skipped.
        """
        try:
            parts = self.parts([image for _, image in batch])
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            if len(batch) > 1:
                return [result for single in batch for result in self._predicted([single])]
            return [_too_large(*batch[0])]
        return [
            self._written(item, image, part)
            for (item, image), part in zip(batch, parts, strict=True)
        ]

    def _written(self, item: Input, image: NDArray[Any], part: Tensor) -> Predicted:
        try:
            mask, files = self.outputs(item.stem, image, part)
        except SourceError as error:
            return _unreadable(item, error)
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            return _too_large(item, image)
        return self.write(item.stem, mask, files)

    def outputs(
        self, stem: str, image: NDArray[Any], part: Tensor
    ) -> tuple[NDArray[np.uint8], dict[str, bytes]]:
        """The mask of *image*, and the files to write: name -> content."""
        mask, probabilities = self.options.masked(part, image)
        if self.options.view is not None:
            outside = self.options.view.outside(stem, mask.shape)
            mask = np.where(outside, np.uint8(self.options.style.background or 0), mask)
        modes = [mode for mode in self.folder.modes if mode not in self.projected]
        encoded = partial(overlays.encoded, style=self.options.style)
        return mask, {
            self.folder.name(stem, mode): encoded(mode, image, mask, probabilities)
            for mode in modes
        }

    def write(self, stem: str, mask: NDArray[np.uint8], files: Mapping[str, bytes]) -> Predicted:
        """Write *files* (name -> content), those of *mask*."""
        for name, content in files.items():
            self.folder.write(name, content)
        return Predicted(stem, tuple(files), histogram(mask))


def _unreadable(item: Input, error: SourceError) -> Predicted:
    skipped = Skipped(item.stem, str(error.path), error.code, error.reason, error.hint)
    return Predicted(item.stem, skipped=skipped)


def _too_large(item: Input, image: NDArray[Any]) -> Predicted:
    reason = f"{image.shape[1]}x{image.shape[0]} pixels do not fit the memory"
    where, hint = str(item.path), "use a smaller --tile, or cut the image"
    return Predicted(item.stem, skipped=Skipped(item.stem, where, "out-of-memory", reason, hint))
