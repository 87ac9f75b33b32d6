"""The image of a sample as a target wants it: its own file where that will do, else an upright
copy.
"""

from dataclasses import dataclass
from typing import Literal

from segprep.imaging import image, png_parts, transcoding
from segprep.types import Note
from segprep.writer import ImageHeader, LabeledImage, Link, Product

_KINDS = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",)}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image or mask that waits for its name in the export: ``named(path)``."""

    suffix: str
    product: Product
    notes: tuple[Note, ...] = ()

    def named(self, path: str) -> Product:
        """The product at *path*, which has no suffix yet."""
        product = self.product
        return Product(path + self.suffix, product.content, product.origin, product.link)


def kept(sample: LabeledImage, link: Link, limit: int, *, deep: bool = False) -> Picture:
    """The image's own file where it is an upright JPEG or PNG by content and by name, else its
    pixels as PNG. 16 bits per channel become 8 unless the reader takes *deep* images.
    """
    path = sample.entry.image
    head, suffix = sample.header, path.suffix.lower()
    fits = deep or not is_deep(head)
    if head.orientation == 1 and suffix in _KINDS.get(head.format, ()) and fits:
        return Picture(suffix, Product("", None, path, link))
    return converted(sample, "png", limit, deep=deep)


def is_deep(head: ImageHeader) -> bool:
    """Whether an image has 16 bits per channel: Pillow makes 8 of them by cutting off what is above
    255, OpenCV by dropping the low byte, so that 12 bits become nearly black.
    """
    return ";16" in head.mode


def suffix_of(path_suffix: str) -> str:
    """The suffix that :func:`kept` gives most images with *path_suffix*."""
    suffix = path_suffix.lower()
    return suffix if suffix in (".jpg", ".jpeg", ".png") else ".png"


def converted(
    sample: LabeledImage,
    kind: Literal["png", "jpg"],
    limit: int,
    *,
    rgb: bool = False,
    deep: bool = False,
) -> Picture:
    """The image as upright PNG or JPEG; byte for byte its own file where it is one already.

    With *rgb* it is 8-bit RGB, whatever it was; without *deep* a PNG of 16 bits becomes that, too.
    """
    path = sample.entry.image
    head = sample.header
    rgb = rgb or (kind == "png" and not deep and is_deep(head))
    own = head.format == ("PNG" if kind == "png" else "JPEG") and head.orientation == 1
    if own and (not rgb or head.mode == "RGB"):
        return Picture(f".{kind}", Product("", None, path))
    data, change = transcoding.transcode(
        sample.image, path, kind, limit, rgb=rgb, gray_bits=sample.gray_bits
    )
    applied = f", EXIF orientation {head.orientation} applied" if head.orientation > 1 else ""
    quality = ", quality 95" if kind == "jpg" else ""
    text = f"{path.name}: {head.format} became {kind.upper().replace('JPG', 'JPEG')}{quality}"
    message = f"{text}{applied}" + (f"; {change}" if change else "")
    return Picture(f".{kind}", Product("", data), (Note("image-converted", message),))


def mask(sample: LabeledImage, mode: image.MaskMode) -> Picture:
    """The mask as 8-bit PNG whose pixel value is the class id: gray, or with VOC's colors."""
    if sample.is_recorded and sample.stored_upright:
        colors = image.voc_colors() if mode == "palette" else None
        return Picture(".png", Product("", png_parts.recolored(sample.mask_file, colors)))
    return Picture(".png", Product("", image.encode_mask(sample.mask, mode)))


def own_mask(sample: LabeledImage, link: Link, limit: int) -> Picture:
    """The dataset's own mask file where it lies upright as 8-bit gray or palette PNG, else a gray
    one.
    """
    path = sample.entry.mask
    fits = sample.is_recorded or image.header(sample.mask_file, path, limit).mode in ("L", "P")
    if sample.stored_upright and fits and path.suffix == ".png":
        return Picture(".png", Product("", None, path, link))
    return mask(sample, "gray")
