"""Groups of images for worker processes: each loads the network once."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from segprep.errors import SegprepError, SourceError, UsageError
from segprep.files import digest_file
from segprep.training import checkpoints
from segprep.training.inference import onnx_model, tiles
from segprep.training.inference.output_folder import Results
from segprep.training.inference.overlays import Mode
from segprep.training.inference.predictor import Group, Options, PredictedGroup, Predictor
from segprep.training.inference.tiles import Net
from segprep.worker_processes import usable_cores


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A checkpoint or ONNX file, and how it is used: on *device*, through *onnx*runtime with tiles
    of side *tile*, pruned to *depth*. *digest*: that of the file, by :func:`of`.
    """

    path: Path
    digest: str
    device: str
    onnx: bool = False
    tile: int | None = None
    depth: int | None = None

    def load(self, processes: int = 1) -> Net:
        """The network, which so many *processes* have each for itself.

        Raises UsageError, SegprepError: bad-checkpoint, MissingExtraError.
        """
        if self.path.suffix.lower() == ".onnx":
            if self.depth is not None:
                reason = f"--depth {self.depth}: an ONNX file cannot be pruned"
                hint = (
                    "give the checkpoint.pt, or prune while exporting: --export-onnx with --depth"
                )
                raise UsageError("bad-option", reason, hint)
            return onnx_model.load(self.path)
        checkpoint = checkpoints.load(self.path)
        if self.depth is not None:
            checkpoint = checkpoints.pruned(checkpoint, self.depth)
        if self.onnx:
            return onnx_model.net_of(onnx_model.encoded(checkpoint, self.tile), self.path)
        network = checkpoints.channels_last(checkpoint.network(), self.device)
        classes, view = checkpoint.classes, checkpoint.view
        return tiles.net_of(network, classes, view, self.device, processes)


def digest_of(path: Path) -> str:
    """The digest of the file of a network. Raises SegprepError."""
    try:
        return digest_file(path)
    except SourceError as error:
        hint = "give the checkpoint.pt of a run, or an .onnx file of segprep"
        raise SegprepError(error.code, f"{path} {error.reason}", hint) from error


@lru_cache(1)
def _loaded(file: NetworkFile, jobs: int) -> Net:
    """The network of *file* in one of so many worker processes (*jobs*). Raises SegprepError where
    the worker has another one.
    """
    if jobs > 1:
        torch.set_num_threads(max(1, usable_cores() // jobs))
    if digest_of(file.path) != file.digest:
        reason = f"{file.path} changed, or a worker has another file of this name"
        raise SegprepError("bad-checkpoint", reason, "put it where all workers see the same file")
    return file.load(jobs)


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """What a :class:`GroupTask` is in one of so many worker processes (*jobs*), which loads the
    network itself. *settings* are those of Options but the network.
    """

    file: NetworkFile
    settings: Mapping[str, Any]
    out: Path
    modes: tuple[Mode, ...]
    jobs: int

    def __call__(self, group: Group) -> PredictedGroup:
        """Predict the images of *group* together. Raises SegprepError."""
        options = Options(_loaded(self.file, self.jobs), **self.settings)
        return Predictor(options, Results(self.out, self.modes)).group(group)


@dataclass(frozen=True, slots=True, eq=False)
class GroupTask:
    """Predict a group of images into the folder *out*, alone or with *jobs* processes."""

    file: NetworkFile
    options: Options
    out: Path
    modes: tuple[Mode, ...]
    jobs: int

    def __reduce__(self) -> tuple[Any, ...]:
        names = (field.name for field in fields(self.options) if field.name != "net")
        settings = {name: getattr(self.options, name) for name in names}
        return WorkerTask, (self.file, settings, self.out, self.modes, self.jobs)

    def __call__(self, group: Group) -> PredictedGroup:
        """Predict the images of *group* together. Raises SegprepError."""
        return Predictor(self.options, Results(self.out, self.modes)).group(group)
