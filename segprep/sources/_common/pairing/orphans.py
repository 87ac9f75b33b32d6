"""Masks without an image and images without a mask, and what each of them may be instead."""

import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from segprep.names import stem_of
from segprep.packed import PackedPaths
from segprep.sources._common.pairing.folder_names import LONGER
from segprep.sources._common.pairing.name_rules import CHANNEL, Partners
from segprep.types import Skipped

NO_MASK = "no mask belongs to this image"


def left(partners: Partners) -> list[Skipped]:
    """A Skipped for every mask without an image and every image without a mask."""
    used = bytearray(number >= 0 for number in partners.of_image)
    masks, images = partners.masks, partners.images
    rivals = _rivals(partners.of_mask), _rivals(partners.of_image)
    without_image = [
        Skipped(
            stem_of(masks.part(number)[1]),
            str(masks[number]),
            "image-missing",
            _several("mask", number, image, (masks, images), rivals)
            or "no image belongs to this mask",
            "add or rename the image" if image == -1 else "rename, or move away, all but one",
        )
        for number, image in enumerate(partners.of_mask)
        if image < 0
    ]
    bare = [number for number, taken in enumerate(used) if not taken]
    channels = any(CHANNEL.search(stem_of(images.part(number)[1])) for number in bare)
    masks_of = {images[n]: masks[mask] for mask, n in partners.numbers()} if channels else {}
    companions = _companions(images, used) if bare else {}
    folders = [folder for folder, _ in images.parts()] if bare else []
    paired = {folder for folder, taken in zip(folders, used, strict=False) if taken}
    return without_image + [
        companions.get(number)
        or _without_mask(
            images[number],
            masks_of,
            _several("image", number, partners.of_image[number], (images, masks), rivals[::-1]),
            apart=bool(paired) and folders[number] not in paired,
        )
        for number in bare
    ]


def _rivals(partners: Sequence[int]) -> dict[int, list[int]]:
    """Partner -> the numbers that share it, for those of *partners* that several may have."""
    rivals: dict[int, list[int]] = defaultdict(list)
    for number, partner in enumerate(partners):
        if partner < -1:
            rivals[-2 - partner].append(number)
    return rivals


def _several(
    kind: str,
    number: int,
    partner: int,
    paths: tuple[PackedPaths, PackedPaths],
    rivals: Sequence[Mapping[int, Sequence[int]]],
) -> str:
    """Which files go by one name, for file *number* of the first of *paths*, a *kind*, whose first
    *partner* is -2 - its number in the second; "" where it has none.
    """
    if partner >= -1:
        return ""
    other = "image" if kind == "mask" else "mask"
    own, others = paths
    partners = rivals[1].get(number, ())
    if len(partners) > 1:
        return f"{len(partners)} {other}s may belong to this {kind}: {_listed(others, partners)}"
    file = _listed(others, [-2 - partner])
    same = rivals[0].get(-2 - partner, ())
    return f"{len(same)} {kind}s may belong to the {other} {file}: {_listed(own, same)}"


def _listed(paths: PackedPaths, numbers: Sequence[int]) -> str:
    """The first three files, each with its folder."""
    names = ["/".join(Path(paths[n]).parts[-2:]) for n in numbers[:3]]
    return ", ".join(names) + ", …" * (len(numbers) > 3)


def _companions(images: PackedPaths, used: Sequence[int]) -> dict[int, Skipped]:
    """A Skipped by number for the *images* without a mask that are another picture of one with a
    mask, as s0_vessel.png beside s0.png, where at least half of those have one of that word.
    """
    parts = [(folder, stem_of(name)) for folder, name in images.parts()]
    paired = {part for part, taken in zip(parts, used, strict=True) if taken}
    words_of: dict[str, list[int]] = defaultdict(list)
    for n, ((folder, stem), taken) in enumerate(zip(parts, used, strict=True)):
        match = None if taken else LONGER.fullmatch(stem)
        if match and (folder, match["stem"]) in paired:
            words_of[match["word"]].append(n)
    companions = {}
    for word, numbers in words_of.items():
        if len(numbers) < 2 or 2 * len(numbers) < len(paired):
            continue
        reason = f"a mask or another picture: {len(numbers)} images have a file with {word} beside"
        for n in numbers:
            path = images[n]
            base = path.stem.removesuffix(word)
            pair = shlex.quote(f"{{stem}}.*={{stem}}{word}{path.suffix}")
            hint = f"if these are the masks: --pair {pair} --on-error skip; if not, move them away"
            companions[n] = Skipped(
                path.stem, str(path), "image-ambiguous", f"belongs to {base}, {reason}", hint
            )
    return companions


def _without_mask(
    path: Path, masks_of: Mapping[Path, Path], several: str, *, apart: bool
) -> Skipped:
    """Why the image at *path* has no mask: it may be a further channel of one of *masks_of*,
    *several* files go by its name, or it lies *apart* from those with masks.
    """
    stem = stem_of(path.name)
    first = f"{CHANNEL.sub('', stem)}_0000"
    mask = masks_of.get(path.with_name(f"{first}{path.suffix}"))
    if mask and CHANNEL.search(stem):
        sides = [
            f"{file.parent.name}/{{stem}}{channel}{file.suffix}"
            for file, channel in ((path, "_0000"), (mask, ""))
        ]
        hint = (
            "an image here is one file: merge its channels into it, or take the first alone:"
            f" --pair {shlex.quote('='.join(sides))}"
        )
        return Skipped(stem, str(path), "image-ambiguous", f"is another channel of {first}", hint)
    hint = (
        "add or rename the mask; give --missing empty if none means all background; or skip the"
        " image with --on-error skip"
    )
    if several:
        hint = "rename, or move away, all but one; or skip the image with --on-error skip"
    elif apart:
        folder = path.parent.name
        hint = (
            f"if no image in {folder}/ belongs to the set: --exclude-folder {folder}; else {hint}"
        )
    return Skipped(stem, str(path), "mask-missing", several or NO_MASK, hint, bare=not several)
