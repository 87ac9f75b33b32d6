"""How long the start takes, against importing what it cannot do without."""

import sys
from collections.abc import Iterator
from pathlib import Path

from measuring import SEGPREP, Comparison, Row, Size


def comparisons(work: Path, size: Size) -> Iterator[Comparison]:
    yield Comparison(
        {
            "import": [sys.executable, "-c", "import segprep"],
            "help": [*SEGPREP, "--help"],
            "subcommand": [*SEGPREP, "json2mask", "--help"],
            "import click": [sys.executable, "-c", "import click"],
        },
        [
            Row("import segprep", "import", "import click", 1.5),
            Row("segprep --help", "help", "import click", 1.5),
            Row("segprep json2mask --help", "subcommand", "import click"),
        ],
    )
