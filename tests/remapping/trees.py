"""A tree of three classes, and the command on it."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner, Result
from PIL import Image
from segprep_cli.main import group

from segprep.dataset.tree import Tree
from segprep.imaging.image import encode_mask, read_mask
from segprep.remapping import table as relabelling
from segprep.remapping.table import ClassChanges

NAMES = ("_background_", "cat", "cow", "dog")


def foreign(root: Path, masks: dict[str, list[list[int]]], names: str = "") -> Path:
    """A VOC tree that segprep did not make."""
    for stem, rows in masks.items():
        place(root / f"JPEGImages/{stem}.jpg", jpeg(len(rows[0]), len(rows)))
        place(root / f"SegmentationClass/{stem}.png", encode_mask(np.asarray(rows, np.uint8)))
    if names:
        (root / "class_names.txt").write_text(names)
    return root


def jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "gray").save(out, "JPEG")
    return out.getvalue()


def place(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, ["remap", *map(str, arguments)], prog_name="segprep")


def masks_of(root: Path) -> dict[str, list[list[int]]]:
    return {stem: read_mask(Tree(root).mask_path(stem)).tolist() for stem in Tree(root).stems()}


def table(names: tuple[str, ...] = NAMES, **changes: Any) -> tuple[dict[int, int], tuple[str, ...]]:
    made = relabelling.table(relabelling.named(names), ClassChanges(**changes))
    return made.values, made.classes.names
