"""Weights from files and addresses: what is loaded, what is refused."""

import hashlib
import io
import pickle
import threading
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

torch = pytest.importorskip("torch")
from training.weights import saved

from segprep.errors import SegprepError
from segprep.training import models, pretrained

FCN = {"base": 2, "wide": 3}


def code_of(call):
    with pytest.raises(SegprepError) as caught:
        call()
    assert caught.value.hint
    return caught.value.code


def sha(data):
    return hashlib.sha256(data).hexdigest()


def vgg(base=2):
    """VGG16's weights under torchvision's names: every third layer or so, the classifier last."""
    network, out = models.build("vgg-unet", 3, 2, base=base), OrderedDict()
    for name, tensor in network.encoder.state_dict().items():
        out[name] = torch.rand_like(tensor)
    return out | {
        "classifier.0.weight": torch.rand(3, 16 * 49),
        "classifier.0.bias": torch.rand(3),
        "classifier.6.weight": torch.rand(1000, 3),
    }


def test_torchvision_names():
    """The first and last names of each backbone are those of the published files (timm's for
    MobileNet V1).
    """
    expected = {
        "vgg-unet": ({"features.0.weight": (64, 3, 3, 3), "features.28.bias": (512,)}, 26),
        "resnet-unet": (
            {
                "conv1.weight": (64, 3, 7, 7),
                "bn1.running_var": (64,),
                "layer1.0.downsample.0.weight": (256, 64, 1, 1),
                "layer2.3.bn3.num_batches_tracked": (),
                "layer4.2.conv3.weight": (2048, 512, 1, 1),
            },
            318,
        ),
        "mobilenet-unet": (
            {
                "conv_stem.weight": (32, 3, 3, 3),
                "blocks.0.0.conv_dw.weight": (32, 1, 3, 3),
                "blocks.3.5.bn2.bias": (512,),
            },
            138,
        ),
    }
    for name, (shapes, count) in expected.items():
        with torch.device("meta"):
            state = models.build(name, 3, 2).encoder.state_dict()
        assert {key: tuple(state[key].shape) for key in shapes} == shapes
        assert len(state) == count


def test_a_backbone_is_loaded_by_name(tmp_path):
    given = vgg()
    network = models.build("vgg-unet", 3, 2, base=2)
    report = pretrained.load(network, pretrained.read(saved(tmp_path / "vgg16.pth", given)))
    assert len(report.loaded) == 26
    assert report.unexpected == ("classifier.0.weight", "classifier.0.bias", "classifier.6.weight")
    assert all(not name.startswith("encoder.") for name in report.missed)
    assert (
        str(report)
        == f"26 of {26 + len(report.missed)} tensors loaded, {len(report.missed)} missed"
        " (up4.convolve.0.weight, up4.convolve.0.bias, …), 0 of another shape, 3 left over"
        " (classifier.0.weight, classifier.0.bias, …)"
    )
    assert torch.equal(network.encoder.features[28].weight, given["features.28.weight"])


def test_the_classifier_becomes_convolutions():
    network, given = models.build("fcn32s", 3, 2, **FCN), vgg()
    report = pretrained.load(network, given)
    assert {"fc6.weight", "fc6.bias"} <= set(report.loaded)
    assert torch.equal(network.fc6.weight, given["classifier.0.weight"].view(3, 16, 7, 7))
    image = torch.rand(1, 16, 7, 7)
    linear = torch.nn.functional.linear(
        image.flatten(1), given["classifier.0.weight"], given["classifier.0.bias"]
    )
    assert torch.allclose(network.fc6(image)[..., 3, 3], linear, atol=1e-5)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda one: {"model": one, "epoch": 3},
        lambda one: {"state_dict": {f"module.{key}": value for key, value in one.items()}},
        lambda one: {f"resnet.{key}": value for key, value in one.items()},
        lambda one: {key: value.double() for key, value in one.items()},
    ],
)
def test_wrapped_weights(tmp_path, wrap):
    """What training programs put around the tensors is taken off."""
    network, other = models.build("vgg-unet", 3, 2, base=2), vgg()
    report = pretrained.load(network, pretrained.read(saved(tmp_path / "a.pth", wrap(other))))
    assert len(report.loaded) == 26
    assert torch.equal(network.encoder.features[0].bias, other["features.0.bias"])


def test_whole_networks_and_other_shapes(tmp_path):
    """All of it fits but the head, which has other classes, and the first layer, which has other
    channels: named with both shapes.
    """
    torch.manual_seed(0)
    old = models.build("resnet-unet", 3, 21, base=2)
    network = models.build("resnet-unet", 1, 2, base=2)
    report = pretrained.load(network, pretrained.read(saved(tmp_path / "a.pth", old.state_dict())))
    assert report.missed == report.unexpected == ()
    assert report.reshaped == (
        "encoder.conv1.weight: (2, 3, 7, 7) in the file, (2, 1, 7, 7) in the model",
        "head.weight: (21, 2, 1, 1) in the file, (2, 2, 1, 1) in the model",
        "head.bias: (21,) in the file, (2,) in the model",
    )
    assert torch.equal(network.up1.convolve[0].weight, old.up1.convolve[0].weight)


class Harmful:
    def __reduce__(self):
        import os

        return os.mkdir, ("harmed",)


