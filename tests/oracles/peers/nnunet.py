"""nnU-Net: ``verify_dataset_integrity`` of the dataset in its own layout."""

import contextlib
import io
import json
import shutil
from collections.abc import Iterator
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from common import MASKS, answer, ids_as_gray, image_of, names, stems
from nnunetv2.experiment_planning import verify_dataset_integrity as integrity
from PIL import Image

# a pool of processes would import everything again for each of some hundred folders
integrity.multiprocessing = SimpleNamespace(
    get_context=lambda name: SimpleNamespace(Pool=ThreadPool)
)


def ask(folder: Path) -> Iterator[tuple[str, str]]:
    out = folder / "Dataset001_Peer"
    shutil.rmtree(out, ignore_errors=True)
    for name in ("imagesTr", "labelsTr"):
        (out / name).mkdir(parents=True)
    count, chosen = len(names(folder)), stems(folder)
    for stem in chosen:
        if source := image_of(folder, stem):
            as_png(source, out / "imagesTr" / f"{stem}_0000.png")
        ids_as_gray(folder / MASKS / f"{stem}.png", out / "labelsTr" / f"{stem}.png")
    ignore_last(sorted((out / "labelsTr").iterdir()), count)
    labels = {name: n for n, name in enumerate(["background", *names(folder)[1:], "ignore"])}
    channels = {"0": "R", "1": "G", "2": "B"}
    about = {"channel_names": channels, "labels": labels, "file_ending": ".png"}
    images = len(list((folder / "JPEGImages").iterdir()))
    (out / "dataset.json").write_text(json.dumps({**about, "numTraining": images}))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        integrity.verify_dataset_integrity(str(out), num_processes=1)
    for line in said.getvalue().splitlines():
        if "Error" in line or "Warning" in line:
            yield line.split(":")[0], next((stem for stem in chosen if stem in line), "")


def as_png(source: Path, target: Path) -> None:
    """nnU-Net takes lossless files of one ending; what cannot be decoded goes as it is."""
    try:
        with Image.open(source) as picture:
            picture.convert("RGB").save(target)
    except (OSError, SyntaxError):
        shutil.copy(source, target)


def ignore_last(paths: list[Path], count: int) -> None:
    """255 becomes the last label, as nnU-Net wants it, where it stands beside classes."""
    masks = {}
    for path in paths:
        with contextlib.suppress(OSError, SyntaxError), Image.open(path) as picture:
            masks[path] = np.asarray(picture)
    small = {path: ids for path, ids in masks.items() if ids.ndim == 2 and ids.dtype == np.uint8}
    values = {path: set(np.unique(ids).tolist()) for path, ids in small.items()}
    if any(255 in own and own & set(range(1, count)) for own in values.values()):
        for path, ids in small.items():
            if 255 in values[path]:
                Image.fromarray(np.where(ids == 255, count, ids).astype(np.uint8)).save(path)


if __name__ == "__main__":
    answer(ask)
