"""Points, shapes, labels and file names that cannot be drawn or used."""

import base64
from collections.abc import Iterator
from typing import Any

from hostile.cases import Case, points, shapes
from hostile.makers import (
    TRIANGLE,
    WIDTH,
    bitmap,
    encoded,
    shape,
)


def comb(teeth: int, deep: float = 500.0) -> list[list[float]]:
    """A polygon of 2 * teeth vertices that crosses every row *teeth* times."""
    return [[n * WIDTH / teeth, deep if n % 2 else -deep] for n in range(2 * teeth)]


def shapes_() -> Iterator[tuple[str, Case]]:
    """H17, H18: points and shapes."""
    where = "shapes[0].points"
    for count in (0, 1, 2):
        yield (
            f"points-{count}",
            Case("bad-shape", (where, f"has {count}"), content=points(*TRIANGLE[:count])),
        )
    wrong: dict[str, Any] = {
        "bool": [True, 4],
        "nested": [[1, 2], [3, 4]],
        "text": ["30", "4"],
        "null": None,
        "null-number": [None, 4],
        "three": [1, 2, 3],
        "one": [1],
        "object": {"x": 1, "y": 2},
        "1e308": [1e308, 4],
        "minus-1e308": [30, -1e308],
        "digits": [10**400, 4],
        "number": 4,
    }
    for name, value in wrong.items():
        yield (
            f"points-{name}",
            Case("bad-shape", (f"{where}[1]",), content=points([4, 4], value, [20, 24])),
        )
    yield "points-dict", Case("bad-shape", (where,), content=shapes(shape(points={"0": [1, 2]})))
    yield "points-missing", Case("bad-shape", (where,), content=shapes({"label": "cat"}))
    yield (
        "points-second",
        Case(
            "bad-shape",
            ("shapes[1].points[2]",),
            content=shapes(shape(), shape(points=[[1, 1], [2, 2], ["a", 3]])),
        ),
    )
    yield (
        "points-million",
        Case(
            "shape-too-complex",
            (where, "1000000"),
            content=points(*([n % 40, n % 30] for n in range(1_000_000))),
        ),
    )
    for name, far in (
        ("1e5", 1e5),
        ("999999", 999_999),
        ("1e10", 1e10),
        ("2-31", 2**31),
        ("2-63", 2**63),
        ("1e30", 10**30),
        ("1e99", 1e99),
    ):
        code = "bad-shape" if far > 1e6 else ""
        yield (
            f"far-{name}",
            Case(code, content=points([4, 4], [far, 4], [20, 24]), checks={"right": 1}),
        )
        yield (
            f"far-left-{name}",
            Case(code, content=points([36, 4], [-far, 4], [20, 24]), checks={"right": 0}),
        )
        yield (
            f"circle-far-{name}",
            Case(code, content=points([20, 15], [far, 15], kind="circle"), checks={"right": 1}),
        )
        yield (
            f"circle-off-{name}",
            Case(code, content=points([far, 15], [far, 20], kind="circle"), checks={"right": 0}),
        )
        yield f"circle-around-{name}", Case(code, content=points([far, 0], [0, 0], kind="circle"))
        yield (
            f"line-far-{name}",
            Case(code, content=points([-far, 15], [far, 15], kind="line"), checks={"right": 1}),
        )
        yield (
            f"strip-far-{name}",
            Case(code, content=points([0, 0], [far, far], [far, -far], kind="linestrip")),
        )
        yield (
            f"rectangle-far-{name}",
            Case(
                code,
                content=points([-far, -far], [far, far], kind="rectangle"),
                checks={"right": 1},
            ),
        )
        yield (
            f"point-far-{name}",
            Case(code, notes=("shape-outside",), content=points([far, far], kind="point")),
        )
        yield (
            f"mask-far-{name}",
            Case(
                {"", "bad-shape"},
                content=shapes(
                    shape(points=[[far, far], [far + 8, far + 8]], kind="mask", mask=bitmap(9, 9))
                ),
            ),
        )
    yield "collinear", Case(notes=("degenerate-shape",), content=points([1, 1], [2, 2], [3, 3]))
    yield "same-point", Case(notes=("degenerate-shape",), content=points([1, 1], [1, 1], [1, 1]))
    yield "bow-tie", Case(content=points([4, 4], [30, 24], [30, 4], [4, 24]))
    yield "outside", Case(notes=("shape-outside",), content=points([400, 4], [430, 4], [420, 24]))
    yield "no-shapes", Case(notes=("no-shapes",), content={"shapes": []})
    yield "circle-1", Case("bad-shape", (where, "circle"), content=points([4, 4], kind="circle"))
    yield "circle-3", Case("bad-shape", (where, "circle"), content=points(*TRIANGLE, kind="circle"))
    yield (
        "circle-1e300",
        Case("bad-shape", (f"{where}[1]",), content=points([4, 4], [1e300, 4], kind="circle")),
    )
    yield (
        "circle-0",
        Case(notes=("degenerate-shape",), content=points([4, 4], [4, 4], kind="circle")),
    )
    yield "line-1", Case("bad-shape", (where, "line"), content=points([4, 4], kind="line"))
    yield (
        "mask-size",
        Case(
            "bad-shape",
            ("shapes[0].mask", "9x9", "21x31"),
            content=shapes(shape(points=[[0, 0], [20, 30]], kind="mask", mask=bitmap(9, 9))),
        ),
    )
    yield (
        "mask-none",
        Case(
            "bad-shape",
            ("shapes[0].mask",),
            content=shapes(shape(points=[[0, 0], [20, 30]], kind="mask")),
        ),
    )
    yield (
        "mask-junk",
        Case(
            "bad-shape",
            ("shapes[0].mask",),
            content=shapes(shape(points=[[0, 0], [20, 30]], kind="mask", mask="?")),
        ),
    )
    yield (
        "mask-html",
        Case(
            "bad-shape",
            ("shapes[0].mask",),
            content=shapes(
                shape(
                    points=[[0, 0], [20, 30]],
                    kind="mask",
                    mask=base64.b64encode(b"<html>").decode(),
                )
            ),
        ),
    )
    yield (
        "mask-rgb",
        Case(
            "bad-shape",
            ("shapes[0].mask",),
            content=shapes(
                shape(
                    points=[[0, 0], [39, 29]],
                    kind="mask",
                    mask=base64.b64encode(encoded()).decode(),
                )
            ),
        ),
    )
    yield (
        "mask-outside",
        Case(content=shapes(shape(points=[[-4, -4], [4, 4]], kind="mask", mask=bitmap(9, 9)))),
    )
    yield (
        "type-unknown",
        Case(
            "unknown-shape-type",
            ("shapes[0].shape_type", "blob"),
            content=shapes(shape(kind="blob")),
        ),
    )
    yield (
        "type-number",
        Case(
            {"unknown-shape-type", "bad-annotation"},
            ("shapes[0].shape_type",),
            content=shapes(shape(kind=7)),
        ),
    )
    yield (
        "type-list",
        Case(
            {"unknown-shape-type", "bad-annotation"},
            ("shapes[0].shape_type",),
            content=shapes(shape(kind=["polygon"])),
        ),
    )
    yield (
        "type-object",
        Case(
            {"unknown-shape-type", "bad-annotation"},
            ("shapes[0].shape_type",),
            content=shapes(shape(kind={"a": 1})),
        ),
    )
    yield "type-missing", Case(content=shapes({"label": "cat", "points": TRIANGLE}))
    yield (
        "group-list",
        Case("bad-annotation", ("shapes[0].group_id",), content=shapes(shape(group_id=[1]))),
    )
    yield "group-text", Case(content=shapes(shape(group_id="a")))
    yield "shapes-object", Case("bad-annotation", ("shapes",), content={"shapes": {"a": 1}})
    yield "shapes-text", Case("bad-annotation", ("shapes",), content={"shapes": "cat"})
    yield "shapes-number", Case("bad-annotation", ("shapes",), content={"shapes": 7})
    for name, value in (("null", None), ("text", "cat"), ("list", [1])):
        yield (
            f"shape-{name}",
            Case("bad-annotation", ("shapes[1]",), content=shapes(shape(), value)),
        )


