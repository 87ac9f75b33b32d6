"""Plain JPEGs decoded without Pillow's reading of their headers, which takes as long as decoding
a small picture.
"""

from PIL import Image

from segprep.imaging import headers

SCALES = (8, 4, 2)  # that libjpeg decodes at, besides 1


def decoded(
    data: bytes, head: headers.Header, limit: int, least: tuple[int, int] | None = None
) -> Image.Image | None:
    """The picture of a file whose header, as :func:`headers.of_jpeg` reads it, is *head*; at the
    smallest scale that has *least* (width, height) pixels, in full without it. None where it is
    neither gray nor in three colors, damaged, or of more than *limit* pixels: Pillow says why.
    """
    if head.mode == "CMYK" or head.width * head.height > limit:
        return None
    whole = min(head.width // least[0], head.height // least[1]) if least else 1
    scale = next((scale for scale in SCALES if scale <= whole), 1)
    size = -(-head.width // scale), -(-head.height // scale)
    try:
        return Image.frombytes(head.mode, size, data, "jpeg", head.mode, "", scale, 0)
    except (MemoryError, OSError, ValueError):
        return None
