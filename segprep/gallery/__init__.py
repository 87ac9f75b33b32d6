"""A dataset as one page: every image with its mask laid over it, to look through offline.

The page is one file. It asks the network for nothing (its content security policy forbids it), runs
one script whose hash the policy names, and shows every name escaped.
"""

import base64
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep import engine
from segprep.dataset import samples, tree
from segprep.dataset.plausibility import skipped_masks
from segprep.dataset.tree import Tree
from segprep.errors import SourceError, TreeError, UsageError
from segprep.gallery import classes_shown
from segprep.imaging import image
from segprep.names import shown as escaped
from segprep.outputs import OutputFolder
from segprep.reports import contact_sheet, thumbnails
from segprep.types import Entry, Finding, Note, Progress, no_progress

MOST = 500
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Card:
    """One sample of the page: the picture and its mask as data URIs, the classes that it holds."""

    stem: str
    width: int
    height: int
    picture: str
    overlay: str
    pixels: Mapping[int, int]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class WrittenGallery:
    """What was written: *page* (None if only a sheet was asked for), *shown* of *total* samples."""

    page: Path | None
    sheet: Path | None
    shown: int
    total: int
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class _Draw:
    """Draws one sample in a worker."""

    dataset: Tree
    side: int
    background: int | None

    def __call__(self, stem: str) -> Card:
        try:
            picture, mask = read(self.dataset, stem)
        except SourceError as error:
            return Card(stem, 0, 0, "", "", {}, f"{error.code}: {error.reason}")
        return _card(stem, picture, mask, self.side, self.background)


def _card(
    stem: str,
    picture: NDArray[Any],
    mask: NDArray[np.uint8],
    side: int,
    background: int | None,
) -> Card:
    small = thumbnails.small(thumbnails.shown(picture), side)
    return Card(
        stem,
        mask.shape[1],
        mask.shape[0],
        _jpeg(small),
        _overlay(mask, small.shape[0], small.shape[1], background),
        image.histogram(mask),
    )