def labels() -> Iterator[tuple[str, Case]]:
    """H19: labels."""
    wrong: dict[str, Any] = {
        "empty": "",
        "blank": " \t",
        "newline": "a\nb",
        "nul": "a\0",
        "long": "x" * 10_000,
        "surrogate": "\ud800",
        "fraction": 7.5,
        "null": None,
        "true": True,
        "list": ["cat"],
        "separator": "a\u2028b",
        "escape": "\x1b[31mred",
    }
    for name, label in wrong.items():
        yield (
            f"label-{name}",
            Case("bad-label", ("shapes[1].label",), content=shapes(shape(), shape(label))),
        )
    yield (
        "label-missing",
        Case("bad-label", ("shapes[0].label",), content=shapes({"points": TRIANGLE})),
    )
    yield "label-number", Case(content=shapes(shape(7)))
    yield "label-up", Case(content=shapes(shape("../x")))
    yield "label-comma", Case(content=shapes(shape("a,b")))
    yield "label-blanks", Case(content=shapes(shape(" cat ")))
    yield "label-nfd", Case(content=shapes(shape("caf\u0065\u0301")))
    yield "label-nfc", Case(content=shapes(shape("caf\u00e9")))
    yield (
        "label-background",
        Case(content=shapes(shape("Background"), shape("_background_"), shape("background"))),
    )
    yield "label-ignore", Case(content=shapes(shape("__ignore__")))
    yield "label-rtl", Case(content=shapes(shape("\u202ecat")))


def stems() -> Iterator[tuple[str, Case]]:
    """H20: names of files."""
    wrong: dict[str, str | bytes] = {
        "con": "CON.json",
        "aux": "aux.b.json",
        "dot": "a.jpg..json",
        "blank": "trailing .json",
        "leading-blank": " leading.json",
        "newline": "new\nline.json",
        "bytes": b"\xff\xfe.json",
        "long": "x" * 250 + ".json",
        "long-utf8": "é" * 120 + ".json",
        "escape": "\x1b[2J.json",
        "backslash": "a\\b.json",
        "c1": "a\x9bb.json",
        "quote": 'it\'s "so".json',
        "colon": "a:b.json",
    }
    for name, file in wrong.items():
        yield f"stem-{name}", Case("bad-stem", ("name",), file=file)
    for name, file in (
        ("dash", "-rf.json"),
        ("dots", "a.b.json"),
        ("upper", "UPPER.JSON"),
        ("bracket", "d[1].json"),
        ("percent", "100%.json"),
        ("chinese", "猫.json"),
    ):
        yield f"stem-{name}", Case(file=file)
    for name, file in (
        ("case-1", "Twin.json"),
        ("case-2", "tWin.json"),
        ("nfc", "caf\u00e9.json"),
        ("nfd", "cafe\u0301.json"),
        ("same-1", "same.json"),
        ("same-2", "same.json"),
    ):
        yield f"stem-{name}", Case("stem-collision", ("together with",), file=file)
    yield (
        "stem-folder.json",
        Case(
            file="inside-a-folder-called-json.json",
            image=None,
            content={
                "imagePath": "stem-folder.json.png",
                "imageData": base64.b64encode(encoded()).decode(),
            },
        ),
    )
