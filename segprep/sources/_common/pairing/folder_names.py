"""What names of files and folders say: their words, which of them mean images and which masks, and
a stem without them.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path, PureWindowsPath
from typing import Annotated

from segprep.errors import UsageError
from segprep.files import listing
from segprep.imaging.image import SUFFIXES
from segprep.names import stem_key, stem_of, unknown
from segprep.sources._common.pairing.official_lists import SPLITS

MASKS = {
    "semantic", "mask", "masks", "label", "labels", "labeled", "annotation", "annotations",
    "annot", "annots", "segmentation", "segmentations", "class", "seg", "segs", "gt", "gts",
    "groundtruth", "truth", "truths",
    "target", "targets", "manual", "trimap", "trimaps", "gtfine", "ann", "anns", "labelid",
    "labelids", "approved", "id",
}  # fmt: skip
IMAGES = {
    "image", "images", "img", "imgs", "frame", "frames", "jpeg", "jpegs", "photo", "photos",
    "picture", "pictures", "im", "input", "inputs", "leftimg", "raw", "rgb", "original",
    "originals", "orig", "org", "stills", "dir",
}  # fmt: skip
PREDICTED = {
    "pred", "preds", "predict", "predicted", "prediction", "predictions", "inference", "result",
    "results", "output", "outputs",
}  # fmt: skip
OBJECTS = {"object", "objects", "instance", "instances", "instanceids", "npy", "visualization"}
ExcludeFolder = Annotated[
    tuple[str, ...], "Skip this folder below SRC (name or relative path), e.g. a copy."
]
_TAILS = (
    *("annotations", "annotation", "annot", "labels", "label", "masks", "mask", "images", "image"),
    *("imgs", "img", "frames", "crops", "crop", "set", "data"),
)
_FOLDER_SPLITS = {
    **SPLITS,
    **{"eval": "val", "evaluation": "val"},  # as list files, these would be scores
    **{"tr": "train", "ts": "test"},  # nnU-Net's
}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W_]", re.UNICODE)
_INNER_SUFFIX = re.compile(r"\.(jpe?g|png|bmp|tiff?)(?=[_. -]?[a-z]+[_. -]?\d)")  # 1.pngpatch_00
_VIEW = re.compile(r"fov(?!e)|field[ _-]?of[ _-]?view")
LONGER = re.compile(r"(?P<stem>.+?)(?P<word>[ _.-]+[^\W\d_][^ _.-]*)")  # s0_vessel, not s0_2
_LAST_NUMBER = re.compile(r"(\d+)\D*$")


def words(name: str) -> list[str]:
    """The lower-case words of a file or folder name: ``train_masks``, ``trainannot``,
    ``StillsRaw``.
    """
    parts = [word.lower() for word in _WORDS.findall(name)]
    return [part for word in parts for part in _halves(word)]


def split_name(key: Sequence[str]) -> str:
    """The list that the words *key* name; "" where they name none, or several (TrainVal)."""
    named = {_FOLDER_SPLITS[word] for word in key if word in _FOLDER_SPLITS}
    return named.pop() if len(named) == 1 else ""


@lru_cache(maxsize=4096)
def split_of(folder: str) -> str:
    """The list that a *folder* stands for: the innermost of its parts that names one, or ""."""
    parts = PureWindowsPath(folder).parts
    return next((name for part in reversed(parts) if (name := split_name(words(part)))), "")


def shows_view(name: str) -> bool:
    """Whether a folder is called the field of view of a camera: fov_masks, FieldOfView; not fovea,
    which is a part of the eye.
    """
    return bool(_VIEW.search(name.lower()))


def _halves(word: str) -> list[str]:
    for tail in _TAILS:
        if word.endswith(tail) and word[: -len(tail)] in SPLITS:
            return [word[: -len(tail)], tail]
    return [word]


def whole_name(stem: str) -> str:
    """*stem* without the extension inside that tiles of ``1.jpg`` keep: ``1.jpgpatch_00``."""
    return _INNER_SUFFIX.sub("", stem)


def bare(stem: str) -> str:
    """*stem* without words such as mask, label, gt, image, frame at either end, and without an
    image's extension, even inside, as in the tiles of ``1.jpg`` and ``1.png``.
    """
    key = whole_name(stem_key(stem))
    parts = re.split(r"([_\-. ]+)", stem_of(key) if key.endswith(SUFFIXES) else key)
    while len(parts) > 1 and (parts[0] in MASKS | IMAGES or not parts[0]):
        parts = parts[2:]
    while len(parts) > 1 and (_is_tail(parts[-1]) or not parts[-1]):
        parts = parts[:-2]
    return "".join(parts)


def _is_tail(word: str) -> bool:
    return word in MASKS | IMAGES | {
        "l",
        "p",
        "color",
        "colour",  # codespell:ignore
        "binary",
        "image",
        "leftimg8bit",
        "sat",
    } or word.rstrip("0123456789") in {
        "manual",
        "mask",
        "label",
    }


def number(stem: str) -> str:
    """The last number in *stem* without leading zeros; "" where there is none."""
    match = _LAST_NUMBER.search(stem)
    return str(int(match[1])) if match else ""


def is_excluded(path: Path, root: Path, excluded: Sequence[str]) -> bool:
    """Whether *path* is, or lies below, a folder of that name or relative path."""
    parts = path.relative_to(root).parts
    return any(
        tuple(name.strip("/").split("/")) == parts[start : start + len(name.strip("/").split("/"))]
        for name in excluded
        for start in range(len(parts))
    )


def refuse_absent(roots: Sequence[Path], excluded: Sequence[str]) -> None:
    """Raise UsageError for one of *excluded* that no folder below *roots* is called: mistyped, it
    would leave nothing alone.
    """
    if not excluded:
        return
    folders = {(root, Path(folder)) for root in roots for folder, _ in listing(str(root))}
    for name in excluded:
        if any(is_excluded(folder, root, (name,)) for root, folder in folders):
            continue
        if not any((root / name.strip("/")).is_dir() for root in roots):
            names = {part for root, folder in folders for part in folder.relative_to(root).parts}
            raise UsageError("bad-option", *unknown("folder", name, sorted(names)))
