"""segprep.json and records.jsonl: what a tree is made of, and from what.

Rendered without timestamps, so equal input gives equal bytes. The manifest ends with a digest of
itself and holds those of the records and the lists; the records hold those of images and masks.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, get_args

from blake3 import blake3

from segprep import jsontext
from segprep.dataset import fields
from segprep.errors import SourceError, TreeError
from segprep.files import digest, open_inside, read_inside
from segprep.types import Classes, Covered, Note, Outcome, Record, Unpainted

SCHEMA = 1
SEAL = 40  # characters of a digest; a zip export ends with that of all its other bytes
MANIFEST, RECORDS, EXPORT = "segprep.json", "records.jsonl", "segprep-export.json"
LONGEST_LINE = 16 << 20  # bytes of one line of records.jsonl
RESTORE = "restore it, or convert again with --overwrite"
_FIELDS: Mapping[str, fields.Check] = {
    "source": fields.mapping,
    "versions": fields.values(fields.text),
    "counts": fields.mapping,
    "records": fields.hexadecimal,
    "split": fields.optional(fields.split_record),
    "skipped": fields.each(fields.values(fields.text)),
}
_SOURCE = {"format": fields.text, "path": fields.text, "options": fields.mapping}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What segprep.json holds. *source* is {format, path (relative to the tree), options}; *split*
    the split record, or None; *lists* the digests of the lists that segprep wrote, by name.
    """

    classes: Classes
    source: Mapping[str, Any]
    versions: Mapping[str, str]
    counts: Mapping[str, Any]
    records: str
    split: Mapping[str, Any] | None = None
    skipped: tuple[Mapping[str, Any], ...] = ()
    schema: int = SCHEMA
    lists: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def with_split(
        self, split: Mapping[str, Any] | None, lists: Mapping[str, str] | None = None
    ) -> "Manifest":
        """The same with another split record, and the digests of its *lists*."""
        return replace(self, split=split, lists=self.lists if lists is None else lists)


def dump(manifest: Manifest) -> bytes:
    """*manifest* as the bytes of segprep.json."""
    content = asdict(manifest)
    content |= content.pop("extra")
    return sealed({"schema": content.pop("schema"), **content})


def sealed(content: Mapping[str, Any]) -> bytes:
    """*content* as indented JSON that ends with a digest of itself."""
    data = jsontext.encoded(content)
    end = jsontext.encoded({"digest": digest(data)}).removeprefix(b"{")
    return data.removesuffix(b"\n}\n") + b"," + end


def intact(data: bytes) -> bool | None:
    """Whether *data*, the bytes of a sealed document, are as they were written; None where it has
    no digest of itself (written by an older segprep).
    """
    try:
        content = json.loads(data)
        if "digest" not in content:
            return None
        own = content.pop("digest")
        return bool(own == digest(jsontext.encoded(content)) and data == sealed(content))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return False


def load(path: Path) -> Manifest | None:
    """The manifest at *path*, or None where there is none.

    Raises TreeError if it is damaged or newer.
    """
    try:
        data = read_inside(path.parent, path.name)
        content = None if data is None else json.loads(data)
    except SourceError as error:
        raise TreeError("bad-manifest", f"{path}: {error.reason}", RESTORE) from error
    except (ValueError, RecursionError) as error:
        raise TreeError("bad-manifest", f"{path}: {error}", RESTORE) from error
    if data is None:
        return None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        schema = content.get("schema") if isinstance(content, dict) else "?"
        raise TreeError(
            "bad-manifest",
            f"{path}: schema {schema}; this segprep reads {SCHEMA}",
            "update segprep, or convert again with --overwrite",
        )
    try:
        return _manifest(content)
    except ValueError as error:
        raise TreeError("bad-manifest", f"{path}: {error}", RESTORE) from error


def _manifest(content: dict[str, Any]) -> Manifest:
    """The Manifest of parsed *content*. Raises ValueError with the address of what is wrong."""
    checked = fields.fields(content, _FIELDS)
    checked["source"] |= fields.fields(checked["source"], _SOURCE)
    checked["skipped"] = tuple(checked["skipped"])
    checked["lists"] = fields.values(fields.hexadecimal)(content.get("lists", {}), "lists")
    listed = fields.fields(
        fields.mapping(content.get("classes"), "classes"),
        {
            "names": fields.class_names,
            "background": fields.optional(fields.class_id),
            "ignore": fields.optional(fields.class_id),
        },
    )
    used = {*checked, "classes", "schema", "digest"}
    extra = {name: value for name, value in content.items() if name not in used}
    return Manifest(Classes(**listed), **checked, extra=extra)


def dump_record(record: Record) -> bytes:
    """*record* as one line of records.jsonl, with its newline."""
    content = {name: getattr(record, name) for name in Record.__slots__}
    content["pixels"] = {str(value): count for value, count in record.pixels.items()}
    content["notes"] = [_plain_note(note) for note in record.notes]
    content["unpainted"] = [list(astuple(entry)) for entry in record.unpainted]
    if not record.unpainted:
        del content["unpainted"]
    return jsontext.line(content)


