"""Run examples/first_look.ipynb from end to end and write it back: ``make notebook``.

Kept of what the cells show: text, cards and pictures as PNG; not how long they took, nor the plain
form of what has a card, since that names the folders of the machine.
"""

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parents[1] / "examples"


def joined(outputs: list[Any]) -> list[Any]:
    """*outputs* with pieces of one stream put together: a kernel sends them as it likes."""
    whole: list[Any] = []
    for output in outputs:
        last = whole[-1] if whole else {}
        if output.get("name") and output.get("name") == last.get("name"):
            last["text"] += output["text"]
        else:
            whole.append(output)
    return whole


def main() -> None:
    """Run it; with the argument ``check`` write nothing. Raises where a cell raises."""
    path = HERE / "first_look.ipynb"
    book = nbformat.read(path, 4)
    NotebookClient(book, resources={"metadata": {"path": str(HERE)}}).execute()
    for number, cell in enumerate(book.cells):
        cell["id"] = f"cell-{number:02}"
        cell.metadata.clear()
        if cell.get("outputs"):
            cell["outputs"] = joined(cell["outputs"])
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            data.pop("image/jpeg", None)
            if {"text/html", "image/png"} & data.keys():
                data.pop("text/plain", None)
    book.metadata.pop("widgets", None)
    book.metadata["language_info"] = {"name": "python"}
    if sys.argv[1:] != ["check"]:
        nbformat.write(book, path)


if __name__ == "__main__":
    main()
