"""The networks: one module each, found by its file name, imported on first use.

    >>> network = build("unet", 3, 2, base=8).eval()
    >>> network(torch.zeros(1, 3, 50, 70)).shape
    torch.Size([1, 2, 50, 70])

A module holds a docstring with its source, ``PRESETS`` (the sizes that were published) and
``build``, its class: in_channels, classes, then its options. Every network maps (N, in_channels, H,
W) float to logits (N, classes, H, W) for any H and W from 1 up; it pads and crops by itself. One
that is supervised at several depths gives the list of its heads' logits, shallowest first, while it
trains, and those of the last head otherwise.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType, ModuleType
from typing import Any, cast, get_type_hints

import torch
from torch import nn

from segprep.errors import UsageError
from segprep.names import unknown
from segprep.training.models import _layer_table as layer_table
from segprep.training.models._layer_table import Layer
from segprep.values import need

CHANNELS, CLASSES = range(1, 5), range(1, 256)
# of options: widths, and shares that are dropped
LIMITS: Mapping[Any, tuple[float, float]] = {int: (1, 4096), float: (0, 0.99)}


@dataclass(frozen=True, slots=True)
class Preset:
    """One published size of a network; *options* are those of its ``build``."""

    classes: int
    in_channels: int
    parameters: int
    source: str
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def names() -> tuple[str, ...]:
    """The networks there are; none is imported. ``_`` in a file name is ``-`` here."""
    modules = (module.name for module in iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in modules if not name.startswith("_")))


def load(name: str) -> ModuleType:
    """The module of network *name*; ``smp:Unet/resnet34`` is one of segmentation-models-pytorch.

    Raises UsageError (unknown-model) for an unknown one, MissingExtraError without its package.
    """
    if name.startswith("smp:"):
        smp = import_module(f"{__name__}._smp")
        return cast("ModuleType", smp.load(name))
    if name not in names():
        raise UsageError("unknown-model", *unknown("model", name, names()))
    return import_module(f"{__name__}.{name.replace('-', '_')}")


def presets(name: str) -> Mapping[str, Preset]:
    """The published sizes of network *name*, the usual one first."""
    return cast("Mapping[str, Preset]", load(name).PRESETS)


def build(
    name: str, in_channels: int, classes: int, preset: str | None = None, **options: Any
) -> nn.Module:
    """Network *name* for *in_channels* (1 to 4) and *classes* logits; *options* go over those of
    *preset*.

    Raises UsageError: unknown-model for the name, bad-option for a preset, option or number that it
    does not have.
    """
    sizes = presets(name)
    if preset is not None and preset not in sizes:
        reason = f"the model {name} has no preset {preset!r}"
        raise UsageError("bad-option", reason, f"it has: {', '.join(sizes)}")
    if in_channels not in CHANNELS or classes not in CLASSES:
        reason = f"a model for {in_channels} channels and {classes} classes"
        hint = "it takes 1 to 4 channels and gives 1 to 255 classes"
        raise UsageError("bad-option", reason, hint)
    make = load(name).build
    chosen_options = {**(sizes[preset].options if preset else {}), **options}
    _check(name, get_type_hints(getattr(make, "__init__", make)), chosen_options)
    return cast("nn.Module", make(in_channels, classes, **chosen_options))


def _check(name: str, hints: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Options may come from a file: each has to be known, and what ``build`` says it is."""
    allowed = [option for option in hints if option not in ("in_channels", "classes", "return")]
    for option, value in options.items():
        if option not in allowed:
            message, hint = unknown("option", option, allowed)
            raise UsageError("bad-option", f"the model {name}: {message}", hint)
        need(f"the model {name}: {option}", value, hints[option], *LIMITS.get(hints[option], ()))


def parameters(network: nn.Module) -> int:
    """How many numbers *network* learns, frozen ones too, running statistics not."""
    return sum(tensor.numel() for tensor in network.parameters())


def models(classes: int | None = None) -> list[dict[str, Any]]:
    """One row per network and preset: name, preset, classes, in_channels, parameters, source.

    Each is counted at its published number of classes, or at *classes*; nothing of its size is
    allocated. Raises UsageError (bad-option) for classes other than 1 to 255.
    """
    return list(_rows(classes))


def _rows(classes: int | None) -> Iterator[dict[str, Any]]:
    for name in names():
        for key, preset in presets(name).items():
            count = preset.classes if classes is None else classes
            with torch.device("meta"):
                network = build(name, preset.in_channels, count, key)
            yield {
                "name": name,
                "preset": key,
                "classes": count,
                "in_channels": preset.in_channels,
                "parameters": parameters(network),
                "source": preset.source,
            }


def layers(
    name: str, preset: str | None = None, *, size: int = 256, classes: int | None = None
) -> list[Layer]:
    """The layers of network *name* at its *preset* (the usual one), in the order in which an image
    of *size* x *size* passes them. Raises UsageError: unknown-model, bad-option.
    """
    sizes = presets(name)
    chosen = preset or next(iter(sizes))
    published = sizes.get(chosen, next(iter(sizes.values())))
    with torch.device("meta"):
        count = published.classes if classes is None else classes
        network = build(name, published.in_channels, count, chosen)
    return layer_table.layers(network, published.in_channels, size)