def load_record(line: bytes) -> Record:
    """The Record of one line: every file it names is exactly the one that its stem has in a tree.

    Raises ValueError with the address of what is wrong.
    """
    try:
        content = fields.mapping(json.loads(line), "record")
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    checked = fields.fields(content, _RECORD)
    stem = checked["stem"]
    for kind in ("image", "mask", "objects"):
        if kind != "objects" or checked[kind] is not None:
            fields.file_name(checked[kind], kind, stem)
    files = {checked["image"], checked["mask"], checked["objects"]} - {None}
    if checked["digests"].keys() != files:
        raise ValueError(f"digests: must be those of {', '.join(sorted(files))}")
    checked["pixels"] = {int(value): number for value, number in checked["pixels"].items()}
    checked["notes"] = tuple(replace(note, stem=stem) for note in checked["notes"])
    labels = fields.each(_unpainted)(content.get("unpainted", []), "unpainted")
    return Record(**checked, unpainted=tuple(labels))


def written_record(line: bytes) -> Record:
    """The Record of one line that this program wrote, as the digest of its file showed: a quarter
    of the time of :func:`load_record`, which looks at every field.

    Raises ValueError for what no record can be.
    """
    content = jsontext.parsed(line)
    try:
        plain = {name: content[name] for name in _RECORD}
        plain["pixels"] = {int(value): count for value, count in content["pixels"].items()}
        plain["notes"] = tuple(
            replace(_note(note, "notes"), stem=content["stem"]) for note in content["notes"]
        )
        labels = tuple(_unpainted(entry, "unpainted") for entry in content.get("unpainted", ()))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"is not a record: {error}") from error
    return Record(**plain, unpainted=labels)


def _unpainted(value: Any, address: str) -> Unpainted:
    parts = fields.array(value, address)
    if len(parts) != 4 or parts[3] not in get_args(Outcome):
        raise ValueError(f"{address}: must be label, shapes, pixels, outcome")
    shapes, pixels = (fields.count(part, address) for part in parts[1:3])
    return Unpainted(fields.text(parts[0], address), shapes, pixels, parts[3])


def _note(value: Any, address: str) -> Note:
    note = fields.mapping(value, address)
    checked = fields.fields(note, {"code": fields.text, "message": fields.text})
    covered = _covered(note["covered"], f"{address}.covered") if "covered" in note else None
    return Note(checked["code"], checked["message"], covered=covered)


def _covered(value: Any, address: str) -> Covered:
    parts = fields.mapping(value, address)
    counts = dict.fromkeys(("shapes", "hidden", "pixels", "covered"), fields.count)
    return Covered(**fields.fields(parts, {"label": fields.text, **counts, "by": fields.text}))


def _plain_note(note: Note) -> dict[str, Any]:
    content: dict[str, Any] = {"code": note.code, "message": note.message}
    if note.covered is not None:
        content["covered"] = {key: getattr(note.covered, key) for key in Covered.__slots__}
    return content


_RECORD: Mapping[str, fields.Check] = {
    "stem": fields.stem,
    "source": fields.text,
    "image": fields.text,
    "mask": fields.text,
    "objects": fields.optional(fields.text),
    "height": fields.count,
    "width": fields.count,
    "pixels": fields.values(fields.count),
    "digests": fields.values(fields.hexadecimal),
    "item": fields.text,
    "inputs": fields.values(fields.optional(fields.text)),
    "notes": fields.each(_note),
}


def next_line(file: BinaryIO) -> bytes:
    """The next line of records, empty at the end. Raises ValueError for one that no record has."""
    line = file.readline(LONGEST_LINE)
    if len(line) == LONGEST_LINE:
        raise ValueError(f"a line has {LONGEST_LINE} bytes or more")
    return line


def load_records(path: Path, expected: str | None = None) -> Iterator[Record]:
    """The records of *path*, one at a time; *expected* is the digest that the manifest keeps of
    them. Raises TreeError at a damaged line, and after the last one where the digest differs.
    """
    checksum, number = blake3(), 0
    try:
        with open_inside(path.parent, path.name) as file:
            while line := next_line(file):
                number += 1
                checksum.update(line)
                yield load_record(line)
    except SourceError as error:
        raise TreeError("bad-manifest", f"{path}: {error.reason}", RESTORE) from error
    except ValueError as error:
        raise TreeError("bad-manifest", f"{path}:{number}: {error}", RESTORE) from error
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise TreeError("bad-manifest", f"{path}: {reason}", RESTORE) from error
    if expected is not None and checksum.hexdigest(20) != expected:
        raise TreeError(
            "bad-manifest", f"{path}: was changed after {MANIFEST} was written", RESTORE
        )
