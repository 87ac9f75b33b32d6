"""Masks without an image and images without a mask, and what each of them may be instead."""

import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from segprep.names import stem_of
from segprep.packed import PackedPaths
from segprep.sources._common.folder_names import LONGER
from segprep.sources._common.name_rules import CHANNEL, Partners
from segprep.types import Skipped


def left(partners: Partners) -> list[Skipped]:
    """A Skipped for every mask without an image and every image without a mask."""
    used = bytearray(len(partners.images))
    for _, image in partners.numbers():
        used[image] = 1
    masks, images = partners.masks, partners.images
    without_image = [
        Skipped(
            stem_of(masks.part(number)[1]),
            str(masks[number]),
            "image-missing",
            "no image, or more than one, belongs to this mask",
            "add or rename the image",
        )
        for number, image in enumerate(partners.of_mask)
        if image < 0
    ]
    bare = [number for number, taken in enumerate(used) if not taken]
    channels = any(CHANNEL.search(stem_of(images.part(number)[1])) for number in bare)
    masks_of = {images[n]: masks[mask] for mask, n in partners.numbers()} if channels else {}
    companions = _companions(images, used) if bare else {}
    return without_image + [
        companions.get(number) or _without_mask(images[number], masks_of) for number in bare
    ]


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


def _without_mask(path: Path, masks_of: Mapping[Path, Path]) -> Skipped:
    """Why the image at *path* has no mask: it may be a further channel of one of *masks_of*."""
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
    return Skipped(
        stem,
        str(path),
        "mask-missing",
        "no mask, or more than one, belongs to this image",
        "add or rename the mask; give --missing empty if none means all background; or skip the"
        " image with --on-error skip",
    )