def read(dataset: Tree, stem: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Image (H, W, 3) and mask (H, W), upright. Raises SourceError."""
    roots = (dataset.root.resolve(),)
    path = dataset.image_path(stem)
    mask_path = roots[0] / dataset.mask_path(stem).relative_to(dataset.root)
    if path is None:
        raise SourceError(mask_path, f"no image is called {stem}", "", "image-missing")
    path = roots[0] / path.relative_to(dataset.root)
    sample = samples.read(Entry(stem, path, mask_path), roots)
    mask, _ = samples.upright(sample, path)
    return image.pixels(sample.image, path), mask


def view(
    dataset: str | Path = ".",
    out: str | Path | None = None,
    *,
    sheet: str | Path | None = None,
    findings: Sequence[Finding] = (),
    most: int = MOST,
    overwrite: bool = False,
    jobs: int = 1,
    progress: Progress[Any] = no_progress,
) -> WrittenGallery:
    """Write the page *out* (DATASET/runs/view.html if neither *out* nor *sheet* is given) and the
    contact sheet *sheet* (PNG) of *dataset*.

    *findings* of ``check`` are shown with their samples. Of more than *most* samples, those with
    findings are shown first, then every n-th. Raises UsageError if there is no tree, TreeError if
    *out* exists and *overwrite* is not given.
    """
    dataset_tree = tree.find(Path(dataset))
    page = Path(out) if out else None if sheet else dataset_tree.root / tree.RUNS / "view.html"
    picture = Path(sheet) if sheet else None
    for path in filter(None, (page, picture)):
        if path.exists() and not overwrite and (out or sheet):
            raise TreeError("output-exists", f"{path} exists", "give --overwrite, or another name")
        path.parent.mkdir(parents=True, exist_ok=True)
    stems = dataset_tree.stems()
    if not stems:
        reason = "".join(f"; {note.message}" for note in skipped_masks(dataset_tree))
        raise UsageError(
            "too-few-samples", f"{dataset_tree.root} has no samples{reason}", "convert some first"
        )
    chosen = _chosen(stems, {finding.stem for finding in findings}, most)
    side = 320 if len(chosen) <= 200 else 256 if len(chosen) <= 350 else 224
    results = engine.run(_Draw(dataset_tree, side, _background(dataset_tree)), chosen, jobs=jobs)
    cards = [
        Card(stem, 0, 0, "", "", {}, f"{card.code}: {card.reason}")
        if isinstance(card, engine.Failure)
        else card
        for stem, card in zip(chosen, progress(results, len(chosen), "drawing"), strict=True)
    ]
    if page:
        OutputFolder(page.parent).write(
            page.name, render(dataset_tree, cards, findings, len(stems))
        )
    if picture:
        drawn = contact_sheet.drawn([_pair(dataset_tree, card) for card in cards if card.picture])
        OutputFolder(picture.parent).write(picture.name, drawn)
    notes = (
        *skipped_masks(dataset_tree),
        *(Note("image-damaged", card.trouble, card.stem) for card in cards if card.trouble),
    )
    return WrittenGallery(page, picture, len(cards), len(stems), notes)


def augmented(
    dataset: str | Path,
    samples: Iterable[tuple[str, NDArray[Any], NDArray[np.uint8]]],
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
) -> WrittenGallery:
    """The page *out* (DATASET/runs/augmented.html) of (stem, image, mask) as a training sees them,
    numbered, since a stem occurs several times. Raises UsageError, TreeError (output-exists).
    """
    dataset_tree = tree.find(Path(dataset))
    page = Path(out) if out else dataset_tree.root / tree.RUNS / "augmented.html"
    if out and page.exists() and not overwrite:
        raise TreeError("output-exists", f"{page} exists", "give --overwrite, or another name")
    background = _background(dataset_tree)
    cards = [
        _card(f"{stem} #{number}", picture, mask, 256, background)
        for number, (stem, picture, mask) in enumerate(samples, 1)
    ]
    OutputFolder(page.parent).write(page.name, render(dataset_tree, cards, (), len(cards)))
    return WrittenGallery(page, None, len(cards), len(cards))


def _pair(dataset: Tree, card: Card) -> tuple[str, Image.Image]:
    """The stem, and the picture with its classes over it."""
    picture, mask = read(dataset, card.stem)
    small = thumbnails.small(thumbnails.shown(picture), contact_sheet.SIDE)
    return card.stem, Image.fromarray(thumbnails.laid_over(small, mask, _background(dataset)))


def _background(dataset: Tree) -> int | None:
    classes = dataset.classes()
    return classes.background if classes else 0


def _chosen(stems: Sequence[str], marked: set[str], most: int) -> list[str]:
    """At most *most* of *stems*, in order: those with findings, then evenly among the others."""
    if len(stems) <= most:
        return list(stems)
    first = [stem for stem in stems if stem in marked][:most]
    rest = [stem for stem in stems if stem not in marked]
    count = most - len(first)
    picked = {rest[n * len(rest) // count] for n in range(count)} if count else set()
    picked.update(first)
    return [stem for stem in stems if stem in picked]


def _jpeg(small: NDArray[np.uint8]) -> str:
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(small)).save(out, "JPEG", quality=78, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _overlay(mask: NDArray[np.uint8], height: int, width: int, background: int | None) -> str:
    """The mask at the picture's size as a palette PNG whose background is clear."""
    rows = (np.arange(height) * 2 + 1) * mask.shape[0] // (2 * height)
    columns = (np.arange(width) * 2 + 1) * mask.shape[1] // (2 * width)
    indexed = Image.fromarray(np.ascontiguousarray(mask[rows[:, None], columns[None, :]]))
    indexed.putpalette([level for value in range(256) for level in thumbnails.vivid(value)])
    out = io.BytesIO()
    clear = {} if background is None else {"transparency": background}
    indexed.save(out, "PNG", optimize=True, **clear)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def render(dataset: Tree, cards: Sequence[Card], findings: Sequence[Finding], total: int) -> bytes:
    """The page as UTF-8 HTML."""
    from jinja2 import Environment, StrictUndefined

    style = (HERE / "style.css").read_text("utf-8")
    script = (HERE / "script.js").read_text("utf-8")
    classes = dataset.classes()
    names = classes.names if classes else ()
    rows = classes_shown.rows([card.pixels for card in cards], names, _background(dataset))
    style += "".join(f".c{row['id']}{{background:{row['color']}}}\n" for row in rows)
    splits = {
        stem: name
        for name, stems in dataset.lists().items()
        if name in tree.SPLITS
        for stem in stems
    }
    splits |= {
        card.stem: splits[stem]
        for card in cards
        if (stem := card.stem.partition(" #")[0]) in splits
    }
    by_stem: dict[str, list[Finding]] = {}
    for finding in findings:
        by_stem.setdefault(finding.stem, []).append(finding)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["plain"] = escaped
    template = environment.from_string((HERE / "page.html").read_text("utf-8"))
    text = template.render(
        title=dataset.root.resolve().name,
        cards=cards,
        classes=rows,
        splits=splits,
        split_counts=Counter(splits.get(card.stem, "") for card in cards),
        findings=by_stem,
        codes=Counter(finding.code for finding in findings),
        general=by_stem.get("", []),
        total=total,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    return text.encode("utf-8", "backslashreplace")


def _hash(text: str) -> str:
    """The hash of an inline script or style for a content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
