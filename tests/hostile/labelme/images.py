"""Images that are bombs, damaged, or of another format than their name says."""

import io
import struct
import zlib
from collections.abc import Iterator

from hostile.cases import Case
from hostile.makers import HEIGHT, WIDTH, chunk, encoded, raw_png, zeros_png
from PIL import Image


def images() -> Iterator[tuple[str, Case]]:
    """H7, H9, H10, H11: bombs, damage, other formats under the name."""
    yield from _damaged()
    yield from _formats()


def _damaged() -> Iterator[tuple[str, Case]]:
    png, jpeg, gif, webp = (
        encoded(size=(300, 200)),
        encoded("JPEG", size=(300, 200)),
        encoded("GIF", "L", (300, 200)),
        encoded("WEBP", size=(300, 200)),
    )
    bmp, tiff, lzw = (
        encoded("BMP", size=(300, 200)),
        encoded("TIFF", size=(300, 200)),
        encoded("TIFF", size=(300, 200), compression="tiff_lzw"),
    )
    broken = {"image-damaged", "image-unsupported"}
    yield "bomb-1bit", Case("image-too-large", (), image=zeros_png(30_000))
    yield "bomb-header", Case("image-too-large", (), image=raw_png(2**31 - 1, 1))
    yield "bomb-header-both", Case("image-too-large", (), image=raw_png(2**31 - 1, 2**31 - 1))
    yield (
        "bomb-text",
        Case(
            broken,
            (),
            image=raw_png(
                WIDTH, HEIGHT, before=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(70_000_000), 1))
            ),
        ),
    )
    yield (
        "bomb-jpeg",
        Case(
            "image-too-large",
            (),
            image=jpeg.replace(struct.pack(">HH", 200, 300), struct.pack(">HH", 65_500, 65_500), 1),
            suffix=".jpg",
        ),
    )
    yield "image-empty", Case("empty-file", ("0 bytes",), image=b"")
    yield "image-html", Case("image-unsupported", (), image=b"<!doctype html><title>404</title>")
    yield (
        "image-lfs",
        Case(
            "lfs-pointer",
            ("LFS",),
            image=b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        ),
    )
    yield "image-nuls", Case("image-unsupported", (), image=bytes(1000))
    yield "image-short", Case(broken, (), image=png[:16])
    yield "cut-png", Case("image-damaged", (), image=png[: len(png) // 2])
    yield "cut-jpeg", Case("image-damaged", (), image=jpeg[: len(jpeg) // 2], suffix=".jpg")
    yield "cut-gif", Case("image-damaged", (), image=gif[: len(gif) // 2], suffix=".gif")
    yield "cut-bmp", Case("image-damaged", (), image=bmp[: len(bmp) // 2], suffix=".bmp")
    yield "cut-tiff", Case(broken, (), image=tiff[: len(tiff) // 2], suffix=".tif")
    yield "cut-lzw", Case(broken, (), image=lzw[: len(lzw) // 2], suffix=".tif")
    yield "cut-webp", Case(broken, (), image=webp[: len(webp) // 2], suffix=".webp")
    yield (
        "png-flipped",
        Case("image-damaged", (), image=png[:200] + bytes([png[200] ^ 4]) + png[201:]),
    )
    yield (
        "png-lies-larger",
        Case("image-damaged", (), image=raw_png(600, 400, zlib.compress(bytes(201 * 100)))),
    )
    yield (
        "png-lies-smaller",
        Case("image-damaged", (), image=raw_png(100, 50, zlib.compress(bytes(301 * 200)))),
    )
    yield (
        "png-header-long",
        Case(broken, (), image=raw_png(WIDTH, HEIGHT, zlib.compress(bytes(41 * 30)), after=b"\0")),
    )
    yield (
        "png-depth-3",
        Case(broken, (), image=raw_png(WIDTH, HEIGHT, zlib.compress(bytes(41 * 30)), depth=3)),
    )
    yield (
        "png-interlaced-lie",
        Case(broken, (), image=raw_png(WIDTH, HEIGHT, zlib.compress(bytes(41 * 29)))),
    )
    yield "png-no-end", Case(notes=("image-repaired",), image=png[:-12])
    yield "png-last-byte", Case(notes=("image-repaired",), image=png[:-1])
    yield "png-trailing", Case(image=png + b"more")
    yield "gif-no-trailer", Case(notes=("image-converted",), image=gif[:-1], suffix=".gif")
    yield "eps", Case("image-unsupported", (), image=encoded("EPS"))
    yield (
        "psd",
        Case(
            "image-unsupported",
            (),
            image=b"8BPS\0\1"
            + bytes(6)
            + struct.pack(">HIIHH", 3, HEIGHT, WIDTH, 8, 3)
            + bytes(64 + 3 * HEIGHT * WIDTH),
        ),
    )
    yield "pdf", Case("image-unsupported", (), image=encoded("PDF"))
    yield "ico", Case("image-unsupported", (), image=encoded("ICO"), suffix=".jpg")


def _formats() -> Iterator[tuple[str, Case]]:
    png, jpeg, bmp = (
        encoded(size=(300, 200)),
        encoded("JPEG", size=(300, 200)),
        encoded("BMP", size=(300, 200)),
    )
    yield "jpeg-as-png", Case(notes=("image-extension",), image=jpeg, checks={"image": ".jpg"})
    yield (
        "png-as-jpeg",
        Case(notes=("image-extension",), image=png, suffix=".jpg", checks={"image": ".png"}),
    )
    yield (
        "bmp-as-jpeg",
        Case(
            notes=("image-extension", "image-converted"),
            image=bmp,
            suffix=".jpg",
            checks={"image": ".png"},
        ),
    )
    yield (
        "float",
        Case("image-unsupported", ("pixel type F",), image=encoded("TIFF", "F"), suffix=".tif"),
    )
    yield (
        "int32",
        Case("image-unsupported", ("pixel type I",), image=encoded("TIFF", "I"), suffix=".tif"),
    )
    for kind, mode in (
        ("BMP", "RGB"),
        ("GIF", "L"),
        ("TIFF", "RGB"),
        ("TIFF", "I;16"),
        ("TIFF", "CMYK"),
        ("TIFF", "1"),
        ("WEBP", "RGB"),
        ("PPM", "RGB"),
    ):
        name = f"format-{kind.lower()}" + (
            "" if mode == "RGB" else f"-{mode.lower().replace(';', '')}"
        )
        yield (
            name,
            Case(
                notes=("image-converted",),
                image=encoded(kind, mode),
                suffix={"TIFF": ".tif"}.get(kind, f".{kind.lower()}"),
                checks={"image": ".png"},
            ),
        )
    for mode in ("1", "L", "LA", "P", "RGBA", "I;16"):
        yield f"format-png-{mode.lower().replace(';', '')}", Case(image=encoded("PNG", mode))
    yield (
        "format-jpeg-cmyk",
        Case(image=encoded("JPEG", "CMYK"), suffix=".jpg", checks={"image": ".jpg"}),
    )
    frames = [Image.new("L", (WIDTH, HEIGHT), n) for n in range(40)]
    for kind, suffix in (("GIF", ".gif"), ("TIFF", ".tif")):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:])
        yield (
            f"frames-{kind.lower()}",
            Case(notes=("image-frames",), image=out.getvalue(), suffix=suffix),
        )
    for value in (1, 2, 3, 4, 5, 6, 7, 8, 99):
        exif = Image.Exif()
        exif[0x0112] = value
        turned = 5 <= value <= 8
        size = {
            "imageHeight": WIDTH if turned else HEIGHT,
            "imageWidth": HEIGHT if turned else WIDTH,
        }
        notes = (
            ()
            if value in (1, 99)
            else ("image-upright", *(() if turned else ("orientation-unclear",)))
        )
        yield (
            f"exif-{value}",
            Case(
                notes=notes,
                content=size,
                image=encoded("JPEG", exif=exif),
                suffix=".jpg",
                checks={"size": tuple(size.values())},
            ),
        )
    yield (
        "exif-stored",
        Case(
            notes=("image-upright",),
            content={"imageHeight": HEIGHT, "imageWidth": WIDTH},
            image=encoded("JPEG", exif=_exif(6)),
            suffix=".jpg",
            checks={"size": (WIDTH, HEIGHT)},
        ),
    )


def _exif(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif
