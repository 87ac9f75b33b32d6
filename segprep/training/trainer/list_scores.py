"""What a checkpoint is worth on any list: its loss, as Keras' ``evaluate`` gives it, and the table
of a pruned UNet++.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from segprep.dataset.tree import Tree
from segprep.errors import UsageError
from segprep.metrics import confusion
from segprep.train_config import Config, outputs
from segprep.train_settings import make_config, read_config
from segprep.training import checkpoints, losses, models
from segprep.training.checkpoints import Checkpoint
from segprep.training.data.dataset import ImagePairs
from segprep.training.data.pairs import read_truth
from segprep.training.devices import pick_device
from segprep.training.trainer import run_folder
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.trainer.validation import at_own_size, validate


@dataclass(frozen=True, slots=True)
class ListLoss:
    """The mean *loss* over the counted pixels of *images*; *spec* is its name."""

    loss: float
    spec: str
    images: int


@dataclass(frozen=True, slots=True)
class DepthScore:
    """A UNet++ pruned to *depth*: *seconds* per image, mean IoU at the images' own size."""

    depth: int
    parameters: int
    seconds: float
    miou: float


def list_loss(checkpoint: Path, tree: Tree, stems: Sequence[str], spec: str = "") -> ListLoss:
    """The loss of *checkpoint* on *stems* of *tree*, as a training with it reports ``val_loss``.

    Without *spec*, the loss and class weights of the run that *checkpoint* lies in. Raises
    UsageError (bad-option), SegprepError.
    """
    path = checkpoint.parent / run_folder.CONFIG
    if not spec and not path.is_file():
        reason = f"--loss: {checkpoint.parent} holds no {run_folder.CONFIG} that says which"
        raise UsageError("bad-option", reason, f"name it: {', '.join(losses.LOSSES)}, or a sum")
    config = Config(loss=spec) if spec else make_config(read_config(path))
    loaded = checkpoints.load(checkpoint)
    group, classes = ProcessGroup(0, 1, pick_device("auto")), len(loaded.classes)
    loss = losses.make(config.loss, outputs(loaded.head, classes), config.class_weights or None)
    background = own.background if (own := tree.classes()) else 0
    network = checkpoints.channels_last(loaded.network(), group.device)
    pairs, view = ImagePairs(tree, stems, classes, loaded.view), loaded.view
    figures = validate(network, pairs, view, loss, classes, group, background=background)
    return ListLoss(figures.loss, config.loss, figures.images)


def pruned_scores(checkpoint: Path, tree: Tree, stems: Sequence[str]) -> list[DepthScore]:
    """Time and score of a deeply supervised UNet++ at each of its depths, on *stems* of *tree*.

    Raises UsageError (bad-option) for another network.
    """
    loaded = checkpoints.load(checkpoint)
    depths = range(1, int(loaded.options.get("depth", 4)) + 1)
    return [_scored(checkpoints.pruned(loaded, depth), depth, tree, stems) for depth in depths]


def _scored(pruned: Checkpoint, depth: int, tree: Tree, stems: Sequence[str]) -> DepthScore:
    network = checkpoints.channels_last(pruned.network(), pick_device("auto"))
    classes = len(pruned.classes)
    pairs = list(ImagePairs(tree, stems, classes, pruned.view))
    masks = [read_truth(tree, stem, classes) for stem in stems]
    began = perf_counter()
    matrix = at_own_size(network, pairs, masks, pruned.view, classes)
    seconds = (perf_counter() - began) / len(stems)
    return DepthScore(depth, models.parameters(network), seconds, confusion.scores(matrix).miou)
