"""What `make gpu` runs: on a CPU, in its short mode, on a tiny dataset."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Make = Callable[..., Path]


def test_every_part_runs_and_prints_its_table(
    discs: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("dsb2018", "medical"):
        discs(8, f"data/{name}")
    script = Path(__file__).parents[1] / "gpu" / "run.py"
    monkeypatch.syspath_prepend(script.parent)
    where = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", [str(script), *where, "--device", "cpu", "--quick"])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # torchrun's process has as many threads as this one
    assert runpy.run_path(str(script))["main"]() == 0
    shown = capsys.readouterr().out
    for row in (
        "unetpp deep",
        "resnet-unet resnet50",
        "float32",
        "bfloat16",
        "deterministic",
        "one process of torchrun",
    ):
        assert f"\n| {row} | " in shown
    assert "| device | 0 |" in shown  # no label differs from the CPU's
    assert "| ISBI-2012 | " in shown
    assert shown.endswith("nothing differs\n")


def test_without_a_gpu_it_says_how_to_try_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    script = Path(__file__).parents[1] / "gpu" / "run.py"
    monkeypatch.syspath_prepend(script.parent)
    monkeypatch.setattr(sys, "argv", [str(script)])
    with pytest.raises(SystemExit, match="--device cpu --quick"):
        runpy.run_path(str(script))["main"]()
