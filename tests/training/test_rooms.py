"""Each room of the trainer shows itself in three lines: these run as they are written, on a small
dataset. Those of the other rooms are doctests.
"""

import ast
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import segprep
from segprep.training.augmentation import presets, steps
from segprep.training.check import budget
from segprep.training.checkpoints import load
from segprep.training.data import pairs
from segprep.training.trainer import config_check

ROOT = Path(segprep.__file__).parent / "training"
SHOWN = (  # in the order of the picture in training/__init__.py: what is trained is loaded later
    "data/__init__.py",
    "data/tensors.py",
    "augmentation/__init__.py",
    "check/__init__.py",
    "trainer/__init__.py",
    "__init__.py",
    "checkpoints.py",
    "inference/__init__.py",
)
SET, READ = r"[a-z]+(?:, [a-z]+)* = ", r"[a-z]+\.[a-z_]+(?:\(\))?, "
CODE = re.compile(rf"^(?: {{4}})?((?:{SET}|{READ}).*?)(?: {{3,}}.*)?$", re.M)


def lines(name: str) -> list[str]:
    text = ast.get_docstring(ast.parse((ROOT / name).read_text("utf-8")))
    return CODE.findall(text or "")


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_every_line_of_the_rooms_runs(
    discs: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {"epochs": 1, "size": 32, "options": {"base": 2}, "tensorboard": False, "device": "cpu"}
    made = config_check.make_config
    monkeypatch.setattr(config_check, "make_config", lambda values: made({**values, **small}))
    monkeypatch.setattr(budget, "STEPS", 4)
    discs(8, "out")
    for file in (tmp_path / "out").rglob("*"):  # the name that the lines have for a sample
        if file.suffix == ".txt" and file.parent.name == "Segmentation":
            file.write_text(re.sub(r"\bi1\b", "img_001", file.read_text()))
        elif file.stem == "i1":
            file.rename(file.with_stem("img_001"))
    monkeypatch.chdir(tmp_path)
    image = np.full((44, 48, 3), 90, np.uint8)
    names: dict[str, Any] = {"segprep": segprep, "pairs": pairs, "presets": presets, "np": np}
    names |= {"steps": steps, "load": load, "Path": Path, "torch": torch, "array": image}
    names |= {"tensor": torch.zeros(1, 3, 32, 32)}
    for name in SHOWN:
        if "train" in name or name == "__init__.py":
            shutil.rmtree("out/runs/train", ignore_errors=True)
        shown, scope = lines(name), dict(names)
        scope |= {"image": image, "mask": np.zeros((44, 48), np.uint8)}
        assert len(shown) in (2, 3), name
        for line in shown:
            exec(line, scope)
    assert Path("out/runs/train/best.pt").is_file()
    assert Path("out/runs/train-check/report.html").is_file()
    assert scope["mask"].shape == (44, 48)
    assert scope["logits"].shape == (1, 2, 32, 32)


def test_every_room_of_the_picture_is_shown() -> None:
    text = ast.get_docstring(ast.parse((ROOT / "__init__.py").read_text("utf-8"))) or ""
    rooms = re.findall(r"^([a-z]+) {2,}", text, re.M)
    assert {"data", "augmentation", "models", "losses", "inference", "trainer", "check"} <= set(
        rooms
    )
    for room in rooms:
        text = (ROOT / room / "__init__.py").read_text("utf-8")
        assert ">>> " in text or lines(f"{room}/__init__.py"), room
