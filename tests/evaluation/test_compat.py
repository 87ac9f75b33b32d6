"""Other tools' definitions where a hand can follow. All of them on random cases: tests/oracles."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

from segprep.errors import UsageError
from segprep.evaluation.compat import TOOLS, tool
from segprep.metrics import TOOL_NAMES

TRUTH = np.array([[0, 0, 0, 1], [1, 1, 255, 0]], np.uint8)
PRED = np.array([[0, 0, 1, 1], [1, 0, 1, 0]], np.uint8)
# counts: 0 -> 0: 3, 0 -> 1: 1, 1 -> 0: 1, 1 -> 1: 2; classes 2 and 3 absent
ZERO, ONE = 3 / 5, 2 / 4


@pytest.fixture
def scored(tmp_path: Path) -> Any:
    for name, ids in (("truth", TRUTH), ("pred", PRED)):
        (tmp_path / name).mkdir()
        Image.fromarray(ids).save(tmp_path / name / "a.png")

    def run(*words: str) -> dict[str, Any]:
        done = CliRunner().invoke(
            group,
            [
                "miou",
                str(tmp_path / "pred"),
                "--truth",
                str(tmp_path / "truth"),
                "--classes",
                "4",
                "--json",
                *words,
            ],
        )
        assert done.exit_code == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mmseg", (ZERO + ONE) / 2),
        ("hf", (ZERO + ONE) / 2),
        ("torchmetrics", (ZERO + ONE) / 2),
        ("cityscapes", (ZERO + ONE) / 2),
        ("isbi", (ZERO + ONE) / 2),
        ("bubbliiiing", (ZERO + ONE) / 4),
        ("divamgupta", (3 / 6 + 2 / 5) / 4),
        ("sceneparsing", (2 / 3) / 3),
        ("pascal", None),
        ("wz", None),
        ("unetpp", (2 + 1e-5) / (4 + 1e-5)),
    ],
)
def test_each_definition(scored: Any, name: str, expected: float | None) -> None:
    found = scored("--compat", name)
    assert found["miou"] == (expected if expected is None else pytest.approx(expected, abs=1e-9))
    assert found["policy"]["compat"] == name
    assert found["policy"]["definition"] == TOOLS[name].how
    assert len(found["policy"]["definition"]) > 40


def test_numbers_bear_the_tools_names(scored: Any) -> None:
    assert scored("--compat", "mmseg")["numbers"] | {
        "mIoU": (ZERO + ONE) / 2,
        "aAcc": 5 / 7,
    } == pytest.approx(scored("--compat", "mmseg")["numbers"])
    assert scored("--compat", "wz")["numbers"]["dice coefficient"] == pytest.approx(
        (4 / 6 + 1 + 1) / 3, abs=1e-6
    )
    assert scored("--compat", "isbi")["numbers"]["pixel error"] == pytest.approx(2 / 7)
    assert scored("--compat", "divamgupta")["numbers"]["frequency_weighted_IU"] == pytest.approx(
        (3 / 6 * 5 + 2 / 5 * 3) / 8
    )


def test_pixels_that_a_tool_drops_count_as_ignored(scored: Any) -> None:
    counts = scored("--compat", "sceneparsing")["counts"]
    assert (counts["valid"], counts["ignored"]) == (3, 5)


def test_cityscapes_ignores_excluded_classes_in_the_truth(scored: Any) -> None:
    assert scored("--compat", "cityscapes", "--exclude-class", "0")["miou"] == pytest.approx(2 / 3)
    assert scored("--exclude-class", "0")["miou"] == pytest.approx(ONE)


def test_a_tool_has_its_own_rule_for_absent_classes(scored: Any, tmp_path: Path) -> None:
    words = [
        "miou",
        str(tmp_path / "pred"),
        "--truth",
        str(tmp_path / "truth"),
        "--classes",
        "4",
        "--compat",
        "pascal",
        "--absent",
        "zero",
    ]
    assert CliRunner().invoke(group, words).exit_code == 2
    with pytest.raises(UsageError, match="no such tool"):
        tool("nobody")


def test_the_command_line_offers_every_tool() -> None:
    assert tuple(TOOLS) == TOOL_NAMES
