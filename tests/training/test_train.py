"""segprep train: what it learns, writes and logs; that it goes on exactly; that it refuses what cannot be meant."""

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
from segprep.image import read_mask, write_mask
from segprep.metrics import count
from segprep.training import checkpoints, runlog, weights
from segprep.training.fitting import explained
from segprep.training.judging import Moment

Make = Callable[..., Path]
TINY: dict[str, Any] = {"size": 32, "options": {"base": 4}, "batch": 4, "epochs": 2, "tensorboard": False, "device": "cpu"}


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return checkpoints.read(path)["weights"]


def same(one: Path, other: Path) -> bool:
    a, b = weights_of(one), weights_of(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def numbers(found: Any) -> list[tuple[float, ...]]:
    return [(e.epoch, e.step, e.lr, e.loss, e.val_loss, e.val_miou, e.val_dice, e.val_accuracy, e.best, e.learning) for e in found.history]


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
    assert {path.name for path in out.iterdir()} >= {"best.pt", "last.pt", "config.toml", "run.json", "history.csv", "results.txt", "curves.png", "tensorboard"}
    assert sorted(path.name[:8] for path in out.glob("epoch0*.pt")) == ["epoch004", "epoch008"]
    rows = list(csv.DictReader((out / "history.csv").read_text().splitlines()))
    assert [int(row["epoch"]) for row in rows] == list(range(1, 11))
    assert all(float(row["val_miou"]) == pytest.approx(entry.val_miou, rel=1e-6) for row, entry in zip(rows, found.history, strict=True))
    assert len((out / "epoch_loss.txt").read_text().split()) == 10
    # best.pt is the epoch of the best monitored number, and its scores at the images' own size are what the document says
    assert found.best.val_miou == max(entry.val_miou for entry in found.history)
    best = checkpoints.load(out / "best.pt").network()
    from segprep.training.data import read_pair
    from segprep.training.predicting import predicted
    from segprep.tree import Tree

    view = checkpoints.load(out / "best.pt").view
    pairs = [read_pair(Tree(root), f"i{n}") for n in range(12, 16)]
    matrix = sum(count(pair.mask, predicted(best, pair, view), 2) for pair in pairs)
    assert np.array_equal(found.matrix, matrix)
    assert json.loads((out / "run.json").read_text())["confusion_matrix"] == matrix.tolist()


def test_results_text_has_pytorch_segmentations_fields(discs: Make) -> None:
    found = train(discs(8), **TINY | {"epochs": 1})
    lines = (found.out / "results.txt").read_text().splitlines()
    entry = found.history[0]
    assert lines == [
        "[epoch: 1]", f"train_loss: {entry.loss:.4f}", f"lr: {entry.lr:.6f}", f"dice coefficient: {entry.val_dice:.3f}",
        f"global correct: {100 * entry.val_accuracy:.1f}", f"average row correct: {[f'{100 * one:.1f}' for one in entry.recall]}",
        f"IoU: {[f'{100 * one:.1f}' for one in entry.iou]}", f"mean IoU: {100 * entry.val_miou:.1f}", "",
    ]  # fmt: skip


def test_event_files_hold_losses_rates_and_scores(discs: Make) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = train(discs(8), **TINY | {"tensorboard": True, "epochs": 2, "schedule": "polynomial"})
    events = EventAccumulator(str(found.out / "tensorboard"))
    events.Reload()
    rates = [event.value for event in events.Scalars("step/lr")]
    assert rates == pytest.approx([1e-3 * (1 - n / 4) ** 0.9 for n in range(4)])  # what the schedule asks for is what the optimiser had
    assert [event.value for event in events.Scalars("epoch/val_miou")] == pytest.approx([entry.val_miou for entry in found.history])
    assert [event.step for event in events.Scalars("epoch/loss")] == [2, 4]


@pytest.mark.parametrize("given", [{"optimizer": "sgd", "nesterov": True, "schedule": "cosine"}, {"optimizer": "adamw", "schedule": "plateau", "every": 1}])
def test_a_resumed_run_is_bit_identical(discs: Make, tmp_path: Path, given: dict[str, Any]) -> None:
    """Dropout, momentum, schedule, early stopping and the order of the images all go on where they were."""
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


def test_early_stopping_and_more_epochs_afterwards(discs: Make) -> None:
    root = discs(8)
    settings = TINY | {"lr": 1e-12, "optimizer": "sgd", "freeze_norm": True, "patience": 2, "epochs": 9, "monitor": "val_loss"}
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
    assert any("8 images to train on and 2 to validate on were drawn with seed 0" in note for note in found.notes)


def test_two_stages_hold_the_backbone_and_its_statistics_first(discs: Make, tmp_path: Path) -> None:
    root = discs(8)
    settings = TINY | {"arch": "mobilenet-unet", "freeze": "all", "freeze_lr": 0.01, "freeze_batch": 2, "lr": 0.001, "schedule": "constant", "save_every": 1}
    found = train(root, **settings | {"freeze_epochs": 1, "epochs": 2})
    assert [entry.lr for entry in found.history] == [0.01, 0.001]
    assert [entry.step for entry in found.history] == [3, 5]  # 6 images by 2, then by 4
    assert found.history[0].learning < found.history[1].learning == found.parameters
    torch.manual_seed(0)
    from segprep.training import models

    begun = models.build("mobilenet-unet", 3, 2, base=4).state_dict()
    first, last = (weights_of(next(found.out.glob(f"epoch00{n}*.pt"))) for n in (1, 2))
    backbone = [name for name in begun if name.startswith("encoder.")]
    assert any("running_mean" in name for name in backbone)
    assert all(torch.equal(begun[name], first[name]) for name in backbone)
    assert not torch.equal(begun["encoder.conv_stem.weight"], last["encoder.conv_stem.weight"])
    assert not torch.equal(begun["encoder.bn1.running_mean"], last["encoder.bn1.running_mean"])


def test_deep_supervision_trains_every_head(discs: Make) -> None:
    found = train(discs(4), **TINY | {"arch": "unetpp", "epochs": 1, "optimizer": "sgd"})
    torch.manual_seed(0)
    from segprep.training import models

    begun, now = models.build("unetpp", 3, 2, base=4).state_dict(), weights_of(found.out / "last.pt")
    assert all(not torch.equal(begun[f"heads.{n}.weight"], now[f"heads.{n}.weight"]) for n in (1, 2, 3, 4))


def test_weights_are_taken_from_a_file_with_its_hash(discs: Make, tmp_path: Path) -> None:
    root = discs(8)
    first = train(root, **TINY | {"epochs": 1})
    path = first.out / "best.pt"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    second = train(root, out=tmp_path / "b", weights=str(path), sha256=digest, **TINY | {"epochs": 1, "lr": 1e-12, "optimizer": "sgd", "freeze_norm": True})
    assert any("tensors loaded" in note for note in second.notes)
    a, b = weights_of(path), weights_of(tmp_path / "b/last.pt")
    assert all(torch.allclose(a[name], b[name], atol=1e-6) for name in a)
    with pytest.raises(SegprepError, match="SHA-256") as wrong:
        train(root, out=tmp_path / "c", weights=str(path), sha256="0" * 64, **TINY)
    assert wrong.value.code == "weights-hash"
    with pytest.raises(SegprepError, match="network unet, this run trains mini-unet") as other:
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
    with pytest.raises(SegprepError, match=r"no number any more \(epoch \d, step \d") as error:
        train(
            root, out=root / "runs/hot", lr=1e3, optimizer="sgd", momentum=0.99, clip=0.0, **TINY | {"epochs": 40, "options": {"base": 4}, "arch": "unet-keras"}
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
    assert len(train(root, out=root / "runs/early", **TINY | {"epochs": 1}).history) == 1  # nothing was lost: no epoch had been finished
    (root / "runs/train/notes.txt").write_text("mine too")
    assert len(train(root, overwrite=True, **TINY | {"epochs": 1}).history) == 1
    assert (root / "runs/train/notes.txt").read_text() == "mine too"
    from segprep.staging import lock

    with lock(root / "runs/train"), pytest.raises(LockedError):
        train(root, resume=True)


def test_an_old_run_is_not_lost_to_a_mistake(discs: Make) -> None:
    root = discs(8)
    train(root, **TINY | {"epochs": 1})
    before = {path: path.read_bytes() for path in (root / "runs/train").iterdir() if path.is_file()}
    for wrong in ({"freeze": "all"}, {"weights": "none.pth"}, {"class_weights": (1, 2, 3)}, {"val": "vall"}, {"skip_classes": (9,)}):
        with pytest.raises(SegprepError):
            train(root, overwrite=True, **TINY | wrong)
        assert {path: path.read_bytes() for path in (root / "runs/train").iterdir() if path.is_file()} == before


def test_a_run_does_not_go_on_as_another_one(discs: Make) -> None:
    root = discs(8)
    train(root, **TINY | {"epochs": 1})
    for given, code in (({"arch": "mini-unet"}, "other-network"), ({"options": {"base": 8}}, "other-network"), ({"lr": 0.5}, "other-settings")):
        with pytest.raises(SegprepError, match=r"was begun with .*, now it is") as error:
            train(root, resume=True, **given)
        assert error.value.code == code
    (root / "class_names.txt").write_text("_background_\nring\n")
    with pytest.raises(SegprepError, match="_background_, disc; the dataset has _background_, ring") as other:
        train(root, resume=True)
    assert other.value.code == "other-classes"


def test_settings_that_are_wrong_are_named_with_the_nearest(discs: Make, tmp_path: Path) -> None:
    root = discs(4)
    (tmp_path / "a.toml").write_text("epoch = 3\n")
    with pytest.raises(UsageError, match=r"a\.toml.*'epoch'") as error:
        train(root, tmp_path / "a.toml")
    assert (error.value.code, error.value.hint) == ("unknown-setting", "did you mean epochs?")
    wrong = {
        "learning-rates": 1, "arch": "unett", "optimizer": "adamm", "loss": "dicee", "schedule": "cosin", "monitor": "val_iou", "epochs": 2.5, "batch": 0, "lr": "fast",
        "preset": "huge", "freeze": "some", "options": {"bass": 3}, "class_weights": [1, 2, 3], "freeze_epochs": 1, "device": "tpu", "amp": "float8", "augment": "dive", "augmentation": {"rotate": 5}, "fit": "squash",
    }  # fmt: skip
    for name, value in wrong.items():
        with pytest.raises(UsageError) as error:
            train(root, out=tmp_path / "out", **{name: value})
        assert error.value.hint or name == "device", name
        assert not (tmp_path / "out").exists()
    for text in ("epochs = = 3", "epochs = \xff"):
        (tmp_path / "b.toml").write_bytes(text.encode("latin-1"))
        with pytest.raises(UsageError) as error:
            train(root, tmp_path / "b.toml")
        assert error.value.code == "bad-config"
    with pytest.raises(UsageError) as error:
        train(root, tmp_path / "none.toml")
    assert error.value.code == "bad-config"


def test_the_written_settings_make_the_same_run(discs: Make, tmp_path: Path) -> None:
    root = discs(8)
    one = train(root, out=tmp_path / "a", class_weights=(1, 2.5), loss="ce", augment="none", **TINY)
    two = train(root, tmp_path / "a/config.toml", out=tmp_path / "b")
    assert numbers(one) == numbers(two)
    assert (tmp_path / "a/config.toml").read_bytes() == (tmp_path / "b/config.toml").read_bytes()


def test_bad_data_is_named(discs: Make) -> None:
    root = discs(8)
    for n in (1, 3):
        mask = read_mask(root / f"SegmentationClass/i{n}.png").copy()
        mask[0, 0] = 7
        write_mask(root / f"SegmentationClass/i{n}.png", mask)
    with pytest.raises(SegprepError, match=r"2 samples cannot be used: .*i1\.png: pixel value 7 is no class") as error:
        train(root, **TINY)
    assert error.value.code == "unknown-value"
    (root / "ImageSets/Segmentation/train.txt").write_text("")
    with pytest.raises(SegprepError) as error:
        train(root, **TINY)
    assert error.value.code == "empty-list"
    (root / "ImageSets/Segmentation/train.txt").write_text("i0\ni2\n")
    (root / "ImageSets/Segmentation/val.txt").write_text("i0\n")
    with pytest.raises(SegprepError, match="'i0'") as error:
        train(root, **TINY)
    assert error.value.code == "bad-list"


def test_one_sample_in_a_batch_with_batch_normalisation(discs: Make, tmp_path: Path) -> None:
    root = discs(4)
    found = train(root, out=tmp_path / "a", **TINY | {"batch": 1, "epochs": 1})
    assert any("one image at a time" in note for note in found.notes)
    assert not any("one image" in note for note in train(root, out=tmp_path / "b", freeze_norm=True, **TINY | {"batch": 1, "epochs": 1}).notes)
    with pytest.raises(ValueError, match="more than 1 value") as refused:  # what PyTorch says to a network that shrinks a window to one pixel
        torch.nn.BatchNorm2d(1)(torch.zeros(1, 1, 1, 1))
    told = explained(refused.value, 1, 32)
    assert isinstance(told, SegprepError)
    assert "--batch" in told.hint


def test_out_of_memory_is_told_with_what_to_do() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(1 << 60, dtype=torch.uint8)
    told = explained(refused.value, 8, 256)
    assert isinstance(told, SegprepError)
    assert (told.code, told.hint) == ("out-of-memory", "give a smaller --batch, for example 4")
    assert explained(ValueError("x"), 8, 256).args == ("x",)


def test_validation_pools_over_images_of_any_size_and_shares_them_out(discs: Make) -> None:
    """Two halves that know nothing of each other add up to the whole: no image twice, none left out."""
    from segprep.training import criteria, models
    from segprep.training.data import View, read_pair
    from segprep.training.distributed import Group
    from segprep.training.validating import predictions, validate
    from segprep.tree import Tree

    place = Tree(discs(7))
    pairs = [read_pair(place, f"i{n}") for n in range(7)]
    network = models.build("mini-unet", 3, 2, base=4).eval()
    view = View(32, 1.0, (0.5,) * 3, (0.5,) * 3)
    whole = validate(network, pairs, view, criteria.make("ce", 2), 2, Group(0, 1, "cpu"), batch=3)
    stems = [pair.stem for rank in (0, 1) for pair, _ in predictions(network, pairs, Group(rank, 2, "cpu"), view, 3)]
    assert sorted(stems) == [f"i{n}" for n in range(7)]
    by_hand = np.zeros((2, 2), np.int64)
    losses = []
    for pair in pairs:
        from segprep.training.predicting import probabilities

        found = probabilities(network, pair.image, view)
        by_hand += count(pair.mask, found.argmax(0).numpy(), 2)
        losses.append(-np.log(np.take_along_axis(found.numpy(), pair.mask[None].astype(np.int64), 0)).ravel())
    assert np.array_equal(whole.matrix, by_hand)
    assert whole.loss == pytest.approx(np.concatenate(losses).mean(), rel=1e-4)


def test_bfloat16_comes_close(discs: Make, tmp_path: Path) -> None:
    root = discs(8)
    one, two = (train(root, out=tmp_path / amp, amp=amp, **TINY) for amp in ("none", "bfloat16"))
    assert two.history[-1].loss == pytest.approx(one.history[-1].loss, rel=0.05)
    with pytest.raises(SegprepError, match="needs a GPU"):
        train(root, out=tmp_path / "x", amp="float16", **TINY)


def test_smooth_and_curves_are_pictures(discs: Make) -> None:
    from PIL import Image

    found = train(discs(4), **TINY | {"epochs": 1})
    with Image.open(found.out / "curves.png") as picture:
        assert picture.size[0] > 800
    assert runlog.table(found.history).startswith("epoch,step,lr,loss")
    assert weights.read(found.out / "best.pt")


@pytest.mark.parametrize("fit", ["letterbox", "stretch"])
def test_whole_images_in_a_window_learn_too_and_are_scored_at_their_own_size(discs: Make, fit: str) -> None:
    root = discs(16)
    found = train(root, **TINY | {"fit": fit, "epochs": 10, "lr": 0.02, "augmentation": {"rotation": 20, "horizontal_flip": True}})
    assert found.miou > 0.7
    assert found.matrix.sum() == sum(read_mask(root / f"SegmentationClass/i{n}.png").size for n in range(12, 16))
    assert checkpoints.load(found.out / "best.pt").view.worked(44, 50) == ((28, 32) if fit == "letterbox" else (32, 32))


def test_augmentations_of_the_tutorials_cut_windows_of_the_size(discs: Make, tmp_path: Path) -> None:
    from segprep.settings import made
    from segprep.training.data import View, read_pair
    from segprep.training.windowing import save_augmented, windows
    from segprep.tree import Tree

    root = discs(4)
    pairs = [read_pair(Tree(root), f"i{n}") for n in range(4)]
    view = View(24, 1.0, (0.5,) * 3, (0.5,) * 3)
    for augment in ("windows", "none", "drive", "membrane", "paper"):
        images, mask = windows(pairs, view, made({"augment": augment, "size": 24}))[3]
        assert (tuple(images.shape), tuple(mask.shape)) == ((3, 24, 24), (24, 24)), augment
    with pytest.raises(UsageError, match="works on whole images"):
        windows(pairs, view, made({"augment": "unet-pytorch", "size": 24}))
    written = save_augmented(root, tmp_path / "look", count=5, augment="drive", size=32)
    names = {path.name for path in written}
    assert len(names) == 11
    assert {name.replace("image_", "mask_") for name in names if name.startswith("image_")} == {name for name in names if name.startswith("mask_")}
    for name in names - {"sheet.png"}:
        if name.startswith("mask_"):
            assert set(np.unique(read_mask(tmp_path / "look" / name))) <= {0, 1, 255}


def test_border_weights_reach_the_loss(discs: Make, tmp_path: Path) -> None:
    """Two squares with a gap of two pixels: the weights are the paper's; a training with them sees a larger loss and learns something else."""
    from segprep.training.bordered import Bordered, objects
    from segprep.training.data import Pair, View, Windows

    mask = np.zeros((16, 16), np.uint8)
    mask[2:12, 2:7], mask[2:12, 9:14], mask[14:] = 1, 1, 255
    found = objects(mask, 0)
    assert (found[5, 5], found[5, 10], found[5, 7], found[15, 0]) == (1, 2, 0, -1)
    pair = Pair("a", np.zeros((16, 16, 3), np.uint8), mask, (16, 16))
    plain = Windows([pair], View(16, 1.0, (0.0,) * 3, (1.0,) * 3), 0, augmented=False)
    _, truth, weights = Bordered(plain, 0, 10.0, 5.0)[0]
    assert torch.equal(truth, torch.from_numpy(mask.astype(np.int64)))
    assert float(weights[6, 7]) == pytest.approx(1 + 10 * math.exp(-((1 + 2) ** 2) / 50), rel=1e-5)
    assert set(weights[truth == 1].tolist()) == {1.0}
    assert set(weights[truth == 255].tolist()) == {0.0}
    striped = discs(8, "striped", lambda mask, n: (np.indices(mask.shape)[1] % 8 < 5).astype(np.uint8))
    runs = [train(striped, out=tmp_path / str(w0), loss="ce+dice", border=w0, **TINY | {"epochs": 1}) for w0 in (0.0, 10.0)]
    assert not same(runs[0].out / "last.pt", runs[1].out / "last.pt")
    with pytest.raises(UsageError, match="border weights"):
        train(striped, border=1.0, loss="focal", **TINY)


def test_validation_now_and_then_and_pictures(discs: Make) -> None:
    from PIL import Image

    found = train(discs(8), **TINY | {"epochs": 5, "validate_every": 2, "pictures": 4, "patience": 9})
    assert [math.isnan(entry.val_loss) for entry in found.history] == [True, False, True, False, False]
    measured = [entry.val_miou for entry in found.history if not math.isnan(entry.val_miou)]
    assert found.best.val_miou == max(measured)
    assert [path.name for path in (found.out / "pictures").iterdir()] == ["epoch004.png"]
    with Image.open(found.out / "pictures/epoch004.png") as sheet:
        assert sheet.size[0] > 3 * 100
        assert len(sheet.convert("RGB").getcolors(1 << 24)) > 50


@pytest.mark.parametrize("workers", [0, 2])
def test_a_mask_that_spoils_later_is_named_and_the_run_can_go_on(discs: Make, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """Too much for the memory: files are read again each time, here after one was changed, in this process or in a worker."""
    from segprep.training import material

    monkeypatch.setattr(material, "HELD", 0)
    root = discs(8)
    good = (root / "SegmentationClass/i2.png").read_bytes()

    def spoil(moment: Moment) -> None:
        if moment.what.startswith("epoch 2/"):
            write_mask(root / "SegmentationClass/i2.png", np.full((44, 50), 9, np.uint8))

    with pytest.raises(SegprepError, match=r"i2\.png: pixel value 9 is no class .*last\.pt holds epoch") as error:
        train(root, watch=spoil, workers=workers, **TINY | {"epochs": 6})
    assert error.value.code == "unknown-value"
    (root / "SegmentationClass/i2.png").write_bytes(good)
    assert len(train(root, resume=True, workers=0).history) == 6


def test_a_damaged_last_checkpoint_is_an_error_with_a_hint(discs: Make) -> None:
    root = discs(4)
    train(root, **TINY | {"epochs": 1})
    path = root / "runs/train/last.pt"
    whole = checkpoints.read(path)
    for spoilt in (
        {**whole, "training": 3}, {**whole, "training": {**whole["training"], "config": []}}, {**whole, "training": {**whole["training"], "history": [{}]}},
        {**whole, "training": {**whole["training"], "fitting": {}}}, {name: value for name, value in whole.items() if name != "weights"},
        {**whole, "weights": {**whole["weights"], "last.bias": torch.full((2,), math.nan)}},
    ):  # fmt: skip
        checkpoints.write(path, spoilt)
        with pytest.raises(SegprepError) as error:
            train(root, resume=True, epochs=2)
        assert (error.value.code, bool(error.value.hint)) == ("bad-checkpoint", True)
    path.write_bytes(b"no checkpoint")
    with pytest.raises(SegprepError) as error:
        train(root, resume=True)
    assert error.value.code == "bad-checkpoint"


def test_a_list_that_is_not_there_is_no_run_without_validation(discs: Make) -> None:
    with pytest.raises(SegprepError, match="has no list 'vall'") as error:
        train(discs(4), val="vall", **TINY)
    assert error.value.hint == "did you mean val?"


def test_skipped_classes_teach_nothing(discs: Make, tmp_path: Path) -> None:
    """Without the pixels of the background, everything becomes a disc."""
    root = discs(8)
    found = train(root, skip_classes=(0,), loss="ce", **TINY | {"epochs": 4, "lr": 0.02})
    assert found.matrix[:, 1].sum() > 0.95 * found.matrix.sum()  # a tenth is disc
    with pytest.raises(UsageError, match="names 2, which is no class"):
        train(root, out=tmp_path / "x", skip_classes=(2,), **TINY)


def test_steps_per_epoch_and_validation_steps_are_honoured(discs: Make) -> None:
    """Validation of one image per epoch; the scores in the end are of the whole list all the same."""
    root = discs(12)
    found = train(root, steps_per_epoch=5, validation_steps=1, **TINY)
    assert [entry.step for entry in found.history] == [5, 10]
    assert found.matrix.sum() == sum(read_mask(root / f"SegmentationClass/i{n}.png").size for n in range(9, 12))


def test_a_large_set_is_surveyed_in_part(discs: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from segprep.training import material

    monkeypatch.setattr(material, "SURVEYED", 3)
    found = train(discs(10), **TINY | {"epochs": 1})
    assert any("of 7 images to train on, 3 were read" in note for note in found.notes)
