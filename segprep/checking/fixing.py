"""Repairs that are safe: a plan first, then the changes, with all that is needed to undo them.

What would need a guess is not in the plan. Originals are kept below ``runs/fix-N/``, and undo.json
there names every change; undoing refuses files that were changed since.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep import jsontext
from segprep.checks import wrong_extension
from segprep.checks._common import labels
from segprep.checks._common.entries import bare_name
from segprep.checks._common.survey import Pair, Survey
from segprep.dataset.staging import lock
from segprep.dataset.tree import RUNS
from segprep.dataset.tree_files import guard_links, list_bytes
from segprep.errors import SourceError
from segprep.files import (
    digest,
    digest_file,
    read_below,
    real_folders,
    write_error,
)
from segprep.imaging import image, inspection, transcoding
from segprep.outputs import OutputFolder
from segprep.types import IGNORE

RECORD = "undo.json"


@dataclass(frozen=True, slots=True)
class Repair:
    """One file that changes: *path* (relative) becomes *target* (the same, or another name) with
    new content; *text* says what is done and for which finding (*code*).
    """

    code: str
    path: str
    target: str
    text: str
    content: Callable[[], bytes] | None = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """What was repaired: the changes, and the folder that undoes them (None: nothing was done).

    *left* counts the files that are not repaired because segprep wrote them: they are remade.
    """

    repairs: tuple[Repair, ...]
    record: Path | None
    left: int = 0


def plan(survey: Survey) -> Fixed:
    """The safe repairs of a dataset that was read, none of them done. In a tree with a manifest
    only lists are repaired: images and masks are remade by converting again, or by ``segprep
    remap``.
    """
    lists, files = list(_lists(survey)), _files(survey)
    if survey.manifest is not None:
        return Fixed(tuple(lists), None, len(files))
    return Fixed((*lists, *files), None)


def _files(survey: Survey) -> list[Repair]:
    if survey.kind == "annotations":
        return []
    repairs = list(_masks(survey))
    taken = {repair.path for repair in repairs}
    return repairs + [repair for repair in _images(survey) if repair.path not in taken]


def _lists(survey: Survey) -> Iterator[Repair]:
    stems = {pair.stem for pair in survey.pairs if pair.mask}
    for file in survey.lists:
        if file.trouble:
            continue
        plain = [entry if entry in stems else bare_name(entry, stems) for entry in file.entries]
        kept = tuple(dict.fromkeys(name for name in plain if name))
        new = list_bytes(kept)
        if new != file.text.encode() and kept:
            gone = sum(1 for name in plain if not name)
            twice = len(plain) - gone - len(kept)
            text = f"{len(kept)} names, one per line; {gone} stale and {twice} repeated are dropped"
            name = survey.name(file.path)
            yield Repair("SEG402", name, name, text, _constant(new))


def _constant(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def _masks(survey: Survey) -> Iterator[Repair]:
    """Masks whose values have one certain meaning."""
    causes = labels.causes(survey)
    names = survey.classes.names if survey.classes else ()
    white = (
        len(names) == 2
        and survey.background == 0
        and all(
            causes.get(pair.stem) == "black-and-white"
            for pair in survey.labeled
            if pair.label and len(pair.label.values) > 1
        )
    )
    flat = _ungrayed(len(names))
    for pair in survey.labeled:
        cause, name = causes.get(pair.stem), survey.name(pair.mask)
        assert pair.label
        values = set(pair.label.values)
        if cause == "black-and-white" and white and values <= {0, IGNORE}:
            table = {0: 0, IGNORE: 1}
            yield Repair("SEG302", name, name, f"255 becomes 1 ({names[1]})", _mapped(pair, table))
        elif cause == "flattened" and flat and values <= flat.keys():
            text = "gray levels of VOC's colors become ids"
            yield Repair("SEG304", name, name, text, _mapped(pair, flat))
        elif cause == "colors" and (colors := _voc_colors(pair, survey)):
            text = "VOC's colors become ids"
            yield Repair("SEG303", name, name, text, _indexed(pair, colors))


def _ungrayed(count: int) -> dict[int, int]:
    """Gray level -> id for *count* classes; empty where two classes have one gray level."""
    grays = labels.grays()
    chosen = [*range(count), IGNORE]
    table = {grays[value]: value for value in chosen}
    return table if count and len(table) == len(chosen) else {}


def _voc_colors(pair: Pair, survey: Survey) -> dict[tuple[int, int, int], int]:
    """Color -> id, if every color of the mask is VOC's color of a class, or of ignored pixels."""
    label = pair.label
    if not label or label.values or label.color_count != len(label.colors) or not survey.ids:
        return {}
    table = image.voc_colors()
    ids = {(table[3 * n], table[3 * n + 1], table[3 * n + 2]): n for n in sorted(survey.ids)}
    return ids if set(label.colors) <= ids.keys() and len(ids) == len(survey.ids) else {}


