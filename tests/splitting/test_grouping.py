"""Groups by a regular expression or a table: what is matched, and what is refused in time."""

import signal
from pathlib import Path

import pytest

from segprep import grouping
from segprep.errors import UsageError
from segprep.grouping import groups_of


def test_the_first_group_or_the_whole_match() -> None:
    assert groups_of(["p1_a", "p1_b"], r"^(p\d)_") == {"p1_a": "p1", "p1_b": "p1"}
    assert groups_of(["p1_a"], r"^p\d") == {"p1_a": "p1"}
    assert groups_of(["猫1"], "猫") == {"猫1": "猫"}


def test_an_expression_that_backtracks_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "SECONDS", 1)
    with pytest.raises(UsageError, match="backtracks"):
        groups_of(["a" * 60 + "b"], "^(a+)+$")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of computing time")
def test_a_busy_machine_refuses_no_expression(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that the process waits for its turn does not count."""
    monkeypatch.setattr(grouping, "SECONDS", 1)
    waiting = f"import time; time.sleep(2){grouping._MATCH}"
    monkeypatch.setattr(grouping, "_MATCH", waiting)
    assert groups_of(["p1_a"], r"^(p\d)_") == {"p1_a": "p1"}


@pytest.mark.parametrize("expression", ["(", "a{99999999999}", "(" * 5000, "[z-a]"])
def test_bad_expressions_are_refused(expression: str) -> None:
    with pytest.raises(UsageError, match="not a regular expression"):
        groups_of(["a"], expression)


def test_long_text_is_an_expression_and_not_a_file_name() -> None:
    expression = "^(" + "|".join(f"scene_{n:03}" for n in range(200)) + ")"
    assert groups_of(["scene_007_x"], expression) == {"scene_007_x": "scene_007"}


def test_a_table_that_is_missing_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        groups_of(["a"], str(tmp_path / "none.csv"))
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError):
        groups_of(["a"], str(tmp_path / "odd.csv"))


def test_an_empty_expression_groups_nothing_and_is_refused() -> None:
    with pytest.raises(UsageError, match="is empty"):
        groups_of(["a"], "")
