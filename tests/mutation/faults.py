"""Faults of datasets, put in on purpose: each spoils a few samples (or the lists) of a tree.

*codes* are the right causes: a finding of one of them on a spoiled sample (or on the dataset) is a
detection with the right cause. *kind* is structural (has to be found always) or statistical.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segprep import convert, read_mask, write_mask
from segprep import split as divide
from segprep.dataset.tree import LISTS, Tree
from segprep.imaging.image import luminance, voc_colors

Rng = np.random.Generator
Mask = np.ndarray
VOC = np.frombuffer(voc_colors(), np.uint8).reshape(256, 3)
FLAT = np.array([luminance(tuple(color)) for color in VOC.tolist()], np.uint8)


@dataclass(frozen=True)
class Fault:
    """One way to spoil *stems* of a tree; returns the stems that really changed."""

    name: str
    catalog: str
    codes: tuple[str, ...]
    apply: Callable[[Tree, Sequence[str], Rng], Sequence[str]]
    structural: bool = True
    scopes: tuple[str, ...] = ("one", "few", "all")
    whole: bool = False  # the finding is about the dataset, not about a sample
    annotations: bool = False  # spoils labelme files instead of a tree


def masks(change: Callable[[Mask, Rng], Any]) -> Callable[[Tree, Sequence[str], Rng], list[str]]:
    """Write the changed mask of every stem; None or an equal mask leaves it as it is."""

    def apply(place: Tree, stems: Sequence[str], rng: Rng) -> list[str]:
        changed = []
        for stem in stems:
            path = place.mask_path(stem)
            old = read_mask(path)
            new = change(old, rng)
            if new is None or (isinstance(new, np.ndarray) and np.array_equal(new, old)):
                continue
            if isinstance(new, np.ndarray):
                write_mask(path, np.ascontiguousarray(new))
            else:
                new(path)
            changed.append(stem)
        return changed

    return apply


def images(change: Callable[[Path, Image.Image, Rng], Any]) -> Any:
    """Let *change* write the image of every stem again; False leaves it out."""

    def apply(place: Tree, stems: Sequence[str], rng: Rng) -> list[str]:
        changed = []
        for stem in stems:
            path = place.image_path(stem)
            assert path
            with Image.open(path) as picture:
                picture.load()
            if change(path, picture.convert("RGB"), rng) is not False:
                changed.append(stem)
        return changed

    return apply


def saved(make: Callable[[Mask], Image.Image], **options: Any) -> Callable[[Mask, Rng], Any]:
    """Store the mask as another kind of picture."""

    def change(mask: Mask, rng: Rng) -> Any:
        return lambda path: make(mask).save(path, **{"format": "PNG", **options})

    return change


def truncated(path: Path, share: float = 0.6) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def truncate_image(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    for stem in stems:
        path = place.image_path(stem)
        assert path
        truncated(path)
    return stems


def truncate_mask(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    for stem in stems:
        truncated(place.mask_path(stem))
    return stems


def gray_tail(path: Path, picture: Image.Image, rng: Rng) -> None:
    pixels = np.asarray(picture).copy()
    pixels[int(len(pixels) * 0.7) // 16 * 16 :] = 128
    Image.fromarray(pixels).save(path, quality=95)


def black(path: Path, picture: Image.Image, rng: Rng) -> None:
    Image.new("RGB", picture.size, (0, 0, 0)).save(path)


def turned(path: Path, picture: Image.Image, rng: Rng) -> Any:
    if path.suffix != ".jpg":
        return False
    exif = picture.getexif()
    exif[0x0112] = int(rng.integers(2, 9))
    picture.save(path, exif=exif, quality=95)
    return None


def other_format(path: Path, picture: Image.Image, rng: Rng) -> None:
    picture.save(path, "BMP")


def resized(mask: Mask, rng: Rng) -> Mask:
    """Half the size, nearest."""
    return mask[::2, ::2]


def zero_255(mask: Mask, rng: Rng) -> Any:
    """Foreground white; ignored pixels are gone, as in a binary export."""
    new = np.where((mask > 0) & (mask != 255), 255, 0).astype(np.uint8)
    return new if new.any() else None


def flattened(mask: Mask, rng: Rng) -> Any:
    return FLAT[mask] if ({1, 2, 3} & set(np.unique(mask).tolist())) else None


def smoothed(mask: Mask, rng: Rng) -> Any:
    """Down and up with bilinear interpolation."""
    size = (mask.shape[1] * 9 // 10, mask.shape[0] * 9 // 10)
    small = Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR)
    new = np.asarray(small.resize(mask.shape[::-1], Image.Resampling.BILINEAR))
    fresh = set(np.unique(new).tolist()) - set(np.unique(mask).tolist())
    return new if fresh else None


def through_jpeg(mask: Mask, rng: Rng) -> Any:
    if len(np.unique(mask)) < 2:
        return None
    return lambda path: Image.fromarray(mask).save(path, format="JPEG", quality=75)


def jpeg_as_png(mask: Mask, rng: Rng) -> Any:
    """A mask of gray levels that went through JPEG and is a PNG again."""
    import io

    values = np.unique(mask[mask != 255])
    if len(values) < 2:
        return None
    levels = np.zeros(256, np.uint8)
    levels[values] = np.linspace(0, 240, len(values)).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(levels[np.where(mask == 255, 0, mask)]).save(out, "JPEG", quality=75)
    new = np.asarray(Image.open(out))
    return new if len(np.unique(new)) > 40 else None


def plus_one(mask: Mask, rng: Rng) -> Mask:
    return np.where(mask == 255, 255, mask + 1).astype(np.uint8)


def sixteen(mask: Mask) -> Image.Image:
    return Image.fromarray(mask.astype(np.uint16))


def objects16(mask: Mask) -> Image.Image:
    """Instance ids by row blocks, beyond 255."""
    ids = np.where(mask > 0, 200 + 10 * (np.arange(len(mask)) // 8)[:, None], 0)
    return Image.fromarray(ids.astype(np.uint16))


def floats(mask: Mask) -> Image.Image:
    return Image.fromarray(mask.astype(np.float32) / 2 - 1)


def alpha(mask: Mask) -> Image.Image:
    picture = Image.fromarray(VOC[mask]).convert("RGBA")
    picture.putalpha(Image.fromarray(np.where(mask > 0, 255, 0).astype(np.uint8)))
    return picture


def renumbered(mask: Mask) -> Image.Image:
    """The same colors under other indices, as an editor numbers them."""
    values = np.unique(mask)
    order = np.roll(values, 1)
    table = np.zeros(256, np.uint8)
    table[order] = np.arange(len(values))
    made = Image.fromarray(table[mask])
    made.putpalette(VOC[order].reshape(-1).tolist())
    return made


def all_ignored(mask: Mask, rng: Rng) -> Mask:
    return np.full_like(mask, 255)


def all_background(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    classes = place.classes()
    value = (classes.background if classes else 0) or 0
    return masks(lambda mask, _: np.full_like(mask, value))(place, stems, rng)


def remove_mask(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    for stem in stems:
        place.mask_path(stem).unlink()
    return stems


def remove_image(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    for stem in stems:
        path = place.image_path(stem)
        assert path
        path.unlink()
    return stems


def second_image(path: Path, picture: Image.Image, rng: Rng) -> None:
    picture.save(path.with_suffix(".bmp"))


def listed(change: Callable[[str, Sequence[str]], str], name: str = "train") -> Any:
    """Write a list again."""

    def apply(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
        path = place.root / LISTS / f"{name}.txt"
        before = path.read_bytes().decode()
        inside = [stem for stem in stems if stem in before.splitlines()] or before.splitlines()[:1]
        path.write_bytes(change(before, inside).encode())
        return inside

    return apply


def repeated(text: str, stems: Sequence[str]) -> str:
    return text + "".join(f"{stem}\n" for stem in stems)


def stale(text: str, stems: Sequence[str]) -> str:
    return text + "".join(f"gone_{stem}\n" for stem in stems)


def spelled(text: str, stems: Sequence[str]) -> str:
    lines = [f"{line}.jpg" if line in stems else line for line in text.splitlines()]
    return "".join(f"{line}\n" for line in lines)


def windows(text: str, stems: Sequence[str]) -> str:
    return text.replace("\n", "\r\n")


def train_in_val(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    train = (place.root / LISTS / "train.txt").read_text().splitlines()
    moved = [stem for stem in stems if stem in train] or train[:1]
    with open(place.root / LISTS / "val.txt", "a") as file:
        file.writelines(f"{stem}\n" for stem in moved)
    return moved


def unlist(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    """Take the samples out of every list."""
    for path in (place.root / LISTS).glob("*.txt"):
        kept = [line for line in path.read_text().splitlines() if line not in stems]
        path.write_text("".join(f"{line}\n" for line in kept))
    return stems


def duplicated(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    """A copy of the sample under another name, in another split."""
    lists = place.lists()
    for stem in stems:
        home = next((name for name in ("train", "val", "test") if stem in lists[name]), "train")
        twin = f"{stem}_copy"
        image = place.image_path(stem)
        assert image
        image.with_name(f"{twin}{image.suffix}").write_bytes(image.read_bytes())
        place.mask_path(twin).write_bytes(place.mask_path(stem).read_bytes())
        with open(place.root / LISTS / f"{'val' if home == 'train' else 'train'}.txt", "a") as file:
            file.write(f"{twin}\n")
    return [f"{stem}_copy" for stem in stems]


def conflicting(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    """Copies whose masks are moved; those that moving does not change get no copy."""

    def moved_aside(mask: Mask) -> Mask:
        return np.roll(mask, mask.shape[1] // 5, 1)

    old = {stem: read_mask(place.mask_path(stem)) for stem in stems}
    chosen = [stem for stem, mask in old.items() if not np.array_equal(moved_aside(mask), mask)]
    twins = duplicated(place, chosen, rng)
    return masks(lambda mask, _: moved_aside(mask))(place, twins, rng)


def without_class(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    """The highest class is erased from val and stays elsewhere."""
    classes = place.classes()
    assert classes
    top = len(classes.names) - 1
    lists = place.lists()
    for stem in lists["val"]:
        mask = read_mask(place.mask_path(stem))
        write_mask(place.mask_path(stem), np.where(mask == top, 0, mask).astype(np.uint8))
    return ()


def reordered(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    names = (place.root / "class_names.txt").read_text().splitlines()
    rows = [f"{name}:{n},0,0::" for n, name in enumerate([names[0], *names[:0:-1], "extra"])]
    (place.root / "labelmap.txt").write_text("".join(f"{row}\n" for row in rows))
    return ()


def stray(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    (place.root / "JPEGImages" / "Thumbs.db").write_bytes(b"thumbs")
    return ()


def note(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    (place.root / "JPEGImages" / "notes.txt").write_text("ask Ann")
    return ()


def spread_group(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    """A dataset that was split by groups of three; one sample of a group moves to another list."""
    table, split = place.root / "groups.csv", place.root.with_name(f"{place.root.name}-grouped")
    rows = [f"{stem},group{n // 3}\n" for n, stem in enumerate(place.stems())]
    table.write_text("stem,group\n" + "".join(rows))
    shutil.rmtree(place.root / LISTS)
    convert("voc", place.root, split)
    divide(split, group_by=str(table), seed=1, overwrite=True)
    shutil.copytree(split, place.root, dirs_exist_ok=True)
    shutil.rmtree(split)
    train, val = (place.root / LISTS / f"{name}.txt" for name in ("train", "val"))
    first, *others = train.read_text().splitlines()
    train.write_text("".join(f"{stem}\n" for stem in others))
    val.write_text(f"{val.read_text()}{first}\n")
    return [first]


STRUCTURAL = (
    Fault("size mismatch", "F1", ("SEG201",), masks(resized)),
    Fault("EXIF orientation", "F3", ("SEG104", "SEG201"), images(turned)),
    Fault("ids from 1", "F6", ("SEG310", "SEG301"), masks(plus_one), scopes=("all",)),
    Fault("0 and 255", "F8", ("SEG302",), masks(zero_255)),
    Fault("colors", "F9", ("SEG303",), masks(saved(lambda m: Image.fromarray(VOC[m])))),
    Fault("flattened palette", "F10", ("SEG304",), masks(flattened)),
    Fault(
        "palette renumbered", "F11", ("SEG305",), masks(saved(renumbered)), scopes=("one", "few")
    ),
    Fault("smoothed", "F12", ("SEG306",), masks(smoothed)),
    Fault("mask as JPEG", "F13", ("SEG114",), masks(through_jpeg)),
    Fault("JPEG made PNG again", "F13", ("SEG114", "SEG306"), masks(jpeg_as_png)),
    Fault("16 bits", "F16", ("SEG307",), masks(saved(sixteen)), scopes=("one", "few")),
    Fault("16-bit objects", "F16", ("SEG307",), masks(saved(objects16))),
    Fault("float mask", "F17", ("SEG108",), masks(saved(floats, format="TIFF"))),
    Fault("alpha", "F18", ("SEG308",), masks(saved(alpha))),
    Fault("black image", "F21", ("SEG105",), images(black)),
    Fault("truncated image", "F22", ("SEG101",), truncate_image),
    Fault("truncated mask", "F22", ("SEG102",), truncate_mask),
    Fault("gray tail", "F22", ("SEG106",), images(gray_tail)),
    Fault("all ignored", "F24", ("SEG309",), masks(all_ignored)),
    Fault("all background", "F24", ("SEG309",), all_background),
    Fault("copy across splits", "F25", ("SEG501",), duplicated),
    Fault("copy with another mask", "F26", ("SEG502",), conflicting),
    Fault("group in two splits", "F28", ("SEG504",), spread_group, scopes=("one",), whole=True),
    Fault("class not in val", "F29", ("SEG407",), without_class, scopes=("all",), whole=True),
    Fault("mask missing", "F31", ("SEG203",), remove_mask, scopes=("one", "few")),
    Fault("image missing", "F31", ("SEG202",), remove_image),
    Fault("two images", "F31", ("SEG204",), images(second_image)),
    Fault("stray file", "F31", ("SEG107",), stray, scopes=("one",), whole=True),
    Fault("text file", "F31", ("SEG107",), note, scopes=("one",), whole=True),
    Fault("wrong extension", "F31", ("SEG103",), images(other_format)),
    Fault("stale entry", "F32", ("SEG402",), listed(stale), scopes=("one", "few"), whole=True),
    Fault("entry twice", "F32", ("SEG403",), listed(repeated), scopes=("one", "few")),
    Fault("entry with extension", "F32", ("SEG404",), listed(spelled), whole=True),
    Fault("Windows line ends", "F32", ("SEG405",), listed(windows), scopes=("one",), whole=True),
    Fault("in two splits", "F32", ("SEG406",), train_in_val, scopes=("one", "few")),
    Fault("in no list", "F32", ("SEG408",), unlist, scopes=("one",), whole=True),
    Fault("empty train", "F32", ("SEG409",), listed(lambda t, s: ""), scopes=("one",), whole=True),
    Fault("class lists differ", "F42", ("SEG111",), reordered, scopes=("all",), whole=True),
)