def _mapped(pair: Pair, table: Mapping[int, int]) -> Callable[[], bytes]:
    def content() -> bytes:
        stored = _stored(pair)
        look_up = np.zeros(256, np.uint8)
        look_up[list(table)] = list(table.values())
        return image.encode_mask(look_up[stored])

    return content


def _indexed(pair: Pair, colors: Mapping[tuple[int, int, int], int]) -> Callable[[], bytes]:
    def content() -> bytes:
        stored = _stored(pair)
        ids = np.zeros(stored.shape[:2], np.uint8)
        for color, value in colors.items():
            ids[(stored[..., :3] == color).all(-1)] = value
        return image.encode_mask(ids)

    return content


def _stored(pair: Pair) -> NDArray[Any]:
    assert pair.mask
    path = pair.mask.resolve()
    return inspection.mask(read_below(path, (path.parent,)), path).samples


def _images(survey: Survey) -> Iterator[Repair]:
    """Wrong extensions, and photographs whose masks show that they were drawn upright."""
    for pair, photo in survey.images():
        assert pair.image
        path, name = pair.image, survey.name(pair.image)
        endings = wrong_extension.EXTENSIONS.get(photo.format, ())
        upright, stored = photo.shapes()
        if photo.orientation > 1 and pair.label and pair.label.shape == upright != stored:
            target = survey.name(path.with_suffix(".png"))
            text = f"written upright (EXIF orientation {photo.orientation}), lossless"
            if target == name or not path.with_suffix(".png").exists():
                yield Repair("SEG104", name, target, text, _upright(path))
        elif endings and path.suffix.lower() not in endings:
            renamed = path.with_suffix(endings[0])
            if not renamed.exists() or _equal(path, renamed):  # half done by a run that was stopped
                text = f"renamed: it is a {photo.format} file"
                yield Repair("SEG103", name, survey.name(renamed), text)


def _equal(first: Path, second: Path) -> bool:
    try:
        return digest_file(first) == digest_file(second)
    except SourceError:
        return False


def _upright(path: Path) -> Callable[[], bytes]:
    def content() -> bytes:
        return transcoding.transcode(read_below(path, (path.parent,)), path, "png")[0]

    return content


def apply(survey: Survey, planned: Fixed) -> Fixed:
    """Carry out what is *planned*: originals are kept first, the record is written before any
    change.

    Raises SegprepError where a file cannot be written, TreeError where a link stands in the way.
    """
    guard_links(survey.root)
    if not planned.repairs:
        return planned
    with lock(survey.root):
        return replace(planned, record=_applied(survey, planned.repairs))


def _applied(survey: Survey, repairs: Sequence[Repair]) -> Path:
    """Where the record of the *repairs* lies, once they are done."""
    folder, home = _fresh(survey.root / RUNS), OutputFolder(survey.root)
    done: list[dict[str, Any]] = []
    contents: dict[str, bytes] = {}
    for repair in repairs:
        old = read_below(home.at(repair.path).absolute(), real_folders(survey.root))
        new = repair.content() if repair.content else old
        contents[repair.path] = new
        OutputFolder(folder).write(f"originals/{repair.path}", old)
        plain = {name: value for name, value in asdict(repair).items() if name != "content"}
        done.append({**plain, "before": digest(old), "after": digest(new)})
    OutputFolder(folder).write(RECORD, jsontext.encoded({"changes": done}))
    for repair in repairs:
        home.write(repair.target, contents[repair.path])
        if repair.target != repair.path:
            home.remove(repair.path)
    return folder


def _fresh(runs: Path) -> Path:
    number = 1
    while (runs / f"fix-{number}").exists():
        number += 1
    folder = runs / f"fix-{number}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise write_error(folder, error) from error
    return folder
