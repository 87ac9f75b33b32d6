"""Checkpoints: a round trip, and files that must not be trusted."""

import os
import pickle
from pathlib import Path

import pytest
import torch

from segprep.errors import SegprepError
from segprep.training import checkpoints
from segprep.training.checkpoints import Checkpoint
from segprep.training.data.pairs import InputSpec
from segprep.training.models import unet

VIEW = InputSpec(96, 0.5, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))


def made(**changes: object) -> Checkpoint:
    given = {
        "arch": "unet",
        "options": {"base": 2},
        "classes": ("a", "b"),
        "view": VIEW,
        "weights": unet.build(base=2).state_dict(),
    }
    return Checkpoint(**given | changes)  # type: ignore[arg-type]


def code(path: Path, classes: tuple[str, ...] | None = None) -> str:
    with pytest.raises(SegprepError) as caught:
        checkpoints.load(path, classes)
    assert caught.value.hint
    return caught.value.code


def test_round_trip(tmp_path: Path) -> None:
    before, path = made(), tmp_path / "c.pt"
    checkpoints.save(path, before)
    after = checkpoints.load(path, ("x", "y"))
    assert (after.arch, after.options, after.classes, after.view) == (
        before.arch,
        before.options,
        before.classes,
        before.view,
    )
    image = torch.rand(1, 3, 20, 30)
    assert torch.equal(before.network()(image), after.network()(image))


def test_a_pickle_with_code_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path}/ran",)

    path = tmp_path / "c.pt"
    path.write_bytes(pickle.dumps(Evil()))
    assert code(path) == "bad-checkpoint"
    torch.save({"kind": checkpoints.KIND, "version": 1, "weights": Evil()}, path)
    assert code(path) == "bad-checkpoint"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"no checkpoint", b"PK\x03\x04" + b"\0" * 50, b"\x80\x02]q\x00."],
    ids=["empty", "text", "cut zip", "a list"],
)
def test_foreign_files_have_a_code(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.pt"
    path.write_bytes(content)
    assert code(path) == "bad-checkpoint"


def test_a_missing_file_and_a_folder_have_a_code(tmp_path: Path) -> None:
    assert code(tmp_path / "none.pt") == "unreadable"
    assert code(tmp_path) == "not-a-file"


@pytest.mark.parametrize("cut", [100, 3000])
def test_a_truncated_checkpoint_has_a_code(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "c.pt"
    checkpoints.save(path, made())
    path.write_bytes(path.read_bytes()[:cut])
    assert code(path) == "bad-checkpoint"


def test_an_archive_with_a_damaged_directory_has_a_code(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    checkpoints.save(path, made())
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")  # an entry of the directory: its extra field has 64 bytes
    data[at + 30 : at + 32] = (64).to_bytes(2, "little")
    path.write_bytes(data)
    assert code(path) == "bad-checkpoint"


def test_wrong_weights_have_a_code(tmp_path: Path) -> None:
    path, weights = tmp_path / "c.pt", unet.build(base=2).state_dict()
    name = next(iter(weights))
    for odd in (
        unet.build(base=3).state_dict(),
        {},
        weights | {name: torch.full_like(weights[name], float("nan"))},
        weights | {"more": torch.zeros(1)},
    ):
        checkpoints.save(path, made(weights=odd))
        assert code(path) == "bad-checkpoint"


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"kind": "other"},
        {"mean": ["x", 0.0, 0.0]},
        {"mean": [float("nan"), 0.0, 0.0]},
        {"size": -1},
        {"scale": 1e9},
        {"options": {"width": 3}},
        {"options": {5: "unet"}},
        {"options": [1]},
        {"weights": [torch.zeros(1)]},
        {"weights": "none"},
        {"arch": "../x"},
        {"classes": None},
    ],
)
def test_wrong_values_have_a_code(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "c.pt"
    checkpoints.save(path, made())
    checkpoints.write(path, checkpoints.read(path) | change)
    assert code(path) in ("bad-checkpoint", "bad-option", "unknown-model")


def test_another_number_of_classes_has_a_code(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    checkpoints.save(path, made())
    assert code(path, ("a", "b", "c")) == "class-count"


def test_a_failed_write_leaves_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.pt"
    checkpoints.save(path, made())
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SegprepError) as caught:
        checkpoints.save(path, made(classes=("c", "d")))
    assert caught.value.code == "write-failed"
    assert path.read_bytes() == before
