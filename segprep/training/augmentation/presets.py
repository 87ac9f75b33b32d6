"""The steps of an augmentation from plain parameters, as a configuration file or the command line
has them, and the tutorials' own sets by name.

Every parameter is STEP_NAME; those of the paired generator bear no prefix: ``rotation=5, zoom=0.1,
hsv_hue=0.05, elastic_sigma=10, crop_size=480``. A step is done if one of its parameters is named,
in the order of STEPS. docs/augmentation.md has the table.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from segprep.errors import UsageError
from segprep.names import unknown
from segprep.train_settings import respelled
from segprep.training.augmentation.color import OneColor
from segprep.training.augmentation.elastic import Elastic
from segprep.training.augmentation.hsv import Hsv
from segprep.training.augmentation.jitter import Jitter
from segprep.training.augmentation.keras import Paired
from segprep.training.augmentation.letterbox import Letterbox
from segprep.training.augmentation.scaling import Flip, RandomCrop, RandomResize, Stretch
from segprep.training.augmentation.steps import Transform

STEPS: Mapping[str, type[Any]] = {
    "resize_": RandomResize,
    "jitter_": Jitter,
    "flip_": Flip,
    "": Paired,
    "elastic_": Elastic,
    "crop_": RandomCrop,
    "hsv_": Hsv,
    "color_": OneColor,
    "stretch_": Stretch,
    "letterbox_": Letterbox,
}
_SHIFTS = {"width_shift": 0.05, "height_shift": 0.05}
_MEMBRANE = {**_SHIFTS, "shear": 0.05, "zoom": 0.05, "horizontal_flip": True}
_JITTER = {"jitter_rows": 512, "jitter_columns": 512, "hsv_hue": 0.1}
_FLIPS = {"flip_horizontal": 0.5, "flip_vertical": 0.5}
_OLDER = {"hsv_saturation": 0.5, "hsv_value": 0.5, "hsv_reciprocal": True}
_STRETCH = {"stretch_rows": 96, "stretch_columns": 96}
_ELASTIC = {"elastic_sigma": 10, "elastic_grid": 3}
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "membrane": {"rotation": 0.2, **_MEMBRANE, "fill": "nearest"},
    "membrane-reflect": {"rotation": 0.05, **_MEMBRANE, "fill": "reflect"},
    "unet-pytorch": {**_JITTER, "hsv_saturation": 0.7, "hsv_value": 0.3},
    "unet-keras": {**_JITTER, **_OLDER},
    "drive": {"resize_shorter": (282, 678), **_FLIPS, "crop_size": 480},
    "paper": {"rotation": 180, **_SHIFTS, "fill": "reflect", **_ELASTIC},
    "nested-unet": {"flip_quarters": True, "color_hue": 20 / 180, **_STRETCH},
    "letterbox": {"letterbox_rows": 512, "letterbox_columns": 512},
}


def parameters() -> dict[str, Any]:
    """Every parameter with its default; None where it has to be given."""
    plain = {
        f"{prefix}{field.name}": field.default
        for prefix, kind in STEPS.items()
        for field in fields(kind)
    }
    return {
        name: default if isinstance(default, int | float | str | tuple) else None
        for name, default in plain.items()
    }


def steps(preset: str = "none", **overrides: Any) -> tuple[Transform, ...]:
    """The steps of *preset* with the parameters *overrides* on top, in the order of STEPS.

    Raises UsageError (bad-option), naming the nearest word.
    """
    if preset not in PRESETS:
        raise UsageError("bad-option", *unknown("augmentation", preset, PRESETS))
    defaults, overrides = parameters(), respelled(overrides)
    for name in overrides:
        if name not in defaults:
            raise UsageError("bad-option", *unknown("augmentation parameter", name, defaults))
    values = {**PRESETS[preset], **overrides}
    transforms = []
    for prefix, kind in STEPS.items():
        own = {
            field.name: tuple(value) if isinstance(value := values[name], list) else value
            for field in fields(kind)
            if (name := prefix + field.name) in values
        }
        if own:
            transforms.append(_transform(prefix, kind, own))
    return tuple(transforms)


def _transform(prefix: str, kind: type[Any], own: Mapping[str, Any]) -> Transform:
    """One step; of the two sides of a frame, a missing one takes the other's value."""
    sides = {"rows", "columns"} & {field.name for field in fields(kind)}
    if sides and not sides & own.keys():
        reason = f"{prefix}rows is missing"
        raise UsageError("bad-option", reason, f"give {prefix}rows and {prefix}columns, in pixels")
    twins = {name: own.get("rows", own.get("columns")) for name in sides - own.keys()}
    transform: Transform = kind(**own, **twins)
    return transform
