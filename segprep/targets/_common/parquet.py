"""Parquet files whose image columns hold the bytes, as the datasets library stores them."""

import io
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One sample of a table: encoded image and mask."""

    stem: str
    suffix: str
    image: bytes
    mask: bytes

    def packed(self) -> bytes:
        """The row as one string of bytes; :func:`_row` is the way back."""
        name = f"{self.stem}{self.suffix}".encode()
        return struct.pack("<II", len(name), len(self.image)) + name + self.image + self.mask


def available() -> bool:
    """Whether pyarrow can be imported."""
    return find_spec("pyarrow") is not None


def table(rows: Sequence[bytes]) -> bytes:
    """One Parquet file of packed *rows* with the columns image, label and stem."""
    import pyarrow
    from pyarrow import parquet

    picture = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    images, labels, stems = zip(*map(_row, rows), strict=True)
    columns: dict[str, Any] = {
        "image": pyarrow.array(images, picture),
        "label": pyarrow.array(labels, picture),
        "stem": pyarrow.array(stems, pyarrow.string()),
    }
    kinds = {"image": {"_type": "Image"}, "label": {"_type": "Image"}}
    kinds["stem"] = {"dtype": "string", "_type": "Value"}
    info = json.dumps({"info": {"features": kinds}}).encode()
    out = io.BytesIO()
    data = pyarrow.table(columns).replace_schema_metadata({b"huggingface": info})
    parquet.write_table(data, out, row_group_size=100, compression="none")
    return out.getvalue()


def _row(packed: bytes) -> tuple[dict[str, Any], dict[str, Any], str]:
    name_size, image_size = struct.unpack_from("<II", packed)
    at = 8 + name_size
    name = packed[8:at].decode()
    stem = name.rpartition(".")[0]
    image = {"bytes": packed[at : at + image_size], "path": name}
    return image, {"bytes": packed[at + image_size :], "path": f"{stem}.png"}, stem
