"""The only rooms where PyTorch may be imported: data, augment, losses, models, loop, predicting, and the check whether a dataset is learnable."""

from ..errors import MissingExtraError

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise MissingExtraError("training", "PyTorch", "train") from error
