"""Source formats: one module each, found by its file name, imported on first use."""

from collections import deque
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import cast

from segprep import engine
from segprep.dataset.manifest import MANIFEST
from segprep.dataset.tree import STAGING, finished
from segprep.errors import MissingExtraError, SegprepError, SourceError, UsageError
from segprep.files import listing
from segprep.names import unknown
from segprep.types import Evidence, Item, Reader, Sample

SURE = 0.5  # the least score of a format to be detected
AHEAD = 0.09  # and its least distance from the next
WEAK = 0.35  # what scores less is named after what keeps the other formats from reading


def names() -> tuple[str, ...]:
    """The formats there are, without importing any of them; ``_`` in a file name is ``-`` in the
    format's.
    """
    return tuple(
        sorted(
            module.name.replace("_", "-")
            for module in iter_modules(__path__)
            if not module.name.startswith("_")
        )
    )


def load(name: str) -> type[Reader]:
    """The ``Reader`` class of format *name*. Raises UsageError for an unknown one."""
    if name not in names():
        raise UsageError("unknown-format", *unknown("source format", name, names()))
    return cast("type[Reader]", import_module(f"{__name__}.{name.replace('-', '_')}").Reader)


def read(reader: Reader, item: Item) -> Sample:
    """``reader.read(item)``, for every format with the same guard: whatever goes wrong in it is a
    SourceError of that item's file. A shape that cannot be drawn keeps its code; an exception that
    the reader did not foresee gets the code reader-crashed, and is its ``__cause__``.
    """
    path = item.labels[0] if item.labels else item.image or reader.root
    try:
        sample = reader.read(item)
    except (SourceError, UsageError, MissingExtraError, MemoryError):
        raise
    except SegprepError as error:
        raise SourceError(path, error.message, error.hint, error.code) from error
    except Exception as error:  # any fault of one reader with one file costs that file only
        reason = engine.crash_reason(error)
        raise SourceError(path, reason, engine.REPORT, "reader-crashed") from error
    if sample.mask.ndim != 2 or sample.mask.dtype.char != "B":  # its name takes 20 microseconds
        reason = f"the mask is {sample.mask.dtype.name} {sample.mask.shape}, not uint8 (H, W)"
        raise SourceError(path, reason, engine.REPORT, "reader-crashed")
    return sample


def guesses(root: Path) -> list[tuple[str, Evidence]]:
    """What *root* looks like, the likeliest format first. Raises UsageError if not a folder."""
    check_folder(root)
    likely = []
    for name in names():
        try:
            evidence = load(name).recognize(root)
        except SegprepError:
            continue  # a folder that this format cannot even look at is not of this format
        if evidence:
            likely.append((name, evidence))
    return sorted(likely, key=lambda guess: -guess[1].score)


def check_folder(root: Path) -> None:
    """Raise UsageError, saying what to give instead, unless *root* is a folder, and none that a
    conversion into it left unfinished; TreeError for a tree that is half published.
    """
    if root.is_file():
        from segprep.sources._common.refusals import unread

        raise UsageError("bad-option", f"{root} is a file, not a folder", unread.file_hint(root))
    if not root.is_dir():
        raise UsageError("bad-option", f"{root} is not a folder", "give an existing folder")
    if (root / STAGING).is_dir() and not (finished(root).root / MANIFEST).is_file():
        raise UsageError(
            "no-tree",
            f"{root} is not a source: a conversion into it was not finished",
            "re-run the command that wrote it, or give the folder that it read",
        )


def _undetected(root: Path) -> UsageError:
    """Why no format reads *root*: a folder that cannot be listed, rival mask folders, broken files,
    another tool's annotations, or none of these.
    """
    from segprep.sources._common.masks import bare_masks
    from segprep.sources._common.pairing import image_folders, rival_folders
    from segprep.sources._common.refusals import unclear_masks, unpaired, unread

    deque(listing(str(root)), 0)  # a folder that cannot be listed is the fault to tell
    try:
        image_folders.folders(root.resolve())
    except rival_folders.RivalFoldersError as error:
        return error
    except SegprepError:
        pass  # no folders of images and masks; what there is is told below
    judges = (
        unread.reason,
        unclear_masks.reason,
        unread.other_tool,
        unpaired.reason,
        bare_masks.reason,
    )
    if cause := next((cause for judge in judges if (cause := judge(root.resolve()))), None):
        return UsageError("format-unclear", f"{root}: {cause[0]}", cause[1])
    if hint := unread.pairs_hint(root.resolve()):
        text = f"{root} holds images, but it is not clear which of them are masks"
        if others := unread.unnamed(root.resolve()):
            text += f"; nor does any format read {others}"
        return UsageError("format-unclear", text, hint)
    return UsageError(
        "format-unclear",
        f"{root} does not look like any known format",
        f"name the format: segprep convert FORMAT; formats: {', '.join(names())}",
    )


