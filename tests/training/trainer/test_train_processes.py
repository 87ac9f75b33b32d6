"""segprep train on two processes, as torchrun starts them: what one process with the whole batch
learns.
"""

import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from segprep import train
from segprep.training import checkpoints

ROOT = Path(__file__).parents[3]
TINY = [
    "--size",
    "32",
    "--option",
    "base=4",
    "--epochs",
    "2",
    "--batch",
    "2",
    "--optimizer",
    "sgd",
    "--lr",
    "0.1",
    "--no-tensorboard",
    "--device",
    "cpu",
]


def free_port() -> str:
    """A port that nobody has, below those that the system gives to whoever asks for any: one of
    them may be given away again before it is used.
    """
    for port in random.SystemRandom().sample(range(15_000, 32_000), 100):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return str(port)
    raise AssertionError("no port is free")


def launched(root: Path, out: Path, *more: str, world: int = 2) -> list[tuple[int, str, str]]:
    """(exit code, stdout, stderr) of *world* processes with the variables that torchrun sets:
    torchrun itself would only be one more to wait for.
    """
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "segprep_cli",
        "train",
        str(root),
        "--out",
        str(out),
        *TINY,
        "--freeze-norm",
        *more,
    ]
    running = []
    for rank in map(str, range(world)):
        place = {
            "RANK": rank,
            "LOCAL_RANK": rank,
            "WORLD_SIZE": str(world),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
            "OMP_NUM_THREADS": "1",
        }
        place |= {"TORCHELASTIC_RUN_ID": "test"} if world == 1 else {}
        running.append(
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | place,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    told = [one.communicate(timeout=1200) for one in running]
    return [(one.returncode, *texts) for one, texts in zip(running, told, strict=True)]


def test_two_processes_learn_what_one_with_the_doubled_batch_learns(
    discs: Callable[..., Path], tmp_path: Path
) -> None:
    """Cross-entropy plus Dice, with ignored rims: a mean over the parts would not be the same.

    Five images are validated: an odd number.
    """
    root = discs(13)  # 9 to train on, 4 to validate on
    with (root / "ImageSets/Segmentation/val.txt").open("a") as file:
        file.write("i0\n")
    (root / "ImageSets/Segmentation/train.txt").write_text("".join(f"i{n}\n" for n in range(1, 9)))
    done = launched(root, tmp_path / "two", "--json")
    (code, out, err), (other_code, other_out, other_err) = done
    assert code == other_code == 0, err + other_err
    assert '"best_epoch"' in out
    assert "2 processes, 2 crops each" in err
    assert "epoch" not in other_out + other_err  # only the first process speaks
    settings = {
        "size": 32,
        "options": {"base": 4},
        "epochs": 2,
        "batch": 4,
        "optimizer": "sgd",
        "lr": 0.1,
        "freeze_norm": True,
        "tensorboard": False,
    }
    one = train(root, out=tmp_path / "one", device="cpu", **settings)
    a, b = (checkpoints.read(tmp_path / run / "last.pt") for run in ("one", "two"))
    assert (
        max(
            float((a["weights"][name] - b["weights"][name]).abs().max())
            for name in a["weights"]
            if a["weights"][name].is_floating_point()
        )
        < 1e-5
    )
    for mine, theirs in zip(a["training"]["history"], b["training"]["history"], strict=True):
        assert mine["step"] == theirs["step"]
        for name in ("loss", "val_loss", "val_miou", "val_dice", "val_accuracy"):
            assert mine[name] == pytest.approx(theirs[name], abs=1e-5)
    assert one.history[0].loss != one.history[1].loss


def test_what_the_first_process_may_not_do_no_process_does(
    discs: Callable[..., Path], tmp_path: Path
) -> None:
    """The folder is the first one's to look at; the other does not wait for it for ever."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("precious")
    (code, _, err), (other_code, _, other_err) = launched(discs(4), tmp_path / "mine")
    assert (code, other_code) == (1, 1)
    assert "output-not-ours" in err
    assert "output-not-ours" not in other_err
    assert "Traceback" not in err + other_err


def test_one_process_of_torchrun_is_joined_and_learns_what_a_plain_one_learns(
    discs: Callable[..., Path], tmp_path: Path
) -> None:
    """So that the communication of GPUs can be tried on a single one."""
    root = discs(8)
    ((code, _, err),) = launched(root, tmp_path / "joined", "--deterministic", world=1)
    assert code == 0, err
    settings = {"size": 32, "options": {"base": 4}, "epochs": 2, "batch": 2, "lr": 0.1}
    settings |= {"optimizer": "sgd", "freeze_norm": True, "tensorboard": False, "device": "cpu"}
    train(root, out=tmp_path / "plain", **settings)
    a, b = (checkpoints.read(tmp_path / run / "last.pt") for run in ("plain", "joined"))
    assert all(a["weights"][name].equal(b["weights"][name]) for name in a["weights"])


def test_torchrun_joins_a_single_process(monkeypatch: pytest.MonkeyPatch) -> None:
    from segprep.training.trainer import distributed

    assert not distributed.join("cpu").joined
    place = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"}
    place |= {"MASTER_PORT": free_port(), "TORCHELASTIC_RUN_ID": "test"}
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    group = distributed.join("cpu")
    try:
        assert (group.joined, group.world) == (True, 1)
        assert group.decided(lambda: "asked") == "asked"
    finally:
        distributed.leave(group)


THREADS = """
import os, sys
from pathlib import Path
from segprep import train

train(sys.argv[1], out=sys.argv[2], size=32, options={"base": 4}, epochs=1, device="cpu")
print({path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="names of threads are those of /proc")
def test_no_thread_of_the_communication_outlives_the_training(
    discs: Callable[..., Path], tmp_path: Path
) -> None:
    """One that still lets go of a tensor while the interpreter ends aborts the process: "terminate
    called without an active exception".
    """
    (tmp_path / "run.py").write_text(THREADS)
    port = free_port()
    process = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"}
    process |= {"MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, tmp_path / "run.py", discs(8), tmp_path / "run"],
        cwd=ROOT,
        env=os.environ | process,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    assert "gloo" not in done.stdout


def test_deterministic_kernels_are_asked_for_while_it_trains_and_no_longer() -> None:
    import torch

    from segprep.training.devices import repeatable

    with repeatable(False):
        assert not torch.are_deterministic_algorithms_enabled()
    with repeatable(True):
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_resumed_run_is_as_deterministic_as_it_was_begun(
    discs: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting is the checkpoint's: --resume is given alone."""
    from contextlib import nullcontext

    from segprep.training.trainer import trainer

    asked = list[bool]()
    monkeypatch.setattr(trainer, "repeatable", lambda wanted: asked.append(wanted) or nullcontext())
    settings = {"size": 32, "options": {"base": 4}, "tensorboard": False, "device": "cpu"}
    train(discs(8), out=tmp_path / "run", epochs=1, deterministic=True, **settings)
    train(discs(8), out=tmp_path / "run", resume=True, epochs=2)
    assert asked == [True, True]
