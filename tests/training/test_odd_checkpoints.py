"""Checkpoints that would cost more than they hold, or hold what no network has, are refused."""

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from segprep.errors import SegprepError
from segprep.training import checkpoints

ODD: dict[str, Callable[[], Tensor]] = {
    "one number for a huge array": lambda: torch.zeros(1).expand(100_000, 1_000_000),
    "sparse": lambda: torch.eye(4).to_sparse(),
    "without data": lambda: torch.zeros(3, device="meta"),
}


@pytest.mark.parametrize("name", ODD)
def test_tensors_without_all_their_values(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.pt"
    torch.save({"weights": {"a.weight": ODD[name]()}}, path)
    with pytest.raises(SegprepError) as caught:
        checkpoints.read(path)
    assert caught.value.code == "bad-checkpoint"


def test_an_archive_that_unpacks_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "LARGEST", 1 << 20)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(4 << 20))
    (tmp_path / "x.pt").write_bytes(out.getvalue())
    with pytest.raises(SegprepError) as caught:
        checkpoints.read(tmp_path / "x.pt")
    assert caught.value.code == "file-too-large"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.pt")
    with pytest.raises(SegprepError) as caught:
        checkpoints.read(tmp_path / "x.pt")
    assert caught.value.code == "not-a-file"
