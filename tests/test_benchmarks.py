"""The benchmarks run: a sample of each, whose figures say nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent / "benchmarks"
PARTS = {
    "json2mask": None,
    "nuclei": None,
    "pairs": None,
    "miou": None,
    "coco": "pycocotools",
    "formats": None,
    "splitting": None,
    "exporting": None,
    "checking": None,
    "training": "torch",
    "start": None,
    "workers": None,
}


def output(script: str, *arguments: str) -> list[str]:
    """What a script of the benchmarks prints, where no peer is installed."""
    peers = {f"SEGPREP_{name}_PYTHON": "" for name in ("LABELME", "DATUMARO", "METRICS")}
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    environment = {**os.environ, **peers}
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.splitlines()


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_the_table_is_measured(part: str) -> None:
    if package := PARTS[part]:
        pytest.importorskip(package)
    lines = output("run.py", "--sample", "--only", part)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line][2:]
    assert rows
    for operation, ours, peer, ratio, spread, memory, _ in rows:
        assert operation
        assert peer
        if ratio.startswith("not run: "):
            assert "make oracles" in ratio
            continue
        least, _, most = spread.partition(" to ")
        assert ours.endswith(" s")
        assert memory.endswith(" MiB")
        assert float(least) == float(most) == float(ratio.split()[0])


def test_all_parts_are_tested() -> None:
    shown = " ".join(output("run.py", "--help"))
    assert all(part in shown for part in PARTS)
    assert shown.partition("{")[2].partition("}")[0].split(",") == list(PARTS)


def test_growth_is_measured_and_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    lines = output("scale.py", "100", "--plot", str(tmp_path / "growth.svg"))
    steps = [line.split(" | ")[0].removeprefix("| ") for line in lines[-9:]]
    again = ("again", "again, 1 % changed", "again, --verify")
    assert steps == ["convert", *again, "split", "info", "check", "miou", "verify"]
    assert "convert" in (tmp_path / "growth.svg").read_text("utf-8")


def test_points_of_an_earlier_run_are_kept_and_not_run_again(tmp_path: Path) -> None:
    points = tmp_path / "points.jsonl"
    point = {"cpu": 2.0, "wall": 3.0, "peak": 400.0}
    steps = ("again", "again, 1 % changed", "split", "info", "check", "miou", "verify")
    earlier = [{"step": step, "count": 100, **point} for step in ("again, --verify", *steps)]
    earlier.append({"step": "convert", "count": 1_000_000, **point})
    points.write_text("".join(json.dumps(line) + "\n" for line in earlier))
    lines = output("scale.py", "100", "--points", str(points))
    assert "| again | 2.00 s, 400 MiB |  |" in lines
    (convert,) = (line for line in lines if line.startswith("| convert"))
    assert convert.endswith("MiB | 2.00 s, 400 MiB |")
    added = [json.loads(line) for line in points.read_text().splitlines()][len(earlier) :]
    assert [(line["step"], line["count"]) for line in added] == [("convert", 100)]
