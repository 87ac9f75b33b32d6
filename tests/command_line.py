"""Commands run in this process, and a small labelme set to run them on."""

from pathlib import Path

from click.testing import CliRunner, Result
from conftest import annotate, shape
from segprep_cli.main import group

TRIANGLE = [[8, 8], [20, 8], [20, 20]]


def run(*words: object) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words])


def fine(*words: object) -> Result:
    result = run(*words)
    assert result.exit_code == 0, result.output + result.stderr
    return result


def pets(folder: Path, count: int = 6, first: int = 0) -> Path:
    """Annotated images of cats and dogs, no two of them equal."""
    for n in range(first, first + count):
        annotate(folder, f"img{n}", shape("cat"), shape("dog", TRIANGLE), size=(32 + n, 24))
    return folder
