"""From pairs to the windows that are trained on: the trainer's own, or those of a tutorial's
augmentation; and samples of them to look at.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from segprep.dataset import tree
from segprep.errors import UsageError
from segprep.outputs import OutputFolder
from segprep.train_config import NONE, Config
from segprep.train_settings import merged
from segprep.training.augmentation import presets, preview
from segprep.training.augmentation.jitter import Jitter
from segprep.training.augmentation.steps import Transform
from segprep.training.augmentation.stream import Chained
from segprep.training.augmentation.windows import Windows
from segprep.training.data.pairs import ImagePair, InputSpec
from segprep.training.trainer.border_windows import pixel_weights
from segprep.training.trainer.config_check import settled

OWN = "windows"
# what a set makes its windows with
_FITTED = ("jitter", "stretch", "letterbox")
FRAMES = ("crop_size", *(f"{kind}_{side}" for kind in _FITTED for side in ("rows", "columns")))


def chain(config: Config) -> tuple[Transform, ...] | None:
    """The steps of ``augment`` and ``augmentation``, with windows of ``size``; None for the
    trainer's own windows. Raises UsageError (bad-option).
    """
    if config.augment == OWN and not config.augmentation:
        return None
    preset = NONE if config.augment == OWN else config.augment
    overrides = dict(config.augmentation)
    values = {**presets.PRESETS.get(preset, {}), **overrides}
    kinds = {name.partition("_")[0] for name in values} - {"crop"}
    sides = {name for name in FRAMES if name in values or name.partition("_")[0] in kinds}
    overrides |= {name: config.size for name in FRAMES if name in sides - overrides.keys()}
    values |= overrides
    whole = [name for name in FRAMES if name in values and name != "crop_size"]
    if config.fit == NONE and whole:
        reason = f"{whole[0]} works on whole images, but windows are cut out of them"
        raise UsageError("bad-option", reason, "give fit = letterbox, or fit = stretch")
    if config.fit == NONE and preset in presets.PRESETS:
        overrides.setdefault("crop_size", config.size)
    return presets.steps(preset, **overrides)


def from_original(config: Config) -> bool:
    """Whether windows are resampled from the images on disk, which may be larger."""
    return any(isinstance(step, Jitter) for step in chain(config) or ())


def windows(pairs: Sequence[ImagePair], view: InputSpec, config: Config) -> Windows:
    """The endless row of augmented windows over *pairs*."""
    steps = chain(config)
    if steps is None:
        return Windows(pairs, view, config.seed)
    if config.augment == NONE and not config.augmentation:
        return Windows(pairs, view, config.seed, augmented=False)
    return Chained(pairs, view, config.seed, steps)


def save_augmented(
    dataset: str | Path,
    folder: str | Path,
    config: str | Path | None = None,
    *,
    count: int = 32,
    classes: str | None = None,
    **settings: Any,
) -> list[Path]:
    """The first *count* windows that a training with these settings sees, as ``image_STEM_N.png``
    and ``mask_STEM_N.png``, with border weights ``weights_STEM_N.png``, and ``sheet.png`` of them.

    Nothing is trained. Returns what was written. Raises UsageError, TreeError; SegprepError:
    output-exists, and what reading raises.
    """
    samples = list(augmented(dataset, config, count=count, classes=classes, **settings))
    written = preview.save_augmented(folder, samples)
    resolved = settled(merged(config, settings))
    if resolved.border:
        listed = tree.find(Path(dataset)).classes()
        background, w0 = listed.background if listed else 0, resolved.border
        for path, (_, _, mask) in zip(written[:-1:2], samples, strict=True):
            weights = pixel_weights(mask, background, w0, resolved.border_sigma)
            heat = path.with_name(path.name.replace("image_", "weights_", 1))
            OutputFolder(heat.parent).write(heat.name, preview.heat_map(weights, 1, 1 + w0))
            written.insert(-1, heat)
    return written


def augmented(
    dataset: str | Path,
    config: str | Path | None = None,
    *,
    count: int = 32,
    classes: str | None = None,
    **settings: Any,
) -> Iterator[tuple[str, NDArray[Any], NDArray[np.uint8]]]:
    """(stem, image (S, S, 3), mask (S, S)) of the first *count* windows that a training with these
    settings sees. Raises UsageError, TreeError, and what reading raises.
    """
    from segprep.training.data.dataset import prepare, select_lists
    from segprep.training.data.lists import class_names

    resolved = settled({**merged(config, settings), "val": NONE, "monitor": ""})
    dataset_tree = tree.find(Path(dataset))
    selection = select_lists(dataset_tree, resolved)
    pairs, _, view = prepare(
        dataset_tree,
        selection,
        class_names(dataset_tree, classes, selection.train),
        resolved,
        lambda what, done, total: None,
        whole=from_original(resolved),
    )
    return _samples(windows(pairs, view, resolved), view, count)


def _samples(
    row: Windows, view: InputSpec, count: int
) -> Iterator[tuple[str, NDArray[Any], NDArray[np.uint8]]]:
    """(stem, image (S, S, 3) uint8, mask): as the network sees them, normalization undone."""
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in (view.mean, view.std))
    for number in range(count):
        values, mask = row[number]
        stem = row.pairs[row.position(number)].stem
        levels = ((values * std + mean).clamp(0, 1) * 255).round().to(torch.uint8)
        image = levels.expand(3, -1, -1).permute(1, 2, 0).numpy()
        yield stem, image, mask.numpy().astype(np.uint8)