def test_code_in_a_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for legacy in (True, False):
        torch.save(
            {"a": torch.zeros(1), "b": Harmful()},
            "bad.pth",
            _use_new_zipfile_serialization=not legacy,
        )
        assert code_of(lambda: pretrained.read(tmp_path / "bad.pth")) == "weights-refused"
    (tmp_path / "raw.pth").write_bytes(pickle.dumps(Harmful()))
    assert code_of(lambda: pretrained.read(tmp_path / "raw.pth")) in (
        "weights-refused",
        "bad-weights",
    )
    assert not (tmp_path / "harmed").exists()


def test_bad_files(tmp_path):
    whole = saved(tmp_path / "a.pth", vgg()).read_bytes()
    for n, data in enumerate(
        (
            b"no weights at all",
            b"\x80\x02",
            whole[:100],
            whole[: len(whole) // 2],
            whole[:-30],
            b"PK\x03\x04" + bytes(200),
            b"\0" * 1000,
        )
    ):
        (tmp_path / f"{n}.pth").write_bytes(data)
        assert code_of(lambda n=n: pretrained.read(tmp_path / f"{n}.pth")) == "bad-weights"
    for n, content in enumerate(
        ([torch.zeros(2)], {"a": 3}, {}, torch.zeros(3), {3: torch.zeros(1)})
    ):
        path = saved(tmp_path / f"no{n}.pth", content)
        assert code_of(lambda path=path: pretrained.read(path)) == "bad-weights"
    (tmp_path / "empty.pth").touch()
    (tmp_path / "lfs.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    assert code_of(lambda: pretrained.read(tmp_path / "empty.pth")) == "empty-file"
    assert code_of(lambda: pretrained.read(tmp_path / "lfs.pth")) == "lfs-pointer"
    assert code_of(lambda: pretrained.read(tmp_path / "absent.pth")) == "unreadable"
    assert code_of(lambda: pretrained.read(tmp_path)) == "not-a-file"


def test_every_damaged_byte_is_an_error_or_harmless(tmp_path):
    """No traceback of another kind, wherever one byte of the file differs."""
    out = io.BytesIO()
    torch.save(dict(list(vgg().items())[:2]), out)
    data = bytearray(out.getvalue())
    for place in range(0, len(data), 7):
        changed = bytes(data[:place]) + bytes([data[place] ^ 0x5A]) + bytes(data[place + 1 :])
        (tmp_path / "a.pth").write_bytes(changed)
        try:
            found = pretrained.read(tmp_path / "a.pth")
            pretrained.load(models.build("vgg-unet", 3, 2, base=2), found)
        except SegprepError:
            pass


def test_hashes(tmp_path):
    path = saved(tmp_path / "a.pth", vgg())
    right = sha(path.read_bytes())
    assert pretrained.read(path, right.upper()).keys() == pretrained.read(path).keys()
    assert code_of(lambda: pretrained.read(path, "0" * 64)) == "weights-hash"
    assert code_of(lambda: pretrained.read(path, right[:8])) == "bad-option"


def test_no_place_and_not_finite():
    network = models.build("unet", 3, 2, base=2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert code_of(lambda: pretrained.load(network, vgg())) == "weights-no-match"
    assert code_of(lambda: pretrained.load(network, {})) == "weights-no-match"
    for bad in (float("nan"), float("inf"), 1e300):
        state = {name: tensor.double().clone() for name, tensor in before.items()}
        state["last.bias"][0] = bad
        assert code_of(lambda state=state: pretrained.load(network, state)) == "weights-not-finite"
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif self.path == "/absent":
            self.send_error(404)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.server.data) + (self.path == "/short")))
            self.end_headers()
            self.wfile.write(self.server.data)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tmp_path):
    made = HTTPServer(("127.0.0.1", 0), Handler)
    made.data, made.asked = saved(tmp_path / "served.pth", vgg()).read_bytes(), []
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def test_fetching(server, tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    url, right, folder = (
        f"http://127.0.0.1:{server.server_port}",
        sha(server.data),
        tmp_path / "kept",
    )
    path = pretrained.fetch(f"{url}/vgg16.pth", right, folder)
    assert path.read_bytes() == server.data
    assert pretrained.fetch(f"{url}/vgg16.pth", right, folder) == path
    assert server.asked == ["/vgg16.pth"]  # the second time it lay there
    path.write_bytes(b"changed")
    assert pretrained.fetch(f"{url}/vgg16.pth", right, folder).read_bytes() == server.data
    assert code_of(lambda: pretrained.fetch(f"{url}/vgg16.pth", "0" * 64, folder)) == "weights-hash"
    assert [one.name for one in folder.iterdir()] == [path.name]
    for bad in ("absent", "moved", "short"):
        assert code_of(lambda bad=bad: pretrained.fetch(f"{url}/{bad}", "1" * 64, folder)) in (
            ("download-failed", "weights-hash") if bad == "short" else ("download-failed",)
        )
    assert (
        code_of(lambda: pretrained.fetch("http://127.0.0.1:1/a", right, tmp_path / "other"))
        == "download-failed"
    )
    assert code_of(lambda: pretrained.fetch("file:///etc/passwd", right, folder)) == "bad-option"
    assert code_of(lambda: pretrained.fetch(f"{url}/a", "12", folder)) == "bad-option"
