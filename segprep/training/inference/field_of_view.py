"""The field of view of a photograph: outside it nothing is predicted but background, as in the
DRIVE tutorial's test_result.png.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segprep.dataset.tree import Tree
from segprep.errors import SourceError, UsageError
from segprep.files import read_below, walk
from segprep.imaging.image import SUFFIXES
from segprep.imaging.mask_files import intensity
from segprep.names import stem_key
from segprep.training.data.pairs import read_truth
from segprep.types import IGNORE

TRUTH = "truth"


@dataclass(frozen=True, slots=True)
class FieldOfView:
    """Black and white *masks* by their stem, or the ignored pixels of a dataset (*place*)."""

    dataset: Tree | None
    root: Path
    masks: Mapping[str, Path]

    def outside(self, stem: str, size: tuple[int, ...]) -> NDArray[np.bool_]:
        """(H, W) where the image *stem* has nothing to predict.

        Raises SourceError: mask-missing (no mask of its name, or several), size-mismatch, and what
        reading raises.
        """
        if self.dataset is not None:
            path = self.dataset.mask_path(stem)
            dropped = np.equal(read_truth(self.dataset, stem), IGNORE)
        else:
            path = self._mask(PurePosixPath(stem).name)
            dropped = np.less(intensity(read_below(path, (self.root,)), path), 128)
        if dropped.shape != size:
            sizes = f"{dropped.shape[1]}x{dropped.shape[0]}, its image {size[1]}x{size[0]} pixels"
            raise SourceError(path, f"the field of view is {sizes}", code="size-mismatch")
        return np.asarray(dropped, np.bool_)

    def _mask(self, stem: str) -> Path:
        """01_test finds 01_test_mask.gif."""
        key = stem_key(stem)
        names = [key] if key in self.masks else []
        names = names or [name for name in self.masks if name.startswith((f"{key}_", f"{key}-"))]
        if len(names) != 1:
            reason = f"holds {', '.join(names) or 'no mask'} for the image {stem}"
            hint = f"name one {stem}.png or {stem}_mask.png"
            raise SourceError(self.root, reason, hint, "mask-missing")
        return self.masks[names[0]]


def field_of_view(spec: str, dataset: Tree | None) -> FieldOfView:
    """*spec*: ``truth`` (ignored pixels), or a folder of masks. Raises UsageError (bad-option)."""
    if spec == TRUTH and dataset is not None:
        return FieldOfView(dataset, dataset.root, {})
    root = Path(spec).resolve()
    paths = (
        [path for path in walk(root) if path.suffix.lower() in SUFFIXES] if root.is_dir() else []
    )
    if not paths:
        reason = f"--field-of-view {spec}"
        hint = "give a folder of black and white masks; or truth, if INPUT is a dataset"
        raise UsageError("bad-option", reason, hint)
    return FieldOfView(None, root, {stem_key(path.stem): path for path in paths})
