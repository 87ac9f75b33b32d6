"""Regions of one label map compared with those of another: the Rand error of the ISBI 2012
challenge.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.metrics.counting import tally


def regions(where: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The 4-connected regions of *where* (H, W), numbered from 1; 0 outside."""
    from scipy.ndimage import label

    labels: NDArray[np.int32] = label(where)[0].astype(np.int32)
    return labels


def rand_error(truth: NDArray[Any], pred: NDArray[Any]) -> float:
    """1 - the F-score of pixel pairs that lie in one segment, as in ISBI 2012 and SNEMI3D ("adapted
    Rand error"); 0 is perfect.

    *truth* and *pred* are segment ids (H, W). Pixels that are 0 (border) in the truth are skipped;
    those that are 0 in the prediction are one segment. With nothing to compare the error is 0
    (Arganda-Carreras et al. 2015, https://doi.org/10.3389/fnana.2015.00142).

    >>> rand_error(np.array([[1, 1, 2, 2]]), np.array([[1, 1, 1, 1]]))
    0.5
    """
    inside = truth != 0
    counts = tally(truth[inside].astype(np.int64), pred[inside].astype(np.int64))
    both = _pairs(counts.pixels)
    mine = _pairs(np.bincount(np.unique(counts.truth, return_inverse=True)[1], counts.pixels))
    theirs = _pairs(np.bincount(np.unique(counts.pred, return_inverse=True)[1], counts.pixels))
    return 1 - 2 * both / (mine + theirs) if mine + theirs else 0.0


def _pairs(sizes: NDArray[Any]) -> float:
    """Ordered pairs of pixels within segments of these *sizes*."""
    return float((sizes * (sizes - 1.0)).sum())


def cell_errors(truth: NDArray[Any], pred: NDArray[Any], ignore: int | None) -> tuple[float, float]:
    """ISBI's pixel error and Rand error of one image, whose cells are the regions of class 0.

    Ignored truth pixels are dropped. (NaN, 0) of nothing.
    """
    kept = np.ones(truth.shape, np.bool_) if ignore is None else truth != ignore
    wrong = float((truth[kept] != pred[kept]).mean()) if kept.any() else float("nan")
    return wrong, rand_error(regions((truth == 0) & kept), regions((pred == 0) & kept))
