"""The notebook in examples/: its cells run one after the other, and its texts are what they print.

``make notebook`` runs it in Jupyter, which the gate does; here the same cells run by themselves.
"""

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[1] / "examples" / "first_look.ipynb"


def cells() -> list[dict[str, Any]]:
    book = json.loads(NOTEBOOK.read_text("utf-8"))
    return [cell for cell in book["cells"] if cell["cell_type"] == "code"]


def shown(source: str, scope: dict[str, Any]) -> tuple[str, Any]:
    """What a cell prints, and the value of its last line if that is an expression."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(ast.Module(body, []), "cell", "exec"), scope)
        value = None
        if last is not None:
            assert isinstance(last, ast.Expr)
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), scope)
    return out.getvalue(), value


def test_the_cells_run_and_show_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(NOTEBOOK.parent)
    scope: dict[str, Any] = {}
    cards = pictures = 0
    for cell in cells():
        printed, value = shown("".join(cell["source"]), scope)
        kept = "".join("".join(one["text"]) for one in cell["outputs"] if "text" in one)
        assert printed == kept
        for data in (one["data"] for one in cell["outputs"] if "data" in one):
            if "text/html" in data:
                assert value._repr_html_() == "".join(data["text/html"])
                cards += 1
            else:
                assert value.size == (240, 180)
                pictures += 1
    assert (cards, pictures) == (5, 2)


def test_it_is_small_and_names_no_machine() -> None:
    text = NOTEBOOK.read_text("utf-8")
    assert len(text) < 400_000
    assert "/tmp" not in text
    assert "/home" not in text
