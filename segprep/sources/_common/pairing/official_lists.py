"""Official lists beside a source, as people write them: which text file is which list, and which
sample a line means.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from segprep.dataset import class_tables
from segprep.dataset.tree import LISTS
from segprep.errors import SourceError, TreeError
from segprep.files import read_below
from segprep.names import stem_key, stem_of
from segprep.types import Note

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
    "trainval": "trainval",
}
ListsFromFolders = Annotated[
    Literal["auto", "no"],
    "auto = folders called train, val, test become ImageSets lists; no = they do not.",
]
_GAP = re.compile(r"[\s,;]+")


def unlisted(stems: Sequence[str], what: str) -> list[Note]:
    """A note on samples in no list, though other folders stand for lists; *what* they are."""
    if not stems:
        return []
    reason = f"{len(stems)} {what} lie in no folder called train, val or test: in no list"
    return [Note("listed-missing", f"{reason}; {stems[0]} first")]


def names(said: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Key -> sample of (*what a line may say*, sample); "" where it may mean several."""
    samples: dict[str, str] = {}
    for text, stem in said:
        if samples.setdefault(stem_key(text), stem) != stem:
            samples[stem_key(text)] = ""
    return samples


def find(
    root: Path,
    folders: Sequence[Path],
    sample_names: Callable[[], Sequence[Mapping[str, str]]],
    notes: list[Note],
) -> dict[str, tuple[str, ...]]:
    """The lists of the first of *folders* that has any that name a sample: all of its
    ImageSets/Segmentation, else train, val, test.txt in splits/ or itself.

    *known* gives :func:`names`, the surest first. Names that are not samples are counted in
    *notes*; an empty file is an empty list. Raises TreeError, SourceError.
    """
    for folder in (
        home
        for folder_above in folders
        for home in (folder_above / LISTS, folder_above / "splits", folder_above)
    ):
        every = folder.as_posix().endswith(LISTS)
        paths = (
            sorted(
                path
                for path in folder.glob("*.txt")
                if path.name[0] != "."
                and path.name not in class_tables.NAMES
                and (every or path.stem.lower() in SPLITS)
            )
            if folder.is_dir()
            else []
        )
        lost, stems = list[Note](), sample_names() if paths else ()
        lists = {
            SPLITS.get(path.stem.lower(), path.stem): _listed(path, root, stems, lost)
            for path in paths
        }
        if any(lists.values()):
            notes += lost
            return {name: listed for name, listed in lists.items() if listed or name in SPLITS}
    return {}


def _listed(
    path: Path, root: Path, sample_names: Sequence[Mapping[str, str]], notes: list[Note]
) -> tuple[str, ...]:
    readings = []
    for text in _texts(path, root):
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        readings.append([(line, _meant(line, sample_names)) for line in lines])
    reading = max(
        readings, key=lambda reading: sum(bool(stem) for _, stem in reading)
    )  # the first of equals
    if lost := [line for line, stem in reading if not stem]:
        notes.append(
            Note(
                "listed-missing",
                f"{path.name} lists {len(lost)} names that are not samples, {lost[0]!r} first; they"
                " were skipped",
            )
        )
    return tuple(dict.fromkeys(stem for _, stem in reading if stem))


def _texts(path: Path, root: Path) -> list[str]:
    """The file as UTF-8, or as what Windows writes: UTF-16 with its mark, GB18030, some of which is
    UTF-8 by chance. Raises TreeError, SourceError.
    """
    try:
        data = read_below(path, (root,))
    except SourceError as error:
        if error.code == "empty-file":  # tutorials share out everything and leave test.txt empty
            return [""]
        raise
    texts = []
    for encoding in (
        ("utf-16",)
        if data[:2] in (b"\xff\xfe", b"\xfe\xff")
        else ("utf-8-sig",)
        if data.isascii()
        else ("utf-8-sig", "gb18030")
    ):
        try:
            texts.append(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    if not texts or "\0" in texts[0]:
        raise TreeError("bad-list", f"{path} is not text", "save it as UTF-8, one sample per line")
    return texts


def _meant(line: str, sample_names: Sequence[Mapping[str, str]]) -> str:
    """The sample that *line* means: the whole line or its first word, less folders at its start,
    with or without an extension.
    """
    for text in dict.fromkeys((line, _GAP.split(line)[0])):
        parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        for start in range(len(parts)):
            path = "/".join(parts[start:])
            for key in (path, path[: -len(parts[-1])] + stem_of(parts[-1])):
                for stems in sample_names:
                    if stem := stems.get(stem_key(key)):
                        return stem
    return ""
