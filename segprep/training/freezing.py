"""Freezing the stages of a backbone, with the statistics of their batch normalization."""

from collections.abc import Mapping

from torch import nn

from segprep.errors import UsageError


def freeze(network: nn.Module, stages: int | None = None) -> tuple[str, ...]:
    """Hold the first *stages* of the backbone (all by default) as they are, also the statistics of
    their batch normalization, whatever ``train()`` says.

    Convert to synchronized batch normalization before, not after. Returns the names of what is
    frozen. Raises UsageError (bad-option): a network without a backbone, more stages than it has.
    """
    if not hasattr(network, "encoder"):
        raise UsageError(
            "bad-option",
            "this network has no backbone to freeze",
            "vgg-unet, resnet-unet, mobilenet-unet, fcn8s and fcn32s have one",
        )
    groups: list[list[nn.Module]] = network.encoder.stages()  # type: ignore[operator,union-attr]
    if stages is not None and not 0 <= stages <= len(groups):
        raise UsageError(
            "bad-option", f"the backbone has {len(groups)} stages, {stages} cannot be frozen"
        )
    for module in (
        inner for stage in groups[:stages] for outer in stage for inner in outer.modules()
    ):
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad_(False)
        if type(module) in FROZEN:
            module.__class__ = FROZEN[type(module)]
            module.eval()
    return tuple(
        name for name, parameter in network.named_parameters() if not parameter.requires_grad
    )


def unfreeze(network: nn.Module) -> None:
    """Undo :func:`freeze`: everything learns again."""
    thawed = {frozen: free for free, frozen in FROZEN.items()}
    for module in network.modules():
        if type(module) in thawed:
            module.__class__ = thawed[type(module)]
            module.train(network.training)
    for parameter in network.parameters():
        parameter.requires_grad_(True)


class FrozenBatchNorm(nn.BatchNorm2d):
    """Batch normalization that stays in evaluation mode: it uses its running statistics and leaves
    them alone.
    """

    def train(self, mode: bool = True) -> "FrozenBatchNorm":
        """Nothing changes, whatever *mode*."""
        super().train(False)
        return self


class FrozenSyncBatchNorm(nn.SyncBatchNorm):
    """The same over several processes."""

    def train(self, mode: bool = True) -> "FrozenSyncBatchNorm":
        """Nothing changes, whatever *mode*."""
        super().train(False)
        return self


FROZEN: Mapping[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm2d: FrozenBatchNorm,
    nn.SyncBatchNorm: FrozenSyncBatchNorm,
}
