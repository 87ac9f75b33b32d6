"""ONNX: the same probabilities through onnxruntime, and files that are not networks of segprep."""

from pathlib import Path

import numpy as np
import pytest
import torch

from segprep.errors import MissingExtraError, SegprepError
from segprep.training import checkpoints, models
from segprep.training.checkpoints import Checkpoint
from segprep.training.data.pairs import InputSpec
from segprep.training.inference import onnx_model
from segprep.training.inference.tiles import logits, net_of, probabilities, shortened
from segprep.training.models._layers import Enlarge

SMALL = {
    "unet": {"base": 2},
    "unet-paper": {"base": 2},
    "unetpp": {"base": 4},
    "resnet-unet": {"base": 4},
    "mini-unet": {"base": 4},
}
SKIP = "ONNX is not installed: the extra onnx"


def checkpoint(arch: str, scale: float | None = 1.0, classes: int = 3) -> Checkpoint:
    torch.manual_seed(0)
    network = models.build(arch, 3, classes, **SMALL[arch]).eval()
    view = InputSpec(64, scale, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
    return Checkpoint(arch, SMALL[arch], tuple("abc"[:classes]), view, network.state_dict())


@pytest.mark.parametrize("scale", [1.0, None])
@pytest.mark.parametrize("arch", sorted(SMALL))
def test_onnxruntime_says_the_same_as_pytorch(
    arch: str, scale: float | None, tmp_path: Path
) -> None:
    pytest.importorskip("onnx", reason=SKIP)
    pytest.importorskip("onnxruntime", reason=SKIP)
    made = checkpoint(arch, scale)
    onnx_model.export(made, tmp_path / "net.onnx")
    ours, theirs = (
        net_of(made.network(), made.classes, made.view),
        onnx_model.load(tmp_path / "net.onnx"),
    )
    assert (theirs.classes, theirs.view) == (ours.classes, ours.view)
    # corners on corners: tiles of an ONNX file do not know where they lie
    stretches = any(isinstance(module, Enlarge) for module in made.network().modules())
    rng = np.random.default_rng(0)
    images = [
        rng.integers(0, 255, (64, 40, 3) if scale is None or stretches else (90, 101, 3), np.uint8)
        for _ in range(2)
    ]
    found = zip(
        probabilities(ours, images, 64), probabilities(theirs, images, 64, batch=3), strict=True
    )
    for one, other in found:
        assert float(one.std()) > 1e-3
        assert float((one - other).abs().max()) < 1e-4


@pytest.mark.parametrize(
    ("arch", "tile"), [("unet", 320), ("unetpp", 320), ("mini-unet", 128), ("resnet-unet", 864)]
)
def test_tiles_of_an_export_give_the_logits_of_the_whole_image(arch: str, tile: int) -> None:
    pytest.importorskip("onnx", reason=SKIP)
    pytest.importorskip("onnxruntime", reason=SKIP)
    made = checkpoint(arch, classes=2)
    ours = net_of(made.network(), made.classes, made.view)
    theirs = onnx_model.net_of(onnx_model.encoded(made, tile), Path("net.onnx"))
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (28, 38, 3), np.uint8).repeat(32, 0).repeat(24, 1)  # hard seams
    whole, tiled = (logits(net, [image], batch=3)[0] for net in (ours, theirs))
    assert not shortened(theirs, image.shape[:2], None)
    assert float((whole - tiled).abs().max()) < 1e-5 * float(whole.abs().max())
    assert shortened(theirs, (tile - 32, 900), None)  # what is added around it is seen


def test_the_side_of_an_export() -> None:
    assert onnx_model.side_of(InputSpec(100, None, (0.0,) * 3, (1.0,) * 3)) == 100
    view = InputSpec(40, 1.0, (0.0,) * 3, (1.0,) * 3)
    assert onnx_model.side_of(view) == 64
    assert onnx_model.side_of(view, 256) == 256
    assert onnx_model.side_of(view, 256, 92) == 444  # 188 + 16 k


