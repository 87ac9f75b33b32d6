"""NumPy arrays of class ids: one .npy or .npz per image.

    src/
      masks/NAME.npy      (H, W) class ids, booleans or whole floats; (1, H, W) and (H, W, 1) too;
                          (C, H, W) or (H, W, C) one-hot or probabilities with --axis
      masks/NAME.npz      one array, or the one that --key names
      images/NAME.png     anywhere below SRC or --image-root, by the same stem

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Assumptions: pickled
objects are refused; with --axis the class of a pixel is where its value is largest.
"""

import io
import tokenize
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.files import MAX_BYTES, read_below
from segprep.imaging.whole_numbers import whole_numbers
from segprep.names import shown
from segprep.sources._common.masks.value_files import LabelArray, ValueReader
from segprep.sources._common.shapes.regions import files_with
from segprep.types import Evidence

EXAMPLES = (
    "segprep convert arrays data/ out/ --classes background,cell",
    "segprep convert arrays data/ out/ --axis 0 --key mask",
)
MAX_VALUES = 1 << 28  # numbers of one array
_FAULTS = (
    *(ValueError, KeyError, EOFError, OverflowError, zipfile.BadZipFile),
    *(SyntaxError, tokenize.TokenError),  # NumPy parses the header as program text
)


@dataclass(frozen=True, slots=True)
class Reader(ValueReader):
    """Read class ids from .npy and .npz files."""

    axis: Annotated[
        int | None, "The axis of the classes of one-hot or probability arrays: 0, or -1 for last."
    ] = None
    key: Annotated[str, "The array to read where a .npz holds several."] = ""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """.npy or .npz files, and images of the same names."""
        reader = cls(root.resolve())
        for path in reader.label_files()[:5]:
            try:
                reader.array(path)
            except SourceError:
                continue
            return Evidence(0.7, f"{path.name} holds whole numbers, one per pixel")
        return None

    def label_files(self) -> list[Path]:
        """Every .npy and .npz file."""
        root = self.roots()[0]
        return sorted([*files_with(root, ".npy"), *files_with(root, ".npz")])

    def array(self, path: Path) -> LabelArray:
        """The class ids of one file."""
        data = read_below(path, self.roots(), MAX_BYTES)
        array = self._member(data, path) if data[:2] == b"PK" else _load(io.BytesIO(data), path)
        if self.axis is not None:
            if not -array.ndim <= self.axis < array.ndim or array.ndim < 3:
                reason = f"has the shape {array.shape}: there is no axis {self.axis} of classes"
                raise SourceError(path, reason, "leave --axis out for (H, W)", "bad-array")
            array = array.argmax(axis=self.axis)
        return LabelArray(whole_numbers(array, path, limit=self.max_pixels))

    def _member(self, data: bytes, path: Path) -> NDArray[Any]:
        """The only array of an .npz, or the one that --key names."""
        try:
            archive = zipfile.ZipFile(io.BytesIO(data))
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            chosen = f"{self.key}.npy" if self.key else names[0] if len(names) == 1 else ""
            if chosen not in names:
                listed = ", ".join(shown(name.removesuffix(".npy")) for name in names) or "none"
                reason = f"holds the arrays {listed}"
                raise SourceError(path, reason, "name one with --key", "bad-array")
            if archive.getinfo(chosen).file_size > 8 * MAX_VALUES:
                size = archive.getinfo(chosen).file_size
                raise SourceError(
                    path, f"{chosen} has {size} bytes unpacked", code="file-too-large"
                )
            with archive.open(chosen) as member:
                return _load(member, path)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise SourceError(path, f"is damaged: {error}", code="bad-array") from error


def _load(stream: Any, path: Path) -> NDArray[Any]:
    """The array of *stream*, whose size is checked before it is read. Raises SourceError."""
    try:
        version = np.lib.format.read_magic(stream)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = reader(stream)
        count = int(np.prod(shape, dtype=np.float64))
        if dtype.hasobject or count > MAX_VALUES or len(shape) > 4:
            reason = f"holds {shape} of {dtype}"
            raise SourceError(path, reason, "save class ids as whole numbers", "bad-array")
        data = stream.read(count * dtype.itemsize)
        array = np.frombuffer(data, dtype, count).reshape(shape[::-1] if fortran else shape)
    except _FAULTS as error:
        reason = f"is not a NumPy array: {shown(error)[:100]}"
        raise SourceError(path, reason, "save it again with numpy.save", "bad-array") from error
    return array.T if fortran else array
