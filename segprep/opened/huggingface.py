"""An opened tree as the datasets library holds it, without writing a file."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, SourceError, require
from segprep.exporting.labeled import labeled
from segprep.files import digest
from segprep.targets._common import pictures
from segprep.types import MAX_PIXELS, Classes, Entry, Skipped
from segprep.writer import Product

_NAMES = {"train": "train", "val": "validation", "test": "test"}


def by_split(root: Path, entries: Sequence[Entry], stems: Mapping[str, tuple[str, ...]]) -> Any:
    """A ``DatasetDict`` of train, validation and test; *stems* by the dataset's names of these."""
    require("to_hf", "datasets", "hf")
    from datasets import DatasetDict

    return DatasetDict(
        {
            _NAMES[name]: dataset(root, [entry for entry in entries if entry.stem in listed])
            for name, listed in stems.items()
        }
    )


def dataset(root: Path, entries: Sequence[Entry]) -> Any:
    """A ``Dataset`` with the columns image, label and stem.

    Its fingerprint is made here: the datasets library would pickle the table, which fails with
    pyarrow 26.
    """
    require("to_hf", "datasets", "hf")
    import pyarrow
    from datasets import Dataset, DatasetInfo, Features, Image, Value
    from datasets.table import InMemoryTable

    rows = _rows(root, entries)
    features = Features({"image": Image(), "label": Image(), "stem": Value("string")})
    columns = [
        pyarrow.array([row[field.name] for row in rows], field.type)
        for field in features.arrow_schema
    ]
    table = InMemoryTable(pyarrow.table(columns, schema=features.arrow_schema))
    return Dataset(table, info=DatasetInfo(features=features), fingerprint=_fingerprint(rows))


def _fingerprint(rows: Iterable[Mapping[str, Any]]) -> str:
    """16 hex digits that change with what the *rows* hold: names, files (by time), bytes."""
    told = bytearray()
    for row in rows:
        told += f"{row['stem']}\0".encode()
        for held in (row["image"], row["label"]):
            if held["path"] is None:
                told += digest(held["bytes"]).encode()
            else:
                told += f"{held['path']}\0{Path(held['path']).stat().st_mtime_ns}\0".encode()
    return digest(told)[:16]


def _rows(root: Path, entries: Iterable[Entry]) -> list[dict[str, Any]]:
    classes, skipped, rows = Tree(root).classes(), list[Skipped](), list[dict[str, Any]]()
    for entry in entries:
        try:
            rows.append(_row(entry, root, classes))
        except SourceError as error:
            skipped.append(Skipped(entry.stem, str(error.path), error.code, error.reason))
    if skipped:
        raise BadInputError(
            "bad-input",
            f"{len(skipped)} samples cannot be used: {skipped[0].path}: {skipped[0].reason}",
            "segprep check lists them all",
            tuple(skipped),
        )
    return rows


def _row(entry: Entry, root: Path, classes: Classes | None) -> dict[str, Any]:
    sample, _ = labeled(entry, (root,), classes, limit=MAX_PIXELS, gray_bits=16)
    image = pictures.kept(sample, "sym", MAX_PIXELS, deep=True).product
    label = pictures.own_mask(sample, "sym", MAX_PIXELS).product
    return {"image": _held(image), "label": _held(label), "stem": entry.stem}


def _held(product: Product) -> dict[str, Any]:
    """The file where it lies, or its new bytes."""
    if product.origin is not None:
        return {"path": str(product.origin), "bytes": None}
    return {"path": None, "bytes": bytes(product.content or b"")}
