"""Every command block of docs/tutorials.md, run from top to bottom on made data with narrow
networks.
"""

import importlib
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

from segprep.training import models

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "docs" / "tutorials.md", ROOT / "docs" / "tutorials.zh-CN.md"]
SIDE = 64
# what is as it is in the tutorials, and what is asked for here instead: seconds, not days
INSTEAD = {"--epochs": "1", "--freeze-epochs": "1", "--steps-per-epoch": "1", "--batch": "2"}
INSTEAD |= {"--freeze-batch": "2", "--warm-up": "0", "--patience": "1", "--save-every": "1"}
NARROW = {"fcn32s": ("base=4", "wide=4")}
WHOLE = ("mini-unet",)  # it has no width


def blocks(page: Path) -> dict[str, list[str]]:
    """Title of a tutorial -> its commands."""
    text = page.read_text("utf-8")
    found = re.findall(r"^### (.+?)\n\n```console\n(.+?)```", text, re.M | re.S)
    return {title: re.findall(r"^\$ (.+)$", block, re.M) for title, block in found}


def disc(n: int, side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """A noisy picture with a bright disc, and where it is."""
    rng = np.random.default_rng(n)
    row, column = rng.integers(20, side - 20, 2)
    inside = np.hypot(*np.ogrid[-row : side - row, -column : side - column]) < 14
    picture = rng.integers(20, 60, (side, side, 3)) + 120 * inside[..., None]
    return picture.astype(np.uint8), inside


def save(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def membranes(root: Path) -> None:
    for n in range(6):
        picture, inside = disc(n)
        save(root / f"train/image/{n}.png", picture[..., 0])
        save(root / f"train/label/{n}.png", np.uint8(255) * inside)


def pictures(root: Path) -> None:
    for n in range(2):
        save(root / f"{n}.png", disc(n)[0])


def isbi(here: Path) -> None:
    for name in ("membrane", "isbi"):
        membranes(here / name)
    pictures(here / "test")


def medical(here: Path) -> None:
    for n in range(6):
        picture, inside = disc(n)
        save(here / f"Medical_Datasets/Images/{n}.png", picture)
        save(here / f"Medical_Datasets/Labels/{n}.png", np.uint8(255) * ~inside)
        save(here / f"theirs/images/{n}.png", picture)
        save(here / f"theirs/masks/{n}.png", inside.astype(np.uint8))
    video(here / "clip.mp4")


def video(path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 5, (SIDE, SIDE))
    for n in range(3):
        out.write(np.ascontiguousarray(disc(n)[0]))
    out.release()


def drive(here: Path) -> None:
    """Its folders and file types; small."""
    ring = np.uint8(255) * (np.hypot(*np.ogrid[-32:32, -32:32]) < 30)
    for part, label, first in (("training", "manual1", 21), ("test", "manual1", 1)):
        for n in range(first, first + (5 if part == "training" else 2)):
            picture, inside = disc(n)
            save(here / f"DRIVE/{part}/images/{n:02d}_{part}.tif", picture)
            save(here / f"DRIVE/{part}/1st_manual/{n:02d}_{label}.gif", np.uint8(255) * inside)
            save(here / f"DRIVE/{part}/mask/{n:02d}_{part}_mask.gif", ring)


def labelme(here: Path) -> None:
    shapes = ROOT / "examples" / "shapes"
    for folder in ("datasets/before", "image"):
        shutil.copytree(
            shapes, here / folder, ignore=lambda _, names: [n for n in names if n > "scene_07"]
        )
    text = "".join(path.read_text() for path in shapes.glob("*.json"))
    names = sorted({*re.findall(r'"label": "(\w+)"', text)} - {"_background_"})
    for name in ("labels.txt", "classes.txt"):
        (here / name).write_text("\n".join(["_background_", *names]) + "\n")
    for folder in ("img", "test_image"):
        pictures(here / folder)


def nuclei(here: Path) -> None:
    for n in range(6):
        picture, inside = disc(n)
        save(here / f"stage1_train/id{n}/images/id{n}.png", picture)
        save(here / f"stage1_train/id{n}/masks/m.png", np.uint8(255) * inside)
        save(here / f"inputs/mine/images/{n}.png", picture)
        for name, where in (("0", inside), ("1", ~inside)):
            save(here / f"inputs/mine/masks/{name}/{n}.png", np.uint8(255) * where)


def pets(here: Path) -> None:
    root = here / "oxford-iiit-pet"
    for n in range(1, 9):
        picture, inside = disc(n)
        save(root / f"images/Beagle_{n}.jpg", picture)
        save(root / f"annotations/trimaps/Beagle_{n}.png", np.where(inside, 1, 2).astype(np.uint8))
    for name, numbers in (("trainval", range(1, 7)), ("test", range(7, 9))):
        (root / f"annotations/{name}.txt").write_text(
            "".join(f"Beagle_{n} 1 2 1\n" for n in numbers)
        )


def frames(here: Path) -> None:
    for n in range(1, 11):
        picture, inside = disc(n)
        save(here / f"data/frames/frame_{n:03d}.png", picture)
        save(here / f"data/masks/mask_{n:03d}.png", np.uint8(255) * inside)


def cars(here: Path) -> None:
    for n in range(6):
        picture, inside = disc(n)
        save(here / f"carvana/train/{n}.jpg", picture)
        save(here / f"carvana/train_masks/{n}_mask.gif", np.uint8(255) * inside)


DATA: dict[str, Callable[[Path], None]] = {
    "(a)": isbi,
    "(b)": medical,
    "(c)": drive,
    "(d)": labelme,
    "(e)": labelme,
    "(f)": nuclei,
    "(g)": pets,
    "(h)": frames,
    "U-Net,": isbi,
    "Pytorch-UNet,": cars,
}


def narrowed(words: list[str]) -> list[str]:
    """A line for train with a narrow network and few steps."""
    out = list(words)
    for n, word in enumerate(words):
        if word in INSTEAD:
            out[n + 1] = INSTEAD[word]
        if word == "--size":
            out[n + 1] = "64" if "unet-paper" not in words else "36"
        if word == "--option":
            out[n + 1] = "base=4"
    arch = words[words.index("--arch") + 1] if "--arch" in words else "unet"
    for option in NARROW.get(arch, ("base=4",) if "--option" not in words else ()):
        out += ["--option", option] if arch not in WHOLE and "--resume" not in words else []
    if "--weights" in words:
        options = {
            key: int(value) for key, value in (o.split("=") for o in NARROW.get(arch, ("base=4",)))
        }
        torch.save(models.build(arch, 3, 2, **options).encoder.state_dict(), "vgg16.pth")
    if "--epochs" not in words and "--resume" not in words:
        out += ["--epochs", "1"]
    return out + ["--no-tensorboard"] * ("--resume" not in words)


@pytest.mark.parametrize("title", blocks(PAGES[0]))
def test_every_block_runs_from_files_to_scores(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order, in one folder, each with exit code 0."""
    key = title.split(maxsplit=1)[0]
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    DATA[key](tmp_path)
    for line in blocks(PAGES[0])[title]:
        words = shlex.split(line)
        if words[0] == "torchrun":  # as one process; two are tried in test_train_processes.py
            words = ["segprep", *words[words.index("segprep_cli") + 1 :]]
        words = narrowed(words) if words[1] == "train" else words
        done = CliRunner().invoke(group, words[1:])
        assert done.exit_code == 0, f"{shlex.join(words)}\n{done.output}\n{done.exception!r}"


def test_the_chinese_page_has_the_same_commands() -> None:
    english, chinese = (list(blocks(page).values()) for page in PAGES)
    assert english == chinese


def test_every_module_of_the_page_exists() -> None:
    """Dotted names, and files below segprep/."""
    for page in PAGES:
        text = page.read_text("utf-8")
        for name in set(re.findall(r"`(segprep(?:\.\w+)+)", text)):
            parts = name.split(".")
            for end in range(len(parts), 0, -1):
                try:
                    found: object = importlib.import_module(".".join(parts[:end]))
                except ModuleNotFoundError:
                    continue
                for part in parts[end:]:
                    found = getattr(found, part)
                break
        for path in set(
            re.findall(r"`((?:training|imaging|dataset|sources|evaluation)/[\w/]+\.py)`", text)
        ):
            assert (ROOT / "segprep" / path).is_file(), path


def test_every_option_of_a_hint_exists() -> None:
    """An option that the library or its commands name in a text is one of some command."""
    known = {"--nproc-per-node", "--shm-size", "--no-deps", "--group"}
    context = click.Context(group)
    for command in (group.get_command(context, name) for name in group.list_commands(context)):
        formats = command.list_commands(context) if isinstance(command, click.Group) else ()
        nested = [command.get_command(context, name) for name in formats] or [command]
        for one in (option for each in nested for option in each.params):
            known |= {*one.opts, *one.secondary_opts}
    missing = {}
    for path in (ROOT / "segprep" / "training").rglob("*.py"):
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]+", path.read_text("utf-8")):
            if option not in known and not option.endswith("-"):
                missing[option] = path.name
    assert missing == {}
