"""What is to be predicted: one image, a folder of them, a dataset or one of its lists, the frames
of a video. Nothing is read before its turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from numpy.typing import NDArray

from segprep.dataset import tree
from segprep.dataset.tree import IMAGES, Tree
from segprep.errors import SegprepError, UsageError
from segprep.files import read_below, walk
from segprep.imaging import video
from segprep.imaging.image import SUFFIXES
from segprep.imaging.samples import rgb
from segprep.names import natural_key, stem_key
from segprep.types import Classes, Note, Skipped


@dataclass(frozen=True, slots=True)
class Input:
    """One image: *stem* names what is made of it (with the folders below the source, by slashes),
    *path* lies below one of *roots* (resolved).
    """

    stem: str
    path: Path
    roots: tuple[Path, ...]

    def pixels(self) -> NDArray[Any]:
        """(H, W, 3), upright. Raises SourceError."""
        return rgb(read_below(self.path, self.roots), self.path)


@dataclass(frozen=True, slots=True)
class PredictionInputs:
    """All that *source* (resolved) holds: *images* in natural order, or one *video*; what cannot be
    used at all is *skipped*. *place*: the dataset, if it is one.
    """

    source: Path
    images: tuple[Input, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[Note, ...] = ()
    video: Path | None = None
    dataset: Tree | None = None

    @property
    def classes(self) -> Classes | None:
        """Those of the dataset, if there is one and it knows them."""
        return self.dataset.classes() if self.dataset is not None else None


def gather(source: Path, split: str | None = None) -> PredictionInputs:
    """The images of *source*: an image, a video, a folder (with the folders below), or a dataset,
    of which *split* names a list.

    Raises UsageError: bad-option (no such file, folder or list), no-tree; TreeError for a dataset
    that is unfinished; SegprepError: no-images, missing-extra (a video without OpenCV).
    """
    if not source.exists():
        reason = f"{source}: there is no such file or folder"
        hint = "give an image, a folder of images, a dataset or a video"
        raise UsageError("bad-option", reason, hint)
    root = source.resolve()
    if split is not None:
        if not root.is_dir():
            reason = f"--split {split}, but {source} is not a dataset"
            hint = "leave --split out, or give the dataset's folder"
            raise UsageError("bad-option", reason, hint)
        return _listed(tree.find(root), split)
    if root.is_file():
        return _single(root)
    if tree.is_tree(root) and (root / IMAGES).is_dir():
        return _folder(root / IMAGES, tree.finished(root))
    return _folder(root)


def _single(path: Path) -> PredictionInputs:
    if path.suffix.lower() in video.SUFFIXES:
        video.opencv()
        return PredictionInputs(path, video=path)
    return PredictionInputs(path, (Input(path.stem, path, (path.parent,)),))


def _listed(dataset: Tree, split: str) -> PredictionInputs:
    lists = dataset.lists()
    if split not in lists:
        hint = (
            f"there are: {', '.join(lists)}" if lists else "split the dataset first: segprep split"
        )
        raise UsageError("bad-option", f"{dataset.root} has no list {split!r}", hint)
    images, skipped = [], []
    root = dataset.root.resolve()
    for stem in lists[split]:
        where = f"{dataset.root / IMAGES / stem}.*"
        if PurePosixPath(stem).is_absolute() or ".." in PurePosixPath(stem).parts or "\\" in stem:
            reason = "the list names something outside the dataset"
            skipped.append(Skipped(stem, where, "path-outside-root", reason, "fix the list"))
        elif (path := dataset.image_path(stem)) is None:
            skipped.append(_missing(dataset, stem))
        else:
            images.append(Input(stem, root / path.relative_to(dataset.root), (root,)))
    if not images and not skipped:
        reason = f"the list {split} of {dataset.root} is empty"
        raise SegprepError("no-images", reason, "name another list, or split the dataset again")
    return PredictionInputs(root, tuple(images), tuple(skipped), dataset=dataset)


def _folder(root: Path, dataset: Tree | None = None) -> PredictionInputs:
    """Every image below *root*. What is not an image is counted; images of one stem are all
    skipped, since their results would have one name, and so are images of *dataset* that are gone.
    """
    groups: dict[str, list[Input]] = {}
    others: list[str] = []
    for path in walk(root):
        name = path.relative_to(root)
        if path.suffix.lower() in SUFFIXES:
            stem = name.with_suffix("").as_posix()
            groups.setdefault(stem_key(stem), []).append(
                Input(stem, path, ((dataset.root if dataset else root).resolve(),))
            )
        else:
            others.append(name.as_posix())
    images = sorted(
        (group[0] for group in groups.values() if len(group) == 1),
        key=lambda image: natural_key(image.stem),
    )
    skipped = [
        _twin(image, group) for group in groups.values() if len(group) > 1 for image in group
    ]
    if dataset and dataset.manifest:
        stems = dataset.stems()
        skipped += [_missing(dataset, stem) for stem in stems if stem_key(stem) not in groups]
    if not images and not skipped:
        reason = f"{root} holds no image" + (f" (but {others[0]})" if others else "")
        raise SegprepError("no-images", reason, f"images end in {' '.join(SUFFIXES)}")
    whole = dataset.root.resolve() if dataset else root
    return PredictionInputs(whole, tuple(images), tuple(skipped), _about(others), dataset=dataset)


def _missing(dataset: Tree, stem: str) -> Skipped:
    where, reason = f"{dataset.root / IMAGES / stem}.*", "no image has this name"
    return Skipped(stem, where, "image-missing", reason, "restore it, or take it out of the lists")


def _twin(image: Input, group: Sequence[Input]) -> Skipped:
    others = ", ".join(twin.path.name for twin in group if twin is not image)
    return Skipped(
        image.stem,
        str(image.path),
        "stem-collision",
        f"{others} has the same stem: both results would be {image.stem}.png",
        "rename one of them",
    )


def _about(others: Sequence[str]) -> tuple[Note, ...]:
    if not others:
        return ()
    videos = [name for name in others if Path(name).suffix.lower() in video.SUFFIXES]
    further = f"; videos are predicted one at a time, as INPUT: {videos[0]}" if videos else ""
    count = f"{len(others)} files are not images and were skipped"
    return (Note("no-image-file", f"{count}, for example {others[0]}{further}"),)
