"""segprep.json and records.jsonl: what a tree is made of, and from what.

Rendered without timestamps, so equal input gives equal bytes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

from segprep import jsontext
from segprep.errors import TreeError
from segprep.types import Classes, Note, Record, Unpainted

SCHEMA = 1
MANIFEST, RECORDS = "segprep.json", "records.jsonl"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What segprep.json holds. *source* is {format, path (relative to the tree), options}; *split*
    the split record, or None.
    """

    classes: Classes
    source: Mapping[str, Any]
    versions: Mapping[str, str]
    counts: Mapping[str, Any]
    records: str
    split: Mapping[str, Any] | None = None
    skipped: tuple[Mapping[str, Any], ...] = ()
    schema: int = SCHEMA
    extra: Mapping[str, Any] = field(default_factory=dict)

    def with_split(self, split: Mapping[str, Any] | None) -> "Manifest":
        """The same with another split record."""
        return replace(self, split=split)


def dump(manifest: Manifest) -> bytes:
    """*manifest* as the bytes of segprep.json."""
    content = asdict(manifest)
    content |= content.pop("extra")
    return jsontext.encoded({"schema": content.pop("schema"), **content})


def load(path: Path) -> Manifest | None:
    """The manifest at *path*, or None where there is none.

    Raises TreeError if it is damaged or newer.
    """
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise TreeError(
            "bad-manifest", f"{path}: {error}", "restore it, or convert again with --overwrite"
        ) from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        schema = content.get("schema") if isinstance(content, dict) else "?"
        raise TreeError(
            "bad-manifest",
            f"{path}: schema {schema}; this segprep reads {SCHEMA}",
            "update segprep, or convert again with --overwrite",
        )
    try:
        listed = content.pop("classes")
        classes = Classes(tuple(listed["names"]), listed["background"], listed["ignore"])
        known = {
            name: content.pop(name)
            for name in ("source", "versions", "counts", "records", "split", "skipped", "schema")
        }
        return Manifest(classes, **known | {"skipped": tuple(known["skipped"])}, extra=content)
    except (KeyError, TypeError, AttributeError) as error:
        raise TreeError(
            "bad-manifest",
            f"{path}: {error!r} is missing or of the wrong type",
            "restore it, or convert again with --overwrite",
        ) from error


def dump_record(record: Record) -> bytes:
    """*record* as one line of records.jsonl, with its newline."""
    content = {name: getattr(record, name) for name in Record.__slots__}
    content["pixels"] = {str(value): count for value, count in record.pixels.items()}
    content["notes"] = [{"code": note.code, "message": note.message} for note in record.notes]
    content["unpainted"] = [list(astuple(entry)) for entry in record.unpainted]
    if not record.unpainted:
        del content["unpainted"]
    return jsontext.encoded(content, compact=True)


def load_record(line: bytes) -> Record:
    """The Record of one line. Raises ValueError."""
    try:
        content = json.loads(line)
        content["pixels"] = {int(value): count for value, count in content["pixels"].items()}
        content["notes"] = tuple(
            Note(note["code"], note["message"], content["stem"]) for note in content["notes"]
        )
        content["unpainted"] = tuple(Unpainted(*entry) for entry in content.get("unpainted", ()))
        return Record(**content)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no record: {error!r}") from error


def load_records(path: Path) -> Iterator[Record]:
    """The records of *path*, one at a time. Raises TreeError at a damaged line."""
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield load_record(line)
                except ValueError as error:
                    raise TreeError(
                        "bad-manifest",
                        f"{path}:{number}: {error}",
                        "convert again with --overwrite",
                    ) from error
    except OSError as error:
        raise TreeError(
            "bad-manifest",
            f"{path}: {error.strerror}",
            "restore it, or convert again with --overwrite",
        ) from error


def summarise(records: Iterable[Record], classes: Classes) -> dict[str, Any]:
    """Totals over *records*: images, and per class name (and "ignored") the pixels and the images
    that have any.
    """
    names = dict(enumerate(classes.names)) | (
        {classes.ignore: "ignored"} if classes.ignore is not None else {}
    )
    images, pixels, present = 0, dict.fromkeys(names.values(), 0), dict.fromkeys(names.values(), 0)
    for record in records:
        images += 1
        for value, count in record.pixels.items():
            name = names.get(value, str(value))
            pixels[name] = pixels.get(name, 0) + count
            present[name] = present.get(name, 0) + 1
    return {"images": images, "pixels": pixels, "images_with": present}
