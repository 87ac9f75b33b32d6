"""ONNX: a checkpoint as a file that other programs run, and prediction through onnxruntime.

The file takes images (N, 3, S, S), normalized as its metadata say, and gives logits (N, C, S, S);
of the paper's U-Net, whose convolutions are valid, without a border of 92 pixels. S is fixed, since
networks pad and crop by the size they see; larger images are tiled. A file for tiles (``--tile``)
of a network that enlarges bilinearly has an input that may be omitted: ``places``, (2, 2) int64,
where the tile starts in its image and how large that is, down and across. The metadata entry
``segprep`` holds classes, S (side), border, reach, and the view (size, scale, mean, std) as JSON.
"""

import io
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from segprep.errors import MissingExtraError, SegprepError, SourceError
from segprep.files import read_file
from segprep.outputs import OutputFolder
from segprep.train_config import outputs
from segprep.training.checkpoints import LARGEST, Checkpoint, view_of
from segprep.training.data.pairs import InputSpec
from segprep.training.inference.reach import reach
from segprep.training.inference.spans import PHASE
from segprep.training.inference.tiles import SMALLEST, Net, check_tile, two
from segprep.training.models._layers import Enlarge, Place, placed
from segprep.training.models.unet_paper import BORDER, ValidUNet, valid_size

KEY, KIND, OPSET, PLACES = "segprep", "segprep onnx", 17, "places"
# what a tile of valid convolutions gives has to hold a step of the poolings
LEAST_VALID = 2 * BORDER + 20
_OUTSIDE = re.compile(rb"\n\x08location\x12")  # the field that names a file of weights
_AGAIN = "make it with segprep predict CHECKPOINT --export-onnx FILE"


