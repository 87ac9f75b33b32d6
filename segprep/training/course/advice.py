"""Settings that do not do what they may be meant for: what is left out, and what a person should know before an hour is spent."""

from torch import nn

from ... import settings
from ...errors import SegprepError
from ...settings import Config
from .distributed import Group


def advised(config: Config, group: Group, images: int) -> tuple[Config, list[str]]:
    """*config* without what this device does not have, and notes. Raises SegprepError (bad-option) for float16 on a CPU."""
    notes, batch = list[str](), config.batch * group.world
    if group.device == "cpu":
        if config.amp == "float16":
            raise SegprepError("bad-option", "amp float16 needs a GPU", "leave it out; on a CPU it would be slower")
        if config.amp == "bfloat16":
            notes.append("mixed precision on a CPU without hardware for it takes about twice as long as amp none")
        if config.compile:
            notes.append("compile was left out: on a CPU it takes longer than it saves")
        if config.sync_bn:
            notes.append("sync_bn was left out: PyTorch has it on GPUs only")
        config = settings.replaced(config, compile=False, sync_bn=False)
    if batch > images:
        notes.append(f"a batch of {batch} is more than the {images} images: some come several times in a step, augmented anew")
    if group.world > 1:
        notes.append(f"{group.world} processes, {config.batch} windows each; lr is taken as given, not multiplied")
    return config, notes


def about_network(network: nn.Module, config: Config) -> list[str]:
    """Notes on *network* with these settings."""
    normalises = any(isinstance(one, nn.BatchNorm2d) for one in network.modules())
    if config.batch == 1 and normalises and not config.freeze_norm:
        return ["batch normalisation sees one image at a time: its statistics are noisy; a larger --batch or --freeze-norm is steadier"]
    return []
