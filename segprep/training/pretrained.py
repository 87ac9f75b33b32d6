"""Pretrained weights: from a file or a URL with its SHA-256, tensors only, by name and shape.

Names are the network's own, or those of torchvision (VGG16, ResNet50) and timm (MobileNet V1) for a
backbone, with or without a prefix such as ``module.`` or ``backbone.``; or those of the tutorials'
own U-Nets (pytorch_segmentation, Pytorch-UNet, unet-pytorch, pytorch-nested-unet), which may be
whole checkpoints.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import torch
from torch import Tensor, nn

from segprep.errors import SegprepError, UsageError
from segprep.files import read_below
from segprep.outputs import OutputFolder
from segprep.training import weight_tables
from segprep.training.torch_files import unpacked

LARGEST, SECONDS = 1 << 32, 60
WRAPPERS = ("weights", "model", "state_dict", "model_state_dict", "net")
_PLAIN = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32, torch.int64)


@dataclass(frozen=True, slots=True)
class WeightsReport:
    """What became of a file of weights: the network's names in *loaded*, *missed* and *reshaped*
    (with both shapes), the file's in *unexpected*.
    """

    loaded: tuple[str, ...]
    missed: tuple[str, ...]
    reshaped: tuple[str, ...]
    unexpected: tuple[str, ...]

    def __str__(self) -> str:
        total = len(self.loaded) + len(self.missed) + len(self.reshaped)
        return (
            f"{len(self.loaded)} of {total} tensors loaded, {_some('missed', self.missed)},"
            f" {len(self.reshaped)} of another shape, {_some('left over', self.unexpected)}"
        )

    def table(self) -> str:
        """A line per name: what became of it."""
        fates = ("loaded", self.loaded), ("missed", self.missed)
        others = ("other shape", self.reshaped), ("left over", self.unexpected)
        return "".join(f"{fate}\t{name}\n" for fate, names in fates + others for name in names)


def _some(what: str, names: Sequence[str]) -> str:
    more = ", …" if len(names) > 2 else ""
    return f"{len(names)} {what}" + (f" ({', '.join(names[:2])}{more})" if names else "")


def fetch(url: str, sha256: str, folder: Path) -> Path:
    """The file at *url*, kept in *folder* under its hash; what lies there already is not fetched
    again.

    Raises UsageError (bad-option: no http or https URL, no whole SHA-256), SegprepError
    (download-failed, file-too-large, weights-hash, write-failed).
    """
    digest = _digits(sha256)
    if not re.match(r"https?://", url):
        raise UsageError(
            "bad-option", f"{url} is not an http or https address", "give one, or a file"
        )
    path = folder / f"{digest}.pth"
    if path.is_file() and _sha256(_bytes(path)) == digest:
        return path
    try:
        with urlopen(Request(url, headers={"User-Agent": "segprep"}), timeout=SECONDS) as answer:
            data = answer.read(LARGEST + 1)
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, HTTPError):
            error.close()
        reason = f"{url}: {error}"
        hint = "check the address and the connection, or fetch it yourself and give the file"
        raise SegprepError("download-failed", reason, hint) from error
    if len(data) > LARGEST:
        raise SegprepError("file-too-large", f"{url} has more than {LARGEST} bytes")
    _check(url, data, digest)
    return OutputFolder(folder).write(path.name, data)


def read(path: Path, sha256: str | None = None) -> dict[str, Tensor]:
    """The tensors of the file at *path* by name, on the CPU. Raises as :func:`content` does."""
    return tensors(content(path, sha256), path)


def content(path: Path, sha256: str | None = None) -> Any:
    """What the file at *path* holds.

    Raises SegprepError: weights-hash, weights-refused (it holds more than tensors and plain
    values), bad-weights (damaged), unreadable, empty-file …
    """
    digest = None if sha256 is None else _digits(sha256)
    data = _bytes(path)
    if digest is not None:
        _check(str(path), data, digest)
    codes = {"damaged": "bad-weights", "refused": "weights-refused"}
    return unpacked(data, path, largest=LARGEST, **codes)


def load(network: nn.Module, weights: Mapping[str, Tensor]) -> WeightsReport:
    """Copy every tensor that has a place of its name and shape in *network*; the rest is reported.
    Either all of them are copied or none.

    Raises SegprepError: weights-no-match (nothing that is learned has a place), weights-not-finite.
    """
    own, linear = network.state_dict(), getattr(network, "renamed", {}).values()
    matches, unexpected, reshaped = dict[str, Tensor](), list[str](), dict[str, str]()
    for name, tensor in weights.items():
        free = own.keys() - matches.keys()
        target = next((key for key in _places(network, name) if key in free), None)
        if target is None:
            unexpected.append(name)
        elif (fitted := _fitted(tensor, own[target], target in linear)) is None:
            shapes = tuple(tensor.shape), tuple(own[target].shape)
            reshaped[target] = f"{target}: {shapes[0]} in the file, {shapes[1]} in the model"
        else:
            matches[target] = fitted
    if not matches.keys() & dict(network.named_parameters()).keys():
        example = f"the file has {next(iter(weights), 'nothing')}, the model {next(iter(own))}"
        reason = f"no tensor in the file matches this model: {example}"
        raise SegprepError("weights-no-match", reason, "were they made for another model?")
    for target, tensor in matches.items():
        if not bool(torch.isfinite(tensor).all()):
            reason = f"{target} holds numbers that are not finite"
            hint = "the training that made the file had failed; use another"
            raise SegprepError("weights-not-finite", reason, hint)
    with torch.no_grad():
        for target, tensor in matches.items():
            own[target].copy_(tensor)
    missed = [name for name in own if name not in matches and name not in reshaped]
    return WeightsReport(
        tuple(matches),
        tuple(missed),
        tuple(text for target, text in reshaped.items() if target not in matches),
        tuple(unexpected),
    )


def _places(network: nn.Module, name: str) -> Iterator[str]:
    """Where a tensor of the file may belong, the likeliest first; a prefix is tried without."""
    renamed: Mapping[str, str] = getattr(network, "renamed", {})
    yield name
    for key in (name, name.partition(".")[2]):
        yield f"encoder.{key}"
        yield renamed.get(key, "")
    yield from weight_tables.own_names(name)


def _fitted(tensor: Tensor, own: Tensor, was_linear: bool) -> Tensor | None:
    """*tensor* as the network's *own* one has it; None if it is not a plain one of its shape.

    A linear layer may have become a convolution.
    """
    if tensor.layout != torch.strided or tensor.dtype not in _PLAIN or tensor.is_meta:
        return None
    if was_linear and tensor.shape[:1] == own.shape[:1] and tensor.numel() == own.numel():
        tensor = tensor.reshape(own.shape)
    return tensor.to(own.dtype) if tensor.shape == own.shape else None


def tensors(content: Any, path: Path) -> dict[str, Tensor]:
    """The tensors by name of *content*, the file at *path*, out of what training programs wrap
    around them. Raises SegprepError (bad-weights) where there are none.
    """
    for wrapper in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
            break
    items = content.items() if isinstance(content, dict) else ()
    named = {
        name: tensor
        for name, tensor in items
        if isinstance(name, str) and isinstance(tensor, Tensor)
    }
    for prefix in ("module.", "_orig_mod."):  # of data parallel and compiled networks
        if named and all(name.startswith(prefix) for name in named):
            named = {name.removeprefix(prefix): tensor for name, tensor in named.items()}
    if not named:
        hint = "use a file that torch.save(network.state_dict()) wrote"
        raise SegprepError("bad-weights", f"{path} holds no tensors by name", hint)
    return named


def _bytes(path: Path) -> bytes:
    real = Path(path).resolve()  # a link may lead anywhere
    return read_below(real, (real.parent,), LARGEST)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digits(sha256: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        reason = f"{sha256!r} is not a SHA-256"
        hint = "give all 64 hexadecimal digits, as sha256sum prints them"
        raise UsageError("bad-option", reason, hint)
    return sha256.lower()


def _check(what: str, data: bytes, expected: str) -> None:
    if (digest := _sha256(data)) != expected:
        reason = f"{what} has SHA-256 {digest}, not {expected}"
        hint = "it is another file, or was changed in transit; download it again"
        raise SegprepError("weights-hash", reason, hint)
