"""Where pretrained weights come from, and the names that the tutorials' own checkpoints have."""

import re
from collections.abc import Callable, Iterator, Mapping

# where a backbone's weights come from: what they are, address, SHA-256 (empty where none is known)
SOURCES: Mapping[str, tuple[str, str, str]] = {
    "VGG16": (
        "torchvision's vgg16, 553,433,881 bytes",
        "https://download.pytorch.org/models/vgg16-397923af.pth",
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    ),
    "ResNet50": (
        "torchvision's resnet50, 102,530,333 bytes",
        "https://download.pytorch.org/models/resnet50-0676ba61.pth",
        "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
    ),
    "MobileNet": ("timm's mobilenetv1_100, saved with torch.save", "", ""),
}
BACKBONES = {"vgg-unet": "VGG16", "fcn8s": "VGG16", "fcn32s": "VGG16"}
BACKBONES |= {"resnet-unet": "ResNet50", "mobilenet-unet": "MobileNet"}
_LAYERS = {"conv1": 0, "bn1": 1, "conv2": 3, "bn2": 4}
# names in the tutorials' checkpoints, and the networks' own
_NAMES: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"(in_conv|inc\.double_conv)\.", lambda match: "first."),
    (r"down(\d)\.(1|maxpool_conv\.1\.double_conv)\.", lambda match: f"down.{int(match[1]) - 1}."),
    (r"up(\d)\.conv\.(double_conv\.)?", lambda match: f"up.{int(match[1]) - 1}.join."),
    (r"up(\d)\.up\.", lambda match: f"up.{int(match[1]) - 1}.enlarge."),
    (r"(out_conv\.0|outc\.conv)\.", lambda match: "last."),
    (
        r"up_concat(\d)\.conv([12])\.",
        lambda match: f"up{match[1]}.convolve.{2 * int(match[2]) - 2}.",
    ),
    (r"up_conv\.([13])\.", lambda match: f"full.1.{int(match[1]) - 1}."),
    (r"final\.", lambda match: "head."),
    (r"final(\d?)\.", lambda match: f"heads.{match[1] or 4}."),
    (r"conv(\d_\d)\.(conv1|bn1|conv2|bn2)\.", lambda match: _node(match[1], match[2])),
)


def _node(node: str, layer: str) -> str:
    return f"nodes.{node}.{_LAYERS[layer]}."


def own_names(name: str) -> Iterator[str]:
    """What the tensor *name* of a tutorial's checkpoint may be called in the networks here."""
    for pattern, own in _NAMES:
        if match := re.match(pattern, name):
            yield own(match) + name[match.end() :]


def where(arch: str) -> str:
    """Where the weights of the backbone of *arch* come from; empty where it has none."""
    if arch not in BACKBONES:
        return ""
    what, address, sha256 = SOURCES[BACKBONES[arch]]
    given = f"{address} --sha256 {sha256}" if address else "FILE"
    return f"{what}: --weights {given}"
