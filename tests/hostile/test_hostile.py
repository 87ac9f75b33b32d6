"""A sample of the hostile inputs; make hostile runs all of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links")
def test_hostile_inputs_end_in_words() -> None:
    done = subprocess.run(
        [sys.executable, RUN, "--sample", "60"], capture_output=True, text=True, timeout=1500
    )
    assert (done.returncode, done.stdout.splitlines()[:-1]) == (0, []), done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["inputs"] == 60
    assert figures["of"] >= 500
