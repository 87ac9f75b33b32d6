"""MATLAB files of class ids: CrackForest, SBD, PASCAL Context, BSDS, or any named variable.

    src/
      groundTruth/NAME.mat    CrackForest: groundTruth.Segmentation (1 background, 2 crack)
                              SBD (cls/): GTcls.Segmentation · PASCAL Context: LabelMap
                              BSDS: groundTruth{n}.Segmentation, where --variable says which n
      images/NAME.jpg         anywhere below SRC or --image-root, by the same stem

Format: https://docs.scipy.org/doc/scipy/reference/generated/scipy.io.loadmat.html (files up to
version 7; 7.3 is HDF5). Assumptions: the only matrix of numbers with two sides above 1 is the mask,
else --variable names it, with dots and numbers: groundTruth.0.Segmentation.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from segprep.errors import MissingExtraError, SourceError
from segprep.files import MAX_BYTES, read_below
from segprep.imaging.whole_numbers import whole_numbers
from segprep.names import shown
from segprep.sources._common.masks.value_files import LabelArray, ValueReader
from segprep.sources._common.shapes.regions import files_with
from segprep.types import Evidence

EXAMPLES = (
    "segprep convert mat CrackForest/ out/ --variable groundTruth.Segmentation"
    " --ids 1=background,2=crack",
    "segprep convert mat sbd/ out/ --classes names.txt",
)
DEPTH = 6
HEADER = b"MATLAB 5.0 MAT-file"
HDF = b"\x89HDF"


@dataclass(frozen=True, slots=True)
class Reader(ValueReader):
    """Read class ids from MATLAB files."""

    variable: Annotated[
        str, "The variable that holds the ids, with dots into structures: groundTruth.Segmentation."
    ] = ""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A file with the header of MATLAB."""
        reader = cls(root.resolve())
        for path in reader.label_files()[:3]:
            try:
                data = read_below(path, reader.roots(), MAX_BYTES)
            except SourceError:
                continue
            if data.startswith(HEADER):
                return Evidence(0.8, f"{path.name} is a MATLAB file")
        return None

    def label_files(self) -> list[Path]:
        """Every .mat file."""
        return files_with(self.roots()[0], ".mat")

    def array(self, path: Path) -> LabelArray:
        """The class ids of one file."""
        data = read_below(path, self.roots(), MAX_BYTES)
        if HDF in data[:1024]:
            hint = "save it in MATLAB with -v7"
            raise SourceError(path, "is a MATLAB 7.3 file (HDF5)", hint, "bad-array")
        content = _content(data, path)
        matrices = dict(_matrices(content))
        if self.variable:
            chosen = [self.variable] if self.variable in matrices else []
        else:
            chosen = list(matrices)
        if len(chosen) != 1:
            listed = ", ".join(shown(name) for name in list(matrices)[:12]) or "none"
            reason = f"the mask may be any of the matrices {listed}"
            raise SourceError(path, reason, "name one with --variable", "bad-array")
        matrix = matrices[chosen[0]]
        return LabelArray(whole_numbers(matrix, path, limit=self.max_pixels))


def _content(data: bytes, path: Path) -> dict[str, Any]:
    """The variables of a file. Raises MissingExtraError, SourceError."""
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ImportError as error:
        raise MissingExtraError("MATLAB files", "SciPy", "report") from error
    try:
        variables = loadmat(io.BytesIO(data), squeeze_me=True, struct_as_record=True)
    except (MatReadError, ValueError, TypeError, KeyError, IndexError, OSError) as error:
        reason = f"is not a MATLAB file that can be read: {shown(error)[:100]}"
        raise SourceError(path, reason, "save it in MATLAB with -v7", "bad-array") from error
    return {name: value for name, value in variables.items() if not name.startswith("__")}


def _matrices(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, NDArray[Any]]]:
    """Every matrix of numbers with both sides above 1, by its name with dots."""
    if depth > DEPTH:
        return
    prefix = f"{name}." if name else ""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _matrices(inner, f"{prefix}{key}", depth + 1)
    elif isinstance(value, np.ndarray | np.void) and value.dtype.names:
        for key in value.dtype.names:
            inner = value[key]
            yield from _matrices(_unwrapped(inner), f"{prefix}{key}", depth + 1)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        for number, inner in enumerate(value.reshape(-1)):
            yield from _matrices(_unwrapped(inner), f"{prefix}{number}", depth + 1)
    elif isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.ndim == 2:
        yield from [(name, value)] if min(value.shape) > 1 else []


def _unwrapped(value: Any) -> Any:
    """The content of an array of one element, as MATLAB's structures and cells come."""
    return value.reshape(-1)[0] if isinstance(value, np.ndarray) and value.size == 1 else value
