"""The bundled example from annotations to a checked dataset and scores, and a picture of it: what
``make demo`` runs.

python examples/demo.py [FOLDER [STEPS]]      FOLDER is demo/ by default; FOLDER/shapes is made
again each time; STEPS of training
"""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

import segprep
from segprep.description import Info

HERE = Path(__file__).resolve().parent
SPLITS = ("train", "val", "test")
STEPS = 400  # one to two minutes on two cores
WRONG = "scene_05"  # its mask is flipped while the dataset is checked
PAPER, INK, QUIET, LINE = (250, 249, 246), (38, 40, 46), (122, 124, 130), (222, 219, 212)
BADGES = {"train": (66, 99, 131), "val": (176, 122, 42), "test": (138, 74, 92)}
GAP, MARGIN, PAIR = 6, 28, 26  # between the tiles of a sample, around the sheet, between samples


def run(*arguments: str, fine: Sequence[int] = (0,)) -> None:
    """Echo a segprep command and run it; stop if it ends with a code that is not *fine*."""
    print("\n$ segprep " + shlex.join(arguments), flush=True)
    if (
        code := subprocess.run(
            [sys.executable, "-m", "segprep_cli", *arguments], check=False
        ).returncode
    ) not in fine:
        raise SystemExit(code)


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, so that the picture looks the same everywhere."""
    return ImageFont.load_default(size)


def tiles(tree: segprep.Tree, stem: str, size: tuple[int, int]) -> list[Image.Image]:
    """Image, mask in its own colors, and both over each other, with the borders of the classes
    drawn in.
    """
    path = tree.image_path(stem)
    assert path is not None
    with Image.open(path) as opened:
        image = opened.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    with Image.open(tree.mask_path(stem)) as opened:
        mask = opened.resize(size, Image.Resampling.NEAREST)
    colors = mask.convert("RGB")
    values = Image.frombytes(
        "L", size, mask.tobytes()
    )  # the class ids themselves, not their brightness
    inside = values.point(lambda value: 255 if value else 0)
    edge = ImageChops.difference(
        values.filter(ImageFilter.MaxFilter(3)), values.filter(ImageFilter.MinFilter(3))
    ).point(lambda v: 255 if v else 0)
    overlay = Image.composite(Image.blend(image, colors, 0.55), image, inside)
    overlay.paste((255, 255, 255), mask=edge)
    return [image, colors, overlay]


def legend(
    draw: ImageDraw.ImageDraw, dataset: Info, colors: Sequence[int], at: tuple[int, int]
) -> None:
    """A swatch, id, name and share for every class, and for ignored pixels."""
    rows = [(entry.value, entry.name, entry.share) for entry in dataset.classes] + (
        [(255, "ignored", dataset.ignored)] if dataset.ignored else []
    )
    x, y = at
    for value, name, share in rows:
        draw.rounded_rectangle(
            (x, y, x + 22, y + 22), 4, fill=tuple(colors[3 * value : 3 * value + 3]), outline=LINE
        )
        draw.text((x + 30, y + 11), f"{value}  {name}", INK, font(15), "lm")
        wide = draw.textlength(f"{value}  {name}  ", font(15))
        draw.text((x + 30 + wide, y + 12), f"{100 * share:.1f} %", QUIET, font(13), "lm")
        x += int(30 + wide + draw.textlength(f"{100 * share:.1f} %", font(13)) + 26)


def sheet(
    root: Path, size: tuple[int, int] = (240, 180), across: int = 2, most: int | None = None
) -> Image.Image:
    """A contact sheet of the tree at *root*: *across* samples in a row, at most *most* of each
    list.
    """
    tree, dataset = segprep.Tree(root), segprep.info(root)
    lists = {name: tree.lists()[name] for name in SPLITS}
    shown = {name: stems[:most] for name, stems in lists.items() if stems}
    rows = sum(-(-len(stems) // across) for stems in shown.values())
    sample = 3 * size[0] + 2 * GAP
    width = 2 * MARGIN + across * sample + (across - 1) * PAIR
    height = MARGIN + 104 + len(shown) * 44 + rows * (size[1] + 28) + MARGIN // 2
    page = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN, MARGIN), f"{root.name}: {dataset.images} images", INK, font(26), "lt")
    draw.text(
        (width - MARGIN, MARGIN + 6), "image  |  mask as stored  |  both", QUIET, font(15), "rt"
    )
    with Image.open(tree.mask_path(tree.stems()[0])) as mask:
        legend(draw, dataset, mask.getpalette() or [], (MARGIN, MARGIN + 46))
    y = MARGIN + 88
    for name, stems in shown.items():
        label = f"{name}  {len(lists[name])}"
        wide = int(draw.textlength(label, font(15))) + 22
        draw.line((MARGIN + wide + 12, y + 26, width - MARGIN, y + 26), LINE, 1)
        draw.rounded_rectangle((MARGIN, y + 14, MARGIN + wide, y + 38), 12, fill=BADGES[name])
        draw.text((MARGIN + wide // 2, y + 26), label, (255, 255, 255), font(15), "mm")
        y += 44
        for n, stem in enumerate(stems):
            left, top = MARGIN + n % across * (sample + PAIR), y + n // across * (size[1] + 28)
            for k, tile in enumerate(tiles(tree, stem, size)):
                page.paste(tile, (left + k * (size[0] + GAP), top + 4))
            draw.text((left, top + size[1] + 8), stem, QUIET, font(13), "lt")
        y += -(-len(stems) // across) * (size[1] + 28)
    return page


@contextmanager
def corrupted(root: Path) -> Iterator[None]:
    """The tree at *root* with one wrong mask, for a check to find; put back afterward."""
    path = segprep.Tree(root).mask_path(WRONG)
    content = path.read_bytes()
    print(f"\nNow the mask of {WRONG} is mirrored on purpose: does the check find it?")
    segprep.write_mask(path, segprep.read_mask(path)[:, ::-1].copy())
    try:
        yield
    finally:
        path.write_bytes(content)
        print(f"The mask of {WRONG} is restored.")


def main(folder: Path, steps: int = STEPS) -> Path:
    """Convert, split, describe, draw, train-check, score; the path of the picture."""
    out = folder / "shapes"
    if (out / "segprep.json").is_file():  # our own work of the last time
        shutil.rmtree(out)
    run(
        "json2mask",
        str(HERE / "shapes" if Path.cwd() != HERE.parent else Path("examples/shapes")),
        str(out),
    )
    run("split", str(out), "--seed", "1")
    run("info", str(out))
    picture = folder / "picture.png"
    sheet(out, most=4).save(picture, optimize=True)
    with corrupted(out):
        run(
            "train-check", str(out), "--steps", str(steps), fine=(0, 4, 5)
        )  # 4: masks look wrong; 5: few steps
    run("miou", "--dataset", str(out), "--out", str(folder / "scores"), "--overwrite")
    return picture


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    picture = main(
        Path(sys.argv[1]) if len(sys.argv) > 1 else Path("demo"),
        int(sys.argv[2]) if len(sys.argv) > 2 else STEPS,
    )
    home = picture.parent
    print(f"\nThe dataset is in {home / 'shapes'}. Open these:")
    print(f"  {picture}   images and masks")
    print(
        f"  {home / 'shapes/runs/train-check/report.html'}   can it be learned, and which masks"
        " look wrong?"
    )
    print(f"  {home / 'scores/confusion_matrix.png'}   which classes are confused")
