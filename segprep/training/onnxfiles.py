"""ONNX: a checkpoint as a file that other programs run, and prediction through onnxruntime.

The file takes images (N, 3, S, S), normalised as its metadata say, and gives logits (N, C, S, S). S is fixed, since networks pad and crop by the size
they see; larger images are tiled. The metadata entry ``segprep`` holds classes, size, scale, mean and std as JSON.
"""

import io
import json
import warnings
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import MissingExtraError, SegprepError
from ..files import write_atomic
from .checkpoints import LARGEST, Checkpoint
from .data import View
from .tiling import PHASE, Net, check_tile, two

KEY, KIND, OPSET = "segprep", "segprep onnx", 17
_AGAIN = "make it with segprep predict CHECKPOINT --export-onnx FILE"


class _Last(nn.Module):
    """One output: of several heads the last."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        found = self.network(images)
        return cast("Tensor", found[-1] if isinstance(found, list | tuple) else found)


def side_of(view: View, tile: int | None = None) -> int:
    """S: a letterbox has its own; else *tile*, or the windows' side rounded up to a multiple of 32, at least 64."""
    if view.scale is None:
        return view.size
    return check_tile(tile) if tile is not None else max(64, view.size + -view.size % PHASE)


def encoded(checkpoint: Checkpoint, tile: int | None = None) -> bytes:
    """The network of *checkpoint* as an ONNX file. Raises MissingExtraError."""
    onnx = _package("onnx")
    side = side_of(checkpoint.view, tile)
    network = _Last(checkpoint.network()).to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sizes become constants: that is meant, the size is fixed
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, side, side),),
            out,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["logits"],
            dynamic_axes={"images": {0: "n"}, "logits": {0: "n"}},
        )
    model = onnx.load_from_string(out.getvalue())
    about = {"kind": KIND, "arch": checkpoint.arch, "classes": list(checkpoint.classes), "side": side, **asdict(checkpoint.view)}
    onnx.helper.set_model_props(model, {KEY: json.dumps(about)})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def export(checkpoint: Checkpoint, path: Path, tile: int | None = None) -> int:
    """Write :func:`encoded` to *path*; the side S. Raises MissingExtraError, SegprepError (write-failed)."""
    write_atomic(path, encoded(checkpoint, tile))
    return side_of(checkpoint.view, tile)


def load(path: Path) -> Net:
    """The network of an ONNX file that segprep exported. Raises SegprepError: bad-onnx, unreadable, file-too-large; MissingExtraError."""
    try:
        if path.stat().st_size > LARGEST:
            raise SegprepError("file-too-large", f"{path} has {path.stat().st_size} bytes", _AGAIN)
        return net_of(path.read_bytes(), path)
    except OSError as error:
        raise SegprepError("unreadable", f"{path} cannot be read: {error.strerror}", "check that it exists and its permissions") from error


def net_of(content: bytes, path: Path) -> Net:
    """The network in *content*; *path* is for messages."""
    runtime = _package("onnxruntime")
    try:
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 4
        session = runtime.InferenceSession(content, options, providers=runtime.get_available_providers())
        about = json.loads(session.get_modelmeta().custom_metadata_map[KEY])
    except Exception as error:
        if type(error).__module__.startswith("onnxruntime") or isinstance(error, KeyError | ValueError | RuntimeError):
            raise SegprepError("bad-onnx", f"{path}: {str(error).splitlines()[0] if str(error) else type(error).__name__}", _AGAIN) from error
        raise
    classes, view, side = _about(about, path)

    def run(images: Tensor) -> Tensor:
        found = session.run(["logits"], {"images": images.numpy().astype(np.float32)})[0]
        return torch.from_numpy(np.ascontiguousarray(found))

    return Net(two(classes), view, run, side=side)


def _about(about: Any, path: Path) -> tuple[tuple[str, ...], View, int]:
    try:
        if about["kind"] != KIND:
            raise ValueError("kind")
        scale = about["scale"]
        view = View(int(about["size"]), None if scale is None else float(scale), _three(about["mean"]), _three(about["std"]))
        return tuple(map(str, about["classes"])), view, int(about["side"])
    except (KeyError, TypeError, ValueError) as error:
        raise SegprepError("bad-onnx", f"{path}: {error!r} is missing or of the wrong type in its metadata", _AGAIN) from error


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = map(float, values)
    return red, green, blue


def _package(name: str) -> Any:
    if find_spec(name) is None:
        raise MissingExtraError("ONNX", name, "onnx")
    return __import__(name)