def test_a_file_that_is_no_network_of_segprep(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason=SKIP)
    pytest.importorskip("onnxruntime", reason=SKIP)
    whole = onnx_model.encoded(checkpoint("mini-unet"))
    model = onnx.load_from_string(whole)
    plain = onnx.load_from_string(whole)
    del plain.metadata_props[:]
    bad = {
        "junk": b"junk" * 99,
        "cut": whole[:9000],
        "empty": b"",
        "foreign": plain.SerializeToString(),
    }
    for key, value in (
        ("two classes", '"classes": ["a", "b"]'),
        ("other side", '"side": 96'),
        ("no view", '"std": [1, 2]'),
    ):
        text = model.metadata_props[0].value
        old = text[text.index(value.split(":")[0]) :].split(', "')[0].rstrip("}")
        changed = onnx.load_from_string(whole)
        changed.metadata_props[0].value = text.replace(old, value)
        assert changed.metadata_props[0].value != text
        bad[key] = changed.SerializeToString()
    for name, content in bad.items():
        (tmp_path / "a.onnx").write_bytes(content)
        with pytest.raises(SegprepError) as caught:
            onnx_model.load(tmp_path / "a.onnx")
        assert caught.value.code == "bad-onnx", name
    with pytest.raises(SegprepError, match="cannot be read"):
        onnx_model.load(tmp_path / "absent.onnx")


@pytest.mark.parametrize("sizes", [[1, 1, 100_000, 100_000], [1, 1, 1, 2]])
def test_sizes_inside_that_cannot_be_end_in_words(sizes: list[int], tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason=SKIP)
    pytest.importorskip("onnxruntime", reason=SKIP)
    ports = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 3, 64, size])
        for name, size in (("images", 64), ("logits", "w"))
    ]
    count = onnx.numpy_helper.from_array(np.array(sizes, np.int64), "count")
    node = onnx.helper.make_node("Tile", ["images", "count"], ["logits"])
    ports[1].type.tensor_type.shape.dim[2].dim_param = "h"
    graph = onnx.helper.make_graph([node], "g", ports[:1], ports[1:], [count])
    model = onnx.load_from_string(onnx_model.encoded(checkpoint("mini-unet", None)))
    model.graph.CopyFrom(graph)
    (tmp_path / "a.onnx").write_bytes(model.SerializeToString())
    net = onnx_model.load(tmp_path / "a.onnx")
    with pytest.raises(SegprepError) as caught:
        net.run(torch.zeros(1, 3, 64, 64))
    assert caught.value.code == "bad-onnx"


def test_weights_in_files_beside_it_are_not_read(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason=SKIP)
    model = onnx.load_from_string(onnx_model.encoded(checkpoint("mini-unet")))
    (tmp_path / "apart").mkdir()
    path = tmp_path / "apart/net.onnx"
    onnx.save_model(
        model, str(path), save_as_external_data=True, location="w.bin", size_threshold=0
    )
    assert (tmp_path / "apart/w.bin").stat().st_size
    with pytest.raises(SegprepError, match="keeps weights in files beside it") as caught:
        onnx_model.load(path)
    assert caught.value.code == "bad-onnx"


def test_without_the_packages_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(onnx_model, "find_spec", lambda name: None)
    checkpoints.save(tmp_path / "a.pt", checkpoint("mini-unet"))
    with pytest.raises(MissingExtraError) as caught:
        onnx_model.export(checkpoints.load(tmp_path / "a.pt"), tmp_path / "a.onnx")
    assert ".[onnx]" in caught.value.hint
    assert not (tmp_path / "a.onnx").exists()


def test_names_that_are_not_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx_model.export(checkpoint("mini-unet"), path)
    path.write_bytes(path.read_bytes().replace(b"logits", b"\xff\xfegits"))
    with pytest.raises(SegprepError) as caught:
        onnx_model.load(path)
    assert caught.value.code == "bad-onnx"
