"""segprep: annotations to clean, split, documented VOC-style datasets for semantic segmentation.

Every command of the command line is one function here; names are imported on first use, so that
``import segprep`` itself costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from segprep._version import __version__

_HOMES = {
    "Classes": "types",
    "ConfusionMatrix": "metrics.confusion",
    "Tree": "dataset.tree",
    "check": "checking",
    "convert": "conversion",
    "diff": "verification.comparison",
    "export": "exporting",
    "evaluate": "evaluation",
    "info": "description",
    "load_model": "training.inference.single",
    "merge": "merging",
    "models": "training.models",
    "open": "opened",
    "overlay": "opened.picture",
    "predict": "training.inference.job",
    "predict_image": "training.inference.single",
    "read_mask": "imaging.image",
    "remap": "remapping",
    "resize": "resizing",
    "split": "splitting",
    "tile": "tiling",
    "stats": "statistics",
    "torch_dataset": "training.data.tensors",
    "train": "training.trainer.trainer",
    "train_check": "training.check",
    "verify": "verification",
    "view": "gallery",
    "write_mask": "imaging.image",
}
__all__ = [
    "Classes",
    "ConfusionMatrix",
    "Tree",
    "__version__",
    "check",
    "convert",
    "diff",
    "evaluate",
    "export",
    "info",
    "load_model",
    "merge",
    "models",
    "open",
    "overlay",
    "predict",
    "predict_image",
    "read_mask",
    "remap",
    "resize",
    "split",
    "stats",
    "tile",
    "torch_dataset",
    "train",
    "train_check",
    "verify",
    "view",
    "write_mask",
]

if TYPE_CHECKING:
    from segprep.checking import check
    from segprep.conversion import convert
    from segprep.dataset.tree import Tree
    from segprep.description import info
    from segprep.evaluation import evaluate
    from segprep.exporting import export
    from segprep.gallery import view
    from segprep.imaging.image import read_mask, write_mask
    from segprep.merging import merge
    from segprep.metrics.confusion import ConfusionMatrix
    from segprep.opened import open
    from segprep.opened.picture import overlay
    from segprep.remapping import remap
    from segprep.resizing import resize
    from segprep.splitting import split
    from segprep.statistics import stats
    from segprep.tiling import tile
    from segprep.training.check import train_check
    from segprep.training.data.tensors import torch_dataset
    from segprep.training.inference.job import predict
    from segprep.training.inference.single import load_model, predict_image
    from segprep.training.models import models
    from segprep.training.trainer.trainer import train
    from segprep.types import Classes
    from segprep.verification import verify
    from segprep.verification.comparison import diff


def __getattr__(name: str) -> Any:
    if name == "training":  # segprep.training.fit, after "import segprep" alone
        return import_module(".training", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module 'segprep' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
