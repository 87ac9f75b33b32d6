"""Folders of truth and predictions, and the command on them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

Folders = tuple[Path, Path]


def save(path: Path, mask: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, mask)
    else:
        Image.fromarray(np.asarray(mask)).save(path)


def run(*words: object) -> Any:
    return CliRunner().invoke(group, ["miou", *map(str, words)])


def scored(*words: object) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def matrix(folders: Folders) -> Any:
    truth, pred = folders
    total = np.zeros((3, 3), np.int64)
    for path in truth.iterdir():
        t, p = np.asarray(Image.open(path)), np.asarray(Image.open(pred / path.name))
        np.add.at(total, (t[t != 255], p[t != 255]), 1)
    return total
