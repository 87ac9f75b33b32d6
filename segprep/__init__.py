"""segprep: annotations to clean, split, documented VOC-style datasets for semantic segmentation.

Every command of the command line is one function here; names are imported on first use, so that
``import segprep`` itself costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Classes": "types",
    "ConfusionMatrix": "metrics",
    "Tree": "tree",
    "convert": "conversion",
    "export": "exporting",
    "evaluate": "evaluation",
    "info": "description",
    "models": "training.models",
    "predict": "training.prediction.inferring",
    "read_mask": "image",
    "remap": "remapping",
    "split": "splitting",
    "train": "training.course.trainer",
    "train_check": "training.checking",
    "write_mask": "image",
}
__all__ = [
    "Classes",
    "ConfusionMatrix",
    "Tree",
    "__version__",
    "convert",
    "evaluate",
    "export",
    "info",
    "models",
    "predict",
    "read_mask",
    "remap",
    "split",
    "train",
    "train_check",
    "write_mask",
]

if TYPE_CHECKING:
    from .conversion import convert
    from .description import info
    from .evaluation import evaluate
    from .exporting import export
    from .image import read_mask, write_mask
    from .metrics import ConfusionMatrix
    from .remapping import remap
    from .splitting import split
    from .training.checking import train_check
    from .training.course.trainer import train
    from .training.models import models
    from .training.prediction.inferring import predict
    from .tree import Tree
    from .types import Classes


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'segprep' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
