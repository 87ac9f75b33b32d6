"""What a check may cost: scale, window, batch, width and steps, chosen from the data so that a run
takes minutes on two CPU cores.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.errors import UsageError
from segprep.train_config import Config
from segprep.train_settings import make_config, plain
from segprep.training.data.dataset import given_moments, view_of
from segprep.training.data.pairs import ImagePair, InputSpec, moments
from segprep.types import IGNORE

ARCH, STEPS, BATCH, BASE, SIZE = "unet", 600, 8, 16, 96
# steps; earlier a network may not have begun to learn, and the comparison says nothing
LEAST_CONTROL = 150
# validations of a run, and the steps between two of them at least: scoring costs as much as some
# ten steps
EPOCHS, LEAST_EPOCH = 8, 25
SMALLEST, LARGEST = 32, 1024
RARE, MOST_WEIGHT = 0.05, 5.0  # share of the pixels below which a class weighs more, up to this
RATE = 1e-3
# pixels that the thinnest class keeps: two classes are told apart along their outlines; more of
# them by the forms of whole objects, of which a window should show several
DETAIL, FORM = 10.0, 6.0
NATIVE = 0.8  # above this, scaling gains little and blurs
MOST_TRAIN, MOST_VAL = 1000, 200  # images held and scored; a larger set is sampled, by the seed


@dataclass(frozen=True, slots=True)
class Budget:
    """What one check does: a training by *config*, which ``segprep train`` takes as it is, of
    *steps* steps, with a validation after *every* so many. *control* is the number of steps that
    the control gets, and after which the two are compared.
    """

    config: Config
    view: InputSpec
    steps: int
    control: int
    every: int

    def document(self) -> dict[str, Any]:
        """As plain values."""
        own = {"steps": self.steps, "control": self.control, "every": self.every}
        return {**own, "view": asdict(self.view), "config": plain(self.config)}


def budget_for(
    sample: Sequence[ImagePair],
    *,
    arch: str | None = None,
    steps: int | None = None,
    size: int | None = None,
    seed: int = 0,
    like: Config | None = None,
    classes: int = 0,
) -> Budget:
    """Settings for the set of *classes* that *sample* was drawn from. With *like*, the network, its
    input, batch, rate and loss are those of that training.

    Raises UsageError (bad-option) for steps < 1 or an unusable size.
    """
    steps = STEPS if steps is None else steps
    side = (like.size if like else SIZE) if size is None else size
    if steps < 1:
        raise UsageError("bad-option", f"--steps {steps}: at least 1 is needed")
    if not SMALLEST <= side <= LARGEST:
        reason = f"--size {side}: {SMALLEST} to {LARGEST} is possible"
        hint = "96 is the default; 32 is the least that the model halves four times"
        raise UsageError("bad-option", reason, hint)
    own = _like(like) if like else _own(sample, arch or ARCH, side, classes)
    config = make_config({**own, "size": side, "seed": seed})
    mean, std = given_moments(config) or moments(sample, config.channels)
    view = replace(view_of(config), mean=mean, std=std)
    control = min(steps, max(LEAST_CONTROL, steps // 4))
    return Budget(config, view, steps, control, max(LEAST_EPOCH, steps // EPOCHS))


def _own(sample: Sequence[ImagePair], arch: str, size: int, classes: int) -> dict[str, Any]:
    """A check's own choice; a network that has a width gets a small one."""
    return {
        "arch": arch,
        "options": {"base": BASE} if arch in ("unet", "mini-unet") else {},
        "scale": scale_for(sample, size),
        "batch": batch_for(size),
        "lr": RATE,
        "class_weights": weights_for(sample, classes),
    }


def _like(config: Config) -> dict[str, Any]:
    """What a check takes from a training's settings."""
    kept = (
        *("arch", "preset", "options", "depth", "channels", "head", "scale", "fit", "batch", "lr"),
        *("normalize", "mean", "std", "loss", "class_weights", "skip_classes"),
        *("optimizer", "weight_decay", "clip"),
    )
    return {key: getattr(config, key) for key in kept}


def weights_for(sample: Sequence[ImagePair], classes: int) -> list[float]:
    """Loss weights, one per class: above 1 for those below RARE of the pixels, by what they lack;
    none where no class is rare.
    """
    pixels = sum(
        (np.bincount(pair.mask.reshape(-1), minlength=256)[:classes] for pair in sample),
        np.zeros(classes),
    )
    shares = pixels / max(1, pixels.sum())
    weights = (RARE / shares.clip(min=RARE / MOST_WEIGHT)).clip(min=1.0)
    weights[shares == 0] = 1.0
    return [round(float(weight), 2) for weight in weights] if (weights > 1).any() else []


def batch_for(size: int) -> int:
    """Windows per step: as many pixels as eight of 96x96, but never a single one (batch
    normalization needs several).
    """
    return max(2, min(BATCH, round(BATCH * (SIZE / size) ** 2)) if size > SIZE else BATCH)


def scale_for(sample: Sequence[ImagePair], size: int) -> float:
    """The factor to work images at, 1 at most: the thinnest class keeps DETAIL pixels (FORM of
    them where there are more than two classes), and the window need not be larger than the image.
    """
    classes = set[int]().union(*(np.unique(pair.mask).tolist() for pair in sample)) - {IGNORE}
    thin = thickness(
        [pair.mask for pair in sample], [pair.mask.shape[0] / pair.size[0] for pair in sample]
    )
    short = float(np.median([min(pair.size) for pair in sample]))
    detail = FORM if len(classes) > 2 else DETAIL
    factor = max(detail / min(thin.values(), default=short), size / short)
    return 1.0 if factor > NATIVE else round(factor, 3)


def thickness(
    masks: Sequence[NDArray[np.uint8]], factors: Sequence[float] | None = None
) -> dict[int, float]:
    """Class id -> mean thickness in pixels, twice area over outline, of the classes with 1 % of the
    pixels or more. A strip has its width, a disc 0.8 radii.

    *factors* are those that the masks were reduced by; the thickness is that before.
    """
    area, outline = np.zeros(256), np.zeros(256)
    for mask, factor in zip(masks, factors or [1.0] * len(masks), strict=True):
        area += np.bincount(mask.reshape(-1), minlength=256) / factor**2
        for near, far in ((mask[1:], mask[:-1]), (mask[:, 1:], mask[:, :-1])):
            differ = near != far
            changes = np.concatenate([near[differ], far[differ]])
            outline += np.bincount(changes, minlength=256) / factor
    area[IGNORE] = 0
    return {
        int(c): float(2 * area[c] / outline[c])
        for c in np.flatnonzero((area > 0.01 * area.sum()) & (outline > 0))
    }
