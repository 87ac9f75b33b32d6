"""Networks of segmentation-models-pytorch: the names, the missing package, padding, a training run.

The package needs torchvision, which does not import beside every PyTorch build; a module of its
names stands in for it here. The package itself was run by hand (docs/training.md).
"""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import segprep
from segprep.errors import MissingExtraError, SegprepError, UsageError
from segprep.training import models
from segprep.training.checkpoints import load


class Small(torch.nn.Module):  # type: ignore[misc]
    """Like smp's networks it takes only sizes that halve five times."""

    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__()
        self.encoder = torch.nn.Conv2d(in_channels, 4, 3, padding=1)
        self.head = torch.nn.Conv2d(4, classes, 1)

    def forward(self, images: Any) -> Any:
        assert images.shape[-1] % 32 == images.shape[-2] % 32 == 0
        return self.head(self.encoder(images).relu())


@pytest.fixture
def smp(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A package of one architecture and two encoders; the arguments of the last network."""
    from importlib.machinery import ModuleSpec

    asked: dict[str, Any] = {}

    def create_model(arch: str, encoder: str, **options: Any) -> Any:
        asked.update(options, arch=arch, encoder=encoder)
        return Small(options["in_channels"], options["classes"])

    package: Any = ModuleType("segmentation_models_pytorch")
    package.__spec__ = ModuleSpec("segmentation_models_pytorch", None)
    package.MODEL_ARCHITECTURES_MAPPING = {"unet": type("Unet", (), {})}
    package.encoders = ModuleType("encoders")
    package.encoders.get_encoder_names = lambda: ["resnet34", "resnet50"]
    package.create_model = create_model
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", package)
    return asked


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segprep.errors.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="segmentation_models_pytorch") as caught:
        models.load("smp:Unet/resnet34")
    assert "smp" in caught.value.hint


def test_a_package_that_cannot_be_imported(
    smp: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "segmentation_models_pytorch"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "segmentation_models_pytorch")
    with pytest.raises(SegprepError, match="nms does not exist") as caught:
        models.load("smp:Unet/resnet34")
    assert (caught.value.code, "torchvision" in caught.value.hint) == ("missing-extra", True)


@pytest.mark.parametrize(
    ("name", "word"),
    [("smp:Unett/resnet34", "Unet"), ("smp:Unet/resnet35", "resnet34"), ("smp:Unet", "encoder")],
)
def test_unknown_names(name: str, word: str, smp: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        models.build(name, 3, 4)
    assert caught.value.code == "unknown-model"
    assert word in f"{caught.value.message} {caught.value.hint}"


def test_any_size_goes_in(smp: dict[str, Any]) -> None:
    network = models.build("smp:Unet/resnet34", 1, 4)
    assert smp == {
        "arch": "Unet",
        "encoder": "resnet34",
        "encoder_weights": None,
        "in_channels": 1,
        "classes": 4,
    }
    for height, width in ((1, 1), (64, 96), (61, 97)):
        assert network(torch.zeros(2, 1, height, width)).shape == (2, 4, height, width)
    with pytest.raises(UsageError, match="base"):
        models.build("smp:Unet/resnet34", 3, 4, base=8)


def test_a_run_and_its_checkpoint(source: Path, tmp_path: Path, smp: dict[str, Any]) -> None:
    segprep.convert("labelme", source, tmp_path / "out")
    segprep.split(tmp_path / "out", seed=1)
    run = segprep.train(
        tmp_path / "out", arch="smp:Unet/resnet34", epochs=1, size=32, batch=4, out=tmp_path / "run"
    )
    checkpoint = load(run.checkpoint)
    assert checkpoint.arch == "smp:Unet/resnet34"
    assert checkpoint.network()(torch.zeros(1, 3, 33, 31)).shape == (1, 4, 33, 31)
