"""Annotations as text: encodings, JSON that is not what it seems, embedded images."""

import base64
from collections.abc import Iterator

from hostile.cases import PLAIN, Case
from hostile.makers import (
    WIDTH,
    encoded,
    zeros_png,
)


def texts() -> Iterator[tuple[str, Case]]:
    """H15, H16: JSON and embedded data."""

    def raw(name: str, body: str, encoding: str = "utf-8") -> bytes:
        return (body.replace("%s", f"{name}.png")).encode(encoding)

    for name, encoding in (
        ("json-bom", "utf-8-sig"),
        ("json-utf16", "utf-16"),
        ("json-utf16le", "utf-16-le"),
        ("json-utf16be", "utf-16-be"),
        ("json-utf32", "utf-32"),
    ):
        yield (
            name,
            Case(
                notes=() if encoding == "utf-8-sig" else ("other-encoding",),
                content=raw(name, PLAIN, encoding),
            ),
        )
    bad = {
        "json-digits": PLAIN.replace("[30,4]", f"[{'9' * 5000},4]"),
        "json-depth": '{"shapes": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "json-objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
        "json-trailing": PLAIN + "}",
        "json-two": PLAIN + PLAIN,
        "json-cut": PLAIN[:60],
        "json-word": "shapes",
        "json-comma": PLAIN.replace("[4,4],", "[4,4],,"),
        "json-quote": PLAIN.replace('"', "'"),
        "json-control": PLAIN.replace("cat", "c\1t"),
        "json-blank": "   \n",
    }
    for name, body in bad.items():
        yield name, Case("bad-json", ("JSON",), content=raw(name, body))
    for name, point in (
        ("json-nan", "[NaN,4]"),
        ("json-inf", "[Infinity,4]"),
        ("json-neginf", "[30,-Infinity]"),
    ):
        content = raw(name, PLAIN.replace("[30,4]", point))
        yield name, Case("bad-shape", ("shapes[0].points[1]",), content=content)
    harmless = PLAIN.replace('"label"', '"score": NaN, "label"')
    yield "json-nan-score", Case(content=raw("json-nan-score", harmless))
    yield "json-empty", Case("empty-file", ("0 bytes",), content=b"")
    yield (
        "json-lfs",
        Case(
            "lfs-pointer",
            ("LFS",),
            content=b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        ),
    )
    yield (
        "json-latin1",
        Case(
            "bad-encoding",
            (),
            content=raw("json-latin1", PLAIN.replace('"cat"', '"caf\xe9"'), "latin-1"),
        ),
    )
    yield (
        "json-half-utf16",
        Case(
            {"bad-encoding", "bad-json"}, (), content=raw("json-half-utf16", PLAIN, "utf-16")[:-1]
        ),
    )
    yield "json-png", Case({"bad-encoding", "bad-json"}, (), content=encoded())
    yield (
        "json-twin",
        Case(
            "duplicate-key",
            ("shapes",),
            content=raw("json-twin", PLAIN.replace('"imageData"', '"shapes": [], "imageData"')),
        ),
    )
    yield (
        "json-twin-inner",
        Case(
            "duplicate-key",
            ("label",),
            content=raw(
                "json-twin-inner", PLAIN.replace('"label": "cat"', '"label": "cat", "label": "dog"')
            ),
        ),
    )
    long = base64.b64encode(encoded(size=(200, 200))).decode()
    yield (
        "json-twin-data",
        Case(
            "duplicate-key",
            ("imageData",),
            content=raw(
                "json-twin-data", PLAIN.replace("null}", f'"{long}", "imageData": "{long}"' + "}")
            ),
        ),
    )
    yield (
        "json-1e999",
        Case(
            "bad-shape",
            ("shapes[0].points[1]",),
            content=raw("json-1e999", PLAIN.replace("[30,4]", "[1e999,4]")),
        ),
    )
    for name, body in (
        ("json-null", "null"),
        ("json-list", "[1, 2]"),
        ("json-number", "7"),
        ("json-string", '"shapes"'),
        ("json-other", '{"images": [], "annotations": []}'),
    ):
        yield (
            name,
            Case("other-json", ("not a labelme annotation",), content=body.encode(), foreign=True),
        )
    for name, value in (
        ("junk", "not base64!"),
        ("padding", long[:-1]),
        ("non-ascii", "é" * 8),
        ("half-junk", long[:50] + "*" + long[50:]),
    ):
        yield (
            f"data-{name}",
            Case("bad-image-data", ("imageData",), content={"imageData": value}, image=None),
        )
    yield (
        "data-html",
        Case(
            "image-unsupported",
            ("imageData",),
            content={"imageData": base64.b64encode(b"<html>").decode()},
            image=None,
        ),
    )
    yield (
        "data-cut",
        Case(
            "image-damaged",
            (),
            content={"imageData": base64.b64encode(encoded(size=(300, 200))[:300]).decode()},
            image=None,
        ),
    )
    yield (
        "data-bomb",
        Case(
            "image-too-large",
            ("imageData",),
            content={"imageData": base64.b64encode(zeros_png(30_000)).decode()},
            image=None,
        ),
    )
    yield (
        "data-int",
        Case("image-missing", ("no image",), content={"imageData": 7}, image=None),
    )
    yield (
        "data-size",
        Case(
            "size-mismatch",
            ("40x30", "imageData"),
            content={
                "imageData": base64.b64encode(encoded()).decode(),
                "imageHeight": 7,
                "imageWidth": 9,
            },
            image=None,
        ),
    )
    yield "data-good", Case(notes=("image-embedded",), content={"imageData": long}, image=None)
    yield (
        "data-lines",
        Case(
            notes=("image-embedded",),
            content={"imageData": "\n".join(long[n : n + 76] for n in range(0, len(long), 76))},
            image=None,
        ),
    )
    for name, height in (
        ("text", "30"),
        ("negative", -30),
        ("zero", 0),
        ("list", [30]),
        ("true", True),
    ):
        content = {"imageHeight": height, "imageWidth": WIDTH}
        notes = () if name == "text" else ("field-ignored",)
        yield f"size-{name}", Case(notes=notes, content=content)
    yield (
        "size-other",
        Case("size-mismatch", ("40x30", "41x30"), content={"imageHeight": 30, "imageWidth": 41}),
    )
    yield (
        "size-huge",
        Case("size-mismatch", (), content={"imageHeight": 10**400, "imageWidth": WIDTH}),
    )
    yield (
        "size-inf",
        Case(
            notes=("field-ignored",),
            content=raw(
                "size-inf", PLAIN.replace("null}", 'null, "imageHeight": 1e999, "imageWidth": 40}')
            ),
        ),
    )