class _Last(nn.Module):
    """One output: the last of several heads; of valid convolutions the image's part."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.border = BORDER if isinstance(network, ValidUNet) else 0
        self.enlarges = any(isinstance(module, Enlarge) for module in network.modules())

    def forward(self, images: Tensor, places: Tensor | None = None) -> Tensor:
        if isinstance(self.network, ValidUNet):
            return self.network.tile(images)
        axes = [] if places is None else zip(places, images.shape[2:], strict=True)
        position = [Place(start, side, whole) for (start, whole), side in axes]
        with placed(self.network, [(position[0], position[1])] if position else ()):
            heads = self.network(images)
        return cast("Tensor", heads[-1] if isinstance(heads, list | tuple) else heads)


def side_of(view: InputSpec, tile: int | None = None, border: int = 0) -> int:
    """S: a letterbox has its own; else *tile*, or the windows' side rounded up to a multiple of 32,
    at least 64; the *border* comes on top.
    """
    side = view.size
    if view.scale is not None:
        side = (
            check_tile(tile) if tile is not None else max(SMALLEST, view.size + -view.size % PHASE)
        )
    return valid_size(side + 2 * border) if border else side


def encoded(checkpoint: Checkpoint, tile: int | None = None) -> bytes:
    """The network of *checkpoint* as an ONNX file. Raises MissingExtraError."""
    onnx = _package("onnx")
    network = _Last(checkpoint.network()).to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    side, out = side_of(checkpoint.view, tile, network.border), io.BytesIO()
    placing = network.enlarges and tile is not None and checkpoint.view.scale is not None
    images, places = torch.zeros(1, checkpoint.view.channels, side, side), torch.tensor([[0, side]])
    inputs = {"images": images} | ({PLACES: places.repeat(2, 1)} if placing else {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sizes become constants: that is meant, the size is fixed
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            out,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=["logits"],
            dynamic_axes={"images": {0: "n"}, "logits": {0: "n"}},
        )
    model = onnx.load_from_string(out.getvalue())
    if placing:  # without it, a tile is the whole image
        default = onnx.numpy_helper.from_array(inputs[PLACES].numpy(), PLACES)
        model.graph.initializer.append(default)
        shape = outputs(checkpoint.head, len(checkpoint.classes)), side, side
        sizes = model.graph.output[0].type.tensor_type.shape.dim[1:]
        for size, number in zip(sizes, shape, strict=True):
            size.dim_value = number
    looks = not network.border and (placing or not network.enlarges)
    about = {
        "kind": KIND,
        "arch": checkpoint.arch,
        "classes": list(checkpoint.classes),
        "side": side,
        "border": network.border,
        # None where tiles would have to know where they lie
        "reach": reach(network.network, checkpoint.view.channels) if looks else None,
        **asdict(checkpoint.view),
    }
    onnx.helper.set_model_props(model, {KEY: json.dumps(about)})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def export(checkpoint: Checkpoint, path: Path, tile: int | None = None) -> None:
    """Write :func:`encoded` to *path*. Raises MissingExtraError, SegprepError (write-failed)."""
    OutputFolder(path.parent).write(path.name, encoded(checkpoint, tile))


def load(path: Path) -> Net:
    """The network of an ONNX file that segprep exported.

    Raises SegprepError: bad-onnx, unreadable, file-too-large; MissingExtraError.
    """
    try:
        content = read_file(path, LARGEST)
    except SourceError as error:
        raise SegprepError(error.code, f"{path} {error.reason}", error.hint or _AGAIN) from error
    if _OUTSIDE.search(content):
        raise SegprepError("bad-onnx", f"{path} keeps weights in files beside it", _AGAIN)
    return net_of(content, path)


def net_of(content: bytes, path: Path) -> Net:
    """The network in *content*; *path* is for messages."""
    runtime = _package("onnxruntime")
    with _faults_told(path):
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 4
        session = runtime.InferenceSession(
            content, options, providers=runtime.get_available_providers()
        )
        about = json.loads(session.get_modelmeta().custom_metadata_map[KEY])
    net = _about(about, path)
    with _faults_told(path):  # names of inputs and outputs may be no text
        _check(session, net, path)
    count = session.get_outputs()[0].shape[1]

    placing = any(port.name == PLACES for port in session.get_overridable_initializers())

    def run(images: Tensor, places: Sequence[tuple[Place, Place]] = ()) -> Tensor:
        if placing and len(places) > 1:
            parts = zip(torch.split(images, 1), places, strict=True)
            return torch.cat([run(image, [position]) for image, position in parts])
        inputs = {"images": images.numpy().astype(np.float32)}
        if placing and places:
            inputs[PLACES] = np.array([[axis.start, axis.whole] for axis in places[0]], np.int64)
        with _faults_told(path):  # sizes inside the network are known only now
            logits = session.run(["logits"], inputs)[0]
            side = images.shape[-1] - 2 * net.border
            if logits.shape != (len(images), count, side, side):
                raise ValueError(f"it gives an array of shape {logits.shape}")
            return torch.from_numpy(np.ascontiguousarray(logits))

    return replace(net, run=run, valid=run if net.border else None)


@contextmanager
def _faults_told(path: Path) -> Iterator[None]:
    """Make what onnxruntime raises meanwhile a SegprepError (bad-onnx) about *path*."""
    try:
        yield
    # onnxruntime's own errors share no base that could be named without importing its C module
    except Exception as error:
        if type(error).__module__.startswith("onnxruntime") or isinstance(
            error, LookupError | ValueError | RuntimeError | TypeError | MemoryError
        ):
            reason = f"{path}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
            raise SegprepError("bad-onnx", reason, _AGAIN) from error
        raise


def _about(about: Any, path: Path) -> Net:
    """What the metadata say; it cannot run yet."""
    try:
        if about["kind"] != KIND:
            raise ValueError("kind")
        look = about.get("reach")
        return Net(
            two([str(name) for name in about["classes"]]),
            view_of(about),
            _nowhere,
            border=int(about["border"]),
            side=int(about["side"]),
            reach=lambda: look if isinstance(look, int) and 0 <= look < 1 << 14 else None,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise SegprepError(
            "bad-onnx", f"{path}: {error!r} is missing or of the wrong type in its metadata", _AGAIN
        ) from error


def _check(session: Any, net: Net, path: Path) -> None:
    """Raise SegprepError (bad-onnx) where the network contradicts its metadata."""
    taken = (
        [port.name for port in session.get_inputs()],
        [tuple(port.shape[1:]) for port in session.get_inputs()],
    )
    given = [(port.name, port.shape[1]) for port in session.get_outputs()]
    side = net.side or 0
    counts = (1, len(net.classes)) if len(net.classes) == 2 else (len(net.classes),)
    fits = (
        side == valid_size(side) and side >= LEAST_VALID
        if net.border
        else net.view.scale is None or (side % PHASE == 0 and side >= SMALLEST)
    )
    whole = net.view.scale is not None or net.border or side == net.view.size
    if (
        taken != (["images"], [(net.view.channels, side, side)])
        or given not in [[("logits", count)] for count in counts]
        or net.border not in (0, BORDER)
        or not (fits and whole)
    ):
        raise SegprepError(
            "bad-onnx", f"{path} has other inputs or outputs than its metadata say", _AGAIN
        )


def _nowhere(images: Tensor, places: Sequence[Any] = ()) -> Tensor:
    """Stands for ``run`` until :func:`net_of` has checked the session."""
    raise NotImplementedError


def _package(name: str) -> Any:
    if find_spec(name) is None:
        raise MissingExtraError("ONNX", name, "onnx")
    return __import__(name)
