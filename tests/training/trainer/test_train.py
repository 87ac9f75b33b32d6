"""segprep train: what it learns, writes and logs; that it goes on exactly; that it leaves other
runs alone.
"""

import csv
import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from segprep import train
from segprep.errors import LockedError, SegprepError, TreeError, UsageError
from segprep.metrics.confusion import count
from segprep.reports import epochs as history
from segprep.training import checkpoints, pretrained
from segprep.training.progress import Moment

Make = Callable[..., Path]
TINY: dict[str, Any] = {
    "size": 32,
    "options": {"base": 4},
    "batch": 4,
    "epochs": 2,
    "tensorboard": False,
    "device": "cpu",
}


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return checkpoints.read(path)["weights"]


def same(one: Path, other: Path) -> bool:
    a, b = weights_of(one), weights_of(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def numbers(found: Any) -> list[tuple[float, ...]]:
    return [
        (
            e.epoch,
            e.step,
            e.lr,
            e.loss,
            e.val_loss,
            e.val_miou,
            e.val_dice,
            e.val_accuracy,
            e.best,
            e.learning,
        )
        for e in found.history
    ]


class Stop:
    """A watch that presses Ctrl-C at the first step of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.sign = f"epoch {epoch}/"

    def __call__(self, moment: Moment) -> None:
        if moment.what.startswith(self.sign) and ":" not in moment.what:
            raise KeyboardInterrupt


def test_it_learns_writes_its_folder_and_logs_what_was_measured(discs: Make) -> None:
    root = discs(16)
    found = train(root, **TINY | {"epochs": 10, "lr": 0.02, "tensorboard": True, "save_every": 4})
    out = root / "runs/train"
    assert found.out == out
    assert found.miou > 0.75
    assert found.history[-1].loss < found.history[0].loss / 2
    assert {path.name for path in out.iterdir()} >= {
        "best.pt",
        "last.pt",
        "config.toml",
        "run.json",
        "history.csv",
        "results.txt",
        "curves.png",
        "tensorboard",
    }
    assert sorted(path.name[:8] for path in out.glob("epoch0*.pt")) == ["epoch004", "epoch008"]
    rows = list(csv.DictReader((out / "history.csv").read_text().splitlines()))
    assert [int(row["epoch"]) for row in rows] == list(range(1, 11))
    assert all(
        float(row["val_miou"]) == pytest.approx(entry.val_miou, rel=1e-6)
        for row, entry in zip(rows, found.history, strict=True)
    )
    assert len((out / "epoch_loss.txt").read_text().split()) == 10
    # best.pt is the epoch of the best monitored number, and its scores at the images' own size are
    # what the document says
    assert found.best.val_miou == max(entry.val_miou for entry in found.history)
    best = checkpoints.load(out / "best.pt").network()
    from segprep.dataset.tree import Tree
    from segprep.training.data.pairs import read_pair
    from segprep.training.inference.tiles import net_of, probabilities
    from segprep.training.logits import mask_of

    view = checkpoints.load(out / "best.pt").view
    pairs = [read_pair(Tree(root), f"i{n}") for n in range(12, 16)]
    matrix = sum(
        count(
            pair.mask,
            mask_of(probabilities(net_of(best, "ab", view), [pair.image])[0], pair.size),
            2,
        )
        for pair in pairs
    )
    assert np.array_equal(found.matrix, matrix)
    assert json.loads((out / "run.json").read_text())["confusion_matrix"] == matrix.tolist()


def test_results_text_has_pytorch_segmentations_fields(discs: Make) -> None:
    found = train(discs(8), **TINY | {"epochs": 1})
    lines = (found.out / "results.txt").read_text().splitlines()
    entry = found.history[0]
    assert lines == [
        "[epoch: 1]",
        f"train_loss: {entry.loss:.4f}",
        f"lr: {entry.lr:.6f}",
        f"dice coefficient: {entry.val_dice:.3f}",
        f"global correct: {100 * entry.val_accuracy:.1f}",
        f"average row correct: {[f'{100 * one:.1f}' for one in entry.recall]}",
        f"IoU: {[f'{100 * one:.1f}' for one in entry.iou]}",
        f"mean IoU: {100 * entry.val_miou:.1f}",
        "",
    ]


def test_event_files_hold_losses_rates_and_scores(discs: Make) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = train(discs(8), **TINY | {"tensorboard": True, "epochs": 2, "schedule": "polynomial"})
    events = EventAccumulator(str(found.out / "tensorboard"))
    events.Reload()
    rates = [event.value for event in events.Scalars("step/lr")]
    assert rates == pytest.approx(
        [1e-3 * (1 - n / 4) ** 0.9 for n in range(4)]
    )  # what the schedule asks for is what the optimizer had
    assert [event.value for event in events.Scalars("epoch/val_miou")] == pytest.approx(
        [entry.val_miou for entry in found.history]
    )
    assert [event.step for event in events.Scalars("epoch/loss")] == [2, 4]


@pytest.mark.parametrize(
    "given",
    [
        {"optimizer": "sgd", "nesterov": True, "schedule": "cosine"},
        {"optimizer": "adamw", "schedule": "plateau", "every": 1},
    ],
)
def test_a_resumed_run_is_bit_identical(discs: Make, tmp_path: Path, given: dict[str, Any]) -> None:
    """Dropout, momentum, schedule, early stopping and the order of the images all go on where they
    were.
    """
    root = discs(12)
    common = TINY | {"arch": "mini-unet", "epochs": 4, "patience": 9, "lr": 0.01} | given
    whole = train(root, out=tmp_path / "whole", **common)
    for epoch in (2, 4):
        with pytest.raises(KeyboardInterrupt):
            train(root, out=tmp_path / "parts", resume=epoch > 2, watch=Stop(epoch), **common)
    parts = train(root, out=tmp_path / "parts", resume=True)
    assert numbers(parts) == numbers(whole)
    for name in ("last.pt", "best.pt"):
        assert same(tmp_path / "parts" / name, tmp_path / "whole" / name)
    kept = [checkpoints.read(tmp_path / run / "last.pt")["training"] for run in ("whole", "parts")]
    assert kept[0]["stopping"] == kept[1]["stopping"]
    assert kept[0]["plateau"] == kept[1]["plateau"]
    assert (tmp_path / "parts/history.csv").read_text().count("\n") == 5


def test_workers_change_nothing(discs: Make, tmp_path: Path) -> None:
    root = discs(8)
    for workers in (0, 2):
        train(root, out=tmp_path / str(workers), workers=workers, **TINY | {"epochs": 2})
    assert same(tmp_path / "0/last.pt", tmp_path / "2/last.pt")


def test_early_stopping_and_more_epochs_afterward(discs: Make) -> None:
    root = discs(8)
    settings = TINY | {
        "lr": 1e-12,
        "optimizer": "sgd",
        "freeze_norm": True,
        "patience": 2,
        "epochs": 9,
        "monitor": "val_loss",
    }
    found = train(root, **settings)
    assert (found.stopped, len(found.history)) == ("patience", 3)
    assert found.best.epoch == 1 or found.best.val_loss < found.history[0].val_loss
    still = train(root, resume=True)
    assert (still.stopped, len(still.history)) == ("patience", 3)
    again = train(root, resume=True, patience=3)
    assert len(again.history) == 4


def test_without_validation_it_says_so_and_the_loss_decides(discs: Make) -> None:
    root = discs(8)
    (root / "ImageSets/Segmentation/val.txt").write_text("")
    found = train(root, **TINY)
    assert any("no validation" in note for note in found.notes)
    assert found.best.loss == min(entry.loss for entry in found.history)
    assert found.matrix is None
    assert math.isnan(found.miou)
    assert ",,,," in (found.out / "history.csv").read_text()
    assert train(root, out=root / "runs/none", val="none", **TINY).config.monitor == "loss"


def test_without_lists_a_part_is_drawn(discs: Make) -> None:
    found = train(discs(10, listed=False), **TINY)
    assert any(
        "8 images to train on and 2 to validate on were drawn with seed 0" in note
        for note in found.notes
    )


def test_weights_are_taken_from_a_file_with_its_hash(discs: Make, tmp_path: Path) -> None:
    root = discs(8)
    first = train(root, **TINY | {"epochs": 1})
    path = first.out / "best.pt"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    second = train(
        root,
        out=tmp_path / "b",
        weights=str(path),
        sha256=digest,
        **TINY | {"epochs": 1, "lr": 1e-12, "optimizer": "sgd", "freeze_norm": True},
    )
    assert any("tensors loaded" in note for note in second.notes)
    rows = [line.split("\t") for line in (second.out / "weights.txt").read_text().splitlines()]
    assert {what for what, _ in rows} == {"loaded"}
    assert {name for _, name in rows} == weights_of(path).keys()
    assert not (first.out / "weights.txt").exists()
    assert second.document()["memory_mb"] > 10
    a, b = weights_of(path), weights_of(tmp_path / "b/last.pt")
    assert all(torch.allclose(a[name], b[name], atol=1e-6) for name in a)
    with pytest.raises(SegprepError, match="SHA-256") as wrong:
        train(root, out=tmp_path / "c", weights=str(path), sha256="0" * 64, **TINY)
    assert wrong.value.code == "weights-hash"
    with pytest.raises(SegprepError, match="model unet, this run trains mini-unet") as other:
        train(root, out=tmp_path / "d", weights=str(path), **TINY | {"arch": "mini-unet"})
    assert other.value.code == "other-network"
    with pytest.raises(UsageError, match="without its hash"):
        train(root, out=tmp_path / "e", weights="https://example.org/x.pth", **TINY)


def test_a_loss_that_is_no_number_stops_and_leaves_the_last_checkpoint(discs: Make) -> None:
    root = discs(8)
    with pytest.raises(KeyboardInterrupt):
        train(root, watch=Stop(3), **TINY | {"epochs": 4})
    good = (root / "runs/train/last.pt").read_bytes()
    state = checkpoints.read(root / "runs/train/last.pt")
    with pytest.raises(SegprepError, match=r"NaN or infinite \(epoch \d, step \d") as error:
        train(
            root,
            out=root / "runs/hot",
            lr=1e3,
            optimizer="sgd",
            momentum=0.99,
            clip=0.0,
            **TINY | {"epochs": 40, "options": {"base": 4}, "arch": "unet-keras"},
        )
    assert error.value.code == "loss-nan"
    assert (root / "runs/train/last.pt").read_bytes() == good
    assert all(torch.isfinite(one).all() for one in state["weights"].values())
    for path in (root / "runs/hot").glob("*.pt"):
        assert all(torch.isfinite(one).all() for one in weights_of(path).values())


def test_another_run_is_left_alone(discs: Make, tmp_path: Path) -> None:
    root = discs(8)
    train(root, **TINY | {"epochs": 1})
    before = (root / "runs/train/last.pt").read_bytes()
    with pytest.raises(TreeError, match="holds another run") as error:
        train(root, **TINY)
    assert error.value.code == "output-exists"
    assert (root / "runs/train/last.pt").read_bytes() == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("precious")
    for resume, overwrite in ((False, False), (False, True)):
        with pytest.raises(TreeError, match="no training wrote"):
            train(root, out=tmp_path / "mine", resume=resume, overwrite=overwrite, **TINY)
    with pytest.raises(TreeError) as nothing:
        train(root, out=tmp_path / "mine", resume=True, **TINY)
    assert nothing.value.code == "nothing-to-resume"
    with pytest.raises(KeyboardInterrupt):
        train(root, out=root / "runs/early", watch=Stop(1), **TINY)
    assert (
        len(train(root, out=root / "runs/early", **TINY | {"epochs": 1}).history) == 1
    )  # nothing was lost: no epoch had been finished
    (root / "runs/train/notes.txt").write_text("mine too")
    assert len(train(root, overwrite=True, **TINY | {"epochs": 1}).history) == 1
    assert (root / "runs/train/notes.txt").read_text() == "mine too"
    from segprep.dataset.staging import lock

    with lock(root / "runs/train"), pytest.raises(LockedError):
        train(root, resume=True)


def test_the_written_settings_make_the_same_run(discs: Make, tmp_path: Path) -> None:
    root = discs(8)
    one = train(root, out=tmp_path / "a", class_weights=(1, 2.5), loss="ce", augment="none", **TINY)
    two = train(root, tmp_path / "a/config.toml", out=tmp_path / "b")
    assert numbers(one) == numbers(two)
    assert (tmp_path / "a/config.toml").read_bytes() == (tmp_path / "b/config.toml").read_bytes()


def test_smooth_and_curves_are_pictures(discs: Make) -> None:
    from PIL import Image

    found = train(discs(4), **TINY | {"epochs": 1})
    with Image.open(found.out / "curves.png") as picture:
        assert picture.size[0] > 800
    assert history.table(found.history).startswith("epoch,step,lr,loss")
    assert pretrained.read(found.out / "best.pt")
