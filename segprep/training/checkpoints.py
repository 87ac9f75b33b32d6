"""Checkpoints: tensors and plain values only, read with ``weights_only``, so that a file from
elsewhere can run no code.

    checkpoint = load(Path("out/runs/train/best.pt"))
    checkpoint.network(), checkpoint.classes, checkpoint.view
"""

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segprep.errors import SegprepError, SourceError, UsageError
from segprep.files import read_file
from segprep.outputs import OutputFolder
from segprep.train_config import outputs
from segprep.training import models
from segprep.training.data.pairs import GRAY, InputSpec
from segprep.training.models.unetpp import prune
from segprep.training.torch_files import unpacked

KIND, VERSION = "segprep checkpoint", 1
LARGEST = 1 << 33
_AGAIN = "use a checkpoint.pt that segprep wrote, or train again"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A network with all that is needed to use it. *options* are those of its ``build``; a *head*
    ``sigmoid`` has one logit for the second of two classes.
    """

    arch: str
    options: Mapping[str, Any]
    classes: tuple[str, ...]
    view: InputSpec
    weights: Mapping[str, Tensor]
    head: str = "softmax"

    def network(self) -> nn.Module:
        """The network, in evaluation mode.

        Raises SegprepError (bad-checkpoint) if the weights do not fit it.
        """
        count = outputs(self.head, len(self.classes))
        built = models.build(self.arch, self.view.channels, count, **self.options)
        fill(built, self.weights)
        return channels_last(built).eval()


def pruned(checkpoint: Checkpoint, depth: int) -> Checkpoint:
    """*checkpoint* of a deeply supervised UNet++, cut to *depth*: what its head *depth* gives, at a
    fraction of the time. Raises UsageError (bad-option) for another network or depth.
    """
    if checkpoint.arch != "unetpp":
        reason = f"--depth {depth}: the model {checkpoint.arch} cannot be pruned"
        raise UsageError("bad-option", reason, "it is for unetpp, trained with deep supervision")
    network = prune(checkpoint.network(), depth)
    options = {**checkpoint.options, "depth": depth, "deep": False}
    return replace(checkpoint, options=options, weights=network.state_dict())


def channels_last(network: nn.Module, device: str = "cpu") -> nn.Module:
    """*network* on *device*, its weights laid out channels last: a quarter faster on a CPU."""
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def fill(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load *weights* into *network*.

    Raises SegprepError (bad-checkpoint): other names, other shapes, numbers that are not finite.
    """
    own = network.state_dict()
    odd = sorted(own.keys() ^ weights.keys())
    if odd:
        raise _bad(
            f"the weights are of another model: {odd[0]} is on one side only ({len(odd)} such)"
        )
    for name, tensor in own.items():
        if not isinstance(weights[name], Tensor) or weights[name].shape != tensor.shape:
            shape = tuple(getattr(weights[name], "shape", ()))
            reason = f"weight {name} has shape {shape}, the model needs {tuple(tensor.shape)}"
            raise _bad(reason)
        if not bool(torch.isfinite(weights[name]).all()):
            raise _bad(f"weight {name} holds numbers that are not finite")
    network.load_state_dict(dict(weights))


def _bad(reason: str) -> SegprepError:
    return SegprepError("bad-checkpoint", reason, _AGAIN)


def save(path: Path, checkpoint: Checkpoint, **more: Any) -> None:
    """Write *checkpoint* atomically: after a failure the old file is still there. Raises
    SegprepError (write-failed).

    *more* is as in :func:`encoded`.
    """
    OutputFolder(path.parent).write(path.name, encoded(checkpoint, **more))


