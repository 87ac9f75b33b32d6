"""fit, load_model, predict_image, torch_dataset; train-check and train hand over settings."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group
from torch.utils.data import DataLoader

import segprep
from segprep.errors import SegprepError
from segprep.imaging.image import read_mask, write_mask
from segprep.train_config import Config
from segprep.train_settings import make_config, read_config
from segprep.training import fit

Make = Callable[..., Path]
TINY = {"size": 32, "batch": 4, "epochs": 2, "options": {"base": 4}, "tensorboard": False}


def flipped(image: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return image.flip(2), mask.flip(1)


def test_a_run_a_model_and_a_mask_in_three_lines(discs: Make, tmp_path: Path) -> None:
    root = discs(8)
    run = fit(root, {**TINY, "device": "cpu"}, out=tmp_path / "run")
    assert [row.epoch for row in run.history] == [1, 2]
    model = segprep.load_model(run.checkpoint, device="cpu")
    assert model.classes == ("_background_", "disc")
    pair = segprep.torch_dataset(root, split="val")[0]
    image = (pair[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    mask = segprep.predict_image(model, image)
    assert (mask.shape, mask.dtype) == (image.shape[:2], np.uint8)
    segprep.predict(run.checkpoint, root, tmp_path / "out", split="val", device="cpu")
    assert np.array_equal(mask, segprep.read_mask(tmp_path / "out/i6.png"))
    assert np.array_equal(segprep.predict_image(model, Image.fromarray(image)), mask)
    gray = segprep.predict_image(model, image[:, :, 0])
    assert gray.shape == mask.shape
    with pytest.raises(SegprepError, match="shape"):
        segprep.predict_image(model, image.astype(np.int64))
    config = make_config({**TINY, "device": "cpu"})
    assert isinstance(config, Config)
    again = fit(root, config, out=tmp_path / "again")
    assert [row.loss for row in again.history] == [row.loss for row in run.history]


def test_a_dataset_for_any_loop(discs: Make) -> None:
    root = discs(8, spoil=lambda mask, n: np.where(np.indices(mask.shape)[0] < 3, 255, mask))
    data = segprep.torch_dataset(root)
    assert len(data) == 6
    image, mask = data[0]
    assert (image.shape, image.dtype) == ((3, 44, 48), torch.float32)
    assert (mask.shape, mask.dtype) == ((44, 48), torch.int64)
    assert (mask[:3] == 255).all()
    assert set(mask.unique().tolist()) <= {0, 1, 255}
    assert 0 <= float(image.min()) <= float(image.max()) <= 1
    again = pickle.loads(pickle.dumps(segprep.torch_dataset(root, transform=flipped)))
    assert torch.equal(again[0][1], mask.flip(1))
    loader = DataLoader(data, batch_size=1, num_workers=2)
    assert sum(int(batch[1].numel()) for batch in loader) == sum(m.numel() for _, m in data)
    assert len(segprep.torch_dataset(root, split=None)) == 8
    with pytest.raises(SegprepError, match="there is no list 'trainn'"):
        segprep.torch_dataset(root, split="trainn")


def test_train_takes_what_a_check_found_and_a_check_what_a_run_used(discs: Make) -> None:
    root = discs(8)
    words = ["--steps", "8", "--size", "32", "--device", "cpu"]
    checked = CliRunner().invoke(group, ["train-check", str(root), *words, "-q"])
    assert checked.exit_code == 5, checked.output  # eight steps are too few for a verdict
    settings = make_config(read_config(root / "runs/train-check/config.toml"))
    assert (settings.arch, settings.size, settings.batch) == ("unet", 32, 8)
    train = ["train", str(root), "--from-check", "--epochs", "1", "--option", "base=4"]
    trained = CliRunner().invoke(group, [*train, "--no-tensorboard", "--json", "-q"])
    assert trained.exit_code == 0, trained.output
    assert json.loads(trained.stdout)["config"]["size"] == 32
    like = segprep.train_check(root, steps=8, like=root / "runs/train/config.toml", device="cpu")
    assert like.plan is not None
    assert (dict(like.plan.config.options), like.plan.view.size) == ({"base": 4}, 32)
    missing = CliRunner().invoke(group, ["train", str(root), "--from-check", str(root)])
    assert missing.exit_code == 2
    assert "train-check first" in missing.output


def test_the_plain_loop_of_the_examples_learns(discs: Make) -> None:
    import runpy

    script = Path(__file__).parents[2] / "examples" / "plain_loop.py"
    assert runpy.run_path(str(script))["main"](str(discs(8)), 40) < 0.4


@pytest.mark.filterwarnings("ignore")  # of Lightning itself: few workers, small lists
def test_the_lightning_loop_of_the_examples_learns(
    discs: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "lightning is not installed: it is not a dependency, only an example needs it"
    pytest.importorskip("lightning", reason=reason)
    import runpy

    folder = Path(__file__).parents[2] / "examples"
    monkeypatch.syspath_prepend(folder)
    assert runpy.run_path(str(folder / "lightning_loop.py"))["main"](str(discs(12))) > 0.6


def test_a_list_as_two_arrays(discs: Make, tmp_path: Path) -> None:
    """The tutorials' npy builders: shapes, natural order, values from 0 to 1, ids."""
    root = discs(12)
    for path in (root / "JPEGImages").iterdir():
        Image.open(path).resize((48, 44)).save(path)
        mask = root / "SegmentationClass" / path.name
        write_mask(mask, read_mask(mask)[:44, :48])
    data = segprep.torch_dataset(root, split=None)
    x, y = (np.stack([sample[n] for sample in data]) for n in (0, 1))
    assert data.stems == tuple(f"i{n}" for n in range(12))  # not 0, 1, 10, 11, 2 …
    assert (x.shape, y.shape) == ((12, 3, 44, 48), (12, 44, 48))
    assert 0 <= x.min() <= x.max() <= 1
    assert set(np.unique(y)) == {0, 1}
    assert np.array_equal(y[10], read_mask(root / "SegmentationClass/i10.png"))


def test_training_is_there_after_importing_segprep_alone() -> None:
    code = "import segprep; print(segprep.training.fit.__name__)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "fit\n"
