"""Freezing the stages of a backbone, with the statistics of their batch normalization."""

from collections.abc import Iterable, Mapping
from typing import Self

from torch import nn

from segprep.errors import UsageError


def freeze(network: nn.Module, stages: int | None = None) -> tuple[str, ...]:
    """Hold the first *stages* of the backbone (all by default) as they are, also the statistics of
    their batch normalization, whatever ``train()`` says.

    Convert to synchronized batch normalization before, not after. Returns the names of what is
    frozen. Raises UsageError (bad-option): a network without a backbone, more stages than it has.
    """
    if not hasattr(network, "encoder"):
        reason = "this model has no backbone to freeze"
        hint = "vgg-unet, resnet-unet, mobilenet-unet, fcn8s and fcn32s have one"
        raise UsageError("bad-option", reason, hint)
    groups: list[list[nn.Module]] = network.encoder.stages()  # type: ignore[operator,union-attr]
    if stages is not None and not 0 <= stages <= len(groups):
        raise UsageError(
            "bad-option", f"the backbone has {len(groups)} stages, {stages} cannot be frozen"
        )
    outer = (layer for stage in groups[:stages] for layer in stage)
    for module in (inner for layer in outer for inner in layer.modules()):
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad_(False)
        hold_norms([module])
    named = network.named_parameters()
    return tuple(name for name, parameter in named if not parameter.requires_grad)


def hold_norms(modules: Iterable[nn.Module]) -> None:
    """Make the batch normalizations among *modules* leave their statistics alone."""
    for module in modules:
        if type(module) in FROZEN:
            module.__class__ = FROZEN[type(module)]
            module.eval()


def unfreeze(network: nn.Module) -> None:
    """Undo :func:`freeze`: everything learns again."""
    thawed = {frozen: free for free, frozen in FROZEN.items()}
    for module in network.modules():
        if type(module) in thawed:
            module.__class__ = thawed[type(module)]
            module.train(network.training)
    for parameter in network.parameters():
        parameter.requires_grad_(True)


class Held(nn.Module):
    """What stays in evaluation mode."""

    def train(self, mode: bool = True) -> Self:
        """Nothing changes, whatever *mode*."""
        return super().train(False)


class FrozenBatchNorm(Held, nn.BatchNorm2d):
    """Batch normalization that stays in evaluation mode and leaves its statistics alone."""


class FrozenSyncBatchNorm(Held, nn.SyncBatchNorm):
    """The same over several processes."""


FROZEN: Mapping[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm2d: FrozenBatchNorm,
    nn.SyncBatchNorm: FrozenSyncBatchNorm,
}