def encoded(checkpoint: Checkpoint, **more: Any) -> bytes:
    """The file of *checkpoint*. What is *more* (plain values and tensors) lies beside it, for
    :func:`read`; :func:`load` does not mind it.
    """
    content = asdict(checkpoint.view) | {
        "kind": KIND,
        "version": VERSION,
        "arch": checkpoint.arch,
        "options": dict(checkpoint.options),
        "classes": list(checkpoint.classes),
        "head": checkpoint.head,
        "weights": {name: part.detach().cpu().clone() for name, part in checkpoint.weights.items()},
    }
    return _saved(content | more)


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain values and tensors to *path*, atomically."""
    OutputFolder(path.parent).write(path.name, _saved(content))


def _saved(content: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    torch.save(dict(content), out)
    return out.getvalue()


def read(path: Path) -> dict[str, Any]:
    """The plain values and tensors at *path*.

    Raises SegprepError: unreadable, file-too-large, bad-checkpoint (foreign, damaged, or code
    inside).
    """
    try:
        data = read_file(path, LARGEST)
    except SourceError as error:
        raise SegprepError(error.code, f"{path} {error.reason}", error.hint) from error
    codes = {"damaged": "bad-checkpoint", "refused": "bad-checkpoint"}
    content = unpacked(data, path, largest=LARGEST, **codes)
    if not isinstance(content, dict):
        raise _bad(f"{path} is not a checkpoint of segprep")
    _refuse_odd(content, "", path)
    return content


def _refuse_odd(value: Any, key: str, path: Path) -> None:
    """Raise SegprepError for a tensor whose values are not all in the file."""
    if isinstance(value, Tensor):
        plain = value.layout == torch.strided and value.device.type == "cpu"
        if plain and value.numel() * value.element_size() <= value.untyped_storage().nbytes():
            return
        raise _bad(f"{path}: {key} is a tensor without all its values")
    if isinstance(value, Mapping):
        for name, part in value.items():
            _refuse_odd(part, f"{key}.{name}" if key else str(name), path)
    elif isinstance(value, list | tuple):
        for n, part in enumerate(value):
            _refuse_odd(part, f"{key}[{n}]", path)


def load(path: Path, classes: tuple[str, ...] | None = None) -> Checkpoint:
    """The checkpoint at *path*, its weights tried on its network. *classes* are the dataset's, if
    it is to be used on one.

    Raises SegprepError: bad-checkpoint, class-count (another number of classes than the dataset's),
    unreadable.
    """
    content = read(path)
    if content.get("kind") != KIND or content.get("version") != VERSION:
        raise _bad(f"{path} is not a checkpoint of this version of segprep")
    try:
        view = view_of(content)
        checkpoint = Checkpoint(
            str(content["arch"]),
            _table(content["options"], object),
            tuple(map(str, content["classes"])),
            view,
            _table(content["weights"], Tensor),
            _head(content),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _bad(f"{path}: {error!r} is missing or of the wrong type") from error
    if classes is not None and len(classes) != len(checkpoint.classes):
        raise SegprepError(
            "class-count",
            f"{path} knows {len(checkpoint.classes)} classes ({', '.join(checkpoint.classes)}),"
            f" the dataset has {len(classes)} ({', '.join(classes)})",
            "train again on this dataset, or map its classes with segprep remap",
        )
    checkpoint.network()
    return checkpoint


def _table(values: Any, kind: type[Any]) -> dict[str, Any]:
    """*values* of *kind* by name. Raises TypeError for anything else."""
    if not isinstance(values, dict):
        raise TypeError("not a table by name")
    for name, value in values.items():
        if not isinstance(name, str) or not isinstance(value, kind):
            raise TypeError(f"{name!r} is not the name of a {kind.__name__}")
    return values


def _head(content: Mapping[str, Any]) -> str:
    """The head that *content* names. Raises ValueError for one that there is not."""
    head = str(content.get("head", "softmax"))
    if head not in ("softmax", "sigmoid") or (head == "sigmoid" and len(content["classes"]) != 2):
        raise ValueError("head")
    return head


def view_of(content: Mapping[str, Any]) -> InputSpec:
    """The input spec among plain values, as :func:`save` and ONNX files keep it.

    Raises KeyError, TypeError, ValueError, OverflowError for values that are none.
    """
    channels, gray = int(content.get("channels", 3)), int(content.get("gray", GRAY))
    mean, std, scale = tuple(content["mean"]), tuple(content["std"]), content["scale"]
    numbers = [*mean, *std]
    if (
        channels not in (1, 3)
        or not len(mean) == len(std) == channels
        or not all(isinstance(number, float) and abs(number) < 1e9 for number in numbers)
        or not 1 <= int(content["size"]) <= 1 << 14
        or not 0 <= gray <= 255
    ):
        raise ValueError("normalization, channels or size")
    if scale is not None and not 0 < float(scale) <= 16:
        raise ValueError("scale")
    stretch, corner = (bool(content.get(name, False)) for name in ("stretch", "corner"))
    scale = None if scale is None else float(scale)
    return InputSpec(int(content["size"]), scale, mean, std, stretch, channels, corner, gray)
