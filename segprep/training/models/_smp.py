"""Networks of segmentation-models-pytorch by name: ``smp:Unet/resnet34``, ARCHITECTURE/ENCODER.

The package (extra ``smp``) and the torchvision that it needs are imported when one is asked for.
Networks begin with random weights; ``--weights`` loads a file. Images are padded to a multiple of
32, which every encoder halves to, and logits cropped.
"""

from types import ModuleType
from typing import Any, cast

from torch import Tensor, nn

from segprep.errors import SegprepError, UsageError, require
from segprep.names import unknown
from segprep.training.models._layers import AnySize

PREFIX = "smp:"
_SOURCE = "segmentation-models-pytorch"


class SmpNetwork(AnySize):
    """*inner*, for images of any size."""

    step, least = 32, 64

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def _logits(self, images: Tensor) -> Any:
        return self.inner(images)


def load(name: str) -> ModuleType:
    """What a module of this folder holds, for the network *name*: ``PRESETS`` (none) and ``build``.

    Raises MissingExtraError without the package, SegprepError (missing-extra) where it cannot be
    imported, UsageError (unknown-model) for an architecture or encoder that it does not have.
    """
    package = _package(name)
    architecture, _, encoder = name.removeprefix(PREFIX).partition("/")
    architectures = package.MODEL_ARCHITECTURES_MAPPING  # in lower case -> class
    if architecture.lower() not in architectures:
        classes = [network.__name__ for network in architectures.values()]
        raise UsageError("unknown-model", *unknown(f"{_SOURCE} model", architecture, classes))
    encoders = package.encoders.get_encoder_names()
    if encoder not in encoders and not encoder.startswith("tu-"):
        raise UsageError("unknown-model", *unknown(f"{_SOURCE} encoder", encoder, encoders))

    def build(in_channels: int = 3, classes: int = 21) -> nn.Module:
        inner = package.create_model(
            architecture, encoder, encoder_weights=None, in_channels=in_channels, classes=classes
        )
        return SmpNetwork(inner)

    module: Any = ModuleType(name, f"{architecture} of {_SOURCE} on {encoder}.")
    module.PRESETS, module.build = {}, build
    return cast("ModuleType", module)


def _package(name: str) -> Any:
    require(f"--arch {name}", "segmentation_models_pytorch", "smp")
    try:
        import segmentation_models_pytorch as package
    except (ImportError, RuntimeError) as error:  # torchvision for another PyTorch: RuntimeError
        reason = f"--arch {name}: {_SOURCE} cannot be imported: {error}"
        hint = "install torchvision from the same index as PyTorch, then try again"
        raise SegprepError("missing-extra", reason, hint) from error
    return package
