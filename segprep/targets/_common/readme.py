"""README.txt of an export: what it is, the lines that load it, what it cannot hold."""

from collections.abc import Sequence
from textwrap import indent

from segprep.types import Classes
from segprep.writer import Gathered

README = "README.txt"


def text(
    title: str, lines: str, gathered: Gathered, classes: Classes | None, facts: Sequence[str] = ()
) -> bytes:
    """*title* in one line, *lines* of code or commands that load the export, further *facts*, the
    losses, and the class list.
    """
    sections = [title, f"Load it:\n\n{indent(lines.strip(), '    ')}"]
    sections += facts
    losses = [f"- {line}" for line in gathered.losses] or ["- nothing was lost"]
    sections.append("What this format cannot hold:\n" + "\n".join(losses))
    if classes:
        rows = [f"- {number} {name}" for number, name in enumerate(classes.names)]
        sections.append("Pixel values of the dataset:\n" + "\n".join([*rows, "- 255 is ignored"]))
    sections.append("Written by segprep export.")
    return ("\n\n".join(sections) + "\n").encode()
