"""What an interrupted check needs to resume: both trainings, kept with what they are of."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from blake3 import blake3

from segprep.errors import SegprepError
from segprep.training import checkpoints
from segprep.training.check.budget import Budget
from segprep.training.check.loop import Training
from segprep.training.check.verdict import Counts
from segprep.training.data.pairs import ImagePair

STATE = "state.pt"


class State:
    """The trainings of one check by role, in *folder*; *resumed* if an interrupted check of the
    same *identity* was there.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.path, self.content = folder / STATE, dict[str, Any]()
        with suppress(SegprepError):  # a file that a kill cut short is not a loss: start again
            self.content = checkpoints.read(self.path) if self.path.is_file() else {}
        self.resumed = self.content.get("identity") == identity
        if not self.resumed:
            self.content = {"identity": identity}

    def step(self, role: str) -> int | None:
        """How far the training of *role* came."""
        return self.content[role]["step"] if role in self.content else None

    def restore(self, role: str, training: Training) -> Counts | None:
        """Put *training* where the one of *role* was; the counts it was compared by, if it came so
        far. Raises SegprepError (bad-checkpoint).
        """
        if role not in self.content:
            return None
        kept = self.content[role]
        try:
            training.restore(kept)
            return kept["counts"].numpy() if kept["counts"] is not None else None
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            reason = f"{self.path} is damaged: {error!r}"
            hint = "remove that file and re-run the command"
            raise SegprepError("bad-checkpoint", reason, hint) from error

    def save(self, role: str, training: Training, counts: Counts | None) -> None:
        """Keep where *training* is."""
        self.content[role] = training.state() | {
            "counts": None if counts is None else torch.from_numpy(counts)
        }
        checkpoints.write(self.path, self.content)


def identity(budget: Budget, names: Sequence[str], device: str, pairs: Sequence[ImagePair]) -> str:
    """The digest of all that a check depends on."""
    key = blake3(json.dumps([budget.document(), names, device], sort_keys=True).encode())
    for pair in pairs:
        key.update(pair.stem.encode() + np.ascontiguousarray(pair.image).tobytes())
        key.update(pair.mask.tobytes())
    return key.hexdigest(20)
