"""The only rooms where PyTorch may be imported: data, augment, losses, models, loop, predicting,
and the check whether a dataset is learnable.
"""

import os

from segprep.errors import MissingExtraError, require

# OpenMP's threads spin while they wait for each other. Where other work runs on the same cores that
# costs a factor of five: a training step took
# 1.3 s instead of 0.27 s with four busy neighbors on two cores. Sleeping instead costs little
# where nobody else is there.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise MissingExtraError("training", "PyTorch", "train") from error
for _package in ("matplotlib", "scipy"):  # PyTorch may have been installed by itself
    require("training", _package, "train")
