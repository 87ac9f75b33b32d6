"""What the list of networks says without PyTorch is what the networks are."""

import subprocess
import sys

from segprep import network_sizes
from segprep.training.models import models


def test_the_published_sizes_are_those_of_the_networks() -> None:
    assert network_sizes.published() == models()


def test_the_list_of_networks_needs_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; from segprep_cli.main import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", code, "models", "--json"], capture_output=True, text=True, check=True
    )
    assert '"name": "unetpp"' in run.stdout