def _masks_beside(likely: list[tuple[str, Evidence]]) -> str:
    """What is said after the evidence for annotations, the first of *likely*, where another format
    reads masks of the same images; else "".
    """
    from segprep.sources._common.classes.label_options import LabelOptions
    from segprep.sources._common.pairing.paired_folders import PairedFolders

    if not issubclass(load(likely[0][0]), LabelOptions) or likely[0][0] == "labelme-folders":
        return ""  # that one reads these very masks
    for name, evidence in likely[1:]:
        if evidence.score >= SURE and issubclass(load(name), PairedFolders):
            return (
                "; these annotations are drawn, but finished masks are beside them"
                f" ({evidence.reason}): segprep convert {name} takes those instead"
            )
    return ""


def _weak(root: Path, guess: tuple[str, Evidence]) -> UsageError:
    """The error for a folder that fits one format weakly: why no other reads it, then the guess,
    unless its files cannot be opened by any.
    """
    from segprep.sources._common.refusals import unread

    name, evidence = guess
    error = _undetected(root)
    if unread.reason(root.resolve()):
        return error
    message = f"{error.message}; at best it could be read as {name}: {evidence.reason}"
    return UsageError(error.code, message, f"{error.hint}; or: segprep convert {name} SRC OUT")


def _called(root: Path, masks: str) -> list[Path]:
    """The folder *masks* in *root*, or those of that name further below, as in train/ and in val/.
    Raises UsageError (bad-option) where there is none.
    """
    if (root / masks).is_dir():
        return [(root / masks).resolve()]
    parts = Path(masks).parts
    holding = sorted({Path(folder) for folder, _ in listing(str(root.resolve()))})
    if named := [folder for folder in holding if folder.parts[-len(parts) :] == parts]:
        return named
    reason = f"--masks {masks} is not a folder inside the source"
    raise UsageError("bad-option", reason, "give its path below SRC")


def recognize(root: Path, image_root: Sequence[Path] = (), *, masks: str = "") -> tuple[str, str]:
    """The format of *root*, and the evidence for it: what the folder *masks* in it holds, if one is
    named; with an *image_root*, *root* may hold masks alone.

    Raises UsageError (format-unclear), with the two best guesses, if that is not plain.
    """
    from segprep.sources._common.masks import bare_masks

    folders = _called(root, masks) if masks else ()
    if masks and (named := bare_masks.guess(*folders)):
        return named[0], f"{masks}: {named[1]}"
    if masks and (odd := bare_masks.odd(*folders)):
        raise UsageError(
            "format-unclear",
            f"{odd} is neither a mask of class ids nor of few colors, nor black and white",
            "black and white that was smoothed or kept as JPEG: segprep convert binary SRC OUT"
            " --images NAME --masks NAME --foreground light|dark",
        )
    likely = guesses(root)
    if (
        likely
        and likely[0][1].score >= SURE
        and (len(likely) == 1 or likely[0][1].score - likely[1][1].score >= AHEAD)
    ):
        return likely[0][0], likely[0][1].reason + _masks_beside(likely)
    if image_root and (bare := bare_masks.guess(root.resolve())):
        return bare
    if not likely:
        raise _undetected(root)
    if likely[0][1].score < WEAK:
        raise _weak(root, likely[0])
    name, evidence = likely[0]
    if evidence.score < SURE and evidence.hint:
        text = f"{root} looks like {name}, but is not enough: {evidence.reason}"
        raise UsageError("format-unclear", text, evidence.hint)
    listed = "; or ".join(f"{name} ({evidence.reason})" for name, evidence in likely[:2])
    raise UsageError(
        "format-unclear",
        f"{root} may be {listed}",
        f"say which: segprep convert {likely[0][0]} …"
        + "".join(f" or segprep convert {name} …" for name, _ in likely[1:2]),
    )
